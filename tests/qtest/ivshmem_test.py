#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared memory between machines: ivshmem-plain, and ivshmem-doorbell with a server of ours."""
import os
import socket
import struct
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from vm import QmpError, Vm  # noqa: E402

BINARY = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
DEVFN = 4 << 3
REGISTERS, MSIX, MEMORY = 0xe0000000, 0xe0010000, 0xe0200000
MASK, STATUS, POSITION, DOORBELL = 0, 4, 8, 12


class Guest:
    """The device in slot 4, with its BARs mapped."""

    def __init__(self, vm):
        self.vm = vm
        for at, value in ((0x10, REGISTERS), (0x14, MSIX), (0x18, MEMORY), (0x1c, 0), (4, 6)):
            self.config(at, value)

    def config(self, at, value=None):
        self.vm.qtest(f'outl 0xcf8 {0x80000000 | DEVFN << 8 | at:#x}')
        if value is None:
            return int(self.vm.qtest('inl 0xcfc'), 16)
        return self.vm.qtest(f'outl 0xcfc {value:#x}')

    def read(self, at):
        return int(self.vm.qtest(f'readl {at:#x}'), 16)

    def write(self, at, value):
        self.vm.qtest(f'writel {at:#x} {value:#x}')

    def enable_msix(self, vectors, at):
        """Messages are numbers n + 1 written to RAM at `at`."""
        for n in range(vectors):
            for offset, value in ((0, at + 4 * n), (4, 0), (8, n + 1), (12, 0)):
                self.write(MSIX + 16 * n + offset, value)
        cap = self.config(0x34) & 0xff
        self.config(cap, self.config(cap) | 1 << 31)


class Server:
    """Version 0 of the protocol, for as many clients as connect."""

    def __init__(self, size, vectors=2):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, 'server')
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(4)
        self.memory = os.memfd_create('shm')
        os.ftruncate(self.memory, size)
        self.vectors = vectors
        self.clients = {}
        self.events = {}

    @staticmethod
    def send(sock, value, fd=None):
        socket.send_fds(sock, [struct.pack('<q', value)], [] if fd is None else [fd])

    def make_events(self, peer):
        self.events[peer] = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(self.vectors)]

    def tell(self, sock, peer):
        for fd in self.events[peer]:
            self.send(sock, peer, fd)

    def accept(self, peer):
        sock, _ = self.listener.accept()
        self.make_events(peer)
        for value, fd in ((0, None), (peer, None), (-1, self.memory)):
            self.send(sock, value, fd)
        for other in self.events:
            if other != peer:
                self.tell(sock, other)
        for client in self.clients.values():
            self.tell(client, peer)
        self.tell(sock, peer)
        self.clients[peer] = sock

    def add_peer(self, peer):
        self.make_events(peer)
        for client in self.clients.values():
            self.tell(client, peer)

    def remove_peer(self, peer):
        for client in self.clients.values():
            self.send(client, peer)

    def close(self):
        for sock in (self.listener, *self.clients.values()):
            sock.close()
        for fds in self.events.values():
            for fd in fds:
                os.close(fd)
        os.close(self.memory)
        self.folder.cleanup()


def take(fd):
    """The count of an eventfd; 0: it was not rung."""
    try:
        return os.eventfd_read(fd)
    except BlockingIOError:
        return 0


PLAIN = ('-device', 'ivshmem-plain,memdev=m,addr=4')


def doorbell(server, *more, options=''):
    return ('-M', 'pc', '-nodefaults', '-chardev', f'socket,id=c,path={server.path}', '-device',
            f'ivshmem-doorbell,chardev=c,vectors=2,addr=4{options}', *more)


class Plain(unittest.TestCase):
    def test_registers_and_memory(self):
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(1 << 20)
            backend = ('-object', f'memory-backend-file,id=m,size=1M,share=on,mem-path={file.name}')
            with Vm(BINARY, '-M', 'pc', '-nodefaults', *backend, *PLAIN, qtest=True) as vm, \
                    Vm(BINARY, '-M', 'q35', '-nodefaults', *backend, *PLAIN, qtest=True) as other:
                guest, peer = Guest(vm), Guest(other)
                self.assertEqual(guest.config(0), 0x11101af4)
                self.assertEqual(guest.config(8), 0x05000001)
                self.assertEqual(guest.config(0x18), MEMORY | 0xc)
                self.assertEqual([guest.read(REGISTERS + at) for at in (0, 4, 8)], [0, 0, 0])
                for at in (MASK, STATUS):
                    guest.write(REGISTERS + at, 0xffffffff)
                    self.assertEqual(guest.read(REGISTERS + at), 0xffffffff)
                self.assertEqual(guest.read(REGISTERS + STATUS), 0)  # reading clears it
                guest.write(REGISTERS + DOORBELL, 1 << 16)
                guest.write(MEMORY + 0x1234, 0xaabbccdd)
                self.assertEqual(peer.read(MEMORY + 0x1234), 0xaabbccdd)
            file.seek(0x1234)
            self.assertEqual(file.read(4), b'\xdd\xcc\xbb\xaa')

    def test_refused(self):
        with Vm(BINARY, '-M', 'pc', '-nodefaults', '-object', 'memory-backend-ram,id=m,size=1M',
                '-object', 'memory-backend-ram,id=odd,size=12M', *PLAIN, qtest=True) as vm:
            for options, why in (({}, "You must specify a 'memdev'"),
                                 ({'memdev': 'm'}, "can't use already busy memdev: m"),
                                 ({'memdev': 'odd'}, 'ivshmem-plain: shared memory of 12582912 '
                                                     'bytes is no power of two')):
                with self.assertRaises(QmpError) as caught:
                    vm.qmp.run('device_add', {'driver': 'ivshmem-plain', **options})
                self.assertEqual(caught.exception.desc, why)

    def test_hotplug(self):
        with Vm(BINARY, '-M', 'pc', '-nodefaults', '-object', 'memory-backend-ram,id=m,size=1M',
                qtest=True) as vm:
            for _ in range(2):
                vm.qmp.run('device_add', {'driver': 'ivshmem-plain', 'id': 'shm', 'memdev': 'm',
                                          'addr': '4'})
                self.assertEqual(Guest(vm).config(0), 0x11101af4)
                vm.qmp('device_del', id='shm')
                vm.qtest('outl 0xae08 0x10')
                vm.qmp.wait_event('DEVICE_DELETED')

    def test_migration_rules(self):
        for master, blocks in (('on', False), ('auto', False), ('off', True)):
            with Vm(BINARY, '-M', 'pc', '-nodefaults', '-object', 'memory-backend-ram,id=m,size=1M',
                    '-device', f'ivshmem-plain,memdev=m,master={master}', qtest=True) as vm:
                reasons = vm.qmp('query-migrate').get('blocked-reasons', [])
                self.assertEqual(bool(reasons), blocks)


