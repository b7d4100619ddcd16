/*
 * Asynchronous events (5.2) and the log pages that tell of them (5.14).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#include "system/clock.h"

enum { LOG_ERRORS = 0x01, LOG_HEALTH = 0x02, LOG_FIRMWARE = 0x03, LOG_CHANGED = 0x04,
       LOG_EFFECTS = 0x05 };
#define LOG_BYTES        4096
#define KEEPS_EVENT      BIT(15) /* of dword 10 */
#define DATA_UNIT        (1000 * 512)
#define EVENT_NS_CHANGED BIT(8)  /* of feature 0bh */
#define EFFECTS_OF_IO    1024

/* --- events: one of a type at a time, until its log is read --- */

typedef enum EventType { EVENT_ERROR, EVENT_HEALTH, EVENT_NOTICE, EVENT_TYPES } EventType;
static const uint8_t log_of[EVENT_TYPES] = { LOG_ERRORS, LOG_HEALTH, LOG_CHANGED };

static void tell_events(Nvme *nvme)
{
    for (unsigned type = 0; type < EVENT_TYPES && nvme->event_count; type++) {
        if (nvme->events_due & ~nvme->events_held & BIT(type)) {
            nvme->events_due &= ~BIT(type);
            nvme->events_held |= BIT(type);
            nvme->event_count--;
            nvme_post(nvme, 0, nvme->events[nvme->event_count], NVME_SUCCESS,
                      type | nvme->event_info[type] << 8 | log_of[type] << 16);
        }
    }
}

static void add_event(Nvme *nvme, EventType type, uint8_t info)
{
    if (nvme->csts & NVME_CSTS_RDY) {
        nvme->events_due |= BIT(type);
        nvme->event_info[type] = info;
        tell_events(nvme);
    }
}

void nvme_tell_changed(Nvme *nvme, uint32_t id)
{
    if (nvme->event_mask & EVENT_NS_CHANGED) {
        nvme->changed = nvme->changed && nvme->changed != id ? UINT32_MAX : id;
        add_event(nvme, EVENT_NOTICE, 0);
    }
}

void nvme_tell_bad_doorbell(Nvme *nvme, bool has_register)
{
    add_event(nvme, EVENT_ERROR, has_register);
}

/* Bits of critical warnings that are new; an event for the gravest that the driver wants. */
void nvme_tell_warning(Nvme *nvme, uint8_t bits)
{
    enum { SPARE = 0, TEMPERATURE = 1 };
    enum { INFO_RELIABILITY = 0, INFO_TEMPERATURE = 1, INFO_SPARE = 2 };

    bits &= nvme->event_mask;
    if (bits) {
        add_event(nvme, EVENT_HEALTH, bits & ~(BIT(SPARE) | BIT(TEMPERATURE)) ? INFO_RELIABILITY :
                                      bits & BIT(TEMPERATURE) ? INFO_TEMPERATURE : INFO_SPARE);
    }
}

/* It stays with the controller, and is no longer under way. */
uint16_t nvme_async_event(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;

    if (nvme->event_count == NVME_EVENTS) {
        return NVME_TOO_MANY_EVENTS;
    }
    nvme->events[nvme->event_count++] = request->cid;
    nvme_drop(request);
    tell_events(nvme);
    return NVME_LATER;
}

/* --- logs: each fills a page of zeroes --- */

static void add_use(const Nvme *nvme, uint32_t only, BlockOp op, uint8_t *units, uint8_t *commands)
{
    uint64_t bytes = 0, count = 0;

    for (uint32_t id = 1; id <= NVME_NAMESPACES; id++) {
        uint64_t some, some_bytes;

        if (nvme->namespaces[id] && (!only || only == id)) {
            block_backend_use(nvme->namespaces[id]->conf.drive, op, &some, &some_bytes);
            count += some;
            bytes += some_bytes;
        }
    }
    store_le64(units, (bytes + DATA_UNIT - 1) / DATA_UNIT);
    store_le64(commands, count);
}

/* Of the controller, or of one namespace. */
static void fill_health(Nvme *nvme, uint32_t id, uint8_t *log)
{
    log[0] = nvme->warnings | nvme_temperature_warning(nvme);
    store_le16(log + 1, NVME_TEMPERATURE_K);
    log[3] = 100; /* per cent of spare blocks, */
    log[4] = 10;  /* of which one is warned */
    add_use(nvme, id == UINT32_MAX ? 0 : id, BLOCK_READ, log + 32, log + 64);
    add_use(nvme, id == UINT32_MAX ? 0 : id, BLOCK_WRITE, log + 48, log + 80);
    store_le64(log + 128, clock_now_ns(CLOCK_VIRTUAL) / NS_PER_SEC / 3600); /* hours */
}

static void fill_firmware(Nvme *nvme, uint32_t id, uint8_t *log)
{
    log[0] = 1;
    memcpy(log + 8, "1.0     ", 8);
}

static void fill_changed(Nvme *nvme, uint32_t id, uint8_t *log)
{
    store_le32(log, nvme->changed);
    nvme->changed = 0;
}

static void fill_effects(Nvme *nvme, uint32_t id, uint8_t *log)
{
    for (unsigned op = 0; op < 256; op++) {
        store_le32(log + 4 * op, nvme_admin_effects(op));
        store_le32(log + EFFECTS_OF_IO + 4 * op, nvme_io_effects(op));
    }
}

static void fill_nothing(Nvme *nvme, uint32_t id, uint8_t *log)
{
    /* no error is kept: its completion said it */
}

static const struct {
    uint8_t log;
    uint8_t releases; /* EventType, and one more; 0: none */
    void (*fill)(Nvme *nvme, uint32_t id, uint8_t *log);
} logs[] = {
    { LOG_ERRORS, EVENT_ERROR + 1, fill_nothing }, { LOG_HEALTH, EVENT_HEALTH + 1, fill_health },
    { LOG_FIRMWARE, 0, fill_firmware }, { LOG_CHANGED, EVENT_NOTICE + 1, fill_changed },
    { LOG_EFFECTS, 0, fill_effects },
};

uint16_t nvme_get_log(NvmeRequest *request)
{
    Nvme *nvme = request->nvme;
    uint32_t dword10 = nvme_dword(request, 10), id = nvme_dword(request, 1);
    uint64_t bytes = ((uint64_t)(nvme_dword(request, 11) & 0xffff) << 16 | dword10 >> 16) * 4 + 4;
    uint64_t offset = nvme_dword(request, 12) | (uint64_t)nvme_dword(request, 13) << 32;
    g_autofree uint8_t *log = g_malloc0(LOG_BYTES);
    size_t i = 0;

    while (i < ARRAY_SIZE(logs) && logs[i].log != (dword10 & 0xff)) {
        i++;
    }
    if (i == ARRAY_SIZE(logs)) {
        return NVME_INVALID_LOG | NVME_DO_NOT_RETRY;
    }
    if (offset % 4 || offset > LOG_BYTES) {
        return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
    }
    if (id && id != UINT32_MAX && (id > NVME_NAMESPACES || !nvme->namespaces[id])) {
        return NVME_INVALID_NAMESPACE | NVME_DO_NOT_RETRY;
    }
    logs[i].fill(nvme, id, log);
    if (logs[i].releases && !(dword10 & KEEPS_EVENT)) {
        nvme->events_held &= ~BIT(logs[i].releases - 1);
        tell_events(nvme);
    }
    return nvme_give(request, log + offset, MIN(bytes, LOG_BYTES - offset));
}
