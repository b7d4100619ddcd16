/*
 * The TLB: tables per address-space tag and MMU mode, filled by the target.
 *
 * An entry answers in place if its tag is the address's page. Where it must not, the tag is a page
 * that belongs to another entry, so no address matches; what is known is in the TlbFull beside it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#include "system/memory_log.h"
#include "system/vcpu_thread.h"

#define PAGE_BYTES      (UINT64_C(1) << TCG_PAGE_BITS)
/*
 * A page that had code stays slow for so many writes: between a check that finds it free of code
 * and the store, another vCPU could translate what it has now.
 */
#define QUIET_WRITES    64
#define SECONDS_TO_CHANGE 8 /* jumps found in their second place, until two change places */

/* --- tables --- */

static uint64_t no_tag(unsigned index)
{
    return (uint64_t)(index ^ 1) << TCG_PAGE_BITS;
}

static void reset_entry(TlbTable *table, unsigned index)
{
    uint64_t none = no_tag(index);

    table->fast[index] = (TcgTlbEntry){ none, none, none, 0 };
    table->full[index].page = TLB_NO_PAGE;
}

static void table_set_size(TlbTable *table, unsigned entries)
{
    g_free(table->fast);
    g_free(table->full);
    table->fast = g_new(TcgTlbEntry, entries);
    table->full = g_new0(TlbFull, entries);
    table->entries = entries;
}

/* The size for what was used since the last time. */
static unsigned wanted_size(TlbTable *table)
{
    if (!table->entries) {
        return TLB_MIN_ENTRIES;
    }
    if (table->fills > table->entries / 2) {
        table->flushes_with_few = 0;
        return MIN(table->entries * 2, TLB_MAX_ENTRIES);
    }
    if (table->fills < table->entries / 8 && ++table->flushes_with_few > 64) {
        table->flushes_with_few = 0;
        return MAX(table->entries / 2, TLB_MIN_ENTRIES);
    }
    return table->entries;
}

static void table_make(TlbTable *table, unsigned entries)
{
    table_set_size(table, entries);
    for (unsigned i = 0; i < entries; i++) {
        reset_entry(table, i);
    }
    memset(&table->used, 0, sizeof(table->used));
    table->fills = 0;
}

/* Takes those out that go; they are for reset_entry(). */
static uint64_t take_used(TlbUsed *used, unsigned word, bool keeps_global)
{
    uint64_t bits = keeps_global ? used->local[word] : used->any[word];

    used->any[word] &= ~bits;
    used->local[word] = 0;
    return bits;
}

static void table_drop(TlbTable *table, bool keeps_global)
{
    table->fills = 0;
    for (unsigned word = 0; word < table->entries / 64; word++) {
        for (uint64_t bits = take_used(&table->used, word, keeps_global); bits; bits &= bits - 1) {
            reset_entry(table, word * 64 + __builtin_ctzll(bits));
        }
        table->fills += __builtin_popcountll(table->used.any[word]);
    }
}

static void table_flush(TlbTable *table, bool keeps_global)
{
    unsigned size = wanted_size(table);

    table->large &= keeps_global ? UINT64_MAX : 0;
    if (size != table->entries) {
        table_make(table, size);
    } else {
        table_drop(table, keeps_global);
    }
}

/* Generated code looks at the current tag's tables. */
static void publish(TcgCpu *cpu)
{
    TlbTag *tag = cpu->tlb_state->current;

    span_drop(cpu, TCG_ALL_MMUS, UINT32_MAX);
    for (unsigned i = 0; i < cpu->ops->mmu_count; i++) {
        TlbTable *table = &tag->modes[i];

        if (!table->entries) {
            table_make(table, TLB_MIN_ENTRIES);
        }
        cpu->tlb[i].table = table->fast;
        cpu->tlb[i].mask = (uint64_t)(table->entries - 1) * sizeof(TcgTlbEntry);
    }
    cpu->jumps = tag->jumps;
}

static void jumps_drop(TlbTag *tag, bool keeps_global)
{
    for (unsigned word = 0; word < TCG_JUMPS / 64; word++) {
        uint64_t bits = take_used(&tag->jumps_used, word, keeps_global);

        for (; bits; bits &= bits - 1) {
            __atomic_store_n(&tag->jumps[word * 64 + __builtin_ctzll(bits)].mode, 0,
                             __ATOMIC_RELAXED);
        }
    }
}

