# SPDX-License-Identifier: GPL-2.0-or-later
"""vmgenid, vmcoreinfo and acpi-erst as firmware and guests use them."""
import os
import sys
import tempfile
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import acpi  # noqa: E402
import acpiexec  # noqa: E402
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from pci import Pci  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402

GUID = '324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87'
PAGE = 0x200000


def machine(*args, board='pc'):
    return Vm(house.binary(), '-M', board, '-nodefaults', '-m', '64', *args, qtest=True)


def reset(vm):
    vm.qmp('system_reset')
    vm.qmp.wait_event('RESET')


def memory(vm, at, size):
    return bytes.fromhex(vm.qtest(f'read {at:#x} {size}')[2:])


class VmGenId(unittest.TestCase):
    def test_guid(self):
        with machine('-device', f'vmgenid,guid={GUID}') as vm:
            self.assertEqual(vm.qmp('query-vm-generation-id'), {'guid': GUID})
            cfg = FwCfg(vm)
            page = cfg.file('etc/vmgenid_guid')
            self.assertEqual(len(page), 4096)
            self.assertEqual(page[40:56], uuid.UUID(GUID).bytes_le)
            self.assertEqual(page[:40] + page[56:], bytes(4096 - 16))
            # Firmware has placed it; a reset takes it away again.
            cfg.write('etc/vmgenid_addr', PAGE.to_bytes(8, 'little'))
            self.assertEqual(cfg.file('etc/vmgenid_addr'), PAGE.to_bytes(8, 'little'))
            reset(vm)
            self.assertEqual(cfg.file('etc/vmgenid_addr'), bytes(8))

    def test_auto(self):
        ids = set()
        for option in ('vmgenid', 'vmgenid,guid=auto'):
            with machine('-device', option) as vm:
                ids.add(vm.qmp('query-vm-generation-id')['guid'])
        self.assertEqual(len(ids), 2)
        self.assertNotIn('00000000-0000-0000-0000-000000000000', ids)

    def test_refusals(self):
        self.assertIn('at most one vmgenid device is permitted',
                      refusal(house.binary(), '-M', 'pc', '-device', 'vmgenid', '-device',
                              'vmgenid'))
        self.assertIn("'guid' expects UUID",
                      refusal(house.binary(), '-M', 'pc', '-device', 'vmgenid,guid=foo'))
        with machine() as vm:
            with self.assertRaisesRegex(QmpError, 'VM Generation ID device not found'):
                vm.qmp('query-vm-generation-id')

    def test_table(self):
        """The loader is told of the page, of where its address goes, and to write it back."""
        with machine('-device', 'vmgenid') as vm:
            cfg = FwCfg(vm)
            tables = dict(acpi.split(cfg.file('etc/acpi/tables')))
            self.assertIn(b'QEMUVGID', tables['SSDT'])
            self.assertEqual(tables['SSDT'][36:42], b'\x08VGIA\x0c')
            self.assertEqual(tables['SSDT'][42:46], bytes(4))
            script = cfg.file('etc/table-loader')
            commands = [script[at:at + 128] for at in range(0, len(script), 128)]
            self.assertTrue(any(c[0] == 1 and c[4:].startswith(b'etc/vmgenid_guid\0')
                                for c in commands))
            self.assertTrue(any(c[0] == 4 and c[4:].startswith(b'etc/vmgenid_addr\0')
                                for c in commands))
            # Not iasl: it wants digits in a _HID, which drivers know as it is.
            if acpiexec.TOOL:
                said = acpiexec.execute([tables['DSDT'], tables['SSDT']], '\\_SB.VGEN._STA',
                                        '\\_SB.VGEN.ADDR')
                self.assertIn('[Integer] = 0000000000000000', said['\\_SB.VGEN._STA'])
                self.assertIn('[Integer] = 0000000000000028', said['\\_SB.VGEN.ADDR'])

    def test_copy(self):
        """A machine loaded from a saved state: the page has this machine's id, a GPE tells."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'state')
            with machine('-device', 'vmgenid') as vm:
                FwCfg(vm).write('etc/vmgenid_addr', PAGE.to_bytes(8, 'little'))
                vm.qmp('migrate', uri=f'file:{path}')
                while vm.qmp('query-migrate')['status'] != 'completed':
                    pass
            with machine('-device', f'vmgenid,guid={GUID}', '-incoming', f'file:{path}') as vm:
                while vm.qmp('query-migrate').get('status') != 'completed':
                    pass
                self.assertEqual(memory(vm, PAGE + 40, 16), uuid.UUID(GUID).bytes_le)
                self.assertEqual(int(vm.qtest('inb 0xafe0'), 16) & 0x20, 0x20)


class VmCoreInfo(unittest.TestCase):
    def test_file(self):
        with machine('-device', 'vmcoreinfo') as vm:
            cfg = FwCfg(vm)
            self.assertEqual(cfg.file('etc/vmcoreinfo'), b'\x01' + bytes(15))
            note = b'\x01\x00\x01\x00' + (0x1000).to_bytes(4, 'little') + \
                (0x300000).to_bytes(8, 'little')
            cfg.write('etc/vmcoreinfo', note)
            self.assertEqual(cfg.file('etc/vmcoreinfo'), note)
            reset(vm)
            self.assertEqual(cfg.file('etc/vmcoreinfo'), b'\x01' + bytes(15))
        self.assertIn('at most one vmcoreinfo device is permitted',
                      refusal(house.binary(), '-M', 'pc', '-device', 'vmcoreinfo', '-device',
                              'vmcoreinfo'))


REGISTERS, BUFFER = 0xfe000000, 0xfe010000
(BEGIN_WRITE, BEGIN_READ, BEGIN_CLEAR, END, OFFSET, EXECUTE, BUSY, STATUS, GET_ID, SET_ID, COUNT,
 DUMMY) = range(12)
ADDRESS, LENGTH, ATTRIBUTES, TIMINGS = range(0xd, 0x11)
SUCCESS, NO_SPACE, FAILED, EMPTY, NOT_FOUND = 0, 1, 3, 4, 5
NO_ID = (1 << 64) - 1


def record(number, text=b'', size=None):
    """A CPER with the fields a store looks at."""
    size = size or 128 + len(text)
    head = bytearray(128)
    head[:4] = b'CPER'
    head[20:24] = size.to_bytes(4, 'little')
    head[96:104] = number.to_bytes(8, 'little')
    return bytes(head) + text


class Erst:
    def __init__(self, path, size='64K', **properties):
        options = ''.join(f',{key}={value}' for key, value in properties.items())
        self.vm = machine('-object', f'memory-backend-file,id=m,mem-path={path},size={size},'
                          'share=on', '-device', f'acpi-erst,memdev=m,addr=5{options}')

    def __enter__(self):
        self.vm.__enter__()
        self.map()
        return self

    def __exit__(self, *args):
        return self.vm.__exit__(*args)

    def map(self):
        pci = Pci(self.vm)
        assert pci.read(0x28, 0) == 0x00121b36
        pci.write(0x28, 0x10, REGISTERS)
        pci.write(0x28, 0x14, BUFFER)
        pci.write(0x28, 4, 2, 2)

    def act(self, action, value=None):
        if value is not None:
            self.vm.qtest(f'writeq {REGISTERS + 8:#x} {value:#x}')
        self.vm.qtest(f'writel {REGISTERS:#x} {action:#x}')
        return int(self.vm.qtest(f'readq {REGISTERS + 8:#x}'), 16)

    def run(self, operation, number=None, offset=0):
        self.act(operation)
        self.act(OFFSET, offset)
        if number is not None:
            self.act(SET_ID, number)
        self.act(EXECUTE, 0x9c)
        assert self.act(BUSY) & 1 == 0
        status = self.act(STATUS) >> 1
        self.act(END)
        return status

    def put(self, data, offset=0):
        self.vm.qtest(f'write {BUFFER + offset:#x} {len(data)} 0x{data.hex()}')
        return self.run(BEGIN_WRITE, offset=offset)

    def ids(self):
        found = []
        while (number := self.act(GET_ID)) != NO_ID:
            found.append(number)
        return found


class ErstTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, 'store')

    def test_facts(self):
        with Erst(self.path) as erst:
            self.assertEqual(erst.act(LENGTH), 0x2000)
            self.assertEqual(erst.act(ADDRESS), BUFFER)
            self.assertEqual(erst.act(ATTRIBUTES), 0)
            self.assertNotEqual(erst.act(TIMINGS), 0)
            self.assertEqual(erst.act(COUNT), 0)
            self.assertEqual(erst.act(GET_ID), NO_ID)
            self.assertEqual(erst.act(STATUS) >> 1, EMPTY)
            self.assertEqual(erst.run(BEGIN_READ, 5), EMPTY)
            self.assertEqual(erst.run(BEGIN_CLEAR, 5), EMPTY)
            self.assertEqual(erst.run(DUMMY), SUCCESS)
            self.assertEqual(erst.run(END), FAILED)
            erst.act(0x77)  # logged

    def test_records(self):
        with Erst(self.path) as erst:
            self.assertEqual(erst.put(record(7, b'seven')), SUCCESS)
            self.assertEqual(erst.put(record(9, b'nine'), 0x100), SUCCESS)
            self.assertEqual(erst.put(record(7, b'again')), SUCCESS)  # replaces it
            self.assertEqual(erst.act(COUNT), 2)
            self.assertEqual(erst.ids(), [7, 9])
            self.assertEqual(erst.ids(), [7, 9])  # from the start
            self.assertEqual(erst.run(BEGIN_READ, 9, 0x200), SUCCESS)
            self.assertEqual(memory(erst.vm, BUFFER + 0x200, 132), record(9, b'nine'))
            self.assertEqual(erst.run(BEGIN_READ, 8), NOT_FOUND)
            self.assertEqual(erst.run(BEGIN_READ, 0), NOT_FOUND)
            self.assertEqual(erst.run(BEGIN_READ, 9, 0x2000 - 100), FAILED)
            self.assertEqual(erst.run(BEGIN_READ, 9, 0xffffffff), FAILED)
            reset(erst.vm)
            erst.map()
            self.assertEqual(erst.ids(), [7, 9])
        with Erst(self.path) as erst:  # another day
            self.assertEqual(erst.run(BEGIN_READ, 7), SUCCESS)
            self.assertEqual(memory(erst.vm, BUFFER, 133), record(7, b'again'))
            self.assertEqual(erst.run(BEGIN_CLEAR, 7), SUCCESS)
            self.assertEqual(erst.ids(), [9])
            self.assertEqual(erst.run(BEGIN_READ, 7), NOT_FOUND)

    def test_bad_records(self):
        with Erst(self.path) as erst:
            for data, offset in ((record(1, size=127), 0), (record(1, size=0x2001), 0),
                                 (record(0), 0), (record(NO_ID), 0), (record(1, size=200), 0x1fa0),
                                 (record(1, size=0x100), 0x1f80)):
                erst.vm.qtest(f'write {BUFFER + offset:#x} {min(len(data), 0x2000 - offset)} '
                              f'0x{data[:0x2000 - offset].hex()}')
                self.assertEqual(erst.run(BEGIN_WRITE, offset=offset), FAILED)
            self.assertEqual(erst.run(BEGIN_WRITE, offset=0xfffffff0), FAILED)
            erst.act(BEGIN_WRITE)
            erst.act(EXECUTE, 0x9b)  # not meant
            self.assertEqual(erst.act(COUNT), 0)

    def test_full(self):
        with Erst(self.path, '16K', record_size=4096) as erst:
            results = [erst.put(record(n)) for n in range(1, 5)]
            self.assertEqual(results, [SUCCESS] * 3 + [NO_SPACE])
            self.assertEqual(erst.put(record(2, b'still')), SUCCESS)
            self.assertEqual(erst.run(BEGIN_CLEAR, 1), SUCCESS)
            self.assertEqual(erst.put(record(4)), SUCCESS)
            self.assertEqual(sorted(erst.ids()), [2, 3, 4])

    def test_table(self):
        with Erst(self.path) as erst:
            tables = dict(acpi.split(FwCfg(erst.vm).file('etc/acpi/tables')))
            entries = [tables['ERST'][at:at + 32] for at in range(48, len(tables['ERST']), 32)]
            self.assertEqual(len(entries), 27)
            self.assertEqual({entry[0] for entry in entries}, set(range(12)) | set(range(13, 17)))
            for entry in entries:
                self.assertIn(int.from_bytes(entry[8:16], 'little'), (REGISTERS, REGISTERS + 8))
            if acpi.IASL:
                acpi.disassemble(tables['ERST'])

    def test_refusals(self):
        def refused(size, *options, head=b''):
            path = os.path.join(self.folder.name, 'other')
            with open(path, 'wb') as file:
                file.write(head)
                file.truncate(size)
            return refusal(house.binary(), '-M', 'pc', '-object',
                           f'memory-backend-file,id=m,mem-path={path},size={size},share=on',
                           '-device', ','.join(['acpi-erst,memdev=m', *options]))
        self.assertIn("'memdev' property is not set",
                      refusal(house.binary(), '-M', 'pc', '-device', 'acpi-erst'))
        for size in (5000, 2048, 0):
            self.assertIn(f'ERST record_size {size} is invalid',
                          refused(65536, f'record_size={size}'))
        self.assertIn('requires storage size be multiple of record size', refused(8192))
        self.assertIn('wrong magic', refused(65536, head=b'not a store'))
        self.assertIn('header is invalid',
                      refused(65536, head=b'ERSTSTOR' + (4096).to_bytes(4, 'little')))


if __name__ == '__main__':
    house.main()
