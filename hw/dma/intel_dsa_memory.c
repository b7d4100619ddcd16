/*
 * intel-dsa: memory as engines see it. An address is one of a process or of the function; with ATS
 * it is translated here, page by page, and kept in the ATC until the IOMMU says that it is void. A
 * page that is not there is asked for where the descriptor may block on it; else it is a fault.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#include "trace.h"

#define PAGE_BYTES  UINT64_C(4096)
#define TRIES_MOST  16 /* answers that brought nothing, and refusals to take the question */
#define REFUSED_NS  INT64_C(100000) /* after the first; twice as long after each */
#define LATE_NS     NS_PER_SEC /* of answers that x-fault-inject delays */
#define ANSWER_SUCCESS 0
#define ANSWER_INVALID 1

typedef struct AtcKey {
    uint64_t page;
    uint32_t pasid;
    uint32_t is_privileged;
} AtcKey;

typedef struct AtcEntry {
    AtcKey key;
    uint64_t translated;
    IommuAccess access;
} AtcEntry;

/* Who hears answers to page requests of a PASID. */
typedef struct Listener {
    PciPageNotifier notifier;
    IntelDsa *dsa;
    uint32_t pasid;
} Listener;

static uint32_t pasid_of(const DsaRun *run)
{
    return run->d.has_pasid ? run->d.pasid : PCIE_NO_PASID;
}

DsaEngine *dsa_engine_of(IntelDsa *dsa, const DsaRun *run)
{
    return &dsa->engines[((const char *)run - (const char *)dsa->engines) / sizeof(DsaEngine)];
}

/* --- the ATC --- */

static guint key_hash(gconstpointer at)
{
    const AtcKey *key = at;

    return (key->page >> 12 ^ key->page >> 44) * 31 + key->pasid * 2 + key->is_privileged;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return !memcmp(a, b, sizeof(AtcKey));
}

static AtcKey key_of(const DsaRun *run, uint64_t addr)
{
    return (AtcKey){ addr & ~(PAGE_BYTES - 1), pasid_of(run), run->d.is_privileged };
}

void dsa_atc_clear(IntelDsa *dsa)
{
    if (dsa->atc) {
        g_hash_table_remove_all(dsa->atc);
    }
}

static void atc_keep(IntelDsa *dsa, const DsaRun *run, uint64_t addr, const IommuEntry *entry)
{
    AtcEntry *kept;
    AtcKey key = key_of(run, addr);

    if (!dsa->atc_entries) {
        return;
    }
    if (!dsa->atc) {
        dsa->atc = g_hash_table_new_full(key_hash, key_equal, NULL, g_free);
    }
    if (g_hash_table_size(dsa->atc) >= dsa->atc_entries) {
        g_hash_table_remove_all(dsa->atc);
    }
    kept = g_new(AtcEntry, 1);
    *kept = (AtcEntry){ key, entry->translated + (key.page & entry->page_mask), entry->access };
    g_hash_table_replace(dsa->atc, &kept->key, kept);
}

static const AtcEntry *atc_find(IntelDsa *dsa, const DsaRun *run, uint64_t addr, bool is_write)
{
    AtcKey key = key_of(run, addr);
    const AtcEntry *entry = dsa->atc ? g_hash_table_lookup(dsa->atc, &key) : NULL;

    return entry && entry->access & (is_write ? IOMMU_WRITE : IOMMU_READ) ? entry : NULL;
}

static gboolean is_dropped(gpointer key, gpointer value, gpointer opaque)
{
    const AtcEntry *entry = value;
    const IommuEntry *drop = opaque;

    return entry->key.page - drop->iova <= drop->page_mask &&
           (!drop->has_pasid || entry->key.pasid == drop->pasid);
}

/* Nothing that was found is kept from one access to the next but here, so this is all. */
void dsa_atc_dropped(PcieAtsWatch *watch, const IommuEntry *entry)
{
    IntelDsa *dsa = container_of(watch, IntelDsa, atc_watch);

    dsa->counters.atc_invalidations++;
    if (dsa->atc) {
        g_hash_table_foreach_remove(dsa->atc, is_dropped, (gpointer)entry);
    }
}

/* --- page requests --- */

