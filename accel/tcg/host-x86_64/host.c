/*
 * The x86-64 back end: compiling regions, running, chaining and unwinding them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

#include "util/log.h"

/* All code, by address; with region_lock. */
static GPtrArray *codes;
static Jit jit;

bool host_init(uint64_t cache_bytes, Error **errp)
{
    if (!codes) {
        codes = g_ptr_array_new();
    }
    return cache_init(cache_bytes, errp);
}

/* --- compiling --- */

static void begin(Jit *j, IrBuilder *b, TcgRegion *region)
{
    if (!j->emit.main_buf) {
        j->emit.main_buf = g_malloc(EMIT_BYTES);
        j->emit.cold_buf = g_malloc(EMIT_BYTES);
        j->sites = g_array_new(false, false, sizeof(Site));
        j->locs = g_array_new(false, false, sizeof(Loc));
        j->nodes = g_array_new(false, false, sizeof(Node));
    }
    j->emit.main_bytes = j->emit.cold_bytes = 0;
    j->emit.in_cold = j->emit.is_full = false;
    g_array_set_size(j->sites, 0);
    g_array_set_size(j->locs, 0);
    g_array_set_size(j->nodes, 0);
    j->b = b;
    j->region = region;
    j->is_too_large = false;
    j->snapshot_ref = 0;
    j->snapshot.count = 0;
    j->code = store_take(sizeof(HostCode) + (b->exit_count + 1) * sizeof(HostExit));
    j->code->region = region;
    j->code->exit_count = b->exit_count + 1;
    j->code->heat = tcg_options.hot_after;
    for (unsigned i = 0; i < b->exit_count; i++) {
        j->code->exits[i].pc = b->exits[i].pc;
        j->code->exits[i].mode = b->exits[i].mode;
        j->code->exits[i].kind = b->exits[i].kind;
    }
    for (unsigned i = 0; i < j->code->exit_count; i++) {
        j->code->exits[i].code = j->code;
    }
    j->loop_jump = 0;
    jit_loop_begin(j);
    ra_begin(j);
    jit_loop_hints(j);
}

/* Constants, at the start of the cold. */
static void emit_pool(Jit *j)
{
    j->emit.in_cold = true;
    for (unsigned i = 0; i < j->b->vconst_count; i++) {
        j->vconst_place[i] = emit_place(&j->emit);
        emit_bytes(&j->emit, &j->b->vconsts[i], sizeof(IrValue));
    }
    j->emit.in_cold = false;
}

static void compile_insn(Jit *j, const IrInsn *insn)
{
    switch ((IrOp)insn->op) {
    case IR_NOP:
    case IR_CONST:
    case IR_VCONST:
    case IR_PUT:
    case IR_HEAD:
        break;
    case IR_VEC:
        jit_vector(j, insn);
        break;
    case IR_VLOW:
    case IR_VHIGH:
    case IR_VCONCAT:
    case IR_GET:
    case IR_SYNC:
    case IR_LD:
    case IR_ST:
    case IR_FENCE:
        jit_state(j, insn);
        break;
    case IR_LOAD ... IR_CMPXCHG:
        jit_memory(j, insn);
        break;
    case IR_CALL:
    case IR_CALL_RAISES:
    case IR_CALL_PURE:
        jit_call(j, insn);
        break;
    case IR_EXIT_IF:
    case IR_EXIT:
        jit_exit(j, insn);
        break;
    default:
        jit_integer(j, insn);
        break;
    }
}

static bool has_v256(const IrBuilder *b)
{
    for (unsigned i = 1; i < b->count; i++) {
        if (b->insns[i].type == IR_V256) {
            return true;
        }
    }
    return false;
}

static void compile(Jit *j)
{
    IrBuilder *b = j->b;

    ir_mark(b);
    host_log_ir(j);
    j->has_v256 = has_v256(b);
    emit_pool(j);
    for (unsigned i = b->count - 1; i > 0 && !j->is_too_large && !j->emit.is_full; i--) {
        const IrInsn *insn = &b->insns[i];

        if (ir_op_is(insn, IR_EFFECT) || ra_is_wanted(j, i)) {
            j->at = i;
            compile_insn(j, insn);
        }
    }
    if (!j->is_too_large && !j->emit.is_full) {
        ra_end(j);
        jit_loop_start(j);
        jit_entry(j);
    }
}

