# SPDX-License-Identifier: GPL-2.0-or-later
"""intel-iommu at its edges: faults that take some arranging, privileged requests, a queue that changes under
way, state that outlives a move or does not outlive a reset. docs/devel/iommu.md tells what is tested where."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import vtd  # noqa: E402
import virtio  # noqa: E402
from pci import Pci  # noqa: E402
from vm import Vm  # noqa: E402
from vtd import DATA, FIRST, NESTED, PASS, SECOND, Endpoint, Vtd  # noqa: E402

MODERN = 'x-scalable-mode=on,x-flts=on,pasid-bits=20'
SVM = MODERN + ',device-iotlb=on,svm=on'
FAR = 0x3fffffff000  # where no memory is
RID_PRIVILEGED = 1 << 20
WPE, NXE, SMEP, SRE, ERE = (1 << n for n in (4, 5, 6, 0, 1))
IOVA = 0x7000


def machine(unit, *more):
    return Vm(house.binary(), '-M', 'q35', '-m', '512', '-nodefaults', '-device', 'intel-iommu,' + unit,
              '-device', 'iommu-testdev,id=dev,addr=4,ats=on,pri=on,pasid-bits=20', *more, qtest=True)


class Setup(unittest.TestCase):
    def start(self, unit=MODERN):
        self.vm = machine(unit)
        self.vm.__enter__()
        self.addCleanup(self.vm.__exit__, None, None, None)
        self.unit, self.dev = Vtd(self.vm), Endpoint(self.vm)
        self.dev.enable()

    def expect_fault(self, code, addr, pasid=None, is_read=True):
        self.assertEqual(self.unit.take_fault(), (code, self.dev.sid, addr & ~0xfff, pasid, is_read))

    def fresh(self):
        self.unit.drop_contexts()
        self.unit.drop_all()

    def walk(self, **more):
        return self.vm.qmp('x-iommu-walk', dev='dev', iova=IOVA, **more)


class Faults(Setup):
    def test_root(self):
        self.start()
        self.unit.scalable_context(self.dev.sid)
        self.unit.start(True)
        self.unit.put(vtd.RTADDR, FAR | 1 << 10, 8)
        self.unit.command(vtd.SRTP)
        self.assertIsNone(self.dev.read(IOVA))
        self.expect_fault(0x38, IOVA)

    def test_pass_through_width(self):
        """Beyond what the unit knows of addresses."""
        self.start()
        self.unit.scalable_context(self.dev.sid, flags=8)
        self.unit.pasid(0, PASS)
        self.unit.pasid(5, PASS)
        self.unit.start(True)
        self.assertTrue(self.dev.write(DATA, 7, 5))
        self.assertIsNone(self.dev.read(1 << 48, 5))
        self.expect_fault(0x83, 1 << 48, 5)

    def test_nested_width(self):
        """A first-stage table where the second stage has no addresses."""
        self.start(MODERN + ',x-nesting=on')
        second = self.unit.table()
        self.unit.map(second, 3, 0x400000, 0x400000, 3, level=2)
        self.unit.scalable_context(self.dev.sid, flags=8)
        self.unit.pasid(0, PASS)
        self.unit.pasid(5, NESTED, 1 << 39, second=second, aw=1)
        self.unit.start(True)
        self.assertIsNone(self.dev.read(IOVA, 5))
        self.expect_fault(0x74, IOVA, 5)
        first = self.unit.table()
        self.unit.store(first, 1 << 40 | 7)
        self.unit.pasid(5, NESTED, first, second=second, aw=1)
        self.fresh()
        self.assertIsNone(self.dev.read(IOVA, 5))
        self.expect_fault(0x74, IOVA, 5)
        self.unit.store(first, 0x800000 | 7)  # within, but not mapped
        self.fresh()
        self.assertIsNone(self.dev.read(IOVA, 5))
        self.expect_fault(0x76, IOVA, 5)

    def test_dirty(self):
        """A leaf in ROM takes no D bit, though it has A already."""
        self.start()
        rom = bytes.fromhex(self.vm.qtest('read 0xfffe0000 0x20000')[2:])
        at = next(n for n in range(0, len(rom), 8)
                  if int.from_bytes(rom[n:n + 8], 'little') & 0x000f000000000067 == 0x27)
        root = self.unit.table()
        iova = 0x200000 + at % 4096 // 8 * 4096
        places = self.unit.map(root, 4, iova, 0, 7, flags=7)
        self.unit.store(places[2], 0xfffe0000 + at // 4096 * 4096 | 7)
        self.unit.scalable_context(self.dev.sid, flags=8)
        self.unit.pasid(0, PASS)
        self.unit.pasid(5, FIRST, root)
        self.unit.start(True)
        self.assertFalse(self.dev.write(iova, 1, 5))
        self.expect_fault(0x91, iova, 5, False)

    def test_execute(self):
        """No request of ours that is recorded executes; a walk tells what would be."""
        self.start()
        root = self.unit.table()
        places = self.unit.map(root, 4, IOVA, DATA, 7, flags=7)
        self.unit.scalable_context(self.dev.sid, flags=8)
        self.unit.pasid(0, PASS, domain=9)
        self.unit.start(True)
        for flags, leaf, privileged, code in (
                (0, 7, False, 0x5c), (ERE, 7, False, None), (ERE | NXE, 7 | 1 << 63, False, 0x82),
                (ERE, 7 | 1 << 63, False, None),  # without NXE the bit is nothing
                (ERE | SRE | SMEP, 7, True, 0x82), (ERE | SRE | SMEP, 3, True, None)):
            self.unit.store(places[3], DATA | leaf)
            self.unit.pasid(5, FIRST, root, flags=flags)
            found = self.walk(pasid=5, execute=True, privileged=privileged)
            self.assertEqual(found.get('fault', {}).get('code'), code, (flags, leaf, privileged))

    def test_window(self):
        """Interrupt messages are a requester's own writes: what a process or a device with translated addresses does
        there is refused, quietly if its entry says so."""
        for unit, root_type, code in (SVM, 1, 0x87), (SVM, 0, 0xe):
            self.start(unit)
            if root_type:
                self.unit.scalable_context(self.dev.sid, flags=0xc)
                self.unit.pasid(0, PASS)
                self.unit.pasid(5, PASS)
            else:
                self.unit.legacy_context(self.dev.sid, self.unit.table() | 1 << 2 | 1, 1 << 8 | 2)
            self.unit.start(bool(root_type))
            tries = [(None, vtd.USE_TRANSLATED)] + [(5, 0), (5, vtd.USE_TRANSLATED)] * root_type
            for pasid, attrs in tries:
                for command in vtd.WRITE, vtd.READ:
                    self.assertEqual(self.dev.run(command, 0xfee00000, pasid, attrs), vtd.FAILED)
                    self.expect_fault(code, 0xfee00000, pasid, command == vtd.READ)
            self.assertEqual(self.dev.run(vtd.WRITE, 0xfee00000), 0)  # a message
            self.assertNotEqual(self.dev.run(vtd.READ, 0xfee00000), 0)
            self.assertIsNone(self.unit.fault())
        self.start(MODERN)
        self.unit.scalable_context(self.dev.sid, flags=0xa)
        self.unit.pasid(5, PASS)
        self.unit.pasid(0, PASS)
        self.unit.start(True)
        self.assertEqual(self.dev.run(vtd.WRITE, 0xfee00000, 5), vtd.FAILED)
        self.assertIsNone(self.unit.fault())

    def test_type_blocked(self):
        """Addresses said to be translated, where the context entry has no device TLB."""
        self.start('device-iotlb=on')
        table = self.unit.table()
        for kind, code in (0, 0xd), (1, None):
            self.unit.legacy_context(self.dev.sid, table | kind << 2 | 1, 1 << 8 | 1)
            if kind:
                self.fresh()
            else:
                self.unit.start()
            self.assertEqual(self.dev.run(vtd.WRITE, DATA, attrs=vtd.USE_TRANSLATED, data=7) == 0, code is None)
            fault = self.unit.take_fault()
            self.assertEqual(fault and fault[0], code)
        self.assertEqual(self.unit.load(DATA) & 0xff, 7)

    def test_suppressed(self):
        """In legacy mode: what a context entry's FPD covers, and what is before it."""
        self.start('device-iotlb=on')
        table = self.unit.table()
        self.unit.legacy_context(self.dev.sid, table | 3, 1 << 8 | 1)
        self.unit.start()
        for lo, hi in ((table | 3, 1 << 8 | 1), (table | 0x13, 1 << 8 | 1), (table | 3, 1 << 8 | 7), (2, 0)):
            self.unit.legacy_context(self.dev.sid, lo, hi)
            self.fresh()
            self.assertIsNone(self.dev.read(IOVA))
            self.assertIsNone(self.unit.fault())
        self.unit.store(vtd.ROOT, 0)
        self.fresh()
        self.assertIsNone(self.dev.read(IOVA))
        self.expect_fault(1, IOVA)

    def test_tolerated_bits(self):
        """TM with stale-tm and a device TLB, SNP with snoop-control or in scalable mode; not without."""
        for unit, tm, snp in (('', 0, 0), ('device-iotlb=on', 0, 0), ('stale-tm=on', 0, 0),
                              ('device-iotlb=on,stale-tm=on', 1, 0), ('snoop-control=on', 0, 1),
                              ('x-scalable-mode=on', 0, 1), ('x-scalable-mode=on,device-iotlb=on,stale-tm=on', 1, 1)):
            self.start('aw-bits=48,' + ('stale-tm=off,' if 'stale' not in unit else '') + unit)
            root = self.unit.table()
            scalable = 'scalable' in unit
            if scalable:
                self.unit.scalable_context(self.dev.sid)
                self.unit.pasid(0, SECOND, root)
            else:
                self.unit.legacy_context(self.dev.sid, root | 1, 1 << 8 | 2)
            self.unit.map(root, 4, 0x7000, DATA, 3 | 1 << 62)
            self.unit.map(root, 4, 0x8000, DATA, 3 | 1 << 11)
            self.unit.start(scalable)
            for addr, is_good in (0x7000, tm), (0x8000, snp):
                self.assertEqual(self.dev.read(addr) is not None, bool(is_good), (unit, hex(addr)))
                if not is_good:
                    self.expect_fault(0x7a if scalable else 0xc, addr)

    def test_legacy_page_request(self):
        self.start(SVM)
        root = self.unit.table()
        self.unit.legacy_context(self.dev.sid, root | 1 << 2 | 1, 1 << 8 | 2)
        self.unit.put(vtd.PQA, vtd.PRQ, 8)
        self.unit.start()
        self.assertNotEqual(self.dev.run(vtd.ASK, IOVA), 0)
        self.assertEqual(self.unit.take_fault()[0], 0x32)


