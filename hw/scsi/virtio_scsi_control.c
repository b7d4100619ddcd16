/*
 * virtio-scsi's control queue and events (virtio 1.3, 5.6.6.2, 5.6.6.3). Every request is
 * answered: what is not known is rejected. Aborting waits for what is under way, which comes to
 * its end; only what waits for the VM to run is given up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_scsi.h"

enum { TYPE_TMF = 0, TYPE_AN_QUERY = 1, TYPE_AN_SUBSCRIBE = 2 };
enum { ABORT_TASK = 0, ABORT_TASK_SET = 1, CLEAR_ACA = 2, CLEAR_TASK_SET = 3, I_T_NEXUS_RESET = 4,
       LOGICAL_UNIT_RESET = 5, QUERY_TASK = 6, QUERY_TASK_SET = 7 };
/* A task management request; a notification's has its LUN where this has its function. */
enum { TMF_SUBTYPE = 4, TMF_LUN = 8, TMF_TAG = 16, TMF_BYTES = 24 };
enum { AN_LUN = 4, AN_REQUESTED = 12, AN_BYTES = 16, AN_RESPONSE = 4, AN_RESPONSE_BYTES = 5 };
enum { ASYNC_MEDIA_CHANGE = 16 };

/* --- task management --- */

static bool is_of(const VirtioScsiCommand *command, const ScsiDevice *dev, const uint64_t *tag)
{
    return command->request.dev == dev && (!tag || command->tag == *tag);
}

static bool is_under_way(const VirtioScsi *s, const ScsiDevice *dev, const uint64_t *tag)
{
    for (const VirtioScsiCommand *command = s->commands; command; command = command->next) {
        if (is_of(command, dev, tag)) {
            return true;
        }
    }
    return false;
}

static void drain(ScsiDevice *dev)
{
    scsi_device_ops(dev)->drain(dev);
}

static void reset_target(VirtioScsi *s, unsigned id)
{
    const GPtrArray *devices = s->bus->parent.devices;

    for (guint i = 0; i < devices->len; i++) {
        ScsiDevice *dev = devices->pdata[i];

        if (dev->id == id) {
            scsi_device_reset(dev);
        }
    }
}

static uint8_t manage(VirtioScsi *s, const uint8_t *request)
{
    uint32_t function = virtio_get(&s->parent, request + TMF_SUBTYPE, 4);
    uint64_t tag = virtio_get(&s->parent, request + TMF_TAG, 8);
    unsigned lun;
    ScsiDevice *dev = virtio_scsi_find(s, request + TMF_LUN, &lun);

    if (!dev) {
        return VIRTIO_SCSI_S_BAD_TARGET;
    }
    if (dev->lun != lun && function != I_T_NEXUS_RESET) {
        return VIRTIO_SCSI_S_INCORRECT_LUN;
    }
    switch (function) {
    case ABORT_TASK:
        if (is_under_way(s, dev, &tag)) {
            drain(dev);
        }
        return VIRTIO_SCSI_S_OK;
    case ABORT_TASK_SET:
    case CLEAR_TASK_SET:
        drain(dev);
        return VIRTIO_SCSI_S_OK;
    case I_T_NEXUS_RESET:
        reset_target(s, dev->id);
        return VIRTIO_SCSI_S_OK;
    case LOGICAL_UNIT_RESET:
        scsi_device_reset(dev);
        return VIRTIO_SCSI_S_OK;
    case QUERY_TASK:
        return is_under_way(s, dev, &tag) ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED : VIRTIO_SCSI_S_OK;
    case QUERY_TASK_SET:
        return is_under_way(s, dev, NULL) ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED : VIRTIO_SCSI_S_OK;
    default: /* CLEAR_ACA too: there is no such condition */
        return VIRTIO_SCSI_S_FUNCTION_REJECTED;
    }
}

/* --- the control queue --- */

static void answer(void *elem, const uint8_t *data, size_t bytes)
{
    virtqueue_push(elem, virtqueue_write(elem, 0, data, bytes));
}

/* Asynchronous notifications: those that the unit has of the ones asked for. */
static void answer_notifications(VirtioScsi *s, VirtQueueElement *elem, const uint8_t *request,
                                 bool subscribes)
{
    uint8_t data[AN_RESPONSE_BYTES] = { 0 };
    uint32_t wanted = virtio_get(&s->parent, request + AN_REQUESTED, 4);
    unsigned lun;
    ScsiDevice *dev = virtio_scsi_find(s, request + AN_LUN, &lun);

    data[AN_RESPONSE] = !dev ? VIRTIO_SCSI_S_BAD_TARGET :
                        dev->lun != lun ? VIRTIO_SCSI_S_INCORRECT_LUN : VIRTIO_SCSI_S_OK;
    if (data[AN_RESPONSE] == VIRTIO_SCSI_S_OK) {
        wanted &= scsi_device_ops(dev)->has_media_events ? ASYNC_MEDIA_CHANGE : 0;
        virtio_put(&s->parent, data, 4, wanted);
        dev->subscribed = subscribes ? wanted : dev->subscribed;
    }
    answer(elem, data, sizeof(data));
}

