# SPDX-License-Identifier: GPL-2.0-or-later
"""A VT-d driver over qtest: registers, tables in guest memory, the invalidation queue; and the
endpoint iommu-testdev."""
from pci import Pci

BASE = 0xfed90000
VER, CAP, ECAP, GCMD, GSTS, RTADDR, CCMD, FSTS = 0, 8, 0x10, 0x18, 0x1c, 0x20, 0x28, 0x34
FECTL, FEDATA, FEADDR, FEUADDR = 0x38, 0x3c, 0x40, 0x44
IQH, IQT, IQA, ICS, IECTL, IEDATA, IEADDR = 0x80, 0x88, 0x90, 0x9c, 0xa0, 0xa4, 0xa8
IQERCD, IRTA, PQH, PQT, PQA, PRS, PECTL, PEDATA, PEADDR = (0xb0, 0xb8, 0xc0, 0xc8, 0xd0, 0xdc, 0xe0,
                                                          0xe4, 0xe8)
IVA, IOTLB, FRCD = 0xf0, 0xf8, 0x220
TE, SRTP, QIE, IRE, SIRTP, CFI = 31, 30, 26, 25, 24, 23
PFO, PPF, IQE = 1, 2, 16

ROOT, CONTEXT, DIRECTORY, PASIDS, QUEUE, STATUS, PAGES, IRTES, PRQ = (
    0x100000, 0x110000, 0x120000, 0x130000, 0x140000, 0x150000, 0x160000, 0x170000, 0x180000)
TABLES = 0x400000   # page tables are taken from here on
DATA = 0x1000000    # what DMA goes to
SLOT = 4 << 3
BAR = 0xe0000000

GVA, LENGTH, RESULT, DOORBELL, GPA = 4, 0xc, 0x10, 0x14, 0x1c
(ATTRS, COMMAND, TDATA, TSTATUS, TRANSLATED, PAGE, GROUP, ANSWERS, ANSWER, DROPS, DROP_ADDR,
 DROP_BYTES, DROP_PASID, COUNT) = (0x40, 0x44, 0x48, 0x4c, 0x50, 0x58, 0x5c, 0x60, 0x64, 0x68, 0x6c,
                                   0x74, 0x78, 0x7c)
USE_PASID, PRIVILEGED, EXECUTE, NO_WRITE, USE_TRANSLATED = (1 << n for n in (31, 30, 29, 28, 27))
READ, WRITE, READ_BUFFER, WRITE_BUFFER, TRANSLATE, ASK, TOUCH = range(1, 8)
LAST, ASK_READ, ASK_WRITE = 1 << 16, 1 << 17, 1 << 18
FAILED, WAITS = 0x80000000, 1

FIRST, SECOND, NESTED, PASS = 1, 2, 3, 4


