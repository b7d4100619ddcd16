/*
 * Copies of images: several threads read, and write in order unless that does not matter. What
 * is zero is not read, and not written where the target is so already.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#define CHUNK_BYTES  (2 * MiB)
#define BUFFER_ALIGN 4096

typedef enum PartKind { PART_DATA, PART_ZERO, PART_BEHIND } PartKind;

typedef struct Part {
    BlockNode *node;
    uint64_t at, bytes;   /* of the target */
    uint64_t source_at;   /* of the node */
    PartKind kind;
} Part;

typedef struct Job {
    const ImgCopy *copy;
    GMutex lock;
    GCond moved;
    Part extent;          /* what is known of the source from `next` on */
    uint64_t next, written;
    int64_t start_us;
    bool has_no_offload;  /* atomic: the host cannot */
    int err;
} Job;

/* --- what is next, with the lock --- */

static bool find_source(const ImgCopy *copy, uint64_t at, BlockNode **node, uint64_t *source_at)
{
    for (size_t i = 0; i < copy->source_count; i++) {
        uint64_t bytes = ROUND_UP(block_node_bytes(copy->sources[i].node), BLOCK_SECTOR_BYTES);

        if (at < bytes) {
            *node = copy->sources[i].node;
            *source_at = at;
            return true;
        }
        at -= bytes;
    }
    return false;
}

static int find_extent(const ImgCopy *copy, uint64_t at, Part *part)
{
    BlockExtent extent;
    int err;

    *part = (Part){ NULL, at, copy->bytes - at, 0, PART_ZERO };
    if (!find_source(copy, at, &part->node, &part->source_at)) {
        return 0; /* behind the last */
    }
    part->bytes = MIN(part->bytes, block_node_bytes(part->node) - part->source_at);
    if (!part->bytes) {
        part->bytes = MIN(copy->bytes - at, BLOCK_SECTOR_BYTES);
        return 0;
    }
    err = copy->has_backing ?
              block_extent(block_node_skip_filters(part->node), part->source_at, part->bytes,
                           &extent) :
              block_extent_of_chain(part->node, part->source_at, part->bytes, &extent, NULL);
    if (err == -EIO && copy->is_salvage) {
        part->kind = PART_DATA;
        return 0;
    }
    part->bytes = extent.bytes;
    part->kind = copy->has_backing && !(extent.flags & BLOCK_EXTENT_ALLOCATED) ? PART_BEHIND :
                 extent.flags & BLOCK_EXTENT_ZERO && copy->sparse_bytes ? PART_ZERO : PART_DATA;
    return err;
}

/* False: there is no more, or it failed. */
static bool take(Job *job, Part *part)
{
    const ImgCopy *copy = job->copy;
    uint64_t most = copy->compressed_bytes ? copy->compressed_bytes : CHUNK_BYTES;

    if (job->err || job->next >= copy->bytes) {
        return false;
    }
    if (job->next >= job->extent.at + job->extent.bytes) {
        job->err = find_extent(copy, job->next, &job->extent);
        if (job->err) {
            error_report("error while reading block status at offset %" PRIu64 ": %s", job->next,
                         g_strerror(-job->err));
            return false;
        }
    }
    *part = job->extent;
    part->source_at += job->next - part->at;
    part->bytes -= job->next - part->at;
    part->at = job->next;
    if (copy->compressed_bytes) {
        /* Whole clusters, whatever they are made of. */
        part->kind = part->kind == PART_DATA || part->bytes < most ? PART_DATA : part->kind;
        part->bytes = part->kind == PART_DATA ? MIN(most, copy->bytes - part->at) :
                                                ROUND_DOWN(part->bytes, most);
    } else if (part->kind == PART_DATA) {
        part->bytes = MIN(part->bytes, most);
    }
    job->next += part->bytes;
    return true;
}

/* --- reading --- */

