# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio-scsi and disks behind it as a driver sees them: ours and, with the same script, the peer's."""
import os
import random
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from scsi import CHECK, GOOD, S_BAD_TARGET, S_INCORRECT_LUN, S_OK, S_OVERRUN, S_REJECTED, Adapter  # noqa: E402
from scsi import DATA, HEADER, RESPONSE  # noqa: E402
from virtio_pci import COMMON, DEVICE  # noqa: E402
from vm import Vm, refusal  # noqa: E402

PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
EVENTS = 0x206000


def pattern(sectors, first=0):
    return b''.join(struct.pack('<128I', *[first + n] * 128) for n in range(sectors))


class Scsi:
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.disk = os.path.join(self.folder.name, 'disk')
        with open(self.disk, 'wb') as file:
            file.write(pattern(8192))

    def machine(self, options='', drive='', extra=()):
        args = ['-M', 'pc', '-nodefaults', '-device', 'virtio-scsi-pci,id=s,addr=4,num_queues=1',
                '-drive', f'file={self.disk},format=raw,if=none,id=d{drive}', '-device',
                f'scsi-hd,drive=d,id=hd{options}', *extra]
        if self.binary == PEER:  # its CPU must not run
            return Vm(PEER, *args, '-S', qtest=True, accel='tcg')
        return Vm(self.binary, *args, qtest=True)

    def stored(self, sector):
        with open(self.disk, 'rb') as file:
            file.seek(512 * sector)
            return file.read(512)

    def test_identity(self):
        with self.machine(',serial=abc,wwn=0x5000c50015ea71aa,rotation_rate=1') as vm:
            adapter = Adapter(vm)
            function = adapter.function
            self.assertEqual((function.read(0), function.read(8) >> 16), (0x10041af4, 0x0100))
            self.assertEqual([function.get(DEVICE, at) for at in (0, 4, 8, 12, 16, 20, 24, 32)],
                             [1, 254, 65535, 128, 16, 96, 32, 16383])
            self.assertEqual(function.get(DEVICE, 28), 255 << 16)
            status, data = adapter.command([0x12, 0, 0, 0, 36], room=36)
            self.assertEqual(data[:8], b'\0\0\x05\x12\x1f\0\0\x12')
            self.assertEqual(data[8:32], b'QEMU    QEMU HARDDISK   ')
            adapter.ready()
            status, data = adapter.command([0x12, 1, 0x80, 0, 60], room=60)
            self.assertEqual(data[:7], b'\0\x80\0\x03abc')
            status, data = adapter.command([0x12, 1, 0x83, 0, 200], room=200)
            self.assertIn(b'abc', data)
            self.assertIn(bytes.fromhex('5000c50015ea71aa'), data)
            self.assertEqual(adapter.command([0x12, 1, 0xb1, 0, 64], room=64)[1][4:6], b'\0\x01')
            self.assertEqual(adapter.command([0x12, 1, 0xdd, 0, 64], room=64)[0], (5, 0x24))

    def test_attention(self):
        with self.machine() as vm:
            adapter = Adapter(vm)
            self.assertEqual(adapter.command([0])[0], (6, 0x29))
            self.assertEqual(adapter.command([0])[0], GOOD)
            self.assertEqual(adapter.manage(5), S_OK)  # reset of the unit
            self.assertEqual(adapter.command([0])[0], (6, 0x29))
            adapter.ready()
            vm.qmp('block_resize', device='d', size=16384 * 512)
            self.assertEqual(adapter.command([0])[0], (6, 0x2a))
            self.assertEqual(adapter.command([0x25], room=8)[1], struct.pack('>II', 16383, 512))

    def test_data(self):
        with self.machine() as vm:
            adapter = Adapter(vm).ready()
            self.assertEqual(adapter.command([0x28, 0, 0, 0, 0, 5, 0, 0, 4], room=2048),
                             (GOOD, pattern(4, 5)))
            self.assertEqual(adapter.command([0x08, 0, 0, 7, 1], room=512), (GOOD, pattern(1, 7)))
            self.assertEqual(adapter.command(b'\x88\0' + struct.pack('>QI', 9, 2), room=1024),
                             (GOOD, pattern(2, 9)))
            self.assertEqual(adapter.command([0x2a, 0, 0, 0, 0, 100, 0, 0, 2], b'w' * 1024)[0], GOOD)
            self.assertEqual(self.stored(101), b'w' * 512)
            self.assertEqual(adapter.command([0x35])[0], GOOD)
            self.assertEqual(adapter.command([0x28, 0, 0, 0, 0x20, 0, 0, 0, 1], room=512)[0], (5, 0x21))
            self.assertEqual(adapter.command(b'\x8a\0' + struct.pack('>QI', 1 << 60, 2), b'w' * 1024)[0],
                             (5, 0x21))
            self.assertEqual(adapter.command([0x25], room=8), (GOOD, struct.pack('>II', 8191, 512)))
            self.assertEqual(adapter.command([0x9e, 0x10] + [0] * 11 + [32], room=32)[1][:12],
                             struct.pack('>QI', 8191, 512))
            self.assertEqual(adapter.command([0xfe])[0], (5, 0x20))

    def test_modes(self):
        with self.machine() as vm:
            adapter = Adapter(vm).ready()
            _, data = adapter.command([0x1a, 8, 8, 0, 64], room=64)
            self.assertEqual((data[3], data[4] & 0x3f, data[6] & 4), (0, 8, 4))
            page = bytes([0, 0, 0, 0, 8, 18, 0]) + bytes(17)
            self.assertEqual(adapter.command([0x15, 0x10, 0, 0, len(page)], page)[0], GOOD)
            self.assertFalse(vm.qmp('query-block')[0]['inserted']['cache']['writeback'])
            self.assertEqual(adapter.command([0x1a, 8, 8, 0, 64], room=64)[1][6] & 4, 0)
            page = bytes([0, 0, 0, 0, 8, 18, 0x55]) + bytes(17)
            self.assertEqual(adapter.command([0x15, 0x10, 0, 0, len(page)], page)[0], (5, 0x26))

    def test_ranges(self):
        with self.machine(drive=',discard=unmap') as vm:
            adapter = Adapter(vm).ready()
            ranges = struct.pack('>HHI', 38, 32, 0) + struct.pack('>QII', 128, 64, 0) + \
                struct.pack('>QII', 1024, 8, 0)
            self.assertEqual(adapter.command([0x42, 0, 0, 0, 0, 0, 0, 0, 40], ranges)[0], GOOD)
            self.assertEqual(self.stored(130), bytes(512))
            self.assertEqual(self.stored(1031), bytes(512))
            self.assertEqual(self.stored(1032), pattern(1, 1032))
            beyond = struct.pack('>HHI', 22, 16, 0) + struct.pack('>QII', 8191, 2, 0)
            self.assertEqual(adapter.command([0x42, 0, 0, 0, 0, 0, 0, 0, 24], beyond)[0], (5, 0x21))
            self.assertEqual(adapter.command(b'\x93\0' + struct.pack('>QI', 2000, 3), b's' * 512)[0], GOOD)
            self.assertEqual(self.stored(2002), b's' * 512)
            self.assertEqual(self.stored(2003), pattern(1, 2003))
            self.assertEqual(adapter.command(b'\x93\x08' + struct.pack('>QI', 3000, 9), bytes(512))[0], GOOD)
            self.assertEqual(self.stored(3008), bytes(512))

    def test_places(self):
        extra = ['-drive', 'driver=null-co,size=1048576,if=none,id=e', '-device',
                 'scsi-hd,drive=e,scsi-id=3,lun=5']
        with self.machine(extra=extra) as vm:
            adapter = Adapter(vm).ready()
            self.assertEqual(adapter.submit([0], target=9)[11], S_BAD_TARGET)
            for lun, kind in ((0, 0x3f), (1, 0x7f), (5, 0)):
                self.assertEqual(adapter.command([0x12, 0, 0, 0, 36], room=36, target=3, lun=lun)[1][0],
                                 kind)
            read = [0x28, 0, 0, 0, 0, 0, 0, 0, 1]
            adapter.command(read, room=512, target=3)  # the peer's targets have attentions of their own
            self.assertEqual(adapter.command(read, room=512, target=3)[0][0], 5)
            status, data = adapter.command([0xa0] + [0] * 8 + [64], room=64, target=3)
            self.assertIn(bytes([0, 5, 0, 0, 0, 0, 0, 0]), data)

    def test_task_management(self):
        with self.machine() as vm:
            adapter = Adapter(vm).ready()
            for function in (0, 1, 3, 4, 5, 6, 7):
                self.assertEqual(adapter.manage(function), S_OK, function)
            self.assertEqual(adapter.manage(5, target=7), S_BAD_TARGET)
            self.assertEqual(adapter.manage(5, lun=7), S_INCORRECT_LUN)
            self.assertEqual(adapter.manage(2), S_REJECTED)
            self.assertEqual(adapter.manage(99), S_REJECTED)
            subscribe = struct.pack('<I', 2) + struct.pack('>BBHI', 1, 0, 0, 0) + struct.pack('<I', 2)
            self.assertEqual(len(adapter.control(subscribe, 5)), 5)
            adapter.ready()

    def test_events(self):
        with self.machine() as vm:
            adapter = Adapter(vm).ready()
            for n in range(4):
                adapter.add(1, [(EVENTS + 16 * n, 16, True)])
            vm.qmp('blockdev-add', driver='null-co', size=1 << 20, **{'node-name': 'n'})
            vm.qmp('device_add', driver='scsi-hd', drive='n', id='two', **{'scsi-id': 6, 'lun': 300})
            adapter.queues[1].wait()
            self.assertEqual(adapter.peek(EVENTS, 16), struct.pack('<I', 1) + bytes([1, 6, 0x41, 0x2c]) +
                             bytes(4) + struct.pack('<I', 1))
            vm.qmp('device_del', id='two')
            vm.qmp.wait_event('DEVICE_DELETED')
            adapter.queues[1].wait()
            self.assertEqual(adapter.peek(EVENTS + 16, 16)[12], 2)
            vm.qmp('blockdev-del', **{'node-name': 'n'})
            vm.qmp('block_resize', device='d', size=16384 * 512)
            adapter.queues[1].wait()
            self.assertEqual(adapter.peek(EVENTS + 32, 4), struct.pack('<I', 3))