class Doorbell(unittest.TestCase):
    def setUp(self):
        self.server = Server(1 << 20)

    def tearDown(self):
        self.server.close()

    def vm(self, peer, options=''):
        """The machine waits for the server, which is a thread meanwhile."""
        thread = threading.Thread(target=self.server.accept, args=(peer,))
        thread.start()
        vm = Vm(BINARY, *doorbell(self.server, options=options), qtest=True)
        thread.join()
        return vm

    def wait_for(self, condition):
        """The server's messages come when they come."""
        for _ in range(100000):
            if condition():
                return
        self.fail('nothing happened')

    def check_pair(self, options):
        self.server.make_events(7)
        with self.vm(3, options) as vm:
            guest = Guest(vm)
            self.assertEqual(guest.read(REGISTERS + POSITION), 3)
            guest.write(MEMORY, 0x12345678)
            self.assertEqual(os.pread(self.server.memory, 4, 0), b'\x78\x56\x34\x12')
            guest.enable_msix(2, 0x100000)
            for vector in range(2):  # a peer rings us
                os.eventfd_write(self.server.events[3][vector], 1)
                self.wait_for(lambda v=vector: guest.read(0x100000 + 4 * v) == v + 1)
            for vector in range(2):  # we ring a peer
                self.wait_for(lambda v=vector: (
                    guest.write(REGISTERS + DOORBELL, 7 << 16 | v) or
                    take(self.server.events[7][v])))
            guest.write(REGISTERS + DOORBELL, 7 << 16 | 2)  # it has no such vector
            guest.write(REGISTERS + DOORBELL, 8 << 16)      # there is no such peer
            self.server.add_peer(9)
            self.wait_for(lambda: (guest.write(REGISTERS + DOORBELL, 9 << 16) or
                                   take(self.server.events[9][0])))
            self.server.remove_peer(9)
            self.wait_for(lambda: (take(self.server.events[9][0]) or
                                   guest.write(REGISTERS + DOORBELL, 9 << 16) or
                                   not take(self.server.events[9][0])))

    def test_ioeventfd(self):
        self.check_pair('')

    def test_no_ioeventfd(self):
        self.check_pair(',ioeventfd=off')

    def test_two_machines(self):
        with self.vm(0, ',master=auto') as first, self.vm(1, ',master=auto') as second:
            one, two = Guest(first), Guest(second)
            one.write(MEMORY + 8, 0xcafe)
            self.assertEqual(two.read(MEMORY + 8), 0xcafe)
            two.enable_msix(2, 0x100000)
            self.wait_for(lambda: (one.write(REGISTERS + DOORBELL, 1 << 16 | 1) or
                                   two.read(0x100004) == 2))
            self.assertFalse(first.qmp('query-migrate').get('blocked-reasons'))
            self.assertTrue(second.qmp('query-migrate').get('blocked-reasons'))

    def test_wrong_server(self):
        for messages, why in ((((1, False),), 'server sent protocol version 1, not 0'),
                              (((0, False), (70000, False)), 'server sent invalid ID 70000'),
                              (((0, False), (5, False), (5, False)), 'server sent no shared memory')):
            with Vm(BINARY, '-M', 'pc', '-nodefaults', '-chardev',
                    f'socket,id=c,path={self.server.path}', qtest=True) as vm:
                sock, _ = self.server.listener.accept()
                for value, _ in messages:
                    self.server.send(sock, value)
                with self.assertRaises(QmpError) as caught:
                    vm.qmp.run('device_add', {'driver': 'ivshmem-doorbell', 'chardev': 'c'})
                self.assertEqual(caught.exception.desc, why)
                sock.close()


if __name__ == '__main__':
    unittest.main()
