# SPDX-License-Identifier: GPL-2.0-or-later
"""qemu-img beside the peer's: each makes images, the other checks, reads, converts and maps them."""
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest


OURS = os.path.join(os.environ['BINARIES'], 'qemu-img')
PEER = '/usr/bin/qemu-img'
PEER_IO = '/usr/bin/qemu-io'
MIB = 1 << 20
BYTES = 6 * MIB + 512
KILLS = 6

VARIANTS = [
    '', 'compat=0.10', 'cluster_size=512', 'cluster_size=4k,refcount_bits=1', 'cluster_size=2M',
    'refcount_bits=64', 'refcount_bits=8,cluster_size=1k', 'extended_l2=on',
    'extended_l2=on,cluster_size=16k', 'lazy_refcounts=on', 'compression_type=zstd',
    'preallocation=metadata', 'preallocation=falloc', 'preallocation=full',
]


def run(*words, status=0, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    assert done.returncode == status, f'{words}: {done.returncode}\n{done.stdout}{done.stderr}'
    return done.stdout


def content(seed, size):
    """Data, zeroes and what compresses well, in pieces that are no clusters."""
    rand, data = random.Random(seed), bytearray()
    while len(data) < size:
        step = rand.randrange(1, 200000)
        data += rand.choice([rand.randbytes(step), bytes(step),
                             bytes([rand.randrange(256)]) * step])
    return bytes(data[:size])


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='images-')
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)

    def make_raw(self, name, seed=1, size=BYTES):
        data = content(seed, size)
        with open(name, 'wb') as out:
            out.write(data)
        return data

    def read(self, img, name, *more):
        """What the image shows."""
        run(img, 'convert', '-O', 'raw', *more, name, 'read.raw')
        with open('read.raw', 'rb') as data:
            return data.read()

    def check(self, name):
        for img in (OURS, PEER):
            run(img, 'check', '-q', name)

    def same_map(self, name):
        ours, peers = (json.loads(run(img, 'map', '--output=json', name)) for img in (OURS, PEER))
        for entry in ours + peers:
            entry.pop('compressed', None)
        self.assertEqual(ours, peers)

    def same_info(self, name):
        ours, peers = (json.loads(run(img, 'info', '--output=json', '--backing-chain', name))
                       for img in (OURS, PEER))
        self.assertEqual(ours, peers)


