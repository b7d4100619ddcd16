/*
 * Becoming somebody else, somewhere else: see cli/daemon.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <grp.h>
#include <pwd.h>

#include "cli/daemon.h"

static bool find_user(const char *user, uid_t *uid, gid_t *gid, char **name, Error **errp)
{
    struct passwd *entry = getpwnam(user);
    unsigned long first, second;
    char *end;

    *name = NULL;
    if (entry) {
        *uid = entry->pw_uid;
        *gid = entry->pw_gid;
        *name = g_strdup(entry->pw_name);
        return true;
    }
    errno = 0;
    first = g_ascii_isdigit(*user) ? strtoul(user, &end, 10) : 0;
    if (g_ascii_isdigit(*user) && *end == ':' && g_ascii_isdigit(end[1])) {
        second = strtoul(end + 1, &end, 10);
        if (!*end && !errno && first < UINT32_MAX && second < UINT32_MAX) {
            *uid = first;
            *gid = second;
            return true;
        }
    }
    return error_set(errp, "User \"%s\" doesn't exist (and is not <uid>:<gid>)", user);
}

bool privileges_check(const char *user, Error **errp)
{
    uid_t uid;
    gid_t gid;
    g_autofree char *name = NULL;

    return !user || find_user(user, &uid, &gid, &name, errp);
}

static bool become(const char *user, Error **errp)
{
    uid_t uid;
    gid_t gid;
    g_autofree char *name = NULL;

    if (!find_user(user, &uid, &gid, &name, errp)) {
        return false;
    }
    if (name ? initgroups(name, gid) < 0 : setgroups(1, &gid) < 0) {
        return error_set_errno(errp, errno, "cannot set the groups of user \"%s\"", user);
    }
    if (setgid(gid) < 0 || setuid(uid) < 0) {
        return error_set_errno(errp, errno, "cannot become user \"%s\"", user);
    }
    if (uid && setuid(0) == 0) {
        return error_set(errp, "privileges were not dropped for good");
    }
    return true;
}

bool privileges_drop(const char *user, const char *root, Error **errp)
{
    uid_t uid;
    gid_t gid;
    g_autofree char *name = NULL;

    /* Names are looked up while the user data base can be seen. */
    if (user && !find_user(user, &uid, &gid, &name, errp)) {
        return false;
    }
    if (root && (chroot(root) < 0 || chdir("/") < 0)) {
        return error_set_errno(errp, errno, "chroot to '%s' failed", root);
    }
    if (user && root) {
        g_autofree char *ids = g_strdup_printf("%u:%u", uid, gid);

        return become(ids, errp);
    }
    return !user || become(user, errp);
}
