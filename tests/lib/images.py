# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel images of the kinds that boards load, made for tests.

Each runs on a real CPU too: `code` is where the kernel starts (its mode is the protocol's).
"""
import struct

LINUX_CODE = 0x100000
PVH_BASE = MULTIBOOT_BASE = 0x200000


def bzimage(code=b'\xf4', protocol=0x020f, setup_sects=4, xloadflags=0, initrd_max=0x7fffffff,
            cmdline_size=2047, heap=b'\xf4', loadflags=1):
    """Boot sector, `setup_sects` sectors of setup whose real-mode code is `heap`, then `code`."""
    image = bytearray(512 * (1 + setup_sects))
    image[0x1f1] = setup_sects
    struct.pack_into('<H', image, 0x1fe, 0xaa55)
    image[0x200:0x202] = b'\xeb\x66'  # to 0x268, behind the header
    image[0x202:0x206] = b'HdrS'
    struct.pack_into('<HBB', image, 0x206, protocol, 0, 0)
    image[0x211] = loadflags
    struct.pack_into('<I', image, 0x214, LINUX_CODE)
    struct.pack_into('<I', image, 0x22c, initrd_max)
    struct.pack_into('<IBBHI', image, 0x230, 0x200000, 1, 21, xloadflags, cmdline_size)
    struct.pack_into('<Q', image, 0x258, 0x1000000)
    struct.pack_into('<II', image, 0x260, 0x1000000, 0)
    image[0x268:0x268 + len(heap)] = heap
    return bytes(image) + code


def elf(segments, entry, bits=32, notes=b''):
    """segments: (physical address, bytes, size in memory)."""
    word, header, row = ('I', 52, 32) if bits == 32 else ('Q', 64, 56)
    count = len(segments) + bool(notes)
    at = header + row * count
    rows, body = b'', b''
    blocks = [(1, address, data, size) for address, data, size in segments]
    if notes:
        blocks.append((4, 0, notes, len(notes)))
    for kind, address, data, size in blocks:
        place = at + len(body)
        if bits == 32:
            rows += struct.pack('<8I', kind, place, address, address, len(data), size, 7, 4)
        else:
            rows += struct.pack('<2I6Q', kind, 7, place, address, address, len(data), size, 4)
        body += data + bytes(-len(data) % 16)
    machine = 3 if bits == 32 else 62
    ident = b'\x7fELF' + bytes([1 if bits == 32 else 2, 1, 1]) + bytes(9)
    head = ident + struct.pack('<HHI3' + word + 'IHHHHHH', 2, machine, 1, entry, header, 0, 0,
                               header, row, count, 0, 0, 0)
    return head + rows + body


def pvh_note(entry, bits=32):
    desc = struct.pack('<I' if bits == 32 else '<Q', entry)
    return struct.pack('<III', 4, len(desc), 18) + b'Xen\0' + desc


def pvh(code=b'\xf4', base=PVH_BASE, bits=32, bss=64):
    return elf([(base, code, len(code) + bss)], base, bits, pvh_note(base, bits))


def multiboot(code=b'\xf4', flags=3, base=MULTIBOOT_BASE, is_elf=True):
    """ELF, or the address fields of the header (flag 16). The code stands behind the header."""
    flags |= 0 if is_elf else 0x10000
    head = struct.pack('<III', 0x1badb002, flags, -(0x1badb002 + flags) & 0xffffffff)
    size = 12 if is_elf else 32
    entry = base + size
    if is_elf:
        return elf([(base, head + code, len(head + code) + 64)], entry)
    end = entry + len(code)
    return head + struct.pack('<5I', base, base, end, end + 64, entry) + code
