/*
 * ivshmem-doorbell: shared memory and interrupts between machines that a server brings together
 * (QEMU's "ivshmem-spec", client-server protocol version 0). The server sends numbers of 64 bits,
 * little-endian, with descriptors: the version, our id, -1 with the memory; then, for each peer
 * and each of its vectors, its id with an eventfd; an id without a descriptor is a peer that left.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ivshmem.h"

#include <glib-unix.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "hw/core/chardev_property.h"
#include "hw/pci/msi.h"
#include "system/machine_lock.h"
#include "system/ram_block.h"
#include "util/event_loop.h"

#define PROTOCOL_VERSION 0
#define MAX_PEER         65535
#define MAX_VECTORS      64
#define MESSAGE_BYTES    8
#define NO_FD            (-1)
#define PATIENCE_MS      10000 /* a server that says nothing */

typedef enum Stage { WANT_VERSION, WANT_ID, WANT_MEMORY, PEERS, FAILED } Stage;

typedef struct Doorbell Doorbell;

/* One of our own vectors. */
typedef struct Vector {
    Doorbell *d;
    FdWatch *watch;
} Vector;

struct Doorbell {
    Ivshmem parent;
    CharFrontend chr; /* properties */
    uint32_t vectors;
    bool has_ioeventfd;
    MemoryRegion memory;
    GHashTable *peers; /* id -> GArray of int, an eventfd per vector */
    Vector own[MAX_VECTORS];
    Stage stage;
    uint8_t message[MESSAGE_BYTES];
    unsigned got;
    int fd; /* that came with the message */
    Error *error;
};
DECLARE_CAST(Doorbell, DOORBELL)

/* --- doorbells of peers --- */

static void free_fds(gpointer data)
{
    GArray *fds = data;

    for (guint i = 0; i < fds->len; i++) {
        close(g_array_index(fds, int, i));
    }
    g_array_unref(fds);
}

static MemoryEventfd doorbell_of(unsigned peer, unsigned vector, int fd)
{
    return (MemoryEventfd){ .offset = IVSHMEM_DOORBELL, .bytes = 4, .must_match = true,
                            .data = peer << 16 | vector, .fd = fd };
}

static void unhook_peer(Doorbell *d, unsigned peer, const GArray *fds)
{
    for (guint i = 0; d->has_ioeventfd && i < fds->len; i++) {
        MemoryEventfd bell = doorbell_of(peer, i, g_array_index(fds, int, i));

        memory_region_remove_eventfd(&d->parent.bank.region, &bell);
    }
}

static void own_rang(void *opaque, GIOCondition events)
{
    Vector *vector = opaque;
    Doorbell *d = vector->d;
    unsigned n = vector - d->own;
    GArray *fds = g_hash_table_lookup(d->peers, GUINT_TO_POINTER(d->parent.id));
    eventfd_t count;

    if (fds && !eventfd_read(g_array_index(fds, int, n), &count) &&
        msix_is_enabled(&d->parent.parent)) {
        msix_notify(&d->parent.parent, n);
    }
}

static void drop_own(Doorbell *d)
{
    for (unsigned i = 0; i < MAX_VECTORS; i++) {
        g_clear_pointer(&d->own[i].watch, fd_watch_free);
    }
}

static void remove_peer(Doorbell *d, unsigned peer)
{
    GArray *fds = g_hash_table_lookup(d->peers, GUINT_TO_POINTER(peer));

    if (!fds) {
        return;
    }
    if (peer == d->parent.id) {
        drop_own(d);
    }
    unhook_peer(d, peer, fds);
    g_hash_table_remove(d->peers, GUINT_TO_POINTER(peer));
}

/* The next vector of a peer, or of ours. */
static void add_vector(Doorbell *d, unsigned peer, int fd)
{
    GArray *fds = g_hash_table_lookup(d->peers, GUINT_TO_POINTER(peer));
    bool is_own = peer == d->parent.id;
    MemoryEventfd bell;

    if (!fds) {
        fds = g_array_new(false, false, sizeof(int));
        g_hash_table_insert(d->peers, GUINT_TO_POINTER(peer), fds);
    }
    if (fds->len >= (is_own ? d->vectors : MAX_VECTORS)) {
        warn_report("ivshmem-doorbell: the server sent more vectors of peer %u than there can be",
                    peer);
        close(fd);
        return;
    }
    g_unix_set_fd_nonblocking(fd, true, NULL);
    g_array_append_val(fds, fd);
    if (is_own) {
        Vector *vector = &d->own[fds->len - 1];

        vector->d = d;
        vector->watch = fd_watch_new(event_loop_main(), fd, G_IO_IN, own_rang, vector);
    }
    bell = doorbell_of(peer, fds->len - 1, fd);
    if (d->has_ioeventfd) {
        memory_region_add_eventfd(&d->parent.bank.region, &bell);
    }
}

