# SPDX-License-Identifier: GPL-2.0-or-later
"""ATA and ATAPI drives as a driver sees them over qtest: a PIIX3 channel, a port of an AHCI adapter."""
import struct

from pci import Pci

DRDY, DRQ, ERR, BSY = 0x40, 0x08, 0x01, 0x80
BM = 0xc000
TABLE, BUFFER = 0x10000, 0x20000
POLLS = 100000  # of a status; the host's disk answers long before


def poke(vm, address, data):
    vm.qtest(f'write {address:#x} {len(data):#x} 0x{data.hex()}')


def peek(vm, address, size):
    return bytes.fromhex(vm.qtest(f'read {address:#x} {size:#x}')[2:])


class Ide:
    """A drive on one of a PIIX3's channels."""

    def __init__(self, vm, channel=0, unit=0, devfn=9):
        self.vm, self.unit, self.channel = vm, unit, channel
        self.base, self.control = ((0x1f0, 0x3f6), (0x170, 0x376))[channel]
        self.bm = BM + 8 * channel
        pci = Pci(vm)
        pci.write(devfn, 0x20, BM)
        pci.write(devfn, 4, 5, 2)

    def inb(self, register):
        return int(self.vm.qtest(f'inb {self.base + register:#x}'), 16)

    def outb(self, register, value):
        self.vm.qtest(f'outb {self.base + register:#x} {value:#x}')

    def command(self, code, lba=0, count=0, features=0):
        self.outb(6, 0xe0 | self.unit << 4 | lba >> 24 & 0xf)
        for register, value in ((1, features), (2, count), (3, lba), (4, lba >> 8), (5, lba >> 16)):
            self.outb(register, 0)  # the high byte, for commands of 48 bits
            self.outb(register, value & 0xff)
        self.outb(7, code)

    def wait(self):
        """The status, when the drive is no longer busy."""
        for _ in range(POLLS):
            status = self.inb(7)
            if not status & BSY:
                return status
        raise RuntimeError('the drive stays busy')

    def read_words(self, size):
        words = [int(self.vm.qtest(f'inw {self.base:#x}'), 16) for _ in range(size // 2)]
        return struct.pack(f'<{len(words)}H', *words)

    def write_words(self, data):
        for (word,) in struct.iter_unpack('<H', data):
            self.vm.qtest(f'outw {self.base:#x} {word:#x}')

    def identify(self, code=0xec):
        self.command(code)
        assert self.wait() & DRQ
        return struct.unpack('<256H', self.read_words(512))

    def pio_read(self, lba, count=1):
        data = b''
        self.command(0x20, lba, count)
        for _ in range(count):
            assert self.wait() & DRQ
            data += self.read_words(512)
        return data

    def pio_write(self, lba, data):
        self.command(0x30, lba, len(data) // 512)
        for at in range(0, len(data), 512):
            assert self.wait() & DRQ
            self.write_words(data[at:at + 512])
        return self.wait()

    def dma(self, code, lba, pieces, to_memory, count=0, features=0):
        """Status of drive and bus master of a command whose data is `pieces` of (address, bytes)."""
        table = b''.join(struct.pack('<II', address, size | (1 << 31) * (n == len(pieces) - 1))
                         for n, (address, size) in enumerate(pieces))
        poke(self.vm, TABLE, table)
        count = count or sum(size for _, size in pieces) // 512
        self.vm.qtest(f'outb {self.bm:#x} 0')
        self.vm.qtest(f'outb {self.bm + 2:#x} 6')
        self.vm.qtest(f'outl {self.bm + 4:#x} {TABLE:#x}')
        self.command(code, lba, count, features)
        self.vm.qtest(f'outb {self.bm:#x} {9 if to_memory else 1:#x}')
        for _ in range(POLLS):
            master = int(self.vm.qtest(f'inb {self.bm + 2:#x}'), 16)
            if master & 4:
                break
        status = self.wait()
        self.vm.qtest(f'outb {self.bm:#x} 0')
        return status, master

    def packet(self, packet, size=0):
        """Of an ATAPI drive: (sense key, data)."""
        self.command(0xa0, 0xfffe << 8)
        assert self.wait() & DRQ
        self.write_words(bytes(packet).ljust(12, b'\0'))
        data = b''
        status = self.wait()
        while status & DRQ:
            data += self.read_words(self.inb(4) | self.inb(5) << 8)
            status = self.wait()
        return self.inb(1) >> 4 if status & ERR else 0, data

    def sense(self):
        """Key and code of the last failure."""
        _, data = self.packet([3, 0, 0, 0, 18])
        return data[2] & 0xf, data[12]


class AhciPort:
    """The first port with a drive of a q35's adapter; one command at a time, or queued ones."""
    LIST, FIS, COMMANDS = 0x50000, 0x51000, 0x52000
    ABAR = 0xe0000000

    def __init__(self, vm, port=0):
        self.vm = vm
        self.at = self.ABAR + 0x100 + 0x80 * port
        pci = Pci(vm)
        pci.write(0xfa, 0x24, self.ABAR)
        pci.write(0xfa, 4, 7, 2)
        self.put(0, self.LIST)
        self.put(8, self.FIS)
        self.put(0x18, 0x10)
        self.put(0x10, 0xffffffff)
        self.put(0x30, 0xffffffff)
        self.put(0x18, 0x11)

    def get(self, at):
        return int(self.vm.qtest(f'readl {self.at + at:#x}'), 16)

    def put(self, at, value):
        self.vm.qtest(f'writel {self.at + at:#x} {value:#x}')

    def issue(self, slot, code, lba, count, pieces, write=False, queued=False):
        table = self.COMMANDS + 0x200 * slot
        features, field = (count, slot << 3) if queued else (0, count)
        fis = struct.pack('<BBBBBBBBBBBBHBB', 0x27, 0x80, code, features & 0xff, lba & 0xff,
                          lba >> 8 & 0xff, lba >> 16 & 0xff, 0x40, lba >> 24 & 0xff, 0, 0,
                          features >> 8, field, 0, 0).ljust(0x80, b'\0')
        prdt = b''.join(struct.pack('<QII', address, 0, size - 1) for address, size in pieces)
        poke(self.vm, table, fis + prdt)
        poke(self.vm, self.LIST + 32 * slot,
             struct.pack('<HHIQ', 5 | write << 6, len(pieces), 0, table).ljust(32, b'\0'))
        if queued:
            self.put(0x34, 1 << slot)
        self.put(0x38, 1 << slot)

    def wait(self):
        """PxTFD, when nothing is under way."""
        for _ in range(POLLS):
            if not self.get(0x38) and not self.get(0x34):
                return self.get(0x20)
            if self.get(0x10) & 0x78000000:
                return self.get(0x20)
        raise RuntimeError('the port stays busy')
