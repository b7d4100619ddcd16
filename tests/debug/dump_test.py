# SPDX-License-Identifier: GPL-2.0-or-later
"""dump-guest-memory: what is in the file, by other commands and beside the installed peer."""
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import bare  # noqa: E402
import house  # noqa: E402
from vm import QmpError, Vm  # noqa: E402

OURS = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
ARGS = ('-M', 'pc', '-m', '16', '-cpu', 'max', '-nodefaults', '-vga', 'none', '-smp', '2')
ALIAS = {32: 0x40000000, 36: 0x40000000, 64: 0xffffffff80000000}


class Elf:
    def __init__(self, path):
        with open(path, 'rb') as file:
            self.data = file.read()
        head = struct.unpack_from('<16sHHIQQQIHHHHHH', self.data)
        assert head[0][:6] == b'\x7fELF\x02\x01' and head[1] == 4, head
        self.machine, phoff, count = head[2], head[5], head[10]
        self.segments = [struct.unpack_from('<IIQQQQQQ', self.data, phoff + 56 * n)
                         for n in range(count)]
        self.loads = [s for s in self.segments if s[0] == 1]

    def notes(self):
        offset, size = self.segments[0][2], self.segments[0][5]
        notes, end = [], offset + size
        while offset < end:
            name, desc, kind = struct.unpack_from('<III', self.data, offset)
            start = offset + 12 + (name + 3 & ~3)
            notes.append((self.data[offset + 12:offset + 12 + name], kind,
                          self.data[start:start + desc]))
            offset = start + (desc + 3 & ~3)
        return notes

    def read(self, address, size, physical=False):
        for _, _, offset, virtual, phys, in_file, _, _ in self.loads:
            at = address - (phys if physical else virtual)
            if 0 <= at and at + size <= in_file:
                return self.data[offset + at:offset + at + size]
        return None


