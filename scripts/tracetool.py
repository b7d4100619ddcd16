#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes trace.h and trace.c out of a room's trace-events file (docs/devel/tracing.md)."""

import argparse
import os
import re
import sys

BACKENDS = ("log", "simple", "usdt")
MAX_ARGS = 12  # what a USDT probe can carry
MAX_NAME = 100

UNSIGNED = {"bool", "unsigned char", "unsigned short", "unsigned", "unsigned int",
            "unsigned long", "unsigned long long", "uint8_t", "uint16_t", "uint32_t",
            "uint64_t", "size_t", "uintptr_t"}
SIGNED = {"char", "signed char", "short", "int", "long", "long long", "int8_t", "int16_t",
          "int32_t", "int64_t", "ssize_t", "intptr_t", "off_t"}
KINDS = {**dict.fromkeys(UNSIGNED, "u"), **dict.fromkeys(SIGNED, "i"),
         "const char *": "s", "void *": "p", "const void *": "p"}
# Which conversions may show which kind of argument.
SHOWN_BY = {"u": "diouxXc", "i": "diouxXc", "s": "s", "p": "p"}

KEYWORDS = set("auto break case char const continue default do double else enum extern float for "
               "goto if inline int long register restrict return short signed sizeof static "
               "struct switch typedef union unsigned void volatile while bool asm typeof".split())

EVENT = re.compile(r"(?P<disable>disable\s+)?(?P<name>[A-Za-z_]\w*)\s*\((?P<args>[^()]*)\)\s*"
                   r"(?P<format>\S.*)$", re.ASCII)
FORMAT_PART = re.compile(r'\s*(?:"(?P<text>(?:[^"\\]|\\.)*)"|'
                         r'(?P<macro>PRI(?P<letter>[diouxX])(?:8|16|32|64|PTR|MAX))\b)', re.ASCII)
CONVERSION = re.compile(r"%(?:%|[-+ #0']*(?:[1-9]\d*)?(?:\.\d*)?(?:hh|h|ll|l|j|z|t)?"
                        r"(?P<letter>.)?)", re.DOTALL)


class Refused(Exception):
    """A line that is no event; the message says why."""


class Event:
    def __init__(self, line, name, args, fmt, is_disabled):
        self.line = line
        self.name = name
        self.args = args  # (type, name) pairs
        self.format = fmt
        self.is_disabled = is_disabled

    def parameters(self):
        return ", ".join(t + ("" if t.endswith("*") else " ") + n for t, n in self.args) or "void"

    def names(self):
        return ", ".join(n for _, n in self.args)

    def signature(self):
        return " ".join(f"{KINDS[t]}:{n}" for t, n in self.args)


def parse_args(text):
    """The (type, name) pairs of `text`."""
    if text.strip() in ("", "void"):
        if not text.strip():
            raise Refused("no arguments are written (void)")
        return []
    args = []
    for arg in text.split(","):
        match = re.fullmatch(r"\s*(\S.*?)\s*\b([A-Za-z_]\w*)\s*", arg, re.ASCII)
        if not match:
            raise Refused(f"'{arg.strip()}' is not a type and a name")
        type_name = re.sub(r"\s*\*", " *", " ".join(match[1].split()))
        if type_name not in KINDS:
            raise Refused(f"type '{type_name}' of '{match[2]}' is not traceable")
        if match[2] in KEYWORDS:
            raise Refused(f"'{match[2]}' is no name for an argument")
        if match[2] in (name for _, name in args):
            raise Refused(f"argument '{match[2]}' twice")
        args.append((type_name, match[2]))
    if len(args) > MAX_ARGS:
        raise Refused(f"more than {MAX_ARGS} arguments")
    return args


def parse_format(text):
    """The format in C, and the conversion letters in it."""
    pieces, flat, pos = [], "", 0
    while pos < len(text):
        match = FORMAT_PART.match(text, pos)
        if not match:
            raise Refused(f"format is no string at '{text[pos:].strip()}'")
        if match["macro"]:
            pieces.append(match["macro"])
            flat += match["letter"]
        else:
            if "\\n" in match["text"]:
                raise Refused("format contains a newline")
            pieces.append(f'"{match["text"]}"')
            flat += match["text"]
        pos = match.end()
    letters = []
    for match in CONVERSION.finditer(flat):
        if match[0] == "%%":
            continue
        if not match["letter"] or match["letter"] not in "diouxXcsp":
            raise Refused(f"conversion '{match[0]}' is not for traces")
        letters.append(match["letter"])
    return " ".join(pieces), letters


def parse_event(number, line):
    match = EVENT.fullmatch(line)
    if not match:
        raise Refused('expected: [disable] name(type arg, ...) "format"')
    name = match["name"]
    if len(name) > MAX_NAME:
        raise Refused(f"name is longer than {MAX_NAME} characters")
    if name.startswith("event_") or name.endswith(("_event", "_is_enabled", "_emit")):
        raise Refused(f"name '{name}' is kept for generated code")
    args = parse_args(match["args"])
    fmt, letters = parse_format(match["format"].rstrip())
    if len(letters) != len(args):
        raise Refused(f"{len(args)} arguments but {len(letters)} conversions")
    for (type_name, arg), letter in zip(args, letters):
        if letter not in SHOWN_BY[KINDS[type_name]]:
            raise Refused(f"'%{letter}' cannot show '{type_name}' {arg}")
    return Event(number, name, args, fmt, bool(match["disable"]))


