# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian system with a disk behind each kind of controller: fio verifies on all of them, behind an IOMMU too, while
the machine is saved, goes back to what it was, and moves to another process. Disks come, and go, meanwhile."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import system  # noqa: E402

DISKS = {  # by the serial number that the guest finds it by
    'scsi': ['-device', 'virtio-scsi-pci,id=s', '-device', 'scsi-hd,drive=scsi,bus=s.0,serial=scsi'],
    'nvme': ['-device', 'nvme,drive=nvme,serial=nvme'],
    'ahci': ['-device', 'ide-hd,drive=ahci,bus=ide.0,serial=ahci'],
    'usb': ['-device', 'qemu-xhci', '-device', 'usb-storage,drive=usb,serial=usb'],
}
# How their images, of small clusters, are read and written; few tables are kept, so that others wait for them.
WAYS = {
    'scsi': 'cache=none,aio=io_uring,l2-cache-size=32k,cache-size=64k',
    'nvme': 'cache=none,aio=native,l2-cache-size=32k,cache-size=64k',
    'ahci': 'aio=threads',
    'usb': 'aio=io_uring',
}
PLUGS = {
    'virtio': {'driver': 'virtio-blk-pci', 'bus': 'port1', 'serial': 'virtio'},
    'scsi': {'driver': 'scsi-hd', 'bus': 's.0', 'serial': 'scsi'},
    'nvme': {'driver': 'nvme', 'bus': 'port2', 'serial': 'nvme'},
    'usb': {'driver': 'usb-storage', 'bus': 'x.0', 'serial': 'usb'},
}
# A function that waits for the disk with a serial number, and prints its name.
FIND = ('find_disk() { while :; do for d in $(lsblk -dnpo NAME); do udevadm info $d | grep -q "ID_SERIAL.*$1" && '
        'echo $d && return; done; sleep 0.1; done; }')


class Moves(system.Case):
    def setUp(self):
        self.disk.renew()
        self.others = {name: system.Disk(os.path.join(self.folder, f'{name}.qcow2'), '64M', options='cluster_size=4k')
                       for name in {**DISKS, **PLUGS}}

    def start(self, controller, *args, linux='', **more):
        machine = system.Machine(self.disk, controller, *args, '-smp', '2', linux=linux, **more)
        self.addCleanup(machine.stop)
        return machine

    def drive(self, name):
        return '-drive', f'file={self.others[name].path},if=none,id={name},discard=unmap,{WAYS[name]}'

    def mount(self, machine, name):
        machine.succeed(f'disk=$(find_disk {name}) && mkfs.ext4 -q $disk && mkdir -p /mnt/{name} && '
                        f'mount $disk /mnt/{name}')

    def check_behind_iommu(self, controller, device):
        machine = self.start(controller, '-device', 'intel-iommu,intremap=on,device-iotlb=on', *device,
                             linux='intel_iommu=on').log_in()
        machine.succeed('ls /sys/kernel/iommu_groups/1')
        machine.succeed(system.FIO + '/root')
        machine.finish()
        self.disk.check()

    def test_virtio_behind_iommu(self):
        self.check_behind_iommu(None, ['-device', 'virtio-blk-pci,drive=d,iommu_platform=on,disable-legacy=on'])

    def test_nvme_behind_iommu(self):
        self.check_behind_iommu('nvme', [])

    def all_disks(self, *args, **more):
        return self.start('virtio-blk', *(word for name in DISKS for word in (*self.drive(name), *DISKS[name])),
                          *args, **more)

    def work(self, machine):
        """fio on all disks, for as long as it takes; see worked()."""
        places = ' '.join(['/root', *(f'/mnt/{name}' for name in DISKS)])
        machine.succeed(f'for at in {places}; do (while [ ! -e /run/stop ] && {system.FIO}$at >/dev/null; do '
                        'echo round; done; echo $? >>/run/ended) & done')

    def worked(self, machine):
        machine.type('touch /run/stop; wait\n')  # rounds go between its letters
        machine.wait_for(system.PROMPT)
        self.assertEqual(machine.run('cat /run/ended').split(), ['0'] * (len(DISKS) + 1))
        machine.run(f"umount {' '.join(f'/mnt/{name}' for name in DISKS)}")
        machine.finish()
        for disk in (self.disk, *(self.others[name] for name in DISKS)):
            disk.check()

    def test_saved_and_moved(self):
        machine = self.all_disks().log_in()
        machine.succeed(FIND)
        for name in DISKS:
            self.mount(machine, name)
        self.work(machine)
        machine.wait_for('round')
        self.assertEqual(machine.qmp.hmp('savevm busy'), '')
        for _ in range(3):
            machine.wait_for('round')
        self.assertEqual(machine.qmp.hmp('loadvm busy'), '')
        machine.wait_for('round')
        state = os.path.join(self.folder, 'state')
        machine.migrate(f'exec:cat >{state}')
        machine.kill()
        machine = self.all_disks('-incoming', f'exec:cat {state}')
        machine.wait_for('round')
        # And to a process that is there already.
        other = self.all_disks('-incoming', 'defer', name='other')
        wire = f"unix:{os.path.join(self.folder, 'wire')}"
        other.qmp('migrate-incoming', uri=wire)
        machine.migrate(wire)
        other.wait_for('round')
        machine.quit()
        self.worked(other)

    def plug(self, machine, name):
        qmp = machine.qmp
        qmp('blockdev-add', driver='qcow2', node_name=name, discard='unmap',
            file={'driver': 'file', 'filename': self.others[name].path})
        qmp('device_add', id=f'{name}-disk', drive=name, **PLUGS[name])
        self.mount(machine, name)
        machine.succeed(f'{system.FIO}/mnt/{name}')
        machine.succeed(f'umount /mnt/{name}')
        if name == 'scsi':
            machine.succeed('echo 1 >/sys/block/${disk#/dev/}/device/delete')
        qmp('device_del', id=f'{name}-disk')
        while qmp.wait_event('DEVICE_DELETED')['data'].get('device') != f'{name}-disk':
            pass
        machine.succeed('while [ -e $disk ]; do sleep 0.1; done')
        qmp('blockdev-del', node_name=name)
        self.others[name].check()

    def test_plugged(self):
        """AHCI's disks are there when the machine starts."""
        machine = self.start('virtio-blk', '-device', 'pcie-root-port,id=port1,slot=1', '-device',
                             'pcie-root-port,id=port2,slot=2', '-device', 'virtio-scsi-pci,id=s', '-device',
                             'qemu-xhci,id=x').log_in()
        machine.succeed(FIND)
        for name in PLUGS:
            with self.subTest(name):
                self.plug(machine, name)
        machine.finish()
        self.disk.check()


if __name__ == '__main__':
    house.main()
