# SPDX-License-Identifier: GPL-2.0-or-later
"""An xHCI controller's commands, rings, interrupters and ports: what each is to do, and what of a driver that errs."""
import os
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import xhci  # noqa: E402
from vm import Vm  # noqa: E402
from xhci import Disk, Ring, Xhci  # noqa: E402

NOWHERE = 0x10000000000  # no memory is there
KEYBOARD, DISK = 6, 1    # ports
CHAIN, IOC, ISP, IDT, TC = xhci.CHAIN, xhci.IOC, xhci.ISP, xhci.IDT, xhci.TC


class Case(unittest.TestCase):
    def machine(self, *args, controller='qemu-xhci'):
        return Vm(house.binary(), '-M', 'q35', '-nodefaults', '-m', '64', '-device', f'{controller},addr=4,id=usb', *args,
                  qtest=True)

    def both(self, **kwargs):
        """With a keyboard and a disk of known contents."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, 'disk'), 'wb') as file:
            file.write(bytes(range(256)) * 4096)
        return self.machine('-device', 'usb-kbd,id=k,port=2', '-drive',
                            f'if=none,id=d,format=raw,file={folder.name}/disk', '-device', 'usb-storage,drive=d,port=1',
                            **kwargs)

    def keyboard(self, hc):
        slot = hc.device(KEYBOARD)
        self.assertEqual(slot.configure((3, xhci.INTERRUPT_IN, 8, 6)).code, xhci.SUCCESS)
        self.assertEqual(slot.control(9, 1, kind=0)[0], xhci.SUCCESS)
        return slot

    @staticmethod
    def key(vm, code, down=True):
        vm.qmp('input-send-event', events=[{'type': 'key', 'data': {'down': down, 'key': {'type': 'qcode', 'data': code}}}])

    def alive(self, hc):
        """After all that, a reset brings it back."""
        hc.start()
        self.assertEqual(hc.device(KEYBOARD).descriptor(1)[0], xhci.SUCCESS)


class Commands(Case):
    def test_slots(self):
        with self.machine(controller='nec-usb-xhci,slots=2') as vm:
            hc = Xhci(vm)
            self.assertEqual([hc.command(xhci.ENABLE_SLOT).slot for _ in range(2)], [1, 2])
            self.assertEqual(hc.command(xhci.ENABLE_SLOT).code, xhci.NO_SLOTS)
            self.assertEqual(hc.command(xhci.DISABLE_SLOT, 1).code, xhci.SUCCESS)
            self.assertEqual(hc.command(xhci.DISABLE_SLOT, 1).code, xhci.NOT_ENABLED)
            self.assertEqual(hc.command(xhci.ENABLE_SLOT).slot, 1)
            for slot in (0, 3, 255):
                self.assertEqual(hc.command(xhci.DISABLE_SLOT, slot).code, xhci.TRB_ERROR)

    def test_others(self):
        with self.both() as vm:
            hc = Xhci(vm)
            self.assertEqual(hc.command(xhci.NO_OP_COMMAND).code, xhci.SUCCESS)
            for kind in (0, 1, xhci.FORCE_EVENT, xhci.NEGOTIATE, xhci.SET_LATENCY, xhci.FORCE_HEADER, 24, 48, 63):
                self.assertEqual(hc.command(kind).code, xhci.TRB_ERROR, kind)
            self.assertEqual(hc.command(xhci.BANDWIDTH, parameter=0x3000).code, xhci.SUCCESS)
            self.assertEqual(hc.peek(0x3000, 10), b'\0' + bytes([80] * 8) + b'\0')
            # more than a ring holds, over its link
            for _ in range(150):
                self.assertEqual(hc.command(xhci.NO_OP_COMMAND).code, xhci.SUCCESS)

    def test_address(self):
        with self.both() as vm:
            hc = Xhci(vm)
            speed = hc.reset_port(KEYBOARD)
            slot = hc.enable_slot()
            for kind in (xhci.CONFIGURE, xhci.EVALUATE, xhci.RESET_DEVICE):
                self.assertEqual(hc.command(kind, slot.number, slot.input).code, xhci.CONTEXT_STATE)
            self.assertEqual(slot.address(5, speed).code, xhci.TRANSACTION)  # nobody there
            self.assertEqual(slot.address(KEYBOARD, speed, route=1).code, xhci.TRANSACTION)
            self.assertEqual(slot.address(40, speed).code, xhci.TRANSACTION)
            slot.put_context(0, [0, 1])
            self.assertEqual(hc.command(xhci.ADDRESS, slot.number, slot.input).code, xhci.TRB_ERROR)
            self.assertEqual(slot.address(KEYBOARD, speed, bsr=1).code, xhci.SUCCESS)
            self.assertEqual((slot.state(), slot.context(0)[3] & 0xff), (1, 0))
            self.assertEqual(slot.descriptor(1, length=8)[0], xhci.SUCCESS)
            self.assertEqual(slot.address(KEYBOARD, speed, bsr=1).code, xhci.CONTEXT_STATE)
            self.assertEqual(slot.address(KEYBOARD, speed).code, xhci.SUCCESS)
            self.assertEqual((slot.state(), slot.context(0)[3] & 0xff), (2, slot.number))
            self.assertIn(f'Device 0.{slot.number}, Port 2', vm.qmp.hmp('info usb'))
            self.assertEqual(slot.address(KEYBOARD, speed).code, xhci.CONTEXT_STATE)
            # the device listens to the last address it was given
            other = hc.enable_slot()
            self.assertEqual(other.address(KEYBOARD, speed).code, xhci.SUCCESS)
            self.assertEqual(slot.descriptor(1)[0], xhci.TRANSACTION)
            self.assertEqual(other.descriptor(1)[0], xhci.SUCCESS)

    def test_configure(self):
        with self.both() as vm:
            hc = Xhci(vm)
            slot = hc.device(DISK)
            ends = (3, xhci.BULK_IN, 1024, 0), (4, xhci.BULK_OUT, 1024, 0)
            self.assertEqual(slot.configure(*ends).code, xhci.SUCCESS)
            self.assertEqual((slot.state(), slot.state(3), slot.state(4), slot.context(0)[0] >> 27), (3, 1, 1, 4))
            self.assertEqual(slot.configure(drop=1 << 4).code, xhci.SUCCESS)
            self.assertEqual((slot.state(), slot.state(3), slot.state(4)), (3, 1, 0))
            for bad in ((4, xhci.BULK_IN, 1024, 0), (3, 0, 1024, 0), (3, xhci.BULK_IN, 0, 0), (3, xhci.INTERRUPT_IN, 8, 0, 2),
                        (3, xhci.BULK_IN, 1024, 0, 9)):
                self.assertEqual(slot.configure(bad).code, xhci.PARAMETER, bad)
            self.assertEqual(slot.configure(drop=2).code, xhci.TRB_ERROR)
            self.assertEqual(slot.configure(flags=0x200).code, xhci.SUCCESS)  # deconfigure
            self.assertEqual((slot.state(), slot.state(3)), (2, 0))
            self.assertEqual(slot.configure(*ends).code, xhci.SUCCESS)
            # evaluate: the largest packet of endpoint 0
            slot.put_context(0, [0, 2])
            slot.put_context(2, [0, 64 << 16])
            self.assertEqual(hc.command(xhci.EVALUATE, slot.number, slot.input).code, xhci.SUCCESS)
            self.assertEqual(slot.context(1)[1] >> 16, 64)
            slot.put_context(0, [0, 1])
            slot.put_context(1, [0, 0, 40 << 22])
            self.assertEqual(hc.command(xhci.EVALUATE, slot.number, slot.input).code, xhci.PARAMETER)
            # reset: endpoint 0 stays
            self.assertEqual(hc.command(xhci.RESET_DEVICE, slot.number).code, xhci.SUCCESS)
            self.assertEqual((slot.state(), slot.state(1), slot.state(3)), (1, 1, 0))
            self.assertEqual(hc.command(xhci.RESET_DEVICE, slot.number).code, xhci.CONTEXT_STATE)
            self.assertEqual(hc.command(xhci.STOP_ENDPOINT, slot.number, flags=3 << 16).code, xhci.EP_NOT_ENABLED)

    def test_stop_and_go_on(self):
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            first, second = slot.push(3, 8), slot.push(3, 8, slot.data + 64)
            self.assertEqual(hc.drain(), [])
            self.assertEqual(hc.command(xhci.RESET_ENDPOINT, slot.number, flags=3 << 16).code, xhci.CONTEXT_STATE)
            pointer = slot.rings[3].base
            self.assertEqual(hc.command(xhci.SET_DEQUEUE, slot.number, pointer | 1, 3 << 16).code, xhci.CONTEXT_STATE)
            self.assertEqual(hc.command(xhci.STOP_ENDPOINT, slot.number, flags=3 << 16).code, xhci.SUCCESS)
            stopped = hc.stray.pop()
            self.assertEqual((stopped.code, stopped.parameter, stopped.residue), (xhci.STOPPED, first, 8))
            self.assertEqual((slot.state(3), slot.context(3)[2]), (3, first | 1))
            self.assertEqual(hc.command(xhci.STOP_ENDPOINT, slot.number, flags=3 << 16).code, xhci.CONTEXT_STATE)
            self.key(vm, 'a')
            self.assertEqual(hc.drain(), [])
            # the first TD is taken out; the second one goes on with the doorbell
            self.assertEqual(hc.command(xhci.SET_DEQUEUE, slot.number, second | 1, 3 << 16).code, xhci.SUCCESS)
            self.assertEqual(hc.drain(), [])
            slot.kick(3)
            self.assertEqual(hc.wait(xhci.TRANSFER).parameter, second)
            self.assertEqual(slot.state(3), 1)

    def test_ring_control(self):
        with self.both() as vm:
            hc = Xhci(vm)
            self.assertEqual(hc.get(hc.op + xhci.CRCR) & 8, 0)
            hc.command(xhci.NO_OP_COMMAND)
            self.assertEqual(hc.get(hc.op + xhci.CRCR), 8)  # running; where it is, is not told
            hc.put(hc.op + xhci.CRCR, 0x10000)  # while it runs: dropped
            hc.put(hc.op + xhci.CRCR, 2)
            self.assertEqual(hc.wait(xhci.COMPLETION).code, 24)
            self.assertEqual(hc.get(hc.op + xhci.CRCR), 0)
            self.assertEqual(hc.command(xhci.NO_OP_COMMAND).code, xhci.SUCCESS)


class Transfers(Case):
    def disk(self, hc):
        disk = Disk(hc, DISK)
        disk.settle()
        return disk

    def start_read(self, disk, sectors=8):
        cdb = [0x28] + [0] * 6 + [sectors >> 8, sectors & 0xff, 0]
        self.assertEqual(disk.slot.write(disk.OUT, disk.cbw(cdb, sectors * 512, True)), xhci.SUCCESS)

    def test_chain(self):
        """A TD of TRBs with data here and there, across the ring's link."""
        with self.both() as vm:
            hc = Xhci(vm)
            disk = self.disk(hc)
            ring = disk.slot.rings[disk.IN]
            while ring.at < ring.size - 3:
                self.assertEqual(disk.command([0] * 6)[0], 0)
            self.start_read(disk)
            base = disk.slot.data
            lengths = 1000, 24, 1, 2047, 1024
            for n, length in enumerate(lengths):
                here = ring.push(base + 0x1000 * n, length, xhci.NORMAL << 10 | (CHAIN if n < 4 else IOC))
            disk.slot.kick(disk.IN)
            event = hc.wait(xhci.TRANSFER)
            self.assertEqual((event.code, event.parameter, event.residue), (xhci.SUCCESS, here, 0))
            got = b''.join(hc.peek(base + 0x1000 * n, length) for n, length in enumerate(lengths))
            self.assertEqual(got, bytes(range(256)) * 16)
            self.assertEqual(disk.csw(), (0, 0))

    def test_part_of_a_td(self):
        """Nothing begins before all of it is there."""
        with self.both() as vm:
            hc = Xhci(vm)
            disk = self.disk(hc)
            self.start_read(disk, 1)
            ring = disk.slot.rings[disk.IN]
            ring.push(disk.slot.data, 256, xhci.NORMAL << 10 | CHAIN)
            disk.slot.kick(disk.IN)
            vm.qmp('query-status')
            self.assertEqual(hc.drain(), [])
            ring.push(disk.slot.data + 256, 256, xhci.NORMAL << 10 | IOC)
            disk.slot.kick(disk.IN)
            self.assertEqual(hc.wait(xhci.TRANSFER).code, xhci.SUCCESS)
            self.assertEqual(disk.csw(), (0, 0))

    def test_short(self):
        with self.both() as vm:
            hc = Xhci(vm)
            disk = self.disk(hc)
            ring = disk.slot.rings[disk.IN]
            for flags, told in (((ISP, ISP, IOC), [(1, 44)]), ((0, 0, IOC), [(2, 100)]), ((IOC, IOC, 0), [(0, 0), (1, 44)]),
                                ((0, 0, 0), [])):
                self.assertEqual(disk.slot.write(disk.OUT, disk.cbw([0x12, 0, 0, 0, 156, 0], 400, True)), xhci.SUCCESS)
                places = [ring.push(disk.slot.data, length, xhci.NORMAL << 10 | flag | (CHAIN if n < 2 else 0))
                          for n, (length, flag) in enumerate(zip((20, 60, 100), flags))]
                disk.slot.kick(disk.IN)
                # 36 bytes of inquiry data
                code, raw = disk.slot.read(disk.IN, 13)
                self.assertEqual((code, raw[12]), (xhci.SUCCESS, 0))
                events = [event for event in hc.stray if event.type == xhci.TRANSFER]
                hc.stray.clear()
                self.assertEqual([(places.index(event.parameter), event.residue) for event in events],
                                 [(n, {1: 44, 2: 100}.get(n, 0)) for n, _ in told], flags)
                self.assertEqual([event.code for event in events],
                                 [xhci.SUCCESS if not n else xhci.SHORT for n, _ in told])

    def test_event_data(self):
        with self.both() as vm:
            hc = Xhci(vm)
            disk = self.disk(hc)
            self.start_read(disk)
            ring = disk.slot.rings[disk.IN]
            ring.push(disk.slot.data, 1024, xhci.NORMAL << 10 | CHAIN)
            ring.push(disk.slot.data + 1024, 512, xhci.NORMAL << 10 | CHAIN)
            ring.push(0x1122334455667788, 0, xhci.EVENT_DATA << 10 | CHAIN | IOC)
            ring.push(disk.slot.data + 1536, 2560, xhci.NORMAL << 10 | CHAIN)
            ring.push(0xabc, 0, xhci.EVENT_DATA << 10 | IOC)
            disk.slot.kick(disk.IN)
            got = [hc.wait(xhci.TRANSFER) for _ in range(2)]
            self.assertEqual([(event.parameter, event.residue, event.code, event.control & 4) for event in got],
                             [(0x1122334455667788, 1536, xhci.SUCCESS, 4), (0xabc, 2560, xhci.SUCCESS, 4)])
            self.assertEqual(disk.csw(), (0, 0))

    def test_immediate(self):
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            ring = slot.rings[1]
            ring.push(0x21 | 9 << 8 | 0x200 << 16 | 1 << 48, 8, xhci.SETUP << 10 | IDT | 2 << 16)
            ring.push(5, 1, xhci.DATA << 10 | IDT)
            ring.push(0, 0, xhci.STATUS << 10 | IOC | 1 << 16)
            slot.kick(1)
            self.assertEqual(hc.wait(xhci.TRANSFER).code, xhci.SUCCESS)
            ring.push(0x21 | 9 << 8 | 0x200 << 16 | 9 << 48, 8, xhci.SETUP << 10 | IDT | 2 << 16)
            ring.push(5, 9, xhci.DATA << 10 | IDT)
            slot.kick(1)
            self.assertEqual(hc.wait(xhci.TRANSFER).code, xhci.TRB_ERROR)
            self.assertEqual(slot.state(1), 4)

    def test_no_op(self):
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            slot.rings[3].push(0, 0, xhci.NO_OP << 10)
            here = slot.rings[3].push(0, 0, xhci.NO_OP << 10 | IOC)
            slot.kick(3)
            event = hc.wait(xhci.TRANSFER)
            self.assertEqual((event.code, event.parameter), (xhci.SUCCESS, here))

    def test_errors(self):
        """What is no TD: the endpoint stops in its error state, and goes on behind it."""
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            for dci, kind, length in ((3, xhci.SETUP, 8), (3, xhci.STATUS, 0), (3, xhci.ISOCH, 8), (3, 40, 0), (1, xhci.NORMAL, 8),
                                      (1, xhci.DATA, 8), (1, xhci.STATUS, 0), (1, xhci.SETUP, 7)):
                ring = slot.rings[dci]
                here = ring.push(0, length, kind << 10 | IOC)
                slot.kick(dci)
                event = hc.wait(xhci.TRANSFER)
                self.assertEqual((event.code, event.parameter, slot.state(dci)), (xhci.TRB_ERROR, here, 4), (dci, kind))
                self.assertEqual(slot.context(dci)[2] & ~0xf, here)
                hc.command(xhci.SET_DEQUEUE, slot.number, ring.pointer | ring.cycle, dci << 16)
                self.assertEqual(slot.state(dci), 3)
                if dci == 3:
                    here = slot.push(3, 8)
                    self.key(vm, 'a')
                    self.assertEqual(hc.wait(xhci.TRANSFER).parameter, here)
            self.assertEqual(slot.descriptor(1)[0], xhci.SUCCESS)
            hc.put(hc.db + 4 * slot.number, 9)   # no such endpoint
            hc.put(hc.db + 4 * 60, 1)            # no such slot
            hc.put(hc.db + 4 * slot.number, 77)
            self.assertEqual(hc.drain(), [])

    def test_babble_and_bad_memory(self):
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)

            def recover(dci):
                self.assertEqual(slot.state(dci), 2)
                self.assertEqual(hc.command(xhci.RESET_ENDPOINT, slot.number, flags=dci << 16).code, xhci.SUCCESS)
                ring = slot.rings[dci]
                hc.command(xhci.SET_DEQUEUE, slot.number, ring.pointer | ring.cycle, dci << 16)
            slot.push(3, 4)
            self.key(vm, 'a')
            self.assertEqual(hc.wait(xhci.TRANSFER).code, xhci.BABBLE)
            recover(3)
            slot.push(3, 8, NOWHERE)
            self.key(vm, 'b')
            self.assertEqual(hc.wait(xhci.TRANSFER).code, xhci.DATA_BUFFER)
            recover(3)
            self.key(vm, 'c')
            self.assertEqual(slot.read(3, 8)[0], xhci.SUCCESS)

    def test_streams(self):
        with self.both() as vm:
            hc = Xhci(vm)
            disk = self.disk(hc)
            slot, array = disk.slot, 0x40000
            rings = {n: Ring(hc, array + 0x1000 * n) for n in (1, 2)}
            hc.poke(array, bytes(64))
            for n, ring in rings.items():
                hc.poke(array + 16 * n, struct.pack('<QQ', ring.base | 1 << 1 | 1, 0))
            words = slot.endpoint_words(disk.IN, xhci.BULK_IN, 1024)
            slot.put_context(0, [1 << disk.IN, 1 | 1 << disk.IN])
            slot.put_context(1, slot.slot_words(4))
            slot.put_context(1 + disk.IN, [1 << 10 | 1 << 15, words[1], array, 0, 0])
            self.assertEqual(hc.command(xhci.CONFIGURE, slot.number, slot.input).code, xhci.SUCCESS)
            for n, ring in rings.items():
                self.start_read(disk, 1)
                here = ring.push(slot.data, 512, xhci.NORMAL << 10 | IOC)
                last = ring.push(slot.data + 512, 13, xhci.NORMAL << 10 | IOC)
                for bad in (0, 4, 0xffff):
                    hc.put(hc.db + 4 * slot.number, disk.IN | bad << 16)
                hc.put(hc.db + 4 * slot.number, disk.IN | n << 16)
                self.assertEqual([hc.wait(xhci.TRANSFER).parameter for _ in range(2)], [here, last])
                pointer, = struct.unpack('<Q', hc.peek(array + 16 * n, 8))
                self.assertEqual(pointer, ring.pointer | 3)
            self.assertEqual(hc.command(xhci.STOP_ENDPOINT, slot.number, flags=disk.IN << 16).code, xhci.SUCCESS)
            for stream, kind, code in ((1, 1, xhci.SUCCESS), (1, 0, xhci.STREAM_TYPE), (0, 1, 34), (4, 1, 34)):
                self.assertEqual(hc.command(xhci.SET_DEQUEUE, slot.number, rings[2].base | kind << 1 | 1, disk.IN << 16,
                                            stream << 16).code, code)
            self.assertEqual(hc.peek(array + 16, 8), struct.pack('<Q', rings[2].base | 3))


