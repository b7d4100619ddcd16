# SPDX-License-Identifier: GPL-2.0-or-later
"""Types, commands and events as objects."""

from qapi.names import c_name, snake

# name -> (C spelling as a member, QapiKind)
BUILTINS = {
    'str': ('char *', 'STR'), 'bool': ('bool ', 'BOOL'), 'number': ('double ', 'NUMBER'),
    'int': ('int64_t ', 'INT'), 'int8': ('int8_t ', 'INT'), 'int16': ('int16_t ', 'INT'),
    'int32': ('int32_t ', 'INT'), 'int64': ('int64_t ', 'INT'),
    'uint8': ('uint8_t ', 'UINT'), 'uint16': ('uint16_t ', 'UINT'),
    'uint32': ('uint32_t ', 'UINT'), 'uint64': ('uint64_t ', 'UINT'),
    'size': ('uint64_t ', 'SIZE'), 'any': ('json_object *', 'ANY'), 'null': (None, 'NULL'),
}


class Type:
    """A type that members can have. `slot` is its C spelling as a member, with the blank."""

    has_indicator = False   # an optional member needs has_NAME
    is_heap = True          # a member is a pointer to it

    def __init__(self, name, module, entity=None):
        self.name = name
        self.module = module
        self.entity = entity
        self.features = []
        self.doc = entity.doc if entity else None

    @property
    def c_type(self):
        return self.name

    @property
    def slot(self):
        return self.c_type + ' *'

    @property
    def prefix(self):
        return snake(self.c_type)

    @property
    def descriptor(self):
        return 'qapi_type_' + self.prefix

    def show(self):
        return self.name


class Builtin(Type):
    def __init__(self, name, module):
        super().__init__(name, module)
        self.kind = BUILTINS[name][1]
        self.has_indicator = name not in ('str', 'any', 'null')
        self.is_heap = False

    @property
    def slot(self):
        return BUILTINS[self.name][0]

    @property
    def c_type(self):
        return self.name


class Value:
    """An enumeration value or a feature-bearing name."""

    def __init__(self, name, features, condition):
        self.name = name
        self.features = features
        self.condition = condition
        self.is_present = True


class Enum(Type):
    has_indicator = True
    is_heap = False

    def __init__(self, name, module, entity):
        super().__init__(name, module, entity)
        self.values = []

    @property
    def slot(self):
        return self.name + ' '

    @property
    def c_names(self):
        return self.prefix + '_names'

    def value(self, name):
        return next((value for value in self.values if value.name == name), None)


class Member:
    def __init__(self, name, type_, is_optional, features):
        self.name = name
        self.type = type_
        self.is_optional = is_optional
        self.features = features

    @property
    def c_name(self):
        return c_name(self.name)

    @property
    def has_indicator(self):
        return self.is_optional and self.type.has_indicator


class Struct(Type):
    def __init__(self, name, module, entity, c_type=None):
        super().__init__(name, module, entity)
        self.base = None
        self.own = []
        self.is_implicit = entity is None or c_type is not None
        self._c_type = c_type or name

    @property
    def c_type(self):
        return self._c_type

    @property
    def members(self):
        return (self.base.members if self.base else []) + self.own

    def needs(self):
        return [self.base] if self.base else []


class Union(Struct):
    def __init__(self, name, module, entity):
        super().__init__(name, module, entity)
        self.tag = None
        self.branches = {}   # enum value -> Struct or Union

    def needs(self):
        return super().needs() + list(self.branches.values())


class Alternate(Type):
    def __init__(self, name, module, entity):
        super().__init__(name, module, entity)
        self.branches = {}   # branch name -> Type

    def needs(self):
        return []


class Array(Type):
    def __init__(self, element, module):
        super().__init__(f'[{element.name}]', module)
        self.element = element

    @property
    def c_type(self):
        name = self.element.c_type
        return (name[0].upper() + name[1:] if isinstance(self.element, Builtin) else name) + 'Array'

    def needs(self):
        return []


class Callable:
    """A command or an event. `args` is None, or a Struct or Union."""

    def __init__(self, name, entity):
        self.name = name
        self.entity = entity
        self.doc = entity.doc
        self.args = None
        self.is_boxed = False
        self.returns = None
        self.features = []
        self.targets = []
        self.is_present = False
        self.is_raw = False
        self.allow_oob = False
        self.allow_preconfig = False

    @property
    def c_name(self):
        return c_name(self.name)


JSON_TYPES = {'STR': 'string', 'BOOL': 'boolean', 'NUMBER': 'double', 'INT': 'int', 'UINT': 'int',
              'SIZE': 'int', 'NULL': 'null'}


def json_type(type_):
    """The json-c type that selects `type_` in an alternate, or None if it takes any."""
    if isinstance(type_, Builtin):
        return JSON_TYPES.get(type_.kind)
    if isinstance(type_, Enum):
        return 'string'
    if isinstance(type_, Array):
        return 'array'
    return 'object' if isinstance(type_, Struct) else None
