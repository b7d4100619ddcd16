/*
 * Making new images.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_CREATE_H
#define BLOCK_CREATE_H

#include "block/driver.h"

/* A node as a link to it; borrows nothing. Freed by the caller. */
BlockdevRef *block_ref_to(const BlockNode *node);
/* What `ref` says, opened or found: a new reference. */
BlockNode *block_open_ref(const BlockdevRef *ref, Error **errp);

#endif
