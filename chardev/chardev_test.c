/*
 * Tests of chardevs that need no socket: files, pipes, terminals, buffers, multiplexers, hubs,
 * logs, changing, removing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "chardev/probe.h"
#include "qapi/qapi-commands-char.h"
#include "util/fdset.h"

static char *folder;

static void expect_file(const char *path, const char *expected)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void test_frontends(void)
{
    Chardev *chr = try_add("n", "{'type': 'null', 'data': {}}");
    CharFrontend second = { 0 };
    Error *err = NULL;
    Probe p;

    probe_init(&p, chr);
    g_assert_cmpstr(chardev_label(chr), ==, "n");
    g_assert_false(char_frontend_attach(&second, chr, &err));
    expect_error(err, "Device 'n' is in use");
    err = NULL;
    g_assert_false(chardev_remove("n", &err));
    expect_error(err, "Chardev 'n' is busy");
    err = NULL;
    chardev_send_break(chr);
    g_assert_cmpstr(p.events->str, ==, "B");
    g_assert_cmpint(char_frontend_write(&p.fe, "abc", 3), ==, 3);
    g_assert_false(char_frontend_send_fds(&p.fe, NULL, 0));
    probe_clear(&p);
    g_assert_true(char_frontend_attach(&second, chr, NULL));
    char_frontend_detach(&second);
    char_frontend_detach(&second);
    g_assert_cmpint(char_frontend_write(&second, "abc", 3), ==, 3);
    remove_ok("n");
    g_assert_false(chardev_remove("n", &err));
    expect_error(err, "Chardev 'n' not found");
}

static void test_ids(void)
{
    g_assert_nonnull(try_add("n", "{'type': 'null', 'data': {}}"));
    add_fails("n", "{'type': 'null', 'data': {}}", "Chardev with id 'n' already exists");
    add_fails("1n", "{'type': 'null', 'data': {}}", "Parameter 'id' expects an identifier");
    add_fails("a/b", "{'type': 'null', 'data': {}}", "Parameter 'id' expects an identifier");
    remove_ok("n");
}

static void test_file(void)
{
    g_autofree char *out = g_strconcat(folder, "/out", NULL);
    g_autofree char *in = g_strconcat(folder, "/in", NULL);
    Probe p;

    g_assert_true(g_file_set_contents(in, "from a file", -1, NULL));
    probe_init(&p, try_add("f", "{'type': 'file', 'data': {'out': '%s', 'in': '%s'}}", out, in));
    probe_wait(p.bytes, "from a file");
    probe_wait(p.events, "OC");
    g_assert_true(char_frontend_write_all(&p.fe, "one", 3));
    probe_clear(&p);
    remove_ok("f");
    expect_file(out, "one");
    probe_init(&p, try_add("f", "{'type': 'file', 'data': {'out': '%s', 'append': true}}", out));
    char_frontend_printf(&p.fe, " %d", 2);
    probe_clear(&p);
    remove_ok("f");
    expect_file(out, "one 2");
    add_fails("f", "{'type': 'file', 'data': {'out': '/none/x'}}",
              "Could not open '/none/x': No such file or directory");
    unlink(out);
    unlink(in);
}

static void test_log(void)
{
    g_autofree char *log = g_strconcat(folder, "/log", NULL);

    for (int i = 0; i < 2; i++) {
        Probe p;

        probe_init(&p, try_add("n", "{'type': 'null', 'data': {'logfile': '%s', "
                               "'logappend': true}}", log));
        char_frontend_write_all(&p.fe, "kept.", 5);
        probe_clear(&p);
        remove_ok("n");
    }
    expect_file(log, "kept.kept.");
    add_fails("n", "{'type': 'null', 'data': {'logfile': '/none/q'}}",
              "Could not create '/none/q': No such file or directory");
    unlink(log);
}

static void test_fdset(void)
{
    g_autofree char *path = g_strconcat(folder, "/set", NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int64_t id = fdset_add(-1, fd, "for a test");
    Probe p;

    g_assert_cmpint(id, ==, 0);
    probe_init(&p, try_add("f", "{'type': 'file', 'data': {'out': '/dev/fdset/%d', "
                           "'append': true, 'logfile': '/dev/fdset/0', 'logappend': true}}", 0));
    char_frontend_write_all(&p.fe, "x", 1);
    probe_clear(&p);
    remove_ok("f");
    expect_file(path, "xx");
    add_fails("f", "{'type': 'pipe', 'data': {'device': '/dev/fdset/0'}}",
              "Could not open '/dev/fdset/0': Permission denied");
    add_fails("f", "{'type': 'file', 'data': {'out': '/dev/fdset/9'}}",
              "Could not open '/dev/fdset/9': No such file or directory");
    add_fails("f", "{'type': 'file', 'data': {'out': '/dev/fdset/x'}}",
              "Could not open '/dev/fdset/x': Invalid argument");
    g_assert_true(fdset_remove(0, -1));
    g_assert_false(fdset_remove(0, -1));
    g_assert_cmpint(fcntl(fd, F_GETFD), ==, -1);
    unlink(path);
}

static void test_pipe(void)
{
    g_autofree char *path = g_strconcat(folder, "/p", NULL);
    g_autofree char *in = g_strconcat(path, ".in", NULL);
    g_autofree char *out = g_strconcat(path, ".out", NULL);
    char bytes[8] = "";
    int fd;
    Probe p;

    g_assert_cmpint(mkfifo(in, 0600), ==, 0);
    g_assert_cmpint(mkfifo(out, 0600), ==, 0);
    probe_init(&p, try_add("p", "{'type': 'pipe', 'data': {'device': '%s'}}", path));
    fd = open(in, O_WRONLY);
    g_assert_cmpint(write(fd, "ping", 4), ==, 4);
    close(fd);
    probe_wait(p.bytes, "ping");
    fd = open(out, O_RDONLY);
    char_frontend_write_all(&p.fe, "pong", 4);
    g_assert_cmpint(read(fd, bytes, 4), ==, 4);
    g_assert_cmpstr(bytes, ==, "pong");
    close(fd);
    probe_clear(&p);
    remove_ok("p");
    unlink(in);
    unlink(out);
}

static void test_pty(void)
{
    char bytes[8] = "";
    Chardev *chr = try_add("p", "{'type': 'pty', 'data': {}}");
    g_autofree char *filename = chardev_filename(chr);
    int fd;
    Probe p;

    probe_init(&p, chr);
    g_assert_true(g_str_has_prefix(filename, "pty:/dev/pts/"));
    g_assert_cmpstr(filename + 4, ==, chardev_pty_path(chr));
    g_assert_cmpint(char_frontend_write(&p.fe, "lost", 4), ==, 4);
    for (int i = 0; i < 2; i++) {
        fd = open(chardev_pty_path(chr), O_RDWR | O_NOCTTY);
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(write(fd, "a\n", 2), ==, 2);
        probe_wait(p.events, i ? "OCO" : "O");
        probe_wait(p.bytes, i ? "a\na\n" : "a\n");
        char_frontend_write_all(&p.fe, "b\n", 2);
        g_assert_cmpint(read(fd, bytes, 8), ==, 2);
        g_assert_cmpstr(bytes, ==, "b\n");
        close(fd);
        probe_wait(p.events, i ? "OCOC" : "OC");
    }
    probe_clear(&p);
    remove_ok("p");
}

static void read_ring(int64_t size, DataFormat format, const char *expected)
{
    g_autofree char *text = qmp_ringbuf_read("r", size, true, format, NULL);

    g_assert_cmpstr(text, ==, expected);
}

static void write_ring(const char *data, DataFormat format)
{
    g_assert_true(qmp_ringbuf_write("r", data, true, format, NULL));
}

static void test_ringbuf(void)
{
    Error *err = NULL;

    g_assert_nonnull(try_add("r", "{'type': 'memory', 'data': {'size': 8}}"));
    g_assert_nonnull(try_add("n", "{'type': 'null', 'data': {}}"));
    read_ring(100, DATA_FORMAT_UTF8, "");
    write_ring("hello", DATA_FORMAT_UTF8);
    write_ring("world!", DATA_FORMAT_UTF8);
    read_ring(3, DATA_FORMAT_UTF8, "low");
    read_ring(100, DATA_FORMAT_UTF8, "orld!");
    write_ring("AP/+", DATA_FORMAT_BASE64);
    read_ring(100, DATA_FORMAT_BASE64, "AP/+");
    write_ring("YQD/Yg==", DATA_FORMAT_BASE64);
    read_ring(100, DATA_FORMAT_UTF8, "a\xef\xbf\xbd\xef\xbf\xbd" "b");
    g_assert_false(qmp_ringbuf_write("r", "%%%", true, DATA_FORMAT_BASE64, &err));
    expect_error(err, "Base64 data contains invalid characters");
    err = NULL;
    g_assert_null(qmp_ringbuf_read("r", 0, false, 0, &err));
    expect_error(err, "size must be greater than zero");
    err = NULL;
    g_assert_null(qmp_ringbuf_read("z", 1, false, 0, &err));
    expect_error(err, "Device 'z' not found");
    err = NULL;
    g_assert_null(qmp_ringbuf_read("n", 1, false, 0, &err));
    expect_error(err, "n is not a ringbuf device");
    add_fails("x", "{'type': 'ringbuf', 'data': {'size': 3}}",
              "size of ringbuf chardev must be power of two");
    add_fails("x", "{'type': 'ringbuf', 'data': {'size': -8}}",
              "size of ringbuf chardev must be power of two");
    remove_ok("r");
    remove_ok("n");
}

/* A line whose other end is in our hands: PATH as a single pipe would echo, so two are used. */
typedef struct Line {
    int to, from;
    char *path;
} Line;

