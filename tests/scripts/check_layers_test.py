"""What check_layers.py refuses, and what it lets through.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import subprocess
import sys
import tempfile
import unittest

import check_layers

TABLE = os.path.join(os.path.dirname(check_layers.__file__), 'layers.txt')
OSDEP = '#include "util/osdep.h"\n'
GUARDED = '#ifndef G\n#define G\n#endif\n'


class CheckLayers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        for header in ('util/osdep.h', 'qom/object.h', 'hw/core/device.h', 'hw/net/mii.h',
                       'hw/char/uart.h', 'accel/accel.h', 'system/memory.h', 'cli/cli.h'):
            self.write('include/' + header, GUARDED)

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as file:
            file.write(text)

    def run_check(self, table=TABLE, more=()):
        return subprocess.run([sys.executable, check_layers.__file__, table, '--root', self.root,
                               *more], capture_output=True, text=True, check=False)

    def assert_accepted(self):
        done = self.run_check()
        self.assertEqual((done.returncode, done.stderr), (0, ''))

    def assert_refused(self, *words):
        done = self.run_check()
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_own_room_and_below_are_fine(self):
        self.write('hw/char/local.h', GUARDED)
        self.write('hw/char/uart.c', '/* head\n */\n' + OSDEP + '#include "hw/char/uart.h"\n'
                   '#include <stdio.h>\n#include "hw/core/device.h"\n#include "local.h"\n'
                   '#include "qapi/qapi-types-char.h"\n#include "trace.h"\n')
        self.assert_accepted()

    def test_upward(self):
        self.write('qom/object.c', OSDEP + '\n#include "hw/core/device.h"\n')
        self.assert_refused('qom/object.c:3:', '"hw/core/device.h"', 'above')

    def test_upward_from_a_public_header(self):
        self.write('include/util/up.h', '#ifndef U\n#define U\n#include "qom/object.h"\n#endif\n')
        self.assert_refused('include/util/up.h:3:', 'qom is above')

    def test_upward_to_a_generated_header(self):
        self.write('util/x.c', OSDEP + '#include "qapi/qapi-types-char.h"\n')
        self.assert_refused('util/x.c:2:', 'qapi is above')

    def test_upward_by_a_relative_path(self):
        self.write('cli/own.h', GUARDED)
        self.write('qom/object.c', OSDEP + '#include "../cli/own.h"\n')
        self.assert_refused('qom/object.c:2:', 'cli is above')

    def test_same_rank_of_another_room(self):
        self.write('hw/char/uart.c', OSDEP + '#include "hw/net/mii.h"\n')
        self.assert_refused('hw/char/uart.c:2:', 'both of rank')

    def test_a_device_never_sees_an_accelerator(self):
        self.write('hw/char/uart.c', OSDEP + '#include "accel/accel.h"\n')
        self.assert_refused('hw/char and accel')

    def test_a_device_never_sees_kvm(self):
        self.write('hw/core/device.c', OSDEP + '#include <linux/kvm.h>\n')
        self.assert_refused('hw/core/device.c:2:', '"linux/kvm.h"')

    def test_never_wins_over_rank(self):
        self.write('target/arm/cpu.c', OSDEP + '#include "hw/char/uart.h"\n')
        self.assert_refused('target/arm never includes hw/char')

    def test_board_never_sees_an_accelerator(self):
        self.write('hw/arm/virt.c', OSDEP + '#include "accel/accel.h"\n')
        self.assert_refused('hw/arm never includes accel')

    def test_body_included(self):
        self.write('util/x.c', OSDEP + '#include "y.c"\n')
        self.assert_refused('util/x.c:2:', 'no .c is included')

    def test_body_included_as_inc(self):
        self.write('util/x.c', OSDEP + '# include "y.c.inc"\n')
        self.assert_refused('util/x.c:2:', 'no .c is included')

    def test_folder_that_is_no_room(self):
        self.write('misc/x.c', OSDEP)
        self.assert_refused('misc/x.c:1:', 'no room')

    def test_class_folder_is_not_a_room_by_itself(self):
        self.write('hw/x.c', OSDEP)
        self.assert_refused('hw/x.c:1:', 'no room')

    def test_source_in_the_root(self):
        self.write('main.c', OSDEP)
        self.assert_refused('main.c:1:', 'no room')

    def test_include_of_no_room(self):
        self.write('util/x.c', OSDEP + '#include "misc/y.h"\n')
        self.assert_refused('util/x.c:2:', '"misc/y.h"', 'no room')

    def test_osdep_not_first(self):
        self.write('util/x.c', '#include <stdio.h>\n' + OSDEP)
        self.assert_refused('util/x.c:1:', 'util/osdep.h')

    def test_osdep_missing(self):
        self.write('util/x.c', 'int x;\n')
        self.assert_refused('util/x.c:1:', 'util/osdep.h')

    def test_osdep_in_a_comment_does_not_count(self):
        self.write('util/x.c', '/*\n' + OSDEP + '*/\n#include <stdio.h>\n')
        self.assert_refused('util/x.c:4:', 'util/osdep.h')

    def test_comment_opener_in_a_string_hides_nothing(self):
        self.write('util/x.c', OSDEP + 'const char *s = "/*";\n#include "cli/cli.h"\n/* */\n')
        self.assert_refused('util/x.c:3:', 'cli is above')

    def test_header_without_guard(self):
        self.write('util/x.h', '/* X */\nint x;\n')
        self.assert_refused('util/x.h:1:', 'guard')

    def test_header_with_a_mistyped_guard(self):
        self.write('util/x.h', '#ifndef UTIL_X_H\n#define UTIL_Y_H\n#endif\n')
        self.assert_refused('util/x.h:1:', 'guard')

    def test_long_header_is_a_warning(self):
        self.write('util/x.h', GUARDED + '\n' * 200)
        done = self.run_check()
        self.assertEqual(done.returncode, 0)
        self.assertIn('util/x.h:203: warning', done.stderr)

    def test_tests_keep_the_form_only(self):
        self.write('tests/qtest/client.c', OSDEP + '#include "cli/cli.h"\n')
        self.assert_accepted()
        self.write('tests/qtest/client.c', '#include <stdio.h>\n')
        self.assert_refused('tests/qtest/client.c:1:', 'util/osdep.h')

    def test_programs_of_guests_are_not_read(self):
        self.write('tests/guest/init.c', '#include <stdio.h>\n')
        self.assert_accepted()

    def test_build_folders_are_not_read(self):
        self.write('build/x.c', 'int x;\n')
        self.write('out/x.c', 'int x;\n')
        os.mkdir(os.path.join(self.root, 'out/meson-private'))
        self.assert_accepted()

    def test_depfile_names_folders_and_files(self):
        self.write('util/x.c', OSDEP)
        stamp, dep = (os.path.join(self.root, name) for name in ('stamp', 'dep'))
        self.assertEqual(self.run_check(more=('--stamp', stamp, '--depfile', dep)).returncode, 0)
        with open(dep, encoding='utf-8') as file:
            names = file.read().replace('\\\n', ' ').split()
        self.assertEqual(names[0], stamp + ':')
        self.assertIn(os.path.join(self.root, 'util'), names)
        self.assertIn(os.path.join(self.root, 'util/x.c'), names)
        self.assertTrue(os.path.exists(stamp))

    def test_bad_table(self):
        for text, word in (('x util\n', '1:'), ('0 util\n\n1 util\n', '3:'),
                           ('0 util always qom\n', '1:')):
            self.write('table', text)
            done = self.run_check(os.path.join(self.root, 'table'))
            self.assertEqual(done.returncode, 1)
            self.assertIn('table:' + word, done.stderr)


if __name__ == '__main__':
    unittest.main()
