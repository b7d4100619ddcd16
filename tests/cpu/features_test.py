# SPDX-License-Identifier: GPL-2.0-or-later
"""What `-cpu max` offers is in use: tests/guest/features.c says what each line is. By the manual (SDM volumes 2 and 3)."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402
from vm import Vm  # noqa: E402

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
TEXT = '''\
WAITPKG: ok
UMWAIT, reserved: v=d e=0
MOVDIRI: ok
MOVDIR64B: ok
MOVDIR64B, not aligned: v=d e=0
ENQCMD, no PASID: v=d e=0
RDPID: ok
RDRAND, RDSEED: ok
SERIALIZE: ok
caches: ok
XSAVE: ok
XSAVEOPT: ok
XSAVEC: ok
XSAVES: ok
XRSTORS, not compacted: v=d e=0
key without access: v=e e=21
key without writes, read:
key without writes, write: v=e e=23
RDPKRU: ok
SMAP: v=e e=1
SMEP: v=e e=11
NX: v=e e=11
page of 1 GiB: ok
PCID, INVPCID: ok
INVPCID, reserved: v=d e=0
FSGSBASE: ok
syscall_returns:
umip: v=d e=0
tpause:
own_key:
bases:
int_8: v=d e=42
monitor: v=6 e=0
xsaves: v=d e=0
invpcid: v=d e=0
wbnoinvd: v=d e=0
interrupted REP: ok
'''
OFFERED = '''fpu sep cx8 cmov pat mtrr pge de pae nx pdpe1gb syscall lm rdtscp lahf-lm mmx sse sse2 pni ssse3 sse4.1
sse4.2 popcnt abm movbe cx16 aes pclmulqdq avx avx2 f16c fma bmi1 bmi2 adx vaes vpclmulqdq gfni sha-ni rdrand rdseed
xsave xsaveopt xsavec xgetbv1 xsaves clflush clflushopt clwb wbnoinvd movdiri movdir64b enqcmd invpcid pcid rdpid
waitpkg serialize erms fsrm fsgsbase smep smap umip pku la57 monitor x2apic tsc-deadline arat svm npt vgif'''.split()


class Features(unittest.TestCase):
    def test_offered(self):
        with Vm(OURS, '-nodefaults', '-machine', 'none', accel='tcg') as vm:
            props = vm.qmp('query-cpu-model-expansion', type='full', model={'name': 'max'})['model']['props']
        self.assertEqual([name for name in OFFERED if props.get(name) is not True], [])

    def test_used(self):
        for accel in ('tcg', 'tcg,jit=off'):
            with self.subTest(accel=accel), tempfile.TemporaryDirectory() as folder:
                _, image = bare.build(folder, 'features', 64)
                text = bare.said(OURS, folder, image, '-M', 'pc', '-cpu', 'max', '-accel', accel)
                self.assertEqual(text, TEXT)


if __name__ == '__main__':
    house.main()
