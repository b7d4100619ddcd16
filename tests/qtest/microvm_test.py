# SPDX-License-Identifier: GPL-2.0-or-later
"""The board microvm: what is where, which lines go where, what firmware and kernels are told."""
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import acpi  # noqa: E402
import house  # noqa: E402
import images  # noqa: E402
import virtio  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from vm import Vm, refusal  # noqa: E402

SLOTS, GED, GED_REGISTERS, ECAM = 0xfeb00000, 0xfea00000, 0xfea00200, 0xe0000000
IOAPIC, IOAPIC2 = 0xfec00000, 0xfec10000
KERNEL_KEYS = {'kernel_addr': 7, 'kernel_size': 8, 'initrd_addr': 0xa, 'initrd_size': 0xb,
               'entry': 0x10, 'cmdline_size': 0x14, 'setup_addr': 0x16, 'setup_size': 0x17}
RNG = ['-device', 'virtio-rng-device']


def machine(*args, options='', **kwargs):
    return Vm(house.binary(), '-M', 'microvm' + options, '-nodefaults', *args, qtest=True,
              **kwargs)


def slot(vm, n):
    return virtio.Mmio(vm, SLOTS + 0x200 * n)


def ioapic_exists(vm, base):
    vm.qtest(f'writel {base:#x} 1')
    return int(vm.qtest(f'readl {base + 0x10:#x}'), 16) == 0x170020


def port(vm, at):
    return int(vm.qtest(f'inb {at:#x}'), 16)


class Files(unittest.TestCase):
    def file(self, name, data):
        folder = tempfile.TemporaryDirectory(prefix='microvm-')
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, name)
        with open(path, 'wb') as out:
            out.write(data)
        return path


