# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that send events, and the table of events that introspection shows."""

from qapi.gen_commands import gen_callable_fields, gen_parameters, sorted_by_name
from qapi.gen_types import HEAD, c_base, gen_features, header


def sender(event):
    return 'qapi_event_send_' + event.name.lower()


def descriptor(event):
    return 'qapi_event_' + event.name.lower()


def prototype(event):
    parameters = gen_parameters(event, 'data')
    return f'void {sender(event)}({", ".join(parameters) or "void"})'


def gen_event_header(module):
    body = ''.join(f'extern const QapiEvent {descriptor(event)};\n{prototype(event)};\n'
                   for event in module.events)
    return header('events', module,
                  ['qapi/event.h', f'qapi/qapi-types-{module.name}.h'], body)


def gen_event_source(module):
    text = (f'{HEAD}#include "util/osdep.h"\n#include "qapi/qapi-events-{module.name}.h"\n')
    for event in module.events:
        features, symbol = gen_features(f'{descriptor(event)}_features', event.features)
        fields = gen_callable_fields(event, 'data', symbol)
        text += f'''
{features}const QapiEvent {descriptor(event)} = {{
{fields}}};

{prototype(event)}
{{
{gen_body(event)}}}
'''
    return text


def gen_body(event):
    if event.args is None:
        return f'    qapi_event_emit(&{descriptor(event)}, NULL);\n'
    if event.is_boxed:
        return f'    qapi_event_emit(&{descriptor(event)}, data);\n'
    fields = ''
    for member in event.args.members:
        if member.has_indicator:
            fields += f'        .has_{c_base(member.name)} = has_{c_base(member.name)},\n'
        cast = f'({member.type.slot.strip()})' if member.type.slot.endswith('*') else ''
        fields += f'        .{member.c_name} = {cast}{member.c_name},\n'
    return (f'    const {event.args.c_type} data = {{\n{fields}    }};\n\n'
            f'    qapi_event_emit(&{descriptor(event)}, &data);\n')


def gen_event_table(schema):
    modules = [module for module in schema.modules if not module.is_builtin]
    includes = ''.join(f'#include "qapi/qapi-events-{module.name}.h"\n' for module in modules)
    rows = ''.join(f'    &{descriptor(event)},\n'
                   for event in sorted_by_name(schema.events) if event.is_present)
    return (f'{HEAD}#include "util/osdep.h"\n{includes}\n'
            f'const QapiEvent *const qapi_events[] = {{\n{rows}    NULL\n}};\n')
