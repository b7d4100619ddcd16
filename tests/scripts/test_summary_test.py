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
        counts = test_summary.summarise(lines, out)
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
