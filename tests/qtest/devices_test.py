# SPDX-License-Identifier: GPL-2.0-or-later
"""Every device users can make, on boards that have its bus: alone and in twos, reset, saved and
loaded, plugged and unplugged twice in one machine. A new type is tested with nothing to add; one
that needs more than its name has a row here, one that boards refuse says here with which words.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

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
    'pxb': 'bus_nr={bus}',
    'pxb-pcie': 'bus_nr={bus}',
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
    'virtio-blk-pci': 'drive=disk{n}',
    'virtio-blk-pci-non-transitional': 'drive=disk{n}',
    'virtio-blk-pci-transitional': 'drive=disk{n}',
}
# Words with which a type is refused: where its bus is another, as a second one, or alone.
WRONG_BUS = "can't go on PCI bus"
REFUSED = {
    'ioh3420': WRONG_BUS, 'pcie-pci-bridge': WRONG_BUS, 'pcie-root-port': WRONG_BUS,
    'intel-dsa': WRONG_BUS,
    'x3130-upstream': WRONG_BUS, 'xio3130-downstream': WRONG_BUS,
    'pxb': 'cannot reside on a PCIe bus|Only PCI/PCIe bridges can be plugged',
    'pxb-pcie': 'cannot reside on a PCI bus|Only PCI/PCIe bridges can be plugged',
    'ide-hd': "No 'IDE' bus found", 'virtio-blk-device': "No 'virtio-bus' bus found",
    'nvme-ns': "No 'nvme-bus' bus found", 'scsi-hd': "No 'SCSI' bus found", 'virtio-scsi-device': "No 'virtio-bus' bus found",
    'ide-cd': "No 'IDE' bus found",
    'vmmouse': "'i8042' link is not set",
    'ramfb': 'duplicate fw_cfg file name', 'tpm-crb': "'tpmdev' property is required",
    'tpm-tis': "'tpmdev' property is required", 'virtio-rng-device': "No 'virtio-bus' bus found",
    'virtio-gpu-device': "No 'virtio-bus' bus found",
    'virtio-keyboard-device': "No 'virtio-bus' bus found",
    'virtio-mouse-device': "No 'virtio-bus' bus found",
    'virtio-tablet-device': "No 'virtio-bus' bus found",
    'virtio-net-device': "No 'virtio-bus' bus found",
    'floppy': "No 'floppy-bus' bus found", 'ivshmem-doorbell': "You must specify a 'chardev'",
    'usb-hub': "No 'usb-bus' bus found", 'usb-kbd': "No 'usb-bus' bus found",
    'usb-mouse': "No 'usb-bus' bus found", 'usb-tablet': "No 'usb-bus' bus found",
    'usb-storage': "No 'usb-bus' bus found",
    'intel-iommu': 'only supported by q35|multiple vIOMMUs', 'vmcoreinfo': 'at most one', 'vmgenid': 'at most one',
}
BOARDS = ('pc,nvdimm=on', 'q35,nvdimm=on', 'microvm,pcie=on')
BASE = ['-nodefaults', '-m', '64,slots=4,maxmem=256M', *CHARDEVS]
for option in MEMORY:
    BASE += ['-object', option]
for option in DISKS:
    BASE += ['-blockdev', option]


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
            args = ['-M', board, *BASE, *devices(name, count)]
            # Ends the process once the machine is there.
            done = subprocess.run([house.binary(), *args, '-display', 'none', '-accel', 'qtest',
                                   '-dump-vmstate', '/dev/null'], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                self.assertEqual(done.returncode, 1, done.stderr)
                return done.stderr
            with Vm(house.binary(), *args, qtest=True) as vm:
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
        """Two of them, else one; what is said otherwise is known."""
        for board in BOARDS:
            for count in (2, 1):
                said = self.cold(board, name, count)
                if said is None:
                    break
                self.assertIn(name, REFUSED, (board, count, said))
                self.assertRegex(said, REFUSED[name], (name, board, count))

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

    def test_hot(self):
        port = ['-device', 'pcie-root-port,id=port0,chassis=9']
        for board, bus, more in (('pc', 'pci.0', []), ('q35', 'port0', port)):
            with Vm(house.binary(), '-M', board, *BASE, *more, qtest=True) as vm:
                plugged = 0
                for name, kind in types():
                    with self.subTest(board=board, type=name):
                        try:
                            self.plug(vm, name, bus if kind == 'PCI' else None, 0)
                        except QmpError:
                            continue  # said so; that it can be is for its own test
                        self.unplug(vm, 0)
                        self.plug(vm, name, bus if kind == 'PCI' else None, 0)
                        self.unplug(vm, 0)
                        plugged += kind == 'PCI'
                self.assertGreater(plugged, 8)


if __name__ == '__main__':
    house.main()
