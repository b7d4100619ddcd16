/*
 * intel-iommu: the invalidation queue: descriptors of 128 and 256 bits.
 *
 * All that is there is done when the tail is written; a descriptor that cannot be read or
 * understood stops the queue until software clears FSTS.IQE.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#include "trace.h"

/* IQERCD.IQEI. */
enum { REASON_TAIL = 1, REASON_FETCH, REASON_TYPE, REASON_RESERVED, REASON_WIDTH,
       REASON_ALIGNMENT };

#define ALL_WORDS_RESERVED UINT64_MAX
#define GRANULARITY(lo)  ((unsigned)((lo) >> 4 & 3))
#define DOMAIN(lo)       ((uint16_t)((lo) >> 16))
#define PASID(lo)        ((uint32_t)((lo) >> 32 & 0xfffff))
#define ADDRESS(hi)      ((hi) & ~UINT64_C(0xfff))
#define MASK_BITS(hi)    ((unsigned)((hi) & 0x3f))
#define IS_LEAF(hi)      (((hi) & 0x40) != 0)

/* --- the descriptors; each says whether it can be done --- */

static bool do_context(IntelIommu *unit, const uint64_t *words)
{
    switch (GRANULARITY(words[0])) {
    case 1:
    case 2: /* by domain: re-reading all is as good */
        vtd_drop_contexts(unit);
        return true;
    case 3:
        vtd_drop_device_contexts(unit, words[0] >> 32, words[0] >> 48 & 3);
        return true;
    }
    return false;
}

static VtdRange page_range(const uint64_t *words)
{
    uint64_t pages = BIT64(MASK_BITS(words[1]));

    return (VtdRange){ .domain = DOMAIN(words[0]), .pasid = VTD_NO_PASID, .pages = pages,
                       .addr = ADDRESS(words[1]) & ~(pages * 4096 - 1),
                       .is_leaf = IS_LEAF(words[1]) };
}

static bool do_iotlb(IntelIommu *unit, const uint64_t *words)
{
    VtdRange range;

    switch (GRANULARITY(words[0])) {
    case 1:
        vtd_drop_all(unit);
        return true;
    case 2:
        vtd_drop_domain(unit, DOMAIN(words[0]));
        return true;
    case 3:
        if (MASK_BITS(words[1]) > VTD_MAX_AM) {
            return false;
        }
        range = page_range(words);
        vtd_drop_pages(unit, &range);
        return true;
    }
    return false;
}

/* The size is in the address: 8 KiB, twice that for each one from bit 12 on. */
static uint64_t device_bytes(uint64_t addr, bool is_sized)
{
    unsigned ones = 0;

    if (!is_sized) {
        return 4096;
    }
    while (ones < 52 && addr >> (12 + ones) & 1) {
        ones++;
    }
    return ones >= 51 ? 0 : UINT64_C(8192) << ones;
}

static bool drop_device(IntelIommu *unit, uint16_t sid, uint32_t pasid, uint64_t addr,
                        bool is_sized)
{
    uint64_t bytes = device_bytes(addr, is_sized);

    vtd_drop_device_tlb(unit, sid, pasid, ADDRESS(addr) & ~(bytes - 1), bytes);
    return true;
}

static bool do_device_tlb(IntelIommu *unit, const uint64_t *words)
{
    return drop_device(unit, words[0] >> 32, VTD_NO_PASID, words[1], words[1] & 1);
}

static bool do_pasid_device_tlb(IntelIommu *unit, const uint64_t *words)
{
    bool is_global = words[1] & 1;

    return drop_device(unit, words[0] >> 16, is_global ? VTD_NO_PASID : PASID(words[0]),
                       words[1], words[1] >> 11 & 1);
}

static bool do_irq_entries(IntelIommu *unit, const uint64_t *words)
{
    vtd_drop_irq_entries(unit);
    return true;
}

#define WAIT_INTERRUPT BIT(4)
#define WAIT_STATUS    BIT(5)
#define WAIT_FENCE     BIT(6)
#define WAIT_DRAIN     BIT(7)
#define ICS_IWC        BIT(0)

