# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux with a virtio console as its console, and ports of virtio-serial that programs open by name."""
import hashlib
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
from guest_case import ShellCase  # noqa: E402
from vm import Qmp  # noqa: E402

SECONDS = 600
MEGABYTE = 1 << 20


class Ports(ShellCase):
    FLAVOUR = 'cloud'

    def boot(self, *args, board='q35', console='ttyS0', serial='stdio'):
        command = [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-no-reboot', '-display',
                   'none', '-M', board, '-cpu', 'max', '-m', '256', '-serial', serial, '-qmp',
                   f"unix:{self.path('qmp')},server=on,wait=off", '-kernel', self.kernel, '-initrd',
                   self.path('initramfs'), '-append', f'console={console} reboot=t {guest.LINUX_OPTIONS}', *args]
        return guest.Terminal(command, SECONDS)

    def connect(self, name):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path(name))
        sock.settimeout(SECONDS)
        return sock

    def line(self, name):
        return ['-chardev', f'socket,id={name},path={self.path(name)},server=on,wait=off']

    def check_port(self, shell, name):
        """A megabyte to the guest, and the same one back, more slowly than it comes."""
        data = os.urandom(MEGABYTE)
        digest = hashlib.sha256(data).hexdigest()
        with self.connect(name) as sock:
            sender = threading.Thread(target=sock.sendall, args=[data])
            sender.start()
            self.assertEqual(shell.run(f'head -c {MEGABYTE} /dev/virtio-ports/{name} > /tmp/got; sha256sum < /tmp/got'),
                             f'{digest}  -')
            sender.join()
            shell.type(f'cat /tmp/got > /dev/virtio-ports/{name}\n')
            got = b''
            while len(got) < MEGABYTE:
                got += sock.recv(8192)
            self.assertEqual(hashlib.sha256(got).hexdigest(), digest)
            shell.wait_for(guest.PROMPT)

    def test_ports(self):
        """Named ones, plugged and unplugged; the device as well."""
        shell = self.boot(*self.line('org.one'), *self.line('org.two'),
                          '-device', 'pcie-root-port,id=port,chassis=1', '-device',
                          'virtio-serial-pci,id=serial,bus=port', '-device',
                          'virtserialport,chardev=org.one,name=org.one,id=one')
        shell.wait_for(guest.PROMPT)
        shell.run('mkdir -p /dev/virtio-ports')
        link = ('for p in /sys/class/virtio-ports/*; do ln -sf /dev/${p##*/} /dev/virtio-ports/$(cat $p/name); done; '
                'ls /dev/virtio-ports')
        self.assertEqual(shell.run(link), 'org.one')
        self.check_port(shell, 'org.one')
        qmp = Qmp(self.connect('qmp'))
        qmp('device_add', driver='virtserialport', id='two', name='org.two', chardev='org.two', bus='serial.0')
        shell.run('until [ -e /sys/class/virtio-ports/vport*p2/name ]; do :; done')
        self.assertEqual(shell.run(link), 'org.one  org.two')
        self.check_port(shell, 'org.two')
        while qmp.wait_event('VSERPORT_CHANGE')['data'] != {'id': 'two', 'open': True}:
            pass
        for _ in range(3):
            qmp('device_del', id='two')
            qmp.wait_event('DEVICE_DELETED')
            shell.run('while [ -e /sys/class/virtio-ports/vport*p2 ]; do :; done')
            qmp('device_add', driver='virtserialport', id='two', name='org.two', chardev='org.two', bus='serial.0')
            shell.run('until [ -e /sys/class/virtio-ports/vport*p2/name ]; do :; done')
        self.check_port(shell, 'org.two')
        # A process that is stopped at the host's end holds the guest's program, no more than that.
        sock = self.connect('org.one')
        shell.run('cat /tmp/got > /dev/virtio-ports/org.one &')
        self.assertTrue(shell.run('echo $((6 * 7))').startswith('42'))
        got = 0
        while got < MEGABYTE:
            got += len(sock.recv(65536))
        sock.close()
        qmp('device_del', id='serial')
        while qmp.wait_event('DEVICE_DELETED')['data'].get('device') != 'serial':
            pass
        self.assertNotIn('vport', shell.run('ls /sys/class/virtio-ports'))
        self.assertEqual(shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops|hung task'"), '')
        self.assertEqual(shell.end(), 0)

    def test_console(self):
        """The kernel's only console, typed on."""
        for board, device in ('pc', 'virtio-serial-pci,max_ports=1'), ('q35', 'virtio-serial-pci,packed=on'):
            with self.subTest(board):
                shell = self.boot('-chardev', 'stdio,id=hvc', '-device', device, '-device',
                                  'virtconsole,chardev=hvc', board=board, console='hvc0', serial='none')
                shell.wait_for(guest.PROMPT)
                self.assertEqual(shell.run('tty'), '/dev/hvc0')
                self.assertEqual(shell.run('cat /sys/class/tty/console/active'), 'hvc0')
                self.assertEqual(shell.run('seq 1 20000 | sha256sum'), '%s  -' % hashlib.sha256(
                    b''.join(b'%d\n' % n for n in range(1, 20001))).hexdigest())
                self.assertEqual(shell.run('seq 1 5000').split(), [str(n) for n in range(1, 5001)])
                self.assertEqual(shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops|hung task'"), '')
                self.assertEqual(shell.end(), 0)


if __name__ == '__main__':
    house.main()
