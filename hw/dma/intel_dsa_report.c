/*
 * intel-dsa: how it tells what happened: completion records, SWERROR, the event log, interrupts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#include "trace.h"

#define SWERROR_VALID    BIT(0)
#define SWERROR_OVERFLOW BIT(1)
#define HAS_DESCRIPTOR   BIT64(2)
#define HAS_WQ           BIT64(3)
#define IS_MEMBER        BIT64(4)
#define IS_WRITE         BIT64(5)
#define IS_PRIVILEGED    BIT64(6)
#define HAS_INFO         BIT64(7)
#define EVENT_BYTES      64
#define EVENT_PENDING    BIT(30)
#define INFO_WANTS_IRQ   BIT(16)
#define INFO_WANTS_CR    BIT(18)
#define INFO_FIRST       BIT(19)
#define MSIXPERM_IGNORE  BIT(2)

/* --- interrupts --- */

/* Entry 0; the cause is there before the message is. */
void dsa_interrupt(IntelDsa *dsa, uint32_t cause)
{
    dsa->intcause |= cause;
    msix_notify(&dsa->parent, 0);
}

void dsa_finish_interrupt(IntelDsa *dsa, const DsaRun *run)
{
    unsigned handle = load_le16(run->d.bytes + 36);

    if (dsa_may_interrupt(dsa, run) && run->status != DSA_BAD_HANDLE &&
        !(dsa->msixperm[handle] & MSIXPERM_IGNORE)) {
        msix_notify(&dsa->parent, handle);
    }
}

void dsa_check_occupancy(IntelDsa *dsa, unsigned wq)
{
    uint32_t limit = *dsa_wqcfg(dsa, wq, DSA_WQ_OCCUPANCY_LIMIT);
    uint32_t *state = dsa_wqcfg(dsa, wq, DSA_WQ_STATE);
    unsigned vector = *dsa_wqcfg(dsa, wq, DSA_WQ_OCCUPANCY_IRQ) & 0xffff;

    if (dsa->wqs[wq].state == DSA_DISABLED || !(limit & DSA_OCCUPANCY_ENABLE) ||
        *state & DSA_OCCUPANCY_DONE || dsa->wqs[wq].count > (limit & 0xffff) ||
        vector >= dsa_vectors(dsa)) {
        return;
    }
    *state |= DSA_OCCUPANCY_DONE;
    if (vector) {
        msix_notify(&dsa->parent, vector);
    } else {
        dsa_interrupt(dsa, DSA_CAUSE_OCCUPANCY);
    }
}

/* --- SWERROR: the first error, until it is acknowledged --- */

static void set_swerror(IntelDsa *dsa, const uint64_t quads[3])
{
    trace_dsa_error(quads[0] >> 8 & 0xff, quads[0], quads[2]);
    if (dsa->swerror[0] & SWERROR_VALID) {
        dsa->swerror[0] |= SWERROR_OVERFLOW;
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        dsa->swerror[2 * i] = quads[i];
        dsa->swerror[2 * i + 1] = quads[i] >> 32;
    }
    dsa->swerror[6] = dsa->swerror[7] = 0;
    dsa->swerror[0] |= SWERROR_VALID;
    if (dsa->genctrl & DSA_GENCTRL_SWERROR) {
        dsa_interrupt(dsa, DSA_CAUSE_SWERROR);
    }
}

void dsa_error(IntelDsa *dsa, unsigned code, int wq)
{
    uint64_t quads[3] = { code << 8 | (wq < 0 ? 0 : HAS_WQ | (unsigned)wq << 16) };

    set_swerror(dsa, quads);
}

/* --- what SWERROR and the event log have in common --- */

static bool is_fault(unsigned code)
{
    return code == DSA_PAGE_FAULT || code == DSA_PAGE_INVALID || code == DSA_LIST_FAULT ||
           code == DSA_CRA_FAULT;
}

static uint64_t first_quad(const DsaRun *run, unsigned code)
{
    return HAS_DESCRIPTOR | HAS_WQ | (run->is_member ? IS_MEMBER : 0) |
           (is_fault(code) && run->is_fault_write ? IS_WRITE : 0) |
           (run->d.is_privileged ? IS_PRIVILEGED : 0) | code << 8 | (uint64_t)run->d.wq << 16 |
           (uint64_t)dsa_opcode(run) << 32 |
           (uint64_t)(run->d.has_pasid ? run->d.pasid : 0) << 40;
}

static uint32_t member_index(IntelDsa *dsa, const DsaRun *run)
{
    return run->is_member ? dsa_engine_of(dsa, run)->runs[0].done : 0;
}

