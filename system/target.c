/*
 * The binary's target: see system/target.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/target.h"

static const TargetInfo *current;

void target_set(const TargetInfo *info)
{
    current = info;
}

const TargetInfo *target_info(void)
{
    assert(current);
    return current;
}
