/*
 * VNC: a client's thread. It takes what is new of the picture when the client asks for it, and has
 * LibVNCServer send that and read what the client says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "ui/vnc_rfb.h"

/* --- news: copied under the server's lock, told to LibVNCServer without it --- */

static void mark_changed(rfbScreenInfoPtr screen, uint32_t x, uint32_t y, uint32_t x_end)
{
    rfbMarkRectAsModified(screen, x * VNC_TILE, y * VNC_TILE, MIN(x_end * VNC_TILE, screen->width),
                          MIN((y + 1) * VNC_TILE, screen->height));
}

static void copy_tiles(VncSession *s, uint32_t x, uint32_t y, uint32_t x_end)
{
    const VncFrame *frame = &s->client->server->frame;
    uint32_t from = x * VNC_TILE, end = MIN(x_end * VNC_TILE, frame->width);

    for (uint32_t line = y * VNC_TILE; line < MIN((y + 1) * VNC_TILE, frame->height); line++) {
        size_t at = (size_t)line * frame->width + from;

        memcpy(s->pixels + at, frame->pixels + at, (end - from) * sizeof(uint32_t));
    }
}

/* Calls for each run of changed tiles beside each other. */
static void each_run(const uint8_t *dirty, uint32_t width, uint32_t height, VncSession *s,
                     void (*fn)(VncSession *s, uint32_t x, uint32_t y, uint32_t x_end))
{
    for (uint32_t y = 0; y < height; y++, dirty += width) {
        for (uint32_t x = 0; x < width; x++) {
            uint32_t first = x;

            while (x < width && dirty[x]) {
                x++;
            }
            if (x > first) {
                fn(s, first, y, x);
            }
        }
    }
}

static void mark_run(VncSession *s, uint32_t x, uint32_t y, uint32_t x_end)
{
    mark_changed(s->screen, x, y, x_end);
}

/* NULL: no memory. */
static uint32_t *resize_pixels(VncSession *s)
{
    const VncFrame *frame = &s->client->server->frame;

    return g_try_malloc_n((size_t)frame->width * frame->height, sizeof(uint32_t));
}

/* x8r8g8b8; the library begins with red in the lowest byte, at each size anew. */
static void set_format(rfbScreenInfoPtr screen)
{
    screen->serverFormat.depth = 24;
    screen->serverFormat.redShift = 16;
    screen->serverFormat.greenShift = 8;
    screen->serverFormat.blueShift = 0;
}

static void use_pixels(VncSession *s, uint32_t *pixels, uint32_t width, uint32_t height)
{
    rfbNewFramebuffer(s->screen, (char *)pixels, width, height, 8, 3, 4);
    set_format(s->screen);
    rfbSetTranslateFunction(s->rfb);
    g_free(s->pixels);
    s->pixels = pixels;
}

/* Opaque is what is at least half so: the protocol's cursors know no shades. */
static rfbCursor *make_cursor(const ConsoleCursor *from)
{
    uint32_t mask_bytes = (from->width + 7) / 8;
    rfbCursor *cursor = calloc(1, sizeof(*cursor)); /* LibVNCServer frees it */

    cursor->cleanup = cursor->cleanupMask = cursor->cleanupRichSource = cursor->cleanupSource = TRUE;
    cursor->width = from->width;
    cursor->height = from->height;
    cursor->xhot = MIN(from->hot_x, from->width - 1);
    cursor->yhot = MIN(from->hot_y, from->height - 1);
    cursor->mask = calloc(mask_bytes, from->height);
    cursor->source = calloc(mask_bytes, from->height);
    cursor->richSource = malloc((size_t)from->width * from->height * sizeof(uint32_t));
    memcpy(cursor->richSource, from->pixels, (size_t)from->width * from->height * sizeof(uint32_t));
    for (uint32_t i = 0; i < from->width * from->height; i++) {
        uint32_t x = i % from->width, at = i / from->width * mask_bytes + x / 8;

        if (from->pixels[i] >> 31) {
            cursor->mask[at] |= 0x80 >> x % 8;
        }
    }
    return cursor;
}

typedef struct News {
    uint32_t *resized;      /* else NULL */
    uint32_t width, height;
    uint8_t *dirty;         /* else NULL */
    bool has_cursor;
    rfbCursor *cursor;
} News;

