/*
 * Counts of drives: how many requests, of how many bytes, in what time; and how long they took, by
 * intervals that a client chooses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/accounting.h"

#include "qapi/qapi-commands-block-core.h"

struct BlockHistogram {
    unsigned count;       /* of boundaries; there is one bin more */
    uint64_t *boundaries; /* ns, each above the one before */
    uint64_t *bins;
};

static BlockCounts *counts_of(BlockBackend *drive, BlockOp op)
{
    return &drive->counts[op == BLOCK_ZERO ? BLOCK_WRITE : op];
}

/* --- requests --- */

static void count_time(BlockBackend *drive, BlockOp op, uint64_t took_ns)
{
    BlockCounts *counts = counts_of(drive, op);
    BlockHistogram *histogram;
    unsigned bin = 0;

    g_mutex_lock(&drive->lock);
    if (drive->intervals) {
        block_intervals_count(drive, op, took_ns);
    }
    histogram = counts->histogram;
    while (histogram && bin < histogram->count && took_ns >= histogram->boundaries[bin]) {
        bin++;
    }
    if (histogram) {
        histogram->bins[bin]++;
    }
    g_mutex_unlock(&drive->lock);
}

void block_backend_use(const BlockBackend *drive, BlockOp op, uint64_t *operations,
                       uint64_t *bytes)
{
    const BlockCounts *counts = &drive->counts[op];

    *operations = __atomic_load_n(&counts->operations, __ATOMIC_RELAXED);
    *bytes = __atomic_load_n(&counts->bytes, __ATOMIC_RELAXED);
}

static void note_time(BlockBackend *drive, int64_t now_ns)
{
    __atomic_store_n(&drive->latest_ns, now_ns, __ATOMIC_RELAXED);
}

void block_count(BlockBackend *drive, const BlockIo *io, unsigned merged, int64_t since_ns, int err)
{
    BlockCounts *counts = counts_of(drive, io->op);
    int64_t now_ns;

    if (err) {
        __atomic_add_fetch(&counts->failed, 1 + merged, __ATOMIC_RELAXED);
    } else {
        __atomic_add_fetch(&counts->operations, 1 + merged, __ATOMIC_RELAXED);
        __atomic_add_fetch(&counts->bytes, io->bytes, __ATOMIC_RELAXED);
    }
    if (merged) {
        __atomic_add_fetch(&counts->merged, merged, __ATOMIC_RELAXED);
    }
    if (err && !drive->counts_failed) {
        return;
    }
    now_ns = host_monotonic_ns();
    __atomic_add_fetch(&counts->time_ns, now_ns - since_ns, __ATOMIC_RELAXED);
    note_time(drive, now_ns);
    if (drive->intervals || __atomic_load_n(&counts->histogram, __ATOMIC_RELAXED)) {
        count_time(drive, io->op, now_ns - since_ns);
    }
}

void block_backend_count_invalid(BlockBackend *drive, BlockOp op)
{
    __atomic_add_fetch(&counts_of(drive, op)->invalid, 1, __ATOMIC_RELAXED);
    if (drive->counts_invalid) {
        note_time(drive, host_monotonic_ns());
    }
}

/* --- histograms --- */

static void histogram_free(BlockHistogram *histogram)
{
    if (histogram) {
        g_free(histogram->boundaries);
        g_free(histogram->bins);
        g_free(histogram);
    }
}

void block_counts_clear(BlockBackend *drive)
{
    block_intervals_clear(drive);
    for (size_t op = 0; op < BLOCK_OPS; op++) {
        g_clear_pointer(&drive->counts[op].histogram, histogram_free);
    }
}

static bool are_boundaries(const Uint64Array *list)
{
    uint64_t last = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] <= last) {
            return false;
        }
        last = list->items[i];
    }
    return true;
}

/* NULL: none from now on. */
static void set_histogram(BlockBackend *drive, BlockOp op, const Uint64Array *list)
{
    BlockHistogram *new = NULL, *old;

    if (list) {
        new = g_new0(BlockHistogram, 1);
        *new = (BlockHistogram){ list->count, g_memdup2(list->items, list->count * sizeof(uint64_t)),
                                 g_new0(uint64_t, list->count + 1) };
    }
    g_mutex_lock(&drive->lock);
    old = drive->counts[op].histogram;
    __atomic_store_n(&drive->counts[op].histogram, new, __ATOMIC_RELAXED);
    g_mutex_unlock(&drive->lock);
    histogram_free(old);
}

