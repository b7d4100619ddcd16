/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/address_space.h"

#include <sys/eventfd.h>

#include "system/dma.h"
#include "system/iommu_region.h"
#include "system/machine_lock.h"
#include "system/memory_cache.h"
#include "system/memory_listener.h"
#include "system/memory_log.h"
#include "util/thread.h"

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
    g_assert_cmpint(address_space_fill(&f->as, MiB - 2, MEM_TX_NONE, 0x77, UINT64_MAX - MiB), ==,
                    MEM_TX_DECODE_ERROR);
    g_assert_cmphex(load(f, MiB - 4, MEM_BE32), ==, 0x00007777);
    /* Around the end of the address space. */
    g_assert_cmpint(address_space_read(&f->as, -4, MEM_TX_NONE, buf, 8), ==, MEM_TX_DECODE_ERROR);
    g_assert_cmphex(load_be32(buf), ==, 0xffffffff);
    g_assert_cmphex(load_be32(buf + 4), ==, 0);
    g_assert_cmpint(address_space_fill(&f->as, -4, MEM_TX_NONE, 0x66, 8), ==,
                    MEM_TX_DECODE_ERROR);
    g_assert_cmphex(load(f, 0, MEM_BE64), ==, 0x6666666600000000);
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

/* --- devices, the less usual --- */

static void dma_to_self(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    Device *d = opaque;

    d->inner = address_space_store(&d->fixture->as, DEVICE_ADDR, MEM_8, MEM_TX_NONE, 1);
}

static void test_entered_again(Fixture *f, const void *data)
{
    Device d;

    plug(f, &d, &(MemoryOps){ .endian = ENDIAN_LITTLE });
    d.ops.write = dma_to_self;
    store(f, DEVICE_ADDR, MEM_8, 1);
    g_assert_cmpint(d.inner, ==, MEM_TX_ACCESS_ERROR);
    store(f, DEVICE_ADDR, MEM_8, 1);
    unplug(f, &d);
}

static MemTxResult take_command(void *opaque, uint64_t offset, const uint8_t data[64],
                                MemTxAttrs attrs)
{
    Device *d = opaque;

    memcpy(d->bytes, data, 64);
    return attrs.is_deferrable && attrs.pasid == 7 ? MEM_TX_RETRY : MEM_TX_OK;
}

static void test_store64(Fixture *f, const void *data)
{
    MemTxAttrs enqueue = dma_attrs_with_pasid((MemTxAttrs){ .is_deferrable = true }, 7);
    uint8_t command[64];
    Device d;

    for (int i = 0; i < 64; i++) {
        command[i] = i ^ 0x55;
    }
    plug(f, &d, &(MemoryOps){ .endian = ENDIAN_BIG });
    /* Without the operation: in eight, and never enqueued. */
    g_assert_cmpint(address_space_store64(&f->as, DEVICE_ADDR, MEM_TX_NONE, command), ==,
                    MEM_TX_OK);
    g_assert_cmpmem(d.bytes, 64, command, 64);
    g_assert_cmpint(address_space_store64(&f->as, DEVICE_ADDR, enqueue, command), ==,
                    MEM_TX_RETRY);
    d.ops.write64 = take_command;
    d.log[0] = 0;
    g_assert_cmpint(address_space_store64(&f->as, DEVICE_ADDR, MEM_TX_NONE, command), ==,
                    MEM_TX_OK);
    g_assert_cmpstr(d.log, ==, "");
    g_assert_cmpint(address_space_store64(&f->as, DEVICE_ADDR, enqueue, command), ==,
                    MEM_TX_RETRY);
    enqueue.pasid = 8;
    g_assert_cmpint(address_space_store64(&f->as, DEVICE_ADDR, enqueue, command), ==, MEM_TX_OK);
    g_assert_cmpint(address_space_store64(&f->as, 0x40, MEM_TX_NONE, command), ==, MEM_TX_OK);
    g_assert_cmpint(address_space_store64(&f->as, 0x40, enqueue, command), ==, MEM_TX_RETRY);
    g_assert_cmpint(address_space_store64(&f->as, 0x48, MEM_TX_NONE, command), ==,
                    MEM_TX_DECODE_ERROR);
    unplug(f, &d);
}

