/*
 * Input: what a user does with keys, buttons and pointers, and the devices that are told of it.
 * Who sees the user (a display, a monitor) sends events; a device embeds an InputHandler. An event
 * goes to the first handler that takes its kind. Machine lock.
 *
 * An event that happens on a screen (input_set_origin()) goes to handlers bound to that screen before
 * others; one bound to another screen is not told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include "qapi/qapi-types-ui.h"
#include "util/notifier.h"

/* Positions of INPUT_EVENT_KIND_ABS over the width or height of a screen. */
#define INPUT_ABS_MAX 0x7fff

typedef struct Console Console;
typedef struct InputHandler InputHandler;

/* Embed it. */
struct InputHandler {
    const char *name; /* as query-mice shows it */
    unsigned kinds;   /* BIT(InputEventKind) of what it takes */
    void (*event)(InputHandler *handler, const InputEvent *event);
    /* Ends what belongs together; may be NULL. */
    void (*sync)(InputHandler *handler);
    /* The screen whose events it wants; NULL: of any. input_handler_bind() sets it. */
    const Console *console;
    /* private */
    InputHandler *next;
    unsigned index;
    bool is_listed, wants_sync;
};

/* Behind those that are there. */
void input_handler_add(InputHandler *handler);
/* One that was not added is fine. */
void input_handler_remove(InputHandler *handler);
/* Before all others; behind them. */
void input_handler_focus(InputHandler *handler);
void input_handler_unfocus(InputHandler *handler);

void input_handler_bind(InputHandler *handler, const Console *console);
/* A console goes away: nothing is bound to it any longer. */
void input_forget_console(const Console *console);

/* Where what follows happens: the screen that a user sits at; NULL, as at first: nowhere special. */
void input_set_origin(const Console *console);
/* Is there a handler of this kind? */
bool input_is_taken(InputEventKind kind);
/* Events are dropped while `gate` (NULL: never) returns false: a guest that stands still. */
void input_set_gate(bool (*gate)(void));

void input_send(const InputEvent *event);
void input_send_key(QKeyCode key, bool is_down);
void input_send_button(InputButton button, bool is_down);
void input_send_rel(InputAxis axis, int distance);
/* `pos` of [0, size) in pixels. */
void input_send_abs(InputAxis axis, int pos, int size);
void input_sync(void);

/* A pointer's position is wanted rather than its distances. */
bool input_is_absolute(void);
/* Told, with NULL, when that may have changed. */
void input_add_mode_notifier(Notifier *notifier);

/* The keyboard's lights. */
enum { INPUT_LED_SCROLL = BIT(0), INPUT_LED_NUM = BIT(1), INPUT_LED_CAPS = BIT(2) };
unsigned input_leds(void);
void input_set_leds(unsigned leds);
/* Told, with NULL, when they changed. */
void input_add_led_notifier(Notifier *notifier);

/* The key an event is about; Q_KEY_CODE_UNMAPPED: none that is known. */
QKeyCode input_event_key(const KeyValue *key);
/* `mouse_set`: the handler with this index comes first. */
bool input_focus_index(int64_t index, Error **errp);

#endif
