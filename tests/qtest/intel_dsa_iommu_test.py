# SPDX-License-Identifier: GPL-2.0-or-later
"""intel-dsa behind intel-iommu, without an operating system: address spaces of processes, page requests
and what comes of them, translations that become void, queues that are shared."""
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import dsa  # noqa: E402
import house  # noqa: E402
import vtd  # noqa: E402
from dsa import (APPLY_DELTA, BATCH, BOF, COMPARE, COPY_CRC, CRAV, CREATE_DELTA, DEDICATED, DIF_INSERT,  # noqa: E402
                 DUALCAST, FILL, MODE_BOF, MODE_PASID, MOVE, NOOP, RCR, Dsa, descriptor)
from vm import QmpError, Vm  # noqa: E402
from intel_dsa_operations_test import crc32c  # noqa: E402
from vtd import DATA, FIRST, PASS, Vtd  # noqa: E402

SVM = 'x-scalable-mode=on,x-flts=on,pasid-bits=20,device-iotlb=on,svm=on'
SID = dsa.SLOT
USER, READ_ONLY = 7, 5
A, B = 5, 6
SUCCESS, INVALID, FAILURE = 0, 1, 0xf
SRC, DST, CRA, LIST = 0x10000, 0x20000, 0x30000, 0x31000  # addresses of processes
RECORDED = CRAV | RCR
HIGH = 0x7f0000000000


class Setup(unittest.TestCase):
    """Processes A and B; WQ 0 is shared, WQ 1 is A's, WQ 2 has no process."""

    def start(self, device='', ats=True, pri=True, bof=True, credits=16, unit=SVM):
        self.vm = Vm(house.binary(), '-M', 'q35', '-m', '512', '-nodefaults', '-device', 'intel-iommu,' + unit,
                     '-device', 'intel-dsa,id=d,addr=5,x-swq-posted=on' + (',' + device if device else ''),
                     qtest=True)
        self.vm.__enter__()
        self.addCleanup(self.vm.__exit__, None, None, None)
        self.unit, self.dsa = Vtd(self.vm), Dsa(self.vm)
        self.roots = {pasid: self.unit.table() for pasid in (A, B)}
        self.unit.scalable_context(SID, flags=0x1c)
        self.unit.pasid(0, PASS, domain=9)
        for pasid, root in self.roots.items():
            self.unit.pasid(pasid, FIRST, root, domain=pasid)
        self.unit.put(vtd.PQA, vtd.PRQ, 8)
        self.unit.start(True)
        self.heard = 0
        self.dsa.set_express(0x226, 0x8000 if ats else 0)
        self.dsa.set_express(0x236, 5)
        if pri:
            self.dsa.set_express(0x24c, credits, 4)
            self.dsa.set_express(0x244, 1)
        blocks = MODE_BOF if bof and pri else 0
        self.dsa.start(({'mode': MODE_PASID | blocks, 'threshold': 16},
                        {'mode': DEDICATED | MODE_PASID | blocks, 'pasid': A}, {'mode': DEDICATED | blocks}))

    def map(self, iova, gpa, pasid=A, leaf=USER):
        return self.unit.map(self.roots[pasid], 4, iova, gpa, leaf, flags=7)[-1]

    def map_all(self, pasid=A, base=DATA):
        for n, page in enumerate((SRC, DST, CRA, LIST)):
            self.map(page, base + n * 0x1000, pasid)

    def record(self, pasid=A, base=DATA):
        return self.dsa.record(base + 0x2000)

    def submit(self, desc, wq=0):
        self.dsa.store(DATA + 0x2000, bytes(32))
        self.dsa.submit(desc, wq)
        self.dsa.run()

    def requests(self):
        """New entries of the queue: (PASID, address, read, write, last, group)."""
        found, tail = [], self.unit.get(vtd.PQT)
        while self.heard != tail:
            low, high = (self.unit.load(vtd.PRQ + self.heard + at) for at in (0, 8))
            self.assertEqual((low & 0x1ff, low >> 16 & 0xffff), (0x101, SID))
            found.append((low >> 32 & 0xfffff, high & ~0xfff, high & 1, high >> 1 & 1, high >> 2 & 1,
                          high >> 3 & 0x1ff))
            self.heard = (self.heard + 32) % 4096
        self.unit.put(vtd.PQH, tail, 8)
        self.unit.put(vtd.PRS, 1)
        return found

    def answer(self, group, code=SUCCESS, pasid=A):
        self.unit.submit(9 | 1 << 4 | code << 12 | SID << 16 | pasid << 32, group << 3)
        self.dsa.run()

    def drop(self, iova, pasid=A):
        self.unit.drop_pasid_pages(pasid, pasid, iova)
        self.unit.submit(8 | SID << 16 | pasid << 32, iova)

    def counters(self):
        return self.vm.qmp('qom-get', path='/machine/peripheral/d', property='counters')


