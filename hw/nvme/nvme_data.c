/*
 * Data of commands: physical region pages (4.3) and scatter-gather lists (4.4), the latter of data
 * blocks alone, without bit buckets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#define PRP1       24
#define PRP2       32
#define PSDT_BITS  6    /* of the second byte: 0 PRPs, 1 and 2 a scatter-gather list */
#define PRP_BYTES  8
#define PRPS_READ  32 /* at a time */
#define MOST_BYTES (256 * MiB) /* without a limit that users know */

enum { SGL_DATA = 0, SGL_SEGMENT = 2, SGL_LAST_SEGMENT = 3 }; /* with subtype 0: addresses */
#define SGL_BYTES  16
#define SGLS_READ  64   /* at a time */
#define SGLS_MOST  32768 /* of a command, so that a list that leads to itself ends */

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

static uint16_t map_prps(NvmeRequest *request, uint64_t bytes)
{
    uint64_t page = page_bytes(request->nvme), prp1 = load_le64(request->command + PRP1);
    uint64_t prp2 = load_le64(request->command + PRP2);
    uint64_t first = MIN(bytes, page - prp1 % page);
    uint16_t status;

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

/* --- scatter-gather lists --- */

typedef struct Sgl {
    NvmeRequest *request;
    uint64_t left;            /* bytes of data that are still to be placed */
    uint64_t segment;         /* where the next descriptors are, */
    uint32_t segment_bytes;   /* as many; 0: there are no more */
    bool is_last;             /* no other segment follows */
    unsigned seen;
} Sgl;

static uint16_t add_data(Sgl *sgl, const uint8_t *descriptor)
{
    uint32_t bytes = load_le32(descriptor + 8);

    if (bytes > sgl->left) {
        return NVME_INVALID_SGL_LENGTH | NVME_DO_NOT_RETRY;
    }
    sgl->left -= bytes;
    return bytes ? add_piece(sgl->request, load_le64(descriptor), bytes) : NVME_SUCCESS;
}

/* Segments follow each other: only the last descriptor of one leads to the next. */
static uint16_t enter_segment(Sgl *sgl, const uint8_t *descriptor, bool is_end)
{
    if (!is_end || sgl->is_last) {
        return NVME_INVALID_SGL_SEGMENT | NVME_DO_NOT_RETRY;
    }
    sgl->segment = load_le64(descriptor);
    sgl->segment_bytes = load_le32(descriptor + 8);
    sgl->is_last = descriptor[15] >> 4 == SGL_LAST_SEGMENT;
    return sgl->segment_bytes && !(sgl->segment_bytes % SGL_BYTES) ? NVME_SUCCESS :
               NVME_INVALID_SGL_SEGMENT | NVME_DO_NOT_RETRY;
}

/* `is_end`: none stands behind it in its segment. */
static uint16_t add_descriptor(Sgl *sgl, const uint8_t *descriptor, bool is_end)
{
    if (++sgl->seen > SGLS_MOST) {
        return NVME_SGL_TOO_LONG | NVME_DO_NOT_RETRY;
    }
    switch (descriptor[15] & 0xf ? UINT8_MAX : descriptor[15] >> 4) {
    case SGL_DATA:
        return add_data(sgl, descriptor);
    case SGL_SEGMENT:
    case SGL_LAST_SEGMENT:
        return enter_segment(sgl, descriptor, is_end);
    default:
        return NVME_INVALID_SGL_TYPE | NVME_DO_NOT_RETRY;
    }
}

/* Some of the segment, or its rest. */
static uint16_t add_some(Sgl *sgl)
{
    uint8_t descriptors[SGLS_READ * SGL_BYTES];
    uint32_t bytes = MIN(sgl->segment_bytes, sizeof(descriptors));
    uint16_t status = NVME_SUCCESS;

    if (nvme_read_memory(sgl->request->nvme, sgl->segment, descriptors, bytes) != MEM_TX_OK) {
        return NVME_DATA_TRANSFER_ERROR;
    }
    sgl->segment += bytes;
    sgl->segment_bytes -= bytes;
    for (uint32_t at = 0; at < bytes && status == NVME_SUCCESS; at += SGL_BYTES) {
        status = add_descriptor(sgl, descriptors + at,
                                !sgl->segment_bytes && at + SGL_BYTES == bytes);
    }
    return status;
}

static uint16_t map_sgl(NvmeRequest *request, uint64_t bytes)
{
    Sgl sgl = { .request = request, .left = bytes };
    uint16_t status = add_descriptor(&sgl, request->command + PRP1, true);

    while (status == NVME_SUCCESS && sgl.segment_bytes) {
        status = add_some(&sgl);
    }
    return status != NVME_SUCCESS || !sgl.left ? status :
               NVME_INVALID_SGL_LENGTH | NVME_DO_NOT_RETRY;
}

/* --- either --- */

uint16_t nvme_map_data(NvmeRequest *request, uint64_t bytes)
{
    const Nvme *nvme = request->nvme;
    unsigned kind = request->command[1] >> PSDT_BITS;

    if (kind == 3 || (kind && !request->sqid) || bytes > MOST_BYTES ||
        (nvme->transfer_exponent && bytes > page_bytes(nvme) << nvme->transfer_exponent)) {
        return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
    }
    return kind ? map_sgl(request, bytes) : map_prps(request, bytes);
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
