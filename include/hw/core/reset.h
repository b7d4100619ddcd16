/*
 * Reset of the machine: devices from the main bus down in three phases, then what registered
 * itself here (what sits on no bus).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_RESET_H
#define HW_CORE_RESET_H

struct Device;

typedef void ResetHandler(void *opaque);
void reset_register(ResetHandler *handler, void *opaque);
void reset_unregister(ResetHandler *handler, void *opaque);
/* Devices that sit on no bus join the phases of the machine's reset. */
void reset_register_device(struct Device *dev);
void reset_unregister_device(struct Device *dev);
void reset_machine(void);

#endif
