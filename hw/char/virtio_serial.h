/*
 * virtio-serial: the console device of virtio 1.3, 5.3. The device has the control queues and a bus;
 * each port on it is a device, which has a pair of queues by its number and a chardev behind it.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CHAR_VIRTIO_SERIAL_H
#define HW_CHAR_VIRTIO_SERIAL_H

#include "chardev/frontend.h"
#include "hw/core/bus.h"
#include "hw/virtio/virtqueue.h"

#define TYPE_VIRTIO_SERIAL      "virtio-serial-device"
#define TYPE_VIRTIO_SERIAL_BUS  "virtio-serial-bus"
#define TYPE_VIRTIO_SERIAL_PORT "virtserialport"
#define VIRTIO_SERIAL_MAX_PORTS (VIRTIO_MAX_QUEUES / 2 - 1)

/* 5.3.6.2: what control messages say. */
enum {
    VIRTIO_CONSOLE_DEVICE_READY, VIRTIO_CONSOLE_DEVICE_ADD, VIRTIO_CONSOLE_DEVICE_REMOVE,
    VIRTIO_CONSOLE_PORT_READY, VIRTIO_CONSOLE_CONSOLE_PORT, VIRTIO_CONSOLE_RESIZE,
    VIRTIO_CONSOLE_PORT_OPEN, VIRTIO_CONSOLE_PORT_NAME, VIRTIO_CONSOLE_EVENTS
};

typedef struct VirtioSerialMessage {
    uint32_t port;
    uint16_t event, value;
} VirtioSerialMessage;

typedef struct VirtioSerial {
    VirtioDevice parent;
    Bus *bus;
    VirtQueue *control_in, *control_out;
    /* properties */
    uint32_t max_ports;
    bool has_emergency_write;
    /* state */
    bool is_driver_ready;     /* it hears of ports */
    VirtioSerialMessage *waiting; /* for buffers of the driver; the last of a port and a kind */
    uint32_t waiting_count;
} VirtioSerial;
DECLARE_CAST(VirtioSerial, VIRTIO_SERIAL)

typedef struct VirtioSerialPort {
    Device parent;
    CharFrontend chr;
    /* properties */
    uint32_t number;
    char *name;
    /* state */
    bool is_ready;       /* the driver asked for its events */
    bool is_guest_open;
    bool is_host_open;   /* as the driver was told */
    uint64_t sent_bytes; /* of the driver's next buffer: the chardev took no more so far */
    GSource *watch;      /* until it does */
} VirtioSerialPort;
DECLARE_CAST(VirtioSerialPort, VIRTIO_SERIAL_PORT)

typedef struct VirtioSerialPortType {
    struct DeviceType;
    uintptr_t is_console;
} VirtioSerialPortType;

/* --- the device (virtio_serial.c) --- */

bool virtio_serial_has_ports(const VirtioSerial *s);
/* Which queues are port `number`'s. */
VirtQueue *virtio_serial_in_queue(const VirtioSerial *s, unsigned number);
VirtQueue *virtio_serial_out_queue(const VirtioSerial *s, unsigned number);

/* --- the control queues (virtio_serial_control.c) --- */

/* Nothing is sent before the driver asked for it. */
void virtio_serial_send(VirtioSerial *s, uint32_t port, unsigned event, uint16_t value);
void virtio_serial_forget_messages(VirtioSerial *s);
/* The driver has something to say, or room. */
void virtio_serial_control_out(VirtioDevice *vdev, VirtQueue *vq);
void virtio_serial_control_in(VirtioDevice *vdev, VirtQueue *vq);

/* --- the bus (virtio_serial_bus.c) --- */

Bus *virtio_serial_bus_new(VirtioSerial *s);
void virtio_serial_bus_delete(Bus *bus);
/* NULL: there is none. */
VirtioSerialPort *virtio_serial_find(const VirtioSerial *s, uint32_t number);
VirtioSerialPort *virtio_serial_find_console(const VirtioSerial *s);
void virtio_serial_each_port(const VirtioSerial *s, void (*fn)(VirtioSerialPort *port));

/* --- a port (virtio_serial_port.c) --- */

static inline VirtioSerial *virtio_serial_of(const VirtioSerialPort *port)
{
    return VIRTIO_SERIAL(port->parent.bus->owner);
}
bool virtio_serial_port_is_console(const VirtioSerialPort *port);
/* There is somebody at the host's end. */
bool virtio_serial_port_is_host_open(const VirtioSerialPort *port);
/* Tells the driver of that, if it is not as it was told last. */
void virtio_serial_port_tell(VirtioSerialPort *port);
/* The driver says that a program has it open, or no more. */
void virtio_serial_port_set_guest_open(VirtioSerialPort *port, bool is_open);
/* Buffers of the driver to the chardev; those for nobody are given back. */
void virtio_serial_port_flush(VirtioSerialPort *port);
/* What was begun is given up: its queue goes. */
void virtio_serial_port_forget(VirtioSerialPort *port);

#endif
