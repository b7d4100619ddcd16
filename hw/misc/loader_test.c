/*
 * What the loader takes, refuses and writes at reset; that hostile files are refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/machine.h"
#include "hw/core/mmio_device.h"
#include "hw/core/reset.h"
#include "hw/core/roms.h"
#include "system/machine_lock.h"
#include "util/byte_order.h"

#include <elf.h>
#include <unistd.h>

#define RAM_BYTES (1 * MiB)

static const MachineType board_type = {
    .name = "board-machine", .parent = TYPE_MACHINE, .doc = "test board",
    .default_ram_bytes = RAM_BYTES,
};
MACHINE_TYPE(board_type)

static MemoryRegion ram;
static char *file;

static void expect(const char *options, const char *why)
{
    g_autofree char *text = g_strdup_printf("{'driver':'loader','id':'l'%s}", options);
    g_autoptr(Error) err = NULL;
    g_autoptr(JsonObject) owned = NULL;
    json_object *keys;
    char *wrong;

    g_assert_true(json_parse(text, strlen(text), &keys, &wrong));
    owned = keys;
    g_assert_cmpint(device_add(keys, PROPERTY_ANY, &err) != NULL, ==, !why);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, why);
}

static void drop(void)
{
    device_delete(device_find("l"));
}

static uint64_t get(uint64_t addr)
{
    uint64_t value;

    address_space_load(address_space_system(), addr, MEM_BE64, MEM_TX_NONE, &value);
    return value;
}

static void expect_roms(const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);

    roms_print(out);
    g_assert_cmpstr(out->str, ==, expected);
}

static void test_refused(void)
{
    expect("", "please include valid arguments");
    expect(",'cpu-num':0", "please include valid arguments");
    expect(",'addr':16", "cpu_num must be specified when setting a program counter");
    expect(",'addr':16,'cpu-num':3", "Specified boot CPU#3 is nonexistent");
    expect(",'data':1", "Both data and data-len must be specified");
    expect(",'data-be':true", "Both data and data-len must be specified");
    expect(",'data':1,'data-len':9", "data-len cannot be greater then 8 bytes");
    expect(",'data':1,'data-len':4,'file':'x'",
           "Specifying a file is not supported when loading memory values");
    expect(",'data':1,'data-len':4,'force-raw':true",
           "Specifying force-raw is not supported when loading memory values");
    expect(",'data':1,'data-len':4,'cpu-num':0", "Specified boot CPU#0 is nonexistent");
    expect(",'addr':18446744073709551615,'data':1,'data-len':4",
           "loader: 4 bytes at 0xffffffffffffffff pass the end of memory");
    expect_roms("");
}

static void test_data(void)
{
    expect(",'addr':256,'data':1432778632,'data-len':4", NULL); /* 0x55667788 */
    g_assert_cmphex(get(256), ==, 0);
    reset_machine();
    g_assert_cmphex(get(256), ==, 0x8877665500000000);
    address_space_fill(address_space_system(), 0, MEM_TX_NONE, 0, 512);
    reset_machine();
    g_assert_cmphex(get(256), ==, 0x8877665500000000);
    expect_roms("addr=0000000000000100 size=0x000004 mem=ram name=\"loader\"\n");
    drop();
    expect_roms("");
    expect(",'addr':257,'data':1432778632,'data-len':4,'data-be':true", NULL);
    reset_machine();
    g_assert_cmphex(get(256), ==, 0x8855667788000000);
    drop();
}

static void test_overlap(void)
{
    uint8_t bytes[16] = { 0 };
    const RomSpec low = { "low", 0x100, 16, bytes, 16 }, high = { "high", 0x10f, 16, bytes, 16 };
    const RomSpec next = { "next", 0x110, 32, bytes, 16 };
    g_autoptr(Error) err = NULL;
    Rom *a = rom_add(&next, NULL), *b = rom_add(&low, NULL);

    g_assert_nonnull(a);
    g_assert_nonnull(b);
    g_assert_null(rom_add(&high, &err));
    g_assert_cmpstr(error_text(err), ==, "Some ROM regions are overlapping");
    expect_roms("addr=0000000000000100 size=0x000010 mem=ram name=\"low\"\n"
                "addr=0000000000000110 size=0x000020 mem=ram name=\"next\"\n");
    rom_remove(a);
    rom_remove(b);
}

static void expect_file(const void *bytes, size_t size, const char *more, const char *why)
{
    g_autofree char *options = g_strdup_printf(",'file':'%s'%s", file, more);
    g_autofree char *text = why ? g_strdup_printf("Cannot load specified image %s: %s", file, why) :
                                  NULL;

    g_assert_true(g_file_set_contents(file, bytes, size, NULL));
    expect(options, text);
    if (!why) {
        reset_machine();
        drop();
    }
}

static void test_raw(void)
{
    g_autofree char *big = g_malloc0(RAM_BYTES + 1);

    expect(",'file':'/nonexistent/x'",
           "Cannot load specified image /nonexistent/x: No such file or directory");
    expect(",'file':'/dev/zero'", "Cannot load specified image /dev/zero: Invalid argument");
    expect_file("hello!\n", 7, ",'addr':512", NULL);
    g_assert_cmphex(get(512), ==, 0x68656c6c6f210a00);
    expect_file("", 0, "", NULL);
    expect_file(big, RAM_BYTES + 1, "",
                "it has 1048577 bytes, more than the machine's memory");
}

