# SPDX-License-Identifier: GPL-2.0-or-later
"""Bitmaps of what was written: recorded, merged, kept in images, read by the peer and written by it."""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from ata import Ide  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

IMG = os.path.join(os.environ['BINARIES'], 'qemu-img')
PEER_IMG = '/usr/bin/qemu-img'
PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
KIB, MIB = 1 << 10, 1 << 20
BYTES = 4 * MIB


def run(*words, status=0):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == status, f'{words}: {done.returncode}\n{done.stdout}{done.stderr}'
    return done.stdout


def sha(dirty, granularity, size=BYTES):
    """Of a bitmap in which these ranges of bytes are set."""
    bits = bytearray((size // granularity + 63) // 64 * 8)
    for start, length in dirty:
        for bit in range(start // granularity, (start + length - 1) // granularity + 1):
            bits[bit // 8] |= 1 << bit % 8
    return hashlib.sha256(bits).hexdigest()


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def image(self, name='a.qcow2', options='', size=BYTES):
        run(IMG, 'create', '-q', '-f', 'qcow2', *(['-o', options] if options else []), self.path(name), str(size))
        return self.path(name)

    def open(self, path, binary=None, more=''):
        """A machine whose only disk it is, as node 'n'."""
        return Vm(binary or house.binary(), '-M', 'pc', '-nodefaults', '-drive',
                  f'file={path},format=qcow2,if=none,id=d,node-name=n{more}', '-device', 'ide-hd,drive=d,bus=ide.0',
                  *(['-S'] if binary else []), qtest=True, **({'accel': 'tcg'} if binary else {}))

    def bitmap(self, vm, what, name, node='n', **more):
        vm.qmp.run(f'block-dirty-bitmap-{what}', {'node': node, 'name': name, **more})

    def merge(self, vm, target, *sources, node='n'):
        vm.qmp.run('block-dirty-bitmap-merge', {'node': node, 'target': target, 'bitmaps': list(sources)})

    def sha(self, vm, name, node='n'):
        return vm.qmp.run('x-debug-block-dirty-bitmap-sha256', {'node': node, 'name': name})['sha256']

    def all(self, vm, node='n'):
        (info,) = (info for info in vm.qmp('query-named-block-nodes') if info['node-name'] == node)
        return {bitmap['name']: bitmap for bitmap in info.get('dirty-bitmaps', [])}

    def refused(self, words, fn, *args, **more):
        with self.assertRaises(QmpError) as caught:
            fn(*args, **more)
        self.assertEqual(caught.exception.desc, words)

    def kept(self, path, img=IMG):
        own = json.loads(run(img, 'info', '-U', '--output=json', path))['format-specific']['data']
        return {bitmap['name']: (bitmap['granularity'], *bitmap['flags']) for bitmap in own.get('bitmaps', [])}

    def check(self, path):
        run(IMG, 'check', '-q', path)
        if os.path.exists(PEER_IMG):
            run(PEER_IMG, 'check', '-q', path)


class Recording(Case):
    def test_what_is_written(self):
        with self.open(self.image()) as vm:
            disk = Ide(vm)
            for name, more in (('a', {}), ('fine', {'granularity': 512}), ('off', {'disabled': True}),
                               ('coarse', {'granularity': 1 << 31})):
                self.bitmap(vm, 'add', name, **more)
            written = [(0, 512), (300 * 512, 512), (BYTES - 512, 512)]
            for start, length in written:
                disk.pio_write(start // 512, bytes(range(256)) * 2)
            disk.pio_read(1000)
            for name, granularity in (('a', 64 * KIB), ('fine', 512)):
                self.assertEqual(self.sha(vm, name), sha(written, granularity), name)
            self.assertEqual({name: bitmap['count'] for name, bitmap in self.all(vm).items()},
                             {'a': 3 * 64 * KIB, 'fine': 3 * 512, 'off': 0, 'coarse': 1 << 31})
            self.bitmap(vm, 'enable', 'off')
            self.bitmap(vm, 'disable', 'a')
            self.bitmap(vm, 'clear', 'fine')
            disk.pio_write(2000, b'x' * 512)
            self.assertEqual(self.sha(vm, 'off'), sha([(2000 * 512, 1)], 64 * KIB))
            self.assertEqual(self.sha(vm, 'fine'), sha([(2000 * 512, 1)], 512))
            self.assertEqual(self.sha(vm, 'a'), sha(written, 64 * KIB))
            self.merge(vm, 'a', 'fine', {'node': 'd', 'name': 'off'}, 'a')
            self.assertEqual(self.sha(vm, 'a'), sha(written + [(2000 * 512, 1)], 64 * KIB))
            self.merge(vm, 'fine', 'a')
            self.assertEqual(self.all(vm)['fine']['count'], 4 * 64 * KIB)
            self.merge(vm, 'fine')
            vm.qmp('block_resize', **{'node-name': 'n'}, size=2 * BYTES)
            self.assertEqual(self.sha(vm, 'a'), sha(written + [(2000 * 512, 1)], 64 * KIB, 2 * BYTES))
            vm.qmp('block_resize', **{'node-name': 'n'}, size=64 * KIB)
            self.assertEqual(self.sha(vm, 'a'), sha([(0, 1)], 64 * KIB, 64 * KIB))

    def test_errors(self):
        self.image('v2.qcow2', 'compat=0.10')
        self.image('large.qcow2', size=2 * BYTES)
        with self.open(self.image()) as vm:
            for name in ('v2', 'large'):
                vm.qmp('blockdev-add', driver='qcow2', **{'node-name': name},
                       file={'driver': 'file', 'filename': self.path(f'{name}.qcow2'), 'node-name': 'f' + name})
                self.bitmap(vm, 'add', 'x', name)
            self.bitmap(vm, 'add', 'x')
            self.bitmap(vm, 'add', 'n' * 1023)
            long = 'n' * 1024
            for words, *args in (
                    ('Bitmap already exists: x', 'add', 'x'), ('Bitmap name cannot be empty', 'add', ''),
                    ("Cannot find device='z' nor node-name='z'", 'add', 'x', 'z'),
                    (f'Bitmap name too long: {long}', 'add', long), ("Dirty bitmap 'y' not found", 'remove', 'y'),
                    ("Dirty bitmap 'y' not found", 'clear', 'y'), ("Dirty bitmap 'y' not found", 'enable', 'y')):
                self.refused(words, self.bitmap, vm, *args)
            for size in (256, 1000, 0):
                self.refused('Granularity must be power of 2 and at least 512', self.bitmap, vm, 'add', 'y',
                             granularity=size)
            for words, node in (("Can't make bitmap 'y' persistent in 'v2': Cannot store dirty bitmaps in qcow2 v2 files",
                                 'v2'),
                                ("Can't store persistent bitmaps to fv2: Operation not supported", 'fv2')):
                self.refused(words, self.bitmap, vm, 'add', 'y', node, persistent=True)
            for words, target, source, node in (
                    ("Dirty bitmap 'y' not found", 'x', 'y', 'n'), ("Dirty bitmap 'y' not found", 'y', 'x', 'n'),
                    ("Node 'z' not found", 'x', 'x', 'z'), ("Node 'z' not found", 'x', {'node': 'z', 'name': 'x'}, 'n'),
                    (f"Bitmaps are of different sizes (destination size is {BYTES}, source size is {2 * BYTES}) and "
                     "can't be merged", 'x', {'node': 'large', 'name': 'x'}, 'n')):
                self.refused(words, self.merge, vm, target, source, node=node)

    def test_transaction(self):
        with self.open(self.image()) as vm:
            disk = Ide(vm)
            self.bitmap(vm, 'add', 'x')
            disk.pio_write(5, b'x' * 512)

            def act(*steps):
                vm.qmp('transaction', actions=[
                    {'type': kind if kind == 'abort' else f'block-dirty-bitmap-{kind}',
                     'data': {'node': 'n', **data} if data else {}} for kind, data in steps])

            before = self.all(vm)
            x = {'name': 'x'}
            for last in (('abort', None), ('enable', {'name': 'y'})):
                with self.assertRaises(QmpError):
                    act(('add', {'name': 't'}), ('merge', {'target': 't', 'bitmaps': ['x']}), ('clear', x),
                        ('disable', x), ('remove', x), last)
                self.assertEqual(self.all(vm), before)
            act(('add', {'name': 't', 'granularity': 512}), ('merge', {'target': 't', 'bitmaps': ['x']}), ('clear', x))
            self.assertEqual({name: bitmap['count'] for name, bitmap in self.all(vm).items()}, {'x': 0, 't': 64 * KIB})
            act(('remove', x), ('disable', {'name': 't'}))
            self.assertEqual([*self.all(vm)], ['t'])


class Kept(Case):
    def test_until_the_next_time(self):
        path = self.image()
        with self.open(path) as vm:
            for name, more in (('on', {}), ('off', {'disabled': True}), ('fine', {'granularity': 512})):
                self.bitmap(vm, 'add', name, persistent=True, **more)
            self.bitmap(vm, 'add', 'passing')
            Ide(vm).pio_write(200, b'x' * 512)
        self.assertEqual(self.kept(path), {'on': (64 * KIB, 'auto'), 'off': (64 * KIB,), 'fine': (512, 'auto')})
        self.check(path)
        with self.open(path) as vm:
            self.assertEqual({name: (bitmap['recording'], bitmap['persistent'], bitmap['count'])
                              for name, bitmap in self.all(vm).items()},
                             {'on': (True, True, 64 * KIB), 'off': (False, True, 0), 'fine': (True, True, 512)})
            self.assertEqual(self.kept(path)['on'], (64 * KIB, 'auto'))  # nothing was written yet
            Ide(vm).pio_write(4000, b'x' * 512)
            self.assertEqual(self.kept(path)['on'], (64 * KIB, 'in-use', 'auto'))
            self.assertEqual(self.sha(vm, 'fine'), sha([(200 * 512, 1), (4000 * 512, 1)], 512))
            self.bitmap(vm, 'remove', 'off')
        self.assertEqual(self.kept(path), {'on': (64 * KIB, 'auto'), 'fine': (512, 'auto')})
        self.check(path)

    def test_writer_is_killed(self):
        path = self.image()
        with self.open(path) as vm:
            self.bitmap(vm, 'add', 'a', persistent=True)
            self.bitmap(vm, 'add', 'b', persistent=True)
        for writes, is_lost in ((False, False), (True, True)):
            vm = self.open(path).__enter__()
            if writes:
                Ide(vm).pio_write(0, b'x' * 512)
            vm.kill()
            self.assertEqual('in-use' in self.kept(path)['a'], is_lost)
            self.check(path)
        with self.open(path) as vm:
            self.assertEqual(self.all(vm)['a'], {'name': 'a', 'count': 0, 'granularity': 64 * KIB, 'recording': False,
                                                 'busy': False, 'persistent': True, 'inconsistent': True})
            words = "Bitmap 'a' is inconsistent and cannot be used"
            for act in ('clear', 'enable', 'disable'):
                self.refused(words, self.bitmap, vm, act, 'a')
            self.bitmap(vm, 'add', 'c')
            self.refused(words, self.merge, vm, 'c', 'a')
            self.refused(words, self.merge, vm, 'a', 'c')
            self.refused(words, vm.qmp, 'block_resize', **{'node-name': 'n'}, size=2 * BYTES)
            self.bitmap(vm, 'remove', 'a')
        self.assertEqual(self.kept(path), {'b': (64 * KIB, 'in-use', 'auto')})
        run(IMG, 'bitmap', '--remove', path, 'b')
        self.assertEqual(self.kept(path), {})
        self.check(path)

    def test_image_that_stays_as_it_is(self):
        """Below an overlay, or opened read-only, the image has all of them at once."""
        path, other = self.image(), self.path('b.qcow2')
        with self.open(path) as vm:
            disk = Ide(vm)
            self.bitmap(vm, 'add', 'a', persistent=True)
            disk.pio_write(0, b'x' * 512)
            vm.qmp('blockdev-snapshot-sync', **{'node-name': 'n', 'snapshot-file': other, 'snapshot-node-name': 'top',
                                                'format': 'qcow2'})
            self.assertEqual(self.kept(path), {'a': (64 * KIB, 'auto')})
            disk.pio_write(2000, b'x' * 512)
            self.assertEqual(self.all(vm)['a']['count'], 64 * KIB)
            for act in ('clear', 'remove'):
                self.refused("Bitmap 'a' is readonly and cannot be modified", self.bitmap, vm, act, 'a')
        self.check(path)
        with self.open(path) as vm:
            self.assertEqual(self.sha(vm, 'a'), sha([(0, 1)], 64 * KIB))

    def test_snapshot_comes_back(self):
        """What the guest sees may be different everywhere."""
        path = self.image()
        run(IMG, 'snapshot', '-c', 's', path)
        run(IMG, 'bitmap', '--add', path, 'a')
        run(IMG, 'snapshot', '-a', 's', path)
        with self.open(path) as vm:
            self.assertEqual(self.all(vm)['a']['count'], BYTES)
        self.check(path)

    def test_damage(self):
        """Whatever is in the list of bitmaps, or in a table: an error at most."""
        path = self.image(options='cluster_size=512')
        run(IMG, 'bitmap', '--add', '-g', '512', path, 'a')
        with open(path, 'rb') as file:
            good = bytearray(file.read())
        at = good.find(b'\x01\x09\x00\x01') - 16  # type, granularity, length of the name
        table = int.from_bytes(good[at:at + 8], 'big')
        rand = random.Random(1)
        for _ in range(60):
            bad = bytearray(good)
            for _ in range(rand.randrange(1, 4)):
                bad[rand.choice((at + rand.randrange(32), table + rand.randrange(16)))] = rand.choice((0, 1, 255, 128))
            with open(path, 'wb') as file:
                file.write(bad)
            for words in (('info', path), ('bitmap', '--add', path, 'b'), ('check', path)):
                done = subprocess.run([IMG, *words], capture_output=True, check=False)
                self.assertIn(done.returncode, (0, 1, 2, 3), done.stderr)


@unittest.skipUnless(PEER and os.path.exists(PEER_IMG), 'no qemu-system-x86 and qemu-utils')
class Peer(Case):
    VARIANTS = ('', 'cluster_size=512', 'cluster_size=2M', 'extended_l2=on', 'refcount_bits=1', 'lazy_refcounts=on')
    RANGES = [(0, 512), (70 * KIB, 512), (MIB, 512), (BYTES - 512, 512)]

    def add(self, vm):
        for name, more in (('a', {}), ('fine', {'granularity': 512}), ('off', {'disabled': True})):
            self.bitmap(vm, 'add', name, persistent=True, **more)

    def seen(self, binary, path):
        with self.open(path, binary) as vm:
            return {name: (self.sha(vm, name), bitmap['recording']) for name, bitmap in self.all(vm).items()}

    def test_reads_ours(self):
        for options in self.VARIANTS:
            with self.subTest(options=options):
                path = self.image(options=options)
                with self.open(path) as vm:
                    self.add(vm)
                    for start, _ in self.RANGES:
                        Ide(vm).pio_write(start // 512, b'x' * 512)
                self.check(path)
                ours, peers = self.seen(house.binary(), path), self.seen(PEER, path)
                self.assertEqual(ours, peers)
                self.assertEqual(ours['fine'], (sha(self.RANGES, 512), True))
                self.check(path)

    def test_writes_for_us(self):
        for options in self.VARIANTS:
            with self.subTest(options=options):
                path = self.image(options=options)
                with self.open(path, PEER) as vm:
                    self.add(vm)
                    for start, length in self.RANGES:
                        vm.qmp.hmp(f'qemu-io d "write {start} {length}"')
                ours = self.seen(house.binary(), path)
                self.assertEqual(ours['fine'], (sha(self.RANGES, 512), True))
                self.assertEqual(ours, self.seen(PEER, path))
                with self.open(path) as vm:
                    Ide(vm).pio_write(5000, b'x' * 512)
                self.check(path)
                self.assertEqual(self.seen(PEER, path)['fine'][0], sha([*self.RANGES, (5000 * 512, 1)], 512))

    def test_copies(self):
        path, copy = self.image(), self.path('copy.qcow2')
        with self.open(path) as vm:
            self.add(vm)
            Ide(vm).pio_write(3000, b'x' * 512)
        for maker in (IMG, PEER_IMG):
            run(maker, 'convert', '--bitmaps', '-O', 'qcow2', path, copy)
            self.check(copy)
            self.assertEqual(self.kept(copy), self.kept(path))
            self.assertEqual(self.seen(house.binary(), copy), self.seen(PEER, path))
            run(maker, 'bitmap', '--merge', 'fine', '-b', path, copy, 'off')
            self.assertEqual(self.seen(PEER, copy)['off'][0], sha([(3000 * 512, 1)], 64 * KIB))
        self.assertEqual(*(run(img, 'measure', '-O', 'qcow2', path) for img in (IMG, PEER_IMG)))


if __name__ == '__main__':
    house.main()
