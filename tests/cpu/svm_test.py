# SPDX-License-Identifier: GPL-2.0-or-later
"""SVM to the bit: a bare-metal host runs guests from a VMCB; tests/guest/svm.c says what each is.

By AMD's APM, volume 2, chapter 15 and appendix C.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402
from vm import TIMEOUT  # noqa: E402

EXPECTED = '''\
vmmcall: exit=81 info=0,0 at=5 next=8
rax=1234
hlt: exit=78 info=0,0 at=1 next=2
cpuid, let: exit=81 info=0,0 at=4 next=7
cpuid: exit=72 info=0,0 at=2 next=4
rdmsr: exit=7c info=0,0 at=5 next=7
wrmsr: exit=7c info=1,0 at=c next=e
unknown msr: exit=7c info=0,0 at=5 next=7
in: exit=7b info=800211,f00f8 at=5 next=6
out: exit=7b info=700240,f00fa at=6 next=8
rep outs: exit=7b info=3f80e1c,f010e at=f next=11
read CR0: exit=0 info=8000000000000001,0 at=0 next=3
write CR4: exit=14 info=8000000000000001,0 at=3 next=6
read CR8: exit=8 info=8000000000000006,0 at=6 next=a
write of CR0 that matters: exit=65 info=0,0 at=11 next=14
read DR7: exit=27 info=8000000000000003,0 at=0 next=3
write DR2: exit=32 info=8000000000000003,0 at=3 next=6
pushf: exit=70 info=0,0 at=0 next=1
popf: exit=71 info=0,0 at=1 next=2
rdtsc: exit=6e info=0,0 at=2 next=4
sidt: exit=66 info=0,0 at=4 next=c
invlpg: exit=79 info=1234,0 at=5 next=c
tsc offset: exit=81 info=0,0 at=9 next=c
tsc=1
ud: exit=46 info=0,0 at=1
pf: exit=4e info=2,700000 at=5 bytes=f:89
cr2=77
gp: exit=4d info=30,0 at=5
double fault: exit=48 info=0,0 at=5
int n: exit=75 info=20,0 at=0 next=2
int3: exit=43 info=0,0 at=2 next=3
shutdown: exit=7f info=0,0 at=8
no asid: exit=ffffffffffffffff info=0,0 at=0
no vmrun intercept: exit=ffffffffffffffff info=0,0 at=0
no svme: exit=ffffffffffffffff info=0,0 at=0
cr0: exit=ffffffffffffffff info=0,0 at=0
inject interrupt: exit=81 info=0,0 at=5 next=8 taken=1 vector=30
inject exception: exit=81 info=0,0 at=5 next=8 taken=1 vector=55
inject, no handler: exit=4d info=33,0 at=0 intinfo=80000306
virtual interrupt: exit=81 info=0,0 at=4 next=7 taken=1 vector=30
int_ctl=1020000
vintr: exit=64 info=0,0 at=2
masked by priority: exit=81 info=0,0 at=4 next=7
priority ignored: exit=81 info=0,0 at=4 next=7 taken=1 vector=30
in a shadow: exit=64 info=0,0 at=1
hlt in a shadow: exit=78 info=0,0 at=1 next=2
int_state=1
virtual TPR: exit=81 info=0,0 at=d next=10
int_ctl=1000005
virtual GIF: exit=64 info=0,0 at=9
intr: exit=60 info=0,0 at=0 taken=1 vector=30
host took=1
nested: exit=81 info=0,0 at=5 next=8
accessed=1 tables=3
npf, write: exit=400 info=100000007,150000 at=5 bytes=f:89
and again: exit=81 info=0,0 at=7 next=a
npf, fetch: exit=400 info=100000015,151000
npf, tables: exit=400 info=200000007,10000 at=0
'''


class Svm(unittest.TestCase):
    def output(self, folder, image, accel):
        text = bare.said(house.binary(), folder, image, '-M', 'pc', '-cpu', 'max', '-accel', accel)
        # Where another function is depends on the compiler.
        return re.sub('(npf, fetch.*) at=.*', r'\1', text)

    def test_all(self):
        with tempfile.TemporaryDirectory() as folder:
            _, image = bare.build(folder, 'svm', 64)
            for accel in ('tcg', 'tcg,jit=off'):
                with self.subTest(accel=accel):
                    self.assertEqual(self.output(folder, image, accel).splitlines(),
                                     EXPECTED.splitlines())

    def test_only_where_the_model_has_it(self):
        """EFER.SVME is not there: #GP, without a handler, ends in a reset."""
        with tempfile.TemporaryDirectory() as folder:
            _, image = bare.build(folder, 'svm', 64)
            done = subprocess.run(
                [house.binary(), '-M', 'pc', '-m', '16', '-cpu', 'max,svm=off', '-nodefaults', '-vga',
                 'none', '-display', 'none', '-no-reboot', '-bios', image, '-device',
                 'isa-debug-exit'], stdin=subprocess.DEVNULL, timeout=TIMEOUT)
            self.assertEqual(done.returncode, 0)


if __name__ == '__main__':
    house.main()
