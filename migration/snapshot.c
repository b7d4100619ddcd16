/*
 * See include/system/machine_snapshot.h. The machine's state is the stream of a migration; a pipe brings it
 * between the thread that makes or reads the records and the one that writes or reads the image.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "migration/snapshot.h"

#include <fcntl.h>

#include "block/block_backend.h"
#include "block/block_image.h"
#include "migration/load.h"
#include "migration/migration.h"
#include "migration/outgoing.h"
#include "migration/run_state_section.h"
#include "migration/save.h"
#include "qapi/qapi-types-block-core.h"
#include "system/clock.h"
#include "system/machine_lock.h"
#include "system/machine_snapshot.h"
#include "system/migration_blocker.h"
#include "system/run_state.h"
#include "util/thread.h"

#define CHUNK (1 * MiB)

/* --- which disks --- */

typedef struct Disks {
    GPtrArray *nodes;   /* borrowed */
    BlockNode *vm_state;
} Disks;

static void disks_clear(Disks *disks)
{
    g_clear_pointer(&disks->nodes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Disks, disks_clear)

static void add_drive(void *opaque, BlockBackend *drive)
{
    BlockNode *node = block_backend_node(drive);
    GPtrArray *nodes = opaque;

    if (node && !block_node_is_read_only(node) && !g_ptr_array_find(nodes, node, NULL)) {
        g_ptr_array_add(nodes, node);
    }
}

static bool add_named(GPtrArray *nodes, const char *const *names, Error **errp)
{
    for (; *names; names++) {
        BlockNode *node = block_node_find(*names);

        if (!node) {
            return error_set(errp, "No block device node '%s'", *names);
        }
        g_ptr_array_add(nodes, node);
    }
    return true;
}

static bool check_disks(const Disks *disks, Error **errp)
{
    for (guint i = 0; i < disks->nodes->len; i++) {
        BlockNode *node = disks->nodes->pdata[i];

        if (!block_images_check_ours(node, errp)) {
            return false;
        }
        if (!block_image_has_snapshots(node) || block_node_is_read_only(node)) {
            return error_set(errp, "Device '%s' is writable but does not support snapshots",
                             block_node_name(node));
        }
    }
    return disks->nodes->len || error_set(errp, "No block device can accept snapshots");
}

static bool find_disks(Disks *disks, const MachineSnapshot *snapshot, Error **errp)
{
    disks->nodes = g_ptr_array_new();
    if (snapshot->devices && !add_named(disks->nodes, snapshot->devices, errp)) {
        return false;
    }
    if (!snapshot->devices) {
        block_backend_each(add_drive, disks->nodes);
    }
    if (!check_disks(disks, errp)) {
        return false;
    }
    disks->vm_state = snapshot->vm_state ? block_node_find(snapshot->vm_state) :
                                           disks->nodes->pdata[0];
    if (!disks->vm_state || !g_ptr_array_find(disks->nodes, disks->vm_state, NULL)) {
        return error_set(errp, "vmstate block device '%s' does not exist", snapshot->vm_state);
    }
    return true;
}

static bool has_one(BlockNode *node, const char *name)
{
    g_autoptr(SnapshotInfo) info = block_snapshot_find(node, NULL, name);

    return info != NULL;
}

static unsigned count_with(const Disks *disks, const char *name)
{
    unsigned count = 0;

    for (guint i = 0; i < disks->nodes->len; i++) {
        count += has_one(disks->nodes->pdata[i], name);
    }
    return count;
}

/* Of one name, wherever there is one. */
static bool delete_all(const Disks *disks, const char *name, Error **errp)
{
    for (guint i = 0; i < disks->nodes->len; i++) {
        BlockNode *node = disks->nodes->pdata[i];
        int err = has_one(node, name) ?
                      block_image_snapshot(node, BLOCK_SNAPSHOT_DELETE, NULL, name) : 0;

        if (err) {
            return error_set_errno(errp, -err, "Could not delete snapshot '%s' on '%s'", name,
                                   block_node_name(node));
        }
    }
    return true;
}

/* --- the state of the machine --- */

typedef struct Transfer {
    MigrationStream *stream; /* the records' end of the pipe */
    BlockNode *node;
    int fd;                  /* the image's end */
    uint64_t bytes;          /* of the state */
    Error *error;            /* the thread's */
} Transfer;

static bool open_pipe(Transfer *t, bool is_saving, Error **errp)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0) {
        return error_set_errno(errp, errno, "Could not make a pipe");
    }
    t->fd = fds[is_saving ? 0 : 1];
    t->stream = migration_stream_new("snapshot");
    migration_stream_attach(t->stream, fds[is_saving ? 1 : 0]);
    return true;
}

