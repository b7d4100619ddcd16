# SPDX-License-Identifier: GPL-2.0-or-later
"""ACPI tables of the PCs: complete, correct to ACPICA's tools, and working methods."""
import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import acpi  # noqa: E402
import acpiexec  # noqa: E402
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from pci import Pci  # noqa: E402
from vm import Vm, refusal  # noqa: E402

SMP = ['-smp', '2,sockets=4,maxcpus=4']
SLOTS = ['-m', '128,slots=2,maxmem=1G']
NUMA = ['-m', '256', '-smp', '2', '-machine', 'hmat=on',
        '-object', 'memory-backend-ram,id=m0,size=128M',
        '-object', 'memory-backend-ram,id=m1,size=128M',
        '-numa', 'node,nodeid=0,memdev=m0,cpus=0', '-numa',
        'node,nodeid=1,memdev=m1,cpus=1,initiator=1', '-numa', 'dist,src=0,dst=1,val=20',
        '-numa', 'hmat-lb,initiator=0,target=0,hierarchy=memory,data-type=access-latency,'
        'latency=5', '-numa', 'hmat-lb,initiator=0,target=0,hierarchy=memory,'
        'data-type=access-bandwidth,bandwidth=200M',
        '-numa', 'hmat-cache,node-id=0,size=10K,level=1,associativity=direct,'
        'policy=write-back,line=8']
MACHINES = {
    'pc': ['-M', 'pc', *SMP, *SLOTS, '-serial', 'null',
           '-device', 'pci-bridge,id=b,chassis_nr=1'],
    'q35': ['-M', 'q35', *SMP, *SLOTS, '-device', 'pcie-root-port,id=rp,slot=3,chassis=2',
            '-device', 'pxb-pcie,bus_nr=32,id=px', '-device', 'pvpanic',
            '-device', 'pcie-root-port,id=rp2,bus=px,chassis=9'],
    'plain': ['-M', 'pc,hpet=off,smm=off', '-global', 'PIIX4_PM.disable_s3=1', '-global',
              'PIIX4_PM.acpi-root-pci-hotplug=off', '-global',
              'PIIX4_PM.acpi-pci-hotplug-with-bridge-support=off'],
    'numa': ['-M', 'q35', *NUMA],
    'large': ['-M', 'q35', '-smp', '1,sockets=300,maxcpus=300', '-m', '5G'],
}


def tables_of(vm):
    return acpi.split(FwCfg(vm).file('etc/acpi/tables'))


def machine(name):
    return Vm(house.binary(), '-nodefaults', *MACHINES[name], qtest=True)


def place_registers(vm, name):
    """As firmware does before it reads tables."""
    pci = Pci(vm)
    if name in ('pc', 'plain'):
        pci.write(0x0b, 0x40, 0x601)
        pci.write(0x0b, 0x80, 1, 1)
    else:
        pci.write(0xf8, 0x40, 0x600)
        pci.write(0xf8, 0x44, 0x80, 1)


def each_machine(test):
    def run(self):
        for name in MACHINES:
            with self.subTest(machine=name), machine(name) as vm:
                place_registers(vm, name)
                test(self, name, tables_of(vm))
    return run


