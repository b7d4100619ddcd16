/*
 * Vector operations: the table of accel/tcg/ir_vec.h as instructions of the host, and what runs a
 * single one for the interpreter and the unwinder.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <cpuid.h>

#include "accel/tcg/host-x86_64/jit.h"

typedef enum Shape {
    RVM, RVMI, RVMR, FMA, RM, RMI, VMI, RX, RVX, NARROW, MRI, RG, RVG, RVGI, GM, GMR, GMRI, FLAGS,
} Shape;

typedef enum Feature {
    F_AVX, F_AVX_128, F_AVX_256, F_AVX2, F_AVX2_ONLY, F_AVX2_256, F_FMA, F_FMA_128, F_F16C, F_AES,
    F_AES_128, F_PCLMUL, F_GFNI,
} Feature;

#define NP   0
#define P66  OP_66
#define PF3  OP_F3
#define PF2  OP_F2
#define M0F    1
#define M0F38  2
#define M0F3A  3

typedef struct VecOp {
    uint8_t shape, feature, digit;
    uint32_t op;
} VecOp;

#define VEC_ROW(NAME, shape, prefix, map, opcode, w, feature, digit)                               \
    { shape, F_##feature, digit, (opcode) | (map) << 8 | prefix | ((w) ? OP_W : 0) },
static const VecOp vec_ops[IR_VEC_COUNT] = { IR_VECS(VEC_ROW) };

#define VEC_256 BIT64(32) /* in imm */

static const VecOp *op_of(const IrInsn *insn)
{
    return &vec_ops[insn->imm & 0xffff];
}

/* --- what there is --- */

/* Compilers do not agree on names for these two. */
static bool has_f16c(void)
{
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & BIT(29);
}

static bool has_vaes(void)
{
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && ecx & BIT(9);
}

static bool feature_is_there(Feature feature, bool is_256)
{
    switch (feature) {
    case F_AVX_128:
    case F_AES_128:
    case F_FMA_128:
        if (is_256) {
            return false;
        }
        break;
    case F_AVX_256:
    case F_AVX2_256:
        if (!is_256) {
            return false;
        }
        break;
    default:
        break;
    }
    switch (feature) {
    case F_FMA:
    case F_FMA_128:
        return __builtin_cpu_supports("fma");
    case F_F16C:
        return has_f16c();
    case F_AES:
        return is_256 ? has_vaes() : __builtin_cpu_supports("aes");
    case F_AES_128:
        return __builtin_cpu_supports("aes");
    case F_PCLMUL:
        return is_256 ? __builtin_cpu_supports("vpclmulqdq") : __builtin_cpu_supports("pclmul");
    case F_GFNI:
        return __builtin_cpu_supports("gfni");
    default:
        return true;
    }
}

bool ir_has_vec(IrVec vec, IrType type)
{
    return host_cpu_can_jit() && feature_is_there(vec_ops[vec].feature, type == IR_V256);
}

IrRef ir_vec(IrBuilder *b, IrVec vec, IrType type, IrRef x, IrRef y, IrRef z, unsigned imm8)
{
    uint64_t imm = vec | imm8 << 16 | (type == IR_V256 ? VEC_256 : 0);

    switch ((Shape)vec_ops[vec].shape) {
    case NARROW:
    case MRI:
        type = IR_V128;
        break;
    case GM:
    case GMR:
    case GMRI:
        type = vec_ops[vec].op & OP_W ? IR_I64 : IR_I32;
        break;
    case FLAGS:
        type = IR_I32;
        break;
    default:
        break;
    }
    return ir_emit(b, IR_VEC, type, x, y, z, imm);
}

/* --- instructions --- */

void vec_emit(Emit *e, const IrInsn *insn, int dest, int x, int y, int z)
{
    const VecOp *v = op_of(insn);
    bool is_256 = insn->imm & VEC_256;
    uint8_t imm = insn->imm >> 16;

    switch ((Shape)v->shape) {
    case RVM:
    case RVX:
    case RVG:
        emit_vex(e, v->op, is_256, dest, x, rm_reg(y));
        break;
    case RVMI:
    case RVGI:
        emit_vex_imm(e, v->op, is_256, dest, x, rm_reg(y), imm);
        break;
    case RVMR:
        emit_vex_imm(e, v->op, is_256, dest, x, rm_reg(y), z << 4);
        break;
    case FMA:
        assert(dest == x);
        emit_vex(e, v->op, is_256, dest, y, rm_reg(z));
        break;
    case RM:
    case RX:
    case NARROW:
    case RG:
    case GM:
        emit_vex(e, v->op, is_256, dest, 0, rm_reg(x));
        break;
    case RMI:
        emit_vex_imm(e, v->op, is_256, dest, 0, rm_reg(x), imm);
        break;
    case VMI:
        emit_vex_imm(e, v->op, is_256, v->digit, dest, rm_reg(x), imm);
        break;
    case GMR:
        emit_vex(e, v->op, is_256, x, 0, rm_reg(dest));
        break;
    case MRI:
    case GMRI:
        emit_vex_imm(e, v->op, is_256, x, 0, rm_reg(dest), imm);
        break;
    case FLAGS:
        g_assert_not_reached();
    }
}

/* Sets the host's flags from x, y. */
static void emit_flags(Emit *e, const IrInsn *insn, int x, int y)
{
    emit_vex(e, op_of(insn)->op, insn->imm & VEC_256, x, 0, rm_reg(y));
}

