/*
 * An ATAPI CD-ROM drive: SFF-8020i's way of carrying packets, commands of MMC-5 and SPC-3 that
 * hosts use to read data discs. Left out: audio, raw sectors, writing, MODE SELECT.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ide_drive.h"
#include "trace.h"
#include "util/byte_order.h"

#define CD_SECTOR_BYTES 2048
#define CD_PER_SECTOR   (CD_SECTOR_BYTES / DISK_SECTOR_BYTES)
#define LEAD_IN_MSF     150 /* sectors before LBA 0 */
#define PROFILE_CD      0x0008
#define PROFILE_DVD     0x0010
#define CD_MAX_SECTORS  (80 * 60 * 75)

/* Interrupt reason, in the count register. */
enum { REASON_COMMAND = 1, REASON_TO_HOST = 2 };

enum { NOT_READY = 2, MEDIUM_ERROR = 3, ILLEGAL_REQUEST = 5, UNIT_ATTENTION = 6 };
enum { ASC_READ_ERROR = 0x11, ASC_INVALID_COMMAND = 0x20, ASC_LBA_RANGE = 0x21,
       ASC_INVALID_FIELD = 0x24, ASC_MEDIUM_CHANGED = 0x28, ASC_NO_MEDIUM = 0x3a,
       ASC_REMOVAL_PREVENTED = 0x53 };

static bool uses_dma(const IdeDrive *drive)
{
    return drive->features[0] & 1;
}

/* --- the carrier --- */

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

static void check_condition(IdeDrive *drive, unsigned key, unsigned asc)
{
    drive->sense_key = key;
    drive->asc = asc;
    drive->ascq = 0;
    drive->count[0] = REASON_COMMAND | REASON_TO_HOST;
    ide_fail(drive, key << 4);
}

void atapi_fail_io(IdeDrive *drive)
{
    if (drive->medium) {
        check_condition(drive, MEDIUM_ERROR, ASC_READ_ERROR);
    } else {
        check_condition(drive, NOT_READY, ASC_NO_MEDIUM);
    }
}

/* `bytes` of the buffer, or as many as the host wants. */
static void reply(IdeDrive *drive, uint32_t bytes, uint32_t wanted)
{
    bytes = MIN(bytes, wanted);
    if (bytes) {
        ide_send_buffer(drive, bytes, uses_dma(drive));
    } else {
        atapi_finish(drive);
    }
}

static uint64_t cd_sectors(const IdeDrive *drive)
{
    return drive->medium ? drive->medium->sectors / CD_PER_SECTOR : 0;
}

/* --- reading --- */

