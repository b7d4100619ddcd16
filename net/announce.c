/*
 * Announcements: a machine that came from elsewhere says to switches where it is now, with reverse
 * ARP requests of its addresses, and asks drivers that can to do it in their way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/kinds.h"

#include "qapi/qapi-commands-net.h"
#include "util/event_loop.h"

#define FRAME_BYTES 60
#define MAX_ROUNDS  1000
#define MAX_MS      100000

typedef struct Announcer {
    AnnounceParameters *how;
    int64_t round;
    GSource *timer;
} Announcer;

static GPtrArray *announcers;

static void announcer_free(void *opaque)
{
    Announcer *a = opaque;

    if (a->timer) {
        g_source_destroy(a->timer);
    }
    announce_parameters_free(a->how);
    g_free(a);
}

/* RFC 903, as RFC 826 lays it out: Ethernet, IPv4, "who am I?" */
static void make_frame(const uint8_t *mac, uint8_t *frame)
{
    static const uint8_t request[] = { 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3 };

    memset(frame, 0, FRAME_BYTES);
    memset(frame, 0xff, ETH_ADDR_BYTES);
    memcpy(frame + 6, mac, ETH_ADDR_BYTES);
    memcpy(frame + 12, request, sizeof(request));
    memcpy(frame + 22, mac, ETH_ADDR_BYTES);
    memcpy(frame + 32, mac, ETH_ADDR_BYTES);
}

static bool is_chosen(const Announcer *a, const NetEnd *end)
{
    const StrArray *names = a->how->interfaces;

    for (size_t n = 0; names && n < names->count; n++) {
        if (!strcmp(names->items[n], end->name)) {
            return true;
        }
    }
    return !names;
}

static bool announce_one(void *opaque, NetEnd *end)
{
    uint8_t frame[FRAME_BYTES];

    if (end->is_device && is_chosen(opaque, end)) {
        make_frame(end->mac, frame);
        net_send_bytes(&end->ports[0], frame, sizeof(frame));
        if (end->ops->announce) {
            end->ops->announce(end);
        }
    }
    return true;
}

static void announce(void *opaque)
{
    Announcer *a = opaque;
    int64_t pause_ms = a->how->initial + a->round * a->how->step;

    a->timer = NULL;
    net_each(announce_one, a);
    if (++a->round >= a->how->rounds) {
        g_ptr_array_remove_fast(announcers, a);
        return;
    }
    a->timer = event_loop_defer_ms(event_loop_main(), MIN(pause_ms, a->how->max), announce, a);
}

/* Another of the same name is over. */
static void replace(const char *id)
{
    for (guint n = announcers->len; n-- > 0;) {
        Announcer *a = announcers->pdata[n];

        if (!g_strcmp0(a->how->id, id)) {
            g_ptr_array_remove_index_fast(announcers, n);
        }
    }
}

static bool check(const char *name, int64_t value, int64_t max, Error **errp)
{
    return (value >= 0 && value <= max) ||
           error_set(errp, "Parameter '%s' expects a value between 0 and %" PRIi64, name, max);
}

bool qmp_announce_self(const AnnounceParameters *how, Error **errp)
{
    Announcer *a;

    if (!check("initial", how->initial, MAX_MS, errp) || !check("max", how->max, MAX_MS, errp) ||
        !check("rounds", how->rounds, MAX_ROUNDS, errp) ||
        !check("step", how->step, MAX_MS, errp)) {
        return false;
    }
    if (!announcers) {
        announcers = g_ptr_array_new_with_free_func(announcer_free);
    }
    replace(how->id);
    if (how->rounds) {
        a = g_new0(Announcer, 1);
        a->how = announce_parameters_clone(how);
        g_ptr_array_add(announcers, a);
        announce(a);
    }
    return true;
}

void net_announce_cleanup(void)
{
    g_clear_pointer(&announcers, g_ptr_array_unref);
}
