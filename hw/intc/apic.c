/*
 * apic: a CPU's local APIC, xAPIC and x2APIC. Intel SDM volume 3, "Advanced Programmable Interrupt
 * Controller". Left out: the CMCI entry, suppression of EOI broadcasts and focus processors, none
 * of which the version register announces.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/intc/apic_state.h"
#include "system/address_space.h"
#include "util/log.h"

/* What entries of the local vector table take. */
#define LVT_ERROR (0xff | APIC_LVT_MASKED)
#define LVT_TIMER (LVT_ERROR | BIT(17) | BIT(18))        /* and the mode */
#define LVT_LOCAL (LVT_ERROR | 0x700)                    /* and how it is delivered */
#define LVT_PIN   (LVT_LOCAL | BIT(13) | APIC_LVT_LEVEL) /* and polarity and trigger */

/* Over the window that all CPUs share. */
#define PAGE_PRIORITY 4097

/* --- registers with a mind of their own --- */

static uint64_t read_id(Device *dev, unsigned n)
{
    return apic_is_x2(APIC(dev)) ? APIC(dev)->initial_id : APIC(dev)->id;
}

static uint64_t read_version(Device *dev, unsigned n)
{
    return APIC(dev)->version | (APIC_LVT_COUNT - 1) << 16;
}

static uint64_t read_priority(Device *dev, unsigned n)
{
    return apic_processor_priority(APIC(dev));
}

static uint64_t read_ldr(Device *dev, unsigned n)
{
    uint32_t id = APIC(dev)->initial_id;

    return apic_is_x2(APIC(dev)) ? (id >> 4) << 16 | BIT(id & 15) : APIC(dev)->ldr;
}

static void priority_written(Device *dev)
{
    apic_update(APIC(dev));
}

static void write_eoi(Device *dev, unsigned n, uint64_t value)
{
    apic_end_of_interrupt(APIC(dev));
}

/* Bits without a meaning read as ones. */
static void dfr_written(Device *dev)
{
    APIC(dev)->dfr |= 0x0fffffff;
}

static void svr_written(Device *dev)
{
    for (unsigned n = 0; !apic_is_software_enabled(APIC(dev)) && n < APIC_LVT_COUNT; n++) {
        APIC(dev)->lvt[n] |= APIC_LVT_MASKED;
    }
    apic_update(APIC(dev));
}

static void write_esr(Device *dev, unsigned n, uint64_t value)
{
    APIC(dev)->esr = APIC(dev)->esr_pending;
    APIC(dev)->esr_pending = 0;
}

static void icr_low_written(Device *dev)
{
    apic_send_ipi(APIC(dev), APIC(dev)->icr[0], APIC(dev)->icr[1] >> 24);
}

static void write_self_ipi(Device *dev, unsigned n, uint64_t value)
{
    apic_error(APIC(dev), APIC_ESR_REGISTER); /* x2APIC mode only, see apic_msr.c */
}

/* `value` has bits that can be written only. */
static void write_lvt(Apic *apic, unsigned n, uint32_t value)
{
    uint32_t old = apic->lvt[n], is_masked = apic_is_software_enabled(apic) ? 0 : APIC_LVT_MASKED;

    apic->lvt[n] = (old & APIC_LVT_REMOTE_IRR) | value | is_masked;
    if (!(apic->lvt[n] & APIC_LVT_LEVEL)) {
        apic->lvt[n] &= ~APIC_LVT_REMOTE_IRR;
    }
    if (n == APIC_LVT_TIMER) {
        apic_timer_mode_written(apic, old);
    }
    if ((n == APIC_LVT_LINT0 || n == APIC_LVT_LINT1) && apic->lint_level[n - APIC_LVT_LINT0]) {
        apic_lint_set(apic, n - APIC_LVT_LINT0, 1);
    }
    apic_update(apic);
}

