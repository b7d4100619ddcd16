# SPDX-License-Identifier: GPL-2.0-or-later
"""What firmware of a PC boots from: CMOS, and the list of devices by bootindex."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from vm import Vm, refusal  # noqa: E402


def cmos(vm, at):
    vm.qtest(f'outb 0x70 {at:#x}')
    return int(vm.qtest('inb 0x71'), 16)


def boot_word(vm):
    return cmos(vm, 0x38) | cmos(vm, 0x3d) << 8


def machine(*args):
    return Vm(house.binary(), '-nodefaults', *args, qtest=True)


class Cmos(unittest.TestCase):
    CASES = [
        # options, first boot, later ones
        ([], 0x1230, 0x1230),
        (['-no-fd-bootchk'], 0x1231, 0x1231),
        (['-boot', 'c'], 0x0200, 0x0200),
        (['-boot', 'nda'], 0x3410, 0x3410),
        (['-boot', 'order='], 0, 0),
        (['-boot', 'order=', '-boot', 'order=c'], 0x0200, 0x0200),
        (['-boot', 'once=a'], 0x0100, 0x1230),
        (['-boot', 'once=a', '-no-fd-bootchk'], 0x0101, 0x1231),
        (['-boot', 'once=a,order=c'], 0x0100, 0x0200),
        (['-boot', 'once=d', '-boot', 'order=nda'], 0x0300, 0x3410),
        (['-boot', 'once=a', '-boot', 'once=b', '-boot', 'once=c'], 0x0200, 0x1230),
    ]

    def test_order(self):
        for options, first, later in self.CASES:
            with self.subTest(options=options), machine(*options) as vm:
                self.assertEqual(boot_word(vm), first)
                for _ in range(2):
                    vm.qmp('system_reset')
                    vm.qmp.wait_event('RESET')
                    self.assertEqual(boot_word(vm), later)

    def test_refusals(self):
        for order, text in (('acdn', 'Too many boot devices for PC'),
                            ('e', "Invalid boot device for PC: 'e'")):
            self.assertIn(text, refusal(house.binary(), '-boot', order))

    def test_sizes(self):
        """Base, extended, above 16 MiB and above 4 GiB, as the BIOS adds them up."""
        for machine_name, mib, above_16m, above_4g in (
                ('pc', 8, 0, 0), ('pc', 256, 0xf00, 0), ('pc', 3584, 0xbf00, 0x2000),
                ('q35', 2815, 0xaef0, 0), ('q35', 2816, 0x7f00, 0x3000),
                ('q35,max-ram-below-4g=1G', 2048, 0x3f00, 0x4000)):
            with self.subTest(machine=machine_name, mib=mib), \
                    machine('-M', machine_name, '-m', str(mib)) as vm:
                word = lambda at: cmos(vm, at) | cmos(vm, at + 1) << 8  # noqa: E731
                self.assertEqual(word(0x15), 640)
                self.assertEqual(word(0x17), min((mib - 1) * 1024, 0xffff))
                self.assertEqual(word(0x17), word(0x30))
                self.assertEqual(word(0x34), above_16m)
                self.assertEqual(word(0x5b) | cmos(vm, 0x5d) << 16, above_4g)
        with machine('-smp', '3') as vm:
            self.assertEqual(cmos(vm, 0x5f), 2)


class BootOrder(unittest.TestCase):
    def test_geometries(self):
        """As the peer's file has them."""
        disk = 'null-co,size=1048576,node-name='
        with machine('-blockdev', disk + 'a', '-device', 'ide-hd,drive=a,bus=ide.0,lcyls=5,lheads=6,lsecs=7',
                     '-blockdev', disk + 'b', '-device', 'virtio-blk-pci,drive=b,lcyls=50,addr=3',
                     '-device', 'ide-cd,bus=ide.1') as vm:
            self.assertEqual(FwCfg(vm).file('bios-geometry'),
                             b'/pci@i0cf8/ide@1,1/drive@0/disk@0 5 6 7\n'
                             b'/pci@i0cf8/scsi@3/disk@0,0 50 0 0\0')
        with machine() as vm:
            self.assertEqual(FwCfg(vm).file('bios-geometry'), b'')

    def order(self, vm):
        return FwCfg(vm).file('bootorder').rstrip(b'\0').decode().split('\n')

    def test_paths(self):
        with machine('-device', 'ide-cd,bootindex=4,bus=ide.1,unit=1,id=cd', '-boot', 'strict=on',
                     '-device', 'pci-bridge,id=br,addr=7,chassis_nr=1') as vm:
            self.assertEqual(self.order(vm), ['/pci@i0cf8/ide@1,1/drive@1/disk@1', 'HALT'])
            vm.qmp('qom-set', path='/machine/peripheral/cd', property='bootindex', value=-1)
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            self.assertEqual(self.order(vm), [''])

    def test_same_place(self):
        self.assertIn('The bootindex 3 has already been used',
                      refusal(house.binary(), '-device', 'ide-cd,bootindex=3',
                              '-device', 'ide-cd,bootindex=3'))


if __name__ == '__main__':
    house.main()
