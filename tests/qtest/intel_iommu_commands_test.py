# SPDX-License-Identifier: GPL-2.0-or-later
"""intel-iommu's commands without an operating system: invalidations by queue and by registers, what
they drop and what they leave, interrupt remapping, ATS, page requests, virtual commands, migration,
the DMAR table."""
import os
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import acpi  # noqa: E402
import house  # noqa: E402
import vtd  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from intel_iommu_test import FULL_ENDPOINT, MODERN, SVM, Setup, machine  # noqa: E402
from vm import Vm  # noqa: E402
from vtd import DATA, FIRST, PASS, Endpoint, Vtd  # noqa: E402


STATUSES = vtd.STATUS + 0x1000


class Queue(Setup):
    def test_types(self):
        """Everything of a type that may be asked for is done."""
        for wide in (False, True):
            self.start(SVM)
            self.unit.start_queue(wide)
            sid = self.dev.sid
            good = [(1 | 1 << 4,), (1 | 2 << 4 | 5 << 16,), (1 | 3 << 4 | sid << 32 | 3 << 48,),
                    (2 | 1 << 4,), (2 | 2 << 4 | 7 << 16,), (2 | 3 << 4 | 0xc0, 0x7000 | 0x40 | 18),
                    (3 | sid << 32, 0x7000), (3 | sid << 32, 0x7fffffffffffe001), (4,),
                    (4 | 1 << 4 | 3 << 27 | 9 << 32,), (5 | 1 << 6,), (5 | 1 << 4,), (5 | 1 << 7,)]
            if wide:
                good += [(6 | 2 << 4 | 5 << 32,), (6 | 3 << 4 | 5 << 32, 0x7000 | 18), (7,),
                         (7 | 1 << 4 | 5 << 32,), (7 | 3 << 4,), (8 | sid << 16 | 5 << 32, 0x7000),
                         (8 | sid << 16, 1), (9 | sid << 16, 0)]
            for words in good:
                self.unit.submit(*words)
                self.assertEqual(self.unit.get(vtd.FSTS), 0, [hex(w) for w in words])
                self.assertEqual(self.unit.get(vtd.IQH), self.unit.tail)
            self.assertTrue(self.unit.wait())

    def refuse(self, reason, *words):
        """The queue stands at the descriptor, and goes on when it was corrected."""
        before = self.unit.tail
        self.unit.submit(*words)
        what = [hex(w) for w in words]
        self.assertEqual(self.unit.get(vtd.FSTS) & vtd.IQE, vtd.IQE, what)
        self.assertEqual(self.unit.get(vtd.IQH), before, what)
        self.assertEqual(self.unit.get(vtd.IQERCD) & 15, reason, what)
        self.assertFalse(self.unit.wait())  # nothing behind it is done
        self.unit.store(vtd.QUEUE + before, 5 | 1 << 6, *(0,) * (self.unit.width // 8 - 1))
        self.unit.put(vtd.FSTS, vtd.IQE)
        self.assertEqual(self.unit.get(vtd.FSTS), 0, what)
        self.assertEqual(self.unit.load(vtd.STATUS), 0x1234, what)
        self.assertEqual(self.unit.get(vtd.IQERCD) & 15, 0)

    def test_reserved_bits(self):
        self.start(SVM)
        for wide in True, False:
            self.unit.start_queue(wide)
            self.check_reserved(wide)
            self.assertTrue(self.unit.command(vtd.QIE, False))

    def check_reserved(self, wide):
        fields = {  # what is defined; all else is reserved
            1: (0x0003ffffffff003f | 0xe00, 0), 2: (0xffff00ff | 0xe00, ~0xf80),
            3: (0xfff0ffff001ffe0f, ~0xffe), 4: (0x0000fffff800001f | 0xe00, 0),
            5: (0xffffffff000000ff | 0xe00, ~0), 6: (0x000fffffffff003f | 0xe00, ~0xf80),
            7: (0x000fffffffff003f | 0xe00, 0), 8: (~0, ~0x7fe),
            9: (0x000fffffffff001f | 0xfe00, 0xffc)}
        plain = {1: 1 | 1 << 4, 2: 2 | 1 << 4, 3: 3, 4: 4, 5: 5 | 1 << 6, 6: 6 | 2 << 4, 7: 7, 8: 8,
                 9: 9}
        for kind, (low, high) in fields.items():
            if not wide and kind > 5:
                break
            for bit in range(64):
                if not low >> bit & 1:
                    self.refuse(4, plain[kind] | 1 << bit)
                if not high >> bit & 1:
                    self.refuse(4, plain[kind], 1 << bit)
            if wide and kind != 9:
                self.refuse(4, plain[kind], 0, 1)
                self.refuse(4, plain[kind], 0, 0, 1 << 63)

    def test_refusals(self):
        self.start(SVM)
        self.unit.start_queue(True)
        for words in ((0,), (10,), (15,), (1 | 1 << 9,)):
            self.refuse(3, *words)
        for words in ((1,), (2,), (2 | 3 << 4, 19), (5,), (5 | 1 << 5, 2), (6,), (6 | 1 << 4,),
                      (6 | 3 << 4, 19), (7 | 2 << 4,)):
            self.refuse(4, *words)
        self.unit.put(vtd.IQT, self.unit.tail + 16, 8)
        self.assertEqual(self.unit.get(vtd.IQERCD) & 15, 6)
        self.unit.put(vtd.IQT, self.unit.tail, 8)
        self.unit.put(vtd.FSTS, vtd.IQE)
        self.unit.put(vtd.IQT, 4096, 8)
        self.assertEqual(self.unit.get(vtd.IQERCD) & 15, 1)
        self.unit.put(vtd.IQT, self.unit.tail, 8)
        self.unit.put(vtd.FSTS, vtd.IQE)
        self.assertTrue(self.unit.wait())

    def test_narrow(self):
        """256-bit types in a queue of 128 bits; a queue where no memory is."""
        self.start(SVM)
        self.unit.start_queue()
        for words in ((6 | 2 << 4,), (7,), (8,), (9,)):
            self.refuse(5, *words)
        self.assertTrue(self.unit.command(vtd.QIE, False))
        self.unit.put(vtd.IQT, 16, 8)
        self.unit.put(vtd.IQA, 0x3fffffff000, 8)
        self.unit.command(vtd.QIE)
        self.assertEqual(self.unit.get(vtd.IQERCD) & 15, 2)

    def put_waits(self, base, places):
        """A wait descriptor at each of the places, that writes a status of its own."""
        self.unit.clear(STATUSES, 4096)
        for n, at in enumerate(places):
            self.unit.store(base + at, 5 | 1 << 5 | n + 1 << 32, STATUSES + 8 * n)

    def statuses(self, count):
        return [self.unit.load(STATUSES + 8 * n) for n in range(count)]

    def test_many_at_once(self):
        """In order, over the queue's end; up to the one that is refused; up to where no memory is."""
        self.start(SVM)
        self.unit.start_queue()
        self.put_waits(vtd.QUEUE, [16 * n for n in range(40)])
        self.unit.put(vtd.IQT, 16 * 40, 8)
        self.assertEqual(self.statuses(41), [*range(1, 41), 0])
        self.put_waits(vtd.QUEUE, [(16 * (40 + n)) % 4096 for n in range(250)])
        self.unit.store(vtd.QUEUE + 16 * 77, 0)
        self.unit.put(vtd.IQT, (16 * 290) % 4096, 8)
        self.assertEqual(self.unit.get(vtd.IQERCD) & 15, 3)
        self.assertEqual(self.unit.get(vtd.IQH), 16 * 77)
        self.assertEqual(self.statuses(39), [*range(1, 38), 0, 0])
        self.unit.store(vtd.QUEUE + 16 * 77, 5 | 1 << 6)
        self.unit.put(vtd.FSTS, vtd.IQE)
        self.assertEqual(self.statuses(250), [*range(1, 38), 0, *range(39, 251)])
        self.unit.command(vtd.QIE, False)
        base = (512 << 20) - 4096
        self.unit.put(vtd.IQT, 4096 + 64, 8)
        self.unit.put(vtd.IQA, base | 1, 8)
        self.put_waits(base, [16 * n for n in range(256)])
        self.unit.command(vtd.QIE)  # starts with a tail that is there
        self.assertEqual(self.unit.get(vtd.IQERCD) & 15, 2)
        self.assertEqual(self.unit.get(vtd.IQH), 4096)
        self.assertEqual(self.statuses(256), [*range(1, 257)])

    def test_features(self):
        """What is not advertised is no type; DW is no bit."""
        self.start('intremap=off')
        self.unit.start_queue(True)
        self.assertEqual(self.unit.get(vtd.IQA) & 1 << 11, 0)
        self.unit.start_queue()
        for words in ((3,), (4,), (9,)):
            self.refuse(3, *words)
        self.refuse(4, 5 | 1 << 7)

    def test_wait_interrupt(self):
        self.start()
        self.unit.start_queue()
        self.unit.submit(5 | 1 << 4)
        self.assertEqual(self.unit.get(vtd.ICS), 1)
        self.assertEqual(self.unit.get(vtd.IECTL), 0xc0000000)
        self.unit.put(vtd.ICS, 1)
        self.assertEqual(self.unit.get(vtd.IECTL), 0x80000000)
        self.unit.put(vtd.IECTL, 0)
        self.unit.submit(5 | 1 << 4)
        self.assertEqual(self.unit.get(vtd.IECTL), 0)
        self.assertEqual(self.unit.get(vtd.ICS), 1)

    def test_registers(self):
        self.start()
        root = self.legacy()
        place = self.unit.map(root, 4, 0x5000, DATA, 3)[-1]
        self.unit.put(vtd.RTADDR, vtd.ROOT, 8)
        self.unit.command(vtd.SRTP)
        self.unit.command(vtd.TE)
        for granularity, iva, is_done in ((1, 0, True), (2, 0, True), (3, 0x5000, True),
                                          (3, 0x5000 | 19, False), (3, 0x9000, True)):
            self.unit.store(place, DATA | 3)
            self.unit.put(vtd.IOTLB, 1 << 63 | 1 << 60, 8)
            self.assertTrue(self.dev.write(0x5000, 1))
            self.unit.store(place, DATA + 0x1000 | 3)
            self.unit.put(vtd.IVA, iva, 8)
            self.unit.put(vtd.IOTLB, 1 << 63 | granularity << 60 | 1 << 32, 8)
            done = self.unit.get(vtd.IOTLB, 8)
            self.assertEqual(done >> 63, 0)
            self.assertEqual(done >> 57 & 3, granularity if is_done else 0)
            self.unit.store(DATA + 0x1000, 0)
            self.assertTrue(self.dev.write(0x5000, 9))
            self.assertEqual(self.unit.load(DATA + 0x1000) == 9, is_done and iva != 0x9000)
        self.unit.legacy_context(self.dev.sid, 0, 0)
        self.unit.put(vtd.CCMD, 1 << 63 | 3 << 61 | self.dev.sid << 16, 8)
        self.assertEqual(self.unit.get(vtd.CCMD, 8) >> 59, 3 << 2 | 3)
        self.assertFalse(self.dev.write(0x5000, 9))
        self.assertEqual(self.unit.take_fault()[0], 2)
        for granularity in 1, 2:  # a domain's contexts are all of them
            self.unit.legacy_context(self.dev.sid, root | 1, 1 << 8 | 2)
            self.unit.put(vtd.CCMD, 1 << 63 | granularity << 61 | 1, 8)
            self.assertEqual(self.unit.get(vtd.CCMD, 8), 1 << 61 | 1 << 59 | 1)
            self.assertTrue(self.dev.write(0x5000, 9))
            self.unit.legacy_context(self.dev.sid, 0, 0)
            self.assertTrue(self.dev.write(0x5000, 9))  # it was kept
        self.unit.put(vtd.CCMD, 1 << 63 | 1 << 61, 8)
        self.assertFalse(self.dev.write(0x5000, 9))
        self.unit.take_fault()
        self.unit.start_queue()  # from now on registers are dead
        self.unit.put(vtd.IOTLB, 1 << 63 | 1 << 60, 8)
        self.assertEqual(self.unit.get(vtd.IOTLB, 8) >> 63, 1)


class Cache(Setup):
    """A translation stays until it is dropped, and goes when it is."""

    def setUp(self):
        self.start(MODERN + ',pasid-bits=20', FULL_ENDPOINT)
        self.dev.enable()
        self.unit.scalable_context(self.dev.sid, flags=8)
        self.unit.pasid(0, PASS, domain=9)
        self.places = {}
        self.all = [(pasid, page) for pasid in (1, 2, 3) for page in (0x7000, 0x9000)]
        for pasid in (1, 2, 3):
            root = self.unit.table()
            self.unit.pasid(pasid, FIRST, root, domain=1 if pasid < 3 else 2)
            for page in (0x7000, 0x9000):
                self.places[pasid, page] = self.unit.map(root, 4, page, DATA, 7, flags=7)[-1]
        self.unit.start(True)

    def stale(self, *drop):
        """Which still go where they went, after the drop."""
        for key in self.all:
            self.unit.store(self.places[key], DATA | 7)
        self.unit.drop_all()
        for pasid, page in self.all:
            self.assertIsNotNone(self.dev.read(page, pasid))
        self.unit.store(DATA, 0xaaaa)
        self.unit.store(DATA + 0x1000, 0xbbbb)
        for key in self.all:
            self.unit.store(self.places[key], DATA + 0x1000 | 7)
        self.unit.submit(*drop)
        self.assertEqual(self.unit.get(vtd.FSTS), 0)
        return [key for key in self.all if self.dev.read(key[1], key[0]) == 0xaaaa]

    def test_kept(self):
        self.assertEqual(self.stale(5 | 1 << 6), self.all)

    def test_page(self):
        left = [key for key in self.all if key != (1, 0x7000)]
        self.assertEqual(self.stale(6 | 3 << 4 | 1 << 16 | 1 << 32, 0x7000), left)

    def test_pages(self):
        left = [key for key in self.all if key[0] != 1]
        self.assertEqual(self.stale(6 | 3 << 4 | 1 << 16 | 1 << 32, 4), left)
        self.assertEqual(self.stale(6 | 3 << 4 | 1 << 16 | 1 << 32, 18), left)

    def test_pasid(self):
        self.assertEqual(self.stale(6 | 2 << 4 | 1 << 16 | 2 << 32),
                         [key for key in self.all if key[0] != 2])

    def test_domain(self):
        self.assertEqual(self.stale(2 | 2 << 4 | 1 << 16), [key for key in self.all if key[0] == 3])

    def test_other_domain(self):
        self.assertEqual(self.stale(6 | 2 << 4 | 7 << 16 | 2 << 32), self.all)
        self.assertEqual(self.stale(2 | 2 << 4 | 7 << 16), self.all)

    def test_all(self):
        self.assertEqual(self.stale(2 | 1 << 4), [])

    def test_large(self):
        """A page of 2 MiB goes with any part of it, pages of 4 KiB by themselves."""
        root, large, small = self.unit.table(), 0x40000000, 0x40200000
        self.unit.pasid(4, FIRST, root, domain=3)
        entry = self.unit.map(root, 4, large, 2 * DATA, 7, level=2, flags=7)[-1]
        leaf = self.unit.map(root, 4, small, DATA, 7, flags=7)[-1]
        places = large + 0x3000, large + 0x1ff000, small

        def expect(*words):
            self.assertEqual([self.dev.read(place, 4) for place in places], [*words])

        for n, at in enumerate((2 * DATA + 0x3000, 2 * DATA + 0x1ff000, DATA)):
            self.unit.store(at, n + 1)
            self.unit.store(at + 0x200000, n + 11)
        self.unit.drop_all()
        expect(1, 2, 3)
        self.unit.store(entry, self.unit.load(entry) + 0x200000)
        self.unit.store(leaf, self.unit.load(leaf) + 0x200000)
        expect(1, 2, 3)
        self.unit.drop_pasid_pages(3, 4, large + 0x7000)
        expect(11, 12, 3)
        self.unit.drop_pasid_pages(3, 4, small)
        expect(11, 12, 13)


class Interrupts(Setup):
    """Messages that pass, and those that are recorded."""

    def remap(self, entry, wide=False):
        self.unit.clear(vtd.IRTES)
        self.unit.store(vtd.IRTES + 16 * 3, *entry)
        self.unit.put(vtd.IRTA, vtd.IRTES | 7 | (1 << 11 if wide else 0), 8)
        self.unit.command(vtd.SIRTP)
        self.unit.command(vtd.IRE)

    def send(self, index=3, data=0, shv=False, remappable=True):
        address = 0xfee00000 | (index & 0x7fff) << 5 | index >> 15 << 2 | (16 if remappable else 0) | (
            8 if shv else 0)
        self.assertTrue(self.dev.write(address, data))
        return self.unit.take_fault()

    def test_faults(self):
        self.start('eim=on')
        sid = self.dev.sid
        good = (0x310001, 1 << 18 | sid)
        for code, entry, more in (
                (None, good, {}), (0x21, good, {'index': 0x100}), (0x21, good, {'index': 0x8003}),
                (0x22, (0, 0), {}), (0x24, (0x1001, 0), {}), (0x24, (1, 1 << 20), {}),
                (0x24, (1 | 1 << 15, 0), {}), (0x24, (1, 3 << 18), {}),
                (0x24, (1 | 1 << 32, 0), {}),  # destinations of 8 bits
                (0x26, (1, 1 << 18 | sid ^ 1), {}), (None, (1, 1 << 18 | 3 << 16 | sid ^ 7), {}),
                (0x26, (1, 2 << 18 | 0x0100), {}), (None, (1, 2 << 18 | 0x0003), {}),
                (0x20, good, {'shv': True, 'data': 0x10000}),
                (None, good, {'index': 1, 'shv': True, 'data': 2}),
                (0x25, good, {'remappable': False})):
            self.remap(entry)
            fault = self.send(**more)
            self.assertEqual(fault and fault[0], code, (hex(entry[0]), hex(entry[1]), more))
            if fault and code != 0x25:
                self.assertEqual(fault[1], sid)
                self.assertEqual(fault[2] >> 48, more.get('index', 3))
        self.remap((3, 1 << 18 | sid ^ 1))  # FPD
        self.assertIsNone(self.send())
        self.assertTrue(self.unit.command(vtd.CFI))
        self.assertIsNone(self.send(remappable=False))
        self.remap((1 | 1 << 32, 0), wide=True)
        self.assertIsNone(self.send())
        self.assertEqual(self.send(remappable=False)[0], 0x25)  # whatever CFI says
        self.unit.put(vtd.IRTA, 0x3fffffff007, 8)
        self.unit.command(vtd.SIRTP)
        self.assertEqual(self.send()[0], 0x23)

    def test_posted(self):
        self.start('x-posted-interrupts=on')
        descriptor = DATA + 0x40
        entry = (1 | 1 << 15 | 0x33 << 16 | (descriptor & 0xffffffff) >> 6 << 38,
                 1 << 18 | self.dev.sid | descriptor >> 32 << 32)
        self.remap(entry)
        self.unit.store(descriptor, 0, 0, 0, 0, 0x41 << 16, 0, 0, 0)
        self.assertIsNone(self.send())
        self.assertEqual(self.unit.load(descriptor), 1 << 0x33)
        self.assertEqual(self.unit.load(descriptor + 32), 0x41 << 16 | 1)
        self.unit.store(descriptor, 0, 0, 0, 0, 2)  # suppressed
        self.assertIsNone(self.send())
        self.assertEqual(self.unit.load(descriptor), 1 << 0x33)
        self.assertEqual(self.unit.load(descriptor + 32), 2)
        self.remap((entry[0] | 1 << 12, entry[1]))
        self.assertEqual(self.send()[0], 0x24)

    def test_pasid(self):
        """A process's write there is no interrupt."""
        self.start(MODERN + ',pasid-bits=20', FULL_ENDPOINT)
        self.dev.enable()
        self.first(5)
        self.unit.start(True)
        self.assertFalse(self.dev.write(0xfee00000, 1, 5))
        self.expect_fault(0x87, 0xfee00000, 5, False)


class Ats(Setup):
    def setUp(self):
        self.start(SVM, FULL_ENDPOINT)
        self.dev.enable()
        self.root = self.first(5, context=0x1c)
        self.unit.put(vtd.PQA, vtd.PRQ, 8)
        self.unit.start(True)

    def test_translate(self):
        place = self.unit.map(self.root, 4, 0x7000, DATA, 7, flags=7)[-1]
        self.unit.map(self.root, 4, 0x8000, DATA, 5, flags=7)
        self.unit.map(self.root, 4, 0x40000000, 0, 7, 2, flags=7)
        self.assertEqual(self.dev.translate(0x7123, 5, vtd.NO_WRITE), (DATA + 0x123, 1, 12))
        self.assertEqual(self.unit.load(place) & 0x60, 0x20)
        self.assertEqual(self.dev.translate(0x7123, 5), (DATA + 0x123, 3, 12))
        self.assertEqual(self.unit.load(place) & 0x60, 0x60)
        self.assertEqual(self.dev.translate(0x8000, 5), (DATA, 1, 12))  # less, but no fault
        self.assertEqual(self.dev.translate(0x40001000, 5), (0x1000, 3, 21))
        self.assertEqual(self.dev.translate(0x9000, 5)[1], 0)
        self.assertIsNone(self.unit.fault())
        # Used again as it is, without a look at tables.
        self.assertEqual(self.dev.run(vtd.WRITE, DATA, 5, vtd.USE_TRANSLATED, 0x66), 0)
        self.assertEqual(self.unit.load(DATA) & 0xff, 0x66)

    def test_not_permitted(self):
        self.unit.map(self.root, 4, 0x7000, DATA, 7, flags=7)
        self.unit.scalable_context(self.dev.sid, flags=8)
        self.unit.drop_contexts()
        self.assertIsNone(self.dev.translate(0x7000, 5))
        self.expect_fault(0x44, 0x7000, 5, False)
        self.assertEqual(self.dev.run(vtd.WRITE, DATA, 5, vtd.USE_TRANSLATED), vtd.FAILED)
        self.expect_fault(0x44, DATA, 5, False)
        self.assertFalse(self.dev.run(vtd.ASK, 0x7000, 5) == 0)
        self.assertEqual(self.unit.take_fault()[0], 0x47)
        self.unit.scalable_context(self.dev.sid, flags=0x1c)
        self.unit.drop_contexts()
        self.assertIsNone(self.dev.translate(0x7000, 5, vtd.EXECUTE))
        self.assertEqual(self.unit.take_fault()[0], 0x5c)
        self.assertIsNone(self.dev.translate(0x7000, 5, vtd.PRIVILEGED))
        self.assertEqual(self.unit.take_fault()[0], 0x5d)

    def test_rights(self):
        """Execution and privilege, where the PASID's entry allows to ask."""
        unit = self.unit
        unit.map(self.root, 4, 0x7000, DATA, 7, flags=7)
        unit.map(self.root, 4, 0x8000, DATA, 7 | 1 << 63, flags=7)
        unit.map(self.root, 4, 0x9000, DATA, 3, flags=7)
        unit.map(self.root, 4, 0xa000, DATA, 1, flags=7)

        def rights(flags):
            unit.pasid(5, FIRST, self.root, flags=flags)
            unit.submit(7 | 3 << 4)
            unit.drop_all()
            return [(self.dev.translate(page, 5, attrs) or (0, None))[1]
                    for page in (0x7000, 0x8000, 0x9000, 0xa000)
                    for attrs in (0, vtd.EXECUTE, vtd.PRIVILEGED, vtd.EXECUTE | vtd.PRIVILEGED)]

        sre_ere, nxe, smep, wpe = 3, 1 << 5, 1 << 6, 1 << 4
        self.assertEqual(rights(sre_ere), [3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 3, 3, 0, 0, 3, 3])
        self.assertEqual(rights(sre_ere | nxe), [3, 3, 3, 3, 3, 0, 3, 0, 0, 0, 3, 3, 0, 0, 3, 3])
        self.assertEqual(rights(sre_ere | smep), [3, 3, 3, 0, 3, 3, 3, 0, 0, 0, 3, 3, 0, 0, 3, 3])
        self.assertEqual(rights(sre_ere | wpe), [3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 3, 3, 0, 0, 1, 1])

    def test_drops(self):
        sid = self.dev.sid
        for words, addr, size, pasid in (
                ((3 | sid << 32, 0x7000), 0x7000, 0x1000, None),
                ((3 | sid << 32, 0x10000 | 1), 0x10000, 0x2000, None),
                ((3 | sid << 32, 0x13000 | 1), 0x10000, 0x8000, None),
                ((8 | sid << 16 | 5 << 32, 0x7000), 0x7000, 0x1000, 5),
                ((8 | sid << 16 | 5 << 32, 0x1f7000 | 1 << 11), 0x1f0000, 0x10000, 5),
                ((8 | sid << 16, 1 | 0x7ffffffffffff000 | 1 << 11), 0, 0xffffffff, None)):
            before = self.dev.get(vtd.DROPS)
            self.unit.submit(*words)
            self.assertEqual(self.dev.get(vtd.DROPS), before + 1, words)
            self.assertEqual(self.dev.get(vtd.DROP_ADDR), addr)
            self.assertEqual(self.dev.get(vtd.DROP_BYTES), size)
            self.assertEqual(self.dev.get(vtd.DROP_PASID), 0 if pasid is None else 1 << 31 | pasid)
        before = self.dev.get(vtd.DROPS)
        self.unit.submit(3 | (sid + 1) << 32, 0x7000)  # of another
        self.assertEqual(self.dev.get(vtd.DROPS), before)

    def test_page_request(self):
        self.assertEqual(self.dev.run(vtd.TOUCH, 0x9000, 5, data=77), vtd.WAITS)
        self.assertEqual([hex(self.unit.load(vtd.PRQ + 8 * n)) for n in range(4)],
                         [hex(1 | 1 << 8 | self.dev.sid << 16 | 5 << 32), '0x9007', '0x0', '0x0'])
        self.assertEqual(self.unit.get(vtd.PQT), 32)
        self.assertEqual(self.unit.get(vtd.PRS), 1)
        self.assertEqual(self.unit.get(vtd.PECTL), 0xc0000000)
        self.unit.put(vtd.PRS, 1)
        self.assertEqual(self.unit.get(vtd.PECTL), 0x80000000)
        self.unit.map(self.root, 4, 0x9000, DATA, 7, flags=7)
        self.unit.submit(9 | 1 << 4 | self.dev.sid << 16 | 6 << 32, 0)  # of another PASID
        self.assertEqual(self.dev.get(vtd.ANSWERS), 0)
        self.unit.submit(9 | 1 << 4 | self.dev.sid << 16 | 5 << 32, 0)
        self.assertEqual(self.dev.get(vtd.TSTATUS), 0)
        self.assertEqual(self.unit.load(DATA) & 0xffffffff, 77)
        self.unit.submit(9 | 1 << 4 | self.dev.sid << 16 | 5 << 32, 0)  # once more: nobody asked
        self.assertEqual(self.dev.get(vtd.ANSWERS), 1)
        self.assertEqual(self.unit.get(vtd.FSTS), 0)

    def test_refused_page(self):
        self.assertEqual(self.dev.run(vtd.TOUCH, 0x9000, 5, data=77), vtd.WAITS)
        self.unit.submit(9 | 1 << 4 | 1 << 12 | self.dev.sid << 16 | 5 << 32, 0)
        self.assertEqual(self.dev.get(vtd.TSTATUS), vtd.FAILED)
        self.assertEqual(self.dev.get(vtd.ANSWER) >> 16, 1)

    def test_what_is_asked(self):
        """For execution and in privileged mode; never for execution without reading."""
        for n, (attrs, asks, bits) in enumerate((
                (vtd.EXECUTE, vtd.ASK_READ, 1 << 52), (vtd.PRIVILEGED, vtd.ASK_READ | vtd.ASK_WRITE, 1 << 53),
                (vtd.EXECUTE | vtd.PRIVILEGED, vtd.ASK_READ, 3 << 52), (0, vtd.ASK_WRITE, 0))):
            self.dev.put(vtd.GROUP, n | asks)
            self.assertEqual(self.dev.run(vtd.ASK, 0x9000, 5, attrs), 0)
            low, high = (self.unit.load(vtd.PRQ + 32 * n + at) for at in (0, 8))
            self.assertEqual((hex(low), hex(high)), (hex(bits | 1 | 1 << 8 | self.dev.sid << 16 | 5 << 32),
                                                     hex(0x9000 | n << 3 | asks >> 17)))
        self.dev.put(vtd.GROUP, 9 | vtd.LAST)
        self.assertEqual(self.dev.run(vtd.ASK, 0x9000, 5, vtd.EXECUTE), vtd.FAILED)
        self.assertEqual(self.unit.get(vtd.PQT), 4 * 32)
        self.assertIsNone(self.unit.fault())

    def test_not_enabled(self):
        """What configuration space does not allow is not asked."""
        for reg, value, on in ((0x114, 0, 1), (0x126, 0, 7)):
            self.dev.express(reg, value)
            self.assertEqual(self.dev.run(vtd.ASK, 0x9000, 5), vtd.FAILED)
            self.dev.express(reg, on)
        self.dev.pci.write(self.dev.sid, 4, 2, 2)
        self.assertEqual(self.dev.run(vtd.ASK, 0x9000, 5), vtd.FAILED)
        self.assertEqual(self.unit.get(vtd.PQT), 0)

    def test_overflow(self):
        """One less than the queue has room for; then nothing until the guest is through."""
        room = 4096 // 32
        self.unit.put(vtd.PECTL, 0)
        for n in range(room - 1):
            self.dev.put(vtd.GROUP, n | vtd.LAST | vtd.ASK_READ)
            if n < 64:  # credits of the device
                self.assertEqual(self.dev.run(vtd.ASK, 0x9000 + n * 4096, 5), 0, n)
            else:
                self.assertEqual(self.dev.run(vtd.ASK, 0x9000 + n * 4096, 5), 0, n)
            if n % 2:
                self.unit.submit(9 | 1 << 4 | self.dev.sid << 16 | 5 << 32, n << 3)
                self.unit.submit(9 | 1 << 4 | self.dev.sid << 16 | 5 << 32, n - 1 << 3)
        self.assertEqual(self.unit.get(vtd.PRS), 1)
        self.dev.put(vtd.GROUP, 0 | vtd.LAST | vtd.ASK_READ)
        self.assertEqual(self.dev.run(vtd.ASK, 0x9000, 5), vtd.FAILED)
        self.assertEqual(self.unit.get(vtd.PRS), 3)
        self.unit.put(vtd.PQH, self.unit.get(vtd.PQT), 8)
        self.assertEqual(self.dev.run(vtd.ASK, 0x9000, 5), vtd.FAILED)
        self.unit.put(vtd.PRS, 3)
        self.assertEqual(self.dev.run(vtd.ASK, 0x9000, 5), 0)
        self.assertEqual(self.unit.get(vtd.PRS), 1)


class VirtualCommands(Setup):
    LAYOUTS = {'3.0': (0x00, 0x10, 0x20, 8, 8, 2, 2), '3.3': (0x30, 0x00, 0x10, 16, 16, 16, 16)}

    def test_commands(self):
        for name, (cap, command, response, operand, result, none, bad) in self.LAYOUTS.items():
            self.start(f'{MODERN},pasid-bits=4,x-vcmd={name}')

            def run(value, size=8):
                self.unit.put(0xe00 + command, value, size)
                return self.unit.get(0xe00 + response, 8)

            self.assertEqual(self.unit.get(0xe00 + cap, 8), 1)
            for pasid in range(1, 16):
                self.assertEqual(run(1), pasid << result)
            self.assertEqual(run(1), none << 1)
            self.assertEqual(run(2 | 15 << operand), 0)
            self.assertEqual(run(2 | 15 << operand), bad << 1)
            self.assertEqual(run(2 | 0 << operand), bad << 1)
            self.assertEqual(run(2 | 16 << operand), bad << 1)
            self.assertEqual(run(77), 1 << 1)
            self.assertEqual(run(1), 15 << result)
            # By halves: the lower one runs it, with the upper one as it was last.
            self.unit.put(0xe00 + command + 4, 0)
            self.assertEqual(self.unit.get(0xe00 + response, 8), 15 << result)
            self.assertEqual(run(2 | 3 << operand, 4), 0)
            self.assertEqual(run(1, 4), 3 << result)
            self.vm.qmp('system_reset')
            self.vm.qmp.wait_event('RESET')
            self.assertEqual(self.unit.get(0xe00 + response, 8), 0)
            self.assertEqual(run(1), 1 << result)

    def test_last_pasid(self):
        self.start(f'{MODERN},pasid-bits=20,x-vcmd=3.3')
        for _ in range(3):
            self.unit.put(0xe00, 1, 8)
        self.unit.put(0xe00, 2 | 0xfffff << 16, 8)
        self.assertEqual(self.unit.get(0xe10, 8), 16 << 1)

    def test_absent(self):
        self.start(f'{MODERN},pasid-bits=20')
        self.unit.put(0xe00, 1, 8)
        self.assertEqual(self.unit.get(0xe10, 8), 0)


class Migration(unittest.TestCase):
    def test_round_trip(self):
        unit_args = SVM + ',x-vcmd=3.3'
        with tempfile.TemporaryDirectory() as folder:
            stream = f'exec:cat > {folder}/state'
            with machine(unit_args, FULL_ENDPOINT) as vm:
                unit, dev = Vtd(vm), Endpoint(vm)
                dev.enable()
                root = unit.table()
                unit.map(root, 4, 0x7000, DATA, 7, flags=7)
                unit.scalable_context(dev.sid, flags=0x1c)
                unit.pasid(0, PASS)
                unit.pasid(5, FIRST, root)
                unit.put(vtd.PQA, vtd.PRQ, 8)
                unit.put(vtd.IRTA, vtd.IRTES, 8)
                unit.command(vtd.SIRTP)
                unit.command(vtd.IRE)
                unit.start(True)
                unit.put(0xe00, 1, 8)
                dev.run(vtd.ASK, 0x9000, 5)
                tail = unit.tail
                before = [unit.get(at) for at in range(0, 0x1000, 4)]
                vm.qmp('migrate', uri=stream)
                while vm.qmp('query-migrate')['status'] not in ('completed', 'failed'):
                    pass
                self.assertEqual(vm.qmp('query-migrate')['status'], 'completed')
            with Vm(house.binary(), '-M', 'q35', '-m', '512', '-nodefaults', '-device',
                    'intel-iommu,' + unit_args, '-device', FULL_ENDPOINT, '-incoming',
                    f'exec:cat {folder}/state', qtest=True) as vm:
                while vm.qmp('query-status')['status'] == 'inmigrate':
                    pass
                unit, dev = Vtd(vm), Endpoint.__new__(Endpoint)
                dev.vm, dev.bar, dev.sid = vm, vtd.BAR, vtd.SLOT
                self.assertEqual([unit.get(at) for at in range(0, 0x1000, 4)], before)
                self.assertTrue(dev.write(0x7000, 0x99, 5))
                self.assertEqual(unit.load(DATA), 0x99)
                unit.tail, unit.width = tail, 32
                self.assertTrue(unit.wait())
                unit.put(0xe00, 1, 8)
                self.assertEqual(unit.get(0xe10, 8), 2 << 16)
            done = Vm(house.binary(), '-M', 'q35', '-m', '512', '-nodefaults', '-device',
                      'intel-iommu,fs1gp=off,' + unit_args, '-device', FULL_ENDPOINT, '-incoming',
                      f'exec:cat {folder}/state', qtest=True, status=1)
            self.assertEqual(done.wait(), 1)
            self.assertIn('capability mismatch', done.stderr)
            done.release()


class Tables(unittest.TestCase):
    def dmar(self, *args):
        with Vm(house.binary(), '-M', 'q35', '-nodefaults', *args, qtest=True) as vm:
            tables = dict(acpi.split(FwCfg(vm).file('etc/acpi/tables')))
        return tables['DMAR']

    def test_unit(self):
        table = self.dmar('-device', 'intel-iommu,aw-bits=48')
        self.assertEqual(table[36:38], bytes([47, 1]))
        self.assertEqual(table[48:64], struct.pack('<HHBBHQ', 0, 24, 1, 0, 0, 0xfed90000))
        self.assertEqual(table[64:], bytes([3, 8, 0, 0, 0, 0xff, 0, 0]))
        table = self.dmar('-device', 'intel-iommu,intremap=off,device-iotlb=on')
        self.assertEqual(table[36:38], bytes([38, 0]))
        self.assertEqual(table[48:], struct.pack('<HHBBHQHHBBH', 0, 16, 1, 0, 0, 0xfed90000,
                                                 2, 8, 1, 0, 0))

    def test_bypass(self):
        """What passes by is in no scope."""
        table = self.dmar('-device', 'intel-iommu', '-device',
                          'pxb-pcie,bus_nr=0x20,bypass_iommu=on', '-device', 'edu,addr=7,bus=pcie.0')
        self.assertEqual(table[52], 0)
        scopes = [table[at:at + 8] for at in range(64, 48 + table[50], 8)]
        self.assertIn(bytes([1, 8, 0, 0, 0, 0, 7, 0]), scopes)
        self.assertFalse([s for s in scopes if s[5] == 0x20])

    @unittest.skipUnless(acpi.IASL, 'iasl is not installed')
    def test_iasl(self):
        for args in (('-device', 'intel-iommu'), ('-device', 'intel-iommu,device-iotlb=on'),
                     ('-device', 'intel-iommu,device-iotlb=on', '-device',
                      'pxb-pcie,bus_nr=0x20,bypass_iommu=on')):
            self.assertIn('DMA Remapping', acpi.disassemble(self.dmar(*args)))


if __name__ == '__main__':
    house.main()
