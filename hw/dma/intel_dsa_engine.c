/*
 * intel-dsa: engines. Each takes a descriptor of its group's WQs, by their priorities, and brings
 * it to its end through phases: check it, touch where its completion record goes, execute, record,
 * log, notify. A batch is executed by running its members, one after the other, in between.
 *
 * Work is done on a virtual timer, a slice per engine and expiry. What must wait (for a page, for
 * room in the event log, for descriptors before it) is looked at again when something happened.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#include "trace.h"

#define SLICE_NS   1000
#define STEPS_MOST 256 /* of one engine in a slice */
#define STEP_BYTES 64  /* what a step without data counts as */

void dsa_kick(IntelDsa *dsa)
{
    if (!timer_is_armed(&dsa->work) ||
        timer_deadline_ns(&dsa->work) > clock_now_ns(CLOCK_VIRTUAL) + SLICE_NS) {
        timer_arm_after_ns(&dsa->work, SLICE_NS);
    }
}

static DsaRun *current_run(DsaEngine *engine)
{
    return &engine->runs[engine->has_member];
}

bool dsa_has_work(const IntelDsa *dsa)
{
    for (unsigned n = 0; n < dsa->engine_count; n++) {
        if (dsa->engines[n].is_busy) {
            return true;
        }
    }
    return false;
}

/* --- arbitration --- */

static bool has_credit(IntelDsa *dsa, uint64_t wqs, bool needs_credit, unsigned *wq)
{
    for (unsigned n = 0; n < dsa->wq_count; n++) {
        if (wqs & BIT64(n) && dsa->wqs[n].count && (!needs_credit || dsa->wqs[n].credit)) {
            *wq = n;
            return true;
        }
    }
    return false;
}

/* WQs with work are served until each has had its share; then all get their priority anew. */
static bool pick_wq(IntelDsa *dsa, uint64_t wqs, unsigned *wq)
{
    if (!has_credit(dsa, wqs, false, wq)) {
        return false;
    }
    if (!has_credit(dsa, wqs, true, wq)) {
        for (unsigned n = 0; n < dsa->wq_count; n++) {
            if (wqs & BIT64(n)) {
                dsa->wqs[n].credit = *dsa_wqcfg(dsa, n, DSA_WQ_MODE) >> 4 & 0xf;
            }
        }
        return has_credit(dsa, wqs, true, wq);
    }
    return true;
}

static void begin_run(DsaRun *run, const DsaDescriptor *d, bool is_member)
{
    *run = (DsaRun){ .d = *d, .is_member = is_member };
}

static bool take_descriptor(IntelDsa *dsa, DsaEngine *engine, uint64_t wqs)
{
    unsigned wq;
    DsaWq *queue;

    if (!pick_wq(dsa, wqs, &wq)) {
        return false;
    }
    queue = &dsa->wqs[wq];
    *engine = (DsaEngine){ .is_busy = true, .batch = dsa->next_batch };
    begin_run(&engine->runs[0], &dsa->slots[queue->first + queue->head], false);
    if (dsa_opcode(&engine->runs[0]) == DSA_BATCH) {
        dsa->next_batch++;
    }
    queue->head = (queue->head + 1) % *dsa_wqcfg(dsa, wq, DSA_WQ_SIZE);
    queue->count--;
    queue->credit--;
    dsa_check_occupancy(dsa, wq);
    return true;
}

/* --- batches --- */

static DsaStep end_batch(DsaEngine *engine, DsaRun *run, unsigned status)
{
    run->status = status;
    return DSA_DONE;
}

/* Abandons the rest of a batch at a fence behind a failure. */
static DsaStep fetch_member(IntelDsa *dsa, DsaEngine *engine, DsaRun *run)
{
    DsaSpan span = { DSA_OP_LIST, dsa_quad(run, 16) + UINT64_C(64) * run->done, 64 };
    DsaDescriptor d = run->d;
    DsaStep step;

    if (run->done == dsa_size(run)) {
        return end_batch(engine, run, engine->has_failure ? DSA_MEMBER_FAILED : DSA_SUCCESS);
    }
    step = dsa_read(dsa, run, span, d.bytes);
    if (step != DSA_DONE) {
        return step;
    }
    if (load_le32(d.bytes + 4) & DSA_FENCE && engine->has_failure) {
        return end_batch(engine, run, DSA_MEMBER_FAILED);
    }
    begin_run(&engine->runs[1], &d, true);
    engine->has_member = true;
    return DSA_MORE;
}

