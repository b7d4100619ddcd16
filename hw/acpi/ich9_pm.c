/*
 * ICH9's power management registers: see hw/acpi/ich9_pm.h. Causes of SMIs are the APM port, the
 * TCO watchdog and two timers; the enables of others (sleep, USB, GPIO) stay 0. Processor control,
 * alternate GPI and device activity registers read zero.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/ich9_pm.h"
#include "trace.h"

#define SMI_EN_EOS      BIT(1) /* reads as 1: an SMI may come */
#define SMI_EN_WRITABLE (ICH9_SMI_EN_GLOBAL | ICH9_SMI_EN_APMC | ICH9_SMI_EN_SWSMI_TMR |          \
                         ICH9_SMI_EN_TCO | ICH9_SMI_EN_PERIODIC)
#define SMI_STS_CLEARABLE (ICH9_SMI_STS_APM | ICH9_SMI_STS_SWSMI_TMR | ICH9_SMI_STS_TCO |         \
                           ICH9_SMI_STS_PERIODIC)
#define TCO1_CNT_LOCK   BIT(12)

/* --- SMIs --- */

static void set_smi_cause(Ich9Pm *pm, uint32_t bit)
{
    pm->smi_sts |= bit;
    if ((pm->smi_en & ICH9_SMI_EN_GLOBAL) && (pm->smi_en & bit)) {
        trace_ich9_pm_smi(pm->smi_sts);
        pm->chip->raise_smi(pm);
    }
}

/* Once: software clears the enable and sets it again for the next time. */
static void software_expired(void *opaque)
{
    set_smi_cause(opaque, ICH9_SMI_STS_SWSMI_TMR);
}

static void arm_software(Ich9Pm *pm)
{
    static const uint32_t rates_us[] = { 1500, 16000, 32000, 64000 };

    timer_arm_after_us(&pm->software_timer, rates_us[pm->software_rate]);
}

static void arm_periodic(Ich9Pm *pm)
{
    static const uint8_t rates_s[] = { 64, 32, 16, 8 };

    timer_arm_after_ns(&pm->periodic_timer, rates_s[pm->periodic_rate] * NS_PER_SEC);
}

static void periodic_expired(void *opaque)
{
    arm_periodic(opaque);
    set_smi_cause(opaque, ICH9_SMI_STS_PERIODIC);
}

static void start_or_stop(Ich9Pm *pm, uint32_t changed)
{
    if (changed & ICH9_SMI_EN_SWSMI_TMR) {
        timer_cancel(&pm->software_timer);
        if (pm->smi_en & ICH9_SMI_EN_SWSMI_TMR) {
            arm_software(pm);
        }
    }
    if (changed & ICH9_SMI_EN_PERIODIC) {
        timer_cancel(&pm->periodic_timer);
        if (pm->smi_en & ICH9_SMI_EN_PERIODIC) {
            arm_periodic(pm);
        }
    }
}

void ich9_pm_set_smi_rates(Ich9Pm *pm, unsigned software, unsigned periodic)
{
    pm->software_rate = software & 3;
    pm->periodic_rate = periodic & 3;
}

static uint64_t smi_read(void *opaque, uint64_t at, unsigned bytes)
{
    Ich9Pm *pm = opaque;

    return at ? pm->smi_sts : pm->smi_en | SMI_EN_EOS;
}

static void smi_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    Ich9Pm *pm = opaque;
    uint32_t writable = SMI_EN_WRITABLE & ~pm->smi_en_locked, old = pm->smi_en;

    if (pm->tco.control1 & TCO1_CNT_LOCK) {
        writable &= ~ICH9_SMI_EN_TCO;
    }
    if (at) {
        pm->smi_sts &= ~(value & SMI_STS_CLEARABLE);
    } else {
        pm->smi_en = (old & ~writable) | (value & writable);
        start_or_stop(pm, pm->smi_en ^ old);
    }
}

static const MemoryOps smi_ops = {
    .read = smi_read, .write = smi_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 4, 4 },
};

void ich9_pm_lock_smi(Ich9Pm *pm)
{
    pm->smi_en_locked |= ICH9_SMI_EN_GLOBAL;
}

/* --- what the cores ask --- */

static void set_sci(AcpiPm *core, bool is_up)
{
    Ich9Pm *pm = container_of(core, Ich9Pm, pm);

    pm->chip->set_sci(pm, is_up);
}

static void apm_written(AcpiPm *core, uint8_t command)
{
    set_smi_cause(container_of(core, Ich9Pm, pm), ICH9_SMI_STS_APM);
}

static void tco_smi(AcpiTco *tco)
{
    set_smi_cause(container_of(tco, Ich9Pm, tco), ICH9_SMI_STS_TCO);
}

static bool is_reboot_forbidden(AcpiTco *tco)
{
    Ich9Pm *pm = container_of(tco, Ich9Pm, tco);

    return pm->chip->is_reboot_forbidden(pm);
}

static const AcpiPmChip pm_chip = {
    .gpe_bytes = ICH9_PM_GPE0_BYTES,
    .acpi_enable_cmd = ICH9_ACPI_ENABLE, .acpi_disable_cmd = ICH9_ACPI_DISABLE,
    .set_sci = set_sci, .raise_smi = apm_written,
};
static const AcpiHotplugChip hotplug_chip = { ICH9_CPU_HOTPLUG_PORT, ICH9_PCI_HOTPLUG_PORT };
static const AcpiTcoChip tco_chip = { tco_smi, is_reboot_forbidden };

