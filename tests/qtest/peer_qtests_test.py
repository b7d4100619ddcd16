#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's own qtest programs, unmodified, against our binary, if scripts/peer-qtests.sh built them.

    peer_qtests_test.py [--survey] [PROGRAM...]

docs/devel/peer-qtests.md has a table of PROGRAM, PATTERN (a regular expression for the whole of a
subtest's path) and REASON: what cannot pass yet. All other subtests must; a row for which there is
no subtest fails as well. --survey runs what the table leaves out, too, each in a process of its
own, and tells what passes against expectation, and of what fails, the words.
"""
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, '..', '..', 'scripts', 'peer-qtests.sh')
TABLE = os.path.join(HERE, '..', '..', 'docs', 'devel', 'peer-qtests.md')
OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
SECONDS = 400  # for a program; the slowest takes a tenth of it on a quiet host
WORDS = re.compile(r'assertion failed|does not support|[Ee]rror|not a valid|not found|unsupported|invalid|Property')


def rows():
    """(program, pattern, reason), in order."""
    with open(TABLE, encoding='utf-8') as lines:
        for line in lines:
            cells = [cell.strip() for cell in re.split(r'(?<!\\)\|', line.strip())[1:-1]]
            if len(cells) == 3 and cells[0].startswith('`'):
                program, pattern = (cell.strip('`').replace('\\|', '|') for cell in cells[:2])
                yield program, pattern, cells[2]


def run(program, *options):
    """Its status and what it printed. Nothing it started survives, or is waited for."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen([SCRIPT, 'run', OURS, program, *options], stdout=out, stderr=err,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            err.write(b'Error: timeout\n')
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        text = ''
        for file in (out, err):
            file.seek(0)
            text += file.read().decode(errors='replace')
    return process.returncode, text


def passed(output):
    """Paths with a result that is no failure; a skip is the program's own."""
    return set(re.findall(r'^ok \d+ (\S+)', output, re.M))


def words(output):
    said = [line for line in output.splitlines() if WORDS.search(line) and line[0] != '#']
    return re.sub(r'^.*?(?:qemu-system-x86_64: |/qtest/)', '', said[0])[:150] if said else ''


def subtests(program):
    status, output = run(program, '-l')
    paths = re.findall(r'^(/\S+)$', output, re.M)
    return paths, None if not status else f'does not list its subtests: {words(output)}'


class Program:
    def __init__(self, name, table):
        self.name = name
        self.rows = [row for row in table if re.fullmatch(row[0], name)]
        self.used = set()
        self.left_out = {}  # path: row

    def check(self):
        """Failures, as lines."""
        if any(row[1] == '.*' for row in self.rows):
            row = next(row for row in self.rows if row[1] == '.*')
            self.left_out['all'] = row
            return []
        paths, failure = subtests(self.name)
        if failure:
            return [failure]
        for path in paths:
            for row in self.rows:
                if re.fullmatch(row[1], path):
                    self.left_out[path] = row
                    break
        wanted = [path for path in paths if path not in self.left_out]
        if not wanted:
            return []
        options = [word for path in wanted for word in ('-p', path)]
        _, output = run(self.name, *options)
        return [f'{path}: {words(output)}' for path in wanted if path not in passed(output)]

    def survey(self):
        paths, failure = subtests(self.name)
        if failure:
            return [failure]
        lines = []
        for path in paths:
            _, output = run(self.name, '-p', path)
            expected = not any(re.fullmatch(row[1], path) for row in self.rows)
            if (path in passed(output)) != expected:
                lines.append(f'{path}: {"FAILS: " + words(output) if expected else "passes"}')
            elif not expected:
                lines.append(f'{path}: as expected: {words(output)}')
        return lines


def main():
    arguments = sys.argv[1:]
    is_survey = '--survey' in arguments
    found = subprocess.run([SCRIPT, 'folder'], capture_output=True, text=True, check=False)
    if found.returncode:
        print(f'1..0 # SKIP {found.stderr.strip()}')
        return
    table = list(rows())
    names = [name for name in arguments if name != '--survey'] or \
        sorted(os.listdir(os.path.join(found.stdout.strip(), 'tests/qtest')))
    programs = [Program(name, table) for name in names]
    number = failures = 0

    def tell(is_ok, text):
        nonlocal number, failures
        number += 1
        failures += not is_ok
        print(f'{"ok" if is_ok else "not ok"} {number} - {text}', flush=True)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [(program, pool.submit(program.survey if is_survey else program.check))
                for program in programs]
        for program, job in jobs:
            lines = job.result()
            for line in lines:
                print(f'# {program.name} {line}', flush=True)
            if not is_survey and 'all' not in program.left_out:
                tell(not lines, program.name)
    used = {row for program in programs for row in program.left_out.values()}
    for row in table:
        count = sum(other == row for program in programs for other in program.left_out.values())
        if count and not is_survey:
            tell(True, f'{row[0]} {row[1]}: {count} left out # SKIP {row[2]}')
        elif len(names) > 1 and not is_survey and row not in used:
            tell(False, f'{row[0]} {row[1]}: there is no such subtest')
    print(f'1..{number}')
    sys.exit(bool(failures))


if __name__ == '__main__':
    main()
