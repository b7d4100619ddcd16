# SPDX-License-Identifier: GPL-2.0-or-later
"""intel-iommu without an operating system: registers, properties, translation, faults, commands.
Numbers of the VT-d specification are spelled out, so that they are checked, not repeated."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import vtd  # noqa: E402
from vm import Vm, refusal  # noqa: E402
from vtd import DATA, FIRST, NESTED, PASS, SECOND, Endpoint, Vtd  # noqa: E402

MODERN = 'x-scalable-mode=on,x-flts=on'
SVM = MODERN + ',pasid-bits=20,device-iotlb=on,svm=on'
FULL_ENDPOINT = 'iommu-testdev,addr=4,ats=on,pri=on,pasid-bits=20'


def machine(unit='', endpoint='iommu-testdev,addr=4', *args):
    """As wide as the newest: the board's releases have 39 bits."""
    return Vm(house.binary(), '-M', 'q35', '-m', '512', '-nodefaults', '-global',
              'intel-iommu.x-usual-aw-bits=48', '-device', 'intel-iommu' + (',' + unit if unit else ''),
              '-device', endpoint, *args, qtest=True)


class Releases(unittest.TestCase):
    def test_defaults(self):
        """Up to 9.1 addresses have 39 bits, where there is no first stage, and TM is ignored."""
        for board in 'q35', 'pc-q35-7.2':
            for unit, bits in ('', 39), (',aw-bits=48', 48), (',' + MODERN, 48):
                with self.subTest(board=board, unit=unit), Vm(
                        house.binary(), '-M', board, '-nodefaults', '-device', 'intel-iommu,id=u' + unit,
                        qtest=True) as vm:
                    self.assertEqual([vm.qmp('qom-get', path='u', property=name)
                                      for name in ('aw-bits', 'x-aw-bits', 'stale-tm')], [bits, bits, True])


class Setup(unittest.TestCase):
    def start(self, unit='', endpoint='iommu-testdev,addr=4'):
        self.vm = machine(unit, endpoint)
        self.vm.__enter__()
        self.addCleanup(self.vm.__exit__, None, None, None)
        self.unit, self.dev = Vtd(self.vm), Endpoint(self.vm)

    def expect_fault(self, code, addr, pasid=None, is_read=True):
        self.assertEqual(self.unit.take_fault(),
                         (code, self.dev.sid, addr & ~0xfff, pasid, is_read), hex(code))

    # --- states to start from ---

    def legacy(self, aw=2, levels=None, tt=0):
        root = self.unit.table()
        self.unit.legacy_context(self.dev.sid, root | tt << 2 | 1, 1 << 8 | aw)
        return root

    def first(self, pasid=0, flags=0, context=8, **more):
        """A first-stage table behind `pasid`, requests without one pass through."""
        root = self.unit.table()
        self.unit.scalable_context(self.dev.sid, flags=context)
        if pasid:
            self.unit.pasid(0, PASS, domain=9)
        self.unit.pasid(pasid, FIRST, root, flags=flags, **more)
        return root


