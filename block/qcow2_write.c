/*
 * Writing to a qcow2 image: in place where a cluster is there and its own, else into new ones,
 * with what stood around the data copied. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#define MAX_BYTES (16 * MiB) /* of clusters made at once */
#define PIECES    64

/* Clusters that are being made (or filled) for a part of a request. */
typedef struct Plan {
    Qcow2Claim claim;
    uint64_t offset, bytes;   /* of the guest, as it is written */
    uint64_t first, clusters; /* first: the guest's offset of the first cluster */
    uint64_t host;            /* of the first cluster */
    uint64_t from, to;        /* of the guest, with what is copied */
    uint64_t zero_from;       /* the file has zeroes from here on */
    bool is_new, copies;      /* copies: something that was there */
} Plan;

static uint64_t cluster_of(const BlockQcow2 *image, uint64_t offset)
{
    return offset & ~(image->cluster - 1);
}


/* --- planning, with the lock --- */

static bool is_own(Qcow2Entry entry)
{
    return entry.l2 & QCOW2_ENTRY_COPIED && !(entry.l2 & QCOW2_ENTRY_COMPRESSED);
}

/* Its place can be filled. */
static bool is_reusable(const BlockQcow2 *image, Qcow2Entry entry)
{
    return is_own(entry) && (qcow2_entry_host(entry) || image->has_data_file);
}

static bool has_data(const BlockQcow2 *image, Qcow2Entry entry)
{
    for (unsigned sub = 0; sub < image->subs; sub++) {
        Qcow2Kind kind = qcow2_entry_kind(image, entry, sub);

        if (kind == QCOW2_DATA || kind == QCOW2_COMPRESSED) {
            return true;
        }
    }
    return false;
}

/* Where copying begins in the cluster of `offset`, or ends. */
static uint64_t copy_limit(const BlockQcow2 *image, const Plan *plan, Qcow2Entry old,
                           uint64_t offset, bool is_end)
{
    uint64_t unit = plan->is_new && has_data(image, old) ? image->cluster : BIT64(image->sub_bits);
    uint64_t at = is_end ? offset - 1 : offset, start = at & ~(unit - 1);
    unsigned sub = (at & (image->cluster - 1)) >> image->sub_bits;

    if (!plan->is_new && qcow2_entry_kind(image, old, sub) == QCOW2_DATA) {
        return offset;
    }
    return is_end ? start + unit : start;
}

/* How many clusters from the second on need new places, too. */
static int count_new(BlockQcow2 *image, Plan *plan, uint64_t most)
{
    for (plan->clusters = 1; plan->clusters < most; plan->clusters++) {
        Qcow2Entry next;
        int err = qcow2_entry_get(image, plan->first + plan->clusters * image->cluster, &next);

        if (err) {
            return err;
        }
        if (is_reusable(image, next)) {
            break;
        }
    }
    return 0;
}

static int find_place(BlockQcow2 *image, Plan *plan, Qcow2Entry old)
{
    uint64_t bytes = block_node_bytes(image->data);
    int err = 0;

    plan->zero_from = UINT64_MAX;
    if (!plan->is_new) {
        plan->host = qcow2_entry_host(old);
    } else if (image->has_data_file) {
        plan->host = plan->first;
    } else {
        err = qcow2_alloc_some(image, &plan->clusters, &plan->host);
        plan->zero_from = bytes;
    }
    return err;
}

/* Claimed are the clusters of the request, as far as one table goes. */
static int plan_clusters(BlockQcow2 *image, Plan *plan)
{
    Qcow2Entry first, last = { 0 };
    uint64_t end = plan->offset + plan->bytes, most;
    int err = qcow2_table_ensure(image, plan->offset);

    err = err ? err : qcow2_entry_get(image, plan->offset, &first);
    if (err) {
        return err;
    }
    plan->clusters = 1;
    plan->is_new = !is_reusable(image, first);
    most = (plan->claim.to - plan->first) >> image->cluster_bits;
    if (plan->is_new) {
        err = count_new(image, plan, most);
    }
    err = err ? err : find_place(image, plan, first);
    err = err ? err : qcow2_entry_get(image, plan->first + (plan->clusters - 1) * image->cluster,
                                      &last);
    if (err) {
        return err;
    }
    end = MIN(end, plan->first + plan->clusters * image->cluster);
    plan->bytes = end - plan->offset;
    plan->from = copy_limit(image, plan, first, plan->offset, false);
    plan->to = copy_limit(image, plan, last, end, true);
    if (image->has_data_file) {
        plan->to = MIN(plan->to, MAX(end, image->header.bytes)); /* it is no longer than the disk */
    }
    plan->claim.to = plan->first + plan->clusters * image->cluster;
    qcow2_tell_change(image); /* the claim has shrunk */
    return 0;
}

