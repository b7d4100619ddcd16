/*
 * The control queues of virtio-serial (virtio 1.3, 5.3.6.2). What the driver has no buffer for waits:
 * of each kind the last about each port, so that it is never more than a driver would want to know.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_serial.h"

#include "trace.h"
#include "util/log.h"

#define MESSAGE_BYTES 8

/* --- to the driver --- */

/* The name follows in the same buffer. */
static size_t write_name(const VirtioSerial *s, VirtQueueElement *elem, uint32_t number)
{
    const VirtioSerialPort *port = virtio_serial_find(s, number);

    return port && port->name ?
           virtqueue_write(elem, MESSAGE_BYTES, port->name, strlen(port->name)) : 0;
}

static void write_message(VirtioSerial *s, VirtQueueElement *elem, const VirtioSerialMessage *m)
{
    uint8_t bytes[MESSAGE_BYTES];
    size_t size;

    trace_virtio_serial_to_driver(m->port, m->event, m->value);
    virtio_put(&s->parent, bytes, 4, m->port);
    virtio_put(&s->parent, bytes + 4, 2, m->event);
    virtio_put(&s->parent, bytes + 6, 2, m->value);
    size = virtqueue_write(elem, 0, bytes, sizeof(bytes));
    if (m->event == VIRTIO_CONSOLE_PORT_NAME) {
        size += write_name(s, elem, m->port);
    }
    virtqueue_push(elem, size);
}

static void forget_first(VirtioSerial *s, uint32_t count)
{
    if (!count) {
        return;
    }
    s->waiting_count -= count;
    memmove(s->waiting, s->waiting + count, s->waiting_count * sizeof(*s->waiting));
    if (!s->waiting_count) {
        g_clear_pointer(&s->waiting, g_free);
    }
}

void virtio_serial_forget_messages(VirtioSerial *s)
{
    forget_first(s, s->waiting_count);
}

void virtio_serial_control_in(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioSerial *s = VIRTIO_SERIAL(vdev);
    VirtQueueElement *elem;
    uint32_t done = 0;

    while (done < s->waiting_count && virtio_is_live(vdev) &&
           (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        write_message(s, elem, &s->waiting[done++]);
    }
    if (done) {
        forget_first(s, done);
        virtqueue_notify(vq);
    }
}

/* What one more message makes pointless: with a port that goes all that was said of it. */
static bool is_outdated(const VirtioSerialMessage *m, uint32_t port, unsigned event)
{
    return m->port == port && (m->event == event || event == VIRTIO_CONSOLE_DEVICE_REMOVE);
}

static void forget_outdated(VirtioSerial *s, uint32_t port, unsigned event)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->waiting_count; i++) {
        if (!is_outdated(&s->waiting[i], port, event)) {
            s->waiting[kept++] = s->waiting[i];
        }
    }
    s->waiting_count = kept;
}

void virtio_serial_send(VirtioSerial *s, uint32_t port, unsigned event, uint16_t value)
{
    if (!s->is_driver_ready) {
        return;
    }
    forget_outdated(s, port, event);
    s->waiting = g_renew(VirtioSerialMessage, s->waiting, s->waiting_count + 1);
    s->waiting[s->waiting_count++] = (VirtioSerialMessage){ port, event, value };
    virtio_serial_control_in(&s->parent, s->control_in);
}

/* --- from the driver --- */

static void send_add(VirtioSerialPort *port)
{
    virtio_serial_send(virtio_serial_of(port), port->number, VIRTIO_CONSOLE_DEVICE_ADD, 1);
}

static void device_ready(VirtioSerial *s, uint16_t is_ready)
{
    if (!is_ready) {
        guest_error("%s: the driver failed to add it", device_label(&s->parent.parent));
        return;
    }
    s->is_driver_ready = true;
    virtio_serial_each_port(s, send_add);
}

static void port_ready(VirtioSerial *s, VirtioSerialPort *port, uint16_t is_ready)
{
    if (!is_ready) {
        guest_error("%s: the driver failed to add port %u", device_label(&s->parent.parent),
                    port->number);
        return;
    }
    if (virtio_serial_port_is_console(port)) {
        virtio_serial_send(s, port->number, VIRTIO_CONSOLE_CONSOLE_PORT, 1);
    }
    if (port->name) {
        virtio_serial_send(s, port->number, VIRTIO_CONSOLE_PORT_NAME, 1);
    }
    port->is_ready = true;
    port->is_host_open = false; /* so it is for a driver that was told nothing */
    virtio_serial_port_tell(port);
}

static void take_message(VirtioSerial *s, const VirtioSerialMessage *m)
{
    VirtioSerialPort *port = virtio_serial_find(s, m->port);

    trace_virtio_serial_from_driver(m->port, m->event, m->value);
    if (m->event == VIRTIO_CONSOLE_DEVICE_READY) {
        device_ready(s, m->value);
    } else if (!port) {
        guest_error("%s: event %u for port %" PRIu32 ", which is not there",
                    device_label(&s->parent.parent), m->event, m->port);
    } else if (m->event == VIRTIO_CONSOLE_PORT_READY) {
        port_ready(s, port, m->value);
    } else if (m->event == VIRTIO_CONSOLE_PORT_OPEN) {
        virtio_serial_port_set_guest_open(port, m->value);
    } else {
        guest_error("%s: event %u, which no driver has", device_label(&s->parent.parent),
                    m->event);
    }
}

void virtio_serial_control_out(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioSerial *s = VIRTIO_SERIAL(vdev);
    VirtQueueElement *elem;

    while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
        uint8_t bytes[MESSAGE_BYTES];

        if (virtqueue_read(elem, 0, bytes, sizeof(bytes)) == sizeof(bytes)) {
            const VirtioSerialMessage m = { virtio_get(vdev, bytes, 4),
                                            virtio_get(vdev, bytes + 4, 2),
                                            virtio_get(vdev, bytes + 6, 2) };

            take_message(s, &m);
        } else {
            guest_error("%s: a message that is too short", device_label(&vdev->parent));
        }
        virtqueue_push(elem, 0);
    }
    virtqueue_notify(vq);
}
