# SPDX-License-Identifier: GPL-2.0-or-later
"""Code that another processor runs is changed: tests/guest/cross_code.c says what each line is."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
LINES = ['endless loop', 'stores, serialized', 'stores, not serialized', 'another mapping', "over a page's end",
         'under a breakpoint', 'all at once']


class CrossCode(unittest.TestCase):
    def test_all(self):
        for cpus, accel in ((2, 'tcg'), (3, 'tcg'), (2, 'tcg,jit=off'), (2, 'tcg,thread=single')):
            with self.subTest(cpus=cpus, accel=accel), tempfile.TemporaryDirectory() as folder:
                _, image = bare.build(folder, 'cross_code', 64, f'-DCPUS={cpus}', '-mcx16')
                text = bare.said(OURS, folder, image, '-M', 'pc', '-smp', str(cpus), '-cpu', 'max', '-accel', accel)
                self.assertEqual(text.splitlines(), [line + ': ok' for line in LINES])


if __name__ == '__main__':
    house.main()