static void tag_start(TcgCpu *cpu, TlbTag *tag, uint64_t value)
{
    tag->tag = value;
    if (!tag->jumps) {
        tag->jumps = g_new0(TcgJump, TCG_JUMPS);
    }
    jumps_drop(tag, false);
    for (unsigned i = 0; i < cpu->ops->mmu_count; i++) {
        table_flush(&tag->modes[i], false);
    }
}

void tlb_init(TcgCpu *cpu)
{
    TcgTlb *tlb = g_new0(TcgTlb, 1);

    g_mutex_init(&tlb->lock);
    cpu->tlb_state = tlb;
    tlb->current = &tlb->tags[0];
    tag_start(cpu, tlb->current, 0);
    tlb->current->last_used = ++tlb->uses;
    publish(cpu);
}

void tlb_clear(TcgCpu *cpu)
{
    TcgTlb *tlb = cpu->tlb_state;

    for (unsigned i = 0; i < TLB_TAGS; i++) {
        for (unsigned mode = 0; mode < TCG_MMU_MODES; mode++) {
            g_free(tlb->tags[i].modes[mode].fast);
            g_free(tlb->tags[i].modes[mode].full);
        }
        g_free(tlb->tags[i].jumps);
    }
    g_mutex_clear(&tlb->lock);
    g_free(tlb);
    cpu->tlb_state = NULL;
}

void tcg_tlb_set_tag(TcgCpu *cpu, uint64_t value)
{
    TcgTlb *tlb = cpu->tlb_state;
    TlbTag *found = NULL, *oldest = NULL;

    if (tlb->current->tag == value) {
        return;
    }
    g_mutex_lock(&tlb->lock);
    for (TlbTag *tag = tlb->tags; tag < tlb->tags + TLB_TAGS && !found; tag++) {
        if (tag->last_used && tag->tag == value) {
            found = tag;
        } else if (tag != tlb->current && (!oldest || tag->last_used < oldest->last_used)) {
            oldest = tag;
        }
    }
    if (!found) {
        found = oldest;
        tag_start(cpu, found, value);
    }
    found->last_used = ++tlb->uses;
    tlb->current = found;
    publish(cpu);
    g_mutex_unlock(&tlb->lock);
}

/* --- filling --- */

static uint8_t logged_clients(const RamBlock *block)
{
    return __atomic_load_n(&block->dirty_clients, __ATOMIC_ACQUIRE) & ~BIT(DIRTY_CODE);
}

/* Nobody needs to hear of writes to the page. */
static bool is_write_quiet(RamBlock *block, uint64_t offset)
{
    uint8_t clients = logged_clients(block);

    for (int client = 0; client < DIRTY_CLIENTS; client++) {
        if ((clients & BIT(client)) && !ram_block_is_dirty(block, offset, 1, client)) {
            return false;
        }
    }
    return !region_page_has_code(block, offset);
}

static void find_frame(TcgFrame *frame, MemTxAttrs attrs)
{
    MemoryTarget target;

    address_space_find(frame->as, frame->phys, attrs, false, &target);
    frame->block = NULL;
    frame->host = NULL;
    if (!target.region || !target.host || target.bytes < PAGE_BYTES) {
        return;
    }
    if (target.region->kind == MEMORY_ONES) {
        frame->host = target.host; /* to be read; no block: it is neither written nor run */
        frame->is_host_writable = false;
    } else if (target.region->kind != MEMORY_IO && target.region->ram) {
        frame->block = target.region->ram;
        frame->block_offset = target.offset;
        frame->host = target.host;
        frame->is_host_writable = target.is_writable;
    }
}

/* In the vCPU's thread: what is cached is right until it serves a change of the map. */
static const TcgFrame *cached_frame(TcgCpu *cpu, AddressSpace *as, MemTxAttrs attrs,
                                    GuestAddr phys)
{
    GuestAddr page = ROUND_DOWN(phys, PAGE_BYTES);
    TcgFrame *frame = &cpu->tlb_state->frames[(page >> TCG_PAGE_BITS) % TLB_FRAMES];

    if (frame->phys != page || frame->as != as || frame->is_secure != attrs.is_secure) {
        *frame = (TcgFrame){ .phys = page, .as = as, .is_secure = attrs.is_secure };
        find_frame(frame, attrs);
    }
    return frame;
}