class Registers(Setup):
    def test_capabilities(self):
        for unit, cap, ecap in (
                ('eim=on', 0x80D2008C222F0606, 0x0000000000F00F5A),
                ('', 0x80D2008C222F0606, 0x0000000000F00F4A),
                ('eim=on,caching-mode=on', 0x80D2008C222F0686, 0x0000000000F00F5A),
                ('eim=on,aw-bits=39', 0x80D2008C22260206, 0x0000000000F00F5A),
                ('intremap=off', 0x80D2008C222F0606, 0x0000000000000F42),
                ('dma-translation=off', 0x80D2008C222F0006, 0x0000000000F00F4A),
                ('eim=on,x-scalable-mode=on', 0x80D2008C222F0606, 0x0000480080F00F5A),
                ('eim=on,x-scalable-mode=legacy', 0x80D2008C222F0606, 0x0000480080F00F5A),
                ('eim=on,' + MODERN, 0x81D2008C222F0606, 0x0000880000F00F5A),
                ('eim=on,fs1gp=off,' + MODERN, 0x80D2008C222F0606, 0x0000880000F00F5A),
                # As without coherent walks (SMPWCS), which Linux wants to see.
                ('eim=on,' + SVM, 0x81D2008C222F0606, 0x00018D9A20F00F5E),
                ('eim=on,x-coherent-walks=on', 0x80D2008C222F0606, 0x0000000000F00F5B),
                ('eim=on,x-coherent-walks=on,' + MODERN, 0x81D2008C222F0606, 0x0001880000F00F5B),
                ('snoop-control=on,pt=off', 0x80D2008C222F0606, 0x0000000000F00F8A)):
            with self.subTest(unit), machine(unit) as vm:
                self.assertEqual(hex(Vtd(vm).get(vtd.CAP, 8)), hex(cap))
                self.assertEqual(hex(Vtd(vm).get(vtd.ECAP, 8)), hex(ecap))

    def dump(self, vm):
        return [Vtd(vm).get(at) for at in range(0, 0x1000, 4)]

    def test_spellings(self):
        """Old and new names of one thing give the same registers."""
        for many in (('x-scalable-mode=modern', 'scalable-mode=modern',
                      'scalable-mode=on,fsts=on,pasid-bits=20,x-vcmd=3.3',
                      'x-scalable-mode=on,x-flts=on,x-pasid-mode=on,x-vcmd=3.3',
                      'scalable-mode=yes,flts=on,pasid-bits=20,x-vcmd=3.3'),
                     ('x-scalable-mode=legacy', 'scalable-mode=on'), ('aw-bits=39', 'x-aw-bits=39'),
                     ('x-scalable-mode=modern,pasid-bits=8', 'flts=on,scalable-mode=on,pasid-bits=8,'
                      'x-vcmd=3.3')):
            seen = []
            for unit in many:
                with machine(unit) as vm:
                    seen.append(self.dump(vm))
            for unit, dump in zip(many, seen):
                self.assertEqual(dump, seen[0], unit)

    def test_refusals(self):
        for unit, why in (
                ('eim=on,intremap=off', 'eim=on'), ('x-flts=on', 'x-flts'),
                ('aw-bits=47', 'aw-bits'), ('x-scalable-mode=on,aw-bits=57', 'aw-bits'),
                (MODERN + ',aw-bits=39', 'aw-bits'), ('pasid-bits=20', 'pasid-bits'),
                ('x-scalable-mode=on,dma-drain=off', 'dma-drain'),
                *(('x-scalable-mode=weird', word) for word in ('x-scalable-mode', 'off', 'legacy', 'modern')),
                (MODERN + ',pasid-bits=21', 'pasid-bits'), (MODERN + ',svm=on', 'device-iotlb'),
                ('x-scalable-mode=on,pasid-bits=20,device-iotlb=on,svm=on', 'x-flts'),
                (MODERN + ',device-iotlb=on,svm=on', 'pasid-bits'),
                (SVM + ',dma-translation=off', 'dma-translation'), ('x-vcmd=3.0', 'x-vcmd'),
                ('x-scalable-mode=on,x-nesting=on', 'x-nesting'),
                ('intremap=off,x-posted-interrupts=on', 'x-posted-interrupts')):
            with self.subTest(unit):
                self.assertIn(why, refusal(house.binary(), '-M', 'q35', '-device',
                                           'intel-iommu,' + unit))
        self.assertIn('q35', refusal(house.binary(), '-M', 'pc', '-device', 'intel-iommu'))
        self.assertIn('multiple', refusal(house.binary(), '-M', 'q35', '-device', 'intel-iommu',
                                          '-device', 'intel-iommu'))

    def test_masks(self):
        """What a write can change, and what it cannot."""
        self.start(SVM)
        for at, mask in ((vtd.VER, 0x10), (vtd.GSTS, 0), (vtd.RTADDR, 0xfffffc00), (vtd.FSTS, 0),
                         (vtd.FEDATA, 0xffff), (vtd.FEADDR, 0xfffffffc), (vtd.FEUADDR, 0xffffffff),
                         (vtd.IQA, 0xfffff807), (vtd.IQA + 4, 0xffffffff), (vtd.IEDATA, 0xffffffff),
                         (vtd.IRTA, 0xfffff80f), (vtd.IVA, 0), (0x58, 0), (0x64, 0), (0x68, 0),
                         (vtd.PQH, 0x7ffe0), (vtd.PQT, 0x7ffe0), (vtd.PQA, 0xfffff007),
                         (vtd.PRS, 0), (vtd.PEDATA, 0xffff), (0x100, 0), (vtd.FRCD, 0),
                         (vtd.FECTL, 0x80000000), (vtd.IECTL, 0x80000000), (vtd.PECTL, 0x80000000)):
            self.unit.put(at, 0xffffffff)
            self.assertEqual(hex(self.unit.get(at)), hex(mask), hex(at))
        self.unit.put(vtd.IQT, 0xffffffffffffffff, 8)
        self.assertEqual(self.unit.get(vtd.IQT, 8), 0x7fff0)
        self.unit.put(vtd.RTADDR, 0x123456789abcdfff, 8)
        self.assertEqual(self.unit.get(vtd.RTADDR, 8), 0x123456789abcdc00)

    def test_no_page_requests(self):
        self.start()
        self.unit.put(vtd.PQA, 0xffffffffffffffff, 8)
        self.assertEqual(self.unit.get(vtd.PQA, 8), 0)
        self.assertEqual(self.unit.get(vtd.PECTL), 0)

    def test_reset(self):
        for unit in ('', 'x-scalable-mode=on', SVM, 'x-scalable-mode=modern'):
            with self.subTest(unit), machine(unit) as vm:
                fresh = self.dump(vm)
                for at in range(0, 0x1000, 4):
                    if at not in (vtd.GCMD, vtd.IQT):
                        Vtd(vm).put(at, 0xa5a5a5a5 ^ at)
                Vtd(vm).start(bool(unit))
                vm.qmp('system_reset')
                vm.qmp.wait_event('RESET')
                self.assertEqual(self.dump(vm), fresh)

    def test_any_access(self):
        """Nothing a guest writes anywhere harms."""
        self.start(SVM + ',x-vcmd=3.3,x-nesting=on')
        for value in (0, 0xffffffffffffffff, 0x8888888811111111, 0x10fff):
            for at in range(0, 0x1000, 4):
                self.unit.get(at, 4 + at % 8)
                self.unit.put(at, value & ((1 << 32) - 1 if at % 8 else ~0), 4 if at % 8 else 8)
                self.dev.write(0x1000, 1)
        for at in range(0, 0x1000):  # not at their size, and of parts of registers
            for kind in 'bwlq':
                self.vm.qtest(f'read{kind} {vtd.BASE + at:#x}')
                self.vm.qtest(f'write{kind} {vtd.BASE + at:#x} 0xa5')
        self.assertEqual(self.unit.get(vtd.VER), 0x10)

    def test_old_machines(self):
        """x-buggy-eim is taken, with a word of warning."""
        vm = machine('x-buggy-eim=on')
        self.assertEqual(Vtd(vm).get(vtd.ECAP, 8), 0xf00f5a)
        vm.end()
        self.assertIn('x-buggy-eim', vm.stderr)
        vm.release()

    def test_handshakes(self):
        self.start()
        for bit in (vtd.QIE, vtd.SRTP, vtd.SIRTP, vtd.IRE, vtd.CFI, vtd.TE):
            self.assertTrue(self.unit.command(bit), bit)
        for bit in (vtd.TE, vtd.IRE, vtd.CFI, vtd.QIE):
            self.assertTrue(self.unit.command(bit, False), bit)
        # A queue that has something already.
        self.unit.clear(vtd.QUEUE)
        self.unit.store(vtd.STATUS, 0)
        self.unit.store(vtd.QUEUE, 5 | 1 << 5 | 7 << 32, vtd.STATUS)
        self.unit.put(vtd.IQA, vtd.QUEUE, 8)
        self.unit.put(vtd.IQT, 16, 8)
        self.assertTrue(self.unit.command(vtd.QIE))
        self.assertEqual(self.unit.load(vtd.STATUS), 7)
        self.assertEqual(self.unit.get(vtd.IQH, 8), 16)


