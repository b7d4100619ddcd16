/*
 * Making a region: finding the guest's code, calling the translator, handing what it built to the
 * back end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/translate.h"

#include "accel/tcg/exec.h"
#include "accel/tcg/host.h"
#include "system/machine_lock.h"
#include "system/memory_log.h"
#include "util/bitmap.h"
#include "util/log.h"

#define PAGE_BYTES (UINT64_C(1) << TCG_PAGE_BITS)

/* One region is translated at a time. */
static GMutex translation_lock;
static IrBuilder builder;
static _Thread_local bool is_translating;

static void begin_translation(void)
{
    g_mutex_lock(&translation_lock);
    is_translating = true;
}

static void end_translation(void)
{
    is_translating = false;
    g_mutex_unlock(&translation_lock);
}

void tcg_translation_abandon(void)
{
    if (is_translating) {
        end_translation();
    }
}

/* --- where code is --- */

bool tcg_find_code(TcgCpu *cpu, uint64_t pc, bool is_probe, TcgCodePage *page)
{
    TcgFault fault = { pc, TCG_EXECUTE, cpu->ops->fetch_mmu(cpu), 1 };
    const TlbFull *full = is_probe ? tlb_probe(cpu, &fault) : tlb_find(cpu, &fault);

    if (!full) {
        return false;
    }
    page->host = full->block ? full->host : NULL;
    page->ram = full->block ? full->block->offset + full->block_offset : TCG_NOT_RAM;
    page->as = full->as;
    page->phys = full->phys;
    page->attrs = full->attrs;
    page->is_global = full->is_global;
    return true;
}

static void protect(TcgCpu *cpu, void *opaque)
{
    const uint64_t *ram = opaque;

    RCU_GUARD();
    RamBlock *block = (RamBlock *)(uintptr_t)ram[0];

    tlb_protect(cpu, block, ram[1]);
}

typedef struct BlockSearch {
    uint64_t ram;
    RamBlock *block;
} BlockSearch;

static bool is_block_of(void *opaque, RamBlock *block)
{
    BlockSearch *search = opaque;

    if (search->ram >= block->offset && search->ram - block->offset < block->max_bytes) {
        search->block = block;
        return false;
    }
    return true;
}

/* From now on, writes to the page are told. Before its bytes are read. */
static void watch_page(uint64_t ram)
{
    BlockSearch search = { ram, NULL };
    uint64_t offset, args[2];

    ram_block_each(is_block_of, &search);
    offset = ram - search.block->offset;
    if (!search.block->dirty[DIRTY_CODE]) {
        ram_block_start_log(search.block, DIRTY_CODE);
    }
    if (bitmap_test_and_clear_range(search.block->dirty[DIRTY_CODE], offset / DIRTY_PAGE_BYTES,
                                    1)) {
        args[0] = (uintptr_t)search.block;
        args[1] = offset;
        exec_each(protect, args);
    }
}

static bool add_page(IrBuilder *b, uint64_t pc, bool is_probe)
{
    TcgCodePage page;
    unsigned i = b->page_count;

    if (!tcg_find_code(b->cpu, pc, is_probe, &page)) {
        return false;
    }
    if (page.ram != TCG_NOT_RAM) {
        watch_page(page.ram);
    }
    b->page_pc[i] = ROUND_DOWN(pc, PAGE_BYTES);
    b->page_host[i] = page.host;
    b->page_ram[i] = page.ram;
    b->page_phys[i] = page.phys;
    b->page_as = page.as;
    b->low_pc[i] = UINT64_MAX;
    b->high_pc[i] = 0;
    b->page_count++;
    return true;
}

/* Which of the region's pages it is in; -1: none. */
static int page_index(const IrBuilder *b, uint64_t pc)
{
    for (unsigned i = 0; i < b->page_count; i++) {
        if (ROUND_DOWN(pc, PAGE_BYTES) == b->page_pc[i]) {
            return i;
        }
    }
    return -1;
}

/* In a page that could become the region's second. */
static bool is_beside(const IrBuilder *b, uint64_t pc)
{
    uint64_t distance = ROUND_DOWN(pc, PAGE_BYTES) - b->page_pc[0];

    return b->limits.is_hot && b->page_count == 1 &&
           (distance == PAGE_BYTES || distance == -PAGE_BYTES);
}

