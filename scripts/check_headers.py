#!/usr/bin/env python3
"""Compiles every header of include/ alone, twice in one unit, behind "util/osdep.h".

Compiler and flags are those of a source of the header's room in compile_commands.json; a room of
headers only takes those of the first source.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

WITH_VALUE = ('-o', '-MF', '-MQ', '-MT')
ALONE = ('-c', '-MD', '-MMD')


def flags_of(command):
    """A compile command without its input, output and dependency file."""
    words = shlex.split(command)
    flags = []
    skip = False
    for word in words:
        if skip or word in WITH_VALUE:
            skip = not skip
        elif word not in ALONE and not (word.endswith('.c') and not word.startswith('-')):
            flags.append(word)
    return flags


def flags_by_room(build):
    """Flags by the folder of the source, below the source root."""
    by_room = {}
    with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as file:
        for entry in json.load(file):
            if not os.path.basename(entry['output']).endswith('.c.o'):
                continue
            target = entry['output'].split('.p/')[0]
            if 'room_' in target:
                room = os.path.basename(target).removeprefix('libroom_').removesuffix('.a')
                by_room.setdefault(room, flags_of(entry['command']))
    if not by_room:
        sys.exit('no room in compile_commands.json')
    return by_room


def room_flags(by_room, header):
    parts = header.split('/')[:-1]
    for depth in (2, 1):
        flags = by_room.get('_'.join(parts[:depth]))
        if flags:
            return flags
    return next(iter(by_room.values()))


def complaint(header, flags, build):
    """The compiler's output, empty if the header stands alone."""
    unit = f'#include "util/osdep.h"\n#include "{header}"\n#include "{header}"\n'
    done = subprocess.run(flags + ['-fsyntax-only', '-xc', '-'], input=unit, cwd=build, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout if done.returncode else ''


def main():
    source, build = sys.argv[1:]
    top = os.path.join(source, 'include')
    headers = sorted(os.path.relpath(os.path.join(folder, name), top)
                     for folder, _, names in os.walk(top) for name in names
                     if name.endswith('.h'))
    by_room = flags_by_room(build)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda h: complaint(h, room_flags(by_room, h), build), headers)
        for header, output in zip(headers, results):
            if output:
                failed += 1
                print(f'include/{header} does not compile alone:\n{output}', file=sys.stderr)
    print(f'{len(headers)} headers, {failed} failed')
    return 1 if failed or not headers else 0


if __name__ == '__main__':
    sys.exit(main())
