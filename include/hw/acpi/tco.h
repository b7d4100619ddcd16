/*
 * AcpiTco: the "total cost of ownership" watchdog of ICH chipsets. Intel ICH9 data sheet, 13.9
 * "System Management TCO Registers".
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_TCO_H
#define HW_ACPI_TCO_H

#include "hw/core/device.h"
#include "system/memory.h"

#define ACPI_TCO_TICK_NS (600 * NS_PER_MS)

typedef struct AcpiTco AcpiTco;

typedef struct AcpiTcoChip {
    /* A cause of TCO SMIs came up. */
    void (*raise_smi)(AcpiTco *tco);
    /* The strap or register bit that keeps the second timeout from resetting. */
    bool (*is_reboot_forbidden)(AcpiTco *tco);
} AcpiTcoChip;

struct AcpiTco {
    MemoryRegion region; /* 32 bytes */
    const AcpiTcoChip *chip;
    Device *owner;
    uint16_t reload, status1, status2, control1, control2, initial;
    uint8_t data_in, data_out, message1, message2, boot_count, sw_irq;
    uint8_t timeouts; /* since TCO_RLD was written */
    int64_t expires_ns; /* as the timer, when it runs */
    Timer timer;
};

extern const VMState acpi_tco_state;

/* In the owner's init; `chip` is borrowed. */
void acpi_tco_init(AcpiTco *tco, Device *owner, const AcpiTcoChip *chip);
/* In its finalize. */
void acpi_tco_clear(AcpiTco *tco);
/* In its phase, and in unrealize. */
void acpi_tco_reset(AcpiTco *tco);

#endif
