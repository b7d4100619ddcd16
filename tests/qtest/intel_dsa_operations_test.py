# SPDX-License-Identifier: GPL-2.0-or-later
"""intel-dsa without an operating system: what each operation does, beside a model of it here."""
import os
import random
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import dsa  # noqa: E402
import house  # noqa: E402
from dsa import (CHECK, COMPARE, COMPARE_PATTERN, COPY_CRC, CRA, CRAV, CRC, DST,  # noqa: E402
                 DUALCAST, FILL, FLUSH, MOVE, RCR, SRC, Setup, descriptor)


def crc32c(data, crc=0):
    crc ^= 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


SIZES = (1, 7, 4095, 4096, 4097, 1 << 20)


class Operations(Setup):
    def setUp(self):
        self.start()
        self.dsa.start(({'xfer': 31},))
        self.random = random.Random(5)

    def go(self, opcode, flags=CRAV | RCR, **fields):
        return self.dsa.execute(descriptor(opcode, flags, CRA, **fields))

    def check_good(self, record, value=None, result=0, done=0):
        self.assertEqual((record.status, record.result, record.done), (1, result, done))
        if value is not None:
            self.hexes(record.value, value)

    def data(self, size):
        return self.random.randbytes(size)

    def test_move(self):
        for size in SIZES:
            for src, dst in ((SRC, DST), (SRC + 5, DST + 4001)):
                data = self.data(size)
                self.dsa.store(src, data)
                self.dsa.store(dst - 1, b'\xee' + bytes(size) + b'\xee')
                self.check_good(self.go(MOVE, a=src, b=dst, size=size))
                self.assertEqual(self.dsa.load(dst - 1, size + 2), b'\xee' + data + b'\xee')

    def test_move_overlapping(self):
        for size, shift in ((70000, 1), (70000, -1), (10000, 4096), (10000, -5000), (4096, 0)):
            data = self.data(size)
            self.dsa.store(SRC, data)
            self.check_good(self.go(MOVE, a=SRC, b=SRC + shift, size=size))
            self.assertEqual(self.dsa.load(SRC + shift, size), data)

    def test_fill(self):
        for size in SIZES:
            self.dsa.store(DST + 2, bytes(size + 1))
            self.check_good(self.go(FILL, a=0x8877665544332211, b=DST + 3, size=size))
            want = (struct.pack('<Q', 0x8877665544332211) * (size // 8 + 1))[:size]
            self.assertEqual(self.dsa.load(DST + 2, size + 1), b'\0' + want)

    def test_compare(self):
        for size in SIZES:
            data = self.data(size)
            self.dsa.store(SRC + 9, data)
            self.dsa.store(DST + 4, data)
            fields = {'a': SRC + 9, 'b': DST + 4, 'size': size}
            self.check_good(self.go(COMPARE, **fields))
            at = size * 2 // 3
            self.dsa.store(DST + 4 + at, bytes([data[at] ^ 1]))
            self.check_good(self.go(COMPARE, **fields), result=1, done=at)
            for expected in (0, 1):
                record = self.go(COMPARE, CRAV | RCR | CHECK, rest=bytes([expected]), **fields)
                self.assertEqual((record.status, record.result), (1 if expected else 2, 1))
        record = self.go(COMPARE, CRAV | RCR | CHECK, rest=b'\1', a=SRC, b=SRC, size=100)
        self.assertEqual((record.status, record.result, record.done), (2, 0, 0))

    def test_compare_pattern(self):
        pattern = 0x0102030405060708
        for size in SIZES:
            self.dsa.store(SRC + 1, (struct.pack('<Q', pattern) * (size // 8 + 1))[:size])
            self.check_good(self.go(COMPARE_PATTERN, a=SRC + 1, b=pattern, size=size))
            self.dsa.store(SRC + size, b'\xff')
            self.check_good(self.go(COMPARE_PATTERN, a=SRC + 1, b=pattern, size=size), result=1,
                            done=size - 1)

    def test_dualcast(self):
        for size in SIZES:
            data = self.data(size)
            self.dsa.store(SRC, data)
            second = DST + 0x200000 + 7
            self.check_good(self.go(DUALCAST, a=SRC, b=DST + 7, size=size,
                                    rest=struct.pack('<Q', second)))
            self.assertEqual(self.dsa.load(DST + 7, size), data)
            self.assertEqual(self.dsa.load(second, size), data)

    def test_crc(self):
        self.dsa.store(SRC, b'123456789')
        self.check_good(self.go(CRC, a=SRC, size=9), 0xe3069283)
        for size in SIZES:
            data = self.data(size)
            self.dsa.store(SRC + 3, data)
            self.check_good(self.go(CRC, a=SRC + 3, size=size), crc32c(data))
            self.dsa.store(DST, bytes(size))
            self.check_good(self.go(COPY_CRC, a=SRC + 3, b=DST, size=size), crc32c(data))
            self.assertEqual(self.dsa.load(DST, size), data)
        data = self.data(3000)
        self.dsa.store(SRC, data)
        first = self.go(CRC, a=SRC, size=1000).value
        self.check_good(self.go(CRC, a=SRC + 1000, size=2000, rest=struct.pack('<I', first)), crc32c(data))
        self.dsa.store(DST + 4, struct.pack('<I', first))
        self.check_good(self.go(CRC, CRAV | RCR | 1 << 16, a=SRC + 1000, size=2000,
                                rest=bytes(8) + struct.pack('<Q', DST + 4)), crc32c(data))

    def test_crc_flags(self):
        """Without inversion or reflection: the plain remainder, by long division."""
        def plain(data, register):
            for byte in data:
                register ^= byte << 24
                for _ in range(8):
                    register = (register << 1 ^ (0x1edc6f41 if register >> 31 else 0)) & 0xffffffff
            return register

        def mirror(byte):
            return int(f'{byte:08b}'[::-1], 2)

        data = self.data(100)
        self.dsa.store(SRC, data)
        seed = struct.pack('<I', 0x12345678)
        self.check_good(self.go(CRC, CRAV | RCR | 3 << 17, a=SRC, size=100, rest=seed),
                        plain(data, 0x12345678))
        self.check_good(self.go(CRC, CRAV | RCR | 1 << 17, a=SRC, size=100, rest=seed),
                        plain(map(mirror, data), 0x12345678))

    def test_cache_flush_and_readback(self):
        self.check_good(self.go(FLUSH, b=DST, size=100000))
        self.check_good(self.go(MOVE, CRAV | RCR | 1 << 14, a=SRC, b=DST, size=5000))

    def test_large(self):
        """In slices, which a test can count."""
        self.dsa.store(CRA, bytes(32))
        self.dsa.submit(descriptor(FILL, CRAV | RCR, CRA, 0x5555555555555555, DST, 1 << 24))
        self.dsa.run(255 * dsa.STEP)
        self.assertEqual(self.dsa.record(CRA).status, 0)
        self.dsa.run(20 * dsa.STEP)
        self.assertEqual(self.dsa.record(CRA).status, 1)


class Deltas(Setup):
    RECORD = DST + 0x800000

    def setUp(self):
        self.start()
        self.dsa.start(({'xfer': 31},))

    def create(self, size, most=4096, flags=CRAV | RCR, mask=0, a=SRC, b=DST):
        return self.dsa.execute(descriptor(dsa.CREATE_DELTA, flags, CRA, a, b, size, rest=struct.pack(
            '<QIIB', self.RECORD, most, 0, mask)))

    def apply(self, size, record_size, data=None, at=DST):
        if data is not None:
            self.dsa.store(self.RECORD, data)
        return self.dsa.execute(descriptor(dsa.APPLY_DELTA, CRAV | RCR, CRA, self.RECORD, at, size,
                                           rest=struct.pack('<I', record_size)))

    def test_round_trip(self):
        rng = random.Random(7)
        for size, changes in ((8, 1), (4096, 5), (70000 // 8 * 8, 40), (0x80000, 100)):
            old = bytearray(rng.randbytes(size))
            new = bytearray(old)
            for _ in range(changes):
                new[rng.randrange(size)] ^= 0x40
            words = [n for n in range(size // 8) if old[8 * n:8 * n + 8] != new[8 * n:8 * n + 8]]
            self.dsa.store(SRC, bytes(old))
            self.dsa.store(DST, bytes(new))
            record = self.create(size)
            want = b''.join(struct.pack('<H', n) + new[8 * n:8 * n + 8] for n in words)
            self.assertEqual((record.status, record.result, record.done, record.value),
                             (1, 1, 0, len(want)))
            self.assertEqual(self.dsa.load(self.RECORD, len(want)), want)
            self.assertEqual(self.apply(size, len(want), at=SRC).status, 1)
            self.assertEqual(self.dsa.load(SRC, size), bytes(new))

    def test_results(self):
        """Equal, recorded, too many; each of them expected or not."""
        self.dsa.store(SRC, bytes(1024))
        for count, most, result, done, size in ((0, 80, 0, 0, 0), (8, 80, 1, 0, 80), (9, 80, 2, 64, 80)):
            self.dsa.store(DST, b'\1' * 8 * count + bytes(1024 - 8 * count))
            record = self.create(1024, most)
            self.assertEqual((record.status, record.result, record.done, record.value),
                             (1, result, done, size))
            for mask in range(8):
                record = self.create(1024, most, CRAV | RCR | CHECK, mask)
                self.assertEqual(record.status, 1 if mask >> result & 1 else 2)

    def test_bad_records(self):
        entry = struct.Struct('<HQ').pack
        for status, done, data in ((7, 10, entry(3, 1) + entry(3, 2)), (7, 10, entry(3, 1) + entry(2, 2)),
                                   (8, 10, entry(0, 1) + entry(128, 2)), (8, 0, entry(0xffff, 1))):
            record = self.apply(1024, len(data), data)
            self.assertEqual((record.status, record.done), (status, done))
        for fields, status in ((dict(size=0x80008), 0x13), (dict(size=12), 0x1c), (dict(size=8, a=SRC + 1), 0x1c),
                               (dict(size=8, most=72), 0x15), (dict(size=64, b=self.RECORD + 16), 0x16)):
            self.assertEqual(self.create(**fields).status, status, fields)
        self.assertEqual(self.apply(12, 10).status, 0x1c)
        self.assertEqual(self.apply(8, 9).status, 0x15)
        self.assertEqual(self.apply(64, 100, at=self.RECORD + 64).status, 0x16)


def guard(data, flags):
    crc = 0xffff if flags & 4 else 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x8bb7 if crc & 0x8000 else 0)) & 0xffff
    return crc ^ (0xffff if flags & 8 else 0)


class Integrity(Setup):
    """DIF: fields behind blocks, beside a model of them."""
    BLOCKS = (512, 520, 4096, 4104)
    COUNT = 5

    def setUp(self):
        self.start()
        self.dsa.start(({'xfer': 31},))

    def data(self, size):
        return [random.Random(size + n).randbytes(size) for n in range(self.COUNT)]

    def field(self, data, n, dif, side, tags):
        ref, mask, app = tags
        app = (app + n if side & 0x10 else app) & 0xffff & ~mask
        return struct.pack('>HHI', guard(data, dif), app, (ref if side & 0x80 else ref + n) & 0xffffffff)

    def protected(self, blocks, dif=0, side=0, tags=(7, 0, 9)):
        return b''.join(d + self.field(d, n, dif, side, tags) for n, d in enumerate(blocks))

    def go(self, opcode, size, dif, src_flags=0, dst_flags=0, src=(0, 0, 0), dst=(0, 0, 0)):
        rest = struct.pack('<BBBBI', src_flags, dst_flags, dif, 0, 0) + struct.pack('<IHH', *src) + \
            struct.pack('<IHH', *dst)
        target = 0 if opcode == dsa.DIF_CHECK else DST
        return self.dsa.execute(descriptor(opcode, CRAV | RCR, CRA, SRC, target, size, rest=rest))

    def test_known_guard(self):
        self.assertEqual(guard(b'123456789', 0), 0xd0db)

    def test_insert_strip_check(self):
        for code, size in enumerate(self.BLOCKS):
            blocks = self.data(size)
            for dif in (code, code | 4, code | 8, code | 12):
                for side in (0, 0x80, 0x10, 0x90):
                    tags = (0xfffffffe, 0x00f0, 0xfffe)
                    want = self.protected(blocks, dif, side, tags)
                    self.dsa.store(SRC, b''.join(blocks))
                    record = self.go(dsa.DIF_INSERT, size * self.COUNT, dif, dst_flags=side, dst=tags)
                    self.assertEqual((record.status, record.done), (1, 0))
                    self.assertEqual(self.dsa.load(DST, len(want)), want, (size, dif, side))
                    ref, app = struct.unpack_from('<IxxH', record.data, 24)
                    self.assertEqual(ref, (tags[0] + (0 if side & 0x80 else self.COUNT)) & 0xffffffff)
                    self.assertEqual(app, (tags[2] + (self.COUNT if side & 0x10 else 0)) & 0xffff)
                    self.dsa.store(SRC, want)
                    record = self.go(dsa.DIF_CHECK, len(want), dif, side, src=tags)
                    self.assertEqual((record.status, record.result), (1, 0))
                    self.dsa.store(DST, bytes(size * self.COUNT))
                    self.assertEqual(self.go(dsa.DIF_STRIP, len(want), dif, side, src=tags).status, 1)
                    self.assertEqual(self.dsa.load(DST, size * self.COUNT), b''.join(blocks))

    def test_update(self):
        blocks = self.data(512)
        old, new = (7, 0, 9), (100, 0, 50)
        self.dsa.store(SRC, self.protected(blocks, 0, 0, old))
        for flags, keeps in ((0, ''), (0x40, 'ref'), (0x20, 'guard'), (8, 'app')):
            want = b''
            for n, data in enumerate(blocks):
                before = struct.unpack('>HHI', self.field(data, n, 0, 0, old))
                after = struct.unpack('>HHI', self.field(data, n, 0, 0, new))
                names = ('guard', 'app', 'ref')
                want += data + struct.pack('>HHI', *(b if name == keeps else a
                                                     for name, a, b in zip(names, after, before)))
            self.assertEqual(self.go(dsa.DIF_UPDATE, len(want), 0, dst_flags=flags, src=old, dst=new).status, 1)
            self.assertEqual(self.dsa.load(DST, len(want)), want, keeps)

    def test_errors(self):
        """Each part that is wrong, and each flag that says not to look."""
        blocks = self.data(512)
        tags = (7, 0, 9)
        good = self.protected(blocks, 0, 0, tags)
        field = 2 * 520 + 512  # of the third block
        for at, status, skip in ((0, 1, 0x20), (2, 2, None), (4, 4, 0x40)):
            bad = bytearray(good)
            bad[field + at] ^= 0x80
            self.dsa.store(SRC, bytes(bad))
            record = self.go(dsa.DIF_CHECK, len(bad), 0, src=tags)
            self.assertEqual((record.status, record.result, record.done), (9, status, 2 * 520))
            self.dsa.store(DST, bytes(3 * 512))
            self.go(dsa.DIF_STRIP, len(bad), 0, src=tags)
            self.assertEqual(self.dsa.load(DST, 3 * 512), b''.join(blocks[:2]) + bytes(512))
            if skip is not None:
                self.assertEqual(self.go(dsa.DIF_CHECK, len(bad), 0, skip, src=tags).status, 1)
            else:
                self.assertEqual(self.go(dsa.DIF_CHECK, len(bad), 0, src=(7, 0xffff, 9)).status, 1)

    def test_all_ones(self):
        blocks = self.data(512)
        tags = (7, 0, 9)
        good = self.protected(blocks, 0, 0, tags)
        field = 520 + 512
        for ones, flags, status, result in (
                (range(8), 0, 9, 7), (range(8), 2, 1, 0), (range(8), 3, 9, 8), (range(2, 4), 4, 1, 0),
                (range(2, 4), 8, 9, 2), (range(2, 8), 8, 1, 0), (range(2, 8), 2, 9, 6)):
            data = bytearray(good)
            for at in ones:
                data[field + at] = 0xff
            self.dsa.store(SRC, bytes(data))
            record = self.go(dsa.DIF_CHECK, len(data), 0, flags, src=tags)
            self.assertEqual((record.status, record.result), (status, result), (list(ones), flags))


if __name__ == '__main__':
    house.main()
