/*
 * Tests of chardev-socket: peers that come and go, descriptors, telnet and WebSocket lines.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "chardev/probe.h"

static char *folder;

static int connect_unix(const char *path)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(name.sun_path, path, sizeof(name.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&name, sizeof(name)), ==, 0);
    return fd;
}

static int connect_tcp(unsigned port)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port),
                                .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *)&name, sizeof(name)), ==, 0);
    return fd;
}

/* Turns the main loop till `size` bytes came, and compares. */
static void expect_bytes(int fd, const void *expected, size_t size)
{
    uint8_t bytes[512];
    size_t have = 0;

    g_assert_cmpuint(size, <=, sizeof(bytes));
    while (have < size) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ssize_t n;

        g_main_context_iteration(NULL, FALSE);
        if (poll(&p, 1, 1) == 1) {
            n = read(fd, bytes + have, size - have);
            g_assert_cmpint(n, >, 0);
            have += n;
        }
    }
    g_assert_cmpmem(bytes, have, expected, size);
}

static void expect_end(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char byte;

    while (poll(&p, 1, 1) == 0) {
        g_main_context_iteration(NULL, FALSE);
    }
    g_assert_cmpint(read(fd, &byte, 1), ==, 0);
}

static void send_bytes(int fd, const void *bytes, size_t size)
{
    g_assert_cmpint(write(fd, bytes, size), ==, size);
}

static void expect_filename(Chardev *chr, const char *expected)
{
    g_autofree char *name = chardev_filename(chr);

    g_assert_cmpstr(name, ==, expected);
}

static unsigned port_of(Chardev *chr)
{
    g_autofree char *name = chardev_filename(chr);
    char *comma = strchr(name, ',');

    if (comma) {
        *comma = 0;
    }
    return atoi(strrchr(name, ':') + 1);
}

static Chardev *add_server(const char *more)
{
    return try_add("s", "{'type': 'socket', 'data': {'addr': {'type': 'inet', 'data': "
                   "{'host': '127.0.0.1', 'port': '0'}}, 'server': true%s}}", more);
}

