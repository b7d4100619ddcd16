/*
 * What a disk says of itself: INQUIRY with vital product data (SPC-4 6.6, 7.8; SBC-3 6.6), mode
 * pages (SPC-4 7.5, SBC-3 6.5). Of the pages, only the cache's mode can be changed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "scsi_disk.h"

#include "util/byte_order.h"

#define MAX_PAGE 256

/* --- vital product data: each fills from its fourth byte on; how many bytes --- */

static unsigned vpd_pages(const ScsiDisk *disk, uint8_t *data)
{
    static const uint8_t pages[] = { SCSI_VPD_PAGES, SCSI_VPD_IDENTIFICATION, 0xb0, 0xb1, 0xb2 };
    unsigned count = 0;

    for (size_t i = 0; i < sizeof(pages); i++) {
        data[count++] = pages[i];
        if (!pages[i] && disk->serial) {
            data[count++] = SCSI_VPD_SERIAL;
        }
    }
    return count;
}

static unsigned vpd_serial(const ScsiDisk *disk, uint8_t *data)
{
    ScsiIdentity identity = scsi_disk_identity(disk);

    return scsi_identity_put_serial(&identity, data);
}

static unsigned vpd_identification(const ScsiDisk *disk, uint8_t *data)
{
    ScsiIdentity identity = scsi_disk_identity(disk);

    return scsi_identity_put_designators(&identity, data);
}

static unsigned vpd_limits(const ScsiDisk *disk, uint8_t *data)
{
    uint64_t block = disk->conf.logical_bytes, granularity = disk->conf.discard_bytes;
    uint64_t blocks = disk->max_io_bytes / block;

    data[0] = 1; /* WRITE SAME of no blocks is an error */
    store_be16(data + 2, disk->conf.min_io_bytes / block);
    store_be32(data + 4, MIN(blocks, UINT32_MAX));
    store_be32(data + 8, disk->conf.opt_io_bytes / block);
    store_be32(data + 16, MIN(disk->max_unmap_bytes / block, UINT32_MAX));
    store_be32(data + 20, 255); /* ranges of UNMAP */
    store_be32(data + 24, granularity / block);
    store_be64(data + 32, MIN(disk->max_unmap_bytes / block, UINT32_MAX)); /* WRITE SAME */
    return 60;
}

static unsigned vpd_characteristics(const ScsiDisk *disk, uint8_t *data)
{
    store_be16(data, disk->rotation_rate);
    return 60;
}

static unsigned vpd_provisioning(const ScsiDisk *disk, uint8_t *data)
{
    data[1] = 0xe0; /* UNMAP, WRITE SAME with it */
    data[2] = 2;    /* thin */
    return 4;
}

static const struct {
    uint8_t page;
    unsigned (*fill)(const ScsiDisk *disk, uint8_t *data);
} vpd[] = {
    { SCSI_VPD_PAGES, vpd_pages }, { SCSI_VPD_SERIAL, vpd_serial },
    { SCSI_VPD_IDENTIFICATION, vpd_identification },
    { 0xb0, vpd_limits }, { 0xb1, vpd_characteristics }, { 0xb2, vpd_provisioning },
};

static void inquire_page(ScsiDisk *disk, ScsiRequest *request)
{
    uint8_t data[SCSI_VPD_BYTES] = { 0, request->cdb[2] };

    for (size_t i = 0; i < ARRAY_SIZE(vpd); i++) {
        if (vpd[i].page == request->cdb[2] && (vpd[i].page != SCSI_VPD_SERIAL || disk->serial)) {
            unsigned bytes = vpd[i].fill(disk, data + 4);

            store_be16(data + 2, bytes);
            scsi_reply(request, data, 4 + bytes, load_be16(request->cdb + 3));
            return;
        }
    }
    scsi_fail(request, SCSI_INVALID_FIELD);
}

void scsi_disk_inquiry(ScsiDisk *disk, ScsiRequest *request)
{
    ScsiIdentity identity = scsi_disk_identity(disk);
    uint8_t data[SCSI_INQUIRY_BYTES] = { 0 };

    if (request->cdb[1] & 1) {
        inquire_page(disk, request);
        return;
    }
    if (request->cdb[2]) {
        scsi_fail(request, SCSI_INVALID_FIELD);
        return;
    }
    data[1] = disk->is_removable ? 0x80 : 0;
    data[2] = disk->scsi_version;
    data[3] = 0x12; /* hierarchical LUNs, the usual format */
    data[4] = sizeof(data) - 5;
    data[7] = 0x12; /* queues commands, transfers synchronously */
    scsi_identity_put_names(&identity, data);
    scsi_reply(request, data, sizeof(data), load_be16(request->cdb + 3));
}

/* --- mode pages --- */

enum { PAGE_ERROR_RECOVERY = 0x01, PAGE_GEOMETRY = 0x04, PAGE_CACHING = 0x08, PAGE_ALL = 0x3f };
enum { CONTROL_CURRENT, CONTROL_CHANGEABLE, CONTROL_DEFAULT, CONTROL_SAVED };
#define CACHING_WCE 0x04

static unsigned fill_error_recovery(const ScsiDisk *disk, unsigned control, uint8_t *page)
{
    page[0] = PAGE_ERROR_RECOVERY;
    page[1] = 10;
    page[2] = control == CONTROL_CHANGEABLE ? 0 : 0x80; /* reassigns blocks when written */
    return 12;
}

