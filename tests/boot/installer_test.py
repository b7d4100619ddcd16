# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's installer on VNC, in text and in graphics: its first screen, and the next one by keys. The peer's is driven
in the same way beside it, and shows the same."""
import array
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
import vnc  # noqa: E402
from vm import Vm  # noqa: E402

SECONDS = 900  # of a busy host until something new is on the screen
HOME, DOWN, ENTER = 0xff50, 0xff54, 0xff0d
PATIENCE = 30  # seconds until keys are pressed again
TEXT_MEMORY = 0xb8000
RED, WHITE = 0xa80000, 0xffffff


class Installer:
    """A machine that installs Debian, and a client that looks at it."""

    def __init__(self, name, binary, folder, kind, append):
        images = guest.package('debian-installer-12-netboot-amd64',
                               'usr/lib/debian-installer/images/12/amd64', kind, 'debian-installer/amd64')
        path = os.path.join(folder, name)
        self.memory = path + '-memory'
        self.vm = Vm(binary, '-M', 'q35', '-accel', 'tcg', '-cpu', 'max', '-m', '1024', '-nodefaults', '-vga',
                     'std', '-kernel', f'{images}/linux', '-initrd', f'{images}/initrd.gz', '-append', append,
                     '-vnc', f'unix:{path}-vnc')
        self.client = vnc.Vnc.unix(path + '-vnc', encodings=(vnc.RAW, vnc.DESKTOP_SIZE))
        self.client.sock.settimeout(SECONDS)

    def text(self):
        """All of the VGA's text memory, of which the screen is some lines."""
        self.vm.qmp('pmemsave', val=TEXT_MEMORY, size=0x8000, filename=self.memory)
        with open(self.memory, 'rb') as file:
            return file.read()[::2].decode('cp437')

    def wait(self, seen):
        """Until the screen shows it."""
        while not (found := seen(self.client.picture)):
            self.client.update(incremental=True)
        return found

    def wait_text(self, words):
        self.wait(lambda picture: words in self.text())

    def press(self, *symbols):
        self.client.type(*symbols)


def lines_of(picture, color, least):
    """The picture's lines with so many pixels of a colour."""
    data = bytearray(picture.pixels)
    data[3::4] = bytes(len(data) // 4)  # it means nothing
    pixels = array.array('I', bytes(data))
    return [y for y in range(picture.height)
            if pixels[y * picture.width:(y + 1) * picture.width].count(color) >= least]


def text_bar(picture):
    """Where the line is that is chosen in a text dialog: in red, longer than the title's letters."""
    lines = lines_of(picture, RED, 100)
    return len(lines) == 16 and lines[0]


def list_bar(picture):
    """Where the chosen line of a list in graphics is: no white among lines that are mostly white."""
    if (picture.width, picture.height) != (1280, 800):
        return None
    white = set(lines_of(picture, WHITE, picture.width // 2))
    if len(white) < 400:
        return None
    gaps = [y for y in range(min(white), max(white)) if y not in white]
    return len(gaps) > 15 and gaps[-1] - gaps[0] < 40 and gaps[0]


class Screens(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.peer = house.peer()

    def start(self, kind, append):
        """Ours, and the peer's where it is installed."""
        machines = []
        for name, binary in (('ours', house.binary()), ('peer', self.peer)):
            if binary:
                try:
                    machines.append(Installer(name, binary, self.folder, kind, append))
                except subprocess.CalledProcessError:
                    self.skipTest("Debian's installer cannot be fetched from the package archive")
                self.addCleanup(machines[-1].vm.kill)
                self.addCleanup(machines[-1].client.close)
        return machines

    def same(self, machines):
        """Both show the same, once all is drawn."""
        deadline = time.monotonic() + SECONDS
        while len({machine.client.picture.rgb() for machine in machines}) > 1:
            self.assertLess(time.monotonic(), deadline, 'the pictures differ')
            for machine in machines:
                machine.client.update()

    def test_text(self):
        machines = self.start('text', 'vga=normal fb=false nomodeset quiet')
        for machine in machines:
            machine.wait_text('Select a language')
            machine.first = machine.wait(text_bar)
        self.same(machines)
        for machine in machines:
            self.assertEqual((machine.client.picture.width, machine.client.picture.height), (720, 400))
            machine.press(DOWN)
            machine.wait(lambda picture, first=machine.first: text_bar(picture) == first + 16)
        self.same(machines)
        for machine in machines:
            machine.press(0xff52, ENTER)  # back to English
            machine.wait_text('Select your location')
            machine.wait(text_bar)
        self.same(machines)

    def press_until_same(self, machines, *keys):
        """Keys that lead to the same place each time: a program that has just drawn itself may not take them yet."""
        before = [machine.client.picture.rgb() for machine in machines]
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for machine in machines:
                machine.press(*keys)
            again = time.monotonic() + PATIENCE
            while time.monotonic() < again:
                for machine in machines:
                    machine.client.update()
                now = [machine.client.picture.rgb() for machine in machines]
                if len(set(now)) == 1 and not set(now) & set(before):
                    return
        self.fail('the pictures differ')

    def test_graphics(self):
        machines = self.start('gtk', 'vga=788 quiet')
        for machine in machines:
            machine.first = machine.wait(list_bar)
        self.same(machines)
        self.press_until_same(machines, HOME, DOWN)
        for machine in machines:
            self.assertTrue(machine.wait(list_bar) != machine.first)


if __name__ == '__main__':
    house.main()
