# SPDX-License-Identifier: GPL-2.0-or-later
"""Declarations of command handlers, and the command table with what unpacks arguments."""

from qapi.gen_types import HEAD, c_base, gen_features, header
from qapi.model import Builtin
from qapi.names import c_string


def sorted_by_name(table):
    return [table[name] for name in sorted(table)]


def as_const(slot):
    return 'const ' + slot if slot.endswith('*') and not slot.startswith('json_object') else slot


def gen_parameters(callable_, boxed_name):
    """C parameters of a command's handler or of an event's sender."""
    if callable_.args is None:
        return []
    if callable_.is_boxed:
        return [f'const {callable_.args.c_type} *{boxed_name}']
    result = []
    for member in callable_.args.members:
        if member.has_indicator:
            result.append(f'bool has_{c_base(member.name)}')
        result.append(as_const(member.type.slot) + member.c_name)
    return result


def handler(command):
    return 'qmp_' + command.c_name


def prototype(command):
    if command.is_raw:
        parameters = ['json_object *args'] if command.args else []
        parameters += ['json_object **ret'] if command.returns else []
        returns = 'bool '
    else:
        parameters = gen_parameters(command, 'args')
        returns = command.returns.slot if command.returns else 'bool '
    return f'{returns}{handler(command)}({", ".join(parameters + ["Error **errp"])})'


def gen_command_header(module):
    body = ''.join(f'{prototype(command)};\n' for command in module.commands)
    return header('commands', module, [f'qapi/qapi-types-{module.name}.h'], body)


def gen_callable_fields(callable_, args_field, features):
    """Rows that QmpCommand and QapiEvent share."""
    rows = f'    .name = {c_string(callable_.name)},\n'
    if callable_.args:
        rows += f'    .{args_field} = &{callable_.args.descriptor},\n'
    if features:
        rows += f'    .features = {features},\n'
    targets = ' | '.join('QAPI_TARGET_' + name.upper() for name in callable_.targets)
    return rows + f'    .targets = {targets},\n'


# The table

def run_name(command):
    return 'run_' + command.c_name


def gen_call(command):
    if command.is_raw:
        arguments = (['in'] if command.args else []) + (['ret'] if command.returns else [])
    elif command.args is None:
        arguments = []
    elif command.is_boxed:
        arguments = ['args']
    else:
        arguments = []
        for member in command.args.members:
            if member.has_indicator:
                arguments.append(f'args->has_{c_base(member.name)}')
            arguments.append(f'args->{member.c_name}')
    return f'{handler(command)}({", ".join(arguments + ["errp"])})'


def gen_run(command):
    """Unpacks arguments, calls the handler, packs what it returns."""
    start, body = '', ''
    if command.args is None:
        body += '    if (!qmp_no_arguments(in, errp)) {\n        return false;\n    }\n'
    elif not command.is_raw:
        args = command.args
        start = (f'    g_autoptr({args.c_type}) args ='
                 f' {args.prefix}_from_json(in, QAPI_TYPED, errp);\n')
        body += '    if (!args) {\n        return false;\n    }\n'
    call = gen_call(command)
    if command.returns is None or command.is_raw:
        body += f'    return {call};\n'
    elif isinstance(command.returns, Builtin):
        body += gen_scalar_return(command, call)
    else:
        type_ = command.returns
        start += f'    g_autoptr({type_.c_type}) result = NULL;\n'
        body += (f'    result = {call};\n    if (!result) {{\n        return false;\n    }}\n'
                 f'    *ret = {type_.prefix}_to_json(result);\n    return true;\n')
    return (f'static bool {run_name(command)}(json_object *in, json_object **ret, Error **errp)\n'
            f'{{\n{start}{chr(10) if start else ""}{body}}}\n')


def gen_scalar_return(command, call):
    if command.returns.name == 'str':
        return f'    return qmp_return_str({call}, ret);\n'
    call = call.replace('errp)', '&err)')   # NULL may be a value: only the error tells
    return ('    Error *err = NULL;\n'
            f'    json_object *value = {call};\n\n'
            '    if (err) {\n        return error_propagate(errp, err);\n    }\n'
            '    *ret = value;\n    return true;\n')


def gen_command_row(command, features):
    rows = gen_callable_fields(command, 'args', features).replace('\n    ', '\n        ')
    rows = '    ' + rows
    if command.returns:
        rows += f'        .ret = &{command.returns.descriptor},\n'
    flags = [name for name, is_set in [('QMP_ALLOW_OOB', command.allow_oob),
                                       ('QMP_ALLOW_PRECONFIG', command.allow_preconfig)] if is_set]
    if flags:
        rows += f'        .flags = {" | ".join(flags)},\n'
    return f'    {{\n{rows}        .run = {run_name(command)},\n    }},\n'


def fnv(text):
    value = 0x811c9dc5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xffffffff
    return value


def gen_slots(commands):
    """Open addressing, at most half full: 1 + index of the command, or 0."""
    size = 4
    while size < 2 * len(commands):
        size *= 2
    slots = [0] * size
    for index, command in enumerate(commands):
        at = fnv(command.name) % size
        while slots[at]:
            at = (at + 1) % size
        slots[at] = index + 1
    lines = ''
    for start in range(0, size, 16):
        lines += '    ' + ' '.join(f'{slot},' for slot in slots[start:start + 16]) + '\n'
    return f'static const uint16_t slots[{size}] = {{\n{lines}}};\n', size


def gen_command_table(schema):
    modules = [module for module in schema.modules if not module.is_builtin]
    text = (f'{HEAD}#include "util/osdep.h"\n#include "qapi/command.h"\n'
            + ''.join(f'#include "qapi/qapi-commands-{module.name}.h"\n' for module in modules))
    commands = [command for command in sorted_by_name(schema.commands) if command.is_present]
    rows = ''
    for command in commands:
        features, symbol = gen_features(f'{command.c_name}_features', command.features)
        text += '\n' + features + gen_run(command)
        rows += gen_command_row(command, symbol)
    slots, size = gen_slots(commands)
    return text + f'''
static const QmpCommand commands[] = {{
{rows}    {{ .name = NULL }},
}};

{slots}
static const QmpCommandTable table = {{
    .commands = commands,
    .count = {len(commands)},
    .slots = slots,
    .slot_count = {size},
}};

CONSTRUCTOR static void register_commands(void)
{{
    qmp_commands_set(&table);
}}
'''
