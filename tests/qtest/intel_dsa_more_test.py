# SPDX-License-Identifier: GPL-2.0-or-later
"""intel-dsa at its edges, without an operating system: each command in each state, operations and classes of
traffic that are not there, a device that cannot be configured, drains among other work, who loads what."""
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import dsa  # noqa: E402
import house  # noqa: E402
from dsa import (BATCH, COPY_CRC, CRA, CRAV, CRC, DEDICATED, DRAIN_OP, DST, FILL, LIST, MODE_PASID,  # noqa: E402
                 MODE_PRIV, MOVE, NOOP, RCI, RCR, SRC, Dsa, Setup, descriptor, machine)
from vm import refusal  # noqa: E402

RECORDED = CRAV | RCR
MIB = 1 << 20
HALTED, ACTIVE = 5, 1 << 31


class States(Setup):
    # (code, operand): error, or what it says, when the device is disabled, enabled, halted.
    COMMANDS = {
        (dsa.ENABLE, 0): (0, 0x10, HALTED), (dsa.DISABLE, 0): (0x31, 0, HALTED), (dsa.DRAIN, 0): (0, 0, HALTED),
        (dsa.ABORT, 0): (0, 0, HALTED), (dsa.RESET, 0): (0, 0, 0), (dsa.ENABLE_WQ, 0): (0x20, 0x21, HALTED),
        (dsa.DISABLE_WQ, 1): (0x32, 0, HALTED), (dsa.DRAIN_WQ, 1): (0x32, 0, HALTED),
        (dsa.ABORT_WQ, 1): (0x32, 0, HALTED), (dsa.RESET_WQ, 1): (0, 0, HALTED),
        (dsa.DRAIN_PASID, 7): (0, 0, HALTED), (dsa.ABORT_PASID, 7): (0, 0, HALTED),
        (dsa.REQUEST_HANDLE, 3): (3 << 8, 3 << 8, HALTED), (dsa.RELEASE_HANDLE, 4): (0x41, 0x41, HALTED),
    }

    def test_all(self):
        """While one is at work none is taken, whatever it is."""
        self.start('int-handles=on')
        d = self.dsa
        for (code, operand), results in self.COMMANDS.items():
            for state, result in enumerate(results):
                with self.subTest(code=code, state=state):
                    self.assertEqual(d.command(dsa.RESET), 0)
                    if state:
                        d.start()
                    if state == 2:
                        d.pci.write(dsa.SLOT, 4, 2, 2)
                        d.pci.write(dsa.SLOT, 4, 6, 2)
                        self.assertEqual((d.state, d.take_error()[0]), (3, 0x51))
                    self.hexes(d.command(code, operand), result)
        d.command(dsa.RESET)
        d.start()
        d.submit(descriptor(MOVE, RECORDED, CRA, SRC, DST, MIB))
        d.run(2 * dsa.STEP)
        self.hexes(d.command(dsa.DISABLE), ACTIVE)
        for code, operand in self.COMMANDS:
            self.hexes(d.command(code, operand), ACTIVE)
            self.assertEqual((d.take_error()[0], d.state, d.wq_state(0)), (0x52, 2, 2))
        d.run()
        self.assertEqual((d.get(dsa.CMDSTATUS), d.state, d.record(CRA).status), (0, 0, 1))

    def test_transfers_too_large(self):
        self.start('max-xfer-shift=20')
        d = self.dsa
        d.group(0, 1, 1)
        for xfer, error in (21, 0x28), (20, 0):
            d.configure_wq(0, xfer=xfer)
            d.command(dsa.ENABLE)
            self.hexes(d.command(dsa.ENABLE_WQ, 0), error)
            d.command(dsa.DISABLE)

    def test_sleep(self):
        """Its registers outlast D3hot; interrupts that nobody takes do not."""
        self.start()
        d = self.dsa
        d.put(dsa.GENCTRL, 7)
        d.configure_wq(0, size=9)
        d.pci.write(dsa.SLOT, 0x94, 3, 2)
        self.assertEqual(d.pci.read(dsa.SLOT, 0x94, 2) & 0xb, 0xb)  # No_Soft_Reset
        d.pci.write(dsa.SLOT, 0x94, 0, 2)
        self.assertEqual((d.get(dsa.GENCTRL), d.wqcfg(0, 0)), (7, 9))

    def test_no_memory_space(self):
        self.start('id=d')
        d = self.dsa
        d.start()
        d.pci.write(dsa.SLOT, 4, 4, 2)
        d.submit(descriptor(NOOP, RECORDED, CRA))
        d.pci.write(dsa.SLOT, 4, 6, 2)
        self.assertEqual((self.counter('submitted'), d.state), (0, 1))
        self.assertEqual(d.execute(descriptor(NOOP, RECORDED, CRA)).status, 1)

    def test_fixed(self):
        """configurable=off: all WQs in one group, ready to be enabled; of them the guest says whose they are."""
        self.start('configurable=off,wqs=2,engines=1,read-buffers=8')
        d = self.dsa
        before = [d.get(at) for at in range(0x600, 0x840, 4)]
        self.assertEqual([d.wqcfg(0, n) for n in range(4)], [64, 64, DEDICATED | 1 << 4, 21 | 5 << 5])
        for at in range(0x600, 0x840, 4):
            d.put(at, 0)
        d.wqcfg(0, 2, 0xffffffff)
        d.wqcfg(0, 3, 0xffffffff)
        self.hexes(d.wqcfg(0, 2), DEDICATED | 1 << 4 | MODE_PASID | MODE_PRIV | 0xfffff << 8)
        self.hexes(d.wqcfg(0, 6) & 1 << 29, 1 << 29)  # the mode may be chosen
        after = [d.get(at) for at in range(0x600, 0x840, 4)]
        changed = {0x600 + 4 * n for n, (a, b) in enumerate(zip(before, after)) if a != b}
        self.assertEqual(changed, {0x804, 0x808, 0x824, 0x828})  # thresholds and modes
        d.command(dsa.RESET)
        self.assertEqual([d.get(at) for at in range(0x600, 0x840, 4)], before)
        self.assertEqual((d.command(dsa.ENABLE), d.command(dsa.ENABLE_WQ, 1)), (0, 0))
        self.assertEqual(d.execute(descriptor(NOOP, RECORDED, CRA), wq=1).status, 1)


