# SPDX-License-Identifier: GPL-2.0-or-later
"""Wires between processes: frames go in at one netdev of a hub and come out of the others."""
import os
import socket
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import TIMEOUT, QmpError, Vm  # noqa: E402

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


class Networks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def machine(self, *args):
        vm = Vm(house.binary(), '-M', 'none', '-nodefaults', *args)
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
        """A peer that does not read holds nobody else up, and loses no frame that fits."""
        vm = self.machine()
        a, b = self.local(vm, 'a'), self.local(vm, 'b')
        self.plug(vm, 'a', 'b')
        for n in range(2000):
            put_frame(a, struct.pack('>I', n) * 250)
        for n in range(2000):
            self.assertEqual(get_frame(b), struct.pack('>I', n) * 250)

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


if __name__ == '__main__':
    house.main()
