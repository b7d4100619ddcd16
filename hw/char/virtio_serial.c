/*
 * See hw/char/virtio_serial.h: negotiation, queues and life of the device. The screen's size
 * (VIRTIO_CONSOLE_F_SIZE) is not offered, as chardevs have none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_serial.h"

#include "hw/virtio/virtio_pci.h"

#define PORT_QUEUE_SIZE    128
#define CONTROL_QUEUE_SIZE 32
#define CONTROL_QUEUE      2 /* the first of both */
#define CONFIG_BYTES       12
#define CONFIG_MAX_PORTS   4
#define CONFIG_EMERGENCY   8

enum { VIRTIO_CONSOLE_F_SIZE, VIRTIO_CONSOLE_F_MULTIPORT, VIRTIO_CONSOLE_F_EMERG_WRITE };

bool virtio_serial_has_ports(const VirtioSerial *s)
{
    return virtio_has_feature(&s->parent, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* --- queues --- */

static unsigned first_queue(unsigned number)
{
    return number ? 2 * number + CONTROL_QUEUE : 0;
}

VirtQueue *virtio_serial_in_queue(const VirtioSerial *s, unsigned number)
{
    return virtio_queue((VirtioDevice *)&s->parent, first_queue(number));
}

VirtQueue *virtio_serial_out_queue(const VirtioSerial *s, unsigned number)
{
    return virtio_queue((VirtioDevice *)&s->parent, first_queue(number) + 1);
}

static VirtioSerialPort *port_of_queue(const VirtioSerial *s, const VirtQueue *vq)
{
    unsigned n = virtqueue_index(vq) / 2;

    return virtio_serial_find(s, n ? n - 1 : 0);
}

static void in_kicked(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioSerialPort *port = port_of_queue(VIRTIO_SERIAL(vdev), vq);

    if (port) {
        char_frontend_accept_input(&port->chr);
    }
}

static void give_back_all(VirtQueue *vq)
{
    VirtQueueElement *elem;

    while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
        virtqueue_push(elem, 0);
    }
    virtqueue_notify(vq);
}

static void out_kicked(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioSerialPort *port = port_of_queue(VIRTIO_SERIAL(vdev), vq);

    if (port) {
        virtio_serial_port_flush(port);
    } else {
        give_back_all(vq);
    }
}

static void queue_reset(VirtioDevice *vdev, VirtQueue *vq)
{
    unsigned n = virtqueue_index(vq);
    VirtioSerialPort *port = port_of_queue(VIRTIO_SERIAL(vdev), vq);

    if (port && n % 2 && n != CONTROL_QUEUE + 1) {
        virtio_serial_port_forget(port);
    }
}

/* --- configuration --- */

static uint64_t features(VirtioDevice *vdev)
{
    const VirtioSerial *s = VIRTIO_SERIAL(vdev);

    return (s->max_ports > 1 ? BIT64(VIRTIO_CONSOLE_F_MULTIPORT) : 0) |
           (s->has_emergency_write ? BIT64(VIRTIO_CONSOLE_F_EMERG_WRITE) : 0);
}

static void config_read(VirtioDevice *vdev, uint8_t *config)
{
    memset(config, 0, CONFIG_BYTES);
    virtio_put(vdev, config + CONFIG_MAX_PORTS, 4, VIRTIO_SERIAL(vdev)->max_ports);
}

/* A character for the first console, without any negotiation. */
static void config_written(VirtioDevice *vdev, const uint8_t *config)
{
    const VirtioSerial *s = VIRTIO_SERIAL(vdev);
    VirtioSerialPort *console = virtio_serial_find_console(s);
    uint8_t byte = virtio_get(vdev, config + CONFIG_EMERGENCY, 4);

    if (s->has_emergency_write && console && byte) {
        char_frontend_write(&console->chr, &byte, 1);
    }
}

/* --- what goes on --- */

/* A driver of one port has no words for it: it is open while it runs. */
static void status_changed(VirtioDevice *vdev, uint8_t old)
{
    const VirtioSerial *s = VIRTIO_SERIAL(vdev);
    VirtioSerialPort *port = virtio_serial_find(s, 0);

    if (port && !virtio_serial_has_ports(s)) {
        virtio_serial_port_set_guest_open(port, vdev->status & VIRTIO_STATUS_DRIVER_OK);
    }
}

static void go_on(VirtioSerialPort *port)
{
    virtio_serial_port_tell(port);
    virtio_serial_port_flush(port);
    char_frontend_accept_input(&port->chr);
}

static void run_changed(VirtioDevice *vdev)
{
    if (virtio_is_live(vdev)) {
        virtio_serial_control_in(vdev, VIRTIO_SERIAL(vdev)->control_in);
        virtio_serial_each_port(VIRTIO_SERIAL(vdev), go_on);
    }
}

/* --- life --- */

static bool check(const VirtioSerial *s, Error **errp)
{
    if (!s->max_ports) {
        return error_set(errp, "Maximum number of serial ports not specified");
    }
    return s->max_ports <= VIRTIO_SERIAL_MAX_PORTS ||
           error_set(errp, "maximum ports supported: %d", VIRTIO_SERIAL_MAX_PORTS);
}

static bool serial_realize(Device *dev, Error **errp)
{
    VirtioSerial *s = VIRTIO_SERIAL(dev);
    VirtioDevice *vdev = &s->parent;

    if (!check(s, errp) || !virtio_init_queues(vdev, 2 * (s->max_ports + 1), errp)) {
        return false;
    }
    for (unsigned n = 0; n < s->max_ports; n++) {
        virtqueue_init(vdev, first_queue(n), PORT_QUEUE_SIZE, in_kicked);
        virtqueue_init(vdev, first_queue(n) + 1, PORT_QUEUE_SIZE, out_kicked);
    }
    s->control_in = virtqueue_init(vdev, CONTROL_QUEUE, CONTROL_QUEUE_SIZE,
                                   virtio_serial_control_in);
    s->control_out = virtqueue_init(vdev, CONTROL_QUEUE + 1, CONTROL_QUEUE_SIZE,
                                    virtio_serial_control_out);
    if (!s->has_emergency_write) {
        vdev->config_bytes = CONFIG_EMERGENCY;
    }
    s->bus = virtio_serial_bus_new(s);
    return true;
}

static void serial_unrealize(Device *dev)
{
    VirtioSerial *s = VIRTIO_SERIAL(dev);

    virtio_serial_bus_delete(s->bus);
    s->bus = NULL;
    virtio_serial_forget_messages(s);
}

static void serial_reset(Device *dev)
{
    VIRTIO_SERIAL(dev)->is_driver_ready = false;
    virtio_serial_forget_messages(VIRTIO_SERIAL(dev));
}

static bool serial_post_load(void *opaque, int version, Error **errp)
{
    const VirtioSerial *s = opaque;

    for (uint32_t i = 0; i < s->waiting_count; i++) {
        if (s->waiting[i].event >= VIRTIO_CONSOLE_EVENTS || s->waiting[i].port >= s->max_ports) {
            return error_set(errp, "virtio-serial: event %u of port %u", s->waiting[i].event,
                             s->waiting[i].port);
        }
    }
    return true;
}

static const Property serial_props[] = {
    PROP_U32("max_ports", VirtioSerial, max_ports, .initial = 31, .doc = "Ports it has room for"),
    PROP_BOOL("emergency-write", VirtioSerial, has_emergency_write, .initial = true,
              .doc = "Takes characters for consoles before a driver runs it"),
};
static const VMField message_fields[] = {
    VM_U32(VirtioSerialMessage, port), VM_U16(VirtioSerialMessage, event),
    VM_U16(VirtioSerialMessage, value),
};
static const VMState message_state = VMSTATE_INIT(message_fields, .version = 1);
static const VMField serial_fields[] = {
    VM_EQUAL(VirtioSerial, max_ports), VM_BOOL(VirtioSerial, is_driver_ready),
    VM_STRUCT_ALLOCATED(VirtioSerial, waiting, waiting_count,
                        VIRTIO_SERIAL_MAX_PORTS * VIRTIO_CONSOLE_EVENTS, message_state),
};

static const VirtioDeviceType serial_type = {
    .name = TYPE_VIRTIO_SERIAL,
    .doc = "virtio console, with ports for consoles and for programs",
    .parent = TYPE_VIRTIO_DEVICE,
    .size = sizeof(VirtioSerial),
    .category = DEVICE_CATEGORY_INPUT,
    .virtio_id = VIRTIO_ID_CONSOLE,
    .config_bytes = CONFIG_BYTES,
    .features = features,
    .config_read = config_read,
    .config_written = config_written,
    .status_changed = status_changed,
    .queue_reset = queue_reset,
    .run_changed = run_changed,
    .properties = PROPERTIES(serial_props),
    .vmstate = VMSTATE(serial_fields, .version = 1, .post_load = serial_post_load),
    .realize = serial_realize,
    .unrealize = serial_unrealize,
    .reset_hold = serial_reset,
};
VIRTIO_DEVICE_TYPE(serial_type)

static const VirtioPciFamily serial_pci = {
    .name = "virtio-serial-pci",
    .doc = "virtio console on PCI, with ports for consoles and for programs",
    .device = &serial_type,
    .class_id = 0x0780,
    .transitional_id = 0x1003,
    .vectors = 2,
    .category = DEVICE_CATEGORY_INPUT,
};
VIRTIO_PCI_FAMILY(serial_pci)