class Refused(Setup):
    def test_operations(self):
        """Those that the device does not have, or that a WQ may not do."""
        self.start('opcap=0x3f')
        self.dsa.start()
        for opcode, status in (MOVE, 0x13), (dsa.COMPARE_PATTERN, 0x10), (CRC, 0x10), (dsa.FLUSH, 0x10):
            self.hexes(self.dsa.execute(descriptor(opcode, RECORDED, CRA)).status, status, hex(opcode))
        self.start('wq-opcfg=on')
        d = self.dsa
        d.group(0, 1, 1)
        d.configure_wq(0)
        d.wqcfg(0, 8, 1 << NOOP | 1 << FILL)
        d.wqcfg(0, 9, 0)
        d.command(dsa.ENABLE)
        d.command(dsa.ENABLE_WQ, 0)
        for opcode, status in (NOOP, 1), (FILL, 0x13), (MOVE, 0x10), (dsa.FLUSH, 0x10):
            self.hexes(d.execute(descriptor(opcode, RECORDED, CRA)).status, status, hex(opcode))

    def test_privilege(self):
        """A privileged descriptor where PCI permits none: told by the error register alone."""
        for permission, status in (1, 0), (5, 1):
            self.start('x-swq-posted=on')
            d = self.dsa
            d.set_express(0x236, permission)
            d.start(({'mode': MODE_PASID, 'threshold': 8},))
            self.assertEqual(d.execute(descriptor(NOOP, RECORDED, CRA, pasid=1 << 31 | 5)).status, status)
            error = d.errors()[0]
            self.assertEqual(error >> 8 & 0xff, 0 if status else 0x1d)
            self.assertEqual(error >> 6 & 1, not status)
            self.assertEqual(d.execute(descriptor(NOOP, RECORDED, CRA, pasid=1 << 20 | 5)).status, 0x12)

    def test_unaligned_record(self):
        """Nothing is done, and nothing written there."""
        self.start()
        d = self.dsa
        d.start()
        for at in (DST, CRA):
            d.store(at, bytes(64))
        d.submit(descriptor(FILL, RECORDED, CRA + 8, 0x1111111111111111, DST, 8))
        d.run()
        self.assertEqual((d.take_error()[0], d.load(DST, 8), d.load(CRA, 64)), (0x1b, bytes(8), bytes(64)))

    def test_traffic_classes(self):
        """Classes 0 (A) and 1 (B) of a group; the first channel has 0 alone until the second has the other."""
        self.start()
        d = self.dsa
        d.set_express(0x184, 0x80000001, 4)
        self.hexes(d.express(0x184, 4), 0x80000001)
        d.put(dsa.GRPCFG + 40, 96 << 20 | 1 << 3, 8)
        d.start()
        t1, t2, t3, cr = 1 << 9, 1 << 10, 1 << 11, 1 << 12
        seed = bytes(8) + struct.pack('<Q', SRC)
        cases = ((NOOP, cr, b''), (MOVE, t1, b''), (MOVE, t2, b''), (FILL, t2, b''), (MOVE, cr, b''),
                 (CRC, t3 | 1 << 16, seed), (COPY_CRC, t1, b''))

        def statuses(extra=None):
            return [d.execute(descriptor(opcode, RECORDED | (flags if extra is None else flags & extra), CRA,
                                         0 if opcode == NOOP else SRC, 0 if opcode in (NOOP, CRC) else DST,
                                         0 if opcode == NOOP else 8, rest=rest)).status
                    for opcode, flags, rest in cases]

        self.assertEqual(statuses(), [0x1e] * len(cases))
        self.assertEqual(statuses(1 << 16), [1] * len(cases))
        d.set_express(0x190, 0x81000002, 4)
        self.assertEqual(statuses(), [1] * len(cases))
        d.set_express(0x190, 0x01000002, 4)  # off
        self.assertEqual(statuses(), [0x1e] * len(cases))