class Ours(Scsi, unittest.TestCase):
    binary = house.binary()

    def test_merging(self):
        """Neighbours of a unit are one request of its drive, whatever their order."""
        places = [(0x2a, 52), (0x2a, 50), (0x28, 102), (0x28, 100), (0x28, 300)]
        with self.machine() as vm:
            adapter = Adapter(vm).ready()
            before, chains = vm.qmp('query-blockstats')[0]['stats'], []
            for n, (opcode, block) in enumerate(places):
                header, response, data = HEADER + 64 * n, RESPONSE + 128 * n, DATA + 1024 * n
                adapter.poke(header, struct.pack('>BBHIQBBB', 1, 0, 0, 0, 0, 0, 0, 0) +
                             struct.pack('>BBIBH', opcode, 0, block, 0, 2).ljust(32, b'\0'))
                adapter.poke(data, bytes([n + 65]) * 1024)
                adapter.poke(response, b'\xee' * 108)
                chains.append([(header, 51, False), (data, 1024, False), (response, 108, True)] if opcode == 0x2a else
                              [(header, 51, False), (response, 108, True), (data, 1024, True)])
            adapter.queues[2].add_all(chains)
            adapter.function.put(COMMON, 0x16, 2, 2)
            adapter.function.kick()
            for n in range(5):
                adapter.queues[2].wait()
            self.assertEqual([adapter.peek(RESPONSE + 128 * n, 12) for n in range(5)], [bytes(12)] * 5)
            self.assertEqual(adapter.peek(DATA + 2048, 3072), b''.join(pattern(2, n) for n in (102, 100, 300)))
            self.assertEqual((self.stored(50), self.stored(53)), (b'B' * 512, b'A' * 512))
            after = vm.qmp('query-blockstats')[0]['stats']
            self.assertEqual([after[name] - before[name] for name in ('rd_merged', 'wr_merged', 'rd_operations',
                                                                      'wr_operations', 'rd_bytes', 'wr_bytes')],
                             [1, 1, 3, 2, 3072, 2048])

    def test_unknown_control_request(self):
        with self.machine() as vm:
            adapter = Adapter(vm)
            self.assertEqual(adapter.control(struct.pack('<I', 77) + bytes(20))[0], S_REJECTED)
            self.assertEqual(adapter.control(struct.pack('<I', 0) + bytes(4))[0], S_REJECTED)
            adapter.ready()

    def test_random_commands(self):
        rng = random.Random(3)
        with self.machine(drive=',discard=unmap') as vm:
            adapter = Adapter(vm).ready()
            for _ in range(400):
                cdb = bytes([rng.choice((0x00, 0x03, 0x12, 0x15, 0x1a, 0x28, 0x2a, 0x41, 0x42, 0x55, 0x5a,
                                         0x88, 0x93, 0x9e, 0xa0, rng.randrange(256)))])
                cdb += rng.choice((rng.randbytes(15), bytes(7) + rng.randbytes(2) + bytes(6)))
                data, room = rng.choice(((b'', 0), (rng.randbytes(rng.randrange(1, 2000)), 0),
                                         (b'', rng.randrange(1, 2000))))
                raw = adapter.submit(cdb, data, room)
                self.assertIn((raw[11], raw[10]), ((S_OK, GOOD), (S_OK, CHECK), (S_OVERRUN, 0)))
            for _ in range(100):
                adapter.control(struct.pack('<I', rng.choice((0, 1, 2, 5))) +
                                rng.randbytes(rng.randrange(30)), 8)

    def test_refused(self):
        base = ('-M', 'pc', '-device', 'virtio-scsi-pci', '-drive', 'if=none,id=d,driver=null-co,size=1M',
                '-device')
        for words, device in (('drive property not set', 'scsi-hd'),
                              ('bad scsi device lun: 20000', 'scsi-hd,drive=d,lun=20000'),
                              ('bad scsi device id: 256', 'scsi-hd,drive=d,scsi-id=256'),
                              ('bad scsi channel id: 1', 'scsi-hd,drive=d,channel=1'),
                              ('Invalid number of queues', 'virtio-scsi-pci,num_queues=0')):
            self.assertIn(words, refusal(self.binary, *base, device))


@unittest.skipUnless(PEER, 'the package qemu-system-x86 is not installed')
class Peers(Scsi, unittest.TestCase):
    binary = PEER


if __name__ == '__main__':
    house.main()
