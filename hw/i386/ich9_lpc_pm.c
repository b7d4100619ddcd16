/*
 * ICH9-LPC's power management: PMBASE, ACPI_CNTL, GEN_PMCON_1 (ICH9 data sheet 13.1.13, 13.1.14,
 * 13.8.1.1), where the SCI goes, SMIs, and what firmware may agree on about SMIs through fw_cfg:
 * that they go to all CPUs, and which events of CPU hot-plug cause one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/hotplug.h"
#include "hw/nvram/fw_cfg.h"
#include "ich9_lpc.h"
#include "x86_smi.h"

#define PMBASE_AT        0x40
#define PMBASE_BASE      0xff80
#define PMBASE_IO        BIT(0) /* read-only */
#define ACPI_CNTL_AT     0x44
#define ACPI_CNTL_EN     BIT(7)
#define ACPI_CNTL_SCI_SEL 7
#define GEN_PMCON_1_AT   0xa0
#define GEN_PMCON_1_SMI_LOCK BIT(4)
#define GEN_PMCON_3_AT   0xa4 /* SWSMI_RATE_SEL in bits 7..6; PER_SMI_SEL in 1..0 of the first */

/* --- the SCI --- */

unsigned ich9_lpc_sci_gsi(const Ich9Lpc *s)
{
    static const uint8_t gsis[] = { 9, 10, 11, 9, 20, 21, 22, 23 };

    return gsis[s->parent.config[ACPI_CNTL_AT] & ACPI_CNTL_SCI_SEL];
}

static void set_sci(Ich9Pm *pm, bool is_up)
{
    Ich9Lpc *s = container_of(pm, Ich9Lpc, pm);

    s->is_sci_up = is_up;
    ich9_lpc_update_gsi(s, ich9_lpc_sci_gsi(s));
}

/* --- SMIs --- */

static void raise_smi(Ich9Pm *pm)
{
    Ich9Lpc *s = container_of(pm, Ich9Lpc, pm);

    if (s->has_smm) {
        x86_send_smi(s->smi.negotiated & ICH9_SMI_BROADCAST ? X86_SMI_ALL_CPUS : X86_SMI_BOOT_CPU);
    }
}

static bool is_reboot_forbidden(Ich9Pm *pm)
{
    return ich9_lpc_is_reboot_forbidden(container_of(pm, Ich9Lpc, pm));
}

static const Ich9PmChip pm_chip = {
    .set_sci = set_sci, .raise_smi = raise_smi, .is_reboot_forbidden = is_reboot_forbidden,
};

/* Firmware looks whether it gets what it asked for; that fixes it until the next reset. */
static void features_selected(void *opaque)
{
    Ich9Lpc *s = opaque;
    uint64_t wanted = load_le64(s->smi.requested);
    uint64_t hotplug = ICH9_SMI_CPU_HOTPLUG | ICH9_SMI_CPU_HOTUNPLUG;

    if (s->smi.is_agreed || (wanted & ~s->smi.features)) {
        return;
    }
    if ((wanted & hotplug) && !(wanted & ICH9_SMI_BROADCAST)) {
        return;
    }
    s->smi.negotiated = wanted;
    s->smi.is_agreed = true;
}

bool ich9_lpc_offer_smi_features(Device *lpc, Device *fw_cfg, Error **errp)
{
    Ich9Lpc *s = ICH9_LPC(lpc);
    const struct {
        const char *name;
        FwCfgBlob blob;
    } files[] = {
        { "etc/smi/supported-features",
          { .data = s->smi.supported, .size = 8, .is_borrowed = true } },
        { "etc/smi/requested-features",
          { .data = s->smi.requested, .size = 8, .is_borrowed = true, .is_writable = true } },
        { "etc/smi/features-ok",
          { .data = &s->smi.is_agreed, .size = 1, .is_borrowed = true,
            .select = features_selected, .opaque = s } },
    };

    if (!s->smi.features || !s->has_smm) {
        return true;
    }
    store_le64(s->smi.supported, s->smi.features);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (!fw_cfg_add_file(fw_cfg, files[i].name, &files[i].blob, errp)) {
            return false;
        }
    }
    return true;
}

/* --- hot-plug of CPUs that firmware takes into system management mode --- */

/* A CPU, while firmware and we have agreed on `with`, but not on `without`. */
static bool refuse_cpus(Object *lpc, const Device *dev, uint64_t with, uint64_t without,
                        const char *what, Error **errp)
{
    uint64_t agreed = ICH9_LPC(lpc)->smi.negotiated;

    if (!object_is_a(dev, TYPE_CPU) || !(agreed & with) || (agreed & without)) {
        return true;
    }
    error_set(errp, "cpu %s with SMI wasn't enabled by firmware", what);
    error_hint(errp, "Firmware and machine type must both know CPU %s with SMM\n", what);
    return false;
}

static bool pre_plug(Object *lpc, Device *dev, Error **errp)
{
    return (!dev->is_hotplugged ||
            refuse_cpus(lpc, dev, ICH9_SMI_BROADCAST, ICH9_SMI_CPU_HOTPLUG, "hotplug", errp)) &&
           acpi_hotplug_handler.pre_plug(lpc, dev, errp);
}

static bool plug(Object *lpc, Device *dev, Error **errp)
{
    return acpi_hotplug_handler.plug(lpc, dev, errp);
}

static bool unplug_request(Object *lpc, Device *dev, Error **errp)
{
    return refuse_cpus(lpc, dev, ICH9_SMI_CPU_HOTPLUG, ICH9_SMI_CPU_HOTUNPLUG, "hot-unplug",
                       errp) &&
           acpi_hotplug_handler.unplug_request(lpc, dev, errp);
}

