# SPDX-License-Identifier: GPL-2.0-or-later
"""An xHCI controller as a driver has it (xHCI 1.1), over qtest: rings, contexts, USB requests."""
import struct

from pci import Pci

# Registers, from the start of their group
USBCMD, USBSTS, CRCR, DCBAAP, CONFIG, PORTSC = 0x00, 0x04, 0x18, 0x30, 0x38, 0x400
RUN, HCRST, INTE, CSS, CRS, EWE = 1, 2, 4, 0x100, 0x200, 0x400
HCH, HSE, EINT, PCD, HCE = 1, 4, 8, 0x10, 0x1000
IMAN, IMOD, ERSTSZ, ERSTBA, ERDP = 0x20, 0x24, 0x28, 0x30, 0x38

# Types of TRBs
(NORMAL, SETUP, DATA, STATUS, ISOCH, LINK, EVENT_DATA, NO_OP, ENABLE_SLOT, DISABLE_SLOT, ADDRESS, CONFIGURE, EVALUATE,
 RESET_ENDPOINT, STOP_ENDPOINT, SET_DEQUEUE, RESET_DEVICE, FORCE_EVENT, NEGOTIATE, SET_LATENCY, BANDWIDTH, FORCE_HEADER,
 NO_OP_COMMAND) = range(1, 24)
TRANSFER, COMPLETION, PORT_CHANGE, HOST_EVENT, WRAP = 32, 33, 34, 37, 39

# Completion codes
(SUCCESS, DATA_BUFFER, BABBLE, TRANSACTION, TRB_ERROR, STALL, RESOURCE, BANDWIDTH_ERROR, NO_SLOTS, STREAM_TYPE,
 NOT_ENABLED, EP_NOT_ENABLED, SHORT) = range(1, 14)
PARAMETER, CONTEXT_STATE, RING_FULL, STOPPED, STOPPED_LENGTH = 17, 19, 21, 26, 27

# Bits of a TRB's last word
CYCLE, TC, ISP, CHAIN, IOC, IDT, BSR, BEI = 1, 2, 4, 0x10, 0x20, 0x40, 0x200, 0x200

CONTROL, BULK_OUT, BULK_IN, INTERRUPT_IN = 4, 2, 6, 7
FULL, LOW, HIGH, SUPER = 1, 2, 3, 4
POLLS = 100000  # what the host does comes long before


def trb(parameter=0, status=0, control=0):
    return struct.pack('<QII', parameter, status, control)


class Ring:
    """TRBs of a producer, with a link at the end back to the start."""

    def __init__(self, hc, base, size=64):
        self.hc, self.base, self.size = hc, base, size
        self.at, self.cycle = 0, 1
        hc.poke(base, bytes(16 * size))

    @property
    def pointer(self):
        return self.base + 16 * self.at

    def push(self, parameter=0, status=0, control=0):
        """Where it lies."""
        here = self.pointer
        self.hc.poke(here, trb(parameter, status, control | self.cycle))
        self.at += 1
        if self.at == self.size - 1:
            chain = control & CHAIN
            self.hc.poke(self.pointer, trb(self.base, 0, LINK << 10 | TC | chain | self.cycle))
            self.at, self.cycle = 0, self.cycle ^ 1
        return here


class Event:
    def __init__(self, raw):
        self.parameter, self.status, self.control = struct.unpack('<QII', raw)
        self.type = self.control >> 10 & 0x3f
        self.code = self.status >> 24
        self.residue = self.status & 0xffffff
        self.slot = self.control >> 24
        self.dci = self.control >> 16 & 0x1f

    def __repr__(self):
        return f'<event {self.type} code {self.code} {self.parameter:#x} {self.status:#x} {self.control:#x}>'