static bool write_records(MigrationStream *stream, Error **errp)
{
    g_autoptr(SaveSession) session = save_session_new(stream);
    bool is_done = false;

    if (!save_session_begin(session, errp)) {
        return false;
    }
    while (!is_done) {
        if (!save_session_iterate(session, &is_done, errp)) {
            return false;
        }
    }
    return save_session_complete(session, errp) && migration_stream_finish(stream, errp);
}

static gpointer save_thread(gpointer opaque)
{
    Transfer *t = opaque;

    migration_thread_enter("savevm");
    if (!write_records(t->stream, &t->error)) {
        migration_stream_cancel(t->stream);
    }
    g_clear_pointer(&t->stream, migration_stream_free); /* the reader sees the end */
    migration_thread_leave();
    return NULL;
}

/* As many bytes as there are, a chunk at most; 0: the end. */
static ssize_t read_chunk(int fd, char *buf)
{
    size_t done = 0;

    while (done < CHUNK) {
        ssize_t got = read(fd, buf + done, CHUNK - done);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? -errno : done;
        }
        done += got;
    }
    return done;
}

static int take_state(Transfer *t)
{
    g_autofree char *buf = g_malloc(CHUNK);
    ssize_t got;

    while ((got = read_chunk(t->fd, buf)) > 0) {
        int err = block_image_vm_state(t->node, true, t->bytes, buf, got);

        if (err) {
            return err;
        }
        t->bytes += got;
    }
    return got;
}

static gpointer load_thread(gpointer opaque)
{
    Transfer *t = opaque;
    g_autofree char *buf = g_malloc(CHUNK);
    int err = 0;

    for (uint64_t done = 0, bytes; done < t->bytes && !err; done += bytes) {
        bytes = MIN(CHUNK, t->bytes - done);
        err = block_image_vm_state(t->node, false, done, buf, bytes);
        for (uint64_t sent = 0; sent < bytes && !err;) {
            ssize_t now = write(t->fd, buf + sent, bytes - sent);

            err = now < 0 && errno != EINTR ? -errno : 0;
            sent += MAX(now, 0);
        }
    }
    if (err && err != -EPIPE) {
        error_set_errno(&t->error, -err, "Could not read the state of the machine");
    }
    close(t->fd);
    return NULL;
}

/* Without the lock: the other thread takes it for each record. */
static bool save_state(Transfer *t, Error **errp)
{
    g_autofree char *why = NULL;
    GThread *thread;
    int err;

    if (!open_pipe(t, true, errp)) {
        return false;
    }
    thread = thread_new("savevm", save_thread, t, &why);
    if (!thread) {
        close(t->fd);
        migration_stream_free(t->stream);
        return error_set(errp, "%s", why);
    }
    machine_unlock();
    err = take_state(t);
    close(t->fd); /* a writer that has more fails */
    g_thread_join(thread);
    machine_lock();
    if (err) {
        error_free(t->error);
        return error_set_errno(errp, -err, "Error while writing VM state");
    }
    return error_propagate(errp, t->error);
}

static bool load_state(Transfer *t, Error **errp)
{
    g_autofree char *why = NULL;
    Error *err = NULL;
    GThread *thread;

    if (!open_pipe(t, false, errp)) {
        return false;
    }
    thread = thread_new("loadvm", load_thread, t, &why);
    if (!thread) {
        close(t->fd);
        migration_stream_free(t->stream);
        return error_set(errp, "%s", why);
    }
    machine_unlock();
    load_machine(t->stream, &err);
    migration_stream_free(t->stream); /* a writer that has more ends */
    g_thread_join(thread);
    machine_lock();
    if (t->error) {
        error_free(err);
        return error_propagate(errp, t->error);
    }
    return error_propagate(errp, err);
}

/* --- acts --- */

static bool check_machine(Error **errp)
{
    if (migration_is_active()) {
        return error_set(errp, "There's a migration process in progress");
    }
    return run_state_current() != RUN_STATE_INMIGRATE ||
           error_set(errp, "Guest is waiting for an incoming migration");
}

