/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/trace_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include "util/log.h"

#define BUFFER_BYTES (64 * KiB)

enum { RECORD_DEFINITION = 0, RECORD_EVENT = 1 };

typedef struct FileHeader {
    char magic[8];
    uint32_t version; /* in the byte order of the host: tells the reader which it was */
    uint32_t pid;
    uint64_t realtime_ns;  /* both taken when the file was made */
    uint64_t monotonic_ns;
} FileHeader;

typedef struct RecordHeader {
    uint32_t size; /* bytes with this header, a multiple of 8 */
    uint32_t kind;
    uint32_t id;
    uint32_t tid;
    uint64_t monotonic_ns;
} RecordHeader;

bool trace_file_is_open;

/* The one trace file of the process. */
static struct {
    GMutex lock;
    int fd; /* valid while trace_file_is_open */
    uint32_t generation;
    char *path;
    char *why; /* the write that failed */
    size_t used;
    uint8_t buffer[BUFFER_BYTES];
} file;

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static void close_locked(void)
{
    if (trace_file_is_open) {
        __atomic_store_n(&trace_file_is_open, false, __ATOMIC_RELAXED);
        close(file.fd);
        g_clear_pointer(&file.path, g_free);
        file.used = 0;
    }
}

static void flush_locked(void)
{
    size_t done = 0;

    while (trace_file_is_open && done < file.used) {
        ssize_t n = write(file.fd, file.buffer + done, file.used - done);

        if (n > 0) {
            done += n;
        } else if (n == 0 || errno != EINTR) {
            g_free(file.why);
            file.why = g_strdup_printf("cannot write trace file '%s': %s", file.path,
                                       g_strerror(errno));
            close_locked();
        }
    }
    file.used = 0;
}

static void append_locked(const void *bytes, size_t size)
{
    if (file.used + size > sizeof(file.buffer)) {
        flush_locked();
    }
    memcpy(file.buffer + file.used, bytes, size);
    file.used += size;
}

static void before_fork(void)
{
    g_mutex_lock(&file.lock);
    flush_locked();
}

static void after_fork(void)
{
    g_mutex_unlock(&file.lock);
}

static gpointer install_hooks(gpointer unused)
{
    pthread_atfork(before_fork, after_fork, after_fork);
    atexit(trace_file_flush);
    return NULL;
}

bool trace_file_open(const char *path, char **why)
{
    static GOnce hooks = G_ONCE_INIT;
    FileHeader header = {
        .magic = "TNDTRACE", .version = 1, .pid = getpid(),
        .realtime_ns = now_ns(CLOCK_REALTIME), .monotonic_ns = now_ns(CLOCK_MONOTONIC),
    };
    g_autofree char *name = log_expand_path(path, why);
    int fd;

    if (!name) {
        return false;
    }
    fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) {
        *why = g_strdup_printf("cannot open trace file '%s': %s", name, g_strerror(errno));
        return false;
    }
    g_once(&hooks, install_hooks, NULL);
    g_mutex_lock(&file.lock);
    flush_locked();
    close_locked();
    file.fd = fd;
    file.generation++;
    file.path = g_steal_pointer(&name);
    append_locked(&header, sizeof(header));
    __atomic_store_n(&trace_file_is_open, true, __ATOMIC_RELAXED);
    g_mutex_unlock(&file.lock);
    return true;
}

bool trace_file_close(char **why)
{
    bool is_good;

    g_mutex_lock(&file.lock);
    flush_locked();
    close_locked();
    is_good = !file.why;
    if (!is_good) {
        *why = g_steal_pointer(&file.why);
    }
    g_mutex_unlock(&file.lock);
    return is_good;
}

void trace_file_flush(void)
{
    g_mutex_lock(&file.lock);
    flush_locked();
    g_mutex_unlock(&file.lock);
}

char *trace_file_path(void)
{
    char *path;

    g_mutex_lock(&file.lock);
    path = g_strdup(file.path);
    g_mutex_unlock(&file.lock);
    return path;
}

static void record_start(TraceRecord *record, TraceEvent *event, uint32_t kind)
{
    RecordHeader header = {
        .kind = kind, .id = event->id, .tid = syscall(SYS_gettid),
        .monotonic_ns = now_ns(CLOCK_MONOTONIC),
    };

    record->event = event;
    record->size = sizeof(header);
    memcpy(record->bytes, &header, sizeof(header));
}

static void record_finish(TraceRecord *record)
{
    uint32_t size = record->size;

    memcpy(record->bytes + offsetof(RecordHeader, size), &size, sizeof(size));
}

void trace_record_begin(TraceRecord *record, TraceEvent *event)
{
    record_start(record, event, RECORD_EVENT);
}

void trace_record_number(TraceRecord *record, uint64_t value)
{
    assert(record->size + sizeof(value) <= sizeof(record->bytes));
    memcpy(record->bytes + record->size, &value, sizeof(value));
    record->size += sizeof(value);
}

/* The length, then the bytes filled up with zeroes. */
void trace_record_string(TraceRecord *record, const char *text)
{
    size_t length = strnlen(text ? text : (text = "(null)"), TRACE_STRING_BYTES);
    size_t padded = ROUND_UP(length, 8);

    trace_record_number(record, length);
    assert(record->size + padded <= sizeof(record->bytes));
    memcpy(record->bytes + record->size, text, length);
    memset(record->bytes + record->size + length, 0, padded - length);
    record->size += padded;
}

/* The name and the arguments of an event, once in each file that has it. */
static void define_locked(TraceEvent *event)
{
    TraceRecord record;

    if (event->file_generation == file.generation) {
        return;
    }
    event->file_generation = file.generation;
    record_start(&record, event, RECORD_DEFINITION);
    trace_record_string(&record, event->name);
    for (const char *rest = event->signature; rest && *rest;) {
        size_t length = strcspn(rest, " ");
        g_autofree char *argument = g_strndup(rest, length);

        trace_record_string(&record, argument);
        rest += length + (rest[length] == ' ');
    }
    record_finish(&record);
    append_locked(record.bytes, record.size);
}

void trace_record_end(TraceRecord *record)
{
    record_finish(record);
    g_mutex_lock(&file.lock);
    if (trace_file_is_open) {
        define_locked(record->event);
        append_locked(record->bytes, record->size);
    }
    g_mutex_unlock(&file.lock);
}