static void test_unix_server(void)
{
    g_autofree char *path = g_strconcat(folder, "/server", NULL);
    g_autofree char *idle = g_strdup_printf("disconnected:unix:%s,server=on", path);
    g_autofree char *busy = g_strdup_printf("unix:%s,server=on", path);
    Chardev *chr = try_add("s", "{'type': 'socket', 'data': {'addr': {'type': 'unix', 'data': "
                           "{'path': '%s'}}, 'wait': false}}", path);
    Probe p;
    int fd, second;

    probe_init(&p, chr);
    expect_filename(chr, idle);
    g_assert_cmpstr(p.events->str, ==, "");
    g_assert_cmpint(char_frontend_write(&p.fe, "lost", 4), ==, 4);
    fd = connect_unix(path);
    probe_wait(p.events, "O");
    expect_filename(chr, busy);
    send_bytes(fd, "hello", 5);
    probe_wait(p.bytes, "hello");
    char_frontend_printf(&p.fe, "to %s", "you");
    expect_bytes(fd, "to you", 6);
    second = connect_unix(path);
    send_bytes(second, " again", 6);
    close(fd);
    probe_wait(p.events, "OCO");
    probe_wait(p.bytes, "hello again");
    char_frontend_disconnect(&p.fe);
    probe_wait(p.events, "OCOC");
    expect_end(second);
    close(second);
    probe_clear(&p);
    remove_ok("s");
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void test_no_room(void)
{
    Chardev *chr = add_server("");
    Probe p;
    int fd;

    probe_init(&p, chr);
    p.room = 0;
    fd = connect_tcp(port_of(chr));
    probe_wait(p.events, "O");
    send_bytes(fd, "abcdef", 6);
    close(fd);
    for (int i = 0; i < 5; i++) {
        g_main_context_iteration(NULL, FALSE);
    }
    g_assert_cmpuint(p.bytes->len, ==, 0);
    p.room = 4;
    char_frontend_accept_input(&p.fe);
    /* What the peer sent before it left still comes, as the room allows. */
    probe_wait(p.events, "OC");
    g_assert_cmpstr(p.bytes->str, ==, "abcdef");
    probe_clear(&p);
    remove_ok("s");
}

static void test_without_frontend(void)
{
    Chardev *chr = add_server("");
    int fd = connect_tcp(port_of(chr));

    while (!chr->is_open) {
        g_main_context_iteration(NULL, TRUE);
    }
    send_bytes(fd, "x", 1);
    shutdown(fd, SHUT_RDWR);
    chardev_ops(chr)->disconnect(chr);
    while (chr->is_open) {
        g_main_context_iteration(NULL, TRUE);
    }
    close(fd);
    remove_ok("s");
}

static void test_back_pressure(void)
{
    static uint8_t bytes[1 << 20];
    Chardev *chr = add_server("");
    size_t sent = 0;
    ssize_t n;
    Probe p;
    int fd;

    probe_init(&p, chr);
    fd = connect_tcp(port_of(chr));
    probe_wait(p.events, "O");
    do {
        n = char_frontend_write(&p.fe, bytes, sizeof(bytes));
        g_assert_cmpint(n, >=, 0);
        sent += n;
    } while (n);
    while (sent) {
        n = read(fd, bytes, MIN(sent, sizeof(bytes)));
        g_assert_cmpint(n, >, 0);
        sent -= n;
    }
    close(fd);
    probe_clear(&p);
    remove_ok("s");
}

static gboolean note_room(void *opaque, GIOCondition condition)
{
    *(bool *)opaque = condition & G_IO_OUT;
    return G_SOURCE_REMOVE;
}

static void test_watch(void)
{
    bool has_room = false;
    Chardev *chr = add_server("");
    GSource *source;
    Probe p;
    int fd;

    probe_init(&p, chr);
    g_assert_null(char_frontend_watch(&p.fe, G_IO_OUT, note_room, &has_room));
    fd = connect_tcp(port_of(chr));
    probe_wait(p.events, "O");
    source = char_frontend_watch(&p.fe, G_IO_OUT, note_room, &has_room);
    g_assert_nonnull(source);
    while (!has_room) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_destroy(source);
    g_source_unref(source);
    close(fd);
    probe_clear(&p);
    remove_ok("s");
}

static void send_fds(int fd, const int *fds, size_t count)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(64 * sizeof(int))];
    } control = { 0 };
    struct iovec iov = { (char *)"x", 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                          .msg_controllen = CMSG_SPACE(count * sizeof(int)) };

    control.head = (struct cmsghdr){ CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
    memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
    g_assert_cmpint(sendmsg(fd, &msg, 0), ==, 1);
}

static void test_descriptors(void)
{
    int pair[2], pipe_fds[2], many[40], got[64];
    Chardev *chr;
    size_t count;
    Probe p;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    g_assert_cmpint(pipe(pipe_fds), ==, 0);
    chr = try_add("s", "{'type': 'socket', 'data': {'addr': {'type': 'fd', 'data': "
                  "{'str': '%d'}}, 'server': false}}", pair[0]);
    probe_init(&p, chr);
    g_assert_cmpuint(char_frontend_take_fds(&p.fe, got, 64), ==, 0);
    send_fds(pair[1], &pipe_fds[1], 1);
    probe_wait(p.bytes, "x");
    g_assert_cmpuint(char_frontend_take_fds(&p.fe, got, 64), ==, 1);
    g_assert_cmpuint(char_frontend_take_fds(&p.fe, got + 1, 63), ==, 0);
    send_bytes(got[0], "p", 1);
    expect_bytes(pipe_fds[0], "p", 1);
    close(got[0]);
    /* Too many: those beyond the limit are dropped, the others taken or closed. */
    for (int i = 0; i < 40; i++) {
        many[i] = pipe_fds[1];
    }
    send_fds(pair[1], many, 40);
    probe_wait(p.bytes, "xx");
    count = char_frontend_take_fds(&p.fe, got, 2);
    g_assert_cmpuint(count, ==, 2);
    close(got[0]);
    close(got[1]);
    /* Untaken copies go with the peer: then the pipe's last writer is ours. */
    close(pair[1]);
    probe_wait(p.events, "OC");
    close(pipe_fds[1]);
    expect_end(pipe_fds[0]);
    close(pipe_fds[0]);
    probe_clear(&p);
    remove_ok("s");
}

