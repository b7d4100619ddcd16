/*
 * intel-iommu: Intel's VT-d remapping unit (VT-d 4.1) of a q35 board: DMA of its functions, by
 * legacy and scalable tables, first and second stage and both (behind x-nesting); PASIDs, ATS and
 * page requests; interrupt remapping. See intel_iommu.h for its parts.
 *
 * Left out: advanced fault logging, more than one fault record, protected memory regions, A and D
 * bits of the second stage, performance monitoring, abort-DMA mode.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/table_source.h"
#include "intel_iommu.h"
#include "pc_machine.h"

#define IOTLB_PAGES 65536

static const RegisterMap page_map = {
    .regs = vtd_page_regs, .count = VTD_PAGE_REG_COUNT, .size = VTD_PRQ_BYTES, .width = 4,
    .access_max = 8, .endian = ENDIAN_LITTLE,
};

/* --- properties --- */

static const char *const scalable_names[] = { "off", "on", "legacy", "modern" };
static const char *const vcmd_names[] = { "off", "3.0", "3.3" };
static const EnumTable vcmd_table = { "VtdVirtualCommand", vcmd_names, ARRAY_SIZE(vcmd_names) };

static json_object *get_scalable(Object *obj, const Property *p, Error **errp)
{
    int mode = INTEL_IOMMU(obj)->scalable;

    return mode <= VTD_SCALABLE_ON ? json_object_new_boolean(mode) :
                                     json_string(scalable_names[mode]);
}

/* A bool, or one of two words. */
static bool set_scalable(Object *obj, const Property *p, json_object *value, PropertyForm form,
                         Error **errp)
{
    IntelIommu *unit = INTEL_IOMMU(obj);
    const char *text = json_object_is_type(value, json_type_string) ?
                       json_object_get_string(value) : NULL;
    bool is_on;

    if (text && !strcmp(text, "legacy")) {
        unit->scalable = VTD_SCALABLE_LEGACY;
        return true;
    }
    if (text && !strcmp(text, "modern")) {
        unit->scalable = VTD_SCALABLE_MODERN;
        return true;
    }
    if (!property_value_bool(p, value, form, &is_on, NULL)) {
        return error_set(errp, "Invalid %s config: %s: supported values are on, modern, legacy, "
                         "off", p->name, text ? text : json_object_to_json_string(value));
    }
    unit->scalable = is_on ? VTD_SCALABLE_ON : VTD_SCALABLE_OFF;
    return true;
}

static json_object *get_pasid_mode(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_boolean(INTEL_IOMMU(obj)->pasid_bits > 0);
}

static bool set_pasid_mode(Object *obj, const Property *p, json_object *value, PropertyForm form,
                           Error **errp)
{
    IntelIommu *unit = INTEL_IOMMU(obj);
    bool is_on;

    if (!property_value_bool(p, value, form, &is_on, errp)) {
        return false;
    }
    unit->pasid_bits = is_on ? 20 : 0;
    unit->is_pasid_set = true;
    return true;
}

static void pasid_changed(Object *obj, const Property *p)
{
    INTEL_IOMMU(obj)->is_pasid_set = true;
}

static void first_stage_changed(Object *obj, const Property *p)
{
    INTEL_IOMMU(obj)->is_first_stage_set = true;
}

static void vcmd_changed(Object *obj, const Property *p)
{
    INTEL_IOMMU(obj)->is_vcmd_set = true;
}

#define SCALABLE_ROW(name)                                                                         \
    PROP_COMPUTED(name, "bool", .get = get_scalable, .set = set_scalable,                          \
                  .doc = "Scalable mode: off, on, legacy, or modern (with a first stage)")
#define FIRST_STAGE_ROW(name)                                                                      \
    PROP_BOOL(name, IntelIommu, has_first_stage, .changed = first_stage_changed,                   \
              .doc = "First-stage translation, in scalable mode")
