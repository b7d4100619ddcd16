#!/usr/bin/env python3
"""Turns the -help of a program into a document: Markdown, or a manual page in roff.

    help_docs.py markdown|man PROGRAM OUTPUT

A family of options begins with an unindented line that ends in a colon; an option with a dash in
the first column; what is said of it stands behind column 16, also on further lines.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import subprocess
import sys

COLUMN = 16  # where descriptions begin


def parse(text):
    """[(family, [(option with its argument, [line of description, ...]), ...]), ...]"""
    families = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith('usage: '):
            continue
        if line.startswith('-') and families:
            is_short = line[COLUMN - 1:COLUMN] in (' ', '')
            head = line[:COLUMN].rstrip() if is_short else line
            rest = line[COLUMN:] if is_short else ''
            families[-1][1].append((head, [rest] if rest else []))
        elif line.startswith(' ' * COLUMN) and families and families[-1][1]:
            families[-1][1][-1][1].append(line[COLUMN:])
        elif re.fullmatch(r'[A-Z].*:', line):
            families.append((line[:-1], []))
        else:
            raise ValueError(f'line {number} of -help is no family, option or text: {line}')
    if not families:
        raise ValueError('-help lists no options')
    return families


def markdown(name, families):
    yield f'# Options of {name}\n'
    yield 'Made from `-help`, which each program prints for itself.\n'
    for family, options in families:
        yield f'## {family}\n'
        for head, lines in options:
            yield '    ' + head
            yield from ('        ' + line for line in lines)
            yield ''


def roff(text):
    """Text as it stands: no escape, no request."""
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return '\\&' + text if text[:1] in ('.', "'") else text


def man(name, families):
    yield f'.TH {roff(name.upper())} 1'
    yield '.SH NAME'
    yield f'{roff(name)} \\- machine emulator and virtual machine monitor'
    yield '.SH SYNOPSIS'
    yield f'.B {roff(name)}'
    yield '[options]'
    for family, options in families:
        yield f'.SH {roff(family.upper())}'
        for head, lines in options:
            words = head.split(' ', 1)
            yield '.TP'
            yield f'\\fB{roff(words[0])}\\fR' + (' ' + roff(words[1]) if words[1:] else '')
            for i, line in enumerate(lines):
                if i:
                    yield '.br'
                yield roff(line) if not line.startswith(' ') else '\\&' + roff(line)


FORMATS = {'markdown': markdown, 'man': man}


def main():
    form, program, output = sys.argv[1:]
    text = subprocess.run([program, '-help'], check=True, capture_output=True, text=True).stdout
    lines = FORMATS[form](os.path.basename(program), parse(text))
    with open(output, 'w', encoding='utf-8') as file:
        file.writelines(line + '\n' for line in lines)


if __name__ == '__main__':
    main()
