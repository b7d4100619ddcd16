/*
 * intel-dsa: commands, and the states of device and WQs that they move. Enabling and aborting are
 * done at once; draining and disabling wait, counting down the descriptors that were accepted
 * before. There is one command at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#include "trace.h"

#define CMD_OPERAND  0xfffff
#define CMD_RESERVED 0x7e000000
#define CMD_IRQ      BIT(31)
#define STATUS_ACTIVE BIT(31)

enum { CMD_ENABLE = 1, CMD_DISABLE, CMD_DRAIN, CMD_ABORT, CMD_RESET, CMD_ENABLE_WQ, CMD_DISABLE_WQ,
       CMD_DRAIN_WQ, CMD_ABORT_WQ, CMD_RESET_WQ, CMD_DRAIN_PASID, CMD_ABORT_PASID,
       CMD_REQUEST_HANDLE, CMD_RELEASE_HANDLE, CMD_COUNT };
enum { ERROR_UNKNOWN = 0x01, ERROR_WQ = 0x02, ERROR_RESERVED = 0x04, ERROR_HALTED = 0x05,
       ERROR_NOT_ENABLED = 0x31, ERROR_WQ_NOT_ENABLED = 0x32, ERROR_HANDLE = 0x41 };

static unsigned code_of(uint32_t command)
{
    return command >> 20 & 0x1f;
}

/* WQs that an operand of Disable, Drain, Abort and Reset WQ names; false: one is not there. */
static bool find_wqs(const IntelDsa *dsa, uint32_t operand, uint64_t *wqs)
{
    unsigned first = (operand >> 16 & 0xf) * 16;
    uint64_t bits = operand & 0xffff;

    *wqs = first < 64 ? bits << first : 0;
    return first < 64 ? !(*wqs >> dsa->wq_count) : !bits;
}

/* --- whom a command waits for --- */

static bool match_all(const DsaDescriptor *d, uint32_t operand)
{
    return true;
}

static bool match_wqs(const DsaDescriptor *d, uint32_t operand)
{
    return d->wq / 16 == (operand >> 16 & 0xf) && operand & BIT(d->wq % 16);
}

static bool match_pasid(const DsaDescriptor *d, uint32_t operand)
{
    return d->has_pasid && d->pasid == operand;
}

static DsaMatchFn *matcher(unsigned code)
{
    switch (code) {
    case CMD_DISABLE_WQ:
    case CMD_DRAIN_WQ:
    case CMD_ABORT_WQ:
    case CMD_RESET_WQ:
        return match_wqs;
    case CMD_DRAIN_PASID:
    case CMD_ABORT_PASID:
        return match_pasid;
    }
    return match_all;
}

/* --- the end of a command --- */

static void close_wqs(IntelDsa *dsa, uint64_t wqs)
{
    for (unsigned wq = 0; wq < dsa->wq_count; wq++) {
        if (wqs & BIT64(wq)) {
            dsa->wqs[wq].state = DSA_DISABLED;
            dsa->wqs[wq].credit = 0;
        }
    }
}

static void complete(IntelDsa *dsa, unsigned error, uint32_t result)
{
    trace_dsa_command_done(code_of(dsa->command), error, result);
    dsa->cmdstatus = error | result << 8;
    if (dsa->command & CMD_IRQ) {
        dsa_interrupt(dsa, DSA_CAUSE_COMMAND);
    }
}

static void complete_wait(IntelDsa *dsa)
{
    uint64_t wqs;

    switch (code_of(dsa->command)) {
    case CMD_DISABLE:
        close_wqs(dsa, UINT64_MAX);
        dsa->state = DSA_DISABLED;
        break;
    case CMD_DISABLE_WQ:
        find_wqs(dsa, dsa->command & CMD_OPERAND, &wqs);
        close_wqs(dsa, wqs);
        break;
    }
    complete(dsa, 0, 0);
}

static bool is_waiting(const IntelDsa *dsa)
{
    return dsa->cmdstatus & STATUS_ACTIVE;
}

static void begin_wait(IntelDsa *dsa)
{
    uint32_t operand = dsa->command & CMD_OPERAND;

    dsa->command_order = dsa->order;
    dsa->command_left = dsa_count_work(dsa, matcher(code_of(dsa->command)), operand, dsa->order);
    if (!dsa->command_left) {
        complete_wait(dsa);
        return;
    }
    dsa->cmdstatus = STATUS_ACTIVE;
}

