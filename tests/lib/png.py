# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads PNG files of 8 bits a colour, without interlace, as RGB bytes."""
import struct
import zlib


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def unfilter(kind, line, above, step):
    for i in range(len(line)):
        left = line[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        guess = (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[kind]
        line[i] = (line[i] + guess) & 0xff


def read(path):
    """(width, height, RGB)"""
    with open(path, 'rb') as file:
        text = file.read()
    assert text.startswith(b'\x89PNG\r\n\x1a\n'), path
    at, data = 8, b''
    while at < len(text):
        size, kind = struct.unpack('>I4s', text[at:at + 8])
        chunk = text[at + 8:at + 8 + size]
        at += 12 + size
        if kind == b'IHDR':
            width, height, bits, color = struct.unpack('>IIBB', chunk[:10])
        elif kind == b'IDAT':
            data += chunk
    assert bits == 8 and color in (2, 6), (bits, color)
    step = 3 if color == 2 else 4
    lines, above, out = zlib.decompress(data), bytearray(width * step), bytearray()
    for y in range(height):
        start = y * (width * step + 1)
        line = bytearray(lines[start + 1:start + 1 + width * step])
        if lines[start]:
            unfilter(lines[start], line, above, step)
        rgb = bytearray(width * 3)
        for n in range(3):
            rgb[n::3] = line[n::step]
        out += rgb
        above = line
    return width, height, bytes(out)
