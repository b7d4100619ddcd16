/*
 * Options: the machine's shape.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"
#include "util/keyval.h"

static bool apply_h(OptionSet *set, const char *arg, Error **errp)
{
    return option_set_add(set, "help", NULL, errp);
}

static bool apply_machine_alias(OptionSet *set, const char *arg, Error **errp)
{
    return option_set_add(set, "machine", arg, errp);
}

static bool apply_usb(OptionSet *set, const char *arg, Error **errp)
{
    json_object *keys = json_object_new_object();

    json_set(keys, "usb", json_string("on"));
    return option_set_add_keys(set, option_find("machine"), keys, NULL, errp);
}

static bool apply_no_acpi(OptionSet *set, const char *arg, Error **errp)
{
    return option_set_add(set, "machine", "acpi=off", errp);
}

static bool apply_no_hpet(OptionSet *set, const char *arg, Error **errp)
{
    return option_set_add(set, "machine", "hpet=off", errp);
}

static bool apply_enable_kvm(OptionSet *set, const char *arg, Error **errp)
{
    return option_set_add(set, "accel", "kvm", errp);
}

static bool apply_cpu(OptionSet *set, const char *arg, Error **errp);

static bool apply_set(OptionSet *set, const char *arg, Error **errp)
{
    return option_set_key(set, arg, errp);
}

static bool apply_readconfig(OptionSet *set, const char *arg, Error **errp)
{
    return option_read_config(set, arg, errp);
}

/* -global T.P=V is short for driver=T,property=P,value=V. */
static bool apply_global(OptionSet *set, const char *arg, Error **errp)
{
    const char *equals = strchr(arg, '='), *dot = strchr(arg, '.');
    json_object *keys;
    g_autofree char *type = NULL, *prop = NULL;

    if (!equals || !dot || dot > equals) {
        return option_set_add(set, "global-keys", arg, errp);
    }
    type = g_strndup(arg, dot - arg);
    prop = g_strndup(dot + 1, equals - dot - 1);
    keys = json_object_new_object();
    json_set(keys, "driver", json_string(type));
    json_set(keys, "property", json_string(prop));
    json_set(keys, "value", json_string(equals + 1));
    return option_set_add_keys(set, option_find("global-keys"), keys, arg, errp);
}

/* "cpus" may be given several times: they become a list. */
static bool numa_element(void *opaque, const char *key, const char *value, char **why)
{
    json_object *keys = opaque, *cpus = json_member(keys, "cpus");

    if (strcmp(key, "cpus")) {
        json_set(keys, key, json_string(value));
        return true;
    }
    if (!cpus) {
        cpus = json_object_new_array();
        json_set(keys, "cpus", cpus);
    }
    json_object_array_add(cpus, json_string(value));
    return true;
}

static bool apply_numa(OptionSet *set, const char *arg, Error **errp)
{
    KeyvalSyntax syntax = { "type" };
    g_autofree char *why = NULL;
    json_object *keys;

    if (*arg == '{') {
        return option_set_add(set, "numa-keys", arg, errp);
    }
    keys = json_object_new_object();
    if (!keyval_foreach(arg, &syntax, numa_element, keys, &why)) {
        json_unref(keys);
        return error_set(errp, "%s", why);
    }
    return option_set_add_keys(set, option_find("numa-keys"), keys, arg, errp);
}

