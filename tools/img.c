/*
 * qemu-img: work on disk images.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include <getopt.h>

#include "config-host.h"
#include "qom/trace_option.h"
#include "qom/user_creatable.h"
#include "util/keyval.h"
#include "util/trace.h"

typedef struct Command {
    const char *name;
    ImgCommandFn *run;
    const char *syntax;
} Command;

static const Command commands[] = {
    { "amend", img_amend, "[--image-opts] [-p] [-q] [-f fmt] [-t cache] [--force] -o options "
      "filename" },
    { "bench", img_bench, "[-c count] [-d depth] [-f fmt] [--flush-interval=flush_interval] "
      "[-i aio] [-n] [--no-drain] [-o offset] [--pattern=pattern] [-q] [-s buffer_size] "
      "[-S step_size] [-t cache] [-w] [-U] filename" },
    { "bitmap", img_bitmap, "(--merge SOURCE | --add | --remove | --clear | --enable | "
      "--disable)... [-b source_file [-F source_fmt]] [-g granularity] [--image-opts | -f fmt] "
      "filename bitmap" },
    { "check", img_check, "[--image-opts] [-q] [-f fmt] [--output=ofmt] [-r [leaks | all]] "
      "[-T src_cache] [-U] filename" },
    { "commit", img_commit, "[--image-opts] [-q] [-f fmt] [-t cache] [-b base] [-r rate_limit] "
      "[-d] [-p] filename" },
    { "compare", img_compare, "[--image-opts] [-f fmt] [-F fmt] [-T src_cache] [-p] [-q] [-s] "
      "[-U] filename1 filename2" },
    { "convert", img_convert, "[--image-opts] [--target-image-opts] [--target-is-zero] "
      "[--bitmaps [--skip-broken-bitmaps]] [-U] [-C] "
      "[-c] [-p] [-q] [-n] [-f fmt] [-t cache] [-T src_cache] [-O output_fmt] "
      "[-B backing_file [-F backing_fmt]] [-o options] [-l snapshot_param] [-S sparse_size] "
      "[-r rate_limit] [-m num_coroutines] [-W] [--salvage] filename [filename2 [...]] "
      "output_filename" },
    { "create", img_create, "[-q] [-f fmt] [-b backing_file [-F backing_fmt]] [-u] [-o options] "
      "filename [size]" },
    { "dd", img_dd, "[--image-opts] [-U] [-f fmt] [-O output_fmt] [bs=block_size] [count=blocks] "
      "[skip=blocks] if=input of=output" },
    { "info", img_info, "[--image-opts] [-f fmt] [--output=ofmt] [--backing-chain] [-U] "
      "filename" },
    { "map", img_map, "[--image-opts] [-f fmt] [--start-offset=offset] [--max-length=len] "
      "[--output=ofmt] [-U] filename" },
    { "measure", img_measure, "[--output=ofmt] [-O output_fmt] [-o options] [--size N | "
      "[--image-opts] [-f fmt] [-l snapshot_param] filename]" },
    { "rebase", img_rebase, "[--image-opts] [-U] [-q] [-f fmt] [-t cache] [-T src_cache] [-p] "
      "[-u] -b backing_file [-F backing_fmt] filename" },
    { "resize", img_resize, "[--image-opts] [-f fmt] [--preallocation=prealloc] [-q] [--shrink] "
      "filename [+ | -]size" },
    { "snapshot", img_snapshot, "[--image-opts] [-U] [-q] [-l | -a snapshot | -c snapshot | "
      "-d snapshot] filename" },
};

static const char version[] =
    "qemu-img version " CONFIG_VERSION " (Tandem)\n";

static const char parameters[] =
    "Command parameters:\n"
    "  filename        an image: a path, or 'json:{...}'; with --image-opts KEY=VALUE,...\n"
    "  fmt             its format; without it, what it looks like\n"
    "  cache           writeback (default), none, writethrough, directsync or unsafe (default of\n"
    "                  what convert writes); src_cache: the same, of what is read\n"
    "  size            bytes, or with a suffix: k, M, G, T, P, E (powers of 1024)\n"
    "  options         KEY=VALUE,... of the format; '-o help' lists them\n"
    "  snapshot_param  name or id of an internal snapshot, or snapshot.name=NAME, snapshot.id=ID\n"
    "  ofmt            human or json\n"
    "  -p              show how far it is (SIGUSR1 does so once)\n"
    "  -q              say nothing but errors\n"
    "  -U              the image may be in use elsewhere\n"
    "  -u              do not look at backing files: create, rebase\n"
    "  -c              compress: convert\n"
    "  -n              the output is there already: convert\n"
    "  -S              so many zeroes are left out: convert; 0: write all of them\n"
    "  -W              write out of order: convert\n"
    "  -r              repair leaks, or all: check; bytes per second: convert, commit\n"
    "  -l -c -a -d     list, create, apply, delete: snapshot\n"
    "  -s              sizes and allocation must be equal, too: compare\n"
    "Exit status: 0; 1 for errors. check: 2 damage, 3 leaks, 63 nothing to check. compare: 1\n"
    "different, 2 and more errors.\n";

void img_help(void)
{
    g_autofree char *formats = block_formats_text();

    printf("%susage: qemu-img [standard options] command [command options]\n"
           "QEMU disk image utility\n\n"
           "    '-h', '--help'       display this help and exit\n"
           "    '-V', '--version'    output version information and exit\n"
           "    '-T', '--trace'      [[enable=]PATTERN][,events=FILE][,file=FILE]\n"
           "                         enable trace events; '-T help' lists them\n\n"
           "Command syntax:\n", version);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        printf("  %s %s\n", commands[i].name, commands[i].syntax);
    }
    printf("\n%s\nSupported formats: %s\n", parameters, formats);
    exit(0);
}

/* --- those that stand before the command --- */

