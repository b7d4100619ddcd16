/*
 * See hw/core/cd_drive.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cd_commands.h"

#define TYPE_CD           0x05
#define READ_CAPACITY_16  0x10 /* a service action */
#define ATAPI_MOST_BLOCKS (UINT32_MAX / 4) /* what counts in sectors of 512 bytes can do */

/* --- answers --- */

uint8_t *cd_blank(const CdCommand *command)
{
    memset(command->reply->data, 0, CD_REPLY_BYTES);
    return command->reply->data;
}

void cd_answer(const CdCommand *command, uint32_t bytes, uint32_t allocated)
{
    command->reply->answer = CD_DATA;
    command->reply->bytes = MIN(bytes, allocated);
}

void cd_fail(const CdCommand *command, ScsiSense sense)
{
    command->reply->answer = CD_FAILED;
    command->cd->sense = sense;
}

static void do_nothing(const CdCommand *command)
{
    command->reply->answer = CD_DONE;
}

/* --- the medium --- */

static bool check_range(const CdCommand *command, ScsiRange range)
{
    uint64_t all = command->cd->blocks;

    if (range.block < all && range.blocks <= all - range.block) {
        return true;
    }
    cd_fail(command, SCSI_LBA_OUT_OF_RANGE);
    return false;
}

static void start_read(const CdCommand *command, ScsiRange range)
{
    if (!range.blocks) {
        do_nothing(command);
    } else if (range.blocks > ATAPI_MOST_BLOCKS) {
        cd_fail(command, SCSI_INVALID_FIELD);
    } else if (check_range(command, range)) {
        command->reply->answer = CD_READ;
        command->reply->block = range.block;
        command->reply->blocks = range.blocks;
    }
}

static void do_read(const CdCommand *command)
{
    start_read(command, scsi_cdb_range(command->cdb));
}

static void do_write(const CdCommand *command)
{
    cd_fail(command, SCSI_WRITE_PROTECTED);
}

/* Only user data: 2048 bytes of each sector. */
static void do_read_cd(const CdCommand *command)
{
    const uint8_t *cdb = command->cdb;

    switch (cdb[9] & 0xf8) {
    case 0x00:
        do_nothing(command);
        break;
    case 0x10:
        start_read(command, (ScsiRange){ load_be32(cdb + 2), cdb[6] << 16 | load_be16(cdb + 7) });
        break;
    default:
        cd_fail(command, SCSI_INVALID_FIELD);
        break;
    }
}

static void do_seek(const CdCommand *command)
{
    if (check_range(command, (ScsiRange){ load_be32(command->cdb + 2), 1 })) {
        do_nothing(command);
    }
}

/* Without data to compare with: the medium is there. */
static void do_verify(const CdCommand *command)
{
    if (command->cdb[1] & 2) {
        cd_fail(command, SCSI_INVALID_FIELD);
    } else if (check_range(command, scsi_cdb_range(command->cdb))) {
        do_nothing(command);
    }
}

static uint64_t last_block(const CdDrive *cd)
{
    return cd->blocks ? cd->blocks - 1 : 0;
}

static void do_read_capacity(const CdCommand *command)
{
    uint8_t *data = cd_blank(command);

    store_be32(data, MIN(last_block(command->cd), UINT32_MAX));
    store_be32(data + 4, CD_BLOCK_BYTES);
    cd_answer(command, 8, 8);
}

static void do_service_action_in(const CdCommand *command)
{
    uint8_t *data = cd_blank(command);

    if ((command->cdb[1] & 0x1f) != READ_CAPACITY_16) {
        cd_fail(command, SCSI_INVALID_FIELD);
        return;
    }
    store_be64(data, last_block(command->cd));
    store_be32(data + 8, CD_BLOCK_BYTES);
    cd_answer(command, 32, load_be32(command->cdb + 10));
}

/* --- the drive --- */

static void do_request_sense(const CdCommand *command)
{
    scsi_fill_sense(cd_blank(command), command->cd->sense);
    command->reply->data[0] |= 0x80; /* "information" is valid */
    command->cd->sense = SCSI_NO_SENSE;
    cd_answer(command, SCSI_SENSE_BYTES, command->cdb[4]);
}

