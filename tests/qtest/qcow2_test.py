# SPDX-License-Identifier: GPL-2.0-or-later
"""qcow2 images behind a disk of a machine: probing, snapshots by clients, damage, being killed."""
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ata  # noqa: E402
import house  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402

IMG = os.path.join(os.environ['BINARIES'], 'qemu-img')
MIB = 1 << 20
BYTES = 8 * MIB


def pattern(byte, sectors=1):
    return bytes([byte]) * 512 * sectors


class Images(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def img(self, *words, status=0):
        done = subprocess.run([IMG, *words], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def image(self, name='a.qcow2', *options):
        path = self.path(name)
        self.img('create', '-q', '-f', 'qcow2', *options, path, str(BYTES))
        return path

    def content(self, path, *more):
        self.img('convert', '-O', 'raw', *more, path, self.path('raw'))
        with open(self.path('raw'), 'rb') as file:
            return file.read()

    def machine(self, drive, *args):
        return Vm(house.binary(), '-M', 'pc', '-nodefaults', '-drive', drive, '-device',
                  'ide-hd,drive=d,bus=ide.0,id=disk', *args, qtest=True)

    def write(self, disk, lba, data):
        self.assertEqual(disk.pio_write(lba, data) & 0xc9, ata.DRDY)

    def flush(self, disk):
        """However long the host's disk takes."""
        disk.command(0xe7)
        while disk.inb(7) & ata.BSY:
            pass
        self.assertEqual(disk.wait() & 0xc9, ata.DRDY)

    def test_probed(self):
        path = self.image()
        with self.machine(f'file={path},if=none,id=d') as vm:
            inserted = vm.qmp('query-block')[0]['inserted']
            self.assertEqual((inserted['drv'], inserted['file']), ('qcow2', path))
            image = inserted['image']
            self.assertEqual((image['format'], image['virtual-size'], image['cluster-size']),
                             ('qcow2', BYTES, 65536))
            self.assertEqual(image['format-specific']['data']['compat'], '1.1')
            disk = ata.Ide(vm)
            self.write(disk, 1000, pattern(7, 8))
            self.assertEqual(disk.pio_read(1000, 8), pattern(7, 8))
        self.img('check', '-q', path)
        self.assertEqual(self.content(path)[1000 * 512:1008 * 512], pattern(7, 8))

    def test_snapshot_on(self):
        path = self.image()
        with open(path, 'rb') as file:
            before = file.read()
        with self.machine(f'file={path},if=none,id=d,snapshot=on') as vm:
            self.assertEqual(vm.qmp('query-block')[0]['inserted']['backing_file'], path)
            disk = ata.Ide(vm)
            self.write(disk, 5, pattern(1))
            self.assertEqual(disk.pio_read(5), pattern(1))
        with open(path, 'rb') as file:
            self.assertTrue(file.read() == before)

    def test_copy_on_read(self):
        below = self.image('below.qcow2')
        with self.machine(f'file={below},if=none,id=d') as vm:
            self.write(ata.Ide(vm), 256, pattern(9))
        path = self.image('above.qcow2', '-b', below, '-F', 'qcow2')
        with self.machine(f'file={path},if=none,id=d,copy-on-read=on') as vm:
            self.assertEqual(ata.Ide(vm).pio_read(256), pattern(9))
        self.img('rebase', '-u', '-b', '', path)
        self.assertEqual(self.content(path)[256 * 512:257 * 512], pattern(9))

    def test_reads_of_every_kind(self):
        """Data, compressed data, zeroes, holes: over a short backing file, across its end, beyond it."""
        below, packed, path = self.path('below.raw'), self.path('packed.raw'), self.path('a.qcow2')
        with open(below, 'wb') as file:
            file.write(random.Random(3).randbytes(3 * MIB - 512))
        with open(packed, 'wb') as file:
            file.write(bytes(65536) + bytes(range(256)) * 512 + bytes(BYTES - 3 * 65536))
        self.img('convert', '-c', '-O', 'qcow2', '-B', below, '-F', 'raw', packed, path)
        with self.machine(f'file={path},if=none,id=d') as vm:
            disk = ata.Ide(vm)
            for lba in (129, 130, 5000, 6143, 8000):
                self.write(disk, lba, pattern(lba & 0xff, 3))
        expected = self.content(path)
        for aio in ('threads', 'io_uring'):
            with self.machine(f'file={path},if=none,id=d,aio={aio}') as vm:
                disk = ata.Ide(vm)
                for lba in (0, 120, 126, 128, 130, 200, 380, 500, 2047, 4990, 5000, 6140, 6143, 7999, 16000):
                    self.assertEqual(disk.pio_read(lba, 64), expected[512 * lba:512 * (lba + 64)], (aio, lba))

    def test_client_snapshots(self):
        path, first, second = self.image(), self.path('1.qcow2'), self.image('2.qcow2')
        with self.machine(f'file={path},if=none,id=d') as vm:
            disk = ata.Ide(vm)
            self.write(disk, 0, pattern(1))
            vm.qmp('blockdev-snapshot-sync', device='d', **{'snapshot-file': first})
            self.write(disk, 1, pattern(2))
            self.assertEqual(vm.qmp('query-block')[0]['inserted']['file'], first)
            vm.qmp('blockdev-add', driver='qcow2', backing=None, file={
                'driver': 'file', 'filename': second}, **{'node-name': 'over'})
            node = vm.qmp('query-block')[0]['inserted']['node-name']
            vm.qmp('blockdev-snapshot', node=node, overlay='over')
            with self.assertRaises(QmpError):
                vm.qmp('blockdev-snapshot', node=node, overlay='over')
            self.write(disk, 2, pattern(3))
            self.assertEqual(vm.qmp('query-block')[0]['inserted']['backing_file_depth'], 2)
            self.assertEqual(disk.pio_read(0, 3), pattern(1) + pattern(2) + pattern(3))
        for name in (path, first, second):
            self.img('check', '-q', name)
        self.assertEqual(self.content(path)[:1536], pattern(1) + bytes(1024))
        self.assertEqual(self.content(first)[:1536], pattern(1) + pattern(2) + bytes(512))

    def test_transactions(self):
        """All of it, or none: what came before the action that fails is as it was."""
        path, other = self.image(), self.image('b.qcow2')
        first, second, third = (self.path(f'{n}.qcow2') for n in (1, 2, 3))

        def sync(device, file):
            return {'type': 'blockdev-snapshot-sync', 'data': {'device': device, 'snapshot-file': file}}

        def inner(device, name):
            return {'type': 'blockdev-snapshot-internal-sync', 'data': {'device': device, 'name': name}}

        def state():
            return [(drive['file'], drive['ro'], drive['image'].get('snapshots'))
                    for drive in (info['inserted'] for info in vm.qmp('query-block'))]

        with self.machine(f'file={path},if=none,id=d', '-drive', f'file={other},if=none,id=e') as vm:
            disk = ata.Ide(vm)
            self.write(disk, 0, pattern(1))
            before = state()
            for last, why in (({'type': 'abort', 'data': {}}, 'Transaction aborted using Abort action'),
                              (inner('nothing', 'a'), "Cannot find device='nothing' nor node-name='nothing'"),
                              (inner('e', ''), 'Name is empty')):
                with self.assertRaises(QmpError) as caught:
                    vm.qmp('transaction', actions=[inner('e', 'in'), sync('d', first), sync('d', second), last])
                self.assertEqual(caught.exception.desc, why)
                self.assertEqual(state(), before)
                self.write(disk, 1, pattern(2))
            vm.qmp('transaction', actions=[inner('d', 'in'), sync('d', first), sync('e', third)])
            self.write(disk, 2, pattern(3))
            self.assertEqual(disk.pio_read(0, 3), pattern(1) + pattern(2) + pattern(3))
            self.assertEqual([drive['inserted']['file'] for drive in vm.qmp('query-block')], [first, third])
        for name in (path, other, first, third):
            self.img('check', '-q', name)
        self.assertEqual(self.content(path)[:1536], pattern(1) + pattern(2) + bytes(512))
        self.assertEqual(self.content(path, '-l', 'in')[:1536], pattern(1) + pattern(2) + bytes(512))

    def test_internal_snapshots_by_clients(self):
        path = self.image()
        with self.machine(f'file={path},if=none,id=d') as vm:
            disk = ata.Ide(vm)
            self.write(disk, 0, pattern(1))
            vm.qmp('blockdev-snapshot-internal-sync', device='d', name='a')
            for name, why in (('a', "Snapshot with name 'a' already exists on device 'd'"), ('', 'Name is empty')):
                with self.assertRaises(QmpError) as caught:
                    vm.qmp('blockdev-snapshot-internal-sync', device='d', name=name)
                self.assertEqual(caught.exception.desc, why)
            self.write(disk, 0, pattern(2))
            (info,) = vm.qmp('query-block')[0]['inserted']['image']['snapshots']
            self.assertEqual((info['name'], info['vm-state-size']), ('a', 0))
            self.assertEqual(self.content(path, '-l', 'a', '-U')[:512], pattern(1))
            with self.assertRaises(QmpError):
                vm.qmp('blockdev-snapshot-delete-internal-sync', device='d', id='7', name='a')
            self.assertEqual(vm.qmp('blockdev-snapshot-delete-internal-sync', device='d', name='a'), info)
            self.assertNotIn('snapshots', vm.qmp('query-block')[0]['inserted']['image'])
        self.img('check', '-q', path)

    def create(self, vm, **options):
        """The states that the job is in, and why it fails."""
        states = []
        vm.qmp('blockdev-create', **{'job-id': 'job', 'options': options})
        while 'concluded' not in states:
            states.append(vm.qmp.wait_event('JOB_STATUS_CHANGE')['data']['status'])
        (info,) = vm.qmp('query-jobs')
        self.assertEqual((info['id'], info['type'], info['status']), ('job', 'create', 'concluded'))
        vm.qmp('job-dismiss', id='job')
        self.assertEqual(vm.qmp.wait_event('JOB_STATUS_CHANGE')['data']['status'], 'null')
        self.assertEqual(vm.qmp('query-jobs'), [])
        return states, info.get('error')

    def test_created_by_a_client(self):
        path, good = self.path('new.qcow2'), ['created', 'running', 'waiting', 'pending',
                                              'concluded']
        with Vm(house.binary(), '-M', 'none') as vm:
            self.assertEqual(self.create(vm, driver='file', filename=path, size=0), (good, None))
            vm.qmp('blockdev-add', driver='file', filename=path, **{'node-name': 'f'})
            states, why = self.create(vm, driver='qcow2', file='f', size=1000)
            self.assertEqual(states, ['created', 'running', 'aborting', 'concluded'])
            self.assertEqual(why, 'Image size must be a multiple of 512 bytes')
            options = {'driver': 'qcow2', 'file': 'f', 'size': BYTES, 'extended-l2': True,
                       'preallocation': 'metadata'}
            self.assertEqual(self.create(vm, **options), (good, None))
            vm.qmp('blockdev-add', driver='qcow2', file='f', **{'node-name': 'q'})
            with self.assertRaises(QmpError):
                vm.qmp('job-dismiss', id='job')
        self.img('check', '-q', path)

    def test_damage(self):
        """A table that leads to the header: it is told of, and nothing is overwritten."""
        path = self.image()
        with self.machine(f'file={path},if=none,id=d') as vm:
            self.write(ata.Ide(vm), 0, pattern(1))
        with open(path, 'r+b') as file:
            file.seek(40)
            l1, = struct.unpack('>Q', file.read(8))
            file.seek(l1)
            l2, = struct.unpack('>Q', file.read(8))
            file.seek(l2 & ~(1 << 63))
            file.write(struct.pack('>Q', 1 << 63 | 65536))  # the table of counts
        with self.machine(f'file={path},if=none,id=d') as vm:
            disk = ata.Ide(vm)
            self.assertNotEqual(disk.pio_write(0, pattern(2)) & 0x21, 0)
            event = vm.qmp.wait_event('BLOCK_IMAGE_CORRUPTED')
            self.assertTrue(event['data']['fatal'])
            self.assertEqual(event['data']['device'], 'd')
            self.assertIn('Preventing invalid write on metadata', event['data']['msg'])
        self.assertIn('corrupt: true', self.img('info', path))
        self.img('check', '-q', path, status=2)
        self.assertIn('cannot be opened read/write',
                      refusal(house.binary(), '-M', 'none', '-drive', f'file={path},if=none'))

    def test_killed(self):
        """What a flush made durable is there, and the image is whole."""
        rand = random.Random(4)
        for _ in range(3):
            path, shadow = self.image(), bytearray(BYTES)
            vm = self.machine(f'file={path},if=none,id=d')
            disk = ata.Ide(vm)
            for i in range(30):
                lba, byte = rand.randrange(BYTES // 512 - 4), rand.randrange(1, 256)
                self.write(disk, lba, pattern(byte, 4))
                shadow[lba * 512:lba * 512 + 2048] = pattern(byte, 4)
                if i % 10 == 9:
                    self.flush(disk)
            vm.kill()
            self.assertIn(subprocess.run([IMG, 'check', '-q', path], check=False).returncode, (0, 3))
            self.assertTrue(self.content(path) == bytes(shadow))


if __name__ == '__main__':
    house.main()
