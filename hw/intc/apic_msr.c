/*
 * Local APIC: the CPU's MSRs: where it is, x2APIC mode, the TSC deadline. SDM volume 3, "Extended
 * XAPIC (x2APIC)". What is refused here is a general protection fault.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/intc/apic_state.h"

#define ICR_RESERVED     0xfff32000u
#define DELIVERY_STATUS  BIT(12)
#define FIRST_LVT        0x320
#define LAST_LVT         0x370

static uint32_t offset_of(uint32_t msr)
{
    return (msr - MSR_APIC_X2APIC_FIRST) * 16;
}

static const RegDef *find(uint32_t msr)
{
    unsigned n;

    switch (offset_of(msr)) {
    case APIC_DFR:
    case APIC_ICR_HIGH:
        return NULL; /* gone in this mode */
    default:
        return register_find(&apic_registers, offset_of(msr), &n);
    }
}

static bool is_write_only(uint32_t msr)
{
    return offset_of(msr) == APIC_EOI || offset_of(msr) == APIC_SELF_IPI;
}

/* In this mode; the table says it of the others. */
static bool is_read_only(uint32_t msr)
{
    return offset_of(msr) == APIC_ID || offset_of(msr) == APIC_LDR;
}

/* Not reserved: written back as they were read, they do not count. */
static uint32_t read_only_bits(uint32_t msr)
{
    bool is_pin = offset_of(msr) == 0x350 || offset_of(msr) == 0x360;

    return offset_of(msr) < FIRST_LVT || offset_of(msr) > LAST_LVT ? 0 :
           DELIVERY_STATUS | (is_pin ? APIC_LVT_REMOTE_IRR : 0);
}

static bool read_x2(Apic *apic, uint32_t msr, uint64_t *value)
{
    if (!apic_is_x2(apic) || !find(msr) || is_write_only(msr)) {
        return false;
    }
    *value = apic_read(&apic->parent, offset_of(msr));
    if (offset_of(msr) == APIC_ICR_LOW) {
        *value |= (uint64_t)apic->icr[1] << 32;
    }
    return true;
}

static bool write_icr(Apic *apic, uint64_t value)
{
    if (value & ICR_RESERVED) {
        return false;
    }
    value &= ~(uint64_t)DELIVERY_STATUS;
    apic->icr[0] = value;
    apic->icr[1] = value >> 32;
    apic_send_ipi(apic, value, value >> 32);
    return true;
}

static bool write_x2(Apic *apic, uint32_t msr, uint64_t value)
{
    const RegDef *reg = apic_is_x2(apic) && !is_read_only(msr) ? find(msr) : NULL;

    value &= ~(uint64_t)read_only_bits(msr);
    if (!reg || (value & ~reg->writable && offset_of(msr) != APIC_ICR_LOW)) {
        return false;
    }
    if (offset_of(msr) == APIC_ICR_LOW) {
        return write_icr(apic, value);
    }
    if (offset_of(msr) == APIC_SELF_IPI) {
        apic_send_ipi(apic, BIT(18) | value, 0);
        return true;
    }
    if (!reg->writable && !reg->write) {
        return false;
    }
    apic_write(&apic->parent, offset_of(msr), value);
    return true;
}

/* Off, on, x2APIC: only forward, or off. */
static bool can_become(uint64_t old, uint64_t new)
{
    bool was_on = old & APIC_BASE_ENABLED, was_x2 = old & APIC_BASE_X2APIC;
    bool is_on = new & APIC_BASE_ENABLED, is_x2 = new & APIC_BASE_X2APIC;

    if (is_x2 && (!is_on || (!was_on && !was_x2))) {
        return false;
    }
    return !(was_x2 && is_on && !is_x2);
}

static bool write_base(Apic *apic, uint64_t value)
{
    uint64_t address = (BIT64(apic->cpu.physical_bits) - 1) & ~UINT64_C(0xfff);
    uint64_t known = address | APIC_BASE_BSP | APIC_BASE_ENABLED |
                     (apic->cpu.has_x2apic ? APIC_BASE_X2APIC : 0);
    bool was_on = apic_is_on(apic);

    if (value & ~known || !can_become(apic->base, value)) {
        return false;
    }
    apic->base = value;
    if (was_on && !apic_is_on(apic)) {
        apic_init_reset(apic);
    }
    apic_place_page(apic);
    apic_update(apic);
    return true;
}

bool apic_read_msr(Device *dev, uint32_t msr, uint64_t *value)
{
    Apic *apic = APIC(dev);

    if (msr == MSR_APIC_BASE) {
        *value = apic->base;
        return true;
    }
    if (msr == MSR_APIC_TSC_DEADLINE && apic->cpu.ops && apic->cpu.ops->tsc_time_ns) {
        *value = apic_timer_deadline(apic);
        return true;
    }
    return msr >= MSR_APIC_X2APIC_FIRST && msr <= MSR_APIC_X2APIC_LAST &&
           read_x2(apic, msr, value);
}

bool apic_write_msr(Device *dev, uint32_t msr, uint64_t value)
{
    Apic *apic = APIC(dev);

    if (msr == MSR_APIC_BASE) {
        return write_base(apic, value);
    }
    if (msr == MSR_APIC_TSC_DEADLINE && apic->cpu.ops && apic->cpu.ops->tsc_time_ns) {
        apic_timer_set_deadline(apic, value);
        return true;
    }
    return msr >= MSR_APIC_X2APIC_FIRST && msr <= MSR_APIC_X2APIC_LAST &&
           write_x2(apic, msr, value);
}
