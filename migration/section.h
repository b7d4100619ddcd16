/*
 * Section: the head of a record that belongs to one migratable: its id (u8 length, text), its
 * instance (u32) and what it is (u8 length, text).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_SECTION_H
#define MIGRATION_SECTION_H

#include "system/migratable.h"

/* Replaces what is in `body`. */
void section_begin(GByteArray *body, const Migratable *m);
/* The migratable that a record is about, with `r` behind the head. NULL: there is none like it. */
Migratable *section_find(VMReader *r, Error **errp);
/* Puts "section 'ID'" in front of an error. */
void section_prefix(const Migratable *m, Error **errp);

#endif
