#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pci_hole_bench.py OURS: what a guest's look at a function that is not there costs, in processor time, with
microvm's x-pci-hole off and on (tests/guest/pci_hole.c). Fails if the default is slower than off."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402

SCANS, READS, ROUNDS = 60, 8192, 5
NOISE = 1.1


def seconds(binary, folder, scans, hole):
    """The least of some runs; with one scan it is what all else costs."""
    _, image = bare.build(folder, 'pci_hole', 64, f'-DSCANS={scans}')
    found = []
    for _ in range(ROUNDS):
        before = os.times()
        bare.said(binary, folder, image, '-M', f'microvm,pcie=on,x-pci-hole={hole}', '-smp', '2', '-accel',
                  'tcg,thread=single', '-device', 'pcie-root-port,id=p,chassis=1,addr=1', '-device',
                  'virtio-rng-pci,bus=p')
        after = os.times()
        found.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(found)


def main():
    cost = {}
    with tempfile.TemporaryDirectory() as folder:
        for hole in 'off', 'alias', 'auto':
            passed = seconds(sys.argv[1], folder, SCANS + 1, hole) - seconds(sys.argv[1], folder, 1, hole)
            cost[hole] = passed / SCANS / READS * 1e9
            print(f'pci-hole: a read with {hole} {cost[hole]:.1f} ns, ratio {cost["off"] / cost[hole]:.2f}', flush=True)
    return cost['auto'] > cost['off'] * NOISE


if __name__ == '__main__':
    sys.exit(main())
