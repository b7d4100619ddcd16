# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: one clear line for what is wrong, status 1; help prints and exits well."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import Vm, QmpError  # noqa: E402

NONE = ['-M', 'none', '-display', 'none', '-nodefaults']

# What is given: what stderr says behind the program's name.
WRONG = [
    (['-foo'], '-foo: invalid option'),
    (['-machine', 'nope'], "unsupported machine type 'nope'"),
    (['-machine', 'none,foo=1'], "Property 'none-machine.foo' not found"),
    (['-m', '1Z'], "-m 1Z: Parameter 'size' expects a size value"),
    (['-m', '4G,slots=2'], '-m 4G: slots specified but no max-size'),
    (['-smp', '2'], "Invalid SMP CPUs 2. The max CPUs supported by machine 'none' is 1"),
    (['-smp', '4,sockets=3'], 'Invalid CPU topology: product of the hierarchy must match maxcpus: '
     'sockets (3) * cores (1) * threads (1) != maxcpus (4)'),
    (['-accel', 'nope'], '-accel nope: invalid accelerator nope'),
    (['-cpu'], '-cpu: requires an argument'),
    (['-cpu', ''], '-cpu option cannot be empty'),
    (['-cpu', 'nope'], "unable to find CPU model 'nope'"),
    (['-device', 'nope'], "-device nope: 'nope' is not a valid device model name"),
    (['-object', 'nope,id=x'],
     "-object nope,id=x: Parameter 'qom-type' does not accept value 'nope'"),
    (['-object', 'memory-backend-ram,id=x'],
     "-object memory-backend-ram,id=x: Parameter 'size' is missing"),
    (['-name', 'a,foo=b'], "-name a,foo=b: Invalid parameter 'foo'"),
    (['-rtc', 'base=zz'], 'invalid datetime format'),
    (['-boot', 'order=xyz'], "Invalid boot device 'x'"),
    (['-chardev', 'null'], '-chardev null: chardev: no id specified'),
    (['-uuid', 'x'], '-uuid x: failed to parse UUID string: wrong format'),
    (['-msg', 'foo=1'], "-msg foo=1: Invalid parameter 'foo'"),
    (['-mon', 'x'], "-mon x: Chardev 'x' not found"),
    (['-incoming', 'x:y'], "-incoming x:y: Parameter 'uri' expects a valid migration protocol"),
    (['-add-fd', 'fd=77,set=1'], '-add-fd fd=77,set=1: fd is not valid or already in use'),
    (['-overcommit', 'x=1'], "-overcommit x=1: Invalid parameter 'x'"),
    (['-readconfig', '/nope'],
     "-readconfig /nope: Could not open '/nope': No such file or directory"),
    (['-runas', 'nosuch'],
     '-runas nosuch: User "nosuch" doesn\'t exist (and is not <uid>:<gid>)'),
    (['-action', 'x=y'], "-action x=y: Invalid parameter 'x'"),
    (['-machine', 'accel=tcg', '-accel', 'tcg'],
     'The -accel and "-machine accel=" options are incompatible'),
    (['-pidfile', '/nope/x'],
     "cannot create PID file: Could not create '/nope/x': No such file or directory"),
    (['-preconfig', '-incoming', 'tcp:0:0'], "'preconfig' supports '-incoming defer' only"),
    (['-device', '{"driver":"loader"'], '-device {"driver":"loader": JSON parse error'),
    (['-set', 'device.x.y=1'], '-set device.x.y=1: There is no device "x" defined'),
    (['-numa', 'node'], '-numa node: NUMA is not supported by this machine-type'),
]

HELP = [
    (['-help'], 'Standard options:'),
    (['-version'], 'QEMU emulator version 9.0'),
    (['-M', 'help'], 'none '),
    (['-M', 'none,help'], 'memory'),
    (['-accel', 'help'], 'tcg'),
    (['-object', 'help'], 'memory-backend-ram'),
    (['-object', 'memory-backend-ram,help'], 'prealloc=<bool>'),
    (['-chardev', 'help'], 'socket'),
    (['-cpu', 'help'], {'x86_64': 'max', 'aarch64': 'max', 'ppc64': 'power9_v2.0'}),
    (['-d', 'help'], 'guest_errors'),
    (['-trace', 'help'], 'register_read'),
]


