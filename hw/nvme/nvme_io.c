/*
 * I/O commands of the NVM command set (NVM Express 1.4, chapter 6). Data goes between guest memory
 * and the back end in place. Left out: write uncorrectable, reservations, metadata.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

enum { FLUSH = 0x00, WRITE = 0x01 };
#define ALL_NAMESPACES UINT32_MAX
#define FORCE_UNIT     BIT(30) /* of dword 12 */
#define DEALLOCATE     BIT(25) /* the same, write zeroes */
#define DSM_DEALLOCATE BIT(2)  /* of dword 11 */
#define RANGE_BYTES    16

typedef struct NvmePart {
    NvmeRequest *request;
    BlockRequest block;
} NvmePart;

uint16_t nvme_status_of(int error, BlockOp op)
{
    return !error ? NVME_SUCCESS : error == -ECANCELED ? NVME_ABORTED :
           error == -ENOSPC ? NVME_WRITE_FAULT | NVME_DO_NOT_RETRY :
           op == BLOCK_READ ? NVME_READ_ERROR : NVME_WRITE_FAULT;
}

static void done(BlockRequest *block, int error)
{
    NvmeRequest *request = container_of(block, NvmeRequest, block);

    if (request->is_mapped && dma_unmap(&request->map, !error) != MEM_TX_OK) {
        nvme_complete(request, NVME_DATA_TRANSFER_ERROR);
    } else {
        nvme_complete(request, nvme_status_of(error, block->io.op));
    }
}

static uint16_t submit(NvmeRequest *request, const BlockIo *io)
{
    BlockBatch *batch = request->nvme->batch;
    bool moves_data = io->op == BLOCK_READ || io->op == BLOCK_WRITE;

    request->block = (BlockRequest){ .io = *io, .done = done };
    if (batch && moves_data && !io->flags) {
        block_batch_add(batch, request->ns->conf.drive, &request->block);
    } else {
        block_backend_submit(request->ns->conf.drive, &request->block);
    }
    return NVME_LATER;
}

/* --- ranges --- */

/* Of read, write, write zeroes. */
uint16_t nvme_get_range(const NvmeRequest *request, BlockIo *io)
{
    const NvmeNamespace *ns = request->ns;
    uint64_t block = load_le64(request->command + 40), all = nvme_namespace_blocks(ns);
    uint32_t blocks = (nvme_dword(request, 12) & 0xffff) + 1;

    if (block > all || blocks > all - block) {
        return NVME_LBA_RANGE | NVME_DO_NOT_RETRY;
    }
    if (io->op != BLOCK_READ && block_backend_is_read_only(ns->conf.drive)) {
        return NVME_READ_ONLY | NVME_DO_NOT_RETRY;
    }
    io->offset = block * ns->conf.logical_bytes;
    io->bytes = blocks * ns->conf.logical_bytes;
    return NVME_SUCCESS;
}

static uint16_t transfer(NvmeRequest *request)
{
    bool is_write = request->command[0] == WRITE;
    BlockIo io = { .op = is_write ? BLOCK_WRITE : BLOCK_READ };
    uint16_t status = nvme_get_range(request, &io);

    if (status == NVME_SUCCESS) {
        status = nvme_map_data(request, io.bytes);
    }
    if (status != NVME_SUCCESS) {
        return status;
    }
    if (!dma_map(&request->map, &request->list, (DmaSpan){ 0, io.bytes }, !is_write)) {
        return NVME_DATA_TRANSFER_ERROR;
    }
    request->is_mapped = true;
    io.iov = request->map.iov;
    io.iov_count = request->map.count;
    io.flags = is_write && nvme_dword(request, 12) & FORCE_UNIT ? BLOCK_FUA : 0;
    return submit(request, &io);
}

static uint16_t write_zeroes(NvmeRequest *request)
{
    BlockIo io = { .op = BLOCK_ZERO };
    uint16_t status = nvme_get_range(request, &io);

    io.flags = nvme_dword(request, 12) & DEALLOCATE ? BLOCK_MAY_UNMAP : 0;
    return status == NVME_SUCCESS ? submit(request, &io) : status;
}

/* --- dataset management: all ranges at once; the last to end completes the command --- */

static void part_ended(NvmeRequest *request)
{
    if (!--request->pending) {
        nvme_complete(request, request->status);
    }
}

static void part_done(BlockRequest *block, int error)
{
    NvmeRequest *request = container_of(block, NvmePart, block)->request;

    if (error) {
        request->status = nvme_status_of(error, BLOCK_DISCARD);
    }
    part_ended(request);
}

static uint16_t check_ranges(const NvmeRequest *request, const uint8_t *ranges, unsigned count)
{
    uint64_t all = nvme_namespace_blocks(request->ns);

    for (unsigned i = 0; i < count; i++) {
        uint64_t block = load_le64(ranges + i * RANGE_BYTES + 8);
        uint32_t blocks = load_le32(ranges + i * RANGE_BYTES + 4);

        if (block > all || blocks > all - block) {
            return NVME_LBA_RANGE | NVME_DO_NOT_RETRY;
        }
    }
    return NVME_SUCCESS;
}

