/*
 * What a back end is made of, and what it calls: its side of a Chardev.
 *
 * Bytes and events go up in the context the front end chose (Chardev.context); the write lock
 * guards what goes down, the file name and the descriptors in use.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_BACKEND_H
#define CHARDEV_BACKEND_H

#include "chardev/chardev.h"
#include "qapi/qapi-types-char.h"

#define CHAR_CHUNK_BYTES 4096 /* most that is read at once */

struct Chardev {
    Object parent;
    char *label;
    char *filename;         /* under write_lock */
    CharFrontend *frontend; /* NULL: unused */
    GMainContext *context;  /* referenced; NULL: the main loop's */
    GMutex write_lock;
    int log_fd;
    bool is_open;           /* somebody is at the other end */
};
DECLARE_CAST(Chardev, CHARDEV)

/* A family descriptor; what a type leaves NULL is its parent's. */
typedef struct ChardevType {
    struct ObjectType;
    /*
     * `backend` is of the kind that belongs to the type. Opened ends with chardev_set_open() now
     * or later.
     */
    bool (*open)(Chardev *chr, const ChardevBackend *backend, Error **errp);
    /* Under write_lock. Bytes taken (0: full) or -errno; nobody there: all are. */
    ssize_t (*write)(Chardev *chr, const uint8_t *bytes, size_t size);
    /* A descriptor source (callback of GUnixFDSourceFunc's type), not attached; NULL: never full. */
    GSource *(*watch)(Chardev *chr, GIOCondition condition);
    /* In the context or with it not running: the front end's room, handlers or context changed. */
    void (*update)(Chardev *chr);
    /* A front end is attached to, or leaves, this chardev (multiplexers: one of several). */
    bool (*attach)(Chardev *chr, CharFrontend *fe, Error **errp);
    void (*detach)(Chardev *chr, CharFrontend *fe);
    bool (*is_busy)(Chardev *chr);
    void (*handlers_set)(Chardev *chr, CharFrontend *fe);
    void (*event)(Chardev *chr, CharEvent event);
    void (*focus)(Chardev *chr, CharFrontend *fe);
    void (*frontend_open)(Chardev *chr, bool is_open);
    void (*echo)(Chardev *chr, bool is_on);
    void (*disconnect)(Chardev *chr);
    size_t (*take_fds)(Chardev *chr, int *fds, size_t max);
    bool (*send_fds)(Chardev *chr, const int *fds, size_t count);
    bool (*set_serial)(Chardev *chr, const CharSerialParams *params);
    bool (*set_break)(Chardev *chr, bool is_on);
    bool (*get_modem)(Chardev *chr, unsigned *lines);
    bool (*set_modem)(Chardev *chr, unsigned lines);
    /* Start-up only: waits for the first peer if the user asked for it. */
    bool (*wait)(Chardev *chr, Error **errp);
    size_t has_own_context; /* 1: may run in any thread's context; 2: may not */
} ChardevType;

static inline const ChardevType *chardev_ops(const Chardev *chr)
{
    return (const ChardevType *)object_ops(chr);
}

/* How many bytes the front end takes now, at most CHAR_CHUNK_BYTES. */
size_t chardev_room(Chardev *chr);
/* Not more than chardev_room() said. */
void chardev_deliver(Chardev *chr, const uint8_t *bytes, size_t size);
/* To the front end; OPENED and CLOSED also set is_open. */
void chardev_event(Chardev *chr, CharEvent event);
/* OPENED or CLOSED, if that is news. */
void chardev_set_open(Chardev *chr, bool is_open);
/* Takes over `filename`. */
void chardev_set_filename(Chardev *chr, char *filename);
/* As the front end's write, for what stacks on others. */
ssize_t chardev_write(Chardev *chr, const uint8_t *bytes, size_t size);
bool chardev_write_all(Chardev *chr, const uint8_t *bytes, size_t size);
/*
 * Runs `fn(chr)` in the chardev's context: now if this thread runs it, else as soon as it turns.
 * Keeps a reference meanwhile.
 */
void chardev_run_in_context(Chardev *chr, void (*fn)(Chardev *chr));
void chardev_call_update(Chardev *chr);

static inline bool chardev_type_has_own_context(const Chardev *chr)
{
    return chardev_ops(chr)->has_own_context == 1;
}

#endif
