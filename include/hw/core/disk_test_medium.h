/*
 * A medium in memory for tests: answers at once, or when told; may fail.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DISK_TEST_MEDIUM_H
#define HW_CORE_DISK_TEST_MEDIUM_H

#include "hw/core/disk_medium.h"

#define TEST_MEDIUM_QUEUE 32

typedef struct TestMedium {
    DiskMedium parent;
    uint8_t *bytes;
    bool is_deferred;      /* requests wait for test_medium_answer() */
    int error;             /* of the next requests */
    unsigned flushes, discards;
    DiskRequest *queue[TEST_MEDIUM_QUEUE];
    unsigned queued;
} TestMedium;

/* Sector n is filled with the 32-bit number n. */
void test_medium_init(TestMedium *medium, uint64_t sectors);
void test_medium_clear(TestMedium *medium);
void test_medium_answer(TestMedium *medium);

#endif
