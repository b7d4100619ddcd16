/*
 * file and host_device: an image in a file, or on a disk, of the host. Requests block in worker
 * threads, but for reads of what the host has in memory; with "aio": "io_uring" reads, writes and
 * flushes are started without threads (block/uring.c). "native" is the same, past the host's cache
 * alone, and with threads where the host has no io_uring.
 *
 * With "auto-read-only" the file is opened for writing when somebody wants to write. Past a
 * failed flush nothing is known of what the host had cached: all later ones fail.
 *
 * Left out: persistent reservations, dropping caches at migration.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "block/driver.h"
#include "block/file_lock.h"
#include "block/gate.h"
#include "block/uring.h"
#include "util/fdset.h"

#define DIRECT_ALIGN 4096
#define MAX_PIECES   1024 /* the host takes no more at once */
#define ZERO_CHUNK   (1 * MiB)

typedef struct BlockFile {
    BlockNode parent;
    char *path;
    int fd;
    int old_fd;            /* while it is opened anew; -1: there is no other */
    bool is_device, is_writable; /* is_writable: as it is open now */
    bool has_uring;
    uint32_t align;        /* of O_DIRECT; else 1 */
    FileLock lock;
    GMutex write_lock;     /* one write into the host's memory at a time: it takes no more */
    BlockGate gate;        /* O_DIRECT: read-modify-write is alone */
    int lost;              /* atomic: a flush failed with this errno */
    bool has_no_zero_range, has_no_punch, has_no_nowait; /* atomic: the file system cannot */
    uint64_t discards_ok, discards_failed, discarded_bytes; /* atomic */
} BlockFile;

/* --- opening --- */

static int open_flags(const BlockFile *file, bool for_writing)
{
    return (for_writing ? O_RDWR : O_RDONLY) | (file->parent.is_direct ? O_DIRECT : 0) | O_CLOEXEC;
}

static bool is_refused(int err)
{
    return err == EACCES || err == EPERM || err == EROFS;
}

/* Read-only ones turn into writable ones when somebody wants to write. */
static bool open_file(BlockFile *file, Error **errp)
{
    bool is_lazy = file->parent.is_auto_read_only;

    file->is_writable = !file->parent.is_read_only && !is_lazy;
    file->fd = fdset_open_path(file->path, open_flags(file, file->is_writable), 0);
    if (file->fd < 0 && is_lazy && errno == EACCES) {
        /* A descriptor set may have a writable one only. */
        file->is_writable = true;
        file->fd = fdset_open_path(file->path, open_flags(file, true), 0);
    }
    if (file->fd < 0) {
        int err = errno;

        if (err == EINVAL && file->parent.is_direct) {
            return error_set(errp, "Could not open '%s': filesystem does not support O_DIRECT",
                             file->path);
        }
        return error_set_errno(errp, err, "Could not open '%s'", file->path);
    }
    return true;
}

static bool check_kind(BlockFile *file, Error **errp)
{
    struct stat st;
    bool wants_device = file->parent.driver == &block_host_device;

    if (fstat(file->fd, &st) < 0) {
        return error_set_errno(errp, errno, "Could not stat file");
    }
    file->is_device = S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode);
    if (wants_device && !file->is_device) {
        return error_set(errp, "'%s' driver requires '%s' to be either a character or block device",
                         file->parent.driver->name, file->path);
    }
    if (!wants_device && !S_ISREG(st.st_mode)) {
        return error_set(errp, "'%s' driver requires '%s' to be a regular file",
                         file->parent.driver->name, file->path);
    }
    return true;
}

static int64_t find_bytes(BlockFile *file)
{
    uint64_t bytes;
    struct stat st;

    if (file->is_device && !ioctl(file->fd, BLKGETSIZE64, &bytes)) {
        return MIN(bytes, INT64_MAX);
    }
    return fstat(file->fd, &st) < 0 ? -errno : st.st_size;
}

