/*
 * Silicon as oracle: random instructions on the host's CPU and on ours, from the same state;
 * registers, flags, vectors, memory and faults must agree.
 *
 * SILICON_INSNS is how many instructions (twice 100,000 if not set), SILICON_SEED where chance begins,
 * SILICON_REPORTS how many differences are printed.
 * Flags that the manual leaves undefined are not compared.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#include "accel/tcg/host.h"
#include "system/machine_lock.h"
#include "target/i386/control.h"
#include "target/i386/execute.h"
#include "target/i386/flags.h"
#include "target/i386/isa.h"
#include "target/i386/memory.h"
#include "target/i386/mxcsr.h"
#include "target/i386/silicon.h"
#include "target/i386/translate.h"
#include "target/i386/x87_arith.h"

#define BATCH 1024
#define MXCSR_PE 0x20
#define DEFAULT_INSNS 100000
#define DEFAULT_REPORTS 25

/* The guest's RAM: tables, handlers, and what the cases see. */
#define RAM_BYTES   0x20000
#define AT_PML4     0x1000
#define AT_PDPT     0x2000
#define AT_PD       0x3000
#define AT_PT_CODE  0x4000
#define AT_PT_DATA  0x5000
#define AT_PT_KERNEL 0x6000
#define AT_GDT      0x7000
#define AT_IDT      0x8000
#define AT_TSS      0x9000
#define AT_STACK    0xb000 /* its end */
#define AT_HANDLERS 0xb000
#define AT_CODE     0xc000
#define AT_DATA     0xd000
#define AT_PDPT_KERNEL 0xf000
#define AT_PD_KERNEL   0x10000
#define AT_LDT         0x11000
#define KERNEL_AT   UINT64_C(0xffff960000000000) /* linear, of the RAM's start */

#define PTE_PRESENT  3
#define PTE_USER     7
#define PTE_NX       BIT64(63)
#define SELECTOR_KERNEL 0x10
#define SELECTOR_TSS    0x40
#define SELECTOR_LDT    0x50
#define SELECTORS       0x80 /* of the host's GDT, which has some that users see */

static MemoryRegion ram;
static uint8_t *ram_host;
static X86Cpu *cpu;

static void put64(uint64_t at, uint64_t value)
{
    memcpy(ram_host + at, &value, 8);
}

static void make_tables(void)
{
    put64(AT_PML4, AT_PDPT | PTE_USER);
    put64(AT_PDPT, AT_PD | PTE_USER);
    put64(AT_PD + 8 * (SILICON_CODE_AT >> 21), AT_PT_CODE | PTE_USER);
    put64(AT_PD + 8 * (SILICON_DATA_AT >> 21), AT_PT_DATA | PTE_USER);
    put64(AT_PML4 + 8 * (KERNEL_AT >> 39 & 511), AT_PDPT_KERNEL | PTE_PRESENT);
    put64(AT_PDPT_KERNEL, AT_PD_KERNEL | PTE_PRESENT);
    put64(AT_PD_KERNEL, AT_PT_KERNEL | PTE_PRESENT);
    put64(AT_PT_CODE, AT_CODE | PTE_USER);
    put64(AT_PT_DATA, AT_DATA | PTE_USER | PTE_NX);
    put64(AT_PT_DATA + 8, (AT_DATA + 0x1000) | PTE_USER | PTE_NX);
    for (unsigned n = 0; n < RAM_BYTES >> 12; n++) {
        put64(AT_PT_KERNEL + 8 * n, n << 12 | PTE_PRESENT);
    }
}

/* As Linux makes it: for users, and accessed. */
static X86Segment ldt_segment(unsigned n)
{
    const SiliconSegment *s = &silicon_ldt[n];

    return (X86Segment){
        .selector = SILICON_SELECTOR(n), .base = s->base,
        .limit = s->is_in_pages ? s->limit << 12 | 0xfff : s->limit,
        .access = SEG_ACCESSED | (s->is_read_only ? 0 : SEG_WRITABLE) | s->contents << 2 | SEG_S |
                  3 << SEG_DPL_SHIFT | (s->is_absent ? 0 : SEG_P) | (s->is_32 ? SEG_DB : 0) |
                  (s->is_in_pages ? SEG_G : 0) };
}

