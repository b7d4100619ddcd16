# SPDX-License-Identifier: GPL-2.0-or-later
"""An NVMe controller as a driver sees it: ours and, with the same script, the peer's."""
import os
import random
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from pci import Pci  # noqa: E402
from vm import Vm, refusal  # noqa: E402

PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
BAR = 0xe0000000
DEVFN = 4 << 3
CAP, CC, CSTS, AQA, ASQ, ACQ = 0, 0x14, 0x1c, 0x24, 0x28, 0x30
QUEUES, DATA, LIST = 0x100000, 0x200000, 0x300000
SIZE = 16
POLLS = 100000  # the host's disk answers long before


def pattern(sectors, first=0):
    return b''.join(struct.pack('<128I', *[first + n] * 128) for n in range(sectors))


class Controller:
    """Enabled, with one pair of I/O queues."""

    def __init__(self, vm, start=True):
        self.vm = vm
        pci = Pci(vm)
        pci.write(DEVFN, 0x10, BAR)
        pci.write(DEVFN, 0x14, 0)
        pci.write(DEVFN, 4, 6, 2)
        self.tails, self.heads = [0, 0], [0, 0]
        if start:
            self.enable()
            self.admin(5, dword10=1 | (SIZE - 1) << 16, dword11=3, prp1=self.cq(1))
            self.admin(1, dword10=1 | (SIZE - 1) << 16, dword11=1 | 1 << 16, prp1=self.sq(1))

    @staticmethod
    def sq(n):
        return QUEUES + 0x4000 * n

    @staticmethod
    def cq(n):
        return QUEUES + 0x4000 * n + 0x2000

    def get(self, at):
        return int(self.vm.qtest(f'readl {BAR + at:#x}'), 16)

    def put(self, at, value):
        self.vm.qtest(f'writel {BAR + at:#x} {value:#x}')

    def poke(self, at, data):
        self.vm.qtest(f'write {at:#x} {len(data)} 0x{data.hex()}')

    def peek(self, at, size):
        return bytes.fromhex(self.vm.qtest(f'read {at:#x} {size}')[2:])

    def enable(self):
        self.vm.qtest(f'memset {QUEUES:#x} 0x10000 0')
        self.put(AQA, (SIZE - 1) << 16 | SIZE - 1)
        for at, address in ((ASQ, self.sq(0)), (ACQ, self.cq(0))):
            self.put(at, address)
            self.put(at + 4, 0)
        self.put(CC, 4 << 20 | 6 << 16 | 1)
        for _ in range(POLLS):
            if self.get(CSTS) & 1:
                return
        raise RuntimeError('not ready')

    def add(self, queue, opcode, nsid=0, prp1=DATA, prp2=0, dword10=0, dword11=0, dword12=0, flags=0):
        """A command; the doorbell does not ring yet."""
        tail = self.tails[queue]
        self.poke(self.sq(queue) + 64 * tail,
                  struct.pack('<BBHIQQQQIIIIII', opcode, flags, tail, nsid, 0, 0, prp1, prp2, dword10, dword11,
                              dword12, 0, 0, 0))
        self.tails[queue] = (tail + 1) % SIZE

    def submit(self, queue, opcode, **fields):
        self.add(queue, opcode, **fields)
        self.put(0x1000 + 8 * queue, self.tails[queue])

    def wait(self, queue):
        """(status without its phase, result) of the next completion."""
        head = self.heads[queue]
        phase = 1 - head // SIZE % 2
        for _ in range(POLLS):
            raw = self.peek(self.cq(queue) + 16 * (head % SIZE), 16)
            status, = struct.unpack_from('<H', raw, 14)
            if status & 1 == phase:
                self.heads[queue] = head + 1
                self.put(0x1004 + 8 * queue, (head + 1) % SIZE)
                return status >> 1 & 0x7ff, struct.unpack_from('<I', raw)[0]
        raise RuntimeError('no completion')

    def admin(self, opcode, **fields):
        self.submit(0, opcode, **fields)
        return self.wait(0)

    def io(self, opcode, **fields):
        self.submit(1, opcode, **{'nsid': 1, **fields})
        return self.wait(1)[0]

    def rw(self, opcode, lba, blocks, **fields):
        return self.io(opcode, dword10=lba & 0xffffffff, dword11=lba >> 32, dword12=blocks - 1, **fields)


