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
    page->host = full->host;
    page->ram = full->host ? full->block->offset + full->block_offset : TCG_NOT_RAM;
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
    b->page_host[i] = page.host;
    b->page_ram[i] = page.ram;
    b->page_phys[i] = page.phys;
    b->page_as = page.as;
    b->page_count++;
    return true;
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
    uint64_t page_end = ROUND_DOWN(b->first_pc, PAGE_BYTES) + PAGE_BYTES;
    unsigned first;

    if (pc - ROUND_DOWN(b->first_pc, PAGE_BYTES) >= PAGE_BYTES) {
        return 0;
    }
    first = MIN(max, page_end - pc);
    copy_code(b, 0, pc, bytes, first);
    if (first == max) {
        return max;
    }
    if (pc == b->first_pc && b->page_count == 1) {
        /* It may well end before the page does: only a translator that needs more asks again. */
        return first;
    }
    if (b->page_count == 2) {
        copy_code(b, 1, pc + first, bytes + first, max - first);
        return max;
    }
    return first;
}

bool tcg_code_next_page(IrBuilder *b, uint64_t pc)
{
    if (pc != b->first_pc || b->page_count != 1) {
        return false;
    }
    return add_page(b, ROUND_DOWN(pc, PAGE_BYTES) + PAGE_BYTES, false);
}

/* --- the translator's questions --- */

static unsigned page_offset(const IrBuilder *b, uint64_t pc)
{
    return pc & (PAGE_BYTES - 1);
}

static bool is_in_page(const IrBuilder *b, uint64_t pc)
{
    return ((pc ^ b->first_pc) & ~(PAGE_BYTES - 1)) == 0;
}

static bool is_visited(const IrBuilder *b, uint64_t pc)
{
    return b->visited[page_offset(b, pc) / 64] & BIT64(page_offset(b, pc) % 64);
}

void tcg_insn_start(IrBuilder *b, uint64_t pc)
{
    unsigned slot = b->ops->pc_slot;

    b->insn_start = (IrInsnStart){ 0, b->slot_value[slot], b->last_put };
    ir_put(b, slot, ir_i64(b, pc));
    b->insn_start.put = b->last_put != b->insn_start.last_put ? b->last_put : 0;
    b->guest_insns++;
    b->end_pc = MAX(b->end_pc, pc);
    b->last_pc = MAX(b->last_pc, pc);
    b->low_pc = MIN(b->low_pc, pc);
    if (is_in_page(b, pc)) {
        b->visited[page_offset(b, pc) / 64] |= BIT64(page_offset(b, pc) % 64);
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
    b->end_pc = MAX(b->end_pc, next);
    return !has_room(b) || !is_in_page(b, next) || (b->limits.is_hot && is_visited(b, next)) ||
           debug_breaks_at(next);
}

void tcg_exit_in(IrBuilder *b, uint64_t pc, uint64_t flags)
{
    ir_exit_direct_in(b, pc, region_mode(b->key.cs_base, flags));
}

/* How often the region at `pc` was entered. */
static uint32_t heat_at(const IrBuilder *b, uint64_t pc)
{
    TcgKey key = { pc, b->key.cs_base, b->key.flags };

    return is_in_page(b, pc) ? region_heat(&key, b->mode, b->page_ram[0] + page_offset(b, pc)) : 0;
}

/* Another hot region is jumped to, not copied. */
bool tcg_follow(IrBuilder *b, uint64_t pc)
{
    return b->limits.is_hot && is_in_page(b, pc) && !is_visited(b, pc) && has_room(b) &&
           heat_at(b, pc) != UINT32_MAX && !debug_breaks_at(pc);
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
    builder.first_pc = builder.low_pc = builder.end_pc = builder.last_pc = key->pc;
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

static TcgRegion *region_new(const TcgKey *key)
{
    TcgRegion *region = g_new0(TcgRegion, 1);
    uint64_t offset = key->pc & (PAGE_BYTES - 1);

    region->key = *key;
    region->mode = region_mode(key->cs_base, key->flags);
    region->is_valid = true;
    region->is_hot = builder.limits.is_hot;
    region->before = key->pc - builder.low_pc;
    region->guest_insns = builder.guest_insns;
    region->page_count = builder.page_count;
    /* The last instruction's length is not told: the longest there is. */
    region->bytes = MAX(builder.end_pc - builder.first_pc, 1) + 15;
    if (region->page_count == 1) {
        region->bytes = MIN(region->bytes, PAGE_BYTES - offset);
    } else {
        region->bytes = MAX(region->bytes, PAGE_BYTES - offset + 15);
    }
    region->ram[0] = builder.page_ram[0] == TCG_NOT_RAM ? TCG_NOT_RAM
                                                        : builder.page_ram[0] + offset;
    region->ram[1] = builder.page_ram[1];
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
        region_free(region);
    }
    end_translation();
    return region;
}
