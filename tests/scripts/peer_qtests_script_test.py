"""peer-qtests.sh gets the source from where apt gets the host's packages, whatever the form.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import platform
import shutil
import subprocess
import tempfile
import unittest

import check_layers  # beside the scripts

SCRIPT = os.path.join(os.path.dirname(check_layers.__file__), 'peer-qtests.sh')
SUITE = platform.freedesktop_os_release().get('VERSION_CODENAME', 'none')


@unittest.skipUnless(shutil.which('apt-get'), 'apt-get is not installed')
class Sources(unittest.TestCase):
    def sources(self, file, text):
        """What it makes of a list of sources with that name: place and suite of each row."""
        with tempfile.TemporaryDirectory() as folder:
            parts = os.path.join(folder, 'parts')
            config = os.path.join(folder, 'apt.conf')
            os.mkdir(parts)
            with open(os.path.join(parts, file), 'w', encoding='utf-8') as out:
                out.write(text)
            with open(config, 'w', encoding='utf-8') as out:
                out.write(f'Dir::Etc::sourcelist "-"; Dir::Etc::sourceparts "{parts}";\n'
                          f'Dir::State::lists "{folder}";\n')
            done = subprocess.run(['sh', SCRIPT, 'sources'], check=True, capture_output=True,
                                  text=True, env={**os.environ, 'APT_CONFIG': config})
        rows = [line.split(' ', 2) for line in done.stdout.splitlines()]
        self.assertTrue(all(row[0] == 'deb-src' and row[1].startswith('[signed-by=/') for row in rows))
        return [row[2] for row in rows]

    def test_lines(self):
        text = (f'# a comment\ndeb http://first.test/debian {SUITE} main contrib\n'
                f'deb [arch=amd64] http://second.test/d {SUITE}-updates main\n'
                'deb http://third.test other main\n')
        self.assertEqual(self.sources('a.list', text), [f'http://first.test/debian/ {SUITE} main'])

    def test_stanzas(self):
        text = (f'Types: deb\nURIs: http://first.test/debian\nSuites: {SUITE} {SUITE}-updates\n'
                'Components: main\n\n'
                'Types: deb\nURIs: http://second.test/d\nSuites: nodistro\nComponents: main\n')
        self.assertEqual(self.sources('a.sources', text), [f'http://first.test/debian/ {SUITE} main'])

    def test_symbolic_suite(self):
        self.assertEqual(self.sources('a.list', 'deb http://first.test/debian stable main\n'),
                         [f'http://first.test/debian/ {SUITE} main'])

    def test_none(self):
        self.assertEqual(self.sources('a.list', 'deb http://first.test/debian other main\n'), [])


if __name__ == '__main__':
    unittest.main()
