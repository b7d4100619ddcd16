# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio-serial over qtest: control messages, ports and consoles, what waits and for whom."""
import os
import random
import shutil
import socket
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import virtio  # noqa: E402
from virtio_pci import COMMON, DEVICE, Function  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402

PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
READY, ADD, REMOVE, PORT_READY, CONSOLE, _, OPEN, NAME = range(8)
MULTIPORT, PACKED, IN_ORDER = 1, 34, 35
BASE = 1 << virtio.VERSION_1
RINGS = {'split': 0, 'packed': 1 << PACKED, 'split in order': 1 << IN_ORDER,
         'packed in order': 1 << PACKED | 1 << IN_ORDER}
OPTIONS = ',packed=on,in_order=on'


def queues_of(number):
    return (0, 1) if number == 0 else (2 * number + 2, 2 * number + 3)


class Serial(Function):
    """A driver of ports. Buffers of queue n are at 0x800000 + n * 0x40000."""

    def __init__(self, vm):
        super().__init__(vm)
        self.places = {kind: self.place(kind) for kind in self.caps if kind < 5}
        self.place = self.places.get
        self.multiplier = self.read(self.caps[2] + 16)
        self.queues = {}

    def run(self, ring=0, ports=(0, 1), features=1 << MULTIPORT, room=16):
        kind = virtio.PackedQueue if ring >> PACKED & 1 else virtio.Queue
        self.start([], BASE | features | ring)
        self.put(COMMON, 0x14, virtio.ACKNOWLEDGE | virtio.DRIVER | virtio.FEATURES_OK, 1)
        for n in [2, 3] + [n for number in ports for n in queues_of(number)]:
            self.queues[n] = kind(self.vm, 0x100000 + n * 0x8000, 16)
            self.start_queue(n, self.queues[n])
        self.put(COMMON, 0x14, virtio.ACKNOWLEDGE | virtio.DRIVER | virtio.FEATURES_OK | virtio.DRIVER_OK, 1)
        for _ in range(room):
            self.give(2, 64)

    def buffer(self, n):
        return 0x800000 + n * 0x40000 + self.queues[n].next % 16 * 0x4000

    def notify(self, n):
        self.put(2, n * self.multiplier, n, 2)

    def give(self, n, size, kick=True):
        """Room for the device."""
        self.queues[n].add([(self.buffer(n), size, True)])
        if kick:
            self.notify(n)

    def send(self, n, data, kick=True):
        at = self.buffer(n)
        if data:
            self.queues[n].write(at, data)
        self.queues[n].add([(at, len(data), False)])
        if kick:
            self.notify(n)

    def got(self, n):
        """What the device has put into a queue's buffers, which are given again."""
        data = []
        queue = self.queues[n]
        while used := queue.take():
            data.append(queue.read(0x800000 + n * 0x40000 + used[0] * 0x4000, used[1]) if used[1] else b'')
        return data

    def messages(self):
        """(port, event, value), with a name as its value."""
        found = []
        for data in self.got(2):
            port, event, value = struct.unpack('<IHH', data[:8])
            found.append((port, event, data[8:].rstrip(b'\0') if event == NAME else value))
            assert event == NAME or len(data) == 8, data
            self.give(2, 64)
        return found

    def say(self, event, port=0, value=1):
        self.send(3, struct.pack('<IHH', port, event, value))
        assert self.queues[3].wait()[1] == 0

    def open(self, port, is_open=1):
        self.say(OPEN, port, is_open)


def machine(*devices, binary=None, options='', args=()):
    words = []
    for device in devices:
        words += ['-device', device]
    if binary == PEER and PEER:
        words += ['-S']  # it has no accelerator without a CPU
    return Vm(binary or house.binary(), '-M', 'pc', '-nodefaults', *args, '-device',
              f'virtio-serial-pci,id=serial,addr=4{options}', *words, qtest=True,
              accel='tcg' if binary == PEER and PEER else 'qtest')