class Slots(unittest.TestCase):
    def test_empty(self):
        with machine() as vm:
            for n in 0, 23:
                mmio = slot(vm, n)
                self.assertEqual(mmio.read(virtio.MAGIC), 0x74726976)
                self.assertEqual(mmio.read(virtio.VERSION), 1)
                self.assertEqual(mmio.read(virtio.DEVICE_ID), 0)
                self.assertEqual(mmio.read(virtio.VENDOR_ID), 0x554d4551)
                mmio.write(virtio.STATUS, 1)
                for at in virtio.STATUS, virtio.QUEUE_NUM_MAX, virtio.CONFIG:
                    self.assertEqual(mmio.read(at), 0)
            self.assertEqual(slot(vm, 24).read(0), 0)

    def test_highest_first(self):
        for options, last in (('', 23), (',ioapic2=off', 7), (',acpi=off', 7)):
            with machine(*RNG, *RNG, options=options) as vm:
                ids = [slot(vm, n).read(virtio.DEVICE_ID) for n in range(last + 1)]
                self.assertEqual(ids, [0] * (last - 1) + [virtio.RNG, virtio.RNG])

    def test_named_bus(self):
        with machine('-device', 'virtio-rng-device,bus=virtio-mmio-bus.3') as vm:
            self.assertEqual(slot(vm, 3).read(virtio.DEVICE_ID), virtio.RNG)
        self.assertIn("Bus 'virtio-mmio-bus.24' not found", refusal(
            house.binary(), '-M', 'microvm', '-device', 'virtio-rng-device,bus=virtio-mmio-bus.24'))

    def test_full(self):
        self.assertIn("No 'virtio-bus' bus found for device 'virtio-rng-device'", refusal(
            house.binary(), '-M', 'microvm,acpi=off', *(RNG * 9)))

    def test_versions(self):
        modern = ['-global', 'virtio-mmio.force-legacy=false']
        with machine(*RNG, *modern) as vm:
            mmio = slot(vm, 23)
            self.assertEqual(mmio.read(virtio.VERSION), 2)
            self.assertEqual(mmio.device_features(), 1 << 32 | 1 << 40 | 3 << 28)
            mmio.write(virtio.GUEST_PAGE_SIZE, 4096)
            mmio.write(virtio.QUEUE_PFN, 256)
            self.assertEqual(mmio.read(virtio.QUEUE_PFN), 0)
            self.assertEqual(mmio.read(virtio.SHM_LEN), 0xffffffff)
            self.assertEqual(mmio.negotiate(0), 3)
            self.assertEqual(mmio.negotiate(1 << 32), 11)
        with machine(*RNG) as vm:
            mmio = slot(vm, 23)
            self.assertEqual(mmio.device_features(), 0x79000000)
            mmio.write(virtio.QUEUE_READY, 1)
            self.assertEqual(mmio.read(virtio.QUEUE_READY), 0)

    def test_access_sizes(self):
        with machine(*RNG, '-d', 'guest_errors') as vm:
            mmio = slot(vm, 23)
            self.assertEqual(mmio.read(virtio.MAGIC, 2), 0)
            mmio.write(virtio.STATUS, 1, 1)
            self.assertEqual(mmio.read(virtio.STATUS), 0)

    def check_rng(self, vm, mmio, start, base):
        queue = virtio.Queue(vm, base)
        getattr(mmio, start)(queue)
        queue.write(base + 0x8000, bytes(256))
        queue.add([(base + 0x8000, 64, True), (base + 0x8080, 64, True)])
        mmio.write(virtio.QUEUE_NOTIFY, 0)
        _, got = queue.wait()
        self.assertEqual(got, 128)
        data = queue.read(base + 0x8000, 256)
        self.assertGreater(len(set(data[:64])), 10)
        self.assertEqual(data[64:128], bytes(64))
        self.assertEqual(mmio.read(virtio.INTERRUPT_STATUS), 1)

    def test_lines(self):
        """The GSI of the device, as its IOAPIC sees it."""
        for options, last, gsi in (('', 23, 47), (',ioapic2=off', 7, 23), (',acpi=off', 7, 12)):
            with machine(*RNG, options=options) as vm:
                mmio = slot(vm, last)
                vm.qtest('irq_intercept_in /machine/' + ('second-ioapic' if gsi >= 24 else 'ioapic'))
                self.check_rng(vm, mmio, 'start_legacy', 0x100000)
                self.assertEqual([n for n, up in vm.irqs.items() if up], [gsi % 24])
                mmio.write(virtio.INTERRUPT_ACK, 1)
                self.assertEqual(mmio.read(virtio.INTERRUPT_STATUS), 0)
                self.assertFalse(vm.irqs[gsi % 24])

    def test_notification_data(self):
        """The upper half says where the ring is."""
        with machine('-device', 'virtio-rng-device,notification_data=on', '-global',
                     'virtio-mmio.force-legacy=false') as vm:
            mmio, queue = slot(vm, 23), virtio.Queue(vm)
            mmio.start(queue, 1 << virtio.VERSION_1 | 1 << 38)
            for offset in 0, 1, 0x7fff, 0xffff:
                queue.add([(0x180000, 64, True)])
                mmio.write(virtio.QUEUE_NOTIFY, offset << 16)
                self.assertEqual(queue.wait()[1], 64)

    def test_modern_rng(self):
        with machine(*RNG, '-global', 'virtio-mmio.force-legacy=false') as vm:
            self.check_rng(vm, slot(vm, 23), 'start', 0x200000)
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            mmio = slot(vm, 23)
            for at in virtio.STATUS, virtio.INTERRUPT_STATUS, virtio.QUEUE_READY:
                self.assertEqual(mmio.read(at), 0)
            self.check_rng(vm, mmio, 'start', 0x300000)

    def test_broken(self):
        with machine(*RNG, '-global', 'virtio-mmio.force-legacy=false') as vm:
            mmio = slot(vm, 23)
            queue = virtio.Queue(vm)
            mmio.start(queue)
            queue.write(queue.driver + 2, b'\xff\xff')
            mmio.write(virtio.QUEUE_NOTIFY, 0)
            self.assertEqual(mmio.read(virtio.STATUS), 15 | virtio.NEEDS_RESET)
            self.assertEqual(mmio.read(virtio.INTERRUPT_STATUS), 3)
            self.check_rng(vm, mmio, 'start', 0x200000)

    def test_rng_limit(self):
        """No more than max-bytes in a period."""
        with machine('-device', 'virtio-rng-device,max-bytes=16,period=1000', '-global',
                     'virtio-mmio.force-legacy=false') as vm:
            mmio, queue = slot(vm, 23), virtio.Queue(vm)
            mmio.start(queue)
            for _ in range(2):
                queue.add([(0x180000, 64, True)])
            mmio.write(virtio.QUEUE_NOTIFY, 0)
            self.assertEqual(queue.wait()[1], 16)
            self.assertIsNone(queue.take())
            vm.qtest('clock_step 1000000000')
            self.assertEqual(queue.wait()[1], 16)

    def test_rng_file(self):
        with tempfile.NamedTemporaryFile() as source:
            source.write(bytes(range(64)))
            source.flush()
            with machine('-object', f'rng-random,id=r,filename={source.name}', '-device',
                         'virtio-rng-device,rng=r', '-global',
                         'virtio-mmio.force-legacy=false') as vm:
                mmio, queue = slot(vm, 23), virtio.Queue(vm)
                mmio.start(queue)
                queue.add([(0x180000, 64, True)])
                mmio.write(virtio.QUEUE_NOTIFY, 0)
                self.assertEqual(queue.wait()[1], 64)
                self.assertEqual(queue.read(0x180000, 64), bytes(range(64)))


