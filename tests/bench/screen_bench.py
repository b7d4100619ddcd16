#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""screen_bench.py OURS [PEER]: VNC: updates of a whole screen of 1024 x 768 per second, asked for one after the other
(raw, ZRLE, Tight) and after each change of all pixels; and what an idle screen with a client costs. Rounds alternate
between the two binaries, the best of each counts.
"""
import os
import shutil
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from vm import Vm  # noqa: E402
from vnc import Vnc  # noqa: E402

ROUNDS = 3
SECONDS = 1
WIDTH, HEIGHT = 1024, 768
VRAM = 0xfd000000
RAW, ZRLE, TIGHT, DESKTOP_SIZE = 0, 16, 7, -223


def show(vm):
    """The VGA in a mode, with a picture that has noise and plain parts."""
    for at, value in ((0x10, VRAM), (4, 3)):
        vm.qtest(f'outl 0xcf8 {0x80000000 | 2 << 11 | at:#x}')
        vm.qtest(f'outl 0xcfc {value:#x}')
    vm.qtest('inb 0x3da')
    vm.qtest('outb 0x3c0 0x20')
    for index, value in ((4, 0), (1, WIDTH), (2, HEIGHT), (3, 32), (4, 0x41)):
        vm.qtest(f'outw 0x1ce {index:#x}')
        vm.qtest(f'outw 0x1cf {value:#x}')
    for y in range(0, HEIGHT, 2):
        line = b''.join(struct.pack('<I', (x * y * 2654435761 >> 8) & 0xffffff if x > WIDTH // 2 else y)
                        for x in range(WIDTH))
        vm.qtest(f'write {VRAM + 4 * y * WIDTH:#x} {len(line)} 0x{line.hex()}')


class Reader:
    """Takes updates off a connection and looks at nothing but their extent."""

    def __init__(self, client):
        self.sock = client.sock
        self.client = client
        self.buffer = memoryview(bytearray(1 << 20))

    def skip(self, count):
        while count:
            count -= self.sock.recv_into(self.buffer, min(count, len(self.buffer)))

    def tight(self, width, height):
        control = self.client.read(1)[0] >> 4
        if control == 8:
            return self.skip(3)
        if control == 9:
            return self.compact()
        size, bits = width * height * 3, 0
        if control & 4:
            kind = self.client.read(1)[0]
            if kind == 1:
                colors = self.client.read(1)[0] + 1
                self.skip(3 * colors)
                size = (width + 7) // 8 * height if colors == 2 else width * height
        return self.skip(size) if size < 12 else self.compact()

    def compact(self):
        length = shift = 0
        while True:
            byte = self.client.read(1)[0]
            length |= (byte & 0x7f if shift < 14 else byte) << shift
            shift += 7
            if not byte & 0x80 or shift > 14:
                return self.skip(length)

    def update(self):
        """One message; how many pixels it had."""
        head = self.client.read(4)
        assert head[0] == 0, head
        pixels = 0
        for _ in range(int.from_bytes(head[2:], 'big')):
            _, _, width, height, encoding = struct.unpack('>HHHHi', self.client.read(12))
            if encoding == DESKTOP_SIZE:
                self.client.picture.width, self.client.picture.height = width, height
                continue
            pixels += width * height
            if encoding == RAW:
                self.skip(width * height * 4)
            elif encoding == ZRLE:
                self.skip(int.from_bytes(self.client.read(4), 'big'))
            else:
                assert encoding == TIGHT, encoding
                self.tight(width, height)
        return pixels


def whole_screens(client, reader, change=None):
    """Updates per second."""
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < SECONDS:
        if change:
            change(count)
        client.ask(incremental=bool(change))
        pixels = reader.update()
        while pixels < WIDTH * HEIGHT:
            if change:
                client.ask(incremental=True)
            pixels += reader.update()
        count += 1
    return count / (time.perf_counter() - begin)


def cpu_ms(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf('SC_CLK_TCK')


def measure(binary, is_ours, path):
    found = {}
    with Vm(binary, '-M', 'pc', '-S', '-vnc', f'unix:{path}', qtest=True,
            accel='qtest' if is_ours else 'tcg') as vm:
        for name, encoding in (('raw', RAW), ('zrle', ZRLE), ('tight', TIGHT)):
            show(vm)
            with Vnc.unix(path, encodings=(encoding, DESKTOP_SIZE)) as client:
                reader = Reader(client)
                client.ask()
                while reader.update() < WIDTH * HEIGHT:
                    client.ask()
                found[f'vnc-{name}'] = whole_screens(client, reader)
                if encoding == RAW:
                    found['vnc-change'] = whole_screens(client, reader, lambda n: vm.qtest(
                        f'memset {VRAM:#x} {4 * WIDTH * HEIGHT:#x} {1 + n % 200:#x}'))
        with Vnc.unix(path) as client:
            client.ask(incremental=True)
            time.sleep(SECONDS)
            begin = cpu_ms(vm.process.pid)
            time.sleep(2 * SECONDS)
            found['idle'] = (cpu_ms(vm.process.pid) - begin) / 2 / SECONDS
    return found


def main(ours, path):
    peer = sys.argv[2] if len(sys.argv) > 2 else shutil.which('qemu-system-x86_64')
    mine, theirs = {}, {}
    for _ in range(ROUNDS):
        for binary, best in ((ours, mine), (peer, theirs)):
            for name, value in (measure(binary, binary == ours, path) if binary else {}).items():
                better = min if name == 'idle' else max
                best[name] = better(best.get(name, value), value)
    for name, value in mine.items():
        unit = 'ms of CPU a second' if name == 'idle' else '/s'
        line = f'{name}: ours {value:.1f} {unit}'
        if peer:
            line += f', peer {theirs[name]:.1f} {unit}'
            line += f', ratio {value / theirs[name]:.2f}' if theirs[name] else ''
        print(line if peer else line + ', no peer installed')


if __name__ == '__main__':
    with tempfile.TemporaryDirectory(prefix='screen-bench-') as folder:
        main(os.path.abspath(sys.argv[1]), os.path.join(folder, 'vnc'))