/* Sector by sector; what cannot be read is zero. */
static int salvage(const Part *part, uint8_t *buf)
{
    for (uint64_t done = 0; done < part->bytes; done += BLOCK_SECTOR_BYTES) {
        uint64_t bytes = MIN(BLOCK_SECTOR_BYTES, part->bytes - done);

        if (block_read(part->node, part->source_at + done, buf + done, bytes)) {
            memset(buf + done, 0, bytes);
            warn_report("error while reading offset %" PRIu64 ": it is zero in the copy",
                        part->source_at + done);
        }
    }
    return 0;
}

/* A compressed cluster may begin in one source and end in the next. */
static int read_part(const ImgCopy *copy, const Part *part, uint8_t *buf)
{
    int err = 0;

    for (uint64_t done = 0; done < part->bytes && !err;) {
        Part some = *part;

        some.bytes = part->bytes - done;
        if (!find_source(copy, part->at + done, &some.node, &some.source_at) ||
            some.source_at >= block_node_bytes(some.node)) {
            some.bytes = MIN(some.bytes, BLOCK_SECTOR_BYTES - (part->at + done) %
                                                                  BLOCK_SECTOR_BYTES);
            memset(buf + done, 0, some.bytes);
            done += some.bytes;
            continue;
        }
        some.bytes = MIN(some.bytes, block_node_bytes(some.node) - some.source_at);
        err = block_read(some.node, some.source_at, buf + done, some.bytes);
        if (err && copy->is_salvage) {
            err = salvage(&some, buf + done);
        }
        done += some.bytes;
    }
    if (err) {
        error_report("error while reading at byte %" PRIu64 ": %s", part->at, g_strerror(-err));
    }
    return err;
}

/* --- writing --- */

static unsigned flags_of(const ImgCopy *copy)
{
    return copy->target->is_writethrough ? BLOCK_FUA : 0;
}

static int write_zeroes(const ImgCopy *copy, uint64_t at, uint64_t bytes)
{
    return copy->is_zero ? 0 : img_zero(copy->target->node, at, bytes,
                                        BLOCK_MAY_UNMAP | flags_of(copy));
}

static int write_data(const ImgCopy *copy, uint64_t at, uint8_t *buf, uint64_t bytes,
                      unsigned flags)
{
    struct iovec iov = { buf, bytes };
    BlockIo io = { BLOCK_WRITE, flags | flags_of(copy), at, bytes, &iov, 1 };

    return block_io(copy->target->node, &io);
}

static bool is_zero(const uint8_t *buf, uint64_t bytes)
{
    return !buf[0] && !memcmp(buf, buf + 1, bytes - 1);
}

/* How far the first bytes are all of one kind, in steps of sparse_bytes. */
static uint64_t same_kind(const ImgCopy *copy, uint64_t at, const uint8_t *buf, uint64_t bytes,
                          bool *zero)
{
    uint64_t done = MIN(bytes, copy->sparse_bytes - at % copy->sparse_bytes);

    *zero = is_zero(buf, done);
    while (done < bytes) {
        uint64_t step = MIN(bytes - done, copy->sparse_bytes);

        if (is_zero(buf + done, step) != *zero) {
            break;
        }
        done += step;
    }
    return done;
}

static int write_part(const ImgCopy *copy, const Part *part, uint8_t *buf)
{
    int err = 0;

    if (part->kind != PART_DATA) {
        return part->kind == PART_ZERO ? write_zeroes(copy, part->at, part->bytes) : 0;
    }
    if (copy->compressed_bytes) {
        return copy->sparse_bytes && is_zero(buf, part->bytes) ?
                   write_zeroes(copy, part->at, part->bytes) :
                   write_data(copy, part->at, buf, part->bytes, BLOCK_COMPRESSED);
    }
    if (!copy->sparse_bytes) {
        return write_data(copy, part->at, buf, part->bytes, 0);
    }
    for (uint64_t done = 0; done < part->bytes && !err;) {
        bool zero;
        uint64_t bytes = same_kind(copy, part->at + done, buf + done, part->bytes - done, &zero);

        err = zero ? write_zeroes(copy, part->at + done, bytes) :
                     write_data(copy, part->at + done, buf + done, bytes, 0);
        done += bytes;
    }
    return err;
}