static void test_attrs_memory(Fixture *f, const void *data)
{
    MemTxAttrs only_memory = { .is_memory = true };
    uint64_t value;
    Device d;

    plug(f, &d, &(MemoryOps){ .endian = ENDIAN_LITTLE });
    g_assert_cmpint(address_space_load(&f->as, DEVICE_ADDR, MEM_LE32, only_memory, &value), ==,
                    MEM_TX_ACCESS_ERROR);
    g_assert_cmphex(value, ==, 0xffffffff);
    g_assert_cmpint(address_space_load(&f->as, 0, MEM_LE32, only_memory, &value), ==, MEM_TX_OK);
    g_assert_cmpstr(d.log, ==, "");
    unplug(f, &d);
}

/* Flash: reads as memory in romd mode; always written through ops. */
static void test_rom_device(Fixture *f, const void *data)
{
    static const RamSpec spec = { .name = "flash", .bytes = 4096 };
    MemoryRegion flash;
    Device d = { .fixture = f, .ops = { .read = device_read, .write = device_write } };

    g_assert_true(memory_region_init_rom_device(&flash, NULL, &d.ops, &spec, NULL));
    memory_region_set_opaque(&flash, &d);
    memory_region_add(&f->root, DEVICE_ADDR, &flash);
    strcpy(memory_region_host(&flash), "rom!");
    g_assert_cmphex(load(f, DEVICE_ADDR, MEM_BE32), ==, 0x726f6d21);
    store(f, DEVICE_ADDR, MEM_LE32, 1);
    g_assert_cmpstr(d.log, ==, "w0:4 ");
    memory_region_set_rom_mode(&flash, false);
    g_assert_cmphex(load(f, DEVICE_ADDR, MEM_LE32), ==, 1);
    g_assert_cmpint(address_space_write_rom(&f->as, DEVICE_ADDR, MEM_TX_NONE, "load", 4), ==,
                    MEM_TX_OK);
    g_assert_cmpstr(memory_region_host(&flash), ==, "load");
    memory_region_remove(&f->root, &flash);
    rcu_barrier_all();
    memory_region_clear(&flash);
}

static void test_read_only(Fixture *f, const void *data)
{
    memory_region_set_read_only(&f->ram, true);
    g_assert_cmpint(address_space_store(&f->as, 0, MEM_8, MEM_TX_NONE, 1), ==,
                    MEM_TX_DECODE_ERROR);
    g_assert_cmphex(load(f, 0, MEM_8), ==, 0);
    g_assert_true(address_space_accepts(&f->as, 0, MEM_TX_NONE, MiB, false));
    g_assert_false(address_space_accepts(&f->as, 0, MEM_TX_NONE, 1, true));
    memory_region_set_read_only(&f->ram, false);
}

/* --- doorbells and logs, as listeners see them --- */

typedef struct Ear {
    MemoryListener listener;
    GString *heard;
} Ear;

static void ear_add_eventfd(MemoryListener *listener, const MemorySection *section,
                            const MemoryEventfd *eventfd)
{
    g_string_append_printf(container_of(listener, Ear, listener)->heard, "+fd %" PRIx64 " ",
                           section->first);
}

static void ear_del_eventfd(MemoryListener *listener, const MemorySection *section,
                            const MemoryEventfd *eventfd)
{
    g_string_append_printf(container_of(listener, Ear, listener)->heard, "-fd %" PRIx64 " ",
                           section->first);
}

static void ear_add_coalesced(MemoryListener *listener, const MemorySection *section)
{
    g_string_append_printf(container_of(listener, Ear, listener)->heard,
                           "+co %" PRIx64 "-%" PRIx64 " ", section->first, section->last);
}