class Spaces(Setup):
    def test_processes(self):
        """The same addresses are different pages; a queue without a process sees memory."""
        self.start()
        for pasid, base in ((A, DATA), (B, DATA + 0x100000)):
            self.map_all(pasid, base)
            self.dsa.store(base, bytes([pasid]) * 4096)
        for pasid, base in ((A, DATA), (B, DATA + 0x100000), (A, DATA)):
            self.dsa.store(base + 0x1000, bytes(4096))
            self.dsa.store(base + 0x2000, bytes(32))
            self.submit(descriptor(MOVE, RECORDED, CRA, SRC, DST, 4096, pasid=pasid))
            self.assertEqual(self.record(base=base).status, 1)
            self.assertEqual(self.dsa.load(base + 0x1000, 4096), bytes([pasid]) * 4096)
        self.submit(descriptor(MOVE, RECORDED, CRA, SRC, DST, 64, pasid=B), wq=1)  # whatever it says
        self.assertEqual(self.record().status, 1)
        self.dsa.store(DATA + 0x5000, b'physical')
        self.submit(descriptor(MOVE, RECORDED, DATA + 0x2000, DATA + 0x5000, DATA + 0x6000, 8), wq=2)
        self.assertEqual((self.record().status, self.dsa.load(DATA + 0x6000, 8)), (1, b'physical'))
        self.assertIsNone(self.unit.fault())

    def test_flags_of_pages(self):
        self.start()
        source, target = self.map(SRC, DATA), self.map(DST, DATA + 0x1000)
        record = self.map(CRA, DATA + 0x2000)
        self.submit(descriptor(MOVE, RECORDED, CRA, SRC, DST, 64, pasid=A))
        self.assertEqual([self.unit.load(at) & 0x60 for at in (source, target, record)], [0x20, 0x60, 0x60])

    def test_rights(self):
        """Supervisor's pages, and writes to what is read-only, are faults: not recorded ones."""
        self.start(pri=False)
        self.map_all()
        self.map(SRC + 0x1000, DATA + 0x8000, leaf=3)
        self.map(DST + 0x1000, DATA + 0x9000, leaf=READ_ONLY)
        self.submit(descriptor(MOVE, RECORDED, CRA, SRC + 0x1000, DST, 64, pasid=A))
        self.assertEqual((self.record().raw, self.record().addr), (3, SRC + 0x1000))
        self.submit(descriptor(MOVE, RECORDED, CRA, SRC, DST + 0x1010, 64, pasid=A))
        self.assertEqual((self.record().raw, self.record().addr), (0x83, DST + 0x1010))
        self.submit(descriptor(MOVE, RECORDED, CRA, DST + 0x1000, DST, 64, pasid=A))
        self.assertEqual(self.record().status, 1)
        self.assertIsNone(self.unit.fault())

    def test_partial(self):
        """What is done is told, and the place; backwards, too."""
        self.start(pri=False)
        self.map_all()
        self.dsa.store(DATA, b'\x77' * 4096)
        self.submit(descriptor(MOVE, RECORDED, CRA, SRC + 0x100, DST + 0x180, 4096, pasid=A))
        record = self.record()
        self.assertEqual((record.raw, record.done, record.addr), (0x83, 4096 - 0x180, DST + 0x1000))
        self.map(HIGH, DATA + 0x8000)
        self.submit(descriptor(MOVE, RECORDED, CRA, HIGH - 16, HIGH, 64, pasid=A))
        record = self.record()
        self.assertEqual((record.raw, record.result, record.done, record.addr), (3, 1, 48, HIGH - 16))
        self.dsa.store(DATA + 0x1000, bytes(4096))
        self.submit(descriptor(COMPARE, RECORDED, CRA, SRC + 0xff0, DST + 0xff0, 64, pasid=A))
        self.assertEqual((self.record().status, self.record().result), (1, 1))  # differs before it faults

    def test_partial_results(self):
        """What operations with results of their own tell of the part that is done."""
        self.start(pri=False)
        self.map_all()
        data = bytes(n * 7 & 0xff for n in range(4096))
        self.dsa.store(DATA, data)
        rest = struct.Struct('<QII').pack
        self.submit(descriptor(COPY_CRC, RECORDED, CRA, SRC, DST + 0x300, 4096, pasid=A))
        record = self.record()
        self.assertEqual((record.raw, record.done, record.addr), (0x83, 0xd00, DST + 0x1000))
        self.assertEqual(hex(record.value), hex(crc32c(data[:0xd00])))
        # The second destination ends first: the first has no more bytes than it.
        self.map(DST + 0x1000, DATA + 0x8000)
        self.dsa.store(DATA + 0x8000, bytes(4096))
        self.submit(descriptor(DUALCAST, RECORDED, CRA, SRC, DST + 0x800, 4096, pasid=A,
                               rest=struct.pack('<Q', LIST + 0x800)))
        record = self.record()
        self.assertEqual((record.raw, record.done, record.addr), (0x83, 0x800, LIST + 0x1000))
        self.assertEqual(self.dsa.load(DATA + 0x8000, 4096), bytes(4096))
        # Deltas: words whose differences are told are those that are done.
        self.dsa.store(DATA + 0x1000, bytes(b ^ 1 for b in data))
        self.submit(descriptor(CREATE_DELTA, RECORDED, CRA, SRC, DST, 1024, pasid=A,
                               rest=rest(LIST + 0xf00, 2000, 0)))
        record = self.record()
        self.assertEqual((record.raw, record.result, record.done, record.value), (0x83, 1, 25 * 8, 250))
        self.dsa.store(DATA + 0x3f00, b''.join(struct.pack('<HQ', n, n) for n in range(25)) + bytes(6))
        self.submit(descriptor(APPLY_DELTA, RECORDED, CRA, LIST + 0xf00, DST, 1024, pasid=A,
                               rest=struct.pack('<I', 300)))
        record = self.record()
        self.assertEqual((record.raw, record.done, record.addr & ~0xfff), (3, 250, LIST + 0x1000))
        self.submit(descriptor(DIF_INSERT, RECORDED, CRA, SRC, LIST + 0xa00, 4 * 512, pasid=A))
        record = self.record()
        self.assertEqual((record.raw, record.done, record.addr), (0x83, 2 * 512, LIST + 0x1000))
        self.assertIsNone(self.unit.fault())

    def test_no_ats(self):
        """The IOMMU translates, and says what is wrong; writes that fail are not noticed. For the device, or a WQ."""
        for by_wq in False, True:
            self.start('wq-ats-control=on', ats=by_wq, pri=False)
            if by_wq:
                self.dsa.command(dsa.RESET)
                self.dsa.start(({'mode': MODE_PASID | dsa.MODE_NO_ATS, 'threshold': 16},))
            self.map_all()
            self.submit(descriptor(MOVE, RECORDED, CRA, SRC, DST, 64, pasid=A))
            self.assertEqual(self.record().status, 1)
            self.submit(descriptor(MOVE, RECORDED, CRA, SRC, DST + 0x1000, 64, pasid=A))
            self.assertEqual(self.record().status, 1)
            self.assertEqual(self.unit.take_fault()[:4], (0x71, SID, DST + 0x1000, A))
            self.submit(descriptor(MOVE, RECORDED, CRA, SRC + 0x1000, DST, 64, pasid=A))
            self.assertEqual(self.record().status, 0x20)
            self.assertEqual(self.unit.take_fault(), (0x71, SID, SRC + 0x1000, A, True))

    def test_not_translated(self):
        """A request that the IOMMU refuses is no fault of the page."""
        self.start()
        self.map_all()
        self.submit(descriptor(NOOP, RECORDED, CRA, pasid=70))  # no such table: nothing is there to ask about
        self.submit(descriptor(MOVE, RECORDED, CRA, SRC, DST, 64, pasid=A))
        self.assertEqual(self.record().status, 1)
        self.unit.scalable_context(SID, flags=8)
        self.unit.drop_contexts()
        self.unit.submit(8 | SID << 16, 1 | 0x7ffffffffffff000 | 1 << 11)
        self.dsa.take_error()
        self.submit(descriptor(MOVE, RECORDED, CRA, SRC, DST, 64, pasid=A))
        self.assertEqual(self.dsa.take_error()[0], 0x1a)


