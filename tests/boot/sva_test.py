# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared virtual addressing from end to end: Linux's own drivers, a virtual IOMMU and an emulated DSA. The
stock kernel uses work queues of its own; a kernel of ours (scripts/test-kernel.sh) has those of processes."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402

SECONDS = 800  # for a busy machine; nothing waits this long when all is well
PROCESSES = int(os.environ.get('SVA_PROCESSES', 200))
IOMMU = 'intel-iommu,intremap=on,device-iotlb=on,scalable-mode=on,fsts=on,pasid-bits=20,svm=on'
# What a log has when something went wrong that no test noticed.
BAD = re.compile(r'DMAR: (\[|DRHD: handling fault)|WARNING:|BUG:|Oops|hung task|SVM disabled|Unable to turn on')


class Sva(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        here = os.path.join(os.path.dirname(__file__), '..', 'guest')
        cls.program = guest.build('sva_init.c', os.path.join(cls.folder, 'init'),
                                  os.path.join(here, 'dsa_user.c'))

    def command(self, kernel, archive, append, *args):
        return [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
                '-no-reboot', '-M', 'q35', '-cpu', 'max,-la57', '-m', '1G', '-smp', '2', '-serial', 'stdio',
                '-device', IOMMU, '-device', 'intel-dsa,addr=8', '-kernel', kernel, '-initrd', archive,
                '-append', 'console=ttyS0 reboot=t panic=-1 intel_iommu=on ' + append, *args]

    def boot(self, kernel, what, files=()):
        """What the guest said: {name: value}, its log and the device's events."""
        archive = os.path.join(self.folder, what)
        events = os.path.join(self.folder, what + '.events')
        guest.initramfs(archive, {'init': self.program, **dict(files)})
        console = guest.Console(self.command(kernel, archive, f'sva={what} sva_processes={PROCESSES}',
                                             '-D', events, '-trace', 'dsa_*'), SECONDS)
        lines = [line for _, line in console.lines()]
        words = [line.split(None, 2) for line in lines if line.startswith('sva ')]
        self.text = '\n'.join(lines[-80:])
        self.said = {name: value for _, name, value in words}
        self.log = [line for line in lines if line.startswith('log ')]
        with open(events, encoding='utf-8', errors='replace') as file:
            self.events = file.read()
        self.assertIn('end', self.said, self.text)
        self.assertEqual(console.process.returncode, 0, self.text)
        self.assertEqual([line for line in lines if BAD.search(line)], [], self.text)

    def expect(self, *names):
        self.assertEqual({name: self.said.get(name) for name in names}, dict.fromkeys(names, 'ok'),
                         self.text)

    def check_facts(self, **facts):
        self.assertEqual({name: self.said[name] for name in facts}, facts)

    def pasids(self):
        """Of descriptors that processes submitted."""
        found = set(re.findall(r'dsa_submit .*pasid (0x[0-9a-f]+)', self.events))
        return found - {'0xffffffff'}


class Stock(Sva):
    """Debian's own kernel, which has all of this but processes' queues."""

    def test_kernel_queues(self):
        try:
            kernel = guest.kernel('6.12', 'generic')
        except subprocess.CalledProcessError:
            self.skipTest('Linux 6.12 cannot be fetched from the package archive')
        self.boot(kernel, 'kernel', guest.modules(kernel, ('idxd', 'idxd_bus'), self.folder))
        self.expect('idxd_bus.ko', 'idxd.ko', 'queue', 'channel', 'queue-off', 'device-off', 'cycles',
                    'unload', 'queue-again', 'unload-at-work')
        self.check_facts(version='0x100', max_groups='4', max_engines='4', max_work_queues='8',
                         max_work_queues_size='128', pasid_enabled='1', configurable='1')


if __name__ == '__main__':
    house.main()