#define WIDTH_ROW(name)                                                                            \
    PROP_U8(name, IntelIommu, address_bits, .has_no_default = true,                                \
            .doc = "Width of DMA addresses: 39 or 48; with a first stage 48 or 57")

static const Property unit_props[] = {
    PROP_ON_OFF_AUTO("intremap", IntelIommu, intremap, .doc = "Interrupt remapping"),
    PROP_BOOL("device-iotlb", IntelIommu, device_iotlb, .doc = "Devices may have TLBs (ATS)"),
    PROP_BOOL("pt", IntelIommu, pt, .initial = true, .doc = "Requesters may pass through"),
    PROP_BOOL("dma-translation", IntelIommu, dma_translation, .initial = true,
              .doc = "Off: interrupts only"),
    PROP_ON_OFF_AUTO("eim", IntelIommu, eim, .doc = "Destinations of 32 bits (x2APIC)"),
    PROP_BOOL("x-buggy-eim", IntelIommu, buggy_eim, .doc = "eim=auto is on, whoever has the APICs"),
    PROP_BOOL("caching-mode", IntelIommu, caching_mode,
              .doc = "What was not present must be invalidated too; for passed-through devices"),
    WIDTH_ROW("aw-bits"),
    WIDTH_ROW("x-aw-bits"),
    PROP_U8("x-usual-aw-bits", IntelIommu, usual_address_bits, .initial = 48,
            .doc = "aw-bits if it is not said and there is no first stage"),
    SCALABLE_ROW("x-scalable-mode"),
    SCALABLE_ROW("scalable-mode"),
    FIRST_STAGE_ROW("x-flts"),
    FIRST_STAGE_ROW("flts"),
    FIRST_STAGE_ROW("fsts"),
    PROP_BOOL("fs1gp", IntelIommu, has_fs1gp, .initial = true,
              .doc = "First-stage pages of 1 GiB"),
    PROP_BOOL("fs5lp", IntelIommu, has_fs5lp, .doc = "First-stage tables of 5 levels"),
    PROP_U8("pasid-bits", IntelIommu, pasid_bits, .changed = pasid_changed,
            .doc = "Bits of a PASID, up to 20; 0: there are none"),
    PROP_COMPUTED("x-pasid-mode", "bool", .get = get_pasid_mode, .set = set_pasid_mode,
                  .doc = "On: pasid-bits=20"),
    PROP_BOOL("svm", IntelIommu, has_svm, .doc = "Page requests: shared virtual addressing"),
    PROP_BOOL("x-nesting", IntelIommu, has_nesting, .doc = "A first stage through a second"),
    PROP_BOOL("x-posted-interrupts", IntelIommu, has_posting, .doc = "Posted interrupts"),
    PROP_BOOL("x-coherent-walks", IntelIommu, has_coherent_walks,
              .doc = "Guests need not flush tables from caches"),
    PROP_BOOL("snoop-control", IntelIommu, snoop_control, .doc = "Snoop bits in page tables"),
    PROP_BOOL("dma-drain", IntelIommu, dma_drain, .initial = true,
              .doc = "Invalidations can wait for DMA"),
    PROP_BOOL("stale-tm", IntelIommu, tolerates_tm,
              .doc = "Bit 62 of second-stage leaves is ignored with device-iotlb"),
    PROP_U32("version", IntelIommu, version, .doc = "Unused"),
    PROP_ENUM("x-vcmd", IntelIommu, vcmd, vcmd_table, .changed = vcmd_changed,
              .doc = "Layout of the virtual command registers"),
};

/* --- life --- */

static bool find_board(IntelIommu *unit, Error **errp)
{
    Object *machine = (Object *)machine_current();

    if (!machine || !object_is_a(machine, TYPE_PC_Q35)) {
        return error_set(errp, "intel-iommu is only supported by q35 machines");
    }
    unit->root = PC_MACHINE(machine)->host->parent.bus;
    return !unit->root->iommu ||
           error_set(errp, "QEMU does not support multiple vIOMMUs for x86 yet.");
}

