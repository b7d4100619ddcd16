/*
 * The VMware port, for what answers some of its commands.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_INPUT_VMPORT_H
#define HW_INPUT_VMPORT_H

#include "hw/isa/isa.h"
#include "system/port_call.h"

#define TYPE_VMPORT      "vmport"
#define VMPORT_MAGIC     0x564d5868 /* "VMXh" */
#define VMPORT_COMMANDS  0x80

/* Returns EAX; may change other registers. Machine lock. */
typedef uint32_t VmportCommand(void *opaque, PortCallRegs *regs);

/* The one on a bus, or NULL. */
Device *vmport_find(IsaBus *bus);
/* False if somebody answers it already. NULL takes it away. */
bool vmport_set_command(Device *vmport, unsigned command, VmportCommand *fn, void *opaque);
/* What a 32-bit IN from the port does; returns its value. */
uint32_t vmport_call(Device *vmport, PortCallRegs *regs);

#endif
