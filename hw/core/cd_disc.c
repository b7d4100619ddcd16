/*
 * What a CD drive says of the disc in it (MMC-5, 6.6, 6.22, 6.23, 6.26): one session, one track of
 * data, of a CD or, if it has no room there, of a DVD.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cd_commands.h"

#include "util/byte_order.h"

#define LEAD_IN_MSF     150 /* sectors before LBA 0 */
#define CD_MOST_BLOCKS  (80 * 60 * 75)
#define DVD_FIRST       0x30000 /* the number of a DVD's first sector of data */
enum { PROFILE_NONE = 0, PROFILE_CD = 0x0008, PROFILE_DVD = 0x0010 };

/* --- READ TOC --- */

static void put_address(uint8_t *to, uint32_t block, bool is_msf)
{
    uint32_t frames = block + LEAD_IN_MSF;

    if (!is_msf) {
        store_be32(to, block);
        return;
    }
    to[0] = 0;
    to[1] = frames / (60 * 75);
    to[2] = frames / 75 % 60;
    to[3] = frames % 75;
}

/* The track and the lead-out. */
static uint32_t put_toc(const CdCommand *command, uint8_t *data, bool is_msf)
{
    bool has_track = command->cdb[6] <= 1;
    uint32_t bytes = 4;

    if (has_track) {
        data[bytes + 1] = 0x14;
        data[bytes + 2] = 1;
        put_address(data + bytes + 4, 0, is_msf);
        bytes += 8;
    }
    data[bytes + 1] = 0x16;
    data[bytes + 2] = 0xaa;
    put_address(data + bytes + 4, command->cd->blocks, is_msf);
    return bytes + 8;
}

