#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boards and devices beside the installed peer: what both show, compared line by line.

    peer_test.py [--list]

A difference is a line "AREA: WHAT: ours X, peer Y" ("-" where one has nothing). Each must match a
row of docs/devel/peer-differences.md, a table of AREA, PATTERN (a regular expression for the whole
of WHAT: ...) and REASON. A row that explains nothing any more fails the test as well.
"""
import collections
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from vm import QmpError, Vm  # noqa: E402

NAME = 'qemu-system-x86_64'
OURS = os.path.join(os.environ['BINARIES'], NAME)
PEER = os.environ.get('PEER') or shutil.which(NAME, path='/usr/local/bin:/usr/bin')
PEER_VERSION = 'QEMU emulator version 7.2'
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'docs', 'devel',
                     'peer-differences.md')
BOARDS = {
    'pc': ('-M', 'pc'),
    'q35': ('-M', 'q35'),
    'microvm': ('-M', 'microvm,pcie=on,acpi=on'),
}
# Of which the tree of memory is compared, with sizes on both sides of where RAM is split.
MAPS = (('-M', 'pc', '-m', '64'), ('-M', 'pc', '-m', '5G'), ('-M', 'q35', '-m', '64'),
        ('-M', 'q35', '-m', '3G'), ('-M', 'q35,max-ram-below-4g=1G', '-m', '4G'),
        ('-M', 'pc,hpet=off', '-m', '3600'), ('-M', 'microvm', '-m', '4G'))
# CPUs that cannot be added beside one that is there.
WRONG_CPUS = ({}, {'socket-id': 9}, {'apic-id': 99}, {'apic-id': 0}, {'apic-id': 3, 'core-id': 0})
CPU = 'qemu64-x86_64-cpu'
HELPS = ('edu', 'isa-serial', 'pcie-root-port', 'pci-bridge', 'virtio-rng-pci')
NOTHING = '-'


# --- what a binary shows, as {key: value} per area ---

def pci_functions(vm):
    """Ids, class, pin and BARs by bus, slot and function; addresses are not programmed yet."""
    found = {}

    def walk(bus):
        for dev in bus['devices']:
            place = f'{bus["bus"]}:{dev["slot"]:02x}.{dev["function"]}'
            ids = dev['id']
            found[place] = '{:04x}:{:04x}'.format(ids['vendor'], ids['device'])
            found[place + ' subsystem'] = '{:x}:{:x}'.format(ids.get('subsystem-vendor', 0),
                                                             ids.get('subsystem', 0))
            found[place + ' class'] = '{:04x}'.format(dev['class_info']['class'])
            found[place + ' pin'] = str(dev.get('irq_pin', 0))
            for region in dev['regions']:
                kind = region['type'] + (' 64' if region.get('mem_type_64') else '') + \
                    (' prefetch' if region.get('prefetch') else '')
                found[f'{place} bar {region["bar"]}'] = f'{kind} {region["size"]:#x}'
            if 'devices' in dev.get('pci_bridge', {}):
                walk({'bus': place, 'devices': dev['pci_bridge']['devices']})

    for bus in vm.qmp('query-pci'):
        walk(bus)
    return found


def count(lines):
    return {line: str(n) for line, n in collections.Counter(lines).items()}


def objects(vm):
    """How often a type is at a place of the tree. Lines and memory regions are our own."""
    rows, path = [], []
    for line in vm.qmp.hmp('info qom-tree').splitlines():
        match = re.fullmatch(r'( *)/(.*) \((.*)\)', line.rstrip())
        if not match:
            continue
        depth = len(match[1]) // 2
        path[depth:] = [re.sub(r'\[\d+\]', '[*]', match[2])]
        if match[3] not in ('irq', 'memory-region') and depth:
            rows.append('/'.join(path) + ' ' + match[3])
    return count(rows)


def ranges(vm):
    """What answers in the spaces all CPUs see: kinds, without names. Ports one by one, joined."""
    found, space = {}, None
    for line in vm.qmp.hmp('info mtree -f').splitlines():
        match = re.match(r' AS "(.*?)", root: (.*)', line)
        if line.startswith('FlatView'):
            space = None
        elif match and match[1] in ('memory', 'I/O'):
            space = match[1]
        match = re.match(r'  ([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d+, (.*?)\): (\S+)', line)
        if not match or not space or match[4] == 'io':
            continue
        for at in [int(match[1], 16)] if space == 'memory' else range(int(match[1], 16),
                                                                      int(match[2], 16) + 1):
            key = f'{space} {match[1].lstrip("0") or 0}' if space == 'memory' else f'I/O {at:#06x}'
            found[key] = f'{match[3]} to {match[2].lstrip("0")}' if space == 'memory' else match[3]
    return found


def regions(vm):
    """How often a region stands in the tree that CPUs see, with its addresses, kind and name."""
    tree = re.search(r'address-space: memory\n(.*?)\n\n', vm.qmp.hmp('info mtree').replace('\r', ''),
                     re.S)
    return count(line.strip() for line in tree[1].splitlines())


def machine(vm):
    """Its properties; parts of it are objects, and compared as such."""
    found = {}
    for prop in vm.qmp('qom-list', path='/machine'):
        if not prop['type'].startswith(('child<', 'link<', 'struct tm')):
            value = vm.qmp('qom-get', path='/machine', property=prop['name'])
            kind = re.sub(r'string$', 'str', re.sub(r'_t$', '', prop['type']))
            found[prop['name']] = f'{kind} {show(value)}'
    return found


def refusals(vm):
    """What is said of CPUs that cannot be added."""
    found = {}
    for ids in WRONG_CPUS:
        try:
            found[str(ids)] = str(vm.qmp.run('device_add', {'driver': CPU, **ids}))
        except QmpError as error:
            found[str(ids)] = error.desc
    return found


def devices(vm):
    """Properties and lines of devices, by the path of types that leads to them."""
    rows, path = [], []
    for line in vm.qmp.hmp('info qtree').splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        text = line.strip()
        match = re.match(r'(bus|dev): ([^,]+)', text)
        if match:
            path[depth:] = [re.sub(r'\.\d+$', '', match[2]) if match[1] == 'bus' else match[2]]
            rows.append('/'.join(path))
        elif text and 'type ' + path[-1] != text:
            del path[depth:]
            # Names of objects differ with the order of making; a clock goes on.
            text = re.sub(r'device\[\d+\]', 'device[*]', text)
            rows.append(f'{"/".join(path)} {text}')
    return count(rows)


def show(value):
    if isinstance(value, dict):
        return str(sorted(value.items()))
    return repr(value) if isinstance(value, str) else str(value).lower()


def properties(vm, types):
    """Without regions, lines and parts, which are the model's own."""
    found = {}
    for name in types:
        for prop in vm.qmp('device-list-properties', typename=name):
            if re.match(r'child<|link<irq>|link<memory-region>', prop['type']):
                continue
            found[f'{name} {prop["name"]}'] = prop['type'] + (
                ' ' + show(prop['default-value']) if 'default-value' in prop else '')
    return found


