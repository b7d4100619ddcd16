#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench.py NAME OURS [PEER]: one benchmark on our binary and, if it is installed, on the peer's.

Rounds alternate between the two, the best of each counts. Prints a line:
    NAME: ours X unit, peer Y unit, ratio R (above 1: ours is better)
"""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from vm import Vm  # noqa: E402

ROUNDS = 7


def none_machine(binary, *args, **kwargs):
    return Vm(binary, '-machine', 'none', '-nodefaults', '-S', *args, **kwargs)


def rate(call, seconds=0.5):
    """Calls per second."""
    call()
    count, start = 0, time.perf_counter()
    while True:
        for _ in range(50):
            call()
        count += 50
        passed = time.perf_counter() - start
        if passed > seconds:
            return count / passed


def start(binary):
    begin = time.perf_counter()
    vm = none_machine(binary, negotiate=False)
    passed = time.perf_counter() - begin
    vm.kill()
    return passed * 1000


def memory(binary):
    """Resident memory at the greeting, in KiB."""
    vm = none_machine(binary, negotiate=False)
    with open(f'/proc/{vm.process.pid}/status', encoding='ascii') as status:
        fields = dict(line.split(':', 1) for line in status)
    vm.kill()
    return int(fields['VmRSS'].split()[0])


def pipelined(vm, messages, batch):
    """Rounds of messages per second, sent in batches so that the client costs little."""
    data = (''.join(message + '\n' for message in messages)).encode() * batch
    replies = batch * len(messages)
    lines = vm.qmp.lines

    def call():
        lines.sock.sendall(data)
        got = 0
        while got < replies:
            got += lines.sock.recv(1 << 20).count(b'\n')

    call()
    count, begin = 0, time.perf_counter()
    while True:
        call()
        count += batch
        passed = time.perf_counter() - begin
        if passed > 0.7:
            return count / passed


def qmp_commands(binary):
    with none_machine(binary) as vm:
        return pipelined(vm, ['{"execute": "query-status"}'], 8)


def qom_get(binary):
    with none_machine(binary) as vm:
        return pipelined(vm, ['{"execute": "qom-get", "arguments": '
                              '{"path": "/machine", "property": "type"}}'], 8)


def object_pairs(binary):
    pair = ['{"execute": "object-add", "arguments": {"qom-type": "memory-backend-ram", '
            '"id": "m", "size": 65536}}',
            '{"execute": "object-del", "arguments": {"id": "m"}}']
    with none_machine(binary) as vm:
        return pipelined(vm, pair, 4)


def round_trips(binary):
    with none_machine(binary) as vm:
        return rate(lambda: vm.qmp('query-status'))


BENCHES = {
    # name: (function, unit, higher is better)
    'start': (start, 'ms', False),
    'memory': (memory, 'KiB', False),
    'qmp-commands': (qmp_commands, '/s', True),
    'qmp-round-trips': (round_trips, '/s', True),
    'qom-get': (qom_get, '/s', True),
    'object-add-del': (object_pairs, 'pairs/s', True),
}


def main():
    name, ours = sys.argv[1:3]
    peer = sys.argv[3] if len(sys.argv) > 3 else shutil.which('qemu-system-x86_64')
    fn, unit, higher = BENCHES[name]
    best = max if higher else min
    results = {ours: [], peer: []} if peer else {ours: []}
    for _ in range(ROUNDS):
        for binary, values in results.items():
            values.append(fn(binary))
    mine = best(results[ours])
    line = f'{name}: ours {mine:.1f} {unit}'
    if peer:
        theirs = best(results[peer])
        ratio = mine / theirs if higher else theirs / mine
        line += f', peer {theirs:.1f} {unit}, ratio {ratio:.2f}'
    else:
        line += ', no peer installed'
    print(line)


if __name__ == '__main__':
    main()