def run(args, arch='x86_64', **kwargs):
    return subprocess.run([house.binary(arch), *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False, **kwargs)


class CommandLine(unittest.TestCase):
    def test_wrong(self):
        for args, expected in WRONG:
            with self.subTest(args=args):
                done = run(NONE + args)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertEqual(done.stdout, '')
                first = done.stderr.splitlines()[0]
                self.assertTrue(first.startswith(f'{house.binary()}: {expected}'), done.stderr)

    def test_help(self):
        for arch in house.ARCHES:
            for args, expected in HELP:
                with self.subTest(arch=arch, args=args):
                    done = run(args, arch)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    text = expected if isinstance(expected, str) else expected[arch]
                    self.assertIn(text, done.stdout)
                    self.assertEqual(done.stderr, '')

    def test_timestamp(self):
        done = run(NONE + ['-msg', 'timestamp=on', '-device', 'nope'])
        self.assertRegex(done.stderr,
                         r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+: -device nope: ')

    def test_accepted(self):
        """Forms that clients send."""
        for args in (['-machine', 'none,'], ['-machine', 'none', '-machine', 'graphics=off'],
                     ['-accel', 'kvm', '-accel', 'tcg'], ['-nographic'], ['-no-user-config'],
                     ['-name', 'guest=a,,b,debug-threads=on'], ['-rtc', 'base=utc,clock=vm'],
                     ['-overcommit', 'mem-lock=off'], ['-boot', 'strict=on'],
                     ['-serial', 'null', '-parallel', 'none', '-monitor', 'none'],
                     ['-audio', 'none', '-vga', 'none', '-net', 'none', '-nic', 'none'],
                     ['-msg', 'timestamp=on'], ['-no-shutdown'], ['-no-reboot'],
                     ['--S']):
            with self.subTest(args=args), Vm(house.binary(), '-M', 'none', '-nodefaults', '-m', '16',
                                             *args) as vm:
                vm.qmp('query-status')

    def test_cpu(self):
        """One CPU of the model that was asked for, and 'quit' works (machine-none-test)."""
        for arch, model, typename in (
                ('x86_64', 'qemu64,apic-id=0', 'qemu64-x86_64-cpu'),
                ('aarch64', 'cortex-a57', 'cortex-a57-arm-cpu'),
                ('ppc64', 'power8e_v2.1', 'power8e_v2.1-powerpc64-cpu')):
            with self.subTest(arch=arch), Vm(house.binary(arch), *NONE, '-cpu', model) as vm:
                cpus = vm.qmp('query-cpus-fast')
                self.assertEqual([vm.qmp('qom-get', path=cpu['qom-path'], property='type')
                                  for cpu in cpus], [typename])
                vm.qmp('quit')
                self.assertEqual(vm.wait(), 0)

    def test_name_uuid(self):
        uuid = '01234567-89ab-cdef-0123-456789abcdef'
        with Vm(house.binary(), *NONE, '-name', 'a,,b', '-uuid', uuid) as vm:
            self.assertEqual(vm.qmp('query-name'), {'name': 'a,b'})
            self.assertEqual(vm.qmp('query-uuid'), {'UUID': uuid})

    def test_readconfig(self):
        with tempfile.NamedTemporaryFile('w', suffix='.cfg') as config:
            config.write('# comment\n[machine]\n  graphics = "off"\n'
                         '[object "mem"]\n  qom-type = "memory-backend-ram"\n  size = "16M"\n'
                         '[memory]\n  size = "32"\n')
            config.flush()
            with Vm(house.binary(), *NONE, '-readconfig', config.name) as vm:
                self.assertEqual([m['size'] for m in vm.qmp('query-memdev')
                                  if m.get('id') == 'mem'], [16 << 20])
                self.assertFalse(vm.qmp('qom-get', path='/machine', property='graphics'))
                self.assertEqual(vm.qmp('query-memory-size-summary')['base-memory'], 32 << 20)

    def test_preconfig(self):
        with Vm(house.binary(), *NONE, '-preconfig') as vm:
            self.assertEqual(vm.qmp('query-status')['status'], 'prelaunch')
            with self.assertRaisesRegex(QmpError, 'permitted only after machine initialization'):
                vm.qmp('query-machines')
            vm.qmp('x-exit-preconfig')
            vm.qmp.wait_event('RESUME')
            self.assertEqual(vm.qmp('query-status')['status'], 'running')
            with self.assertRaisesRegex(QmpError, 'only before machine initialization'):
                vm.qmp('x-exit-preconfig')

    def test_preconfig_nodes(self):
        """What options said of nodes is known by then, and QMP may say the rest."""
        with Vm(house.binary(), '-M', 'pc', '-smp', '2,sockets=2', '-m', '64', '-nodefaults',
                '-object', 'memory-backend-ram,id=m0,size=64M', '-preconfig', '-accel', 'qtest',
                '-numa', 'node,nodeid=0,memdev=m0', '-numa', 'node,nodeid=1',
                '-numa', 'cpu,node-id=1,socket-id=1') as vm:
            def nodes():
                return [slot['props'].get('node-id') for slot in
                        sorted(vm.qmp('query-hotpluggable-cpus'),
                               key=lambda slot: slot['props']['socket-id'])]
            self.assertEqual(nodes(), [None, 1])
            vm.qmp.run('set-numa-node', {'type': 'cpu', 'node-id': 0, 'socket-id': 0})
            self.assertEqual(nodes(), [0, 1])
            vm.qmp('x-exit-preconfig')
            self.assertEqual(nodes(), [0, 1])

    def test_dump_vmstate(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'state.json')
            self.assertEqual(run(NONE + ['-dump-vmstate', path]).returncode, 0)
            self.assertGreater(os.path.getsize(path), 10)


if __name__ == '__main__':
    house.main()
