/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_fixture.h"

#include "system/dma.h"
#include "system/memory_cache.h"
#include "system/ram_block.h"
#include "util/thread.h"

static void test_ram(Fixture *f, const void *data)
{
    uint8_t buf[8];
    uint8_t *host = memory_region_host(&f->ram);

    fixture_store(f, 0x1000, MEM_LE32, 0x11223344);
    g_assert_cmphex(host[0x1000], ==, 0x44);
    g_assert_cmphex(fixture_load(f, 0x1000, MEM_BE32), ==, 0x44332211);
    fixture_store(f, 0x1003, MEM_BE64, 0x0102030405060708);
    g_assert_cmphex(fixture_load(f, 0x1003, MEM_LE64), ==, 0x0807060504030201);
    g_assert_cmphex(fixture_load(f, 0x1005, MEM_8), ==, 3);
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
    g_assert_cmphex(fixture_load(f, MiB - 4, MEM_BE32), ==, 0x00007777);
    /* Around the end of the address space. */
    g_assert_cmpint(address_space_read(&f->as, -4, MEM_TX_NONE, buf, 8), ==, MEM_TX_DECODE_ERROR);
    g_assert_cmphex(load_be32(buf), ==, 0xffffffff);
    g_assert_cmphex(load_be32(buf + 4), ==, 0);
    g_assert_cmpint(address_space_fill(&f->as, -4, MEM_TX_NONE, 0x66, 8), ==,
                    MEM_TX_DECODE_ERROR);
    g_assert_cmphex(fixture_load(f, 0, MEM_BE64), ==, 0x6666666600000000);
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

    device_plug(f, &d, &(MemoryOps){ .endian = ENDIAN_LITTLE });
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
    device_unplug(f, &d);
}

/* Owners of regions go in any order once no view shows them. */
static void test_alias_outlives_target(void)
{
    MemoryRegion target, alias;

    memory_region_init(&target, NULL, "target", MiB);
    memory_region_init_alias(&alias, NULL, "alias", &target, (MemoryWindow){ 0, MiB });
    memory_region_clear(&target);
    g_assert_null(alias.target);
    memory_region_clear(&alias);
}

static void test_cache(Fixture *f, const void *data)
{
    MemoryCache cache;
    uint64_t value;
    Device d;

    device_plug(f, &d, &(MemoryOps){ .endian = ENDIAN_LITTLE });
    memory_cache_init_write(&cache, &f->as, 0x2000, 64, MEM_TX_NONE);
    g_assert_nonnull(cache.map.host);
    g_assert_cmpint(memory_cache_store(&cache, 2, MEM_LE32, 0x01020304), ==, MEM_TX_OK);
    g_assert_cmphex(fixture_load(f, 0x2002, MEM_BE32), ==, 0x04030201);
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
    device_unplug(f, &d);
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
    g_assert_cmphex(fixture_load(f, 0x2000, MEM_BE32), ==, 0x63646566);
    g_assert_cmpint(dma_list_read(&list, (DmaSpan){ 2, 3 }, buf, NULL), ==, MEM_TX_OK);
    g_assert_cmpstr(buf, ==, "bcd");
    dma_list_clear(&list);
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
        uint64_t value = fixture_load(r->f, 0x8000, MEM_LE32);

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

    fixture_store(f, 0x8000, MEM_LE32, 0x11111111);
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
#define ADD(name, fn)                                                                              \
    g_test_add("/memory/" name, Fixture, NULL, fixture_set_up, fn, fixture_tear_down)
    g_test_add_func("/memory/io-ports", test_io_ports);
    g_test_add_func("/memory/alias-outlives-target", test_alias_outlives_target);
    ADD("ram", test_ram);
    ADD("nobody", test_nobody);
    ADD("map", test_map);
    ADD("cache", test_cache);
    ADD("dma-list", test_dma_list);
    ADD("readers", test_readers);
    ADD("blocks", test_blocks);
    return g_test_run();
}