static bool take_bytes(BlockFile *file, Error **errp)
{
    int64_t bytes = find_bytes(file);

    if (bytes < 0) {
        return error_set_errno(errp, -bytes, "Could not get the size of '%s'", file->path);
    }
    if (bytes > BLOCK_MAX_BYTES) {
        return error_set(errp, "'%s' is too large", file->path);
    }
    block_node_set_bytes(&file->parent, bytes);
    return true;
}

static bool set_locking(BlockFile *file, const BlockdevOptionsFile *own, Error **errp)
{
    bool can = file_lock_is_possible(file->fd);

    if (own->locking == ON_OFF_AUTO_ON && !can) {
        return error_set(errp, "Lock on '%s': the host has no open file description locks",
                         file->path);
    }
    file->lock.is_off = own->locking == ON_OFF_AUTO_OFF || !can;
    return true;
}

static bool check_aio(const BlockNode *node, const BlockdevOptionsFile *own, Error **errp)
{
    return own->aio != BLOCKDEV_AIO_OPTIONS_NATIVE || node->is_direct ||
           error_set(errp, "aio=native was specified, but it requires cache.direct=on, which was "
                     "not specified.");
}

static bool set_aio(BlockFile *file, const BlockdevOptionsFile *own, Error **errp)
{
    bool is_native = own->aio == BLOCKDEV_AIO_OPTIONS_NATIVE;

    if (own->aio == BLOCKDEV_AIO_OPTIONS_THREADS) {
        return true;
    }
    file->has_uring = block_uring_check(is_native ? NULL : errp);
    return is_native ? check_aio(&file->parent, own, errp) : file->has_uring;
}

static const BlockdevOptionsFile *own_options(const BlockNode *node,
                                              const BlockdevOptions *options)
{
    return node->driver == &block_host_device ? &options->u.host_device : &options->u.file;
}

static void set_align(BlockFile *file)
{
    file->align = file->parent.alignment = file->parent.is_direct ? DIRECT_ALIGN : 1;
}

static bool file_open(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    BlockFile *file = (BlockFile *)node;
    const BlockdevOptionsFile *own = own_options(node, options);

    file->path = g_strdup(own->filename);
    node->filename = g_strdup(own->filename);
    if (!open_file(file, errp)) {
        g_free(file->path);
        return false;
    }
    set_align(file);
    if (!check_kind(file, errp) || !take_bytes(file, errp) || !set_locking(file, own, errp) ||
        !set_aio(file, own, errp)) {
        close(file->fd);
        g_free(file->path);
        return false;
    }
    if (!file->is_writable && !node->is_auto_read_only) {
        node->is_read_only = true;
    }
    block_gate_init(&file->gate);
    g_mutex_init(&file->write_lock);
    return true;
}

static bool file_taken(BlockNode *node, Error **errp)
{
    return take_bytes((BlockFile *)node, errp);
}

static void file_close(BlockNode *node)
{
    BlockFile *file = (BlockFile *)node;

    block_gate_clear(&file->gate);
    g_mutex_clear(&file->write_lock);
    close(file->fd);
    g_free(file->path);
}

/* The descriptor keeps its number: requests in other threads go on with it. */
static bool replace_fd(BlockFile *file, int fd, Error **errp)
{
    int err = file->lock.is_off ? 0 : file_lock_copy(&file->lock, fd);

    if (!err && dup3(fd, file->fd, O_CLOEXEC) < 0) {
        err = -errno;
    }
    close(fd);
    return !err || error_set_errno(errp, -err, "Could not reopen '%s'", file->path);
}

static bool make_writable(BlockFile *file, Error **errp)
{
    int fd = fdset_open_path(file->path, open_flags(file, true), 0);

    if (fd < 0) {
        return is_refused(errno) ? error_set(errp, "Block node is read-only") :
                                   error_set_errno(errp, errno, "Could not reopen '%s'",
                                                   file->path);
    }
    if (!replace_fd(file, fd, errp)) {
        return false;
    }
    file->is_writable = true;
    return true;
}

