/*
 * Fuzzing the loader. The first byte says how the rest is meant: as a stream, or as records
 * (type, length of the body in two bytes, body) that get numbers and checksums that are right, so
 * that what is behind them is reached.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <sys/mman.h>
#include "migration/configuration.h"
#include "migration/load.h"
#include "migration/migration_test_machine.h"
#include "migration/ram.h"
#include "migration/record.h"
#include "system/address_space.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static MemoryRegion ram;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    test_machine_set_target();
    assert(memory_region_init_ram(&ram, NULL, "ram", 64 * KiB, NULL));
    assert(ram_block_set_id(ram.ram, NULL, "ram", NULL));
    ram_block_set_migratable(ram.ram, true);
    ram_register();
    return 0;
}

static void write_records(MigrationStream *out, const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    VMWriter w = { .out = body };
    RecordChannel c;

    record_channel_init(&c, out);
    record_write_preamble(&c, NULL);
    configuration_save(&w, NULL);
    record_write(&c, RECORD_CONFIGURATION, body, NULL);
    while (size >= 3) {
        size_t part = MIN(size - 3, (size_t)(data[1] << 8 | data[2]));

        g_byte_array_set_size(body, 0);
        g_byte_array_append(body, data + 3, part);
        record_write(&c, data[0], body, NULL);
        data += 3 + part;
        size -= 3 + part;
    }
    record_write_end(&c, NULL);
}

static void load(int fd)
{
    g_autoptr(MigrationStream) in = migration_stream_new("fuzz");
    Error *err = NULL;
    TestMachine m;

    migration_stream_attach(in, fd);
    test_machine_init(&m);
    test_machine_plug(&m);
    assert(load_machine(in, &err) == !err);
    error_free(err);
    test_machine_unplug(&m);
    test_machine_clear(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(MigrationStream) out = migration_stream_new("fuzz");
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    assert(fd >= 0);
    migration_stream_attach(out, dup(fd));
    if (size && data[0] & 1) {
        migration_stream_write(out, data + 1, size - 1, NULL);
    } else if (size) {
        write_records(out, data + 1, size - 1);
    }
    migration_stream_finish(out, NULL);
    lseek(fd, 0, SEEK_SET);
    load(fd);
    return 0;
}
