/*
 * A check of the memory map, for the unit test and the fuzzer: bytes steer changes of a tree of
 * regions; after each commit every address is compared with a plain search of the tree, and a
 * listener's picture with the view.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MEMORY_TREE_CHECK_H
#define SYSTEM_MEMORY_TREE_CHECK_H

/* Asserts. Leaves nothing behind. */
void memory_tree_check(const uint8_t *bytes, size_t size);

#endif
