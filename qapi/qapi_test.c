/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qapi/qapi-types-char.h"
#include "qapi/qapi-types-sockets.h"

static json_object *parse(const char *text)
{
    json_object *value = NULL;
    g_autofree char *why = NULL;

    if (!json_parse(text, strlen(text), &value, &why)) {
        g_error("%s: %s", text, why);
    }
    return value;
}

static void test_round_trip(void)
{
    const char *text = "{\"type\": \"socket\", \"data\": {\"logfile\": \"f\", \"addr\": {\"type\": "
                       "\"unix\", \"data\": {\"path\": \"p\", \"abstract\": false}}}}";
    g_autoptr(JsonObject) in = parse(text);
    g_autoptr(ChardevBackend) backend = chardev_backend_from_json(in, QAPI_TYPED, NULL);
    g_autoptr(ChardevBackend) copy = chardev_backend_clone(backend);
    g_autoptr(JsonObject) out = chardev_backend_to_json(copy);
    g_autofree char *result = json_to_string(out);

    g_assert_cmpstr(result, ==, text);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qapi/round-trip", test_round_trip);
    return g_test_run();
}