static void ear_del_coalesced(MemoryListener *listener, const MemorySection *section)
{
    g_string_append_printf(container_of(listener, Ear, listener)->heard,
                           "-co %" PRIx64 "-%" PRIx64 " ", section->first, section->last);
}

static void ear_log_start(MemoryListener *listener, const MemorySection *section, uint8_t old,
                          uint8_t new)
{
    g_string_append_printf(container_of(listener, Ear, listener)->heard, "log %x>%x ", old, new);
}

static void ear_log_stop(MemoryListener *listener, const MemorySection *section, uint8_t old,
                         uint8_t new)
{
    g_string_append_printf(container_of(listener, Ear, listener)->heard, "stop %x>%x ", old, new);
}

static void ear_log_sync(MemoryListener *listener, const MemorySection *section)
{
    /* What an accelerator would do with its own log. */
    ram_block_set_dirty(section->region->ram, 5 * DIRTY_PAGE_BYTES, 1, BIT(DIRTY_VGA));
}

static void ear_log_clear(MemoryListener *listener, const MemorySection *section)
{
    g_string_append_printf(container_of(listener, Ear, listener)->heard,
                           "clear %" PRIx64 "-%" PRIx64 " ", section->first, section->last);
}

static const MemoryListenerOps ear_ops = {
    .name = "ear",
    .eventfd_add = ear_add_eventfd,
    .eventfd_del = ear_del_eventfd,
    .coalesced_add = ear_add_coalesced,
    .coalesced_del = ear_del_coalesced,
    .log_start = ear_log_start,
    .log_stop = ear_log_stop,
    .log_sync = ear_log_sync,
    .log_clear = ear_log_clear,
};

static void expect_heard(Ear *ear, const char *want)
{
    g_assert_cmpstr(ear->heard->str, ==, want);
    g_string_truncate(ear->heard, 0);
}

static void listen(Fixture *f, Ear *ear)
{
    ear->heard = g_string_new(NULL);
    memory_listener_register(&ear->listener, &ear_ops, &f->as);
}

static void stop_listening(Ear *ear)
{
    memory_listener_unregister(&ear->listener);
    g_string_free(ear->heard, true);
}

static void test_eventfds(Fixture *f, const void *data)
{
    MemoryEventfd bell = { .offset = 8, .bytes = 4, .must_match = true, .data = 3 };
    uint64_t count;
    Device d;
    Ear ear;

    bell.fd = eventfd(0, EFD_NONBLOCK);
    plug(f, &d, &(MemoryOps){ .endian = ENDIAN_BIG });
    listen(f, &ear);
    memory_region_add_eventfd(&d.region, &bell);
    expect_heard(&ear, "+fd 1000008 ");
    store(f, DEVICE_ADDR + 8, MEM_BE32, 3);
    g_assert_cmpstr(d.log, ==, "");
    g_assert_cmpint(read(bell.fd, &count, 8), ==, 8);
    store(f, DEVICE_ADDR + 8, MEM_BE32, 4);
    store(f, DEVICE_ADDR + 8, MEM_LE16, 3);
    g_assert_cmpstr(d.log, ==, "w8:4 w8:2 ");
    g_assert_cmpint(read(bell.fd, &count, 8), <, 0);
    memory_region_set_address(&d.region, DEVICE_ADDR + 0x1000);
    expect_heard(&ear, "-fd 1000008 +fd 1001008 ");
    memory_region_add_coalescing(&d.region, (MemoryWindow){ 0x10, 0x10 });
    expect_heard(&ear, "+co 1001010-100101f ");
    memory_region_set_enabled(&d.region, false);
    expect_heard(&ear, "-fd 1001008 -co 1001010-100101f ");
    memory_region_set_enabled(&d.region, true);
    expect_heard(&ear, "+fd 1001008 +co 1001010-100101f ");
    memory_region_clear_coalescing(&d.region);
    memory_region_remove_eventfd(&d.region, &bell);
    expect_heard(&ear, "-co 1001010-100101f -fd 1001008 ");
    stop_listening(&ear);
    unplug(f, &d);
    close(bell.fd);
}