class Lines:
    """A folder with sockets of chardevs, as a context."""

    def __init__(self, *names):
        self.names = names

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='lines-')
        self.args = []
        for name in self.names:
            self.args += ['-chardev', f'socket,id={name},path={self.folder.name}/{name},server=on,wait=off']
        return self

    def connect(self, name):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(f'{self.folder.name}/{name}')
        sock.settimeout(60)
        return sock

    def __exit__(self, *_):
        self.folder.cleanup()


def settle(vm):
    """The main loop has served what was there when this was asked."""
    for _ in range(3):
        vm.qmp('query-status')


def until(vm, condition):
    for _ in range(100000):
        value = condition()
        if value:
            return value
        vm.qmp('query-status')
    raise AssertionError('nothing happens')


def state_of(vm):
    """The lines of `info qtree` about ports."""
    return sorted(text.strip() for text in vm.qmp.hmp('info qtree').splitlines() if text.strip().startswith('port '))


class Negotiation(unittest.TestCase):
    def test_identity(self):
        """Ours and, with the same script, the peer's."""
        for options, features, ports in (('', 6, 31), (',max_ports=1', 4, 1), (',emergency-write=off', 2, 31),
                                         (',max_ports=511', 6, 511)):
            for binary in filter(None, (house.binary(), PEER)):
                with self.subTest(options=options, binary=binary), \
                        machine(binary=binary, options=options) as vm:
                    f = Serial(vm)
                    self.assertEqual((f.read(0), f.read(8), f.read(0x2c)), (0x10031af4, 0x07800000, 0x00031af4))
                    self.assertEqual(f.features() & 0xffffff, features)
                    self.assertEqual([f.get(DEVICE, at, 2) for at in (0, 2, 4)], [0, 0, ports])
                    self.assertEqual(f.get(COMMON, 0x12, 2), 2 * (ports + 1))
                    sizes = []
                    for n in range(6):
                        f.put(COMMON, 0x16, n, 2)
                        sizes.append(f.get(COMMON, 0x18, 2))
                    self.assertEqual(sizes, [128, 128, 32, 32] + [128 if ports > 1 else 0] * 2)

    def test_refusals(self):
        for devices, why in (
                (['virtio-serial-pci,max_ports=0'], 'Maximum number of serial ports not specified'),
                (['virtio-serial-pci,max_ports=512'], 'maximum ports supported: 511'),
                (['virtserialport'], "No 'virtio-serial-bus' bus found for device 'virtserialport'"),
                (['virtio-serial-pci,max_ports=1', 'virtserialport'],
                 'Out-of-range port id specified, max. allowed: 0'),
                (['virtio-serial-pci', 'virtserialport,nr=0'], 'Port number 0 on virtio-serial devices reserved'),
                (['virtio-serial-pci', 'virtserialport,nr=31'], 'max. allowed: 30'),
                (['virtio-serial-pci', 'virtserialport,nr=3', 'virtconsole,nr=3'], 'A port already exists at id 3'),
                (['virtio-serial-pci', 'virtserialport,name=a', 'virtserialport,name=a'],
                 'A port already exists by name a'),
                (['virtio-serial-pci', 'virtserialport,chardev=x'], "can't find value 'x'")):
            args = [word for device in devices for word in ('-device', device)]
            with self.subTest(devices=devices):
                self.assertIn(why, refusal(house.binary(), '-M', 'pc', *args))

    def test_messages(self):
        """What a driver is told, in either ring; the peer says the same."""
        chardevs = ['-chardev', 'ringbuf,id=a', '-chardev', 'ringbuf,id=b']
        devices = ['virtconsole,chardev=a', 'virtserialport,chardev=b,name=org.port,nr=5', 'virtserialport']
        tellings = []
        cases = [(house.binary(), ring, OPTIONS) for ring in RINGS.values()]
        cases += [(PEER, 0, ''), (PEER, 1 << PACKED, ',packed=on')] if PEER else []
        for binary, ring, options in cases:
            with machine(*devices, binary=binary, options=options, args=chardevs) as vm:
                f = Serial(vm)
                f.run(ring)
                self.assertEqual(f.messages(), [])
                f.say(READY)
                told = f.messages()
                for port in (0, 1, 5):
                    f.say(PORT_READY, port)
                    told += [sorted(f.messages())]
                tellings.append(told)
        self.assertEqual(sorted(tellings[0][:3]), [(0, ADD, 1), (1, ADD, 1), (5, ADD, 1)])
        self.assertEqual(tellings[0][3:], [[(0, CONSOLE, 1), (0, OPEN, 1)], [], [(5, OPEN, 1), (5, NAME, b'org.port')]])
        for told in tellings[1:]:
            self.assertEqual((sorted(told[:3]), told[3:]), (sorted(tellings[0][:3]), tellings[0][3:]))


