# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio-iommu as a driver and the devices behind it see it; requests also on the installed peer, whose answers
are the same. Numbers of the specification are spelled out."""
import os
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import acpi  # noqa: E402
import house  # noqa: E402
import virtio  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from pci import Pci  # noqa: E402
from virtio import VERSION_1  # noqa: E402
from virtio_pci import COMMON, DEVICE, Function  # noqa: E402
from vm import Vm, refusal  # noqa: E402
from vtd import Endpoint  # noqa: E402

PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
ATTACH, DETACH, MAP, UNMAP, PROBE = range(1, 6)
OK, IOERR, UNSUPP, DEVERR, INVAL, RANGE, NOENT, FAULT, NOMEM = range(9)
READ, WRITE, MMIO = 1, 2, 4
BYPASS = 1
ALL = 0x77 | 1 << VERSION_1
OUT, IN, EVENTS = 0x200000, 0x208000, 0x210000
PLACE, BAR = 5 << 3, 0xe8000000   # of the endpoint
IOVA, DATA = 0x40000000, 0x1000000
WORD = 0x12345678


class Unit:
    def __init__(self, vm, features=ALL):
        self.vm = vm
        self.function = Function(vm)
        self.features = features
        self.start()

    def start(self):
        self.queue = virtio.Queue(self.vm, 0x100000, 16)
        self.events = virtio.Queue(self.vm, 0x110000, 16)
        self.function.start([self.queue, self.events], self.features)

    def kick(self, n):
        self.function.put(COMMON, 0x16, n, 2)
        self.function.kick()

    def config(self, at, size):
        if size == 8:
            return self.config(at, 4) | self.config(at + 4, 4) << 32
        return self.function.get(DEVICE, at, size)

    def request(self, data, room=4):
        """(status, what came before it)."""
        self.queue.write(OUT, data)
        self.queue.write(IN, b'\xee' * room)
        self.queue.add([(OUT, len(data), False), (IN, room, True)])
        self.kick(0)
        used = self.queue.wait()
        answer = self.queue.read(IN, room)
        assert used[1] <= room
        return (answer[-4], answer[:-4]) if used[1] == room else (answer[0], b'')

    def attach(self, domain, endpoint=PLACE, flags=0, reserved=0):
        return self.request(struct.pack('<B3xIIII', ATTACH, domain, endpoint, flags, reserved))[0]

    def detach(self, domain, endpoint=PLACE, reserved=0):
        return self.request(struct.pack('<B3xIIQ', DETACH, domain, endpoint, reserved))[0]

    def map(self, domain, first, last, phys, flags=READ | WRITE):
        return self.request(struct.pack('<B3xIQQQI', MAP, domain, first, last, phys, flags))[0]

    def unmap(self, domain, first, last, reserved=0):
        return self.request(struct.pack('<B3xIQQI', UNMAP, domain, first, last, reserved))[0]

    def probe(self, endpoint=PLACE, reserved=b''):
        return self.request(struct.pack('<B3xI64s', PROBE, endpoint, reserved), 516)

    def offer_event(self):
        self.queue.write(EVENTS, bytes(32))
        self.events.add([(EVENTS, 24, True)])
        self.kick(1)

    def event(self):
        """(reason, flags, endpoint, address), or None."""
        if not self.events.take():
            return None
        reason, flags, endpoint, address = struct.unpack('<B3xII4xQ', self.queue.read(EVENTS, 24))
        return reason, flags, endpoint, address


def machine(binary, *args, endpoint='edu,addr=5,id=dev', unit=''):
    return Vm(binary, '-accel', 'tcg' if binary == PEER else 'qtest', '-S', '-M', 'q35', '-m', '512', '-nodefaults', '-device',
              'virtio-iommu-pci,addr=4' + unit, '-device', endpoint, *args, qtest=True)


class Setup(unittest.TestCase):
    def start(self, *args, features=ALL, **options):
        self.vm = machine(house.binary(), *args, **options)
        self.vm.__enter__()
        self.addCleanup(self.vm.__exit__, None, None, None)
        self.unit = Unit(self.vm, features)

    def start_endpoint(self, *args, **options):
        self.start(*args, endpoint='iommu-testdev,addr=5,id=dev', **options)
        self.dev = Endpoint(self.vm, PLACE, BAR)
        self.vm.qtest(f'writel {DATA:#x} {WORD:#x}')

    def info(self):
        info, = self.vm.qmp('x-query-iommu')
        return info


class Requests(Setup):
    """The same on both."""

    def each(self, check, **options):
        for binary in house.binary(), PEER:
            if binary:
                with self.subTest(binary), machine(binary, **options) as vm:
                    check(Unit(vm))

    def test_configuration(self):
        def check(unit):
            self.assertEqual(unit.function.read(0), 0x10571af4)
            self.assertEqual(unit.function.read(8) >> 8, 0x00ff00)
            self.assertEqual(unit.function.features() & 0x7f, 0x77)
            self.assertEqual([unit.config(at, 8) for at in (0, 8, 16)],
                             [~0xfff & (1 << 64) - 1, 0, (1 << 64) - 1])
            self.assertEqual([unit.config(at, 4) for at in (24, 28, 32)], [0, 0xffffffff, 512])
            self.assertEqual(unit.config(36, 1), 1)
            for n in 0, 1:
                unit.function.put(COMMON, 0x16, n, 2)
                self.assertEqual(unit.function.get(COMMON, 0x18, 2), 16)
            unit.function.put(DEVICE, 36, 0, 1)
            self.assertEqual(unit.config(36, 1), 0)
            # It outlives a reset by the driver, and not the machine's.
            unit.start()
            self.assertEqual(unit.config(36, 1), 0)
            unit.vm.qmp('system_reset')
            unit.vm.qmp.wait_event('RESET')
            self.assertEqual(Function(unit.vm).get(DEVICE, 36, 1), 1)
        self.each(check)

    def test_attach(self):
        def check(unit):
            self.assertEqual(unit.attach(7), OK)
            self.assertEqual(unit.attach(7), OK)
            self.assertEqual(unit.attach(8, 0x1234), NOENT)
            self.assertEqual(unit.attach(8, flags=2), INVAL)
            self.assertEqual(unit.attach(7, 4 << 3, BYPASS), INVAL)  # it is no such domain
            self.assertEqual(unit.map(7, 0x1000, 0x1fff, 0x5000), OK)
            self.assertEqual(unit.attach(9), OK)                     # 7 is no more
            self.assertEqual(unit.unmap(7, 0x1000, 0x1fff), NOENT)
            self.assertEqual(unit.map(7, 0x1000, 0x1fff, 0x5000), NOENT)
            self.assertEqual(unit.detach(9), OK)
            self.assertEqual(unit.detach(9), INVAL)
            self.assertEqual(unit.attach(10, flags=BYPASS), OK)
            self.assertEqual(unit.map(10, 0x1000, 0x1fff, 0x5000), INVAL)
        self.each(check)

    def test_map(self):
        def check(unit):
            self.assertEqual(unit.attach(1), OK)
            self.assertEqual(unit.map(1, 0x1000, 0x3fff, 0x5000), OK)
            for first, last in ((0x1000, 0x1fff), (0x3000, 0x4fff), (0, 0x1fff), (0, 0x7fff)):
                self.assertEqual(unit.map(1, first, last, 0x5000), INVAL, hex(first))
            self.assertEqual(unit.map(1, 0x4000, 0x4fff, 0x9000), OK)
            self.assertEqual(unit.map(1, 0x8000, 0x8fff, 0x9000, 8), INVAL)
            self.assertEqual(unit.map(2, 0x8000, 0x8fff, 0x9000), NOENT)
            # Part of a mapping cannot go; ranges may hold more than there is.
            self.assertEqual(unit.unmap(1, 0x2000, 0x4fff), RANGE)
            self.assertEqual(unit.unmap(1, 0x1000, 0x1fff), RANGE)
            self.assertEqual(unit.map(1, 0x1000, 0x1fff, 0x5000), INVAL)
            self.assertEqual(unit.unmap(1, 0x0, 0xfffff), OK)
            self.assertEqual(unit.unmap(1, 0x0, 0xfffff), OK)
            self.assertEqual(unit.map(1, 0x1000, 0x1fff, 0x5000), OK)
        self.each(check)

    def test_probe(self):
        window = struct.pack('<HHB3xQQ', 1, 20, 1, 0xfee00000, 0xfeefffff)

        def check(unit):
            status, properties = unit.probe()
            self.assertEqual((status, properties[:24], set(properties[24:])), (OK, window, {0}))
            self.assertEqual(unit.probe(0x1234)[0], NOENT)
        self.each(check)

    def test_unknown(self):
        def check(unit):
            self.assertEqual(unit.request(bytes([6]) + bytes(30))[0], UNSUPP)
            self.assertEqual(unit.request(struct.pack('<B3xI', ATTACH, 1))[0], INVAL)  # too short
        self.each(check)


class Refusals(Setup):
    def test_reserved_fields(self):
        self.start()
        self.assertEqual(self.unit.attach(1, reserved=1), INVAL)
        self.assertEqual(self.unit.attach(1), OK)
        self.assertEqual(self.unit.detach(1, reserved=1 << 40), INVAL)
        self.assertEqual(self.unit.unmap(1, 0, 0xfff, 1), INVAL)
        self.assertEqual(self.unit.probe(reserved=bytes(63) + b'\1')[0], INVAL)
        self.assertEqual(self.unit.attach(10, flags=BYPASS), OK)
        self.assertEqual(self.unit.attach(10), INVAL)

    def test_ranges(self):
        self.start(unit=',aw-bits=39,granule=16k')
        self.assertEqual(self.unit.config(0, 8), ~0x3fff & (1 << 64) - 1)
        self.assertEqual(self.unit.config(16, 8), (1 << 39) - 1)
        self.assertEqual(self.unit.attach(1), OK)
        for first, last, phys in ((0x1000, 0x4fff, 0), (0, 0xfff, 0), (0, 0x3fff, 0x1000),
                                  (1 << 39, (1 << 39) + 0x3fff, 0),
                                  (0, 0x7fff, (1 << 64) - 0x4000)):
            self.assertEqual(self.unit.map(1, first, last, phys), RANGE, hex(first))
        self.assertEqual(self.unit.map(1, 0x8000, 0x3fff, 0), INVAL)
        self.assertEqual(self.unit.unmap(1, 0x8000, 0x3fff), INVAL)
        self.assertEqual(self.unit.map(1, 0xfee00000, 0xfee03fff, 0), INVAL)  # reserved
        self.assertEqual(self.unit.map(1, 0x4000, 0x7fff, 0x8000), OK)

    def test_features(self):
        """What was not chosen is not done."""
        self.start(features=1 << VERSION_1)
        self.assertEqual(self.unit.attach(1), UNSUPP)
        self.assertEqual(self.unit.probe()[0], UNSUPP)
        self.unit.function.put(DEVICE, 36, 0, 1)
        self.assertEqual(self.unit.config(36, 1), 1)

    def test_no_head(self):
        """A request that cannot be answered breaks the device, until it is reset."""
        self.start()
        self.unit.queue.add([(OUT, 3, False), (IN, 4, True)])
        self.unit.kick(0)
        self.assertEqual(self.unit.function.status() & virtio.NEEDS_RESET, virtio.NEEDS_RESET)
        self.unit.start()
        self.assertEqual(self.unit.attach(1), OK)

    def test_command_line(self):
        for unit, why in (('reserved-regions=1:2', "'1:2' is not FIRST:LAST:TYPE"),
                          ('reserved-regions=2:1:0', 'it ends before it begins'),
                          ('reserved-regions=1:2:5', 'its type is 0'), ('aw-bits=20', 'aw-bits'),
                          ('granule=5k', 'granule')):
            self.assertIn(why, refusal(house.binary(), '-M', 'q35', '-accel', 'qtest', '-device',
                                       'virtio-iommu-pci,' + unit))
        self.assertIn('already', refusal(house.binary(), '-M', 'q35', '-accel', 'qtest', '-device', 'intel-iommu',
                                         '-device', 'virtio-iommu-pci'))


class Dma(Setup):
    def test_translated(self):
        self.start_endpoint()
        self.assertEqual(self.dev.read(DATA), WORD)  # nobody has asked for anything else yet
        self.assertEqual(self.unit.attach(3), OK)
        self.assertIsNone(self.dev.read(DATA))
        self.assertEqual(self.unit.map(3, IOVA, IOVA + 0x2fff, DATA), OK)
        self.assertEqual(self.dev.read(IOVA), WORD)
        self.assertTrue(self.dev.write(IOVA + 0x2ffc, 0x55))
        self.assertEqual(int(self.vm.qtest(f'readl {DATA + 0x2ffc:#x}'), 16), 0x55)
        self.assertIsNone(self.dev.read(IOVA + 0x3000))
        self.assertEqual(self.unit.unmap(3, IOVA, IOVA + 0x2fff), OK)
        self.assertIsNone(self.dev.read(IOVA))
        # The same place, elsewhere: nothing of what was found before is used.
        self.assertEqual(self.unit.map(3, IOVA, IOVA + 0xfff, DATA + 0x2000, READ), OK)
        self.assertEqual(self.dev.read(IOVA + 0xffc), 0x55)
        self.assertFalse(self.dev.write(IOVA, 1))
        self.assertEqual(self.unit.detach(3), OK)
        self.assertEqual(self.dev.read(DATA), WORD)

    def test_rights(self):
        self.start_endpoint()
        self.assertEqual(self.unit.attach(3), OK)
        for n, flags in enumerate((0, READ, WRITE, READ | WRITE, READ | WRITE | MMIO)):
            page = IOVA + 0x1000 * n
            self.assertEqual(self.unit.map(3, page, page + 0xfff, DATA, flags), OK)
            for _ in range(2):
                self.assertEqual(self.dev.read(page) is not None, bool(flags & READ))
                self.assertEqual(self.dev.write(page, WORD), bool(flags & WRITE))

    def test_bypass(self):
        """Without a domain: as the configuration says; in a domain of that kind: always."""
        self.start_endpoint()
        self.unit.function.put(DEVICE, 36, 0, 1)
        self.assertIsNone(self.dev.read(DATA))
        self.assertEqual(self.unit.attach(5, flags=BYPASS), OK)
        self.assertEqual(self.dev.read(DATA), WORD)
        self.assertEqual(self.unit.detach(5), OK)
        self.assertIsNone(self.dev.read(DATA))
        self.unit.function.put(DEVICE, 36, 1, 1)
        self.assertEqual(self.dev.read(DATA), WORD)

    def test_blocked_at_first(self):
        self.start_endpoint(unit=',boot-bypass=off')
        self.assertEqual(self.unit.config(36, 1), 0)
        self.assertIsNone(self.dev.read(DATA))

    def test_reset(self):
        """The driver's reset ends all domains."""
        self.start_endpoint()
        self.assertEqual(self.unit.attach(3), OK)
        self.assertEqual(self.unit.map(3, IOVA, IOVA + 0xfff, DATA), OK)
        self.assertEqual(self.dev.read(IOVA), WORD)
        self.unit.start()
        self.assertEqual(self.dev.read(DATA), WORD)
        self.assertEqual(self.unit.map(3, IOVA, IOVA + 0xfff, DATA), NOENT)

    def test_shared_domain(self):
        """Two endpoints of one domain; one leaves, the other keeps what is mapped."""
        self.start_endpoint('-device', 'iommu-testdev,addr=6')
        other = Endpoint(self.vm, 6 << 3, BAR + 0x10000)
        self.assertEqual([self.unit.attach(3), self.unit.attach(3, 6 << 3)], [OK, OK])
        self.assertEqual(self.unit.map(3, IOVA, IOVA + 0xfff, DATA), OK)
        self.assertEqual((self.dev.read(IOVA), other.read(IOVA)), (WORD, WORD))
        self.assertEqual(self.unit.attach(4, 6 << 3), OK)
        self.assertEqual((self.dev.read(IOVA), other.read(IOVA)), (WORD, None))

    def test_many(self):
        """Ranges of all sizes beside each other, some taken away again; each address, with a model."""
        self.start_endpoint()
        self.assertEqual(self.unit.attach(3), OK)
        at, known = IOVA, {}
        for n in range(60):
            pages = 1 + n * 7 % 13
            self.assertEqual(self.unit.map(3, at, at + pages * 4096 - 1, DATA + 0x1000 * n), OK)
            known.update({at + 4096 * i: DATA + 0x1000 * (n + i) for i in range(pages)})
            if n % 3 == 1:
                self.assertEqual(self.unit.unmap(3, at, at + pages * 4096 - 1), OK)
                for i in range(pages):
                    del known[at + 4096 * i]
            at += pages * 4096
        for n in range(80):
            self.vm.qtest(f'writel {DATA + 0x1000 * n:#x} {0x1000 + n:#x}')
        for page in range(IOVA, at, 4096):
            gpa = known.get(page)
            self.assertEqual(self.dev.read(page), gpa and 0x1000 + (gpa - DATA) // 0x1000, hex(page))

    def test_reserved(self):
        """Messages to interrupt controllers pass; other reserved memory is nobody's."""
        self.start_endpoint(unit=',reserved-regions=0xfee00000:0xfeefffff:1;0x50000000:0x50ffffff:0')
        status, properties = self.unit.probe()
        self.assertEqual(struct.unpack_from('<HHB3xQQ', properties, 24), (1, 20, 0, 0x50000000, 0x50ffffff))
        self.assertEqual(self.unit.attach(3), OK)
        self.assertEqual(self.unit.map(3, 0x50000000, 0x50000fff, DATA), INVAL)
        self.assertIsNone(self.dev.read(0x50000000))
        self.assertTrue(self.dev.write(0xfee00000, 0x41))
        self.assertEqual(self.info()['counters']['faults'],
                         [{'code': 2, 'reason': 'address is not mapped for this', 'count': 1}])


class Faults(Setup):
    def test_events(self):
        self.start_endpoint()
        self.assertEqual(self.unit.attach(3), OK)
        self.unit.offer_event()
        self.assertIsNone(self.dev.read(IOVA + 0x10))
        self.assertEqual(self.unit.event(), (2, 0x101, PLACE, IOVA + 0x10))
        self.assertEqual(self.unit.map(3, IOVA, IOVA + 0xfff, DATA, READ), OK)
        self.unit.offer_event()
        self.assertFalse(self.dev.write(IOVA + 0x20, 1))
        self.assertEqual(self.unit.event(), (2, 0x102, PLACE, IOVA + 0x20))
        self.assertIsNone(self.dev.read(0x1000))  # no buffer is left: it is lost
        self.unit.offer_event()
        self.assertIsNone(self.unit.event())
        self.assertEqual(self.unit.detach(3), OK)
        self.unit.function.put(DEVICE, 36, 0, 1)
        self.assertIsNone(self.dev.read(0x2000))
        self.assertEqual(self.unit.event(), (1, 0x101, PLACE, 0x2000))

    def test_for_people(self):
        self.start_endpoint()
        self.assertEqual(self.unit.attach(0x12345), OK)
        self.assertEqual(self.unit.map(0x12345, IOVA, IOVA + 0x1fffff, DATA, READ), OK)
        self.dev.read(IOVA)
        self.dev.read(IOVA)
        self.dev.read(0)
        info = self.info()
        self.assertEqual((info['type'], info['translating']), ('virtio-iommu', True))
        device, = [d for d in info['devices'] if d['id'] == 'dev']
        self.assertEqual(device['spaces'], [{'mode': 'second', 'domain': 0x12345}])
        self.assertEqual(info['counters']['invalidations'],
                         [{'name': 'attach', 'count': 1}, {'name': 'map', 'count': 1}])
        self.assertEqual([f['code'] for f in info['counters']['faults']], [2])
        self.assertGreater(info['counters']['hits'], 0)
        walk = self.vm.qmp('x-iommu-walk', dev='dev', iova=IOVA + 0x1234)
        self.assertEqual(walk['page'], {'address': DATA + 0x1234, 'size': 0x200000, 'read': True,
                                        'write': False, 'privileged': False})
        walk = self.vm.qmp('x-iommu-walk', dev='dev', iova=IOVA, write=True)
        self.assertEqual(walk['fault']['code'], 2)
        text = self.vm.qmp('human-monitor-command', **{'command-line': 'info iommu'})
        self.assertIn('no PASID: second, domain 74565', text)


class Lasting(Setup):
    def test_migration(self):
        """Domains, what they map, bypass: elsewhere as here."""
        with tempfile.TemporaryDirectory() as folder:
            stream = f'exec:cat >{folder}/stream'
            self.start_endpoint('-device', 'iommu-testdev,addr=6')
            self.assertEqual([self.unit.attach(3), self.unit.attach(4, 6 << 3, BYPASS)], [OK, OK])
            for n in range(20):
                page = IOVA + 0x3000 * n
                self.assertEqual(self.unit.map(3, page, page + 0x1fff, DATA + 0x1000 * n, READ), OK)
            self.unit.function.put(DEVICE, 36, 0, 1)
            self.vm.qmp('migrate', uri=stream)
            while self.vm.qmp('query-migrate')['status'] not in ('completed', 'failed'):
                pass
            self.assertEqual(self.vm.qmp('query-migrate')['status'], 'completed')
            with machine(house.binary(), '-device', 'iommu-testdev,addr=6', '-incoming', f'exec:cat {folder}/stream',
                         endpoint='iommu-testdev,addr=5,id=dev') as vm:
                while vm.qmp('query-status')['status'] == 'inmigrate':
                    pass
                devices = [Endpoint(vm, place << 3, BAR + 0x10000 * place) for place in (5, 6)]
                vm.qtest(f'writel {DATA + 0x14000:#x} 0x77')
                self.assertEqual(devices[0].read(IOVA + 0x3000 * 19 + 0x1000), 0x77)
                self.assertFalse(devices[0].write(IOVA, 1))
                self.assertIsNone(devices[0].read(IOVA + 0x2000))
                self.assertEqual(devices[1].read(DATA + 0x14000), 0x77)
                self.assertEqual(Function(vm).get(DEVICE, 36, 1), 0)

    def test_table(self):
        """The VIOT table, beside the peer's."""
        tables = []
        for binary in (house.binary(), PEER) if PEER else (house.binary(),):
            with machine(binary, '-device', 'pcie-root-port,addr=6,chassis=1') as vm:
                pci = Pci(vm)
                pci.write(6 << 3, 0x18, 0x00030100)
                pci.write(0xf8, 0x40, 0x600)
                pci.write(0xf8, 0x44, 0x80, 1)
                pci.write(0, 0x60, 0xb0000001)
                found = dict(acpi.split(FwCfg(vm).file('etc/acpi/tables')))['VIOT']
                tables.append(found[:9] + bytes(1) + found[10:28] + found[36:])
        self.assertEqual(struct.unpack_from('<HH', tables[0], 28), (2, 48))
        self.assertEqual(tables[0], tables[-1])


if __name__ == '__main__':
    house.main()