static void test_send_descriptors(void)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control;
    char byte;
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                          .msg_controllen = sizeof(control) };
    int pair[2], fd;
    Probe p;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    probe_init(&p, try_add("s", "{'type': 'socket', 'data': {'addr': {'type': 'fd', 'data': "
                           "{'str': '%d'}}, 'server': false}}", pair[0]));
    g_assert_true(char_frontend_send_fds(&p.fe, &pair[1], 1));
    g_assert_true(char_frontend_write_all(&p.fe, "y", 1));
    g_assert_cmpint(recvmsg(pair[1], &msg, 0), ==, 1);
    g_assert_cmpuint(control.head.cmsg_len, ==, CMSG_LEN(sizeof(int)));
    memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
    close(fd);
    close(pair[1]);
    probe_clear(&p);
    remove_ok("s");
}

/* A client in front of a listener of ours. */
static void test_reconnect(void)
{
    g_autofree char *path = g_strconcat(folder, "/reconnect", NULL);
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    int fd;
    Probe p;

    g_strlcpy(name.sun_path, path, sizeof(name.sun_path));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&name, sizeof(name)), ==, 0);
    g_assert_cmpint(listen(listener, 5), ==, 0);
    probe_init(&p, try_add("s", "{'type': 'socket', 'data': {'addr': {'type': 'unix', 'data': "
                           "{'path': '%s'}}, 'server': false, 'reconnect-ms': 10}}", path));
    probe_wait(p.events, "O");
    for (int i = 0; i < 3; i++) {
        fd = accept(listener, NULL, NULL);
        g_assert_cmpint(fd, >=, 0);
        send_bytes(fd, "r", 1);
        close(fd);
        probe_wait(p.events, i == 0 ? "OCO" : i == 1 ? "OCOCO" : "OCOCOCO");
    }
    g_assert_cmpuint(p.bytes->len, >=, 3);
    probe_clear(&p);
    remove_ok("s");
    close(listener);
    unlink(path);
}

static void test_refused_then_there(void)
{
    g_autofree char *path = g_strconcat(folder, "/later", NULL);
    Probe p;

    probe_init(&p, try_add("s", "{'type': 'socket', 'data': {'addr': {'type': 'unix', 'data': "
                           "{'path': '%s'}}, 'server': false, 'reconnect-ms': 5}}", path));
    for (int i = 0; i < 4; i++) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpstr(p.events->str, ==, "");
    g_assert_nonnull(try_add("peer", "{'type': 'socket', 'data': {'addr': {'type': 'unix', "
                             "'data': {'path': '%s'}}}}", path));
    probe_wait(p.events, "O");
    probe_clear(&p);
    remove_ok("s");
    remove_ok("peer");
}

static void test_telnet(void)
{
    static const uint8_t greeting[] = { 255, 251, 1, 255, 251, 3, 255, 251, 0, 255, 253, 0 };
    static const uint8_t input[] = { 'a', 255, 253, 1, 'b', 255, 255, 255, 250, 24, 1, 'z', 255,
                                     240, 'c', 255, 243, 'd' };
    Chardev *chr = add_server(", 'telnet': true");
    Probe p;
    int fd;

    probe_init(&p, chr);
    fd = connect_tcp(port_of(chr));
    expect_bytes(fd, greeting, sizeof(greeting));
    probe_wait(p.events, "O");
    for (size_t i = 0; i < sizeof(input); i++) {
        send_bytes(fd, input + i, 1);
    }
    probe_wait(p.events, "OB");
    probe_wait(p.bytes, "ab\xff" "cd");
    char_frontend_write_all(&p.fe, "x\xffy", 3);
    expect_bytes(fd, "x\xff\xffy", 4);
    close(fd);
    probe_clear(&p);
    remove_ok("s");
}

