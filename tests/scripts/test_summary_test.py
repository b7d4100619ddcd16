"""How test_summary.py counts what meson logs.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import io
import json
import unittest

import test_summary


class Summary(unittest.TestCase):
    def summarise(self, *tests):
        lines = [json.dumps({'name': 't', 'returncode': 0, **test}) for test in tests]
        out = io.StringIO()
        counts, self.failed = test_summary.summarise(lines, out)
        return tuple(counts.values()), out.getvalue()

    def test_each_test_counts_once(self):
        counts, out = self.summarise({'result': 'OK', 'stdout': '1..2\nok 1 a\nok 2 b\n'},
                                     {'result': 'EXPECTEDFAIL'})
        self.assertEqual((counts, out), ((2, 0, 0), ''))

    def test_failures_show_their_output(self):
        for result in ('FAIL', 'ERROR', 'TIMEOUT', 'INTERRUPT', 'UNEXPECTEDPASS'):
            counts, out = self.summarise({'result': result, 'stdout': 'so it broke\n'})
            self.assertEqual(counts, (0, 1, 0))
            self.assertIn('so it broke', out)
            self.assertIn(result, out)

    def test_failures_are_named(self):
        self.summarise({'name': 'a', 'result': 'OK'}, {'name': 'tandem:boot / boot/b', 'result': 'FAIL'},
                       {'name': 'c', 'result': 'TIMEOUT'}, {'name': 'd', 'result': 'SKIP'})
        self.assertEqual(self.failed, ['boot/b', 'c', 'd'])  # d: skips without a reason

    def test_not_ok_comes_first(self):
        lines = [f'# line {n}' for n in range(60)]
        _, out = self.summarise({'result': 'FAIL', 'stdout': '\n'.join(['ok 1 a', 'not ok 2 /net/b', *lines])})
        shown = out.splitlines()
        self.assertEqual(shown[1].strip(), 'not ok 2 /net/b')
        self.assertEqual(shown[-1].strip(), '# line 59')
        self.assertEqual(len(shown), 1 + 25)

    def report(self, *failures):
        """What unittest says of failing tests, (name, last lines) each."""
        text = ''.join(f'test_{name} (__main__.T.test_{name}) ... {how}\n' for how, name, _ in failures)
        for how, name, said in failures:
            text += ('=' * 70 + f'\n{how}: test_{name} (__main__.T.test_{name})\nWhat it is about\n' + '-' * 70 +
                     '\nTraceback (most recent call last):\n  File "/a/b_test.py", line 7, in test_' + name +
                     '\n    f()\n  File "/a/lib.py", line 9, in f\n    raise X\n' + said + '\n\n')
        return text + '-' * 70 + f'\nRan 9 tests in 3.0s\n\nFAILED (failures={len(failures)})\n'

    def test_unittest_tells_the_exception_and_the_end(self):
        guest = '\n'.join(f'guest {n}' for n in range(99))
        stderr = self.report(('FAIL', 'one', 'AssertionError: it never came:\n' + guest),
                             ('ERROR', 'two', 'OSError: [Errno 9] a'))
        _, out = self.summarise({'result': 'FAIL', 'stderr': stderr})
        shown = [line.strip() for line in out.splitlines()]
        self.assertEqual(shown[1:6], ['FAIL: test_one (__main__.T.test_one)', 'at b_test.py:7 test_one, lib.py:9 f',
                                      'AssertionError: it never came:', '[...]', 'guest 78'])
        self.assertEqual(shown[25:], ['guest 98', 'ERROR: test_two (__main__.T.test_two)',
                                      'at b_test.py:7 test_two, lib.py:9 f', 'OSError: [Errno 9] a'])

    def test_of_many_failures_the_rest_is_named(self):
        stderr = self.report(*(('FAIL', f'n{n}', f'AssertionError: {n}') for n in range(7)))
        _, out = self.summarise({'result': 'FAIL', 'stderr': stderr})
        self.assertIn('AssertionError: 4\n', out)
        self.assertNotIn('AssertionError: 5\n', out)
        self.assertIn('and FAIL: test_n5 (__main__.T.test_n5); FAIL: test_n6 (__main__.T.test_n6)\n', out)

    def test_skips_say_why(self):
        for stdout in ('1..0 # SKIP no kvm\n', '1..1\nok 1 a # SKIP no kvm\n', 'no kvm\n'):
            counts, out = self.summarise({'result': 'SKIP', 'stdout': stdout})
            self.assertEqual(counts, (0, 0, 1))
            self.assertIn('skipped: t: no kvm\n', out)

    def test_skip_in_part_passes_and_says_why(self):
        for test in ({'stdout': '1..2\nok 1 a\nok 2 b # SKIP no kvm\n'},
                     {'stderr': "test_x (a.B) ... skipped 'no kvm'\n\nOK (skipped=1)\n"}):
            counts, out = self.summarise({'result': 'OK', **test})
            self.assertEqual(counts, (1, 0, 0))
            self.assertIn('skipped in part: t: no kvm\n', out)

    def test_equal_reasons_stand_in_one_line(self):
        _, out = self.summarise({'result': 'OK', 'stdout': '1..2\nok 1 a # SKIP no kvm\n'
                                                           'ok 2 b # SKIP no kvm\n'})
        self.assertEqual(out, '   skipped in part: t: no kvm (2 times)\n')

    def test_skip_without_a_reason_is_a_failure(self):
        for test in ({'result': 'SKIP', 'stdout': ''},
                     {'result': 'SKIP', 'stdout': '1..0 # SKIP\n'},
                     {'result': 'OK', 'stdout': '1..2\nok 1 a # SKIP\nok 2 b\n'},
                     {'result': 'OK', 'stderr': 'Ran 2 tests\n\nOK (skipped=1)\n'}):
            counts, out = self.summarise(test)
            self.assertEqual(counts, (0, 1, 0), out)
            self.assertIn('without saying why', out)

    def test_nothing_is_a_failure(self):
        self.assertEqual(self.summarise()[0], (0, 1, 0))


if __name__ == '__main__':
    unittest.main()