/* Server's lock. */
static void take_pixels(VncSession *s, News *news)
{
    VncClient *client = s->client;
    const VncFrame *frame = &client->server->frame;
    uint32_t width = vnc_tiles(frame->width), height = vnc_tiles(frame->height);

    news->width = frame->width;
    news->height = frame->height;
    if (client->is_resized && (frame->width != s->screen->width ||
                               frame->height != s->screen->height)) {
        news->resized = resize_pixels(s);
        if (!news->resized) {
            client->is_ending = true;
            return;
        }
        memcpy(news->resized, frame->pixels, (size_t)frame->width * frame->height * 4);
    } else if (memchr(client->dirty, 1, (size_t)width * height)) {
        news->dirty = g_memdup2(client->dirty, (size_t)width * height);
        each_run(news->dirty, width, height, s, copy_tiles);
    }
    client->is_resized = false;
    memset(client->dirty, 0, (size_t)width * height);
}

static void take_state(VncSession *s)
{
    VncClient *client = s->client;

    s->has_state_news |= client->has_new_state;
    s->leds = client->leds;
    s->is_absolute = client->is_absolute;
    client->has_new_state = false;
}

static bool take_news(VncSession *s, bool wants_pixels)
{
    VncClient *client = s->client;
    News news = { NULL };
    bool is_ending;

    g_mutex_lock(&client->server->lock);
    if (wants_pixels) {
        take_pixels(s, &news);
    }
    if (client->has_new_cursor) {
        const ConsoleCursor *cursor = client->server->frame.cursor;

        news.has_cursor = true;
        news.cursor = cursor ? make_cursor(cursor) : NULL;
        client->has_new_cursor = false;
    }
    take_state(s);
    is_ending = client->is_ending;
    g_mutex_unlock(&client->server->lock);
    if (news.resized) {
        use_pixels(s, news.resized, news.width, news.height);
    }
    if (news.dirty) {
        each_run(news.dirty, vnc_tiles(news.width), vnc_tiles(news.height), s, mark_run);
        g_free(news.dirty);
    }
    if (news.has_cursor && (news.cursor || s->screen->cursor)) {
        rfbSetCursor(s->screen, news.cursor);
    }
    return !is_ending;
}

/* Pictures with loss, only where the user of the server allows them. */
static void limit_loss(VncSession *s)
{
    if (!s->client->server->is_lossy) {
        s->rfb->tightQualityLevel = -1;
        s->rfb->turboQualityLevel = -1;
        if (s->rfb->preferredEncoding == rfbEncodingZYWRLE) {
            s->rfb->preferredEncoding = rfbEncodingZRLE;
        }
    }
}

static bool send_update(VncSession *s)
{
    rfbClientPtr rfb = s->rfb;
    bool is_wanted = !sraRgnEmpty(rfb->requestedRegion);

    if (!take_news(s, is_wanted)) {
        return false;
    }
    if (s->has_state_news && !vnc_session_send_state(s)) {
        return false;
    }
    if (is_wanted && FB_UPDATE_PENDING(rfb)) {
        limit_loss(s);
        rfbSendFramebufferUpdate(rfb, rfb->modifiedRegion);
    }
    return rfb->sock != RFB_INVALID_SOCKET;
}

/* --- the connection --- */

bool vnc_session_wait(VncSession *s, bool may_block)
{
    struct pollfd fds[] = { { .fd = s->rfb->sock, .events = POLLIN },
                            { .fd = s->client->wake_fd, .events = POLLIN } };
    uint64_t count;

    if (poll(fds, ARRAY_SIZE(fds), may_block ? -1 : 0) < 0 && errno != EINTR) {
        return false;
    }
    if (fds[1].revents) {
        (void)!read(s->client->wake_fd, &count, sizeof(count));
    }
    return fds[0].revents;
}

/* Scaling would have the library keep further pictures, of sizes that are the client's choice. */
static bool is_sane(const VncSession *s)
{
    return s->rfb->sock != RFB_INVALID_SOCKET && s->rfb->scaledScreen == s->screen;
}

static void serve(VncSession *s)
{
    while (send_update(s)) {
        bool has_more = s->rfb->wsctx && webSocketsHasDataInBuffer(s->rfb);

        if (vnc_session_wait(s, !has_more) || has_more) {
            rfbProcessClientMessage(s->rfb);
            if (!is_sane(s)) {
                return;
            }
        }
    }
}

/* --- what the library calls --- */

static void key_event(rfbBool is_down, rfbKeySym symbol, rfbClientPtr rfb)
{
    VncClient *client = vnc_session(rfb)->client;
    KeymapKey key;

    if (keymap_lookup(client->server->keymap, symbol, &key)) {
        vnc_send_key(client, key.key, symbol, is_down);
    }
}

