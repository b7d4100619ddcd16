/*
 * intel-iommu: faults that are recorded, and the events that tell software of them.
 *
 * There is one record. Events are messages that go to local APICs as they are: remapping is for
 * what devices send.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#include "system/machine_lock.h"
#include "trace.h"
#include "util/log.h"

/* Of a record's upper words. */
#define FRCD_F       BIT(31) /* word 3 */
#define FRCD_READ    BIT(30)
#define FRCD_AT      28      /* two bits: the request's type */
#define FRCD_PP      BIT(31) /* word 2 */
#define FRCD_EXECUTE BIT(30)
#define FRCD_PRIV    BIT(29)
#define PRS_PENDING  0x3
#define ICS_IWC      BIT(0)

#define FSTS_ANY (VTD_FSTS_PFO | VTD_FSTS_PPF | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE)

/* --- events --- */

static void send(const IntelIommu *unit, const VtdEvent *event)
{
    ApicMessage message = {
        .dest = (event->addr >> 12 & 0xff) | (unit->has_wide_irqs ? event->upper_addr & ~0xffu : 0),
        .is_logical = event->addr & BIT(2),
        .vector = event->data & 0xff,
        .delivery = event->data >> 8 & 7,
        .has_wide_dest = unit->has_wide_irqs,
    };

    trace_vtd_notify(event->addr, event->data);
    apic_bus_deliver(&message);
}

static void send_if_wanted(IntelIommu *unit, VtdEvent *event)
{
    if (event->control & BIT(VTD_EVENT_IP) && !(event->control & BIT(VTD_EVENT_IM))) {
        event->control &= ~BIT(VTD_EVENT_IP);
        send(unit, event);
    }
}

void vtd_raise_event(IntelIommu *unit, VtdEvent *event)
{
    event->control |= BIT(VTD_EVENT_IP);
    send_if_wanted(unit, event);
}

void vtd_event_written(IntelIommu *unit, VtdEvent *event)
{
    send_if_wanted(unit, event);
}

/* --- status --- */

static bool is_fault_pending(const IntelIommu *unit)
{
    return unit->fsts & FSTS_ANY;
}

static void set_status(IntelIommu *unit, uint32_t bits)
{
    bool was_pending = is_fault_pending(unit);

    unit->fsts |= bits;
    if (!was_pending) {
        vtd_raise_event(unit, &unit->fault_event);
    }
}

/* Software has seen all of it: an event that waited is void. */
static void withdraw_event(IntelIommu *unit)
{
    if (!is_fault_pending(unit)) {
        unit->fault_event.control &= ~BIT(VTD_EVENT_IP);
    }
}

void vtd_fsts_written(Device *dev)
{
    IntelIommu *unit = INTEL_IOMMU(dev);

    withdraw_event(unit);
    if (!(unit->fsts & VTD_FSTS_IQE)) {
        unit->iqercd[0] &= ~0xfu;
        vtd_run_queue(unit);
    }
}

void vtd_frcd_written(Device *dev, unsigned n, uint64_t value)
{
    IntelIommu *unit = INTEL_IOMMU(dev);

    if (n == 3 && value & FRCD_F) {
        unit->frcd[3] &= ~FRCD_F;
        unit->fsts &= ~VTD_FSTS_PPF;
        withdraw_event(unit);
    }
}

void vtd_report_queue_error(IntelIommu *unit, uint8_t reason)
{
    trace_vtd_queue_error(unit->iqh, reason);
    guest_error("intel-iommu: invalidation queue stops at 0x%x, reason %u", unit->iqh, reason);
    unit->iqercd[0] = (unit->iqercd[0] & ~0xfu) | reason;
    set_status(unit, VTD_FSTS_IQE);
}

/* --- records --- */

static void record(IntelIommu *unit, const uint32_t words[4])
{
    bool is_same_source = (unit->frcd[2] & 0xffff) == (words[2] & 0xffff);

    if (unit->fsts & VTD_FSTS_PFO) {
        return;
    }
    if (unit->frcd[3] & FRCD_F) {
        if (!is_same_source) {
            set_status(unit, VTD_FSTS_PFO);
        }
        return;
    }
    memcpy(unit->frcd, words, sizeof(unit->frcd));
    unit->frcd[3] |= FRCD_F;
    set_status(unit, VTD_FSTS_PPF);
}

void vtd_report_fault(IntelIommu *unit, const IommuRequest *request, IommuFault fault)
{
    uint64_t addr = request->addr & ~UINT64_C(0xfff);
    uint32_t words[4] = {
        addr, addr >> 32,
        request->requester | (request->has_pasid ? FRCD_PP : 0) |
            (request->is_execute ? FRCD_EXECUTE : 0) | (request->is_privileged ? FRCD_PRIV : 0),
        fault.code | (request->is_write ? 0 : FRCD_READ) |
            (request->has_pasid ? request->pasid << 8 : 0) | (uint32_t)request->type << FRCD_AT,
    };
    MACHINE_LOCK_SCOPE();

    unit->counters.faults[fault.code]++;
    trace_vtd_fault(request->requester, request->has_pasid ? (int32_t)request->pasid : -1,
                    request->addr, request->is_write, fault.code, fault.is_suppressed);
    if (!fault.is_suppressed) {
        record(unit, words);
    }
}

void vtd_report_irq_fault(IntelIommu *unit, uint16_t sid, uint32_t index, VtdFault code)
{
    const uint32_t words[4] = { 0, index << 16, sid, code };

    machine_lock_assert_held();
    unit->counters.faults[code]++;
    unit->counters.blocked++;
    trace_vtd_irq_fault(sid, index, code);
    record(unit, words);
}
