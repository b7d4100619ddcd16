/*
 * Input: who is told of what; key codes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/qapi-commands-ui.h"
#include "ui/console.h"
#include "ui/input.h"
#include "ui/keycodes.h"
#include "ui/keymap_parts.h"

#define BUTTONS   BIT(INPUT_EVENT_KIND_BTN)
#define DISTANCES BIT(INPUT_EVENT_KIND_REL)
#define POSITIONS BIT(INPUT_EVENT_KIND_ABS)

static GString *seen;
static bool is_running = true;

static void note(InputHandler *handler, const InputEvent *event)
{
    g_string_append_printf(seen, "%s:%s ", handler->name,
                           enum_table_name(&input_event_kind_names, event->type));
    if (event->type == INPUT_EVENT_KIND_ABS) {
        g_string_append_printf(seen, "%" PRId64 " ", event->u.abs.data->value);
    }
}

static void note_sync(InputHandler *handler)
{
    g_string_append_printf(seen, "%s. ", handler->name);
}

static void expect(const char *text)
{
    g_assert_cmpstr(seen->str, ==, text);
    g_string_truncate(seen, 0);
}

static void note_mode(Notifier *notifier, void *data)
{
    g_string_append(seen, input_is_absolute() ? "absolute " : "relative ");
}

static void test_focus(void)
{
    InputHandler mouse = { "mouse", BUTTONS | DISTANCES, note, note_sync };
    InputHandler tablet = { "tablet", BUTTONS | POSITIONS, note, note_sync };
    static Notifier mode = { .fn = note_mode };
    g_autoptr(MouseInfoArray) mice = NULL;

    input_send_rel(INPUT_AXIS_X, 1); /* to nobody */
    input_add_mode_notifier(&mode);
    input_handler_add(&mouse);
    input_handler_add(&tablet);
    expect("relative relative ");
    input_send_button(INPUT_BUTTON_LEFT, true);
    input_send_abs(INPUT_AXIS_X, 639, 640);
    input_send_abs(INPUT_AXIS_Y, -5, 480);
    input_sync();
    input_sync();
    expect("mouse:btn tablet:abs 32767 tablet:abs 0 mouse. tablet. ");
    g_assert_true(input_focus_index(tablet.index, NULL));
    g_assert_false(input_focus_index(-1, NULL));
    expect("absolute ");
    input_send_button(INPUT_BUTTON_LEFT, true);
    input_send_rel(INPUT_AXIS_X, 1);
    expect("tablet:btn mouse:rel ");
    mice = qmp_query_mice(NULL);
    g_assert_cmpuint(mice->count, ==, 2);
    g_assert_cmpstr(mice->items[0]->name, ==, "tablet");
    g_assert_true(mice->items[0]->current && mice->items[0]->absolute);
    g_assert_false(mice->items[1]->current || mice->items[1]->absolute);
    input_handler_unfocus(&tablet);
    expect("relative ");
    input_handler_remove(&mouse);
    input_handler_remove(&mouse);
    input_handler_remove(&tablet);
    expect("absolute relative ");
    g_assert_false(input_is_taken(INPUT_EVENT_KIND_BTN));
}

static void nothing(void *opaque)
{
}

/* Two screens: one has a tablet of its own, the other what is for all. */
static void test_screens(void)
{
    static const ConsoleOps ops = { nothing, nothing };
    InputHandler shared = { "shared", BUTTONS | DISTANCES, note, note_sync };
    InputHandler own = { "own", BUTTONS | POSITIONS, note, note_sync };
    Object *first = object_container("/first"), *second = object_container("/second");
    Console *screens[] = { console_new(first, 0, &ops, NULL), console_new(second, 0, &ops, NULL) };

    input_handler_add(&own);
    input_handler_bind(&own, screens[1]);
    input_handler_add(&shared);
    g_string_truncate(seen, 0);
    input_send_button(INPUT_BUTTON_LEFT, true);
    input_set_origin(screens[0]);
    input_send_button(INPUT_BUTTON_LEFT, true);
    g_assert_false(input_is_absolute());
    input_set_origin(screens[1]);
    input_send_button(INPUT_BUTTON_LEFT, true);
    g_assert_true(input_is_absolute());
    input_send_rel(INPUT_AXIS_X, 1);
    expect("shared:btn shared:btn own:btn shared:rel ");
    console_free(screens[1]);
    input_send_button(INPUT_BUTTON_LEFT, true);
    expect("own:btn ");
    console_free(screens[0]);
    input_handler_remove(&shared);
    input_handler_remove(&own);
    g_string_truncate(seen, 0);
}

