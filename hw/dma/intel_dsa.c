/*
 * intel-dsa: a Data Streaming Accelerator as Linux's idxd driver knows it (8086:0b25), after
 * Intel's Data Streaming Accelerator Architecture Specification, revision 1.0, with the event log
 * of later ones. With a virtual IOMMU that has PASIDs and page requests, guests' processes give it
 * work with their own addresses.
 *
 * Left out: performance monitoring, interrupt message storage, what revision 2 adds (inter-domain
 * operations, translation fetch, 16-byte fill, CRC64).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_dsa.h"

#define REGISTER_BYTES 0x10000
#define OPCAP_ALL UINT64_C(0x1003f03ff)
#define MOST_WQ_SIZE 65535

/* --- properties --- */

static bool check_properties(const IntelDsa *dsa, Error **errp)
{
    if (!pci_device_is_express(&dsa->parent)) {
        return error_set(errp, DSA_TYPE " needs a PCI Express bus");
    }
    if (dsa->has_pri && !(dsa->has_ats && dsa->pasid_bits)) {
        return error_set(errp, "pri=on needs ats=on and pasid-bits");
    }
    if (dsa->read_buffers && dsa->read_buffers < 4 * dsa->engine_count) {
        return error_set(errp, "read-buffers=%u is less than 4 for each of %u engines",
                         dsa->read_buffers, dsa->engine_count);
    }
    if (dsa->opcap & ~OPCAP_ALL) {
        return error_set(errp, "opcap=0x%" PRIx64 " has operations that are not in 0x%" PRIx64,
                         dsa->opcap, OPCAP_ALL);
    }
    return true;
}

static json_object *get_counters(Object *obj, const Property *p, Error **errp)
{
    const DsaCounters *c = &INTEL_DSA(obj)->counters;
    const struct { const char *name; uint64_t value; } rows[] = {
        { "submitted", c->submitted }, { "retried", c->retried }, { "dropped", c->dropped },
        { "completed", c->completed }, { "page-requests", c->page_requests },
        { "atc-hits", c->atc_hits }, { "atc-misses", c->atc_misses },
        { "atc-invalidations", c->atc_invalidations },
    };
    json_object *all = json_object_new_object();

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        json_object_object_add(all, rows[i].name, json_object_new_uint64(rows[i].value));
    }
    return all;
}

/* Names between colons or commas. */
static bool take_faults(Object *obj, const Property *p, Error **errp)
{
    static const char *const names[] = { "lose-page-response", "late-page-response",
                                         "read-error", "write-error" };
    IntelDsa *dsa = INTEL_DSA(obj);
    g_auto(GStrv) words = g_strsplit_set(dsa->fault_text ? dsa->fault_text : "", ":,", -1);
    uint32_t faults = 0;

    for (char **word = words; *word; word++) {
        unsigned i = 0;

        while (i < ARRAY_SIZE(names) && strcmp(*word, names[i])) {
            i++;
        }
        if (i == ARRAY_SIZE(names)) {
            return error_set(errp, "x-fault-inject: '%s' is none of lose-page-response, "
                             "late-page-response, read-error, write-error", *word);
        }
        faults |= BIT(i);
    }
    dsa->faults = faults;
    return true;
}