class Order(Setup):
    def step_until(self, records, last):
        """Runs until the last of the records is there; which were before it."""
        while not self.dsa.record(last).status:
            before = [self.dsa.record(at).status for at in records]
            self.dsa.run(dsa.STEP)
        return before, [self.dsa.record(at).status for at in records]

    def test_drain(self):
        """It waits for what came before, of its process if the WQ is shared."""
        self.start('x-swq-posted=on')
        d = self.dsa
        d.set_express(0x236, 1)
        d.start(({}, {'mode': MODE_PASID, 'threshold': 8}))
        places = [CRA + 32 * n for n in range(4)]
        d.store(CRA, bytes(128))
        d.submit(descriptor(MOVE, RECORDED, places[0], SRC, DST, MIB))
        d.submit(descriptor(DRAIN_OP, RECORDED, places[1]))
        before, after = self.step_until(places[:1], places[1])
        self.assertEqual(after, [1])
        d.store(CRA, bytes(128))
        d.submit(descriptor(MOVE, RECORDED, places[0], SRC, DST, 2 * MIB, pasid=5), 1)
        d.submit(descriptor(MOVE, RECORDED, places[1], SRC, DST, 20 * 65536, pasid=6), 1)
        d.submit(descriptor(DRAIN_OP, RECORDED, places[2], pasid=6), 1)
        before, after = self.step_until(places[:2], places[2])
        self.assertEqual((before[0], after), (0, [0, 1]))
        d.run()
        self.assertEqual(d.record(places[0]).status, 1)

    def test_batch(self):
        """Members' records are there before the batch's, their interrupts are their own; whose they say they are
        is nothing."""
        self.start()
        d = self.dsa
        d.enable_interrupts(9)
        d.start()
        members = [CRA + 32 * n for n in range(1, 5)]
        d.store(CRA, bytes(32 * 5))
        d.store(LIST, b''.join(descriptor(FILL, RECORDED | RCI, at, n, DST + n * MIB, 1 << 17, handle=n + 2,
                                          pasid=0xffffffff) for n, at in enumerate(members)))
        d.submit(descriptor(BATCH, RECORDED | RCI, CRA, LIST, 0, 4, handle=7))
        before, after = self.step_until(members, CRA)
        self.assertEqual((before[0], after), (1, [1] * 4))
        self.assertEqual([d.take_interrupt(n) for n in range(9)], [n in (2, 3, 4, 5, 7) for n in range(9)])
        self.assertEqual((d.record(CRA).status, d.record(CRA).done), (1, 4))

    def test_fence_sees_data(self):
        """What members before a fence wrote, members behind it read, whichever engine did it."""
        self.start()
        d = self.dsa
        d.start()
        d.store(SRC, bytes(range(256)) * 1024)
        d.store(LIST, b''.join(descriptor(MOVE, RECORDED | (n > 0), CRA + 32 * (n + 1), SRC + n * MIB,
                                          SRC + (n + 1) * MIB, 1 << 18) for n in range(4)))
        self.assertEqual(d.execute(descriptor(BATCH, RECORDED, CRA, LIST, 0, 4)).done, 4)
        self.assertEqual(d.load(SRC + 4 * MIB, 1 << 18), bytes(range(256)) * 1024)


class Loading(unittest.TestCase):
    def test_unlike(self):
        """A device that is not the same is named, with what is not."""
        with machine() as vm:
            path = os.path.join(vm.folder.name, 'state')
            Dsa(vm).start()
            vm.qmp('migrate', uri='exec:cat >' + path)
            while vm.qmp('query-migrate').get('status') not in ('completed', 'failed'):
                pass
            for option, what in (('wqs=4', 'msix'), ('engines=3', 'engine'), ('groups=2', 'group'),
                                 ('wq-size=64', 'wq_size'), ('event-log=off', 'event_log'), ('opcap=0x3f', 'opcap'),
                                 ('max-xfer-shift=20', 'max_xfer'), ('configurable=off', 'configurable')):
                with self.subTest(option):
                    said = refusal(house.binary(), '-M', 'q35', '-m', '512', '-device', 'intel-dsa,addr=5,' + option,
                                   '-incoming', 'exec:cat ' + path)
                    self.assertIn('intel-dsa', said)
                    self.assertIn(what, said)


if __name__ == '__main__':
    house.main()
