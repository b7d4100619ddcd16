/*
 * Fuzz target: telnet and WebSocket input, and the old forms of options. The first byte chooses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "chardev/options.h"
#include "chardev/telnet.h"
#include "chardev/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_telnet(uint8_t *bytes, size_t size)
{
    Telnet t;

    telnet_reset(&t);
    while (size) {
        size_t used;
        bool is_break;
        size_t kept = telnet_decode(&t, bytes, size, &used, &is_break);

        assert(used && kept <= used && used <= size);
        bytes += used;
        size -= used;
    }
}

static void fuzz_websocket(uint8_t *bytes, size_t size, bool is_ready)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    WebsocketStatus status = WEBSOCKET_GOES_ON;
    Websocket ws;

    websocket_init(&ws);
    ws.is_ready = is_ready;
    while (size && status != WEBSOCKET_ENDED) {
        size_t part = MIN(size, 1 + bytes[0] % 64), used = part, kept = 0;

        status = ws.is_ready ? websocket_decode(&ws, bytes, part, &kept, out)
                             : websocket_handshake(&ws, bytes, part, &used, out);
        assert(kept <= part && used <= part);
        bytes += used;
        size -= used;
    }
    websocket_clear(&ws);
}

static void fuzz_spec(const uint8_t *bytes, size_t size)
{
    g_autofree char *spec = g_strndup((const char *)bytes, size);
    bool is_monitor;
    json_object *options = chardev_spec_parse(spec, &is_monitor, NULL);

    if (options) {
        chardev_backend_free(chardev_options_parse(options, NULL));
        json_unref(options);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *bytes = size ? g_memdup2(data + 1, size - 1) : NULL;

    if (size < 2) {
        return 0;
    }
    switch (data[0] % 4) {
    case 0:
        fuzz_telnet(bytes, size - 1);
        break;
    case 1:
        fuzz_websocket(bytes, size - 1, false);
        break;
    case 2:
        fuzz_websocket(bytes, size - 1, true);
        break;
    default:
        fuzz_spec(bytes, size - 1);
        break;
    }
    return 0;
}
