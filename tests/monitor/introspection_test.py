"""What clients learn by asking: queries, types, properties, the tree; and that asking leaves no trace.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import sys
import unittest

from vm import QmpError, Vm

BINARY = sys.argv.pop(1)
NONE = ('-machine', 'none', '-nodefaults')

# Queries that fail on a machine without devices, and how.
FAILS = {
    'query-balloon': 'DeviceNotActive',
    'query-acpi-ospm-status': 'GenericError',
    'query-hotpluggable-cpus': 'GenericError',
    'query-hv-balloon-status-report': 'GenericError',
    'query-vm-generation-id': 'GenericError',
    'x-query-usb': 'GenericError',
    'x-query-jit': 'GenericError',
    'x-query-opcount': 'GenericError',
}
EITHER = {'query-cpu-definitions', 'query-gic-capabilities', 'query-pci', 'x-query-virtio',
          'query-vcpu-dirty-limit'}
CORE_PROPERTIES = {'type', 'realized', 'hotpluggable', 'hotplugged', 'parent_bus'}


class Queries(unittest.TestCase):
    def test_all(self):
        """Every query whose arguments are all optional, as qmp-cmd-test runs them."""
        with Vm(BINARY, *NONE) as vm:
            schema = {entity['name']: entity for entity in vm.qmp('query-qmp-schema')}
            ran = 0
            for entity in schema.values():
                name = entity['name']
                members = schema[entity['arg-type']]['members'] \
                    if entity['meta-type'] == 'command' else []
                if (entity['meta-type'] != 'command'
                        or not name.startswith(('query-', 'x-query-'))
                        or any('default' not in member for member in members)
                        or name.startswith(('query-sev', 'query-sgx')) or name in EITHER):
                    continue
                with self.subTest(query=name):
                    reply = vm.qmp.request({'execute': name})
                    self.assertEqual(reply.get('error', {}).get('class'), FAILS.get(name), reply)
                ran += 1
            self.assertGreater(ran, 10)

    def test_schema_and_commands_agree(self):
        with Vm(BINARY, *NONE) as vm:
            listed = {c['name'] for c in vm.qmp('query-commands')}
            known = {e['name'] for e in vm.qmp('query-qmp-schema') if e['meta-type'] == 'command'}
            self.assertEqual(listed, known)

    def test_options(self):
        with Vm(BINARY, *NONE) as vm:
            options = vm.qmp('query-command-line-options')
            names = [option['option'] for option in options]
            self.assertEqual(len(names), len(set(names)))
            self.assertIn('machine', names)
            for option in options:
                for parameter in option['parameters']:
                    self.assertIn(parameter['type'], ('string', 'boolean', 'number', 'size'))
                self.assertEqual(vm.qmp('query-command-line-options', option=option['option']),
                                 [option])


class Types(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.vm = Vm(BINARY, *NONE)
        cls.types = {t['name']: t for t in cls.vm.qmp('qom-list-types', abstract=True)}

    @classmethod
    def tearDownClass(cls):
        cls.vm.__exit__(None, None, None)

    def parents(self, name):
        while name:
            yield name
            name = self.types[name].get('parent')

    def test_lists_agree(self):
        concrete = {t['name'] for t in self.vm.qmp('qom-list-types')}
        self.assertEqual(concrete, {name for name, t in self.types.items()
                                    if not t.get('abstract', False)})
        for info in self.types.values():
            self.assertIn(info.get('abstract', True), (True,))
            self.assertIn(info.get('parent', 'object'), self.types)

    def test_implements(self):
        for base in ('device', 'machine', 'bus', 'user-creatable'):
            listed = self.vm.qmp('qom-list-types', implements=base, abstract=True)
            self.assertTrue(listed)
            for info in listed:
                if base != 'user-creatable':
                    self.assertIn(base, self.parents(info['name']))

    def test_properties_leave_no_trace(self):
        before = self.vm.qmp.hmp('info qom-tree'), self.vm.qmp.hmp('info qtree')
        files = os.listdir(f'/proc/{self.vm.process.pid}/fd')
        for name, info in self.types.items():
            for properties in self.properties(name, info):
                names = [p['name'] for p in properties]
                self.assertEqual(len(names), len(set(names)), name)
                for item in properties:
                    self.assertTrue(item['type'], name)
        for name in self.vm.qmp('qom-list-types', implements='device'):
            self.vm.qmp.hmp(f'device_add {name["name"]},help')
        self.assertEqual((self.vm.qmp.hmp('info qom-tree'), self.vm.qmp.hmp('info qtree')), before)
        self.assertEqual(os.listdir(f'/proc/{self.vm.process.pid}/fd'), files)

    def properties(self, name, info):
        yield self.vm.qmp('qom-list-properties', typename=name)
        if 'device' not in self.parents(name) or info.get('abstract'):
            with self.assertRaises(QmpError) as caught:
                self.vm.qmp('device-list-properties', typename=name)
            self.assertEqual(caught.exception.desc,
                             "Parameter 'typename' expects a non-abstract device type")
            return
        listed = self.vm.qmp('device-list-properties', typename=name)
        self.assertFalse({p['name'] for p in listed} & CORE_PROPERTIES)
        yield listed


class Tree(unittest.TestCase):
    def walk(self, vm, path, seen):
        """Reads every property below `path`, as QEMU's qom-test does."""
        for item in vm.qmp('qom-list', path=path):
            name, kind = item['name'], item['type']
            reply = vm.qmp.request({'execute': 'qom-get',
                                    'arguments': {'path': path, 'property': name}})
            seen.append((path, name))
            if kind.startswith('child<'):
                self.assertEqual(reply['return'], f'{path.rstrip("/")}/{name}')
                self.walk(vm, reply['return'], seen)
            elif kind.startswith('link<') and reply.get('return'):
                vm.qmp('qom-list', path=reply['return'])

    def test_walk(self):
        seen = []
        with Vm(BINARY, *NONE, '-object', 'memory-backend-ram,id=m,size=1M', '-object',
                'iothread,id=t') as vm:
            self.walk(vm, '/', seen)
            self.assertIn(('/objects/m', 'size'), seen)
            self.assertEqual(vm.qmp('qom-get', path='/objects/m', property='size'), 1 << 20)
            self.assertEqual(vm.qmp('qom-get', path='m', property='size'), 1 << 20)


if __name__ == '__main__':
    unittest.main()
