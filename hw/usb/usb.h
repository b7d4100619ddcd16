/*
 * USB: the bus between a host controller and its devices (USB 2.0; USB 3.0 as far as a device says
 * that it is one), and a transfer on it.
 *
 * A controller finds a device by a port of its own and the ports of hubs behind it, fills a
 * UsbPacket and submits it. The device answers at once, or later and then exactly once, unless the
 * packet is cancelled. A device with nothing to say yet says USB_NAK, and wakes the endpoint when
 * that may have changed.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_USB_USB_H
#define HW_USB_USB_H

#include "hw/core/bus.h"
#include "system/dma.h"
#include "usb_descriptors.h"

#define TYPE_USB_BUS    "usb-bus"
#define TYPE_USB_DEVICE "usb-device"
#define USB_PATH_BYTES  24 /* "15.8.8.8.8.8" at most */
#define USB_HUB_LEVELS  5
#define USB_HUB_PORTS   15 /* that a route can name */

typedef struct UsbBus UsbBus;
typedef struct UsbDevice UsbDevice;
typedef struct UsbPacket UsbPacket;
typedef struct UsbPort UsbPort;

typedef enum UsbStatus {
    USB_OK, USB_NAK, USB_STALL,
    USB_BABBLE,    /* more data than there was room for */
    USB_IO_ERROR,  /* no such device or endpoint, no such memory */
    USB_LATER,     /* done() is called */
} UsbStatus;

/* --- transfers --- */

/* The setup packet (USB 2.0, 9.3). */
typedef struct UsbRequest {
    uint8_t kind, code;
    uint16_t value, index, length;
} UsbRequest;

/* bmRequestType */
enum {
    USB_TO_HOST = 0x80,
    USB_KIND_MASK = 0x60, USB_KIND_STANDARD = 0x00, USB_KIND_CLASS = 0x20, USB_KIND_VENDOR = 0x40,
    USB_TARGET_MASK = 0x1f, USB_TARGET_DEVICE = 0, USB_TARGET_INTERFACE = 1,
    USB_TARGET_ENDPOINT = 2, USB_TARGET_OTHER = 3,
};
/* Kind and code as one, for switches. */
#define USB_REQUEST(kind, code) ((kind) << 8 | (code))

struct UsbPacket {
    /* the controller's */
    UsbRequest request;    /* of a control transfer */
    const DmaList *data;
    uint8_t endpoint;      /* 0: a control transfer */
    bool is_in;
    uint16_t stream;
    void (*done)(UsbPacket *packet);
    /* the result */
    UsbStatus status;
    uint64_t moved;        /* bytes */
    bool has_fault;        /* some of its memory is not there */
    /* the device's, while it has it */
    UsbDevice *dev;        /* NULL: it does not */
    GByteArray *given;     /* for its pcap file; NULL: nothing */
};

/* USB_LATER: done() is called, with the status in the packet. Else that is the status. */
UsbStatus usb_submit(UsbDevice *dev, UsbPacket *packet);
/* One that waits: the device forgets it, done() is not called. */
void usb_cancel(UsbPacket *packet);
/* The device is as after a reset on its port. */
void usb_device_reset(UsbDevice *dev);

/* For devices: data of the packet from where the last call ended. How many bytes there were. */
size_t usb_give(UsbPacket *packet, const void *data, size_t bytes);
size_t usb_take(UsbPacket *packet, void *data, size_t bytes);
static inline uint64_t usb_room(const UsbPacket *packet)
{
    return packet->data->bytes - packet->moved;
}
/* For devices: a packet that waited is done. */
void usb_complete(UsbPacket *packet, UsbStatus status);
/* For devices: an IN endpoint may have something by now. */
void usb_wake(UsbDevice *dev, uint8_t endpoint);

/* --- ports and the bus --- */

/* Of who has the port: a controller or a hub. */
typedef struct UsbPortOps {
    void (*attached)(UsbPort *port);
    void (*detached)(UsbPort *port); /* port->dev is there for the last time */
    /* The device wants its host's attention. */
    void (*resumed)(UsbPort *port);
} UsbPortOps;

