/*
 * Segment registers and descriptors: loading with all checks, LLDT, LTR, LAR, LSL, VERR, VERW,
 * limits. SDM volume 3, chapters 3 and 5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/segment.h"

uint32_t desc_base(const X86Descriptor *d)
{
    return d->low >> 16 | (d->high & 0xff) << 16 | (d->high & 0xff000000);
}

uint32_t desc_limit(const X86Descriptor *d)
{
    uint32_t limit = (d->low & 0xffff) | (d->high & 0xf0000);

    return d->high & BIT(23) ? limit << 12 | 0xfff : limit;
}

uint64_t desc_gate_offset(const X86Descriptor *d)
{
    bool is_wide = desc_type(d) & 8;

    return (d->low & 0xffff) | (is_wide ? d->high & 0xffff0000 : 0) | (uint64_t)d->upper << 32;
}

static bool table_of(const X86State *s, uint16_t selector, X86Table *table)
{
    const X86Segment *ldt = &s->seg[X86_LDTR];

    if (!(selector & 4)) {
        *table = s->gdt;
        return true;
    }
    *table = (X86Table){ ldt->base, ldt->limit };
    return !(ldt->access & SEG_NULL) && (ldt->access & SEG_P);
}

static bool find(X86Cpu *cpu, uint16_t selector, unsigned bytes, X86Descriptor *out)
{
    X86State *s = &cpu->state;
    X86Mmu mmu = x86_mmu_system(s);
    uint32_t index = selector & ~7u;
    X86Table table;

    if (!table_of(s, selector, &table) || index + bytes - 1 > table.limit) {
        return false;
    }
    out->at = table.base + index;
    out->at &= x86_is_long(s) ? UINT64_MAX : UINT32_MAX;
    out->low = x86_read(cpu, out->at, 4, mmu);
    out->high = x86_read(cpu, out->at + 4, 4, mmu);
    out->upper = bytes == 16 ? x86_read(cpu, out->at + 8, 4, mmu) : 0;
    return true;
}

bool x86_find_descriptor(X86Cpu *cpu, uint16_t selector, X86Descriptor *out)
{
    return find(cpu, selector, 8, out);
}

bool x86_find_system_descriptor(X86Cpu *cpu, uint16_t selector, X86Descriptor *out)
{
    if (!find(cpu, selector, 8, out)) {
        return false;
    }
    return !x86_is_long(&cpu->state) || !desc_is_system(out) || find(cpu, selector, 16, out);
}

void x86_get_descriptor(X86Cpu *cpu, uint16_t selector, unsigned vector, X86Descriptor *out)
{
    if (is_null_selector(selector) || !x86_find_descriptor(cpu, selector, out)) {
        x86_raise_error(cpu, vector, selector_error(selector));
    }
}

void x86_set_accessed(X86Cpu *cpu, X86Descriptor *d)
{
    if (!(d->high & BIT(8))) {
        d->high |= BIT(8);
        x86_write(cpu, d->at + 5, 1, d->high >> 8 & 0xff, x86_mmu_system(&cpu->state));
    }
}

void x86_set_busy(X86Cpu *cpu, uint64_t descriptor_at, bool is_busy)
{
    X86Mmu mmu = x86_mmu_system(&cpu->state);
    uint8_t byte = x86_read(cpu, descriptor_at + 5, 1, mmu);

    x86_write(cpu, descriptor_at + 5, 1, is_busy ? byte | 2 : byte & ~2, mmu);
}

X86Segment x86_segment_from(const X86Descriptor *d, uint16_t selector)
{
    return (X86Segment){ .selector = selector, .base = desc_base(d) | (uint64_t)d->upper << 32,
                         .limit = desc_limit(d), .access = desc_access(d) };
}

X86Segment x86_code_segment(const X86Descriptor *d, uint16_t selector, unsigned cpl)
{
    return x86_segment_from(d, (selector & ~3u) | cpl);
}

X86Segment x86_real_segment(const X86Cpu *cpu, unsigned reg, uint16_t selector)
{
    X86Segment seg = cpu->state.seg[reg];

    seg.selector = selector;
    seg.base = (uint32_t)selector << 4;
    if (cpu->state.eflags & FLAG_VM) {
        seg.limit = 0xffff;
        seg.access = SEG_P | 3 << SEG_DPL_SHIFT | SEG_S | SEG_WRITABLE | SEG_ACCESSED;
    } else {
        /* The limit stays what it was; rights are those of data. */
        seg.access = (seg.access & (SEG_DB | SEG_G)) | SEG_P | SEG_S | SEG_WRITABLE |
                     SEG_ACCESSED;
        seg.access &= reg == X86_CS ? ~SEG_DB : UINT32_MAX;
    }
    return seg;
}

