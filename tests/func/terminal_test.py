# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that people and scripts type into: the terminal, UDP, telnet, named pipes."""
import os
import pty
import re
import select
import socket
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import TIMEOUT, Vm  # noqa: E402

NONE = ['-M', 'none', '-nodefaults']


def read_until(fd, what):
    got, deadline = b'', time.monotonic() + TIMEOUT
    while what not in got and time.monotonic() < deadline:
        if select.select([fd], [], [], 1)[0]:
            got += os.read(fd, 4096)
    return got


def wait_for(condition):
    deadline = time.monotonic() + TIMEOUT
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


class Terminal(unittest.TestCase):
    def test_nographic(self):
        """Serial line and monitor share the terminal; it comes back as it was."""
        master, slave = pty.openpty()
        before = termios.tcgetattr(slave)
        process = subprocess.Popen([house.binary(), '-M', 'none', '-nographic'], stdin=slave,
                                   stdout=slave, stderr=slave)
        wait_for(lambda: not termios.tcgetattr(slave)[3] & termios.ICANON)
        self.assertFalse(termios.tcgetattr(slave)[3] & termios.ISIG)
        os.write(master, b'\x01h')
        self.assertIn(b'C-a x', read_until(master, b'C-a x'))
        os.write(master, b'info version\r')
        self.assertIn(b'9.0.0', read_until(master, b'9.0.0'))
        os.write(master, b'\x01x')
        self.assertEqual(process.wait(TIMEOUT), 0)
        self.assertEqual(termios.tcgetattr(slave), before)
        os.close(master)
        os.close(slave)

    def test_daemon_has_no_terminal(self):
        done = subprocess.run([house.binary(), *NONE, '-display', 'none', '-monitor', 'stdio',
                               '-daemonize'], capture_output=True, text=True, timeout=TIMEOUT,
                              stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn('-daemonize cannot be used with a chardev on the terminal', done.stderr)

    def test_udp(self):
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.bind(('127.0.0.1', 0))
        peer.settimeout(TIMEOUT)
        ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ours.bind(('127.0.0.1', 0))
        port = ours.getsockname()[1]
        ours.close()
        with Vm(house.binary(), *NONE, '-chardev', f'udp,id=u,host=127.0.0.1,'
                f'port={peer.getsockname()[1]},localaddr=127.0.0.1,localport={port}',
                '-mon', 'u'):
            peer.sendto(b'info status\r', ('127.0.0.1', port))
            got = b''
            while b'running' not in got:
                got += peer.recv(4096)
        peer.close()

    def test_telnet_and_pipe(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'line')
            for end in ('.in', '.out'):
                os.mkfifo(path + end)
            with Vm(house.binary(), *NONE, '-chardev',
                    'socket,id=t,host=127.0.0.1,port=0,server=on,wait=off,telnet=on',
                    '-mon', 't', '-chardev', f'pipe,id=p,path={path},logfile={path}.log',
                    '-mon', 'p') as vm:
                name = next(c['filename'] for c in vm.qmp('query-chardev') if c['label'] == 't')
                port = int(re.search(r':(\d+),', name)[1])
                client = socket.create_connection(('127.0.0.1', port))
                got = read_until(client.fileno(), b'(qemu)')
                self.assertEqual(got[:1], b'\xff')
                self.assertIn(b'(qemu)', got)
                client.close()
                out = os.open(path + '.out', os.O_RDONLY | os.O_NONBLOCK)
                into = os.open(path + '.in', os.O_WRONLY | os.O_NONBLOCK)
                os.write(into, b'info version\r')
                self.assertIn(b'9.0.0', read_until(out, b'9.0.0'))
                os.close(into)
                os.close(out)
                with open(path + '.log', 'rb') as log:
                    self.assertIn(b'9.0.0', log.read())


if __name__ == '__main__':
    house.main()
