/*
 * A build without libslirp has no user network.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/kinds.h"

static bool is_missing(Error **errp)
{
    return error_set(errp, "network backend 'user' is not compiled into this binary");
}

bool net_user_open(const Netdev *netdev, Error **errp)
{
    return is_missing(errp);
}

bool net_user_add_forward(const char *id, const char *rule, Error **errp)
{
    return is_missing(errp);
}

bool net_user_remove_forward(const char *id, const char *rule, Error **errp)
{
    return is_missing(errp);
}

char *net_user_info(void)
{
    return g_strdup("");
}
