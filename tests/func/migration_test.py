# SPDX-License-Identifier: GPL-2.0-or-later
"""A stopped machine goes from one process to another, over every kind of channel."""
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

MACHINE = ['-M', 'none', '-nodefaults', '-m', '16', '-cpu', 'qemu64']
DATA = random.Random(7).randbytes(70000)


def source(*args):
    vm = Vm(house.binary(), *MACHINE, '-S', *args, qtest=True)
    vm.qtest(f'write 0x1000 {len(DATA)} 0x{DATA.hex()}')
    return vm


def settled(vm):
    """What query-migrate says when it is over."""
    while True:
        info = vm.qmp('query-migrate')
        if info.get('status') in ('completed', 'failed', 'cancelled'):
            return info
        time.sleep(0.01)


class Migration(unittest.TestCase):
    def arrives(self, vm):
        self.assertEqual(settled(vm)['status'], 'completed')
        self.assertEqual(vm.qtest(f'read 0x1000 {len(DATA)}'), '0x' + DATA.hex())

    def leaves(self, vm, uri, fds=()):
        vm.qmp('migrate', uri=uri)
        info = settled(vm)
        self.assertEqual(info['status'], 'completed', info)
        self.assertEqual(vm.qmp('query-status')['status'], 'postmigrate')

    def target(self, uri, **kwargs):
        return Vm(house.binary(), *MACHINE, '-incoming', uri, qtest=True, **kwargs)

    def test_file_and_exec(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'state')
            with source() as vm:
                self.leaves(vm, f'file:{path}')
            with self.target(f'file:{path}') as vm:
                self.arrives(vm)
            with source() as vm:
                self.leaves(vm, f'exec:cat > {path}')
            with self.target(f'exec:cat {path}') as vm:
                self.arrives(vm)
            with source() as vm:
                self.leaves(vm, f'file:{path},offset=4096')
            with self.target('defer') as vm:
                self.assertEqual(vm.qmp('query-status')['status'], 'inmigrate')
                vm.qmp('migrate-incoming', uri=f'file:{path},offset=4096')
                self.arrives(vm)

    def test_unix(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'sock')
            with self.target(f'unix:{path}') as there, source() as here:
                while not os.path.exists(path):
                    time.sleep(0.01)
                self.leaves(here, f'unix:{path}')
                self.arrives(there)

    def test_tcp(self):
        with self.target('defer') as there, source() as here:
            there.qmp('migrate-incoming', uri='tcp:127.0.0.1:0')
            address = there.qmp('query-migrate')['socket-address'][0]
            self.leaves(here, f"tcp:127.0.0.1:{address['port']}")
            self.arrives(there)

    def test_fd(self):
        ours, theirs = socket.socketpair()
        with self.target(f'fd:{theirs.fileno()}', pass_fds=[theirs.fileno()]) as there:
            theirs.close()
            with source() as here:
                here.qmp('getfd', fds=[ours.fileno()], fdname='mig')
                ours.close()
                self.leaves(here, 'fd:mig')
                self.arrives(there)

    def test_damaged(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'state')
            with source() as vm:
                self.leaves(vm, f'file:{path}')
            with open(path, 'rb') as stream:
                whole = stream.read()
            rng = random.Random(3)
            for case in range(12):
                broken = bytearray(whole)
                if case % 2:
                    del broken[rng.randrange(len(broken)):]
                else:
                    broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
                with open(path, 'wb') as stream:
                    stream.write(broken)
                done = subprocess.run([house.binary(), *MACHINE, '-display', 'none', '-incoming',
                                       f'file:{path}'], capture_output=True, text=True,
                                      timeout=60, check=False)
                with self.subTest(case=case):
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertIn('load of migration failed: ', done.stderr)

    def test_source_survives(self):
        with source() as vm:
            for uri in ('unix:/nonexistent/x', 'exec:exit 1', 'file:/nonexistent/x'):
                try:
                    vm.qmp('migrate', uri=uri)
                    self.assertEqual(settled(vm)['status'], 'failed')
                except QmpError as error:
                    self.assertEqual(error.cls, 'GenericError')
                self.assertEqual(vm.qmp('query-status')['status'], 'prelaunch')
                self.assertEqual(vm.qtest(f'read 0x1000 {len(DATA)}'), '0x' + DATA.hex())
            vm.qmp('cont')
            self.assertTrue(vm.qmp('query-status')['running'])

    def test_parameters_written_back(self):
        with source() as vm:
            vm.qmp.run('migrate-set-parameters', vm.qmp('query-migrate-parameters'))
            vm.qmp.run('migrate-set-parameters', {'max-bandwidth': 9223372036853727232,
                                                  'tls-creds': '', 'tls-hostname': ''})

    def test_other_machine(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'state')
            with source() as vm:
                self.leaves(vm, f'file:{path}')
            for args, text in ((['-m', '32', '-cpu', 'qemu64'], "block 'ram' has"),
                               (['-m', '16'], 'Unknown section')):
                done = subprocess.run([house.binary(), '-M', 'none', '-nodefaults', '-display',
                                       'none', *args, '-incoming', f'file:{path}'],
                                      capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(text, done.stderr)


if __name__ == '__main__':
    house.main()
