"""install-deps.sh installs what is missing, nothing else, and sees when that was in vain.

apt-get, id and sudo are scripts that only take notes; an empty PKG_CONFIG_LIBDIR makes modules
missing.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import subprocess
import tempfile
import unittest

import check_layers  # beside the scripts

SCRIPTS = os.path.dirname(check_layers.__file__)


class InstallDeps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.log = os.path.join(self.folder, 'log')
        self.fake('apt-get', f'echo "apt-get $*" >>{self.log}')

    def fake(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\n{text}\n')
        os.chmod(path, 0o755)

    def run_script(self, name, *args, **env):
        path = self.folder + ':' + os.environ['PATH']
        return subprocess.run(['sh', os.path.join(SCRIPTS, name), *args], check=False,
                              capture_output=True, text=True,
                              env={**os.environ, 'PATH': path, **env})

    def without_modules(self, *args):
        return self.run_script('install-deps.sh', *args, PKG_CONFIG_LIBDIR=self.folder,
                               PKG_CONFIG_PATH='')

    def log_text(self):
        if not os.path.exists(self.log):
            return ''
        with open(self.log, encoding='utf-8') as file:
            return file.read()

    def test_missing_names_the_need(self):
        done = self.run_script('missing.sh', PKG_CONFIG_LIBDIR=self.folder, PKG_CONFIG_PATH='')
        self.assertIn('build libglib2.0-dev glib-2.0\n', done.stdout)
        self.assertIn('slirp libslirp-dev slirp\n', done.stdout)
        self.assertNotIn(' meson ', done.stdout)

    def test_nothing_to_do_for_the_build_that_runs_this(self):
        needed = [line for line in self.run_script('missing.sh').stdout.splitlines()
                  if line.startswith('build ')]
        self.assertEqual(needed, [])

    def test_only_what_is_missing(self):
        self.fake('id', 'echo 0')
        done = self.without_modules('build')
        words = self.log_text().split()
        self.assertIn('libglib2.0-dev', words)
        self.assertIn('libslirp-dev', words)
        for package in ('meson', 'gcc', 'libvirt-daemon-system'):
            self.assertNotIn(package, words)
        self.assertEqual(done.returncode, 1)
        self.assertIn('installed but not found', done.stderr)

    def test_without_root_by_sudo(self):
        self.fake('id', 'echo 1000')
        self.fake('sudo', f'echo sudo >>{self.log}; exec "$@"')
        self.without_modules('build')
        self.assertTrue(self.log_text().startswith('sudo\napt-get update'), self.log_text())

    def test_failing_installation(self):
        self.fake('id', 'echo 0')
        self.fake('apt-get', 'exit 100')
        self.assertNotEqual(self.without_modules('build').returncode, 0)


if __name__ == '__main__':
    unittest.main()
