# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio-rng: where its numbers come from, and how many of them there are in a period."""
import os
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import virtio  # noqa: E402
from virtio_pci import Function  # noqa: E402
from vm import TIMEOUT, Vm, refusal  # noqa: E402

PLACE = 0x180000


class Rng(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.fed = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, options='', *args):
        self.vm = Vm(house.binary(), '-M', 'pc', '-nodefaults', *args, '-device',
                     'virtio-rng-pci,addr=4,id=r' + options, qtest=True)
        self.vm.__enter__()
        self.addCleanup(self.vm.__exit__, None, None, None)
        self.function, self.queue = Function(self.vm), virtio.Queue(self.vm)
        self.function.start(self.queue)

    def ask(self, size):
        self.queue.add([(PLACE, size, True)])
        self.function.kick()

    def got(self):
        size = self.queue.wait()[1]
        return bytes.fromhex(self.vm.qtest(f'read {PLACE:#x} {size}')[2:])

    def settle(self):
        """The main loop has done what there was to do."""
        for _ in range(20):
            self.vm.qmp('query-status')
        return self.queue.take()

    def pipe(self):
        os.mkfifo(self.path('pipe'))
        self.fifo = os.open(self.path('pipe'), os.O_RDWR)
        self.addCleanup(os.close, self.fifo)
        return '-object', f"rng-random,id=s,filename={self.path('pipe')}"

    def test_random(self):
        """Bytes of a file, as they come."""
        self.start(',rng=s', *self.pipe())
        self.ask(32)
        self.assertIsNone(self.settle())
        os.write(self.fifo, b'twelve bytes')
        self.assertEqual(self.got(), b'twelve bytes')
        os.write(self.fifo, bytes(range(64)))
        self.ask(16)
        self.assertEqual(self.got(), bytes(range(16)))
        self.ask(64)
        self.assertEqual(self.got(), bytes(range(16, 64)))

    def test_builtin(self):
        self.start(',rng=s', '-object', 'rng-builtin,id=s')
        self.ask(64)
        first = self.got()
        self.ask(64)
        self.assertNotEqual(first, self.got())

    def test_egd(self):
        """A daemon is asked for what there is room for, 255 bytes at a time at most."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.path('egd'))
        listener.listen(1)
        listener.settimeout(TIMEOUT)
        self.start(',rng=s', '-chardev', f"socket,id=c,path={self.path('egd')}", '-object', 'rng-egd,id=s,chardev=c')
        daemon, _ = listener.accept()
        self.addCleanup(daemon.close)
        daemon.settimeout(TIMEOUT)
        self.ask(24)
        self.assertEqual(daemon.recv(2), b'\x02\x18')
        daemon.sendall(bytes(range(24)))
        self.assertEqual(self.got(), bytes(range(24)))
        self.ask(512)
        self.assertEqual(daemon.recv(2), b'\x02\xff')

    def test_period(self):
        """Twenty bytes in a second, of the machine's time."""
        self.start(',rng=s,max-bytes=20,period=1000', *self.pipe())
        os.write(self.fifo, bytes(range(100)))
        self.ask(16)
        self.assertEqual(self.got(), bytes(range(16)))
        self.ask(16)
        self.assertEqual(self.got(), bytes(range(16, 20)))
        self.ask(16)
        self.assertIsNone(self.settle())
        self.vm.qtest(f'clock_step {999 * 10 ** 6}')
        self.assertIsNone(self.settle())
        self.vm.qtest(f'clock_step {2 * 10 ** 6}')
        self.assertEqual(self.got(), bytes(range(20, 36)))
        self.ask(8)
        self.assertEqual(self.got(), bytes(range(36, 40)))


    def test_refused(self):
        for args, why in (
                (('-device', 'virtio-rng-pci,period=0'), "'period' parameter expects a positive integer"),
                (('-device', f'virtio-rng-pci,max-bytes={1 << 63}'), "'max-bytes' parameter must be non-negative"),
                (('-device', 'virtio-rng-pci,rng=none'), 'none'),
                (('-object', 'rng-random,id=s,filename=/nowhere'), "Could not open '/nowhere'"),
                (('-object', 'rng-egd,id=s'), "'chardev' is missing"),
                (('-object', 'rng-egd,id=s,chardev=c'), "Device 'c' not found")):
            self.assertIn(why, refusal(house.binary(), '-M', 'pc', *args))

    def test_reset(self):
        """What was asked for before a reset is not answered, and costs nothing that was to be read."""
        with Vm(house.binary(), '-M', 'pc', '-nodefaults', *self.pipe(), '-device', 'virtio-rng-pci,addr=4,rng=s',
                qtest=True) as self.vm:
            self.function, self.queue = Function(self.vm), virtio.Queue(self.vm)
            self.function.start(self.queue)
            self.ask(32)
            self.assertIsNone(self.settle())
            self.queue = virtio.Queue(self.vm)
            self.function.start(self.queue)
            os.write(self.fifo, b'still there')
            self.assertIsNone(self.settle())
            self.ask(32)
            self.assertEqual(self.got(), b'still there')
        self.assertEqual(self.vm.stderr.count('rng-random'), 0, self.vm.stderr)

    def test_hot_plug(self):
        """Source and device come and go."""
        self.start()
        for _ in range(3):
            self.vm.qmp('object-add', **{'qom-type': 'rng-builtin', 'id': 's'})
            self.vm.qmp('device_add', driver='virtio-rng-pci', id='x', rng='s')
            self.vm.qmp('device_del', id='x')
            self.vm.qmp('system_reset')
            self.vm.qmp.wait_event('DEVICE_DELETED')
            self.vm.qmp.wait_event('DEVICE_DELETED')
            self.vm.qmp('object-del', id='s')


if __name__ == '__main__':
    house.main()
