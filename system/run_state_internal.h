/*
 * What the files of run state share. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_RUN_STATE_INTERNAL_H
#define SYSTEM_RUN_STATE_INTERNAL_H

#include "system/run_state.h"

/* The VM is started: an earlier wish to stop it is void. */
void vm_cancel_stop_request(void);
/* The guest does not sleep any more (reset). */
void vm_forget_suspend(void);
/* Serves a reset that was asked for and has not been done yet. */
void vm_serve_reset_request(void);

#endif
