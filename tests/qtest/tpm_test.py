# SPDX-License-Identifier: GPL-2.0-or-later
"""TPMs in a PC: both devices on swtpm, spoken to as firmware does, reset, and moved away."""
import contextlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import Vm, refusal  # noqa: E402

BASE = 0xfed40000
ACCESS, STS, FIFO = 0x00, 0x18, 0x24
REQUEST, READY, GO, AVAILABLE = 0x02, 0x40, 0x20, 0x10
LOC_CTRL, CTRL_REQ, CTRL_START, BUFFER = 0x08, 0x40, 0x4c, 0x80

STARTUP = struct.pack('>HIIH', 0x8001, 12, 0x144, 0)
PCR = 10
DIGEST = bytes(range(32))
EXTEND = struct.pack('>HIIIIIHBHIH', 0x8002, 65, 0x182, PCR, 9, 0x40000009, 0, 0, 0, 1, 11) + DIGEST
READ = struct.pack('>HIIIHB3s', 0x8001, 20, 0x17e, 1, 11, 3, bytes([0, 1 << PCR % 8, 0]))


class Swtpm:
    """A TPM 2.0 in a process, with a folder of its own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                ['swtpm', 'socket', '--tpm2', '--tpmstate', f'dir={self.folder.name}', '--ctrl',
                 f'type=unixio,clientfd={theirs.fileno()}', '--flags', 'startup-none'],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[theirs.fileno()])

    def vm(self, device, *args):
        fd = self.ours.fileno()
        return Vm(house.binary(), '-nodefaults', '-m', '32', '-chardev',
                  f'socket,id=control,fd={fd}', '-tpmdev', 'emulator,id=tpm0,chardev=control',
                  '-device', f'{device},tpmdev=tpm0', *args, qtest=True, pass_fds=[fd])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ours.close()
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


class Tis:
    device = 'tpm-tis'

    def __init__(self, vm):
        self.vm = vm

    def write(self, at, value):
        self.vm.qtest(f'writeb {BASE + at:#x} {value:#x}')

    def sts(self):
        return int(self.vm.qtest(f'readl {BASE + STS:#x}'), 16)

    def run(self, command):
        self.write(ACCESS, REQUEST)
        self.write(STS, READY)
        for byte in command:
            self.write(FIFO, byte)
        self.write(STS, GO)
        while not self.sts() & AVAILABLE:
            time.sleep(0.001)
        answer = bytes(int(self.vm.qtest(f'readb {BASE + FIFO:#x}'), 16)
                       for _ in range(self.sts() >> 8 & 0xffff))
        assert not self.sts() & AVAILABLE
        return answer


class Crb(Tis):
    device = 'tpm-crb'

    def put(self, at, value):
        self.vm.qtest(f'writel {BASE + at:#x} {value:#x}')

    def run(self, command):
        self.put(LOC_CTRL, 1)
        self.put(CTRL_REQ, 1)
        self.vm.qtest(f'write {BASE + BUFFER:#x} {len(command)} 0x{command.hex()}')
        self.put(CTRL_START, 1)
        while int(self.vm.qtest(f'readl {BASE + CTRL_START:#x}'), 16):
            time.sleep(0.001)
        head = bytes.fromhex(self.vm.qtest(f'read {BASE + BUFFER:#x} 10')[2:])
        size = struct.unpack('>HII', head)[1]
        return bytes.fromhex(self.vm.qtest(f'read {BASE + BUFFER:#x} {size}')[2:])


@unittest.skipUnless(shutil.which('swtpm'), 'swtpm is not installed')
class Tpm(unittest.TestCase):
    @contextlib.contextmanager
    def machine(self, kind, *args, board='pc'):
        with Swtpm() as swtpm:
            with swtpm.vm(kind.device, '-M', board, *args) as vm:
                swtpm.ours.close()
                yield vm, kind(vm)

    def code(self, answer):
        self.assertEqual(len(answer), struct.unpack('>HII', answer[:10])[1])
        return struct.unpack('>HII', answer[:10])[2]

    def digest(self, tpm):
        answer = tpm.run(READ)
        self.assertEqual(self.code(answer), 0)
        return answer[-32:]

    def settled(self, vm):
        while True:
            info = vm.qmp('query-migrate')
            if info.get('status') in ('completed', 'failed', 'cancelled'):
                return info.get('error-desc', info['status'])
            time.sleep(0.01)

    def start(self, tpm):
        """It is turned on once; a register is extended from zeros."""
        self.assertEqual(self.code(tpm.run(READ)), 0x100)
        self.assertEqual(self.code(tpm.run(STARTUP)), 0)
        self.assertEqual(self.digest(tpm), bytes(32))
        self.assertEqual(self.code(tpm.run(EXTEND)), 0)
        self.assertNotEqual(self.digest(tpm), bytes(32))

    def test_commands(self):
        for kind in (Tis, Crb):
            for board in ('pc', 'q35'):
                with self.subTest(device=kind.device, board=board), \
                        self.machine(kind, board=board) as (vm, tpm):
                    self.start(tpm)
                    vm.qmp('system_reset')
                    vm.qmp.wait_event('RESET')
                    self.start(tpm)
                    self.assertEqual(vm.qmp('query-tpm'), [{
                        'id': 'tpm0', 'model': kind.device,
                        'options': {'type': 'emulator', 'data': {'chardev': 'control'}}}])
                    self.assertIn(f'model={kind.device}', vm.qmp.hmp('info tpm'))

    def test_migration(self):
        for kind in (Tis, Crb):
            with self.subTest(device=kind.device), tempfile.TemporaryDirectory() as folder:
                uri = f'file:{folder}/state'
                with self.machine(kind) as (vm, tpm):
                    self.start(tpm)
                    before = self.digest(tpm)
                    vm.qmp('migrate', uri=uri)
                    self.assertEqual(self.settled(vm), 'completed')
                    # It did not go after all: its TPM is still there.
                    vm.qmp('cont')
                    self.assertEqual(self.digest(tpm), before)
                with self.machine(kind, '-incoming', uri) as (vm, tpm):
                    self.assertEqual(self.settled(vm), 'completed')
                    self.assertEqual(self.digest(tpm), before)

    def test_mistakes(self):
        for args, words in (
                (['-device', 'tpm-tis'], "'tpmdev' property is required"),
                (['-device', 'tpm-crb,tpmdev=x'],
                 "Property 'tpm-crb.tpmdev' can't find value 'x'"),
                (['-tpmdev', 'emulator,id=x'], "tpm-emulator: parameter 'chardev' is missing"),
                (['-tpmdev', 'emulator'], "Parameter 'id' is missing"),
                (['-tpmdev', 'nosuch,id=x'], "Parameter 'type' expects a TPM backend type")):
            with self.subTest(args=args):
                self.assertIn(words, refusal(house.binary(), '-M', 'pc', '-nodefaults', '-display',
                                             'none', *args))

    def test_gone(self):
        """The emulator ends: the guest sees a TPM that failed, and the machine goes on."""
        with Swtpm() as swtpm, swtpm.vm('tpm-tis', '-M', 'pc') as vm:
            swtpm.ours.close()
            tpm = Tis(vm)
            self.start(tpm)
            swtpm.process.kill()
            swtpm.process.wait()
            self.assertEqual(self.code(tpm.run(READ)), 0x101)
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            self.assertEqual(self.code(tpm.run(READ)), 0x101)


if __name__ == '__main__':
    house.main()