static bool do_wait(IntelIommu *unit, const uint64_t *words)
{
    unsigned what = words[0] & (WAIT_INTERRUPT | WAIT_STATUS | WAIT_FENCE | WAIT_DRAIN);

    if (!what || (what & WAIT_DRAIN && !vtd_has(unit, VTD_ECAP_PDS)) ||
        (what & WAIT_STATUS && words[1] & 3)) {
        return false;
    }
    if (what & WAIT_STATUS) {
        address_space_store(address_space_system(), words[1], MEM_LE32,
                            (MemTxAttrs){ .is_memory = true }, words[0] >> 32);
    }
    if (what & WAIT_INTERRUPT && !(unit->ics & ICS_IWC)) {
        unit->ics |= ICS_IWC;
        vtd_raise_event(unit, &unit->done_event);
    }
    return true;
}

static bool do_pasid_iotlb(IntelIommu *unit, const uint64_t *words)
{
    VtdRange range = page_range(words);

    range.pasid = PASID(words[0]);
    switch (GRANULARITY(words[0])) {
    case 2:
        range.addr = range.pages = 0;
        vtd_drop_pasid_pages(unit, &range);
        return true;
    case 3:
        if (MASK_BITS(words[1]) > VTD_MAX_AM) {
            return false;
        }
        vtd_drop_pasid_pages(unit, &range);
        return true;
    }
    return false;
}

static bool do_pasid_cache(IntelIommu *unit, const uint64_t *words)
{
    unsigned granularity = GRANULARITY(words[0]);

    if (granularity == 2) {
        return false;
    }
    vtd_forget_contexts(unit);
    vtd_switch_all(unit);
    vtd_sync_hosts(unit, granularity == 3 ? -1 : DOMAIN(words[0]),
                   granularity == 1 ? PASID(words[0]) : VTD_NO_PASID);
    return true;
}

static bool do_page_response(IntelIommu *unit, const uint64_t *words)
{
    VtdPageResponse response = {
        .sid = words[0] >> 16,
        .pasid = words[0] & BIT(4) ? PASID(words[0]) : VTD_NO_PASID,
        .code = words[0] >> 12 & 0xf,
        .group = words[1] >> 3 & 0x1ff,
    };

    vtd_page_response(unit, &response);
    return true;
}

static const struct DescriptorDef {
    const char *name;
    bool (*run)(IntelIommu *unit, const uint64_t *words);
    uint64_t reserved[2];
    uint8_t needs; /* a bit of ECAP; 0: none */
    bool is_wide;  /* for 256-bit queues only */
    bool has_private_data;
} descriptors[16] = {
    [VTD_CONTEXT_CACHE] = { "context-cache", do_context, { UINT64_C(0xfffc00000000f1c0), ALL_WORDS_RESERVED } },
    [VTD_IOTLB] = { "iotlb", do_iotlb, { UINT64_C(0xffffffff0000f100), 0xf80 } },
    [3] = { "device-tlb", do_device_tlb, { UINT64_C(0x000f0000ffe001f0), 0xffe },
            VTD_ECAP_DT },
    [4] = { "interrupt-entry-cache", do_irq_entries, { UINT64_C(0xffff000007fff1e0),
            ALL_WORDS_RESERVED }, VTD_ECAP_IR },
    [5] = { "wait", do_wait, { 0xfffff100, 0 } },
    [6] = { "pasid-iotlb", do_pasid_iotlb, { UINT64_C(0xfff000000000f1c0), 0xf80 },
            VTD_ECAP_SMTS, true },
    [7] = { "pasid-cache", do_pasid_cache, { UINT64_C(0xfff000000000f1c0), ALL_WORDS_RESERVED },
            VTD_ECAP_SMTS, true },
    [8] = { "pasid-device-tlb", do_pasid_device_tlb, { 0, 0x7fe }, VTD_ECAP_DT, true },
    [9] = { "page-response", do_page_response, { UINT64_C(0xfff00000000001e0),
            UINT64_C(0xfffffffffffff003) }, VTD_ECAP_PRS, true, true },
};

