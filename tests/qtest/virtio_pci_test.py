# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio over PCI: who it says it is, both interfaces, interrupts, the window, bus mastering."""
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import virtio  # noqa: E402
from pci import Pci  # noqa: E402
from virtio_pci import (COMMON, DEVICE, IO_BASE, ISR, MODERN_BASE, MSIX_BASE, NOTIFY, SLOT,  # noqa: E402
                        STATUS_OK, WINDOW, Function)
from vm import QmpError, Vm, refusal  # noqa: E402


def machine(device='virtio-rng-pci', board='pc'):
    return Vm(house.binary(), '-M', board, '-nodefaults', '-device', f'{device},addr=4',
              qtest=True)


def word(vm, at):
    return int(vm.qtest(f'readl {at:#x}'), 16)


class Identity(unittest.TestCase):
    def test_ids(self):
        for device, ident, revision, subsystem, has_io in (
                ('virtio-rng-pci', 0x10051af4, 0, 4, True),
                ('virtio-rng-pci-transitional', 0x10051af4, 0, 4, True),
                ('virtio-rng-pci,disable-modern=on', 0x10051af4, 0, 4, True),
                ('virtio-rng-pci,disable-legacy=on', 0x10441af4, 1, 0x1100, False),
                ('virtio-rng-pci-non-transitional', 0x10441af4, 1, 0x1100, False)):
            with self.subTest(device=device), machine(device) as vm:
                function = Function(vm)
                self.assertEqual(function.read(0), ident)
                self.assertEqual(function.read(8), 0x00ff0000 | revision)
                self.assertEqual(function.read(0x2e, 2), subsystem)
                self.assertEqual(function.read(0x3d, 1), 1)
                self.assertEqual(function.read(0x10) & 1, int(has_io))
                is_modern = 'disable-modern' not in device
                self.assertEqual(sorted(function.caps), [1, 2, 3, 4, 5] if is_modern else [])

    def test_refusals(self):
        for device, why in (
                ('virtio-rng-pci,disable-modern=on,disable-legacy=on', 'neither modern nor legacy'),
                ('virtio-rng-pci,disable-modern=on,iommu_platform=on', 'VIRTIO_F_IOMMU_PLATFORM'),
                ('virtio-rng-pci,period=0', "'period' parameter expects a positive integer")):
            self.assertIn(why, refusal(house.binary(), '-M', 'pc', '-device', device))

    def test_behind_port(self):
        with Vm(house.binary(), '-M', 'q35', '-nodefaults', '-device', 'pcie-root-port,id=p',
                '-device', 'virtio-rng-pci,bus=p,id=r', qtest=True) as vm:
            self.assertIn('pci id 1af4:1044', vm.qmp.hmp('info qtree'))


class Express(unittest.TestCase):
    """What old machine types do not have in the Express and power capabilities."""

    def masks(self, options):
        """Bits that can be set: of device control, link control, power control."""
        with Vm(house.binary(), '-M', 'q35', '-nodefaults', '-device', 'pcie-root-port,id=p,addr=4',
                '-device', 'virtio-rng-pci,bus=p' + options, qtest=True) as vm:
            pci = Pci(vm)
            pci.write(SLOT, 0x18, 0x010100)
            caps, at = {}, pci.read(0, 0x34, 1, bus=1)
            while at:
                caps[pci.read(0, at, 1, bus=1)] = at
                at = pci.read(0, at + 1, 1, bus=1)
            found = []
            for at in caps[0x10] + 8, caps[0x10] + 0x10, caps[1] + 4:
                before = pci.read(0, at, 2, bus=1)
                pci.write(0, at, 0x7fff, 2, bus=1)
                found.append(pci.read(0, at, 2, bus=1) & ~before)
            return found

    def test_masks(self):
        self.assertEqual(self.masks(''), [0xf, 0xc1, 3])
        for n, name in enumerate(('deverr', 'lnkctl', 'pm')):
            with self.subTest(name):
                expected = [0xf, 0xc1, 3]
                expected[n] = 0
                self.assertEqual(self.masks(f',x-pcie-{name}-init=off'), expected)


