/*
 * iommu_init: a guest's init that reads random bytes from a device behind an IOMMU, says how its DMA
 * goes, and powers off:
 *     iommu NAME VALUE
 * The kernel's command line names the modules to load: modules=A,B
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define READS 64
#define BYTES 4096

static void load_modules(void)
{
    const char *names = getenv("modules");
    char *list = strdup(names ? names : ""), *rest = list, *name;

    while ((name = strsep(&rest, ",")) && *name) {
        char path[64];
        int fd;

        snprintf(path, sizeof(path), "/%s.ko", name);
        fd = open(path, O_RDONLY);
        if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0) {
            printf("iommu fails %s: %m\n", name);
        }
        close(fd);
    }
    free(list);
}

/* A line of a file of sysfs. */
static void print_line(const char *name, const char *path)
{
    char line[128] = "none";
    FILE *file = fopen(path, "r");

    if (file) {
        if (fgets(line, sizeof(line), file)) {
            line[strcspn(line, "\n")] = 0;
        }
        fclose(file);
    }
    printf("iommu %s %s\n", name, line);
}

/* How many bytes came, and how many values of a byte there are among them. */
static void read_random(void)
{
    static uint8_t bytes[BYTES];
    unsigned seen[256] = { 0 }, values = 0;
    size_t total = 0;
    int fd;

    mknod("/dev/hwrng", S_IFCHR | 0600, makedev(10, 183));
    fd = open("/dev/hwrng", O_RDONLY);
    for (unsigned i = 0; fd >= 0 && i < READS; i++) {
        ssize_t got = read(fd, bytes, sizeof(bytes));

        for (ssize_t n = 0; n < got; n++) {
            seen[bytes[n]]++;
        }
        total += got > 0 ? got : 0;
    }
    for (unsigned i = 0; i < 256; i++) {
        values += seen[i] > 0;
    }
    printf("iommu bytes %zu\niommu values %u\n", total, values);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    load_modules();
    printf("iommu cpus %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    print_line("device", "/sys/class/misc/hw_random/rng_current");
    print_line("type", "/sys/bus/pci/devices/0000:00:04.0/iommu_group/type");
    read_random();
    printf("iommu end 0\n");
    fflush(stdout);
    reboot(RB_POWER_OFF);
    return 0;
}