/* Where it is in RAM, if the region reaches there or could; else TCG_NOT_RAM. */
static uint64_t ram_at(const IrBuilder *b, uint64_t pc)
{
    int i = page_index(b, pc);
    uint64_t ram = i >= 0 ? b->page_ram[i] : TCG_NOT_RAM;
    TcgCodePage page;

    if (i < 0 && is_beside(b, pc) && tcg_find_code(b->cpu, pc, true, &page)) {
        ram = page.ram;
    }
    return ram == TCG_NOT_RAM ? ram : ram + (pc & (PAGE_BYTES - 1));
}

/* The region may go on there; a hot one takes a second page for it. */
static bool reaches(IrBuilder *b, uint64_t pc)
{
    return page_index(b, pc) >= 0 ||
           (is_beside(b, pc) && ram_at(b, pc) != TCG_NOT_RAM && add_page(b, pc, true));
}

static void copy_code(IrBuilder *b, unsigned page, uint64_t pc, uint8_t *bytes, unsigned count)
{
    uint64_t offset = pc & (PAGE_BYTES - 1);

    if (b->page_host[page]) {
        memcpy(bytes, b->page_host[page] + offset, count);
    } else {
        address_space_read(b->page_as, b->page_phys[page] + offset, MEM_TX_NONE, bytes, count);
    }
}

unsigned tcg_code(IrBuilder *b, uint64_t pc, uint8_t *bytes, unsigned max)
{
    unsigned done = 0;

    while (done < max && page_index(b, pc) >= 0) {
        unsigned count = MIN(max - done, PAGE_BYTES - (pc & (PAGE_BYTES - 1)));

        copy_code(b, page_index(b, pc), pc, bytes + done, count);
        done += count;
        pc = tcg_further(b->cpu, pc, count);
    }
    /* It may well end before the page does: only a translator that needs more asks again. */
    return done;
}

bool tcg_code_next_page(IrBuilder *b, uint64_t pc)
{
    uint64_t next = tcg_further(b->cpu, ROUND_DOWN(pc, PAGE_BYTES), PAGE_BYTES);

    return pc == b->first_pc && page_index(b, next) < 0 ? add_page(b, next, false)
                                                        : reaches(b, next);
}

/* --- the translator's questions --- */

/* Pages beside each other differ in the last bit of their number. */
static unsigned visit_index(uint64_t pc)
{
    return pc & (2 * PAGE_BYTES - 1);
}

static bool is_visited(const IrBuilder *b, uint64_t pc)
{
    return b->visited[visit_index(pc) / 64] & BIT64(visit_index(pc) % 64);
}

void tcg_insn_start(IrBuilder *b, uint64_t pc)
{
    unsigned slot = b->ops->pc_slot;
    int page = page_index(b, pc);

    b->insn_start = (IrInsnStart){ 0, b->slot_value[slot], b->last_put };
    ir_put(b, slot, ir_i64(b, pc));
    b->insn_offset[b->guest_insns % IR_MAX_GUEST_INSNS] = pc - b->first_pc;
    b->insn_start.put = b->last_put != b->insn_start.last_put ? b->last_put : 0;
    b->guest_insns++;
    b->last_pc = MAX(b->last_pc, pc);
    if (page >= 0) {
        b->low_pc[page] = MIN(b->low_pc[page], pc);
        b->high_pc[page] = MAX(b->high_pc[page], pc);
        b->visited[visit_index(pc) / 64] |= BIT64(visit_index(pc) % 64);
    }
}

void tcg_insn_drop(IrBuilder *b)
{
    assert(b->guest_insns > 1 && !b->insn_start.put == (b->last_put == b->insn_start.last_put));
    if (b->insn_start.put) {
        b->insns[b->insn_start.put] = (IrInsn){ .op = IR_NOP };
        b->last_put = b->insn_start.last_put;
        b->slot_value[b->ops->pc_slot] = b->insn_start.before;
    }
    b->guest_insns--;
}

static bool has_room(const IrBuilder *b)
{
    return b->guest_insns < b->limits.max_insns && b->count < IR_MAX_INSNS - IR_SPARE_INSNS &&
           b->exit_count < IR_MAX_EXITS - 4 && b->vconst_count < IR_MAX_VCONSTS - 8;
}

bool tcg_is_full(IrBuilder *b, uint64_t next)
{
    return !has_room(b) || (b->limits.is_hot && is_visited(b, next)) || debug_breaks_at(next) ||
           !reaches(b, next);
}

void tcg_exit_in(IrBuilder *b, uint64_t pc, uint64_t flags)
{
    ir_exit_direct_in(b, pc, region_mode(b->key.cs_base, flags));
}

_Static_assert(offsetof(TcgCpu, exit_unwanted) == offsetof(TcgCpu, exit_wanted) + sizeof(int), "one is by the other");