static bool file_set_perms(BlockNode *node, unsigned perms, unsigned shared, Error **errp)
{
    BlockFile *file = (BlockFile *)node;

    if (perms & (BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE) && !file->is_writable) {
        if (node->is_read_only && !node->is_auto_read_only) {
            return error_set(errp, "Block node is read-only");
        }
        if (!make_writable(file, errp)) {
            return false;
        }
    }
    return file_lock_set(&file->lock, file->fd, perms, shared, file->path, errp);
}

/* --- other flags --- */

/* For writing it is opened as soon as somebody wants to write. */
static bool file_reopen(BlockNode *node, const BlockdevOptions *options, Error **errp)
{
    BlockFile *file = (BlockFile *)node;
    bool for_writing = file->is_writable && !node->is_read_only;
    int fd;

    file->old_fd = -1;
    if (!check_aio(node, own_options(node, options), errp)) {
        return false;
    }
    if (for_writing == file->is_writable && node->is_direct == (file->align > 1)) {
        return true;
    }
    fd = fdset_open_path(file->path, open_flags(file, for_writing), 0);
    file->old_fd = fd < 0 ? -1 : fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    if (file->old_fd < 0) {
        int err = errno;

        if (fd >= 0) {
            close(fd);
        }
        return err == EINVAL && node->is_direct ?
               error_set(errp, "Could not reopen '%s': filesystem does not support O_DIRECT",
                         file->path) :
               error_set_errno(errp, err, "Could not reopen '%s'", file->path);
    }
    if (!replace_fd(file, fd, errp)) {
        close(file->old_fd);
        return false;
    }
    return true;
}

/* The old descriptor holds the locks still. */
static void file_reopen_end(BlockNode *node, bool is_done)
{
    BlockFile *file = (BlockFile *)node;

    if (file->old_fd < 0) {
        return;
    }
    if (is_done) {
        file->is_writable &= !node->is_read_only;
        set_align(file);
    } else if (dup3(file->old_fd, file->fd, O_CLOEXEC) < 0) {
        error_report("Could not go back to '%s' as it was: %s", file->path, g_strerror(errno));
    }
    close(file->old_fd);
}

/* --- requests --- */

/* As many bytes as the host takes; 0: the end of the file; or a negative errno. */
static ssize_t move(BlockFile *file, const BlockIo *io, uint64_t done)
{
    bool is_queued = io->op == BLOCK_WRITE && !file->parent.is_direct && !file->is_device;
    struct iovec some[MAX_PIECES];
    const struct iovec *iov = io->iov;
    unsigned count = io->iov_count;
    ssize_t moved;

    if (done || count > MAX_PIECES) {
        uint64_t skip = done;
        unsigned first = 0;

        while (skip >= io->iov[first].iov_len) {
            skip -= io->iov[first++].iov_len;
        }
        count = MIN(io->iov_count - first, MAX_PIECES);
        memcpy(some, io->iov + first, count * sizeof(*some));
        some[0].iov_base = (char *)some[0].iov_base + skip;
        some[0].iov_len -= skip;
        iov = some;
    }
    if (is_queued) {
        g_mutex_lock(&file->write_lock);
    }
    do {
        moved = io->op == BLOCK_WRITE ? pwritev(file->fd, iov, count, io->offset + done) :
                                        preadv(file->fd, iov, count, io->offset + done);
    } while (moved < 0 && errno == EINTR);
    moved = moved < 0 ? -errno : moved;
    if (is_queued) {
        g_mutex_unlock(&file->write_lock);
    }
    return moved;
}

static int transfer(BlockFile *file, const BlockIo *io)
{
    for (uint64_t done = 0; done < io->bytes;) {
        ssize_t moved = move(file, io, done);

        if (moved < 0) {
            return moved;
        }
        if (!moved && io->op == BLOCK_WRITE) {
            return -ENOSPC;
        }
        if (!moved) {
            block_iov_zero(io, done, io->bytes - done);
            return 0;
        }
        done += moved;
    }
    return 0;
}