static void ring(Ivshmem *shm, unsigned peer, unsigned vector)
{
    GArray *fds = g_hash_table_lookup(DOORBELL(shm)->peers, GUINT_TO_POINTER(peer));

    if (fds && vector < fds->len) {
        eventfd_write(g_array_index(fds, int, vector), 1);
    }
}

/* --- the protocol --- */

/* NO_FD once the descriptor has an owner. */
static int steal_fd(Doorbell *d)
{
    int fd = d->fd;

    d->fd = NO_FD;
    return fd;
}

static bool take_memory(Doorbell *d, Error **errp)
{
    RamSpec spec = { .name = "ivshmem.bar2", .flags = RAM_SHARED, .has_fd = true };
    struct stat st;

    if (fstat(d->fd, &st) < 0) {
        return error_set_errno(errp, errno, "can't determine size of shared memory sent by server");
    }
    spec.bytes = st.st_size;
    spec.fd = steal_fd(d);
    if (!memory_region_init_ram_spec(&d->memory, (Object *)d, &spec, errp)) {
        close(spec.fd);
        return false;
    }
    return true;
}

static Stage hand_shake(Doorbell *d, int64_t value)
{
    switch (d->stage) {
    case WANT_VERSION:
        if (value != PROTOCOL_VERSION || d->fd != NO_FD) {
            error_set(&d->error, "server sent protocol version %" PRId64 ", not %d", value,
                      PROTOCOL_VERSION);
            return FAILED;
        }
        return WANT_ID;
    case WANT_ID:
        if (value < 0 || value > MAX_PEER || d->fd != NO_FD) {
            error_set(&d->error, "server sent invalid ID %" PRId64, value);
            return FAILED;
        }
        d->parent.id = value;
        return WANT_MEMORY;
    default:
        if (value != -1 || d->fd == NO_FD) {
            error_set(&d->error, "server sent no shared memory");
            return FAILED;
        }
        return take_memory(d, &d->error) ? PEERS : FAILED;
    }
}

static void tell_peer(Doorbell *d, int64_t value)
{
    if (value < 0 || value > MAX_PEER) {
        warn_report("ivshmem-doorbell: the server sent the peer %" PRId64, value);
    } else if (d->fd == NO_FD) {
        remove_peer(d, value);
    } else {
        add_vector(d, value, steal_fd(d));
    }
}

static void take_message(Doorbell *d)
{
    int64_t value = load_le64(d->message);

    d->got = 0;
    if (d->stage < PEERS) {
        d->stage = hand_shake(d, value);
    } else if (d->stage == PEERS) {
        tell_peer(d, value);
    }
    if (d->fd != NO_FD) {
        close(steal_fd(d));
    }
}

static size_t can_read(void *opaque)
{
    return MESSAGE_BYTES - DOORBELL(opaque)->got;
}

static void read_bytes(void *opaque, const uint8_t *bytes, size_t size)
{
    Doorbell *d = opaque;
    int fd;

    if (char_frontend_take_fds(&d->chr, &fd, 1)) {
        if (d->fd != NO_FD) {
            close(d->fd);
        }
        d->fd = fd;
    }
    memcpy(d->message + d->got, bytes, size);
    d->got += size;
    if (d->got == MESSAGE_BYTES) {
        take_message(d);
    }
}

static void line_event(void *opaque, CharEvent event)
{
    Doorbell *d = opaque;

    if (event == CHAR_EVENT_CLOSED && d->stage < PEERS) {
        d->stage = FAILED;
        error_set(&d->error, "the server went away");
    }
}

static const CharHandlers handlers = { can_read, read_bytes, line_event };

