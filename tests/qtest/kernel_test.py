# SPDX-License-Identifier: GPL-2.0-or-later
"""What firmware is told of kernels: the same, byte for byte, as the installed peer tells it."""
import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import images  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from vm import Vm  # noqa: E402

PEER = shutil.which('qemu-system-x86_64')
NUMBERS = (7, 8, 0xa, 0xb, 0x10, 0x13, 0x14, 0x16, 0x17)
BLOBS = {0x11: 8, 0x12: 0xb, 0x15: 0x14, 0x18: 0x17}  # data key: size key
CODE = b'CODE' * 25

IMAGES = {
    'bzImage': images.bzimage(CODE),
    'bzImage 2.03': images.bzimage(CODE, protocol=0x203),
    'bzImage 2.01': images.bzimage(CODE, protocol=0x201),
    'zImage 2.00': images.bzimage(CODE, protocol=0x200, loadflags=0),
    'low initrd': images.bzimage(CODE, initrd_max=0x37ffffff),
    'anywhere': images.bzimage(CODE, xloadflags=2),
    'PVH': images.pvh(CODE * 100),
    'PVH of 64 bits': images.pvh(CODE * 100, bits=64),
}


@unittest.skipUnless(PEER, 'no peer installed')
class LikeThePeer(unittest.TestCase):
    def tell(self, binary, accel, board, *args):
        with Vm(binary, '-M', board, '-nodefaults', '-S', '-m', '1G', *args, qtest=True,
                accel=accel) as vm:
            fw_cfg = FwCfg(vm)
            told = {key: fw_cfg.number(key, 4) for key in NUMBERS}
            told['order'] = fw_cfg.file('bootorder')
            for key, size in BLOBS.items():
                if told[0x10]:  # PVH: the code is in memory; of the file the peer shows too much
                    size = 64 if key == 0x18 else 0 if key == 0x11 else told[size]
                else:
                    size = told[size]
                fw_cfg.select(key)
                told[f'data {key:#x}'] = fw_cfg.dma_read(size)
            return told

    def test_all(self):
        with tempfile.TemporaryDirectory() as folder:
            kernel, initrd = os.path.join(folder, 'kernel'), os.path.join(folder, 'initrd')
            with open(initrd, 'wb') as out:
                out.write(b'INITRD' * 100)
            args = ['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyS0 vga=0x305']
            for name, image in IMAGES.items():
                with open(kernel, 'wb') as out:
                    out.write(image)
                for board in ('pc', 'q35', 'microvm') if name in ('bzImage', 'PVH') else ('pc',):
                    # Without being told of firmware, our microvm starts kernels itself.
                    bios = ['-bios', 'bios-microvm.bin'] if board == 'microvm' else []
                    with self.subTest(image=name, board=board):
                        self.assertEqual(self.tell(house.binary(), 'qtest', board, *bios, *args),
                                         self.tell(PEER, 'tcg', board, *bios, *args))


if __name__ == '__main__':
    house.main()
