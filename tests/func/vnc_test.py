#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""VNC servers as clients see them: pictures, passwords, who may be there, keys and pointers."""
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import png  # noqa: E402
import vnc  # noqa: E402
from screen import Screen, scan_codes  # noqa: E402
from vm import QmpError, Vm, refusal  # noqa: E402
from vnc import Refused, Vnc  # noqa: E402

BINARY = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')


class Server(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(self.folder, 'vnc')

    def vm(self, options='', *args, **rest):
        return Vm(BINARY, '-M', 'pc', '-vnc', f'unix:{self.path}{options}', *args, qtest=True, **rest)

    def dump(self, vm, **arguments):
        """What the screen shows."""
        path = os.path.join(self.folder, 'dump')
        vm.qmp('screendump', filename=path, **arguments)
        with open(path, 'rb') as file:
            return file.read().split(b'\n255\n', 1)[1]


class Servers(Server):
    def ends(self, sock):
        """The server said nothing more."""
        sock.settimeout(vnc.TIMEOUT)
        try:
            return sock.recv(100) == b''
        except ConnectionResetError:
            return True
        finally:
            sock.close()

    def test_picture(self):
        with self.vm() as vm, Vnc.unix(self.path) as client:
            screen = Screen(vm)
            screen.fill(480)
            client.update()
            shown = self.dump(vm)
            while client.picture.rgb() != shown:
                client.update(incremental=True)
            # One pixel is a tile of 16 x 16, and nothing else.
            screen.put(100, 50, 0xffffff)
            shown = self.dump(vm)
            client.ask(incremental=True)
            self.assertEqual(client.read(4)[2:], b'\0\1')
            self.assertEqual(client.read(12), struct.pack('>HHHHi', 96, 48, 16, 16, vnc.RAW))
            client.picture.put(96, 48, 16, 16, client.read(16 * 16 * 4))
            self.assertEqual(client.picture.rgb(), shown)

    def test_two_clients(self):
        """Who comes later, and who does not ask, sees the same in the end."""
        with self.vm() as vm, Vnc.unix(self.path) as first:
            screen = Screen(vm)
            screen.fill(16)
            first.update()
            with Vnc.unix(self.path) as second:
                for n in range(20):
                    screen.put(7 * n, 9 * n, 0xff00ff)
                    second.update()
                shown = self.dump(vm)
                for client in (first, second):
                    while client.picture.rgb() != shown:
                        client.update(incremental=True)
                self.assertEqual(len(vm.qmp('query-vnc')['clients']), 2)

    def test_sizes(self):
        with self.vm() as vm, Vnc.unix(self.path, encodings=(
                vnc.RAW, vnc.DESKTOP_SIZE)) as client, Vnc.unix(self.path, encodings=(
                    vnc.RAW, vnc.EXTENDED_SIZE)) as other:
            screen = Screen(vm)
            for width, height in ((800, 600), (1024, 768), (64, 64), (808, 33)):
                screen.mode(width, height)
                screen.fill(min(height, 64))
                shown = self.dump(vm)
                for c in (client, other):
                    while c.picture.rgb() != shown:
                        c.update(incremental=c.picture.width == width)
                    self.assertEqual((c.picture.width, c.picture.height), (width, height))

    def test_narrow_client(self):
        """A client that knows no sizes is sent what fits its own."""
        with self.vm() as vm, Vnc.unix(self.path) as client:
            screen = Screen(vm)
            client.update()
            screen.mode(1024, 768)
            screen.fill(20)
            self.dump(vm)
            client.update()
            self.assertEqual(client.picture.width, 640)

    def test_passwords(self):
        with self.vm(',password=on') as vm:
            def enters(password, **rest):
                try:
                    with Vnc.unix(self.path, password=password, **rest):
                        return True
                except Refused:
                    return False

            self.assertEqual(vm.qmp('query-vnc')['auth'], 'vnc')
            self.assertFalse(enters(''))
            self.assertFalse(enters('secret'))
            vm.qmp('set_password', protocol='vnc', password='secret99andmore')
            for version in (b'RFB 003.003\n', b'RFB 003.007\n', b'RFB 003.008\n'):
                self.assertTrue(enters('secret99', version=version))
                self.assertFalse(enters('secret98', version=version))
            vm.qmp('expire_password', protocol='vnc', time='now')
            self.assertFalse(enters('secret99'))
            vm.qmp('expire_password', protocol='vnc', time='+1000')
            self.assertTrue(enters('secret99'))
            vm.qmp('expire_password', protocol='vnc', time='1000')
            self.assertFalse(enters('secret99'))
            self.assertEqual(vm.qmp.hmp('expire_password vnc never'), '')
            self.assertEqual(vm.qmp.hmp('set_password vnc other'), '')
            self.assertTrue(enters('other'))
            self.assertEqual(vm.qmp.hmp('change vnc password third'), '')
            self.assertTrue(enters('third'))
            self.assertIn("Expected 'password'", vm.qmp.hmp('change vnc :1'))
            vm.qmp('change-vnc-password', password='')
            self.assertFalse(enters(''))
            with self.assertRaisesRegex(QmpError, "doesn't take value 'soon'"):
                vm.qmp('expire_password', protocol='vnc', time='soon')
            with self.assertRaisesRegex(QmpError, "'connected' must be 'keep'"):
                vm.qmp('set_password', protocol='vnc', password='x', connected='fail')
        for arguments in (('-vnc', f'unix:{self.path}'), ('-vnc', 'none'), ()):
            with Vm(BINARY, '-M', 'none', *arguments) as vm:
                with self.assertRaisesRegex(QmpError, 'Could not set password'):
                    vm.qmp('change-vnc-password', password='x')

    def test_no_password_by_another_door(self):
        """A client may not choose what was not offered."""
        with self.vm(',password=on') as vm:
            vm.qmp('set_password', protocol='vnc', password='secret')
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.path)
            sock.recv(12)
            sock.sendall(b'RFB 003.008\n')
            self.assertEqual(sock.recv(2), b'\1\2')
            sock.sendall(b'\1\1')
            self.assertTrue(self.ends(sock))

    def test_events(self):
        with self.vm(',id=first') as vm:
            with Vnc.unix(self.path) as client:
                client.update()
                here = {'host': '', 'service': self.path, 'family': 'unix', 'websocket': False}
                event = vm.qmp.wait_event('VNC_CONNECTED')['data']
                self.assertEqual(event['server'], {**here, 'auth': 'none'})
                vm.qmp.wait_event('VNC_INITIALIZED')
                self.assertEqual(vm.qmp('query-vnc-servers'), [
                    {'id': 'first', 'auth': 'none', 'server': [{**here, 'auth': 'none'}],
                     'clients': [event['client']]}])
            vm.qmp.wait_event('VNC_DISCONNECTED')
            self.assertEqual(vm.qmp('query-vnc')['clients'], [])
            self.assertIn(f'Server: :{self.path} (unix)', vm.qmp.hmp('info vnc'))

    def test_sharing(self):
        with self.vm() as vm:
            first = Vnc.unix(self.path)
            with Vnc.unix(self.path, shared=False) as second:
                with self.assertRaises(Refused):
                    first.update()
                with self.assertRaises(Refused):
                    Vnc.unix(self.path)
                second.update()
                Vnc.unix(self.path, shared=False).update()
                with self.assertRaises(Refused):
                    second.update()
            vm.qmp('query-status')
        with self.vm(',share=force-shared'):
            with Vnc.unix(self.path) as first:
                with self.assertRaises(Refused):
                    Vnc.unix(self.path, shared=False)
                first.update()
        with self.vm(',share=ignore'):
            with Vnc.unix(self.path) as first, Vnc.unix(self.path, shared=False) as second:
                first.update()
                second.update()

    def test_crowd(self):
        """Who only holds the line gives way; who was let in does not."""
        with self.vm(',connections=2') as vm, Vnc.unix(self.path) as client:
            idle = []
            for _ in range(5):
                idle.append(socket.socket(socket.AF_UNIX))
                idle[-1].connect(self.path)
            client.update()
            for _ in range(4):
                vm.qmp.wait_event('VNC_DISCONNECTED')
            with Vnc.unix(self.path) as other:
                other.update()
                with self.assertRaises(Refused):
                    Vnc.unix(self.path)
                client.update()
            for sock in idle:
                sock.close()

    def test_keys(self):
        with self.vm(',key-delay-ms=1') as vm, Vnc.unix(self.path, encodings=(
                vnc.RAW, vnc.QEMU_KEYS, vnc.QEMU_LEDS)) as client:
            vm.qtest('outb 0x64 0x60')
            vm.qtest('outb 0x60 0x41')
            vm.qmp('query-status')
            client.type(ord('a'), 0xffe1, 0xff51)
            self.assertEqual(scan_codes(vm, 8),
                             [0x1e, 0x9e, 0x2a, 0xaa, 0xe0, 0x4b, 0xe0, 0xcb])
            client.wait_note(vnc.QEMU_KEYS)
            client.scan_code(0x1e, True)
            client.scan_code(0x9d, True)  # right Control
            self.assertEqual(scan_codes(vm, 3), [0x1e, 0xe0, 0x1d])
            # The keys that a client holds go up when it goes.
            self.assertEqual(client.wait_note(vnc.QEMU_LEDS)[5], b'\0')
            vm.qtest('outb 0x60 0xed')
            vm.qtest('outb 0x60 4')
            self.assertEqual(client.wait_note(vnc.QEMU_LEDS)[5], b'\4')
            self.assertEqual(scan_codes(vm, 2), [0xfa, 0xfa])
            client.close()
            self.assertEqual(scan_codes(vm, 3), [0xe0, 0x9d, 0x9e])

    @unittest.skipUnless(os.environ.get('XKBCOMMON') == '1', 'built without xkbcommon')
    def test_german_keys(self):
        with self.vm(',key-delay-ms=1', '-k', 'de') as vm, Vnc.unix(self.path) as client:
            vm.qtest('outb 0x64 0x60')
            vm.qtest('outb 0x60 0x41')
            vm.qmp('query-status')
            client.type(ord('z'), 0xe4, ord('y'), 0xff0d)  # a diaeresis, and Return
            self.assertEqual(scan_codes(vm, 8),
                             [0x15, 0x95, 0x28, 0xa8, 0x2c, 0xac, 0x1c, 0x9c])

    def test_commands(self):
        """Of displays that are not there, and of what a server does not have."""
        with self.vm() as vm:
            vm.qmp('display-reload', type='vnc')
            with self.assertRaisesRegex(QmpError, 'vnc tls is not enabled'):
                vm.qmp('display-reload', type='vnc', tls_certs=True)
            with self.assertRaisesRegex(QmpError, 'DeviceNotActive: SPICE is not in use'):
                vm.qmp('set_password', protocol='spice', password='x')
            press = {'type': 'key', 'data': {'down': True, 'key': {'type': 'qcode', 'data': 'a'}}}
            vm.qmp('input-send-event', events=[press])
            vm.qmp('stop')
            with self.assertRaisesRegex(QmpError, 'VM not running'):
                vm.qmp('input-send-event', events=[press])
        with Vm(BINARY, '-M', 'none') as vm:
            for command in ({'execute': 'display-update', 'arguments': {'type': 'vnc'}},
                            {'execute': 'display-reload', 'arguments': {'type': 'vnc', 'tls-certs': True}}):
                self.assertEqual(vm.qmp.request(command)['error']['desc'], 'Can not find vnc display')

    def test_screendump(self):
        """By both monitors, in both formats."""
        with self.vm('', '-device', 'bochs-display,id=second,addr=7') as vm:
            Screen(vm).fill(480)
            shown = self.dump(vm)
            path = os.path.join(self.folder, 'picture')
            self.assertEqual(vm.qmp.hmp(f'screendump {path} -f png'), '')
            self.assertEqual(png.read(path), (640, 480, shown))
            self.assertEqual(vm.qmp.hmp(f'screendump {path} -f png second'), '')
            self.assertEqual(png.read(path)[2], self.dump(vm, device='second'))
            self.assertEqual(vm.qmp.hmp(f'screendump {path}'), '')
            with open(path, 'rb') as file:
                self.assertEqual(file.read().split(b'\n255\n', 1)[1], shown)
            self.assertIn("'jpg'", vm.qmp.hmp(f'screendump {path} -f jpg'))

    def test_power(self):
        def ask(client, what):
            client.send(bytes([250, 0, 1, what]))

        with self.vm(',power-control=on') as vm, Vnc.unix(self.path, encodings=(
                vnc.RAW, vnc.POWER)) as client:
            self.assertEqual(client.read(4), bytes([250, 0, 1, 1]))
            ask(client, 2)
            vm.qmp.wait_event('POWERDOWN')
            ask(client, 4)
            self.assertEqual(vm.qmp.wait_event('RESET')['data']['reason'], 'host-qmp-system-reset')
            ask(client, 3)  # a reboot that the guest agrees to: there is none
            self.assertEqual(client.read(4), bytes([250, 0, 1, 0]))
        with self.vm() as vm, Vnc.unix(self.path, encodings=(vnc.RAW, vnc.POWER)) as client:
            ask(client, 4)
            client.update()
            self.assertEqual(vm.qmp('query-status')['status'], 'running')

    def test_pointer(self):
        with self.vm() as vm, Vnc.unix(self.path, encodings=(
                vnc.RAW, vnc.QEMU_POINTER)) as client:
            for command, data in ((0xa8, None), (0x60, 0x43), (0xd4, 0xf4)):
                vm.qtest(f'outb 0x64 {command:#x}')
                if data is not None:
                    vm.qtest(f'outb 0x60 {data:#x}')
            self.assertEqual(scan_codes(vm, 1), [0xfa])
            self.assertEqual(client.wait_note(vnc.QEMU_POINTER)[1], 0)  # it wants distances
            client.pointer(0x7fff + 5, 0x7fff - 3, 1)
            self.assertEqual(scan_codes(vm, 3), [0x09, 5, 3])
            client.pointer(0x7fff, 0x7fff)
            self.assertEqual(scan_codes(vm, 3), [0x08, 0, 0])
            client.set_encodings(vnc.RAW)
            with Vnc.unix(self.path) as plain:
                plain.pointer(10, 10)
                plain.pointer(13, 12, 4)
                self.assertEqual(scan_codes(vm, 3), [0x2a, 3, 0xfe])

    def idle_share(self, vm):
        """Of a CPU, that its process takes for a second."""
        clock = (~vm.process.pid << 3) | 2
        times = time.clock_gettime(clock), time.monotonic()
        time.sleep(1)
        return (time.clock_gettime(clock) - times[0]) / (time.monotonic() - times[1])

    def test_idle(self):
        """A screen on which nothing happens costs next to nothing, seen or not. A busy host makes that less."""
        for adapter in 'VGA', 'bochs-display', 'virtio-gpu-pci', 'ramfb':
            with self.subTest(adapter), Vm(BINARY, '-M', 'pc', '-nodefaults', '-device', adapter, '-vnc',
                                           'unix:' + self.path, qtest=True) as vm:
                with Vnc.unix(self.path) as client:
                    client.update()
                    client.ask(incremental=True)
                    self.assertLess(self.idle_share(vm), 0.02)
                self.assertLess(self.idle_share(vm), 0.02)

    def test_places(self):
        with Vm(BINARY, '-M', 'none', '-vnc', 'localhost:40,to=80,websocket=on',
                '-vnc', 'none,id=two') as vm:
            first, second = vm.qmp('query-vnc-servers')
            ports = {place['websocket']: int(place['service']) for place in first['server']}
            self.assertEqual((second['id'], second['server']), ('two', []))
            self.assertEqual(vm.qmp('query-display-options'), {'type': 'none'})
            with Vnc.tcp('localhost', ports[False]) as client:
                client.update()
            with Vnc.tcp('localhost', ports[True], websocket=True) as client:
                client.update()
                self.assertTrue(vm.qmp('query-vnc')['clients'][0]['websocket'])
            sock = socket.create_connection(('localhost', ports[True]))
            sock.sendall(b'RFB 003.008\n')
            self.assertTrue(self.ends(sock))
            vm.qmp('display-update', type='vnc', addresses=[
                {'type': 'unix', 'path': self.path}])
            self.assertEqual(vm.qmp('query-vnc')['service'], self.path)
            Vnc.unix(self.path).close()
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(('localhost', ports[False]))

    def test_two_servers_of_a_host(self):
        """With `to` each finds two ports of its own; a WebSocket may stand beside a local socket."""
        taken = set()
        with Vm(BINARY, '-M', 'none', '-vnc', 'localhost:40,to=80,websocket=on') as one, \
                Vm(BINARY, '-M', 'none', '-vnc', 'localhost:40,to=80,websocket=on') as two:
            for vm in (one, two):
                for place in vm.qmp('query-vnc-servers')[0]['server']:
                    taken.add(place['service'])
                    Vnc.tcp('localhost', int(place['service']), place['websocket']).close()
        self.assertEqual(len(taken), 4)
        with self.vm(',websocket=on,to=80') as vm:
            places = {place['websocket']: place['service']
                      for place in vm.qmp('query-vnc-servers')[0]['server']}
            self.assertEqual(places[False], self.path)
            Vnc.tcp('localhost', int(places[True]), websocket=True).close()

    def test_given_connection(self):
        with Vm(BINARY, '-M', 'none', '-vnc', 'none,password=on') as vm:
            ours, theirs = socket.socketpair()
            vm.qmp('getfd', fdname='client', fds=[theirs.fileno()])
            theirs.close()
            vm.qmp('add_client', protocol='vnc', fdname='client', skipauth=True)
            ours.settimeout(vnc.TIMEOUT)
            with Vnc(ours) as client:
                client.update()
            with self.assertRaisesRegex(QmpError, "named 'client' not found"):
                vm.qmp('add_client', protocol='vnc', fdname='client')

    def test_reverse(self):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            port = listener.getsockname()[1]
            with Vm(BINARY, '-M', 'none', '-vnc', f'127.0.0.1:{port},reverse=on'):
                sock, _ = listener.accept()
                sock.settimeout(vnc.TIMEOUT)
                with Vnc(sock) as client:
                    client.update()

    def test_heads(self):
        other = os.path.join(self.folder, 'other')
        with self.vm('', '-device', 'bochs-display,id=second,addr=7', '-vnc',
                     f'unix:{other},display=second') as vm:
            screen = Screen(vm)
            screen.fill(10)
            with Vnc.unix(self.path) as client, Vnc.unix(other) as blank:
                client.update()
                shown = self.dump(vm)
                while client.picture.rgb() != shown:
                    client.update(incremental=True)
                blank.update()
                self.assertEqual(blank.picture.rgb(), self.dump(vm, device='second'))
                vm.qmp('device_del', id='second')
                blank.update()

    def test_errors(self):
        for options, words in (
                ('abc', 'no vnc port specified'), (':x', "can't convert to a number: x"),
                (':99999', "can't convert to a number"), (':60000', 'too high'),
                (':1,foo=1', "Invalid parameter 'foo'"), (':1,share=x', "'share'"),
                ('none,display=d', "Device 'd' not found"), ('none,head=1', "'head' must be"),
                ('none,websocket=on', 'websocket needs'), ('none,reverse=on', "'reverse' needs"),
                ('none,password-secret=s', "No secret with id 's'"),
                (f'unix:{self.folder}/no/such/folder', 'No such file')):
            self.assertIn(words, refusal(BINARY, '-M', 'none', '-vnc', options), options)
        self.assertIn("Duplicate ID 'a'", refusal(BINARY, '-M', 'none', '-vnc', 'none,id=a',
                                                  '-vnc', 'none,id=a'))
        self.assertIn("no keymap 'xx'", refusal(BINARY, '-M', 'none', '-k', 'xx'))
        self.assertIn("does not accept value 'foo'", refusal(BINARY, '-display', 'foo'))
        self.assertIn('requires a display argument', refusal(BINARY, '-display', 'vnc'))
        done = subprocess.run([BINARY, '-display', 'help'], capture_output=True, text=True,
                              check=True)
        self.assertIn('\nvnc\n', done.stdout)

    def test_garbage(self):
        """Whatever a client says, others are served."""
        with self.vm() as vm, Vnc.unix(self.path) as good:
            for text in (b'GET / HTTP/1.1\r\n\r\n', b'RFB 003.008\n\1\1' + bytes(range(256)) * 8,
                         b'RFB 999.999\n', b'RFB 003.003\n\1' + b'\xff' * 4096,
                         b'RFB 003.008\n\1\1\2\0\xff\xff', b'RFB 003.008\n\1\1\6\0\0\0\xff\xff\xff\xff',
                         b'RFB 003.008\n\1\1\x08\2\0\0\3\0\0\0\0\0\xff\xff\xff\xff',
                         b'RFB 003.008\n\1\1\xff\7' + bytes(20)):
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(self.path)
                try:
                    sock.sendall(text)
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(65536):
                        pass
                except (BrokenPipeError, ConnectionResetError):
                    pass
                sock.close()
                good.update()
            vm.qmp('query-status')


