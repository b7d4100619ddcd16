# SPDX-License-Identifier: GPL-2.0-or-later
"""xHCI and what is on its bus as a driver sees them; where it says so, with the same script, the peer's."""
import os
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import xhci  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from pci import Pci  # noqa: E402
from vm import Vm, refusal  # noqa: E402
from xhci import Disk, Xhci  # noqa: E402

PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
DEVFN = 4 << 3
IN_CLASS, OUT_CLASS = 0xa1, 0x21


def keys(vm, *events):
    """(qcode, is_down) each."""
    vm.qmp('input-send-event', events=[
        {'type': 'key', 'data': {'down': down, 'key': {'type': 'qcode', 'data': code}}} for code, down in events])


def pointer(vm, *events):
    """('x', 5), ('left', True), ...; a position if `absolute`."""
    kinds = {bool: lambda name, value: {'type': 'btn', 'data': {'button': name, 'down': value}},
             int: lambda name, value: {'type': 'rel', 'data': {'axis': name, 'value': value}},
             float: lambda name, value: {'type': 'abs', 'data': {'axis': name, 'value': int(value)}}}
    vm.qmp('input-send-event', events=[kinds[type(value)](name, value) for name, value in events])


class Usb:
    def machine(self, *args, controller='qemu-xhci'):
        args = ['-M', 'pc', '-nodefaults', '-device', f'{controller},addr=4,id=usb', *args]
        if self.binary == PEER:
            return Vm(PEER, *args, '-S', qtest=True, accel='tcg')
        return Vm(self.binary, *args, qtest=True)

    def hid(self, vm, packet, port=5, start=True):
        """Configured, with its interrupt endpoint."""
        slot = Xhci(vm).device(port) if start is True else start.device(port)
        self.assertEqual(slot.configure((3, xhci.INTERRUPT_IN, packet, 6)).code, xhci.SUCCESS)
        self.assertEqual(slot.control(9, 1, kind=0)[0], xhci.SUCCESS)
        return slot

    def test_registers(self):
        for controller, ids, first in (('qemu-xhci', 0x000d1b36, 5), ('nec-usb-xhci', 0x01941033, 5),
                                       ('qemu-xhci,p2=2,p3=6', 0x000d1b36, 7)):
            with self.subTest(controller), self.machine(controller=controller) as vm:
                hc = Xhci(vm, DEVFN)
                self.assertEqual(Pci(vm).read(DEVFN, 0), ids)
                self.assertEqual(Pci(vm).read(DEVFN, 8) >> 8, 0x0c0330)
                self.assertEqual(Pci(vm).read(DEVFN, 0x60, 1), 0x30)
                self.assertEqual(hc.get(0), 0x01000040)
                self.assertEqual(hc.get(4), 0x08001040)
                self.assertEqual(hc.get(0x10) & 0xffff0fff & ~0x80, 0x00080001)
                self.assertEqual((hc.get(0x14), hc.get(0x18)), (0x2000, 0x1000))
                protocols = {}
                for at in (0x20, 0x30):
                    self.assertEqual(hc.get(at + 4), 0x20425355)
                    protocols[hc.get(at) >> 24] = (hc.get(at + 8) & 0xff, hc.get(at + 8) >> 8 & 0xff)
                self.assertEqual(protocols[2][0], first)
                self.assertEqual(protocols[3], (1, first - 1))

    def test_enumerate(self):
        with self.machine('-device', 'usb-kbd', '-device', 'usb-tablet,usb_version=1,port=3') as vm:
            hc = Xhci(vm)
            self.assertEqual([port for port in range(1, 9) if hc.get(hc.portsc(port)) & 1], [5, 7])
            for port, speed, product, packet in ((5, 3, 'QEMU USB Keyboard', 64), (7, 1, 'QEMU USB Tablet', 8)):
                self.assertEqual(hc.reset_port(port), speed)
                self.assertTrue(hc.get(hc.portsc(port)) & 2)
                slot = hc.device(port)
                self.assertEqual(slot.state(), 2)
                code, data = slot.descriptor(1)
                self.assertEqual((code, len(data), data[7]), (xhci.SUCCESS, 18, packet))
                self.assertEqual(struct.unpack_from('<HH', data, 8), (0x627, 1))
                code, name = slot.descriptor(3, data[15], language=0x409)
                self.assertEqual((code, name[2:].decode('utf-16-le')), (xhci.SUCCESS, product))
                code, config = slot.descriptor(2)
                self.assertEqual((code, struct.unpack_from('<H', config, 2)[0]), (xhci.SUCCESS, len(config)))
                self.assertEqual(slot.descriptor(2, length=9)[1], config[:9])
                self.assertEqual(slot.descriptor(6)[0], xhci.SUCCESS if speed == 3 else xhci.STALL)

    def test_keyboard(self):
        with self.machine('-device', 'usb-kbd') as vm:
            slot = self.hid(vm, 8)
            hc = slot.hc
            here = slot.push(3, 8)
            self.assertIsNone(hc.event())
            if self.binary == PEER:  # whose input is gated by a machine that runs
                return
            keys(vm, ('shift', True), ('a', True), ('a', False), ('shift', False))
            self.assertEqual(hc.wait(xhci.TRANSFER, parameter=here).code, xhci.SUCCESS)
            reports = [hc.peek(slot.data, 8)] + [slot.read(3, 8)[1] for _ in range(3)]
            self.assertEqual([report.hex() for report in reports],
                             ['0200000000000000', '0200040000000000', '0200000000000000', '0000000000000000'])


    def test_boot_order(self):
        args = ('-drive', 'if=none,id=d,driver=null-co,size=1M', '-device', 'usb-hub,port=3', '-device',
                'usb-storage,drive=d,bootindex=1,port=3.2')
        with self.machine(*args) as vm:
            self.assertEqual(FwCfg(vm).file('bootorder'), b'/pci@i0cf8/usb@4/hub@3/storage@2/channel@0/disk@0,0\0')

    def disk(self, *args, options='', size=8 << 20):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.image = os.path.join(folder.name, 'disk')
        with open(self.image, 'wb') as file:
            file.write(bytes(range(256)) * (size // 256))
        return self.machine('-drive', f'if=none,id=d,format=raw,file={self.image}', '-device',
                            f'usb-storage,drive=d,id=st{options}', *args)

    def test_storage(self):
        with self.disk() as vm:
            hc = Xhci(vm)
            disk = Disk(hc, 1)
            self.assertEqual(disk.slot.speed, xhci.SUPER)
            self.assertEqual(disk.slot.control(0xfe, 0, 0, 1, 0xa1)[1], b'\0')
            disk.settle()
            status, residue, data = disk.command([0x12, 0, 0, 0, 36, 0], 36)
            self.assertEqual((status, residue, data[8:32]), (0, 0, b'QEMU    QEMU HARDDISK   '))
            status, residue, data = disk.command([0x25] + [0] * 9, 8)
            self.assertEqual((status, data), (0, struct.pack('>II', (8 << 20) // 512 - 1, 512)))
            self.assertEqual(disk.read(7, 4), (0, 0, bytes(range(256)) * 8))
            pattern = os.urandom(16384)
            self.assertEqual(disk.write(100, pattern)[:2], (0, 0))
            self.assertEqual(disk.read(100, 32), (0, 0, pattern))
            # data in several transfers
            self.assertEqual(disk.read(100, 32, chunk=5120), (0, 0, pattern))
            self.assertEqual(disk.write(200, pattern, chunk=3072)[:2], (0, 0))
            # less than is asked for, and what fails
            status, residue, data = disk.command([0x12, 0, 0, 0, 96, 0], 96)
            self.assertEqual((status, residue), (0, 96 - len(data)))
            self.assertEqual(disk.read(8 << 20, 1)[:2], (1, 512))
            sense = disk.command([3, 0, 0, 0, 18, 0], 18)[2]
            self.assertEqual((sense[2] & 15, sense[12]), (5, 0x21))
            self.assertEqual(disk.command([0x35] + [0] * 9)[:2], (0, 0))
        with open(self.image, 'rb') as file:
            file.seek(200 * 512)
            self.assertEqual(file.read(16384), pattern)


    def test_disc(self):
        """media=cdrom makes it a CD drive; its tray is the storage's."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, 'disc'), 'wb') as file:
            file.write(bytes(range(256)) * 800)
        with self.machine('-drive', f'if=none,id=d,media=cdrom,format=raw,file={file.name}', '-device',
                          'usb-storage,drive=d,id=st') as vm:
            disk = Disk(Xhci(vm), 1)
            disk.settle()
            self.assertEqual(disk.command([0x12, 0, 0, 0, 36, 0], 36)[2][0], 5)
            self.assertEqual(disk.command([0x25] + [0] * 9, 8)[2], struct.pack('>II', 99, 2048))
            self.assertEqual(disk.command([0x28, 0, 0, 0, 0, 9, 0, 0, 2, 0], 4096), (0, 0, bytes(range(256)) * 16))
            self.assertEqual(disk.command([0x1b, 0, 0, 0, 2, 0])[0], 0)
            self.assertTrue(vm.qmp.wait_event('DEVICE_TRAY_MOVED')['data']['tray-open'])
            self.assertEqual(disk.command([0] * 6)[0], 1)


class Ours(Usb, unittest.TestCase):
    binary = house.binary()

    def test_storage_nonsense(self):
        with self.disk() as vm:
            hc = Xhci(vm)
            disk = Disk(hc, 1)
            disk.settle()
            slot = disk.slot

            def recover():
                self.assertEqual(slot.control(0xff, 0, 0, kind=0x21)[0], xhci.SUCCESS)
                for dci, address in ((disk.OUT, 2), (disk.IN, 0x81)):
                    self.assertEqual(slot.control(1, 0, address, kind=2)[0], xhci.SUCCESS)
                    if slot.state(dci) == 2:
                        self.assertEqual(hc.command(xhci.RESET_ENDPOINT, slot.number, flags=dci << 16).code,
                                         xhci.SUCCESS)
                    ring = slot.rings[dci]
                    hc.command(xhci.SET_DEQUEUE, slot.number, ring.pointer | ring.cycle, dci << 16)
            good = disk.cbw([0x12, 0, 0, 0, 36, 0], 36, True)
            for bad in (b'abc', bytes(31), good + b'0', good[:14] + b'\0' + good[15:],
                        disk.cbw([0x28] + [0] * 9, 1 << 31, True)):
                self.assertEqual(slot.write(disk.OUT, bad), xhci.STALL)
                # clearing the stall alone does not help
                self.assertEqual(slot.control(1, 0, 2, kind=2)[0], xhci.SUCCESS)
                self.assertEqual(slot.control(0, 0, 2, 2, 0x82), (xhci.SUCCESS, b'\1\0'))
                recover()
                self.assertEqual(slot.control(0, 0, 2, 2, 0x82), (xhci.SUCCESS, b'\0\0'))
                self.assertEqual(disk.command([0] * 6)[:2], (0, 0))
            # status is asked for before data came; data where a command is due
            self.assertEqual(slot.write(disk.OUT, disk.cbw([0x2a] + [0] * 7 + [1, 0], 512, False)), xhci.SUCCESS)
            self.assertEqual(slot.read(disk.IN, 13)[0], xhci.STALL)
            recover()
            self.assertEqual(slot.read(disk.IN, 13)[0], xhci.STALL)
            recover()
            # direction and length of which the command knows nothing
            self.assertEqual(disk.command([0x28] + [0] * 7 + [1, 0], data=bytes(512))[:2], (2, 512))
            self.assertEqual(disk.command([0x28] + [0] * 7 + [1, 0])[:2], (2, 0))
            self.assertEqual(disk.command([0] * 6, 512)[:3], (0, 512, b''))
            self.assertEqual(disk.command([0] * 6, lun=3)[0], 1)

    def test_storage_unplugged(self):
        """A disk that goes while a command waits for the host's disk."""
        with self.disk() as vm:
            hc = Xhci(vm)
            disk = Disk(hc, 1)
            disk.settle()
            slot = disk.slot
            slot.write(disk.OUT, disk.cbw([0x28] + [0] * 6 + [16, 0, 0], 4096 * 512, True))
            here = slot.push(disk.IN, 65536)
            vm.qmp('device_del', id='st')
            vm.qmp.wait_event('DEVICE_DELETED')
            self.assertIn(hc.wait(xhci.TRANSFER, parameter=here).code, (xhci.SUCCESS, xhci.TRANSACTION))
            here = slot.push(disk.IN, 512) if slot.state(disk.IN) == 1 else None
            if here:
                self.assertEqual(hc.wait(xhci.TRANSFER, parameter=here).code, xhci.TRANSACTION)
            self.assertEqual(slot.state(disk.IN), 2)
            self.assertEqual(vm.qmp('query-block'), [])

    def test_microvm(self):
        """At its address, with a level of line 10."""
        with Vm(self.binary, '-M', 'microvm,usb=on', '-nodefaults', '-device', 'usb-kbd', qtest=True) as vm:
            vm.qtest('irq_intercept_in ioapic')
            hc = Xhci(vm, bar=0xfe900000, is_pci=False)
            self.assertEqual((hc.ports, hc.get(4) >> 8 & 0x7ff), (16, 1))
            hc.wait(xhci.PORT_CHANGE)
            self.assertTrue(vm.irqs[10])
            hc.put(hc.rt + xhci.IMAN, 3)
            hc.get(0)
            self.assertFalse(vm.irqs[10])
            self.assertEqual(hc.device(1).descriptor(1)[0], xhci.SUCCESS)

    def test_hub(self):
        with self.machine('-device', 'usb-hub,id=h,port=1', '-device', 'usb-kbd,port=1.3', '-device',
                          'usb-hub,port=1.8', '-device', 'usb-mouse,port=1.8.2') as vm:
            hc = Xhci(vm)
            hub = self.hub(hc, 5)
            self.assertEqual(hub.control(6, 0x2900, 0, 255, 0xa0)[1].hex(), '0b29080a0001000000ffff')
            self.assertEqual(self.changes(hub), {3, 8})
            self.assertEqual(self.reset(hub, 3), 0x103)
            keyboard = hc.device(5, route=3, speed=xhci.FULL)
            self.assertEqual(keyboard.descriptor(3, 2, language=0x409)[1][2:].decode('utf-16-le'), 'QEMU USB Keyboard')
            self.reset(hub, 8)
            inner = self.hub(hc, 5, route=8, speed=xhci.FULL)
            self.assertEqual(self.changes(inner), {2})
            self.reset(inner, 2)
            mouse = hc.device(5, route=0x28, speed=xhci.FULL)
            self.assertEqual(mouse.descriptor(1)[0], xhci.SUCCESS)
            self.assertEqual(vm.qmp.hmp('info usb').count('\n'), 4)
            # a wait for changes; one comes, and goes
            here = hub.push(3, 2)
            vm.qmp('device_add', driver='usb-tablet', id='t', bus='usb.0', port='1.5')
            self.assertEqual(hc.wait(xhci.TRANSFER, parameter=here).code, xhci.SUCCESS)
            self.assertEqual(struct.unpack('<H', hc.peek(hub.data, 2))[0], 1 << 5)
            self.assertEqual(self.reset(hub, 5), 0x103)
            vm.qmp('device_del', id='t')
            self.assertEqual(hub.control(0, 0, 5, 4, 0xa3)[1].hex(), '00010300')
            # suspend and resume; then the hub takes all with it
            self.assertEqual(hub.control(3, 2, 3, kind=0x23)[0], xhci.SUCCESS)
            self.assertEqual(hub.control(0, 0, 3, 2, 0xa3)[1][0], 7)
            self.assertEqual(hub.control(1, 2, 3, kind=0x23)[0], xhci.SUCCESS)
            self.assertEqual(hub.control(0, 0, 3, 4, 0xa3)[1].hex(), '03010400')
            vm.qmp('device_del', id='h')
            self.assertEqual(vm.qmp.hmp('info usb'), '')
            self.assertEqual(mouse.descriptor(1)[0], xhci.TRANSACTION)

    def hub(self, hc, port, **place):
        hub = hc.device(port, **place)
        self.assertEqual(hub.configure((3, xhci.INTERRUPT_IN, 2, 10)).code, xhci.SUCCESS)
        self.assertEqual(hub.control(9, 1, kind=0)[0], xhci.SUCCESS)
        return hub

    @staticmethod
    def changes(hub):
        mask, = struct.unpack('<H', hub.read(3, 2)[1])
        return {n for n in range(16) if mask >> n & 1}

    def reset(self, hub, port):
        """The port's status, without changes."""
        self.assertEqual(hub.control(3, 4, port, kind=0x23)[0], xhci.SUCCESS)
        for feature in (16, 20):
            self.assertEqual(hub.control(1, feature, port, kind=0x23)[0], xhci.SUCCESS)
        status, change = struct.unpack('<HH', hub.control(0, 0, port, 4, 0xa3)[1])
        self.assertEqual(change, 0)
        return status

    def test_hub_depth(self):
        paths = ['1' + '.1' * n for n in range(6)]
        hubs = [word for path in paths for word in ('-device', f'usb-hub,port={path}')]
        with Vm(self.binary, '-M', 'q35', '-usb', *hubs[:-2], qtest=True) as vm:
            self.assertEqual(vm.qmp.hmp('info usb').count('Hub'), 5)
        self.assertIn('usb hub chain too deep', refusal(self.binary, '-M', 'q35', '-usb', *hubs))
        for ports in (0, 9):
            self.assertIn('out of range (1..8)', refusal(self.binary, '-M', 'q35', '-usb', '-device',
                                                         f'usb-hub,ports={ports}'))

    def test_migration(self):
        devices = ('-device', 'usb-kbd,port=2', '-device', 'usb-hub,port=3', '-device', 'usb-tablet,port=3.1')
        with tempfile.TemporaryDirectory() as folder:
            with self.disk(*devices) as vm:
                hc = Xhci(vm, segments=3, size=16)
                disk = Disk(hc, 1)
                disk.settle()
                keyboard = self.hid(vm, 8, port=6, start=hc)
                waits = keyboard.push(3, 8)
                hub = self.hub(hc, 7)
                self.reset(hub, 1)
                tablet = hc.device(7, route=1, speed=xhci.FULL)
                self.assertEqual(disk.slot.write(disk.OUT, disk.cbw([0x28] + [0] * 7 + [8, 0], 4096, True)), xhci.SUCCESS)
                self.assertEqual(disk.slot.read(disk.IN, 1000), (xhci.SUCCESS, (bytes(range(256)) * 4)[:1000]))
                vm.qmp('migrate', uri=f'file:{folder}/state')
                while vm.qmp('query-migrate')['status'] != 'completed':
                    pass
            with self.machine('-drive', f'if=none,id=d,format=raw,file={self.image}', '-device',
                              'usb-storage,drive=d,id=st', *devices, '-incoming', f'file:{folder}/state') as vm:
                while vm.qmp('query-migrate').get('status') != 'completed':
                    pass
                vm.qmp('cont')
                hc.vm = vm
                code, data = disk.slot.read(disk.IN, 3096)
                self.assertEqual((code, data), (xhci.SUCCESS, (bytes(range(256)) * 16)[1000:]))
                self.assertEqual(disk.csw(), (0, 0))
                self.assertEqual(disk.read(1, 1)[:2], (0, 0))
                keys(vm, ('b', True))
                self.assertEqual(hc.wait(xhci.TRANSFER, parameter=waits).code, xhci.SUCCESS)
                self.assertEqual(hc.peek(keyboard.data, 8).hex(), '0000050000000000')
                self.assertEqual(tablet.control(8, 0, 0, 1)[1], b'\0')
                self.assertEqual(hub.control(8, 0, 0, 1)[1], b'\1')

    def test_storage_options(self):
        with self.disk(options=',removable=on,serial=abc,logical_block_size=4096,physical_block_size=4096') as vm:
            disk = Disk(Xhci(vm), 1)
            disk.settle()
            self.assertEqual(disk.command([0x12, 0, 0, 0, 36, 0], 36)[2][1], 0x80)
            self.assertEqual(disk.command([0x25] + [0] * 9, 8)[2], struct.pack('>II', 2047, 4096))
            self.assertEqual(disk.command([0x12, 1, 0x80, 0, 36, 0], 36)[2][4:], b'abc')
            self.assertEqual(disk.slot.descriptor(3, 3)[1][2:].decode('utf-16-le'), 'abc')
        self.assertIn('drive property not set', refusal(self.binary, '-M', 'q35', '-usb', '-device', 'usb-storage'))
        self.assertIn("can't find value", refusal(self.binary, '-M', 'q35', '-usb', '-device', 'usb-storage,drive=x'))

    def capture(self, path):
        """The file's records: (event, kind, endpoint, setup or None, status, length, data)."""
        with open(path, 'rb') as file:
            text = file.read()
        self.assertEqual(struct.unpack('<IHHiIII', text[:24]), (0xa1b2c3d4, 2, 4, 0, 0, 64 + 4096, 220))
        records, at, waiting = [], 24, set()
        while at < len(text):
            kept, size = struct.unpack('<8xII', text[at:at + 16])
            number, event, kind, endpoint, _, _, no_setup, no_data, status, length, bytes_here, setup = \
                struct.unpack('<QcBBBHBB12xiII8s', text[at + 16:at + 64])
            data = text[at + 80:at + 16 + kept]
            self.assertEqual((kept, size), (64 + bytes_here, 64 + (0 if no_data else length)))
            self.assertEqual(len(data), min(size - 64, 4096))
            # Each is done once, and was submitted before.
            (waiting.add if event == b'S' else waiting.remove)(number)
            records.append((event, kind, endpoint, None if no_setup else setup, status, length, data))
            at += 16 + kept
        return records

    def test_capture(self):
        with tempfile.TemporaryDirectory() as folder:
            disk_file, key_file = f'{folder}/disk', f'{folder}/keys'
            with self.disk('-device', f'usb-kbd,pcap={key_file}', options=f',pcap={disk_file}') as vm:
                hc = Xhci(vm)
                disk = Disk(hc, 1)
                disk.settle()
                pattern = os.urandom(8192)
                self.assertEqual(disk.write(100, pattern)[:2], (0, 0))
                self.assertEqual(disk.read(100, 16), (0, 0, pattern))
                slot = self.hid(vm, 8, 6, start=hc)
                self.assertEqual(slot.descriptor(1)[0], xhci.SUCCESS)
                here = slot.push(3, 8)
                keys(vm, ('a', True))
                self.assertEqual(hc.wait(xhci.TRANSFER, parameter=here).code, xhci.SUCCESS)
                self.assertEqual(slot.control(0x77, 0, 0, 4, IN_CLASS)[0], xhci.STALL)
                records = self.capture(disk_file)
                self.assertIn((b'C', 3, 0x81, None, 0, 8192, pattern[:4096]), records)
                self.assertIn((b'S', 3, 0x02, None, -115, 8192, pattern[:4096]), records)
                self.assertIn((b'C', 3, 0x02, None, 0, 8192, b''), records)
                self.assertEqual(sum(record[6][:4] == b'USBC' for record in records),
                                 sum(record[6][:4] == b'USBS' for record in records))
                records = self.capture(key_file)
                self.assertIn((b'S', 2, 0x80, bytes.fromhex('800600010000ff00'), -115, 255, b''), records)
                self.assertEqual(records[-3][:6], (b'C', 1, 0x81, None, 0, 8))
                self.assertEqual(records[-3][6].hex(), '0000040000000000')
                self.assertEqual(records[-1][:6], (b'C', 2, 0x80, None, -32, 0))
        self.assertIn('No such file', refusal(self.binary, '-M', 'q35', '-usb', '-device',
                                              f'usb-kbd,pcap={folder}/keys'))

    def test_roll_over(self):
        with self.machine('-device', 'usb-kbd') as vm:
            slot = self.hid(vm, 8)
            here = slot.push(3, 8)
            keys(vm, *((code, True) for code in 'abcdefg'))
            slot.hc.wait(xhci.TRANSFER, parameter=here)
            reports = [slot.hc.peek(slot.data, 8)] + [slot.read(3, 8)[1] for _ in range(6)]
            self.assertEqual(reports[5].hex(), '0000040506070809')
            self.assertEqual(reports[6].hex(), '0000010101010101')
            keys(vm, ('c', False))
            self.assertEqual(slot.read(3, 8)[1].hex(), '000004050708090a')

    def test_hid_requests(self):
        with self.machine('-device', 'usb-kbd', '-device', 'usb-mouse') as vm:
            hc = Xhci(vm)
            slot = self.hid(vm, 8, start=hc)
            code, report = slot.control(6, 0x2200, 0, 255, 0x81)
            config = slot.descriptor(2)[1]
            self.assertEqual((code, len(report)), (xhci.SUCCESS, config[25]))
            self.assertEqual(slot.control(6, 0x2100, 0, 9, 0x81)[1], config[18:27])
            self.assertEqual(slot.control(3, 0, 0, 1, IN_CLASS)[1], b'\1')
            self.assertEqual(slot.control(11, 0, 0, kind=OUT_CLASS)[0], xhci.SUCCESS)
            self.assertEqual(slot.control(3, 0, 0, 1, IN_CLASS)[1], b'\0')
            self.assertEqual(slot.control(9, 0x200, 0, kind=OUT_CLASS, data=b'\3')[0], xhci.SUCCESS)
            # a report is told again when the device was idle for so long
            self.assertEqual(slot.control(10, 25 << 8, 0, kind=OUT_CLASS)[0], xhci.SUCCESS)
            self.assertEqual(slot.control(2, 0, 0, 1, IN_CLASS)[1], b'\x19')
            here = slot.push(3, 8)
            vm.qtest('clock_step 99000000')
            self.assertIsNone(hc.event())
            vm.qtest('clock_step 2000000')
            self.assertEqual(hc.wait(xhci.TRANSFER).parameter, here)
            self.assertEqual(hc.peek(slot.data, 8), bytes(8))
            mouse = self.hid(vm, 4, port=6, start=hc)
            self.assertEqual(mouse.control(9, 0x200, 0, kind=OUT_CLASS, data=b'\3')[0], xhci.STALL)

    def test_mouse(self):
        with self.machine('-device', 'usb-mouse') as vm:
            slot = self.hid(vm, 4)
            here = slot.push(3, 4)
            pointer(vm, ('x', 5), ('y', -3))
            self.assertEqual(slot.hc.wait(xhci.TRANSFER, parameter=here).code, xhci.SUCCESS)
            self.assertEqual(slot.hc.peek(slot.data, 4).hex(), '0005fd00')
            pointer(vm, ('x', 200))
            pointer(vm, ('left', True))
            pointer(vm, ('wheel-down', True))
            self.assertEqual([slot.read(3, 4)[1].hex() for _ in range(3)], ['007f0000', '00490000', '010000ff'])
            self.assertEqual(slot.control(11, 0, 0, kind=OUT_CLASS)[0], xhci.SUCCESS)
            pointer(vm, ('left', False))
            self.assertEqual(slot.read(3, 4), (xhci.SHORT, b'\0\0\0'))

    def test_tablet(self):
        with self.machine('-device', 'usb-tablet') as vm:
            slot = self.hid(vm, 8)
            here = slot.push(3, 8)
            pointer(vm, ('x', 1000.0), ('y', 32767.0))
            self.assertEqual(slot.hc.wait(xhci.TRANSFER, parameter=here).code, xhci.SHORT)
            self.assertEqual(struct.unpack('<BHHb', slot.hc.peek(slot.data, 6)), (0, 1000, 32767, 0))
            pointer(vm, ('x', 1001.0))
            pointer(vm, ('x', 1002.0))
            pointer(vm, ('right', True))
            pointer(vm, ('right', False))
            got = [struct.unpack('<BHHb', slot.read(3, 8)[1]) for _ in range(3)]
            self.assertEqual(got, [(0, 1002, 32767, 0), (2, 1002, 32767, 0), (0, 1002, 32767, 0)])

    def test_hot_plug(self):
        with self.machine() as vm:
            hc = Xhci(vm)
            self.assertIn('Bus', vm.qmp.hmp('device_add usb-kbd,bus=no.0'))
            vm.qmp('device_add', driver='usb-kbd', id='k', bus='usb.0', port='2')
            event = hc.wait(xhci.PORT_CHANGE)
            self.assertEqual(event.parameter >> 24, 6)
            self.assertEqual(vm.qmp.hmp('info usb').split('\r\n')[0],
                             '  Device 0.0, Port 2, Speed 480 Mb/s, Product QEMU USB Keyboard, ID: k')
            slot = self.hid(vm, 8, port=6, start=hc)
            here = slot.push(3, 8)
            vm.qmp('device_del', id='k')
            vm.qmp.wait_event('DEVICE_DELETED')
            self.assertEqual(hc.wait(xhci.TRANSFER, parameter=here).code, xhci.TRANSACTION)
            self.assertEqual(slot.state(3), 2)
            self.assertFalse(hc.get(hc.portsc(6)) & 3)
            self.assertEqual(hc.command(xhci.DISABLE_SLOT, slot.number).code, xhci.SUCCESS)
            self.assertEqual(vm.qmp.hmp('info usb'), '')

    def test_attached(self):
        with self.machine('-device', 'usb-kbd,id=k,attached=off') as vm:
            hc = Xhci(vm)
            self.assertFalse(hc.get(hc.portsc(5)) & 1)
            for value in (True, False, True):
                vm.qmp('qom-set', path='k', property='attached', value=value)
                self.assertEqual(hc.get(hc.portsc(5)) & 1, value)
                self.assertEqual(vm.qmp('qom-get', path='k', property='attached'), value)

    def test_options(self):
        def usb(*args):
            with Vm(self.binary, '-M', 'q35', '-nodefaults', *args, qtest=True) as vm:
                return [line.split('Product ')[1] for line in vm.qmp.hmp('info usb').split('\r\n') if line]
        self.assertEqual(usb('-usb'), [])
        self.assertEqual(usb('-M', 'q35,usb=on', '-device', 'usb-mouse,serial=1'), ['QEMU USB Mouse'])
        self.assertEqual(usb('-usbdevice', 'tablet', '-usbdevice', 'keyboard', '-usbdevice', 'mouse'),
                         ['QEMU USB Tablet', 'QEMU USB Keyboard', 'QEMU USB Mouse'])
        four = ['-device', 'usb-mouse'] * 5
        self.assertEqual(usb('-usb', *four), ['QEMU USB Mouse'] * 3 + ['QEMU USB Hub'] + ['QEMU USB Mouse'] * 2)
        for words, message in (
                (['-usbdevice', 'abacus'], "could not add USB device 'abacus'"),
                (['-usb', '-device', 'usb-kbd,port=9'], 'usb port 9 (bus usb-bus.0) not found (in use?)'),
                (['-usb', '-device', 'usb-kbd,usb_version=3'], 'Unsupported usb version 3 for usb hid device'),
                (['-device', 'qemu-xhci,p2=16'], 'p2 and p3 must be between 0 and 15'),
                (['-device', 'qemu-xhci,p2=0', '-device', 'usb-kbd'], 'speed mismatch'),
                (['-device', 'nec-usb-xhci,intrs=3'], 'intrs must be 1, 2, 4, 8 or 16'),
                (['-device', 'nec-usb-xhci,slots=65'], 'slots must be between 1 and 64')):
            with self.subTest(words):
                self.assertIn(message, refusal(self.binary, '-M', 'q35', *words))


@unittest.skipUnless(PEER, 'the package qemu-system-x86 is not installed')
class Peers(Usb, unittest.TestCase):
    binary = PEER


if __name__ == '__main__':
    house.main()