class Pages(Setup):
    def wait_for(self, desc, *pages, wq=0):
        """Each page is asked for when it is needed, and given."""
        self.submit(desc, wq)
        for iova, gpa, is_write in pages:
            self.assertEqual(self.record().status, 0)
            [(pasid, addr, read, write, last, group)] = self.requests()
            self.assertEqual((pasid, hex(addr), read, write, last), (A, hex(iova), 1, is_write, 1))
            self.map(iova, gpa)
            self.answer(group)
        self.assertEqual(self.requests(), [])

    def test_all_operands(self):
        self.start()
        self.dsa.store(DATA, b'\x12' * 4096)
        self.wait_for(descriptor(MOVE, RECORDED | BOF, CRA, SRC, DST, 4096, pasid=A),
                      (CRA, DATA + 0x2000, 1), (SRC, DATA, 0), (DST, DATA + 0x1000, 1))
        self.assertEqual(self.record().status, 1)
        self.assertEqual(self.dsa.load(DATA + 0x1000, 4096), b'\x12' * 4096)
        self.dsa.store(DATA + 0x3000, descriptor(NOOP, RECORDED, CRA + 32) * 2)
        self.wait_for(descriptor(BATCH, RECORDED, CRA, LIST, size=2, pasid=A), (LIST, DATA + 0x3000, 0))
        self.assertEqual((self.record().status, self.record().done), (1, 2))

    def test_answers(self):
        """Invalid, failure, and one that brings nothing, again and again."""
        self.start()
        self.map_all()
        bad = descriptor(FILL, RECORDED | BOF, CRA, 0, DST + 0xf00, 0x200, pasid=A)
        self.submit(bad)
        self.answer(self.requests()[0][5], INVALID)
        record = self.record()
        self.assertEqual((record.raw, record.done, record.addr), (0x84, 0x100, DST + 0x1000))
        self.submit(bad)
        for n in range(40):
            asked = self.requests()
            if not asked:
                break
            self.answer(asked[0][5])
        self.assertEqual(self.record().raw, 0x84)
        self.assertTrue(16 <= n < 40, n)
        self.submit(bad)
        self.answer(self.requests()[0][5], FAILURE)
        self.assertEqual(self.record().status, 0x22)
        self.assertEqual(self.dsa.express(0x246) & 1, 1)
        self.assertEqual(self.dsa.take_error()[0], 0x22)

    def test_list_faults(self):
        """A batch's list that ends where no page is: what is done is told."""
        for pri, status in (False, 6), (True, 6):
            self.start(pri=pri)
            self.map_all()
            self.dsa.store(DATA + 0x3f80, descriptor(NOOP, RECORDED, CRA + 32, pasid=B) * 2)
            self.submit(descriptor(BATCH, RECORDED, CRA, LIST + 0xf80, size=4, pasid=A))
            if pri:
                [request] = self.requests()
                self.assertEqual(request[:5], (A, LIST + 0x1000, 1, 0, 1))
                self.answer(request[5], INVALID)
            record = self.record()
            self.assertEqual((record.raw, record.done, record.addr), (status, 2, LIST + 0x1000))
            self.assertEqual(self.dsa.record(DATA + 0x2020).status, 1)  # in the batch's process, whatever it says
        self.assertIsNone(self.unit.fault())

    def test_not_allowed_to_block(self):
        """The flag, the queue's leave and the capability: all three."""
        for start, flags, blocks in (({}, BOF, True), ({}, 0, False), ({'pri': False}, 0, False)):
            self.start(**start)
            self.map_all()
            self.submit(descriptor(FILL, RECORDED | flags, CRA, 0, SRC + 0x1000, 8, pasid=A))
            self.assertEqual(self.record().status, 0 if blocks else 3)
            self.assertEqual(len(self.requests()), blocks)

    def test_record_faults(self):
        """Nothing is done when nobody could be told; who is told otherwise is the error register."""
        self.start(pri=False)
        self.map_all()
        self.submit(descriptor(FILL, RECORDED, CRA + 0x4000, 0x6666666666666666, DST, 8, pasid=A))
        self.assertEqual(self.dsa.take_error(), (0x1a, 0, FILL, A, 0, CRA + 0x4000))
        self.assertNotEqual(self.dsa.load(DATA + 0x1000, 8), b'\x66' * 8)

    def test_record_in_the_log(self):
        self.start(pri=False)
        d, log = self.dsa, DATA + 0x10000
        d.command(dsa.RESET)
        d.put(dsa.EVLCFG, log, 8)
        d.put(dsa.EVLCFG + 8, 64, 8)
        d.put(dsa.GENCFG, 0x2060)
        d.start(({'mode': MODE_PASID, 'threshold': 16},))
        self.map_all()
        d.store(DATA + 0x3000, descriptor(FILL, RECORDED, CRA + 0x4000, 0x6666666666666666, DST, 8) +
                descriptor(NOOP, RECORDED, CRA + 32))
        self.submit(descriptor(BATCH, RECORDED, CRA, LIST, size=2, pasid=A))
        first, batch = d.load(log, 64), d.load(log + 64, 64)
        self.assertEqual(d.load(DATA + 0x1000, 8), b'\x66' * 8)  # it was done
        self.assertEqual((first[1], first[32], first[16:24]), (0x1a, 1, struct.pack('<Q', CRA + 0x4000)))
        self.assertEqual((batch[1], batch[32], batch[36]), (0x27, 1, 2))
        self.assertEqual(first[3], batch[3])
        self.assertEqual(self.record().status, 0)

    def test_credits(self):
        """No more questions than allowed, and all get their answer in the end."""
        self.start(credits=2)
        self.map_all()
        for n in range(4):
            self.dsa.submit(descriptor(FILL, RECORDED | BOF, CRA + 32 * n, 0, (n + 4) << 24, 8, pasid=A))
        self.dsa.run()
        first = self.requests()
        self.assertEqual(len(first), 2)
        for n in range(4):
            self.map((n + 4) << 24, DATA + (n + 16) * 4096)
        for request in first:
            self.answer(request[5])
        self.assertEqual([self.dsa.record(DATA + 0x2000 + 32 * n).status for n in range(4)], [1] * 4)

    def test_a_full_queue(self):
        """The guest does not read its queue: the device asks again until it is heard, and stalls itself."""
        self.start(credits=512)
        self.map_all()
        self.unit.put(vtd.PQH, 32, 8)
        self.submit(descriptor(FILL, RECORDED | BOF, CRA, 0, 4 << 24, 8, pasid=A))
        self.assertEqual(self.record().status, 0)
        self.assertEqual(self.unit.get(vtd.PRS) & 2, 2)
        self.unit.put(vtd.PQH, 0, 8)
        self.unit.put(vtd.PRS, 3)
        self.dsa.run(1000000)
        self.map(4 << 24, DATA + 0x8000)
        self.answer(self.requests()[0][5])
        self.assertEqual(self.record().status, 1)
        self.unit.put(vtd.PQH, (self.unit.get(vtd.PQT) + 32) % 4096, 8)
        self.submit(descriptor(FILL, RECORDED | BOF, CRA, 0, 5 << 24, 8, pasid=A))
        self.dsa.run(20 * 10**9)
        self.assertEqual(self.record().raw, 0x84)

    def test_aborted(self):
        """A command does not wait for a page; the answer that comes later is nobody's."""
        self.start()
        self.map_all()
        for code, operand in ((dsa.ABORT, 0), (dsa.ABORT_PASID, A), (dsa.ABORT_WQ, 1)):
            self.submit(descriptor(FILL, RECORDED | BOF, CRA, 0, 4 << 24, 8, pasid=A))
            [request] = self.requests()
            self.assertEqual(self.dsa.command(code, operand), 0)
            self.answer(request[5])
            self.assertEqual(self.record().status, 0)
            self.submit(descriptor(NOOP, RECORDED, CRA, pasid=A))
            self.assertEqual(self.record().status, 1)
        self.assertEqual(self.dsa.express(0x246), 0x8000)

    def inject(self, faults):
        self.vm.qmp('qom-set', path='/machine/peripheral/d', property='x-fault-inject', value=faults)

    def test_late_answer(self):
        """An answer that comes a second late, and a command that waits for it; others go on meanwhile."""
        self.start('x-fault-inject=late-page-response')
        self.map_all()
        self.dsa.submit(descriptor(FILL, RECORDED | BOF, CRA, 0, 4 << 24, 8, pasid=A))
        self.dsa.run()
        self.map(4 << 24, DATA + 0x8000)
        self.answer(self.requests()[0][5])
        self.assertEqual(self.dsa.command(dsa.DRAIN_PASID, A), 1 << 31)
        self.dsa.submit(descriptor(NOOP, RECORDED, DATA + 0x2040), 2)
        self.dsa.run()
        self.assertEqual((self.dsa.record(DATA + 0x2040).status, self.record().status), (1, 0))
        self.assertEqual(self.dsa.get(dsa.CMDSTATUS), 1 << 31)
        self.vm.qtest('clock_step 1000000000')
        self.dsa.run()
        self.assertEqual((self.record().status, self.dsa.get(dsa.CMDSTATUS)), (1, 0))

    def test_lost_answer(self):
        """Nothing but an abort ends what waits for it."""
        self.start()
        self.map_all()
        self.inject('lose-page-response')
        self.submit(descriptor(FILL, RECORDED | BOF, CRA, 0, 4 << 24, 8, pasid=A))
        self.map(4 << 24, DATA + 0x8000)
        self.answer(self.requests()[0][5])
        self.inject('')
        self.vm.qtest('clock_step 5000000000')
        self.assertEqual((self.record().status, self.requests()), (0, []))
        self.assertEqual(self.dsa.command(dsa.ABORT_PASID, A), 0)
        self.submit(descriptor(FILL, RECORDED | BOF, CRA, 0, 4 << 24, 8, pasid=A))
        self.assertEqual(self.record().status, 1)

    def test_injected_errors(self):
        self.start('x-fault-inject=read-error')
        self.map_all()
        move = descriptor(MOVE, RECORDED, CRA, SRC, DST, 8, pasid=A)
        for faults, status in (None, 0x20), ('write-error', 0x21), ('read-error:write-error', 0x20), ('', 1):
            if faults is not None:
                self.inject(faults)
            self.submit(move)
            self.assertEqual(self.record().status, status, faults)
        with self.assertRaises(QmpError) as raised:
            self.inject('read-error:smoke')
        self.assertIn("'smoke' is none of", raised.exception.desc)
        self.submit(move)
        self.assertEqual(self.record().status, 1)

    def test_drains_wait(self):
        """Of its process only."""
        self.start()
        self.map_all()
        self.submit(descriptor(FILL, RECORDED | BOF, CRA, 0, 4 << 24, 8, pasid=A))
        [request] = self.requests()
        self.assertEqual(self.dsa.command(dsa.DRAIN_PASID, B), 0)
        self.assertEqual(hex(self.dsa.command(dsa.DRAIN_PASID, A)), hex(1 << 31))
        self.answer(request[5], INVALID)
        self.assertEqual(self.dsa.get(dsa.CMDSTATUS), 0)

    def test_one_engine_blocked(self):
        self.start()
        self.map_all()
        self.submit(descriptor(FILL, RECORDED | BOF, CRA, 0, 4 << 24, 8, pasid=A))
        for n in range(1, 5):
            self.dsa.submit(descriptor(NOOP, RECORDED, CRA + 32 * n, pasid=A))
        self.dsa.run()
        self.assertEqual([self.dsa.record(DATA + 0x2000 + 32 * n).status for n in range(5)], [0, 1, 1, 1, 1])

    def test_reset_forgets(self):
        self.start()
        self.map_all()
        self.submit(descriptor(FILL, RECORDED | BOF, CRA, 0, 4 << 24, 8, pasid=A))
        [request] = self.requests()
        self.dsa.set_express(0x48, 0xa910)
        self.answer(request[5])
        self.assertEqual(self.dsa.express(0x246) & 0x102, 0x102)

    def test_process_ends(self):
        """Its table is taken away while its work goes on: everything comes to an end."""
        self.start()
        self.map_all()
        for n in range(8):
            self.dsa.submit(descriptor(FILL, RECORDED | BOF, CRA, 0, 4 << 24, 8, pasid=A))
        self.dsa.run()
        asked = self.requests()
        self.assertEqual(len(asked), 4)
        self.unit.pasid(A, FIRST, self.roots[A], domain=A, present=2)
        self.unit.submit(7 | 1 << 4 | A << 16 | A << 32)
        self.unit.drop_pasid_pages(A, A)
        self.unit.submit(8 | SID << 16 | A << 32, 0x7ffffffffffff000 | 1 << 11)
        self.assertEqual(hex(self.dsa.command(dsa.DRAIN_PASID, A)), hex(1 << 31))
        for request in asked:
            self.answer(request[5], INVALID)
        for _ in range(100):
            for request in self.requests():
                self.answer(request[5], INVALID)
        self.assertEqual(self.dsa.get(dsa.CMDSTATUS), 0)
        self.assertEqual(self.dsa.state, 1)
        # Recorded once for each question that could not even be asked.
        self.assertEqual(self.unit.fault(), None)


