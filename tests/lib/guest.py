# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests for tests and benchmarks: Debian's kernels and packages, and an initramfs that holds given programs."""
import glob
import lzma
import os
import re
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import time

SCRIPTS = os.path.join(os.path.dirname(__file__), '..', '..', 'scripts')

# What the kernel has to say while the shell runs does not go between its lines: dmesg has it. Lines are
# not broken at the edge of a screen.
SHELL_INIT = """#!/busybox sh
/busybox mkdir -p /bin /proc /sys /tmp
/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
dmesg -n 1
export PS1='shell> '
exec setsid cttyhack sh -c 'stty cols 1000; exec sh'
"""
PROMPT = 'shell> '
# For Linux: nothing that kills a process in the kernel goes unseen; a keyboard may ask what hangs. Its check that there
# are timer interrupts counts those of a tenth of a second: where 15 processes want a CPU it panics in 2 of 70 boots.
LINUX_OPTIONS = 'panic=-1 oops=panic sysrq_always_enabled no_timer_check'

# Drivers of network adapters, in the order in which they are loaded.
NETWORK_MODULES = ['failover', 'net_failover', 'virtio_net', 'pps_core', 'ptp', 'e1000e', 'e1000', 'af_packet']
# For udhcpc -s: takes what it is offered, and says what. Addresses of IPv6 are the kernel's business: without the one
# of the link, which may have come by then, it asks for no others.
DHCP_SCRIPT = """#!/busybox sh
[ "$1" = deconfig ] && exec ip -4 addr flush dev $interface
ip addr add $ip/$mask dev $interface
[ -n "$router" ] && ip route add default via $router
echo "lease $ip $router $dns"
"""


