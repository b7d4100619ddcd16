/*
 * See hw/iommu/host_iommu_mock.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/iommu/host_iommu_mock.h"

#include "system/address_space.h"

/* Notes the act, and whether it comes to pass. */
static bool PRINTF(3, 4) act(HostIommuDevice *host, Error **errp, const char *format, ...)
{
    MockHostIommu *mock = MOCK_HOST_IOMMU(host);
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_string_append_printf(mock->log, "%s%s %s%s", mock->log->len ? " ; " : "", mock->name, text,
                           mock->refuses ? " refused" : "");
    return !mock->refuses || error_set(errp, "the mock refuses");
}

static bool attach_first(HostIommuDevice *host, uint32_t pasid, const HostFirstStage *stage,
                         Error **errp)
{
    const struct {
        bool is_set;
        char name;
    } flags[] = {
        { stage->has_supervisor, 'S' }, { stage->has_extended_access, 'A' },
        { stage->has_write_protect, 'W' }, { stage->cache_disable, 'c' },
        { stage->write_through, 't' }, { stage->cache_disable_page, 'p' },
        { stage->extended_memory_type, 'e' }, { stage->wants_faults, 'F' },
    };
    char text[ARRAY_SIZE(flags) + 1] = "";

    for (size_t i = 0, n = 0; i < ARRAY_SIZE(flags); i++) {
        if (flags[i].is_set) {
            text[n++] = flags[i].name;
        }
    }
    return act(host, errp, "first %u root %" PRIx64 " width %u flags [%s] emt %u pat %x", pasid,
               stage->root, stage->address_bits, text, stage->memory_type, stage->pat);
}

static bool attach_second(HostIommuDevice *host, uint32_t pasid, Error **errp)
{
    return act(host, errp, "second %u", pasid);
}

static bool detach(HostIommuDevice *host, uint32_t pasid, Error **errp)
{
    return act(host, errp, "detach %u", pasid);
}

static bool flush(HostIommuDevice *host, const HostFlush *flush, Error **errp)
{
    MockHostIommu *mock = MOCK_HOST_IOMMU(host);
    g_autofree char *pages = flush->pages == UINT64_MAX ? g_strdup("all") :
                             g_strdup_printf("%" PRIu64, flush->pages);
    uint64_t status = 0;

    if (mock->status) {
        address_space_load(address_space_system(), mock->status, MEM_LE32, MEM_TX_NONE, &status);
    }
    return act(host, errp, "flush %u at %" PRIx64 " %s%s status %" PRIx64, flush->pasid,
               flush->addr, pages, flush->is_leaf ? " leaf" : "", status);
}

static bool respond(HostIommuDevice *host, const HostPageRequest *request, uint8_t code,
                    Error **errp)
{
    return act(host, errp, "respond %" PRIx64 " code %u", request->cookie, code);
}

static bool alloc_pasid(HostIommuDevice *host, uint32_t first, uint32_t last, uint32_t *pasid,
                        Error **errp)
{
    MockHostIommu *mock = MOCK_HOST_IOMMU(host);

    *pasid = mock->next_pasid++;
    return act(host, errp, "alloc %u-%u", first, last);
}

static bool free_pasid(HostIommuDevice *host, uint32_t pasid, Error **errp)
{
    return act(host, errp, "free %u", pasid);
}

static const HostIommuDeviceType mock_type = {
    .name = "host-iommu-mock",
    .parent = TYPE_HOST_IOMMU_DEVICE,
    .size = sizeof(MockHostIommu),
    .attach_first = attach_first,
    .attach_second = attach_second,
    .detach = detach,
    .flush = flush,
    .respond = respond,
    .alloc_pasid = alloc_pasid,
    .free_pasid = free_pasid,
};
OBJECT_TYPE(mock_type)

MockHostIommu *mock_host_iommu_new(const char *name, GString *log)
{
    MockHostIommu *mock = MOCK_HOST_IOMMU(object_new(mock_type.name));

    mock->name = name;
    mock->log = log;
    mock->parent.caps = (HostIommuCaps){
        .type = HOST_IOMMU_VTD, .address_bits = 57, .pasid_bits = 20, .has_nesting = true,
        .has_faults = true, .translates_rid = true, .vtd = { UINT64_MAX, UINT64_MAX },
    };
    return mock;
}