void tcg_frame(TcgCpu *cpu, AddressSpace *as, MemTxAttrs attrs, GuestAddr phys, TcgFrame *out)
{
    if (cpu->tlb_state && vcpu_is_self(cpu->vcpu)) {
        *out = *cached_frame(cpu, as, attrs, phys);
        return;
    }
    *out = (TcgFrame){ .phys = ROUND_DOWN(phys, PAGE_BYTES), .as = as,
                       .is_secure = attrs.is_secure };
    find_frame(out, attrs);
}

static void find_memory(TcgCpu *cpu, TlbFull *full)
{
    TcgFrame frame;

    tcg_frame(cpu, full->as, full->attrs, full->phys, &frame);
    full->block = frame.block;
    full->block_offset = frame.block_offset;
    full->host = frame.host;
    full->is_host_writable = frame.is_host_writable;
}

static void set_fast(TlbTable *table, unsigned index)
{
    const TlbFull *full = &table->full[index];
    TcgTlbEntry entry = { no_tag(index), no_tag(index), no_tag(index),
                          (uintptr_t)full->host - full->page };

    if (full->block) {
        entry.execute = full->allowed & BIT(TCG_EXECUTE) ? full->page : entry.execute;
    }
    if (full->host && !full->is_watched) {
        entry.read = full->allowed & BIT(TCG_READ) ? full->page : entry.read;
        if ((full->allowed & BIT(TCG_WRITE)) && full->is_host_writable &&
            is_write_quiet(full->block, full->block_offset)) {
            entry.write = full->page;
        }
    }
    table->fast[index] = entry;
}

static unsigned index_of(const TlbTable *table, uint64_t addr)
{
    return addr >> TCG_PAGE_BITS & (table->entries - 1);
}

#define LARGE_SHIFT 30

/* Of TlbTable.large: the page's, if it has that size. */
static uint64_t large_bits(uint64_t addr, unsigned page_bits)
{
    return page_bits > LARGE_SHIFT ? UINT64_MAX : UINT64_C(1) << (addr >> LARGE_SHIFT & 63);
}

static const TlbFull *fill(TcgCpu *cpu, const TcgFault *fault, const TcgPage *page)
{
    TcgTlb *tlb = cpu->tlb_state;
    TlbTable *table = &tlb->current->modes[fault->mmu];
    TlbFull *full;
    unsigned index;

    g_mutex_lock(&tlb->lock);
    if (table->fills > table->entries && table->entries < TLB_MAX_ENTRIES) {
        table_make(table, table->entries * 2);
        publish(cpu);
    }
    index = index_of(table, fault->addr);
    full = page->is_one_access ? &tlb->once : &table->full[index];
    *full = (TlbFull){
        .page = ROUND_DOWN(fault->addr, PAGE_BYTES),
        .phys = ROUND_DOWN(page->phys, PAGE_BYTES),
        .as = page->as ? page->as : cpu->as,
        .attrs = page->attrs,
        .allowed = (page->can_read ? BIT(TCG_READ) : 0) | (page->can_write ? BIT(TCG_WRITE) : 0) |
                   (page->can_execute ? BIT(TCG_EXECUTE) : 0),
        .is_one_access = page->is_one_access,
        .is_global = page->is_global,
        .page_bits = page->page_bits,
        .quiet_writes = QUIET_WRITES,
    };
    find_memory(cpu, full);
    full->is_watched = debug_watches_page(cpu, full->page);
    if (!page->is_one_access) {
        set_fast(table, index);
        span_filled(cpu, fault->mmu, full->page, table->fast[index].addend);
        tlb_used_set(&table->used, index, page->is_global);
        table->fills++;
        table->large |= page->page_bits > TCG_PAGE_BITS ? large_bits(fault->addr, page->page_bits)
                                                        : 0;
    }
    g_mutex_unlock(&tlb->lock);
    return full;
}

