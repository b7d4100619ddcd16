# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests for tests and benchmarks: Debian's kernels, and an initramfs that holds given programs."""
import os
import stat
import subprocess
import time

SCRIPTS = os.path.join(os.path.dirname(__file__), '..', '..', 'scripts')


def kernel(series='6.12', flavour='cloud', arch='amd64'):
    """The path of a kernel image, fetched into the cache when it is not there."""
    script = os.path.join(SCRIPTS, 'guest-kernel.sh')
    boot = os.path.join(subprocess.run([script, series, flavour, arch], check=True, text=True,
                                       stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL).stdout.strip(), 'boot')
    return next(os.path.join(boot, name) for name in sorted(os.listdir(boot))
                if name.startswith('vmlinu'))


def cpio(entries):
    """An archive as the kernel unpacks it ("newc"): (name, mode, content, device) each."""
    out = bytearray()
    for number, (name, mode, content, device) in enumerate([*entries, ('TRAILER!!!', 0, b'', (0, 0))]):
        fields = (number + 1, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name) + 1, 0)
        out += b'070701' + ''.join(f'{field:08x}' for field in fields).encode()
        for part in (name.encode() + b'\0', content):
            out += part
            out += bytes(-len(out) % 4)
    return bytes(out)


def initramfs(path, files):
    """Writes an archive with a console and `files`, {name in the guest: path here}."""
    entries = [('dev', stat.S_IFDIR | 0o755, b'', (0, 0)),
               ('dev/console', stat.S_IFCHR | 0o600, b'', (5, 1)),
               ('dev/null', stat.S_IFCHR | 0o666, b'', (1, 3)),
               ('dev/kmsg', stat.S_IFCHR | 0o600, b'', (1, 11))]
    for name, source in files.items():
        with open(source, 'rb') as file:
            entries.append((name, stat.S_IFREG | 0o755, file.read(), (0, 0)))
    with open(path, 'wb') as archive:
        archive.write(cpio(entries))


def build(source, program, *flags):
    """A program of tests/guest/, linked statically."""
    path = os.path.join(os.path.dirname(__file__), '..', 'guest', source)
    subprocess.run([os.environ.get('GUEST_CC', 'cc'), '-O2', '-static', '-o', program, path, *flags],
                   check=True)
    return program


class Console:
    """A machine with its first serial line on our pipe. Lines come with the seconds since its start."""

    def __init__(self, command, seconds=300):
        self.start = time.perf_counter()
        self.seconds = seconds
        self.process = subprocess.Popen(['timeout', '-k', '5', str(seconds), *command], text=True,
                                        errors='replace', stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def lines(self):
        for line in self.process.stdout:
            yield time.perf_counter() - self.start, line.rstrip('\r\n')
        self.close()

    def close(self):
        self.process.stdout.close()
        self.process.wait()