class Xhci:
    """Started, with one event ring of `size` entries in each of its segments."""
    MEMORY = 0x100000

    def __init__(self, vm, devfn=4 << 3, bar=0xe0000000, is_pci=True, segments=1, size=256, start=True):
        self.vm, self.bar, self.devfn = vm, bar, devfn
        if is_pci:
            pci = Pci(vm)
            pci.write(devfn, 0x10, bar)
            pci.write(devfn, 0x14, 0)
            pci.write(devfn, 4, 6, 2)
        self.op = self.get(0) & 0xff
        self.rt, self.db = self.get(0x18), self.get(0x14)
        self.ports, self.slots = self.get(4) >> 24, self.get(4) & 0xff
        self.segments, self.size = segments, size
        self.stray = []  # events that nobody waited for
        if start:
            self.start()

    # --- registers and memory ---

    def get(self, at):
        return int(self.vm.qtest(f'readl {self.bar + at:#x}'), 16)

    def put(self, at, value):
        self.vm.qtest(f'writel {self.bar + at:#x} {value & 0xffffffff:#x}')

    def put64(self, at, value):
        self.put(at, value)
        self.put(at + 4, value >> 32)

    def poke(self, at, data):
        self.vm.qtest(f'write {at:#x} {len(data)} 0x{data.hex()}')

    def peek(self, at, size):
        return bytes.fromhex(self.vm.qtest(f'read {at:#x} {size}')[2:])

    def portsc(self, port):
        return self.op + PORTSC + 16 * (port - 1)

    # --- start ---

    def start(self):
        self.put(self.op + USBCMD, HCRST)
        assert not self.get(self.op + USBCMD) & HCRST
        self.dcbaa = self.MEMORY
        self.poke(self.dcbaa, bytes(8 * (self.slots + 1)))
        self.commands = Ring(self, self.MEMORY + 0x1000)
        self.events = self.MEMORY + 0x4000
        self.poke(self.events, bytes(16 * self.size * self.segments))
        self.poke(self.MEMORY + 0x2000, b''.join(
            struct.pack('<QII', self.events + 16 * self.size * n, self.size, 0) for n in range(self.segments)))
        self.taken = 0
        self.put(self.op + CONFIG, self.slots)
        self.put64(self.op + DCBAAP, self.dcbaa)
        self.put64(self.op + CRCR, self.commands.base | 1)
        self.put(self.rt + ERSTSZ, self.segments)
        self.put64(self.rt + ERDP, self.events)
        self.put64(self.rt + ERSTBA, self.MEMORY + 0x2000)
        self.put(self.rt + IMAN, 3)
        self.put(self.op + USBCMD, RUN | INTE)
        assert not self.get(self.op + USBSTS) & HCH

    # --- events ---

    def event(self):
        """The next that is there; None."""
        total = self.size * self.segments
        raw = self.peek(self.events + 16 * (self.taken % total), 16)
        if raw[12] & 1 != 1 - self.taken // total % 2:
            return None
        self.taken += 1
        self.put64(self.rt + ERDP, self.events + 16 * (self.taken % total) | 8)
        return Event(raw)

    def wait(self, kind, **fields):
        for _ in range(POLLS):
            event = self.event()
            if event and event.type == kind and all(getattr(event, name) == fields[name] for name in fields):
                return event
            if event:
                self.stray.append(event)
        raise RuntimeError(f'no event of type {kind}; others: {self.stray}')

    def drain(self):
        events = []
        while event := self.event():
            events.append(event)
        return events

    # --- commands ---

    def command(self, kind, slot=0, parameter=0, flags=0, status=0):
        here = self.commands.push(parameter, status, kind << 10 | slot << 24 | flags)
        self.put(self.db, 0)
        return self.wait(COMPLETION, parameter=here)

    def enable_slot(self):
        event = self.command(ENABLE_SLOT)
        assert event.code == SUCCESS, event
        return Slot(self, event.slot)

    def reset_port(self, port):
        """Its speed."""
        at = self.portsc(port)
        if not self.get(at) & 2:
            self.put(at, 1 << 9 | 1 << 4)
        self.put(at, 1 << 9 | 0x7f << 17)
        return self.get(at) >> 10 & 0xf

    def device(self, port, route=0, speed=None):
        """Addressed."""
        speed = speed or self.reset_port(port)
        slot = self.enable_slot()
        event = slot.address(port, speed, route)
        assert event.code == SUCCESS, event
        return slot


