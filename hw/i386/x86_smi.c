/*
 * System management interrupts: see x86_smi.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/apic_bus.h"
#include "x86_smi.h"

void x86_send_smi(X86SmiTarget target)
{
    ApicMessage message = {
        .dest = target == X86_SMI_ALL_CPUS ? UINT32_MAX : 0, /* the boot processor's id */
        .delivery = APIC_SMI,
        .has_wide_dest = true,
    };

    apic_bus_deliver(&message);
}

void x86_smi_line(void *opaque, unsigned n, int level)
{
    if (level) {
        x86_send_smi(X86_SMI_BOOT_CPU);
    }
}
