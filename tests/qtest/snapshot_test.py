# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots of the machine: memory, devices and disks come back; savevm and its kin, jobs, -loadvm."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ata  # noqa: E402
import house  # noqa: E402
from vm import Vm, refusal  # noqa: E402

IMG = os.path.join(os.environ['BINARIES'], 'qemu-img')
BYTES = 16 << 20
PAGE = 0x100000


class Snapshots(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def image(self, name='a.qcow2', *options):
        path = os.path.join(self.folder, name)
        subprocess.run([IMG, 'create', '-q', '-f', 'qcow2', *options, path, str(BYTES)], check=True)
        return path

    def machine(self, path, *args, cache='unsafe'):
        return Vm(house.binary(), '-M', 'pc', '-m', '16', '-nodefaults', '-drive',
                  f'file={path},if=none,id=d,node-name=n,cache={cache}', '-device', 'ide-hd,drive=d,bus=ide.0', *args,
                  qtest=True)

    def check(self, *paths):
        for path in paths:
            subprocess.run([IMG, 'check', '-q', path], check=True)
            if os.path.exists('/usr/bin/qemu-img'):
                subprocess.run(['/usr/bin/qemu-img', 'check', '-q', path], check=True)

    def put(self, vm, byte):
        """Something in memory, a device's register, and the disk."""
        vm.qtest(f'memset {PAGE:#x} 8192 {byte:#x}')
        vm.qtest('outb 0x70 0x50')
        vm.qtest(f'outb 0x71 {byte:#x}')
        self.assertEqual(ata.Ide(vm).pio_write(77, bytes([byte]) * 512) & 0xc9, ata.DRDY)

    def get(self, vm):
        vm.qtest('outb 0x70 0x50')
        return {int(vm.qtest(f'readb {PAGE + 5000:#x}'), 16), int(vm.qtest('inb 0x71'), 16),
                *ata.Ide(vm).pio_read(77)}

    def hmp(self, vm, line):
        return vm.qmp.hmp(line).replace('\r', '')

    def test_commit(self):
        """What an image has goes into the one behind it, which grows with it; -snapshot's into the drive's own."""
        base, plain = (os.path.join(self.folder, name) for name in ('base', 'plain'))
        for path in base, plain:
            with open(path, 'wb') as file:
                file.truncate(1 << 20)
        top = self.image('top', '-b', base, '-F', 'raw')
        with self.machine(top, '-drive', f'file={plain},format=raw,if=none,id=s,snapshot=on', '-device',
                          'ide-hd,drive=s,bus=ide.1', '-drive', 'driver=null-co,if=none,id=z') as vm:
            for disk in ata.Ide(vm), ata.Ide(vm, 1):
                for sector in 3, 2000:
                    self.assertEqual(disk.pio_write(sector, bytes([sector & 0xff]) * 512) & 0xc9, ata.DRDY)
            for words, line in (("Device 'x' not found", 'commit x'),
                                ("'commit' error for 'z': Operation not supported", 'commit z'), ('', 'commit d'),
                                ('', 'commit all'), ('', 'commit s')):
                self.assertIn(words, self.hmp(vm, line))
                self.assertEqual(bool(words), 'rror' in self.hmp(vm, line), line)
            for path, bytes_ in (base, BYTES), (plain, 1 << 20):
                with open(path, 'rb') as file:
                    data = file.read()
                self.assertEqual(len(data), bytes_)
                self.assertEqual(data, b''.join(bytes([n & 0xff] * 512) if n in (3, 2000) else bytes(512)
                                                for n in range(bytes_ >> 9)))
            nodes = {node['file']: node for node in vm.qmp('query-named-block-nodes') if node['drv'] == 'raw'}
            self.assertTrue(nodes[base]['ro'])
            self.assertEqual(ata.Ide(vm).pio_write(4, b'4' * 512) & 0xc9, ata.DRDY)
            self.assertEqual(ata.Ide(vm).pio_read(3), b'\3' * 512)
        self.check(top)
        info = subprocess.run([IMG, 'map', '--output=json', top], capture_output=True, text=True, check=True).stdout
        self.assertEqual([row['start'] for row in json.loads(info) if row['depth'] == 0], [0])

    def test_monitor(self):
        path = self.image()
        with self.machine(path) as vm:
            self.assertEqual(self.hmp(vm, 'info snapshots'), 'There is no snapshot available.\n')
            for byte in (1, 2, 3):
                self.put(vm, byte)
                vm.qtest('clock_step 5000000000')
                self.assertEqual(self.hmp(vm, f'savevm {"ab"[byte % 2]}'), '')  # b, a, b again
                self.assertTrue(vm.qmp('query-status')['running'])
            lines = self.hmp(vm, 'info snapshots').splitlines()
            self.assertEqual([line.split()[1] for line in lines[2:]], ['a', 'b'])
            self.assertIn('00:00:15.0', lines[3])
            self.put(vm, 9)
            for name, byte in (('b', 3), ('a', 2), ('b', 3)):
                self.assertEqual(self.hmp(vm, f'loadvm {name}'), '')
                self.assertEqual(self.get(vm), {byte})
            self.assertEqual(self.hmp(vm, 'loadvm c'),
                             "Error: Snapshot 'c' does not exist in one or more devices\n")
            self.assertEqual(self.hmp(vm, 'delvm a'), '')
            self.assertEqual(self.hmp(vm, 'savevm'), '')
            self.assertIn(' vm-20', self.hmp(vm, 'info snapshots'))
            vm.qmp('blockdev-snapshot-internal-sync', device='d', name='disk')
            self.assertEqual(self.hmp(vm, 'loadvm disk'),
                             'Error: This is a disk-only snapshot. Revert to it offline using qemu-img\n')
        self.check(path)

    def test_begins_with_it(self):
        path = self.image('a.qcow2', '-o', 'cluster_size=4096')
        with self.machine(path) as vm:
            self.put(vm, 7)
            vm.qmp('stop')
            self.assertEqual(self.hmp(vm, 'savevm s'), '')
            self.assertEqual(vm.qmp('query-status')['status'], 'paused')
            self.put(vm, 8)
        self.check(path)
        with self.machine(path, '-loadvm', 's') as vm:
            self.assertEqual(self.get(vm), {7})
            self.assertTrue(vm.qmp('query-status')['running'])
        self.check(path)
        self.assertIn("Snapshot 'x' does not exist", refusal(house.binary(), '-M', 'pc', '-drive',
                                                               f'file={path},if=none,id=d', '-loadvm', 'x'))

    def job(self, vm, command, **arguments):
        """Why it failed, or None."""
        vm.qmp.run(command, {'job-id': 'j', **arguments})
        while vm.qmp.wait_event('JOB_STATUS_CHANGE')['data']['status'] != 'concluded':
            pass
        (info,) = vm.qmp('query-jobs')
        self.assertEqual(info['type'], command)
        vm.qmp('job-dismiss', id='j')
        return info.get('error')

    def test_jobs(self):
        path, other = self.image(), self.image('b.qcow2')
        with self.machine(path, '-drive', f'file={other},if=none,id=e,node-name=m') as vm:
            self.put(vm, 5)
            both = {'tag': 's', 'vmstate': 'm', 'devices': ['n', 'm']}
            self.assertIsNone(self.job(vm, 'snapshot-save', **both))
            self.assertEqual(self.job(vm, 'snapshot-save', **both), "Snapshot 's' already exists in one or more devices")
            self.put(vm, 6)
            sizes = [drive['inserted']['image']['snapshots'][0]['vm-state-size'] for drive in vm.qmp('query-block')]
            self.assertEqual((sizes[0], sizes[1] > 8192), (0, True))
            for changed, why in (({'tag': 'x'}, "Snapshot 'x' does not exist in one or more devices"),
                                 ({'vmstate': 'x'}, "vmstate block device 'x' does not exist"),
                                 ({'devices': ['y']}, "No block device node 'y'")):
                self.assertEqual(self.job(vm, 'snapshot-load', **{**both, **changed}), why)
            self.assertIsNone(self.job(vm, 'snapshot-load', **both))
            self.assertEqual(self.get(vm), {5})
            self.assertIsNone(self.job(vm, 'snapshot-delete', tag='s', devices=['n', 'm']))
            self.assertEqual(self.hmp(vm, 'info snapshots'), 'There is no snapshot available.\n')
        self.check(path, other)

    def test_refused_and_failed(self):
        raw = os.path.join(self.folder, 'raw')
        with open(raw, 'wb') as file:
            file.truncate(BYTES)
        path = self.image()
        with self.machine(path, '-drive', f'file={raw},format=raw,if=none,id=e,node-name=m') as vm:
            self.assertEqual(self.hmp(vm, 'savevm a'),
                             "Error: Device 'm' is writable but does not support snapshots\n")
            self.put(vm, 4)
            self.assertIsNone(self.job(vm, 'snapshot-save', tag='s', vmstate='n', devices=['n']))
        self.check(path)
        # The image cannot take it: the machine goes on, and the image is whole.
        rules = os.path.join(self.folder, 'rules')
        with open(rules, 'w', encoding='ascii') as file:
            file.write('[inject-error]\nevent = "vmstate_save"\nerrno = "28"\niotype = "write"\nonce = "on"\n')
        with self.machine(f'blkdebug:{rules}:{path}') as vm:
            self.assertIn('Error while writing VM state: No space left on device', self.hmp(vm, 'savevm t'))
            self.put(vm, 1)
            self.assertTrue(vm.qmp('query-status')['running'])
            self.assertEqual(self.hmp(vm, 'loadvm s'), '')
            self.assertEqual(self.get(vm), {4})
        self.check(path)


if __name__ == '__main__':
    house.main()