static void test_log(Fixture *f, const void *data)
{
    g_autofree DirtySnapshot *snapshot = NULL;
    RamBlock *ram = f->ram.ram;
    Ear ear;

    listen(f, &ear);
    memory_region_set_log(&f->ram, true, DIRTY_VGA);
    expect_heard(&ear, "log 0>1 ");
    /* At first all is dirty. */
    g_assert_true(ram_block_take_dirty(ram, 0, MiB, DIRTY_VGA));
    expect_heard(&ear, "clear 0-fffff ");
    g_assert_false(ram_block_take_dirty(ram, 0, MiB, DIRTY_VGA));
    expect_heard(&ear, "");
    store(f, 3 * DIRTY_PAGE_BYTES - 2, MEM_LE32, 1);
    g_assert_cmpint(address_space_write(&f->as, 200 * DIRTY_PAGE_BYTES, MEM_TX_NONE, "x", 1), ==,
                    MEM_TX_OK);
    g_assert_false(ram_block_is_dirty(ram, 0, 2 * DIRTY_PAGE_BYTES, DIRTY_VGA));
    g_assert_false(ram_block_is_dirty(ram, 0, MiB, DIRTY_MIGRATION));
    snapshot = memory_region_take_dirty(&f->ram, (MemoryWindow){ 2 * DIRTY_PAGE_BYTES, 128 * KiB },
                                        DIRTY_VGA);
    expect_heard(&ear, "clear 2000-21fff ");
    for (unsigned page = 0; page < 40; page++) {
        g_assert_cmpint(dirty_snapshot_has(snapshot, (MemoryWindow){ page * DIRTY_PAGE_BYTES, 1 }),
                        ==, page == 2 || page == 3 || page == 5);
    }
    /* What lies outside the window keeps its bits. */
    g_assert_true(ram_block_is_dirty(ram, 200 * DIRTY_PAGE_BYTES, 1, DIRTY_VGA));
    g_assert_true(memory_log_start_global(NULL));
    expect_heard(&ear, "log 1>5 ");
    memory_region_set_log(&f->ram, false, DIRTY_VGA);
    expect_heard(&ear, "stop 5>4 ");
    ram_block_take_dirty(ram, 0, MiB, DIRTY_MIGRATION);
    store(f, 0, MEM_8, 1);
    g_assert_true(ram_block_take_dirty(ram, 0, 1, DIRTY_MIGRATION));
    g_string_truncate(ear.heard, 0);
    memory_log_stop_global();
    expect_heard(&ear, "stop 4>0 ");
    store(f, 0, MEM_8, 1);
    g_assert_false(ram_block_is_dirty(ram, 0, 1, DIRTY_MIGRATION));
    stop_listening(&ear);
}

/* --- maps --- */

static void count_call(void *opaque)
{
    ++*(int *)opaque;
}

static void test_map(Fixture *f, const void *data)
{
    MemoryMap map, other;
    int retries = 0;
    Device d;

    plug(f, &d, &(MemoryOps){ .endian = ENDIAN_LITTLE });
    g_assert_true(address_space_map_write(&map, &f->as, MiB - 16, 64, MEM_TX_NONE));
    g_assert_cmpuint(map.bytes, ==, 16);
    g_assert_true(map.host == (uint8_t *)memory_region_host(&f->ram) + MiB - 16);
    g_assert_cmpint(address_space_unmap(&map, 16), ==, MEM_TX_OK);
    g_assert_false(address_space_map_read(&map, &f->as, MiB, 64, MEM_TX_NONE));

    g_assert_true(address_space_map_read(&map, &f->as, DEVICE_ADDR + 4, 8, MEM_TX_NONE));
    g_assert_cmpmem(map.host, map.bytes, d.bytes + 4, 8);
    address_space_unmap(&map, 0);
    address_space_set_bounce_limit(&f->as, 24);
    g_assert_true(address_space_map_write(&map, &f->as, DEVICE_ADDR, 64, MEM_TX_NONE));
    g_assert_cmpuint(map.bytes, ==, 24);
    g_assert_false(address_space_map_write(&other, &f->as, DEVICE_ADDR, 64, MEM_TX_NONE));
    address_space_on_map_retry(&f->as, count_call, &retries);
    memset(map.host, 0xee, 24);
    g_assert_cmpint(address_space_unmap(&map, 3), ==, MEM_TX_OK);
    g_assert_cmpint(retries, ==, 1);
    g_assert_cmphex(d.bytes[2], ==, 0xee);
    g_assert_cmphex(d.bytes[3], ==, 0x13);
    unplug(f, &d);
}

