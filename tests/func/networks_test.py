# SPDX-License-Identifier: GPL-2.0-or-later
"""Wires between processes: frames go in at one netdev of a hub and come out of the others."""
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import TIMEOUT, QmpError, Vm, refusal  # noqa: E402

FRAME = bytes(range(64))


def receive(sock, size):
    data = b''
    while len(data) < size:
        got = sock.recv(size - len(data))
        if not got:
            raise EOFError
        data += got
    return data


def get_frame(sock):
    size, = struct.unpack('>I', receive(sock, 4))
    return receive(sock, size)


def put_frame(sock, frame):
    sock.sendall(struct.pack('>I', len(frame)) + frame)


class Base(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def machine(self, *args, **more):
        vm = Vm(house.binary(), '-M', 'none', '-nodefaults', *args, **more)
        vm.__enter__()
        self.addCleanup(vm.__exit__, None, None, None)
        return vm

    def plug(self, vm, *ids):
        for name in ids:
            vm.qmp('netdev_add', type='hubport', id='port-' + name, hubid=0, netdev=name)

    def local(self, vm, name):
        """A stream netdev that listens, and our end of it."""
        path = self.path(name)
        vm.qmp('netdev_add', type='stream', id=name, server=True,
               addr={'type': 'unix', 'path': path})
        return self.connect(vm, name, path)

    def connect(self, vm, name, path):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(TIMEOUT)
        self.addCleanup(sock.close)
        sock.connect(path)
        event = vm.qmp.wait_event('NETDEV_STREAM_CONNECTED')
        self.assertEqual(event['data']['netdev-id'], name)
        self.assertEqual(event['data']['addr']['type'], 'unix')
        return sock

    def info(self, vm):
        return vm.qmp.hmp('info network')


class Wires(Base):
    def test_hub_of_streams(self):
        vm = self.machine()
        a, b = self.local(vm, 'a'), self.local(vm, 'b')
        self.plug(vm, 'a', 'b')
        put_frame(a, FRAME)
        self.assertEqual(get_frame(b), FRAME)
        for size in (1, 1514, 65536, 69632):
            put_frame(b, b'x' * size)
            self.assertEqual(get_frame(a), b'x' * size)

    def test_pieces(self):
        vm = self.machine()
        a, b = self.local(vm, 'a'), self.local(vm, 'b')
        self.plug(vm, 'a', 'b')
        stream = b''.join(struct.pack('>I', n) + bytes([n]) * n for n in range(1, 200))
        for at in range(0, len(stream), 7):
            a.sendall(stream[at:at + 7])
        for n in range(1, 200):
            self.assertEqual(get_frame(b), bytes([n]) * n)

    def test_impossible_length(self):
        vm = self.machine()
        for word in (0, 69633, 0xffffffff):
            name = f'a{word}'
            sock = self.local(vm, name)
            sock.sendall(struct.pack('>I', word))
            self.assertEqual(vm.qmp.wait_event('NETDEV_STREAM_DISCONNECTED')['data'],
                             {'netdev-id': name})
            self.assertEqual(sock.recv(1), b'')
            self.connect(vm, name, self.path(name)).close()
            vm.qmp.wait_event('NETDEV_STREAM_DISCONNECTED')

    def test_nobody_reads(self):
        """A sender waits for the one peer, which does not read, and loses no frame; the monitor does not wait."""
        vm = self.machine()
        a, b = self.local(vm, 'a'), self.local(vm, 'b')
        self.plug(vm, 'a', 'b')
        frames = [struct.pack('>I', n) * 250 for n in range(4000)]
        sender = threading.Thread(target=lambda: [put_frame(a, frame) for frame in frames])
        sender.start()
        self.assertIn('hub 0', self.info(vm))
        for frame in frames:
            self.assertEqual(get_frame(b), frame)
        sender.join()

    def test_two_processes(self):
        """One listens, the other connects, whoever comes first and goes in between."""
        left, right = self.machine(), self.machine()
        a, b = self.local(left, 'a'), self.local(right, 'b')
        where = {'type': 'unix', 'path': self.path('wire')}
        right.qmp('netdev_add', type='stream', id='wire', addr=where, **{'reconnect-ms': 10})
        self.plug(right, 'b', 'wire')
        for _ in range(2):
            left.qmp('netdev_add', type='stream', id='wire', server=True, addr=where)
            left.qmp.wait_event('NETDEV_STREAM_CONNECTED')
            right.qmp.wait_event('NETDEV_STREAM_CONNECTED')
            left.qmp('netdev_add', type='hubport', id='end', hubid=0, netdev='wire')
            if 'port-a' not in self.info(left):
                self.plug(left, 'a')
            put_frame(a, b'there')
            self.assertEqual(get_frame(b), b'there')
            put_frame(b, b'back')
            self.assertEqual(get_frame(a), b'back')
            left.qmp('netdev_del', id='end')
            left.qmp('netdev_del', id='wire')
            right.qmp.wait_event('NETDEV_STREAM_DISCONNECTED')

    def test_datagrams(self):
        vm = self.machine()
        a = self.local(vm, 'a')
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(ours.close)
        ours.settimeout(TIMEOUT)
        ours.bind(self.path('ours'))
        vm.qmp('netdev_add', type='dgram', id='d',
               local={'type': 'unix', 'path': self.path('theirs')},
               remote={'type': 'unix', 'path': self.path('ours')})
        self.plug(vm, 'a', 'd')
        self.assertIn(f"d: index=0,type=dgram,unix={self.path('theirs')}:{self.path('ours')}",
                      self.info(vm))
        put_frame(a, FRAME)
        self.assertEqual(ours.recv(2000), FRAME)
        ours.sendto(FRAME * 3, self.path('theirs'))
        self.assertEqual(get_frame(a), FRAME * 3)

    def test_udp(self):
        vm = self.machine()
        a = self.local(vm, 'a')
        ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(ours.close)
        ours.settimeout(TIMEOUT)
        ours.bind(('127.0.0.1', 0))
        theirs = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        theirs.bind(('127.0.0.1', 0))
        self.addCleanup(theirs.close)
        vm.qmp('getfd', fds=[theirs.fileno()], fdname='wire')
        vm.qmp('netdev_add', type='dgram', id='f', local={'type': 'fd', 'str': 'wire'})
        vm.qmp('netdev_add', type='socket', id='u', localaddr='127.0.0.1:0',
               udp='127.0.0.1:%d' % ours.getsockname()[1])
        self.plug(vm, 'a', 'f', 'u')
        ours.sendto(FRAME, theirs.getsockname())
        self.assertEqual(get_frame(a), FRAME)
        put_frame(a, FRAME)
        self.assertEqual(ours.recv(2000), FRAME)

    BURST = [b'%c' % n * size for n, size in enumerate(
        [60] * 100 + [61] * 2 + [60] * 3 + [1514] * 70 + [1] + [9000] * 9 + [1, 2, 3] + [40000] * 3, 1)]

    def test_burst(self):
        """What comes at once goes to whoever reads datagrams, and to whoever reads a stream, as it came."""
        vm = self.machine()
        a, b = self.local(vm, 'a'), self.local(vm, 'b')
        ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(ours.close)
        ours.settimeout(TIMEOUT)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        ours.bind(('127.0.0.1', 0))
        vm.qmp('netdev_add', type='socket', id='u', localaddr='127.0.0.1:0',
               udp='127.0.0.1:%d' % ours.getsockname()[1])
        self.plug(vm, 'a', 'b', 'u')
        for at in range(0, len(self.BURST), 16):
            part = self.BURST[at:at + 16]
            a.sendall(b''.join(struct.pack('>I', len(frame)) + frame for frame in part))
            for frame in part:
                self.assertEqual(ours.recv(70000), frame)
                self.assertEqual(get_frame(b), frame)

    def test_burst_between_processes(self):
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        lines = []
        for n, sock in enumerate(socks):
            sock.bind(('127.0.0.1', 0))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            self.addCleanup(sock.close)
        for n, sock in enumerate(socks):
            vm = self.machine()
            sock.connect(socks[1 - n].getsockname())
            vm.qmp('getfd', fds=[sock.fileno()], fdname='wire')
            vm.qmp('netdev_add', type='dgram', id='f', local={'type': 'fd', 'str': 'wire'})
            lines.append(self.local(vm, f'line{n}'))
            self.plug(vm, f'line{n}', 'f')
        for there, back in lines, lines[::-1]:
            for at in range(0, len(self.BURST), 16):
                part = self.BURST[at:at + 16]
                there.sendall(b''.join(struct.pack('>I', len(frame)) + frame for frame in part))
                for frame in part:
                    self.assertEqual(get_frame(back), frame)

    def test_info(self):
        vm = self.machine('-netdev', f"stream,id=s,server=on,addr.type=unix,addr.path={self.path('s')}",
                          '-netdev', '{"type":"hubport","id":"h","hubid":3}',
                          '-netdev', 'socket,id=l,listen=127.0.0.1:0',
                          '-netdev', 'dgram,id=m,remote.type=inet,remote.host=230.0.0.1,remote.port=1234')
        self.assertEqual(self.info(vm).splitlines(), [
            'hub 3', ' \\ h', 's: index=0,type=stream,listening', 'l: index=0,type=socket,',
            'm: index=0,type=dgram,mcast=230.0.0.1:1234'])

    def test_refused(self):
        vm = self.machine()
        for want, options in (
                ("'reconnect' option is incompatible", {'type': 'stream', 'server': True,
                 'reconnect': 1, 'addr': {'type': 'unix', 'path': self.path('x')}}),
                ('dgram requires local= parameter', {'type': 'dgram'}),
                ('exactly one of', {'type': 'socket', 'listen': ':1', 'connect': ':2'}),
                ('localaddr= is mandatory', {'type': 'socket', 'udp': 'a:1'}),
                ("':' separating", {'type': 'socket', 'connect': 'nowhere'}),
                ('not found', {'type': 'hubport', 'hubid': 0, 'netdev': 'nothing'})):
            with self.assertRaisesRegex(QmpError, want):
                vm.qmp('netdev_add', id='x', **options)
        self.assertEqual(self.info(vm), '')


GUEST_MAC, ANYONE = bytes.fromhex('525400123456'), b'\xff' * 6


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(to, protocol, source, target, payload):
    head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
    head += socket.inet_aton(source) + socket.inet_aton(target)
    head = head[:10] + struct.pack('>H', checksum(head)) + head[12:]
    return to + GUEST_MAC + b'\x08\x00' + head + payload


def udp(to, source, target, payload):
    return ipv4(to, 17, source[0], target[0],
                struct.pack('>HHHH', source[1], target[1], 8 + len(payload), 0) + payload)


def tcp(to, source, target, numbers, flags, payload=b''):
    """numbers: what comes first in it, and what is awaited."""
    segment = struct.pack('>HHIIBBHHH', source[1], target[1], *numbers, 5 << 4, flags, 65535, 0, 0) + payload
    pseudo = socket.inet_aton(source[0]) + socket.inet_aton(target[0]) + struct.pack('>HH', 6, len(segment))
    segment = segment[:16] + struct.pack('>H', checksum(pseudo + segment)) + segment[18:]
    return ipv4(to, 6, source[0], target[0], segment)


def arp(operation, target):
    return (ANYONE + GUEST_MAC + b'\x08\x06' + struct.pack('>HHBBH', 1, 0x800, 6, 4, operation) +
            GUEST_MAC + socket.inet_aton('10.0.2.15') + b'\0' * 6 + socket.inet_aton(target))


class Adapters(Base):
    """What people write: -nic, -net; what adapters and clients are told."""

    def board(self, *args):
        vm = Vm(house.binary(), '-M', 'q35', '-nodefaults', '-S', *args, qtest=True)
        vm.__enter__()
        self.addCleanup(vm.__exit__, None, None, None)
        return vm

    def test_nic(self):
        vm = self.board('-nic', 'user,model=virtio-net-pci,mac=52:54:00:01:02:03,id=a,net=10.9.0.0/16,'
                        'hostfwd=tcp:127.0.0.1:0-:1,hostfwd=tcp:127.0.0.1:0-:2', '-nic', 'none')
        self.assertEqual(self.info(vm).splitlines(), [
            'virtio-net-pci.0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:01:02:03',
            ' \\ a: index=0,type=user,net=10.9.0.0,restrict=off'])
        self.assertEqual(vm.qmp.hmp('info usernet').count('HOST_FORWARD'), 2)

    def test_net(self):
        vm = self.board('-net', 'nic,model=virtio,macaddr=52:54:00:00:00:09', '-net', 'user,name=u',
                        '-net', 'socket,listen=127.0.0.1:0')
        self.assertEqual(self.info(vm).splitlines(), [
            'hub 0',
            ' \\ hub0port0: virtio-net-pci.0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:00:00:09',
            ' \\ hub0port1: u: index=0,type=user,net=10.0.2.0,restrict=off',
            ' \\ hub0port2: net-net0: index=0,type=socket,'])

    def test_nic_refused(self):
        for want, *args in (('invalid syntax for mac', '-nic', 'user,mac=x'),
                            ("not a valid device model", '-nic', 'user,model=nothing'),
                            ("can't find value 'zz'", '-device', 'virtio-net-pci,netdev=zz'),
                            ("it's in use", '-netdev', 'user,id=u', '-device', 'virtio-net-pci,netdev=u',
                             '-device', 'virtio-net-pci,netdev=u'),
                            ("doesn't take value", '-device', 'virtio-net-pci,mac=52:54')):
            self.assertRegex(refusal(house.binary(), '-M', 'q35', '-nodefaults', *args), want)

    def test_filter(self):
        vm = self.board('-device', 'virtio-net-pci,id=d')
        info, = vm.qmp('query-rx-filter')
        self.assertEqual((info['name'], info['promiscuous'], info['main-mac'], info['multicast-table']),
                         ('d', True, '52:54:00:12:34:56', []))
        for name, want in (('zz', 'invalid net client'), ('d', None)):
            if want:
                with self.assertRaisesRegex(QmpError, want):
                    vm.qmp('query-rx-filter', name=name)
            else:
                self.assertEqual(vm.qmp('query-rx-filter', name=name), [info])

    def test_announce(self):
        path = self.path('wire')
        vm = self.board('-netdev', f'stream,id=s,server=on,addr.type=unix,addr.path={path}',
                        '-device', 'virtio-net-pci,netdev=s,id=d')
        line = self.connect(vm, 's', path)
        vm.qmp('announce-self', initial=1, max=2, rounds=3, step=1)
        for _ in range(3):
            frame = get_frame(line)
            self.assertEqual(frame[:14], ANYONE + GUEST_MAC + b'\x80\x35')
            self.assertEqual(frame[14:22], bytes.fromhex('0001080006040003'))
        vm.qmp('announce-self', initial=1, max=1, rounds=1, step=1, interfaces=['other'])
        with self.assertRaisesRegex(QmpError, 'rounds'):
            vm.qmp('announce-self', initial=1, max=1, rounds=-1, step=1)
        vm.qmp.hmp('announce_self d')
        self.assertEqual(get_frame(line), frame)

    def test_dump(self):
        vm = self.machine()
        a, b = self.local(vm, 'a'), self.local(vm, 'b')
        self.plug(vm, 'a', 'b')
        for name, options in (('all', {}), ('in', {'queue': 'rx'}), ('out', {'queue': 'tx', 'maxlen': 10})):
            vm.qmp('object-add', id=name, netdev='b', file=self.path(name), **options,
                   **{'qom-type': 'filter-dump'})
        put_frame(a, FRAME)
        self.assertEqual(get_frame(b), FRAME)
        put_frame(b, FRAME * 2)
        self.assertEqual(get_frame(a), FRAME * 2)
        self.assertEqual(self.dumped('all'), [FRAME, FRAME * 2])
        self.assertEqual(self.dumped('in'), [FRAME])
        self.assertEqual(self.dumped('out'), [FRAME[:10]])
        vm.qmp('netdev_del', id='b')
        vm.qmp('object-del', id='all')
        with self.assertRaisesRegex(QmpError, 'network backend'):
            vm.qmp('object-add', id='x', netdev='b', file=self.path('x'), **{'qom-type': 'filter-dump'})

    def dumped(self, name):
        with open(self.path(name), 'rb') as file:
            data = file.read()
        self.assertEqual(struct.unpack_from('<IHH', data), (0xa1b2c3d4, 2, 4))
        frames, at = [], 24
        while at < len(data):
            kept, = struct.unpack_from('<I', data, at + 8)
            frames.append(data[at + 16:at + 16 + kept])
            at += 16 + kept
        return frames


class User(Base):
    """The guest is ours: a stream at a hub with the user network."""

    def guest(self, *options, name='guest', more=(), env=None):
        vm = self.machine('-netdev', ','.join(('user,id=u', *options)), *more, env=env)
        line = self.local(vm, name)
        self.plug(vm, name, 'u')
        return vm, line

    def udp_answer(self, line, port):
        while True:
            frame = get_frame(line)
            if frame[12:14] == b'\x08\x00' and frame[23] == 17 and \
                    frame[36:38] == struct.pack('>H', port):
                return frame[42:]

    def test_dhcp(self):
        vm, line = self.guest('hostname=box', 'dnssearch=one.example', 'dnssearch=two.example')
        request = struct.pack('>BBBBIHH', 1, 1, 6, 0, 0x1234, 0, 0x8000) + b'\0' * 16 + GUEST_MAC
        request = request.ljust(236, b'\0') + bytes.fromhex('63825363') + b'\x35\x01\x01\xff'
        put_frame(line, udp(ANYONE, ('0.0.0.0', 68), ('255.255.255.255', 67), request))
        offer = self.udp_answer(line, 68)
        self.assertEqual(offer[16:20], socket.inet_aton('10.0.2.15'))
        for text in (b'box', b'\x03one\x07example', b'\x03two'):
            self.assertIn(text, offer)
        vm.qmp('netdev_del', id='u')
        self.assertEqual(vm.qmp.hmp('info usernet'), '')

    def test_tftp(self):
        with open(self.path('file'), 'wb') as file:
            file.write(b'contents')
        _, line = self.guest('tftp=' + self.folder.name)
        put_frame(line, arp(1, '10.0.2.2'))
        host = get_frame(line)[6:12]
        put_frame(line, udp(host, ('10.0.2.15', 2000), ('10.0.2.2', 69),
                            b'\0\x01file\0octet\0'))
        self.assertEqual(self.udp_answer(line, 2000), b'\0\x03\0\x01contents')

    def tcp_answer(self, line, port):
        """(number of its first byte, number it awaits, flags, bytes) of the next segment to the port."""
        while True:
            frame = get_frame(line)
            if frame[12:14] == b'\x08\x00' and frame[23] == 6 and frame[36:38] == struct.pack('>H', port):
                numbers = struct.unpack_from('>II', frame, 38)
                return *numbers, frame[47], frame[34 + (frame[46] >> 4) * 4:14 + struct.unpack_from('>H', frame, 16)[0]]

    def lease(self, line, mac, request=1):
        packet = struct.pack('>BBBBIHH', 1, 1, 6, 0, 7, 0, 0x8000) + b'\0' * 16 + mac
        packet = packet.ljust(236, b'\0') + bytes.fromhex('63825363') + b'\x35\x01%c\xff' % request
        put_frame(line, udp(ANYONE, ('0.0.0.0', 68), ('255.255.255.255', 67), packet))
        return socket.inet_ntoa(self.udp_answer(line, 68)[16:20])

    def test_state(self):
        """A connection to a service and a lease go on in the process that the machine moves to."""
        service = socket.socket(socket.AF_UNIX)
        self.addCleanup(service.close)
        service.settimeout(TIMEOUT)
        service.bind(self.path('service'))
        service.listen(2)
        rule = f"guestfwd=tcp:10.0.2.9:80-unix:{self.path('service')}"
        first, line = self.guest(rule)
        here, _ = service.accept()
        self.assertEqual(self.lease(line, GUEST_MAC), '10.0.2.15')
        self.lease(line, GUEST_MAC, 3)
        put_frame(line, arp(1, '10.0.2.2'))
        host = get_frame(line)[6:12]
        us, them = ('10.0.2.15', 3000), ('10.0.2.9', 80)
        put_frame(line, tcp(host, us, them, (100, 0), 2))
        start, seen, flags, _ = self.tcp_answer(line, 3000)
        self.assertEqual((seen, flags), (101, 0x12))
        put_frame(line, tcp(host, us, them, (101, start + 1), 0x18, b'before'))
        self.assertEqual(receive(here, 6), b'before')
        first.qmp('migrate', uri=f"file:{self.path('state')}")
        first.qmp.wait_event('STOP')
        while first.qmp('query-migrate')['status'] != 'completed':
            pass
        first.end()
        second, line = self.guest(rule, name='again', more=('-incoming', f"file:{self.path('state')}"))
        there, _ = service.accept()
        while second.qmp('query-status')['status'] != 'running':
            pass
        put_frame(line, arp(1, '10.0.2.2'))
        put_frame(line, tcp(host, us, them, (107, start + 1), 0x18, b'after'))
        self.assertEqual(receive(there, 5), b'after')
        there.settimeout(TIMEOUT)
        there.sendall(b'and back')
        got = self.tcp_answer(line, 3000)
        while not got[3]:
            self.assertEqual(got[2] & 4, 0)
            got = self.tcp_answer(line, 3000)
        self.assertEqual(got, (start + 1, 112, 0x18, b'and back'))
        self.assertEqual(self.lease(line, b'\2other'), '10.0.2.16')  # the first is taken

    def test_smb(self):
        """Who connects to the server's ports speaks to a daemon with settings of its own; they go with the network."""
        with open(self.path('smbd'), 'w', encoding='ascii') as file:
            file.write('#!/bin/sh\necho "$1 $2 $3 $4"\ncat "$4"\necho end\n')
        os.chmod(self.path('smbd'), 0o755)
        env = {**os.environ, 'PATH': f"{self.folder.name}:{os.environ['PATH']}", 'TMPDIR': self.folder.name}
        vm, line = self.guest(f'smb={self.folder.name},smbserver=10.0.2.7', env=env)
        put_frame(line, arp(1, '10.0.2.2'))
        host = get_frame(line)[6:12]
        for port in 139, 445:
            us, them = ('10.0.2.15', 3000 + port), ('10.0.2.7', port)
            put_frame(line, tcp(host, us, them, (100, 0), 2))
            start, seen, flags, _ = self.tcp_answer(line, us[1])
            self.assertEqual((seen, flags), (101, 0x12))
            said = b''
            put_frame(line, tcp(host, us, them, (101, start + 1), 0x10))
            while not said.endswith(b'end\n'):
                number, _, _, more = self.tcp_answer(line, us[1])
                if number == start + 1 + len(said):
                    said += more
                    put_frame(line, tcp(host, us, them, (101, start + 1 + len(said)), 0x10))
            option, kept, other, settings = said.decode().split('\n')[0].split()
            self.assertEqual((option, other, settings), ('-l', '-s', kept + '/smb.conf'))
            self.assertIn(f'\n[qemu]\npath = {self.folder.name}\n', said.decode())
        vm.qmp('netdev_del', id='u')
        self.assertFalse(os.path.exists(kept))

    def test_forward(self):
        """Who connects to the host's port is heard of by the guest; a removed one is closed."""
        vm, line = self.guest('hostfwd=tcp:127.0.0.1:0-:22')
        port = int(vm.qmp.hmp('info usernet').splitlines()[2].split()[3])
        put_frame(line, arp(1, '10.0.2.2'))
        get_frame(line)
        with socket.create_connection(('127.0.0.1', port)):
            frame = get_frame(line)
            while frame[12:14] != b'\x08\x00':
                frame = get_frame(line)
            self.assertEqual(frame[:6], GUEST_MAC)
            self.assertEqual(frame[36:38], struct.pack('>H', 22))
            self.assertEqual(frame[47] & 0x12, 2)
        rule = f'tcp:127.0.0.1:{port}'
        self.assertIn('removed', vm.qmp.hmp(f'hostfwd_remove u {rule}'))
        self.assertIn('not found', vm.qmp.hmp(f'hostfwd_remove u {rule}'))
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(('127.0.0.1', port))

    def test_ways_to_write(self):
        for written, net in (
                ('net=10.9.8.7', '10.0.0.0'), ('net=172.20.1.1', '172.16.0.0'), ('net=192.168.5.0', '192.168.0.0'),
                ('net=198.51.100.7', '198.51.100.0'), ('net=10.1.2.3/255.255.255.0', '10.1.2.0'),
                ('ip=10.5.0.0/16', '10.5.0.0'), ('ipv6-net=fd00::/48,dns=9.9.9.9', '10.0.2.0')):
            vm = self.machine('-netdev', 'user,id=u,' + written)
            self.assertIn(f'net={net},', self.info(vm))
            vm.end()
        self.assertRegex(refusal(house.binary(), '-M', 'none', '-netdev', 'user,id=u,ipv6-net=fd00::/127'), '126')
        self.assertRegex(refusal(house.binary(), '-M', 'none', '-netdev', 'socket,id=u,mcast=1.2.3.4:5'),
                         'does not contain a multicast address')

    def test_help(self):
        for option in '-netdev', '-nic', '-net':
            done = subprocess.run([house.binary(), option, 'help'], stdout=subprocess.PIPE, text=True, check=True)
            self.assertEqual(done.stdout.splitlines()[0], 'Available netdev backend types:')
            self.assertIn('\nuser\n', done.stdout)
        self.assertEqual(self.machine().qmp.hmp('netdev_add help').split(), done.stdout.split())

    def test_own_line(self):
        """What a rule makes goes with the network."""
        vm = self.machine('-chardev', 'null,id=c')
        for _ in range(2):
            vm.qmp('netdev_add', type='user', id='u', guestfwd=[{'str': 'tcp:10.0.2.9:80-null'},
                                                                {'str': 'tcp:10.0.2.8:81-chardev:c'}])
            self.assertIn('guestfwd.tcp.80', [line['label'] for line in vm.qmp('query-chardev')])
            vm.qmp('netdev_del', id='u')
            self.assertEqual([line['label'] for line in vm.qmp('query-chardev') if 'guest' in line['label']], [])

    def test_user_refused(self):
        vm = self.machine()
        for want, options in (
                ('belong', {'host': '1.2.3.4'}), ('parse net', {'net': 'x'}),
                ('disabled', {'ipv4': False, 'ipv6': False}), ('separator', {'hostfwd': [{'str': 'tcp:x'}]}),
                ('different', {'dns': '10.0.2.2'}), ('SMB address', {'smb': '/', 'smbserver': 'x'}),
                ('not a valid char driver', {'guestfwd': [{'str': 'tcp:10.0.2.9:1-nothing'}]}),
                ('guestfwd.tcp.1', {'guestfwd': [{'str': 'tcp:10.0.2.9:1-chardev:nothing'}]}),
                ("Host doesn't belong", {'net': '10.0.0.0/24', 'host': '10.0.1.2'}),
                ('range 4-32', {'net': '10.0.0.0/3'}), ('cannot be empty', {'domainname': ''}),
                ('126', {'ipv6-prefixlen': 127}),
                ('guest forwarding', {'guestfwd': [{'str': 'tcp:10.0.2.9:0-none'}]})):
            with self.assertRaisesRegex(QmpError, want):
                vm.qmp('netdev_add', type='user', id='x', **options)
        self.assertEqual(self.info(vm), '')


if __name__ == '__main__':
    house.main()
