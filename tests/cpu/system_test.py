# SPDX-License-Identifier: GPL-2.0-or-later
"""The CPU's system side, exact to the error code: tests/guest/system.c and tasks.c say what each line is.

By the manual (SDM volume 3, chapters 4 to 7 and 31; volume 2, STI). "far" is outside of the case.
"""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
SYSTEM = '''\
beyond the GDT: v=d e=1230 at=5
no LDT: v=d e=14 at=5
absent data: v=b e=20 at=5
absent stack: v=c e=20 at=5
code as stack: v=d e=18 at=5
stack of another level: v=d e=30 at=5
task of a data segment: v=d e=10 at=5
absent task: v=b e=50 at=5
no task: v=d e=0 at=5
task:
busy task: v=d e=40 at=5
LDT of code: v=d e=18 at=5
jump to null: v=d e=0 at=0
jump to data: v=d e=10 at=0
jump to absent code: v=b e=28 at=0
jump to another level: v=d e=38 at=0
jump to a task: v=d e=40 at=0
jump beyond the GDT: v=d e=1238 at=0
return to data: v=d e=10 at=7
return to null: v=d e=0 at=7
return to absent code: v=b e=28 at=7
interrupt return, bad stack: v=d e=10 at=10
interrupt return, not canonical: v=d e=0 at=16
absent gate: v=b e=182 at=0
no gate: v=d e=18a at=0
gate to null: v=d e=0 at=0
gate to absent code: v=b e=28 at=0
gate to data: v=d e=10 at=0
beyond the IDT: v=d e=402 at=0
fault of a fault: v=8 e=0 at=5
fault of another kind: v=b e=29 at=0
read of nothing: v=e e=0 at=0 cr2=600000
write of nothing: v=e e=2 at=0 cr2=600123
read-only: v=e e=3 at=0 cr2=400ffe
into nothing: v=e e=0 at=0 cr2=600000
no code: v=e e=11 at=far cr2=800000
not canonical: v=d e=0 at=9
not canonical, stack: v=c e=0 at=9
no MSR: v=d e=0 at=5
write of no MSR: v=d e=0 at=5
CR4, reserved: v=d e=0 at=8
CR4, no PAE: v=d e=0 at=8
CR0, no PE: v=d e=0 at=8
CR8: v=d e=0 at=5
CR5: v=6 e=0 at=0
XSETBV, off: v=6 e=0 at=0
RSM: v=6 e=0 at=0
lock: v=6 e=0 at=0
SYSCALL, off: v=6 e=0 at=0
SYSRET, not canonical: v=d e=0 at=9
SWAPGS: 7 5
CLAC and STAC, off:
SMAP: v=e e=1 at=0 cr2=400000
STAC, CLAC: v=e e=1 at=e cr2=400000
POPF with AC: v=e e=1 at=14 cr2=400000
STAC, then a fault: v=e e=0 at=3 cr2=600000
AC is kept:
SMEP: v=e e=11 at=far cr2=400000
STI: v=3c at=13 rcx=1
STI, STI: v=3c at=12 rcx=0
STI, CLI: v=3c at=16 rcx=1
STI, HLT: v=3c at=12 rcx=0
STI, jump: v=3c at=13 rcx=0
STI, at a page's end: v=3c at=3 rcx=1
POPF: v=3c at=1a rcx=0
STI, fault: v=6 e=0 at=1
STI, many times: bb8 0
PAM:
not RAM, RAM
FPREM: 7001 3200
down, apart: 0 1f40 1f40 0
down, above: 0 1f40 1f40 0
down, below: 0 1f40 1f40 0
down, bytes below: 0 3e8 3e8 0
down, from nothing: v=e e=0 at=10 cr2=600123
down, to nothing: v=e e=2 at=10 cr2=600123
up: 0 0
up, to where nothing is written: v=e e=3 at=a cr2=400000
left: 5
up, from nothing: v=e e=0 at=f cr2=600000
left: 2
moved code: 0
CLFLUSH:
CLFLUSH of nothing: v=e e=0 at=3 cr2=600040
CLFLUSH, not canonical: v=d e=0 at=9
'''

TASKS = '''\
jump: tr=20 nt=0 link=0 busy=2 then tr=18 nt=0 busy=1 ts=1
call: tr=20 nt=1 link=18 busy=3 then tr=18 nt=0 busy=1 ts=1
jump by a gate: tr=20 nt=0 link=0 busy=2 then tr=18 nt=0 busy=1 ts=1
call by a gate: tr=20 nt=1 link=18 busy=3 then tr=18 nt=0 busy=1 ts=1
interrupt by a gate: tr=20 nt=1 link=18 busy=3 then tr=18 nt=0 busy=1 ts=1
fault by a gate: e=1230 tr=30 link=18 busy=5 then tr=18
busy: e=18 tr=30 link=18 busy=5 then tr=18 busy=1
absent: e=40 tr=30 link=18 busy=5 then tr=18 busy=1
too short: e=38 tr=30 link=18 busy=5 then tr=18 busy=1
absent code: e=48 tr=30 link=20 busy=6 then tr=18 busy=3
data as code: e=10 tr=30 link=20 busy=6 then tr=18 busy=3
code as stack: e=8 tr=30 link=20 busy=6 then tr=18 busy=3
no data: e=1230 tr=30 link=20 busy=6 then tr=18 busy=3
LDT of data: e=10 tr=30 link=20 busy=6 then tr=18 busy=3
LDT of data, call: e=10 tr=30 link=20 busy=7 then tr=18 busy=3
return, link of data: v=a e=10 tr=18
SMI: count=1 eax=12345678 ebx=2 saved cr0=8001003b tr=18
'''


class System(unittest.TestCase):
    def output(self, folder, image, accel):
        return bare.said(OURS, folder, image, '-M', 'pc', '-cpu', 'max', '-accel', accel)

    def check(self, name, bits, expected):
        with tempfile.TemporaryDirectory() as folder:
            _, image = bare.build(folder, name, bits)
            for accel in ('tcg', 'tcg,jit=off', 'tcg,one-insn-per-tb=on'):
                with self.subTest(accel=accel):
                    self.assertEqual(self.output(folder, image, accel).splitlines(),
                                     expected.splitlines())

    def test_system(self):
        self.check('system', 64, SYSTEM)

    def test_tasks(self):
        self.check('tasks', 32, TASKS)


if __name__ == '__main__':
    house.main()
