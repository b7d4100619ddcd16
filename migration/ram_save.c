/*
 * Sending guest memory: once all of it, then, round by round, what was written meanwhile, until
 * what is left fits into the downtime the user allows; the rest when the machine is stopped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/capability.h"
#include "migration/parameter.h"
#include "migration/ram.h"
#include "system/free_pages.h"
#include "system/machine_lock.h"
#include "system/memory_log.h"
#include "system/migratable.h"
#include "util/bitmap.h"

/* Looked through for one part, so that a cancel is heard soon. */
#define SCAN_BYTES (256 * MiB)
/* Dirty bits are asked for in ranges of this, before they are for pages. */
#define RANGE_BYTES (2 * MiB)
#define PAGE_BYTES DIRTY_PAGE_BYTES
/* After so many rounds a guest that writes too fast is stopped all the same. */
#define MAX_ROUNDS 100

/* One migration is sent at a time. Its thread's, but for `report`. */
static struct {
    GArray *parts; /* of RamPart */
    guint part;    /* where the round is */
    uint64_t offset;
    bool is_first_round;
    bool is_last_round; /* the machine is stopped */
    uint64_t few_bytes; /* what may be left when it is stopped */
    RamReport report;   /* fields atomic */
} sending;

/* The run that is being written. */
typedef struct OpenRun {
    VMWriter *w;
    RamRun kind; /* 0: none */
    guint part;
    uint64_t end;
    uint64_t bytes;
    size_t bytes_at; /* where its length goes */
} OpenRun;