void x86_set_segment(X86Cpu *cpu, unsigned reg, X86Segment seg)
{
    cpu->state.seg[reg] = seg;
    if (reg < X86_FS) {
        x86_update_mode(cpu);
    } else {
        x86_update_wrap(&cpu->state);
    }
}

static X86Segment null_segment(uint16_t selector, unsigned dpl)
{
    return (X86Segment){ .selector = selector, .access = SEG_NULL | dpl << SEG_DPL_SHIFT };
}

X86Segment x86_checked_data_segment(X86Cpu *cpu, uint16_t selector, unsigned cpl)
{
    X86Descriptor d;
    unsigned rpl = selector & 3;

    if (is_null_selector(selector)) {
        return null_segment(selector, 0);
    }
    x86_get_descriptor(cpu, selector, VECTOR_GP, &d);
    if (desc_is_system(&d) || (desc_is_code(&d) && !(desc_access(&d) & SEG_READABLE))) {
        x86_raise_error(cpu, VECTOR_GP, selector_error(selector));
    }
    if (!(desc_is_code(&d) && desc_is_conforming(&d)) && MAX(rpl, cpl) > desc_dpl(&d)) {
        x86_raise_error(cpu, VECTOR_GP, selector_error(selector));
    }
    if (!desc_is_present(&d)) {
        x86_raise_error(cpu, VECTOR_NP, selector_error(selector));
    }
    x86_set_accessed(cpu, &d);
    return x86_segment_from(&d, selector);
}

/* vector: #GP for instructions, #TS when the selector comes from a TSS. */
X86Segment x86_checked_stack(X86Cpu *cpu, uint16_t selector, unsigned cpl, unsigned vector)
{
    X86Descriptor d;

    if (is_null_selector(selector)) {
        x86_raise_error(cpu, vector, 0);
    }
    x86_get_descriptor(cpu, selector, vector, &d);
    if ((selector & 3) != cpl || !desc_is_writable_data(&d) || desc_dpl(&d) != cpl) {
        x86_raise_error(cpu, vector, selector_error(selector));
    }
    if (!desc_is_present(&d)) {
        x86_raise_error(cpu, VECTOR_SS, selector_error(selector));
    }
    x86_set_accessed(cpu, &d);
    return x86_segment_from(&d, selector);
}

void x86_load_segment(X86Cpu *cpu, unsigned reg, uint16_t selector)
{
    X86State *s = &cpu->state;
    unsigned cpl = x86_cpl(s);

    if (!x86_is_protected(s)) {
        x86_set_segment(cpu, reg, x86_real_segment(cpu, reg, selector));
    } else if (reg != X86_SS) {
        x86_set_segment(cpu, reg, x86_checked_data_segment(cpu, selector, cpl));
    } else if (is_null_selector(selector) && x86_is_code64(s) && cpl != 3 &&
               (selector & 3) == cpl) {
        x86_set_segment(cpu, reg, null_segment(selector, cpl));
    } else {
        x86_set_segment(cpu, reg, x86_checked_stack(cpu, selector, cpl, VECTOR_GP));
    }
}

void x86_drop_inner_segments(X86Cpu *cpu, unsigned cpl)
{
    static const uint8_t regs[] = { X86_ES, X86_DS, X86_FS, X86_GS };
    X86State *s = &cpu->state;

    for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
        X86Segment *seg = &s->seg[regs[i]];
        bool is_conforming = (seg->access & (SEG_CODE | SEG_CONFORM)) == (SEG_CODE | SEG_CONFORM);

        if (!is_conforming && (seg->access >> SEG_DPL_SHIFT & 3) < cpl) {
            uint64_t base = x86_is_long(s) ? seg->base : 0;

            *seg = null_segment(0, 0);
            seg->base = base;
        }
    }
    x86_update_mode(cpu);
}

/* --- system segments --- */

static void get_system(X86Cpu *cpu, uint16_t selector, X86Descriptor *d)
{
    if ((selector & 4) || !x86_find_system_descriptor(cpu, selector, d) || !desc_is_system(d)) {
        x86_raise_error(cpu, VECTOR_GP, selector_error(selector));
    }
}

