# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio-scsi answers every request (virtio 1.3, 5.6.6): commands under way that task management, a unit's removal or
a stop of the machine meet, in the main loop and in an iothread."""
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from scsi import Adapter, S_BAD_TARGET, S_INCORRECT_LUN, S_OK, S_REJECTED  # noqa: E402
from vm import Vm  # noqa: E402

S_ABORTED, S_RESET, S_SUCCEEDED = 2, 4, 10
ABORT, ABORT_SET, CLEAR_ACA, CLEAR_SET, NEXUS_RESET, UNIT_RESET, QUERY, QUERY_SET = range(8)
SLOW = ['-object', 'throttle-group,id=slow,x-bps-total=4096', '-blockdev', 'null-co,node-name=file,size=16777216',
        '-blockdev', 'throttle,node-name=n,throttle-group=slow,file=file']
FIRST_TAG = 100
OUTSTANDING = 0xee
ENDS = {S_OK, S_ABORTED, S_RESET}  # what is under way may be let through instead


class Answers:
    iothread = ''

    def setUp(self):
        self.vm = Vm(house.binary(), '-M', 'pc', '-nodefaults', '-object', 'iothread,id=t', *SLOW, '-device',
                     'virtio-scsi-pci,id=s,addr=4,num_queues=1' + self.iothread, '-device',
                     'scsi-hd,drive=n,id=hd,channel=0,scsi-id=0', qtest=True)
        self.vm.__enter__()
        self.addCleanup(self.vm.__exit__, None, None, None)
        self.adapter = Adapter(self.vm).ready()

    @staticmethod
    def place(n):
        return 0x300000 + 0x20000 * n

    def begin(self, count=4, is_running=True):
        """Reads that the limit lets through one after the other, in minutes of the machine's time."""
        for n in range(count):
            at = self.place(n)
            self.adapter.poke(at, struct.pack('>BBH4x', 1, 0, 0) + struct.pack('<Q', FIRST_TAG + n) + bytes(3) +
                              bytes([0x28, 0, 0, 0, 0, n, 0, 0, 128]).ljust(32, b'\0'))
            self.adapter.poke(at + 0x100, bytes([OUTSTANDING]) * 108)
            self.adapter.add(2, [(at, 51, False), (at + 0x100, 108, True), (at + 0x1000, 65536, True)])
            if is_running:
                self.until_taken()  # its descriptors are the next one's, too

    def until_taken(self):
        """The adapter has all that was given to it."""
        path = '/machine/peripheral/s/virtio-backend'
        taken = None
        while taken != self.adapter.queues[2].next:
            taken = self.vm.qmp('x-query-virtio-queue-status', path=path, queue=2)['last-avail-idx']

    def responses(self, count=4):
        return [self.adapter.peek(self.place(n) + 0x100, 12)[11] for n in range(count)]

    def until_answered(self, which):
        for _ in range(100000):
            found = self.responses()
            if all(found[n] != OUTSTANDING for n in which):
                return found
        self.fail(f'no answer: {found}')

    def under_way(self):
        """The first goes through at once, the others wait for the limit."""
        self.begin()
        self.until_answered([0])
        self.assertEqual(self.responses(), [S_OK] + [OUTSTANDING] * 3)

    def test_one(self):
        self.under_way()
        manage = self.adapter.manage
        self.assertEqual([manage(QUERY, tag=FIRST_TAG + n) for n in (0, 2, 9)], [S_OK, S_SUCCEEDED, S_OK])
        self.assertEqual(manage(QUERY_SET), S_SUCCEEDED)
        self.assertEqual(manage(ABORT, tag=FIRST_TAG + 2), S_OK)
        self.assertIn(self.until_answered([2])[2], ENDS)
        self.assertEqual(manage(QUERY, tag=FIRST_TAG + 2), S_OK)
        self.assertEqual([manage(CLEAR_ACA), manage(77), manage(ABORT, lun=9, tag=FIRST_TAG + 3),
                          manage(ABORT, target=9, tag=FIRST_TAG + 3)],
                         [S_REJECTED, S_REJECTED, S_INCORRECT_LUN, S_BAD_TARGET])
        self.assertEqual(manage(ABORT_SET), S_OK)
        self.assertLessEqual(set(self.until_answered(range(4))), ENDS)
        self.assertEqual(manage(QUERY_SET), S_OK)

    def test_all(self):
        for function in CLEAR_SET, UNIT_RESET, NEXUS_RESET:
            with self.subTest(function):
                self.begin()
                self.assertEqual(self.adapter.manage(function), S_OK)
                self.assertLessEqual(set(self.until_answered(range(4))), ENDS)

    def test_unit_goes(self):
        self.under_way()
        self.vm.qmp('device_del', id='hd')
        self.vm.qmp.wait_event('DEVICE_DELETED')
        self.until_answered(range(4))
        while self.adapter.queues[2].take():
            pass
        self.assertEqual(self.adapter.submit([0])[11], S_BAD_TARGET)
        self.assertEqual(self.adapter.manage(UNIT_RESET), S_BAD_TARGET)

    def test_stopped(self):
        """Requests that come while it stands are answered when it goes on, at the latest."""
        self.vm.qmp('stop')
        self.adapter.poke(0x200000, struct.pack('<II', 0, QUERY_SET) + struct.pack('>BBHI', 1, 0, 0, 0) + bytes(8))
        self.adapter.poke(0x204000, b'\xee')
        self.adapter.add(0, [(0x200000, 24, False), (0x204000, 1, True)])
        self.begin(1, False)
        self.vm.qmp('cont')
        self.adapter.queues[0].wait()
        self.until_answered_one()

    def until_answered_one(self):
        for _ in range(100000):
            if self.responses(1) == [S_OK]:
                return
        self.fail('no answer')

    def test_reset(self):
        """After a reset under way the adapter answers as a new one."""
        self.under_way()
        self.adapter = Adapter(self.vm)
        self.adapter.ready()
        self.assertEqual(self.adapter.manage(QUERY_SET), S_OK)


class MainLoop(Answers, unittest.TestCase):
    pass


class Iothread(Answers, unittest.TestCase):
    iothread = ',iothread=t'


if __name__ == '__main__':
    house.main()
