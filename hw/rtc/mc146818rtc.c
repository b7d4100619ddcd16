/*
 * mc146818rtc: the PC's real-time clock with 128 bytes of CMOS RAM, per the MC146818A data sheet;
 * the century is kept where ACPI's FADT says, in byte 0x32. It follows -rtc's clock. Flags of
 * register C are found out when somebody looks; a timer runs only for an interrupt that is enabled.
 * Daylight saving and the square-wave pin are not there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/rtc/mc146818rtc.h"

#include <time.h>

#include "qapi/qapi-events-misc.h"
#include "qapi/qapi-types-machine.h"
#include "system/rtc.h"
#include "system/run_state.h"

enum {
    RTC_SECONDS = 0x00, RTC_SECONDS_ALARM, RTC_MINUTES, RTC_MINUTES_ALARM, RTC_HOURS,
    RTC_HOURS_ALARM, RTC_DAY_OF_WEEK, RTC_DAY_OF_MONTH, RTC_MONTH, RTC_YEAR,
    RTC_REG_A, RTC_REG_B, RTC_REG_C, RTC_REG_D, RTC_SHUTDOWN = 0x0f,
    RTC_CENTURY = 0x32,
};

/* What firmware finds at RTC_SHUTDOWN. */
#define SHUTDOWN_SLEEP 0xfe
#define REG_A_UIP     BIT(7)
#define REG_A_DIVIDER 0x70
#define REG_A_RATE    0x0f
#define DIVIDER_RESET 0x60 /* 11x */
#define REG_B_SET     BIT(7)
#define REG_B_PIE     BIT(6)
#define REG_B_AIE     BIT(5)
#define REG_B_UIE     BIT(4)
#define REG_B_SQWE    BIT(3)
#define REG_B_DM      BIT(2)
#define REG_B_24H     BIT(1)
#define REG_C_IRQF    BIT(7)
#define REG_C_PF      BIT(6)
#define REG_C_AF      BIT(5)
#define REG_C_UF      BIT(4)
#define REG_C_FLAGS   (REG_C_PF | REG_C_AF | REG_C_UF)
#define REG_D_VRT     BIT(7)

#define ALARM_ANY     0xc0 /* and above: matches any value */
#define UIP_NS        (8 * NS_PER_SEC / 32768)
#define RTC_HZ        32768
#define MAX_PERIOD    16384 /* in ticks; all others divide it */
#define DAY_SECONDS   86400
#define MAX_LOST      0x10000

typedef struct Rtc {
    IsaDevice parent;
    IrqLine irq;
    Timer timer; /* on rtc_clock() */
    Notifier jump, suspend;
    int32_t base_year;
    uint16_t iobase;
    uint8_t irq_number;
    int lost_tick_policy;
    uint8_t index;
    uint8_t cmos[RTC_CMOS_BYTES];
    /* The guest's time is base_seconds at base_ns of rtc_clock(). */
    int64_t base_seconds, base_ns;
    int64_t age_ns;       /* saved: since base_ns */
    uint32_t phase;       /* when periods begin, in ticks of 32768 Hz since base_ns */
    /* Up to where flags are known. */
    int64_t seen_seconds, seen_ns;
    uint32_t lost_ticks;  /* periodic interrupts the guest has not had */
} Rtc;
DECLARE_CAST(Rtc, RTC)

static int64_t now_ns(void)
{
    return clock_now_ns(rtc_clock());
}

/* --- time and its registers --- */

