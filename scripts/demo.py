#!/usr/bin/env python3
"""demo.py BINARY [--no-guest]: what Tandem is for, shown. A Linux guest has its DMA translated by tables of its
own, and the monitor walks them. Without a kernel to be had, or with --no-guest, tables are written by hand over
qtest. Ends with status 1 at the first thing that is not right.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests', 'lib'))
import guest  # noqa: E402
from vm import Qmp, QmpError, Vm  # noqa: E402

SECONDS = 600  # for a busy machine; nothing waits this long when all is well
WIDTH = 118  # of what is shown
GREETING = 'Hello from the disk'
SUBMISSION_QUEUE = 0x28  # of an NVMe controller: where its register ASQ is

# What each is for is printed beside it.
GUEST = (
    ('-M q35 -cpu max,-la57 -m 512 -accel tcg', 'a PC on the software CPU: no KVM, no IOMMU of the host'),
    ('-device intel-iommu,x-scalable-mode=modern,device-iotlb=on,svm=on', 'a VT-d: first-stage tables, PASIDs'),
    ('-device nvme,id=disk,addr=4,drive=image,serial=1', 'a disk that does DMA'),
    ('-device iommu-testdev,id=stray,addr=5', 'a device that does DMA wherever it is told'),
    ('-device intel-dsa,id=dsa,addr=8', 'an accelerator that takes work from processes'),
)
# Of the kernel's log, as it comes.
INTERESTING = re.compile(r'Linux version|IOMMU enabled|dmar0: |Directed I/O|Default domain|'
                         r'00:0[458].0: Adding to iommu')

# The tables of an address space, for 00:04.0 with PASID 5: (address, value, what that is).
TABLES = (
    (0x100000, 0x101001, 'root table: bus 0 has a context table at 0x101000'),
    (0x101400, 0x102e1d, 'context table: 00:04.0 has a PASID directory at 0x102000'),
    (0x102000, 0x103001, 'PASID directory: PASIDs 0 to 63 are in a table at 0x103000'),
    (0x103000, 0x101, 'PASID table: DMA without one passes through'),
    (0x103140, 0x41, 'PASID table: 5 has a first stage ...'),
    (0x103148, 0x7, '... in domain 7 ...'),
    (0x103150, 0x104000, '... at 0x104000'),
    (0x104000, 0x105007, 'the four levels of a page table like a process has it'),
    (0x105000, 0x106007, ''),
    (0x106000, 0x107007, ''),
    (0x107008, 0x200007, 'the page at 0x1000 is in memory at 0x200000'),
)
REGISTERS = ((0xfed90020, 0x100400, 'q', 'the unit is told where the root table is'),
             (0xfed90018, 0x40000000, 'l', 'it takes that'),
             (0xfed90018, 0x80000000, 'l', 'it translates'))


def show(text=''):
    print(text, flush=True)


def heading(text):
    show(f'\n=== {text}')


def expect(what, is_true):
    if not is_true:
        sys.exit(f'demo: {what}')


def show_line(text):
    show('  ' + (text if len(text) <= WIDTH else text[:WIDTH - 4] + ' ...'))


def ask(qmp, line, shown='.+'):
    """A line for the monitor. Of its answer what `shown` matches is printed; all is returned."""
    show(f'(qemu) {line}')
    try:
        answer = qmp.hmp(line).replace('\r', '')
    except QmpError as error:
        sys.exit(f'demo: refused: {error}')
    for text in re.findall(shown, answer, re.M):
        for part in text.splitlines():
            show_line(part)
    return answer


def ask_iommu(qmp, device):
    """What the unit says of itself and of one device, which is returned."""
    spaces = rf'^ +00:{device}\.0 .*\n(?: {{4}}.*\n)*'
    answer = ask(qmp, 'info iommu', r'^intel-iommu.*|' + spaces)
    expect('the unit does not translate', 'intel-iommu: translating' in answer)
    found = re.search(spaces, answer, re.M)
    return found[0] if found else ''


def walk(qmp, device, address, pasid=''):
    """Where an address of a device leads, shown entry by entry."""
    answer = ask(qmp, f'x-iommu-walk {device} {address:#x} {pasid}'.rstrip())
    found = re.search(r'^first: (0x[0-9a-f]+) ', answer, re.M)
    return int(found[1], 16) if found else None


# --- with a guest ---

def find_kernel():
    """The kernel, and whether processes may share their addresses with a device in it. It may not be there."""
    built = guest.built_test_kernel()
    try:
        return built or guest.kernel('6.12', 'cloud'), bool(built)
    except (subprocess.CalledProcessError, OSError):
        return None, False


def command_line(binary, folder, kernel):
    shown = [binary, '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot']
    show('$ ' + os.path.basename(binary) + ' ... \\')
    for options, what in GUEST:
        shown += options.split()
        show(f'    {options:66} # {what}')
    return [*shown, '-blockdev', f'driver=file,filename={folder}/image,node-name=image,read-only=on',
            '-kernel', kernel, '-initrd', f'{folder}/initramfs', '-serial', 'stdio',
            '-qmp', f'unix:{folder}/qmp,server=on,wait=off', '-append',
            'console=ttyS0 reboot=t panic=-1 no_timer_check intel_iommu=on,sm_on']


def prepare(folder):
    """The disk, and an archive with the guest's only program."""
    here = os.path.join(os.path.dirname(guest.__file__), '..', 'guest')
    program = guest.build('demo_init.c', os.path.join(folder, 'init'),
                          *(os.path.join(here, name) for name in ('sva.c', 'dsa_user.c')))
    guest.initramfs(os.path.join(folder, 'initramfs'), {'init': program})
    with open(os.path.join(folder, 'image'), 'wb') as image:
        image.write(GREETING.encode() + b'\n')
        image.truncate(1 << 20)


