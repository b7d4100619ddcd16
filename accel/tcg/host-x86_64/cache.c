/*
 * The code cache: one memory, mapped twice: where it is written it cannot run, where it runs it
 * cannot be written. It begins with the pieces all regions use.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

#include <cpuid.h>
#include <sys/mman.h>

#include "util/host_memory.h"

#define ALIGN        64
#define SMALL_BYTES  (2 * MiB)
#define CHUNK_BYTES  (1 * MiB)
#define AHEAD_BYTES  (64 * KiB)

HostCache host_cache, vec_cache;
static GMutex cache_lock;

/* Compilers do not agree on a name for it. */
static bool has_lzcnt(void)
{
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && ecx & BIT(5);
}

/* Compilers differ in whether they know this one by name. */
static bool has_movbe(void)
{
    unsigned a, b, c = 0, d;

    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_MOVBE);
}

static bool has_all(void)
{
    return has_movbe() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && has_lzcnt() && __builtin_cpu_supports("popcnt");
}

bool host_cpu_can_jit(void)
{
    static gsize answer; /* in a virtual machine it takes microseconds to ask the CPU */

    if (g_once_init_enter(&answer)) {
        g_once_init_leave(&answer, has_all() ? 1 : 2);
    }
    return answer == 1;
}

static bool map_twice(HostCache *cache, uint64_t bytes, Error **errp)
{
    int fd = host_memory_open_memfd("tcg-code", bytes, 0, false);
    void *write, *code;

    if (fd < 0) {
        return error_set(errp, "no memory for translated code: %s", strerror(errno));
    }
    write = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    code = mmap(NULL, bytes, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    if (write == MAP_FAILED || code == MAP_FAILED) {
        return error_set(errp, "cannot map translated code: %s", strerror(errno));
    }
    *cache = (HostCache){ .code = code, .write = write, .bytes = bytes };
    return true;
}

/* What is full is hardly written again: then one mapping of the memory is enough. */
static void forget_written(HostCache *cache, size_t used)
{
    if (used / CHUNK_BYTES > cache->used / CHUNK_BYTES) {
        madvise(cache->write, ROUND_DOWN(used, CHUNK_BYTES), MADV_DONTNEED);
    }
}

static void populate(HostCache *cache, size_t end)
{
    size_t to = MIN(ROUND_UP(end, AHEAD_BYTES), cache->bytes);

    if (to > cache->populated) {
        host_memory_populate(cache->write + cache->populated, to - cache->populated);
        cache->populated = to;
    }
}

uint8_t *cache_add(HostCache *cache, const Emit *e)
{
    size_t middle = ROUND_UP(cache->used + e->main_bytes, ALIGN);

    if (middle + e->cold_bytes > cache->bytes) {
        return NULL;
    }
    populate(cache, middle + e->cold_bytes);
    if (e->main_bytes) {
        memcpy(cache->write + middle - e->main_bytes, e->main_buf + EMIT_BYTES - e->main_bytes,
               e->main_bytes);
    }
    memcpy(cache->write + middle, e->cold_buf, e->cold_bytes);
    forget_written(cache, middle + e->cold_bytes);
    cache->used = middle + e->cold_bytes;
    return cache->code + middle;
}

/* --- common pieces, written forwards --- */

static const uint8_t saved_regs[] = { RBX, RBP, R12, R13, R14, R15 };
/* The return address and six registers are on the stack: with this it is aligned to 16. */
#define FRAME_BYTES ((int32_t)sizeof(HostFrame) + 8)

static void emit_stack(Emit *e, bool is_push, int reg)
{
    uint8_t bytes[2] = { 0x41, (is_push ? 0x50 : 0x58) | (reg & 7) };

    emit_bytes(e, bytes + (reg < R8), 1 + (reg >= R8));
}

/* HostExit *enter(TcgCpu *cpu, const void *code) */
static void emit_enter(Emit *e)
{
    for (unsigned i = 0; i < ARRAY_SIZE(saved_regs); i++) {
        emit_stack(e, true, saved_regs[i]);
    }
    emit_op_imm(e, OP(0x81) | OP_W, 5, rm_reg(RSP), 4, FRAME_BYTES);
    emit_op(e, OP(0x8d) | OP_W, RBP, rm_mem(RDI, BIAS));
    emit_op(e, OP(0x89) | OP_W, RSP, rm_mem(RBP, CPU_DISP(host_frame)));
    emit_op(e, OP(0xff), 4, rm_reg(RSI));
}

static void emit_leave(Emit *e)
{
    emit_bytes(e, (const uint8_t[]){ 0xc5, 0xf8, 0x77 }, 3); /* vzeroupper */
    emit_op_imm(e, OP(0x81) | OP_W, 0, rm_reg(RSP), 4, FRAME_BYTES);
    for (unsigned i = ARRAY_SIZE(saved_regs); i-- > 0;) {
        emit_stack(e, false, saved_regs[i]);
    }
    emit_bytes(e, (const uint8_t[]){ 0xc3 }, 1);
}

static void emit_registers(Emit *e, bool is_save, bool with_vectors)
{
    for (int i = 0; i < 16; i++) {
        if (i != RSP && i != RBP) {
            emit_op(e, OP(is_save ? 0x89 : 0x8b) | OP_W, i,
                    rm_mem(RSP, 8 + offsetof(HostFrame, gprs) + 8 * i));
        }
    }
    for (int i = 0; with_vectors && i < 16; i++) {
        emit_vex(e, OP_0F(is_save ? 0x11 : 0x10), true, i, 0,
                 rm_mem(RSP, 8 + offsetof(HostFrame, xmms) + 32 * i));
    }
}

/* Keeps all registers but for what fn changes in the frame; fn(TcgCpu *, HostFrame *). */
static void emit_slow(Emit *e, const void *fn, bool with_vectors)
{
    emit_registers(e, true, with_vectors);
    emit_op(e, OP(0x8b) | OP_W, RAX, rm_mem(RSP, 0));
    emit_op(e, OP(0x89) | OP_W, RAX, rm_mem(RSP, 8 + offsetof(HostFrame, site)));
    emit_op(e, OP(0x8d) | OP_W, RDI, rm_mem(RBP, -BIAS));
    emit_op(e, OP(0x8d) | OP_W, RSI, rm_mem(RSP, 8));
    if (with_vectors) {
        emit_bytes(e, (const uint8_t[]){ 0xc5, 0xf8, 0x77 }, 3);
    }
    emit_op_imm(e, OP(0x83) | OP_W, 5, rm_reg(RSP), 1, 8);
    emit_mov_imm(e, RAX, (uintptr_t)fn);
    emit_op(e, OP(0xff), 2, rm_reg(RAX));
    emit_op_imm(e, OP(0x83) | OP_W, 0, rm_reg(RSP), 1, 8);
    emit_registers(e, false, with_vectors);
    emit_bytes(e, (const uint8_t[]){ 0xc3 }, 1);
}

/* void *next(TcgCpu *): where generated code goes on, which may be out of it. */
static const void *next_code(TcgCpu *cpu)
{
    const void *code = exec_next_code(cpu);

    return code ? code : host_cache.leave_unknown;
}

/* Jumped to: the state is in memory. */
static void emit_next(Emit *e)
{
    emit_op(e, OP(0x8d) | OP_W, RDI, rm_mem(RBP, -BIAS));
    emit_mov_imm(e, RAX, (uintptr_t)next_code);
    emit_bytes(e, (const uint8_t[]){ 0xc5, 0xf8, 0x77 }, 3); /* vzeroupper */
    emit_op(e, OP(0xff), 2, rm_reg(RAX));
    emit_op(e, OP(0xff), 4, rm_reg(RAX));
}

/* HostExit * NULL. */
static void emit_leave_unknown(Emit *e)
{
    emit_op(e, OP(0x33), RAX, rm_reg(RAX));
    emit_leave(e);
}

/* The n-th word behind the call. */
static uint32_t asked(const HostFrame *frame, unsigned n)
{
    uint32_t word;

    memcpy(&word, (const uint8_t *)frame->site + n * SLOW_ASK_BYTES + 1, sizeof(word));
    return word;
}

static void slow_load(TcgCpu *cpu, HostFrame *frame)
{
    uint32_t ask = asked(frame, 0);
    unsigned reg = ask >> SLOW_VALUE_SHIFT & 31;
    uint64_t addr = frame->gprs[ask >> SLOW_ADDR_SHIFT & 15];

    cpu->host_pc = frame->site;
    if (IS_XMM(reg)) {
        IrValue value = { 0 };

        tcg_load_bytes(cpu, ask & SLOW_MEM, addr, &value);
        frame->xmms[reg - 16] = value;
    } else {
        uint64_t value = tcg_load(cpu, ask & SLOW_MEM, addr);

        frame->gprs[reg] = ask & SLOW_IS_I32 ? (uint32_t)value : value;
    }
    cpu->host_pc = 0;
}

static void slow_store(TcgCpu *cpu, HostFrame *frame)
{
    uint32_t ask = asked(frame, 0);
    unsigned reg = ask >> SLOW_VALUE_SHIFT & 31;
    uint64_t addr = frame->gprs[ask >> SLOW_ADDR_SHIFT & 15];

    cpu->host_pc = frame->site;
    if (ask & SLOW_IS_CONSTANT) {
        tcg_store(cpu, ask & SLOW_MEM, addr, (int32_t)asked(frame, 1));
    } else if (IS_XMM(reg)) {
        tcg_store_bytes(cpu, ask & SLOW_MEM, addr, &frame->xmms[reg - 16]);
    } else {
        tcg_store(cpu, ask & SLOW_MEM, addr, frame->gprs[reg]);
    }
    cpu->host_pc = 0;
}

static void slow_atomic(TcgCpu *cpu, HostFrame *frame)
{
    uint32_t ask = asked(frame, 0), more = asked(frame, 1);
    IrOp op = more & SLOW_OP;
    IrMem mem = ask & SLOW_MEM;
    uint64_t addr = frame->gprs[ask >> SLOW_ADDR_SHIFT & 15], old;
    uint64_t value = frame->gprs[ask >> SLOW_VALUE_SHIFT & 15];

    cpu->host_pc = frame->site;
    if (op == IR_CMPXCHG) {
        old = tcg_cmpxchg(cpu, mem, addr, frame->gprs[more >> SLOW_EXPECTED_SHIFT & 15], value);
    } else {
        old = tcg_atomic(cpu, op, mem, addr, value);
    }
    frame->gprs[more >> SLOW_DEST_SHIFT & 15] = ask & SLOW_IS_I32 ? (uint32_t)old : old;
    cpu->host_pc = 0;
}

/* The region under way is better off without. */
static void make_without(TcgCpu *cpu, const HostFrame *frame)
{
    cpu->host_pc = frame->site;
    exec_make_again(cpu);
    cpu->host_pc = 0;
}

static void slow_span(TcgCpu *cpu, HostFrame *frame)
{
    if (!span_fill(cpu, (TcgSpan *)((char *)cpu + frame->span), frame->addr, frame->place)) {
        make_without(cpu, frame);
    }
}

static void slow_scatter(TcgCpu *cpu, HostFrame *frame)
{
    if (!scatter_fill(cpu, (TcgScatter *)((char *)cpu + frame->span), frame->addr, frame->place)) {
        make_without(cpu, frame);
    }
}

static const void *add_piece(void (*write)(Emit *e))
{
    Emit e = { .in_cold = true, .cold_buf = g_malloc(EMIT_BYTES) };
    const void *code;

    write(&e);
    code = cache_add(&host_cache, &e);
    g_free(e.cold_buf);
    return code;
}

static const void *add_slow(void *fn, bool with_vectors)
{
    Emit e = { .in_cold = true, .cold_buf = g_malloc(EMIT_BYTES) };
    const void *code;

    emit_slow(&e, fn, with_vectors);
    code = cache_add(&host_cache, &e);
    g_free(e.cold_buf);
    return code;
}

static bool init(uint64_t bytes, Error **errp)
{
    static void *const slow[] = { slow_load, slow_store, slow_atomic, slow_span, slow_scatter };

    if (!host_cpu_can_jit()) {
        return error_set(errp, "this host's CPU lacks AVX2, BMI2 or MOVBE");
    }
    if (!vec_cache.code && !map_twice(&vec_cache, SMALL_BYTES, errp)) {
        return false;
    }
    if (!bytes || host_cache.code) {
        return true;
    }
    if (!map_twice(&host_cache, bytes, errp)) {
        return false;
    }
    host_cache.enter = add_piece(emit_enter);
    host_cache.pieces[PIECE_LEAVE] = add_piece(emit_leave);
    host_cache.leave_unknown = add_piece(emit_leave_unknown);
    host_cache.pieces[PIECE_NEXT] = add_piece(emit_next);
    for (unsigned i = 0; i < ARRAY_SIZE(slow); i++) {
        host_cache.pieces[PIECE_SLOW + 2 * i] = add_slow(slow[i], false);
        host_cache.pieces[PIECE_SLOW + 2 * i + 1] = add_slow(slow[i], true);
    }
    host_cache.first = host_cache.used;
    return true;
}

bool cache_init(uint64_t bytes, Error **errp)
{
    bool is_there;

    g_mutex_lock(&cache_lock);
    is_there = init(bytes, errp);
    g_mutex_unlock(&cache_lock);
    return is_there;
}