static bool is_stopped(const Rtc *s)
{
    return s->cmos[RTC_REG_B] & REG_B_SET ||
           (s->cmos[RTC_REG_A] & DIVIDER_RESET) == DIVIDER_RESET;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t guest_seconds(const Rtc *s)
{
    return s->base_seconds + floor_div(now_ns() - s->base_ns, NS_PER_SEC);
}

/* When the guest's clock shows `seconds`. */
static int64_t time_of_second(const Rtc *s, int64_t seconds)
{
    return s->base_ns + (seconds - s->base_seconds) * NS_PER_SEC;
}

static uint8_t encode(const Rtc *s, unsigned value)
{
    return s->cmos[RTC_REG_B] & REG_B_DM ? value : value / 10 << 4 | value % 10;
}

static unsigned decode(const Rtc *s, uint8_t value)
{
    return s->cmos[RTC_REG_B] & REG_B_DM ? value : (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const Rtc *s, unsigned hour)
{
    if (s->cmos[RTC_REG_B] & REG_B_24H) {
        return encode(s, hour);
    }
    return encode(s, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? BIT(7) : 0);
}

static unsigned decode_hour(const Rtc *s, uint8_t value)
{
    if (s->cmos[RTC_REG_B] & REG_B_24H) {
        return decode(s, value);
    }
    return decode(s, value & 0x7f) % 12 + (value & BIT(7) ? 12 : 0);
}

/* Years count from here; with 2000 the century byte is true. */
static int year_origin(const Rtc *s)
{
    return s->base_year == 2000 ? 0 : s->base_year;
}

static void show_time(Rtc *s)
{
    time_t seconds = guest_seconds(s);
    struct tm tm;
    unsigned year;

    if (is_stopped(s) || !gmtime_r(&seconds, &tm)) {
        return;
    }
    year = MAX(tm.tm_year + 1900 - year_origin(s), 0);
    s->cmos[RTC_SECONDS] = encode(s, tm.tm_sec);
    s->cmos[RTC_MINUTES] = encode(s, tm.tm_min);
    s->cmos[RTC_HOURS] = encode_hour(s, tm.tm_hour);
    s->cmos[RTC_DAY_OF_WEEK] = encode(s, tm.tm_wday + 1);
    s->cmos[RTC_DAY_OF_MONTH] = encode(s, tm.tm_mday);
    s->cmos[RTC_MONTH] = encode(s, tm.tm_mon + 1);
    s->cmos[RTC_YEAR] = encode(s, year % 100);
    s->cmos[RTC_CENTURY] = encode(s, year / 100);
}

static int64_t shown_seconds(const Rtc *s)
{
    struct tm tm = {
        .tm_sec = decode(s, s->cmos[RTC_SECONDS]),
        .tm_min = decode(s, s->cmos[RTC_MINUTES]),
        .tm_hour = decode_hour(s, s->cmos[RTC_HOURS]),
        .tm_mday = decode(s, s->cmos[RTC_DAY_OF_MONTH]),
        .tm_mon = (int)decode(s, s->cmos[RTC_MONTH]) - 1,
        .tm_year = decode(s, s->cmos[RTC_YEAR]) + 100 * decode(s, s->cmos[RTC_CENTURY]) +
                   year_origin(s) - 1900,
    };

    return timegm(&tm);
}

/* The registers become the time. The divider goes on: the next second begins when it would have. */
static void take_time(Rtc *s)
{
    g_autofree char *path = object_path(s);
    int64_t now = now_ns();
    int64_t seconds = shown_seconds(s);

    s->base_ns = now - (now - s->base_ns - floor_div(now - s->base_ns, NS_PER_SEC) * NS_PER_SEC);
    s->base_seconds = s->seen_seconds = seconds;
    qapi_event_send_rtc_change(seconds - rtc_now_seconds(), path ? path : "");
}

/* --- flags and the interrupt --- */

static bool alarm_field_matches(uint8_t alarm, uint8_t value)
{
    return alarm >= ALARM_ANY || alarm == value;
}

/* The first second after `after` that the alarm rings in; INT64_MAX: never. */
static int64_t next_alarm(const Rtc *s, int64_t after)
{
    int64_t t = after + 1;

    while (t <= after + DAY_SECONDS) {
        unsigned in_day = t - floor_div(t, DAY_SECONDS) * DAY_SECONDS;

        if (!alarm_field_matches(s->cmos[RTC_HOURS_ALARM], encode_hour(s, in_day / 3600))) {
            t += 3600 - in_day % 3600;
        } else if (!alarm_field_matches(s->cmos[RTC_MINUTES_ALARM],
                                        encode(s, in_day / 60 % 60))) {
            t += 60 - in_day % 60;
        } else if (!alarm_field_matches(s->cmos[RTC_SECONDS_ALARM], encode(s, in_day % 60))) {
            t++;
        } else {
            return t;
        }
    }
    return INT64_MAX;
}

/* Of periodic interrupts, in ticks of 32768 Hz; 0: none. */
static unsigned period_ticks(const Rtc *s)
{
    unsigned rate = s->cmos[RTC_REG_A] & REG_A_RATE;

    if (!rate || (s->cmos[RTC_REG_A] & DIVIDER_RESET) == DIVIDER_RESET) {
        return 0;
    }
    return 1u << (rate <= 2 ? rate + 6 : rate - 1);
}

static int64_t ticks_of(const Rtc *s, int64_t ns)
{
    __int128 scaled = (__int128)(ns - s->base_ns) * RTC_HZ;

    return scaled / NS_PER_SEC - (scaled % NS_PER_SEC < 0);
}

/* Whole periods up to then. */
static int64_t periods_at(const Rtc *s, int64_t ns)
{
    return floor_div(ticks_of(s, ns) - s->phase, period_ticks(s));
}

static int64_t time_of_tick(const Rtc *s, int64_t tick)
{
    __int128 scaled = (__int128)tick * NS_PER_SEC;

    return s->base_ns + (int64_t)(scaled / RTC_HZ + (scaled % RTC_HZ > 0));
}

static void count_periods(Rtc *s, int64_t now)
{
    int64_t passed;

    if (period_ticks(s)) {
        passed = periods_at(s, now) - periods_at(s, s->seen_ns);
        if (passed > 0 && s->cmos[RTC_REG_B] & REG_B_PIE) {
            passed -= !(s->cmos[RTC_REG_C] & REG_C_PF);
            s->lost_ticks = MIN(s->lost_ticks + passed, MAX_LOST);
            passed = 1;
        }
        s->cmos[RTC_REG_C] |= passed > 0 ? REG_C_PF : 0;
    }
    s->seen_ns = now;
}

static void count_seconds(Rtc *s)
{
    int64_t seconds = guest_seconds(s);

    if (!is_stopped(s) && seconds > s->seen_seconds) {
        s->cmos[RTC_REG_C] |= REG_C_UF;
        if (next_alarm(s, s->seen_seconds) <= seconds) {
            s->cmos[RTC_REG_C] |= REG_C_AF;
        }
    }
    s->seen_seconds = seconds;
}

static int64_t next_event_ns(const Rtc *s)
{
    uint8_t enabled = s->cmos[RTC_REG_B];
    unsigned period = period_ticks(s);
    int64_t at = INT64_MAX, alarm;

    if (enabled & REG_B_PIE && period) {
        at = time_of_tick(s, s->phase + (periods_at(s, s->seen_ns) + 1) * period);
    }
    if (is_stopped(s)) {
        return at;
    }
    if (enabled & REG_B_UIE) {
        at = MIN(at, time_of_second(s, s->seen_seconds + 1));
    }
    alarm = enabled & REG_B_AIE ? next_alarm(s, s->seen_seconds) : INT64_MAX;
    return alarm == INT64_MAX ? at : MIN(at, time_of_second(s, alarm));
}

static void update_irq(Rtc *s)
{
    uint8_t pending = s->cmos[RTC_REG_B] & s->cmos[RTC_REG_C] & REG_C_FLAGS;

    if (pending & REG_C_AF) {
        vm_request_wakeup(WAKEUP_RTC, NULL);
    }
    s->cmos[RTC_REG_C] &= ~REG_C_IRQF;
    s->cmos[RTC_REG_C] |= pending ? REG_C_IRQF : 0;
    irq_set(&s->irq, pending != 0);
}

static void arm(Rtc *s)
{
    int64_t at = next_event_ns(s);

    if (at == INT64_MAX) {
        timer_cancel(&s->timer);
    } else {
        timer_arm_at_ns(&s->timer, at);
    }
}

/* Before registers are looked at or changed. */
static void catch_up(Rtc *s)
{
    count_periods(s, now_ns());
    count_seconds(s);
}

static void rtc_expired(void *opaque)
{
    catch_up(opaque);
    update_irq(opaque);
    arm(opaque);
}

static void rtc_host_jumped(Notifier *notifier, void *data)
{
    Rtc *s = container_of(notifier, Rtc, jump);

    s->seen_ns = now_ns();
    s->seen_seconds = guest_seconds(s);
    arm(s);
}

/* Firmware sees that it does not start, but wakes. */
static void rtc_suspended(Notifier *notifier, void *data)
{
    container_of(notifier, Rtc, suspend)->cmos[RTC_SHUTDOWN] = SHUTDOWN_SLEEP;
}

/* --- registers --- */

/* Another rate counts from the last period's end: a guest that changes rates loses no time. */
static void keep_phase(Rtc *s)
{
    if (period_ticks(s)) {
        s->phase = (s->phase + periods_at(s, now_ns()) * period_ticks(s)) % MAX_PERIOD;
    }
}

static void write_a(Rtc *s, uint8_t value)
{
    bool was_reset = (s->cmos[RTC_REG_A] & DIVIDER_RESET) == DIVIDER_RESET;
    bool is_reset = (value & DIVIDER_RESET) == DIVIDER_RESET;

    show_time(s);
    if ((value ^ s->cmos[RTC_REG_A]) & REG_A_RATE) {
        keep_phase(s);
    }
    s->cmos[RTC_REG_A] = value & (REG_A_DIVIDER | REG_A_RATE);
    if (was_reset && !is_reset) { /* the first update comes half a second later */
        s->base_ns = s->seen_ns = now_ns() - NS_PER_SEC / 2;
        s->phase = 0;
        s->base_seconds = s->seen_seconds = shown_seconds(s);
    }
}

static void write_b(Rtc *s, uint8_t value)
{
    bool was_set = s->cmos[RTC_REG_B] & REG_B_SET;

    show_time(s);
    if (value & REG_B_SET) {
        value &= ~REG_B_UIE;
    }
    s->cmos[RTC_REG_B] = value;
    if (was_set && !(value & REG_B_SET)) {
        take_time(s);
    }
}

static bool is_time_register(unsigned at)
{
    return at <= RTC_YEAR || at == RTC_CENTURY;
}

static bool is_alarm_register(unsigned at)
{
    return at == RTC_SECONDS_ALARM || at == RTC_MINUTES_ALARM || at == RTC_HOURS_ALARM;
}

static void write_time(Rtc *s, unsigned at, uint8_t value)
{
    show_time(s);
    s->cmos[at] = value;
    if (!is_alarm_register(at) && !is_stopped(s)) {
        take_time(s);
    }
}

static void data_write(Device *dev, unsigned n, uint64_t value)
{
    Rtc *s = RTC(dev);

    catch_up(s);
    if (is_time_register(s->index)) {
        write_time(s, s->index, value);
    } else if (s->index == RTC_REG_A) {
        write_a(s, value);
    } else if (s->index == RTC_REG_B) {
        write_b(s, value);
    } else if (s->index != RTC_REG_C && s->index != RTC_REG_D) {
        s->cmos[s->index] = value;
    }
    update_irq(s);
    arm(s);
}

static bool is_updating(const Rtc *s)
{
    return !is_stopped(s) &&
           time_of_second(s, guest_seconds(s) + 1) - now_ns() <= UIP_NS;
}

static uint8_t read_c(Rtc *s)
{
    uint8_t value;

    catch_up(s);
    update_irq(s);
    value = s->cmos[RTC_REG_C];
    s->cmos[RTC_REG_C] = 0;
    if (s->lost_tick_policy != LOST_TICK_POLICY_SLEW && !rtc_has_drift_fix()) {
        s->lost_ticks = 0;
    } else if (s->lost_ticks && s->cmos[RTC_REG_B] & REG_B_PIE) {
        s->lost_ticks--;
        s->cmos[RTC_REG_C] = REG_C_PF;
    }
    irq_lower(&s->irq);
    update_irq(s);
    arm(s);
    return value;
}

static uint64_t data_read(Device *dev, unsigned n)
{
    Rtc *s = RTC(dev);

    if (s->index == RTC_REG_A) {
        return s->cmos[RTC_REG_A] | (is_updating(s) ? REG_A_UIP : 0);
    }
    if (s->index == RTC_REG_C) {
        return read_c(s);
    }
    if (is_time_register(s->index)) {
        show_time(s);
    }
    return s->cmos[s->index];
}

static uint64_t index_read(Device *dev, unsigned n)
{
    return 0xff; /* write-only */
}

static const RegDef rtc_regs[] = {
    REG(0, "INDEX", Rtc, index, .writable = RTC_CMOS_BYTES - 1, .read = index_read),
    REG_COMPUTED(1, "DATA", .read = data_read, .write = data_write),
};

/* --- life --- */

/* What the battery keeps stays. */
static void rtc_reset(Device *dev)
{
    Rtc *s = RTC(dev);

    catch_up(s);
    s->cmos[RTC_REG_B] &= ~(REG_B_PIE | REG_B_AIE | REG_B_UIE | REG_B_SQWE);
    s->cmos[RTC_REG_C] = 0;
    s->lost_ticks = 0;
    timer_cancel(&s->timer);
}

static void rtc_reset_exit(Device *dev)
{
    irq_lower(&RTC(dev)->irq);
}

static bool rtc_realize(Device *dev, Error **errp)
{
    Rtc *s = RTC(dev);

    if (!isa_device_map_registers(&s->parent, s->iobase, errp) ||
        !isa_device_connect(&s->parent, &s->irq, s->irq_number, errp)) {
        return false;
    }
    s->cmos[RTC_REG_A] = 0x26;
    s->cmos[RTC_REG_B] = REG_B_24H;
    s->cmos[RTC_REG_D] = REG_D_VRT;
    s->base_ns = s->seen_ns = now_ns();
    s->base_seconds = s->seen_seconds = rtc_now_seconds();
    timer_init(&s->timer, rtc_clock(), rtc_expired, s);
    s->suspend.fn = rtc_suspended;
    vm_add_suspend_notifier(&s->suspend);
    s->jump.fn = rtc_host_jumped;
    if (rtc_clock() == CLOCK_HOST) {
        clock_add_host_jump_notifier(&s->jump);
    }
    return true;
}

static void rtc_unrealize(Device *dev)
{
    notifier_remove(&RTC(dev)->suspend);
    notifier_remove(&RTC(dev)->jump);
    timer_clear(&RTC(dev)->timer);
}

static bool rtc_pre_save(void *opaque, Error **errp)
{
    RTC(opaque)->age_ns = now_ns() - RTC(opaque)->base_ns;
    return true;
}

static bool rtc_post_load(void *opaque, int version, Error **errp)
{
    Rtc *s = RTC(opaque);
    const int64_t far = INT64_MAX / 4;

    if (ABS(s->age_ns / 2) > far / 2 || ABS(s->base_ns / 2) > far / 2 ||
        ABS(s->base_seconds / 2) > far / NS_PER_SEC) {
        return error_set(errp, "mc146818rtc: the time is out of range");
    }
    s->index %= RTC_CMOS_BYTES;
    s->phase %= MAX_PERIOD;
    /* This clock starts anew on every host. */
    if (rtc_clock() == CLOCK_REAL) {
        s->base_ns = now_ns() - s->age_ns;
    }
    s->seen_ns = now_ns();
    s->seen_seconds = guest_seconds(s);
    update_irq(s);
    arm(s);
    return true;
}

static json_object *get_date(Object *obj, const Property *p, Error **errp)
{
    time_t seconds = is_stopped(RTC(obj)) ? shown_seconds(RTC(obj)) : guest_seconds(RTC(obj));
    json_object *date = json_object_new_object();
    struct tm tm = { 0 };

    gmtime_r(&seconds, &tm);
    json_object_object_add(date, "tm_year", json_object_new_int(tm.tm_year));
    json_object_object_add(date, "tm_mon", json_object_new_int(tm.tm_mon));
    json_object_object_add(date, "tm_mday", json_object_new_int(tm.tm_mday));
    json_object_object_add(date, "tm_hour", json_object_new_int(tm.tm_hour));
    json_object_object_add(date, "tm_min", json_object_new_int(tm.tm_min));
    json_object_object_add(date, "tm_sec", json_object_new_int(tm.tm_sec));
    return date;
}

static const Property rtc_props[] = {
    PROP_I32("base_year", Rtc, base_year, .initial = 1980, .doc = "The year 0 stands for"),
    PROP_U16("iobase", Rtc, iobase, .initial = 0x70, .doc = "First of its two ports"),
    PROP_U8("irq", Rtc, irq_number, .initial = 8, .doc = "Its interrupt"),
    PROP_ENUM("lost_tick_policy", Rtc, lost_tick_policy, lost_tick_policy_names,
              .initial = LOST_TICK_POLICY_DISCARD,
              .doc = "What becomes of periodic interrupts the guest was too late for"),
    PROP_COMPUTED("date", "struct tm", .get = get_date, .doc = "What the guest reads"),
};
static const VMField rtc_fields[] = {
    VM_REGISTERS, VM_BUFFER(Rtc, cmos), VM_I64(Rtc, base_seconds), VM_I64(Rtc, base_ns),
    VM_I64(Rtc, age_ns), VM_U32(Rtc, lost_ticks),
};

static bool has_phase(void *opaque)
{
    return RTC(opaque)->phase != 0;
}

static const VMField rtc_phase_fields[] = { VM_U32(Rtc, phase) };
static const VMState rtc_phase = VMSTATE_INIT(
    rtc_phase_fields, .name = "mc146818rtc/phase", .version = 1, .needed = has_phase);

static const DeviceType rtc_type = {
    .name = TYPE_MC146818_RTC,
    .doc = "MC146818 real-time clock",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Rtc),
    .access = DEVICE_ACCESS_BOARD,
    .is_not_hotpluggable = true,
    .category = DEVICE_CATEGORY_MISC,
    .registers = REG_MAP(rtc_regs, .size = 2, .width = 1, .access_max = 4),
    .irqs = IRQ_OUT(Rtc, irq),
    .properties = PROPERTIES(rtc_props),
    .vmstate = VMSTATE(rtc_fields, .version = 1, .pre_save = rtc_pre_save,
                       .post_load = rtc_post_load, .subsections = VM_SUBSECTIONS(&rtc_phase)),
    .realize = rtc_realize,
    .unrealize = rtc_unrealize,
    .reset_hold = rtc_reset,
    .reset_exit = rtc_reset_exit,
};
DEVICE_TYPE(rtc_type)

Device *mc146818_rtc_new(IsaBus *bus, int base_year)
{
    Device *dev = device_new(TYPE_MC146818_RTC);

    RTC(dev)->base_year = base_year;
    return device_realize_and_unref(dev, &bus->parent, NULL) ? dev : NULL;
}

void mc146818_rtc_set_cmos(Device *rtc, unsigned at, uint8_t value)
{
    assert(at > RTC_REG_D && at < RTC_CMOS_BYTES);
    RTC(rtc)->cmos[at] = value;
}

uint8_t mc146818_rtc_cmos(Device *rtc, unsigned at)
{
    assert(at < RTC_CMOS_BYTES);
    return RTC(rtc)->cmos[at];
}
