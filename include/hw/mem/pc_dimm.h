/*
 * pc-dimm and nvdimm: memory modules in the slots that -m slots= gives a machine. A board's
 * hot-plug handler calls the steps here; what its guest is told is ACPI's (hw/acpi/hotplug.h).
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MEM_PC_DIMM_H
#define HW_MEM_PC_DIMM_H

#include "hw/core/device_memory.h"
#include "system/memory_backend.h"

#define TYPE_PC_DIMM "pc-dimm"
#define TYPE_NVDIMM  "nvdimm"

#define NVDIMM_MIN_LABEL_BYTES (128 * KiB)

typedef struct PcDimm {
    Device parent;
    /* properties */
    uint64_t addr;       /* 0: any */
    uint32_t node;
    int32_t slot;        /* -1: any */
    Object *memdev;
    bool is_plugged;
} PcDimm;
DECLARE_CAST(PcDimm, PC_DIMM)

typedef struct PcDimmType {
    struct DeviceType;
    /* The part of its back end that the guest sees, which is there. */
    MemoryRegion *(*region)(PcDimm *dimm, Error **errp);
} PcDimmType;

typedef struct Nvdimm {
    PcDimm parent;
    uint64_t label_bytes; /* property; 0: no labels */
    uint8_t uuid[16];
    bool is_unarmed;
    MemoryRegion data;    /* the back end without the labels, which are at its end */
    bool has_data;
} Nvdimm;
DECLARE_CAST(Nvdimm, NVDIMM)

bool pc_dimm_pre_plug(struct Machine *machine, PcDimm *dimm, Error **errp);
void pc_dimm_plug(struct Machine *machine, PcDimm *dimm);
void pc_dimm_unplug(struct Machine *machine, PcDimm *dimm);
/* By slot; NULL: it is empty. */
PcDimm *pc_dimm_in_slot(const struct Machine *machine, int slot);
uint64_t pc_dimm_bytes(PcDimm *dimm);

/* The namespace labels; [at, at + bytes) must be within label_bytes. */
void nvdimm_read_label(Nvdimm *nvdimm, void *buf, uint64_t at, uint64_t bytes);
void nvdimm_write_label(Nvdimm *nvdimm, const void *buf, uint64_t at, uint64_t bytes);

#endif
