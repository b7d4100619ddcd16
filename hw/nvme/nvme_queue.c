/*
 * Queues (4.1, 7.2): commands are fetched when the submission queue's doorbell rings, in order,
 * but for those whose completion would find no room: a completion queue has a place for all that
 * is under way for it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#include "hw/pci/msi.h"
#include "util/log.h"

#define SQE_BYTES 64
#define CQE_BYTES 16
#define DOORBELL_BYTES 4

/* --- interrupts --- */

void nvme_update_irq(Nvme *nvme)
{
    if (!msix_is_enabled(&nvme->parent)) {
        pci_intx_set(&nvme->parent, nvme->irq_status & ~nvme->masked);
    } else {
        pci_intx_set(&nvme->parent, false);
    }
}

static void set_irq(Nvme *nvme, const NvmeCq *cq, bool is_new)
{
    bool has_entries = cq->head != cq->tail;

    if (!cq->has_irq) {
        return;
    }
    if (msix_is_enabled(&nvme->parent)) {
        if (is_new && cq->vector < msix_vectors(&nvme->parent)) {
            msix_notify(&nvme->parent, cq->vector);
        }
        return;
    }
    if (cq->vector < 32) {
        nvme->irq_status &= ~BIT(cq->vector);
        nvme->irq_status |= has_entries ? BIT(cq->vector) : 0;
        nvme_update_irq(nvme);
    }
}

/* --- completions --- */

static unsigned room(const NvmeCq *cq)
{
    return (cq->head + cq->size - cq->tail - 1) % cq->size;
}

static void fatal(Nvme *nvme)
{
    nvme->csts |= NVME_CSTS_CFS;
}

void nvme_post(Nvme *nvme, unsigned sqid, uint16_t cid, uint16_t status, uint32_t result)
{
    const NvmeSq *sq = &nvme->sqs[sqid];
    NvmeCq *cq = &nvme->cqs[sq->cqid];
    uint8_t entry[CQE_BYTES] = { 0 };

    if (!cq->size || !room(cq)) {
        return; /* an event that nobody waits for */
    }
    store_le32(entry, result);
    store_le16(entry + 8, sq->head);
    store_le16(entry + 10, sqid);
    store_le16(entry + 12, cid);
    store_le16(entry + 14, status << 1 | cq->phase);
    if (nvme_write_memory(nvme, cq->addr + cq->tail * CQE_BYTES, entry, sizeof(entry)) !=
        MEM_TX_OK) {
        fatal(nvme);
        return;
    }
    cq->tail++;
    if (cq->tail == cq->size) {
        cq->tail = 0;
        cq->phase = !cq->phase;
    }
    set_irq(nvme, cq, true);
}

static void run(Nvme *nvme, unsigned sqid);

static void free_request(NvmeRequest *request)
{
    dma_list_clear(&request->list);
    g_free(request->parts);
    g_free(request->buffer);
    g_free(request->ranges);
    g_free(request);
}

void nvme_drop(NvmeRequest *request)
{
    NvmeSq *sq = &request->nvme->sqs[request->sqid];

    sq->in_flight--;
    request->nvme->cqs[sq->cqid].in_flight--;
    free_request(request);
}

void nvme_complete(NvmeRequest *request, uint16_t status)
{
    Nvme *nvme = request->nvme;
    NvmeSq *sq = &nvme->sqs[request->sqid];

    if (sq->size) {
        sq->in_flight--;
        nvme->cqs[sq->cqid].in_flight--;
        nvme_post(nvme, request->sqid, request->cid, status, request->result);
        run(nvme, request->sqid);
    }
    free_request(request);
}

/* --- commands --- */

static bool can_fetch(const Nvme *nvme, const NvmeSq *sq)
{
    const NvmeCq *cq = &nvme->cqs[sq->cqid];

    return sq->size && sq->head != sq->tail && cq->size && room(cq) > cq->in_flight &&
           sq->in_flight < sq->size && (nvme->csts & (NVME_CSTS_RDY | NVME_CSTS_CFS)) ==
               NVME_CSTS_RDY;
}