static unsigned fill_geometry(const ScsiDisk *disk, unsigned control, uint8_t *page)
{
    page[0] = PAGE_GEOMETRY;
    page[1] = 22;
    if (control != CONTROL_CHANGEABLE) {
        store_be16(page + 3, disk->cyls);
        page[2] = disk->cyls >> 16;
        page[5] = disk->heads;
        store_be16(page + 20, 5400);
    }
    return 24;
}

static unsigned fill_caching(const ScsiDisk *disk, unsigned control, uint8_t *page)
{
    bool is_on = control == CONTROL_CHANGEABLE || (control == CONTROL_DEFAULT ?
                     disk->had_write_cache : disk->has_write_cache);

    page[0] = PAGE_CACHING;
    page[1] = 18;
    page[2] = is_on ? CACHING_WCE : 0;
    return 20;
}

static const struct {
    uint8_t page;
    unsigned (*fill)(const ScsiDisk *disk, unsigned control, uint8_t *page);
} pages[] = {
    { PAGE_ERROR_RECOVERY, fill_error_recovery }, { PAGE_GEOMETRY, fill_geometry },
    { PAGE_CACHING, fill_caching },
};

static unsigned fill_pages(const ScsiDisk *disk, const uint8_t *cdb, uint8_t *data)
{
    unsigned wanted = cdb[2] & 0x3f, bytes = 0;

    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        if (wanted == pages[i].page || wanted == PAGE_ALL) {
            bytes += pages[i].fill(disk, cdb[2] >> 6, data + bytes);
        }
    }
    return bytes;
}

static unsigned fill_block_descriptor(const ScsiDisk *disk, uint8_t *data)
{
    uint64_t blocks = scsi_disk_blocks(disk);

    store_be32(data, blocks > 0xffffff ? 0 : blocks);
    store_be32(data + 4, disk->conf.logical_bytes);
    return 8;
}

void scsi_disk_mode_sense(ScsiDisk *disk, ScsiRequest *request)
{
    const uint8_t *cdb = request->cdb;
    bool is_long = cdb[0] == 0x5a, has_descriptor = !(cdb[1] & 8);
    unsigned head = is_long ? 8 : 4, bytes = head, found;
    uint8_t data[MAX_PAGE] = { 0 };

    if (cdb[2] >> 6 == CONTROL_SAVED) {
        scsi_fail(request, SCSI_NO_SAVED_PAGES);
        return;
    }
    bytes += has_descriptor ? fill_block_descriptor(disk, data + bytes) : 0;
    found = fill_pages(disk, cdb, data + bytes);
    if (!found) {
        scsi_fail(request, SCSI_INVALID_FIELD);
        return;
    }
    bytes += found;
    data[is_long ? 3 : 2] = (disk->has_fua ? 0x10 : 0) | (block_backend_is_read_only(disk->conf.drive) ? 0x80 : 0);
    data[is_long ? 7 : 3] = has_descriptor ? 8 : 0;
    if (is_long) {
        store_be16(data, bytes - 2);
    } else {
        data[0] = bytes - 1;
    }
    scsi_reply(request, data, bytes, is_long ? load_be16(cdb + 7) : cdb[4]);
}

/* Only the bits that can be changed may differ. */
bool scsi_disk_select_page(ScsiDisk *disk, const uint8_t *page, unsigned room)
{
    uint8_t now[MAX_PAGE] = { 0 }, mask[MAX_PAGE] = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        unsigned bytes = pages[i].page != (page[0] & 0x3f) ? 0 :
                             pages[i].fill(disk, CONTROL_CURRENT, now);

        if (!bytes || room < bytes || page[1] != now[1]) {
            continue;
        }
        pages[i].fill(disk, CONTROL_CHANGEABLE, mask);
        for (unsigned k = 2; k < bytes; k++) {
            if ((page[k] ^ now[k]) & ~mask[k]) {
                return false;
            }
        }
        if (pages[i].page == PAGE_CACHING) {
            scsi_disk_set_write_cache(disk, page[2] & CACHING_WCE);
        }
        return true;
    }
    return false;
}

void scsi_disk_mode_select(ScsiDisk *disk, ScsiRequest *request, ScsiPageFn *select)
{
    const uint8_t *cdb = request->cdb;
    bool is_long = cdb[0] == 0x55;
    uint64_t length = is_long ? load_be16(cdb + 7) : cdb[4];
    unsigned head = is_long ? 8 : 4, at;
    uint8_t data[MAX_PAGE] = { 0 };
    DmaSpan span = { request->out_span.offset, MIN(length, sizeof(data)) };
    size_t got = 0;

    if ((cdb[1] & 0x11) != 0x10) { /* vendors' pages, or saved ones */
        scsi_fail(request, SCSI_INVALID_FIELD);
        return;
    }
    request->wanted = length;
    span.bytes = MIN(span.bytes, request->out_span.bytes);
    dma_list_read(request->out, span, data, &got);
    request->moved = got;
    at = head + (got >= head ? (is_long ? load_be16(data + 6) : data[3]) : 0);
    while (at + 2 <= got) {
        if (!select(disk, data + at, got - at)) {
            scsi_fail(request, SCSI_INVALID_PARAMETER);
            return;
        }
        at += 2 + data[at + 1];
    }
    scsi_end(request);
}
