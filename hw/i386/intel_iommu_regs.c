/*
 * intel-iommu: its registers, and what writing to them does. Those of 64 bits are two of 32: either
 * half may be written, and an access of 8 bytes is one to each, the lower first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#include "trace.h"
#include "util/log.h"

#define VERSION 0x10

/* --- global commands --- */

void vtd_set_translating(IntelIommu *unit, bool is_on)
{
    unit->is_translating = is_on;
    if (!is_on) {
        unit->fsts &= ~0xff00u; /* FRI */
    }
    vtd_drop_all(unit);
    vtd_drop_contexts(unit);
}

static void set_root(IntelIommu *unit)
{
    uint64_t rtaddr = vtd_quad(unit->rtaddr);

    unit->root_table = rtaddr & ~UINT64_C(0xfff);
    unit->root_type = rtaddr >> 10 & 3;
    unit->is_scalable_root = unit->root_type == 1 && vtd_has(unit, VTD_ECAP_SMTS);
    trace_vtd_root(unit->root_table, unit->root_type);
    vtd_drop_all(unit);
    vtd_drop_contexts(unit);
}

static void set_irq_table(IntelIommu *unit)
{
    uint64_t irta = vtd_quad(unit->irta);

    unit->irq_table = irta & ~UINT64_C(0xfff);
    unit->irq_entries = 2u << (irta & 0xf);
    unit->has_wide_irqs = irta & BIT(11) && vtd_has(unit, VTD_ECAP_EIM);
    vtd_drop_irq_entries(unit);
}

static bool is_queue_idle(const IntelIommu *unit)
{
    return unit->iqh == unit->iqt[0] || unit->fsts & VTD_FSTS_IQE;
}

static void set_queue(IntelIommu *unit, bool is_on)
{
    if (!is_on && !is_queue_idle(unit)) {
        guest_error("intel-iommu: queue disabled while descriptors wait");
        return;
    }
    unit->iqh = 0;
    unit->gsts = (unit->gsts & ~BIT(VTD_QIE)) | (is_on ? BIT(VTD_QIE) : 0);
    vtd_run_queue(unit); /* there may be a tail already */
}

static void set_bit(IntelIommu *unit, unsigned bit, bool is_on)
{
    unit->gsts = (unit->gsts & ~BIT(bit)) | (is_on ? BIT(bit) : 0);
}

/* Commands without a lasting state. */
static void run_commands(IntelIommu *unit, uint32_t value)
{
    if (value & BIT(VTD_SRTP)) {
        set_root(unit);
        set_bit(unit, VTD_SRTP, true);
    }
    if (value & BIT(VTD_SIRTP) && vtd_has(unit, VTD_ECAP_IR)) {
        set_irq_table(unit);
        set_bit(unit, VTD_SIRTP, true);
    }
}

static void gcmd_write(Device *dev, unsigned n, uint64_t value)
{
    IntelIommu *unit = INTEL_IOMMU(dev);
    uint32_t changed = unit->gsts ^ value;

    trace_vtd_gcmd(value, unit->gsts);
    run_commands(unit, value);
    if (changed & BIT(VTD_QIE)) {
        set_queue(unit, value & BIT(VTD_QIE));
    }
    if (changed & BIT(VTD_TE) && unit->dma_translation) {
        set_bit(unit, VTD_TE, value & BIT(VTD_TE));
        vtd_set_translating(unit, value & BIT(VTD_TE));
    }
    if (changed & BIT(VTD_IRE) && vtd_has(unit, VTD_ECAP_IR)) {
        set_bit(unit, VTD_IRE, value & BIT(VTD_IRE));
        vtd_drop_irq_entries(unit);
    }
    if (changed & BIT(VTD_CFI) && vtd_has(unit, VTD_ECAP_IR)) {
        set_bit(unit, VTD_CFI, value & BIT(VTD_CFI));
        vtd_drop_irq_entries(unit);
    }
}

/* --- invalidation by registers --- */

/* They are dead while the queue is alive. */
static bool is_by_queue(IntelIommu *unit)
{
    if (unit->gsts & BIT(VTD_QIE) && !unit->has_noted_register_use) {
        unit->has_noted_register_use = true;
        guest_error("intel-iommu: register-based invalidation while the queue is enabled");
    }
    return unit->gsts & BIT(VTD_QIE);
}