class Ports(unittest.TestCase):
    def test_both_ways(self):
        """Bytes in both directions; what has no room waits at the host's end."""
        for name, ring in RINGS.items():
            with self.subTest(name), Lines('a') as lines, \
                    machine('virtserialport,chardev=a,id=p', options=OPTIONS, args=lines.args) as vm:
                f = Serial(vm)
                f.run(ring)
                f.say(READY)
                f.say(PORT_READY, 1)
                self.assertEqual(f.messages(), [(1, ADD, 1)])
                sock = lines.connect('a')
                until(vm, lambda: state_of(vm) == ['port 1, guest off, host on, throttle off'])
                self.assertEqual(f.messages(), [(1, OPEN, 1)])
                n, out = queues_of(1)
                sock.sendall(b'one')
                f.give(n, 2)
                settle(vm)
                self.assertEqual(f.got(n), [])  # no program has it open
                f.open(1)
                until(vm, lambda: f.got(n) == [b'on'])
                f.give(n, 16)
                until(vm, lambda: f.got(n) == [b'e'])
                for size in (1, 100, 9000):
                    data = random.Random(size).randbytes(size)
                    f.send(out, data)
                    self.assertEqual(f.queues[out].wait()[1], 0)
                    got = b''
                    while len(got) < size:
                        got += sock.recv(65536)
                    self.assertEqual(got, data)
                sock.close()
                until(vm, lambda: f.messages() == [(1, OPEN, 0)])
                f.send(out, b'for nobody')
                self.assertEqual(f.queues[out].wait()[1], 0)

    def test_megabyte(self):
        """Through buffers of odd sizes, in both directions."""
        data = random.Random(1).randbytes(1 << 20)
        with Lines('a') as lines, machine('virtserialport,chardev=a', args=lines.args) as vm:
            f = Serial(vm)
            f.run()
            f.say(READY)
            f.open(1)
            sock = lines.connect('a')
            until(vm, lambda: 'host on' in state_of(vm)[0])
            n, out = queues_of(1)
            sock.setblocking(False)
            sent, got = 0, b''
            while len(got) < len(data):
                try:
                    sent += sock.send(data[sent:]) if sent < len(data) else 0
                except BlockingIOError:
                    pass
                while f.queues[n].next - f.queues[n].used < 16:
                    f.give(n, 0x3fff, kick=False)
                f.notify(n)
                got += b''.join(f.got(n))
            self.assertEqual(got, data)
            got, at = b'', 0
            while len(got) < len(data):
                while f.queues[out].take():
                    pass
                while at < len(data) and f.queues[out].next - f.queues[out].used < 16:
                    f.send(out, data[at:at + 0x3ffd], kick=False)
                    at += 0x3ffd
                f.notify(out)
                try:
                    got += sock.recv(1 << 20)
                except BlockingIOError:
                    settle(vm)
            self.assertEqual(got, data)
            sock.close()

    def test_throttle(self):
        """A peer that does not read stops the port, not the machine; nothing is lost, also with a stop."""
        data = [bytes([n]) * 0x4000 for n in range(64)]
        with Lines('a') as lines, machine('virtserialport,chardev=a', args=lines.args) as vm:
            f = Serial(vm)
            f.run()
            f.say(READY)
            sock = lines.connect('a')
            until(vm, lambda: 'host on' in state_of(vm)[0])
            out = queues_of(1)[1]
            sent = 0
            while 'throttle on' not in state_of(vm)[0]:
                f.send(out, data[sent])
                sent += 1
                self.assertTrue(f.queues[out].take() or 'throttle on' in state_of(vm)[0])
            self.assertGreater(sent, 3)
            for n in range(sent, sent + 4):
                f.send(out, data[n])
                self.assertIsNone(f.queues[out].take())
            vm.qmp('stop')
            got = sock.recv(100000)
            settle(vm)
            self.assertIsNone(f.queues[out].take())
            vm.qmp('cont')
            while len(got) < 0x4000 * (sent + 4):
                got += sock.recv(100000)
            self.assertEqual(got, b''.join(data[:sent + 4]))
            until(vm, lambda: state_of(vm) == ['port 1, guest off, host on, throttle off'])
            sock.close()

    def test_throttled_and_gone(self):
        """With its peer goes what waited for it; the next one gets what comes then."""
        with Lines('a') as lines, machine('virtserialport,chardev=a', args=lines.args) as vm:
            f = Serial(vm)
            f.run()
            f.say(READY)
            out = queues_of(1)[1]
            sock = lines.connect('a')
            until(vm, lambda: 'host on' in state_of(vm)[0])
            while 'throttle on' not in state_of(vm)[0]:
                f.send(out, b'x' * 0x4000)
            f.send(out, b'x' * 0x4000)
            sock.close()
            until(vm, lambda: state_of(vm) == ['port 1, guest off, host off, throttle off'])
            while f.queues[out].take():
                pass
            self.assertEqual(f.queues[out].used, f.queues[out].next)
            with lines.connect('a') as sock:
                until(vm, lambda: 'host on' in state_of(vm)[0])
                f.send(out, b'next')
                self.assertEqual(sock.recv(100), b'next')

    def test_events(self):
        with Lines('a') as lines, machine('virtserialport,chardev=a,id=p', args=lines.args) as vm:
            f = Serial(vm)
            f.run()

            def is_open():
                return [c['frontend-open'] for c in vm.qmp('query-chardev') if c['label'] == 'a'][0]
            self.assertFalse(is_open())
            f.say(READY)
            f.open(1)
            event = vm.qmp.wait_event('VSERPORT_CHANGE')
            self.assertEqual(event['data'], {'id': 'p', 'open': True})
            self.assertTrue(is_open())
            f.reset()
            vm.qtest('clock_step 2000000000')  # the event comes once in a while
            self.assertEqual(vm.qmp.wait_event('VSERPORT_CHANGE')['data'], {'id': 'p', 'open': False})
            self.assertFalse(is_open())

    def test_replug(self):
        with machine('virtserialport,id=p,name=x', args=['-chardev', 'ringbuf,id=a']) as vm:
            f = Serial(vm)
            f.run(ports=(0, 1, 2))
            f.say(READY)
            f.messages()
            vm.qmp('device_add', driver='virtserialport', id='q', name='y', chardev='a')
            self.assertEqual(f.messages(), [(2, ADD, 1)])
            with self.assertRaisesRegex(QmpError, 'already exists by name y'):
                vm.qmp('device_add', driver='virtserialport', name='y')
            f.say(PORT_READY, 2)
            self.assertEqual(sorted(f.messages()), [(2, OPEN, 1), (2, NAME, b'y')])
            f.send(queues_of(2)[1], b'hello')
            self.assertEqual(vm.qmp('ringbuf-read', device='a', size=100), 'hello')
            vm.qmp('device_del', id='q')
            self.assertEqual(vm.qmp.wait_event('DEVICE_DELETED')['data']['device'], 'q')
            self.assertEqual(f.messages(), [(2, REMOVE, 1)])
            f.send(queues_of(2)[1], b'nobody')
            self.assertEqual(f.queues[queues_of(2)[1]].wait()[1], 0)
            vm.qmp('device_add', driver='virtconsole', id='c', nr=2)
            self.assertEqual(f.messages(), [(2, ADD, 1)])
            vm.qmp('device_del', id='p')
            self.assertEqual(f.messages(), [(1, REMOVE, 1)])

    def test_chardev_change(self):
        with machine('virtserialport,chardev=a', args=['-chardev', 'ringbuf,id=a']) as vm:
            f = Serial(vm)
            f.run()
            f.say(READY)
            f.say(PORT_READY, 1)
            self.assertEqual(f.messages(), [(1, ADD, 1), (1, OPEN, 1)])
            vm.qmp('chardev-change', id='a', backend={'type': 'ringbuf', 'data': {'size': 64}})
            f.send(queues_of(1)[1], b'to the new one')
            self.assertEqual(vm.qmp('ringbuf-read', device='a', size=100), 'to the new one')


