# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio-gpu as a driver sees it, and what its screens show: ours and, with the same script, the peer's."""
import os
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import virtio  # noqa: E402
from virtio_gpu import (BGRA, EDID, EDID_ANSWER, INFO, NO_MEMORY, NO_RESOURCE, OK, PARAMETER,  # noqa: E402
                        PIXELS, PLACES, RGBA, UNSPECIFIED, Gpu)
from virtio_pci import DEVICE  # noqa: E402
from vm import Vm, refusal  # noqa: E402

PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')


class VirtioGpu(unittest.TestCase):
    binaries = [house.binary()] + ([PEER] if PEER else [])

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dump_path = os.path.join(folder.name, 'dump')
        self.vnc_path = os.path.join(folder.name, 'vnc')

    def vm(self, binary=house.binary(), options='', *args):
        accel = 'qtest' if binary == house.binary() else 'tcg'
        return Vm(binary, '-M', 'pc', '-nodefaults', '-S', '-device',
                  f'virtio-gpu-pci,id=gpu,addr=4{options}', *args, qtest=True, accel=accel)

    def dump(self, vm, **arguments):
        """Width, height and pixels."""
        vm.qmp('screendump', filename=self.dump_path, **arguments)
        with open(self.dump_path, 'rb') as file:
            _, size, _, pixels = file.read().split(b'\n', 3)
        return (*map(int, size.split()), pixels)

    def same(self, script, options=''):
        """What a script gets of ours, and the peer's is the same."""
        got = []
        for binary in self.binaries:
            with self.vm(binary, options) as vm:
                got.append(script(vm, Gpu(vm)))
        for theirs in got[1:]:
            self.assertEqual(got[0], theirs)
        return got[0]

    def test_identity(self):
        def script(vm, gpu):
            return gpu.read(0), gpu.read(8), gpu.read(0x2c), gpu.features() & ~0x100000000000000, \
                [gpu.get(DEVICE, at) for at in (0, 4, 8, 12)]
        self.assertEqual(self.same(script)[0], 0x10501af4)
        self.assertEqual(self.same(script, ',max_outputs=3,edid=off')[4][2], 3)

    def test_screens(self):
        """Display information and EDID."""
        def script(vm, gpu):
            kind, info = gpu.run(0x100)
            edid_kind, edid = gpu.run(0x10a, 0, 0)
            return kind, info, edid_kind, len(edid), gpu.run(0x10a, 7, 0)
        for options in ('', ',max_outputs=2,xres=1024,yres=768'):
            kind, info, edid_kind, _, _ = self.same(script, options)
            self.assertEqual((kind, edid_kind), (INFO, EDID_ANSWER))
        self.assertEqual(struct.unpack('<6I', info[:24]), (0, 0, 1024, 768, 1, 0))
        with self.vm() as vm:
            _, edid = Gpu(vm).run(0x10a, 0, 0)
            size, = struct.unpack('<I', edid[:4])
            edid = edid[8:]
            self.assertEqual((size, len(edid)), (256, 1024))
            self.assertEqual(edid[:8], bytes.fromhex('00ffffffffffff00'))
            self.assertEqual((sum(edid[:128]) & 0xff, sum(edid[128:256]) & 0xff), (0, 0))
            # Without the feature there is none.
        with self.vm() as vm:
            self.assertEqual(Gpu(vm, 1 << virtio.VERSION_1).run(0x10a, 0, 0)[0], UNSPECIFIED)

    def test_picture(self):
        def script(vm, gpu):
            shown = gpu.show(64, 48)
            dumps = [self.dump(vm)]
            self.assertEqual(dumps[0], (64, 48, shown))
            # A part of it, from elsewhere in its memory.
            self.assertEqual(gpu.transfer(1, 8, 4, 16, 2, 0x400), OK)
            self.assertEqual(gpu.scanout(0, 1, 8, 4, 32, 16), OK)
            self.assertEqual(gpu.flush(1, 0, 0, 64, 48), OK)
            dumps.append(self.dump(vm))
            return dumps
        dumps = self.same(script)
        self.assertEqual(dumps[1][:2], (32, 16))

    def test_pieces(self):
        """Backing in pieces of odd sizes."""
        def script(vm, gpu):
            data = os.urandom(0) + bytes(range(256)) * 16  # 32 x 32
            at, pieces, n = PIXELS, [], 0
            for size in (1, 3, 500, 1024, 7, 4096 - 1535):
                gpu.poke(at, data[n:n + size])
                pieces.append((at, size))
                n, at = n + size, at + 0x2000
            self.assertEqual(gpu.create(5, 32, 32), OK)
            self.assertEqual(gpu.attach(5, *pieces), OK)
            self.assertEqual(gpu.transfer(5, 0, 0, 32, 32), OK)
            self.assertEqual(gpu.transfer(5, 3, 3, 20, 20, 3 * 128 + 12), OK)
            self.assertEqual(gpu.scanout(0, 5, 0, 0, 32, 32), OK)
            self.assertEqual(gpu.flush(5, 0, 0, 32, 32), OK)
            return self.dump(vm)
        _, _, shown = self.same(script)
        data = bytes(range(256)) * 16
        self.assertEqual(shown, b''.join(bytes((data[n + 2], data[n + 1], data[n]))
                                         for n in range(0, 4096, 4)))

    def test_formats(self):
        for form in PLACES:
            with self.subTest(form=form), self.vm() as vm:
                gpu = Gpu(vm)
                self.assertEqual(self.dump(vm)[:2], (640, 480))
                self.assertEqual(gpu.show(20, 17, form), self.dump(vm)[2])
                # What changes later is seen when it is flushed.
                gpu.poke(PIXELS, b'\x11\x22\x33\x44' * 20)
                self.assertEqual(gpu.transfer(1, 0, 0, 20, 1), OK)
                self.assertEqual(gpu.flush(1, 0, 0, 20, 17), OK)
                pixel = bytes(b'\x11\x22\x33\x44'[k] for k in PLACES[form])
                self.assertEqual(self.dump(vm)[2][:60], pixel * 20)

    def test_errors(self):
        def script(vm, gpu):
            answers = [
                gpu.create(0, 16, 16), gpu.create(1, 16, 16, 99), gpu.create(1, 16, 16),
                gpu.create(1, 16, 16), gpu.create(2, 8192, 8193),
                gpu.unref(9), gpu.detach(9), gpu.attach(9, (PIXELS, 4096)),
                gpu.transfer(9, 0, 0, 1, 1), gpu.transfer(1, 0, 0, 1, 1), gpu.detach(1),
                gpu.attach(1, (PIXELS, 1024)), gpu.attach(1, (PIXELS, 1024)),
                gpu.transfer(1, 0, 0, 17, 1), gpu.transfer(1, 16, 0, 1, 1),
                gpu.transfer(1, 0xffffffff, 0, 2, 1),
                gpu.flush(9, 0, 0, 1, 1), gpu.flush(1, 0, 0, 17, 16), gpu.flush(1, 8, 8, 9, 1),
                gpu.scanout(1, 1, 0, 0, 16, 16), gpu.scanout(0, 9, 0, 0, 16, 16),
                gpu.scanout(0, 1, 0, 0, 17, 16), gpu.scanout(0, 1, 0, 0, 15, 16),
                gpu.scanout(0, 1, 1, 0, 16, 16), gpu.scanout(0, 1, 0, 0, 16, 16),
                gpu.scanout(0, 0), gpu.run(0x999)[0], gpu.run(0x300)[0], gpu.detach(1), gpu.unref(1),
            ]
            return [hex(answer) for answer in answers]
        self.same(script)

    def test_broken_requests(self):
        """Too short, too long, without room: answered, and the device goes on."""
        with self.vm() as vm:
            gpu = Gpu(vm)
            for request in (b'', b'\1\1\0\0', struct.pack('<IIQII', 0x101, 0, 0, 0, 0) + b'\1\0\0\0'):
                self.assertEqual(gpu.raw(request or b'\0')[:2], b'\0\x12')
            self.assertEqual(gpu.raw(struct.pack('<IIQII', 0x100, 0, 0, 0, 0), room=10)[:2], b'\1\x11')
            for width, height in ((0, 16), (16, 0), (16385, 16), (0x8000, 0x8000)):
                self.assertEqual(gpu.create(1, width, height), PARAMETER)
            self.assertEqual(gpu.create(1, 16, 16), OK)
            for count in (2, 16385, 0xffffffff):
                self.assertEqual(gpu.run(0x106, 1, count, tail=bytes(16))[0], UNSPECIFIED)
            self.assertEqual(gpu.attach(1), OK)
            self.assertEqual(gpu.transfer(1, 0, 0, 16, 16), OK)
            for offset in (1, 1 << 40, (1 << 64) - 4): # at which the peer ends
                self.assertEqual(gpu.transfer(1, 0, 0, 16, 16, offset), OK)
            # Addresses where nothing is: the pixels stay.
            self.assertEqual(gpu.detach(1), OK)
            self.assertEqual(gpu.attach(1, (1 << 60, 4096), ((1 << 64) - 1, 0xffffffff)), OK)
            self.assertEqual(gpu.transfer(1, 0, 0, 16, 16), OK)

    def test_limits(self):
        with self.vm(options=',max_hostmem=1M') as vm:
            gpu = Gpu(vm)
            self.assertEqual(gpu.create(1, 1024, 257), NO_MEMORY)
            self.assertEqual(gpu.create(1, 1024, 128), OK)
            self.assertEqual(gpu.create(2, 1024, 129), NO_MEMORY)
            self.assertEqual(gpu.unref(1), OK)
            self.assertEqual(gpu.create(2, 1024, 256), OK)
            gpu.reset()
        with self.vm(options=',max_hostmem=64K') as vm:
            gpu = Gpu(vm)
            made = [gpu.create(n + 1, 1, 1) for n in range(17)]
            self.assertEqual(made, [OK] * 16 + [NO_MEMORY])

    def test_fence(self):
        def script(vm, gpu):
            return gpu.raw(struct.pack('<IIQII', 0x100, 1, 0x123456789, 7, 0))[:24], \
                gpu.raw(struct.pack('<IIQII', 0x999, 1, 5, 0, 0))
        self.same(script)

    def test_hidden(self):
        """A resource that goes, a driver that resets: nothing is shown of it."""
        with self.vm() as vm:
            gpu = Gpu(vm)
            for end in (lambda: gpu.unref(1), gpu.reset, lambda: vm.qmp('system_reset')):
                gpu = Gpu(vm)
                gpu.show(32, 32)
                end()
                self.assertEqual(self.dump(vm), (640, 480, bytes(640 * 480 * 3)))

    def test_heads(self):
        """Two screens, one resource; each with its VNC server, the second's wish is heard."""
        import vnc
        other = self.vnc_path + '2'
        with self.vm(house.binary(), ',max_outputs=2', '-vnc', f'unix:{self.vnc_path},display=gpu',
                     '-vnc', f'unix:{other},display=gpu,head=1') as vm:
            gpu = Gpu(vm)
            shown = gpu.show(64, 32)
            self.assertEqual(gpu.scanout(1, 1, 32, 0, 32, 32), OK)
            encodings = (vnc.RAW, vnc.DESKTOP_SIZE, vnc.CURSOR, vnc.EXTENDED_SIZE)
            with vnc.Vnc.unix(self.vnc_path, encodings=encodings) as first, \
                    vnc.Vnc.unix(other, encodings=encodings) as second:
                while first.picture.rgb() != shown:
                    first.update(incremental=True)
                right = self.dump(vm, device='gpu', head=1)
                self.assertEqual(right[:2], (32, 32))
                while second.picture.rgb() != right[2]:
                    second.update(incremental=True)
                # A cursor: blue, and opaque in its first line.
                self.assertEqual(gpu.create(2, 64, 64, BGRA), OK)
                gpu.poke(PIXELS, b'\xff\0\0\xff' * 64 + b'\xff\0\0\0' * 64 * 63)
                self.assertEqual(gpu.attach(2, (PIXELS, 64 * 64 * 4)), OK)
                self.assertEqual(gpu.transfer(2, 0, 0, 64, 64), OK)
                gpu.set_cursor(2, 3, 5)
                first.ask(incremental=True)
                note = (0,)
                while note[1:5] != (3, 5, 64, 64):
                    note = first.wait_note(vnc.CURSOR)
                self.assertEqual(note[5][:256], b'\xff\0\0\xff' * 64)
                self.assertEqual(note[5][64 * 64 * 4:], b'\xff' * 8 + bytes(8 * 63))
                self.assertEqual(gpu.get(DEVICE, 0), 0)
                second.send(struct.pack('>BxHHBxIHHHHI', 251, 800, 608, 1, 0, 0, 0, 800, 608, 0))
                while not gpu.get(DEVICE, 0) & 1:
                    pass
                _, info = gpu.run(0x100)
                self.assertEqual(struct.unpack('<6I', info[24:48]), (0, 0, 800, 608, 1, 0))
                gpu.put(DEVICE, 4, 1)
                self.assertEqual(gpu.get(DEVICE, 0), 0)

    def test_migration(self):
        with self.vm() as vm:
            gpu = Gpu(vm)
            shown = gpu.show(40, 30, RGBA)
            gpu.create(9, 16, 16)
            path = os.path.join(vm.folder.name, 'state')
            vm.qmp('migrate', uri=f'exec:cat > {path}')
            while vm.qmp('query-migrate')['status'] != 'completed':
                pass
            with self.vm(house.binary(), '', '-incoming', f'exec:cat {path}') as other:
                while other.qmp('query-migrate').get('status') != 'completed':
                    pass
                self.assertEqual(self.dump(other), (40, 30, shown))
                gpu.vm = gpu.pci.vm = gpu.control.vm = other
                gpu.poke(PIXELS, b'\0' * 40 * 4)
                self.assertEqual(gpu.transfer(1, 0, 0, 40, 1), OK)
                self.assertEqual(gpu.flush(1, 0, 0, 40, 30), OK)
                self.assertEqual(self.dump(other), (40, 30, bytes(120) + shown[120:]))
                self.assertEqual([gpu.create(n, 16, 16) for n in (9, 10, 11)], [NO_RESOURCE, OK, OK])

    def test_vga(self):
        """A VGA until the driver shows something, and again when it does no longer."""
        with Vm(house.binary(), '-M', 'pc', '-nodefaults', '-device', 'virtio-vga,addr=4', qtest=True) as vm:
            gpu = Gpu(vm)
            self.assertEqual((gpu.read(0), gpu.read(8) >> 8), (0x10501af4, 0x030000))
            gpu.write(0x10, 0xe8000000)
            for index, value in ((4, 0), (1, 64), (2, 32), (3, 32), (4, 0x41)):
                vm.qtest(f'outw 0x1ce {index:#x}')
                vm.qtest(f'outw 0x1cf {value:#x}')
            vm.qtest('memset 0xe8000000 0x2000 0x77')
            vga = (64, 32, b'\x77' * 64 * 32 * 3)
            self.assertTrue(self.dump(vm) == vga)
            for end in (lambda: gpu.scanout(0, 0), gpu.reset):
                shown = gpu.show(48, 20)
                self.assertTrue(self.dump(vm) == (48, 20, shown))
                end()
                self.assertTrue(self.dump(vm) == vga)
                if gpu.status():
                    gpu.unref(1)
            gpu = Gpu(vm)
            shown = gpu.show(48, 20)
            path = os.path.join(vm.folder.name, 'state')
            vm.qmp('migrate', uri=f'exec:cat > {path}')
            while vm.qmp('query-migrate')['status'] != 'completed':
                pass
            with Vm(house.binary(), '-M', 'pc', '-nodefaults', '-device', 'virtio-vga,addr=4', '-incoming',
                    f'exec:cat {path}', qtest=True) as other:
                while other.qmp('query-migrate').get('status') != 'completed':
                    pass
                self.assertEqual(self.dump(other), (48, 20, shown))
                gpu.vm = gpu.pci.vm = gpu.control.vm = other
                gpu.scanout(0, 0)
                self.assertEqual(self.dump(other)[:2], vga[:2])

    def test_options(self):
        for options, words in (('max_outputs=0', 'max_outputs'), ('max_outputs=17', 'max_outputs'),
                               ('xres=0', "'xres' and 'yres'")):
            self.assertIn(words, refusal(house.binary(), '-M', 'pc', '-device',
                                         f'virtio-gpu-pci,{options}'))


if __name__ == '__main__':
    unittest.main()
