# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks served by an iothread: what they do elsewhere, they do there; and what stops, moves or removes them at work."""
import os
import random
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import scsi_cd_test  # noqa: E402
import virtio_blk_test  # noqa: E402
import virtio_scsi_test  # noqa: E402
from scsi import GOOD, Adapter  # noqa: E402
from virtio_blk_test import FLUSH, HEADER, IN, OK, OUT, STATUS, Disk, pattern  # noqa: E402
from virtio_pci import COMMON, DEVICE  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402

THREAD = ('-object', 'iothread,id=t')
SLOT, EJECT_BUS, EJECT = 4, 0xae10, 0xae08
SLOW = ('-object', '{"qom-type":"throttle-group","id":"slow","limits":{"iops-total":1}}')


class Blk(virtio_blk_test.Blk, unittest.TestCase):
    binary = house.binary()

    def machine(self, *options, extra=(), **kwargs):
        return super().machine('iothread=t', *options, extra=(*THREAD, *extra), **kwargs)


class Scsi(virtio_scsi_test.Scsi, unittest.TestCase):
    binary = house.binary()

    def machine(self, options='', drive='', extra=()):
        return super().machine(options, drive, (*THREAD, '-global', 'virtio-scsi-device.iothread=t', *extra))


class Cd(scsi_cd_test.Discs, unittest.TestCase):
    binary = house.binary()

    def machine(self, *drive, options=''):
        return super().machine(*THREAD, '-global', 'virtio-scsi-device.iothread=t', *drive, options=options)


