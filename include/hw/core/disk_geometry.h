/*
 * Cylinders, heads and sectors of disks that have none: what firmware and old guests are told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DISK_GEOMETRY_H
#define HW_CORE_DISK_GEOMETRY_H

typedef enum DiskTranslation {
    DISK_TRANSLATION_AUTO,
    DISK_TRANSLATION_NONE,
    DISK_TRANSLATION_LBA,
    DISK_TRANSLATION_LARGE,
    DISK_TRANSLATION_RECHS,
    DISK_TRANSLATIONS
} DiskTranslation;

typedef struct DiskGeometry {
    uint32_t cyls, heads, secs;
    DiskTranslation translation; /* how a BIOS gets from these to its own */
} DiskGeometry;

/*
 * Of a disk of so many sectors of 512 bytes. `mbr` (512 bytes) is its first sector: the geometry a
 * partition table was made with is kept. NULL: not known.
 */
void disk_geometry_guess(uint64_t sectors, const uint8_t *mbr, DiskGeometry *geometry);
/* For geometries that were given. */
DiskTranslation disk_geometry_translation(const DiskGeometry *geometry);

#endif
