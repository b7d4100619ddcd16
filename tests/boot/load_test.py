# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux under load: stress-ng, 7-Zip and OpenSSL, several of them at once on several CPUs, with right results
and without complaints of the kernel. Work is given by its amount, not by time."""
import hashlib
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402

SECONDS = 800
LIBRARIES = '''libc6 libgcc-s1 libstdc[+][+]6 libssl3 libapparmor1 libbsd0 libcrypt1 libegl1 libgbm1 libgles2
libglvnd0 libipsec-mb1 libjpeg62-turbo libjudydebian1 libkmod2 libsctp1 libxxhash0 zlib1g libmd0 libdrm2
libwayland-server0 libexpat1 libzstd1 liblzma5 libffi8'''.split()
AMOUNTS = {'fork': 100, 'switch': 5000, 'futex': 2000, 'pipe': 5000, 'vm': 200, 'timer': 500,
           'signal': 5000, 'tlb-shootdown': 200, 'atomic': 20, 'sigsegv': 2000, 'sigfpe': 1000, 'str': 100,
           'qsort': 1, 'matrix': 20, 'memcpy': 10, 'bsearch': 4, 'x86syscall': 1000}


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.archive = os.path.join(cls.folder.name, 'initramfs')
        try:
            cls.kernels = {series: guest.kernel(series, 'generic') for series in ('6.1', '6.12')}
            files = guest.programs(['stress-ng', '7zr', 'openssl'],
                                   ['stress-ng', 'p7zip', 'openssl', *LIBRARIES])
            guest.shell(cls.archive, files=files)
        except subprocess.CalledProcessError:
            raise unittest.SkipTest('a guest cannot be fetched from the package archive') from None
        with open(files['bin/openssl'], 'rb') as program:
            cls.digest = hashlib.sha256(program.read()).hexdigest()

    def start(self, cpus, series):
        shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', 'q35', '-cpu', 'max', '-m', '1024', '-smp', str(cpus), '-serial', 'stdio',
             '-kernel', self.kernels[series], '-initrd', self.archive, '-append',
             f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS}'], SECONDS)
        shell.wait_for(guest.PROMPT)
        shell.run('mount -t tmpfs tmp /tmp; cd /tmp')
        return shell

    def check_stress(self, shell):
        amounts = ' '.join(f'--{name} 1 --{name}-ops {count}' for name, count in AMOUNTS.items())
        text = shell.run(f'stress-ng --verify --vm-bytes 16M --oomable {amounts} 2>&1')
        self.assertIn('successful run completed', text)
        self.assertNotRegex(text, r'(?i)fail:|unsuccessful')

    def check_results(self, shell):
        """Packed, unpacked, enciphered, deciphered: what comes out is what went in."""
        self.assertIn('Everything is Ok',
                      shell.run('7zr a -mx=1 a.7z /bin/openssl >/dev/null; 7zr x a.7z 2>&1'))
        self.assertIn(self.digest, shell.run('openssl sha256 openssl'))
        for cipher in ('aes-256-cbc', 'aes-128-ctr', 'chacha20', 'camellia-128-cbc'):
            shell.run(f'openssl enc -{cipher} -pbkdf2 -k key -in openssl -out secret')
            self.assertIn(self.digest, shell.run(f'openssl enc -d -{cipher} -pbkdf2 -k key -in secret | '
                                                 'openssl sha256'))
        self.assertIn('Key is valid', shell.run('openssl genpkey -algorithm RSA -pkeyopt '
                                                'rsa_keygen_bits:2048 -out key 2>/dev/null; '
                                                'openssl pkey -in key -check -noout'))
        self.assertIn('Verified OK', shell.run(
            'openssl pkey -in key -pubout -out pub; openssl sha256 -sign key -out sign openssl; '
            'openssl sha256 -verify pub -signature sign openssl'))

    def finish(self, shell):
        self.assertEqual(shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops|rcu.*stall|hung task'"), '')
        self.assertEqual(shell.end(), 0)

    def test_four_cpus(self):
        shell = self.start(4, '6.1')
        self.check_stress(shell)
        self.finish(shell)

    def test_two_cpus(self):
        shell = self.start(2, '6.12')
        self.check_stress(shell)
        self.check_results(shell)
        self.finish(shell)


if __name__ == '__main__':
    house.main()