CONTROL, ALT, RETURN = 0xffe3, 0xffe9, 0xff0d


def read_font():
    """{lines of pixels: character}, of the glyphs that text consoles are drawn with."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'ui', 'font.c')
    with open(path, encoding='utf-8') as file:
        rows = re.findall(r'^    \{ (0x.*?) \}', file.read(), re.M)
    return {bytes(int(byte, 16) for byte in row.split(', ')): chr(ord(' ') + n) for n, row in enumerate(rows)}


class TextConsoles(Server):
    """What chardevs of kind vc show, as one of the screens."""
    FONT = read_font()

    def text(self, picture):
        """What is written there, as the property `screen` has it. The cursor is a cell with its colours exchanged."""
        data, lines = picture.pixels, []
        lit = bytearray(picture.width * picture.height)
        for i in range(0, len(data), 4):
            lit[i // 4] = any(data[i:i + 3])
        for y in range(0, picture.height, 16):
            line = ''
            for x in range(0, picture.width, 8):
                rows = [lit[at:at + 8] for at in range(y * picture.width + x, (y + 16) * picture.width, picture.width)]
                glyph = bytes(sum(0x80 >> i for i in range(8) if row[i]) for row in rows)
                line += self.FONT.get(glyph) or self.FONT[bytes(byte ^ 0xff for byte in glyph)]
            lines.append(line.rstrip() + '\n')
        return ''.join(lines)

    def wait_text(self, vm, client, chardev, words):
        """Until the console shows `words`; the client then sees the same."""
        screen, shown = '', None
        while words not in screen or shown != screen:
            screen = vm.qmp('qom-get', path='/chardevs/' + chardev, property='screen')
            client.update()
            shown = self.text(client.picture)

    def choose(self, client, n):
        for symbol in (CONTROL, ALT, ord('0') + n):
            client.key(symbol, True)
        for symbol in (ord('0') + n, ALT, CONTROL):
            client.key(symbol, False)

    def connect(self):
        return Vnc.unix(self.path, encodings=(vnc.RAW, vnc.DESKTOP_SIZE))

    def test_alone(self):
        """A machine without a screen shows its first text console; a monitor is used there."""
        with Vm(BINARY, '-M', 'none', '-nodefaults', '-vnc', f'unix:{self.path}', '-chardev',
                'vc,id=v,cols=60,rows=9', '-mon', 'chardev=v', qtest=True) as vm, self.connect() as client:
            client.update()
            self.assertEqual((client.picture.width, client.picture.height), (480, 144))
            self.wait_text(vm, client, 'v', '(qemu)')
            client.type(*map(ord, 'info status'), RETURN)
            self.wait_text(vm, client, 'v', 'VM status: running')
            # Keys that are none of characters': the line before, its end taken away, and typed anew.
            client.type(0xff52, 0xff08, 0xff08, *map(ord, 'xy'))
            client.key(CONTROL, True)
            client.type(ord('a'))
            client.key(CONTROL, False)
            client.type(ord('z'))
            self.wait_text(vm, client, 'v', '(qemu) zinfo statxy')

    def test_choice(self):
        with self.vm(',key-delay-ms=0', '-serial', 'vc:20Cx4C', '-parallel', 'none', '-chardev', 'vc,id=second') as vm, \
                self.connect() as client:
            vm.qtest('outb 0x64 0x60')
            vm.qtest('outb 0x60 0x41')
            client.update()
            for byte in b'red: \x1b[31mR\x1b[m':
                vm.qtest(f'outb 0x3f8 {byte}')
            self.choose(client, 3)
            while client.picture.width != 160:
                client.update()
            self.assertEqual((client.picture.width, client.picture.height), (160, 64))
            self.wait_text(vm, client, 'serial0', 'red: R')
            shown = client.picture.rgb()
            self.assertIn(b'\xaa\0\0', {shown[i:i + 3] for i in range(0, len(shown), 3)})
            # The guest saw Control and Alt go down and up, and nothing of the digit.
            seen = set(scan_codes(vm, 4))
            self.assertEqual(seen, {0x1d, 0x38, 0x9d, 0xb8})
            client.type(ord('x'))
            while not int(vm.qtest('inb 0x3fd'), 16) & 1:
                pass
            self.assertEqual(int(vm.qtest('inb 0x3f8'), 16), ord('x'))
            self.choose(client, 1)
            while client.picture.width == 160:
                client.update(incremental=False)
            shown = self.dump(vm)
            while client.picture.rgb() != shown:
                client.update(incremental=True)
            self.choose(client, 9)
            client.update()

    def test_gone(self):
        """Whoever looks at a console that goes sees the first screen again."""
        with self.vm('', '-serial', 'none', '-parallel', 'none', '-chardev', 'vc,id=only,cols=10,rows=2') as vm, \
                self.connect() as client:
            client.update()
            self.choose(client, 2)
            while client.picture.width != 80:
                client.update()
            vm.qmp('chardev-remove', id='only')
            while client.picture.width == 80:
                client.update()
            vm.qmp('chardev-add', id='next', backend={'type': 'vc', 'data': {'cols': 12, 'rows': 2}})
            self.choose(client, 2)
            while client.picture.width != 96:
                client.update()


class Firmware(unittest.TestCase):
    """SeaBIOS' text, on the software CPU, with Debian's gvnccapture as another client."""

    def test_text(self):
        with tempfile.TemporaryDirectory() as folder, Vm(
                BINARY, '-M', 'pc', '-accel', 'tcg', '-m', '16', '-net', 'none', '-vnc',
                'localhost:40,to=80') as vm:
            port = int(vm.qmp('query-vnc')['service'])
            text = 'No bootable device.'
            with Vnc.tcp('localhost', port, encodings=(vnc.RAW, vnc.DESKTOP_SIZE)) as client:
                memory = ''
                while text not in memory:
                    client.update(incremental=True)
                    vm.qmp('pmemsave', val=0xb8000, size=4000, filename=f'{folder}/memory')
                    with open(f'{folder}/memory', 'rb') as file:
                        memory = file.read()[::2].decode('latin-1')
                vm.qmp('stop')
                vm.qmp('screendump', filename=f'{folder}/dump.png', format='png')
                width, height, shown = png.read(f'{folder}/dump.png')
                self.assertEqual((width, height), (720, 400))
                while client.picture.rgb() != shown:
                    client.update(incremental=True)
                self.assertGreater(len(set(shown)), 1)
            if not shutil.which('gvnccapture'):
                self.skipTest('gvnccapture (package gvncviewer) is missing')
            subprocess.run(['gvnccapture', f'localhost:{port - 5900}', f'{folder}/theirs.png'],
                           check=True, timeout=vnc.TIMEOUT, capture_output=True)
            self.assertEqual(png.read(f'{folder}/theirs.png'), (width, height, shown))


if __name__ == '__main__':
    unittest.main()
