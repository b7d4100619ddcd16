#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench.py NAME OURS [PEER]: one benchmark on our binary and, if it is installed, on the peer's.

Rounds alternate between the two, the best of each counts. Prints a line:
    NAME: ours X unit, peer Y unit, ratio R (above 1: ours is better)
"""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from fw_cfg import FwCfg  # noqa: E402
from vm import Vm  # noqa: E402

ROUNDS = 7


def none_machine(binary, *args, **kwargs):
    return Vm(binary, '-machine', 'none', '-nodefaults', '-S', *args, **kwargs)


def rate(call, seconds=0.5, step=50):
    """Calls per second."""
    call()
    count, start = 0, time.perf_counter()
    while True:
        for _ in range(step):
            call()
        count += step
        passed = time.perf_counter() - start
        if passed > seconds:
            return count / passed


def start(binary, board='none'):
    """To the first answer: the board is there then, whenever the greeting was sent."""
    begin = time.perf_counter()
    vm = Vm(binary, '-machine', board, '-nodefaults', '-S')
    passed = time.perf_counter() - begin
    vm.kill()
    return passed * 1000


# Sixteen that a guest lives on.
DEVICES = ['-netdev', 'user,id=n0', '-netdev', 'user,id=n1', *(
    word for n in range(4) for word in ('-blockdev', f'null-co,node-name=d{n},size=67108864')), *(
    word for device in (
        'virtio-blk-pci,drive=d0', 'nvme,drive=d1,serial=1', 'virtio-scsi-pci', 'scsi-hd,drive=d2', 'ide-hd,drive=d3',
        'virtio-net-pci,netdev=n0', 'e1000e,netdev=n1', 'virtio-serial-pci', 'virtio-rng-pci', 'virtio-balloon-pci',
        'virtio-gpu-pci', 'virtio-keyboard-pci', 'virtio-mouse-pci', 'virtio-tablet-pci', 'qemu-xhci', 'usb-kbd')
    for word in ('-device', device))]


def memory(binary, board='none', devices=()):
    """Resident memory at the first answer, in KiB."""
    vm = Vm(binary, '-machine', board, '-nodefaults', '-S', *devices)
    with open(f'/proc/{vm.process.pid}/status', encoding='ascii') as status:
        fields = dict(line.split(':', 1) for line in status)
    vm.kill()
    return int(fields['VmRSS'].split()[0])


def batches(sock, data, replies):
    """Rounds per second of sending `data` and reading as many lines."""
    def call():
        sock.sendall(data)
        got = 0
        while got < replies:
            got += sock.recv(1 << 20).count(b'\n')

    return rate(call, 0.7, 1)


def pipelined(vm, messages, batch):
    """Rounds of messages per second, sent in batches so that the client costs little."""
    data = (''.join(message + '\n' for message in messages)).encode() * batch
    return batches(vm.qmp.lines.sock, data, batch * len(messages)) * batch


def qmp_commands(binary):
    with none_machine(binary) as vm:
        return pipelined(vm, ['{"execute": "query-status"}'], 8)


def qom_get(binary):
    with none_machine(binary) as vm:
        return pipelined(vm, ['{"execute": "qom-get", "arguments": '
                              '{"path": "/machine", "property": "type"}}'], 8)


def object_pairs(binary):
    pair = ['{"execute": "object-add", "arguments": {"qom-type": "memory-backend-ram", '
            '"id": "m", "size": 65536}}',
            '{"execute": "object-del", "arguments": {"id": "m"}}']
    with none_machine(binary) as vm:
        return pipelined(vm, pair, 4)


def round_trips(binary):
    with none_machine(binary) as vm:
        return rate(lambda: vm.qmp('query-status'))


def qtest_rate(vm, lines, batch=500):
    """Rounds of commands per second, sent in batches."""
    data = ''.join(line + '\n' for line in lines).encode() * batch
    return batches(vm.qtest_lines.sock, data, batch * len(lines)) * batch


def qtest_machine(binary):
    """Ours has no board yet; the peer's `none` cannot serve qtest without one."""
    board = ['-M', 'none', '-accel', 'qtest'] if is_ours(binary) else \
        ['-M', 'pc', '-S', '-accel', 'tcg']
    return Vm(binary, '-nodefaults', *board, qtest=True, accel=board[-1])


def qtest_mmio(binary):
    with qtest_machine(binary) as vm:
        return qtest_rate(vm, ['readl 0xd0000000'])


REGIONS_OF_PEER = 480


