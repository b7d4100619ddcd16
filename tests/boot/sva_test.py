# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared virtual addressing from end to end: Linux's own drivers, a virtual IOMMU and an emulated DSA. The
stock kernel uses work queues of its own; a kernel of ours (scripts/test-kernel.sh) has those of processes."""
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
from vm import Qmp  # noqa: E402

SECONDS = 800  # for a busy machine; nothing waits this long when all is well
PROCESSES = int(os.environ.get('SVA_PROCESSES', 200))
IOMMU = 'intel-iommu,intremap=on,device-iotlb=on,scalable-mode=on,fsts=on,pasid-bits=20,svm=on'
# What a log has when something went wrong that no test noticed. Not so, of a process that was killed at work:
# Linux takes its table away before it asks for silence about that (reason 0x59).
BAD = re.compile(r'DMAR: .*fault reason 0x(?!59)|WARNING:|BUG:|Oops|hung task|SVM disabled')

KERNEL_QUEUE = ('user-queue', 'queue', 'channel', 'queue-off', 'device-off', 'cycles', 'driver-again',
                'function-reset')
USER_QUEUES = ('configured', 'enabled', 'shared', 'dedicated', 'dedicated-again', 'partial', 'unmapped',
               'protected', 'copy-on-write', 'remapped', 'swapped', 'two-processes', 'killed', 'written', 'sequence', 'figures',
               'shared-at-last')

# Each operation that accel-config's test program knows, on the shared queue (1) and the dedicated one, with pages
# that the device asks for (1) and that the program touches when it is told of a fault.
SUITE = """
run() {
    if /ld --library-path / /dsa_test -w $mode -f $flags -t 100000 "$@" >/tmp/said 2>&1; then
        good=$((good + 1))
    else
        echo "mode $mode flags $flags: $*"
        tail -n 3 /tmp/said
    fi
}
good=0
for mode in 1 0; do
    for flags in 1 0; do
        run -o 0
        run -o 1 -b 0 -c 16
        run -o 1 -b 3 -l 4096 -c 16
        run -o 1 -b 16 -l 4096 -c 16
        run -o 3 -l 2097152
        for size in 1 4096 65613; do
            for op in 3 4 5 6 9 16 17 32; do
                run -o $op -l $size
            done
        done
        for op in 18 19 20 21; do
            run -o $op -l 512
            run -o $op -l 4096
        done
    done
done
echo good $good
"""


class Sva(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        here = os.path.join(os.path.dirname(__file__), '..', 'guest')
        cls.program = guest.build('sva_init.c', os.path.join(cls.folder, 'sva_init'),
                                  *(os.path.join(here, name) for name in ('sva.c', 'sva_user.c', 'dsa_user.c')))

    def command(self, kernel, archive, append, *args, device='intel-dsa,addr=8'):
        return [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
                '-no-reboot', '-M', 'q35', '-cpu', 'max,-la57', '-m', '1G', '-smp', '2', '-serial', 'stdio',
                '-device', IOMMU, *args, '-device', device, '-kernel', kernel, '-initrd', archive,
                '-append', f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS} intel_iommu=on ' + append]

    def boot(self, kernel, what, files=(), append='', args=(), **options):
        """What the guest said: {name: value}, its log and the device's events."""
        archive = os.path.join(self.folder, what)
        events = os.path.join(self.folder, what + '.events')
        guest.initramfs(archive, {'init': self.program, **dict(files)})
        console = guest.Console(self.command(kernel, archive, f'sva={what} sva_processes={PROCESSES} {append}',
                                             '-D', events, '-trace', 'dsa_*', *args, **options), SECONDS)
        lines = [line for _, line in console.lines()]
        words = [(line.split(None, 2) + [''])[:3] for line in lines if line.startswith('sva ')]
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
        self.expect('idxd_bus.ko', 'idxd.ko', *KERNEL_QUEUE, 'unload', 'queue-again', 'unload-again')
        self.check_facts(version='0x100', max_groups='4', max_engines='4', max_work_queues='8',
                         max_work_queues_size='128', pasid_enabled='1', configurable='1')


