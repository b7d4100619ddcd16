# SPDX-License-Identifier: GPL-2.0-or-later
"""e1000e and e1000 as drivers see them, on a wire whose other end is here."""
import os
import socket
import struct
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from pci import Pci  # noqa: E402
from vm import TIMEOUT, Vm  # noqa: E402

DEVFN, BAR, BAR_MSIX = 4 << 3, 0xe0000000, 0xe0040000
CTRL, STATUS, EECD, EERD, CTRL_EXT, MDIC = 0, 8, 0x10, 0x14, 0x18, 0x20
ICR, ITR, ICS, IMS, IMC, EIAC, IAM, IVAR, EITR = 0xc0, 0xc4, 0xc8, 0xd0, 0xd8, 0xdc, 0xe0, 0xe4, 0xe8
RCTL, TCTL, PSRCTL, RDTR, TIDV, RXCSUM, RFCTL = 0x100, 0x400, 0x2170, 0x2820, 0x3820, 0x5000, 0x5008
RDBAL, RDLEN, RDH, RDT = 0x2800, 0x2808, 0x2810, 0x2818
TDBAL, TDLEN, TDH, TDT = 0x3800, 0x3808, 0x3810, 0x3818
MTA, RA, VFTA, MRQC, RETA, RSSRK = 0x5200, 0x5400, 0x5600, 0x5818, 0x5c00, 0x5c80
ROC, GPRC, GPTC, GORCL, TSCTC = 0x40ac, 0x4074, 0x4080, 0x4088, 0x40f8
EN, UPE, MPE, LPE, BAM, VFE, SECRC, LOOP = 2, 8, 16, 32, 1 << 15, 1 << 18, 1 << 26, 0xc0
EOP, IFCS, IC, RS, DEXT, VLE, TSE = (1 << n for n in (24, 25, 26, 27, 29, 30, 26))
DATA, IXSM, TXSM, TCP, IPV4 = 1 << 20, 1 << 8, 1 << 9, 1 << 24, 1 << 25
SIZE = 16
RXRING, TXRING, RXDATA, TXDATA, MESSAGES = 0x100000, 0x110000, 0x200000, 0x300000, 0x400000
OWN = bytes.fromhex('525400123456')
OTHER = bytes.fromhex('525400abcdef')
KEY = bytes.fromhex('6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa')


def total(data):
    """The Internet checksum's sum, not complemented."""
    data += b'\0' * (len(data) % 2)
    value = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while value >> 16:
        value = (value & 0xffff) + (value >> 16)
    return value


def ipv4(payload, protocol=6, source='66.9.149.187', dest='161.142.100.80', number=7):
    header = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), number, 0, 64, protocol, 0,
                         socket.inet_aton(source), socket.inet_aton(dest))
    return header[:10] + struct.pack('>H', total(header) ^ 0xffff) + header[12:] + payload


def pseudo(ip):
    """Of the addresses and the protocol, without the length."""
    return total(ip[12:20] + bytes([0, ip[9]])) if ip[0] >> 4 == 4 else total(ip[8:40] + bytes([0, ip[6]]))


def tcp(data=b'', flags=0x10, sequence=1000, ports=(2794, 1766), checksum=0):
    return struct.pack('>HHIIBBHHH', *ports, sequence, 5, 5 << 4, flags, 99, checksum, 0) + data


def checked(ip):
    """The packet with its TCP or UDP checksum, IPv4 without options."""
    at = 20 + (16 if ip[9] == 6 else 6)
    value = total(struct.pack('>HH', pseudo(ip), len(ip) - 20) + ip[20:]) ^ 0xffff
    return ip[:at] + struct.pack('>H', value) + ip[at + 2:]


def ether(payload, dest=OWN, kind=0x0800, vlan=None):
    tag = b'' if vlan is None else struct.pack('>HH', 0x8100, vlan)
    return dest + OTHER + tag + struct.pack('>H', kind) + payload


