# SPDX-License-Identifier: GPL-2.0-or-later
"""Accesses across 4 GiB in 32-bit mode and across the ends of the canonical addresses in 64-bit mode.

tests/guest/wrap.c and canonical.c say what each line is. By the manual (SDM volume 1, chapter 3; volume 3, chapter 6)
and silicon: with a base the linear address wraps, beyond a flat segment's limit is #GP.
"""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
WRAP = '''\
beyond: eax=1b1a1918 edx=b4b3b2b1 10,11,12,13,14,15,16,17|18,19,1a,1b,b1,b2,1e,1f
sum: eax=1d1c1b1a edx=b4b3b2b1 10,11,12,13,14,15,16,17|18,19,b1,1b,1c,1d,1e,1f
2: eax=1817 edx=b4b3b2b1 10,11,12,13,14,15,16,b1|b2,19,1a,1b,1c,1d,1e,1f
4: eax=19181716 edx=b4b3b2b1 10,11,12,13,14,15,b1,b2|b3,b4,1a,1b,1c,1d,1e,1f
4, by 1: eax=18171615 edx=b4b3b2b1 10,11,12,13,14,b1,b2,b3|b4,19,1a,1b,1c,1d,1e,1f
8: eax=19181716 edx=b4b3b2b1 10,11,12,13,14,15,2c,2e|30,32,34,36,38,3a,1e,1f
10: eax=a4a3a2a1 edx=b4b3b2b1 10,12,13,14,15,16,17,18|19,1a,1b,1b,1c,1d,1e,1f
16: eax=13121110 edx=b4b3b2b1 20,22,24,26,28,2a,2c,2e|30,32,34,36,38,3a,3c,3e
add: eax=a4a3a2a1 edx=b4b3b2b1 10,11,12,13,14,15,c7,c9|cb,cd,1a,1b,1c,1d,1e,1f
locked: eax=a4a3a2a1 edx=19181716 10,11,12,13,14,15,c7,c9|cb,cd,1a,1b,1c,1d,1e,1f
locked, 8: eax=15141312 edx=19181716 10,11,d1,d2,d3,d4,c1,c2|c3,c4,1a,1b,1c,1d,1e,1f
bit: eax=a4a3a2a1 edx=b4b3b2b1 10,11,12,13,14,15,16,17|8,19,1a,1b,1c,1d,1e,1f
stos: eax=a4a3a2a1 edx=b4b3b2b1 10,a1,a2,a3,a4,a1,a2,a3|a4,a1,a2,a3,a4,1d,1e,1f
movs: eax=a4a3a2a1 edx=b4b3b2b1 61,62,63,64,65,66,67,68|69,6a,6b,6c,1c,1d,1e,1f
lods: eax=a4a31c1b edx=b4b3b2b1 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
stos, down: eax=a4a3a2a1 edx=b4b3b2b1 10,11,12,a1,a1,a1,a1,a1|a1,a1,1a,1b,1c,1d,1e,1f
beyond a flat segment: v=d e=0 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
beyond flat segments: v=d e=0 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
beside flat segments: eax=19181716 edx=b4b3b2b1 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
fxsave, on from 0: eax=a4a3a2a1 edx=b4b3b2b1 1a,1b,0,0,0,0,0,0|b1,b2,b3,b4,0,0,0,0
fxrstor, on from 0: eax=0 edx=b4b3b2b1 1a,1b,0,0,0,0,0,0|0,0,0,0,0,0,0,0
stack: eax=b4b3b2b1 edx=b4b3b2b1 10,11,12,13,14,15,64,63|62,61,1a,1b,1c,1d,1e,1f
no page 0, read: v=e e=0 cr2=0 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
read-only page 0: v=e e=3 cr2=0 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
read-only page 0, locked: v=e e=3 cr2=0 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
read-only page 0, stos: v=e e=3 cr2=0 10,11,12,13,a1,a1,a1,a1|18,19,1a,1b,1c,1d,1e,1f
read-only page 0, 16: v=e e=3 cr2=0 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
no last page, write: v=e e=2 cr2=fffffffe 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
no last page, read: v=e e=0 cr2=fffffffe 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
loop: eax=c9925b20 ecx=0
loop again: eax=c9925b20 ecx=0
changed behind: eax=49925b20 ecx=0
changed before: eax=49925be8 ecx=0
steps: eax=0 ecx=7
changes itself: eax=0 ecx=7
changes itself: eax=0 ecx=7
loop once more: eax=c9925b20 ecx=0
no page 0: v=e e=0 cr2=0 eip=ffd
no last page: v=e e=0 cr2=fffffffb eip=ffb
both again: eax=c9925b20 ecx=0
'''

CANONICAL = '''\
below the end:
  got 17161514, 10,11,12,13,a1,a2,a3,a4|18,19,1a,1b,1c,1d,1e,1f
above the end:
  got 1b1a1918, 10,11,12,13,14,15,16,17|a1,a2,a3,a4,1c,1d,1e,1f
read: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
write: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
2, write: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
8, write: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
10, write: v=d e=0 at=17 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
16, write: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
add: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
locked: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
512, write: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
beyond: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
before the upper half: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
into the upper half, read: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
into the upper half, write: v=d e=0 at=15 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
stack: v=c e=0 at=18 rcx=0
  got 0, 10,11,12,13,14,15,16,17|18,19,1a,1b,1c,1d,1e,1f
stos: v=d e=0 at=1e rcx=4
  got 0, 10,11,12,13,a1,a1,a1,a1|18,19,1a,1b,1c,1d,1e,1f
stos of 4: v=d e=0 at=1e rcx=7
  got 0, 10,a1,a2,a3,a4,15,16,17|18,19,1a,1b,1c,1d,1e,1f
stos, down: v=d e=0 at=1f rcx=4
  got 0, 10,11,12,13,14,15,16,17|a1,a1,a1,a1,1c,1d,1e,1f
code:
code across: v=d e=0 rip=7ffffffffffd rcx=1
code up to the end: v=d e=0 rip=800000000000 rcx=2
code again:
'''


class Wrap(unittest.TestCase):
    def check(self, name, bits, expected):
        with tempfile.TemporaryDirectory() as folder:
            _, image = bare.build(folder, name, bits)
            for accel in ('tcg', 'tcg,jit=off', 'tcg,one-insn-per-tb=on'):
                with self.subTest(accel=accel):
                    said = bare.said(OURS, folder, image, '-M', 'pc', '-cpu', 'max', '-accel', accel)
                    self.assertEqual(said.splitlines(), expected.splitlines())

    def test_wrap(self):
        self.check('wrap', 32, WRAP)

    def test_canonical(self):
        self.check('canonical', 64, CANONICAL)


if __name__ == '__main__':
    house.main()
