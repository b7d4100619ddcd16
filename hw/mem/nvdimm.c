/*
 * nvdimm: a module of persistent memory. The end of its back end can hold namespace labels, which
 * guests reach through ACPI methods only; the rest, down to a multiple of 2 MiB, is memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/mem/pc_dimm.h"
#include "system/memory_log.h"

static MemoryBackend *backend_of(const Nvdimm *nvdimm)
{
    return MEMORY_BACKEND(nvdimm->parent.memdev);
}

/* --- labels --- */

static uint64_t labels_at(const Nvdimm *nvdimm)
{
    return memory_backend_region(backend_of(nvdimm))->size - nvdimm->label_bytes;
}

static uint8_t *labels(const Nvdimm *nvdimm)
{
    return (uint8_t *)memory_region_host(memory_backend_region(backend_of(nvdimm))) +
           labels_at(nvdimm);
}

void nvdimm_read_label(Nvdimm *nvdimm, void *buf, uint64_t at, uint64_t bytes)
{
    assert(at <= nvdimm->label_bytes && bytes <= nvdimm->label_bytes - at);
    memcpy(buf, labels(nvdimm) + at, bytes);
}

void nvdimm_write_label(Nvdimm *nvdimm, const void *buf, uint64_t at, uint64_t bytes)
{
    assert(at <= nvdimm->label_bytes && bytes <= nvdimm->label_bytes - at);
    memcpy(labels(nvdimm) + at, buf, bytes);
    ram_block_mark_written(memory_backend_region(backend_of(nvdimm))->ram, labels_at(nvdimm) + at,
                           bytes);
}

static bool check_label_bytes(Object *obj, const Property *p, Error **errp)
{
    uint64_t bytes = NVDIMM(obj)->label_bytes;

    if (NVDIMM(obj)->has_data) {
        return error_set(errp, "Property '%s.label-size' can't be changed any more",
                         object_type_name(obj));
    }
    return bytes >= NVDIMM_MIN_LABEL_BYTES ||
           error_set(errp, "Property '%s.label-size' (0x%" PRIx64 ") is required at least 0x%"
                     PRIx64, object_type_name(obj), bytes, NVDIMM_MIN_LABEL_BYTES);
}

/* --- what the guest sees --- */

/* Made when first asked for, from which time size and labels stay. */
static bool make_data(Nvdimm *nvdimm, Error **errp)
{
    MemoryRegion *all = memory_backend_region(backend_of(nvdimm));
    uint64_t align = MAX(memory_backend_page_bytes(backend_of(nvdimm)), DEVICE_MEMORY_ALIGN);
    uint64_t bytes = all->size > nvdimm->label_bytes ?
                         ROUND_DOWN(all->size - nvdimm->label_bytes, align) : 0;

    if (!bytes) {
        return error_set(errp, "the size of memdev %s (0x%" PRIx64 ") is too small to contain "
                         "nvdimm label (0x%" PRIx64 ") and aligned PMEM (0x%" PRIx64 ")",
                         nvdimm->parent.memdev->name, all->size, nvdimm->label_bytes, align);
    }
    memory_region_init_alias(&nvdimm->data, &nvdimm->parent.parent.parent, "nvdimm-memory", all,
                             (MemoryWindow){ 0, bytes });
    nvdimm->has_data = true;
    return true;
}

static MemoryRegion *nvdimm_region(PcDimm *dimm, Error **errp)
{
    Nvdimm *nvdimm = NVDIMM(dimm);

    return nvdimm->has_data || make_data(nvdimm, errp) ? &nvdimm->data : NULL;
}

/* --- life --- */

static bool nvdimm_realize(Device *dev, Error **errp)
{
    Nvdimm *nvdimm = NVDIMM(dev);

    if (!nvdimm_region(&nvdimm->parent, errp)) {
        return false;
    }
    memory_region_set_nonvolatile(&nvdimm->data, true);
    return true;
}

static void nvdimm_finalize(Object *obj)
{
    if (NVDIMM(obj)->has_data) {
        memory_region_clear(&NVDIMM(obj)->data);
    }
}

static const Property nvdimm_props[] = {
    PROP_SIZE("label-size", Nvdimm, label_bytes, .has_no_default = true,
              .check = check_label_bytes, .doc = "Bytes for namespace labels; at least 128 KiB"),
    PROP_UUID("uuid", Nvdimm, uuid, .doc = "Its identity to platforms that want one"),
    PROP_BOOL("unarmed", Nvdimm, is_unarmed,
              .doc = "Tells the guest that writes may not be persistent"),
};

static const PcDimmType nvdimm_type = {
    .name = TYPE_NVDIMM,
    .doc = "NVDIMM memory module",
    .parent = TYPE_PC_DIMM,
    .size = sizeof(Nvdimm),
    .properties = PROPERTIES(nvdimm_props),
    .finalize = nvdimm_finalize,
    .realize = nvdimm_realize,
    .region = nvdimm_region,
};
DEVICE_TYPE(nvdimm_type)
