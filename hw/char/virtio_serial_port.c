/*
 * A port of virtio-serial: bytes between a pair of virtqueues and a chardev. `virtconsole` is one that
 * the driver uses as a console, `virtserialport` one that programs of the guest open by its name.
 *
 * Nothing is kept of a driver's buffer: what the chardev does not take stays in the queue, and what the
 * driver has no room for stays in the chardev. A console does not wait for its chardev but drops
 * what that does not take, for drivers stand still until a line is out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_serial.h"

#include "hw/core/chardev_property.h"
#include "qapi/qapi-events-char.h"

#define CHUNK_BYTES 4096 /* to the chardev at a time */

bool virtio_serial_port_is_console(const VirtioSerialPort *port)
{
    return ((const VirtioSerialPortType *)object_ops(port))->is_console;
}

/* A console's chardev is taken as it comes. */
bool virtio_serial_port_is_host_open(const VirtioSerialPort *port)
{
    return virtio_serial_port_is_console(port) ? char_frontend_chardev(&port->chr) != NULL :
                                                 char_frontend_is_connected(&port->chr);
}

void virtio_serial_port_tell(VirtioSerialPort *port)
{
    VirtioSerial *s = virtio_serial_of(port);
    bool is_open = virtio_serial_port_is_host_open(port);

    if (virtio_is_live(&s->parent) && port->is_ready && port->is_host_open != is_open) {
        port->is_host_open = is_open;
        virtio_serial_send(s, port->number, VIRTIO_CONSOLE_PORT_OPEN, is_open);
    }
}

void virtio_serial_port_set_guest_open(VirtioSerialPort *port, bool is_open)
{
    if (port->is_guest_open == is_open) {
        return;
    }
    port->is_guest_open = is_open;
    if (!virtio_serial_port_is_console(port)) {
        char_frontend_set_open(&port->chr, is_open);
    }
    if (port->parent.id) {
        qapi_event_send_vserport_change(port->parent.id, is_open);
    }
    char_frontend_accept_input(&port->chr);
}

/* --- from the driver --- */

static void drop_watch(VirtioSerialPort *port)
{
    if (port->watch) {
        g_source_destroy(port->watch);
        g_clear_pointer(&port->watch, g_source_unref);
    }
}

void virtio_serial_port_forget(VirtioSerialPort *port)
{
    drop_watch(port);
    port->sent_bytes = 0;
}

static gboolean chr_has_room(void *opaque, GIOCondition condition)
{
    VirtioSerialPort *port = opaque;

    g_clear_pointer(&port->watch, g_source_unref);
    virtio_serial_port_flush(port);
    return G_SOURCE_REMOVE;
}

/* Whether the chardev says when it has room again. */
static bool wait_for_room(VirtioSerialPort *port)
{
    port->watch = virtio_serial_port_is_console(port) ? NULL :
                  char_frontend_watch(&port->chr, G_IO_OUT | G_IO_HUP, chr_has_room, port);
    return port->watch;
}

/* False: the rest of the buffer waits. */
static bool send_buffer(VirtioSerialPort *port, VirtQueueElement *elem)
{
    uint8_t bytes[CHUNK_BYTES];
    size_t size;

    while ((size = virtqueue_read(elem, port->sent_bytes, bytes, sizeof(bytes)))) {
        ssize_t taken = char_frontend_write(&port->chr, bytes, size);

        taken = taken == -EAGAIN ? 0 : taken < 0 ? (ssize_t)size : taken;
        port->sent_bytes += taken;
        if (taken < (ssize_t)size) {
            if (wait_for_room(port)) {
                return false;
            }
            break;
        }
    }
    port->sent_bytes = 0;
    return true;
}

