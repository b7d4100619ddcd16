# SPDX-License-Identifier: GPL-2.0-or-later
"""PCI Express on q35, in the words of a guest: ports, switches, native hot-plug, errors."""
import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

PEER = shutil.which('qemu-system-x86_64')
ECAM = 0xb0000000
COMMAND, HEADER, BAR0, BUSES, IO_BASE, MEMORY_BASE, PREF_BASE = 4, 0xe, 0x10, 0x18, 0x1c, 0x20, 0x24
CONTROL, SERR = 0x3e, 2
# Of pcie-root-port
PORT_CAP = 0x54
LNKSTA, SLTCTL, SLTSTA = PORT_CAP + 0x12, PORT_CAP + 0x18, PORT_CAP + 0x1a
DEVCTL = PORT_CAP + 8
ABP, PDC, CC, PDS, DLLSC = 0x1, 0x8, 0x10, 0x40, 0x100
ENABLES = 0x1039
ON, BLINK, POWER_OFF, OFF = 0x1c0, 0x2c0, 0x6c0, 0x7c0
UNCOR_STATUS, COR_STATUS, HEADER_LOG = 0x104, 0x110, 0x11c
ROOT_COMMAND, ROOT_STATUS, COR_SOURCE, UNCOR_SOURCE = 0x12c, 0x130, 0x134, 0x136
TESTDEV = 0x00051b36


def devfn(slot, function=0):
    return slot << 3 | function


class Machine(Vm):
    """With ECAM, as firmware sets it up. Where ACPI would do hot-plug, it does not."""

    def __init__(self, *args, binary=None, accel='qtest', is_native=True, **kwargs):
        stopped = ['-S'] if accel != 'qtest' else []
        native = native_only(binary) if is_native else []
        super().__init__(binary or house.binary(), '-M', 'q35', '-nodefaults', '-m', '64', *stopped,
                         *native, *args, qtest=True, accel=accel, **kwargs)
        self.map_ecam()

    def map_ecam(self):
        for at, value in ((0x60, ECAM | 1), (0x64, 0)):
            self.qtest(f'outl 0xcf8 {0x80000000 | at:#x}')
            self.qtest(f'outl 0xcfc {value:#x}')

    def read(self, bus, where, at, size=4):
        addr = ECAM | bus << 20 | where << 12 | at
        return int(self.qtest(f"read{'?bw?l'[size]} {addr:#x}"), 16)

    def write(self, bus, where, at, value, size=4):
        addr = ECAM | bus << 20 | where << 12 | at
        self.qtest(f"write{'?bw?l'[size]} {addr:#x} {value:#x}")

    def number(self, bus, where, secondary, subordinate):
        self.write(bus, where, BUSES, bus | secondary << 8 | subordinate << 16)

    def exists(self, device):
        reply = self.qmp.request({'execute': 'qom-list',
                                  'arguments': {'path': '/machine/peripheral/' + device}})
        return 'return' in reply


NATIVE = {}


def native_only(binary):
    """-global that leaves hot-plug to the ports, if this binary's board can do it by ACPI."""
    name, key = 'acpi-pci-hotplug-with-bridge-support', binary
    if key not in NATIVE:
        with Vm(binary or house.binary(), '-M', 'none', '-nodefaults') as vm:
            known = [p['name'] for p in vm.qmp('device-list-properties', typename='ICH9-LPC')]
        NATIVE[key] = ['-global', f'ICH9-LPC.{name}=off'] if name in known else []
        if binary and not NATIVE[key]:
            NATIVE[key] = ['-global', f'ICH9-LPC.{name}=off']  # it has it, but does not say so
    return NATIVE[key]


def port(name, slot, *options, chassis=1):
    return ['-device', ','.join([f'pcie-root-port,id={name},addr={slot},chassis={chassis}',
                                 *options])]


SWITCH = [*port('rp', '4', 'slot=1', 'port=5'),
          '-device', 'x3130-upstream,id=up,bus=rp',
          '-device', 'xio3130-downstream,id=d0,bus=up,chassis=7,slot=2,port=3,addr=0',
          '-device', 'xio3130-downstream,id=d1,bus=up,chassis=8,slot=2,port=4,addr=1',
          '-device', 'pcie-pci-bridge,id=b,bus=d0',
          '-device', 'pci-testdev,id=t0,bus=b,addr=3', '-device', 'pci-testdev,id=t1,bus=d1']


def number_switch(vm):
    """rp 0>1, up 1>2, d0 2>3, b 3>4, d1 2>5."""
    for bus, where, secondary, last in ((0, devfn(4), 1, 5), (1, 0, 2, 5), (2, 0, 3, 4),
                                        (3, 0, 4, 4), (2, devfn(1), 5, 5)):
        vm.number(bus, where, secondary, last)