static void check_present(X86Cpu *cpu, uint16_t selector, const X86Descriptor *d)
{
    if (!desc_is_present(d)) {
        x86_raise_error(cpu, VECTOR_NP, selector_error(selector));
    }
}

void x86_lldt(X86Cpu *cpu, uint16_t selector)
{
    X86Descriptor d;

    if (is_null_selector(selector)) {
        cpu->state.seg[X86_LDTR] = null_segment(selector, 0);
        return;
    }
    get_system(cpu, selector, &d);
    if (desc_type(&d) != DESC_LDT) {
        x86_raise_error(cpu, VECTOR_GP, selector_error(selector));
    }
    check_present(cpu, selector, &d);
    cpu->state.seg[X86_LDTR] = x86_segment_from(&d, selector);
}

void x86_ltr(X86Cpu *cpu, uint16_t selector)
{
    X86Descriptor d;
    bool is_long = x86_is_long(&cpu->state);

    if (is_null_selector(selector)) {
        x86_raise_gp(cpu);
    }
    get_system(cpu, selector, &d);
    if (desc_type(&d) != DESC_TSS && (is_long || desc_type(&d) != DESC_TSS16)) {
        x86_raise_error(cpu, VECTOR_GP, selector_error(selector));
    }
    check_present(cpu, selector, &d);
    if (is_long && !x86_is_canonical(&cpu->state, desc_base(&d) | (uint64_t)d.upper << 32)) {
        x86_raise_error(cpu, VECTOR_GP, selector_error(selector));
    }
    x86_set_busy(cpu, d.at, true);
    d.high |= BIT(9);
    cpu->state.seg[X86_TR] = x86_segment_from(&d, selector);
}

/* --- questions about selectors --- */

/* Which system descriptors LAR and LSL see: outside and in long mode. */
static const uint16_t lar_types[2] = {
    BIT(DESC_TSS16) | BIT(DESC_LDT) | BIT(DESC_TSS16_BUSY) | BIT(DESC_CALL16) | BIT(DESC_TASK) |
        BIT(DESC_TSS) | BIT(DESC_TSS_BUSY) | BIT(DESC_CALL),
    BIT(DESC_LDT) | BIT(DESC_TSS) | BIT(DESC_TSS_BUSY) | BIT(DESC_CALL),
};
static const uint16_t lsl_types[2] = {
    BIT(DESC_TSS16) | BIT(DESC_LDT) | BIT(DESC_TSS16_BUSY) | BIT(DESC_TSS) | BIT(DESC_TSS_BUSY),
    BIT(DESC_LDT) | BIT(DESC_TSS) | BIT(DESC_TSS_BUSY),
};

static bool is_visible(X86Cpu *cpu, uint16_t selector, const uint16_t types[2], X86Descriptor *d)
{
    X86State *s = &cpu->state;

    if (is_null_selector(selector) || !x86_find_descriptor(cpu, selector, d)) {
        return false;
    }
    if (desc_is_system(d) && !(types[x86_is_long(s)] >> desc_type(d) & 1)) {
        return false;
    }
    return (!desc_is_system(d) && desc_is_code(d) && desc_is_conforming(d)) ||
           MAX(x86_cpl(s), selector & 3u) <= desc_dpl(d);
}

bool x86_lar(X86Cpu *cpu, uint16_t selector, uint32_t *rights)
{
    X86Descriptor d;

    if (!is_visible(cpu, selector, lar_types, &d)) {
        return false;
    }
    *rights = d.high & 0x00ffff00; /* four bits of the limit, which the manual leaves open, as processors do */
    return true;
}

bool x86_lsl(X86Cpu *cpu, uint16_t selector, uint32_t *limit)
{
    X86Descriptor d;

    if (!is_visible(cpu, selector, lsl_types, &d)) {
        return false;
    }
    *limit = desc_limit(&d);
    return true;
}

bool x86_verify(X86Cpu *cpu, uint16_t selector, bool is_write)
{
    static const uint16_t none[2] = { 0, 0 };
    X86Descriptor d;

    if (!is_visible(cpu, selector, none, &d)) {
        return false;
    }
    return is_write ? desc_is_writable_data(&d)
                    : !desc_is_code(&d) || (desc_access(&d) & SEG_READABLE);
}

/* --- limits --- */

