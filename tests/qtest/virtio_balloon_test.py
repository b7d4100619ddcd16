# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio-balloon over qtest: memory that goes back to the host, statistics, what guests must not say."""
import os
import re
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import virtio  # noqa: E402
from virtio_pci import COMMON, DEVICE, Function  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402

PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
STATS, OOM, HINT, POISON, REPORTING = 1, 2, 3, 4, 5
PACKED, IN_ORDER = 34, 35
TARGET, ACTUAL, HINT_COMMAND, POISON_VALUE = 0, 4, 8, 12
MIB = 1 << 20
AREA, AREA_BYTES = 32 * MIB, 16 * MIB  # what is given back
BUFFER = 4 * MIB


class Balloon(Function):
    def __init__(self, vm):
        super().__init__(vm)
        self.places = {kind: self.place(kind) for kind in self.caps if kind < 5}
        self.place = self.places.get
        self.multiplier = self.read(self.caps[2] + 16)

    def run(self, features=1 << STATS | 1 << POISON, queues=3):
        kind = virtio.PackedQueue if features >> PACKED & 1 else virtio.Queue
        self.queues = [kind(self.vm, 0x100000 + n * 0x8000, 16) for n in range(queues)]
        self.start(self.queues, 1 << virtio.VERSION_1 | features)

    def notify(self, n):
        self.put(2, n * self.multiplier, n, 2)

    def give(self, n, data):
        """A buffer for the device to read, which it gives back."""
        if data:
            self.queues[n].write(BUFFER, data)
        self.queues[n].add([(BUFFER, len(data), False)])
        self.notify(n)
        assert self.queues[n].wait()[1] == 0

    def pages(self, n, pages):
        for at in range(0, len(pages), 1024):
            self.give(n, b''.join(struct.pack('<I', page) for page in pages[at:at + 1024]))

    def touch(self):
        """All that requests need is there from now on, in huge pages if the host has them."""
        for n in range(2):
            self.pages(n, area()[:1])


def machine(options='', *args, binary=None, memory=128):
    args = list(args) + (['-S'] if binary and binary == PEER else [])
    return Vm(binary or house.binary(), '-M', 'pc', '-nodefaults', '-m', f'{memory}', *args, '-device',
              f'virtio-balloon-pci,id=b,addr=4{options}', qtest=True,
              accel='tcg' if binary and binary == PEER else 'qtest')


def resident(vm):
    """Bytes of the process's memory of all kinds."""
    with open(f'/proc/{vm.process.pid}/status', encoding='ascii') as file:
        return sum(int(kib) << 10 for kib in re.findall(r'^Rss(?:Anon|Shmem|File):\s+(\d+) kB', file.read(), re.M))


def fill(vm, value=0x55):
    vm.qtest(f'memset {AREA:#x} {AREA_BYTES:#x} {value:#x}')


def byte(vm, at):
    return int(vm.qtest(f'readb {at:#x}'), 16)


