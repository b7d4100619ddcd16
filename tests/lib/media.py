# SPDX-License-Identifier: GPL-2.0-or-later
"""Bootable media made for tests: what a PC's firmware starts writes a text to port 0x402."""
import struct

PRINT = (b'\xac'            # next: lodsb
         b'\x84\xc0'        # test al, al
         b'\x74\x06'        # jz end
         b'\xba\x02\x04'    # mov dx, 0x402
         b'\xee'            # out dx, al
         b'\xeb\xf5'        # jmp next
         b'\xba\x01\x05'    # end: mov dx, 0x501
         b'\xb0\x10'        # mov al, 0x10
         b'\xee'            # out dx, al
         b'\xf4')           # hlt
SEGMENTS = b'\x31\xc0\x8e\xd8\x8e\xc0'  # xor ax, ax; mov ds, ax; mov es, ax


def boot_disk(text, sectors=4096):
    """A boot sector that has the BIOS read the text from the second sector."""
    read = (b'\xb8\x01\x02'      # mov ax, 0x0201
            b'\xb9\x02\x00'      # mov cx, 2
            b'\xb6\x00'          # mov dh, 0
            b'\xbb\x00\x7e'      # mov bx, 0x7e00
            b'\xcd\x13'          # int 0x13
            b'\xbe\x00\x7e')     # mov si, 0x7e00
    code = (SEGMENTS + read + PRINT).ljust(510, b'\0') + b'\x55\xaa'
    return (code + text.encode() + b'\0').ljust(512 * sectors, b'\0')


def boot_program(text):
    """What is started at 0x7c00 with all of it in memory: by a disc, by the network."""
    code = SEGMENTS + b'\xbe\x00\x00' + PRINT  # mov si, text
    at = 0x7c00 + len(code)
    return SEGMENTS + b'\xbe' + struct.pack('<H', at) + PRINT + text.encode() + b'\0'


def boot_disc(text):
    """An ISO 9660 image with an El Torito boot record, no emulation."""
    code = boot_program(text)
    record = b'\x00CD001\x01EL TORITO SPECIFICATION'.ljust(0x47, b'\0') + struct.pack('<I', 19)
    primary = b'\x01CD001\x01'
    end = b'\xffCD001\x01'
    validation = bytearray(b'\x01\0\0\0'.ljust(30, b'\0') + b'\x55\xaa')
    checksum = -sum(struct.unpack('<16H', validation)) & 0xffff
    struct.pack_into('<H', validation, 28, checksum)
    entry = struct.pack('<BBHBBHI', 0x88, 0, 0, 0, 0, 4, 20).ljust(32, b'\0')
    sectors = [b''] * 16 + [primary, record, end, bytes(validation) + entry, code]
    return b''.join(sector.ljust(2048, b'\0') for sector in sectors).ljust(2048 * 200, b'\0')


CLUSTER, CLUSTERS, ROOT_ENTRIES, FAT_SECTORS = 2048, 16384, 512, 64


def fat_entry(name, attributes, first, size):
    base, _, suffix = name.partition('.')
    return struct.pack('<8s3sB14xHI', base.ljust(8).encode(), suffix.ljust(3).encode(), attributes, first,
                       size)


def fat_disk(path, content):
    """A FAT16 file system with one file; `path` is made of names in capital letters, of 8 and 3."""
    boot = struct.pack('<3s8sHBHBHHBHHHIIBBBI11s8s', b'\xeb\x3c\x90', b'MSWIN4.1', 512, CLUSTER // 512, 1, 1,
                       ROOT_ENTRIES, 0, 0xf8, FAT_SECTORS, 32, 2, 0, CLUSTERS * CLUSTER // 512, 0x80, 0,
                       0x29, 1, b'NO NAME    ', b'FAT16   ')
    table, clusters = [0xfff8, 0xffff], b''
    attributes, size = 0x20, len(content)
    for name in reversed(path.split('/')):  # what a folder holds is there before it
        first, count = len(table), -(-len(content) // CLUSTER)
        table += [*range(first + 1, first + count), 0xffff]
        clusters += content.ljust(count * CLUSTER, b'\0')
        content = fat_entry(name, attributes, first, size)
        attributes, size = 0x10, 0
    image = (boot.ljust(510, b'\0') + b'\x55\xaa' +
             struct.pack(f'<{len(table)}H', *table).ljust(FAT_SECTORS * 512, b'\0') +
             content.ljust(ROOT_ENTRIES * 32, b'\0') + clusters)
    return image.ljust(CLUSTERS * CLUSTER, b'\0')
