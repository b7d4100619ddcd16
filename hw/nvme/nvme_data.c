/*
 * Data of commands: physical region pages (4.3). Scatter-gather lists are left out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#define PRP1       24
#define PRP2       32
#define PSDT       0xc0 /* of the second byte: scatter-gather */
#define PRP_BYTES  8
#define PRPS_READ  32 /* at a time */
#define MOST_BYTES (256 * MiB) /* without a limit that users know */

static uint64_t page_bytes(const Nvme *nvme)
{
    return UINT64_C(1) << (12 + (nvme->cc >> 7 & 0xf));
}

static uint16_t bad_offset(void)
{
    return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
}

typedef struct PrpReader {
    Nvme *nvme;
    uint8_t bytes[PRPS_READ * PRP_BYTES];
    unsigned next, count; /* entries of what was read */
} PrpReader;

/* The entry at `at`; of those behind it in its page, some that `left` bytes need come along. */
static bool read_prp(PrpReader *reader, uint64_t at, uint64_t left, uint64_t *entry)
{
    uint64_t page = page_bytes(reader->nvme);

    if (reader->next == reader->count) {
        reader->count = MIN(MIN(PRPS_READ, (page - at % page) / PRP_BYTES),
                            (left + page - 1) / page);
        reader->next = 0;
        if (nvme_read_memory(reader->nvme, at, reader->bytes, reader->count * PRP_BYTES) !=
            MEM_TX_OK) {
            return false;
        }
    }
    *entry = load_le64(reader->bytes + PRP_BYTES * reader->next++);
    return true;
}

/* Of memory of the controller's own all pieces are, or none. */
static uint16_t add_piece(NvmeRequest *request, uint64_t at, uint64_t bytes)
{
    bool is_own = nvme_is_own_memory(request->nvme, at, bytes);

    if (!request->list.count && is_own) {
        request->is_of_own_memory = true;
        dma_list_init(&request->list, nvme_space_of(request->nvme, at, bytes),
                      pci_device_attrs(&request->nvme->parent));
    }
    if (is_own != request->is_of_own_memory) {
        return NVME_INVALID_MEMORY_USE | NVME_DO_NOT_RETRY;
    }
    return dma_list_add(&request->list, at, bytes) ? NVME_SUCCESS : NVME_DATA_TRANSFER_ERROR;
}

/* A list is a page of entries; the last leads to the next list if there is more. */
static uint16_t add_list(NvmeRequest *request, uint64_t at, uint64_t left)
{
    PrpReader reader = { request->nvme };
    uint64_t page = page_bytes(request->nvme);

    if (at % PRP_BYTES) {
        return bad_offset();
    }
    while (left) {
        uint64_t entry;
        uint16_t status;

        if (!read_prp(&reader, at, left, &entry)) {
            return NVME_DATA_TRANSFER_ERROR;
        }
        if (entry % page) {
            return bad_offset();
        }
        at += PRP_BYTES;
        if (!(at % page) && left > page) {
            at = entry; /* it was the last of its page */
            continue;
        }
        status = add_piece(request, entry, MIN(left, page));
        if (status != NVME_SUCCESS) {
            return status;
        }
        left -= MIN(left, page);
    }
    return NVME_SUCCESS;
}

uint16_t nvme_map_data(NvmeRequest *request, uint64_t bytes)
{
    Nvme *nvme = request->nvme;
    uint64_t page = page_bytes(nvme), prp1 = load_le64(request->command + PRP1);
    uint64_t prp2 = load_le64(request->command + PRP2);
    uint64_t first = MIN(bytes, page - prp1 % page);
    uint16_t status;

    if (request->command[1] & PSDT) {
        return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
    }
    if (bytes > MOST_BYTES ||
        (nvme->transfer_exponent && bytes > page << nvme->transfer_exponent)) {
        return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
    }
    if (prp1 % 4) {
        return bad_offset();
    }
    status = add_piece(request, prp1, first);
    if (status != NVME_SUCCESS) {
        return status;
    }
    bytes -= first;
    if (bytes > page) {
        return add_list(request, prp2, bytes);
    }
    if (bytes && prp2 % page) {
        return bad_offset();
    }
    return bytes ? add_piece(request, prp2, bytes) : NVME_SUCCESS;
}

uint16_t nvme_give(NvmeRequest *request, const void *data, uint64_t bytes)
{
    uint16_t status = nvme_map_data(request, bytes);

    if (status == NVME_SUCCESS &&
        dma_list_write(&request->list, (DmaSpan){ 0, bytes }, data, NULL) != MEM_TX_OK) {
        status = NVME_DATA_TRANSFER_ERROR;
    }
    return status;
}

uint16_t nvme_take(NvmeRequest *request, void *data, uint64_t bytes)
{
    uint16_t status = nvme_map_data(request, bytes);

    if (status == NVME_SUCCESS &&
        dma_list_read(&request->list, (DmaSpan){ 0, bytes }, data, NULL) != MEM_TX_OK) {
        status = NVME_DATA_TRANSFER_ERROR;
    }
    return status;
}
