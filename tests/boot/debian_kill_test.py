# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian system is killed with its machine, again and again, while fio, copies of trees and a program that keeps
records are at its disk. Image and file system are whole each time, no record is lost that fsync had made durable, and
the system boots again. Every life but the first begins with a snapshot that was taken under way.

DEBIAN_KILLS is how often, shared by the controllers [5, of virtio-blk alone].
"""
import os
import random
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import system  # noqa: E402

KILLS = int(os.environ.get('DEBIAN_KILLS', '0'))
# A file that grows; and files that get their names when they are complete.
RECORDER = r'''import os
os.makedirs('/kept', exist_ok=True)
kept = os.open('/kept', os.O_RDONLY)
file = os.open('/records', os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
for n in range(10 ** 8):
    os.write(file, b'%08d\n' % n)
    os.fsync(file)
    if n % 8 == 0:
        new = os.open('/kept/new', os.O_WRONLY | os.O_CREAT)
        os.write(new, b'%d\n' % n * 1000)
        os.fsync(new)
        os.close(new)
        os.rename('/kept/new', '/kept/%d' % (n // 8))
        os.fsync(kept)
    print('record', n, flush=True)'''
LOAD = ('(fio --name=l --directory=/root --rw=randrw --bs=4k --size=4M --numjobs=2 --ioengine=libaio --direct=1 '
        '--iodepth=8 --fsync=16 --loops=1000000 >/dev/null 2>&1 & '
        'while cp -r /etc /root/copy && sync -f /root/copy; do rm -rf /root/copy; done) &')


class Kill(system.Case):
    def start(self, controller, *args):
        machine = system.Machine(self.disk, controller, *args, linux='', memory=256)
        self.addCleanup(machine.stop)
        return machine

    def begin(self, controller):
        """A snapshot of the system at work."""
        self.disk.renew()
        machine = self.start(controller).log_in()
        lines = ' '.join(f"'{line}'" for line in RECORDER.replace("'", '"').splitlines())
        machine.run(f"printf '%s\\n' {lines} >/root/recorder")
        machine.run(LOAD)
        machine.type('python3 /root/recorder\n')
        machine.wait_for('record 3\r?\n')
        self.assertEqual(machine.qmp.hmp('savevm running'), '')
        machine.wait_for(r'record \d+\r?\n')
        machine.kill()

    def live(self, controller, records):
        """The number of the last record that is known to be durable."""
        machine = self.start(controller, '-loadvm', 'running')
        for _ in range(records):
            machine.wait_for(r'record \d+\r?\n')
        time.sleep(random.random() / 20)  # any moment of the next
        machine.kill()
        return max(map(int, re.findall(r'record (\d+)\r?\n', machine.seen)))

    def look(self, last):
        self.disk.check(crashed=True)
        numbers = [int(line) for line in self.disk.read('/records').splitlines()]
        self.assertEqual(numbers, list(range(len(numbers))))
        self.assertGreater(len(numbers), last)
        for n in range(0, last + 1, 8):
            self.assertEqual(self.disk.read(f'/kept/{n // 8}'), f'{n}\n' * 1000)

    def boots(self, controller):
        machine = self.start(controller).log_in()
        machine.finish()
        self.disk.check()

    def check(self, controller, kills):
        rand = random.Random(controller)
        self.begin(controller)
        for n in range(kills):
            last = self.live(controller, rand.randrange(1, 20))
            self.look(last)
            print(f'{controller}: killed {n + 1} times, {last + 1} records', file=sys.stderr)
        self.boots(controller)

    def test_virtio_blk(self):
        self.check('virtio-blk', KILLS // 5 or 5)

    @unittest.skipUnless(KILLS, 'DEBIAN_KILLS is not set')
    def test_others(self):
        for controller in ('virtio-scsi', 'nvme', 'ahci', 'usb-storage'):
            with self.subTest(controller):
                self.check(controller, KILLS // 5)


if __name__ == '__main__':
    house.main()
