/*
 * The interface of CPUs that enter kernels: see hw/core/x86_start.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/x86_start.h"

static const ObjectType x86_start_cpu_type = {
    .name = TYPE_X86_START_CPU,
    .doc = "A CPU that can begin in a kernel",
    .is_interface = true,
};
OBJECT_TYPE(x86_start_cpu_type)
