# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks and CD drives with images behind IDE and AHCI, ours and, with the same script, the peer's."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ata  # noqa: E402
import house  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

MIB = 1 << 20
PEER = shutil.which('qemu-system-x86_64', path='/usr/bin')
PC = ['-M', 'pc', '-nodefaults']
Q35 = ['-M', 'q35', '-nodefaults']


def pattern(sectors, first=0):
    return b''.join(struct.pack('<128I', *[first + n] * 128) for n in range(sectors))


class Disks:
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def image(self, name='disk', sectors=8192):
        path = os.path.join(self.folder.name, name)
        with open(path, 'wb') as file:
            file.write(pattern(sectors))
        return path

    def machine(self, *args):
        if self.binary == PEER:  # its CPU must not run
            return Vm(PEER, *args, '-S', qtest=True, accel='tcg')
        return Vm(self.binary, *args, qtest=True)

    def sector(self, path, n):
        with open(path, 'rb') as file:
            file.seek(512 * n)
            return file.read(512)

    # --- disks ---

    def test_pio_and_dma(self):
        path = self.image()
        args = [*PC, '-drive', f'file={path},format=raw,if=none,id=d', '-device',
                'ide-hd,drive=d,bus=ide.0,serial=s1,model=m,rotation_rate=1,wwn=0x5000c50015ea71aa']
        with self.machine(*args) as vm:
            self.image()
            disk = ata.Ide(vm)
            words = disk.identify()
            self.assertEqual(words[60] | words[61] << 16, 8192)
            self.assertEqual(words[10], ord('s') << 8 | ord('1'))
            self.assertEqual(words[217], 1)
            self.assertEqual(words[108:112], (0x5000, 0xc500, 0x15ea, 0x71aa))
            self.assertEqual(disk.pio_read(5, 2), pattern(2, 5))
            self.assertEqual(disk.pio_write(100, b'ab' * 512) & 0xc9, ata.DRDY)
            ata.poke(vm, ata.BUFFER, b'x' * 512 + b'y' * 1024)
            status, master = disk.dma(0xca, 200, [(ata.BUFFER, 512), (ata.BUFFER + 512, 1024)], False)
            self.assertEqual((status & 0xc9, master & 7), (ata.DRDY, 4))
            disk.command(0xe7)
            self.assertEqual(disk.wait() & 0xc9, ata.DRDY)
            status, master = disk.dma(0xc8, 199, [(ata.BUFFER + 0x1000, 5 * 512)], True)
            self.assertEqual((status & 0xc9, master & 7), (ata.DRDY, 4))
            self.assertEqual(ata.peek(vm, ata.BUFFER + 0x1000, 5 * 512),
                             pattern(1, 199) + b'x' * 512 + b'y' * 1024 + pattern(1, 203))
            self.assertEqual(self.sector(path, 201), b'y' * 512)
            self.assertEqual(self.sector(path, 101), b'ab' * 256)
            (stats,) = vm.qmp('query-blockstats')
            stats = stats['stats']
            self.assertEqual(stats['wr_bytes'], 2 * 512 + 3 * 512)
            self.assertGreaterEqual(stats['flush_operations'], 1)

    def test_limits(self):
        path = self.image()
        args = [*PC, '-drive', f'file={path},format=raw,if=ide,index=1']
        with self.machine(*args) as vm:
            disk = ata.Ide(vm, unit=1)
            disk.command(0x20, 8192, 1)
            self.assertEqual(disk.wait() & ata.ERR, ata.ERR)
            self.assertEqual(disk.pio_read(8191), pattern(1, 8191))
            block = vm.qmp('query-block')[0]
            self.assertEqual((block['device'], block['removable'], block['locked']),
                             ('ide0-hd1', False, False))

    def test_discard(self):
        path = self.image()
        args = [*PC, '-drive', f'file={path},format=raw,if=none,id=d,discard=unmap', '-device',
                'ide-hd,drive=d,bus=ide.0']
        with self.machine(*args) as vm:
            self.image()
            disk = ata.Ide(vm)
            ata.poke(vm, ata.BUFFER, struct.pack('<QQ', 64 | 128 << 48, 1024 | 8 << 48).ljust(512, b'\0'))
            status, _ = disk.dma(0x06, 0, [(ata.BUFFER, 512)], False, features=1)
            self.assertEqual(status & 0xc9, ata.DRDY)
            self.assertEqual(disk.pio_read(64), bytes(512))
            self.assertEqual(disk.pio_read(192), pattern(1, 192))
            ata.poke(vm, ata.BUFFER, struct.pack('<Q', 8190 | 8 << 48).ljust(512, b'\0'))
            status, _ = disk.dma(0x06, 0, [(ata.BUFFER, 512)], False, features=1)
            self.assertEqual(status & ata.ERR, ata.ERR)

    def test_reset_with_a_request_under_way(self):
        path = self.image()
        with self.machine(*PC, '-drive', f'file={path},format=raw,if=ide') as vm:
            disk = ata.Ide(vm)
            for _ in range(20):
                disk.command(0x20, 7, 1)
                vm.qtest(f'outb {disk.control:#x} 4')
                vm.qtest(f'outb {disk.control:#x} 0')
                self.assertEqual(disk.wait() & 0xc9, ata.DRDY)
            disk.command(0x20, 7, 1)
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            self.assertEqual(ata.Ide(vm).pio_read(9), pattern(1, 9))

    def test_ahci(self):
        path = self.image()
        args = [*Q35, '-drive', f'file={path},format=raw,if=none,id=d', '-device',
                'ide-hd,drive=d,bus=ide.0']
        with self.machine(*args) as vm:
            self.image()
            port = ata.AhciPort(vm)
            port.issue(0, 0x25, 40, 4, [(ata.BUFFER, 1024), (ata.BUFFER + 4096, 1024)])
            self.assertEqual(port.wait() & 0x81, 0)
            self.assertEqual(ata.peek(vm, ata.BUFFER, 1024), pattern(2, 40))
            self.assertEqual(ata.peek(vm, ata.BUFFER + 4096, 1024), pattern(2, 42))
            ata.poke(vm, ata.BUFFER, b'q' * 512 * 64)
            for slot in range(8):
                port.issue(slot, 0x61, 1000 + 8 * slot, 8, [(ata.BUFFER + 4096 * slot, 4096)],
                           write=True, queued=True)
            self.assertEqual(port.wait() & 0x81, 0)
            port.issue(3, 0x60, 1000, 64, [(ata.BUFFER + 0x10000, 32768)], queued=True)
            self.assertEqual(port.wait() & 0x81, 0)
            self.assertEqual(ata.peek(vm, ata.BUFFER + 0x10000, 32768), b'q' * 32768)
            port.issue(0, 0xea, 0, 0, [])
            self.assertEqual(port.wait() & 0x81, 0)
            self.assertEqual(self.sector(path, 1063), b'q' * 512)

    def test_resize(self):
        path = self.image()
        with self.machine(*PC, '-drive', f'file={path},format=raw,if=ide') as vm:
            self.image()
            disk = ata.Ide(vm)
            vm.qmp('block_resize', device='ide0-hd0', size=8 * MIB)
            disk.command(0x20, 16384, 1)
            self.assertEqual(disk.wait() & ata.ERR, ata.ERR)
            self.assertEqual(disk.pio_read(16383), bytes(512))

    # --- discs ---

    def test_media(self):
        first, second = self.image('first', 400), self.image('second', 800)
        args = ['-M', 'pc', '-nodefaults', '-drive', f'file={first},if=none,id=c,media=cdrom,format=raw',
                '-device', 'ide-cd,drive=c,bus=ide.1,id=cd']
        with self.machine(*args) as vm:
            cd = ata.Ide(vm, 1)
            self.assertEqual(cd.identify(0xa1)[0], 0x85c0)
            self.assertEqual(cd.packet([0]), (0, b''))
            self.assertEqual(cd.packet([0x25])[1], struct.pack('>II', 99, 2048))
            self.assertEqual(cd.packet([0x28, 0, 0, 0, 0, 3, 0, 0, 2])[1], pattern(8, 12))
            self.assertEqual(cd.packet([0x28, 0, 0, 0, 0, 99, 0, 0, 2])[0], 5)
            self.assertEqual(cd.sense(), (5, 0x21))
            vm.qmp('blockdev-change-medium', id='cd', filename=second, format='raw')
            opened = vm.qmp.wait_event('DEVICE_TRAY_MOVED')['data']
            self.assertEqual(opened, {'device': 'c', 'id': 'cd', 'tray-open': True})
            self.assertFalse(vm.qmp.wait_event('DEVICE_TRAY_MOVED')['data']['tray-open'])
            senses = []
            while cd.packet([0])[0]:  # the peer says "not ready" first
                senses.append(cd.sense())
            self.assertEqual(senses[-1], (6, 0x28))
            self.assertEqual(cd.packet([0x25])[1], struct.pack('>II', 199, 2048))

    def test_tray(self):
        path = self.image('disc', 400)
        args = ['-M', 'pc', '-nodefaults', '-drive', f'file={path},if=none,id=c,media=cdrom,format=raw',
                '-device', 'ide-cd,drive=c,bus=ide.1,id=cd']
        with self.machine(*args) as vm:
            cd = ata.Ide(vm, 1)
            self.assertEqual(cd.packet([0x1e, 0, 0, 0, 1])[0], 0)  # lock
            (block,) = vm.qmp('query-block')
            self.assertEqual((block['locked'], block['tray_open'], block['qdev']), (True, False, 'cd'))
            self.assertNotEqual(cd.packet([0x1b, 0, 0, 0, 2])[0], 0)  # eject
            self.assertEqual(cd.sense()[1], 0x53)
            with self.assertRaises(QmpError):
                vm.qmp('eject', device='c')
            _, event = cd.packet([0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8])
            self.assertEqual(event[4], 1)  # the user would like to have it
            self.assertEqual(cd.packet([0x1e])[0], 0)
            self.assertEqual(cd.packet([0x1b, 0, 0, 0, 2])[0], 0)
            moved = vm.qmp.wait_event('DEVICE_TRAY_MOVED')['data']
            self.assertEqual(moved, {'device': 'c', 'id': 'cd', 'tray-open': True})
            self.assertEqual(cd.packet([0])[0], 2)
            vm.qmp('blockdev-remove-medium', id='cd')
            vm.qmp('blockdev-close-tray', id='cd')
            self.assertEqual(cd.packet([0])[0], 2)
            self.assertEqual(cd.sense(), (2, 0x3a))

    def test_default_drive(self):
        for board, name in (('pc', 'ide1-cd0'), ('q35', 'ide2-cd0')):
            with self.machine('-M', board) as vm:
                drives = {drive['device']: drive for drive in vm.qmp('query-block')}
                self.assertIn(name, drives)
                self.assertTrue(drives[name]['qdev'].startswith('/machine/unattached/device['))
                self.assertFalse(drives[name]['tray_open'])
                self.assertNotIn('inserted', drives[name])

    # --- what is wrong ---

    def test_refused(self):
        path = self.image()
        drive = ['-drive', f'file={path},format=raw,if=none,id=d']
        for words, *args in (
                ('No drive specified', '-device', 'ide-hd'),
                ("Drive 'd' is already in use by another device", *drive, '-device', 'ide-hd,drive=d',
                 '-device', 'ide-hd,drive=d'),
                ('Device needs media, but drive is empty', '-drive', 'if=none,id=d', '-device',
                 'ide-hd,drive=d'),
                ('Block node is read-only', '-drive', f'file={path},format=raw,if=none,id=d,readonly=on',
                 '-device', 'ide-hd,drive=d'),
                ('discard_granularity must be a multiple of logical_block_size', *drive, '-device',
                 'ide-hd,drive=d,logical_block_size=4096,physical_block_size=4096'),
                ('logical_block_size > physical_block_size not supported', *drive, '-device',
                 'ide-hd,drive=d,logical_block_size=4096'),
                ('secs must be between 1 and 255', *drive, '-device',
                 'ide-hd,drive=d,cyls=1,heads=1,secs=256')):
            with self.subTest(words):
                done = subprocess.run([self.binary, *PC, '-display', 'none', *args], timeout=60,
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stderr)


class Ours(Disks, unittest.TestCase):
    binary = house.binary()


@unittest.skipUnless(PEER, 'the package qemu-system-x86 is not installed')
class Peers(Disks, unittest.TestCase):
    binary = PEER


if __name__ == '__main__':
    house.main()
