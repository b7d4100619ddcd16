# SPDX-License-Identifier: GPL-2.0-or-later
"""blockdev-reopen: nodes get other flags, options and children while a guest uses them; all or none."""
import fcntl
import os
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from ata import Ide  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

IMG = os.path.join(os.environ['BINARIES'], 'qemu-img')
BYTES = 1 << 20
GROUPS = [word for name in ('g0', 'g1') for word in ('-object', f'throttle-group,id={name},x-iops-total=100000')]
DIRECT, CACHED = {'cache': {'direct': True}}, {'cache': {'no-flush': True}}
RO, RW = {'read-only': True}, {'read-only': False}


def node(driver, name, file=None, **more):
    more = {key.replace('_', '-'): value for key, value in more.items()}
    return {'driver': driver, 'node-name': name, **({'file': file} if file else {}), **more}


class Reopen(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def image(self, name, *options, size=BYTES):
        subprocess.run([IMG, 'create', '-q', '-f', name.rpartition('.')[2], *options, self.path(name), str(size)],
                       check=True)
        return self.path(name)

    def file(self, image, name=None, **more):
        return {'driver': 'file', 'filename': self.path(image), **({'node-name': name} if name else {}), **more}

    def machine(self, *args):
        vm = Vm(house.binary(), '-M', 'pc', '-nodefaults', *GROUPS, *args, qtest=True)
        self.addCleanup(vm.__exit__, None, None, None)
        return vm.__enter__()

    def add(self, vm, *nodes):
        for options in nodes:
            vm.qmp('blockdev-add', **options)

    def reopen(self, vm, *nodes):
        vm.qmp('blockdev-reopen', options=list(nodes))

    def refused(self, vm, words, *nodes):
        before = self.state(vm)
        with self.assertRaises(QmpError) as caught:
            self.reopen(vm, *nodes)
        self.assertEqual(caught.exception.desc, words)
        self.assertEqual(self.state(vm), before)

    def state(self, vm):
        return {info['node-name']: info for info in vm.qmp('query-named-block-nodes')}

    def flags(self, vm, name):
        info = self.state(vm)[name]
        return ''.join(letter for letter, is_on in (
            ('r', info['ro']), ('d', info['cache']['direct']), ('u', info['cache']['no-flush']),
            ('z', info['detect_zeroes'] != 'off')) if is_on)

    def backing(self, vm, name):
        return os.path.basename(self.state(vm)[name].get('backing_file', ''))

    def test_flags(self):
        self.image('a.qcow2')
        vm = self.machine()
        self.add(vm, self.file('a.qcow2', 'f'), node('qcow2', 'q', 'f'))
        for more, flags in ((RO, 'r'), (RW, ''), ({}, ''), (DIRECT, 'd'), (CACHED, 'u'),
                            ({'detect-zeroes': 'on'}, 'z'), ({'detect-zeroes': 'unmap', 'discard': 'unmap'}, 'z'),
                            ({'lazy-refcounts': True, 'l2-cache-size': 65536, 'overlap-check': 'none'}, '')):
            self.reopen(vm, node('qcow2', 'q', 'f', **more))
            self.assertEqual(self.flags(vm, 'q'), flags, more)
            self.assertEqual(self.flags(vm, 'f'), '')  # a node of its own
        self.reopen(vm, self.file('a.qcow2', 'f', **DIRECT))
        self.assertEqual(self.flags(vm, 'f'), 'd')

    def test_flags_go_down_to_what_was_made_with_it(self):
        self.image('a.qcow2')
        vm = self.machine('-drive', f"file={self.image('b.raw')},format=raw,if=none,id=d,node-name=r")
        self.add(vm, node('qcow2', 'q', self.file('a.qcow2', 'f')))
        for file in ('f', self.file('a.qcow2', 'f'), self.file('a.qcow2')):
            for more, flags in ((RO, 'r'), (DIRECT, 'd'), (RW, '')):
                self.reopen(vm, node('qcow2', 'q', file, **more))
                self.assertEqual((self.flags(vm, 'q'), self.flags(vm, 'f')), (flags, flags))
        self.reopen(vm, node('qcow2', 'q', self.file('a.qcow2', **CACHED)))
        self.assertEqual((self.flags(vm, 'q'), self.flags(vm, 'f')), ('', 'u'))
        below = next(name for name in self.state(vm) if name.startswith('#'))
        self.reopen(vm, node('raw', 'r', below, **RO))
        self.assertEqual((self.flags(vm, 'r'), self.flags(vm, below)), ('r', 'r'))

    def test_what_cannot_be(self):
        for name in ('a.qcow2', 'b.qcow2', 'c.raw'):
            self.image(name)
        vm = self.machine()
        self.image('d.qcow2', size=2 * BYTES)
        self.add(vm, self.file('a.qcow2', 'f'), node('qcow2', 'q', 'f'), self.file('d.qcow2', 'fb'),
                 self.file('c.raw', 'c'), node('raw', 'r', 'c'),
                 node('throttle', 't', 'r', throttle_group='g0'), node('null-co', 'n', size=1024))
        for words, options in (
                ('node-name not specified', {'driver': 'qcow2', 'file': 'f'}),
                ("Failed to find node with node-name='x'", node('qcow2', 'x', 'f')),
                ("Cannot change the option 'driver'", node('raw', 'q', 'f')),
                ("Parameter 'options[0].file' is missing", node('qcow2', 'q')),
                ("Cannot find device='' nor node-name='x'", node('qcow2', 'q', 'x')),
                ("Cannot change the option 'file.driver'", node('qcow2', 'q', self.file('a.qcow2'))),
                ("Cannot change the option 'filename'", self.file('b.qcow2', 'f')),
                ("Read-only block node 'f' cannot support read-write users", self.file('a.qcow2', 'f', **RO)),
                ("Cannot change the option 'locking'", self.file('a.qcow2', 'f', locking='off')),
                ("Cannot change the option 'aio'", self.file('a.qcow2', 'f', aio='threads')),
                ("Cannot change the option 'force-share'", node('qcow2', 'q', 'f', force_share=True, **RO)),
                ("Cannot change the option 'data-file'", node('qcow2', 'q', 'f', data_file='c')),
                ('setting detect-zeroes to unmap is not allowed without setting discard operation to unmap',
                 node('qcow2', 'q', 'f', detect_zeroes='unmap')),
                ('L2 cache entry size must be a power of two between 512 and the cluster size (65536)',
                 node('qcow2', 'q', 'f', l2_cache_entry_size=1000)),
                ('cache-size, l2-cache-size and refcount-cache-size may not be set at the same time',
                 node('qcow2', 'q', 'f', cache_size=1, l2_cache_size=65536, refcount_cache_size=65536)),
                ("Making 'q' a backing child of 'q' would create a cycle", node('qcow2', 'q', 'f', backing='q')),
                ("Cannot change the option 'backing.driver'", node('qcow2', 'q', 'f', backing={'driver': 'null-co'})),
                ("Node 'fb' has another image than 'q'", node('qcow2', 'q', 'fb')),
                ("Specified size is not multiple of 512", node('raw', 'r', 'c', size=100)),
                (f'The sum of offset (512) and size ({BYTES}) has to be smaller or equal to the actual size of the '
                 f'containing file ({BYTES})', node('raw', 'r', 'c', offset=512, size=BYTES)),
                ("Throttle group 'x' does not exist", node('throttle', 't', 'r', throttle_group='x')),
                ("Cannot change the option 'size'", node('null-co', 'n', size=2048))):
            self.refused(vm, words, options)
        self.reopen(vm)  # nothing

    def test_all_or_none(self):
        for name in ('a.qcow2', 'b.qcow2'):
            self.image(name)
        vm = self.machine()
        self.add(vm, self.file('a.qcow2', 'fa'), node('qcow2', 'a', 'fa'), self.file('b.qcow2', 'fb'),
                 node('qcow2', 'b', 'fb'), node('throttle', 't', 'a', throttle_group='g0'))
        fine = (node('qcow2', 'a', 'fa', **RO), self.file('a.qcow2', 'fa', **RO),
                node('throttle', 't', 'b', throttle_group='g1'), node('qcow2', 'b', 'fb', backing='a', **DIRECT))
        for words, bad in (("Failed to find node with node-name='x'", node('qcow2', 'x', 'fa')),
                           ("Making 'b' a backing child of 'a' would create a cycle",
                            node('qcow2', 'a', 'fa', backing='b')),
                           ("Permission conflict on node 'fa': permissions 'write, resize' are both required by node "
                            "'b' (uses node 'fa' as 'file' child) and unshared by node 'a' (uses node 'fa' as 'file' "
                            "child).", node('qcow2', 'b', 'fa', backing='a')),
                           ('L2 cache entry size must be a power of two between 512 and the cluster size (65536)',
                            node('qcow2', 'a', 'fa', l2_cache_entry_size=1, **RO))):
            self.refused(vm, words, *fine, bad)
        self.reopen(vm, *fine)
        self.assertEqual([self.flags(vm, name) for name in ('a', 'fa', 'b', 'fb')], ['r', 'r', 'd', ''])
        self.assertEqual(self.backing(vm, 'b'), 'a.qcow2')

    def test_two_change_places(self):
        """Each step alone would be refused."""
        for name in ('a.raw', 'b.raw'):
            self.image(name)
        vm = self.machine()
        self.add(vm, self.file('a.raw', 'fa'), self.file('b.raw', 'fb'), node('raw', 'a', 'fa', size=512),
                 node('raw', 'b', 'fb', size=1024))
        self.reopen(vm, node('raw', 'a', 'fb', size=1024), node('raw', 'b', 'fa', size=2048))
        files = {name: os.path.basename(info['file']) for name, info in self.state(vm).items()}
        self.assertEqual((files['a'], files['b']), ('b.raw', 'a.raw'))
        sizes = {name: info['image']['virtual-size'] for name, info in self.state(vm).items()}
        self.assertEqual((sizes['a'], sizes['b']), (1024, 2048))

    def test_backing(self):
        for name in ('a.qcow2', 'b.qcow2', 'c.qcow2'):
            self.image(name)
        vm = self.machine()
        self.add(vm, *(node('qcow2', name, self.file(f'{name}.qcow2', f'f{name}')) for name in 'abc'))
        self.reopen(vm, node('qcow2', 'a', 'fa', backing='b'))
        self.assertEqual(self.backing(vm, 'a'), 'b.qcow2')
        self.refused(vm, "backing is missing for 'a'", node('qcow2', 'a', 'fa'))
        self.refused(vm, "Making 'a' a backing child of 'b' would create a cycle", node('qcow2', 'b', 'fb', backing='a'))
        self.reopen(vm, node('qcow2', 'a', 'fa', backing=None), node('qcow2', 'b', 'fb', backing='a'))
        self.assertEqual((self.backing(vm, 'a'), self.backing(vm, 'b')), ('', 'a.qcow2'))
        self.reopen(vm, node('qcow2', 'b', 'fb', backing='c'))
        self.assertEqual(self.backing(vm, 'b'), 'c.qcow2')

    def test_name_of_what_is_behind(self):
        for name in ('a.qcow2', 'b.qcow2', 'c.qcow2', 'd.raw'):
            self.image(name)
        vm = self.machine()
        self.add(vm, node('qcow2', 'a', self.file('a.qcow2')),
                 node('qcow2', 'b', self.file('b.qcow2', 'fb'), backing='a', **RO),
                 node('qcow2', 'c', self.file('c.qcow2'), backing='b'), node('raw', 'd', self.file('d.raw')))

        def change(device, image):
            vm.qmp('change-backing-file', device=device, **{'image-node-name': image, 'backing-file': 'other.img'})

        for device, image, words in (('x', 'c', "Cannot find device='x' nor node-name='x'"),
                                     ('c', 'x', "Cannot find device='' nor node-name='x'"),
                                     ('d', 'c', "'d' and image file are not in the same chain"),
                                     ('c', 'a', 'not allowing backing file change on an image without a backing file')):
            with self.assertRaises(QmpError) as caught:
                change(device, image)
            self.assertEqual(caught.exception.desc, words)
        for image, flags in (('c', ''), ('b', 'r')):
            change('c', image)
            self.assertEqual((self.flags(vm, image), self.flags(vm, 'fb')), (flags, 'r'))
        vm.end()
        for image in ('b', 'c'):
            told = subprocess.run([IMG, 'info', self.path(f'{image}.qcow2')], capture_output=True, text=True, check=True)
            self.assertIn('backing file: other.img', told.stdout)

    def test_guest_goes_on(self):
        """A disk in use: its data stays where it belongs through all changes."""
        path = self.image('a.qcow2')
        vm = self.machine('-blockdev', f'driver=file,filename={path},node-name=f,auto-read-only=on', '-blockdev',
                          'driver=qcow2,file=f,node-name=q', '-device', 'ide-hd,drive=q,bus=ide.0')
        disk = Ide(vm)
        self.add(vm, node('throttle', 't', 'f', throttle_group='g0'))
        changes = ([self.file('a.qcow2', 'f', **DIRECT)], [node('qcow2', 'q', 'f', lazy_refcounts=True)],
                   [node('qcow2', 'q', 't')], [self.file('a.qcow2', 'f')],
                   [node('qcow2', 'q', 'f', l2_cache_entry_size=4096, **DIRECT)],
                   [node('qcow2', 'q', 't'), node('throttle', 't', 'f', throttle_group='g1')])
        for count, nodes in enumerate(changes):
            disk.pio_write(count * 200, bytes([count + 1]) * 512)
            self.reopen(vm, *nodes)
            for n in range(count + 1):
                self.assertEqual(disk.pio_read(n * 200), bytes([n + 1]) * 512, (count, n))
        self.refused(vm, "Read-only block node 'q' cannot support read-write users", node('qcow2', 'q', 't', **RO))
        vm.end()
        subprocess.run([IMG, 'check', '-q', path], check=True)

    def locks(self, path):
        """Bytes of the image that somebody else holds."""
        with open(path, 'rb+') as file:
            held = []
            for byte in range(100, 204):
                asked = struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
                kind = struct.unpack('hhqqi4x', fcntl.fcntl(file, fcntl.F_OFD_GETLK, asked))[0]
                held += [byte] if kind != fcntl.F_UNLCK else []
        return held

    def test_locks(self):
        path = self.image('a.raw')
        vm = self.machine()
        self.add(vm, node('raw', 'r', self.file('a.raw', 'f')), )
        vm.qmp('device_add', driver='virtio-blk-pci', drive='r', id='d')
        writing = self.locks(path)
        self.assertIn(101, writing)
        self.reopen(vm, node('raw', 'r', 'f', **DIRECT))
        self.assertEqual(self.locks(path), writing)
        vm.qmp('device_del', id='d')
        vm.qmp('system_reset')
        self.reopen(vm, node('raw', 'r', 'f', **CACHED))

    def test_what_a_file_cannot(self):
        """A file that is gone cannot be opened in another way; what was open still is."""
        path = self.image('a.raw')
        vm = self.machine('-blockdev', f'driver=file,filename={path},node-name=f', '-device', 'ide-hd,drive=f,bus=ide.0')
        disk = Ide(vm)
        disk.pio_write(1, b'a' * 512)
        os.unlink(path)
        self.refused(vm, f"Could not reopen '{path}': No such file or directory", self.file('a.raw', 'f', **DIRECT))
        self.assertEqual(disk.pio_read(1), b'a' * 512)


if __name__ == '__main__':
    house.main()
