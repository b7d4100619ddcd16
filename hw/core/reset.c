/*
 * Reset in phases: see hw/core/reset.h. A whole tree enters, then holds, then exits, so that no
 * device hears a line of one that still has its old state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/device_parts.h"
#include "hw/core/hotplug.h"
#include "hw/core/reset.h"
#include "system/memory.h"

typedef struct Handler {
    ResetHandler *fn;
    void *opaque;
} Handler;

/* Everyone who asked to be told; guarded by the machine lock. */
static GArray *handlers;
static GPtrArray *loose_devices;

typedef enum Phase { PHASE_ENTER, PHASE_HOLD, PHASE_EXIT } Phase;

static void level_enter(Device *dev, const DeviceType *level)
{
    register_reset(dev, &level->registers);
    if (level->reset_enter) {
        level->reset_enter(dev);
    }
}

static void level_hold(Device *dev, const DeviceType *level)
{
    if (level->reset_hold) {
        level->reset_hold(dev);
    }
}

static void level_exit(Device *dev, const DeviceType *level)
{
    if (level->reset_exit) {
        level->reset_exit(dev);
    }
}

static void device_phase(Device *dev, Phase phase);

static void bus_phase(Bus *bus, Phase phase)
{
    if (phase == PHASE_HOLD && bus_ops(bus)->reset_hold) {
        bus_ops(bus)->reset_hold(bus);
    }
    for (guint i = 0; i < bus->devices->len; i++) {
        device_phase(bus->devices->pdata[i], phase);
    }
}

/* What sits on a device's buses goes before the device. */
static void device_phase(Device *dev, Phase phase)
{
    static DeviceLevelFn *const step[] = { level_enter, level_hold, level_exit };

    for (guint i = 0; dev->buses && i < dev->buses->len; i++) {
        bus_phase(dev->buses->pdata[i], phase);
    }
    if (phase == PHASE_ENTER) {
        device_timers_cancel(dev);
    }
    device_levels(dev, step[phase], false);
}

/* Devices change the map one by one; it is drawn once for all in a phase. */
static void for_phases(void (*run)(void *opaque, Phase phase), void *opaque)
{
    for (Phase phase = PHASE_ENTER; phase <= PHASE_EXIT; phase++) {
        memory_transaction_begin();
        run(opaque, phase);
        memory_transaction_commit();
    }
}

static void run_device(void *dev, Phase phase)
{
    device_phase(dev, phase);
}

static void run_bus(void *bus, Phase phase)
{
    bus_phase(bus, phase);
}

static void run_machine(void *opaque, Phase phase)
{
    bus_phase(bus_system(), phase);
    for (guint i = 0; loose_devices && i < loose_devices->len; i++) {
        device_phase(loose_devices->pdata[i], phase);
    }
}

void device_reset(Device *dev)
{
    if (dev->reset_depth) {
        return; /* asked for by itself */
    }
    dev->reset_depth++;
    for_phases(run_device, dev);
    dev->reset_depth--;
}

void bus_reset(Bus *bus)
{
    for_phases(run_bus, bus);
}

void reset_register(ResetHandler *handler, void *opaque)
{
    Handler entry = { handler, opaque };

    if (!handlers) {
        handlers = g_array_new(FALSE, FALSE, sizeof(Handler));
    }
    g_array_append_val(handlers, entry);
}

void reset_unregister(ResetHandler *handler, void *opaque)
{
    for (guint i = 0; handlers && i < handlers->len; i++) {
        Handler *entry = &g_array_index(handlers, Handler, i);

        if (entry->fn == handler && entry->opaque == opaque) {
            g_array_remove_index(handlers, i);
            return;
        }
    }
}

void reset_register_device(Device *dev)
{
    if (!loose_devices) {
        loose_devices = g_ptr_array_new();
    }
    g_ptr_array_add(loose_devices, dev);
}

void reset_unregister_device(Device *dev)
{
    g_ptr_array_remove(loose_devices, dev);
}

void reset_machine(void)
{
    hotplug_complete_pending();
    for_phases(run_machine, NULL);
    for (guint i = 0; handlers && i < handlers->len; i++) {
        Handler entry = g_array_index(handlers, Handler, i);

        entry.fn(entry.opaque);
    }
}