static const Property dsa_props[] = {
    PROP_U8("wqs", IntelDsa, wq_count, .initial = 8, .min = 1, .max = DSA_MAX_WQS,
            .doc = "Work queues"),
    PROP_U8("engines", IntelDsa, engine_count, .initial = 4, .min = 1, .max = DSA_MAX_ENGINES,
            .doc = "Engines: descriptors at work at a time"),
    PROP_U8("groups", IntelDsa, group_count, .initial = 4, .min = 1, .max = DSA_MAX_GROUPS,
            .doc = "Groups of work queues and engines"),
    PROP_U32("wq-size", IntelDsa, wq_size, .initial = 128, .min = 1, .max = MOST_WQ_SIZE,
             .doc = "Descriptors that all work queues hold together"),
    PROP_U8("read-buffers", IntelDsa, read_buffers, .initial = 96,
            .doc = "Read buffers; 0: the device has no control of them"),
    PROP_U8("max-xfer-shift", IntelDsa, max_xfer_shift, .initial = 31, .min = 12, .max = 31,
            .doc = "Largest transfer, as a power of two of bytes"),
    PROP_U8("max-batch-shift", IntelDsa, max_batch_shift, .initial = 10, .min = 1, .max = 15,
            .doc = "Largest batch, as a power of two of descriptors"),
    PROP_BOOL("event-log", IntelDsa, has_event_log, .initial = true,
              .doc = "Errors can go to a log in memory"),
    PROP_BOOL("wq-opcfg", IntelDsa, has_wq_opcfg,
              .doc = "Operations can be permitted by work queue"),
    PROP_BOOL("wq-ats-control", IntelDsa, has_wq_ats_control,
              .doc = "ATS can be turned off by work queue"),
    PROP_BOOL("int-handles", IntelDsa, has_int_handles,
              .doc = "Interrupt handles are asked for by command"),
    PROP_BOOL("ats", IntelDsa, has_ats, .initial = true, .doc = "Address translation services"),
    PROP_BOOL("pri", IntelDsa, has_pri, .initial = true, .doc = "Page requests"),
    PROP_U8("pasid-bits", IntelDsa, pasid_bits, .initial = 20, .max = 20,
            .doc = "Bits of a PASID; 0: it has none"),
    PROP_U64("opcap", IntelDsa, opcap, .initial = OPCAP_ALL,
             .doc = "Operations offered, a bit for each opcode"),
    PROP_BOOL("configurable", IntelDsa, is_configurable, .initial = true,
              .doc = "Guests can configure work queues and groups"),
    PROP_U32("atc-entries", IntelDsa, atc_entries, .initial = 256, .max = 65536,
             .doc = "Translations it keeps; 0: it asks for each access"),
    PROP_BOOL("x-swq-posted", IntelDsa, takes_posted,
              .doc = "For tests: posted writes to shared work queues count as deferrable ones"),
    PROP_STR("x-fault-inject", IntelDsa, fault_text, .is_live = true, .check = take_faults,
             .doc = "For tests: lose-page-response, late-page-response (by a second), read-error, "
                    "write-error; several with colons between"),
    PROP_COMPUTED("counters", "IntelDsaCounters", .get = get_counters, .is_read_only = true,
                  .is_live = true, .doc = "What it did so far"),
};

/* --- life --- */

static uint64_t portal_bytes(const IntelDsa *dsa)
{
    uint64_t bytes = DSA_PORTAL_BYTES;

    while (bytes < (uint64_t)DSA_PORTAL_BYTES * dsa->wq_count) {
        bytes *= 2;
    }
    return bytes;
}

static bool dsa_realize(Device *dev, Error **errp)
{
    IntelDsa *dsa = INTEL_DSA(dev);

    if (!check_properties(dsa, errp)) {
        return false;
    }
    memory_region_set_size(&dsa->portals, portal_bytes(dsa));
    pci_add_bar(&dsa->parent, 0, PCI_BAR_64 | PCI_BAR_PREFETCH, &dsa->registers);
    pci_add_bar(&dsa->parent, 2, PCI_BAR_64 | PCI_BAR_PREFETCH, &dsa->portals);
    if (!dsa_add_capabilities(dsa, errp)) {
        return false;
    }
    g_free(dsa->slots); /* of an earlier life: they outlast a slice that ends it */
    g_free(dsa->engines);
    dsa->slots = g_new0(DsaDescriptor, dsa->wq_size);
    dsa->engines = g_new0(DsaEngine, dsa->engine_count);
    if (dsa->has_ats) {
        dsa->atc_watch.dropped = dsa_atc_dropped;
        pcie_ats_watch(&dsa->parent, &dsa->atc_watch);
    }
    return true;
}

static void dsa_unrealize(Device *dev)
{
    IntelDsa *dsa = INTEL_DSA(dev);

    dsa->state = DSA_HALTED;
    timer_cancel(&dsa->work);
    if (dsa->has_ats) {
        pcie_ats_unwatch(&dsa->atc_watch);
    }
}

static void dsa_init(Object *obj)
{
    IntelDsa *dsa = INTEL_DSA(obj);

    memory_region_init_io(&dsa->registers, obj, &dsa_register_ops, "intel-dsa-registers",
                          REGISTER_BYTES);
    memory_region_init_io(&dsa->portals, obj, &dsa_portal_ops, "intel-dsa-portals",
                          DSA_PORTAL_BYTES);
    memory_region_set_guard(&dsa->registers, &dsa->guard);
    memory_region_set_guard(&dsa->portals, &dsa->guard);
}

