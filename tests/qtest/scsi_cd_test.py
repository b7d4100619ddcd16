# SPDX-License-Identifier: GPL-2.0-or-later
"""scsi-cd as a driver sees it behind virtio-scsi and usb-storage: ours and, with the same script, the peer's."""
import os
import random
import shutil
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from scsi import CHECK, GOOD, S_BAD_TARGET, S_INCORRECT_LUN, S_OK, S_OVERRUN, Adapter  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
DVD_BYTES = 800 << 20
EVENTS = 0x206000


def pattern(blocks, first=0):
    return b''.join(struct.pack('<512I', *[first + n] * 512) for n in range(blocks))


def read_10(block, blocks):
    return struct.pack('>BBIBHB', 0x28, 0, block, 0, blocks, 0)


def wait_ready(adapter):
    """What is told until the drive is ready."""
    told = []
    while (result := adapter.command([0])[0]) != GOOD:
        told.append(result)
    return told


class Discs:
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def image(self, name, blocks, bytes_=0):
        path = os.path.join(self.folder.name, name)
        with open(path, 'wb') as file:
            file.write(pattern(blocks))
            file.truncate(max(bytes_, blocks * 2048))
        return path

    def machine(self, *drive, options=''):
        args = ['-M', 'pc', '-nodefaults', '-device', 'virtio-scsi-pci,id=s,addr=4,num_queues=1', *drive,
                '-device', f'scsi-cd,id=cd{options}']
        if self.binary == PEER:  # its CPU must not run
            return Vm(PEER, *args, '-S', qtest=True, accel='tcg')
        return Vm(self.binary, *args, qtest=True)

    def with_disc(self, blocks=100, bytes_=0, options=''):
        path = self.image('disc', blocks, bytes_)
        return self.machine('-drive', f'file={path},if=none,id=c,media=cdrom,format=raw', options=',drive=c' + options)

    def test_identity(self):
        with self.with_disc(options=',serial=abc,wwn=0x5000c50015ea71aa') as vm:
            adapter = Adapter(vm).ready()
            _, data = adapter.command([0x12, 0, 0, 0, 36], room=36)
            self.assertEqual(data[:8], b'\x05\x80\x05\x12\x1f\0\0\x12')
            self.assertEqual(data[8:32], b'QEMU    QEMU CD-ROM     ')
            self.assertEqual(adapter.command([0x12, 1, 0x80, 0, 60], room=60)[1][:7], b'\5\x80\0\x03abc')
            _, data = adapter.command([0x12, 1, 0x83, 0, 200], room=200)
            self.assertIn(b'abc', data)
            self.assertIn(bytes.fromhex('5000c50015ea71aa'), data)
            self.assertEqual(adapter.command([0x12, 1, 0xdd, 0, 64], room=64)[0], (5, 0x24))

    def test_data(self):
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            self.assertEqual(adapter.command([0x25], room=8), (GOOD, struct.pack('>II', 99, 2048)))
            self.assertEqual(adapter.command([0x9e, 0x10] + [0] * 11 + [32], room=32)[1][:12],
                             struct.pack('>QI', 99, 2048))
            self.assertEqual(adapter.command(read_10(3, 5), room=5 * 2048), (GOOD, pattern(5, 3)))
            self.assertEqual(adapter.command(b'\xa8\0' + struct.pack('>II', 7, 1), room=2048), (GOOD, pattern(1, 7)))
            self.assertEqual(adapter.command(b'\x88\0' + struct.pack('>QI', 98, 2), room=4096),
                             (GOOD, pattern(2, 98)))
            self.assertEqual(adapter.command(read_10(99, 2), room=4096)[0], (5, 0x21))
            self.assertEqual(adapter.command([0x2a, 0, 0, 0, 0, 0, 0, 0, 1], b'w' * 2048)[0], (7, 0x27))
            self.assertEqual(adapter.command(read_10(0, 1), room=2048), (GOOD, pattern(1)))

    def test_disc(self):
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            _, toc = adapter.command([0x43, 0, 0, 0, 0, 0, 0, 0, 20], room=20)
            self.assertEqual(toc[:4] + toc[5:7], struct.pack('>HBBBB', 18, 1, 1, 0x14, 1))
            self.assertEqual(struct.unpack_from('>BxI', toc, 14), (0xaa, 100))
            _, toc = adapter.command([0x43, 2, 0, 0, 0, 0, 0xaa, 0, 12], room=12)
            self.assertEqual(toc[-4:], bytes((0, 0, 3, 25)))  # 250 frames with the lead-in
            _, data = adapter.command([0x46, 0, 0, 0, 0, 0, 0, 0, 200], room=200)
            self.assertEqual(struct.unpack_from('>H', data, 6)[0], 8)  # a CD
            self.assertEqual(adapter.command([0xad, 0, 0, 0, 0, 0, 0, 0, 0, 64], room=64)[0], (5, 0x30))
            _, data = adapter.command([0x51, 0, 0, 0, 0, 0, 0, 0, 34], room=34)
            self.assertEqual(data[2] & 3, 2)

    def test_dvd(self):
        with self.with_disc(bytes_=DVD_BYTES) as vm:
            adapter = Adapter(vm).ready()
            _, data = adapter.command([0x46, 0, 0, 0, 0, 0, 0, 0, 200], room=200)
            self.assertEqual(struct.unpack_from('>H', data, 6)[0], 0x10)
            _, data = adapter.command([0xad, 0, 0, 0, 0, 0, 0, 0, 8, 4], room=2052)
            self.assertEqual(len(data), 2052)
            self.assertEqual(struct.unpack_from('>H', data)[0], 2050)
            first, last = struct.unpack_from('>II', data, 8)
            self.assertEqual(last - first, DVD_BYTES // 2048 - 1)

    def test_modes(self):
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            _, short = adapter.command([0x1a, 0, 0x2a, 0, 64], room=64)
            _, long = adapter.command([0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 64], room=64)
            self.assertEqual((short[3], short[4] & 0x3f), (0, 0x2a))  # no block descriptor
            end = 5 + short[5]
            self.assertEqual((long[6:8], long[8:8 + end]), (b'\0\0', short[4:4 + end]))
            self.assertFalse(short[4 + 6] & 2)
            adapter.command([0x1e, 0, 0, 0, 1])
            self.assertTrue(adapter.command([0x1a, 0, 0x2a, 0, 64], room=64)[1][4 + 6] & 2)
            self.assertEqual(adapter.command([0x1a, 0, 0xea, 0, 64], room=64)[0], (5, 0x39))

    def test_media(self):
        second = self.image('second', 200)
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            vm.qmp('blockdev-change-medium', id='cd', filename=second, format='raw')
            opened = vm.qmp.wait_event('DEVICE_TRAY_MOVED')['data']
            self.assertEqual(opened, {'device': 'c', 'id': 'cd', 'tray-open': True})
            self.assertFalse(vm.qmp.wait_event('DEVICE_TRAY_MOVED')['data']['tray-open'])
            _, event = adapter.command([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8], room=8)
            self.assertEqual((event[2], event[4], event[5]), (4, 2, 2))
            self.assertEqual(wait_ready(adapter)[-1], (6, 0x28))
            self.assertEqual(adapter.command([0x25], room=8)[1], struct.pack('>II', 199, 2048))
            _, event = adapter.command([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8], room=8)
            self.assertEqual(event[4], 0)

    def test_tray(self):
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            self.assertEqual(adapter.command([0x1e, 0, 0, 0, 1])[0], GOOD)  # lock
            (block,) = vm.qmp('query-block')
            self.assertEqual((block['locked'], block['tray_open'], block['qdev']), (True, False, 'cd'))
            self.assertEqual(adapter.command([0x1b, 0, 0, 0, 2])[0], (5, 0x53))  # eject
            with self.assertRaises(QmpError):
                vm.qmp('eject', device='c')
            _, event = adapter.command([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8], room=8)
            self.assertEqual(event[4], 1)  # the user would like to have it
            self.assertEqual(adapter.manage(5), S_OK)  # a reset of the unit takes its lock away
            self.assertFalse(vm.qmp('query-block')[0]['locked'])
            adapter.ready()
            self.assertEqual(adapter.command([0x1b, 0, 0, 0, 2])[0], GOOD)
            moved = vm.qmp.wait_event('DEVICE_TRAY_MOVED')['data']
            self.assertEqual(moved, {'device': 'c', 'id': 'cd', 'tray-open': True})
            self.assertEqual(adapter.command([0])[0], (2, 0x3a))
            vm.qmp('blockdev-remove-medium', id='cd')
            vm.qmp('blockdev-close-tray', id='cd')
            self.assertEqual(adapter.command([0])[0][1], 0x3a)

    def test_nodes(self):
        path = self.image('disc', 10)
        with self.machine() as vm:  # an empty drive without a name
            adapter = Adapter(vm)
            adapter.command([0])
            self.assertEqual(adapter.command([0])[0], (2, 0x3a))
            vm.qmp('blockdev-add', driver='raw', **{'node-name': 'disc', 'read-only': True,
                                                    'file': {'driver': 'file', 'filename': path}})
            vm.qmp('blockdev-open-tray', id='cd')
            vm.qmp('blockdev-insert-medium', id='cd', **{'node-name': 'disc'})
            self.assertEqual(adapter.command(read_10(0, 1), room=2048)[0][1], 0x3a)
            vm.qmp('blockdev-close-tray', id='cd')
            self.assertEqual(wait_ready(adapter)[-1], (6, 0x28))
            self.assertEqual(adapter.command([0x25], room=8)[1], struct.pack('>II', 9, 2048))
            self.assertEqual(adapter.command(read_10(9, 1), room=2048), (GOOD, pattern(1, 9)))
            vm.qmp('blockdev-open-tray', id='cd')
            vm.qmp('blockdev-remove-medium', id='cd')
            self.assertEqual(adapter.command(read_10(9, 1), room=2048)[0][1], 0x3a)
            vm.qmp('blockdev-del', **{'node-name': 'disc'})

    def test_comes_and_goes(self):
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            vm.qmp('device_add', driver='scsi-cd', id='other', **{'scsi-id': 5})
            self.assertEqual(adapter.command([0x12, 0, 0, 0, 36], room=36, target=5)[1][0], 5)
            vm.qmp('device_del', id='other')
            vm.qmp.wait_event('DEVICE_DELETED')
            self.assertEqual(adapter.submit([0], target=5)[11], 3)


class Ours(Discs, unittest.TestCase):
    binary = house.binary()

    def test_mode_select(self):
        """Pages may be as they are."""
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            _, recovery = adapter.command([0x1a, 0, 1, 0, 64], room=64)
            self.assertEqual(adapter.command([0x15, 0x10, 0, 0, len(recovery)], bytes(4) + recovery[4:])[0], GOOD)
            self.assertEqual(adapter.command([0x55, 0x10, 0, 0, 0, 0, 0, 0, 4 + len(recovery)],
                                             bytes(8) + recovery[4:])[0], GOOD)
            self.assertEqual(adapter.command([0x15, 0x10, 0, 0, len(recovery)],
                                             bytes(4) + recovery[4:7] + b'\x77' + recovery[8:])[0], (5, 0x26))
            self.assertEqual(adapter.command([0x15, 0x10, 0, 0, 6], bytes([0, 0, 0, 0, 0x0d, 0]))[0], (5, 0x26))

    def test_features(self):
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            _, data = adapter.command([0x46, 2, 0, 3, 0, 0, 0, 0, 200], room=200)  # one of them
            self.assertEqual(data[8:12], bytes((0, 3, 3, 4)))
            _, data = adapter.command([0x46, 1, 0, 4, 0, 0, 0, 0, 200], room=200)  # with this disc
            self.assertEqual([data[8:10], data[20:22]], [b'\0\x10', b'\0\x1e'])
            self.assertEqual(len(data), 28)
            self.assertEqual(adapter.command([0x46, 3, 0, 0, 0, 0, 0, 0, 200], room=200)[0], (5, 0x24))

    def test_notifications(self):
        """Asynchronous ones (virtio 1.3, 5.6.6.2), which drives of media have in place of changed parameters."""
        def notifications(kind, wanted, target=0, lun=0):
            return struct.unpack('<IB', adapter.control(struct.pack('<I', kind) + struct.pack('>BBHI', 1, target, lun, 0) +
                                                        struct.pack('<I', wanted), 5))

        query, subscribe, media_change = 1, 2, 16
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            for n in range(4):
                adapter.add(1, [(EVENTS + 16 * n, 16, True)])
            self.assertEqual(notifications(query, 0x7e), (media_change, S_OK))
            vm.qmp('blockdev-open-tray', id='cd')  # nobody wanted to know
            self.assertEqual(notifications(subscribe, 0x7e), (media_change, S_OK))
            self.assertEqual(notifications(query, 2), (0, S_OK))
            self.assertEqual(notifications(subscribe, 16, target=9), (0, S_BAD_TARGET))
            self.assertEqual(notifications(subscribe, 16, lun=9), (0, S_INCORRECT_LUN))
            vm.qmp('blockdev-close-tray', id='cd')
            adapter.queues[1].wait()
            self.assertEqual(adapter.peek(EVENTS, 16), struct.pack('<I', 2) + bytes([1, 0, 0, 0]) + bytes(4) +
                             struct.pack('<I', media_change))
            self.assertEqual(notifications(subscribe, 0), (0, S_OK))
            vm.qmp('blockdev-open-tray', id='cd')
            self.assertIsNone(adapter.queues[1].take())

    def test_save_and_load(self):
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            adapter.command([0x1e, 0, 0, 0, 1])
            stream = os.path.join(self.folder.name, 'stream')
            vm.qmp('stop')
            vm.qmp('migrate', uri=f'exec:cat >{stream}')
            while vm.qmp('query-migrate')['status'] != 'completed':
                pass
        with self.machine('-drive', f"file={os.path.join(self.folder.name, 'disc')},if=none,id=c,media=cdrom,format=raw",
                          '-incoming', f'exec:cat {stream}', options=',drive=c') as vm:
            while vm.qmp('query-status')['status'] in ('inmigrate',):
                pass
            self.assertTrue(vm.qmp('query-block')[0]['locked'])

    def test_random_commands(self):
        rng = random.Random(5)
        known = (0x00, 0x03, 0x08, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x2f, 0x43, 0x46, 0x4a, 0x51, 0x5a,
                 0x88, 0x9e, 0xa0, 0xa8, 0xad, 0xbd, 0xbe)
        with self.with_disc() as vm:
            adapter = Adapter(vm).ready()
            for _ in range(400):
                cdb = bytes([rng.choice((*known, rng.randrange(256)))])
                cdb += rng.choice((rng.randbytes(15), bytes(6) + rng.randbytes(3) + bytes(6)))
                data, room = rng.choice(((b'', 0), (rng.randbytes(rng.randrange(1, 2000)), 0),
                                         (b'', rng.randrange(1, 9000))))
                raw = adapter.submit(cdb, data, room)
                self.assertIn((raw[11], raw[10]), ((S_OK, GOOD), (S_OK, CHECK), (S_OVERRUN, 0)))


@unittest.skipUnless(PEER, 'the package qemu-system-x86 is not installed')
class Peers(Discs, unittest.TestCase):
    binary = PEER


if __name__ == '__main__':
    house.main()