typedef struct Elf {
    Elf64_Ehdr head;
    Elf64_Phdr segment;
    uint8_t bytes[8];
} Elf;

static Elf good_elf(void)
{
    Elf elf = {
        .head = {
            .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
            .e_type = ET_EXEC, .e_entry = 0x1000, .e_phoff = offsetof(Elf, segment),
            .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
        },
        .segment = {
            .p_type = PT_LOAD, .p_offset = offsetof(Elf, bytes), .p_paddr = 0x1000,
            .p_filesz = 4, .p_memsz = 8,
        },
        .bytes = { 1, 2, 3, 4, 5, 6, 7, 8 },
    };

    return elf;
}

static void test_elf(void)
{
    Elf elf = good_elf();

    address_space_fill(address_space_system(), 0x1000, MEM_TX_NONE, 0xff, 16);
    expect_file(&elf, sizeof(elf), "", NULL);
    g_assert_cmphex(get(0x1000), ==, 0x0102030400000000);
    g_assert_cmphex(get(0x1008), ==, UINT64_MAX);
    expect_file(&elf, sizeof(elf), ",'addr':8192,'force-raw':true", NULL);
    g_assert_cmphex(get(8192) >> 32, ==, 0x7f454c46);
    expect_file(&elf, 20, "", "the ELF header is cut off");
    elf.segment.p_memsz = RAM_BYTES + 1;
    expect_file(&elf, sizeof(elf), "",
                "a segment has 1048577 bytes, more than the machine's memory");
    elf.segment.p_memsz = 3;
    expect_file(&elf, sizeof(elf), "", "an ELF segment lies outside the file");
    elf = good_elf();
    elf.segment.p_offset = UINT64_MAX;
    expect_file(&elf, sizeof(elf), "", "an ELF segment lies outside the file");
    elf = good_elf();
    elf.head.e_phoff = sizeof(elf) - 8;
    expect_file(&elf, sizeof(elf), "", "the ELF program headers lie outside the file");
    elf.head.e_ident[EI_CLASS] = 9;
    expect_file(&elf, sizeof(elf), "", "it is no ELF file of 32 or 64 bits");
}

static void test_elf_random(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(20);

    for (int i = 0; i < 2000; i++) {
        Elf elf = good_elf();
        g_autofree char *options = g_strdup_printf(",'file':'%s'", file);
        g_autofree char *text = g_strdup_printf("{'driver':'loader','id':'l'%s}", options);
        g_autoptr(JsonObject) owned = NULL;
        json_object *keys;
        char *wrong;

        for (int n = g_rand_int_range(random, 1, 5); n > 0; n--) {
            ((uint8_t *)&elf)[g_rand_int_range(random, 4, sizeof(elf))] = g_rand_int(random);
        }
        g_assert_true(g_file_set_contents(file, (char *)&elf, sizeof(elf), NULL));
        g_assert_true(json_parse(text, strlen(text), &keys, &wrong));
        owned = keys;
        if (device_add(keys, PROPERTY_ANY, NULL)) {
            reset_machine();
            drop();
        }
    }
}

static void test_unimplemented(void)
{
    Device *dev = device_new("unimplemented-device");
    g_autoptr(Error) err = NULL;

    g_assert_false(device_realize(dev, bus_system(), &err));
    g_assert_cmpstr(error_text(err), ==, "property 'size' not specified or zero");
    object_set_int(dev, "size", 0x1000, NULL);
    object_set_text(dev, "name", "thing", NULL);
    g_assert_true(device_realize_and_unref(dev, bus_system(), NULL));
    mmio_device_map(MMIO_DEVICE(dev), 0, 16 * MiB);
    g_assert_cmphex(get(16 * MiB + 0xff8), ==, 0);
    g_assert_cmphex(get(16 * MiB + 0x1000), ==, UINT64_MAX);
    device_delete(dev);
    g_assert_cmphex(get(16 * MiB), ==, UINT64_MAX);
}

int main(int argc, char **argv)
{
    int status, fd = g_file_open_tmp("loader-XXXXXX", &file, NULL);

    g_test_init(&argc, &argv, NULL);
    machine_lock();
    machine_create(type_find("board-machine"));
    memory_region_init_ram(&ram, NULL, "ram", RAM_BYTES, NULL);
    memory_region_add(memory_region_system(), 0, &ram);
    g_test_add_func("/loader/refused", test_refused);
    g_test_add_func("/loader/data", test_data);
    g_test_add_func("/loader/overlap", test_overlap);
    g_test_add_func("/loader/raw", test_raw);
    g_test_add_func("/loader/elf", test_elf);
    g_test_add_func("/loader/elf/random", test_elf_random);
    g_test_add_func("/unimplemented", test_unimplemented);
    status = g_test_run();
    machine_unlock();
    unlink(file);
    close(fd);
    g_free(file);
    return status;
}
