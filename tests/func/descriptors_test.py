# SPDX-License-Identifier: GPL-2.0-or-later
"""Descriptors handed over at start: -add-fd, and /dev/fdset/N wherever a file is named."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import Vm  # noqa: E402

NONE = ['-M', 'none', '-nodefaults', '-display', 'none']


class Fdset(unittest.TestCase):
    def setUp(self):
        self.read_end, self.write_end = os.pipe()
        self.addCleanup(os.close, self.read_end)

    def start(self, *args):
        """A VM with the pipe's write end in set 5; ours is closed."""
        vm = Vm(house.binary(), *NONE, '-add-fd', f'fd={self.write_end},set=5,opaque=log', *args,
                pass_fds=[self.write_end])
        os.close(self.write_end)
        return vm

    def test_chardev(self):
        with self.start('-chardev', 'file,id=out,path=/dev/fdset/5', '-mon',
                        'chardev=out,mode=control'):
            line = os.read(self.read_end, 4096)
            self.assertIn('QMP', json.loads(line))

    def test_log_file(self):
        with self.start('-chardev', 'file,id=c,path=/dev/null,logfile=/dev/fdset/5', '-mon',
                        'chardev=c,mode=control'):
            self.assertIn('QMP', json.loads(os.read(self.read_end, 4096)))

    def test_added_later(self):
        """By QMP, as a client does it that saves to a file of its own."""
        os.close(self.write_end)
        with tempfile.TemporaryDirectory() as folder, Vm(house.binary(), *NONE) as vm:
            path = os.path.join(folder, 'state')
            fd = os.open(path, os.O_WRONLY | os.O_CREAT)
            number = vm.qmp('add-fd', fds=[fd], fdset_id=3)['fdset-id']
            os.close(fd)
            self.assertEqual(number, 3)
            vm.qmp('migrate', uri='file:/dev/fdset/3')
            while vm.qmp('query-migrate')['status'] not in ('completed', 'failed'):
                time.sleep(0.01)
            with open(path, 'rb') as file:
                self.assertEqual(file.read(4), b'TAND')

    def test_wrong(self):
        os.close(self.write_end)
        for args, text in (
                (['-add-fd', 'fd=99,set=1'], '-add-fd fd=99,set=1: fd is not valid'),
                (['-add-fd', 'set=1'], "-add-fd set=1: Parameter 'fd' is missing"),
                (['-chardev', 'file,id=a,path=/dev/fdset/77'], '/dev/fdset/77'),
                (['-chardev', 'socket,id=a,fd=98'], '98'),
                (['-incoming', 'fd:97'], '97')):
            with self.subTest(args=args):
                done = subprocess.run([house.binary(), *NONE, *args], capture_output=True,
                                      text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(text, done.stderr)


if __name__ == '__main__':
    house.main()
