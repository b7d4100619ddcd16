# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's libvirt daemon, started here as an ordinary user, with our binaries as its emulators."""
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402

LIBVIRTD, VIRSH = shutil.which('libvirtd', path='/usr/sbin:/usr/bin'), shutil.which('virsh')


class Daemon:
    """A session daemon in a folder of its own; as root it becomes `nobody`."""

    def __init__(self, emulators):
        self.folder = tempfile.mkdtemp(prefix='libvirt-')
        for name in ('home', 'run', 'bin'):
            os.mkdir(os.path.join(self.folder, name))
        for arch, path in emulators.items():
            # Copies: the user may not be allowed where the build is.
            shutil.copy(path, os.path.join(self.folder, 'bin', f'qemu-system-{arch}'))
        self.user = {}
        os.chmod(self.folder, 0o755)
        if os.getuid() == 0:
            nobody = pwd.getpwnam('nobody')
            self.user = {'user': nobody.pw_uid, 'group': nobody.pw_gid, 'extra_groups': []}
            for name in ('home', 'run'):
                os.chown(os.path.join(self.folder, name), nobody.pw_uid, nobody.pw_gid)
        home, run = (os.path.join(self.folder, name) for name in ('home', 'run'))
        self.env = {'HOME': home, 'XDG_RUNTIME_DIR': run, 'XDG_CACHE_HOME': home + '/.cache',
                    'XDG_CONFIG_HOME': home + '/.config', 'LC_ALL': 'C',
                    'PATH': os.path.join(self.folder, 'bin') + ':/usr/sbin:/bin'}
        self.log = open(os.path.join(self.folder, 'log'), 'w+', encoding='utf-8')
        self.process = subprocess.Popen([LIBVIRTD], env=self.env, cwd='/', **self.user,
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)

    def virsh(self, *args):
        for _ in range(600):
            done = subprocess.run([VIRSH, '-c', 'qemu:///session', *args], env=self.env, cwd='/',
                                  capture_output=True, text=True, check=False, **self.user)
            if 'Failed to connect socket' not in done.stderr:
                return done
            time.sleep(0.1)  # it is starting
        return done

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.log.seek(0)
        text = self.log.read()
        self.log.close()
        shutil.rmtree(self.folder)
        return text


@unittest.skipUnless(LIBVIRTD and VIRSH, 'libvirt is not installed (libvirt-daemon-system, '
                     'libvirt-clients)')
class Libvirt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon({arch: house.binary(arch) for arch in house.ARCHES})

    @classmethod
    def tearDownClass(cls):
        print(cls.daemon.end())

    def virsh(self, *args):
        done = self.daemon.virsh(*args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_capabilities(self):
        tree = ET.fromstring(self.virsh('capabilities'))
        offered = {guest.find('arch').get('name'): [domain.get('type') for domain in
                                                    guest.iter('domain')]
                   for guest in tree.iter('guest')}
        for arch in house.ARCHES:
            self.assertIn('qemu', offered[arch])

    def test_domcapabilities(self):
        for arch in house.ARCHES:
            with self.subTest(arch=arch):
                tree = ET.fromstring(self.virsh('domcapabilities', '--arch', arch, '--virttype',
                                                'qemu', '--machine', 'none'))
                self.assertEqual(tree.findtext('arch'), arch)
                self.assertTrue(tree.findtext('path').endswith('qemu-system-' + arch))
                self.assertEqual(tree.find('iothreads').get('supported'), 'yes')
                models = {m.text for m in tree.findall("cpu/mode[@name='custom']/model")}
                self.assertGreater(len(models), 10)

    def test_cpu_models(self):
        self.assertIn('Skylake-Client', self.virsh('cpu-models', 'x86_64'))


if __name__ == '__main__':
    house.main()
