/*
 * What the tests of the memory core stand on: a memory of their own, and a device that is bytes
 * with a log of calls.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MEMORY_FIXTURE_H
#define SYSTEM_MEMORY_FIXTURE_H

#include "system/address_space.h"

/* A machine's memory of its own: 1 MiB of RAM at 0, whatever a test adds. */
typedef struct Fixture {
    MemoryRegion root, ram;
    AddressSpace as;
} Fixture;

#define DEVICE_ADDR 0x1000000

/* Bytes, with a log of calls; values in and out are as the ops' order says. */
typedef struct Device {
    MemoryRegion region;
    MemoryOps ops;
    uint8_t bytes[64];
    char log[256];
    bool saw_lock;
    Fixture *fixture;
    MemTxResult inner;
} Device;

/* For g_test_add(). */
void fixture_set_up(Fixture *f, const void *data);
void fixture_tear_down(Fixture *f, const void *data);
/* They must be answered. */
uint64_t fixture_load(Fixture *f, GuestAddr addr, MemFormat format);
void fixture_store(Fixture *f, GuestAddr addr, MemFormat format, uint64_t value);
/* The device's operations, for others to use; device_plug() fills them in. */
uint64_t device_read(void *opaque, uint64_t offset, unsigned bytes);
void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes);
/* At DEVICE_ADDR, with bytes 0x10, 0x11... */
void device_plug(Fixture *f, Device *d, const MemoryOps *ops);
void device_unplug(Fixture *f, Device *d);

#endif
