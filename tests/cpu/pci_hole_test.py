# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration space of functions that are not there, as processors read it: tests/guest/pci_hole.c."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402

EXPECTED = '''\
renumbered, wrong 0
strangers 0
functions 3
written, ffffffff
'''


class PciHole(unittest.TestCase):
    def test_guest(self):
        with tempfile.TemporaryDirectory() as folder:
            _, image = bare.build(folder, 'pci_hole', 64)
            for hole, accel in (('alias', 'tcg'), ('off', 'tcg'), ('alias', 'tcg,jit=off'),
                                ('auto', 'tcg,thread=single')):
                with self.subTest(hole=hole, accel=accel):
                    text = bare.said(house.binary(), folder, image, '-M', f'microvm,pcie=on,x-pci-hole={hole}',
                                     '-smp', '2', '-accel', accel, '-device', 'pcie-root-port,id=p,chassis=1,addr=1',
                                     '-device', 'virtio-rng-pci,bus=p')
                    self.assertEqual(text, EXPECTED)


if __name__ == '__main__':
    house.main()
