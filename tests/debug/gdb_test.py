# SPDX-License-Identifier: GPL-2.0-or-later
"""The gdb server: the distribution's gdb on a bare-metal guest, and packets by hand."""
import os
import re
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402
from vm import TIMEOUT, Vm  # noqa: E402

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
ARGS = ('-M', 'pc', '-m', '16', '-nodefaults', '-vga', 'none')


class Remote:
    """The protocol's client."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(path)
        self.rest = b''

    def byte(self):
        if not self.rest:
            self.rest = self.sock.recv(65536)
            if not self.rest:
                raise EOFError
        first, self.rest = self.rest[:1], self.rest[1:]
        return first

    def packet(self):
        while self.byte() != b'$':
            pass
        data = b''
        while (got := self.byte()) != b'#':
            data += bytes([self.byte()[0] ^ 0x20]) if got == b'}' else got
        self.byte(), self.byte()
        self.sock.sendall(b'+')
        return data.decode('latin1')

    def send(self, text):
        data = text.encode('latin1')
        self.sock.sendall(b'$%s#%02x' % (data, sum(data) & 0xff))

    def __call__(self, text):
        self.send(text)
        return self.packet()

    def memory(self, address, size):
        return int.from_bytes(bytes.fromhex(self(f'm{address:x},{size:x}')), 'little')

    def close(self):
        self.sock.close()


class Gdb(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, 'gdb')

    def tearDown(self):
        self.folder.cleanup()

    def guest(self, bits=64, *args, cpu='max'):
        self.elf, image = bare.build(self.folder.name, 'debug_guest', bits)
        self.symbols = bare.symbols(self.elf)
        return Vm(OURS, *ARGS, '-cpu', cpu, '-bios', image, '-S', '-gdb', 'unix:' + self.path, *args)

    def run_gdb(self, *lines):
        """What it prints, by command."""
        argv = ['gdb', '-q', '-nx', '-batch', '-ex', 'set pagination off', '-ex', 'set confirm off',
                '-ex', 'set width 0', '-ex', 'target remote ' + self.path]
        for number, line in enumerate(lines):
            argv += ['-ex', f'echo @@{number}@\\n', '-ex', line]
        done = subprocess.run([*argv, self.elf], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=TIMEOUT)
        found = re.split(r'@@\d+@\n', done.stdout)
        self.assertEqual(len(found), len(lines) + 1, done.stdout)
        return dict(zip(lines, found[1:]))

    def check(self, found, patterns):
        for line, pattern in patterns.items():
            with self.subTest(line=line):
                self.assertRegex(found[line], pattern)

    def test_debugging(self):
        for accel in ('tcg', 'tcg,jit=off', 'tcg,one-insn-per-tb=on', 'tcg,thread=single'):
            with self.subTest(accel=accel), self.guest(64, '-smp', '2', '-accel', accel):
                self.check(self.run_gdb(
                    'hbreak guest_main', 'continue', 'print cpu', 'delete', 'break inner',
                    'ignore 2 19', 'continue ', 'bt', 'print n', 'print counter', 'finish', 'step', 'delete',
                    'watch counter', 'continue  ', 'print counter - 57', 'delete ',
                    'rwatch ap_counter', 'continue   ', 'info threads', 'stepi', 'x/i $pc',
                    'set var bytes[3]=77', 'print bytes[3]', 'monitor info status', 'detach'), {
                        'continue': r'Breakpoint 1, guest_main \(cpu=0\)',
                        'print cpu': '= 0',
                        'continue ': 'Breakpoint 2, inner',
                        'bt': r'#0 +inner.*\n#1 .*middle.*\n#2 .*guest_main.*\n#3 .*start64',
                        'print n': '= 3',
                        'print counter': '= 57',
                        'finish': 'Value returned is .* = 60',
                        'continue  ': r'Old value = 60\nNew value = 63|Old value = 63\nNew value = 66',
                        'print counter - 57': '= [69]',
                        'continue   ': r'Thread 2 hit Hardware read watchpoint',
                        'info threads': r'  1 .*CPU#0.*\n\* 2 .*CPU#1',
                        'x/i $pc': r'=> .*<guest_main',
                        'print bytes[3]': '= 77',
                        'monitor info status': r'paused \(debug\)'})

    def test_registers(self):
        with self.guest(64):
            self.check(self.run_gdb(
                'print $rip', 'info registers cs', 'break inner', 'continue', 'print $cs',
                'print/x $cr0', 'print/x $cr3', 'print $cr4 & 0x600', 'print/x $efer', 'print $fs_base',
                'print $eflags', 'print $mxcsr', 'print $st0', 'set $rbx = 0x123456789abc',
                'print/x $rbx', 'set $xmm1.v2_int64[1] = 7', 'print $xmm1.v2_int64',
                'set $ymm2.v4_int64[3] = 9', 'print $ymm2.v4_int64', 'set $st0 = 1.5', 'print  $st0',
                'set $eflags = 0x202', 'print  $eflags', 'set $rip = $rip + 1', 'info symbol $rip',
                'print/x $gs_base = 0x77', 'print/x $cr0 = 0', 'print/x $cr2 = 0x1000',
                'info registers cr2', 'set $k_gs_base=1', 'print $k_gs_base'), {
                    'print $rip': '0xfff0', 'info registers cs': '0xf000',
                    'print $cs': '= 24', 'print/x $cr0': '= 0x80010033', 'print/x $cr3': '= 0x10000',
                    'print $cr4 & 0x600': '= 1536', 'print/x $efer': '= 0xd00', 'print $fs_base': '= 0',
                    'print $mxcsr': r'\[ IM DM ZM OM UM PM \]', 'print $st0': '= 0',
                    'print/x $rbx': '= 0x123456789abc', 'print $xmm1.v2_int64': r'\{0, 7\}',
                    'print $ymm2.v4_int64': r'\{0, 0, 0, 9\}', 'print  $st0': '= 1.5',
                    'print  $eflags': r'\[ IF \]', 'info symbol $rip': r'inner \+ ',
                    'print/x $gs_base = 0x77': '= 0x77', 'info registers cr2': '0x1000',
                    'print $k_gs_base': '= 1'})

    def test_32_bits(self):
        with self.guest(32, cpu='qemu32'):
            self.check(self.run_gdb('break inner', 'continue', 'bt', 'print $eip', 'print n',
                                    'info registers eax', 'x/2i $pc', 'show architecture'), {
                                        'bt': r'#0 +inner.*\n#1 .*middle', 'print $eip': 'inner',
                                        'print n': '= 3', 'x/2i $pc': '<inner',
                                        'show architecture': 'currently "i386"'})

    def start(self, *args):
        vm = self.guest(64, *args)
        return vm, Remote(self.path)

    def test_interrupt_hot_code_and_exact_counts(self):
        vm, remote = self.start()
        with vm:
            counter, inner = self.symbols['counter'], self.symbols['inner']
            remote.send('c')
            # Until what runs is hot.
            while vm.qmp.hmp(f'xp /gx {counter}').split()[1] < '0x0000000000100000':
                pass
            remote.sock.sendall(b'\3')
            self.assertEqual(remote.packet(), 'T02thread:01;')
            self.assertEqual(remote(f'Z0,{inner:x},1'), 'OK')
            self.assertEqual(remote('c'), 'T05thread:01;')
            before = remote.memory(counter, 8)
            self.assertEqual(remote.memory(inner, 1), int(vm.qmp.hmp(f'xp /bx {inner}').split()[1], 16))
            for n in range(1, 5):
                # Off it by a step, without it, as gdb does.
                self.assertEqual(remote(f'z0,{inner:x},1'), 'OK')
                self.assertEqual(remote('vCont;s:1'), 'T05thread:01;')
                self.assertEqual(remote(f'Z0,{inner:x},1'), 'OK')
                self.assertEqual(remote('vCont;c'), 'T05thread:01;')
                self.assertEqual(remote.memory(counter, 8), before + 3 * n)
            self.assertEqual(remote(f'z0,{inner:x},1'), 'OK')
            self.assertEqual(remote(f'z0,{inner:x},1'), 'E22')
            self.assertEqual(remote('D'), 'OK')
            while vm.qmp('query-status')['status'] != 'running':
                pass
            remote.close()

    def test_watchpoints_are_exact(self):
        vm, remote = self.start()
        with vm:
            counter, place = self.symbols['counter'], self.symbols['bytes'] + 5
            self.assertEqual(remote(f'Z2,{place:x},1'), 'OK')
            for _ in range(3):
                # Not for its neighbours, and after the write.
                self.assertEqual(remote('c'), f'T05thread:01;watch:{place:x};')
                self.assertEqual(remote.memory(counter, 8) & 15, 5)
                self.assertEqual(remote.memory(place, 1), remote.memory(counter, 8) * 2 & 255)
            self.assertEqual(remote(f'z2,{place:x},1'), 'OK')
            self.assertEqual(remote(f'Z3,{counter + 3:x},2'), 'OK')
            self.assertEqual(remote('c'), f'T05thread:01;rwatch:{counter + 3:x};')
            self.assertEqual(remote(f'z3,{counter + 3:x},2'), 'OK')
            self.assertEqual(remote(f'Z4,{counter:x},8'), 'OK')
            self.assertEqual(remote('c'), f'T05thread:01;awatch:{counter:x};')
            remote.close()

    def test_one_vcpu_steps_while_the_other_stands(self):
        vm, remote = self.start('-smp', '2')
        with vm:
            place = self.symbols['ap_counter']
            self.assertEqual(remote(f'Z2,{place:x},8'), 'OK')
            self.assertEqual(remote('c'), f'T05thread:02;watch:{place:x};')
            self.assertEqual(remote(f'z2,{place:x},8'), 'OK')
            self.assertEqual(remote('qfThreadInfo'), 'm1,2')
            self.assertEqual(remote('qsThreadInfo'), 'l')
            before, other = remote.memory(place, 8), remote('Hg1') and remote('g')
            # mov, add, mov, jmp
            for _ in range(8):
                self.assertEqual(remote('vCont;s:2'), 'T05thread:02;')
            self.assertEqual(remote.memory(place, 8), before + 2)
            self.assertEqual(remote('Hg1') and remote('g'), other)
            self.assertEqual(remote('T3'), 'E22')
            self.assertEqual(remote('Hg3'), 'E22')
            # All but one go on.
            self.assertEqual(remote('vCont;s:1;c'), 'T05thread:01;')
            remote.close()

    def test_packets(self):
        vm, remote = self.start()
        with vm:
            self.assertEqual(remote('qSupported:xmlRegisters=i386;swbreak+;hwbreak+').split(';')[0],
                             'PacketSize=4000')
            for packet, reply in (
                    ('?', 'T05thread:01;'), ('qC', 'QC1'), ('qAttached', '1'), ('vCont?', 'vCont;c;C;s;S'),
                    ('vMustReplyEmpty', ''), ('', ''), ('!', ''), ('qNoSuch', ''), ('vCont;x', 'E22'),
                    ('vCont;s:9', 'E22'), ('m', 'E22'), ('m0', 'E22'), ('m0,', 'E22'), ('m0,10000', 'E22'),
                    ('m0,2', '0000'), ('M500,2:ab', 'E22'), ('M500,1:abcd', 'E22'), ('M500,2:abcd', 'OK'),
                    ('m500,2', 'abcd'), ('X500,0:', 'OK'), ('X500,2:\x01\x03', 'OK'), ('m500,2', '0103'),
                    ('X500,5:a', 'E22'), ('p10', 'f0ff000000000000'),
                    ('pffff', 'E14'), ('P10=1', 'E14'), ('P10=f0ff000000000000', 'OK'), ('G00', 'E14'),
                    ('Z9,0,1', ''), ('Z0', ''), ('Z0,x,1', 'E22'), ('T1', 'OK'), ('Hx1', 'E22'),
                    ('qqemu.sstepbits', 'ENABLE=1,NOIRQ=2,NOTIMER=4'), ('qqemu.sstep', '0x7'),
                    ('Qqemu.sstep=0x3', 'OK'), ('qqemu.sstep', '0x3'), ('Qqemu.sstep=99', 'E22'),
                    ('qqemu.PhyMemMode', '0'), ('Qqemu.PhyMemMode:1', 'OK'), ('qqemu.PhyMemMode', '1'),
                    ('mf0000,1', 'fa'), ('Qqemu.PhyMemMode:2', 'E22'),
                    ('qXfer:features:read:no.xml:0,10', 'E00'),
                    ('qXfer:features:read:target.xml:0,10', 'm<?xml version="1'),
                    ('qXfer:features:read:target.xml:fffff,10', 'l')):
                with self.subTest(packet=packet):
                    self.assertEqual(remote(packet), reply)
            # A checksum that is wrong is asked for again.
            remote.sock.sendall(b'$qC#00')
            self.assertEqual(remote.byte(), b'-')
            remote.sock.sendall(b'-')
            self.assertEqual(remote.packet(), 'l')
            self.assertEqual(remote('qRcmd,' + b'p/x 6*7'.hex()), 'O' + b'0x2a\r\n'.hex())
            self.assertEqual(remote.packet(), 'OK')
            self.assertEqual(remote('QStartNoAckMode'), 'OK')
            remote.sock.sendall(b'$qC#b4')
            self.assertEqual(remote.byte(), b'$')
            self.assertEqual([remote.byte() for _ in range(6)], [b'Q', b'C', b'1', b'#', b'c', b'5'])
            remote.close()
            # The next client is served from the start; a kill ends the process.
            remote = Remote(self.path)
            self.assertEqual(remote('qqemu.PhyMemMode'), '0')
            remote.send('k')
            self.assertEqual(vm.wait(), 0)
            remote.close()

    def test_monitor_starts_and_ends_it(self):
        path = self.path + '2'
        with self.guest(64) as vm:
            self.assertIn('Waiting for gdb', vm.qmp.hmp(f'gdbserver "unix:{path}"'))
            self.assertFalse(os.path.exists(self.path))
            vm.qmp('cont')
            remote = Remote(path)
            # A client stops the guest.
            vm.qmp.wait_event('STOP')
            self.assertEqual(remote('?'), 'T05thread:01;')
            self.assertEqual(vm.qmp.hmp('gdbserver none'), 'Disabled gdbserver\r\n')
            with self.assertRaises((EOFError, ConnectionResetError)):
                remote.byte()
            self.assertRegex(vm.qmp.hmp('gdbserver nosuch:x'), '^Error: ')
            remote.close()


if __name__ == '__main__':
    house.main()
