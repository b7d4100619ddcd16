/*
 * ELF files as loaders see them: an entry point, and what goes where (System V ABI, chapters 4
 * and 5; 32 and 64 bits, both byte orders, any machine). Sections, symbols and dynamic linking
 * mean nothing here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_ELF_IMAGE_H
#define HW_CORE_ELF_IMAGE_H

#include "qom/error.h"
#include "util/byte_order.h"

typedef struct ElfSegment {
    uint64_t addr;         /* physical */
    uint64_t memory_bytes; /* zeroed behind the file's */
    const uint8_t *bytes;  /* in the file */
    uint64_t file_bytes;   /* at most memory_bytes */
} ElfSegment;

typedef struct ElfImage {
    uint64_t entry;
    uint16_t machine; /* EM_* */
    bool is_64;
    Endian endian;
    GArray *segments; /* ElfSegment, those with memory */
    GArray *notes;    /* ElfSegment, what PT_NOTE headers point to */
} ElfImage;

bool elf_is_image(const uint8_t *file, size_t size);
/* Points into `file`. False: it is damaged; nothing to clear. */
bool elf_image_init(ElfImage *image, const uint8_t *file, size_t size, Error **errp);
void elf_image_clear(ElfImage *image);
/* The content of the first note of this owner and type; NULL: there is none. Borrowed. */
const uint8_t *elf_image_note(const ElfImage *image, const char *owner, uint32_t type,
                              size_t *size);

#endif
