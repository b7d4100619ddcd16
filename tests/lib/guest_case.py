# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of Debian's kernel with a shell: each has a folder, in it an archive with the modules that it names."""
import os
import socket
import subprocess
import tempfile
import unittest

import guest
from vm import Qmp


class ShellCase(unittest.TestCase):
    FLAVOUR = 'generic'
    MODULES = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        try:
            self.kernel = guest.kernel('6.12', self.FLAVOUR)
            self.modules = guest.modules_with_needs(self.kernel, self.MODULES, self.folder) if self.MODULES else {}
            guest.shell(self.path('initramfs'), files=self.modules)
        except subprocess.CalledProcessError:
            self.skipTest('Linux or busybox-static cannot be fetched from the package archive')

    def path(self, name):
        return os.path.join(self.folder, name)

    def connect_qmp(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path('qmp'))
        qmp = Qmp(sock)
        self.addCleanup(qmp.close)
        return qmp