static void inquire_page(const CdCommand *command)
{
    const ScsiIdentity *identity = &command->cd->identity;
    uint8_t *data = cd_blank(command), page = command->cdb[2];
    unsigned bytes = 0;

    if (page == SCSI_VPD_PAGES) {
        data[SCSI_VPD_HEAD + bytes++] = SCSI_VPD_PAGES;
        if (identity->serial) {
            data[SCSI_VPD_HEAD + bytes++] = SCSI_VPD_SERIAL;
        }
        data[SCSI_VPD_HEAD + bytes++] = SCSI_VPD_IDENTIFICATION;
    } else if (page == SCSI_VPD_SERIAL && identity->serial) {
        bytes = scsi_identity_put_serial(identity, data + SCSI_VPD_HEAD);
    } else if (page == SCSI_VPD_IDENTIFICATION) {
        bytes = scsi_identity_put_designators(identity, data + SCSI_VPD_HEAD);
    } else {
        cd_fail(command, SCSI_INVALID_FIELD);
        return;
    }
    data[0] = TYPE_CD;
    data[1] = page;
    store_be16(data + 2, bytes);
    cd_answer(command, SCSI_VPD_HEAD + bytes, load_be16(command->cdb + 3));
}

static void do_inquiry(const CdCommand *command)
{
    const CdDrive *cd = command->cd;
    uint8_t *data = cd_blank(command);

    if (command->cdb[1] & 1) {
        inquire_page(command);
        return;
    }
    if (command->cdb[2]) {
        cd_fail(command, SCSI_INVALID_FIELD);
        return;
    }
    data[0] = TYPE_CD;
    data[1] = 0x80; /* removable */
    data[2] = cd->scsi_version;
    data[3] = cd->scsi_version ? 0x12 : 0x21; /* hierarchical LUNs; ATAPI, version 2 */
    data[4] = SCSI_INQUIRY_BYTES - 5;
    data[7] = cd->scsi_version ? 0x12 : 0; /* queues commands, transfers synchronously */
    scsi_identity_put_names(&cd->identity, data);
    cd_answer(command, SCSI_INQUIRY_BYTES, load_be16(command->cdb + 3));
}

static void move_tray(CdDrive *cd, bool is_open)
{
    if (cd->is_tray_open != is_open) {
        cd->is_tray_open = is_open;
        if (cd->backend) {
            block_backend_tray_moved(cd->backend, is_open);
        }
    }
}

static void do_start_stop(const CdCommand *command)
{
    CdDrive *cd = command->cd;
    bool has_power_condition = command->cdb[4] >> 4;
    bool is_load_or_eject = command->cdb[4] & 2, is_start = command->cdb[4] & 1;

    if (has_power_condition || !is_load_or_eject) {
        do_nothing(command);
    } else if (!is_start && !cd->is_tray_open && cd->is_tray_locked) {
        cd_fail(command, cd->has_medium ? SCSI_REMOVAL_PREVENTED : SCSI_SENSE(2, 0x53, 2));
    } else {
        move_tray(cd, !is_start);
        do_nothing(command);
    }
}

static void do_prevent_removal(const CdCommand *command)
{
    command->cd->is_tray_locked = command->cdb[4] & 1;
    do_nothing(command);
}

/* --- modes: nothing can be changed --- */

enum { PAGE_ERROR_RECOVERY = 0x01, PAGE_CAPABILITIES = 0x2a, PAGE_ALL = 0x3f };
enum { CONTROL_CHANGEABLE = 1, CONTROL_SAVED = 3 };

#define CD_PAGE_BYTES 32 /* of the longest, and more */

static unsigned fill_error_recovery(const CdDrive *cd, uint8_t *page)
{
    page[3] = 5; /* retries */
    return 6;
}

static unsigned fill_capabilities(const CdDrive *cd, uint8_t *page)
{
    page[2] = 0x3b; /* reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R */
    page[4] = 0x70; /* mode 2 forms, multisession */
    page[6] = 0x21 | 8 | (cd->is_tray_locked ? 2 : 0);
    store_be16(page + 8, 706);  /* 4x, in KiB/s */
    store_be16(page + 12, 512); /* KiB of buffer */
    store_be16(page + 14, 706);
    return 18;
}

