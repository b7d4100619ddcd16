#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""disk_bench.py OURS [PEER]: reads of 4 KiB per second, 64 at a time, over qtest: from a back end that does
nothing, and from a full qcow2 image that the host has in memory. Rounds alternate between the two binaries,
the best of each counts.
"""
import itertools
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from pci import Pci  # noqa: E402
from virtio import Queue  # noqa: E402
from virtio_pci import COMMON, NOTIFY, Function  # noqa: E402
from vm import Vm  # noqa: E402

ROUNDS = 5
SECONDS = 0.5
BATCH = 64
SIZE = 256
HEADERS, DATA, STATUS = 0x300000, 0x400000, 0x310000
NVME, NVME_SQ, NVME_CQ = 0xe2000000, 0x100000, 0x110000


def start_virtio(vm):
    """What does a batch."""
    function, queue = Function(vm), Queue(vm, 0x100000, SIZE)
    function.start(queue)
    for n in range(BATCH):
        queue.write(HEADERS + 16 * n, struct.pack('<IIQ', 0, 0, 8 * n))
        for i, (address, size, flags) in enumerate(((HEADERS + 16 * n, 16, 1), (DATA + 4096 * n, 4096, 3),
                                                    (STATUS + n, 1, 2))):
            queue.write(queue.desc + 16 * (3 * n + i), struct.pack('<QIHH', address, size, flags, 3 * n + i + 1))
    queue.write(queue.driver + 4, struct.pack(f'<{SIZE}H', *[3 * (n % BATCH) for n in range(SIZE)]))
    doorbell = function.place(NOTIFY) + function.get(COMMON, 0x1e, 2) * function.read(function.caps[NOTIFY] + 16)
    done = 0

    def batch():
        nonlocal done
        done = (done + BATCH) & 0xffff
        vm.qtest(f'writew {queue.driver + 2:#x} {done:#x}')
        vm.qtest(f'writew {doorbell:#x} 0')
        while int(vm.qtest(f'readw {queue.device + 2:#x}'), 16) != done:
            pass

    return batch


def start_nvme(vm):
    pci = Pci(vm)
    for at, value in ((0x10, NVME), (0x14, 0), (4, 6)):
        pci.write(5 << 3, at, value)

    def put(at, value):
        vm.qtest(f'writel {NVME + at:#x} {value:#x}')

    admin = 0x120000
    vm.qtest('memset 0x100000 0x40000 0')
    for at, value in ((0x24, 15 << 16 | 15), (0x28, admin), (0x30, admin + 0x1000), (0x14, 4 << 20 | 6 << 16 | 1)):
        put(at, value)
    while not int(vm.qtest(f'readl {NVME + 0x1c:#x}'), 16) & 1:
        pass
    for n, (opcode, address, dword11) in enumerate(((5, NVME_CQ, 1), (1, NVME_SQ, 1 | 1 << 16))):
        raw = struct.pack('<BBHIQQQQIIIIII', opcode, 0, n, 0, 0, 0, address, 0, 1 | (SIZE - 1) << 16, dword11, 0, 0, 0,
                          0)
        vm.qtest(f'write {admin + 64 * n:#x} 64 0x{raw.hex()}')
        put(0x1000, n + 1)
        while not int(vm.qtest(f'readw {admin + 0x1000 + 16 * n + 14:#x}'), 16) & 1:
            pass
    for n in range(SIZE):
        raw = struct.pack('<BBHIQQQQIIIIII', 2, 0, n, 1, 0, 0, DATA + 4096 * (n % BATCH), 0, 8 * n, 0, 7, 0, 0, 0)
        vm.qtest(f'write {NVME_SQ + 64 * n:#x} 64 0x{raw.hex()}')
    done = 0

    def batch():
        nonlocal done
        done += BATCH
        phase = 1 - (done - 1) // SIZE % 2
        put(0x1008, done % SIZE)
        while int(vm.qtest(f'readw {NVME_CQ + 16 * ((done - 1) % SIZE) + 14:#x}'), 16) & 1 != phase:
            pass
        put(0x100c, done % SIZE)

    return batch


DEVICES = {
    'virtio-blk': (start_virtio, 'virtio-blk-pci,drive=n,addr=4,num-queues=1'),
    'nvme': (start_nvme, 'nvme,drive=n,addr=5,serial=a'),
}


BACK_ENDS = {
    'null': 'null-co,node-name=n,size=1073741824',
    'qcow2': 'qcow2,node-name=n,file.driver=file,file.filename=image.qcow2',
    'qcow2-uring': 'qcow2,node-name=n,file.driver=file,file.filename=image.qcow2,file.aio=io_uring',
}


def make_image(img):
    with open('image.raw', 'wb') as out:
        out.write(b'\x5a' * (16 << 20))
    subprocess.run([img, 'convert', '-O', 'qcow2', 'image.raw', 'image.qcow2'], check=True)


def requests_per_second(binary, is_ours, name, back_end):
    start, device = DEVICES[name]
    board = ('-M', 'pc', '-nodefaults', '-blockdev', BACK_ENDS[back_end], '-device', device)
    with Vm(binary, *board, '-S', qtest=True, accel='qtest' if is_ours else 'tcg') as vm:
        batch = start(vm)
        batch()
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < SECONDS:
            for _ in range(20):
                batch()
            count += 20 * BATCH
        return count / (time.perf_counter() - begin)


def main(ours):
    peer = sys.argv[2] if len(sys.argv) > 2 else shutil.which('qemu-system-x86_64')
    for name, back_end in itertools.product(DEVICES, BACK_ENDS):
        mine = theirs = 0
        for _ in range(ROUNDS):
            mine = max(mine, requests_per_second(ours, True, name, back_end))
            theirs = max(theirs, requests_per_second(peer, False, name, back_end)) if peer else 0
        line = f'{name}-{back_end}: ours {mine:.0f} /s'
        print(line + (f', peer {theirs:.0f} /s, ratio {mine / theirs:.2f}' if peer else ', no peer installed'))


if __name__ == '__main__':
    with tempfile.TemporaryDirectory(prefix='disk-bench-') as folder:
        binary = os.path.abspath(sys.argv[1])
        os.chdir(folder)
        make_image(os.path.join(os.path.dirname(binary), 'qemu-img'))
        main(binary)
