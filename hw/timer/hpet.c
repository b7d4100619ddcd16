/*
 * hpet: up to 32 comparators on one 100 MHz counter. IA-PC HPET specification 1.0a. A comparator
 * that the counter has passed waits for it to wrap, as there; a period under 10 us keeps its
 * comparator exact and fires less often.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/mmio_device.h"
#include "system/address_space.h"
#include "trace.h"

#define MIN_TIMERS 3
#define MAX_TIMERS 32
#define LINES      32

#define TICK_NS       10
#define MIN_PERIOD_NS (10 * NS_PER_US)

#define CONFIG_ENABLED BIT64(0)
#define CONFIG_LEGACY  BIT64(1)

/* Capabilities of the block: vendor, legacy replacement, 64-bit counter, revision. */
#define BLOCK_FEATURES UINT64_C(0x8086a001)
#define FS_PER_TICK    (UINT64_C(1000000) * TICK_NS)

#define TIMER_LEVEL      BIT64(1)
#define TIMER_ENABLED    BIT64(2)
#define TIMER_PERIODIC   BIT64(3)
#define TIMER_CAN_REPEAT BIT64(4)
#define TIMER_IS_64      BIT64(5)
#define TIMER_SET_VALUE  BIT64(6)
#define TIMER_MODE_32    BIT64(8)
#define TIMER_ROUTE(config) ((config) >> 9 & 31)
#define TIMER_FSB        BIT64(14)
#define TIMER_CAN_FSB    BIT64(15)
#define TIMER_WRITABLE   UINT64_C(0x7f4e)

/* What legacy replacement takes over: lines of the 8254 and the MC146818. */
enum { LEGACY_PIT, LEGACY_RTC, LEGACY_COUNT };
#define PIT_LINE 0
#define RTC_LINE 8

typedef struct HpetTimer {
    struct Hpet *hpet;
    Timer timer;
    unsigned index;
    uint64_t config, comparator, fsb;
    uint64_t period; /* what was last written to the comparator for repetition */
} HpetTimer;

typedef struct Hpet {
    MmioDevice parent;
    MemoryRegion region;
    IrqLine lines[LINES];
    IrqLine pit_enabled; /* up while the 8254 drives its own line */
    uint8_t timer_count; /* properties */
    bool has_msi, saves_offset;
    uint32_t line_mask;
    uint64_t config, status;
    uint64_t counter;  /* while it stands */
    int64_t offset_ns; /* virtual time at which the running counter was 0 */
    uint8_t legacy_level[LEGACY_COUNT];
    HpetTimer timers[MAX_TIMERS];
} Hpet;
DECLARE_CAST(Hpet, HPET)

static bool is_running(const Hpet *hpet)
{
    return hpet->config & CONFIG_ENABLED;
}

static bool is_legacy(const Hpet *hpet)
{
    return hpet->config & CONFIG_LEGACY;
}

static uint64_t counter(const Hpet *hpet)
{
    return is_running(hpet) ?
           (uint64_t)(clock_now_ns(CLOCK_VIRTUAL) - hpet->offset_ns) / TICK_NS : hpet->counter;
}

/* --- interrupts --- */

static unsigned line_of(const HpetTimer *t)
{
    if (is_legacy(t->hpet) && t->index < LEGACY_COUNT) {
        return t->index == LEGACY_PIT ? PIT_LINE : RTC_LINE;
    }
    return TIMER_ROUTE(t->config);
}

/* A level stays up until its status bit is cleared. */
static void update_level(HpetTimer *t)
{
    bool is_up = t->hpet->status & BIT64(t->index);

    irq_set(&t->hpet->lines[line_of(t)], is_up && (t->config & TIMER_ENABLED));
}

static void fire(HpetTimer *t)
{
    if (t->config & TIMER_LEVEL) {
        t->hpet->status |= BIT64(t->index);
    }
    if (!(t->config & TIMER_ENABLED)) {
        return;
    }
    if (t->config & TIMER_FSB) {
        address_space_store(address_space_system(), t->fsb >> 32, MEM_LE32, MEM_TX_NONE,
                            (uint32_t)t->fsb);
    } else if (t->config & TIMER_LEVEL) {
        update_level(t);
    } else {
        irq_pulse(&t->hpet->lines[line_of(t)]);
    }
}

static void clear_status(HpetTimer *t)
{
    if (t->hpet->status & BIT64(t->index)) {
        t->hpet->status &= ~BIT64(t->index);
        update_level(t);
    }
}

static bool is_32(const HpetTimer *t)
{
    return t->config & TIMER_MODE_32;
}

