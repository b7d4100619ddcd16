/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_fixture.h"

#include "system/dma.h"
#include "system/machine_lock.h"
#include "system/ram_block.h"

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

    device_plug(f, &d, &(MemoryOps){ 0 });
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
    device_unplug(f, &d);
}

static void test_buffer(Fixture *f, const void *data)
{
    Device d;
    uint8_t buf[16];

    device_plug(f, &d, &(MemoryOps){ .endian = ENDIAN_BIG, .valid = { .max = 4 } });
    g_assert_cmpint(address_space_read(&f->as, DEVICE_ADDR + 1, MEM_TX_NONE, buf, 11), ==,
                    MEM_TX_OK);
    g_assert_cmpmem(buf, 11, d.bytes + 1, 11);
    g_assert_cmpstr(d.log, ==, "r1:1 r2:2 r4:4 r8:4 ");
    g_assert_true(d.saw_lock);
    g_assert_false(machine_lock_is_held());
    device_unplug(f, &d);
}

static void dma_to_self(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    Device *d = opaque;

    d->inner = address_space_store(&d->fixture->as, DEVICE_ADDR, MEM_8, MEM_TX_NONE, 1);
}

static void test_entered_again(Fixture *f, const void *data)
{
    Device d;

    device_plug(f, &d, &(MemoryOps){ .endian = ENDIAN_LITTLE });
    d.ops.write = dma_to_self;
    fixture_store(f, DEVICE_ADDR, MEM_8, 1);
    g_assert_cmpint(d.inner, ==, MEM_TX_ACCESS_ERROR);
    fixture_store(f, DEVICE_ADDR, MEM_8, 1);
    device_unplug(f, &d);
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
    device_plug(f, &d, &(MemoryOps){ .endian = ENDIAN_BIG });
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
    /* Of a bus master's write, what is aligned. */
    memset(d.bytes, 0, sizeof(d.bytes));
    g_assert_cmpint(address_space_write(&f->as, DEVICE_ADDR, MEM_TX_NONE, command, 64), ==,
                    MEM_TX_OK);
    g_assert_cmpstr(d.log, ==, "");
    g_assert_cmpmem(d.bytes, 64, command, 64);
    g_assert_cmpint(address_space_write(&f->as, DEVICE_ADDR, MEM_TX_NONE, command, 32), ==,
                    MEM_TX_OK);
    g_assert_cmpstr(d.log, !=, "");
    device_unplug(f, &d);
}

static void test_attrs_memory(Fixture *f, const void *data)
{
    MemTxAttrs only_memory = { .is_memory = true };
    uint64_t value;
    Device d;

    device_plug(f, &d, &(MemoryOps){ .endian = ENDIAN_LITTLE });
    g_assert_cmpint(address_space_load(&f->as, DEVICE_ADDR, MEM_LE32, only_memory, &value), ==,
                    MEM_TX_ACCESS_ERROR);
    g_assert_cmphex(value, ==, 0xffffffff);
    g_assert_cmpint(address_space_load(&f->as, 0, MEM_LE32, only_memory, &value), ==, MEM_TX_OK);
    g_assert_cmpint(address_space_fill(&f->as, DEVICE_ADDR, only_memory, 0, 16), ==,
                    MEM_TX_ACCESS_ERROR);
    g_assert_cmpstr(d.log, ==, "");
    device_unplug(f, &d);
}

