/*
 * Commands of a direct-access unit (SBC-3, SPC-4). Data goes between guest memory and the back end
 * in place. Left out: reservations, protection information, COMPARE AND WRITE, FORMAT UNIT, defect
 * lists, GET LBA STATUS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "scsi_disk.h"

#include "util/byte_order.h"

#define RANGE_BYTES      16
#define RANGE_MAX        255
#define SAME_RUN_BYTES   (512 * KiB)

enum {
    TEST_UNIT_READY = 0x00, READ_6 = 0x08, WRITE_6 = 0x0a, SEEK_6 = 0x0b, MODE_SELECT_6 = 0x15,
    RESERVE_6 = 0x16, RELEASE_6 = 0x17, MODE_SENSE_6 = 0x1a, START_STOP = 0x1b,
    SEND_DIAGNOSTIC = 0x1d, PREVENT_REMOVAL = 0x1e, READ_CAPACITY_10 = 0x25, READ_10 = 0x28,
    WRITE_10 = 0x2a, SEEK_10 = 0x2b, WRITE_VERIFY_10 = 0x2e, VERIFY_10 = 0x2f,
    SYNCHRONIZE_CACHE_10 = 0x35, WRITE_SAME_10 = 0x41, UNMAP = 0x42, MODE_SELECT_10 = 0x55,
    MODE_SENSE_10 = 0x5a, READ_16 = 0x88, WRITE_16 = 0x8a, WRITE_VERIFY_16 = 0x8e,
    VERIFY_16 = 0x8f, SYNCHRONIZE_CACHE_16 = 0x91, WRITE_SAME_16 = 0x93, SERVICE_ACTION_IN = 0x9e,
    READ_12 = 0xa8, WRITE_12 = 0xaa, VERIFY_12 = 0xaf, INQUIRY = 0x12,
};
#define READ_CAPACITY_16 0x10 /* a service action */

static ScsiDisk *disk_of(const ScsiRequest *request)
{
    return SCSI_DISK(request->dev);
}

void scsi_disk_set_write_cache(ScsiDisk *disk, bool is_on)
{
    disk->has_write_cache = is_on;
    block_backend_set_write_cache(disk->conf.drive, is_on);
}

/* --- with the drive --- */

static void clear(ScsiRequest *request)
{
    g_clear_pointer(&request->run, g_free);
    g_clear_pointer(&request->ranges, g_free);
}

static void end(ScsiRequest *request)
{
    clear(request);
    scsi_end(request);
}

static void fail(ScsiRequest *request, ScsiSense sense)
{
    clear(request);
    scsi_fail(request, sense);
}

static void fail_error(ScsiRequest *request, int error)
{
    request->is_given_up = error == -ECANCELED;
    request->moved = 0;
    fail(request, error == -ECANCELED ? SCSI_ABORTED :
                  error == -ENOSPC ? SCSI_SENSE(7, 0x27, 7) :
                  request->block.io.op == BLOCK_READ ? SCSI_MEDIUM_ERROR : SCSI_WRITE_ERROR);
}

static void prepare(ScsiRequest *request, const BlockIo *io,
                    void (*done)(BlockRequest *block, int error))
{
    disk_of(request)->in_flight++;
    request->block = (BlockRequest){ .io = *io, .done = done };
}

static void submit(ScsiRequest *request, const BlockIo *io,
                   void (*done)(BlockRequest *block, int error))
{
    ScsiDisk *disk = disk_of(request);

    prepare(request, io, done);
    device_worker_submit(scsi_disk_worker(disk), disk->conf.drive, &request->block);
}

static ScsiRequest *finished(BlockRequest *block)
{
    ScsiRequest *request = container_of(block, ScsiRequest, block);

    disk_of(request)->in_flight--;
    return request;
}

static void ended(BlockRequest *block, int error)
{
    ScsiRequest *request = finished(block);

    if (request->is_mapped && dma_unmap(&request->map, !error) != MEM_TX_OK) {
        error = -EFAULT;
    }
    request->is_mapped = false;
    if (error) {
        fail_error(request, error);
    } else {
        end(request);
    }
}

/* --- addresses --- */