class Nvme:
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.disk = os.path.join(self.folder.name, 'disk')
        with open(self.disk, 'wb') as file:
            file.write(pattern(8192))

    def machine(self, options='', drive='', extra=()):
        args = ['-M', 'pc', '-nodefaults', '-drive',
                f'file={self.disk},format=raw,if=none,id=d{drive}', '-device',
                f'nvme,drive=d,id=n,addr=4,serial=abc{options}', *extra]
        if self.binary == PEER:  # its CPU must not run
            return Vm(PEER, *args, '-S', qtest=True, accel='tcg')
        return Vm(self.binary, *args, qtest=True)

    def stored(self, sector):
        with open(self.disk, 'rb') as file:
            file.seek(512 * sector)
            return file.read(512)

    def test_identify(self):
        with self.machine() as vm:
            nvme = Controller(vm)
            self.assertEqual(Pci(vm).read(DEVFN, 0), 0x00101b36)
            self.assertEqual(Pci(vm).read(DEVFN, 8) >> 8, 0x010802)
            self.assertEqual(nvme.get(CAP) & 0xffff, 0x7ff)
            self.assertEqual(nvme.admin(6, dword10=1), (0, 0))
            data = nvme.peek(DATA, 4096)
            self.assertEqual(data[4:24], b'abc'.ljust(20))
            self.assertEqual(data[24:38], b'QEMU NVMe Ctrl')
            self.assertEqual((data[77], data[512], data[513], data[525] & 1), (7, 0x66, 0x44, 1))
            self.assertEqual(nvme.admin(6, nsid=1, dword10=0), (0, 0))
            data = nvme.peek(DATA, 4096)
            self.assertEqual(struct.unpack_from('<QQQ', data), (8192, 8192, 8192))
            self.assertEqual(data[130], 9)
            self.assertEqual(nvme.admin(6, nsid=0, dword10=2), (0, 0))
            self.assertEqual(nvme.peek(DATA, 8), struct.pack('<II', 1, 0))
            self.assertEqual(nvme.admin(6, nsid=0, dword10=0)[0], 0x0b)
            self.assertEqual(nvme.admin(6, nsid=1, dword10=3), (0, 0))
            self.assertEqual(nvme.admin(10, dword10=7), (0, 63 << 16 | 63))
            self.assertEqual(nvme.admin(2, nsid=0xffffffff, dword10=2 | 127 << 16)[0], 0)
            self.assertEqual(nvme.admin(0x77)[0], 1)

    def test_data(self):
        with self.machine() as vm:
            nvme = Controller(vm)
            self.assertEqual(nvme.rw(2, 100, 4), 0)
            self.assertEqual(nvme.peek(DATA, 2048), pattern(4, 100))
            # unaligned and over two pages, then over a list
            self.assertEqual(nvme.rw(2, 100, 8, prp1=DATA + 0x800, prp2=DATA + 0x4000), 0)
            self.assertEqual(nvme.peek(DATA + 0x800, 2048) + nvme.peek(DATA + 0x4000, 2048), pattern(8, 100))
            nvme.poke(LIST, struct.pack('<4Q', *[DATA + 0x1000 * n for n in (9, 5, 7, 3)]))
            self.assertEqual(nvme.rw(2, 0, 40, prp2=LIST), 0)
            self.assertEqual(b''.join(nvme.peek(DATA + 0x1000 * n, 4096) for n in (0, 9, 5, 7, 3)),
                             pattern(40))
            nvme.poke(DATA, b'w' * 1024)
            self.assertEqual(nvme.rw(1, 300, 2), 0)
            self.assertEqual(nvme.io(0), 0)
            self.assertEqual(self.stored(301), b'w' * 512)
            for _ in range(3 * SIZE):
                self.assertEqual(nvme.rw(2, 7, 1), 0)

    def test_scatter_gather(self):
        """Data in one block, in a list, and in a list of several segments."""
        def descriptor(at, length, kind=0):
            return struct.pack('<QIxxxB', at, length, kind << 4)

        def transfer(opcode, lba, blocks, first, **fields):
            prp1, prp2 = struct.unpack('<QQ', first)
            return nvme.rw(opcode, lba, blocks, prp1=prp1, prp2=prp2, flags=0x40, **fields)

        with self.machine() as vm:
            nvme = Controller(vm)
            self.assertEqual(nvme.admin(6, dword10=1), (0, 0))
            self.assertEqual(nvme.peek(DATA + 536, 1)[0] & 3, 1)
            self.assertEqual(transfer(2, 100, 20, descriptor(DATA + 100, 20 * 512)), 0)
            self.assertEqual(nvme.peek(DATA + 100, 20 * 512), pattern(20, 100))
            pieces = [(DATA, 700), (DATA + 0x3001, 3000), (DATA + 0x5000, 396)]
            nvme.poke(LIST, b''.join(descriptor(*piece) for piece in pieces))
            self.assertEqual(transfer(2, 40, 8, descriptor(LIST, 48, 3)), 0)
            self.assertEqual(b''.join(nvme.peek(*piece) for piece in pieces), pattern(8, 40))
            nvme.poke(LIST, descriptor(*pieces[0]) + descriptor(LIST + 0x800, 32, 3))
            nvme.poke(LIST + 0x800, b''.join(descriptor(*piece) for piece in pieces[1:]))
            for n, piece in enumerate(pieces):
                nvme.poke(piece[0], bytes([n + 65]) * piece[1])
            self.assertEqual(transfer(1, 300, 8, descriptor(LIST, 32, 2)), 0)
            self.assertEqual(nvme.io(0), 0)
            self.assertEqual(self.stored(300)[:1] + self.stored(307)[-1:], b'AC')
            for status, first in ((0x0f, descriptor(DATA, 511)), (0x11, descriptor(DATA, 512, 7)),
                                  (0x0d, descriptor(LIST, 17, 3))):
                told = transfer(2, 0, 1, first)
                self.assertEqual(told, status if self.binary != PEER else told or status)
            nvme.poke(LIST, descriptor(LIST, 16, 2))
            if self.binary != PEER:  # which goes round for ever
                self.assertEqual(transfer(2, 0, 1, descriptor(LIST, 16, 2)), 0x0e)
            self.assertEqual(nvme.rw(2, 7, 1), 0)

    def test_limits(self):
        with self.machine() as vm:
            nvme = Controller(vm)
            self.assertEqual(nvme.rw(2, 8192, 1), 0x80)
            self.assertEqual(nvme.rw(2, 8190, 4), 0x80)
            self.assertEqual(nvme.rw(2, 1 << 60, 1), 0x80)
            self.assertEqual(nvme.rw(2, 0, 1, nsid=2) & ~0x00b, 0)
            self.assertEqual(nvme.rw(2, 0, 1, nsid=0), 0x0b)
            self.assertEqual(nvme.rw(2, 0, 2048), 2)  # more than MDTS
            self.assertEqual(nvme.rw(2, 0, 16, prp2=DATA + 0x1001), 0x13)
            self.assertEqual(nvme.io(0x7f), 1)
            self.assertEqual(nvme.rw(2, 3, 1), 0)
            self.assertEqual(nvme.peek(DATA, 512), pattern(1, 3))

    def test_queues(self):
        with self.machine() as vm:
            nvme = Controller(vm)
            for status, opcode, fields in (
                    (0x101, 5, {'dword10': 0 | 15 << 16, 'dword11': 1}),
                    (0x101, 5, {'dword10': 1 | 15 << 16, 'dword11': 1}),
                    (0x102, 5, {'dword10': 2, 'dword11': 1}),
                    (0x002, 5, {'dword10': 2 | 15 << 16, 'dword11': 0}),
                    (0x108, 5, {'dword10': 2 | 15 << 16, 'dword11': 1 | 9 << 16}),
                    (0x100, 1, {'dword10': 2 | 15 << 16, 'dword11': 1 | 7 << 16}),
                    (0x101, 1, {'dword10': 1 | 15 << 16, 'dword11': 1 | 1 << 16}),
                    (0x10c, 4, {'dword10': 1}), (0x101, 0, {'dword10': 9})):
                self.assertEqual(nvme.admin(opcode, prp1=0x180000, **fields)[0], status, (opcode, fields))
            self.assertEqual(nvme.admin(0, dword10=1)[0], 0)
            self.assertEqual(nvme.admin(4, dword10=1)[0], 0)

    def test_ranges(self):
        with self.machine(drive=',discard=unmap') as vm:
            nvme = Controller(vm)
            self.assertEqual(nvme.rw(8, 16, 8), 0)
            self.assertEqual(self.stored(23), bytes(512))
            nvme.poke(DATA, struct.pack('<IIQIIQ', 0, 8, 64, 0, 16, 1024))
            self.assertEqual(nvme.io(9, dword10=1, dword11=4), 0)
            self.assertEqual((self.stored(71), self.stored(1039), self.stored(1040)),
                             (bytes(512), bytes(512), pattern(1, 1040)))
            nvme.poke(DATA, struct.pack('<IIQ', 0, 8, 8190))
            self.assertEqual(nvme.io(9, dword10=0, dword11=4) & ~0x80, 0)
            self.assertEqual(self.stored(8191), pattern(1, 8191))

    def test_enabling(self):
        with self.machine() as vm:
            nvme = Controller(vm, start=False)
            nvme.put(AQA, 15 << 16 | 15)
            nvme.put(ASQ, QUEUES)
            nvme.put(ACQ, QUEUES + 0x2000)
            nvme.put(CC, 4 << 20 | 5 << 16 | 1)  # entries of 32 bytes
            self.assertEqual(nvme.get(CSTS) & 3, 2)
            nvme.put(CC, 0)
            nvme.enable()
            self.assertEqual(nvme.admin(6, dword10=1), (0, 0))
            nvme.put(CC, nvme.get(CC) | 1 << 14)
            self.assertEqual(nvme.get(CSTS) & 0xc, 8)
            nvme.put(CC, 0)
            self.assertEqual(nvme.get(CSTS) & 1, 0)


    def test_compare_and_verify(self):
        with self.machine() as vm:
            nvme = Controller(vm)
            nvme.poke(DATA, pattern(4, 100))
            self.assertEqual(nvme.rw(5, 100, 4), 0)
            nvme.poke(DATA + 1500, b'x')
            self.assertEqual(nvme.rw(5, 100, 4), 0x285)
            self.assertEqual(nvme.rw(5, 8190, 4), 0x80)
            self.assertEqual(nvme.rw(12, 0, 8), 0)
            self.assertEqual(nvme.rw(12, 8190, 4), 0x80)
            self.assertEqual(nvme.peek(DATA + 1500, 1), b'x')

    def test_format(self):
        with self.machine(drive=',discard=unmap') as vm:
            nvme = Controller(vm)
            self.assertEqual(nvme.admin(0x80, nsid=1, dword10=1 << 5)[0], 0x10a)
            self.assertEqual(self.stored(7), pattern(1, 7))
            self.assertEqual(nvme.admin(0x80, nsid=1), (0, 0))
            self.assertEqual(nvme.rw(2, 7, 1), 0)
            self.assertEqual(nvme.peek(DATA, 512), bytes(512))

    def test_features(self):
        with self.machine() as vm:
            nvme = Controller(vm)
            self.assertEqual(nvme.admin(10, dword10=4), (0, 343))
            self.assertEqual(nvme.admin(9, dword10=4, dword11=400)[0], 0)
            self.assertEqual(nvme.admin(10, dword10=4), (0, 400))
            self.assertEqual(nvme.admin(10, dword10=4 | 1 << 8), (0, 343))  # by default
            self.assertEqual(nvme.admin(10, dword10=4 | 3 << 8)[1] & 4, 4)  # can be changed
            nvme.poke(DATA, struct.pack('<Q', 123456789))
            self.assertEqual(nvme.admin(9, dword10=0xe)[0], 0)
            nvme.poke(DATA, bytes(8))
            self.assertEqual(nvme.admin(10, dword10=0xe)[0], 0)
            raw = nvme.peek(DATA, 8)
            self.assertEqual(raw[6], 2)
            self.assertLess(struct.unpack('<Q', raw[:6] + b'\0\0')[0] - 123456789, 60000)
            self.assertEqual(nvme.admin(10, dword10=0x77)[0], 2)
            self.assertEqual(nvme.admin(9, dword10=4 | 1 << 31)[0], 0x10d)

    def test_logs(self):
        with self.machine() as vm:
            nvme = Controller(vm)
            for _ in range(3):
                nvme.rw(2, 0, 8)
            self.assertEqual(nvme.admin(2, nsid=0xffffffff, dword10=2 | 127 << 16)[0], 0)
            health = nvme.peek(DATA, 512)
            self.assertEqual(struct.unpack_from('<H', health, 1)[0], 323)
            self.assertGreaterEqual(struct.unpack_from('<Q', health, 64)[0], 3)
            self.assertEqual(nvme.admin(2, dword10=5 | 1023 << 16)[0], 0)
            effects = nvme.peek(DATA, 4096)
            for at, is_there in ((4 * 6, 1), (4 * 0x77, 0), (1024 + 4 * 2, 1), (1024 + 4 * 0x19, 1)):
                self.assertEqual(effects[at] & 1, is_there, at)

    def test_events(self):
        with self.machine() as vm:
            nvme = Controller(vm)
            nvme.admin(9, dword10=0xb, dword11=0xff)
            nvme.submit(0, 0x0c)
            vm.qmp('qom-set', path='/machine/peripheral/n', property='smart_critical_warning', value=1)
            self.assertEqual(nvme.wait(0), (0, 1 | 2 << 8 | 2 << 16))
            nvme.admin(2, nsid=0xffffffff, dword10=2 | 127 << 16)
            self.assertEqual(nvme.peek(DATA, 1)[0] & 1, 1)
            nvme.submit(0, 0x0c)
            nvme.put(0x1000 + 8 * 9, 0)  # a queue that is not there
            self.assertEqual(nvme.wait(0), (0, 1 << 16))


