"""Wrong requests get the class, and where it needs no board the text, that clients know.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import sys
import unittest

from vm import Vm

BINARY = sys.argv.pop(1)
ROWS = os.path.join(os.path.dirname(__file__), '../data/libvirt/errors.jsonl')

# What the recording's q35 machine had and `none` has not: the request fails for another reason.
NEEDS_BOARD = {'pcie.0', 'rp1', 'isa.0', 'nodrive', 'nonet', 'vb0', 'pci-device', 'e1000', 'e1000e',
               'isa-serial', 'virtio-blk-pci', 'n0', 'system_wakeup'}
# Other targets say it in other words.
X86_TEXT = {'query-cpu-model-expansion'}


def words(value):
    """All strings in a JSON value."""
    if isinstance(value, dict):
        for item in value.values():
            yield from words(item)
    elif isinstance(value, list):
        for item in value:
            yield from words(item)
    elif isinstance(value, str):
        yield value


class Errors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.vm = Vm(BINARY, '-machine', 'none', '-nodefaults')
        cls.commands = {c['name'] for c in cls.vm.qmp('query-commands')}
        with open(ROWS, encoding='utf-8') as file:
            cls.rows = [json.loads(line) for line in file]

    @classmethod
    def tearDownClass(cls):
        cls.vm.__exit__(None, None, None)

    def expect(self, request, cls, desc=None):
        reply = self.vm.qmp.request(request)
        self.assertIn('error', reply)
        self.assertEqual(reply['error']['class'], cls)
        if desc is not None:
            self.assertEqual(reply['error']['desc'], desc)

    def test_recorded(self):
        ran = 0
        self.vm.qmp.run('object-add', {'qom-type': 'memory-backend-ram', 'id': 'm0',
                                       'size': 1048576})
        self.vm.qmp.run('netdev_add', {'type': 'hubport', 'id': 'u0', 'hubid': 0})
        for row in self.rows:
            request = row.get('request')
            if (not request or request['execute'] not in self.commands
                    or NEEDS_BOARD & set(words(request))):
                continue
            desc = row['desc'].replace('pc-q35-7.2-machine', 'none-machine')
            if request['execute'] in X86_TEXT and not BINARY.endswith('-x86_64'):
                desc = None
            with self.subTest(request=request):
                self.expect(request, row['class'], desc)
            ran += 1
        self.vm.qmp.run('object-del', {'id': 'm0'})
        self.vm.qmp.run('netdev_del', {'id': 'u0'})
        self.assertGreater(ran, 15)

    def test_envelope(self):
        for request, desc in (
                ([1], 'QMP input must be a JSON object'),
                ({}, "QMP input lacks member 'execute'"),
                ({'execute': 'stop', 'x': 1}, "QMP input member 'x' is unexpected"),
                ({'execute': 1}, "QMP input member 'execute' must be a string"),
                ({'execute': 'stop', 'arguments': 1},
                 "QMP input member 'arguments' must be an object"),
                ({'exec-oob': 'stop'}, "QMP input member 'exec-oob' is unexpected")):
            with self.subTest(request=request):
                self.expect(request, 'GenericError', desc)

    def test_arguments(self):
        for command, arguments, desc in (
                ('qom-get', {}, "Parameter 'path' is missing"),
                ('qom-get', {'path': '/', 'property': 'type', 'x': 1},
                 "Parameter 'x' is unexpected"),
                ('qom-get', {'path': 1, 'property': 'type'},
                 "Invalid parameter type for 'path', expected: string"),
                ('qom-set', {'path': '/machine', 'property': 'type'},
                 "Parameter 'value' is missing"),
                ('query-status', {'x': 1}, "Parameter 'x' is unexpected"),
                ('human-monitor-command', {'command-line': 'info version', 'cpu-index': 3},
                 "Parameter 'cpu-index' expects a CPU number"),
                ('trace-event-get-state', {'name': 'nope'}, 'unknown event "nope"'),
                ('query-command-line-options', {'option': 'nope'}, 'invalid option name: nope'),
                ('qom-list', {'path': ''}, "Path '' is ambiguous"),
                ('inject-nmi', {}, 'this feature or command is not currently supported')):
            with self.subTest(command=command, arguments=arguments):
                self.expect({'execute': command, 'arguments': arguments}, 'GenericError', desc)

    def test_object_add(self):
        for arguments, desc in (
                ({'qom-type': 'memory-backend-ram', 'size': 4096}, "Parameter 'id' is missing"),
                ({'id': 'x'}, "Parameter 'qom-type' is missing"),
                ({'qom-type': 'memory-backend-ram', 'id': '1x', 'size': 4096},
                 "Parameter 'id' expects an identifier"),
                ({'qom-type': 'memory-backend-ram', 'id': 'x', 'size': 4096, 'y': 1},
                 "Parameter 'y' is unexpected"),
                ({'qom-type': 'memory-backend-ram', 'id': 'x', 'size': 0},
                 "property 'size' of memory-backend-ram doesn't take value '0'")):
            with self.subTest(arguments=arguments):
                self.expect({'execute': 'object-add', 'arguments': arguments}, 'GenericError',
                            desc)
        self.expect({'execute': 'object-del', 'arguments': {'id': 'x'}}, 'GenericError',
                    "object 'x' not found")


if __name__ == '__main__':
    unittest.main()