class Own(Sva):
    """The kernel of tests/guest/kernel.config."""

    def kernel(self):
        try:
            return guest.test_kernel()
        except guest.NoKernel as why:
            self.skipTest(str(why))

    def swap(self):
        """Arguments for a disk to swap to, behind the IOMMU like the rest."""
        path, pages = os.path.join(self.folder, 'swap'), 4096
        with open(path, 'wb') as disk:
            disk.truncate(pages * 4096)
            disk.seek(1024)
            disk.write(struct.pack('<III', 1, pages - 1, 0))
            disk.seek(4086)
            disk.write(b'SWAPSPACE2')
        return ('-blockdev', f'driver=file,filename={path},node-name=swap',
                '-device', 'virtio-blk-pci,drive=swap,iommu_platform=on,disable-legacy=on')

    def test_user_queues(self):
        self.boot(self.kernel(), 'user', args=self.swap())
        self.expect(*USER_QUEUES)
        self.assertEqual(self.said['processes'], str(PROCESSES))
        # One after the other, they find the numbers of those before free again.
        self.assertTrue(1 < len(self.pasids()) < 20, self.pasids())
        self.assertIn('dsa_page_request', self.events)
        print(f"{PROCESSES} processes in sequence, {len(self.pasids())} PASIDs in all; a page from fault to DMA "
              f"{self.said['page-us']} us, bind and unbind {self.said['bind-us']} us")

    def test_kernel_queues(self):
        self.boot(self.kernel(), 'kernel')
        self.expect(*KERNEL_QUEUE)
        self.assertTrue([line for line in self.log if re.search(r'dmatest: .*summary 20 tests, 0 failures',
                                                                line)], self.text)

    def test_without_processes(self):
        """No IOMMU, or one that has no PASIDs: the kernel's queues work, processes' are refused."""
        for append in ('intel_iommu=off', 'intel_iommu=sm_off'):
            self.boot(self.kernel(), 'kernel', append=append)
            self.assertEqual((self.said['pasid_enabled'], self.said.pop('user-queue')), ('0', '0x80110000'))
            self.expect(*(name for name in KERNEL_QUEUE if name != 'user-queue'))

    def test_below_a_port(self):
        """Without an event log too, so that those who are killed have records under way."""
        self.boot(self.kernel(), 'user', device='intel-dsa,bus=below,event-log=off',
                  args=('-device', 'pcie-root-port,id=below,chassis=1', *self.swap()))
        self.expect(*USER_QUEUES)

    def test_migration(self):
        """Two processes at work on one queue, in the middle of it, go on in another process of ours."""
        kernel, archive = self.kernel(), os.path.join(self.folder, 'moving')
        path, state = os.path.join(self.folder, 'qmp'), os.path.join(self.folder, 'state')
        guest.initramfs(archive, {'init': self.program})
        first = guest.Console(self.command(kernel, archive, 'sva=user sva_processes=20', '-qmp',
                                           f'unix:{path},server=on,wait=off'), SECONDS)
        self.addCleanup(first.process.terminate)
        self.assertTrue(any(line == 'sva copy-on-write ok' for _, line in first.lines()))
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(path)
            qmp = Qmp(line)
            qmp('stop')
            qmp('migrate', uri='exec:cat >' + state)
            while qmp('query-migrate').get('status') not in ('completed', 'failed'):
                pass
            self.assertEqual(qmp('query-migrate')['status'], 'completed')
            qmp('quit')
        first.close()
        second = guest.Console(self.command(kernel, archive, '', '-incoming', 'exec:cat ' + state, '-qmp',
                                            f'unix:{path}2,server=on,wait=off'), SECONDS)
        self.addCleanup(second.process.terminate)
        while not os.path.exists(path + '2'):
            self.assertIsNone(second.process.poll())
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(path + '2')
            qmp = Qmp(line)
            while qmp('query-status')['status'] == 'inmigrate':
                pass
            qmp('cont')
            lines = [text for _, text in second.lines()]
        self.said = {text.split()[1]: text.split(None, 2)[2] for text in lines if text.startswith('sva ')}
        self.text = '\n'.join(lines[-60:])
        self.expect('two-processes', 'killed', 'written', 'sequence', 'shared-at-last')
        self.assertEqual([text for text in lines if BAD.search(text)], [], self.text)

    def tools(self):
        """accel-config and its test program, with all they need, as files of the guest."""
        libraries = 'usr/lib/x86_64-linux-gnu/'
        return {
            'ld': guest.package('libc6', 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'),
            'libc.so.6': guest.package('libc6', 'lib/x86_64-linux-gnu/libc.so.6'),
            'libjson-c.so.5': os.path.realpath(guest.package('libjson-c5', libraries, 'libjson-c.so.5')),
            'libaccel-config.so.1': os.path.realpath(guest.package('libaccel-config1', libraries,
                                                                   'libaccel-config.so.1')),
            'accel-config': guest.package('accel-config', 'usr/bin/accel-config'),
            'dsa_test': guest.package('accel-config-test', 'usr/libexec/accel-config/test/dsa_test'),
            'two.conf': guest.package('accel-config-test',
                                      'usr/libexec/accel-config/test/configs/2g2q_user_1.conf'),
        }

    def test_accel_config(self):
        """Debian's accel-config sets it up; its own test program checks each operation."""
        kernel, archive = self.kernel(), os.path.join(self.folder, 'tools')
        suite = os.path.join(self.folder, 'suite')
        with open(suite, 'w', encoding='ascii') as script:
            script.write(SUITE)
        try:
            guest.shell(archive, files={**self.tools(), 'suite': suite})
        except subprocess.CalledProcessError:
            self.skipTest('accel-config cannot be fetched from the package archive')
        shell = guest.Terminal(self.command(kernel, archive, ''), SECONDS)
        self.addCleanup(shell.stop)
        shell.wait_for(guest.PROMPT)
        run = '/ld --library-path / /'
        self.assertEqual(shell.run(run + 'accel-config load-config -c /two.conf -e; echo $?').split()[-1], '0',
                         shell.seen[-3000:])
        found = json.loads(shell.run(run + 'accel-config list'))
        self.assertEqual([(wq['dev'], wq['mode'], wq['state']) for group in found[0]['groups']
                          for wq in group.get('grouped_workqueues', [])],
                         [('wq0.0', 'shared', 'enabled'), ('wq0.1', 'dedicated', 'enabled')])
        said = shell.run('sh /suite')
        self.assertEqual(said.splitlines()[-1], f'good {4 * 37}', said)
        self.assertIn('disabled 1 device', shell.run(run + 'accel-config disable-device dsa0'))
        self.assertEqual([line for line in shell.run('dmesg').splitlines() if BAD.search(line)], [])
        self.assertEqual(shell.end(), 0)


if __name__ == '__main__':
    house.main()
