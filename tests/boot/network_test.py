# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel with a network adapter: DHCP, HTTP both ways through the user network, two guests on a wire."""
import hashlib
import http.server
import os
import random
import shutil
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

SECONDS = 600
SEABIOS = '/usr/share/seabios/bios-256k.bin'
IPXE = '/usr/lib/ipxe/qemu/efi-virtio.rom'
TCPDUMP = ['tcpdump', 'libpcap0.8', 'libssl3', 'libdbus-1-3', 'libsystemd0', 'libcap2', 'libgcrypt20', 'liblzma5',
           'libzstd1', 'liblz4-1', 'libgpg-error0', 'libc6']
DATA = random.Random(5).randbytes(4 << 20)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', str(len(DATA)))
        self.end_headers()
        self.wfile.write(DATA)

    def log_message(self, *_):
        pass


class Network(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        try:
            cls.kernel = guest.kernel(flavour='generic')
            cls.archive = os.path.join(cls.folder.name, 'initramfs')
            script = os.path.join(cls.folder.name, 'script')
            with open(script, 'w', encoding='ascii') as file:
                file.write(guest.DHCP_SCRIPT)
            guest.shell(cls.archive, files={'script': script,
                                            **guest.modules(cls.kernel, guest.NETWORK_MODULES, cls.folder.name)})
        except subprocess.CalledProcessError as error:
            raise unittest.SkipTest('Linux or busybox-static cannot be fetched from the package '
                                    'archive') from error

    def start(self, *args, append='', board='q35'):
        shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', board, '-m', '256', '-serial', 'stdio', '-kernel', self.kernel,
             '-initrd', self.archive, '-append', f'console=ttyS0 quiet reboot=t {guest.LINUX_OPTIONS} {append}', *args],
            SECONDS)
        shell.wait_for(guest.PROMPT)
        for name in guest.NETWORK_MODULES:
            shell.run(f'[ -f /{name}.ko ] && insmod /{name}.ko')
        self.assertEqual(shell.run('cat /sys/class/net/eth0/address'), '52:54:00:12:34:56')
        return shell

    def check_user(self, device, *args, **more):
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        with socket.create_server(('127.0.0.1', 0)) as free:
            port = free.getsockname()[1]
        shell = self.start('-netdev', f'user,id=n,hostfwd=tcp:127.0.0.1:{port}-:80',
                           '-device', f'{device},netdev=n', *args, **more)
        self.assertIn('lease 10.0.2.15 10.0.2.2 10.0.2.3',
                      shell.run('ip link set eth0 up; udhcpc -i eth0 -s /script -q -n'))
        self.assertIn(' 0% packet loss', shell.run('ping -c 2 10.0.2.2'))
        url = f'http://10.0.2.2:{server.server_port}/'
        self.assertIn(hashlib.md5(DATA).hexdigest(), shell.run(f'wget -q -O- {url} | md5sum'))
        # And the other way: a server in the guest.
        shell.run(f'mkdir /www; wget -q -O /www/data {url}')
        shell.run('httpd -p 80 -h /www')
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/data', timeout=SECONDS) as answer:
            self.assertEqual(answer.read(), DATA)
        self.assertEqual(shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops|NETDEV WATCHDOG|DMAR:.*fault'"), '')
        return shell

    def dumped(self, path, expression):
        """What tcpdump of Debian makes of frames that filter-dump wrote."""
        try:
            files = guest.programs(['tcpdump'], TCPDUMP)
        except subprocess.CalledProcessError as error:
            raise unittest.SkipTest('tcpdump cannot be fetched from the package archive') from error
        done = subprocess.run([*guest.here(files, 'tcpdump'), '-Z', 'root', '-n', '-vv', '-r', path, expression],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertNotIn('truncated dump', done.stderr)
        return done.stdout

    def test_services(self):
        """What stands at addresses of the user network, and that nothing else does; all seen by tcpdump."""
        dump, line = (os.path.join(self.folder.name, name) for name in ('dump', 'line'))
        with open(os.path.join(self.folder.name, 'file'), 'wb') as file:
            file.write(DATA[:100000])
        service = socket.socket(socket.AF_UNIX)
        self.addCleanup(service.close)
        service.bind(line)
        service.listen(1)
        shell = self.start('-netdev', f'user,id=n,restrict=on,tftp={self.folder.name},ipv6-net=fd01::/64,'
                           'net=10.5.0.0/16,guestfwd=tcp:10.5.0.9:80-cmd:echo who,'
                           f'guestfwd=tcp:10.5.0.9:81-unix:{line}', '-device', 'virtio-net-pci,netdev=n',
                           '-object', f'filter-dump,id=f,netdev=n,file={dump}')
        self.assertIn('lease 10.5.2.15', shell.run('ip link set eth0 up; udhcpc -i eth0 -s /script -q -n'))
        self.assertEqual(shell.run('nc 10.5.0.9 80 </dev/null'), 'who')
        peer, _ = service.accept()
        peer.sendall(b'there\n')
        self.assertEqual(shell.run('echo back | nc 10.5.0.9 81 | { read x; echo $x; killall nc; }').split()[0], 'there')
        self.assertEqual(peer.recv(5), b'back\n')
        peer.close()
        self.assertIn(hashlib.md5(DATA[:100000]).hexdigest(),
                      shell.run('tftp -g -r file -l /got 10.5.2.2; md5sum </got'))
        shell.run('until ip -6 addr show dev eth0 | grep fd01 | grep -v tentative; do sleep 0.1; done')
        self.assertIn(' 0% packet loss', shell.run('ping -c 2 fd01::2'))
        with socket.create_server(('127.0.0.1', 0)) as other:
            shell.run(f'nc -w 2 10.5.2.2 {other.getsockname()[1]} </dev/null')
            other.setblocking(False)
            self.assertRaises(BlockingIOError, other.accept)
        self.assertEqual(shell.end(), 0)
        for expression, want in (('tcp and src host 10.5.0.9', 'length 6'), ('udp port 67', 'Your-IP 10.5.2.15'),
                                 ('udp port 69', 'RRQ "file" octet'), ('icmp6', 'echo reply'), ('arp', 'Reply 10.5.2.2'),
                                 ('icmp6', 'router advertisement')):
            text = self.dumped(dump, expression)
            self.assertIn(want, text)
            self.assertNotRegex(text, r'incorrect|\bbad\b')  # and there is "8bad" in dumps of random numbers

    def test_user(self):
        self.assertEqual(self.check_user('virtio-net-pci').end(), 0)

    def test_e1000e(self):
        shell = self.check_user('e1000e')
        # Three vectors, each of which has been used; no error of any kind.
        counts = [sum(map(int, line.split()[1:2])) for line in
                  shell.run('grep eth0 /proc/interrupts').splitlines()]
        self.assertTrue(len(counts) == 3 and all(counts), counts)
        self.assertEqual(shell.run('cat /sys/class/net/eth0/statistics/[rt]x_*err* | sort -u').strip(), '0')
        self.assertEqual(shell.run('cat /sys/class/net/eth0/speed'), '1000')
        self.assertEqual(shell.end(), 0)

    def test_e1000(self):
        shell = self.check_user('e1000', board='pc')
        self.assertRegex(shell.run('grep eth0 /proc/interrupts'), r'[1-9]\d* +IO-APIC')
        self.assertEqual(shell.end(), 0)

    def test_e1000e_behind_iommu(self):
        shell = self.check_user('e1000e', '-device', 'intel-iommu,intremap=on',
                                append='intel_iommu=on iommu.strict=1')
        self.assertIn('iommu_group', shell.run('ls /sys/class/net/eth0/device/'))
        self.assertEqual(shell.end(), 0)

    @unittest.skipUnless(os.path.exists(IPXE) and os.path.exists(SEABIOS),
                         'the packages ipxe-qemu and seabios are not installed')
    def test_boot(self):
        """iPXE from the card's own ROM gets a script, a kernel and its archive by TFTP."""
        for name, path in ('kernel', self.kernel), ('archive', self.archive):
            shutil.copy(path, os.path.join(self.folder.name, name))
        with open(os.path.join(self.folder.name, 'start.ipxe'), 'w', encoding='ascii') as file:
            file.write(f'#!ipxe\nkernel kernel console=ttyS0 quiet reboot=t {guest.LINUX_OPTIONS} from-network\n'
                       'initrd archive\nboot\n')
        for board, device in ('pc', 'e1000'), ('q35', 'e1000e'), ('q35', 'virtio-net-pci'):
            with self.subTest(device):
                shell = guest.Terminal(
                    [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
                     '-M', board, '-m', '256', '-serial', 'stdio', '-netdev',
                     f'user,id=n,tftp={self.folder.name},bootfile=start.ipxe', '-device',
                     f'{device},netdev=n,bootindex=0'], SECONDS)
                shell.wait_for(guest.PROMPT)
                self.assertIn('from-network', shell.run('cat /proc/cmdline'))
                self.assertEqual(shell.end(), 0)

    def test_two_guests(self):
        path = os.path.join(self.folder.name, 'wire')
        wire = f'stream,id=n,addr.type=unix,addr.path={path}'
        left = self.start('-netdev', wire + ',server=on', '-device', 'virtio-net-pci,netdev=n,packed=on')
        right = self.start('-netdev', wire, '-device', 'virtio-net-pci,netdev=n,mrg_rxbuf=off')
        # Two processes know nothing of each other: both took the first address.
        right.run('ip link set eth0 address 52:54:00:00:00:02')
        for shell, address in (left, '10.1.1.1'), (right, '10.1.1.2'):
            shell.run(f'ip link set eth0 up; ip addr add {address}/24 dev eth0')
        left.run('dd if=/dev/urandom of=/tmp/data bs=1M count=2 2>/dev/null')
        left.run('nc -l -p 99 -e cat /tmp/data &')
        self.assertIn(' 0% packet loss', right.run('ping -c 2 10.1.1.1'))
        self.assertEqual(right.run('nc 10.1.1.1 99 </dev/null | md5sum').split()[0],
                         left.run('md5sum </tmp/data').split()[0])
        for shell in left, right:
            self.assertEqual(shell.end(), 0)


if __name__ == '__main__':
    house.main()
