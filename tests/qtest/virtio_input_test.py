# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio keyboards, mice and tablets as a driver sees them: ours and, with the same script, the peer's."""
import os
import shutil
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import virtio  # noqa: E402
from virtio_pci import COMMON, DEVICE, Function  # noqa: E402
from vm import Vm, refusal  # noqa: E402

PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
EVENTS, STATUS = 0x200000, 0x210000
KEY, REL, ABS, LED, SYN = 1, 2, 3, 0x11, 0


class Input(Function):
    def __init__(self, vm):
        super().__init__(vm)
        self.places = {kind: self.place(kind) for kind in self.caps if kind < 5}
        self.place = self.places.get

    def page(self, number, sub=0):
        self.put(DEVICE, 0, number, 1)
        self.put(DEVICE, 1, sub, 1)
        return bytes(self.get(DEVICE, 8 + n, 1) for n in range(self.get(DEVICE, 2, 1)))

    def run(self, room=16):
        self.events, self.lights = virtio.Queue(self.vm, 0x100000, 64), \
            virtio.Queue(self.vm, 0x110000, 64)
        self.start([self.events, self.lights])
        self.put(COMMON, 0x16, 0, 2)
        for _ in range(room):
            self.give_room()

    def give_room(self):
        self.events.add([(EVENTS + 8 * (self.events.next % 64), 8, True)])

    def take(self):
        """Events the driver has got: (type, code, value)."""
        got = []
        while used := self.events.take():
            assert used[1] == 8, used
            got.append(struct.unpack('<HHi', self.events.read(EVENTS + 8 * used[0], 8)))
            self.give_room()
        return got

    def light(self, code, is_on):
        self.lights.write(STATUS, struct.pack('<HHI', LED, code, is_on))
        self.lights.add([(STATUS, 8, False)])
        self.put(COMMON, 0x16, 1, 2)
        self.kick()
        assert self.lights.wait()[1] == 0
        self.put(COMMON, 0x16, 0, 2)


def key(name, down):
    return {'type': 'key', 'data': {'down': down, 'key': {'type': 'qcode', 'data': name}}}


def button(name, down):
    return {'type': 'btn', 'data': {'down': down, 'button': name}}


def move(kind, axis, value):
    return {'type': kind, 'data': {'axis': axis, 'value': value}}


