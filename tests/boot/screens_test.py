# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's drivers of virtio-gpu and virtio input: the guest's console on a VNC screen, keys as evdev has them."""
import os
import re
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
import vnc  # noqa: E402
from guest_case import ShellCase  # noqa: E402

SECONDS = 500
EVENT = 24  # bytes of an input_event


class Screens(ShellCase):
    MODULES = 'virtio_gpu', 'virtio_input', 'evdev'

    def dump(self, qmp):
        qmp('screendump', filename=self.path('dump'))
        with open(self.path('dump'), 'rb') as file:
            _, size, _, pixels = file.read().split(b'\n', 3)
        return (*map(int, size.split()), pixels)

    def events(self, shell, device):
        """What the guest has read of a device: (type, code, value)."""
        text = shell.run(f'xxd -p -c {EVENT} /tmp/{device}')  # and what the shell says of its jobs
        return [struct.unpack('<HHi', bytes.fromhex(line[32:]))
                for line in re.findall(rf'\b[0-9a-f]{{{2 * EVENT}}}\b', text)]

    def test_linux(self):
        shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-no-reboot', '-M', 'q35',
             '-cpu', 'max', '-m', '512', '-serial', 'stdio', '-vnc', f"unix:{self.path('vnc')}",
             '-device', 'virtio-gpu-pci,xres=800,yres=608', '-device', 'virtio-keyboard-pci', '-device',
             'virtio-tablet-pci', '-qmp', f"unix:{self.path('qmp')},server=on,wait=off",
             '-kernel', self.kernel, '-initrd', self.path('initramfs'),
             '-append', f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS}'], SECONDS)
        shell.wait_for(guest.PROMPT)
        for name in self.modules:
            self.assertEqual(shell.run(f'insmod /{name} && echo loaded'), 'loaded')
        self.assertEqual(shell.run('cat /sys/class/graphics/fb0/virtual_size'), '800,608')
        self.assertEqual(shell.run('cat /sys/class/drm/card0-Virtual-1/status'), 'connected')
        self.assertEqual(shell.run('head -c 8 /sys/class/drm/card0-Virtual-1/edid | od -An -tx1'),
                         '00 ff ff ff ff ff ff 00')
        qmp = self.connect_qmp()
        with vnc.Vnc.unix(self.path('vnc'), encodings=(vnc.RAW, vnc.DESKTOP_SIZE)) as client:
            # White lines by the driver's own memory, where no cursor blinks.
            shell.run("dd if=/dev/zero bs=3200 count=100 2>/dev/null | tr '\\000' '\\377' | "
                      "dd of=/dev/fb0 bs=3200 seek=300 2>/dev/null")
            white, at = b'\xff' * 800 * 100 * 3, 800 * 300 * 3
            while client.picture.rgb()[at:at + len(white)] != white:
                client.update(incremental=True)
            qmp('stop')
            width, height, shown = self.dump(qmp)
            self.assertEqual((width, height), (800, 608))
            while client.picture.rgb() != shown:
                client.update(incremental=True)
            qmp('cont')
            names = shell.run('cat /sys/class/input/event*/device/name').splitlines()
            keyboard, tablet = (names.index(f'QEMU Virtio {what}') for what in ('Keyboard', 'Tablet'))
            files = shell.run('ls -1d /sys/class/input/event*').splitlines()
            for name, n, count in (('keys', keyboard, 4), ('moves', tablet, 3)):
                shell.run(f'head -c {count * EVENT} /dev/input/{os.path.basename(files[n])} > '
                          f'/tmp/{name} &')
            shell.run('sleep 1')
            client.type(ord('z'))
            client.pointer(400, 304, 1)
            while len(self.events(shell, 'keys')) < 4 or len(self.events(shell, 'moves')) < 3:
                pass
            self.assertEqual(self.events(shell, 'keys'), [(1, 44, 1), (0, 0, 0), (1, 44, 0), (0, 0, 0)])
            moves = self.events(shell, 'moves')
            self.assertEqual([move[:2] for move in moves], [(3, 0), (3, 1), (1, 0x110)])
            self.assertAlmostEqual(moves[0][2], 0x4000, delta=50)
        self.assertEqual(shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops|hung task'"), '')
        self.assertEqual(shell.end(), 0)


if __name__ == '__main__':
    unittest.main()
