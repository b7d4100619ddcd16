/*
 * sva: what guests that use a DSA share: saying how it went, sysfs, configuration of the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_SVA_H
#define TESTS_GUEST_SVA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* sva NAME ... */
void say(const char *name, const char *format, ...);
/* "ok" or "no". */
void say_whether(const char *name, bool is_good);

/* Of a test: its first failure ends it. */
#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("sva-failed %s: ", #condition);                                                 \
            printf(__VA_ARGS__);                                                                   \
            printf("\n");                                                                          \
            fflush(stdout);                                                                        \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

/* False: what failed is printed. */
bool put(const char *path, const char *value);
/* Its first line, until the next call. */
const char *get(const char *path);
/* Of the kernel; `name` with its =. */
bool has_parameter(const char *name, char *value, size_t size);

#define DEVICES "/sys/bus/dsa/devices/"

struct setting {
    const char *object, *name, *value;
};
bool configure(const struct setting *settings, unsigned count);
#define CONFIGURE(table) configure(table, sizeof(table) / sizeof((table)[0]))
/* "idxd" and a device, "user" or "dmaengine" and a queue. */
bool bind_driver(const char *driver, const char *object, bool is_on);

/* --- sva_user.c --- */
void run_user(void);

#endif