static void count(uint64_t *counter, int64_t by)
{
    __atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

static void set(uint64_t *counter, uint64_t value)
{
    __atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

RamReport ram_report(void)
{
    RamReport *r = &sending.report;

    return (RamReport){
        .total_bytes = __atomic_load_n(&r->total_bytes, __ATOMIC_RELAXED),
        .left_bytes = __atomic_load_n(&r->left_bytes, __ATOMIC_RELAXED),
        .zero_pages = __atomic_load_n(&r->zero_pages, __ATOMIC_RELAXED),
        .data_pages = __atomic_load_n(&r->data_pages, __ATOMIC_RELAXED),
        .free_pages = __atomic_load_n(&r->free_pages, __ATOMIC_RELAXED),
        .dirty_bytes_per_round = __atomic_load_n(&r->dirty_bytes_per_round, __ATOMIC_RELAXED),
        .rounds = __atomic_load_n(&r->rounds, __ATOMIC_RELAXED),
    };
}

/* --- what there is --- */

static bool add_part(void *opaque, RamBlock *block)
{
    RamPart part = { .block = block, .bytes = block->used_bytes };

    if (block->is_migratable && block->idstr[0]) {
        part.is_left_out = capability_is_on(MIGRATION_CAPABILITY_X_IGNORE_SHARED) &&
                           block->flags & RAM_SHARED;
        g_array_append_val((GArray *)opaque, part);
    }
    return true;
}

GArray *ram_parts(void)
{
    GArray *parts = g_array_new(FALSE, FALSE, sizeof(RamPart));

    ram_block_each(add_part, parts);
    return parts;
}

bool ram_page_is_zero(const uint8_t *page)
{
    const uint64_t *word = (const uint64_t *)page;

    for (size_t i = 0; i < PAGE_BYTES / sizeof(*word); i += 8) {
        if (word[i] | word[i + 1] | word[i + 2] | word[i + 3] | word[i + 4] | word[i + 5] |
            word[i + 6] | word[i + 7]) {
            return false;
        }
    }
    return true;
}

static RamPart *part_at(guint i)
{
    return &g_array_index(sending.parts, RamPart, i);
}

/* --- rounds --- */

static uint64_t count_dirty(const RamPart *part)
{
    uint64_t dirty = 0;

    for (uint64_t at = 0; at < part->bytes; at += RANGE_BYTES) {
        uint64_t end = MIN(at + RANGE_BYTES, part->bytes);

        if (!ram_block_is_dirty(part->block, at, end - at, DIRTY_MIGRATION)) {
            continue;
        }
        for (uint64_t page = at; page < end; page += PAGE_BYTES) {
            dirty += ram_block_is_dirty(part->block, page, PAGE_BYTES, DIRTY_MIGRATION) ?
                         PAGE_BYTES : 0;
        }
    }
    return dirty;
}

/* What can be sent while the machine is stopped, for as long as it may be. Machine lock. */
static uint64_t downtime_bytes(void)
{
    uint64_t bandwidth = parameter_uint("max-bandwidth"), ms = parameter_uint("downtime-limit");

    return !bandwidth || bandwidth / 1000 > INT64_MAX / (ms + 1) ? INT64_MAX :
                                                                   bandwidth / 1000 * ms;
}

/* Machine lock. */
static void begin_dirty_round(void)
{
    uint64_t dirty = 0;

    memory_sync_log();
    for (guint i = 0; i < sending.parts->len; i++) {
        dirty += part_at(i)->is_left_out ? 0 : count_dirty(part_at(i));
    }
    sending.part = 0;
    sending.offset = 0;
    sending.is_first_round = false;
    free_pages_enough();
    sending.few_bytes = downtime_bytes();
    set(&sending.report.left_bytes, dirty);
    set(&sending.report.dirty_bytes_per_round, dirty);
    count(&sending.report.rounds, 1);
}

/* --- pages --- */

static void close_run(OpenRun *run)
{
    if (run->kind) {
        uint64_t bytes = GUINT64_TO_BE(run->bytes);

        memcpy(run->w->out->data + run->bytes_at, &bytes, sizeof(bytes));
        run->kind = 0;
    }
}

static void add_page(OpenRun *run, RamRun kind, guint part, uint64_t offset, const uint8_t *page)
{
    if (run->kind != kind || run->part != part || run->end != offset) {
        close_run(run);
        vm_put(run->w, kind, 1);
        vm_put(run->w, part, 4);
        vm_put(run->w, offset, 8);
        *run = (OpenRun){ .w = run->w, .kind = kind, .part = part,
                          .bytes_at = run->w->out->len };
        vm_put(run->w, 0, 8);
    }
    if (kind == RAM_RUN_DATA) {
        vm_put_bytes(run->w, page, PAGE_BYTES);
    }
    run->bytes += PAGE_BYTES;
    run->end = offset + PAGE_BYTES;
}

/* What all of memory would be sent for, though it holds nothing. */
static bool is_free(const RamPart *part, uint64_t offset)
{
    return part->free && bitmap_test(part->free, offset / PAGE_BYTES);
}

/* The bit is cleared before the page is read: a write after that sets it again. */
static void send_page(OpenRun *run, guint part, uint64_t offset)
{
    RamBlock *block = part_at(part)->block;
    bool is_dirty = ram_block_take_dirty(block, offset, PAGE_BYTES, DIRTY_MIGRATION);
    const uint8_t *page = ram_block_host(block) + offset;
    size_t at = run->w->out->len;

    if (!is_dirty && !sending.is_first_round) {
        return;
    }
    if (!is_dirty && is_free(part_at(part), offset)) {
        count(&sending.report.free_pages, 1);
    } else if (ram_page_is_zero(page)) {
        add_page(run, RAM_RUN_ZERO, part, offset, page);
        count(&sending.report.zero_pages, 1);
    } else {
        add_page(run, RAM_RUN_DATA, part, offset, page);
        count(&sending.report.data_pages, 1);
    }
    assert(run->w->out->len >= at);
    if (ram_report().left_bytes >= PAGE_BYTES) {
        count(&sending.report.left_bytes, -(int64_t)PAGE_BYTES);
    }
}

/* Behind ranges that are clean, in rounds where that counts. */
static uint64_t skip_clean(const RamPart *part, uint64_t offset)
{
    while (!sending.is_first_round && offset < part->bytes && IS_ALIGNED(offset, RANGE_BYTES) &&
           !ram_block_is_dirty(part->block, offset, MIN(RANGE_BYTES, part->bytes - offset),
                               DIRTY_MIGRATION)) {
        offset += RANGE_BYTES;
    }
    return offset;
}

/* One part's worth of the round; true when the round is through. */
static bool send_some(VMWriter *w, size_t room)
{
    OpenRun run = { .w = w };
    size_t full = w->out->len + room;
    uint64_t scanned = 0;

    while (sending.part < sending.parts->len && w->out->len < full && scanned < SCAN_BYTES) {
        const RamPart *part = part_at(sending.part);

        sending.offset = skip_clean(part, sending.offset);
        if (part->is_left_out || sending.offset >= part->bytes) {
            sending.part++;
            sending.offset = 0;
            continue;
        }
        send_page(&run, sending.part, sending.offset);
        sending.offset += PAGE_BYTES;
        scanned += PAGE_BYTES;
    }
    close_run(&run);
    return sending.part >= sending.parts->len;
}

/* --- hooks --- */

/* All is sent once: a bit that is set from now on means a write. */
static void begin_first_round(void)
{
    free_pages_begin();
    for (guint i = 0; i < sending.parts->len; i++) {
        RamPart *part = part_at(i);

        part->free = free_pages_of(part->block);
        ram_block_take_dirty(part->block, 0, part->bytes, DIRTY_MIGRATION);
    }
}

static bool ram_setup(void *opaque, VMWriter *w, Error **errp)
{
    uint64_t total = 0;

    sending.parts = ram_parts();
    sending.part = 0;
    sending.offset = 0;
    sending.is_first_round = true;
    sending.is_last_round = false;
    vm_put(w, sending.parts->len, 4);
    for (guint i = 0; i < sending.parts->len; i++) {
        const RamPart *part = part_at(i);

        vm_put(w, strlen(part->block->idstr), 1);
        vm_put_bytes(w, part->block->idstr, strlen(part->block->idstr));
        vm_put(w, part->bytes, 8);
        vm_put(w, part->is_left_out, 1);
        total += part->is_left_out ? 0 : part->bytes;
    }
    sending.report = (RamReport){ .total_bytes = total, .left_bytes = total, .rounds = 1 };
    if (!memory_log_start_global(errp)) {
        return false;
    }
    begin_first_round();
    return true;
}

static void ram_cleanup(void *opaque)
{
    free_pages_end();
    memory_log_stop_global();
    g_clear_pointer(&sending.parts, g_array_unref);
}

static uint64_t ram_pending_bytes(void *opaque)
{
    return ram_report().left_bytes;
}

/* A round that need not be sent before the machine is stopped. */
static bool is_converged(void)
{
    return !sending.is_first_round && !sending.part && !sending.offset &&
           (ram_report().left_bytes <= sending.few_bytes || ram_report().rounds > MAX_ROUNDS);
}

static bool ram_iterate(void *opaque, VMWriter *w, size_t room, bool *is_done, Error **errp)
{
    if (!is_converged() && send_some(w, room)) {
        MACHINE_LOCK_SCOPE();

        begin_dirty_round();
    }
    *is_done = is_converged();
    return true;
}

/* What the round that was begun has left, and what was written since. */
static bool ram_complete(void *opaque, VMWriter *w, size_t room, bool *is_done, Error **errp)
{
    if (!sending.is_last_round && !sending.is_first_round) {
        sending.is_last_round = true;
        begin_dirty_round();
    }
    *is_done = false;
    if (send_some(w, room)) {
        *is_done = sending.is_last_round;
        sending.is_first_round = false;
        free_pages_enough();
    }
    return true;
}

static const LiveState ram_live = {
    .version = RAM_VERSION, .is_before_devices = true, .setup = ram_setup,
    .pending_bytes = ram_pending_bytes, .iterate = ram_iterate, .complete = ram_complete,
    .cleanup = ram_cleanup, .load_setup = ram_load_setup, .load = ram_load,
    .load_done = ram_load_done,
};

void ram_register(void)
{
    migratable_register_live("ram", &ram_live, NULL, NULL);
}
