/*
 * Pages that tables map: `info tlb`, `info mem`, dumps with paging. SDM volume 3, chapter 4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/page_list.h"

#include "target/i386/memory.h"

#define MOST_ENTRIES (1u << 20)

typedef struct List {
    X86Cpu *cpu;
    X86PageFn *fn;
    void *opaque;
    unsigned entry_bytes, index_bits;
    bool is_pae;        /* three levels: the root has four entries, without rights */
    unsigned seen;
} List;

static bool is_page(const List *list, uint64_t entry, unsigned level)
{
    bool has_large = list->entry_bytes == 8 || (list->cpu->state.cr4 & CR4_PSE);

    return !level || ((entry & PTE_PS) && has_large && level <= (list->entry_bytes == 8 ? 2 : 1) &&
                      !(list->is_pae && level == 2));
}

static uint64_t physical_of(const List *list, uint64_t entry, unsigned bits)
{
    uint64_t frame = entry & PTE_ADDRESS;

    if (list->entry_bytes == 4) {
        frame &= UINT32_MAX;
        frame |= bits > 12 ? (entry >> 13 & 0xff) << 32 : 0;
    }
    return frame & ~(BIT64(bits) - 1);
}

/* `level` above the last. */
static void list_table(List *list, uint64_t table, unsigned level, uint64_t linear,
                       uint64_t rights)
{
    unsigned bits = 12 + level * list->index_bits;
    bool is_pdpt = list->is_pae && level == 2;
    unsigned count = is_pdpt ? 4 : 1u << list->index_bits;

    for (unsigned i = 0; i < count && list->seen < MOST_ENTRIES; i++, list->seen++) {
        uint64_t entry = x86_read_physical(list->cpu, table + i * list->entry_bytes,
                                           list->entry_bytes);
        uint64_t at = linear | (uint64_t)i << bits;
        uint64_t left = is_pdpt ? rights : rights & entry;

        if (!(entry & PTE_P)) {
            continue;
        }
        if (is_page(list, entry, level)) {
            list->fn(list->opaque, &(X86PageEntry){ at, physical_of(list, entry, bits), entry,
                                                    left, bits });
        } else {
            list_table(list, entry & (list->entry_bytes == 4 ? 0xfffff000 : PTE_ADDRESS),
                       level - 1, at, left);
        }
    }
}

bool x86_each_page(X86Cpu *cpu, X86PageFn *fn, void *opaque)
{
    const X86State *s = &cpu->state;
    List list = { .cpu = cpu, .fn = fn, .opaque = opaque, .entry_bytes = 8, .index_bits = 9 };
    unsigned level = 1;
    uint64_t root = s->cr3 & 0xfffff000;

    if (!(s->cr4 & CR4_PAE)) {
        list.entry_bytes = 4;
        list.index_bits = 10;
    } else if (!x86_is_long(s)) {
        list.is_pae = true;
        level = 2;
        root = s->cr3 & 0xffffffe0;
    } else {
        level = s->cr4 & CR4_LA57 ? 4 : 3;
        root = s->cr3 & PTE_ADDRESS;
    }
    list_table(&list, root, level, 0, PTE_W | PTE_U);
    return list.seen < MOST_ENTRIES;
}

uint64_t x86_canonical(const X86State *s, uint64_t linear)
{
    unsigned unused = s->cr4 & CR4_LA57 ? 7 : 16;

    if (!x86_is_long(s) || linear == BIT64(64 - unused)) {
        return linear;
    }
    return (int64_t)(linear << unused) >> unused;
}

/* --- info tlb --- */

typedef struct Print {
    const X86State *s;
    GString *out;
    X86PageEntry range; /* .bits 0: none yet */
    uint64_t end;
} Print;

