# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads schema files: a sequence of objects, '#' comments and '##' documentation blocks.

The language is JSON with single quotes and without numbers and null. A documentation block
stands directly before the entity it documents.
"""

import os
import re

from qapi.error import Place, SchemaError

TOKEN = re.compile(r"(?P<blank>[ \t\r]+)|(?P<newline>\n)|(?P<mark>[{}\[\]:,])"
                   r"|'(?P<text>[^'\\\n]*)'|(?P<word>[A-Za-z]+)|(?P<comment>\#[^\n]*)")
WORDS = {'true': True, 'false': False}


class Doc:
    """One documentation block: the entity's name, its text, and one text per member."""

    SECTIONS = ('Returns', 'Features', 'Since', 'Note', 'Errors')

    def __init__(self, place, lines):
        self.place = place
        self.name = None
        self.body = []
        self.members = {}
        self.features = {}
        self.sections = {}
        self._target = self.body
        self._members = self.members
        for offset, line in enumerate(lines):
            self._line(Place(place.file, place.line + 1 + offset), line)
        if self.name is None:
            raise SchemaError(place, "documentation does not begin with '@NAME:'")

    def _line(self, place, line):
        if line not in ('#',) and not line.startswith('# '):
            raise SchemaError(place, "documentation line does not begin with '# '")
        text = line[2:].rstrip()
        argument = re.match(r'@([\w.*-]+):\s*(.*)$', text)
        section = re.match(r'(\w+):\s*(.*)$', text)
        if argument:
            self._argument(place, argument.group(1), argument.group(2))
        elif section and section.group(1) in self.SECTIONS:
            self._section(place, section.group(1), section.group(2))
        elif text or self._target:
            if self.name is None:
                raise SchemaError(place, "documentation does not begin with '@NAME:'")
            self._target.append(text.strip())

    def _argument(self, place, name, text):
        if self.name is None:
            self.name = name
            self._target = self.body
        elif name in self._members:
            raise SchemaError(place, f"'{name}' is documented twice")
        else:
            self._members[name] = self._target = []
        if text:
            self._target.append(text)

    def _section(self, place, name, text):
        if name in self.sections:
            raise SchemaError(place, f"section '{name}' occurs twice")
        if name == 'Features':
            self._members = self.features
        self.sections[name] = self._target = [text] if text else []


def doc_text(lines):
    return '\n'.join(lines).strip()


class Entity:
    """One top-level object with where it stands, its documentation and its module."""

    def __init__(self, place, expr, doc, module):
        self.place = place
        self.expr = expr
        self.doc = doc
        self.module = module


class ModuleParser:
    """Parses one file into entities and the files it includes."""

    def __init__(self, path, shown_path, module):
        with open(path, encoding='utf-8') as file:
            self.source = file.read()
        self.path = shown_path
        self.module = module
        self.position = 0
        self.line = 1
        self.token = None      # (kind, value, place)
        self.doc = None
        self.entities = []
        self.includes = []

    def place(self):
        return Place(self.path, self.line)

    def fail(self, message):
        raise SchemaError(self.token[2] if self.token else self.place(), message)

    def advance(self):
        while self.position < len(self.source):
            match = TOKEN.match(self.source, self.position)
            if not match:
                raise SchemaError(self.place(), f'stray {self.source[self.position]!r}')
            place = self.place()
            self.position = match.end()
            kind = match.lastgroup
            if kind == 'newline':
                self.line += 1
            elif kind == 'comment' and match.group() == '##':
                self.read_doc(place)
            elif kind in ('mark', 'text', 'word'):
                self.token = (kind, match.group(kind), place)
                return
        self.token = ('end', 'end of file', self.place())

    def read_doc(self, place):
        if self.doc:
            raise SchemaError(self.doc.place, 'documentation without an entity')
        end = self.source.find('\n##\n', self.position)
        if end < 0:
            raise SchemaError(place, 'documentation block is not ended')
        lines = self.source[self.position + 1:end].split('\n')
        self.doc = Doc(place, lines)
        self.position = end + 3
        self.line += len(lines) + 1

    def is_mark(self, mark):
        return self.token[:2] == ('mark', mark)

    def expect(self, mark):
        if not self.is_mark(mark):
            self.fail(f"expected '{mark}', got '{self.token[1]}'")
        self.advance()

    def value(self):
        kind, value, _ = self.token
        if kind == 'text':
            self.advance()
            return value
        if kind == 'word' and value in WORDS:
            self.advance()
            return WORDS[value]
        if self.is_mark('{'):
            return self.object()
        if self.is_mark('['):
            return self.array()
        return self.fail(f"expected a value, got '{value}'")

    def object(self):
        result = {}
        self.expect('{')
        while not self.is_mark('}'):
            if self.token[0] != 'text':
                self.fail(f"expected a quoted key, got '{self.token[1]}'")
            key = self.token[1]
            if key in result:
                self.fail(f"duplicate key '{key}'")
            self.advance()
            self.expect(':')
            result[key] = self.value()
            if not self.is_mark('}'):
                self.expect(',')
        self.expect('}')
        return result

    def array(self):
        result = []
        self.expect('[')
        while not self.is_mark(']'):
            result.append(self.value())
            if not self.is_mark(']'):
                self.expect(',')
        self.expect(']')
        return result

    def parse(self):
        self.advance()
        while self.token[0] != 'end':
            place, doc = self.token[2], self.doc
            self.doc = None
            if not self.is_mark('{'):
                self.fail(f"expected an object, got '{self.token[1]}'")
            expr = self.object()
            if 'include' in expr:
                self.add_include(place, expr, doc)
            else:
                self.entities.append(Entity(place, expr, doc, self.module))
        if self.doc:
            raise SchemaError(self.doc.place, 'documentation without an entity')

    def add_include(self, place, expr, doc):
        if doc:
            raise SchemaError(doc.place, 'documentation without an entity')
        if len(expr) != 1 or not isinstance(expr['include'], str):
            raise SchemaError(place, "'include' takes one file name")
        self.includes.append((place, expr['include']))


class Module:
    def __init__(self, name, is_builtin=False):
        self.name = name
        self.is_builtin = is_builtin
        self.includes = []      # modules
        self.entities = []
        self.definitions = []   # filled by Schema, in order of need
        self.commands = []
        self.events = []

    def sees(self, other):
        return other is self or any(module.sees(other) for module in self.includes)


def parse_files(top):
    """All modules that `top` reaches, included ones first."""
    folder = os.path.dirname(top)
    modules = {}
    done = []

    def load(file, place):
        name = os.path.splitext(file)[0]
        if name in modules:
            if modules[name] not in done:
                raise SchemaError(place, f"'{file}' includes itself")
            return modules[name]
        if not re.fullmatch(r'[a-z][a-z0-9-]*\.json', file):
            raise SchemaError(place, f"bad module name '{file}'")
        path = os.path.join(folder, file)
        if not os.path.exists(path):
            raise SchemaError(place, f"no such file '{file}'")
        module = modules[name] = Module(name)
        parser = ModuleParser(path, path, module)
        parser.parse()
        module.entities = parser.entities
        for where, include in parser.includes:
            module.includes.append(load(include, where))
        done.append(module)
        return module

    load(os.path.basename(top), Place(top, 1))
    return done