class Translation(Setup):
    def test_off(self):
        self.start()
        self.assertEqual(self.dev.pattern(DATA, DATA), 0)

    def test_legacy(self):
        for aw, levels, width in ((1, 3, 39), (2, 4, 48)):
            self.start()
            root = self.legacy(aw)
            top = (1 << width) - 0x1000
            self.unit.map(root, levels, 0x5000, DATA, 3)
            self.unit.map(root, levels, top, DATA + 0x3000, 3)
            self.unit.map(root, levels, 0x40000000, 0, 3, level=2)
            self.unit.map(root, levels, 0x80000000, 0, 3, level=3)
            self.unit.start()
            self.assertEqual(self.dev.pattern(0x5008, DATA + 8, 64), 0)
            self.assertEqual(self.dev.pattern(top, DATA + 0x3000, 4096), 0)
            self.assertEqual(self.dev.pattern(0x40000000 + 0x1ff000, 0x1ff000), 0)
            self.assertEqual(self.dev.pattern(0x80000000 + DATA + 0x12345, DATA + 0x12345), 0)
            self.assertIsNone(self.unit.fault())

    def test_over_pages(self):
        self.start()
        root = self.legacy()
        self.unit.map(root, 4, 0x5000, DATA + 0x1000, 3)
        self.unit.map(root, 4, 0x6000, DATA + 0x8000, 3)
        self.unit.start()
        self.assertTrue(self.dev.write(0x5ffe, 0x44332211))
        self.assertEqual(self.unit.load(DATA + 0x1ff8) >> 48, 0x2211)
        self.assertEqual(self.unit.load(DATA + 0x8000) & 0xffff, 0x4433)
        self.assertEqual(self.dev.read(0x5ffe), 0x44332211)

    def test_legacy_pass_through(self):
        self.start()
        self.unit.legacy_context(self.dev.sid, 2 << 2 | 1, 1 << 8 | 2)
        self.unit.start()
        self.assertEqual(self.dev.pattern(DATA, DATA), 0)
        # It goes another way when its entry does and the cache is told.
        self.unit.legacy_context(self.dev.sid, self.unit.table() | 1, 1 << 8 | 2)
        self.unit.drop_contexts()
        self.assertFalse(self.dev.write(DATA, 1))

    def test_scalable(self):
        for mode, unit in ((SECOND, 'x-scalable-mode=on'), (PASS, 'x-scalable-mode=on'),
                           (FIRST, MODERN), (PASS, MODERN)):
            with self.subTest(mode=mode):
                self.start(unit)
                root = self.unit.table()
                flags = 7 if mode == FIRST else 3
                for level, iova in ((1, 0x5000), (2, 0x40000000), (3, 0x80000000)):
                    self.unit.map(root, 4, iova, DATA if level == 1 else 0, flags, level, flags)
                self.unit.scalable_context(self.dev.sid)
                self.unit.pasid(0, mode, root)
                self.unit.start(True)
                if mode == PASS:
                    self.assertEqual(self.dev.pattern(DATA, DATA), 0)
                    continue
                self.assertEqual(self.dev.pattern(0x5010, DATA + 0x10), 0)
                self.assertEqual(self.dev.pattern(0x40000000 + 0x1f0000, 0x1f0000), 0)
                self.assertEqual(self.dev.pattern(0x80000000 + DATA, DATA), 0)

    def test_nested(self):
        self.start(MODERN + ',x-nesting=on,pasid-bits=20', FULL_ENDPOINT)
        self.dev.enable()
        second = self.unit.table()
        # The first stage's addresses are 0x10000000 above where they are.
        base = 0x10000000
        for page in range(0x400000, 0x500000, 0x1000):
            self.unit.map(second, 4, base + page, page, 3)
        first = self.unit.table()
        saved = self.unit.free
        places = self.unit.map(first, 4, 0x7000, base + 0x123000, 7, flags=7)
        for place in places[:-1]:
            self.unit.store(place, self.unit.load(place) + base)
        self.unit.map(second, 4, base + 0x123000, DATA, 3)
        self.unit.scalable_context(self.dev.sid, flags=8)
        self.unit.pasid(0, PASS)
        self.unit.pasid(5, NESTED, base + first, second=second)
        self.unit.start(True)
        self.assertLess(saved, 0x500000)
        self.assertTrue(self.dev.write(0x7010, 0x77, 5))
        self.assertEqual(self.unit.load(DATA + 0x10), 0x77)
        self.assertEqual(self.unit.load(places[-1]) & 0x60, 0x60)
        # The second stage changes under it.
        self.unit.map(second, 4, base + 0x123000, DATA + 0x1000, 3)
        self.unit.drop_pages(1, base + 0x123000)
        self.assertTrue(self.dev.write(0x7010, 0x78, 5))
        self.assertEqual(self.unit.load(DATA + 0x1010), 0x78)
        # Read-only there, and then nothing.
        self.unit.map(second, 4, base + 0x123000, DATA + 0x1000, 1)
        self.unit.drop_pages(1, base + 0x123000)
        self.assertFalse(self.dev.write(0x7010, 0x79, 5))
        self.expect_fault(0x85, 0x7000, 5, False)
        self.unit.map(second, 4, base + first, first, 0)
        self.unit.drop_all()
        self.assertIsNone(self.dev.read(0x7010, 5))
        self.expect_fault(0x75, 0x7000, 5)
        self.unit.map(second, 4, base + first, first, 1)  # A bits cannot be set
        self.unit.store(places[0], self.unit.load(places[0]) & ~0x20)
        self.unit.drop_all()
        self.assertIsNone(self.dev.read(0x7010, 5))
        self.expect_fault(0x77, 0x7000, 5)

    def test_five_levels(self):
        self.start(MODERN + ',pasid-bits=20,fs5lp=on,aw-bits=57', FULL_ENDPOINT)
        self.dev.enable()
        root = self.first(3, flags=1 << 2)
        self.unit.map(root, 5, 0xff123456789000, DATA, 7, flags=7)
        self.unit.start(True)
        self.assertTrue(self.dev.write(0xff123456789000, 0x55, 3))
        self.assertEqual(self.unit.load(DATA), 0x55)
        self.assertIsNone(self.dev.read(0x1ff123456789000, 3))
        self.expect_fault(0x80, 0x1ff123456789000, 3)

    def test_accessed_and_dirty(self):
        self.start(MODERN + ',pasid-bits=20', FULL_ENDPOINT)
        self.dev.enable()
        root = self.first(3)
        places = self.unit.map(root, 4, 0x7000, DATA, 7, flags=7)
        self.unit.start(True)

        def bits():
            return [self.unit.load(place) & 0x460 for place in places]

        self.assertEqual(bits(), [0, 0, 0, 0])
        self.assertIsNotNone(self.dev.read(0x7000, 3))
        self.assertEqual(bits(), [0x20, 0x20, 0x20, 0x20])
        self.assertTrue(self.dev.write(0x7000, 1, 3))  # A is there already
        self.assertEqual(bits(), [0x20, 0x20, 0x20, 0x60])
        self.unit.pasid(3, FIRST, root, flags=1 << 7)  # EAFE
        self.unit.submit(7 | 3 << 4)
        self.unit.drop_pasid_pages(1, 3)
        self.assertIsNotNone(self.dev.read(0x7000, 3))
        self.assertEqual(bits(), [0x420, 0x420, 0x420, 0x460])
        # A large page.
        place = self.unit.map(root, 4, 0x40000000, 0, 7, 2, flags=7)[-1]
        self.assertTrue(self.dev.write(0x40000000 + 0x1ff000, 1, 3))
        self.assertEqual(self.unit.load(place) & 0x60, 0x60)

    def test_pasids(self):
        """Each has tables of its own, and none is the requester's."""
        self.start(MODERN + ',pasid-bits=20', FULL_ENDPOINT)
        self.dev.enable()
        self.unit.scalable_context(self.dev.sid, flags=8)
        self.unit.pasid(0, PASS, domain=9)
        for pasid in range(1, 12):
            root = self.unit.table()
            self.unit.map(root, 4, 0x7000, DATA + 0x1000 * pasid, 7, flags=7)
            self.unit.pasid(pasid, FIRST, root)
        self.unit.start(True)
        for _ in range(2):
            for pasid in range(1, 12):
                self.assertTrue(self.dev.write(0x7000, pasid, pasid))
        for pasid in range(1, 12):
            self.assertEqual(self.unit.load(DATA + 0x1000 * pasid), pasid)
        self.assertEqual(self.dev.pattern(DATA, DATA), 0)

    def test_edu(self):
        """Another device of ours behind it."""
        with machine('', 'edu,addr=4,dma_mask=0xffffffff') as vm:
            unit, dev = Vtd(vm), Endpoint(vm)
            root = unit.table()
            unit.legacy_context(dev.sid, root | 1, 1 << 8 | 2)
            unit.map(root, 4, 0x5000, DATA, 3)
            unit.start()
            for where, value in ((0x80, 0x5000), (0x88, 0x40000), (0x90, 64), (0x98, 1)):
                vm.qtest(f'writeq {dev.bar + where:#x} {value:#x}')
            unit.store(DATA, 0x1122334455667788)
            vm.qtest('clock_step 200000000')
            for where, value in ((0x80, 0x40000), (0x88, 0x5800), (0x90, 64), (0x98, 3)):
                vm.qtest(f'writeq {dev.bar + where:#x} {value:#x}')
            vm.qtest('clock_step 200000000')
            self.assertEqual(unit.load(DATA + 0x800), 0x1122334455667788)
            self.assertIsNone(unit.fault())
            vm.qtest(f'writeq {dev.bar + 0x88:#x} 0x9000')
            vm.qtest(f'writeq {dev.bar + 0x98:#x} 3')
            vm.qtest('clock_step 200000000')
            self.assertEqual(unit.fault(), (5, dev.sid, 0x9000, None, False))