static const OptionParam smp_params[] = {
    { "cpus", OPTION_PARAM_NUMBER }, { "sockets", OPTION_PARAM_NUMBER },
    { "dies", OPTION_PARAM_NUMBER }, { "clusters", OPTION_PARAM_NUMBER },
    { "cores", OPTION_PARAM_NUMBER }, { "threads", OPTION_PARAM_NUMBER },
    { "maxcpus", OPTION_PARAM_NUMBER }, { 0 },
};
static const OptionParam memory_params[] = {
    { "size", OPTION_PARAM_SIZE }, { "slots", OPTION_PARAM_NUMBER },
    { "maxmem", OPTION_PARAM_SIZE }, { 0 },
};
static const OptionParam boot_params[] = {
    { "order", OPTION_PARAM_STRING }, { "once", OPTION_PARAM_STRING },
    { "menu", OPTION_PARAM_BOOL }, { "splash", OPTION_PARAM_STRING },
    { "splash-time", OPTION_PARAM_NUMBER }, { "reboot-timeout", OPTION_PARAM_NUMBER },
    { "strict", OPTION_PARAM_BOOL }, { 0 },
};
static const OptionParam name_params[] = {
    { "guest", OPTION_PARAM_STRING, "The name people know the guest by" },
    { "process", OPTION_PARAM_STRING, "The name of the process" },
    { "debug-threads", OPTION_PARAM_BOOL, "Names threads after what they do" }, { 0 },
};
static const OptionParam add_fd_params[] = {
    { "fd", OPTION_PARAM_NUMBER, "Descriptor the process was started with" },
    { "set", OPTION_PARAM_NUMBER, "Number of the set it joins" },
    { "opaque", OPTION_PARAM_STRING, "Text for the user's own use" }, { 0 },
};
static const OptionParam global_params[] = {
    { "driver", OPTION_PARAM_STRING }, { "property", OPTION_PARAM_STRING },
    { "value", OPTION_PARAM_STRING }, { 0 },
};
/* What clients look for; every machine's own properties are accepted too. */
static const OptionParam machine_shown[] = {
    { "type", OPTION_PARAM_STRING, "Kind of machine" },
    { "accel", OPTION_PARAM_STRING, "Accelerators to try, separated by ':'" },
    { "acpi", OPTION_PARAM_BOOL, "ACPI tables and hardware" },
    { "hpet", OPTION_PARAM_BOOL, "HPET timer" },
    { "append", OPTION_PARAM_STRING, "Kernel command line" },
    { "dtb", OPTION_PARAM_STRING, "Device tree file" },
    { "dumpdtb", OPTION_PARAM_STRING, "Write the device tree to a file and quit" },
    { "dump-guest-core", OPTION_PARAM_BOOL, "Guest memory in a core dump" },
    { "dt_compatible", OPTION_PARAM_STRING, "\"compatible\" of the device tree's root" },
    { "firmware", OPTION_PARAM_STRING, "Firmware image" },
    { "initrd", OPTION_PARAM_STRING, "Initial ramdisk" },
    { "kernel", OPTION_PARAM_STRING, "Kernel image" },
    { "mem-merge", OPTION_PARAM_BOOL, "Let the host merge equal pages" },
    { "memory-backend", OPTION_PARAM_STRING, "Id of the RAM's back end" },
    { "phandle_start", OPTION_PARAM_NUMBER, "First phandle we make" },
    { "suppress-vmdesc", OPTION_PARAM_BOOL, "No description in the migration stream" },
    { "usb", OPTION_PARAM_BOOL, "USB controller" }, { 0 },
};

