# SPDX-License-Identifier: GPL-2.0-or-later
"""blkdebug: rules from files and options, states, sectors, alignments; and what they make of disks and images:
the guest's error, a stop and another try, and never a damaged image.
"""
import os
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from virtio_blk_test import FLUSH, IN, IOERR, OK, OUT, Disk  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402

IMG = os.path.join(os.environ['BINARIES'], 'qemu-img')
MIB = 1 << 20
# What happens to a qcow2 image that is written to for the first time, and filled.
EVENTS = ('l1_update', 'l2_load', 'l2_update', 'l2_alloc_write', 'write_aio', 'cow_read', 'cow_write',
          'reftable_load', 'reftable_update', 'refblock_load', 'refblock_update_part', 'refblock_alloc',
          'cluster_alloc', 'flush_to_os', 'flush_to_disk', 'pwritev', 'pwritev_done', 'none')


class Blkdebug(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.disk = self.path('disk')
        with open(self.disk, 'wb') as file:
            file.write(random.Random(1).randbytes(MIB))

    def path(self, name):
        return os.path.join(self.folder, name)

    def stored(self, sector, sectors=1):
        with open(self.disk, 'rb') as file:
            file.seek(512 * sector)
            return file.read(512 * sectors)

    def rules(self, text):
        with open(self.path('rules'), 'w', encoding='ascii') as file:
            file.write(text)
        return self.path('rules')

    def machine(self, *drive):
        return Vm(house.binary(), '-M', 'pc', '-nodefaults', *drive, '-device',
                  'virtio-blk-pci,drive=d,addr=4,id=disk', qtest=True)

    def node(self, *rules, driver='raw', **limits):
        """As -blockdev, with rules from the options."""
        values = {'driver': driver, 'node-name': 'd', 'file': {
            'driver': 'blkdebug', 'image': {'driver': 'file', 'filename': self.disk}, **limits}}
        for kind, rule in rules:
            values['file'].setdefault(kind, []).append(rule)
        return '-blockdev', str(values).replace("'", '"').replace('True', 'true').replace('False', 'false')

    def test_file_of_rules(self):
        path = self.rules('# twice\n[inject-error]\nevent = "read_aio"\nsector = "8"\nerrno = "28"\nonce = "on"\n\n'
                          '[inject-error]\nevent = "write_aio"\n sector = "9"\n')
        with self.machine('-drive', f'file=blkdebug:{path}:{self.disk},format=raw,if=none,id=d') as vm:
            self.assertEqual(vm.qmp('query-block')[0]['inserted']['file'], f'blkdebug:{path}:{self.disk}')
            disk = Disk(vm)
            self.assertEqual(disk.request(IN, 9, room=512), (OK, self.stored(9)))
            self.assertEqual(disk.request(IN, 5, room=4096)[0], IOERR)
            event = vm.qmp.wait_event('BLOCK_IO_ERROR')['data']
            self.assertEqual((event['action'], event['operation'], event['nospace']), ('report', 'read', True))
            self.assertEqual(disk.request(IN, 5, room=4096), (OK, self.stored(5, 8)))
            self.assertEqual([disk.request(OUT, sector, b'w' * 512)[0] for sector in (9, 8, 9)], [IOERR, OK, IOERR])
            stats = vm.qmp('query-blockstats')[0]['stats']
            self.assertEqual((stats['failed_rd_operations'], stats['failed_wr_operations']), (1, 2))

    def test_stops_and_tries_again(self):
        path = self.rules('[inject-error]\nevent = "write_aio"\nonce = "on"\nerrno = "5"\n')
        with self.machine('-drive', f'file=blkdebug:{path}:{self.disk},format=raw,if=none,id=d,werror=stop') as vm:
            disk = Disk(vm)
            disk.poke(0x200000, b'\1' + bytes(15))
            disk.poke(0x210000, b'again   ' * 64)
            disk.queue.add([(0x200000, 16, False), (0x210000, 512, False), (0x208000, 1, True)])
            disk.function.kick()
            vm.qmp.wait_event('STOP')
            self.assertEqual(vm.qmp('query-status')['status'], 'io-error')
            self.assertEqual(vm.qmp('query-block')[0]['io-status'], 'failed')
            self.assertIsNone(disk.queue.take())
            vm.qmp('cont')
            disk.queue.wait()
            self.assertEqual((disk.peek(0x208000, 1), self.stored(0)), (b'\0', b'again   ' * 64))
            self.assertEqual(vm.qmp('query-block')[0]['io-status'], 'ok')

    def test_states(self):
        """The third read fails, and all from the fifth on."""
        steps = [('set-state', {'event': 'read_aio', 'state': n, 'new_state': n + 1}) for n in (1, 2, 3, 4)]
        steps += [('inject-error', {'event': 'read_aio', 'state': n, 'once': once}) for n, once in ((3, True), (5, False))]
        with self.machine(*self.node(*steps)) as vm:
            disk = Disk(vm)
            # The device has read the first sector itself.
            self.assertEqual([disk.request(IN, 0, room=512)[0] for _ in range(6)], [OK, IOERR, OK, IOERR, IOERR, IOERR])

    def test_kinds(self):
        rule = ('inject-error', {'event': 'none', 'iotype': 'flush', 'errno': 5})
        with self.machine(*self.node(rule)) as vm:
            disk = Disk(vm)
            self.assertEqual((disk.request(IN, 0, room=512)[0], disk.request(OUT, 0, b'x' * 512)[0]), (OK, OK))
            self.assertEqual(disk.request(FLUSH)[0], IOERR)

    def test_align_and_pieces(self):
        limits = {'align': 4096, 'max-transfer': 8192, 'opt-write-zero': 8192, 'max-write-zero': 16384}
        expected = bytearray(self.stored(0, 128))
        with self.machine(*self.node(**limits)) as vm:
            disk = Disk(vm)
            self.assertEqual(disk.request(IN, 3, room=20480)[1], expected[3 * 512:43 * 512])
            expected[5 * 512:25 * 512] = b'u' * 20 * 512
            self.assertEqual(disk.request(OUT, 5, b'u' * 20 * 512)[0], OK)
            self.assertEqual(disk.request(13, 0, (64).to_bytes(8, 'little') + (32).to_bytes(4, 'little') + bytes(4))[0], OK)
            expected[64 * 512:96 * 512] = bytes(32 * 512)
            self.assertEqual(disk.request(13, 0, (99).to_bytes(8, 'little') + (3).to_bytes(4, 'little') + bytes(4))[0], OK)
            expected[99 * 512:102 * 512] = bytes(3 * 512)
        self.assertEqual(self.stored(0, 128), expected)

    def test_images_survive(self):
        """Whatever fails, once or from some time on: what is in the image is what a guest was told of."""
        for event in EVENTS:
            for once in ('on', 'off'):
                image = self.path('a.qcow2')
                subprocess.run([IMG, 'create', '-q', '-f', 'qcow2', '-o', 'cluster_size=512', image, '2M'], check=True)
                options = (f'driver=qcow2,file.driver=blkdebug,file.image.driver=file,file.image.filename={image},'
                           f'file.inject-error.0.event={event},file.inject-error.0.once={once},'
                           'file.inject-error.0.iotype=write,file.inject-error.0.state=2,'
                           f'file.set-state.0.event={event},file.set-state.0.state=1,file.set-state.0.new_state=2')
                subprocess.run([IMG, 'bench', '-w', '-d', '3', '-c', '600', '-s', '3072', '--flush-interval', '40',
                                '--pattern', '90', '--image-opts', options], capture_output=True, check=False)
                checked = subprocess.run([IMG, 'check', '-f', 'qcow2', image], capture_output=True, text=True,
                                         check=False)
                self.assertIn(checked.returncode, (0, 3), (event, once, checked.stdout, checked.stderr))

    def test_refused(self):
        for values, why in (({'align': 3}, 'align 3'), ({'align': 8192, 'max-transfer': 1000}, 'max-transfer 1000'),
                            ({'align': 4096, 'max-discard': 100}, 'max-discard 100')):
            with Vm(house.binary(), '-M', 'none') as vm:
                with self.assertRaises(QmpError) as caught:
                    vm.qmp.run('blockdev-add', {'driver': 'blkdebug', 'node-name': 'n', 'image': {'driver': 'null-co'},
                                                **values})
                self.assertEqual(caught.exception.desc, 'Cannot meet constraints with ' + why)
        for text, why in (('[inject-error]\nevent = "foo"\n', 'foo'), ('[nothing]\n', 'nothing'),
                          ('event = "none"\n', 'parse error'), ('[set-state]\nevent = none\n', 'parse error'),
                          ('[set-state]\nevent = "none"\n', 'new_state')):
            self.assertIn(why, refusal(house.binary(), '-M', 'none', '-drive', 'if=none,file=blkdebug:'
                                       f'{self.rules(text)}:{self.disk},format=raw'))
        self.assertIn('No such file', refusal(house.binary(), '-M', 'none', '-drive',
                                              f'if=none,file=blkdebug:{self.path("x")}:{self.disk},format=raw'))


if __name__ == '__main__':
    unittest.main()
