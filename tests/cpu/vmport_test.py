# SPDX-License-Identifier: GPL-2.0-or-later
"""VMware's port as a guest calls it, in registers: tests/guest/vmport.c says what each line is."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402

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
            text = bare.said(house.binary(), folder, image, '-M', machine, '-accel', accel, '-uuid', UUID)
        return text.splitlines()

    def test_calls(self):
        for machine, accel in ('pc', 'tcg'), ('q35', 'tcg'), ('pc', 'tcg,jit=off'):
            with self.subTest(machine=machine, accel=accel):
                self.assertEqual(self.output(machine, accel), EXPECTED.splitlines())

    def test_off(self):
        self.assertEqual(self.output('pc,vmport=off')[0], NO_PORT)


if __name__ == '__main__':
    house.main()
