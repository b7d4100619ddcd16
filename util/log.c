/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/log.h"
#include "util/trace.h"

const LogItem log_items[] = {
    { LOG_OUT_ASM, "out_asm", "host code made for each translation block" },
    { LOG_IN_ASM, "in_asm", "guest code of each translation block" },
    { LOG_OP, "op", "micro operations of each translation block" },
    { LOG_OP_OPT, "op_opt", "micro operations after optimisation" },
    { LOG_INT, "int", "interrupts and exceptions" },
    { LOG_EXEC, "exec", "each translation block run (very long)" },
    { LOG_CPU, "cpu", "CPU registers before each translation block (very long)" },
    { LOG_FPU, "fpu", "floating-point and vector registers where 'cpu' shows registers" },
    { LOG_MMU, "mmu", "address translation" },
    { LOG_PCALL, "pcall", "x86 far calls, returns and exceptions in protected mode" },
    { LOG_CPU_RESET, "cpu_reset", "CPU state before a CPU is reset" },
    { LOG_UNIMP, "unimp", "use of features that are not there" },
    { LOG_GUEST_ERRORS, "guest_errors", "what the guest does against the rules of its hardware" },
    { LOG_NOCHAIN, "nochain", "do not chain translation blocks: 'exec' and 'cpu' miss nothing" },
    { 0, NULL, NULL },
};

uint32_t log_mask;

static GRecMutex log_mutex;
static FILE *log_stream; /* NULL: stderr */
static char *log_path;
static uint64_t guest_errors;

static bool find_item(const char *name, uint32_t *mask)
{
    if (!strcmp(name, "all")) {
        *mask = UINT32_MAX;
        return true;
    }
    for (const LogItem *item = log_items; item->name; item++) {
        if (!strcmp(item->name, name)) {
            *mask |= item->mask;
            return true;
        }
    }
    return false;
}

static bool check_pattern(const char *pattern, char **why)
{
    if (!trace_pattern_is_glob(pattern) && !trace_find(pattern)) {
        *why = g_strdup_printf("trace event '%s' does not exist", pattern);
        return false;
    }
    return true;
}

bool log_set_items(const char *items, char **why)
{
    g_auto(GStrv) names = g_strsplit(items, ",", -1);
    uint32_t mask = 0;

    if (!*items) {
        *why = g_strdup("no log items are given");
        return false;
    }
    for (char **name = names; *name; name++) {
        if (g_str_has_prefix(*name, "trace:")) {
            if (!check_pattern(*name + strlen("trace:"), why)) {
                return false;
            }
        } else if (!strcmp(*name, "none")) {
            mask = 0;
        } else if (!find_item(*name, &mask)) {
            *why = g_strdup_printf("'%s' is not a log item", *name);
            return false;
        }
    }
    for (char **name = names; *name; name++) {
        if (g_str_has_prefix(*name, "trace:")) {
            trace_enable(*name + strlen("trace:"), true);
        }
    }
    log_set_mask(mask);
    return true;
}

char *log_expand_path(const char *path, char **why)
{
    const char *percent = strchr(path, '%');

    if (!percent) {
        return g_strdup(path);
    }
    if (percent[1] != 'd' || strchr(percent + 1, '%')) {
        *why = g_strdup_printf("'%s' may hold one '%%d' and no other '%%'", path);
        return NULL;
    }
    return g_strdup_printf("%.*s%d%s", (int)(percent - path), path, (int)getpid(), percent + 2);
}

bool log_set_file(const char *path, char **why)
{
    FILE *stream = NULL, *old;
    g_autofree char *name = NULL;

    if (path) {
        name = log_expand_path(path, why);
        if (!name) {
            return false;
        }
        stream = fopen(name, "we");
        if (!stream) {
            *why = g_strdup_printf("cannot open log file '%s': %s", name, g_strerror(errno));
            return false;
        }
        setvbuf(stream, NULL, _IOLBF, 0);
    }
    g_rec_mutex_lock(&log_mutex);
    old = log_stream;
    log_stream = stream;
    g_free(log_path);
    log_path = g_steal_pointer(&name);
    g_rec_mutex_unlock(&log_mutex);
    if (old) {
        fclose(old);
    }
    return true;
}

char *log_file(void)
{
    char *path;

    g_rec_mutex_lock(&log_mutex);
    path = g_strdup(log_path);
    g_rec_mutex_unlock(&log_mutex);
    return path;
}

FILE *log_lock(void)
{
    g_rec_mutex_lock(&log_mutex);
    return log_stream ? log_stream : stderr;
}

void log_unlock(void)
{
    g_rec_mutex_unlock(&log_mutex);
}

void log_printf(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(log_lock(), fmt, ap);
    log_unlock();
    va_end(ap);
}

static void log_line(const char *fmt, va_list ap)
{
    FILE *stream = log_lock();

    vfprintf(stream, fmt, ap);
    putc('\n', stream);
    log_unlock();
}

void guest_error(const char *fmt, ...)
{
    va_list ap;

    __atomic_fetch_add(&guest_errors, 1, __ATOMIC_RELAXED);
    if (log_enabled(LOG_GUEST_ERRORS)) {
        va_start(ap, fmt);
        log_line(fmt, ap);
        va_end(ap);
    }
}

uint64_t guest_error_count(void)
{
    return __atomic_load_n(&guest_errors, __ATOMIC_RELAXED);
}

void unimp(const char *fmt, ...)
{
    va_list ap;

    if (log_enabled(LOG_UNIMP)) {
        va_start(ap, fmt);
        log_line(fmt, ap);
        va_end(ap);
    }
}