class Slot:
    """A device with its contexts and rings: endpoints by device context index."""

    def __init__(self, hc, number):
        self.hc, self.number = hc, number
        self.base = hc.MEMORY + 0x20000 * number
        self.input, self.output, self.data = self.base, self.base + 0x1000, self.base + 0x10000
        self.rings = {}
        self.entries = 1
        hc.poke(self.output, bytes(0x800))
        hc.poke(hc.dcbaa + 8 * number, struct.pack('<Q', self.output))

    def ring(self, dci):
        self.rings[dci] = Ring(self.hc, self.base + 0x2000 + 0x400 * dci)
        return self.rings[dci]

    def put_context(self, n, words):
        """Entry `n` of the input context; 0 is the control context."""
        self.hc.poke(self.input + 32 * n, struct.pack('<8I', *(list(words) + [0] * (8 - len(words)))))

    def context(self, n):
        return struct.unpack('<8I', self.hc.peek(self.output + 32 * n, 32))

    def state(self, dci=0):
        """Of the slot (3: configured), or of an endpoint."""
        words = self.context(dci)
        return words[0] & 7 if dci else words[3] >> 27

    def slot_words(self, entries=1):
        return [self.route | self.speed << 20 | entries << 27, self.port << 16]

    def endpoint_words(self, dci, kind, packet, interval=0, streams=0):
        pointer = self.ring(dci).base | 1
        return [interval << 16 | streams << 10, kind << 3 | 3 << 1 | packet << 16, pointer & 0xffffffff,
                pointer >> 32, packet]

    def address(self, port, speed, route=0, bsr=0):
        self.port, self.speed, self.route = port, speed, route
        self.packet = {LOW: 8, FULL: 64, HIGH: 64, SUPER: 512}[speed]
        self.put_context(0, [0, 3])
        self.put_context(1, self.slot_words())
        self.put_context(2, self.endpoint_words(1, CONTROL, self.packet))
        return self.hc.command(ADDRESS, self.number, self.input, BSR if bsr else 0)

    def configure(self, *endpoints, drop=0, flags=0):
        """Each (dci, type, packet size, interval), as bytes of a descriptor would say it."""
        add = 1
        for dci, kind, packet, interval, *streams in endpoints:
            add |= 1 << dci
            self.entries = max(self.entries, dci)
            self.put_context(1 + dci, self.endpoint_words(dci, kind, packet, interval, *streams))
        self.put_context(0, [drop, add])
        self.put_context(1, self.slot_words(self.entries))
        return self.hc.command(CONFIGURE, self.number, self.input, flags)

    # --- transfers ---

    def kick(self, dci):
        self.hc.put(self.hc.db + 4 * self.number, dci)

    def push_control(self, request, value, index, length=0, kind=0x80, data=None):
        """Three stages; interrupts on completion of the last, on short packets of the second."""
        ring, is_in = self.rings[1], kind & 0x80
        data = self.data if data is None else data
        stage = (3 if is_in else 2) if length else 0
        ring.push(kind | request << 8 | value << 16 | index << 32 | length << 48, 8,
                  SETUP << 10 | IDT | stage << 16)
        if length:
            ring.push(data, length, DATA << 10 | ISP | (is_in and 1 << 16))
        here = ring.push(0, 0, STATUS << 10 | IOC | (0 if is_in and length else 1 << 16))
        self.kick(1)
        return here

    def control(self, request, value=0, index=0, length=0, kind=0x80, data=b''):
        """(completion code, bytes of the data stage)."""
        self.hc.poke(self.data, data or bytes(max(length, 1)))
        here = self.push_control(request, value, index, length or len(data), kind)
        residue = 0
        while True:
            event = self.hc.wait(TRANSFER, slot=self.number, dci=1)
            if event.code == SHORT:
                residue = event.residue
            if event.code != SHORT or event.parameter == here:
                break
        got = self.hc.peek(self.data, length - residue) if length and event.code == SUCCESS else b''
        return event.code, got

    def descriptor(self, kind, index=0, length=255, language=0):
        return self.control(6, kind << 8 | index, language, length)

    def push(self, dci, length, address=None, flags=IOC | ISP):
        here = self.rings[dci].push(self.data if address is None else address, length, NORMAL << 10 | flags)
        self.kick(dci)
        return here

    def read(self, dci, length):
        """(completion code, bytes) of a transfer in."""
        here = self.push(dci, length)
        event = self.hc.wait(TRANSFER, parameter=here)
        return event.code, self.hc.peek(self.data, length - event.residue) if length > event.residue else b''

    def write(self, dci, data):
        self.hc.poke(self.data, data)
        here = self.push(dci, len(data))
        return self.hc.wait(TRANSFER, parameter=here).code


class Disk:
    """A disk of Bulk-Only Transport behind a port: commands with data, and what came of them."""
    OUT, IN = 4, 3

    def __init__(self, hc, port, **place):
        self.slot = slot = hc.device(port, **place)
        packet = {FULL: 64, HIGH: 512, SUPER: 1024}[slot.speed]
        assert slot.configure((self.OUT, BULK_OUT, packet, 0), (self.IN, BULK_IN, packet, 0)).code == SUCCESS
        assert slot.control(9, 1, kind=0)[0] == SUCCESS
        self.tag = 0

    def cbw(self, cdb, length, is_in, lun=0):
        self.tag += 1
        return struct.pack('<IIIBBB16s', 0x43425355, self.tag, length, 0x80 if is_in else 0, lun, len(cdb), bytes(cdb))

    def csw(self):
        """(status, residue)."""
        code, raw = self.slot.read(self.IN, 13)
        assert code == SUCCESS and len(raw) == 13, (code, raw)
        signature, tag, residue, status = struct.unpack('<IIIB', raw)
        assert (signature, tag) == (0x53425355, self.tag), raw
        return status, residue

    def command(self, cdb, length=0, data=b'', chunk=None, lun=0):
        """(status, residue, data), moved in transfers of `chunk` bytes."""
        is_in = not data
        assert self.slot.write(self.OUT, self.cbw(cdb, length or len(data), is_in, lun)) == SUCCESS
        got = b''
        if data:
            for at in range(0, len(data), chunk or len(data)):
                assert self.slot.write(self.OUT, data[at:at + (chunk or len(data))]) == SUCCESS
        while is_in and len(got) < length:
            want = min(chunk or length, length - len(got))
            code, piece = self.slot.read(self.IN, want)
            assert code in (SUCCESS, SHORT), code
            got += piece
            if code == SHORT:
                break
        return (*self.csw(), got)

    def settle(self):
        """Past the attention of power on."""
        while self.command([0] * 6)[0]:
            self.command([3, 0, 0, 0, 18, 0], 18)

    def read(self, sector, count, **how):
        return self.command(struct.pack('>BBIBHB', 0x28, 0, sector, 0, count, 0), 512 * count, **how)

    def write(self, sector, data, **how):
        return self.command(struct.pack('>BBIBHB', 0x2a, 0, sector, 0, len(data) // 512, 0), data=data, **how)
