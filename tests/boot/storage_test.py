# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels read and write disks behind each kind of controller; plugged while they run, too."""
import hashlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
from vm import Qmp  # noqa: E402

SECONDS = 500
MIB = 1 << 20
TROUBLE = "dmesg | grep -E 'WARNING:|BUG:|Oops|I/O err|timed'"  # the terminal wraps long lines


def digest(data):
    return hashlib.md5(data).hexdigest()


class Storage(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.disk = os.path.join(self.folder.name, 'disk')
        with open(self.disk, 'wb') as file:
            file.write(random.Random(1).randbytes(8 * MIB))

    def stored(self):
        with open(self.disk, 'rb') as file:
            return file.read()

    def start(self, board, names, *args, kernel=('6.12', 'cloud'), cpus=2):
        """A shell with the modules loaded."""
        archive = os.path.join(self.folder.name, 'initramfs')
        try:
            image = guest.kernel(*kernel)
            modules = guest.modules_with_needs(image, names, tempfile.mkdtemp(dir=self.folder.name))
            guest.shell(archive, files=modules)
        except subprocess.CalledProcessError:
            self.skipTest(f'Linux {kernel[0]}-{kernel[1]} or busybox-static cannot be fetched from the '
                          'package archive')
        shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', board, '-cpu', 'max', '-m', '512', '-smp', str(cpus), '-serial', 'stdio',
             '-kernel', image, '-initrd', archive, '-append',
             f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS} quiet', *args], SECONDS)
        self.addCleanup(shell.stop)
        shell.wait_for(guest.PROMPT)
        for name in modules:
            self.assertEqual(shell.run(f'insmod /{name}'), '', name)
        return shell

    def wait_for_disk(self, shell, name):
        shell.run(f'while ! test -b /dev/{name}; do sleep 0.1; done')

    def read_and_write(self, shell, name):
        """All of the disk is read; a part is written, flushed, read again by the guest and here."""
        self.wait_for_disk(shell, name)
        self.assertEqual(shell.run(f'cat /sys/block/{name}/size'), str(8 * MIB // 512))
        self.assertEqual(shell.run(f'md5sum < /dev/{name}').split()[0], digest(self.stored()))
        shell.run('dd if=/dev/urandom of=/data bs=64k count=48 2>/dev/null')
        shell.run(f'dd if=/data of=/dev/{name} bs=64k seek=7 conv=fsync 2>/dev/null')
        shell.run('echo 3 > /proc/sys/vm/drop_caches')
        written = shell.run('md5sum < /data').split()[0]
        part = f'dd if=/dev/{name} bs=64k skip=7 count=48 2>/dev/null | md5sum'
        self.assertEqual(shell.run(part).split()[0], written)
        self.assertEqual(digest(self.stored()[7 * 65536:55 * 65536]), written)

    def finish(self, shell):
        self.assertEqual(shell.run(TROUBLE), '')
        self.assertEqual(shell.end(), 0)

    def check(self, board, names, disk, *args, **kwargs):
        shell = self.start(board, names, *args, **kwargs)
        self.read_and_write(shell, disk)
        self.finish(shell)

    def drive(self, interface='none'):
        return '-drive', f'file={self.disk},format=raw,if={interface},id=d,discard=unmap'

    def test_virtio_blk(self):
        self.check('q35', ['virtio_blk'], 'vda', *self.drive('virtio'))

    def test_virtio_blk_packed(self):
        self.check('pc', ['virtio_blk'], 'vda', *self.drive(), '-device',
                   'virtio-blk-pci,drive=d,packed=on,num-queues=2')

    def test_virtio_blk_behind_iommu(self):
        self.check('q35', ['virtio_blk'], 'vda', *self.drive(), '-device', 'intel-iommu', '-device',
                   'virtio-blk-pci,drive=d,iommu_platform=on,disable-legacy=on', '-append',
                   f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS} quiet intel_iommu=on')

    def test_virtio_mmio(self):
        self.check('microvm', ['virtio_blk', 'virtio_mmio'], 'vda', *self.drive(), '-device',
                   'virtio-blk-device,drive=d', '-append',
                   f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS} quiet tsc_early_khz=1000000', cpus=1)

    def test_virtio_scsi(self):
        self.check('q35', ['virtio_pci', 'virtio_scsi', 'sd_mod'], 'sda', '-device', 'virtio-scsi-pci,num_queues=2',
                   *self.drive(), '-device', 'scsi-hd,drive=d', kernel=('6.1', 'cloud'))

    def test_nvme(self):
        self.check('q35', ['nvme'], 'nvme0n1', *self.drive(), '-device', 'nvme,drive=d,serial=a1')

    def test_ide(self):
        self.check('pc', ['ata_piix', 'sd_mod'], 'sda', *self.drive('ide'), kernel=('6.1', 'generic'))

    def test_ahci(self):
        self.check('q35', ['ahci', 'sd_mod'], 'sda', *self.drive('ide'), kernel=('6.1', 'generic'))

    def test_discard(self):
        shell = self.start('q35', ['virtio_blk'], *self.drive('virtio'))
        self.wait_for_disk(shell, 'vda')
        shell.run('blkdiscard -o 1048576 -l 2097152 /dev/vda')
        shell.run('echo 3 > /proc/sys/vm/drop_caches')
        self.assertEqual(shell.run('dd if=/dev/vda bs=1M skip=1 count=2 2>/dev/null | md5sum').split()[0],
                         digest(bytes(2 * MIB)))
        self.assertEqual(self.stored()[MIB:3 * MIB], bytes(2 * MIB))
        self.finish(shell)

    def start_with_qmp(self, *args):
        path = os.path.join(self.folder.name, 'qmp')
        shell = self.start(*args, '-qmp', f'unix:{path},server=on,wait=off')
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        return shell, Qmp(connection)

    def test_machine_snapshot(self):
        """What runs, is in memory and on the disk is as it was; and goes on."""
        image = os.path.join(self.folder.name, 'disk.qcow2')
        img = os.path.join(os.environ['BINARIES'], 'qemu-img')
        subprocess.run([img, 'create', '-q', '-f', 'qcow2', image, '64M'], check=True)
        shell, qmp = self.start_with_qmp('q35', ['virtio_blk'], '-drive', f'file={image},if=virtio,id=d')
        self.wait_for_disk(shell, 'vda')
        shell.run('(while sleep 0.1; do date +%s%N >/beat; done) &')
        shell.run('dd if=/dev/urandom of=/data bs=64k count=48 2>/dev/null; md5sum </data >/sum')
        shell.run('dd if=/data of=/dev/vda bs=64k seek=7 conv=fsync 2>/dev/null')
        before = shell.run('cat /sum')
        self.assertEqual(qmp.hmp('savevm a'), '')
        shell.run('dd if=/dev/zero of=/dev/vda bs=64k seek=7 count=48 conv=fsync 2>/dev/null; rm /data; echo x >/sum')
        self.assertEqual(qmp.hmp('loadvm a'), '')
        self.assertEqual(shell.run('cat /sum'), before)
        shell.run('echo 3 > /proc/sys/vm/drop_caches')
        self.assertEqual(shell.run('md5sum </data'), before)
        self.assertEqual(shell.run('dd if=/dev/vda bs=64k skip=7 count=48 2>/dev/null | md5sum'), before)
        shell.run('cp /beat /was; while cmp -s /beat /was; do sleep 0.1; done')
        self.finish(shell)
        subprocess.run([img, 'check', '-q', image], check=True)

    def test_hot_plug(self):
        shell, qmp = self.start_with_qmp('pc', ['virtio_blk'], *self.drive())
        for _ in range(2):
            qmp('device_add', driver='virtio-blk-pci', drive='d', id='disk')
            self.read_and_write(shell, 'vda')
            qmp('device_del', id='disk')
            while qmp.wait_event('DEVICE_DELETED')['data'].get('device') != 'disk':
                pass
            self.assertEqual(shell.run('ls /dev/vda 2>/dev/null'), '')
            qmp.hmp(f'drive_add 0 file={self.disk},format=raw,if=none,id=d')
        qmp.close()
        self.finish(shell)


if __name__ == '__main__':
    house.main()
