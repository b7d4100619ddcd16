# SPDX-License-Identifier: GPL-2.0-or-later
"""Fills in one entity of the schema, every name being known."""

import re

from qapi.error import SchemaError
from qapi.model import Builtin, Enum, Member, Struct, Value, json_type
from qapi.names import camel, enum_constant
from qapi.parser import doc_text

TARGETS = ('x86_64', 'aarch64', 'ppc64')

MEMBER_NAME = re.compile(r'[a-z0-9][a-z0-9_-]*')
ANY_MEMBER_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]*')


class Definer:
    def __init__(self, schema, entity):
        self.schema = schema
        self.entity = entity
        self.expr = entity.expr
        self.documented = set()
        self.features_seen = []

    def fail(self, message):
        raise SchemaError(self.entity.place, message)

    def define(self):
        for meta in ('enum', 'struct', 'union', 'alternate', 'command', 'event'):
            if meta in self.expr:
                self.name = self.expr[meta]
                getattr(self, 'define_' + meta)()
                self.check_documentation()

    def check_documentation(self):
        doc = self.entity.doc
        for name in doc.members:
            if name not in self.documented:
                raise SchemaError(doc.place, f"'{name}' is documented, but does not exist")
        for name in doc.features:
            if name not in self.features_seen:
                raise SchemaError(doc.place, f"feature '{name}' is documented, but does not exist")

    # Parts

    def need_doc(self, name):
        self.documented.add(name)
        if not doc_text(self.entity.doc.members.get(name, [])):
            self.fail(f"'{name}' of '{self.name}' is not documented")

    def features(self, value):
        names = [item['name'] if isinstance(item, dict) and set(item) == {'name'} else item
                 for item in (value if isinstance(value, list) else self.fail(
                     "'features' takes a list"))]
        for name in names:
            if not isinstance(name, str) or not MEMBER_NAME.fullmatch(name):
                self.fail(f"bad feature name '{name}'")
            if names.count(name) > 1:
                self.fail(f"duplicate feature '{name}'")
        return names

    def entity_features(self):
        names = self.features(self.expr.get('features', []))
        self.features_seen = names
        for name in names:
            if name not in ('unstable', 'deprecated') and name not in self.entity.doc.features:
                self.fail(f"feature '{name}' of '{self.name}' is not documented")
        return names

    def flag(self, key, default=False):
        value = self.expr.get(key, default)
        if not isinstance(value, bool):
            self.fail(f"'{key}' takes true or false")
        return value

    def type_of(self, value):
        if isinstance(value, list):
            if len(value) != 1:
                self.fail('an array type is a list of one type name')
            element = self.schema.lookup(self.entity, value[0])
            if element.name == 'null':
                self.fail("there are no arrays of 'null'")
            return self.schema.array(element)
        return self.schema.lookup(self.entity, value)

    def check_member_name(self, name):
        is_exempt = self.name in self.schema.mixed_case
        pattern = ANY_MEMBER_NAME if is_exempt else MEMBER_NAME
        if not pattern.fullmatch(name) or re.match(r'has[-_]|u$', name):
            self.fail(f"bad member name '{name}'")

    def members(self, data):
        if not isinstance(data, dict):
            self.fail("'data' takes an object")
        result, c_names = [], set()
        for key, value in data.items():
            is_optional = key.startswith('*')
            name = key[1:] if is_optional else key
            self.check_member_name(name)
            self.need_doc(name)
            features = []
            if isinstance(value, dict):
                if not {'type'} <= set(value) <= {'type', 'features'}:
                    self.fail(f"member '{name}' takes 'type' and 'features'")
                features = self.features(value.get('features', []))
                value = value['type']
            member = Member(name, self.type_of(value), is_optional, features)
            if member.type.name == 'null':
                self.fail(f"member '{name}' cannot be 'null'")
            if member.c_name in c_names:
                self.fail(f"duplicate member '{name}'")
            c_names.add(member.c_name)
            result.append(member)
        return result

    def base_of(self, what):
        base = self.schema.lookup(self.entity, what)
        if type(base) is not Struct:
            self.fail(f"base '{base.name}' is not a struct")
        return base

    # Entities

    def define_enum(self):
        enum = self.schema.types[self.name]
        data = self.expr['data']
        if not isinstance(data, list) or not data:
            self.fail("'data' takes a list of values")
        enum.features = self.entity_features()
        constants = {enum_constant(self.name, 'count')}
        for item in data:
            value = self.enum_value(item)
            constant = enum_constant(self.name, value.name)
            if constant in constants:
                self.fail(f"duplicate value '{value.name}'")
            constants.add(constant)
            enum.values.append(value)

    def enum_value(self, item):
        item = {'name': item} if isinstance(item, str) else item
        if (not isinstance(item, dict) or not {'name'} <= set(item) <= {'name', 'features', 'if'}
                or not isinstance(item['name'], str)):
            self.fail("an enumeration value takes 'name', 'features' and 'if'")
        name = item['name']
        pattern = ANY_MEMBER_NAME if self.name in self.schema.mixed_case else MEMBER_NAME
        if not pattern.fullmatch(name):
            self.fail(f"bad value name '{name}'")
        self.need_doc(name)
        value = Value(name, self.features(item.get('features', [])), item.get('if'))
        if value.condition is not None:
            if not isinstance(value.condition, str) or ':' not in value.condition:
                self.fail("'if' takes a condition such as 'object:NAME'")
            value.is_present = self.schema.condition(value.condition)
        return value

    def define_struct(self):
        struct = self.schema.types[self.name]
        struct.features = self.entity_features()
        if 'base' in self.expr:
            struct.base = self.base_of(self.expr['base'])
        struct.own = self.members(self.expr['data'])

    def define_union(self):
        union = self.schema.types[self.name]
        union.features = self.entity_features()
        if isinstance(self.expr['base'], dict):
            union.own = self.members(self.expr['base'])
        else:
            union.base = self.base_of(self.expr['base'])
        union.tag_name = self.expr['discriminator']
        if not isinstance(self.expr['data'], dict) or not self.expr['data']:
            self.fail("'data' takes an object of branches")
        for value, what in self.expr['data'].items():
            branch = self.schema.lookup(self.entity, what)
            if not isinstance(branch, Struct):
                self.fail(f"branch '{value}' is not a struct or union")
            union.branches[value] = branch

    def define_alternate(self):
        alternate = self.schema.types[self.name]
        alternate.features = self.entity_features()
        if not isinstance(self.expr['data'], dict) or len(self.expr['data']) < 2:
            self.fail("'data' takes an object of at least two branches")
        taken = {}
        for name, what in self.expr['data'].items():
            self.check_member_name(name)
            self.need_doc(name)
            type_ = self.type_of(what)
            selector = json_type(type_)
            if selector is None:
                self.fail(f"branch '{name}' cannot be told from others")
            if selector in taken:
                self.fail(f"branch '{name}' cannot be told from '{taken[selector]}'")
            taken[selector] = name
            alternate.branches[name] = type_

    def define_command(self):
        command = self.schema.commands[self.name]
        self.define_callable(command, 'Qmp' + camel(self.name) + 'Args')
        command.is_raw = not self.flag('gen', True)
        command.allow_oob = self.flag('allow-oob')
        command.allow_preconfig = self.flag('allow-preconfig')
        if 'returns' in self.expr:
            command.returns = self.type_of(self.expr['returns'])
            if isinstance(command.returns, Builtin) and command.returns.name not in ('str', 'any'):
                self.fail(f"commands do not return '{command.returns.name}'")
            if isinstance(command.returns, Enum):
                self.fail('commands do not return an enumeration')

    def define_event(self):
        self.define_callable(self.schema.events[self.name],
                             'QapiEvent' + camel(self.name) + 'Data')

    def define_callable(self, callable_, c_type):
        callable_.features = self.entity_features()
        callable_.targets = self.targets()
        callable_.is_boxed = self.flag('boxed')
        callable_.is_present = self.schema.condition(self.name)
        data = self.expr.get('data', {})
        if isinstance(data, str):
            callable_.args = self.schema.lookup(self.entity, data)
            if not isinstance(callable_.args, Struct):
                self.fail(f"'{data}' is not a struct or union")
            if not callable_.is_boxed:
                self.fail("'data' names a type, which needs 'boxed': true")
        elif data:
            args = Struct(c_type, self.entity.module, None)
            args.own = self.members(data)
            args.owner = callable_
            self.entity.module.definitions.append(args)
            callable_.args = args
        elif callable_.is_boxed:
            self.fail("'boxed' needs 'data'")

    def targets(self):
        names = self.expr.get('targets', list(TARGETS))
        if not isinstance(names, list) or not names:
            self.fail("'targets' takes a list of target names")
        for name in names:
            if name not in TARGETS:
                self.fail(f"unknown target '{name}'")
        return names
