# SPDX-License-Identifier: GPL-2.0-or-later
"""-icount: what tests/guest/icount.c sees is the same in every run, however it is run, and its time
is that of its instructions.
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

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
LINES = 60


class Icount(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        _, cls.image = bare.build(cls.folder.name, 'icount', 64)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_guest(self, icount, *more, accel='tcg'):
        lines = bare.said(OURS, self.folder.name, self.image, '-M', 'pc', '-cpu', 'max', '-accel', accel,
                          '-icount', icount, *more).splitlines()
        self.assertEqual(len(lines), LINES + 1, lines[-1])
        return lines

    def test_same_run(self):
        for icount in ('shift=3,sleep=off', '0,sleep=off', 'shift=5'):
            with self.subTest(icount=icount):
                first = self.run_guest(icount)
                self.assertEqual(self.run_guest(icount), first)
                self.assertEqual(self.run_guest(icount, accel='tcg,jit=off'), first)
                self.assertEqual(self.run_guest(icount, '-smp', '2'), first)

    def test_time(self):
        """One instruction at a time, 2^shift ns for each: all times are whole ones, in order."""
        times = [int(re.search('tsc=([0-9a-f]+)', line)[1], 16)
                 for line in self.run_guest('shift=4,sleep=off', accel='tcg,one-insn-per-tb=on')]
        self.assertEqual(times, sorted(times))
        waits = [after - before for before, after in zip(times, times[1:])]
        for n, wait in enumerate(waits[:-1], 1):
            # The handler arms the timer and needs some hundreds of instructions before it looks.
            self.assertGreaterEqual(wait, 500000 - 7000 * n)
            self.assertLess(wait, 500000 - 7000 * n + 16 * 4000)

    def test_paced(self):
        for icount in ('shift=auto', 'shift=2,align=on'):
            with self.subTest(icount=icount):
                self.run_guest(icount)

    def test_refused(self):
        for icount, text in (('shift=11', 'Invalid shift value'), ('shift=x', 'Invalid shift value'),
                             ('shift=auto,align=on', 'incompatible'),
                             ('shift=auto,sleep=off', 'incompatible'),
                             ('shift=2,align=on,sleep=off', 'incompatible')):
            with self.subTest(icount=icount):
                done = subprocess.run([OURS, '-M', 'none', '-accel', 'tcg', '-icount', icount],
                                      capture_output=True, text=True, timeout=TIMEOUT)
                self.assertEqual(done.returncode, 1)
                self.assertIn(text, done.stderr)


if __name__ == '__main__':
    house.main()
