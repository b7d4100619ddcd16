/*
 * See hw/core/scsi_identity.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/scsi_identity.h"

#include "util/byte_order.h"

#define SERIAL_MOST    36
#define DEVICE_ID_MOST 127
enum { BINARY = 1, ASCII = 2 };
enum { OF_UNIT_VENDOR = 0x00, OF_UNIT_NAA = 0x03, OF_PORT_NAA = 0x93, OF_PORT_INDEX = 0x94 };
#define PROTOCOL_SAS 0x60

static void put_text(uint8_t *to, const char *text, unsigned length)
{
    memset(to, ' ', length);
    memcpy(to, text, MIN(strlen(text), length));
}

void scsi_identity_put_names(const ScsiIdentity *identity, uint8_t data[SCSI_INQUIRY_BYTES])
{
    put_text(data + 8, identity->vendor, 8);
    put_text(data + 16, identity->product, 16);
    put_text(data + 32, identity->version, 4);
}

unsigned scsi_identity_put_serial(const ScsiIdentity *identity, uint8_t *data)
{
    unsigned length = identity->serial ? MIN(strlen(identity->serial), SERIAL_MOST) : 0;

    memcpy(data, identity->serial ? identity->serial : "", length);
    return length;
}

static unsigned put_designator(uint8_t *to, unsigned coding, unsigned kind, const void *data,
                               unsigned bytes)
{
    to[0] = coding;
    to[1] = kind;
    to[2] = 0;
    to[3] = bytes;
    memcpy(to + 4, data, bytes);
    return 4 + bytes;
}

unsigned scsi_identity_put_designators(const ScsiIdentity *identity, uint8_t *data)
{
    const char *id = identity->device_id ? identity->device_id : "";
    unsigned length = MIN(strlen(id), DEVICE_ID_MOST), at = 0;
    uint8_t number[8];

    at += length ? put_designator(data, ASCII, OF_UNIT_VENDOR, id, length) : 0;
    if (identity->wwn) {
        store_be64(number, identity->wwn);
        at += put_designator(data + at, BINARY, OF_UNIT_NAA, number, 8);
    }
    if (identity->port_wwn) {
        store_be64(number, identity->port_wwn);
        at += put_designator(data + at, PROTOCOL_SAS | BINARY, OF_PORT_NAA, number, 8);
    }
    if (identity->port_index) {
        store_be32(number, identity->port_index);
        at += put_designator(data + at, PROTOCOL_SAS | BINARY, OF_PORT_INDEX, number, 4);
    }
    return at;
}