class VirtioInput(unittest.TestCase):
    binaries = [house.binary()] + ([PEER] if PEER else [])

    def vm(self, device):
        return Vm(house.binary(), '-M', 'pc', '-nodefaults', '-device', f'{device},addr=4', qtest=True)

    def test_pages(self):
        """Page by page as the peer's; of the keyboard's keys we have some more."""
        for device in ('virtio-keyboard-pci', 'virtio-mouse-pci,serial=abc', 'virtio-tablet-pci'):
            pages = []
            for binary in self.binaries:
                accel = 'qtest' if binary == house.binary() else 'tcg'
                with Vm(binary, '-M', 'pc', '-nodefaults', '-S', '-device', f'{device},addr=4',
                        qtest=True, accel=accel) as vm:
                    f = Input(vm)
                    pages.append({(n, sub): f.page(n, sub) for n in (0, 1, 2, 3, 0x10, 0x11, 0x12)
                                  for sub in (0, 1, 2, 3, 4, 0x11, 0x14)})
                    self.assertEqual(f.read(0), 0x10521af4)
            for page in pages[1:]:
                keys, theirs = pages[0].pop((0x11, 1)), page.pop((0x11, 1))
                self.assertEqual(pages[0], page, device)
                for n, byte in enumerate(theirs):
                    self.assertEqual(keys[n] & byte, byte)

    def test_keyboard(self):
        with self.vm('virtio-keyboard-pci') as vm:
            f = Input(vm)
            f.run()
            vm.qmp('input-send-event', events=[key('a', True), key('shift_r', True)])
            self.assertEqual(f.take(), [(KEY, 30, 1), (KEY, 54, 1), (SYN, 0, 0)])
            vm.qmp('input-send-event', events=[key('a', False)])
            self.assertEqual(f.take(), [(KEY, 30, 0), (SYN, 0, 0)])
            vm.qmp('input-send-event', events=[key('unmapped', True)])
            self.assertEqual(f.take(), [])
            # Without a driver the machine's own keyboard has them.
            self.assertEqual(int(vm.qtest('inb 0x64'), 16) & 1, 0)
            f.reset()
            vm.qmp('input-send-event', events=[key('a', True)])
            self.assertEqual(int(vm.qtest('inb 0x64'), 16) & 1, 1)

    def test_room(self):
        """All of what belongs together or nothing."""
        with self.vm('virtio-keyboard-pci') as vm:
            f = Input(vm)
            f.run(room=2)
            vm.qmp('input-send-event', events=[key('a', True), key('b', True)])
            self.assertEqual(f.take(), [])
            vm.qmp('input-send-event', events=[key('c', True)])
            self.assertEqual(f.take(), [(KEY, 46, 1), (SYN, 0, 0)])
            vm.qmp('input-send-event', events=[key('a', n % 2 == 0) for n in range(100)])
            self.assertEqual(f.take(), [])

    def test_mouse(self):
        with self.vm('virtio-mouse-pci') as vm:
            f = Input(vm)
            f.run()
            vm.qmp('input-send-event', events=[move('rel', 'x', 5), move('rel', 'y', -7),
                                               button('right', True)])
            self.assertEqual(f.take(), [(REL, 0, 5), (REL, 1, -7), (KEY, 0x111, 1), (SYN, 0, 0)])
            vm.qmp('input-send-event', events=[button('wheel-down', True),
                                               button('wheel-down', False)])
            self.assertEqual(f.take(), [(REL, 8, -1), (SYN, 0, 0)])
            names = [mouse['name'] for mouse in vm.qmp('query-mice')]
            self.assertEqual(names, ['QEMU Virtio Mouse', 'QEMU PS/2 Mouse'])
            f.reset()
            names = [mouse['name'] for mouse in vm.qmp('query-mice')]
            self.assertEqual(names, ['QEMU PS/2 Mouse', 'QEMU Virtio Mouse'])

    def test_tablet(self):
        with self.vm('virtio-tablet-pci,wheel-axis=off') as vm:
            f = Input(vm)
            self.assertEqual(f.page(0x11, 2), b'')
            f.run()
            vm.qmp('input-send-event', events=[move('abs', 'x', 0x7fff), move('abs', 'y', 12),
                                               button('wheel-up', True)])
            self.assertEqual(f.take(), [(ABS, 0, 0x7fff), (ABS, 1, 12), (KEY, 0x151, 1), (SYN, 0, 0)])

    def test_lights_and_migration(self):
        with self.vm('virtio-keyboard-pci') as vm:
            f = Input(vm)
            f.run()
            f.light(1, 1)  # what VNC clients are told: see vnc_test
            f.light(9, 1)
            f.page(0x11, 1)
            path = os.path.join(vm.folder.name, 'state')
            vm.qmp('migrate', uri=f'exec:cat > {path}')
            while vm.qmp('query-migrate')['status'] != 'completed':
                pass
            with Vm(house.binary(), '-M', 'pc', '-nodefaults', '-device', 'virtio-keyboard-pci,addr=4',
                    '-incoming', f'exec:cat {path}', qtest=True) as other:
                while other.qmp('query-migrate').get('status') != 'completed':
                    pass
                f.vm = f.pci.vm = f.events.vm = other
                self.assertEqual(f.get(DEVICE, 1, 1), 1)
                other.qmp('input-send-event', events=[key('b', True)])
                self.assertEqual(f.take(), [(KEY, 48, 1), (SYN, 0, 0)])

    def test_errors(self):
        self.assertIn("Device 'x' not found", refusal(
            house.binary(), '-M', 'pc', '-device', 'virtio-tablet-pci,display=x'))


if __name__ == '__main__':
    unittest.main()
