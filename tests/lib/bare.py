# SPDX-License-Identifier: GPL-2.0-or-later
"""Bare-metal guests: 64 KiB of firmware made of tests/guest/START.S and NAME.c."""
import os
import subprocess

from vm import TIMEOUT

GUESTS = os.path.join(os.path.dirname(__file__), '..', 'guest')
FLAGS = ('-O1', '-g', '-ffreestanding', '-fno-pic', '-no-pie', '-mno-red-zone', '-mgeneral-regs-only',
         '-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fno-omit-frame-pointer',
         '-fcf-protection=none', '-nostdlib', '-static', '-Wl,--build-id=none',
         '-Wl,--no-warn-rwx-segments')


def build(folder, name, bits, *flags, start='debug_guest'):
    """The paths of an ELF file for gdb and of the image for -bios; start.S calls guest_main()."""
    elf, image = (os.path.join(folder, f'{name}{bits}.{kind}') for kind in ('elf', 'bin'))
    sources = [os.path.join(GUESTS, start + '.S'), os.path.join(GUESTS, name + '.c')]
    subprocess.run([os.environ.get('GUEST_CC', 'cc'), '-m64' if bits == 64 else '-m32',
                    f'-DBITS={bits}', *flags, *FLAGS, '-Wl,-T,' + os.path.join(GUESTS, start + '.ld'),
                    '-o', elf, *sources], check=True)
    subprocess.run(['objcopy', '-O', 'binary', '-j', '.text', '-j', '.reset', '--gap-fill', '0', elf,
                    image], check=True)
    return elf, image


def said(binary, folder, image, *args):
    """What a guest wrote to port 0x402 until it ended the machine well, at port 0x501."""
    path = os.path.join(folder, 'out')
    done = subprocess.run(
        [binary, '-m', '16', '-nodefaults', '-vga', 'none', '-display', 'none', '-no-reboot', '-bios', image,
         '-chardev', f'file,id=c,path={path}', '-device', 'isa-debugcon,iobase=0x402,chardev=c',
         '-device', 'isa-debug-exit', *args], stdin=subprocess.DEVNULL, timeout=TIMEOUT)
    with open(path, encoding='ascii') as file:
        text = file.read()
    assert done.returncode == 1, (done.returncode, text)
    return text


def symbols(elf):
    """Addresses by name."""
    lines = subprocess.run(['nm', elf], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: int(value, 16) for value, _, name in map(str.split, lines)}


def wait_until_halted(vm, cpu=0):
    while 'HLT=1' not in vm.qmp.hmp(f'info registers {cpu}'):
        pass