struct UsbPort {
    const UsbPortOps *ops;
    void *opaque;
    unsigned number;      /* of the controller or hub, from 1 */
    unsigned speeds;      /* BIT(UsbSpeed) */
    unsigned level;       /* hubs before it */
    /* the core's */
    UsbBus *bus;
    char path[USB_PATH_BYTES];
    UsbDevice *owner;     /* who claimed it; NULL: it is free */
    UsbDevice *dev;       /* who is attached */
};

/* Of a controller. */
typedef struct UsbBusOps {
    void (*wake)(void *opaque, UsbDevice *dev, uint8_t endpoint);
    /* It goes: nothing may be left with it. */
    void (*gone)(void *opaque, UsbDevice *dev);
} UsbBusOps;

struct UsbBus {
    Bus parent;
    const UsbBusOps *ops;
    void *opaque;
    unsigned number;    /* among the machine's */
    GPtrArray *ports;   /* borrowed, in the order they came */
};
DECLARE_CAST(UsbBus, USB_BUS)

/* "<id>.0", or by the first free number: "usb-bus.0". */
UsbBus *usb_bus_new(Device *owner, const UsbBusOps *ops, void *opaque);
/* In unrealize: with its devices. */
void usb_bus_delete(UsbBus *bus);
/* `parent`: of the hub it belongs to; NULL: the controller's. ops, opaque, number, speeds are set. */
void usb_port_add(UsbBus *bus, UsbPort *port, const UsbPort *parent);
void usb_port_remove(UsbPort *port);
/* Calls `fn` (may be NULL) for each bus of the machine; how many there are. */
unsigned usb_each_bus(void (*fn)(void *opaque, UsbBus *bus), void *opaque);
/* For `info usb` and messages. */
const char *usb_speed_name(UsbSpeed speed);

/* --- devices --- */

typedef struct UsbDeviceType {
    struct DeviceType;
    const UsbDescriptors *descriptors;
    const char *firmware_name; /* NULL: its type's */
    /* What the core does not answer itself: class and vendor requests, and standard ones of
     * interfaces that only the device knows. USB_STALL: it does not either. */
    UsbStatus (*control)(UsbDevice *dev, UsbPacket *packet);
    UsbStatus (*data)(UsbDevice *dev, UsbPacket *packet);
    void (*cancel)(UsbDevice *dev, UsbPacket *packet);
    /* On its port; also when it is attached. */
    void (*bus_reset)(UsbDevice *dev);
    /* A stalled endpoint goes on. */
    void (*unstalled)(UsbDevice *dev, uint8_t endpoint, bool is_in);
    /* The device behind a hub's port; NULL: none, or this is no hub. */
    UsbDevice *(*behind)(UsbDevice *dev, unsigned port);
} UsbDeviceType;

struct UsbDevice {
    Device parent;
    /* properties */
    char *wanted_port, *wanted_serial, *pcap_path;
    bool is_kept_away;       /* not attached when it is realized */
    /* state */
    UsbPort *port;
    struct UsbPcap *pcap;    /* NULL: what it is asked is not written down */
    const UsbDescriptors *descriptors;
    UsbSpeed speed;
    char *serial;
    unsigned speeds;         /* it offers, BIT(UsbSpeed) */
    uint8_t address, configuration;
    bool may_wake;           /* the host lets it wake it */
    uint32_t stalled;        /* bit: endpoint, 16 more for IN */
    bool is_attached;
};
DECLARE_CAST(UsbDevice, USB_DEVICE)

static inline const UsbDeviceType *usb_device_ops(const UsbDevice *dev)
{
    return object_ops(dev);
}

bool usb_device_attach(UsbDevice *dev, Error **errp);
void usb_device_detach(UsbDevice *dev);
/* What it is called: its product string. */
const char *usb_device_name(const UsbDevice *dev);
/* Stalls what is asked of the endpoint until the host clears that. */
void usb_stall(UsbDevice *dev, uint8_t endpoint, bool is_in);

/* --- usb_requests.c --- */

/* A control transfer, standard requests answered. */
UsbStatus usb_control(UsbDevice *dev, UsbPacket *packet);
/* Answers with `bytes`, or as many as are asked for. */
UsbStatus usb_reply(UsbPacket *packet, const void *data, size_t bytes);

/* --- usb_bus.c --- */

bool usb_claim_port(UsbDevice *dev, Error **errp);
void usb_release_port(UsbDevice *dev);

#endif
