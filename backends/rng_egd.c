/*
 * rng-egd: random numbers from a daemon that speaks the protocol of the Entropy Gathering Daemon,
 * behind a chardev: 0x02 and a count of up to 255 ask for as many bytes, which come when there
 * are enough.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "backends/rng.h"
#include "chardev/chardev.h"
#include "chardev/frontend.h"
#include "qom/user_creatable.h"

#define EGD_READ_BLOCKING 2
#define EGD_MAX_BYTES     255

typedef struct RngEgd {
    RngBackend parent;
    char *chardev;
    CharFrontend chr;
} RngEgd;
DECLARE_CAST(RngEgd, RNG_EGD)

static void ask(RngEgd *rng, size_t size)
{
    const uint8_t command[] = { EGD_READ_BLOCKING, MIN(size, EGD_MAX_BYTES) };

    char_frontend_write_all(&rng->chr, command, sizeof(command));
}

static void requested(RngBackend *rng, size_t size)
{
    ask(RNG_EGD(rng), size);
    char_frontend_accept_input(&RNG_EGD(rng)->chr); /* there is somebody to read for */
}

static size_t egd_can_read(void *opaque)
{
    return MIN(rng_backend_wanted(opaque), EGD_MAX_BYTES);
}

static void egd_read(void *opaque, const uint8_t *bytes, size_t size)
{
    rng_backend_answer(opaque, bytes, size);
}

/* A daemon that came (again) does not know what was asked for. */
static void egd_event(void *opaque, CharEvent event)
{
    if (event == CHAR_EVENT_OPENED && rng_backend_wanted(opaque)) {
        ask(opaque, rng_backend_wanted(opaque));
    }
}

static const CharHandlers egd_handlers = {
    .can_read = egd_can_read, .read = egd_read, .event = egd_event,
};

static bool rng_egd_complete(Object *obj, Error **errp)
{
    RngEgd *rng = RNG_EGD(obj);
    Chardev *chr = rng->chardev ? chardev_find(rng->chardev) : NULL;

    if (!rng->chardev) {
        return error_set(errp, "Parameter 'chardev' is missing");
    }
    if (!chr) {
        return error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found",
                               rng->chardev);
    }
    if (!char_frontend_attach(&rng->chr, chr, errp)) {
        return false;
    }
    char_frontend_set_handlers(&rng->chr, &egd_handlers, rng, NULL);
    return true;
}

static bool rng_egd_is_late(const Type *type)
{
    return true;
}

static void rng_egd_finalize(Object *obj)
{
    char_frontend_set_handlers(&RNG_EGD(obj)->chr, NULL, NULL, NULL);
    char_frontend_detach(&RNG_EGD(obj)->chr);
}

static const Property rng_egd_props[] = {
    PROP_STR("chardev", RngEgd, chardev, .doc = "ID of the chardev that leads to the daemon"),
};
static const UserCreatable rng_egd_creatable = { .complete = rng_egd_complete,
                                                 .is_late = rng_egd_is_late };

static const RngBackendType rng_egd_type = {
    .name = "rng-egd",
    .doc = "Random numbers from an entropy gathering daemon",
    .parent = TYPE_RNG_BACKEND,
    .size = sizeof(RngEgd),
    .properties = PROPERTIES(rng_egd_props),
    .finalize = rng_egd_finalize,
    .interfaces = (const InterfaceImpl[]){ { TYPE_USER_CREATABLE, &rng_egd_creatable }, { 0 } },
    .requested = requested,
};
OBJECT_TYPE(rng_egd_type)
