# SPDX-License-Identifier: GPL-2.0-or-later
"""Address line 20 of the PC: the 8042's gate or port 92's frees it, and all CPUs follow."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import TIMEOUT, Vm  # noqa: E402

ROM_BYTES = 0x10000
KBC, PORT92, CONSOLE, EXIT = 0x64, 0x92, 0x402, 0x501
KBC_MASK, KBC_FREE, KBC_RESET = 0xdd, 0xdf, 0xfe
MASK_8042, FREE_8042 = (KBC, KBC_MASK), (KBC, KBC_FREE)
CLEAR_92, SET_92 = (PORT92, 0), (PORT92, 2)


def out(port, value):
    # mov dx, port; mov al, value; out dx, al
    return b'\xba' + port.to_bytes(2, 'little') + b'\xb0' + bytes([value]) + b'\xee'


# mov byte es:[0x510], 'M'; mov al, [0x500]; mov byte [0x500], 'F'; cmp al, es:[0x510]; mov dx,
# CONSOLE; out dx, al. What is last in the TLB comes first the next time.
SET_F = b'\xc6\x06\x00\x05F'
PROBE = (b'\x26\xc6\x06\x10\x05M\xa0\x00\x05' + SET_F + b'\x26\x3a\x06\x10\x05' +
         b'\xba\x02\x04\xee')
# From RAM, where many instructions are translated at once. xor ax, ax; mov es, ax; mov si, 22;
# mov di, 0x7c00; mov cx, 0x400; cld; rep movs byte [di], cs:[si]; jmp 0:0x7c00
COPY = (b'\x31\xc0\x8e\xc0\xbe\x16\x00\xbf\x00\x7c\xb9\x00\x04\xfc\x2e\xf3\xa4' +
        b'\xea\x00\x7c\x00\x00')
# jmp to itself; then DS is 0, ES:0010 is 1 MiB: xor ax, ax; mov ds, ax; dec ax; mov es, ax
SPIN = b'\xeb\xfe'
SEGMENTS = b'\x31\xc0\x8e\xd8\x48\x8e\xc0'


def firmware():
    """Says M where 0x500 and 0x100500 are the same byte, else F, 256 times so that the
    code gets hot; then resets and says it again."""
    steps = [CLEAR_92, MASK_8042, SET_92, CLEAR_92, FREE_8042, MASK_8042]
    # inc byte [0x600]: not zero the second time as RAM is kept; cmp byte [0x600], 2; jne +8
    again = b'\xfe\x06\x00\x06\x80\x3e\x00\x06\x02\x75\x08' + out(EXIT, 0) + SPIN
    body = b''.join(out(*step) + PROBE for step in steps) + out(*FREE_8042)
    # inc byte [0x601]; jnz back to the first step
    body += b'\xfe\x06\x01\x06\x0f\x85' + (0x10000 - len(body) - 8).to_bytes(2, 'little')
    code = COPY + SEGMENTS + SET_F + PROBE + again + body
    code += out(*MASK_8042) + out(KBC, KBC_RESET) + SPIN
    return code.ljust(ROM_BYTES - 16, b'\xf4') + b'\xea\x00\x00\x00\xf0'.ljust(16, b'\xf4')


class Guest(unittest.TestCase):
    def test_wrap(self):
        with tempfile.NamedTemporaryFile(prefix='rom-') as rom:
            rom.write(firmware())
            rom.flush()
            for machine in ('pc', 'q35'):
                for threads in ('single', 'multi'):
                    with self.subTest(machine=machine, threads=threads):
                        self.run_rom(rom.name, machine, threads)

    def run_rom(self, rom, machine, threads):
        done = subprocess.run(
            [house.binary(), '-M', machine, '-m', '16', '-smp', '2', '-nodefaults', '-display',
             'none', '-accel', f'tcg,thread={threads}', '-bios', rom, '-debugcon', 'stdio',
             '-global', f'isa-debugcon.iobase={CONSOLE:#x}', '-device', 'isa-debug-exit'],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT)
        self.assertEqual(done.stdout, b'F' + b'FMFMFM' * 256 + b'F', done.stderr)
        self.assertEqual(done.returncode, 1)


def start(*args, machine='q35'):
    return Vm(house.binary(), '-M', machine, '-m', '32', '-nodefaults', '-cpu', 'qemu64', '-smp',
              '2,maxcpus=3', *args, qtest=True)


class Lines(unittest.TestCase):
    def drive(self, vm, *steps):
        for port, value in steps:
            vm.qtest(f'outb {port:#x} {value:#x}')

    def check(self, vm, *levels):
        found = re.findall(r'\bA20=(\d)', vm.qmp.hmp('info registers -a'))
        self.assertEqual([int(level) for level in found], list(levels))

    def test_plug(self):
        with start() as vm:
            self.check(vm, 1, 1)
            self.drive(vm, MASK_8042)
            self.check(vm, 0, 0)
            slot = next(s for s in vm.qmp('query-hotpluggable-cpus') if 'qom-path' not in s)
            vm.qmp.run('device_add', {'driver': slot['type'], **slot['props']})
            self.check(vm, 0, 0, 0)
            self.drive(vm, SET_92)
            self.check(vm, 1, 1, 1)
            self.drive(vm, CLEAR_92)
            self.check(vm, 0, 0, 0)
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            self.check(vm, 1, 1, 1)

    def test_no_8042(self):
        with start(machine='q35,i8042=off') as vm:
            self.drive(vm, SET_92, CLEAR_92)
            self.check(vm, 1, 1)

    def test_migration(self):
        """Both gates come along: each decides once the other is down."""
        for gates, level in (((MASK_8042,), 0), ((MASK_8042, SET_92), 1)):
            with self.subTest(level=level), start() as source:
                path = os.path.join(source.folder.name, 'stream')
                self.drive(source, *gates)
                source.qmp('stop')
                source.qmp('migrate', uri=f'file:{path}')
                while source.qmp('query-migrate')['status'] not in ('completed', 'failed'):
                    pass
                with start('-S', '-incoming', f'file:{path}') as target:
                    while target.qmp('query-status')['status'] == 'inmigrate':
                        pass
                    self.check(target, level, level)
                    self.drive(target, FREE_8042)
                    self.check(target, 1, 1)
                    self.drive(target, MASK_8042)
                    self.check(target, level, level)


if __name__ == '__main__':
    unittest.main()