class Privilege(Setup):
    """Requests without PASID that the context makes privileged."""

    def setUp(self):
        self.start()
        self.root = self.unit.table()
        self.places = self.unit.map(self.root, 4, IOVA, DATA, 3, flags=3)

    def enter(self, rid, flags=0):
        self.unit.scalable_context(self.dev.sid, flags=8, rid=rid)
        self.unit.pasid(0, FIRST, self.root, flags=flags)
        self.unit.pasid(5, FIRST, self.root, flags=flags)
        self.fresh()

    def test_supervisor_pages(self):
        self.unit.start(True)
        self.enter(0)
        self.assertIsNone(self.dev.read(IOVA))
        self.expect_fault(0x81, IOVA)
        self.enter(RID_PRIVILEGED)
        self.assertTrue(self.dev.write(IOVA, 0x99))
        self.assertEqual(self.unit.load(DATA), 0x99)
        self.assertIsNone(self.dev.read(IOVA, 5))  # it does not make processes privileged
        self.expect_fault(0x81, IOVA, 5)

    def test_write_protection(self):
        self.unit.start(True)
        self.unit.store(self.places[3], DATA | 1)
        self.enter(RID_PRIVILEGED)
        self.assertTrue(self.dev.write(IOVA, 0x77))
        self.enter(RID_PRIVILEGED, WPE)
        self.assertFalse(self.dev.write(IOVA, 0x78))
        self.expect_fault(0x85, IOVA, None, False)
        self.assertEqual(self.unit.load(DATA), 0x77)

    def test_kept(self):
        """What is kept for one privilege is not for the other."""
        self.unit.start(True)
        self.enter(RID_PRIVILEGED)
        self.assertIsNotNone(self.dev.read(IOVA))
        self.unit.scalable_context(self.dev.sid, flags=8)
        self.unit.drop_contexts()  # contexts alone
        self.assertIsNone(self.dev.read(IOVA))
        self.expect_fault(0x81, IOVA)