static void dsa_finalize(Object *obj)
{
    IntelDsa *dsa = INTEL_DSA(obj);

    dsa_free_listeners(dsa);
    g_free(dsa->slots);
    g_free(dsa->engines);
    memory_region_clear(&dsa->registers);
    memory_region_clear(&dsa->portals);
}

static void dsa_reset_enter(Device *dev)
{
    dsa_reset(INTEL_DSA(dev), false);
}

/* --- saved state --- */

static const VMField descriptor_fields[] = {
    VM_BUFFER(DsaDescriptor, bytes), VM_U64(DsaDescriptor, order), VM_U32(DsaDescriptor, pasid),
    VM_BOOL(DsaDescriptor, has_pasid), VM_BOOL(DsaDescriptor, is_privileged),
    VM_U8(DsaDescriptor, wq),
};
static const VMState descriptor_state = VMSTATE_INIT(descriptor_fields, .version = 1);

static const VMField run_fields[] = {
    VM_STRUCT(DsaRun, d, descriptor_state), VM_U32(DsaRun, phase), VM_BOOL(DsaRun, is_member),
    VM_BOOL(DsaRun, is_prepared), VM_BOOL(DsaRun, is_cra_bad), VM_U8(DsaRun, status),
    VM_U8(DsaRun, result), VM_U8(DsaRun, fault_operand), VM_BOOL(DsaRun, is_fault_write),
    VM_U64(DsaRun, fault_addr), VM_U32(DsaRun, info), VM_U32(DsaRun, done), VM_U32(DsaRun, value),
    VM_U32(DsaRun, last_offset), VM_ARRAY(DsaRun, blocks_app), VM_ARRAY(DsaRun, blocks_ref),
};
static const VMState run_state = VMSTATE_INIT(run_fields, .version = 1);

static const VMField engine_fields[] = {
    VM_STRUCT_ARRAY(DsaEngine, runs, run_state), VM_BOOL(DsaEngine, is_busy),
    VM_BOOL(DsaEngine, has_member), VM_U32(DsaEngine, page_state), VM_U16(DsaEngine, page_group),
    VM_U8(DsaEngine, answer), VM_U8(DsaEngine, tries), VM_U8(DsaEngine, refusals),
    VM_U64(DsaEngine, page_addr), VM_I64(DsaEngine, retry_ns), VM_U16(DsaEngine, batch),
    VM_BOOL(DsaEngine, has_failure), VM_BOOL(DsaEngine, has_logged),
};
static const VMState engine_state = VMSTATE_INIT(engine_fields, .version = 1);

static const VMField wq_fields[] = {
    VM_U8(DsaWq, state), VM_U8(DsaWq, credit), VM_U32(DsaWq, first), VM_U32(DsaWq, head),
    VM_U32(DsaWq, count),
};
static const VMState wq_state = VMSTATE_INIT(wq_fields, .version = 1);

/* A run must be of a WQ that is there, of an operation that could have begun. */
static bool is_run_good(const IntelDsa *dsa, const DsaRun *run)
{
    bool has_begun = run->phase == DSA_TOUCHING || run->phase == DSA_EXECUTING;

    return run->phase < DSA_PHASES && run->d.wq < dsa->wq_count &&
           (!has_begun || (dsa_opcode(run) < DSA_OPCODES &&
                           OPCAP_ALL & BIT64(dsa_opcode(run)) && run->done <= dsa_size(run)));
}

static bool are_engines_good(void *opaque, int version)
{
    const IntelDsa *dsa = opaque;

    for (unsigned n = 0; n < dsa->engine_count; n++) {
        const DsaEngine *engine = &dsa->engines[n];

        if (engine->is_busy &&
            (engine->page_state >= DSA_PAGE_STATES || engine->page_group >= DSA_PAGE_GROUPS ||
             !is_run_good(dsa, &engine->runs[0]) ||
             (engine->has_member && (dsa_opcode(&engine->runs[0]) != DSA_BATCH ||
                                     !is_run_good(dsa, &engine->runs[1]))))) {
            return false;
        }
    }
    return true;
}