void virtio_serial_port_flush(VirtioSerialPort *port)
{
    VirtioSerial *s = virtio_serial_of(port);
    VirtQueue *vq = virtio_serial_out_queue(s, port->number);
    VirtQueueElement *elem;

    while (!port->watch && virtio_is_live(&s->parent) && (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        if (virtio_serial_port_is_host_open(port) && !send_buffer(port, elem)) {
            virtqueue_unpop(elem);
        } else {
            virtqueue_push(elem, 0);
        }
    }
    virtqueue_notify(vq);
}

/* --- to the driver --- */

static size_t chr_can_read(void *opaque)
{
    VirtioSerialPort *port = opaque;
    VirtioSerial *s = virtio_serial_of(port);

    return virtio_is_live(&s->parent) && port->is_guest_open ?
           virtqueue_next_room(virtio_serial_in_queue(s, port->number)) : 0;
}

static void chr_read(void *opaque, const uint8_t *bytes, size_t size)
{
    VirtioSerialPort *port = opaque;
    VirtQueue *vq = virtio_serial_in_queue(virtio_serial_of(port), port->number);
    VirtQueueElement *elem;

    while (size && (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        size_t done = virtqueue_write(elem, 0, bytes, size);

        virtqueue_push(elem, done);
        bytes += done;
        size -= done;
    }
    virtqueue_notify(vq);
}

/* --- the chardev --- */

/* Another one at the other end, or nobody: what waited for the last one is not for it. */
static void chr_event(void *opaque, CharEvent event)
{
    VirtioSerialPort *port = opaque;

    if (event == CHAR_EVENT_OPENED || event == CHAR_EVENT_CLOSED) {
        virtio_serial_port_tell(port);
        if (!virtio_serial_port_is_host_open(port)) {
            virtio_serial_port_forget(port);
            virtio_serial_port_flush(port);
        }
    }
}

static bool chr_changed(void *opaque, Error **errp)
{
    VirtioSerialPort *port = opaque;

    drop_watch(port);
    virtio_serial_port_tell(port);
    virtio_serial_port_flush(port);
    return true;
}

static const CharHandlers console_handlers = {
    .can_read = chr_can_read, .read = chr_read, .changed = chr_changed,
};
static const CharHandlers port_handlers = {
    .can_read = chr_can_read, .read = chr_read, .event = chr_event, .changed = chr_changed,
    .has_explicit_open = true,
};

/* --- life --- */

static bool port_realize(Device *dev, Error **errp)
{
    VirtioSerialPort *port = VIRTIO_SERIAL_PORT(dev);
    const VirtioSerial *s = virtio_serial_of(port);
    bool is_console = virtio_serial_port_is_console(port);

    port->is_guest_open = !port->number && !virtio_serial_has_ports(s) &&
                          virtio_is_running(&s->parent);
    char_frontend_set_handlers(&port->chr, is_console ? &console_handlers : &port_handlers, port,
                               NULL);
    return true;
}

static void port_unrealize(Device *dev)
{
    VirtioSerialPort *port = VIRTIO_SERIAL_PORT(dev);

    virtio_serial_port_forget(port);
    char_frontend_detach(&port->chr);
    virtio_serial_port_flush(port);
}

static void port_reset(Device *dev)
{
    VirtioSerialPort *port = VIRTIO_SERIAL_PORT(dev);

    virtio_serial_port_forget(port);
    port->is_ready = port->is_host_open = false;
    virtio_serial_port_set_guest_open(port, false);
}

static bool port_post_load(void *opaque, int version, Error **errp)
{
    VirtioSerialPort *port = opaque;
    bool is_open = port->is_guest_open;

    port->is_guest_open = false;
    virtio_serial_port_set_guest_open(port, is_open);
    return true;
}

static const Property port_props[] = {
    PROP_CHARDEV("chardev", VirtioSerialPort, chr),
    PROP_U32("nr", VirtioSerialPort, number, .initial = UINT32_MAX,
             .doc = "Number of the port; 4294967295: a free one"),
    PROP_STR("name", VirtioSerialPort, name, .doc = "What programs in the guest find it by"),
};
static const VMField port_fields[] = {
    VM_EQUAL(VirtioSerialPort, number), VM_BOOL(VirtioSerialPort, is_ready),
    VM_BOOL(VirtioSerialPort, is_guest_open), VM_BOOL(VirtioSerialPort, is_host_open),
    VM_U64(VirtioSerialPort, sent_bytes),
};

static const VirtioSerialPortType port_type = {
    .name = TYPE_VIRTIO_SERIAL_PORT,
    .doc = "Port of a virtio console for programs",
    .parent = TYPE_DEVICE,
    .size = sizeof(VirtioSerialPort),
    .bus_type = TYPE_VIRTIO_SERIAL_BUS,
    .category = DEVICE_CATEGORY_INPUT,
    .access = DEVICE_ACCESS_USER,
    .properties = PROPERTIES(port_props),
    .vmstate = VMSTATE(port_fields, .version = 1, .post_load = port_post_load),
    .realize = port_realize,
    .unrealize = port_unrealize,
    .reset_hold = port_reset,
};
OBJECT_TYPE(port_type)

static const VirtioSerialPortType console_type = {
    .name = "virtconsole",
    .doc = "Port of a virtio console that is a console",
    .parent = TYPE_VIRTIO_SERIAL_PORT,
    .is_console = true,
};
OBJECT_TYPE(console_type)
