/*
 * Requests of drives: bounds, what happens to errors, waiting for all of them. See
 * include/block/block_backend.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/accounting.h"
#include "block/loop.h"

#include "qapi/qapi-events-block-core.h"

static BlockMachineOps machine;

void block_set_machine_ops(const BlockMachineOps *ops)
{
    machine = *ops;
}

/* --- errors --- */

static BlockErrorAction choose_action(const BlockBackend *drive, const BlockIo *io, int err)
{
    switch (io->op == BLOCK_READ ? drive->on_read : drive->on_write) {
    case BLOCK_ERROR_IGNORE:
        return BLOCK_ERROR_ACTION_IGNORE;
    case BLOCK_ERROR_STOP:
        return machine.stop ? BLOCK_ERROR_ACTION_STOP : BLOCK_ERROR_ACTION_REPORT;
    case BLOCK_ERROR_ENOSPC:
        return err == -ENOSPC && machine.stop ? BLOCK_ERROR_ACTION_STOP :
                                                BLOCK_ERROR_ACTION_REPORT;
    default:
        return BLOCK_ERROR_ACTION_REPORT;
    }
}

typedef struct Failure {
    char *drive, *node;
    BlockOp op;
    BlockErrorAction action;
    bool has_status;
    int err;
} Failure;

/* In the main loop: requests of an iothread fail elsewhere. */
static void tell(void *opaque)
{
    Failure *failure = opaque;

    qapi_event_send_block_io_error(failure->drive, failure->node,
                                   failure->op == BLOCK_READ ? IO_OPERATION_TYPE_READ :
                                                               IO_OPERATION_TYPE_WRITE,
                                   failure->action,
                                   failure->has_status,
                                   failure->err == -ENOSPC, g_strerror(-failure->err));
    if (failure->action == BLOCK_ERROR_ACTION_STOP) {
        machine.stop();
    }
    g_free(failure->drive);
    g_free(failure->node);
    g_free(failure);
}

static void note_failure(BlockBackend *drive, const BlockIo *io, BlockErrorAction action, int err)
{
    Failure *failure = g_new0(Failure, 1);

    *failure = (Failure){ g_strdup(block_backend_name(drive)),
                          g_strdup(block_node_name(block_backend_node(drive))), io->op, action,
                          block_backend_tells_status(drive), err };
    if (drive->has_io_status && drive->io_status == BLOCK_DEVICE_IO_STATUS_OK &&
        action == BLOCK_ERROR_ACTION_STOP) {
        drive->io_status = err == -ENOSPC ? BLOCK_DEVICE_IO_STATUS_NOSPACE :
                                            BLOCK_DEVICE_IO_STATUS_FAILED;
    }
    event_loop_defer(event_loop_main(), tell, failure);
}

/* --- a request --- */

static void start(BlockBackend *drive, BlockRequest *request);

static void leave(BlockBackend *drive)
{
    __atomic_sub_fetch(&drive->in_flight, 1, __ATOMIC_ACQ_REL);
}

/* It is tried again when the VM runs. */
static void keep_failed(BlockBackend *drive, BlockRequest *request)
{
    g_mutex_lock(&drive->lock);
    g_queue_push_tail(&drive->failed, request);
    g_mutex_unlock(&drive->lock);
}

static void ended(BlockRequest *request, void *opaque, int err)
{
    BlockBackend *drive = opaque;
    BlockErrorAction action;

    request->io = request->first;
    block_count(drive, &request->io, request->merged, request->start_ns, err);
    if (!err) {
        leave(drive);
        block_request_end(request, 0);
        return;
    }
    action = choose_action(drive, &request->io, err);
    note_failure(drive, &request->io, action, err);
    if (action == BLOCK_ERROR_ACTION_STOP) {
        keep_failed(drive, request);
    }
    leave(drive);
    if (action != BLOCK_ERROR_ACTION_STOP) {
        block_request_end(request, action == BLOCK_ERROR_ACTION_IGNORE ? 0 : err);
    }
}

static int check(const BlockBackend *drive, const BlockIo *io)
{
    uint64_t bytes = block_backend_bytes(drive);

    if (!drive->link) {
        return -ENOMEDIUM;
    }
    if (io->op == BLOCK_FLUSH) {
        return 0;
    }
    if (io->offset > bytes || io->bytes > bytes - io->offset) {
        return -EIO;
    }
    return io->op != BLOCK_READ &&
           (block_backend_is_read_only(drive) || block_images_are_elsewhere()) ? -EPERM : 0;
}

static void submit(void *opaque)
{
    BlockRequest *request = opaque;

    block_submit(block_backend_node(request->backend), request);
}

/* What was kept back is let go elsewhere than where it belongs. */
static void submit_in_its_loop(BlockRequest *request)
{
    if (request->loop == event_loop_current()) {
        submit(request);
    } else {
        event_loop_defer(request->loop, submit, request);
    }
}

static void go_on(BlockRequest *request, void *opaque, int err)
{
    submit_in_its_loop(request);
}

static void start(BlockBackend *drive, BlockRequest *request)
{
    __atomic_add_fetch(&drive->in_flight, 1, __ATOMIC_ACQ_REL);
    request->io = request->first;
    request->start_ns = host_monotonic_ns();
    request->hooks[0].fn = ended;
    request->hooks[0].opaque = drive;
    request->hook_count = 1;
    if (!drive->has_write_cache &&
        (request->io.op == BLOCK_WRITE || request->io.op == BLOCK_ZERO)) {
        request->io.flags |= BLOCK_FUA;
    }
    if (!drive->throttle || throttle_member_pass(drive->throttle, request, go_on, drive)) {
        submit_in_its_loop(request);
    }
}

