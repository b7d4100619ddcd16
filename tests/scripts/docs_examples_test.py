"""Examples in documents: what a fenced `console` block shows is what running it prints.

A line that begins with `$ ` is a command, one with `> ` goes on with it; the rest is the output,
where `...` stands for anything.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import subprocess
import tempfile
import unittest

import check_layers  # beside the scripts

SOURCE = os.path.dirname(os.path.dirname(check_layers.__file__))
BLOCK = re.compile(r'^```console\n(.*?)^```$', re.M | re.S)


def examples():
    """(document, commands, expected output) of every block."""
    for folder, _, names in os.walk(os.path.join(SOURCE, 'docs')):
        for name in names:
            if not name.endswith('.md'):
                continue
            with open(os.path.join(folder, name), encoding='utf-8') as file:
                blocks = BLOCK.findall(file.read())
            for block in blocks:
                lines = block.splitlines()
                typed = [line[2:] for line in lines if line.startswith(('$ ', '> '))]
                shown = [line for line in lines if not line.startswith(('$ ', '> '))]
                yield name, '\n'.join(typed), '\n'.join(shown)


def run(commands):
    path = os.environ['BINARIES'] + os.pathsep + os.environ['PATH']
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(['bash', '-c', commands], cwd=folder, timeout=100, check=False,
                              env={**os.environ, 'PATH': path}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True)
    # Programs name themselves as they were found.
    return done.stdout.replace('\r', '').replace(os.environ['BINARIES'] + '/', '').rstrip()


class Examples(unittest.TestCase):
    def test_examples(self):
        count = 0
        for name, commands, shown in examples():
            with self.subTest(document=name, commands=commands):
                pattern = '.*'.join(re.escape(part) for part in shown.split('...'))
                self.assertRegex(run(commands), re.compile(r'\A' + pattern + r'\Z', re.S))
            count += 1
        self.assertGreater(count, 5)


if __name__ == '__main__':
    unittest.main()
