/*
 * What a guest tells of its own end: see hw/misc/pvpanic.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/misc/pvpanic.h"
#include "qapi/qapi-events-run-state.h"
#include "system/run_state.h"
#include "util/log.h"

void pvpanic_tell(uint8_t events)
{
    if (events & ~PVPANIC_KNOWN) {
        guest_error("pvpanic: unknown event 0x%x", events);
    }
    if (events & PVPANIC_PANICKED) {
        vm_guest_panicked(NULL);
    } else if (events & PVPANIC_CRASHLOADED) {
        qapi_event_send_guest_crashloaded(GUEST_PANIC_ACTION_RUN, NULL);
    }
}
