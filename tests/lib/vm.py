# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual machine under test: the process, its QMP and its qtest connection.

    with Vm(binary, '-machine', 'none', qtest=True) as vm:
        vm.qmp('query-status')
        vm.qtest('readb 0x1000')

The VMM connects to listening sockets of ours, as QEMU's own test library does it. Leaving the
block ends the process with SIGTERM and checks that it exits with status 0.
"""
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

TIMEOUT = 120  # seconds, for a machine that is busy; nothing waits this long when all is well


class QmpError(Exception):
    def __init__(self, error):
        super().__init__(f"{error['class']}: {error['desc']}")
        self.cls = error['class']
        self.desc = error['desc']


class Lines:
    """A stream socket read by lines, which may carry descriptors on the way out."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(TIMEOUT)
        self.rest = b''

    def read(self, end=b'\n'):
        while end not in self.rest:
            got = self.sock.recv(65536)
            if not got:
                raise EOFError('connection closed')
            self.rest += got
        line, self.rest = self.rest.split(end, 1)
        return line

    def send(self, data, fds=()):
        if fds:
            socket.send_fds(self.sock, [data[:1]], list(fds))
            data = data[1:]
        self.sock.sendall(data)

    def close(self):
        self.sock.close()


class Qmp:
    """A QMP connection. Events that arrive between replies are kept in `events`."""

    def __init__(self, sock, negotiate=True):
        self.lines = Lines(sock)
        self.events = []
        self.greeting = self.receive()
        if negotiate:
            self('qmp_capabilities')

    def receive(self):
        return json.loads(self.lines.read(b'\r\n'))

    def send(self, message, fds=()):
        self.lines.send(json.dumps(message).encode() + b'\n', fds)

    def reply(self):
        while True:
            message = self.receive()
            if 'event' not in message:
                return message
            self.events.append(message)

    def request(self, message, fds=()):
        self.send(message, fds)
        return self.reply()

    def __call__(self, command, fds=(), **arguments):
        """The return value; raises QmpError. In names of arguments `_` stands for `-`."""
        named = {name.replace('_', '-'): value for name, value in arguments.items()}
        return self.run(command, named or None, fds)

    def run(self, command, arguments=None, fds=()):
        """As a call, for arguments whose names are no Python names."""
        message = {'execute': command}
        if arguments is not None:
            message['arguments'] = arguments
        reply = self.request(message, fds)
        if 'error' in reply:
            raise QmpError(reply['error'])
        return reply['return']

    def wait_event(self, name):
        while True:
            for i, event in enumerate(self.events):
                if event['event'] == name:
                    return self.events.pop(i)
            message = self.receive()
            assert 'event' in message, message
            self.events.append(message)

    def hmp(self, line):
        return self.run('human-monitor-command', {'command-line': line})

    def close(self):
        self.lines.close()


def refusal(binary, *args):
    """What a VMM that does not start says; it must exit with status 1."""
    done = subprocess.run([binary, *args, '-display', 'none', '-nodefaults', '-accel', 'qtest'],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 1, (done.args, done.returncode, done.stderr)
    return done.stderr


class NotStarted(RuntimeError):
    """The VMM ended before its QMP greeted."""

    def __init__(self, argv, status, said):
        super().__init__(f'{argv}: ended with {status}: {said}')
        self.status = status
        self.said = said


class Vm:
    def __init__(self, binary, *args, qtest=False, accel='qtest', qmp=True, negotiate=True, status=0,
                 pass_fds=(), env=None):
        self.status = status
        self.folder = tempfile.TemporaryDirectory(prefix='vm-')
        self.irqs = {}
        argv = [binary, *args]
        listeners = []
        if qtest:
            argv += ['-qtest', 'unix:' + self.listen('qtest', listeners), '-qtest-log',
                     '/dev/null', '-accel', accel]
        if qmp:
            argv += ['-chardev', f"socket,path={self.listen('qmp', listeners)},id=char0",
                     '-mon', 'chardev=char0,mode=control']
        self.argv = argv + ['-display', 'none']
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        pass_fds=pass_fds, env=env)
        socks = [self.accept(listener) for listener in listeners]
        self.qtest_lines = Lines(socks.pop(0)) if qtest else None
        try:
            self.qmp = Qmp(socks.pop(0), negotiate) if qmp else None
        except (EOFError, ConnectionError):
            raise self.not_started() from None

    def listen(self, name, listeners):
        path = os.path.join(self.folder.name, name)
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)
        sock.listen(1)
        listeners.append(sock)
        return path

    def accept(self, listener):
        """The VMM's connection, or an error with its last words if it ended."""
        listener.settimeout(0.2)
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            try:
                sock, _ = listener.accept()
                listener.close()
                return sock
            except TimeoutError:
                if self.process.poll() is not None:
                    raise self.not_started() from None
        raise RuntimeError('the VMM did not connect')

    def not_started(self):
        said = self.process.communicate(timeout=TIMEOUT)[1].decode()
        return NotStarted(self.argv, self.process.returncode, said)

    def qtest(self, line):
        """Sends a command; its reply without "OK". IRQ lines on the way go to `irqs`."""
        self.qtest_lines.send(line.encode() + b'\n')
        while True:
            words = self.qtest_lines.read().decode().split(' ', 1)
            if words[0] != 'IRQ':
                break
            what, number = words[1].split()
            self.irqs[int(number)] = what == 'raise'
        if words[0] != 'OK':
            raise RuntimeError(' '.join(words))
        return words[1] if len(words) > 1 else ''

    def wait(self):
        out, err = self.process.communicate(timeout=TIMEOUT)
        self.stdout, self.stderr = out.decode(), err.decode()
        return self.process.returncode

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.wait()
        if status != self.status:
            raise RuntimeError(f'{self.argv}: ended with {status}: {self.stderr}')

    def kill(self):
        """An end without ceremony."""
        self.process.kill()
        self.process.communicate()
        self.release()

    def release(self):
        for connection in (self.qtest_lines, self.qmp):
            if connection:
                connection.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.end()
            elif self.process.poll() is None:
                self.process.kill()
                self.process.communicate()
            else:
                print(self.process.communicate()[1].decode())
        finally:
            self.release()
