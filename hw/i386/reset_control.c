/*
 * Port 0xcf9: see reset_control.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "reset_control.h"
#include "system/address_space.h"
#include "system/run_state.h"

#define RESET_CONTROL_PORT     0xcf9
#define RESET_CONTROL_PRIORITY 1 /* in the middle of CONFIG_ADDRESS */

static uint64_t control_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return ((ResetControl *)opaque)->value;
}

static void control_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    ResetControl *control = opaque;

    if (value & RESET_CONTROL_CPU) {
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        return;
    }
    control->value = value & control->writable;
}

static const MemoryOps control_ops = {
    .read = control_read, .write = control_write, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 4 }, .impl = { .min = 1, .max = 1 },
};

void reset_control_init(ResetControl *control, Object *owner, const char *name, uint8_t writable)
{
    control->writable = writable;
    memory_region_init_io(&control->region, owner, &control_ops, name, 1);
    memory_region_set_opaque(&control->region, control);
}

void reset_control_clear(ResetControl *control)
{
    memory_region_clear(&control->region);
}

void reset_control_map(ResetControl *control)
{
    memory_region_add_overlap(memory_region_io(), RESET_CONTROL_PORT, &control->region,
                              RESET_CONTROL_PRIORITY);
}

void reset_control_unmap(ResetControl *control)
{
    memory_region_remove(memory_region_io(), &control->region);
}
