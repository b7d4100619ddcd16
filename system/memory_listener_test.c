/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_fixture.h"

#include <sys/eventfd.h>

#include "system/memory_listener.h"
#include "system/memory_log.h"

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
    device_plug(f, &d, &(MemoryOps){ .endian = ENDIAN_BIG });
    listen(f, &ear);
    memory_region_add_eventfd(&d.region, &bell);
    expect_heard(&ear, "+fd 1000008 ");
    fixture_store(f, DEVICE_ADDR + 8, MEM_BE32, 3);
    g_assert_cmpstr(d.log, ==, "");
    g_assert_cmpint(read(bell.fd, &count, 8), ==, 8);
    fixture_store(f, DEVICE_ADDR + 8, MEM_BE32, 4);
    fixture_store(f, DEVICE_ADDR + 8, MEM_LE16, 3);
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
    device_unplug(f, &d);
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
    fixture_store(f, 3 * DIRTY_PAGE_BYTES - 2, MEM_LE32, 1);
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
    fixture_store(f, 0, MEM_8, 1);
    g_assert_true(ram_block_take_dirty(ram, 0, 1, DIRTY_MIGRATION));
    g_string_truncate(ear.heard, 0);
    memory_log_stop_global();
    expect_heard(&ear, "stop 4>0 ");
    fixture_store(f, 0, MEM_8, 1);
    g_assert_false(ram_block_is_dirty(ram, 0, 1, DIRTY_MIGRATION));
    stop_listening(&ear);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn)                                                                              \
    g_test_add("/memory-listener/" name, Fixture, NULL, fixture_set_up, fn, fixture_tear_down)
    ADD("eventfds", test_eventfds);
    ADD("log", test_log);
    return g_test_run();
}
