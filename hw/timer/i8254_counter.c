/*
 * A counter of the Intel 8254: see i8254_counter.h and the data sheet (231164), "Mode
 * definitions". Two things are simpler: loading takes no clock, and a count written while modes 2
 * and 3 run takes effect at once and not with the next period.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "i8254_counter.h"

#define CONTROL_ACCESS(word) (((word) >> 4) & 3)
#define CONTROL_MODE(word)   (((word) >> 1) & 7)
#define CONTROL_BCD          BIT(0)
#define STATUS_OUT           BIT(7)
#define STATUS_NULL_COUNT    BIT(6)

static bool is_periodic(const PitCounter *c)
{
    return c->mode == 2 || c->mode == 3;
}

/* Modes 1 and 5: counting is begun by a rising gate. */
static bool is_triggered(const PitCounter *c)
{
    return c->mode == 1 || c->mode == 5;
}

static uint64_t ticks_at(const PitCounter *c, int64_t now_ns)
{
    int64_t passed = MAX(now_ns - c->start_ns, 0);

    return c->counts ? (uint64_t)((unsigned __int128)passed * PIT_HZ / NS_PER_SEC) :
                       c->held_ticks;
}

/* The first nanosecond at which `ticks` have passed. */
static int64_t time_of(const PitCounter *c, uint64_t ticks)
{
    unsigned __int128 ns = ((unsigned __int128)ticks * NS_PER_SEC + PIT_HZ - 1) / PIT_HZ;

    return ns > INT64_MAX - (uint64_t)MAX(c->start_ns, 0) ? INT64_MAX : c->start_ns + (int64_t)ns;
}

static void hold(PitCounter *c, uint64_t ticks)
{
    c->held_ticks = ticks;
    c->counts = false;
}

static void run_from(PitCounter *c, uint64_t ticks, int64_t now_ns)
{
    c->counts = true;
    c->start_ns = 0;
    c->start_ns = now_ns - time_of(c, ticks);
}

bool pit_counter_out(const PitCounter *c, int64_t now_ns)
{
    uint64_t ticks = ticks_at(c, now_ns);

    if (!c->count) {
        return c->mode != 0;
    }
    if (is_periodic(c) && !c->gate) {
        return true;
    }
    switch (c->mode) {
    case 0:
        return ticks >= c->count;
    case 1:
        return !c->counts || ticks >= c->count;
    case 2:
        return ticks % c->count != c->count - 1;
    case 3:
        return ticks % c->count < (c->count + 1) / 2;
    default:
        return !c->counts || ticks != c->count;
    }
}

static uint64_t next_change_ticks(const PitCounter *c, uint64_t ticks)
{
    uint64_t phase = c->count ? ticks % c->count : 0;
    uint64_t begin = ticks - phase;
    uint64_t edge = c->mode == 2 ? c->count - 1 : (c->count + 1) / 2;

    if (!c->count || !c->counts) {
        return PIT_NEVER;
    }
    if (is_periodic(c)) {
        if (c->count == 1) { /* not allowed; OUT stands */
            return PIT_NEVER;
        }
        return begin + (phase < edge ? edge : c->count);
    }
    if (ticks < c->count) {
        return c->count;
    }
    return c->mode >= 4 && ticks == c->count ? ticks + 1 : PIT_NEVER;
}

int64_t pit_counter_next_change_ns(const PitCounter *c, int64_t now_ns)
{
    uint64_t next = next_change_ticks(c, ticks_at(c, now_ns));

    return next == PIT_NEVER ? INT64_MAX : time_of(c, next);
}

static uint16_t to_bcd(unsigned value)
{
    return value % 10 | (value / 10 % 10) << 4 | (value / 100 % 10) << 8 |
           (value / 1000 % 10) << 12;
}

/* Digits above 9 count as they weigh. */
static uint32_t from_bcd(uint16_t value)
{
    return (value & 15) + (value >> 4 & 15) * 10 + (value >> 8 & 15) * 100 + (value >> 12) * 1000;
}

static uint16_t value_at(const PitCounter *c, int64_t now_ns)
{
    uint32_t range = c->is_bcd ? 10000 : 0x10000;
    uint64_t ticks = ticks_at(c, now_ns);
    uint32_t left;

    if (!c->count) {
        return 0;
    }
    if (c->mode == 2) {
        left = c->count - ticks % c->count;
    } else if (c->mode == 3) { /* by twos, twice per period */
        left = c->count - ticks * 2 % c->count;
        left &= ~1u;
    } else {
        left = (c->count + range - ticks % range) % range;
    }
    return c->is_bcd ? to_bcd(left % 10000) : left;
}

