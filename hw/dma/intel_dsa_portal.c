/*
 * intel-dsa: portals in BAR 2, through which 64-byte descriptors come: four pages per WQ, of which
 * the first is unlimited, the second limited by the WQ's threshold, and those for IMS handles
 * accept nothing. A dedicated WQ takes posted writes, a shared one deferrable ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#include "trace.h"

#define PAGE_BYTES 0x1000
#define PRIVILEGED BIT(31)
#define PASID_BITS 0xfffff

enum { KIND_UNLIMITED, KIND_LIMITED, KIND_COUNT };

static bool is_open(const IntelDsa *dsa, unsigned wq)
{
    return wq < dsa->wq_count && dsa->state == DSA_ENABLED && dsa->wqs[wq].state == DSA_ENABLED;
}

/* Descriptors the WQ may hold, seen from a portal. */
static uint32_t room(IntelDsa *dsa, unsigned wq, unsigned kind)
{
    uint32_t size = *dsa_wqcfg(dsa, wq, DSA_WQ_SIZE);
    bool is_dedicated = *dsa_wqcfg(dsa, wq, DSA_WQ_MODE) & DSA_MODE_DEDICATED;

    return kind == KIND_LIMITED && !is_dedicated ?
           MIN(size, *dsa_wqcfg(dsa, wq, DSA_WQ_THRESHOLD)) : size;
}

static void enqueue(IntelDsa *dsa, unsigned wq, const uint8_t data[64])
{
    uint32_t mode = *dsa_wqcfg(dsa, wq, DSA_WQ_MODE), size = *dsa_wqcfg(dsa, wq, DSA_WQ_SIZE);
    DsaWq *queue = &dsa->wqs[wq];
    DsaDescriptor *d = &dsa->slots[queue->first + (queue->head + queue->count) % size];
    uint32_t head = load_le32(data);

    *d = (DsaDescriptor){ .order = dsa->order++, .wq = wq };
    memcpy(d->bytes, data, sizeof(d->bytes));
    if (!(mode & DSA_MODE_DEDICATED)) {
        d->has_pasid = true;
        d->pasid = head & PASID_BITS;
        d->is_privileged = head & PRIVILEGED;
    } else if (mode & DSA_MODE_PASID) {
        d->has_pasid = true;
        d->pasid = mode >> 8 & PASID_BITS;
        d->is_privileged = mode & DSA_MODE_PRIVILEGED;
    }
    queue->count++;
    dsa->counters.submitted++;
    trace_dsa_submit(wq, data[7], d->has_pasid ? d->pasid : PCIE_NO_PASID, queue->count);
    dsa_kick(dsa);
}

static MemTxResult submit_shared(IntelDsa *dsa, unsigned wq, unsigned kind, const uint8_t data[64])
{
    if (dsa->wqs[wq].count >= room(dsa, wq, kind)) {
        dsa->counters.retried++;
        return MEM_TX_RETRY;
    }
    enqueue(dsa, wq, data);
    return MEM_TX_OK;
}

static void submit_dedicated(IntelDsa *dsa, unsigned wq, unsigned kind, const uint8_t data[64])
{
    if (dsa->wqs[wq].count < room(dsa, wq, kind)) {
        enqueue(dsa, wq, data);
        return;
    }
    dsa->counters.dropped++;
    dsa_error(dsa, DSA_QUEUE_FULL, wq);
}

static MemTxResult portal_write64(void *opaque, uint64_t at, const uint8_t data[64],
                                  MemTxAttrs attrs)
{
    IntelDsa *dsa = opaque;
    unsigned wq = at / DSA_PORTAL_BYTES, kind = at % DSA_PORTAL_BYTES / PAGE_BYTES;
    bool is_dedicated;

    if (kind >= KIND_COUNT || !is_open(dsa, wq)) {
        dsa->counters.retried += attrs.is_deferrable;
        return attrs.is_deferrable ? MEM_TX_RETRY : MEM_TX_OK;
    }
    is_dedicated = *dsa_wqcfg(dsa, wq, DSA_WQ_MODE) & DSA_MODE_DEDICATED;
    if (is_dedicated && !attrs.is_deferrable) {
        submit_dedicated(dsa, wq, kind, data);
        return MEM_TX_OK;
    }
    if (!is_dedicated && (attrs.is_deferrable || dsa->takes_posted)) {
        return submit_shared(dsa, wq, kind, data);
    }
    dsa->counters.retried += attrs.is_deferrable;
    return attrs.is_deferrable ? MEM_TX_RETRY : MEM_TX_OK;
}

static uint64_t portal_read(void *opaque, uint64_t at, unsigned bytes)
{
    return UINT64_MAX;
}

static void portal_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    /* less than a descriptor is ignored */
}

const MemoryOps dsa_portal_ops = {
    .read = portal_read, .write = portal_write, .write64 = portal_write64,
    .endian = ENDIAN_LITTLE, .valid = { .min = 1, .max = 8, .unaligned = true },
    .impl = { .min = 1, .max = 8, .unaligned = true },
};
