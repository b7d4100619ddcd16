# SPDX-License-Identifier: GPL-2.0-or-later
"""Methods of a DSDT, run by ACPICA's interpreter without the hardware they speak to."""
import os
import shutil
import subprocess
import tempfile

TOOL = shutil.which('acpiexec')


def execute(tables, *methods, fill=0):
    """{method (with arguments): what acpiexec says of it}; `tables` begin with the DSDT.

    Memory is `fill` all over; several methods of one string, separated by ";execute ", share it.
    """
    with tempfile.TemporaryDirectory(prefix='acpiexec-') as folder:
        names = []
        for number, table in enumerate(tables):
            names.append(f'{number}.aml')
            with open(os.path.join(folder, names[-1]), 'wb') as out:
                out.write(table)
        found = {}
        for method in methods:
            done = subprocess.run([TOOL, '-fv', str(fill), '-b', f'execute {method}', *names], cwd=folder,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=100, check=False)
            text = done.stdout.decode(errors='replace')
            found[method] = text[text.index('Evaluating'):] if 'Evaluating' in text else text
        return found
