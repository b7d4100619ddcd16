/*
 * nvme: an NVM Express controller (NVM Express Base Specification 1.4) on PCI: registers and life.
 * Left out: virtualization, zones, multipath.
 *
 * Requests are answered before a state is saved; those that wait for the VM to run, after an error,
 * keep it from being saved.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#include "hw/pci/msi.h"
#include "hw/pci/pcie.h"
#include "system/memory_backend.h"
#include "util/log.h"

enum { REG_CAP = 0x00, REG_VS = 0x08, REG_INTMS = 0x0c, REG_INTMC = 0x10, REG_CC = 0x14,
       REG_CSTS = 0x1c, REG_AQA = 0x24, REG_ASQ = 0x28, REG_ACQ = 0x30 };
#define BAR_REGISTERS   0
#define BAR_MSIX        4 /* if it has one of its own */
#define MSIX_TABLE      0x2000
#define MSIX_PENDING    0x3000
#define DOORBELLS       0x1000
#define REGISTERS_BYTES 0x2000
#define BAR_BYTES       0x4000
#define VERSION         0x00010400
#define EXPRESS_AT      0x80
/* Queues of 2048, contiguous; 7.5 s to start; the NVM command set; pages of 4 to 64 KiB */
#define CAP_VALUE       (UINT64_C(0x07ff) | BIT64(16) | UINT64_C(15) << 24 | BIT64(37) | \
                         UINT64_C(4) << 52)
#define MAX_PAGE        4
#define SQE_EXPONENT    6
#define CQE_EXPONENT    4

/* --- enabling --- */

static bool is_valid(const Nvme *nvme)
{
    uint32_t cc = nvme->cc;
    bool is_aligned = !(nvme->asq[0] & 0xfff) && !(nvme->acq[0] & 0xfff);

    return is_aligned && !(cc >> 4 & 7) && (cc >> 7 & 0xf) <= MAX_PAGE &&
           (cc >> 16 & 0xf) == SQE_EXPONENT && (cc >> 20 & 0xf) == CQE_EXPONENT &&
           (nvme->aqa & 0xfff) && (nvme->aqa >> 16 & 0xfff);
}

static void enable(Nvme *nvme)
{
    if (!is_valid(nvme)) {
        guest_error("nvme: enabled with CC 0x%08x, AQA 0x%08x", nvme->cc, nvme->aqa);
        nvme->csts = NVME_CSTS_CFS;
        return;
    }
    nvme->cqs[0] = (NvmeCq){ .addr = (uint64_t)nvme->acq[1] << 32 | nvme->acq[0],
                             .size = (nvme->aqa >> 16 & 0xfff) + 1, .phase = true,
                             .has_irq = true };
    nvme->sqs[0] = (NvmeSq){ .addr = (uint64_t)nvme->asq[1] << 32 | nvme->asq[0],
                             .size = (nvme->aqa & 0xfff) + 1 };
    nvme->csts = NVME_CSTS_RDY;
}

static void disable(Nvme *nvme)
{
    nvme_stop(nvme);
    nvme->csts = 0;
}

static void flush(Nvme *nvme)
{
    for (unsigned n = 1; n <= NVME_NAMESPACES; n++) {
        NvmeNamespace *ns = nvme->namespaces[n];

        if (ns && !block_backend_is_read_only(ns->conf.drive)) {
            static const BlockIo io = { .op = BLOCK_FLUSH };

            block_backend_drain(ns->conf.drive, false);
            block_backend_io(ns->conf.drive, &io); /* a driver that wants to know flushes itself */
        }
    }
}

static void write_cc(Nvme *nvme, uint32_t value)
{
    uint32_t old = nvme->cc;

    nvme->cc = value;
    if (value & ~old & NVME_CC_EN) {
        enable(nvme);
    } else if (old & ~value & NVME_CC_EN) {
        disable(nvme);
    }
    if (value & NVME_CC_SHN && !(old & NVME_CC_SHN)) {
        flush(nvme);
        nvme->csts |= NVME_CSTS_SHST_COMPLETE;
    } else if (!(value & NVME_CC_SHN)) {
        nvme->csts &= ~NVME_CSTS_SHST_COMPLETE;
    }
}

/* --- registers: words of 32 bits --- */

