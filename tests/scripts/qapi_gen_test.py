"""What qapi-gen.py refuses of bad schemas, and what it leaves out of good ones.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import subprocess
import sys
import tempfile
import unittest

from qapi.error import SchemaError
from qapi.parser import parse_files
from qapi.schema import Schema

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, '..', '..', 'scripts', 'qapi-gen.py')


def doc(name, *members):
    lines = ['##', f'# @{name}:', '#', '# Text.']
    return '\n'.join(lines + [f'# @{member}: text' for member in members] + ['##', ''])


ENUM = doc('Kind', 'a', 'b') + "{ 'enum': 'Kind', 'data': [ 'a', 'b' ] }\n"
BASE = doc('Base', 'kind') + "{ 'struct': 'Base', 'data': { 'kind': 'Kind' } }\n"
PART = doc('Part', 'x') + "{ 'struct': 'Part', 'data': { 'x': 'str' } }\n"


def struct(data, *members, name='Foo', more=''):
    return doc(name, *members) + f"{{ 'struct': '{name}', 'data': {data}{more} }}\n"


def union(base, tag, data, *members):
    return (ENUM + BASE + PART + doc('Foo', *members) + f"{{ 'union': 'Foo', 'base': {base},"
            f" 'discriminator': '{tag}', 'data': {data} }}\n")


def command(text, *members):
    return doc('foo', *members) + f"{{ 'command': 'foo'{text} }}\n"


# schema text: (line, message)
REFUSED = {
    # syntax
    "{ 'a' 'b' }": (1, "expected ':', got 'b'"),
    "{ 'a': 'b'": (1, "expected ',', got 'end of file'"),
    "\n{ a: 'b' }": (2, "expected a quoted key, got 'a'"),
    '{ "a": 1 }': (1, "stray '\"'"),
    "{ 'a': null }": (1, "expected a value, got 'null'"),
    "{ 'a': 'b', 'a': 'c' }": (1, "duplicate key 'a'"),
    "[ 'a' ]": (1, "expected an object, got '['"),
    "{ 'a': [ 'b' 'c' ] }": (1, "expected ',', got 'c'"),
    "{ 'a': 'b\n' }": (1, 'stray "\'"'),
    "{}": (1, "expected one of 'enum', 'struct', 'union', 'alternate', 'command', 'event',"
              " 'pragma'"),
    "{ 'enum': 'A', 'struct': 'A', 'data': {} }":
        (1, "expected one of 'enum', 'struct', 'union', 'alternate', 'command', 'event',"
            " 'pragma'"),
    "{ 'struct': 'Foo' }": (1, "'struct' lacks 'data'"),
    "{ 'struct': 'Foo', 'data': {}, 'boxed': true }": (1, "'struct' does not take 'boxed'"),
    "{ 'struct': [], 'data': {} }": (1, "'struct' takes a name"),
    "{ 'include': [] }": (1, "'include' takes one file name"),
    "{ 'include': '../x.json' }": (1, "bad module name '../x.json'"),
    "{ 'include': 'nope.json' }": (1, "no such file 'nope.json'"),
    "{ 'include': 'top.json' }": (1, "'top.json' includes itself"),
    "{ 'pragma': [] }": (1, "'pragma' takes { 'mixed-case': [ TYPE... ] }"),
    # documentation
    "{ 'struct': 'Foo', 'data': {} }": (1, "'Foo' is not documented"),
    "##\n# @Foo:\n": (1, "documentation block is not ended"),
    "##\n# Foo\n##\n": (2, "documentation does not begin with '@NAME:'"),
    "##\n##\n": (2, "documentation line does not begin with '# '"),
    "##\n#\n##\n": (1, "documentation does not begin with '@NAME:'"),
    "##\n# @Foo: x\nx\n##\n": (3, "documentation line does not begin with '# '"),
    "##\n# @Foo: x\n# @a: x\n# @a: x\n##\n": (4, "'a' is documented twice"),
    "##\n# @Foo: x\n# Since: 1\n# Since: 2\n##\n": (4, "section 'Since' occurs twice"),
    "##\n# @Foo: x\n##\n": (1, "documentation without an entity"),
    "##\n# @Foo: x\n##\n##\n# @Foo: x\n##\n": (1, "documentation without an entity"),
    doc('Foo') + "{ 'include': 'x.json' }": (1, "documentation without an entity"),
    doc('Bar') + "{ 'struct': 'Foo', 'data': {} }":
        (1, "documentation is for 'Bar', not for 'Foo'"),
    "##\n# @Foo:\n##\n{ 'struct': 'Foo', 'data': {} }": (1, "documentation of 'Foo' has no text"),
    struct("{ 'a': 'str' }"): (6, "'a' of 'Foo' is not documented"),
    struct("{ 'a': 'str' }", 'a', 'b'): (1, "'b' is documented, but does not exist"),
    command(", 'features': [ 'new' ]"): (6, "feature 'new' of 'foo' is not documented"),
    # names
    struct('{}', name='foo'): (6, "bad type name 'foo'"),
    struct('{}', name='FOO'): (6, "bad type name 'FOO'"),
    struct('{}') + struct('{}'): (12, "'Foo' is already defined at top.json:6"),
    struct('{}', name='FooBar') + struct('{}', name='FOOBar'):
        (12, "'FOOBar' is already defined at top.json:6"),
    PART + struct("{ 'a': ['Part'] }", 'a') + struct('{}', name='PartArray'):
        (20, "'PartArray' is also the C name of '[Part]'"),
    struct("{ 'A': 'str' }", 'A'): (7, "bad member name 'A'"),
    struct("{ '-a': 'str' }", '-a'): (7, "bad member name '-a'"),
    struct("{ 'has-a': 'str' }", 'has-a'): (7, "bad member name 'has-a'"),
    struct("{ 'u': 'str' }", 'u'): (7, "bad member name 'u'"),
    struct("{ 'a-b': 'str', 'a_b': 'str' }", 'a-b', 'a_b'): (8, "duplicate member 'a_b'"),
    struct("{ 'a': 'str', '*a': 'str' }", 'a'): (7, "duplicate member 'a'"),
    doc('foo-bar') + "{ 'command': 'foo-bar' }\n" + doc('foo_bar') + "{ 'command': 'foo_bar' }":
        (12, "'foo_bar' is already defined at top.json:6"),
    doc('Foo') + "{ 'command': 'Foo' }": (6, "bad command name 'Foo'"),
    doc('foo') + "{ 'event': 'foo' }": (6, "bad event name 'foo'"),
    # types
    struct("{ 'a': 'Bar' }", 'a'): (7, "unknown type 'Bar'"),
    struct("{ 'a': [] }", 'a'): (7, 'an array type is a list of one type name'),
    struct("{ 'a': ['str', 'str'] }", 'a'): (7, 'an array type is a list of one type name'),
    struct("{ 'a': [['str']] }", 'a'): (7, "unknown type '['str']'"),
    struct("{ 'a': true }", 'a'): (7, "unknown type 'True'"),
    struct("{ 'a': 'null' }", 'a'): (7, "member 'a' cannot be 'null'"),
    struct("{ 'a': ['null'] }", 'a'): (7, "there are no arrays of 'null'"),
    struct("{ 'a': { 'x': 'str' } }", 'a'): (7, "member 'a' takes 'type' and 'features'"),
    struct("'str'"): (6, "'data' takes an object"),
    struct('{}', more=", 'base': 'Foo'"): (6, "'Foo' contains itself"),
    struct('{}', more=", 'base': 'str'"): (6, "base 'str' is not a struct"),
    PART + struct("{ 'x': 'str' }", 'x', more=", 'base': 'Part'"): (14, "duplicate member 'x'"),
    # enumerations
    doc('Foo') + "{ 'enum': 'Foo', 'data': [] }": (6, "'data' takes a list of values"),
    doc('Foo', 'a') + "{ 'enum': 'Foo', 'data': [ 'a', 'a' ] }": (7, "duplicate value 'a'"),
    doc('Foo', 'a-b', 'a_b') + "{ 'enum': 'Foo', 'data': [ 'a-b', 'a_b' ] }":
        (8, "duplicate value 'a_b'"),
    doc('Foo', 'count') + "{ 'enum': 'Foo', 'data': [ 'count' ] }":
        (7, "duplicate value 'count'"),
    doc('Foo', 'A') + "{ 'enum': 'Foo', 'data': [ 'A' ] }": (7, "bad value name 'A'"),
    doc('Foo', 'a') + "{ 'enum': 'Foo', 'data': [ { 'name': 'a', 'if': 'b' } ] }":
        (7, "'if' takes a condition such as 'object:NAME'"),
    doc('Foo', 'a') + "{ 'enum': 'Foo', 'data': [ { 'value': 'a' } ] }":
        (7, "an enumeration value takes 'name', 'features' and 'if'"),
    # unions
    union("'Base'", 'nope', "{ 'a': 'Part' }"): (28, "discriminator 'nope' is not a member of"
                                                     " the base"),
    union("{ 'x': 'str' }", 'x', "{ 'a': 'Part' }", 'x'):
        (29, "discriminator 'x' is not a mandatory enumeration"),
    union("{ '*k': 'Kind' }", 'k', "{ 'a': 'Part' }", 'k'):
        (29, "discriminator 'k' is not a mandatory enumeration"),
    union("'Base'", 'kind', "{ 'c': 'Part' }"): (28, "branch 'c' is not a value of 'Kind'"),
    union("'Base'", 'kind', "{ 'a': 'str' }"): (28, "branch 'a' is not a struct or union"),
    union("'Base'", 'kind', '{}'): (28, "'data' takes an object of branches"),
    union("'Base'", 'kind', "{ 'a': 'Foo' }"): (28, "'Foo' contains itself"),
    union("'Base'", 'kind', "{ 'a': 'Base' }"): (28, "member 'kind' of branch 'Base' clashes"),
    union("'Base'", 'kind', "{ 'a': 'Deep' }") + doc('Deep', 'k2')
    + "{ 'union': 'Deep', 'base': { 'k2': 'Kind' }, 'discriminator': 'k2',"
      " 'data': { 'a': 'Base' } }": (28, "member 'kind' of branch 'Base' clashes"),
    # alternates
    doc('Foo', 'a') + "{ 'alternate': 'Foo', 'data': { 'a': 'str' } }":
        (7, "'data' takes an object of at least two branches"),
    ENUM + doc('Foo', 'a', 'b') + "{ 'alternate': 'Foo', 'data': { 'a': 'str', 'b': 'Kind' } }":
        (16, "branch 'b' cannot be told from 'a'"),
    doc('Foo', 'a', 'b') + "{ 'alternate': 'Foo', 'data': { 'a': 'str', 'b': 'any' } }":
        (8, "branch 'b' cannot be told from others"),
    # commands and events
    command(", 'data': 'Bar'"): (6, "unknown type 'Bar'"),
    command(", 'data': 'str'"): (6, "'str' is not a struct or union"),
    PART + command(", 'data': 'Part'"): (13, "'data' names a type, which needs 'boxed': true"),
    command(", 'boxed': true"): (6, "'boxed' needs 'data'"),
    command(", 'boxed': 'x'"): (6, "'boxed' takes true or false"),
    command(", 'returns': 'int'"): (6, "commands do not return 'int'"),
    ENUM + command(", 'returns': 'Kind'"): (14, 'commands do not return an enumeration'),
    command(", 'targets': []"): (6, "'targets' takes a list of target names"),
    command(", 'targets': [ 'vax' ]"): (6, "unknown target 'vax'"),
    command(", 'features': 'x'"): (6, "'features' takes a list"),
    command(", 'features': [ 'unstable', 'unstable' ]"): (6, "duplicate feature 'unstable'"),
    command(", 'features': [ 'X' ]"): (6, "bad feature name 'X'"),
}


class GeneratorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        with open(os.path.join(self.folder, name), 'w', encoding='utf-8') as file:
            file.write(text)

    def read(self, name):
        with open(os.path.join(self.folder, 'out', name), encoding='utf-8') as file:
            return file.read()

    def run_tool(self, *args):
        return subprocess.run([sys.executable, TOOL, 'top.json', '--out-dir', 'out', *args],
                              cwd=self.folder, capture_output=True, text=True, check=False)

    def test_refused(self):
        for text, (line, message) in REFUSED.items():
            with self.subTest(text=text):
                self.write('top.json', text)
                top = os.path.join(self.folder, 'top.json')
                with self.assertRaises(SchemaError) as caught:
                    Schema(parse_files(top), set())
                self.assertEqual(str(caught.exception).replace(top, 'top.json'),
                                 f'top.json:{line}: {message}')

    def test_status(self):
        self.write('top.json', '\n]')
        result = self.run_tool()
        self.assertEqual(result.stderr, "top.json:2: expected an object, got ']'\n")
        self.assertEqual(result.returncode, 1)
        self.assertFalse(os.path.exists(os.path.join(self.folder, 'out')))

    def test_unknown_have(self):
        self.write('top.json', command(''))
        result = self.run_tool('--have', 'foo,bar')
        self.assertEqual(result.stderr, "--have:0: no command, event or condition 'bar'\n")

    def test_not_included(self):
        self.write('part.json', PART)
        self.write('other.json', struct("{ 'a': 'Part' }", 'a'))
        self.write('top.json', "{ 'include': 'part.json' }\n{ 'include': 'other.json' }\n")
        result = self.run_tool()
        self.assertEqual(result.stderr,
                         "other.json:7: type 'Part' is in 'part.json', which is not included\n")

    def test_have(self):
        self.write('top.json', command('') + doc('bar') + "{ 'command': 'bar' }\n"
                   + doc('BAZ') + "{ 'event': 'BAZ' }\n")
        result = self.run_tool('--have', 'bar')
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        self.assertIn('"bar"', self.read('qapi-commands.c'))
        self.assertNotIn('"foo"', self.read('qapi-commands.c'))
        self.assertNotIn('baz', self.read('qapi-events.c'))
        self.assertIn('qapi_event_send_baz', self.read('qapi-events-top.h'))
        self.assertIn('### bar (command)', self.read('qmp-reference.md'))
        self.assertNotIn('foo', self.read('qmp-reference.md'))

    def test_docs_show_what_is_reached(self):
        self.write('top.json', union("'Base'", 'kind', "{ 'b': 'Part' }")
                   + struct('{}', name='Lonely') + command(", 'returns': ['Foo']"))
        self.assertEqual(self.run_tool('--have', 'foo').returncode, 0)
        docs = self.read('qmp-reference.md')
        for name in ('Foo', 'Kind', 'Base', 'Part'):
            self.assertIn(f'### {name}\n', docs)
        self.assertNotIn('Lonely', docs)

    def test_equal_output_is_left_alone(self):
        self.write('top.json', PART)
        path = os.path.join(self.folder, 'out', 'qapi-types-top.h')
        self.run_tool()
        os.utime(path, (1, 1))
        self.run_tool()
        self.assertEqual(os.stat(path).st_mtime, 1)


if __name__ == '__main__':
    unittest.main()
