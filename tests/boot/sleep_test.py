# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux sleeps with its memory kept (S3) and is woken: firmware leads it back, and its disks, which have lost what they
knew, are as before. Behind an IOMMU too."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
from guest_case import ShellCase  # noqa: E402

SECONDS = 600  # for a busy machine; nothing waits this long when all is well
DEVICES = {'usb-storage': 'bus=usb.0', 'nvme': 'serial=1', 'ide-hd': 'bus={ide}', 'virtio-blk-pci': 'disable-legacy=on'}
DISKS = '/dev/sda /dev/sdb /dev/nvme0n1 /dev/vda'
TROUBLE = "dmesg | grep -E 'DMAR:.*([Ff]ault|fail)|HC died|WARNING:|BUG:|Oops|I/O error|timeout'"


class Sleep(ShellCase):
    MODULES = 'xhci_pci', 'usb_storage', 'sd_mod', 'ahci', 'nvme', 'virtio_pci', 'virtio_blk'

    def disks(self, ide, more):
        args = ['-device', 'qemu-xhci,id=usb']
        for name, keys in DEVICES.items():
            with open(self.path(name), 'wb') as file:
                file.write(random.Random(name).randbytes(2 << 20))
            args += ['-blockdev', f'driver=file,filename={self.path(name)},node-name={name}',
                     '-device', f'{name},drive={name},{keys.format(ide=ide)}' + more * (name == 'virtio-blk-pci')]
        return args

    def start(self, board, ide, append='', *args, more=''):
        shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
             '-M', board, '-cpu', 'max', '-m', '512', '-serial', 'stdio', '-qmp',
             f"unix:{self.path('qmp')},server=on,wait=off", *args,
             *self.disks(ide, more), '-kernel', self.kernel, '-initrd', self.path('initramfs'), '-append',
             f'console=ttyS0 reboot=t no_console_suspend {guest.LINUX_OPTIONS} {append}'], SECONDS)
        self.addCleanup(shell.stop)
        shell.wait_for(guest.PROMPT)
        shell.run('dmesg -n 1')  # nothing comes between what is waited for
        for name in self.modules:
            self.assertEqual(shell.run(f'insmod /{name}'), '', name)
        shell.run(f'for d in {DISKS}; do until (: <$d) 2>/dev/null; do sleep 0.1; done; done')
        self.qmp = self.connect_qmp()
        return shell

    def sums(self, shell):
        """Past the page cache; the kernel may call the disks otherwise after it woke."""
        each = 'dd if=$d bs=64k iflag=direct 2>/dev/null | md5sum'
        return sorted(shell.run(f'for d in {DISKS}; do {each}; done').split())

    def check(self, shell):
        before = self.sums(shell)
        self.assertEqual(len(set(before)), 5, before)
        for _ in range(2):
            shell.type('echo mem > /sys/power/state; echo awa"ke"\n')
            self.qmp.wait_event('SUSPEND')
            self.assertEqual(self.qmp('query-status')['status'], 'suspended')
            self.qmp('system_wakeup')
            shell.wait_for('awake\r*\n')
            shell.wait_for(guest.PROMPT)
            self.assertIn('Waking up from system sleep state S3', shell.run('dmesg | grep Waking'))
            while self.sums(shell) != before:  # a disk may come anew, later; if it does not, time ends this
                pass
            self.assertEqual(shell.run(TROUBLE), '')
            shell.run('dmesg -c >/dev/null')
        self.assertEqual(shell.end(), 0)

    def test_pc(self):
        self.check(self.start('pc', 'ahci.0', '', '-device', 'ich9-ahci,id=ahci'))

    def test_q35_behind_iommu(self):
        shell = self.start('q35', 'ide.0', 'intel_iommu=on,sm_on iommu.strict=1', '-smp', '2', '-device',
                           'intel-iommu,intremap=on,x-scalable-mode=modern,device-iotlb=on', more=',iommu_platform=on')
        self.assertIn('DMAR', shell.run('dmesg | grep DMAR-IR'))
        self.check(shell)


if __name__ == '__main__':
    house.main()