void dsa_descriptor_gone(IntelDsa *dsa, const DsaDescriptor *d)
{
    if (is_waiting(dsa) && d->order < dsa->command_order &&
        matcher(code_of(dsa->command))(d, dsa->command & CMD_OPERAND) && !--dsa->command_left) {
        complete_wait(dsa);
    }
}

/* --- states --- */

static void place_queues(IntelDsa *dsa)
{
    uint32_t first = 0;

    for (unsigned wq = 0; wq < dsa->wq_count; wq++) {
        dsa->wqs[wq] = (DsaWq){ .first = first };
        first += *dsa_wqcfg(dsa, wq, DSA_WQ_SIZE);
    }
}

static unsigned enable_device(IntelDsa *dsa)
{
    unsigned error = dsa_check_device(dsa);

    if (!error) {
        place_queues(dsa);
        dsa->state = DSA_ENABLED;
        if (dsa->gencfg & DSA_GENCFG_EVENT_LOG) {
            dsa->evlstatus[0] = dsa->evlstatus[1] = 0;
        }
    }
    return error;
}

static unsigned enable_wq(IntelDsa *dsa, uint32_t operand)
{
    unsigned error = dsa_check_wq(dsa, operand & 0xff);

    if (!error) {
        dsa->wqs[operand & 0xff].state = DSA_ENABLED;
    }
    return error;
}

static void reset_wq(IntelDsa *dsa, unsigned wq)
{
    uint32_t size = *dsa_wqcfg(dsa, wq, DSA_WQ_SIZE);
    uint32_t *cfg = dsa_wqcfg(dsa, wq, 0);

    if (!dsa->is_configurable) {
        cfg[DSA_WQ_STATE] = 0;
        return;
    }
    memset(cfg, 0, DSA_WQ_DWORDS * sizeof(*cfg));
    cfg[DSA_WQ_SIZE] = size;
    if (dsa->has_wq_opcfg) {
        cfg[DSA_WQ_OPCFG] = (uint32_t)dsa->opcap;
        cfg[DSA_WQ_OPCFG + 1] = dsa->opcap >> 32;
    }
}

static void reset_now(IntelDsa *dsa, bool keeps_errors)
{
    dsa_abandon(dsa, match_all, 0);
    for (unsigned group = 0; group < DSA_PAGE_GROUPS && !keeps_errors; group++) {
        dsa->group_state[group] = DSA_GROUP_FREE;
    }
    memset(dsa->wqs, 0, sizeof(dsa->wqs));
    timer_cancel(&dsa->work);
    dsa->state = DSA_DISABLED;
    dsa->reset_type = 0;
    dsa->handles = 0;
    dsa->command_left = 0;
    dsa_atc_clear(dsa);
    dsa_reset_registers(dsa);
    if (!keeps_errors) {
        dsa->command = dsa->cmdstatus = 0;
        dsa->order = dsa->next_batch = 0;
        memset(dsa->swerror, 0, sizeof(dsa->swerror));
        memset(dsa->evlstatus, 0, sizeof(dsa->evlstatus));
    }
}

/* One that a device brings upon itself, by DMA, must not pull the ground from under the engine. */
void dsa_reset(IntelDsa *dsa, bool keeps_errors)
{
    if (dsa->is_working) {
        dsa->state = DSA_HALTED;
        dsa->is_reset_due = true;
        return;
    }
    dsa->is_reset_due = false;
    reset_now(dsa, keeps_errors);
}

void dsa_halt(IntelDsa *dsa, unsigned code)
{
    if (dsa->state == DSA_HALTED) {
        return;
    }
    dsa->state = DSA_HALTED;
    dsa->reset_type = 0;
    if (is_waiting(dsa)) {
        dsa->command_left = 0;
        complete(dsa, ERROR_HALTED, 0);
    }
    if (!dsa->is_working) {
        dsa_abandon(dsa, match_all, 0);
    }
    dsa_error(dsa, code, -1);
    if (dsa->genctrl & DSA_GENCTRL_HALT) {
        dsa_interrupt(dsa, DSA_CAUSE_HALT);
    }
}

/* --- commands --- */

static void stop_device(IntelDsa *dsa)
{
    if (dsa->state != DSA_ENABLED) {
        complete(dsa, ERROR_NOT_ENABLED, 0);
        return;
    }
    dsa->state = DSA_STOPPING;
    for (unsigned wq = 0; wq < dsa->wq_count; wq++) {
        if (dsa->wqs[wq].state == DSA_ENABLED) {
            dsa->wqs[wq].state = DSA_STOPPING;
        }
    }
    begin_wait(dsa);
}

