# SPDX-License-Identifier: GPL-2.0-or-later
"""PCI configuration space of a PC, by ports 0xcf8 and 0xcfc over qtest."""


class Pci:
    def __init__(self, vm):
        self.vm = vm

    def select(self, devfn, at, bus=0):
        self.vm.qtest(f'outl 0xcf8 {0x80000000 | bus << 16 | devfn << 8 | at & 0xfc:#x}')
        return 0xcfc + (at & 3)

    def read(self, devfn, at, size=4, bus=0):
        port = self.select(devfn, at, bus)
        return int(self.vm.qtest(f"in{'?bw?l'[size]} {port:#x}"), 16)

    def write(self, devfn, at, value, size=4, bus=0):
        port = self.select(devfn, at, bus)
        self.vm.qtest(f"out{'?bw?l'[size]} {port:#x} {value:#x}")
