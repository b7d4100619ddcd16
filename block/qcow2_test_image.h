/*
 * Images for tests of qcow2, in a folder that goes with the test; and a plain array beside one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_QCOW2_TEST_IMAGE_H
#define BLOCK_QCOW2_TEST_IMAGE_H

#include "block/driver.h"

/* The first and the last of main(). */
void image_tests_begin(int *argc, char ***argv);
int image_tests_run(void);
/* "/qcow2/NAME:REST"; `fn` gets `rest`, options of an image as below. */
void image_test_add(const char *name, const char *rest, void (*fn)(gconstpointer));

char *image_path(const char *name);
void image_make_file(const char *path);
/* A new one of that name; its path. `rest`: ",'cluster-size':4096" and such. */
char *image_new(const char *name, uint64_t bytes, const char *rest);
bool image_create(Error **errp, const char *path, uint64_t bytes, const char *rest);
BlockNode *image_open(const char *path, const char *rest);
BlockNode *image_open_text(Error **errp, const char *fmt, ...) PRINTF(2, 3);
/* Nothing is wrong, not even a leak. */
void image_check(const char *path);
/* Frees it. */
void check_error(Error *err, const char *words);

typedef struct Shadow {
    BlockNode *node;
    uint8_t *bytes;
    uint64_t size;
} Shadow;

void shadow_check(const Shadow *shadow);
/* As it is on the disk; and the end of it. */
void shadow_check_reopened(Shadow *shadow, const char *path);

#endif
