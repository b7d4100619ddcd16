#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sign_rom.py IN OUT.bin OUT.h: makes an option ROM of assembled code, and a C array of it.

Fills it up to a multiple of 512 bytes, writes its size, the sum of its PnP header and the last
byte, which makes the sum of all of them zero.
"""
import os
import sys

BLOCK = 512


def fail(why):
    sys.exit(f'sign_rom: {why}')


def sign(code):
    rom = bytearray(code)
    if rom[:2] != b'\x55\xaa':
        fail('no option ROM: it does not begin with 55 aa')
    rom += bytes(-(len(rom) + 1) % BLOCK + 1)
    if len(rom) // BLOCK > 255:
        fail(f'{len(rom)} bytes are too many')
    rom[2] = len(rom) // BLOCK
    pnp = int.from_bytes(rom[0x1a:0x1c], 'little')
    if pnp:
        if rom[pnp:pnp + 4] != b'$PnP':
            fail('no PnP header where the ROM says it is')
        length = rom[pnp + 5] * 16
        rom[pnp + 9] = 0
        rom[pnp + 9] = -sum(rom[pnp:pnp + length]) & 0xff
    rom[-1] = -sum(rom[:-1]) & 0xff
    return bytes(rom)


def c_array(name, rom):
    rows = (', '.join(f'0x{byte:02x}' for byte in rom[at:at + 16])
            for at in range(0, len(rom), 16))
    return (f'static const unsigned char {name}_rom[{len(rom)}] = {{\n    '
            + ',\n    '.join(rows) + '\n};\n')


def main():
    with open(sys.argv[1], 'rb') as code:
        rom = sign(code.read())
    with open(sys.argv[2], 'wb') as out:
        out.write(rom)
    name = os.path.splitext(os.path.basename(sys.argv[2]))[0]
    with open(sys.argv[3], 'w', encoding='ascii') as out:
        out.write(c_array(name, rom))


if __name__ == '__main__':
    main()
