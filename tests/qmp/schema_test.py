"""The schema a binary shows is complete, and its commands take exactly what it says.

Usage: schema_test.py BINARY. Nothing is executed: every request has something wrong that is
noticed before the command runs.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import sys
import unittest

from vm import Vm

BINARY = sys.argv.pop() if len(sys.argv) > 1 else None
UNCHECKED = {
    'device_add',         # its further members are properties
    'qmp_capabilities',   # is over
}
JSON_TYPES = {'str': 'string', 'int': 'int', 'number': 'number', 'bool': 'boolean',
              'null': 'null', 'any': 'value'}
KEYS = {
    'builtin': {'json-type'}, 'enum': {'members', 'values'}, 'array': {'element-type'},
    'object': {'members', 'tag', 'variants'}, 'alternate': {'members'},
    'command': {'arg-type', 'ret-type', 'allow-oob'}, 'event': {'arg-type'},
}


class Samples:
    """Values that fit a type, as small as can be."""

    def __init__(self, entities):
        self.entities = entities

    def value(self, name):
        entity = self.entities[name]
        meta = entity['meta-type']
        if meta == 'builtin':
            return {'string': '', 'int': 1, 'number': 1, 'boolean': False, 'null': None,
                    'value': None}[entity['json-type']]
        if meta == 'enum':
            return entity['members'][0]['name']
        if meta == 'array':
            return []
        if meta == 'alternate':
            # What is no object cannot lead back here.
            types = [member['type'] for member in entity['members']]
            return self.value(min(types, key=self.is_object))
        return self.members(entity, mandatory_only=True)

    def is_object(self, name):
        return self.entities[name]['meta-type'] == 'object'

    def members(self, entity, mandatory_only=False, case=None):
        result = {member['name']: self.value(member['type']) for member in entity['members']
                  if not (mandatory_only and 'default' in member)}
        if 'tag' in entity:
            case = case or entity['variants'][0]['case']
            branch = next(variant['type'] for variant in entity['variants']
                          if variant['case'] == case)
            result[entity['tag']] = case
            result.update(self.members(self.entities[branch], mandatory_only))
        return result

    def full_arguments(self, command):
        """Every member, once for each case of a union."""
        entity = self.entities[command['arg-type']]
        cases = [variant['case'] for variant in entity.get('variants', [])] or [None]
        return [self.members(entity, case=case) for case in cases]


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        vm = Vm(BINARY, '-machine', 'none', '-nodefaults')
        cls.addClassCleanup(vm.__exit__, None, None, None)
        cls.qmp = vm.qmp
        cls.schema = cls.qmp('query-qmp-schema')
        cls.entities = {entity['name']: entity for entity in cls.schema}
        cls.commands = [entity for entity in cls.schema if entity['meta-type'] == 'command']
        cls.samples = Samples(cls.entities)

    def test_keys(self):
        self.assertEqual(len(self.entities), len(self.schema), 'a name occurs twice')
        for entity in self.schema:
            with self.subTest(entity=entity):
                allowed = KEYS[entity['meta-type']] | {'name', 'meta-type', 'features'}
                self.assertLessEqual(set(entity), allowed)
                if entity['meta-type'] == 'builtin':
                    self.assertEqual(entity['json-type'], JSON_TYPES[entity['name']])
                if entity['meta-type'] == 'enum':
                    self.assertEqual([member['name'] for member in entity['members']],
                                     entity['values'])

    def references(self, entity):
        for key in ('arg-type', 'ret-type', 'element-type'):
            if key in entity:
                yield entity[key]
        if entity['meta-type'] in ('object', 'alternate'):
            for part in entity['members'] + entity.get('variants', []):
                yield part['type']

    def test_references(self):
        seen = {entity['name'] for entity in self.schema
                if entity['meta-type'] in ('command', 'event')}
        todo = list(seen)
        while todo:
            for name in self.references(self.entities[todo.pop()]):
                if name not in seen:
                    self.assertIn(name, self.entities)
                    seen.add(name)
                    todo.append(name)
        self.assertEqual(seen, set(self.entities), 'types that nothing refers to')

    def test_unions(self):
        for entity in self.schema:
            if 'tag' not in entity:
                continue
            with self.subTest(entity=entity['name']):
                tag = next(member for member in entity['members']
                           if member['name'] == entity['tag'])
                values = self.entities[tag['type']]['values']
                self.assertEqual(sorted(variant['case'] for variant in entity['variants']),
                                 sorted(values))

    def test_commands_are_listed(self):
        listed = [item['name'] for item in self.qmp('query-commands')]
        self.assertEqual(sorted(listed), sorted(command['name'] for command in self.commands))

    def execute(self, name, arguments):
        return self.qmp.request({'execute': name, 'arguments': arguments})

    def checked_commands(self):
        return [command for command in self.commands if command['name'] not in UNCHECKED]

    def test_every_member_is_known_and_no_other(self):
        for command in self.checked_commands():
            for arguments in self.samples.full_arguments(command):
                with self.subTest(command=command['name'], arguments=arguments):
                    reply = self.execute(command['name'], {**arguments, 'x-bogus': 1})
                    self.assertEqual(reply, {'error': {
                        'class': 'GenericError', 'desc': "Parameter 'x-bogus' is unexpected"}})

    def test_mandatory_members(self):
        for command in self.checked_commands():
            entity = self.entities[command['arg-type']]
            for member in entity['members']:
                arguments = self.samples.value(command['arg-type'])
                if 'default' in member:
                    continue
                del arguments[member['name']]
                with self.subTest(command=command['name'], missing=member['name']):
                    reply = self.execute(command['name'], {**arguments, 'x-bogus': 1})
                    self.assertEqual(reply['error']['desc'],
                                     f"Parameter '{member['name']}' is missing")


if __name__ == '__main__':
    unittest.main(argv=sys.argv)