/* --- threads --- */

static bool is_ordered(const ImgCopy *copy)
{
    return !copy->is_unordered && !copy->compressed_bytes && !copy->wants_offload;
}

static void keep_rate(const Job *job, uint64_t done)
{
    int64_t due = job->copy->rate ? job->start_us + done * G_USEC_PER_SEC / job->copy->rate : 0;
    int64_t now = g_get_monotonic_time();

    if (due > now) {
        g_usleep(due - now);
    }
}

/* False: it has to be read and written. */
static bool offload(Job *job, const Part *part, int *err)
{
    const ImgCopy *copy = job->copy;

    *err = 0;
    if (!copy->wants_offload || part->kind != PART_DATA ||
        __atomic_load_n(&job->has_no_offload, __ATOMIC_RELAXED)) {
        return false;
    }
    *err = block_copy_range(part->node, part->source_at, copy->target->node, part->at,
                            part->bytes);
    if (*err == -ENOTSUP) {
        __atomic_store_n(&job->has_no_offload, true, __ATOMIC_RELAXED);
        return false;
    }
    if (*err) {
        error_report("error while writing at byte %" PRIu64 ": %s", part->at, g_strerror(-*err));
    }
    return true;
}

static int copy_part(Job *job, const Part *part, uint8_t *buf)
{
    const ImgCopy *copy = job->copy;
    int err;

    if (offload(job, part, &err)) {
        return err;
    }
    err = part->kind == PART_DATA ? read_part(copy, part, buf) : 0;

    g_mutex_lock(&job->lock);
    while (is_ordered(copy) && job->written != part->at && !job->err) {
        g_cond_wait(&job->moved, &job->lock);
    }
    if (job->err) {
        err = job->err;
    }
    g_mutex_unlock(&job->lock);
    if (!err) {
        err = write_part(copy, part, buf);
        if (err) {
            error_report("error while writing at byte %" PRIu64 ": %s", part->at,
                         g_strerror(-err));
        }
    }
    return err;
}

static gpointer work(gpointer opaque)
{
    Job *job = opaque;
    void *buf = NULL;
    Part part;
    int err = posix_memalign(&buf, BUFFER_ALIGN, MAX(CHUNK_BYTES, job->copy->compressed_bytes)) ?
                  -ENOMEM : 0;

    g_mutex_lock(&job->lock);
    while (!err && take(job, &part)) {
        g_mutex_unlock(&job->lock);
        err = copy_part(job, &part, buf);
        g_mutex_lock(&job->lock);
        job->written = is_ordered(job->copy) ? part.at + part.bytes : job->written + part.bytes;
        g_cond_broadcast(&job->moved);
        img_progress(job->written, job->copy->bytes);
        g_mutex_unlock(&job->lock);
        keep_rate(job, job->written);
        g_mutex_lock(&job->lock);
    }
    job->err = job->err ? job->err : err;
    g_cond_broadcast(&job->moved);
    g_mutex_unlock(&job->lock);
    free(buf);
    return NULL;
}

int img_copy(const ImgCopy *copy)
{
    Job job = { .copy = copy, .start_us = g_get_monotonic_time() };
    unsigned count = MAX(MIN(copy->workers, copy->bytes / CHUNK_BYTES), 1) - 1;
    g_autofree GThread **threads = g_new0(GThread *, count + 1);

    g_mutex_init(&job.lock);
    g_cond_init(&job.moved);
    for (unsigned i = 0; i < count; i++) {
        threads[i] = g_thread_new("copy", work, &job);
    }
    work(&job);
    for (unsigned i = 0; i < count; i++) {
        g_thread_join(threads[i]);
    }
    g_mutex_clear(&job.lock);
    g_cond_clear(&job.moved);
    return job.err;
}
