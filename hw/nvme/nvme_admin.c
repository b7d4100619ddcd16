/*
 * Admin commands (chapter 5): queues, features, logs, events. Left out: namespace management, format,
 * firmware, security, self-tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#include "hw/pci/msi.h"

enum { DELETE_SQ = 0x00, CREATE_SQ = 0x01, GET_LOG = 0x02, DELETE_CQ = 0x04, CREATE_CQ = 0x05,
       IDENTIFY = 0x06, ABORT = 0x08, SET_FEATURES = 0x09, GET_FEATURES = 0x0a,
       ASYNC_EVENT = 0x0c };
enum { ARBITRATION = 0x01, POWER = 0x02, TEMPERATURE = 0x04, ERROR_RECOVERY = 0x05,
       WRITE_CACHE = 0x06, QUEUES = 0x07, COALESCING = 0x08, VECTOR_CONFIG = 0x09,
       ATOMICITY = 0x0a, EVENT_CONFIG = 0x0b };
enum { LOG_ERRORS = 0x01, LOG_HEALTH = 0x02, LOG_FIRMWARE = 0x03, LOG_CHANGED = 0x04 };
#define MAX_QUEUE_SIZE   2048
#define LOG_BYTES        4096
#define TEMPERATURE_K    323
#define WARNING_K        343
#define EVENT_NOTICE     0x2
#define EVENT_NS_CHANGED BIT(8) /* of feature 0bh */
#define CONTIGUOUS       1

static uint16_t invalid(void)
{
    return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
}

/* --- queues --- */

static uint16_t create_cq(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t dword10 = nvme_dword(request, 10), dword11 = nvme_dword(request, 11);
    uint32_t id = dword10 & 0xffff, size = (dword10 >> 16) + 1, vector = dword11 >> 16;
    uint64_t addr = load_le64(request->command + 24);

    if (!id || id > nvme->max_pairs || nvme->cqs[id].size) {
        return NVME_INVALID_QID | NVME_DO_NOT_RETRY;
    }
    if (size < 2 || size > MAX_QUEUE_SIZE) {
        return NVME_INVALID_QUEUE_SIZE | NVME_DO_NOT_RETRY;
    }
    if (addr % 4096) {
        return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
    }
    if (msix_is_enabled(&nvme->parent) ? vector >= nvme->vectors : vector != 0) {
        return NVME_INVALID_VECTOR | NVME_DO_NOT_RETRY;
    }
    if (!(dword11 & CONTIGUOUS)) {
        return invalid();
    }
    nvme->cqs[id] = (NvmeCq){ .addr = addr, .size = size, .vector = vector, .phase = true,
                              .has_irq = dword11 & 2 };
    return NVME_SUCCESS;
}

static uint16_t create_sq(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t dword10 = nvme_dword(request, 10), dword11 = nvme_dword(request, 11);
    uint32_t id = dword10 & 0xffff, size = (dword10 >> 16) + 1, cqid = dword11 >> 16;
    uint64_t addr = load_le64(request->command + 24);

    if (!cqid || cqid > nvme->max_pairs || !nvme->cqs[cqid].size) {
        return NVME_INVALID_CQID | NVME_DO_NOT_RETRY;
    }
    if (!id || id > nvme->max_pairs || nvme->sqs[id].size) {
        return NVME_INVALID_QID | NVME_DO_NOT_RETRY;
    }
    if (size < 2 || size > MAX_QUEUE_SIZE) {
        return NVME_INVALID_QUEUE_SIZE | NVME_DO_NOT_RETRY;
    }
    if (addr % 4096) {
        return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
    }
    if (!(dword11 & CONTIGUOUS)) {
        return invalid();
    }
    nvme->sqs[id] = (NvmeSq){ .addr = addr, .size = size, .cqid = cqid };
    return NVME_SUCCESS;
}

/* What is under way for the queue comes to its end before. */
static uint16_t delete_sq(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t id = nvme_dword(request, 10) & 0xffff;

    if (!id || id > nvme->max_pairs || !nvme->sqs[id].size) {
        return NVME_INVALID_QID | NVME_DO_NOT_RETRY;
    }
    nvme->sqs[id].tail = nvme->sqs[id].head;
    for (unsigned n = 1; n <= NVME_NAMESPACES && nvme->sqs[id].in_flight; n++) {
        if (nvme->namespaces[n]) {
            block_backend_drain(nvme->namespaces[n]->conf.drive, true);
        }
    }
    nvme->sqs[id] = (NvmeSq){ 0 };
    return NVME_SUCCESS;
}

static uint16_t delete_cq(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t id = nvme_dword(request, 10) & 0xffff;

    if (!id || id > nvme->max_pairs || !nvme->cqs[id].size) {
        return NVME_INVALID_CQID | NVME_DO_NOT_RETRY;
    }
    for (unsigned n = 1; n < NVME_QUEUES; n++) {
        if (nvme->sqs[n].size && nvme->sqs[n].cqid == id) {
            return NVME_INVALID_DELETION;
        }
    }
    if (nvme->cqs[id].vector < 32) {
        nvme->irq_status &= ~BIT(nvme->cqs[id].vector);
    }
    nvme->cqs[id] = (NvmeCq){ 0 };
    nvme_update_irq(nvme);
    return NVME_SUCCESS;
}

/* --- features --- */

static bool has_write_cache(const Nvme *nvme)
{
    for (unsigned n = 1; n <= NVME_NAMESPACES; n++) {
        if (nvme->namespaces[n] &&
            block_backend_has_write_cache(nvme->namespaces[n]->conf.drive)) {
            return true;
        }
    }
    return false;
}