/* AH has SF ZF - AF - PF - CF. */
static void emit_flags_value(Emit *e, bool is_forward)
{
    for (int i = 0; i < 3; i++) {
        switch (is_forward ? i : 2 - i) {
        case 0:
            emit_bytes(e, (const uint8_t[]){ 0x9f }, 1); /* lahf */
            break;
        case 1:
            /* movzx eax, ah */
            emit_bytes(e, (const uint8_t[]){ 0x0f, 0xb6, 0xc4 }, 3);
            break;
        default:
            emit_op_imm(e, OP(0x83), 4, rm_reg(RAX), 1, 0x45);
            break;
        }
    }
}

void jit_vector(Jit *j, const IrInsn *insn)
{
    const VecOp *v = op_of(insn);
    int dest, x, y = 0, z = 0;
    RegSet keep = j->blocked;

    if (v->shape == FLAGS) {
        dest = ra_def(j, j->at, BIT(RAX));
        x = ra_use(j, insn->a, XMMS);
        y = ra_use(j, insn->b, XMMS);
        emit_flags_value(&j->emit, false);
        emit_flags(&j->emit, insn, x - 16, y - 16);
        return;
    }
    dest = ra_def(j, j->at, ra_class(insn->type));
    if (v->shape == FMA) {
        j->blocked |= BIT(dest);
    }
    y = insn->b ? ra_use(j, insn->b, ra_class(ir_insn(j->b, insn->b)->type)) : 0;
    j->blocked |= insn->b ? BIT(y) : 0;
    z = insn->c ? ra_use(j, insn->c, XMMS) : 0;
    j->blocked |= insn->c ? BIT(z) : 0;
    if (v->shape == FMA) {
        vec_emit(&j->emit, insn, dest - 16, dest - 16, y - 16, z - 16);
        j->blocked = keep;
        ra_left(j, dest, insn->a);
        return;
    }
    x = ra_use(j, insn->a, ra_class(ir_insn(j->b, insn->a)->type));
    j->blocked = keep;
    vec_emit(&j->emit, insn, dest & 15, x & 15, y & 15, z & 15);
}

/* --- one at a time --- */

typedef void VecFn(const IrValue *x, const IrValue *y, const IrValue *z, IrValue *out);

static void emit_argument(Emit *e, int vector, int general, int pointer, bool is_general)
{
    if (is_general) {
        emit_op(e, OP(0x8b) | OP_W, general, rm_mem(pointer, 0));
    } else {
        emit_vex(e, OP_0F(0x10), true, vector, 0, rm_mem(pointer, 0));
    }
}

/* x is in [rdi], y in [rsi], z in [rdx]; the result goes to [rcx]. */
static const void *vec_compile(const IrInsn *insn)
{
    Emit e = { .in_cold = true, .cold_buf = g_malloc(EMIT_BYTES) };
    Shape shape = op_of(insn)->shape;
    bool x_is_general = shape == RG, y_is_general = shape == RVG || shape == RVGI;
    bool is_general = insn->type <= IR_I64;
    const void *code;

    emit_argument(&e, 0, R8, RDI, x_is_general);
    if (insn->b) {
        emit_argument(&e, 1, R9, RSI, y_is_general);
    }
    if (insn->c) {
        emit_argument(&e, 2, R10, RDX, false);
    }
    if (shape == FLAGS) {
        emit_flags(&e, insn, 0, 1);
        emit_flags_value(&e, true);
    } else {
        vec_emit(&e, insn, is_general ? RAX : shape == FMA ? 0 : 3, x_is_general ? R8 : 0,
                 y_is_general ? R9 : 1, 2);
    }
    if (is_general) {
        emit_op(&e, OP(0x89) | OP_W, RAX, rm_mem(RCX, 0));
    } else {
        /* A result of 128 bits has zeros above. */
        emit_vex(&e, OP_0F(0x11), true, shape == FMA ? 0 : 3, 0, rm_mem(RCX, 0));
    }
    emit_bytes(&e, (const uint8_t[]){ 0xc5, 0xf8, 0x77, 0xc3 }, 4); /* vzeroupper; ret */
    code = cache_add(&vec_cache, &e);
    g_free(e.cold_buf);
    return code;
}

/* NULL: there is none. */
static const void *vec_code(const IrInsn *insn)
{
    static GMutex lock;
    static GHashTable *compiled;
    uint64_t key = insn->imm;
    uint32_t held = host_fp_hold();
    const void *code;

    g_mutex_lock(&lock);
    if (!compiled) {
        compiled = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    }
    code = g_hash_table_lookup(compiled, &key);
    if (!code) {
        code = cache_init(0, NULL) ? vec_compile(insn) : NULL;
        if (code) {
            g_hash_table_insert(compiled, g_memdup2(&key, sizeof(key)), (void *)code);
        }
    }
    g_mutex_unlock(&lock);
    host_fp_release(held);
    return code;
}

bool host_vector(const IrInsn *insn, const IrValue *x, const IrValue *y, const IrValue *z,
                 IrValue *out)
{
    const void *code = vec_code(insn);
    IrValue result = { .quads = { 0 } };

    if (!code) {
        return false;
    }
    ((VecFn *)code)(x, y, z, &result);
    *out = result;
    return true;
}