static bool is_aligned(const BlockFile *file, const BlockIo *io)
{
    if (file->align == 1) {
        return true;
    }
    if ((io->offset | io->bytes) % file->align) {
        return false;
    }
    for (unsigned i = 0; i < io->iov_count; i++) {
        if (((uintptr_t)io->iov[i].iov_base | io->iov[i].iov_len) % file->align) {
            return false;
        }
    }
    return true;
}

/* Through a buffer that the host accepts; a write reads what stands around it first. */
static int transfer_bounced(BlockFile *file, const BlockIo *io)
{
    uint64_t first = ROUND_DOWN(io->offset, file->align);
    uint64_t bytes = ROUND_UP(io->offset + io->bytes, file->align) - first;
    struct iovec iov = { NULL, bytes };
    BlockIo whole = { BLOCK_READ, 0, first, bytes, &iov, 1 };
    bool is_whole = first == io->offset && bytes == io->bytes;
    uint64_t size = block_node_bytes(&file->parent);
    int err = 0;

    if (posix_memalign(&iov.iov_base, file->align, bytes)) {
        return -ENOMEM;
    }
    if (io->op == BLOCK_READ || !is_whole) {
        err = transfer(file, &whole);
    }
    if (!err && io->op == BLOCK_READ) {
        block_iov_from_buf(io, 0, (char *)iov.iov_base + io->offset - first, io->bytes);
    } else if (!err) {
        block_iov_to_buf(io, 0, (char *)iov.iov_base + io->offset - first, io->bytes);
        whole.op = BLOCK_WRITE;
        err = transfer(file, &whole);
        /* It ends where it did, or where the request does. */
        if (!err && !file->is_device && first + bytes > MAX(size, io->offset + io->bytes) &&
            ftruncate(file->fd, MAX(size, io->offset + io->bytes)) < 0) {
            err = -errno;
        }
    }
    free(iov.iov_base);
    return err;
}

/* Alone: no byte around, and no end of the file, changes meanwhile. */
static void enter(BlockFile *file, bool is_alone)
{
    if (is_alone) {
        block_gate_enter_alone(&file->gate);
    } else {
        block_gate_enter(&file->gate);
    }
}

static void leave(BlockFile *file, bool is_alone)
{
    if (is_alone) {
        block_gate_leave_alone(&file->gate);
    } else {
        block_gate_leave(&file->gate);
    }
}

/* Writes may have made the file longer; inside the gate, as who is alone there counts on it. */
static void grow(BlockFile *file, uint64_t end)
{
    uint64_t bytes = block_node_bytes(&file->parent);

    while (!file->is_device && end > bytes &&
           !__atomic_compare_exchange_n(&file->parent.bytes, &bytes, end, true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
    }
}

static int read_or_write(BlockFile *file, const BlockIo *io)
{
    bool is_bounced = !is_aligned(file, io);
    bool is_alone = io->op == BLOCK_WRITE && (io->offset | io->bytes) % file->align;
    int err;

    enter(file, is_alone);
    err = is_bounced ? transfer_bounced(file, io) : transfer(file, io);
    if (!err && io->op == BLOCK_WRITE) {
        grow(file, io->offset + io->bytes);
    }
    leave(file, is_alone);
    return err;
}

static bool cannot(int err)
{
    return err == -EOPNOTSUPP || err == -ENOTTY || err == -ENODEV || err == -EINVAL ||
           err == -ENOSYS;
}

static int punch(BlockFile *file, uint64_t offset, uint64_t bytes)
{
    int err;

    if (__atomic_load_n(&file->has_no_punch, __ATOMIC_RELAXED)) {
        return -ENOTSUP;
    }
    err = fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes) < 0 ?
              -errno : 0;
    if (cannot(err)) {
        __atomic_store_n(&file->has_no_punch, true, __ATOMIC_RELAXED);
        return -ENOTSUP;
    }
    return err;
}

