/*
 * I/O commands that are several requests of the drive, one after the other, through a buffer:
 * compare, verify, copy (NVM Command Set Specification 1.0, 3.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#define STEP_BYTES   (512 * KiB)
#define RANGE_BYTES  32 /* of a source range, format 0 */
#define RANGE_BLOCK  8
#define RANGE_BLOCKS 16

/* --- one after the other --- */

static void step_done(BlockRequest *block, int error);

/* A loop, not recursion: a back end may answer at once, thousands of times. */
static void go_on(NvmeRequest *request)
{
    do {
        BlockIo io = { .op = BLOCK_READ };
        uint16_t status = request->error ? nvme_status_of(request->error, request->block.io.op) :
                                           request->next(request, &io);

        if (status != NVME_LATER) {
            nvme_complete(request, status);
            return;
        }
        request->is_waiting = request->is_looping = true;
        request->block = (BlockRequest){ .io = io, .done = step_done };
        block_backend_submit(request->ns->conf.drive, &request->block);
        request->is_looping = false;
    } while (!request->is_waiting);
}

static void step_done(BlockRequest *block, int error)
{
    NvmeRequest *request = container_of(block, NvmeRequest, block);

    request->is_waiting = false;
    request->error = error;
    if (!request->is_looping) {
        go_on(request);
    }
}

static uint16_t start(NvmeRequest *request, uint64_t buffer_bytes,
                      uint16_t (*next)(NvmeRequest *request, BlockIo *io))
{
    request->buffer = g_try_malloc(buffer_bytes);
    if (!request->buffer) {
        return NVME_INTERNAL_ERROR;
    }
    request->next = next;
    go_on(request);
    return NVME_LATER;
}

static void fill(NvmeRequest *request, BlockIo *io, uint8_t *buffer, uint64_t bytes)
{
    request->iov = (struct iovec){ buffer, bytes };
    io->bytes = bytes;
    io->iov = &request->iov;
    io->iov_count = 1;
}

/* --- verify: what can be read --- */

static uint16_t next_verify(NvmeRequest *request, BlockIo *io)
{
    uint64_t bytes = MIN(request->left, STEP_BYTES);

    if (!bytes) {
        return NVME_SUCCESS;
    }
    fill(request, io, request->buffer, bytes);
    io->offset = request->at;
    request->at += bytes;
    request->left -= bytes;
    return NVME_LATER;
}

uint16_t nvme_verify(NvmeRequest *request)
{
    BlockIo io = { .op = BLOCK_READ };
    uint16_t status = nvme_get_range(request, &io);

    request->at = io.offset;
    request->left = io.bytes;
    return status == NVME_SUCCESS ? start(request, MIN(io.bytes, STEP_BYTES), next_verify) : status;
}

/* --- compare: all of it, then with what the host has --- */

static uint16_t next_compare(NvmeRequest *request, BlockIo *io)
{
    g_autofree uint8_t *wanted = NULL;

    if (!request->step++) {
        fill(request, io, request->buffer, request->left);
        io->offset = request->at;
        return NVME_LATER;
    }
    wanted = g_try_malloc(request->left);
    if (!wanted) {
        return NVME_INTERNAL_ERROR;
    }
    if (dma_list_read(&request->list, (DmaSpan){ 0, request->left }, wanted, NULL) != MEM_TX_OK) {
        return NVME_DATA_TRANSFER_ERROR;
    }
    return memcmp(wanted, request->buffer, request->left) ?
               NVME_COMPARE_FAILURE | NVME_DO_NOT_RETRY : NVME_SUCCESS;
}

uint16_t nvme_compare(NvmeRequest *request)
{
    BlockIo io = { .op = BLOCK_READ };
    uint16_t status = nvme_get_range(request, &io);

    if (status == NVME_SUCCESS) {
        status = nvme_map_data(request, io.bytes);
    }
    request->at = io.offset;
    request->left = io.bytes;
    return status == NVME_SUCCESS ? start(request, io.bytes, next_compare) : status;
}

/* --- copy: ranges are gathered, then written --- */

static uint64_t range_block(const NvmeRequest *request, unsigned n)
{
    return load_le64(request->ranges + n * RANGE_BYTES + RANGE_BLOCK);
}

static uint32_t range_blocks(const NvmeRequest *request, unsigned n)
{
    return load_le16(request->ranges + n * RANGE_BYTES + RANGE_BLOCKS) + 1u;
}

static unsigned range_count(const NvmeRequest *request)
{
    return (nvme_dword(request, 12) & 0xff) + 1;
}

/* `left`: bytes gathered so far. */
static uint16_t next_copy(NvmeRequest *request, BlockIo *io)
{
    uint64_t block = request->ns->conf.logical_bytes;
    unsigned n = request->step++, count = range_count(request);

    if (n > count) {
        return NVME_SUCCESS;
    }
    if (n == count) {
        fill(request, io, request->buffer, request->left);
        io->op = BLOCK_WRITE;
        io->offset = request->at;
        return NVME_LATER;
    }
    fill(request, io, request->buffer + request->left, range_blocks(request, n) * block);
    io->offset = range_block(request, n) * block;
    request->left += io->bytes;
    return NVME_LATER;
}

static uint16_t check_copy(const NvmeRequest *request, uint64_t *blocks)
{
    uint64_t all = nvme_namespace_blocks(request->ns), to = load_le64(request->command + 40);

    *blocks = 0;
    for (unsigned n = 0; n < range_count(request); n++) {
        uint32_t some = range_blocks(request, n);

        *blocks += some;
        if (some > NVME_COPY_RANGE_BLOCKS || *blocks > NVME_COPY_BLOCKS) {
            return NVME_SIZE_LIMIT | NVME_DO_NOT_RETRY;
        }
        if (range_block(request, n) > all || some > all - range_block(request, n)) {
            return NVME_LBA_RANGE | NVME_DO_NOT_RETRY;
        }
    }
    return to > all || *blocks > all - to ? NVME_LBA_RANGE | NVME_DO_NOT_RETRY : NVME_SUCCESS;
}

uint16_t nvme_copy(NvmeRequest *request)
{
    uint64_t blocks, bytes = range_count(request) * RANGE_BYTES;
    uint16_t status;

    if (nvme_dword(request, 12) >> 8 & 0xf) { /* another format of ranges */
        return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
    }
    if (range_count(request) > NVME_COPY_RANGES) {
        return NVME_SIZE_LIMIT | NVME_DO_NOT_RETRY;
    }
    if (block_backend_is_read_only(request->ns->conf.drive)) {
        return NVME_READ_ONLY | NVME_DO_NOT_RETRY;
    }
    request->ranges = g_malloc(bytes);
    status = nvme_take(request, request->ranges, bytes);
    if (status == NVME_SUCCESS) {
        status = check_copy(request, &blocks);
    }
    if (status != NVME_SUCCESS) {
        return status;
    }
    request->at = load_le64(request->command + 40) * request->ns->conf.logical_bytes;
    return start(request, blocks * request->ns->conf.logical_bytes, next_copy);
}
