/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/flat_view.h"

#include "system/address_space.h"
#include "system/memory_info.h"
#include "system/memory_tree_check.h"

static void test_random(void)
{
    for (unsigned round = 0; round < 300; round++) {
        uint8_t bytes[400];

        for (unsigned i = 0; i < sizeof(bytes); i++) {
            bytes[i] = g_test_rand_int();
        }
        memory_tree_check(bytes, sizeof(bytes));
    }
}

static const MemoryOps no_ops = { .endian = ENDIAN_LITTLE };

/* Two bus masters that see all of memory share a view; one that is off sees nothing. */
static void test_shared(void)
{
    MemoryRegion memory, device, master[3], window[3];
    AddressSpace cpu, as[3];

    memory_region_init(&memory, NULL, "memory", MEMORY_SIZE_WHOLE);
    memory_region_init_io(&device, NULL, &no_ops, "device", 0x1000);
    memory_region_add(&memory, 0x8000, &device);
    address_space_init(&cpu, &memory, "cpu");
    for (int i = 0; i < 3; i++) {
        memory_region_init(&master[i], NULL, "bus master container", MEMORY_SIZE_WHOLE);
        memory_region_init_alias(&window[i], NULL, "bus master", &memory,
                                 (MemoryWindow){ 0, MEMORY_SIZE_WHOLE });
        memory_region_set_enabled(&window[i], i != 2);
        memory_region_add(&master[i], 0, &window[i]);
        address_space_init(&as[i], &master[i], "device");
    }
    g_assert_true(as[0].view == cpu.view);
    g_assert_true(as[1].view == cpu.view);
    g_assert_cmpuint(as[2].view->count, ==, 0);
    memory_region_set_address(&device, 0x9000);
    g_assert_true(as[0].view == cpu.view);
    g_assert_cmphex(as[1].view->firsts[0], ==, 0x9000);
    memory_region_set_enabled(&window[2], true);
    memory_region_set_enabled(&window[1], false);
    g_assert_true(as[2].view == cpu.view);
    g_assert_cmpuint(as[1].view->count, ==, 0);

    address_space_clear(&cpu);
    memory_region_remove(&memory, &device);
    for (int i = 0; i < 3; i++) {
        address_space_clear(&as[i]);
        memory_region_remove(&master[i], &window[i]);
        memory_region_clear(&window[i]);
        memory_region_clear(&master[i]);
    }
    rcu_barrier_all();
    memory_region_clear(&device);
    memory_region_clear(&memory);
}

/* A change is rendered where it is seen, and nowhere else. */
static void test_only_affected(void)
{
    MemoryRegion roots[2], device;
    AddressSpace as[2];
    const FlatView *before;

    for (int i = 0; i < 2; i++) {
        memory_region_init_io(&roots[i], NULL, &no_ops, "root", 0x10000);
        address_space_init(&as[i], &roots[i], "as");
    }
    memory_region_init_io(&device, NULL, &no_ops, "device", 0x1000);
    before = as[1].view;
    memory_region_add(&roots[0], 0, &device);
    g_assert_true(as[1].view == before);
    before = as[0].view;
    memory_transaction_begin();
    memory_region_set_enabled(&device, false);
    g_assert_true(as[0].view == before);
    memory_transaction_commit();
    g_assert_cmpuint(as[0].view->count, ==, 1);
    memory_region_remove(&roots[0], &device);
    for (int i = 0; i < 2; i++) {
        address_space_clear(&as[i]);
        memory_region_clear(&roots[i]);
    }
    memory_region_clear(&device);
    rcu_barrier_all();
}

static void test_print(void)
{
    MemoryRegion device, off, alias;
    g_autoptr(GString) text = g_string_new(NULL);

    memory_region_init_io(&device, NULL, &no_ops, "device", 0x1000);
    memory_region_init_io(&off, NULL, &no_ops, "off", 0x10);
    memory_region_init_alias(&alias, NULL, "window", &device, (MemoryWindow){ 0x800, 0x100 });
    memory_region_set_enabled(&off, false);
    memory_region_add_overlap(memory_region_system(), 0x1000, &device, -1);
    memory_region_add(memory_region_system(), 0x5000, &alias);
    memory_region_add(memory_region_system(), 0x1000, &off);
    memory_print_tree(text, (MemoryTreeOptions){ 0 });
    g_assert_cmpstr(text->str, ==,
                    "address-space: memory\n"
                    "  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n"
                    "    0000000000001000-0000000000001fff (prio -1, i/o): device\n"
                    "    0000000000005000-00000000000050ff (prio 0, i/o): alias window @device "
                    "0000000000000800-00000000000008ff\n\n"
                    "address-space: I/O\n"
                    "  0000000000000000-000000000000ffff (prio 0, i/o): io\n\n"
                    "memory-region: device\n"
                    "  0000000000001000-0000000000001fff (prio -1, i/o): device\n\n");
    g_string_truncate(text, 0);
    memory_print_tree(text, (MemoryTreeOptions){ .with_disabled = true });
    g_assert_nonnull(strstr(text->str, "    0000000000001000-000000000000100f (prio 0, i/o): off "
                                       "[disabled]\n"));
    g_string_truncate(text, 0);
    memory_print_tree(text, (MemoryTreeOptions){ .is_flat = true });
    g_assert_cmpstr(text->str, ==,
                    "FlatView #0\n"
                    " AS \"memory\", root: system\n"
                    " Root memory region: system\n"
                    "  0000000000001000-0000000000001fff (prio -1, i/o): device\n"
                    "  0000000000005000-00000000000050ff (prio -1, i/o): device "
                    "@0000000000000800\n\n"
                    "FlatView #1\n"
                    " AS \"I/O\", root: io\n"
                    " Root memory region: io\n"
                    "  0000000000000000-000000000000ffff (prio 0, i/o): io\n\n");
    memory_region_remove(memory_region_system(), &device);
    memory_region_remove(memory_region_system(), &alias);
    memory_region_remove(memory_region_system(), &off);
    rcu_barrier_all();
    memory_region_clear(&alias);
    memory_region_clear(&device);
    memory_region_clear(&off);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/flat-view/random", test_random);
    g_test_add_func("/flat-view/shared", test_shared);
    g_test_add_func("/flat-view/only-affected", test_only_affected);
    g_test_add_func("/flat-view/print", test_print);
    return g_test_run();
}
