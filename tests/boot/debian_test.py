# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian system made by debootstrap boots by its own GRUB from a qcow2 image behind each kind of controller, runs fio
that verifies what it wrote, and powers off: its file system and the image are whole."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import system  # noqa: E402


class Debian(system.Case):
    def check(self, controller):
        self.disk.renew()
        machine = system.Machine(self.disk, controller)
        self.addCleanup(machine.stop)
        machine.log_in()
        machine.succeed(system.FIO + '/root')
        machine.succeed(system.FIO_BUFFERED + '/root')
        if controller != 'usb-storage':  # whose driver asks for no discard
            machine.succeed('fstrim /')
        machine.succeed('md5sum /usr/lib/x86_64-linux-gnu/lib*.so.* >/root/sums && sync && '
                        'echo 3 >/proc/sys/vm/drop_caches')
        machine.succeed('md5sum --quiet -c /root/sums')
        machine.finish()
        self.disk.check()

    def test_virtio_blk(self):
        self.check('virtio-blk')

    def test_virtio_scsi(self):
        self.check('virtio-scsi')

    def test_nvme(self):
        self.check('nvme')

    def test_ahci(self):
        self.check('ahci')

    def test_usb_storage(self):
        self.check('usb-storage')


if __name__ == '__main__':
    house.main()