static void pointer_event(int buttons, int x, int y, rfbClientPtr rfb)
{
    VncSession *s = vnc_session(rfb);
    VncPointer pointer = { x, y, s->screen->width, s->screen->height, buttons, false };

    if (s->wants_pointer_kind && !s->is_absolute) {
        pointer.is_distance = true;
        pointer.x -= 0x7fff;
        pointer.y -= 0x7fff;
    } else {
        s->screen->cursorX = x;
        s->screen->cursorY = y;
    }
    vnc_send_pointer(s->client, &pointer);
}

/* The guest decides; until it has, the size is what it was: "prohibited". */
static int wish_size(int width, int height, int screens, rfbExtDesktopScreen *screen,
                     rfbClientPtr rfb)
{
    vnc_send_wish(vnc_session(rfb)->client, width, height);
    return rfbExtDesktopSize_ResizeProhibited;
}

/* The library answers that it failed. */
static rfbBool ask_for_power(rfbClientPtr rfb, uint8_t version, uint8_t what)
{
    return vnc_send_power(vnc_session(rfb)->client, what);
}

static void be_quiet(const char *format, ...)
{
}

/* --- life --- */

static bool make_screen(VncSession *s)
{
    VncClient *client = s->client;
    uint32_t width, height;

    g_mutex_lock(&client->server->lock);
    s->pixels = resize_pixels(s);
    width = client->server->frame.width;
    height = client->server->frame.height;
    g_mutex_unlock(&client->server->lock);
    s->screen = s->pixels ? rfbGetScreen(NULL, NULL, width, height, 8, 3, 4) : NULL;
    if (!s->screen) {
        return false;
    }
    s->screen->screenData = s;
    s->screen->frameBuffer = (char *)s->pixels;
    set_format(s->screen);
    s->screen->cursor = NULL;
    s->screen->deferUpdateTime = 0;
    s->screen->kbdAddEvent = key_event;
    s->screen->ptrAddEvent = pointer_event;
    s->screen->setDesktopSizeHook = wish_size;
    s->screen->xvpHook = s->client->server->has_power ? ask_for_power : NULL;
    return true;
}

/* On a socket that leads nowhere, which has bytes to be looked at: see vnc_rfb.h. */
static bool make_client(VncSession *s)
{
    static const char no_websocket[] = "RFB ";
    int nowhere[2], fd;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, nowhere) < 0) {
        return false;
    }
    fd = fcntl(s->client->fd, F_DUPFD_CLOEXEC, 3);
    (void)!write(nowhere[1], no_websocket, sizeof(no_websocket));
    if (nowhere[0] < FD_SETSIZE && fd >= 0 && fd < FD_SETSIZE) {
        s->rfb = rfbNewClient(s->screen, nowhere[0]);
    } else {
        close(nowhere[0]); /* the library waits by select() */
    }
    close(nowhere[1]);
    if (!s->rfb) {
        close(fd);
        return false;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)); /* fails on local ones */
    dup3(fd, nowhere[0], O_CLOEXEC);
    close(fd);
    s->rfb->clientData = s;
    return true;
}

/* Some versions of the library forget what a client's WebSocket was made of. */
static void end_client(rfbClientPtr rfb)
{
    rfbCloseClient(rfb);
    vnc_extensions_end(rfb);
    free(rfb->wsctx);
    rfb->wsctx = NULL;
    rfbClientConnectionGone(rfb);
}

static void set_up_library(void)
{
    static gsize is_done;

    if (g_once_init_enter(&is_done)) {
        rfbLog = rfbErr = be_quiet;
        vnc_extensions_register();
        g_once_init_leave(&is_done, 1);
    }
}

void *vnc_client_run(void *opaque)
{
    static GMutex making; /* the library has variables of its own in there */
    VncSession s = { .client = opaque };
    bool is_made;

    set_up_library();
    g_mutex_lock(&making);
    is_made = make_screen(&s) && make_client(&s);
    g_mutex_unlock(&making);
    if (is_made && vnc_session_greet(&s)) {
        serve(&s);
    }
    g_mutex_lock(&s.client->server->lock);
    s.client->stage = VNC_ENDED;
    s.client->is_ending = true;
    g_mutex_unlock(&s.client->server->lock);
    g_mutex_lock(&making);
    if (s.rfb) {
        end_client(s.rfb);
    }
    if (s.screen) {
        s.screen->frameBuffer = NULL;
        rfbScreenCleanup(s.screen);
    }
    g_mutex_unlock(&making);
    g_free(s.pixels);
    return NULL;
}
