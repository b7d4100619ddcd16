/*
 * What every machine sends besides devices: the virtual clock, and whether the source ran.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_RUN_STATE_SECTION_H
#define MIGRATION_RUN_STATE_SECTION_H

#include "qapi/qapi-types-run-state.h"

void run_state_section_register(void);
/* The source's state before the migration stopped it. Machine lock. */
void run_state_section_note(RunState state);
/* The same, as it was loaded; RUN_STATE_COUNT: nothing was. Machine lock. */
RunState run_state_section_loaded(void);

#endif
