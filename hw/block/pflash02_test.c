/*
 * Parallel flash with the AMD command set, as firmware writes it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <glib/gstdio.h>

#include "block/backend.h"
#include "block/block_drive.h"
#include "pflash_test.h"
#include "qapi/qapi-commands-block-core.h"
#include "system/machine_lock.h"
#include "util/rcu.h"

static Device *make(unsigned width, unsigned mappings, const char *drive)
{
    static const struct { const char *name; int value; } settings[] = {
        { "num-blocks0", 8 }, { "sector-length0", 0x400 }, { "num-blocks1", 7 },
        { "sector-length1", 0x2000 }, { "id0", 0x01 }, { "id1", 0x22cb }, { "id2", 5 },
        { "id3", 6 }, { "unlock-addr0", 0x555 }, { "unlock-addr1", 0x2aa },
    };
    Device *dev = device_new("cfi.pflash02");

    object_set_text(dev, "name", "flash", NULL);
    object_set_int(dev, "width", width, NULL);
    object_set_int(dev, "mappings", mappings, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        object_set_int(dev, settings[i].name, settings[i].value, NULL);
    }
    if (drive) {
        g_assert_true(object_set_text(dev, "drive", drive, NULL));
    }
    return pflash_test_place(dev);
}

static void command(unsigned width, uint8_t value)
{
    put(0x555 * width, width, 0xaa);
    put(0x2aa * width, width, 0x55);
    put(0x555 * width, width, value);
}

static void test_program(void)
{
    Device *dev = make(1, 1, NULL);

    command(1, 0xa0);
    put(0x123, 1, 0x5a);
    g_assert_cmphex(get(0x123, 1), ==, 0x5a);
    command(1, 0xa0);
    put(0x123, 1, 0xf0); /* bits are only cleared */
    g_assert_cmphex(get(0x123, 1), ==, 0x50);
    put(0x124, 1, 0x12); /* no command */
    g_assert_cmphex(get(0x124, 1), ==, 0xff);
    command(1, 0x20); /* unlock bypass */
    for (unsigned i = 0; i < 4; i++) {
        put(0, 1, 0xa0);
        put(0x3000 + i, 1, i);
    }
    put(0, 1, 0x90);
    put(0, 1, 0x00);
    g_assert_cmphex(get(0x3000, 4), ==, 0x03020100);
    put(0x3000, 1, 0xa0); /* it is over */
    put(0x3004, 1, 0);
    g_assert_cmphex(get(0x3004, 1), ==, 0xff);
    device_delete(dev);
}

static void program_all(void)
{
    for (uint64_t at = 0x100; at < 0x10000; at += 0x400) {
        command(1, 0xa0);
        put(at, 1, 0);
    }
}

/* Small sectors at the bottom, large ones above. */
static void test_erase(void)
{
    Device *dev = make(1, 1, NULL);

    program_all();
    command(1, 0x80);
    put(0x555, 1, 0xaa);
    put(0x2aa, 1, 0x55);
    put(0x7ff, 1, 0x30);
    g_assert_cmphex(get(0x100, 1), ==, 0);
    g_assert_cmphex(get(0x500, 1), ==, 0xff);
    g_assert_cmphex(get(0x900, 1), ==, 0);
    command(1, 0x80);
    put(0x555, 1, 0xaa);
    put(0x2aa, 1, 0x55);
    put(0x4123, 1, 0x30);
    g_assert_cmphex(get(0x3d00, 1), ==, 0);
    g_assert_cmphex(get(0x4100, 1), ==, 0xff);
    g_assert_cmphex(get(0x5d00, 1), ==, 0xff);
    g_assert_cmphex(get(0x6100, 1), ==, 0);
    command(1, 0x80);
    put(0x555, 1, 0xaa);
    put(0x2aa, 1, 0x55);
    put(0x555, 1, 0x10);
    g_assert_cmphex(get(0x100, 1), ==, 0xff);
    g_assert_cmphex(get(0xfd00, 1), ==, 0xff);
    device_delete(dev);
}

