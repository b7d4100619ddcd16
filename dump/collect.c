/*
 * What a dump holds: RAM and ROM as devices do not see it differently, registers of all CPUs as ELF
 * notes, mappings of the CPUs that have paging on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "dump_parts.h"

#include <elf.h>

#include "system/memory_listener.h"
#include "system/ram_block.h"

/* --- memory --- */

typedef struct BlockList {
    MemoryListener listener;
    Dump *dump;
    GuestAddr first, last; /* inclusive */
} BlockList;

static void add_block(MemoryListener *listener, const MemorySection *section)
{
    BlockList *list = container_of(listener, BlockList, listener);
    GuestAddr first = MAX(section->first, list->first), last = MIN(section->last, list->last);
    DumpBlock block = { first, last - first + 1 };

    if (!section->region->ram || section->region->is_ram_device || section->is_nonvolatile ||
        first > last) {
        return;
    }
    g_array_append_val(list->dump->blocks, block);
    list->dump->total += block.bytes;
}

static void collect_blocks(Dump *dump, GuestAddr first, GuestAddr last)
{
    static const MemoryListenerOps ops = { .name = "dump", .region_add = add_block };
    BlockList list = { .dump = dump, .first = first, .last = last };

    memory_listener_register(&list.listener, &ops, address_space_system());
    memory_listener_unregister(&list.listener);
}

/* --- CPUs --- */

static void pad(GByteArray *notes)
{
    static const uint8_t zeros[4];

    g_byte_array_append(notes, zeros, -notes->len & 3);
}

static void add_note(void *opaque, const char *name, uint32_t type, const void *data, size_t bytes)
{
    Dump *dump = opaque;
    Elf64_Nhdr head = { strlen(name) + 1, bytes, type };

    g_byte_array_append(dump->notes, (const uint8_t *)&head, sizeof(head));
    g_byte_array_append(dump->notes, (const uint8_t *)name, strlen(name) + 1);
    pad(dump->notes);
    g_byte_array_append(dump->notes, data, bytes);
    pad(dump->notes);
}

typedef struct NoteCall {
    Dump *dump;
    unsigned round; /* notes of a kind stand together */
    unsigned seen;
} NoteCall;

static void take_round(void *opaque, const char *name, uint32_t type, const void *data,
                       size_t bytes)
{
    NoteCall *call = opaque;

    if (call->seen++ == call->round) {
        add_note(call->dump, name, type, data, bytes);
    }
}

static void collect_notes(Dump *dump)
{
    for (unsigned round = 0, most = 1; round < most; round++) {
        for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
            Cpu *cpu = CPU(vcpu->object);
            NoteCall call = { dump, round, 0 };

            if (cpu_debug(cpu) && cpu_debug(cpu)->write_notes) {
                cpu_debug(cpu)->write_notes(cpu, vcpu->index + 1, take_round, &call);
                most = MAX(most, call.seen);
            }
        }
    }
}

/* --- mappings --- */

static void add_mapping(void *opaque, const CpuMapping *mapping)
{
    GArray *mappings = opaque;

    g_array_append_vals(mappings, mapping, 1);
}

static gint compare_mappings(gconstpointer a, gconstpointer b)
{
    const CpuMapping *x = a, *y = b;

    return x->addr != y->addr ? (x->addr < y->addr ? -1 : 1) :
           x->physical != y->physical ? (x->physical < y->physical ? -1 : 1) :
           x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

/* Those of several CPUs are mostly the same. */
static void drop_repeated(GArray *mappings)
{
    CpuMapping *rows = (CpuMapping *)mappings->data;
    guint kept = 0;

    g_array_sort(mappings, compare_mappings);
    for (guint i = 0; i < mappings->len; i++) {
        if (!kept || compare_mappings(&rows[kept - 1], &rows[i])) {
            rows[kept++] = rows[i];
        }
    }
    g_array_set_size(mappings, kept);
}

static bool collect_paged(Dump *dump)
{
    bool has_any = false;

    for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
        Cpu *cpu = CPU(vcpu->object);

        has_any |= cpu_debug(cpu) && cpu_debug(cpu)->each_mapping &&
                   cpu_debug(cpu)->each_mapping(cpu, add_mapping, dump->mappings);
    }
    drop_repeated(dump->mappings);
    return has_any;
}

/* Without paging an address is what it says. */
static void collect_physical(Dump *dump)
{
    for (guint i = 0; i < dump->blocks->len; i++) {
        const DumpBlock *block = &g_array_index(dump->blocks, DumpBlock, i);
        CpuMapping mapping = { block->first, block->bytes, block->first };

        g_array_append_val(dump->mappings, mapping);
    }
}

/* The parts of mappings that are dumped, each within a block. */
static void cut_to_blocks(Dump *dump)
{
    g_autoptr(GArray) all = dump->mappings;

    dump->mappings = g_array_new(FALSE, FALSE, sizeof(CpuMapping));
    for (guint i = 0; i < all->len; i++) {
        const CpuMapping *m = &g_array_index(all, CpuMapping, i);

        for (guint n = 0; n < dump->blocks->len; n++) {
            const DumpBlock *block = &g_array_index(dump->blocks, DumpBlock, n);
            GuestAddr first = MAX(m->physical, block->first);
            GuestAddr end = MIN(m->physical + m->bytes, block->first + block->bytes);
            CpuMapping part = { m->addr + (first - m->physical), end - first, first };

            if (first < end) {
                g_array_append_val(dump->mappings, part);
            }
        }
    }
}

/* --- all --- */

void dump_collect(Dump *dump, bool has_range, uint64_t begin, uint64_t length)
{
    Vcpu *first = vcpu_first();

    dump->blocks = g_array_new(FALSE, FALSE, sizeof(DumpBlock));
    dump->mappings = g_array_new(FALSE, FALSE, sizeof(CpuMapping));
    dump->notes = g_byte_array_new();
    collect_blocks(dump, has_range ? begin : 0,
                   has_range && length - 1 <= UINT64_MAX - begin ? begin + (length - 1)
                                                                  : UINT64_MAX);
    if (first && cpu_debug(CPU(first->object)) &&
        cpu_debug(CPU(first->object))->elf_machine) {
        dump->machine = cpu_debug(CPU(first->object))->elf_machine(CPU(first->object));
    }
    collect_notes(dump);
    if (!dump->is_paged || !collect_paged(dump)) {
        collect_physical(dump);
    } else {
        cut_to_blocks(dump);
    }
}

void dump_clear(Dump *dump)
{
    g_clear_pointer(&dump->blocks, g_array_unref);
    g_clear_pointer(&dump->mappings, g_array_unref);
    g_clear_pointer(&dump->notes, g_byte_array_unref);
}