def area(step=4096):
    return list(range(AREA // 4096, (AREA + AREA_BYTES) // 4096, step // 4096))


class Identity(unittest.TestCase):
    def test_identity(self):
        """Ours and, with the same script, the peer's."""
        hints = ',free-page-hint=on,iothread=io'
        for options in ('', hints, hints + ',page-poison=off', hints + ',free-page-reporting=on', ',page-poison=off', ',free-page-reporting=on', ',deflate-on-oom=on',
                        ',page-poison=off,qemu-4-0-config-size=on'):
            found = []
            for binary in filter(None, (house.binary(), PEER)):
                with machine(options, '-object', 'iothread,id=io', binary=binary) as vm:
                    f = Balloon(vm)
                    sizes = []
                    for n in range(f.get(COMMON, 0x12, 2)):
                        f.put(COMMON, 0x16, n, 2)
                        sizes.append(f.get(COMMON, 0x18, 2))
                    config = [f.get(DEVICE, at) for at in range(0, 20, 4)]
                    found.append((f.read(0), f.read(8), f.read(0x2c), f.features() & 0xffffff, sizes, config))
            self.assertEqual(found[0][:3], (0x10021af4, 0x00ff0000, 0x00051af4))
            self.assertEqual(found[0], found[-1], options)

    def test_one(self):
        self.assertIn('Only one balloon device is supported', refusal(
            house.binary(), '-M', 'pc', '-device', 'virtio-balloon-pci', '-device', 'virtio-balloon-pci'))

    def test_without(self):
        with Vm(house.binary(), '-M', 'pc', '-nodefaults', qtest=True) as vm:
            with self.assertRaisesRegex(QmpError, 'DeviceNotActive: No balloon device has been activated'):
                vm.qmp('query-balloon')
            vm.qmp('device_add', driver='virtio-balloon-pci', id='b')
            self.assertEqual(vm.qmp('query-balloon'), {'actual': 128 * MIB})
            vm.qmp('device_del', id='b')
            vm.qmp('system_reset')
            while vm.qmp.wait_event('DEVICE_DELETED')['data'].get('device') != 'b':
                pass
            with self.assertRaisesRegex(QmpError, 'No balloon device'):
                vm.qmp('balloon', value=1)

    def test_target(self):
        with machine() as vm:
            f = Balloon(vm)
            f.run()
            self.assertEqual(vm.qmp.hmp('info balloon').strip(), 'balloon: actual=128')
            for value, pages in ((64 * MIB, 16384), (1 << 40, 0), (1, 32767)):
                vm.qmp('balloon', value=value)
                self.assertEqual(f.get(DEVICE, TARGET), pages)
            self.assertEqual(f.get(3, 0, 1), 3)
            for value in (0, -1):
                with self.assertRaisesRegex(QmpError, "Parameter 'target' expects a size"):
                    vm.qmp('balloon', value=value)
            vm.qmp.hmp('balloon 100')
            self.assertEqual(f.get(DEVICE, TARGET), 28 * 256)
            f.put(DEVICE, ACTUAL, 28 * 256)
            self.assertEqual(vm.qmp.wait_event('BALLOON_CHANGE')['data'], {'actual': 100 * MIB})
            self.assertEqual(vm.qmp('query-balloon'), {'actual': 100 * MIB})
            f.put(DEVICE, ACTUAL, 0xffffffff)  # more than there is
            self.assertEqual(vm.qmp('query-balloon'), {'actual': 0})
            f.reset()
            self.assertEqual(vm.qmp('query-balloon'), {'actual': 128 * MIB})
            self.assertEqual(f.get(DEVICE, TARGET), 28 * 256)


class Memory(unittest.TestCase):
    def check(self, *args, step=4096, features=0, options=''):
        """Inflated in disorder; the host has it; deflated it is as any other memory."""
        with machine(options, *args) as vm:
            f = Balloon(vm)
            f.run(1 << STATS | features)
            f.touch()
            fill(vm)
            before = resident(vm)
            pages = area()
            f.pages(0, pages[1::2])
            f.pages(0, pages[-2::-2])
            self.assertLess(resident(vm), before - AREA_BYTES + 2 * MIB)
            self.assertEqual(byte(vm, AREA - 1), 0)
            f.pages(1, pages)
            fill(vm, 0x77)
            self.assertGreater(resident(vm), before - 2 * MIB)
            self.assertEqual(byte(vm, AREA + AREA_BYTES - 1), 0x77)

    def test_anonymous(self):
        self.check()
        self.check(features=1 << PACKED | 1 << IN_ORDER, options=',packed=on,in_order=on')

    def test_memfd(self):
        self.check('-object', 'memory-backend-memfd,id=m,size=128M', '-M', 'memory-backend=m')

    def test_memfd_private(self):
        self.check('-object', 'memory-backend-memfd,id=m,size=128M,share=off', '-M', 'memory-backend=m')

    def test_file(self):
        """Holes in a shared file; a file that is only copied stays as it is."""
        for share in 'on', 'off':
            with tempfile.NamedTemporaryFile() as file, machine(
                    '', '-object', f'memory-backend-file,id=m,size=128M,share={share},mem-path={file.name}',
                    '-M', 'memory-backend=m') as vm:
                os.pwrite(file.fileno(), b'kept', AREA)
                f = Balloon(vm)
                f.run()
                f.touch()
                fill(vm)
                blocks = os.stat(file.name).st_blocks
                f.pages(0, area())
                if share == 'on':
                    self.assertLess(os.stat(file.name).st_blocks, blocks - AREA_BYTES // 512 + 4096)
                    self.assertEqual(byte(vm, AREA), 0)
                else:
                    self.assertEqual(os.pread(file.fileno(), 4, AREA), b'kept')
                    self.assertEqual(byte(vm, AREA), ord('k'))

    def test_huge(self):
        """Pages of the host that are larger go when all of each is in the balloon."""
        with open('/proc/meminfo', encoding='ascii') as file:
            free = int(re.search(r'HugePages_Free:\s+(\d+)', file.read())[1])
        if free < 64:
            self.skipTest('the host has no huge pages to spare')
        self.check('-object', 'memory-backend-memfd,id=m,size=128M,hugetlb=on', '-M', 'memory-backend=m')

    def test_hostile(self):
        """Nothing that is no RAM is taken, and nothing else happens."""
        with machine('', '-device', 'VGA,addr=5') as vm:
            f = Balloon(vm)
            f.run()
            vm.qtest(f'write {AREA:#x} 4 0x01020304')
            rom = vm.qtest('read 0xfffffff0 16')
            f.pages(0, [0xffffffff, 0xfffff, 0xfffc0, 0xf0, 0xc0, 0xa0, 0xb8, 0xfee00, 0x8000, 0x7fffffff,
                        128 * 256, 0xffffffff, 0])
            self.assertEqual(vm.qtest('read 0xfffffff0 16'), rom)
            self.assertEqual(vm.qtest(f'read {AREA:#x} 4'), '0x01020304')
            f.pages(1, [0xffffffff, 0, 0])
            for data in (b'', b'123', struct.pack('<I', AREA // 4096) + b'\1'):
                f.give(0, data)
            self.assertEqual(vm.qtest(f'read {AREA:#x} 4'), '0x00000000')
            f.give(1, b'x')
            f.queues[2].add([(BUFFER, 4096, False)])
            f.notify(2)
            self.assertFalse(f.status() & virtio.NEEDS_RESET)
            f.queues[0].add([(1 << 40, 64, False)])
            f.notify(0)
            self.assertTrue(f.status() & virtio.NEEDS_RESET)

    def test_long(self):
        """One request has 64 Ki pages at most: everybody waits for it."""
        with machine() as vm:
            f = Balloon(vm)
            f.run()
            f.queues[0].add([(BUFFER, 4 << 16, False)])
            f.notify(0)
            self.assertEqual(f.queues[0].wait()[1], 0)
            self.assertFalse(f.status() & virtio.NEEDS_RESET)
            f.queues[0].add([(BUFFER, 4 << 16, False), (BUFFER, 4, False)])
            f.notify(0)
            self.assertTrue(f.status() & virtio.NEEDS_RESET)

    def test_reporting(self):
        for poison, is_given in ((None, True), (0, True), (0xaaaaaaaa, False)):
            with machine(',free-page-reporting=on') as vm:
                f = Balloon(vm)
                f.run(1 << STATS | 1 << REPORTING | (0 if poison is None else 1 << POISON), 4)
                f.put(DEVICE, POISON_VALUE, 0xaaaaaaaa if poison is None else poison)
                fill(vm)
                before = resident(vm)
                f.queues[3].add([(AREA + 100, 4 * MIB, True), (AREA + 5 * MIB, 3 * MIB, True),
                                 (AREA + 8 * MIB, 8 * MIB, True)])
                f.notify(3)
                self.assertEqual(f.queues[3].wait()[1], 0)
                if is_given:
                    self.assertLess(resident(vm), before - 14 * MIB)
                else:
                    self.assertGreater(resident(vm), before - MIB)
                for at, is_in in ((0, False), (0xfff, False), (0x1000, True), (4 * MIB, False), (5 * MIB - 1, False),
                                  (5 * MIB, True), (AREA_BYTES - 1, True)):
                    self.assertEqual(byte(vm, AREA + at), 0 if is_in and is_given else 0x55, at)
                f.queues[3].add([(0, 1 << 20, True), (0xfff00000, 0x100000, True), (1 << 45, 0x40000000, True)])
                f.notify(3)
                self.assertEqual(f.queues[3].wait()[1], 0)


class Statistics(unittest.TestCase):
    PATH = '/machine/peripheral/b'

    def stats(self, vm):
        return vm.qmp('qom-get', path=self.PATH, property='guest-stats')

    def set(self, vm, seconds):
        vm.qmp('qom-set', path=self.PATH, property='guest-stats-polling-interval', value=seconds)

    def give(self, f, *stats):
        f.queues[2].write(BUFFER, b''.join(struct.pack('<HQ', *stat) for stat in stats))
        f.queues[2].add([(BUFFER, 10 * len(stats), False)])
        f.notify(2)

    def test_polling(self):
        for ring in 0, 1 << PACKED | 1 << IN_ORDER:
            with machine(',packed=on,in_order=on') as vm:
                f = Balloon(vm)
                f.run(1 << STATS | ring)
                unknown = 2**64 - 1
                self.assertEqual(self.stats(vm)['last-update'], 0)
                self.assertEqual(set(self.stats(vm)['stats'].values()), {unknown})
                self.give(f, (4, 1 << 40), (5, 7), (77, 1), (0xffff, 2))
                stats = self.stats(vm)
                self.assertGreater(stats['last-update'], 10**9)
                self.assertEqual(stats['stats'].pop('stat-free-memory'), 1 << 40)
                self.assertEqual(stats['stats'].pop('stat-total-memory'), 7)
                self.assertEqual(len(stats['stats']), 8)
                self.assertEqual(set(stats['stats'].values()), {unknown})
                self.assertIsNone(f.queues[2].take())
                self.set(vm, 3)
                vm.qtest('clock_step 1000')
                self.assertEqual(f.queues[2].take()[1], 0)
                vm.qtest('clock_step 10000000000')  # the guest does not answer: it is not asked again
                self.give(f, (0, 5))
                vm.qtest('clock_step 2900000000')
                self.assertIsNone(f.queues[2].take())
                vm.qtest('clock_step 200000000')
                self.assertEqual(f.queues[2].take()[1], 0)
                self.give(f, (0, 6))
                f.notify(2)  # without anything new
                self.give(f, (0, 7), (0, 8))
                self.assertEqual(f.queues[2].take()[1], 0)
                self.assertEqual(self.stats(vm)['stats']['stat-swap-in'], 8)
                self.set(vm, 0)
                vm.qtest('clock_step 10000000000')
                self.assertIsNone(f.queues[2].take())

    def test_early(self):
        """A driver that gives its first buffer, and says so, before it says that it is ready."""
        with machine() as vm:
            f = Balloon(vm)
            f.run(1 << STATS)
            f.reset()
            f.put(COMMON, 0x14, virtio.ACKNOWLEDGE | virtio.DRIVER, 1)
            for word, bits in (0, 1 << STATS), (1, 1):
                f.put(COMMON, 8, word)
                f.put(COMMON, 0xc, bits)
            ready = virtio.ACKNOWLEDGE | virtio.DRIVER | virtio.FEATURES_OK
            f.put(COMMON, 0x14, ready, 1)
            f.queues[2] = virtio.Queue(vm, 0x110000, 16)
            f.start_queue(2, f.queues[2])
            self.give(f, (4, 99))
            self.assertEqual(self.stats(vm)['last-update'], 0)
            f.put(COMMON, 0x14, ready | virtio.DRIVER_OK, 1)
            self.assertEqual(self.stats(vm)['stats']['stat-free-memory'], 99)

    def test_errors(self):
        with machine(',guest-stats-polling-interval=5') as vm:
            for value, why in (-1, 'timer value must be greater than zero'), (1 << 32, 'timer value is too big'):
                with self.assertRaisesRegex(QmpError, why):
                    self.set(vm, value)
            self.assertEqual(vm.qmp('qom-get', path=self.PATH, property='guest-stats-polling-interval'), 5)
            with self.assertRaisesRegex(QmpError, 'guest-stats'):
                vm.qmp('qom-set', path=self.PATH, property='guest-stats', value={})

    def test_migration(self):
        """The target asks on, and the buffer that waits is there."""
        with machine() as vm:
            f = Balloon(vm)
            f.run()
            self.set(vm, 2)
            vm.qmp('balloon', value=100 * MIB)
            f.put(DEVICE, ACTUAL, 256)
            f.put(DEVICE, POISON_VALUE, 0x11223344)
            self.give(f, (0, 5))
            path = os.path.join(vm.folder.name, 'state')
            vm.qmp('migrate', uri=f'exec:cat > {path}')
            while vm.qmp('query-migrate')['status'] != 'completed':
                pass
            with machine('', '-incoming', f'exec:cat {path}') as other:
                while other.qmp('query-migrate').get('status') != 'completed':
                    pass
                f.vm = f.pci.vm = other
                for queue in f.queues:
                    queue.vm = other
                self.assertEqual([f.get(DEVICE, at) for at in (TARGET, ACTUAL, POISON_VALUE)],
                                 [28 * 256, 256, 0x11223344])
                self.assertEqual(other.qmp('query-balloon'), {'actual': 127 * MIB})
                other.qtest('clock_step 3000000000')
                self.assertEqual(f.queues[2].wait()[1], 0)


class Hints(unittest.TestCase):
    """A migration does not send what the guest says is free, but all that is written after that."""
    OPTIONS = ',free-page-hint=on,iothread=io'
    ARGS = ('-object', 'iothread,id=io')
    DONE, FIRST = 1, 0x80000000

    def say(self, f, command):
        f.give(3, struct.pack('<I', command))

    def hint(self, f, *pieces):
        f.queues[3].add([(at, size, True) for at, size in pieces])
        f.notify(3)
        self.assertEqual(f.queues[3].wait()[1], 0)

    def until(self, vm, status):
        while vm.qmp('query-migrate').get('status') != status:
            pass

    def begin(self, vm, features=1 << HINT):
        """A migration that has begun, and has not sent all."""
        f = Balloon(vm)
        f.run(1 << STATS | features, 4)
        fill(vm)
        vm.qtest(f'memset {AREA - 8 * MIB:#x} {8 * MIB:#x} 0x11')  # goes first
        self.assertEqual(f.get(DEVICE, HINT_COMMAND), 0)
        vm.qmp('migrate-set-parameters', **{'max-bandwidth': 100000})
        vm.qmp('migrate', uri=f'exec:cat > {vm.folder.name}/state')
        self.until(vm, 'active')
        return f

    def finish(self, vm):
        vm.qmp('migrate-set-parameters', **{'max-bandwidth': 1 << 40})
        self.until(vm, 'completed')

    def test_hints(self):
        with machine(self.OPTIONS, *self.ARGS) as vm:
            f = self.begin(vm)
            self.assertEqual(f.get(DEVICE, HINT_COMMAND), self.FIRST)
            self.hint(f, (AREA + 14 * MIB, MIB))  # before it says that it begins
            self.say(f, self.FIRST - 1)
            self.hint(f, (AREA + 13 * MIB, MIB))
            self.say(f, self.FIRST)
            self.hint(f, (AREA + 100, 4 * MIB), (AREA + 5 * MIB, 3 * MIB), (0xffe00000, 2 * MIB), (1 << 45, MIB))
            self.say(f, 0)
            self.hint(f, (AREA + 12 * MIB, MIB))
            vm.qtest(f'writeb {AREA + 6 * MIB:#x} 0x66')
            self.finish(vm)
            sent = vm.qmp('query-migrate')['ram']['normal'] * 4096
            self.assertLess(sent, 8 * MIB + AREA_BYTES - 6 * MIB)
            with machine(self.OPTIONS, *self.ARGS, '-S', '-incoming', f'exec:cat {vm.folder.name}/state') as other:
                self.until(other, 'completed')
                for at, value in ((0, 0x55), (0xfff, 0x55), (0x1000, 0), (4 * MIB, 0x55), (5 * MIB - 1, 0x55),
                                  (5 * MIB, 0), (6 * MIB, 0x66), (6 * MIB + 1, 0x55), (6 * MIB + 4096, 0),
                                  (12 * MIB, 0x55), (13 * MIB, 0x55), (14 * MIB, 0x55)):
                    self.assertEqual(byte(other, AREA + at), value, hex(at))
                f.vm = f.pci.vm = other
                self.assertEqual(f.get(DEVICE, HINT_COMMAND), 0)
                other.qmp('cont')
                self.assertEqual(f.get(DEVICE, HINT_COMMAND), self.DONE)
                self.assertEqual(f.get(3, 0, 1), 3)

    def test_cancelled(self):
        with machine(self.OPTIONS, *self.ARGS) as vm:
            f = self.begin(vm)
            self.say(f, self.FIRST)
            self.hint(f, (AREA, AREA_BYTES))
            vm.qmp('migrate_cancel')
            self.until(vm, 'cancelled')
            self.assertEqual(f.get(DEVICE, HINT_COMMAND), self.DONE)
            self.hint(f, (AREA, AREA_BYTES))  # nobody listens any more
            vm.qmp('migrate', uri=f'exec:cat > {vm.folder.name}/state')
            self.until(vm, 'active')
            self.assertEqual(f.get(DEVICE, HINT_COMMAND), self.FIRST + 1)
            f.reset()
            self.assertEqual(f.get(DEVICE, HINT_COMMAND), 0)
            self.finish(vm)
            self.assertGreaterEqual(vm.qmp('query-migrate')['ram']['normal'] * 4096, AREA_BYTES)

    def test_poison(self):
        """Free pages that hold something are sent."""
        with machine(self.OPTIONS, *self.ARGS) as vm:
            f = Balloon(vm)
            f.run(1 << HINT | 1 << POISON, 4)
            f.put(DEVICE, POISON_VALUE, 0xaa)
            fill(vm)
            vm.qmp('migrate', uri=f'exec:cat > {vm.folder.name}/state')
            self.until(vm, 'completed')
            self.assertEqual(f.get(DEVICE, HINT_COMMAND), 0)

    def test_thread(self):
        self.assertIn("'free-page-hint' requires 'iothread' to be set", refusal(
            house.binary(), '-M', 'pc', '-device', 'virtio-balloon-pci,free-page-hint=on'))


if __name__ == '__main__':
    house.main()