class Modern(unittest.TestCase):
    def fill(self, vm, function, queue):
        queue.add([(0x180000, 64, True)])
        function.kick()
        self.assertEqual(queue.wait()[1], 64)

    def test_common(self):
        with machine() as vm:
            function = Function(vm)
            self.assertEqual(function.get(COMMON, 0x12, 2), 1)
            self.assertEqual(function.get(COMMON, 0x18, 2), 8)
            self.assertEqual(function.get(COMMON, 4), 3 << 28)
            function.put(COMMON, 0, 1)
            self.assertEqual(function.get(COMMON, 4), 1 | 1 << 8)
            function.put(COMMON, 0x16, 1, 2)
            self.assertEqual(function.get(COMMON, 0x18, 2), 0)
            function.put(COMMON, 0x10, 7, 2)  # there are two vectors
            self.assertEqual(function.get(COMMON, 0x10, 2), 0xffff)
            function.put(COMMON, 0x10, 1, 2)
            self.assertEqual(function.get(COMMON, 0x10, 2), 1)

    def test_pin(self):
        with machine() as vm:
            function, queue = Function(vm), virtio.Queue(vm)
            function.start(queue)
            self.fill(vm, function, queue)
            self.assertEqual(function.read(6, 2) & 8, 8)
            self.assertEqual(function.get(ISR, 0, 1), 1)
            self.assertEqual(function.read(6, 2) & 8, 0)
            self.assertEqual(function.get(ISR, 0, 1), 0)

    def test_messages(self):
        with machine() as vm:
            function, queue = Function(vm), virtio.Queue(vm)
            function.enable_msix(1, 0x190000, 0x4321)
            function.start(queue, vector=1)
            vm.qtest('writel 0x190000 0')
            self.fill(vm, function, queue)
            self.assertEqual(word(vm, 0x190000), 0x4321)
            self.assertEqual(function.get(ISR, 0, 1), 0)
            self.assertEqual(function.read(6, 2) & 8, 0)
            vm.qtest(f'writel {MSIX_BASE + 28:#x} 1')  # masked: pending till it is not
            vm.qtest('writel 0x190000 0')
            self.fill(vm, function, queue)
            self.assertEqual(word(vm, 0x190000), 0)
            vm.qtest(f'writel {MSIX_BASE + 28:#x} 0')
            self.assertEqual(word(vm, 0x190000), 0x4321)

    def test_queue_reset(self):
        with machine() as vm:
            function, queue = Function(vm), virtio.Queue(vm)
            function.start(queue, 1 << virtio.VERSION_1 | 1 << 40)
            function.put(COMMON, 0x3a, 1, 2)
            self.assertEqual(function.get(COMMON, 0x3a, 2), 0)
            self.assertEqual(function.get(COMMON, 0x1c, 2), 0)

    def test_notification_data(self):
        """Where the ring is comes with the number: the device looks for itself."""
        for packed in 0, 1 << 34:
            with machine('virtio-rng-pci,notification_data=on,packed=on') as vm:
                function = Function(vm)
                queue = (virtio.PackedQueue if packed else virtio.Queue)(vm)
                self.assertTrue(function.features() >> 38 & 1)
                function.start(queue, 1 << virtio.VERSION_1 | 1 << 38 | packed)
                self.assertTrue(function.status() & virtio.DRIVER_OK)
                for offset in 0, 1, 0x7fff, 0x8001, 0xffff:
                    queue.add([(0x180000, 64, True)])
                    function.put(NOTIFY, 0, offset << 16)
                    self.assertEqual(queue.wait()[1], 64)

    def test_bus_master(self):
        with machine() as vm:
            function, queue = Function(vm, is_master=False), virtio.Queue(vm)
            function.start(queue)
            queue.add([(0x180000, 64, True)])
            function.kick()
            self.assertIsNone(queue.take())
            function.write(4, 7, 2)
            function.kick()
            self.assertEqual(queue.wait()[1], 64)

    def test_page_per_queue(self):
        with machine('virtio-rng-pci,page-per-vq=on') as vm:
            function, queue = Function(vm), virtio.Queue(vm)
            self.assertEqual(function.read(function.caps[NOTIFY] + 16), 0x1000)
            function.start(queue)
            self.fill(vm, function, queue)

    def test_port(self):
        """A port takes notifications of all queues, its capability is found before the other one."""
        with machine('virtio-rng-pci,modern-pio-notify=on') as vm:
            function, queue = Function(vm), virtio.Queue(vm)
            at = function.read(0x34, 1)
            while (function.read(at, 1), function.read(at + 3, 1)) != (9, NOTIFY):
                at = function.read(at + 1, 1)
            self.assertEqual([function.read(at + n) for n in (4, 8, 12, 16)], [2, 0, 4, 0])
            function.write(0x18, 0xc100)
            function.start(queue)
            queue.add([(0x180000, 64, True)])
            vm.qtest('outw 0xc100 1')
            self.assertIsNone(queue.take())
            self.assertEqual(int(vm.qtest('inw 0xc100'), 16), 0)
            vm.qtest('outw 0xc100 0')
            self.assertEqual(queue.wait()[1], 64)

    def test_broken(self):
        with machine() as vm:
            function, queue = Function(vm), virtio.Queue(vm)
            function.enable_msix(0, 0x190000, 0x99)
            function.put(COMMON, 0x10, 0, 2)
            function.start(queue)
            function.put(COMMON, 0x10, 0, 2)
            queue.write(queue.driver + 2, b'\xff\x00')
            function.kick()
            self.assertEqual(function.get(COMMON, 0x14, 1), STATUS_OK | virtio.NEEDS_RESET)
            self.assertEqual(word(vm, 0x190000), 0x99)
            self.assertEqual(function.get(ISR, 0, 1), 3)

    def test_window(self):
        """Configuration space alone."""
        with machine() as vm:
            function = Function(vm)
            at = function.caps[WINDOW]
            function.write(at + 4, 4, 1)
            function.write(at + 8, 0x12)
            function.write(at + 12, 2)
            self.assertEqual(function.read(at + 16, 2), 1)
            function.write(at + 8, 0x14)
            function.write(at + 12, 1)
            function.write(at + 16, 3, 1)
            self.assertEqual(function.get(COMMON, 0x14, 1), 3)
            function.write(at + 8, 0xfffffff0)
            function.write(at + 12, 4)
            function.read(at + 16)

    def test_reset(self):
        with machine() as vm:
            function, queue = Function(vm), virtio.Queue(vm)
            function.start(queue)
            self.fill(vm, function, queue)
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            function = Function(vm)
            self.assertEqual(function.get(COMMON, 0x14, 1), 0)
            self.assertEqual(function.read(6, 2) & 8, 0)
            queue = virtio.Queue(vm)
            function.start(queue)
            self.fill(vm, function, queue)