class Devices(unittest.TestCase):
    def test_switches(self):
        with machine('-serial', 'null') as vm:
            self.assertTrue(ioapic_exists(vm, IOAPIC))
            self.assertTrue(ioapic_exists(vm, IOAPIC2))
            vm.qtest('outb 0x3ff 0x5a')
            self.assertEqual(port(vm, 0x3ff), 0x5a)
            vm.qtest('outb 0x21 0xa5')
            self.assertEqual(port(vm, 0x21), 0xa5)
            vm.qtest('outb 0x70 0x34')
            self.assertEqual(port(vm, 0x71), (128 - 16) * 16 & 0xff)
            self.assertEqual(int(vm.qtest('inl 0x514'), 16), 0x554d4551)
            self.assertNotEqual(port(vm, 0x40), 0xff)
            for absent in 0x92, 0x60, 0x64, 0xb2, 0xcf9:
                self.assertEqual(port(vm, absent), 0xff)
            self.assertEqual(int(vm.qtest('inl 0xcf8'), 16), 0xffffffff)
        off = ',pit=off,pic=off,rtc=off,isa-serial=off,ioapic2=off'
        with machine('-serial', 'null', options=off) as vm:
            self.assertTrue(ioapic_exists(vm, IOAPIC))
            self.assertFalse(ioapic_exists(vm, IOAPIC2))
            for absent in 0x20, 0x21, 0xa1, 0x4d0, 0x40, 0x43, 0x70, 0x71, 0x3f8, 0x3ff:
                self.assertEqual(port(vm, absent), 0xff)
        with machine(options=',acpi=off') as vm:
            self.assertFalse(ioapic_exists(vm, IOAPIC2))
            self.assertEqual(vm.qtest(f'readl {GED:#x}'), '0x0000000000000000')

    def test_memory(self):
        with machine('-m', '4G', '-object', 'memory-backend-ram,id=r,size=4G,reserve=off',
                     options=',memory-backend=r') as vm:
            rows = FwCfg(vm).file('etc/e820')
            self.assertEqual([struct.unpack_from('<QQI', rows, at)
                              for at in range(0, len(rows), 20)],
                             [(0, 0xc0000000, 1), (1 << 32, 1 << 30, 1)])
            for at in 0, 0x9f000, 0xf8000, 0xbffffff0, 1 << 32, (1 << 32) + (1 << 30) - 8:
                vm.qtest(f'writeq {at:#x} 0x1122334455667788')
                self.assertEqual(vm.qtest(f'readq {at:#x}'), '0x1122334455667788')
            self.assertEqual(vm.qtest('read 0xc0000000 4'), '0x00000000')

    def test_firmware(self):
        with machine() as vm:
            top = vm.qtest('read 0xffff0000 65536')
            self.assertEqual(vm.qtest('read 0xf0000 65536'), top)
            vm.qtest('writel 0xf0000 0x12345678')
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            self.assertEqual(vm.qtest('read 0xf0000 65536'), top)
        self.assertIn("could not load PC BIOS", refusal(
            house.binary(), '-M', 'microvm', '-bios', '/nowhere'))

    def test_refusals(self):
        for options, why in (
                (',x-pci-hole=kvm', 'KVM_MEM_PCI_HOLE is not supported by this accelerator'),
                (',x-pci-hole=maybe', "does not accept value 'maybe'"),
                (',usb=on,acpi=off', 'usb=on needs acpi=on'),
                (',pcie=on,acpi=off', 'pcie=on needs acpi=on')):
            self.assertIn(why, refusal(house.binary(), '-M', 'microvm' + options))

    def test_smbios(self):
        """Taken, as it always was, but not in silence."""
        done = subprocess.run([house.binary(), '-M', 'microvm', '-smbios', 'type=1,serial=x',
                               '-display', 'none', '-accel', 'qtest', '-dump-vmstate',
                               '/dev/null'], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=True)
        self.assertIn('a microvm has no SMBIOS tables', done.stderr)

    def test_no_hotplug(self):
        with machine(*RNG) as vm:
            for arguments in ({'driver': 'virtio-rng-device'},
                              {'driver': 'qemu64-x86_64-cpu', 'socket-id': 1, 'core-id': 0,
                               'thread-id': 0}):
                reply = vm.qmp.request({'execute': 'device_add', 'arguments': arguments})
                self.assertIn('error', reply)


class Power(unittest.TestCase):
    def test_button(self):
        with machine() as vm:
            vm.qtest('irq_intercept_in /machine/ioapic')
            vm.qmp('system_powerdown')
            vm.qmp.wait_event('POWERDOWN')
            self.assertEqual(vm.qtest(f'readl {GED:#x}'), '0x0000000000000002')
            self.assertIn(9, vm.irqs)
            self.assertEqual(vm.qtest(f'readl {GED:#x}'), '0x0000000000000000')

    def test_sleep(self):
        with machine() as vm:
            vm.qtest(f'writeb {GED_REGISTERS:#x} 0x14')  # no SLP_EN
            vm.qtest(f'writeb {GED_REGISTERS:#x} 0x34')
            event = vm.qmp.wait_event('SHUTDOWN')
            self.assertEqual(event['data'], {'guest': True, 'reason': 'guest-shutdown'})

    def test_reset(self):
        with machine() as vm:
            vm.qtest(f'writeb {GED_REGISTERS + 2:#x} 0x42')
            self.assertTrue(vm.qmp.wait_event('RESET')['data']['guest'])