def device_types(vm):
    return {row['name'] for row in vm.qmp('qom-list-types', implements='device', abstract=False)}


# --- comparing ---

def start(binary, *args):
    return Vm(binary, *args, '-S', '-accel', 'tcg')


def compare(area, ours, peer):
    for key in sorted(ours.keys() | peer.keys()):
        one, other = ours.get(key, NOTHING), peer.get(key, NOTHING)
        if one != other:
            yield f'{area}: {key}: ours {one}, peer {other}'


def board_differences(name, *args):
    with start(OURS, *args) as ours, start(PEER, *args) as peer:
        for area, read in (('pci', pci_functions), ('objects', objects), ('ranges', ranges),
                           ('devices', devices)):
            yield from compare(f'{name} {area}', read(ours), read(peer))


def property_differences():
    with start(OURS, '-M', 'pc', '-nodefaults') as ours, \
            start(PEER, '-M', 'pc', '-nodefaults') as peer:
        types = sorted(device_types(ours) & device_types(peer))
        # CPU models are alike in this: one stands for all.
        types = [t for t in types if not t.endswith('-x86_64-cpu') or t == CPU]
        yield from compare('properties', properties(ours, types), properties(peer, types))


def helps(binary):
    """Kinds and defaults, as text for people."""
    found = {}
    for name in HELPS:
        text = subprocess.run([binary, '-device', name + ',help'], stdout=subprocess.PIPE, check=True,
                              text=True).stdout
        for prop, kind, value in re.findall(r'^  (\S+)=<(.*?)>(?:.*\(default: (.*)\))?', text, re.M):
            found[f'{name} {prop}'] = f'{kind} {value}'.strip()
    return found


def help_differences():
    """Of properties that both have: which those are is compared elsewhere."""
    ours, peer = helps(OURS), helps(PEER)
    yield from compare('help', *({key: table[key] for key in ours.keys() & peer.keys()}
                                 for table in (ours, peer)))


def single_differences(area, read, *args):
    with start(OURS, *args) as ours, start(PEER, *args) as peer:
        yield from compare(area, read(ours), read(peer))


def differences():
    for args in MAPS:
        yield from single_differences(' '.join(args[1::2]) + ' map', regions, *args, '-nodefaults')
    yield from single_differences('cpus', refusals, '-nodefaults', '-smp',
                                  '1,maxcpus=8,sockets=2,cores=2,threads=2', '-cpu', 'qemu64')
    for name, args in BOARDS.items():
        yield from single_differences(name + ' machine', machine, *args, '-nodefaults')
        yield from board_differences(name, *args, '-nodefaults')
        yield from board_differences(name + '+', *args)
    yield from property_differences()
    yield from help_differences()


def rows():
    """The table's (line number, area, pattern)."""
    with open(TABLE, encoding='utf-8') as table:
        for number, line in enumerate(table, 1):
            match = re.match(r'\| `(.+?)` \| `(.+?)` \| \S', line)
            if match:
                area, pattern = (text.replace('\\|', '|') for text in match.groups())
                yield number, re.compile(area), re.compile(pattern)


def peer_is_known():
    """The table speaks of one release."""
    return PEER and subprocess.run([PEER, '--version'], stdout=subprocess.PIPE, check=True,
                                   text=True).stdout.startswith(PEER_VERSION)


def main():
    if not peer_is_known():
        print(f'1..0 # SKIP there is no peer: {PEER_VERSION}')
        sys.exit(77)
    table, used, unexplained = list(rows()), set(), []
    for line in differences():
        area, what = line.split(': ', 1)
        row = next((r for r in table if r[1].fullmatch(area) and r[2].fullmatch(what)), None)
        if row:
            used.add(row[0])
        else:
            unexplained.append(line)
    print(*unexplained, sep='\n')
    stale = [number for number, *_ in table if number not in used]
    for number in stale:
        print(f'{os.path.basename(TABLE)}:{number}: explains nothing')
    if '--list' not in sys.argv:
        sys.exit(bool(unexplained or stale))


if __name__ == '__main__':
    main()