class Guest(guest.Terminal):
    """What it says is shown up to the next stop, a line "demo NAME" of its program's."""

    def until(self, stop, keep='^guest: '):
        said = self.wait_for(rf'demo {stop}\r*\n')
        for line in said.replace('\r', '').splitlines():
            if re.search(keep, line):
                show('  ' + line.split(' (')[0])
        return said

    def go_on(self):
        self.type('\n')


def show_boot(console):
    heading('Linux starts, and finds the unit')
    start = time.monotonic()
    expect('the kernel says nothing of the unit', 'DMAR' in console.until('up', INTERESTING))
    show(f'  ({time.monotonic() - start:.1f} seconds)')


def show_disk(console, qmp):
    heading("The disk's DMA goes through tables of the guest's")
    console.go_on()
    expect('the disk cannot be read', GREETING in console.until('disk'))
    expect('the disk has no tables', 'first stage of' in ask_iommu(qmp, '04'))
    disk = next(function for bus in qmp('query-pci') for function in bus['devices']
                if function['qdev_id'] == 'disk')
    register = disk['regions'][0]['address'] + SUBMISSION_QUEUE
    answer = ask(qmp, f'xp /1gx {register:#x}')
    queue = int(answer.split()[1], 16)
    show(f'# There the disk has been told to find its commands: at {queue:#x}, which is no address of memory.')
    place = walk(qmp, 'disk', queue)
    expect("the disk's queue is nowhere", place is not None)
    show(f"""\
# Up to 'pasid' it says whose DMA this is, then comes the guest's own table, in levels as an x86 CPU has them: the
# commands are in memory at {place:#x}.""")


def show_stray(console):
    heading('A DMA that the guest did not allow goes nowhere, and the guest is told')
    console.go_on()
    console.until('stray', '^guest: |DMAR:')
    # The interrupt's handler may write it later.
    if 'DMAR:' not in console.seen[console.seen.rindex('demo disk'):]:
        show('  ' + console.wait_for(r'DMAR:.*\n').splitlines()[-1].strip())


