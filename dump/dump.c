/*
 * dump-guest-memory: stops the machine, writes its memory in this thread or another, lets it go on.
 * One dump at a time. Left out: kdump with lzo or snappy, Windows' format.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "dump_parts.h"

#include <fcntl.h>

#include "qapi/qapi-commands-dump.h"
#include "qapi/qapi-events-dump.h"
#include "system/run_state.h"
#include "util/event_loop.h"
#include "util/fd_names.h"
#include "util/thread.h"

/* The dump under way, or the last one. Machine lock. */
typedef struct DumpJob {
    DumpStatus status;
    Dump dump;
    bool was_running;
    Error *err;
    GThread *thread;     /* NULL: it is written where it was asked for */
    Deferred *finish;
} DumpJob;
static DumpJob job;

static void fill_result(DumpQueryResult *result)
{
    result->status = job.status;
    result->completed = __atomic_load_n(&job.dump.completed, __ATOMIC_RELAXED);
    result->total = job.dump.total;
}

DumpQueryResult *qmp_query_dump(Error **errp)
{
    DumpQueryResult *result = g_new0(DumpQueryResult, 1);

    fill_result(result);
    return result;
}

DumpGuestMemoryCapability *qmp_query_dump_guest_memory_capability(Error **errp)
{
    DumpGuestMemoryCapability *result = g_new0(DumpGuestMemoryCapability, 1);

    result->formats = g_new0(DumpGuestMemoryFormatArray, 1);
    dump_guest_memory_format_array_add(result->formats, DUMP_GUEST_MEMORY_FORMAT_ELF);
    dump_guest_memory_format_array_add(result->formats, DUMP_GUEST_MEMORY_FORMAT_KDUMP_ZLIB);
    return result;
}

/* --- the job --- */

static void finish_job(void)
{
    DumpQueryResult result;

    if (close(job.dump.fd) < 0 && !job.err) {
        error_set_errno(&job.err, errno, "dump: failed to close the file");
    }
    job.status = job.err ? DUMP_STATUS_FAILED : DUMP_STATUS_COMPLETED;
    dump_clear(&job.dump);
    fill_result(&result);
    qapi_event_send_dump_completed(&result, job.err ? error_text(job.err) : NULL);
    if (job.was_running) {
        vm_start();
    }
}

static void finish_detached(void *opaque)
{
    g_thread_join(job.thread);
    job.thread = NULL;
    finish_job();
    g_clear_pointer(&job.err, error_free);
}

bool dump_write(Dump *dump, const void *data, size_t size, Error **errp)
{
    const uint8_t *bytes = data;

    while (size) {
        ssize_t written = write(dump->fd, bytes, size);

        if (written < 0 && errno != EINTR) {
            return error_set_errno(errp, errno, "dump: failed to save memory");
        }
        bytes += MAX(written, 0);
        size -= MAX(written, 0);
    }
    return true;
}

static void write_file(void)
{
    if (job.dump.is_kdump) {
        dump_write_kdump(&job.dump, &job.err);
    } else {
        dump_write_elf(&job.dump, &job.err);
    }
}

static void *write_detached(void *opaque)
{
    write_file();
    deferred_schedule(job.finish);
    return NULL;
}

static bool start_detached(Error **errp)
{
    g_autofree char *why = NULL;

    if (!job.finish) {
        job.finish = deferred_new(event_loop_main(), finish_detached, NULL);
    }
    job.thread = thread_new("dump", write_detached, NULL, &why);
    if (!job.thread) {
        error_set(&job.err, "dump: %s", why);
        finish_job();
        return error_propagate(errp, g_steal_pointer(&job.err));
    }
    return true;
}

static bool write_here(Error **errp)
{
    write_file();
    finish_job();
    return !job.err || error_propagate(errp, g_steal_pointer(&job.err));
}

/* --- the command --- */

static bool check_range(bool has_begin, int64_t begin, bool has_length, int64_t length,
                        Error **errp)
{
    if (has_begin != has_length) {
        return error_set(errp, "Parameter '%s' is missing", has_begin ? "length" : "begin");
    }
    if (has_begin && (begin < 0 || length <= 0)) {
        return error_set(errp, "Invalid parameter '%s'", begin < 0 ? "begin" : "length");
    }
    return true;
}

static bool check_format(DumpGuestMemoryFormat format, bool paging, bool has_range, Error **errp)
{
    if (format != DUMP_GUEST_MEMORY_FORMAT_ELF && format != DUMP_GUEST_MEMORY_FORMAT_KDUMP_ZLIB) {
        return error_set(errp, "%s is not available now", enum_table_name(&dump_guest_memory_format_names, format));
    }
    if (format != DUMP_GUEST_MEMORY_FORMAT_ELF && (paging || has_range)) {
        return error_set(errp, "kdump-compressed format doesn't support paging or filter");
    }
    return true;
}

static int open_protocol(const char *protocol, Error **errp)
{
    int fd;

    if (g_str_has_prefix(protocol, "fd:")) {
        fd = fd_names_take(fd_names_current(), protocol + 3);
        if (fd < 0) {
            error_set(errp, "File descriptor named '%s' has not been found", protocol + 3);
        }
    } else if (g_str_has_prefix(protocol, "file:")) {
        fd = open(protocol + 5, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, S_IRUSR);
        if (fd < 0) {
            error_set_errno(errp, errno, "Could not open '%s'", protocol + 5);
        }
    } else {
        error_set(errp, "Invalid parameter 'protocol'");
        fd = -1;
    }
    return fd;
}

static void begin_job(int fd, bool paging, bool is_kdump)
{
    job = (DumpJob){ .status = DUMP_STATUS_ACTIVE, .was_running = vm_is_running(),
                     .finish = job.finish, .dump = { .fd = fd, .is_paged = paging, .is_kdump = is_kdump } };
    if (job.was_running) {
        vm_stop(RUN_STATE_SAVE_VM);
    }
}

bool qmp_dump_guest_memory(bool paging, const char *protocol, bool has_detach, bool detach,
                           bool has_begin, int64_t begin, bool has_length, int64_t length,
                           bool has_format, DumpGuestMemoryFormat format, Error **errp)
{
    int fd;

    format = has_format ? format : DUMP_GUEST_MEMORY_FORMAT_ELF;
    if (!check_format(format, paging, has_begin || has_length, errp)) {
        return false;
    }
    if (job.status == DUMP_STATUS_ACTIVE) {
        return error_set(errp, "There is a dump in process, please wait.");
    }
    if (!check_range(has_begin, begin, has_length, length, errp)) {
        return false;
    }
    fd = open_protocol(protocol, errp);
    if (fd < 0) {
        return false;
    }
    begin_job(fd, paging, format == DUMP_GUEST_MEMORY_FORMAT_KDUMP_ZLIB);
    dump_collect(&job.dump, has_begin, begin, length);
    if (!job.dump.total) {
        error_set(&job.err, "dump: no guest memory to dump");
    }
    if (job.err || (job.dump.is_kdump && !dump_can_kdump(&job.dump, &job.err))) {
        finish_job();
        return error_propagate(errp, g_steal_pointer(&job.err));
    }
    return has_detach && detach ? start_detached(errp) : write_here(errp);
}
