/*
 * sva_init: a guest's init that uses an emulated DSA as its users do, says how each thing went, and
 * powers the machine off:
 *     sva NAME ok            or what was wrong
 * What it is to do is the kernel parameter sva=: "kernel" (work queues of the kernel's own; modules
 * it finds in / are loaded first) or "user" (processes with their own addresses), and sva_processes=
 * how many of them, one after the other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include "sva.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_state(const char *object, const char *state)
{
    char path[256];

    snprintf(path, sizeof(path), DEVICES "%s/state", object);
    return !strcmp(get(path), state);
}

/* --- the kernel's own queues --- */

static const struct setting kernel_settings[] = {
    { "engine0.0", "group_id", "0" }, { "wq0.0", "group_id", "0" },
    { "wq0.0", "mode", "dedicated" }, { "wq0.0", "size", "16" }, { "wq0.0", "priority", "10" },
    { "wq0.0", "type", "kernel" }, { "wq0.0", "name", "kernel" },
    { "wq0.0", "driver_name", "dmaengine" },
};

static void load_module(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        say(path + 1, syscall(SYS_finit_module, fd, "", 0) ? strerror(errno) : "ok");
        close(fd);
    }
}

/* dmatest, where the kernel has it; how many of its tests were good is in the log. */
static void run_dmatest(void)
{
    const char *run = "/sys/module/dmatest/parameters/run";

    if (access("/sys/module/dmatest", F_OK)) {
        say("dmatest", "not in this kernel");
        return;
    }
    put("/sys/module/dmatest/parameters/timeout", "20000");
    put("/sys/module/dmatest/parameters/iterations", "20");
    put("/sys/module/dmatest/parameters/channel", "dma0chan0");
    put(run, "1");
    /* Just when its thread starts it may say that there is none. */
    for (unsigned i = 0, quiet = 0; i < 3000 && quiet < 10; i++) {
        usleep(20000);
        quiet = *get(run) == 'N' ? quiet + 1 : 0;
    }
    say("dmatest", "over");
}

static bool cycle_kernel_queue(void)
{
    return CONFIGURE(kernel_settings) && bind_driver("idxd", "dsa0", true) &&
           bind_driver("dmaengine", "wq0.0", true) && is_state("wq0.0", "enabled");
}

/* Of a process; where none can be bound to the device it says why not. */
static void try_user_queue(void)
{
    static const struct setting settings[] = {
        { "engine0.1", "group_id", "1" }, { "wq0.1", "group_id", "1" },
        { "wq0.1", "mode", "dedicated" }, { "wq0.1", "size", "16" }, { "wq0.1", "priority", "10" },
        { "wq0.1", "type", "user" }, { "wq0.1", "name", "one" }, { "wq0.1", "driver_name", "user" },
    };
    bool is_on = CONFIGURE(settings) && bind_driver("idxd", "dsa0", true) &&
                 bind_driver("user", "wq0.1", true);

    say("user-queue", "%s", is_on ? "ok" : get(DEVICES "dsa0/cmd_status"));
    bind_driver("idxd", "dsa0", false);
}

/* The driver leaves and comes back, after a reset of the function or without. It must not leave
 * with queues enabled: Linux 6.12 uses them after it freed them. */
static bool cycle_driver(bool resets)
{
    static const char driver[] = "/sys/bus/pci/drivers/idxd/", slot[] = "0000:00:08.0";
    char unbind[64], bind_path[64];

    snprintf(unbind, sizeof(unbind), "%sunbind", driver);
    snprintf(bind_path, sizeof(bind_path), "%sbind", driver);
    return put(unbind, slot) &&
           (!resets || put("/sys/bus/pci/devices/0000:00:08.0/reset", "1")) &&
           put(bind_path, slot) && cycle_kernel_queue() && bind_driver("idxd", "dsa0", false);
}

static void run_kernel(void)
{
    bool is_good = true;

    try_user_queue();
    say_whether("queue", cycle_kernel_queue());
    say_whether("channel", !access("/sys/class/dma/dma0chan0", F_OK));
    run_dmatest();
    say_whether("queue-off", bind_driver("dmaengine", "wq0.0", false) &&
                                 is_state("wq0.0", "disabled"));
    say_whether("device-off", bind_driver("idxd", "dsa0", false) && is_state("dsa0", "disabled"));
    for (unsigned i = 0; i < 10; i++) {
        is_good &= cycle_kernel_queue() && bind_driver("idxd", "dsa0", false);
    }
    say_whether("cycles", is_good);
    say_whether("driver-again", cycle_driver(false));
    say_whether("function-reset", cycle_driver(true));
    if (!access("/idxd.ko", F_OK)) {
        say_whether("unload", !syscall(SYS_delete_module, "idxd", O_NONBLOCK));
        load_module("/idxd.ko");
        say_whether("queue-again", cycle_kernel_queue() && bind_driver("idxd", "dsa0", false));
        say_whether("unload-again", !syscall(SYS_delete_module, "idxd", O_NONBLOCK));
    }
}

/* --- life --- */

static void print_facts(void)
{
    static const char *const facts[] = {
        "version", "max_groups", "max_engines", "max_work_queues", "max_work_queues_size", "op_cap",
        "gen_cap", "pasid_enabled", "configurable", "event_log_size", "errors",
    };

    for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        char path[256];

        snprintf(path, sizeof(path), DEVICES "dsa0/%s", facts[i]);
        say(facts[i], "%s", get(path));
    }
}

static void print_log(void)
{
    char line[1024];
    FILE *log = fopen("/dev/kmsg", "w");

    if (log) {
        fputs("sva_init looks here\n", log);
        fclose(log);
    }
    log = fopen("/proc/kmsg", "r");
    while (log && fgets(line, sizeof(line), log) && !strstr(line, "sva_init looks here")) {
        if (strstr(line, "DMAR") || strstr(line, "idxd") || strstr(line, "dmatest") ||
            strstr(line, "WARNING:") || strstr(line, "BUG:") || strstr(line, "Oops") ||
            strstr(line, "hung task")) {
            printf("log %s", line);
        }
    }
}

int main(void)
{
    char what[16] = "";

    setvbuf(stdout, NULL, _IOLBF, 0);
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    klogctl(8, NULL, 1); /* what the kernel says is in the log at the end, and not between these lines */
    has_parameter("sva=", what, sizeof(what));
    load_module("/idxd_bus.ko");
    load_module("/idxd.ko");
    print_facts();
    if (!strcmp(what, "user")) {
        run_user();
    } else {
        run_kernel();
    }
    print_log();
    say("end", "0");
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 0;
}
