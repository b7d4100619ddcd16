/*
 * Features (5.21): what a driver asks for and sets. None is saved over a reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#include "hw/pci/msi.h"
#include "system/clock.h"

enum { ARBITRATION = 0x01, POWER = 0x02, TEMPERATURE = 0x04, ERROR_RECOVERY = 0x05,
       WRITE_CACHE = 0x06, QUEUES = 0x07, COALESCING = 0x08, VECTOR_CONFIG = 0x09,
       ATOMICITY = 0x0a, EVENT_CONFIG = 0x0b, TIMESTAMP = 0x0e };
enum { SELECT_CURRENT, SELECT_DEFAULT, SELECT_SAVED, SELECT_CAPABILITIES };
enum { CAN_CHANGE = BIT(2) }; /* as SELECT_CAPABILITIES tells it */
#define SAVE               BIT(31) /* of dword 10 */
#define TIMESTAMP_BYTES    8
#define TIMESTAMP_MASK     (BIT64(48) - 1)
#define NO_COALESCING      BIT(16)

static uint16_t invalid(void)
{
    return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
}

/* --- plain words --- */

static uint16_t get_word(NvmeRequest *request, uint32_t *word)
{
    request->result = *word;
    return NVME_SUCCESS;
}

static uint16_t set_word(NvmeRequest *request, uint32_t *word)
{
    *word = nvme_dword(request, 11);
    return NVME_SUCCESS;
}

/* --- others --- */

static uint16_t set_power(NvmeRequest *request, uint32_t *word)
{
    return nvme_dword(request, 11) & 0x1f ? invalid() : set_word(request, word); /* one state */
}

uint8_t nvme_temperature_warning(const Nvme *nvme)
{
    return NVME_TEMPERATURE_K >= nvme->features.temperature[0] ||
           NVME_TEMPERATURE_K <= nvme->features.temperature[1] ? BIT(1) : 0;
}

/* The threshold that dword 11 is about: over, or under; NULL: of a sensor that is not there. */
static uint32_t *threshold(NvmeRequest *request, uint32_t *thresholds)
{
    uint32_t sensor = nvme_dword(request, 11) >> 16 & 0xf, kind = nvme_dword(request, 11) >> 20 & 3;

    return kind > 1 || (sensor && sensor != 0xf) ? NULL : &thresholds[kind];
}

static uint16_t get_temperature(NvmeRequest *request, uint32_t *word)
{
    const uint32_t *found = threshold(request, word);

    request->result = found ? *found : 0;
    return found ? NVME_SUCCESS : invalid();
}

static uint16_t set_temperature(NvmeRequest *request, uint32_t *word)
{
    uint32_t *found = threshold(request, word);
    uint8_t before = nvme_temperature_warning(request->nvme);

    if (!found) {
        return invalid();
    }
    *found = nvme_dword(request, 11) & 0xffff;
    nvme_tell_warning(request->nvme, nvme_temperature_warning(request->nvme) & ~before);
    return NVME_SUCCESS;
}

static uint16_t get_write_cache(NvmeRequest *request, uint32_t *word)
{
    request->result = 0;
    for (unsigned n = 1; n <= NVME_NAMESPACES; n++) {
        const NvmeNamespace *ns = request->nvme->namespaces[n];

        request->result |= ns && block_backend_has_write_cache(ns->conf.drive);
    }
    return NVME_SUCCESS;
}

static uint16_t set_write_cache(NvmeRequest *request, uint32_t *word)
{
    for (unsigned n = 1; n <= NVME_NAMESPACES; n++) {
        if (request->nvme->namespaces[n]) {
            block_backend_set_write_cache(request->nvme->namespaces[n]->conf.drive,
                                          nvme_dword(request, 11) & 1);
        }
    }
    return NVME_SUCCESS;
}

static uint16_t get_queues(NvmeRequest *request, uint32_t *word)
{
    request->result = (request->nvme->max_pairs - 1) << 16 | (request->nvme->max_pairs - 1);
    return NVME_SUCCESS;
}

static uint16_t set_queues(NvmeRequest *request, uint32_t *word)
{
    uint32_t value = nvme_dword(request, 11);

    return (value & 0xffff) == 0xffff || value >> 16 == 0xffff ? invalid() :
                                                                 get_queues(request, word);
}

static uint16_t set_coalescing(NvmeRequest *request, uint32_t *word)
{
    *word = nvme_dword(request, 11) & 0xffff;
    return NVME_SUCCESS;
}

static uint16_t get_vector(NvmeRequest *request, uint32_t *word)
{
    uint32_t vector = nvme_dword(request, 11) & 0xffff;

    request->result = vector | NO_COALESCING;
    return vector < MAX(msix_vectors(&request->nvme->parent), 1) ? NVME_SUCCESS : invalid();
}