static uint32_t read_word(Nvme *nvme, uint64_t at)
{
    switch (at) {
    case REG_CAP:
        return (uint32_t)CAP_VALUE;
    case REG_CAP + 4:
        return (CAP_VALUE | nvme_memory_capabilities(nvme)) >> 32;
    case REG_VS:
        return VERSION;
    case REG_INTMS:
    case REG_INTMC:
        return nvme->masked;
    case REG_CC:
        return nvme->cc;
    case REG_CSTS:
        return nvme->csts;
    case REG_AQA:
        return nvme->aqa;
    case REG_ASQ:
    case REG_ASQ + 4:
        return nvme->asq[(at - REG_ASQ) / 4];
    case REG_ACQ:
    case REG_ACQ + 4:
        return nvme->acq[(at - REG_ACQ) / 4];
    default:
        return nvme_memory_read(nvme, at);
    }
}

static void write_word(Nvme *nvme, uint64_t at, uint32_t value)
{
    bool is_enabled = nvme->cc & NVME_CC_EN;

    switch (at) {
    case REG_INTMS:
        nvme->masked |= value;
        nvme_update_irq(nvme);
        break;
    case REG_INTMC:
        nvme->masked &= ~value;
        nvme_update_irq(nvme);
        break;
    case REG_CC:
        write_cc(nvme, value);
        break;
    case REG_AQA:
        nvme->aqa = is_enabled ? nvme->aqa : value & 0x0fff0fff;
        break;
    case REG_ASQ:
    case REG_ASQ + 4:
        nvme->asq[(at - REG_ASQ) / 4] = is_enabled ? nvme->asq[(at - REG_ASQ) / 4] : value;
        break;
    case REG_ACQ:
    case REG_ACQ + 4:
        nvme->acq[(at - REG_ACQ) / 4] = is_enabled ? nvme->acq[(at - REG_ACQ) / 4] : value;
        break;
    default:
        if (nvme_memory_write(nvme, at, value)) {
            break;
        }
        guest_error("nvme: write of 0x%x at 0x%" PRIx64, value, at);
        break;
    }
}

static uint64_t nvme_read(void *opaque, uint64_t at, unsigned bytes)
{
    return read_word(opaque, at);
}

static void nvme_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    if (at >= DOORBELLS) {
        nvme_doorbell(opaque, at - DOORBELLS, value);
    } else {
        write_word(opaque, at, value);
    }
}

static const MemoryOps nvme_ops = {
    .read = nvme_read, .write = nvme_write, .endian = ENDIAN_LITTLE,
    .valid = { 2, 8 }, .impl = { 4, 4 },
};

/* --- life --- */

static bool check(const Nvme *nvme, Error **errp)
{
    if (!nvme->serial) {
        return error_set(errp, "serial property not set");
    }
    if (!nvme->max_pairs || nvme->max_pairs > NVME_MAX_PAIRS) {
        return error_set(errp, "max_ioqpairs must be between 1 and %d", NVME_MAX_PAIRS);
    }
    if (nvme->transfer_exponent > 32) {
        return error_set(errp, "mdts must not be above 32");
    }
    return (nvme->vectors && nvme->vectors <= NVME_QUEUES) ||
           error_set(errp, "msix_qsize must be between 1 and %d", NVME_QUEUES);
}

/* Behind the registers, or in a BAR of its own. */
static bool add_msix(Nvme *nvme, Error **errp)
{
    const MsixSpec spec = {
        .vectors = nvme->vectors, .table_region = &nvme->bar, .pba_region = &nvme->bar,
        .table_bar = BAR_REGISTERS, .pba_bar = BAR_REGISTERS, .table_offset = MSIX_TABLE,
        .pba_offset = MSIX_PENDING,
    };

    return nvme->has_msix_bar ? msix_init_bar(&nvme->parent, nvme->vectors, BAR_MSIX, errp) :
                                msix_init(&nvme->parent, &spec, errp);
}

static bool add_capabilities(Nvme *nvme, Error **errp)
{
    PciDevice *dev = &nvme->parent;

    dev->config[PCI_INTERRUPT_PIN] = 1;
    if (nvme->uses_intel_id) {
        store_le16(dev->config + PCI_VENDOR_ID, 0x8086);
        store_le16(dev->config + PCI_DEVICE_ID, 0x5845);
    }
    memory_region_init_io(&nvme->registers, &dev->parent.parent, &nvme_ops, "nvme",
                          REGISTERS_BYTES);
    memory_region_init(&nvme->bar, &dev->parent.parent, "nvme-bar", BAR_BYTES);
    memory_region_add(&nvme->bar, 0, &nvme->registers);
    pci_add_bar(dev, BAR_REGISTERS, PCI_BAR_64, &nvme->bar);
    return pcie_endpoint_cap_init(dev, EXPRESS_AT, errp) && add_msix(nvme, errp) &&
           nvme_memory_realize(nvme, errp);
}