class Queue(Setup):
    def test_widened(self):
        """A head between two descriptors stops the queue; all its memory would be valid ones."""
        self.start()
        self.unit.start_queue()
        for at in range(0, 4096, 16):
            self.unit.store(vtd.QUEUE + at, 5 | 1 << 5, vtd.STATUS)
        self.unit.put(vtd.IQT, 16, 8)
        self.assertEqual(self.unit.get(vtd.IQH), 16)
        self.unit.put(vtd.IQA, vtd.QUEUE | 1 << 11, 8)
        self.unit.put(vtd.IQT, 64, 8)
        self.assertTrue(self.unit.get(vtd.FSTS) & vtd.IQE)
        self.assertEqual(self.unit.get(vtd.IQERCD) & 0xf, 6)

    def test_shrunk(self):
        self.start()
        self.unit.put(vtd.IQA, vtd.QUEUE | 1, 8)
        self.unit.command(vtd.QIE)
        for at in range(0, 8192, 16):
            self.unit.store(vtd.QUEUE + at, 5 | 1 << 5, vtd.STATUS)
        self.unit.put(vtd.IQT, 8176, 8)
        self.assertEqual(self.unit.get(vtd.IQH), 8176)
        self.unit.put(vtd.IQA, vtd.QUEUE, 8)
        self.unit.put(vtd.IQT, 32, 8)
        self.assertEqual(self.unit.get(vtd.IQH), 32)


