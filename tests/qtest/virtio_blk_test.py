# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio-blk as a driver sees it, on PCI: ours and, with the same script, the peer's."""
import os
import random
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import virtio  # noqa: E402
from virtio import VERSION_1  # noqa: E402
from virtio_pci import DEVICE, Function  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402

PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES = 0, 1, 4, 8, 11, 13
OK, IOERR, UNSUPP = 0, 1, 2
F_RO, F_BLK_SIZE, F_FLUSH, F_WCE, F_MQ, F_DISCARD, F_ZEROES = 5, 6, 9, 11, 12, 13, 14
HEADER, DATA, STATUS = 0x200000, 0x210000, 0x208000
ALL = sum(1 << bit for bit in (VERSION_1, F_BLK_SIZE, F_FLUSH, F_WCE, F_DISCARD, F_ZEROES))


def pattern(sectors, first=0):
    return b''.join(struct.pack('<128I', *[first + n] * 128) for n in range(sectors))


class Disk:
    """A started device and its first queue."""

    def __init__(self, vm, features=ALL, packed=False):
        self.vm = vm
        self.function = Function(vm)
        self.queue = virtio.Queue(vm, size=16)
        self.function.start(self.queue, features)

    def poke(self, at, data):
        self.vm.qtest(f'write {at:#x} {len(data)} 0x{data.hex()}')

    def peek(self, at, size):
        return bytes.fromhex(self.vm.qtest(f'read {at:#x} {size}')[2:])

    def request(self, kind, sector=0, data=b'', room=0):
        """(status, data) of a request."""
        self.poke(HEADER, struct.pack('<IIQ', kind, 0, sector))
        self.poke(STATUS, b'\xff')
        pieces = [(HEADER, 16, False)]
        if data:
            self.poke(DATA, data)
            pieces.append((DATA, len(data), False))
        if room:
            pieces.append((DATA, room, True))
        self.queue.add([*pieces, (STATUS, 1, True)])
        self.function.kick()
        self.queue.wait()
        return self.peek(STATUS, 1)[0], self.peek(DATA, room) if room else b''

    def start(self, parts):
        """Requests of a kick, for which nobody waits: (kind, sector) of two sectors at DATA + 1024 * n."""
        queue = self.queue
        for n, (kind, sector) in enumerate(parts):
            self.poke(HEADER + 16 * n, struct.pack('<IIQ', kind, 0, sector))
            self.poke(STATUS + n, b'\xff')
            for i, (at, size, flags) in enumerate(((HEADER + 16 * n, 16, 1), (DATA + 1024 * n, 1024,
                                                                             3 if kind == IN else 1),
                                                   (STATUS + n, 1, 2))):
                queue.write(queue.desc + 16 * (3 * n + i), struct.pack('<QIHH', at, size, flags, 3 * n + i + 1))
            queue.write(queue.driver + 4 + 2 * ((queue.next + n) % queue.size), struct.pack('<H', 3 * n))
        queue.next += len(parts)
        queue.write(queue.driver + 2, struct.pack('<H', queue.next & 0xffff))
        self.function.kick()

    def requests(self, parts):
        """The same; their statuses."""
        self.start(parts)
        return self.finish(parts)

    def finish(self, parts):
        for _ in parts:
            self.queue.wait()
        return self.peek(STATUS, len(parts))

    def config(self, at, size):
        return self.function.get(DEVICE, at, size)


