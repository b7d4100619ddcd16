/*
 * Tests of -chardev's options and of the old forms: what they turn into, what is refused and how.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "chardev/options.h"
#include "chardev/probe.h"
#include "util/keyval.h"

/* In the order of the QAPI type's members. */
static const struct {
    const char *spec, *json;
} specs[] = {
    { "null", "{\"type\":\"null\",\"data\":{}}" },
    { "pty", "{\"type\":\"pty\",\"data\":{}}" },
    { "stdio", "{\"type\":\"stdio\",\"data\":{}}" },
    { "mon:stdio", "{\"type\":\"stdio\",\"data\":{\"signal\":false}}" },
    { "file:/a,b", "{\"type\":\"file\",\"data\":{\"out\":\"/a,b\"}}" },
    { "pipe:/p", "{\"type\":\"pipe\",\"data\":{\"device\":\"/p\"}}" },
    { "/dev/ttyS0", "{\"type\":\"serial\",\"data\":{\"device\":\"/dev/ttyS0\"}}" },
    { "tcp:h:1", "{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"inet\",\"data\":{"
      "\"host\":\"h\",\"port\":\"1\"}},\"server\":false}}" },
    { "tcp::1,server", "{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"inet\",\"data\":{"
      "\"host\":\"\",\"port\":\"1\"}},\"server\":true,\"wait\":true}}" },
    { "tcp:[::1]:1,nodelay,server=on,wait=off", "{\"type\":\"socket\",\"data\":{\"addr\":{"
      "\"type\":\"inet\",\"data\":{\"host\":\"::1\",\"port\":\"1\"}},\"server\":true,"
      "\"wait\":false,\"nodelay\":true}}" },
    { "telnet:h:1,server,nowait", "{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"inet\","
      "\"data\":{\"host\":\"h\",\"port\":\"1\"}},\"server\":true,\"wait\":false,"
      "\"telnet\":true}}" },
    { "websocket:h:1,server=on", "{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"inet\","
      "\"data\":{\"host\":\"h\",\"port\":\"1\"}},\"server\":true,\"wait\":true,"
      "\"websocket\":true}}" },
    { "unix:/a,,b,reconnect=3", "{\"type\":\"socket\",\"data\":{\"addr\":{\"type\":\"unix\","
      "\"data\":{\"path\":\"/a,b\"}},\"server\":false,\"reconnect\":3}}" },
    { "udp:h:1@l:2", "{\"type\":\"udp\",\"data\":{\"remote\":{\"type\":\"inet\",\"data\":{"
      "\"host\":\"h\",\"port\":\"1\"}},\"local\":{\"type\":\"inet\",\"data\":{"
      "\"host\":\"l\",\"port\":\"2\"}}}}" },
    { "udp::1", "{\"type\":\"udp\",\"data\":{\"remote\":{\"type\":\"inet\",\"data\":{"
      "\"host\":\"localhost\",\"port\":\"1\"}}}}" },
};

static void test_specs(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        bool is_monitor;
        Error *err = NULL;
        json_object *options = chardev_spec_parse(specs[i].spec, &is_monitor, &err);
        ChardevBackend *backend;
        json_object *json;

        g_assert_null(err);
        g_assert_cmpint(is_monitor, ==, g_str_has_prefix(specs[i].spec, "mon:"));
        backend = chardev_options_parse(options, &err);
        g_assert_null(err);
        json = chardev_backend_to_json(backend);
        g_assert_cmpstr(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
                                                       JSON_C_TO_STRING_NOSLASHESCAPE), ==,
                        specs[i].json);
        json_unref(json);
        chardev_backend_free(backend);
        json_unref(options);
    }
}

static const struct {
    const char *spec, *text;
} bad_specs[] = {
    { "", "'' is not a valid char driver" },
    { "no", "'no' is not a valid char driver" },
    { "foo", "'foo' is not a valid char driver" },
    { "ringbuf", "'ringbuf' is not a valid char driver" },
    { "/none", "'/none' is not a valid char driver" },
    { "mon:foo", "'foo' is not a valid char driver" },
    { "file:", "Could not open '': No such file or directory" },
    { "tcp:", "'' is not of the form HOST:PORT" },
    { "tcp:x", "'x' is not of the form HOST:PORT" },
    { "tcp:x:", "'x:' is not of the form HOST:PORT" },
    { "tcp:[::1:2", "'[::1:2' is not of the form HOST:PORT" },
    { "tcp:127.0.0.1:1,foo=1", "Invalid parameter 'foo'" },
    { "udp:1", "'1' is not of the form HOST:PORT[@HOST:PORT]" },
    { "udp:h:1@2", "'h:1@2' is not of the form HOST:PORT[@HOST:PORT]" },
    { "unix:/none/u", "Failed to connect to '/none/u': No such file or directory" },
    { "unix:", "Unable to parse FD number " },
    { "pipe:/none/p", "Could not open '/none/p': No such file or directory" },
    { "chardev:foo", "Chardev 'foo' not found" },
};

