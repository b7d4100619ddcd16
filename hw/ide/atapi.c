/*
 * An ATAPI CD-ROM drive: SFF-8020i's way of carrying packets. What they mean is CdDrive's
 * (include/hw/core/cd_drive.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ide_drive.h"
#include "trace.h"

#define CD_PER_SECTOR (CD_BLOCK_BYTES / DISK_SECTOR_BYTES)

/* Interrupt reason, in the count register. */
enum { REASON_COMMAND = 1, REASON_TO_HOST = 2 };

static bool uses_dma(const IdeDrive *drive)
{
    return drive->features[0] & 1;
}

void atapi_packet(IdeDrive *drive)
{
    uint32_t limit = drive->lba_high[0] << 8 | drive->lba_mid[0];

    drive->limit = MAX(limit == 0 || limit == 0xffff ? 0xfffe : limit & 0xfffe, 2);
    drive->phase = IDE_PACKET;
    drive->pos = 0;
    drive->end = drive->stop = IDE_PACKET_BYTES;
    drive->is_dma = false;
    drive->count[0] = REASON_COMMAND;
    drive->status = IDE_ST_DRDY | IDE_ST_DSC | IDE_ST_DRQ;
    if (drive->bus->transport->pio_ready) {
        drive->bus->transport->pio_ready(drive->bus->opaque, false);
    }
}

void atapi_begin_block(IdeDrive *drive, bool to_host)
{
    uint32_t bytes = drive->stop - drive->pos;

    drive->count[0] = to_host ? REASON_TO_HOST : 0;
    drive->lba_mid[0] = bytes;
    drive->lba_high[0] = bytes >> 8;
}

void atapi_finish(IdeDrive *drive)
{
    drive->count[0] = REASON_COMMAND | REASON_TO_HOST;
    ide_finish(drive);
}

static void check_condition(IdeDrive *drive)
{
    drive->count[0] = REASON_COMMAND | REASON_TO_HOST;
    ide_fail(drive, drive->cd.sense.key << 4);
}

void atapi_fail_io(IdeDrive *drive)
{
    drive->cd.sense = drive->medium ? SCSI_MEDIUM_ERROR : SCSI_NO_MEDIUM;
    check_condition(drive);
}

static void answer(IdeDrive *drive, const CdReply *reply)
{
    switch (reply->answer) {
    case CD_FAILED:
        check_condition(drive);
        break;
    case CD_READ:
        ide_start_read(drive, reply->block * CD_PER_SECTOR, reply->blocks * CD_PER_SECTOR,
                       IDE_BUFFER_SECTORS, uses_dma(drive));
        break;
    case CD_DATA:
        if (reply->bytes) {
            ide_send_buffer(drive, reply->bytes, uses_dma(drive));
        } else {
            atapi_finish(drive);
        }
        break;
    case CD_DONE:
        atapi_finish(drive);
        break;
    }
}

void atapi_execute(IdeDrive *drive)
{
    uint8_t cdb[SCSI_CDB_BYTES] = { 0 };
    CdReply reply = { .data = drive->buffer };

    trace_atapi_packet(bus_name(&drive->bus->parent), drive->unit, drive->packet[0]);
    drive->phase = IDE_IDLE;
    drive->status = IDE_ST_BSY;
    memcpy(cdb, drive->packet, IDE_PACKET_BYTES);
    cd_drive_execute(&drive->cd, cdb, &reply);
    answer(drive, &reply);
}