class Tree(unittest.TestCase):
    def test_many(self):
        """200 devices, each behind a root port of its own."""
        args = []
        for n in range(200):
            where = f'{n // 8 + 2:#x}.{n % 8:#x}'
            args += port(f'rp{n}', where, 'multifunction=on', chassis=n + 1)
            args += ['-device', f'pci-testdev,id=t{n},bus=rp{n}']
        with Machine(*args) as vm:
            for n in range(200):
                vm.number(0, devfn(2) + n, n + 1, n + 1)
            for n in range(200):
                self.assertEqual(vm.read(n + 1, 0, 0), TESTDEV)
                self.assertEqual(vm.read(n + 1, devfn(1), 0), 0xffffffff)
            found = vm.qmp('query-pci')[0]['devices']
            behind = [d['pci_bridge']['devices'][0]['qdev_id'] for d in found if 'pci_bridge' in d]
            self.assertEqual(behind, [f't{n}' for n in range(200)])

    def test_renumber(self):
        with Machine(*SWITCH) as vm:
            number_switch(vm)
            self.assertEqual(vm.read(4, devfn(3), 0), TESTDEV)
            self.assertEqual(vm.read(5, 0, 0), TESTDEV)
            vm.number(0, devfn(4), 0x20, 0x40)
            self.assertEqual(vm.read(4, devfn(3), 0), 0xffffffff)
            vm.number(0x20, 0, 0x21, 0x40)
            vm.number(0x21, devfn(1), 0x40, 0x40)
            self.assertEqual(vm.read(0x40, 0, 0), TESTDEV)
            self.assertEqual(vm.read(5, 0, 0), 0xffffffff)
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            vm.map_ecam()
            self.assertEqual(vm.read(0x40, 0, 0), 0xffffffff)

    def test_windows(self):
        """A device of the switch answers where all three bridges in front of it agree."""
        with Machine(*SWITCH) as vm:
            number_switch(vm)
            for bus, where in ((0, devfn(4)), (1, 0), (2, devfn(1))):
                vm.write(bus, where, MEMORY_BASE, 0xe000e000)
                vm.write(bus, where, COMMAND, 6, 2)
            vm.write(5, 0, BAR0, 0xe0000000)
            vm.write(5, 0, COMMAND, 2, 2)
            vm.qtest('writeb 0xe0000000 0')
            self.assertEqual(int(vm.qtest('readl 0xe0000004'), 16), 0x800)
            vm.write(1, 0, MEMORY_BASE, 0x0000fff0)
            self.assertNotEqual(int(vm.qtest('readl 0xe0000004'), 16), 0x800)


class OptionRoms(unittest.TestCase):
    def test_without_bar(self):
        """rombar=0: firmware gets it by fw_cfg."""
        with tempfile.NamedTemporaryFile(suffix='.rom') as rom:
            rom.write(b'\x55\xaa\x01 a ROM')
            rom.flush()
            options = f'romfile={rom.name},rombar=0'
            with Machine('-device', f'edu,{options}', '-device', f'edu,{options}',
                         *port('rp', '4')) as vm:
                name = 'genroms/' + os.path.basename(rom.name)
                self.assertEqual(FwCfg(vm).file(name), b'\x55\xaa\x01 a ROM')
                with self.assertRaisesRegex(QmpError, "without ROM bar can't have an option ROM"):
                    vm.qmp('device_add', driver='pci-testdev', bus='rp', romfile=rom.name,
                           rombar=0)


