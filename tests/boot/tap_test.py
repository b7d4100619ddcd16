# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel with two pairs of queues on a TAP interface, in a network namespace: HTTP both ways, in segments
that nobody cuts; and e1000e on the same interface."""
import contextlib
import hashlib
import http.server
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
import namespace  # noqa: E402
from network_test import DATA, Handler  # noqa: E402

SECONDS = 600
ALL = 3  # ETH_P_ALL
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever the environment names
UP = """#!/bin/sh
ip addr add 10.7.0.1/24 dev "$1"
ip link set "$1" up
"""


class Longest(threading.Thread):
    """The longest frame that came from the guest, and that went to it."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
        self.sock.bind((name, ALL))
        self.came = self.went = 0
        self.start()

    def run(self):
        with contextlib.suppress(OSError):  # the interface went
            while True:
                frame, where = self.sock.recvfrom(1 << 17)
                if where[2] == socket.PACKET_OUTGOING:
                    self.went = max(self.went, len(frame))
                else:
                    self.came = max(self.came, len(frame))


class Tap(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        try:
            cls.kernel = guest.kernel(flavour='generic')
            cls.archive = os.path.join(cls.folder, 'initramfs')
            guest.shell(cls.archive, files=guest.modules(cls.kernel, guest.NETWORK_MODULES, cls.folder))
        except subprocess.CalledProcessError as error:
            raise unittest.SkipTest('Linux or busybox-static cannot be fetched from the package '
                                    'archive') from error
        cls.up = os.path.join(cls.folder, 'up')
        with open(cls.up, 'w', encoding='ascii') as file:
            file.write(UP)
        os.chmod(cls.up, 0o755)

    def start(self, *args):
        shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', 'q35', '-m', '256', '-serial', 'stdio', '-kernel', self.kernel,
             '-initrd', self.archive, '-append', f'console=ttyS0 quiet reboot=t {guest.LINUX_OPTIONS}', *args], SECONDS)
        shell.wait_for(guest.PROMPT)
        for name in guest.NETWORK_MODULES:
            shell.run(f'[ -f /{name}.ko ] && insmod /{name}.ko')
        shell.run('ip link set eth0 up; ip addr add 10.7.0.2/24 dev eth0')
        return shell

    def check(self, shell, name):
        """Returns the longest frames of both ways."""
        seen = Longest(name)
        server = http.server.ThreadingHTTPServer(('10.7.0.1', 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.assertIn(' 0% packet loss', shell.run('ping -c 2 10.7.0.1'))
        url = f'http://10.7.0.1:{server.server_port}/'
        self.assertIn(hashlib.md5(DATA).hexdigest(), shell.run(f'wget -q -O- {url} | md5sum'))
        shell.run(f'mkdir /www; wget -q -O /www/data {url}')
        shell.run('httpd -p 80 -h /www')
        with DIRECT.open('http://10.7.0.2/data', timeout=SECONDS) as answer:
            self.assertEqual(answer.read(), DATA)
        self.assertEqual(shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops|NETDEV WATCHDOG'"), '')
        return seen.came, seen.went

    def test_queues(self):
        shell = self.start('-smp', '2', '-netdev', f'tap,id=n,ifname=tb0,queues=2,script={self.up},downscript=no',
                           '-device', 'virtio-net-pci,netdev=n,mq=on,rss=on,hash=on,vectors=6')
        came, went = self.check(shell, 'tb0')
        self.assertGreater(came, 10000)  # nobody cut what the guest sent, nor what it got
        self.assertGreater(went, 10000)
        queues = shell.run('grep virtio0 /proc/interrupts')
        for name in 'input.0', 'output.0', 'input.1', 'output.1':
            self.assertIn(name, queues)
        self.assertEqual(shell.end(), 0)

    def test_e1000e(self):
        shell = self.start('-netdev', f'tap,id=n,ifname=tb1,script={self.up},downscript=no',
                           '-device', 'e1000e,netdev=n')
        came, went = self.check(shell, 'tb1')
        self.assertGreater(came, 10000)  # its segments, too
        self.assertLessEqual(went, 1514)
        self.assertEqual(shell.end(), 0)


if __name__ == '__main__':
    if namespace.MARK not in os.environ:
        with contextlib.suppress(subprocess.CalledProcessError):  # there is no archive where it goes
            guest.kernel(flavour='generic')
            guest.package('busybox-static', 'bin', 'busybox')
    namespace.enter()
    house.main()
