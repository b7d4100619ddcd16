/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_OPEN_H
#define BLOCK_OPEN_H

#include "block/driver.h"

/* Options of the node that `filename` says; NULL: it is not understood. */
BlockdevOptions *block_protocol_options(const char *filename, Error **errp);
/* The format that a node looks like; NULL: it cannot be read. Blocking. */
const BlockDriver *block_probe_node(BlockNode *node, Error **errp);

#endif
