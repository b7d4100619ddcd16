/*
 * Data of floppy commands: sector by sector between the disk and DMA, or the data register. A
 * transfer is as long as its parameters say at the start, or until the DMA controller counts out;
 * it goes on over heads and, as multi-track commands, to the next cylinder.
 *
 * Requests are answered before a state is saved.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fdc_state.h"

enum { OP_READ_TRACK = 0x02, OP_WRITE = 0x05, OP_READ = 0x06, OP_WRITE_DELETED = 0x09,
       OP_READ_DELETED = 0x0c, OP_FORMAT = 0x0d, OP_SCAN_EQUAL = 0x11, OP_VERIFY = 0x16,
       OP_SCAN_LOW = 0x19, OP_SCAN_HIGH = 0x1d, OP_MASK = 0x1f };
enum { ABNORMAL = 0x40, SEEK_DONE = 0x20, HEAD = 0x04, MISSING_MARK = 0x01, NOT_WRITABLE = 0x02, NO_DATA = 0x04,
       DATA_ERROR = 0x20, WRONG_CYLINDER = 0x10, SCAN_HIT = 0x08, SCAN_MISS = 0x04 };
#define DOR_DMA      0x08
#define CONFIG_IMPLIED_SEEK 0x40
#define MULTI_TRACK  0x80
#define SIZE_512     2
#define FORMAT_ENTRY 4

static unsigned op(const Fdc *fdc)
{
    return fdc->fifo[0] & OP_MASK;
}

static bool is_write(const Fdc *fdc)
{
    return op(fdc) == OP_WRITE || op(fdc) == OP_WRITE_DELETED;
}

static bool is_scan(const Fdc *fdc)
{
    return op(fdc) == OP_SCAN_EQUAL || op(fdc) == OP_SCAN_LOW || op(fdc) == OP_SCAN_HIGH;
}

static bool is_read(const Fdc *fdc)
{
    return op(fdc) == OP_READ || op(fdc) == OP_READ_DELETED || op(fdc) == OP_READ_TRACK;
}

static void set_dma(Fdc *fdc, bool is_up)
{
    IsaDma *dma = isa_dma_of(isa_device_bus(&fdc->parent), fdc->dma_channel);

    if (dma) {
        dma->request(dma, fdc->dma_channel, is_up);
    }
}

static void finish(Fdc *fdc, uint8_t status0, uint8_t status1, uint8_t status2)
{
    fdc->is_waiting = false;
    set_dma(fdc, false);
    fdc_finish(fdc, status0 | (fdc->status0 & (SEEK_DONE | HEAD)), status1, status2);
}

static void request_done(DiskRequest *request, int error);

static void submit(Fdc *fdc, DiskOp disk_op)
{
    const Floppy *floppy = fdc_floppy(fdc, fdc->current);
    const FdcGeometry *g;

    if (!floppy) {
        finish(fdc, ABNORMAL, MISSING_MARK, 0);
        return;
    }
    g = &floppy->geometry;
    if (!fdc->sector || fdc->sector > g->last_sector || fdc->head >= g->heads ||
        fdc->cylinder >= g->tracks) {
        finish(fdc, ABNORMAL, NO_DATA, 0);
        return;
    }
    fdc->is_waiting = true;
    fdc->status0 = (fdc->status0 & ~HEAD) | (fdc->head ? HEAD : 0); /* of the last that was moved */
    fdc->request = (DiskRequest){
        .op = disk_op, .sectors = 1, .buf = fdc->buffer, .done = request_done,
        .sector = ((uint64_t)fdc->cylinder * g->heads + fdc->head) * g->last_sector +
                  fdc->sector - 1,
    };
    floppy->medium->ops->submit(floppy->medium, &fdc->request);
    if (!fdc->is_dma && floppy->medium->ops->wait) {
        floppy->medium->ops->wait(floppy->medium); /* programs count on a byte each few microseconds */
    }
}

/* On to the next sector of the track, the other side, the next cylinder. */
static void advance(Fdc *fdc)
{
    const Floppy *floppy = fdc_floppy(fdc, fdc->current);
    unsigned last = floppy ? floppy->geometry.last_sector : fdc->sector;

    fdc->has_sector = false;
    if (fdc->sector < last && fdc->sector != fdc->fifo[6]) {
        fdc->sector++;
        return;
    }
    fdc->sector = 1;
    if (fdc->fifo[0] & MULTI_TRACK && !fdc->head) {
        fdc->head = 1;
        return;
    }
    if (fdc->fifo[0] & MULTI_TRACK) {
        fdc->head = 0;
    }
    fdc->cylinder++;
    if (fdc->done < fdc->total) {
        fdc->drives[fdc->current].track = MIN(fdc->cylinder, 84);
        fdc->status0 |= SEEK_DONE;
    }
}

static bool is_at_sector_end(const Fdc *fdc)
{
    return fdc->done && fdc->done % DISK_SECTOR_BYTES == 0;
}