class Void(Setup):
    def test_dropped(self):
        """A translation is used until it is void, and no longer."""
        self.start()
        self.map_all()
        go = descriptor(FILL, RECORDED, CRA, 0x2222222222222222, DST, 8, pasid=A)
        self.submit(go)
        self.map(DST, DATA + 0x7000)
        self.dsa.store(DATA + 0x1000, bytes(8))
        self.submit(go)
        self.assertEqual(self.dsa.load(DATA + 0x1000, 8), b'\x22' * 8)
        self.assertTrue(self.counters()['atc-hits'])
        self.drop(DST, B)
        self.drop(DST + 0x1000)
        self.submit(go)
        self.assertEqual(self.dsa.load(DATA + 0x7000, 8), bytes(8))
        self.drop(DST)
        self.submit(go)
        self.assertEqual(self.dsa.load(DATA + 0x7000, 8), b'\x22' * 8)

    def test_without_process(self):
        """Of requests without PASID: by the descriptor that names a function alone, a page, a range, all."""
        self.start()
        root = self.unit.table()
        for page in SRC, DST, CRA:
            self.unit.map(root, 4, page, DATA, USER, flags=7)
        place = self.unit.map(root, 4, DST, DATA + 0x1000, USER, flags=7)[-1]
        self.unit.pasid(0, FIRST, root, domain=9)
        self.unit.drop_contexts()
        go = descriptor(FILL, RECORDED, CRA, 0x2222222222222222, DST, 8)
        for address, is_it in ((DST, True), (DST - 0x1000, False), ((DST & ~0x3ffff) | 0x1f000 | 1, True),
                               (0x7ffffffffffff001, True), (DST + 0x100000, False)):
            self.unit.store(place, DATA + 0x1000 | USER)
            self.unit.drop_all()
            self.unit.submit(3 | SID << 32, 0x7ffffffffffff001)
            self.dsa.submit(go, 2)
            self.dsa.run()
            self.unit.store(place, DATA + 0x7000 | USER)
            self.dsa.store(DATA + 0x1000, bytes(8))
            self.dsa.store(DATA + 0x7000, bytes(8))
            self.unit.drop_all()
            self.unit.submit(3 | SID << 32, address)
            self.dsa.submit(go, 2)
            self.dsa.run()
            self.assertEqual(self.dsa.load(DATA + (0x7000 if is_it else 0x1000), 8), b'\x22' * 8, hex(address))
        self.assertIsNone(self.unit.fault())

    def test_between_slices(self):
        """Of a large transfer what comes after an invalidation goes where it says."""
        self.start()
        self.map_all()
        for n in range(256):
            self.map(HIGH + n * 4096, DATA + 0x10000 + n * 4096)
        self.dsa.store(DATA + 0x2000, bytes(32))
        self.dsa.submit(descriptor(FILL, RECORDED | BOF, CRA, 0x1111111111111111, HIGH, 1 << 20, pasid=A))
        self.dsa.run(3 * dsa.STEP)
        last = HIGH + 255 * 4096
        place = self.map(last, DATA)
        self.unit.store(place, 0)
        self.drop(last)
        self.dsa.run()
        self.assertEqual(self.record().status, 0)
        [request] = self.requests()
        self.assertEqual(request[1], last)
        self.answer(request[5], INVALID)
        self.assertEqual((self.record().raw, self.record().done, self.record().addr),
                         (0x84, 255 * 4096, last))

    def test_nothing_kept(self):
        self.start('atc-entries=0')
        self.map_all()
        go = descriptor(FILL, RECORDED, CRA, 0x2222222222222222, DST, 8, pasid=A)
        self.submit(go)
        self.submit(go)
        self.assertEqual((self.record().status, self.counters()['atc-hits']), (1, 0))

    def test_few_kept(self):
        self.start('atc-entries=2')
        self.map_all()
        self.submit(descriptor(MOVE, RECORDED, CRA, SRC, DST, 4096, pasid=A))
        self.assertEqual(self.record().status, 1)


