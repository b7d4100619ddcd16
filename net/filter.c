/*
 * See net/filter.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/filter.h"

void net_filter_attach(NetFilter *filter, NetEnd *end)
{
    if (!end->filters) {
        end->filters = g_ptr_array_new();
    }
    g_ptr_array_add(end->filters, filter);
    filter->end = end;
}

void net_filter_detach(NetFilter *filter)
{
    if (filter->end) {
        g_ptr_array_remove(filter->end->filters, filter);
        filter->end = NULL;
    }
}

void net_filters_see(NetEnd *end, NetDirection direction, const NetFrame *frame)
{
    for (guint n = 0; end->filters && n < end->filters->len; n++) {
        NetFilter *filter = end->filters->pdata[n];

        filter->see(filter, direction, frame);
    }
}

void net_filters_drop(NetEnd *end)
{
    for (guint n = 0; end->filters && n < end->filters->len; n++) {
        ((NetFilter *)end->filters->pdata[n])->end = NULL;
    }
    g_clear_pointer(&end->filters, g_ptr_array_unref);
}