static void report_swerror(IntelDsa *dsa, const DsaRun *run, unsigned code)
{
    uint64_t quads[3] = { first_quad(run, code), member_index(dsa, run) & 0xffff,
                          is_fault(code) || code == DSA_NO_TRANSLATION ? run->fault_addr : 0 };

    if (code == DSA_BAD_FLAGS) {
        quads[0] |= HAS_INFO;
        quads[1] |= (uint64_t)run->info << 32;
    }
    set_swerror(dsa, quads);
}

/* --- completion records --- */

static void fill_dif_tags(const DsaRun *run, uint8_t record[32])
{
    unsigned opcode = dsa_opcode(run);

    for (unsigned side = 0; side < 2; side++) {
        bool has_side = side ? opcode == DSA_DIF_INSERT || opcode == DSA_DIF_UPDATE :
                               opcode != DSA_DIF_INSERT;
        uint8_t *at = record + 16 + 8 * side;

        if (has_side) {
            store_le32(at, run->blocks_ref[side]);
            memcpy(at + 4, run->d.bytes + 48 + 8 * side + 4, 2);
            store_le16(at + 6, run->blocks_app[side]);
        }
    }
}

void dsa_fill_record(const DsaRun *run, uint8_t record[32])
{
    bool is_whole = run->status == DSA_SUCCESS || run->status == DSA_FALSE;
    unsigned opcode = dsa_opcode(run);

    memset(record, 0, 32);
    record[0] = run->status |
                (is_fault(run->status) && run->is_fault_write ? DSA_STATUS_WROTE : 0);
    record[1] = run->result;
    store_le32(record + 4, is_whole && opcode != DSA_BATCH && !run->result ? 0 : run->done);
    if (is_fault(run->status)) {
        store_le64(record + 8, run->fault_addr);
    }
    if (run->status == DSA_BAD_FLAGS) {
        store_le32(record + 16, run->info);
    } else if (opcode == DSA_CRC || opcode == DSA_COPY_CRC || opcode == DSA_CREATE_DELTA) {
        store_le32(record + 16, run->value);
    } else if (opcode >= DSA_DIF_CHECK && opcode <= DSA_DIF_UPDATE &&
               run->status < DSA_BAD_OPCODE) {
        fill_dif_tags(run, record);
    }
}

static bool is_success(unsigned status)
{
    return status == DSA_SUCCESS || status == DSA_FALSE || status == DSA_MEMBER_FAILED;
}

static bool wants_record(const DsaRun *run)
{
    uint32_t flags = dsa_flags(run);

    return flags & DSA_CRAV && (flags & DSA_RCR || !is_success(run->status));
}

static bool is_never_recorded(unsigned status)
{
    return status == DSA_CRA_FAULT || status == DSA_BAD_CRA || status == DSA_BAD_PRIVILEGE;
}

static bool is_always_logged(unsigned status)
{
    return is_never_recorded(status) || status == DSA_BAD_HANDLE || status == DSA_NO_TRANSLATION;
}

bool dsa_log_is_on(const IntelDsa *dsa)
{
    return dsa->gencfg & DSA_GENCFG_EVENT_LOG;
}

/* The code under which a record goes to the event log instead of to memory; 0: it does not. */
static unsigned logged_record(IntelDsa *dsa, DsaRun *run)
{
    if (!dsa_log_is_on(dsa) || !wants_record(run)) {
        return 0;
    }
    if (run->is_cra_bad) {
        return DSA_CRA_FAULT;
    }
    if (dsa_opcode(run) == DSA_DRAIN && run->status == DSA_SUCCESS &&
        !dsa_page_requests_on(dsa, run)) {
        return DSA_DRAIN_LOGGED;
    }
    return dsa_opcode(run) == DSA_BATCH && dsa_engine_of(dsa, run)->has_logged ? DSA_BATCH_LOGGED :
                                                                                 0;
}

static bool must_log(IntelDsa *dsa, DsaRun *run)
{
    return is_always_logged(run->status) || run->is_cra_bad || logged_record(dsa, run) ||
           (!(dsa_flags(run) & DSA_CRAV) && !is_success(run->status));
}

DsaStep dsa_record(IntelDsa *dsa, DsaRun *run)
{
    uint8_t record[32];

    if (wants_record(run) && !is_never_recorded(run->status) && !run->is_cra_bad &&
        !logged_record(dsa, run)) {
        DsaRun kept = *run;
        DsaStep step;

        dsa_fill_record(run, record);
        step = dsa_write_record(dsa, run, record);
        if (step == DSA_WAITS) {
            return step;
        }
        if (step == DSA_FAILS) { /* its own outcome stays what the log will tell */
            kept.fault_addr = run->fault_addr;
            kept.fault_operand = run->fault_operand;
            kept.is_fault_write = true;
            *run = kept;
            run->is_cra_bad = true;
        }
    }
    run->phase = must_log(dsa, run) ? DSA_LOGGING : DSA_NOTIFYING;
    return DSA_MORE;
}