static void add_regions(IntelIommu *unit)
{
    MmioDevice *mmio = &unit->parent;

    mmio_device_map(mmio, 0, VTD_BASE);
    if (vtd_has(unit, VTD_ECAP_PRS)) {
        register_bank_init(&unit->page_bank, &mmio->parent, &page_map, "intel-iommu-prq");
        mmio_device_add_region(mmio, &unit->page_bank.region);
        mmio_device_map_overlap(mmio, mmio->region_count - 1, VTD_BASE + VTD_PRQ_AT, 1);
    }
    if (vtd_has(unit, VTD_ECAP_VCS)) {
        vtd_vcmd_init(unit);
        mmio_device_add_region(mmio, &unit->vcmd_region);
        mmio_device_map_overlap(mmio, mmio->region_count - 1, VTD_BASE + VTD_VCMD_AT, 1);
    }
}

static bool unit_realize(Device *dev, Error **errp)
{
    IntelIommu *unit = INTEL_IOMMU(dev);

    assert(vtd_regs[VTD_REG_COUNT - 1].name && vtd_page_regs[VTD_PAGE_REG_COUNT - 1].name);
    if (!find_board(unit, errp) || !vtd_init_caps(unit, errp)) {
        return false;
    }
    unit->iotlb = iotlb_new(IOTLB_PAGES);
    unit->pending = g_ptr_array_new();
    unit->generation = 1;
    add_regions(unit);
    iommu_spaces_init(&unit->spaces, &vtd_spaces_type, (Object *)unit, unit->root, &unit->changes);
    pci_bus_set_iommu(unit->root, &vtd_pci_ops, unit);
    vtd_irq_init(unit);
    return true;
}

static void unit_unrealize(Device *dev)
{
    IntelIommu *unit = INTEL_IOMMU(dev);

    vtd_irq_clear(unit);
    vtd_abort_page_requests(unit, NULL);
    pci_bus_set_iommu(unit->root, NULL, NULL);
    iommu_spaces_close(&unit->spaces);
}

static void unit_finalize(Object *obj)
{
    IntelIommu *unit = INTEL_IOMMU(obj);

    iommu_spaces_clear(&unit->spaces);
    if (unit->page_bank.dev) {
        register_bank_clear(&unit->page_bank);
    }
    if (unit->pasids) {
        memory_region_clear(&unit->vcmd_region);
    }
    g_clear_pointer(&unit->pending, g_ptr_array_unref);
    g_clear_pointer(&unit->iotlb, iotlb_free);
    g_clear_pointer(&unit->pasids, g_free);
}

/* Registers are reset by their rows, the page requests' here. Devices have stopped. */
static void unit_reset_enter(Device *dev)
{
    IntelIommu *unit = INTEL_IOMMU(dev);

    unit->is_final = true;
    register_reset(dev, &page_map);
    unit->iqh = 0;
    unit->root_table = unit->irq_table = 0;
    unit->irq_entries = 0;
    unit->root_type = 0;
    unit->is_scalable_root = unit->has_wide_irqs = unit->is_translating = false;
    unit->has_noted_register_use = false;
}

static void unit_reset_exit(Device *dev)
{
    IntelIommu *unit = INTEL_IOMMU(dev);

    vtd_abort_page_requests(unit, NULL);
    vtd_drop_all(unit);
    vtd_detach_hosts(unit);
    vtd_drop_contexts(unit);
    vtd_drop_irq_entries(unit);
    vtd_vcmd_reset(unit);
}

/* --- saved state --- */

static bool unit_pre_save(void *opaque, Error **errp)
{
    IntelIommu *unit = opaque;

    unit->saved_cap = unit->cap;
    unit->saved_ecap = unit->ecap;
    return true;
}