/* Counts until the comparator matches; `is_past`: the match now is over. */
static uint64_t ticks_left(const HpetTimer *t, bool is_past)
{
    uint64_t left = t->comparator - counter(t->hpet);

    if (is_32(t)) {
        left = (uint32_t)left;
        return left || !is_past ? left : BIT64(32);
    }
    return left || !is_past ? left : UINT64_MAX;
}

static void arm(HpetTimer *t, bool is_past)
{
    uint64_t left = ticks_left(t, is_past);

    timer_cancel(&t->timer);
    if (is_running(t->hpet) && left < INT64_MAX / TICK_NS) {
        timer_arm_after_ns(&t->timer, is_past ? MAX((int64_t)left * TICK_NS, MIN_PERIOD_NS) :
                                                (int64_t)left * TICK_NS);
    }
}

/* Moves a repeating comparator past the counter. */
static void advance(HpetTimer *t)
{
    uint64_t now = counter(t->hpet), passed;

    if (is_32(t)) {
        passed = (uint32_t)((uint32_t)now - (uint32_t)t->comparator);
        t->comparator = (uint32_t)(t->comparator + (passed / t->period + 1) * t->period);
    } else {
        passed = now - t->comparator;
        t->comparator += (passed / t->period + 1) * t->period;
    }
}

static void timer_expired(void *opaque)
{
    HpetTimer *t = opaque;

    trace_hpet_fire(t->index);
    if ((t->config & TIMER_PERIODIC) && t->period) {
        advance(t);
    }
    arm(t, true);
    fire(t);
}

/* The 8254 and the RTC drive lines 0 and 8 unless timers 0 and 1 do. */
static void legacy_line(void *opaque, unsigned n, int level)
{
    Hpet *hpet = HPET(opaque);

    hpet->legacy_level[n] = level != 0;
    if (!is_legacy(hpet)) {
        irq_set(&hpet->lines[n == LEGACY_PIT ? PIT_LINE : RTC_LINE], level);
    }
}

/* --- registers of the block --- */

static uint64_t read_features(Device *dev, unsigned n)
{
    return BLOCK_FEATURES | (HPET(dev)->timer_count - 1) << 8 | FS_PER_TICK << 32;
}

static void each_timer(Hpet *hpet, void (*fn)(HpetTimer *t))
{
    for (unsigned i = 0; i < hpet->timer_count; i++) {
        fn(&hpet->timers[i]);
    }
}

static void start_timer(HpetTimer *t)
{
    arm(t, false);
}

static void stop_timer(HpetTimer *t)
{
    timer_cancel(&t->timer);
}

static void legacy_changed(Hpet *hpet)
{
    irq_set(&hpet->pit_enabled, !is_legacy(hpet));
    irq_set(&hpet->lines[PIT_LINE], !is_legacy(hpet) && hpet->legacy_level[LEGACY_PIT]);
    irq_set(&hpet->lines[RTC_LINE], !is_legacy(hpet) && hpet->legacy_level[LEGACY_RTC]);
}

static void write_config(Device *dev, unsigned n, uint64_t value)
{
    Hpet *hpet = HPET(dev);
    uint64_t stopped_at = counter(hpet), old = hpet->config;

    hpet->config = value & (CONFIG_ENABLED | CONFIG_LEGACY);
    if ((old ^ hpet->config) & CONFIG_ENABLED) {
        if (is_running(hpet)) {
            hpet->offset_ns = clock_now_ns(CLOCK_VIRTUAL) - (int64_t)hpet->counter * TICK_NS;
            each_timer(hpet, start_timer);
        } else {
            hpet->counter = stopped_at;
            each_timer(hpet, stop_timer);
        }
    }
    if ((old ^ hpet->config) & CONFIG_LEGACY) {
        legacy_changed(hpet);
    }
}

static void write_status(Device *dev, unsigned n, uint64_t value)
{
    for (unsigned i = 0; i < HPET(dev)->timer_count; i++) {
        if (value & BIT64(i)) {
            clear_status(&HPET(dev)->timers[i]);
        }
    }
}

static uint64_t read_counter(Device *dev, unsigned n)
{
    return counter(HPET(dev));
}

static void write_counter(Device *dev, unsigned n, uint64_t value)
{
    Hpet *hpet = HPET(dev);

    hpet->counter = value;
    if (is_running(hpet)) {
        hpet->offset_ns = clock_now_ns(CLOCK_VIRTUAL) - (int64_t)value * TICK_NS;
        each_timer(hpet, start_timer);
    }
}

/* --- registers of a timer --- */

static HpetTimer *timer_at(Device *dev, unsigned n)
{
    return n < HPET(dev)->timer_count ? &HPET(dev)->timers[n] : NULL;
}

static uint64_t read_timer_config(Device *dev, unsigned n)
{
    return timer_at(dev, n) ? timer_at(dev, n)->config : 0;
}

