#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints a binary trace file (format: docs/devel/tracing.md)."""

import argparse
import struct
import sys

MAGIC = b"TNDTRACE"
DEFINITION, EVENT = 0, 1
MAX_RECORD = 4096


class Damaged(Exception):
    """The file breaks its format; the message says where and how."""


class Reader:
    """Takes numbers and strings off one record."""

    def __init__(self, data, order):
        self.data = data
        self.order = order
        self.pos = 0

    def is_done(self):
        return self.pos == len(self.data)

    def number(self, kind="u"):
        if self.pos + 8 > len(self.data):
            raise Damaged("a record is too short")
        value, = struct.unpack_from(self.order + ("q" if kind == "i" else "Q"), self.data, self.pos)
        self.pos += 8
        return value

    def string(self):
        length = self.number()
        if length > len(self.data) - self.pos:
            raise Damaged("a string leaves its record")
        text = self.data[self.pos:self.pos + length].decode(errors="backslashreplace")
        self.pos = min(self.pos + (length + 7) // 8 * 8, len(self.data))
        return text


def records(stream, order):
    """All (kind, id, tid, time, body); a record cut off at the end is left out."""
    while True:
        head = stream.read(24)
        if len(head) < 24:
            return
        size, kind, event, tid, time_ns = struct.unpack(order + "IIIIQ", head)
        if size < 24 or size > MAX_RECORD or size % 8:
            raise Damaged(f"impossible record size {size} before byte {stream.tell()}")
        body = stream.read(size - 24)
        if len(body) < size - 24:
            return
        yield kind, event, tid, time_ns, Reader(body, order)


def show(kind, reader):
    if kind == "s":
        return repr(reader.string())
    value = reader.number(kind)
    return hex(value) if kind == "p" else str(value)


def print_trace(stream, is_plain, out):
    head = stream.read(32)
    if len(head) < 32 or head[:8] != MAGIC:
        raise Damaged("not a trace file")
    order = "<" if head[8:12] == b"\1\0\0\0" else ">"
    version, _pid, _realtime, start_ns = struct.unpack_from(order + "IIQQ", head, 8)
    if version != 1:
        raise Damaged(f"version {version} is not known")
    events = {}
    for kind, event, tid, time_ns, reader in records(stream, order):
        if kind == DEFINITION:
            name = reader.string()
            arguments = []
            while not reader.is_done():
                arguments.append(reader.string().partition(":")[::2])
            events[event] = name, arguments
        elif kind == EVENT:
            if event not in events:
                raise Damaged(f"event {event} has no definition")
            name, arguments = events[event]
            words = [name] + [f"{a}={show(k, reader)}" for k, a in arguments]
            if not is_plain:
                words.insert(0, f"{tid} {(time_ns - start_ns) / 1e9:.9f}")
            out.write(" ".join(words) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plain", action="store_true", help="leave out thread ids and times")
    parser.add_argument("file")
    options = parser.parse_args()
    try:
        with open(options.file, "rb") as stream:
            print_trace(stream, options.plain, sys.stdout)
    except (OSError, Damaged) as why:
        sys.exit(f"{options.file}: {why}")


if __name__ == "__main__":
    main()
