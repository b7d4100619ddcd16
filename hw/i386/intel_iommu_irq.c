/*
 * intel-iommu: interrupt remapping. Messages of devices, IOAPICs and HPETs pass it on their way to
 * local APICs; entries are read from memory each time, so there is no cache to drop but those of
 * who keeps whole routes.
 *
 * Posted entries (behind x-posted-interrupts) set a bit of a descriptor in memory, and send its
 * notification when it was not outstanding.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#include "system/memory_log.h"
#include "trace.h"
#include "util/log.h"

/* A message's address. */
#define ADDR_REMAPPABLE BIT(4)
#define ADDR_SHV        BIT(3)
#define ADDR_INDEX_15   BIT(2)
/* An entry. */
#define IRTE_PRESENT    BIT64(0)
#define IRTE_FPD        BIT64(1)
#define IRTE_LOGICAL    BIT64(2)
#define IRTE_LEVEL      BIT64(4)
#define IRTE_POSTED     BIT64(15)
#define IRTE_URGENT     BIT64(14)
#define IRTE_RESERVED   UINT64_C(0xff007000)
#define POSTED_RESERVED UINT64_C(0x3fff0030fc) /* lo, but P, FPD, 11:8, URG, IM, vector */
#define IRTE_RESERVED_HI UINT64_C(0xfffffffffff00000)
#define POSTED_RESERVED_HI UINT64_C(0x00000000fff00000)
/* A posted interrupt descriptor: 256 bits of requests, then control. */
#define PID_OUTSTANDING BIT64(0)
#define PID_SUPPRESS    BIT64(1)

static bool block(IntelIommu *unit, uint16_t sid, uint32_t index, VtdFault code, bool is_quiet)
{
    if (is_quiet) {
        unit->counters.blocked++;
        unit->counters.faults[code]++;
    } else {
        vtd_report_irq_fault(unit, sid, index, code);
    }
    return false;
}

/* --- who may use an entry --- */

static bool is_source_valid(uint64_t hi, uint16_t sid, bool is_known)
{
    static const uint16_t masks[] = { 0xffff, 0xfffb, 0xfff9, 0xfff8 };
    uint8_t first = hi >> 8, last = hi;

    if (!is_known) { /* it has no bus: HPETs, in no table of ours */
        return true;
    }
    switch (hi >> 18 & 3) {
    case 0:
        return true;
    case 1:
        return !((hi ^ sid) & masks[hi >> 16 & 3]);
    case 2:
        return sid >> 8 >= first && sid >> 8 <= last;
    }
    return false;
}

static bool is_reserved(const IntelIommu *unit, const uint64_t entry[2])
{
    if (entry[0] & IRTE_POSTED) {
        return !unit->has_posting || entry[0] & POSTED_RESERVED || entry[1] & POSTED_RESERVED_HI;
    }
    return entry[0] & IRTE_RESERVED || entry[1] & IRTE_RESERVED_HI || (entry[1] >> 18 & 3) == 3 ||
           (!unit->has_wide_irqs && entry[0] >> 32 & UINT64_C(0xffff00ff));
}

static bool read_entry(IntelIommu *unit, uint16_t sid, bool is_known, uint32_t index,
                       uint64_t entry[2])
{
    bool is_quiet;

    if (index >= unit->irq_entries) {
        return block(unit, sid, index, VTD_IR_INDEX, false);
    }
    if (!vtd_read_words(unit->irq_table + 16 * index, entry, 2)) {
        return block(unit, sid, index, VTD_IR_UNREADABLE, false);
    }
    is_quiet = entry[0] & IRTE_FPD;
    if (!(entry[0] & IRTE_PRESENT)) {
        return block(unit, sid, index, VTD_IR_NOT_PRESENT, is_quiet);
    }
    if (is_reserved(unit, entry)) {
        return block(unit, sid, index, VTD_IR_ENTRY_RESERVED, is_quiet);
    }
    return is_source_valid(entry[1], sid, is_known) ||
           block(unit, sid, index, VTD_IR_SOURCE, is_quiet);
}

/* --- the two kinds of entries --- */

static void take_entry(const IntelIommu *unit, const uint64_t entry[2], ApicMessage *message)
{
    uint32_t dest = entry[0] >> 32;

    *message = (ApicMessage){
        .dest = unit->has_wide_irqs ? dest : dest >> 8 & 0xff,
        .has_wide_dest = unit->has_wide_irqs,
        .vector = entry[0] >> 16,
        .delivery = entry[0] >> 5 & 7,
        .is_logical = entry[0] & IRTE_LOGICAL,
        .is_level = entry[0] & IRTE_LEVEL,
    };
}

/* Sets the request; true if a notification is to be sent, which is in *message. */
static bool post(IntelIommu *unit, const uint64_t entry[2], ApicMessage *message)
{
    GuestAddr descriptor = (entry[0] >> 38 << 6 & 0xffffffff) | entry[1] >> 32 << 32;
    unsigned vector = entry[0] >> 16 & 0xff;
    uint64_t *words, control;
    MemoryTarget target;
    bool notifies = false;

    rcu_lock();
    address_space_find(address_space_system(), descriptor, (MemTxAttrs){ .is_memory = true }, true,
                       &target);
    words = target.is_writable && target.bytes >= 64 ? target.host : NULL;
    if (words) {
        __atomic_fetch_or(&words[vector / 64], GUINT64_TO_LE(BIT64(vector % 64)),
                          __ATOMIC_SEQ_CST);
        control = GUINT64_FROM_LE(__atomic_load_n(&words[4], __ATOMIC_SEQ_CST));
        if (!(control & PID_SUPPRESS) || entry[0] & IRTE_URGENT) {
            control = GUINT64_FROM_LE(__atomic_fetch_or(
                &words[4], GUINT64_TO_LE(PID_OUTSTANDING), __ATOMIC_SEQ_CST));
            notifies = !(control & PID_OUTSTANDING);
        }
        ram_block_mark_written(target.region->ram, target.offset, 64);
        *message = (ApicMessage){
            .vector = control >> 16, .has_wide_dest = unit->has_wide_irqs,
            .dest = unit->has_wide_irqs ? control >> 32 : control >> 40 & 0xff,
        };
    }
    rcu_unlock();
    return notifies;
}

