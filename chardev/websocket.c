/*
 * WebSocket: see chardev/websocket.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/websocket.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_LENGTH 24
#define OUT_LIMIT_BYTES 65536 /* a peer that pings and does not read gets no more answers */

enum {
    OPCODE_CONTINUATION = 0, OPCODE_BINARY = 2, OPCODE_CLOSE = 8, OPCODE_PING = 9,
    OPCODE_PONG = 10,
    FIN = 0x80, MASKED = 0x80, IS_CONTROL = 0x08,
    CLOSE_NORMAL = 1000, CLOSE_PROTOCOL_ERROR = 1002, CLOSE_UNSUPPORTED = 1003,
};

void websocket_init(Websocket *ws)
{
    memset(ws, 0, sizeof(*ws));
    ws->request = g_string_new(NULL);
}

void websocket_reset(Websocket *ws)
{
    GString *request = g_string_truncate(ws->request, 0);

    memset(ws, 0, sizeof(*ws));
    ws->request = request;
}

void websocket_clear(Websocket *ws)
{
    g_string_free(ws->request, TRUE);
}

char *websocket_accept_key(const char *key)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    uint8_t digest[20];
    gsize size = sizeof(digest);

    g_checksum_update(sum, (const guchar *)key, strlen(key));
    g_checksum_update(sum, (const guchar *)GUID, strlen(GUID));
    g_checksum_get_digest(sum, digest, &size);
    return g_base64_encode(digest, size);
}

/* --- handshake --- */

/* The header's value, borrowed from `lines`; the last one wins. */
static const char *header_value(char **lines, const char *name)
{
    const char *value = NULL;

    for (char **line = lines + 1; *line; line++) {
        size_t length = strlen(name);

        if (!g_ascii_strncasecmp(*line, name, length) && (*line)[length] == ':') {
            value = g_strstrip(*line + length + 1);
        }
    }
    return value;
}

/* Is `word` one of a comma separated list? */
static bool has_word(const char *list, const char *word)
{
    g_auto(GStrv) words = g_strsplit(list ? list : "", ",", -1);

    for (char **w = words; *w; w++) {
        if (!g_ascii_strcasecmp(g_strstrip(*w), word)) {
            return true;
        }
    }
    return false;
}

static bool is_request(const char *line)
{
    return g_str_has_prefix(line, "GET /") && g_str_has_suffix(line, " HTTP/1.1");
}

static void append_text(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const uint8_t *)text, strlen(text));
}

static WebsocketStatus refuse(GByteArray *out)
{
    append_text(out, "HTTP/1.1 400 Bad Request\r\n"
                     "Connection: close\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Content-Length: 0\r\n\r\n");
    return WEBSOCKET_ENDED;
}

static WebsocketStatus answer(Websocket *ws, GByteArray *out)
{
    g_auto(GStrv) lines = g_strsplit(ws->request->str, "\r\n", -1);
    g_autofree char *accept = NULL;
    const char *key, *protocols, *version;

    /* An empty request has no first line. */
    if (!lines[0] || !is_request(lines[0])) {
        return refuse(out);
    }
    key = header_value(lines, "Sec-WebSocket-Key");
    protocols = header_value(lines, "Sec-WebSocket-Protocol");
    version = header_value(lines, "Sec-WebSocket-Version");
    if (!header_value(lines, "Host") ||
        !has_word(header_value(lines, "Upgrade"), "websocket") ||
        !has_word(header_value(lines, "Connection"), "Upgrade") ||
        !version || strcmp(version, "13") || !key || strlen(key) != KEY_LENGTH ||
        (protocols && !has_word(protocols, "binary"))) {
        return refuse(out);
    }
    accept = websocket_accept_key(key);
    append_text(out, "HTTP/1.1 101 Switching Protocols\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: ");
    append_text(out, accept);
    append_text(out, protocols ? "\r\nSec-WebSocket-Protocol: binary\r\n\r\n" : "\r\n\r\n");
    ws->is_ready = true;
    return WEBSOCKET_READY;
}

WebsocketStatus websocket_handshake(Websocket *ws, const uint8_t *bytes, size_t size, size_t *used,
                                    GByteArray *out)
{
    size_t before = ws->request->len;
    const char *end;

    *used = MIN(size, WEBSOCKET_REQUEST_BYTES - before);
    g_string_append_len(ws->request, (const char *)bytes, *used);
    end = memmem(ws->request->str, ws->request->len, "\r\n\r\n", 4);
    if (!end) {
        return ws->request->len < WEBSOCKET_REQUEST_BYTES ? WEBSOCKET_GOES_ON : refuse(out);
    }
    *used = end + 4 - ws->request->str - before;
    g_string_truncate(ws->request, end - ws->request->str);
    return strlen(ws->request->str) == ws->request->len ? answer(ws, out) : refuse(out);
}

/* --- frames --- */

