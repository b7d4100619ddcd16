#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""cpu_bench.py OURS [PEER]: the software CPU beside the peer's, one vCPU, on the same guest.

The guest is Debian's kernel 6.12-cloud and tests/guest/bench_suite.c as its init. Prints a line for each work:
    NAME: ours X us, peer Y us, ratio R, times native N
and for the start of whole machines, process start to init, in ms. A ratio above 1: ours is faster. Then the memory beyond
the guest's at a shell prompt, and how much more two vCPUs do than one: 2 would be all of two idle cores.
"""
import argparse
import collections
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import guest  # noqa: E402

MACHINES = {'suite': 'q35', 'scale': 'q35', 'boot-q35': 'q35', 'boot-microvm': 'microvm'}
# A microvm has no clock the kernel could calibrate the TSC by; the peer's stops there without it.
APPEND = {'microvm': 'tsc_early_khz=1000000 '}


def results(lines):
    found = {}
    for seconds, line in lines:
        words = line.split()
        if len(words) == 3 and words[0] == 'bench' and words[2].isdigit():
            found[words[1]] = int(words[2]) / 1000 if words[1] != 'init' else seconds * 1000
    return found


def machine_pid(console):
    """It is the child of a process that ends it in time."""
    waiting = console.process.pid
    with open(f'/proc/{waiting}/task/{waiting}/children', encoding='ascii') as file:
        return int(file.read().split()[0])


def cpu_seconds(console):
    """What the machine has used so far."""
    return time.clock_gettime((~machine_pid(console) << 3) | 2)


def resident(pid, but):
    """MiB, by shares of pages too, of all mappings but those of one file."""
    found, counts = collections.Counter(), True
    with open(f'/proc/{pid}/smaps', encoding='utf-8') as file:
        for line in file:
            words = line.split()
            if not words[0].endswith(':'):
                counts = words[-1] != but
            elif counts and words[0] in ('Rss:', 'Pss:'):
                found[words[0]] += int(words[1])
    return found['Rss:'] / 1024, found['Pss:'] / 1024


def native(program):
    text = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return results((0, line) for line in text.splitlines())


def run(binary, machine, kernel, archive, works, verbose, cpus=1, watch=None):
    command = [binary, '-M', machine, '-smp', str(cpus), '-accel', 'tcg', '-cpu', 'max', '-m', '512', '-nodefaults',
               '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot',
               '-kernel', kernel, '-initrd', archive, '-append',
               f'console=ttyS0 quiet {APPEND.get(machine, "")}reboot=t panic=-1 -- ' + ' '.join(works)]
    console = guest.Console(command)

    def watched():
        for seconds, line in console.lines():
            if verbose:
                print(f'{seconds:8.3f} {line}', flush=True)
            if watch:
                watch(console, line)
            yield seconds, line

    found = results(watched())
    if 'end' not in found:
        print(f'{binary}: the guest on {machine} did not come to its end', file=sys.stderr)
    found.pop('end', None)
    return found


def best_of(rounds, *args):
    best = {}
    for _ in range(rounds):
        for name, value in run(*args).items():
            best[name] = min(value, best.get(name, value))
    return best


def show(name, unit, ours, peer, host):
    line = f'{name}: ours {ours:.1f} {unit}'
    if peer:
        line += f', peer {peer:.1f} {unit}, ratio {peer / ours:.2f}'
    if host:
        line += f', {ours / host:.1f} times native'
    print(line, flush=True)
    return peer / ours if peer else None


def show_memory(binaries, kernel, folder):
    """The guest's own is a file, so that it can be told from the rest."""
    archive, ram = os.path.join(folder, 'shell'), os.path.join(folder, 'ram')
    guest.shell(archive)
    found = []
    for binary in filter(None, binaries):
        shell = guest.Terminal(
            [binary, '-accel', 'tcg', '-M', 'q35,memory-backend=ram', '-cpu', 'max', '-m', '512', '-nodefaults',
             '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot',
             '-object', f'memory-backend-file,id=ram,size=512M,mem-path={ram},share=on',
             '-kernel', kernel, '-initrd', archive, '-append', 'console=ttyS0 quiet reboot=t panic=-1'])
        shell.wait_for(guest.PROMPT)
        found.append(resident(machine_pid(shell), ram))
        shell.end()
    for name, values in zip(('memory', 'memory by shares of pages'), zip(*found)):
        show(f'{name} beyond the guest', 'MiB', *values, *[None] * (3 - len(values)))


def show_scale(name, binary, kernel, archive, verbose):
    """
    By the clock, which wants two idle cores, the best rounds; by the CPU time that the same work costs, the middle
    ones: what a round costs is known only as well as its line comes at once.
    """
    clock, cpu = collections.defaultdict(list), collections.defaultdict(list)
    before = 0

    def watch(console, line):
        nonlocal before
        words = line.split()
        if len(words) == 3 and words[1].startswith('scale-'):
            now = cpu_seconds(console)
            clock[words[1]].append(int(words[2]))
            cpu[words[1]].append(now - before)
            before = now

    if binary:
        run(binary, MACHINES['scale'], kernel, archive, ['scale'], verbose, 2, watch)
    if cpu['scale-2']:
        by_clock = 2 * min(clock['scale-1']) / min(clock['scale-2'])
        by_cost = 4 * statistics.median(cpu['scale-1']) / statistics.median(cpu['scale-2'])
        print(f'two vCPUs, {name}: {by_clock:.2f} times the work of one, {by_cost:.2f} by the CPU time it costs',
              flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('ours')
    parser.add_argument('peer', nargs='?', default=shutil.which('qemu-system-x86_64'))
    parser.add_argument('--works', default='', help='only these, by commas')
    parser.add_argument('--boots', type=int, default=3, help='rounds of starting a machine')
    parser.add_argument('--no-scale', action='store_true', help='leave out two vCPUs')
    parser.add_argument('--verbose', action='store_true', help="show the guests' consoles")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = guest.build('bench_suite.c', os.path.join(folder, 'suite'), '-fno-math-errno',
                              '-lm')
        archive = os.path.join(folder, 'initramfs')
        guest.initramfs(archive, {'init': program})
        kernel = guest.kernel()
        host = native(program)
        works = options.works.split(',') if options.works else []
        one = [run(binary, MACHINES['suite'], kernel, archive, works, options.verbose)
               if binary else {} for binary in (options.ours, options.peer)]
        ratios = []
        for name in host:
            if name in one[0] and name not in ('init', 'end'):
                ratios.append(show(name, 'us', one[0][name], one[1].get(name), host.get(name)))
        ratios = [ratio for ratio in ratios if ratio]
        if ratios:
            print(f'geometric mean: ratio {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}')
        for name in ('boot-q35', 'boot-microvm') if options.boots else ():
            boot = [best_of(options.boots, binary, MACHINES[name], kernel, archive, ['boot'],
                            options.verbose).get('init') if binary else None
                    for binary in (options.ours, options.peer)]
            if boot[0]:
                show(name, 'ms', boot[0], boot[1], None)
        show_memory((options.ours, options.peer), kernel, folder)
        if not options.no_scale:
            for name, binary in (('ours', options.ours), ('peer', options.peer)):
                show_scale(name, binary, kernel, archive, options.verbose)


if __name__ == '__main__':
    main()
