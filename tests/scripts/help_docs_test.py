"""Documents made from -help: every option, every line, nothing that roff would take for its own.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import unittest

import help_docs

HELP = '''usage: /some/where/program [options]

Standard options:
-help           show this text
-no-user-config accepted
-machine [type=]NAME[,KEY=VALUE...]
                the board
                .hidden \\ request

Network:
-net none       no network
'''


class HelpDocs(unittest.TestCase):
    def test_parse(self):
        self.assertEqual(help_docs.parse(HELP), [
            ('Standard options', [
                ('-help', ['show this text']), ('-no-user-config', ['accepted']),
                ('-machine [type=]NAME[,KEY=VALUE...]', ['the board', '.hidden \\ request'])]),
            ('Network', [('-net none', ['no network'])])])

    def test_what_is_not_help(self):
        for text in ('', 'nonsense\n', '-option      without a family\n',
                     'Family:\nunindented text\n', 'Family:\n                of no option\n'):
            with self.subTest(text=text), self.assertRaises(ValueError):
                help_docs.parse(text)

    def test_markdown(self):
        text = '\n'.join(help_docs.markdown('program', help_docs.parse(HELP)))
        self.assertIn('## Network\n\n    -net none\n        no network\n', text)

    def test_man(self):
        lines = list(help_docs.man('a-program', help_docs.parse(HELP)))
        self.assertIn('\\&.hidden \\e request', lines)
        self.assertIn('\\fB\\-net\\fR none', lines)
        self.assertEqual([line for line in lines if line.startswith('.h')], [])


if __name__ == '__main__':
    unittest.main()
