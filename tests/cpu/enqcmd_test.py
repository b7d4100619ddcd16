# SPDX-License-Identifier: GPL-2.0-or-later
"""Instructions that give a device work: MOVDIR64B, ENQCMD, ENQCMDS, and the process they speak for. What lines are
tests/guest/enqcmd.c says; by the manual (SDM volume 2) and the accelerator's specification."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
SOURCES = '''\
flat: 13 52 0 0 0
ES: 0 0 15 54 0
both: 0 0 17 56 0
DS: 19 58 0 0 0
'''
TEXT = '''\
device: ok
IA32_PASID: ok
reserved bit 20: v=d e=0
reserved bit 32: v=d e=0
kept: ok
PASID not valid: v=d e=0
not aligned: v=d e=0
not aligned, ENQCMDS: v=d e=0
a PASID in the source: v=d e=0
privilege in the source: v=d e=0
reserved in the source, ENQCMDS: v=d e=0
no destination: v=e e=2
no source: v=e e=0
source over a page's end: v=e e=0
not canonical: v=d e=0
read-only: v=e e=3
read-only, MOVDIR64B: v=e e=3
LOCK: v=6 e=0
a register: v=6 e=0
a register, MOVDIR64B: v=6 e=0
no prefix: v=6 e=0
nothing was sent: ok
accepted: flags=0
of the MSR's process: error=10 wq=0 opcode=3f pasid=12345 privileged=0
over pages: ok
from there: error=10 wq=0 opcode=3f pasid=12345 privileged=0
ENQCMDS: ok
of the source's process: error=10 wq=0 opcode=3f pasid=54321 privileged=0
ENQCMDS: ok
privileged: error=10 wq=0 opcode=3f pasid=7 privileged=1
32-bit addresses:
by those: error=10 wq=0 opcode=3f pasid=12345 privileged=0
MOVDIR64B: error=10 wq=1 opcode=3f pasid=0 privileged=0
MOVDIR64B to a shared queue: ok
RAM: flags=40
ROM: flags=40
nothing: flags=40
another device: flags=40
registers: flags=40
dummy portal: flags=40
dedicated queue: flags=40
disabled queue: flags=40
no queue: flags=40
portal of IMS: flags=40
registers are as they were: ok
nothing was sent: ok
MOVDIR64B to RAM: ok
MOVDIR64B to registers: ok
full:0 0 0 40 0 0 0 0 40 limited 40
aborted: ok
room again: flags=0
of the same: error=10 wq=0 opcode=3f pasid=12345 privileged=0
user:
flags=0
a user's: error=10 wq=0 opcode=3f pasid=77 privileged=0
supervisors: v=d e=0
not_user: v=e e=7
unbound: v=d e=0
nothing was sent: ok
CPUID: ok
IA32_XSS, reserved: v=d e=0
not in XSS: ok
XSAVEC: ok
XSAVES: ok
with a process: ok
without: ok
left alone: ok
XRSTORS, reserved: v=d e=0
not loaded: ok
'''


class Enqueue(unittest.TestCase):
    def check(self, name, bits, expected, *args):
        with tempfile.TemporaryDirectory() as folder:
            _, image = bare.build(folder, name, bits)
            for accel in ('tcg', 'tcg,jit=off'):
                with self.subTest(accel=accel):
                    said = bare.said(OURS, folder, image, '-cpu', 'max', '-accel', accel, *args)
                    self.assertEqual(said.splitlines(), expected.splitlines())

    def test_device(self):
        """By the guest's own clock: what an engine has to do takes as long on any host."""
        self.check('enqcmd', 64, TEXT, '-M', 'q35', '-device', 'intel-dsa,addr=5', '-icount', 'shift=4')

    def test_segments(self):
        self.check('movdir64b', 32, SOURCES, '-M', 'pc')


if __name__ == '__main__':
    house.main()