@unittest.skipUnless(shutil.which(PEER) and shutil.which(PEER_IO), 'no qemu-utils')
class Formats(Case):
    def formats(self, maker, taker):
        for options in VARIANTS:
            with self.subTest(options=options, maker=maker):
                data = self.make_raw('in.raw')
                run(maker, 'convert', '-f', 'raw', '-O', 'qcow2', *(['-o', options] if options
                                                                     else []), 'in.raw', 'a.qcow2')
                self.check('a.qcow2')
                self.same_map('a.qcow2')
                self.same_info('a.qcow2')
                self.assertTrue(self.read(taker, 'a.qcow2') == data)
                run(taker, 'compare', 'in.raw', 'a.qcow2')

    def test_ours(self):
        self.formats(OURS, PEER)

    def test_peers(self):
        self.formats(PEER, OURS)

    def test_compressed(self):
        for maker, taker in ((OURS, PEER), (PEER, OURS)):
            for options in ('compression_type=zlib', 'compression_type=zstd',
                            'cluster_size=4k', 'cluster_size=2M', 'extended_l2=on'):
                with self.subTest(options=options, maker=maker):
                    data = self.make_raw('in.raw')
                    run(maker, 'convert', '-c', '-O', 'qcow2', '-o', options, 'in.raw', 'a.qcow2')
                    self.check('a.qcow2')
                    self.assertTrue(self.read(taker, 'a.qcow2') == data)

    def test_empty_images(self):
        """Only the layout may differ."""
        for options in VARIANTS:
            for size in ('0', '512', '1G', '70G'):
                if size == '70G' and ('prealloc' in options or '512' in options or '1k' in options):
                    continue
                if size == '1G' and re.search('falloc|full', options):
                    continue
                with self.subTest(options=options, size=size):
                    words = ['create', '-f', 'qcow2', *(['-o', options] if options else [])]
                    mine, theirs = (run(img, *words, 'a.qcow2', size) for img in (OURS, PEER))
                    self.assertEqual(mine, theirs)
                    run(OURS, *words, 'a.qcow2', size)
                    self.check('a.qcow2')
                    self.same_map('a.qcow2')
                    self.same_info('a.qcow2')

    def test_data_file(self):
        for maker, taker in ((OURS, PEER), (PEER, OURS)):
            for raw in ('off', 'on'):
                with self.subTest(maker=maker, raw=raw):
                    data = self.make_raw('in.raw')
                    run(maker, 'convert', '-O', 'qcow2', '-o',
                        f'data_file=data.raw,data_file_raw={raw}', 'in.raw', 'a.qcow2')
                    self.check('a.qcow2')
                    self.same_map('a.qcow2')
                    self.assertTrue(self.read(taker, 'a.qcow2') == data)
                    if raw == 'on':
                        with open('data.raw', 'rb') as file:
                            self.assertTrue(file.read()[:BYTES] == data)

    def test_names_below(self):
        """Who names a file names no driver, however deep it lies; but of a backing file."""
        self.make_raw('in.raw')
        run(OURS, 'convert', '-O', 'qcow2', 'in.raw', 'a.qcow2')
        for source in ('driver=raw,file.driver=qcow2,file.file.filename=a.qcow2',
                       'driver=qcow2,file.driver=raw,file.file.filename=a.qcow2',
                       'driver=blkdebug,image.filename=in.raw',
                       'driver=blkdebug,image.driver=raw,image.file.filename=in.raw'):
            for img in (OURS, PEER):
                run(img, 'compare', '--image-opts', source, 'driver=raw,file.filename=in.raw')
        for img in (OURS, PEER):
            run(img, 'compare', 'in.raw',
                'json:{"driver":"raw","file":{"driver":"qcow2","file":{"filename":"a.qcow2"}}}')
            for source in ('driver=raw,file.file.filename=in.raw',
                           'driver=qcow2,file.filename=a.qcow2,backing.filename=in.raw'):
                run(img, 'info', '--image-opts', source, status=1)

    def test_objects(self):
        """Groups of limits for nodes of --image-opts; both programs refuse the same."""
        data = self.make_raw('in.raw')
        source = 'driver=throttle,throttle-group=g,file.driver=raw,file.file.filename=in.raw'
        for img in (OURS, PEER):
            for limits in ('throttle-group,id=g,x-bps-total=100000000000', 'throttle-group,id=g',
                           '{"qom-type":"throttle-group","id":"g","limits":{"iops-total":1000000}}'):
                run(img, 'convert', '--object', limits, '--image-opts', '-O', 'qcow2', source, 'a.qcow2')
                self.assertTrue(self.read(img, 'a.qcow2') == data)
            for words, why in ((['--object', 'throttle-group,id=h'], "Throttle group 'g' does not exist"),
                               (['--object', 'throttle-group,id=g,x-bps-total-max=5'], 'require corresponding'),
                               (['--object', 'nothing,id=g'], 'nothing')):
                done = subprocess.run([img, 'convert', *words, '--image-opts', '-O', 'raw', source, 'b.raw'],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(why, done.stderr)

    def test_data_file_elsewhere(self):
        """Its name counts from where the process is, not from where the image is."""
        os.mkdir('folder')
        for maker, taker in ((OURS, PEER), (PEER, OURS)):
            run(maker, 'create', '-q', '-f', 'qcow2', '-o', 'data_file=data.raw',
                'folder/a.qcow2', '1M')
            self.assertTrue(os.path.exists('data.raw'))
            self.assertTrue(self.read(taker, 'folder/a.qcow2') == bytes(MIB))

    def test_measure(self):
        self.make_raw('in.raw')
        run(OURS, 'convert', '-O', 'qcow2', 'in.raw', 'a.qcow2')
        for options in VARIANTS:
            for what in (['--size', '512'], ['--size', '3T'], ['a.qcow2'], ['-f', 'raw', 'in.raw']):
                if '3T' in what and re.search('512|1k', options):
                    what = ['--size', '5G']
                words = ['measure', '-O', 'qcow2', *(['-o', options] if options else []), *what]
                with self.subTest(words=words):
                    self.assertEqual(run(OURS, *words), run(PEER, *words))


class Chains(Case):
    def chain(self, maker):
        base, top = self.make_raw('base.raw', 2, 4 * MIB), bytearray(content(3, BYTES))
        run(maker, 'create', '-q', '-f', 'qcow2', '-b', 'base.raw', '-F', 'raw', 'mid.qcow2')
        run(maker, 'create', '-q', '-f', 'qcow2', '-b', 'mid.qcow2', '-F', 'qcow2', 'top.qcow2',
            str(BYTES))
        shown = bytearray(base) + bytearray(BYTES - len(base))
        for name, at, size in (('mid.qcow2', MIB + 1000, 300000), ('mid.qcow2', 0, 4096),
                               ('top.qcow2', MIB + 200000, 300000), ('top.qcow2', 5 * MIB, 70000)):
            with open('piece', 'wb') as out:
                out.write(top[at:at + size])
            run(PEER_IO, '-f', 'qcow2', '-c', f'write -s piece {at} {size}', name)
            shown[at:at + size] = top[at:at + size]
        return bytes(shown)

    def test_read(self):
        for maker in (OURS, PEER):
            shown = self.chain(maker)
            self.assertTrue(self.read(OURS, 'top.qcow2') == shown)
            self.same_map('top.qcow2')
            self.same_info('top.qcow2')

    def test_rebase(self):
        for target in ('base.raw', 'other.raw', ''):
            with self.subTest(target=target):
                shown = self.chain(OURS)
                self.make_raw('other.raw', 9, 5 * MIB)
                run(OURS, 'rebase', '-b', target, *(['-F', 'raw'] if target else []), 'top.qcow2')
                self.check('top.qcow2')
                self.assertTrue(self.read(PEER, 'top.qcow2') == shown)
        info = json.loads(run(OURS, 'info', '--output=json', 'top.qcow2'))
        self.assertNotIn('backing-filename', info)

    def test_commit(self):
        for words in ([], ['-d'], ['-b', 'base.raw']):
            with self.subTest(words=words):
                shown = self.chain(OURS)
                run(OURS, 'commit', '-q', *words, 'top.qcow2')
                self.check('top.qcow2')
                self.check('mid.qcow2')
                self.assertTrue(self.read(PEER, 'top.qcow2') == shown)
                below = 'base.raw' if '-b' in words else 'mid.qcow2'
                got = self.read(PEER, below, '-f', 'raw' if below == 'base.raw' else 'qcow2')
                self.assertTrue(got == shown)
                entries = json.loads(run(PEER, 'map', '--output=json', 'top.qcow2'))
                self.assertEqual(any(entry['depth'] == 0 for entry in entries), bool(words))

    def test_convert_with_backing(self):
        shown = self.chain(PEER)
        run(OURS, 'convert', '-O', 'qcow2', '-B', 'mid.qcow2', '-F', 'qcow2', 'top.qcow2',
            'copy.qcow2')
        self.check('copy.qcow2')
        self.assertTrue(self.read(PEER, 'copy.qcow2') == shown)
        entries = json.loads(run(PEER, 'map', '--output=json', 'copy.qcow2'))
        self.assertTrue(any(entry['depth'] == 2 for entry in entries))

    def test_loop(self):
        """Images that name each other are told of."""
        run(OURS, 'create', '-q', '-u', '-f', 'qcow2', '-b', 'b.qcow2', '-F', 'qcow2', 'a.qcow2',
            '1M')
        run(OURS, 'create', '-q', '-u', '-f', 'qcow2', '-b', 'a.qcow2', '-F', 'qcow2', 'b.qcow2',
            '1M')
        run(OURS, 'info', '--backing-chain', 'a.qcow2', status=1)
        run(OURS, 'map', 'a.qcow2', status=1)


class Changes(Case):
    def test_snapshots(self):
        """The peer writes, we keep and bring back."""
        for options in ('', 'compat=0.10', 'cluster_size=4k', 'extended_l2=on'):
            with self.subTest(options=options):
                self.make_raw('in.raw')
                run(OURS, 'convert', '-O', 'qcow2', *(['-o', options] if options else []),
                    'in.raw', 'a.qcow2')
                kept = {}
                for i in range(4):
                    run(PEER_IO, '-f', 'qcow2', '-c', f'write -P {i + 1} {i * 700000} 900000',
                        'a.qcow2')
                    kept[f's{i}'] = self.read(PEER, 'a.qcow2')
                    run((OURS, PEER)[i % 2], 'snapshot', '-c', f's{i}', 'a.qcow2')
                    self.check('a.qcow2')
                for name in ('s2', 's0', 's3', 's1'):
                    self.assertTrue(self.read(OURS, 'a.qcow2', '-l', name) == kept[name])
                    run(OURS, 'snapshot', '-a', name, 'a.qcow2')
                    self.check('a.qcow2')
                    self.assertTrue(self.read(PEER, 'a.qcow2') == kept[name])
                    run(OURS, 'snapshot', '-d', name, 'a.qcow2')
                    self.check('a.qcow2')

    def test_resize(self):
        for options in ('', 'cluster_size=512', 'extended_l2=on'):
            data = self.make_raw('in.raw')
            run(OURS, 'convert', '-O', 'qcow2', *(['-o', options] if options else []), 'in.raw',
                'a.qcow2')
            for size in (3 * MIB, 100 * MIB, MIB + 512, 9 * MIB):
                run(OURS, 'resize', '-q', '--shrink', 'a.qcow2', str(size))
                self.check('a.qcow2')
                data = data[:size] + bytes(max(size - len(data), 0))
                self.assertTrue(self.read(PEER, 'a.qcow2') == data)

    def test_amend(self):
        data = self.make_raw('in.raw')
        run(PEER, 'convert', '-O', 'qcow2', '-o', 'compat=0.10', 'in.raw', 'a.qcow2')
        for options in ('compat=1.1', 'lazy_refcounts=on', 'lazy_refcounts=off', 'compat=0.10'):
            run(OURS, 'amend', '-f', 'qcow2', '-o', options, 'a.qcow2')
            self.check('a.qcow2')
            self.same_info('a.qcow2')
            self.assertTrue(self.read(PEER, 'a.qcow2') == data)

    def test_repair(self):
        """Counts of the first clusters are lost."""
        data = self.make_raw('in.raw')
        run(PEER, 'convert', '-O', 'qcow2', 'in.raw', 'a.qcow2')
        with open('a.qcow2', 'r+b') as image:
            image.seek(2 * 65536)
            image.write(bytes(40))
        run(OURS, 'check', '-q', 'a.qcow2', status=2)
        run(OURS, 'check', '-q', '-r', 'all', 'a.qcow2')
        self.check('a.qcow2')
        self.assertTrue(self.read(PEER, 'a.qcow2') == data)


class Kills(Case):
    """Whatever moment the process ends at, the image is good, but for clusters it lost."""

    def kill(self, seconds, *words):
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            time.sleep(seconds)
            child.send_signal(signal.SIGKILL)
        done = subprocess.run([PEER, 'check', words[-1]], capture_output=True, text=True,
                              check=False)
        self.assertIn(done.returncode, (0, 3), done.stdout + done.stderr)

    # What an image goes through, and may be killed at: it shows what it did, or what it was to show.
    ACTS = {
        'snapshot': 'snapshot -c s a.qcow2', 'apply': 'snapshot -a first a.qcow2',
        'delete': 'snapshot -d first a.qcow2', 'bitmap': 'bitmap --add -g 512 a.qcow2 x',
        'commit': 'commit -d a.qcow2', 'rebase': 'rebase -b -- a.qcow2',
        'amend': 'amend -o compat=1.1,lazy_refcounts=on a.qcow2',
        'grow': 'resize --preallocation=metadata a.qcow2 64M',
    }
    VERSIONS = ('compat=0.10', 'cluster_size=4k', 'lazy_refcounts=on', 'extended_l2=on')

    def killed_at(self, words, limit):
        """True: it came to the end before one of its files had so many bytes."""
        done = subprocess.run([OURS, *words], capture_output=True, check=False, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertIn(done.returncode, (0, -signal.SIGXFSZ), done.stderr)
        return done.returncode == 0

    def make_chain(self, options):
        run(OURS, 'create', '-q', '-f', 'qcow2', '-o', options, 'base.qcow2', '8M')
        run(OURS, 'bench', '-w', '-c', '10', '-s', '65536', '--pattern', '1', 'base.qcow2')
        run(OURS, 'create', '-q', '-f', 'qcow2', '-o', options, '-b', 'base.qcow2', '-F', 'qcow2', 'a.qcow2')
        run(OURS, 'bench', '-w', '-c', '10', '-s', '65536', '-S', '200k', '--pattern', '2', 'a.qcow2')
        run(OURS, 'snapshot', '-c', 'first', 'a.qcow2')
        run(OURS, 'bench', '-w', '-c', '5', '-s', '4096', '--pattern', '3', 'a.qcow2')

    def check_killed(self, name, before, may_show):
        done = subprocess.run([PEER, 'check', 'a.qcow2'], capture_output=True, text=True, check=False)
        dirty = 'lazy' in name or 'apply' in name or 'delete' in name or 'snapshot' in name or 'amend' in name
        self.assertIn(done.returncode, (0, 3, 2) if dirty else (0, 3), done.stdout + done.stderr)
        run(OURS, 'check', '-q', '-r', 'all', 'a.qcow2')
        self.check('a.qcow2')
        if before is not None:
            self.assertIn(self.read(OURS, 'a.qcow2')[:len(before)], may_show)

    def test_operations(self):
        for options in self.VERSIONS:
            self.make_chain(options)
            for image in ('a', 'base'):
                os.replace(f'{image}.qcow2', f'{image}.good')
            shutil.copy('base.good', 'base.qcow2')
            shutil.copy('a.good', 'a.qcow2')
            before = self.read(OURS, 'a.qcow2')
            for name, line in self.ACTS.items():
                if 'compat=0.10' in options and name in ('bitmap', 'amend', 'grow'):
                    continue
                with self.subTest(options=options, act=name):
                    self.sweep(f'{name} {options}', ['' if word == '--' else word for word in line.split()], before)

    def sweep(self, name, words, before):
        is_kept = not name.startswith('apply')
        start = max(os.path.getsize(image) for image in ('a.good', 'base.good'))
        for n in range(8):
            for image in ('a', 'base'):
                shutil.copy(f'{image}.good', f'{image}.qcow2')
            is_over = self.killed_at(words, start + 4096 * (n * n + n))
            self.check_killed(name, before if is_kept else None, (before,))
            if is_over:
                break

    def test_writes(self):
        for i in range(KILLS):
            options = ('cluster_size=64k', 'cluster_size=512', 'extended_l2=on')[i % 3]
            run(OURS, 'create', '-q', '-f', 'qcow2', '-o', options, 'a.qcow2', '256M')
            self.kill(0.05 + 0.03 * i, OURS, 'bench', '-w', '-c', '1000000', '-S', '69632',
                      '--flush-interval=64', '-f', 'qcow2', 'a.qcow2')
            run(OURS, 'bench', '-w', '-c', '50', '-f', 'qcow2', 'a.qcow2')
            run(OURS, 'check', '-r', 'leaks', '-q', 'a.qcow2')
            self.check('a.qcow2')


if __name__ == '__main__':
    unittest.main(verbosity=2)