class Hostile(Case):
    def test_links(self):
        """Rings of links alone, of commands and of an endpoint."""
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            loop = struct.pack('<QII', slot.rings[3].pointer, 0, xhci.LINK << 10 | 1)
            hc.poke(slot.rings[3].pointer, loop)
            slot.kick(3)
            self.assertEqual(hc.get(hc.op + xhci.USBSTS) & (xhci.HCE | xhci.HCH), xhci.HCE | xhci.HCH)
            hc.put(hc.op + xhci.USBCMD, xhci.RUN)
            self.assertTrue(hc.get(hc.op + xhci.USBSTS) & xhci.HCH)
            self.alive(hc)
            hc.poke(hc.commands.pointer, struct.pack('<QII', hc.commands.pointer, 0, xhci.LINK << 10 | 1))
            hc.put(hc.db, 0)
            self.assertTrue(hc.get(hc.op + xhci.USBSTS) & xhci.HCE)
            self.alive(hc)

    def test_endless(self):
        """TDs, TRBs of one, and commands without an end: the machine goes on, and a stop is heard."""
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            ring = slot.rings[3]
            base = ring.pointer
            hc.poke(base, xhci.trb(0, 0, xhci.NO_OP << 10 | 1) * 4 + xhci.trb(base, 0, xhci.LINK << 10 | 1))
            slot.kick(3)
            for _ in range(20):
                self.assertEqual(vm.qmp('query-status')['status'], 'running')
            self.assertEqual(hc.command(xhci.STOP_ENDPOINT, slot.number, flags=3 << 16).code, xhci.SUCCESS)
            # a TD that never ends
            hc.poke(base, xhci.trb(slot.data, 1, xhci.NORMAL << 10 | CHAIN | 1) * 4 + xhci.trb(base, 0, xhci.LINK << 10 | 1))
            hc.command(xhci.SET_DEQUEUE, slot.number, base | 1, 3 << 16)
            slot.kick(3)
            self.assertEqual(hc.wait(xhci.TRANSFER).code, xhci.TRB_ERROR)
            self.assertEqual(slot.state(3), 4)
            # commands, whose events stop for want of room
            hc.poke(hc.commands.pointer, xhci.trb(0, 0, xhci.NO_OP_COMMAND << 10 | hc.commands.cycle) +
                    xhci.trb(hc.commands.pointer, 0, xhci.LINK << 10 | hc.commands.cycle))
            hc.put(hc.db, 0)
            for _ in range(20):
                self.assertEqual(vm.qmp('query-status')['status'], 'running')
            self.alive(hc)

    def test_no_memory(self):
        for what in ('commands', 'events', 'contexts', 'transfers'):
            with self.subTest(what), self.both() as vm:
                hc = Xhci(vm)
                if what == 'commands':
                    hc.put64(hc.op + xhci.CRCR, NOWHERE | 1)
                    hc.put(hc.db, 0)
                elif what == 'events':
                    hc.poke(hc.MEMORY + 0x2000, struct.pack('<QII', NOWHERE, 256, 0))
                    hc.put64(hc.rt + xhci.ERSTBA, hc.MEMORY + 0x2000)
                    hc.commands.push(0, 0, xhci.NO_OP_COMMAND << 10)
                    hc.put(hc.db, 0)
                elif what == 'contexts':
                    slot = hc.enable_slot()
                    hc.commands.push(NOWHERE, 0, xhci.ADDRESS << 10 | slot.number << 24)
                    hc.put(hc.db, 0)
                else:
                    slot = self.keyboard(hc)
                    hc.poke(slot.rings[3].pointer, xhci.trb(NOWHERE, 0, xhci.LINK << 10 | 1))
                    slot.kick(3)
                self.assertEqual(hc.get(hc.op + xhci.USBSTS) & (xhci.HSE | xhci.HCH), xhci.HSE | xhci.HCH)
                self.alive(hc)

    def test_own_registers(self):
        """Rings, contexts and data that are the controller itself."""
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            for at in (hc.db, hc.op, hc.op + xhci.CRCR, hc.portsc(KEYBOARD), hc.rt + 0x30):
                slot.push(3, 8, hc.bar + at)
                self.key(vm, 'a')
                hc.poke(slot.rings[3].pointer, xhci.trb(hc.bar + at, 0, xhci.LINK << 10 | 1))
                slot.kick(3)
                hc.commands.push(hc.bar + at, 0, xhci.ADDRESS << 10 | slot.number << 24)
                hc.put(hc.db, 0)
                self.alive(hc)
                slot = self.keyboard(hc)


