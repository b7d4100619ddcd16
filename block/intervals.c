/*
 * What drives' requests were like lately: latencies and the depth of the queue over the last
 * seconds, as "stats-intervals" of -drive asks for. An interval is made of slots; one that has
 * become too old is written over, so what is told is of the last 7/8 of the interval at least.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/accounting.h"

#include "block/block_clock.h"

#define SLOTS 8

typedef struct Slot {
    int64_t number; /* since the clock began; what else is here is of that one */
    uint64_t count, sum_ns, min_ns, max_ns;
} Slot;

typedef enum Kind { READ, WRITE, FLUSH, KINDS } Kind;

typedef struct Interval {
    unsigned seconds;
    int64_t since_ns;
    Slot slots[KINDS][SLOTS];
} Interval;

static int64_t slot_ns(const Interval *interval)
{
    return interval->seconds * NS_PER_SEC / SLOTS;
}

void block_intervals_add(BlockBackend *drive, unsigned seconds)
{
    Interval interval = { .seconds = seconds, .since_ns = block_clock()->now_ns() };

    if (!drive->intervals) {
        drive->intervals = g_array_new(FALSE, FALSE, sizeof(Interval));
    }
    g_array_append_val(drive->intervals, interval);
}

void block_intervals_clear(BlockBackend *drive)
{
    g_clear_pointer(&drive->intervals, g_array_unref);
}

/* --- counting: with the drive's lock --- */

static void count(Interval *interval, Kind kind, int64_t now_ns, uint64_t took_ns)
{
    int64_t number = now_ns / slot_ns(interval);
    Slot *slot = &interval->slots[kind][number % SLOTS];

    if (slot->number != number || !slot->count) {
        *slot = (Slot){ .number = number, .min_ns = UINT64_MAX };
    }
    slot->count++;
    slot->sum_ns += took_ns;
    slot->min_ns = MIN(slot->min_ns, took_ns);
    slot->max_ns = MAX(slot->max_ns, took_ns);
}

void block_intervals_count(BlockBackend *drive, BlockOp op, uint64_t took_ns)
{
    Kind kind = op == BLOCK_READ ? READ : op == BLOCK_FLUSH ? FLUSH : WRITE;
    int64_t now_ns = block_clock()->now_ns();

    if (op == BLOCK_DISCARD) {
        return;
    }
    for (guint i = 0; i < drive->intervals->len; i++) {
        count(&g_array_index(drive->intervals, Interval, i), kind, now_ns, took_ns);
    }
}

/* --- telling --- */

static Slot sum_up(const Interval *interval, Kind kind, int64_t now_ns)
{
    int64_t number = now_ns / slot_ns(interval);
    Slot sum = { .min_ns = UINT64_MAX };

    for (unsigned i = 0; i < SLOTS; i++) {
        const Slot *slot = &interval->slots[kind][i];

        if (slot->count && slot->number > number - SLOTS) {
            sum.count += slot->count;
            sum.sum_ns += slot->sum_ns;
            sum.min_ns = MIN(sum.min_ns, slot->min_ns);
            sum.max_ns = MAX(sum.max_ns, slot->max_ns);
        }
    }
    sum.min_ns = sum.count ? sum.min_ns : 0;
    return sum;
}

static double depth(const Interval *interval, const Slot *sum, int64_t now_ns)
{
    int64_t passed_ns = MIN(now_ns - interval->since_ns, interval->seconds * NS_PER_SEC);

    return passed_ns > 0 ? (double)sum->sum_ns / passed_ns : 0;
}

#define FILL(name, kind)                                                                           \
    sum = sum_up(interval, kind, now_ns);                                                          \
    stats->min_##name##_latency_ns = sum.min_ns;                                                   \
    stats->max_##name##_latency_ns = sum.max_ns;                                                   \
    stats->avg_##name##_latency_ns = sum.count ? sum.sum_ns / sum.count : 0
static BlockDeviceTimedStats *stats_of(const Interval *interval, int64_t now_ns)
{
    BlockDeviceTimedStats *stats = g_new0(BlockDeviceTimedStats, 1);
    Slot sum;

    stats->interval_length = interval->seconds;
    FILL(rd, READ);
    stats->avg_rd_queue_depth = depth(interval, &sum, now_ns);
    FILL(wr, WRITE);
    stats->avg_wr_queue_depth = depth(interval, &sum, now_ns);
    FILL(flush, FLUSH);
    return stats;
}

void block_intervals_fill(BlockBackend *drive, BlockDeviceTimedStatsArray *list)
{
    int64_t now_ns = block_clock()->now_ns();

    g_mutex_lock(&drive->lock);
    for (guint i = 0; drive->intervals && i < drive->intervals->len; i++) {
        block_device_timed_stats_array_add(
            list, stats_of(&g_array_index(drive->intervals, Interval, i), now_ns));
    }
    g_mutex_unlock(&drive->lock);
}