class Pcie(unittest.TestCase):
    def test_ecam(self):
        for options, line in ((',pcie=on', 16), (',pcie=on,ioapic2=off', 12)):
            with machine(options=options) as vm:
                self.assertEqual(vm.qtest(f'readl {ECAM:#x}'), '0x0000000000081b36')
                self.assertEqual(vm.qtest(f'readl {ECAM + 0x8000:#x}'), '0x00000000ffffffff')
                self.assertEqual(vm.qtest(f'readl {ECAM + 0xff00000:#x}'), '0x00000000ffffffff')
                self.assertEqual(vm.qtest('readl 0xc0000000'), '0x00000000ffffffff')
                vm.qtest(f'writeb {ECAM + 0x9004:#x} 7')
                vm.qtest(f'readb {ECAM + 0x9004:#x}')
        with machine() as vm:
            self.assertEqual(vm.qtest(f'readl {ECAM:#x}'), '0x0000000000000000')

    def hole(self, vm, *names):
        return [vm.qmp('qom-get', path='/machine', property=name) for name in names]

    def test_hole(self):
        """All modes answer the same; who is asked differs."""
        port = ['-device', 'pcie-root-port,id=p,chassis=1,addr=1', '-device', 'virtio-rng-pci,bus=p']
        shown = {}
        for options, mode, slots, pages, reads in (
                ('pcie=on', 'alias', 2, 65536 - 2, 0), ('pcie=on,x-pci-hole=alias', 'alias', 2, 65536 - 2, 0),
                ('pcie=on,x-pci-hole=off', 'off', 0, 0, 8191 - 2)):
            with machine(*port, options=',' + options) as vm:
                self.assertEqual(self.hole(vm, 'pci-hole-mode', 'pci-hole-slots', 'pci-hole-pages'),
                                 [mode, slots, pages])
                vm.qtest(f'writel {ECAM + 0x8018:#x} 0x010100')
                found = [vm.qtest(f'readl {ECAM + (bdf << 15):#x}') for bdf in range(8192)]
                found += [vm.qtest(f'read {ECAM + at:#x} 4') for at in (0xfff000, 0x9ffe, 0xfffffc)]
                found += [vm.qtest(f'readb {ECAM + 0x100000:#x}')]
                vm.qtest(f'writel {ECAM + 0x10000:#x} 0')
                shown[options] = found
                counted = self.hole(vm, 'ecam-absent-reads', 'ecam-absent-writes')
                self.assertEqual(counted, self.hole_of_bridge(vm))
                self.assertEqual(counted[1], 1)
                self.assertGreaterEqual(counted[0], reads)
                self.assertLess(counted[0], reads + 10)
                if mode == 'alias':
                    self.assertGreater(self.hole(vm, 'pci-hole-updates')[0], 0)
                    self.assertIn('romd): pci-hole', vm.qmp.hmp('info mtree -f'))
        self.assertEqual(len(set(map(tuple, shown.values()))), 1)
        with machine(options=',x-pci-hole=alias') as vm:
            self.assertEqual(self.hole(vm, 'pci-hole-mode', 'pci-hole-pages', 'ecam-absent-reads'), ['off', 0, 0])

    def hole_of_bridge(self, vm):
        return [vm.qmp('qom-get', path='/machine/gpex', property=f'ecam-absent-{way}') for way in ('reads', 'writes')]

    def test_hole_is_no_memory(self):
        """No block of RAM, no part of a dump, nothing that is migrated; modes may differ then."""
        with tempfile.TemporaryDirectory() as folder:
            with machine('-m', '8', options=',pcie=on,x-pci-hole=alias') as vm:
                self.assertNotIn('hole', vm.qmp.hmp('info ramblock'))
                vm.qmp('dump-guest-memory', paging=False, protocol=f'file:{folder}/dump')
                self.assertLess(os.path.getsize(f'{folder}/dump'), 16 << 20)
                vm.qmp('migrate', uri=f'file:{folder}/state')
                while vm.qmp('query-migrate')['status'] not in ('completed', 'failed'):
                    pass
            with machine('-m', '8', '-incoming', f'file:{folder}/state', options=',pcie=on,x-pci-hole=off') as vm:
                while vm.qmp('query-migrate').get('status') not in ('completed', 'failed'):
                    pass
                self.assertEqual(vm.qmp('query-migrate')['status'], 'completed')