static uint64_t table_end(const BlockQcow2 *image, uint64_t offset)
{
    return (offset | (BIT64(image->cluster_bits + image->l2_bits) - 1)) + 1;
}

static void claim(BlockQcow2 *image, Plan *plan)
{
    uint64_t end = MIN(plan->offset + plan->bytes, table_end(image, plan->offset));

    plan->first = cluster_of(image, plan->offset);
    end = MIN(end, plan->first + MAX_BYTES);
    plan->bytes = end - plan->offset;
    qcow2_claim(image, &plan->claim, plan->first, ROUND_UP(end, image->cluster));
}

/* --- data, without the lock --- */

/* What is there now; *copies: it came from somewhere. */
static int read_old(BlockQcow2 *image, uint64_t offset, void *buf, uint64_t bytes, bool *copies)
{
    struct iovec iov = { buf, bytes };
    BlockIo io = { BLOCK_READ, 0, offset, bytes, &iov, 1 };
    int err = 0;

    for (uint64_t done = 0; done < bytes && !err;) {
        Qcow2Run run;

        g_mutex_lock(&image->lock);
        err = qcow2_find(image, offset + done, bytes - done, &run);
        g_mutex_unlock(&image->lock);
        if (!err) {
            *copies |= run.kind == QCOW2_DATA || run.kind == QCOW2_COMPRESSED ||
                       (run.kind == QCOW2_HOLE && image->parent.backing);
            err = qcow2_read_run(image, &run, offset + done, &io, done, run.bytes);
            done += run.bytes;
        }
    }
    return err;
}

static int write_at(BlockQcow2 *image, uint64_t host, void *buf, uint64_t bytes, unsigned flags)
{
    struct iovec iov = { buf, bytes };
    BlockIo io = { BLOCK_WRITE, flags, host, bytes, &iov, 1 };

    return bytes ? block_io(image->data, &io) : 0;
}

typedef struct Around {
    uint64_t head, tail; /* bytes */
    uint8_t *buf;        /* the head, then the tail */
} Around;

static uint64_t host_of(const Plan *plan, uint64_t offset)
{
    return plan->host + offset - plan->first;
}

/* All in one write, if it is not in too many pieces. */
static int write_around(BlockQcow2 *image, const Plan *plan, const Around *around,
                        const BlockIo *io, uint64_t skip)
{
    struct iovec iov[PIECES + 2];
    unsigned at = around->head > 0, count;
    int err;

    iov[0] = (struct iovec){ around->buf, around->head };
    count = block_iov_part(io, skip, plan->bytes, iov + at, PIECES);
    if (!count) {
        err = write_at(image, host_of(plan, plan->from), around->buf, around->head, 0);
        err = err ? err : block_io_part(image->data, io, skip, plan->bytes,
                                        host_of(plan, plan->offset));
        return err ? err : write_at(image, host_of(plan, plan->offset + plan->bytes),
                                    around->buf + around->head, around->tail, 0);
    }
    count += at;
    if (around->tail) {
        iov[count++] = (struct iovec){ around->buf + around->head, around->tail };
    }
    return block_io(image->data, &(BlockIo){
        BLOCK_WRITE, io->flags & ~BLOCK_FUA, host_of(plan, plan->offset) - around->head,
        around->head + plan->bytes + around->tail, iov, count });
}

/* Zeroes that the file shows anyway are not written. */
static void skip_zeroes(const Plan *plan, Around *around)
{
    if (host_of(plan, plan->from) >= plan->zero_from &&
        block_is_zero(around->buf, around->head)) {
        around->buf += around->head;
        around->head = 0;
    }
    if (host_of(plan, plan->offset + plan->bytes) >= plan->zero_from &&
        block_is_zero(around->buf + around->head, around->tail)) {
        around->tail = 0;
    }
}

