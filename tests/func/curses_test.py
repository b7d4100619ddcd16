#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""-display curses on a terminal of ours: SeaBIOS' text, its boot menu by keys, text consoles."""
import fcntl
import os
import pty
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from vm import Qmp, TIMEOUT  # noqa: E402

BINARY = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')


class Screen:
    """What a terminal shows, of the few sequences that TERM=ansi has; a process behind it."""

    def __init__(self, *args, columns=90, lines=30):
        self.columns, self.lines = columns, lines
        self.cells = [[' '] * columns for _ in range(lines)]
        self.x = self.y = 0
        self.rest = ''
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack('HHHH', lines, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [BINARY, '-M', 'pc', '-accel', 'tcg', '-m', '16', '-net', 'none', '-display', 'curses',
             *args], stdin=self.slave, stdout=self.slave, stderr=subprocess.PIPE,
            env={**os.environ, 'TERM': 'ansi', 'LC_ALL': 'C.UTF-8'})

    def text(self):
        return '\n'.join(''.join(line).rstrip() for line in self.cells)

    def blank(self, y, first, end):
        self.cells[y][first:end] = [' '] * (min(end, self.columns) - first)

    def control(self, arguments, final):
        numbers = [int(n) if n.isdigit() else 0 for n in arguments.split(';')]
        count = max(numbers[0], 1)
        if final in 'Hf':
            self.y, self.x = count - 1, max((numbers + [1])[1], 1) - 1
        elif final == 'd':
            self.y = count - 1
        elif final in 'ABCDG':
            self.x += {'C': count, 'D': -count, 'G': count - 1 - self.x}.get(final, 0)
            self.y += {'A': -count, 'B': count}.get(final, 0)
        elif final == 'J':
            self.blank(self.y, self.x, self.columns)
            for y in range(self.y + 1, self.lines):
                self.blank(y, 0, self.columns)
        elif final == 'K':
            self.blank(self.y, *((0, self.x + 1) if numbers[0] == 1 else (self.x, self.columns)))
        elif final == 'X':
            self.blank(self.y, self.x, self.x + count)
        elif final == 'b':
            self.put(self.cells[self.y][self.x - 1] * count)
        elif final == 'P':
            line = self.cells[self.y]
            line[self.x:] = line[self.x + count:] + [' '] * count
        elif final == '@':
            line = self.cells[self.y]
            line[self.x:] = ([' '] * count + line[self.x:])[:self.columns - self.x]
        elif final == 'L':
            self.cells[self.y:] = ([[' '] * self.columns for _ in range(count)] +
                                   self.cells[self.y:])[:self.lines - self.y]
        elif final == 'M':
            self.cells[self.y:] = self.cells[self.y + count:] + \
                [[' '] * self.columns for _ in range(count)]
        elif final not in 'mhlSr':
            raise AssertionError(f'CSI {arguments} {final}')

    def put(self, text):
        for c in text:
            if self.x == self.columns:
                self.x, self.y = 0, self.y + 1
            self.cells[min(self.y, self.lines - 1)][self.x] = c
            self.x += 1

    def take(self, text):
        text, self.rest = self.rest + text, ''
        for control, arguments, final, c in re.findall(
                r'(\033\[([?0-9;]*)([A-Za-z@]))|(\033[^\[]?|.)', text, re.S):
            if control:
                self.control(arguments, final)
            elif c == '\r':
                self.x = 0
            elif c == '\n':
                self.y = min(self.y + 1, self.lines - 1)
            elif c == '\b':
                self.x -= 1
            elif c >= ' ':
                self.put(c)

    def wait(self, *words):
        """Until all are on the screen."""
        deadline = time.monotonic() + TIMEOUT
        while not all(word in self.text() for word in words):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f'{words} not in:\n{self.text()}')
            if select.select([self.master], [], [], 1)[0]:
                got = os.read(self.master, 65536)
                cut = max(got.rfind(b'\033', -12), 0) or len(got)
                self.take(got[:cut].decode('utf-8', 'replace'))
                self.rest = got[cut:].decode('utf-8', 'replace')

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        status = self.process.wait(TIMEOUT)
        after = termios.tcgetattr(self.slave)
        self.process.stderr.close()
        os.close(self.master)
        os.close(self.slave)
        return status, after == self.before


class Curses(unittest.TestCase):
    def test_firmware(self):
        screen = Screen('-boot', 'menu=on,splash-time=20000')
        screen.wait('Press ESC for boot menu')
        screen.type('\033')
        screen.wait('Select boot device:')
        screen.type('\0332')
        screen.wait('(qemu)')
        self.assertNotIn('Select', screen.text())
        screen.type('info versiom\x7fn\r')
        screen.wait('9.0.0')
        screen.type('\0331')
        screen.wait('Select boot device:')
        screen.type('1')
        screen.wait('No bootable device')
        screen.type('\0332')
        screen.wait('9.0.0')
        screen.type('quit\r')
        self.assertEqual(screen.end(), (0, True))

    def test_small_terminal(self):
        """The part around the cursor is shown."""
        screen = Screen('-boot', 'menu=on,splash-time=20000', columns=40, lines=3)
        screen.wait('Press ESC for boot menu')
        self.assertNotIn('SeaBIOS', screen.text())
        screen.process.terminate()
        self.assertEqual(screen.end(), (0, True))

    def test_no_screen(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as line:
            screen = Screen('-nodefaults', '-S', '-qmp', f'unix:{folder}/qmp,server=on,wait=off')
            screen.wait('No screen')
            line.connect(folder + '/qmp')
            self.assertEqual(Qmp(line)('query-display-options'), {'type': 'curses'})
            screen.process.terminate()
            self.assertEqual(screen.end(), (0, True))

    def test_graphics(self):
        screen = Screen('-vga', 'none', '-device', 'bochs-display', '-S')
        screen.wait('640 x 480 Graphic mode')
        screen.process.terminate()
        self.assertEqual(screen.end(), (0, True))

    def test_no_terminal(self):
        for args in ((), ('-serial', 'stdio')):
            done = subprocess.run([BINARY, '-M', 'none', '-display', 'curses', *args],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=TIMEOUT, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn('chardev on the terminal' if args else 'We need a terminal output',
                          done.stderr)


if __name__ == '__main__':
    unittest.main()