class Interrupts(Case):
    def pending(self, hc, n=0):
        return hc.get(hc.rt + xhci.IMAN + 32 * n) & 1

    def clear(self, hc, n=0):
        hc.put(hc.rt + xhci.IMAN + 32 * n, 3)

    def test_moderation(self):
        with self.both() as vm:
            hc = Xhci(vm)
            self.assertEqual(hc.get(hc.rt + xhci.IMOD), 4000)
            hc.put(hc.rt + xhci.IMOD, 400)  # 100 us
            vm.qtest('clock_step 10000000')
            hc.command(xhci.NO_OP_COMMAND)
            self.assertTrue(self.pending(hc))
            self.assertTrue(hc.get(hc.op + xhci.USBSTS) & xhci.EINT)
            self.clear(hc)
            hc.put(hc.op + xhci.USBSTS, xhci.EINT)
            self.assertFalse(hc.get(hc.op + xhci.USBSTS) & xhci.EINT)
            hc.command(xhci.NO_OP_COMMAND)
            vm.qtest('clock_step 99000')
            self.assertFalse(self.pending(hc))
            hc.commands.push(0, 0, xhci.NO_OP_COMMAND << 10)
            hc.put(hc.db, 0)
            self.assertFalse(self.pending(hc))
            vm.qtest('clock_step 2000')
            self.assertTrue(self.pending(hc))

    def test_busy_handler(self):
        """No second interrupt before the handler says that it is done; then one for what came meanwhile."""
        with self.both() as vm:
            hc = Xhci(vm)
            hc.put(hc.rt + xhci.IMOD, 0)
            hc.drain()
            self.clear(hc)
            for _ in range(2):
                hc.commands.push(0, 0, xhci.NO_OP_COMMAND << 10)
                hc.put(hc.db, 0)
            self.assertTrue(self.pending(hc))
            self.assertTrue(hc.get(hc.rt + xhci.ERDP) & 8)
            self.clear(hc)
            self.assertFalse(self.pending(hc))
            hc.event()  # one of two
            self.assertTrue(self.pending(hc))
            self.clear(hc)
            hc.event()
            self.assertFalse(self.pending(hc))

    def test_second(self):
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            at = hc.rt + 32
            hc.poke(0x50000, struct.pack('<QII', 0x51000, 16, 0))
            hc.poke(0x51000, bytes(256))
            hc.put(at + xhci.ERSTSZ, 1)
            hc.put64(at + xhci.ERDP, 0x51000)
            hc.put64(at + xhci.ERSTBA, 0x50000)
            here = slot.rings[3].push(slot.data, 8 | 1 << 22, xhci.NORMAL << 10 | IOC)
            slot.kick(3)
            self.key(vm, 'a')
            self.assertEqual(hc.drain(), [])
            event = xhci.Event(hc.peek(0x51000, 16))
            self.assertEqual((event.type, event.parameter), (xhci.TRANSFER, here))
            self.assertTrue(self.pending(hc, 1))
            # an event that blocks its interrupt
            self.clear(hc, 1)
            hc.put64(at + xhci.ERDP, 0x51010 | 8)
            slot.rings[3].push(slot.data, 8 | 1 << 22, xhci.NORMAL << 10 | IOC | xhci.BEI)
            slot.kick(3)
            self.key(vm, 'b')
            vm.qtest('clock_step 10000000')
            self.assertEqual(xhci.Event(hc.peek(0x51010, 16)).type, xhci.TRANSFER)
            self.assertFalse(self.pending(hc, 1))

    def test_full(self):
        """What does not fit waits; the last place says so."""
        for segments in (1, 4):
            with self.subTest(segments), self.both() as vm:
                hc = Xhci(vm, size=16, segments=segments)
                total = 16 * segments
                hc.drain()
                first = hc.taken
                places = [hc.commands.push(0, 0, xhci.NO_OP_COMMAND << 10) for _ in range(50 if segments == 1 else 62)]
                hc.put(hc.db, 0)
                got = []
                while len(got) < len(places):
                    raw = [xhci.Event(hc.peek(hc.events + 16 * (n % total), 16)) for n in range(hc.taken, hc.taken + total - 1)]
                    event = hc.event()
                    if event is None:
                        break
                    self.assertEqual(len(raw), total - 1)
                    if event.type == xhci.COMPLETION:
                        got.append(event.parameter)
                self.assertEqual(got, places)
                self.assertGreaterEqual(hc.taken - first, len(places))

    def test_overrun(self):
        """A TD with more events than there is room for: the last place says that some are lost."""
        with self.both() as vm:
            hc = Xhci(vm, size=16)
            slot = self.keyboard(hc)
            hc.drain()
            for n in range(20):
                slot.rings[3].push(slot.data + n, 1, xhci.NORMAL << 10 | IOC | (CHAIN if n < 19 else 0))
            slot.kick(3)
            self.key(vm, 'a')
            events = hc.drain()
            self.assertEqual([event.code for event in events], [xhci.SUCCESS] * 8 + [xhci.SHORT])
            # eight bytes were moved, and the first that was not is told of
            for n in range(8):
                slot.rings[3].push(slot.data + n, 1, xhci.NORMAL << 10 | IOC | (CHAIN if n < 7 else 0))
            for n in range(8):
                slot.rings[3].push(slot.data + n, 1, xhci.NORMAL << 10 | IOC | (CHAIN if n < 7 else 0))
            self.key(vm, 'b')
            self.key(vm, 'c')
            slot.kick(3)
            events = [xhci.Event(hc.peek(hc.events + 16 * ((hc.taken + n) % 16), 16)) for n in range(15)]
            self.assertEqual([(event.type, event.code) for event in events],
                             [(xhci.TRANSFER, xhci.SUCCESS)] * 14 + [(xhci.HOST_EVENT, xhci.RING_FULL)])
            self.assertEqual(len(hc.drain()), 15)
            self.assertEqual(hc.command(xhci.NO_OP_COMMAND).code, xhci.SUCCESS)

    def test_port_event_waits_for_room(self):
        with self.both() as vm:
            hc = Xhci(vm, size=16)
            hc.drain()
            for _ in range(14):
                hc.commands.push(0, 0, xhci.NO_OP_COMMAND << 10)
            hc.put(hc.db, 0)
            hc.put(hc.portsc(KEYBOARD), 1 << 9 | 0x7f << 17)
            vm.qmp('device_del', id='k')
            self.assertTrue(hc.get(hc.op + xhci.USBSTS) & xhci.PCD)
            events = hc.drain()
            for _ in range(10):
                vm.qmp('query-status')
                events += hc.drain()
            self.assertIn(KEYBOARD, [event.parameter >> 24 for event in events if event.type == xhci.PORT_CHANGE])

    def test_mfindex(self):
        with self.both() as vm:
            hc = Xhci(vm)
            hc.drain()
            start = hc.get(hc.rt)
            vm.qtest('clock_step 12500000')
            self.assertEqual(hc.get(hc.rt) - start, 100)
            vm.qtest('clock_step 2048000000')
            self.assertEqual((hc.get(hc.rt), hc.drain()), (start + 100, []))
            hc.put(hc.op + xhci.USBCMD, xhci.RUN | xhci.INTE | xhci.EWE)
            vm.qtest('clock_step 2048000000')
            self.assertEqual([event.type for event in hc.drain()], [xhci.WRAP])
            hc.put(hc.op + xhci.USBCMD, 0)
            vm.qtest('clock_step 4096000000')
            self.assertEqual((hc.get(hc.rt), hc.drain()), (0, []))


