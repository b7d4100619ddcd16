/*
 * RngBackend: where random numbers come from: an object that is asked for bytes and gives them
 * later, in the order in which they were asked for. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BACKENDS_RNG_H
#define BACKENDS_RNG_H

#include "qom/object.h"

#define TYPE_RNG_BACKEND "rng-backend"
#define TYPE_RNG_BUILTIN "rng-builtin"

typedef struct RngBackend {
    Object parent;
    GQueue requests; /* of RngRequest, the oldest first */
    bool is_opened;  /* property without effect */
} RngBackend;
DECLARE_CAST(RngBackend, RNG_BACKEND)

/* Random bytes, at least one; may ask for more. Called from the main loop, never from a request. */
typedef void RngFn(void *opaque, const uint8_t *bytes, size_t size);
/* At most `size` bytes (not 0); fewer may come, never none. */
void rng_backend_request(RngBackend *rng, size_t size, RngFn *fn, void *opaque);
/* Forgets requests made with `opaque`. */
void rng_backend_cancel(RngBackend *rng, void *opaque);

/* --- for kinds of back ends --- */

typedef struct RngBackendType {
    struct ObjectType;
    /* There is a new request. */
    void (*requested)(RngBackend *rng, size_t size);
} RngBackendType;

/* How much the oldest request wants; 0: there is none. */
size_t rng_backend_wanted(const RngBackend *rng);
/* Answers the oldest request; what it does not want is lost. */
void rng_backend_answer(RngBackend *rng, const uint8_t *bytes, size_t size);

#endif
