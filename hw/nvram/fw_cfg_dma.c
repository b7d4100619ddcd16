/*
 * fw_cfg's DMA: the guest leaves a big-endian { u32 control; u32 length; u64 address } in memory and
 * writes where; control becomes 0 when it is done, or ERROR. It reaches memory alone: 4 GiB of zeros
 * for a device's registers would keep the machine busy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fw_cfg_state.h"
#include "system/dma.h"

#define CONTROL_ERROR  BIT(0)
#define CONTROL_READ   BIT(1)
#define CONTROL_SKIP   BIT(2)
#define CONTROL_SELECT BIT(3)
#define CONTROL_WRITE  BIT(4)

static const MemTxAttrs only_memory = { .is_memory = true };

typedef struct Command {
    uint32_t control, length;
    uint64_t address;
} Command;

static bool load_command(uint64_t addr, Command *command)
{
    uint8_t raw[16];

    if (dma_read(address_space_system(), addr, MEM_TX_NONE, raw, sizeof(raw)) != MEM_TX_OK) {
        return false;
    }
    *command = (Command){ load_be32(raw), load_be32(raw + 4), load_be64(raw + 8) };
    return true;
}

/* Bytes of the blob from the offset on that the command may take. */
static uint32_t part_there(const FwCfg *s, const FwCfgBlob *blob, const Command *c)
{
    size_t left = blob && s->offset < blob->size ? blob->size - s->offset : 0;

    return MIN(left, c->length);
}

/* What is behind the end reads as zeros. */
static bool do_read(FwCfg *s, const FwCfgBlob *blob, const Command *c)
{
    AddressSpace *as = address_space_system();
    uint32_t bytes = part_there(s, blob, c);
    MemTxResult result = MEM_TX_OK;

    if (bytes) {
        result = dma_write(as, c->address, only_memory, (uint8_t *)blob->data + s->offset, bytes);
    }
    if (c->length > bytes) {
        result |= dma_fill(as, c->address + bytes, only_memory, 0, c->length - bytes);
    }
    s->offset += bytes;
    return result == MEM_TX_OK;
}

static bool do_write(FwCfg *s, const FwCfgBlob *blob, const Command *c)
{
    uint32_t bytes = part_there(s, blob, c);
    size_t offset = s->offset;

    if (!blob || !blob->is_writable || bytes != c->length ||
        dma_read(address_space_system(), c->address, only_memory,
                 (uint8_t *)blob->data + offset, bytes) != MEM_TX_OK) {
        return false;
    }
    s->offset += bytes;
    if (blob->written) {
        blob->written(blob->opaque, offset, bytes);
    }
    return true;
}

static bool run(FwCfg *s, const Command *c)
{
    const FwCfgBlob *blob;

    if (c->control & CONTROL_SELECT) {
        fw_cfg_select(s, c->control >> 16);
    }
    blob = fw_cfg_blob(s, s->selected);
    if (c->control & CONTROL_READ) {
        return do_read(s, blob, c);
    }
    if (c->control & CONTROL_WRITE) {
        return do_write(s, blob, c);
    }
    if (c->control & CONTROL_SKIP) {
        s->offset += part_there(s, blob, c);
    }
    return true;
}

void fw_cfg_dma_run(FwCfg *s)
{
    uint64_t at = s->dma_addr;
    Command command;
    bool is_done = false;

    s->dma_addr = 0;
    if (load_command(at, &command)) {
        is_done = run(s, &command);
    }
    dma_store(address_space_system(), at, MEM_BE32, MEM_TX_NONE, is_done ? 0 : CONTROL_ERROR);
}
