# SPDX-License-Identifier: GPL-2.0-or-later
"""What firmware and guests are told of a TPM, with swtpm as the TPM."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import acpi  # noqa: E402
import acpiexec  # noqa: E402
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from vm import Vm  # noqa: E402

SWTPM = shutil.which('swtpm')


class Tpm:
    """A machine with a TPM of its own."""

    def __init__(self, model, version, *more):
        self.folder = tempfile.TemporaryDirectory(prefix='tpm-')
        path = os.path.join(self.folder.name, 'control')
        self.tpm = subprocess.Popen(
            [SWTPM, 'socket', '--tpmstate', f'dir={self.folder.name}', '--ctrl',
             f'type=unixio,path={path}', '--terminate', *(['--tpm2'] if version == 2 else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not os.path.exists(path) and self.tpm.poll() is None:
            pass
        self.vm = Vm(house.binary(), '-M', 'q35', *more, '-nodefaults', '-chardev',
                     f'socket,id=c,path={path}', '-tpmdev', 'emulator,id=t,chardev=c', '-device',
                     f'{model},tpmdev=t', qtest=True)

    def __enter__(self):
        return self.vm.__enter__()

    def __exit__(self, *args):
        self.vm.__exit__(*args)
        self.tpm.terminate()
        self.tpm.wait()
        self.folder.cleanup()


@unittest.skipUnless(SWTPM, 'swtpm is not installed')
class AcpiTpm(unittest.TestCase):
    def test_tpm2(self):
        for model, method, control in (('tpm-tis', 6, 0), ('tpm-crb', 7, 0xfed40040)):
            with self.subTest(model=model), Tpm(model, 2) as vm:
                cfg = FwCfg(vm)
                self.assertEqual(cfg.files()['etc/tpm/log'][0], 65536)
                self.assertEqual(cfg.file('etc/tpm/config').hex(), '0050d4fe0201')
                tables = dict(acpi.split(cfg.file('etc/acpi/tables')))
                table = tables['TPM2']
                self.assertEqual(int.from_bytes(table[40:48], 'little'), control)
                self.assertEqual(int.from_bytes(table[48:52], 'little'), method)
                self.assertIn(b'MSFT0101', tables['DSDT'])
                self.assertIn(b'etc/tpm/log\0', cfg.file('etc/table-loader'))
                if acpi.IASL:
                    acpi.disassemble(table)
                    acpi.disassemble(tables['DSDT'])

    @unittest.skipUnless(acpiexec.TOOL, 'acpiexec is not installed')
    def test_presence(self):
        """Physical presence as the specification's tables 1 to 9 have it, for states firmware sets."""
        with Tpm('tpm-crb', 2) as vm:
            dsdt = dict(acpi.split(FwCfg(vm).file('etc/acpi/tables')))['DSDT']
        dsm = '\\_SB.TPM._DSM (a6 fa dd 3d 1b 36 b4 4e a4 24 8d 10 08 9d 16 53)'
        submit, submit_2 = f'{dsm} 1 2 [5]', f'{dsm} 2 7 [23 9]'
        for state, calls, expected in (
                (0, f'{dsm} 1 0 [0]', 'FF 01'), (0, f'{dsm} 1 1 [0]', '"1.3"'),
                (0, submit, '0000000000000001'), (4, submit, '0000000000000000'),
                (3, submit, '0000000000000000'), (2, submit, '0000000000000002'),
                (1, submit_2, '0000000000000003'), (4, f'{dsm} 1 2 [256]', '0000000000000001'),
                (4, f'{submit};execute {dsm} 1 3 [0]', '0000000000000005'),
                (4, f'{submit_2};execute {dsm} 2 3 [0]', '0000000000000017.*0000000000000009'),
                (0, f'{dsm} 1 4 [0]', '0000000000000002'), (4, f'{dsm} 1 5 [0]', '04040404.*04040404'),
                (0, f'{dsm} 1 6 [656e]', '0000000000000003'), (3, f'{dsm} 1 8 [5]', '0000000000000003'),
                (0, f'{dsm} 1 9 [0]', ' 00 ')):
            with self.subTest(state=state, calls=calls):
                text, = acpiexec.execute([dsdt], calls, fill=state).values()
                self.assertNotRegex(text, r'ACPI (Error|Exception|Warning)|failed')
                last = text[text.rindex('Evaluating'):]
                self.assertRegex(last[last.index('returned object'):], re.compile(expected, re.S))

    @unittest.skipUnless(acpiexec.TOOL, 'acpiexec is not installed')
    def test_memory_clear(self):
        """The request to overwrite memory, as ACPI makes it."""
        with Tpm('tpm-crb', 2) as vm:
            dsdt = dict(acpi.split(FwCfg(vm).file('etc/acpi/tables')))['DSDT']
        dsm = '\\_SB.TPM._DSM (ed 54 60 37 13 cc 75 46 90 1c 47 56 d7 f2 d4 5d) 1'
        for calls, expected in ((f'{dsm} 0 [0]', ' 03 '), (f'{dsm} 1 [17]', '0000000000000000'),
                                (f'{dsm} 1 [17];execute \\_SB.TPM.PPMV', '0000000000000011'),
                                (f'{dsm} 2 [0]', ' 00 ')):
            with self.subTest(calls=calls):
                text, = acpiexec.execute([dsdt], calls).values()
                self.assertNotRegex(text, r'ACPI (Error|Exception|Warning)|failed')
                last = text[text.rindex('Evaluating'):]
                self.assertRegex(last[last.index('returned object'):], expected)

    def test_memory_is_cleared(self):
        """RAM and DIMMs, not NVDIMMs; no more once the guest takes the request back."""
        more = ['-m', '32,slots=2,maxmem=256M',
                '-object', 'memory-backend-ram,id=dimm,size=128M', '-device', 'pc-dimm,memdev=dimm',
                '-object', 'memory-backend-ram,id=nv,size=2M', '-device', 'nvdimm,memdev=nv']
        with Tpm('tpm-crb', 2, '-M', 'q35,nvdimm=on', *more) as vm:
            dimm, nvdimm = (device['data'] for device in vm.qmp('query-memory-devices'))
            places = [0x1000, 0x1fffff8, dimm['addr'] + 0x2000, nvdimm['addr'] + 0x2000]

            def after_reset(request):
                for place in places:
                    vm.qtest(f'writel {place:#x} 0x5ec4e7')
                vm.qtest(f'writeb 0xfed4515a {request:#x}')
                vm.qmp('system_reset')
                vm.qmp.wait_event('RESET')
                return [int(vm.qtest(f'readl {place:#x}'), 16) for place in places]

            self.assertEqual(after_reset(0x10), 4 * [0x5ec4e7])
            self.assertEqual(after_reset(0x11), 3 * [0] + [0x5ec4e7])
            self.assertEqual(after_reset(0), 4 * [0x5ec4e7])

    @unittest.skipUnless(acpiexec.TOOL, 'acpiexec is not installed')
    def test_no_presence(self):
        with Tpm('tpm-crb,ppi=off', 2) as vm:
            self.assertNotIn(b'PPSB', dict(acpi.split(FwCfg(vm).file('etc/acpi/tables')))['DSDT'])

    def test_tpm12(self):
        with Tpm('tpm-tis', 1) as vm:
            cfg = FwCfg(vm)
            tables = dict(acpi.split(cfg.file('etc/acpi/tables')))
            self.assertNotIn('TPM2', tables)
            self.assertNotIn(b'MSFT0101', tables['DSDT'])
            self.assertEqual(cfg.file('etc/tpm/config').hex(), '0050d4fe0101')


if __name__ == '__main__':
    house.main()
