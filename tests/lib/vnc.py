# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of the remote frame buffer protocol (RFC 6143): what a VNC server shows, as RGB bytes.

    with Vnc.tcp('127.0.0.1', 5907) as vnc:
        vnc.update()                 # all of the screen
        vnc.picture.rgb()
        vnc.update(incremental=True) # what changed since; waits for it

Only raw pixels, in 32 bits, and the pseudo-encodings of sizes, cursors and QEMU's extensions.
"""
import base64
import os
import socket
import struct

TIMEOUT = 120
RAW, COPY_RECT = 0, 1
POWER = -309
CURSOR, DESKTOP_SIZE, EXTENDED_SIZE = -239, -223, -308
QEMU_POINTER, QEMU_KEYS, QEMU_LEDS = -257, -258, -261


class Refused(Exception):
    """The server does not let us in, or ends the connection."""


def des(key, block):
    """One block of DES (FIPS 46-3), as bits in lists; VNC turns the bits of each key byte about."""
    def bits(data):
        return [byte >> (7 - i) & 1 for byte in data for i in range(8)]

    def pick(source, table):
        return [source[i - 1] for i in table]

    key_bits = pick(bits(key), PC1)
    left, right = key_bits[:28], key_bits[28:]
    keys = []
    for shift in (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1):
        left, right = left[shift:] + left[:shift], right[shift:] + right[:shift]
        keys.append(pick(left + right, PC2))
    data = pick(bits(block), IP)
    left, right = data[:32], data[32:]
    for round_key in keys:
        mixed = [a ^ b for a, b in zip(pick(right, EXPAND), round_key)]
        out = []
        for n in range(8):
            six = mixed[6 * n:6 * n + 6]
            row, column = six[0] * 2 + six[5], six[1] * 8 + six[2] * 4 + six[3] * 2 + six[4]
            out += [S[n][row * 16 + column] >> (3 - i) & 1 for i in range(4)]
        left, right = right, [a ^ b for a, b in zip(left, pick(out, P))]
    result = [0] * 64
    for at, place in enumerate(IP):
        result[place - 1] = (right + left)[at]
    return bytes(sum(bit << (7 - i) for i, bit in enumerate(result[n:n + 8]))
                 for n in range(0, 64, 8))


IP = [start - 8 * i for start in (58, 60, 62, 64, 57, 59, 61, 63) for i in range(8)]
PC1 = [57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3,
       60, 52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45,
       37, 29, 21, 13, 5, 28, 20, 12, 4]
PC2 = [14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41,
       52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32]
EXPAND = [(4 * row + column - 1) % 32 + 1 for row in range(8) for column in range(6)]
P = [16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19,
     13, 30, 6, 22, 11, 4, 25]
S = [[int(digit, 16) for digit in text] for text in (
    'e4d12fb83a6c5907' '0f74e2d1a6cb9538' '41e8d62bfc973a50' 'fc8249175b3ea06d',
    'f18e6b34972dc05a' '3d47f28ec01a69b5' '0e7ba4d158c6932f' 'd8a13f42b67c05e9',
    'a09e63f51dc7b428' 'd709346a285ecbf1' 'd6498f30b12c5ae7' '1ad069874fe3b52c',
    '7de3069a1285bc4f' 'd8b56f03472c1ae9' 'a690cb7df13e5284' '3f06a1d8945bc72e',
    '2c417ab6853fd0e9' 'eb2c47d150fa3986' '421bad78f9c5630e' 'b8c71e2d6f09a453',
    'c1af92680d34e75b' 'af427c9561de0b38' '9ef528c3704a1db6' '432c95fabe17608d',
    '4b2ef08d3c975a61' 'd0b7491ae35c2f86' '14bdc37eaf680592' '6bd814a7950fe23c',
    'd2846fb1a93e50c7' '1fd8a374c56b0e92' '7b419ce206adf358' '21e74a8dfc90356b')]


class Picture:
    def __init__(self, width, height):
        self.width, self.height = width, height
        self.pixels = bytearray(width * height * 4)

    def put(self, x, y, width, height, data):
        for line in range(height):
            at = ((y + line) * self.width + x) * 4
            self.pixels[at:at + width * 4] = data[line * width * 4:(line + 1) * width * 4]

    def rgb(self):
        """As a binary PPM has it."""
        out = bytearray(self.width * self.height * 3)
        out[0::3], out[1::3], out[2::3] = \
            self.pixels[2::4], self.pixels[1::4], self.pixels[0::4]
        return bytes(out)


class WebSocket:
    """A socket whose bytes are wrapped in frames (RFC 6455); the server's are not masked."""

    def __init__(self, sock, host):
        self.sock, self.rest = sock, b''
        key = base64.b64encode(os.urandom(16)).decode()
        sock.sendall((f'GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n'
                      f'Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n'
                      f'Sec-WebSocket-Version: 13\r\nOrigin: http://{host}\r\n'
                      'Sec-WebSocket-Protocol: binary\r\n\r\n').encode())
        answer = b''
        while b'\r\n\r\n' not in answer:
            got = sock.recv(1)
            if not got:
                raise Refused('no WebSocket')
            answer += got
        if b' 101 ' not in answer:
            raise Refused(answer.decode())

    def sendall(self, data):
        mask = os.urandom(4)
        head = bytes([0x82, 0x80 | len(data)]) if len(data) < 126 else \
            b'\x82\xfe' + struct.pack('>H', len(data))
        self.sock.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def exactly(self, count):
        data = b''
        while len(data) < count:
            got = self.sock.recv(count - len(data))
            if not got:
                return b''
            data += got
        return data

    def recv(self, count):
        if not self.rest:
            head = self.exactly(2)
            if not head or head[0] & 0xf == 8:
                return b''
            length = head[1] & 0x7f
            if length >= 126:
                size = 2 if length == 126 else 8
                length = int.from_bytes(self.exactly(size), 'big')
            self.rest = self.exactly(length)
        got, self.rest = self.rest[:count], self.rest[count:]
        return got

    def close(self):
        self.sock.close()