#define LVT_WRITER(name, n, mask)                                                                  \
    static void write_lvt_##name(Device *dev, unsigned at, uint64_t value)                         \
    {                                                                                              \
        write_lvt(APIC(dev), n, value & (mask));                                                   \
    }
LVT_WRITER(timer, APIC_LVT_TIMER, LVT_TIMER)
LVT_WRITER(thermal, APIC_LVT_THERMAL, LVT_LOCAL)
LVT_WRITER(counters, APIC_LVT_COUNTERS, LVT_LOCAL)
LVT_WRITER(lint0, APIC_LVT_LINT0, LVT_PIN)
LVT_WRITER(lint1, APIC_LVT_LINT1, LVT_PIN)
LVT_WRITER(error, APIC_LVT_ERROR, LVT_ERROR)

/* x2APIC mode refuses bits outside .writable; the page ignores them. */
#define REG_LVT(at, text, name, n, mask)                                                           \
    REG(at, text, Apic, lvt[n], .reset = APIC_LVT_MASKED, .write = write_lvt_##name,               \
        .writable = (mask))

static const RegDef apic_regs[] = {
    REG(APIC_ID, "ID", Apic, id, .keeps_on_reset = true, .writable = 0xff000000, .read = read_id),
    REG_COMPUTED(0x030, "VERSION", .read = read_version),
    REG(0x080, "TPR", Apic, tpr, .writable = 0xff, .written = priority_written),
    REG_COMPUTED(0x090, "APR", .read = read_priority),
    REG_COMPUTED(0x0a0, "PPR", .read = read_priority),
    REG_COMPUTED(APIC_EOI, "EOI", .write = write_eoi),
    REG(APIC_LDR, "LDR", Apic, ldr, .writable = 0xff000000, .read = read_ldr),
    REG(APIC_DFR, "DFR", Apic, dfr, .reset = UINT32_MAX, .writable = 0xf0000000,
        .written = dfr_written),
    REG(0x0f0, "SVR", Apic, svr, .reset = 0xff, .writable = 0x1ff, .written = svr_written),
    REG_BANK(0x100, "ISR", Apic, isr, 8, .stride = 16),
    REG_BANK(0x180, "TMR", Apic, tmr, 8, .stride = 16),
    REG_BANK(0x200, "IRR", Apic, irr, 8, .stride = 16),
    REG(APIC_ESR, "ESR", Apic, esr, .write = write_esr),
    REG(APIC_ICR_LOW, "ICR_LOW", Apic, icr[0], .writable = 0x000ccfff,
        .written = icr_low_written),
    REG(APIC_ICR_HIGH, "ICR_HIGH", Apic, icr[1], .writable = 0xff000000),
    REG_LVT(0x320, "LVT_TIMER", timer, APIC_LVT_TIMER, LVT_TIMER),
    REG_LVT(0x330, "LVT_THERMAL", thermal, APIC_LVT_THERMAL, LVT_LOCAL),
    REG_LVT(0x340, "LVT_COUNTERS", counters, APIC_LVT_COUNTERS, LVT_LOCAL),
    REG_LVT(0x350, "LVT_LINT0", lint0, APIC_LVT_LINT0, LVT_PIN),
    REG_LVT(0x360, "LVT_LINT1", lint1, APIC_LVT_LINT1, LVT_PIN),
    REG_LVT(0x370, "LVT_ERROR", error, APIC_LVT_ERROR, LVT_ERROR),
    REG(0x380, "INITIAL_COUNT", Apic, initial_count, .writable = UINT32_MAX,
        .written = apic_timer_start),
    REG_COMPUTED(0x390, "CURRENT_COUNT", .read = apic_timer_count),
    REG(0x3e0, "DIVIDE", Apic, divide, .writable = 0xb, .written = apic_timer_divide_written),
    REG_COMPUTED(APIC_SELF_IPI, "SELF_IPI", .writable = 0xff, .write = write_self_ipi),
};
const RegisterMap apic_registers = REG_MAP(apic_regs, .size = APIC_PAGE_BYTES, .width = 4,
                                           .endian = ENDIAN_LITTLE);

