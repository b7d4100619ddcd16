# SPDX-License-Identifier: GPL-2.0-or-later
"""-d, -D, -dfilter: each item logs what its name says, of a bare-metal guest's run."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402
from vm import TIMEOUT  # noqa: E402

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
# Each with what its log must hold.
ITEMS = {
    'in_asm': (r'^IN:\n0+fffffff0  ljmp', r'0+f[0-9a-f]{4}  mov +%eax, %cr0'),
    'op': (r'^OP:\nput pc', ),
    'op_opt': (r'(?m)^put pc', ),
    'out_asm': (r'0x[0-9a-f]+: +mov', ),
    'int': (r'(?m)^int: v=03 e=0000', r'(?m)^int: v=13 .*\nRAX=.*(\n.*){3}\nRIP='),
    'exec': (r'(?m)^Trace 0: 0x[0-9a-f]+ \[0/f0[0-9a-f]+/', ),
    'cpu': (r'(?m)^EAX=', r'(?m)^RAX=.*(\n.*){3}\nRIP=00000000000f'),
    'cpu,fpu': (r'(?m)^XMM00=', ),
    'pcall': (r'(?m)^ljmp 0008:', r'(?m)^event: v=01', r'(?m)^iret from 0018:'),
    'cpu_reset': (r'(?m)^CPU Reset \(CPU 0\)\nEAX=', ),
}


class Log(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        _, self.image = bare.build(self.folder.name, 'traps', 64)

    def tearDown(self):
        self.folder.cleanup()

    def log(self, items, *args):
        path = os.path.join(self.folder.name, 'log')
        done = subprocess.run([OURS, '-M', 'pc', '-m', '16', '-cpu', 'max', '-nodefaults', '-vga', 'none',
                               '-display', 'none', '-bios', self.image, '-device', 'isa-debug-exit',
                               '-d', items, '-D', path, *args], stdin=subprocess.DEVNULL,
                              timeout=TIMEOUT)
        self.assertEqual(done.returncode, 1)
        with open(path, encoding='utf-8') as file:
            return file.read()

    def test_items(self):
        for items, patterns in ITEMS.items():
            text = self.log(items)
            for pattern in patterns:
                with self.subTest(items=items, pattern=pattern):
                    if items == 'out_asm' and not text:
                        self.skipTest('there is no host code here')
                    self.assertIsNotNone(re.search(pattern, text.lstrip('-\n')), text[:2000])

    def test_filter(self):
        whole = self.log('exec')
        places = [int(line.split('/')[1], 16) for line in whole.splitlines()]
        first = min(place for place in places if place >= 0xf0000)
        text = self.log('exec', '-dfilter', f'{first:#x}..{first + 15:#x}')
        kept = [int(line.split('/')[1], 16) for line in text.splitlines()]
        self.assertTrue(kept)
        self.assertEqual(kept, [place for place in places if first <= place < first + 16])
        self.assertEqual(self.log('in_asm,cpu,exec,op', '-dfilter', '0x1000+0x10'), '')


if __name__ == '__main__':
    house.main()