class Vnc:
    def __init__(self, sock, password=None, shared=True, version=b'RFB 003.008\n', encodings=(RAW,)):
        self.sock = sock
        self.notes = []          # (encoding, x, y, width, height, data) of pseudo-encodings
        if self.read(12) != b'RFB 003.008\n':
            raise Refused('not the protocol')
        self.send(version)
        self.security(password, version)
        self.send(bytes([shared]))
        width, height = struct.unpack('>HH', self.read(4))
        self.format = self.read(16)
        self.name = self.read(int.from_bytes(self.read(4), 'big')).decode()
        self.picture = Picture(width, height)
        self.set_encodings(*encodings)

    @classmethod
    def tcp(cls, host, port, websocket=False, **rest):
        sock = socket.create_connection((host, port), TIMEOUT)
        return cls(WebSocket(sock, host) if websocket else sock, **rest)

    @classmethod
    def unix(cls, path, **rest):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(TIMEOUT)
        sock.connect(path)
        return cls(sock, **rest)

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise Refused('the server ended the connection') from None

    def read(self, count):
        data = bytearray()
        while len(data) < count:
            try:
                got = self.sock.recv(count - len(data))
            except ConnectionResetError:
                got = b''
            if not got:
                raise Refused('the server ended the connection')
            data += got
        return bytes(data)

    def security(self, password, version):
        if version == b'RFB 003.003\n':
            self.auth = int.from_bytes(self.read(4), 'big')
        else:
            types = self.read(self.read(1)[0])
            self.auth = types[0]
            self.send(types[:1])
        if self.auth == 2:
            challenge = self.read(16)
            key = (password or '').encode()[:8].ljust(8, b'\0')
            key = bytes(int(f'{byte:08b}'[::-1], 2) for byte in key)
            self.send(des(key, challenge[:8]) + des(key, challenge[8:]))
        if self.auth == 2 or version == b'RFB 003.008\n':
            if int.from_bytes(self.read(4), 'big'):
                raise Refused(self.read(int.from_bytes(self.read(4), 'big')).decode()
                              if version == b'RFB 003.008\n' else 'refused')

    def set_encodings(self, *encodings):
        self.send(struct.pack(f'>BxH{len(encodings)}i', 2, len(encodings), *encodings))

    def key(self, symbol, down):
        self.send(struct.pack('>BBxxI', 4, down, symbol))

    def type(self, *symbols):
        for symbol in symbols:
            self.key(symbol, True)
            self.key(symbol, False)

    def scan_code(self, code, down):
        self.send(struct.pack('>BBHII', 255, 0, down, 0, code))

    def pointer(self, x, y, buttons=0):
        self.send(struct.pack('>BBHH', 5, buttons, x, y))

    def ask(self, incremental=False):
        self.send(struct.pack('>BBHHHH', 3, incremental, 0, 0, self.picture.width,
                              self.picture.height))

    def rectangle(self):
        x, y, width, height, encoding = struct.unpack('>HHHHi', self.read(12))
        data = b''
        if encoding == RAW:
            self.picture.put(x, y, width, height, self.read(width * height * 4))
            return
        if encoding in (DESKTOP_SIZE, EXTENDED_SIZE):
            if encoding == EXTENDED_SIZE:
                data = self.read(4)
                data += self.read(16 * data[0])
            if (width, height) != (self.picture.width, self.picture.height):
                self.picture = Picture(width, height)
        elif encoding == CURSOR:
            data = self.read(width * height * 4 + (width + 7) // 8 * height)
        elif encoding == QEMU_LEDS:
            data = self.read(1)
        elif encoding not in (QEMU_KEYS, QEMU_POINTER):
            raise Refused(f'encoding {encoding}')
        self.notes.append((encoding, x, y, width, height, data))

    def message(self):
        """Of the server's; the number of rectangles if it was an update."""
        kind = self.read(1)[0]
        if kind == 0:
            count = struct.unpack('>xH', self.read(3))[0]
            for _ in range(count):
                self.rectangle()
            return count
        if kind == 3:
            self.read(int.from_bytes(self.read(7)[3:], 'big'))
        elif kind != 2:
            raise Refused(f'message {kind}')
        return 0

    def update(self, incremental=False):
        self.ask(incremental)
        while not self.message():
            pass

    def wait_note(self, encoding):
        while True:
            for i, note in enumerate(self.notes):
                if note[0] == encoding:
                    return self.notes.pop(i)
            self.message()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
