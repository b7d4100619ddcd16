/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_NETWORK_STATE_H
#define CLI_NETWORK_STATE_H

/* Once: networks, too, are part of what is saved. */
void network_state_register(void);

#endif
