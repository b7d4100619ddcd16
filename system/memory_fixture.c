/*
 * What the tests of the memory core stand on: see memory_fixture.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_fixture.h"

#include "system/machine_lock.h"

void fixture_set_up(Fixture *f, const void *data)
{
    memory_region_init(&f->root, NULL, "root", MEMORY_SIZE_WHOLE);
    address_space_init(&f->as, &f->root, "test");
    assert(memory_region_init_ram(&f->ram, NULL, "ram", MiB, NULL));
    memory_region_add(&f->root, 0, &f->ram);
}

void fixture_tear_down(Fixture *f, const void *data)
{
    memory_region_remove(&f->root, &f->ram);
    address_space_clear(&f->as);
    rcu_barrier_all();
    memory_region_clear(&f->ram);
    memory_region_clear(&f->root);
    rcu_barrier_all();
}

uint64_t fixture_load(Fixture *f, GuestAddr addr, MemFormat format)
{
    uint64_t value;

    g_assert_cmpint(address_space_load(&f->as, addr, format, MEM_TX_NONE, &value), ==, MEM_TX_OK);
    return value;
}

void fixture_store(Fixture *f, GuestAddr addr, MemFormat format, uint64_t value)
{
    g_assert_cmpint(address_space_store(&f->as, addr, format, MEM_TX_NONE, value), ==, MEM_TX_OK);
}

uint64_t device_read(void *opaque, uint64_t offset, unsigned bytes)
{
    Device *d = opaque;
    size_t used = strlen(d->log);

    g_assert_cmpuint(offset + bytes, <=, sizeof(d->bytes));
    snprintf(d->log + used, sizeof(d->log) - used, "r%" PRIu64 ":%u ", offset, bytes);
    d->saw_lock = machine_lock_is_held();
    return load_bytes(d->bytes + offset, bytes, d->ops.endian);
}

void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    Device *d = opaque;
    size_t used = strlen(d->log);

    g_assert_cmpuint(offset + bytes, <=, sizeof(d->bytes));
    snprintf(d->log + used, sizeof(d->log) - used, "w%" PRIu64 ":%u ", offset, bytes);
    store_bytes(d->bytes + offset, bytes, d->ops.endian, value);
}

void device_plug(Fixture *f, Device *d, const MemoryOps *ops)
{
    memset(d, 0, sizeof(*d));
    d->ops = *ops;
    d->ops.read = device_read;
    d->ops.write = device_write;
    d->fixture = f;
    memory_region_init_io(&d->region, NULL, &d->ops, "device", sizeof(d->bytes));
    memory_region_set_opaque(&d->region, d);
    memory_region_add(&f->root, DEVICE_ADDR, &d->region);
    for (unsigned i = 0; i < sizeof(d->bytes); i++) {
        d->bytes[i] = 0x10 + i;
    }
}

void device_unplug(Fixture *f, Device *d)
{
    memory_region_remove(&f->root, &d->region);
    rcu_barrier_all();
    memory_region_clear(&d->region);
}
