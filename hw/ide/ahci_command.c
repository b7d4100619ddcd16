/*
 * Commands of an AHCI port: slots, headers and tables of the command list (AHCI 1.3.1, 4.2.2 to
 * 4.2.3), carried to the drive as register frames. One that is not queued is with the drive at a
 * time. Left out: port multipliers, FIS-based switching, partial retries after errors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ahci.h"
#include "trace.h"
#include "util/log.h"

#define HEADER_BYTES   32
#define TABLE_PACKET   0x40
#define TABLE_PRDT     0x80
#define PRD_BYTES      16
#define PRD_MAX_COUNT  0x3fffff
#define FIS_H2D        0x27
#define FIS_IS_COMMAND 0x80
#define FIS_BYTES      64
#define NCQ_READ       0x60
#define NCQ_WRITE      0x61

static uint64_t table_address(const uint8_t header[HEADER_BYTES])
{
    return load_le64(header + 8) & ~UINT64_C(0x7f);
}

bool ahci_get_list(AhciPort *port, const uint8_t header[32], DmaList *list, bool *wants_dps)
{
    PciDevice *dev = &port->ahci->parent;
    size_t count = load_le16(header + 2);
    g_autofree uint8_t *entries = g_malloc(count * PRD_BYTES);
    bool is_ok = !count || pci_dma_read(dev, table_address(header) + TABLE_PRDT, entries,
                                        count * PRD_BYTES) == MEM_TX_OK;

    *wants_dps = false;
    dma_list_init(list, pci_device_dma_as(dev), pci_device_attrs(dev));
    for (size_t i = 0; is_ok && i < count; i++) {
        const uint8_t *entry = entries + i * PRD_BYTES;
        uint32_t word = load_le32(entry + 12);

        is_ok = dma_list_add(list, load_le64(entry), (word & PRD_MAX_COUNT) + 1);
        *wants_dps |= word >> 31;
    }
    if (!is_ok) {
        dma_list_clear(list);
    }
    return is_ok;
}

/* --- what the drive asks of its port --- */

static void no_line(void *opaque, bool is_up)
{
    /* frames carry interrupts */
}

static size_t move(AhciPort *port, uint8_t *buf, size_t bytes, bool to_memory)
{
    DmaSpan span = { port->done_bytes, bytes };
    size_t done = 0;

    if (!port->has_list) {
        return 0;
    }
    if (to_memory) {
        dma_list_write(&port->list, span, buf, &done);
    } else {
        dma_list_read(&port->list, span, buf, &done);
    }
    port->done_bytes += done;
    return done;
}

static size_t port_dma(void *opaque, uint8_t *buf, size_t bytes, bool to_memory)
{
    return move(opaque, buf, bytes, to_memory);
}

static void end_slot(AhciPort *port, bool is_well)
{
    Ahci *a = port->ahci;
    uint8_t bytes[4];

    store_le32(bytes, port->done_bytes);
    pci_dma_write(&a->parent, port->header + 4, bytes, sizeof(bytes));
    port->is_active = false;
    if (port->has_list) {
        dma_list_clear(&port->list);
        port->has_list = false;
    }
    if (is_well) {
        a->ci[port->n] &= ~BIT(port->slot);
    } else {
        port->is_halted = true;
    }
}

/* The descriptors end before the data: the adapter's error, not the drive's. */
static void port_stalled(void *opaque)
{
    AhciPort *port = opaque;

    guest_error("%s: port %u: descriptors are too short", device_label(&port->ahci->parent.parent),
                port->n);
    ide_bus_cancel(port->bus);
    end_slot(port, false);
    ahci_raise(port, IS_OFS);
}

static void send_packet(AhciPort *port)
{
    uint8_t header[HEADER_BYTES], packet[16];

    pci_dma_read(&port->ahci->parent, port->header, header, sizeof(header));
    pci_dma_read(&port->ahci->parent, table_address(header) + TABLE_PACKET, packet,
                 sizeof(packet));
    port->is_atapi = false;
    ahci_send_pio_setup(port, 12, false, false); /* a packet is no data */
    ide_bus_send_packet(port->bus, packet);
}

static void port_pio_ready(void *opaque, bool to_host)
{
    AhciPort *port = opaque;
    uint8_t *block;
    size_t bytes;

    if (!port->is_active) {
        return;
    }
    if (port->is_atapi) {
        send_packet(port);
        return;
    }
    block = ide_bus_pio_block(port->bus, &bytes);
    port->was_pio_in = to_host;
    ahci_send_pio_setup(port, bytes, to_host, true);
    if (move(port, block, bytes, to_host) < bytes) {
        port_stalled(port);
        return;
    }
    ide_bus_pio_done(port->bus);
}

