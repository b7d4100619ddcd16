# SPDX-License-Identifier: GPL-2.0-or-later
"""The boards beside QEMU's, where it is installed: memory map, properties; what differs and why."""
import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

PEER = shutil.which('qemu-system-x86_64')
CHIPS = ('i440FX-pcihost', 'i440FX', 'PIIX3', 'PIIX4_PM', 'q35-pcihost', 'mch', 'ICH9-LPC')
# Regions that only one of us has.
OURS = {'pci-legacy'}  # nobody's part of PCI, which hides RAM even if there is no VGA
# Properties by type: memory regions and lines are no objects here.
NOT_OURS = re.compile(r'\[0\]$|^(pci|system|io|ram)-mem$|^mch$')
OTHER_DEFAULT = {('ICH9-LPC', 'noreboot'),   # off since 8.0
                 ('q35-pcihost', 'MCFG')}    # computed: has no default to show
# Of machines: SGX, CXL and sound are not here; SMRAM is a region.
MACHINE_NOT_OURS = {'sgx-epc', 'cxl', 'cxl-fmw', 'pcspk-audiodev', 'smram', 'nvdimm-persistence'}


def memory_map(vm):
    text = vm.qmp.hmp('info mtree').replace('\r', '')
    tree = re.search(r'address-space: memory\n(.*?)\n\n', text, re.S).group(1)
    lines = [line.strip() for line in tree.split('\n')]
    return [line for line in lines if line.rsplit(': ', 1)[1].split()[0] not in OURS]


@unittest.skipUnless(PEER, 'QEMU is not installed to compare with (qemu-system-x86)')
class Peer(unittest.TestCase):
    def both(self, *args):
        """What both do with the same options, when nothing runs."""
        return (Vm(binary, '-accel', 'tcg', '-S', '-nodefaults', *args)
                for binary in (house.binary(), PEER))

    def test_memory(self):
        for args in (['-M', 'pc', '-m', '64'], ['-M', 'pc', '-m', '5G'], ['-M', 'q35', '-m', '64'],
                     ['-M', 'q35', '-m', '3G'], ['-M', 'q35,max-ram-below-4g=1G', '-m', '4G'],
                     ['-M', 'pc,hpet=off', '-m', '3600']):
            ours, theirs = self.both(*args)
            with self.subTest(args=args), ours as ours, theirs as theirs:
                self.assertEqual(memory_map(ours), memory_map(theirs))

    def test_chips(self):
        ours, theirs = self.both('-M', 'none')
        with ours as ours, theirs as theirs:
            for chip in CHIPS:
                with self.subTest(chip=chip):
                    mine, other = [{p['name']: (p['type'], p.get('default-value')) for p in
                                    vm.qmp('device-list-properties', typename=chip)}
                                   for vm in (ours, theirs)]
                    self.assertEqual({name for name in other.keys() - mine.keys()
                                      if not NOT_OURS.search(name)}, set())
                    self.assertEqual(mine.keys() - other.keys(), set())
                    differ = {(chip, name) for name in mine.keys() & other.keys()
                              if mine[name] != other[name]}
                    self.assertLessEqual(differ, OTHER_DEFAULT)

    def test_machines(self):
        for machine in ('pc', 'q35'):
            ours, theirs = self.both('-M', machine)
            with self.subTest(machine=machine), ours as ours, theirs as theirs:
                mine, other = [{p['name'] for p in vm.qmp('qom-list', path='/machine')}
                               for vm in (ours, theirs)]
                self.assertEqual(other - mine - MACHINE_NOT_OURS, set())
                self.assertEqual(mine - other, {'fd-bootchk'})  # since 8.0

    def test_cpu_messages(self):
        """Refusals word for word."""
        ours, theirs = self.both('-smp', '1,maxcpus=8,sockets=2,cores=2,threads=2', '-cpu',
                                 'qemu64')
        with ours as ours, theirs as theirs:
            for props in ({}, {'socket-id': 9}, {'apic-id': 99}, {'apic-id': 0},
                          {'apic-id': 3, 'core-id': 0}):
                texts = []
                for vm in (ours, theirs):
                    with self.assertRaises(QmpError) as caught:
                        vm.qmp.run('device_add', {'driver': 'qemu64-x86_64-cpu', **props})
                    texts.append(caught.exception.desc)
                self.assertEqual(*texts)


if __name__ == '__main__':
    house.main()
