/*
 * Files that an image names: its backing file, its data file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BACKING_H
#define BLOCK_BACKING_H

#include "block/driver.h"

/* `name` as a path from here; NULL: it is relative to what has no path. Free it. */
char *block_backing_path(BlockNode *node, const char *name, Error **errp);
/* The same for an image that is not open. */
char *block_backing_path_of(const char *filename, const char *name, Error **errp);
/* Opens what an image names. `role` "backing": relative to the image, read-only, in `format`, or
 * what it looks like if that is NULL; others: as it stands there, the bytes as they are. */
bool block_backing_attach(BlockNode *node, const char *role, const char *name, const char *format,
                          Error **errp);

#endif