static bool nvme_realize(Device *dev, Error **errp)
{
    Nvme *nvme = NVME(dev);

    if (!check(nvme, errp)) {
        return false;
    }
    if (!add_capabilities(nvme, errp) ||
        (nvme->own.conf.drive && !nvme_namespace_attach(&nvme->own, nvme, dev, errp))) {
        nvme_memory_unrealize(nvme);
        return false;
    }
    nvme->bus = NVME_BUS(bus_new(TYPE_NVME_BUS, dev, dev->id));
    nvme->bus->nvme = nvme;
    bus_set_hotplug_handler(&nvme->bus->parent, &nvme->bus->parent.parent);
    return true;
}

static void nvme_unrealize(Device *dev)
{
    Nvme *nvme = NVME(dev);

    if (nvme->bus) {
        nvme_stop(nvme);
        bus_set_hotplug_handler(&nvme->bus->parent, NULL); /* it would keep itself */
        object_unparent(nvme->bus);
        nvme->bus = NULL;
    }
    nvme_namespace_detach(&nvme->own);
    nvme_memory_unrealize(nvme);
}

static void nvme_finalize(Object *obj)
{
    Nvme *nvme = NVME(obj);

    if (nvme->registers.name) {
        memory_region_remove(&nvme->bar, &nvme->registers);
        memory_region_clear(&nvme->registers);
        memory_region_clear(&nvme->bar);
    }
    nvme_memory_clear(nvme);
}

static void nvme_reset(Device *dev)
{
    Nvme *nvme = NVME(dev);

    nvme_stop(nvme);
    nvme->masked = nvme->cc = nvme->csts = nvme->aqa = 0;
    memset(nvme->asq, 0, sizeof(nvme->asq));
    memset(nvme->acq, 0, sizeof(nvme->acq));
    memset(nvme->events, 0, sizeof(nvme->events));
    nvme->changed = 0;
    nvme_reset_features(nvme);
    nvme_memory_reset(nvme);
}

/* --- saved state --- */

static bool nvme_pre_save(void *opaque, Error **errp)
{
    const Nvme *nvme = opaque;
    uint32_t count = 0;

    for (unsigned n = 0; n < NVME_QUEUES; n++) {
        count += nvme->sqs[n].in_flight;
    }
    return !count || error_set(errp, "nvme: %" PRIu32 " requests wait after an error", count);
}

static bool is_sane(const Nvme *nvme)
{
    for (unsigned n = 0; n < NVME_QUEUES; n++) {
        const NvmeSq *sq = &nvme->sqs[n];
        const NvmeCq *cq = &nvme->cqs[n];

        if (sq->size > 4096 || cq->size > 4096 || sq->cqid >= NVME_QUEUES ||
            (sq->size && (sq->head >= sq->size || sq->tail >= sq->size)) ||
            (cq->size && (cq->head >= cq->size || cq->tail >= cq->size))) {
            return false;
        }
    }
    return nvme->event_count <= NVME_EVENTS && (nvme->cc >> 7 & 0xf) <= MAX_PAGE;
}

static bool nvme_post_load(void *opaque, int version, Error **errp)
{
    if (!is_sane(opaque)) {
        return error_set(errp, "nvme: there are no such queues");
    }
    nvme_run_all(opaque);
    return true;
}

static const VMField sq_fields[] = {
    VM_U64(NvmeSq, addr), VM_U32(NvmeSq, size), VM_U16(NvmeSq, head), VM_U16(NvmeSq, tail),
    VM_U16(NvmeSq, cqid),
};
static const VMState sq_state = VMSTATE_INIT(sq_fields, .name = "nvme_sq", .version = 1);
static const VMField cq_fields[] = {
    VM_U64(NvmeCq, addr), VM_U32(NvmeCq, size), VM_U16(NvmeCq, head), VM_U16(NvmeCq, tail),
    VM_U16(NvmeCq, vector), VM_BOOL(NvmeCq, phase), VM_BOOL(NvmeCq, has_irq),
};
static const VMState cq_state = VMSTATE_INIT(cq_fields, .name = "nvme_cq", .version = 1);
static const VMField nvme_fields[] = {
    VM_U32(Nvme, masked), VM_U32(Nvme, cc), VM_U32(Nvme, csts), VM_U32(Nvme, aqa),
    VM_ARRAY(Nvme, asq), VM_ARRAY(Nvme, acq), VM_STRUCT_ARRAY(Nvme, sqs, sq_state),
    VM_STRUCT_ARRAY(Nvme, cqs, cq_state), VM_U32(Nvme, irq_status), VM_ARRAY(Nvme, events),
    VM_U8(Nvme, event_count), VM_U32(Nvme, event_mask), VM_U32(Nvme, coalescing),
    VM_U32(Nvme, changed), VM_U8(Nvme, events_held),
};

