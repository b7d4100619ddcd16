/*
 * Page tables: none, 32-bit, PAE, 4- and 5-level, with their reserved bits, rights, protection
 * keys and accessed and dirty bits. SDM volume 3, chapter 4. Nested tables: AMD APM volume 2, 15.25.
 *
 * Left out: the PDPTE registers of PAE paging (they are read from memory at each walk) and
 * protection keys for supervisor pages.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/memory.h"

#include "accel/tcg/memory.h"
#include "system/memory_log.h"
#include "target/i386/page_list.h"
#include "target/i386/svm.h"

#define PSE36_RESERVED BIT64(21)

/* The levels of one kind of tables, from the root. */
typedef struct Shape {
    uint8_t levels;
    uint8_t entry_bytes;
    uint8_t index_bits;
    uint8_t large_levels; /* bit n: an entry n levels above the last may map a page */
} Shape;

static const Shape shape_32 = { 2, 4, 10, BIT(1) };
static const Shape shape_pae = { 3, 8, 9, BIT(1) };
static const Shape shape_4 = { 4, 8, 9, BIT(1) };
static const Shape shape_4_1g = { 4, 8, 9, BIT(1) | BIT(2) };
static const Shape shape_5 = { 5, 8, 9, BIT(1) };
static const Shape shape_5_1g = { 5, 8, 9, BIT(1) | BIT(2) };

typedef struct Walk {
    X86Cpu *cpu;
    const X86State *s;
    const Shape *shape;
    uint64_t linear;
    X86Access access;
    X86Mmu mmu;
    bool is_debug;
    bool is_nested;       /* the linear address is a guest's physical one: AMD APM volume 2, 15.25 */
    uint64_t cr0, cr3, cr4, efer;
    /* so far */
    uint64_t rights;      /* W and U of all levels */
    bool is_nx;
    uint64_t entry;       /* the last one */
    uint64_t entry_at;    /* its physical address */
    unsigned level;       /* above the last */
} Walk;

static const Shape *shape_of(const Walk *w)
{
    bool has_1g = x86_feature_has(&w->cpu->features, X86_8000_0001_EDX, 26);

    if (!(w->cr4 & CR4_PAE)) {
        return &shape_32;
    }
    if (!(w->efer & EFER_LMA)) {
        return &shape_pae;
    }
    if (w->cr4 & CR4_LA57) {
        return has_1g ? &shape_5_1g : &shape_5;
    }
    return has_1g ? &shape_4_1g : &shape_4;
}