static void make_ldt(void)
{
    for (unsigned n = 0; n < SILICON_LDT_COUNT; n++) {
        X86Segment s = ldt_segment(n);
        uint32_t limit = silicon_ldt[n].limit;

        put64(AT_LDT + 8 * n, (limit & 0xffff) | (s.base & 0xffffff) << 16 | (uint64_t)(s.access & 0xf0ff) << 40 |
                              (uint64_t)(limit & 0xf0000) << 32 | (s.base >> 24) << 56);
    }
}

/* What users see of it is what they see of the host's. */
static void make_gdt(void)
{
    for (unsigned selector = 0; selector < SELECTORS; selector += 8) {
        uint64_t descriptor;

        put64(AT_GDT + selector, silicon_native_descriptor(selector | 3, &descriptor) ? descriptor : 0);
    }
    put64(AT_GDT + SELECTOR_KERNEL, UINT64_C(0x00af9b000000ffff));
}

static void make_descriptors(void)
{
    make_gdt();
    make_ldt();
    put64(AT_TSS + 4, KERNEL_AT + AT_STACK);
    put64(AT_TSS + 0x60, UINT64_C(0xffff) << 48); /* no port is for users */
    for (unsigned vector = 0; vector < 256; vector++) {
        uint64_t handler = KERNEL_AT + AT_HANDLERS + vector;
        bool is_for_users = vector == VECTOR_BP || vector == VECTOR_OF;

        ram_host[AT_HANDLERS + vector] = 0xf4; /* HLT */
        put64(AT_IDT + 16 * vector, (handler & 0xffff) | SELECTOR_KERNEL << 16 |
              (is_for_users ? UINT64_C(0xee00) : UINT64_C(0x8e00)) << 32 | (handler >> 16 & 0xffff) << 48);
        put64(AT_IDT + 16 * vector + 8, handler >> 32);
    }
}

static X86Segment flat(uint16_t selector, uint32_t access)
{
    return (X86Segment){ .selector = selector, .limit = UINT32_MAX, .access = access };
}

/* Of an LDT, or flat. */
static X86Segment segment_of(uint16_t selector)
{
    return selector & 4 ? ldt_segment(selector >> 3)
           : flat(selector, selector == SILICON_FLAT_CODE_64 ? 0xa0fb
                            : selector == SILICON_FLAT_CODE_32 ? 0xc0fb : 0xc0f3);
}

static void set_system_state(const SiliconCase *c)
{
    X86State *s = &cpu->state;
    bool has_ldt = silicon_native_has_ldt();

    s->cr0 = CR0_PE | CR0_PG | CR0_NE | CR0_WP | CR0_ET | CR0_MP | CR0_AM;
    s->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE | CR4_PGE;
    s->efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
    s->cr3 = AT_PML4;
    s->xcr0 = 7;
    s->gdt = (X86Table){ KERNEL_AT + AT_GDT, SELECTORS - 1 };
    s->idt = (X86Table){ KERNEL_AT + AT_IDT, 0xfff };
    s->seg[X86_TR] = (X86Segment){ .selector = SELECTOR_TSS, .base = KERNEL_AT + AT_TSS,
                                   .limit = 0x67, .access = 0x8b };
    s->seg[X86_LDTR] = (X86Segment){ .selector = has_ldt ? SELECTOR_LDT : 0, .base = KERNEL_AT + AT_LDT,
                                     .limit = 8 * SILICON_LDT_COUNT - 1, .access = has_ldt ? 0x82 : SEG_NULL };
    for (unsigned n = X86_ES; n <= X86_DS; n++) {
        s->seg[n] = segment_of(c->before.seg[n]);
    }
    s->seg[X86_FS] = s->seg[X86_GS] = (X86Segment){ .access = SEG_NULL };
}

static void load_state(const SiliconCase *c)
{
    const SiliconState *in = &c->before;
    X86State *s = &cpu->state;
    X86Fpu *f = &s->fpu;

    set_system_state(c);
    x86_flush_all(cpu, true);
    memcpy(s->gpr, in->gpr, sizeof(s->gpr));
    s->eflags = (in->eflags & FLAG_DF) | FLAG_IF;
    x86_set_arith_flags(s, in->eflags);
    memcpy(s->vec, in->vec, sizeof(s->vec));
    memcpy(&f->control, in->legacy, 2);
    memcpy(&f->status, in->legacy + 2, 2);
    f->top = f->status >> 11 & 7;
    f->status &= ~0x3800;
    f->valid = in->legacy[4];
    f->ip = f->dp = 0;
    f->cs = f->ds = f->opcode = 0;
    for (unsigned n = 0; n < 8; n++) {
        memcpy(&f->reg[(f->top + n) & 7], in->legacy + 32 + 16 * n, 10);
    }
    x86_set_mxcsr(s, in->mxcsr);
    s->event.vector = NO_VECTOR;
    s->is_delivering = false;
    x86_update_mode(cpu);
    s->rip = silicon_case_at(c);
    x86_give_rip(s);
}

