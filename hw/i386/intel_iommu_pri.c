/*
 * intel-iommu: devices that know they are translated: ATS translation requests, page requests into
 * the guest's queue, and its answers.
 *
 * A request of our own devices is answered by the notifier of its device and PASID; one that came
 * through a host by that host. A group is answered once, whatever it has of requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#include "trace.h"
#include "util/log.h"

#define PRS_PPR BIT(0)
#define PRS_PRO BIT(1)
#define PRS_ANY (PRS_PPR | PRS_PRO)
#define ENTRY_BYTES 32
#define RESPONSE_INVALID 1
/* An entry's words. */
#define PQ_TYPE    UINT64_C(1)
#define PQ_PASID   BIT64(8)
#define PQ_PRIVATE BIT64(9)
#define PQ_EXECUTE BIT64(52)
#define PQ_SUPER   BIT64(53)
#define PQ_READ    BIT64(0)
#define PQ_WRITE   BIT64(1)
#define PQ_LAST    BIT64(2)

/* --- ATS --- */

static IommuRequest ats_request(const VtdSpace *space, const PciRequester *who,
                                const PciAtsRequest *request)
{
    return (IommuRequest){
        .addr = request->addr, .requester = vtd_space_sid(space), .has_pasid = who->has_pasid,
        .pasid = who->pasid, .is_write = !request->no_write, .no_write = request->no_write,
        .is_execute = request->is_execute, .is_privileged = request->is_privileged,
        .type = IOMMU_TRANSLATION_REQUEST,
    };
}

/* Not the tables' content but what they permit devices to do at all: that is recorded. */
static bool is_configuration_error(VtdFault code)
{
    return code == VTD_SM_NO_DEVICE_TLB || code == VTD_TYPE_BLOCKED ||
           (code >= VTD_SM_NO_PASIDS && code <= VTD_SM_PASID_TOO_LARGE) ||
           (code >= VTD_SM_NO_EXECUTE_REQUESTS && code <= VTD_SM_NO_SUPERVISOR_REQUESTS) ||
           (code <= VTD_CONTEXT_INVALID && code) ||
           (code >= VTD_SM_ROOT_UNREADABLE && code <= VTD_SM_CONTEXT_INVALID);
}

static bool ats_one(VtdSpace *space, const IommuRequest *request, IommuEntry *entry)
{
    VtdContext context;
    IommuPage page;
    IommuFault fault;
    bool is_found = vtd_translate(space, request, &page, &context, &fault);

    if (is_found && !context.has_device_tlb) {
        fault = (IommuFault){ context.is_scalable ? VTD_SM_NO_DEVICE_TLB : VTD_TYPE_BLOCKED,
                              context.is_fault_disabled };
        is_found = false;
    }
    *entry = (IommuEntry){ .target = address_space_system(), .iova = request->addr,
                           .page_mask = 0xfff, .has_pasid = request->has_pasid,
                           .pasid = request->pasid };
    if (!is_found) {
        if (is_configuration_error((VtdFault)fault.code)) {
            vtd_report_fault(space->unit, request, fault);
            return false;
        }
        return true; /* an answer that permits nothing */
    }
    entry->page_mask = BIT64(page.shift) - 1;
    entry->iova &= ~entry->page_mask;
    entry->translated = page.addr;
    entry->access = page.access & (request->no_write && !page.is_dirty ? IOMMU_READ :
                                                                         IOMMU_READ_WRITE);
    return true;
}

bool vtd_has_ats(void *opaque)
{
    return vtd_has(opaque, VTD_ECAP_DT);
}

int vtd_ats_translate(void *opaque, const PciRequester *who, const PciAtsRequest *request,
                      IommuEntry *results, unsigned count)
{
    VtdSpace *space = vtd_space(opaque, who->bus, who->devfn);
    IommuRequest one = ats_request(space, who, request);
    uint64_t left = MAX(request->bytes, 1);
    unsigned done = 0;

    if (!space->unit->is_translating || !vtd_has(space->unit, VTD_ECAP_DT)) {
        return -1;
    }
    RCU_GUARD();
    while (done < count) {
        uint64_t step;

        if (!ats_one(space, &one, &results[done])) {
            return -1;
        }
        step = results[done].page_mask - (one.addr & results[done].page_mask) + 1;
        done++;
        if (step >= left) {
            break;
        }
        left -= step;
        one.addr += step;
    }
    return done;
}

/* --- the queue of page requests --- */

static uint32_t queue_bytes(const IntelIommu *unit)
{
    return 4096u << (unit->pqa[0] & 7);
}

static void set_prs(IntelIommu *unit, uint32_t bit)
{
    bool was_set = unit->prs & PRS_ANY;

    unit->prs |= bit;
    if (!was_set) {
        vtd_raise_event(unit, &unit->page_event);
    }
}

