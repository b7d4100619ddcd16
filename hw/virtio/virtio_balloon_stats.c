/*
 * What a guest says of its memory (virtio 1.3, 5.5.6.3): it gives one buffer, and fills it again
 * each time that it gets it back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_balloon.h"

#include "system/clock.h"

#define STAT_BYTES 10
#define MAX_STATS  64 /* looked at in a buffer */

static const char *const stat_names[VIRTIO_BALLOON_STATS] = {
    "stat-swap-in", "stat-swap-out", "stat-major-faults", "stat-minor-faults", "stat-free-memory",
    "stat-total-memory", "stat-available-memory", "stat-disk-caches", "stat-htlb-pgalloc",
    "stat-htlb-pgfail",
};

/* --- what came --- */

static void read_stats(VirtioBalloon *s, VirtQueueElement *elem)
{
    uint8_t raw[STAT_BYTES * MAX_STATS];
    size_t size = virtqueue_read(elem, 0, raw, sizeof(raw));

    memset(s->values, 0xff, sizeof(s->values));
    for (const uint8_t *stat = raw; stat + STAT_BYTES <= raw + size; stat += STAT_BYTES) {
        unsigned tag = virtio_get(&s->parent, stat, 2);

        if (tag < VIRTIO_BALLOON_STATS) {
            s->values[tag] = virtio_get(&s->parent, stat + 2, 8);
        }
    }
    s->stats_seconds = clock_now_ns(CLOCK_HOST) / NS_PER_SEC;
}

static void arm(VirtioBalloon *s, int64_t seconds)
{
    if (s->polling_seconds) {
        timer_arm_after_ns(&s->poll, seconds * NS_PER_SEC);
    }
}

/* Of a driver with more than one buffer all but the last are of no use. */
void virtio_balloon_stats_came(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioBalloon *s = VIRTIO_BALLOON(vdev);
    VirtQueueElement *elem = virtqueue_pop(vq, sizeof(*elem)), *next;
    bool is_news = !s->has_stats;

    while (elem && (next = virtqueue_pop(vq, sizeof(*next)))) {
        virtqueue_push(elem, 0);
        elem = next;
        is_news = true;
    }
    s->has_stats = elem;
    if (elem && is_news) {
        read_stats(s, elem);
        arm(s, s->polling_seconds);
    }
    if (elem) {
        virtqueue_unpop(elem);
    }
    virtqueue_notify(vq);
}

void virtio_balloon_forget_stats(VirtioBalloon *s)
{
    s->has_stats = false;
    s->stats_seconds = 0;
    memset(s->values, 0xff, sizeof(s->values));
    arm(s, s->polling_seconds);
}

/* --- asking --- */

void virtio_balloon_poll(Device *dev)
{
    VirtioBalloon *s = VIRTIO_BALLOON(dev);
    VirtQueueElement *elem = s->has_stats && virtio_is_live(&s->parent) ?
                             virtqueue_pop(s->stats, sizeof(*elem)) : NULL;

    if (!elem) {
        arm(s, s->polling_seconds);
        return;
    }
    s->has_stats = false;
    virtqueue_push(elem, 0);
    virtqueue_notify(s->stats);
}

/* --- properties --- */

json_object *virtio_balloon_get_stats(Object *obj, const Property *p, Error **errp)
{
    const VirtioBalloon *s = VIRTIO_BALLOON(obj);
    json_object *all = json_object_new_object(), *stats = json_object_new_object();

    for (unsigned i = 0; i < VIRTIO_BALLOON_STATS; i++) {
        json_set(stats, stat_names[i], json_object_new_uint64(s->values[i]));
    }
    json_set(all, "stats", stats);
    json_set(all, "last-update", json_object_new_int64(s->stats_seconds));
    return all;
}

json_object *virtio_balloon_get_interval(Object *obj, const Property *p, Error **errp)
{
    return json_object_new_int64(VIRTIO_BALLOON(obj)->polling_seconds);
}

bool virtio_balloon_set_interval(Object *obj, const Property *p, json_object *value,
                                 PropertyForm form, Error **errp)
{
    VirtioBalloon *s = VIRTIO_BALLOON(obj);
    int64_t before = s->polling_seconds, wanted;
    bool is_number = property_i64.set(obj, p, value, form, errp);

    wanted = s->polling_seconds;
    s->polling_seconds = before;
    if (!is_number) {
        return false;
    }
    if (wanted < 0) {
        return error_set(errp, "timer value must be greater than zero");
    }
    if (wanted > UINT32_MAX) {
        return error_set(errp, "timer value is too big");
    }
    s->polling_seconds = wanted;
    if (!wanted) {
        timer_cancel(&s->poll);
    } else if (wanted != before) {
        arm(s, 0);
    }
    return true;
}
