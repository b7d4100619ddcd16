# SPDX-License-Identifier: GPL-2.0-or-later
"""CPUs of the PC: places and APIC ids, plugging, NMIs."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402

TYPE = 'qemu64-x86_64-cpu'
EIGHT = '1,sockets=2,cores=2,threads=2,maxcpus=8'


def machine(*args, name='q35', smp=EIGHT):
    return Vm(house.binary(), '-M', name, '-nodefaults', '-cpu', 'qemu64', '-smp', smp, *args,
              qtest=True)


def place(socket, core, thread):
    return {'socket-id': socket, 'core-id': core, 'thread-id': thread}


class Places(unittest.TestCase):
    def test_slots(self):
        with machine() as vm:
            slots = vm.qmp('query-hotpluggable-cpus')
            self.assertEqual([s['props'] for s in slots],
                             [place(n // 4, n // 2 % 2, n % 2) for n in reversed(range(8))])
            self.assertEqual([s.get('qom-path') for s in slots],
                             [None] * 7 + ['/machine/unattached/device[0]'])
        with machine(smp='1,maxcpus=4,dies=2') as vm:
            self.assertEqual([s['props']['die-id'] for s in vm.qmp('query-hotpluggable-cpus')],
                             [1, 1, 0, 0])

    def test_apic_ids(self):
        """A field of bits for each level: three cores take two of them."""
        with machine(smp='9,sockets=1,cores=3,threads=3,maxcpus=9') as vm:
            ids = [vm.qmp('qom-get', path=cpu['qom-path'], property='apic-id')
                   for cpu in vm.qmp('query-cpus-fast')]
            self.assertEqual(ids, [core << 2 | thread for core in range(3) for thread in range(3)])

    def test_every_slot(self):
        """As QEMU's cpu-plug-test: what the query says can be added, on every board."""
        for name in ('pc', 'q35', 'pc-i440fx-7.2', 'pc-q35-8.1'):
            with self.subTest(name=name), \
                    Vm(house.binary(), '-M', name, '-nodefaults', '-cpu', 'Haswell', '-smp',
                       '1,sockets=1,cores=3,threads=2,maxcpus=6', qtest=True) as vm:
                for slot in vm.qmp('query-hotpluggable-cpus'):
                    if 'qom-path' not in slot:
                        vm.qmp.run('device_add', {'driver': slot['type'], **slot['props']})
                self.assertEqual([c['cpu-index'] for c in vm.qmp('query-cpus-fast')],
                                 list(range(6)))
                self.assertEqual(FwCfg(vm).number('nb_cpus', 2), 6)
                vm.qtest('outb 0x70 0x5f')
                self.assertEqual(int(vm.qtest('inb 0x71'), 16), 5)

    def test_cold(self):
        """-device does the same; a die that there is one of need not be named."""
        with machine('-device', f'{TYPE},socket-id=1,core-id=0,thread-id=0,id=c') as vm:
            cpus = vm.qmp('query-cpus-fast')
            self.assertEqual([(c['cpu-index'], c['qom-path']) for c in cpus],
                             [(0, '/machine/unattached/device[0]'), (4, '/machine/peripheral/c')])
            self.assertEqual(vm.qmp('qom-get', path='/machine/peripheral/c', property='apic-id'), 4)


class Refusals(unittest.TestCase):
    CASES = [
        ({}, 'CPU socket-id is not set'),
        ({'socket-id': 0}, 'CPU core-id is not set'),
        ({'socket-id': 0, 'core-id': 1}, 'CPU thread-id is not set'),
        (place(3, 0, 0), 'Invalid CPU socket-id: 3 must be in range 0:1'),
        (place(0, 5, 0), 'Invalid CPU core-id: 5 must be in range 0:1'),
        (place(0, 0, 7), 'Invalid CPU thread-id: 7 must be in range 0:1'),
        ({**place(1, 1, 1), 'die-id': 1}, 'Invalid CPU die-id: 1 must be in range 0:0'),
        (place(0, 0, 0), 'CPU[0] with APIC ID 0 exists'),
        ({'driver': 'Haswell-x86_64-cpu', **place(0, 1, 0)},
         f"Invalid CPU type, expected cpu type: '{TYPE}'"),
        ({'apic-id': 77}, 'Invalid CPU [socket: 19, die: 0, core: 0, thread: 1] with APIC ID 77, '
                          'valid index range 0:7'),
        ({'apic-id': 5, 'socket-id': 0},
         "property socket-id: 0 doesn't match set apic-id: 0x5 (socket-id: 1)"),
        ({'apic-id': 5, 'core-id': 1},
         "property core-id: 1 doesn't match set apic-id: 0x5 (core-id: 0)"),
        ({'apic-id': 5, 'thread-id': 0},
         "property thread-id: 0 doesn't match set apic-id: 0x5 (thread-id: 1)"),
        ({**place(1, 0, 0), 'node-id': 1}, 'invalid node-id, must be 0'),
    ]

    def test_plug(self):
        with machine() as vm:
            for props, text in self.CASES:
                with self.subTest(props=props), self.assertRaises(QmpError) as caught:
                    vm.qmp.run('device_add', {'driver': TYPE, **props})
                self.assertEqual(caught.exception.desc, text)
            self.assertEqual(len(vm.qmp('query-cpus-fast')), 1)

    def test_unplug(self):
        with machine() as vm, self.assertRaises(QmpError) as caught:
            vm.qmp('device_del', id='/machine/unattached/device[0]')
        self.assertEqual(caught.exception.desc, 'Boot CPU is unpluggable')
        with machine('-device', f'{TYPE},apic-id=1,id=c', name='q35,acpi=off') as vm:
            with self.assertRaises(QmpError) as caught:
                vm.qmp('device_del', id='c')
            self.assertEqual(caught.exception.desc, 'CPU hot unplug not supported without ACPI')

    def test_start(self):
        self.assertIn('valid index range 0:0',
                      refusal(house.binary(), '-device', f'{TYPE},apic-id=9'))


class Interrupts(unittest.TestCase):
    def test_nmi(self):
        """The button is LINT1 of every local APIC."""
        with machine(smp='2') as vm:
            apics = [cpu['qom-path'] + '/lapic' for cpu in vm.qmp('query-cpus-fast')]
            vm.qtest(f'irq_intercept_in {apics[1]}')
            vm.qmp('inject-nmi')
            vm.qtest('clock_step 1')
            self.assertEqual(vm.irqs, {1: False})

    def test_pic(self):
        """An ISA interrupt reaches the boot processor's LINT0 through the 8259s."""
        with machine(smp='1') as vm:
            vm.qtest('irq_intercept_in /machine/unattached/device[0]/lapic')
            for port, value in ((0x20, 0x11), (0x21, 0x08), (0x21, 0x04), (0x21, 0x01),
                                (0xa0, 0x11), (0xa1, 0x70), (0xa1, 0x02), (0xa1, 0x01),
                                (0x21, 0xfe), (0xa1, 0xff)):
                vm.qtest(f'outb {port:#x} {value:#x}')
            vm.qtest('outb 0x43 0x34')
            vm.qtest('outb 0x40 0x00')
            vm.qtest('outb 0x40 0x10')
            vm.qtest('clock_step 10000000')
            self.assertTrue(vm.irqs[0])


if __name__ == '__main__':
    house.main()
