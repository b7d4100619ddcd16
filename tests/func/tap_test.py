# SPDX-License-Identifier: GPL-2.0-or-later
"""TAP interfaces and bridges, in a network namespace of the test's own: frames go between packet sockets of
the host and a datagram socket at the same hub."""
import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import namespace  # noqa: E402
import virtio_net  # noqa: E402
from virtio_pci import DEVICE  # noqa: E402
from vm import TIMEOUT, QmpError, Vm, refusal  # noqa: E402

TUNSETOFFLOAD, SUM, USO4, USO6 = 0x400454d0, 1, 0x20, 0x40
TUNSETIFF, TAP, NO_PI, MULTI_QUEUE, VNET_HDR = 0x400454ca, 2, 0x1000, 0x100, 0x4000
HELPER = os.path.join(os.environ['BINARIES'], 'qemu-bridge-helper')
ALL = 3  # ETH_P_ALL
FRAME = bytes.fromhex('ffffffffffff52540012345688b5') + bytes(range(100))
ANSWER = bytes.fromhex('ffffffffffff525400abcdef88b5') + bytes(range(70))


def ip(*words):
    subprocess.run(['ip', *words], check=True)


def open_tap(name, flags=0):
    fd = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH22x', name.encode(), TAP | NO_PI | flags))
    return fd