static const TlbFull *find(TcgCpu *cpu, const TcgFault *fault, bool is_probe)
{
    TlbTable *table = &cpu->tlb_state->current->modes[fault->mmu];
    const TlbFull *full = &table->full[index_of(table, fault->addr)];
    TcgPage page = { .page_bits = TCG_PAGE_BITS };

    if (full->page == ROUND_DOWN(fault->addr, PAGE_BYTES) &&
        (full->allowed & BIT(fault->access))) {
        return full;
    }
    if (!cpu->ops->tlb_fill(cpu, fault, is_probe, &page)) {
        assert(is_probe);
        return NULL;
    }
    return fill(cpu, fault, &page);
}

const TlbFull *tlb_find(TcgCpu *cpu, const TcgFault *fault)
{
    return find(cpu, fault, false);
}

const TlbFull *tlb_probe(TcgCpu *cpu, const TcgFault *fault)
{
    return find(cpu, fault, true);
}

bool tcg_translate(TcgCpu *cpu, TcgAccess access, unsigned mmu, uint64_t addr, TcgPage *page)
{
    TcgFault fault = { addr, access, mmu, 1 };

    *page = (TcgPage){ .page_bits = TCG_PAGE_BITS };
    return cpu->ops->tlb_fill(cpu, &fault, true, page);
}

/* --- writes that somebody hears of --- */

static bool stays_quiet(const TlbFull *full, bool had_code)
{
    TlbFull *own = (TlbFull *)full; /* no other thread looks at it */

    own->quiet_writes = had_code ? 0 : MIN(own->quiet_writes + 1, QUIET_WRITES);
    return own->quiet_writes == QUIET_WRITES;
}

void tlb_wrote(const TlbFull *full, uint64_t addr, unsigned bytes)
{
    /* Others make the page known before they read its bytes. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (region_page_has_code(full->block, full->block_offset)) {
        region_invalidate(full->block->offset + full->block_offset + (addr - full->page), bytes,
                          NULL);
    }
}

void tlb_note_write(TcgCpu *cpu, const TlbFull *full, uint64_t addr, unsigned bytes)
{
    RamBlock *block = full->block;
    uint64_t offset = full->block_offset + (addr - full->page);
    bool had_code = region_page_has_code(block, full->block_offset);
    bool is_quiet = stays_quiet(full, had_code);

    if (had_code &&
        region_invalidate(block->offset + offset, bytes, exec_current_region(cpu))) {
        /* The code that is running is changed: begin this instruction again, alone. */
        cpu->is_one_insn = true;
        tcg_exit_to_main(cpu);
    }
    if (logged_clients(block)) {
        ram_block_set_dirty(block, offset, bytes, logged_clients(block));
    }
    if (!full->is_one_access && is_quiet && is_write_quiet(block, full->block_offset)) {
        TcgTlb *tlb = cpu->tlb_state;

        g_mutex_lock(&tlb->lock);
        for (unsigned i = 0; i < TCG_MMU_MODES; i++) {
            TlbTable *table = &tlb->current->modes[i];

            if (table->entries && full >= table->full && full < table->full + table->entries) {
                set_fast(table, full - table->full);
            }
        }
        g_mutex_unlock(&tlb->lock);
    }
}

static void protect_table(TlbTable *table, const RamBlock *block, uint64_t offset)
{
    for (unsigned word = 0; word < table->entries / 64; word++) {
        for (uint64_t bits = table->used.any[word]; bits; bits &= bits - 1) {
            unsigned at = word * 64 + __builtin_ctzll(bits);

            if (table->full[at].block == block && table->full[at].block_offset == offset) {
                __atomic_store_n(&table->fast[at].write, no_tag(at), __ATOMIC_RELEASE);
            }
        }
    }
}

void tlb_protect(TcgCpu *cpu, const RamBlock *block, uint64_t offset)
{
    TcgTlb *tlb = cpu->tlb_state;

    g_mutex_lock(&tlb->lock);
    for (TlbTag *tag = tlb->tags; tag < tlb->tags + TLB_TAGS; tag++) {
        for (unsigned i = 0; tag->last_used && i < TCG_MMU_MODES; i++) {
            protect_table(&tag->modes[i], block, offset);
        }
    }
    span_drop(cpu, TCG_ALL_MMUS, BIT(TCG_SPAN_WRITE));
    g_mutex_unlock(&tlb->lock);
}

