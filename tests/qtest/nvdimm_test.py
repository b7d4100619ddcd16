# SPDX-License-Identifier: GPL-2.0-or-later
"""NVDIMMs as a guest's AML asks for them: the page and its port, labels, the FIT, tables."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import acpi  # noqa: E402
import acpiexec  # noqa: E402
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from vm import Vm  # noqa: E402

MIB = 1 << 20
PAGE, PORT, FIT = 0x300000, 0xa18, 0x10000
LABELS = 128 << 10
SUCCESS, NOT_SUPPORTED, NO_DEVICE, BAD, CHANGED = 0, 1, 2, 3, 0x100


def words(*numbers):
    return b''.join(number.to_bytes(4, 'little') for number in numbers)


def word(data, at):
    return int.from_bytes(data[at:at + 4], 'little')


class Machine(Vm):
    def __init__(self, *devices, slots=4):
        args = []
        for number in range(slots):
            args += ['-object', f'memory-backend-ram,id=m{number},size=64M']
        for device in devices:
            args += ['-device', device]
        super().__init__(house.binary(), '-M', 'q35,nvdimm=on', '-nodefaults', '-m',
                         f'128,slots={slots},maxmem=2G', *args, qtest=True)

    def ask(self, handle, function, arguments=b'', revision=1):
        request = words(handle, revision, function) + arguments
        self.qtest(f'write {PAGE:#x} {len(request)} 0x{request.hex()}')
        self.qtest(f'outl {PORT:#x} {PAGE:#x}')
        size = word(bytes.fromhex(self.qtest(f'read {PAGE:#x} 4')[2:]), 0)
        assert 4 <= size <= 4096, size
        return bytes.fromhex(self.qtest(f'read {PAGE:#x} {size}')[2:])[4:]

    def fit(self):
        data, offset = b'', 0
        while True:
            part = self.ask(FIT, 1, words(offset))
            if word(part, 0) == CHANGED:
                data, offset = b'', 0
                continue
            assert word(part, 0) == SUCCESS
            if len(part) == 4:
                return data
            data += part[4:]
            offset = len(data)


class Nvdimm(unittest.TestCase):
    def test_labels(self):
        with Machine(f'nvdimm,id=n,memdev=m0,label-size={LABELS},slot=1') as vm:
            self.assertEqual(word(vm.ask(2, 0), 0), 0x71)
            answer = vm.ask(2, 4)
            self.assertEqual((word(answer, 0), word(answer, 4)), (SUCCESS, LABELS))
            most = word(answer, 8)
            data = bytes(range(256)) * 4
            self.assertEqual(vm.ask(2, 6, words(LABELS - 1024, 1024) + data), words(SUCCESS))
            self.assertEqual(vm.ask(2, 5, words(LABELS - 1024, 1024)), words(SUCCESS) + data)
            self.assertEqual(vm.ask(2, 5, words(0, most))[4:], bytes(most))
            for offset, size in ((LABELS - 1023, 1024), (LABELS + 1, 0), (0, most + 1),
                                 (0xffffffff, 2), (2, 0xffffffff)):
                for function in (5, 6):
                    self.assertEqual(vm.ask(2, function, words(offset, size)), words(BAD))
            vm.qtest('outl 0xa18 0xfffff000')  # no page there
            vm.qtest('outl 0xa18 0x300001')

    def test_others(self):
        with Machine('nvdimm,memdev=m0', 'pc-dimm,memdev=m1') as vm:
            self.assertEqual(word(vm.ask(1, 0), 0), 0)  # it has no labels
            self.assertEqual(vm.ask(1, 4), words(NOT_SUPPORTED))
            self.assertEqual(vm.ask(2, 4), words(NO_DEVICE))  # a DIMM
            self.assertEqual(vm.ask(77, 4), words(NO_DEVICE))
            self.assertEqual(vm.ask(0, 0), words(0))
            self.assertEqual(vm.ask(0, 1), words(NOT_SUPPORTED))
            self.assertEqual(vm.ask(1, 4, revision=2), words(NOT_SUPPORTED))
            self.assertEqual(vm.ask(1, 0xffffffff), words(NOT_SUPPORTED))
            self.assertEqual(vm.ask(FIT, 2), words(NOT_SUPPORTED))
            self.assertEqual(vm.ask(FIT, 1, words(1 << 20)), words(BAD))

    def test_fit(self):
        with Machine('nvdimm,memdev=m0', slots=32) as vm:
            one = vm.fit()
            self.assertEqual(len(one), 56 + 48 + 80)
            self.assertEqual(int.from_bytes(one[32:40], 'little'), 4 << 30)
            self.assertEqual(int.from_bytes(one[40:48], 'little'), 64 * MIB)
            tables = dict(acpi.split(FwCfg(vm).file('etc/acpi/tables')))
            self.assertEqual(tables['NFIT'][40:], one)
            # Half of it read when a module comes.
            vm.ask(FIT, 1, words(0))
            vm.qmp('device_add', driver='nvdimm', memdev='m1', unarmed=True)
            self.assertEqual(vm.ask(FIT, 1, words(len(one))), words(CHANGED))
            two = vm.fit()
            self.assertEqual(len(two), 2 * len(one))
            self.assertEqual(int.from_bytes(two[len(one) + 56 + 44:][:2], 'little') & 8, 8)
            for number in range(2, 27):
                vm.qmp('device_add', driver='nvdimm', memdev=f'm{number}')
            self.assertEqual(len(vm.fit()), 27 * len(one))  # more than a page

    def test_tables(self):
        with Machine(f'nvdimm,memdev=m0,label-size={LABELS}') as vm:
            cfg = FwCfg(vm)
            self.assertEqual(len(cfg.file('etc/acpi/nvdimm-mem')), 4096)
            tables = dict(acpi.split(cfg.file('etc/acpi/tables')))
            self.assertEqual(tables['SSDT'][36:43], b'\x08\\MEMA\x0c')
            if acpi.IASL:
                acpi.disassemble(tables['NFIT'])
                placed = tables['SSDT'][:43] + words(0x7ffe0000) + tables['SSDT'][47:]
                acpi.disassemble(acpi.split(placed)[0][1])
            if acpiexec.TOOL:
                said = acpiexec.execute([tables['DSDT'], tables['SSDT']], '\\_SB.NVDR._FIT',
                                        '\\_SB.NVDR.NV00._DSM (00) 1 0 [0]')
                for method, text in said.items():
                    self.assertNotRegex(text, r'ACPI (Error|Exception|Warning)|failed', method)

    def test_affinity(self):
        """SRAT has each as non-volatile memory of its node: of the second, what labels leave."""
        with Machine('nvdimm,memdev=m0', f'nvdimm,memdev=m1,label-size={LABELS}') as vm:
            srat = dict(acpi.split(FwCfg(vm).file('etc/acpi/tables')))['SRAT']
        found, at = [], 48
        while at < len(srat):
            if srat[at] == 1 and word(srat, at + 28) & 4:
                found.append((word(srat, at + 2), int.from_bytes(srat[at + 16:at + 24], 'little'),
                              word(srat, at + 28)))
            at += srat[at + 1]
        self.assertEqual(found, [(0, 64 * MIB, 5), (0, 62 * MIB, 5)])

    def test_not_wanted(self):
        for options in ([], ['-m', '128,slots=1,maxmem=1G']):
            with Vm(house.binary(), '-M', 'pc', '-nodefaults', *options, qtest=True) as vm:
                self.assertNotIn('etc/acpi/nvdimm-mem', FwCfg(vm).files())
                self.assertEqual(int(vm.qtest('inl 0xa18'), 16), 0xffffffff)


if __name__ == '__main__':
    house.main()