static void member_done(DsaEngine *engine)
{
    engine->has_failure |= engine->runs[1].status != DSA_SUCCESS;
    engine->has_member = false;
    engine->runs[0].done++;
}

/* --- drains: everything before that is of the same WQ and, if that is shared, process --- */

static DsaStep drain(IntelDsa *dsa, DsaRun *run)
{
    bool is_dedicated = *dsa_wqcfg(dsa, run->d.wq, DSA_WQ_MODE) & DSA_MODE_DEDICATED;

    for (unsigned n = 0; n < dsa->engine_count; n++) {
        const DsaDescriptor *other = &dsa->engines[n].runs[0].d;

        if (dsa->engines[n].is_busy && other->wq == run->d.wq && other->order < run->d.order &&
            (is_dedicated || other->pasid == run->d.pasid)) {
            return DSA_WAITS;
        }
    }
    run->status = DSA_SUCCESS;
    return DSA_DONE;
}

/* --- phases --- */

static DsaStep check(IntelDsa *dsa, DsaRun *run)
{
    run->status = dsa_check(dsa, run);
    run->phase = run->status ? DSA_RECORDING :
                 dsa_flags(run) & DSA_CRAV ? DSA_TOUCHING : DSA_EXECUTING;
    return DSA_MORE;
}

/* Without an event log nothing could tell how it went, so it is not done at all. */
static DsaStep touch_record(IntelDsa *dsa, DsaRun *run)
{
    DsaStep step = dsa_touch(dsa, run, (DsaSpan){ DSA_OP_CRA, dsa_cra(run), 32 }, true);

    if (step == DSA_FAILS) {
        run->is_cra_bad = true;
        if (dsa_log_is_on(dsa)) {
            run->status = 0;
            run->phase = DSA_EXECUTING;
        } else {
            run->phase = DSA_RECORDING;
        }
        return DSA_MORE;
    }
    run->phase = step == DSA_DONE ? DSA_EXECUTING : run->phase;
    return step == DSA_DONE ? DSA_MORE : step;
}

static DsaStep execute(IntelDsa *dsa, DsaEngine *engine, DsaRun *run, uint32_t *budget)
{
    DsaStep step;

    switch (dsa_opcode(run)) {
    case DSA_BATCH:
        step = fetch_member(dsa, engine, run);
        break;
    case DSA_DRAIN:
        step = drain(dsa, run);
        break;
    default:
        step = dsa_execute(dsa, run, budget);
        break;
    }
    if (step == DSA_DONE || step == DSA_FAILS) {
        run->phase = DSA_RECORDING;
        return DSA_MORE;
    }
    return step;
}

static DsaStep finish(IntelDsa *dsa, DsaEngine *engine, DsaRun *run)
{
    dsa_finish_interrupt(dsa, run);
    dsa->counters.completed++;
    trace_dsa_complete(run->d.wq, dsa_opcode(run), run->status, run->done, run->is_member);
    dsa_forget_page(dsa, engine);
    if (run->is_member) {
        member_done(engine);
        return DSA_MORE;
    }
    engine->is_busy = false;
    dsa_descriptor_gone(dsa, &run->d);
    dsa_kick(dsa); /* a drain may wait for it */
    return DSA_DONE;
}

static DsaStep step_engine(IntelDsa *dsa, DsaEngine *engine, uint32_t *budget)
{
    DsaRun *run = current_run(engine);

    switch (run->phase) {
    case DSA_CHECKING:
        return check(dsa, run);
    case DSA_TOUCHING:
        return touch_record(dsa, run);
    case DSA_EXECUTING:
        return execute(dsa, engine, run, budget);
    case DSA_RECORDING:
        return dsa_record(dsa, run);
    case DSA_LOGGING:
        return dsa_log(dsa, run);
    }
    return finish(dsa, engine, run);
}

/* True: it could go on at once. */
static bool run_engine(IntelDsa *dsa, DsaEngine *engine)
{
    uint32_t budget = DSA_SLICE_BYTES;
    DsaStep step = DSA_MORE;

    if (engine->page_state == DSA_PAGE_ASKED ||
        engine->retry_ns > clock_now_ns(CLOCK_VIRTUAL)) {
        return false;
    }
    for (unsigned n = 0; n < STEPS_MOST && step == DSA_MORE && budget; n++) {
        step = step_engine(dsa, engine, &budget);
        budget -= MIN(budget, STEP_BYTES);
        if (dsa->state == DSA_HALTED || dsa->state == DSA_DISABLED) {
            return false;
        }
    }
    return step != DSA_WAITS;
}

