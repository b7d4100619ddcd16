/*
 * What a USB device is asked and answers, in a file that Wireshark and tcpdump read: records of
 * Linux' usbmon (pcap link type 220), the first 4096 bytes of data with each. See usb_pcap.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "usb_pcap.h"

#include "usb.h"

#define LINK_TYPE   220
#define DATA_MAX    4096
#define FILE_HEADER 24

struct UsbPcap {
    FILE *file;
};

/* Both in the host's order of bytes, which the file's first word tells. */
typedef struct FileHeader {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, precision, most_bytes, link_type;
} FileHeader;
static_assert(sizeof(FileHeader) == FILE_HEADER, "as the format has it");

typedef struct Record {
    uint32_t seconds, microseconds, kept_bytes, bytes;
    /* usbmon's */
    uint64_t id;
    uint8_t event, transfer, endpoint, device;
    uint16_t bus;
    uint8_t has_no_setup, has_no_data; /* 0: it is there; else why not */
    int64_t urb_seconds;
    int32_t urb_microseconds, status;
    uint32_t length, data_bytes;
    UsbRequest setup;
    uint32_t interval, first_frame, flags, descriptors;
} Record;
static_assert(sizeof(Record) == 16 + 64, "as the format has it");

UsbPcap *usb_pcap_open(const char *path, Error **errp)
{
    const FileHeader header = { 0xa1b2c3d4, 2, 4, 0, 0, sizeof(Record) - 16 + DATA_MAX, LINK_TYPE };
    FILE *file = fopen(path, "we");
    UsbPcap *pcap;

    if (!file) {
        error_set_errno(errp, errno, "open %s", path);
        return NULL;
    }
    fwrite(&header, sizeof(header), 1, file);
    fflush(file);
    pcap = g_new(UsbPcap, 1);
    pcap->file = file;
    return pcap;
}

void usb_pcap_close(UsbPcap *pcap)
{
    if (pcap) {
        fclose(pcap->file);
        g_free(pcap);
    }
}

static int status_number(UsbStatus status)
{
    static const int numbers[] = {
        [USB_OK] = 0, [USB_NAK] = -EAGAIN, [USB_STALL] = -EPIPE, [USB_BABBLE] = -EOVERFLOW,
        [USB_IO_ERROR] = -EPROTO, [USB_LATER] = -EINPROGRESS,
    };

    return numbers[status];
}

/* usbmon's numbers of what an endpoint is: USB's are control, isochronous, bulk, interrupt. */
static uint8_t transfer_number(const UsbDevice *dev, uint8_t address)
{
    static const uint8_t numbers[] = { 2, 0, 3, 1 };
    const UsbEndpointDescriptor *endpoint = address & 0xf ? usb_find_endpoint(dev, address) : NULL;

    return numbers[endpoint ? endpoint->type & 3 : 0];
}

static void put(UsbDevice *dev, Record *r, const uint8_t *data)
{
    int64_t now_us = g_get_real_time();

    r->seconds = r->urb_seconds = now_us / G_USEC_PER_SEC;
    r->microseconds = r->urb_microseconds = now_us % G_USEC_PER_SEC;
    r->kept_bytes = sizeof(*r) - 16 + r->data_bytes;
    r->bytes = sizeof(*r) - 16 + (r->has_no_data ? 0 : r->length);
    r->bus = USB_BUS(dev->parent.bus)->number;
    r->device = dev->address;
    fwrite(r, sizeof(*r), 1, dev->pcap->file);
    fwrite(data, 1, r->data_bytes, dev->pcap->file);
    fflush(dev->pcap->file);
}

static bool is_in(const UsbPacket *packet)
{
    return packet->endpoint ? packet->is_in : packet->request.kind & USB_TO_HOST;
}

static Record start(const UsbDevice *dev, const UsbPacket *packet, char event)
{
    uint8_t address = packet->endpoint | (is_in(packet) ? USB_TO_HOST : 0);

    return (Record){ .id = (uintptr_t)packet, .event = event, .endpoint = address,
                     .transfer = transfer_number(dev, address), .has_no_setup = '-' };
}

void usb_pcap_submitted(UsbDevice *dev, const UsbPacket *packet)
{
    Record r = start(dev, packet, 'S');
    uint8_t data[DATA_MAX];
    size_t kept = 0;

    r.status = -EINPROGRESS;
    r.length = packet->data ? packet->data->bytes : 0;
    if (!packet->endpoint) {
        r.has_no_setup = 0;
        r.setup = packet->request;
    }
    if (is_in(packet)) {
        r.has_no_data = '<';
    } else if (packet->data) {
        dma_list_read(packet->data, (DmaSpan){ 0, MIN(r.length, sizeof(data)) }, data, &kept);
        r.data_bytes = kept;
    }
    put(dev, &r, data);
}

void usb_pcap_given(UsbPacket *packet, const void *data, size_t bytes)
{
    packet->given = packet->given ? packet->given : g_byte_array_new();
    g_byte_array_append(packet->given, data, MIN(bytes, DATA_MAX - packet->given->len));
}

void usb_pcap_forget(UsbPacket *packet)
{
    g_clear_pointer(&packet->given, g_byte_array_unref);
}

void usb_pcap_done(UsbDevice *dev, UsbPacket *packet)
{
    Record r = start(dev, packet, 'C');

    r.status = status_number(packet->status);
    r.length = packet->moved;
    if (!is_in(packet)) {
        r.has_no_data = '>';
    } else if (packet->given) {
        r.data_bytes = packet->given->len;
    }
    put(dev, &r, packet->given ? packet->given->data : (const uint8_t *)"");
    usb_pcap_forget(packet);
}