@unittest.skipUnless(acpi.IASL, 'iasl is not installed')
class Tables(unittest.TestCase):
    def tables(self, *args, options=''):
        with machine(*args, options=options) as vm:
            fw_cfg = FwCfg(vm)
            rsdp = fw_cfg.file('etc/acpi/rsdp')
            self.assertEqual(rsdp[:8], b'RSD PTR ')
            self.assertEqual(rsdp[15], 2)
            self.assertEqual(len(fw_cfg.file('etc/table-loader')) % 128, 0)
            found = acpi.split(fw_cfg.file('etc/acpi/tables'))
        self.assertEqual([name for name, _ in found], ['DSDT', 'FACP', 'APIC', 'XSDT'])
        return {name: (table, acpi.disassemble(table)) for name, table in found}

    def test_plain(self):
        tables = self.tables(*RNG, '-serial', 'null', '-smp', '2,maxcpus=4')
        dsdt = tables['DSDT'][1]
        for text in ('Device (VR23)', 'Device (COM1)', 'Device (RTC)', 'Device (PWRB)',
                     '"ACPI0013"', '"QEMU0002"', '0xFEB02E00', '0x0000002F'):
            self.assertIn(text, dsdt)
        self.assertNotIn('Device (VR22)', dsdt)
        self.assertNotIn('PCI0', dsdt)
        fadt = tables['FACP'][0]
        self.assertEqual(fadt[8], 5)
        flags, = struct.unpack_from('<I', fadt, 112)
        self.assertEqual(flags, 1 << 20 | 1 << 10)
        self.assertEqual(struct.unpack_from('<BBBBQ', fadt, 116), (0, 8, 0, fadt[119],
                                                                    GED_REGISTERS + 2))
        self.assertEqual(fadt[128], 0x42)
        self.assertEqual(struct.unpack_from('<Q', fadt, 248)[0], GED_REGISTERS)
        self.assertEqual(struct.unpack_from('<Q', fadt, 260)[0], GED_REGISTERS + 1)
        self.assertEqual(struct.unpack_from('<H', fadt, 109)[0] & 2, 0)  # no 8042
        self.check_madt(tables['APIC'][0], cpus=[1, 1, 0, 0], ioapics=[0, 24],
                        overrides=[(0, 2, 0)])

    def check_madt(self, table, cpus, ioapics, overrides):
        at, found = 44, {0: [], 1: [], 2: []}
        while at < len(table):
            kind, size = table[at], table[at + 1]
            body = table[at + 2:at + size]
            if kind == 0:
                found[0].append(struct.unpack_from('<I', body, 2)[0])
            elif kind == 1:
                found[1].append(struct.unpack_from('<I', body, 6)[0])
            elif kind == 2:
                found[2].append((body[1], *struct.unpack_from('<IH', body, 2)))
            at += size
        self.assertEqual(found, {0: cpus, 1: ioapics, 2: overrides})

    def test_variants(self):
        off = ',rtc=off,ioapic2=off,isa-serial=off'
        tables = self.tables('-device', 'virtio-rng-device,bus=virtio-mmio-bus.2', options=off)
        self.assertNotIn('Device (COM1)', tables['DSDT'][1])
        self.assertNotIn('Device (RTC)', tables['DSDT'][1])
        self.assertIn('0x00000012', tables['DSDT'][1])
        self.check_madt(tables['APIC'][0], [1], [0], [(0, 2, 0)])

    def test_pcie(self):
        tables = self.tables(options=',pcie=on')
        for text in ('Device (PCI0)', '_CBA', '0xE0000000', 'Device (RES0)', 'Device (GSI3)',
                     '0x000000C000000000'):
            self.assertIn(text, tables['DSDT'][1])
        tables = self.tables(options=',pcie=on,ioapic2=off')
        self.check_madt(tables['APIC'][0], [1], [0],
                        [(0, 2, 0)] + [(n, n, 13) for n in range(12, 16)])

    def test_oem(self):
        tables = self.tables(options=',x-oem-id=HOUSE,x-oem-table-id=TABLE')
        self.assertEqual(tables['DSDT'][0][10:24], b'HOUSE\0TABLE\0\0\0')

    def test_none(self):
        with machine(options=',acpi=off') as vm:
            self.assertNotIn('etc/acpi/tables', FwCfg(vm).files())


