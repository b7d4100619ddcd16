/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_QUERY_H
#define BLOCK_QUERY_H

#include "block/driver.h"

/* What an image says of itself, and those behind it. Freed by the caller. */
ImageInfo *block_image_info(BlockNode *node, bool with_chain);

#endif
