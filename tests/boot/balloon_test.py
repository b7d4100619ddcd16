# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux with a balloon: memory goes to the host and comes back; statistics; what is free is reported."""
import hashlib
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
from guest_case import ShellCase  # noqa: E402

SECONDS = 600
MIB = 1 << 20
RAM = 384


class Balloon(ShellCase):
    FLAVOUR, MODULES = 'cloud', ['virtio_balloon']

    def boot(self, *args):
        shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-M',
             'q35', '-cpu', 'max', '-m', str(RAM), '-serial', 'stdio', '-qmp',
             f"unix:{self.path('qmp')},server=on,wait=off", '-kernel', self.kernel, '-initrd', self.path('initramfs'),
             '-append', f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS}', *args], SECONDS)
        shell.wait_for(guest.PROMPT)
        self.qmp = self.connect_qmp()
        for name in self.modules:
            self.assertEqual(shell.run(f'insmod /{name} && echo loaded'), 'loaded')
        return shell

    def resident(self, shell):
        """Bytes of anonymous and shared memory; the process is a child of `timeout`."""
        with open(f'/proc/{shell.process.pid}/task/{shell.process.pid}/children', encoding='ascii') as file:
            pid = file.read().split()[0]
        with open(f'/proc/{pid}/status', encoding='ascii') as file:
            return sum(int(kib) << 10 for kib in re.findall(r'^Rss(?:Anon|Shmem):\s+(\d+) kB', file.read(), re.M))

    def fill(self, shell):
        """Uses nearly all of the guest's memory, and lets it go."""
        self.assertEqual(shell.run('mount -t tmpfs -o size=90% full /tmp && '
                                   f'head -c {RAM * 6 // 10}m /dev/zero > /tmp/full && umount /tmp && echo done'), 'done')

    def until(self, shell, condition):
        while not condition():
            shell.run('sleep 0.2')

    def actual(self):
        return self.qmp('query-balloon')['actual']

    def check(self, *args):
        shell = self.boot('-device', 'virtio-balloon-pci,id=b', *args)
        self.fill(shell)
        full = self.resident(shell)
        self.assertGreater(full, RAM * MIB * 6 // 10)
        self.qmp('balloon', value=96 * MIB)
        self.until(shell, lambda: self.actual() == 96 * MIB)
        self.assertLess(self.resident(shell), full - 150 * MIB)
        total = int(shell.run("awk '/MemTotal/ {print $2}' /proc/meminfo"))
        self.assertLess(total, 96 << 10)
        self.qmp('balloon', value=RAM * MIB)
        self.until(shell, lambda: self.actual() == RAM * MIB)
        self.fill(shell)
        self.assertGreater(self.resident(shell), full - 64 * MIB)
        self.check_stats(shell)
        self.assertEqual(shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops|hung task'"), '')
        self.assertEqual(shell.end(), 0)

    def check_stats(self, shell):
        def get():
            return self.qmp('qom-get', path='/machine/peripheral/b', property='guest-stats')
        self.qmp('qom-set', path='/machine/peripheral/b', property='guest-stats-polling-interval', value=1)
        before = get()['last-update']
        self.until(shell, lambda: get()['last-update'] > before)
        stats = get()['stats']
        total = int(shell.run("awk '/MemTotal/ {print $2}' /proc/meminfo")) << 10
        self.assertEqual(stats['stat-total-memory'], total)
        self.assertLess(stats['stat-free-memory'], total)
        self.assertGreater(stats['stat-minor-faults'], 0)

    def test_anonymous(self):
        self.check()

    def check_reports(self, *args):
        """What Linux has free goes to the host by itself, and comes back when it is used again."""
        shell = self.boot('-device', 'virtio-balloon-pci,id=b,free-page-reporting=on', *args)
        for _ in range(2):
            self.assertEqual(shell.run('mount -t tmpfs -o size=90% full /tmp && '
                                       f'head -c {RAM * 6 // 10}m /dev/zero > /tmp/full && echo done'), 'done')
            full = self.resident(shell)
            self.assertGreater(full, RAM * MIB * 6 // 10)
            self.assertEqual(shell.run('md5sum </tmp/full; umount /tmp').split()[0],
                             hashlib.md5(bytes(RAM * 6 // 10 * MIB), usedforsecurity=False).hexdigest())
            self.until(shell, lambda full=full: self.resident(shell) < full - 180 * MIB)
        self.assertEqual(self.actual(), RAM * MIB)
        self.assertEqual(shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops|hung task'"), '')
        self.assertEqual(shell.end(), 0)

    def test_reports(self):
        self.check_reports()

    def test_reports_memfd(self):
        self.check_reports('-object', f'memory-backend-memfd,id=m,size={RAM}M', '-M', 'q35,memory-backend=m')

    def test_memfd(self):
        self.check('-object', f'memory-backend-memfd,id=m,size={RAM}M', '-M', 'q35,memory-backend=m')


if __name__ == '__main__':
    house.main()
