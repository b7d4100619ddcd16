#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""iommu_bench.py OURS [PEER]: what DMA through intel-iommu costs, on our binary and, if it is installed,
on the peer's.

An NVMe disk whose back end is nothing takes commands that name 2 MiB of memory, in pages of 4 KiB each, and an AHCI
disk fills them with zeros: without an IOMMU, through one whose translations are kept (warm), and through one that has
been told to forget them all before (cold). NVMe's pages are found and not touched, so that the way to them is what
counts; with AHCI's, filling 4 KiB costs most of the time on either. Time is from the write that starts commands to the
one that finds them done, less what those of one page take. Prints nanoseconds for a page, the least of some rounds;
fails when NVMe's are not what they should be beside the peer's.
"""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from pci import Pci  # noqa: E402
from vm import Vm  # noqa: E402
from vtd import Vtd  # noqa: E402

ROUNDS = 40
PAGES = 512           # of a command; the peer keeps about 1000
HOT = 64              # pages of memory that they are: caches hold them
ABAR = 0xe0000000
AHCI = 0x1f << 3 | 2
PORT = ABAR + 0x100
LIST, FIS, TABLE, DATA = 0x1000000, 0x1001000, 0x1010000, 0x2000000
IOVA = 0x40000000     # of DATA; the others are where they are
READ_DMA_EXT = 0x25
NVME, BAR = 3 << 3, 0xe0100000
ADMIN_SQ, ADMIN_CQ, SQ, CQ, PRPS = 0x1020000, 0x1021000, 0x1022000, 0x1023000, 0x1030000
COMMANDS, ENTRIES = 4, 64 # of NVMe at a time, of its queues
NVME_READ = 2


class Ahci:
    PLACE = AHCI
    ARGS = '-device', 'ide-hd,drive=d,bus=ide.0'

    def __init__(self, vm, at):
        """`at`: where the device sees DATA."""
        self.vm = vm
        pci = Pci(vm)
        pci.write(AHCI, 0x24, ABAR)
        pci.write(AHCI, 4, 6, 2)
        self.put(ABAR + 4, 1 << 31)
        self.put(PORT, LIST)
        self.put(PORT + 4, 0)
        self.put(PORT + 8, FIS)
        self.put(PORT + 0xc, 0)
        pages = [at + 4096 * (n if at != DATA else n % HOT) for n in range(PAGES)]
        table = b''.join(page.to_bytes(8, 'little') + bytes(4) + (4095).to_bytes(4, 'little') for page in pages)
        self.vm.qtest(f'write {TABLE + 0x80:#x} {len(table):#x} 0x{table.hex()}')
        self.put(PORT + 0x18, 1 << 4)
        self.put(PORT + 0x18, 1 << 4 | 1)

    def put(self, at, value):
        self.vm.qtest(f'writel {at:#x} {value:#x}')

    def run(self, pages):
        """Seconds that a command of so many pages takes."""
        count = pages * 8 & 0xffff
        frame = bytes([0x27, 0x80, READ_DMA_EXT, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, count & 0xff, count >> 8])
        self.vm.qtest(f'write {TABLE:#x} 16 0x{frame.hex()}0000')
        self.put(LIST, 5 | pages << 16)
        self.put(LIST + 4, 0)
        self.put(LIST + 8, TABLE)
        self.put(LIST + 12, 0)
        start = time.perf_counter()
        self.put(PORT + 0x38, 1)
        while int(self.vm.qtest(f'readl {PORT + 0x38:#x}'), 16) & 1:
            pass
        passed = time.perf_counter() - start
        status = int(self.vm.qtest(f'readl {PORT + 0x20:#x}'), 16)
        assert status & 0xff == 0x50, hex(status)
        return passed


class Nvme:
    PLACE = NVME
    ARGS = '-device', 'nvme,drive=d,serial=a,addr=3'

    def __init__(self, vm, at):
        self.vm = vm
        self.tails = [0, 0]
        pci = Pci(vm)
        pci.write(NVME, 0x10, BAR)
        pci.write(NVME, 0x14, 0)
        pci.write(NVME, 4, 6, 2)
        for reg, value in ((0x24, (ENTRIES - 1) << 16 | ENTRIES - 1), (0x28, ADMIN_SQ), (0x2c, 0), (0x30, ADMIN_CQ),
                           (0x34, 0), (0x14, 4 << 20 | 6 << 16 | 1)):
            self.vm.qtest(f'writel {BAR + reg:#x} {value:#x}')
        while not int(self.vm.qtest(f'readl {BAR + 0x1c:#x}'), 16) & 1:
            pass
        size = ENTRIES - 1 << 16 | 1
        self.submit(0, [(5, 0, CQ, 0, size, 1)], ADMIN_CQ)
        self.submit(0, [(1, 0, SQ, 0, size, 1 << 16 | 1)], ADMIN_CQ)
        self.pages = [at + 4096 * (n if at != DATA else n % HOT) for n in range(PAGES)]
        for n in range(COMMANDS):
            rest = self.pages[PAGES // COMMANDS * n + 1:PAGES // COMMANDS * (n + 1)]
            data = b''.join(page.to_bytes(8, 'little') for page in rest)
            self.vm.qtest(f'write {PRPS + 4096 * n:#x} {len(data):#x} 0x{data.hex()}')

    def submit(self, queue, commands, cq):
        """Seconds until all of them are done: (opcode, namespace, PRP1, PRP2, dword 10, 11, ...) each."""
        at = (ADMIN_SQ, SQ)[queue]
        for opcode, space, prp1, prp2, *dwords in commands:
            tail = self.tails[queue] % ENTRIES
            entry = b''.join(word.to_bytes(4, 'little') for word in (opcode, space)) + bytes(16) + \
                prp1.to_bytes(8, 'little') + prp2.to_bytes(8, 'little') + \
                b''.join(word.to_bytes(4, 'little') for word in dwords)
            self.vm.qtest(f'write {at + 64 * tail:#x} {len(entry):#x} 0x{entry.hex()}')
            self.tails[queue] += 1
        last = self.tails[queue] - 1
        place, phase = cq + 16 * (last % ENTRIES) + 12, last // ENTRIES & 1 ^ 1
        start = time.perf_counter()
        self.vm.qtest(f'writel {BAR + 0x1000 + 8 * queue:#x} {self.tails[queue] % ENTRIES:#x}')
        while int(self.vm.qtest(f'readl {place:#x}'), 16) >> 16 & 1 != phase:
            pass
        passed = time.perf_counter() - start
        status = int(self.vm.qtest(f'readl {place:#x}'), 16)
        assert status >> 17 == 0, hex(status)
        self.vm.qtest(f'writel {BAR + 0x1004 + 8 * queue:#x} {self.tails[queue] % ENTRIES:#x}')
        return passed

    def run(self, pages):
        """Of one page for each command, or all."""
        each = PAGES // COMMANDS if pages == PAGES else 1
        return self.submit(1, [(NVME_READ, 1, self.pages[PAGES // COMMANDS * n], PRPS + 4096 * n if each > 1 else 0,
                                0, 0, each * 8 - 1) for n in range(COMMANDS)], CQ)


def map_all(unit):
    """A second-stage table: pages of 4 KiB for DATA; the rest as it is, in one page."""
    root, upper, middle = (unit.table() for _ in range(3))
    leaves = root + 0x10000
    entries = b''.join((DATA + 4096 * (n % HOT) | 3).to_bytes(8, 'little') for n in range(PAGES))
    unit.vm.qtest(f'write {leaves:#x} {len(entries):#x} 0x{entries.hex()}')
    unit.store(root, upper | 3)
    unit.store(upper, 0x83, middle | 3)
    unit.store(middle, *(leaves + 4096 * n | 3 for n in range(PAGES // 512)))
    return root


def measure(binary, accel, mode, kind):
    """Nanoseconds of a page."""
    args = ['-M', 'q35', '-m', '512', '-nodefaults', '-blockdev',
            'driver=null-co,node-name=d,size=1073741824,read-zeroes=' + ('on' if kind is Ahci else 'off'), *kind.ARGS]
    if mode != 'none':
        args += ['-device', 'intel-iommu,aw-bits=48']
    with Vm(binary, '-S', *args, qtest=True, accel=accel) as vm:
        unit = Vtd(vm)
        if mode != 'none':
            root = map_all(unit)
            unit.legacy_context(kind.PLACE, root | 1, 1 << 8 | 2)
            unit.start()
        disk = kind(vm, DATA if mode == 'none' else IOVA)
        times = {1: [], PAGES: []}
        for _ in range(ROUNDS):
            for pages, taken in times.items():
                if mode == 'cold':
                    unit.drop_all()
                taken.append(disk.run(pages))
    return (min(times[PAGES]) - min(times[1])) / (PAGES - (COMMANDS if kind is Nvme else 1)) * 1e9


# What the peer's time has to be of ours.
GOALS = {'warm': 3, 'cold': 1.5}


def main(ours, peer):
    status = 0
    for kind in Nvme, Ahci:
        print(f'DMA of 4 KiB by {kind.__name__}, ns:')
        for mode in ('none', 'warm', 'cold'):
            own = measure(ours, 'qtest', mode, kind)
            other = measure(peer, 'tcg', mode, kind) if peer else None
            is_good = not peer or kind is Ahci or mode not in GOALS or other >= GOALS[mode] * own
            print(f'{mode}: ours {own:.0f}' + (f', peer {other:.0f}, ratio {other / own:.2f}' if peer else '') +
                  ('' if is_good else f': less than {GOALS[mode]}'), flush=True)
            status |= not is_good
    return status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else
                  shutil.which('qemu-system-x86_64', path='/usr/bin')))