static void print_event(void *opaque, TraceEvent *event)
{
    puts(event->name);
}

static bool check_trace_keys(json_object *keys, Error **errp)
{
    json_object_object_foreach(keys, name, value) {
        if (strcmp(name, "enable") && strcmp(name, "events") && strcmp(name, "file")) {
            return error_set(errp, "Invalid parameter '%s'", name);
        }
        (void)value;
    }
    return true;
}

/* 0: go on. */
static int take_trace(const char *text, bool *is_done)
{
    g_autofree char *why = NULL;
    g_autoptr(Error) err = NULL;
    g_autoptr(JsonObject) keys = keyval_parse(text, &(KeyvalSyntax){ .implied_key = "enable" }, &why);
    const char *pattern = keys ? json_object_get_string(json_member(keys, "enable")) : NULL;

    if (pattern && (!strcmp(pattern, "help") || !strcmp(pattern, "?"))) {
        trace_foreach(NULL, print_event, NULL);
        *is_done = true;
        return 0;
    }
    *is_done = !keys || !check_trace_keys(keys, &err) || !trace_apply_option(keys, &err);
    if (*is_done) {
        error_report("%s", err ? error_text(err) : why);
    }
    return *is_done;
}

/* *taken: arguments, before the command. */
static int take_standard(int argc, char **argv, int *taken, bool *is_done)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' },
        { "trace", required_argument, NULL, 'T' }, { 0 },
    };
    int letter, status = 0;

    opterr = 0;
    *is_done = false;
    while (!*is_done && (letter = getopt_long(argc, argv, "+:hVT:", options, NULL)) != -1) {
        switch (letter) {
        case 'h':
            img_help();
        case 'V':
            printf("%s", version);
            *is_done = true;
            break;
        case 'T':
            status = take_trace(optarg, is_done);
            break;
        case ':':
            *is_done = true;
            status = img_usage("missing argument for option '%s'", argv[optind - 1]);
            break;
        default:
            *is_done = true;
            status = img_usage("unrecognized option '%s'", argv[optind - 1]);
            break;
        }
    }
    *taken = optind - 1;
    return status;
}

int main(int argc, char **argv)
{
    bool is_done;
    int status, taken;

    error_set_program("qemu-img");
    status = take_standard(argc, argv, &taken, &is_done);
    if (is_done) {
        return status;
    }
    argc -= taken;
    argv += taken;
    if (argc < 2) {
        return img_usage("Not enough arguments");
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(commands[i].name, argv[1])) {
            argv[1] = (char *)"qemu-img";
            status = commands[i].run(argc - 1, argv + 1);
            user_creatable_cleanup();
            return status;
        }
    }
    return img_usage("Command not found: %s", argv[1]);
}