static void append_frame(GByteArray *out, uint8_t opcode, const uint8_t *bytes, size_t size)
{
    uint8_t head[10] = { FIN | opcode };
    unsigned head_size = 2;

    if (size < 126) {
        head[1] = size;
    } else if (size <= UINT16_MAX) {
        head[1] = 126;
        head[2] = size >> 8;
        head[3] = size;
        head_size = 4;
    } else {
        head[1] = 127;
        for (int i = 0; i < 8; i++) {
            head[2 + i] = (uint64_t)size >> (56 - 8 * i);
        }
        head_size = 10;
    }
    g_byte_array_append(out, head, head_size);
    g_byte_array_append(out, bytes, size);
}

void websocket_encode(const uint8_t *bytes, size_t size, GByteArray *out)
{
    append_frame(out, OPCODE_BINARY, bytes, size);
}

static WebsocketStatus end_with(GByteArray *out, uint16_t code)
{
    uint8_t reason[2] = { code >> 8, code & 0xff };

    append_frame(out, OPCODE_CLOSE, reason, sizeof(reason));
    return WEBSOCKET_ENDED;
}

static unsigned header_need(const Websocket *ws)
{
    uint8_t length = ws->header_size < 2 ? 0 : ws->header[1] & 0x7f;

    return 2 + 4 + (length == 126 ? 2 : length == 127 ? 8 : 0);
}

static uint8_t opcode_of(const Websocket *ws)
{
    return ws->header[0] & 0x0f;
}

static uint64_t payload_length(const Websocket *ws)
{
    uint8_t length = ws->header[1] & 0x7f;
    unsigned count = length == 126 ? 2 : length == 127 ? 8 : 0;
    uint64_t value = count ? 0 : length;

    for (unsigned i = 0; i < count; i++) {
        value = value << 8 | ws->header[2 + i];
    }
    return value;
}

/* The close code for a frame that breaks the rules, or 0. */
static uint16_t check_header(const Websocket *ws)
{
    uint8_t opcode = opcode_of(ws);
    bool is_final = ws->header[0] & FIN;

    if ((ws->header[0] & 0x70) || !(ws->header[1] & MASKED) || ws->left_bytes > INT64_MAX) {
        return CLOSE_PROTOCOL_ERROR;
    }
    if (opcode & IS_CONTROL) {
        return is_final && ws->left_bytes <= WEBSOCKET_CONTROL_BYTES && opcode <= OPCODE_PONG
                   ? 0 : CLOSE_PROTOCOL_ERROR;
    }
    if (opcode != OPCODE_BINARY && opcode != OPCODE_CONTINUATION) {
        return CLOSE_UNSUPPORTED;
    }
    return (opcode == OPCODE_CONTINUATION) == ws->is_in_message ? 0 : CLOSE_PROTOCOL_ERROR;
}

static uint8_t unmask(Websocket *ws, uint8_t byte)
{
    return byte ^ ws->header[ws->header_size - 4 + (ws->done_bytes++ & 3)];
}

/* The whole payload is there. */
static WebsocketStatus end_frame(Websocket *ws, GByteArray *out)
{
    uint8_t opcode = opcode_of(ws);

    if (opcode == OPCODE_CLOSE) {
        return end_with(out, CLOSE_NORMAL);
    }
    if (opcode == OPCODE_PING && out->len < OUT_LIMIT_BYTES) {
        append_frame(out, OPCODE_PONG, ws->control, ws->done_bytes);
    }
    if (!(opcode & IS_CONTROL)) {
        ws->is_in_message = !(ws->header[0] & FIN);
    }
    ws->is_in_frame = false;
    ws->header_size = 0;
    return WEBSOCKET_GOES_ON;
}

static WebsocketStatus begin_frame(Websocket *ws, GByteArray *out)
{
    uint16_t code;

    ws->left_bytes = payload_length(ws);
    ws->done_bytes = 0;
    code = check_header(ws);
    if (code) {
        return end_with(out, code);
    }
    ws->is_in_frame = true;
    return ws->left_bytes ? WEBSOCKET_GOES_ON : end_frame(ws, out);
}

WebsocketStatus websocket_decode(Websocket *ws, uint8_t *bytes, size_t size, size_t *kept,
                                 GByteArray *out)
{
    WebsocketStatus status = WEBSOCKET_GOES_ON;

    *kept = 0;
    for (size_t i = 0; i < size && status == WEBSOCKET_GOES_ON; i++) {
        if (!ws->is_in_frame) {
            ws->header[ws->header_size++] = bytes[i];
            if (ws->header_size == header_need(ws)) {
                status = begin_frame(ws, out);
            }
            continue;
        }
        if (opcode_of(ws) & IS_CONTROL) {
            uint64_t at = ws->done_bytes;

            ws->control[at] = unmask(ws, bytes[i]);
        } else {
            bytes[(*kept)++] = unmask(ws, bytes[i]);
        }
        if (--ws->left_bytes == 0) {
            status = end_frame(ws, out);
        }
    }
    return status;
}
