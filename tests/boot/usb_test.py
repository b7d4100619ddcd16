# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel behind an xHCI controller on PCI, behind an IOMMU, and of a microvm: it reads and writes a disk, hears
of keys, a mouse and a tablet, and of devices that come and go, behind a hub as well."""
import hashlib
import os
import random
import re
import socket
import struct
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
DRIVERS = ['usb_storage', 'sd_mod', 'usbhid', 'hid_generic', 'evdev']
TROUBLE = "dmesg | grep -E 'WARNING:|BUG:|Oops|I/O err|timed|DMAR:.*[Ff]ault|error -|xhci.*(ERROR|died|WARN)'"


def digest(data):
    return hashlib.md5(data).hexdigest()


class Linux(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.disk = os.path.join(self.folder.name, 'disk')
        self.data = random.Random(1).randbytes(4 * MIB)
        with open(self.disk, 'wb') as file:
            file.write(self.data)

    def start(self, board, controller, *args, append=''):
        """A shell with the drivers loaded."""
        archive = os.path.join(self.folder.name, 'initramfs')
        qmp = os.path.join(self.folder.name, 'qmp')
        try:
            image = guest.kernel('6.12', 'generic')
            modules = guest.modules_with_needs(image, [controller, *DRIVERS],
                                               tempfile.mkdtemp(dir=self.folder.name))
            guest.shell(archive, files=modules)
        except subprocess.CalledProcessError:
            self.skipTest('Linux 6.12 or busybox-static cannot be fetched from the package archive')
        self.shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', board, '-cpu', 'max', '-m', '512', '-serial', 'stdio',
             '-qmp', f'unix:{qmp},server=on,wait=off', '-kernel', image, '-initrd', archive, '-append',
             f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS} quiet ' + append,
             '-drive', f'file={self.disk},format=raw,if=none,id=d', *args], SECONDS)
        self.addCleanup(self.shell.stop)
        self.shell.wait_for(guest.PROMPT)
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(qmp)
        self.qmp = Qmp(connection)
        self.addCleanup(self.qmp.close)
        for name in modules:
            self.assertEqual(self.shell.run(f'insmod /{name}'), '', name)

    def read_and_write(self, name='sda'):
        self.shell.run(f'while ! test -b /dev/{name}; do sleep 0.1; done')
        self.assertEqual(self.shell.run(f'md5sum < /dev/{name}').split()[0], digest(self.data))
        self.shell.run('dd if=/dev/urandom of=/data bs=64k count=16 2>/dev/null')
        self.shell.run(f'dd if=/data of=/dev/{name} bs=64k seek=7 conv=fsync 2>/dev/null')
        written = self.shell.run('md5sum < /data').split()[0]
        with open(self.disk, 'rb') as file:
            self.data = file.read()
        self.assertEqual(digest(self.data[7 * 65536:23 * 65536]), written)

    def wait_for_input(self, name):
        """The node of the device's events."""
        at = f"sed -n '/Name=.*{name}/,/Handlers/s/.*\\(event[0-9]*\\).*/\\1/p' /proc/bus/input/devices"
        return self.shell.run(f'while ! test -n "$({at})"; do sleep 0.1; done; {at}')

    def events(self, node, count, *sent):
        """(type, code, value) of the next events, which the guest waits for when they are sent."""
        self.shell.run(f'dd if=/dev/input/{node} of=/events bs=24 count={count} 2>/dev/null & '
                       'while ! ls -l /proc/$!/fd | grep -q input; do :; done')
        self.qmp('input-send-event', events=list(sent))
        text = self.shell.run("wait; od -v -A n -t x1 /events | tr -d ' \\n'; echo")
        raw = bytes.fromhex(re.search(r'\b[0-9a-f]{48,}\b', text)[0])
        return [struct.unpack_from('<HHi', raw, at + 16) for at in range(0, len(raw), 24)]

    def finish(self):
        self.assertEqual(self.shell.run(TROUBLE), '')
        self.assertEqual(self.shell.end(), 0)

    def check(self, board, controller, *args, **kwargs):
        self.start(board, controller, *args, '-device', 'usb-storage,drive=d', '-device', 'usb-kbd', **kwargs)
        self.read_and_write()
        node = self.wait_for_input('QEMU USB Keyboard')
        key = {'type': 'key', 'data': {'down': True, 'key': {'type': 'qcode', 'data': 'g'}}}
        self.assertEqual(self.events(node, 3, key), [(4, 4, 0x7000a), (1, 34, 1), (0, 0, 0)])
        self.finish()

    def test_pci(self):
        self.check('q35', 'xhci_pci', '-device', 'qemu-xhci')

    def test_msi(self):
        self.check('pc', 'xhci_pci', '-device', 'nec-usb-xhci,msix=off')

    def test_pin(self):
        self.check('pc', 'xhci_pci', '-device', 'nec-usb-xhci,msix=off,msi=off')

    def test_behind_iommu(self):
        self.check('q35', 'xhci_pci', '-device', 'intel-iommu,intremap=on', '-device', 'qemu-xhci',
                   append='intel_iommu=on')

    def test_microvm(self):
        self.check('microvm,usb=on', 'xhci_plat_hcd', append='tsc_early_khz=1000000')

    def test_pointers_and_hub(self):
        self.start('q35', 'xhci_pci', '-usb', '-device', 'usb-hub,port=1', '-device', 'usb-mouse,port=1.2', '-device',
                   'usb-storage,drive=d,port=1.4')
        self.read_and_write()
        node = self.wait_for_input('QEMU USB Mouse')
        self.assertEqual(self.events(node, 3, {'type': 'rel', 'data': {'axis': 'x', 'value': 7}},
                                     {'type': 'rel', 'data': {'axis': 'y', 'value': -9}}),
                         [(2, 0, 7), (2, 1, -9), (0, 0, 0)])
        for _ in range(2):
            self.qmp('device_add', driver='usb-tablet', id='t', port='1.8')
            node = self.wait_for_input('QEMU USB Tablet')
            self.assertEqual(self.events(node, 3, {'type': 'abs', 'data': {'axis': 'x', 'value': 1000}},
                                         {'type': 'abs', 'data': {'axis': 'y', 'value': 2000}}),
                             [(3, 0, 1000), (3, 1, 2000), (0, 0, 0)])
            self.qmp('device_del', id='t')
            self.qmp.wait_event('DEVICE_DELETED')
            self.shell.run(f'while test -e /dev/input/{node}; do sleep 0.1; done')
        self.finish()


if __name__ == '__main__':
    house.main()