bool x86_is_canonical(const X86State *s, uint64_t linear)
{
    unsigned unused = s->cr4 & CR4_LA57 ? 7 : 16;

    return !(s->efer & EFER_LMA) || (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
}

static unsigned level_shift(const Walk *w)
{
    return 12 + w->level * w->shape->index_bits;
}

static bool is_large(const Walk *w)
{
    if (!w->level) {
        return true;
    }
    return (w->entry & PTE_PS) && (w->shape->large_levels >> w->level & 1) &&
           (w->shape != &shape_32 || (w->cr4 & CR4_PSE));
}

/* Bits that must be zero in the entry the walk is at. */
static uint64_t reserved_bits(const Walk *w)
{
    uint64_t reserved = (~(BIT64(w->cpu->phys_bits) - 1) & (BIT64(52) - 1)) |
                        (w->efer & EFER_NXE ? 0 : PTE_NX);

    if (w->shape == &shape_32) {
        return is_large(w) && w->level ? PSE36_RESERVED : 0;
    }
    if (w->shape == &shape_pae) {
        /* Bits 52 to 62 are not ignored here. */
        reserved |= UINT64_C(0x7ff) << 52;
        if (w->level == 2) {
            return reserved | PTE_NX | 0x1e6;
        }
    }
    if (!w->level) {
        return reserved;
    }
    if (is_large(w)) {
        return reserved | (BIT64(level_shift(w)) - 1 - (BIT64(13) - 1));
    }
    return reserved | ((w->entry & PTE_PS) && !(w->shape->large_levels >> w->level & 1) ? PTE_PS
                                                                                        : 0);
}

static uint64_t base_of_root(const Walk *w)
{
    uint64_t cr3 = w->cr3;

    return w->shape == &shape_32 ? cr3 & 0xfffff000 :
           w->shape == &shape_pae ? cr3 & 0xffffffe0 : cr3 & PTE_ADDRESS;
}

static void *in_frame(const TcgFrame *frame, uint64_t physical)
{
    return frame->host + (physical - frame->phys);
}

static TcgFrame frame_of(const Walk *w)
{
    TcgFrame frame;

    tcg_frame(&w->cpu->state.tcg, x86_memory_space(w->cpu), x86_mem_attrs(w->cpu), w->entry_at,
              &frame);
    return frame;
}

static bool walk_tables(Walk *w, X86Page *page);

/* A guest's physical address by the host's nested tables; all accesses are a user's. */
static bool walk_nested(const Walk *guest, uint64_t physical, X86Access access, uint64_t where,
                        X86Page *page)
{
    const X86Svm *svm = &guest->s->svm;
    Walk w = {
        .cpu = guest->cpu, .linear = physical, .access = access, .mmu = X86_MMU_USER,
        .is_debug = guest->is_debug, .is_nested = true, .cr0 = CR0_PG | CR0_WP,
        .cr3 = svm->nested_cr3, .cr4 = svm->host_cr4 & ~(uint64_t)CR4_PKE,
        .efer = svm->host_efer,
    };

    if (!walk_tables(&w, page)) {
        *page = (X86Page){ .nested_error = page->error | where, .physical = physical };
        return false;
    }
    return true;
}

static bool is_in_guest(const Walk *w)
{
    return w->s->svm.is_guest && w->s->svm.has_nested && !w->is_nested;
}

/* False: nested tables do not let it. */
static bool read_entry(Walk *w, uint64_t table, X86Page *page)
{
    unsigned index_bits = w->shape == &shape_pae && w->level == 2 ? 2 : w->shape->index_bits;
    uint64_t index = w->linear >> level_shift(w) & (BIT64(index_bits) - 1);
    TcgFrame frame;

    w->entry_at = (table + index * w->shape->entry_bytes) & x86_physical_mask(w->cpu);
    if (is_in_guest(w)) {
        /* Its accessed bit will be written. */
        if (!walk_nested(w, w->entry_at, X86_WRITE, NPF_TABLES, page)) {
            return false;
        }
        w->entry_at = page->physical;
        *page = (X86Page){ 0 };
    }
    frame = frame_of(w);
    if (!frame.host) {
        w->entry = x86_read_physical(w->cpu, w->entry_at, w->shape->entry_bytes);
    } else if (w->shape->entry_bytes == 4) {
        w->entry = __atomic_load_n((uint32_t *)in_frame(&frame, w->entry_at), __ATOMIC_ACQUIRE);
    } else {
        w->entry = __atomic_load_n((uint64_t *)in_frame(&frame, w->entry_at), __ATOMIC_ACQUIRE);
    }
    return true;
}

/* Replaces an entry in memory, unless somebody else was faster. Not in RAM: nothing happens. */
static bool swap_entry(const Walk *w, uint64_t new)
{
    TcgFrame frame = frame_of(w);
    uint64_t old = w->entry;
    uint32_t old32 = old;
    void *at = in_frame(&frame, w->entry_at);
    bool is_done;

    if (!frame.host || !frame.is_host_writable) {
        return true;
    }
    is_done = w->shape->entry_bytes == 4
                  ? __atomic_compare_exchange_n((uint32_t *)at, &old32, new, false,
                                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
                  : __atomic_compare_exchange_n((uint64_t *)at, &old, new, false,
                                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    if (is_done) {
        ram_block_mark_written(frame.block, frame.block_offset + (w->entry_at - frame.phys),
                               w->shape->entry_bytes);
    }
    return is_done;
}

/* Sets bits of the entry; false: it changed meanwhile, walk again. */
static bool mark_entry(Walk *w, uint64_t bits)
{
    if (w->is_debug || (w->entry & bits) == bits) {
        return true;
    }
    if (!swap_entry(w, w->entry | bits)) {
        return false;
    }
    w->entry |= bits;
    return true;
}

static uint32_t base_error(const Walk *w)
{
    bool tells_fetch = (w->cr4 & CR4_SMEP) ||
                       ((w->cr4 & CR4_PAE) && (w->efer & EFER_NXE));

    return (w->access == X86_WRITE ? PF_WRITE : 0) | (w->mmu == X86_MMU_USER ? PF_USER : 0) |
           (w->access == X86_EXECUTE && tells_fetch ? PF_FETCH : 0);
}

/* Access and write disable of the page's key; only of user pages in 4- and 5-level tables. */
static uint32_t key_bits(const Walk *w)
{
    bool is_on = (w->cr4 & CR4_PKE) && (w->efer & EFER_LMA) && (w->rights & PTE_U);
    unsigned shift = 2 * (w->entry >> 59 & 15);

    if (!is_on) {
        return 0;
    }
    w->cpu->state.pkru_used |= 3u << shift;
    return w->s->pkru >> shift & 3;
}

static void find_rights(const Walk *w, X86Page *page)
{
    bool is_user = w->mmu == X86_MMU_USER, is_user_page = w->rights & PTE_U;
    bool obeys_w = is_user || (w->cr0 & CR0_WP);

    page->is_readable = is_user ? is_user_page :
                        !is_user_page || w->mmu != X86_MMU_SUPERVISOR_SMAP;
    page->is_writable = page->is_readable && (!obeys_w || (w->rights & PTE_W));
    page->is_executable = !w->is_nx && (is_user ? is_user_page
                                                : !is_user_page || !(w->cr4 & CR4_SMEP));
}

static bool has_right(const X86Page *page, X86Access access)
{
    return access == X86_READ ? page->is_readable :
           access == X86_WRITE ? page->is_writable : page->is_executable;
}

static bool check_rights(const Walk *w, X86Page *page)
{
    uint32_t key = key_bits(w);
    bool obeys_w = w->mmu == X86_MMU_USER || (w->cr0 & CR0_WP);

    find_rights(w, page);
    if (!has_right(page, w->access)) {
        page->error = base_error(w) | PF_PRESENT;
        return false;
    }
    page->is_writable &= !(key & 1) && !((key & 2) && obeys_w);
    page->is_readable &= !(key & 1);
    if (!has_right(page, w->access)) {
        page->error = base_error(w) | PF_PRESENT | PF_KEY;
        return false;
    }
    return true;
}

static void find_address(const Walk *w, X86Page *page)
{
    uint64_t offset_mask = BIT64(level_shift(w)) - 1, frame = w->entry & PTE_ADDRESS;

    if (w->shape == &shape_32) {
        frame &= UINT32_MAX;
        frame |= w->level ? (w->entry >> 13 & 0xff) << 32 : 0;
    }
    page->bits = level_shift(w);
    page->physical = ((frame & ~offset_mask) | (w->linear & offset_mask)) &
                     x86_physical_mask(w->cpu);
    page->is_global = (w->entry & PTE_G) && (w->cr4 & CR4_PGE);
}

typedef enum Step { STEP_DOWN, STEP_PAGE, STEP_FAULT, STEP_AGAIN } Step;

/* One entry: where it leads. */
static Step take_entry(Walk *w, uint64_t table, X86Page *page)
{
    bool is_pdpte = w->shape == &shape_pae && w->level == 2;

    if (!read_entry(w, table, page)) {
        return STEP_FAULT;
    }
    if (!(w->entry & PTE_P)) {
        page->error = base_error(w);
        return STEP_FAULT;
    }
    if (w->entry & reserved_bits(w)) {
        page->error = base_error(w) | PF_PRESENT | PF_RESERVED;
        return STEP_FAULT;
    }
    if (!is_pdpte) {
        w->rights &= w->entry;
        w->is_nx |= w->shape->entry_bytes == 8 && (w->entry & PTE_NX);
    }
    if (is_large(w)) {
        return STEP_PAGE;
    }
    return is_pdpte || mark_entry(w, PTE_A) ? STEP_DOWN : STEP_AGAIN;
}

static Step finish(Walk *w, X86Page *page)
{
    if (!w->is_debug && !check_rights(w, page)) {
        return STEP_FAULT;
    }
    if (!mark_entry(w, PTE_A | (w->access == X86_WRITE ? PTE_D : 0))) {
        return STEP_AGAIN;
    }
    /* The first write comes here again, to set the dirty bit. */
    page->is_writable &= w->entry & PTE_D ? true : false;
    find_address(w, page);
    return STEP_PAGE;
}

static Step walk_once(Walk *w, X86Page *page)
{
    uint64_t table = base_of_root(w);
    Step step = STEP_DOWN;

    w->rights = PTE_W | PTE_U;
    w->is_nx = false;
    for (w->level = w->shape->levels - 1;; w->level--) {
        step = take_entry(w, table, page);
        if (step != STEP_DOWN) {
            break;
        }
        table = w->entry & (w->shape == &shape_32 ? UINT32_MAX & PTE_ADDRESS : PTE_ADDRESS);
    }
    return step == STEP_PAGE ? finish(w, page) : step;
}

/* The page of a guest's physical address joins what its own tables say. */
static bool join_nested(Walk *w, X86Page *page)
{
    X86Page nested;

    if (!is_in_guest(w)) {
        return true;
    }
    if (!walk_nested(w, page->physical, w->access, NPF_FINAL, &nested)) {
        *page = nested;
        return false;
    }
    page->physical = nested.physical;
    page->bits = MIN(page->bits, nested.bits);
    page->is_readable &= nested.is_readable;
    page->is_writable &= nested.is_writable;
    page->is_executable &= nested.is_executable;
    return true;
}

static bool walk_tables(Walk *w, X86Page *page)
{
    Step step;

    RCU_GUARD();
    w->s = &w->cpu->state;
    *page = (X86Page){ 0 };
    if (!(w->cr0 & CR0_PG)) {
        *page = (X86Page){ .bits = 12, .is_readable = true, .is_writable = true,
                           .is_executable = true };
        page->physical = (w->linear & UINT32_MAX) & x86_physical_mask(w->cpu);
        return join_nested(w, page);
    }
    w->shape = shape_of(w);
    w->linear &= w->efer & EFER_LMA ? UINT64_MAX : UINT32_MAX;
    do {
        step = walk_once(w, page);
    } while (step == STEP_AGAIN);
    return step == STEP_PAGE && join_nested(w, page);
}

static Walk new_walk(X86Cpu *cpu, uint64_t linear, X86Access access)
{
    const X86State *s = &cpu->state;

    return (Walk){ .cpu = cpu, .linear = linear, .access = access, .cr0 = s->cr0, .cr3 = s->cr3,
                   .cr4 = s->cr4, .efer = s->efer };
}

bool x86_walk(X86Cpu *cpu, uint64_t linear, X86Access access, X86Mmu mmu, X86Page *page)
{
    Walk w = new_walk(cpu, linear, access);

    w.mmu = mmu;
    return walk_tables(&w, page);
}

bool x86_walk_debug(X86Cpu *cpu, uint64_t linear, X86Page *page)
{
    Walk w = new_walk(cpu, linear, X86_READ);

    w.is_debug = true;
    return walk_tables(&w, page);
}
