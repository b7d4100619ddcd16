/*
 * sva: see sva.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sva.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* --- saying how it went --- */

void say(const char *name, const char *format, ...)
{
    va_list args;

    printf("sva %s ", name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
}

void say_whether(const char *name, bool is_good)
{
    say(name, is_good ? "ok" : "no");
}

/* --- sysfs --- */

bool put(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY);
    ssize_t put = fd < 0 ? -1 : write(fd, value, strlen(value));
    int error = errno;

    if (fd >= 0) {
        close(fd);
    }
    if (put < 0) {
        printf("sva-failed %s < %s: %s\n", path, value, strerror(error));
    }
    return put >= 0;
}

static bool set(const char *object, const char *name, const char *value)
{
    char path[256];

    snprintf(path, sizeof(path), DEVICES "%s/%s", object, name);
    return put(path, value);
}

const char *get(const char *path)
{
    static char text[4096];
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0) {
        close(fd);
    }
    text[got < 0 ? 0 : got] = 0;
    text[strcspn(text, "\n")] = 0;
    return text;
}

bool has_parameter(const char *name, char *value, size_t size)
{
    char all[4096];
    const char *at;

    snprintf(all, sizeof(all), "%s", get("/proc/cmdline"));
    at = strstr(all, name);
    if (!at) {
        return false;
    }
    snprintf(value, size, "%s", at + strlen(name));
    value[strcspn(value, " ")] = 0;
    return true;
}

/* --- configuration of the device --- */

bool configure(const struct setting *settings, unsigned count)
{
    bool is_good = true;

    for (unsigned i = 0; i < count; i++) {
        is_good &= set(settings[i].object, settings[i].name, settings[i].value);
    }
    return is_good;
}

bool bind_driver(const char *driver, const char *object, bool is_on)
{
    char path[256];

    snprintf(path, sizeof(path), "/sys/bus/dsa/drivers/%s/%s", driver, is_on ? "bind" : "unbind");
    return put(path, object);
}
