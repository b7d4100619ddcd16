# SPDX-License-Identifier: GPL-2.0-or-later
"""A network (and mount) namespace for the whole test, where it is root and nobody else is there."""
import os
import subprocess
import sys
import unittest

MARK = 'TEST_NAMESPACE'
PROBE = 'ip tuntap add dev probe0 mode tap && ip link add probe1 type bridge'


def enter(*empty):
    """Starts the program again in one, with empty folders at `empty`; or says why not, and ends it."""
    if MARK in os.environ:
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        for path in empty:
            subprocess.run(['mount', '-t', 'tmpfs', 'none', path], check=True)
        # sysfs shows the interfaces of whoever mounts it.
        subprocess.run(['mount', '-t', 'sysfs', 'none', '/sys'], check=True)
        return
    try:
        done = subprocess.run(['unshare', '-rnm', 'sh', '-c', PROBE], capture_output=True, text=True, check=False)
        why = done.stderr.strip() if done.returncode else None
    except FileNotFoundError as error:
        why = str(error)
    if why is not None:
        print(f'SKIP: no network namespace with TAP interfaces and bridges here: {why}', file=sys.stderr)
        sys.exit(77)
    os.environ[MARK] = '1'
    os.execvp('unshare', ['unshare', '-rnm', sys.executable, *sys.argv])
