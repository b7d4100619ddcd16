/*
 * gpex-pcihost: the generic PCI Express host bridge of boards without a chipset: configuration
 * space as ECAM, windows of memory at the addresses the bus uses, four interrupt lines.
 *
 * The board realizes it, then maps what it has room for: pci_host_map_ecam() for configuration
 * space, gpex_map_memory() for windows, region GPEX_PORTS (64 KiB) for I/O space as memory, and
 * connects the lines "sysbus-irq" 0 to 3. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_HOST_GPEX_H
#define HW_PCI_HOST_GPEX_H

#include "hw/pci/pci_host.h"

#define TYPE_GPEX_HOST "gpex-pcihost"
#define TYPE_GPEX_ROOT "gpex-root"

#define GPEX_MAX_WINDOWS 4

/* Its regions, by number. */
enum { GPEX_MEMORY, GPEX_PORTS };

/* Shows bus addresses [base, base + bytes) at the same addresses of the system's memory. */
void gpex_map_memory(Device *gpex, uint64_t base, uint64_t bytes);
/* Which of the four lines pin 0 to 3 (INTA to INTD) of a slot drives. */
static inline unsigned gpex_line(unsigned slot, unsigned pin)
{
    return (slot + pin) % PCI_PIN_COUNT;
}

#endif
