#!/usr/bin/env python3
"""Refuses includes that go against the rooms of layers.txt, and sources of the wrong form.

A room is a folder; include/<room>/ belongs to it, and so do headers generated for it. Rules:
a file includes its own room and lower ranks; "util/osdep.h" comes first in every .c; no .c is
included; a header has a guard. A header past 200 lines is a warning. tests/ stands outside the
ranks but keeps the form; tests/guest/ holds programs that run in guests, which are not read.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import argparse
import os
import re
import sys

HEADER_LINES = 200
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.M)
GUARD = re.compile(r'\s*#\s*(?:pragma\s+once\b|ifndef\s+(\w+)\s*\n\s*#\s*define\s+(\w+)\b)')
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
# Generated into the build folder for whoever includes them.
ANYONES = {'trace.h', 'config-host.h'}
# System headers that belong to a room: what only it and those above may know.
SYSTEM = {'linux/kvm.h': 'accel'}
OUTSIDE = {'docs', 'linux-headers', 'scripts'}
FORM_ONLY = {'tests'}
OF_GUESTS = {'tests/guest'}


class TableError(Exception):
    pass


class Table:
    """Ranks and prohibitions, by room pattern."""

    def __init__(self, text):
        self.ranks, self.never = {}, {}
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split('#')[0].split()
            if not words:
                continue
            if len(words) < 2 or not words[0].isdigit() or (words[2:] and words[2] != 'never'):
                raise TableError(f'{number}: want "rank room [never room...]"')
            if words[1] in self.ranks:
                raise TableError(f"{number}: room '{words[1]}' is named twice")
            self.ranks[words[1]] = int(words[0])
            self.never[words[1]] = words[3:]

    def pattern(self, room):
        if room in self.ranks:
            return room
        star = room.split('/')[0] + '/*'
        return star if '/' in room and star in self.ranks else None

    def room_of(self, path):
        """The room of a path below the root or include/, or None."""
        parts = path.split('/')[:-1]
        for depth in (2, 1):
            if len(parts) >= depth and self.pattern('/'.join(parts[:depth])):
                return '/'.join(parts[:depth])
        return None

    def refusal(self, room, wanted):
        """Why a file of `room` may not include one of `wanted`; None if it may."""
        if room == wanted:
            return None
        own, other = self.pattern(room), self.pattern(wanted)
        if other in self.never[own]:
            return f'{room} never includes {wanted}'
        if self.ranks[other] == self.ranks[own]:
            return (f'{room} and {wanted} are both of rank {self.ranks[own]}; '
                    'what they share belongs below them')
        if self.ranks[other] > self.ranks[own]:
            return (f'{room} is of rank {self.ranks[own]}, {wanted} is above it '
                    f'({self.ranks[other]})')
        return None


class Checker:
    def __init__(self, root, table):
        self.root, self.table = root, table
        self.errors, self.warnings, self.seen = [], [], []

    def sources(self):
        """Every .c, .h and .inc, and on the way every folder, as seen for the depfile."""
        for folder, subdirs, files in os.walk(self.root):
            rel = os.path.relpath(folder, self.root)
            if rel != '.' and 'meson-private' in subdirs:
                subdirs[:] = []
                continue
            if rel in OF_GUESTS:
                subdirs[:] = []
                continue
            subdirs[:] = sorted(d for d in subdirs if not d.startswith(('.', '__'))
                                and not (rel == '.' and (d in OUTSIDE or d.startswith('build'))))
            if rel != '.':
                self.seen.append(folder)
            for name in sorted(files):
                if name.endswith(('.c', '.h', '.inc')):
                    yield os.path.normpath(os.path.join(rel, name))

    def wanted_room(self, path, quote, name):
        """The room an include asks for: (a room or None, whether it is known)."""
        if quote == '<':
            return SYSTEM.get(name), True
        if name in ANYONES:
            return None, True
        beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
        if os.path.exists(os.path.join(self.root, beside)):
            name = beside.removeprefix('include/')
        elif '/' not in name:
            return None, True  # generated into the room's own build folder
        room = self.table.room_of(name)
        return room, room is not None

    def check_include(self, path, room, line, quote, name):
        where = f'{path}:{line}'
        if name.endswith(('.c', '.c.inc')):
            self.errors.append(f'{where}: "{name}" is a body; no .c is included')
            return
        wanted, is_known = self.wanted_room(path, quote, name)
        if not is_known and room:
            self.errors.append(f'{where}: "{name}" is in no room of scripts/layers.txt')
        elif wanted and room:
            why = self.table.refusal(room, wanted)
            if why:
                self.errors.append(f'{where}: "{name}": {why}')

    def check_form(self, path, text, includes):
        if path.endswith('.c'):
            if not includes or includes[0][2] != 'util/osdep.h':
                line = includes[0][0] if includes else 1
                self.errors.append(f'{path}:{line}: the first include is not "util/osdep.h"')
        elif path.endswith('.h'):
            match = GUARD.match(text)
            if not match or match[1] != match[2]:
                self.errors.append(f'{path}:1: no include guard (#ifndef NAME, #define NAME)')
            lines = text.count('\n')
            if lines > HEADER_LINES:
                self.warnings.append(f'{path}:{lines}: warning: a header of {lines} lines; '
                                     f'{HEADER_LINES} is the limit')

    def check(self, path):
        full = os.path.join(self.root, path)
        self.seen.append(full)
        with open(full, encoding='utf-8') as file:
            text = strip_comments(file.read())
        room = self.table.room_of(path.removeprefix('include/'))
        if not room and path.split('/')[0] not in FORM_ONLY:
            self.errors.append(f'{path}:1: this folder is no room of scripts/layers.txt')
            return
        includes = [(text.count('\n', 0, m.start(1)) + 1, m[1], m[2])
                    for m in INCLUDE.finditer(text)]
        self.check_form(path, text, includes)
        for line, quote, name in includes:
            self.check_include(path, room, line, quote, name)


def strip_comments(text):
    """Comments become as many newlines; strings stay, so that "/*" in one does no harm."""
    def keep(match):
        return match[0] if match[0][0] in '"\'' else '\n' * match[0].count('\n') or ' '
    return COMMENT.sub(keep, text)


def write_depfile(path, stamp, seen):
    names = (name.replace(' ', r'\ ') for name in seen)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{stamp}: ' + ' \\\n  '.join(names) + '\n')


def main():
    parser = argparse.ArgumentParser(description='check who includes whom')
    parser.add_argument('table')
    parser.add_argument('--root', required=True)
    parser.add_argument('--stamp', help='touched when all is well')
    parser.add_argument('--depfile', help='what was read, for ninja')
    args = parser.parse_args()

    try:
        with open(args.table, encoding='utf-8') as file:
            table = Table(file.read())
    except TableError as err:
        sys.exit(f'{args.table}:{err}')
    checker = Checker(os.path.abspath(args.root), table)
    for path in checker.sources():
        checker.check(path)
    for line in checker.warnings + checker.errors:
        print(line, file=sys.stderr)
    if args.depfile:
        write_depfile(args.depfile, args.stamp, checker.seen)
    if checker.errors:
        return 1
    if args.stamp:
        with open(args.stamp, 'w', encoding='utf-8'):
            pass
    return 0


if __name__ == '__main__':
    sys.exit(main())
