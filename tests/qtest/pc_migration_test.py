# SPDX-License-Identifier: GPL-2.0-or-later
"""A PC that was set up by hand is the same after a migration."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from pci import Pci  # noqa: E402
from vm import Vm  # noqa: E402

# What a guest sets: port writes, then configuration writes (devfn, register, value, bytes).
PORTS = [(0x70, 0x40), (0x71, 0x5a), (0x43, 0x34), (0x40, 0x34), (0x40, 0x12), (0x20, 0x11),
         (0x21, 0x40), (0x21, 0x04), (0x21, 0x01), (0x4d0, 0x20), (0x92, 0x02), (0xb3, 0x77)]
SETUPS = {
    'pc': [(0x00, 0x5a, 0x33, 1), (0x00, 0x72, 0x4a, 1), (0x08, 0x60, 0x0a0b, 2),
           (0x0b, 0x40, 0xb000, 4), (0x0b, 0x80, 1, 1)],
    'q35': [(0x00, 0x60, 0xe0000001, 4), (0x00, 0x91, 0x33, 1), (0x00, 0x9d, 0x4a, 1),
            (0xf8, 0x60, 0x0a0b, 2), (0xf8, 0x40, 0x600, 4), (0xf8, 0x44, 0x80, 1),
            (0xf8, 0xf0, 0xfed1c001, 4)],
}


def start(machine, *args):
    return Vm(house.binary(), '-M', machine, '-m', '32', '-nodefaults', '-smp', '2', *args,
              qtest=True)


class Migration(unittest.TestCase):
    def set_up(self, vm, machine):
        pci = Pci(vm)
        for port, value in PORTS:
            vm.qtest(f'outb {port:#x} {value:#x}')
        for devfn, at, value, size in SETUPS[machine]:
            pci.write(devfn, at, value, size)
        vm.qtest('writel 0xc0000 0x12345678')  # shadow RAM
        vm.qtest('writel 0xa0000 0x87654321')  # SMRAM, which is open
        vm.qtest('clock_step 123456')

    def look(self, vm):
        pci = Pci(vm)
        devices = (0x00, 0x08, 0x0b, 0xf8)
        vm.qtest('outb 0x70 0x40')
        return [[pci.read(devfn, at) for devfn in devices for at in range(0, 256, 4)],
                [vm.qtest(f'inb {port:#x}') for port in (0x71, 0x21, 0x4d0, 0x92, 0xb3, 0x61)],
                [vm.qtest(f'readl {addr:#x}') for addr in
                 (0xc0000, 0xa0000, 0xe00f8000, 0xfed1f140, 0xfec00000, 0xfed00000)],
                [cpu['props'] for cpu in vm.qmp('query-cpus-fast')]]

    def test_idle(self):
        for machine in SETUPS:
            with self.subTest(machine=machine), start(machine) as source:
                path = os.path.join(source.folder.name, 'stream')
                self.set_up(source, machine)
                source.qmp('stop')
                expected = self.look(source)
                source.qmp('migrate', uri=f'file:{path}')
                while source.qmp('query-migrate')['status'] not in ('completed', 'failed'):
                    pass
                self.assertEqual(source.qmp('query-migrate')['status'], 'completed')
                with start(machine, '-S', '-incoming', f'file:{path}') as target:
                    while target.qmp('query-status')['status'] == 'inmigrate':
                        pass
                    self.assertEqual(self.look(target), expected)
                    target.qmp('cont')
                    target.qmp('system_reset')
                    target.qmp.wait_event('RESET')
                    self.assertEqual(Pci(target).read(0x00, 0x60, 1), 0)

    def test_other_topology(self):
        """Another number of CPUs is another machine: the target says so and ends."""
        with start('q35') as source:
            path = os.path.join(source.folder.name, 'stream')
            source.qmp('stop')
            source.qmp('migrate', uri=f'file:{path}')
            while source.qmp('query-migrate')['status'] != 'completed':
                pass
            with Vm(house.binary(), '-M', 'q35', '-m', '32', '-nodefaults', '-smp', '1', '-S',
                    '-incoming', f'file:{path}', qtest=True, qmp=False, status=1) as target:
                self.assertEqual(target.wait(), 1)
                self.assertIn('cpu', target.stderr)


if __name__ == '__main__':
    house.main()
