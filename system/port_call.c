/*
 * The interface of CPUs that lend registers: see system/port_call.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/port_call.h"

static const ObjectType port_call_cpu_type = {
    .name = TYPE_PORT_CALL_CPU,
    .doc = "A CPU whose registers a port may read and write",
    .is_interface = true,
};
OBJECT_TYPE(port_call_cpu_type)
