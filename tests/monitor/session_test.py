"""QMP sessions as clients drive them: the wire, negotiation, many clients, order of events.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import signal
import socket
import sys
import tempfile
import unittest

from vm import Lines, Qmp, QmpError, Vm

BINARY = sys.argv.pop(1)
COMMANDS = os.path.join(os.path.dirname(__file__), '../data/libvirt/qmp-commands.tsv')
NONE = ('-machine', 'none', '-nodefaults')


def names(messages):
    return [message.get('event', 'reply') for message in messages]


class Session(unittest.TestCase):
    def test_greeting(self):
        with Vm(BINARY, *NONE, negotiate=False) as vm:
            hello = vm.qmp.greeting['QMP']
            self.assertEqual(set(hello), {'version', 'capabilities'})
            self.assertEqual(set(hello['version']), {'qemu', 'package'})
            self.assertEqual(hello['version']['qemu']['major'], 9)
            self.assertEqual(hello['capabilities'], ['oob'])
            for command in ('query-version', 'stop', 'nosuch'):
                reply = vm.qmp.request({'execute': command, 'id': [command]})
                self.assertEqual(reply['error']['class'], 'CommandNotFound')
                self.assertEqual(reply['id'], [command])
            reply = vm.qmp.request({'execute': 'qmp_capabilities',
                                    'arguments': {'enable': ['nosuch']}})
            self.assertEqual(reply['error']['class'], 'GenericError')
            vm.qmp('qmp_capabilities')
            with self.assertRaises(QmpError) as caught:
                vm.qmp('qmp_capabilities')
            self.assertEqual(caught.exception.cls, 'CommandNotFound')
            self.assertEqual(vm.qmp('query-version'), hello['version'])

    def test_wire(self):
        with Vm(BINARY, *NONE) as vm:
            lines = vm.qmp.lines
            for byte in b"\n { 'execute':'query-name' , 'id' : 'a' }":
                lines.send(bytes([byte]))
            self.assertEqual(json.loads(lines.read(b'\r\n')), {'return': {}, 'id': 'a'})
            lines.send(b"{'execute':'query-name','id':1}{'execute':'query-name','id':2}\r\n"
                       b"{'execute':'query-name','id':\"\xc3\xa4\"}")
            for number in (1, 2):
                self.assertEqual(json.loads(lines.read(b'\r\n'))['id'], number)
            self.assertEqual(lines.read(b'\r\n'), b'{"return": {}, "id": "\\u00E4"}')
            for junk in (b'\xff', b'}', b"{'execute': [\xff", b'[1 2]\n', b'{"a": nul}\n'):
                lines.send(junk)
                reply = json.loads(lines.read(b'\r\n'))
                self.assertTrue(reply['error']['desc'].startswith('JSON parse error'), reply)
            # A hundred requests at once are answered in order.
            lines.send(b''.join(b"{'execute':'query-name','id':%d}" % i for i in range(100)))
            for number in range(100):
                self.assertEqual(json.loads(lines.read(b'\r\n'))['id'], number)

    def test_pretty(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'sock')
            with Vm(BINARY, *NONE, '-qmp-pretty', f'unix:{path},server=on,wait=off'):
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(path)
                lines = Lines(sock)
                self.assertEqual(lines.read(b'\r\n'), b'{')
                while lines.read(b'\r\n') != b'}':
                    pass
                lines.send(b"{'execute': 'qmp_capabilities', 'id': 1}")
                self.assertEqual([lines.read(b'\r\n') for _ in range(4)],
                                 [b'{', b'    "return": {},', b'    "id": 1', b'}'])
                lines.close()

    def test_two_monitors_and_reconnect(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'sock')
            with Vm(BINARY, *NONE, '-qmp', f'unix:{path},server=on,wait=off') as vm:
                for _ in range(3):
                    sock = socket.socket(socket.AF_UNIX)
                    sock.connect(path)
                    second = Qmp(sock, negotiate=False)
                    reply = second.request({'execute': 'query-name'})
                    self.assertEqual(reply['error']['class'], 'CommandNotFound')
                    vm.qmp('stop')
                    vm.qmp('cont')
                    self.assertEqual(second.events, [])
                    second('qmp_capabilities')
                    vm.qmp('stop')
                    vm.qmp('cont')
                    second('query-name')
                    self.assertEqual(names(second.events), ['STOP', 'RESUME'])
                    second.send({'execute': 'query-name'})
                    second.close()

    def test_order_of_events(self):
        with Vm(BINARY, *NONE) as vm:
            for command, expected in (('stop', ['STOP']), ('stop', []), ('cont', ['RESUME']),
                                      ('cont', [])):
                vm.qmp.events.clear()
                vm.qmp(command)
                self.assertEqual(names(vm.qmp.events), expected)
            vm.qmp('system_reset')
            event = vm.qmp.wait_event('RESET')
            self.assertEqual(event['data'],
                             {'guest': False, 'reason': 'host-qmp-system-reset'})
            self.assertEqual(set(event['timestamp']), {'seconds', 'microseconds'})
            vm.qmp('quit')
            event = vm.qmp.wait_event('SHUTDOWN')
            self.assertEqual(event['data'], {'guest': False, 'reason': 'host-qmp-quit'})

    def test_signal(self):
        for extra in ((), ('-S',), ('--preconfig',)):
            with self.subTest(extra=extra), Vm(BINARY, *NONE, *extra) as vm:
                vm.process.send_signal(signal.SIGTERM)
                event = vm.qmp.wait_event('SHUTDOWN')
                self.assertEqual(event['data'], {'guest': False, 'reason': 'host-signal'})

    def test_qtest_time_in_events(self):
        with Vm(BINARY, *NONE, qtest=True) as vm:
            vm.qtest('clock_step 5000000000')
            vm.qmp('stop')
            self.assertEqual(vm.qmp.wait_event('STOP')['timestamp'],
                             {'seconds': 5, 'microseconds': 0})

    def test_out_of_band(self):
        with Vm(BINARY, *NONE, negotiate=False) as vm:
            vm.qmp.run('qmp_capabilities', {'enable': ['oob']})
            for number in range(50):
                self.assertEqual(vm.qmp.request({'execute': 'query-name', 'id': number}),
                                 {'return': {}, 'id': number})
            reply = vm.qmp.request({'exec-oob': 'query-name', 'id': 1})
            self.assertEqual(reply['error'], {'class': 'GenericError', 'desc':
                                              'The command query-name does not support OOB'})
            reply = vm.qmp.request({'exec-oob': 'nosuch'})
            self.assertEqual(reply['error']['class'], 'CommandNotFound')

    def test_out_of_band_overtakes(self):
        """What is out of band is answered while a command hangs, here on a FIFO nobody reads."""
        with tempfile.TemporaryDirectory() as folder, \
                Vm(BINARY, *NONE, negotiate=False) as vm:
            fifo = os.path.join(folder, 'fifo')
            os.mkfifo(fifo)
            vm.qmp.run('qmp_capabilities', {'enable': ['oob']})
            vm.qmp.send({'execute': 'pmemsave', 'id': 'hangs',
                         'arguments': {'val': 0, 'size': 16, 'filename': fifo}})
            vm.qmp.send({'execute': 'query-status', 'id': 'waits'})
            for number in range(3):
                reply = vm.qmp.request({'exec-oob': 'migrate-pause', 'id': number})
                self.assertEqual((reply['id'], reply['error']['class']), (number, 'GenericError'))
            with open(fifo, 'rb') as file:
                self.assertEqual(file.read(), bytes(16))
            self.assertEqual(vm.qmp.reply(), {'return': {}, 'id': 'hangs'})
            self.assertEqual(vm.qmp.reply()['id'], 'waits')

    def test_descriptors(self):
        read, write = os.pipe()
        with Vm(BINARY, *NONE) as vm:
            vm.qmp('getfd', fds=[write], fdname='x')
            os.close(write)
            vm.qmp('closefd', fdname='x')
            self.assertEqual(os.read(read, 1), b'')
            with self.assertRaises(QmpError):
                vm.qmp('getfd', fds=[read], fdname='1x')
            with self.assertRaises(QmpError):
                vm.qmp('getfd', fdname='x')
        os.close(read)


class Preconfig(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(COMMANDS, encoding='utf-8') as file:
            rows = [line.rstrip('\n').split('\t') for line in file][1:]
        cls.allowed = {row[0] for row in rows if 'allow-preconfig' in row[3]}

    def test_commands(self):
        """Each command is refused, or not, as the interface's table says."""
        with Vm(BINARY, *NONE, '--preconfig') as vm:
            self.assertEqual(vm.qmp('query-status')['status'], 'prelaunch')
            for command in [c['name'] for c in vm.qmp('query-commands')]:
                if command in ('quit', 'x-exit-preconfig', 'qmp_capabilities'):
                    continue
                with self.subTest(command=command):
                    reply = vm.qmp.request({'execute': command, 'arguments': {'no such': 1}})
                    is_refused = (reply['error']['desc'] ==
                                  f"The command '{command}' is permitted only after machine "
                                  'initialization has completed')
                    self.assertEqual(is_refused, command not in self.allowed)
            vm.qmp('x-exit-preconfig')
            vm.qmp.wait_event('RESUME')
            self.assertEqual(vm.qmp('query-status')['status'], 'running')
            with self.assertRaises(QmpError) as caught:
                vm.qmp('x-exit-preconfig')
            self.assertEqual(caught.exception.desc,
                             'The command is permitted only before machine initialization')


if __name__ == '__main__':
    unittest.main()