static void test_cache(Fixture *f, const void *data)
{
    MemoryCache cache;
    uint64_t value;
    Device d;

    plug(f, &d, &(MemoryOps){ .endian = ENDIAN_LITTLE });
    memory_cache_init_write(&cache, &f->as, 0x2000, 64, MEM_TX_NONE);
    g_assert_nonnull(cache.map.host);
    g_assert_cmpint(memory_cache_store(&cache, 2, MEM_LE32, 0x01020304), ==, MEM_TX_OK);
    g_assert_cmphex(load(f, 0x2002, MEM_BE32), ==, 0x04030201);
    g_assert_cmpint(memory_cache_write(&cache, 62, "ab", 2), ==, MEM_TX_OK);
    g_assert_cmpint(memory_cache_load(&cache, 62, MEM_BE16, &value), ==, MEM_TX_OK);
    g_assert_cmphex(value, ==, 0x6162);
    memory_cache_clear(&cache);
    /* Devices, and what is half of one and half of another, are reached the long way. */
    memory_cache_init_read(&cache, &f->as, DEVICE_ADDR, 64, MEM_TX_NONE);
    g_assert_null(cache.map.host);
    g_assert_cmpint(memory_cache_load(&cache, 4, MEM_LE32, &value), ==, MEM_TX_OK);
    g_assert_cmphex(value, ==, 0x17161514);
    memory_cache_clear(&cache);
    memory_cache_init_read(&cache, &f->as, MiB - 4, 64, MEM_TX_NONE);
    g_assert_cmpint(memory_cache_load(&cache, 2, MEM_LE32, &value), ==, MEM_TX_DECODE_ERROR);
    g_assert_cmphex(value, ==, 0xffff0000);
    memory_cache_clear(&cache);
    unplug(f, &d);
}

static void test_dma_list(Fixture *f, const void *data)
{
    DmaList list;
    char buf[16] = "";
    size_t done;

    dma_list_init(&list, &f->as, MEM_TX_NONE);
    g_assert_true(dma_list_add(&list, 0x1000, 3));
    g_assert_true(dma_list_add(&list, 0x500, 0));
    g_assert_true(dma_list_add(&list, 0x2000, 4));
    g_assert_false(dma_list_add(&list, 0, UINT64_MAX));
    g_assert_cmpuint(list.bytes, ==, 7);
    g_assert_cmpint(dma_list_write(&list, (DmaSpan){ 1, 10 }, "abcdefghij", &done), ==, MEM_TX_OK);
    g_assert_cmpuint(done, ==, 6);
    g_assert_cmphex(load(f, 0x2000, MEM_BE32), ==, 0x63646566);
    g_assert_cmpint(dma_list_read(&list, (DmaSpan){ 2, 3 }, buf, NULL), ==, MEM_TX_OK);
    g_assert_cmpstr(buf, ==, "bcd");
    dma_list_clear(&list);
}

/* --- IOMMU --- */

/* Page n of the region is page (n ^ 1) of the target; pages from 16 on are not mapped, odd ones
 * cannot be written. PASID 5 sees nothing. */
typedef struct Iommu {
    IommuRegion region;
    AddressSpace as;
    Fixture *fixture;
} Iommu;

