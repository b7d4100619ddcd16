# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's libvirt daemon, started here as an ordinary user, with our binaries as its emulators.

libvirt passes over the machine `none` of any emulator, and describes no domain without a machine.
As long as there is no board, it is told of `none` by a line put into the cache in which it keeps
what it learnt: everything else in its answers is from its own dialogue with the binary.
"""
import glob
import os
import pwd
import re
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
PEERS = {arch: shutil.which('qemu-system-' + arch, path='/usr/bin') for arch in house.ARCHES}
NONE = "  <machine type='tcg' name='none' hotplugCpus='no' maxCpus='1' default='yes'/>\n"

# Models the peer can run and we cannot, and why.
NOT_USABLE = {
    'x86_64': {'athlon': '3DNow!, which no processor has had since 2011, is not emulated'},
    'aarch64': {}, 'ppc64': {},
}


class Daemon:
    """A session daemon in a folder of its own; as root it becomes `nobody`."""

    def __init__(self, emulators, put):
        self.folder = tempfile.mkdtemp(prefix='libvirt-')
        home, run, self.bin = (os.path.join(self.folder, name) for name in ('home', 'run', 'bin'))
        for path in (home, run, self.bin):
            os.mkdir(path)
        for arch, path in emulators.items():
            put(path, os.path.join(self.bin, f'qemu-system-{arch}'))
        self.user = {}
        os.chmod(self.folder, 0o755)
        if os.getuid() == 0:
            nobody = pwd.getpwnam('nobody')
            self.user = {'user': nobody.pw_uid, 'group': nobody.pw_gid, 'extra_groups': []}
            for path in (home, run):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        self.cache = os.path.join(home, '.cache', 'libvirt', 'qemu', 'cache', 'capabilities')
        self.debug = os.path.join(home, 'debug')
        self.env = {'HOME': home, 'XDG_RUNTIME_DIR': run, 'XDG_CACHE_HOME': home + '/.cache',
                    'XDG_CONFIG_HOME': home + '/.config', 'LC_ALL': 'C', 'PATH': self.bin,
                    'LIBVIRT_LOG_FILTERS': '1:qemu.qemu_capabilities 1:qemu.qemu_process',
                    'LIBVIRT_LOG_OUTPUTS': '1:file:' + self.debug}
        self.start()

    def start(self):
        self.process = subprocess.Popen([LIBVIRTD], env=self.env, cwd='/', **self.user,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def end(self):
        self.stop()
        shutil.rmtree(self.folder)

    def virsh(self, *args):
        for _ in range(600):
            done = subprocess.run([VIRSH, '-c', 'qemu:///session', *args], env=self.env, cwd='/',
                                  capture_output=True, text=True, check=False, **self.user)
            if 'Failed to connect socket' not in done.stderr:
                return done
            time.sleep(0.1)  # it is starting
        return done

    def domain(self, arch):
        """How it describes a domain of the machine `none`."""
        done = self.virsh('domcapabilities', '--arch', arch, '--virttype', 'qemu', '--machine',
                          'none')
        if done.returncode:
            raise RuntimeError(done.stderr)
        return ET.fromstring(done.stdout)

    def learnt(self):
        """What it found out of each emulator, by architecture."""
        trees = [ET.parse(path) for path in glob.glob(self.cache + '/*.xml')]
        return {tree.findtext('arch'): tree for tree in trees}

    def tell_of_none(self):
        """Must be called once, after it looked at its emulators."""
        self.stop()
        for path in glob.glob(self.cache + '/*.xml'):
            with open(path, encoding='utf-8') as file:
                text = file.read()
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text.replace('</qemuCaps>', NONE + '</qemuCaps>'))
        self.start()


def usable(tree):
    return {model.text: model.get('usable')
            for model in tree.findall("cpu/mode[@name='custom']/model")}


@unittest.skipUnless(LIBVIRTD and VIRSH, 'libvirt is not installed (libvirt-daemon-system, '
                     'libvirt-clients)')
class Libvirt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Copies: the user may not be allowed where the build is.
        cls.daemon = Daemon({arch: house.binary(arch) for arch in house.ARCHES}, shutil.copy)
        cls.addClassCleanup(cls.daemon.end)
        cls.capabilities = cls.daemon.virsh('capabilities')
        cls.without_machine = cls.daemon.virsh('domcapabilities', '--arch', 'x86_64',
                                               '--machine', 'none')
        with open(cls.daemon.debug, encoding='utf-8', errors='replace') as log:
            cls.log = log.read()
        cls.learnt = cls.daemon.learnt()
        cls.daemon.tell_of_none()

    def test_capabilities(self):
        self.assertEqual(self.capabilities.returncode, 0, self.capabilities.stderr)
        arches = {arch.get('name'): arch
                  for arch in ET.fromstring(self.capabilities.stdout).findall('guest/arch')}
        for arch in house.ARCHES:
            self.assertEqual(arches[arch].findtext('emulator'),
                             f'{self.daemon.bin}/qemu-system-{arch}')
            self.assertEqual([domain.get('type') for domain in arches[arch].iter('domain')],
                             ['qemu'])

    def test_probe(self):
        """Each dialogue went to its end and nothing in it was wrong."""
        saved = re.findall(r"Saved caps '\S+' for '\S+/qemu-system-(\w+)'", self.log)
        self.assertEqual(sorted(saved), sorted(house.ARCHES))
        errors = [line for line in self.log.splitlines() if
                  re.search(r': (error|warning) : (virQEMUCaps|qemuMonitor|qemuProcessQMP)', line)]
        # Not about the probes: our own question above.
        self.assertEqual([line for line in errors if "machine 'none' is not supp" not in line], [])

    def test_none_is_passed_over(self):
        self.assertEqual(self.without_machine.returncode, 1)
        self.assertIn("the machine 'none' is not supported by emulator",
                      self.without_machine.stderr)
        for arch, tree in self.learnt.items():
            names = {machine.get('name') for machine in tree.findall('machine')}
            self.assertNotIn('none', names)
            boards = {'pc-i440fx-9.0', 'pc-q35-9.0'} if arch == 'x86_64' else set()
            self.assertLessEqual(boards, names)

    def test_learnt(self):
        """What it noted is what the binary says of itself."""
        for arch in house.ARCHES:
            tree = self.learnt[arch]
            with self.subTest(arch=arch):
                self.assertEqual(tree.findtext('version'), '9000000')
                self.assertEqual(tree.findtext('package'), 'Tandem')
                flags = {flag.get('name') for flag in tree.findall('flag')}
                self.assertLessEqual({'tcg', 'seccomp-sandbox', 'iothread', 'set-action',
                                      'device.json+hotplug', 'numa.hmat', 'thread-context',
                                      'query-cpu-definitions', 'chardev-reconnect',
                                      'migration.blocked-reasons', 'memory-backend-memfd'}, flags)
                self.assertNotIn('kvm', flags)
        self.assertEqual(self.learnt['x86_64'].find('hostCPU').get('model'), 'base')

    def test_domain(self):
        for arch in house.ARCHES:
            with self.subTest(arch=arch):
                tree = self.daemon.domain(arch)
                self.assertEqual(tree.findtext('arch'), arch)
                self.assertTrue(tree.findtext('path').endswith('qemu-system-' + arch))
                self.assertEqual(tree.find('iothreads').get('supported'), 'yes')
                backing = [v.text for v in tree.findall('memoryBacking/enum/value')]
                self.assertEqual(backing, ['file', 'anonymous', 'memfd'])

    def test_cpu_models(self):
        done = self.daemon.virsh('cpu-models', 'x86_64')
        self.assertIn('Skylake-Client', done.stdout)

    def test_cpu_compared(self):
        """It takes its own view of the model for what the emulator can run."""
        for model, expected in (('qemu64', 'identical|superset'), ('Penryn', 'identical|superset'),
                                ('EPYC-Milan', 'incompatible')):
            path = os.path.join(self.daemon.folder, 'cpu.xml')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(f"<cpu match='exact'><model>{model}</model></cpu>")
            done = self.daemon.virsh('hypervisor-cpu-compare', '--arch', 'x86_64', '--virttype',
                                     'qemu', '--machine', 'none', path)
            self.assertRegex(done.stdout + done.stderr, expected)

    @unittest.skipUnless(all(PEERS.values()), 'QEMU is not installed to compare with '
                         '(qemu-system-x86, -arm, -ppc)')
    def test_peer(self):
        """The CPUs it offers with us are those it offers with QEMU."""
        peer = Daemon(PEERS, os.symlink)
        try:
            peer.virsh('capabilities')
            peer.tell_of_none()
            for arch in house.ARCHES:
                with self.subTest(arch=arch):
                    self.compare(arch, self.daemon.domain(arch), peer.domain(arch))
        finally:
            peer.end()

    def compare(self, arch, ours, theirs):
        modes = [{mode.get('name'): mode.get('supported') for mode in tree.findall('cpu/mode')}
                 for tree in (ours, theirs)]
        self.assertEqual(modes[0], modes[1])
        ours, theirs = usable(ours), usable(theirs)
        self.assertGreater(len(theirs), 3)
        self.assertLessEqual(set(theirs), set(ours))
        lost = {name for name, can in theirs.items() if can != 'no' and can != ours[name]}
        self.assertEqual(lost, NOT_USABLE[arch].keys() & theirs.keys())


if __name__ == '__main__':
    house.main()
