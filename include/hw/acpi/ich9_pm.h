/*
 * Ich9Pm: the power management registers that ICH9's LPC bridge has at PMBASE, with the TCO
 * watchdog and SMI control. Intel ICH9 data sheet, 13.8 and 13.9. The bridge embeds it, and puts
 * the rows of ICH9_PM_PROPS() into its own properties.
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_ICH9_PM_H
#define HW_ACPI_ICH9_PM_H

#include "hw/acpi/hotplug.h"
#include "hw/acpi/tco.h"

#define ICH9_PM_BYTES      128
#define ICH9_PM_EVENT      0x00
#define ICH9_PM_CONTROL    0x04
#define ICH9_PM_TIMER      0x08
#define ICH9_PM_GPE0       0x20
#define ICH9_PM_GPE0_BYTES 16
#define ICH9_PM_SMI_EN     0x30
#define ICH9_PM_SMI_STS    0x34
#define ICH9_PM_TCO        0x60
#define ICH9_APM_PORT      0xb2
#define ICH9_PCI_HOTPLUG_PORT 0xcc0
#define ICH9_CPU_HOTPLUG_PORT 0xcd8
#define ICH9_ACPI_ENABLE   0x02
#define ICH9_ACPI_DISABLE  0x03

#define ICH9_SMI_EN_GLOBAL BIT(0)
#define ICH9_SMI_EN_APMC   BIT(5)
#define ICH9_SMI_EN_SWSMI_TMR BIT(6)
#define ICH9_SMI_EN_TCO    BIT(13)
#define ICH9_SMI_EN_PERIODIC BIT(14)
#define ICH9_SMI_STS_APM   BIT(5)
#define ICH9_SMI_STS_SWSMI_TMR BIT(6)
#define ICH9_SMI_STS_TCO   BIT(13)
#define ICH9_SMI_STS_PERIODIC BIT(14)

typedef struct Ich9Pm Ich9Pm;

/* The bridge's part; const. */
typedef struct Ich9PmChip {
    /* The SCI's level, when it may have changed. */
    void (*set_sci)(Ich9Pm *pm, bool is_up);
    /* An enabled cause of SMIs came up, while SMIs are enabled. */
    void (*raise_smi)(Ich9Pm *pm);
    /* By the strap or GCS.NR: the watchdog's second timeout does not reset. */
    bool (*is_reboot_forbidden)(Ich9Pm *pm);
} Ich9PmChip;

struct Ich9Pm {
    AcpiPm pm;             /* pm.command, the APM ports, is mapped by the bridge at ICH9_APM_PORT */
    AcpiTco tco;
    AcpiHotplug hotplug;   /* the bridge is its TYPE_ACPI_DEVICE_IF and TYPE_HOTPLUG_HANDLER */
    MemoryRegion io;       /* ICH9_PM_BYTES, moved by ich9_pm_map() */
    MemoryRegion smi;
    MemoryRegion *space;   /* where io is; NULL: nowhere */
    const Ich9PmChip *chip;
    uint32_t smi_en, smi_sts;
    uint32_t smi_en_locked; /* bits that stay as they are until reset */
    Timer software_timer, periodic_timer; /* of SMIs; they run while SMI_EN has their bits */
    uint8_t software_rate, periodic_rate; /* SWSMI_RATE_SEL, PER_SMI_SEL */
    /* properties */
    uint8_t disable_s3, disable_s4, s4_type;
    bool has_tco, hotplugs_bridges, hotplugs_memory, keeps_slot_hotplug;
};

extern const VMState ich9_pm_state;

/* Rows for the bridge's properties; `f` is its Ich9Pm. */
#define ICH9_PM_PROPS(S, f)                                                                        \
    PROP_U8("disable_s3", S, f.disable_s3, .has_no_default = true, .max = 1,                       \
            .doc = "1: no suspend to RAM"),                                                        \
    PROP_U8("disable_s4", S, f.disable_s4, .has_no_default = true, .max = 1,                       \
            .doc = "1: no suspend to disk"),                                                       \
    PROP_U8("s4_val", S, f.s4_type, .initial = 2, .has_no_default = true, .max = 7,                \
            .doc = "Sleep type of suspend to disk"),                                               \
    PROP_BOOL("enable_tco", S, f.has_tco, .initial = true, .has_no_default = true,                 \
              .doc = "There is a TCO watchdog"),                                                   \
    PROP_BOOL("memory-hotplug-support", S, f.hotplugs_memory, .initial = true,                     \
              .has_no_default = true, .doc = "Registers for memory hot-plug"),                     \
    PROP_BOOL("acpi-pci-hotplug-with-bridge-support", S, f.hotplugs_bridges, .initial = true,      \
              .has_no_default = true, .doc = "ACPI hot-plug behind PCI bridges"),                  \
    PROP_BOOL("cpu-hotplug-legacy", S, f.hotplug.has_cpu_bitmap, .initial = true,                  \
              .has_no_default = true, .is_live = true, .doc = "CPU hot-plug by the bitmap of present CPUs"),               \
    PROP_BOOL("x-keep-pci-slot-hpc", S, f.keeps_slot_hotplug, .has_no_default = true,              \
              .doc = "Slots keep their native hot-plug beside ACPI's")

/* In the bridge's init; `chip` is borrowed. */
void ich9_pm_init(Ich9Pm *pm, Device *lpc, const Ich9PmChip *chip);
void ich9_pm_clear(Ich9Pm *pm); /* in its finalize */
void ich9_pm_start(Ich9Pm *pm); /* at the end of realize */
void ich9_pm_stop(Ich9Pm *pm);  /* in unrealize; unmaps */
void ich9_pm_reset_enter(Ich9Pm *pm);
void ich9_pm_reset_exit(Ich9Pm *pm);
/* PMBASE or ACPI_EN changed. `space` NULL: not decoded. */
void ich9_pm_map(Ich9Pm *pm, MemoryRegion *space, uint16_t base);
/* GEN_PMCON_3.SWSMI_RATE_SEL and GEN_PMCON_1.PER_SMI_SEL, for timers that start from now on. */
void ich9_pm_set_smi_rates(Ich9Pm *pm, unsigned software, unsigned periodic);
/* GEN_PMCON_1.SMI_LOCK was set: SMI_EN.GBL_SMI_EN stays as it is. */
void ich9_pm_lock_smi(Ich9Pm *pm);

#endif
