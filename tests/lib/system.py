# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian system of scripts/guest-system.sh: machines that run it from a qcow2 image behind any controller, and
what file systems and images are like afterwards."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import guest
import house
from vm import Qmp

SECONDS = 900
PROMPT = 'system> '
CONTROLLERS = {
    'virtio-blk': ['-device', 'virtio-blk-pci,drive=d'],
    'virtio-scsi': ['-device', 'virtio-scsi-pci', '-device', 'scsi-hd,drive=d'],
    'nvme': ['-device', 'nvme,drive=d,serial=a'],
    'ahci': ['-device', 'ide-hd,drive=d,bus=ide.0'],
    'usb-storage': ['-device', 'qemu-xhci', '-device', 'usb-storage,drive=d'],
    None: [],  # what the arguments bring
}
# e2fsck after a crash: the journal, files that were open and have no name, counts that only an unmount writes.
RECOVERY = re.compile(r'.*: (recovering journal|Clearing orphaned inode .*|clean, .*|'
                      r'Setting free (inodes|blocks) count to .*|\*\*\*\*\* .*)|\s*')
TROUBLE = "dmesg | grep -E 'WARNING:|BUG:|Oops|I/O err|EXT4-fs err|timed out|timeout,|DMAR:.*[Ff]ault|stall'"
# What fio does with a file system: what it reads, and all that it wrote, is as it was written.
FIO = ('fio --name=v --rw=randrw --bsrange=512-64k --size=4M --numjobs=3 --ioengine=libaio --direct=1 --iodepth=8 '
       '--verify=crc32c --verify_fatal=1 --fsync=32 --fallocate=none --group_reporting --minimal --directory=')
FIO_BUFFERED = ('fio --name=b --rw=write --bs=64k --size=8M --ioengine=psync --end_fsync=1 --verify=crc32c '
                '--verify_fatal=1 --minimal --directory=')


class NoSystem(Exception):
    """Why there is none."""


