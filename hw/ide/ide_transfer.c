/*
 * How a drive moves data: a small machine of phases, driven by the medium (which answers when it
 * can) and by the host (which reads the data port, or runs its DMA engine). ATA/ATAPI-7 volume 2,
 * chapter 9: PIO data-in, PIO data-out, DMA.
 *
 * Requests are answered before a state is saved: a stream has no phase that waits for a medium.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ide_drive.h"

static void request_done(DiskRequest *request, int error)
{
    IdeDrive *drive = container_of(request, IdeDrive, request);

    drive->is_waiting = false;
    drive->io_error = error;
    if (!drive->is_pulled) {
        ide_run(drive);
    }
}

static void submit(IdeDrive *drive, DiskOp op, uint32_t sectors)
{
    drive->request = (DiskRequest){
        .op = op, .sector = drive->sector, .sectors = sectors, .buf = drive->buffer,
        .done = request_done,
    };
    drive->is_waiting = true;
    drive->status = IDE_ST_BSY | IDE_ST_DRDY;
    if (drive->medium) {
        drive->medium->ops->submit(drive->medium, &drive->request);
    } else {
        request_done(&drive->request, ENOMEDIUM);
    }
}

static uint32_t chunk(const IdeDrive *drive)
{
    return MIN(drive->block, drive->left);
}

static void end_command(IdeDrive *drive)
{
    drive->phase = IDE_IDLE;
    drive->is_dma = false;
}

static void tell_ended(IdeDrive *drive)
{
    if (drive->bus->transport->ended) {
        drive->bus->transport->ended(drive->bus->opaque);
    }
}

void ide_finish(IdeDrive *drive)
{
    end_command(drive);
    drive->status = IDE_ST_DRDY | IDE_ST_DSC;
    drive->error = 0;
    ide_drive_interrupt(drive);
    tell_ended(drive);
}

void ide_fail(IdeDrive *drive, uint8_t error)
{
    end_command(drive);
    drive->status = IDE_ST_DRDY | IDE_ST_DSC | IDE_ST_ERR;
    drive->error = error;
    ide_drive_interrupt(drive);
    tell_ended(drive);
}

/* PIO data-in ends with its last word, without an interrupt. */
static void finish_in(IdeDrive *drive)
{
    if (drive->command == 0xa0) {
        atapi_finish(drive);
    } else if (drive->is_dma || ide_drive_is_verifying(drive)) {
        ide_finish(drive);
    } else {
        drive->phase = IDE_IDLE;
        drive->status = IDE_ST_DRDY | IDE_ST_DSC;
        tell_ended(drive);
    }
}

/* A block of PIO begins: the host is told. */
static void offer_block(IdeDrive *drive, bool to_host, bool is_quiet)
{
    const IdeTransport *transport = drive->bus->transport;

    drive->stop = drive->end;
    if (drive->command == 0xa0) {
        drive->stop = MIN(drive->end, drive->pos + drive->limit);
        atapi_begin_block(drive, to_host);
    }
    drive->status = IDE_ST_DRDY | IDE_ST_DSC | IDE_ST_DRQ;
    if (!is_quiet) {
        ide_drive_interrupt(drive);
    }
    if (transport->pio_ready) {
        transport->pio_ready(drive->bus->opaque, to_host);
    }
}

static void begin_data(IdeDrive *drive, IdePhase phase, uint32_t bytes, bool is_quiet)
{
    drive->phase = phase;
    drive->pos = 0;
    drive->end = drive->stop = bytes;
    if (drive->is_dma) {
        drive->status = IDE_ST_DRDY | IDE_ST_DSC | IDE_ST_DRQ;
    } else {
        offer_block(drive, phase == IDE_IN, is_quiet);
    }
}

static bool step_data(IdeDrive *drive)
{
    const IdeTransport *transport = drive->bus->transport;
    bool to_host = drive->phase == IDE_IN;
    size_t moved;

    if (drive->pos == drive->end) {
        return true;
    }
    if (!drive->is_dma) {
        if (drive->pos == drive->stop) {
            offer_block(drive, to_host, false);
        }
        return drive->pos == drive->stop; /* a transport may have moved it already */
    }
    moved = transport->dma ? transport->dma(drive->bus->opaque, drive->buffer + drive->pos,
                                            drive->end - drive->pos, to_host) : 0;
    drive->pos += moved;
    if (!moved && transport->dma_stalled) {
        transport->dma_stalled(drive->bus->opaque);
    }
    return moved;
}

/* The buffer was used up. */
static bool next_in(IdeDrive *drive)
{
    if (drive->left) {
        uint32_t sectors = chunk(drive);

        drive->sector += sectors;
        drive->left -= sectors;
    }
    if (drive->left) {
        drive->phase = IDE_LOAD;
        return true;
    }
    finish_in(drive);
    return false;
}

static bool step_in(IdeDrive *drive)
{
    return step_data(drive) && (drive->pos < drive->end || next_in(drive));
}

static bool step_loaded(IdeDrive *drive)
{
    if (ide_drive_is_verifying(drive)) {
        return next_in(drive);
    }
    begin_data(drive, IDE_IN, chunk(drive) * DISK_SECTOR_BYTES, false);
    return true;
}

