# SPDX-License-Identifier: GPL-2.0-or-later
"""What the text monitor shows of a CPU and its memory, also beside the installed peer.

A bare-metal guest sets up page tables with every kind of entry, and halts.
"""
import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
ARGS = ('-M', 'pc', '-m', '64', '-cpu', 'max', '-nodefaults', '-vga', 'none')
SAME = ['info tlb', 'info mem', 'gva2gpa 0xffffffff80001004', 'gva2gpa 0x40001004',
        'gva2gpa 0x6000000', 'x /3dg 0xf0000', 'x /5oh 0xf0000', 'x /9ub 0xf0000', 'x /20cb 0xf0000',
        'x /4xw 0x40000000', 'x /2xg 0xffffffff80000000', 'xp /6xh 0xf0000', 'p/x $cs.base', 'p/x $cs',
        'p/x $eip + 1', 'p/x $pc', 'p/x $esp', 'p/x $eflags', 'x /2i $pc']
TABLES = {
    32: ('0000000040000000: 0000000000020000 ---DA---W', '0000000040800000: 0000000000800000 -GP------'),
    36: ('0000000000800000: 0000000000800000 X-P--C-UW', '0000000040001000: 0000000000021000 ----A--UW'),
    64: ('ffffffff80002000: 0000000000022000 X------U-', 'ffffffff80005000: 0000000000023000 -----C--W'),
}
RANGES = {
    32: '00000000fec00000-00000000ff000000 0000000000400000 -rw',
    36: '0000000040003000-0000000040004000 0000000000001000 -r-',
    64: 'ffffffff80003000-ffffffff80004000 0000000000001000 -r-',
}


