# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver of intel-dsa over qtest: registers, work queues, descriptors. Numbers are those of Intel's
Data Streaming Accelerator Architecture Specification."""
import struct
import unittest

import house
from pci import Pci
from vm import Vm

SLOT = 5 << 3
BAR0, BAR2 = 0xe4000000, 0xe8000000
(VERSION, GENCAP, WQCAP, GRPCAP, ENGCAP, OPCAP, OFFSETS, GENCFG, GENCTRL, GENSTS, INTCAUSE, CMD, CMDSTATUS,
 CMDCAP, SWERROR, EVLCFG, EVLSTATUS) = (0, 0x10, 0x20, 0x30, 0x38, 0x40, 0x60, 0x80, 0x88, 0x90, 0x98,
                                        0xa0, 0xa8, 0xb0, 0xc0, 0xe0, 0xf0)
MSIXPERM, GRPCFG, WQCFG, TABLE, PBA = 0x400, 0x600, 0x800, 0x2000, 0x3000
(ENABLE, DISABLE, DRAIN, ABORT, RESET, ENABLE_WQ, DISABLE_WQ, DRAIN_WQ, ABORT_WQ, RESET_WQ, DRAIN_PASID,
 ABORT_PASID, REQUEST_HANDLE, RELEASE_HANDLE) = range(1, 15)
(NOOP, BATCH, DRAIN_OP, MOVE, FILL, COMPARE, COMPARE_PATTERN, CREATE_DELTA, APPLY_DELTA,
 DUALCAST) = range(10)
CRC, COPY_CRC, DIF_CHECK, DIF_INSERT, DIF_STRIP, DIF_UPDATE, FLUSH = (*range(0x10, 0x16), 0x20)
FENCE, BOF, CRAV, RCR, RCI, CHECK = 1, 2, 4, 8, 16, 128
DEDICATED, MODE_BOF, MODE_NO_ATS, MODE_PASID, MODE_PRIV = 1, 2, 4, 1 << 28, 1 << 29
MESSAGES = 0x2000000   # where interrupts of tests are written: memory
STEP = 1000            # ns of a slice


def descriptor(opcode, flags=CRAV | RCR, cra=0, a=0, b=0, size=0, handle=0, rest=b'', pasid=0):
    """64 bytes; `a`, `b`: at 16 and 24."""
    body = struct.pack('<IIQQQIHH', pasid, flags | opcode << 24, cra, a, b, size, handle, 0)
    return body + rest.ljust(24, b'\0')


class Record:
    """A completion record."""

    def __init__(self, data):
        (self.raw, self.result, _, self.done, self.addr, self.value) = struct.unpack('<BBHIQI', data[:20])
        self.status = self.raw & 0x3f
        self.data = data


class Dsa:
    def __init__(self, vm, slot=SLOT, master=True):
        self.vm, self.slot = vm, slot
        self.pci = Pci(vm)
        for reg, value in ((0x10, BAR0), (0x14, 0), (0x18, BAR2), (0x1c, 0)):
            self.pci.write(slot, reg, value)
        self.pci.write(slot, 4, 6 if master else 2, 2)
        self.pci.write(0, 0x60, 0xb0000001)  # extended configuration space

    # --- access ---

    def get(self, at, size=4):
        return int(self.vm.qtest(f"read{'?bw?l???q'[size]} {BAR0 + at:#x}"), 16)

    def put(self, at, value, size=4):
        self.vm.qtest(f"write{'?bw?l???q'[size]} {BAR0 + at:#x} {value:#x}")

    def express(self, reg, size=2):
        return int(self.vm.qtest(f"read{'?bw?l'[size]} {0xb0000000 + (self.slot << 12) + reg:#x}"), 16)

    def set_express(self, reg, value, size=2):
        self.vm.qtest(f"write{'?bw?l'[size]} {0xb0000000 + (self.slot << 12) + reg:#x} {value:#x}")

    def store(self, at, data):
        self.vm.qtest(f'write {at:#x} {len(data):#x} 0x{data.hex()}')

    def load(self, at, size):
        return bytes.fromhex(self.vm.qtest(f'read {at:#x} {size:#x}')[2:])

    def run(self, ns=200 * STEP):
        self.vm.qtest(f'clock_step {ns}')

    # --- states ---

    def command(self, code, operand=0, flags=0):
        """CMDSTATUS."""
        self.put(CMD, code << 20 | operand | flags)
        return self.get(CMDSTATUS)

    @property
    def state(self):
        return self.get(GENSTS) & 3

    def wqcfg(self, wq, dword, value=None, stride=32):
        at = WQCFG + stride * wq + 4 * dword
        if value is None:
            return self.get(at)
        return self.put(at, value)

    def wq_state(self, wq):
        return self.wqcfg(wq, 6) >> 30

    def occupancy(self, wq):
        return self.wqcfg(wq, 6) & 0xffff

    def configure_wq(self, wq, size=16, mode=DEDICATED, priority=10, threshold=0, xfer=21, batch=5, pasid=0):
        self.wqcfg(wq, 0, size)
        self.wqcfg(wq, 1, threshold)
        self.wqcfg(wq, 2, mode | priority << 4 | pasid << 8)
        self.wqcfg(wq, 3, xfer | batch << 5)

    def group(self, group, wqs, engines):
        self.put(GRPCFG + 64 * group, wqs, 8)
        self.put(GRPCFG + 64 * group + 32, engines, 8)

    def start(self, wqs=((),), engines=0xf):
        """Group 0 with WQs, each given as arguments of configure_wq, all enabled."""
        self.group(0, (1 << len(wqs)) - 1, engines)
        for n, args in enumerate(wqs):
            self.configure_wq(n, **dict(args))
        assert self.command(ENABLE) == 0, hex(self.get(CMDSTATUS))
        for n in range(len(wqs)):
            assert self.command(ENABLE_WQ, n) == 0, hex(self.get(CMDSTATUS))

    def errors(self):
        return [self.get(SWERROR + 8 * n, 8) for n in range(4)]

    def take_error(self):
        """(code, WQ, opcode, PASID, batch member, address), or None; acknowledged."""
        q = self.errors()
        self.put(SWERROR, q[0] & 3, 8)
        return (q[0] >> 8 & 0xff, q[0] >> 16 & 0xff, q[0] >> 32 & 0xff, q[0] >> 40 & 0xfffff, q[0] >> 4 & 1,
                q[2]) if q[0] & 1 else None

    # --- interrupts, as writes to memory ---

    def enable_interrupts(self, vectors):
        for n in range(vectors):
            self.put(TABLE + 16 * n, MESSAGES + 16 * n, 8)
            self.put(TABLE + 16 * n + 8, 0x100 + n)
            self.put(TABLE + 16 * n + 12, 0)
        self.pci.write(self.slot, 0x82, 0x8000, 2)

    def take_interrupt(self, vector):
        at = MESSAGES + 16 * vector
        seen = self.load(at, 4) == struct.pack('<I', 0x100 + vector)
        self.store(at, bytes(4))
        return seen

    # --- work ---

    def submit(self, desc, wq=0, kind=1, slot=0):
        self.store(BAR2 + 0x4000 * wq + 0x1000 * kind + 64 * slot, desc)

    def record(self, at):
        return Record(self.load(at, 32))

    def execute(self, desc, wq=0, cra=None):
        """Submits, runs, and gives the record."""
        cra = struct.unpack('<Q', desc[8:16])[0] if cra is None else cra
        self.store(cra, bytes(32))
        self.submit(desc, wq)
        self.run()
        return self.record(cra)


# Where tests have completion records, what is read and written, and lists of descriptors.
CRA, SRC, DST, LIST = 0x1000000, 0x1100000, 0x1300000, 0x1010000


def machine(device='', *args):
    return Vm(house.binary(), '-M', 'q35', '-m', '512', '-nodefaults', '-device',
              'intel-dsa,addr=5' + (',' + device if device else ''), *args, qtest=True)


class Setup(unittest.TestCase):
    def start(self, device='', **options):
        self.vm = machine(device)
        self.vm.__enter__()
        self.addCleanup(self.vm.__exit__, None, None, None)
        self.dsa = Dsa(self.vm, **options)

    def hexes(self, first, second, text=''):
        self.assertEqual(hex(first), hex(second), text)

    def counter(self, name):
        return self.vm.qmp('qom-get', path='/machine/peripheral/d', property='counters')[name]
