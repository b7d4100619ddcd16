/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Init of a guest that gets a second CPU and loses it again: prints "hotplug ..." lines, waits for
 * what the outside does, powers off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define CPU "/sys/devices/system/cpu/"

/* What the kernel says of an ejection that did nothing. */
static void show_ejection(void)
{
    static char log[1 << 20];
    int got = klogctl(3, log, sizeof(log) - 1);

    printf("hotplug ejected %s\n", got > 0 && !strstr(log, "Eject incomplete") ? "completely" : "in part");
}

/* Until the second CPU's folder is there, or is gone. */
static void wait_for_cpu(int is_there)
{
    while (!access(CPU "cpu1", F_OK) != is_there) {
        usleep(50000);
    }
}

static void show(const char *what)
{
    char text[64] = "";
    int fd = open(CPU "online", O_RDONLY);

    if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0) {
        text[strcspn(text, "\n")] = 0;
    }
    close(fd);
    printf("hotplug %s %s\n", what, text);
}

int main(void)
{
    char line[16];
    int fd;

    mkdir("/sys", 0755);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    klogctl(8, NULL, 4); /* only errors come between its lines */
    show("ready");
    wait_for_cpu(1);
    fd = open(CPU "cpu1/online", O_WRONLY);
    if (fd < 0 || write(fd, "1", 1) != 1) {
        perror("hotplug failed");
    }
    close(fd);
    show("plugged");
    wait_for_cpu(0);
    show("gone");
    if (fgets(line, sizeof(line), stdin)) { /* the kernel is done */
        show_ejection();
    }
    reboot(RB_POWER_OFF);
    return 1;
}
