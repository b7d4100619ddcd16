/*
 * fw_cfg as firmware uses it: by ports, by memory and by DMA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/mmio_device.h"
#include "hw/nvram/fw_cfg.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

#define COMMAND 0x1000
#define BUFFER  0x2000

static Device *cfg;
static MemoryRegion ram;
static size_t written_at, written_bytes;
static unsigned selections;

static const MachineType board_type = {
    .name = "board-machine", .parent = TYPE_MACHINE, .doc = "test board", .is_without_ram = true,
};
MACHINE_TYPE(board_type)

static uint64_t in(uint32_t port, MemFormat format)
{
    uint64_t value;

    address_space_load(address_space_io(), port, format, MEM_TX_NONE, &value);
    return value;
}

static uint8_t inb(uint32_t port)
{
    return in(port, MEM_8);
}

static uint64_t ports_read(uint16_t key, unsigned bytes)
{
    uint64_t value = 0;

    address_space_store(address_space_io(), 0x510, MEM_LE16, MEM_TX_NONE, key);
    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)inb(0x511) << (8 * i);
    }
    return value;
}

static void start(const char *type)
{
    cfg = device_new(type);
    g_assert_true(device_realize_and_unref(cfg, bus_system(), NULL));
    device_reset(cfg);
}

static void stop(void)
{
    g_autoptr(Device) second = device_new(TYPE_FW_CFG_MEM);

    g_assert_true(fw_cfg_find() == cfg);
    g_assert_false(device_realize(second, bus_system(), NULL)); /* a machine has one */
    device_delete(cfg);
    g_assert_null(fw_cfg_find());
}

static bool add_text(const char *name, const char *text)
{
    FwCfgBlob blob = { .data = g_strdup(text), .size = strlen(text) };
    bool is_ok = fw_cfg_add_file(cfg, name, &blob, NULL);

    if (!is_ok) {
        g_free(blob.data);
    }
    return is_ok;
}

static uint32_t be32_next(void)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        value = value << 8 | inb(0x511);
    }
    return value;
}

static void test_keys(void)
{
    start(TYPE_FW_CFG_IO);
    g_assert_cmphex(ports_read(FW_CFG_SIGNATURE, 4), ==, 0x554d4551);
    g_assert_cmphex(ports_read(FW_CFG_ID, 4), ==, 3);
    g_assert_cmphex(ports_read(FW_CFG_RAM_SIZE, 8), ==, 0);
    fw_cfg_set_u64(cfg, FW_CFG_RAM_SIZE, 128 * MiB);
    fw_cfg_set_u64(cfg, FW_CFG_RAM_SIZE, 256 * MiB);
    fw_cfg_set_u16(cfg, FW_CFG_NB_CPUS, 7);
    fw_cfg_set_u32(cfg, FW_CFG_ARCH_LOCAL | 2, 0x12345678);
    g_assert_cmphex(ports_read(FW_CFG_RAM_SIZE, 8), ==, 256 * MiB);
    g_assert_cmphex(ports_read(FW_CFG_NB_CPUS, 2), ==, 7);
    g_assert_cmphex(ports_read(0x8002, 4), ==, 0x12345678);
    g_assert_cmphex(inb(0x511), ==, 0); /* behind the end */
    g_assert_cmphex(ports_read(0xffff, 2), ==, 0);
    g_assert_cmphex(ports_read(0x1f, 2), ==, 0);
    stop();
    g_assert_cmphex(inb(0x511), ==, 0xff);
}

static void test_files(void)
{
    char name[FW_CFG_NAME_BYTES];

    start(TYPE_FW_CFG_IO);
    g_assert_true(add_text("opt/b", "bb"));
    g_assert_true(add_text("opt/a", "a"));
    g_assert_true(add_text("opt/c", "ccc"));
    g_assert_false(add_text("opt/b", "again"));
    ports_read(FW_CFG_FILE_DIR, 0);
    g_assert_cmpuint(be32_next(), ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(be32_next(), ==, i + 1);
        g_assert_cmphex(be32_next(), ==, (0x20 + i) << 16);
        for (unsigned n = 0; n < sizeof(name); n++) {
            name[n] = inb(0x511);
        }
        g_assert_cmpint(name[4], ==, 'a' + i);
    }
    g_assert_cmphex(ports_read(0x21, 3), ==, 'b' << 8 | 'b');
    for (unsigned i = 3; i < 0x20; i++) {
        g_autofree char *more = g_strdup_printf("etc/%02u", i);

        g_assert_true(add_text(more, ""));
    }
    g_assert_false(add_text("one-too-many", ""));
    stop();
}

static void select_hook(void *opaque)
{
    selections++;
}

static void written_hook(void *opaque, size_t offset, size_t bytes)
{
    written_at = offset;
    written_bytes = bytes;
}

/* What is left in the control word. */
static uint32_t dma(uint32_t control, uint32_t length, uint64_t addr)
{
    AddressSpace *as = address_space_system();
    uint64_t left;

    address_space_store(as, COMMAND, MEM_BE32, MEM_TX_NONE, control);
    address_space_store(as, COMMAND + 4, MEM_BE32, MEM_TX_NONE, length);
    address_space_store(as, COMMAND + 8, MEM_BE64, MEM_TX_NONE, addr);
    address_space_store(address_space_io(), 0x514, MEM_BE32, MEM_TX_NONE, 0);
    address_space_store(address_space_io(), 0x518, MEM_BE32, MEM_TX_NONE, COMMAND);
    address_space_load(as, COMMAND, MEM_BE32, MEM_TX_NONE, &left);
    return left;
}

static void expect_memory(const char *bytes, size_t count)
{
    g_assert_cmpmem((char *)memory_region_host(&ram) + BUFFER, count, bytes, count);
}