class Interrupts(Setup):
    def test_remapped(self):
        """Messages of the device go through the table of interrupts, as the function's own."""
        self.start(unit=SVM + ',x-posted-interrupts=on')
        d, unit, posted = self.dsa, self.unit, DATA + 0x40000
        for source, code in ((SID, None), (SID ^ 1, 0x26)):
            unit.clear(vtd.IRTES)
            unit.store(vtd.IRTES + 16 * 3, 1 | 1 << 15 | 0x33 << 16 | (posted & 0xffffffff) >> 6 << 38,
                       1 << 18 | source | posted >> 32 << 32)
            unit.put(vtd.IRTA, vtd.IRTES | 7, 8)
            unit.command(vtd.SIRTP)
            unit.command(vtd.IRE)
            unit.store(posted, 0, 0, 0, 0, 0x41 << 16, 0, 0, 0)
            d.enable_interrupts(1)
            d.put(dsa.TABLE, 0xfee00000 | 3 << 5 | 1 << 4, 8)
            d.put(dsa.TABLE + 8, 0)
            d.command(dsa.DRAIN, 0, 1 << 31)
            fault = unit.take_fault()
            self.assertEqual(fault and (fault[0], fault[1], fault[2] >> 48), code and (code, SID, 3))
            self.assertEqual(unit.load(posted), 0 if code else 1 << 0x33)