class Vtd:
    def __init__(self, vm):
        self.vm = vm
        self.free = TABLES
        self.tail = 0
        self.width = 16

    def get(self, at, size=4):
        return int(self.vm.qtest(f"read{'l' if size == 4 else 'q'} {BASE + at:#x}"), 16)

    def put(self, at, value, size=4):
        self.vm.qtest(f"write{'l' if size == 4 else 'q'} {BASE + at:#x} {value:#x}")

    def load(self, at):
        return int(self.vm.qtest(f'readq {at:#x}'), 16)

    def store(self, at, *words):
        for n, word in enumerate(words):
            self.vm.qtest(f'writeq {at + 8 * n:#x} {word & (1 << 64) - 1:#x}')

    def command(self, bit, is_on=True):
        """As drivers do: the status with one bit changed, and a look whether it came."""
        one_shots = 1 << SRTP | 1 << SIRTP
        value = self.get(GSTS) & ~one_shots & ~(1 << bit)
        self.put(GCMD, value | (1 << bit if is_on else 0))
        return bool(self.get(GSTS) & 1 << bit) == is_on

    # --- tables ---

    def clear(self, at, size=4096):
        self.vm.qtest(f'memset {at:#x} {size:#x} 0')

    def table(self):
        at = self.free
        self.free += 4096
        self.clear(at)
        return at

    def map(self, root, levels, iova, gpa, leaf, level=1, flags=3):
        """One page, its entry's low bits `leaf`; tables on the way have `flags`. Where entries are."""
        places, table = [], root
        for n in range(levels, level - 1, -1):
            at = table + 8 * (iova >> 12 + 9 * (n - 1) & 511)
            places.append(at)
            if n == level:
                self.store(at, gpa | leaf | (0x80 if level > 1 else 0))
            else:
                entry = self.load(at)
                if not entry:
                    entry = self.table() | flags
                    self.store(at, entry)
                table = entry & 0xffffffffff000
        return places

    def legacy_context(self, sid, lo, hi):
        self.store(ROOT + 16 * (sid >> 8), CONTEXT | 1, 0)
        self.store(CONTEXT + 16 * (sid & 0xff), lo, hi)

    def scalable_context(self, sid, flags=0, pdts=7, rid=0):
        """PASIDs of the directory's first 64, in one table."""
        half = sid >> 7 & 1
        self.store(ROOT + 16 * (sid >> 8) + 8 * half, CONTEXT | 1)
        self.store(CONTEXT + 32 * (sid & 0x7f), DIRECTORY | pdts << 9 | flags | 1, rid, 0, 0)
        self.store(DIRECTORY, PASIDS | 1)

    def pasid(self, pasid, mode, root=0, domain=1, aw=2, flags=0, second=0, present=1):
        self.store(PASIDS + 64 * pasid, present | mode << 6 | aw << 2 |
                   (root if mode == SECOND else second), domain,
                   (root if mode != SECOND else 0) | flags, 0, 0, 0, 0, 0)

    # --- switching on ---

    def start_queue(self, wide=False):
        self.width = 32 if wide else 16
        self.clear(QUEUE)
        self.tail = 0
        self.put(IQT, 0, 8)
        self.put(IQA, QUEUE | (1 << 11 if wide else 0), 8)
        return self.command(QIE)

    def start(self, scalable=False):
        assert self.start_queue(scalable)
        self.put(RTADDR, ROOT | (1 << 10 if scalable else 0), 8)
        assert self.command(SRTP)
        assert self.command(TE)

    # --- invalidation ---

    def submit(self, *words):
        words += (0,) * (self.width // 8 - len(words))
        self.store(QUEUE + self.tail, *words)
        self.tail = (self.tail + self.width) % 4096
        self.put(IQT, self.tail, 8)

    def wait(self, status=0x1234):
        self.store(STATUS, 0)
        self.submit(5 | 1 << 5 | status << 32, STATUS)
        return self.load(STATUS) == status

    def drop_contexts(self):
        self.submit(1 | 1 << 4)

    def drop_all(self):
        self.submit(2 | 1 << 4)

    def drop_pages(self, domain, iova, mask=0):
        self.submit(2 | 3 << 4 | domain << 16, iova | mask)

    def drop_pasid_pages(self, domain, pasid, iova=None, mask=0):
        if iova is None:
            self.submit(6 | 2 << 4 | domain << 16 | pasid << 32)
        else:
            self.submit(6 | 3 << 4 | domain << 16 | pasid << 32, iova | mask)

    def fault(self):
        """The record: (code, source, address, pasid or None, is it a read); None: none is there."""
        lo, hi = self.get(FRCD, 8), self.get(FRCD + 8, 8)
        if not hi >> 63:
            return None
        return (hi >> 32 & 0xff, hi & 0xffff, lo, hi >> 40 & 0xfffff if hi >> 31 & 1 else None,
                bool(hi >> 62 & 1))

    def take_fault(self):
        fault = self.fault()
        self.put(FRCD + 12, 1 << 31)
        self.put(FSTS, PFO)
        return fault


class Endpoint:
    """iommu-testdev in slot 4."""

    def __init__(self, vm, slot=SLOT, bar=BAR):
        self.vm, self.bar, self.sid = vm, bar, slot
        self.pci = Pci(vm)
        self.pci.write(slot, 0x10, bar)
        self.pci.write(slot, 4, 6, 2)

    def get(self, at):
        return int(self.vm.qtest(f'readl {self.bar + at:#x}'), 16)

    def put(self, at, value):
        self.vm.qtest(f'writel {self.bar + at:#x} {value:#x}')

    def put_quad(self, at, value):
        self.put(at, value & 0xffffffff)
        self.put(at + 4, value >> 32)

    def pattern(self, gva, gpa, length=16):
        """QEMU's way: writes at GVA, compares at GPA."""
        self.put_quad(GVA, gva)
        self.put_quad(GPA, gpa)
        self.put(LENGTH, length)
        self.put(ATTRS, 0)
        self.put(DOORBELL, 1)
        self.get(0)
        return self.get(RESULT)

    def run(self, command, gva, pasid=None, attrs=0, data=0):
        """The status."""
        self.put_quad(GVA, gva)
        self.put(ATTRS, attrs | (USE_PASID | pasid if pasid is not None else 0))
        if command in (WRITE, TOUCH):
            self.put(TDATA, data)
        self.put(COMMAND, command)
        return self.get(TSTATUS)

    def read(self, gva, pasid=None):
        """The word there, or None."""
        return None if self.run(READ, gva, pasid) else self.get(TDATA)

    def write(self, gva, value, pasid=None):
        return self.run(WRITE, gva, pasid, data=value) == 0

    def translate(self, gva, pasid=None, attrs=0):
        """(address, what is permitted, page shift), or None."""
        if self.run(TRANSLATE, gva, pasid, attrs):
            return None
        page = self.get(PAGE)
        return (self.get(TRANSLATED) | self.get(TRANSLATED + 4) << 32, page & 3, page >> 8)

    def express(self, reg, value, size=2):
        """Extended configuration space, by ECAM at its usual place."""
        self.pci.write(0, 0x60, 0xb0000001)
        self.vm.qtest(f"write{'?bw?l'[size]} {0xb0000000 + (self.sid << 12) + reg:#x} {value:#x}")

    def enable(self):
        """ATS, page requests, PASIDs with all there is."""
        self.express(0x106, 0x8000)
        self.express(0x11c, 64, 4)
        self.express(0x114, 1)
        self.express(0x126, 7)
