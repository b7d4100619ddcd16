#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""images_bench.py NAME OURS [PEER]: qemu-img's work on a qcow2 image, ours and the installed peer's.

Rounds alternate between the two, the best of each counts; and so does the CPU time, which a busy host leaves
about as it is. Prints a line:
    NAME: ours X s, peer Y s, ratio R, CPU x s and y s, ratio r (above 1: ours is better)
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROUNDS = 5
MIB = 1 << 20
BYTES = 192 * MIB
RANDOM = ['-s', '4096', '-S', str(4096 * 1021)]  # a step that comes everywhere


def bench(*words, cache='writeback'):
    return ['bench', '-f', 'qcow2', '-t', cache, *words, 'image.qcow2']


# What is run in a folder with in.raw, in.qcow2 and image.qcow2, which is full or has 4 GiB and is empty.
BENCHES = {
    'image-to-qcow2': ['convert', '-f', 'raw', '-O', 'qcow2', 'in.raw', 'out'],
    'image-to-raw': ['convert', '-f', 'qcow2', '-O', 'raw', 'in.qcow2', 'out'],
    'image-compress': ['convert', '-c', '-O', 'qcow2', 'in.raw', 'out'],
    'image-compare': ['compare', '-q', 'in.raw', 'in.qcow2'],
    'image-write-new': bench('-w', '-c', '20000', *RANDOM),
    'image-write': bench('-w', '-c', '60000', '-s', '4096', '-S', '69632'),
    'image-write-sequential': bench('-w', '-c', '4000', '-s', '65536'),
    'image-read': bench('-c', '60000', '-s', '4096', '-S', '69632'),
    'image-read-sequential': bench('-c', '8000', '-s', '65536'),
    'image-read-one-by-one': bench('-c', '20000', '-d', '1', *RANDOM),
    'image-read-uring': bench('-c', '60000', '-i', 'io_uring', '-s', '4096', '-S', '69632'),
    'image-read-direct': bench('-c', '10000', '-s', '4096', '-S', '69632', cache='none'),
    'image-read-direct-uring': bench('-c', '10000', '-i', 'io_uring', '-s', '4096', '-S', '69632', cache='none'),
    'image-read-holes': bench('-c', '60000', '-s', '4096', '-S', '69632'),
}
FULL = {'image-write', 'image-read', 'image-read-sequential', 'image-read-one-by-one', 'image-read-uring',
        'image-read-direct', 'image-read-direct-uring'}


def run(img, words):
    subprocess.run([img, *words], check=True, stdout=subprocess.DEVNULL)


def prepare(img, name):
    run(img, ['create', '-q', '-f', 'qcow2', 'image.qcow2', '250M' if name in FULL else '4G'])
    if name in FULL:
        run(img, bench('-w', '-c', '4000', '-s', '65536'))
    if name.startswith('image-to') or name in ('image-compress', 'image-compare'):
        rand = random.Random(1)
        with open('in.raw', 'wb') as out:
            for _ in range(BYTES // MIB):
                out.write(rand.choice([rand.randbytes(MIB), rand.randbytes(4096) * 256,
                                       bytes(MIB)]))
        run(img, ['convert', '-O', 'qcow2', 'in.raw', 'in.qcow2'])


def measure(img, name):
    with tempfile.TemporaryDirectory(prefix='images-bench-') as folder:
        os.chdir(folder)
        prepare(img, name)
        begin = time.perf_counter()
        with subprocess.Popen([img, *BENCHES[name]], stdout=subprocess.DEVNULL) as program:
            _, status, usage = os.wait4(program.pid, 0)
            program.returncode = os.waitstatus_to_exitcode(status)
        passed = time.perf_counter() - begin
        os.chdir('/')
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, program.args)
    return passed, usage.ru_utime + usage.ru_stime


def main():
    name, ours = sys.argv[1], os.path.abspath(sys.argv[2])
    peer = sys.argv[3] if len(sys.argv) > 3 else shutil.which('qemu-img', path='/usr/bin')
    results = {img: [] for img in (ours, peer) if img}
    for _ in range(ROUNDS):
        for img, times in results.items():
            times.append(measure(img, name))
    (mine, my_cpu), (others, their_cpu) = (map(min, zip(*results[img])) if img else (0, 0) for img in (ours, peer))
    print(f'{name}: ours {mine:.3f} s' + (f', peer {others:.3f} s, ratio {others / mine:.2f}, CPU {my_cpu:.2f} s and '
                                          f'{their_cpu:.2f} s, ratio {their_cpu / my_cpu:.2f}' if peer else ''))


main()