static void print_page(void *opaque, const X86PageEntry *page)
{
    static const struct { uint64_t bit; char letter; } letters[] = {
        { PTE_NX, 'X' }, { PTE_G, 'G' }, { PTE_PS, 'P' }, { PTE_D, 'D' }, { PTE_A, 'A' },
        { PTE_PCD, 'C' }, { PTE_PWT, 'T' }, { PTE_U, 'U' }, { PTE_W, 'W' },
    };
    uint64_t entry = page->bits > 12 ? page->entry : page->entry & ~PTE_PS;
    Print *print = opaque;

    g_string_append_printf(print->out, "%016" PRIx64 ": %016" PRIx64 " ",
                           x86_canonical(print->s, page->linear), page->physical);
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
        g_string_append_c(print->out, entry & letters[i].bit ? letters[i].letter : '-');
    }
    g_string_append_c(print->out, '\n');
}

/* True: what is to be said has been said. */
static bool has_no_pages(const X86State *s, GString *out)
{
    if (!(s->cr0 & CR0_PG)) {
        g_string_append(out, "PG disabled\n");
    }
    return !(s->cr0 & CR0_PG);
}

static void say_if_cut(bool is_all, GString *out)
{
    if (!is_all) {
        g_string_append(out, "(tables with more entries than are looked at)\n");
    }
}

void x86_print_pages(Cpu *base, GString *out)
{
    X86Cpu *cpu = X86_CPU(base);
    Print print = { .s = &cpu->state, .out = out };

    if (!has_no_pages(print.s, out)) {
        say_if_cut(x86_each_page(cpu, print_page, &print), out);
    }
}

/* --- info mem --- */

static void print_range(Print *print)
{
    if (print->range.bits) {
        g_string_append_printf(print->out,
                               "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %cr%c\n",
                               x86_canonical(print->s, print->range.linear),
                               x86_canonical(print->s, print->end),
                               x86_canonical(print->s, print->end - print->range.linear),
                               print->range.rights & PTE_U ? 'u' : '-',
                               print->range.rights & PTE_W ? 'w' : '-');
    }
}

static void add_to_range(void *opaque, const X86PageEntry *page)
{
    Print *print = opaque;

    if (!print->range.bits || print->end != page->linear ||
        print->range.rights != page->rights) {
        print_range(print);
        print->range = *page;
    }
    print->end = page->linear + BIT64(page->bits);
}

void x86_print_ranges(Cpu *base, GString *out)
{
    X86Cpu *cpu = X86_CPU(base);
    Print print = { .s = &cpu->state, .out = out };

    if (!has_no_pages(print.s, out)) {
        bool is_all = x86_each_page(cpu, add_to_range, &print);

        print_range(&print);
        say_if_cut(is_all, out);
    }
}

/* --- dumps --- */

typedef struct Join {
    const X86State *s;
    CpuMappingFn *fn;
    void *opaque;
    CpuMapping mapping; /* .bytes 0: none yet */
} Join;

static void pass_on(Join *join)
{
    if (join->mapping.bytes) {
        join->fn(join->opaque, &join->mapping);
    }
}

static void join_page(void *opaque, const X86PageEntry *page)
{
    Join *join = opaque;
    CpuMapping *m = &join->mapping;
    uint64_t linear = x86_canonical(join->s, page->linear);

    if (m->bytes && m->addr + m->bytes == linear && m->physical + m->bytes == page->physical) {
        m->bytes += BIT64(page->bits);
        return;
    }
    pass_on(join);
    *m = (CpuMapping){ .addr = linear, .bytes = BIT64(page->bits), .physical = page->physical };
}

bool x86_each_mapping(Cpu *base, CpuMappingFn *fn, void *opaque)
{
    X86Cpu *cpu = X86_CPU(base);
    Join join = { .s = &cpu->state, .fn = fn, .opaque = opaque };

    if (!(cpu->state.cr0 & CR0_PG)) {
        return false;
    }
    x86_each_page(cpu, join_page, &join);
    pass_on(&join);
    return true;
}
