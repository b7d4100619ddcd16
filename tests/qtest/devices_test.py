# SPDX-License-Identifier: GPL-2.0-or-later
"""Every device users can make, on boards that have its bus: alone and in twos, reset, saved and
loaded, plugged and unplugged twice in one machine. A new type is tested with nothing to add; one
that needs more than its name has a row here, one that boards refuse says here with which words.
"""
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import NotStarted, QmpError, Vm  # noqa: E402

CHARDEVS = ['-chardev', 'null,id=line0', '-chardev', 'null,id=line1']
DISKS = [f'null-co,node-name=disk{n},size=1M,read-zeroes=on' for n in (0, 1)]
MEMORY = [f'memory-backend-ram,id=ram{n},size=16M' for n in (0, 1)]
# "{n}" counts those of a kind.
KEYS = {
    'acpi-erst': 'memdev=ram{n}',
    'isa-debugcon': 'chardev=line{n},iobase={port}',
    'isa-debug-exit': 'iobase={port}',
    'isa-ide': 'iobase={port}',
    'isa-parallel': 'chardev=line{n}',
    'ivshmem-plain': 'memdev=ram{n},master=on',
    'loader': 'data=1,data-len=4,addr={port}',
    'pc-dimm': 'memdev=ram{n}',
    'nvdimm': 'memdev=ram{n}',
    'pxb': 'bus_nr={bus},bus=pci.0',
    'pxb-pcie': 'bus_nr={bus},bus=pcie.0',
    'pcie-root-port': 'chassis={n},slot={n}',
    'ioh3420': 'chassis={n},slot={n}',
    'xio3130-downstream': 'chassis={n},slot={n}',
    'pci-bridge': 'chassis_nr={chassis}',
    'pci-bridge-seat': 'chassis_nr={chassis}',
    'ide-hd': 'drive=disk{n}',
    'nvme': 'serial=a,drive=disk{n}',
    'nvme-ns': 'drive=disk{n}',
    'scsi-hd': 'drive=disk{n}',
    'usb-storage': 'drive=disk{n}',
    'virtio-blk-device': 'drive=disk{n}',
    'virtio-iommu-device': 'primary-bus=pcie.0',
    'virtio-blk-pci': 'drive=disk{n}',
    'virtio-blk-pci-non-transitional': 'drive=disk{n}',
    'virtio-blk-pci-transitional': 'drive=disk{n}',
}
# What a type needs to be there before it.
XHCI, SCSI, AHCI, SERIAL = (['-device', device] for device in (
    'qemu-xhci', 'virtio-scsi-pci', 'ich9-ahci', 'virtio-serial-pci'))
HOSTS = {
    'scsi-hd': SCSI, 'scsi-cd': SCSI, 'ide-hd': AHCI, 'ide-cd': AHCI, 'floppy': ['-device', 'isa-fdc'],
    'nvme-ns': ['-device', 'nvme,serial=host,id=host'],
    'virtconsole': SERIAL, 'virtserialport': SERIAL,
}
# Words with which a type is refused: where its bus is another, as a second one, or alone.
WRONG_BUS = "can't go on PCI bus"
REFUSED = {
    'ioh3420': WRONG_BUS, 'pcie-pci-bridge': WRONG_BUS, 'pcie-root-port': WRONG_BUS,
    'intel-dsa': WRONG_BUS,
    'x3130-upstream': WRONG_BUS, 'xio3130-downstream': WRONG_BUS,
    'pxb': "Bus 'pci.0' not found", 'pxb-pcie': "Bus 'pcie.0' not found",
    'vmmouse': "'i8042' link is not set",
    'ramfb': 'duplicate fw_cfg file name', 'tpm-crb': "'tpmdev' property is required",
    'tpm-tis': "'tpmdev' property is required", 'ivshmem-doorbell': "You must specify a 'chardev'",
    'intel-iommu': 'only supported by q35|multiple vIOMMUs', 'vmcoreinfo': 'at most one', 'vmgenid': 'at most one',
}
# Tested elsewhere, for they need a process of their own, or are the board's to make.
ELSEWHERE = {
    'tpm-crb': 'tpm_test.py', 'tpm-tis': 'tpm_test.py', 'ivshmem-doorbell': 'ivshmem_test.py',
    'vmmouse': 'tests/cpu/vmport_test.py',
}
# Of which there is one at most.
ALONE = ('ramfb', 'intel-iommu', 'vmcoreinfo', 'vmgenid', 'virtio-iommu-device', 'virtio-iommu-pci',
         'virtio-iommu-pci-non-transitional', 'virtio-balloon-device', 'virtio-balloon-pci',
         'virtio-balloon-pci-non-transitional', 'virtio-balloon-pci-transitional')
# Plugged, but for good.
STAYS = {'nvdimm': 'nvdimm device hot unplug is not supported yet',
         'vmcoreinfo': 'does not support hotplugging', 'vmgenid': 'does not support hotplugging'}
BOARDS = ('pc,nvdimm=on', 'q35,nvdimm=on', 'microvm,pcie=on')
BASE = ['-nodefaults', '-m', '64,slots=4,maxmem=256M', *CHARDEVS]
for option in MEMORY:
    BASE += ['-object', option]
for option in DISKS:
    BASE += ['-blockdev', option]


def host_of(name):
    return HOSTS.get(name, XHCI if name.startswith('usb-') else [])


def why_refused(name):
    """A regular expression that nothing matches for those that are always taken."""
    words = REFUSED.get(name, 'never')
    if name.startswith('virtio-iommu'):
        words = 'there is an IOMMU for these functions already'
    if name.startswith('virtio-balloon'):
        words = 'Only one balloon device is supported'
    return words + ("|No 'virtio-bus' bus found" if re.fullmatch('virtio-.*-device', name) else '')