static const struct {
    uint8_t page;
    unsigned (*fill)(const CdDrive *cd, uint8_t *page); /* how many bytes after the first two */
} pages[] = {
    { PAGE_ERROR_RECOVERY, fill_error_recovery }, { PAGE_CAPABILITIES, fill_capabilities },
};

static uint32_t put_pages(const CdCommand *command, uint8_t *data)
{
    unsigned wanted = command->cdb[2] & 0x3f, control = command->cdb[2] >> 6;
    uint32_t bytes = 0;

    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        if (wanted == pages[i].page || wanted == PAGE_ALL) {
            uint8_t *page = data + bytes;
            unsigned length = pages[i].fill(command->cd, page);

            if (control == CONTROL_CHANGEABLE) {
                memset(page, 0, 2 + length);
            }
            page[0] = pages[i].page;
            page[1] = length;
            bytes += 2 + length;
        }
    }
    return bytes;
}

bool cd_drive_has_page(const CdDrive *cd, const uint8_t *page, unsigned room)
{
    uint8_t now[CD_PAGE_BYTES] = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        if (pages[i].page == (page[0] & 0x3f)) {
            unsigned length = pages[i].fill(cd, now);

            return room >= 2 + length && page[1] == length && !memcmp(page + 2, now + 2, length);
        }
    }
    return false;
}

/* Drives of this kind have no block descriptors. */
static void do_mode_sense(const CdCommand *command)
{
    const CdDrive *cd = command->cd;
    bool is_long = command->cdb[0] == 0x5a;
    uint32_t head = is_long ? 8 : 4, bytes;
    uint8_t *data = cd_blank(command);
    uint8_t medium = cd->is_tray_open ? 0x71 : cd->has_medium ? 0x01 : 0x70;

    if (command->cdb[2] >> 6 == CONTROL_SAVED) {
        cd_fail(command, SCSI_NO_SAVED_PAGES);
        return;
    }
    bytes = put_pages(command, data + head);
    if (!bytes) {
        cd_fail(command, SCSI_INVALID_FIELD);
    } else if (is_long) {
        store_be16(data, head + bytes - 2);
        data[2] = medium;
        cd_answer(command, head + bytes, load_be16(command->cdb + 7));
    } else {
        data[0] = head + bytes - 1;
        data[1] = medium;
        cd_answer(command, head + bytes, command->cdb[4]);
    }
}

/* --- events --- */

static void do_get_event_status(const CdCommand *command)
{
    CdDrive *cd = command->cd;
    uint8_t *data = cd_blank(command);
    uint32_t allocated = load_be16(command->cdb + 7);
    bool wants_media = command->cdb[4] & BIT(4);

    if (!(command->cdb[1] & 1)) { /* asynchronously: we do not */
        cd_fail(command, SCSI_INVALID_FIELD);
        return;
    }
    data[3] = BIT(4);
    if (!wants_media) {
        store_be16(data, 2);
        data[2] = 0x80; /* no such event */
        cd_answer(command, 4, allocated);
        return;
    }
    store_be16(data, 6);
    data[2] = 4;
    data[4] = cd->media_event;
    data[5] = (cd->is_tray_open ? 1 : 0) | (cd->has_medium ? 2 : 0);
    if (allocated > 4) { /* else it is not told */
        cd->media_event = CD_NO_CHANGE;
    }
    cd_answer(command, 8, allocated);
}

static void do_mechanism_status(const CdCommand *command)
{
    uint8_t *data = cd_blank(command);

    data[1] = command->cd->is_tray_open ? 0x10 : 0;
    cd_answer(command, 8, load_be16(command->cdb + 8));
}

/* --- dispatch --- */

enum { NEEDS_MEDIUM = 1, HIDES_ATTENTION = 2 };