static void after_request(Fdc *fdc)
{
    if (op(fdc) == OP_VERIFY) {
        fdc->done += DISK_SECTOR_BYTES;
        advance(fdc);
    } else if (is_write(fdc)) {
        advance(fdc);
    } else if (op(fdc) != OP_FORMAT) {
        fdc->has_sector = true;
    }
    fdc_run(fdc);
    if (fdc->phase == FDC_DATA && fdc->is_dma && !fdc->is_waiting) {
        set_dma(fdc, true);
    }
}

static void request_done(DiskRequest *request, int error)
{
    Fdc *fdc = container_of(request, Fdc, request);

    if (!fdc->is_waiting) {
        return;
    }
    fdc->is_waiting = false;
    if (error) {
        finish(fdc, ABNORMAL, DATA_ERROR, DATA_ERROR);
    } else {
        after_request(fdc);
    }
}

/* Loads what the host will read, or ends. At most a disk's sectors, one after the other. */
void fdc_run(Fdc *fdc)
{
    if (fdc->phase != FDC_DATA || fdc->is_waiting) {
        return;
    }
    if (fdc->done >= fdc->total) {
        finish(fdc, 0, 0, is_scan(fdc) ? SCAN_MISS : 0);
    } else if (!fdc->has_sector && (is_read(fdc) || is_scan(fdc) || op(fdc) == OP_VERIFY)) {
        submit(fdc, DISK_OP_READ);
    }
}

/* --- the host's side --- */

/* Scans compare a sector with what the host sends; a host's 0xff matches anything. */
static void scan_byte(Fdc *fdc, uint8_t value)
{
    uint8_t disk = fdc->buffer[fdc->done % DISK_SECTOR_BYTES];

    fdc->done++;
    if (value != 0xff && disk != value) {
        fdc->is_scan_equal = false;
        if ((op(fdc) == OP_SCAN_LOW && disk < value) || (op(fdc) == OP_SCAN_HIGH && disk > value)) {
            finish(fdc, 0, 0, 0);
            return;
        }
    }
    if (is_at_sector_end(fdc)) {
        if (fdc->is_scan_equal) {
            finish(fdc, 0, 0, SCAN_HIT);
            return;
        }
        fdc->is_scan_equal = true;
        advance(fdc);
        fdc_run(fdc);
    }
}

/* Cylinder, head, sector and size of each sector; it is filled with the last parameter. */
static void format_byte(Fdc *fdc, uint8_t value)
{
    uint8_t *entry = fdc->fifo + 8;

    entry[fdc->done++ % FORMAT_ENTRY] = value;
    if (fdc->done % FORMAT_ENTRY == 0) {
        fdc->cylinder = entry[0];
        fdc->head = entry[1] & 1;
        fdc->sector = entry[2];
        memset(fdc->buffer, fdc->fifo[5], sizeof(fdc->buffer));
        submit(fdc, DISK_OP_WRITE);
    }
}

static void take_byte(Fdc *fdc, uint8_t value)
{
    if (is_scan(fdc)) {
        scan_byte(fdc, value);
    } else if (op(fdc) == OP_FORMAT) {
        format_byte(fdc, value);
    } else {
        fdc->buffer[fdc->done++ % DISK_SECTOR_BYTES] = value;
        if (is_at_sector_end(fdc)) {
            submit(fdc, DISK_OP_WRITE);
        }
    }
}

static uint8_t give_byte(Fdc *fdc)
{
    uint8_t value = fdc->buffer[fdc->done++ % DISK_SECTOR_BYTES];

    if (is_at_sector_end(fdc)) {
        advance(fdc);
        fdc_run(fdc);
    }
    return value;
}

static bool takes_bytes(const Fdc *fdc)
{
    return fdc->phase == FDC_DATA && !fdc->is_waiting && fdc->done < fdc->total;
}

uint8_t fdc_pio_read(Fdc *fdc)
{
    if (!takes_bytes(fdc) || fdc->is_dma || !is_read(fdc) || !fdc->has_sector) {
        return 0;
    }
    return give_byte(fdc);
}

void fdc_pio_write(Fdc *fdc, uint8_t value)
{
    if (takes_bytes(fdc) && !fdc->is_dma && !is_read(fdc)) {
        take_byte(fdc, value);
    }
}

static void drop_request(Fdc *fdc)
{
    const Floppy *floppy = fdc_floppy(fdc, fdc->current);

    if (fdc->is_waiting && floppy) {
        floppy->medium->ops->cancel(floppy->medium);
    }
    fdc->is_waiting = false;
}

/* The DMA controller has counted out: what was begun of a sector is written with zeros behind. */
static void end_count(Fdc *fdc)
{
    uint32_t rest = fdc->done % DISK_SECTOR_BYTES;

    if (is_write(fdc) && rest && !fdc->is_waiting) {
        memset(fdc->buffer + rest, 0, DISK_SECTOR_BYTES - rest);
        fdc->done += DISK_SECTOR_BYTES - rest;
        fdc->total = fdc->done;
        submit(fdc, DISK_OP_WRITE);
        return;
    }
    if (is_read(fdc)) {
        drop_request(fdc); /* a sector that nobody wants any more */
    }
    fdc->total = fdc->done;
    fdc_run(fdc);
}

