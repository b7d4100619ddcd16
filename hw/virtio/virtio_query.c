/*
 * QMP commands about virtio devices and their queues.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_names.h"
#include "virtqueue_parts.h"

#include "qapi/qapi-commands-virtio.h"
#include "system/run_state.h"

/* --- which --- */

static void add_device(void *opaque, Object *obj)
{
    VirtioInfo *info;

    if (object_is_a(obj, TYPE_VIRTIO_DEVICE) && VIRTIO_DEVICE(obj)->parent.is_realized) {
        info = g_new0(VirtioInfo, 1);
        info->path = object_path(obj);
        info->name = virtio_kind_name(virtio_ops(VIRTIO_DEVICE(obj))->virtio_id);
        virtio_info_array_add(opaque, info);
    }
    object_each_child(obj, add_device, opaque);
}

VirtioInfoArray *qmp_x_query_virtio(Error **errp)
{
    VirtioInfoArray *list = g_new0(VirtioInfoArray, 1);

    object_each_child(object_container("/machine"), add_device, list);
    return list;
}

VirtioDevice *virtio_query_device(const char *path, Error **errp)
{
    Object *obj = object_resolve(path, TYPE_VIRTIO_DEVICE, NULL);

    if (!obj || !VIRTIO_DEVICE(obj)->parent.is_realized) {
        error_set(errp, "Path %s is not a VirtIODevice", path);
        return NULL;
    }
    return VIRTIO_DEVICE(obj);
}

VirtQueue *virtio_query_queue(const char *path, uint16_t queue, Error **errp)
{
    VirtioDevice *vdev = virtio_query_device(path, errp);
    VirtQueue *vq = vdev ? virtio_queue(vdev, queue) : NULL;

    if (vdev && !vq) {
        error_set(errp, "Invalid virtqueue number %u", queue);
    }
    return vq;
}

/* --- bits --- */

/* Names of what is set of `bits`, which loses them. */
static StrArray *take_names(VirtioBitNames names, uint64_t *bits)
{
    StrArray *list = g_new0(StrArray, 1);

    for (size_t i = 0; i < names.count; i++) {
        uint64_t bit = BIT64(names.items[i].bit);

        if (*bits & bit) {
            str_array_add(list, g_strdup(names.items[i].text));
            *bits &= ~bit;
        }
    }
    return list;
}

static VirtioDeviceFeatures *describe_features(const VirtioDevice *vdev, uint64_t bits)
{
    VirtioDeviceFeatures *features = g_new0(VirtioDeviceFeatures, 1);

    features->transports = take_names(virtio_common_names, &bits);
    features->dev_features = take_names(virtio_feature_names(virtio_ops(vdev)->virtio_id), &bits);
    features->has_unknown_dev_features = bits;
    features->unknown_dev_features = bits;
    return features;
}

static VirtioDeviceStatus *describe_driver(const VirtioDevice *vdev)
{
    VirtioDeviceStatus *status = g_new0(VirtioDeviceStatus, 1);
    uint64_t bits = vdev->status;

    status->statuses = take_names(virtio_status_names, &bits);
    status->has_unknown_statuses = bits;
    status->unknown_statuses = bits;
    return status;
}

/* --- a device --- */

static unsigned count_queues(const VirtioDevice *vdev)
{
    unsigned count = 0;

    for (uint32_t n = 0; n < vdev->queue_count; n++) {
        count += vdev->queues[n].max_size != 0;
    }
    return count;
}

static uint16_t selected_queue(const VirtioDevice *vdev)
{
    const VirtioBusType *transport = object_ops(vdev->parent.bus);

    return transport->selected_queue ? transport->selected_queue(vdev->parent.bus->owner) : 0;
}

VirtioStatus *qmp_x_query_virtio_status(const char *path, Error **errp)
{
    const VirtioDevice *vdev = virtio_query_device(path, errp);
    const GPtrArray *buses = vdev ? vdev->parent.buses : NULL;
    VirtioStatus *s;

    if (!vdev) {
        return NULL;
    }
    s = g_new0(VirtioStatus, 1);
    s->name = virtio_kind_name(virtio_ops(vdev)->virtio_id);
    s->device_id = virtio_ops(vdev)->virtio_id;
    s->device_endian = g_strdup(virtio_endian(vdev) == ENDIAN_BIG ? "big" : "little");
    s->guest_features = describe_features(vdev, vdev->driver_features);
    s->host_features = describe_features(vdev, virtio_offered_features(vdev, VIRTIO_LEGACY) |
                                                   virtio_offered_features(vdev, VIRTIO_MODERN));
    s->backend_features = describe_features(vdev, 0);
    s->num_vqs = count_queues(vdev);
    s->status = describe_driver(vdev);
    s->isr = vdev->isr;
    s->queue_sel = selected_queue(vdev);
    s->vm_running = vm_is_live();
    s->broken = vdev->is_broken;
    s->disabled = vdev->is_disabled;
    s->use_started = vdev->accepts_early_kicks;
    s->started = vdev->status & VIRTIO_STATUS_DRIVER_OK;
    s->disable_legacy_check = vdev->skips_legacy_check;
    s->bus_name = buses && buses->len ? g_strdup(bus_name(buses->pdata[0])) : NULL;
    s->use_guest_notifier_mask = true;
    return s;
}

/* --- a queue --- */

static void add_positions(VirtQueueStatus *s, VirtQueue *vq)
{
    uint64_t available = vq->next;

    s->has_last_avail_idx = s->has_shadow_avail_idx = true;
    s->last_avail_idx = vq->next;
    if (vq->is_enabled && vq->format == &virtqueue_split && !vq->vdev->is_broken) {
        virtqueue_load(vq, VIRTQUEUE_DRIVER, 2, 2, &available);
    }
    s->shadow_avail_idx = available;
    s->used_idx = vq->used;
    s->signalled_used = vq->notified;
    s->signalled_used_valid = vq->is_enabled;
}

VirtQueueStatus *qmp_x_query_virtio_queue_status(const char *path, uint16_t queue, Error **errp)
{
    VirtQueue *vq = virtio_query_queue(path, queue, errp);
    VirtQueueStatus *s;

    if (!vq) {
        return NULL;
    }
    s = g_new0(VirtQueueStatus, 1);
    s->name = virtio_kind_name(virtio_ops(vq->vdev)->virtio_id);
    s->queue_index = queue;
    s->inuse = vq->popped - vq->completed;
    s->vring_num = vq->size;
    s->vring_num_default = vq->max_size;
    s->vring_align = vq->align;
    s->vring_desc = vq->addr[VIRTQUEUE_DESC];
    s->vring_avail = vq->addr[VIRTQUEUE_DRIVER];
    s->vring_used = vq->addr[VIRTQUEUE_DEVICE];
    add_positions(s, vq);
    return s;
}
