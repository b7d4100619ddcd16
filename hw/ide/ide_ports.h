/*
 * IdePorts: a channel's two blocks of registers as I/O regions: eight at 0x1f0 or 0x170, one at
 * 0x3f6 or 0x376.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IDE_IDE_PORTS_H
#define HW_IDE_IDE_PORTS_H

#include "hw/ide/ide_bus.h"

typedef struct IdePorts {
    IdeBus *bus; /* borrowed */
    MemoryRegion command, control;
} IdePorts;

/* `owner` frees them with ide_ports_clear(). */
void ide_ports_init(IdePorts *ports, Object *owner, IdeBus *bus);
void ide_ports_clear(IdePorts *ports);

#endif
