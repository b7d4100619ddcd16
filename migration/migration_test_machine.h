/*
 * A machine for tests of migration: two devices, one with live state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_MIGRATION_TEST_MACHINE_H
#define MIGRATION_MIGRATION_TEST_MACHINE_H

#include "system/migratable.h"

#define TEST_LIVE_BYTES 5000

typedef struct TestMachine {
    uint32_t delay;
    uint64_t counts[4];
    char *label;
    bool has_extra;
    uint16_t extra;
    uint8_t live[TEST_LIVE_BYTES];
    size_t live_sent;
    unsigned cleanups;
    bool fails_to_save;
    Migratable *alarm, *memory;
} TestMachine;

/* The target it belongs to; first of all. */
void test_machine_set_target(void);
void test_machine_init(TestMachine *m);
/* Makes it the one that is saved or loaded. */
void test_machine_plug(TestMachine *m);
void test_machine_unplug(TestMachine *m);
void test_machine_fill(TestMachine *m);
bool test_machine_is_same(const TestMachine *a, const TestMachine *b);
void test_machine_clear(TestMachine *m);

/* The whole stream of a machine; asserts that it can be saved. */
GByteArray *test_machine_save(TestMachine *m);
/* NULL, or why the bytes do not load. Free it. */
char *test_machine_load(TestMachine *m, const uint8_t *data, size_t size);

/* The same of whatever is registered; `before_end` (may be NULL) runs before the last step. */
GByteArray *test_save(void (*before_end)(void *opaque), void *opaque);
char *test_load(const uint8_t *data, size_t size);

#endif
