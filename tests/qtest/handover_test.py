# SPDX-License-Identifier: GPL-2.0-or-later
"""Images go from process to process with the machine: a migration's target opens them while the source writes, reads
what the source wrote last, and the source has them again when the target ended."""
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from virtio_blk_test import FLUSH, IN, IOERR, OK, OUT, Disk  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402

IMG = os.path.join(os.environ['BINARIES'], 'qemu-img')
FORMATS = {'qcow2': '', 'lazy': 'lazy_refcounts=on', 'extended': 'extended_l2=on', 'raw': None}
FAR = 8 << 20 >> 9  # a cluster, a table's entry, that nobody has used


class Handover(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.path = os.path.join(self.folder, 'disk')
        self.socket = os.path.join(self.folder, 'socket')

    def create(self, kind):
        self.format = 'raw' if kind == 'raw' else 'qcow2'
        options = FORMATS[kind]
        subprocess.run([IMG, 'create', '-q', '-f', self.format, *(['-o', options] if options else []), self.path,
                        '16M'], check=True)

    def arguments(self):
        return ('-M', 'pc', '-m', '16', '-nodefaults', '-drive', f'file={self.path},format={self.format},if=none,id=d',
                '-device', 'virtio-blk-pci,drive=d,addr=4')

    def start(self, *args):
        return self.enterContext(Vm(house.binary(), *self.arguments(), *args, qtest=True))

    def target(self):
        vm = self.start('-incoming', f'unix:{self.socket}')
        self.wait_for_socket()
        return vm

    def wait_for_socket(self):
        while not os.path.exists(self.socket):
            time.sleep(0.01)

    def migrate(self, vm, uri):
        vm.qmp('migrate', uri=uri)
        while vm.qmp('query-migrate')['status'] not in ('completed', 'failed'):
            time.sleep(0.01)
        return vm.qmp('query-migrate')['status']

    def arrive(self, vm):
        while vm.qmp('query-status')['status'] == 'inmigrate':
            time.sleep(0.01)
        self.assertEqual(vm.qmp('query-status')['status'], 'running')

    def write(self, disk, sector, byte):
        self.assertEqual(disk.request(OUT, sector, bytes([byte]) * 4096)[0], OK)

    def read(self, disk, sector, byte):
        self.assertEqual(disk.request(IN, sector, room=4096), (OK, bytes([byte]) * 4096))

    def refused(self):
        self.assertIn('lock', refusal(house.binary(), *self.arguments()))

    def check(self, sectors):
        if self.format == 'qcow2':
            subprocess.run([IMG, 'check', '-q', self.path], check=True)
        raw = os.path.join(self.folder, 'raw')
        subprocess.run([IMG, 'convert', '-O', 'raw', '-f', self.format, self.path, raw], check=True)
        with open(raw, 'rb') as file:
            data = file.read()
        for sector, byte in sectors.items():
            self.assertEqual(data[512 * sector:512 * sector + 4096], bytes([byte]) * 4096, sector)

    def forth_and_back(self, kind):
        self.create(kind)
        here = self.start()
        disk = Disk(here)
        self.write(disk, 0, 1)
        there = self.target()
        self.refused()
        self.write(disk, 0, 2)  # what the target may have read before
        self.write(disk, FAR, 3)
        self.assertEqual(self.migrate(here, f'unix:{self.socket}'), 'completed')
        self.arrive(there)
        self.refused()
        with self.assertRaisesRegex(QmpError, 'lock'):
            here.qmp('cont')
        self.assertEqual(disk.request(OUT, 0, bytes(4096))[0], IOERR)

        other = Disk(there)
        self.read(other, 0, 2)
        self.read(other, FAR, 3)
        self.write(other, 64, 4)
        self.write(other, FAR + 2048, 5)
        self.assertEqual(other.request(FLUSH)[0], OK)
        there.qmp('quit')
        there.process.wait()

        here.qmp('cont')
        disk = Disk(here)
        for sector, byte in {0: 2, FAR: 3, 64: 4, FAR + 2048: 5}.items():
            self.read(disk, sector, byte)
        self.write(disk, 128, 6)
        self.refused()
        here.qmp('quit')
        here.process.wait()
        self.check({0: 2, FAR: 3, 64: 4, FAR + 2048: 5, 128: 6})

    def test_qcow2(self):
        self.forth_and_back('qcow2')

    def test_lazy_counts(self):
        self.forth_and_back('lazy')

    def test_extended_l2(self):
        self.forth_and_back('extended')

    def test_raw(self):
        self.forth_and_back('raw')

    def test_source_is_killed(self):
        """All that it had is in the image, counts that shrank too, when it says that it is done."""
        self.create('qcow2')
        here = Vm(house.binary(), *self.arguments(), qtest=True)
        disk = Disk(here)
        self.write(disk, 0, 1)
        self.assertEqual(here.qmp.hmp('savevm a'), '')
        self.write(disk, 0, 2)
        self.assertEqual(here.qmp.hmp('loadvm a'), '')
        self.assertEqual(self.migrate(here, f"exec:cat >{os.path.join(self.folder, 'state')}"), 'completed')
        here.kill()
        self.check({0: 1})

    def test_failure(self):
        """The machine goes on, with its images."""
        self.create('qcow2')
        here = self.start()
        disk = Disk(here)
        self.assertEqual(self.migrate(here, 'exec:exec false'), 'failed')
        while here.qmp('query-status')['status'] != 'running':
            time.sleep(0.01)
        self.refused()
        self.write(disk, FAR, 3)
        self.read(disk, FAR, 3)

    def test_commands(self):
        """Those that write are refused while the image is another's."""
        self.create('qcow2')
        here, there = self.start(), self.target()
        node = here.qmp('query-block')[0]['inserted']['node-name']
        overlay = os.path.join(self.folder, 'overlay')

        def refuse(vm):
            for command, arguments in (
                    ('block_resize', {'device': 'd', 'size': 32 << 20}),
                    ('blockdev-snapshot-sync', {'device': 'd', 'snapshot-file': overlay}),
                    ('blockdev-snapshot-internal-sync', {'device': 'd', 'name': 'a'}),
                    ('blockdev-snapshot-delete-internal-sync', {'device': 'd', 'name': 'a'}),
                    ('change-backing-file', {'device': 'd', 'image-node-name': vm.qmp('query-block')[0]['inserted'][
                        'node-name'], 'backing-file': 'x'}),
                    ('block-dirty-bitmap-add', {'node': 'd', 'name': 'b', 'persistent': True})):
                with self.assertRaisesRegex(QmpError, "is inactive: until a migration has ended here, its image"):
                    vm.qmp(command, **arguments)
            self.assertFalse(os.path.exists(overlay))

        refuse(there)
        self.assertEqual(self.migrate(here, f'unix:{self.socket}'), 'completed')
        self.arrive(there)
        refuse(here)
        self.assertIn('is inactive', here.qmp.hmp('savevm a'))
        self.assertIn('is inactive', here.qmp.hmp('delvm a'))
        there.qmp('block_resize', device='d', size=32 << 20)
        there.qmp('quit')
        there.process.wait()
        here.qmp('cont')
        self.assertEqual(here.qmp('query-block')[0]['inserted']['image']['virtual-size'], 32 << 20)
        here.qmp('blockdev-snapshot-internal-sync', device='d', name='a')
        self.assertEqual(here.qmp('query-block')[0]['inserted']['node-name'], node)

    def test_backing_file(self):
        """What stands behind an image is what it names in the end, not what it named when it was opened."""
        self.format = 'qcow2'
        chain = [os.path.join(self.folder, name) for name in ('base', 'middle')] + [self.path]
        for n, path in enumerate(chain):
            behind = ['-b', chain[n - 1], '-F', 'qcow2'] if n else []
            subprocess.run([IMG, 'create', '-q', '-f', 'qcow2', *behind, path, '16M'], check=True)
            if n < 2:
                raw = os.path.join(self.folder, 'raw')
                with open(raw, 'wb') as file:
                    file.write(bytes([n + 1]) * 65536)
                    file.truncate(16 << 20)
                subprocess.run([IMG, 'convert', '-n', '-O', 'qcow2', raw, path], check=True)
        here, there = self.start(), self.target()
        self.read(Disk(here), 0, 2)
        node = here.qmp('query-block')[0]['inserted']['node-name']
        here.qmp('change-backing-file', **{'device': 'd', 'image-node-name': node, 'backing-file': chain[0]})
        self.assertEqual(self.migrate(here, f'unix:{self.socket}'), 'completed')
        self.arrive(there)
        self.read(Disk(there), 0, 1)
        inserted = there.qmp('query-block')[0]['inserted']
        self.assertEqual((inserted['backing_file'], inserted['backing_file_depth']), (chain[0], 1))

    def test_flash(self):
        """Its drive has what the source programmed: here another file."""
        base = (1 << 32) - (1 << 20)
        files = [os.path.join(self.folder, name) for name in ('here', 'there')]
        for path in files:
            with open(path, 'wb') as file:
                file.write(bytes([255]) * (1 << 20))
        here, there = (self.enterContext(Vm(house.binary(), '-M', 'pc', '-m', '16', '-nodefaults', '-drive',
                                            f'if=pflash,format=raw,file={path}', *more, qtest=True))
                       for path, more in zip(files, ((), ('-incoming', f'unix:{self.socket}'))))
        self.wait_for_socket()
        here.qtest(f'writeb {base + 0x1234:#x} 0x40')
        here.qtest(f'writeb {base + 0x1234:#x} 0x5a')
        self.assertEqual(self.migrate(here, f'unix:{self.socket}'), 'completed')
        self.arrive(there)
        there.qmp('quit')
        there.process.wait()
        with open(files[1], 'rb') as file:
            self.assertEqual(file.read()[0x1230:0x1238], b'\xff' * 4 + b'\x5a' + b'\xff' * 3)

    def test_bitmaps(self):
        """Those that are kept go along, with what was noted last."""
        self.create('qcow2')
        here = self.start()
        node = here.qmp('query-block')[0]['inserted']['node-name']
        here.qmp('block-dirty-bitmap-add', node=node, name='b', persistent=True)
        there = self.target()
        self.write(Disk(here), FAR, 3)
        self.assertEqual(self.migrate(here, f'unix:{self.socket}'), 'completed')
        self.arrive(there)
        bitmap, = there.qmp('query-block')[0]['inserted']['dirty-bitmaps']
        self.assertEqual((bitmap['name'], bitmap['count'], bitmap['recording'], bitmap['inconsistent']
                          if 'inconsistent' in bitmap else False), ('b', 65536, True, False))


if __name__ == '__main__':
    house.main()
