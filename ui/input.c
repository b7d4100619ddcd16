/*
 * Where events go: see ui/input.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/qapi-commands-ui.h"
#include "ui/console.h"
#include "ui/input.h"
#include "ui/keycodes.h"

#define POINTER_KINDS (BIT(INPUT_EVENT_KIND_REL) | BIT(INPUT_EVENT_KIND_ABS))

/* The machine's one. */
static struct {
    InputHandler *first; /* has the focus */
    unsigned next_index;
    const Console *origin;
    bool (*gate)(void);
    unsigned leds;
    NotifierList leds_changed, mode_changed;
} input = { .next_index = 1 };

void input_set_gate(bool (*gate)(void))
{
    input.gate = gate;
}

/* --- handlers --- */

static void insert(InputHandler **at, InputHandler *handler)
{
    handler->next = *at;
    *at = handler;
    handler->is_listed = true;
}

static InputHandler **end_of_list(void)
{
    InputHandler **at = &input.first;

    while (*at) {
        at = &(*at)->next;
    }
    return at;
}

static void unlink_handler(InputHandler *handler)
{
    InputHandler **at = &input.first;

    while (*at != handler) {
        at = &(*at)->next;
    }
    *at = handler->next;
    handler->is_listed = false;
}

static void mode_changed(void)
{
    notifier_tell(&input.mode_changed, NULL);
}

void input_handler_add(InputHandler *handler)
{
    assert(!handler->is_listed);
    handler->index = input.next_index++;
    handler->wants_sync = false;
    insert(end_of_list(), handler);
    mode_changed();
}

void input_handler_remove(InputHandler *handler)
{
    if (handler->is_listed) {
        unlink_handler(handler);
        mode_changed();
    }
}

void input_handler_focus(InputHandler *handler)
{
    unlink_handler(handler);
    insert(&input.first, handler);
    mode_changed();
}

void input_handler_unfocus(InputHandler *handler)
{
    unlink_handler(handler);
    insert(end_of_list(), handler);
    mode_changed();
}

void input_handler_bind(InputHandler *handler, const Console *console)
{
    handler->console = console;
    mode_changed();
}

void input_forget_console(const Console *console)
{
    for (InputHandler *handler = input.first; handler; handler = handler->next) {
        handler->console = handler->console == console ? NULL : handler->console;
    }
    input.origin = input.origin == console ? NULL : input.origin;
}

void input_set_origin(const Console *console)
{
    input.origin = console;
}

static InputHandler *find_bound(unsigned kinds, const Console *console)
{
    InputHandler *handler = input.first;

    while (handler && (!(handler->kinds & kinds) || handler->console != console)) {
        handler = handler->next;
    }
    return handler;
}

/* The first that takes one of these kinds where the user is, or NULL. */
static InputHandler *find_handler(unsigned kinds)
{
    InputHandler *bound = input.origin ? find_bound(kinds, input.origin) : NULL;

    return bound ? bound : find_bound(kinds, NULL);
}

bool input_is_taken(InputEventKind kind)
{
    return find_handler(BIT(kind));
}

bool input_is_absolute(void)
{
    const InputHandler *handler = find_handler(POINTER_KINDS);

    return handler && handler->kinds & BIT(INPUT_EVENT_KIND_ABS);
}

void input_add_mode_notifier(Notifier *notifier)
{
    notifier_add(&input.mode_changed, notifier);
}

bool input_focus_index(int64_t index, Error **errp)
{
    for (InputHandler *handler = input.first; handler; handler = handler->next) {
        if (handler->index == index && handler->kinds & POINTER_KINDS) {
            input_handler_focus(handler);
            return true;
        }
    }
    return error_set(errp, "Mouse at index '%" PRId64 "' not found", index);
}

/* --- events --- */

void input_send(const InputEvent *event)
{
    InputHandler *handler = find_handler(BIT(event->type));

    if (handler && (!input.gate || input.gate())) {
        handler->wants_sync = true;
        handler->event(handler, event);
    }
}

