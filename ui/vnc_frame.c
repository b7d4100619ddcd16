/*
 * VNC: a server's copy of what its console shows. Displays tell of lines that may have changed; what
 * did change is found by comparing, so that clients are sent no more than that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/vnc_parts.h"

/* A line of raw pixels has to fit into LibVNCServer's buffer of 32 KiB; the rest is not shown. */
#define MAX_WIDTH  8160
#define MAX_HEIGHT UINT16_MAX

void vnc_frame_clear(VncFrame *frame)
{
    g_free(frame->pixels);
    g_free(frame->cursor);
    *frame = (VncFrame){ 0 };
}

static void wake(VncClient *client)
{
    (void)!write(client->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static VncServer *server_of(ConsoleListener *listener)
{
    return container_of(listener, VncServer, listener);
}

/* All of the picture is new to the client. */
void vnc_client_forget(VncClient *client)
{
    const VncFrame *frame = &client->server->frame;
    size_t tiles = (size_t)vnc_tiles(frame->width) * vnc_tiles(frame->height);

    g_free(client->dirty);
    client->dirty = g_malloc(tiles);
    if (tiles) {
        memset(client->dirty, 1, tiles);
    }
    client->is_resized = client->has_new_cursor = true;
}

/* --- what the console tells --- */

static void surface_changed(ConsoleListener *listener, Surface *surface)
{
    VncServer *server = server_of(listener);
    uint32_t width = MIN(surface->width, MAX_WIDTH), height = MIN(surface->height, MAX_HEIGHT);
    uint32_t *pixels = g_try_malloc0_n((size_t)width * height, sizeof(uint32_t));

    if (!pixels) {
        return; /* the old picture stands */
    }
    g_mutex_lock(&server->lock);
    g_free(server->frame.pixels);
    server->frame.pixels = pixels;
    server->frame.width = width;
    server->frame.height = height;
    for (guint i = 0; i < server->clients->len; i++) {
        vnc_client_forget(server->clients->pdata[i]);
    }
    for (uint32_t y = 0; y < height; y++) {
        memcpy(pixels + (size_t)y * width, surface_line(surface, y), width * sizeof(uint32_t));
    }
    for (guint i = 0; i < server->clients->len; i++) {
        wake(server->clients->pdata[i]);
    }
    g_mutex_unlock(&server->lock);
}

/* Of one line, from tile `first` to `end`: copies what differs and notes where in `found`. */
static bool compare_line(uint32_t *to, const uint32_t *from, uint32_t width, uint8_t *found)
{
    bool is_different = false;

    if (!memcmp(to, from, width * sizeof(*to))) {
        return false;
    }
    for (uint32_t x = 0; x < width; x += VNC_TILE) {
        size_t bytes = MIN(VNC_TILE, width - x) * sizeof(*to);

        if (memcmp(to + x, from + x, bytes)) {
            memcpy(to + x, from + x, bytes);
            found[x / VNC_TILE] = 1;
            is_different = true;
        }
    }
    return is_different;
}

static void mark(VncServer *server, uint32_t tile_line, const uint8_t *found)
{
    uint32_t tiles = vnc_tiles(server->frame.width);

    for (guint i = 0; i < server->clients->len; i++) {
        uint8_t *dirty = ((VncClient *)server->clients->pdata[i])->dirty;

        for (uint32_t x = 0; x < tiles; x++) {
            dirty[(size_t)tile_line * tiles + x] |= found[x];
        }
    }
}

/* Server's lock. */
static bool compare(VncServer *server, const Surface *surface, uint32_t y, uint32_t end)
{
    VncFrame *frame = &server->frame;
    uint32_t tiles = vnc_tiles(frame->width);
    g_autofree uint8_t *found = g_malloc0(tiles);
    bool is_different = false, in_tile = false;

    for (; y < end; y++) {
        in_tile |= compare_line(frame->pixels + (size_t)y * frame->width, surface_line(surface, y),
                                frame->width, found);
        if (in_tile && (y + 1 == end || (y + 1) % VNC_TILE == 0)) {
            mark(server, y / VNC_TILE, found);
            memset(found, 0, tiles);
            is_different = true;
            in_tile = false;
        }
    }
    return is_different;
}

static void pixels_changed(ConsoleListener *listener, SurfaceRect rect)
{
    VncServer *server = server_of(listener);
    const Surface *surface = console_surface(server->console);
    VncFrame *frame = &server->frame;

    g_mutex_lock(&server->lock);
    if (frame->width == MIN(surface->width, MAX_WIDTH) &&
        frame->height == MIN(surface->height, MAX_HEIGHT) && rect.y < frame->height &&
        compare(server, surface, rect.y, rect.y + MIN(rect.height, frame->height - rect.y))) {
        for (guint i = 0; i < server->clients->len; i++) {
            wake(server->clients->pdata[i]);
        }
    }
    g_mutex_unlock(&server->lock);
}

static void cursor_changed(ConsoleListener *listener, const ConsoleCursor *cursor)
{
    VncServer *server = server_of(listener);
    size_t pixels = cursor ? (size_t)cursor->width * cursor->height : 0;

    g_mutex_lock(&server->lock);
    g_free(server->frame.cursor);
    server->frame.cursor = cursor ? g_memdup2(cursor, sizeof(*cursor) + pixels * sizeof(uint32_t))
                                  : NULL;
    for (guint i = 0; i < server->clients->len; i++) {
        VncClient *client = server->clients->pdata[i];

        client->has_new_cursor = true;
        wake(client);
    }
    g_mutex_unlock(&server->lock);
}

static void console_gone(ConsoleListener *listener)
{
    server_of(listener)->console = NULL;
    deferred_schedule(server_of(listener)->rewatch);
}

const ConsoleListener vnc_console_listener = {
    surface_changed, pixels_changed, cursor_changed, console_gone, true,
};