static int zero_range(BlockFile *file, uint64_t offset, uint64_t bytes)
{
    int err;

    if (__atomic_load_n(&file->has_no_zero_range, __ATOMIC_RELAXED)) {
        return -ENOTSUP;
    }
    err = fallocate(file->fd, FALLOC_FL_ZERO_RANGE, offset, bytes) < 0 ? -errno : 0;
    if (cannot(err)) {
        __atomic_store_n(&file->has_no_zero_range, true, __ATOMIC_RELAXED);
        return -ENOTSUP;
    }
    return err;
}

static int zero_device(BlockFile *file, const BlockIo *io)
{
    uint64_t range[2] = { io->offset, io->bytes };

    if (ioctl(file->fd, BLKZEROOUT, range) < 0) {
        return cannot(-errno) ? -ENOTSUP : -errno;
    }
    return 0;
}

/* Inside the gate. What lies beyond the end is a matter of its length. */
static int zero_in_file(BlockFile *file, const BlockIo *io)
{
    int64_t bytes = find_bytes(file);
    uint64_t some;
    int err;

    if (bytes < 0 || io->offset >= bytes) {
        return MIN(bytes, 0);
    }
    some = MIN(io->bytes, bytes - io->offset);
    err = io->flags & BLOCK_MAY_UNMAP ? punch(file, io->offset, some) : -ENOTSUP;
    err = err == -ENOTSUP ? zero_range(file, io->offset, some) : err;
    if (!err) {
        grow(file, io->offset + some);
    }
    return err;
}

/* The end is only found and moved while no write moves it. */
static int extend(BlockFile *file, uint64_t end)
{
    int64_t bytes = find_bytes(file);
    int err = MIN(bytes, 0);

    if (!err && end > bytes) {
        enter(file, true);
        bytes = find_bytes(file);
        err = bytes < 0 ? bytes : end > bytes && ftruncate(file->fd, end) < 0 ? -errno : 0;
        if (!err) {
            grow(file, end);
        }
        leave(file, true);
    }
    return err;
}

static int write_zeroes(BlockFile *file, const BlockIo *io)
{
    int err;

    enter(file, false);
    err = file->is_device ? zero_device(file, io) : zero_in_file(file, io);
    leave(file, false);
    return err || file->is_device ? err : extend(file, io->offset + io->bytes);
}

static int discard(BlockFile *file, const BlockIo *io)
{
    uint64_t range[2] = { io->offset, io->bytes };
    int err;

    enter(file, false);
    if (file->is_device) {
        err = ioctl(file->fd, BLKDISCARD, range) < 0 ? -errno : 0;
        err = cannot(err) ? -ENOTSUP : err;
    } else {
        err = punch(file, io->offset, io->bytes);
    }
    leave(file, false);
    if (err) {
        __atomic_add_fetch(&file->discards_failed, 1, __ATOMIC_RELAXED);
    } else {
        __atomic_add_fetch(&file->discards_ok, 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&file->discarded_bytes, io->bytes, __ATOMIC_RELAXED);
    }
    return err == -ENOTSUP ? 0 : err;
}

static int flush(BlockFile *file)
{
    int lost = __atomic_load_n(&file->lost, __ATOMIC_RELAXED), err;

    if (lost) {
        return -lost;
    }
    if (!file->is_writable) {
        return 0;
    }
    err = fdatasync(file->fd) < 0 ? errno : 0;
    if (err && !file->parent.is_direct && err != EINTR) {
        __atomic_store_n(&file->lost, err, __ATOMIC_RELAXED);
    }
    return -err;
}

static int file_io(BlockNode *node, const BlockIo *io)
{
    BlockFile *file = (BlockFile *)node;

    switch (io->op) {
    case BLOCK_READ:
    case BLOCK_WRITE:
        return read_or_write(file, io);
    case BLOCK_ZERO:
        return write_zeroes(file, io);
    case BLOCK_DISCARD:
        return discard(file, io);
    default:
        return flush(file);
    }
}

