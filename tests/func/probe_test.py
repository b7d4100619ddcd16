# SPDX-License-Identifier: GPL-2.0-or-later
"""How libvirt starts a binary to learn what it can do, and the recorded dialogues replayed."""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import Qmp, Vm  # noqa: E402

# Commands whose absence the client accepts: what they ask about does not exist here yet.
MAY_BE_ABSENT = {'query-sev-capabilities', 'query-sgx-capabilities'}


class Probe:
    """The process as libvirt makes it."""

    def __init__(self, arch, *extra):
        self.folder = tempfile.TemporaryDirectory(prefix='probe-')
        self.socket = os.path.join(self.folder.name, 'qmp.monitor')
        self.pid_file = os.path.join(self.folder.name, 'qmp.pid')
        self.done = subprocess.run(
            [house.binary(arch), '-S', '-no-user-config', '-nodefaults', '-nographic', '-machine',
             'none,accel=kvm:tcg', '-qmp', f'unix:{self.socket},server=on,wait=off', '-pidfile',
             self.pid_file, '-daemonize', *extra],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=60, check=False, cwd='/')

    def connect(self):
        """Once, without a second try: it must be listening."""
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.socket)
        return sock

    def pid(self):
        with open(self.pid_file, encoding='ascii') as text:
            return int(text.read())

    def end(self):
        pid = self.pid()
        os.kill(pid, signal.SIGTERM)
        while self.is_alive(pid):
            time.sleep(0.01)

    @staticmethod
    def is_alive(pid):
        """Somebody else may be slow to collect what has ended."""
        try:
            with open(f'/proc/{pid}/stat', encoding='ascii') as stat:
                return stat.read().rsplit(')', 1)[1].split()[0] != 'Z'
        except FileNotFoundError:
            return False


class Daemon(unittest.TestCase):
    def test_order(self):
        for arch in house.ARCHES:
            with self.subTest(arch=arch):
                probe = Probe(arch)
                self.assertEqual(probe.done.returncode, 0, probe.done.stderr)
                self.assertIn('falling back to tcg', probe.done.stderr)
                qmp = Qmp(probe.connect())
                self.assertEqual(qmp('query-kvm'), {'enabled': False, 'present': False})
                self.assertEqual(qmp('query-target'), {'arch': arch})
                self.assertEqual(qmp('query-status')['status'], 'prelaunch')
                pid = probe.pid()
                self.assertEqual(os.readlink(f'/proc/{pid}/cwd'), '/')
                for fd in range(3):
                    self.assertEqual(os.readlink(f'/proc/{pid}/fd/{fd}'), '/dev/null')
                self.assertEqual(os.stat(probe.pid_file).st_mode & 0o777, 0o600)
                probe.end()
                self.assertFalse(os.path.exists(probe.pid_file))

    def test_refused(self):
        probe = Probe('x86_64', '-bogus')
        self.assertEqual(probe.done.returncode, 1)
        self.assertEqual(probe.done.stderr, f"{house.binary()}: -bogus: invalid option\n")

    def test_late_failure(self):
        probe = Probe('x86_64', '-device', 'nope')
        self.assertEqual(probe.done.returncode, 1)
        self.assertIn("'nope' is not a valid device model name", probe.done.stderr)
        self.assertFalse(os.path.exists(probe.pid_file))

    def test_pid_file_is_locked(self):
        probe = Probe('x86_64')
        again = subprocess.run([house.binary(), '-M', 'none', '-nodefaults', '-display', 'none',
                                '-pidfile', probe.pid_file], capture_output=True, text=True,
                               timeout=60, check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn('cannot create PID file: ', again.stderr)
        probe.end()


class Replay(unittest.TestCase):
    def kind(self, reply):
        return 'return' if 'return' in reply else reply['error']['class']

    def check(self, arch, name):
        session = house.json_lines('libvirt', 'caps', name + '.session.jsonl')
        requests = [line['request'] for line in session if 'request' in line]
        replies = [line['reply'] for line in session if 'reply' in line]
        with Vm(house.binary(arch), '-M', 'none', '-nodefaults', '-S', negotiate=False) as vm:
            types = None
            for request, recorded in zip(requests, replies):
                reply = vm.qmp.request(request)
                expected, got = self.kind(recorded), self.kind(reply)
                self.assertEqual(reply.get('id'), request['id'])
                if request['execute'] == 'qom-list-types':
                    types = {entry['name'] for entry in reply['return']}
                asked = request.get('arguments', {}).get('typename')
                if expected == 'return' and types and asked and asked not in types:
                    expected = 'DeviceNotFound'  # a type we do not have (yet)
                if expected == 'DeviceNotFound' and types and asked in types:
                    expected = 'return'  # our binaries have all devices
                if request['execute'] in MAY_BE_ABSENT and got == 'CommandNotFound':
                    continue
                model = request.get('arguments', {}).get('model', {}).get('name')
                if model == 'host' and got == 'GenericError':
                    continue  # what KVM alone can tell
                with self.subTest(request=request):
                    self.assertEqual(got, expected, reply)

    def test_replay(self):
        for arch, name in (('x86_64', 'x86_64.kvm-tcg'), ('x86_64', 'x86_64.tcg'),
                           ('aarch64', 'aarch64.kvm-tcg'), ('ppc64', 'ppc64.kvm-tcg')):
            with self.subTest(name=name):
                self.check(arch, name)


class Signals(unittest.TestCase):
    STATES = {'running': [], 'prelaunch': ['-S'], 'inmigrate': ['-incoming', 'defer'],
              'preconfig': ['-preconfig']}

    def test_sigterm(self):
        for state, args in self.STATES.items():
            with self.subTest(state=state), Vm(house.binary(), '-M', 'none', '-nodefaults',
                                               *args) as vm:
                status = vm.qmp('query-status')['status']
                self.assertEqual(status, 'prelaunch' if state == 'preconfig' else state)
                vm.process.send_signal(signal.SIGTERM)
                event = vm.qmp.wait_event('SHUTDOWN')
                self.assertEqual(event['data'], {'guest': False, 'reason': 'host-signal'})
                self.assertEqual(vm.wait(), 0)
                self.assertRegex(vm.stderr, r'terminating on signal 15 from pid \d+ \(')

    def test_quit(self):
        with Vm(house.binary(), '-M', 'none', '-nodefaults') as vm:
            vm.qmp('quit')
            self.assertEqual(vm.qmp.wait_event('SHUTDOWN')['data'],
                             {'guest': False, 'reason': 'host-qmp-quit'})
            self.assertEqual(vm.wait(), 0)


if __name__ == '__main__':
    house.main()
