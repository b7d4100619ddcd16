/*
 * rng-random: random numbers read from a file, which may be a device or a pipe.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include "backends/rng.h"
#include "qom/user_creatable.h"
#include "util/event_loop.h"

#define CHUNK_BYTES 4096

typedef struct RngRandom {
    RngBackend parent;
    char *filename;
    int fd; /* -1: not open */
    FdWatch *watch;
} RngRandom;
DECLARE_CAST(RngRandom, RNG_RANDOM)

static void ready(void *opaque, GIOCondition events)
{
    RngBackend *rng = opaque;
    uint8_t bytes[CHUNK_BYTES];
    size_t wanted = MIN(rng_backend_wanted(rng), sizeof(bytes));
    ssize_t got = wanted ? read(RNG_RANDOM(rng)->fd, bytes, wanted) : 0;

    if (!wanted) { /* who asked is gone */
        fd_watch_set_events(RNG_RANDOM(rng)->watch, 0);
        return;
    }
    if (got > 0) {
        rng_backend_answer(rng, bytes, got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        warn_report("rng-random: %s: %s", RNG_RANDOM(rng)->filename,
                    got ? g_strerror(errno) : "it has come to its end");
        fd_watch_set_events(RNG_RANDOM(rng)->watch, 0);
        return;
    }
    fd_watch_set_events(RNG_RANDOM(rng)->watch, rng_backend_wanted(rng) ? G_IO_IN : 0);
}

static void requested(RngBackend *rng, size_t size)
{
    fd_watch_set_events(RNG_RANDOM(rng)->watch, G_IO_IN);
}

static bool rng_random_complete(Object *obj, Error **errp)
{
    RngRandom *rng = RNG_RANDOM(obj);

    rng->fd = open(rng->filename ? rng->filename : "", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (rng->fd < 0) {
        return error_set_errno(errp, errno, "Could not open '%s'", rng->filename);
    }
    rng->watch = fd_watch_new(event_loop_main(), rng->fd, 0, ready, rng);
    return true;
}

static void rng_random_init(Object *obj)
{
    RNG_RANDOM(obj)->fd = -1;
}

static void rng_random_finalize(Object *obj)
{
    RngRandom *rng = RNG_RANDOM(obj);

    fd_watch_free(rng->watch);
    if (rng->fd >= 0) {
        close(rng->fd);
    }
}

static const Property rng_random_props[] = {
    PROP_STR("filename", RngRandom, filename, .initial_text = "/dev/urandom",
             .doc = "File to read"),
};
static const UserCreatable rng_random_creatable = { .complete = rng_random_complete };

static const RngBackendType rng_random_type = {
    .name = "rng-random",
    .doc = "Random numbers from a file",
    .parent = TYPE_RNG_BACKEND,
    .size = sizeof(RngRandom),
    .properties = PROPERTIES(rng_random_props),
    .init = rng_random_init,
    .finalize = rng_random_finalize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_USER_CREATABLE, &rng_random_creatable }, { 0 } },
    .requested = requested,
};
OBJECT_TYPE(rng_random_type)