static void test_bad_specs(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_specs); i++) {
        bool wants_monitor;
        Error *err = NULL;

        g_test_message("%s", bad_specs[i].spec);
        g_assert_null(chardev_add_from_spec("serial0", bad_specs[i].spec, &wants_monitor, &err));
        expect_error(err, bad_specs[i].text);
        g_assert_null(chardev_find("serial0"));
    }
    g_assert_true(chardev_spec_is_none("none"));
    g_assert_false(chardev_spec_is_none("null"));
}

static Chardev *add(const char *text, Error **errp)
{
    static const KeyvalSyntax syntax = { .implied_key = "backend" };
    json_object *options = keyval_parse(text, &syntax, NULL);
    Chardev *chr;

    g_assert_nonnull(options);
    chr = chardev_add_from_options(options, errp);
    json_unref(options);
    return chr;
}

/* The texts are the peer's. */
static const struct {
    const char *options, *text;
} bad_options[] = {
    { "foo,id=x", "'foo' is not a valid char driver name" },
    { "null", "chardev: no id specified" },
    { "null,id=1x", "Parameter 'id' expects an identifier" },
    { "null,id=there", "Duplicate ID 'there' for chardev" },
    { "null,id=a,foo=1", "Invalid parameter 'foo'" },
    { "null,id=a,mux=maybe", "Parameter 'mux' expects 'on' or 'off'" },
    { "null,id=a,logfile=/none/x", "Could not create '/none/x': No such file or directory" },
    { "socket,id=a", "Unable to parse FD number " },
    { "socket,id=a,path=/tmp/none/none",
      "Failed to connect to '/tmp/none/none': No such file or directory" },
    { "socket,id=a,path=/x,host=h,port=3",
      "None or one of 'path', 'fd' or 'host' option required." },
    { "socket,id=a,host=127.0.0.1", "chardev: socket: no port given" },
    { "socket,id=a,fd=7777", "File descriptor '7777' is not a socket" },
    { "socket,id=a,path=/a,reconnect=1,server=on",
      "'reconnect' option is incompatible with socket in server listen mode" },
    { "socket,id=a,path=/a,wait=off",
      "'wait' option is incompatible with socket in client connect mode" },
    { "socket,id=a,path=/a,websocket=on", "Websocket client is not implemented" },
    { "socket,id=a,host=127.0.0.1,port=9,ipv4=off,ipv6=off",
      "Cannot disable IPv4 and IPv6 at same time" },
    { "file,id=a", "chardev: file: no filename given" },
    { "file,id=a,path=/nodir/x", "Could not open '/nodir/x': No such file or directory" },
    { "pipe,id=a", "chardev: pipe: no device path given" },
    { "udp,id=a", "chardev: udp: remote port not specified" },
    { "ringbuf,id=a,size=3", "size of ringbuf chardev must be power of two" },
    { "ringbuf,id=a,size=x", "Parameter 'size' expects a non-negative number below 2^64" },
    { "serial,id=a", "chardev: serial/tty: no device path given" },
    { "mux,id=a", "chardev: mux: no chardev given" },
    { "mux,id=a,chardev=zz", "mux: base chardev zz not found" },
};

static void test_bad_options(void)
{
    g_assert_nonnull(add("null,id=there", NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad_options); i++) {
        Error *err = NULL;

        g_test_message("%s", bad_options[i].options);
        g_assert_null(add(bad_options[i].options, &err));
        expect_error(err, bad_options[i].text);
        g_assert_null(chardev_find("a"));
    }
    remove_ok("there");
}

static void test_mux_option(void)
{
    Error *err = NULL;
    bool wants_monitor = false;

    g_assert_nonnull(add("null,id=m,mux=on", &err));
    g_assert_true(chardev_is_mux(chardev_find("m")));
    g_assert_nonnull(chardev_find("m-base"));
    remove_ok("m");
    remove_ok("m-base");
    g_assert_nonnull(chardev_add_from_spec("serial0", "mon:null", &wants_monitor, &err));
    g_assert_true(wants_monitor);
    g_assert_true(chardev_is_mux(chardev_find("serial0")));
    g_assert_true(chardev_add_from_spec("x", "chardev:serial0", &wants_monitor, &err) ==
                  chardev_find("serial0"));
    g_assert_false(wants_monitor);
    remove_ok("serial0");
    remove_ok("serial0-base");
    g_assert_null(chardev_add_from_spec("serial0", "mon:null", NULL, &err));
    expect_error(err, "'mon:null': a monitor cannot be multiplexed here");
}

static void test_hub_option(void)
{
    Error *err = NULL;

    g_assert_nonnull(add("null,id=a", &err));
    g_assert_nonnull(add("ringbuf,id=b,size=4K", &err));
    g_assert_nonnull(add("hub,id=h,chardevs.0=a,chardevs.1=b", &err));
    g_assert_null(err);
    remove_ok("h");
    remove_ok("a");
    remove_ok("b");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spec/specs", test_specs);
    g_test_add_func("/spec/bad-specs", test_bad_specs);
    g_test_add_func("/spec/bad-options", test_bad_options);
    g_test_add_func("/spec/mux-option", test_mux_option);
    g_test_add_func("/spec/hub-option", test_hub_option);
    return g_test_run();
}