void input_sync(void)
{
    for (InputHandler *handler = input.first; handler; handler = handler->next) {
        if (handler->wants_sync) {
            handler->wants_sync = false;
            if (handler->sync) {
                handler->sync(handler);
            }
        }
    }
}

void input_send_key(QKeyCode key, bool is_down)
{
    KeyValue value = { .type = KEY_VALUE_KIND_QCODE, .u.qcode.data = key };
    InputKeyEvent data = { .key = &value, .down = is_down };
    InputEvent event = { .type = INPUT_EVENT_KIND_KEY, .u.key.data = &data };

    input_send(&event);
    input_sync();
}

void input_send_button(InputButton button, bool is_down)
{
    InputBtnEvent data = { .button = button, .down = is_down };
    InputEvent event = { .type = INPUT_EVENT_KIND_BTN, .u.btn.data = &data };

    input_send(&event);
}

void input_send_rel(InputAxis axis, int distance)
{
    InputMoveEvent data = { .axis = axis, .value = distance };
    InputEvent event = { .type = INPUT_EVENT_KIND_REL, .u.rel.data = &data };

    input_send(&event);
}

void input_send_abs(InputAxis axis, int pos, int size)
{
    int64_t last = MAX(size - 1, 1);
    InputMoveEvent data = { .axis = axis,
                            .value = CLAMP((int64_t)pos, 0, last) * INPUT_ABS_MAX / last };
    InputEvent event = { .type = INPUT_EVENT_KIND_ABS, .u.abs.data = &data };

    input_send(&event);
}

QKeyCode input_event_key(const KeyValue *key)
{
    return key->type == KEY_VALUE_KIND_QCODE ? key->u.qcode.data
                                             : key_from_number(key->u.number.data);
}

/* --- lights --- */

unsigned input_leds(void)
{
    return input.leds;
}

void input_set_leds(unsigned leds)
{
    if (input.leds != leds) {
        input.leds = leds;
        notifier_tell(&input.leds_changed, NULL);
    }
}

void input_add_led_notifier(Notifier *notifier)
{
    notifier_add(&input.leds_changed, notifier);
}

/* --- QMP --- */

MouseInfoArray *qmp_query_mice(Error **errp)
{
    const InputHandler *current = find_handler(POINTER_KINDS);
    MouseInfoArray *mice = g_new0(MouseInfoArray, 1);

    for (const InputHandler *handler = input.first; handler; handler = handler->next) {
        if (handler->kinds & POINTER_KINDS) {
            MouseInfo *info = g_new0(MouseInfo, 1);

            info->name = g_strdup(handler->name);
            info->index = handler->index;
            info->absolute = handler->kinds & BIT(INPUT_EVENT_KIND_ABS);
            info->current = handler == current;
            mouse_info_array_add(mice, info);
        }
    }
    return mice;
}

static bool send_events(const InputEventArray *events, Error **errp)
{
    for (size_t i = 0; i < events->count; i++) {
        if (!input_is_taken(events->items[i]->type)) {
            return error_set(errp, "Input handler not found for event type %s",
                             enum_table_name(&input_event_kind_names, events->items[i]->type));
        }
    }
    for (size_t i = 0; i < events->count; i++) {
        input_send(events->items[i]);
    }
    input_sync();
    return true;
}

bool qmp_input_send_event(const char *device, bool has_head, int64_t head,
                          const InputEventArray *events, Error **errp)
{
    const Console *console = device ? console_find(device, has_head ? head : 0, errp) : NULL;
    bool is_ok;

    if (device && !console) {
        return false;
    }
    if (input.gate && !input.gate()) {
        return error_set(errp, "VM not running");
    }
    input_set_origin(console);
    is_ok = send_events(events, errp);
    input_set_origin(NULL);
    return is_ok;
}