def find_process(spaces):
    """The PASID of a process: the kernel's own, if it has one, leads to the table that DMA without a PASID has."""
    tables = re.findall(r'(?:no )?PASID ?(\d*): first,.* at (0x[0-9a-f]+)', spaces)
    kernels = {table for pasid, table in tables if not pasid}
    return next((pasid for pasid, table in tables if pasid and table not in kernels), None)


def show_process(console, qmp):
    heading('A process shares its address space with a device (SVA): pointers are all it hands over')
    console.go_on()
    said = console.until('shared')
    found = re.search(r'copy from 0x[0-9a-f]+ to (0x[0-9a-f]+)', said)
    expect('the accelerator was not given work', found)
    expect('the accelerator did not copy', 'status 1;' in said)
    pasid = find_process(ask_iommu(qmp, '08'))
    expect('no process is bound', pasid)
    show(f"""\
# PASID {pasid} is the process. Its table is the one by which the CPU finds its memory. The page was not there
# when the accelerator came to write: it asked for it, and the kernel brought it (a page request and its answer).""")
    expect('the page is nowhere', walk(qmp, 'dsa', int(found[1], 16), pasid) is not None)


def with_guest(binary, kernel, can_share):
    with tempfile.TemporaryDirectory() as folder:
        prepare(folder)
        console = Guest(command_line(binary, folder, kernel), SECONDS, enter='\n')
        try:
            show_boot(console)
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(folder + '/qmp')
                qmp = Qmp(line)
                show_disk(console, qmp)
                show_stray(console)
                if can_share:
                    show_process(console, qmp)
            status = console.end('')
        finally:
            console.stop()
    expect(f'the emulator ended with status {status}', status == 0)
    if not can_share:
        heading('A process shares its address space with a device (SVA)')
        show("Debian's kernel refuses that. scripts/test-kernel.sh builds one that does not (10 minutes, once): then\n"
             'start this again.')


# --- without ---

def without_guest(binary):
    heading("No guest: tables as a guest's driver writes them, by hand")
    with Vm(binary, '-M', 'q35', '-nodefaults', '-device', 'intel-iommu,x-scalable-mode=modern,device-iotlb=on,svm=on',
            '-device', 'iommu-testdev,id=dev,addr=4,ats=on,pri=on,pasid-bits=20', qtest=True) as vm:
        for address, value, what in TABLES:
            show(f'  writeq {address:#x} {value:#10x}   # {what}'.rstrip(' #'))
            vm.qtest(f'writeq {address:#x} {value:#x}')
        for address, value, width, what in REGISTERS:
            show(f'  write{width} {address:#x} {value:#x}   # {what}')
            vm.qtest(f'write{width} {address:#x} {value:#x}')
        heading('What the unit makes of them')
        expect('PASID 5 is not there', 'PASID 5: first' in ask_iommu(vm.qmp, '04'))
        heading('Where the device gets when it writes to 0x1234 of that process')
        expect('the walk ends elsewhere', walk(vm.qmp, 'dev', 0x1234, '5') == 0x200234)
        heading('And to 0x2000, which is not there')
        expect('the walk does not end', walk(vm.qmp, 'dev', 0x2000, '5') is None)


def main():
    binary = os.path.abspath(sys.argv[1])
    is_without = '--no-guest' in sys.argv[2:]
    kernel, can_share = (None, False) if is_without else find_kernel()
    show("""\
Tandem emulates machines whose devices' DMA is translated in two stages: by the guest's tables first, then by the
host's. Here are the guest's at work. That takes neither an IOMMU of this host nor root.
""")
    if kernel:
        with_guest(binary, kernel, can_share)
    else:
        if not is_without:
            show('No kernel can be had from the package archive: a guest cannot be shown.')
        without_guest(binary)
    heading('What to try next')
    show(f"""\
  docs/user/iommu.md      how DMA travels here, what intel-iommu offers, what to do when DMA does not arrive
  docs/user/dsa.md        the accelerator that takes work from processes
  docs/user/debian.md     a Debian system from nothing to a login, with disk, network and screen
  docs/README.md          everything else""")


if __name__ == '__main__':
    main()
