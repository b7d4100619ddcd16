/*
 * The memory map as text, for people. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MEMORY_INFO_H
#define SYSTEM_MEMORY_INFO_H

typedef struct MemoryTreeOptions {
    bool is_flat;        /* -f: views instead of trees */
    bool with_dispatch;  /* -d: with -f, how addresses are looked up */
    bool with_owners;    /* -o */
    bool with_disabled;  /* -D */
} MemoryTreeOptions;

/* "info mtree". */
void memory_print_tree(GString *out, MemoryTreeOptions options);
/* "info ramblock". */
void memory_print_ram_blocks(GString *out);

#endif