static void start(NvmeRequest *request)
{
    uint16_t status = request->command[1] & 3 ? NVME_INVALID_FIELD | NVME_DO_NOT_RETRY : /* fused */
                      request->sqid ? nvme_io(request) : nvme_admin(request);

    if (status != NVME_LATER) {
        nvme_complete(request, status);
    }
}

static void fetch(Nvme *nvme, unsigned sqid)
{
    NvmeSq *sq = &nvme->sqs[sqid];
    NvmeRequest *request = g_new0(NvmeRequest, 1);

    if (nvme_read_memory(nvme, sq->addr + (uint64_t)sq->head * SQE_BYTES, request->command,
                     SQE_BYTES) != MEM_TX_OK) {
        g_free(request);
        fatal(nvme);
        return;
    }
    sq->head = (sq->head + 1) % sq->size;
    sq->in_flight++;
    nvme->cqs[sq->cqid].in_flight++;
    request->nvme = nvme;
    request->sqid = sqid;
    request->cid = load_le16(request->command + 2);
    dma_list_init(&request->list, pci_device_dma_as(&nvme->parent),
                  pci_device_attrs(&nvme->parent));
    start(request);
}

/* A loop, not recursion: commands may complete at once. */
static void run(Nvme *nvme, unsigned sqid)
{
    NvmeSq *sq = &nvme->sqs[sqid];
    BlockBatch *outer = nvme->batch, batch;

    if (sq->is_running) {
        return;
    }
    block_batch_init(&batch, NULL);
    nvme->batch = &batch;
    sq->is_running = true;
    while (can_fetch(nvme, sq)) {
        while (can_fetch(nvme, sq)) {
            fetch(nvme, sqid);
        }
        block_batch_send(&batch);
    }
    sq->is_running = false;
    nvme->batch = outer;
}

void nvme_run_all(Nvme *nvme)
{
    for (unsigned n = 0; n < NVME_QUEUES; n++) {
        run(nvme, n);
    }
}

/* --- doorbells --- */

static void ring_completion(Nvme *nvme, unsigned n, uint32_t value)
{
    NvmeCq *cq = &nvme->cqs[n];

    if (!cq->size || value >= cq->size) {
        guest_error("nvme: head %u of completion queue %u", value, n);
        nvme_tell_bad_doorbell(nvme, cq->size);
        return;
    }
    cq->head = value;
    set_irq(nvme, cq, false);
    for (unsigned k = 0; k < NVME_QUEUES; k++) {
        if (nvme->sqs[k].size && nvme->sqs[k].cqid == n) {
            run(nvme, k);
        }
    }
}

void nvme_doorbell(Nvme *nvme, unsigned at, uint32_t value)
{
    unsigned n = at / (2 * DOORBELL_BYTES);
    NvmeSq *sq = n < NVME_QUEUES ? &nvme->sqs[n] : NULL;

    if (!sq || at % DOORBELL_BYTES) {
        guest_error("nvme: write to doorbell %u", at);
        nvme_tell_bad_doorbell(nvme, false);
    } else if (at & DOORBELL_BYTES) {
        ring_completion(nvme, n, value);
    } else if (!sq->size || value >= sq->size) {
        guest_error("nvme: tail %u of submission queue %u", value, n);
        nvme_tell_bad_doorbell(nvme, sq->size);
    } else {
        sq->tail = value;
        run(nvme, n);
    }
}

void nvme_stop(Nvme *nvme)
{
    nvme->csts &= ~NVME_CSTS_RDY; /* what ends must not make another begin */
    if (nvme->batch) {
        block_batch_send(nvme->batch);
    }
    for (unsigned n = 1; n <= NVME_NAMESPACES; n++) {
        if (nvme->namespaces[n]) {
            block_backend_drain(nvme->namespaces[n]->conf.drive, true);
        }
    }
    memset(nvme->sqs, 0, sizeof(nvme->sqs));
    memset(nvme->cqs, 0, sizeof(nvme->cqs));
    nvme->irq_status = 0;
    nvme->event_count = 0;
    nvme->events_due = nvme->events_held = 0;
    nvme_update_irq(nvme);
}