class Tables(unittest.TestCase):
    @each_machine
    def test_set(self, name, tables):
        found = [signature for signature, _ in tables]
        expected = ['FACS', 'DSDT', 'FACP', 'APIC']
        expected += [] if name == 'plain' else ['HPET']
        expected += {'numa': ['SRAT', 'SLIT', 'HMAT'], 'pc': ['SRAT'], 'q35': ['SRAT']}.get(
            name, [])
        self.assertEqual(found, expected + ['WAET', 'RSDT'])

    @unittest.skipUnless(acpi.IASL, 'iasl is not installed')
    @each_machine
    def test_iasl(self, name, tables):
        for signature, data in tables:
            acpi.disassemble(data)

    @unittest.skipUnless(acpiexec.TOOL, 'acpiexec is not installed')
    @each_machine
    def test_methods(self, name, tables):
        dsdt = dict(tables)['DSDT']
        names = [f'\\_GPE._E0{n}' for n in (1, 2, 3) if f'_E0{n}'.encode() in dsdt]
        names += ['\\_SB.PCI0._CRS', '\\_SB.LNKA._CRS', '\\_SB.LNKA._DIS', '\\_SB.LNKA._STA',
                  '\\_SB.CPUS.C000._STA']
        names += ['\\_SB.MHPC.MP00._CRS', '\\_SB.MHPC.MP01._STA', '\\_SB.MHPC.MP00._PXM'] \
            if name in ('pc', 'q35') else []
        for method, text in acpiexec.execute([dsdt], *names).items():
            self.assertNotRegex(text, r'ACPI (Error|Exception|Warning)|failed', method)

    @unittest.skipUnless(acpiexec.TOOL, 'acpiexec is not installed')
    def test_osc(self):
        """What it grants, and how it says no."""
        uuid = '(5b 4d db 33 f7 1f 1c 40 96 57 74 41 c0 3d d7 66)'
        with machine('q35') as vm:
            dsdt = dict(tables_of(vm))['DSDT']
        for arguments, expected in (
                (f'{uuid} 1 3 (00 00 00 00 00 00 00 00 1f 00 00 00)',
                 '10 00 00 00 00 00 00 00 1C'),
                (f'{uuid} 1 3 (00 00 00 00 00 00 00 00 14 00 00 00)',
                 '00 00 00 00 00 00 00 00 14'),
                (f'{uuid} 2 3 (00 00 00 00 00 00 00 00 04 00 00 00)',
                 '08 00 00 00 00 00 00 00 04'),
                ('(00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00) 1 3 '
                 '(00 00 00 00 00 00 00 00 04 00 00 00)', '04 00 00 00')):
            method = f'\\_SB.PCI0._OSC {arguments}'
            self.assertIn(expected, acpiexec.execute([dsdt], method)[method])
        # Behind expanders ports plug by themselves.
        method = f'\\_SB.PC20._OSC {uuid} 1 3 (00 00 00 00 00 00 00 00 1f 00 00 00)'
        self.assertIn('00 00 00 00 00 00 00 00 1F', acpiexec.execute([dsdt], method)[method])

    def test_follows_firmware(self):
        """Where firmware put the registers is known to who reads the tables afterwards."""
        with machine('q35') as vm:
            before = dict(tables_of(vm))
            self.assertNotIn('MCFG', before)
            pci = Pci(vm)
            pci.write(0xf8, 0x40, 0x600)
            pci.write(0, 0x60, 0xb0000001)
            self.assertNotIn('MCFG', dict(tables_of(vm)))  # as they were when first read
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            pci.write(0xf8, 0x40, 0x600)
            pci.write(0, 0x60, 0xb0000001)
            after = dict(tables_of(vm))
            self.assertEqual(int.from_bytes(after['FACP'][56:60], 'little'), 0x600)
            self.assertEqual(int.from_bytes(after['MCFG'][44:52], 'little'), 0xb0000000)
            self.assertEqual(after['MCFG'][55], 255)
            self.assertIn(b'DRAC', after['DSDT'])

    def last_bus(self, option, *args):
        with Vm(house.binary(), '-M', 'q35' + option, '-nodefaults', *args, qtest=True) as vm:
            Pci(vm).write(0, 0x60, 0xb0000001)
            return dict(tables_of(vm))['MCFG'][55]

    def test_bus_numbers(self):
        """MCFG ends at the last bus there can be, if the user wants; a slot may take a switch."""
        fixed = ['-device', 'pcie-root-port,id=p,chassis=1,hotplug=off']
        for option, args, last in (
                ('', (), 255), (',x-mcfg-buses=auto', (), 0), (',x-mcfg-buses=auto', fixed, 1),
                (',x-mcfg-buses=auto', fixed + ['-device', 'x3130-upstream,bus=p'], 255),
                (',x-mcfg-buses=auto', ['-device', 'pcie-root-port,chassis=1'], 255),
                (',x-mcfg-buses=auto', ['-device', 'pcie-root-port,id=p,chassis=1', '-device', 'i82801b11-bridge'], 255),
                (',x-mcfg-buses=auto', ['-device', 'pxb-pcie,id=x,bus_nr=64', *fixed, '-device',
                                        'pcie-root-port,bus=x,chassis=2,hotplug=off'], 66),
                (',x-mcfg-buses=16', fixed, 15)):
            with self.subTest(option=option, args=args):
                self.assertEqual(self.last_bus(option, *args), last)

    def test_oem(self):
        with Vm(house.binary(), '-M', 'pc,x-oem-id=ABCDEF,x-oem-table-id=GHIJKLMN', '-nodefaults',
                qtest=True) as vm:
            self.assertEqual(dict(tables_of(vm))['FACP'][10:24], b'ABCDEFGHIJKLMN')
        with Vm(house.binary(), '-M', 'pc,acpi=off', '-nodefaults', qtest=True) as vm:
            self.assertNotIn('etc/acpi/tables', FwCfg(vm).files())

    def test_users(self):
        """-acpitable: whole tables, contents that get a header, a licence's maker."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'content')
            with open(path, 'wb') as file:
                file.write(b'content')
            with Vm(house.binary(), '-M', 'pc', '-nodefaults', '-acpitable',
                    f'sig=SLIC,rev=3,oem_id=MAKER,oem_table_id=MODEL,oem_rev=0x10,data={path}:{path}',
                    qtest=True) as vm:
                tables = dict(tables_of(vm))
            table = tables['SLIC']
            self.assertEqual(table[36:], b'contentcontent')
            self.assertEqual(table[8:9] + table[10:28], b'\x03MAKER\0MODEL\0\0\0\x10\0\0\0')
            self.assertEqual(tables['FACP'][10:24], b'MAKER\0MODEL\0\0\0')
            whole = os.path.join(folder, 'whole')
            with open(whole, 'wb') as file:
                file.write(table)
            with Vm(house.binary(), '-M', 'q35', '-nodefaults', '-acpitable',
                    f'file={whole},sig=USER', qtest=True) as vm:
                again = dict(tables_of(vm))['USER']
            self.assertEqual(again[10:], table[10:])
            self.assertEqual(sum(again) & 0xff, 0)
            for options, why in ((f'file={path}', 'too short, available: 7, expected: 36'),
                                 ('sig=ABCD', "requires one of 'data' or 'file'"),
                                 (f'file={path},data={path}', "requires one of 'data' or 'file'"),
                                 ('data=/no/such', "can't open file /no/such"),
                                 (f'data={path},rev=300', "'rev' expects uint8_t")):
                self.assertIn(why, refusal(house.binary(), '-M', 'pc', '-acpitable', options))

    def test_loader(self):
        """The script names the files that are there; sizes of files are those of the directory."""
        with machine('pc') as vm:
            cfg = FwCfg(vm)
            script = cfg.file('etc/table-loader')
            names = set(re.findall(rb'etc/[a-z/]+', script))
            self.assertEqual(names, {b'etc/acpi/tables', b'etc/acpi/rsdp'})
            self.assertEqual(len(script) % 4096, 0)
            self.assertEqual(cfg.file('etc/acpi/rsdp')[:8], b'RSD PTR ')

    def test_cpus(self):
        """The MADT has all that there can be, the rest as not enabled; large ids are x2APICs."""
        with machine('pc') as vm:
            madt = dict(tables_of(vm))['APIC']
            self.assertEqual([madt[44 + 8 * n + 4] for n in range(4)], [1, 1, 0, 0])
        with machine('large') as vm:
            madt = dict(tables_of(vm))['APIC']
            at, kinds = 44, []
            while at < len(madt):
                kinds.append(madt[at])
                at += madt[at + 1]
            self.assertEqual((kinds.count(0), kinds.count(9), kinds.count(10)), (255, 45, 1))


if __name__ == '__main__':
    house.main()