void vtd_prs_written(Device *dev)
{
    IntelIommu *unit = INTEL_IOMMU(dev);

    if (!(unit->prs & PRS_ANY)) {
        unit->page_event.control &= ~BIT(VTD_EVENT_IP);
    }
}

static bool enqueue(IntelIommu *unit, const uint64_t words[4])
{
    uint32_t bytes = queue_bytes(unit), tail = unit->pqt[0] % bytes;
    uint32_t next = (tail + ENTRY_BYTES) % bytes;
    GuestAddr at = (vtd_quad(unit->pqa) & ~UINT64_C(0xfff)) + tail;

    if (unit->prs & PRS_PRO) {
        return false;
    }
    if (next == unit->pqh[0] % bytes) {
        set_prs(unit, PRS_PRO);
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (address_space_store(address_space_system(), at + 8 * i, MEM_LE64,
                                (MemTxAttrs){ .is_memory = true }, words[i]) != MEM_TX_OK) {
            guest_error("intel-iommu: page request queue is not in memory");
            return false;
        }
    }
    unit->pqt[0] = next;
    unit->counters.page_requests++;
    set_prs(unit, PRS_PPR);
    return true;
}

/* Do tables let the device ask? */
static bool find_asker(VtdSpace *space, uint32_t pasid, VtdContext *context, IommuFault *fault)
{
    bool is_found;

    rcu_lock();
    is_found = vtd_find_context(space, pasid, context, fault);
    rcu_unlock();
    if (is_found && !context->has_page_requests) {
        *fault = (IommuFault){ context->is_scalable ? VTD_SM_NO_PAGE_REQUESTS :
                                                      VTD_SM_PAGES_IN_LEGACY,
                               context->is_fault_disabled };
        return false;
    }
    return is_found;
}

/* The same, and what is wrong is recorded. */
static bool may_request(VtdSpace *space, uint32_t pasid, VtdContext *context)
{
    IommuRequest who = { .requester = vtd_space_sid(space), .has_pasid = pasid != VTD_NO_PASID,
                         .pasid = pasid == VTD_NO_PASID ? 0 : pasid };
    IommuFault fault;
    bool may = find_asker(space, pasid, context, &fault);

    if (!may) {
        vtd_report_fault(space->unit, &who, fault);
    }
    return may;
}

bool vtd_may_request_pages(void *opaque, const PciRequester *who)
{
    IntelIommu *unit = opaque;
    VtdContext context;
    IommuFault fault;

    return vtd_has(unit, VTD_ECAP_PRS) && unit->is_translating &&
           find_asker(vtd_space(unit, who->bus, who->devfn),
                      who->has_pasid ? who->pasid : VTD_NO_PASID, &context, &fault);
}

static uint64_t first_word(uint16_t sid, uint32_t pasid, bool is_execute, bool is_privileged)
{
    return PQ_TYPE | (uint64_t)sid << 16 |
           (pasid == VTD_NO_PASID ? 0 : PQ_PASID | (uint64_t)pasid << 32) |
           (is_execute ? PQ_EXECUTE : 0) | (is_privileged ? PQ_SUPER : 0);
}

bool vtd_page_request(void *opaque, const PciRequester *who, const PciPageRequest *request)
{
    IntelIommu *unit = opaque;
    VtdSpace *space = vtd_space(unit, who->bus, who->devfn);
    uint32_t pasid = who->has_pasid ? who->pasid : VTD_NO_PASID;
    uint64_t words[4] = {
        first_word(vtd_space_sid(space), pasid, request->is_execute, request->is_privileged),
        (request->addr & ~UINT64_C(0xfff)) | (request->is_read ? PQ_READ : 0) |
            (request->is_write ? PQ_WRITE : 0) | (request->is_last ? PQ_LAST : 0) |
            (uint64_t)(request->group & 0x1ff) << 3,
    };
    VtdContext context;
    IotlbTag tag;

    if (!vtd_has(unit, VTD_ECAP_PRS) || !unit->is_translating ||
        (request->is_execute && !request->is_read) || !may_request(space, pasid, &context)) {
        return false;
    }
    trace_vtd_page_request(vtd_space_sid(space), pasid, request->addr, request->group);
    /* What is kept of the page must not outlive the answer. */
    tag = vtd_tag(&context, pasid);
    iotlb_drop_pages(unit->iotlb, &tag, 1, request->addr & ~UINT64_C(0xfff), 4096);
    iommu_changes_add_pages(&unit->changes, request->addr, 1);
    return enqueue(unit, words);
}

/* --- who hears of answers --- */