static bool gate(void)
{
    return is_running;
}

static InputEventArray *events(const char *text)
{
    json_object *value;
    char *why;
    InputEventArray *result;

    g_assert_true(json_parse(text, strlen(text), &value, &why));
    result = input_event_array_from_json(value, QAPI_TYPED, NULL);
    g_assert_nonnull(result);
    json_unref(value);
    return result;
}

static void test_send_event(void)
{
    InputHandler keyboard = { "keyboard", BIT(INPUT_EVENT_KIND_KEY), note, note_sync };
    g_autoptr(InputEventArray) keys = events(
        "[{'type': 'key', 'data': {'down': true, 'key': {'type': 'qcode', 'data': 'a'}}},"
        " {'type': 'key', 'data': {'down': true, 'key': {'type': 'number', 'data': 30}}}]");
    g_autoptr(InputEventArray) mixed = events(
        "[{'type': 'key', 'data': {'down': true, 'key': {'type': 'qcode', 'data': 'a'}}},"
        " {'type': 'rel', 'data': {'axis': 'x', 'value': 3}}]");

    input_handler_add(&keyboard);
    g_string_truncate(seen, 0);
    input_set_gate(gate);
    g_assert_true(qmp_input_send_event(NULL, false, 0, keys, NULL));
    expect("keyboard:key keyboard:key keyboard. ");
    g_assert_false(qmp_input_send_event(NULL, false, 0, mixed, NULL));
    g_assert_false(qmp_input_send_event("x", false, 0, keys, NULL));
    expect("");
    is_running = false;
    g_assert_false(qmp_input_send_event(NULL, false, 0, keys, NULL));
    expect("");
    input_set_gate(NULL);
    input_handler_remove(&keyboard);
    g_string_truncate(seen, 0);
}

static void note_leds(Notifier *notifier, void *data)
{
    g_string_append_printf(seen, "%u ", input_leds());
}

static void test_leds(void)
{
    static Notifier leds = { .fn = note_leds };

    input_add_led_notifier(&leds);
    input_set_leds(INPUT_LED_CAPS);
    input_set_leds(INPUT_LED_CAPS);
    input_set_leds(0);
    expect("4 0 ");
}

static void test_codes(void)
{
    g_assert_cmpint(key_from_number(0x1e), ==, Q_KEY_CODE_A);
    g_assert_cmpint(key_from_number(0x37), ==, Q_KEY_CODE_ASTERISK);
    g_assert_cmpint(key_from_number(0x9d), ==, Q_KEY_CODE_CTRL_R);
    g_assert_cmpint(key_from_number(0), ==, Q_KEY_CODE_UNMAPPED);
    g_assert_cmpint(key_from_number(-1), ==, Q_KEY_CODE_UNMAPPED);
    g_assert_cmpint(key_from_number(INT64_MAX), ==, Q_KEY_CODE_UNMAPPED);
    g_assert_cmpint(key_from_evdev(183), ==, Q_KEY_CODE_F13);
    g_assert_cmpint(key_from_evdev(0), ==, Q_KEY_CODE_UNMAPPED);
    /* Each key has codes, and numbers lead back to keys of the same code. */
    for (int key = 1; key < Q_KEY_CODE_COUNT; key++) {
        const KeyCodes *codes = key_codes(key);

        g_assert_true(codes->set1 && codes->set2 && codes->evdev);
        g_assert_true(codes->set1 < 0x100 || codes->set1 >> 8 == 0xe0);
        g_assert_cmphex(codes->set1 >> 8, ==, codes->set2 >> 8);
        g_assert_cmpint(key_codes(key_from_number(key_number(key)))->set1, ==, codes->set1);
    }
}

