# SPDX-License-Identifier: GPL-2.0-or-later
"""The QMP reference as Markdown, from the documentation blocks."""

from qapi.model import Alternate, Array, Builtin, Enum, Struct, Union
from qapi.parser import doc_text


def shown(type_):
    if isinstance(type_, Array):
        return f'[{shown(type_.element)}]'
    if isinstance(type_, Builtin):
        return f'`{type_.name}`'
    return f'[{type_.name}](#{type_.name.lower()})'


def parts(type_):
    """The types that `type_` refers to."""
    if isinstance(type_, Array):
        return [type_.element]
    if isinstance(type_, Alternate):
        return list(type_.branches.values())
    if not isinstance(type_, Struct):
        return []
    branches = [branch for value, branch in getattr(type_, 'branches', {}).items()
                if type_.tag.type.value(value).is_present]
    return [member.type for member in type_.members] + branches + [type_.base]


def reached_types(schema):
    todo, seen = [], {None}
    for item in list(schema.commands.values()) + list(schema.events.values()):
        if item.is_present:
            todo += [item.args, item.returns]
    while todo:
        type_ = todo.pop()
        if type_ not in seen:
            seen.add(type_)
            todo += parts(type_)
    return seen


def gen_docs(schema):
    text = '# QMP reference\n'
    reached = reached_types(schema)
    for module in schema.modules:
        callables = [item for item in module.commands + module.events if item.is_present]
        types = [type_ for type_ in module.definitions if type_.doc and type_ in reached]
        if not callables and not types:
            continue
        text += f'\n## {module.name}\n'
        text += ''.join(gen_callable(item) for item in callables)
        text += ''.join(gen_type(type_) for type_ in types)
    return text


def cell(lines):
    return doc_text(lines).replace('\n', ' ').replace('|', '\\|')


def gen_table(rows):
    """rows: (name, type text, documentation lines)"""
    if not rows:
        return ''
    return '\n| name | type | |\n|---|---|---|\n' + ''.join(
        f'| `{name}` | {type_} | {cell(lines)} |\n' for name, type_, lines in rows)


def member_rows(struct, doc):
    return [(member.name, shown(member.type) + (', optional' if member.is_optional else ''),
             doc.members.get(member.name, [])) for member in struct.own]


def gen_sections(doc):
    text = ''
    for name, lines in doc.sections.items():
        if name != 'Features' and doc_text(lines):
            text += f'\n{name}: {cell(lines)}\n'
    for name, lines in doc.features.items():
        text += f'\nFeature `{name}`: {cell(lines)}\n'
    return text


def gen_callable(item):
    doc = item.doc
    is_event = item.name.isupper()
    text = f'\n### {item.name} ({"event" if is_event else "command"})\n\n{doc_text(doc.body)}\n'
    if item.is_boxed:
        text += f'\nTakes the members of {shown(item.args)}.\n'
    elif item.args:
        text += gen_table(member_rows(item.args, doc))
    if item.returns:
        text += f'\nReturns {shown(item.returns)}.\n'
    notes = [note for note, is_set in [('allowed in preconfig state', item.allow_preconfig),
                                       ('may run out of band', item.allow_oob)] if is_set]
    if len(item.targets) < 3:
        notes.append('only for ' + ', '.join(item.targets))
    if notes:
        text += '\n' + '; '.join(notes).capitalize() + '.\n'
    return text + gen_sections(doc)


def gen_type(type_):
    doc = type_.doc
    text = f'\n### {type_.name}\n\n{doc_text(doc.body)}\n'
    if isinstance(type_, Enum):
        text += gen_table([(value.name, 'value', doc.members.get(value.name, []))
                           for value in type_.values if value.is_present])
    elif isinstance(type_, Alternate):
        text += gen_table([(name, shown(branch), doc.members.get(name, []))
                           for name, branch in type_.branches.items()])
    else:
        if type_.base:
            text += f'\nAlso has the members of {shown(type_.base)}.\n'
        text += gen_table(member_rows(type_, doc))
    if isinstance(type_, Union):
        text += gen_table([(f'{type_.tag.name} = {value}', shown(branch), ['then its members'])
                           for value, branch in type_.branches.items()
                           if type_.tag.type.value(value).is_present])
    return text + gen_sections(doc)