static void page_answered(PciPageNotifier *notifier, uint16_t group, uint8_t response)
{
    Listener *listener = container_of(notifier, Listener, notifier);
    IntelDsa *dsa = listener->dsa;
    uint8_t was = dsa->group_state[group];

    trace_dsa_page_answer(listener->pasid, group, response);
    if (dsa->faults & DSA_LOSE_ANSWERS) {
        return;
    }
    dsa->group_state[group] = DSA_GROUP_FREE;
    for (unsigned n = 0; n < dsa->engine_count && was == DSA_GROUP_USED; n++) {
        DsaEngine *engine = &dsa->engines[n];

        if (engine->page_state == DSA_PAGE_ASKED && engine->page_group == group) {
            engine->page_state = DSA_PAGE_ANSWERED;
            engine->answer = response;
            engine->retry_ns = dsa->faults & DSA_DELAY_ANSWERS ?
                               clock_now_ns(CLOCK_VIRTUAL) + LATE_NS : 0;
        }
    }
    dsa_kick(dsa); /* one engine, or more that wait for a group */
}

static bool listen_to(IntelDsa *dsa, uint32_t pasid)
{
    Listener *listener;

    if (!dsa->listeners) {
        dsa->listeners = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    }
    if (g_hash_table_contains(dsa->listeners, GUINT_TO_POINTER(pasid))) {
        return true;
    }
    listener = g_new(Listener, 1);
    *listener = (Listener){ { page_answered }, dsa, pasid };
    if (!pcie_set_page_notifier(&dsa->parent, pasid, &listener->notifier)) {
        g_free(listener);
        return false;
    }
    g_hash_table_insert(dsa->listeners, GUINT_TO_POINTER(pasid), listener);
    return true;
}

static bool is_listened_to(const IntelDsa *dsa, uint32_t pasid)
{
    for (unsigned group = 0; group < DSA_PAGE_GROUPS; group++) {
        if (dsa->group_state[group] != DSA_GROUP_FREE && dsa->group_pasid[group] == pasid) {
            return true;
        }
    }
    return false;
}

/* Processes come and go: who has no question left is not listened to. */
static void drop_listeners(IntelDsa *dsa)
{
    GHashTableIter iter;
    gpointer key;

    if (!dsa->listeners || g_hash_table_size(dsa->listeners) <= dsa->engine_count) {
        return;
    }
    g_hash_table_iter_init(&iter, dsa->listeners);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (!is_listened_to(dsa, GPOINTER_TO_UINT(key))) {
            pcie_set_page_notifier(&dsa->parent, GPOINTER_TO_UINT(key), NULL);
            g_hash_table_iter_remove(&iter);
        }
    }
}

void dsa_free_listeners(IntelDsa *dsa)
{
    g_clear_pointer(&dsa->listeners, g_hash_table_unref);
    g_clear_pointer(&dsa->atc, g_hash_table_unref);
}

void dsa_listen_again(IntelDsa *dsa)
{
    for (unsigned group = 0; group < DSA_PAGE_GROUPS; group++) {
        if (dsa->group_state[group] != DSA_GROUP_FREE) {
            listen_to(dsa, dsa->group_pasid[group]);
        }
    }
}

void dsa_forget_page(IntelDsa *dsa, DsaEngine *engine)
{
    if (engine->page_state == DSA_PAGE_ASKED) {
        dsa->group_state[engine->page_group] = DSA_GROUP_ORPHAN;
    }
    engine->page_state = DSA_PAGE_NONE;
    engine->tries = engine->refusals = 0;
    engine->retry_ns = 0;
}

bool dsa_page_requests_on(IntelDsa *dsa, const DsaRun *run)
{
    return pcie_pri_is_enabled(&dsa->parent);
}

static bool may_block(IntelDsa *dsa, const DsaRun *run, DsaOperand operand)
{
    uint32_t mode = *dsa_wqcfg(dsa, run->d.wq, DSA_WQ_MODE);
    bool is_always = operand == DSA_OP_CRA || operand == DSA_OP_LIST;

    return dsa_page_requests_on(dsa, run) &&
           (is_always || (mode & DSA_MODE_BOF && dsa_flags(run) & DSA_BOF));
}

static DsaStep fail(DsaRun *run, unsigned status, DsaSpan at, bool is_write)
{
    run->status = status;
    run->fault_addr = at.addr;
    run->fault_operand = at.operand == DSA_OP_LIST ? DSA_OP_1 : at.operand;
    run->is_fault_write = is_write;
    return DSA_FAILS;
}

/* What a fault is called, of whom. */
static DsaStep page_fault(DsaRun *run, DsaSpan at, bool is_write, bool was_asked)
{
    unsigned status = at.operand == DSA_OP_CRA ? DSA_CRA_FAULT :
                      at.operand == DSA_OP_LIST ? DSA_LIST_FAULT :
                      was_asked ? DSA_PAGE_INVALID : DSA_PAGE_FAULT;

    return fail(run, status, at, is_write);
}