static int write_data(BlockQcow2 *image, Plan *plan, const BlockIo *io, uint64_t skip)
{
    uint64_t end = plan->offset + plan->bytes;
    Around around = { plan->offset - plan->from, plan->to - end, NULL };
    g_autofree uint8_t *buf = NULL;
    int err;

    if (!around.head && !around.tail) {
        block_event(image->data, BLKDEBUG_EVENT_WRITE_AIO);
        return block_io_part(image->data, io, skip, plan->bytes, host_of(plan, plan->offset));
    }
    around.buf = buf = g_try_malloc(around.head + around.tail);
    if (!buf) {
        return -ENOMEM;
    }
    block_event(image->data, BLKDEBUG_EVENT_COW_READ);
    err = around.head ? read_old(image, plan->from, buf, around.head, &plan->copies) : 0;
    if (!err && around.tail) {
        err = read_old(image, end, buf + around.head, around.tail, &plan->copies);
    }
    if (err) {
        return err;
    }
    skip_zeroes(plan, &around);
    block_event(image->data, BLKDEBUG_EVENT_COW_WRITE);
    return write_around(image, plan, &around, io, skip);
}

/* --- entries, with the lock --- */

static Qcow2Entry new_entry(const BlockQcow2 *image, const Plan *plan, uint64_t at, Qcow2Entry old)
{
    Qcow2Entry entry = { host_of(plan, at) | QCOW2_ENTRY_COPIED, 0 };
    uint64_t from = MAX(plan->from, at) - at, to = MIN(plan->to, at + image->cluster) - at;
    unsigned first = from >> image->sub_bits;
    unsigned last = (to + BIT64(image->sub_bits) - 1) >> image->sub_bits;
    uint64_t subs;

    if (image->subs == 1) {
        return entry;
    }
    subs = (BIT64(last) - 1) & ~(BIT64(first) - 1);
    entry.bitmap = old.l2 & QCOW2_ENTRY_COMPRESSED ? 0 : old.bitmap;
    entry.bitmap = (entry.bitmap & ~(subs << 32)) | subs;
    return entry;
}

static int set_entries(BlockQcow2 *image, const Plan *plan)
{
    int err = 0;

    image->needs_barrier |= plan->copies;
    for (uint64_t i = 0; i < plan->clusters && !err; i++) {
        uint64_t at = plan->first + i * image->cluster;
        Qcow2Entry old;

        err = qcow2_entry_get(image, at, &old);
        err = err ? err : qcow2_entry_set(image, at, new_entry(image, plan, at, old));
        if (!err && plan->is_new) {
            qcow2_entry_free(image, old, QCOW2_FREE_OTHER);
        }
    }
    return err;
}

/* The data are there, or not. */
static int end_plan(BlockQcow2 *image, Plan *plan, int err)
{
    if (!err) {
        err = set_entries(image, plan);
    } else if (plan->is_new && !image->has_data_file) {
        qcow2_free(image, plan->host, plan->clusters * image->cluster, QCOW2_FREE_OTHER);
    }
    qcow2_unclaim(image, &plan->claim);
    return err;
}

/* --- requests --- */

static int write_new(BlockQcow2 *image, const BlockIo *io, uint64_t skip, uint64_t *bytes)
{
    Plan plan = { .offset = io->offset + skip, .bytes = io->bytes - skip };
    int err;

    claim(image, &plan);
    err = plan_clusters(image, &plan);
    if (err) {
        qcow2_unclaim(image, &plan.claim);
        return err;
    }
    if (!plan.is_new && !image->has_data_file &&
        qcow2_is_metadata(image, plan.host, image->cluster)) {
        err = qcow2_corrupt(image, plan.host, image->cluster, "Preventing invalid write on "
                            "metadata (overlaps with cluster at %#" PRIx64 ")", plan.host);
    }
    g_mutex_unlock(&image->lock);
    err = err ? err : write_data(image, &plan, io, skip);
    g_mutex_lock(&image->lock);
    *bytes = plan.bytes;
    return end_plan(image, &plan, err);
}