static void ccmd_write(Device *dev, unsigned n, uint64_t value)
{
    IntelIommu *unit = INTEL_IOMMU(dev);
    unsigned granularity;

    if (n == 0) {
        unit->ccmd[0] = value;
        return;
    }
    unit->ccmd[1] = value & 0xe0000003;
    if (!(value & BIT(31)) || is_by_queue(unit)) {
        return;
    }
    unit->counters.invalidations[VTD_CONTEXT_CACHE]++;
    granularity = value >> 29 & 3;
    if (granularity == 3) {
        vtd_drop_device_contexts(unit, unit->ccmd[0] >> 16, value & 3);
    } else if (granularity) {
        vtd_drop_contexts(unit);
        granularity = 1;
    }
    unit->ccmd[1] = granularity << 27 | granularity << 29;
}

static uint64_t ccmd_read(Device *dev, unsigned n)
{
    const IntelIommu *unit = INTEL_IOMMU(dev);

    return n ? unit->ccmd[1] & ~3u : unit->ccmd[0] & 0xffff;
}

static unsigned drop_by_register(IntelIommu *unit, unsigned granularity, uint16_t domain)
{
    uint64_t iva = vtd_quad(unit->iva), pages = BIT64(iva & 0x3f);
    VtdRange range = { .domain = domain, .pasid = VTD_NO_PASID, .pages = pages,
                       .addr = (iva & ~UINT64_C(0xfff)) & ~(pages * 4096 - 1) };

    unit->counters.invalidations[VTD_IOTLB]++;
    switch (granularity) {
    case 1:
        vtd_drop_all(unit);
        break;
    case 2:
        vtd_drop_domain(unit, domain);
        break;
    case 3:
        if ((iva & 0x3f) > VTD_MAX_AM) {
            return 0;
        }
        vtd_drop_pages(unit, &range);
        break;
    }
    return granularity;
}

static void iotlb_write(Device *dev, unsigned n, uint64_t value)
{
    IntelIommu *unit = INTEL_IOMMU(dev);
    unsigned granularity = value >> 28 & 3;

    if (n == 0) {
        return;
    }
    unit->iotlb_reg[1] = value & 0xb003ffff;
    if (value & BIT(31) && !is_by_queue(unit)) {
        granularity = drop_by_register(unit, granularity, value);
        unit->iotlb_reg[1] = (unit->iotlb_reg[1] & ~BIT(31)) | granularity << 25;
    }
}

static uint64_t zero_read(Device *dev, unsigned n)
{
    return 0;
}

/* --- the queue, events --- */

static void iqt_written(Device *dev, unsigned n)
{
    if (n == 0) {
        vtd_run_queue(INTEL_IOMMU(dev));
    }
}

static uint64_t iqh_read(Device *dev, unsigned n)
{
    return n ? 0 : INTEL_IOMMU(dev)->iqh;
}

/* Software that changes a queue in use gets what is there; see vtd_run_queue(). */
static void iqa_write(Device *dev, unsigned n, uint64_t value)
{
    IntelIommu *unit = INTEL_IOMMU(dev);
    uint32_t mask = n ? UINT32_MAX : 0xfffff007 | (vtd_has(unit, VTD_ECAP_SMTS) ? BIT(11) : 0);

    unit->iqa[n] = value & mask;
}

static void ics_written(Device *dev)
{
    IntelIommu *unit = INTEL_IOMMU(dev);

    if (!unit->ics) {
        unit->done_event.control &= ~BIT(VTD_EVENT_IP);
    }
}

static void fectl_written(Device *dev)
{
    vtd_event_written(INTEL_IOMMU(dev), &INTEL_IOMMU(dev)->fault_event);
}

static void iectl_written(Device *dev)
{
    vtd_event_written(INTEL_IOMMU(dev), &INTEL_IOMMU(dev)->done_event);
}

static void pectl_written(Device *dev)
{
    vtd_event_written(INTEL_IOMMU(dev), &INTEL_IOMMU(dev)->page_event);
}

static uint64_t cap_read(Device *dev, unsigned n)
{
    return (uint32_t)(INTEL_IOMMU(dev)->cap >> 32 * n);
}

static uint64_t ecap_read(Device *dev, unsigned n)
{
    return (uint32_t)(INTEL_IOMMU(dev)->ecap >> 32 * n);
}

static uint64_t version_read(Device *dev, unsigned n)
{
    return VERSION;
}

#define MASKED BIT(VTD_EVENT_IM)
#define EVENT_ROWS(at, name, event, data_mask, hook)                                               \
    REG(at, name "CTL", IntelIommu, event.control, .reset = MASKED, .writable = MASKED,            \
        .written = hook),                                                                          \
    REG((at) + 4, name "DATA", IntelIommu, event.data, .writable = data_mask),                     \
    REG((at) + 8, name "ADDR", IntelIommu, event.addr, .writable = 0xfffffffc),                    \
    REG((at) + 12, name "UADDR", IntelIommu, event.upper_addr, .writable = UINT32_MAX)