static bool check_range(ScsiRequest *request, ScsiRange range)
{
    uint64_t all = scsi_disk_blocks(disk_of(request));

    if (range.block <= all && range.blocks <= all - range.block) {
        return true;
    }
    fail(request, SCSI_LBA_OUT_OF_RANGE);
    return false;
}

static bool check_writable(ScsiRequest *request)
{
    if (!block_backend_is_read_only(disk_of(request)->conf.drive)) {
        return true;
    }
    fail(request, SCSI_WRITE_PROTECTED);
    return false;
}

static BlockIo io_of(const ScsiRequest *request, BlockOp op, ScsiRange range)
{
    uint64_t bytes = disk_of(request)->conf.logical_bytes;

    return (BlockIo){ .op = op, .offset = range.block * bytes, .bytes = range.blocks * bytes };
}

/* --- reading and writing --- */

void scsi_disk_move(ScsiRequest *request, BlockIo io, uint64_t block_bytes)
{
    bool is_write = io.op == BLOCK_WRITE;
    const DmaList *list = is_write ? request->out : request->in;
    DmaSpan span = is_write ? request->out_span : request->in_span;
    BlockBatch *batch = SCSI_BUS(request->dev->parent.bus)->batch;

    request->wanted = io.bytes;
    io.bytes = MIN(io.bytes, span.bytes - span.bytes % block_bytes);
    span.bytes = io.bytes;
    if (!io.bytes) {
        end(request);
        return;
    }
    if (!dma_map(&request->map, list, span, !is_write)) {
        fail(request, SCSI_SENSE(0xb, 0x4b, 0)); /* data phase error */
        return;
    }
    request->is_mapped = true;
    request->moved = io.bytes;
    io.iov = request->map.iov;
    io.iov_count = request->map.count;
    if (io.flags || !batch) {
        submit(request, &io, ended);
    } else {
        prepare(request, &io, ended);
        block_batch_add(batch, disk_of(request)->conf.drive, &request->block);
    }
}

static void transfer(ScsiRequest *request, bool is_write)
{
    ScsiDisk *disk = disk_of(request);
    ScsiRange range = scsi_cdb_range(request->cdb);
    BlockIo io = io_of(request, is_write ? BLOCK_WRITE : BLOCK_READ, range);

    if (request->cdb[0] >> 5 && request->cdb[1] & 0xe0) { /* protection information */
        fail(request, SCSI_INVALID_FIELD);
        return;
    }
    io.flags = is_write && request->cdb[0] >> 5 && request->cdb[1] & 8 ? BLOCK_FUA : 0;
    if (check_range(request, range) && (!is_write || check_writable(request))) {
        scsi_disk_move(request, io, disk->conf.logical_bytes);
    }
}

static void do_read(ScsiDisk *disk, ScsiRequest *request)
{
    transfer(request, false);
}

static void do_write(ScsiDisk *disk, ScsiRequest *request)
{
    transfer(request, true);
}

/* Without data to compare with: the medium is there. */
static void do_verify(ScsiDisk *disk, ScsiRequest *request)
{
    if (request->cdb[1] & 6) {
        fail(request, SCSI_INVALID_FIELD);
    } else if (check_range(request, scsi_cdb_range(request->cdb))) {
        end(request);
    }
}

static void do_seek(ScsiDisk *disk, ScsiRequest *request)
{
    uint64_t block = request->cdb[0] == SEEK_6 ? load_be32(request->cdb) & 0x1fffff :
                                                 load_be32(request->cdb + 2);

    if (check_range(request, (ScsiRange){ block, 1 })) {
        end(request);
    }
}

static void do_synchronize(ScsiDisk *disk, ScsiRequest *request)
{
    BlockIo io = { .op = BLOCK_FLUSH };

    if (check_range(request, scsi_cdb_range(request->cdb))) {
        submit(request, &io, ended);
    }
}

/* --- several requests, one after the other --- */

static void step_ended(BlockRequest *block, int error);

/* A loop, not recursion: a back end may answer at once, thousands of times. */
static void go_on(ScsiRequest *request)
{
    BlockIo io;

    do {
        if (request->error) {
            fail_error(request, request->error);
            return;
        }
        if (!request->next(request, &io)) {
            end(request);
            return;
        }
        request->is_waiting = request->is_looping = true;
        submit(request, &io, step_ended);
        request->is_looping = false;
    } while (!request->is_waiting);
}