static int write_in_place(BlockQcow2 *image, const Qcow2Run *run, const BlockIo *io, uint64_t skip)
{
    int err;

    if (!image->has_data_file && qcow2_is_metadata(image, run->host, run->bytes)) {
        return qcow2_corrupt(image, run->host, run->bytes, "Preventing invalid write on metadata "
                             "(overlaps with cluster at %#" PRIx64 ")",
                             cluster_of(image, run->host));
    }
    g_mutex_unlock(&image->lock);
    block_event(image->data, BLKDEBUG_EVENT_WRITE_AIO);
    err = block_io_part(image->data, io, skip, run->bytes, run->host);
    g_mutex_lock(&image->lock);
    return err;
}

/* With the lock; how many bytes were written. */
static int write_some(BlockQcow2 *image, const BlockIo *io, uint64_t skip, uint64_t *bytes)
{
    Qcow2Run run;
    int err = image->is_failed ? -EIO : qcow2_find(image, io->offset + skip, io->bytes - skip,
                                                   &run);

    if (err) {
        return err;
    }
    if (run.kind == QCOW2_DATA && run.is_own) {
        *bytes = run.bytes;
        return write_in_place(image, &run, io, skip);
    }
    return write_new(image, io, skip, bytes);
}

/* --- a new cluster without blocking: its place is found in the loop, where entries are set when it is filled --- */

typedef struct Filling {
    BlockQcow2 *image;
    unsigned parity;
    Plan plan;
} Filling;

bool qcow2_can_fill(BlockQcow2 *image, const BlockRequest *request, const Qcow2Run *run)
{
    const BlockIo *io = &request->io;

    return io->op == BLOCK_WRITE && block_request_can_forward(request, image->data) && io->bytes == image->cluster &&
           run->bytes == io->bytes && !(io->offset & (image->cluster - 1)) && !image->has_data_file &&
           !run->has_host && (run->kind == QCOW2_HOLE || run->kind == QCOW2_ZERO) &&
           qcow2_has_own_table(image, io->offset) && qcow2_can_alloc_cached(image) && !qcow2_wants_sync(image) &&
           !qcow2_is_claimed(image, io->offset, io->offset + io->bytes);
}

/* With the lock. */
static int end_filling(Filling *f, int err)
{
    err = end_plan(f->image, &f->plan, err);
    qcow2_leave(f->image, f->parity);
    return err;
}

static int end_in_worker(void *opaque, int err)
{
    g_autofree Filling *f = opaque;

    g_mutex_lock(&f->image->lock);
    err = end_filling(f, err);
    g_mutex_unlock(&f->image->lock);
    return err;
}

/* False: another has the lock, or the entry would have to be read. */
static bool end_here(Filling *f, int *err)
{
    Qcow2Entry entry;
    bool is_here;

    if (!qcow2_lock_in_loop(f->image)) {
        return false;
    }
    is_here = *err || !qcow2_entry_get(f->image, f->plan.first, &entry);
    if (is_here) {
        *err = end_filling(f, *err);
    }
    qcow2_unlock_in_loop(f->image);
    return is_here;
}

static void filled(BlockRequest *request, void *opaque, int err)
{
    Filling *f = opaque;

    if (end_here(f, &err)) {
        g_free(f);
        block_request_end(request, err);
    } else {
        block_request_end_by(request, end_in_worker, f, err);
    }
}

bool qcow2_fill(BlockQcow2 *image, BlockRequest *request)
{
    BlockIo *io = &request->io;
    Filling *f = g_new0(Filling, 1);
    int err;

    *f = (Filling){ image, qcow2_enter(image), { .offset = io->offset, .bytes = io->bytes } };
    claim(image, &f->plan);
    err = plan_clusters(image, &f->plan);
    if (err) {
        qcow2_unclaim(image, &f->plan.claim);
        qcow2_leave(image, f->parity);
        g_clear_pointer(&f, g_free);
    }
    qcow2_unlock_in_loop(image);
    if (f) {
        io->offset = f->plan.host;
        block_request_forward(request, image->data, filled, f);
    }
    return f;
}

/* --- compressed ones --- */