static const struct {
    uint8_t op;
    uint8_t flags;
    void (*run)(const CdCommand *command);
} commands[] = {
    { 0x00, NEEDS_MEDIUM, do_nothing }, /* TEST UNIT READY */
    { 0x03, HIDES_ATTENTION, do_request_sense },
    { 0x08, NEEDS_MEDIUM, do_read }, /* READ (6), (10), (12), (16) */
    { 0x28, NEEDS_MEDIUM, do_read },
    { 0xa8, NEEDS_MEDIUM, do_read },
    { 0x88, NEEDS_MEDIUM, do_read },
    { 0x0a, NEEDS_MEDIUM, do_write }, /* WRITE, likewise, and with VERIFY */
    { 0x2a, NEEDS_MEDIUM, do_write },
    { 0xaa, NEEDS_MEDIUM, do_write },
    { 0x8a, NEEDS_MEDIUM, do_write },
    { 0x2e, NEEDS_MEDIUM, do_write },
    { 0x12, HIDES_ATTENTION, do_inquiry },
    { 0x16, 0, do_nothing }, /* RESERVE (6), RELEASE (6): there is one initiator */
    { 0x17, 0, do_nothing },
    { 0x1a, 0, do_mode_sense },
    { 0x1b, 0, do_start_stop },
    { 0x1d, 0, do_nothing }, /* SEND DIAGNOSTIC: nothing is wrong */
    { 0x1e, 0, do_prevent_removal },
    { 0x25, NEEDS_MEDIUM, do_read_capacity },
    { 0x2b, NEEDS_MEDIUM, do_seek },
    { 0x2f, NEEDS_MEDIUM, do_verify },
    { 0x35, NEEDS_MEDIUM, do_nothing }, /* SYNCHRONIZE CACHE: nothing was written */
    { 0x43, NEEDS_MEDIUM, cd_read_toc },
    { 0x46, HIDES_ATTENTION, cd_get_configuration },
    { 0x4a, HIDES_ATTENTION, do_get_event_status },
    { 0x51, NEEDS_MEDIUM, cd_read_disc_information },
    { 0x5a, 0, do_mode_sense },
    { 0x9e, NEEDS_MEDIUM, do_service_action_in },
    { 0xad, 0, cd_read_dvd_structure },
    { 0xbd, 0, do_mechanism_status },
    { 0xbe, NEEDS_MEDIUM, do_read_cd },
};

static bool is_ready(const CdCommand *command, unsigned flags)
{
    CdDrive *cd = command->cd;
    bool has_medium = cd->has_medium && !cd->is_tray_open;

    if (has_medium && cd->has_new_medium && !(flags & HIDES_ATTENTION)) {
        cd->has_new_medium = false;
        cd_fail(command, SCSI_MEDIUM_CHANGED);
        return false;
    }
    if (flags & NEEDS_MEDIUM && !has_medium) {
        cd_fail(command, SCSI_NO_MEDIUM);
        return false;
    }
    return true;
}

void cd_drive_execute(CdDrive *cd, const uint8_t cdb[SCSI_CDB_BYTES], CdReply *reply)
{
    CdCommand command = { cd, cdb, reply };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].op == cdb[0]) {
            if (is_ready(&command, commands[i].flags)) {
                commands[i].run(&command);
            }
            return;
        }
    }
    cd_fail(&command, SCSI_INVALID_COMMAND);
}

/* --- the host's side --- */

void cd_drive_changed(CdDrive *cd, bool has_medium, uint64_t bytes)
{
    cd->has_medium = has_medium;
    cd->blocks = has_medium ? bytes / CD_BLOCK_BYTES : 0;
}

void cd_drive_load(CdDrive *cd, bool is_loaded)
{
    cd->has_new_medium |= is_loaded;
    cd->media_event = is_loaded ? CD_NEW_MEDIUM : CD_MEDIUM_REMOVED;
    move_tray(cd, !is_loaded);
}

/* Forced: the button is no longer a request. */
void cd_drive_eject_request(CdDrive *cd, bool is_forced)
{
    cd->media_event = CD_EJECT_REQUEST;
    cd->is_tray_locked &= !is_forced;
}

void cd_drive_reset(CdDrive *cd)
{
    cd->is_tray_locked = false;
}