static int file_copy_range(BlockNode *from, uint64_t from_at, BlockNode *to, uint64_t to_at,
                           uint64_t bytes)
{
    BlockFile *file = (BlockFile *)to;
    off_t in = from_at, out = to_at;
    int err = 0;

    enter(file, false);
    for (uint64_t left = bytes; left && !err;) {
        ssize_t moved = copy_file_range(((BlockFile *)from)->fd, &in, file->fd, &out, left, 0);

        if (moved <= 0) {
            err = moved && !cannot(-errno) && errno != EXDEV && errno != EINTR ? -errno :
                  moved && errno == EINTR ? 0 : -ENOTSUP;
        } else {
            left -= moved;
        }
    }
    if (!err) {
        grow(file, to_at + bytes);
    }
    leave(file, false);
    return err;
}

/* --- without blocking --- */

/* What the host has in memory, all of it: a thread would only copy it later. */
static bool read_cached(BlockFile *file, const BlockIo *io)
{
    ssize_t moved;

    if (io->op != BLOCK_READ || file->parent.is_direct || io->bytes > BLOCK_AT_ONCE_BYTES ||
        io->iov_count > MAX_PIECES || __atomic_load_n(&file->has_no_nowait, __ATOMIC_RELAXED)) {
        return false;
    }
    moved = preadv2(file->fd, io->iov, io->iov_count, io->offset, RWF_NOWAIT);
    if (moved < 0 && errno == EOPNOTSUPP) {
        __atomic_store_n(&file->has_no_nowait, true, __ATOMIC_RELAXED);
    }
    return moved >= 0 && moved == io->bytes;
}

static void uring_done(BlockRequest *request, void *opaque, int result)
{
    BlockFile *file = opaque;
    const BlockIo *io = &request->io;
    int err = MIN(result, 0);

    if (io->op == BLOCK_WRITE && result == io->bytes) {
        grow(file, io->offset + io->bytes);
    }
    leave(file, false);
    if (io->op != BLOCK_FLUSH && !err && result < io->bytes) {
        /* Short: the end of the file, or an interruption; rare enough to be asked again. */
        block_request_block(request, &file->parent);
        return;
    }
    if (io->op == BLOCK_FLUSH && err && !file->parent.is_direct) {
        __atomic_store_n(&file->lost, -err, __ATOMIC_RELAXED);
    }
    block_request_end(request, err);
}

static bool submit_uring(BlockFile *file, BlockRequest *request)
{
    const BlockIo *io = &request->io;

    if (io->iov_count > MAX_PIECES || !is_aligned(file, io) ||
        (io->op == BLOCK_FLUSH && __atomic_load_n(&file->lost, __ATOMIC_RELAXED)) ||
        !block_gate_try_enter(&file->gate)) {
        return false;
    }
    if (block_uring_submit(request, file->fd, uring_done, file)) {
        return true;
    }
    block_gate_leave(&file->gate);
    return false;
}

static bool file_submit(BlockNode *node, BlockRequest *request)
{
    BlockFile *file = (BlockFile *)node;

    if (file->has_uring) {
        return submit_uring(file, request);
    }
    if (!read_cached(file, &request->io)) {
        return false;
    }
    block_request_end(request, 0);
    return true;
}

/* --- the rest --- */

static int file_extent(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent)
{
    BlockFile *file = (BlockFile *)node;
    off_t data, hole;

    extent->flags = BLOCK_EXTENT_ALLOCATED | BLOCK_EXTENT_OFFSET | BLOCK_EXTENT_DATA;
    extent->host = node;
    extent->host_offset = offset;
    if (file->is_device) {
        return 0;
    }
    data = lseek(file->fd, offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO) {
        extent->flags = BLOCK_EXTENT_ALLOCATED | BLOCK_EXTENT_OFFSET | BLOCK_EXTENT_ZERO;
        return 0;
    }
    if (data < 0 || data < offset) {
        return 0; /* the file system does not say */
    }
    if (data > offset) {
        extent->flags = BLOCK_EXTENT_ALLOCATED | BLOCK_EXTENT_OFFSET | BLOCK_EXTENT_ZERO;
        extent->bytes = MIN(bytes, data - offset);
        return 0;
    }
    hole = lseek(file->fd, offset, SEEK_HOLE);
    if (hole > offset) {
        extent->bytes = MIN(bytes, hole - offset);
    }
    return 0;
}

