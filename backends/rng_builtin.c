/*
 * rng-builtin: random numbers of the host's kernel, by getrandom(2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <sys/random.h>
#include "backends/rng.h"
#include "util/event_loop.h"

#define CHUNK_BYTES 256 /* which getrandom() gives without interruption */

typedef struct RngBuiltin {
    RngBackend parent;
    Deferred *answer;
} RngBuiltin;
DECLARE_CAST(RngBuiltin, RNG_BUILTIN)

static void answer(void *opaque)
{
    RngBackend *rng = opaque;
    uint8_t bytes[CHUNK_BYTES];
    ssize_t got = getrandom(bytes, MIN(rng_backend_wanted(rng), sizeof(bytes)), 0);

    if (got > 0) {
        rng_backend_answer(rng, bytes, got);
    }
    if (rng_backend_wanted(rng)) {
        deferred_schedule(RNG_BUILTIN(rng)->answer);
    }
}

static void requested(RngBackend *rng, size_t size)
{
    deferred_schedule(RNG_BUILTIN(rng)->answer);
}

static void rng_builtin_init(Object *obj)
{
    RNG_BUILTIN(obj)->answer = deferred_new(event_loop_main(), answer, obj);
}

static void rng_builtin_finalize(Object *obj)
{
    deferred_free(RNG_BUILTIN(obj)->answer);
}

static const RngBackendType rng_builtin_type = {
    .name = TYPE_RNG_BUILTIN,
    .doc = "Random numbers of the host's kernel",
    .parent = TYPE_RNG_BACKEND,
    .size = sizeof(RngBuiltin),
    .init = rng_builtin_init,
    .finalize = rng_builtin_finalize,
    .requested = requested,
};
OBJECT_TYPE(rng_builtin_type)
