/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/address_space.h"

#include "system/machine_lock.h"

/* A machine's memory of its own: 1 MiB of RAM at 0, whatever a test adds. */
typedef struct Fixture {
    MemoryRegion root, ram;
    AddressSpace as;
} Fixture;

static void set_up(Fixture *f, const void *data)
{
    memory_region_init(&f->root, NULL, "root", MEMORY_SIZE_WHOLE);
    address_space_init(&f->as, &f->root, "test");
    assert(memory_region_init_ram(&f->ram, NULL, "ram", MiB, NULL));
    memory_region_add(&f->root, 0, &f->ram);
}

static void tear_down(Fixture *f, const void *data)
{
    memory_region_remove(&f->root, &f->ram);
    address_space_clear(&f->as);
    rcu_barrier_all();
    memory_region_clear(&f->ram);
    memory_region_clear(&f->root);
    rcu_barrier_all();
}

static uint64_t load(Fixture *f, GuestAddr addr, MemFormat format)
{
    uint64_t value;

    g_assert_cmpint(address_space_load(&f->as, addr, format, MEM_TX_NONE, &value), ==, MEM_TX_OK);
    return value;
}

static void store(Fixture *f, GuestAddr addr, MemFormat format, uint64_t value)
{
    g_assert_cmpint(address_space_store(&f->as, addr, format, MEM_TX_NONE, value), ==, MEM_TX_OK);
}

static void test_ram(Fixture *f, const void *data)
{
    uint8_t buf[8];
    uint8_t *host = memory_region_host(&f->ram);

    store(f, 0x1000, MEM_LE32, 0x11223344);
    g_assert_cmphex(host[0x1000], ==, 0x44);
    g_assert_cmphex(load(f, 0x1000, MEM_BE32), ==, 0x44332211);
    store(f, 0x1003, MEM_BE64, 0x0102030405060708);
    g_assert_cmphex(load(f, 0x1003, MEM_LE64), ==, 0x0807060504030201);
    g_assert_cmphex(load(f, 0x1005, MEM_8), ==, 3);
    g_assert_cmpint(address_space_read(&f->as, 0x1003, MEM_TX_NONE, buf, 8), ==, MEM_TX_OK);
    g_assert_cmphex(buf[0], ==, 1);
}

static void test_nobody(Fixture *f, const void *data)
{
    uint8_t buf[8] = { 1, 2, 3, 4 };
    uint64_t value;

    g_assert_cmpint(address_space_write(&f->as, MiB - 2, MEM_TX_NONE, buf, 4), ==,
                    MEM_TX_DECODE_ERROR);
    g_assert_cmpint(address_space_read(&f->as, MiB - 2, MEM_TX_NONE, buf, 4), ==,
                    MEM_TX_DECODE_ERROR);
    g_assert_cmphex(load_be32(buf), ==, 0x0102ffff);
    g_assert_cmpint(address_space_read_or_zero(&f->as, MiB - 2, MEM_TX_NONE, buf, 4), ==,
                    MEM_TX_DECODE_ERROR);
    g_assert_cmphex(load_be32(buf), ==, 0x01020000);
    g_assert_cmpint(address_space_load(&f->as, MiB, MEM_LE16, MEM_TX_NONE, &value), ==,
                    MEM_TX_DECODE_ERROR);
    g_assert_cmphex(value, ==, 0xffff);
    /* Around the end of the address space. */
    g_assert_cmpint(address_space_read(&f->as, -4, MEM_TX_NONE, buf, 8), ==, MEM_TX_DECODE_ERROR);
    g_assert_cmphex(load_be32(buf), ==, 0xffffffff);
    g_assert_cmphex(load_be32(buf + 4), ==, 0);
}

static void test_io_ports(void)
{
    uint64_t value;

    g_assert_cmpint(address_space_load(address_space_io(), 0x80, MEM_LE32, MEM_TX_NONE, &value),
                    ==, MEM_TX_OK);
    g_assert_cmphex(value, ==, 0xffffffff);
    g_assert_cmpint(address_space_load(address_space_system(), 0, MEM_8, MEM_TX_NONE, &value), ==,
                    MEM_TX_DECODE_ERROR);
}

/* --- devices --- */

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

static uint64_t device_read(void *opaque, uint64_t offset, unsigned bytes)
{
    Device *d = opaque;
    size_t used = strlen(d->log);

    g_assert_cmpuint(offset + bytes, <=, sizeof(d->bytes));
    snprintf(d->log + used, sizeof(d->log) - used, "r%" PRIu64 ":%u ", offset, bytes);
    d->saw_lock = machine_lock_is_held();
    return load_bytes(d->bytes + offset, bytes, d->ops.endian);
}