class Consoles(unittest.TestCase):
    def test_emergency(self):
        """Before there is a driver; two machines, for it can be off."""
        for options, expected in ('', 'A'), (',emergency-write=off', ''):
            with machine('virtserialport,chardev=b', 'virtconsole,chardev=a', options=options,
                         args=['-chardev', 'ringbuf,id=a', '-chardev', 'ringbuf,id=b']) as vm:
                f = Serial(vm)
                f.put(DEVICE, 4, 0x41414141)
                f.put(DEVICE, 0, 0x41414141)
                f.put(DEVICE, 8, 0x41)
                self.assertEqual(vm.qmp('ringbuf-read', device='a', size=100), expected)
                self.assertEqual(vm.qmp('ringbuf-read', device='b', size=100), '')
                self.assertEqual(f.get(DEVICE, 4), 31)

    def test_without_ports(self):
        """A driver that knows of one console only."""
        for options in '', ',max_ports=1':
            with Lines('a') as lines, machine('virtconsole,chardev=a,id=c', options=options,
                                              args=lines.args) as vm:
                f = Serial(vm)
                f.run(ports=(0,), features=0)
                self.assertEqual(vm.qmp.wait_event('VSERPORT_CHANGE')['data'], {'id': 'c', 'open': True})
                sock = lines.connect('a')
                f.give(0, 100)
                sock.sendall(b'in')
                until(vm, lambda: f.got(0) == [b'in'])
                f.send(1, b'out')
                self.assertEqual(sock.recv(100), b'out')
                self.assertEqual(f.got(2), [])
                sock.close()

    def test_full_line(self):
        """A console's driver never waits."""
        with Lines('a') as lines, machine('virtconsole,chardev=a', args=lines.args) as vm:
            f = Serial(vm)
            f.run()
            sock = lines.connect('a')
            settle(vm)
            for _ in range(64):
                f.send(1, b'x' * 0x4000)
                self.assertEqual(f.queues[1].wait()[1], 0)
            sock.close()


