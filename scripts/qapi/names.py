# SPDX-License-Identifier: GPL-2.0-or-later
"""From schema names to C names."""

import re

# Words that C, its libraries' macros or the generated structs keep to themselves.
RESERVED = set('''
    asm auto bool break case char const continue default do double else enum extern false float
    for goto if inline int linux long register restrict return short signed sizeof static struct
    switch true typedef typeof u union unix unsigned void volatile while errno i386
'''.split())


def c_name(name):
    """A member or value as a C identifier: 'job-id' is job_id, 'default' is default_."""
    result = re.sub(r'[^A-Za-z0-9]', '_', name)
    if not result[0].isalpha():
        result = '_' + result
    if not result.isupper():
        result = result if result.islower() else snake(result)
    else:
        result = result.lower()
    return result + '_' if result in RESERVED else result


def snake(name):
    """CamelCase to snake_case, runs of capitals being one word: VncInfo2 is vnc_info2."""
    name = re.sub(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', '_', name)
    return re.sub(r'[^A-Za-z0-9]', '_', name).lower()


def camel(name):
    """'chardev-add' and 'JOB_STATUS_CHANGE' to ChardevAdd and JobStatusChange."""
    return ''.join(part[:1].upper() + part[1:].lower() for part in re.split(r'[-_]', name))


def upper(name):
    return snake(name).upper()


def enum_constant(type_name, value):
    return upper(type_name) + '_' + re.sub(r'[^A-Za-z0-9]', '_', value).upper()


def c_string(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'
