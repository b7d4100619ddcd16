# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile use: every property, command, option and text command gets what it does not expect.

The oracle is that the process answers each time and ends well: an error is fine, a success too.
A build with sanitizers also sees what is leaked or touched on the way.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import Vm  # noqa: E402

NONE = ['-M', 'none', '-nodefaults', '-display', 'none', '-m', '16']

VALUES = [None, True, -1, 1 << 62, 18446744073709551615, 1.5e300, '', 'x' * 3000, 'nul\0%n%s',
          '/machine', [], [[]], [1, 'x', None], {}, {'a': {'b': 1}}]
# They end the process, or the session.
NOT_RUN = {'quit', 'qmp_capabilities'}
# Waits for a client; answers with its parent's status.
OPTIONS_NOT_RUN = {'-preconfig', '-daemonize'}
CPUS_EACH = 2  # models differ in values only

TEXTS = ['', 'x' * 100000, '=', ',', ',,,', '=,=', 'a=b=c', 'a.b.c=1,a=2', 'a.99999999999=1',
         'a.0=1,a.1=2,a.x=3', '{', '{}', '{"a":', '[]', '{"driver":[]}', '{"id":{"id":1}}',
         '%s%n', '\udcff\udcfe', 'id=1', 'id=', 'on', 'off,id=x', '-1', '18446744073709551616',
         'nul,size=1e400', 'driver=x,driver=y']
LINES = ['', '0', '-1', 'x', '/x', '/9999999999x 0', '/1000xg 0xfffffffffffffff0', '0 0', '0 -1',
         '0 0x7fffffffffffffff', '0x8000000000000000 0xffffffffffffffff', '"', '"\\', '((((((1',
         '1/0', '1%0', 'x y z w v u', '-a', '-f -d -o', '%n%s', '$pc', 'a=b,c=d', '/machine type x',
         '-j /machine kernel {', '1 ' * 500, 'x' * 5000]
CONFIGURATIONS = [b'', b'[', b'[]', b'[machine', b'[machine]\nx', b'x=y', b'[nope]', b'\0' * 5000,
                  b'[machine "', b'[machine "x]\n', b'[object "m"]\n' * 3000, b'[memory]\n=1',
                  b'[memory]\nsize="', b'[memory]\nsize=""', b'[memory]\nsize="1', b'\xff\xfe\n[\xff]',
                  b'[machine]\n' + b'x' * 100000 + b'=1', b'[object "m"]\na.b.c.d.e.f.0=1\na=2']


class Walk(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder.name)  # what is written falls here

    def many(self, vm, requests):
        """Their replies; each must come."""
        replies = []
        for start in range(0, len(requests), 50):
            part = requests[start:start + 50]
            for request in part:
                vm.qmp.send(request)
            replies += [vm.qmp.reply() for _ in part]
        for request, reply in zip(requests, replies):
            self.assertTrue('return' in reply or reply['error']['class'], request)
        return replies

    def creatable(self, vm):
        """(request to make one, type), of each type that users can make, with few CPUs."""
        for implements, request in (('user-creatable', 'object-add'), ('device', 'device_add')):
            types = vm.qmp('qom-list-types', implements=implements)
            cpus = [t['name'] for t in types if t['name'].endswith('-cpu')]
            for name in sorted(t['name'] for t in types):
                if name not in cpus[CPUS_EACH:]:
                    yield request, name

    def test_properties(self):
        for arch in house.ARCHES:
            with Vm(house.binary(arch), *NONE) as vm:
                for request, name in self.creatable(vm):
                    self.properties(vm, request, name)

    def properties(self, vm, request, name):
        key = 'qom-type' if request == 'object-add' else 'driver'
        for item in vm.qmp('qom-list-properties', typename=name):
            for value in VALUES:
                with self.subTest(type=name, property=item['name'], value=str(value)[:20]):
                    self.many(vm, [
                        {'execute': request,
                         'arguments': {key: name, 'id': 'w', item['name']: value}},
                        {'execute': request.replace('add', 'del'), 'arguments': {'id': 'w'}}])

    def paths(self, vm, path):
        for item in vm.qmp('qom-list', path=path):
            below = f"{path.rstrip('/')}/{item['name']}"
            yield path, item['name']
            if item['type'].startswith('child<'):
                yield from self.paths(vm, below)

    def test_qom_set(self):
        for arch in house.ARCHES:
            with Vm(house.binary(arch), *NONE, '-object', 'memory-backend-ram,id=m,size=1M',
                    '-object', 'iothread,id=t', '-chardev', 'null,id=c') as vm:
                self.many(vm, [{'execute': 'qom-set', 'arguments': {
                    'path': path, 'property': name, 'value': value}}
                    for path, name in self.paths(vm, '/') for value in VALUES])

    def test_commands(self):
        for arch in house.ARCHES:
            with Vm(house.binary(arch), *NONE) as vm:
                schema = {entity['name']: entity for entity in vm.qmp('query-qmp-schema')}
                for name, entity in schema.items():
                    if entity['meta-type'] != 'command' or name in NOT_RUN:
                        continue
                    members = [m['name'] for m in schema[entity['arg-type']]['members']]
                    self.many(vm, [{'execute': name, 'arguments': {member: value}}
                                   for member in members for value in VALUES])
                    # All at once: every member is there.
                    self.many(vm, [{'execute': name, 'arguments': dict.fromkeys(members, value)}
                                   for value in VALUES])

    def test_text_commands(self):
        for arch in house.ARCHES:
            with Vm(house.binary(arch), *NONE) as vm:
                names = [re.split(r'[|\s]', line)[0] for line in
                         vm.qmp.hmp('help').splitlines() + vm.qmp.hmp('help info').splitlines()]
                topics = ['info ' + line.split()[1] for line in
                          vm.qmp.hmp('help info').splitlines()]
                self.assertGreater(len(names), 30)
                self.many(vm, [{'execute': 'human-monitor-command',
                                'arguments': {'command-line': f'{name} {line}'}}
                               for name in names + topics if name not in ('quit', 'q', 'info')
                               for line in LINES])

    def run_option(self, args):
        """A monitor that reads a file ends the process once the machine is there."""
        done = subprocess.run([house.binary(), *args, *NONE, '-chardev', 'file,id=end,path=/dev/null,input-path=end',
                               '-mon', 'end'],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=120, check=False,
                              env=house.sandbox_env() if args[0] == '-sandbox' else None)
        return args, done.returncode, done.stderr

    def configurations(self):
        for number, text in enumerate(CONFIGURATIONS):
            path = f'config{number}'
            with open(path, 'wb') as file:
                file.write(text)
            yield path

    def test_options(self):
        text = subprocess.run([house.binary(), '-help'], capture_output=True, text=True,
                              check=True).stdout
        options = re.findall(r'^(-\S+)(?: (\S+))?', text, re.MULTILINE)
        self.assertGreater(len(options), 50)
        with open('end', 'w', encoding='ascii') as file:
            file.write('quit\n')
        runs = [[name, value] for name, syntax in options if syntax for value in TEXTS]
        runs += [[name] for name, _ in options if name not in OPTIONS_NOT_RUN]
        runs += [['-readconfig', path] for path in self.configurations()]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for args, status, err in pool.map(self.run_option, runs):
                with self.subTest(args=[arg[:60] for arg in args]):
                    self.assertIn(status, (0, 1), err.decode(errors='replace'))
                    if status:
                        self.assertTrue(err.strip())


if __name__ == '__main__':
    house.main()