static bool are_queues_good(void *opaque, int version)
{
    const IntelDsa *dsa = opaque;

    for (unsigned wq = 0; wq < DSA_MAX_WQS; wq++) {
        const DsaWq *queue = &dsa->wqs[wq];
        uint32_t size = dsa->wqcfg[wq * DSA_WQ_DWORDS + DSA_WQ_SIZE];

        if (queue->state > DSA_STOPPING || queue->count > size ||
            (queue->head >= size && queue->head) || (uint64_t)queue->first > dsa->wq_size ||
            (queue->state != DSA_DISABLED && queue->first + (uint64_t)size > dsa->wq_size)) {
            return false;
        }
        for (uint32_t n = 0; n < queue->count; n++) {
            if (dsa->slots[queue->first + (queue->head + n) % size].wq != wq) {
                return false;
            }
        }
    }
    return dsa->state <= DSA_HALTED;
}

static bool dsa_post_load(void *opaque, int version, Error **errp)
{
    IntelDsa *dsa = opaque;

    dsa_atc_clear(dsa);
    dsa_listen_again(dsa);
    return true;
}

static const VMField dsa_fields[] = {
    VM_EQUAL(IntelDsa, wq_count), VM_EQUAL(IntelDsa, engine_count),
    VM_EQUAL(IntelDsa, group_count), VM_EQUAL(IntelDsa, wq_size), VM_EQUAL(IntelDsa, read_buffers),
    VM_EQUAL(IntelDsa, max_xfer_shift), VM_EQUAL(IntelDsa, max_batch_shift),
    VM_EQUAL(IntelDsa, opcap), VM_EQUAL(IntelDsa, has_event_log), VM_EQUAL(IntelDsa, has_wq_opcfg),
    VM_EQUAL(IntelDsa, has_wq_ats_control), VM_EQUAL(IntelDsa, has_int_handles),
    VM_EQUAL(IntelDsa, is_configurable),
    VM_U32(IntelDsa, gencfg), VM_U32(IntelDsa, genctrl), VM_U32(IntelDsa, intcause),
    VM_U32(IntelDsa, cmdstatus), VM_ARRAY(IntelDsa, swerror), VM_ARRAY(IntelDsa, evlcfg),
    VM_ARRAY(IntelDsa, evlstatus), VM_ARRAY(IntelDsa, msixperm), VM_ARRAY(IntelDsa, grpcfg),
    VM_ARRAY(IntelDsa, wqcfg), VM_U8(IntelDsa, state), VM_U8(IntelDsa, reset_type),
    VM_U64(IntelDsa, handles), VM_U64(IntelDsa, order), VM_U16(IntelDsa, next_batch),
    VM_U32(IntelDsa, command), VM_U32(IntelDsa, command_left), VM_U64(IntelDsa, command_order),
    VM_STRUCT_ARRAY(IntelDsa, wqs, wq_state),
    VM_STRUCT_HELD(IntelDsa, slots, wq_size, descriptor_state),
    VM_STRUCT_HELD(IntelDsa, engines, engine_count, engine_state),
    VM_ARRAY(IntelDsa, group_state), VM_ARRAY(IntelDsa, group_pasid), VM_TIMER(IntelDsa, work),
    VM_VALIDATE("engines", are_engines_good), VM_VALIDATE("work queues", are_queues_good),
};

static const PciDeviceType dsa_type = {
    .name = DSA_TYPE,
    .parent = TYPE_PCI_DEVICE,
    .doc = "Intel Data Streaming Accelerator",
    .size = sizeof(IntelDsa),
    .vendor_id = 0x8086, .device_id = 0x0b25, .class_id = 0x0880,
    .subsystem_vendor_id = 0x8086, .subsystem_id = 0,
    .category = DEVICE_CATEGORY_MISC,
    .timers = TIMER_ON(CLOCK_VIRTUAL, IntelDsa, work, dsa_work),
    .properties = PROPERTIES(dsa_props),
    .vmstate = VMSTATE(dsa_fields, .version = 1, .post_load = dsa_post_load),
    .init = dsa_init,
    .finalize = dsa_finalize,
    .realize = dsa_realize,
    .unrealize = dsa_unrealize,
    .reset_enter = dsa_reset_enter,
    .config_read = dsa_config_read,
    .config_write = dsa_config_write,
    .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_EXPRESS }, { 0 } },
};
PCI_DEVICE_TYPE(dsa_type)
