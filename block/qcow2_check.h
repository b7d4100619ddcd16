/*
 * What a qcow2 image's tables lead to, counted: what checking it and making its counts anew begin
 * with.
 *
 * With the image's lock; nobody else is inside, and all tables are on the disk.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_QCOW2_CHECK_H
#define BLOCK_QCOW2_CHECK_H

#include "block/qcow2.h"

#define QCOW2_CHECK_BITS 6 /* of clusters that are counted side by side */

/* How often clusters are led to. */
typedef struct Qcow2CheckPage {
    uint64_t first;
    uint32_t counts[BIT(QCOW2_CHECK_BITS)];
} Qcow2CheckPage;

typedef struct Qcow2Check {
    BlockQcow2 *image;
    BlockCheck *result;
    unsigned fixes;
    GHashTable *pages;   /* first cluster >> QCOW2_CHECK_BITS -> Qcow2CheckPage */
    uint64_t end;        /* no cluster from here on is led to */
    uint64_t file_bytes;
    uint64_t next;       /* host offset that would go on from the last data; 0: none yet */
    bool needs_rebuild;  /* the counts cannot be used */
} Qcow2Check;

/* --- qcow2_check.c --- */

/* Its pages are the caller's to free. */
Qcow2Check qcow2_check_of(BlockQcow2 *image, unsigned fixes, BlockCheck *result);
Qcow2CheckPage *qcow2_check_page(Qcow2Check *check, uint64_t cluster);
uint32_t *qcow2_check_count(Qcow2Check *check, uint64_t cluster);
/* In order; borrowed. */
GPtrArray *qcow2_check_pages(Qcow2Check *check);
/* Counts all; a negative errno. */
int qcow2_check_all(Qcow2Check *check);
/* With the counts that the image has. */
void qcow2_check_compare(Qcow2Check *check);

/* --- qcow2_recount.c --- */

/* New counts from what is counted, without those that the old ones took. */
int qcow2_check_rebuild(Qcow2Check *check);

#endif
