#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes C types, tables, command dispatch, events and documentation from qapi/*.json.

See docs/devel/qapi.md. Bad input ends with 'file:line: message' and status 1.
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True   # the source tree stays as it is

# pylint: disable=wrong-import-position
from qapi.error import SchemaError
from qapi.gen_commands import gen_command_header, gen_command_table
from qapi.gen_docs import gen_docs
from qapi.gen_events import gen_event_header, gen_event_source, gen_event_table
from qapi.gen_types import gen_types_header, gen_types_source
from qapi.parser import parse_files
from qapi.schema import Schema


def write_if_changed(path, text):
    """Leaves an equal file alone, so that nothing that includes it is rebuilt."""
    try:
        with open(path, encoding='utf-8') as old:
            if old.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, 'w', encoding='utf-8') as new:
        new.write(text)


def generate(schema):
    """Yields (file name, text) of everything."""
    for module in schema.modules:
        yield f'qapi-types-{module.name}.h', gen_types_header(schema, module)
        yield f'qapi-types-{module.name}.c', gen_types_source(schema, module)
        if module.is_builtin:
            continue
        yield f'qapi-commands-{module.name}.h', gen_command_header(module)
        yield f'qapi-events-{module.name}.h', gen_event_header(module)
        yield f'qapi-events-{module.name}.c', gen_event_source(module)
    yield 'qapi-events.c', gen_event_table(schema)
    yield 'qapi-commands.c', gen_command_table(schema)
    yield 'qmp-reference.md', gen_docs(schema)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('schema', help='the top module, which includes the others')
    parser.add_argument('--out-dir', required=True, help='where the files go')
    parser.add_argument('--have', default='', metavar='NAME,NAME',
                        help='commands, events and conditions that are implemented')
    parser.add_argument('--docs', metavar='FILE', help='only write the reference, to FILE')
    args = parser.parse_args()

    try:
        have = {name for name in args.have.split(',') if name}
        schema = Schema(parse_files(args.schema), have)
        if args.docs:
            write_if_changed(args.docs, gen_docs(schema))
            return 0
        os.makedirs(args.out_dir, exist_ok=True)
        for name, text in generate(schema):
            write_if_changed(os.path.join(args.out_dir, name), text)
    except (SchemaError, OSError) as err:
        print(err, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