/* --- flushing --- */

typedef struct Flush {
    bool is_page, has_tag, keeps_global;
    uint64_t addr, tag;
    unsigned mmus;
} Flush;

/* A large page is there by the page, and goes as a whole. */
static void flush_large(TlbTable *table, uint64_t addr)
{
    for (unsigned word = 0; word < table->entries / 64; word++) {
        for (uint64_t bits = table->used.any[word]; bits; bits &= bits - 1) {
            unsigned at = word * 64 + __builtin_ctzll(bits);

            if ((table->full[at].page ^ addr) >> table->full[at].page_bits == 0) {
                reset_entry(table, at);
            }
        }
    }
}

static void flush_page(TlbTable *table, uint64_t addr)
{
    unsigned index = index_of(table, addr);

    if (table->large & large_bits(addr, TCG_PAGE_BITS)) {
        flush_large(table, addr);
    } else if (table->full[index].page == ROUND_DOWN(addr, PAGE_BYTES)) {
        reset_entry(table, index);
    }
}

static void flush_table(TlbTable *table, const Flush *what)
{
    if (what->is_page) {
        flush_page(table, what->addr);
    } else {
        table_flush(table, what->keeps_global);
    }
}

/* Of one group: jumps to regions that begin in the page, or only those that reach out of it. */
static void flush_jump_group(TlbTag *tag, uint64_t page, bool is_reaching)
{
    unsigned group = tcg_jump_group(page);

    for (uint64_t bits = tag->jumps_used.any[group]; bits; bits &= bits - 1) {
        TcgJump *jump = &tag->jumps[group * TCG_JUMP_GROUP + __builtin_ctzll(bits)];

        if ((jump->pc ^ page) / PAGE_BYTES == 0 && jump->mode &&
            (!is_reaching || jump->region->page_count > 1)) {
            __atomic_store_n(&jump->mode, 0, __ATOMIC_RELAXED);
        }
    }
}
_Static_assert(TCG_JUMP_GROUP == 64, "a group is a word of TlbUsed");

static void flush_jumps(TlbTag *tag, uint64_t addr)
{
    for (unsigned i = 0; i < TCG_MMU_MODES; i++) {
        if (tag->modes[i].large & large_bits(addr, TCG_PAGE_BITS)) {
            jumps_drop(tag, false);
            return;
        }
    }
    flush_jump_group(tag, addr, false);
    flush_jump_group(tag, addr - PAGE_BYTES, true);
    flush_jump_group(tag, addr + PAGE_BYTES, true);
}

static void flush_tag(TcgCpu *cpu, TlbTag *tag, const Flush *what)
{
    for (unsigned i = 0; i < cpu->ops->mmu_count; i++) {
        if (what->mmus & BIT(i)) {
            flush_table(&tag->modes[i], what);
        }
    }
    if (what->is_page) {
        flush_jumps(tag, what->addr);
    } else {
        jumps_drop(tag, what->keeps_global);
    }
}

static void flush(TcgCpu *cpu, const Flush *what)
{
    TcgTlb *tlb = cpu->tlb_state;

    g_mutex_lock(&tlb->lock);
    for (TlbTag *tag = tlb->tags; tag < tlb->tags + TLB_TAGS; tag++) {
        if (tag->last_used && (!what->has_tag || tag->tag == what->tag)) {
            flush_tag(cpu, tag, what);
        }
    }
    publish(cpu);
    g_mutex_unlock(&tlb->lock);
}

void tcg_tlb_flush(TcgCpu *cpu, unsigned mmus)
{
    flush(cpu, &(Flush){ .mmus = mmus });
}

void tcg_tlb_flush_tag(TcgCpu *cpu, uint64_t tag, unsigned mmus)
{
    flush(cpu, &(Flush){ .has_tag = true, .keeps_global = true, .tag = tag, .mmus = mmus });
}

void tcg_tlb_flush_all_tags(TcgCpu *cpu, unsigned mmus)
{
    flush(cpu, &(Flush){ .keeps_global = true, .mmus = mmus });
}

void tcg_tlb_flush_page(TcgCpu *cpu, uint64_t addr, unsigned mmus)
{
    flush(cpu, &(Flush){ .is_page = true, .addr = addr, .mmus = mmus });
}