class Taps(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def file(self, name, text, mode=0o755):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def script(self, name):
        """Brings the interface up; says that it ran."""
        return self.file(name, f'#!/bin/sh\necho "$1" >>{self.folder}/{name}.ran\n'
                               'case $0 in *up) ip link set "$1" up ;; esac\n')

    def ran(self, name):
        with open(os.path.join(self.folder, name + '.ran'), encoding='ascii') as file:
            return file.read().split()

    def machine(self, netdev, *args, **more):
        """With `netdev`, whose id is t, and our end at one hub."""
        near, far = (os.path.join(self.folder, name) for name in ('near', 'far'))
        self.wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.wire.close)
        self.wire.bind(far)
        self.wire.settimeout(TIMEOUT)
        vm = self.enterContext(Vm(
            house.binary(), '-M', 'none', '-netdev', netdev, '-netdev',
            f'dgram,id=d,local.type=unix,local.path={near},remote.type=unix,remote.path={far}', '-netdev',
            'hubport,id=h0,hubid=0,netdev=t', '-netdev', 'hubport,id=h1,hubid=0,netdev=d', *args, **more))
        self.wire.connect(near)
        return vm

    def check_wire(self, name):
        """Frames pass both ways."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL)) as host:
            host.bind((name, ALL))
            host.settimeout(TIMEOUT)
            host.send(FRAME)
            while self.wire.recv(65536) != FRAME:
                pass  # the host's own: neighbours' solicitations
            self.wire.send(ANSWER)
            while host.recv(65536) != ANSWER:
                pass

    def test_scripts(self):
        up, down = self.script('up'), self.script('down')
        vm = self.machine(f'tap,id=t,ifname=tt0,script={up},downscript={down}')
        self.assertEqual(self.ran('up'), ['tt0'])
        self.check_wire('tt0')
        self.assertIn(f't: index=0,type=tap,ifname=tt0,script={up},downscript={down}',
                      vm.qmp.hmp('info network'))
        vm.qmp('netdev_add', type='tap', id='u', script='no', downscript=down)
        self.assertIn('u: index=0,type=tap,ifname=tap0,script=no,', vm.qmp.hmp('info network'))
        vm.qmp('netdev_del', id='u')
        self.assertEqual(self.ran('down'), ['tap0'])
        vm.end()
        self.assertEqual(self.ran('down'), ['tap0', 'tt0'])
        self.assertNotIn('tt0', os.listdir('/sys/class/net'))

    def test_descriptors(self):
        fd = open_tap('tt1', VNET_HDR)
        ip('link', 'set', 'tt1', 'up')
        self.machine(f'tap,id=t,fd={fd}', pass_fds=(fd,))
        self.check_wire('tt1')
        os.close(fd)

    def test_named_descriptor(self):
        up = self.script('up')
        vm = self.machine(f'tap,id=t,ifname=tt2,script={up},downscript=no')
        fds = [open_tap('tt3', MULTI_QUEUE) for _ in range(2)]
        for n, fd in enumerate(fds):
            vm.qmp('getfd', fds=(fd,), fdname=f'q{n}')
            os.close(fd)
        vm.qmp.run('netdev_add', {'type': 'tap', 'id': 'u', 'fds': 'q0:q1'})
        self.assertIn('u: index=1,type=tap,fds=q0:q1', vm.qmp.hmp('info network'))
        self.assertIn('tt3', os.listdir('/sys/class/net'))
        vm.qmp('netdev_del', id='u')
        self.assertNotIn('tt3', os.listdir('/sys/class/net'))
        with self.assertRaisesRegex(QmpError, "named 'q9' has not been found"):
            vm.qmp('netdev_add', type='tap', id='u', fd='q9')

    def test_without_headers(self):
        self.machine(f'tap,id=t,ifname=tt4,script={self.script("up")},downscript=no,vnet_hdr=off,sndbuf=100000')
        self.check_wire('tt4')

    def test_fragments(self):
        """Frames of a burst that a way takes in pieces alone."""
        ip('link', 'set', 'lo', 'mtu', '1500')
        self.addCleanup(ip, 'link', 'set', 'lo', 'mtu', '65536')
        ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(ours.close)
        ours.settimeout(TIMEOUT)
        ours.bind(('127.0.0.1', 0))
        self.machine(f'socket,id=t,localaddr=127.0.0.1:0,udp=127.0.0.1:{ours.getsockname()[1]}',
                     '-netdev', f'stream,id=s,server=on,addr.type=unix,addr.path={self.folder}/s',
                     '-netdev', 'hubport,id=h2,hubid=0,netdev=s')
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(f'{self.folder}/s')
            for size in 1500, 9000, 1472, 1473, 60:
                frames = [bytes([n]) * size for n in range(5)]
                line.sendall(b''.join(struct.pack('>I', size) + frame for frame in frames))
                self.assertEqual([ours.recv(65536) for _ in frames], frames)

    def adapter(self, netdev, options, features, pairs=1):
        """A driver of virtio-net whose other end is an interface."""
        vm = self.enterContext(Vm(
            house.binary(), '-M', 'q35', '-nodefaults', '-m', '64', '-netdev', netdev, '-device',
            f'virtio-net-pci,netdev=t,addr=4,mac=52:54:00:12:34:56,disable-legacy=on{options}', qtest=True))
        return virtio_net.Driver(vm, None, (virtio_net.CTRL_VQ, *features), pairs)

    def test_queues(self):
        """How many are used changes while frames pass."""
        driver = self.adapter(f'tap,id=t,ifname=tt5,queues=2,script={self.script("up")},downscript=no',
                              ',mq=on,vectors=6', (virtio_net.MQ,), pairs=2)
        self.assertEqual(driver.function.get(DEVICE, 8, 2), 2)
        host = self.enterContext(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL)))
        host.bind(('tt5', ALL))
        host.settimeout(TIMEOUT)
        flows = [virtio_net.ether(virtio_net.ipv4(17, struct.pack('>HHHH', 1000 + n, 53, 48, 0) + bytes(40)))
                 for n in range(32)]
        early = virtio_net.ether(b'early' + bytes(60), kind=0x88b5)
        driver.send(early, pair=1)  # which is not in use
        driver.vm.qmp('query-status')
        self.assertIsNone(driver.queues[3].take())
        for pairs in 2, 1, 2:
            self.assertEqual([driver.ask(4, 0, struct.pack('<H', n)) for n in (0, 3, 0xffff)], [False] * 3)
            self.assertTrue(driver.ask(4, 0, struct.pack('<H', pairs)))
            if early:
                driver.queues[3].wait()
                while host.recv(65536) != early:
                    pass
                early = None
            self.assertEqual(self.who_gets(driver, host, flows), set(range(pairs)))

    def who_gets(self, driver, host, frames):
        """Pairs whose queues such frames come to."""
        found = set()
        for frame in frames:
            for pair in range(2):
                queue = driver.queues[2 * pair]
                while queue.next - queue.used < queue.size:
                    queue.add([(self.place(pair, queue.next % queue.size), 2048, True)])
                driver.kick(2 * pair)
            host.send(frame)
            found.add(self.taker(driver, frame))
        return found

    @staticmethod
    def place(pair, n):
        return virtio_net.DATA + 0x8000 + 0x8000 * pair + 0x800 * n

    def taker(self, driver, frame):
        while True:
            for pair in range(2):
                used = driver.queues[2 * pair].take()
                if used and driver.queues[2 * pair].read(self.place(pair, used[0]) + 12, len(frame)) == frame:
                    return pair

    def test_datagrams_in_one(self):
        """Several datagrams that the driver sends as one (USO)."""
        fd = open_tap('tt6', VNET_HDR)
        try:
            fcntl.ioctl(fd, TUNSETOFFLOAD, SUM | USO4 | USO6)
        except OSError:
            self.skipTest('the kernel takes no segments of UDP from interfaces')
        finally:
            os.close(fd)
        driver = self.adapter(f'tap,id=t,ifname=tt6,script={self.script("up")},downscript=no', '',
                              (virtio_net.SUM, virtio_net.HOST_USO))
        for bit in virtio_net.HOST_USO, virtio_net.GUEST_USO4, virtio_net.GUEST_USO6:
            self.assertTrue(driver.offered & 1 << bit)
        ip('addr', 'add', '10.7.6.1/24', 'dev', 'tt6')
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(('10.7.6.1', 777))
            server.settimeout(TIMEOUT)
            data = bytes(range(250))
            packet = virtio_net.ipv4(17, struct.pack('>HHHH', 1, 777, 8 + len(data), 0) + data, '10.7.6.2', '10.7.6.1')
            packet = packet[:10] + struct.pack('>H', virtio_net.checksum(packet[:20])) + packet[12:]
            pseudo = packet[12:20] + struct.pack('>HH', 17, 8 + len(data))
            packet = packet[:26] + struct.pack('>H', ~virtio_net.checksum(pseudo) & 0xffff) + packet[28:]
            with open('/sys/class/net/tt6/address', encoding='ascii') as file:
                mac = bytes.fromhex(file.read().strip().replace(':', ''))
            driver.send(virtio_net.ether(packet, dest=mac), struct.pack('<BBHHHH', 1, 5, 42, 100, 34, 6))
            self.assertEqual([server.recv(1000) for _ in range(3)], [data[:100], data[100:200], data[200:]])

    @staticmethod
    def segment(number, data, flags=0x10, port=4000, ack=7, options=b'', is_ipv6=False, ttl=64):
        """A frame with a segment of TCP, its checksums in place."""
        tcp = struct.pack('>HHIIBBHHH', 80, port, number, ack, (20 + len(options)) << 2, flags, 500, 0, 0)
        tcp += options + data
        addresses = (bytes(range(32)) if is_ipv6 else socket.inet_aton('10.7.7.1') + socket.inet_aton('10.7.7.2'))
        pseudo = addresses + struct.pack('>HH', 6, len(tcp))
        total = virtio_net.checksum(pseudo + tcp + bytes(len(tcp) % 2))
        tcp = tcp[:16] + struct.pack('>H', total) + tcp[18:]
        if is_ipv6:
            return virtio_net.ether(struct.pack('>IHBB', 6 << 28, len(tcp), 6, ttl) + addresses + tcp, kind=0x86dd)
        head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(tcp), number & 0xffff, 0x4000, ttl, 6, 0) + addresses
        return virtio_net.ether(head[:10] + struct.pack('>H', virtio_net.checksum(head)) + head[12:] + tcp)

    def test_segments_in_one(self):
        """What follows each other comes as one (RSC), after a while or when something else comes."""
        driver = self.adapter(f'tap,id=t,ifname=tt7,script={self.script("up")},downscript=no',
                              ',guest_rsc_ext=on,rsc_interval=1000000',
                              (0, 1, 7, 8, 11, virtio_net.MERGED, virtio_net.OFFLOADS, 61))
        self.assertTrue(driver.offered & 1 << 61)
        host = self.enterContext(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL)))
        host.bind(('tt7', ALL))
        queue, room = driver.queues[0], 0x4000
        base = virtio_net.DATA + 0x8000

        def refill():
            while queue.next - queue.used < queue.size:
                queue.add([(base + room * (queue.next % queue.size), room, True)])
            driver.kick(0)

        def take(step=0):
            """(header's fields, frame) of the next one with an address of ours."""
            while True:
                used = queue.take()
                if not used:
                    driver.vm.qmp('query-status')
                    driver.vm.qtest(f'clock_step {step}')
                    continue
                data = queue.read(base + room * used[0], used[1])
                fields = struct.unpack('<BBHHHHH', data[:12])
                for _ in range(fields[6] - 1):
                    ident, size = queue.wait()
                    data += queue.read(base + room * ident, size)
                if data[12:18] == virtio_net.OWN:
                    return fields, data[12:]

        def flush(step=2000000):
            return take(step)

        data = [bytes([n]) * 1000 for n in range(1, 6)]
        for is_ipv6, kind, header in (False, 1, 54), (True, 4, 74):
            with self.subTest(is_ipv6=is_ipv6):
                refill()
                for n in range(3):
                    host.send(self.segment(1000 * n, data[n], is_ipv6=is_ipv6))
                host.send(self.segment(3000, data[3][:500], is_ipv6=is_ipv6))  # a short one ends it
                fields, frame = take()
                self.assertEqual(fields, (4, kind, header, 1000, 4, 0, 1))
                whole = self.segment(0, b''.join(data[:3]) + data[3][:500], is_ipv6=is_ipv6)
                self.assertEqual(frame, whole)
                # PSH is seen at once, and is the whole's.
                host.send(self.segment(0, data[0], is_ipv6=is_ipv6))
                host.send(self.segment(1000, data[1], flags=0x18, is_ipv6=is_ipv6))
                fields, frame = take()
                whole = self.segment(0, b''.join(data[:2]), flags=0x18, is_ipv6=is_ipv6)
                self.assertEqual((fields[4], frame), (2, whole))
                # One alone waits for its time, and comes as it was.
                alone = self.segment(5, data[2], is_ipv6=is_ipv6)
                host.send(alone)
                self.assertEqual(flush(), ((0, 0, 0, 0, 0, 0, 1), alone))
        # What is not the next, or differs, comes behind what is held; other connections do not matter.
        for other in (self.segment(7000, data[1]), self.segment(1000, data[1], ack=8),
                      self.segment(1000, data[1], ttl=63), self.segment(1000, data[1], flags=0x11),
                      self.segment(1000, b''), self.segment(1000, data[1] + b'x'),
                      self.segment(1000, data[1], options=bytes((1, 1, 8, 10)) + bytes(8))):
            refill()
            first = self.segment(0, data[0])
            host.send(first)
            host.send(self.segment(0, data[3], port=4001))
            host.send(other)
            found = [flush()[1] for _ in range(3)]
            self.assertLess(found.index(first), found.index(other))
        refill()
        options = [self.segment(1000 * n, data[n], options=bytes((1, 1, 8, 10)) + bytes(8)) for n in range(2)]
        for frame in options:
            host.send(frame)
        self.assertEqual(flush()[0], (4, 1, 66, 1000, 2, 0, 1))
        wrong = self.segment(1000, data[1])
        wrong = wrong[:-1] + b'?'
        host.send(self.segment(0, data[0]))
        host.send(wrong)
        self.assertEqual([flush()[1] for _ in range(2)], [self.segment(0, data[0]), wrong])
        # As much as a packet can be; then the driver is late with buffers.
        while queue.take():
            pass
        refill()
        for n in range(66):
            host.send(self.segment(1000 * n, bytes([n]) * 1000))
        fields, frame = flush()
        self.assertEqual((fields[4], fields[6], len(frame)), (65, 4, 14 + 40 + 65000))
        self.assertEqual(flush()[0][4], 0)
        self.assertTrue(driver.ask(5, 0, struct.pack('<Q', 1 << 1)))  # no longer
        refill()
        for n in range(2):
            host.send(self.segment(1000 * n, data[n]))
        self.assertEqual([take()[1] for n in range(2)], [self.segment(1000 * n, data[n]) for n in range(2)])

    def test_refusals(self):
        failing = self.file('failing', '#!/bin/sh\nexit 3\n')
        for want, *args in (
                ('invalid with fd=', '-netdev', 'tap,id=t,fd=9,ifname=x'),
                ('invalid with fds=', '-netdev', 'tap,id=t,fds=9:10,queues=2'),
                ('invalid with helper=', '-netdev', 'tap,id=t,helper=/bin/true,vnet_hdr=on'),
                ("'77' is not open", '-netdev', 'tap,id=t,fd=77'),
                ('vhost=on is not there', '-netdev', 'tap,id=t,vhost=on'),
                ('queues= must be from 1', '-netdev', 'tap,id=t,queues=0'),
                ('too long', '-netdev', 'tap,id=t,ifname=abcdefghijklmnop'),
                ('failed with status 3', '-netdev', f'tap,id=t,script={failing}'),
                ('could not launch network script', '-netdev', 'tap,id=t,script=/nothing'),
                ('could not get TAP interface', '-netdev', 'tap,id=t,fd=0'),
                ('bridge helper /bin/true gave no', '-netdev', 'tap,id=t,helper=/bin/true'),
                ('bridge helper /bin/false failed', '-netdev', 'bridge,id=t,helper=/bin/false')):
            with self.subTest(want):
                self.assertRegex(refusal(house.binary(), '-M', 'none', *args), want)

    # --- the helper ---

    def permit(self, *lines):
        os.makedirs('/etc/qemu', exist_ok=True)
        with open('/etc/qemu/bridge.conf', 'w', encoding='ascii') as file:
            file.write('\n'.join(lines) + '\n')

    def bridge(self, name, mtu=1400):
        ip('link', 'add', name, 'type', 'bridge')
        self.addCleanup(ip, 'link', 'del', name)
        ip('link', 'set', name, 'mtu', str(mtu), 'up')

    def test_bridge(self):
        self.bridge('br7')
        self.permit('# ours', 'deny br8', f'include {self.file("more.conf", "allow br7")}')
        vm = self.machine(f'bridge,id=t,br=br7,helper={HELPER}')
        self.check_wire('br7')
        port, = os.listdir('/sys/class/net/br7/brif')
        with open(f'/sys/class/net/{port}/mtu', encoding='ascii') as file:
            self.assertEqual(file.read().strip(), '1400')
        with open(f'/sys/class/net/{port}/address', encoding='ascii') as file:
            self.assertTrue(file.read().startswith('fe:'))
        self.assertIn(f'helper={HELPER},br=br7', vm.qmp.hmp('info network'))

    def test_bridge_of_tap(self):
        self.bridge('br7')
        self.permit('allow all')
        self.machine(f'tap,id=t,br=br7,helper={HELPER}')
        self.check_wire('br7')

    def test_denied(self):
        self.bridge('br7')
        for lines in (), ('allow br8',), ('allow all', 'deny br7'), ('deny all', 'allow br7'):
            self.permit(*lines)
            done = subprocess.run([HELPER, '--br=br7', '--fd=0'], stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn('access denied by acl file', done.stderr)
        for line in 'permit br7', 'allow':
            self.permit(line)
            self.assertEqual(subprocess.run([HELPER, '--br=br7', '--fd=0'], stderr=subprocess.DEVNULL,
                                            check=False).returncode, 1)
        self.assertEqual(os.listdir('/sys/class/net/br7/brif'), [])


if __name__ == '__main__':
    namespace.enter('/etc')
    house.main()
