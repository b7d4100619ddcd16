/*
 * What the parts of the VNC server share.
 *
 * A server's clients and its copy of the picture are under its lock, which is held for moments and
 * in which nothing is waited for. The main loop changes them; a client's thread takes from them what
 * is new to it. All else of a server belongs to the main loop.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_VNC_PARTS_H
#define UI_VNC_PARTS_H

#include "qapi/qapi-types-ui.h"
#include "ui/console.h"
#include "ui/vnc.h"
#include "util/event_loop.h"

#define VNC_TILE 16             /* pixels of each side: the grain of changes */
#define VNC_PASSWORD_BYTES 8    /* what the protocol looks at */

typedef struct VncServer VncServer;
typedef struct VncClient VncClient;

/* Where a server waits. */
typedef struct VncListener {
    VncServer *server;
    int fd;
    bool is_websocket;
    FdWatch *watch;
    char *unlink_path;   /* NULL: nothing to remove */
} VncListener;

/* A copy of what the console shows. */
typedef struct VncFrame {
    uint32_t width, height;
    uint32_t *pixels;    /* lines without gaps */
    ConsoleCursor *cursor;
} VncFrame;

struct VncServer {
    char *id;
    char *display;       /* as named by the user; NULL: the first console */
    unsigned head;
    const Keymap *keymap;
    unsigned max_clients, key_delay_ms;
    VncShare share;
    bool is_lossy, has_power;
    GPtrArray *listeners;
    unsigned chosen;     /* where no display is named: which of console_choice() */
    Console *console;    /* watched, while there are clients; else NULL */
    Deferred *rewatch;   /* when it is gone */
    ConsoleListener listener;
    /* keys wait for each other (vnc_input.c) */
    GQueue keys;
    GSource *key_pause;
    GMutex lock;
    GPtrArray *clients;
    VncFrame frame;
    bool needs_password;
    char *password;      /* NULL: nobody gets in */
    int64_t expires_s;   /* of the real clock; INT64_MAX: never */
};

typedef enum VncStage { VNC_GREETING, VNC_ACTIVE, VNC_ENDED } VncStage;

struct VncClient {
    VncServer *server;
    int fd;              /* for shutdown(): the main loop's; the thread has a duplicate */
    int wake_fd;         /* an eventfd: news, or the end */
    GThread *thread;
    bool is_websocket, needs_password;
    VncServerInfo *here;
    VncClientInfo *there;
    /* under the server's lock */
    VncStage stage;
    bool is_shared, is_ending;
    bool is_resized, has_new_cursor, has_new_state;
    uint8_t *dirty;      /* a byte for each tile, by line */
    unsigned leds;
    bool is_absolute;
    unsigned waiting;    /* for the main loop to take it */
    GCond taken;
    /* of the main loop */
    unsigned buttons;
    int last_x, last_y;
    uint8_t keys_down[Q_KEY_CODE_COUNT];
};

/* --- vnc_server.c --- */
GPtrArray *vnc_servers(void);
VncServer *vnc_server_find(const char *id); /* NULL id: the first */
/* Clients see the screen of this number, if there is one. */
void vnc_server_choose(VncServer *server, unsigned n);
/* Its thread cannot go on: soon vnc_client_free(). Server's lock. */
void vnc_client_end(VncClient *client);
bool vnc_server_listen_anew(VncServer *server, const SocketAddressArray *addresses, Error **errp);
/* A connected socket becomes a client; closes it if that cannot be. */
void vnc_server_accept(VncServer *server, int fd, bool is_websocket, bool needs_password);

/* --- vnc_options.c --- */
typedef struct VncPlace {
    SocketAddress *addr; /* NULL: nowhere */
    SocketAddress *websocket;
} VncPlace;
void vnc_place_clear(VncPlace *place);
bool vnc_place_parse(const VncOptions *options, VncPlace *place, Error **errp);

/* --- vnc_frame.c --- */
extern const ConsoleListener vnc_console_listener;
static inline uint32_t vnc_tiles(uint32_t pixels)
{
    return (pixels + VNC_TILE - 1) / VNC_TILE;
}
void vnc_frame_clear(VncFrame *frame);
/* Server's lock: the client knows nothing of the picture. */
void vnc_client_forget(VncClient *client);

/* --- vnc_client.c: the thread --- */
void *vnc_client_run(void *client);

/* --- vnc_input.c --- */
/* In a client's thread: handed to the main loop, which may have to catch up first. `symbol`: as X has them. */
void vnc_send_key(VncClient *client, QKeyCode key, uint32_t symbol, bool is_down);
typedef struct VncPointer {
    int x, y;            /* of the frame, or a distance */
    uint32_t width, height;
    unsigned buttons;
    bool is_distance;
} VncPointer;
void vnc_send_pointer(VncClient *client, const VncPointer *pointer);
/* False: there is no such thing. */
bool vnc_send_power(VncClient *client, uint8_t what);
void vnc_send_wish(VncClient *client, uint32_t width, uint32_t height);
/* In the main loop. */
void vnc_input_init(void);
void vnc_client_release_keys(VncClient *client);
void vnc_input_clear(VncServer *server);
/* Server's lock: lights and kind of pointer, as they are now. */
void vnc_client_take_state(VncClient *client);

#endif
