# SPDX-License-Identifier: GPL-2.0-or-later
"""The qtest protocol, row by row."""
import os
import random
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import Vm  # noqa: E402

MACHINE = ['-M', 'none', '-nodefaults', '-m', '16']


class Qtest(unittest.TestCase):
    def fails(self, vm, line, text):
        with self.assertRaises(RuntimeError) as caught:
            vm.qtest(line)
        self.assertEqual(str(caught.exception), text)

    def test_values(self):
        for arch in house.ARCHES:
            big = arch == 'ppc64'
            with self.subTest(arch=arch), Vm(house.binary(arch), *MACHINE, qtest=True) as vm:
                self.assertEqual(vm.qtest('endianness'), 'big' if big else 'little')
                vm.qtest('writeq 0x100 0x0102030405060708')
                self.assertEqual(vm.qtest('read 0x100 8'),
                                 '0x0102030405060708' if big else '0x0807060504030201')
                self.assertEqual(vm.qtest('readq 0x100'), '0x0102030405060708')
                self.assertEqual(vm.qtest('readb 256'), '0x' + ('01' if big else '08').zfill(16))
                vm.qtest('writeq 0x303 0x0102030405060708')
                self.assertEqual(vm.qtest('readq 0x303'), '0x0102030405060708')
                self.assertEqual(vm.qtest('readb 0x303'), '0x' + ('01' if big else '08').zfill(16))
                vm.qtest('writew 0x200 0xabcd')
                self.assertEqual(vm.qtest('readw 01000'), '0x000000000000abcd')
                vm.qtest('writel 0x200 0x12345678')
                self.assertEqual(vm.qtest('readl 0x200'), '0x0000000012345678')
                vm.qtest('writeb 0x200 0xff')
                self.assertEqual(vm.qtest('readb 0x200'), '0x00000000000000ff')

    def test_blocks(self):
        with Vm(house.binary(), *MACHINE, qtest=True) as vm:
            vm.qtest('write 0x10 4 0xaabb')
            self.assertEqual(vm.qtest('read 0x10 4'), '0xaabb0000')
            vm.qtest('memset 0x10 3 0x5a')
            self.assertEqual(vm.qtest('read 0x10 4'), '0x5a5a5a00')
            vm.qtest('b64write 0x20 4 AQIDBA==')
            self.assertEqual(vm.qtest('b64read 0x20 4'), 'AQIDBA==')
            self.assertEqual(vm.qtest('read 0x10 0'), '0x')
            self.fails(vm, 'write 0x10 4 0x', 'ERR invalid argument size')
            self.fails(vm, 'b64write 0x10 4', 'ERR invalid argument size')
            self.assertEqual(vm.qtest('read 0xfffffff00000 4'), '0x00000000')
            data = random.Random(1).randbytes(100000)
            vm.qtest(f'write 0x1000 {len(data)} 0x{data.hex()}')
            self.assertEqual(vm.qtest(f'read 0x1000 {len(data)}'), '0x' + data.hex())

    def test_ports(self):
        with Vm(house.binary(), *MACHINE, qtest=True) as vm:
            for size, digits in (('b', 2), ('w', 4), ('l', 8)):
                vm.qtest(f'out{size} 0x80 1')
                self.assertEqual(int(vm.qtest(f'in{size} 0x80'), 16), (1 << digits * 4) - 1)

    def test_refusals(self):
        with Vm(house.binary(), *MACHINE, qtest=True) as vm:
            self.fails(vm, 'nonsense 1', "FAIL Unknown command 'nonsense'")
            self.fails(vm, 'irq_intercept_in nowhere', 'FAIL Unknown device')
            self.fails(vm, 'set_irq_in nowhere x 0 1', 'FAIL Unknown device')
            self.fails(vm, 'readb x', "FAIL Invalid number 'x'")
            self.fails(vm, 'read 0 0xffffffffffffff',
                       'FAIL cannot allocate 72057594037927935 bytes')

    def test_time(self):
        with Vm(house.binary(), *MACHINE, qtest=True) as vm:
            self.assertEqual(vm.qtest('clock_step 1000'), '1000')
            self.assertEqual(vm.qtest('clock_set 5000'), '5000')
            self.assertEqual(vm.qtest('clock_set 4000'), '5000')
            self.assertEqual(vm.qtest('clock_step'), '5000')
        with Vm(house.binary(), *MACHINE, qtest=True, accel='tcg') as vm:
            self.fails(vm, 'clock_step 1', "FAIL Unknown command 'clock_step'")
            self.assertEqual(vm.qtest('readb 0'), '0x0000000000000000')

    def test_state(self):
        with Vm(house.binary(), *MACHINE, qtest=True) as vm:
            self.assertEqual(vm.qmp('query-status')['status'], 'running')
            vm.qtest('writel 0x100 0x1234')
            vm.qmp('system_reset')
            event = vm.qmp.wait_event('RESET')
            self.assertEqual(event['data'], {'guest': False, 'reason': 'host-qmp-system-reset'})
            self.assertEqual(vm.qtest('readl 0x100'), '0x0000000000001234')
            vm.qmp('stop')
            self.assertEqual(vm.qtest('readl 0x100'), '0x0000000000001234')
            vm.qtest_lines.close()
            self.assertEqual(vm.qmp('query-status')['status'], 'paused')

    def test_log(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'log')
            with Vm(house.binary(), *MACHINE, '-qtest-log', path, qtest=True) as vm:
                vm.qtest('readb 0')
            # The harness names /dev/null after ours: the last one counts.
            self.assertFalse(os.path.exists(path))

    def test_object(self):
        """The server as an object, on a chardev, whatever the accelerator."""
        ours, theirs = socket.socketpair()
        with Vm(house.binary(), *MACHINE, '-chardev', f'socket,id=q,fd={theirs.fileno()}',
                '-object', 'qtest,id=q0,chardev=q,log=none', pass_fds=[theirs.fileno()]) as vm:
            theirs.close()
            ours.sendall(b'endianness\nreadb 0\n')
            got = b''
            while got.count(b'\n') < 2:
                got += ours.recv(100)
            self.assertEqual(got, b'OK little\nOK 0x0000000000000000\n')
            vm.qmp('query-status')
        ours.close()


if __name__ == '__main__':
    house.main()