class Legacy(unittest.TestCase):
    def test_rng(self):
        with machine('virtio-rng-pci,disable-modern=on') as vm:
            Function(vm)
            queue = virtio.Queue(vm)
            self.assertEqual(int(vm.qtest(f'inl {IO_BASE:#x}'), 16), 0x79000000)
            for status in 0, 1, 3:
                vm.qtest(f'outb {IO_BASE + 18:#x} {status}')
            vm.qtest(f'outl {IO_BASE + 4:#x} 0')
            vm.qtest(f'outw {IO_BASE + 14:#x} 0')
            self.assertEqual(int(vm.qtest(f'inw {IO_BASE + 12:#x}'), 16), queue.size)
            vm.qtest(f'outl {IO_BASE + 8:#x} {queue.desc >> 12:#x}')
            vm.qtest(f'outb {IO_BASE + 18:#x} 7')
            queue.add([(0x180000, 32, True)])
            vm.qtest(f'outw {IO_BASE + 16:#x} 0')
            self.assertEqual(queue.wait()[1], 32)
            self.assertEqual(int(vm.qtest(f'inb {IO_BASE + 19:#x}'), 16), 1)
            self.assertEqual(int(vm.qtest(f'inb {IO_BASE + 19:#x}'), 16), 0)
            vm.qtest(f'outl {IO_BASE + 8:#x} 0')
            self.assertEqual(int(vm.qtest(f'inb {IO_BASE + 18:#x}'), 16), 0)


class Microvm(unittest.TestCase):
    def test_lines_and_window(self):
        """INTx by slot and pin; a BAR of 64 bits in the top quarter of 40."""
        ecam, high = 0xe0000000 + (SLOT << 12), 0xc000100000
        for options, gsi in (('', 16), (',ioapic2=off', 12)):
            with Vm(house.binary(), '-M', 'microvm,pcie=on' + options, '-nodefaults', '-device',
                    'virtio-rng-pci,addr=4', qtest=True) as vm:
                self.assertEqual(word(vm, ecam), 0x10051af4)
                vm.qtest(f'writel {ecam + 0x20:#x} {high & 0xffffffff:#x}')
                vm.qtest(f'writel {ecam + 0x24:#x} {high >> 32:#x}')
                vm.qtest(f'writew {ecam + 4:#x} 6')
                vm.qtest('irq_intercept_in /machine/ioapic')
                queue = virtio.Queue(vm)

                def put(at, value, size='l'):
                    vm.qtest(f'write{size} {high + at:#x} {value:#x}')

                put(0x14, 3, 'b')
                put(8, 1)
                put(0xc, 1)
                put(0x14, 11, 'b')
                for at, address in ((0x20, queue.desc), (0x28, queue.driver),
                                    (0x30, queue.device)):
                    put(at, address)
                put(0x1c, 1, 'w')
                put(0x14, 15, 'b')
                queue.add([(0x180000, 16, True)])
                put(0x3000, 0, 'w')
                self.assertEqual(queue.wait()[1], 16)
                self.assertEqual([n for n, up in vm.irqs.items() if up], [gsi])