static unsigned free_group(const IntelDsa *dsa)
{
    unsigned most = dsa_page_credits(dsa), group = 0;

    while (group < most && dsa->group_state[group] != DSA_GROUP_FREE) {
        group++;
    }
    return group < most ? group : DSA_PAGE_GROUPS;
}

/* A queue that is full now may take the question later; that it never does is an answer, too. */
static DsaStep ask(IntelDsa *dsa, DsaRun *run, DsaSpan at, bool is_write)
{
    DsaEngine *engine = dsa_engine_of(dsa, run);
    unsigned group = free_group(dsa);
    PciPageRequest request = { .addr = at.addr & ~(PAGE_BYTES - 1), .group = group,
                               .is_last = true, .is_read = true, .is_write = is_write,
                               .is_privileged = run->d.is_privileged };

    if (group == DSA_PAGE_GROUPS) {
        return DSA_WAITS; /* until an answer frees one */
    }
    drop_listeners(dsa);
    engine->page_state = DSA_PAGE_ASKED;
    engine->page_group = group;
    engine->page_addr = request.addr;
    dsa->group_state[group] = DSA_GROUP_USED;
    dsa->group_pasid[group] = pasid_of(run);
    if (listen_to(dsa, pasid_of(run)) &&
        pcie_page_request(&dsa->parent, pasid_of(run), &request)) {
        trace_dsa_page_request(pasid_of(run), at.addr, group, is_write);
        dsa->counters.page_requests++;
        engine->refusals = 0;
        return DSA_WAITS;
    }
    dsa->group_state[group] = DSA_GROUP_FREE;
    engine->page_state = DSA_PAGE_NONE;
    if (!pcie_may_request_pages(&dsa->parent, pasid_of(run)) || engine->refusals == TRIES_MOST) {
        return page_fault(run, at, is_write, true);
    }
    engine->retry_ns = clock_now_ns(CLOCK_VIRTUAL) + (REFUSED_NS << engine->refusals++);
    return DSA_WAITS;
}

static DsaStep miss(IntelDsa *dsa, DsaRun *run, DsaSpan at, bool is_write)
{
    DsaEngine *engine = dsa_engine_of(dsa, run);

    if (!may_block(dsa, run, at.operand)) {
        return page_fault(run, at, is_write, false);
    }
    if (engine->tries > TRIES_MOST) {
        return page_fault(run, at, is_write, true);
    }
    return ask(dsa, run, at, is_write);
}

/* Takes the answer to the question about this page, if there is one; false: it was no. */
static bool take_answer(IntelDsa *dsa, DsaRun *run, DsaSpan at, bool is_write, DsaStep *step)
{
    DsaEngine *engine = dsa_engine_of(dsa, run);

    if (engine->page_state != DSA_PAGE_ANSWERED ||
        engine->page_addr != (at.addr & ~(PAGE_BYTES - 1))) {
        return true;
    }
    engine->page_state = DSA_PAGE_NONE;
    engine->tries++;
    if (engine->answer == ANSWER_SUCCESS) {
        return true;
    }
    *step = engine->answer == ANSWER_INVALID ? page_fault(run, at, is_write, true) :
                                               fail(run, DSA_NO_TRANSLATION, at, is_write);
    return false;
}

/* --- translation --- */

static bool uses_ats(IntelDsa *dsa, const DsaRun *run)
{
    return pcie_ats_is_enabled(&dsa->parent) &&
           !(*dsa_wqcfg(dsa, run->d.wq, DSA_WQ_MODE) & DSA_MODE_NO_ATS);
}

typedef struct Target {
    uint64_t addr;
    MemTxAttrs attrs;
} Target;

static DsaStep request(IntelDsa *dsa, DsaRun *run, DsaSpan at, bool is_write, Target *target)
{
    PciAtsRequest ask = { .addr = at.addr & ~(PAGE_BYTES - 1), .bytes = 1, .no_write = !is_write,
                          .is_privileged = run->d.is_privileged };
    IommuEntry entry;

    dsa->counters.atc_misses++;
    if (pcie_ats_request(&dsa->parent, pasid_of(run), &ask, &entry, 1) < 1) {
        return fail(run, DSA_NO_TRANSLATION, at, is_write);
    }
    if (!(entry.access & (is_write ? IOMMU_WRITE : IOMMU_READ))) {
        return miss(dsa, run, at, is_write);
    }
    atc_keep(dsa, run, at.addr, &entry);
    target->addr = entry.translated + (at.addr & entry.page_mask);
    target->attrs.is_translated = true;
    return DSA_DONE;
}

