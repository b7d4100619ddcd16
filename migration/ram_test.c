/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/migration_test_machine.h"
#include "migration/ram.h"
#include "qapi/qapi-commands-migration.h"
#include "system/address_space.h"
#include "system/machine_lock.h"

#define RAM_BYTES (8 * MiB)

/* The machine's memory: one block that is sent, one that is not. */
static struct {
    MemoryRegion root, ram, scratch;
    AddressSpace as;
} memory;

static uint8_t *host(void)
{
    return memory_region_host(&memory.ram);
}

static void add_ram(MemoryRegion *mr, const char *name, GuestAddr at)
{
    RamSpec spec = { .name = name, .bytes = RAM_BYTES, .flags = RAM_SHARED };

    assert(memory_region_init_ram_spec(mr, NULL, &spec, NULL));
    assert(ram_block_set_id(mr->ram, NULL, name, NULL));
    memory_region_add(&memory.root, at, mr);
}

static void set_up(void)
{
    memory_region_init(&memory.root, NULL, "root", MEMORY_SIZE_WHOLE);
    address_space_init(&memory.as, &memory.root, "test");
    add_ram(&memory.ram, "ram", 0);
    add_ram(&memory.scratch, "scratch", RAM_BYTES);
    ram_block_set_migratable(memory.ram.ram, true);
    ram_block_set_migratable(memory.scratch.ram, false);
    ram_register();
}

/* Data, zeros between, a page that is all but zero; the same for the same seed. */
static void fill(uint32_t seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    memset(host(), 0, RAM_BYTES);
    for (int i = 0; i < 500; i++) {
        size_t page = g_rand_int_range(rand, 0, RAM_BYTES / DIRTY_PAGE_BYTES);

        memset(host() + page * DIRTY_PAGE_BYTES, g_rand_int_range(rand, 1, 256),
               DIRTY_PAGE_BYTES);
    }
    host()[RAM_BYTES - 1] = 1;
}

static void test_round_trip(void)
{
    g_autofree uint8_t *before = g_malloc(RAM_BYTES);
    g_autoptr(GByteArray) stream = NULL;

    fill(1);
    memcpy(before, host(), RAM_BYTES);
    stream = test_save(NULL, NULL);
    g_assert_cmpuint(stream->len, <, RAM_BYTES / 2); /* zeros are not sent */
    g_assert_cmpuint(ram_report().data_pages, <=, 501);
    g_assert_cmpuint(ram_report().left_bytes, ==, 0);
    g_assert_cmpuint(ram_report().data_pages + ram_report().zero_pages, ==,
                     RAM_BYTES / DIRTY_PAGE_BYTES);
    fill(2);
    memset(memory_region_host(&memory.scratch), 7, RAM_BYTES);
    g_assert_cmpstr(test_load(stream->data, stream->len), ==, NULL);
    g_assert_cmpmem(host(), RAM_BYTES, before, RAM_BYTES);
    g_assert_cmpuint(((uint8_t *)memory_region_host(&memory.scratch))[5], ==, 7);
}

/* Written between the rounds, over the address space as devices do. */
static void write_late(void *opaque)
{
    MACHINE_LOCK_SCOPE();

    g_assert_cmpint(address_space_store(&memory.as, 0x12345, MEM_LE32, MEM_TX_NONE, 0xcafebabe),
                    ==, MEM_TX_OK);
    g_assert_cmpint(address_space_store(&memory.as, 0x200ffe, MEM_LE32, MEM_TX_NONE, 0x11223344),
                    ==, MEM_TX_OK);
}

static void test_dirty(void)
{
    g_autofree uint8_t *before = NULL;
    g_autoptr(GByteArray) stream = NULL;

    fill(3);
    stream = test_save(write_late, NULL);
    before = g_memdup2(host(), RAM_BYTES);
    g_assert_cmphex(host()[0x12345], ==, 0xbe);
    memset(host(), 0, RAM_BYTES);
    g_assert_cmpstr(test_load(stream->data, stream->len), ==, NULL);
    g_assert_cmpmem(host(), RAM_BYTES, before, RAM_BYTES);
    /* One page, and two neighbours. */
    g_assert_cmpuint(ram_report().data_pages + ram_report().zero_pages, ==,
                     RAM_BYTES / DIRTY_PAGE_BYTES + 3);
}

static void test_truncated(void)
{
    g_autoptr(GByteArray) stream = NULL;

    fill(4);
    stream = test_save(NULL, NULL);
    for (size_t i = 1; i < 50; i++) {
        g_autofree char *why = test_load(stream->data, stream->len * i / 50);

        g_assert_nonnull(strstr(why, "ended early"));
    }
}

/* --- parts as an attacker would make them, behind good checksums --- */

typedef struct BadRun {
    uint64_t kind, block, offset, bytes;
    const char *why;
} BadRun;

