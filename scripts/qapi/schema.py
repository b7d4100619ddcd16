# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole schema: names, order and the rules that span entities."""

import re

from qapi.definer import Definer
from qapi.error import Place, SchemaError
from qapi.model import BUILTINS, Alternate, Array, Builtin, Callable, Enum, Struct, Union
from qapi.names import c_name, snake
from qapi.parser import Module, doc_text

TYPE_NAME = re.compile(r'[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*')
COMMAND_NAME = re.compile(r'[a-z][a-z0-9_-]*')
EVENT_NAME = re.compile(r'[A-Z][A-Z0-9_]*')

# meta-type -> (required keys, optional keys)
KEYS = {
    'enum': ({'data'}, {'features'}),
    'struct': ({'data'}, {'base', 'features'}),
    'union': ({'base', 'discriminator', 'data'}, {'features'}),
    'alternate': ({'data'}, {'features'}),
    'command': (set(), {'data', 'returns', 'features', 'boxed', 'gen', 'allow-oob',
                        'allow-preconfig', 'targets'}),
    'event': (set(), {'data', 'features', 'boxed', 'targets'}),
    'pragma': (set(), set()),
}


class Schema:
    def __init__(self, modules, have):
        builtin = Module('builtin', is_builtin=True)
        self.modules = [builtin] + [module for module in modules if module.entities]
        self.types = {name: Builtin(name, builtin) for name in BUILTINS}
        self.arrays = {}
        self.commands = {}
        self.events = {}
        self.mixed_case = set()
        self.wanted = set(have)
        self.known_conditions = set()
        self._upper_names = {}
        for name in BUILTINS:
            if name != 'null':
                self.array(self.types[name])
        for module in modules:
            for entity in module.entities:
                self.declare(entity)
        for module in modules:
            for entity in module.entities:
                Definer(self, entity).define()
        self.check_types()
        self.check_have()
        for module in self.modules:
            module.definitions = in_order_of_need(module.definitions)

    # First pass: names

    def declare(self, entity):
        meta = self.check_keys(entity)
        if meta == 'pragma':
            self.pragma(entity)
            return
        name = entity.expr[meta]
        self.check_doc(entity, name)
        if meta in ('command', 'event'):
            self.declare_callable(meta, name, entity)
            return
        if not TYPE_NAME.fullmatch(name):
            raise SchemaError(entity.place, f"bad type name '{name}'")
        self.claim(entity, snake(name), name)
        kind = {'enum': Enum, 'struct': Struct, 'union': Union, 'alternate': Alternate}[meta]
        self.types[name] = kind(name, entity.module, entity)
        entity.module.definitions.append(self.types[name])

    def declare_callable(self, meta, name, entity):
        pattern, table = {'command': (COMMAND_NAME, self.commands),
                          'event': (EVENT_NAME, self.events)}[meta]
        if not pattern.fullmatch(name):
            raise SchemaError(entity.place, f"bad {meta} name '{name}'")
        self.claim(entity, ('qmp_' if meta == 'command' else 'event_') + c_name(name), name)
        table[name] = Callable(name, entity)
        (entity.module.commands if meta == 'command' else entity.module.events).append(table[name])

    def claim(self, entity, c_text, name):
        if c_text in self._upper_names:
            other = self._upper_names[c_text]
            raise SchemaError(entity.place, f"'{name}' is already defined"
                                            f' at {other.file}:{other.line}')
        self._upper_names[c_text] = entity.place

    def check_keys(self, entity):
        metas = [key for key in entity.expr if key in KEYS]
        if len(metas) != 1:
            raise SchemaError(entity.place, 'expected one of ' + ', '.join(
                f"'{meta}'" for meta in KEYS))
        meta = metas[0]
        required, optional = KEYS[meta]
        for key in required - set(entity.expr):
            raise SchemaError(entity.place, f"'{meta}' lacks '{key}'")
        for key in entity.expr:
            if key != meta and key not in required | optional:
                raise SchemaError(entity.place, f"'{meta}' does not take '{key}'")
        if meta != 'pragma' and not isinstance(entity.expr[meta], str):
            raise SchemaError(entity.place, f"'{meta}' takes a name")
        return meta

    def pragma(self, entity):
        value = entity.expr['pragma']
        if (not isinstance(value, dict) or set(value) != {'mixed-case'}
                or not isinstance(value['mixed-case'], list)):
            raise SchemaError(entity.place, "'pragma' takes { 'mixed-case': [ TYPE... ] }")
        self.mixed_case.update(value['mixed-case'])

    def check_doc(self, entity, name):
        if not entity.doc:
            raise SchemaError(entity.place, f"'{name}' is not documented")
        if entity.doc.name != name:
            raise SchemaError(entity.doc.place,
                              f"documentation is for '{entity.doc.name}', not for '{name}'")
        if not doc_text(entity.doc.body):
            raise SchemaError(entity.doc.place, f"documentation of '{name}' has no text")

    # Used by the second pass

    def lookup(self, entity, name):
        if not isinstance(name, str) or name not in self.types:
            raise SchemaError(entity.place, f"unknown type '{name}'")
        type_ = self.types[name]
        if not type_.module.is_builtin and not entity.module.sees(type_.module):
            raise SchemaError(entity.place, f"type '{name}' is in '{type_.module.name}.json',"
                                            ' which is not included')
        return type_

    def array(self, element):
        if element.name not in self.arrays:
            self.arrays[element.name] = Array(element, element.module)
            element.module.definitions.append(self.arrays[element.name])
        return self.arrays[element.name]

    def condition(self, name):
        """Whether something is implemented; notes that the question exists."""
        self.known_conditions.add(name)
        return name in self.wanted

    # Whole-schema checks

    def check_types(self):
        structs = [type_ for type_ in self.types.values() if isinstance(type_, Struct)]
        for array in self.arrays.values():
            if array.c_type in self.types:
                raise SchemaError(self.types[array.c_type].entity.place,
                                  f"'{array.c_type}' is also the C name of '{array.name}'")
        for struct in structs:
            check_cycle(struct, [])
        for struct in structs:
            check_distinct(struct)
            if isinstance(struct, Union):
                check_tag(struct)
        for struct in structs:
            for branch in getattr(struct, 'branches', {}).values():
                check_clash(struct.entity.place, struct, set(), branch)

    def check_have(self):
        place = Place('--have', 0)
        for name in sorted(self.wanted - self.known_conditions):
            raise SchemaError(place, f"no command, event or condition '{name}'")


