/*
 * Guest memory as live state. Setup names the blocks: number (u32), then for each its id (u8
 * length, text), bytes (u64) and whether it is left out because both sides share it (u8).
 * A part is a row of runs: kind (u8), block (u32), offset (u64), bytes (u64), and for
 * RAM_RUN_DATA the bytes themselves.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_RAM_H
#define MIGRATION_RAM_H

#include "system/ram_block.h"
#include "system/vmstate_kind.h"

#define RAM_VERSION 1

typedef enum RamRun {
    RAM_RUN_DATA = 1,
    RAM_RUN_ZERO = 2,
} RamRun;

/* A block that is migrated. */
typedef struct RamPart {
    RamBlock *block;
    uint64_t bytes;
    bool is_left_out; /* x-ignore-shared */
    const uint64_t *free; /* pages that hold nothing, by bits; NULL: it is not known */
} RamPart;

/* Of RamPart, in the order of the blocks' making. Machine lock. Free the array. */
GArray *ram_parts(void);
bool ram_page_is_zero(const uint8_t *page);

/* Of the last or present migration; any thread. */
typedef struct RamReport {
    uint64_t total_bytes, left_bytes, zero_pages, data_pages, free_pages, dirty_bytes_per_round;
    uint64_t rounds;
} RamReport;
RamReport ram_report(void);

/* Makes it a part of every machine. */
void ram_register(void);

/* ram_load.c */
bool ram_load_setup(void *opaque, VMReader *r, Error **errp);
bool ram_load(void *opaque, VMReader *r, Error **errp);
bool ram_load_done(void *opaque, Error **errp);

#endif
