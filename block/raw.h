/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_RAW_H
#define BLOCK_RAW_H

#include "block/block_node.h"

/* Nobody said that this raw node is one: writes that make it look like another format fail. */
void block_raw_set_probed(BlockNode *node);

#endif