def check_distinct(struct):
    names = [member.c_name for member in struct.members]
    for name in names:
        if names.count(name) > 1:
            raise SchemaError(struct.entity.place, f"duplicate member '{name}'")


def check_tag(union):
    place, name = union.entity.place, union.tag_name
    union.tag = next((member for member in union.members if member.name == name), None)
    if union.tag is None:
        raise SchemaError(place, f"discriminator '{name}' is not a member of the base")
    if not isinstance(union.tag.type, Enum) or union.tag.is_optional:
        raise SchemaError(place, f"discriminator '{name}' is not a mandatory enumeration")
    for value in union.branches:
        if union.tag.type.value(value) is None:
            raise SchemaError(place, f"branch '{value}' is not a value of"
                                     f" '{union.tag.type.name}'")


def check_clash(place, union, names, branch):
    """All members of a union and of what its branches lead to share one object."""
    names = names | {member.name for member in union.members}
    for member in branch.members:
        if member.name in names:
            raise SchemaError(place,
                              f"member '{member.name}' of branch '{branch.name}' clashes")
    for inner in getattr(branch, 'branches', {}).values():
        check_clash(place, branch, names, inner)


def check_cycle(type_, seen):
    if type_ in seen:
        raise SchemaError(seen[0].entity.place, f"'{seen[0].name}' contains itself")
    for need in type_.needs():
        check_cycle(need, seen + [type_])


def in_order_of_need(types):
    """C wants what is embedded to be complete first."""
    done, result = set(), []

    def visit(type_):
        if type_ in done:
            return
        done.add(type_)
        for need in getattr(type_, 'needs', list)():
            if need.module is type_.module:
                visit(need)
        result.append(type_)

    for type_ in types:
        visit(type_)
    return result
