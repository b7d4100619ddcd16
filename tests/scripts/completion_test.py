"""Bash completion offers what a program's own help lists.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import shutil
import subprocess
import tempfile
import unittest

import check_layers  # beside the scripts

SCRIPT = os.path.join(os.path.dirname(check_layers.__file__), 'completion.bash')
PROGRAM = """#!/bin/sh
case "$*" in
-help) printf '%s\\n' 'Options:' '-h or -help   this' '-machine [type=]name' '   -no-option' \\
       '-machinery x' ;;
'-machine help') printf '%s\\n' 'Supported machines are:' 'none    empty' 'pc-i440fx-9.0  PC' ;;
'-device help') printf '%s\\n' 'Network devices:' 'name "e1000", bus PCI' '' 'name "rocker"' ;;
'-device e1000,help') printf '%s\\n' 'e1000 options:' '  addr=<int32>  - Slot' '  mac=<str>' ;;
'-cpu help') printf '%s\\n' 'Available CPUs:' 'x86 486   (alias)' 'PowerPC 970 PVR' '  max' ;;
*) exit 1 ;;
esac
"""


@unittest.skipUnless(shutil.which('bash'), 'bash is not installed')
class Completion(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.program = os.path.join(folder.name, 'emulator')
        with open(self.program, 'w', encoding='utf-8') as file:
            file.write(PROGRAM)
        os.chmod(self.program, 0o755)

    def complete(self, previous, current):
        script = f'. {SCRIPT}; _qemu_system "$@"; printf "%s\\n" "${{COMPREPLY[@]}}"'
        done = subprocess.run(['bash', '-c', script, 'bash', self.program, current, previous],
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, '')
        return sorted(done.stdout.split())

    def test_options(self):
        self.assertEqual(self.complete('x', '-'), ['-h', '-help', '-machine', '-machinery'])
        self.assertEqual(self.complete('-machine', '-he'), ['-help'])

    def test_names(self):
        self.assertEqual(self.complete('-machine', ''), ['none', 'pc-i440fx-9.0'])
        self.assertEqual(self.complete('--machine', 'n'), ['none'])
        self.assertEqual(self.complete('-device', ''), ['e1000', 'rocker'])
        self.assertEqual(self.complete('-cpu', ''), ['486', '970', 'max'])

    def test_properties(self):
        self.assertEqual(self.complete('-device', 'e1000,'), ['e1000,addr=', 'e1000,mac='])
        self.assertEqual(self.complete('-device', 'e1000,mac=1,a'), ['e1000,mac=1,addr='])
        self.assertEqual(self.complete('-device', 'nothing,'), [])

    def test_other_options_are_left_to_file_names(self):
        self.assertEqual(self.complete('-kernel', ''), [])


if __name__ == '__main__':
    unittest.main()
