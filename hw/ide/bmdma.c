/*
 * See hw/ide/bmdma.h. A descriptor is an address, a count of bytes (0: 64 KiB) and, in bit 63, the
 * mark of the last.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/bmdma.h"
#include "util/log.h"

#define COMMAND_START     BIT(0)
#define COMMAND_TO_MEMORY BIT(3)
#define STATUS_ACTIVE     BIT(0)
#define STATUS_ERROR      BIT(1)
#define STATUS_INTERRUPT  BIT(2)
#define STATUS_CAPABLE    (BIT(5) | BIT(6)) /* firmware's notes */

static bool is_at_end(const Bmdma *dma)
{
    return !dma->left && dma->is_last;
}

/* The engine counts as active for as long as the drive needs for data that it has. */
static void dma_interrupt(void *opaque, bool is_up)
{
    Bmdma *dma = opaque;

    if (is_up) {
        dma->status |= STATUS_INTERRUPT;
        dma->status &= is_at_end(dma) ? ~STATUS_ACTIVE : UINT8_MAX;
    }
    irq_set(dma->irq, is_up);
}

/* False: the table is at its end. */
static bool next_descriptor(Bmdma *dma)
{
    uint8_t entry[8];
    uint32_t count;

    if (dma->is_last) {
        return false;
    }
    if (pci_dma_read(dma->dev, dma->next, entry, sizeof(entry)) != MEM_TX_OK) {
        memset(entry, 0, sizeof(entry));
    }
    dma->next += sizeof(entry);
    dma->addr = load_le32(entry) & ~1u;
    count = load_le32(entry + 4);
    dma->left = count & 0xfffe ? count & 0xfffe : 0x10000;
    dma->is_last = count & BIT(31);
    return true;
}

static void move(Bmdma *dma, uint8_t *buf, uint32_t bytes, bool to_memory)
{
    if (to_memory) {
        pci_dma_write(dma->dev, dma->addr, buf, bytes);
    } else {
        pci_dma_read(dma->dev, dma->addr, buf, bytes);
    }
    dma->addr += bytes;
    dma->left -= bytes;
}

static size_t dma_move(void *opaque, uint8_t *buf, size_t bytes, bool to_memory)
{
    Bmdma *dma = opaque;
    size_t done = 0;

    if (!(dma->command & COMMAND_START) || !(dma->status & STATUS_ACTIVE)) {
        return 0;
    }
    if (!!(dma->command & COMMAND_TO_MEMORY) != to_memory) {
        guest_error("%s: bus master set for the other direction", device_label(&dma->dev->parent));
        return 0;
    }
    while (done < bytes && (dma->left || next_descriptor(dma))) {
        uint32_t part = MIN(dma->left, bytes - done);

        move(dma, buf + done, part, to_memory);
        done += part;
    }
    return done;
}

/* The table ended before the data: the command is given up, without an interrupt. */
static void dma_stalled(void *opaque)
{
    Bmdma *dma = opaque;

    if (dma->command & COMMAND_START && dma->status & STATUS_ACTIVE && is_at_end(dma)) {
        dma->status &= ~STATUS_ACTIVE;
        ide_bus_cancel(dma->bus);
    }
}

const IdeTransport bmdma_transport = {
    .interrupt = dma_interrupt, .dma = dma_move, .dma_stalled = dma_stalled,
};

void bmdma_reset(Bmdma *dma)
{
    dma->command = dma->status = 0;
    dma->table = dma->next = dma->addr = dma->left = 0;
    dma->is_last = false;
}

uint8_t bmdma_read(const Bmdma *dma, unsigned at)
{
    switch (at) {
    case 0:
        return dma->command;
    case 2:
        return dma->status;
    case 4 ... 7:
        return dma->table >> 8 * (at - 4);
    default:
        return 0xff;
    }
}

static void write_command(Bmdma *dma, uint8_t value)
{
    bool was_running = dma->command & COMMAND_START;

    if (was_running && !(value & COMMAND_START)) {
        ide_bus_dma_cancelled(dma->bus);
        dma->status &= ~STATUS_ACTIVE;
    }
    dma->command = value & (COMMAND_START | COMMAND_TO_MEMORY);
    if (!was_running && dma->command & COMMAND_START) {
        dma->status |= STATUS_ACTIVE;
        dma->next = dma->table;
        dma->left = 0;
        dma->is_last = false;
        ide_bus_dma_started(dma->bus);
    }
}

void bmdma_write(Bmdma *dma, unsigned at, uint8_t value)
{
    unsigned shift = 8 * (at - 4);

    switch (at) {
    case 0:
        write_command(dma, value);
        break;
    case 2:
        dma->status &= ~(value & (STATUS_ERROR | STATUS_INTERRUPT));
        dma->status = (dma->status & ~STATUS_CAPABLE) | (value & STATUS_CAPABLE);
        break;
    case 4 ... 7:
        dma->table = ((dma->table & ~(0xffu << shift)) | (uint32_t)value << shift) & ~3u;
        break;
    default:
        break;
    }
}

static const VMField bmdma_fields[] = {
    VM_U8(Bmdma, command), VM_U8(Bmdma, status), VM_U32(Bmdma, table), VM_U32(Bmdma, next),
    VM_U32(Bmdma, addr), VM_U32(Bmdma, left), VM_BOOL(Bmdma, is_last),
};
const VMState bmdma_state = VMSTATE_INIT(bmdma_fields, .name = "bmdma", .version = 1);
