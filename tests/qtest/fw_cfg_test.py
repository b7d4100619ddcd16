# SPDX-License-Identifier: GPL-2.0-or-later
"""What a PC tells its firmware through fw_cfg."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from fw_cfg import FwCfg  # noqa: E402
from vm import Vm, refusal  # noqa: E402

UUID = '4600cb32-38ec-4b2f-8acb-81c6ea54f2d8'
GIB = 1 << 30


def machine(*args):
    return Vm(house.binary(), '-nodefaults', *args, qtest=True)


def entries(data):
    return [(int.from_bytes(data[i:i + 8], 'little'), int.from_bytes(data[i + 8:i + 16], 'little'),
             int.from_bytes(data[i + 16:i + 20], 'little')) for i in range(0, len(data), 20)]


class Numbers(unittest.TestCase):
    def test_defaults(self):
        with machine('-uuid', UUID) as vm:
            cfg = FwCfg(vm)
            self.assertEqual(cfg.read('signature', 4), b'QEMU')
            self.assertEqual(cfg.number('id', 4), 3)
            self.assertEqual(cfg.read('uuid', 16), bytes.fromhex(UUID.replace('-', '')))
            self.assertEqual(cfg.number('ram_size', 8), 128 << 20)
            for key, value in (('nographic', 0), ('nb_cpus', 1), ('max_cpus', 1), ('boot_menu', 0)):
                self.assertEqual(cfg.number(key, 2), value, key)
            self.assertEqual(cfg.number('numa', 8), 0)
            self.assertEqual(cfg.number('irq0_override', 4), 1)

    def test_options(self):
        with machine('-smp', '2,sockets=3,cores=3,maxcpus=9', '-nographic', '-boot',
                     'menu=on') as vm:
            cfg = FwCfg(vm)
            self.assertEqual(cfg.number('nb_cpus', 2), 2)
            # The highest APIC id and one: sockets of three cores have ids of four.
            self.assertEqual(cfg.number('max_cpus', 2), 11)
            self.assertEqual(cfg.number('nographic', 2), 1)
            self.assertEqual(cfg.number('boot_menu', 2), 1)

    def test_numa(self):
        """Nodes, the node of every APIC id, the bytes of every node."""
        with machine('-smp', '4', '-m', '96', '-object', 'memory-backend-ram,id=a,size=64M',
                     '-object', 'memory-backend-ram,id=b,size=32M', '-numa', 'node,cpus=0-1,memdev=a',
                     '-numa', 'node,cpus=2-3,memdev=b') as vm:
            data = FwCfg(vm).read('numa', 8 * 7)
            self.assertEqual([int.from_bytes(data[i:i + 8], 'little') for i in range(0, 56, 8)],
                             [2, 0, 0, 1, 1, 64 << 20, 32 << 20])


class Files(unittest.TestCase):
    def test_boot(self):
        for value in (0, 12, 65535):
            with self.subTest(value=value), \
                    machine('-boot', f'reboot-timeout={value},splash-time={value}') as vm:
                cfg = FwCfg(vm)
                self.assertEqual(cfg.file('etc/boot-fail-wait'), value.to_bytes(4, 'little'))
                self.assertEqual(cfg.file('etc/boot-menu-wait'), value.to_bytes(2, 'little'))
        with machine('-boot', 'reboot-timeout=-1') as vm:
            self.assertEqual(FwCfg(vm).file('etc/boot-fail-wait'), b'\xff' * 4)
            self.assertNotIn('etc/boot-menu-wait', FwCfg(vm).files())

    def test_splash(self):
        with tempfile.NamedTemporaryFile() as image:
            for head, name in ((b'BM', 'bootsplash.bmp'), (b'\xff\xd8', 'bootsplash.jpg')):
                image.seek(0)
                image.write(head + b'pixels')
                image.flush()
                with self.subTest(name=name), machine('-boot', f'splash={image.name}') as vm:
                    self.assertEqual(FwCfg(vm).file(name), head + b'pixels')
            image.seek(0)
            image.write(b'no')
            image.flush()
            self.assertIn('format not recognized', refusal(house.binary(), '-boot',
                                                           f'splash={image.name}'))

    def test_user(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b'\0contents\xff')
            file.flush()
            with machine('-fw_cfg', f'opt/a,file={file.name}', '-fw_cfg',
                         'name=opt/b,string=text', '-option-rom', f'{file.name},bootindex=1') as vm:
                cfg = FwCfg(vm)
                rom = 'genroms/' + os.path.basename(file.name)
                self.assertEqual(cfg.file('opt/a'), b'\0contents\xff')
                self.assertEqual(cfg.file('opt/b'), b'text')
                self.assertEqual(cfg.file(rom), b'\0contents\xff')
                self.assertEqual(cfg.file('bootorder'), f'/rom@{rom}\0'.encode())

    def test_dma_is_to_memory(self):
        """Devices are not reached, however much is asked for (a fuzzer's finding: 4 GiB of zeros)."""
        with machine('-M', 'microvm,pcie=on') as vm:
            cfg = FwCfg(vm)
            for at in 0xfec00000, 0xc0000000, 3 << 38:
                cfg.dma(0x0a, 0xffffffff, at, left=1)
            vm.qtest('writel 0xfec00000 1')
            self.assertEqual(vm.qtest('readl 0xfec00010'), '0x0000000000170020')
            cfg.dma(0x0a, 4, 0x9000)
            self.assertEqual(vm.qtest('read 0x9000 4'), '0x51454d55')

    def test_refusals(self):
        for option, text in (('-fw_cfg', "fw_cfg: 'name' is missing"),):
            self.assertIn(text, refusal(house.binary(), option, 'string=x'))
        self.assertIn('at most', refusal(house.binary(), '-fw_cfg', 'opt/' + 'x' * 60 + ',string=')
                      .replace('max. 55', 'at most'))
        self.assertIn("could not load option ROM '/nowhere'",
                      refusal(house.binary(), '-option-rom', '/nowhere'))

    def test_e820(self):
        with machine('-M', 'pc', '-m', '1G') as vm:
            self.assertEqual(entries(FwCfg(vm).file('etc/e820'))[0], (0, GIB, 1))
        for name, low in (('pc', 3 * GIB), ('q35', 2 * GIB), ('q35,max-ram-below-4g=1G', GIB)):
            with self.subTest(machine=name), machine('-M', name, '-m', '5G') as vm:
                got = [e for e in entries(FwCfg(vm).file('etc/e820')) if e[2] == 1]
                self.assertEqual(got, [(0, low, 1), (4 * GIB, 5 * GIB - low, 1)])

    def test_hypertransport(self):
        """AMD's hole below 1 TiB is told of; what would reach into it begins behind it."""
        with machine('-m', '5G', '-cpu', 'EPYC,phys-bits=48', '-global',
                     'i440FX-pcihost.pci-hole64-size=2T') as vm:
            self.assertEqual(entries(FwCfg(vm).file('etc/e820')),
                             [(0, 3 * GIB, 1), (0xfd00000000, 12 * GIB, 2),
                              (1024 * GIB, 2 * GIB, 1)])
            vm.qtest(f'writel {1024 * GIB:#x} 0x1234')
            self.assertEqual(int(vm.qtest(f'readl {1024 * GIB:#x}'), 16), 0x1234)
        with machine('-m', '5G', '-cpu', 'Nehalem') as vm:
            self.assertEqual(len(entries(FwCfg(vm).file('etc/e820'))), 2)

    def test_address_space(self):
        """QEMU's mem_addr_space: the largest -m maxmem= for what CPUs can address."""
        small = ['-M', 'q35', '-cpu', 'pentium,pse36=on', '-m']
        amd = ['-M', 'q35', '-m']
        intel = ['-M', 'q35', '-cpu', 'Skylake-Server,phys-bits=40', '-m']
        for options, fits, too_much in ((small, '59.5G', '59.6G'), (amd, '975.5G', '976G'),
                                        (intel, '987.5G', '988.5G')):
            with self.subTest(options=options):
                with machine(*options, f'512,slots=1,maxmem={fits}'):
                    pass
                self.assertIn('phys-bits too low',
                              refusal(house.binary(), *options, f'512,slots=1,maxmem={too_much}'))

    def test_sleep_states(self):
        for args, states in (([], '800000818280'),
                             (['-global', 'ICH9-LPC.disable_s3=1'], '800000018280'),
                             (['-global', 'ICH9-LPC.disable_s4=1'], '800000810280')):
            with self.subTest(args=args), machine('-M', 'q35', *args) as vm:
                self.assertEqual(FwCfg(vm).file('etc/system-states').hex(), states)

    def test_feature_control(self):
        with machine('-cpu', 'qemu64,vmx=on,x-force-features=on') as vm:
            self.assertEqual(FwCfg(vm).file('etc/msr_feature_control'), (5).to_bytes(8, 'little'))
        with machine('-cpu', 'qemu64') as vm:
            self.assertNotIn('etc/msr_feature_control', FwCfg(vm).files())

    def test_extra_roots(self):
        with machine('-device', 'pxb,bus_nr=8,id=x') as vm:
            self.assertEqual(FwCfg(vm).file('etc/extra-pci-roots'), (1).to_bytes(8, 'little'))

    def test_smbios(self):
        """The tables' anchor by machine version; what the user says stands in them."""
        for version, anchor in (('pc', b'_SM_'), ('pc-i440fx-8.2', b'_SM3_'),
                                ('pc-i440fx-8.0', b'_SM_'),
                                ('pc,smbios-entry-point-type=64', b'_SM3_')):
            with self.subTest(version=version), \
                    machine('-M', version, '-smbios', 'type=1,product=Thing,serial=77') as vm:
                cfg = FwCfg(vm)
                self.assertTrue(cfg.file('etc/smbios/smbios-anchor').startswith(anchor))
                tables = cfg.file('etc/smbios/smbios-tables')
                self.assertIn(b'Thing\0', tables)
                self.assertIn(b'77\0', tables)
        self.assertIn("Invalid parameter 'nonsense'",
                      refusal(house.binary(), '-smbios', 'type=1,nonsense=1'))


if __name__ == '__main__':
    house.main()
