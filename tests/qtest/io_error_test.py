# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests that the host fails, at each kind of disk: reported to the guest, or the machine stops and
they are tried again. A limit of the size of files makes them fail (EFBIG), and is lifted.
"""
import os
import resource
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import ata  # noqa: E402
import house  # noqa: E402
from nvme_test import Controller  # noqa: E402
from virtio_blk_test import Disk  # noqa: E402
from virtio_scsi_test import Adapter  # noqa: E402
from vm import Vm  # noqa: E402

MIB = 1 << 20
SECTOR = 3 * MIB // 512  # behind the limit
DATA = b'late' * 128


class Ide:
    options = ('-device', 'ide-hd,drive=d,bus=ide.0,id=disk')

    def __init__(self, vm):
        self.disk = ata.Ide(vm)

    def begin(self):
        self.disk.command(0x30, SECTOR, 1)
        self.disk.wait()
        self.disk.write_words(DATA)

    def end(self):
        """True: it was written."""
        return not self.disk.wait() & ata.ERR


class Virtio:
    options = ('-device', 'virtio-blk-pci,drive=d,addr=4,id=disk')

    def __init__(self, vm):
        self.disk = Disk(vm)

    def begin(self):
        self.disk.poke(0x200000, struct.pack('<IIQ', 1, 0, SECTOR))
        self.disk.poke(0x210000, DATA)
        self.disk.queue.add([(0x200000, 16, False), (0x210000, 512, False), (0x208000, 1, True)])
        self.disk.function.kick()

    def end(self):
        self.disk.queue.wait()
        return self.disk.peek(0x208000, 1) == b'\0'


class Scsi:
    options = ('-device', 'virtio-scsi-pci,addr=4,id=s', '-device', 'scsi-hd,drive=d,id=disk')

    def __init__(self, vm):
        self.adapter = Adapter(vm).ready()

    def begin(self):
        cdb = b'\x2a\0' + struct.pack('>IBH', SECTOR, 0, 1)
        self.adapter.poke(0x200000, struct.pack('>BBHIQBBB', 1, 0, 0, 0, 7, 0, 0, 0) + cdb.ljust(32, b'\0'))
        self.adapter.poke(0x210000, DATA)
        self.adapter.add(2, [(0x200000, 51, False), (0x210000, 512, False), (0x204000, 108, True)])

    def end(self):
        self.adapter.queues[2].wait()
        return self.adapter.peek(0x20400a, 2) == b'\0\0'


class Nvme:
    options = ('-device', 'nvme,drive=d,addr=4,serial=a,id=disk')

    def __init__(self, vm):
        self.nvme = Controller(vm)

    def begin(self):
        self.nvme.poke(0x200000, DATA)
        self.nvme.submit(1, 1, nsid=1, dword10=SECTOR)

    def end(self):
        return self.nvme.wait(1)[0] == 0


class IoErrors(unittest.TestCase):
    kinds = (Ide, Virtio, Scsi, Nvme)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.disk = os.path.join(self.folder.name, 'disk')
        with open(self.disk, 'wb') as file:
            file.truncate(4 * MIB)
        self.limited = os.path.join(self.folder.name, 'limited')
        with open(self.limited, 'w', encoding='ascii') as script:
            script.write(f"#!/bin/sh\ntrap '' XFSZ\nulimit -S -f 4096\nexec {house.binary()} \"$@\"\n")
        os.chmod(self.limited, 0o755)

    def machine(self, kind, policy):
        return Vm(self.limited, '-M', 'pc', '-nodefaults', '-drive',
                  f'file={self.disk},format=raw,if=none,id=d,werror={policy}', *kind.options, qtest=True)

    def stored(self):
        with open(self.disk, 'rb') as file:
            file.seek(512 * SECTOR)
            return file.read(512)

    def each(self, policy):
        for kind in self.kinds:
            with self.subTest(kind.__name__), self.machine(kind, policy) as vm:
                disk = kind(vm)
                disk.begin()
                event = vm.qmp.wait_event('BLOCK_IO_ERROR')['data']
                self.assertEqual((event['device'], event['operation']), ('d', 'write'))
                yield vm, disk, event

    def test_report(self):
        for _, disk, event in self.each('report'):
            self.assertEqual(event['action'], 'report')
            self.assertFalse(disk.end())

    def test_ignore(self):
        for _, disk, event in self.each('ignore'):
            self.assertEqual(event['action'], 'ignore')
            self.assertTrue(disk.end())
            self.assertEqual(self.stored(), bytes(512))

    def test_stop_and_go_on(self):
        for vm, disk, event in self.each('stop'):
            self.assertEqual(event['action'], 'stop')
            vm.qmp.wait_event('STOP')
            self.assertEqual(vm.qmp('query-status')['status'], 'io-error')
            self.assertEqual(vm.qmp('query-block')[0]['io-status'], 'failed')
            vm.qmp('cont')  # it fails again
            vm.qmp.wait_event('STOP')
            _, most = resource.prlimit(vm.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(vm.process.pid, resource.RLIMIT_FSIZE, (most, most))
            vm.qmp('cont')
            self.assertTrue(disk.end())
            self.assertEqual(vm.qmp('query-block')[0]['io-status'], 'ok')
            self.assertEqual(self.stored(), DATA)
            with open(self.disk, 'r+b') as file:
                file.seek(512 * SECTOR)
                file.write(bytes(512))

    def test_is_not_saved_while_it_waits(self):
        """The stream has no place for a request that will be tried again."""
        for vm, _, _ in self.each('stop'):
            vm.qmp.wait_event('STOP')
            vm.qmp('migrate', uri='exec:cat >/dev/null')
            info = {'status': 'setup'}
            while info['status'] not in ('failed', 'completed'):
                info = vm.qmp('query-migrate')
            self.assertRegex(info.get('error-desc', ''), 'waits? after an error')
            self.assertEqual(vm.qmp('query-status')['status'], 'io-error')

    def test_reset_and_end_while_it_waits(self):
        for vm, _, _ in self.each('stop'):
            vm.qmp.wait_event('STOP')
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            vm.qmp('cont')
            self.assertEqual(vm.qmp('query-status')['status'], 'running')
        for vm, _, _ in self.each('stop'):
            vm.qmp.wait_event('STOP')  # and the process ends


if __name__ == '__main__':
    house.main()
