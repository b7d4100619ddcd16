/*
 * Options: disks and other media.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/option.h"

#define S(n) { n, OPTION_PARAM_STRING }
#define B(n) { n, OPTION_PARAM_BOOL }
#define N(n) { n, OPTION_PARAM_NUMBER }
#define LIMIT(n) N("throttling." n), N("throttling." n "-max"), N("throttling." n "-max-length")

/* Formats have keys of their own besides. */
static const OptionParam drive_params[] = {
    S("file"), S("if"), N("index"), N("bus"), N("unit"), S("media"), S("format"), S("id"),
    S("cache"), S("aio"), B("snapshot"), B("readonly"), B("read-only"), B("auto-read-only"),
    B("force-share"), S("werror"), S("rerror"), S("discard"), S("detect-zeroes"),
    B("copy-on-read"), B("cache.direct"), B("cache.no-flush"), B("cache.writeback"),
    LIMIT("bps-total"), LIMIT("bps-read"), LIMIT("bps-write"), LIMIT("iops-total"),
    LIMIT("iops-read"), LIMIT("iops-write"), N("throttling.iops-size"), S("throttling.group"),
    B("stats-account-invalid"), B("stats-account-failed"), N("stats-intervals.0"), { 0 },
};

static bool add_drive(OptionSet *set, const char *file, const char *rest, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(file, ",", -1);
    g_autofree char *escaped = g_strjoinv(",,", parts);
    g_autofree char *keys = g_strdup_printf("file=%s,%s", escaped, rest);

    return option_set_add(set, "drive", keys, errp);
}

static bool apply_hda(OptionSet *set, const char *arg, Error **errp)
{
    return add_drive(set, arg, "index=0,media=disk", errp);
}

static bool apply_hdb(OptionSet *set, const char *arg, Error **errp)
{
    return add_drive(set, arg, "index=1,media=disk", errp);
}

static bool apply_hdc(OptionSet *set, const char *arg, Error **errp)
{
    return add_drive(set, arg, "index=2,media=disk", errp);
}

static bool apply_hdd(OptionSet *set, const char *arg, Error **errp)
{
    return add_drive(set, arg, "index=3,media=disk", errp);
}

static bool apply_cdrom(OptionSet *set, const char *arg, Error **errp)
{
    return add_drive(set, arg, "index=2,media=cdrom", errp);
}

static bool apply_fda(OptionSet *set, const char *arg, Error **errp)
{
    return add_drive(set, arg, "if=floppy,index=0", errp);
}

static bool apply_fdb(OptionSet *set, const char *arg, Error **errp)
{
    return add_drive(set, arg, "if=floppy,index=1", errp);
}

static bool apply_pflash(OptionSet *set, const char *arg, Error **errp)
{
    return add_drive(set, arg, "if=pflash", errp);
}

static const OptionDef defs[] = {
    { "blockdev", NULL, OPTION_KEYS, "driver", .group = "blockdev", .takes_json = true,
      .syntax = "[driver=]DRIVER,node-name=NAME[,read-only=on|off][,cache.direct=on|off][,KEY=VALUE...]",
      .help = "an image; devices name it with 'drive='" },
    { "drive", NULL, OPTION_KEYS, "file", .group = "drive", .is_flat = true, .shown = drive_params,
      .syntax = "[file=]FILE[,format=F][,if=I][,index=N][,media=disk|cdrom][,id=ID][,cache=C]"
                "[,KEY=VALUE...]",
      .help = "an image, and where it goes" },
    { "hda", NULL, OPTION_TEXT, .apply = apply_hda, .syntax = "FILE", .help = "first IDE disk" },
    { "hdb", NULL, OPTION_TEXT, .apply = apply_hdb, .syntax = "FILE", .help = "second IDE disk" },
    { "hdc", NULL, OPTION_TEXT, .apply = apply_hdc, .syntax = "FILE", .help = "third IDE disk" },
    { "hdd", NULL, OPTION_TEXT, .apply = apply_hdd, .syntax = "FILE", .help = "fourth IDE disk" },
    { "cdrom", NULL, OPTION_TEXT, .apply = apply_cdrom, .syntax = "FILE", .help = "CD-ROM" },
    { "fda", NULL, OPTION_TEXT, .apply = apply_fda, .syntax = "FILE", .help = "first floppy disk" },
    { "fdb", NULL, OPTION_TEXT, .apply = apply_fdb, .syntax = "FILE", .help = "second floppy disk" },
    { "pflash", NULL, OPTION_TEXT, .apply = apply_pflash, .syntax = "FILE",
      .help = "a chip of system flash" },
    { "snapshot", NULL, OPTION_FLAG, .syntax = "",
      .help = "write to temporary files in place of images of -drive" },
};
const OptionFamily options_block = { "Disks and other media", defs, ARRAY_SIZE(defs) };
