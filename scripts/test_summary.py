#!/usr/bin/env python3
"""test_summary.py TESTLOG.json: meson's log in three numbers, "passed failed skipped", on stdout.

Each meson test counts once. What failed, with the end of its output, and what was skipped, whole
or in part, with the reason, goes to stderr. A test that skips without a reason has failed, and so
has a log without tests.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import collections
import json
import re
import sys

PASSED = ('OK', 'EXPECTEDFAIL')
TAIL_LINES = 40
# TAP's "ok 3 name # SKIP reason" and "1..0 # SKIP reason"; unittest's "... skipped 'reason'".
REASONS = re.compile(r"^(?:ok\b[^#\n]*|1\.\.0\s*)#\s*skip\S*[ \t]*(.*)$|"
                     r"\bskipped ['\"](.*)['\"]$", re.I | re.M)
# What unittest says at its end even if it was not asked for the reasons.
UNSAID = re.compile(r'^(?:OK|FAILED) \(.*skipped=(\d+)', re.M)


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


def verdict(test, out):
    """'passed', 'failed' or 'skipped'; tells `out` what a reader wants to know."""
    name, result = test['name'], test['result']
    if result not in PASSED + ('SKIP',):
        out.write(f'   FAILED: {name} ({result}, status {test["returncode"]})\n')
        output = test.get('stdout', '') + test.get('stderr', '')
        for line in output.splitlines()[-TAIL_LINES:]:
            out.write(f'      {line}\n')
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
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    for line in lines:
        counts[verdict(json.loads(line), out)] += 1
    if not any(counts.values()):
        out.write('   FAILED: no test ran\n')
        counts['failed'] = 1
    return counts


def main():
    try:
        with open(sys.argv[1], encoding='utf-8') as file:
            counts = summarise(file, sys.stderr)
    except OSError as err:
        sys.exit(f'   FAILED: {err}')
    print(*counts.values())


if __name__ == '__main__':
    main()
