/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/incoming.h"
#include "migration/migration.h"
#include "migration/outgoing.h"
#include "migration/ram.h"
#include "migration/run_state_section.h"
#include "migration/snapshot.h"

void migration_init(void)
{
    run_state_section_register();
    ram_register();
    snapshot_register();
}

void migration_cleanup(void)
{
    outgoing_cleanup();
    incoming_cleanup();
}