def types():
    text = subprocess.run([house.binary(), '-M', 'pc', '-device', 'help'], capture_output=True,
                          text=True, check=True).stdout
    for name, bus in re.findall(r'^name "(\S+)"(?:, bus (\S+))?', text, re.M):
        if not name.endswith('-cpu'):
            yield name, bus.rstrip(',')


def spec(name, n):
    keys = KEYS.get(name, '').format(n=n, port=0x9000 + 0x100 * n, bus=0x40 + 0x20 * n,
                                     chassis=n + 1)
    return f'{name},id=dev{n}' + (',' + keys if keys else '')


def devices(name, count):
    args = []
    for n in range(count):
        args += ['-device', spec(name, n)]
    return args


def settled(vm):
    while True:
        info = vm.qmp('query-migrate')
        if info.get('status') in ('completed', 'failed', 'cancelled'):
            return info
        time.sleep(0.01)


class Devices(unittest.TestCase):
    def cold(self, board, name, count):
        """None, or what was said when it did not start."""
        with tempfile.TemporaryDirectory() as folder:
            uri = f'file:{folder}/state'
            args = ['-M', board, *BASE, *host_of(name), *devices(name, count)]
            try:
                first = Vm(house.binary(), *args, qtest=True)
            except NotStarted as refused:
                self.assertEqual(refused.status, 1, refused.said)
                return refused.said
            with first as vm:
                vm.qmp('system_reset')
                vm.qmp.wait_event('RESET')
                vm.qtest('clock_step 1000000000')
                vm.qmp('migrate', uri=uri)
                info = settled(vm)
                self.assertEqual(info['status'], 'completed', info)
            with Vm(house.binary(), *args, '-incoming', uri, qtest=True) as vm:
                info = settled(vm)
                self.assertEqual(info['status'], 'completed', info)
                vm.qmp('system_reset')
                vm.qmp.wait_event('RESET')
        return None

    def check_cold(self, name):
        """Two of them, else one; what is said otherwise is known, and not said by every board."""
        most = 0
        for board in BOARDS:
            for count in (2, 1):
                said = self.cold(board, name, count)
                if said is None:
                    most = max(most, count)
                    break
                self.assertRegex(said, why_refused(name), (name, board, count))
        self.assertEqual(most, 0 if name in ELSEWHERE else 1 if name in ALONE else 2)

    def test_cold(self):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = {name: pool.submit(self.check_cold, name) for name, _ in types()}
            for name, job in jobs.items():
                with self.subTest(type=name):
                    job.result()

    def plug(self, vm, name, bus, n):
        arguments = dict(pair.split('=') for pair in f'driver={spec(name, n)}'.split(','))
        if bus:
            arguments['bus'] = bus
        vm.qmp.run('device_add', arguments)

    def unplug(self, vm, n):
        """A guest that does not answer lets it go with the next reset."""
        vm.qmp('device_del', id=f'dev{n}')
        vm.qmp('system_reset')
        while vm.qmp.wait_event('DEVICE_DELETED')['data'].get('device') != f'dev{n}':
            pass

    def plug_twice(self, vm, name, bus):
        """None, or with which words it is refused."""
        for _ in range(2):
            try:
                self.plug(vm, name, bus, 0)
            except QmpError as error:
                return error.desc
            try:
                self.unplug(vm, 0)
            except QmpError as error:
                self.assertRegex(error.desc, STAYS[name])
                return None
        return None

    def hot(self, name, kind):
        """On one board at least, or neither takes it while it runs."""
        port = ['-device', 'pcie-root-port,id=port0,chassis=9']
        said = []
        for board, bus, more in (('pc,nvdimm=on', 'pci.0', []), ('q35,nvdimm=on', 'port0', port)):
            with Vm(house.binary(), '-M', board, *BASE, *more, *host_of(name), qtest=True) as vm:
                said.append(self.plug_twice(vm, name, bus if kind == 'PCI' else None))
        if None in said:
            return True
        for words in said:
            self.assertRegex(words, 'does not support hotplugging|' + why_refused(name))
        return False

    def test_hot(self):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = {name: pool.submit(self.hot, name, kind) for name, kind in types()}
            plugged = 0
            for name, job in jobs.items():
                with self.subTest(type=name):
                    plugged += job.result()
        self.assertGreater(plugged, 40)


# Devices that need a process of their own, that the board makes, or of which there is another one.
NOT_FUZZED = ('ivshmem-doorbell', 'tpm-crb', 'tpm-tis', 'vmmouse', 'virtio-iommu-pci-non-transitional',
             'virtio-balloon-pci')


class Fuzzed(unittest.TestCase):
    def test_lists(self):
        """tests/fuzz/machine-*.args have every type, and start."""
        folder = os.path.join(os.path.dirname(__file__), '..', 'fuzz')
        missing = {name for name, _ in types()} - set(NOT_FUZZED)
        for board in 'microvm', 'pc', 'q35':
            with open(os.path.join(folder, f'machine-{board}.args'), encoding='ascii') as file:
                words = shlex.split(file.read(), comments=True)
            missing -= {word.split(',')[0] for option, word in zip(words, words[1:]) if option == '-device'}
            with Vm(house.binary(), *words, '-nodefaults', qtest=True) as vm:
                self.assertEqual(vm.qmp('query-status')['status'], 'running')
        self.assertEqual(missing, set())


if __name__ == '__main__':
    house.main()