def fetched(script, *args):
    done = subprocess.run([os.path.join(SCRIPTS, script), *args], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.strip()


def package(name, *path, arch='amd64'):
    """The path of a package's file, fetched into the cache when it is not there."""
    return os.path.join(fetched('guest-package.sh', name, arch), *path)


def kernel(series='6.12', flavour='cloud', arch='amd64'):
    """The path of a kernel image, fetched into the cache when it is not there."""
    boot = os.path.join(fetched('guest-kernel.sh', series, flavour, arch), 'boot')
    return next(os.path.join(boot, name) for name in sorted(os.listdir(boot))
                if name.startswith('vmlinu'))


def modules(image, names, folder):
    """Modules of the kernel `image`, for initramfs(): unpacked into `folder`. It may have some built in."""
    files = {}
    for name in names:
        for path in glob.glob(os.path.join(os.path.dirname(image), '..', '**', name + '.ko*'), recursive=True):
            files[name + '.ko'] = os.path.join(folder, name)
            with (lzma.open if path.endswith('.xz') else open)(path, 'rb') as module, \
                    open(files[name + '.ko'], 'wb') as out:
                shutil.copyfileobj(module, out)
    return files


class NoKernel(Exception):
    """Why there is none."""


def test_kernel():
    """The path of the kernel of tests/guest/kernel.config, built when it is not in the cache."""
    done = subprocess.run([os.path.join(SCRIPTS, 'test-kernel.sh')], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode:
        raise NoKernel((done.stderr.strip().splitlines() or ['test-kernel: failed'])[-1])
    return os.path.join(done.stdout.strip(), 'boot', 'vmlinuz-test')


def built_test_kernel():
    """The path of such a kernel that is in the cache, or None."""
    cache = os.environ.get('TANDEM_CACHE') or os.path.join(
        os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'tandem')
    found = glob.glob(os.path.join(cache, 'kernels', 'test-*', 'boot', 'vmlinuz-test'))
    return max(found, key=os.path.getmtime, default=None)


def modules_with_needs(image, names, folder):
    """As modules(), with what those need; in the order in which they are loaded."""
    files = {}

    def add(name):
        for spelled in (name, name.replace('_', '-'), name.replace('-', '_')):
            found = modules(image, [spelled], folder)
            if found and not found.keys() <= files.keys():
                with open(next(iter(found.values())), 'rb') as file:
                    needs = re.search(rb'\0depends=([^\0]*)\0', file.read())
                for need in needs[1].decode().split(',') if needs and needs[1] else ():
                    add(need)
                files.update(found)

    for name in names:
        add(name)
    return files


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


def unpack_kernel(bzimage, path):
    """Writes the ELF file in a bzImage (of those compressed with xz)."""
    with open(bzimage, 'rb') as file:
        image = file.read()
    at, size = struct.unpack_from('<II', image, 0x248)
    at += (image[0x1f1] + 1) * 512
    with open(path, 'wb') as file:
        file.write(lzma.LZMADecompressor().decompress(image[at:at + size]))


def is_elf(path):
    """Not a script that runs the program from elsewhere; nor a link that leads nowhere here."""
    if not os.path.isfile(path):
        return False
    with open(path, 'rb') as file:
        return file.read(4) == b'\x7fELF'


def programs(names, packages):
    """Programs of packages with the libraries that they need, all from `packages`: {name in the guest:
    path here}."""
    found = {}
    for name in packages:
        for folder, _, entries in os.walk(package(name)):
            for entry in entries:
                path = os.path.join(folder, entry)
                if ('.so' in entry or entry in names) and is_elf(path):
                    found.setdefault(entry, path)
    files, todo = {}, list(names)
    while todo:
        name = todo.pop()
        path = os.path.realpath(found[name])
        place = 'bin/' if name in names else 'lib64/' if name.startswith('ld-') else 'lib/'
        files[place + name] = path
        needs = subprocess.check_output(['readelf', '-d', path], text=True)
        todo += [need for need in re.findall(r'\(NEEDED\).*\[(.*)\]', needs)
                 if not any(file.endswith('/' + need) for file in files)]
    return files


def here(files, name):
    """How a program of programs() is run on this host, whose own libraries it does not take."""
    libraries = sorted({os.path.dirname(path) for entry, path in files.items() if entry.startswith('lib/')})
    loader = next(path for entry, path in files.items() if entry.startswith('lib64/'))
    return [loader, '--library-path', ':'.join(libraries), files['bin/' + name]]


def shell(path, arch='amd64', files=()):
    """Writes an archive with a shell on the console, and `files` as initramfs() takes them."""
    folder = os.path.dirname(path)
    init = os.path.join(folder, 'init')
    with open(init, 'w', encoding='ascii') as script:
        script.write(SHELL_INIT)
    initramfs(path, {'init': init, 'busybox': package('busybox-static', 'bin', 'busybox', arch=arch),
                     **dict(files)})


def initramfs(path, files):
    """Writes an archive with a console and `files`, {name in the guest: path here}."""
    entries = [('dev', stat.S_IFDIR | 0o755, b'', (0, 0)),
               ('dev/console', stat.S_IFCHR | 0o600, b'', (5, 1)),
               ('dev/null', stat.S_IFCHR | 0o666, b'', (1, 3)),
               ('dev/kmsg', stat.S_IFCHR | 0o600, b'', (1, 11))]
    folders = {os.path.dirname(name) for name in files} - {'', 'dev'}
    entries += [(folder, stat.S_IFDIR | 0o755, b'', (0, 0)) for folder in sorted(folders)]
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

    def __init__(self, command, seconds=300, stdin=subprocess.DEVNULL, pass_fds=()):
        self.start = time.perf_counter()
        self.seconds = seconds
        self.process = subprocess.Popen(['timeout', '-k', '5', str(seconds), *command], text=True,
                                        errors='replace', stdin=stdin, pass_fds=pass_fds,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def lines(self):
        for line in self.process.stdout:
            yield time.perf_counter() - self.start, line.rstrip('\r\n')
        self.close()

    def close(self):
        if self.process.stdin:
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def how_it_ended(self):
        """For messages, once it is closed."""
        status = self.process.returncode
        after = f'after {time.perf_counter() - self.start:.0f} s'
        if status in (124, 137):  # what timeout(1) says of TERM and KILL
            return f'the process was ended by the limit of {self.seconds} s' + ' (by KILL)' * (status == 137)
        if status < 0 or status > 128:
            number = -status if status < 0 else status - 128
            return f'the process died of {signal.Signals(number).name} {after}'
        return f'the process ended with status {status} {after}'


# Of what a monitor says about a machine that hangs.
LAST_WORDS = re.compile(r'^(VM status|CPU#|[ER]IP=|LVTT\t|Timer|ISR|IRR|ioapic|  (IRR|Remote IRR))')
LAST_WORDS_SECONDS = 30


class Terminal(Console):
    """A console that is typed on. `text` is what came and was not yet waited for, without what moves
    the cursor and sets colours."""
    CONTROL = re.compile(r'\x1b\[[0-9;=?]*[A-Za-z]')

    def __init__(self, command, seconds=300, prompt=PROMPT, enter='\n'):
        self.monitor, theirs = socket.socketpair()
        with theirs:
            super().__init__([*command, '-chardev', f'socket,id=last-words,fd={theirs.fileno()}',
                              '-mon', 'last-words'], seconds, stdin=subprocess.PIPE, pass_fds=[theirs.fileno()])
        self.prompt = prompt
        self.enter = enter
        self.text = ''
        self.seen = ''
        self.last_words = ''

    def wait_for(self, pattern):
        """What came up to and with the first match of a regular expression; an error at the end."""
        while True:
            match = re.search(pattern, self.text)
            if match:
                before, self.text = self.text[:match.end()], self.text[match.end():]
                return before
            came = self.read()
            if not came:
                self.close()
                raise AssertionError(f'{pattern!r} never came, {self.how_it_ended()}:\n' + self.seen[-4000:] +
                                     self.last_words)
            self.text = self.CONTROL.sub('', self.text + came)
            self.seen += came

    def read(self):
        """What comes next; '' at the end. Shortly before the limit a machine is asked what it does."""
        output = self.process.stdout.fileno()
        left = self.start + self.seconds - LAST_WORDS_SECONDS - time.perf_counter()
        if not self.last_words and not select.select([output], [], [], max(left, 0))[0]:
            self.last_words = self.ask_last_words()
        return os.read(output, 65536).decode(errors='replace')

    def ask_last_words(self):
        """What the CPUs do and which interrupts are pending; what Linux knows goes to its console, if it hears."""
        keys = ''.join(f'sendkey alt-sysrq-{key}\n' for key in '9lw')
        text = b''
        try:
            self.monitor.sendall(f'info status\ninfo registers -a\ninfo lapic\ninfo pic\n{keys}'.encode())
            while select.select([self.monitor], [], [], 5)[0] and (came := self.monitor.recv(65536)):
                text += came
        except OSError as error:
            text += str(error).encode()
        lines = self.CONTROL.sub('', text.decode(errors='replace')).splitlines()
        return '\nlast words:\n' + '\n'.join(line for line in lines if LAST_WORDS.search(line))

    def close(self):
        self.monitor.close()
        super().close()

    def type(self, text):
        os.write(self.process.stdin.fileno(), text.encode())

    def run(self, command):
        """What a command in the shell prints."""
        self.type(command + self.enter)
        self.wait_for(re.escape(command) + '\r*\n')
        return self.wait_for(self.prompt)[:-len(self.prompt)].replace('\r', '').strip()

    def end(self, command='poweroff -f'):
        """Ends the shell's guest; the process's status."""
        self.type(command + self.enter)
        for _, line in self.lines():
            self.seen += line + '\n'
        return self.process.returncode

    def stop(self):
        self.process.terminate()
        self.close()