static void step_ended(BlockRequest *block, int error)
{
    ScsiRequest *request = finished(block);

    request->is_waiting = false;
    request->error = error;
    if (!request->is_looping) {
        go_on(request);
    }
}

/* --- ranges --- */

/* UNMAP's descriptors. */
static bool next_range(ScsiRequest *request, BlockIo *io)
{
    while (request->left >= RANGE_BYTES) {
        const uint8_t *entry = request->ranges + request->at;
        ScsiRange range = { load_be64(entry), load_be32(entry + 8) };

        *io = io_of(request, BLOCK_DISCARD, range);
        request->at += RANGE_BYTES;
        request->left -= RANGE_BYTES;
        if (range.blocks) {
            return true;
        }
    }
    return false;
}

static bool check_ranges(ScsiRequest *request)
{
    for (uint64_t at = 8; at + RANGE_BYTES <= 8 + request->left; at += RANGE_BYTES) {
        ScsiRange range = { load_be64(request->ranges + at), load_be32(request->ranges + at + 8) };

        if (!check_range(request, range)) {
            return false;
        }
    }
    return true;
}

static void do_unmap(ScsiDisk *disk, ScsiRequest *request)
{
    uint64_t length = load_be16(request->cdb + 7);
    DmaSpan span = { request->out_span.offset, MIN(length, request->out_span.bytes) };
    size_t got = 0;

    if (request->cdb[1] & 1) { /* anchored */
        fail(request, SCSI_INVALID_FIELD);
        return;
    }
    if (!check_writable(request)) {
        return;
    }
    request->wanted = length;
    if (!length) {
        end(request);
        return;
    }
    request->ranges = g_malloc0(8 + RANGE_MAX * RANGE_BYTES);
    span.bytes = MIN(span.bytes, 8 + RANGE_MAX * RANGE_BYTES);
    dma_list_read(request->out, span, request->ranges, &got);
    request->moved = got;
    request->at = 8;
    request->left = got > 8 ? MIN(got - 8, load_be16(request->ranges + 2)) : 0;
    if (got < 8 || load_be16(request->ranges) != load_be16(request->ranges + 2) + 6u ||
        load_be16(request->ranges + 2) > RANGE_MAX * RANGE_BYTES) {
        fail(request, SCSI_INVALID_PARAMETER);
    } else if (check_ranges(request)) {
        request->next = next_range;
        go_on(request);
    }
}

/* --- the same block again and again --- */

static bool next_run(ScsiRequest *request, BlockIo *io)
{
    uint64_t bytes = MIN(request->left, request->iov.iov_len);

    request->iov.iov_len = bytes;
    *io = (BlockIo){ .op = BLOCK_WRITE, .offset = request->at, .bytes = bytes,
                     .iov = &request->iov, .iov_count = 1 };
    request->at += bytes;
    request->left -= bytes;
    return bytes;
}

static void start_runs(ScsiRequest *request, ScsiRange range, const uint8_t *block)
{
    uint64_t bytes = disk_of(request)->conf.logical_bytes;
    uint64_t run = MIN(range.blocks * bytes, MAX(SAME_RUN_BYTES, bytes));

    request->run = g_malloc(run);
    for (uint64_t at = 0; at < run; at += bytes) {
        memcpy(request->run + at, block, bytes);
    }
    request->iov = (struct iovec){ request->run, run };
    request->at = range.block * bytes;
    request->left = range.blocks * bytes;
    request->next = next_run;
    go_on(request);
}

static bool is_zero(const uint8_t *data, uint64_t bytes)
{
    return !data[0] && !memcmp(data, data + 1, bytes - 1);
}

