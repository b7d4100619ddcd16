/*
 * A dump of the guest's memory: what is dumped, where it goes, how far it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef DUMP_DUMP_PARTS_H
#define DUMP_DUMP_PARTS_H

#include "hw/core/cpu_debug.h"

/* Guest physical memory in one piece. */
typedef struct DumpBlock {
    GuestAddr first;
    uint64_t bytes;
} DumpBlock;

typedef struct Dump {
    int fd;
    bool is_paged, is_kdump;
    GArray *blocks;     /* of DumpBlock, by address */
    GArray *mappings;   /* of CpuMapping: what the file says is where */
    GByteArray *notes;  /* as in the file */
    uint16_t machine;   /* ELF's */
    uint64_t total, completed; /* bytes; completed is atomic */
} Dump;

/* Memory between begin and begin + length (0: all), CPUs' notes and mappings. vCPUs are stopped. */
void dump_collect(Dump *dump, bool has_range, uint64_t begin, uint64_t length);
void dump_clear(Dump *dump);

/* To the file, all of it. */
bool dump_write(Dump *dump, const void *data, size_t size, Error **errp);

/* The file, from its start to its end; any thread. */
bool dump_write_elf(Dump *dump, Error **errp);
bool dump_write_kdump(Dump *dump, Error **errp);
/* Of what has been collected: the format has a place for it. */
bool dump_can_kdump(const Dump *dump, Error **errp);

#endif