static void *keep(GArray *array)
{
    size_t bytes = (size_t)array->len * g_array_get_element_size(array);

    return bytes ? memcpy(store_take(bytes), array->data, bytes) : NULL;
}

HostResult host_compile(IrBuilder *b, TcgRegion *region)
{
    Jit *j = &jit;
    HostCode *code;

    begin(j, b, region);
    compile(j);
    code = j->code;
    if (j->is_too_large || j->emit.is_full) {
        host_code_discard(code);
        return HOST_REGION_TOO_LARGE;
    }
    code->main_bytes = j->emit.main_bytes;
    code->cold_bytes = j->emit.cold_bytes;
    code->middle = cache_add(&host_cache, &j->emit);
    if (!code->middle) {
        host_code_discard(code);
        return HOST_CACHE_FULL;
    }
    code->site_count = j->sites->len;
    code->sites = keep(j->sites);
    code->locs = keep(j->locs);
    code->nodes = keep(j->nodes);
    region->host = code;
    region->entry = code->middle - code->main_bytes;
    host_log_code(code);
    return HOST_OK;
}

/* Regions are compiled one at a time, so addresses only grow. */
void host_code_add(HostCode *code)
{
    if (code) {
        g_ptr_array_add(codes, code);
    }
}

void host_code_discard(HostCode *code)
{
    if (code) {
        store_cut(code);
    }
}

void host_cache_reset(void)
{
    if (codes) {
        g_ptr_array_set_size(codes, 0);
    }
    host_cache.used = host_cache.first;
    host_cache.populated = 0;
    store_reset();
}

uint32_t host_heat(const TcgRegion *region)
{
    return region->host ? MAX(tcg_options.hot_after - region->host->heat, 0) : 0;
}

bool host_is_promotion(const HostExit *exit)
{
    return exit == &exit->code->exits[exit->code->exit_count - 1] && !exit->code->heat;
}

uint64_t host_ticks(void)
{
    return __builtin_ia32_rdtsc();
}

uint32_t host_fp_hold(void)
{
    return __builtin_ia32_stmxcsr();
}

void host_fp_release(uint32_t held)
{
    __builtin_ia32_ldmxcsr(held);
}

void host_info(GString *out)
{
    g_string_append_printf(out, "code cache           %zu of %zu bytes\n", host_cache.used,
                           host_cache.bytes);
    g_string_append_printf(out, "known of code        %zu bytes\n", store_used());
}

/* --- chaining --- */

static void patch(const HostExit *exit, const uint8_t *to)
{
    uint8_t *at = exit->code->middle + exit->patch;
    int32_t disp = to - (at + 4);

    __atomic_store_n((int32_t *)(host_cache.write + (at - host_cache.code)), disp,
                     __ATOMIC_RELEASE);
}

void host_link(HostExit *exit, const TcgRegion *to)
{
    region_lock();
    if (!exit->is_chained && exit->patch && to->is_cached && to->is_valid && to->host &&
        (to->page_count == 1 || exit->far_tail) && exit->pc == to->key.pc &&
        exit->mode == to->mode && exit->code->region->is_cached) {
        exit->is_chained = true;
        exit->next = to->host->incoming;
        to->host->incoming = exit;
        patch(exit, to->page_count == 1 ? to->entry : exit->code->middle + exit->far_tail);
    }
    region_unlock();
}

void host_code_unlink(HostCode *code)
{
    HostExit *next;

    for (HostExit *exit = code ? code->incoming : NULL; exit; exit = next) {
        next = exit->next;
        exit->is_chained = false;
        patch(exit, exit->code->middle + exit->tail);
    }
    if (code) {
        code->incoming = NULL;
    }
}

/* --- running --- */

typedef HostExit *EnterFn(TcgCpu *cpu, const void *code);