static uint64_t frame(unsigned n)
{
    uint64_t value;

    memcpy(&value, ram_host + (cpu->state.gpr[X86_RSP] - KERNEL_AT) + 8 * n, 8);
    return value;
}

static bool has_error_code(int vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static void save_x87(SiliconState *out)
{
    const X86Fpu *f = &cpu->state.fpu;
    uint16_t status = f->status | f->top << 11;

    memset(out->legacy, 0, sizeof(out->legacy));
    memcpy(out->legacy, &f->control, 2);
    memcpy(out->legacy + 2, &status, 2);
    out->legacy[4] = f->valid;
    for (unsigned n = 0; n < 8; n++) {
        memcpy(out->legacy + 32 + 16 * n, &f->reg[(f->top + n) & 7], 10);
    }
}

static void save_state(SiliconState *out)
{
    X86State *s = &cpu->state;
    unsigned skip;

    out->vector = (s->pc - 1 - KERNEL_AT - AT_HANDLERS) & 0xff;
    skip = has_error_code(out->vector);
    out->error = skip ? frame(0) : 0;
    out->cr2 = s->cr2;
    memcpy(out->gpr, s->gpr, sizeof(out->gpr));
    out->rip = frame(skip);
    out->eflags = frame(skip + 2);
    out->gpr[X86_RSP] = frame(skip + 3);
    for (unsigned n = X86_ES; n <= X86_DS; n++) {
        out->seg[n] = n == X86_CS ? frame(skip + 1) : n == X86_SS ? frame(skip + 4) : s->seg[n].selector;
    }
    out->mxcsr = x86_mxcsr(s);
    memcpy(out->vec, s->vec, sizeof(out->vec));
    save_x87(out);
    memcpy(out->data, ram_host + AT_DATA, SILICON_DATA_BYTES);
}

static void write_ram(uint64_t at, const void *data, size_t bytes)
{
    address_space_write(address_space_system(), at, MEM_TX_NONE, data, bytes);
}

static void run_ours(const SiliconCase *c, SiliconState *out)
{
    uint8_t code[4096]; /* all of it: the last case may have written there */

    memset(code, 0xcc, sizeof(code));
    memcpy(code, c->code, c->code_bytes);
    write_ram(AT_CODE, code, sizeof(code));
    write_ram(AT_DATA, c->before.data, SILICON_DATA_BYTES);
    load_state(c);
    cpu->parent.vcpu.is_halted = false;
    exec_run(&cpu->parent.vcpu);
    if (cpu->state.seg[X86_CS].selector != SELECTOR_KERNEL) {
        g_autoptr(GString) text = g_string_new(NULL);

        silicon_case_print(c, text);
        g_error("not ended by an exception, at %#" PRIx64 ":\n%s", cpu->state.pc, text->str);
    }
    save_state(out);
}

/* --- comparing --- */

typedef struct Difference {
    GString *text;
    const SiliconState *native, *ours;
} Difference;

static void differ(Difference *d, const char *name, unsigned n, uint64_t native, uint64_t ours)
{
    g_string_append_printf(d->text, "#   %s%u: native %016" PRIx64 " ours %016" PRIx64 "\n", name,
                           n, native, ours);
}

static bool is_at_wrap(uint64_t linear)
{
    return (uint32_t)(linear + 4096) < 8192;
}

/* Of CMPS's two operands processors read either first, CALL may push before it looks at the target. */
static bool may_fault_either_way(const SiliconCase *c)
{
    uint64_t at = c->native.rip - silicon_case_at(c);

    while (at < c->code_bytes &&
           (memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf2\xf3", c->code[at], 10) ||
            (c->is_64 && (c->code[at] & 0xf0) == 0x40))) {
        at++;
    }
    return at < c->code_bytes && c->native.vector != VECTOR_BP &&
           ((c->code[at] & 0xfe) == 0xa6 || c->code[at] == 0xe8);
}

/* A denormal number, and the exception is not masked: Intel's leave the stack as it was, AMD's push. */
static bool is_open_load(const SiliconCase *c)
{
    uint16_t control, status;

    memcpy(&control, c->native.legacy, 2);
    memcpy(&status, c->native.legacy + 2, 2);
    return c->loads_reals && status & FSW_DE & ~control;
}

/* Elements that are not moved may be beyond the segment's limit: here the operand is looked at as a whole. */
static bool is_open_limit(const SiliconCase *c, const SiliconState *ours)
{
    return c->has_open_faults && (ours->vector == VECTOR_GP || ours->vector == VECTOR_SS) &&
           c->native.vector == VECTOR_BP && !c->is_64;
}

/* The page of old system calls: what Linux says of a fault there is not what the CPU said. */
static bool is_at_vsyscalls(const SiliconState *ours)
{
    return ours->vector == VECTOR_PF && ours->cr2 >> 12 == UINT64_C(0xffffffffff600);
}

/* Near branches to no canonical address fault where they go here, as branches there. */
static bool is_late_branch(const SiliconState *native, const SiliconState *ours)
{
    return native->vector == VECTOR_GP && (int64_t)ours->rip >> 47 != (int64_t)ours->rip >> 63;
}

/* A vector in the stack's segment that is misaligned and beyond the limit: AMD's look at the former first. */
static bool is_either_limit(const SiliconCase *c, const SiliconState *ours)
{
    return c->has_vectors && c->native.vector == VECTOR_GP && ours->vector == VECTOR_SS && c->native.rip == ours->rip;
}

static void compare_faults(Difference *d, const SiliconCase *c)
{
    const SiliconState *n = d->native, *o = d->ours;
    /*
     * What the host's kernel has mapped is present there (bit 0); who reads, changes and writes
     * faults as a writer at once there, as a reader first here (bit 1).
     */
    uint64_t different = n->error ^ o->error;

    different &= ~(n->error & (PF_PRESENT | PF_WRITE));
    /* Across 4 GiB in 32-bit code, which is beyond any segment's limit. */
    if ((n->vector == VECTOR_PF && o->vector == VECTOR_GP && is_at_wrap(n->cr2)) ||
        ((n->vector == VECTOR_GP || n->vector == VECTOR_SS) && o->vector == VECTOR_PF &&
         is_at_wrap(o->cr2))) {
        return;
    }
    if (may_fault_either_way(c) && o->vector != VECTOR_BP && n->rip == o->rip) {
        return;
    }
    if (is_either_limit(c, o)) {
        return;
    }
    if (n->vector != o->vector) {
        differ(d, "vector", 0, n->vector, o->vector);
        differ(d, "mxcsr", 0, n->mxcsr, o->mxcsr);
        return;
    }
    if (n->rip != o->rip) {
        differ(d, "rip", 0, n->rip, o->rip);
    }
    if ((n->vector == VECTOR_NP || n->vector == VECTOR_SS || n->vector == VECTOR_GP) && n->error != o->error) {
        differ(d, "error", 0, n->error, o->error);
    }
    if (n->vector == VECTOR_PF && (different || n->cr2 != o->cr2) && !is_at_vsyscalls(o)) {
        differ(d, "error", 0, n->error, o->error);
        differ(d, "cr2", 0, n->cr2, o->cr2);
    }
}

static void compare_registers(Difference *d, const SiliconCase *c)
{
    uint32_t undefined = d->native->vector == VECTOR_BP ? c->undefined_flags | c->undefined_at_jumps
                                                        : c->ever_undefined;
    /* Linux returns to a stack of 16 bits with an address of its own above RSP's lower half. */
    uint64_t bits = c->is_64 ? UINT64_MAX : UINT32_MAX;
    uint32_t flags = (FLAGS_ARITH | FLAG_DF | FLAG_AC | FLAG_NT) & ~undefined;

    for (unsigned n = 0; n < 16; n++) {
        if ((d->native->gpr[n] ^ d->ours->gpr[n]) & bits) {
            differ(d, "gpr", n, d->native->gpr[n], d->ours->gpr[n]);
        }
    }
    for (unsigned n = X86_ES; n <= X86_DS; n++) {
        /* Linux' return to the handler takes the RPL from null selectors. */
        if (d->native->seg[n] != (d->ours->seg[n] < 4 ? 0 : d->ours->seg[n])) {
            differ(d, "seg", n, d->native->seg[n], d->ours->seg[n]);
        }
    }
    if ((d->native->eflags ^ d->ours->eflags) & flags) {
        differ(d, "eflags", 0, d->native->eflags & flags, d->ours->eflags & flags);
    }
}

static bool is_nan32(uint32_t bits)
{
    return (bits & 0x7fffffff) > 0x7f800000;
}

static bool is_nan64(uint64_t bits)
{
    return (bits & INT64_MAX) > UINT64_C(0x7ff0000000000000);
}

static bool are_nans(uint64_t x, uint64_t y)
{
    bool low = (uint32_t)x == (uint32_t)y || (is_nan32(x) && is_nan32(y));
    bool high = x >> 32 == y >> 32 || (is_nan32(x >> 32) && is_nan32(y >> 32));

    return (is_nan64(x) && is_nan64(y)) || (low && high);
}

static void compare_vectors(Difference *d, const SiliconCase *c)
{
    uint32_t open = c->native.vector == VECTOR_BP ? 0 : c->gather_masks;

    for (unsigned n = 0; n < SILICON_VECTORS; n++) {
        for (unsigned q = 0; q < 4 && !(open >> n & 1); q++) {
            uint64_t native = d->native->vec[n][q], ours = d->ours->vec[n][q];

            if (native != ours && !(c->has_fma && are_nans(native, ours))) {
                differ(d, "vec", 10 * n + q, native, ours);
            }
        }
    }
    /*
     * A result nobody reads is not computed, and sets no flag; one that cannot be stored may have
     * been; our own C may set PE.
     */
    if (c->insns == 1 && c->native.vector == VECTOR_BP &&
        (d->native->mxcsr ^ d->ours->mxcsr) & ~MXCSR_PE) {
        differ(d, "mxcsr", 0, d->native->mxcsr, d->ours->mxcsr);
    }
}

static void compare_x87(Difference *d, const SiliconCase *c)
{
    uint64_t words = UINT64_C(0xffffffffff) & ~(c->is_c1_open ? (uint64_t)FSW_C1 << 16 : 0), native, ours;

    memcpy(&native, d->native->legacy, 8);
    memcpy(&ours, d->ours->legacy, 8);
    if ((native ^ ours) & words) {
        differ(d, "x87 ", 0, native & words, ours & words);
    }
    for (unsigned n = 0; n < 8; n++) {
        const uint8_t *x = d->native->legacy + 32 + 16 * n, *y = d->ours->legacy + 32 + 16 * n;

        if (memcmp(x, y, 10)) {
            memcpy(&native, x, 8);
            memcpy(&ours, y, 8);
            differ(d, "st", n, native, ours);
            differ(d, "st-exponent", n, x[8] | x[9] << 8, y[8] | y[9] << 8);
        }
    }
}

static void compare_memory(Difference *d)
{
    for (unsigned at = 0; at < SILICON_DATA_BYTES; at += 8) {
        uint64_t native, ours;

        memcpy(&native, d->native->data + at, 8);
        memcpy(&ours, d->ours->data + at, 8);
        if (native != ours) {
            differ(d, "data+", at, native, ours);
            return;
        }
    }
}

static bool agrees(const SiliconCase *c, const SiliconState *ours, GString *text)
{
    Difference d = { text, &c->native, ours };

    if (is_late_branch(&c->native, ours) || is_open_load(c) || is_open_limit(c, ours)) {
        return true;
    }
    compare_faults(&d, c);
    compare_registers(&d, c);
    compare_vectors(&d, c);
    compare_x87(&d, c);
    compare_memory(&d);
    return !text->len;
}

static bool has_instruction(void *opaque, const ZydisDecodedInstruction *in)
{
    /* Without a back end for vectors there is the rest. */
    return x86_translates(cpu, in) &&
           (ir_has_vec(IR_V_PADDB, IR_V128) || !x86_is_vector_instruction(in));
}

static unsigned setting(const char *name, unsigned otherwise)
{
    const char *text = g_getenv(name);

    return text ? strtoul(text, NULL, 0) : otherwise;
}

/* An interrupt that comes at its time can show: some hypervisors' let go of NT. Then a second run agrees. */
static bool agrees_again(const SiliconCase *c, const SiliconState *ours)
{
    SiliconNative *native = silicon_native_new(1);
    SiliconCase *again = silicon_native_case(native, 0);
    g_autoptr(GString) text = g_string_new(NULL);
    bool is_fine;

    *again = *c;
    again->is_done = false;
    silicon_native_run(native, 1);
    is_fine = again->is_done && agrees(again, ours, text);
    silicon_native_free(native);
    return is_fine;
}

/* How many of the batch's instructions were compared. */
static unsigned compare_batch(SiliconNative *native, unsigned *reports)
{
    unsigned insns = 0;

    for (unsigned n = 0; n < BATCH; n++) {
        SiliconCase *c = silicon_native_case(native, n);
        g_autoptr(GString) text = g_string_new(NULL);
        SiliconState ours;

        if (!c->is_done || (c->has_open_faults && c->native.vector != VECTOR_BP)) {
            continue;
        }
        insns += c->insns;
        run_ours(c, &ours);
        if (!agrees(c, &ours, text)) {
            g_autoptr(GString) code = g_string_new(NULL);

            silicon_case_print(c, code);
            if (agrees_again(c, &ours)) {
                g_test_message("the host's second run agrees:\n%s%s", code->str, text->str);
                continue;
            }
            if ((*reports)++ < setting("SILICON_REPORTS", DEFAULT_REPORTS)) {
                g_printerr("%s%s", code->str, text->str);
            }
        }
    }
    return insns;
}

static void test_random(const void *is_jit)
{
    unsigned wanted = setting("SILICON_INSNS", DEFAULT_INSNS), done = 0, reports = 0;
    g_autoptr(GRand) random = g_rand_new_with_seed(setting("SILICON_SEED", 1));
    SiliconNative *native = silicon_native_new(BATCH);

    tcg_options.is_jit = GPOINTER_TO_INT(is_jit);
    region_flush_all();
    while (done < wanted) {
        for (unsigned n = 0; n < BATCH; n++) {
            silicon_case_make(silicon_native_case(native, n), random, has_instruction, NULL);
        }
        silicon_native_run(native, BATCH);
        done += compare_batch(native, &reports);
    }
    silicon_native_free(native);
    g_test_message("%u instructions", done);
    g_assert_cmpuint(reports, ==, 0);
}

/* What the host lacks cannot be compared. */
static void drop_missing_features(void)
{
#if defined(__x86_64__)
    for (int word = 0; word < X86_WORD_COUNT; word++) {
        const X86WordInfo *info = &x86_words[word];
        uint32_t regs[4] = { info->leaf, 0, info->subleaf < 0 ? 0 : info->subleaf, 0 };

        if (!info->reg || info->leaf >> 28 == 4) {
            continue;
        }
        __asm__("cpuid" : "+a"(regs[0]), "=b"(regs[1]), "+c"(regs[2]), "=d"(regs[3]));
        cpu->features.words[word] &= regs[info->reg[1] == 'A' ? 0 : info->reg[1] == 'B' ? 1 :
                                          info->reg[1] == 'C' ? 2 : 3];
    }
#endif
}

static void make_cpu(void)
{
    memory_region_init_ram(&ram, NULL, "ram", RAM_BYTES, NULL);
    memory_region_add(memory_region_system(), 0, &ram);
    ram_host = memory_region_host(&ram);
    cpu = X86_CPU(object_new("max-x86_64-cpu"));
    x86_supported_features(&cpu->features, true);
    cpu->phys_bits = 40;
    drop_missing_features();
    x86_reset_state(cpu, false);
    memset(ram_host + AT_CODE, 0xcc, 4096);
    make_tables();
    make_descriptors();
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock_init_main();
    if (silicon_native_problem()) {
        printf("1..0 # SKIP %s\n", silicon_native_problem());
        return 0;
    }
    region_init();
    make_cpu();
    /* The JIT first: it shares vector operations that are made once with the interpreter. */
    if (host_init(32 * MiB, NULL)) {
        g_test_add_data_func("/silicon/jit", GINT_TO_POINTER(true), test_random);
    }
    g_test_add_data_func("/silicon/interpreter", GINT_TO_POINTER(false), test_random);
    status = g_test_run();
    object_unref(cpu);
    memory_region_remove(memory_region_system(), &ram);
    memory_region_clear(&ram);
    return status;
}