/* An address within a page. */
static DsaStep translate(IntelDsa *dsa, DsaRun *run, DsaSpan at, bool is_write, Target *target)
{
    const AtcEntry *entry;
    DsaStep step;

    *target = (Target){ at.addr, pci_device_attrs(&dsa->parent) };
    if (run->d.has_pasid) {
        target->attrs = dma_attrs_with_pasid(target->attrs, run->d.pasid);
    }
    if (!uses_ats(dsa, run)) {
        return DSA_DONE;
    }
    if (!take_answer(dsa, run, at, is_write, &step)) {
        return step;
    }
    entry = atc_find(dsa, run, at.addr, is_write);
    if (!entry) {
        return request(dsa, run, at, is_write, target);
    }
    dsa->counters.atc_hits++;
    target->addr = entry->translated + at.addr % PAGE_BYTES;
    target->attrs.is_translated = true;
    return DSA_DONE;
}

/* --- accesses --- */

/* False: by DMA the device had itself taken away. */
static bool is_there(const IntelDsa *dsa)
{
    return dsa->parent.parent.is_realized && dsa->state != DSA_HALTED;
}

/* Not where its completion record goes, which tells of it. */
static bool is_made_to_fail(const IntelDsa *dsa, DsaOperand operand, bool is_write)
{
    return operand != DSA_OP_CRA && dsa->faults & (is_write ? DSA_FAIL_WRITES : DSA_FAIL_READS);
}

typedef MemTxResult AccessFn(AddressSpace *as, const Target *target, uint8_t *buf, size_t bytes);

static MemTxResult read_target(AddressSpace *as, const Target *target, uint8_t *buf, size_t bytes)
{
    return dma_read(as, target->addr, target->attrs, buf, bytes);
}

/* Posted: whether it arrives is not told. */
static MemTxResult write_target(AddressSpace *as, const Target *target, uint8_t *buf, size_t bytes)
{
    dma_write(as, target->addr, target->attrs, buf, bytes);
    return MEM_TX_OK;
}

static MemTxResult only_touch(AddressSpace *as, const Target *target, uint8_t *buf, size_t bytes)
{
    return MEM_TX_OK;
}

static DsaStep each_page(IntelDsa *dsa, DsaRun *run, DsaSpan span, bool is_write, AccessFn *access,
                         uint8_t *buf)
{
    for (uint32_t done = 0; done < span.bytes;) {
        DsaSpan at = { span.operand, span.addr + done, 0 };
        Target target;
        DsaStep step = translate(dsa, run, at, is_write, &target);

        if (step != DSA_DONE) {
            return step;
        }
        at.bytes = MIN(span.bytes - done, PAGE_BYTES - at.addr % PAGE_BYTES);
        if (!is_there(dsa)) {
            return fail(run, DSA_READ_ERROR, at, is_write);
        }
        if (is_made_to_fail(dsa, span.operand, is_write)) {
            return fail(run, is_write ? DSA_WRITE_ERROR : DSA_READ_ERROR, at, is_write);
        }
        if (access(pci_device_dma_as(&dsa->parent), &target, buf ? buf + done : NULL,
                   at.bytes) != MEM_TX_OK) {
            return fail(run, DSA_READ_ERROR, at, false);
        }
        done += at.bytes;
    }
    return DSA_DONE;
}

DsaStep dsa_read(IntelDsa *dsa, DsaRun *run, DsaSpan span, void *buf)
{
    return each_page(dsa, run, span, false, read_target, buf);
}

DsaStep dsa_write(IntelDsa *dsa, DsaRun *run, DsaSpan span, const void *buf)
{
    return each_page(dsa, run, span, true, write_target, (uint8_t *)buf);
}

DsaStep dsa_touch(IntelDsa *dsa, DsaRun *run, DsaSpan span, bool is_write)
{
    return each_page(dsa, run, span, is_write, only_touch, NULL);
}

/* Aligned, it is within a page. */
DsaStep dsa_write_record(IntelDsa *dsa, DsaRun *run, const uint8_t record[32])
{
    DsaSpan span = { DSA_OP_CRA, dsa_cra(run), 32 };
    AddressSpace *as = pci_device_dma_as(&dsa->parent);
    Target target;
    DsaStep step = translate(dsa, run, span, true, &target);

    if (step != DSA_DONE) {
        return step;
    }
    if (is_there(dsa)) {
        dma_write(as, target.addr + 8, target.attrs, record + 8, 24);
        dma_store(as, target.addr, MEM_LE64, target.attrs, load_le64(record));
    }
    return DSA_DONE;
}
