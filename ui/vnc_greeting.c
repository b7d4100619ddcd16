/*
 * VNC: the greeting (RFC 6143, 7.1 to 7.3): versions, how clients show who they are, and who may be
 * there beside whom.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sys/random.h>
#include <sys/socket.h>

#include "qapi/qapi-events-ui.h"
#include "ui/vnc_rfb.h"

#define SECURITY_NONE 1
#define SECURITY_VNC  2
#define CHALLENGE     16
#define NAME_MAX_BYTES 256
#define REQUEST_MAX   4096 /* of WebSocket, as the library takes it */
#define REQUEST_MS    100

static char machine_name[NAME_MAX_BYTES] = "QEMU";

void vnc_set_machine_name(const char *name)
{
    if (name) {
        g_snprintf(machine_name, sizeof(machine_name), "QEMU (%s)", name);
    }
}

static bool wait_for_bytes(VncSession *s)
{
    bool is_ending = false;

    while (!is_ending && !vnc_session_wait(s, true)) {
        g_mutex_lock(&s->client->server->lock);
        is_ending = s->client->is_ending;
        g_mutex_unlock(&s->client->server->lock);
    }
    return !is_ending;
}

/* The client may think as long as it likes: what it says comes in one piece. */
static bool hear(VncSession *s, void *bytes, int size)
{
    bool has_some = s->rfb->wsctx && webSocketsHasDataInBuffer(s->rfb);

    return (has_some || wait_for_bytes(s)) && rfbReadExact(s->rfb, bytes, size) > 0;
}

static bool say(VncSession *s, const void *bytes, int size)
{
    return rfbWriteExact(s->rfb, bytes, size) > 0;
}

static bool say_number(VncSession *s, uint32_t number)
{
    number = GUINT32_TO_BE(number);
    return say(s, &number, sizeof(number));
}

static bool say_text(VncSession *s, const char *text)
{
    return say_number(s, strlen(text)) && say(s, text, strlen(text));
}

/*
 * A whole request, of one line that says what is wanted: the library would keep each such line, and
 * waits no longer than this for the rest.
 */
static bool is_request(VncSession *s)
{
    char text[REQUEST_MAX];

    for (unsigned ms = 0; ms < REQUEST_MS; ms++) {
        ssize_t size = recv(s->rfb->sock, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT);
        const char *end = size > 0 ? memmem(text, size, "\r\n\r\n", 4) : NULL;

        if (size <= 0 || memcmp(text, "GET ", MIN(size, 4))) {
            return false;
        }
        if (end) {
            return !memmem(text, end - text, "\nGET ", 5);
        }
        g_usleep(1000);
    }
    return false;
}

/* Clients that speak WebSocket come to its port, and no others do. */
static bool open_websocket(VncSession *s)
{
    return !s->client->is_websocket || (wait_for_bytes(s) && is_request(s) &&
                                        webSocketsCheck(s->rfb) && s->rfb->wsctx);
}

static bool agree_on_version(VncSession *s)
{
    char text[sz_rfbProtocolVersionMsg + 1] = "RFB 003.008\n";
    int major, minor;

    if (!say(s, text, sz_rfbProtocolVersionMsg) || !hear(s, text, sz_rfbProtocolVersionMsg) ||
        sscanf(text, "RFB %3d.%3d\n", &major, &minor) != 2 || major != 3) {
        return false;
    }
    s->rfb->protocolMajorVersion = 3;
    s->rfb->protocolMinorVersion = minor >= 8 ? 8 : minor == 7 ? 7 : 3;
    return true;
}

static bool agree_on_security(VncSession *s, uint8_t type)
{
    uint8_t offer[] = { 1, type }, choice;

    if (s->rfb->protocolMinorVersion == 3) {
        return say_number(s, type);
    }
    return say(s, offer, sizeof(offer)) && hear(s, &choice, 1) && choice == type;
}

static bool is_right(VncServer *server, uint8_t *challenge, const uint8_t *answer)
{
    char password[VNC_PASSWORD_BYTES + 1] = "";
    bool is_valid;

    g_mutex_lock(&server->lock);
    is_valid = server->password && g_get_real_time() / G_USEC_PER_SEC < server->expires_s;
    g_strlcpy(password, server->password ? server->password : "", sizeof(password));
    g_mutex_unlock(&server->lock);
    rfbEncryptBytes(challenge, password);
    return is_valid && !memcmp(challenge, answer, CHALLENGE);
}

static bool refuse(VncSession *s, const char *why)
{
    if (say_number(s, 1) && s->rfb->protocolMinorVersion >= 8) {
        say_text(s, why);
    }
    return false;
}

static bool let_in(VncSession *s)
{
    VncClient *client = s->client;
    uint8_t challenge[CHALLENGE], answer[CHALLENGE];

    if (!agree_on_security(s, client->needs_password ? SECURITY_VNC : SECURITY_NONE)) {
        return false;
    }
    if (!client->needs_password) {
        return s->rfb->protocolMinorVersion < 8 || say_number(s, 0);
    }
    if (getrandom(challenge, CHALLENGE, 0) != CHALLENGE || !say(s, challenge, CHALLENGE) ||
        !hear(s, answer, CHALLENGE)) {
        return false;
    }
    return is_right(client->server, challenge, answer) ? say_number(s, 0)
                                                        : refuse(s, "Authentication failed");
}

/* Server's lock. False: it may not be here now. */
static bool find_place(VncClient *client, bool wants_to_share)
{
    VncServer *server = client->server;
    bool is_taken = false;

    if (server->share == VNC_SHARE_IGNORE) {
        return true;
    }
    if (server->share == VNC_SHARE_FORCE_SHARED) {
        return wants_to_share;
    }
    for (guint i = 0; i < server->clients->len; i++) {
        VncClient *other = server->clients->pdata[i];

        if (other != client && other->stage == VNC_ACTIVE) {
            is_taken |= !other->is_shared && !other->is_ending;
            if (!wants_to_share) {
                vnc_client_end(other);
            }
        }
    }
    return !wants_to_share || !is_taken;
}

static bool join(VncSession *s)
{
    VncClient *client = s->client;
    uint8_t is_shared;
    bool may_stay;

    if (!hear(s, &is_shared, 1)) {
        return false;
    }
    g_mutex_lock(&client->server->lock);
    may_stay = !client->is_ending && find_place(client, is_shared);
    if (may_stay) {
        client->is_shared = is_shared;
        client->stage = VNC_ACTIVE;
    }
    g_mutex_unlock(&client->server->lock);
    return may_stay;
}

static bool describe_screen(VncSession *s)
{
    rfbServerInitMsg message = {
        .framebufferWidth = GUINT16_TO_BE(s->screen->width),
        .framebufferHeight = GUINT16_TO_BE(s->screen->height),
        .format = s->screen->serverFormat,
        .nameLength = GUINT32_TO_BE(strlen(machine_name)),
    };

    message.format.redMax = GUINT16_TO_BE(message.format.redMax);
    message.format.greenMax = GUINT16_TO_BE(message.format.greenMax);
    message.format.blueMax = GUINT16_TO_BE(message.format.blueMax);
    return say(s, &message, sz_rfbServerInitMsg) && say(s, machine_name, strlen(machine_name));
}

bool vnc_session_greet(VncSession *s)
{
    if (!open_websocket(s) || !agree_on_version(s) || !let_in(s) || !join(s) ||
        !describe_screen(s)) {
        return false;
    }
    qapi_event_send_vnc_initialized(s->client->here, s->client->there);
    s->rfb->state = RFB_NORMAL;
    return true;
}
