/*
 * A file that a USB device's packets are written to: the property `pcap` of each device. A packet
 * is there twice, as it is submitted and as it is done; one that the device does not take yet
 * (USB_NAK) is not there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_USB_USB_PCAP_H
#define HW_USB_USB_PCAP_H

#include "qom/error.h"

typedef struct UsbPcap UsbPcap;
struct UsbDevice;
struct UsbPacket;

UsbPcap *usb_pcap_open(const char *path, Error **errp);
void usb_pcap_close(UsbPcap *pcap); /* NULL is fine */
/* Of a device that has such a file. */
void usb_pcap_submitted(struct UsbDevice *dev, const struct UsbPacket *packet);
/* What the device gives, until the packet is done or forgotten. */
void usb_pcap_given(struct UsbPacket *packet, const void *data, size_t bytes);
void usb_pcap_done(struct UsbDevice *dev, struct UsbPacket *packet);
void usb_pcap_forget(struct UsbPacket *packet);

#endif