class Hostile(unittest.TestCase):
    def test_messages(self):
        """Each is answered with nothing but its buffer, and the device goes on."""
        with machine('virtserialport,chardev=a', args=['-chardev', 'ringbuf,id=a']) as vm:
            f = Serial(vm)
            f.run()
            for data in (b'', b'1234567', struct.pack('<IHH', 0xffffffff, OPEN, 1),
                         struct.pack('<IHH', 30, PORT_READY, 1), struct.pack('<IHH', 1, 0xffff, 1),
                         struct.pack('<IHH', 1, ADD, 1), struct.pack('<IHH', 1, NAME, 1) + b'x' * 9000,
                         struct.pack('<IHH', 0, READY, 0), struct.pack('<IHH', 1, PORT_READY, 0)):
                f.send(3, data)
                self.assertEqual(f.queues[3].wait()[1], 0)
                self.assertEqual(f.messages(), [])
            f.say(READY)
            self.assertEqual(f.messages(), [(1, ADD, 1)])
            self.assertFalse(f.status() & virtio.NEEDS_RESET)

    def test_deaf(self):
        """A driver without room for messages: of each kind one waits for it."""
        with machine('virtserialport,chardev=a,name=n', args=['-chardev', 'ringbuf,id=a']) as vm:
            f = Serial(vm)
            f.run(room=0)
            for _ in range(100):
                f.say(READY)
                f.say(PORT_READY, 1)
            for _ in range(5):
                f.give(2, 64, kick=False)
            f.notify(2)
            self.assertEqual(sorted(f.messages()), [(1, ADD, 1), (1, OPEN, 1), (1, NAME, b'n')])
            # The first 8 bytes of a message do not fit.
            f.reset()
            f.run(room=0)
            f.give(2, 3)
            f.say(READY)
            self.assertEqual([len(data) for data in f.got(2)], [3])

    def test_rings(self):
        """A head outside of its ring breaks the device, until it is reset."""
        for n in (1, 2, 3):
            with machine('virtconsole,chardev=a', args=['-chardev', 'ringbuf,id=a']) as vm:
                f = Serial(vm)
                f.run(room=0)
                queue = f.queues[n]
                queue.write(queue.driver + 4, struct.pack('<H', 99))
                queue.write(queue.driver + 2, struct.pack('<H', 1))
                if n == 2:
                    f.send(3, struct.pack('<IHH', 0, READY, 1))
                f.notify(n)
                self.assertTrue(f.status() & virtio.NEEDS_RESET, n)
                f.reset()
                f.run()
                f.say(READY)
                self.assertEqual(f.messages(), [(0, ADD, 1)])


