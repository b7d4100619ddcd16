# SPDX-License-Identifier: GPL-2.0-or-later
"""Images as clients handle them: nodes, drives, sizes, locks shared with the peer, and flash."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from ata import Ide  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

MIB = 1 << 20
PEER = shutil.which('qemu-system-x86_64')
BOARD = ['-M', 'pc', '-nodefaults']


class Blocks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def image(self, name, size=4 * MIB):
        path = os.path.join(self.folder.name, name)
        with open(path, 'wb') as file:
            file.truncate(size)
        return path

    def refused(self, words, *args):
        done = subprocess.run([house.binary(), '-display', 'none', *args], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(words, done.stderr)

    def fails(self, vm, words, command, **args):
        with self.assertRaises(QmpError) as caught:
            vm.qmp(command, **args)
        self.assertIn(words, caught.exception.desc)

    def test_nodes_come_and_go(self):
        path = self.image('a')
        with Vm(house.binary(), *BOARD, qtest=True) as vm:
            vm.qmp('blockdev-add', driver='file', filename=path, **{'node-name': 'f'})
            vm.qmp('blockdev-add', driver='raw', file='f', **{'node-name': 'r'})
            self.fails(vm, "Duplicate nodes with node-name='r'", 'blockdev-add', driver='null-co',
                       **{'node-name': 'r'})
            self.fails(vm, "must be specified for the root node", 'blockdev-add', driver='null-co')
            self.fails(vm, 'Could not open', 'blockdev-add', driver='file', filename='/none',
                       **{'node-name': 'x'})
            nodes = {node['node-name']: node for node in vm.qmp('query-named-block-nodes')}
            self.assertEqual(set(nodes), {'f', 'r'})
            self.assertEqual(nodes['r']['image']['virtual-size'], 4 * MIB)
            self.assertEqual(nodes['r']['drv'], 'raw')
            self.assertEqual(nodes['r']['file'], path)
            vm.qmp('block_resize', **{'node-name': 'r'}, size=8 * MIB)
            self.assertEqual(os.path.getsize(path), 8 * MIB)
            self.fails(vm, "Cannot find device='' nor node-name='q'", 'block_resize',
                       **{'node-name': 'q'}, size=1)
            self.fails(vm, 'busy', 'blockdev-del', **{'node-name': 'f'})
            vm.qmp('blockdev-del', **{'node-name': 'r'})
            vm.qmp('blockdev-del', **{'node-name': 'f'})
            self.assertEqual(vm.qmp('query-named-block-nodes'), [])

    def test_drive_without_device(self):
        path = self.image('a')
        with Vm(house.binary(), *BOARD, '-drive', f'file={path},format=raw,if=none,id=d,cache=none',
                qtest=True) as vm:
            (drive,) = vm.qmp('query-block')
            self.assertEqual(drive['device'], 'd')
            self.assertTrue(drive['removable'])
            self.assertEqual(drive['inserted']['cache'],
                             {'writeback': True, 'direct': True, 'no-flush': False})
            (stats,) = vm.qmp('query-blockstats')
            self.assertEqual(stats['stats']['rd_operations'], 0)
            self.assertEqual(stats['parent']['driver-specific']['driver'], 'file')
            vm.qmp('eject', device='d')
            self.assertNotIn('inserted', vm.qmp('query-block')[0])
            vm.qmp('blockdev-change-medium', device='d', filename=path, format='raw')
            self.assertEqual(vm.qmp('query-block')[0]['inserted']['image']['filename'], path)

    def test_nodes_below_a_drive(self):
        """A name below means a file, however deep; what only "file." says is looked at for its format."""
        path = os.path.join(self.folder.name, 'a.qcow2')
        subprocess.run([os.path.join(os.environ['BINARIES'], 'qemu-img'), 'create', '-q', '-f', 'qcow2', path, '1M'],
                       check=True)
        for words, driver in ((f'file.filename={path}', 'qcow2'), (f'file.filename={path},format=raw', 'raw'),
                              (f'file.driver=raw,file.file.filename={path}', 'qcow2'),
                              (f'driver=raw,file.driver=qcow2,file.file.filename={path}', 'raw'),
                              (f'file=json:{{"driver":"raw",,"file":{{"filename":"{path}"}}}}', 'raw')):
            for binary in filter(None, (house.binary(), PEER)):
                with self.subTest(words=words, binary=binary), \
                        Vm(binary, *BOARD, '-S', '-drive', f'if=none,id=d,{words}') as vm:
                    self.assertEqual(vm.qmp('query-block')[0]['inserted']['drv'], driver)

    def test_medium_of_an_empty_drive(self):
        """Only -drive says that a medium that comes may be written: with a device's own drive it is the
        command's to say, and another machine may look at the image meanwhile."""
        path = self.image('a')
        look = [*BOARD, '-drive', f'file={path},format=raw,if=none,snapshot=on']
        with Vm(house.binary(), *BOARD, '-device', 'ide-cd,id=cd', qtest=True) as vm:
            for mode, is_read_only in (('retain', True), ('read-write', False), ('retain', False)):
                vm.qmp('blockdev-change-medium', id='cd', filename=path, format='raw',
                       **{'read-only-mode': mode})
                self.assertEqual(vm.qmp('query-block')[0]['inserted']['ro'], is_read_only)
                if is_read_only:
                    with Vm(house.binary(), *look, qtest=True) as other:
                        self.assertEqual(len(other.qmp('query-block')), 1)

    def test_users_are_told(self):
        path = self.image('a')
        self.refused("machine type does not support if=xen,bus=0,unit=0", *BOARD, '-drive',
                     f'file={path},format=raw,if=xen')
        self.refused('Could not open', *BOARD, '-drive', 'file=/none,format=raw')
        self.refused("Unknown protocol 'zip'", *BOARD, '-drive', 'file=zip:x')
        self.refused('invalid cache option', *BOARD, '-drive', f'file={path},cache=x')
        self.refused('does not support', *BOARD, '-drive', 'if=none,id=d,bogus=1')

    def test_snapshot(self):
        path = self.image('a')
        for args in ((f'file={path},format=raw,if=ide,snapshot=on',), (f'file={path},format=raw,if=ide', '-snapshot')):
            with Vm(house.binary(), *BOARD, '-drive', *args, qtest=True) as vm:
                disk = Ide(vm)
                disk.pio_write(3, b'new!' * 128)
                self.assertEqual(disk.pio_read(2, 2), bytes(512) + b'new!' * 128)
                (drive,) = vm.qmp('query-block')
                self.assertEqual(drive['inserted']['backing_file'], path)
            with open(path, 'rb') as file:
                self.assertEqual(file.read(), bytes(4 * MIB))

    def test_people_are_told(self):
        path, other = self.image('a'), self.image('b')
        with Vm(house.binary(), *BOARD, '-drive', f'file={path},format=raw,if=ide,node-name=n', '-drive',
                'if=ide,index=2,media=cdrom,id=cd', qtest=True) as vm:
            hmp = vm.qmp.hmp
            shown = hmp('info block ide0-hd0').replace('\r', '').splitlines()
            self.assertEqual(shown[0], f'ide0-hd0 (n): {path} (raw)')
            self.assertRegex(shown[1], r'^    Attached to:      /machine/unattached/device\[\d+\]$')
            self.assertEqual(shown[2:], ['    Cache mode:       writeback'])
            self.assertIn('virtual size: 4 MiB (4194304 bytes)', hmp('info block -v'))
            self.assertIn('cd: [not inserted]', hmp('info block'))
            self.assertIn('ide0-hd0: rd_bytes=512', hmp('info blockstats'))
            self.assertEqual(hmp(f'change cd {other} raw'), '')
            self.assertIn(f'{other} (raw, read-only)', hmp('info block cd'))
            self.assertIn('is not removable', hmp('eject ide0-hd0'))
            self.assertEqual(hmp(f'drive_add 0 if=none,id=x,file={other},format=raw,file.locking=off').strip(),
                             'OK')
            self.assertIn('x (', hmp('info block x'))
            self.assertEqual(hmp('drive_del x'), '')
            self.assertIn("Device 'x' not found", hmp('drive_del x'))
            self.assertEqual(hmp('drive_del ide0-hd0'), '')
            self.assertNotIn('ide0-hd0', hmp('info block'))
            self.assertIn("Can't hot-add drive", hmp(f'drive_add 0 if=ide,file={path},format=raw'))

    # --- flash ---

    def flash(self, *sizes, **kwargs):
        args = []
        for n, size in enumerate(sizes):
            path = os.path.join(self.folder.name, f'flash{n}')
            if not os.path.exists(path):
                self.image(f'flash{n}', size)
            args += ['-drive', f'if=pflash,format=raw,file={path}']
        return Vm(house.binary(), *BOARD, *args, qtest=True, **kwargs)

    def test_flash_outlives_the_process(self):
        base = (1 << 32) - MIB - 256 * 1024
        with self.flash(MIB, 256 * 1024) as vm:
            self.assertEqual(vm.qtest(f'readb {base + 0x1234:#x}'), '0x0000000000000000')
            vm.qtest(f'writeb {base + 0x1000:#x} 0x20')  # erase
            vm.qtest(f'writeb {base + 0x1000:#x} 0xd0')
            vm.qtest(f'writeb {base + 0x1234:#x} 0x40')  # program
            vm.qtest(f'writeb {base + 0x1234:#x} 0x5a')
            vm.qtest(f'writeb {base:#x} 0xff')
            self.assertEqual(vm.qtest(f'readb {base + 0x1234:#x}'), '0x000000000000005a')
            flash = vm.qmp('query-block')[1]
            self.assertEqual(flash['qdev'], '/machine/system.flash1')
        with open(os.path.join(self.folder.name, 'flash1'), 'rb') as file:
            data = file.read()
        self.assertEqual(data[:0x1000], bytes(0x1000))
        self.assertEqual(data[0x1000:0x1234], b'\xff' * 0x234)
        self.assertEqual(data[0x1234], 0x5a)
        with self.flash(MIB, 256 * 1024) as vm:
            self.assertEqual(vm.qtest(f'readb {base + 0x1234:#x}'), '0x000000000000005a')

    def test_flash_that_is_read_only(self):
        path = self.image('code', MIB)
        base = (1 << 32) - MIB
        with Vm(house.binary(), *BOARD, '-blockdev',
                f'driver=file,filename={path},node-name=f,read-only=on', '-blockdev',
                'driver=raw,file=f,node-name=code,read-only=on', '-machine', 'pflash0=code',
                qtest=True) as vm:
            vm.qtest(f'writeb {base:#x} 0x40')
            vm.qtest(f'writeb {base:#x} 0')
            status = int(vm.qtest(f'readb {base:#x}'), 0)
            self.assertEqual(status & 0x90, 0x90)  # ready, programming failed

    def test_flash_of_odd_size(self):
        path = self.image('odd', MIB + 512)
        self.refused('invalid size', *BOARD, '-drive', f'if=pflash,format=raw,file={path}')
        path = self.image('big', 16 * MIB)
        self.refused('exceeds', *BOARD, '-drive', f'if=pflash,format=raw,file={path}')
        path = self.image('late', MIB)
        self.refused('pflash1 requires pflash0', *BOARD, '-drive',
                     f'if=pflash,unit=1,format=raw,file={path}')

    # --- the peer ---

    @unittest.skipUnless(PEER, 'no peer is installed')
    def test_locks_are_the_peers(self):
        path = self.image('flash0', MIB)
        drive = ['-drive', f'if=pflash,format=raw,file={path}']
        with self.flash(MIB):
            done = subprocess.run([PEER, *BOARD, '-display', 'none', *drive], capture_output=True,
                                  text=True, timeout=60, check=False)
            self.assertIn('Failed to get "write" lock', done.stderr)
        with Vm(PEER, *BOARD, '-S', '-accel', 'tcg', *drive):
            self.refused('"write" lock', *BOARD, *drive)


if __name__ == '__main__':
    house.main()