/*
 * Readers take whole sectors: the file does not end within. With the lock, under which `host` was got: of bytes
 * that make the file longer, nobody has written one yet.
 */
static int cover_packed(BlockQcow2 *image, uint64_t host, uint32_t bytes)
{
    uint64_t end = ROUND_UP(host + bytes, image->cluster);
    uint8_t zero = 0;

    return end > block_node_bytes(image->data) ? write_at(image, end - 1, &zero, 1, 0) : 0;
}

static int store_packed(BlockQcow2 *image, uint64_t offset, void *packed, uint32_t bytes)
{
    unsigned bits = 62 - (image->cluster_bits - 8);
    Qcow2Entry entry = { 0 }, old;
    Qcow2Claim claim;
    uint64_t host = 0;
    int err;

    g_mutex_lock(&image->lock);
    qcow2_claim(image, &claim, offset, offset + image->cluster);
    err = image->is_failed ? -EIO : qcow2_table_ensure(image, offset);
    err = err ? err : qcow2_alloc_bytes(image, bytes, &host);
    err = err ? err : cover_packed(image, host, bytes);
    g_mutex_unlock(&image->lock);
    block_event(image->data, BLKDEBUG_EVENT_WRITE_COMPRESSED);
    err = err ? err : write_at(image, host, packed, bytes, 0);
    g_mutex_lock(&image->lock);
    err = err ? err : qcow2_entry_get(image, offset, &old);
    if (!err) {
        uint64_t sectors = (host + bytes - 1) / BLOCK_SECTOR_BYTES - host / BLOCK_SECTOR_BYTES;

        entry.l2 = QCOW2_ENTRY_COMPRESSED | sectors << bits | host;
        err = qcow2_entry_set(image, offset, entry);
    }
    if (!err) {
        qcow2_entry_free(image, old, QCOW2_FREE_OTHER);
    } else if (host) {
        qcow2_free(image, host, bytes, QCOW2_FREE_OTHER);
    }
    qcow2_unclaim(image, &claim);
    g_mutex_unlock(&image->lock);
    return err;
}

int qcow2_write_plain(BlockQcow2 *image, const BlockIo *io)
{
    int err = 0;

    for (uint64_t done = 0; done < io->bytes && !err;) {
        uint64_t bytes = 0;

        err = write_some(image, io, done, &bytes);
        done += bytes;
    }
    return err;
}

static int lock_and_write(BlockQcow2 *image, const BlockIo *io)
{
    int err;

    g_mutex_lock(&image->lock);
    err = qcow2_write_plain(image, io);
    g_mutex_unlock(&image->lock);
    return err;
}

static int write_packed(BlockQcow2 *image, const BlockIo *io, uint64_t skip, uint64_t bytes)
{
    g_autofree uint8_t *data = g_try_malloc0(image->cluster);
    g_autofree uint8_t *packed = g_try_malloc(image->cluster);
    struct iovec iov = { data, bytes };
    BlockIo plain = { BLOCK_WRITE, 0, io->offset + skip, bytes, &iov, 1 };
    ssize_t packed_bytes;

    if (!data || !packed) {
        return -ENOMEM;
    }
    block_iov_to_buf(io, skip, data, bytes);
    packed_bytes = qcow2_pack(image, data, packed);
    if (packed_bytes <= 0) {
        return packed_bytes ? packed_bytes : lock_and_write(image, &plain);
    }
    return store_packed(image, io->offset + skip, packed, packed_bytes);
}

static int write_all_packed(BlockQcow2 *image, const BlockIo *io)
{
    uint64_t end = io->offset + io->bytes;
    int err = 0;

    if (image->has_data_file) {
        return -ENOTSUP;
    }
    if (io->offset % image->cluster ||
        (end % image->cluster && end != block_node_bytes(&image->parent))) {
        return -EINVAL;
    }
    for (uint64_t done = 0; done < io->bytes && !err; done += image->cluster) {
        err = write_packed(image, io, done, MIN(image->cluster, io->bytes - done));
    }
    return err;
}

int qcow2_write(BlockQcow2 *image, const BlockIo *io)
{
    return io->flags & BLOCK_COMPRESSED ? write_all_packed(image, io) : lock_and_write(image, io);
}
