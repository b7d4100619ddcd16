# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio behind intel-iommu: a function translates as the unit says, with and without ATS, and what the driver
takes back is not used any more once it was told so."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import virtio  # noqa: E402
from virtio_pci import COMMON, Function  # noqa: E402
from vm import Vm  # noqa: E402
from vtd import Vtd  # noqa: E402

ACCESS_PLATFORM = 33
SID = 0x100             # bus 1, behind the port
RING, BUFFER, OTHER, PLACE = 0x2000000, 0x3000000, 0x3100000, 0x5000000
ECAM = 0xb0000000


class Ats(unittest.TestCase):
    def start(self, options):
        self.vm = Vm(house.binary(), '-M', 'q35', '-m', '512', '-nodefaults', '-device', 'intel-iommu,device-iotlb=on',
                     '-device', 'pcie-root-port,id=p,addr=4', '-device', 'virtio-rng-pci,bus=p' + options, qtest=True)
        self.vm.__enter__()
        self.addCleanup(self.vm.__exit__, None, None, None)
        self.unit = Vtd(self.vm)
        self.function = Function(self.vm, slot=0, bus=1) if self.plug() else None

    def plug(self):
        """The port's buses and windows."""
        self.vm.qtest('outl 0xcf8 0x80000060')
        self.vm.qtest(f'outl 0xcfc {ECAM | 1:#x}')
        for at, value in (0x18, 0x010100), (0x20, 0xe000e000), (0x24, 0xe1f0e100), (4, 7):
            self.config(value, at, 4 if at != 4 else 2, 4 << 15)
        return True

    def config(self, value, at, size=2, place=SID << 12):
        self.vm.qtest(f"write{'?bw?l'[size]} {ECAM + place + at:#x} {value:#x}")

    def extended(self):
        """Extended capabilities: where they are, by kind."""
        found, at = {}, 0x100
        while at:
            head = int(self.vm.qtest(f'readl {ECAM + (SID << 12) + at:#x}'), 16)
            found[head & 0xffff] = at
            at = head >> 20
        return found

    def translate(self, has_device_tlb):
        root = self.unit.table()
        self.unit.legacy_context(SID, root | (1 << 2 if has_device_tlb else 0) | 1, 1 << 8 | 1)
        for at in range(RING, RING + 0x3000, 0x1000):
            self.unit.map(root, 3, at, at, 3)
        entry = self.unit.map(root, 3, PLACE, BUFFER, 3)[-1]
        self.unit.start()
        return entry

    def drop(self, has_device_tlb):
        """What the unit and the function know of the page is void."""
        self.unit.drop_pages(1, PLACE)
        if has_device_tlb:
            self.unit.submit(3 | SID << 32, PLACE)
        self.assertTrue(self.unit.wait())

    def fetch(self):
        self.queue.add([(PLACE, 64, True)])
        self.function.put(COMMON, 0x16, 0, 2)
        self.function.kick()
        self.assertEqual(self.queue.wait()[1], 64)

    def bytes_at(self, at):
        return bytes.fromhex(self.vm.qtest(f'read {at:#x} 64')[2:])

    def check(self, options, has_ats):
        self.start(options)
        self.assertEqual(0xf in self.extended(), has_ats)
        if has_ats:
            at = self.extended()[0xf]
            caps = int(self.vm.qtest(f'readl {ECAM + (SID << 12) + at + 4:#x}'), 16)
            self.assertEqual(caps, 0 if 'page-aligned=off' in options else 0x20)
            self.config(0x8000, at + 6)
            self.assertEqual(int(self.vm.qtest(f'readw {ECAM + (SID << 12) + at + 6:#x}'), 16), 0x8000)
        entry = self.translate(has_ats)
        self.queue = virtio.Queue(self.vm, base=RING)
        self.function.start(self.queue, features=1 << virtio.VERSION_1 | 1 << ACCESS_PLATFORM)
        self.fetch()
        first = self.bytes_at(BUFFER)
        self.assertNotEqual(first, bytes(64))
        self.assertEqual(self.bytes_at(PLACE), bytes(64))
        self.unit.store(entry, OTHER | 3)
        self.drop(has_ats)
        self.fetch()
        self.assertEqual(self.bytes_at(BUFFER), first)
        self.assertNotEqual(self.bytes_at(OTHER), bytes(64))
        second = self.bytes_at(OTHER)
        self.unit.store(entry, 0)
        self.drop(has_ats)
        self.queue.add([(PLACE, 64, True)])
        self.function.kick()
        while not self.function.status() & virtio.NEEDS_RESET:
            pass
        self.assertEqual((self.bytes_at(BUFFER), self.bytes_at(OTHER)), (first, second))
        self.assertEqual(self.unit.take_fault()[:3], (5, SID, PLACE))  # a write without the right to
        self.unit.store(entry, BUFFER | 3)
        self.drop(has_ats)
        self.queue = virtio.Queue(self.vm, base=RING)
        self.function.start(self.queue, features=1 << virtio.VERSION_1 | 1 << ACCESS_PLATFORM)
        self.fetch()
        self.assertNotEqual(self.bytes_at(BUFFER), first)

    def test_with(self):
        self.check(',iommu_platform=on,ats=on', True)

    def test_unaligned(self):
        self.check(',iommu_platform=on,ats=on,x-ats-page-aligned=off', True)

    def test_without(self):
        self.check(',iommu_platform=on', False)

    def test_behind_errors(self):
        """Its capability stands behind that of error reports."""
        self.start(',ats=on,aer=on')
        found = self.extended()
        self.assertEqual(found[0xf], found[1] + 0x48)

    def test_bypassed(self):
        """Who does not take the platform's way writes to the system's memory, whatever the tables say."""
        self.start('')
        self.translate(False)
        self.queue = virtio.Queue(self.vm, base=RING)
        self.function.start(self.queue)
        self.fetch()
        self.assertNotEqual(self.bytes_at(PLACE), bytes(64))
        self.assertEqual(self.bytes_at(BUFFER), bytes(64))


if __name__ == '__main__':
    house.main()
