# SPDX-License-Identifier: GPL-2.0-or-later
"""intel-dsa without an operating system: configuration space, registers, commands, portals, how errors are
told. Numbers of the specification are spelled out, so that they are checked, not repeated."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import dsa  # noqa: E402
import house  # noqa: E402
from dsa import (BATCH, CHECK, COMPARE, COPY_CRC, CRA, CRAV, CRC, DEDICATED, DST,  # noqa: E402
                 DUALCAST, FENCE, FILL, LIST, MOVE, NOOP, RCI, RCR, SRC, Dsa, Setup, descriptor,
                 machine)
from vm import Vm, refusal  # noqa: E402

SHARED = {'mode': dsa.MODE_PASID, 'threshold': 8}
CAPABILITIES = {'pri': (0x13, 0x240), 'ats': (0xf, 0x220), 'pasid': (0x1b, 0x230)}


class Configuration(Setup):
    def chain(self):
        found, at = {}, 0x100
        while at:
            head = self.dsa.express(at, 4)
            found[head & 0xffff] = at
            at = head >> 20
        return found

    def test_header(self):
        for wqs, size in ((1, 0x4000), (8, 0x20000), (9, 0x40000)):
            with self.subTest(wqs), machine(f'wqs={wqs}') as vm:
                device = Dsa(vm)
                for reg, wide, value in ((0, 4, 0x0b258086), (6, 2, 0x10), (8, 4, 0x08800000), (0xe, 1, 0),
                                         (0x2c, 4, 0x8086), (0x34, 1, 0x40), (0x3c, 2, 0)):
                    self.hexes(device.pci.read(dsa.SLOT, reg, wide), value, hex(reg))
                device.pci.write(dsa.SLOT, 4, 0, 2)
                for bar, want in ((0x10, 0x10000), (0x18, size)):
                    device.pci.write(dsa.SLOT, bar, 0xffffffff)
                    device.pci.write(dsa.SLOT, bar + 4, 0xffffffff)
                    low = device.pci.read(dsa.SLOT, bar)
                    self.assertEqual(low & 0xf, 0xc)
                    whole = low & ~0xf | device.pci.read(dsa.SLOT, bar + 4) << 32
                    self.hexes((1 << 64) - whole, want)
                device.pci.write(dsa.SLOT, 4, 0xffff, 2)
                self.hexes(device.pci.read(dsa.SLOT, 4, 2), 0x146)
                self.hexes(device.pci.read(dsa.SLOT, 0x82, 2), wqs)

    def test_capabilities(self):
        self.start()
        self.assertEqual(self.chain(), {1: 0x100, 0x18: 0x150, 2: 0x170, 0xf: 0x220, 0x1b: 0x230,
                                        0x13: 0x240})
        for reg, size, value in ((0x42, 2, 0x92), (0x44, 4, 0x10008022), (0x48, 2, 0x2910),
                                 (0x64, 4, 0x10730810), (0x80, 1, 0x11), (0x84, 4, 0x2000),
                                 (0x88, 4, 0x3000), (0x90, 1, 1), (0x224, 2, 0x60), (0x226, 2, 0),
                                 (0x234, 2, 0x1404), (0x236, 2, 0), (0x244, 2, 0), (0x246, 2, 0x8100),
                                 (0x248, 4, 0x200), (0x24c, 4, 0)):
            self.hexes(self.dsa.express(reg, size), value, hex(reg))
        for reg, size, mask in ((0x226, 2, 0x801f), (0x236, 2, 5), (0x24c, 4, 0xffffffff), (0x244, 2, 1)):
            self.dsa.set_express(reg, 0xffffffff >> 32 - 8 * size, size)
            self.hexes(self.dsa.express(reg, size), mask, hex(reg))

    def test_without(self):
        for options, gone in (('pri=off', {'pri'}), ('pri=off,ats=off', {'pri', 'ats'}),
                              ('pri=off,pasid-bits=0', {'pri', 'pasid'})):
            with self.subTest(options), machine(options) as vm:
                self.dsa = Dsa(vm)
                there = self.chain()
                for name, (number, _) in CAPABILITIES.items():
                    self.assertEqual(number in there, name not in gone, name)
        with machine('pasid-bits=8') as vm:
            self.hexes(Dsa(vm).express(0x234), 0x804)

    def test_refusals(self):
        for options, why in (('ats=off', 'pri=on'), ('pasid-bits=0', 'pri=on'), ('wqs=64', 'wqs'),
                             ('wqs=0', 'wqs'), ('engines=30', 'read-buffers'), ('opcap=0x400', 'opcap'),
                             ('max-xfer-shift=32', 'max-xfer-shift'), ('groups=9', 'groups')):
            with self.subTest(options):
                self.assertIn(why, refusal(house.binary(), '-M', 'q35', '-device', 'intel-dsa,' + options))
        self.assertIn('PCI', refusal(house.binary(), '-M', 'pc', '-device', 'intel-dsa'))

    def test_below_a_port(self):
        with Vm(house.binary(), '-M', 'q35', '-nodefaults', '-device', 'pcie-root-port,id=p,chassis=1,addr=6',
                '-device', 'intel-dsa,bus=p', qtest=True) as vm:
            d = Dsa(vm)
            d.pci.write(6 << 3, 0x18, 0x010100)
            self.hexes(d.pci.read(0, 0x42, 2, bus=1), 0x2)


class Registers(Setup):
    def test_capabilities(self):
        for options, changes in (
                ('', {}), ('event-log=off', {dsa.GENCAP: 0x815f0107}),
                ('wqs=63,engines=24,groups=8', {dsa.WQCAP: 0x003b0000003f0080, dsa.ENGCAP: 24,
                                                dsa.GRPCAP: 0x36008}),
                ('wq-size=65535', {dsa.WQCAP: 0x003b00000008ffff}),
                ('read-buffers=0', {dsa.GRPCAP: 4}),
                ('wq-opcfg=on,wq-ats-control=on', {dsa.WQCAP: 0x007f000001080080}),
                ('int-handles=on', {dsa.GENCAP: 0x815f2117, dsa.CMDCAP: 0x7ffe}),
                ('max-xfer-shift=12,max-batch-shift=1', {dsa.GENCAP: 0x802c2107}),
                ('configurable=off', {dsa.GENCAP: 0x015f2107}),
                ('opcap=0x3f', {dsa.OPCAP: 0x3f})):
            wanted = {dsa.VERSION: 0x100, dsa.GENCAP: 0x815f2107, dsa.WQCAP: 0x003b000000080080,
                      dsa.GRPCAP: 0x36004, dsa.ENGCAP: 4, dsa.OPCAP: 0x1003f03ff, dsa.OPCAP + 8: 0,
                      dsa.OFFSETS: 0x400080006, dsa.OFFSETS + 8: 0, dsa.CMDCAP: 0, 8: 0, 0x100: 0,
                      0x108: 0, 0x180: 0, 0xe000: 0, 0xfff8: 0, **changes}
            with self.subTest(options), machine(options) as vm:
                d = Dsa(vm)
                for at, value in wanted.items():
                    self.hexes(d.get(at, 8), value, hex(at))
                    data = struct.pack('<Q', value)
                    for size in (1, 2, 4):
                        for part in range(0, 8, size):
                            self.hexes(d.get(at + part, size), int.from_bytes(data[part:part + size],
                                                                              'little'), hex(at))

    def test_reset_values(self):
        self.start()
        d = self.dsa

        def dump():
            return {at: d.get(at, 8) for at in [*range(0, 0x180, 8), *range(0x400, 0x1000, 8)]}

        fresh = dump()
        self.hexes(fresh[dsa.GENCFG], 96)
        self.hexes(fresh[dsa.GRPCFG + 40], 96 << 20)
        for how in ('command', 'flr', 'machine'):
            with self.subTest(how):
                d.enable_interrupts(2)
                d.put(dsa.GENCTRL, 7)
                d.put(dsa.MSIXPERM + 8, 0xffffffff)
                d.put(dsa.CMD, 31 << 20)  # an error, kept in CMDSTATUS
                d.start(({'threshold': 3},))
                d.submit(bytes(64), wq=0)
                d.run()
                d.command(31)
                if how == 'command':
                    self.assertEqual(d.command(dsa.RESET), 0)
                elif how == 'flr':
                    d.set_express(0x48, d.express(0x48) | 0x8000)
                    self.hexes(d.express(0x48), 0x2910)
                    self.hexes(d.pci.read(dsa.SLOT, 4, 2), 0)
                else:
                    self.vm.qmp('system_reset')
                    self.vm.qmp.wait_event('RESET')
                if how != 'command':
                    d = self.dsa = Dsa(self.vm)
                self.assertEqual({hex(a): hex(v) for a, v in dump().items() if v != fresh[a]}, {})
                self.assertEqual(d.get(dsa.TABLE + 12), 0 if how == 'command' else 1)

    def test_kept_by_command(self):
        """CMDSTATUS, SWERROR and EVLSTATUS outlive Reset Device, and nothing else."""
        self.start()
        d = self.dsa
        d.start()
        d.put(dsa.EVLSTATUS, 5)
        d.submit(descriptor(NOOP, flags=1))  # no CRAV: told by SWERROR
        d.run()
        error = d.errors()
        self.assertEqual(error[0] & 1, 1)
        d.command(dsa.RESET)
        self.assertEqual(d.errors(), error)
        self.assertEqual(d.get(dsa.EVLSTATUS), 5)
        d.set_express(0x48, d.express(0x48) | 0x8000)
        d = Dsa(self.vm)
        self.assertEqual((d.errors(), d.get(dsa.EVLSTATUS)), ([0, 0, 0, 0], 0))

    def test_masks(self):
        self.start('wq-opcfg=on,wq-ats-control=on')
        d = self.dsa
        for at, mask in ((dsa.GENCFG, 0x30ff), (dsa.GENCTRL, 7), (dsa.GENSTS, 0), (dsa.CMDSTATUS, 0),
                         (dsa.EVLCFG, 0xfffff003), (dsa.EVLCFG + 12, 0xf), (dsa.EVLSTATUS, 0xffff),
                         (dsa.EVLSTATUS + 4, 0), (dsa.MSIXPERM, 0xfffff00c), (dsa.MSIXPERM + 4, 0),
                         (dsa.WQCFG, 0xffff), (dsa.WQCFG + 4, 0xffff), (dsa.WQCFG + 8, 0x3ffffff7),
                         (dsa.WQCFG + 12, 0x1ff), (dsa.WQCFG + 16, 0x1ffff), (dsa.WQCFG + 20, 0x1ffff),
                         (dsa.WQCFG + 24, 0), (dsa.WQCFG + 28, 0), (dsa.WQCFG + 32, 0xffffffff)):
            d.put(at, 0xffffffff)
            self.hexes(d.get(at), mask, hex(at))
        d.put(dsa.WQCFG + 20, 0x5)  # the limit stands while the enable bit does
        self.hexes(d.get(dsa.WQCFG + 20), 0xffff)
        d.put(dsa.GENCFG, 0, 1)  # a part of a register
        self.hexes(d.get(dsa.GENCFG), 0x3000)

    def test_read_only_while_enabled(self):
        """Linux writes all of the tables again and again."""
        self.start()
        d = self.dsa
        d.start(({'threshold': 3}, SHARED | {'mode': DEDICATED}))
        before = [d.get(at) for at in range(0x600, 0x900, 4)]
        for at in range(0x600, 0x900, 4):
            if at not in (dsa.WQCFG + 20, dsa.WQCFG + 52) and not at & 0x1c == 20 | at < 0x800:
                d.put(at, 0xffffffff)
        d.put(dsa.GENCFG, 0)
        d.put(dsa.EVLCFG, 0xffffffffffffffff, 8)
        self.hexes(d.get(dsa.GENCFG), 96)
        self.hexes(d.get(dsa.EVLCFG, 8), 0)
        after = [d.get(at) for at in range(0x600, 0x900, 4)]
        changed = [0x600 + 4 * n for n, (a, b) in enumerate(zip(before, after)) if a != b]
        # Thresholds, and what belongs to WQs that are disabled.
        for at in changed:
            wq, dword = divmod(at - dsa.WQCFG, 32)
            self.assertTrue(dword == 4 or dword == 20 or (wq >= 2 and dword), hex(at))
        self.hexes(d.wqcfg(0, 1), 0xffff)
        self.hexes(d.wqcfg(0, 0), 16)


class Commands(Setup):
    def test_codes(self):
        self.start()
        d = self.dsa
        for code, operand, error in ((0, 0, 1), (13, 0, 1), (31, 0, 1), (dsa.ENABLE, 1, 4),
                                     (dsa.ENABLE_WQ, 0x100, 4), (dsa.DISABLE, 0, 0x31),
                                     (dsa.ENABLE_WQ, 0, 0x20), (dsa.DISABLE_WQ, 1, 0x32),
                                     (dsa.DRAIN_WQ, 1, 0x32), (dsa.ABORT_WQ, 1, 0x32),
                                     (dsa.DISABLE_WQ, 0x100, 2), (dsa.DRAIN_WQ, 0x40001, 2),
                                     (dsa.DRAIN, 0, 0), (dsa.ABORT, 0, 0), (dsa.DRAIN_PASID, 5, 0),
                                     (dsa.ABORT_PASID, 5, 0), (dsa.RESET_WQ, 1, 0), (dsa.RESET, 0, 0)):
            self.hexes(d.command(code, operand), error, (code, operand))
        self.hexes(d.command(dsa.RESET, 0, 1 << 25), 4)
        self.assertEqual(d.get(dsa.CMD), 0)
        d.start()
        self.hexes(d.command(dsa.ENABLE), 0x10)
        self.hexes(d.command(dsa.ENABLE_WQ, 0), 0x21)
        self.hexes(d.command(dsa.ENABLE_WQ, 8), 2)
        self.assertEqual((d.state, d.wq_state(0)), (1, 1))
        self.assertEqual(d.command(dsa.DISABLE_WQ, 1), 0)
        self.assertEqual(d.wq_state(0), 0)
        self.assertEqual(d.wqcfg(0, 0), 16)
        self.assertEqual(d.command(dsa.RESET_WQ, 1), 0)
        self.assertEqual([d.wqcfg(0, n) for n in range(8)], [16, 0, 0, 0, 0, 0, 0, 0])
        self.assertEqual(d.command(dsa.DISABLE), 0)
        self.assertEqual(d.state, 0)

    def test_device_errors(self):
        """Each by one wrong setting."""
        def bad(d, error, *writes):
            d.command(dsa.RESET)
            d.group(0, 1, 1)
            d.configure_wq(0)
            for at, value in writes:
                d.put(at, value, 8 if isinstance(at, int) and at >= 0x600 and at < 0x800 else 4)
            self.hexes(d.command(dsa.ENABLE), error, writes)
            self.assertEqual(d.state, 0 if error else 1)

        self.start()
        d, group = self.dsa, dsa.GRPCFG
        bad(d, 0)
        d.command(dsa.RESET)
        d.pci.write(dsa.SLOT, 4, 2, 2)
        bad(d, 0x12)
        d.pci.write(dsa.SLOT, 4, 6, 2)
        d.set_express(0x226, 0x8000)  # nobody translates
        bad(d, 0x1a)
        d.command(dsa.RESET)
        d.set_express(0x226, 0)
        bad(d, 0x14, (dsa.WQCFG, 129))
        bad(d, 0x15, (group, 0))
        bad(d, 0x15, (group + 32, 0))
        bad(d, 0x15, (group + 4 * 64 + 40, 1))
        bad(d, 0x16, (group + 64, 1), (group + 64 + 32, 2))
        bad(d, 0x16, (dsa.WQCFG + 32, 1))
        bad(d, 0x16, (group, 3))
        bad(d, 0x16, (group, 0x101))
        bad(d, 0x16, (group + 8, 1))
        bad(d, 0x17, (group + 32, 0x11))
        bad(d, 0x17, (group + 64, 2), (group + 64 + 32, 1), (dsa.WQCFG + 32, 1))
        bad(d, 0x18, (group + 40, 3 << 20))
        bad(d, 0x18, (group + 40, 97 << 20))
        bad(d, 0x18, (group + 40, 96 << 20 | 97 << 8))
        bad(d, 0x18, (group + 40, 96 << 20 | 1 << 7), (dsa.GENCFG, 3))
        bad(d, 0, (group + 40, 4 << 20 | 4 << 8))
        bad(d, 0x11, (group + 40, 96 << 20 | 1 << 6))
        bad(d, 0x19, (dsa.GENCFG, 0x2060), (dsa.EVLCFG + 8, 63))
        bad(d, 0x19, (dsa.GENCFG, 0x2060), (dsa.EVLCFG + 8, 64), (dsa.EVLCFG, 0xfffff000),
            (dsa.EVLCFG + 4, 0xffffffff), (dsa.EVLCFG + 8, 65))
        bad(d, 0x1b, (dsa.GENCFG, 0x2060), (dsa.EVLCFG + 8, 64), (dsa.EVLCFG, 1))
        bad(d, 0, (dsa.GENCFG, 0x2060), (dsa.EVLCFG + 8, 64))
        d.command(dsa.RESET)
        d.set_express(0x244, 1)
        bad(d, 0x13)
        d.set_express(0x24c, 16, 4)
        bad(d, 0)

    def test_wq_errors(self):
        self.start('wq-opcfg=on,opcap=0x3f')
        d = self.dsa

        def bad(error, *writes, pasid=0):
            d.command(dsa.RESET)
            d.set_express(0x236, pasid)
            d.group(0, 1, 1)
            for dword, value in ((0, 16), (2, DEDICATED | 0xa0), (3, 21 | 5 << 5), *writes):
                d.wqcfg(0, dword, value)
            self.hexes(d.command(dsa.ENABLE), 0)
            self.hexes(d.command(dsa.ENABLE_WQ, 0), error, writes)

        bad(0)
        bad(0x23, (2, DEDICATED))
        bad(0x25, (2, DEDICATED | 0xa2))
        bad(0x26, (2, 0xa0))
        bad(0x26, (2, DEDICATED | 0xa0 | dsa.MODE_PASID))
        bad(0, (2, DEDICATED | 0xa0 | dsa.MODE_PASID), pasid=1)
        bad(0, (2, 0xa0 | dsa.MODE_PASID), pasid=1)
        bad(0x2a, (2, DEDICATED | 0xa0 | dsa.MODE_PASID | dsa.MODE_PRIV), pasid=1)
        bad(0, (2, DEDICATED | 0xa0 | dsa.MODE_PASID | dsa.MODE_PRIV), pasid=5)
        bad(0x27, (3, 21))
        bad(0x27, (3, 21 | 11 << 5))
        bad(0, (3, 31 | 10 << 5))
        bad(0x2b, (4, 9), (5, 0x10000))
        bad(0x2b, (4, 0x10001), (5, 0x10000))
        bad(0x2d, (8, 0x7f))
        bad(0x2d, (10, 1))
        d.command(dsa.RESET)
        d.set_express(0x236, 0)
        d.group(0, 2, 1)
        d.wqcfg(1, 0, 16, stride=64)
        d.command(dsa.ENABLE)
        self.hexes(d.command(dsa.ENABLE_WQ, 0), 0x22)

    def test_interrupts_and_waiting(self):
        self.start()
        d = self.dsa
        d.enable_interrupts(9)
        self.assertEqual(d.command(dsa.RESET), 0)
        self.assertFalse(d.take_interrupt(0))
        d.command(dsa.RESET, 0, 1 << 31)
        self.assertTrue(d.take_interrupt(0))
        self.assertEqual(d.get(dsa.INTCAUSE), 2)
        d.put(dsa.INTCAUSE, 1)
        self.assertEqual(d.get(dsa.INTCAUSE), 2)
        d.put(dsa.INTCAUSE, 2)
        d.start()
        d.submit(descriptor(NOOP, cra=CRA))
        self.hexes(d.command(dsa.DRAIN, 0, 1 << 31), 1 << 31)
        self.assertFalse(d.take_interrupt(0))
        d.command(dsa.RESET)  # one at a time
        self.assertEqual(d.take_error()[0], 0x52)
        self.assertEqual(d.state, 1)
        d.run()
        self.assertEqual(d.get(dsa.CMDSTATUS), 0)
        self.assertTrue(d.take_interrupt(0))
        self.assertEqual(d.record(CRA).status, 1)

    def test_stopping(self):
        """Disabled when what was accepted is done; nothing is accepted meanwhile."""
        for code, operand in ((dsa.DISABLE, 0), (dsa.DISABLE_WQ, 1)):
            self.start()
            d = self.dsa
            d.start()
            d.submit(descriptor(MOVE, cra=CRA, a=SRC, b=DST, size=1 << 20))
            d.run(2 * dsa.STEP)
            self.assertEqual(d.express(0x4a) & 0x20, 0x20)
            self.hexes(d.command(code, operand), 1 << 31)
            self.assertEqual(d.wq_state(0), 2)
            if code == dsa.DISABLE:
                self.assertEqual(d.state, 2)
            d.submit(descriptor(NOOP, cra=CRA + 32))
            d.run()
            self.assertEqual(d.get(dsa.CMDSTATUS), 0)
            self.assertEqual(d.wq_state(0), 0)
            self.assertEqual(d.express(0x4a) & 0x20, 0)
            self.assertEqual((d.record(CRA).status, d.record(CRA + 32).status), (1, 0))

    def test_aborting(self):
        """Nothing is written after the command."""
        for code, operand in ((dsa.ABORT, 0), (dsa.RESET, 0), (dsa.ABORT_WQ, 1), (dsa.RESET_WQ, 1)):
            self.start()
            d = self.dsa
            d.start(engines=1)
            for n in range(3):
                d.submit(descriptor(FILL, cra=CRA + 32 * n, a=0x1111111111111111, b=DST, size=1 << 21))
            d.run(3 * dsa.STEP)
            self.assertEqual(d.command(code, operand), 0)
            d.store(DST, bytes(1 << 16))
            self.assertEqual(d.occupancy(0), 0)
            d.run(1000 * dsa.STEP)
            self.assertEqual(d.load(DST, 1 << 16), bytes(1 << 16))
            self.assertEqual(d.record(CRA).status | d.record(CRA + 64).status, 0)

    def test_drains_wait_for_their_own(self):
        self.start()
        d = self.dsa
        d.set_express(0x236, 1)
        big = {'a': SRC, 'b': DST, 'size': 1 << 20}
        d.start(({}, SHARED))
        d.submit(descriptor(MOVE, cra=CRA, **big))
        self.assertEqual(d.command(dsa.DRAIN_WQ, 2), 0)
        self.assertEqual(d.command(dsa.DRAIN_PASID, 7), 0)
        self.hexes(d.command(dsa.DRAIN_WQ, 1), 1 << 31)
        d.run()
        self.assertEqual(d.get(dsa.CMDSTATUS), 0)

    def test_handles(self):
        self.start('int-handles=on')
        d = self.dsa
        self.hexes(d.command(dsa.REQUEST_HANDLE, 9), 0x41)
        self.hexes(d.command(dsa.REQUEST_HANDLE, 0x10001), 0x41)
        self.hexes(d.command(dsa.RELEASE_HANDLE, 3), 0x41)
        self.hexes(d.command(dsa.REQUEST_HANDLE, 3), 3 << 8)
        d.enable_interrupts(9)
        d.start()
        self.assertEqual(d.execute(descriptor(NOOP, CRAV | RCR | RCI, CRA, handle=2)).status, 0x19)
        self.assertEqual(d.execute(descriptor(NOOP, CRAV | RCR | RCI, CRA, handle=3)).status, 1)
        self.assertTrue(d.take_interrupt(3))
        self.assertEqual(d.command(dsa.RELEASE_HANDLE, 3), 0)

    def test_halt(self):
        """What may not change while it is enabled; rewriting what is there is fine."""
        for reg, size, same, value in ((4, 2, 6, 2), (0x226, 2, 0, 0x8000), (0x236, 2, 0, 1),
                                       (0x244, 2, 0, 1), (0x24c, 4, 0, 4)):
            self.start()
            d = self.dsa
            d.enable_interrupts(1)
            d.start()
            d.put(dsa.GENCTRL, 3)
            d.set_express(reg, same, size)
            self.assertEqual(d.state, 1)
            d.submit(descriptor(FILL, cra=CRA, b=DST, size=1 << 20))
            d.set_express(reg, value, size)
            self.assertEqual(d.get(dsa.GENSTS), 3)
            d.run()
            self.assertEqual(d.record(CRA).status, 0)
            self.assertEqual(d.get(dsa.INTCAUSE), 0x11)
            self.assertEqual(d.take_error(), (0x51, 0, 0, 0, 0, 0))
            self.hexes(d.command(dsa.ENABLE), 5)
            d.submit(descriptor(NOOP, cra=CRA))
            d.set_express(reg, same, size)
            self.assertEqual(d.command(dsa.RESET), 0)
            d.start()
            self.assertEqual(d.execute(descriptor(NOOP, cra=CRA)).status, 1)


class Portals(Setup):
    def test_matrix(self):
        """Which accesses reach which queues (posted; deferrable ones by x-swq-posted)."""
        for posted in ('off', 'on'):
            self.start(f'id=d,x-swq-posted={posted}')
            d = self.dsa
            d.set_express(0x236, 1)
            d.start(({}, SHARED))
            d.command(dsa.ENABLE_WQ, 2)
            for kind in range(4):
                for wq in range(8):
                    before = self.counter('submitted')
                    d.submit(descriptor(NOOP, cra=CRA), wq, kind, slot=wq)
                    taken = kind < 2 and (wq == 0 or (wq == 1 and posted == 'on'))
                    self.assertEqual(self.counter('submitted') - before, taken, (kind, wq, posted))
                    d.run()
            self.assertIsNone(d.take_error())

    def test_odd_accesses(self):
        self.start('id=d')
        d = self.dsa
        d.start()
        for slot in range(64):
            d.submit(descriptor(NOOP, flags=0), slot=slot)
            d.run()
        self.assertEqual(self.counter('submitted'), 64)
        for size in (1, 2, 4, 8, 32, 63):
            d.store(dsa.BAR2 + 0x1000, bytes(size))
        for at in (4, 8, 32):
            d.store(dsa.BAR2 + 0x1000 + at, bytes(64))
        d.store(dsa.BAR0 + 0xf000, bytes(64))
        self.assertEqual(d.load(dsa.BAR2 + 0x1000, 64), b'\xff' * 64)
        self.assertEqual(self.counter('submitted'), 64)
        self.assertIsNone(d.take_error())

    def test_limits(self):
        self.start('id=d,x-swq-posted=on')
        d = self.dsa
        d.set_express(0x236, 1)
        d.start((SHARED | {'size': 10, 'threshold': 4}, {'size': 3}))
        for n in range(6):
            d.submit(descriptor(NOOP, cra=CRA), kind=1)
        self.assertEqual((d.occupancy(0), self.counter('retried')), (4, 2))
        for n in range(8):
            d.submit(descriptor(NOOP, cra=CRA), kind=0)
        self.assertEqual((d.occupancy(0), self.counter('retried')), (10, 4))
        d.wqcfg(0, 1, 20)
        d.submit(descriptor(NOOP, cra=CRA), kind=1)
        self.assertEqual(d.occupancy(0), 10)
        for n in range(4):
            d.submit(descriptor(NOOP, cra=CRA), wq=1)
        self.assertEqual((d.occupancy(1), self.counter('dropped')), (3, 1))
        self.assertEqual(d.take_error(), (0x53, 1, 0, 0, 0, 0))
        d.run()
        self.assertEqual((d.occupancy(0), d.occupancy(1), self.counter('completed')), (0, 0, 13))

    def test_occupancy_interrupt(self):
        self.start()
        d = self.dsa
        d.enable_interrupts(9)
        d.start()
        for n in range(4):
            d.submit(descriptor(NOOP, flags=0))
        d.wqcfg(0, 5, 0x10001)
        self.assertFalse(d.take_interrupt(0))
        d.run()
        self.assertTrue(d.take_interrupt(0))
        self.assertEqual(d.get(dsa.INTCAUSE), 4)
        self.hexes(d.wqcfg(0, 6) & 0x10000, 0x10000)

    def test_arbitration(self):
        """Priorities 6 and 2 share 3 to 1; what they wrote last says who went when."""
        self.start('engines=1')
        d = self.dsa
        d.start(({'priority': 6}, {'priority': 2}), engines=1)
        for n in range(16):
            for wq in range(2):
                d.submit(descriptor(FILL, CRAV | RCR, CRA + 32 * (16 * wq + n), 0, DST, 1 << 16), wq)
        done = [0, 0]
        while sum(done) < 8:
            d.run(dsa.STEP)
            done = [sum(d.record(CRA + 32 * (16 * wq + n)).status for n in range(16)) for wq in range(2)]
        self.assertEqual(done, [6, 2])


class Errors(Setup):
    def test_records(self):
        """Written if asked for, or if there is something to say."""
        self.start()
        d = self.dsa
        d.start()
        d.store(CRA, b'\xaa' * 32)
        d.submit(descriptor(NOOP, CRAV, CRA))
        d.run()
        self.assertEqual(d.load(CRA, 32), b'\xaa' * 32)
        record = d.execute(descriptor(NOOP, CRAV | 1 << 6, CRA))
        self.assertEqual((record.status, record.value), (0x11, 1 << 6))
        self.assertIsNone(d.take_error())
        d.submit(descriptor(NOOP, 1 << 6))
        d.run()
        error = d.errors()
        self.assertEqual((error[0] & 0xff, error[0] >> 8 & 0xff, error[1] >> 32), (0x8d, 0x11, 1 << 6))
        d.submit(descriptor(0x3f, 0))
        d.run()
        self.assertEqual(d.errors()[0], error[0] | 2)
        d.put(dsa.SWERROR, 1)
        self.assertEqual(d.errors()[0] & 3, 2)
        d.put(dsa.SWERROR, 2)
        self.assertEqual(d.errors()[0] & 3, 0)

    def test_swerror_interrupt(self):
        self.start()
        d = self.dsa
        d.enable_interrupts(1)
        d.start()
        d.put(dsa.GENCTRL, 1)
        for want in (True, False):
            d.submit(descriptor(0x3f, 0))
            d.run()
            self.assertEqual(d.take_interrupt(0), want)
        d.take_error()
        d.submit(descriptor(0x3f, 0))
        d.run()
        self.assertTrue(d.take_interrupt(0))

    def test_bad_descriptors(self):
        self.start()
        d = self.dsa
        d.start(({'xfer': 12, 'batch': 2},))
        quad = struct.Struct('<Q').pack
        for status, desc in (
                (0x10, descriptor(0x0a, cra=CRA)), (0x10, descriptor(0x3f, cra=CRA)),
                (0x10, descriptor(0xff, cra=CRA)),
                (0x11, descriptor(NOOP, CRAV | RCR | FENCE, CRA)),
                (0x11, descriptor(MOVE, CRAV | RCR | 2, CRA, SRC, DST, 8)),
                (0x11, descriptor(COMPARE, CRAV, CRA, SRC, DST, 8)),
                (0x11, descriptor(dsa.DRAIN_OP, CRAV, CRA)),
                (0x12, descriptor(NOOP, cra=CRA, a=1)), (0x12, descriptor(NOOP, cra=CRA, handle=1)),
                (0x12, descriptor(MOVE, CRAV | RCR, CRA, SRC, DST, 8, rest=b'\1')),
                (0x13, descriptor(MOVE, cra=CRA, a=SRC, b=DST)),
                (0x13, descriptor(MOVE, cra=CRA, a=SRC, b=DST, size=4097)),
                (0x13, descriptor(dsa.DIF_CHECK, cra=CRA, a=SRC, size=521)),
                (0x14, descriptor(BATCH, cra=CRA, a=LIST, size=1)),
                (0x14, descriptor(BATCH, cra=CRA, a=LIST, size=5)),
                (0x15, descriptor(dsa.CREATE_DELTA, CRAV | RCR, CRA, SRC, DST, 8,
                                  rest=quad(DST + 4096) + struct.pack('<I', 79))),
                (0x15, descriptor(dsa.APPLY_DELTA, CRAV | RCR, CRA, SRC, DST, 8,
                                  rest=struct.pack('<I', 9))),
                (0x16, descriptor(COPY_CRC, cra=CRA, a=SRC, b=SRC + 7, size=8)),
                (0x16, descriptor(DUALCAST, cra=CRA, a=SRC, b=DST, size=8, rest=quad(DST))),
                (0x17, descriptor(DUALCAST, cra=CRA, a=SRC, b=DST, size=8, rest=quad(DST + 0x1001))),
                (0x18, descriptor(BATCH, cra=CRA, a=LIST + 32, size=2)),
                (0x19, descriptor(NOOP, CRAV | RCR | RCI, CRA, handle=9)),
                (0x1c, descriptor(dsa.CREATE_DELTA, CRAV | RCR, CRA, SRC + 4, DST, 8,
                                  rest=quad(DST + 4096) + struct.pack('<I', 80))),
                (0x1c, descriptor(CRC, CRAV | RCR | 1 << 16, CRA, SRC, 0, 8, rest=bytes(8) + quad(2)))):
            record = d.execute(desc)
            self.hexes(record.status, status, desc.hex())
            error = d.take_error()
            self.assertEqual(error and error[0], 0x19 if status == 0x19 else None, hex(status))
        d.submit(descriptor(NOOP, CRAV | RCR, CRA + 8))
        d.run()
        self.assertEqual(d.take_error()[0], 0x1b)

    def test_every_reserved_bit(self):
        """Flags and bytes that no operation has a use for, of all of them."""
        base = CRAV | RCR
        bof, caches, strict, t1, t2, t3, chk = 2, 0x4100, 1 << 13, 1 << 9, 1 << 10, 1 << 11, 1 << 7
        table = {
            0x00: (0, [*range(16, 36), *range(38, 64)]), 0x01: (t1, [*range(24, 32), *range(38, 64)]),
            0x02: (3 << 18, [*range(16, 36), *range(38, 64)]),
            0x03: (bof | caches | strict | t1 | t2, range(38, 64)),
            0x04: (bof | caches | strict | t2, range(38, 64)),
            0x05: (bof | chk | t1 | t2, [38, 39, *range(41, 64)]),
            0x06: (bof | chk | t1, [38, 39, *range(41, 64)]),
            0x07: (bof | chk | caches | strict | t1 | t2 | t3, [38, 39, *range(52, 56), *range(57, 64)]),
            0x08: (bof | caches | strict | t1 | t2, [38, 39, *range(44, 64)]),
            0x09: (bof | caches | strict | t1 | t2 | t3, [38, 39, *range(48, 64)]),
            0x10: (bof | t1 | 7 << 16, [*range(24, 32), 38, 39, *range(44, 64)]),
            0x11: (bof | caches | strict | t1 | t2 | 7 << 16, [38, 39, *range(44, 64)]),
            0x12: (bof | t1, [*range(24, 32), 38, 39, 41, *range(43, 48), *range(56, 64)]),
            0x13: (bof | caches | strict | t1 | t2, [*range(38, 41), *range(43, 56)]),
            0x14: (bof | caches | strict | t1 | t2, [38, 39, 41, *range(43, 48), *range(56, 64)]),
            0x15: (bof | caches | strict | t1 | t2, [38, 39, *range(43, 48)]),
            0x20: (bof | 1 << 14 | strict | t2, [*range(16, 24), *range(38, 64)]),
        }
        self.start()
        d = self.dsa
        d.set_express(0x24c, 16, 4)
        d.set_express(0x244, 1)
        d.set_express(0x236, 1)
        d.start(({'mode': DEDICATED | dsa.MODE_BOF, 'size': 64},))
        wanted = []
        for opcode, (flags, reserved) in table.items():
            for bit in range(24):
                if not (flags | 0x101c) >> bit & 1:
                    wanted.append((0x11, 1 << bit, descriptor(opcode, base | 1 << bit)))
            for at in reserved:
                data = bytearray(descriptor(opcode, base))
                data[at] = 0x80
                wanted.append((0x12, 0, bytes(data)))
        while wanted:
            part, wanted = wanted[:64], wanted[64:]
            d.store(CRA, bytes(32 * 64))
            for n, (_, _, desc) in enumerate(part):
                d.submit(desc[:8] + struct.pack('<Q', CRA + 32 * n) + desc[16:])
            d.run()
            for n, (status, mask, desc) in enumerate(part):
                record = d.record(CRA + 32 * n)
                self.assertEqual((hex(record.status), hex(record.value)), (hex(status), hex(mask)),
                                 desc.hex())

    def test_interrupts(self):
        self.start()
        d = self.dsa
        d.enable_interrupts(9)
        d.set_express(0x236, 1)
        d.start(({}, {'mode': DEDICATED | dsa.MODE_PASID, 'pasid': 5}))
        asked = descriptor(NOOP, CRAV | RCR | RCI, CRA, handle=3)
        self.assertEqual(d.execute(asked).status, 1)
        self.assertTrue(d.take_interrupt(3))
        d.put(dsa.MSIXPERM + 24, 4)  # ignore
        self.assertEqual(d.execute(asked).status, 1)
        self.assertFalse(d.take_interrupt(3))
        d.put(dsa.MSIXPERM + 24, 8)  # of a process
        self.assertEqual(d.execute(asked).status, 0x19)
        self.assertEqual(d.take_error()[0], 0x19)
        d.put(dsa.MSIXPERM + 24, 0)
        d.put(dsa.TABLE + 3 * 16 + 12, 1)
        d.execute(asked)
        self.assertFalse(d.take_interrupt(3))
        self.assertEqual(d.get(dsa.PBA, 8), 8)
        d.put(dsa.TABLE + 3 * 16 + 12, 0)
        self.assertTrue(d.take_interrupt(3))
        self.assertEqual(d.get(dsa.PBA, 8), 0)
        # A user must be permitted to interrupt at all, and where.
        self.assertEqual(d.execute(asked, wq=1).value, RCI)
        d.command(dsa.RESET)
        d.put(dsa.GENCFG, 0x1060)
        d.start(({}, {'mode': DEDICATED | dsa.MODE_PASID, 'pasid': 5}))
        for permission, status in ((0, 0x19), (8 | 6 << 12, 0x19), (8 | 5 << 12, 1)):
            d.put(dsa.MSIXPERM + 24, permission)
            self.assertEqual(d.execute(asked, wq=1).status, status)
            self.assertEqual(d.take_interrupt(3), status == 1)


class Batches(Setup):
    def setUp(self):
        self.start()
        self.dsa.start()

    def batch(self, *members, flags=CRAV | RCR):
        self.dsa.store(CRA, bytes(32 * 40))
        self.dsa.store(LIST, b''.join(members))
        return self.dsa.execute(descriptor(BATCH, flags, CRA, LIST, 0, len(members)))

    def member(self, n, opcode=NOOP, flags=CRAV | RCR, **fields):
        return descriptor(opcode, flags, CRA + 32 * (n + 1), **fields)

    def statuses(self, count):
        return [self.dsa.record(CRA + 32 * (n + 1)).status for n in range(count)]

    def test_all_good(self):
        self.dsa.store(SRC, b'batch')
        record = self.batch(self.member(0, MOVE, a=SRC, b=DST, size=5),
                            self.member(1, MOVE, CRAV | RCR | FENCE, a=DST, b=DST + 64, size=5),
                            self.member(2))
        self.assertEqual((record.status, record.done), (1, 3))
        self.assertEqual(self.statuses(3), [1, 1, 1])
        self.assertEqual(self.dsa.load(DST + 64, 5), b'batch')

    def test_fence_after_failure(self):
        self.dsa.store(SRC, b'ab')
        record = self.batch(self.member(0, COMPARE, CRAV | RCR | CHECK, a=SRC, b=SRC + 1, size=1),
                            self.member(1), self.member(2, flags=CRAV | RCR | FENCE), self.member(3))
        self.assertEqual((record.status, record.done), (5, 2))
        self.assertEqual(self.statuses(4), [2, 1, 0, 0])

    def test_failures(self):
        record = self.batch(self.member(0, BATCH, a=LIST, size=2), self.member(1, dsa.DRAIN_OP),
                            self.member(2, 0x0b), self.member(3))
        self.assertEqual((record.status, record.done), (5, 4))
        self.assertEqual(self.statuses(4), [0x10, 0x10, 0x10, 1])
        self.batch(self.member(0, flags=1 << 6), self.member(1))
        error = self.dsa.take_error()
        self.assertEqual((error[0], error[4]), (0x11, 1))

    def test_most(self):
        record = self.batch(*(self.member(n) for n in range(32)))
        self.assertEqual((record.status, record.done), (1, 32))


class EventLog(Setup):
    LOG = 0x1020000

    def log(self, device='', entries=64, **wq):
        self.start(device)
        d = self.dsa
        d.enable_interrupts(9)
        d.put(dsa.EVLCFG, self.LOG, 8)
        d.put(dsa.EVLCFG + 8, entries, 8)
        d.put(dsa.GENCTRL, 7)
        d.put(dsa.GENCFG, 0x2060)
        d.store(self.LOG, bytes(64 * entries))
        d.start((wq,))
        return d

    def test_append(self):
        d = self.log()
        bad = descriptor(NOOP, 1 << 6)
        d.submit(bad)
        d.run()
        self.assertEqual(d.errors(), [0] * 4)
        self.assertEqual(d.get(dsa.EVLSTATUS, 8), 1 << 32 | 1 << 62)
        self.assertEqual(d.get(dsa.INTCAUSE), 0x20)
        self.assertTrue(d.take_interrupt(0))
        event = d.load(self.LOG, 64)
        self.assertEqual((event[1], event[12:15]), (0x11, b'\x40\0\0'))
        d.submit(bad)
        d.run()
        self.assertFalse(d.take_interrupt(0))  # it is pending already
        d.put(dsa.EVLSTATUS + 4, 1 << 30)
        self.assertEqual(d.get(dsa.EVLSTATUS, 8), 2 << 32)
        d.submit(bad)
        d.run()
        self.assertTrue(d.take_interrupt(0))

    def test_full(self):
        """An engine waits for room; the tail wraps."""
        d = self.log()
        for n in range(70):
            d.submit(descriptor(NOOP, 1 << 6))
            d.run()
        self.assertEqual(d.get(dsa.EVLSTATUS + 4) & 0xffff, 63)
        self.hexes(d.command(dsa.DRAIN), 1 << 31)
        d.put(dsa.EVLSTATUS, 20)
        d.run()
        self.assertEqual(d.get(dsa.CMDSTATUS), 0)
        self.assertEqual(d.get(dsa.EVLSTATUS + 4) & 0xffff, 70 - 64)
        self.assertEqual(d.errors()[0] >> 8 & 0xff, 0)

    def test_records_in_the_log(self):
        d = self.log()
        d.submit(descriptor(dsa.DRAIN_OP, CRAV | RCR, CRA))
        d.submit(descriptor(NOOP, CRAV | RCR | RCI, CRA + 32, handle=9))
        d.run()
        drain, handle = d.load(self.LOG, 64), d.load(self.LOG + 64, 64)
        self.assertEqual((drain[1], drain[4], drain[16:24], drain[32]), (0x26, 2, struct.pack('<Q', CRA), 1))
        self.assertEqual(d.record(CRA).status, 0)
        self.assertEqual((handle[1], handle[32], handle[12:15]), (0x19, 0x19, b'\x09\0\x05'))
        self.assertEqual(d.record(CRA + 32).status, 0x19)

    def test_off(self):
        self.start('event-log=off')
        d = self.dsa
        d.put(dsa.GENCFG, 0x2060)
        d.put(dsa.EVLCFG, 0xffffffff)
        self.hexes(d.get(dsa.GENCFG), 0x60)
        self.hexes(d.get(dsa.EVLCFG), 0)


if __name__ == '__main__':
    house.main()