static bool remap(IntelIommu *unit, const ApicMsi *msi, uint16_t sid, bool is_known,
                  ApicMessage *message)
{
    uint32_t addr = msi->addr, index = addr >> 5 & 0x7fff;
    uint64_t entry[2];

    index |= addr & ADDR_INDEX_15 ? 0x8000 : 0;
    if (addr & ADDR_SHV) {
        if (msi->data >> 16) {
            return block(unit, sid, index, VTD_IR_RESERVED, false);
        }
        index += msi->data & 0xffff;
    }
    if (!read_entry(unit, sid, is_known, index, entry)) {
        return false;
    }
    unit->counters.remapped++;
    if (entry[0] & IRTE_POSTED) {
        return post(unit, entry, message);
    }
    take_entry(unit, entry, message);
    trace_vtd_remap(sid, index, message->vector, message->dest);
    return true;
}

static bool translate(void *opaque, const ApicMsi *msi, ApicMessage *message)
{
    IntelIommu *unit = opaque;
    uint16_t sid = msi->is_ioapic ? VTD_IOAPIC_SID : msi->attrs.requester_id;
    bool is_known = msi->is_ioapic || msi->attrs.has_requester_id;
    bool is_on = unit->gsts & BIT(VTD_IRE);

    if (is_on && msi->addr & ADDR_REMAPPABLE) {
        return remap(unit, msi, sid, is_known, message);
    }
    if (is_on && (unit->has_wide_irqs || !(unit->gsts & BIT(VTD_CFI)))) {
        return block(unit, sid, 0, VTD_IR_COMPATIBILITY, false);
    }
    apic_bus_decode(msi, message);
    return true;
}

/* --- the window in each space: messages carry the number the unit knows them by --- */

/* A process's request, or a translated one, is no message: a fault, if its tables are good at all. */
static MemTxResult refuse(VtdSpace *space, GuestAddr addr, MemTxAttrs attrs, bool is_write)
{
    IommuRequest request = {
        .addr = addr, .requester = vtd_space_sid(space), .has_pasid = attrs.has_pasid,
        .pasid = attrs.pasid, .is_write = is_write,
        .type = attrs.is_translated ? IOMMU_TRANSLATED : IOMMU_UNTRANSLATED,
    };
    VtdContext context;
    IommuPage page;
    IommuFault fault;

    RCU_GUARD();
    if (space->unit->is_translating && !vtd_translate(space, &request, &page, &context, &fault)) {
        vtd_report_fault(space->unit, &request, fault);
    }
    return MEM_TX_ERROR;
}

static MemTxResult window_write(void *opaque, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                                uint64_t value)
{
    VtdSpace *space = opaque;
    ApicMsi msi = { .addr = APIC_WINDOW_ADDR + offset, .data = value, .attrs = attrs };

    if (attrs.has_pasid || attrs.is_translated) {
        return refuse(space, msi.addr, attrs, true);
    }
    if (bytes != 4) {
        guest_error("intel-iommu: interrupt message of %u bytes", bytes);
        return MEM_TX_OK;
    }
    msi.attrs.requester_id = vtd_space_sid(space);
    msi.attrs.has_requester_id = true;
    apic_bus_send(&msi);
    return MEM_TX_OK;
}

static MemTxResult window_read(void *opaque, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                               uint64_t *value)
{
    *value = UINT64_MAX;
    return attrs.has_pasid || attrs.is_translated ?
           refuse(opaque, APIC_WINDOW_ADDR + offset, attrs, false) : MEM_TX_ERROR;
}

const MemoryOps vtd_interrupt_window_ops = {
    .read_attrs = window_read,
    .write_attrs = window_write,
    .endian = ENDIAN_LITTLE,
    .valid = { 1, 8 },
    .impl = { 1, 8 },
};

/* --- life --- */

void vtd_irq_init(IntelIommu *unit)
{
    unit->remap = (ApicRemap){ translate, unit };
    if (vtd_has(unit, VTD_ECAP_IR)) {
        apic_bus_set_remap(&unit->remap);
    }
}

void vtd_irq_clear(IntelIommu *unit)
{
    if (vtd_has(unit, VTD_ECAP_IR)) {
        apic_bus_set_remap(NULL);
    }
}

void vtd_print_irqs(const IntelIommu *unit, GString *out)
{
    for (uint32_t i = 0; unit->gsts & BIT(VTD_SIRTP) && i < unit->irq_entries; i++) {
        uint64_t entry[2];

        if (vtd_read_words(unit->irq_table + 16 * i, entry, 2) && entry[0] & IRTE_PRESENT) {
            g_string_append_printf(out, "  irte %u: %s vector 0x%02x dest 0x%x source %04x\n", i,
                                   entry[0] & IRTE_POSTED ? "posted" : "remapped",
                                   (unsigned)(entry[0] >> 16 & 0xff), (unsigned)(entry[0] >> 32),
                                   (unsigned)(entry[1] & 0xffff));
        }
    }
}
