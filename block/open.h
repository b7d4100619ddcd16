/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_OPEN_H
#define BLOCK_OPEN_H

#include "block/driver.h"

/* Options of the node that `filename` says; NULL: it is not understood. */
BlockdevOptions *block_protocol_options(const char *filename, Error **errp);
/* Both are one to their user: the lower one takes flags from the upper one. */
void block_node_join(BlockNode *node, BlockNode *protocol);
/* The format that a node looks like; NULL: it cannot be read. Blocking. */
const BlockDriver *block_probe_node(BlockNode *node, Error **errp);

#endif