static void test_query(void)
{
    Device *dev = make(2, 2, NULL);

    command(2, 0x90);
    g_assert_cmphex(get(0, 2), ==, 0x0001);
    g_assert_cmphex(get(2, 2), ==, 0x22cb);
    g_assert_cmphex(get(0x1c, 2), ==, 5);
    g_assert_cmphex(get(0x1e, 2), ==, 6);
    put(0, 2, 0xf0);
    put(0x55 * 2, 2, 0x98);
    g_assert_cmphex(get(0x10 * 2, 2), ==, 'Q');
    g_assert_cmphex(get(0x13 * 2, 2), ==, 2);
    g_assert_cmphex(get(0x27 * 2, 2), ==, 16); /* 64 KiB */
    g_assert_cmphex(get(0x2c * 2, 2), ==, 2);
    g_assert_cmphex(get(0x2d * 2, 2), ==, 7);
    g_assert_cmphex(get(0x2f * 2, 2), ==, 4);
    g_assert_cmphex(get(0x33 * 2, 2), ==, 0x20);
    g_assert_cmphex(get(0x35 * 2, 2), ==, 'P');
    put(0, 2, 0xf0);
    command(2, 0xa0);
    put(0x40, 2, 0x1234);
    g_assert_cmphex(get(0x10040, 2), ==, 0x1234); /* the second mapping */
    device_delete(dev);
}

static void add_node(const char *path, const char *rest)
{
    g_autofree char *text = g_strdup_printf(
        "{'driver':'file','node-name':'n0','filename':'%s'%s}", path, rest);
    g_autoptr(JsonObject) json = NULL;
    g_autoptr(BlockdevOptions) options = NULL;

    g_assert_true(json_parse(text, strlen(text), &json, NULL));
    options = blockdev_options_from_json(json, QAPI_TYPED, NULL);
    g_assert_true(block_node_add(options, NULL));
}

static void program_and_erase(void)
{
    command(1, 0xa0);
    put(0x123, 1, 0x5a);
    command(1, 0x80);
    put(0x555, 1, 0xaa);
    put(0x2aa, 1, 0x55);
    put(0x400, 1, 0x30);
}

/* Nobody sees its memory any more: that lets go of it, and it of its drive. */
static void delete_and_wait(Device *dev)
{
    device_delete(dev);
    machine_unlock();
    rcu_barrier_all();
    machine_lock();
}

/* What is written outlives the device; a drive that cannot be written keeps its bytes. */
static void test_drive(void)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "pflash-XXXXXX", NULL);
    g_autofree uint8_t *bytes = g_malloc0(0x10000);
    g_autofree char *found = NULL;
    int fd = g_mkstemp(path);
    Device *dev;

    memset(bytes, 0x77, 0x10000);
    g_assert_cmpint(write(fd, bytes, 0x10000), ==, 0x10000);
    close(fd);
    add_node(path, ",'read-only':true");
    dev = make(1, 1, "n0");
    program_and_erase();
    g_assert_cmphex(get(0x123, 1), ==, 0x77);
    g_assert_cmphex(get(0x400, 1), ==, 0x77);
    delete_and_wait(dev);
    g_assert_true(block_node_delete("n0", NULL));
    add_node(path, "");
    dev = make(1, 1, "n0");
    program_and_erase();
    delete_and_wait(dev);
    g_assert_true(block_node_delete("n0", NULL));
    g_assert_true(g_file_get_contents(path, &found, NULL, NULL));
    g_assert_cmphex((uint8_t)found[0x122], ==, 0x77);
    g_assert_cmphex((uint8_t)found[0x123], ==, 0x52);
    g_assert_cmphex((uint8_t)found[0x3ff], ==, 0x77);
    g_assert_cmphex((uint8_t)found[0x400], ==, 0xff);
    g_assert_cmphex((uint8_t)found[0x7ff], ==, 0xff);
    g_assert_cmphex((uint8_t)found[0x800], ==, 0x77);
    g_unlink(path);
}

static void test_refused(void)
{
    g_autoptr(Device) dev = device_new("cfi.pflash02");
    g_autoptr(Error) err = NULL;

    object_set_text(dev, "name", "flash", NULL);
    object_set_int(dev, "width", 2, NULL);
    g_assert_false(device_realize(dev, bus_system(), &err));
    g_assert_cmpstr(error_text(err), ==, "attribute \"sector-length\" not specified or zero.");
}

void pflash02_add_tests(void)
{
    g_test_add_func("/pflash02/program", test_program);
    g_test_add_func("/pflash02/erase", test_erase);
    g_test_add_func("/pflash02/query", test_query);
    g_test_add_func("/pflash02/drive", test_drive);
    g_test_add_func("/pflash02/refused", test_refused);
}
