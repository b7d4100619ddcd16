/*
 * What resets write to guest memory: see hw/core/roms.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/reset.h"
#include "hw/core/roms.h"
#include "qapi/qapi-commands-machine.h"
#include "system/address_space.h"
#include "util/rcu.h"

struct Rom {
    char *name;
    uint64_t addr, size_bytes;
    const uint8_t *bytes;
    uint8_t *own_bytes; /* the same, if it has a copy */
    size_t byte_count;
};

static GPtrArray *roms; /* by address */

static void write_zeros(uint64_t addr, uint64_t size_bytes)
{
    static const uint8_t zeros[4096];

    while (size_bytes) {
        uint64_t part = MIN(size_bytes, sizeof(zeros));

        address_space_write_rom(address_space_system(), addr, MEM_TX_NONE, zeros, part);
        addr += part;
        size_bytes -= part;
    }
}

static void write_all(void *opaque)
{
    for (guint i = 0; i < roms->len; i++) {
        const Rom *rom = roms->pdata[i];

        address_space_write_rom(address_space_system(), rom->addr, MEM_TX_NONE, rom->bytes,
                                rom->byte_count);
        write_zeros(rom->addr + rom->byte_count, rom->size_bytes - rom->byte_count);
    }
}

static bool refuse_overlap(const Rom *rom, const RomSpec *spec, Error **errp)
{
    error_set(errp, "Some ROM regions are overlapping");
    error_hint(errp, "The following two regions overlap (in the memory address space):\n"
               "  %s (addresses 0x%016" PRIx64 " - 0x%016" PRIx64 ")\n"
               "  %s (addresses 0x%016" PRIx64 " - 0x%016" PRIx64 ")\n", rom->name, rom->addr,
               rom->addr + rom->size_bytes, spec->name, spec->addr,
               spec->addr + spec->size_bytes);
    return false;
}

/* Where it goes in the list. */
static bool find_place(const RomSpec *spec, guint *place, Error **errp)
{
    if (spec->addr + spec->size_bytes < spec->addr) {
        return error_set(errp, "%s: %" PRIu64 " bytes at 0x%" PRIx64 " pass the end of memory",
                         spec->name, spec->size_bytes, spec->addr);
    }
    for (*place = 0; *place < roms->len; ++*place) {
        const Rom *rom = roms->pdata[*place];

        if (rom->addr + rom->size_bytes > spec->addr) {
            return rom->addr >= spec->addr + spec->size_bytes || refuse_overlap(rom, spec, errp);
        }
    }
    return true;
}

static bool take_bytes(Rom *rom, const RomSpec *spec, Error **errp)
{
    rom->byte_count = spec->byte_count;
    rom->bytes = spec->bytes;
    if (spec->is_borrowed || !spec->byte_count) {
        return true;
    }
    rom->bytes = rom->own_bytes = g_try_malloc(spec->byte_count);
    if (!rom->own_bytes) {
        return error_set(errp, "%s: no memory for its %zu bytes", spec->name, spec->byte_count);
    }
    memcpy(rom->own_bytes, spec->bytes, spec->byte_count);
    return true;
}

Rom *rom_add(const RomSpec *spec, Error **errp)
{
    Rom *rom;
    guint place = 0;

    assert(spec->byte_count <= spec->size_bytes);
    if (!roms) {
        roms = g_ptr_array_new();
        reset_register(write_all, NULL);
    }
    if (!find_place(spec, &place, errp)) {
        return NULL;
    }
    rom = g_new0(Rom, 1);
    if (!take_bytes(rom, spec, errp)) {
        g_free(rom);
        return NULL;
    }
    rom->name = g_strdup(spec->name);
    rom->addr = spec->addr;
    rom->size_bytes = spec->size_bytes;
    g_ptr_array_insert(roms, place, rom);
    return rom;
}

void rom_remove(Rom *rom)
{
    if (rom) {
        g_ptr_array_remove(roms, rom);
        g_free(rom->name);
        g_free(rom->own_bytes);
        g_free(rom);
    }
}

static const char *memory_kind(uint64_t addr)
{
    MemoryTarget target;
    const char *kind;

    rcu_lock();
    address_space_find(address_space_system(), addr, MEM_TX_NONE, false, &target);
    kind = target.host && !target.is_writable ? "rom" : "ram";
    rcu_unlock();
    return kind;
}

void roms_print(GString *out)
{
    for (guint i = 0; roms && i < roms->len; i++) {
        const Rom *rom = roms->pdata[i];

        g_string_append_printf(out, "addr=%016" PRIx64 " size=0x%06" PRIx64 " mem=%s name=\"%s\"\n",
                               rom->addr, rom->size_bytes, memory_kind(rom->addr), rom->name);
    }
}

HumanReadableText *qmp_x_query_roms(Error **errp)
{
    HumanReadableText *text = g_new0(HumanReadableText, 1);
    GString *out = g_string_new(NULL);

    roms_print(out);
    text->human_readable_text = g_string_free(out, FALSE);
    return text;
}