const char *vtd_descriptor_name(unsigned type)
{
    return descriptors[type].name;
}

/* --- the queue --- */

static bool is_wide_queue(const IntelIommu *unit)
{
    return unit->iqa[0] & BIT(11);
}

/* 0: done; else why not. */
static uint8_t run_one(IntelIommu *unit, const uint64_t words[4])
{
    unsigned type = (words[0] & 0xf) | (words[0] >> 9 & 7) << 4;
    const struct DescriptorDef *def = type < ARRAY_SIZE(descriptors) ? &descriptors[type] : NULL;
    uint64_t upper = words[2] | words[3];

    if (!def || !def->run || (def->needs && !vtd_has(unit, def->needs))) {
        return REASON_TYPE;
    }
    if (def->is_wide && !is_wide_queue(unit)) {
        return REASON_WIDTH;
    }
    if (words[0] & def->reserved[0] || words[1] & def->reserved[1] ||
        (upper && !def->has_private_data)) {
        return REASON_RESERVED;
    }
    unit->counters.invalidations[type]++;
    trace_vtd_descriptor(def->name, words[0], words[1]);
    return def->run(unit, words) ? 0 : REASON_RESERVED;
}

static bool stop(IntelIommu *unit, uint8_t reason)
{
    vtd_report_queue_error(unit, reason);
    return false;
}

/* Descriptors are read some at a time; how many cannot be seen. */
#define MOST_WORDS 32

/* Where the queue is, as it was when its tail was written. */
typedef struct Queue {
    GuestAddr base;
    uint32_t bytes, descriptor_bytes, tail;
} Queue;

/* From the head on; 0: not even the first can be read. */
static uint32_t fetch(const IntelIommu *unit, const Queue *queue, uint64_t *words)
{
    uint32_t end = queue->tail > unit->iqh ? queue->tail : queue->bytes;
    uint32_t bytes = MIN(end - unit->iqh, MOST_WORDS * 8);
    GuestAddr at = queue->base + unit->iqh;

    if (vtd_read_words(at, words, bytes / 8)) {
        return bytes;
    }
    bytes = queue->descriptor_bytes;
    return vtd_read_words(at, words, bytes / 8) ? bytes : 0;
}

/* False: it stands still. */
static bool run_some(IntelIommu *unit, const Queue *queue)
{
    uint64_t words[MOST_WORDS];
    uint32_t bytes = fetch(unit, queue, words), step = queue->descriptor_bytes;

    if (!bytes) {
        return stop(unit, REASON_FETCH);
    }
    for (uint32_t at = 0; at < bytes; at += step) {
        uint64_t descriptor[4] = { 0 };
        uint8_t reason;

        memcpy(descriptor, &words[at / 8], step);
        reason = run_one(unit, descriptor);
        if (reason) {
            return stop(unit, reason);
        }
        unit->iqh = (unit->iqh + step) % queue->bytes;
    }
    return true;
}

void vtd_run_queue(IntelIommu *unit)
{
    Queue queue = { vtd_quad(unit->iqa) & ~UINT64_C(0xfff), 4096u << (unit->iqa[0] & 7),
                    is_wide_queue(unit) ? 32 : 16, unit->iqt[0] };
    uint32_t odd = (queue.tail | unit->iqh) % queue.descriptor_bytes;

    if (!(unit->gsts & BIT(VTD_QIE)) || unit->fsts & VTD_FSTS_IQE) {
        return;
    }
    /* The base may have changed since: a head that never meets the tail would not end. */
    if (odd || queue.tail >= queue.bytes) {
        stop(unit, odd ? REASON_ALIGNMENT : REASON_TAIL);
        return;
    }
    unit->iqh %= queue.bytes;
    while (unit->iqh != queue.tail && run_some(unit, &queue)) {
    }
}
