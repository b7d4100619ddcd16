/*
 * SMART (ATA8-ACS 7.48): a drive that is well. Attributes, thresholds, the error log (empty), the
 * self-test log and off-line tests, which end at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ide_drive.h"
#include "util/byte_order.h"

enum {
    READ_DATA = 0xd0, READ_THRESHOLDS = 0xd1, AUTOSAVE = 0xd2, SAVE = 0xd3, OFFLINE = 0xd4,
    READ_LOG = 0xd5, ENABLE = 0xd8, DISABLE = 0xd9, RETURN_STATUS = 0xda,
};

/* id, flags, value, worst, threshold; raw values are 0 where a drive has no parts that wear. */
static const struct {
    uint8_t id, flags, value, threshold;
    uint16_t raw;
} attributes[] = {
    { 1, 0x03, 100, 6, 0 },   /* read errors */
    { 3, 0x03, 100, 0, 16 },  /* spin-up time */
    { 4, 0x02, 100, 20, 100 },/* starts and stops */
    { 5, 0x03, 100, 36, 0 },  /* remapped sectors */
    { 9, 0x03, 100, 0, 1 },   /* hours */
    { 12, 0x03, 100, 0, 0 },  /* power cycles */
    { 190, 0x03, 69, 50, 31 },/* temperature */
};

static void put_checksum(uint8_t *data)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < DISK_SECTOR_BYTES - 1; i++) {
        sum += data[i];
    }
    data[DISK_SECTOR_BYTES - 1] = -sum;
}

static void send(IdeDrive *drive)
{
    put_checksum(drive->buffer);
    ide_send_buffer(drive, DISK_SECTOR_BYTES, false);
}

static void read_data(IdeDrive *drive)
{
    uint8_t *data = drive->buffer;

    memset(data, 0, DISK_SECTOR_BYTES);
    data[0] = 1;
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        uint8_t *row = data + 2 + 12 * i;

        row[0] = attributes[i].id;
        row[1] = attributes[i].flags;
        row[3] = row[4] = attributes[i].value;
        store_le16(row + 5, attributes[i].raw);
    }
    data[362] = 0x02 | (drive->has_smart_autosave ? 0x80 : 0);
    data[363] = drive->smart_selftest;
    store_le16(data + 364, 288); /* seconds of an off-line test */
    data[367] = 0x19;            /* what off-line tests there are */
    store_le16(data + 368, 3);
    data[370] = 1;
    data[372] = 2;               /* minutes: short, extended test */
    data[373] = 54;
    send(drive);
}

static void read_thresholds(IdeDrive *drive)
{
    memset(drive->buffer, 0, DISK_SECTOR_BYTES);
    drive->buffer[0] = 1;
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        drive->buffer[2 + 12 * i] = attributes[i].id;
        drive->buffer[3 + 12 * i] = attributes[i].threshold;
    }
    send(drive);
}

/* Log 1: errors, none; log 6: self-tests, none so far. */
static void read_log(IdeDrive *drive)
{
    if (drive->lba_low[0] != 1 && drive->lba_low[0] != 6) {
        ide_fail(drive, IDE_ER_ABRT);
        return;
    }
    memset(drive->buffer, 0, DISK_SECTOR_BYTES);
    drive->buffer[0] = 1;
    send(drive);
}

static void offline(IdeDrive *drive)
{
    switch (drive->lba_low[0]) {
    case 0: /* off-line routine */
    case 1: /* short and extended self-tests, also captive */
    case 2:
    case 0x81:
    case 0x82:
        drive->smart_selftest = 0;
        ide_finish(drive);
        break;
    default:
        ide_fail(drive, IDE_ER_ABRT);
        break;
    }
}

static void return_status(IdeDrive *drive)
{
    drive->lba_mid[0] = 0x4f; /* no threshold is exceeded */
    drive->lba_high[0] = 0xc2;
    ide_finish(drive);
}

static void set_enabled(IdeDrive *drive)
{
    drive->has_smart = drive->features[0] == ENABLE;
    ide_finish(drive);
}

static void autosave(IdeDrive *drive)
{
    if (drive->count[0] != 0x00 && drive->count[0] != 0xf1) {
        ide_fail(drive, IDE_ER_ABRT);
        return;
    }
    drive->has_smart_autosave = drive->count[0] == 0xf1;
    ide_finish(drive);
}

void ide_smart(IdeDrive *drive)
{
    uint8_t op = drive->features[0];

    if (drive->lba_mid[0] != 0x4f || drive->lba_high[0] != 0xc2 ||
        (!drive->has_smart && op != ENABLE)) {
        ide_fail(drive, IDE_ER_ABRT);
        return;
    }
    switch (op) {
    case READ_DATA:
        read_data(drive);
        break;
    case READ_THRESHOLDS:
        read_thresholds(drive);
        break;
    case AUTOSAVE:
        autosave(drive);
        break;
    case SAVE:
        ide_finish(drive);
        break;
    case OFFLINE:
        offline(drive);
        break;
    case READ_LOG:
        read_log(drive);
        break;
    case ENABLE:
    case DISABLE:
        set_enabled(drive);
        break;
    case RETURN_STATUS:
        return_status(drive);
        break;
    default: /* WRITE LOG too: there is none that a host may write */
        ide_fail(drive, IDE_ER_ABRT);
        break;
    }
}
