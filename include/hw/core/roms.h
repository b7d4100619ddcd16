/*
 * Roms: bytes that every reset of the machine writes to guest memory: firmware, kernels, what
 * the `loader` device loads. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_ROMS_H
#define HW_CORE_ROMS_H

#include "qom/error.h"

typedef struct Rom Rom;

typedef struct RomSpec {
    const char *name;   /* what people know it by; copied */
    uint64_t addr;      /* in the system's memory */
    uint64_t size_bytes; /* what is behind the bytes is zeroed */
    const void *bytes;  /* copied */
    size_t byte_count;  /* at most size_bytes */
    bool is_borrowed;   /* `bytes` outlive the rom and are not copied */
} RomSpec;

/*
 * Roms may not overlap: NULL with *errp set. It is written at the next reset. The caller may
 * rom_remove() it; what it wrote stays.
 */
Rom *rom_add(const RomSpec *spec, Error **errp);
void rom_remove(Rom *rom); /* NULL is fine */
/* `info roms`: by address. */
void roms_print(GString *out);

#endif