class Saved(Setup):
    def test_page_request_over_migration(self):
        """Work that waits for a page goes on where it was, elsewhere."""
        self.start()
        self.map_all()
        self.submit(descriptor(FILL, RECORDED | BOF, CRA, 0x3333333333333333, DST + 0xff8, 16, pasid=A))
        self.dsa.submit(descriptor(NOOP, RECORDED, CRA + 32, pasid=A), 1)
        [request] = self.requests()
        path = os.path.join(self.vm.folder.name, 'state')
        self.vm.qmp('stop')
        self.vm.qmp('migrate', uri='exec:cat >' + path)
        while self.vm.qmp('query-migrate').get('status') not in ('completed', 'failed'):
            pass
        self.assertEqual(self.vm.qmp('query-migrate')['status'], 'completed')
        args = self.vm.argv[1:self.vm.argv.index('-qtest')]
        other = Vm(house.binary(), *args, '-incoming', 'exec:cat ' + path, qtest=True)
        other.__enter__()
        self.addCleanup(other.__exit__, None, None, None)
        while other.qmp('query-status')['status'] == 'inmigrate':
            pass
        other.qmp('cont')
        self.vm = self.unit.vm = self.dsa.vm = self.dsa.pci.vm = other
        self.map(DST + 0x1000, DATA + 0x8000)
        self.assertEqual(self.record().status, 0)
        self.answer(request[5])
        self.assertEqual(self.record().status, 1)
        self.assertEqual(self.dsa.load(DATA + 0x8000, 8), b'\x33' * 8)
        self.assertEqual(self.dsa.record(DATA + 0x2020).status, 1)


if __name__ == '__main__':
    house.main()
