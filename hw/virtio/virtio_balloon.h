/*
 * virtio-balloon: the traditional memory balloon (virtio 1.3, 5.5).
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_BALLOON_H
#define HW_VIRTIO_VIRTIO_BALLOON_H

#include "hw/virtio/virtqueue.h"

#define VIRTIO_BALLOON_PAGE_BYTES UINT64_C(4096) /* whatever the guest's and the host's are */

enum {
    VIRTIO_BALLOON_F_MUST_TELL_HOST, VIRTIO_BALLOON_F_STATS_VQ, VIRTIO_BALLOON_F_DEFLATE_ON_OOM,
    VIRTIO_BALLOON_F_FREE_PAGE_HINT, VIRTIO_BALLOON_F_PAGE_POISON, VIRTIO_BALLOON_F_PAGE_REPORTING
};

/* 5.5.6.3: what guests tell of their memory, by tag. */
#define VIRTIO_BALLOON_STATS 10

typedef struct VirtioBalloon {
    VirtioDevice parent;
    VirtQueue *inflate, *deflate, *stats, *reporting;
    /* properties */
    uint64_t wanted;          /* features */
    bool has_large_config;
    int64_t polling_seconds;  /* 0: the guest is not asked for statistics */
    /* state */
    uint32_t target_pages, actual_pages; /* in the balloon */
    uint32_t poison;          /* what free pages of the guest hold */
    Timer poll;
    bool has_stats;           /* the next buffer of `stats` was read; it goes back to ask for more */
    uint64_t values[VIRTIO_BALLOON_STATS]; /* UINT64_MAX: not known */
    int64_t stats_seconds;    /* when they came; 0: never */
    GHashTable *parts;        /* of host pages of more than one: address -> bitmap of those in it */
} VirtioBalloon;
DECLARE_CAST(VirtioBalloon, VIRTIO_BALLOON)

/* --- memory (virtio_balloon_pages.c) --- */

void virtio_balloon_inflated(VirtioDevice *vdev, VirtQueue *vq);
void virtio_balloon_deflated(VirtioDevice *vdev, VirtQueue *vq);
/* Free pages are told: they hold `poison`, or zeros, when they are next used. */
void virtio_balloon_reported(VirtioDevice *vdev, VirtQueue *vq);
void virtio_balloon_forget_pages(VirtioBalloon *s);

/* --- statistics (virtio_balloon_stats.c) --- */

void virtio_balloon_stats_came(VirtioDevice *vdev, VirtQueue *vq);
void virtio_balloon_poll(Device *dev);
void virtio_balloon_forget_stats(VirtioBalloon *s);
json_object *virtio_balloon_get_stats(Object *obj, const Property *p, Error **errp);
json_object *virtio_balloon_get_interval(Object *obj, const Property *p, Error **errp);
bool virtio_balloon_set_interval(Object *obj, const Property *p, json_object *value,
                                 PropertyForm form, Error **errp);

/* --- what users ask (virtio_balloon_query.c) --- */

/* A machine has one. */
bool virtio_balloon_set_current(VirtioBalloon *s, Error **errp);
void virtio_balloon_clear_current(const VirtioBalloon *s);
/* What the guest has, as it says, has changed. */
void virtio_balloon_tell_actual(const VirtioBalloon *s);

#endif