bool vtd_set_page_notifier(void *opaque, const PciRequester *who, PciPageNotifier *notifier)
{
    VtdSpace *space = vtd_space(opaque, who->bus, who->devfn);
    VtdPageClient client = { who->has_pasid ? who->pasid : VTD_NO_PASID, notifier };

    for (guint i = space->notifiers->len; i-- > 0;) {
        if (g_array_index(space->notifiers, VtdPageClient, i).pasid == client.pasid) {
            g_array_remove_index_fast(space->notifiers, i);
        }
    }
    if (notifier) {
        g_array_append_val(space->notifiers, client);
    }
    return vtd_has(space->unit, VTD_ECAP_PRS);
}

typedef struct Answer {
    const VtdPageResponse *response;
    bool is_taken;
} Answer;

static void answer_own(VtdSpace *space, void *opaque)
{
    Answer *answer = opaque;

    for (guint i = 0; i < space->notifiers->len && !answer->is_taken; i++) {
        VtdPageClient client = g_array_index(space->notifiers, VtdPageClient, i);

        if (vtd_space_sid(space) == answer->response->sid &&
            client.pasid == answer->response->pasid) {
            answer->is_taken = true;
            client.notifier->answered(client.notifier, answer->response->group,
                                      answer->response->code);
        }
    }
}

/* --- requests of host devices --- */

typedef struct Pending {
    HostIommuDevice *host; /* referenced */
    HostPageRequest request;
    uint16_t sid;
} Pending;

/* Out of the list first: the group is answered once. */
static void finish(IntelIommu *unit, Pending *pending, uint8_t code)
{
    g_autoptr(Error) err = NULL;

    g_ptr_array_remove_fast(unit->pending, pending);
    if (!host_iommu_respond(pending->host, &pending->request, code, &err)) {
        warn_report("intel-iommu: %04x: page response: %s", pending->sid, error_text(err));
    }
    object_unref(pending->host);
    g_free(pending);
}

static Pending *find_pending(IntelIommu *unit, const VtdPageResponse *response)
{
    for (guint i = 0; i < unit->pending->len; i++) {
        Pending *p = unit->pending->pdata[i];
        uint32_t pasid = p->request.has_pasid ? p->request.pasid : VTD_NO_PASID;

        if (p->sid == response->sid && p->request.group == response->group &&
            pasid == response->pasid) {
            return p;
        }
    }
    return NULL;
}

/* The record is there before the guest can see the entry; without an entry there is none. */
void vtd_host_page_request(void *opaque, HostIommuDevice *host, const HostPageRequest *request)
{
    VtdSpace *space = opaque;
    IntelIommu *unit = space->unit;
    uint32_t pasid = request->has_pasid ? request->pasid : VTD_NO_PASID;
    VtdPageResponse key = { .sid = vtd_space_sid(space), .group = request->group, .pasid = pasid };
    uint64_t words[4] = {
        first_word(key.sid, pasid, request->is_execute, request->is_privileged) |
            (request->has_private_data ? PQ_PRIVATE : 0),
        (request->addr & ~UINT64_C(0xfff)) | (request->is_read ? PQ_READ : 0) |
            (request->is_write ? PQ_WRITE : 0) | (request->is_last ? PQ_LAST : 0) |
            (uint64_t)(request->group & 0x1ff) << 3,
        request->private_data[0], request->private_data[1],
    };
    VtdContext context;
    Pending *pending = find_pending(unit, &key);

    if (!pending) {
        pending = g_new(Pending, 1);
        object_ref(host);
        *pending = (Pending){ host, *request, key.sid };
        g_ptr_array_add(unit->pending, pending);
    }
    if (!vtd_has(unit, VTD_ECAP_PRS) || !may_request(space, pasid, &context) ||
        !enqueue(unit, words)) {
        finish(unit, pending, RESPONSE_INVALID);
    }
}

void vtd_page_response(IntelIommu *unit, const VtdPageResponse *response)
{
    Answer answer = { response };
    Pending *pending = find_pending(unit, response);

    unit->counters.page_responses++;
    trace_vtd_page_response(response->sid, response->pasid, response->group, response->code);
    if (pending) {
        finish(unit, pending, response->code);
        return;
    }
    vtd_each_space(unit, answer_own, &answer);
    if (!answer.is_taken) {
        guest_error("intel-iommu: response to group %u of %04x, which asked for nothing",
                    response->group, response->sid);
    }
}

void vtd_abort_page_requests(IntelIommu *unit, const HostIommuDevice *host)
{
    for (guint i = unit->pending->len; i-- > 0;) {
        Pending *pending = unit->pending->pdata[i];

        if (!host || pending->host == host) {
            finish(unit, pending, RESPONSE_INVALID);
        }
    }
}
