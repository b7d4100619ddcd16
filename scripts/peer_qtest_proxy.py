#!/usr/bin/env python3
"""peer_qtest_proxy.py OPTION...: $TANDEM_BINARY for a test program of QEMU 7.2.

It starts the binary with the boards of that release for "pc" and "q35", and stands between the two
on QMP: members of replies that came with later releases are left out, as the programs of 7.2 take
none they do not know. All else passes as it is. Started by scripts/peer-qtests.sh.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile

BOARDS = {'pc': 'pc-i440fx-7.2', 'q35': 'pc-q35-7.2'}
NEWER = {'cpu-max': ('acpi',)}  # a member that tells the type: members of it that are newer


def translated(args):
    for before, arg in zip([''] + args, args):
        name, comma, rest = arg.partition(',')
        if before in ('-M', '-machine') and name in BOARDS:
            arg = BOARDS[name] + comma + rest
        yield arg


def filtered(line):
    if b'"cpu-max"' not in line:
        return line
    reply = json.loads(line)
    for value in reply['return']:
        for sign, members in NEWER.items():
            if sign in value:
                for member in members:
                    value.pop(member, None)
    return json.dumps(reply).encode() + b'\r\n'


class Way:
    """One direction; descriptors go with the bytes."""

    def __init__(self, source, target, by_lines):
        self.source, self.target, self.by_lines = source, target, by_lines
        self.rest = b''

    def pass_on(self):
        """False: the end."""
        data, fds, _, _ = socket.recv_fds(self.source, 65536, 8)
        if self.by_lines:
            *lines, self.rest = (self.rest + data).split(b'\n')
            out = b''.join(filtered(line + b'\n') for line in lines)
        else:
            out = data
        if out:
            if fds:
                socket.send_fds(self.target, [out[:1]], fds)
                out = out[1:]
            self.target.sendall(out)
        for fd in fds:
            os.close(fd)
        return bool(data)


def serve(client, server):
    ways = {client: Way(client, server, False), server: Way(server, client, True)}
    selector = selectors.DefaultSelector()
    for sock in ways:
        selector.register(sock, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            try:
                if not ways[key.fileobj].pass_on():
                    return
            except OSError:
                return


def main():
    args = list(translated(sys.argv[1:]))
    binary = os.environ['TANDEM_BINARY']
    at = next((i for i, arg in enumerate(args)
               if arg.startswith('socket,path=') and arg.endswith(',id=char0')), None)
    if at is None:
        os.execv(binary, [binary, *args])
    path = re.match(r'socket,path=(.*),id=char0', args[at])[1]
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    with tempfile.TemporaryDirectory(prefix='qmp-') as folder:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(folder + '/qmp')
        listener.listen(1)
        args[at] = f'socket,path={folder}/qmp,id=char0'
        child = subprocess.Popen([binary, *args], close_fds=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: child.send_signal(number))
        # A binary that does not start closes its end without having opened it.
        listener.settimeout(0.05)
        server = None
        while server is None and child.poll() is None:
            try:
                server, _ = listener.accept()
            except TimeoutError:
                pass
        if server:
            server.settimeout(None)
            serve(client, server)
        client.close()
        status = child.wait()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)  # at Python's own end a late SIGTERM would kill


if __name__ == '__main__':
    main()