/* PIO data-in of disks ends with its last setup frame; anything else with a D2H frame. */
static void port_ended(void *opaque)
{
    AhciPort *port = opaque;
    IdeTaskFile file;
    uint8_t status, error;
    bool is_well;

    ide_bus_get_file(port->bus, &file, &status, &error);
    is_well = !(status & IDE_ST_ERR);
    if (!port->is_active) {
        ahci_send_signature(port);
        return;
    }
    if (port->wants_dps && port->done_bytes) {
        ahci_raise(port, IS_DPS);
    }
    end_slot(port, is_well);
    if (!port->was_pio_in || !is_well || file.command == 0xa0) {
        ahci_send_d2h(port, true);
    }
    if (!port->is_looping) {
        ahci_run(port);
    }
}

const IdeTransport ahci_transport = {
    .interrupt = no_line, .dma = port_dma, .dma_stalled = port_stalled,
    .pio_ready = port_pio_ready, .ended = port_ended,
};

/* --- issuing --- */

static void control_frame(AhciPort *port, unsigned slot, const uint8_t fis[FIS_BYTES])
{
    port->ahci->ci[port->n] &= ~BIT(slot);
    ide_bus_write_control(port->bus, fis[15] & IDE_CTL_SRST);
    if (fis[15] & IDE_CTL_SRST) {
        port->ahci->tfd[port->n] = IDE_ST_BSY;
    }
}

static void issue(AhciPort *port, unsigned slot, const uint8_t header[HEADER_BYTES],
                  const uint8_t fis[FIS_BYTES])
{
    IdeTaskFile file = {
        .command = fis[2], .device = fis[7], .features = fis[11] << 8 | fis[3],
        .count = fis[13] << 8 | fis[12],
        .lba = (uint64_t)fis[10] << 40 | (uint64_t)fis[9] << 32 | (uint64_t)fis[8] << 24 |
               fis[6] << 16 | fis[5] << 8 | fis[4],
    };

    port->is_active = true;
    port->slot = slot;
    port->is_atapi = header[0] & BIT(5);
    port->was_pio_in = false;
    port->done_bytes = 0;
    port->has_list = ahci_get_list(port, header, &port->list, &port->wants_dps);
    port->ahci->tfd[port->n] = IDE_ST_BSY;
    ide_bus_issue(port->bus, &file);
}

static void refuse(AhciPort *port, unsigned slot, uint32_t bits, const char *why)
{
    guest_error("%s: port %u, slot %u: %s", device_label(&port->ahci->parent.parent), port->n,
                slot, why);
    port->is_halted = true;
    ahci_raise(port, bits);
}

static void start_slot(AhciPort *port, unsigned slot)
{
    Ahci *a = port->ahci;
    uint64_t list = (uint64_t)a->clbu[port->n] << 32 | a->clb[port->n];
    uint8_t header[HEADER_BYTES], fis[FIS_BYTES];

    port->header = list + slot * HEADER_BYTES;
    a->cmd[port->n] = (a->cmd[port->n] & ~CMD_CCS) | slot << CMD_CCS_SHIFT;
    if (pci_dma_read(&a->parent, port->header, header, sizeof(header)) ||
        pci_dma_read(&a->parent, table_address(header), fis, sizeof(fis))) {
        refuse(port, slot, IS_HBFS, "its command cannot be read");
        return;
    }
    trace_ahci_command(port->n, slot, fis[0], fis[2]);
    if (fis[0] != FIS_H2D || (header[0] & 0x1f) < 2) {
        refuse(port, slot, IS_IFS, "its frame is no register frame");
    } else if (!(fis[1] & FIS_IS_COMMAND)) {
        control_frame(port, slot, fis);
    } else if ((fis[2] == NCQ_READ || fis[2] == NCQ_WRITE) && ide_bus_queue_depth(port->bus)) {
        ahci_ncq_issue(port, slot, header, fis);
    } else {
        issue(port, slot, header, fis);
    }
}

static bool can_issue(const AhciPort *port)
{
    const Ahci *a = port->ahci;

    return a->ci[port->n] && a->cmd[port->n] & CMD_CR && !port->is_active && !port->is_halted &&
           ide_bus_has_drive(port->bus);
}

void ahci_run(AhciPort *port)
{
    unsigned budget = AHCI_SLOTS; /* a table that the commands overwrite must not hold us here */

    port->is_looping = true;
    while (can_issue(port) && budget--) {
        start_slot(port, __builtin_ctz(port->ahci->ci[port->n]));
    }
    port->is_looping = false;
}

void ahci_stop(AhciPort *port)
{
    ahci_ncq_stop(port);
    ide_bus_cancel(port->bus);
    if (port->has_list) {
        dma_list_clear(&port->list);
    }
    port->has_list = port->is_active = port->is_halted = false;
    port->is_atapi = port->was_pio_in = port->wants_dps = false;
    port->slot = 0;
    port->header = port->done_bytes = 0;
}
