# SPDX-License-Identifier: GPL-2.0-or-later
"""iperf3 of Debian in a guest: TCP both ways and UDP, over a TAP interface with frames of 1500 and 9000 bytes,
the user network, and wires between two guests: nobody sees a wrong sum, nor sends all things twice. Adapters that
come and go meanwhile."""
import contextlib
import hashlib
import os
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
import iperf  # noqa: E402
import namespace  # noqa: E402
from vm import Qmp  # noqa: E402

UP = """#!/bin/sh
ip addr add 10.7.0.1/24 dev "$1"
ip link set "$1" mtu 9000 up
"""
ERRORS = "dmesg | grep -E 'WARNING:|BUG:|Oops|NETDEV WATCHDOG|Hardware Error'"
WRONG_SUMS = ('Ip', 'InHdrErrors'), ('Icmp', 'InCsumErrors'), ('Tcp', 'InCsumErrors'), ('Udp', 'InCsumErrors')
# Of all segments, those that are sent again may be: a host that is busy keeps acknowledgements back.
MOST_AGAIN = 0.05


def frame_bytes(path):
    """Of each frame of a pcap file, as it was on the wire."""
    with open(path, 'rb') as file:
        file.seek(24)
        while header := file.read(16):
            kept, size = struct.unpack('8xII', header)
            file.seek(kept, 1)
            yield size


class Traffic(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        try:
            cls.iperf = iperf.Iperf(cls.folder)
        except subprocess.CalledProcessError as error:
            raise unittest.SkipTest('Linux, iperf3 or busybox-static cannot be fetched from the package '
                                    'archive') from error
        cls.up = os.path.join(cls.folder, 'up')
        with open(cls.up, 'w', encoding='ascii') as file:
            file.write(UP)
        os.chmod(cls.up, 0o755)

    def start(self, *args):
        return self.iperf.start(house.binary(), *args)

    def serve(self):
        port, end = self.iperf.serve()
        self.addCleanup(end)
        return port

    def measure(self, shell, to, port, *options):
        end = iperf.run(shell, to, port, *options)
        print(f'{self.id().split(".")[-1]} {" ".join(options)}: {iperf.rate(end) / 1e6:.0f} Mbit/s', file=sys.stderr)
        self.assertGreater(iperf.rate(end), 1e6)

    def measure_all(self, shell, to, port, mtu=1500):
        self.measure(shell, to, port)
        self.measure(shell, to, port, '-R')
        for way in (), ('-R',):
            self.measure(shell, to, port, '-u', '-b', '20M', '-l', str(mtu - 28), *way)

    def check_counters(self, text):
        """Of one side, by its kernel."""
        seen = iperf.counters(text)
        for group, name in WRONG_SUMS:
            self.assertEqual(seen[group][name], 0, (group, name))
        self.assertLess(seen['Tcp']['RetransSegs'], 100 + MOST_AGAIN * seen['Tcp']['OutSegs'])

    def finish(self, *shells):
        for shell in shells:
            self.assertEqual(shell.run(ERRORS), '')
            self.check_counters(shell.run('cat /proc/net/snmp'))
            self.assertEqual(shell.end(), 0)

    def check_tap(self, name, device, mtu):
        shell = self.start('-netdev', f'tap,id=n,ifname={name},script={self.up},downscript=no',
                           '-device', f'{device},netdev=n')
        shell.run(f'ip link set eth0 mtu {mtu} up; ip addr add 10.7.0.2/24 dev eth0; ping -c 3 10.7.0.1')
        self.assertIn(' 0% packet loss', shell.run(f'ping -c 2 -s {mtu - 28} 10.7.0.1'))
        self.measure_all(shell, '10.7.0.1', self.serve(), mtu)
        self.finish(shell)
        with open('/proc/net/snmp', encoding='ascii') as file:
            self.check_counters(file.read())

    def test_tap_virtio(self):
        self.check_tap('it0', 'virtio-net-pci', 9000)

    def test_tap_e1000e(self):
        self.check_tap('it1', 'e1000e', 9000)

    def test_tap_e1000(self):
        self.check_tap('it2', 'e1000', 1500)

    def check_upload(self, shell):
        """What the guest sends is what comes here."""
        with socket.create_server(('127.0.0.1', 0)) as server:
            shell.run('dd if=/dev/urandom of=/up bs=64k count=128 2>/dev/null')
            shell.run(f'nc 10.0.2.2 {server.getsockname()[1]} </up >/dev/null &')
            client, _ = server.accept()
            with client, client.makefile('rb') as stream:
                came = hashlib.file_digest(stream, 'md5').hexdigest()
        self.assertEqual(shell.run('md5sum </up').split()[0], came)

    def check_user(self, device):
        """Segments of a stream to slirp, which answers each, are not cut."""
        dump = os.path.join(self.folder, device + '.pcap')
        shell = self.start('-netdev', 'user,id=n', '-device', f'{device},netdev=n',
                           '-object', f'filter-dump,id=f,netdev=n,file={dump},maxlen=64')
        self.assertIn('lease 10.0.2.15', shell.run('ip link set eth0 up; udhcpc -i eth0 -s /script -q -n'))
        self.check_upload(shell)
        self.measure_all(shell, '10.0.2.2', self.serve())
        self.finish(shell)
        self.assertGreater(max(frame_bytes(dump)), 1514)

    def test_user_e1000e(self):
        self.check_user('e1000e')

    def test_user_e1000(self):
        self.check_user('e1000')

    def check_wire(self, first, second):
        left = self.start('-netdev', first, '-device', 'virtio-net-pci,netdev=n,mac=52:54:00:00:00:01')
        right = self.start('-netdev', second, '-device', 'e1000e,netdev=n,mac=52:54:00:00:00:02')
        for shell, address in (left, '10.1.1.1'), (right, '10.1.1.2'):
            shell.run(f'ip link set eth0 mtu 9000 up; ip addr add {address}/24 dev eth0; ip link set lo up')
        left.run('iperf3 -s -D')
        right.run('ping -c 3 10.1.1.1')
        self.assertIn(' 0% packet loss', right.run('ping -c 2 -s 8972 10.1.1.1'))
        self.measure_all(right, '10.1.1.1', 5201, 9000)
        self.finish(left, right)

    def test_stream(self):
        wire = f'stream,id=n,addr.type=unix,addr.path={self.folder}/wire'
        self.check_wire(wire + ',server=on', wire)

    def test_dgram(self):
        ways = [f'addr.type=unix,addr.path={self.folder}/{name}' for name in ('left', 'right')]
        local, remote = ([way.replace('addr', name) for way in ways] for name in ('local', 'remote'))
        self.check_wire(f'dgram,id=n,{local[0]},{remote[1]}', f'dgram,id=n,{local[1]},{remote[0]}')

    def test_socket(self):
        with socket.create_server(('127.0.0.1', 0)) as free:
            port = free.getsockname()[1]
        self.check_wire(f'socket,id=n,listen=127.0.0.1:{port}', f'socket,id=n,connect=127.0.0.1:{port}')

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
            iperf.fetch()
    namespace.enter()
    house.main()
