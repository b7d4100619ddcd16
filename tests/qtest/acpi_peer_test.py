# SPDX-License-Identifier: GPL-2.0-or-later
"""ACPI tables beside those of the installed peer: what differs, and why it may."""
import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import acpi  # noqa: E402
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from pci import Pci  # noqa: E402
from vm import Vm  # noqa: E402

PEER = shutil.which('qemu-system-x86_64')
# Stopped: the peer's firmware is not to run beside us.
COMMON = ['-nodefaults', '-S', '-m', '128,slots=2,maxmem=1G',
          '-smp', '2,sockets=4,maxcpus=4']
BOARDS = {'pc': ['-M', 'pc-i440fx-7.2', *COMMON, '-device', 'isa-serial,chardev=c', '-chardev',
                 'null,id=c'],
          'q35': ['-M', 'pc-q35-7.2', *COMMON, '-device', 'pcie-root-port,id=rp,slot=3,chassis=2,'
                  'addr=2']}
# (offset, bytes) that may differ: sums, who made the table, addresses of others; and
# FACP 44: ACPI 1.0's INT_MODEL, which later revisions reserve: 0 here, 1 there
# SRAT 8: its revision, which the specification says is 3: 1 there
MAY_DIFFER = {'': [(9, 1), (24, 12)], 'FACP': [(36, 8), (140, 8), (44, 1)],
              'SRAT': [(4, 4), (8, 1)]}
# Ids of devices in the DSDT that only one has.
OURS_ALONE = {'ACPI0007'}  # CPUs as devices; there as Processor(), which is deprecated
PEERS_ALONE = set()


def dump(binary, accel, board):
    with Vm(binary, '-accel', accel, *BOARDS[board], qtest=True) as vm:
        pci = Pci(vm)
        if board == 'pc':
            pci.write(0x0b, 0x40, 0x601)
            pci.write(0x0b, 0x80, 1, 1)
        else:
            pci.write(0xf8, 0x40, 0x600)
            pci.write(0xf8, 0x44, 0x80, 1)
            pci.write(0, 0x60, 0xb0000001)
        return dict(acpi.split(FwCfg(vm).file('etc/acpi/tables')))


def without_padding(srat):
    """There are structures of nothing, which are not enabled, there."""
    at, kept = 48, srat[:48]
    while at < len(srat):
        entry = srat[at:at + srat[at + 1]]
        kept += entry if entry[0] != 1 or entry[28] & 1 else b''
        at += len(entry)
    return kept


def stable(signature, table):
    data = bytearray(without_padding(table) if signature == 'SRAT' else table)
    for at, size in MAY_DIFFER[''] + MAY_DIFFER.get(signature, []):
        data[at:at + size] = bytes(size)
    return data.hex()


def ids(dsdt):
    source = acpi.source(dsdt)
    return set(re.findall(r'Name \(_HID, (?:EisaId \()?"(\w+)"', source))


@unittest.skipUnless(PEER and acpi.IASL, 'no peer or no iasl installed')
class Peer(unittest.TestCase):
    maxDiff = None

    def test_tables(self):
        for board in BOARDS:
            ours, theirs = dump(house.binary(), 'qtest', board), dump(PEER, 'tcg', board)
            self.assertEqual(sorted(ours), sorted(theirs))
            for signature in ours:
                if signature in ('DSDT', 'RSDT'):
                    continue
                with self.subTest(board=board, table=signature):
                    self.assertEqual(stable(signature, ours[signature]),
                                     stable(signature, theirs[signature]))
            with self.subTest(board=board, table='DSDT'):
                mine, other = ids(ours['DSDT']), ids(theirs['DSDT'])
                self.assertEqual(mine - other, OURS_ALONE)
                self.assertEqual(other - mine, PEERS_ALONE)


if __name__ == '__main__':
    house.main()