class HotPlug(unittest.TestCase):
    def control(self, vm, value):
        vm.write(0, devfn(4), SLTCTL, value | ENABLES, 2)

    def events(self, vm):
        status = vm.read(0, devfn(4), SLTSTA, 2)
        vm.write(0, devfn(4), SLTSTA, status, 2)
        return status

    def start(self):
        vm = Machine(*port('rp', '4'))
        vm.number(0, devfn(4), 1, 1)
        self.control(vm, OFF)
        self.events(vm)
        return vm

    def test_dialogue(self):
        with self.start() as vm:
            for _ in range(3):
                vm.qmp('device_add', driver='pci-testdev', id='t', bus='rp')
                self.assertEqual(self.events(vm), ABP | PDC | DLLSC | PDS)
                self.assertEqual(vm.read(1, 0, 0), 0xffffffff)
                self.control(vm, ON)
                self.assertEqual(self.events(vm), CC | PDS)
                self.assertEqual(vm.read(1, 0, 0), TESTDEV)
                vm.qmp('device_del', id='t')
                self.assertEqual(self.events(vm), ABP | PDS)
                with self.assertRaisesRegex(QmpError, 'already in the process of unplug'):
                    vm.qmp('device_del', id='t')
                self.control(vm, BLINK)
                self.control(vm, POWER_OFF)
                self.assertTrue(vm.exists('t'))
                self.control(vm, OFF)
                event = vm.qmp.wait_event('DEVICE_DELETED')
                self.assertEqual(event['data'], {'device': 't', 'path': '/machine/peripheral/t'})
                self.assertEqual(self.events(vm), CC | PDC | DLLSC)
                self.assertFalse(vm.exists('t'))

    def test_refusal(self):
        """Blinking that ends with power on: the guest keeps the device."""
        with self.start() as vm:
            vm.qmp('device_add', driver='pci-testdev', id='t', bus='rp')
            self.control(vm, ON)
            vm.qmp('device_del', id='t')
            self.control(vm, BLINK)
            self.control(vm, ON)
            event = vm.qmp.wait_event('DEVICE_UNPLUG_GUEST_ERROR')
            self.assertEqual(event['data'], {'device': 't', 'path': '/machine/peripheral/t'})
            self.assertEqual(vm.read(1, 0, 0), TESTDEV)

    def test_functions(self):
        with self.start() as vm:
            for n in (3, 1):
                vm.qmp('device_add', driver='pci-testdev', id=f't{n}', bus='rp', addr=f'0.{n}',
                       multifunction=True)
                self.assertEqual(self.events(vm), 0)
            vm.qmp('device_add', driver='pci-testdev', id='t0', bus='rp', addr='0.0',
                   multifunction=True)
            self.assertEqual(self.events(vm), ABP | PDC | DLLSC | PDS)
            self.control(vm, ON)
            self.assertEqual(vm.read(1, 3, 0), TESTDEV)
            self.assertEqual(vm.read(1, 0, HEADER, 1), 0x80)
            vm.qmp('device_del', id='t0')
            self.control(vm, OFF)
            gone = {vm.qmp.wait_event('DEVICE_DELETED')['data']['device'] for _ in range(3)}
            self.assertEqual(gone, {'t0', 't1', 't3'})

    def test_told_by_acpi(self):
        """The slot's registers show it all the same, with no event."""
        with Machine(*port('rp', '4'), is_native=False) as vm:
            vm.number(0, devfn(4), 1, 1)
            vm.qmp('device_add', driver='pci-testdev', id='t', bus='rp')
            self.assertEqual(vm.read(0, devfn(4), SLTSTA, 2), PDS)
            self.assertEqual(vm.read(0, devfn(4), SLTCTL, 2), ON)
            self.assertEqual(vm.read(1, 0, 0), TESTDEV)
            vm.qmp('device_del', id='t')
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            vm.map_ecam()
            self.assertFalse(vm.exists('t'))
            self.assertEqual(vm.read(0, devfn(4), SLTSTA, 2), 0)
            self.assertEqual(vm.read(0, devfn(4), SLTCTL, 2), OFF)

    def test_migration(self):
        """What was plugged has power on the other side, whoever told the guest."""
        bridge = ['-device', 'pci-bridge,id=rp,chassis_nr=1,addr=4']
        cases = ((port('rp', '4'), 0, True), (port('rp', '4'), 0, False), (bridge, 3, False))
        for args, slot, is_native in cases:
            with self.subTest(args=args, native=is_native), \
                    tempfile.TemporaryDirectory() as folder, \
                    Machine(*args, is_native=is_native) as a:
                uri, where = f'unix:{folder}/m', {'bus': 'rp', 'addr': str(slot)}
                vm_args = [*args, '-device', f'pci-testdev,id=t,bus=rp,addr={slot}']
                a.number(0, devfn(4), 1, 1)
                a.qmp('device_add', driver='pci-testdev', id='t', **where)
                if is_native:
                    self.control(a, ON)
                with Machine(*vm_args, '-incoming', 'defer', is_native=is_native) as b:
                    b.qmp('migrate-incoming', uri=uri)
                    a.qmp('migrate', uri=uri)
                    b.qmp.wait_event('RESUME')
                    self.assertEqual(b.read(1, devfn(slot), 0), TESTDEV)

    def test_where_it_cannot(self):
        with Machine(*port('rp', '4', 'hotplug=off')) as vm:
            with self.assertRaisesRegex(QmpError, "unsupported by the port device 'rp'"):
                vm.qmp('device_add', driver='pci-testdev', id='t', bus='rp')
            with self.assertRaisesRegex(QmpError, "Bus 'pcie.0' does not support hotplugging"):
                vm.qmp('device_add', driver='pci-testdev', id='t', bus='pcie.0')
            with self.assertRaisesRegex(QmpError, "Bus 'pcie.0' does not support hotplugging"):
                vm.qmp('device_del', id='rp')
        with Machine(*port('rp', '4', 'hotplug=off'), is_native=False) as vm:
            with self.assertRaisesRegex(QmpError, "Bus 'rp' does not support hotplugging"):
                vm.qmp('device_add', driver='pci-testdev', id='t', bus='rp')