static void test_keymap(void)
{
    const Keymap *map = keymap_find("en-us", NULL);
    Error *err = NULL;
    KeymapKey key;

    g_assert_null(keymap_find("xx", &err));
    g_assert_true(g_str_has_prefix(error_text(err), "there is no keymap 'xx'; there are: en-us"));
    error_free(err);
    for (uint32_t symbol = ' '; symbol < 0x7f; symbol++) {
        g_assert_true(keymap_lookup(map, symbol, &key));
        g_assert_true(key.needs_shift == (strchr("~!@#$%^&*()_+{}|:\"<>?", symbol) ||
                                          g_ascii_isupper(symbol)));
    }
    g_assert_true(keymap_lookup(map, 0xffb7, &key)); /* KP_7 */
    g_assert_cmpint(key.key, ==, Q_KEY_CODE_KP_7);
    g_assert_false(keymap_lookup(map, 0, &key));
    g_assert_false(keymap_lookup(map, 0xe9, &key));
}

/* The host's, by xkbcommon: what is printed on those keyboards. */
static void test_keymaps_of_host(void)
{
    static const struct {
        const char *map;
        uint32_t symbol;
        KeymapKey key;
    } rows[] = {
        { "de", 'z', { Q_KEY_CODE_Y } }, { "de", 'Y', { Q_KEY_CODE_Z, true } },
        { "de", 0xe4, { Q_KEY_CODE_APOSTROPHE } }, { "de", '/', { Q_KEY_CODE_7, true } },
        { "de", '@', { Q_KEY_CODE_Q, .needs_altgr = true } },
        { "de", 0x20ac, { Q_KEY_CODE_E, .needs_altgr = true } },
        { "de", '<', { Q_KEY_CODE_LESS } }, { "fr", 'a', { Q_KEY_CODE_Q } },
        { "fr", '1', { Q_KEY_CODE_1, true } }, { "fr", '{', { Q_KEY_CODE_4, .needs_altgr = true } },
        { "en-gb", '#', { Q_KEY_CODE_BACKSLASH } }, { "sv", 0xe5, { Q_KEY_CODE_BRACKET_LEFT } },
        { "ru", 0x6d1, { Q_KEY_CODE_Z } }, { "de", 0xff0d, { Q_KEY_CODE_RET } },
        { "de", 0xffb7, { Q_KEY_CODE_KP_7 } }, { "de", 0xffe1, { Q_KEY_CODE_SHIFT } },
    };
    g_auto(GStrv) names = g_strsplit(keymap_names_of_host(), " ", -1); /* the first is "" */

    if (!*names) {
        g_test_skip("built without xkbcommon");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        KeymapKey key = { 0 };

        g_assert_true(keymap_lookup(keymap_find(rows[i].map, NULL), rows[i].symbol, &key));
        g_assert_cmpint(key.key, ==, rows[i].key.key);
        g_assert_true(key.needs_altgr == rows[i].key.needs_altgr);
    }
    for (char **name = names + 1; *name; name++) {
        KeymapKey key;

        g_assert_true(keymap_lookup(keymap_find(*name, NULL), ' ', &key));
        g_assert_cmpint(key.key, ==, Q_KEY_CODE_SPC);
    }
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    seen = g_string_new(NULL);
    g_test_add_func("/input/focus", test_focus);
    g_test_add_func("/input/screens", test_screens);
    g_test_add_func("/input/keymap", test_keymap);
    g_test_add_func("/input/keymaps-of-host", test_keymaps_of_host);
    g_test_add_func("/input/send-event", test_send_event);
    g_test_add_func("/input/leds", test_leds);
    g_test_add_func("/input/codes", test_codes);
    status = g_test_run();
    g_string_free(seen, TRUE);
    return status;
}
