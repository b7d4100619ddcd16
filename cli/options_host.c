/*
 * Options: the process on its host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"

static bool apply_chroot(OptionSet *set, const char *arg, Error **errp)
{
    json_object *keys = json_object_new_object();

    json_set(keys, "chroot", json_string(arg));
    return option_set_add_keys(set, option_find("run-with"), keys, NULL, errp);
}

static bool apply_runas(OptionSet *set, const char *arg, Error **errp)
{
    json_object *keys = json_object_new_object();

    json_set(keys, "user", json_string(arg));
    return option_set_add_keys(set, option_find("run-with"), keys, NULL, errp);
}

static const OptionParam sandbox_params[] = {
    { "enable", OPTION_PARAM_BOOL, "filter system calls" },
    { "obsolete", OPTION_PARAM_STRING, "allow, deny: old calls" },
    { "elevateprivileges", OPTION_PARAM_STRING, "allow, deny, children: set*uid and the like" },
    { "spawn", OPTION_PARAM_STRING, "allow, deny: fork and exec" },
    { "resourcecontrol", OPTION_PARAM_STRING, "allow, deny: affinity, priority" }, { 0 },
};
static const OptionParam overcommit_params[] = {
    { "mem-lock", OPTION_PARAM_STRING, "on, off, on-fault" },
    { "cpu-pm", OPTION_PARAM_BOOL, "let the guest put host CPUs to sleep" }, { 0 },
};
static const OptionParam msg_params[] = {
    { "timestamp", OPTION_PARAM_BOOL, "time in front of messages" },
    { "guest-name", OPTION_PARAM_BOOL, "guest's name in front of messages" }, { 0 },
};
static const OptionParam run_with_params[] = {
    { "chroot", OPTION_PARAM_STRING, "new root folder" },
    { "async-teardown", OPTION_PARAM_BOOL, "free memory in a process of its own" },
    { "user", OPTION_PARAM_STRING, "user name or UID:GID" }, { 0 },
};

static const OptionDef defs[] = {
    { "daemonize", NULL, OPTION_FLAG, .help = "go to the background when everything is ready" },
    { "pidfile", NULL, OPTION_TEXT, .syntax = "FILE", .help = "write the process id to a file" },
    { "sandbox", NULL, OPTION_MERGED, "enable", .group = "sandbox", .params = sandbox_params,
      .syntax = "on|off[,obsolete=P][,elevateprivileges=P][,spawn=P][,resourcecontrol=P]",
      .help = "limit the system calls the process can make" },
    { "runas", NULL, OPTION_TEXT, .apply = apply_runas, .syntax = "USER|UID:GID",
      .help = "become another user when everything is ready" },
    { "chroot", NULL, OPTION_TEXT, .apply = apply_chroot, .syntax = "FOLDER", .is_hidden = true },
    { "run-with", NULL, OPTION_MERGED, NULL, .group = "run-with", .params = run_with_params,
      .syntax = "[chroot=FOLDER][,async-teardown=on|off][,user=USER]",
      .help = "limits set when everything is ready" },
    { "overcommit", NULL, OPTION_MERGED, NULL, .group = "overcommit", .params = overcommit_params,
      .syntax = "[mem-lock=on|off|on-fault][,cpu-pm=on|off]",
      .help = "lock guest memory; leave power management to the guest" },
    { "msg", NULL, OPTION_MERGED, NULL, .group = "msg", .params = msg_params,
      .syntax = "[timestamp=on|off][,guest-name=on|off]", .help = "form of messages" },
};
const OptionFamily options_host = { "The process", defs, ARRAY_SIZE(defs) };