static void line_init(Line *line, const char *id)
{
    g_autofree char *in = NULL;
    g_autofree char *out = NULL;

    line->path = g_strconcat(folder, "/", id, NULL);
    in = g_strconcat(line->path, ".in", NULL);
    out = g_strconcat(line->path, ".out", NULL);
    g_assert_cmpint(mkfifo(in, 0600), ==, 0);
    g_assert_cmpint(mkfifo(out, 0600), ==, 0);
    line->to = open(in, O_RDWR);
    line->from = open(out, O_RDWR | O_NONBLOCK);
    g_assert_nonnull(try_add(id, "{'type': 'pipe', 'data': {'device': '%s'}}", line->path));
    unlink(in);
    unlink(out);
}

static void line_clear(Line *line)
{
    close(line->to);
    close(line->from);
    g_free(line->path);
}

static void line_type(Line *line, const char *keys)
{
    g_assert_cmpint(write(line->to, keys, strlen(keys)), ==, strlen(keys));
}

static void line_expect(Line *line, const char *expected)
{
    char bytes[1024];
    ssize_t n = read(line->from, bytes, sizeof(bytes) - 1);

    g_assert_cmpint(n, >=, 0);
    bytes[n] = 0;
    g_assert_cmpstr(bytes, ==, expected);
}

