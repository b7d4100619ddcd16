# SPDX-License-Identifier: GPL-2.0-or-later
"""Under -sandbox on,...=deny everything works but what was denied, and nobody is killed for it."""
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

NONE = ['-M', 'none', '-nodefaults', '-m', '16']
DENY = ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny']
OBJECTS = [
    {'qom-type': 'memory-backend-ram', 'id': 'mem', 'size': 4 << 20, 'prealloc': True},
    {'qom-type': 'memory-backend-memfd', 'id': 'memfd', 'size': 4 << 20, 'share': True},
    {'qom-type': 'iothread', 'id': 'thread'},
]
CHARDEVS = {
    'null': {}, 'ringbuf': {'size': 4096}, 'pty': {}, 'file': {'out': 'file'},
    'socket': {'addr': {'type': 'unix', 'data': {'path': 'line'}}, 'server': True, 'wait': False},
}


class Sandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if 'no system call filter' in cls.refused(*DENY, '-uuid', 'x'):
            raise unittest.SkipTest('built without libseccomp')

    @staticmethod
    def refused(*args):
        return subprocess.run([house.binary(), *NONE, *args], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, check=False,
                              env=house.sandbox_env()).stderr

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)

    def filters(self, vm):
        with open(f'/proc/{vm.process.pid}/status', encoding='ascii') as status:
            return [line.split()[1] for line in status if line.startswith('Seccomp:')]

    def test_is_on(self):
        for args, mode in (([], '0'), (['-sandbox', 'off'], '0'), (DENY, '2')):
            with Vm(house.binary(), *NONE, *args, env=house.sandbox_env()) as vm:
                self.assertEqual(self.filters(vm), [mode])

    def test_wrong(self):
        self.assertIn("invalid argument for spawn: 'x'", self.refused('-sandbox', 'on,spawn=x'))

    def test_all_threads(self):
        with Vm(house.binary(), *NONE, *DENY, '-object', 'iothread,id=t',
                env=house.sandbox_env()) as vm:
            for thread in os.listdir(f'/proc/{vm.process.pid}/task'):
                with open(f'/proc/{vm.process.pid}/task/{thread}/status', encoding='ascii') as text:
                    self.assertIn('Seccomp:\t2\n', text.readlines(), thread)

    def test_work(self):
        for arch in house.ARCHES:
            with Vm(house.binary(arch), *NONE, *DENY, env=house.sandbox_env()) as vm:
                self.use(vm.qmp)

    def use(self, qmp):
        for command in [c['name'] for c in qmp('query-commands')]:
            if command.startswith('query-'):
                qmp.request({'execute': command})
        for arguments in OBJECTS:
            qmp.run('object-add', arguments)
        for kind, data in CHARDEVS.items():
            qmp('chardev-add', id=kind, backend={'type': kind, 'data': data})
        qmp('stop')
        qmp('cont')
        qmp('system_reset')
        qmp.wait_event('RESET')
        for line in qmp.hmp('help info').splitlines():
            qmp.hmp('info ' + line.split()[1])
        qmp('migrate', uri='file:state')
        while qmp('query-migrate')['status'] not in ('completed', 'failed'):
            time.sleep(0.01)
        self.assertEqual(qmp('query-migrate')['status'], 'completed')
        for kind in CHARDEVS:
            qmp('chardev-remove', id=kind)
        for arguments in OBJECTS:
            qmp('object-del', id=arguments['id'])

    def test_spawn(self):
        """Whoever asks for another process gets an error, and the VM goes on."""
        with Vm(house.binary(), *NONE, *DENY, env=house.sandbox_env()) as vm:
            with self.assertRaises(QmpError):
                vm.qmp('migrate', uri='exec:touch made')
            self.assertEqual(vm.qmp('query-status')['status'], 'running')
            self.assertFalse(os.path.exists('made'))


if __name__ == '__main__':
    house.main()