class Migration(unittest.TestCase):
    def test_state(self):
        """What waited on either side waits there; the driver hears that the other end is another."""
        devices = ['virtserialport,chardev=a,id=p', 'virtserialport,chardev=b,id=q']
        with Lines('a', 'b') as lines, machine(*devices, args=lines.args) as vm:
            f = Serial(vm)
            f.run(ports=(0, 1, 2))
            f.say(READY)
            sock = lines.connect('a')
            until(vm, lambda: 'host on' in state_of(vm)[0])
            f.say(PORT_READY, 1)
            f.say(PORT_READY, 2)
            f.open(1)
            f.messages()
            out = queues_of(1)[1]
            count = 0
            while 'throttle on' not in state_of(vm)[0]:
                f.send(out, bytes([count]) * 0x4000)
                count += 1
            while f.queues[out].take():
                pass
            path = os.path.join(lines.folder.name, 'state')
            vm.qmp('migrate', uri=f'exec:cat > {path}')
            until(vm, lambda: vm.qmp('query-migrate')['status'] == 'completed')
            sent = b''
            sock.settimeout(0)
            try:
                while True:
                    sent += sock.recv(1 << 20)
            except BlockingIOError:
                pass
            sock.close()
            with Lines('a', 'b') as others, machine(
                    *devices, args=[*others.args, '-S', '-incoming', f'exec:cat {path}']) as other:
                until(other, lambda: other.qmp('query-migrate').get('status') == 'completed')
                self.assertEqual(other.qmp.wait_event('VSERPORT_CHANGE')['data'], {'id': 'p', 'open': True})
                new = others.connect('a')
                until(other, lambda: 'guest on, host on' in state_of(other)[0])
                f.vm = f.pci.vm = other
                for queue in f.queues.values():
                    queue.vm = other
                other.qmp('cont')
                while len(sent) < 0x4000 * count:
                    sent += new.recv(1 << 20)
                self.assertEqual(sent, b''.join(bytes([n]) * 0x4000 for n in range(count)))
                self.assertEqual(f.messages(), [])
                late = others.connect('b')
                until(other, lambda: 'host on' in state_of(other)[1])
                self.assertEqual(f.messages(), [(2, OPEN, 1)])
                new.close()
                until(other, lambda: f.messages() == [(1, OPEN, 0)])
                late.close()

    def test_refused(self):
        """Another number of ports."""
        with machine() as vm:
            path = os.path.join(vm.folder.name, 'state')
            vm.qmp('migrate', uri=f'exec:cat > {path}')
            until(vm, lambda: vm.qmp('query-migrate')['status'] == 'completed')
            with Vm(house.binary(), '-M', 'pc', '-nodefaults', '-device', 'virtio-serial-pci,id=serial,addr=4,max_ports=4',
                    '-incoming', 'defer', qtest=True) as other:
                other.qmp('migrate-incoming', uri=f'exec:cat {path}')
                until(other, lambda: other.qmp('query-migrate').get('status') == 'failed')
                self.assertIn('the stream has 64 elements, this machine 10', other.qmp('query-migrate')['error-desc'])


if __name__ == '__main__':
    house.main()
