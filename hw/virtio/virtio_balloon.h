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
#include "system/free_pages.h"

#define VIRTIO_BALLOON_PAGE_BYTES UINT64_C(4096) /* whatever the guest's and the host's are */

enum {
    VIRTIO_BALLOON_F_MUST_TELL_HOST, VIRTIO_BALLOON_F_STATS_VQ, VIRTIO_BALLOON_F_DEFLATE_ON_OOM,
    VIRTIO_BALLOON_F_FREE_PAGE_HINT, VIRTIO_BALLOON_F_PAGE_POISON, VIRTIO_BALLOON_F_PAGE_REPORTING
};

/* 5.5.6.3: what guests tell of their memory, by tag. */
#define VIRTIO_BALLOON_STATS 10

/* What a migration wants of the driver's free pages. */
typedef enum VirtioBalloonHints {
    VIRTIO_BALLOON_HINTS_NONE,    /* there was none since the reset */
    VIRTIO_BALLOON_HINTS_WANTED,
    VIRTIO_BALLOON_HINTS_STOPPED, /* no more, but those that were told stay free */
    VIRTIO_BALLOON_HINTS_DONE,
    VIRTIO_BALLOON_HINTS_STAGES
} VirtioBalloonHints;

typedef struct VirtioBalloon {
    VirtioDevice parent;
    VirtQueue *inflate, *deflate, *stats;
    DeviceWorker *worker;     /* of the queues of free pages */
    /* properties */
    uint64_t wanted;          /* features */
    bool has_large_config;
    IoThread *iothread;
    int64_t polling_seconds;  /* 0: the guest is not asked for statistics */
    /* state */
    uint32_t target_pages, actual_pages; /* in the balloon */
    uint32_t poison;          /* what free pages of the guest hold */
    Timer poll;
    bool has_stats;           /* the next buffer of `stats` was read; it goes back to ask for more */
    uint64_t values[VIRTIO_BALLOON_STATS]; /* UINT64_MAX: not known */
    int64_t stats_seconds;    /* when they came; 0: never */
    int hints;                /* VirtioBalloonHints */
    uint32_t hint_command;    /* the last that told the driver to begin */
    bool is_hinting;          /* the driver began */
    Notifier teller;
    GHashTable *parts;        /* of host pages of more than one: address -> bitmap of those in it */
} VirtioBalloon;
DECLARE_CAST(VirtioBalloon, VIRTIO_BALLOON)

/* --- memory (virtio_balloon_pages.c) --- */

void virtio_balloon_inflated(VirtioDevice *vdev, VirtQueue *vq);
void virtio_balloon_deflated(VirtioDevice *vdev, VirtQueue *vq);
/* Free pages are told: they hold `poison`, or zeros, when they are next used. */
void virtio_balloon_reported(VirtioDevice *vdev, VirtQueue *vq);
void virtio_balloon_forget_pages(VirtioBalloon *s);
/* Calls for what is the guest's memory of a piece. */
typedef void VirtioBalloonPlaceFn(RamBlock *block, uint64_t offset, uint64_t bytes);
void virtio_balloon_each_place(const DmaList *list, const DmaPiece *piece,
                               VirtioBalloonPlaceFn *fn);

/* --- hints (virtio_balloon_hints.c) --- */

void virtio_balloon_start_hints(VirtioBalloon *s);
void virtio_balloon_hinted(VirtioDevice *vdev, VirtQueue *vq);
uint32_t virtio_balloon_hint_command(const VirtioBalloon *s);
void virtio_balloon_forget_hints(VirtioBalloon *s);
/* The machine goes on: here if there was a migration it is over. */
void virtio_balloon_end_hints(VirtioBalloon *s);

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
