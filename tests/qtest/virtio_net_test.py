# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio-net's control queue, hashes of frames and announcements, on a wire whose other end is here."""
import os
import socket
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import virtio  # noqa: E402
from virtio_net import (ANNOUNCE, CTRL_EXTRA, CTRL_MAC, CTRL_RX, CTRL_VLAN, CTRL_VQ, DATA, FRAME, HASH, KEY,  # noqa: E402
                        MERGED, MQ, MTU, OTHER, OWN, RSS, SPEED, STATUS, Driver, ether, ipv4)
from virtio_pci import COMMON, DEVICE  # noqa: E402
from vm import TIMEOUT, Vm, refusal  # noqa: E402

class VirtioNet(unittest.TestCase):
    def driver(self, options='', features=()):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        near, far = (os.path.join(folder, name) for name in ('near', 'far'))
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(wire.close)
        wire.bind(far)
        wire.settimeout(TIMEOUT)
        vm = self.enterContext(Vm(
            house.binary(), '-M', 'q35', '-nodefaults', '-m', '64', '-netdev',
            f'dgram,id=n,local.type=unix,local.path={near},remote.type=unix,remote.path={far}', '-device',
            f'virtio-net-pci,netdev=n,addr=4,id=x,mac=52:54:00:12:34:56,disable-legacy=on{options}', qtest=True))
        wire.connect(near)
        return Driver(vm, wire, (CTRL_VQ, *features))

    def test_hashes(self):
        driver = self.driver(',hash=on', (HASH,))
        self.assertEqual(driver.function.get(DEVICE, 20), 0x1ff)
        self.assertEqual(driver.function.get(DEVICE, 17, 1), 40)
        config = struct.pack('<IHHHHB', 0x1ff, 0, 0, 0, 0, 40) + KEY
        segment = struct.pack('>HHIIBBHHH', 2794, 1766, 0, 0, 5 << 4, 0x10, 0, 0, 0)
        frames = [ether(ipv4(6, segment)), ether(ipv4(1, bytes(8))), ether(b'x' * 50, kind=0x88b5)]
        self.assertEqual(driver.receive(frames[0])[12:], bytes(8))  # before the driver says which
        self.assertTrue(driver.ask(4, 2, config))
        self.assertEqual([struct.unpack('<IHH', driver.receive(frame)[12:]) for frame in frames],
                         [(0x51ccc178, 2, 0), (0x323e8fc2, 1, 0), (0, 0, 0)])
        # Addresses alone: TCP has them, too.
        self.assertTrue(driver.ask(4, 2, struct.pack('<I', 1) + config[4:]))
        self.assertEqual(struct.unpack('<IHH', driver.receive(frames[0])[12:]), (0x323e8fc2, 1, 0))
        for wrong in config[:-1], config + b'!', struct.pack('<I', 0x200) + config[4:], b'':
            self.assertFalse(driver.ask(4, 2, wrong))
        self.assertEqual(struct.unpack('<IHH', driver.receive(frames[0])[12:]), (0x323e8fc2, 1, 0))

    def rss(self, types=0x1ff, mask=127, other=0, table=None, pairs=1, key=KEY):
        table = [0] * (mask + 1) if table is None else table
        return struct.pack(f'<IHH{len(table)}HHB', types, mask, other, *table, pairs, len(key)) + key

    def test_queues(self):
        driver = self.driver(',rss=on', (RSS,))
        self.assertTrue(driver.ask(4, 1, self.rss()))
        self.assertTrue(driver.ask(4, 1, self.rss(mask=0, key=b'')))
        driver.receive(ether(bytes(50)))
        for wrong in (self.rss(mask=2), self.rss(mask=255), self.rss(other=1), self.rss(table=[0] * 127 + [1]),
                      self.rss(pairs=0), self.rss(pairs=2), self.rss(types=1 << 9), self.rss()[:-1],
                      self.rss(key=KEY + b'!'), self.rss()[:100]):
            self.assertFalse(driver.ask(4, 1, wrong))
        self.assertFalse(driver.ask(4, 0, struct.pack('<H', 1)))  # VIRTIO_NET_F_MQ was not taken
        self.assertFalse(driver.ask(4, 2, b''))

    def test_sending_later(self):
        driver = self.driver(',tx=timer,x-txtimer=1000')
        driver.send(FRAME)
        driver.vm.qmp('query-status')  # the main loop had its turn
        self.assertIsNone(driver.queues[1].take())
        self.assertEqual(driver.queues[1].read(driver.queues[1].device, 2), b'\1\0')  # no more kicks
        driver.vm.qtest('clock_step 999')
        self.assertIsNone(driver.queues[1].take())
        driver.vm.qtest('clock_step 1')
        driver.queues[1].wait()
        self.assertEqual(driver.wire.recv(2000), FRAME)
        self.assertEqual(driver.queues[1].read(driver.queues[1].device, 2), b'\0\0')

    def test_stopped(self):
        """What is sent while the machine stands goes out when it runs."""
        for options in '', ',tx=timer':
            driver = self.driver(options)
            driver.vm.qmp('stop')
            driver.send(FRAME)
            driver.vm.qmp('query-status')
            self.assertIsNone(driver.queues[1].take())
            driver.vm.qmp('cont')
            driver.queues[1].wait()
            self.assertEqual(driver.wire.recv(2000), FRAME)

    def filter_of(self, driver):
        info, = driver.vm.qmp('query-rx-filter', name='x')
        return info

    def test_tables(self):
        """64 addresses are kept; more of them are as good as all."""
        driver = self.driver(features=(CTRL_RX, CTRL_VLAN, CTRL_MAC, CTRL_EXTRA))
        self.filter_of(driver)
        self.assertTrue(driver.ask(0, 0, b'\0'))
        event = driver.vm.qmp.wait_event('NIC_RX_FILTER_CHANGED')
        self.assertEqual((event['data']['name'], event['data']['path']), ('x', '/machine/peripheral/x'))
        macs = [b'\2\0\0\0\0%c' % n for n in range(65)]
        groups = [b'\1\0\0\0\0%c' % n for n in range(65)]

        def table(*lists):
            return b''.join(struct.pack('<I', len(part)) + b''.join(part) for part in lists)
        self.assertTrue(driver.ask(1, 0, table(macs[:60], groups[:4])))
        info = self.filter_of(driver)
        self.assertEqual((len(info['unicast-table']), len(info['multicast-table'])), (60, 4))
        self.assertEqual((info['unicast-overflow'], info['multicast-overflow'], info['promiscuous']), (False,) * 3)
        driver.wire.send(ether(bytes(50), dest=macs[60]))
        driver.wire.send(ether(bytes(50), dest=groups[4]))
        driver.receive(ether(bytes(50), dest=macs[59]))
        self.assertTrue(driver.ask(1, 0, table(macs[:60], groups[:5])))
        info = self.filter_of(driver)
        self.assertEqual((info['multicast-table'], info['multicast-overflow']), ([], True))
        driver.receive(ether(bytes(50), dest=groups[9]))
        self.assertTrue(driver.ask(1, 0, table(macs, [])))
        self.assertEqual(self.filter_of(driver)['unicast-overflow'], True)
        driver.receive(ether(bytes(50), dest=OTHER))
        # What the modes say comes first.
        for mode, key, want in (4, 'multicast', 'normal'), (3, 'multicast', 'none'), (1, 'multicast', 'none'), (
                4, 'unicast', 'none'), (5, 'broadcast-allowed', False):
            self.assertTrue(driver.ask(0, mode, b'\1'))
            self.assertEqual(self.filter_of(driver)[key], want)
        driver.wire.send(ether(bytes(50), dest=b'\xff' * 6))
        self.assertTrue(driver.ask(0, 0, b'\1'))
        driver.receive(ether(bytes(50), dest=OTHER))

    def test_hostile_requests(self):
        features = (CTRL_RX, CTRL_VLAN, CTRL_MAC, CTRL_EXTRA, STATUS, ANNOUNCE)
        driver = self.driver(features=features)
        before = self.filter_of(driver)
        wrong = [bytes([kind, command]) + data for kind in range(8) for command in range(8)
                 for data in (b'', bytes(3), b'\xff' * 5, b'\xff' * 700)]
        counts = [struct.pack('<II', *pair) + bytes(13) for pair in
                  ((0xffffffff, 0), (3, 0), (0x2aaaaaab, 0), (0, 0xffffffff), (1, 3), (2, 1))]
        wrong += [bytes([1, 0]) + data for data in (b'', b'\0', bytes(7), bytes(9), *counts)]
        for request in wrong:
            self.assertEqual(driver.ask_raw(request, 1), 1)
            self.assertEqual(driver.vm.qtest(f'readb {DATA + 0x800:#x}'), '0x0000000000000001', request[:20])
        self.assertEqual(self.filter_of(driver), before)
        self.assertEqual(driver.ask_raw(bytes([0, 0, 1]), 64), 1)  # one byte is all there is to say
        self.assertEqual(driver.vm.qtest(f'readb {DATA + 0x800:#x}'), '0x0000000000000000')
        for out, room in (b'\0', 1), (b'', 1), (bytes(3), 0):
            self.assertIsNone(driver.ask_raw(out, room), (out, room))
            driver.function.reset()
            driver = self.driver(features=features)

    def test_merged(self):
        """A frame takes as many buffers as it needs; it waits for the last one."""
        driver = self.driver(features=(MERGED,))
        frame = ether(bytes(range(200)) * 5)
        for n in range(3):
            driver.queues[0].add([(DATA + 0x1000 + 300 * n, 300, True)])
        driver.kick(0)
        driver.wire.send(frame)
        driver.vm.qmp('query-status')
        self.assertIsNone(driver.queues[0].take())
        driver.queues[0].add([(DATA + 0x1000 + 900, 300, True)])
        driver.kick(0)
        self.assertEqual([driver.queues[0].wait()[1] for _ in range(4)], [300] * 3 + [12 + len(frame) - 900])
        data = driver.queues[0].read(DATA + 0x1000, 12 + len(frame))
        self.assertEqual(data[10:], struct.pack('<H', 4) + frame)

    def test_too_small(self):
        """Without merging a frame that does not fit into the buffer is lost, and leaves that for the next."""
        driver = self.driver(',mrg_rxbuf=off')
        self.assertFalse(driver.offered & 1 << MERGED)
        driver.queues[0].add([(DATA + 0x1000, 100, True)])
        driver.kick(0)
        driver.wire.send(ether(bytes(200)))
        driver.wire.send(ether(b'fits'))
        self.assertEqual(driver.queues[0].wait()[1], 12 + 14 + 4)
        self.assertEqual(driver.queues[0].read(DATA + 0x1000 + 12 + 14, 4), b'fits')

    def test_told(self):
        """What the driver is told of the network."""
        for options, features, want in (
                ('', 0, (0, 0xffffffff, 0xff)), (',host_mtu=9000', 1 << MTU, (9000, 0xffffffff, 0xff)),
                (',speed=10000,duplex=full', 1 << SPEED, (0, 10000, 1)), (',speed=0,duplex=half', 1 << SPEED, (0, 0, 0))):
            driver = self.driver(options)
            self.assertEqual(driver.offered & (1 << MTU | 1 << SPEED), features)
            self.assertEqual((driver.function.get(DEVICE, 10, 2), driver.function.get(DEVICE, 12),
                              driver.function.get(DEVICE, 16, 1)), want)
        for wrong in 'speed=-2', 'duplex=both', 'rx_queue_size=255', 'tx_queue_size=2048', 'host_mtu=65536':
            self.assertIn(wrong.split('=')[0], refusal(house.binary(), '-M', 'q35', '-device', 'virtio-net-pci,' + wrong))

    def test_link(self):
        driver = self.driver(features=(STATUS,))
        self.assertEqual(driver.function.get(DEVICE, 6, 2), 1)
        generation = driver.function.get(COMMON, 0x15, 1)
        driver.vm.qmp('set_link', name='n', up=False)
        self.assertEqual(driver.function.get(DEVICE, 6, 2), 0)
        self.assertNotEqual(driver.function.get(COMMON, 0x15, 1), generation)
        driver.wire.send(FRAME)
        driver.send(FRAME)
        driver.queues[1].wait()
        driver.vm.qmp('set_link', name='n', up=True)
        self.assertEqual(driver.function.get(DEVICE, 6, 2), 1)
        driver.receive(ether(b'after'))

    def test_not_offered(self):
        driver = self.driver()
        self.assertFalse(driver.offered & (1 << HASH | 1 << RSS | 1 << MQ))
        for request in (4, 1), (4, 2), (4, 0), (0, 0), (1, 0), (2, 0), (77, 0):
            self.assertFalse(driver.ask(*request, bytes(8)))

    def test_filters(self):
        driver = self.driver(features=(CTRL_RX, CTRL_VLAN, CTRL_MAC))
        self.assertTrue(driver.ask(0, 0, b'\0'))
        self.assertTrue(driver.ask(1, 0, struct.pack('<I', 1) + b'\2abcde' + struct.pack('<I', 1) + b'\1abcde'))
        driver.wire.send(ether(bytes(50), dest=OTHER))
        driver.wire.send(ether(bytes(50), dest=b'\1abcdf'))
        driver.receive(ether(bytes(50), dest=b'\2abcde'))
        driver.receive(ether(bytes(50), dest=b'\1abcde'))
        self.assertTrue(driver.ask(1, 1, b'\2fghij'))
        driver.receive(ether(bytes(50), dest=b'\2fghij'))
        tagged = OWN + OTHER + struct.pack('>HH', 0x8100, 7) + bytes(50)
        driver.receive(ether(bytes(50), dest=b'\xff' * 6))
        driver.wire.send(tagged[:15] + b'\x08' + tagged[16:])
        self.assertTrue(driver.ask(2, 0, struct.pack('<H', 7)))
        driver.receive(tagged.replace(OWN, b'\2fghij'))
        self.assertFalse(driver.ask(2, 0, struct.pack('<H', 4096)))

    def test_announcement(self):
        driver = self.driver(features=(STATUS, ANNOUNCE))
        self.assertEqual(driver.function.get(DEVICE, 6, 2), 1)
        driver.vm.qmp('announce-self', initial=50, max=100, rounds=1, step=10)
        driver.vm.qtest('clock_step 1000000000')
        self.assertEqual(driver.function.get(DEVICE, 6, 2), 3)
        self.assertTrue(driver.ask(3, 0))
        self.assertEqual(driver.function.get(DEVICE, 6, 2), 1)
        self.assertFalse(driver.ask(3, 0))


if __name__ == '__main__':
    house.main()