class HmpCpu(unittest.TestCase):
    def run_guest(self, binary, image, *args):
        return Vm(binary, *ARGS, '-bios', image, *args)

    def texts(self, binary, image):
        with self.run_guest(binary, image) as vm:
            bare.wait_until_halted(vm)
            texts = {line: vm.qmp.hmp(line) for line in SAME}
            # What the guest's timing decides is left out.
            texts['info registers'] = re.sub('[ER]AX=[0-9a-f]*', '', vm.qmp.hmp('info registers'))
            texts['info lapic'] = re.sub('LVT0.*', '', vm.qmp.hmp('info lapic'))
        return texts

    def without_syntax(self, line, text):
        """Instructions by address and bytes, pages without NX in their address."""
        if line.startswith('x /2i'):
            return [shown[:36] for shown in text.splitlines()]
        return text.replace(': 8', ': 0') if line == 'info tlb' else text

    def test_beside_the_peer(self):
        peer = house.peer('qemu-system-x86_64')
        for bits in (32, 36, 64):
            with tempfile.TemporaryDirectory() as folder:
                _, image = bare.build(folder, 'debug_guest', bits, '-DGUEST_STOPS')
                ours = self.texts(OURS, image)
                for line in TABLES[bits]:
                    self.assertIn(line + '\r\n', ours['info tlb'])
                self.assertIn(RANGES[bits] + '\r\n', ours['info mem'])
                self.assertIn('jmp      0xf', ours['x /2i $pc'])
                if not peer:
                    continue
                theirs = self.texts(peer, image)
                for line, text in ours.items():
                    with self.subTest(bits=bits, line=line):
                        self.assertEqual(self.without_syntax(line, text),
                                         self.without_syntax(line, theirs[line]))

    def test_instructions_in_all_widths(self):
        """The same bytes mean different things; the CPU's mode decides."""
        code = b'\xb8\x34\x12\x90\x90\xc3'
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'code')
            with open(path, 'wb') as file:
                file.write(code)
            loader = ('-device', f'loader,file={path},addr=0x60000,force-raw=on')
            with Vm(OURS, *ARGS, *loader, '-S') as vm:
                self.assertRegex(vm.qmp.hmp('xp /2i 0x60000'),
                                 r'^0x00060000:  b8 34 12 +mov +\$0x1234, %ax\r\n0x00060003:  90 +nop\r\n$')
            for bits, shown in ((32, r'b8 34 12 90 90 +mov +\$0x90901234, %eax'),
                                (64, r'b8 34 12 90 90 +mov +\$0x90901234, %eax')):
                _, image = bare.build(folder, 'debug_guest', bits, '-DGUEST_STOPS')
                with self.run_guest(OURS, image, *loader) as vm:
                    bare.wait_until_halted(vm)
                    self.assertRegex(vm.qmp.hmp('x /2i 0x60000'),
                                     rf'^0x00060000:  {shown}\r\n0x00060005:  c3 +ret')

    def test_virtual_memory_to_files(self):
        with tempfile.TemporaryDirectory() as folder:
            _, image = bare.build(folder, 'debug_guest', 64, '-DGUEST_STOPS')
            with open(image, 'rb') as file:
                rom = file.read()
            with self.run_guest(OURS, image, '-smp', '2') as vm:
                bare.wait_until_halted(vm)
                virtual, physical = (os.path.join(folder, name) for name in ('v', 'p'))
                # Page by page, and in an order of its own: the fourth is at 0x24000.
                vm.qmp('memsave', val=0xffffffff80000000 - (1 << 64), size=0x4000, filename=virtual)
                vm.qmp('pmemsave', val=0x20000, size=0x5000, filename=physical)
                with open(virtual, 'rb') as file:
                    saved = file.read()
                with open(physical, 'rb') as file:
                    memory = file.read()
                self.assertEqual(saved, memory[:0x3000] + memory[0x4000:])
                self.assertEqual(memory[4], 1)
                vm.qmp.hmp(f'memsave 0xf0000 65536 "{virtual}"')
                with open(virtual, 'rb') as file:
                    self.assertEqual(file.read(), rom)
                with self.assertRaisesRegex(QmpError, 'expects a CPU number'):
                    vm.qmp('memsave', val=0, size=16, filename=virtual, cpu_index=2)
                # The second CPU has no paging yet: its addresses are physical.
                vm.qmp('memsave', val=0x20000, size=0x5000, filename=virtual, cpu_index=1)
                with open(virtual, 'rb') as file:
                    self.assertEqual(file.read(), memory)
                for args in ({'val': 0x3000_0000_0000, 'size': 8}, {'val': 0, 'size': -1}):
                    with self.assertRaises(QmpError):
                        vm.qmp('memsave', filename=virtual, **args)

    def test_host_addresses_and_controllers(self):
        with tempfile.TemporaryDirectory() as folder:
            _, image = bare.build(folder, 'debug_guest', 64, '-DGUEST_STOPS')
            with self.run_guest(OURS, image) as vm:
                bare.wait_until_halted(vm)
                for line, pattern in (
                        ('gpa2hva 0x1000', r'Host virtual address for 0x1000 \(pc.ram\) is 0x[0-9a-f]+'),
                        ('gpa2hva 0xfee00000', r'Error: Memory at address 0xfee00000is not RAM'),
                        ('gpa2hva 0x90000000', r'Error: No memory is mapped at address 0x90000000'),
                        ('gpa2hpa 0x1000', r'(Host physical address for 0x1000 \(pc.ram\) is 0x|Error: )'),
                        ('x 0x30000000000', '0000030000000000: Cannot access memory'),
                        ('x /i 0x30000000000', '0x30000000000: unable to read memory'),
                        ('info lapic', r'dumping local APIC state for CPU 0'),
                        ('info lapic 7', 'No CPU available'),
                        ('info pic', r'pic0: irr=[0-9a-f]{2} imr=00'),
                        ('info irq', r'IRQ statistics for isa-i8259:\r\n 0: [1-9]'),
                        ('p $nosuch', 'unknown register')):
                    with self.subTest(line=line):
                        self.assertRegex(vm.qmp.hmp(line), pattern)
                self.assertEqual(vm.qmp.hmp('info pic').count('  pin '), 24)

    def test_instruction_by_instruction(self):
        with tempfile.TemporaryDirectory() as folder:
            elf, image = bare.build(folder, 'debug_guest', 64)
            look = f"xp /gx {bare.symbols(elf)['counter']:#x}"
            with self.run_guest(OURS, image) as vm:
                for line in ('one-insn-per-tb on', 'singlestep off', 'one-insn-per-tb'):
                    self.assertEqual(vm.qmp.hmp(line), '')
                    # It goes on counting.
                    before = vm.qmp.hmp(look)
                    while vm.qmp.hmp(look) == before:
                        pass

    def test_before_paging(self):
        with Vm(OURS, *ARGS, '-S') as vm:
            self.assertEqual(vm.qmp.hmp('info tlb'), 'PG disabled\r\n')
            self.assertEqual(vm.qmp.hmp('info mem'), 'PG disabled\r\n')
            self.assertEqual(vm.qmp.hmp('gva2gpa 0xffffff00'), 'gpa: 0xffffff00\r\n')
            self.assertEqual(vm.qmp.hmp('p/x $pc'), '0xfffffff0\r\n')


if __name__ == '__main__':
    house.main()
