/*
 * Fuzzes the commands of a CD drive: the first byte says how it is carried and what disc is in it,
 * then come commands of 16 bytes. What is answered fits, what is to be read is on the disc.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cd_drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t discs[] = { 0, 2047, 2048, 100 * 2048, 650 * MiB, 4 * GiB, UINT64_C(1) << 45 };

static void check(const CdDrive *cd, const CdReply *reply)
{
    switch (reply->answer) {
    case CD_DONE:
        break;
    case CD_FAILED:
        g_assert_cmpuint(cd->sense.key, !=, 0);
        break;
    case CD_DATA:
        g_assert_cmpuint(reply->bytes, <=, CD_REPLY_BYTES);
        break;
    case CD_READ:
        g_assert_true(cd->has_medium && !cd->is_tray_open && reply->blocks);
        g_assert_cmpuint(reply->block, <, cd->blocks);
        g_assert_cmpuint(reply->blocks, <=, cd->blocks - reply->block);
        break;
    }
}

static void change(CdDrive *cd, uint8_t what)
{
    uint64_t bytes = discs[what % ARRAY_SIZE(discs)];

    if (what & 0x80) {
        cd_drive_load(cd, what & 1);
    } else if (what & 0x40) {
        cd_drive_eject_request(cd, what & 1);
    } else {
        cd_drive_changed(cd, bytes, bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *room = g_malloc(CD_REPLY_BYTES);
    CdDrive cd = { .identity = { "QEMU", "CD", "1", "serial", "a device's name", 5, 6, 7 } };

    if (size) {
        cd.scsi_version = *data & 8 ? 5 : 0;
        change(&cd, *data++ & 7);
        size--;
    }
    while (size > SCSI_CDB_BYTES) {
        CdReply reply = { .data = room };

        if (*data) {
            change(&cd, *data);
        }
        cd_drive_execute(&cd, data + 1, &reply);
        check(&cd, &reply);
        data += SCSI_CDB_BYTES + 1;
        size -= SCSI_CDB_BYTES + 1;
    }
    return 0;
}
