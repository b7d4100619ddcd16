# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel takes a CPU into the running machine, uses it and lets it go."""
import os
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
from vm import Qmp  # noqa: E402

SECONDS = 600  # for a busy machine; nothing waits this long when all is well
EJECT, IN_PROGRESS = 3, 132  # of _OST: a request to eject, and the kernel is at it
CPU = {'driver': 'max-x86_64-cpu', 'id': 'new', 'socket-id': 1, 'core-id': 0, 'thread-id': 0}


def ejection(qmp):
    """How it ended, as the kernel tells the firmware."""
    while True:
        told = qmp.wait_event('ACPI_DEVICE_OST')['data']['info']
        if told['source'] == EJECT and told['status'] != IN_PROGRESS:
            return told['status']


class CpuHotplug(unittest.TestCase):
    def check(self, board):
        try:
            kernel = guest.kernel('6.1')  # newer ones want a hypervisor that they know
        except subprocess.CalledProcessError:
            self.skipTest('Linux 6.1 cannot be fetched from the package archive')
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as link:
            archive, path = (os.path.join(folder, name) for name in ('initramfs', 'qmp'))
            guest.initramfs(archive, {'init': guest.build('hotplug_init.c', os.path.join(folder, 'init'))})
            console = guest.Console(
                [house.binary(), '-M', board, '-accel', 'tcg', '-cpu', 'max', '-m', '256', '-smp',
                 '1,sockets=2,maxcpus=2', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
                 '-serial', 'stdio', '-qmp', f'unix:{path},server=on,wait=off', '-kernel', kernel, '-initrd',
                 archive, '-append', f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS}'], SECONDS,
                stdin=subprocess.PIPE)
            lines, said = [], {}
            for _, line in console.lines():
                lines.append(line)
                if not line.startswith('hotplug '):
                    continue
                _, event, cpus = line.split(None, 2)
                said[event] = cpus
                if event == 'ready':
                    link.connect(path)
                    qmp = Qmp(link)
                    qmp('device_add', **CPU)
                elif event == 'plugged':
                    qmp('device_del', id='new')
                    qmp.wait_event('DEVICE_DELETED')
                elif event == 'gone':
                    said['status'] = ejection(qmp)
                    console.process.stdin.write('\n')
                    console.process.stdin.flush()
        tail = '\n'.join(lines[-30:])
        self.assertEqual(said, {'ready': '0', 'plugged': '0-1', 'gone': '0', 'status': 0,
                                'ejected': 'completely'}, tail)
        self.assertEqual(console.process.returncode, 0, tail)

    def test_q35(self):
        self.check('q35')

    def test_pc(self):
        self.check('pc')


if __name__ == '__main__':
    house.main()
