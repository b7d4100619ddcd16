"""check_headers.py finds a header that leans on others, and one without a guard.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import check_headers


class CheckHeaders(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        compiler = shutil.which('cc') or shutil.which('gcc') or shutil.which('clang')
        if not compiler:
            self.skipTest('no C compiler in PATH')
        self.write('include/util/osdep.h', '#ifndef O\n#define O\n#include <stdint.h>\n#endif\n')
        self.write('compile_commands.json', json.dumps([{
            'output': 'libroom_util.a.p/util_a.c.o',
            'command': f'{compiler} -Iinclude -Werror -MD -MQ a.o -MF a.d -o a.o -c util/a.c'}]))

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as file:
            file.write(text)

    def run_check(self):
        return subprocess.run([sys.executable, check_headers.__file__, self.root, self.root],
                              capture_output=True, text=True, check=False)

    def test_good_header(self):
        self.write('include/qom/x.h', '#ifndef X_H\n#define X_H\nstruct X { uint8_t x; };\n#endif\n')
        done = self.run_check()
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_header_that_leans_on_another(self):
        self.write('include/util/x.h', '#ifndef X_H\n#define X_H\nstruct X { Other x; };\n#endif\n')
        done = self.run_check()
        self.assertEqual(done.returncode, 1)
        self.assertIn('include/util/x.h does not compile alone', done.stderr)

    def test_header_included_twice(self):
        self.write('include/util/x.h', 'struct X { int x; };\n')
        self.assertEqual(self.run_check().returncode, 1)


if __name__ == '__main__':
    unittest.main()
