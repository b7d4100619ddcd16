# SPDX-License-Identifier: GPL-2.0-or-later
"""C types and their descriptors (include/qapi/qapi.h), one header and source per module."""

from qapi.model import Alternate, Array, Builtin, Enum, Struct, Union, json_type
from qapi.names import c_name, c_string, enum_constant, upper

HEAD = '''/* Made by scripts/qapi-gen.py. */
'''


def guard(kind, module):
    return f'QAPI_{kind}_{upper(module.name)}_H'


def header(kind, module, includes, body):
    """Wraps `body` into the file qapi-KIND-MODULE.h."""
    name = guard(kind.upper(), module)
    lines = ''.join(f'#include "{include}"\n' for include in includes)
    return f'{HEAD}#ifndef {name}\n#define {name}\n\n{lines}\n{body}\n#endif\n'


# Headers

def gen_types_header(schema, module):
    includes = ['qapi/qapi.h']
    if not module.is_builtin:
        includes.append('qapi/qapi-types-builtin.h')
    includes += [f'qapi/qapi-types-{other.name}.h' for other in module.includes]
    types = module.definitions
    body = [gen_enum(type_) for type_ in types if isinstance(type_, Enum)]
    heap = [type_ for type_ in types if type_.is_heap]
    body.append(''.join(f'typedef struct {type_.c_type} {type_.c_type};\n' for type_ in heap))
    body += [gen_struct(type_) for type_ in heap]
    if module.is_builtin:
        body.append(''.join(f'extern const QapiType {type_.descriptor};\n'
                            for type_ in scalars(schema)))
    body += [gen_helpers(type_) for type_ in heap]
    return header('types', module, includes, '\n'.join(body))


def scalars(schema):
    return [type_ for type_ in schema.types.values() if isinstance(type_, Builtin)]


def gen_enum(enum):
    constants = [enum_constant(enum.name, value.name) for value in enum.values]
    lines = ''.join(f'    {constant},\n' for constant in constants)
    return (f'typedef enum {enum.name} {{\n{lines}    {enum_constant(enum.name, "count")}\n'
            f'}} {enum.name};\n'
            f'extern const EnumTable {enum.c_names};\n'
            f'extern const QapiType {enum.descriptor};\n')


def gen_members(members):
    lines = ''
    for member in members:
        if member.has_indicator:
            lines += f'    bool has_{c_base(member.name)};\n'
        lines += f'    {member.type.slot}{member.c_name};\n'
    return lines


def c_base(name):
    return c_name(name).rstrip('_')


def gen_branches(branches):
    lines = ''.join(f'        {spelling}{c_name(name)};\n' for name, spelling in branches)
    return f'    union {{\n{lines}    }} u;\n'


def gen_struct(type_):
    if isinstance(type_, Array):
        body = f'    {type_.element.slot}*items;\n    size_t count;\n'
    elif isinstance(type_, Alternate):
        stored = [(name, branch.slot) for name, branch in type_.branches.items() if branch.slot]
        body = '    json_type type; /* selects in u */\n' + gen_branches(stored)
    else:
        body = f'    struct {type_.base.c_type};\n' if type_.base else ''
        body += gen_members(type_.own)
        if isinstance(type_, Union):
            body += gen_branches([(name, branch.c_type + ' ')
                                  for name, branch in type_.branches.items()])
    return f'struct {type_.c_type} {{\n{body or "    char unused;" + chr(10)}}};\n'


def gen_helpers(type_):
    name, prefix, descriptor = type_.c_type, type_.prefix, type_.descriptor
    extra = gen_array_add(type_) if isinstance(type_, Array) else ''
    return extra + f'''extern const QapiType {descriptor};
static inline {name} *{prefix}_from_json(json_object *in, QapiForm form, Error **errp)
{{
    return ({name} *)qapi_from_json(&{descriptor}, in, form, errp);
}}
static inline json_object *{prefix}_to_json(const {name} *value)
{{
    return qapi_to_json(&{descriptor}, value);
}}
static inline void {prefix}_free({name} *value)
{{
    qapi_free(&{descriptor}, value);
}}
static inline {name} *{prefix}_clone(const {name} *value)
{{
    return ({name} *)qapi_clone(&{descriptor}, value);
}}
G_DEFINE_AUTOPTR_CLEANUP_FUNC({name}, {prefix}_free)
'''


def gen_array_add(array):
    slot = array.element.slot
    return f'''static inline void {array.prefix}_add({array.c_type} *array, {slot}item)
{{
    array->items = ({slot}*)g_realloc_n(array->items, array->count + 1, sizeof(item));
    array->items[array->count++] = item;
}}
'''


# Sources

def gen_types_source(schema, module):
    parts = [f'{HEAD}#include "util/osdep.h"\n#include "qapi/qapi-types-{module.name}.h"\n']
    if module.is_builtin:
        parts += [gen_scalar(type_) for type_ in scalars(schema)]
    for type_ in module.definitions:
        if isinstance(type_, Enum):
            parts.append(gen_enum_source(type_))
        elif isinstance(type_, Array):
            parts.append(gen_array_source(type_))
        elif isinstance(type_, Alternate):
            parts.append(gen_alternate_source(type_))
        elif isinstance(type_, Struct):
            parts.append(gen_struct_source(type_))
    return '\n'.join(parts)


def gen_descriptor(type_, fields):
    lines = ''.join(f'    .{key} = {value},\n' for key, value in fields if value is not None)
    return f'const QapiType {type_.descriptor} = {{\n{lines}}};\n'


def gen_features(symbol, features):
    """(definition text, expression) of a NULL-ended list."""
    if not features:
        return '', None
    names = ''.join(c_string(name) + ', ' for name in features)
    return f'static const char *const {symbol}[] = {{ {names}NULL }};\n', symbol


