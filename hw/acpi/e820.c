/*
 * The memory map of x86, and the start information of PVH kernels.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/e820.h"
#include "hw/acpi/pack.h"

#define PVH_MAGIC         0x336ec578
#define PVH_VERSION       1
#define PVH_INFO_BYTES    56
#define PVH_MODULE_BYTES  32

typedef struct Entry {
    uint64_t base, bytes;
    E820Type type;
} Entry;

struct E820 {
    GArray *entries;
};

E820 *e820_new(void)
{
    E820 *map = g_new0(E820, 1);

    map->entries = g_array_new(false, false, sizeof(Entry));
    return map;
}

void e820_free(E820 *map)
{
    if (map) {
        g_array_unref(map->entries);
        g_free(map);
    }
}

static const Entry *entry_at(const E820 *map, guint i)
{
    return &g_array_index(map->entries, Entry, i);
}

void e820_add(E820 *map, uint64_t base, uint64_t bytes, E820Type type)
{
    Entry entry = { base, bytes, type };
    guint i = 0;

    if (bytes == 0) {
        return;
    }
    assert(base + (bytes - 1) >= base);
    while (i < map->entries->len && entry_at(map, i)->base < base) {
        i++;
    }
    assert(i == 0 || base - entry_at(map, i - 1)->base >= entry_at(map, i - 1)->bytes);
    assert(i == map->entries->len || entry_at(map, i)->base - base >= bytes);
    g_array_insert_val(map->entries, i, entry);
}

unsigned e820_count(const E820 *map)
{
    return map->entries->len;
}

GByteArray *e820_bytes(const E820 *map)
{
    GByteArray *out = g_byte_array_new();

    for (guint i = 0; i < map->entries->len; i++) {
        const Entry *e = entry_at(map, i);

        bytes_pack(out, "884", e->base, e->bytes, e->type);
    }
    return out;
}

GByteArray *pvh_start_info(const PvhStart *s)
{
    GByteArray *out = g_byte_array_new();
    uint64_t modules = s->address + PVH_INFO_BYTES;
    uint64_t memory = modules + s->module_count * PVH_MODULE_BYTES;

    bytes_pack(out, "4444", PVH_MAGIC, PVH_VERSION, 0 /* flags */, s->module_count);
    bytes_pack(out, "888844", s->module_count ? modules : 0, s->cmdline, s->rsdp, memory,
               e820_count(s->memory), 0);
    for (unsigned i = 0; i < s->module_count; i++) {
        bytes_pack(out, "8888", s->modules[i].base, s->modules[i].bytes, s->modules[i].cmdline, 0);
    }
    for (unsigned i = 0; i < e820_count(s->memory); i++) {
        const Entry *e = entry_at(s->memory, i);

        bytes_pack(out, "8844", e->base, e->bytes, e->type, 0);
    }
    return out;
}
