/*
 * VNC: what QEMU added to the protocol (rfbproto of the RFB community, "QEMU Extended Key Event",
 * "QEMU Pointer Motion Change", "QEMU LED State"): keys by scan code, distances in place of
 * positions, and the keyboard's lights.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/keycodes.h"
#include "ui/vnc_rfb.h"

#define ENCODING_POINTER_KIND (-257)
#define ENCODING_KEYS         (-258)
#define ENCODING_LEDS         (-261)
#define MESSAGE_QEMU          255
#define MESSAGE_QEMU_KEY      0

/* A frame buffer update of one rectangle, which is none. */
static bool send_rect(VncSession *s, uint16_t x, int32_t encoding, const uint8_t *data, int bytes)
{
    uint8_t message[17] = { 0, 0, 0, 1, x >> 8, x };
    uint32_t number = GUINT32_TO_BE(encoding);
    uint16_t width = GUINT16_TO_BE(s->screen->width), height = GUINT16_TO_BE(s->screen->height);

    assert(bytes <= 1);
    memcpy(message + 8, &width, sizeof(width));
    memcpy(message + 10, &height, sizeof(height));
    memcpy(message + 12, &number, sizeof(number));
    if (bytes) {
        message[16] = *data;
    }
    return rfbWriteExact(s->rfb, (const char *)message, 16 + bytes) > 0;
}

bool vnc_session_send_state(VncSession *s)
{
    uint8_t leds = s->leds;

    s->has_state_news = false;
    return (!s->wants_leds || send_rect(s, 0, ENCODING_LEDS, &leds, 1)) &&
           (!s->wants_pointer_kind || send_rect(s, s->is_absolute, ENCODING_POINTER_KIND, NULL, 0));
}

static rfbBool enable(rfbClientPtr rfb, void **data, int encoding)
{
    VncSession *s = vnc_session(rfb);

    switch (encoding) {
    case ENCODING_KEYS:
        send_rect(s, 0, ENCODING_KEYS, NULL, 0);
        break;
    case ENCODING_LEDS:
        s->wants_leds = s->has_state_news = true;
        break;
    case ENCODING_POINTER_KIND:
        s->wants_pointer_kind = s->has_state_news = true;
        break;
    default:
        return FALSE;
    }
    return TRUE;
}

/* Type and kind, two bytes whether it goes down, the symbol, the scan code. */
static rfbBool handle(rfbClientPtr rfb, void *data, const rfbClientToServerMsg *message)
{
    VncSession *s = vnc_session(rfb);
    uint8_t rest[11];
    uint32_t symbol, code;

    if (message->type != MESSAGE_QEMU) {
        return FALSE;
    }
    if (rfbReadExact(rfb, (char *)rest, sizeof(rest)) <= 0 || rest[0] != MESSAGE_QEMU_KEY) {
        rfbCloseClient(rfb);
        return TRUE;
    }
    memcpy(&symbol, rest + 3, sizeof(symbol));
    symbol = GUINT32_FROM_BE(symbol);
    memcpy(&code, rest + 7, sizeof(code));
    code = GUINT32_FROM_BE(code);
    if (key_from_number(code) != Q_KEY_CODE_UNMAPPED) {
        vnc_send_key(s->client, key_from_number(code), symbol, rest[1] || rest[2]);
    }
    return TRUE;
}

static int encodings[] = { ENCODING_KEYS, ENCODING_LEDS, ENCODING_POINTER_KIND, 0 };
static rfbProtocolExtension extension = {
    .pseudoEncodings = encodings, .enablePseudoEncoding = enable, .handleMessage = handle,
};

void vnc_extensions_register(void)
{
    rfbRegisterProtocolExtension(&extension);
}

/* The library forgets what it made for them. */
void vnc_extensions_end(rfbClientPtr rfb)
{
    while (rfb->extensions) {
        rfbExtensionData *first = rfb->extensions;

        rfb->extensions = first->next;
        free(first);
    }
}