static bool run_group(IntelDsa *dsa, unsigned group)
{
    uint64_t engines = dsa_group_engines(dsa, group), wqs = dsa_group_wqs(dsa, group);
    bool goes_on = false;

    for (unsigned n = 0; n < dsa->engine_count; n++) {
        DsaEngine *engine = &dsa->engines[n];

        if (engines & BIT64(n) && dsa->state != DSA_HALTED &&
            (engine->is_busy || take_descriptor(dsa, engine, wqs))) {
            goes_on |= run_engine(dsa, engine);
        }
    }
    return goes_on;
}

static bool match_any(const DsaDescriptor *d, uint32_t operand)
{
    return true;
}

/* What came while engines ran and would have stopped them. */
static void after_work(IntelDsa *dsa)
{
    if (dsa->is_reset_due) {
        dsa_reset(dsa, false);
    } else if (dsa->state == DSA_HALTED) {
        dsa_abandon(dsa, match_any, 0);
    }
}

/* Who asked for a page and was refused looks again. */
static void arm_retries(IntelDsa *dsa)
{
    for (unsigned n = 0; n < dsa->engine_count; n++) {
        const DsaEngine *engine = &dsa->engines[n];

        if (engine->is_busy && engine->retry_ns > clock_now_ns(CLOCK_VIRTUAL)) {
            timer_arm_no_later_ns(&dsa->work, engine->retry_ns);
        }
    }
}

void dsa_work(Device *dev)
{
    IntelDsa *dsa = INTEL_DSA(dev);
    bool goes_on = false;

    if (dsa->state != DSA_ENABLED && dsa->state != DSA_STOPPING) {
        return;
    }
    object_ref(dsa); /* its own DMA might have it unplugged */
    dsa->guard = dsa->is_working = true;
    for (unsigned group = 0; group < dsa->group_count; group++) {
        goes_on |= run_group(dsa, group);
    }
    dsa->guard = dsa->is_working = false;
    if (dev->is_realized) {
        after_work(dsa);
        if (goes_on) {
            dsa_kick(dsa);
        }
        arm_retries(dsa);
    }
    object_unref(dsa);
}

/* --- for commands --- */

static void abandon_queued(IntelDsa *dsa, unsigned wq, DsaMatchFn *match, uint32_t operand)
{
    uint32_t size = *dsa_wqcfg(dsa, wq, DSA_WQ_SIZE), kept = 0;
    DsaWq *queue = &dsa->wqs[wq];

    for (uint32_t n = 0; n < queue->count; n++) {
        DsaDescriptor *d = &dsa->slots[queue->first + (queue->head + n) % size];

        if (!match(d, operand)) {
            dsa->slots[queue->first + (queue->head + kept++) % size] = *d;
        }
    }
    queue->count = kept;
}

void dsa_abandon(IntelDsa *dsa, DsaMatchFn *match, uint32_t operand)
{
    for (unsigned n = 0; n < dsa->engine_count; n++) {
        DsaEngine *engine = &dsa->engines[n];

        if (engine->is_busy && match(&engine->runs[0].d, operand)) {
            dsa_forget_page(dsa, engine);
            engine->is_busy = false;
        }
    }
    for (unsigned wq = 0; wq < dsa->wq_count; wq++) {
        abandon_queued(dsa, wq, match, operand);
    }
    if (dsa->state == DSA_ENABLED || dsa->state == DSA_STOPPING) {
        dsa_kick(dsa); /* a drain may have waited for one of them */
    }
}

uint32_t dsa_count_work(const IntelDsa *dsa, DsaMatchFn *match, uint32_t operand, uint64_t order)
{
    uint32_t count = 0;

    for (unsigned n = 0; n < dsa->engine_count; n++) {
        const DsaDescriptor *d = &dsa->engines[n].runs[0].d;

        count += dsa->engines[n].is_busy && d->order < order && match(d, operand);
    }
    for (unsigned wq = 0; wq < dsa->wq_count; wq++) {
        const DsaWq *queue = &dsa->wqs[wq];
        uint32_t size = dsa->wqcfg[wq * DSA_WQ_DWORDS + DSA_WQ_SIZE];

        for (uint32_t n = 0; n < queue->count; n++) {
            count += match(&dsa->slots[queue->first + (queue->head + n) % size], operand);
        }
    }
    return count;
}