class Ours(Nvme, unittest.TestCase):
    binary = house.binary()

    def test_identity_of_namespaces(self):
        extra = ['-drive', 'driver=null-co,size=1048576,if=none,id=e', '-device',
                 'nvme-ns,drive=e,nsid=7,uuid=12345678-9abc-def0-1122-334455667788']
        with self.machine(extra=extra) as vm:
            nvme = Controller(vm)
            self.assertEqual(nvme.admin(6, nsid=7, dword10=3)[0], 0)
            self.assertEqual(nvme.peek(DATA + 12, 25), bytes.fromhex('03100000123456789abcdef01122334455667788'
                                                                     '0401000000'))
            self.assertEqual(nvme.admin(6, nsid=7, dword10=0x12)[0], 0)
            self.assertEqual(nvme.peek(DATA, 4), struct.pack('<HH', 1, 0))
            self.assertEqual(nvme.admin(6, nsid=3, dword10=0x12)[0], 0xb)
            self.assertEqual(nvme.admin(0x80, nsid=9)[0], 0xb)

    def test_copy(self):
        def copy(to, *ranges, **fields):
            nvme.poke(DATA, b''.join(struct.pack('<QQHHIQ', 0, lba, blocks - 1, 0, 0, 0) for lba, blocks in ranges))
            return nvme.io(0x19, dword10=to, dword12=len(ranges) - 1, **fields)

        with self.machine() as vm:
            nvme = Controller(vm)
            self.assertEqual(copy(500, (10, 3), (40, 1), (11, 2)), 0)
            self.assertEqual(nvme.io(0), 0)
            self.assertEqual([self.stored(500 + n) for n in range(7)],
                             [pattern(1, n) for n in (10, 11, 12, 40, 11, 12, 506)])
            self.assertEqual(copy(500, (8190, 4)), 0x80)
            self.assertEqual(copy(8190, (0, 4)), 0x80)
            self.assertEqual(copy(500, (0, 129)), 0x183)
            self.assertEqual(copy(500, (0, 100), (200, 100)), 0x183)

    def test_own_memory(self):
        """Queues, lists and data in the controller's buffer and in its persistent memory."""
        extra = ('-object', 'memory-backend-ram,id=m,size=1M')
        buffer, persistent = 0xd0000000, 0xd1000000
        with self.machine(',cmb_size_mb=2,pmrdev=m', extra=extra) as vm:
            nvme = Controller(vm, start=False)
            pci = Pci(vm)
            for at, value in ((0x18, buffer), (0x1c, 0), (0x20, persistent), (0x24, 0)):
                pci.write(DEVFN, at, value)
            self.assertEqual(nvme.get(CAP + 4) >> 24 & 3, 3)
            self.assertEqual(nvme.get(0x3c), 0)
            far = 0x7000000000  # no other place of the guest's
            nvme.put(0x50, 3)
            nvme.put(0x54, far >> 32)
            self.assertEqual((nvme.get(0x38) & 7, nvme.get(0x3c)), (2, 2 << 12 | 2 << 8 | 0x1f))
            nvme.enable()
            nvme.poke(buffer, bytes(0x4000))
            nvme.admin(5, dword10=1 | (SIZE - 1) << 16, dword11=3, prp1=far + 0x2000)
            nvme.admin(1, dword10=1 | (SIZE - 1) << 16, dword11=1 | 1 << 16, prp1=far)
            nvme.sq, nvme.cq = (lambda n: n and buffer or QUEUES), (lambda n: QUEUES + 0x2000 if not n else buffer + 0x2000)
            self.assertEqual(nvme.rw(2, 100, 4, prp1=far + 0x10000), 0)
            self.assertEqual(nvme.peek(buffer + 0x10000, 2048), pattern(4, 100))
            nvme.poke(buffer + 0x8000, struct.pack('<2Q', far + 0x12000, far + 0x11000))
            self.assertEqual(nvme.rw(2, 0, 24, prp1=far + 0x10000, prp2=far + 0x8000), 0)
            self.assertEqual(nvme.peek(buffer + 0x11000, 4096), pattern(8, 16))
            self.assertEqual(nvme.rw(2, 0, 16, prp1=far + 0x10000, prp2=DATA), 0x12)  # one, or the other
            nvme.poke(persistent, b'early')
            nvme.put(0xe04, 1)
            self.assertEqual(nvme.get(0xe08), 0)
            self.assertEqual(nvme.peek(persistent, 5), bytes(5))
            nvme.put(0xe18, 0x60)
            nvme.put(0xe14, 2)
            self.assertEqual(nvme.rw(2, 7, 1, prp1=0x6000000000), 0)
            self.assertEqual(nvme.peek(persistent, 512), pattern(1, 7))
            nvme.put(0x54, 0xffffffff)
            nvme.put(0x50, 0xfffff003)
            self.assertEqual(nvme.get(0x58), 1)  # it cannot be there
        self.assertIn('not enough BARs', refusal(self.binary, *extra, '-M', 'pc', '-device',
                                                 'nvme,serial=a,pmrdev=m,msix-exclusive-bar=on'))

    def test_temperature(self):
        with self.machine() as vm:
            nvme = Controller(vm)
            nvme.admin(9, dword10=0xb, dword11=2)
            nvme.submit(0, 0x0c)
            nvme.submit(0, 9, dword10=4, dword11=300)
            self.assertEqual({nvme.wait(0), nvme.wait(0)}, {(0, 0), (0, 1 | 1 << 8 | 2 << 16)})

    def test_namespaces(self):
        extra = ['-drive', 'driver=null-co,size=1048576,if=none,id=e', '-device', 'nvme-ns,drive=e,nsid=7']
        with self.machine(extra=extra) as vm:
            nvme = Controller(vm)
            self.assertEqual(nvme.admin(6, nsid=0, dword10=2), (0, 0))
            self.assertEqual(nvme.peek(DATA, 12), struct.pack('<III', 1, 7, 0))
            self.assertEqual(nvme.rw(2, 0, 1, nsid=7), 0)
            self.assertEqual(nvme.io(0, nsid=0xffffffff), 0)

    def test_hot_plug(self):
        """Namespaces come and go, and the driver learns of it; what is under way is answered."""
        with self.machine(extra=['-blockdev', 'driver=null-aio,size=1048576,node-name=e']) as vm:
            nvme = Controller(vm)
            nvme.admin(9, dword10=0xb, dword11=1 << 8)
            for _ in range(2):
                nvme.submit(0, 0x0c)
                vm.qmp('device_add', driver='nvme-ns', drive='e', bus='n', id='ns', nsid=9)
                self.assertEqual(nvme.wait(0), (0, 2 | 4 << 16))
                self.assertEqual(nvme.admin(2, dword10=4 | 1 << 16)[0], 0)
                self.assertEqual(nvme.peek(DATA, 8), struct.pack('<II', 9, 0))
                self.assertEqual(nvme.admin(6, nsid=0, dword10=2), (0, 0))
                self.assertEqual(nvme.peek(DATA, 12), struct.pack('<III', 1, 9, 0))
                for n in range(4):
                    nvme.submit(1, 2, nsid=9, dword10=8 * n, dword12=7)
                nvme.submit(0, 0x0c)
                vm.qmp('device_del', id='ns')
                self.assertEqual(vm.qmp.wait_event('DEVICE_DELETED')['data']['device'], 'ns')
                self.assertEqual({nvme.wait(1)[0] for _ in range(4)} - {0, 7}, set())
                self.assertEqual(nvme.wait(0), (0, 2 | 4 << 16))
                self.assertEqual(nvme.admin(2, dword10=4 | 1 << 16)[0], 0)
                self.assertEqual(nvme.rw(2, 0, 1, nsid=9) & 0xff, 0x0b)
                self.assertEqual(nvme.rw(2, 7, 1), 0)

    def test_merging(self):
        """Neighbours are one request of the drive, whatever their order."""
        with self.machine() as vm:
            nvme = Controller(vm)
            nvme.poke(DATA + 0x10000, b'a' * 4096 + b'b' * 4096)
            before = vm.qmp('query-blockstats')[0]['stats']
            for n, lba in enumerate((108, 100, 300, 116)):
                nvme.add(1, 2, nsid=1, prp1=DATA + 0x1000 * n, dword10=lba, dword12=7)
            nvme.add(1, 1, nsid=1, prp1=DATA + 0x10000, dword10=508, dword12=7)
            nvme.add(1, 2, nsid=1, prp1=DATA + 0x4000, dword10=8190, dword12=7)
            nvme.submit(1, 1, nsid=1, prp1=DATA + 0x11000, dword10=500, dword12=7)
            self.assertEqual(sorted(nvme.wait(1)[0] for _ in range(7)), [0] * 6 + [0x80])
            self.assertEqual(nvme.peek(DATA, 0x4000), b''.join(pattern(8, lba) for lba in (108, 100, 300, 116)))
            self.assertEqual((nvme.io(0), self.stored(500), self.stored(515)), (0, b'b' * 512, b'a' * 512))
            after = vm.qmp('query-blockstats')[0]['stats']
            self.assertEqual([after[name] - before[name] for name in ('rd_merged', 'wr_merged', 'rd_operations',
                                                                      'rd_bytes', 'wr_bytes')],
                             [2, 1, 4, 16384, 8192])

    def test_resize(self):
        with self.machine() as vm:
            nvme = Controller(vm)
            nvme.admin(9, dword10=0xb, dword11=1 << 8)
            nvme.submit(0, 0x0c)
            vm.qmp('block_resize', device='d', size=16384 * 512)
            self.assertEqual(nvme.wait(0), (0, 2 | 4 << 16))
            self.assertEqual(nvme.admin(2, dword10=4 | 1 << 16)[0], 0)
            self.assertEqual(nvme.peek(DATA, 8), struct.pack('<II', 1, 0))
            self.assertEqual(nvme.rw(2, 16383, 1), 0)

    def test_reset_under_way(self):
        with self.machine() as vm:
            for _ in range(10):
                nvme = Controller(vm)
                for n in range(8):
                    nvme.submit(1, 2, nsid=1, dword10=n)
                nvme.put(CC, 0)
            nvme = Controller(vm)
            self.assertEqual(nvme.rw(2, 5, 1), 0)
            self.assertEqual(nvme.peek(DATA, 512), pattern(1, 5))

    def test_random_commands(self):
        rng = random.Random(5)
        with self.machine(drive=',discard=unmap') as vm:
            nvme = Controller(vm)
            for _ in range(400):
                queue = rng.randrange(2)
                opcode = rng.choice((1, 2, 0, 8, 9, 6, 2, 10, rng.randrange(256)))
                if not queue and opcode in (0, 1, 4, 5, 12):
                    continue  # queues go, or it waits
                nvme.submit(queue, opcode, nsid=rng.choice((0, 1, 2, 0xffffffff)),
                            prp1=rng.choice((DATA, DATA + rng.randrange(8192), rng.getrandbits(64))),
                            prp2=rng.choice((0, LIST, rng.getrandbits(64))), dword10=rng.getrandbits(
                                rng.choice((4, 13, 32))), dword11=rng.choice((0, 4, rng.getrandbits(32))),
                            dword12=rng.getrandbits(rng.choice((3, 10, 32))), flags=rng.choice((0, 0, 0x40)))
                nvme.wait(queue)
            for _ in range(300):
                at = rng.choice((CC, AQA, ASQ, 0xc, 0x10, 0x1000 + 4 * rng.randrange(300)))
                nvme.put(at, rng.choice((0, 1, rng.getrandbits(8), rng.getrandbits(32))))

    def test_refused(self):
        base = ('-M', 'pc', '-drive', 'if=none,id=d,driver=null-co,size=1M', '-device')
        for words, device in (('serial property not set', 'nvme'),
                              ('max_ioqpairs must be between 1 and 64', 'nvme,serial=a,max_ioqpairs=65'),
                              ('msix_qsize must be between', 'nvme,serial=a,msix_qsize=0'),
                              ("No 'nvme-bus' bus found", 'nvme-ns,drive=d')):
            self.assertIn(words, refusal(self.binary, *base, device))


@unittest.skipUnless(PEER, 'the package qemu-system-x86 is not installed')
class Peers(Nvme, unittest.TestCase):
    binary = PEER


if __name__ == '__main__':
    house.main()
