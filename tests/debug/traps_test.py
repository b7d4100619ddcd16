# SPDX-License-Identifier: GPL-2.0-or-later
"""Debug exceptions and #XM, exact to the instruction: tests/guest/traps.c says what each line is.

By the manual (SDM volume 3, chapter 17; volume 1, 11.5). "dr6" here are its bits 15..12 and 3..0;
"far" is outside of the case.
"""
import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
EXPECTED = '''\
step: v=1 at=b dr6=40 rcx=0 v=1 at=d dr6=40 rcx=1 v=1 at=10 dr6=40 rcx=1 v=1 at=11 dr6=40 rcx=1 v=1
      at=19 dr6=40 rcx=1 v=1 at=1a dr6=40 rcx=1
step over SS: v=1 at=c dr6=40 rcx=0 v=1 at=f dr6=40 rcx=0 v=1 at=10 dr6=40 rcx=0 v=1 at=18 dr6=40 rcx=0
      v=1 at=19 dr6=40 rcx=0
step through rep: v=1 at=14 dr6=40 rcx=2 v=1 at=14 dr6=40 rcx=1 v=1 at=16 dr6=40 rcx=0 v=1 at=17 dr6=40
      rcx=0 v=1 at=1f dr6=40 rcx=0 v=1 at=20 dr6=40 rcx=0
icebp: v=1 at=2 dr6=00 rcx=0
step over icebp: v=1 at=b dr6=00 rcx=0 v=1 at=c dr6=40 rcx=0 v=1 at=d dr6=40 rcx=0 v=1 at=15 dr6=40
      rcx=0 v=1 at=16 dr6=40 rcx=0
step into int3: v=3 at=c mxcsr=1f80 rf=0 rcx=0
code twice: v=1 at=far dr6=01 rcx=0 v=1 at=far dr6=01 rcx=1
code by two: v=1 at=far dr6=03 rcx=0
code and step: v=1 at=far dr6=40 rcx=0 v=1 at=far dr6=01 rcx=0 v=1 at=far dr6=40 rcx=1 v=1 at=f dr6=40
      rcx=1 v=1 at=10 dr6=40 rcx=1 v=1 at=18 dr6=40 rcx=1 v=1 at=19 dr6=40 rcx=1
none:
byte: v=1 at=18 dr6=02 rcx=0 v=1 at=25 dr6=02 rcx=0
read: v=1 at=7 dr6=02 rcx=0 v=1 at=18 dr6=02 rcx=0
eight: v=1 at=10 dr6=04 rcx=0
four: v=1 at=8 dr6=04 rcx=0 v=1 at=11 dr6=04 rcx=0
rep movs: v=1 at=f dr6=08 rcx=3 v=1 at=f dr6=08 rcx=2
rep lods: v=1 at=a dr6=08 rcx=4
locked: v=1 at=e dr6=01 rcx=0 v=1 at=20 dr6=01 rcx=0
two at once: v=1 at=8 dr6=03 rcx=0
with a step: v=1 at=12 dr6=41 rcx=0 v=1 at=13 dr6=40 rcx=0 v=1 at=14 dr6=40 rcx=0 v=1 at=1c dr6=40 rcx=0
      v=1 at=1d dr6=40 rcx=0
vector: v=1 at=8 dr6=01 rcx=0 v=1 at=11 dr6=01 rcx=0
under SS: v=1 at=9 dr6=01 rcx=0 v=1 at=12 dr6=01 rcx=0
stack: v=1 at=9 dr6=01 rcx=0
port: v=1 at=2 dr6=01 rcx=0 v=1 at=9 dr6=01 rcx=0
general detect: v=1 at=0 dr6=20 rcx=0
divide, masked:
 -> mxcsr=1f84 xmm0=7f800000
divide by zero: v=13 at=18 mxcsr=1d84 rf=1 rcx=0
 -> mxcsr=1d84 xmm0=3f800000
inexact: v=13 at=18 mxcsr=fa0 rf=1 rcx=0
 -> mxcsr=fa0 xmm0=3f800000
exact:
 -> mxcsr=f80 xmm0=40800000
other one masked:
 -> mxcsr=1da0 xmm0=3eaaaaab
sticky stays: v=13 at=18 mxcsr=fa1 rf=1 rcx=0
 -> mxcsr=fa1 xmm0=3f800000
invalid: v=13 at=18 mxcsr=1f01 rf=1 rcx=0
 -> mxcsr=1f01 xmm0=3f800000
early hides late: v=13 at=18 mxcsr=5 rf=1 rcx=0
 -> mxcsr=5 xmm0=3f800000
overflow: v=13 at=8 mxcsr=1ba8 rf=1 rcx=0
 -> mxcsr=1ba8 xmm0=7f61b1e6
signalling compare: v=13 at=d mxcsr=1f01 rf=1 rcx=7
 -> mxcsr=1f01 xmm0=7f800001
quiet compare: v=13 at=c mxcsr=1f01 rf=1 rcx=0
 -> mxcsr=1f01 xmm0=7fc00000
denormal: v=13 at=8 mxcsr=1e82 rf=1 rcx=0
 -> mxcsr=1e82 xmm0=1
to integer:
to integer, inexact: v=13 at=14 mxcsr=fa0 rf=1 rcx=1234
 -> mxcsr=fa0 xmm0=3fc00000
without OSXMMEXCPT: v=6 at=18 mxcsr=1d84 rf=1 rcx=0
 -> mxcsr=1d84 xmm0=3f800000
'''


class Traps(unittest.TestCase):
    def output(self, folder, image, accel):
        text = bare.said(OURS, folder, image, '-M', 'pc', '-cpu', 'max', '-accel', accel)
        text = re.sub('at=ffff[0-9a-f]+', 'at=far', text)
        text = re.sub(' dr7=[0-9a-f]+', '', text)
        return re.sub('dr6=ffff(.)ff(.)', r'dr6=\1\2', text)

    def test_all(self):
        expected = EXPECTED.replace('\n      ', ' ').splitlines()
        with tempfile.TemporaryDirectory() as folder:
            _, image = bare.build(folder, 'traps', 64)
            for accel in ('tcg', 'tcg,jit=off'):
                with self.subTest(accel=accel):
                    self.assertEqual(self.output(folder, image, accel).splitlines(), expected)


if __name__ == '__main__':
    house.main()