class Blk:
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def image(self, sectors=8192):
        path = os.path.join(self.folder.name, 'disk')
        with open(path, 'wb') as file:
            file.write(pattern(sectors))
        return path

    def machine(self, *options, drive='', sectors=8192, extra=()):
        device = ','.join(['virtio-blk-pci,drive=d,id=blk,addr=4', *options])
        args = ['-M', 'pc', '-nodefaults', '-drive',
                f'file={self.image(sectors)},format=raw,if=none,id=d{drive}', '-device', device, *extra]
        if self.binary == PEER:  # its CPU must not run
            return Vm(PEER, *args, '-S', qtest=True, accel='tcg')
        return Vm(self.binary, *args, qtest=True)

    def stored(self, sector):
        with open(os.path.join(self.folder.name, 'disk'), 'rb') as file:
            file.seek(512 * sector)
            return file.read(512)

    def test_identity_and_configuration(self):
        with self.machine('serial=abc', 'logical_block_size=4096', 'physical_block_size=8192',
                          'min_io_size=8192', 'opt_io_size=65536', 'num-queues=3') as vm:
            disk = Disk(vm)
            self.assertEqual(disk.function.read(0), 0x10011af4)
            self.assertEqual(disk.function.read(8) >> 16, 0x0100)
            self.assertEqual(disk.function.features() & 1 << F_MQ, 1 << F_MQ)
            self.assertEqual(disk.config(0, 4), 8192)
            self.assertEqual(disk.config(12, 4), 254)
            self.assertEqual(disk.config(20, 4), 4096)
            self.assertEqual(disk.config(24, 1), 1)
            self.assertEqual(disk.config(26, 2), 2)
            self.assertEqual(disk.config(28, 4), 16)
            self.assertEqual(disk.config(34, 2), 3)
            self.assertEqual([disk.config(at, 4) for at in (36, 40, 44, 48, 52)],
                             [0x3fffff, 1, 8, 0x3fffff, 1])
            self.assertEqual(disk.request(GET_ID, room=20), (OK, b'abc'.ljust(20, b'\0')))
            self.assertEqual(disk.request(IN, 8, room=4096), (OK, pattern(8, 8)))
            self.assertEqual(disk.request(IN, 1, room=4096)[0], IOERR)
            self.assertEqual(disk.request(IN, 8, room=512)[0], IOERR)

    def test_requests(self):
        with self.machine(drive=',discard=unmap') as vm:
            disk = Disk(vm)
            self.assertEqual(disk.request(IN, 100, room=8192), (OK, pattern(16, 100)))
            self.assertEqual(disk.request(OUT, 200, b'x' * 1024)[0], OK)
            self.assertEqual(self.stored(201), b'x' * 512)
            self.assertEqual(disk.request(FLUSH)[0], OK)
            self.assertEqual(disk.request(77)[0], UNSUPP)
            self.assertEqual(disk.request(IN, 8191, room=1024)[0], IOERR)
            self.assertEqual(disk.request(IN, 1 << 55, room=512)[0], IOERR)
            self.assertEqual(disk.request(OUT, 8192, b'y' * 512)[0], IOERR)
            stats = vm.qmp('query-blockstats')[0]['stats']
            self.assertEqual(stats['rd_bytes'], 8192 + 512 * (self.binary != PEER))  # and its MBR
            self.assertEqual((stats['wr_bytes'], stats['wr_operations']), (1024, 1))
            self.assertEqual(stats['invalid_wr_operations'], 1)

    def test_merging(self):
        """Neighbours are one request of the drive, whatever their order; those of another kind are none."""
        for options, merged in (((), (2, 1)), (('request-merging=off',), (0, 0))):
            with self.machine(*options) as vm:
                disk = Disk(vm)
                before = vm.qmp('query-blockstats')[0]['stats']
                self.assertEqual(disk.requests([(IN, 104), (IN, 100), (IN, 300), (IN, 102)]), bytes(4))
                self.assertEqual(disk.peek(DATA, 4096), b''.join(pattern(2, n) for n in (104, 100, 300, 102)))
                disk.poke(DATA, pattern(8, 7000))
                self.assertEqual(disk.requests([(OUT, 52), (OUT, 50), (IN, 54), (OUT, 8191)]), bytes([0, 0, 0, IOERR]))
                self.assertEqual(disk.request(IN, 50, room=3072), (OK, pattern(2, 7002) + pattern(2, 7000) +
                                                                   pattern(2, 54)))
                after = vm.qmp('query-blockstats')[0]['stats']
                grown = {name: after[name] - before[name] for name in after if name.startswith(('rd_', 'wr_'))}
                self.assertEqual((grown['rd_merged'], grown['wr_merged']), merged)
                self.assertEqual((grown['rd_operations'], grown['wr_operations']), (6, 2))
                self.assertEqual((grown['rd_bytes'], grown['wr_bytes']), (8192, 2048))

    def test_ranges(self):
        with self.machine(drive=',discard=unmap') as vm:
            disk = Disk(vm)

            def segment(sector, sectors, flags=0):
                return struct.pack('<QII', sector, sectors, flags)

            self.assertEqual(disk.request(WRITE_ZEROES, 0, segment(10, 4))[0], OK)
            self.assertEqual(disk.request(IN, 9, room=3072)[1], pattern(1, 9) + bytes(2048) +
                             pattern(1, 14))
            self.assertEqual(disk.request(DISCARD, 0, segment(128, 64))[0], OK)
            self.assertEqual(disk.request(IN, 128, room=512)[1], bytes(512))
            self.assertEqual(disk.request(WRITE_ZEROES, 0, segment(64, 8, 1))[0], OK)
            self.assertEqual(self.stored(64), bytes(512))
            self.assertEqual(disk.request(DISCARD, 0, segment(0, 1, 1))[0], UNSUPP)
            self.assertEqual(disk.request(WRITE_ZEROES, 0, segment(0, 1, 2))[0], UNSUPP)
            self.assertEqual(disk.request(DISCARD, 0, segment(8190, 4))[0], IOERR)
            self.assertEqual(disk.request(DISCARD, 0, segment(0, 0x400000))[0], IOERR)
            self.assertEqual(self.stored(0), pattern(1))

    def test_write_cache(self):
        with self.machine() as vm:
            disk = Disk(vm)
            self.assertEqual(disk.config(32, 1), 1)
            disk.function.put(DEVICE, 32, 0, 1)
            self.assertFalse(vm.qmp('query-block')[0]['inserted']['cache']['writeback'])
            self.assertEqual(disk.request(OUT, 0, b'z' * 512)[0], OK)
            Disk(vm, 1 << VERSION_1)  # knows no flush
            self.assertFalse(vm.qmp('query-block')[0]['inserted']['cache']['writeback'])
            Disk(vm, 1 << VERSION_1 | 1 << F_FLUSH)
            self.assertTrue(vm.qmp('query-block')[0]['inserted']['cache']['writeback'])

    def test_accounting(self):
        for options, told in (((), (True, True)), (('account-invalid=off',), (False, True)),
                              (('account-failed=off',), (True, False))):
            with self.machine(*options) as vm:
                stats = vm.qmp('query-blockstats')[0]['stats']
                self.assertEqual((stats['account_invalid'], stats['account_failed']), told)

    def test_histograms(self):
        """How many requests took how long; and when the last one was."""
        path = '/machine/peripheral/blk/virtio-backend'
        with self.machine(drive=',stats-account-invalid=off') as vm:
            disk = Disk(vm)
            vm.qmp.run('block-latency-histogram-set', {'id': path, 'boundaries': [1, 1 << 62],
                                                       'boundaries-write': [1 << 62]})
            for kind, data in ((OUT, b'x' * 512), (FLUSH, b''), (OUT, b'y' * 512)):
                self.assertEqual(disk.request(kind, 0, data)[0], OK)
            self.assertEqual(disk.request(IN, 0, room=512)[0], OK)
            self.assertEqual(disk.request(IN, 8192, room=512)[0], IOERR)
            stats = vm.qmp('query-blockstats')[0]['stats']
            self.assertEqual(stats['account_invalid'], False)
            self.assertGreaterEqual(stats['idle_time_ns'], 0)
            for name, bins in (('rd', [0, 1, 0]), ('wr', [2, 0]), ('flush', [0, 1, 0])):
                self.assertEqual(stats[name + '_latency_histogram']['bins'], bins, name)
            for wrong in ([5, 5], [0], [3, 2]):
                with self.assertRaises(QmpError) as caught:
                    vm.qmp.run('block-latency-histogram-set', {'id': path, 'boundaries-flush': wrong})
                self.assertEqual(caught.exception.desc, f"Device '{path}' set flush boundaries fail")
            vm.qmp.run('block-latency-histogram-set', {'id': path})
            self.assertNotIn('rd_latency_histogram', vm.qmp('query-blockstats')[0]['stats'])

    def test_read_only(self):
        with self.machine(drive=',readonly=on') as vm:
            disk = Disk(vm, 1 << VERSION_1 | 1 << F_RO)
            self.assertEqual(disk.function.features() & 1 << F_RO, 1 << F_RO)
            self.assertEqual(disk.request(OUT, 0, b'z' * 512)[0], IOERR)
            self.assertEqual(disk.request(IN, 5, room=512), (OK, pattern(1, 5)))

    def test_resize(self):
        with self.machine() as vm:
            disk = Disk(vm)
            vm.qmp('block_resize', device='d', size=16384 * 512)
            self.assertEqual(disk.config(0, 4), 16384)
            self.assertEqual(disk.request(IN, 16383, room=512), (OK, bytes(512)))

    def test_hot_plug(self):
        with self.machine() as vm:
            path = os.path.join(self.folder.name, 'other')
            with open(path, 'wb') as file:
                file.write(pattern(64))
            vm.qmp('blockdev-add', driver='raw', file={'driver': 'file', 'filename': path},
                   **{'node-name': 'n'})
            vm.qmp('device_add', driver='virtio-blk-pci', drive='n', id='two', addr='5')
            self.assertEqual([drive['qdev'] for drive in vm.qmp('query-block')],
                             ['/machine/peripheral/blk/virtio-backend',
                              '/machine/peripheral/two/virtio-backend'])
            vm.qmp('device_del', id='blk')
            vm.qtest('outl 0xae08 0x10')  # as the guest's ACPI code ejects slot 4
            vm.qmp.wait_event('DEVICE_DELETED')
            self.assertEqual([drive['device'] for drive in vm.qmp('query-block')], [''])
            vm.qmp('device_del', id='two')
            vm.qtest('outl 0xae08 0x20')
            while vm.qmp.wait_event('DEVICE_DELETED')['data'].get('device') != 'two':
                pass
            vm.qmp('blockdev-del', **{'node-name': 'n'})

    # --- drivers that are wrong ---

    def test_no_header(self):
        for pieces in ([(HEADER, 8, False), (STATUS, 1, True)], [(HEADER, 16, False)],
                       [(STATUS, 1, True)]):
            with self.machine() as vm:
                disk = Disk(vm)
                disk.queue.add(pieces)
                disk.function.kick()
                self.assertTrue(any(disk.function.status() & virtio.NEEDS_RESET for _ in range(100000)))
                self.assertIsNone(disk.queue.take())
                self.assertEqual(Disk(vm).request(IN, 7, room=512), (OK, pattern(1, 7)))

    def test_data_that_is_no_memory(self):
        with self.machine() as vm:
            disk = Disk(vm)
            for address in (0xfee00000, 0x3000000000, 0xfffff000, 0xa0000):
                disk.poke(HEADER, struct.pack('<IIQ', IN, 0, 0))
                disk.queue.add([(HEADER, 16, False), (address, 512, True), (STATUS, 1, True)])
                disk.function.kick()
                disk.queue.wait()
            self.assertEqual(disk.request(IN, 7, room=512), (OK, pattern(1, 7)))

    def test_reset_under_way(self):
        with self.machine() as vm:
            for _ in range(10):
                disk = Disk(vm)
                for n in range(4):
                    disk.poke(HEADER + 16 * n, struct.pack('<IIQ', IN, 0, n))
                    disk.queue.add([(HEADER + 16 * n, 16, False), (DATA + 512 * n, 512, True),
                                    (STATUS + n, 1, True)])
                disk.function.kick()
                disk.function.reset()
            self.assertEqual(Disk(vm).request(IN, 3, room=512), (OK, pattern(1, 3)))


