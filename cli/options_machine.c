/*
 * Options: what firmware and kernel are started with, how the machine starts and stops.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"

/* These are properties of the machine under a name of their own. */
static bool machine_key(OptionSet *set, const char *key, const char *value, Error **errp)
{
    json_object *keys = json_object_new_object();

    json_set(keys, key, json_string(value));
    return option_set_add_keys(set, option_find("machine"), keys, NULL, errp);
}

static bool apply_kernel(OptionSet *set, const char *arg, Error **errp)
{
    return machine_key(set, "kernel", arg, errp);
}

static bool apply_initrd(OptionSet *set, const char *arg, Error **errp)
{
    return machine_key(set, "initrd", arg, errp);
}

static bool apply_append(OptionSet *set, const char *arg, Error **errp)
{
    return machine_key(set, "append", arg, errp);
}

static bool apply_dtb(OptionSet *set, const char *arg, Error **errp)
{
    return machine_key(set, "dtb", arg, errp);
}

static bool apply_bios(OptionSet *set, const char *arg, Error **errp)
{
    return machine_key(set, "firmware", arg, errp);
}

static bool apply_no_reboot(OptionSet *set, const char *arg, Error **errp)
{
    return option_set_add(set, "action", "reboot=shutdown", errp);
}

static bool apply_no_shutdown(OptionSet *set, const char *arg, Error **errp)
{
    return option_set_add(set, "action", "shutdown=pause", errp);
}

static bool apply_watchdog(OptionSet *set, const char *arg, Error **errp)
{
    json_object *keys = json_object_new_object();

    json_set(keys, "watchdog", json_string(arg));
    return option_set_add_keys(set, option_find("action"), keys, NULL, errp);
}

static const OptionParam action_params[] = {
    { "reboot", OPTION_PARAM_STRING, "reset, shutdown" },
    { "shutdown", OPTION_PARAM_STRING, "poweroff, pause" },
    { "panic", OPTION_PARAM_STRING, "pause, shutdown, exit-failure, none" },
    { "watchdog", OPTION_PARAM_STRING,
      "reset, shutdown, poweroff, pause, debug, none, inject-nmi" }, { 0 },
};
static const OptionParam rtc_params[] = {
    { "base", OPTION_PARAM_STRING }, { "clock", OPTION_PARAM_STRING },
    { "driftfix", OPTION_PARAM_STRING }, { 0 },
};

static const OptionParam icount_params[] = {
    { "shift", OPTION_PARAM_STRING, "An instruction takes 2^N ns, 0 to 10; or auto" },
    { "align", OPTION_PARAM_BOOL, "Guest time does not run ahead of the host's" },
    { "sleep", OPTION_PARAM_BOOL, "Idle CPUs wait for timers; off: guest time jumps to the next" },
    { 0 },
};

static const OptionParam fw_cfg_params[] = {
    { "name", OPTION_PARAM_STRING, "What firmware knows it by" },
    { "file", OPTION_PARAM_STRING, "File with its contents" },
    { "string", OPTION_PARAM_STRING, "Its contents, without an end" }, { 0 },
};
static const OptionParam acpi_params[] = {
    { "sig", OPTION_PARAM_STRING, "Signature of the table" },
    { "rev", OPTION_PARAM_NUMBER }, { "oem_id", OPTION_PARAM_STRING },
    { "oem_table_id", OPTION_PARAM_STRING }, { "oem_rev", OPTION_PARAM_NUMBER },
    { "asl_compiler_id", OPTION_PARAM_STRING }, { "asl_compiler_rev", OPTION_PARAM_NUMBER },
    { "file", OPTION_PARAM_STRING, "Files with whole tables, separated by ':'" },
    { "data", OPTION_PARAM_STRING, "Files with tables' contents, separated by ':'" }, { 0 },
};
static const OptionParam option_rom_params[] = {
    { "romfile", OPTION_PARAM_STRING, "Image of the ROM" },
    { "bootindex", OPTION_PARAM_NUMBER, "Place in the boot order" }, { 0 },
};

static bool apply_no_fd_bootchk(OptionSet *set, const char *arg, Error **errp)
{
    return machine_key(set, "fd-bootchk", "off", errp);
}