static void take(VirtioScsi *s, VirtQueueElement *elem)
{
    uint8_t request[TMF_BYTES] = { 0 };
    size_t bytes = virtqueue_read(elem, 0, request, sizeof(request));
    uint32_t type = virtio_get(&s->parent, request, 4);
    uint8_t response = VIRTIO_SCSI_S_FUNCTION_REJECTED;

    if (bytes < 4 || !elem->in.bytes) {
        virtio_error(&s->parent, "virtio-scsi: a control request of %zu bytes", bytes);
        virtqueue_drop(elem);
    } else if (type == TYPE_TMF && bytes >= TMF_BYTES) {
        response = manage(s, request);
        answer(elem, &response, 1);
    } else if ((type == TYPE_AN_QUERY || type == TYPE_AN_SUBSCRIBE) && bytes >= AN_BYTES &&
               elem->in.bytes >= AN_RESPONSE_BYTES) {
        answer_notifications(s, elem, request, type == TYPE_AN_SUBSCRIBE);
    } else {
        answer(elem, &response, 1);
    }
}

void virtio_scsi_control(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtQueueElement *elem;

    while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
        take(VIRTIO_SCSI(vdev), elem);
    }
    virtqueue_notify(vq);
}

/* --- events --- */

enum { EVENT_NONE = 0, EVENT_TRANSPORT_RESET = 1, EVENT_ASYNC_NOTIFY = 2, EVENT_PARAM_CHANGE = 3,
       EVENTS_MISSED = 0x80000000 };
enum { REASON_RESCAN = 1, REASON_REMOVED = 2 };
enum { EVENT_LUN = 4, EVENT_REASON = 12, EVENT_BYTES = 16 };

static void put_lun(uint8_t *data, const ScsiDevice *dev)
{
    data[0] = 1;
    data[1] = dev->id;
    data[2] = dev->lun < 256 ? 0 : 0x40 | dev->lun >> 8;
    data[3] = dev->lun;
}

/* `dev` NULL: nothing but that some were missed. */
static void send_event(VirtioScsi *s, const ScsiDevice *dev, uint32_t event, uint32_t reason)
{
    VirtQueueElement *elem =
        virtio_is_running(&s->parent) ? virtqueue_pop(s->event_vq, sizeof(*elem)) : NULL;
    uint8_t data[EVENT_BYTES] = { 0 };

    if (!elem || elem->in.bytes < EVENT_BYTES) {
        s->has_missed_events = virtio_is_running(&s->parent);
        if (elem) {
            virtqueue_push(elem, 0);
        }
        return;
    }
    virtio_put(&s->parent, data, 4, event | (s->has_missed_events ? EVENTS_MISSED : 0));
    virtio_put(&s->parent, data + EVENT_REASON, 4, reason);
    if (dev) {
        put_lun(data + EVENT_LUN, dev);
    }
    s->has_missed_events = false;
    virtqueue_push(elem, virtqueue_write(elem, 0, data, sizeof(data)));
    virtqueue_notify(s->event_vq);
}

void virtio_scsi_events(VirtioDevice *vdev, VirtQueue *vq)
{
    if (VIRTIO_SCSI(vdev)->has_missed_events) {
        send_event(VIRTIO_SCSI(vdev), NULL, EVENT_NONE, 0);
    }
}

static void plugged(void *opaque, ScsiDevice *dev)
{
    if (virtio_has_feature(opaque, VIRTIO_SCSI_F_HOTPLUG)) {
        send_event(opaque, dev, EVENT_TRANSPORT_RESET, REASON_RESCAN);
    }
}

static void unplugged(void *opaque, ScsiDevice *dev)
{
    if (virtio_has_feature(opaque, VIRTIO_SCSI_F_HOTPLUG)) {
        send_event(opaque, dev, EVENT_TRANSPORT_RESET, REASON_REMOVED);
    }
}

static void changed(void *opaque, ScsiDevice *dev, ScsiSense sense)
{
    if (virtio_has_feature(opaque, VIRTIO_SCSI_F_CHANGE)) {
        send_event(opaque, dev, EVENT_PARAM_CHANGE, sense.asc | sense.ascq << 8);
    }
}

/* Of drives of media these are in place of changed parameters (5.6.6.3.1). */
static void media_event(void *opaque, ScsiDevice *dev)
{
    if (dev->subscribed & ASYNC_MEDIA_CHANGE) {
        send_event(opaque, dev, EVENT_ASYNC_NOTIFY, ASYNC_MEDIA_CHANGE);
    }
}

void virtio_scsi_unsubscribe_all(VirtioScsi *s)
{
    const GPtrArray *devices = s->bus->parent.devices;

    for (guint i = 0; i < devices->len; i++) {
        SCSI_DEVICE(devices->pdata[i])->subscribed = 0;
    }
}

const ScsiBusOps virtio_scsi_bus_ops = {
    .max_target = VIRTIO_SCSI_MAX_TARGET, .max_lun = VIRTIO_SCSI_MAX_LUN,
    .plugged = plugged, .unplugged = unplugged, .changed = changed,
    .media_event = media_event,
};
