"""The text monitor: commands that any machine must survive, and texts that programs read.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import socket
import sys
import tempfile
import unittest

from vm import QmpError, Vm

BINARY = sys.argv.pop(1)
NONE = ('-machine', 'none', '-nodefaults')

# What QEMU's own test runs everywhere; what is not there yet says so.
LINES = '''announce_self
boot_set ndc
chardev-add null,id=testchardev1
chardev-send-break testchardev1
chardev-change testchardev1 ringbuf
chardev-remove testchardev1
commit all
cpu 0
device_add ?
device_add help
device_add usb-mouse,id=mouse1
device_del mouse1
drive_add ignored format=help
mouse_button 7
mouse_move 10 10
mouse_button 0
dump-guest-memory /dev/null 0 4096
gdbserver none
gva2gpa 0
hostfwd_add tcp::43210-:43210
hostfwd_remove tcp::43210-:43210
i /w 0
log all
log none
memsave 0 4096 /dev/null
migrate_set_parameter xbzrle-cache-size 64k
migrate_set_parameter downtime-limit 1
set_link rtl8139.0 off
nmi
o /w 0 0x1234
object_add memory-backend-ram,id=mem1,size=256M
object_del mem1
one-insn-per-tb on
pmemsave 0 4096 /dev/null
p $pc + 8
qom-list /
qom-set /machine initrd test
qom-get /machine initrd
screendump /dev/null
sendkey x
wavcapture /dev/null
stopcapture 0
sum 0 512
x /8i 0x100
xp /16x 0
loadvm nosuch
savevm nosuch
delvm nosuch
qemu-io nosuch "help"'''.split('\n')


class Hmp(unittest.TestCase):
    def check_lines(self, *args):
        with Vm(BINARY, *args) as vm:
            for line in LINES:
                with self.subTest(line=line):
                    text = vm.qmp.hmp(line)
                    self.assertNotIn('\n', text.replace('\r\n', ''))
            topics = vm.qmp.hmp('help info').splitlines()
            self.assertGreater(len(topics), 10)
            for topic in topics:
                self.assertRegex(topic, r'^info [^ ]+ ')
                line = ' '.join(topic.split(' ')[:2])
                with self.subTest(line=line):
                    self.assertNotIn('unknown command', vm.qmp.hmp(line))

    def test_everywhere(self):
        self.check_lines(*NONE, '-S')

    def test_with_memory(self):
        self.check_lines(*NONE, '-m', '2', '-S')

    def test_help_names_every_command(self):
        with Vm(BINARY, *NONE) as vm:
            for line in vm.qmp.hmp('help').splitlines():
                name = line.split(' ')[0].split('|')[0]
                self.assertEqual(vm.qmp.hmp('help ' + name).splitlines()[0]
                                 if name != 'info' else line, line)

    def test_texts(self):
        with Vm(BINARY, *NONE, '-S', '-name', 'box', '-uuid',
                '11111111-2222-3333-4444-555555555555') as vm:
            for line, pattern in (
                    ('info version', r'\d+\.\d+\.\d+.*'),
                    ('info status', r'VM status: paused \(prelaunch\)'),
                    ('info name', 'box'),
                    ('info uuid', '11111111-2222-3333-4444-555555555555'),
                    ('info kvm', 'kvm support: (disabled|not compiled)'),
                    ('info memory_size_summary', 'base memory: 0\r\nplugged memory: 0'),
                    ('info hotpluggable-cpus',
                     "Error: The feature 'query-hotpluggable-cpus' is not enabled"),
                    ('info registers', 'No CPU available'),
                    ('cpu 7', 'invalid CPU index'),
                    ('nosuch x', "unknown command: 'nosuch'"),
                    ('qom-get /machine nosuch',
                     "Error: Property 'none-machine.nosuch' not found"),
                    ('object_del nosuch', "Error: object 'nosuch' not found"),
                    ('device_add nosuch', "Error: 'nosuch' is not a valid device model name"),
                    ('device_del nosuch', "Error: Device 'nosuch' not found"),
                    ('chardev-remove nosuch', "Error: Chardev 'nosuch' not found"),
                    ('nmi', 'Error: this feature or command is not currently supported'),
                    ('xp/2xb 0', '0000000000000000: Cannot access memory'),
                    ('sum 0 10', r'\d{5}'),
                    ('p/d 6*7', '42')):
                with self.subTest(line=line):
                    self.assertRegex(vm.qmp.hmp(line), '^' + pattern + '\r\n$')
            for line in ('cont', 'stop', 'log none', 'object_add iothread,id=io', 'object_del io'):
                with self.subTest(line=line):
                    self.assertEqual(vm.qmp.hmp(line), '')
            self.assertEqual(vm.qmp.hmp('info status'), 'VM status: paused\r\n')
            with self.assertRaises(QmpError):
                vm.qmp.run('human-monitor-command', {'command-line': 'info cpus', 'cpu-index': 0})

    def test_qom(self):
        with Vm(BINARY, *NONE) as vm:
            self.assertIn('type (string)\r\n', vm.qmp.hmp('qom-list /machine'))
            vm.qmp.hmp('object_add iothread,id=io')
            vm.qmp.hmp('qom-set /objects/io poll-max-ns 5')
            self.assertEqual(vm.qmp.hmp('qom-get /objects/io poll-max-ns'), '5\r\n')
            vm.qmp.hmp('qom-set -j io poll-max-ns 7')
            self.assertEqual(vm.qmp.hmp('qom-get io poll-max-ns'), '7\r\n')
            self.assertIn('poll-max-ns=7\r\n', vm.qmp.hmp('info iothreads'))
            self.assertTrue(vm.qmp.hmp('info qom-tree').startswith('/machine (none-machine)\r\n'))

    def test_memory(self):
        with Vm(BINARY, *NONE, '-m', '2', qtest=True) as vm:
            vm.qtest('write 0x1000 8 0x4142434445464748')
            self.assertEqual(vm.qmp.hmp('xp /4xb 0x1000'),
                             '0000000000001000: 0x41 0x42 0x43 0x44\r\n')
            self.assertEqual(vm.qmp.hmp('xp /3c 0x1000'), "0000000000001000: 'A' 'B' 'C'\r\n")
            self.assertRegex(vm.qmp.hmp('xp /9xb 0x1000'), r'^.{15}0:.*\r\n.{15}8: 0x00\r\n$')
            self.assertRegex(vm.qmp.hmp('xp /9xh 0x1000'), r'^.{15}0:.*\r\n.{14}10: 0x0000\r\n$')
            self.assertNotEqual(vm.qmp.hmp('sum 0x1000 8'), '00000\r\n')
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, 'out')
                vm.qmp('pmemsave', val=0x1000, size=8, filename=path)
                with open(path, 'rb') as file:
                    self.assertEqual(file.read(), b'ABCDEFGH')
            self.assertIn('at most', vm.qmp.hmp('xp /2000000000xb 0'))


    def test_migration(self):
        with Vm(BINARY, *NONE, '-m', '2') as vm:
            for line, expected in (
                    ('migrate_set_parameter max-bandwidth 5', ''),
                    ('migrate_set_parameter xbzrle-cache-size 64k', ''),
                    ('migrate_set_parameter tls-hostname box', ''),
                    ('migrate_set_capability events on', ''),
                    ('migrate_set_parameter foo 1', 'Error: invalid parameter value: foo\r\n'),
                    ('migrate_set_parameter downtime-limit 9999999',
                     "Error: Parameter 'downtime_limit' expects an integer in the range of 0 to "
                     '(2000 * 1000) ms\r\n'),
                    ('migrate_set_parameter compress-wait-thread maybe',
                     "Error: Parameter 'compress-wait-thread' expects 'on' or 'off'\r\n"),
                    ('migrate_set_parameter multifd-compression x',
                     "Error: Parameter 'multifd-compression' does not accept value 'x'\r\n"),
                    ('migrate_set_capability events maybe',
                     "Expected 'on' or 'off'\r\n"
                     'Try "help migrate_set_capability" for more information\r\n'),
                    ('migrate_cancel', '')):
                with self.subTest(line=line):
                    self.assertEqual(vm.qmp.hmp(line), expected)
            parameters = vm.qmp.hmp('info migrate_parameters').splitlines()
            for line in ('max-bandwidth: 5242880 bytes/second', 'xbzrle-cache-size: 65536 bytes',
                         "tls-hostname: 'box'", 'downtime-limit: 300 ms',
                         'compress-wait-thread: on', 'multifd-compression: none'):
                self.assertIn(line, parameters)
            self.assertIn('events: on\r\n', vm.qmp.hmp('info migrate_capabilities'))
            for line in ('migrate_set_capability nosuch on', 'migrate_continue pre-switchover',
                         'migrate_incoming tcp:localhost:1', 'migrate_pause',
                         'migrate_recover file:x', 'migrate nosuch:'):
                with self.subTest(line=line):
                    self.assertRegex(vm.qmp.hmp(line), '^Error: .*\r\n$')
            self.assertEqual(vm.qmp.hmp('migrate -d exec:cat >/dev/null'), '')
            while vm.qmp.wait_event('MIGRATION')['data']['status'] != 'completed':
                pass
            text = vm.qmp.hmp('info migrate')
            self.assertTrue(text.startswith('Migration status: completed\r\ntotal time: '), text)
            self.assertIn('\r\ntotal ram: 2048 kbytes\r\n', text)

    def test_a_failed_migration_says_why(self):
        with Vm(BINARY, *NONE) as vm:
            vm.qmp.hmp('migrate_set_capability events on')
            self.assertIn('goes on detached', vm.qmp.hmp('migrate exec:false'))
            while vm.qmp.wait_event('MIGRATION')['data']['status'] != 'failed':
                pass
            self.assertRegex(vm.qmp.hmp('info migrate'), r'^Migration status: failed \(.+\)\r\n')

    def test_chardev_change(self):
        with Vm(BINARY, *NONE, '-chardev', 'null,id=line') as vm:
            self.assertEqual(vm.qmp.hmp('chardev-change line ringbuf,size=4'), '')
            self.assertIn('line: filename=ringbuf', vm.qmp.hmp('info chardev'))
            for line, why in (('line ringbuf,size=3', 'power of two'),
                              ('nosuch null', "Chardev 'nosuch' does not exist"),
                              ('line nosuch', 'not a valid char driver'),
                              ('char0 null', 'does not support chardev hotswap')):
                with self.subTest(line=line):
                    self.assertRegex(vm.qmp.hmp('chardev-change ' + line), f'^Error: .*{why}')
            self.assertIn('line: filename=ringbuf', vm.qmp.hmp('info chardev'))

    def test_trace_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'trace')
            with Vm(BINARY, *NONE) as vm:
                self.assertEqual(vm.qmp.hmp('trace-file'), 'Trace file off.\r\n')
                self.assertEqual(vm.qmp.hmp('trace-file set ' + path), '')
                self.assertEqual(vm.qmp.hmp('trace-file'), f'Trace file "{path}" on.\r\n')
                self.assertEqual(vm.qmp.hmp('trace-file flush'), '')
                self.assertGreater(os.path.getsize(path), 0)
                self.assertEqual(vm.qmp.hmp('trace-file off'), '')
                self.assertEqual(vm.qmp.hmp('trace-file'), 'Trace file off.\r\n')
                self.assertRegex(vm.qmp.hmp('trace-file nonsense'), 'unexpected argument')
                self.assertRegex(vm.qmp.hmp(f'trace-file set {folder}/no/such'), '^Error: ')

    def test_numa_roms_and_memory_devices(self):
        with Vm(BINARY, *NONE) as vm:
            self.assertEqual(vm.qmp.hmp('info numa'), '0 nodes\r\n')
            self.assertEqual(vm.qmp.hmp('info roms'), '')
            self.assertEqual(vm.qmp.hmp('info memory-devices'), '')
            self.assertEqual(vm.qmp('query-memory-devices'), [])


class Terminal(unittest.TestCase):
    def read_until(self, sock, end):
        got = b''
        while not got.endswith(end):
            more = sock.recv(4096)
            self.assertTrue(more, got)
            got += more
        return got

    def test_prompt(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'sock')
            with Vm(BINARY, *NONE, '-monitor', f'unix:{path},server=on,wait=off') as vm:
                for _ in range(2):
                    sock = socket.socket(socket.AF_UNIX)
                    sock.settimeout(60)
                    sock.connect(path)
                    hello = self.read_until(sock, b'\r\n(qemu) ')
                    self.assertRegex(hello, rb"^QEMU \d+\.\d+\.\d+ monitor - type 'help' for more "
                                     rb'information\r\n')
                    sock.sendall(b'info stat\t\r')
                    got = self.read_until(sock, b'\r\n(qemu) ')
                    self.assertEqual(got, b'info status \r\nVM status: running\r\n(qemu) ')
                    sock.sendall(b'stop\r')
                    self.read_until(sock, b'\r\n(qemu) ')
                    self.assertEqual(vm.qmp('query-status')['status'], 'paused')
                    sock.sendall(b'\x1b[A\x15cont\r\n')
                    self.read_until(sock, b'\r\n(qemu) ')
                    self.assertEqual(vm.qmp('query-status')['status'], 'running')
                    sock.close()

    def test_completion(self):
        """TAB, on what is there: each line is completed as far as it is unambiguous."""
        rows = (('object_del i\t', 'object_del io1 '), ('object_add memory-backend-r\t',
                                                      'object_add memory-backend-ram '),
                ('device_add loa\t', 'device_add loader '), ('qom-get /objects/i\t',
                                                            'qom-get /objects/io1 '),
                ('qom-get /objects/io1 poll-m\t', 'qom-get /objects/io1 poll-max-ns '),
                ('qom-set -j /objects/io1 poll-g\t', 'qom-set -j /objects/io1 poll-grow '),
                ('chardev-change li\t', 'chardev-change line '),
                ('migrate_set_capability ev\t', 'migrate_set_capability events '),
                ('migrate_set_parameter downt\t', 'migrate_set_parameter downtime-limit '),
                ('info migrate_c\t', 'info migrate_capabilities '))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'sock')
            with Vm(BINARY, *NONE, '-object', 'iothread,id=io1', '-chardev', 'null,id=line',
                    '-monitor', f'unix:{path},server=on,wait=off'):
                sock = socket.socket(socket.AF_UNIX)
                sock.settimeout(60)
                sock.connect(path)
                self.read_until(sock, b'\r\n(qemu) ')
                for typed, shown in rows:
                    with self.subTest(typed=typed):
                        sock.sendall(typed.encode() + b'\x15\r')
                        got = self.read_until(sock, b'\r\n(qemu) ')
                        self.assertIn(shown.encode(), got)
                sock.close()

    def test_quit(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'sock')
            with Vm(BINARY, *NONE, '-monitor', f'unix:{path},server=on,wait=off') as vm:
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(path)
                sock.sendall(b'quit\n')
                self.assertEqual(vm.wait(), 0)
                sock.close()


if __name__ == '__main__':
    unittest.main()