static void set_write_cache(const Nvme *nvme, bool is_on)
{
    for (unsigned n = 1; n <= NVME_NAMESPACES; n++) {
        if (nvme->namespaces[n]) {
            block_backend_set_write_cache(nvme->namespaces[n]->conf.drive, is_on);
        }
    }
}

static uint32_t queue_counts(const Nvme *nvme)
{
    return (nvme->max_pairs - 1) << 16 | (nvme->max_pairs - 1);
}

static uint16_t get_features(NvmeRequest *request)
{
    const Nvme *nvme = request->nvme;
    bool has_warning = !(nvme_dword(request, 11) & 0x3f0000);

    switch (nvme_dword(request, 10) & 0xff) {
    case ARBITRATION:
        request->result = 7; /* no limit of a burst */
        break;
    case POWER:
    case ERROR_RECOVERY:
    case ATOMICITY:
    case VECTOR_CONFIG:
        break;
    case TEMPERATURE:
        request->result = has_warning ? nvme_dword(request, 11) & BIT(20) ? 0 : WARNING_K : 0;
        break;
    case WRITE_CACHE:
        request->result = has_write_cache(nvme);
        break;
    case QUEUES:
        request->result = queue_counts(nvme);
        break;
    case COALESCING:
        request->result = nvme->coalescing;
        break;
    case EVENT_CONFIG:
        request->result = nvme->event_mask;
        break;
    default:
        return invalid();
    }
    return NVME_SUCCESS;
}

static uint16_t set_features(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t value = nvme_dword(request, 11);

    if (nvme_dword(request, 10) >> 31) {
        return NVME_NOT_SAVEABLE | NVME_DO_NOT_RETRY;
    }
    switch (nvme_dword(request, 10) & 0xff) {
    case WRITE_CACHE:
        set_write_cache(nvme, value & 1);
        return NVME_SUCCESS;
    case QUEUES:
        if ((value & 0xffff) == 0xffff || value >> 16 == 0xffff) {
            return invalid();
        }
        request->result = queue_counts(nvme);
        return NVME_SUCCESS;
    case COALESCING:
        nvme->coalescing = value & 0xffff;
        return NVME_SUCCESS;
    case EVENT_CONFIG:
        nvme->event_mask = value;
        return NVME_SUCCESS;
    default:
        return invalid();
    }
}

/* --- logs --- */

static void fill_health(const Nvme *nvme, uint8_t *log)
{
    store_le16(log + 1, TEMPERATURE_K);
    log[3] = 100; /* per cent of spare blocks, */
    log[4] = 10;  /* of which one is warned */
}

static uint16_t get_log(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t dword10 = nvme_dword(request, 10);
    uint64_t bytes = ((uint64_t)(nvme_dword(request, 11) & 0xffff) << 16 | dword10 >> 16) * 4 + 4;
    uint64_t offset = nvme_dword(request, 12) | (uint64_t)nvme_dword(request, 13) << 32;
    g_autofree uint8_t *log = g_malloc0(LOG_BYTES);

    switch (dword10 & 0xff) {
    case LOG_ERRORS:
        break;
    case LOG_HEALTH:
        fill_health(nvme, log);
        break;
    case LOG_FIRMWARE:
        log[0] = 1;
        memcpy(log + 8, "1.0     ", 8);
        break;
    case LOG_CHANGED:
        store_le32(log, nvme->changed);
        nvme->changed = 0;
        break;
    default:
        return NVME_INVALID_LOG | NVME_DO_NOT_RETRY;
    }
    if (!(dword10 & BIT(15))) {
        nvme->is_event_held = false;
    }
    if (offset % 4 || offset > LOG_BYTES) {
        return invalid();
    }
    return nvme_give(request, log + offset, MIN(bytes, LOG_BYTES - offset));
}

/* --- events --- */

static void tell_event(Nvme *nvme)
{
    if (nvme->changed && nvme->event_count && !nvme->is_event_held) {
        nvme->is_event_held = true;
        nvme->event_count--;
        nvme_post(nvme, 0, nvme->events[nvme->event_count], NVME_SUCCESS,
                  EVENT_NOTICE | LOG_CHANGED << 16);
    }
}

void nvme_tell_changed(Nvme *nvme, uint32_t id)
{
    if (nvme->event_mask & EVENT_NS_CHANGED) {
        nvme->changed = nvme->changed && nvme->changed != id ? UINT32_MAX : id;
        tell_event(nvme);
    }
}

/* It stays with the controller, and is no longer under way. */
static uint16_t async_event(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;

    if (nvme->event_count == NVME_EVENTS) {
        return NVME_TOO_MANY_EVENTS;
    }
    nvme->events[nvme->event_count++] = request->cid;
    nvme_drop(request);
    tell_event(nvme);
    return NVME_LATER;
}

uint16_t nvme_admin(NvmeRequest *request)
{
    switch (request->command[0]) {
    case DELETE_SQ:
        return delete_sq(request);
    case CREATE_SQ:
        return create_sq(request);
    case GET_LOG:
        return get_log(request);
    case DELETE_CQ:
        return delete_cq(request);
    case CREATE_CQ:
        return create_cq(request);
    case IDENTIFY:
        return nvme_identify(request);
    case ABORT:
        request->result = 1; /* it was not aborted: it will complete */
        return NVME_SUCCESS;
    case SET_FEATURES:
        return set_features(request);
    case GET_FEATURES:
        return get_features(request);
    case ASYNC_EVENT:
        return async_event(request);
    default:
        return NVME_INVALID_OPCODE | NVME_DO_NOT_RETRY;
    }
}
