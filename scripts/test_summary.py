#!/usr/bin/env python3
"""test_summary.py TESTLOG.json: meson's log in three numbers, "passed failed skipped", on stdout,
and the names of the tests that failed.

Each meson test counts once. What failed, with what it says of itself and the end of its output, and
what was skipped, whole or in part, with the reason, goes to stderr. A test that skips without a
reason has failed, and so has a log without tests.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import collections
import json
import re
import sys

PASSED = ('OK', 'EXPECTEDFAIL')
MOST_LINES = 25     # of one failure
MOST_COLUMNS = 240  # of a line
MOST_FAILURES = 5   # of one program's that are shown, not only named
# TAP's "ok 3 name # SKIP reason" and "1..0 # SKIP reason"; unittest's "... skipped 'reason'".
REASONS = re.compile(r"^(?:ok\b[^#\n]*|1\.\.0\s*)#\s*skip\S*[ \t]*(.*)$|"
                     r"\bskipped ['\"](.*)['\"]$", re.I | re.M)
# What unittest says at its end even if it was not asked for the reasons.
UNSAID = re.compile(r'^(?:OK|FAILED) \(.*skipped=(\d+)', re.M)

# A failure in unittest's report, up to the next one or the sum.
UNITTEST = re.compile(r'^=+\n((?:FAIL|ERROR): [^\n]*)\n(?:(?!-)[^\n]*\n)*?-+\n(.*?)'
                      r'(?=^=+\n(?:FAIL|ERROR): |^-+\nRan |\Z)', re.M | re.S)
# The last exception's line, which is not indented; its text may have more lines.
EXCEPTION = re.compile(r'^(?![ \n]|Traceback |During |The above ).*', re.M)
PLACE = re.compile(r'^  File "(?:.*/)?([^"]+)", line (\d+), in (\w+)$', re.M)
NOT_OK = re.compile(r'^(?:not ok .*|Bail out!.*|.*ERROR:.*|.*(?:Sanitizer: |runtime error: ).*)$', re.M)


def reasons_of(test):
    """Why this test or parts of it were skipped; '' stands for no reason given."""
    output = test.get('stdout', '') + '\n' + test.get('stderr', '')
    reasons = [(m[1] or m[2] or '').strip() for m in REASONS.finditer(output)]
    unsaid = sum(int(m[1]) for m in UNSAID.finditer(output)) - len(reasons)
    reasons += [''] * max(unsaid, 0)
    if not reasons and test['result'] == 'SKIP':
        lines = output.strip().splitlines()
        reasons.append(lines[-1] if lines else '')
    return reasons


def end_of(lines, most):
    """The last lines, with a sign that there were more."""
    return lines if len(lines) <= most else ['[...]', *lines[len(lines) - most + 1:]]


def unittest_failure(title, text):
    """Its name, where and what was raised, and the end of what that says (as a rule, what a guest said)."""
    trace = text[text.rfind('Traceback (most recent call last):'):]
    raised = EXCEPTION.search(trace)
    said = (trace[raised.start():] if raised else text).strip().splitlines()
    places = [f'{m[1]}:{m[2]} {m[3]}' for m in PLACE.finditer(trace[:raised.start()] if raised else '')]
    head = [title, *(['at ' + ', '.join(places[-4:])] if places else []), *said[:1]]
    return head + end_of(said[1:], MOST_LINES - len(head))


def failures_of(test):
    """Lists of lines: one for each failure that a program tells, or one for the end of its output."""
    stderr = test.get('stderr', '')
    found = [unittest_failure(m[1], m[2]) for m in UNITTEST.finditer(stderr)]
    if found:
        more = found[MOST_FAILURES:]
        return found[:MOST_FAILURES] + ([['and ' + '; '.join(lines[0] for lines in more)]] if more else [])
    output = test.get('stdout', '') + stderr
    foremost = NOT_OK.findall(output)[:MOST_LINES // 3]
    return [foremost + end_of(output.splitlines(), MOST_LINES - len(foremost))]


def show_failure(test, out):
    out.write(f'   FAILED: {test["name"]} ({test["result"]}, status {test["returncode"]})\n')
    for lines in failures_of(test):
        for line in lines:
            out.write(f'      {line[:MOST_COLUMNS]}\n')


def verdict(test, out):
    """'passed', 'failed' or 'skipped'; tells `out` what a reader wants to know."""
    name, result = test['name'], test['result']
    if result not in PASSED + ('SKIP',):
        show_failure(test, out)
        return 'failed'
    reasons = reasons_of(test)
    if '' in reasons:
        out.write(f'   FAILED: {name} skips without saying why\n')
        return 'failed'
    for reason, count in collections.Counter(reasons).items():
        what = 'skipped' if result == 'SKIP' else 'skipped in part'
        times = f' ({count} times)' if count > 1 else ''
        out.write(f'   {what}: {name}: {reason}{times}\n')
    return 'skipped' if result == 'SKIP' else 'passed'


def summarise(lines, out):
    """How many there are of each, and the names of those that failed."""
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    failed = []
    for line in lines:
        test = json.loads(line)
        what = verdict(test, out)
        counts[what] += 1
        if what == 'failed':
            failed.append(test['name'].split(' / ')[-1])
    if not any(counts.values()):
        out.write('   FAILED: no test ran\n')
        counts['failed'] = 1
        failed.append('(no test ran)')
    return counts, failed


def main():
    try:
        with open(sys.argv[1], encoding='utf-8') as file:
            counts, failed = summarise(file, sys.stderr)
    except OSError as err:
        sys.exit(f'   FAILED: {err}')
    print(*counts.values(), ', '.join(failed))


if __name__ == '__main__':
    main()