/* The handshake is RFC 6455's own example. */
static const char handshake[] = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\n"
                                "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                "Sec-WebSocket-Protocol: chat, binary\r\n"
                                "Sec-WebSocket-Version: 13\r\n\r\n";
static const char accepted[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                               "Sec-WebSocket-Protocol: binary\r\n\r\n";

static void test_websocket(void)
{
    /* RFC 6455 5.7's masked "Hello" as binary; a ping; a message in two pieces; close. */
    static const uint8_t frames[] = {
        0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        0x89, 0x82, 0, 0, 0, 0, 'p', 'q',
        0x02, 0x81, 0, 0, 0, 0, 'x', 0x80, 0x81, 1, 0, 0, 0, 'y' ^ 1,
    };
    static const uint8_t closing[] = { 0x88, 0x80, 0, 0, 0, 0 };
    static const uint8_t closed[] = { 0x88, 0x02, 0x03, 0xe8 };
    Chardev *chr = add_server(", 'websocket': true");
    Probe p;
    int fd;

    probe_init(&p, chr);
    fd = connect_tcp(port_of(chr));
    send_bytes(fd, handshake, 30);
    for (int i = 0; i < 5; i++) {
        g_main_context_iteration(NULL, FALSE);
    }
    g_assert_cmpstr(p.events->str, ==, "");
    send_bytes(fd, handshake + 30, strlen(handshake) - 30);
    send_bytes(fd, frames, sizeof(frames));
    expect_bytes(fd, accepted, strlen(accepted));
    probe_wait(p.events, "O");
    probe_wait(p.bytes, "Helloxy");
    expect_bytes(fd, "\x8a\x02pq", 4);
    char_frontend_write_all(&p.fe, "Hello", 5);
    expect_bytes(fd, "\x82\x05Hello", 7);
    send_bytes(fd, closing, sizeof(closing));
    expect_bytes(fd, closed, sizeof(closed));
    expect_end(fd);
    probe_wait(p.events, "OC");
    close(fd);
    probe_clear(&p);
    remove_ok("s");
}

static void test_websocket_refused(void)
{
    static const char bad[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    Chardev *chr = add_server(", 'websocket': true");
    Probe p;
    int fd;

    probe_init(&p, chr);
    fd = connect_tcp(port_of(chr));
    send_bytes(fd, bad, strlen(bad));
    expect_bytes(fd, "HTTP/1.1 400 ", 13);
    close(fd);
    fd = connect_tcp(port_of(chr));
    send_bytes(fd, "\r\n\r\n", 4);
    expect_bytes(fd, "HTTP/1.1 400 ", 13);
    close(fd);
    /* An unmasked frame breaks the protocol. */
    fd = connect_tcp(port_of(chr));
    send_bytes(fd, handshake, strlen(handshake));
    expect_bytes(fd, accepted, strlen(accepted));
    send_bytes(fd, "\x82\x05Hello", 7);
    expect_bytes(fd, "\x88\x02\x03\xea", 4);
    expect_end(fd);
    close(fd);
    g_assert_cmpuint(p.bytes->len, ==, 0);
    probe_clear(&p);
    remove_ok("s");
}

static void test_port_range(void)
{
    Chardev *first = add_server("");
    unsigned port = port_of(first);
    Chardev *second = try_add("t", "{'type': 'socket', 'data': {'addr': {'type': 'inet', 'data': "
                              "{'host': '127.0.0.1', 'port': '%u', 'to': %u}}}}", port,
                              MIN(port + 50, 65535));

    g_assert_nonnull(second);
    g_assert_cmpuint(port_of(second), >, port);
    remove_ok("s");
    remove_ok("t");
}

static void test_abstract(void)
{
    g_autofree char *name = g_strdup_printf("chardev-test-%d", getpid());
    g_autofree char *shown = g_strdup_printf("disconnected:unix:%s,abstract=on,tight=on,server=on",
                                             name);
    Chardev *chr = try_add("s", "{'type': 'socket', 'data': {'addr': {'type': 'unix', 'data': "
                           "{'path': '%s', 'abstract': true}}}}", name);
    Probe p;

    expect_filename(chr, shown);
    probe_init(&p, try_add("c", "{'type': 'socket', 'data': {'addr': {'type': 'unix', 'data': "
                           "{'path': '%s', 'abstract': true}}, 'server': false}}", name));
    g_assert_cmpstr(p.events->str, ==, "O");
    probe_clear(&p);
    remove_ok("c");
    remove_ok("s");
}

#define SOCKET(addr, more) "{'type': 'socket', 'data': {'addr': " addr more "}}"
#define UNIX(path) "{'type': 'unix', 'data': {'path': '" path "'}}"
#define INET(port, more) "{'type': 'inet', 'data': {'host': '127.0.0.1', 'port': '" port "'" more "}}"
#define FD(text) "{'type': 'fd', 'data': {'str': '" text "'}}"
#define CLIENT ", 'server': false"

/* The texts are the peer's. */
static const struct {
    const char *json, *text;
} refusals[] = {
    { SOCKET(UNIX("/none/x"), CLIENT),
      "Failed to connect to '/none/x': No such file or directory" },
    { SOCKET(UNIX("/none/x"), ""),
      "Failed to bind socket to /none/x: No such file or directory" },
    { SOCKET(FD("7777"), CLIENT), "File descriptor '7777' is not a socket" },
    { SOCKET(FD(""), CLIENT), "Unable to parse FD number " },
    { SOCKET(INET("1", ", 'ipv4': false, 'ipv6': false"), CLIENT),
      "Cannot disable IPv4 and IPv6 at same time" },
    { SOCKET(INET("http99", ""), CLIENT),
      "address resolution failed for 127.0.0.1:http99: Servname not supported for ai_socktype" },
    { SOCKET(UNIX("/x"), ", 'reconnect': 1"),
      "'reconnect' option is incompatible with socket in server listen mode" },
    { SOCKET(UNIX("/x"), CLIENT ", 'wait': false"),
      "'wait' option is incompatible with socket in client connect mode" },
    { SOCKET(UNIX("/x"), CLIENT ", 'websocket': true"), "Websocket client is not implemented" },
    { SOCKET(UNIX("/x"), ", 'tls-creds': 'c'"),
      "TLS ('tls-creds') is not supported for character devices" },
    { SOCKET(UNIX("/x"), CLIENT ", 'reconnect': -1"),
      "Parameter 'reconnect' expects 0 to 86400 seconds" },
};

static void test_refusals(void)
{
    g_autofree char *many = g_strnfill(200, 'x');
    g_autofree char *json = g_strdup_printf("{'type': 'socket', 'data': {'addr': {'type': 'unix', "
                                            "'data': {'path': '%s'}}}}", many);
    g_autofree char *text = g_strdup_printf("UNIX socket path '%s' is too long", many);

    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        add_fails("s", refusals[i].json, refusals[i].text);
        g_assert_null(chardev_find("s"));
    }
    add_fails("s", json, text);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("chardev-XXXXXX", NULL);
    g_test_add_func("/socket/unix-server", test_unix_server);
    g_test_add_func("/socket/no-room", test_no_room);
    g_test_add_func("/socket/without-frontend", test_without_frontend);
    g_test_add_func("/socket/back-pressure", test_back_pressure);
    g_test_add_func("/socket/watch", test_watch);
    g_test_add_func("/socket/descriptors", test_descriptors);
    g_test_add_func("/socket/send-descriptors", test_send_descriptors);
    g_test_add_func("/socket/reconnect", test_reconnect);
    g_test_add_func("/socket/refused-then-there", test_refused_then_there);
    g_test_add_func("/socket/telnet", test_telnet);
    g_test_add_func("/socket/websocket", test_websocket);
    g_test_add_func("/socket/websocket-refused", test_websocket_refused);
    g_test_add_func("/socket/port-range", test_port_range);
    g_test_add_func("/socket/abstract", test_abstract);
    g_test_add_func("/socket/refusals", test_refusals);
    ret = g_test_run();
    chardev_cleanup();
    rmdir(folder);
    g_free(folder);
    return ret;
}
