#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""iommu_bench.py OURS [PEER]: what DMA through intel-iommu costs, on our binary and, if it is installed,
on the peer's.

An AHCI disk whose back end is nothing fills 2 MiB of addresses at a command's bidding, in pieces of 4 KiB
each: without an IOMMU, through one whose translations are kept (warm), and through one that has been told
to forget them all before (cold). Time is from the write that starts the command to the one that finds it
done, less what an empty command takes. Prints nanoseconds for a page, the least of some rounds.
"""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from pci import Pci  # noqa: E402
from vm import Vm  # noqa: E402
from vtd import Vtd  # noqa: E402

ROUNDS = 15
PAGES = 512           # of a command; the peer keeps about 1000
HOT = 64              # pages of memory that they are: caches hold them
ABAR = 0xe0000000
AHCI = 0x1f << 3 | 2
PORT = ABAR + 0x100
LIST, FIS, TABLE, DATA = 0x1000000, 0x1001000, 0x1010000, 0x2000000
IOVA = 0x40000000     # of DATA; the others are where they are
READ_DMA_EXT = 0x25


class Disk:
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
        table = b''.join((at + 4096 * (n if at != DATA else n % HOT)).to_bytes(8, 'little') + bytes(4) + (4095).to_bytes(4, 'little')
                         for n in range(PAGES))
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


def measure(binary, accel, mode):
    """Nanoseconds of a page."""
    args = ['-M', 'q35', '-m', '512', '-nodefaults', '-blockdev',
            'driver=null-co,node-name=d,size=1073741824,read-zeroes=on', '-device', 'ide-hd,drive=d,bus=ide.0']
    if mode != 'none':
        args += ['-device', 'intel-iommu,aw-bits=48']
    with Vm(binary, '-S', *args, qtest=True, accel=accel) as vm:
        unit = Vtd(vm)
        if mode != 'none':
            root = map_all(unit)
            unit.legacy_context(AHCI, root | 1, 1 << 8 | 2)
            unit.start()
        disk = Disk(vm, DATA if mode == 'none' else IOVA)
        best = []
        for pages in (1, PAGES):
            times = []
            for _ in range(ROUNDS):
                if mode == 'cold':
                    unit.drop_all()
                times.append(disk.run(pages))
            best.append(min(times))
    return (best[1] - best[0]) / (PAGES - 1) * 1e9


def main(ours, peer):
    print('DMA of 4 KiB by AHCI, ns:')
    for mode in ('none', 'warm', 'cold'):
        own = measure(ours, 'qtest', mode)
        other = measure(peer, 'tcg', mode) if peer else None
        print(f'{mode}: ours {own:.0f}' + (f', peer {other:.0f}, ratio {other / own:.2f}' if peer else ''))


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else shutil.which('qemu-system-x86_64', path='/usr/bin'))