static bool are_enabled(const IntelDsa *dsa, uint64_t wqs)
{
    for (unsigned wq = 0; wq < dsa->wq_count; wq++) {
        if (wqs & BIT64(wq) && dsa->wqs[wq].state != DSA_ENABLED) {
            return false;
        }
    }
    return true;
}

static void command_wqs(IntelDsa *dsa, unsigned code, uint32_t operand)
{
    uint64_t wqs;

    if (!find_wqs(dsa, operand, &wqs)) {
        complete(dsa, ERROR_WQ, 0);
        return;
    }
    if (code != CMD_RESET_WQ && !are_enabled(dsa, wqs)) {
        complete(dsa, ERROR_WQ_NOT_ENABLED, 0);
        return;
    }
    if (code == CMD_ABORT_WQ || code == CMD_RESET_WQ) {
        dsa_abandon(dsa, match_wqs, operand);
    }
    for (unsigned wq = 0; wq < dsa->wq_count; wq++) {
        if (wqs & BIT64(wq) && code == CMD_RESET_WQ) {
            close_wqs(dsa, BIT64(wq));
            reset_wq(dsa, wq);
        } else if (wqs & BIT64(wq) && code == CMD_DISABLE_WQ) {
            dsa->wqs[wq].state = DSA_STOPPING;
        }
    }
    begin_wait(dsa);
}

/* Handles are the vectors' numbers. */
static void command_handle(IntelDsa *dsa, unsigned code, uint32_t operand)
{
    unsigned vector = operand & 0xffff;

    if (operand & BIT(16) || vector >= dsa_vectors(dsa) ||
        (code == CMD_RELEASE_HANDLE && !(dsa->handles & BIT64(vector)))) {
        complete(dsa, ERROR_HANDLE, 0);
        return;
    }
    dsa->handles = code == CMD_REQUEST_HANDLE ? dsa->handles | BIT64(vector) :
                                                dsa->handles & ~BIT64(vector);
    complete(dsa, 0, code == CMD_REQUEST_HANDLE ? vector : 0);
}

static void run_command(IntelDsa *dsa, unsigned code, uint32_t operand)
{
    switch (code) {
    case CMD_ENABLE:
        complete(dsa, enable_device(dsa), 0);
        break;
    case CMD_DISABLE:
        stop_device(dsa);
        break;
    case CMD_ABORT:
    case CMD_ABORT_PASID:
        dsa_abandon(dsa, matcher(code), operand);
        complete(dsa, 0, 0);
        break;
    case CMD_DRAIN:
    case CMD_DRAIN_PASID:
        begin_wait(dsa);
        break;
    case CMD_RESET:
        dsa_reset(dsa, true);
        complete(dsa, 0, 0);
        break;
    case CMD_ENABLE_WQ:
        complete(dsa, enable_wq(dsa, operand), 0);
        break;
    case CMD_REQUEST_HANDLE:
    case CMD_RELEASE_HANDLE:
        command_handle(dsa, code, operand);
        break;
    default:
        command_wqs(dsa, code, operand);
        break;
    }
}

/* Operand bits that a command has no use for. */
static uint32_t unused_bits(unsigned code)
{
    switch (code) {
    case CMD_ENABLE_WQ:
        return CMD_OPERAND & ~0xffu;
    case CMD_DISABLE_WQ:
    case CMD_DRAIN_WQ:
    case CMD_ABORT_WQ:
    case CMD_RESET_WQ:
    case CMD_DRAIN_PASID:
    case CMD_ABORT_PASID:
        return 0;
    case CMD_REQUEST_HANDLE:
    case CMD_RELEASE_HANDLE:
        return 0xe0000;
    }
    return CMD_OPERAND;
}

void dsa_command(IntelDsa *dsa, uint32_t value)
{
    unsigned code = code_of(value);
    uint32_t operand = value & CMD_OPERAND;

    trace_dsa_command(code, operand, value & CMD_IRQ ? 1 : 0);
    if (is_waiting(dsa)) {
        dsa_error(dsa, DSA_COMMAND_BUSY, -1);
        return;
    }
    dsa->command = value;
    if (!code || code >= CMD_COUNT || (code >= CMD_REQUEST_HANDLE && !dsa->has_int_handles)) {
        complete(dsa, ERROR_UNKNOWN, 0);
    } else if (value & CMD_RESERVED || operand & unused_bits(code)) {
        complete(dsa, ERROR_RESERVED, 0);
    } else if (dsa->state == DSA_HALTED && code != CMD_RESET) {
        complete(dsa, ERROR_HALTED, 0);
    } else {
        run_command(dsa, code, operand);
    }
}
