/*
 * VNC: what users do, on its way from a client's thread to the machine's input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "ui/input.h"
#include "ui/text_console.h"
#include "ui/vnc_parts.h"

#define WAITING_MAX 256 /* acts of one client that the main loop has not seen */
#define KEYS_MAX    1024 /* that wait for those before */
/* symbols of X */
#define XK_KP_MULTIPLY 0xffaa
#define XK_KP_9        0xffb9
#define CONTROL_MASK   0x1f
/* what clients ask of the machine's power, by the protocol's numbers */
#define XVP_SHUTDOWN 2
#define XVP_RESET    4

typedef struct Act {
    VncClient *client;
    enum { ACT_KEY, ACT_POINTER, ACT_WISH, ACT_POWER } what;
    QKeyCode key;
    uint32_t symbol;
    bool is_down;
    VncPointer pointer;
    void (*power)(void);
} Act;

/* --- keys, with a pause behind each --- */

typedef struct KeyAct {
    QKeyCode key;
    bool is_down;
} KeyAct;

static void press(VncServer *server, QKeyCode key, bool is_down)
{
    input_set_origin(server->display ? server->console : NULL);
    input_send_key(key, is_down);
    input_set_origin(NULL);
    if (server->console) {
        console_hurry(server->console);
    }
}

static void pause_ends(void *opaque)
{
    VncServer *server = opaque;
    KeyAct *next = g_queue_pop_head(&server->keys);

    server->key_pause = NULL;
    if (next) {
        press(server, next->key, next->is_down);
        g_free(next);
        server->key_pause = event_loop_defer_ms(event_loop_main(), server->key_delay_ms,
                                                pause_ends, server);
    }
}

static void do_key(VncServer *server, QKeyCode key, bool is_down)
{
    if (!server->key_delay_ms) {
        press(server, key, is_down);
        return;
    }
    g_queue_push_tail(&server->keys, g_memdup2(&(KeyAct){ key, is_down }, sizeof(KeyAct)));
    if (!server->key_pause) {
        pause_ends(server);
    }
}

static bool has_control(const VncClient *client)
{
    return client->keys_down[Q_KEY_CODE_CTRL] || client->keys_down[Q_KEY_CODE_CTRL_R];
}

static bool has_alt(const VncClient *client)
{
    return client->keys_down[Q_KEY_CODE_ALT] || client->keys_down[Q_KEY_CODE_ALT_R];
}

/* Control, Alt and a digit choose a screen; what anybody holds down comes up in the one before. */
static bool choose_console(VncClient *client, QKeyCode key)
{
    VncServer *server = client->server;

    if (server->display || key < Q_KEY_CODE_1 || key > Q_KEY_CODE_9 || !has_control(client) || !has_alt(client)) {
        return false;
    }
    for (guint i = 0; i < server->clients->len; i++) {
        vnc_client_release_keys(server->clients->pdata[i]);
    }
    vnc_server_choose(server, key - Q_KEY_CODE_1);
    return true;
}

/* A symbol of Latin-1 is its character, one of the keypad lies above it. */
static uint8_t character_of(uint32_t symbol)
{
    if (symbol >= XK_KP_MULTIPLY && symbol <= XK_KP_9) {
        symbol -= XK_KP_MULTIPLY - '*';
    }
    return symbol >= ' ' && symbol <= '~' ? symbol : 0;
}

static void type_into_text(VncClient *client, QKeyCode key, uint32_t symbol)
{
    uint8_t character = character_of(symbol);

    text_console_type(client->server->console, key,
                      has_control(client) ? character & CONTROL_MASK : character);
}

/* Who types faster than the guest is told loses keys; those that are down come up again. */
static void client_key(VncClient *client, const Act *act)
{
    bool is_taken = act->is_down ? client->server->keys.length < KEYS_MAX : client->keys_down[act->key];

    if (!is_taken || (act->is_down && choose_console(client, act->key))) {
        return;
    }
    client->keys_down[act->key] = act->is_down;
    if (!console_is_text(client->server->console)) {
        do_key(client->server, act->key, act->is_down);
    } else if (act->is_down) {
        type_into_text(client, act->key, act->symbol);
    }
}

void vnc_input_clear(VncServer *server)
{
    if (server->key_pause) {
        g_source_destroy(server->key_pause);
        server->key_pause = NULL;
    }
    g_queue_clear_full(&server->keys, g_free);
}

void vnc_client_release_keys(VncClient *client)
{
    for (int key = 0; key < Q_KEY_CODE_COUNT; key++) {
        if (client->keys_down[key] && !console_is_text(client->server->console)) {
            do_key(client->server, key, false);
        }
        client->keys_down[key] = false;
    }
}

/* --- the pointer --- */

