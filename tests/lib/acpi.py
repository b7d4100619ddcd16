# SPDX-License-Identifier: GPL-2.0-or-later
"""ACPI tables as the firmware gets them, and what iasl makes of them."""
import os
import re
import shutil
import struct
import subprocess
import tempfile

IASL = shutil.which('iasl')
BAD = re.compile(r'warning|error|unknown|invalid|could not|incorrect', re.I)


def split(blob):
    """[(signature, bytes)], sums corrected as the loader's script would have it."""
    tables, at = [], 0
    while at + 36 <= len(blob):
        if not blob[at:at + 4].isalnum():
            at += 1
            continue
        size, = struct.unpack_from('<I', blob, at + 4)
        table = bytearray(blob[at:at + size])
        table[9] = 0
        table[9] = -sum(table) & 0xff
        tables.append((table[:4].decode(), bytes(table)))
        at += size
    return tables


def disassemble(table):
    """The source; AssertionError if iasl complains, or compiles it to anything else."""
    with tempfile.TemporaryDirectory(prefix='acpi-') as folder:
        def run(*words):
            done = subprocess.run([IASL, *words], cwd=folder, capture_output=True, text=True,
                                  check=True)
            text = re.sub(r'0 Errors, 0 Warnings', '', done.stdout + done.stderr)
            return text

        def read(name):
            with open(os.path.join(folder, name), 'rb') as data:
                return data.read()

        with open(os.path.join(folder, 'table.aml'), 'wb') as out:
            out.write(table)
        text = run('-dl', 'table.aml')
        assert not BAD.search(text), text
        source = read('table.dsl').decode()
        if table[:4] == b'FACP' and table[8] == 5:
            return source  # iasl wants the vendor field of revision 6 in it
        source = source.replace('/* Unknown UUID */', '')
        assert 'Unknown' not in source and '**** ' not in source, source
        run('-of', '-on', '-p', 'again', 'table.dsl')
        again = read('again.aml')
        assert again[36:] == table[36:] and len(again) == len(table), source
        return source


def source(table):
    """The source, whatever iasl thinks of the table."""
    with tempfile.TemporaryDirectory(prefix='acpi-') as folder:
        with open(os.path.join(folder, 'table.aml'), 'wb') as out:
            out.write(table)
        subprocess.run([IASL, '-d', 'table.aml'], cwd=folder, capture_output=True, check=True)
        with open(os.path.join(folder, 'table.dsl'), encoding='utf-8') as text:
            return text.read()
