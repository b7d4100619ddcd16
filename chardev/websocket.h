/*
 * WebSocket (RFC 6455), server side: the handshake and the framing of a binary stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_WEBSOCKET_H
#define CHARDEV_WEBSOCKET_H

#define WEBSOCKET_REQUEST_BYTES 4096 /* longest request */
#define WEBSOCKET_CONTROL_BYTES 125  /* longest ping */

typedef enum WebsocketStatus {
    WEBSOCKET_GOES_ON,
    WEBSOCKET_READY, /* the handshake is done */
    WEBSOCKET_ENDED, /* the peer closed, or broke the rules: send `out`, then disconnect */
} WebsocketStatus;

typedef struct Websocket {
    bool is_ready;      /* handshake done */
    GString *request;
    uint8_t header[14]; /* of the frame that is being read */
    unsigned header_size;
    bool is_in_frame, is_in_message;
    uint64_t left_bytes, done_bytes; /* of its payload */
    uint8_t control[WEBSOCKET_CONTROL_BYTES];
} Websocket;

void websocket_init(Websocket *ws);
void websocket_reset(Websocket *ws);
void websocket_clear(Websocket *ws);

/*
 * The handshake: looks at what has come so far. *used says how many of `bytes` belong to it.
 * Answers go to `out`.
 */
WebsocketStatus websocket_handshake(Websocket *ws, const uint8_t *bytes, size_t size, size_t *used,
                                    GByteArray *out);
/*
 * Strips the framing from `bytes` in place; *kept says how many of payload remain. Answers to the
 * peer's control frames go to `out`.
 */
WebsocketStatus websocket_decode(Websocket *ws, uint8_t *bytes, size_t size, size_t *kept,
                                 GByteArray *out);
/* One binary frame. */
void websocket_encode(const uint8_t *bytes, size_t size, GByteArray *out);
/* What Sec-WebSocket-Accept answers to a key. Free it. */
char *websocket_accept_key(const char *key);

#endif