static const OptionDef defs[] = {
    { "kernel", NULL, OPTION_TEXT, .apply = apply_kernel, .syntax = "FILE", .help = "kernel to boot" },
    { "initrd", NULL, OPTION_TEXT, .apply = apply_initrd, .syntax = "FILE",
      .help = "its initial ramdisk" },
    { "append", NULL, OPTION_TEXT, .apply = apply_append, .syntax = "TEXT",
      .help = "its command line" },
    { "dtb", NULL, OPTION_TEXT, .apply = apply_dtb, .syntax = "FILE", .help = "its device tree" },
    { "bios", NULL, OPTION_TEXT, .apply = apply_bios, .syntax = "FILE", .help = "firmware image" },
    { "L", NULL, OPTION_TEXT, .syntax = "PATH", .help = "folder to look for firmware in" },
    { "option-rom", NULL, OPTION_KEYS, "romfile", .group = "option-rom",
      .params = option_rom_params, .syntax = "[romfile=]FILE[,bootindex=N]",
      .help = "a ROM the BIOS runs" },
    { "fw_cfg", NULL, OPTION_KEYS, "name", .group = "fw_cfg", .params = fw_cfg_params,
      .syntax = "[name=]opt/NAME,file=FILE|string=TEXT", .help = "a file for firmware and guest" },
    { "smbios", NULL, OPTION_TEXT, .targets = "x86_64 aarch64",
      .syntax = "file=FILE|type=N[,KEY=VALUE...]", .help = "what SMBIOS tables say" },
    { "acpitable", NULL, OPTION_KEYS, NULL, .group = "acpi", .params = acpi_params,
      .targets = "x86_64", .syntax = "[sig=SIG][,rev=N][,oem_id=ID]...,file=|data=FILE[:FILE...]",
      .help = "an ACPI table besides the board's" },
    { "no-fd-bootchk", NULL, OPTION_FLAG, .apply = apply_no_fd_bootchk, .is_hidden = true,
      .targets = "x86_64" },
    { "S", NULL, OPTION_FLAG, .help = "do not run CPUs until 'cont'" },
    { "preconfig", NULL, OPTION_FLAG,
      .help = "wait for 'x-exit-preconfig' before the machine is made" },
    { "loadvm", NULL, OPTION_TEXT, .syntax = "NAME",
      .help = "begin with the machine of a snapshot (see savevm)" },
    { "incoming", NULL, OPTION_TEXT, .syntax = "URI|defer",
      .help = "wait for a migration: tcp:H:P, unix:PATH, fd:N, exec:CMD, file:PATH, or for\n"
              "'migrate-incoming' (defer)" },
    { "only-migratable", NULL, OPTION_FLAG, .help = "refuse what cannot be migrated" },
    { "dump-vmstate", NULL, OPTION_TEXT, .syntax = "FILE",
      .help = "write a description of all saved state and exit" },
    { "rtc", NULL, OPTION_MERGED, NULL, .group = "rtc", .params = rtc_params,
      .syntax = "[base=utc|localtime|DATE][,clock=host|rt|vm][,driftfix=none|slew]",
      .help = "the guest's real-time clock" },
    { "icount", NULL, OPTION_KEYS, "shift", .group = "icount", .params = icount_params,
      .syntax = "[shift=]N|auto[,align=on|off][,sleep=on|off]",
      .help = "guest time is made of instructions: the same input, the same run" },
    { "no-reboot", NULL, OPTION_FLAG, .apply = apply_no_reboot, .help = "exit instead of rebooting" },
    { "no-shutdown", NULL, OPTION_FLAG, .apply = apply_no_shutdown,
      .help = "pause instead of exiting when the guest powers off" },
    { "action", NULL, OPTION_MERGED, NULL, .group = "action", .params = action_params,
      .syntax = "[reboot=A][,shutdown=A][,panic=A][,watchdog=A]",
      .help = "what guest events lead to" },
    { "watchdog-action", NULL, OPTION_TEXT, .apply = apply_watchdog, .syntax = "ACTION",
      .help = "same as -action watchdog=ACTION" },
};
const OptionFamily options_machine = { "Boot and life of the machine", defs, ARRAY_SIZE(defs) };