static uint16_t discard(NvmeRequest *request, const uint8_t *ranges, unsigned count)
{
    uint64_t bytes = request->ns->conf.logical_bytes;

    request->parts = g_new0(NvmePart, count);
    request->pending = count + 1;
    for (unsigned i = 0; i < count; i++) {
        NvmePart *part = &request->parts[i];
        uint32_t blocks = load_le32(ranges + i * RANGE_BYTES + 4);

        part->request = request;
        if (!blocks) {
            request->pending--;
            continue;
        }
        part->block = (BlockRequest){
            .io = { .op = BLOCK_DISCARD, .bytes = blocks * bytes,
                    .offset = load_le64(ranges + i * RANGE_BYTES + 8) * bytes },
            .done = part_done,
        };
        block_backend_submit(request->ns->conf.drive, &part->block);
    }
    part_ended(request);
    return NVME_LATER;
}

static uint16_t manage_dataset(NvmeRequest *request)
{
    unsigned count = (nvme_dword(request, 10) & 0xff) + 1;
    uint8_t ranges[256 * RANGE_BYTES];
    uint16_t status = nvme_take(request, ranges, count * RANGE_BYTES);

    if (status == NVME_SUCCESS) {
        status = check_ranges(request, ranges, count);
    }
    if (status != NVME_SUCCESS || !(nvme_dword(request, 11) & DSM_DEALLOCATE)) {
        return status; /* hints */
    }
    if (block_backend_is_read_only(request->ns->conf.drive)) {
        return NVME_READ_ONLY | NVME_DO_NOT_RETRY;
    }
    return discard(request, ranges, count);
}

/* --- of all namespaces, or one --- */

static uint16_t each_namespace(NvmeRequest *request, uint32_t only, BlockOp op)
{
    Nvme *nvme = request->nvme;

    request->parts = g_new0(NvmePart, NVME_NAMESPACES + 1);
    request->pending = 1;
    for (uint32_t id = 1; id <= NVME_NAMESPACES; id++) {
        if (nvme->namespaces[id] && (only == ALL_NAMESPACES || only == id)) {
            NvmePart *part = &request->parts[id];
            BlockBackend *drive = nvme->namespaces[id]->conf.drive;
            BlockIo io = { .op = op, .flags = op == BLOCK_ZERO ? BLOCK_MAY_UNMAP : 0,
                           .bytes = op == BLOCK_ZERO ? block_backend_bytes(drive) : 0 };

            request->pending++;
            *part = (NvmePart){ request, { .io = io, .done = part_done } };
            block_backend_submit(drive, &part->block);
        }
    }
    part_ended(request);
    return NVME_LATER;
}

static uint16_t flush(NvmeRequest *request)
{
    return each_namespace(request, nvme_dword(request, 1), BLOCK_FLUSH);
}

static bool is_writable(const Nvme *nvme, uint32_t only)
{
    for (uint32_t id = 1; id <= NVME_NAMESPACES; id++) {
        if (nvme->namespaces[id] && (only == ALL_NAMESPACES || only == id) &&
            block_backend_is_read_only(nvme->namespaces[id]->conf.drive)) {
            return false;
        }
    }
    return true;
}

/* There is one format, without metadata; all blocks become zeroes, which erases them too. */
uint16_t nvme_format(NvmeRequest *request)
{
    uint32_t id = nvme_dword(request, 1), how = nvme_dword(request, 10);

    if (id != ALL_NAMESPACES &&
        (!id || id > NVME_NAMESPACES || !request->nvme->namespaces[id])) {
        return NVME_INVALID_NAMESPACE | NVME_DO_NOT_RETRY;
    }
    if (how & 0xf || how >> 5 & 7) {
        return NVME_INVALID_FORMAT | NVME_DO_NOT_RETRY;
    }
    if ((how >> 9 & 7) > 1) { /* not by cryptography */
        return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
    }
    return is_writable(request->nvme, id) ? each_namespace(request, id, BLOCK_ZERO) :
                                            NVME_READ_ONLY | NVME_DO_NOT_RETRY;
}

/* --- which there are --- */

static const struct {
    uint8_t op;
    uint32_t effects;
    uint16_t (*run)(NvmeRequest *request);
} commands[] = {
    { FLUSH, NVME_SUPPORTED | NVME_CHANGES_BLOCKS, flush },
    { WRITE, NVME_SUPPORTED | NVME_CHANGES_BLOCKS, transfer },
    { 0x02, NVME_SUPPORTED, transfer },
    { 0x05, NVME_SUPPORTED, nvme_compare },
    { 0x08, NVME_SUPPORTED | NVME_CHANGES_BLOCKS, write_zeroes },
    { 0x09, NVME_SUPPORTED | NVME_CHANGES_BLOCKS, manage_dataset },
    { 0x0c, NVME_SUPPORTED, nvme_verify },
    { 0x19, NVME_SUPPORTED | NVME_CHANGES_BLOCKS, nvme_copy },
};

uint32_t nvme_io_effects(uint8_t op)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].op == op) {
            return commands[i].effects;
        }
    }
    return 0;
}

uint16_t nvme_io(NvmeRequest *request)
{
    uint32_t id = nvme_dword(request, 1);

    request->ns = id && id <= NVME_NAMESPACES ? request->nvme->namespaces[id] : NULL;
    if (!request->ns && !(request->command[0] == FLUSH && id == ALL_NAMESPACES)) {
        return NVME_INVALID_NAMESPACE | NVME_DO_NOT_RETRY;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].op == request->command[0]) {
            return commands[i].run(request);
        }
    }
    return NVME_INVALID_OPCODE | NVME_DO_NOT_RETRY;
}
