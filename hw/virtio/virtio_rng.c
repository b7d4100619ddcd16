/*
 * virtio-rng: an entropy device (virtio 1.3, 5.4): it fills the buffers of its one queue with what
 * its back end gives, at most max-bytes in a period.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "backends/rng.h"
#include "hw/virtio/virtio_pci.h"

#define QUEUE_SIZE 8

typedef struct VirtioRng {
    VirtioDevice parent;
    VirtQueue *vq;
    /* properties */
    Object *rng;        /* RngBackend */
    uint64_t max_bytes;
    uint32_t period_ms;
    /* state */
    Object *own_rng;    /* made because none was given */
    Timer timer;        /* end of the period; runs while something was used of it */
    int64_t quota;      /* what is left of it */
    bool is_waiting;    /* for the back end */
} VirtioRng;
DECLARE_CAST(VirtioRng, VIRTIO_RNG)

static void serve(VirtioRng *s);

static void take(void *opaque, const uint8_t *bytes, size_t size)
{
    VirtioRng *s = opaque;
    VirtQueueElement *elem;

    s->is_waiting = false;
    elem = virtio_is_running(&s->parent) ? virtqueue_pop(s->vq, sizeof(*elem)) : NULL;
    if (elem) {
        size_t done = virtqueue_write(elem, 0, bytes, size);

        s->quota -= MIN(s->quota, (int64_t)done);
        virtqueue_push(elem, done);
        virtqueue_notify(s->vq);
    }
    serve(s);
}

static void serve(VirtioRng *s)
{
    uint64_t room;

    if (s->is_waiting || !virtio_is_running(&s->parent) || !(room = virtqueue_next_room(s->vq))) {
        return;
    }
    if (!timer_is_armed(&s->timer)) {
        timer_arm_after_ms(&s->timer, s->period_ms);
    }
    if (s->quota) {
        s->is_waiting = true;
        rng_backend_request(RNG_BACKEND(s->rng), MIN(room, (uint64_t)s->quota), take, s);
    }
}

static void kicked(VirtioDevice *vdev, VirtQueue *vq)
{
    serve(VIRTIO_RNG(vdev));
}

static void virtio_rng_status(VirtioDevice *vdev, uint8_t old)
{
    serve(VIRTIO_RNG(vdev));
}

static void period_over(Device *dev)
{
    VIRTIO_RNG(dev)->quota = VIRTIO_RNG(dev)->max_bytes;
    serve(VIRTIO_RNG(dev));
}

/* --- life --- */

static bool check(const VirtioRng *s, Error **errp)
{
    if (!s->period_ms) {
        return error_set(errp, "'period' parameter expects a positive integer");
    }
    return s->max_bytes <= INT64_MAX ||
           error_set(errp, "'max-bytes' parameter must be non-negative, and less than 2^63");
}

static bool virtio_rng_realize(Device *dev, Error **errp)
{
    VirtioRng *s = VIRTIO_RNG(dev);

    if (!check(s, errp) || !virtio_init_queues(&s->parent, 1, errp)) {
        return false;
    }
    if (!s->rng) {
        s->own_rng = object_new(TYPE_RNG_BUILTIN);
        object_add_child(&dev->parent, TYPE_RNG_BUILTIN, s->own_rng, NULL);
        object_unref(s->own_rng);
        s->rng = object_ref(s->own_rng);
    }
    s->vq = virtqueue_init(&s->parent, 0, QUEUE_SIZE, kicked);
    s->quota = s->max_bytes;
    return true;
}

static void virtio_rng_unrealize(Device *dev)
{
    VirtioRng *s = VIRTIO_RNG(dev);

    rng_backend_cancel(RNG_BACKEND(s->rng), s);
    s->is_waiting = false;
    if (s->own_rng) {
        object_unparent(s->own_rng);
        object_unref(s->rng);
        s->rng = s->own_rng = NULL;
    }
}

static void virtio_rng_reset(Device *dev)
{
    VirtioRng *s = VIRTIO_RNG(dev);

    rng_backend_cancel(RNG_BACKEND(s->rng), s);
    s->is_waiting = false;
    s->quota = s->max_bytes;
}

/* What was asked for before is asked for here again. */
static bool virtio_rng_post_load(void *opaque, int version, Error **errp)
{
    VirtioRng *s = opaque;

    if (s->quota < 0 || s->quota > s->max_bytes) {
        return error_set(errp, "virtio-rng: %" PRIi64 " bytes are left of %" PRIu64, s->quota,
                         s->max_bytes);
    }
    serve(s);
    return true;
}

static const Property virtio_rng_props[] = {
    PROP_U64("max-bytes", VirtioRng, max_bytes, .initial = INT64_MAX,
             .doc = "Most bytes it gives in a period"),
    PROP_U32("period", VirtioRng, period_ms, .initial = 1 << 16, .doc = "Milliseconds of it"),
    PROP_LINK("rng", VirtioRng, rng, TYPE_RNG_BACKEND, .doc = "Where random numbers come from"),
};
static const VMField virtio_rng_fields[] = { VM_TIMER(VirtioRng, timer), VM_I64(VirtioRng, quota) };

static const VirtioDeviceType virtio_rng_type = {
    .name = "virtio-rng-device",
    .doc = "virtio entropy device",
    .parent = TYPE_VIRTIO_DEVICE,
    .size = sizeof(VirtioRng),
    .category = DEVICE_CATEGORY_MISC,
    .virtio_id = VIRTIO_ID_RNG,
    .status_changed = virtio_rng_status,
    .timers = TIMER_ON(CLOCK_VIRTUAL, VirtioRng, timer, period_over),
    .properties = PROPERTIES(virtio_rng_props),
    .vmstate = VMSTATE(virtio_rng_fields, .version = 1, .post_load = virtio_rng_post_load),
    .realize = virtio_rng_realize,
    .unrealize = virtio_rng_unrealize,
    .reset_hold = virtio_rng_reset,
};
VIRTIO_DEVICE_TYPE(virtio_rng_type)

static const VirtioPciFamily virtio_rng_pci = {
    .name = "virtio-rng-pci",
    .doc = "virtio entropy device on PCI",
    .device = &virtio_rng_type,
    .class_id = PCI_CLASS_OTHERS,
    .transitional_id = 0x1005,
    .vectors = 2,
    .category = DEVICE_CATEGORY_MISC,
};
VIRTIO_PCI_FAMILY(virtio_rng_pci)