class Nic:
    """Set up, with rings of queue 0 (and 1)."""

    def __init__(self, vm, wire, queues=1):
        self.vm, self.wire = vm, wire
        pci = Pci(vm)
        for at, value in ((0x10, BAR), (0x1c, BAR_MSIX)):
            pci.write(DEVFN, at, value)
        pci.write(DEVFN, 4, 6, 2)
        self.heads, self.tails = [0, 0], [0, 0]
        vm.qtest(f'memset {RXRING:#x} 0x20000 0')
        for queue in range(queues):
            for base, ring in ((RDBAL, RXRING), (TDBAL, TXRING)):
                self.put(base + 0x100 * queue, ring + 0x1000 * queue)
                self.put(base + 0x100 * queue + 8, 16 * SIZE)
        self.put(TCTL, 2 | 8)
        self.put(RCTL, EN | BAM | SECRC)

    def get(self, at):
        return int(self.vm.qtest(f'readl {BAR + at:#x}'), 16)

    def put(self, at, value):
        self.vm.qtest(f'writel {BAR + at:#x} {value:#x}')

    def poke(self, at, data):
        self.vm.qtest(f'write {at:#x} {len(data)} 0x{data.hex()}')

    def peek(self, at, size):
        return bytes.fromhex(self.vm.qtest(f'read {at:#x} {size}')[2:])

    # --- sending ---

    def send(self, *descriptors, queue=0):
        """(addr or words of a context, third word, fourth word), all at once."""
        for first, third, fourth in descriptors:
            raw = struct.pack('<Q', first) if isinstance(first, int) else struct.pack('<II', *first)
            self.poke(TXRING + 0x1000 * queue + 16 * self.tails[queue], raw + struct.pack('<II', third, fourth))
            self.tails[queue] = (self.tails[queue] + 1) % SIZE
        self.put(TDT + 0x100 * queue, self.tails[queue])

    def send_frame(self, frame, third=0, fourth=0, queue=0):
        self.poke(TXDATA, frame)
        self.send((TXDATA, len(frame) | EOP | IFCS | RS | third, fourth), queue=queue)

    def sent(self):
        return self.wire.recv(65536)

    # --- receiving ---

    def give(self, count, size=2048, queue=0, width=16, addresses=1):
        """Buffers, from the first descriptor on, in order."""
        for n in range(count):
            where = RXDATA + 0x40000 * queue + n * size * addresses
            raw = struct.pack(f'<{addresses}Q', *(where + size * i for i in range(addresses)))
            self.poke(RXRING + 0x1000 * queue + width * n, raw + bytes(width - len(raw)))
        self.put(RDT + 0x100 * queue, count * width // 16)

    def arrive(self, frame):
        self.wire.send(frame)

    def descriptor(self, n=0, queue=0, width=16):
        """Once its DD bit is set."""
        at = RXRING + 0x1000 * queue + width * n
        for _ in range(100000):
            raw = self.peek(at, width)
            if raw[8 if self.is_extended() else 12] & 1:
                return raw
        raise RuntimeError('nothing was received')

    def is_extended(self):
        return self.get(RFCTL) & 1 << 15

    def received(self, n=0, size=2048):
        """Of a legacy descriptor: bytes, status, errors, tag."""
        raw = self.descriptor(n)
        length, _, status, errors, tag = struct.unpack('<HHBBH', raw[8:])
        return self.peek(RXDATA + n * size, length), status, errors, tag


class Rings(unittest.TestCase):
    model = 'e1000e'

    def nic(self, *args, queues=1):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        near, far = (os.path.join(folder.name, name) for name in ('near', 'far'))
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(wire.close)
        wire.bind(far)
        wire.settimeout(TIMEOUT)
        vm = Vm(house.binary(), '-M', 'q35', '-nodefaults', '-m', '64', '-netdev',
                f'dgram,id=n,local.type=unix,local.path={near},remote.type=unix,remote.path={far}',
                '-device', f'{self.model},netdev=n,addr=4,mac=52:54:00:12:34:56,romfile=',
                *args, qtest=True)
        vm.__enter__()
        self.addCleanup(vm.__exit__, None, None, None)
        wire.connect(near)
        return Nic(vm, wire, queues)

    def check_chain(self, frame):
        """Checksums of an IPv4 or IPv6 frame without options."""
        ip = frame[14:]
        header, size = (20, struct.unpack('>H', ip[2:4])[0]) if ip[0] >> 4 == 4 else (
            40, 40 + struct.unpack('>H', ip[4:6])[0])
        if header == 20:
            self.assertEqual(total(ip[:20]), 0xffff)
        self.assertEqual(total(struct.pack('>HH', pseudo(ip), size - header) + ip[header:size]), 0xffff)
        return ip[header:size]

    def test_send(self):
        nic = self.nic()
        frame = ether(bytes(range(200)))
        self.nic_counts(nic)
        nic.send_frame(frame)
        self.assertEqual(nic.sent(), frame)
        self.assertEqual(nic.get(TDH), 1)
        self.assertEqual(nic.peek(TXRING + 12, 1), b'\1')
        # In three pieces, the last alone reports; a short frame is padded.
        nic.poke(TXDATA, frame)
        nic.send((TXDATA, 10, 0), (TXDATA + 10, 0, 0), (TXDATA + 10, 20 | EOP | RS, 0))
        self.assertEqual(nic.sent(), frame[:30].ljust(60, b'\0'))
        self.assertEqual([nic.peek(TXRING + 16 * n + 12, 1)[0] & 1 for n in (1, 2, 3)], [0, 0, 1])
        self.assertEqual(nic.get(GPTC), 2)
        self.assertEqual(nic.get(GPTC), 0)

    def nic_counts(self, nic):
        self.assertEqual([nic.get(at) for at in (GPTC, GPRC)], [0, 0])

    def test_receive(self):
        nic = self.nic()
        nic.put(RXCSUM, 0x300)
        nic.give(8)
        nic.put(RDT, 4)
        frame = ether(checked(ipv4(tcp(b'hello'))))
        nic.arrive(frame)
        data, status, errors, _ = nic.received()
        self.assertEqual(data, frame.ljust(60, b'\0'))
        self.assertEqual((status & 0x2b, errors), (0x23, 0))  # checksums looked at
        self.assertEqual((nic.get(RDH), nic.get(GPRC)), (1, 1))
        # Not for us; in no table; then the broadcast address, which RCTL.BAM lets in.
        nic.arrive(ether(bytes(50), dest=OTHER))
        nic.arrive(ether(bytes(50), dest=bytes.fromhex('01005e000001')))
        nic.arrive(ether(bytes(50), dest=b'\xff' * 6))
        self.assertEqual(nic.received(1)[0][:6], b'\xff' * 6)
        # Frames wait for buffers.
        for n in range(3):
            nic.arrive(ether(bytes([n]) * 50))
        self.assertEqual(nic.received(2)[0][14], 0)
        nic.put(RDT, 6)
        self.assertEqual([nic.received(n)[0][14] for n in (3, 4)], [1, 2])

    def test_filters(self):
        nic = self.nic()
        nic.give(12)
        group = bytes.fromhex('01005e112233')
        bit = (group[4] | group[5] << 8) >> 4 & 0xfff
        nic.put(MTA + bit // 32 * 4, 1 << bit % 32)
        nic.arrive(ether(bytes(50), dest=group))
        self.assertEqual(nic.received(0)[1] & 0x80, 0x80)  # by hash: perhaps it is another
        nic.put(RA + 8, int.from_bytes(OTHER[:4], 'little'))
        nic.put(RA + 12, int.from_bytes(OTHER[4:], 'little') | 1 << 31)
        nic.arrive(ether(bytes(50), dest=OTHER))
        self.assertEqual(nic.received(1)[1] & 0x80, 0)
        nic.put(RCTL, EN | BAM | SECRC | UPE | MPE)
        for n, dest in enumerate((b'\2abcde', b'\3abcde')):
            nic.arrive(ether(bytes(50), dest=dest))
            self.assertEqual(nic.received(2 + n)[0][:6], dest)
        # VLANs: 5 alone.
        nic.put(RCTL, EN | BAM | SECRC | VFE)
        nic.put(VFTA, 1 << 5)
        nic.arrive(ether(bytes(50), vlan=6))
        nic.arrive(ether(bytes(50), vlan=5))
        self.assertEqual(nic.received(4)[0][12:16], bytes.fromhex('81000005'))

    def test_vlan_tags(self):
        nic = self.nic()
        nic.give(4)
        nic.put(CTRL, nic.get(CTRL) | 1 << 30)
        nic.arrive(ether(bytes(range(100)), vlan=0x6005))
        data, status, _, tag = nic.received()
        self.assertEqual((data, status & 8, tag), (ether(bytes(range(100))), 8, 0x6005))
        nic.send_frame(ether(bytes(range(100))), VLE, 0x2007 << 16)
        self.assertEqual(nic.sent(), ether(bytes(range(100)), vlan=0x2007))

    def test_long_frames(self):
        nic = self.nic()
        nic.give(10)
        frame = ether(bytes(n & 0xff for n in range(9000)))
        nic.arrive(frame)
        nic.arrive(ether(bytes(50)))
        self.assertEqual(len(nic.received(0)[0]), 64)
        self.assertEqual(nic.get(ROC), 1)
        nic.put(RCTL, EN | BAM | SECRC | LPE)
        nic.arrive(frame)
        got = b''.join(nic.received(n)[0] for n in range(1, 6))
        self.assertEqual(got, frame)
        self.assertEqual([nic.received(n)[1] & 2 for n in range(1, 6)], [0, 0, 0, 0, 2])

    def test_checksums_sent(self):
        nic = self.nic()
        packet = ipv4(tcp(b'abcdefgh'))
        want = ether(checked(packet))
        start = pseudo(packet) + 28
        bare = packet[:10] + b'\0\0' + packet[12:36] + struct.pack('>H', start) + packet[38:]
        nic.poke(TXDATA, ether(bare))
        nic.send((((14 | 24 << 8 | 33 << 16), (34 | 50 << 8)), DEXT | TCP | IPV4, 0),
                 (TXDATA, len(want) | DATA | DEXT | EOP | RS | IFCS, IXSM | TXSM))
        self.assertEqual(nic.sent(), want)

    def segment(self, nic, packet, mss, is_tcp=True, header=20):
        """Sends it to be cut; returns what came."""
        hdrlen = 14 + header + (20 if is_tcp else 8)
        at = 16 if is_tcp else 6
        packet = packet[:header + at] + struct.pack('>H', pseudo(packet)) + packet[header + at + 2:]
        frame = ether(packet, kind=0x0800 if header == 20 else 0x86dd)
        nic.poke(TXDATA, frame)
        kind = (TCP if is_tcp else 0) | (IPV4 if header == 20 else 0)
        nic.send((((14 | 24 << 8 | (13 + header) << 16), (14 + header | (14 + header + at) << 8)),
                  DEXT | TSE | kind | (len(frame) - hdrlen), hdrlen << 8 | mss << 16),
                 (TXDATA, 100 | DATA | DEXT | TSE, TXSM | (IXSM if header == 20 else 0)),
                 (TXDATA + 100, (len(frame) - 100) | DATA | DEXT | TSE | EOP | RS, 0))
        count = -(-(len(frame) - hdrlen) // mss)
        return [nic.sent() for _ in range(count)]

    def test_segments(self):
        nic = self.nic()
        data = bytes(n * 7 & 0xff for n in range(4000))
        frames = self.segment(nic, ipv4(tcp(data, flags=0x19)), 1460)
        self.assertEqual([len(frame) for frame in frames], [1514, 1514, 54 + 1080])
        chains = [self.check_chain(frame) for frame in frames]
        self.assertEqual(b''.join(chain[20:] for chain in chains), data)
        self.assertEqual([struct.unpack('>I', chain[4:8])[0] for chain in chains], [1000, 2460, 3920])
        self.assertEqual([chain[13] for chain in chains], [0x10, 0x10, 0x19])  # PSH and FIN at the end
        self.assertEqual([struct.unpack('>H', frame[18:20])[0] for frame in frames], [7, 8, 9])
        six = struct.pack('>IHBB', 6 << 28, 20 + len(data), 6, 64) + bytes(range(32)) + tcp(data)
        frames = self.segment(nic, six, 1440, header=40)
        self.assertEqual(b''.join(self.check_chain(frame)[20:] for frame in frames), data)
        self.assertEqual(nic.get(TSCTC), 2)

    def test_nvm_and_phy(self):
        nic = self.nic()
        shift, done = (2, 2) if self.model == 'e1000e' else (8, 16)
        words = []
        for n in range(64):
            nic.put(EERD, n << shift | 1)
            self.assertTrue(nic.get(EERD) & done)
            words.append(nic.get(EERD) >> 16)
        self.assertEqual(sum(words) & 0xffff, 0xbaba)
        self.assertEqual(struct.pack('<3H', *words[:3]), OWN)
        nic.put(MDIC, 2 << 26 | 1 << 21 | 2 << 16)
        self.assertEqual(nic.get(MDIC) & 0x1000ffff, 0x10000141)
        nic.put(MDIC, 2 << 26 | 3 << 21 | 2 << 16)
        self.assertTrue(nic.get(MDIC) & 1 << 30)  # there is no other PHY

    def test_reset(self):
        nic = self.nic()
        nic.put(RA, 0)
        nic.put(IMS, 0xff)
        nic.put(CTRL, nic.get(CTRL) | 1 << 26)
        self.assertEqual((nic.get(CTRL) & 1 << 26, nic.get(RCTL), nic.get(IMS)), (0, 0, 0))
        self.assertEqual(nic.get(RA), int.from_bytes(OWN[:4], 'little'))


class Old(Rings):
    model = 'e1000'


class Extended(Rings):
    """What the 82574L has more."""

    def nic(self, *args, queues=2):
        nic = super().nic(*args, queues=queues)
        nic.put(RFCTL, 1 << 15)
        return nic

    # What the first class tests has legacy descriptors.
    for name in [name for name in dir(Rings) if name.startswith('test_')]:
        locals()[name] = None
    del name

    def spread(self, nic):
        for n in range(10):
            nic.put(RSSRK + 4 * n, int.from_bytes(KEY[4 * n:4 * n + 4], 'little'))
        for n in range(32):
            nic.put(RETA + 4 * n, 0x80008000)  # odd entries: queue 1
        nic.put(RXCSUM, 0x2300)
        nic.put(MRQC, 0x370001)
        for queue in (0, 1):
            nic.give(8, queue=queue)

    def test_hashes(self):
        nic = self.nic()
        self.spread(nic)
        plain, tcp_hash = 0x323e8fc2, 0x51ccc178  # of the published vectors
        nic.arrive(ether(checked(ipv4(tcp()))))
        kind, value, _, _ = struct.unpack('<IIII', nic.descriptor())
        self.assertEqual((kind & 0xf, value), (1, tcp_hash))
        nic.arrive(ether(checked(ipv4(bytes.fromhex('0aea06e600080000'), protocol=17))))
        kind, value, _, _ = struct.unpack('<IIII', nic.descriptor(1))
        self.assertEqual((kind & 0xf, value), (2, plain))
        nic.arrive(ether(checked(ipv4(tcp(ports=(14230, 4739)), source='199.92.111.2', dest='65.69.140.83'))))
        kind, value, _, _ = struct.unpack('<IIII', nic.descriptor(2))
        self.assertEqual((kind & 0xf, value), (1, 0xc626b0ea))
        for n in range(32):
            nic.put(RETA + 4 * n, 0x80808080)
        nic.arrive(ether(checked(ipv4(tcp()))))
        kind, value, _, _ = struct.unpack('<IIII', nic.descriptor(queue=1))
        self.assertEqual((kind, value), (0x101, tcp_hash))

    def test_status(self):
        nic = self.nic()
        nic.give(8)
        good = checked(ipv4(tcp(b'abcd')))
        nic.put(RXCSUM, 0x1300)
        nic.arrive(ether(good))
        nic.arrive(ether(good[:-1] + b'!'))
        nic.arrive(ether(b'\0' * 46, kind=0x88cc))
        words = [struct.unpack('<IIII', nic.descriptor(n)) for n in range(3)]
        self.assertEqual(words[0][2] & 0xffffff67, 0x263)         # DD EOP TCPCS IPCS IPIDV
        self.assertEqual(words[0][1] >> 16, 7)                    # the identification
        self.assertEqual(words[1][2] >> 24, 0x20)                 # TCPE
        self.assertEqual(words[2][2] & 0xff, 7)                   # IXSM: not looked at
        self.assertEqual(words[0][3] & 0xffff, 60)

    def test_split_headers(self):
        nic = self.nic()
        nic.put(PSRCTL, 2 | 1 << 8 | 1 << 16)
        nic.put(RCTL, EN | BAM | SECRC | 1 << 10)
        nic.give(4, size=1024, width=32, addresses=4)
        data = bytes(n & 0xff for n in range(1400))
        frame = ether(checked(ipv4(tcp(data))))
        nic.arrive(frame)
        raw = nic.descriptor(width=32)
        self.assertEqual(struct.unpack('<H', raw[12:14])[0], 54)
        self.assertEqual(struct.unpack('<4H', raw[16:24]), (0x8000 | 54, 1024, 376, 0))
        self.assertEqual(nic.peek(RXDATA, 54), frame[:54])
        self.assertEqual(nic.peek(RXDATA + 1024, 1400), data)
        # Nothing to split: all in order.
        nic.arrive(ether(data[:400], kind=0x88cc))
        raw = nic.descriptor(1, width=32)
        self.assertEqual(struct.unpack('<H', raw[12:14])[0], 256)
        self.assertEqual(struct.unpack('<4H', raw[16:24]), (0, 158, 0, 0))
        self.assertEqual(nic.get(RDH), 4)

    def test_udp_segments(self):
        nic = self.nic()
        data = bytes(n * 3 & 0xff for n in range(2500))
        packet = ipv4(struct.pack('>HHHH', 7, 9, 0, 0) + data, protocol=17)
        frames = self.segment(nic, packet, 1000, is_tcp=False)
        chains = [self.check_chain(frame) for frame in frames]
        self.assertEqual(b''.join(chain[8:] for chain in chains), data)
        self.assertEqual([struct.unpack('>H', chain[4:6])[0] for chain in chains], [1008, 1008, 508])

    def test_second_queue(self):
        nic = self.nic()
        frame = ether(bytes(100))
        nic.send_frame(frame, queue=1)
        self.assertEqual(nic.sent(), frame)
        self.assertEqual((nic.get(TDH), nic.get(TDH + 0x100)), (0, 1))

    def test_wake(self):
        nic = self.nic()
        pci = Pci(nic.vm)
        nic.put(0x5800, 2)
        nic.put(0x5808, 2)  # by a magic packet alone
        pci.write(DEVFN, 0xcc, 0x103, 2)
        nic.arrive(ether(bytes(60)))
        magic = ether(b'\xff' * 6 + OWN * 16, dest=b'\xff' * 6, kind=0x0842)
        nic.arrive(magic[:-1])
        nic.vm.qmp('query-status')
        self.assertEqual(pci.read(DEVFN, 0xcc, 2), 0x103)
        nic.arrive(magic)
        self.assertTrue(any(pci.read(DEVFN, 0xcc, 2) & 0x8000 for _ in range(100000)))
        pci.write(DEVFN, 0xcc, 0x8000, 2)
        self.assertEqual(pci.read(DEVFN, 0xcc, 2), 0)
        self.assertEqual([nic.get(at) for at in (0x5810, 0x5900, 0x5a00, RCTL)],
                         [2, len(magic), 0xffffffff, 0])

    def test_flexible_wake(self):
        """By bytes that the driver has chosen: a type and the end of an address for filter 2."""
        nic = self.nic()
        pci = Pci(nic.vm)
        for n, columns in ((0, 5), (5, 4), (12, 4), (13, 4)):
            nic.put(0x9000 + 8 * n, columns)
        for n, values in ((0, 0x99), (5, OWN[5] << 16), (12, 0x88 << 16), (13, 0xb5 << 16)):
            nic.put(0x9800 + 8 * n, values)
        nic.put(0x5f00, 14)
        nic.put(0x5f10, 14)
        nic.put(0x9800, 0x99 | OWN[0] << 16)
        nic.put(0x5800, 2)
        nic.put(0x5808, 5 << 16)
        pci.write(DEVFN, 0xcc, 0x103, 2)
        wanted = ether(bytes(60), kind=0x88b5)
        for other in ether(bytes(60), kind=0x88b6), ether(bytes(60), dest=OTHER, kind=0x88b5), ether(bytes(60)):
            nic.arrive(other)
        nic.vm.qmp('query-status')
        self.assertEqual(pci.read(DEVFN, 0xcc, 2), 0x103)
        nic.arrive(wanted)
        while not pci.read(DEVFN, 0xcc, 2) & 0x8000:
            pass
        pci.write(DEVFN, 0xcc, 0x8000, 2)
        self.assertEqual((nic.get(0x5810), nic.get(0x5900)), (4 << 16, len(wanted)))

    # --- interrupts ---

    def messages(self, nic):
        """MSI-X on; vector n stores n + 1 at MESSAGES + 4 * n."""
        for n in range(5):
            at = BAR_MSIX + 16 * n
            nic.vm.qtest(f'writeq {at:#x} {MESSAGES + 4 * n:#x}')
            nic.vm.qtest(f'writel {at + 8:#x} {n + 1}')
            nic.vm.qtest(f'writel {at + 12:#x} 0')
        nic.vm.qtest(f'memset {MESSAGES:#x} 0x20 0')
        Pci(nic.vm).write(DEVFN, 0xa2, 0x8000, 2)
        nic.put(IVAR, 0x8 | 0x9 << 4 | 0xa << 8 | 0xb << 12 | 0xc << 16)

    def told(self, nic):
        """The vectors that sent a message since the last time."""
        data = nic.peek(MESSAGES, 20)
        nic.vm.qtest(f'memset {MESSAGES:#x} 0x20 0')
        return [value - 1 for value in struct.unpack('<5I', data) if value]

    def test_messages(self):
        nic = self.nic()
        self.messages(nic)
        nic.put(EIAC, 0x1f00000)
        nic.put(ICS, 1 << 20)
        self.assertEqual(self.told(nic), [])
        nic.put(IMS, 0x1f00004)
        self.assertEqual(self.told(nic), [0])
        self.assertEqual(nic.get(ICR) & 1 << 20, 0)  # cleared itself
        nic.give(4)
        nic.arrive(ether(bytes(60)))
        nic.descriptor()
        self.assertEqual(self.told(nic), [0])
        nic.send_frame(ether(bytes(60)))
        self.assertEqual(self.told(nic), [2])
        nic.put(ICS, 4)
        self.assertEqual(self.told(nic), [4])  # LSC: one of the others

    def test_masks_that_clear(self):
        nic = self.nic()
        self.messages(nic)
        nic.put(CTRL_EXT, 1 << 24)
        nic.put(IAM, 0xffffffff)
        nic.put(EIAC, 0x1f00000)
        nic.put(IMS, 0x300000)
        nic.put(ICS, 1 << 20)
        nic.put(ICS, 1 << 20)
        self.assertEqual((self.told(nic), nic.get(IMS)), ([0], 0x200000))
        nic.put(IMS, 1 << 20)
        self.assertEqual(self.told(nic), [0])

    def test_causes(self):
        nic = self.nic()
        nic.get(ICR)
        nic.put(ICS, 0x80)
        self.assertEqual(nic.get(ICR), 0x80)  # all masked: reading clears
        self.assertEqual(nic.get(ICR), 0)
        nic.put(CTRL_EXT, 1 << 27)
        nic.put(IAM, 0x80)
        nic.put(IMS, 0x84)
        nic.put(ICS, 0x80)
        self.assertEqual(nic.get(ICR), 0x80000080)
        self.assertEqual((nic.get(ICR), nic.get(IMS)), (0, 4))
        nic.put(ICS, 0x90)
        self.assertEqual(nic.get(ICR), 0x90)  # not asserted: reading does nothing
        nic.put(ICR, 0x10)
        self.assertEqual(nic.get(ICR), 0x80)

    def test_throttle(self):
        nic = self.nic()
        self.messages(nic)
        nic.put(EITR, 1000)  # 256 us
        nic.put(EIAC, 1 << 20)
        nic.put(IMS, 1 << 20)
        for _ in range(3):
            nic.put(ICS, 1 << 20)
        self.assertEqual(self.told(nic), [0])
        nic.vm.qtest('clock_step 250000')
        self.assertEqual(self.told(nic), [])
        nic.vm.qtest('clock_step 10000')
        self.assertEqual(self.told(nic), [0])
        nic.vm.qtest('clock_step 300000')
        self.assertEqual(self.told(nic), [])

    def test_delays(self):
        nic = self.nic()
        nic.give(8)
        nic.put(RDTR, 100)
        nic.arrive(ether(bytes(60)))
        nic.descriptor()
        self.assertEqual(nic.get(ICR) & 0x80, 0)
        nic.vm.qtest('clock_step 110000')
        self.assertEqual(nic.get(ICR) & 0x80, 0x80)
        nic.put(TIDV, 10)
        nic.send_frame(ether(bytes(60)), 1 << 31)
        self.assertEqual(nic.get(ICR) & 1, 0)
        nic.vm.qtest('clock_step 20000')
        self.assertEqual(nic.get(ICR) & 1, 1)

    def test_wires_of_the_eeprom(self):
        nic = self.nic()

        def bits(value, count):
            got = 0
            for n in reversed(range(count)):
                data = 0x40 | (value >> n & 1) << 2
                nic.put(EECD, data)
                nic.put(EECD, data | 1)
                got = got << 1 | nic.get(EECD) >> 3 & 1
            return got

        def select():
            nic.put(EECD, 0x42)
            self.assertTrue(nic.get(EECD) & 0x80)
            nic.put(EECD, 0x40)

        select()
        bits(3 << 8, 16)
        self.assertEqual(bytes(bits(0, 8) for _ in range(6)), OWN)
        select()
        bits(6, 8)
        select()
        bits(2 << 16 | 0x20 << 8 | 0x5a, 24)
        select()
        bits(3 << 8 | 0x20, 16)
        self.assertEqual(bits(0, 8), 0x5a)

    def test_loopback(self):
        nic = self.nic()
        nic.give(4)
        nic.put(RCTL, EN | BAM | SECRC | LOOP)
        frame = ether(bytes(range(80)))
        nic.send_frame(frame)
        nic.descriptor()
        self.assertEqual(nic.peek(RXDATA, len(frame)), frame)

    def test_crc(self):
        nic = self.nic()
        nic.give(4)
        nic.put(RCTL, EN | BAM)
        nic.arrive(ether(bytes(range(80))))
        self.assertEqual(struct.unpack('<H', nic.descriptor()[12:14])[0], 98)
        # The register over frame and CRC has one value, whatever the frame is.
        self.assertEqual(zlib.crc32(nic.peek(RXDATA, 98)), 0x2144df1c)

    def test_link(self):
        nic = self.nic()
        nic.get(ICR)
        nic.vm.qmp('set_link', name='n', up=False)
        self.assertEqual((nic.get(STATUS) & 2, nic.get(ICR) & 4), (0, 4))
        nic.vm.qmp('set_link', name='n', up=True)
        self.assertEqual((nic.get(STATUS) & 2, nic.get(ICR) & 4), (2, 4))
        nic.put(MDIC, 1 << 26 | 1 << 21 | 0x1340)  # negotiate
        self.assertEqual(nic.get(STATUS) & 2, 0)
        nic.vm.qtest('clock_step 200000000')
        self.assertEqual(nic.get(STATUS) & 2, 2)

    def test_hostile_rings(self):
        nic = self.nic()
        nic.put(TDT, SIZE + 5)  # behind the end: the head never gets there
        nic.put(TDH, 0xffff)
        nic.put(TDT, 3)
        nic.put(TDLEN, 0)
        nic.put(TDT, 1)
        nic.put(TDLEN, 16 * SIZE)
        nic.put(TDH, 0)
        nic.put(TDT, 0)
        # Segments of one byte, many of them; then the ring among its own registers.
        nic.poke(TXDATA, ether(ipv4(tcp(bytes(4000)))))
        nic.send((((14 | 24 << 8), (34 | 50 << 8)), DEXT | TSE | TCP | IPV4, 54 << 8 | 1 << 16),
                 (TXDATA, 4054 | DATA | DEXT | TSE | EOP | RS, 0))
        for _ in range(4000):
            nic.sent()
        nic.put(TDBAL, BAR + TDBAL)
        nic.send((TXDATA, 60 | EOP | RS, 0))
        nic.put(RDBAL, BAR + RDBAL)
        nic.put(RCTL, EN | BAM | LOOP | UPE | MPE)
        nic.put(RDT, 9)
        nic.send((TXDATA, 60 | EOP | RS, 0))
        nic.put(CTRL, 1 << 26)
        self.assertEqual(nic.get(RCTL), 0)

    def test_hostile_segments(self):
        nic = self.nic()
        nic.poke(TXDATA, bytes(2000))
        for hdrlen, mss, starts in ((0, 100, 0), (255, 0, 0), (54, 100, 0xffffffff), (10, 100, 0x0e0e0e0e)):
            nic.send(((starts, starts), DEXT | TSE | TCP | IPV4, hdrlen << 8 | mss << 16),
                     (TXDATA, 2000 | DATA | DEXT | TSE | EOP | RS, IXSM | TXSM))
        for _ in range(80):  # one frame of more than there is room for
            nic.send((TXDATA, 1000 | DATA | DEXT, 0))
        nic.send((TXDATA, 1000 | DATA | DEXT | EOP, 0))
        nic.send_frame(ether(bytes(100)))
        self.assertEqual(nic.sent(), ether(bytes(100)))

    def test_migration(self):
        """In the middle of a frame, with a context, and a delay that runs."""
        nic = self.nic()
        frame = ether(bytes(range(200)))
        nic.poke(TXDATA, frame)
        nic.send((TXDATA, 90, 0))
        nic.put(IMS, 0x81)
        path = nic.vm.folder.name + '/state'
        nic.vm.qmp('migrate', uri=f'file:{path}')
        nic.vm.qmp.wait_event('STOP')
        while nic.vm.qmp('query-migrate')['status'] != 'completed':
            pass
        new = self.nic('-incoming', f'file:{path}')
        while new.vm.qmp('query-migrate').get('status') != 'completed':
            pass
        new.tails = nic.tails
        new.send((TXDATA + 90, 124 | EOP | RS, 0))
        self.assertEqual((new.sent(), new.get(IMS)), (frame, 0x81))


if __name__ == '__main__':
    house.main()
