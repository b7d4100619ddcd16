/*
 * Free page hints (virtio 1.3, 5.5.6.6): while a migration sends memory for the first time, the driver
 * tells of pages that it keeps free until the device says that all is over. A run of hints is begun
 * with the number that the configuration has, and ended with that of a stop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_balloon.h"

#define COMMAND_STOP  0
#define COMMAND_DONE  1
#define COMMAND_FIRST UINT32_C(0x80000000)

static void set_stage(VirtioBalloon *s, VirtioBalloonHints stage)
{
    if (s->hints != stage) {
        s->hints = stage;
        virtio_config_changed(&s->parent);
    }
}

uint32_t virtio_balloon_hint_command(const VirtioBalloon *s)
{
    return s->hints == VIRTIO_BALLOON_HINTS_WANTED ? s->hint_command :
           s->hints == VIRTIO_BALLOON_HINTS_DONE ? COMMAND_DONE : COMMAND_STOP;
}

/* Free pages that hold something have to hold it on the other side, too. */
static void ask(VirtioBalloon *s)
{
    if (virtio_has_feature(&s->parent, VIRTIO_BALLOON_F_FREE_PAGE_HINT) &&
        virtio_is_live(&s->parent) && !s->poison) {
        s->hint_command = s->hint_command < COMMAND_FIRST || s->hint_command == UINT32_MAX ?
                          COMMAND_FIRST : s->hint_command + 1;
        set_stage(s, VIRTIO_BALLOON_HINTS_WANTED);
    }
}

static void stage_changed(Notifier *notifier, void *data)
{
    VirtioBalloon *s = container_of(notifier, VirtioBalloon, teller);
    FreePagesStage stage = *(FreePagesStage *)data;

    if (stage == FREE_PAGES_WANTED) {
        ask(s);
    } else if (s->hints == VIRTIO_BALLOON_HINTS_WANTED || s->hints == VIRTIO_BALLOON_HINTS_STOPPED) {
        s->is_hinting = false;
        set_stage(s, stage == FREE_PAGES_ENOUGH ? VIRTIO_BALLOON_HINTS_STOPPED :
                                                  VIRTIO_BALLOON_HINTS_DONE);
    }
}

void virtio_balloon_start_hints(VirtioBalloon *s)
{
    s->teller.fn = stage_changed;
    free_pages_add_teller(&s->teller);
}

void virtio_balloon_forget_hints(VirtioBalloon *s)
{
    s->hints = VIRTIO_BALLOON_HINTS_NONE;
    s->is_hinting = false;
}

/* On the side where a migration ended nobody tells of that: the machine runs. */
void virtio_balloon_end_hints(VirtioBalloon *s)
{
    if (s->hints == VIRTIO_BALLOON_HINTS_STOPPED && virtio_is_live(&s->parent)) {
        set_stage(s, VIRTIO_BALLOON_HINTS_DONE);
    }
}

static void take_command(VirtioBalloon *s, VirtQueueElement *elem)
{
    uint8_t raw[4];

    if (virtqueue_read(elem, 0, raw, sizeof(raw)) == sizeof(raw)) {
        s->is_hinting = s->hints == VIRTIO_BALLOON_HINTS_WANTED &&
                        virtio_get(&s->parent, raw, 4) == s->hint_command;
    }
}

void virtio_balloon_hinted(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioBalloon *s = VIRTIO_BALLOON(vdev);
    VirtQueueElement *elem;

    while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
        if (elem->out.bytes) {
            take_command(s, elem);
        }
        for (unsigned i = 0; s->is_hinting && i < elem->in.count; i++) {
            virtio_balloon_each_place(&elem->in, &elem->in.pieces[i], free_pages_tell);
        }
        virtqueue_push(elem, 0);
    }
    virtqueue_notify(vq);
}
