"""configure refuses what it does not know, names what is missing, and sets up a build folder.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import re
import subprocess
import tempfile
import unittest

import check_layers  # beside the scripts

SOURCE = os.path.dirname(os.path.dirname(check_layers.__file__))


class Configure(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = folder.name

    def configure(self, *args, **env):
        return subprocess.run(['sh', os.path.join(SOURCE, 'configure'), *args], cwd=self.build,
                              capture_output=True, text=True, check=False,
                              env={**os.environ, **env})

    def assert_refused(self, done, *words):
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(os.listdir(self.build), [])

    def test_unknown_option(self):
        for option in ('--wat', '--enable-wat', '--disable-.*', '--enable-', 'x86_64'):
            self.assert_refused(self.configure(option), f"no option '{option}'")

    def test_unknown_target(self):
        self.assert_refused(self.configure('--target-list=x86_64-softmmu,vax-softmmu'),
                            "'vax-softmmu'", 'aarch64')
        self.assert_refused(self.configure('--target-list='), 'no target')

    def test_help_lists_every_feature(self):
        text = self.configure('--help').stdout
        with open(os.path.join(SOURCE, 'meson_options.txt'), encoding='utf-8') as file:
            names = re.findall(r"^option\('(\w+)', type: 'feature'", file.read(), re.M)
        self.assertTrue(names)
        for name in names:
            self.assertRegex(text, rf"(?m)^  {name.replace('_', '-')} ")

    def test_packages_of_all_that_is_missing_at_once(self):
        done = self.configure('--enable-vnc', PKG_CONFIG_LIBDIR=self.build, PKG_CONFIG_PATH='')
        self.assert_refused(done, 'libglib2.0-dev', 'libjson-c-dev', 'liburcu-dev',
                            'libvncserver-dev')
        self.assertNotIn('slirp', done.stderr)

    def test_missing_compiler(self):
        self.assert_refused(self.configure('--cc=no-such-cc'), 'no-such-cc', 'package gcc')

    def options(self):
        done = subprocess.run(['meson', 'introspect', '--buildoptions', self.build],
                              stdout=subprocess.PIPE, check=True)
        return {option['name']: option['value'] for option in json.loads(done.stdout)}

    def test_build_folder(self):
        done = self.configure('--target-list=ppc64-softmmu,x86_64', '--without-default-features',
                              '--enable-werror', '--prefix=/opt/vm', '--extra-cflags=-DA=1 -DB')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        options = self.options()
        self.assertEqual(options['target_list'], ['ppc64', 'x86_64'])
        self.assertEqual(options['c_args'], ['-DA=1', '-DB'])
        self.assertEqual((options['werror'], options['prefix']), (True, '/opt/vm'))
        with open(os.path.join(self.build, 'config-host.h'), encoding='utf-8') as file:
            self.assertNotIn('#define CONFIG_SLIRP', file.read())
        make = subprocess.run(['make', '-n', 'install'], cwd=self.build, capture_output=True,
                              text=True, check=False)
        self.assertIn('meson install', make.stdout, make.stderr)

        done = self.configure('--enable-debug')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        options = self.options()
        self.assertEqual((options['buildtype'], options['c_args']), ('debug', []))
        self.assertEqual(options['target_list'], ['aarch64', 'ppc64', 'x86_64'])


if __name__ == '__main__':
    unittest.main()