static bool unit_post_load(void *opaque, int version, Error **errp)
{
    IntelIommu *unit = opaque;

    if (unit->saved_cap != unit->cap || unit->saved_ecap != unit->ecap) {
        return error_set(errp, "intel-iommu: capability mismatch: CAP 0x%" PRIx64 " ECAP 0x%" PRIx64
                         " there, 0x%" PRIx64 " and 0x%" PRIx64 " here", unit->saved_cap,
                         unit->saved_ecap, unit->cap, unit->ecap);
    }
    unit->is_scalable_root = unit->root_type == 1 && vtd_has(unit, VTD_ECAP_SMTS);
    vtd_set_translating(unit, unit->gsts & BIT(VTD_TE));
    vtd_drop_irq_entries(unit);
    return true;
}

static const VMField event_fields[] = {
    VM_U32(VtdEvent, control), VM_U32(VtdEvent, data), VM_U32(VtdEvent, addr),
    VM_U32(VtdEvent, upper_addr),
};
static const VMState event_state = VMSTATE_INIT(event_fields, .version = 1);

static bool has_page_requests(void *opaque)
{
    return vtd_has(opaque, VTD_ECAP_PRS);
}
static const VMField page_fields[] = {
    VM_ARRAY(IntelIommu, pqh), VM_ARRAY(IntelIommu, pqt), VM_ARRAY(IntelIommu, pqa),
    VM_U32(IntelIommu, prs), VM_STRUCT(IntelIommu, page_event, event_state),
};
static const VMState page_state =
    VMSTATE_INIT(page_fields, .name = "page-requests", .version = 1, .needed = has_page_requests);

static bool has_vcmd(void *opaque)
{
    return vtd_has(opaque, VTD_ECAP_VCS);
}
static const VMField vcmd_fields[] = {
    VM_U64(IntelIommu, vcmd_operand), VM_U64(IntelIommu, vcrsp), VM_U32(IntelIommu, vcmd_upper),
    VM_BITMAP(IntelIommu, pasids, pasid_count),
};
static const VMState vcmd_state =
    VMSTATE_INIT(vcmd_fields, .name = "virtual-commands", .version = 1, .needed = has_vcmd);

static const VMField unit_fields[] = {
    VM_REGISTERS, VM_U64(IntelIommu, saved_cap), VM_U64(IntelIommu, saved_ecap),
    VM_U32(IntelIommu, iqh), VM_U64(IntelIommu, root_table), VM_U64(IntelIommu, irq_table),
    VM_U32(IntelIommu, irq_entries), VM_U8(IntelIommu, root_type),
    VM_BOOL(IntelIommu, has_wide_irqs),
};

static const AcpiTableSource unit_tables = { .add_tables = vtd_add_tables };

static const DeviceType unit_type = {
    .name = TYPE_INTEL_IOMMU,
    .doc = "Intel VT-d remapping unit",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(IntelIommu),
    .access = DEVICE_ACCESS_USER,
    .category = DEVICE_CATEGORY_MISC,
    .is_not_hotpluggable = true,
    .registers = { vtd_regs, VTD_REG_COUNT, VTD_BYTES, 4, .access_max = 8,
                   .endian = ENDIAN_LITTLE },
    .properties = PROPERTIES(unit_props),
    .vmstate = VMSTATE(unit_fields, .version = 1, .priority = 1, .pre_save = unit_pre_save,
                       .post_load = unit_post_load,
                       .subsections = VM_SUBSECTIONS(&page_state, &vcmd_state)),
    .finalize = unit_finalize,
    .realize = unit_realize,
    .unrealize = unit_unrealize,
    .reset_enter = unit_reset_enter,
    .reset_exit = unit_reset_exit,
    .interfaces = (const InterfaceImpl[]){ { TYPE_ACPI_TABLE_SOURCE, &unit_tables }, { 0 } },
};
DEVICE_TYPE(unit_type)
