# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of machines that are killed while requests are under way, 100 times: whole, and with all that a flush
made durable. What came after the last flush is there or not, sector by sector.
"""
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from virtio_blk_test import DISCARD, FLUSH, OUT, WRITE_ZEROES, Disk  # noqa: E402
from vm import Vm  # noqa: E402

IMG = os.path.join(os.environ['BINARIES'], 'qemu-img')
CHECKERS = [IMG] + [path for path in ('/usr/bin/qemu-img',) if os.path.exists(path)]
BYTES = 4 << 20
SECTORS = BYTES // 512
KINDS = {  # options of the image, of the drive; how often it is killed
    'plain': ('', '', 15),
    'bitmaps': ('bitmaps', '', 10),
    'data file': ('data_file', '', 5),
    'small clusters': ('cluster_size=512,refcount_bits=64', '', 10),
    'extended L2': ('extended_l2=on,cluster_size=16k', ',aio=io_uring', 15),
    'lazy counts': ('lazy_refcounts=on', '', 10),
    'lazy, extended L2': ('lazy_refcounts=on,extended_l2=on', '', 5),
    'direct': ('', ',cache=none', 10),
    'version 2': ('compat=0.10,cluster_size=4k', '', 10),
    'behind it an image': ('backing', '', 10),
}


class Writer:
    """A driver that knows which values each sector may have."""

    def __init__(self, vm, values, rand):
        self.disk = Disk(vm)
        self.values, self.rand = values, rand

    def send(self, kind, sector=0, sectors=0, byte=0):
        """As many as there are places: what was before is under way, or over."""
        disk, n = self.disk, self.disk.queue.next % 4
        header, data, status = 0x200000 + 64 * n, 0x210000 + 0x10000 * n, 0x208000 + n
        pieces = [(header, 16, False)]
        disk.poke(header, struct.pack('<IIQ', kind, 0, sector if kind == OUT else 0))
        if kind == OUT:
            disk.vm.qtest(f'memset {data:#x} {512 * sectors} {byte:#x}')
            pieces.append((data, 512 * sectors, False))
        elif kind in (DISCARD, WRITE_ZEROES):
            disk.poke(data, struct.pack('<QII', sector, sectors, 0))
            pieces.append((data, 16, False))
        queue = disk.queue
        for i, (at, size, is_write) in enumerate([*pieces, (status, 1, True)]):
            flags = (2 if is_write else 0) | (1 if i < len(pieces) else 0)
            queue.write(queue.desc + 16 * (4 * n + i), struct.pack('<QIHH', at, size, flags, 4 * n + i + 1))
        queue.write(queue.driver + 4 + 2 * (queue.next % queue.size), struct.pack('<H', 4 * n))
        queue.next += 1
        queue.write(queue.driver + 2, struct.pack('<H', queue.next & 0xffff))
        disk.function.kick()

    def change(self):
        """A write, or one in four times zeroes; nobody waits for it."""
        sectors = self.rand.choice((1, 8, 24, 128))
        sector = self.rand.randrange(SECTORS - sectors)
        kind, byte = self.rand.choice(((OUT, self.rand.randrange(1, 256)),) * 3 + ((WRITE_ZEROES, 0),))
        for n in range(sector, sector + sectors):
            self.values[n] = self.values[n] | {byte}
        self.send(kind, sector, sectors, byte)
        return sector, sectors, byte

    def wait(self):
        while self.disk.queue.used < self.disk.queue.next:
            self.disk.queue.wait()

    def flush(self, done):
        """What has ended before is durable when this has."""
        self.wait()
        self.send(FLUSH)
        self.wait()
        for sector, sectors, byte in done:
            self.values[sector:sector + sectors] = [{byte}] * sectors


class Durability(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, 'a.qcow2')
        self.raw = os.path.join(folder.name, 'raw')
        self.below = os.path.join(folder.name, 'below')
        with open(self.below, 'wb') as file:
            file.write(b'\x77' * BYTES)

    def create(self, options):
        """The values of all sectors."""
        if options == 'backing':
            subprocess.run([IMG, 'create', '-q', '-f', 'qcow2', '-b', self.below, '-F', 'raw', self.path], check=True)
            return [{0x77}] * SECTORS
        has_bitmaps = options == 'bitmaps'
        options = f'data_file={self.below}' if options == 'data_file' else '' if has_bitmaps else options
        subprocess.run([IMG, 'create', '-q', '-f', 'qcow2', *(['-o', options] if options else []), self.path,
                        str(BYTES)], check=True)
        if has_bitmaps:
            for name in ('a', 'b'):
                subprocess.run([IMG, 'bitmap', '--add', '-g', '512', self.path, name], check=True)
        return [{0}] * SECTORS

    def work(self, values, drive, rand):
        vm = Vm(house.binary(), '-M', 'pc', '-m', '16', '-nodefaults', '-drive',
                f'file={self.path},if=none,id=d,discard=unmap{drive}', '-device', 'virtio-blk-pci,drive=d,addr=4',
                qtest=True)
        writer = Writer(vm, values, rand)
        for _ in range(rand.randrange(3)):
            done = []
            for _ in range(3):  # in order: each has one value when it has ended
                done.append(writer.change())
                writer.wait()
            writer.flush(done)
        for _ in range(rand.randrange(1, 5)):
            writer.change()
        if rand.randrange(2):
            writer.wait()
            writer.send(FLUSH)
        vm.kill()

    def look(self, values):
        checked = subprocess.run([IMG, 'check', '-q', self.path], capture_output=True, text=True, check=False)
        self.assertIn(checked.returncode, (0, 3), checked.stdout + checked.stderr)
        if checked.returncode:  # clusters that nothing leads to, which cost room only
            subprocess.run([IMG, 'check', '-q', '-r', 'leaks', self.path], capture_output=True, check=True)
        for img in CHECKERS:
            subprocess.run([img, 'check', '-q', self.path], check=True)
        subprocess.run([IMG, 'convert', '-O', 'raw', self.path, self.raw], check=True)
        with open(self.raw, 'rb') as file:
            data = file.read()
        for n in range(SECTORS):
            sector = data[512 * n:512 * n + 512]
            self.assertEqual(sector, sector[:1] * 512, n)
            self.assertIn(sector[0], values[n], n)
            values[n] = {sector[0]}

    def check(self, kind):
        options, drive, times = KINDS[kind]
        rand = random.Random(kind)
        values = self.create(options)
        for _ in range(times):
            self.work(values, drive, rand)
            self.look(values)

    def test_plain(self):
        self.check('plain')

    def test_small_clusters(self):
        self.check('small clusters')

    def test_extended_l2(self):
        self.check('extended L2')

    def test_lazy_counts(self):
        self.check('lazy counts')

    def test_lazy_extended_l2(self):
        self.check('lazy, extended L2')

    def test_data_file(self):
        self.check('data file')

    def test_bitmaps(self):
        self.check('bitmaps')

    def test_direct(self):
        self.check('direct')

    def test_version_2(self):
        self.check('version 2')

    def test_behind_it_an_image(self):
        self.check('behind it an image')

    def test_as_often_as_it_says(self):
        self.assertEqual(sum(times for _, _, times in KINDS.values()), 100)


if __name__ == '__main__':
    house.main()
