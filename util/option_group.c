/*
 * Option groups: see util/option_group.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/option_group.h"

typedef struct Group {
    const char *name;
    const OptionParam *params;
} Group;

/* Written at start only. */
static GArray *groups;

void option_group_register(const char *name, const OptionParam *params)
{
    Group group = { name, params };

    if (!groups) {
        groups = g_array_new(FALSE, FALSE, sizeof(Group));
    }
    for (guint i = 0; i < groups->len; i++) {
        if (!strcmp(g_array_index(groups, Group, i).name, name)) {
            return;
        }
    }
    g_array_append_val(groups, group);
}

void option_group_each(void (*fn)(void *opaque, const char *name, const OptionParam *params),
                       void *opaque)
{
    for (guint i = 0; groups && i < groups->len; i++) {
        Group *group = &g_array_index(groups, Group, i);

        fn(opaque, group->name, group->params);
    }
}