class Testdev(Setup):
    def test_results(self):
        """QEMU's device of this name, as its tests see it."""
        self.start()
        dev = self.dev
        self.assertEqual(dev.get(vtd.RESULT), 0xffffffff)
        dev.put(vtd.DOORBELL, 1)
        self.assertEqual((dev.get(vtd.RESULT), dev.get(vtd.DOORBELL)), (0xfffffffe, 1))
        dev.put(vtd.DOORBELL, 0)
        self.assertEqual((dev.get(vtd.RESULT), dev.get(vtd.DOORBELL)), (0xffffffff, 0))
        dev.get(0)
        self.assertEqual(dev.get(vtd.RESULT), 0xdead0005)
        for args, result in (((DATA, DATA, 0), 0xdead0001), ((DATA, DATA, 0x10001), 0xdead0001),
                             ((FAR, DATA), 0xdead0002), ((DATA, FAR), 0xdead0003),
                             ((DATA, DATA + 0x1000), 0xdead0004), ((DATA, DATA), 0)):
            self.assertEqual(hex(dev.pattern(*args)), hex(result), args)
            dev.get(0)
            self.assertEqual(dev.get(vtd.RESULT), 0xdead0005)  # it is armed for once
        self.assertEqual(self.unit.load(DATA), 0x1234567812345678)


