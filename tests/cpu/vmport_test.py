# SPDX-License-Identifier: GPL-2.0-or-later
"""VMware's port as a guest calls it, in registers: tests/guest/vmport.c says what each line is."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402
from vm import TIMEOUT  # noqa: E402

UUID = '01020304-0506-0708-090a-0b0c0d0e0f10'
EXPECTED = '''\
version: rax=6 rbx=564d5868 rcx=2 rdx=. rsi=. rdi=.
version by out: rax=6 rbx=564d5868 rcx=2 rdx=. rsi=. rdi=.
memory: rax=1000000 rbx=1177 rcx=. rdx=. rsi=. rdi=.
uuid: rax=4030201 rbx=8070605 rcx=c0b0a09 rdx=100f0e0d rsi=. rdi=.
time goes
unknown: rax=ffffffff rbx=. rcx=. rdx=. rsi=. rdi=.
no call: rax=ffffffff rbx=. rcx=. rdx=. rsi=. rdi=.
pointer, on: rax=564d5868 rbx=. rcx=. rdx=. rsi=. rdi=.
pointer, words: rax=1 rbx=. rcx=. rdx=. rsi=. rdi=.
pointer, its name: rax=3442554a rbx=. rcx=. rdx=. rsi=. rdi=.
'''
NO_PORT = 'version: rax=ffffffff rbx=. rcx=. rdx=. rsi=. rdi=.'


class Vmport(unittest.TestCase):
    def output(self, machine, accel='tcg'):
        with tempfile.TemporaryDirectory() as folder:
            _, image = bare.build(folder, 'vmport', 64)
            path = os.path.join(folder, 'out')
            done = subprocess.run(
                [house.binary(), '-M', machine, '-m', '16', '-accel', accel, '-uuid', UUID,
                 '-nodefaults', '-vga', 'none', '-display', 'none', '-no-reboot', '-bios', image,
                 '-chardev', f'file,id=c,path={path}', '-device',
                 'isa-debugcon,iobase=0x402,chardev=c', '-device', 'isa-debug-exit'],
                stdin=subprocess.DEVNULL, timeout=TIMEOUT)
            with open(path, encoding='ascii') as file:
                text = file.read()
        self.assertEqual(done.returncode, 1, text)
        return text.splitlines()

    def test_calls(self):
        for machine, accel in ('pc', 'tcg'), ('q35', 'tcg'), ('pc', 'tcg,jit=off'):
            with self.subTest(machine=machine, accel=accel):
                self.assertEqual(self.output(machine, accel), EXPECTED.splitlines())

    def test_off(self):
        self.assertEqual(self.output('pc,vmport=off')[0], NO_PORT)


if __name__ == '__main__':
    house.main()
