# SPDX-License-Identifier: GPL-2.0-or-later
"""iperf3 of Debian in a guest: TCP both ways and UDP, over a TAP interface with frames of 1500 and 9000 bytes,
the user network, and a wire between two guests; adapters that come and go meanwhile."""
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
import namespace  # noqa: E402
from network_test import MODULES, SCRIPT  # noqa: E402
from vm import Qmp  # noqa: E402

SECONDS = 300
PACKAGES = ['iperf3', 'libiperf0', 'libsctp1', 'libssl3', 'libc6']
UP = """#!/bin/sh
ip addr add 10.7.0.1/24 dev "$1"
ip link set "$1" mtu 9000 up
"""
ERRORS = "dmesg | grep -E 'WARNING:|BUG:|Oops|NETDEV WATCHDOG|Hardware Error'"


class Traffic(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        try:
            cls.kernel = guest.kernel(flavour='generic')
            cls.programs = guest.programs(['iperf3'], PACKAGES)
        except subprocess.CalledProcessError as error:
            raise unittest.SkipTest('Linux, iperf3 or busybox-static cannot be fetched from the package '
                                    'archive') from error
        cls.archive = cls.file('initramfs')
        guest.shell(cls.archive, files={'script': cls.file('script', SCRIPT), **cls.programs,
                                        **guest.modules(cls.kernel, MODULES, cls.folder)})

    @classmethod
    def file(cls, name, text=''):
        path = os.path.join(cls.folder, name)
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def start(self, *args):
        shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
             '-M', 'pc', '-m', '256', '-serial', 'stdio', '-kernel', self.kernel, '-initrd', self.archive,
             '-append', 'console=ttyS0 quiet reboot=t panic=-1', *args], SECONDS)
        shell.wait_for(guest.PROMPT)
        for name in MODULES:
            shell.run(f'[ -f /{name}.ko ] && insmod /{name}.ko')
        return shell

    def serve(self):
        """A server here, with the guest's program; its port."""
        libraries = sorted({os.path.dirname(path) for name, path in self.programs.items() if name.startswith('lib/')})
        loader = next(path for name, path in self.programs.items() if name.startswith('lib64/'))
        with socket.create_server(('127.0.0.1', 0)) as free:
            port = free.getsockname()[1]
        server = subprocess.Popen([loader, '--library-path', ':'.join(libraries), self.programs['bin/iperf3'], '-s',
                                   '-p', str(port), '--forceflush'], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.communicate)
        self.addCleanup(server.kill)
        while 'listening' not in server.stdout.readline():
            pass
        return port

    def measure(self, shell, to, port, *options):
        """Bits per second that came, of a run of iperf3 in the guest."""
        out = shell.run(f'iperf3 -c {to} -p {port} -t 2 -J {" ".join(options)} | tr -d "\\t\\n"; echo')
        end = json.loads(re.search(r'\{.*\}', out)[0])['end']
        rate = (end.get('sum_received') or end['sum'])['bits_per_second']
        print(f'{self.id().split(".")[-1]} {" ".join(options)}: {rate / 1e6:.0f} Mbit/s', file=sys.stderr)
        self.assertGreater(rate, 1e6)

    def measure_all(self, shell, to, port):
        self.measure(shell, to, port)
        self.measure(shell, to, port, '-R')
        self.measure(shell, to, port, '-u', '-b', '20M')

    def finish(self, *shells):
        for shell in shells:
            self.assertEqual(shell.run(ERRORS), '')
            self.assertEqual(shell.end(), 0)

    def check_tap(self, name, device, mtu):
        shell = self.start('-netdev', f'tap,id=n,ifname={name},script={self.file("up", UP)},downscript=no',
                           '-device', f'{device},netdev=n')
        shell.run(f'ip link set eth0 mtu {mtu} up; ip addr add 10.7.0.2/24 dev eth0; ping -c 3 10.7.0.1')
        self.assertIn(' 0% packet loss', shell.run(f'ping -c 2 -s {mtu - 28} 10.7.0.1'))
        self.measure_all(shell, '10.7.0.1', self.serve())
        self.finish(shell)

    def test_tap_virtio(self):
        self.check_tap('it0', 'virtio-net-pci', 9000)

    def test_tap_e1000e(self):
        self.check_tap('it1', 'e1000e', 9000)

    def test_tap_e1000(self):
        self.check_tap('it2', 'e1000', 1500)

    def test_user(self):
        shell = self.start('-netdev', 'user,id=n', '-device', 'e1000e,netdev=n')
        self.assertIn('lease 10.0.2.15', shell.run('ip link set eth0 up; udhcpc -i eth0 -s /script -q -n'))
        self.measure_all(shell, '10.0.2.2', self.serve())
        self.finish(shell)

    def test_socket(self):
        path = os.path.join(self.folder, 'wire')
        wire = f'stream,id=n,addr.type=unix,addr.path={path}'
        left = self.start('-netdev', wire + ',server=on', '-device', 'virtio-net-pci,netdev=n,mac=52:54:00:00:00:01')
        right = self.start('-netdev', wire, '-device', 'e1000e,netdev=n,mac=52:54:00:00:00:02')
        for shell, address in (left, '10.1.1.1'), (right, '10.1.1.2'):
            shell.run(f'ip link set eth0 mtu 9000 up; ip addr add {address}/24 dev eth0; ip link set lo up')
        left.run('iperf3 -s -D')
        right.run('ping -c 3 10.1.1.1')
        self.assertIn(' 0% packet loss', right.run('ping -c 2 -s 8972 10.1.1.1'))
        self.measure_all(right, '10.1.1.1', 5201)
        self.finish(left, right)

    def test_come_and_go(self):
        """Adapters are unplugged while they send and receive."""
        path = os.path.join(self.folder, 'qmp')
        port = self.serve()
        shell = self.start('-netdev', 'user,id=n', '-qmp', f'unix:{path},server=on,wait=off')
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(path)
            qmp = Qmp(sock)
            for n, driver in enumerate(('e1000e', 'virtio-net-pci', 'e1000') * 2):
                qmp('device_add', driver=driver, id=f'd{n}', netdev='n')
                shell.run('while ! [ -e /sys/class/net/eth0 ]; do sleep 0.1; done')
                self.assertIn('lease', shell.run('ip link set eth0 up; udhcpc -i eth0 -s /script -q -n'))
                shell.run(f'iperf3 -c 10.0.2.2 -p {port} -t 100 --bidir >/dev/null 2>&1 &')
                shell.run('sleep 1')
                qmp('device_del', id=f'd{n}')
                qmp.wait_event('DEVICE_DELETED')
                shell.run('while [ -e /sys/class/net/eth0 ]; do sleep 0.1; done; killall -9 iperf3; sleep 1')
            qmp.close()
        self.finish(shell)


if __name__ == '__main__':
    if namespace.MARK not in os.environ:
        with contextlib.suppress(subprocess.CalledProcessError):  # there is no archive where it goes
            guest.kernel(flavour='generic')
            for name in ['busybox-static', *PACKAGES]:
                guest.package(name)
    namespace.enter()
    house.main()