static void start_read(IdeDrive *drive, uint64_t sector, uint64_t sectors)
{
    uint64_t all = cd_sectors(drive);

    if (!sectors) {
        atapi_finish(drive);
    } else if (sector >= all || sectors > all - sector) {
        check_condition(drive, ILLEGAL_REQUEST, ASC_LBA_RANGE);
    } else if (sectors > UINT32_MAX / CD_PER_SECTOR) {
        check_condition(drive, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
    } else {
        ide_start_read(drive, sector * CD_PER_SECTOR, sectors * CD_PER_SECTOR,
                       IDE_BUFFER_SECTORS, uses_dma(drive));
    }
}

static void do_read10(IdeDrive *drive)
{
    start_read(drive, load_be32(drive->packet + 2), load_be16(drive->packet + 7));
}

static void do_read12(IdeDrive *drive)
{
    start_read(drive, load_be32(drive->packet + 2), load_be32(drive->packet + 6));
}

/* Only user data: 2048 bytes of each sector. */
static void do_read_cd(IdeDrive *drive)
{
    uint32_t sectors = drive->packet[6] << 16 | load_be16(drive->packet + 7);

    switch (drive->packet[9] & 0xf8) {
    case 0x00:
        atapi_finish(drive);
        break;
    case 0x10:
        start_read(drive, load_be32(drive->packet + 2), sectors);
        break;
    default:
        check_condition(drive, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        break;
    }
}

static void do_seek(IdeDrive *drive)
{
    if (load_be32(drive->packet + 2) >= cd_sectors(drive)) {
        check_condition(drive, ILLEGAL_REQUEST, ASC_LBA_RANGE);
    } else {
        atapi_finish(drive);
    }
}

static void do_read_capacity(IdeDrive *drive)
{
    store_be32(drive->buffer, cd_sectors(drive) - 1);
    store_be32(drive->buffer + 4, CD_SECTOR_BYTES);
    reply(drive, 8, 8);
}

/* --- the drive --- */

static void do_nothing(IdeDrive *drive)
{
    atapi_finish(drive);
}

static void do_request_sense(IdeDrive *drive)
{
    drive->buffer[0] = 0xf0;
    drive->buffer[2] = drive->sense_key;
    drive->buffer[7] = 10;
    drive->buffer[12] = drive->asc;
    drive->buffer[13] = drive->ascq;
    drive->sense_key = drive->asc = drive->ascq = 0;
    reply(drive, 18, drive->packet[4]);
}

static void put_text(uint8_t *to, const char *text, unsigned length)
{
    memset(to, ' ', length);
    memcpy(to, text, MIN(strlen(text), length));
}

static void do_inquiry(IdeDrive *drive)
{
    uint8_t *data = drive->buffer;

    if (drive->packet[1] & 1) {
        check_condition(drive, ILLEGAL_REQUEST, ASC_INVALID_FIELD); /* vital data: none */
        return;
    }
    data[0] = 0x05; /* CD-ROM */
    data[1] = 0x80; /* removable */
    data[3] = 0x21;
    data[4] = 31;
    put_text(data + 8, "QEMU", 8);
    put_text(data + 16, drive->model, 16);
    put_text(data + 32, drive->firmware, 4);
    reply(drive, 36, load_be16(drive->packet + 3));
}

static void do_start_stop(IdeDrive *drive)
{
    bool is_load_or_eject = drive->packet[4] & 2, is_start = drive->packet[4] & 1;

    if (is_load_or_eject && !is_start && !drive->is_tray_open && drive->is_tray_locked) {
        check_condition(drive, drive->medium ? ILLEGAL_REQUEST : NOT_READY,
                        ASC_REMOVAL_PREVENTED);
        return;
    }
    if (is_load_or_eject && drive->is_tray_open != !is_start) {
        drive->is_tray_open = !is_start;
        ide_device_tray_moved(drive);
    }
    atapi_finish(drive);
}

static void do_prevent_removal(IdeDrive *drive)
{
    drive->is_tray_locked = drive->packet[4] & 1;
    atapi_finish(drive);
}

static void put_page_error_recovery(uint8_t *page)
{
    page[0] = 0x01;
    page[1] = 6;
    page[3] = 5; /* retries */
}

static void put_page_capabilities(const IdeDrive *drive, uint8_t *page)
{
    page[0] = 0x2a;
    page[1] = 18;
    page[2] = 0x3b; /* reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R */
    page[4] = 0x70; /* mode 2 forms, multisession */
    page[6] = 0x21 | 8 | (drive->is_tray_locked ? 2 : 0);
    store_be16(page + 8, 706);  /* 4x, in KiB/s */
    store_be16(page + 12, 512); /* KiB of buffer */
    store_be16(page + 14, 706);
}

static void do_mode_sense(IdeDrive *drive)
{
    unsigned page = drive->packet[2] & 0x3f;
    uint32_t bytes = 8;

    if (drive->packet[2] >> 6 == 3 || (page != 0x01 && page != 0x2a && page != 0x3f)) {
        check_condition(drive, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        return;
    }
    if (page != 0x2a) {
        put_page_error_recovery(drive->buffer + bytes);
        bytes += 8;
    }
    if (page != 0x01) {
        put_page_capabilities(drive, drive->buffer + bytes);
        bytes += 20;
    }
    store_be16(drive->buffer, bytes - 2);
    drive->buffer[2] = drive->is_tray_open ? 0x71 : drive->medium ? 0x01 : 0x70;
    reply(drive, bytes, load_be16(drive->packet + 7));
}

/* --- discs --- */

static void put_address(uint8_t *to, uint32_t sector, bool is_msf)
{
    uint32_t frames = sector + LEAD_IN_MSF;

    if (!is_msf) {
        store_be32(to, sector);
        return;
    }
    to[0] = 0;
    to[1] = frames / (60 * 75);
    to[2] = frames / 75 % 60;
    to[3] = frames % 75;
}

/* One session, one data track, the lead-out. */
static uint32_t put_toc(IdeDrive *drive, bool is_msf)
{
    uint8_t *data = drive->buffer;
    bool has_track = drive->packet[6] <= 1;
    uint32_t bytes = 4;

    data[2] = data[3] = 1;
    if (has_track) {
        data[bytes + 1] = 0x14;
        data[bytes + 2] = 1;
        put_address(data + bytes + 4, 0, is_msf);
        bytes += 8;
    }
    data[bytes + 1] = 0x16;
    data[bytes + 2] = 0xaa;
    put_address(data + bytes + 4, cd_sectors(drive), is_msf);
    return bytes + 8;
}

static uint32_t put_sessions(IdeDrive *drive, bool is_msf)
{
    uint8_t *data = drive->buffer;

    data[2] = data[3] = 1;
    data[5] = 0x14;
    data[6] = 1;
    put_address(data + 8, 0, is_msf);
    return 12;
}

static void put_raw_entry(uint8_t *entry, uint8_t point)
{
    entry[0] = 1;
    entry[1] = 0x14;
    entry[3] = point;
}

/* The full TOC: first and last track, lead-out, the track. */
static uint32_t put_raw_toc(IdeDrive *drive)
{
    uint8_t *data = drive->buffer;

    data[2] = data[3] = 1;
    put_raw_entry(data + 4, 0xa0);
    data[4 + 8] = 1;
    put_raw_entry(data + 15, 0xa1);
    data[15 + 8] = 1;
    put_raw_entry(data + 26, 0xa2);
    put_address(data + 26 + 7, cd_sectors(drive), true);
    put_raw_entry(data + 37, 1);
    put_address(data + 37 + 7, 0, true);
    return 48;
}

static void do_read_toc(IdeDrive *drive)
{
    unsigned format = drive->packet[2] & 0xf ? drive->packet[2] & 0xf : drive->packet[9] >> 6;
    bool is_msf = drive->packet[1] & 2;
    uint32_t bytes;

    if (format > 2 || (!format && drive->packet[6] > 1 && drive->packet[6] != 0xaa)) {
        check_condition(drive, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        return;
    }
    bytes = format == 0 ? put_toc(drive, is_msf) : format == 1 ? put_sessions(drive, is_msf) :
                                                                 put_raw_toc(drive);
    store_be16(drive->buffer, bytes - 2);
    reply(drive, bytes, load_be16(drive->packet + 7));
}

static void do_read_disc_information(IdeDrive *drive)
{
    uint8_t *data = drive->buffer;

    if (drive->packet[1] & 7) {
        check_condition(drive, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        return;
    }
    store_be16(data, 32);
    data[2] = 0x0e; /* complete, last session complete */
    data[3] = data[4] = data[5] = data[6] = 1;
    data[7] = 0x20; /* unrestricted use */
    reply(drive, 34, load_be16(drive->packet + 7));
}

static uint32_t put_feature(uint8_t *data, uint16_t code, uint8_t version, uint8_t bytes)
{
    store_be16(data, code);
    data[2] = version << 2 | 3; /* persistent, current */
    data[3] = bytes;
    return 4 + bytes;
}

static uint16_t profile(const IdeDrive *drive)
{
    return !drive->medium ? 0 : cd_sectors(drive) > CD_MAX_SECTORS ? PROFILE_DVD : PROFILE_CD;
}

static void do_get_configuration(IdeDrive *drive)
{
    uint8_t *data = drive->buffer;
    uint32_t bytes = 8;

    store_be16(data + 6, profile(drive));
    bytes += put_feature(data + bytes, 0, 0, 8); /* profiles */
    store_be16(data + bytes - 8, PROFILE_DVD);
    data[bytes - 6] = profile(drive) == PROFILE_DVD;
    store_be16(data + bytes - 4, PROFILE_CD);
    data[bytes - 2] = profile(drive) == PROFILE_CD;
    bytes += put_feature(data + bytes, 1, 2, 8); /* core */
    store_be32(data + bytes - 8, 2);             /* on ATAPI */
    data[bytes - 4] = 1;
    bytes += put_feature(data + bytes, 3, 0, 4); /* removable: a tray with a lock */
    data[bytes - 4] = 0x29;
    store_be32(data, bytes - 4);
    reply(drive, bytes, load_be16(drive->packet + 7));
}

static void do_get_event_status(IdeDrive *drive)
{
    uint8_t *data = drive->buffer;
    bool wants_media = drive->packet[4] & BIT(4);

    if (!(drive->packet[1] & 1)) { /* asynchronously: we do not */
        check_condition(drive, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        return;
    }
    data[3] = BIT(4);
    if (!wants_media) {
        store_be16(data, 2);
        data[2] = 0x80; /* no such event */
        reply(drive, 4, load_be16(drive->packet + 7));
        return;
    }
    store_be16(data, 6);
    data[2] = 4;
    data[4] = drive->media_event;
    data[5] = (drive->is_tray_open ? 1 : 0) | (drive->medium ? 2 : 0);
    drive->media_event = ATAPI_NO_CHANGE;
    reply(drive, 8, load_be16(drive->packet + 7));
}

static void do_mechanism_status(IdeDrive *drive)
{
    reply(drive, 8, load_be16(drive->packet + 8));
}

/* --- dispatch --- */

enum { NEEDS_MEDIUM = 1, HIDES_ATTENTION = 2 };

static const struct {
    uint8_t op;
    uint8_t flags;
    void (*run)(IdeDrive *drive);
} packets[] = {
    { 0x00, NEEDS_MEDIUM, do_nothing }, /* TEST UNIT READY */
    { 0x03, HIDES_ATTENTION, do_request_sense },
    { 0x12, HIDES_ATTENTION, do_inquiry },
    { 0x1b, 0, do_start_stop },
    { 0x1e, 0, do_prevent_removal },
    { 0x25, NEEDS_MEDIUM, do_read_capacity },
    { 0x28, NEEDS_MEDIUM, do_read10 },
    { 0x2b, NEEDS_MEDIUM, do_seek },
    { 0x43, NEEDS_MEDIUM, do_read_toc },
    { 0x46, HIDES_ATTENTION, do_get_configuration },
    { 0x4a, HIDES_ATTENTION, do_get_event_status },
    { 0x51, NEEDS_MEDIUM, do_read_disc_information },
    { 0x5a, 0, do_mode_sense },
    { 0xa8, NEEDS_MEDIUM, do_read12 },
    { 0xbd, 0, do_mechanism_status },
    { 0xbe, NEEDS_MEDIUM, do_read_cd },
};

static bool is_ready(IdeDrive *drive, unsigned flags)
{
    bool has_medium = drive->medium && !drive->is_tray_open;

    if (has_medium && drive->has_new_medium && !(flags & HIDES_ATTENTION)) {
        drive->has_new_medium = false;
        check_condition(drive, UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
        return false;
    }
    if (flags & NEEDS_MEDIUM && !has_medium) {
        check_condition(drive, NOT_READY, ASC_NO_MEDIUM);
        return false;
    }
    return true;
}

void atapi_execute(IdeDrive *drive)
{
    trace_atapi_packet(bus_name(&drive->bus->parent), drive->unit, drive->packet[0]);
    drive->phase = IDE_IDLE;
    drive->status = IDE_ST_BSY;
    memset(drive->buffer, 0, CD_SECTOR_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
        if (packets[i].op == drive->packet[0]) {
            if (is_ready(drive, packets[i].flags)) {
                packets[i].run(drive);
            }
            return;
        }
    }
    check_condition(drive, ILLEGAL_REQUEST, ASC_INVALID_COMMAND);
}