class HotPlug(unittest.TestCase):
    def test_twice(self):
        with Vm(house.binary(), '-M', 'q35', '-nodefaults', '-device',
                'pcie-root-port,id=p', '-S', qtest=True) as vm:
            for _ in range(2):
                vm.qmp('device_add', driver='virtio-rng-pci', bus='p', id='r')
                vm.qmp('qom-get', path='/machine/peripheral/r', property='max-bytes')
                vm.qmp('device_del', id='r')
                vm.qmp('system_reset')  # the guest lets go
                while vm.qmp.wait_event('DEVICE_DELETED')['data'].get('device') != 'r':
                    pass


class Queries(unittest.TestCase):
    """x-query-virtio*: what they say while a driver runs; names of bits are the peer's."""
    DEVICES = ['-device', 'virtio-rng-pci,addr=4,id=r', '-device', 'virtio-serial-pci,id=s,addr=5', '-device',
               'virtio-balloon-pci,addr=6,id=b', '-device', 'virtio-scsi-pci,addr=7,id=c', '-device',
               'virtio-keyboard-pci,addr=8,id=k', '-device', 'virtio-net-pci,addr=9,id=n', '-device',
               'virtio-gpu-pci,addr=a,id=g']

    def machine(self, binary):
        is_ours = binary == house.binary()
        return Vm(binary, '-M', 'pc', '-nodefaults', *self.DEVICES, *([] if is_ours else ['-S']), qtest=True,
                  accel='qtest' if is_ours else 'tcg')

    def names(self, features):
        return {text.split(':')[0] for part in ('transports', 'dev-features') for text in features.get(part, [])}

    def test_names(self):
        peer = house.peer()
        if not peer:
            self.skipTest('there is no peer')
        with self.machine(house.binary()) as ours, self.machine(peer) as theirs:
            lists = [sorted((row['path'], row['name']) for row in vm.qmp('x-query-virtio')) for vm in (ours, theirs)]
            self.assertEqual(*lists)
            self.assertEqual(len(lists[0]), 7)
            for path, name in lists[0]:
                mine, other = (vm.qmp('x-query-virtio-status', path=path) for vm in (ours, theirs))
                missing = self.names(other['host-features']) - self.names(mine['host-features'])
                # A bit of old drivers, and the bad one by another name.
                self.assertLessEqual(missing, {'VIRTIO_NET_F_GSO', 'VHOST_USER_F_PROTOCOL_FEATURES'}, name)
                for key in ('name', 'device-id', 'device-endian', 'started', 'broken', 'isr', 'queue-sel'):
                    self.assertEqual(mine[key], other[key], (name, key))

    def test_driver(self):
        path = '/machine/peripheral/r/virtio-backend'
        with self.machine(house.binary()) as vm:
            function, queue = Function(vm), virtio.Queue(vm)
            function.start(queue)
            status = vm.qmp('x-query-virtio-status', path=path)
            self.assertEqual(self.names(status['guest-features']), {'VIRTIO_F_VERSION_1'})
            self.assertEqual([text.split(':')[0] for text in status['status']['statuses']],
                             ['VIRTIO_CONFIG_S_' + name for name in (
                                 'ACKNOWLEDGE', 'DRIVER', 'FEATURES_OK', 'DRIVER_OK')])
            self.assertTrue(status['started'] and status['vm-running'] and not status['broken'])
            queue.add([(0x180000, 64, True)])
            element = vm.qmp('x-query-virtio-queue-element', path=path, queue=0)
            self.assertEqual(element, {
                'name': 'virtio-rng', 'index': 0, 'descs': [{'addr': 0x180000, 'len': 64, 'flags': ['write']}],
                'avail': {'flags': 0, 'idx': 1, 'ring': 0}, 'used': {'flags': 0, 'idx': 0}})
            self.assertIn('    addr 0x180000 len 64 (write)\r\n',
                          vm.qmp.hmp(f'info virtio-queue-element {path} 0 0'))
            row = vm.qmp('x-query-virtio-queue-status', path=path, queue=0)
            self.assertEqual((row['last-avail-idx'], row['shadow-avail-idx'], row['used-idx']), (0, 1, 0))
            function.kick()
            queue.wait()
            row = vm.qmp('x-query-virtio-queue-status', path=path, queue=0)
            self.assertEqual((row['last-avail-idx'], row['shadow-avail-idx'], row['used-idx'], row['inuse']),
                             (1, 1, 1, 0))
            self.assertEqual((row['vring-desc'], row['vring-avail'], row['vring-used'], row['vring-num']),
                             (queue.desc, queue.driver, queue.device, queue.size))
            self.assertIn('VIRTIO_F_VERSION_1', vm.qmp.hmp(f'info virtio-status {path}'))
            self.assertIn('vring-desc                0x0000000000100000',
                          vm.qmp.hmp(f'info virtio-queue-status {path} 0'))
            self.assertIn(f'{path} [virtio-rng]', vm.qmp.hmp('info virtio'))
            queue.write(queue.driver + 4 + 2, struct.pack('<H', 99))
            queue.write(queue.driver + 2, struct.pack('<H', 2))
            function.kick()
            self.assertTrue(vm.qmp('x-query-virtio-status', path=path)['broken'])

    def element(self, vm, **arguments):
        return vm.qmp('x-query-virtio-queue-element', path='/machine/peripheral/r/virtio-backend', queue=0, **arguments)

    def check_elements(self, vm):
        """What it says of chains and tables, as lists."""
        function, queue, found = Function(vm), virtio.Queue(vm), []

        def look(**arguments):
            element = self.element(vm, **arguments)
            found.append((element['index'], [(row['addr'], row['len'], row['flags']) for row in element['descs']],
                          element['avail'], element['used']))
        function.start(queue, features=1 << virtio.VERSION_1 | 1 << 28)
        queue.add([(0x180000, 64, False), (0x190000, 32, True)])
        look()
        look(index=0)
        look(index=queue.size)
        queue.add([(0x1a0000, 16, True)])
        look(index=1)
        rows = struct.pack('<QIHHQIHH', 0x180000, 64, 1, 1, 0x190000, 32, 2, 0)
        queue.write(0x1b0000, rows)
        queue.write(queue.desc, struct.pack('<QIHH', 0x1b0000, len(rows), 4, 0))
        look(index=0)
        queue.write(queue.desc, struct.pack('<QIHH', 0x1a0000, 5, 1, 0))  # leads to itself
        element = self.element(vm, index=0)
        found.append((len(element['descs']), element['descs'][0]))
        return found

    def test_elements(self):
        with self.machine(house.binary()) as vm:
            mine = self.check_elements(vm)
            path = '/machine/peripheral/r/virtio-backend'
            function, queue = Function(vm), virtio.Queue(vm)
            function.start(queue, features=1 << virtio.VERSION_1 | 1 << 28)
            for rows, why in ((struct.pack('<QIHH', 0x1a0000, 7, 4, 0), 'table of 7 bytes cannot be'),
                              (struct.pack('<QIHH', queue.desc, 16, 4, 0), 'in another'),
                              (struct.pack('<QIHH', 0x1a0000, 7, 1, 99), 'descriptor 99 of 8'),
                              (struct.pack('<QIHH', 1 << 60, 32, 4, 0), 'cannot be read')):
                queue.write(queue.desc, rows)
                with self.assertRaisesRegex(QmpError, why):
                    self.element(vm, index=0)
            queue.write(queue.driver + 4, struct.pack('<H', 99))
            with self.assertRaisesRegex(QmpError, 'descriptor 99 of 8'):
                self.element(vm, index=0)
            self.assertFalse(vm.qmp('x-query-virtio-status', path=path)['broken'])
        with Vm(house.binary(), '-M', 'pc', '-nodefaults', '-device', 'virtio-rng-pci,addr=4,id=r,packed=on',
                qtest=True) as vm:
            with self.assertRaisesRegex(QmpError, 'Queue 0 is not in use'):
                self.element(vm)
            Function(vm).start(virtio.PackedQueue(vm), features=1 << virtio.VERSION_1 | 1 << 34)
            with self.assertRaisesRegex(QmpError, 'is packed'):
                self.element(vm)
        peer = house.peer()
        if not peer:
            self.skipTest('there is no peer to compare with')
        with self.machine(peer) as vm:
            self.assertEqual(mine, self.check_elements(vm))

    def test_errors(self):
        with self.machine(house.binary()) as vm:
            for command, arguments, why in (
                    ('status', {'path': '/nix'}, 'Path /nix is not a VirtIODevice'),
                    ('status', {'path': '/machine'}, 'Path /machine is not a VirtIODevice'),
                    ('queue-status', {'path': '/machine/peripheral/r/virtio-backend', 'queue': 99},
                     'Invalid virtqueue number 99')):
                with self.assertRaisesRegex(QmpError, why):
                    vm.qmp(f'x-query-virtio-{command}', **arguments)


if __name__ == '__main__':
    house.main()