class Errors(unittest.TestCase):
    def test_injection(self):
        with Machine(*SWITCH) as vm:
            number_switch(vm)
            vm.write(0, devfn(4), CONTROL, SERR, 2)
            vm.write(1, 0, CONTROL, SERR, 2)
            vm.write(2, 0, 0x98, 0xf, 2)
            vm.write(0, devfn(4), ROOT_COMMAND, 7)
            self.assertEqual(vm.qmp.hmp('pcie_aer_inject_error d0 COMP_TIME 1 2 3 4').strip(),
                             'OK id: d0 root bus: 0000:00, bus: 2 devfn: 0.0')
            self.assertEqual(vm.read(0, devfn(4), ROOT_STATUS), 0x24)
            self.assertEqual(vm.read(0, devfn(4), UNCOR_SOURCE, 2), 0x200)
            self.assertEqual(vm.read(2, 0, UNCOR_STATUS), 0x4000)
            self.assertEqual([vm.read(2, 0, HEADER_LOG + n, 1) for n in range(16)],
                             [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4])
            vm.write(0, devfn(4), ROOT_STATUS, 0x7f)
            vm.qmp.hmp('pcie_aer_inject_error -c d0 0x40')
            self.assertEqual(vm.read(0, devfn(4), ROOT_STATUS), 1)
            self.assertEqual(vm.read(2, 0, COR_STATUS), 0x40)
            self.assertEqual(vm.read(0, devfn(4), COR_SOURCE, 2), 0x200)

    def test_refused(self):
        with Machine(*SWITCH) as vm:
            for line, text in (
                    ('nope DLP', 'id or pci device path is invalid or device not found. nope'),
                    ('t0 DLP', "the device doesn't support pci express. t0"),
                    ('d0 dlp', 'invalid error status value. "dlp"'),
                    ('d0 0x3', 'failed to inject error: Invalid argument')):
                self.assertEqual(vm.qmp.hmp('pcie_aer_inject_error ' + line).strip(), text)


@unittest.skipUnless(PEER, 'the peer is not installed')
class Peer(unittest.TestCase):
    """What users and guests see of the same tree here and there."""
    ARGS = [*SWITCH, '-device', 'pxb-pcie,id=x,bus_nr=64,addr=5,bus=pcie.0',
            *port('xr', '0', 'bus=x', chassis=9),
            '-device', 'pci-bridge,id=c,chassis_nr=3,addr=6,bus=pcie.0',
            '-device', 'ioh3420,id=i,chassis=4,addr=7,bus=pcie.0',
            '-device', 'edu,id=e,bus=c,addr=2']

    def look(self, **kwargs):
        with Machine(*self.ARGS, **kwargs) as vm:
            number_switch(vm)
            vm.number(0, devfn(6), 6, 6)
            vm.number(64, 0, 65, 65)
            vm.write(0, devfn(4), BAR0, 0xfe200000)
            vm.write(0, devfn(4), IO_BASE, 0xd0c0, 2)
            vm.write(0, devfn(4), MEMORY_BASE, 0xfe10fe00)
            vm.write(0, devfn(4), PREF_BASE, 0xfdf1fd01)
            vm.write(0, devfn(4), PREF_BASE + 4, 8)
            vm.write(0, devfn(4), PREF_BASE + 8, 8)
            vm.write(0, devfn(4), COMMAND, 7, 2)
            roots = vm.qmp('query-pci')
            for root in roots:
                root['devices'] = [d for d in root['devices'] if d['qdev_id']]
            text = vm.qmp.hmp('info pci').replace('\r', '').split('  Bus ')
            spaces = {where: [vm.read(*where, at) for at in range(0, 0x160, 4)]
                      for where in ((0, devfn(4)), (1, 0), (2, 0), (3, 0), (64, 0), (0, devfn(5)),
                                    (0, devfn(6)), (0, devfn(7)), (6, devfn(2)))}
            return roots, [part for part in text if 'id ""' not in part], spaces

    def test_same(self):
        ours, theirs = self.look(), self.look(binary=PEER, accel='tcg')
        self.maxDiff = None
        self.assertEqual(ours[0], theirs[0])
        self.assertEqual(ours[1], theirs[1])
        # Links and slots with something in them say so here with any kind of hot-plug, and all ports
        # with a slot tell of their link; power management says that D3 keeps state.
        skipped = {(0, devfn(4)): (0x64, 0x6c), (2, 0): (0x9c, 0xa0, 0xa8), (3, 0): (0x88,),
                   (0, devfn(7)): (0x9c,)}
        for where, space in ours[2].items():
            for n, value in enumerate(space):
                if n * 4 not in skipped.get(where, ()):
                    self.assertEqual(value, theirs[2][where][n],
                                     f'{where[0]}:{where[1]:#x} register {n * 4:#x}')


if __name__ == '__main__':
    house.main()
