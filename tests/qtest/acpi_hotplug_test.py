# SPDX-License-Identifier: GPL-2.0-or-later
"""ACPI hot-plug on both PCs: the registers, as AML drives them, and what clients see."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import acpi  # noqa: E402
import acpiexec  # noqa: E402
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from pci import Pci  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

MIB = 1 << 20
GIB = 1 << 30
MEMORY = 0xa00
# GPE0 status, PCI and CPU registers.
PORTS = {'pc': (0xafe0, 0xae00, 0xaf00), 'q35': (0x620, 0xcc0, 0xcd8)}
GPE_PCI, GPE_CPU, GPE_MEMORY, GPE_NVDIMM = 2, 4, 8, 16
ENABLED, INSERTING, REMOVING, EJECT = 1, 2, 4, 8


class Board:
    def __init__(self, name, *args, options=''):
        self.name = name
        self.gpe, self.pci, self.cpu = PORTS[name]
        self.vm = Vm(house.binary(), '-M', name + options, '-nodefaults', *args, qtest=True)

    def __enter__(self):
        self.vm.__enter__()
        if self.name == 'q35':
            Pci(self.vm).write(0xf8, 0x40, 0x600)
            Pci(self.vm).write(0xf8, 0x44, 0x80, 1)
        return self

    def __exit__(self, *args):
        return self.vm.__exit__(*args)

    def get(self, port, size='l'):
        return int(self.vm.qtest(f'in{size} {port:#x}'), 16)

    def put(self, port, value, size='l'):
        self.vm.qtest(f'out{size} {port:#x} {value:#x}')

    def take_gpe(self):
        """What came since, acknowledged."""
        status = self.get(self.gpe, 'b')
        self.put(self.gpe, status, 'b')
        return status

    def refuse(self, command, **args):
        try:
            self.vm.qmp(command, **args)
        except QmpError as error:
            return error.desc
        raise AssertionError(f'{command} {args} was accepted')

    def backend(self, name, size):
        self.vm.qmp('object-add', **{'qom-type': 'memory-backend-ram', 'id': name, 'size': size})


def each_board(test):
    def run(self):
        for name in PORTS:
            with self.subTest(board=name):
                test(self, name)
    return run


class Memory(unittest.TestCase):
    @each_board
    def test_dimm(self, name):
        with Board(name, '-m', '128,slots=2,maxmem=1G') as b:
            b.backend('m', 64 * MIB)
            b.put(MEMORY, 1)
            self.assertEqual(b.get(MEMORY + 0x14, 'b'), 0)
            b.vm.qmp('device_add', driver='pc-dimm', id='d', memdev='m', slot=1)
            self.assertEqual(b.take_gpe(), GPE_MEMORY)
            self.assertEqual(b.get(MEMORY + 0x14, 'b'), ENABLED | INSERTING)
            self.assertEqual([b.get(MEMORY + at) for at in (0, 4, 8, 12, 16)],
                             [0, 1, 64 * MIB, 0, 0])
            b.put(MEMORY + 0x14, INSERTING, 'b')
            self.assertEqual(b.get(MEMORY + 0x14, 'b'), ENABLED)
            b.vm.qtest(f'writel {4 * GIB + 64 * MIB - 4:#x} 0x12345678')
            b.vm.qmp('device_del', id='d')
            self.assertEqual(b.take_gpe(), GPE_MEMORY)
            self.assertEqual(b.get(MEMORY + 0x14, 'b'), ENABLED | REMOVING)
            # The guest refuses, then agrees.
            b.put(MEMORY + 0x14, REMOVING, 'b')
            b.put(MEMORY + 4, 3)
            b.put(MEMORY + 8, 1)
            info = b.vm.qmp.wait_event('ACPI_DEVICE_OST')['data']['info']
            self.assertEqual(info, {'device': 'd', 'slot': '1', 'slot-type': 'DIMM', 'source': 3,
                                    'status': 1})
            self.assertEqual(b.vm.qmp.wait_event('MEM_UNPLUG_ERROR')['data']['device'], 'd')
            self.assertEqual(b.vm.qmp.wait_event('DEVICE_UNPLUG_GUEST_ERROR')['data'],
                             {'device': 'd', 'path': '/machine/peripheral/d'})
            self.assertEqual(b.vm.qmp('query-acpi-ospm-status')[1], info)
            b.vm.qmp('device_del', id='d')
            b.put(MEMORY + 0x14, EJECT, 'b')
            self.assertEqual(b.vm.qmp.wait_event('DEVICE_DELETED')['data']['device'], 'd')
            self.assertEqual(b.get(MEMORY + 0x14, 'b'), 0)
            self.assertEqual(b.vm.qtest(f'readl {4 * GIB:#x}')[-8:], '00000000')
            b.put(MEMORY + 0x14, EJECT, 'b')  # nobody there
            b.put(MEMORY, 9)
            self.assertEqual(b.get(MEMORY + 0x14, 'b'), 0)
            b.vm.qmp('object-del', id='m')

    @each_board
    def test_reset_completes(self, name):
        with Board(name, '-m', '128,slots=2,maxmem=1G', '-object',
                   'memory-backend-ram,id=m,size=64M', '-device', 'pc-dimm,id=d,memdev=m') as b:
            self.assertEqual(b.vm.qmp('query-memory-devices')[0]['data']['hotplugged'], False)
            self.assertEqual(b.get(MEMORY + 0x14, 'b'), ENABLED)
            b.vm.qmp('device_del', id='d')
            b.vm.qmp('system_reset')
            b.vm.qmp.wait_event('DEVICE_DELETED')
            self.assertEqual(b.vm.qmp('query-memory-devices'), [])

    @each_board
    def test_nvdimm(self, name):
        args = ['-m', '128,slots=2,maxmem=1G', '-object', 'memory-backend-ram,id=m,size=64M']
        with Board(name, *args) as b:
            self.assertEqual(b.refuse('device_add', driver='nvdimm', memdev='m'),
                             "nvdimm is not enabled: missing 'nvdimm' in '-M'")
        with Board(name, *args, options=',nvdimm=on') as b:
            b.vm.qmp('device_add', driver='nvdimm', id='n', memdev='m')
            self.assertEqual(b.take_gpe(), GPE_NVDIMM)
            self.assertEqual(b.get(MEMORY + 0x14, 'b'), 0)  # not as a DIMM
            self.assertEqual(b.refuse('device_del', id='n'),
                             'nvdimm device hot unplug is not supported yet.')
        with Board(name, options=',acpi=off') as b:
            b.backend('m', 64 * MIB)
            self.assertIn('missing acpi device', b.refuse('device_add', driver='pc-dimm',
                                                          memdev='m'))
            if name == 'pc':  # else the bridge has the registers, whoever uses them
                self.assertIn('missing ACPI device', b.refuse('query-acpi-ospm-status'))


class Cpus(unittest.TestCase):
    @each_board
    def test_bitmap_and_registers(self, name):
        with Board(name, '-smp', '2,sockets=4,maxcpus=4') as b:
            self.assertEqual(b.get(b.cpu, 'b'), 3)
            self.assertEqual(b.vm.qmp('query-acpi-ospm-status'), [])
            b.put(b.cpu, 0)
            self.assertEqual(len(b.vm.qmp('query-acpi-ospm-status')), 4)
            self.assertEqual(b.get(b.cpu + 4, 'b'), ENABLED)
            self.assertEqual(b.get(b.cpu), 0)
            b.put(b.cpu, 2)
            self.assertEqual(b.get(b.cpu + 4, 'b'), 0)
            b.put(b.cpu + 5, 3, 'b')
            self.assertEqual(b.get(b.cpu + 8), 2)  # its APIC id
            b.put(b.cpu + 5, 0, 'b')
            self.assertEqual(b.get(b.cpu + 8), 2)  # no event: it stays selected
            b.put(b.cpu, 77)
            self.assertEqual(b.get(b.cpu + 4, 'b'), 0)

    @each_board
    def test_plug(self, name):
        with Board(name, '-smp', '1,sockets=4,maxcpus=4') as b:
            b.put(b.cpu, 0)
            slot = b.vm.qmp('query-hotpluggable-cpus')[0]
            b.vm.qmp('device_add', driver=slot['type'], id='c', **slot['props'])
            self.assertEqual(b.take_gpe(), GPE_CPU)
            b.put(b.cpu + 5, 0, 'b')
            number = b.get(b.cpu + 8)
            self.assertEqual(number, slot['props']['socket-id'])
            self.assertEqual(b.get(b.cpu + 4, 'b'), ENABLED | INSERTING)
            b.put(b.cpu + 4, INSERTING, 'b')
            b.put(b.cpu + 5, 1, 'b')
            b.put(b.cpu + 8, 1)
            b.put(b.cpu + 5, 2, 'b')
            b.put(b.cpu + 8, 0)
            info = b.vm.qmp.wait_event('ACPI_DEVICE_OST')['data']['info']
            self.assertEqual(info, {'device': 'c', 'slot': str(number), 'slot-type': 'CPU',
                                    'source': 1, 'status': 0})
            b.vm.qmp('device_del', id='c')
            self.assertEqual(b.take_gpe(), GPE_CPU)
            b.put(b.cpu + 5, 0, 'b')
            self.assertEqual(b.get(b.cpu + 4, 'b'), ENABLED | REMOVING)
            b.put(b.cpu + 4, REMOVING, 'b')
            b.put(b.cpu + 4, EJECT, 'b')
            b.vm.qmp.wait_event('DEVICE_DELETED')
            self.assertEqual(b.get(b.cpu + 4, 'b'), 0)
            b.put(b.cpu, 0)
            b.put(b.cpu + 4, EJECT, 'b')  # the first stays
            self.assertEqual(b.get(b.cpu + 4, 'b'), ENABLED)


class FirmwareKnows(unittest.TestCase):
    """Firmware that keeps CPUs in system management mode asks to be told of new ones by an SMI."""

    def negotiate(self, vm, features):
        cfg = FwCfg(vm)
        cfg.write('etc/smi/requested-features', features.to_bytes(8, 'little'))
        self.assertEqual(cfg.file('etc/smi/features-ok'), b'\1')
        return cfg

    def test_refusals(self):
        slot = {'driver': 'qemu64-x86_64-cpu', 'socket-id': 1, 'core-id': 0, 'thread-id': 0}
        for features, plugs, unplugs in ((0, True, True), (1, False, True), (3, True, False), (7, True, True)):
            with self.subTest(features=features), Board('q35', '-smp', '1,sockets=3,maxcpus=3', '-device',
                                                        'qemu64-x86_64-cpu,socket-id=2,core-id=0,thread-id=0,id=c') as b:
                self.negotiate(b.vm, features)
                if plugs:
                    b.vm.qmp('device_add', **slot)
                else:
                    self.assertIn("hotplug with SMI wasn't enabled", b.refuse('device_add', **slot))
                if unplugs:
                    b.vm.qmp('device_del', id='c')
                else:
                    self.assertIn("hot-unplug with SMI wasn't enabled", b.refuse('device_del', id='c'))

    @unittest.skipUnless(acpi.IASL and acpiexec.TOOL, 'iasl or acpiexec is not installed')
    def test_methods(self):
        for features, smi, left in ((0, False, False), (3, True, False), (7, True, True)):
            with self.subTest(features=features):
                with Board('q35', '-smp', '1,sockets=3,maxcpus=3') as b:
                    dsdt = dict(acpi.split(self.negotiate(b.vm, features).file('etc/acpi/tables')))['DSDT']
                text = acpi.disassemble(dsdt)
                self.assertEqual('Store (0x04, SMIC)' in text, smi)
                self.assertEqual('Store (One, \\_SB.PRES.CEJF)' in text, left)
                for fill in 0, 2, 4:  # no event; CPUs that came; CPUs that are to go
                    for method, said in acpiexec.execute([dsdt], '\\_SB.CPUS.CSCN', '\\_SB.CPUS.C001._EJ0 1',
                                                         fill=fill if smi else 0).items():
                        self.assertNotRegex(said, r'ACPI (Error|Exception|Warning)|failed', method)


class PciSlots(unittest.TestCase):
    def plug(self, b, bsel, slot, **where):
        b.vm.qmp('device_add', driver='pci-serial', id='t', **{'acpi-index': 7}, **where)
        self.assertEqual(b.take_gpe(), GPE_PCI)
        b.put(b.pci + 0x10, bsel)
        self.assertEqual(b.get(b.pci), 1 << slot)
        self.assertEqual(b.get(b.pci), 0)
        b.put(b.pci + 0x14, 1 << slot)
        self.assertEqual(b.get(b.pci + 0x14), 7)
        b.vm.qmp('device_del', id='t')
        self.assertEqual(b.take_gpe(), GPE_PCI)
        self.assertEqual(b.get(b.pci + 4), 1 << slot)
        b.put(b.pci + 8, 1 << slot)
        b.vm.qmp.wait_event('DEVICE_DELETED')
        self.assertEqual(b.get(b.pci + 4), 0)
        b.put(b.pci + 8, 1 << slot)  # nobody there

    def test_root(self):
        with Board('pc') as b:
            self.plug(b, 0, 5, addr='5')
            b.put(b.pci + 0x10, 0)
            self.assertEqual(b.get(b.pci + 0xc) & 0xf, 0xc)  # not the host bridge, not PIIX
            b.put(b.pci + 8, 2)
            self.assertEqual(b.get(b.pci + 0xc) & 0xf, 0xc)
            b.put(b.pci + 0x10, 99)
            self.assertEqual(b.get(b.pci + 0xc), 0)

    def test_bridge(self):
        with Board('pc', '-device', 'pci-bridge,id=br,chassis_nr=1,addr=4') as b:
            self.plug(b, 1, 3, bus='br', addr='3')
        with Board('q35', '-device', 'pcie-root-port,id=rp,slot=1,chassis=1') as b:
            self.plug(b, 0, 0, bus='rp')
            self.assertEqual(b.refuse('device_add', driver='pci-serial'),
                             "Bus 'pcie.0' does not support hotplugging")

    def test_reset_completes(self):
        with Board('pc', '-device', 'pci-serial,id=t') as b:
            b.vm.qmp('device_del', id='t')
            b.vm.qmp('system_reset')
            b.vm.qmp.wait_event('DEVICE_DELETED')
            b.put(b.pci + 0x10, 0)
            self.assertEqual(b.get(b.pci + 4), 0)


if __name__ == '__main__':
    house.main()
