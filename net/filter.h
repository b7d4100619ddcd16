/*
 * NetFilter: who sees the frames of a back end as they pass.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include "net/net.h"

typedef enum NetDirection {
    NET_RX, /* to the back end: what the guest sends */
    NET_TX, /* from the back end */
} NetDirection;

typedef struct NetFilter NetFilter;
struct NetFilter {
    void (*see)(NetFilter *filter, NetDirection direction, const NetFrame *frame);
    NetEnd *end; /* NULL: it is gone */
};

void net_filter_attach(NetFilter *filter, NetEnd *end);
/* Also when it is not attached, or its end is gone. */
void net_filter_detach(NetFilter *filter);
/* All of the end's. */
void net_filters_see(NetEnd *end, NetDirection direction, const NetFrame *frame);
/* The end goes: its filters see nothing more. */
void net_filters_drop(NetEnd *end);

#endif