def flat_view(binary):
    """Microseconds to render after a change: ours with 1000 regions, the peer's with 480."""
    if is_ours(binary):
        program = os.path.join(os.path.dirname(binary), 'tests/bench/memory-bench')
        text = subprocess.run([program], capture_output=True, text=True, check=True).stdout
        large = text[text.index('1000 regions'):]
        return next(float(line.split()[-2]) / 1000 for line in large.splitlines()
                    if line.startswith('render'))
    devices = []
    for slot in range(2, 32):
        for function in range(8):
            devices += ['-device', f'pci-testdev,addr={slot:x}.{function},membar=4096,'
                        f'multifunction=on']
    with Vm(binary, '-nodefaults', '-M', 'pc', '-S', *devices, qtest=True, accel='tcg') as vm:
        base = 0xc0000000
        for slot in range(2, 32):
            for function in range(8):
                config = 0x80000000 | slot << 11 | function << 8
                for bar in (0x10, 0x18):
                    vm.qtest(f'outl 0xcf8 {config | bar}')
                    vm.qtest(f'outl 0xcfc {base}')
                    base += 0x10000
                vm.qtest(f'outl 0xcf8 {config | 4}')
                vm.qtest('outw 0xcfc 2')
        plain = qtest_rate(vm, ['outl 0xcf8 0x80000000'])
        vm.qtest(f'outl 0xcf8 {0x80000000 | 2 << 11 | 4}')
        rounds = qtest_rate(vm, ['outw 0xcfc 0', 'outw 0xcfc 2'], 100)
        return (1 / rounds / 2 - 1 / plain) * 1e6


PORTS = 200


def hotplug(binary):
    """A device comes and goes behind the last of 200 root ports, the others having one each."""
    board = ['-accel', 'qtest' if is_ours(binary) else 'tcg', '-global',
             'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off']
    for n in range(PORTS):
        board += ['-device', f'pcie-root-port,id=p{n},chassis={n + 1},multifunction=on,'
                  f'addr={n // 8 + 2:x}.{n % 8}']
    with Vm(binary, '-M', 'q35', '-nodefaults', '-S', *board) as vm:
        for n in range(PORTS - 1):
            vm.qmp('device_add', driver='pci-testdev', id=f'd{n}', bus=f'p{n}')
        names = (f'x{n}' for n in range(1 << 30))

        def pair():
            name = next(names)
            vm.qmp('device_add', driver='pci-testdev', id=name, bus=f'p{PORTS - 1}')
            vm.qmp('device_del', id=name)

        return rate(pair, step=10)


def acpi_tables(binary):
    """Microseconds until a guest that selects them has tables of 64 CPUs and 64 root ports, less
    those of a selection that makes none."""
    board = ['-M', 'q35', '-smp', '1,sockets=64,maxcpus=64', '-m', '128,slots=16,maxmem=4G']
    for n in range(64):
        board += ['-device', f'pcie-root-port,id=p{n},chassis={n + 1},multifunction=on,'
                  f'addr={n // 8 + 2:x}.{n % 8}']
    with Vm(binary, '-accel', 'qtest' if is_ours(binary) else 'tcg', '-nodefaults', '-S', *board,
            qtest=True) as vm:
        cfg = FwCfg(vm)
        _, key = cfg.files()['etc/acpi/tables']
        first, again = [], []
        for _ in range(20):
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            for laps in (first, again):
                begin = time.perf_counter()
                vm.qtest(f'outw 0x510 {key:#x}')
                laps.append(time.perf_counter() - begin)
        return (min(first) - min(again)) * 1e6


def is_ours(binary):
    return os.path.abspath(binary) == os.path.abspath(sys.argv[2])


BENCHES = {
    # name: (function, unit, higher is better)
    'start': (start, 'ms', False),
    'memory': (memory, 'KiB', False),
    **{f'{name}-{board}': (lambda binary, fn=fn, board=board: fn(binary, board), unit, False)
       for board in ('microvm', 'pc', 'q35')
       for name, fn, unit in (('start', start, 'ms'), ('memory', memory, 'KiB'))},
    'memory-devices': (lambda binary: memory(binary, 'q35', DEVICES), 'KiB', False),
    'qmp-commands': (qmp_commands, '/s', True),
    'qmp-round-trips': (round_trips, '/s', True),
    'qom-get': (qom_get, '/s', True),
    'object-add-del': (object_pairs, 'pairs/s', True),
    'qtest-mmio': (qtest_mmio, '/s', True),
    'hotplug': (hotplug, 'pairs/s', True),
    'flat-view': (flat_view, 'us', False),
    'acpi-tables': (acpi_tables, 'us', False),
}


def main():
    name, ours = sys.argv[1:3]
    peer = sys.argv[3] if len(sys.argv) > 3 else shutil.which('qemu-system-x86_64')
    fn, unit, higher = BENCHES[name]
    best = max if higher else min
    results = {ours: [], peer: []} if peer else {ours: []}
    for _ in range(ROUNDS):
        for binary, values in results.items():
            values.append(fn(binary))
    mine = best(results[ours])
    line = f'{name}: ours {mine:.1f} {unit}'
    if peer:
        theirs = best(results[peer])
        ratio = mine / theirs if higher else theirs / mine
        line += f', peer {theirs:.1f} {unit}, ratio {ratio:.2f}'
    else:
        line += ', no peer installed'
    print(line)


if __name__ == '__main__':
    main()