class DeviceTree(unittest.TestCase):
    """Read by hand: dtc need not be installed."""

    def nodes(self, *args, options=''):
        with machine(*args, options=options) as vm:
            blob = FwCfg(vm).file('etc/fdt')
        magic, total, at, strings = struct.unpack_from('>4I', blob)
        self.assertEqual((magic, total), (0xd00dfeed, len(blob)))
        nodes, path = {}, []
        while True:
            token, = struct.unpack_from('>I', blob, at)
            at += 4
            if token == 1:
                end = blob.index(b'\0', at)
                path.append(blob[at:end].decode())
                nodes['/'.join(path) or '/'] = {}
                at = (end + 4) & ~3
            elif token == 2:
                path.pop()
            elif token == 3:
                size, name = struct.unpack_from('>II', blob, at)
                end = blob.index(b'\0', strings + name)
                name = blob[strings + name:end].decode()
                nodes['/'.join(path) or '/'][name] = blob[at + 8:at + 8 + size]
                at = (at + 8 + size + 3) & ~3
            elif token == 9:
                return nodes

    def test_nodes(self):
        nodes = self.nodes(*RNG, '-serial', 'null', options=',pcie=on')
        self.assertEqual(sorted(nodes), ['/', '/chosen', '/ioapic1@fec00000', '/ioapic2@fec10000',
                                         '/pcie@c0000000', '/rtc@70', '/serial@3f8',
                                         '/virtio_mmio@feb02e00'])
        self.assertEqual(nodes['/']['compatible'], b'linux,microvm\0')
        self.assertEqual(nodes['/chosen']['stdout-path'], b'/serial@3f8\0')
        device = nodes['/virtio_mmio@feb02e00']
        self.assertEqual(device['compatible'], b'virtio,mmio\0')
        self.assertEqual(device['reg'], struct.pack('>4I', 0, 0xfeb02e00, 0, 0x200))
        self.assertEqual(device['interrupts'], struct.pack('>2I', 23, 0))
        self.assertEqual(device['interrupt-parent'], nodes['/ioapic2@fec10000']['phandle'])
        self.assertEqual(nodes['/pcie@c0000000']['bus-range'], struct.pack('>2I', 0, 0))

    def test_bus_numbers(self):
        """As many as there can be, for nothing is plugged later, or what the user says."""
        port = ['-device', 'pcie-root-port,id=p,chassis=1']
        switch = ['-device', 'x3130-upstream,id=up,bus=p', '-device', 'xio3130-downstream,id=down,bus=up,chassis=2']
        for args, option, last in (
                (port, '', 1), (port + switch, '', 3), (port + switch, ',x-mcfg-buses=auto', 3),
                (port, ',x-mcfg-buses=256', 255), (port, ',x-mcfg-buses=1', 0),
                (['-device', 'pcie-root-port,id=p,chassis=1,bus-reserve=5'] + switch, '', 6),
                (['-device', 'pxb-pcie,id=x,bus_nr=32', '-device', 'pcie-root-port,bus=x,chassis=3'], '', 33)):
            with self.subTest(args=args, option=option):
                nodes = self.nodes(*args, options=',pcie=on' + option)
                self.assertEqual(nodes['/pcie@c0000000']['bus-range'], struct.pack('>2I', 0, last))
        for wrong in '0', '257', 'some':
            self.assertIn('must be 1 to 256, or auto', refusal(
                house.binary(), '-M', f'microvm,x-mcfg-buses={wrong}'))

    def test_usb(self):
        node = self.nodes(options=',usb=on')['/usb@fe900000']
        self.assertEqual(node['compatible'], b'generic-xhci\0')
        self.assertEqual(node['reg'], struct.pack('>4I', 0, 0xfe900000, 0, 0x4000))
        self.assertEqual(node['interrupts'], struct.pack('>2I', 10, 0))

    def test_bare(self):
        nodes = self.nodes(options=',acpi=off,rtc=off')
        self.assertEqual(sorted(nodes), ['/', '/chosen', '/ioapic1@fec00000'])


class Kernel(Files):
    """Started by firmware that the user names."""

    def machine(self, *args, **kwargs):
        return machine('-bios', 'bios-microvm.bin', *args, **kwargs)

    def keys(self, vm):
        fw_cfg = FwCfg(vm)
        return {name: fw_cfg.number(key, 4) for name, key in KERNEL_KEYS.items()}

    def cmdline(self, vm):
        fw_cfg = FwCfg(vm)
        return fw_cfg.read(0x15, fw_cfg.number(0x14, 4))

    def test_cmdline(self):
        kernel = self.file('kernel', images.bzimage(b'\xf4' * 64))
        for options, text in (
                (',acpi=off', b'console=ttyS0 virtio_mmio.device=512@0xfeb00e00:12 '
                              b'virtio_mmio.device=512@0xfeb00c00:11\0'),
                (',acpi=off,auto-kernel-cmdline=off', b'console=ttyS0\0'),
                ('', b'console=ttyS0\0')):
            with self.machine('-kernel', kernel, '-append', 'console=ttyS0', *RNG, *RNG,
                              options=options) as vm:
                self.assertEqual(self.cmdline(vm), text)
                vm.qmp('system_reset')
                vm.qmp.wait_event('RESET')
                self.assertEqual(self.cmdline(vm), text)

    def test_bzimage(self):
        kernel = self.file('kernel', images.bzimage(b'CODE' * 16))
        initrd = self.file('initrd', b'INITRD' * 100)
        with self.machine('-kernel', kernel, '-initrd', initrd) as vm:
            keys = self.keys(vm)
            self.assertEqual(keys, {'kernel_addr': 0x100000, 'kernel_size': 64,
                                    'initrd_addr': 0x7fff000, 'initrd_size': 600, 'entry': 0,
                                    'cmdline_size': 1, 'setup_addr': 0x10000,
                                    'setup_size': 2560})
            fw_cfg = FwCfg(vm)
            self.assertEqual(fw_cfg.read(0x11, 64), b'CODE' * 16)
            self.assertEqual(fw_cfg.read(0x12, 600), b'INITRD' * 100)
            setup = fw_cfg.read(0x18, 2560)
            self.assertEqual(struct.unpack_from('<II', setup, 0x218), (0x7fff000, 600))
            self.assertEqual(fw_cfg.file('bootorder'), b'/rom@genroms/linuxboot_dma.bin\0')
            self.assertEqual(fw_cfg.file('genroms/linuxboot_dma.bin')[:2], b'\x55\xaa')

    def test_pvh(self):
        for bits in 32, 64:
            kernel = self.file('kernel', images.pvh(b'\xf4' * 64, bits=bits))
            with self.machine('-kernel', kernel, '-append', 'x') as vm:
                keys = self.keys(vm)
                self.assertEqual((keys['kernel_addr'], keys['kernel_size'], keys['entry']),
                                 (0x200000, 128, 0x200000))
                for _ in range(2):
                    self.assertEqual(vm.qtest('read 0x20003c 8'), '0x' + 'f4' * 4 + '00' * 4)
                    vm.qtest('memset 0x200000 128 0x11')
                    vm.qmp('system_reset')
                    vm.qmp.wait_event('RESET')
                self.assertEqual(FwCfg(vm).file('bootorder'), b'/rom@genroms/pvh.bin\0')

    def test_multiboot(self):
        kernel = self.file('kernel', images.multiboot())
        module = self.file('module', b'MODULE')
        with self.machine('-kernel', kernel, '-initrd', f'{module} a,{module}') as vm:
            keys = self.keys(vm)
            self.assertEqual((keys['kernel_addr'], keys['entry'], keys['initrd_addr']),
                             (0x200000, 0x20000c, 0x9500))
            self.assertEqual(FwCfg(vm).file('bootorder'), b'/rom@genroms/multiboot_dma.bin\0')

    def test_no_rom(self):
        kernel = self.file('kernel', images.bzimage())
        with self.machine('-kernel', kernel, options=',x-option-roms=off') as vm:
            self.assertEqual(FwCfg(vm).file('bootorder'), b'')
            self.assertNotIn('genroms/linuxboot_dma.bin', FwCfg(vm).files())

    def test_refusals(self):
        plain_elf = images.elf([(0x200000, b'\xf4', 1)], 0x200000)
        for image, why in ((plain_elf, 'without PVH ELF Note'), (b'abc', 'no kernel of a known'),
                           (b'', 'it is empty')):
            path = self.file('kernel', image)
            self.assertIn(why, refusal(house.binary(), '-M', 'microvm', '-kernel', path))
        self.assertIn('No such file', refusal(house.binary(), '-M', 'microvm', '-kernel', '/no'))
        self.assertIn('-append only allowed', refusal(house.binary(), '-M', 'microvm', '-append',
                                                      'x'))