/* Nobody is asked for what reads ones, and what may end at a page's end goes on behind it. */
static void test_ones(Fixture *f, const void *data)
{
    static const MemoryOps ops = { .write = device_write };
    MemTxAttrs only_memory = { .is_memory = true };
    Device d = { .fixture = f };
    MemoryRegion hole;
    uint8_t bytes[5000];
    MemoryMap map;
    uint64_t value;

    memory_region_init_ones(&hole, NULL, &ops, "hole", 16 * KiB);
    memory_region_set_opaque(&hole, &d);
    memory_region_add(&f->root, MiB, &hole);
    g_assert_cmphex(fixture_load(f, MiB + 0x123, MEM_LE32), ==, UINT32_MAX);
    g_assert_cmphex(fixture_load(f, MiB + 4094, MEM_LE64), ==, UINT64_MAX);
    g_assert_cmphex(fixture_load(f, MiB - 2, MEM_LE32), ==, 0xffff0000);
    g_assert_cmpint(address_space_read(&f->as, MiB + 100, MEM_TX_NONE, bytes, sizeof(bytes)), ==,
                    MEM_TX_OK);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        g_assert_cmphex(bytes[i], ==, 0xff);
    }
    g_assert_cmpstr(d.log, ==, "");
    g_assert_cmpint(address_space_store(&f->as, MiB + 4, MEM_LE32, MEM_TX_NONE, 7), ==, MEM_TX_OK);
    g_assert_cmpstr(d.log, !=, "");
    g_assert_cmphex(fixture_load(f, MiB + 4, MEM_LE32), ==, UINT32_MAX);
    g_assert_cmpint(address_space_load(&f->as, MiB, MEM_LE32, only_memory, &value), ==,
                    MEM_TX_ACCESS_ERROR);
    g_assert_true(address_space_map_read(&map, &f->as, MiB, 8192, MEM_TX_NONE));
    g_assert_true(map.is_bounce);
    address_space_unmap(&map, 0);
    memory_region_remove(&f->root, &hole);
    rcu_barrier_all();
    memory_region_clear(&hole);
}

/* Maps of one RAM that its owner hears of once; another RAM's owner is told for itself. */
static void test_map_beside(Fixture *f, const void *data)
{
    Object *owners[2];
    MemoryRegion ram[2];
    MemoryMap first, second, other;
    unsigned refs[2]; /* views hold owners, too */

    for (unsigned i = 0; i < 2; i++) {
        owners[i] = object_new("container");
        g_assert_true(memory_region_init_ram(&ram[i], owners[i], "ram", 16384, NULL));
        memory_region_add(&f->root, MiB + i * MiB, &ram[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        refs[i] = owners[i]->refs;
    }
    g_assert_true(address_space_map_write(&first, &f->as, MiB, 4096, MEM_TX_NONE));
    g_assert_cmpuint(owners[0]->refs, ==, refs[0] + 1);
    g_assert_true(address_space_map_beside(&second, &first, MiB + 8192, 4096));
    g_assert_cmpuint(owners[0]->refs, ==, refs[0] + 1);
    g_assert_true((uint8_t *)second.host == (uint8_t *)first.host + 8192);
    g_assert_true(second.is_write);
    g_assert_true(address_space_map_beside(&other, &first, 2 * MiB, 4096));
    g_assert_cmpuint(owners[1]->refs, ==, refs[1] + 1);
    address_space_unmap(&other, 4096);
    address_space_unmap(&second, 4096);
    g_assert_cmpuint(owners[0]->refs, ==, refs[0] + 1);
    address_space_unmap(&first, 4096);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(owners[i]->refs, ==, refs[i]);
        memory_region_remove(&f->root, &ram[i]);
        rcu_barrier_all();
        memory_region_clear(&ram[i]);
        object_unref(owners[i]);
    }
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
    g_assert_cmphex(fixture_load(f, DEVICE_ADDR, MEM_BE32), ==, 0x726f6d21);
    fixture_store(f, DEVICE_ADDR, MEM_LE32, 1);
    g_assert_cmpstr(d.log, ==, "w0:4 ");
    memory_region_set_rom_mode(&flash, false);
    g_assert_cmphex(fixture_load(f, DEVICE_ADDR, MEM_LE32), ==, 1);
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
    g_assert_cmphex(fixture_load(f, 0, MEM_8), ==, 0);
    g_assert_true(address_space_accepts(&f->as, 0, MEM_TX_NONE, MiB, false));
    g_assert_false(address_space_accepts(&f->as, 0, MEM_TX_NONE, 1, true));
    memory_region_set_read_only(&f->ram, false);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn)                                                                              \
    g_test_add("/memory-dispatch/" name, Fixture, NULL, fixture_set_up, fn, fixture_tear_down)
    ADD("sizes", test_sizes);
    ADD("buffer", test_buffer);
    ADD("entered-again", test_entered_again);
    ADD("store64", test_store64);
    ADD("attrs-memory", test_attrs_memory);
    ADD("ones", test_ones);
    ADD("map-beside", test_map_beside);
    ADD("rom-device", test_rom_device);
    ADD("read-only", test_read_only);
    return g_test_run();
}