/* No locked operation is needed: what is written is 1, or written where nobody looks. */
void tcg_look_at_requests(IrBuilder *b)
{
    IrRef requests = ir_ld(b, IR_I32, IR_MEM_32, offsetof(TcgCpu, requests), 0);
    IrRef has_none = ir_zext(b, ir_setcond(b, IR_EQ, requests, ir_i32(b, 0)));

    ir_st(b, IR_MEM_32, offsetof(TcgCpu, exit_wanted), ir_shl(b, has_none, ir_i64(b, 2)), ir_i32(b, 1));
}

bool tcg_serve(IrBuilder *b, uint64_t pc)
{
    /* Instructions are counted by the region. */
    if (tcg_options.is_counting) {
        ir_exit_direct(b, pc);
        return false;
    }
    ir_exit_if(b, IR_NE, ir_ld(b, IR_I32, IR_MEM_32, offsetof(TcgCpu, exit_wanted), 0), ir_i32(b, 0), pc);
    return true;
}

/* How often the region at `pc` was entered. */
static uint32_t heat_at(const IrBuilder *b, uint64_t pc)
{
    TcgKey key = { pc, b->key.cs_base, b->key.flags };
    uint64_t ram = ram_at(b, pc);

    return ram != TCG_NOT_RAM ? region_heat(&key, b->mode, ram) : 0;
}

/* Another hot region is jumped to, not copied. */
bool tcg_follow(IrBuilder *b, uint64_t pc)
{
    return b->limits.is_hot && has_room(b) && !is_visited(b, pc) && !debug_breaks_at(pc) &&
           heat_at(b, pc) != UINT32_MAX && reaches(b, pc);
}

/* Stays in the region for `stay`, leaves it for `other`. */
static TcgWay stay_for(IrBuilder *b, const TcgBranch *branch, bool is_taken)
{
    ir_exit_if(b, is_taken ? branch->cond ^ 1 : branch->cond, branch->x, branch->y,
               is_taken ? branch->next : branch->taken);
    return is_taken ? TCG_WAY_TAKEN : TCG_WAY_NEXT;
}

static TcgWay branch_hot(IrBuilder *b, const TcgBranch *branch)
{
    bool is_taken = heat_at(b, branch->taken) > heat_at(b, branch->next);

    if (branch->taken == b->first_pc || branch->next == b->first_pc) {
        is_taken = branch->taken == b->first_pc;
    }
    if (!tcg_follow(b, is_taken ? branch->taken : branch->next)) {
        stay_for(b, branch, is_taken);
        ir_exit_direct(b, is_taken ? branch->taken : branch->next);
        return TCG_WAY_END;
    }
    return stay_for(b, branch, is_taken);
}

TcgWay tcg_branch(IrBuilder *b, const TcgBranch *branch)
{
    if (b->limits.is_hot) {
        return branch_hot(b, branch);
    }
    /* What both ways need in memory is stored once. */
    ir_sync(b, IR_ALL_GROUPS & ~BIT64(b->ops->slots[b->ops->pc_slot].group));
    ir_exit_if(b, branch->cond, branch->x, branch->y, branch->taken);
    ir_exit_direct(b, branch->next);
    return TCG_WAY_END;
}

/* --- a region --- */

static void log_code(const TcgKey *key, TcgCpu *cpu)
{
    GString *out = g_string_new(NULL);
    uint64_t count = MIN(builder.last_pc - builder.first_pc + 1, PAGE_BYTES);
    g_autofree uint8_t *bytes = g_malloc0(count + TCG_INSN_BYTES);

    tcg_code(&builder, builder.first_pc, bytes, count + TCG_INSN_BYTES - 1);
    cpu->ops->disassemble(cpu, key, bytes, count, out);
    log_printf("----------------\nIN:\n%s\n", out->str);
    g_string_free(out, true);
}

static void log_ir(const char *title)
{
    GString *out = g_string_new(NULL);

    ir_dump(&builder, out);
    log_printf("%s:\n%s\n", title, out->str);
    g_string_free(out, true);
}

/* Nothing of the instruction but where it is. */
static void build_break(uint64_t pc)
{
    tcg_insn_start(&builder, pc);
    debug_emit_break(&builder);
    ir_exit_main(&builder);
}

