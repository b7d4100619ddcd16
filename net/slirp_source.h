/*
 * What libslirp waits for, in the main loop: its sockets and its timers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_SLIRP_SOURCE_H
#define NET_SLIRP_SOURCE_H

#include <slirp/libslirp.h>

#include "net/net.h"

typedef struct SlirpSource SlirpSource;

/* `port` is where frames of the stack go. */
SlirpSource *slirp_source_new(Slirp *slirp, NetPort *port);
void slirp_source_free(SlirpSource *source);

#endif