/* --- the event log --- */

static unsigned event_code(IntelDsa *dsa, DsaRun *run)
{
    unsigned code = logged_record(dsa, run);

    return code ? code : run->is_cra_bad ? DSA_CRA_FAULT : run->status;
}

static uint32_t event_info(IntelDsa *dsa, const DsaRun *run, unsigned code)
{
    if (code == DSA_BAD_FLAGS) {
        return run->info;
    }
    if (code == DSA_BAD_HANDLE || code == DSA_CRA_FAULT || code == DSA_DRAIN_LOGGED ||
        code == DSA_BATCH_LOGGED) {
        return load_le16(run->d.bytes + 36) | (dsa_flags(run) & DSA_RCI ? INFO_WANTS_IRQ : 0) |
               (wants_record(run) ? INFO_WANTS_CR : 0) |
               (run->is_member && !dsa_engine_of(dsa, run)->has_logged ? INFO_FIRST : 0);
    }
    return is_fault(code) ? (uint32_t)run->fault_operand << 29 : 0;
}

static void fill_event(IntelDsa *dsa, DsaRun *run, unsigned code, uint8_t event[EVENT_BYTES])
{
    bool has_record = code == DSA_BAD_HANDLE || code == DSA_CRA_FAULT ||
                      code == DSA_DRAIN_LOGGED || code == DSA_BATCH_LOGGED;
    bool is_batch = run->is_member || dsa_opcode(run) == DSA_BATCH;
    uint32_t info = event_info(dsa, run, code);

    memset(event, 0, EVENT_BYTES);
    store_le64(event, first_quad(run, code) | (info ? HAS_INFO : 0));
    event[3] = is_batch ? dsa_engine_of(dsa, run)->batch : 0;
    store_le16(event + 8, member_index(dsa, run));
    store_le32(event + 12, info);
    store_le64(event + 16, has_record && code != DSA_BAD_HANDLE ? dsa_cra(run) :
                           is_fault(code) ? run->fault_addr : 0);
    if (has_record && wants_record(run)) {
        dsa_fill_record(run, event + 32);
    }
}

static bool write_event(IntelDsa *dsa, uint32_t slot, const uint8_t event[EVENT_BYTES])
{
    uint64_t base = (dsa->evlcfg[0] & 0xfffff000) | (uint64_t)dsa->evlcfg[1] << 32;
    uint32_t pasid = dsa->evlcfg[2] >> 16 | (dsa->evlcfg[3] & 0xf) << 16;
    MemTxAttrs attrs = pci_device_attrs(&dsa->parent);

    if (dsa->evlcfg[0] & 1) {
        attrs = dma_attrs_with_pasid(attrs, pasid);
    }
    return dma_write(pci_device_dma_as(&dsa->parent), base + slot * EVENT_BYTES, attrs, event,
                     EVENT_BYTES) == MEM_TX_OK;
}

/* Full, it makes the engine wait until the guest has read some. */
static DsaStep append_event(IntelDsa *dsa, const uint8_t event[EVENT_BYTES])
{
    uint32_t entries = dsa->evlcfg[2] & 0xffff, tail = dsa->evlstatus[1] & 0xffff;
    uint32_t next = tail + 1 < entries ? tail + 1 : 0;

    if (next == (dsa->evlstatus[0] & 0xffff)) {
        return DSA_WAITS;
    }
    if (!write_event(dsa, tail, event)) {
        dsa_error(dsa, DSA_LOG_LOST, -1);
        return DSA_DONE;
    }
    dsa->evlstatus[1] = (dsa->evlstatus[1] & ~0xffffu) | next;
    if (dsa->genctrl & DSA_GENCTRL_EVENT_LOG && !(dsa->evlstatus[1] & EVENT_PENDING)) {
        dsa->evlstatus[1] |= EVENT_PENDING;
        dsa_interrupt(dsa, DSA_CAUSE_EVENT_LOG);
    }
    return DSA_DONE;
}

DsaStep dsa_log(IntelDsa *dsa, DsaRun *run)
{
    unsigned code = event_code(dsa, run);
    uint8_t event[EVENT_BYTES];

    if (!dsa_log_is_on(dsa)) {
        report_swerror(dsa, run, code);
    } else {
        fill_event(dsa, run, code, event);
        if (append_event(dsa, event) == DSA_WAITS) {
            return DSA_WAITS;
        }
        dsa_engine_of(dsa, run)->has_logged |= run->is_member && logged_record(dsa, run);
    }
    run->phase = DSA_NOTIFYING;
    return DSA_MORE;
}
