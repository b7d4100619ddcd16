/*
 * demo_init: the guest of scripts/demo.py. It shows one thing after the other, in lines that begin with "guest:", and
 * before each further one waits for a line from its console, in which time it can be looked at from outside.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include "dsa_user.h"
#include "sva.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK    "/dev/nvme0n1"
#define STRAY   "/sys/bus/pci/devices/0000:00:05.0/"
#define QUEUE   "/dev/dsa/wq0.0"
#define PAGE    4096u
#define MIB     (1u << 20)
#define NOWHERE UINT64_C(0xdead0000)

/* iommu-testdev's registers, in words. */
enum { GVA_LO = 1, GVA_HI = 2, COMMAND = 17, DATA = 18, STATUS = 19 };
enum { COMMAND_WRITE = 2 };

static void wait_for_line(const char *what)
{
    char line[16];

    printf("demo %s\n", what);
    if (!fgets(line, sizeof(line), stdin)) {
        reboot(RB_POWER_OFF);
    }
}

/* Past the page cache, so that the device writes where the program reads. */
static void read_disk(void)
{
    char *data = aligned_alloc(PAGE, MIB);
    int fd = open(DISK, O_RDONLY | O_DIRECT);
    ssize_t got = fd < 0 || !data ? -1 : read(fd, data, MIB);

    if (got != MIB) {
        perror(DISK);
        return;
    }
    printf("guest: read %zd bytes of " DISK ", which begins \"%.*s\"\n", got, (int)strcspn(data, "\n"),
           data);
}

static volatile uint32_t *stray_registers(void)
{
    uint16_t memory_and_master = 6;
    int config = open(STRAY "config", O_RDWR), region = open(STRAY "resource0", O_RDWR);
    void *at = MAP_FAILED;

    if (config >= 0 && region >= 0 && pwrite(config, &memory_and_master, 2, 4) == 2) {
        at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, region, 0);
    }
    return at == MAP_FAILED ? NULL : at;
}

static void write_nowhere(void)
{
    volatile uint32_t *reg = stray_registers();

    if (!reg) {
        perror(STRAY);
        return;
    }
    printf("guest: 00:05.0 is told to write to 0x%lx\n", (long)NOWHERE);
    reg[GVA_LO] = (uint32_t)NOWHERE;
    reg[GVA_HI] = NOWHERE >> 32;
    reg[DATA] = 0x12345678;
    reg[COMMAND] = COMMAND_WRITE;
    printf("guest: the device says it %s\n", reg[STATUS] ? "could not" : "did");
}

static bool set_up_queue(void)
{
    static const struct setting settings[] = {
        { "engine0.0", "group_id", "0" }, { "wq0.0", "group_id", "0" }, { "wq0.0", "mode", "shared" },
        { "wq0.0", "size", "16" }, { "wq0.0", "threshold", "15" }, { "wq0.0", "priority", "10" },
        { "wq0.0", "block_on_fault", "1" }, { "wq0.0", "type", "user" }, { "wq0.0", "name", "demo" },
        { "wq0.0", "driver_name", "user" },
    };

    return CONFIGURE(settings) && bind_driver("idxd", "dsa0", true) && bind_driver("user", "wq0.0", true);
}

/* The queue stays open, so that the process stays bound to the device. */
static void share_addresses(void)
{
    static char text[] = "written by the accelerator, at the process's own addresses";
    char *copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct dsa_queue queue;
    struct dsa_record done;

    if (!set_up_queue() || !dsa_open(&queue, QUEUE, true)) {
        return;
    }
    printf("guest: a process gives the accelerator two pointers: copy from %p to %p\n", (void *)text, (void *)copy);
    done = dsa_run(&queue, DSA_MOVE, DSA_BOF, text, copy, sizeof(text));
    printf("guest: status %u; at %p there is \"%s\"\n", done.status, (void *)copy, copy);
    wait_for_line("shared");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    klogctl(8, NULL, 4); /* only errors to the console */
    wait_for_line("up");
    read_disk();
    wait_for_line("disk");
    write_nowhere();
    wait_for_line("stray");
    if (!access(DEVICES "dsa0", F_OK)) {
        share_addresses();
    }
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 0;
}