const RegDef vtd_regs[VTD_REG_COUNT] = {
    REG_COMPUTED(0x000, "VER", .read = version_read),
    REG_COMPUTED(0x008, "CAP", .count = 2, .read = cap_read),
    REG_COMPUTED(0x010, "ECAP", .count = 2, .read = ecap_read),
    REG_COMPUTED(0x018, "GCMD", .read = zero_read, .write = gcmd_write),
    REG(0x01c, "GSTS", IntelIommu, gsts),
    REG(0x020, "RTADDR", IntelIommu, rtaddr[0], .writable = 0xfffffc00),
    REG(0x024, "RTADDR_HI", IntelIommu, rtaddr[1], .writable = UINT32_MAX),
    REG_BANK(0x028, "CCMD", IntelIommu, ccmd, 2, .read = ccmd_read, .write = ccmd_write),
    REG(0x034, "FSTS", IntelIommu, fsts,
        .clear_on_1 = VTD_FSTS_PFO | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE,
        .written = vtd_fsts_written),
    EVENT_ROWS(0x038, "FE", fault_event, 0xffff, fectl_written),
    REG_COMPUTED(0x058, "AFLOG", .count = 2, .read = zero_read),
    REG_COMPUTED(0x064, "PMEN", .read = zero_read),
    REG_COMPUTED(0x068, "PLMBASE", .read = zero_read),
    REG_COMPUTED(0x06c, "PLMLIMIT", .read = zero_read),
    REG_COMPUTED(0x070, "PHMBASE", .count = 2, .read = zero_read),
    REG_COMPUTED(0x078, "PHMLIMIT", .count = 2, .read = zero_read),
    REG_COMPUTED(0x080, "IQH", .count = 2, .read = iqh_read),
    REG_BANK(0x088, "IQT", IntelIommu, iqt, 1, .writable = 0x7fff0, .written_n = iqt_written),
    REG_COMPUTED(0x08c, "IQT_HI", .read = zero_read),
    REG_BANK(0x090, "IQA", IntelIommu, iqa, 2, .write = iqa_write),
    REG(0x09c, "ICS", IntelIommu, ics, .clear_on_1 = 1, .written = ics_written),
    EVENT_ROWS(0x0a0, "IE", done_event, UINT32_MAX, iectl_written),
    REG_BANK(0x0b0, "IQERCD", IntelIommu, iqercd, 2),
    REG(0x0b8, "IRTA", IntelIommu, irta[0], .writable = 0xfffff80f),
    REG(0x0bc, "IRTA_HI", IntelIommu, irta[1], .writable = UINT32_MAX),
    REG(0x0f0, "IVA", IntelIommu, iva[0], .writable = 0xfffff07f, .read = zero_read),
    REG(0x0f4, "IVA_HI", IntelIommu, iva[1], .writable = UINT32_MAX, .read = zero_read),
    REG_BANK(0x0f8, "IOTLB", IntelIommu, iotlb_reg, 2, .write = iotlb_write),
    REG_COMPUTED(0x100, "MTRRCAP", .count = 2, .read = zero_read),
    REG_COMPUTED(0x108, "MTRRDEF", .count = 2, .read = zero_read),
    REG_BANK(0x220, "FRCD", IntelIommu, frcd, 4, .write = vtd_frcd_written),
};

/* At VTD_PRQ_AT; only with page requests. */
const RegDef vtd_page_regs[VTD_PAGE_REG_COUNT] = {
    REG(0x00, "PQH", IntelIommu, pqh[0], .writable = 0x7ffe0),
    REG(0x04, "PQH_HI", IntelIommu, pqh[1]),
    REG(0x08, "PQT", IntelIommu, pqt[0], .writable = 0x7ffe0),
    REG(0x0c, "PQT_HI", IntelIommu, pqt[1]),
    REG(0x10, "PQA", IntelIommu, pqa[0], .writable = 0xfffff007),
    REG(0x14, "PQA_HI", IntelIommu, pqa[1], .writable = UINT32_MAX),
    REG(0x1c, "PRS", IntelIommu, prs, .clear_on_1 = 3, .written = vtd_prs_written),
    EVENT_ROWS(0x20, "PE", page_event, 0xffff, pectl_written),
};