static int fill_with_zeroes(BlockFile *file, uint64_t from, uint64_t to)
{
    g_autofree char *zeroes = g_malloc0(ZERO_CHUNK);
    int err = 0;

    while (from < to && !err) {
        struct iovec iov = { zeroes, MIN(ZERO_CHUNK, to - from) };
        BlockIo io = { BLOCK_WRITE, 0, from, iov.iov_len, &iov, 1 };

        err = read_or_write(file, &io);
        from += iov.iov_len;
    }
    return err;
}

static bool preallocate(BlockFile *file, uint64_t old, uint64_t bytes, BlockPrealloc prealloc,
                        Error **errp)
{
    int err = 0;

    if (prealloc == BLOCK_PREALLOC_FALLOC && bytes > old) {
        err = -posix_fallocate(file->fd, old, bytes - old);
    } else if (prealloc == BLOCK_PREALLOC_FULL) {
        err = fill_with_zeroes(file, old, bytes);
    }
    return !err || error_set_errno(errp, -err, "Could not preallocate '%s'", file->path);
}

static bool file_resize(BlockNode *node, uint64_t bytes, BlockPrealloc prealloc, Error **errp)
{
    BlockFile *file = (BlockFile *)node;
    uint64_t old = block_node_bytes(node);

    if (file->is_device) {
        int64_t now = find_bytes(file);

        if (now < 0 || bytes > now) {
            return error_set(errp, "Cannot grow device files");
        }
        return take_bytes(file, errp);
    }
    if (prealloc == BLOCK_PREALLOC_METADATA || (prealloc != BLOCK_PREALLOC_OFF && bytes < old)) {
        return error_set(errp, "Unsupported preallocation mode: %s",
                         enum_table_name(&prealloc_mode_names, prealloc));
    }
    if (ftruncate(file->fd, bytes) < 0) {
        return error_set_errno(errp, errno, "Failed to resize the file");
    }
    if (!preallocate(file, old, bytes, prealloc, errp)) {
        if (ftruncate(file->fd, old) < 0) {
            error_prefix(errp, "Its size could not be put back: ");
        }
        return false;
    }
    return take_bytes(file, errp);
}

static int64_t file_host_bytes(BlockNode *node)
{
    struct stat st;

    return fstat(((BlockFile *)node)->fd, &st) < 0 ? -errno : st.st_blocks * INT64_C(512);
}

static void file_stats(BlockNode *node, BlockStats *stats)
{
    BlockFile *file = (BlockFile *)node;
    BlockStatsSpecific *specific = g_new0(BlockStatsSpecific, 1);

    specific->driver = node->driver->kind;
    specific->u.file.discard_nb_ok = file->discards_ok;
    specific->u.file.discard_nb_failed = file->discards_failed;
    specific->u.file.discard_bytes_ok = file->discarded_bytes;
    stats->driver_specific = specific;
}

const BlockDriver block_file = {
    .name = "file", .kind = BLOCKDEV_DRIVER_FILE, .size = sizeof(BlockFile), .is_protocol = true,
    .open = file_open, .close = file_close, .reopen = file_reopen,
    .reopen_end = file_reopen_end, .create = block_file_create, .io = file_io,
    .submit = file_submit, .extent = file_extent, .resize = file_resize,
    .set_perms = file_set_perms, .taken = file_taken, .host_bytes = file_host_bytes,
    .stats = file_stats, .copy_range = file_copy_range,
};
const BlockDriver block_host_device = {
    .name = "host_device", .kind = BLOCKDEV_DRIVER_HOST_DEVICE, .size = sizeof(BlockFile),
    .is_protocol = true, .open = file_open, .close = file_close, .reopen = file_reopen,
    .reopen_end = file_reopen_end, .io = file_io,
    .submit = file_submit, .extent = file_extent, .resize = file_resize,
    .set_perms = file_set_perms, .taken = file_taken, .host_bytes = file_host_bytes,
    .stats = file_stats, .copy_range = file_copy_range,
};