static bool make_all(const Disks *disks, const char *name, uint64_t bytes, Error **errp)
{
    BlockSnapshotNew new = { .name = name, .vm_clock_ns = clock_now_ns(CLOCK_VIRTUAL) };

    for (guint i = 0; i < disks->nodes->len; i++) {
        BlockNode *node = disks->nodes->pdata[i];
        int err;

        new.vm_state_bytes = node == disks->vm_state ? bytes : 0;
        err = block_image_snapshot_new(node, &new);
        if (err) {
            delete_all(disks, name, NULL);
            return error_set_errno(errp, -err, "Could not create snapshot '%s' on '%s'", name,
                                   block_node_name(node));
        }
    }
    return true;
}

static bool save_stopped(const Disks *disks, const char *name, Error **errp)
{
    Transfer t = { .node = disks->vm_state };
    bool is_ok;

    migration_set_active(true);
    is_ok = save_state(&t, errp);
    migration_set_active(false);
    is_ok = is_ok && make_all(disks, name, t.bytes, errp);
    block_image_vm_state_drop(disks->vm_state);
    return is_ok;
}

static bool save(const MachineSnapshot *snapshot, Error **errp)
{
    RunState before = run_state_current();
    bool was_running = vm_is_running(), is_ok;
    g_auto(Disks) disks = { NULL };

    if (!check_machine(errp) || !migration_blocker_check(errp) ||
        !find_disks(&disks, snapshot, errp)) {
        return false;
    }
    if (count_with(&disks, snapshot->name) && !snapshot->may_replace) {
        return error_set(errp, "Snapshot '%s' already exists in one or more devices",
                         snapshot->name);
    }
    vm_stop(RUN_STATE_SAVE_VM);
    block_drain_all();
    run_state_section_note(before);
    is_ok = delete_all(&disks, snapshot->name, errp) &&
            save_stopped(&disks, snapshot->name, errp);
    if (was_running) {
        vm_start();
    }
    return is_ok;
}

static bool apply_all(const Disks *disks, const char *name, Error **errp)
{
    for (guint i = 0; i < disks->nodes->len; i++) {
        BlockNode *node = disks->nodes->pdata[i];
        int err = block_image_snapshot(node, BLOCK_SNAPSHOT_APPLY, NULL, name);

        if (err) {
            return error_set_errno(errp, -err, "Could not load snapshot '%s' on '%s'", name,
                                   block_node_name(node));
        }
    }
    return true;
}

static bool load_stopped(const Disks *disks, const char *name, uint64_t bytes, Error **errp)
{
    Transfer t = { .node = disks->vm_state, .bytes = bytes };
    bool is_ok;

    if (!apply_all(disks, name, errp)) {
        return false;
    }
    vm_reset(SHUTDOWN_CAUSE_SNAPSHOT_LOAD);
    migration_set_active(true);
    is_ok = load_state(&t, errp);
    migration_set_active(false);
    block_image_vm_state_drop(disks->vm_state);
    return is_ok;
}

static bool load(const MachineSnapshot *snapshot, Error **errp)
{
    g_auto(Disks) disks = { NULL };
    g_autoptr(SnapshotInfo) info = NULL;

    if (!check_machine(errp) || !find_disks(&disks, snapshot, errp)) {
        return false;
    }
    if (count_with(&disks, snapshot->name) < disks.nodes->len) {
        return error_set(errp, "Snapshot '%s' does not exist in one or more devices",
                         snapshot->name);
    }
    info = block_snapshot_find(disks.vm_state, NULL, snapshot->name);
    if (!info->vm_state_size) {
        return error_set(errp, "This is a disk-only snapshot. Revert to it offline using qemu-img");
    }
    vm_stop(RUN_STATE_RESTORE_VM);
    block_drain_all();
    return load_stopped(&disks, snapshot->name, info->vm_state_size, errp);
}

static bool delete(const MachineSnapshot *snapshot, Error **errp)
{
    g_auto(Disks) disks = { NULL };

    if (!find_disks(&disks, snapshot, errp)) {
        return false;
    }
    block_drain_all();
    return delete_all(&disks, snapshot->name, errp);
}

void snapshot_register(void)
{
    static const MachineSnapshotOps ops = { save, load, delete };

    machine_snapshot_set_ops(&ops);
}