def folder():
    """What the script made; NoSystem where it cannot."""
    done = subprocess.run([os.path.join(guest.SCRIPTS, 'guest-system.sh')], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise NoSystem((done.stderr.strip().splitlines() or ['guest-system: failed'])[-1])
    return done.stdout.strip()


def img(*args, tool=None):
    subprocess.run([tool or os.path.join(os.environ['BINARIES'], 'qemu-img'), *args], check=True,
                   stdout=subprocess.DEVNULL)


def e2fs(*command, stderr=subprocess.STDOUT):
    """The exit status of a program of e2fsprogs, and what it says."""
    path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
    done = subprocess.run(command, env={**os.environ, 'PATH': path}, text=True, stdout=subprocess.PIPE, stderr=stderr,
                          stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout


class Disk:
    """A qcow2 image with a file system."""

    def __init__(self, path, size=None, offset_mib=0, options='cluster_size=64k'):
        self.path, self.raw = path, path + '.raw'
        self.offset_mib = offset_mib
        if size:
            img('create', '-q', '-f', 'qcow2', '-o', options, path, size)

    def check(self, crashed=False):
        """The image and its file system are whole; the latter is left in `raw`. After a crash there may be clusters
        that nothing leads to, and the journal is replayed."""
        ours = os.path.join(os.environ['BINARIES'], 'qemu-img')
        done = subprocess.run([ours, 'check', self.path], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        assert done.returncode in ((0, 3) if crashed else (0,)), done.stdout
        if done.returncode:
            img('check', '-q', '-r', 'leaks', self.path)
        for tool in filter(None, (ours, house.peer('qemu-img'))):
            img('check', '-q', self.path, tool=tool)
        img('dd', '-f', 'qcow2', '-O', 'raw', 'bs=1M', f'skip={self.offset_mib}', f'if={self.path}', f'of={self.raw}')
        if crashed:
            status, text = e2fs('e2fsck', '-p', self.raw)
            assert status in (0, 1), text
            assert all(RECOVERY.fullmatch(line) for line in text.splitlines()), text
        status, text = e2fs('e2fsck', '-fn', self.raw)
        assert status == 0, text

    def read(self, path):
        """A file's text in what check() left."""
        return e2fs('debugfs', '-R', f'cat {path}', self.raw, stderr=subprocess.DEVNULL)[1]


class SystemDisk(Disk):
    """One with the system; its files are in the folder `at`."""

    def __init__(self, at):
        super().__init__(os.path.join(at, 'disk.qcow2'), offset_mib=1)
        self.system = folder()
        self.base = os.path.join(at, 'base.qcow2')
        img('convert', '-O', 'qcow2', os.path.join(self.system, 'disk.img'), self.base)
        self.renew()

    def renew(self):
        """As it was when it was made."""
        img('create', '-q', '-f', 'qcow2', '-b', self.base, '-F', 'qcow2', self.path)


class Case(unittest.TestCase):
    """Tests with a `disk` in a `folder`, which are skipped where there is no system."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        try:
            cls.disk = SystemDisk(cls.folder)
        except NoSystem as error:
            raise unittest.SkipTest(str(error)) from error


class Machine(guest.Terminal):
    """One that boots a Disk by its own GRUB; or, given options for Linux, without. QMP is at `qmp`."""

    def __init__(self, disk, controller, *args, linux=None, memory=512, name='machine'):
        at = os.path.join(os.path.dirname(disk.path), name)
        self.pid_file, socket_path = at + '.pid', at + '.qmp'
        direct = [] if linux is None else [
            '-kernel', os.path.join(disk.system, 'vmlinuz'), '-initrd', os.path.join(disk.system, 'initrd.img'),
            '-append', f'root=LABEL=system console=ttyS0 {guest.LINUX_OPTIONS} reboot=t {linux}']
        if os.path.exists(socket_path):
            os.unlink(socket_path)
        super().__init__(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
             '-M', 'q35', '-cpu', 'max', '-m', str(memory), '-serial', 'stdio', '-pidfile', self.pid_file,
             '-qmp', f'unix:{socket_path},server=on,wait=off',
             '-drive', f'file={disk.path},if=none,id=d,discard=unmap', *CONTROLLERS[controller], *direct, *args],
            SECONDS, prompt=PROMPT)
        self.socket_path = socket_path
        self.connection = None

    @property
    def qmp(self):
        if not self.connection:
            while not os.path.exists(self.socket_path) and self.process.poll() is None:
                time.sleep(0.01)
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.socket_path)
            self.connection = Qmp(sock)
        return self.connection

    def log_in(self):
        self.wait_for('login: ')
        self.type('root\n')
        self.wait_for(re.escape(PROMPT))
        self.run('dmesg -n 1')  # what the kernel says does not go between what is typed
        return self

    def succeed(self, command):
        """What a command prints, which ends with status 0."""
        out = self.run(f'{command}; echo status $?')
        assert out.endswith('status 0'), out
        return out[:-len('status 0')].rstrip()

    def finish(self):
        """A power-off without anything amiss."""
        trouble = self.run(TROUBLE)
        assert not trouble, trouble
        assert self.end('poweroff') == 0, self.seen[-2000:]

    def migrate(self, uri):
        self.qmp('migrate', uri=uri)
        while self.qmp('query-migrate').get('status') not in ('completed', 'failed'):
            time.sleep(0.01)
        info = self.qmp('query-migrate')
        assert info['status'] == 'completed', info

    def quit(self):
        self.qmp('quit')
        for _ in self.lines():
            pass

    def kill(self):
        """An end without ceremony; what came until then is in `seen`."""
        with open(self.pid_file, encoding='ascii') as file:
            os.kill(int(file.read()), signal.SIGKILL)
        self.seen += self.process.stdout.read()
        self.close()

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None
        super().close()