static void do_buttons(VncClient *client, unsigned buttons)
{
    static const InputButton order[] = {
        INPUT_BUTTON_LEFT, INPUT_BUTTON_MIDDLE, INPUT_BUTTON_RIGHT, INPUT_BUTTON_WHEEL_UP,
        INPUT_BUTTON_WHEEL_DOWN, INPUT_BUTTON_WHEEL_LEFT, INPUT_BUTTON_WHEEL_RIGHT,
        INPUT_BUTTON_SIDE,
    };

    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        if ((buttons ^ client->buttons) & BIT(i)) {
            input_send_button(order[i], buttons & BIT(i));
        }
    }
    client->buttons = buttons;
}

static void do_distance(int x, int y)
{
    if (x) {
        input_send_rel(INPUT_AXIS_X, x);
    }
    if (y) {
        input_send_rel(INPUT_AXIS_Y, y);
    }
}

static void do_pointer(VncClient *client, const VncPointer *p)
{
    VncServer *server = client->server;

    input_set_origin(server->display ? server->console : NULL);
    if (p->is_distance) {
        do_distance(p->x, p->y);
    } else if (input_is_absolute()) {
        input_send_abs(INPUT_AXIS_X, p->x, p->width);
        input_send_abs(INPUT_AXIS_Y, p->y, p->height);
    } else if (client->last_x >= 0) {
        do_distance(p->x - client->last_x, p->y - client->last_y);
    }
    client->last_x = p->is_distance ? -1 : p->x;
    client->last_y = p->y;
    do_buttons(client, p->buttons);
    input_sync();
    input_set_origin(NULL);
    if (server->console) {
        console_hurry(server->console);
    }
}

/* --- from thread to thread --- */

static void run_act(void *opaque)
{
    Act *act = opaque;
    VncClient *client = act->client;

    switch (act->what) {
    case ACT_KEY:
        client_key(client, act);
        break;
    case ACT_POINTER:
        if (!console_is_text(client->server->console)) {
            do_pointer(client, &act->pointer);
        }
        break;
    case ACT_WISH:
        if (client->server->console) {
            console_suggest_size(client->server->console, act->pointer.width,
                                 act->pointer.height);
        }
        break;
    case ACT_POWER:
        act->power();
        break;
    }
    g_mutex_lock(&client->server->lock);
    client->waiting--;
    g_cond_signal(&client->taken);
    g_mutex_unlock(&client->server->lock);
    g_free(act);
}

static void hand_over(const Act *act)
{
    VncClient *client = act->client;
    bool is_ending;

    g_mutex_lock(&client->server->lock);
    while (client->waiting >= WAITING_MAX && !client->is_ending) {
        g_cond_wait(&client->taken, &client->server->lock);
    }
    is_ending = client->is_ending;
    client->waiting += !is_ending;
    g_mutex_unlock(&client->server->lock);
    if (!is_ending) {
        event_loop_defer(event_loop_main(), run_act, g_memdup2(act, sizeof(*act)));
    }
}

void vnc_send_key(VncClient *client, QKeyCode key, uint32_t symbol, bool is_down)
{
    hand_over(&(Act){ .client = client, .what = ACT_KEY, .key = key, .symbol = symbol, .is_down = is_down });
}

void vnc_send_pointer(VncClient *client, const VncPointer *pointer)
{
    hand_over(&(Act){ .client = client, .what = ACT_POINTER, .pointer = *pointer });
}

void vnc_send_wish(VncClient *client, uint32_t width, uint32_t height)
{
    hand_over(&(Act){ .client = client, .what = ACT_WISH,
                      .pointer = { .width = width, .height = height } });
}

static const VncPower *machine_power;

void vnc_set_power(const VncPower *power)
{
    machine_power = power;
}

/* A reboot that the guest agrees to has no button on a PC. */
bool vnc_send_power(VncClient *client, uint8_t what)
{
    void (*power)(void) = what == XVP_SHUTDOWN ? machine_power->shut_down :
                          what == XVP_RESET    ? machine_power->reset : NULL;

    if (power) {
        hand_over(&(Act){ .client = client, .what = ACT_POWER, .power = power });
    }
    return power;
}

/* --- what the machine's input tells --- */

void vnc_client_take_state(VncClient *client)
{
    input_set_origin(client->server->display ? client->server->console : NULL);
    client->is_absolute = input_is_absolute();
    input_set_origin(NULL);
    client->leds = input_leds();
    client->has_new_state = true;
}

static void state_changed(Notifier *notifier, void *data)
{
    for (guint i = 0; i < vnc_servers()->len; i++) {
        VncServer *server = vnc_servers()->pdata[i];

        g_mutex_lock(&server->lock);
        for (guint k = 0; k < server->clients->len; k++) {
            VncClient *client = server->clients->pdata[k];

            vnc_client_take_state(client);
            (void)!write(client->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
        }
        g_mutex_unlock(&server->lock);
    }
}

void vnc_input_init(void)
{
    static Notifier leds = { .fn = state_changed }, mode = { .fn = state_changed };
    static bool is_done;

    if (!is_done) {
        input_add_led_notifier(&leds);
        input_add_mode_notifier(&mode);
        is_done = true;
    }
}
