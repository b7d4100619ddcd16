# SPDX-License-Identifier: GPL-2.0-or-later
"""iperf3 of Debian, in guests and here: what both sides say of a run."""
import json
import os
import re
import socket
import subprocess

import guest

PACKAGES = ['iperf3', 'libiperf0', 'libsctp1', 'libssl3', 'libc6']


def fetch():
    """What make() needs comes into the cache; or CalledProcessError."""
    guest.kernel(flavour='generic')
    for name in ['busybox-static', *PACKAGES]:
        guest.package(name)


class Iperf:
    """A kernel and an archive, in a folder, of guests with network adapters and iperf3."""

    def __init__(self, folder):
        self.kernel = guest.kernel(flavour='generic')
        self.programs = guest.programs(['iperf3'], PACKAGES)
        self.archive = os.path.join(folder, 'initramfs')
        script = os.path.join(folder, 'script')
        with open(script, 'w', encoding='ascii') as file:
            file.write(guest.DHCP_SCRIPT)
        guest.shell(self.archive, files={'script': script, **self.programs,
                                         **guest.modules(self.kernel, guest.NETWORK_MODULES, folder)})

    def start(self, binary, *args, seconds=300):
        """A guest's shell, with the drivers loaded."""
        shell = guest.Terminal(
            [binary, '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-M', 'pc',
             '-m', '256', '-serial', 'stdio', '-kernel', self.kernel, '-initrd', self.archive, '-append',
             f'console=ttyS0 quiet reboot=t {guest.LINUX_OPTIONS}', *args], seconds)
        shell.wait_for(guest.PROMPT)
        for name in guest.NETWORK_MODULES:
            shell.run(f'[ -f /{name}.ko ] && insmod /{name}.ko')
        return shell

    def serve(self):
        """A server here, with the guest's program: its port, and what ends it."""
        with socket.create_server(('127.0.0.1', 0)) as free:
            port = free.getsockname()[1]
        server = subprocess.Popen([*guest.here(self.programs, 'iperf3'), '-s', '-p', str(port), '--forceflush'],
                                  stdout=subprocess.PIPE, text=True)
        while 'listening' not in server.stdout.readline():
            pass

        def end():
            server.kill()
            server.communicate()
        return port, end


def run(shell, to, port, *options):
    """What iperf3 in a guest says at the end of a run of two seconds, or of as much as -n says."""
    out = shell.run(f'iperf3 -c {to} -p {port}{"" if "-n" in options else " -t 2"} -J {" ".join(options)} | tr -d "\\t\\n"; echo')
    return json.loads(re.search(r'\{.*\}', out)[0])['end']


def rate(end):
    """Bits per second that came."""
    return (end.get('sum_received') or end['sum'])['bits_per_second']


def counters(text):
    """/proc/net/snmp as {'Tcp': {'RetransSegs': 0, ...}, ...}."""
    lines = [line.split() for line in text.splitlines() if ': ' in line]
    return {names[0][:-1]: dict(zip(names[1:], map(int, values[1:])))
            for names, values in zip(lines[::2], lines[1::2])}
