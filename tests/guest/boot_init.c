/*
 * boot_init: a guest's init that looks around, says what it found, and powers the machine off:
 *     boot NAME VALUE
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define CHILDREN 8
#define PAGES    256

/* Every child writes memory of its own behind copy-on-write and checks it. */
static int churn(unsigned child)
{
    size_t bytes = PAGES * 4096;
    uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t sum = 0;

    if (memory == MAP_FAILED) {
        return 1;
    }
    for (unsigned round = 0; round < 4; round++) {
        for (size_t at = 0; at < bytes; at += 64) {
            memory[at] = (uint8_t)(at / 64 + child + round);
        }
        sched_yield();
        for (size_t at = 0; at < bytes; at += 64) {
            sum |= memory[at] != (uint8_t)(at / 64 + child + round);
        }
    }
    return sum != 0;
}

static unsigned failed_children(void)
{
    unsigned failed = 0;

    for (unsigned child = 0; child < CHILDREN; child++) {
        if (!fork()) {
            _exit(churn(child));
        }
    }
    for (unsigned child = 0; child < CHILDREN; child++) {
        int status = 0;

        failed += wait(&status) < 0 || status;
    }
    return failed;
}

static void print_warnings(void)
{
    FILE *log = fopen("/proc/kmsg", "r");
    char line[1024];
    unsigned count = 0;

    if (!log) {
        return;
    }
    while (count < 100000 && fgets(line, sizeof(line), log)) {
        count++;
        if (strstr(line, "boot_init looks here")) {
            break;
        }
        if (strstr(line, "WARNING:") || strstr(line, "BUG:") || strstr(line, "Oops")) {
            printf("boot warning %s", line);
        }
    }
    fclose(log);
}

int main(void)
{
    struct utsname system;
    FILE *log;

    setvbuf(stdout, NULL, _IOLBF, 0);
    klogctl(8, NULL, 1); /* what the kernel says would come between the letters of what follows */
    mkdir("/proc", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    uname(&system);
    printf("boot release %s\n", system.release);
    printf("boot machine %s\n", system.machine);
    printf("boot cpus %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    printf("boot failed-children %u\n", failed_children());
    log = fopen("/dev/kmsg", "w");
    if (log) {
        fputs("boot_init looks here\n", log);
        fclose(log);
        print_warnings();
    }
    printf("boot end 0\n");
    fflush(stdout);
    tcdrain(1);
    klogctl(8, NULL, 7);
    reboot(RB_POWER_OFF);
    return 0;
}