static unsigned quits;

static void count_quit(void)
{
    quits++;
}

static void test_mux(void)
{
    static const ChardevMuxActions actions = { .quit = count_quit };
    Chardev *mux;
    Probe a, b;
    Line line;

    line_init(&line, "l");
    mux = try_add("m", "{'type': 'mux', 'data': {'chardev': 'l'}}");
    probe_init(&a, mux);
    probe_init(&b, mux);
    g_assert_true(chardev_is_mux(mux));
    g_assert_false(chardev_has_own_context(mux));
    line_type(&line, "to b\x01\x01");
    probe_wait(b.bytes, "to b\x01");
    line_type(&line, "\x01" "cto a");
    probe_wait(a.bytes, "to a");
    g_assert_cmpint(b.events->str[b.events->len - 1], ==, 'U');
    g_assert_cmpint(a.events->str[a.events->len - 1], ==, 'I');
    line_type(&line, "\x01" "b!");
    probe_wait(a.bytes, "to a!");
    g_assert_cmpint(a.events->str[a.events->len - 1], ==, 'B');
    char_frontend_write_all(&a.fe, "A", 1);
    char_frontend_write_all(&b.fe, "B", 1);
    line_expect(&line, "AB");
    chardev_set_mux_actions(&actions);
    line_type(&line, "\x01x.");
    probe_wait(a.bytes, "to a!.");
    g_assert_cmpuint(quits, ==, 1);
    line_expect(&line, "QEMU: Terminated\r\n");
    chardev_set_mux_actions(NULL);
    probe_clear(&a);
    line_type(&line, "b again");
    probe_wait(b.bytes, "to b\x01" "b again");
    probe_clear(&b);
    remove_ok("m");
    remove_ok("l");
    line_clear(&line);
}

/* A front end without room does not keep Ctrl-a from working. */
static void test_mux_full(void)
{
    Chardev *mux;
    Probe a, b;
    Line line;

    line_init(&line, "l");
    mux = try_add("m", "{'type': 'mux', 'data': {'chardev': 'l'}}");
    probe_init(&a, mux);
    probe_init(&b, mux);
    b.room = 0;
    line_type(&line, "waits\x01" "cseen");
    probe_wait(a.bytes, "seen");
    g_assert_cmpuint(b.bytes->len, ==, 0);
    b.room = 100;
    char_frontend_accept_input(&b.fe);
    probe_wait(b.bytes, "waits");
    probe_clear(&a);
    probe_clear(&b);
    remove_ok("m");
    remove_ok("l");
    line_clear(&line);
}

static void test_mux_refusals(void)
{
    Error *err = NULL;

    add_fails("m", "{'type': 'mux', 'data': {'chardev': 'zz'}}", "mux: base chardev zz not found");
    g_assert_nonnull(try_add("n", "{'type': 'null', 'data': {}}"));
    g_assert_nonnull(try_add("m", "{'type': 'mux', 'data': {'chardev': 'n'}}"));
    add_fails("m2", "{'type': 'mux', 'data': {'chardev': 'n'}}", "Device 'n' is in use");
    g_assert_false(chardev_remove("n", &err));
    expect_error(err, "Chardev 'n' is busy");
    remove_ok("m");
    remove_ok("n");
}