def parse_file(path, lines):
    """All events; ends the program with every refusal as path:line: reason."""
    events, seen, refusals = [], {}, []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            event = parse_event(number, line)
            if event.name in seen:
                raise Refused(f"'{event.name}' is already on line {seen[event.name]}")
            seen[event.name] = number
            events.append(event)
        except Refused as why:
            refusals.append(f"{path}:{number}: {why}")
    if refusals:
        sys.exit("\n".join(refusals))
    return events


def header(room, events):
    guard = "TRACE_" + re.sub(r"\W", "_", room).upper() + "_H"
    yield "/* Made by scripts/tracetool.py. */"
    yield f"#ifndef {guard}\n#define {guard}\n"
    yield '#include "util/trace.h"'
    for e in events:
        if e.is_disabled:
            yield f"\nstatic inline void trace_{e.name}({e.parameters()})\n{{\n}}\n"
            yield f"static inline bool trace_{e.name}_is_enabled(void)\n{{\n    return false;\n}}"
            continue
        yield f"\nextern TraceEvent trace_{e.name}_event;"
        yield f"void trace_{e.name}_emit({e.parameters()});\n"
        yield f"static inline bool trace_{e.name}_is_enabled(void)\n{{"
        yield f"    return trace_event_is_active(&trace_{e.name}_event);\n}}\n"
        yield f"static inline void trace_{e.name}({e.parameters()})\n{{"
        yield f"    if (trace_{e.name}_is_enabled()) {{"
        yield f"        trace_{e.name}_emit({e.names()});\n    }}\n}}"
    yield "\n#endif"


def emit_simple(e):
    yield "    if (trace_file_is_wanted(&trace_%s_event)) {" % e.name
    yield "        TraceRecord record;\n"
    yield f"        trace_record_begin(&record, &trace_{e.name}_event);"
    for type_name, name in e.args:
        kind = KINDS[type_name]
        if kind == "s":
            yield f"        trace_record_string(&record, {name});"
        else:
            cast = "(uintptr_t)" if kind == "p" else "(uint64_t)"
            yield f"        trace_record_number(&record, {cast}{name});"
    yield "        trace_record_end(&record);\n    }"


def emit_log(e, path):
    yield f"    if (trace_log_is_wanted(&trace_{e.name}_event)) {{"
    yield f'#line {e.line} "{path}"'
    values = "".join(", " + n for _, n in e.args)
    yield f'        log_printf("{e.name} " {e.format} "\\n"{values});\n    }}'


def emit_usdt(e):
    values = "".join(", " + n for _, n in e.args)
    probe = f"STAP_PROBE{len(e.args)}" if e.args else "STAP_PROBE"
    yield f"    {probe}(tandem, {e.name}{values});"


def source(room, events, backends, path, header_name):
    live = [e for e in events if not e.is_disabled]
    yield "/* Made by scripts/tracetool.py. */"
    yield f'#include "util/osdep.h"\n#include "{header_name}"'
    if "usdt" in backends:
        yield "\n#define _SDT_HAS_SEMAPHORES 1\n#include <sys/sdt.h>"
    yield '\n#include "util/log.h"\n#include "util/trace_file.h"'
    for e in live:
        place = ' __attribute__((section(".probes")))' if "usdt" in backends else ""
        yield f"\nTraceEvent trace_{e.name}_event{place} = {{"
        yield f'    .name = "{e.name}",\n    .room = "{room}",\n    .signature = "{e.signature()}",\n}};'
        if "usdt" in backends:
            yield f"extern TraceEvent tandem_{e.name}_semaphore"
            yield f'    __attribute__((alias("trace_{e.name}_event")));'
        yield f"\nvoid trace_{e.name}_emit({e.parameters()})\n{{"
        if "simple" in backends:
            yield from emit_simple(e)
        if "log" in backends:
            yield from emit_log(e, path)
        if "usdt" in backends:
            yield from emit_usdt(e)
        yield "}"
    if live:
        yield "\nstatic TraceEvent *const events[] = {"
        yield from (f"    &trace_{e.name}_event," for e in live)
        yield "};\n\nCONSTRUCTOR static void register_events(void)\n{"
        yield "    trace_register(events, ARRAY_SIZE(events));\n}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--room", required=True, help="folder the events belong to")
    parser.add_argument("--backends", default="log", help="comma list of " + " ".join(BACKENDS))
    parser.add_argument("events", help="the trace-events file")
    parser.add_argument("header")
    parser.add_argument("source")
    options = parser.parse_args()
    backends = [b for b in options.backends.split(",") if b]
    for backend in backends:
        if backend not in BACKENDS:
            sys.exit(f"tracetool: no back end '{backend}'")
    try:
        with open(options.events, encoding="ascii") as stream:
            events = parse_file(options.events, stream)
    except UnicodeDecodeError as why:
        sys.exit(f"{options.events}:1: not ASCII text ({why.reason} at byte {why.start})")
    with open(options.header, "w", encoding="ascii") as out:
        out.writelines(part + "\n" for part in header(options.room, events))
    with open(options.source, "w", encoding="ascii") as out:
        parts = source(options.room, events, backends, options.events,
                       os.path.basename(options.header))
        out.writelines(part + "\n" for part in parts)


if __name__ == "__main__":
    main()