class Lasting(Setup):
    def set_up_all(self, unit, dev):
        root = unit.table()
        unit.map(root, 4, IOVA, DATA, 7, flags=7)
        unit.scalable_context(dev.sid, flags=0x1c)
        unit.pasid(0, PASS)
        unit.pasid(5, FIRST, root)
        unit.put(vtd.PQA, vtd.PRQ, 8)
        unit.put(vtd.PEADDR, 0xfee00000)
        unit.start(True)

    def test_reset(self):
        """Nothing that was kept is used, no request is answered, nothing is translated."""
        self.start(SVM)
        self.set_up_all(self.unit, self.dev)
        self.assertTrue(self.dev.write(IOVA, 0x11, 5))
        self.dev.run(vtd.ASK, 0x9000, 5)
        self.unit.submit(0xf)  # the queue stands
        self.vm.qmp('system_reset')
        self.vm.qmp.wait_event('RESET')
        for at in (vtd.GSTS, vtd.FSTS, vtd.IQH, vtd.IQT, vtd.PQT, vtd.PRS, vtd.IQERCD, vtd.RTADDR):
            self.assertEqual(self.unit.get(at), 0, hex(at))
        self.dev = Endpoint(self.vm)
        self.unit.store(IOVA, 0)
        self.assertTrue(self.dev.write(IOVA, 0x22))
        self.assertEqual(self.unit.load(IOVA), 0x22)
        self.assertEqual(self.unit.load(DATA), 0x11)
        # And again, with tables that differ: a page that was kept would lead to DATA.
        self.dev.enable()
        self.set_up_all(self.unit, self.dev)
        places = self.unit.map(self.unit.load(vtd.PASIDS + 320 + 16), 4, IOVA, DATA + 0x1000, 7, flags=7)
        self.assertEqual(len(places), 4)
        self.assertTrue(self.dev.write(IOVA, 0x33, 5))
        self.assertEqual(self.unit.load(DATA + 0x1000), 0x33)

    def test_pending_fault(self):
        """A fault that waits for software, a masked event and a queue that stands survive a move."""
        with tempfile.TemporaryDirectory() as folder:
            with machine(SVM) as vm:
                unit, dev = Vtd(vm), Endpoint(vm)
                dev.enable()
                self.set_up_all(unit, dev)
                self.assertIsNone(dev.read(0x9000, 5))
                unit.submit(0xf)
                before = unit.fault(), unit.get(vtd.FSTS), unit.get(vtd.FECTL), unit.get(vtd.IQH)
                self.assertEqual(before[0][0], 0x71)
                self.assertEqual(before[2], 0xc0000000)
                vm.qmp('migrate', uri=f'exec:cat >{folder}/state')
                while vm.qmp('query-migrate')['status'] not in ('completed', 'failed'):
                    pass
            with machine(SVM, '-incoming', f'exec:cat {folder}/state') as vm:
                while vm.qmp('query-status')['status'] == 'inmigrate':
                    pass
                unit = Vtd(vm)
                self.assertEqual((unit.fault(), unit.get(vtd.FSTS), unit.get(vtd.FECTL),
                                  unit.get(vtd.IQH)), before)
                unit.width = 32
                unit.store(vtd.QUEUE, 5 | 1 << 5 | 0x77 << 32, vtd.STATUS, 0, 0)
                unit.put(vtd.FSTS, vtd.IQE)  # goes on where it stood
                self.assertEqual(unit.load(vtd.STATUS), 0x77)