/* --- access --- */

void apic_error(Apic *apic, uint32_t bits)
{
    bool is_new = bits & ~apic->esr_pending;

    apic->esr_pending |= bits;
    if (is_new && (apic->lvt[APIC_LVT_ERROR] & 0xff) >= 16) {
        apic_fire_lvt(apic, APIC_LVT_ERROR);
    }
}

static bool has_register(uint32_t offset)
{
    unsigned n;

    return register_find(&apic_registers, offset, &n);
}

uint32_t apic_read(Device *dev, uint32_t offset)
{
    if (!has_register(offset)) {
        apic_error(APIC(dev), APIC_ESR_REGISTER);
        return 0;
    }
    return register_read(dev, &apic_registers, offset);
}

void apic_write(Device *dev, uint32_t offset, uint32_t value)
{
    if (!has_register(offset)) {
        apic_error(APIC(dev), APIC_ESR_REGISTER);
        return;
    }
    register_write(dev, &apic_registers, offset, value);
}

static bool is_page_open(const Apic *apic)
{
    return apic_is_on(apic) && !apic_is_x2(apic);
}

static uint32_t page_read(Device *dev, uint32_t offset)
{
    return is_page_open(APIC(dev)) ? apic_read(dev, offset) : UINT32_MAX;
}

static void page_write(Device *dev, uint32_t offset, uint32_t value)
{
    if (is_page_open(APIC(dev))) {
        apic_write(dev, offset, value);
    }
}

static uint64_t region_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return bytes == 4 ? page_read(opaque, offset) : 0;
}

static void region_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    if (bytes == 4) {
        page_write(opaque, offset, value);
    } else {
        guest_error("apic: write of %u bytes", bytes);
    }
}

static const MemoryOps page_ops = {
    .read = region_read,
    .write = region_write,
    .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 },
    .impl = { 1, 4 },
};

void apic_place_page(Apic *apic)
{
    bool is_wanted = is_page_open(apic) && apic->parent.is_realized;

    if (!apic->cpu.memory) {
        return;
    }
    if (apic->is_page_added) {
        memory_region_remove(apic->cpu.memory, &apic->page);
    }
    if (is_wanted) {
        memory_region_add_overlap(apic->cpu.memory, apic->base & ~(APIC_PAGE_BYTES - 1),
                                  &apic->page, PAGE_PRIORITY);
    }
    apic->is_page_added = is_wanted;
}

/* --- the CPU's side --- */

static void apic_attach(Device *dev, const ApicCpu *cpu)
{
    APIC(dev)->cpu = *cpu;
}

static struct Vcpu *apic_vcpu(Device *dev)
{
    return APIC(dev)->cpu.vcpu;
}

static uint8_t apic_task_priority(Device *dev)
{
    return APIC(dev)->tpr;
}

static void apic_set_task_priority(Device *dev, uint8_t value)
{
    APIC(dev)->tpr = value;
    apic_update(APIC(dev));
}

static const LocalApic apic_interface = {
    .attach = apic_attach,
    .acknowledge = apic_acknowledge,
    .task_priority = apic_task_priority,
    .set_task_priority = apic_set_task_priority,
    .read_msr = apic_read_msr,
    .write_msr = apic_write_msr,
    .vcpu = apic_vcpu,
    .matches = apic_matches,
    .arbitrates = apic_arbitrates,
    .deliver = apic_deliver,
    .read = page_read,
    .write = page_write,
    .print = apic_print,
};

/* --- life --- */

void apic_init_reset(Apic *apic)
{
    register_reset(&apic->parent, &apic_registers);
    timer_cancel(&apic->timer);
    apic->esr_pending = 0;
    apic->tsc_deadline = 0;
    apic->count_start_ns = 0;
    apic->is_init = false;
    apic->is_extint_pending = false;
    apic_update(apic);
}