static void test_hub(void)
{
    Line one, two;
    Probe p;

    line_init(&one, "one");
    line_init(&two, "two");
    probe_init(&p, try_add("h", "{'type': 'hub', 'data': {'chardevs': ['one', 'two']}}"));
    g_assert_cmpstr(p.events->str, ==, "O");
    line_type(&one, "1");
    probe_wait(p.bytes, "1");
    line_type(&two, "2");
    probe_wait(p.bytes, "12");
    g_assert_true(char_frontend_write_all(&p.fe, "both", 4));
    line_expect(&one, "both");
    line_expect(&two, "both");
    probe_clear(&p);
    remove_ok("h");
    add_fails("h", "{'type': 'hub', 'data': {'chardevs': []}}", "hub: expects 1 to 4 chardevs");
    add_fails("h", "{'type': 'hub', 'data': {'chardevs': ['one', 'one']}}",
              "Device 'one' is in use");
    add_fails("h", "{'type': 'hub', 'data': {'chardevs': ['one', 'zz']}}",
              "hub: chardev 'zz' not found");
    remove_ok("one");
    remove_ok("two");
    line_clear(&one);
    line_clear(&two);
}

static Chardev *change(const char *id, const char *json, Error **errp)
{
    ChardevBackend *backend = backend_from(json, NULL);
    Chardev *chr = chardev_change(id, backend, errp);

    chardev_backend_free(backend);
    return chr;
}

static void test_change(void)
{
    Error *err = NULL;
    Chardev *chr;
    Probe p;

    probe_init(&p, try_add("c", "{'type': 'null', 'data': {}}"));
    chr = change("c", "{'type': 'ringbuf', 'data': {}}", &err);
    g_assert_nonnull(chr);
    g_assert_true(chardev_find("c") == chr);
    g_assert_true(char_frontend_chardev(&p.fe) == chr);
    g_assert_cmpuint(p.changes, ==, 1);
    char_frontend_write_all(&p.fe, "new", 3);
    p.refuses_change = true;
    g_assert_null(change("c", "{'type': 'null', 'data': {}}", &err));
    expect_error(err, "probe refuses");
    err = NULL;
    g_assert_true(char_frontend_chardev(&p.fe) == chr);
    g_assert_null(change("c", "{'type': 'file', 'data': {'out': '/none/x'}}", &err));
    expect_error(err, "Could not open '/none/x': No such file or directory");
    err = NULL;
    g_assert_null(change("zz", "{'type': 'null', 'data': {}}", &err));
    expect_error(err, "Chardev 'zz' does not exist");
    g_assert_true(char_frontend_chardev(&p.fe) == chr);
    probe_clear(&p);
    remove_ok("c");
}

static void test_query(void)
{
    ChardevBackendInfoArray *kinds = qmp_query_chardev_backends(NULL);
    ChardevInfoArray *list;
    Probe p;

    probe_init(&p, try_add("q", "{'type': 'null', 'data': {}}"));
    list = qmp_query_chardev(NULL);
    g_assert_cmpuint(list->count, ==, 1);
    g_assert_cmpstr(list->items[0]->label, ==, "q");
    g_assert_cmpstr(list->items[0]->filename, ==, "null");
    g_assert_true(list->items[0]->frontend_open);
    g_assert_cmpuint(kinds->count, ==, 13);
    chardev_info_array_free(list);
    chardev_backend_info_array_free(kinds);
    probe_clear(&p);
    remove_ok("q");
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("chardev-XXXXXX", NULL);
    g_test_add_func("/chardev/frontends", test_frontends);
    g_test_add_func("/chardev/ids", test_ids);
    g_test_add_func("/chardev/file", test_file);
    g_test_add_func("/chardev/log", test_log);
    g_test_add_func("/chardev/fdset", test_fdset);
    g_test_add_func("/chardev/pipe", test_pipe);
    g_test_add_func("/chardev/pty", test_pty);
    g_test_add_func("/chardev/ringbuf", test_ringbuf);
    g_test_add_func("/chardev/mux", test_mux);
    g_test_add_func("/chardev/mux-full", test_mux_full);
    g_test_add_func("/chardev/mux-refusals", test_mux_refusals);
    g_test_add_func("/chardev/hub", test_hub);
    g_test_add_func("/chardev/change", test_change);
    g_test_add_func("/chardev/query", test_query);
    ret = g_test_run();
    chardev_cleanup();
    rmdir(folder);
    g_free(folder);
    return ret;
}
