/*
 * chardev-hub: several chardevs behind one front end. Output goes to all that have a peer, input
 * comes from any.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "chardev/backend.h"
#include "chardev/kinds.h"

#define MAX_LEGS 4

typedef struct CharHub CharHub;

typedef struct Leg {
    CharHub *hub;
    CharFrontend fe;
    size_t ahead; /* bytes it has taken that others have not */
} Leg;

struct CharHub {
    Chardev parent;
    Leg legs[MAX_LEGS];
    size_t count;
};
DECLARE_CAST(CharHub, CHAR_HUB)

static size_t leg_can_read(void *opaque)
{
    return chardev_room(&((Leg *)opaque)->hub->parent);
}

static void leg_read(void *opaque, const uint8_t *bytes, size_t size)
{
    chardev_deliver(&((Leg *)opaque)->hub->parent, bytes, size);
}

static bool is_any_open(const CharHub *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (char_frontend_is_connected(&s->legs[i].fe)) {
            return true;
        }
    }
    return false;
}

static void leg_event(void *opaque, CharEvent event)
{
    Leg *leg = opaque;

    if (event == CHAR_EVENT_BREAK) {
        chardev_event(&leg->hub->parent, event);
    } else {
        chardev_set_open(&leg->hub->parent, is_any_open(leg->hub));
    }
}

static const CharHandlers leg_handlers = {
    .can_read = leg_can_read,
    .read = leg_read,
    .event = leg_event,
};

/* A leg that nobody is at, or that broke, takes everything. */
static void leg_write(Leg *leg, const uint8_t *bytes, size_t size)
{
    ssize_t n;

    if (leg->ahead < size) {
        n = char_frontend_write(&leg->fe, bytes + leg->ahead, size - leg->ahead);
        leg->ahead = n < 0 ? size : leg->ahead + n;
    }
}

static ssize_t hub_write(Chardev *chr, const uint8_t *bytes, size_t size)
{
    CharHub *s = CHAR_HUB(chr);
    size_t least = size;

    for (size_t i = 0; i < s->count; i++) {
        leg_write(&s->legs[i], bytes, size);
        least = MIN(least, s->legs[i].ahead);
    }
    for (size_t i = 0; i < s->count; i++) {
        s->legs[i].ahead -= least;
    }
    return least;
}

/* The first leg that holds the others up. */
static GSource *hub_watch(Chardev *chr, GIOCondition condition)
{
    CharHub *s = CHAR_HUB(chr);

    for (size_t i = 0; i < s->count; i++) {
        Chardev *base = s->legs[i].fe.chardev;
        GSource *source = s->legs[i].ahead ? NULL : chardev_ops(base)->watch(base, condition);

        if (source) {
            return source;
        }
    }
    return NULL;
}

static void hub_update(Chardev *chr)
{
    CharHub *s = CHAR_HUB(chr);

    for (size_t i = 0; i < s->count; i++) {
        chardev_call_update(s->legs[i].fe.chardev);
    }
}

static bool add_leg(CharHub *s, const char *id, Error **errp)
{
    Chardev *base = chardev_find(id);
    Leg *leg = &s->legs[s->count];

    if (!base) {
        return error_set(errp, "hub: chardev '%s' not found", id);
    }
    if (chardev_is_mux(base) || object_is_a(base, TYPE_CHARDEV_HUB)) {
        return error_set(errp, "hub: chardev '%s' is a %s", id,
                         chardev_is_mux(base) ? "multiplexer" : "hub");
    }
    leg->hub = s;
    if (!char_frontend_attach(&leg->fe, base, errp)) {
        return false;
    }
    s->count++;
    return true;
}

static bool hub_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    const StrArray *ids = backend->u.hub.data->chardevs;
    CharHub *s = CHAR_HUB(chr);

    if (!ids->count || ids->count > MAX_LEGS) {
        return error_set(errp, "hub: expects 1 to %d chardevs", MAX_LEGS);
    }
    for (size_t i = 0; i < ids->count; i++) {
        if (!add_leg(s, ids->items[i], errp)) {
            return false;
        }
    }
    for (size_t i = 0; i < s->count; i++) {
        char_frontend_set_handlers(&s->legs[i].fe, &leg_handlers, &s->legs[i], NULL);
    }
    chr->is_open = is_any_open(s);
    return true;
}

static void hub_finalize(Object *obj)
{
    CharHub *s = CHAR_HUB(obj);

    for (size_t i = 0; i < s->count; i++) {
        char_frontend_detach(&s->legs[i].fe);
    }
}

const ChardevType chardev_hub_type = {
    .name = TYPE_CHARDEV_HUB,
    .doc = "Several chardevs that act as one",
    .parent = TYPE_CHARDEV,
    .size = sizeof(CharHub),
    .finalize = hub_finalize,
    .open = hub_open,
    .write = hub_write,
    .watch = hub_watch,
    .update = hub_update,
};
OBJECT_TYPE(chardev_hub_type)
