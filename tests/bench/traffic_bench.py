#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""traffic_bench.py OURS [PEER]: what iperf3 moves between a guest and this host over the user network, and between
two guests over wires, with frames of 9000 bytes; on our binary and, if it is installed, on the peer's. Prints the
best of some rounds, and the ratio."""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import iperf  # noqa: E402

ROUNDS = 3
SECONDS = 600
LOADS = {'TCP': (), 'TCP back': ('-R',), 'UDP': ('-u', '-b', '0', '-l', '1400')}
MODELS = 'virtio-net-pci', 'e1000e'


def wires(folder):
    """Both ends of each."""
    stream = f'stream,id=n,addr.type=unix,addr.path={folder}/stream'
    ways = [f'addr.type=unix,addr.path={folder}/{name}' for name in ('left', 'right')]
    local, remote = ([way.replace('addr', name) for way in ways] for name in ('local', 'remote'))
    return {'stream': (stream + ',server=on', stream),
            'dgram': (f'dgram,id=n,{local[0]},{remote[1]}', f'dgram,id=n,{local[1]},{remote[0]}')}


def rates(shell, to, port):
    return {name: max(iperf.rate(iperf.run(shell, to, port, *options)) for _ in range(ROUNDS))
            for name, options in LOADS.items()}


def with_host(kit, binary, model):
    shell = kit.start(binary, '-netdev', 'user,id=n', '-device', f'{model},netdev=n', seconds=SECONDS)
    shell.run('ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0')
    port, end = kit.serve()
    found = rates(shell, '10.0.2.2', port)
    end()
    shell.end()
    return found


def with_guest(kit, binary, model, ends):
    shells = [kit.start(binary, '-netdev', end, '-device', f'{model},netdev=n,mac=52:54:00:00:00:0{n}', seconds=SECONDS)
              for n, end in enumerate(ends)]
    for n, shell in enumerate(shells):
        shell.run(f'ip link set eth0 mtu 9000 up; ip addr add 10.1.1.{n + 1}/24 dev eth0; ip link set lo up')
    shells[0].run('iperf3 -s -D')
    shells[1].run('ping -c 3 10.1.1.1')
    found = rates(shells[1], '10.1.1.1', 5201)
    for shell in shells:
        shell.end()
    return found


def main(ours, peer):
    with tempfile.TemporaryDirectory() as folder:
        kit = iperf.Iperf(folder)
        runs = {'user': with_host, **{name: lambda *args, ends=ends: with_guest(*args, ends)
                                      for name, ends in wires(folder).items()}}
        for model in MODELS:
            for name, run in runs.items():
                theirs = run(kit, peer, model) if peer else {}
                for load, rate in run(kit, ours, model).items():
                    line = f'{model}, {name}, {load}: {rate / 1e6:.0f} Mbit/s'
                    if load in theirs:
                        line += f', peer {theirs[load] / 1e6:.0f}, ratio {rate / theirs[load]:.2f}'
                    print(line, flush=True)


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else shutil.which('qemu-system-x86_64', path='/usr/bin'))