void tcg_tlb_flush_page_tag(TcgCpu *cpu, uint64_t tag, uint64_t addr, unsigned mmus)
{
    flush(cpu, &(Flush){ .is_page = true, .has_tag = true, .tag = tag, .addr = addr,
                         .mmus = mmus });
}

void tlb_follow_map(TcgCpu *cpu)
{
    bool *is_wanted = &cpu->exec->is_flush_wanted;

    if (__atomic_load_n(is_wanted, __ATOMIC_RELAXED) &&
        __atomic_exchange_n(is_wanted, false, __ATOMIC_SEQ_CST)) {
        memset(cpu->tlb_state->frames, 0, sizeof(cpu->tlb_state->frames));
        tcg_tlb_flush(cpu, TCG_ALL_MMUS);
    }
}

/* --- jumps --- */

static bool is_jump(const TcgJump *jump, uint64_t pc, uint32_t mode)
{
    return jump->pc == pc && __atomic_load_n(&jump->mode, __ATOMIC_ACQUIRE) == mode;
}

/* Never seen half done: by this thread alone, but for clearing .mode. */
static void set_jump(TcgCpu *cpu, unsigned index, TcgJump jump)
{
    TcgJump *at = &cpu->jumps[index];

    tlb_used_set(&cpu->tlb_state->current->jumps_used, index, jump.is_global);
    at->mode = 0;
    at->pc = jump.pc;
    at->region = jump.region;
    at->code = jump.code;
    at->is_global = jump.is_global;
    /* Before it is asked whether the region is valid: who drops it looks here after. */
    __atomic_store_n(&at->mode, jump.mode, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&jump.region->is_valid, __ATOMIC_SEQ_CST)) {
        at->mode = 0;
    }
}

/* What was in the first place goes to the second. */
void tlb_remember_jump(TcgCpu *cpu, const TcgJump *jump)
{
    unsigned index = tcg_jump_index(jump->pc);
    TcgJump before = cpu->jumps[index];

    /* What is at its second place goes: else two that share places would chase it to and fro. */
    if (before.mode && tcg_jump_index(before.pc) == index &&
        !(before.pc == jump->pc && before.mode == jump->mode)) {
        set_jump(cpu, tcg_jump_second(jump->pc), before);
    }
    set_jump(cpu, index, *jump);
}

/*
 * Generated code looks at the first place alone, so what is found in the second is brought there. Not each
 * time, for the two may take turns.
 */
static const TcgJump *second_jump(TcgCpu *cpu, uint64_t pc, uint32_t mode)
{
    const TcgJump *second = &cpu->jumps[tcg_jump_second(pc)];

    if (!is_jump(second, pc, mode)) {
        return NULL;
    }
    if (++cpu->tlb_state->second_jumps % SECONDS_TO_CHANGE) {
        return second;
    }
    tlb_remember_jump(cpu, &(TcgJump){ pc, second->code, second->region, mode, second->is_global });
    return &cpu->jumps[tcg_jump_index(pc)];
}

const TcgJump *tlb_known_jump(TcgCpu *cpu, uint64_t pc, uint32_t mode)
{
    const TcgJump *first = &cpu->jumps[tcg_jump_index(pc)];

    return is_jump(first, pc, mode) ? first : second_jump(cpu, pc, mode);
}

static void forget_jump(TcgJump *jump, const TcgRegion *region)
{
    if (jump->region == region) {
        __atomic_store_n(&jump->mode, 0, __ATOMIC_RELEASE);
    }
}

/* A region is gone: no jump leads there any more. Any thread. */
void tlb_drop_jumps(TcgCpu *cpu, const TcgRegion *region)
{
    TcgTlb *tlb = cpu->tlb_state;

    g_mutex_lock(&tlb->lock);
    for (TlbTag *tag = tlb->tags; tag < tlb->tags + TLB_TAGS; tag++) {
        if (tag->jumps) {
            forget_jump(&tag->jumps[tcg_jump_index(region->key.pc)], region);
            forget_jump(&tag->jumps[tcg_jump_second(region->key.pc)], region);
        }
    }
    g_mutex_unlock(&tlb->lock);
}