static bool hold_if_quiet(BlockBackend *drive, BlockRequest *request)
{
    bool is_quiet;

    g_mutex_lock(&drive->lock);
    is_quiet = drive->quiet > 0;
    if (is_quiet) {
        g_queue_push_tail(&drive->held, request);
    }
    g_mutex_unlock(&drive->lock);
    return is_quiet;
}

void block_backend_submit(BlockBackend *drive, BlockRequest *request)
{
    int err = check(drive, &request->io);

    if (!request->loop) {
        request->loop = event_loop_current();
    }
    request->hook_count = 0;
    request->first = request->io;
    request->backend = drive;
    drive->last_loop = request->loop;
    if (err) {
        request->done(request, err);
        return;
    }
    if (!__atomic_load_n(&drive->quiet, __ATOMIC_ACQUIRE) || !hold_if_quiet(drive, request)) {
        start(drive, request);
    }
}

int block_backend_io(BlockBackend *drive, const BlockIo *io)
{
    int err = check(drive, io);
    int64_t since = host_monotonic_ns();

    if (!err) {
        err = io->op == BLOCK_FLUSH ? block_flush(block_backend_node(drive)) :
                                      block_io(block_backend_node(drive), io);
        block_count(drive, io, 0, since, err);
    }
    return err;
}

static int simple(BlockBackend *drive, BlockOp op, uint64_t offset, void *buf, size_t bytes)
{
    struct iovec iov = { buf, bytes };
    BlockIo io = { op, 0, offset, bytes, &iov, 1 };

    return block_backend_io(drive, &io);
}

int block_backend_read(BlockBackend *drive, uint64_t offset, void *buf, size_t bytes)
{
    return simple(drive, BLOCK_READ, offset, buf, bytes);
}

int block_backend_write(BlockBackend *drive, uint64_t offset, const void *buf, size_t bytes)
{
    return simple(drive, BLOCK_WRITE, offset, (void *)buf, bytes);
}

/* --- waiting --- */

static bool is_idle(void *opaque)
{
    return !__atomic_load_n(&((BlockBackend *)opaque)->in_flight, __ATOMIC_ACQUIRE);
}

static BlockRequest *take(BlockBackend *drive, GQueue *queue)
{
    BlockRequest *request;

    g_mutex_lock(&drive->lock);
    request = g_queue_pop_head(queue);
    g_mutex_unlock(&drive->lock);
    return request;
}

static void give_up(BlockBackend *drive, GQueue *queue)
{
    BlockRequest *request;

    while ((request = take(drive, queue))) {
        request->hook_count = 0;
        request->done(request, -ECANCELED);
    }
}

static void hurry_node(BlockNode *node, bool is_on)
{
    if (node->driver->hurry) {
        node->driver->hurry(node, is_on);
    }
    for (guint i = 0; i < node->children->len; i++) {
        hurry_node(((BlockLink *)node->children->pdata[i])->node, is_on);
    }
}

static void hurry(BlockBackend *drive, bool is_on)
{
    if (drive->throttle) {
        throttle_member_hurry(drive->throttle, is_on);
    }
    if (drive->link) {
        hurry_node(block_link_node(drive->link), is_on);
    }
}

void block_backend_drain(BlockBackend *drive, bool gives_up)
{
    if (!is_idle(drive)) {
        hurry(drive, true);
        /* Requests of an iothread end there; this only waits for them. */
        block_loop_wait(block_loop_of(event_loop_main()), is_idle, drive);
        hurry(drive, false);
    }
    if (gives_up) {
        give_up(drive, &drive->held);
        give_up(drive, &drive->failed);
    }
}

static void drain(void *opaque, BlockBackend *drive)
{
    block_backend_drain(drive, false);
}

void block_drain_all(void)
{
    block_backend_each(drain, NULL);
}

void block_backend_begin_quiet(BlockBackend *drive)
{
    g_mutex_lock(&drive->lock);
    __atomic_add_fetch(&drive->quiet, 1, __ATOMIC_ACQ_REL);
    g_mutex_unlock(&drive->lock);
    block_backend_drain(drive, false);
}

void block_backend_end_quiet(BlockBackend *drive)
{
    BlockRequest *request;

    if (__atomic_sub_fetch(&drive->quiet, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    while ((request = take(drive, &drive->held))) {
        int err = check(drive, &request->first);

        if (err) {
            request->hook_count = 0;
            request->done(request, err);
        } else {
            start(drive, request);
        }
    }
}

/* --- the machine --- */

static void try_again(void *opaque, BlockBackend *drive)
{
    guint left = drive->failed.length; /* what fails again waits again */
    BlockRequest *request;

    drive->io_status = BLOCK_DEVICE_IO_STATUS_OK;
    while (left-- && (request = take(drive, &drive->failed))) {
        start(drive, request);
    }
}

void block_vm_runs(void)
{
    block_backend_each(try_again, NULL);
}

static void write_back(void *opaque, BlockBackend *drive)
{
    BlockNode *node = block_backend_node(drive);

    block_backend_drain(drive, false);
    if (node && !block_node_is_read_only(node)) {
        block_flush(node); /* a failure is told to the guest's next flush */
    }
}

void block_vm_stopped(void)
{
    block_backend_each(write_back, NULL);
}