static IommuEntry swap_pages(IommuRegion *region, uint64_t offset, IommuAccess access,
                             MemTxAttrs attrs)
{
    Iommu *iommu = container_of(region, Iommu, region);
    uint64_t page = offset / 4096;

    return (IommuEntry){
        .target = &iommu->fixture->as,
        .iova = offset & ~UINT64_C(4095),
        .translated = (page ^ 1) * 4096,
        .page_mask = 4095,
        .access = page >= 16 || attrs.pasid == 5 ? IOMMU_NONE
                  : page & 1 ? IOMMU_READ : IOMMU_READ_WRITE,
    };
}

static const IommuOps swap_ops = { .translate = swap_pages };

static void note(IommuNotifier *notifier, const IommuEntry *entry)
{
    g_assert_cmphex(entry->iova, >=, notifier->first);
    g_assert_cmphex(entry->iova + entry->page_mask, <=, notifier->last);
    notifier->notices += 0x100;
}

static void test_iommu(Fixture *f, const void *data)
{
    Iommu iommu = { .fixture = f };
    IommuNotifier notifier = { .notices = IOMMU_NOTICE_MAP | IOMMU_NOTICE_UNMAP,
                               .first = 0x3000, .last = 0x20fff, .notify = note };
    MemTxAttrs other = dma_attrs_with_pasid(MEM_TX_NONE, 5);
    MemoryMap map;
    uint64_t value;

    iommu_region_init(&iommu.region, NULL, &swap_ops, "iommu", MEMORY_SIZE_WHOLE);
    address_space_init(&iommu.as, &iommu.region.region, "device");
    store(f, 0x1ffe, MEM_LE16, 0x1111);
    store(f, 0x0000, MEM_LE16, 0x2222);
    /* Over the border of two pages. */
    g_assert_cmpint(address_space_load(&iommu.as, 0xffe, MEM_LE32, MEM_TX_NONE, &value), ==,
                    MEM_TX_OK);
    g_assert_cmphex(value, ==, 0x22221111);
    g_assert_cmpint(address_space_store(&iommu.as, 0x1000, MEM_8, MEM_TX_NONE, 1), ==,
                    MEM_TX_ERROR);
    g_assert_cmpint(address_space_load(&iommu.as, 0xffe, MEM_LE16, other, &value), ==,
                    MEM_TX_ERROR);
    g_assert_cmpint(address_space_load(&iommu.as, 0x10000, MEM_LE16, MEM_TX_NONE, &value), ==,
                    MEM_TX_ERROR);
    g_assert_true(address_space_map_read(&map, &iommu.as, 0, 0x10000, MEM_TX_NONE));
    g_assert_cmpuint(map.bytes, ==, 4096);
    address_space_unmap(&map, 0);

    g_assert_true(iommu_notifier_register(&notifier, &iommu.region, NULL));
    iommu_notifier_replay(&notifier);
    g_assert_cmpuint(notifier.notices >> 8, ==, 13);
    /* All is unmapped, told within 3000-20fff: 3, 4-7, 8-f, 10-1f, 20. */
    iommu_region_notify(&iommu.region, IOMMU_NOTICE_UNMAP,
                        &(IommuEntry){ .page_mask = UINT64_MAX });
    g_assert_cmpuint(notifier.notices >> 8, ==, 13 + 5);
    iommu_notifier_unregister(&notifier);
    address_space_clear(&iommu.as);
    rcu_barrier_all();
    iommu_region_clear(&iommu.region);
}

/* --- readers while the map changes --- */

typedef struct Readers {
    Fixture *f;
    bool is_ending;
    uint64_t reads;
} Readers;

