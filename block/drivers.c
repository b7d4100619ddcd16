/*
 * The drivers there are: see block/driver.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/driver.h"

const BlockDriver *const block_drivers[] = {
    &block_blkdebug, &block_copy_on_read, &block_file, &block_host_device, &block_null_aio, &block_null_co,
    &block_qcow2, &block_raw, &block_throttle, NULL,
};

const BlockDriver *block_driver_of(BlockdevDriver kind)
{
    for (size_t i = 0; block_drivers[i]; i++) {
        if (block_drivers[i]->kind == kind) {
            return block_drivers[i];
        }
    }
    return NULL;
}

const BlockDriver *block_driver_find(const char *name)
{
    for (size_t i = 0; block_drivers[i]; i++) {
        if (!strcmp(block_drivers[i]->name, name)) {
            return block_drivers[i];
        }
    }
    return NULL;
}

const BlockDriver *block_driver_probe(const uint8_t *head, size_t bytes, const char *filename)
{
    const BlockDriver *best = &block_raw;
    int score = 0;

    for (size_t i = 0; block_drivers[i]; i++) {
        const BlockDriver *driver = block_drivers[i];
        int now = driver->probe ? driver->probe(head, bytes, filename) : 0;

        if (now > score) {
            score = now;
            best = driver;
        }
    }
    return best;
}
