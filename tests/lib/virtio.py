# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtio driver over qtest: registers of virtio-mmio, and one split queue in guest memory."""
import struct

RNG = 4
VERSION_1 = 32
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET = 1, 2, 4, 8, 0x40

# virtio-mmio
MAGIC, VERSION, DEVICE_ID, VENDOR_ID = 0x000, 0x004, 0x008, 0x00c
DEVICE_FEATURES, DEVICE_FEATURES_SEL = 0x010, 0x014
DRIVER_FEATURES, DRIVER_FEATURES_SEL = 0x020, 0x024
GUEST_PAGE_SIZE, QUEUE_SEL, QUEUE_NUM_MAX, QUEUE_NUM = 0x028, 0x030, 0x034, 0x038
QUEUE_ALIGN, QUEUE_PFN, QUEUE_READY, QUEUE_NOTIFY = 0x03c, 0x040, 0x044, 0x050
INTERRUPT_STATUS, INTERRUPT_ACK, STATUS = 0x060, 0x064, 0x070
QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE = 0x080, 0x090, 0x0a0
SHM_LEN, QUEUE_RESET, GENERATION, CONFIG = 0x0b0, 0x0c0, 0x0fc, 0x100


class Mmio:
    def __init__(self, vm, base):
        self.vm = vm
        self.base = base

    def read(self, at, size=4):
        return int(self.vm.qtest(f"read{'?bw?l'[size]} {self.base + at:#x}"), 16)

    def write(self, at, value, size=4):
        self.vm.qtest(f"write{'?bw?l'[size]} {self.base + at:#x} {value:#x}")

    def device_features(self):
        words = []
        for word in 0, 1:
            self.write(DEVICE_FEATURES_SEL, word)
            words.append(self.read(DEVICE_FEATURES))
        return words[0] | words[1] << 32

    def negotiate(self, features):
        """The status that results."""
        self.write(STATUS, 0)
        self.write(STATUS, ACKNOWLEDGE | DRIVER)
        for word in 0, 1:
            self.write(DRIVER_FEATURES_SEL, word)
            self.write(DRIVER_FEATURES, features >> 32 * word & 0xffffffff)
        self.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK)
        return self.read(STATUS)

    def start_queue(self, queue, number=0):
        self.write(QUEUE_SEL, number)
        self.write(QUEUE_NUM, queue.size)
        for at, address in ((QUEUE_DESC, queue.desc), (QUEUE_DRIVER, queue.driver),
                            (QUEUE_DEVICE, queue.device)):
            self.write(at, address & 0xffffffff)
            self.write(at + 4, address >> 32)
        self.write(QUEUE_READY, 1)

    def start(self, queue, features=1 << VERSION_1):
        status = self.negotiate(features)
        assert status & FEATURES_OK, status
        self.start_queue(queue)
        self.write(STATUS, status | DRIVER_OK)

    def start_legacy(self, queue, features=0):
        """The queue lies as legacy drivers lay it, at a page."""
        self.write(GUEST_PAGE_SIZE, 4096)
        self.write(STATUS, 0)
        self.write(STATUS, ACKNOWLEDGE | DRIVER)
        self.write(DRIVER_FEATURES, features)
        self.write(QUEUE_SEL, 0)
        self.write(QUEUE_NUM, queue.size)
        self.write(QUEUE_ALIGN, 4096)
        self.write(QUEUE_PFN, queue.desc // 4096)
        self.write(STATUS, ACKNOWLEDGE | DRIVER | DRIVER_OK)


class Queue:
    """A split queue at `base`, without event index."""

    def __init__(self, vm, base=0x100000, size=8):
        self.vm = vm
        self.size = size
        self.desc = base
        self.driver = base + 16 * size
        self.device = (self.driver + 4 + 2 * size + 2 + 4095) // 4096 * 4096
        self.next = self.used = 0
        vm.qtest(f'memset {base:#x} {self.device + 4096 - base:#x} 0')

    def write(self, at, data):
        self.vm.qtest(f'write {at:#x} {len(data)} 0x{data.hex()}')

    def read(self, at, size):
        return bytes.fromhex(self.vm.qtest(f'read {at:#x} {size}')[2:])

    def add(self, pieces):
        """pieces: (address, size, is for the device to write)."""
        self.add_all([pieces])

    def add_all(self, chains):
        """Several buffers that the device sees at once, each as above; their descriptors must not wrap."""
        at = self.next % self.size
        for pieces in chains:
            self.write(self.driver + 4 + 2 * (self.next % self.size), struct.pack('<H', at))
            for i, (address, size, is_write) in enumerate(pieces):
                flags = (2 if is_write else 0) | (1 if i < len(pieces) - 1 else 0)
                self.write(self.desc + 16 * at, struct.pack('<QIHH', address, size, flags, (at + 1) % self.size))
                at = (at + 1) % self.size
            self.next += 1
        self.write(self.driver + 2, struct.pack('<H', self.next & 0xffff))

    def take(self):
        """(id, bytes) of the next used buffer, or None."""
        index, = struct.unpack('<H', self.read(self.device + 2, 2))
        if index == self.used & 0xffff:
            return None
        row = self.read(self.device + 4 + 8 * (self.used % self.size), 8)
        self.used += 1
        return struct.unpack('<II', row)

    def wait(self):
        """As take(); the device's back end runs in the VMM's main loop."""
        for _ in range(100000):
            used = self.take()
            if used:
                return used
        raise AssertionError('the device does not answer')


class PackedQueue(Queue):
    """A packed one; ids are what a split queue's heads are: the place of the first descriptor."""

    def __init__(self, vm, base=0x100000, size=8):
        super().__init__(vm, base, size)
        self.lengths = {}
        self.at = 0  # the next used one

    def flags(self, count):
        """AVAIL and USED of a descriptor that the driver makes available in this round."""
        return 1 << 15 if count // self.size % 2 else 1 << 7

    def add(self, pieces):
        head = self.next % self.size
        self.lengths[head] = len(pieces)
        for i, (address, size, is_write) in enumerate(pieces):
            flags = (2 if is_write else 0) | (1 if i < len(pieces) - 1 else 0)
            self.write(self.desc + 16 * (self.next % self.size),
                       struct.pack('<QIHH', address, size, head, flags | self.flags(self.next)))
            self.next += 1

    def take(self):
        _, size, ident, flags = struct.unpack(
            '<QIHH', self.read(self.desc + 16 * (self.at % self.size), 16))
        expected = 0 if self.at // self.size % 2 else 0x8080
        if flags & 0x8080 != expected:
            return None
        self.at += self.lengths[ident]
        return ident, size