/* --- the time, in ms --- */

static uint16_t get_timestamp(NvmeRequest *request, uint32_t *word)
{
    const NvmeFeatures *features = &request->nvme->features;
    uint64_t passed_ms = (clock_now_ns(CLOCK_VIRTUAL) - features->timestamp_at_ns) / NS_PER_MS;
    uint8_t data[TIMESTAMP_BYTES];

    store_le64(data, (features->timestamp_ms + passed_ms) & TIMESTAMP_MASK);
    data[6] = features->has_timestamp ? 2 : 0; /* a host set it */
    return nvme_give(request, data, sizeof(data));
}

static uint16_t set_timestamp(NvmeRequest *request, uint32_t *word)
{
    NvmeFeatures *features = &request->nvme->features;
    uint8_t data[TIMESTAMP_BYTES];
    uint16_t status = nvme_take(request, data, sizeof(data));

    if (status == NVME_SUCCESS) {
        features->timestamp_ms = load_le64(data) & TIMESTAMP_MASK;
        features->timestamp_at_ns = clock_now_ns(CLOCK_VIRTUAL);
        features->has_timestamp = true;
    }
    return status;
}

/* --- which there are --- */

typedef uint16_t FeatureFn(NvmeRequest *request, uint32_t *word);
#define WORD(f) offsetof(Nvme, f)

static const struct {
    uint8_t id;
    uint8_t capabilities;
    FeatureFn *get, *set; /* set NULL: cannot be changed */
    size_t word;          /* where its value is, if it has one */
} features[] = {
    { ARBITRATION, CAN_CHANGE, get_word, set_word, WORD(features.arbitration) },
    { POWER, CAN_CHANGE, get_word, set_power, WORD(features.power) },
    { TEMPERATURE, CAN_CHANGE, get_temperature, set_temperature, WORD(features.temperature) },
    { ERROR_RECOVERY, CAN_CHANGE, get_word, set_word, WORD(features.error_recovery) },
    { WRITE_CACHE, CAN_CHANGE, get_write_cache, set_write_cache, 0 },
    { QUEUES, CAN_CHANGE, get_queues, set_queues, 0 },
    { COALESCING, CAN_CHANGE, get_word, set_coalescing, WORD(coalescing) },
    { VECTOR_CONFIG, 0, get_vector, NULL, 0 },
    { ATOMICITY, CAN_CHANGE, get_word, set_word, WORD(features.atomicity) },
    { EVENT_CONFIG, CAN_CHANGE, get_word, set_word, WORD(event_mask) },
    { TIMESTAMP, CAN_CHANGE, get_timestamp, set_timestamp, 0 },
};

void nvme_reset_features(Nvme *nvme)
{
    nvme->features = (NvmeFeatures){
        .arbitration = 7, /* no limit of a burst */
        .temperature = { NVME_WARNING_K, 0 },
        .timestamp_at_ns = clock_now_ns(CLOCK_VIRTUAL),
    };
    nvme->event_mask = nvme->coalescing = 0;
}

static int find(uint8_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        if (features[i].id == id) {
            return i;
        }
    }
    return -1;
}

/* What it would be after a reset; nothing is ever saved. */
static uint16_t get_default(NvmeRequest *request, int i)
{
    Nvme *nvme = request->nvme;
    NvmeFeatures now = nvme->features;
    uint32_t event_mask = nvme->event_mask, coalescing = nvme->coalescing;
    uint16_t status;

    nvme_reset_features(nvme);
    status = features[i].get(request, (uint32_t *)((char *)nvme + features[i].word));
    nvme->features = now;
    nvme->event_mask = event_mask;
    nvme->coalescing = coalescing;
    return status;
}

uint16_t nvme_get_features(NvmeRequest *request)
{
    int i = find(nvme_dword(request, 10) & 0xff);

    if (i < 0) {
        return invalid();
    }
    switch (nvme_dword(request, 10) >> 8 & 7) {
    case SELECT_CURRENT:
        return features[i].get(request, (uint32_t *)((char *)request->nvme + features[i].word));
    case SELECT_DEFAULT:
    case SELECT_SAVED:
        return get_default(request, i);
    case SELECT_CAPABILITIES:
        request->result = features[i].capabilities;
        return NVME_SUCCESS;
    default:
        return invalid();
    }
}

uint16_t nvme_set_features(NvmeRequest *request)
{
    int i = find(nvme_dword(request, 10) & 0xff);

    if (nvme_dword(request, 10) & SAVE) {
        return NVME_NOT_SAVEABLE | NVME_DO_NOT_RETRY;
    }
    if (i < 0) {
        return invalid();
    }
    return !features[i].set ? NVME_NOT_CHANGEABLE | NVME_DO_NOT_RETRY :
           features[i].set(request, (uint32_t *)((char *)request->nvme + features[i].word));
}