class AtWork(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def machine(self, *args, node='file', device='virtio-blk-pci,drive=n,id=blk,addr=4,iothread=t'):
        with open(self.path('disk'), 'wb') as file:
            file.write(pattern(8192))
        nodes = ['-blockdev', f"file,node-name=file,filename={self.path('disk')},discard=unmap"]
        if node == 'throttle':
            nodes = [*SLOW, *nodes, '-blockdev', 'throttle,node-name=slow,throttle-group=slow,file=file']
        elif node == 'null':
            nodes += ['-blockdev', 'null-aio,node-name=null,size=16777216']
        nodes += ['-blockdev', f"raw,node-name=n,file={dict(throttle='slow').get(node, node)}"]
        return Vm(house.binary(), '-M', 'pc', '-nodefaults', *THREAD, *nodes, '-device', device, *args, qtest=True)

    def eject(self, vm):
        vm.qmp('device_del', id='blk')
        vm.qtest(f'outl {EJECT_BUS:#x} 0')
        vm.qtest(f'outl {EJECT:#x} {1 << SLOT:#x}')
        vm.qmp.wait_event('DEVICE_DELETED')

    def test_object(self):
        with self.machine() as vm:
            (thread,) = vm.qmp('query-iothreads')
            self.assertEqual(thread['id'], 't')
            self.assertTrue(os.path.exists(f"/proc/{vm.process.pid}/task/{thread['thread-id']}"))
            self.assertEqual(vm.qmp('qom-get', path='blk', property='iothread'), '/objects/t')
            with self.assertRaises(QmpError):
                vm.qmp('object-del', id='t')
            self.eject(vm)
            vm.qmp('object-del', id='t')
            self.assertEqual(vm.qmp('query-iothreads'), [])
        self.assertIn("'nobody' not found", refusal(house.binary(), '-M', 'pc', '-blockdev', 'null-co,node-name=n', '-device',
                                                    'virtio-blk-pci,drive=n,iothread=nobody'))

    def test_unplugged_at_work(self):
        """Requests that would take seconds are not waited for."""
        for node in ('throttle', 'null', 'file'):
            with self.subTest(node), self.machine(node=node) as vm:
                disk = Disk(vm)
                disk.start([(IN, 8 * n) for n in range(5)])
                self.eject(vm)
                vm.qmp('blockdev-del', **{'node-name': 'n'})
                vm.qmp('device_add', driver='virtio-blk-pci', id='blk', addr='4', drive='file', iothread='t')

    def test_reset_at_work(self):
        for node in ('throttle', 'null', 'file'):
            with self.subTest(node), self.machine(node=node) as vm:
                disk = Disk(vm)
                disk.start([(IN, 8 * n) for n in range(5)])
                disk.function.put(COMMON, 0x14, 0, 1)  # the driver's
                self.assertEqual(disk.function.get(COMMON, 0x14, 1), 0)
                disk = Disk(vm)
                disk.start([(IN, 8 * n) for n in range(5)])
                vm.qmp('system_reset')
                vm.qmp.wait_event('RESET')
                if node != 'throttle':
                    self.assertEqual(Disk(vm).request(IN, 8, room=512)[0], OK)

    def test_queue_reset_at_work(self):
        with self.machine(node='throttle') as vm:
            disk = Disk(vm, virtio_blk_test.ALL | 1 << 40)
            disk.start([(IN, 8 * n) for n in range(5)])
            disk.function.put(COMMON, 0x16, 0, 2)
            disk.function.put(COMMON, 0x3a, 1, 2)
            self.assertEqual(disk.function.get(COMMON, 0x3a, 2), 0)
            self.assertEqual(disk.function.get(COMMON, 0x1c, 2), 0)

    def test_stopped_at_work(self):
        """What came is done before it stops, what comes then is done when it goes on."""
        for node in ('null', 'file'):
            with self.subTest(node), self.machine(node=node) as vm:
                disk = Disk(vm)
                disk.start([(IN, 8 * n) for n in range(4)])
                vm.qmp('stop')
                used = int(vm.qtest(f'readw {disk.queue.device + 2:#x}'), 16)
                self.assertIn(used, (0, 4))
                vm.qmp('cont')
                for _ in range(4):
                    disk.queue.wait()
                vm.qmp('stop')
                disk.start([(OUT, 8)])
                for _ in range(20):
                    vm.qmp('query-iothreads')
                self.assertEqual(disk.peek(STATUS, 1), b'\xff')
                vm.qmp('cont')
                disk.queue.wait()
                self.assertEqual(disk.peek(STATUS, 1), b'\0')

    def test_moved_at_work(self):
        stream = self.path('stream')
        with self.machine() as vm:
            disk = Disk(vm)
            disk.start([(OUT, 8 * n) for n in range(4)])
            next_, seen = disk.queue.next, disk.queue.used
            vm.qmp('migrate', uri=f'file:{stream}')
            while vm.qmp('query-migrate')['status'] != 'completed':
                pass
        with self.machine('-incoming', f'file:{stream}') as vm:
            while vm.qmp('query-status')['status'] == 'inmigrate':
                pass
            disk.vm = disk.queue.vm = disk.function.vm = vm
            disk.queue.next, disk.queue.used = next_, seen
            if vm.qmp('query-status')['status'] != 'running':
                vm.qmp('cont')
            for _ in range(4):
                disk.queue.wait()
            self.assertEqual(disk.peek(STATUS, 4), bytes(4))

    def test_snapshot_and_limits_at_work(self):
        with self.machine() as vm:
            disk = Disk(vm)
            for n in range(6):
                disk.start([(OUT, 8 * i) for i in range(4)] + [(FLUSH, 0)][:n % 2])
                vm.qmp('blockdev-snapshot-sync', **{'node-name': vm.qmp('query-block')[0]['inserted']['node-name'],
                                                    'snapshot-file': self.path(f's{n}'), 'snapshot-node-name': f's{n}'})
                for _ in range(4 + n % 2):
                    disk.queue.wait()
                self.assertEqual(disk.peek(STATUS, 4), bytes(4))
                vm.qmp.run('block_set_io_throttle', {'id': '/machine/peripheral/blk/virtio-backend', 'bps': 0, 'bps_rd': 0, 'bps_wr': 0, 'iops_rd': 0,
                                                     'iops': 10000 * (n % 2), 'iops_wr': 0})

    def test_errors_stop_and_go_on(self):
        rules = 'blkdebug,node-name=bad,image=file,inject-error.0.event=pwritev,inject-error.0.once=on,' \
                'inject-error.0.errno=28'
        with self.machine('-blockdev', rules, '-device',
                          'virtio-blk-pci,drive=bad,id=second,addr=4,iothread=t,werror=stop',
                          device='virtio-scsi-pci,iothread=t,addr=6') as vm:
            disk = Disk(vm)
            disk.start([(OUT, 64), (OUT, 128)])
            vm.qmp.wait_event('STOP')
            self.assertEqual(vm.qmp('query-status')['status'], 'io-error')
            vm.qmp('cont')
            for _ in range(2):
                disk.queue.wait()
            self.assertEqual(disk.peek(STATUS, 2), bytes(2))

    def test_units_come_and_go_at_work(self):
        with self.machine('-device', 'scsi-hd,drive=n,id=hd', '-blockdev', 'null-aio,node-name=z,size=16777216',
                          device='virtio-scsi-pci,iothread=t,addr=4,num_queues=1,id=s') as vm:
            adapter = Adapter(vm).ready()
            for n in range(30):
                vm.qmp('device_add', driver='scsi-hd', drive='z', id='z', **{'scsi-id': 3})
                self.assertEqual(adapter.command([0], target=3)[0], (6, 0x29))
                self.assertEqual(adapter.command([0x28, 0, 0, 0, 0, n, 0, 0, 4], room=2048, target=3)[0], GOOD)
                self.assertEqual(adapter.manage(5, target=3), 0)
                vm.qmp('device_del', id='z')
                vm.qmp.wait_event('DEVICE_DELETED')
                self.assertEqual(adapter.command([0x28, 0, 0, 0, 0, n, 0, 0, 4], room=2048), (GOOD, pattern(4, n)))

    def test_hostile_addresses(self):
        """Data in a device's registers needs the lock, which whoever waits for the thread has."""
        with self.machine(node='null') as vm:
            for n in range(20):
                disk = Disk(vm)
                bar = 0xfee00000 if n % 2 else disk.function.place(DEVICE)
                disk.poke(HEADER, struct.pack('<IIQ', IN, 0, 8))
                disk.queue.add([(HEADER, 16, False), (bar, 4096, True), (STATUS, 1, True)])
                disk.function.kick()
                disk.function.put(COMMON, 0x14, 0, 1)

    def test_all_at_once(self):
        rng = random.Random(11)
        with self.machine() as vm:
            disk = Disk(vm)
            for _ in range(150):
                parts = [(rng.choice((IN, OUT)), 8 * rng.randrange(1000)) for _ in range(rng.randrange(1, 6))]
                disk.start(parts)
                act = rng.randrange(5)
                if act == 0:
                    vm.qmp('stop')
                    vm.qmp('cont')
                elif act == 1:
                    vm.qmp('system_reset')
                    vm.qmp.wait_event('RESET')
                    disk = Disk(vm)
                    continue
                elif act == 2:
                    vm.qmp('query-blockstats')
                for _ in parts:
                    disk.queue.wait()
                self.assertEqual(disk.peek(STATUS, len(parts)), bytes(len(parts)))


if __name__ == '__main__':
    house.main()
