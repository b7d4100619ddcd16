/*
 * What sources of random numbers share: requests in a row. See backends/rng.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "backends/rng.h"
#include "qom/user_creatable.h"

typedef struct RngRequest {
    size_t size;
    RngFn *fn;
    void *opaque;
} RngRequest;

void rng_backend_request(RngBackend *rng, size_t size, RngFn *fn, void *opaque)
{
    const RngRequest request = { size, fn, opaque };

    assert(size);
    g_queue_push_tail(&rng->requests, g_memdup2(&request, sizeof(request)));
    ((const RngBackendType *)object_ops(rng))->requested(rng, size);
}

void rng_backend_cancel(RngBackend *rng, void *opaque)
{
    GList *next;

    for (GList *at = rng->requests.head; at; at = next) {
        next = at->next;
        if (((RngRequest *)at->data)->opaque == opaque) {
            g_free(at->data);
            g_queue_delete_link(&rng->requests, at);
        }
    }
}

size_t rng_backend_wanted(const RngBackend *rng)
{
    const RngRequest *request = rng->requests.head ? rng->requests.head->data : NULL;

    return request ? request->size : 0;
}

void rng_backend_answer(RngBackend *rng, const uint8_t *bytes, size_t size)
{
    g_autofree RngRequest *request = g_queue_pop_head(&rng->requests);

    if (request && size) {
        request->fn(request->opaque, bytes, MIN(size, request->size));
    }
}

static void rng_backend_finalize(Object *obj)
{
    g_queue_clear_full(&RNG_BACKEND(obj)->requests, g_free);
}

static const Property rng_backend_props[] = {
    PROP_BOOL("opened", RngBackend, is_opened, .has_no_default = true, .doc = "No effect"),
};

static const RngBackendType rng_backend_type = {
    .name = TYPE_RNG_BACKEND,
    .doc = "A source of random numbers",
    .size = sizeof(RngBackend),
    .is_abstract = true,
    .properties = PROPERTIES(rng_backend_props),
    .finalize = rng_backend_finalize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_USER_CREATABLE }, { 0 } },
};
OBJECT_TYPE(rng_backend_type)