static void apic_reset_enter(Device *dev)
{
    Apic *apic = APIC(dev);

    apic_init_reset(apic);
    memset(apic->lint_level, 0, sizeof(apic->lint_level));
    apic->id = apic->initial_id << 24;
    apic->base = APIC_WINDOW_ADDR | APIC_BASE_ENABLED | (apic->cpu.is_bsp ? APIC_BASE_BSP : 0);
    apic->is_init = !apic->cpu.is_bsp;
    if (apic->cpu.is_bsp) {
        /* Virtual wire mode, as firmware sets it up: code that knows no APIC uses the 8259s. */
        apic->lvt[APIC_LVT_LINT0] = APIC_EXTINT << 8;
    }
    apic_place_page(apic);
}

static void apic_reset_exit(Device *dev)
{
    apic_update(APIC(dev));
}

static bool apic_realize(Device *dev, Error **errp)
{
    Apic *apic = APIC(dev);

    memory_region_init_io(&apic->page, &dev->parent, &page_ops, "apic", APIC_PAGE_BYTES);
    apic->base = APIC_WINDOW_ADDR | APIC_BASE_ENABLED | (apic->cpu.is_bsp ? APIC_BASE_BSP : 0);
    apic->id = apic->initial_id << 24;
    apic->is_init = !apic->cpu.is_bsp;
    apic_bus_join(dev);
    return true;
}

static void apic_unrealize(Device *dev)
{
    Apic *apic = APIC(dev);

    apic_bus_leave(dev);
    if (apic->is_page_added) {
        memory_region_remove(apic->cpu.memory, &apic->page);
        apic->is_page_added = false;
    }
    memory_region_clear(&apic->page);
}

static bool apic_post_load(void *opaque, int version, Error **errp)
{
    Apic *apic = APIC(opaque);

    if ((apic->base & APIC_BASE_X2APIC) && !(apic->base & APIC_BASE_ENABLED)) {
        return error_set(errp, "apic: x2APIC mode of an APIC that is off");
    }
    apic_place_page(apic);
    apic_update(apic);
    return true;
}

static const Property apic_props[] = {
    PROP_U32("id", Apic, initial_id, .has_no_default = true, .doc = "Initial APIC id"),
    PROP_U8("version", Apic, version, .initial = 0x14, .doc = "As the version register has it"),
    PROP_BOOL("vapic", Apic, has_tpr_reports, .initial = true,
              .doc = "Reports of TPR accesses to option ROMs; nothing asks for them here"),
};
static const VMField apic_fields[] = {
    VM_REGISTERS,
    VM_U64(Apic, base),
    VM_U32(Apic, esr_pending),
    VM_I64(Apic, count_start_ns),
    VM_U64(Apic, tsc_deadline),
    VM_BOOL(Apic, is_init),
    VM_BOOL(Apic, is_extint_pending),
    VM_ARRAY(Apic, lint_level),
    VM_TIMER(Apic, timer),
};
static const InterfaceImpl apic_interfaces[] = { { TYPE_LOCAL_APIC, &apic_interface }, { NULL } };

static const DeviceType apic_type = {
    .name = "apic",
    .doc = "Local APIC",
    .parent = TYPE_DEVICE,
    .size = sizeof(Apic),
    .access = DEVICE_ACCESS_BOARD,
    .interfaces = apic_interfaces,
    .registers = REG_MAP(apic_regs, .size = APIC_PAGE_BYTES, .width = 4),
    .irqs = IRQ_IN(apic_lint_set, 2),
    .timers = TIMER_ON(CLOCK_VIRTUAL, Apic, timer, apic_timer_expired),
    .properties = PROPERTIES(apic_props),
    .vmstate = VMSTATE(apic_fields, .version = 1, .post_load = apic_post_load),
    .realize = apic_realize,
    .unrealize = apic_unrealize,
    .reset_enter = apic_reset_enter,
    .reset_exit = apic_reset_exit,
};
DEVICE_TYPE(apic_type)