static const OptionDef defs[] = {
    { "h", NULL, OPTION_FLAG, .apply = apply_h, .is_hidden = true },
    { "help", NULL, OPTION_FLAG, .help = "show this text and exit" },
    { "version", NULL, OPTION_FLAG, .help = "show the version and exit" },
    { "machine", NULL, OPTION_MERGED, "type", .group = "machine", .shown = machine_shown,
      .syntax = "[type=]NAME[,KEY=VALUE...]",
      .help = "the board; '-machine help' lists them, '-machine NAME,help' their keys\n"
              "accel=A[:B...] accelerators to try in this order (kvm, tcg, qtest)" },
    { "M", NULL, OPTION_TEXT, .apply = apply_machine_alias, .syntax = "...", .help = "same as -machine" },
    { "cpu", NULL, OPTION_TEXT, .apply = apply_cpu, .syntax = "MODEL[,+F|,-F|,F=VALUE...]",
      .help = "CPU model and features; '-cpu help' lists them" },
    { "cpu-model", NULL, OPTION_TEXT, .is_hidden = true },
    { "accel", NULL, OPTION_KEYS, "accel", .group = "accel", .syntax = "[accel=]NAME[,KEY=VALUE...]",
      .help = "who runs the CPUs; repeated: the first that works; '-accel help' lists them" },
    { "enable-kvm", NULL, OPTION_FLAG, .apply = apply_enable_kvm, .targets = "x86_64 aarch64 ppc64",
      .help = "same as -accel kvm" },
    { "smp", NULL, OPTION_MERGED, "cpus", .group = "smp-opts", .params = smp_params,
      .syntax = "[cpus=]N[,maxcpus=N][,sockets=N][,dies=N][,clusters=N][,cores=N][,threads=N]",
      .help = "number of CPUs, and of those that can be added, and how they are grouped" },
    { "numa-keys", "numa", OPTION_KEYS, "type", .group = "numa", .takes_json = true, .is_hidden = true },
    { "numa", NULL, OPTION_TEXT, .apply = apply_numa,
      .syntax = "node|dist|cpu|hmat-lb|hmat-cache,...",
      .help = "a NUMA node, a distance, a CPU's place, memory attributes:\n"
              "node[,nodeid=N][,cpus=A[-B]][,memdev=ID][,initiator=N]\n"
              "dist,src=N,dst=N,val=DISTANCE\n"
              "cpu,node-id=N[,socket-id=N][,core-id=N][,thread-id=N]\n"
              "hmat-lb,initiator=N,target=N,hierarchy=memory|first-level|second-level|"
              "third-level,\n  data-type=access-latency|...,latency=NS|bandwidth=BYTES\n"
              "hmat-cache,node-id=N,size=BYTES,level=N[,associativity=A][,policy=P][,line=N]" },
    { "add-fd", NULL, OPTION_KEYS, NULL, .group = "add-fd", .params = add_fd_params,
      .syntax = "fd=N,set=N[,opaque=TEXT]",
      .help = "put an inherited descriptor into a set: '/dev/fdset/SET' opens it" },
    { "set", NULL, OPTION_TEXT, .apply = apply_set, .syntax = "GROUP.ID.KEY=VALUE",
      .help = "change one key of an option given before" },
    { "global", NULL, OPTION_TEXT, .apply = apply_global, .syntax = "TYPE.PROPERTY=VALUE",
      .help = "value for all devices of a type" },
    { "global-keys", "global", OPTION_KEYS, NULL, .group = "global", .params = global_params,
      .is_hidden = true },
    { "boot", NULL, OPTION_MERGED, "order", .group = "boot-opts", .params = boot_params,
      .syntax = "[order=DRIVES][,once=DRIVES][,menu=on|off][,splash=FILE][,splash-time=MS]"
                "[,reboot-timeout=MS][,strict=on|off]",
      .help = "what firmware boots from: a floppy, c disk, d CD-ROM, n network" },
    { "m", NULL, OPTION_MERGED, "size", .group = "memory", .params = memory_params,
      .syntax = "[size=]SIZE[,slots=N,maxmem=SIZE]",
      .help = "guest memory in MiB, or with a suffix k, M, G, T; slots to add more" },
    { "mem-path", NULL, OPTION_TEXT, .syntax = "PATH", .help = "RAM in files below a path" },
    { "mem-prealloc", NULL, OPTION_FLAG, .help = "allocate all RAM at start" },
    { "name", NULL, OPTION_MERGED, "guest", .group = "name", .params = name_params,
      .syntax = "[guest=]NAME[,process=NAME][,debug-threads=on|off]",
      .help = "what guest, process and threads are called" },
    { "uuid", NULL, OPTION_TEXT, .syntax = "UUID", .help = "the machine's UUID" },
    { "device", NULL, OPTION_KEYS, "driver", .group = "device", .takes_json = true,
      .syntax = "TYPE[,id=ID][,bus=BUS][,KEY=VALUE...]",
      .help = "add a device; '-device help' lists types, '-device TYPE,help' their keys" },
    { "object", NULL, OPTION_KEYS, "qom-type", .group = "object", .takes_json = true,
      .syntax = "TYPE,id=ID[,KEY=VALUE...]",
      .help = "make a back end object; '-object help' lists types, '-object TYPE,help' keys" },
    { "usb", NULL, OPTION_FLAG, .apply = apply_usb,
      .help = "a USB controller, as -machine usb=on" },
    { "usbdevice", NULL, OPTION_TEXT, .syntax = "tablet|mouse|keyboard",
      .help = "add a USB device, and a controller if there is none" },
    { "nodefaults", NULL, OPTION_FLAG, .help = "no default devices" },
    { "no-user-config", NULL, OPTION_FLAG, .help = "accepted: no configuration is read anyway" },
    { "readconfig", NULL, OPTION_TEXT, .apply = apply_readconfig, .syntax = "FILE",
      .help = "read options from an INI file" },
    { "no-acpi", NULL, OPTION_FLAG, .apply = apply_no_acpi, .is_hidden = true,
      .targets = "x86_64 aarch64" },
    { "no-hpet", NULL, OPTION_FLAG, .apply = apply_no_hpet, .is_hidden = true, .targets = "x86_64" },
};
const OptionFamily options_standard = { "Standard options", defs, ARRAY_SIZE(defs) };

static bool apply_cpu(OptionSet *set, const char *arg, Error **errp)
{
    if (!*arg) {
        error_set_location(NULL, NULL);
        return error_set(errp, "-cpu option cannot be empty");
    }
    return option_set_add(set, "cpu-model", arg, errp);
}