static void test_dma(void)
{
    char contents[] = "abcdefgh";
    FwCfgBlob blob = { .data = contents, .size = 8, .is_borrowed = true, .is_writable = true,
                       .select = select_hook, .written = written_hook };

    start(TYPE_FW_CFG_IO);
    g_assert_true(fw_cfg_add_file(cfg, "etc/rw", &blob, NULL));
    g_assert_cmphex(in(0x514, MEM_BE64), ==, UINT64_C(0x51454d5520434647));
    g_assert_cmphex(dma(0x20 << 16 | 8 | 2, 4, BUFFER), ==, 0);
    g_assert_cmpuint(selections, ==, 1);
    expect_memory("abcd", 4);
    g_assert_cmphex(dma(4, 2, 0), ==, 0); /* skip */
    g_assert_cmphex(dma(2, 4, BUFFER), ==, 0);
    expect_memory("gh\0\0", 4);
    memcpy((char *)memory_region_host(&ram) + BUFFER, "XYZ", 3);
    g_assert_cmphex(dma(0x20 << 16 | 8 | 4, 3, 0), ==, 0);
    g_assert_cmphex(dma(0x10, 3, BUFFER), ==, 0);
    g_assert_cmpstr(contents, ==, "abcXYZgh");
    g_assert_cmpuint(written_at, ==, 3);
    g_assert_cmpuint(written_bytes, ==, 3);
    g_assert_cmphex(dma(0x10, 3, BUFFER), ==, 1); /* beyond the end */
    g_assert_cmphex(dma(0 << 16 | 8 | 0x10, 1, BUFFER), ==, 1); /* not writable */
    g_assert_cmphex(dma(0x20 << 16 | 8 | 2, 4, UINT64_C(1) << 40), ==, 1); /* no memory */
    g_assert_cmphex(dma(0x20 << 16 | 8 | 2, UINT32_MAX, 0xff00), ==, 1);
    g_assert_cmpstr(contents, ==, "abcXYZgh");
    stop();
}

static void test_memory_mapped(void)
{
    uint64_t value;
    AddressSpace *as = address_space_system();

    cfg = device_new(TYPE_FW_CFG_MEM);
    g_assert_true(object_set_int(cfg, "data_width", 8, NULL));
    g_assert_true(device_realize_and_unref(cfg, bus_system(), NULL));
    mmio_device_map(MMIO_DEVICE(cfg), 1, 0x9020000);
    mmio_device_map(MMIO_DEVICE(cfg), 0, 0x9020008);
    mmio_device_map(MMIO_DEVICE(cfg), 2, 0x9020010);
    fw_cfg_set_copy(cfg, FW_CFG_KERNEL_CMDLINE, "12345678", 8);
    address_space_store(as, 0x9020008, MEM_BE16, MEM_TX_NONE, FW_CFG_KERNEL_CMDLINE);
    address_space_load(as, 0x9020000, MEM_BE64, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, UINT64_C(0x3132333435363738));
    address_space_store(as, 0x9020008, MEM_BE16, MEM_TX_NONE, FW_CFG_SIGNATURE);
    address_space_load(as, 0x9020000, MEM_8, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, 'Q');
    address_space_load(as, 0x9020010, MEM_BE64, MEM_TX_NONE, &value);
    g_assert_cmphex(value, ==, UINT64_C(0x51454d5520434647));
    stop();
}

static void expect_option(const char *text, const char *why)
{
    g_autoptr(JsonObject) options = NULL;
    g_autoptr(Error) err = NULL;
    char *bad;

    g_assert_true(json_parse(text, strlen(text), &options, &bad));
    g_assert_cmpint(fw_cfg_add_option(cfg, options, &err), ==, !why);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, why);
}

static void test_options(void)
{
    start(TYPE_FW_CFG_IO);
    expect_option("{'name':'opt/x','string':'hello'}", NULL);
    expect_option("{'name':'opt/x','string':'twice'}", "duplicate fw_cfg file name: opt/x");
    expect_option("{'string':'hello'}", "fw_cfg: 'name' is missing");
    expect_option("{'name':'opt/y'}",
                  "fw_cfg: exactly one of 'file' and 'string' must be given");
    g_assert_cmpuint(fw_cfg_file(cfg, "opt/x")->size, ==, 5);
    g_assert_null(fw_cfg_file(cfg, "opt/y"));
    stop();
}

static void test_state(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VMWriter writer = { bytes };
    VMReader reader;
    const VMState *state;

    start(TYPE_FW_CFG_IO);
    state = device_type_state(cfg->parent.type);
    g_assert_cmphex(ports_read(FW_CFG_SIGNATURE, 2), ==, 0x4551);
    g_assert_true(vmstate_save(state, cfg, &writer, NULL));
    g_assert_cmphex(inb(0x511), ==, 'M');
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_true(vmstate_load(state, cfg, &reader, NULL));
    g_assert_cmphex(inb(0x511), ==, 'M');
    stop();
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock();
    machine_create(type_find("board-machine"));
    g_assert_true(memory_region_init_ram(&ram, NULL, "ram", 64 * KiB, NULL));
    memory_region_add(memory_region_system(), 0, &ram);
    g_test_add_func("/fw_cfg/keys", test_keys);
    g_test_add_func("/fw_cfg/files", test_files);
    g_test_add_func("/fw_cfg/dma", test_dma);
    g_test_add_func("/fw_cfg/memory-mapped", test_memory_mapped);
    g_test_add_func("/fw_cfg/options", test_options);
    g_test_add_func("/fw_cfg/state", test_state);
    status = g_test_run();
    machine_unlock();
    return status;
}