static uint32_t put_sessions(uint8_t *data, bool is_msf)
{
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
static uint32_t put_raw_toc(const CdDrive *cd, uint8_t *data)
{
    put_raw_entry(data + 4, 0xa0);
    data[4 + 8] = 1;
    put_raw_entry(data + 15, 0xa1);
    data[15 + 8] = 1;
    put_raw_entry(data + 26, 0xa2);
    put_address(data + 26 + 7, cd->blocks, true);
    put_raw_entry(data + 37, 1);
    put_address(data + 37 + 7, 0, true);
    return 48;
}

void cd_read_toc(const CdCommand *command)
{
    const uint8_t *cdb = command->cdb;
    unsigned format = cdb[2] & 0xf ? cdb[2] & 0xf : cdb[9] >> 6;
    bool is_msf = cdb[1] & 2;
    uint8_t *data = cd_blank(command);
    uint32_t bytes;

    if (format > 2 || (!format && cdb[6] > 1 && cdb[6] != 0xaa)) {
        cd_fail(command, SCSI_INVALID_FIELD);
        return;
    }
    data[2] = data[3] = 1;
    bytes = format == 0 ? put_toc(command, data, is_msf) :
            format == 1 ? put_sessions(data, is_msf) : put_raw_toc(command->cd, data);
    store_be16(data, bytes - 2);
    cd_answer(command, bytes, load_be16(cdb + 7));
}

void cd_read_disc_information(const CdCommand *command)
{
    uint8_t *data = cd_blank(command);

    if (command->cdb[1] & 7) {
        cd_fail(command, SCSI_INVALID_FIELD);
        return;
    }
    store_be16(data, 32);
    data[2] = 0x0e; /* complete, last session complete */
    data[3] = data[4] = data[5] = data[6] = 1;
    data[7] = 0x20; /* unrestricted use */
    cd_answer(command, 34, load_be16(command->cdb + 7));
}

/* --- READ DVD STRUCTURE --- */

static uint16_t profile(const CdDrive *cd)
{
    return !cd->has_medium || cd->is_tray_open ? PROFILE_NONE :
           cd->blocks > CD_MOST_BLOCKS ? PROFILE_DVD : PROFILE_CD;
}

/* DVD-ROM of one embossed layer; each fills from the fifth byte on. */
static void put_physical(const CdDrive *cd, uint8_t *data)
{
    data[0] = 0x01; /* part 1 of a DVD-ROM's book */
    data[1] = 0x0f; /* 120 mm, no rate told */
    data[2] = 0x01;
    store_be32(data + 4, DVD_FIRST);
    store_be32(data + 8, DVD_FIRST + cd->blocks - 1);
}

static void put_nothing(const CdDrive *cd, uint8_t *data)
{
    /* no protection, all regions; nothing of the manufacturer's */
}

static const struct {
    uint8_t format;
    uint16_t bytes;
    void (*fill)(const CdDrive *cd, uint8_t *data);
} structures[] = {
    { 0x00, 2048, put_physical }, { 0x01, 4, put_nothing }, { 0x04, 2048, put_nothing },
};
#define STRUCTURE_HEAD  4
#define STRUCTURES_LIST 0xff

static uint32_t put_structures_list(uint8_t *data)
{
    uint32_t at = STRUCTURE_HEAD;

    for (size_t i = 0; i < ARRAY_SIZE(structures); i++) {
        data[at] = structures[i].format;
        data[at + 1] = 0x40; /* can be read */
        store_be16(data + at + 2, STRUCTURE_HEAD + structures[i].bytes);
        at += 4;
    }
    return at;
}

static uint32_t put_structure(const CdCommand *command, uint8_t *data)
{
    for (size_t i = 0; i < ARRAY_SIZE(structures); i++) {
        if (structures[i].format == command->cdb[7]) {
            structures[i].fill(command->cd, data + STRUCTURE_HEAD);
            return STRUCTURE_HEAD + structures[i].bytes;
        }
    }
    return 0;
}

void cd_read_dvd_structure(const CdCommand *command)
{
    const uint8_t *cdb = command->cdb;
    uint8_t *data = cd_blank(command);
    bool is_list = cdb[7] == STRUCTURES_LIST;
    uint32_t bytes;

    if (cdb[1] & 0xf || (cdb[6] && !is_list)) { /* Blu-ray, or another layer */
        cd_fail(command, SCSI_INVALID_FIELD);
        return;
    }
    if (profile(command->cd) == PROFILE_CD) {
        cd_fail(command, SCSI_INCOMPATIBLE_FORMAT);
        return;
    }
    bytes = is_list ? put_structures_list(data) : put_structure(command, data);
    if (!bytes) {
        cd_fail(command, SCSI_INVALID_FIELD);
    } else if (!is_list && profile(command->cd) == PROFILE_NONE) {
        cd_fail(command, SCSI_NO_MEDIUM);
    } else {
        store_be16(data, bytes - 2);
        cd_answer(command, bytes, load_be16(cdb + 8));
    }
}

/* --- GET CONFIGURATION --- */

enum { PERSISTENT = 1 };

static unsigned fill_profiles(const CdDrive *cd, uint8_t *data)
{
    store_be16(data, PROFILE_DVD);
    data[2] = profile(cd) == PROFILE_DVD;
    store_be16(data + 4, PROFILE_CD);
    data[6] = profile(cd) == PROFILE_CD;
    return 8;
}

static unsigned fill_core(const CdDrive *cd, uint8_t *data)
{
    store_be32(data, cd->scsi_version ? 1 : 2); /* on SCSI, or ATAPI */
    data[4] = 1;
    return 8;
}

static unsigned fill_removable(const CdDrive *cd, uint8_t *data)
{
    data[0] = 0x29; /* a tray with a lock */
    return 4;
}

static unsigned fill_readable(const CdDrive *cd, uint8_t *data)
{
    store_be32(data, CD_BLOCK_BYTES);
    store_be16(data + 4, 1); /* a block at a time */
    return 8;
}

static unsigned fill_cd_read(const CdDrive *cd, uint8_t *data)
{
    return 4;
}

static unsigned fill_dvd_read(const CdDrive *cd, uint8_t *data)
{
    return 0;
}

/* A feature is current with a disc of `profile`, or always. */
static const struct {
    uint16_t code;
    uint8_t version;
    uint8_t flags;
    uint16_t profile;
    unsigned (*fill)(const CdDrive *cd, uint8_t *data);
} features[] = {
    { 0x0000, 0, PERSISTENT, 0, fill_profiles },
    { 0x0001, 2, PERSISTENT, 0, fill_core },
    { 0x0003, 0, PERSISTENT, 0, fill_removable },
    { 0x0010, 0, 0, UINT16_MAX, fill_readable },
    { 0x001e, 2, 0, PROFILE_CD, fill_cd_read },
    { 0x001f, 0, 0, PROFILE_DVD, fill_dvd_read },
};
enum { ASKED_ALL, ASKED_CURRENT, ASKED_ONE, ASKED_NONSENSE };

static bool is_current(const CdDrive *cd, size_t i)
{
    return features[i].flags & PERSISTENT ||
           (features[i].profile == UINT16_MAX ? profile(cd) != PROFILE_NONE :
                                                profile(cd) == features[i].profile);
}

static bool is_asked(const CdCommand *command, size_t i)
{
    uint16_t first = load_be16(command->cdb + 2);

    switch (command->cdb[1] & 3) {
    case ASKED_ONE:
        return features[i].code == first;
    case ASKED_CURRENT:
        return features[i].code >= first && is_current(command->cd, i);
    default:
        return features[i].code >= first;
    }
}

void cd_get_configuration(const CdCommand *command)
{
    uint8_t *data = cd_blank(command);
    uint32_t bytes = 8;

    if ((command->cdb[1] & 3) == ASKED_NONSENSE) {
        cd_fail(command, SCSI_INVALID_FIELD);
        return;
    }
    store_be16(data + 6, profile(command->cd));
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        if (is_asked(command, i)) {
            store_be16(data + bytes, features[i].code);
            data[bytes + 2] = features[i].version << 2 | (features[i].flags & PERSISTENT ? 2 : 0) |
                              is_current(command->cd, i);
            data[bytes + 3] = features[i].fill(command->cd, data + bytes + 4);
            bytes += 4 + data[bytes + 3];
        }
    }
    store_be32(data, bytes - 4);
    cd_answer(command, bytes, load_be16(command->cdb + 7));
}