static void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    Device *d = opaque;
    size_t used = strlen(d->log);

    g_assert_cmpuint(offset + bytes, <=, sizeof(d->bytes));
    snprintf(d->log + used, sizeof(d->log) - used, "w%" PRIu64 ":%u ", offset, bytes);
    store_bytes(d->bytes + offset, bytes, d->ops.endian, value);
}

#define DEVICE_ADDR 0x1000000

static void plug(Fixture *f, Device *d, const MemoryOps *ops)
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

static void unplug(Fixture *f, Device *d)
{
    memory_region_remove(&f->root, &d->region);
    rcu_barrier_all();
    memory_region_clear(&d->region);
}

/* Is a call of this size and place one that the ops declared? */
static void check_calls(const Device *d)
{
    unsigned min = MAX(d->ops.impl.min, 1), max = d->ops.impl.max ? d->ops.impl.max : 4;

    for (const char *at = d->log; *at; at = strchr(at, ' ') + 1) {
        unsigned offset = atoi(at + 1), bytes = atoi(strchr(at, ':') + 1);

        g_assert_cmpuint(bytes, >=, min);
        g_assert_cmpuint(bytes, <=, max);
        g_assert_true(d->ops.impl.unaligned || offset % bytes == 0);
    }
}

/* Every access of a format, at an offset: what comes back is what memory would give. */
static void check_access(Fixture *f, Device *d, unsigned offset, MemFormat format)
{
    unsigned bytes = mem_format_bytes(format);
    bool is_valid = bytes >= d->ops.valid.min &&
                    (!d->ops.valid.max || bytes <= d->ops.valid.max) &&
                    (d->ops.valid.unaligned || offset % bytes == 0);
    uint64_t value, written = 0xa1b2c3d4e5f60718 >> (64 - 8 * bytes);
    MemTxResult result;

    d->log[0] = 0;
    result = address_space_load(&f->as, DEVICE_ADDR + offset, format, MEM_TX_NONE, &value);
    g_assert_cmpint(result, ==, is_valid ? MEM_TX_OK : MEM_TX_DECODE_ERROR);
    g_assert_cmphex(value, ==, is_valid ? load_bytes(d->bytes + offset, bytes,
                                                     mem_format_endian(format))
                                        : UINT64_MAX >> (64 - 8 * bytes));
    result = address_space_store(&f->as, DEVICE_ADDR + offset, format, MEM_TX_NONE, written);
    g_assert_cmpint(result, ==, is_valid ? MEM_TX_OK : MEM_TX_DECODE_ERROR);
    if (is_valid) {
        g_assert_cmphex(load_bytes(d->bytes + offset, bytes, mem_format_endian(format)), ==,
                        written);
    } else {
        g_assert_cmpstr(d->log, ==, "");
    }
    check_calls(d);
}

static void test_sizes(Fixture *f, const void *data)
{
    Device d;

    plug(f, &d, &(MemoryOps){ 0 });
    for (unsigned row = 0; row < 4 * 4 * 4 * 8; row++) {
        unsigned min = 1u << (row & 3), max = 1u << (row >> 2 & 3), valid = 1u << (row >> 4 & 3);
        MemoryOps ops = {
            .endian = row >> 6 & 1 ? ENDIAN_BIG : ENDIAN_LITTLE,
            .impl = { min, max, row >> 7 & 1 },
            .valid = { .max = valid, .unaligned = row >> 8 & 1 },
        };

        if (min > max) {
            continue;
        }
        d.ops = ops;
        d.ops.read = device_read;
        d.ops.write = device_write;
        for (unsigned i = 0; i < 9 * 8; i++) {
            unsigned bytes = 1u << (i & 3);

            check_access(f, &d, i / 8, mem_format(bytes, i & 4 ? ENDIAN_BIG : ENDIAN_LITTLE));
        }
    }
    unplug(f, &d);
}

static void test_buffer(Fixture *f, const void *data)
{
    Device d;
    uint8_t buf[16];

    plug(f, &d, &(MemoryOps){ .endian = ENDIAN_BIG, .valid = { .max = 4 } });
    g_assert_cmpint(address_space_read(&f->as, DEVICE_ADDR + 1, MEM_TX_NONE, buf, 11), ==,
                    MEM_TX_OK);
    g_assert_cmpmem(buf, 11, d.bytes + 1, 11);
    g_assert_cmpstr(d.log, ==, "r1:1 r2:2 r4:4 r8:4 ");
    g_assert_true(d.saw_lock);
    g_assert_false(machine_lock_is_held());
    unplug(f, &d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn) g_test_add("/memory/" name, Fixture, NULL, set_up, fn, tear_down)
    ADD("ram", test_ram);
    ADD("nobody", test_nobody);
    g_test_add_func("/memory/io-ports", test_io_ports);
    ADD("sizes", test_sizes);
    ADD("buffer", test_buffer);
    return g_test_run();
}