def gen_scalar(type_):
    kind = type_.kind
    is_number = kind in ('INT', 'UINT', 'SIZE')
    bits = ''.join(char for char in type_.name if char.isdigit()) or '64'
    shown = 'int' if is_number else type_.name
    json = {'STR': 'string', 'BOOL': 'boolean', 'NUMBER': 'number', 'ANY': 'value',
            'NULL': 'null'}.get(kind, 'int')
    size = f'sizeof({type_.slot.strip()})' if type_.slot else '0'
    return gen_descriptor(type_, [
        ('kind', 'QAPI_' + kind), ('name', c_string(shown)), ('json_name', c_string(json)),
        ('slot_size', size), ('bits', bits if is_number else None)])


def gen_enum_source(enum):
    constants = ''
    feature_text, feature_rows = '', ''
    for value in enum.values:
        constant = enum_constant(enum.name, value.name)
        if value.is_present:
            constants += f'    [{constant}] = {c_string(value.name)},\n'
        text, symbol = gen_features(f'{enum.prefix}_{c_name(value.name)}_features', value.features)
        feature_text += text
        if symbol:
            feature_rows += f'    [{constant}] = {symbol},\n'
    count = enum_constant(enum.name, 'count')
    text = f'static const char *const {enum.prefix}_values[{count}] = {{\n{constants}}};\n'
    if feature_rows:
        text += (f'{feature_text}static const char *const *const {enum.prefix}_value_features'
                 f'[{count}] = {{\n{feature_rows}}};\n')
    own_text, own = gen_features(f'{enum.prefix}_features', enum.features)
    text += own_text
    text += (f'const EnumTable {enum.c_names} = {{ {c_string(enum.name)}, {enum.prefix}_values,'
             f' {count} }};\n')
    return text + gen_descriptor(enum, [
        ('kind', 'QAPI_ENUM'), ('name', c_string(enum.name)), ('slot_size', f'sizeof({enum.name})'),
        ('values', '&' + enum.c_names), ('features', own),
        ('value_features', f'{enum.prefix}_value_features' if feature_rows else None)])


def gen_array_source(array):
    return gen_descriptor(array, [
        ('kind', 'QAPI_ARRAY'), ('name', c_string('[' + shown_name(array.element) + ']')),
        ('slot_size', 'sizeof(void *)'), ('struct_size', f'sizeof({array.c_type})'),
        ('element', '&' + array.element.descriptor)])


def shown_name(type_):
    is_number = isinstance(type_, Builtin) and type_.kind in ('INT', 'UINT', 'SIZE')
    return 'int' if is_number else type_.name


def gen_alternate_source(alternate):
    rows = ''
    for name, branch in alternate.branches.items():
        rows += (f'    [json_type_{json_type(branch)}] ='
                 f' {{ {c_string(name)}, &{branch.descriptor} }},\n')
    text, features = gen_features(f'{alternate.prefix}_features', alternate.features)
    return (f'static const QapiBranch {alternate.prefix}_branches[] = {{\n{rows}}};\n' + text
            + gen_descriptor(alternate, [
                ('kind', 'QAPI_ALTERNATE'), ('name', c_string(alternate.name)),
                ('slot_size', 'sizeof(void *)'), ('struct_size', f'sizeof({alternate.c_type})'),
                ('branches', f'{alternate.prefix}_branches'),
                ('branch_count', f'ARRAY_SIZE({alternate.prefix}_branches)'),
                ('union_offset', f'offsetof({alternate.c_type}, u)'), ('features', features)]))


def gen_member_rows(struct):
    """(feature lists, table rows)"""
    lists, rows = '', ''
    for member in struct.members:
        text, features = gen_features(f'{struct.prefix}_{member.c_name}_features', member.features)
        lists += text
        fields = [f'{c_string(member.name)}', f'&{member.type.descriptor}',
                  f'offsetof({struct.c_type}, {member.c_name})']
        if member.has_indicator:
            fields.append(f'.has_offset = offsetof({struct.c_type}, has_{c_base(member.name)})')
            fields.append('.has_indicator = true')
        if member.is_optional:
            fields.append('.is_optional = true')
        if features:
            fields.append(f'.features = {features}')
        rows += '    { ' + ', '.join(fields) + ' },\n'
    return lists, rows


def gen_struct_source(struct):
    lists, rows = gen_member_rows(struct)
    feature_text, features = gen_features(f'{struct.prefix}_features', struct.features)
    text = lists + feature_text
    fields = [('kind', 'QAPI_UNION' if isinstance(struct, Union) else 'QAPI_STRUCT'),
              ('name', c_string(struct.name)), ('slot_size', 'sizeof(void *)'),
              ('struct_size', f'sizeof({struct.c_type})'), ('features', features)]
    if rows:
        text += f'static const QapiMember {struct.prefix}_members[] = {{\n{rows}}};\n'
        fields += [('members', f'{struct.prefix}_members'),
                   ('member_count', f'ARRAY_SIZE({struct.prefix}_members)')]
    if isinstance(struct, Union):
        enum = struct.tag.type
        branches = ''.join(
            f'    [{enum_constant(enum.name, name)}] ='
            f' {{ {c_string(name)}, &{branch.descriptor} }},\n'
            for name, branch in struct.branches.items())
        count = enum_constant(enum.name, 'count')
        text += f'static const QapiBranch {struct.prefix}_branches[{count}] = {{\n{branches}}};\n'
        tag = [member.name for member in struct.members].index(struct.tag.name)
        fields += [('branches', f'{struct.prefix}_branches'), ('branch_count', count),
                   ('tag', f'&{struct.prefix}_members[{tag}]'),
                   ('union_offset', f'offsetof({struct.c_type}, u)')]
    return text + gen_descriptor(struct, fields)