bool qmp_block_latency_histogram_set(const char *id, const Uint64Array *boundaries,
                                     const Uint64Array *boundaries_read,
                                     const Uint64Array *boundaries_write,
                                     const Uint64Array *boundaries_flush, Error **errp)
{
    BlockBackend *drive = block_backend_of_device(id, errp);
    const struct {
        BlockOp op;
        const char *name;
        const Uint64Array *list;
    } kinds[] = {
        { BLOCK_READ, "read", boundaries_read ? boundaries_read : boundaries },
        { BLOCK_WRITE, "write", boundaries_write ? boundaries_write : boundaries },
        { BLOCK_FLUSH, "flush", boundaries_flush ? boundaries_flush : boundaries },
    };
    bool is_any = boundaries || boundaries_read || boundaries_write || boundaries_flush;

    if (!drive) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].list && !are_boundaries(kinds[i].list)) {
            return error_set(errp, "Device '%s' set %s boundaries fail", id, kinds[i].name);
        }
        if (kinds[i].list || !is_any) {
            set_histogram(drive, kinds[i].op, kinds[i].list);
        }
    }
    return true;
}

/* --- what clients are told --- */

static Uint64Array *array_of(const uint64_t *values, size_t count)
{
    Uint64Array *list = g_new0(Uint64Array, 1);

    for (size_t i = 0; i < count; i++) {
        uint64_array_add(list, values[i]);
    }
    return list;
}

static BlockLatencyHistogramInfo *histogram_info(BlockBackend *drive, BlockOp op)
{
    BlockLatencyHistogramInfo *info = NULL;
    const BlockHistogram *histogram;

    g_mutex_lock(&drive->lock);
    histogram = drive->counts[op].histogram;
    if (histogram) {
        info = g_new0(BlockLatencyHistogramInfo, 1);
        info->boundaries = array_of(histogram->boundaries, histogram->count);
        info->bins = array_of(histogram->bins, histogram->count + 1);
    }
    g_mutex_unlock(&drive->lock);
    return info;
}

void block_fill_counts(BlockBackend *drive, BlockDeviceStats *stats)
{
    const BlockCounts *rd = &drive->counts[BLOCK_READ], *wr = &drive->counts[BLOCK_WRITE];
    const BlockCounts *unmap = &drive->counts[BLOCK_DISCARD];
    const BlockCounts *flush = &drive->counts[BLOCK_FLUSH];
    int64_t latest_ns = __atomic_load_n(&drive->latest_ns, __ATOMIC_RELAXED);

    stats->rd_bytes = rd->bytes;
    stats->rd_operations = rd->operations;
    stats->rd_merged = rd->merged;
    stats->rd_total_time_ns = rd->time_ns;
    stats->failed_rd_operations = rd->failed;
    stats->invalid_rd_operations = rd->invalid;
    stats->wr_bytes = wr->bytes;
    stats->wr_operations = wr->operations;
    stats->wr_merged = wr->merged;
    stats->wr_total_time_ns = wr->time_ns;
    stats->failed_wr_operations = wr->failed;
    stats->invalid_wr_operations = wr->invalid;
    stats->unmap_bytes = unmap->bytes;
    stats->unmap_operations = unmap->operations;
    stats->unmap_total_time_ns = unmap->time_ns;
    stats->failed_unmap_operations = unmap->failed;
    stats->invalid_unmap_operations = unmap->invalid;
    stats->flush_operations = flush->operations;
    stats->flush_total_time_ns = flush->time_ns;
    stats->failed_flush_operations = flush->failed;
    stats->invalid_flush_operations = flush->invalid;
    stats->account_invalid = drive->counts_invalid;
    stats->account_failed = drive->counts_failed;
    stats->has_idle_time_ns = latest_ns > 0;
    stats->idle_time_ns = latest_ns > 0 ? host_monotonic_ns() - latest_ns : 0;
    block_intervals_fill(drive, stats->timed_stats);
    stats->rd_latency_histogram = histogram_info(drive, BLOCK_READ);
    stats->wr_latency_histogram = histogram_info(drive, BLOCK_WRITE);
    stats->flush_latency_histogram = histogram_info(drive, BLOCK_FLUSH);
}