class Direct(Files):
    """Started by resets, without firmware: Linux' boot protocol 2.15, PVH 1, MP specification 1.4."""

    def registers(self, vm):
        text = vm.qmp.hmp('info registers')
        found = re.findall(r'\b(\w+) ?=([0-9a-f]+)((?: [0-9a-f]{8,16})*)', text)
        return {name: [int(word, 16) for word in (value + more).split()]
                for name, value, more in found}

    def read(self, vm, addr, size):
        return bytes.fromhex(vm.qtest(f'read {addr:#x} {size}')[2:])

    def word(self, vm, addr, size=4):
        return int.from_bytes(self.read(vm, addr, size), 'little')

    def test_linux(self):
        kernel = self.file('kernel', images.bzimage(b'CODE' * 200, xloadflags=1))
        initrd = self.file('initrd', b'INITRD' * 100)
        with machine('-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyS0', '-m', '4G',
                     options=',pcie=on') as vm:
            for _ in range(2):
                regs = self.registers(vm)
                self.assertEqual([regs[name][0] for name in ('RIP', 'RSI', 'CR0', 'CR3', 'CR4', 'EFER')],
                                 [0x100200, 0x7000, 0x80000011, 0x9000, 0x20, 0x500])
                self.assertEqual((regs['CS'][:3], regs['DS'][:3]),
                                 ([0x10, 0, 0xffffffff], [0x18, 0, 0xffffffff]))
                self.assertEqual(self.read(vm, 0x100000, 800), b'CODE' * 200)
                self.assertEqual(self.read(vm, self.word(vm, 0x7228), 14), b'console=ttyS0\0')
                at = self.word(vm, 0x7218)
                self.assertEqual(self.read(vm, at, self.word(vm, 0x721c)), b'INITRD' * 100)
                rows = [struct.unpack('<QQI', self.read(vm, 0x72d0 + 20 * n, 20))
                        for n in range(self.word(vm, 0x71e8, 1))]
                self.assertEqual(rows, [
                    (0, 0x9fc00, 1), (0x9fc00, 0x60400, 2), (0x100000, 0xbff00000, 1),
                    (0xe0000000, 0x10000000, 2), (1 << 32, 1 << 30, 1)])
                self.assertEqual((port(vm, 0x21), port(vm, 0xa1)), (0xff, 0xff))
                vm.qtest('outb 0x21 0')
                vm.qtest('memset 0x7000 0x4000 0x11')
                vm.qtest('memset 0x100000 800 0x11')
                vm.qmp('system_reset')
                vm.qmp.wait_event('RESET')
            self.assertEqual(FwCfg(vm).file('bootorder'), b'')

    def test_acpi(self):
        """Tables in memory, with addresses and sums as a firmware would have put them."""
        kernel = self.file('kernel', images.bzimage(xloadflags=1))
        with machine('-kernel', kernel, *RNG) as vm:
            rsdp = self.read(vm, self.word(vm, 0x7070, 8), 36)
            self.assertEqual((rsdp[:8], sum(rsdp) & 0xff), (b'RSD PTR ', 0))
            xsdt = self.table(vm, struct.unpack_from('<Q', rsdp, 24)[0])
            tables = [self.table(vm, at) for at, in struct.iter_unpack('<Q', xsdt[36:])]
            self.assertEqual([t[:4] for t in tables], [b'FACP', b'APIC'])
            dsdt = self.table(vm, struct.unpack_from('<Q', tables[0], 140)[0])
            self.assertEqual(dsdt[:4], b'DSDT')
            self.assertIn(b'VR23', dsdt)

    def table(self, vm, at):
        data = self.read(vm, at, self.word(vm, at + 4))
        self.assertEqual(sum(data) & 0xff, 0)
        self.assertTrue(0xe0000 <= at < 0xf0000)
        return data

    def test_mp_table(self):
        kernel = self.file('kernel', images.bzimage(xloadflags=1))
        with machine('-kernel', kernel, '-smp', '3', *RNG, options=',acpi=off') as vm:
            self.assertEqual(self.word(vm, 0x7070, 8), 0)
            pointer = self.read(vm, 0xf0000, 16)
            self.assertEqual((pointer[:4], pointer[8:10], sum(pointer) & 0xff),
                             (b'_MP_', b'\x01\x04', 0))
            at = struct.unpack_from('<I', pointer, 4)[0]
            table = self.read(vm, at, self.word(vm, at + 4, 2))
            self.assertEqual((table[:4], table[6], sum(table) & 0xff), (b'PCMP', 4, 0))
            self.assertIn(b'virtio_mmio.device=512@0xfeb00e00:12\0',
                          self.read(vm, self.word(vm, 0x7228), 64))
        entries, at = [], 44
        while at < len(table):
            size = 20 if table[at] == 0 else 8
            entries.append(table[at:at + size])
            at += size
        self.assertEqual(len(entries), struct.unpack_from('<H', table, 34)[0])
        self.assertEqual([(e[1], e[3]) for e in entries if e[0] == 0], [(0, 3), (1, 1), (2, 1)])
        self.assertEqual([e for e in entries if e[0] == 1], [b'\x01\0ISA   '])
        self.assertEqual([struct.unpack_from('<I', e, 4)[0] for e in entries if e[0] == 2], [IOAPIC])
        pins = {e[5]: (e[7], e[2]) for e in entries if e[0] == 3}
        self.assertEqual(pins, {n: (n or 2, 13 if 5 <= n < 13 else 0) for n in range(16) if n != 2})
        self.assertEqual([(e[1], e[6], e[7]) for e in entries if e[0] == 4], [(3, 255, 0), (1, 255, 1)])

    def test_pvh(self):
        kernel = self.file('kernel', images.pvh(b'\xf4' * 64))
        with machine('-kernel', kernel, '-append', 'x y') as vm:
            for _ in range(2):
                regs = self.registers(vm)
                self.assertEqual([regs[name][0] for name in ('EIP', 'EBX', 'CR0', 'CR4', 'EFER')],
                                 [0x200000, 0x6000, 0x11, 0, 0])
                self.assertEqual(self.word(vm, 0x6000), 0x336ec578)
                self.assertEqual(self.read(vm, self.word(vm, 0x6018), 4), b'x y\0')
                self.assertEqual(self.read(vm, self.word(vm, 0x6020), 8), b'RSD PTR ')
                self.assertEqual(self.read(vm, 0x20003c, 8), b'\xf4' * 4 + bytes(4))
                vm.qtest('memset 0x200000 128 0x11')
                vm.qmp('system_reset')
                vm.qmp.wait_event('RESET')

    def test_firmware_where_it_is_needed(self):
        """A kernel for real mode, or a ROM that only firmware runs."""
        old = self.file('old', images.bzimage(protocol=0x0201))
        new = self.file('new', images.bzimage(xloadflags=1))
        rom = self.file('rom', b'\x55\xaa\x01' + bytes(509))
        for args in ['-kernel', old], ['-kernel', new, '-option-rom', rom]:
            with machine(*args) as vm:
                self.assertIn(b'genroms/linuxboot_dma.bin', FwCfg(vm).file('bootorder'))
                self.assertNotEqual(self.read(vm, 0xfffffff0, 16), bytes(16))

    def test_refusals(self):
        linux = self.file('linux', images.bzimage(bytes(1 << 20), xloadflags=1))
        low = self.file('low', images.pvh(base=0x50000))
        tables = self.file('tables', images.pvh(base=0xf0000))
        for size, kernel, why in (('1M', linux, 'does not fit below 0x100000'),
                                  ('1M', low, 'more than 1 MiB of RAM'),
                                  ('2M', tables, 'ROM regions are overlapping')):
            self.assertIn(why, refusal(house.binary(), '-M', 'microvm', '-m', size, '-kernel', kernel))


if __name__ == '__main__':
    house.main()