class Ours(Blk, unittest.TestCase):
    binary = house.binary()

    def test_random_requests(self):
        rng = random.Random(7)
        with self.machine(drive=',discard=unmap') as vm:
            disk = Disk(vm)
            for _ in range(300):
                kind = rng.choice((IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES, rng.randrange(20)))
                disk.poke(HEADER, struct.pack('<IIQ', kind, 0, rng.choice((0, 8191, 1 << 60,
                                                                            rng.getrandbits(64)))))
                pieces = [(HEADER, 16, False)]
                for is_write in (False, True):
                    pieces += [(DATA + rng.randrange(4096), rng.randrange(1, 9000), is_write)
                               for _ in range(rng.randrange(3))]
                disk.queue.add([*pieces, (STATUS, 1, True)])
                disk.function.kick()
                disk.queue.wait()
                self.assertIn(disk.peek(STATUS, 1)[0], (OK, IOERR, UNSUPP))

    def test_refused(self):
        drive = ('-M', 'pc', '-drive', 'if=none,id=d,driver=null-co,size=1M', '-device')
        for words, options in (('num-queues property must be larger than 0', 'num-queues=0'),
                               ('invalid queue-size property (100)', 'queue-size=100'),
                               ('invalid max-discard-sectors', 'max-discard-sectors=0'),
                               ('heads must be between 1 and 255', 'cyls=1,heads=256,secs=1')):
            self.assertIn(words, refusal(self.binary, *drive, f'virtio-blk-pci,drive=d,{options}'))
        self.assertIn('drive property not set', refusal(self.binary, '-M', 'pc', '-device',
                                                        'virtio-blk-pci'))

    def test_intervals(self):
        """What requests were like in the last seconds, which pass as the test says."""
        with self.machine(drive=',stats-intervals.0=10,stats-intervals.1=60') as vm:
            disk = Disk(vm)
            for kind, data in ((OUT, b'x' * 512), (OUT, b'y' * 512), (FLUSH, b'')):
                self.assertEqual(disk.request(kind, 0, data)[0], OK)
            for step, lived in ((1, (True, True)), (8, (True, True)), (2, (False, True)), (52, (False, False))):
                vm.qtest(f'clock_step {step * 1000000000}')
                timed = vm.qmp('query-blockstats')[0]['stats']['timed_stats']
                self.assertEqual([interval['interval_length'] for interval in timed], [10, 60])
                for interval, is_there in zip(timed, lived):
                    for name in ('wr', 'flush'):
                        least, mean, most = (interval[f'{word}_{name}_latency_ns'] for word in ('min', 'avg', 'max'))
                        self.assertEqual(least > 0, is_there, (step, name))
                        self.assertTrue(least <= mean <= most)
                    self.assertEqual(interval['avg_wr_queue_depth'] > 0, is_there)
        for text in ('0', 'x', '-1', '99999999999'):
            told = refusal(house.binary(), '-drive', f'file=null-co://,if=none,stats-intervals.0={text}')
            self.assertIn(f'Invalid interval length: {text}', told)


@unittest.skipUnless(PEER, 'the package qemu-system-x86 is not installed')
class Peers(Blk, unittest.TestCase):
    binary = PEER


if __name__ == '__main__':
    house.main()
