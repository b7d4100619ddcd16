/*
 * Internal snapshots of a qcow2 image: see block/qcow2_snapshot.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2_snapshot.h"

#include "qapi/qapi-types-block-core.h"
#include "util/byte_order.h"

#define ENTRY_BYTES   40
#define EXTRA_BYTES   24 /* that we know */
#define MAX_EXTRA     1024
#define MAX_TABLE     (64 * MiB)

bool qcow2_snapshot_is_at(const BlockQcow2 *image, uint64_t offset, uint64_t bytes)
{
    for (uint32_t i = 0; i < image->header.snapshots && image->snapshots; i++) {
        const Qcow2Snapshot *snapshot = &image->snapshots[i];
        uint64_t end = snapshot->l1_offset + snapshot->l1_entries * UINT64_C(8);

        if (offset < end && snapshot->l1_offset < offset + bytes) {
            return true;
        }
    }
    return false;
}

void qcow2_snapshot_clear(Qcow2Snapshot *snapshot)
{
    g_free(snapshot->id);
    g_free(snapshot->name);
    g_free(snapshot->rest);
}

void qcow2_snapshots_clear(BlockQcow2 *image)
{
    for (uint32_t i = 0; i < image->header.snapshots && image->snapshots; i++) {
        qcow2_snapshot_clear(&image->snapshots[i]);
    }
    g_clear_pointer(&image->snapshots, g_free);
}

/* --- reading --- */

static void parse_extra(const BlockQcow2 *image, Qcow2Snapshot *snapshot, const uint8_t *at,
                        uint32_t bytes)
{
    snapshot->disk_bytes = bytes >= 16 ? load_be64(at + 8) : image->header.bytes;
    if (bytes >= 8) {
        snapshot->vm_state_bytes = load_be64(at);
    }
    snapshot->icount = bytes >= EXTRA_BYTES ? load_be64(at + 16) : UINT64_MAX;
    if (bytes > EXTRA_BYTES) {
        snapshot->rest_bytes = bytes - EXTRA_BYTES;
        snapshot->rest = g_memdup2(at + EXTRA_BYTES, snapshot->rest_bytes);
    }
}

static int read_one(BlockQcow2 *image, uint64_t *offset, Qcow2Snapshot *snapshot)
{
    uint8_t head[ENTRY_BYTES], *at;
    uint32_t id, name, extra;
    g_autofree uint8_t *rest = NULL;
    int err = block_read(image->parent.file, *offset, head, sizeof(head));

    if (err) {
        return err;
    }
    id = load_be16(head + 12);
    name = load_be16(head + 14);
    extra = load_be32(head + 36);
    if (extra > MAX_EXTRA) {
        return -EFBIG;
    }
    *snapshot = (Qcow2Snapshot){
        .l1_offset = load_be64(head), .l1_entries = load_be32(head + 8),
        .date_sec = load_be32(head + 16), .date_nsec = load_be32(head + 20),
        .vm_clock_ns = load_be64(head + 24), .vm_state_bytes = load_be32(head + 32),
    };
    at = rest = g_malloc(extra + id + name + 1);
    err = block_read(image->parent.file, *offset + sizeof(head), rest, extra + id + name);
    if (err) {
        return err;
    }
    parse_extra(image, snapshot, at, extra);
    snapshot->id = g_strndup((char *)at + extra, id);
    snapshot->name = g_strndup((char *)at + extra + id, name);
    *offset += ROUND_UP((uint64_t)sizeof(head) + extra + id + name, 8);
    return 0;
}

static bool check_one(const BlockQcow2 *image, const Qcow2Snapshot *snapshot, Error **errp)
{
    if (snapshot->l1_offset & (image->cluster - 1) || snapshot->l1_offset > BLOCK_MAX_BYTES ||
        snapshot->l1_entries > QCOW2_MAX_L1_BYTES / 8) {
        return error_set(errp, "Snapshot '%s' has an invalid L1 table", snapshot->id);
    }
    return true;
}

bool qcow2_snapshots_load(BlockQcow2 *image, Error **errp)
{
    uint64_t offset = image->header.snapshots_offset;

    image->snapshots = g_new0(Qcow2Snapshot, image->header.snapshots);
    for (uint32_t i = 0; i < image->header.snapshots; i++) {
        int err = read_one(image, &offset, &image->snapshots[i]);

        if (offset - image->header.snapshots_offset > MAX_TABLE) {
            err = -EFBIG;
        }
        if (err) {
            return error_set_errno(errp, -err, "Could not read snapshots");
        }
        if (!check_one(image, &image->snapshots[i], errp)) {
            return false;
        }
    }
    image->snapshots_bytes = offset - image->header.snapshots_offset;
    return true;
}

/* --- telling --- */

SnapshotInfoArray *qcow2_snapshots_info(const BlockQcow2 *image)
{
    SnapshotInfoArray *list = image->header.snapshots ? g_new0(SnapshotInfoArray, 1) : NULL;

    for (uint32_t i = 0; i < image->header.snapshots; i++) {
        const Qcow2Snapshot *from = &image->snapshots[i];
        SnapshotInfo *info = g_new0(SnapshotInfo, 1);

        info->id = g_strdup(from->id);
        info->name = g_strdup(from->name);
        info->vm_state_size = from->vm_state_bytes;
        info->date_sec = from->date_sec;
        info->date_nsec = from->date_nsec;
        info->vm_clock_sec = from->vm_clock_ns / NS_PER_SEC;
        info->vm_clock_nsec = from->vm_clock_ns % NS_PER_SEC;
        info->has_icount = from->icount != UINT64_MAX;
        info->icount = from->icount;
        snapshot_info_array_add(list, info);
    }
    return list;
}
