/*
 * AcpiPm: the power management registers of ACPI chipsets: PM1 event and control, the PM timer,
 * GPE0, SMI_CMD. A chipset's device embeds it, maps the regions and drives its lines. ACPI 6.4,
 * 4.8 "ACPI Hardware Registers".
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_PM_H
#define HW_ACPI_PM_H

#include "hw/core/device.h"
#include "system/memory.h"
#include "system/run_state.h"

#define ACPI_GPE_MAX_BYTES 32
#define ACPI_PM_TIMER_HZ   3579545

/* PM1 status and enable. */
#define ACPI_PM1_TIMER    BIT(0)
#define ACPI_PM1_GLOBAL   BIT(5)
#define ACPI_PM1_POWER    BIT(8)
#define ACPI_PM1_SLEEP    BIT(9)
#define ACPI_PM1_RTC      BIT(10)
#define ACPI_PM1_WAKE     BIT(15)
/* PM1 control. */
#define ACPI_PM1_SCI_ENABLED BIT(0)

typedef struct AcpiPm AcpiPm;

/* The chipset's part; const. */
typedef struct AcpiPmChip {
    uint8_t gpe_bytes;    /* of GPE0: half status, half enable */
    uint8_t acpi_enable_cmd, acpi_disable_cmd; /* what SMI_CMD takes without firmware */
    /* The system control interrupt's level changed, or may have. */
    void (*set_sci)(AcpiPm *pm, bool is_up);
    /* SMI_CMD was written; NULL: there is no firmware to tell. */
    void (*raise_smi)(AcpiPm *pm, uint8_t command);
} AcpiPmChip;

struct AcpiPm {
    MemoryRegion event;   /* 4 bytes */
    MemoryRegion control; /* 2 */
    MemoryRegion timer;   /* 4 */
    MemoryRegion gpe;     /* chip->gpe_bytes */
    MemoryRegion command; /* 2: SMI_CMD and the byte that goes with it */
    const AcpiPmChip *chip;
    Device *owner;
    uint16_t status, enable, control_bits;
    uint8_t gpe_status[ACPI_GPE_MAX_BYTES / 2], gpe_enable[ACPI_GPE_MAX_BYTES / 2];
    uint8_t smi_command, smi_data;
    uint8_t s4_type;      /* SLP_TYP of suspend to disk */
    int64_t overflow_ns;  /* when the timer's top bit changes next */
    Timer overflow;       /* then, if anyone wants to know */
    Notifier powerdown, wakeup;
};

extern const VMState acpi_pm_state;

/* In the owner's init; `chip` is borrowed. */
void acpi_pm_init(AcpiPm *pm, Device *owner, const AcpiPmChip *chip);
/* In its finalize. */
void acpi_pm_clear(AcpiPm *pm);
/* In realize and unrealize: whether it hears of the power button and of waking up. */
void acpi_pm_start(AcpiPm *pm);
void acpi_pm_stop(AcpiPm *pm);
/* In the owner's phases. */
void acpi_pm_reset_enter(AcpiPm *pm);
void acpi_pm_reset_exit(AcpiPm *pm);

/* Sets PM1 status bits, or a GPE's; they stay until the guest clears them. */
void acpi_pm_raise(AcpiPm *pm, uint16_t status);
void acpi_pm_raise_gpe(AcpiPm *pm, unsigned gpe);
/* As ACPI_ENABLE and ACPI_DISABLE do. */
void acpi_pm_enable_sci(AcpiPm *pm, bool is_on);

#endif
