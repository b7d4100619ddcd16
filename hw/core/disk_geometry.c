/*
 * See hw/core/disk_geometry.h. Limits are those of the BIOS' interrupt 13h (1024 cylinders, 256
 * heads, 63 sectors) and of ATA (16383, 16, 63).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/disk_geometry.h"

#include "util/byte_order.h"

#define MAX_CYLS      16383
#define MAX_HEADS     16
#define MAX_SECS      63
#define BIOS_CYLS     1024
#define LARGE_TRACKS  131072 /* 1024 cylinders of 128 heads: beyond, only LBA helps */

/* The geometry of the first partition whose last sector says one; false: none does. */
static bool from_partitions(uint64_t sectors, const uint8_t *mbr, DiskGeometry *geometry)
{
    if (!mbr || load_le16(mbr + 510) != 0xaa55) {
        return false;
    }
    for (unsigned n = 0; n < 4; n++) {
        const uint8_t *entry = mbr + 446 + 16 * n;
        uint32_t heads = entry[5] + 1, secs = entry[6] & 63;
        uint64_t cyls = secs ? sectors / (heads * secs) : 0;

        if (load_le32(entry + 12) && entry[5] && cyls >= 1 && cyls <= MAX_CYLS) {
            *geometry = (DiskGeometry){ cyls, heads, secs, DISK_TRANSLATION_NONE };
            return true;
        }
    }
    return false;
}

static void from_size(uint64_t sectors, DiskGeometry *geometry)
{
    uint64_t cyls = sectors / (MAX_HEADS * MAX_SECS);

    *geometry = (DiskGeometry){ CLAMP(cyls, 2, MAX_CYLS), MAX_HEADS, MAX_SECS,
                                DISK_TRANSLATION_NONE };
}

DiskTranslation disk_geometry_translation(const DiskGeometry *geometry)
{
    if (geometry->cyls <= BIOS_CYLS && geometry->heads <= MAX_HEADS &&
        geometry->secs <= MAX_SECS) {
        return DISK_TRANSLATION_NONE;
    }
    return geometry->cyls * geometry->heads <= LARGE_TRACKS ? DISK_TRANSLATION_LARGE :
                                                              DISK_TRANSLATION_LBA;
}

void disk_geometry_guess(uint64_t sectors, const uint8_t *mbr, DiskGeometry *geometry)
{
    DiskGeometry logical;

    if (!from_partitions(sectors, mbr, &logical)) {
        from_size(sectors, geometry);
        geometry->translation = disk_geometry_translation(geometry);
    } else if (logical.heads > MAX_HEADS) {
        /* A BIOS made this one up: it comes to it again from the physical one. */
        from_size(sectors, geometry);
        geometry->translation = geometry->cyls * geometry->heads <= LARGE_TRACKS ?
                                    DISK_TRANSLATION_LARGE : DISK_TRANSLATION_LBA;
    } else {
        *geometry = logical;
        geometry->translation = DISK_TRANSLATION_NONE;
    }
}
