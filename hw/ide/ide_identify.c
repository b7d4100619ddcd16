/*
 * IDENTIFY DEVICE (ATA8-ACS 7.16) and IDENTIFY PACKET DEVICE (7.17).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ide_drive.h"
#include "util/byte_order.h"

static void put(uint8_t *data, unsigned word, uint16_t value)
{
    store_le16(data + 2 * word, value);
}

static void put32(uint8_t *data, unsigned word, uint32_t value)
{
    store_le32(data + 2 * word, value);
}

/* Text: two characters to a word, the first in the high byte, blanks behind. */
static void put_text(uint8_t *data, unsigned word, unsigned words, const char *text)
{
    for (unsigned i = 0; i < 2 * words; i++) {
        data[2 * word + (i ^ 1)] = *text ? *text++ : ' ';
    }
}

static void put_names(const IdeDrive *drive, uint8_t *data)
{
    put(data, 20, 3);
    put(data, 21, 512);
    put(data, 22, 4);
    put_text(data, 10, 10, drive->serial);
    put_text(data, 23, 4, drive->firmware);
    put_text(data, 27, 20, drive->model);
}

static void put_chs(const IdeDrive *drive, uint8_t *data)
{
    uint32_t cyls = drive->cyls;

    put(data, 1, cyls);
    put(data, 3, drive->heads);
    put(data, 4, DISK_SECTOR_BYTES * drive->secs);
    put(data, 5, DISK_SECTOR_BYTES);
    put(data, 6, drive->secs);
    put(data, 54, cyls);
    put(data, 55, drive->now_heads);
    put(data, 56, drive->now_secs);
    put32(data, 57, cyls * drive->now_heads * drive->now_secs);
}

/* 82 to 84: what there is; 85 to 87: what is on. */
static void put_features(const IdeDrive *drive, uint8_t *data)
{
    put(data, 82, 0x4000 | BIT(5) | BIT(0)); /* NOP, write cache, SMART */
    put(data, 83, 0x4000 | BIT(13) | BIT(12) | BIT(10));  /* flushes, 48 bits */
    put(data, 84, 0x4000 | (drive->wwn ? BIT(8) : 0));
    put(data, 85, 0x4000 | (drive->has_write_cache ? BIT(5) : 0) | (drive->has_smart ? BIT(0) : 0));
    put(data, 86, BIT(13) | BIT(12) | BIT(10));
    put(data, 87, 0x4000 | (drive->wwn ? BIT(8) : 0));
}

static void put_modes(const IdeDrive *drive, uint8_t *data)
{
    put(data, 62, 7);
    put(data, 63, 7 | drive->mdma << 8);
    put(data, 64, 3);
    put(data, 88, 0x3f | drive->udma << 8);
    put(data, 93, 0x6001); /* 80 conductors; both drives passed their diagnostics */
}

/* Words of SATA drives, behind AHCI. */
static void put_queue(const IdeDrive *drive, uint8_t *data)
{
    if (drive->bus->transport->pio_ready) {
        put(data, 75, IDE_NCQ_DEPTH - 1);
        put(data, 76, BIT(8) | BIT(1)); /* NCQ, 1.5 Gb/s */
    }
}

static void put_wwn(const IdeDrive *drive, uint8_t *data)
{
    for (unsigned i = 0; drive->wwn && i < 4; i++) {
        put(data, 108 + i, drive->wwn >> (48 - 16 * i));
    }
}

static void put_capacity(const IdeDrive *drive, uint8_t *data)
{
    uint64_t sectors = drive->medium ? drive->medium->sectors : 0;

    put32(data, 60, MIN(sectors, BIT64(28) - 1));
    store_le64(data + 200, sectors);
    put(data, 106, 0x6000 | drive->physical_exponent);
    put(data, 217, drive->rotation_rate);
}

void ide_identify_disk(const IdeDrive *drive, uint8_t data[DISK_SECTOR_BYTES])
{
    memset(data, 0, DISK_SECTOR_BYTES);
    put(data, 0, 0x0040);
    put_chs(drive, data);
    put_names(drive, data);
    put(data, 47, 0x8000 | IDE_MAX_MULTIPLE);
    put(data, 48, 1);
    put(data, 49, 0x0b00); /* DMA, LBA, IORDY */
    put(data, 51, 0x0200);
    put(data, 52, 0x0200);
    put(data, 53, 7);
    put(data, 59, drive->multiple ? 0x0100 | drive->multiple : 0);
    put_capacity(drive, data);
    put_modes(drive, data);
    for (unsigned word = 65; word <= 68; word++) {
        put(data, word, 120); /* ns of a cycle */
    }
    put(data, 69, 0x4000); /* what is discarded reads the same each time */
    put_queue(drive, data);
    put(data, 80, 0x00f0);
    put(data, 81, 0x0016);
    put_features(drive, data);
    put_wwn(drive, data);
    put(data, 105, IDE_BUFFER_SECTORS); /* of ranges for */
    put(data, 169, 1);                  /* TRIM */
}

void ide_identify_cd(const IdeDrive *drive, uint8_t data[DISK_SECTOR_BYTES])
{
    memset(data, 0, DISK_SECTOR_BYTES);
    put(data, 0, 0x85c0); /* ATAPI CD-ROM, removable, 12-byte packets, DRQ within 50 us */
    put_names(drive, data);
    put(data, 48, 1);
    put(data, 49, 0x0300);
    put(data, 53, 7);
    put_modes(drive, data);
    put(data, 93, 0);
    put(data, 65, 0xb4);
    put(data, 66, 0xb4);
    put(data, 67, 0x12c);
    put(data, 68, 0xb4);
    put(data, 71, 30);
    put(data, 72, 30);
    put_queue(drive, data);
    put(data, 75, 0);
    if (drive->bus->transport->pio_ready) {
        put(data, 76, BIT(1));
    }
    put(data, 80, 0x001e);
    if (drive->wwn) {
        put(data, 84, BIT(8));
        put(data, 87, BIT(8));
    }
    put_wwn(drive, data);
}