static bool step_out(IdeDrive *drive)
{
    bool goes_on = step_data(drive);

    if (drive->pos == drive->end) {
        drive->phase = IDE_STORE;
    }
    return goes_on;
}

static bool step_store(IdeDrive *drive)
{
    if (!drive->left) {
        ide_drive_take_buffer(drive);
        return drive->phase == IDE_SYNC;
    }
    drive->phase = IDE_STORED;
    submit(drive, DISK_OP_WRITE, chunk(drive));
    return true;
}

/* The medium refused: the first sector that was not done goes to the task file. */
static bool fail_io(IdeDrive *drive)
{
    if (drive->command == 0xa0) {
        atapi_fail_io(drive);
        return false;
    }
    if (drive->device & IDE_DEV_LBA) {
        drive->lba_low[0] = drive->sector;
        drive->lba_mid[0] = drive->sector >> 8;
        drive->lba_high[0] = drive->sector >> 16;
        drive->lba_low[1] = drive->sector >> 24;
        drive->lba_mid[1] = drive->sector >> 32;
        drive->lba_high[1] = drive->sector >> 40;
    }
    ide_fail(drive, drive->request.op == DISK_OP_READ ? IDE_ER_UNC : IDE_ER_ABRT);
    return false;
}

static bool step_stored(IdeDrive *drive)
{
    uint32_t sectors = chunk(drive);

    drive->sector += sectors;
    drive->left -= sectors;
    if (!drive->left) {
        ide_finish(drive);
        return false;
    }
    begin_data(drive, IDE_OUT, chunk(drive) * DISK_SECTOR_BYTES, false);
    return true;
}

static bool step_sync(IdeDrive *drive)
{
    if (ide_drive_discard_next(drive)) {
        return true;
    }
    ide_finish(drive);
    return false;
}

/* One step; false: somebody else is next, or nothing is left to do. */
static bool step(IdeDrive *drive)
{
    switch ((IdePhase)drive->phase) {
    case IDE_LOAD:
        drive->phase = IDE_LOADED;
        submit(drive, DISK_OP_READ, chunk(drive));
        return true;
    case IDE_LOADED:
        return !drive->io_error ? step_loaded(drive) : fail_io(drive);
    case IDE_STORED:
        return !drive->io_error ? step_stored(drive) : fail_io(drive);
    case IDE_SYNC:
        return !drive->io_error ? step_sync(drive) : fail_io(drive);
    case IDE_IN:
        return step_in(drive);
    case IDE_OUT:
        return step_out(drive);
    case IDE_STORE:
        return step_store(drive);
    case IDE_IDLE:
    case IDE_PACKET:
    case IDE_PHASES:
        break;
    }
    return false;
}

/* A loop, not recursion: a medium may answer at once, thousands of times. */
void ide_run(IdeDrive *drive)
{
    if (drive->is_pulled) {
        return;
    }
    drive->is_pulled = true;
    while (!drive->is_waiting && step(drive)) {
        /* on */
    }
    drive->is_pulled = false;
}

static void start(IdeDrive *drive, uint64_t sector, uint32_t sectors, uint32_t block, bool is_dma)
{
    drive->sector = sector;
    drive->left = sectors;
    drive->block = MIN(block, IDE_BUFFER_SECTORS);
    drive->is_dma = is_dma;
    drive->error = 0;
}

void ide_start_read(IdeDrive *drive, uint64_t sector, uint32_t sectors, uint32_t block,
                    bool is_dma)
{
    start(drive, sector, sectors, block, is_dma);
    drive->phase = IDE_LOAD;
    ide_run(drive);
}

void ide_start_write(IdeDrive *drive, uint64_t sector, uint32_t sectors, uint32_t block,
                     bool is_dma)
{
    start(drive, sector, sectors, block, is_dma);
    begin_data(drive, IDE_OUT, chunk(drive) * DISK_SECTOR_BYTES, true);
    ide_run(drive);
}

void ide_start_sync(IdeDrive *drive, DiskOp op)
{
    drive->phase = IDE_SYNC;
    submit(drive, op, drive->left);
    ide_run(drive);
}

void ide_send_buffer(IdeDrive *drive, uint32_t bytes, bool is_dma)
{
    start(drive, 0, 0, 0, is_dma);
    begin_data(drive, IDE_IN, bytes, false);
    ide_run(drive);
}

void ide_receive_buffer(IdeDrive *drive, uint32_t bytes, bool is_dma)
{
    start(drive, 0, 0, 0, is_dma);
    begin_data(drive, IDE_OUT, bytes, drive->command != 0xa0);
    ide_run(drive);
}

/* Nothing is said to the guest: it asked for it, or resets the drive. */
void ide_cancel(IdeDrive *drive)
{
    if (drive->is_waiting && drive->medium) {
        drive->medium->ops->cancel(drive->medium);
    }
    drive->is_waiting = false;
    drive->io_error = 0;
    drive->phase = IDE_IDLE;
    drive->is_dma = false;
    drive->left = drive->pos = drive->end = drive->stop = 0;
}
