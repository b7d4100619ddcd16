/*
 * System call filter: see cli/sandbox.h. Calls we never make end the process: it is not ours any
 * more. Four more groups fail with EPERM at the user's wish, so that what a client asks for and
 * the user forbade is an error, and the guest lives on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include "cli/sandbox.h"

typedef enum CallGroup {
    CALLS_NEVER,
    CALLS_OBSOLETE,
    CALLS_PRIVILEGES,
    CALLS_SPAWN,
    CALLS_RESOURCES,
    CALL_GROUP_COUNT
} CallGroup;

typedef struct Call {
    int number;
    CallGroup group;
} Call;

#define C(name, group) { SCMP_SYS(name), group }
static const Call calls[] = {
    C(reboot, CALLS_NEVER), C(swapon, CALLS_NEVER), C(swapoff, CALLS_NEVER),
    C(syslog, CALLS_NEVER), C(mount, CALLS_NEVER), C(umount2, CALLS_NEVER),
    C(pivot_root, CALLS_NEVER), C(kexec_load, CALLS_NEVER), C(kexec_file_load, CALLS_NEVER),
    C(init_module, CALLS_NEVER), C(finit_module, CALLS_NEVER), C(delete_module, CALLS_NEVER),
    C(acct, CALLS_NEVER), C(quotactl, CALLS_NEVER), C(settimeofday, CALLS_NEVER),
    C(clock_settime, CALLS_NEVER), C(sethostname, CALLS_NEVER), C(setdomainname, CALLS_NEVER),
    C(iopl, CALLS_NEVER), C(ioperm, CALLS_NEVER), C(ptrace, CALLS_NEVER), C(bpf, CALLS_NEVER),
    C(add_key, CALLS_NEVER), C(request_key, CALLS_NEVER), C(keyctl, CALLS_NEVER),
    C(readdir, CALLS_OBSOLETE), C(_sysctl, CALLS_OBSOLETE), C(bdflush, CALLS_OBSOLETE),
    C(create_module, CALLS_OBSOLETE), C(get_kernel_syms, CALLS_OBSOLETE),
    C(query_module, CALLS_OBSOLETE), C(sgetmask, CALLS_OBSOLETE), C(ssetmask, CALLS_OBSOLETE),
    C(sysfs, CALLS_OBSOLETE), C(uselib, CALLS_OBSOLETE), C(ustat, CALLS_OBSOLETE),
    C(setuid, CALLS_PRIVILEGES), C(setgid, CALLS_PRIVILEGES), C(setpgid, CALLS_PRIVILEGES),
    C(setsid, CALLS_PRIVILEGES), C(setreuid, CALLS_PRIVILEGES), C(setregid, CALLS_PRIVILEGES),
    C(setresuid, CALLS_PRIVILEGES), C(setresgid, CALLS_PRIVILEGES),
    C(setfsuid, CALLS_PRIVILEGES), C(setfsgid, CALLS_PRIVILEGES),
    C(fork, CALLS_SPAWN), C(vfork, CALLS_SPAWN), C(execve, CALLS_SPAWN),
    C(execveat, CALLS_SPAWN),
    C(setpriority, CALLS_RESOURCES), C(sched_setparam, CALLS_RESOURCES),
    C(sched_setscheduler, CALLS_RESOURCES), C(sched_setattr, CALLS_RESOURCES),
    C(sched_setaffinity, CALLS_RESOURCES),
};
#undef C

/* A key's word, or an error that names both. */
static bool read_policy(json_object *keys, const char *name, const char *const *words, int *index,
                        Error **errp)
{
    json_object *value = json_member(keys, name);
    const char *text = value ? json_object_get_string(value) : NULL;

    for (int i = 0; text && words[i]; i++) {
        if (!strcmp(text, words[i])) {
            *index = i;
            return true;
        }
    }
    return !text || error_set(errp, "invalid argument for %s: '%s'", name, text);
}

static bool refuse(scmp_filter_ctx filter, const Call *call)
{
    uint32_t action = call->group == CALLS_NEVER ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM);
    int err = seccomp_rule_add(filter, action, call->number, 0);

    return !err || err == -EDOM || err == -EFAULT; /* the host has no such call */
}

/* Threads are made, processes are not; clone3's flags cannot be seen, so it does not exist. */
static bool refuse_processes(scmp_filter_ctx filter)
{
    return !seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) &&
           !seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
}

static bool fill(scmp_filter_ctx filter, const bool *is_refused)
{
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        if (is_refused[calls[i].group] &&
            !refuse(filter, &calls[i])) {
            return false;
        }
    }
    return !is_refused[CALLS_SPAWN] || refuse_processes(filter);
}

static bool load(const bool *is_refused, Error **errp)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool is_ok = filter && !seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) &&
                 fill(filter, is_refused) && !seccomp_load(filter);

    seccomp_release(filter);
    return is_ok || error_set(errp, "failed to install the system call filter");
}

bool sandbox_enter(json_object *keys, Error **errp)
{
    static const char *const switches[] = { "off", "on", NULL };
    static const char *const policies[] = { "allow", "deny", "children", NULL };
    static const char *const plain[] = { "allow", "deny", NULL };
    int is_on = 0, obsolete = 1, privileges = 0, spawn = 0, resources = 0;
    bool is_refused[CALL_GROUP_COUNT] = { [CALLS_NEVER] = true };

    if (!keys) {
        return true;
    }
    if (!read_policy(keys, "enable", switches, &is_on, NULL)) {
        return error_set(errp, "Parameter 'enable' expects 'on' or 'off'");
    }
    if (!read_policy(keys, "obsolete", plain, &obsolete, errp) ||
        !read_policy(keys, "elevateprivileges", policies, &privileges, errp) ||
        !read_policy(keys, "spawn", plain, &spawn, errp) ||
        !read_policy(keys, "resourcecontrol", plain, &resources, errp)) {
        return false;
    }
    if (!is_on) {
        return true;
    }
    is_refused[CALLS_OBSOLETE] = obsolete;
    is_refused[CALLS_PRIVILEGES] = privileges == 1;
    is_refused[CALLS_SPAWN] = spawn;
    is_refused[CALLS_RESOURCES] = resources;
    if (privileges == 2 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return error_set_errno(errp, errno, "cannot keep children from gaining privileges");
    }
    return load(is_refused, errp);
}