/* As much as there is; the controller's count may end the transfer in the middle of a sector. */
size_t fdc_dma(void *opaque, unsigned channel, size_t done, size_t bytes)
{
    Fdc *fdc = opaque;
    IsaDma *dma = isa_dma_of(isa_device_bus(&fdc->parent), channel);
    bool is_verify = dma->direction(dma, channel) == ISA_DMA_VERIFY;
    uint8_t value;

    while (done < bytes && takes_bytes(fdc) && (fdc->has_sector || !is_read(fdc))) {
        if (is_read(fdc)) {
            value = give_byte(fdc);
            if (!is_verify) {
                dma->write(dma, channel, done, &value, 1);
            }
        } else {
            dma->read(dma, channel, done, &value, 1);
            take_byte(fdc, value);
        }
        done++;
    }
    if (done == bytes && fdc->phase == FDC_DATA) {
        end_count(fdc);
    }
    if (fdc->is_waiting) {
        set_dma(fdc, false);
    }
    return done;
}

/* --- starting --- */

static bool check(Fdc *fdc)
{
    const Floppy *floppy = fdc_floppy(fdc, fdc->current);

    if (!floppy) {
        finish(fdc, ABNORMAL, MISSING_MARK, 0);
    } else if ((is_write(fdc) || op(fdc) == OP_FORMAT) && floppy->medium->is_read_only) {
        finish(fdc, ABNORMAL, NOT_WRITABLE, 0);
    } else if (fdc->size_code != SIZE_512) {
        finish(fdc, ABNORMAL, NO_DATA, 0);
    } else {
        return true;
    }
    return false;
}

static void begin(Fdc *fdc)
{
    IsaDma *dma = isa_dma_of(isa_device_bus(&fdc->parent), fdc->dma_channel);

    fdc->done = 0;
    fdc->has_sector = false;
    fdc->is_scan_equal = true;
    fdc->is_dma = fdc->dor & DOR_DMA && dma && op(fdc) != OP_VERIFY;
    if (!fdc->is_dma) {
        fdc_set_irq(fdc, true);
    }
    fdc_run(fdc);
    if (fdc->phase == FDC_DATA && fdc->is_dma && !fdc->is_waiting) {
        set_dma(fdc, true);
    }
}

/* The head steps whether a disk is in or not. False: it stays where it is, which is elsewhere. */
static bool implied_seek(Fdc *fdc)
{
    FdcDrive *drive = &fdc->drives[fdc->current];

    if (drive->track == fdc->cylinder) {
        return true;
    }
    if (!(fdc->config & CONFIG_IMPLIED_SEEK)) {
        return false;
    }
    drive->has_changed &= !fdc_floppy(fdc, fdc->current);
    drive->track = MIN(fdc->cylinder, FDC_MAX_TRACK);
    return true;
}

void fdc_start_transfer(Fdc *fdc)
{
    const uint8_t *p = fdc->fifo;
    bool is_there;

    fdc->total = 0;
    fdc->current = p[1] & 3;
    fdc->cylinder = p[2];
    fdc->head = p[3] & 1;
    fdc->status0 = fdc->head ? HEAD : 0;
    fdc->sector = op(fdc) == OP_READ_TRACK ? 1 : p[4];
    fdc->size_code = p[5];
    is_there = implied_seek(fdc);
    if (!check(fdc)) {
        return;
    }
    if (!is_there) {
        finish(fdc, ABNORMAL, NO_DATA, WRONG_CYLINDER);
        return;
    }
    fdc->total = p[6] >= fdc->sector ? (p[6] - fdc->sector + 1) * DISK_SECTOR_BYTES :
                                       DISK_SECTOR_BYTES;
    if (p[0] & MULTI_TRACK && !fdc->head) {
        fdc->total += p[6] * DISK_SECTOR_BYTES;
    }
    begin(fdc);
}

void fdc_start_format(Fdc *fdc)
{
    const uint8_t *p = fdc->fifo;

    fdc->current = p[1] & 3;
    fdc->head = p[1] >> 2 & 1;
    fdc->status0 = fdc->head ? HEAD : 0;
    fdc->cylinder = fdc->drives[fdc->current].track;
    fdc->sector = 1;
    fdc->size_code = p[2];
    fdc->total = p[3] * FORMAT_ENTRY;
    if (check(fdc)) {
        begin(fdc);
    }
}

void fdc_cancel(Fdc *fdc)
{
    drop_request(fdc);
    set_dma(fdc, false);
    fdc->has_sector = fdc->is_dma = fdc->is_scan_equal = false;
    fdc->total = fdc->done = 0;
    fdc->cylinder = fdc->sector = fdc->size_code = 0;
    memset(fdc->buffer, 0, sizeof(fdc->buffer));
}
