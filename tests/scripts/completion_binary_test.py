"""Bash completion, asking a program that was built.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import subprocess
import unittest

import check_layers  # beside the scripts

SCRIPT = os.path.join(os.path.dirname(check_layers.__file__), 'completion.bash')
PROGRAM = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')


class Completion(unittest.TestCase):
    def complete(self, previous, current):
        script = f'. {SCRIPT}; _qemu_system "$@"; printf "%s\\n" "${{COMPREPLY[@]}}"'
        done = subprocess.run(['bash', '-c', script, 'bash', PROGRAM, current, previous],
                              capture_output=True, text=True, check=True)
        return done.stdout.split()

    def test_completion(self):
        for previous, current, expected in (
                ('x', '-nodef', ['-nodefaults']), ('-machine', 'no', ['none']),
                ('-object', 'memory-backend-r', ['memory-backend-ram']),
                ('-object', 'memory-backend-ram,siz', ['memory-backend-ram,size=']),
                ('-device', 'loade', ['loader']),
                ('-device', 'loader,data=1,addr', ['loader,data=1,addr=']),
                ('-cpu', 'Skylake-Client-v1', ['Skylake-Client-v1']),
                ('-chardev', 'ringb', ['ringbuf']), ('-accel', 'q', ['qtest']),
                ('-d', 'in_as', ['in_asm']), ('-kernel', '', [])):
            with self.subTest(previous=previous, current=current):
                self.assertEqual(self.complete(previous, current), expected)


if __name__ == '__main__':
    unittest.main()