class Rings(unittest.TestCase):
    """A virtio device's rings, which it uses again and again, when what they are translated to changes."""
    SLOT, BAR, NOTIFY = 5 << 3, 0xe1000000, 0x3000
    IOVA, BUFFER = 0x100000, 0x200000
    PLACES = 0x2000000, 0x2100000  # of the rings, in turn

    def setUp(self):
        self.vm = Vm(house.binary(), '-M', 'q35', '-m', '512', '-nodefaults', '-device', 'intel-iommu,aw-bits=48',
                     '-object', 'rng-random,filename=/dev/urandom,id=rng', '-device',
                     'virtio-rng-pci,rng=rng,addr=5,iommu_platform=on,disable-legacy=on', qtest=True)
        self.vm.__enter__()
        self.addCleanup(self.vm.__exit__, None, None, None)
        self.unit = Vtd(self.vm)
        self.root = self.unit.table()
        self.unit.legacy_context(self.SLOT, self.root | 1, 1 << 8 | 2)
        self.unit.map(self.root, 4, self.BUFFER, DATA, 3)
        self.map_rings(self.PLACES[0])
        pci = Pci(self.vm)
        pci.write(self.SLOT, 0x20, self.BAR)
        pci.write(self.SLOT, 4, 6, 2)

    def map_rings(self, place, flags=3):
        for page in range(2):
            self.unit.map(self.root, 4, self.IOVA + 4096 * page, place + 4096 * page, flags)

    def put(self, at, value, size=4):
        self.vm.qtest(f"write{'?bw?l'[size]} {self.BAR + at:#x} {value:#x}")

    def start(self, queue):
        for status in (0, 1, 3):
            self.put(0x14, status, 1)
        for word in (0, 1):  # VERSION_1 and ACCESS_PLATFORM
            self.put(8, word)
            self.put(0xc, 3 if word else 0)
        self.put(0x14, 11, 1)
        self.put(0x16, 0, 2)
        self.put(0x18, queue.size, 2)
        for at, address in ((0x20, queue.desc), (0x28, queue.driver), (0x30, queue.device)):
            self.put(at, address - self.PLACES[0] + self.IOVA)
            self.put(at + 4, 0)
        self.put(0x1c, 1, 2)
        self.put(0x14, 15, 1)

    def ask(self, queue, piece=None):
        queue.add([(piece or self.BUFFER, 64, True)])
        self.put(self.NOTIFY, 0, 2)

    def moved(self, queue):
        """The same rings elsewhere."""
        other = virtio.Queue(self.vm, self.PLACES[1])
        size = other.device + 4096 - other.desc
        other.write(other.desc, queue.read(queue.desc, size))
        other.next, other.used = queue.next, queue.used
        return other

    def index(self, queue):
        return queue.read(queue.device + 2, 2)

    def test_moved(self):
        queue = virtio.Queue(self.vm, self.PLACES[0])
        self.unit.start()
        self.start(queue)
        for _ in range(3):
            self.ask(queue)
            self.assertEqual(queue.wait()[1], 64)
        self.assertNotEqual(self.unit.load(DATA), 0)
        before = self.index(queue)
        other = self.moved(queue)
        self.map_rings(self.PLACES[1])
        self.unit.drop_pages(1, self.IOVA, 1)
        self.assertTrue(self.unit.wait())
        for _ in range(3):
            self.ask(other)
            self.assertEqual(other.wait()[1], 64)
        self.assertEqual(self.index(queue), before)  # what was there is left alone
        self.assertIsNone(self.unit.fault())

    def test_taken_away(self):
        queue = virtio.Queue(self.vm, self.PLACES[0])
        self.unit.start()
        self.start(queue)
        self.ask(queue)
        queue.wait()
        before = self.index(queue)
        self.map_rings(0, flags=0)
        self.unit.submit(2 | 2 << 4 | 1 << 16)  # by domain
        self.assertTrue(self.unit.wait())
        self.ask(queue)
        code, source, addr, _, _ = self.unit.take_fault()
        self.assertEqual((source, addr >> 13), (self.SLOT, self.IOVA >> 13))
        self.assertIn(code, (5, 6))
        self.assertEqual(self.index(queue), before)

    def test_switched_on(self):
        """Rings that were used as they are, until remapping is on: from then on where tables say."""
        low = virtio.Queue(self.vm, self.IOVA + 0x4000000)
        for page in range(2):
            self.unit.map(self.root, 4, low.desc + 4096 * page, self.PLACES[1] + 4096 * page, 3)
        self.PLACES = (self.IOVA, self.PLACES[1])  # the device's addresses are those of memory
        self.start(low)
        low.add([(DATA, 64, True)])
        self.put(self.NOTIFY, 0, 2)
        self.assertEqual(low.wait()[1], 64)
        before = self.index(low)
        other = self.moved(low)
        self.unit.start()
        self.ask(other)
        self.assertEqual(other.wait()[1], 64)
        self.assertEqual(self.index(low), before)


if __name__ == '__main__':
    house.main()
