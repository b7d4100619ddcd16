/*
 * What the memory core costs: rendering after a change among N regions, looking an address up, an
 * access to RAM and to a device. Prints nanoseconds; the least of several rounds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <time.h>

#include "system/address_space.h"
#include "system/machine_lock.h"
#include "system/memory_listener.h"

#define ROUNDS 7

/* Of this thread alone: others may keep the host busy. */
static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * (uint64_t)NS_PER_SEC + ts.tv_nsec;
}

typedef struct Bench {
    unsigned count;
    MemoryRegion *regions;
    MemoryRegion ram;
    uint64_t sink;
} Bench;

static uint64_t device_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return offset;
}

static void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
}

static const MemoryOps locked_ops = {
    .read = device_read, .write = device_write, .endian = ENDIAN_LITTLE,
};
static const MemoryOps lock_free_ops = {
    .read = device_read, .write = device_write, .endian = ENDIAN_LITTLE, .is_lock_free = true,
};

static GuestAddr address_of(unsigned i)
{
    return GiB + i * UINT64_C(0x2000);
}

static void set_up(Bench *b, unsigned count)
{
    b->count = count;
    b->regions = g_new(MemoryRegion, count);
    memory_transaction_begin();
    for (unsigned i = 0; i < count; i++) {
        memory_region_init_io(&b->regions[i], NULL, i & 1 ? &locked_ops : &lock_free_ops, "device",
                              0x1000);
        /* Placed in no order. */
        memory_region_add(memory_region_system(), address_of(i * 7919u % count), &b->regions[i]);
    }
    assert(memory_region_init_ram(&b->ram, NULL, "ram", 64 * MiB, NULL));
    memory_region_add(memory_region_system(), 0, &b->ram);
    memory_transaction_commit();
}

/* One region is switched off and on: two renderings. */
static void render(Bench *b, unsigned times)
{
    for (unsigned i = 0; i < times / 2; i++) {
        memory_region_set_enabled(&b->regions[b->count / 2], false);
        memory_region_set_enabled(&b->regions[b->count / 2], true);
    }
}

static void find_same(Bench *b, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        MemoryTarget target;

        rcu_lock();
        address_space_find(address_space_system(), address_of(b->count / 3), MEM_TX_NONE, false,
                           &target);
        b->sink += target.offset;
        rcu_unlock();
    }
}

static void find_any(Bench *b, unsigned times)
{
    unsigned at = 1;

    for (unsigned i = 0; i < times; i++) {
        MemoryTarget target;

        at = at * 1664525 + 1013904223;
        rcu_lock();
        address_space_find(address_space_system(), address_of((at >> 8) % b->count), MEM_TX_NONE,
                           false, &target);
        b->sink += target.offset;
        rcu_unlock();
    }
}

static void load_from(Bench *b, GuestAddr addr, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        uint64_t value;

        address_space_load(address_space_system(), addr, MEM_LE32, MEM_TX_NONE, &value);
        b->sink += value;
    }
}

static void load_ram(Bench *b, unsigned times)
{
    load_from(b, 0x1000, times);
}

/* Even regions are lock-free. */
static GuestAddr device_address(const Bench *b, unsigned parity)
{
    unsigned i = b->count / 2 / 2 * 2 + parity;

    return address_of(i * 7919u % b->count) + 8;
}

static void load_lock_free(Bench *b, unsigned times)
{
    load_from(b, device_address(b, 0), times);
}

static void load_locked(Bench *b, unsigned times)
{
    load_from(b, device_address(b, 1), times);
}

static void write_buffer(Bench *b, unsigned times)
{
    uint8_t buf[64] = { 1 };

    for (unsigned i = 0; i < times; i++) {
        address_space_write(address_space_system(), 0x1000 + i % 64, MEM_TX_NONE, buf,
                            sizeof(buf));
    }
}

typedef struct Row {
    const char *name;
    void (*run)(Bench *b, unsigned times);
    unsigned times;
} Row;

static const Row rows[] = {
    { "render", render, 200 },
    { "find, same address", find_same, 1000000 },
    { "find, any address", find_any, 1000000 },
    { "load from RAM", load_ram, 1000000 },
    { "load from a lock-free device", load_lock_free, 1000000 },
    { "load from a locked device", load_locked, 1000000 },
    { "write 64 bytes to RAM", write_buffer, 1000000 },
};

static double measure(Bench *b, const Row *row)
{
    uint64_t best = UINT64_MAX;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t start = now_ns();

        row->run(b, row->times);
        best = MIN(best, now_ns() - start);
    }
    return (double)best / row->times;
}

int main(int argc, char **argv)
{
    Bench b = { 0 };

    set_up(&b, argc > 1 ? MAX(2, atoi(argv[1])) : 1000);
    printf("%u regions\n", b.count);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        printf("%-30s %10.1f ns\n", rows[i].name, measure(&b, &rows[i]));
    }
    return b.sink == 1;
}