static void build(TcgCpu *cpu, const TcgKey *key, const TcgLimits *limits)
{
    ir_begin(&builder, cpu->ops);
    builder.cpu = cpu;
    builder.key = *key;
    builder.limits = *limits;
    builder.first_pc = builder.last_pc = key->pc;
    builder.mode = region_mode(key->cs_base, key->flags);
    add_page(&builder, key->pc, false);
    if (!limits->is_single_step && debug_breaks_at(key->pc)) {
        build_break(key->pc);
    } else {
        cpu->ops->translate(cpu, &builder, key, limits);
    }
    assert(builder.has_ended && builder.guest_insns);
    if (log_enabled(LOG_IN_ASM) && cpu->ops->disassemble && log_wants_address(key->pc)) {
        log_code(key, cpu);
    }
    if (log_enabled(LOG_OP) && log_wants_address(key->pc)) {
        log_ir("OP");
    }
}

/* What of the page's bytes was translated. The last instruction's length is not told. */
static void set_code(TcgRegion *region, unsigned i)
{
    uint64_t page = ROUND_DOWN(region->ram[i], PAGE_BYTES);
    const IrBuilder *b = &builder;

    if (b->low_pc[i] <= b->high_pc[i]) {
        region->code[i].begin = page + (b->low_pc[i] - b->page_pc[i]);
        region->code[i].end = page + MIN(b->high_pc[i] - b->page_pc[i] + TCG_INSN_BYTES,
                                         PAGE_BYTES);
    }
}

/* An instruction may reach from one page to the other. */
static void set_code_across(TcgRegion *region)
{
    unsigned upper = builder.page_pc[1] != builder.page_pc[0] - PAGE_BYTES; /* where addresses wrap it is lower */
    uint64_t page = ROUND_DOWN(region->ram[upper], PAGE_BYTES);

    if (region->code[!upper].end % PAGE_BYTES == 0) {
        region->code[upper].begin = page;
        region->code[upper].end = MAX(region->code[upper].end, page + TCG_INSN_BYTES);
    }
}

static TcgRegion *region_new(const TcgKey *key)
{
    TcgRegion *region = g_new0(TcgRegion, 1);

    region->key = *key;
    region->mode = region_mode(key->cs_base, key->flags);
    region->is_valid = true;
    region->is_hot = builder.limits.is_hot;
    region->guest_insns = builder.guest_insns;
    region->page_count = builder.page_count;
    if (tcg_options.is_counting) {
        assert(region->guest_insns <= IR_MAX_GUEST_INSNS);
        region->insns = g_memdup2(builder.insn_offset, region->guest_insns * sizeof(uint16_t));
    }
    region->second_page = builder.page_pc[1];
    region->ram[0] = builder.page_ram[0] == TCG_NOT_RAM
                         ? TCG_NOT_RAM : builder.page_ram[0] + key->pc % PAGE_BYTES;
    region->ram[1] = builder.page_ram[1];
    for (unsigned i = 0; i < region->page_count; i++) {
        set_code(region, i);
    }
    if (region->page_count == 2) {
        set_code_across(region);
    }
    return region;
}

static bool is_in_ram(const TcgRegion *region)
{
    return region->ram[0] != TCG_NOT_RAM &&
           (region->page_count == 1 || region->ram[1] != TCG_NOT_RAM);
}

/* NULL with *result if the back end cannot take it as it is. */
static TcgRegion *try_translate(TcgCpu *cpu, const TcgKey *key, const TcgLimits *limits,
                                HostResult *result)
{
    TcgRegion *region;

    build(cpu, key, limits);
    region = region_new(key);
    *result = HOST_OK;
    if (tcg_options.is_jit && !limits->is_single_step && is_in_ram(region)) {
        *result = host_compile(&builder, region);
    } else {
        region->interp = interp_compile(&builder);
    }
    if (*result != HOST_OK) {
        region_free(region);
        return NULL;
    }
    return region;
}

TcgRegion *tcg_translate_region(TcgCpu *cpu, const TcgKey *key, const TcgLimits *limits)
{
    TcgLimits actual = *limits;
    TcgRegion *region;
    HostResult result;

    begin_translation();
    for (;;) {
        uint64_t writes = region_writes();

        region = try_translate(cpu, key, &actual, &result);
        if (result == HOST_CACHE_FULL) {
            break;
        }
        if (result == HOST_REGION_TOO_LARGE) {
            actual.max_insns = MAX(MIN(actual.max_insns, builder.guest_insns) / 2, 1);
            continue;
        }
        if (limits->is_single_step || !is_in_ram(region) || region_add(region, writes)) {
            break;
        }
        host_code_discard(region->host);
        region_free(region);
    }
    end_translation();
    return region;
}