static void begin_load(void)
{
    VMWriter w = { .out = g_byte_array_new() };
    VMReader r;

    vm_put(&w, 1, 4);
    vm_put(&w, 3, 1);
    vm_put_bytes(&w, "ram", 3);
    vm_put(&w, RAM_BYTES, 8);
    vm_put(&w, 0, 1);
    r = (VMReader){ .data = w.out->data, .size = w.out->len };
    g_assert_true(ram_load_setup(NULL, &r, NULL));
    g_byte_array_unref(w.out);
}

static void test_hostile_runs(void)
{
    static const BadRun runs[] = {
        { 3, 0, 0, 4096, "unknown kind of run 3" },
        { 2, 1, 0, 4096, "block 1 of 1" },
        { 2, 0, RAM_BYTES, 4096, "block 'ram': 4096 bytes at 8388608 of 8388608" },
        { 2, 0, 4096, UINT64_MAX - 4095, "block 'ram': 18446744073709547520 bytes at 4096" },
        { 2, 0, UINT64_MAX - 4095, 4096, "block 'ram': 4096 bytes at 18446744073709547520" },
        { 2, 0, 1, 4096, "block 'ram': 4096 bytes at 1 of" },
        { 2, 0, 0, 4097, "block 'ram': 4097 bytes at 0 of" },
        { 1, 0, 0, 4096, "needs 4096 bytes, only 0 are left" },
    };

    begin_load();
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
        VMWriter w = { .out = g_byte_array_new() };
        g_autoptr(Error) err = NULL;
        VMReader r;

        vm_put(&w, runs[i].kind, 1);
        vm_put(&w, runs[i].block, 4);
        vm_put(&w, runs[i].offset, 8);
        vm_put(&w, runs[i].bytes, 8);
        r = (VMReader){ .data = w.out->data, .size = w.out->len };
        g_assert_false(ram_load(NULL, &r, &err));
        g_assert_true(g_str_has_prefix(error_text(err), runs[i].why));
        g_byte_array_unref(w.out);
    }
    ram_load_done(NULL, NULL);
}

typedef struct BadTable {
    const char *id;
    uint64_t bytes, is_left_out;
    const char *why;
} BadTable;

static void test_other_blocks(void)
{
    static const BadTable tables[] = {
        { "ram", RAM_BYTES / 2, 0, "block 'ram' has 4194304 bytes in the stream, 8388608 here" },
        { "rom", RAM_BYTES, 0, "block 'rom' is not in this machine" },
        { "ram", RAM_BYTES, 1, "block 'ram' is shared on one side only" },
        { NULL, 0, 0, "block 'ram' is missing in the stream" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        VMWriter w = { .out = g_byte_array_new() };
        g_autoptr(Error) err = NULL;
        VMReader r;

        vm_put(&w, tables[i].id != NULL, 4);
        if (tables[i].id) {
            vm_put(&w, strlen(tables[i].id), 1);
            vm_put_bytes(&w, tables[i].id, strlen(tables[i].id));
            vm_put(&w, tables[i].bytes, 8);
            vm_put(&w, tables[i].is_left_out, 1);
        }
        r = (VMReader){ .data = w.out->data, .size = w.out->len };
        g_assert_false(ram_load_setup(NULL, &r, &err));
        g_assert_cmpstr(error_text(err), ==, tables[i].why);
        g_byte_array_unref(w.out);
    }
    ram_load_done(NULL, NULL);
}

static void test_ignore_shared(void)
{
    MigrationCapabilityStatus on = { MIGRATION_CAPABILITY_X_IGNORE_SHARED, true };
    MigrationCapabilityStatus *items[] = { &on };
    MigrationCapabilityStatusArray list = { items, 1 };
    g_autoptr(GByteArray) stream = NULL;

    fill(5);
    g_assert_true(qmp_migrate_set_capabilities(&list, NULL));
    stream = test_save(NULL, NULL);
    g_assert_cmpuint(ram_report().total_bytes, ==, 0);
    host()[0] = 99;
    g_assert_cmpstr(test_load(stream->data, stream->len), ==, NULL);
    g_assert_cmpuint(host()[0], ==, 99);
    on.state = false;
    g_assert_true(qmp_migrate_set_capabilities(&list, NULL));
    {
        g_autofree char *why = test_load(stream->data, stream->len);

        g_assert_cmpstr(why, ==, "Set of capabilities is 'x-ignore-shared' in the stream, '' here");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_machine_set_target();
    set_up();
    g_test_add_func("/migration/ram/round-trip", test_round_trip);
    g_test_add_func("/migration/ram/dirty", test_dirty);
    g_test_add_func("/migration/ram/truncated", test_truncated);
    g_test_add_func("/migration/ram/hostile-runs", test_hostile_runs);
    g_test_add_func("/migration/ram/other-blocks", test_other_blocks);
    g_test_add_func("/migration/ram/ignore-shared", test_ignore_shared);
    return g_test_run();
}
