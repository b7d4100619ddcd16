/*
 * send-key: presses and releases keys at intervals of guest time, one command after another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/qapi-commands-ui.h"
#include "system/timer.h"
#include "ui/input.h"
#include "ui/keycodes.h"

#define HOLD_MS_DEFAULT 100
#define HOLD_MS_MAX     (60 * 1000)
#define ACTS_MAX        1024 /* that wait */

typedef struct KeyAct {
    QKeyCode key;
    bool is_down;
    unsigned pause_ms; /* behind it */
} KeyAct;

/* The monitors' one. */
static struct {
    GArray *acts; /* of KeyAct: those to come */
    Timer pause;
} typist;

static void go_on(void *opaque)
{
    KeyAct act;

    if (!typist.acts->len) {
        return;
    }
    act = g_array_index(typist.acts, KeyAct, 0);
    g_array_remove_index(typist.acts, 0);
    input_send_key(act.key, act.is_down);
    timer_arm_after_ms(&typist.pause, act.pause_ms);
}

static void add_act(const KeyValue *key, bool is_down, unsigned pause_ms)
{
    KeyAct act = { input_event_key(key), is_down, pause_ms };

    g_array_append_val(typist.acts, act);
}

static void start_typist(void)
{
    if (!typist.acts) {
        typist.acts = g_array_new(false, false, sizeof(KeyAct));
        timer_init(&typist.pause, CLOCK_VIRTUAL, go_on, NULL);
    }
}

bool qmp_send_key(const KeyValueArray *keys, bool has_hold_time, int64_t hold_time, Error **errp)
{
    unsigned pause_ms = has_hold_time ? hold_time : HOLD_MS_DEFAULT;

    if (has_hold_time && (hold_time < 0 || hold_time > HOLD_MS_MAX)) {
        return error_set(errp, "Parameter 'hold-time' expects 0 to %d milliseconds", HOLD_MS_MAX);
    }
    start_typist();
    if (keys->count > (ACTS_MAX - typist.acts->len) / 2) {
        return error_set(errp, "too many keys wait to be sent");
    }
    for (size_t i = 0; i < keys->count; i++) {
        add_act(keys->items[i], true, pause_ms);
    }
    for (size_t i = keys->count; i-- > 0; ) {
        add_act(keys->items[i], false, pause_ms);
    }
    if (!timer_is_armed(&typist.pause)) {
        go_on(NULL);
    }
    return true;
}
