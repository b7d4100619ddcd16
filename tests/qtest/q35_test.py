# SPDX-License-Identifier: GPL-2.0-or-later
"""The Q35 board: MCH and the LPC bridge. Intel 3 Series and ICH9 data sheets."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from pci import Pci  # noqa: E402
from vm import Vm, refusal  # noqa: E402

MCH, LPC = 0x00, 0xf8
SMRAM, ESMRAMC, SMBASE, EXT_TSEG, PCIEXBAR = 0x9d, 0x9e, 0x9c, 0x50, 0x60
D_OPEN, D_LCK, G_SMRAME, T_EN = 0x40, 0x10, 0x08, 0x01
MIB = 1 << 20


def machine(*args, version='q35'):
    return Vm(house.binary(), '-M', version, '-nodefaults', '-m', '128', *args, qtest=True)


def byte(vm, addr):
    return int(vm.qtest(f'readb {addr:#x}'), 16)


def put(vm, addr, value):
    vm.qtest(f'writeb {addr:#x} {value:#x}')


def reset(vm):
    vm.qmp('system_reset')
    vm.qmp.wait_event('RESET')


class Q35(unittest.TestCase):
    def test_identity(self):
        with machine() as vm:
            pci = Pci(vm)
            self.assertEqual(pci.read(MCH, 0), 0x29c08086)
            self.assertEqual(pci.read(MCH, PCIEXBAR), 0xb0000000)
            self.assertEqual(pci.read(MCH, SMRAM, 1), 0x02)
            self.assertEqual(pci.read(MCH, ESMRAMC, 1), 0x38)
            self.assertEqual(pci.read(LPC, 0), 0x29188086)
            self.assertEqual(pci.read(LPC, 8), 0x06010002)
            self.assertEqual(pci.read(LPC, 0xe, 1), 0x80)
            for at in (0x60, 0x68):
                self.assertEqual(pci.read(LPC, at), 0x80808080)

    def test_smram_lock(self):
        with machine() as vm:
            pci = Pci(vm)
            pci.write(MCH, SMRAM, 0x02 | D_OPEN, 1)
            self.assertTrue(pci.read(MCH, SMRAM, 1) & D_OPEN)
            pci.write(MCH, SMRAM, 0x02 | D_OPEN | D_LCK | G_SMRAME, 1)
            self.assertEqual(pci.read(MCH, SMRAM, 1), 0x02 | D_LCK | G_SMRAME)
            pci.write(MCH, SMRAM, 0x02 | D_OPEN, 1)
            self.assertEqual(pci.read(MCH, SMRAM, 1), 0x02 | D_LCK | G_SMRAME)
            pci.write(MCH, ESMRAMC, 0xff, 1)
            self.assertEqual(pci.read(MCH, ESMRAMC, 1), 0x38)
            reset(vm)
            pci.write(MCH, SMRAM, 0x02 | D_OPEN, 1)
            self.assertTrue(pci.read(MCH, SMRAM, 1) & D_OPEN)

    def test_tseg(self):
        """Above RAM that is left, TSEG is nobody's outside SMM."""
        cases = [(0, 16, 1), (1, 16, 2), (2, 16, 8), (3, 16, 16), (3, 5, 5)]
        for code, extended, mib in cases:
            with self.subTest(code=code, mib=mib), \
                    machine('-global', f'mch.extended-tseg-mbytes={extended}') as vm:
                pci = Pci(vm)
                base = 128 * MIB - mib * MIB
                for addr in (base - 1, base, 128 * MIB - 1):
                    put(vm, addr, 0x5a)
                pci.write(MCH, EXT_TSEG, 0xffff, 2)
                self.assertEqual(pci.read(MCH, EXT_TSEG, 2), extended)
                pci.write(MCH, ESMRAMC, 0x38 | code << 1 | T_EN, 1)
                pci.write(MCH, SMRAM, 0x02 | D_LCK | G_SMRAME, 1)
                self.assertEqual(byte(vm, base - 1), 0x5a)
                for addr in (base, 128 * MIB - 1):
                    self.assertEqual(byte(vm, addr), 0xff)
                    put(vm, addr, 0x11)
                reset(vm)
                self.assertEqual(byte(vm, base), 0x5a)
        with machine('-global', 'mch.extended-tseg-mbytes=0') as vm:
            Pci(vm).write(MCH, EXT_TSEG, 0xffff, 2)
            self.assertEqual(Pci(vm).read(MCH, EXT_TSEG, 2), 0xffff)
        self.assertIn('invalid extended-tseg-mbytes value: 4096',
                      refusal(house.binary(), '-M', 'q35', '-global',
                              'mch.extended-tseg-mbytes=4096'))

    def test_smbase(self):
        """Asked for, answered, locked: 0x30000 is SMRAM until a reset."""
        with machine() as vm:
            pci = Pci(vm)
            self.assertEqual(pci.read(MCH, SMBASE, 1), 0)
            for value in (0x80, 0x02, 0x01):
                pci.write(MCH, SMBASE, value, 1)
                self.assertEqual(pci.read(MCH, SMBASE, 1), 0)
            pci.write(MCH, SMBASE, 0xff, 1)
            self.assertEqual(pci.read(MCH, SMBASE, 1), 1)
            for value in (0x00, 0xf0, 0x01):
                pci.write(MCH, SMBASE, value, 1)
                self.assertEqual(pci.read(MCH, SMBASE, 1), 1)
            put(vm, 0x30000, 0x42)
            self.assertEqual(byte(vm, 0x30000), 0x42)
            pci.write(MCH, SMBASE, 0x02, 1)
            self.assertEqual(pci.read(MCH, SMBASE, 1), 2)
            for addr in (0x30000, 0x4ffff):
                self.assertEqual(byte(vm, addr), 0xff)
                put(vm, addr, 0x11)
            for value in (0x00, 0x01, 0xff):
                pci.write(MCH, SMBASE, value, 1)
                self.assertEqual(pci.read(MCH, SMBASE, 1), 2)
            reset(vm)
            self.assertEqual(pci.read(MCH, SMBASE, 1), 0)
            self.assertEqual(byte(vm, 0x30000), 0x42)
        with machine('-global', 'mch.smbase-smram=off') as vm:
            pci = Pci(vm)
            for value in (0xff, 0x02, 0x33):
                pci.write(MCH, SMBASE, value, 1)
                self.assertEqual(pci.read(MCH, SMBASE, 1), value)
            self.assertEqual(byte(vm, 0x30000), 0)

    def test_ecam(self):
        """PCIEXBAR shows what the ports show, at any base and length; off, it is gone."""
        with machine() as vm:
            pci = Pci(vm)
            lpc = LPC << 12
            for base, code in ((0xb0000000, 0), (0xe0000000, 1), (0xd0000000, 2)):
                pci.write(MCH, PCIEXBAR, base | code << 1 | 1)
                self.assertEqual(int(vm.qtest(f'readl {base + lpc:#x}'), 16), 0x29188086)
                end = base + (256 * MIB >> code)
                self.assertEqual(int(vm.qtest(f'readl {end - 4:#x}'), 16), 0xffffffff)
            vm.qtest(f'writeb {0xd0000000 + lpc + 0x60:#x} 0x0b')
            self.assertEqual(pci.read(LPC, 0x60, 1), 0x0b)
            vm.qtest(f'writel {0xd0000000 + PCIEXBAR:#x} 0')
            self.assertEqual(int(vm.qtest(f'readl {0xd0000000 + lpc:#x}'), 16), 0)

    def test_root_complex(self):
        with machine() as vm:
            pci = Pci(vm)
            pci.write(LPC, 0xf0, 0xfed1c001)
            self.assertEqual(pci.read(LPC, 0xf0), 0xfed1c001)
            self.assertEqual(int(vm.qtest('readw 0xfed1f140'), 16), 0x3210)
            vm.qtest('writew 0xfed1f140 0x0123')
            self.assertEqual(int(vm.qtest('readw 0xfed1f140'), 16), 0x0123)
            pci.write(LPC, 0xf0, 0xfed1c000)
            self.assertEqual(int(vm.qtest('readl 0xfed1f140'), 16), 0)
            reset(vm)
            self.assertEqual(pci.read(LPC, 0xf0), 0)

    def test_strap(self):
        """GCS.NO_REBOOT is a strap; until 7.2 it was set."""
        for version, args, value in (('q35', [], 0), ('pc-q35-7.2', [], 0x20),
                                     ('q35', ['-global', 'ICH9-LPC.noreboot=on'], 0x20),
                                     ('pc-q35-7.2', ['-global', 'ICH9-LPC.noreboot=off'], 0)):
            with self.subTest(version=version, args=args), machine(*args, version=version) as vm:
                Pci(vm).write(LPC, 0xf0, 0xfed1c001)
                self.assertEqual(int(vm.qtest('readl 0xfed1f410'), 16), value)

    def test_powerdown(self):
        """The button sets PWRBTN_STS, which is the SCI: IRQ 9, or where ACPI_CNTL says."""
        for select, gsi in ((0, 9), (4, 20)):
            with self.subTest(gsi=gsi), machine() as vm:
                pci = Pci(vm)
                pci.write(LPC, 0x40, 0x0600)
                pci.write(LPC, 0x44, 0x80 | select, 1)
                vm.qtest('irq_intercept_in ioapic')
                vm.qtest('outw 0x602 0x0100')
                vm.qtest('outw 0x604 0x0001')
                vm.qmp('system_powerdown')
                vm.qmp.wait_event('POWERDOWN')
                self.assertEqual(int(vm.qtest('inw 0x600'), 16) & 0x0100, 0x0100)
                self.assertTrue(vm.irqs[gsi])
                vm.qtest('outw 0x600 0x0100')
                self.assertFalse(vm.irqs[gsi])

    def test_pmbase(self):
        with machine() as vm:
            pci = Pci(vm)
            self.assertEqual(pci.read(LPC, 0x40), 1)
            pci.write(LPC, 0x40, 0xffffffff)
            self.assertEqual(pci.read(LPC, 0x40), 0xff81)
            pci.write(LPC, 0x40, 0x0600)
            self.assertEqual(int(vm.qtest('inl 0x608'), 16), 0xffffffff)
            pci.write(LPC, 0x44, 0x80, 1)
            vm.qtest('clock_step 1000000000')
            self.assertEqual(int(vm.qtest('inl 0x608'), 16), 3579545)

    def test_sleep(self):
        """Waking is a reset; what firmware that wakes a guest does not set again is as it was, until a real reset."""
        with machine() as vm:
            pci = Pci(vm)
            pci.write(LPC, 0x40, 0x601)
            pci.write(LPC, 0x44, 0x80, 1)
            pci.write(LPC, 0x60, 0x0b0b0b0b)
            for n in range(7):
                pci.write(MCH, 0x90 + n, 0x33 if n else 0x30, 1)
            put(vm, 0x100000, 0x5a)
            for ecam in (0xc0000001, 0xd0000001):
                pci.write(MCH, PCIEXBAR, ecam)
                pci.write(MCH, PCIEXBAR, 0)  # as SeaBIOS leaves it
                vm.qtest('outw 0x604 0x2400')
                vm.qmp.wait_event('SUSPEND')
                vm.qmp('system_wakeup')
                vm.qmp.wait_event('WAKEUP')
                vm.qtest('outb 0x70 0x0f')
                self.assertEqual(int(vm.qtest('inb 0x71'), 16), 0xfe)
                self.assertEqual(pci.read(MCH, PCIEXBAR), ecam)
                self.assertEqual([pci.read(MCH, 0x90 + n, 1) for n in range(7)], [0x30] + [0x33] * 6)
                self.assertEqual((pci.read(LPC, 0x40), pci.read(LPC, 0x44, 1)), (0x601, 0x80))
                self.assertEqual(int(vm.qtest('inw 0x600'), 16), 0x8000 | 0x100)  # woken, by the power button
                self.assertEqual(pci.read(LPC, 0x60), 0x80808080)
                self.assertEqual(byte(vm, 0x100000), 0x5a)
            reset(vm)
            self.assertEqual([pci.read(MCH, 0x90 + n, 1) for n in range(7)], [0] * 7)
            self.assertEqual(pci.read(MCH, PCIEXBAR), 0xb0000000)
            self.assertEqual((pci.read(LPC, 0x40), pci.read(LPC, 0x44, 1)), (1, 0))

    def test_smi_features(self):
        """Firmware asks, and looks whether it got it; no feature of hot-plug without broadcast."""
        for args, supported in (([], 7), (['-global', 'ICH9-LPC.x-smi-cpu-hotplug=off'], 5)):
            with self.subTest(args=args), machine(*args) as vm:
                cfg = FwCfg(vm)
                self.assertEqual(cfg.file('etc/smi/supported-features'),
                                 supported.to_bytes(8, 'little'))
                for wanted, is_ok in ((8, 0), (4, 0), (5, 1)):
                    cfg.write('etc/smi/requested-features', wanted.to_bytes(8, 'little'))
                    self.assertEqual(cfg.file('etc/smi/features-ok'), bytes([is_ok]))
                lpc = next(f'/machine/unattached/{child["name"]}'
                           for child in vm.qmp('qom-list', path='/machine/unattached')
                           if child['type'] == 'child<ICH9-LPC>')
                self.assertEqual(vm.qmp('qom-get', path=lpc,
                                        property='x-smi-negotiated-features'), 5)
                reset(vm)
                self.assertEqual(cfg.file('etc/smi/features-ok'), bytes([1]))
                self.assertEqual(vm.qmp('qom-get', path=lpc,
                                        property='x-smi-negotiated-features'), 0)
        with machine(version='q35,smm=off') as vm:
            self.assertNotIn('etc/smi/features-ok', FwCfg(vm).files())

    def test_smi_timers(self):
        """One that fires once for each time it is enabled, and one that goes on."""
        swsmi, periodic = 1 << 6, 1 << 14
        with machine() as vm:
            pci = Pci(vm)
            pci.write(LPC, 0x40, 0x600)
            pci.write(LPC, 0x44, 0x80, 1)

            def status_after(nanoseconds):
                vm.qtest(f'clock_step {nanoseconds}')
                found = int(vm.qtest('inl 0x634'), 16)
                vm.qtest('outl 0x634 0xffffffff')
                return found

            for rate, microseconds in enumerate((1500, 16000, 32000, 64000)):
                pci.write(LPC, 0xa4, rate << 6, 1)
                vm.qtest(f'outl 0x630 {swsmi:#x}')
                self.assertEqual(int(vm.qtest('inl 0x630'), 16), swsmi | 2)
                self.assertEqual(status_after(microseconds * 1000 - 1), 0)
                self.assertEqual(status_after(1), swsmi)
                self.assertEqual(status_after(10**9), 0)
                vm.qtest('outl 0x630 0')
            for rate, seconds in enumerate((64, 32, 16, 8)):
                pci.write(LPC, 0xa0, rate, 1)
                vm.qtest(f'outl 0x630 {periodic:#x}')
                for _ in range(2):
                    self.assertEqual(status_after(seconds * 10**9 - 1), 0)
                    self.assertEqual(status_after(1), periodic)
                vm.qtest('outl 0x630 0')
                self.assertEqual(status_after(100 * 10**9), 0)
            vm.qtest(f'outl 0x630 {swsmi | periodic:#x}')
            reset(vm)
            pci.write(LPC, 0x40, 0x600)
            pci.write(LPC, 0x44, 0x80, 1)
            self.assertEqual(status_after(100 * 10**9), 0)

    def test_reset_port(self):
        with machine() as vm:
            vm.qtest('outb 0xcf9 0x0a')
            self.assertEqual(int(vm.qtest('inb 0xcf9'), 16), 0x0a)
            vm.qtest('outb 0xcf9 0x0e')
            self.assertEqual(vm.qmp.wait_event('RESET')['data']['reason'], 'guest-reset')


if __name__ == '__main__':
    house.main()