static gboolean lose_patience(gpointer opaque)
{
    Doorbell *d = opaque;

    if (d->stage < PEERS) {
        d->stage = FAILED;
        error_set(&d->error, "the server says nothing");
    }
    return G_SOURCE_REMOVE;
}

/*
 * A device is whole when it is realized: the size of its memory is that of a BAR. So the server is
 * heard out here, in a context in which nothing else runs.
 */
static bool meet_server(Doorbell *d, Error **errp)
{
    GMainContext *context = g_main_context_new();
    GSource *patience = g_timeout_source_new(PATIENCE_MS);

    g_source_set_callback(patience, lose_patience, d, NULL);
    g_source_attach(patience, context);
    char_frontend_set_handlers(&d->chr, &handlers, d, context);
    while (d->stage < PEERS) {
        g_main_context_iteration(context, true);
    }
    g_source_destroy(patience);
    g_source_unref(patience);
    char_frontend_set_handlers(&d->chr, NULL, NULL, NULL);
    g_main_context_unref(context);
    if (d->stage == FAILED) {
        error_propagate(errp, g_steal_pointer(&d->error));
        return false;
    }
    return true;
}

/* --- life --- */

static void forget_all(Doorbell *d)
{
    GHashTableIter it;
    gpointer peer, fds;

    char_frontend_set_handlers(&d->chr, NULL, NULL, NULL);
    drop_own(d);
    g_hash_table_iter_init(&it, d->peers);
    while (g_hash_table_iter_next(&it, &peer, &fds)) {
        unhook_peer(d, GPOINTER_TO_UINT(peer), fds);
    }
    g_clear_pointer(&d->peers, g_hash_table_unref);
    if (d->fd != NO_FD) {
        close(steal_fd(d));
    }
    error_free(g_steal_pointer(&d->error));
}

static bool start_memory(Doorbell *d, Error **errp)
{
    return ram_block_set_id(d->memory.ram, d->parent.parent.parent.id, "ivshmem.bar2", errp) &&
           msix_init_bar(&d->parent.parent, d->vectors, IVSHMEM_BAR_MSIX, errp) &&
           ivshmem_start(&d->parent, &d->memory, errp);
}

static bool doorbell_realize(Device *dev, Error **errp)
{
    Doorbell *d = DOORBELL(dev);

    if (!char_frontend_chardev(&d->chr)) {
        return error_set(errp, "You must specify a 'chardev'");
    }
    if (!d->vectors || d->vectors > MAX_VECTORS) {
        return error_set(errp, "ivshmem-doorbell: 'vectors' is %u, not 1 to %d", d->vectors,
                         MAX_VECTORS);
    }
    d->stage = WANT_VERSION;
    d->got = 0;
    d->fd = NO_FD;
    d->peers = g_hash_table_new_full(NULL, NULL, NULL, free_fds);
    if (!meet_server(d, errp) || !start_memory(d, errp)) {
        forget_all(d);
        return false;
    }
    char_frontend_set_handlers(&d->chr, &handlers, d, NULL);
    return true;
}

static void doorbell_unrealize(Device *dev)
{
    if (DOORBELL(dev)->peers) {
        forget_all(DOORBELL(dev));
        ivshmem_stop(IVSHMEM(dev));
    }
}

static void doorbell_finalize(Object *obj)
{
    if (DOORBELL(obj)->memory.ram) {
        memory_region_clear(&DOORBELL(obj)->memory);
    }
}

static const Property doorbell_props[] = {
    PROP_CHARDEV("chardev", Doorbell, chr),
    PROP_U32("vectors", Doorbell, vectors, .initial = 1, .doc = "How many interrupts others can send"),
    PROP_BOOL("ioeventfd", Doorbell, has_ioeventfd, .initial = true,
              .doc = "Doorbells are rung without leaving the CPU"),
};

static const IvshmemType doorbell_type = {
    .name = "ivshmem-doorbell",
    .doc = "Inter-VM shared memory with interrupts",
    .parent = TYPE_IVSHMEM,
    .size = sizeof(Doorbell),
    .properties = PROPERTIES(doorbell_props),
    .realize = doorbell_realize,
    .unrealize = doorbell_unrealize,
    .finalize = doorbell_finalize,
    .ring = ring,
};
OBJECT_TYPE(doorbell_type)