/* --- life --- */

void ich9_pm_init(Ich9Pm *pm, Device *lpc, const Ich9PmChip *chip)
{
    pm->chip = chip;
    acpi_pm_init(&pm->pm, lpc, &pm_chip);
    acpi_tco_init(&pm->tco, lpc, &tco_chip);
    acpi_hotplug_init(&pm->hotplug, &pm->pm, &hotplug_chip);
    memory_region_init(&pm->io, &lpc->parent, "ich9-pm", ICH9_PM_BYTES);
    memory_region_init_io(&pm->smi, &lpc->parent, &smi_ops, "acpi-smi", 8);
    memory_region_set_opaque(&pm->smi, pm);
    timer_init(&pm->software_timer, CLOCK_VIRTUAL, software_expired, pm);
    timer_init(&pm->periodic_timer, CLOCK_VIRTUAL, periodic_expired, pm);
    memory_region_add(&pm->io, ICH9_PM_EVENT, &pm->pm.event);
    memory_region_add(&pm->io, ICH9_PM_CONTROL, &pm->pm.control);
    memory_region_add(&pm->io, ICH9_PM_TIMER, &pm->pm.timer);
    memory_region_add(&pm->io, ICH9_PM_GPE0, &pm->pm.gpe);
    memory_region_add(&pm->io, ICH9_PM_SMI_EN, &pm->smi);
    memory_region_add(&pm->io, ICH9_PM_TCO, &pm->tco.region);
}

void ich9_pm_clear(Ich9Pm *pm)
{
    MemoryRegion *parts[] = { &pm->pm.event, &pm->pm.control, &pm->pm.timer, &pm->pm.gpe,
                              &pm->smi, &pm->tco.region };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        memory_region_remove(&pm->io, parts[i]);
    }
    memory_region_clear(&pm->io);
    memory_region_clear(&pm->smi);
    timer_clear(&pm->software_timer);
    timer_clear(&pm->periodic_timer);
    acpi_hotplug_clear(&pm->hotplug);
    acpi_tco_clear(&pm->tco);
    acpi_pm_clear(&pm->pm);
}

static void stop_smi_timers(Ich9Pm *pm)
{
    timer_cancel(&pm->software_timer);
    timer_cancel(&pm->periodic_timer);
}

void ich9_pm_start(Ich9Pm *pm)
{
    pm->pm.s4_type = pm->s4_type;
    memory_region_set_enabled(&pm->tco.region, pm->has_tco);
    acpi_hotplug_start(&pm->hotplug, pm->hotplugs_memory);
    acpi_pm_start(&pm->pm);
}

void ich9_pm_stop(Ich9Pm *pm)
{
    acpi_pm_stop(&pm->pm);
    acpi_tco_reset(&pm->tco);
    stop_smi_timers(pm);
    acpi_hotplug_stop(&pm->hotplug);
    ich9_pm_map(pm, NULL, 0);
}

void ich9_pm_map(Ich9Pm *pm, MemoryRegion *space, uint16_t base)
{
    memory_transaction_begin();
    if (pm->space) {
        memory_region_remove(pm->space, &pm->io);
    }
    pm->space = space;
    if (space) {
        memory_region_add(space, base, &pm->io);
    }
    memory_transaction_commit();
}

void ich9_pm_reset_enter(Ich9Pm *pm)
{
    acpi_pm_reset_enter(&pm->pm);
    acpi_tco_reset(&pm->tco);
    acpi_hotplug_reset(&pm->hotplug);
    pm->smi_en = pm->smi_sts = pm->smi_en_locked = 0;
    stop_smi_timers(pm);
}

void ich9_pm_reset_exit(Ich9Pm *pm)
{
    acpi_pm_reset_exit(&pm->pm);
}

static bool has_smi_timers(void *opaque)
{
    return ((Ich9Pm *)opaque)->smi_en & (ICH9_SMI_EN_SWSMI_TMR | ICH9_SMI_EN_PERIODIC);
}

static bool cancel_smi_timers(void *opaque, Error **errp)
{
    stop_smi_timers(opaque);
    return true;
}

static const VMField timer_fields[] = {
    VM_TIMER(Ich9Pm, software_timer), VM_TIMER(Ich9Pm, periodic_timer),
};
static const VMState timer_state = VMSTATE_INIT(timer_fields, .name = "ICH9LPC/pm/smi-timers",
                                                .version = 1, .needed = has_smi_timers);

static const VMField fields[] = {
    VM_STRUCT(Ich9Pm, pm, acpi_pm_state), VM_STRUCT(Ich9Pm, tco, acpi_tco_state),
    VM_STRUCT(Ich9Pm, hotplug, acpi_hotplug_state),
    VM_U32(Ich9Pm, smi_en), VM_U32(Ich9Pm, smi_sts), VM_U32(Ich9Pm, smi_en_locked),
};
const VMState ich9_pm_state =
    VMSTATE_INIT(fields, .name = "ICH9LPC/pm", .version = 1, .pre_load = cancel_smi_timers,
                 .subsections = VM_SUBSECTIONS(&timer_state));
