/*
 * Free pages: while a migration sends all of guest memory for the first time, devices tell which pages
 * hold nothing (virtio-balloon's hints), and it leaves those out. What is written later is sent in any
 * case: it is dirty, whatever was told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_FREE_PAGES_H
#define SYSTEM_FREE_PAGES_H

#include "system/ram_block.h"
#include "util/notifier.h"

/* --- who knows of free pages; machine lock --- */

/* What those who know are told. */
typedef enum FreePagesStage {
    FREE_PAGES_WANTED,
    FREE_PAGES_ENOUGH, /* all was sent once */
    FREE_PAGES_OVER,   /* the migration is over: pages need not be kept free any longer */
} FreePagesStage;

/* Called with a FreePagesStage *. Leave with notifier_remove(). */
void free_pages_add_teller(Notifier *teller);
/* Whole pages within the range hold nothing. No effect while they are not wanted. */
void free_pages_tell(RamBlock *block, uint64_t offset, uint64_t bytes);

/* --- the migration; machine lock --- */

void free_pages_begin(void);
void free_pages_enough(void);
void free_pages_end(void);
/* By DIRTY_PAGE_BYTES, until free_pages_end(); NULL: nobody tells. Bits are read in any thread. */
const uint64_t *free_pages_of(const RamBlock *block);

#endif