class Faults(Setup):
    def test_legacy_tables(self):
        self.start()
        far = 0x3fffffff000  # where no memory is
        unit, sid = self.unit, self.dev.sid
        root = unit.table()

        def entry(lo, hi=1 << 8 | 2):
            return lambda: unit.legacy_context(sid, lo, hi)

        steps = [
            (0x1, lambda: unit.store(vtd.ROOT, 0, 0)),
            (0xa, lambda: unit.store(vtd.ROOT, vtd.CONTEXT | 3, 0)),
            (0xa, lambda: unit.store(vtd.ROOT, vtd.CONTEXT | 1, 1)),
            (0x9, lambda: unit.store(vtd.ROOT, far | 1, 0)),
            (0x2, entry(0)), (0xb, entry(root | 0x11)), (0xb, entry(root | 1, 1 << 24 | 2)),
            (0x3, entry(root | 1, 1 << 8 | 4)), (0x3, entry(root | 1 | 3 << 2)),
            (0x3, entry(root | 1 | 1 << 2)),  # wants ATS
            (0x3, entry(far | 1)), (0x6, entry(root | 1)),
        ]
        unit.start()
        for code, prepare in steps:
            prepare()
            unit.drop_contexts()
            unit.drop_all()
            self.assertIsNone(self.dev.read(0x7000))
            self.expect_fault(code, 0x7000)
        unit.put(vtd.RTADDR, far, 8)
        unit.command(vtd.SRTP)
        self.assertIsNone(self.dev.read(0x7000))
        self.expect_fault(0x8, 0x7000)

    def test_legacy_pages(self):
        self.start()
        unit, root = self.unit, self.legacy()
        unit.start()
        self.assertIsNone(self.dev.read(1 << 48))
        self.expect_fault(0x4, 1 << 48)
        self.assertFalse(self.dev.write(0x7000, 1))
        self.expect_fault(0x5, 0x7000, None, False)
        unit.map(root, 4, 0x7000, DATA, 1)
        unit.map(root, 4, 0x8000, DATA, 2)
        unit.map(root, 4, 0x9000, 0xfee00000, 3)
        unit.map(root, 4, 0xa000, DATA, 3 | 1 << 11)
        unit.map(root, 4, 0xb000, DATA, 3 | 1 << 62)
        unit.map(root, 4, 0x40000000, 0x1000, 3, 2)
        unit.store(root + 8, 0x3fffffff000 | 3)
        unit.drop_all()
        self.assertIsNotNone(self.dev.read(0x7000))
        self.assertFalse(self.dev.write(0x7000, 1))
        self.expect_fault(0x5, 0x7000, None, False)
        self.assertTrue(self.dev.write(0x8000, 1))
        self.assertIsNone(self.dev.read(0x8000))
        self.expect_fault(0x6, 0x8000)
        for code, addr in ((0xe, 0x9000), (0xc, 0xa000), (0xc, 0xb000), (0xc, 0x40000000),
                           (0x7, 1 << 39)):
            self.assertIsNone(self.dev.read(addr))
            self.expect_fault(code, addr)

    def test_scalable_tables(self):
        self.start(MODERN + ',pasid-bits=20', FULL_ENDPOINT)
        self.dev.enable()
        far = 0x3fffffff000
        unit, sid = self.unit, self.dev.sid
        root = unit.table()
        context = vtd.CONTEXT + 32 * sid

        def healthy():
            unit.scalable_context(sid, flags=8)
            unit.pasid(0, PASS, domain=9)
            unit.pasid(5, FIRST, root)
            unit.pasid(0x3f, FIRST, root)

        good = vtd.DIRECTORY | 7 << 9 | 9
        entry = vtd.PASIDS + 64 * 5
        steps = [
            (0x39, lambda: unit.store(vtd.ROOT, 0)),
            (0x3a, lambda: unit.store(vtd.ROOT, vtd.CONTEXT | 3)),
            (0x40, lambda: unit.store(vtd.ROOT, far | 1)),
            (0x41, lambda: unit.store(context, 0)),
            (0x42, lambda: unit.store(context, good | 1 << 5)),
            (0x42, lambda: unit.store(context, good | 4)),     # a device TLB, which there is not
            (0x42, lambda: unit.store(context, good | 16)),    # page requests
            (0x42, lambda: unit.store(context, good, 1 << 21)),
            (0x42, lambda: unit.store(context, good, 0, 1)),
            (0x45, lambda: unit.store(context, good & ~8)),
            (0x48, lambda: unit.store(context, good, 1)),
            (0x43, lambda: unit.pasid(0, PASS, present=0)),    # nothing for requests without PASID
            (0x43, lambda: unit.pasid(0, SECOND)),
            (0x50, lambda: unit.store(context, far | 9)),
            (0x51, lambda: unit.store(vtd.DIRECTORY, 0)),
            (0x52, lambda: unit.store(vtd.DIRECTORY, vtd.PASIDS | 5)),
            (0x58, lambda: unit.store(vtd.DIRECTORY, far | 1)),
            (0x59, lambda: unit.store(entry, 0)),
            (0x5a, lambda: unit.store(entry, 1 << 6 | 1 | 1 << 5)),
            (0x5a, lambda: unit.store(entry + 24, 1)),
            (0x5b, lambda: unit.store(entry, 7 << 6 | 1)),
            (0x5b, lambda: unit.store(entry, 2 << 6 | 2 << 2 | 1)),  # no second stage
            (0x5b, lambda: unit.store(entry, 3 << 6 | 2 << 2 | 1)),  # no nesting
            (0x5b, lambda: unit.store(entry + 16, root | 1 << 2)),   # no 5 levels
            (0x71, lambda: None),
            (0x73, lambda: unit.store(entry + 16, far)),
        ]
        unit.start(True)
        for code, prepare in steps:
            healthy()
            prepare()
            unit.drop_contexts()
            self.assertIsNone(self.dev.read(0x7000, 5), hex(code))
            self.expect_fault(code, 0x7000, 5)
        # Beyond the directory's end.
        healthy()
        unit.store(context, vtd.DIRECTORY | 9)
        unit.drop_contexts()
        self.assertIsNone(self.dev.read(0x7000, 1 << 13))
        self.expect_fault(0x46, 0x7000, 1 << 13)
        # A PASID where tables are legacy.
        unit.put(vtd.RTADDR, vtd.ROOT, 8)
        unit.command(vtd.SRTP)
        self.assertIsNone(self.dev.read(0x7000, 5))
        self.expect_fault(0x31, 0x7000, 5)
        unit.put(vtd.RTADDR, vtd.ROOT | 3 << 10, 8)
        unit.command(vtd.SRTP)
        self.assertIsNone(self.dev.read(0x7000))
        self.expect_fault(0x30, 0x7000)

    def test_scalable_second_stage(self):
        self.start('x-scalable-mode=on')
        unit, root = self.unit, self.unit.table()
        unit.scalable_context(self.dev.sid)
        unit.pasid(0, SECOND, root)
        unit.map(root, 4, 0x7000, DATA, 1)
        unit.map(root, 4, 0xa000, DATA, 2)                    # write-only
        unit.map(root, 4, 0x80200000, DATA, 3, flags=2)       # the same by a table above it
        unit.map(root, 4, 0x9000, 0xfee01000, 3)
        unit.map(root, 4, 0x40000000, 0x1000, 3, 2)
        unit.store(root + 8, 0x3fffffff000 | 3)
        unit.start(True)
        for code, addr, is_read in ((0x85, 0x7000, False), (0x86, 0xa000, True), (0x86, 0x80200000, True),
                                    (0x79, 0x8000, True), (0x79, 0x8000, False), (0x87, 0x9000, True),
                                    (0x7a, 0x40000000, True), (0x78, 1 << 39, True),
                                    (0x84, 1 << 48, True)):
            self.assertFalse(self.dev.write(addr, 1) if not is_read else
                             self.dev.read(addr) is not None)
            self.expect_fault(code, addr, None, is_read)
        unit.pasid(0, SECOND, 0x3fffffff000)
        unit.drop_contexts()
        unit.drop_all()
        self.assertIsNone(self.dev.read(0x7000))
        self.expect_fault(0x7b, 0x7000)

    def test_first_stage(self):
        self.start(MODERN + ',pasid-bits=20,fs1gp=off', FULL_ENDPOINT)
        self.dev.enable()
        root = self.first(5)
        unit = self.unit
        unit.map(root, 4, 0x7000, DATA, 5, flags=7)           # read-only
        unit.map(root, 4, 0x8000, DATA, 3, flags=7)           # supervisor's
        unit.map(root, 4, 0x9000, 0xfee00000, 7, flags=7)
        unit.map(root, 4, 0xa000, DATA | 1 << 51, 7, flags=7)
        unit.map(root, 4, 0x40200000, 0x2000, 7, 2, flags=7)  # not at its size
        unit.map(root, 4, 0x80000000, 0, 7, 3, flags=7)       # 1 GiB
        unit.store(root + 8, 0x3fffffff000 | 7)
        unit.store(root + 16, DATA | 0x87)                    # large, at the top
        unit.start(True)
        for code, addr, is_read in (
                (0x85, 0x7000, False), (0x81, 0x8000, True), (0x87, 0x9000, True),
                (0x72, 0xa000, True), (0x72, 0x40200000, True), (0x72, 0x80000000, True),
                (0x71, 0xb000, True), (0x70, 1 << 39, True), (0x72, 2 << 39, True),
                (0x80, 1 << 47, True), (0x80, 1 << 60, True), (0x87, 0xfee00000, False)):
            self.assertFalse(self.dev.write(addr, 1, 5) if not is_read else
                             self.dev.read(addr, 5) is not None, hex(addr))
            self.expect_fault(code, addr, 5, is_read)
        self.assertIsNotNone(self.dev.read(0x7000, 5))

    def test_flags_cannot_be_set(self):
        """Tables in ROM are read, but take no A bit."""
        self.start(MODERN + ',pasid-bits=20', FULL_ENDPOINT)
        self.dev.enable()
        self.first(5)
        rom = bytes.fromhex(self.vm.qtest('read 0xfffe0000 0x20000')[2:])
        at = next(n for n in range(0, len(rom), 8)
                  if int.from_bytes(rom[n:n + 8], 'little') & 0xf00000000000a5 == 5)
        index = at % 4096 // 8
        self.unit.pasid(5, FIRST, 0xfffe0000 + at // 4096 * 4096)
        self.unit.start(True)
        addr = index << 39 | (0xffff << 48 if index > 255 else 0)
        self.assertIsNone(self.dev.read(addr, 5))
        self.expect_fault(0x90, addr, 5)

    def test_records(self):
        """One record: the same source collapses, another overflows."""
        with machine('', 'iommu-testdev,addr=4', '-device', 'iommu-testdev,addr=5') as vm:
            unit, a, b = Vtd(vm), Endpoint(vm), Endpoint(vm, 5 << 3, vtd.BAR + 0x10000)
            unit.start()
            unit.store(vtd.ROOT, 0, 0)
            self.assertIsNone(a.read(0x1000))
            self.assertEqual(unit.get(vtd.FSTS), vtd.PPF)
            self.assertIsNone(a.read(0x2000))
            self.assertEqual(unit.get(vtd.FSTS), vtd.PPF)
            self.assertEqual(unit.fault()[2], 0x1000)
            self.assertIsNone(b.read(0x3000))
            self.assertEqual(unit.get(vtd.FSTS), vtd.PPF | vtd.PFO)
            unit.put(vtd.FRCD + 12, 1 << 31)
            self.assertEqual(unit.get(vtd.FSTS), vtd.PFO)
            self.assertIsNone(b.read(0x3000))  # lost
            self.assertIsNone(unit.fault())
            unit.put(vtd.FSTS, vtd.PFO)
            self.assertEqual(unit.get(vtd.FSTS), 0)
            self.assertIsNone(b.read(0x4000))
            self.assertEqual(unit.fault(), (1, b.sid, 0x4000, None, True))

    def test_suppressed(self):
        self.start(MODERN + ',pasid-bits=20', FULL_ENDPOINT)
        self.dev.enable()
        root = self.first(5)
        unit = self.unit
        unit.start(True)
        for prepare in (lambda: unit.scalable_context(self.dev.sid, flags=8 | 2),
                        lambda: unit.store(vtd.DIRECTORY, vtd.PASIDS | 3),
                        lambda: unit.pasid(5, FIRST, root, present=3)):
            unit.scalable_context(self.dev.sid, flags=8)
            unit.pasid(5, FIRST, root)
            prepare()
            unit.drop_contexts()
            self.assertIsNone(self.dev.read(0x7000, 5))
            self.assertIsNone(unit.fault())

    def test_event(self):
        """The message is sent when it is not masked, or when the mask goes."""
        self.start()
        unit = self.unit
        unit.put(vtd.FEADDR, 0xfee00000)
        unit.put(vtd.FEDATA, 0x41)
        unit.start()
        unit.store(vtd.ROOT, 0, 0)
        self.assertIsNone(self.dev.read(0x1000))
        self.assertEqual(unit.get(vtd.FECTL), 0xc0000000)
        unit.put(vtd.FECTL, 0)
        self.assertEqual(unit.get(vtd.FECTL), 0)
        unit.take_fault()
        unit.put(vtd.FECTL, 0x80000000)
        self.assertIsNone(self.dev.read(0x1000))
        self.assertEqual(unit.get(vtd.FECTL), 0xc0000000)
        unit.take_fault()  # seen without it: it is void
        self.assertEqual(unit.get(vtd.FECTL), 0x80000000)


if __name__ == '__main__':
    house.main()