static bool fits(const X86Segment *seg, uint32_t offset, unsigned bytes, bool is_write)
{
    uint64_t last = (uint64_t)offset + bytes - 1;
    bool is_code = seg->access & SEG_CODE;

    if ((seg->access & SEG_NULL) || !(seg->access & SEG_P) ||
        (is_write && (is_code || !(seg->access & SEG_WRITABLE))) ||
        (is_code && !(seg->access & SEG_READABLE))) {
        return false;
    }
    if (!is_code && (seg->access & SEG_DOWN)) {
        return offset > seg->limit && last <= (seg->access & SEG_DB ? UINT32_MAX : 0xffffu);
    }
    return last <= seg->limit;
}

void x86_check_limit(X86Cpu *cpu, unsigned reg, uint32_t offset, unsigned bytes, bool is_write)
{
    if (!fits(&cpu->state.seg[reg], offset, bytes, is_write)) {
        x86_raise_error(cpu, reg == X86_SS ? VECTOR_SS : VECTOR_GP, 0);
    }
}

bool x86_fits(X86Cpu *cpu, unsigned reg, uint64_t offset, unsigned bytes, bool is_write)
{
    return x86_is_code64(&cpu->state) || fits(&cpu->state.seg[reg], offset, bytes, is_write);
}

uint64_t x86_linear(X86Cpu *cpu, unsigned reg, uint64_t offset, unsigned bytes, bool is_write)
{
    const X86State *s = &cpu->state;

    if (x86_is_code64(s)) {
        return offset + (reg >= X86_FS ? s->seg[reg].base : 0);
    }
    x86_check_limit(cpu, reg, offset, bytes, is_write);
    return (uint32_t)(s->seg[reg].base + offset);
}

void x86_check_target(X86Cpu *cpu, const X86Segment *cs, uint64_t rip)
{
    bool is_64 = x86_is_long(&cpu->state) && (cs->access & SEG_L);

    if (is_64 ? !x86_is_canonical(&cpu->state, rip) : rip > cs->limit) {
        x86_raise_gp(cpu);
    }
}

/* --- stacks --- */

X86Stack x86_stack_at(X86Cpu *cpu, X86Segment seg, uint64_t sp, unsigned cpl)
{
    bool is_64 = x86_is_code64(&cpu->state);

    return (X86Stack){
        .cpu = cpu, .seg = seg, .sp = sp, .is_64 = is_64,
        .mask = is_64 ? UINT64_MAX : seg.access & SEG_DB ? UINT32_MAX : 0xffff,
        .mmu = x86_mmu_for_cpl(&cpu->state, cpl),
    };
}

X86Stack x86_current_stack(X86Cpu *cpu)
{
    X86State *s = &cpu->state;
    X86Stack st = x86_stack_at(cpu, s->seg[X86_SS], s->gpr[X86_RSP], x86_cpl(s));

    st.mmu = x86_mmu(s);
    return st;
}

static uint64_t stack_linear(X86Stack *st, uint64_t sp, unsigned bytes, bool is_write)
{
    bool is_fine = st->is_64 ? x86_is_canonical(&st->cpu->state, sp)
                             : fits(&st->seg, sp, bytes, is_write);

    if (!is_fine) {
        x86_raise_error(st->cpu, VECTOR_SS, st->error);
    }
    return st->is_64 ? sp : (uint32_t)(st->seg.base + sp);
}

void x86_push(X86Stack *st, unsigned bytes, uint64_t value)
{
    uint64_t sp = (st->sp - bytes) & st->mask;

    x86_write(st->cpu, stack_linear(st, sp, bytes, true), bytes, value, st->mmu);
    st->sp = (st->sp & ~st->mask) | sp;
}

uint64_t x86_peek(X86Stack *st, unsigned bytes, uint64_t above)
{
    uint64_t sp = (st->sp + above) & st->mask;

    return x86_read(st->cpu, stack_linear(st, sp, bytes, false), bytes, st->mmu);
}

uint64_t x86_pop(X86Stack *st, unsigned bytes)
{
    uint64_t value = x86_peek(st, bytes, 0);

    st->sp = (st->sp & ~st->mask) | ((st->sp + bytes) & st->mask);
    return value;
}

void x86_commit_sp(X86Cpu *cpu, const X86Stack *st)
{
    uint64_t *rsp = &cpu->state.gpr[X86_RSP];

    *rsp = st->mask == 0xffff ? (*rsp & ~st->mask) | (st->sp & st->mask) : st->sp & st->mask;
}