static void load(PitCounter *c, uint16_t written, int64_t now_ns)
{
    uint32_t range = c->is_bcd ? 10000 : 0x10000;
    uint32_t count = c->is_bcd ? from_bcd(written) : written;

    c->count = count ? count : range;
    if (is_triggered(c)) {
        if (!c->counts) {
            hold(c, 0);
        }
    } else if (c->gate) {
        run_from(c, 0, now_ns);
    } else {
        hold(c, 0);
    }
}

void pit_counter_write(PitCounter *c, uint8_t value, int64_t now_ns)
{
    switch (c->access) {
    case PIT_LOW:
        load(c, value, now_ns);
        break;
    case PIT_HIGH:
        load(c, value << 8, now_ns);
        break;
    default:
        if (c->writes_high) {
            load(c, value << 8 | c->low_byte, now_ns);
        } else {
            c->low_byte = value;
            if (c->mode == 0) { /* the first byte stops it */
                hold(c, 0);
                c->count = 0;
            }
        }
        c->writes_high = !c->writes_high;
        break;
    }
}

void pit_counter_latch_count(PitCounter *c, int64_t now_ns)
{
    if (!c->latched_bytes) { /* a second one before it was read is ignored */
        c->latched = value_at(c, now_ns);
        c->latched_bytes = c->access == PIT_WORD ? 2 : 1;
    }
}

void pit_counter_latch_status(PitCounter *c, int64_t now_ns)
{
    if (!c->is_status_latched) {
        c->status = (pit_counter_out(c, now_ns) ? STATUS_OUT : 0) |
                    (c->count ? 0 : STATUS_NULL_COUNT) | c->access << 4 | c->mode << 1 |
                    c->is_bcd;
        c->is_status_latched = true;
    }
}

uint8_t pit_counter_read(PitCounter *c, int64_t now_ns)
{
    uint16_t value = c->latched_bytes ? c->latched : value_at(c, now_ns);
    bool is_high = c->access == PIT_HIGH || (c->access == PIT_WORD && c->reads_high);

    if (c->is_status_latched) {
        c->is_status_latched = false;
        return c->status;
    }
    if (c->latched_bytes) {
        c->latched_bytes--;
    }
    c->reads_high = c->access == PIT_WORD && !c->reads_high;
    return is_high ? value >> 8 : value;
}

void pit_counter_control(PitCounter *c, uint8_t word, int64_t now_ns)
{
    if (CONTROL_ACCESS(word) == PIT_LATCH) {
        pit_counter_latch_count(c, now_ns);
        return;
    }
    c->access = CONTROL_ACCESS(word);
    c->mode = CONTROL_MODE(word) > 5 ? CONTROL_MODE(word) - 4 : CONTROL_MODE(word);
    c->is_bcd = word & CONTROL_BCD;
    c->count = 0;
    hold(c, 0);
    c->latched_bytes = 0;
    c->is_status_latched = c->reads_high = c->writes_high = false;
}

void pit_counter_set_gate(PitCounter *c, bool gate, int64_t now_ns)
{
    bool rises = gate && !c->gate;
    bool falls = !gate && c->gate;

    c->gate = gate;
    if (!c->count) {
        return;
    }
    if (rises && (is_triggered(c) || is_periodic(c))) {
        run_from(c, 0, now_ns);
    } else if (rises) {
        run_from(c, c->held_ticks, now_ns);
    } else if (falls && !is_triggered(c)) {
        hold(c, ticks_at(c, now_ns));
    }
}

void pit_counter_reset(PitCounter *c, bool gate, int64_t now_ns)
{
    *c = (PitCounter){ .mode = 3, .access = PIT_WORD, .gate = gate };
    load(c, 0, now_ns);
}

static bool counter_is_sound(void *opaque, int version)
{
    const PitCounter *c = opaque;

    return c->count <= 0x10000 && c->mode <= 5 && c->access && c->access < PIT_ACCESSES &&
           c->latched_bytes <= 2 && c->start_ns > -INT64_C(1) << 62;
}

static const VMField counter_fields[] = {
    VM_U32(PitCounter, count), VM_I64(PitCounter, start_ns), VM_U64(PitCounter, held_ticks),
    VM_U8(PitCounter, mode), VM_U8(PitCounter, access), VM_U8(PitCounter, low_byte),
    VM_U8(PitCounter, status), VM_U16(PitCounter, latched), VM_U8(PitCounter, latched_bytes),
    VM_BOOL(PitCounter, is_bcd), VM_BOOL(PitCounter, gate), VM_BOOL(PitCounter, counts),
    VM_BOOL(PitCounter, is_status_latched), VM_BOOL(PitCounter, reads_high),
    VM_BOOL(PitCounter, writes_high), VM_VALIDATE("ranges", counter_is_sound),
};
const VMState pit_counter_state = VMSTATE_INIT(counter_fields, .name = "counter", .version = 1);
