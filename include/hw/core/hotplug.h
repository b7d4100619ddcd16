/*
 * HotplugHandler: who agrees to, and carries out, plugging into a running machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_HOTPLUG_H
#define HW_CORE_HOTPLUG_H

#include "hw/core/device.h"

#define TYPE_HOTPLUG_HANDLER "hotplug-handler"

/* Operations of the interface; any may be NULL. */
typedef struct HotplugHandler {
    bool (*pre_plug)(Object *handler, Device *dev, Error **errp); /* before realize */
    bool (*plug)(Object *handler, Device *dev, Error **errp);     /* after realize */
    /* Asks the guest; the device goes when the guest agrees (hotplug_unplug()). */
    bool (*unplug_request)(Object *handler, Device *dev, Error **errp);
    void (*unplug)(Object *handler, Device *dev); /* before it is deleted */
} HotplugHandler;

/* The handler responsible for the device: its bus's, else the machine's; NULL: none. */
Object *hotplug_handler_of(const Device *dev);
bool hotplug_pre_plug(Device *dev, Error **errp);
bool hotplug_plug(Device *dev, Error **errp);
bool hotplug_can_request(const Device *dev);
bool hotplug_unplug_request(Device *dev, Error **errp);
/* The guest let go (or there is nobody to ask): unplug and delete. */
void hotplug_unplug(Device *dev);
/* Completes every pending unplug, as a system reset does. */
void hotplug_complete_pending(void);

#endif
