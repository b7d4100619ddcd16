# SPDX-License-Identifier: GPL-2.0-or-later
"""Where tests find binaries and data, and how a test program runs."""
import json
import os
import shutil
import sys
import unittest

ARCHES = ('x86_64', 'aarch64', 'ppc64')


def binary(arch='x86_64'):
    return os.path.join(os.environ['BINARIES'], 'qemu-system-' + arch)


def peer(name='qemu-system-x86_64'):
    """The peer's binary, or None where it is not installed."""
    return shutil.which(name)


def sandbox_env():
    """For processes under -sandbox: LeakSanitizer looks with ptrace(), which is not allowed."""
    options = os.environ.get('ASAN_OPTIONS')
    return {**os.environ, 'ASAN_OPTIONS': (options + ':' if options else '') + 'detect_leaks=0'}


def data(*path):
    return os.path.join(os.environ['DATA'], *path)


def json_lines(*path):
    with open(data(*path), encoding='utf-8') as lines:
        return [json.loads(line) for line in lines if line.strip()]


def rows(*path):
    """A table with a heading, as dictionaries."""
    with open(data(*path), encoding='utf-8') as lines:
        table = [line.rstrip('\n').split('\t') for line in lines if not line.startswith('#')]
    return [dict(zip(table[0], row)) for row in table[1:]]


def main():
    """Runs the calling program's tests; says the reason of each skip. 77: all were skipped."""
    result = unittest.main(verbosity=2, exit=False).result
    if result.skipped and result.wasSuccessful() and result.testsRun <= len(result.skipped):
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