class Ports(Case):
    RX_DETECT, POLLING, U0, U2, U3, RESUME, DISABLED = 5, 7, 0, 2, 3, 15, 4

    def link(self, hc, port):
        return hc.get(hc.portsc(port)) >> 5 & 15

    def set_link(self, hc, port, state):
        hc.put(hc.portsc(port), 1 << 9 | 1 << 16 | state << 5)

    def test_usb2(self):
        with self.both() as vm:
            hc = Xhci(vm)
            self.assertEqual(hc.get(hc.portsc(KEYBOARD)), 0x20ee1)
            self.assertEqual(hc.get(hc.portsc(5)), 0x2a0)
            hc.put(hc.portsc(KEYBOARD), 1 << 9 | 1 << 4)
            self.assertEqual(hc.get(hc.portsc(KEYBOARD)) & 0x2001ff, 0x200003)
            hc.put(hc.portsc(KEYBOARD), 1 << 9 | 1 << 21)
            self.assertEqual(hc.get(hc.portsc(KEYBOARD)) >> 17 & 0x7f, 1)
            hc.put(hc.portsc(KEYBOARD), 1 << 9 | 2)  # a 1 disables it
            self.assertEqual(hc.get(hc.portsc(KEYBOARD)) & 3, 1)
            hc.put(hc.portsc(5), 1 << 9 | 1 << 4)    # nobody there
            self.assertEqual(hc.get(hc.portsc(5)), 0x2a0)

    def test_warm_reset(self):
        with self.both() as vm:
            hc = Xhci(vm)
            self.assertEqual(hc.get(hc.portsc(DISK)), 0x21203)
            slot = hc.device(DISK)
            hc.put(hc.portsc(DISK), 1 << 9 | 1 << 31)
            self.assertEqual(hc.get(hc.portsc(DISK)) >> 19 & 5, 5)
            self.assertEqual(vm.qmp.hmp('info usb').split(',')[0], '  Device 0.0')
            self.assertEqual(hc.command(xhci.RESET_DEVICE, slot.number).code, xhci.SUCCESS)
            self.set_link(hc, DISK, self.DISABLED)
            self.assertEqual((hc.get(hc.portsc(DISK)) & 3, self.link(hc, DISK)), (0, self.DISABLED))
            self.set_link(hc, DISK, self.RX_DETECT)
            self.assertEqual((hc.get(hc.portsc(DISK)) & 3, self.link(hc, DISK)), (3, self.U0))

    def test_wake_up(self):
        """A suspended device that may, asks for attention."""
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            slot.push(3, 8)
            for may_wake in (False, True):
                if may_wake:
                    self.assertEqual(slot.control(3, 1, kind=0)[0], xhci.SUCCESS)
                    self.assertEqual(slot.control(0, 0, 0, 2)[1], b'\2\0')
                hc.put(hc.portsc(KEYBOARD), 1 << 9 | 0x7f << 17)
                self.set_link(hc, KEYBOARD, self.U3)
                self.assertEqual(self.link(hc, KEYBOARD), self.U3)
                self.key(vm, 'a')
                self.assertEqual(self.link(hc, KEYBOARD), self.RESUME if may_wake else self.U3)
                self.assertEqual(hc.get(hc.portsc(KEYBOARD)) >> 22 & 1, may_wake)
                self.set_link(hc, KEYBOARD, self.RESUME)
                self.set_link(hc, KEYBOARD, self.U0)
                self.assertEqual(self.link(hc, KEYBOARD), self.U0)

    def test_save_and_restore(self):
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            hc.put(hc.op + xhci.USBCMD, 0)
            self.assertTrue(hc.get(hc.op + xhci.USBSTS) & xhci.HCH)
            hc.put(hc.op + xhci.USBCMD, xhci.CSS)
            hc.put(hc.op + xhci.USBCMD, xhci.CRS)
            self.assertFalse(hc.get(hc.op + xhci.USBSTS) & 0x700)
            hc.put(hc.op + xhci.USBCMD, xhci.RUN | xhci.INTE)
            self.assertEqual(slot.descriptor(1)[0], xhci.SUCCESS)
            hc.put(hc.op + xhci.USBCMD, 0)
            hc.put(hc.op + xhci.USBCMD, xhci.HCRST)
            hc.put(hc.op + xhci.USBCMD, xhci.CRS)
            self.assertTrue(hc.get(hc.op + xhci.USBSTS) & 0x400)
            self.alive(hc)

    def test_halt_keeps_transfers(self):
        """A TD that waits when the controller halts begins anew when it runs."""
        with self.both() as vm:
            hc = Xhci(vm)
            slot = self.keyboard(hc)
            here = slot.push(3, 8)
            hc.put(hc.op + xhci.USBCMD, 0)
            self.key(vm, 'a')
            self.assertEqual(hc.drain(), [])
            hc.put(hc.op + xhci.USBCMD, xhci.RUN | xhci.INTE)
            self.assertEqual(hc.wait(xhci.TRANSFER).parameter, here)


if __name__ == '__main__':
    house.main()
