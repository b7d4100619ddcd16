/*
 * Faulting guest memory in before it is used.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/host_memory.h"

#include <sys/mman.h>

#include "util/thread.h"

#define MAX_THREADS 16 /* more only fight for the host's locks */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

typedef struct Share {
    uint8_t *host;
    size_t bytes, page_bytes;
    int error;
} Share;

/* An older kernel: an atomic write that changes nothing, for others may share the memory. */
static int touch(const Share *share)
{
    if (share->page_bytes > host_page_bytes()) {
        return EOPNOTSUPP; /* a huge page that is not there would be a signal, not an error */
    }
    for (size_t at = 0; at < share->bytes; at += share->page_bytes) {
        __atomic_fetch_or(share->host + at, 0, __ATOMIC_RELAXED);
    }
    return 0;
}

static void *populate(void *opaque)
{
    Share *share = opaque;
    int result;

    do {
        result = madvise(share->host, share->bytes, MADV_POPULATE_WRITE);
    } while (result < 0 && errno == EAGAIN);
    if (result < 0) {
        share->error = errno == EINVAL ? touch(share) : errno;
    }
    return NULL;
}

static GThread *start_thread(const HostPrealloc *prealloc, Share *share)
{
    g_autofree char *why = NULL;

    return prealloc->start ? prealloc->start(prealloc->opaque, populate, share, &why)
                           : thread_new("prealloc", populate, share, &why);
}

int host_memory_prealloc(const HostPrealloc *prealloc)
{
    size_t pages = prealloc->bytes / prealloc->page_bytes, next = 0;
    unsigned count = MIN(MIN(MAX(prealloc->threads, 1), MAX_THREADS), MAX(pages, 1));
    GThread *threads[MAX_THREADS] = { NULL };
    Share shares[MAX_THREADS];
    int error = 0;

    for (unsigned i = 0; i < count; i++) {
        size_t end = pages / count * (i + 1) + MIN(i + 1, pages % count);

        shares[i] = (Share){ prealloc->host + next * prealloc->page_bytes,
                             (end - next) * prealloc->page_bytes, prealloc->page_bytes, 0 };
        next = end;
        /* Alone, or without another thread, this one does it. */
        if (count > 1 || prealloc->start) {
            threads[i] = start_thread(prealloc, &shares[i]);
        }
        if (!threads[i]) {
            populate(&shares[i]);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (threads[i]) {
            g_thread_join(threads[i]);
        }
        error = error ? error : shares[i].error;
    }
    return error;
}

void host_memory_populate(void *host, size_t bytes)
{
    madvise(host, bytes, MADV_POPULATE_WRITE);
}