static void write_timer_config(Device *dev, unsigned n, uint64_t value)
{
    HpetTimer *t = timer_at(dev, n);
    uint64_t writable = TIMER_WRITABLE;

    if (!t) {
        return;
    }
    if (!(t->config & TIMER_CAN_FSB)) {
        writable &= ~TIMER_FSB;
    }
    if (t->hpet->status & BIT64(n)) {
        irq_lower(&t->hpet->lines[line_of(t)]); /* the route it had */
    }
    t->config = (t->config & ~writable) | (value & writable);
    if (!(t->config & TIMER_LEVEL)) {
        t->hpet->status &= ~BIT64(n);
    } else if (t->hpet->status & BIT64(n)) {
        update_level(t);
    }
    if (is_32(t)) {
        t->comparator = (uint32_t)t->comparator;
        t->period = (uint32_t)t->period;
    }
    arm(t, false);
}

static uint64_t read_comparator(Device *dev, unsigned n)
{
    return timer_at(dev, n) ? timer_at(dev, n)->comparator : 0;
}

/* A repeating timer takes the value as its period too; as the next match if that was asked for. */
static void write_comparator(Device *dev, unsigned n, uint64_t value)
{
    HpetTimer *t = timer_at(dev, n);

    if (!t) {
        return;
    }
    value = is_32(t) ? (uint32_t)value : value;
    if (!(t->config & TIMER_PERIODIC) || (t->config & TIMER_SET_VALUE)) {
        t->comparator = value;
    }
    if (t->config & TIMER_PERIODIC) {
        t->period = value;
    }
    t->config &= ~TIMER_SET_VALUE;
    arm(t, false);
}

static uint64_t read_fsb(Device *dev, unsigned n)
{
    return timer_at(dev, n) ? timer_at(dev, n)->fsb : 0;
}

static void write_fsb(Device *dev, unsigned n, uint64_t value)
{
    if (timer_at(dev, n)) {
        timer_at(dev, n)->fsb = value;
    }
}

#define PER_TIMER .count = MAX_TIMERS, .stride = 0x20
static const RegDef hpet_regs[] = {
    REG_COMPUTED(0x000, "GCAP_ID", .read = read_features),
    REG(0x010, "GEN_CONF", Hpet, config, .write = write_config),
    REG(0x020, "GINTR_STA", Hpet, status, .write = write_status),
    REG(0x0f0, "MAIN_CNT", Hpet, counter, .read = read_counter, .write = write_counter),
    REG_COMPUTED(0x100, "TIM_CONF", PER_TIMER, .read = read_timer_config,
                 .write = write_timer_config),
    REG_COMPUTED(0x108, "TIM_COMP", PER_TIMER, .read = read_comparator,
                 .write = write_comparator),
    REG_COMPUTED(0x110, "TIM_FSB", PER_TIMER, .read = read_fsb, .write = write_fsb),
};
#define STATUS_AT 0x020
static const RegisterMap hpet_map = REG_MAP(hpet_regs, .size = 0x400, .width = 8);

/* --- access: 64 bits, or either half --- */

static uint64_t hpet_read(void *opaque, uint64_t at, unsigned bytes)
{
    uint64_t value = register_read(opaque, &hpet_map, at & ~UINT64_C(7));

    return bytes == 8 ? value : (uint32_t)(value >> (at & 4) * 8);
}

/* Half a write leaves the other half alone. */
static void hpet_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    uint64_t whole = at & ~UINT64_C(7), mask = UINT64_C(0xffffffff) << (at & 4) * 8, old = 0;

    if (bytes == 4) {
        if (whole != STATUS_AT) {
            old = register_read(opaque, &hpet_map, whole);
        }
        value = (old & ~mask) | (value << (at & 4) * 8 & mask);
    }
    register_write(opaque, &hpet_map, whole, value);
}

static const MemoryOps hpet_ops = {
    .read = hpet_read,
    .write = hpet_write,
    .endian = ENDIAN_LITTLE,
    .valid = { 4, 8 },
    .impl = { 4, 8 },
};

/* --- life --- */

static void reset_timer(HpetTimer *t)
{
    timer_cancel(&t->timer);
    t->config = TIMER_CAN_REPEAT | TIMER_IS_64 | (uint64_t)t->hpet->line_mask << 32 |
                (t->hpet->has_msi ? TIMER_CAN_FSB : 0);
    t->comparator = UINT64_MAX;
    t->fsb = 0;
    t->period = 0;
}

static void hpet_reset_enter(Device *dev)
{
    Hpet *hpet = HPET(dev);

    hpet->config = 0;
    hpet->status = 0;
    hpet->counter = 0;
    hpet->offset_ns = 0;
    memset(hpet->legacy_level, 0, sizeof(hpet->legacy_level));
    each_timer(hpet, reset_timer);
}

