"""What tracetool.py makes of good events and refuses of bad ones; what simpletrace.py refuses.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import io
import os
import struct
import subprocess
import sys
import tempfile
import unittest

import simpletrace
import tracetool

TOOL = tracetool.__file__

REFUSED = {
    'foo(uint32_t a)': 'expected: [disable] name(type arg, ...) "format"',
    'foo uint32_t a "a %u"': 'expected: [disable] name(type arg, ...) "format"',
    '1foo(void) ""': 'expected: [disable] name(type arg, ...) "format"',
    'foo() ""': "no arguments are written (void)",
    'foo(float a) "%f"': "type 'float' of 'a' is not traceable",
    'foo(struct Foo *a) "%p"': "type 'struct Foo *' of 'a' is not traceable",
    'foo(char *a) "%s"': "type 'char *' of 'a' is not traceable",
    'foo(uint32_t) "%u"': "'uint32_t' is not a type and a name",
    'foo(int a, int a) "%d %d"': "argument 'a' twice",
    'foo(int for) "%d"': "'for' is no name for an argument",
    'foo(int a,) "%d"': "'' is not a type and a name",
    'foo(%s) "%s"' % (", ".join(f"int a{i}" for i in range(13)), "%d" * 13):
        "more than 12 arguments",
    'foo(int a) a %d': "format is no string at 'a %d'",
    'foo(int a) "a %d': "format is no string at '\"a %d'",
    'foo(int a) "a %d" FOO': "format is no string at 'FOO'",
    'foo(int a) "a %d\\n"': "format contains a newline",
    'foo(int a) "a"': "1 arguments but 0 conversions",
    'foo(void) "%d"': "0 arguments but 1 conversions",
    'foo(int a) "%n"': "conversion '%n' is not for traces",
    'foo(int a) "%*d"': "conversion '%*' is not for traces",
    'foo(int a) "%"': "conversion '%' is not for traces",
    'foo(int a) "%s"': "'%s' cannot show 'int' a",
    'foo(const char *a) "%d"': "'%d' cannot show 'const char *' a",
    'foo(void *a) "%" PRIx64': "'%x' cannot show 'void *' a",
    'foo_is_enabled(void) ""': "name 'foo_is_enabled' is kept for generated code",
    'x' * 101 + '(void) ""': "name is longer than 100 characters",
}


def run(text, *options):
    """The tool's status, complaints, header and source."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("trace-events", "trace.h", "trace.c")]
        with open(paths[0], "wb") as stream:
            stream.write(text.encode())
        done = subprocess.run([sys.executable, TOOL, "--room", "hw/x", *options, *paths],
                              capture_output=True, text=True, check=False)
        made = []
        for path in paths[1:]:
            with open(path, encoding="ascii") if os.path.exists(path) else io.StringIO() as stream:
                made.append(stream.read())
        return done.returncode, done.stderr.replace(folder + "/", ""), *made


class Refusals(unittest.TestCase):
    def test_each_line(self):
        for line, reason in REFUSED.items():
            with self.subTest(line):
                status, complaint, header, _ = run(f"# head\n\n{line}\n")
                self.assertEqual(complaint, f"trace-events:3: {reason}\n")
                self.assertEqual((status, header), (1, ""))

    def test_all_are_told(self):
        _, complaint, *_ = run('a(void) ""\nb(x)\na(void) ""\n')
        self.assertEqual(complaint, 'trace-events:2: expected: [disable] name(type arg, ...) '
                                    '"format"\ntrace-events:3: \'a\' is already on line 1\n')

    def test_not_ascii(self):
        status, complaint, *_ = run('a(void) "\u00e9"\n')
        self.assertEqual(status, 1)
        self.assertIn("not ASCII", complaint)

    def test_back_end(self):
        status, complaint, *_ = run("", "--backends", "log,ftrace")
        self.assertEqual((status, complaint), (1, "tracetool: no back end 'ftrace'\n"))


class Output(unittest.TestCase):
    EVENTS = 'one(uint64_t a, const char *b) "a 0x%" PRIx64 " b %s"\ndisable two(int a) "%d"\n'

    def test_back_ends_are_separate(self):
        marks = {"log": "log_printf(", "simple": "trace_record_end(", "usdt": "STAP_PROBE2("}
        for name in marks:
            status, _, _, source = run(self.EVENTS, "--backends", name)
            self.assertEqual(status, 0)
            self.assertEqual([n for n, mark in marks.items() if mark in source], [name])

    def test_disabled_event_has_no_state(self):
        _, _, header, source = run(self.EVENTS)
        self.assertIn("static inline void trace_two(int a)\n{\n}", header)
        self.assertNotIn("two", source)

    def test_empty_file(self):
        status, _, header, source = run("# nothing yet\n")
        self.assertEqual(status, 0)
        self.assertNotIn("CONSTRUCTOR", source)
        self.assertIn("TRACE_HW_X_H", header)


class SimpleTrace(unittest.TestCase):
    HEAD = struct.pack("=8sIIQQ", b"TNDTRACE", 1, 1, 0, 0)

    def refuse(self, data, reason):
        with self.assertRaisesRegex(simpletrace.Damaged, reason):
            simpletrace.print_trace(io.BytesIO(data), True, io.StringIO())

    def test_refusals(self):
        self.refuse(b"", "not a trace file")
        self.refuse(b"x" * 32, "not a trace file")
        self.refuse(struct.pack("=8sIIQQ", b"TNDTRACE", 2, 1, 0, 0), "version")
        self.refuse(self.HEAD + struct.pack("=IIIIQ", 20, 1, 0, 0, 0), "impossible record size")
        self.refuse(self.HEAD + struct.pack("=IIIIQ", 24, 1, 0, 0, 0), "no definition")
        self.refuse(self.HEAD + struct.pack("=IIIIQ", 24, 0, 0, 0, 0), "too short")
        self.refuse(self.HEAD + struct.pack("=IIIIQQ", 32, 0, 0, 0, 0, 9), "leaves its record")

    def test_cut_at_the_end(self):
        out = io.StringIO()
        simpletrace.print_trace(io.BytesIO(self.HEAD + b"\x20"), True, out)
        self.assertEqual(out.getvalue(), "")


if __name__ == "__main__":
    unittest.main()