static void unplug(Object *lpc, Device *dev)
{
    acpi_hotplug_handler.unplug(lpc, dev);
}

const HotplugHandler ich9_hotplug_handler = { pre_plug, plug, unplug_request, unplug };

/* --- configuration space --- */

static void map(Ich9Lpc *s)
{
    uint16_t base = load_le16(s->parent.config + PMBASE_AT) & PMBASE_BASE;
    bool is_on = base && (s->parent.config[ACPI_CNTL_AT] & ACPI_CNTL_EN);

    ich9_pm_map(&s->pm, is_on ? pci_device_bus(&s->parent)->io : NULL, base);
}

static void lock_smi(Ich9Lpc *s)
{
    if (s->parent.config[GEN_PMCON_1_AT] & GEN_PMCON_1_SMI_LOCK) {
        s->parent.writable[GEN_PMCON_1_AT] &= ~GEN_PMCON_1_SMI_LOCK;
        ich9_pm_lock_smi(&s->pm);
    }
}

static void set_smi_rates(Ich9Lpc *s)
{
    ich9_pm_set_smi_rates(&s->pm, s->parent.config[GEN_PMCON_3_AT] >> 6,
                          s->parent.config[GEN_PMCON_1_AT]);
}

void ich9_lpc_pm_config_written(Ich9Lpc *s, unsigned at, unsigned bytes)
{
    if (pci_range_touches(at, bytes, PMBASE_AT, 5)) {
        for (unsigned gsi = 0; gsi < ICH9_GSIS; gsi++) {
            ich9_lpc_update_gsi(s, gsi);
        }
        map(s);
    }
    if (pci_range_touches(at, bytes, GEN_PMCON_1_AT, 1)) {
        lock_smi(s);
    }
    set_smi_rates(s);
}

/* --- life --- */

/* SeaBIOS does not place them again, and a guest that woke will want to sleep again. */
const PciConfigRange ich9_lpc_kept_asleep[] = { { PMBASE_AT, 4 }, { ACPI_CNTL_AT, 1 }, { 0 } };

void ich9_lpc_pm_init(Ich9Lpc *s)
{
    ich9_pm_init(&s->pm, &s->parent.parent, &pm_chip);
}

void ich9_lpc_pm_start(Ich9Lpc *s)
{
    MemoryRegion *io = pci_device_bus(&s->parent)->io;

    store_le32(s->parent.writable + PMBASE_AT, PMBASE_BASE);
    store_le32(s->parent.config + PMBASE_AT, PMBASE_IO);
    s->parent.writable[ACPI_CNTL_AT] = ACPI_CNTL_EN | ACPI_CNTL_SCI_SEL;
    memory_region_add(io, ICH9_APM_PORT, &s->pm.pm.command);
    ich9_pm_start(&s->pm);
}

void ich9_lpc_pm_stop(Ich9Lpc *s)
{
    ich9_pm_stop(&s->pm);
    memory_region_remove(pci_device_bus(&s->parent)->io, &s->pm.pm.command);
}

void ich9_lpc_pm_reset_enter(Ich9Lpc *s)
{
    s->parent.config[GEN_PMCON_1_AT] &= ~GEN_PMCON_1_SMI_LOCK;
    s->parent.writable[GEN_PMCON_1_AT] |= GEN_PMCON_1_SMI_LOCK;
    ich9_pm_reset_enter(&s->pm);
    if (!s->has_smm) {
        s->pm.smi_en |= ICH9_SMI_EN_APMC; /* firmware finds SMM set up, and leaves it alone */
    }
    memset(s->smi.requested, 0, sizeof(s->smi.requested));
    s->smi.negotiated = 0;
    s->smi.is_agreed = false;
    map(s);
}

void ich9_lpc_pm_reset_exit(Ich9Lpc *s)
{
    set_smi_rates(s);
    ich9_pm_reset_exit(&s->pm);
}

void ich9_lpc_pm_loaded(Ich9Lpc *s)
{
    map(s);
    lock_smi(s);
    set_smi_rates(s);
}

static bool smi_post_load(void *opaque, int version, Error **errp)
{
    Ich9Smi *smi = opaque;

    return !(smi->negotiated & ~smi->features) ||
           error_set(errp, "ICH9-LPC: SMI features 0x%" PRIx64 " are not all supported here",
                     smi->negotiated);
}

static const VMField smi_fields[] = {
    VM_BUFFER(Ich9Smi, requested), VM_U8(Ich9Smi, is_agreed), VM_U64(Ich9Smi, negotiated),
};
const VMState ich9_smi_state =
    VMSTATE_INIT(smi_fields, .name = "smi", .version = 1, .post_load = smi_post_load);

json_object *ich9_lpc_get_fact(Object *obj, const Property *p, Error **errp)
{
    const Ich9Lpc *s = ICH9_LPC(obj);
    const uint8_t *config = s->parent.config; /* NULL before it is realized */
    uint32_t base = config ? load_le32(config + PMBASE_AT) & PMBASE_BASE : 0;
    const struct {
        const char *name;
        uint64_t value;
    } facts[] = {
        { "pm_io_base", base }, { "gpe0_blk", base + ICH9_PM_GPE0 },
        { "gpe0_blk_len", ICH9_PM_GPE0_BYTES }, { "acpi_enable_cmd", ICH9_ACPI_ENABLE },
        { "acpi_disable_cmd", ICH9_ACPI_DISABLE }, { "sci_int", config ? ich9_lpc_sci_gsi(s) : 9 },
        { "x-smi-negotiated-features", s->smi.negotiated },
    };

    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        if (!strcmp(facts[i].name, p->name)) {
            return json_object_new_uint64(facts[i].value);
        }
    }
    return json_object_new_uint64(0);
}