static void hpet_reset_exit(Device *dev)
{
    for (unsigned i = 0; i < LINES; i++) {
        irq_lower(&HPET(dev)->lines[i]);
    }
    irq_raise(&HPET(dev)->pit_enabled);
}

static void hpet_init(Object *obj)
{
    Hpet *hpet = HPET(obj);

    for (unsigned i = 0; i < MAX_TIMERS; i++) {
        hpet->timers[i].hpet = hpet;
        hpet->timers[i].index = i;
        timer_init(&hpet->timers[i].timer, CLOCK_VIRTUAL, timer_expired, &hpet->timers[i]);
    }
    memory_region_init_io(&hpet->region, obj, &hpet_ops, "hpet", hpet_map.size);
    mmio_device_add_region(&hpet->parent, &hpet->region);
}

static void hpet_finalize(Object *obj)
{
    for (unsigned i = 0; i < MAX_TIMERS; i++) {
        timer_clear(&HPET(obj)->timers[i].timer);
    }
    memory_region_clear(&HPET(obj)->region);
}

static bool hpet_realize(Device *dev, Error **errp)
{
    Hpet *hpet = HPET(dev);

    hpet->timer_count = CLAMP(hpet->timer_count, MIN_TIMERS, MAX_TIMERS);
    hpet_reset_enter(dev);
    return true;
}

static void hpet_unrealize(Device *dev)
{
    each_timer(HPET(dev), stop_timer);
}

static bool hpet_pre_save(void *opaque, Error **errp)
{
    HPET(opaque)->counter = counter(opaque);
    return true;
}

static bool hpet_pre_load(void *opaque, Error **errp)
{
    HPET(opaque)->offset_ns = INT64_MIN;
    return true;
}

static bool hpet_post_load(void *opaque, int version, Error **errp)
{
    Hpet *hpet = opaque;

    if (hpet->offset_ns == INT64_MIN) { /* the stream has the counter only */
        hpet->offset_ns = is_running(hpet) ? clock_now_ns(CLOCK_VIRTUAL) -
                                             (int64_t)hpet->counter * TICK_NS : 0;
    }
    return true;
}

static bool hpet_saves_offset(void *opaque)
{
    return HPET(opaque)->saves_offset;
}

static const VMField offset_fields[] = { VM_I64(Hpet, offset_ns) };
static const VMState offset_state = VMSTATE_INIT(offset_fields, .name = "offset", .version = 1,
                                                 .needed = hpet_saves_offset);
static const VMField timer_fields[] = {
    VM_U64(HpetTimer, config), VM_U64(HpetTimer, comparator), VM_U64(HpetTimer, fsb),
    VM_U64(HpetTimer, period), VM_TIMER(HpetTimer, timer),
};
static const VMState timer_state = VMSTATE_INIT(timer_fields, .name = "timer", .version = 1);
static const VMField hpet_fields[] = {
    VM_U64(Hpet, config), VM_U64(Hpet, status), VM_U64(Hpet, counter),
    VM_ARRAY(Hpet, legacy_level), VM_EQUAL(Hpet, timer_count),
    VM_STRUCT_PART(Hpet, timers, timer_count, timer_state),
};

static const Property hpet_props[] = {
    PROP_U8("timers", Hpet, timer_count, .initial = MIN_TIMERS, .doc = "3 to 32; others are cut"),
    PROP_BOOL("msi", Hpet, has_msi, .doc = "Timers can send messages"),
    PROP_U32("hpet-intcap", Hpet, line_mask, .doc = "Lines that timers can be routed to"),
    PROP_BOOL("hpet-offset-saved", Hpet, saves_offset, .initial = true,
              .doc = "Keep the exact counter over migration"),
};
static const IrqDef hpet_irqs[] = {
    IRQ_ROW_OUT(NULL, Hpet, pit_enabled),
    IRQ_ROW_OUT("sysbus-irq", Hpet, lines, .count = LINES),
    IRQ_ROW_IN(NULL, legacy_line, LEGACY_COUNT),
};

static const DeviceType hpet_type = {
    .name = "hpet",
    .doc = "High precision event timers",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(Hpet),
    .init = hpet_init,
    .finalize = hpet_finalize,
    .irqs = IRQS(hpet_irqs),
    .properties = PROPERTIES(hpet_props),
    .vmstate = VMSTATE(hpet_fields, .version = 1, .pre_save = hpet_pre_save,
                       .pre_load = hpet_pre_load, .post_load = hpet_post_load,
                       .subsections = VM_SUBSECTIONS(&offset_state)),
    .realize = hpet_realize,
    .unrealize = hpet_unrealize,
    .reset_enter = hpet_reset_enter,
    .reset_exit = hpet_reset_exit,
};
DEVICE_TYPE(hpet_type)