static void do_write_same(ScsiDisk *disk, ScsiRequest *request)
{
    bool has_no_data = request->cdb[0] == WRITE_SAME_16 && request->cdb[1] & 1;
    bool unmaps = request->cdb[1] & 8;
    ScsiRange range = scsi_cdb_range(request->cdb);
    uint64_t bytes = disk->conf.logical_bytes;
    g_autofree uint8_t *block = g_malloc0(bytes);
    DmaSpan span = { request->out_span.offset, bytes };
    BlockIo io = io_of(request, BLOCK_ZERO, range);

    if (!range.blocks || request->cdb[1] & 0x16) { /* anchored, physical or logical numbers */
        fail(request, SCSI_INVALID_FIELD);
        return;
    }
    if (!check_writable(request) || !check_range(request, range)) {
        return;
    }
    if (!has_no_data) {
        request->wanted = bytes;
        if (request->out_span.bytes < bytes) {
            fail(request, SCSI_INVALID_FIELD);
            return;
        }
        dma_list_read(request->out, span, block, NULL);
        request->moved = bytes;
    }
    if (is_zero(block, bytes)) {
        io.flags = unmaps ? BLOCK_MAY_UNMAP : 0;
        submit(request, &io, ended);
    } else {
        start_runs(request, range, block);
    }
}

/* --- capacity and the rest --- */

static void do_read_capacity_10(ScsiDisk *disk, ScsiRequest *request)
{
    uint64_t blocks = scsi_disk_blocks(disk);
    uint8_t data[8];

    store_be32(data, MIN(blocks - 1, UINT32_MAX));
    store_be32(data + 4, disk->conf.logical_bytes);
    scsi_reply(request, data, sizeof(data), sizeof(data));
}

static void do_service_action_in(ScsiDisk *disk, ScsiRequest *request)
{
    uint8_t data[32] = { 0 };

    if ((request->cdb[1] & 0x1f) != READ_CAPACITY_16) {
        fail(request, SCSI_INVALID_FIELD);
        return;
    }
    store_be64(data, scsi_disk_blocks(disk) - 1);
    store_be32(data + 8, disk->conf.logical_bytes);
    data[13] = __builtin_ctzll(disk->conf.physical_bytes / disk->conf.logical_bytes);
    data[14] = 0x80; /* thin: UNMAP is there */
    scsi_reply(request, data, sizeof(data), load_be32(request->cdb + 10));
}

static void do_mode_select(ScsiDisk *disk, ScsiRequest *request)
{
    scsi_disk_mode_select(disk, request, scsi_disk_select_page);
}

static void do_nothing(ScsiDisk *disk, ScsiRequest *request)
{
    end(request);
}

static const struct {
    uint8_t op;
    void (*run)(ScsiDisk *disk, ScsiRequest *request);
} commands[] = {
    { TEST_UNIT_READY, do_nothing }, { INQUIRY, scsi_disk_inquiry },
    { READ_6, do_read }, { READ_10, do_read }, { READ_12, do_read }, { READ_16, do_read },
    { WRITE_6, do_write }, { WRITE_10, do_write }, { WRITE_12, do_write }, { WRITE_16, do_write },
    { WRITE_VERIFY_10, do_write }, { WRITE_VERIFY_16, do_write },
    { VERIFY_10, do_verify }, { VERIFY_12, do_verify }, { VERIFY_16, do_verify },
    { SEEK_6, do_seek }, { SEEK_10, do_seek },
    { SYNCHRONIZE_CACHE_10, do_synchronize }, { SYNCHRONIZE_CACHE_16, do_synchronize },
    { UNMAP, do_unmap }, { WRITE_SAME_10, do_write_same }, { WRITE_SAME_16, do_write_same },
    { READ_CAPACITY_10, do_read_capacity_10 }, { SERVICE_ACTION_IN, do_service_action_in },
    { MODE_SENSE_6, scsi_disk_mode_sense }, { MODE_SENSE_10, scsi_disk_mode_sense },
    { MODE_SELECT_6, do_mode_select }, { MODE_SELECT_10, do_mode_select },
    /* One initiator, a motor that always runs, nothing to lock or to test. */
    { RESERVE_6, do_nothing }, { RELEASE_6, do_nothing }, { START_STOP, do_nothing },
    { PREVENT_REMOVAL, do_nothing }, { SEND_DIAGNOSTIC, do_nothing },
};

void scsi_disk_start(ScsiDevice *dev, ScsiRequest *request)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].op == request->cdb[0]) {
            commands[i].run(SCSI_DISK(dev), request);
            return;
        }
    }
    fail(request, SCSI_INVALID_COMMAND);
}
