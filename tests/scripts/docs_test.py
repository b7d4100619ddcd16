"""Documents: every link leads somewhere.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import unittest

import check_layers  # beside the scripts

SOURCE = os.path.dirname(os.path.dirname(check_layers.__file__))
LINK = re.compile(r'\]\(([^)#\s]+)[^)]*\)')


def documents():
    yield 'README.md'
    for folder, _, names in os.walk(os.path.join(SOURCE, 'docs')):
        for name in names:
            if name.endswith('.md'):
                yield os.path.relpath(os.path.join(folder, name), SOURCE)


def targets(path):
    """Where the links of a document lead, below the source folder."""
    with open(os.path.join(SOURCE, path), encoding='utf-8') as file:
        links = [link for link in LINK.findall(file.read()) if '://' not in link]
    return {os.path.normpath(os.path.join(os.path.dirname(path), link)) for link in links}


class Documents(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for path in documents():
            for target in targets(path):
                with self.subTest(document=path, link=target):
                    self.assertTrue(os.path.exists(os.path.join(SOURCE, target)))


if __name__ == '__main__':
    unittest.main()