/* A driver that uses it has set some of these. */
static bool is_enabled(void *opaque)
{
    return NVME(opaque)->cc & NVME_CC_EN;
}

static const VMField more_fields[] = {
    VM_U8(Nvme, events_due), VM_ARRAY(Nvme, event_info), VM_U32(Nvme, features.arbitration),
    VM_U32(Nvme, features.power), VM_U32(Nvme, features.error_recovery),
    VM_U32(Nvme, features.atomicity), VM_ARRAY(Nvme, features.temperature),
    VM_U64(Nvme, features.timestamp_ms), VM_I64(Nvme, features.timestamp_at_ns),
    VM_BOOL(Nvme, features.has_timestamp),
};
static const VMState more_state =
    VMSTATE_INIT(more_fields, .name = "nvme_more", .version = 1, .needed = is_enabled);

static bool has_memory(void *opaque)
{
    return NVME(opaque)->buffer_mb || NVME(opaque)->persistent;
}

static const VMField memory_fields[] = {
    VM_U64(Nvme, memory.cmbmsc), VM_U64(Nvme, memory.pmrmsc), VM_U32(Nvme, memory.pmrctl),
};
static const VMState memory_state =
    VMSTATE_INIT(memory_fields, .name = "nvme_memory", .version = 1, .needed = has_memory,
                 .post_load = nvme_memory_post_load);

/* A client says how badly it is with the device. */
static void warnings_changed(Object *obj, const Property *p)
{
    nvme_tell_warning(NVME(obj), NVME(obj)->warnings);
}

static const Property nvme_props[] = {
    PROP_BLOCK_CONF(Nvme, own.conf),
    PROP_BLOCK_ERRORS(Nvme, own.conf),
    PROP_BOOT_INDEX("bootindex", Nvme, own.conf.boot_index, .opaque = (char *)"/namespace@1,0"),
    PROP_STR("serial", Nvme, serial, .doc = "Serial number, 20 characters"),
    PROP_U32("max_ioqpairs", Nvme, max_pairs, .initial = NVME_MAX_PAIRS,
             .doc = "Pairs of I/O queues"),
    PROP_U16("msix_qsize", Nvme, vectors, .initial = NVME_QUEUES, .doc = "MSI-X vectors"),
    PROP_U8("mdts", Nvme, transfer_exponent, .initial = 7,
            .doc = "Largest transfer: 2^n pages; 0: any"),
    PROP_U32("cmb_size_mb", Nvme, buffer_mb, .doc = "MiB of memory buffer, in BAR 2; 0: none"),
    PROP_LINK("pmrdev", Nvme, persistent, TYPE_MEMORY_BACKEND,
              .doc = "Persistent memory, in BAR 4"),
    PROP_BOOL("msix-exclusive-bar", Nvme, has_msix_bar, .doc = "Has MSI-X vectors in BAR 4"),
    PROP_U8("smart_critical_warning", Nvme, warnings,
            .is_live = true, .has_no_default = true, .changed = warnings_changed,
            .doc = "Bits of critical warnings that its health log shows"),
    PROP_BOOL("use-intel-id", Nvme, uses_intel_id, .doc = "Intel's numbers, as older versions"),
};

static const PciDeviceType nvme_type = {
    .name = TYPE_NVME,
    .doc = "Non-Volatile Memory Express",
    .parent = TYPE_PCI_DEVICE,
    .size = sizeof(Nvme),
    .vendor_id = 0x1b36, .device_id = 0x0010, .revision = 2,
    .class_id = 0x0108, .prog_if = 2,
    .category = DEVICE_CATEGORY_STORAGE,
    .properties = PROPERTIES(nvme_props),
    .vmstate = VMSTATE(nvme_fields, .version = 1, .pre_save = nvme_pre_save,
                       .post_load = nvme_post_load,
                       .subsections = VM_SUBSECTIONS(&more_state, &memory_state)),
    .realize = nvme_realize,
    .unrealize = nvme_unrealize,
    .finalize = nvme_finalize,
    .reset_hold = nvme_reset,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { TYPE_PCI_EXPRESS }, { 0 } },
};
PCI_DEVICE_TYPE(nvme_type)
