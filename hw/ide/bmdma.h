/*
 * Bmdma: the bus master of one channel (Programming Interface for Bus Master IDE Controller, 1.0).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IDE_BMDMA_H
#define HW_IDE_BMDMA_H

#include "hw/ide/ide_bus.h"
#include "hw/pci/pci_device.h"

#define BMDMA_BYTES 8

typedef struct Bmdma {
    PciDevice *dev;
    IdeBus *bus;       /* borrowed */
    IrqLine *irq;      /* of the controller */
    uint8_t command, status;
    uint32_t table;
    uint32_t next;     /* address of the next descriptor */
    uint32_t addr, left;
    bool is_last;
} Bmdma;

extern const IdeTransport bmdma_transport; /* its opaque is the Bmdma */
extern const VMState bmdma_state;

void bmdma_reset(Bmdma *dma);
uint8_t bmdma_read(const Bmdma *dma, unsigned at);
void bmdma_write(Bmdma *dma, unsigned at, uint8_t value);

#endif
