# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtio driver's view of a PCI function over qtest: capabilities, structures, MSI-X."""
import virtio
from pci import Pci

SLOT = 4 << 3
IO_BASE, MSIX_BASE, MODERN_BASE = 0xc000, 0xe0000000, 0xe1000000
COMMON, NOTIFY, ISR, DEVICE, WINDOW = 1, 2, 3, 4, 5
STATUS_OK = virtio.ACKNOWLEDGE | virtio.DRIVER | virtio.FEATURES_OK | virtio.DRIVER_OK


class Function:
    """A virtio function, its BARs in place."""

    def __init__(self, vm, is_master=True, slot=SLOT, bus=0):
        self.vm, self.slot, self.bus = vm, slot, bus
        self.pci = Pci(vm)
        self.caps = {}
        self.write(0x10, IO_BASE)
        self.write(0x14, MSIX_BASE)
        self.write(0x20, MODERN_BASE)
        self.write(0x24, 0)
        self.write(4, 3 | (4 if is_master else 0), 2)
        at = self.read(0x34, 1)
        while at:
            if self.read(at, 1) == 9:
                self.caps[self.read(at + 3, 1)] = at
            elif self.read(at, 1) == 0x11:
                self.msix = at
            at = self.read(at + 1, 1)

    def read(self, at, size=4):
        return self.pci.read(self.slot, at, size, self.bus)

    def write(self, at, value, size=4):
        self.pci.write(self.slot, at, value, size, self.bus)

    def place(self, kind):
        """Where a structure is, by its capability."""
        at = self.caps[kind]
        assert self.read(at + 4, 1) == 4
        return MODERN_BASE + self.read(at + 8)

    def get(self, kind, at, size=4):
        return int(self.vm.qtest(f"read{'?bw?l'[size]} {self.place(kind) + at:#x}"), 16)

    def put(self, kind, at, value, size=4):
        self.vm.qtest(f"write{'?bw?l'[size]} {self.place(kind) + at:#x} {value:#x}")

    def start(self, queues, features=1 << virtio.VERSION_1, vector=0xffff):
        """With one queue, or the first ones."""
        self.put(COMMON, 0x14, 0, 1)
        self.put(COMMON, 0x14, virtio.ACKNOWLEDGE | virtio.DRIVER, 1)
        for word in 0, 1:
            self.put(COMMON, 8, word)
            self.put(COMMON, 0xc, features >> 32 * word & 0xffffffff)
        self.put(COMMON, 0x14, STATUS_OK & ~virtio.DRIVER_OK, 1)
        for n, queue in enumerate(queues if isinstance(queues, list) else [queues]):
            self.start_queue(n, queue, vector)
        self.put(COMMON, 0x14, STATUS_OK, 1)

    def start_queue(self, n, queue, vector=0xffff):
        self.put(COMMON, 0x16, n, 2)
        self.put(COMMON, 0x18, queue.size, 2)
        self.put(COMMON, 0x1a, vector, 2)
        for at, address in ((0x20, queue.desc), (0x28, queue.driver), (0x30, queue.device)):
            self.put(COMMON, at, address)
            self.put(COMMON, at + 4, 0)
        self.put(COMMON, 0x1c, 1, 2)

    def kick(self):
        """The queue that is selected."""
        multiplier = self.read(self.caps[NOTIFY] + 16)
        self.put(NOTIFY, self.get(COMMON, 0x1e, 2) * multiplier, 0, 2)

    def features(self):
        words = []
        for word in 0, 1:
            self.put(COMMON, 0, word)
            words.append(self.get(COMMON, 4))
        return words[0] | words[1] << 32

    def status(self):
        return self.get(COMMON, 0x14, 1)

    def reset(self):
        self.put(COMMON, 0x14, 0, 1)

    def enable_msix(self, vector, address, data):
        entry = MSIX_BASE + 16 * vector
        for at, value in ((0, address), (4, 0), (8, data), (12, 0)):
            self.vm.qtest(f'writel {entry + at:#x} {value:#x}')
        self.write(self.msix + 2, 0x8000, 2)
