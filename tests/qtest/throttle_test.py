# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of drives: -drive's keys, groups, nodes; what waits, and what ends that. Time is the guest's."""
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from virtio_blk_test import DATA, HEADER, IN, STATUS, Disk  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402

MS = 1000000
NULL = 'if=none,id=d,file=null-co://,format=raw'
LIMITS = ('bps', 'bps_rd', 'bps_wr', 'iops', 'iops_rd', 'iops_wr')


class Limits(unittest.TestCase):
    def machine(self, drive, *args):
        return Vm(house.binary(), '-M', 'pc', '-nodefaults', *args, *drive, '-device',
                  'virtio-blk-pci,drive=d,addr=4,id=disk,request-merging=off', qtest=True)

    def begin(self, vm, count=5):
        """Sends reads of 512 bytes, all at once."""
        self.vm, self.disk = vm, Disk(vm)
        queue = self.disk.queue
        for n in range(count):
            self.disk.poke(HEADER + 16 * n, struct.pack('<IIQ', IN, 0, n))
            for i, (at, size, flags) in enumerate(((HEADER + 16 * n, 16, 1), (DATA + 512 * n, 512, 3),
                                                   (STATUS + n, 1, 2))):
                queue.write(queue.desc + 16 * (3 * n + i), struct.pack('<QIHH', at, size, flags, 3 * n + i + 1))
            queue.write(queue.driver + 4 + 2 * n, struct.pack('<H', 3 * n))
        queue.write(queue.driver + 2, struct.pack('<H', count))
        self.disk.function.kick()

    def done(self, ms=0):
        """How many have ended, that much later."""
        if ms:
            self.vm.qtest(f'clock_step {ms * MS}')
        self.vm.qmp('query-status')  # behind all that was to be done in the main loop
        return struct.unpack('<H', self.disk.queue.read(self.disk.queue.device + 2, 2))[0]

    def limit(self, **limits):
        self.vm.qmp.run('block_set_io_throttle', {name: 0 for name in LIMITS} | limits)

    def inserted(self):
        return self.vm.qmp('query-block')[0]['inserted']

    def test_drive(self):
        with self.machine(('-drive', NULL + ',throttling.iops-total=10')) as vm:
            self.begin(vm)
            self.assertEqual([self.done(), self.done(101), self.done(101), self.done(101), self.done(500)],
                             [2, 3, 4, 5, 5])
            self.assertEqual((self.inserted()['iops'], self.inserted()['group']), (10, 'd'))

    def test_set_and_lifted(self):
        with self.machine(('-drive', NULL)) as vm:
            self.vm = vm
            self.limit(device='d', bps=512, group='mine')
            self.begin(vm)
            self.assertEqual((self.done(), self.done(500), self.done(600)), (1, 1, 2))
            self.assertEqual((self.inserted()['bps'], self.inserted()['group']), (512, 'mine'))
            self.limit(device='d')
            self.assertEqual(self.done(), 5)
            self.assertNotIn('group', self.inserted())

    def test_by_device(self):
        with self.machine(('-blockdev', 'null-co,node-name=d')) as vm:
            self.vm = vm
            self.limit(id='/machine/peripheral/disk/virtio-backend', iops_rd=1, iops_size=128)
            self.assertEqual(self.inserted()['group'], '/machine/peripheral/disk/virtio-backend')
            self.begin(vm, 2)
            self.assertEqual((self.done(), self.done(3000), self.done(1000)), (1, 1, 2))

    def test_group_and_node(self):
        node = ('-blockdev', 'throttle,node-name=d,throttle-group=g,file.driver=null-co')
        with self.machine(node, '-object', '{"qom-type":"throttle-group","id":"g","limits":{"iops-total":1}}') as vm:
            self.begin(vm)
            self.assertEqual((self.done(), self.done(1000), self.done(901)), (0, 1, 2))  # after the MBR
            with self.assertRaises(QmpError):
                vm.qmp('object-del', id='g')
            vm.qmp('qom-set', path='/objects/g', property='limits', value={'iops-total': 1000})
            self.assertEqual(self.done(2), 5)

    def test_nobody_waits_for_what_waits(self):
        """A reset, a stop, another medium."""
        with self.machine(('-drive', NULL + ',iops=1')) as vm:
            self.begin(vm)
            self.assertEqual(self.done(), 1)
            vm.qmp('stop')
            self.assertEqual(self.done(), 5)
            vm.qmp('cont')
            self.begin(vm)
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            self.begin(vm)

    def test_refused(self):
        for words, why in (('iops=5,throttling.iops-total=6',
                            "'throttling.iops-total' and its alias 'iops' can't be used at the same time"),
                           ('iops=10M', "Parameter 'throttling.iops-total' expects a number"),
                           ('iops=5,iops_rd=5', 'bps/iops/max total values and read/write values cannot be used'),
                           ('bps_max=5', 'bps_max/iops_max require corresponding bps/iops values'),
                           ('iops_max_length=3', "'iops_max_length'"),
                           ('throttling.bps-total-max-length=3', 'burst length set without burst rate')):
            self.assertIn(why, refusal(house.binary(), '-M', 'none', '-drive', f'{NULL},{words}'))
        with Vm(house.binary(), '-M', 'none') as vm:
            for values in ({'iops-total-max': 5}, {'iops-size': 1}, {'bps-read': -1}):
                with self.assertRaises(QmpError):
                    vm.qmp.run('object-add', {'qom-type': 'throttle-group', 'id': 'a', 'limits': values})
            with self.assertRaises(QmpError):
                vm.qmp('blockdev-add', driver='throttle', file={'driver': 'null-co'},
                       **{'node-name': 'n', 'throttle-group': 'a'})


if __name__ == '__main__':
    unittest.main()
