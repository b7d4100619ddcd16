# SPDX-License-Identifier: GPL-2.0-or-later
"""Where something stands in a schema file, and what is wrong there."""

from collections import namedtuple

Place = namedtuple('Place', 'file line')


class SchemaError(Exception):
    def __init__(self, place, message):
        super().__init__(f'{place.file}:{place.line}: {message}')