class Kdump:
    """A flattened file: pieces of a "compressed kdump"."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            flat = file.read()
        assert flat[:12] == b'makedumpfile' and struct.unpack_from('>qq', flat, 16) == (1, 1)
        self.data, at = bytearray(), 4096
        while True:
            offset, size = struct.unpack_from('>qq', flat, at)
            if offset == size == -1:
                break
            self.data.extend(bytes(max(0, offset + size - len(self.data))))
            self.data[offset:offset + size] = flat[at + 16:at + 16 + size]
            at += 16 + size
        assert at + 16 == len(flat) and self.data[:12] == b'KDUMP   ' + struct.pack('<I', 6)
        self.machine = bytes(self.data[12 + 4 * 65:12 + 5 * 65]).rstrip(b'\0').decode()
        (self.status, self.block, sub, bitmaps, self.max_mapnr, _, _, _, _,
         self.cpus) = struct.unpack_from('<10I', self.data, 424)
        self.notes_at, self.notes_bytes = struct.unpack_from('<QQ', self.data, self.block + 48)
        half, self.bitmap_at = bitmaps * self.block // 2, (1 + sub) * self.block
        self.bitmap = self.data[self.bitmap_at:self.bitmap_at + half]
        assert self.bitmap == self.data[self.bitmap_at + half:self.bitmap_at + 2 * half]
        self.pages, at = {}, self.bitmap_at + 2 * half
        for pfn in range(self.max_mapnr):
            if self.bitmap[pfn // 8] >> pfn % 8 & 1:
                self.pages[pfn] = struct.unpack_from('<QIIQ', self.data, at)
                at += 24

    def read(self, address, size):
        out = b''
        for pfn in range(address // 4096, (address + size) // 4096):
            at, length, flags, _ = self.pages[pfn]
            page = bytes(self.data[at:at + length])
            out += zlib.decompress(page) if flags & 1 else page
        return out


class Dump(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, 'dump')

    def tearDown(self):
        self.folder.cleanup()

    def guest(self, binary, bits):
        _, image = bare.build(self.folder.name, 'debug_guest', bits, '-DGUEST_STOPS')
        vm = Vm(binary, *ARGS, '-bios', image)
        bare.wait_until_halted(vm)
        return vm

    def dump(self, vm, **args):
        if os.path.exists(self.path):
            os.unlink(self.path)
        vm.qmp('dump-guest-memory', protocol='file:' + self.path, **args)
        return Elf(self.path)

    def memory(self, vm, address, size):
        path = os.path.join(self.folder.name, 'memory')
        vm.qmp('pmemsave', val=address, size=size, filename=path)
        with open(path, 'rb') as file:
            return file.read()

    def test_contents(self):
        for bits in (32, 36, 64):
            with self.subTest(bits=bits), self.guest(OURS, bits) as vm:
                plain = self.dump(vm, paging=False)
                self.assertEqual(plain.machine, 62 if bits == 64 else 3)
                self.assertEqual(plain.read(0, 0xa0000), self.memory(vm, 0, 0xa0000))
                self.assertEqual(plain.read(0x100000, 15 << 20), self.memory(vm, 0x100000, 15 << 20))
                self.assertEqual(sum(s[5] for s in plain.loads),
                                 vm.qmp('query-dump')['completed'])
                paged = self.dump(vm, paging=True)
                # The fourth page of the alias is at 0x24000.
                for page, physical in enumerate((0x20000, 0x21000, 0x22000, 0x24000)):
                    self.assertEqual(paged.read(ALIAS[bits] + 0x1000 * page, 0x1000),
                                     self.memory(vm, physical, 0x1000))
                self.assertIsNone(paged.read(ALIAS[bits] + 0x4000, 1))
                part = self.dump(vm, paging=False, begin=0x20800, length=0x1000)
                self.assertEqual([(s[3], s[4], s[5]) for s in part.loads],
                                 [(0x20800, 0x20800, 0x1000)])
                self.assertEqual(part.read(0x20800, 0x1000), self.memory(vm, 0x20800, 0x1000))
                part = self.dump(vm, paging=True, begin=0x23800, length=0x1000)
                self.assertEqual(part.read(ALIAS[bits] + 0x5800, 0x800),
                                 self.memory(vm, 0x23800, 0x800))

    def test_kdump(self):
        with self.guest(OURS, 64) as vm:
            elf = self.dump(vm, paging=False)
            os.unlink(self.path)
            self.assertIn('kdump-zlib', vm.qmp('query-dump-guest-memory-capability')['formats'])
            vm.qmp.hmp(f'dump-guest-memory -z {self.path}')
            dump = Kdump(self.path)
            self.assertEqual((dump.machine, dump.status, dump.block, dump.cpus), ('x86_64', 1, 4096, 2))
            notes = elf.segments[0]
            self.assertEqual(dump.data[dump.notes_at:dump.notes_at + dump.notes_bytes],
                             elf.data[notes[2]:notes[2] + notes[5]])
            self.assertEqual(4096 * len(dump.pages), vm.qmp('query-dump')['total'])
            for at, size in ((0, 0xa0000), (0x100000, 15 << 20), (0xfffff000, 0x1000)):
                self.assertEqual(dump.read(at, size), self.memory(vm, at, size))
            self.assertLess(len(dump.data), 4 << 20)
            for args in ({'paging': True}, {'paging': False, 'begin': 0, 'length': 4096}):
                with self.assertRaisesRegex(QmpError, 'paging or filter'):
                    vm.qmp('dump-guest-memory', protocol='file:' + self.path, format='kdump-zlib', **args)
            with self.assertRaisesRegex(QmpError, 'not available'):
                vm.qmp('dump-guest-memory', protocol='file:' + self.path, paging=False, format='kdump-lzo')
        with self.guest(OURS, 32) as vm, self.assertRaisesRegex(QmpError, '64-bit'):
            vm.qmp('dump-guest-memory', protocol='file:' + self.path, paging=False, format='kdump-zlib')

    def test_kdump_beside_the_peer(self):
        if not house.peer():
            self.skipTest('no peer is installed')
        found = []
        for binary in (OURS, house.peer()):
            with self.guest(binary, 64) as vm:
                vm.qmp('dump-guest-memory', protocol='file:' + self.path, paging=False, format='kdump-zlib')
            dump = Kdump(self.path)
            os.unlink(self.path)
            found.append((dump.machine, dump.status, dump.block, dump.max_mapnr, dump.cpus, dump.notes_at,
                          dump.notes_bytes, dump.bitmap_at, dump.data[4096:4112]))
        self.assertEqual(found[0], found[1])

    def test_notes_beside_the_peer(self):
        peer = house.peer()
        if not peer:
            self.skipTest('no peer is installed')
        for bits in (32, 36, 64):
            notes = []
            for binary in (OURS, peer):
                with self.guest(binary, bits) as vm:
                    vm.qmp('stop')
                    notes.append(self.dump(vm, paging=False).notes())
            self.assertEqual([(name, kind, len(data)) for name, kind, data in notes[0]],
                             [(name, kind, len(data)) for name, kind, data in notes[1]])
            for (name, _, ours), (_, _, theirs) in zip(*notes):
                with self.subTest(bits=bits, name=name):
                    self.assertEqual(self.settled(ours), self.settled(theirs))

    def settled(self, note):
        """Without RAX, which holds a piece of the time in one guest; and what lies behind HLT."""
        note = bytearray(note)
        at, size = {440: (8, 8), 336: (112 + 80, 8), 144: (72 + 24, 4)}[len(note)]
        note[at:at + size] = bytes(size)
        return bytes(note)

    def test_gdb_reads_it(self):
        with self.guest(OURS, 64) as vm:
            self.dump(vm, paging=True)
        elf = os.path.join(self.folder.name, 'debug_guest64.elf')
        done = subprocess.run(['gdb', '-q', '-nx', '-batch', '-ex', 'info threads', '-ex', 'p $rip',
                               '-ex', 'p/x *(int *)0xffffffff80000004', elf, self.path],
                              capture_output=True, text=True, timeout=120, check=True)
        self.assertIn('finish', done.stdout)
        self.assertRegex(done.stdout, r'= 0x1\b')

    def test_in_the_background(self):
        with self.guest(OURS, 64) as vm:
            vm.qmp.events.clear()
            self.dump_detached(vm)
            self.assertEqual([e['event'] for e in vm.qmp.events], ['STOP'])
            event = vm.qmp.wait_event('DUMP_COMPLETED')['data']
            self.assertEqual(event['result']['status'], 'completed')
            self.assertEqual(event['result']['completed'], event['result']['total'])
            vm.qmp.wait_event('RESUME')
            self.assertEqual(Elf(self.path).read(0, 0x1000), self.memory(vm, 0, 0x1000))
            self.assertEqual(vm.qmp.hmp('info dump'), 'Status: completed\r\n')

    def dump_detached(self, vm):
        self.assertEqual(vm.qmp('dump-guest-memory', paging=True, detach=True,
                                protocol='file:' + self.path), {})

    def test_descriptor_and_failure(self):
        with Vm(OURS, *ARGS, '-S') as vm:
            with open(self.path, 'wb') as file:
                vm.qmp('getfd', fds=[file.fileno()], fdname='out')
            vm.qmp('dump-guest-memory', paging=False, protocol='fd:out', begin=0, length=4096)
            self.assertEqual(Elf(self.path).read(0, 4096), bytes(4096))
            with self.assertRaisesRegex(QmpError, 'failed to save memory'):
                vm.qmp('dump-guest-memory', paging=False, protocol='file:/dev/full')
            self.assertEqual(vm.qmp('query-dump')['status'], 'failed')
            self.assertIn('error', vm.qmp.events[-1]['data'])
            self.assertEqual(vm.qmp('query-status')['status'], 'prelaunch')

    def test_refusals(self):
        with Vm(OURS, *ARGS, '-S') as vm:
            self.assertEqual(vm.qmp('query-dump'), {'status': 'none', 'completed': 0, 'total': 0})
            self.assertEqual(vm.qmp('query-dump-guest-memory-capability'), {'formats': ['elf', 'kdump-zlib']})
            for args, text in (({'protocol': 'nosuch:x'}, "Invalid parameter 'protocol'"),
                               ({'protocol': 'file:/no/such/file'}, 'Could not open'),
                               ({'protocol': 'fd:zz'}, "File descriptor named 'zz' has not been found"),
                               ({'begin': 0}, "Parameter 'length' is missing"),
                               ({'length': 1}, "Parameter 'begin' is missing"),
                               ({'begin': 0, 'length': 0}, "Invalid parameter 'length'"),
                               ({'begin': -1, 'length': 1}, "Invalid parameter 'begin'"),
                               ({'begin': 1 << 33, 'length': 4096}, 'no guest memory to dump'),
                               ({'format': 'kdump-lzo'}, 'kdump-lzo is not available now')):
                with self.subTest(args=args), self.assertRaisesRegex(QmpError, text):
                    vm.qmp.run('dump-guest-memory', {'paging': False, 'protocol': 'file:' + self.path,
                                                     **args})
            self.assertEqual(vm.qmp.hmp(f'dump-guest-memory {self.path} 0'),
                             "Error: Parameter 'length' is missing\r\n")
            os.unlink(self.path)
            self.assertEqual(vm.qmp.hmp(f'dump-guest-memory -p {self.path} 0 4096'), '')
            self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o400)


if __name__ == '__main__':
    house.main()