/* Either the RAM below is seen, or the region that comes and goes above it, never anything else. */
static void *read_on(void *opaque)
{
    Readers *r = opaque;

    while (!__atomic_load_n(&r->is_ending, __ATOMIC_RELAXED)) {
        uint64_t value = load(r->f, 0x8000, MEM_LE32);

        g_assert_true(value == 0x11111111 || value == 0x22222222);
        __atomic_fetch_add(&r->reads, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void test_readers(Fixture *f, const void *data)
{
    Readers r = { .f = f };
    GThread *threads[2];
    char *why;

    store(f, 0x8000, MEM_LE32, 0x11111111);
    for (int i = 0; i < 2; i++) {
        threads[i] = thread_new("reader", read_on, &r, &why);
        g_assert_nonnull(threads[i]);
    }
    /* Each time another block, freed while it is read. */
    for (int i = 0; i < 200 || __atomic_load_n(&r.reads, __ATOMIC_RELAXED) < 1000; i++) {
        MemoryRegion top;

        g_assert_true(memory_region_init_ram(&top, NULL, "top", 4096, NULL));
        memset(memory_region_host(&top), 0x22, 4096);
        memory_region_add_overlap(&f->root, 0x8000, &top, 1);
        memory_region_remove(&f->root, &top);
        rcu_wait();
        memory_region_clear(&top);
    }
    __atomic_store_n(&r.is_ending, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++) {
        g_thread_join(threads[i]);
    }
}

/* --- RAM blocks --- */

static void test_blocks(Fixture *f, const void *data)
{
    MemoryRegion big;
    RamSpec spec = { .name = "big", .bytes = 4096, .max_bytes = 64 * KiB,
                     .flags = RAM_RESIZABLE };
    RamBlock *block;
    uint64_t offset;

    g_assert_true(memory_region_init_ram_spec(&big, NULL, &spec, NULL));
    g_assert_true(ram_block_set_id(f->ram.ram, NULL, "ram", NULL));
    g_assert_false(ram_block_set_id(big.ram, NULL, "ram", NULL));
    g_assert_true(ram_block_set_id(big.ram, "0000:00:01.0", "rom", NULL));
    g_assert_true(ram_block_find("0000:00:01.0/rom") == big.ram);
    g_assert_true(big.ram->offset >= f->ram.ram->offset + MiB ||
                  f->ram.ram->offset >= big.ram->offset + 64 * KiB);
    g_assert_true(ram_block_resize(big.ram, 5000, NULL));
    g_assert_cmpuint(big.size, ==, 8192);
    g_assert_false(ram_block_resize(big.ram, 65 * KiB, NULL));
    g_assert_false(ram_block_resize(f->ram.ram, 4096, NULL));
    rcu_lock();
    block = ram_block_from_host((uint8_t *)memory_region_host(&big) + 5, &offset);
    g_assert_true(block == big.ram && offset == 5);
    g_assert_null(ram_block_from_host(&offset, &offset));
    rcu_unlock();
    memset(memory_region_host(&big), 1, 8192);
    g_assert_true(ram_block_discard(big.ram, 4096, 4096, NULL));
    g_assert_cmphex(((uint8_t *)memory_region_host(&big))[4095], ==, 1);
    g_assert_cmphex(((uint8_t *)memory_region_host(&big))[4096], ==, 0);
    g_assert_false(ram_block_discard(big.ram, 100, 4096, NULL));
    g_assert_false(ram_block_discard(big.ram, 64 * KiB, 4096, NULL));
    memory_region_clear(&big);
    spec = (RamSpec){ .name = "none" };
    g_assert_false(memory_region_init_ram_spec(&big, NULL, &spec, NULL));
    spec.bytes = UINT64_MAX;
    g_assert_false(memory_region_init_ram_spec(&big, NULL, &spec, NULL));
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
    ADD("entered-again", test_entered_again);
    ADD("store64", test_store64);
    ADD("attrs-memory", test_attrs_memory);
    ADD("rom-device", test_rom_device);
    ADD("read-only", test_read_only);
    ADD("eventfds", test_eventfds);
    ADD("log", test_log);
    ADD("map", test_map);
    ADD("cache", test_cache);
    ADD("dma-list", test_dma_list);
    ADD("iommu", test_iommu);
    ADD("readers", test_readers);
    ADD("blocks", test_blocks);
    return g_test_run();
}
