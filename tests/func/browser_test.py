# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's noVNC in headless Chromium: the picture in the page is the guest's, keys and sizes go the other way."""
import os
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import browser  # noqa: E402
import guest  # noqa: E402
import house  # noqa: E402
from screen import Screen, scan_codes  # noqa: E402
from virtio_gpu import Gpu  # noqa: E402
from vm import Vm  # noqa: E402

CONNECTED = "document.documentElement?.classList.contains('noVNC_connected')"
SAID = "document.querySelector('#noVNC_status.noVNC_open')?.textContent ?? ''"
SIZED = '''(() => { const canvas = document.querySelector('canvas');
              return canvas && canvas.width == %d && canvas.height == %d; })()'''


@unittest.skipUnless(browser.program(), 'chromium-headless-shell is missing')
class Page(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        try:
            self.files = guest.package('novnc', 'usr/share/novnc')
        except subprocess.CalledProcessError:
            self.skipTest('novnc cannot be fetched from the package archive')

    def vm(self, *args, options=''):
        return Vm(house.binary(), '-M', 'pc', '-nodefaults', *args, '-vnc',
                  f'localhost:40,to=80,websocket=on,key-delay-ms=1{options}', qtest=True)

    def open(self, vm, page, address, **settings):
        """noVNC as its users have it, settings in the address."""
        places = vm.qmp('query-vnc-servers')[0]['server']
        port = next(place['service'] for place in places if place['websocket'])
        words = {'autoconnect': 'true', 'host': 'localhost', 'port': port, 'path': '', **settings}
        page.open(f'{address}/vnc.html?' + '&'.join(f'{name}={value}' for name, value in words.items()))

    def dump(self, vm):
        """Width, height and pixels."""
        vm.qmp('screendump', filename=f'{self.folder}/dump')
        with open(f'{self.folder}/dump', 'rb') as file:
            _, size, _, pixels = file.read().split(b'\n', 3)
        return (*map(int, size.split()), pixels)

    def same(self, vm, page):
        """The canvas comes to show what the screen does."""
        shown = self.dump(vm)
        page.wait(SIZED % shown[:2])
        while page.canvas() != shown:
            page.frame()

    def test_screen(self):
        with self.vm('-device', 'VGA,addr=2') as vm, browser.served(self.files) as address, \
                browser.Browser() as page:
            screen = Screen(vm)
            screen.fill(480)
            self.open(vm, page, address)
            page.wait(CONNECTED)
            self.same(vm, page)
            self.assertTrue(vm.qmp('query-vnc')['clients'][0]['websocket'])
            for n in range(5):
                screen.put(120 * n, 90 * n, 0xffffff)
            self.same(vm, page)
            for width, height in ((800, 600), (1280, 1024), (320, 200)):
                screen.mode(width, height)
                screen.fill(100)
                self.same(vm, page)
                self.assertEqual(page.canvas()[:2], (width, height))

    def test_input(self):
        with self.vm('-device', 'VGA,addr=2') as vm, browser.served(self.files) as address, \
                browser.Browser() as page:
            self.open(vm, page, address)
            page.wait(CONNECTED)
            # The guest's keyboard speaks set 1, its mouse is asked for reports.
            for port, value in ((0x64, 0x60), (0x60, 0x41), (0x64, 0xa8), (0x64, 0xd4), (0x60, 0xf4)):
                vm.qtest(f'outb {port:#x} {value:#x}')
            self.assertEqual(scan_codes(vm, 1), [0xfa])
            page.wait("document.activeElement?.tagName == 'CANVAS'")
            for code, key, number in (('KeyA', 'a', 65), ('ArrowLeft', 'ArrowLeft', 37), ('F5', 'F5', 116)):
                page.key(code, key, True, number)
                page.key(code, key, False, number)
            self.assertEqual(scan_codes(vm, 8), [0x1e, 0x9e, 0xe0, 0x4b, 0xe0, 0xcb, 0x3f, 0xbf])
            page.key('ShiftRight', 'Shift', True, 16)
            page.key('KeyZ', 'Z', True, 90)
            self.assertEqual(scan_codes(vm, 2), [0x36, 0x2c])
            # A browser that goes holds no keys.
            page.open('about:blank')
            vm.qmp.wait_event('VNC_DISCONNECTED')
            self.assertEqual(sorted(scan_codes(vm, 2)), [0xac, 0xb6])

    def test_pointer(self):
        with self.vm('-device', 'VGA,addr=2') as vm, browser.served(self.files) as address, \
                browser.Browser() as page:
            Screen(vm).fill(480)
            self.open(vm, page, address)
            page.wait(CONNECTED)
            self.same(vm, page)
            left, top = page.run("(({left, top}) => [left, top])"
                                 "(document.querySelector('canvas').getBoundingClientRect())")
            page.mouse('mouseMoved', left + 50, top + 60)
            page.mouse('mousePressed', left + 50, top + 60, 'left', 1)
            for port, value in ((0x64, 0xa8), (0x64, 0xd4), (0x60, 0xf4)):
                vm.qtest(f'outb {port:#x} {value:#x}')
            self.assertEqual(scan_codes(vm, 1), [0xfa])
            page.mouse('mouseReleased', left + 55, top + 57, 'left', 0)
            moved = [0, 0]
            while True:
                status, x, y = scan_codes(vm, 3)
                moved[0] += x - (status << 4 & 0x100)
                moved[1] += y - (status << 3 & 0x100)
                if not status & 1:
                    break
            self.assertEqual(moved, [5, 3])

    def test_window(self):
        """The window's size is the guest's, if it wants to follow."""
        with self.vm('-device', 'virtio-gpu-pci,addr=4') as vm, browser.served(self.files) as address, \
                browser.Browser() as page:
            gpu = Gpu(vm)
            gpu.show(64, 48)
            self.open(vm, page, address, resize='remote')
            page.wait(CONNECTED)
            for width, height in ((900, 700), (640, 400)):
                page.resize(width, height)
                told = None
                while told != (width, height):
                    told = struct.unpack('<2I', gpu.run(0x100)[1][8:16])
                gpu.unref(1)
                gpu.show(width, height)
                self.same(vm, page)

    def test_password(self):
        with self.vm('-device', 'VGA,addr=2', options=',password=on') as vm, \
                browser.served(self.files) as address, browser.Browser() as page:
            Screen(vm).fill(100)
            vm.qmp('set_password', protocol='vnc', password='secret')
            self.open(vm, page, address, password='wrong')
            self.assertIn('fail', page.wait(SAID).lower())
            self.assertFalse(page.run(CONNECTED))
            self.open(vm, page, address, password='secret')
            page.wait(CONNECTED)
            self.same(vm, page)


if __name__ == '__main__':
    house.main()