HostExit *host_run(TcgCpu *cpu, const TcgRegion *region)
{
    HostExit *exit;

    if (!cpu->pieces[0]) {
        memcpy(cpu->pieces, host_cache.pieces, sizeof(cpu->pieces));
    }
    exit = ((EnterFn *)host_cache.enter)(cpu, region->entry);

    cpu->host_pc = 0;
    if (exit) {
        *(uint64_t *)((char *)cpu + cpu->ops->slots[cpu->ops->pc_slot].offset) = exit->pc;
    }
    return exit;
}

/* --- unwinding --- */

static const HostCode *code_at(uintptr_t pc)
{
    const HostCode *found = NULL;
    unsigned first = 0, end;

    region_lock();
    end = codes->len;
    while (first < end) {
        unsigned middle = (first + end) / 2;
        const HostCode *code = codes->pdata[middle];

        if (pc < (uintptr_t)code->middle - code->main_bytes) {
            end = middle;
        } else {
            found = code;
            first = middle + 1;
        }
    }
    region_unlock();
    assert(found && pc <= (uintptr_t)found->middle + found->cold_bytes);
    return found;
}

const TcgRegion *host_region(const TcgCpu *cpu)
{
    return code_at(cpu->host_pc)->region;
}

static const Site *site_at(const HostCode *code, uintptr_t pc)
{
    int place = pc - (uintptr_t)code->middle;

    for (unsigned i = 0; i < code->site_count; i++) {
        if (code->sites[i].place == place) {
            return &code->sites[i];
        }
    }
    g_assert_not_reached();
}

static void read_node(const TcgCpu *cpu, const HostCode *code, const Node *node, IrValue *out);

static void read_loc(const TcgCpu *cpu, const HostCode *code, const Loc *loc, IrValue *out)
{
    const HostFrame *frame = cpu->host_frame;

    switch ((LocKind)loc->kind) {
    case LOC_CONST:
        out->u64 = (int64_t)loc->value;
        break;
    case LOC_GPR:
        out->u64 = frame->gprs[loc->value];
        break;
    case LOC_XMM:
        *out = frame->xmms[loc->value];
        break;
    case LOC_SPILL:
        out->u64 = frame->spills[loc->value];
        break;
    case LOC_VSPILL:
        *out = frame->vspills[loc->value];
        break;
    case LOC_SLOT: {
        const IrSlot *slot = &cpu->ops->slots[loc->value];

        memcpy(out, (const char *)cpu + slot->offset, ir_type_bits(slot->type) / 8);
        break;
    }
    case LOC_NODE:
        read_node(cpu, code, &code->nodes[loc->value], out);
        break;
    }
}

static void read_node(const TcgCpu *cpu, const HostCode *code, const Node *node, IrValue *out)
{
    /* Which operands there are counts, not where they were. */
    IrInsn insn = { .op = node->op, .type = node->type, .imm = node->imm,
                    .a = 1, .b = node->has_b, .c = node->has_c };
    IrValue args[3];

    if (node->op == IR_CONST) {
        out->u64 = node->imm;
        return;
    }
    if (node->op == IR_VCONST) {
        memcpy(out, code->middle + node->imm, sizeof(*out));
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        read_loc(cpu, code, &node->args[i], &args[i]);
    }
    if (node->op == IR_VEC) {
        host_vector(&insn, &args[0], &args[1], &args[2], out);
    } else {
        ir_eval(&insn, &args[0], &args[1], &args[2], out);
    }
}

void host_restore(TcgCpu *cpu)
{
    const HostCode *code = code_at(cpu->host_pc);
    const Site *site = site_at(code, cpu->host_pc);
    unsigned pc = cpu->ops->slots[cpu->ops->pc_slot].offset;

    if (site->pc != NO_PC) {
        *(uint64_t *)((char *)cpu + pc) = code->region->key.pc + site->pc;
    }
    for (unsigned i = 0; i < site->count; i++) {
        const Loc *loc = &code->locs[site->first + i];
        const IrSlot *slot = &cpu->ops->slots[loc->slot];
        IrValue value;

        read_loc(cpu, code, loc, &value);
        memcpy((char *)cpu + slot->offset, &value, ir_type_bits(slot->type) / 8);
    }
}
