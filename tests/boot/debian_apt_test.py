# SPDX-License-Identifier: GPL-2.0-or-later
"""apt of a Debian system fetches an index and packages from an HTTP server in a network namespace, over the user
network and a TAP interface; installs them, and refuses one that is not what the index says."""
import contextlib
import functools
import hashlib
import http.server
import os
import random
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import namespace  # noqa: E402
import system  # noqa: E402

FILES = {f'/usr/share/music/{n}': random.Random(n).randbytes(size)
         for n, size in enumerate([0, 1, 4096, 100_000, 3 << 20])}
UP = """#!/bin/sh
ip addr add 10.7.0.1/24 dev "$1"
ip link set "$1" up
"""
PLAYER = '#!/bin/sh\nexec md5sum /usr/share/music/*\n'


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'  # apt asks for all packages over one connection

    def log_message(self, *_):
        pass


def package(at, name, files, depends=''):
    """A package in the folder `at`; its paragraph of the index."""
    with tempfile.TemporaryDirectory() as tree:
        os.chmod(tree, 0o755)
        control = f'Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: none\nDescription: a test\n{depends}'
        for path, content in {'/DEBIAN/control': control.encode(), **files}.items():
            os.makedirs(os.path.dirname(tree + path), exist_ok=True)
            with open(tree + path, 'wb') as file:
                file.write(content)
            os.chmod(tree + path, 0o755 if '/bin/' in path else 0o644)
        deb = os.path.join(at, name + '.deb')
        subprocess.run(['dpkg-deb', '-Znone', '--root-owner-group', '--build', tree, deb], check=True,
                       stdout=subprocess.DEVNULL)
    with open(deb, 'rb') as file:
        data = file.read()
    return f'{control}Filename: ./{name}.deb\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n'


class Apt(system.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.up = os.path.join(cls.folder, 'up')
        with open(cls.up, 'w', encoding='ascii') as file:
            file.write(UP)
        os.chmod(cls.up, 0o755)
        cls.archive = os.path.join(cls.folder, 'archive')
        os.mkdir(cls.archive)
        index = (package(cls.archive, 'music', FILES)
                 + package(cls.archive, 'player', {'/usr/bin/player': PLAYER.encode()}, 'Depends: music\n')
                 + package(cls.archive, 'other', {'/usr/share/other': bytes(100_000)}))
        with open(os.path.join(cls.archive, 'Packages'), 'w', encoding='ascii') as file:
            file.write(index)
        with open(os.path.join(cls.archive, 'other.deb'), 'r+b') as file:
            file.seek(50_000)
            file.write(b'\1')

    def serve(self, address):
        handler = functools.partial(Handler, directory=self.archive)
        server = http.server.ThreadingHTTPServer((address, 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_port

    def start(self, *args):
        self.disk.renew()
        machine = system.Machine(self.disk, 'virtio-blk', *args, linux='net.ifnames=0')
        self.addCleanup(machine.stop)
        return machine.log_in()

    def install(self, machine, host, port):
        machine.run(f'echo "deb [trusted=yes] http://{host}:{port} ./" >/etc/apt/sources.list')
        machine.succeed('apt-get -q update && apt-get -q -y install player')
        sums = ''.join(f'{hashlib.md5(data).hexdigest()}  {path}\n' for path, data in FILES.items())
        self.assertEqual(machine.run('player'), sums.strip())
        self.assertEqual(machine.run('dpkg --verify player music'), '')
        out = machine.run('apt-get -q -y install other; echo status $?')
        self.assertIn('Hash Sum mismatch', out)
        self.assertIn('status 100', out)
        machine.finish()
        self.disk.check()

    def test_user(self):
        port = self.serve('127.0.0.1')
        machine = self.start('-netdev', 'user,id=n', '-device', 'e1000e,netdev=n')
        machine.run('systemctl start systemd-networkd; until ip route | grep default; do sleep 0.1; done')
        self.install(machine, '10.0.2.2', port)

    def test_tap(self):
        machine = self.start('-netdev', f'tap,id=n,ifname=da0,script={self.up},downscript=no', '-device',
                             'virtio-net-pci,netdev=n')
        machine.run('ip link set eth0 up; ip addr add 10.7.0.2/24 dev eth0')
        self.install(machine, '10.7.0.1', self.serve('10.7.0.1'))


if __name__ == '__main__':
    if namespace.MARK not in os.environ:
        with contextlib.suppress(system.NoSystem):  # there is no archive where it goes
            system.folder()
    namespace.enter()
    house.main()
