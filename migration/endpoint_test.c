/*
 * A machine sent over every kind of address, from one thread to another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/socket.h>
#include "migration/endpoint.h"
#include "migration/load.h"
#include "migration/migration_test_machine.h"
#include "migration/save.h"
#include "util/fd_names.h"

static char *folder;

static Endpoint *open_uri(const char *uri, EndpointDirection direction)
{
    g_autoptr(Error) err = NULL;
    MigrationAddress *address = migration_address_parse(uri, &err);
    Endpoint *e;

    g_assert_nonnull(address);
    e = endpoint_new(address, direction, &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    migration_address_free(address);
    return e;
}

static bool send_all(Endpoint *e, Error **errp)
{
    g_autoptr(SaveSession) session = save_session_new(endpoint_stream(e));

    return endpoint_connect(e, errp) && save_session_begin(session, errp) &&
           save_session_complete(session, errp) && endpoint_finish(e, errp);
}

static gpointer sender(gpointer opaque)
{
    Error *err = NULL;

    send_all(opaque, &err);
    return err;
}

static void receive(Endpoint *e)
{
    g_autoptr(Error) err = NULL;

    g_assert_true((endpoint_connect(e, &err) && load_machine(endpoint_stream(e), &err) &&
                   endpoint_finish(e, &err)) || !printf("# %s\n", error_text(err)));
    endpoint_free(e);
}

/* Both ends at once. */
static void transfer(Endpoint *from, Endpoint *to)
{
    GThread *thread = g_thread_new("sender", sender, from);

    receive(to);
    g_assert_null(g_thread_join(thread));
    endpoint_free(from);
}

static TestMachine machine, copy;

/* What was sent is overwritten before it is loaded again. */
static void begin(void)
{
    test_machine_init(&machine);
    test_machine_fill(&machine);
    test_machine_init(&copy);
    test_machine_fill(&copy);
    test_machine_plug(&machine);
}

static void end(void)
{
    test_machine_unplug(&machine);
    g_assert_true(test_machine_is_same(&machine, &copy));
    test_machine_clear(&machine);
    test_machine_clear(&copy);
}

static void forget(void)
{
    machine.delay = 0;
    memset(machine.live, 0, sizeof(machine.live));
}

static void store_and_fetch(const char *out, const char *in)
{
    g_autoptr(Error) err = NULL;
    Endpoint *e;

    begin();
    e = open_uri(out, ENDPOINT_OUTGOING);
    g_assert_true(send_all(e, &err));
    endpoint_free(e);
    forget();
    receive(open_uri(in, ENDPOINT_INCOMING));
    end();
}

static void test_file(void)
{
    g_autofree char *path = g_strdup_printf("%s/file", folder);
    g_autofree char *plain = g_strdup_printf("file:%s", path);
    g_autofree char *offset = g_strdup_printf("file:%s,offset=0x1000", path);
    g_autofree char *text = NULL;

    store_and_fetch(plain, plain);
    g_assert_true(g_file_set_contents(path, "somebody's header", -1, NULL));
    store_and_fetch(offset, offset);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "somebody's header");
}

static void test_exec(void)
{
    g_autofree char *out = g_strdup_printf("exec:cat >%s/exec", folder);
    g_autofree char *in = g_strdup_printf("exec:cat %s/exec", folder);

    store_and_fetch(out, in);
}

static void test_exec_fails(void)
{
    Endpoint *e = open_uri("exec:cat >/dev/null; exit 3", ENDPOINT_OUTGOING);
    g_autoptr(Error) err = NULL;

    begin();
    g_assert_false(send_all(e, &err));
    g_assert_cmpstr(error_text(err), ==, "The command ended with status 3");
    endpoint_free(e);
    end();
}

static void test_unix(void)
{
    g_autofree char *uri = g_strdup_printf("unix:%s/sock", folder);
    Endpoint *to = open_uri(uri, ENDPOINT_INCOMING);
    SocketAddress *at = endpoint_listening_at(to);

    g_assert_cmpstr(at->u.unix_.path, ==, uri + strlen("unix:"));
    socket_address_free(at);
    begin();
    transfer(open_uri(uri, ENDPOINT_OUTGOING), to);
    end();
    g_assert_false(g_file_test(uri + strlen("unix:"), G_FILE_TEST_EXISTS));
}

static void test_tcp(void)
{
    Endpoint *to = open_uri("tcp:127.0.0.1:0", ENDPOINT_INCOMING);
    SocketAddress *at = endpoint_listening_at(to);
    g_autofree char *uri = g_strdup_printf("tcp:127.0.0.1:%s", at->u.inet.port);

    g_assert_cmpint(at->type, ==, SOCKET_ADDRESS_TYPE_INET);
    g_assert_cmpstr(at->u.inet.host, ==, "127.0.0.1");
    g_assert_cmpstr(at->u.inet.port, !=, "0");
    socket_address_free(at);
    begin();
    transfer(open_uri(uri, ENDPOINT_OUTGOING), to);
    end();
}

static void test_fd(void)
{
    FdNames *names = fd_names_new();
    g_autofree char *number = NULL;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    fd_names_put(names, "migrate", fds[0]);
    fd_names_set_current(names);
    number = g_strdup_printf("fd:%d", fds[1]);
    begin();
    transfer(open_uri("fd:migrate", ENDPOINT_OUTGOING), open_uri(number, ENDPOINT_INCOMING));
    end();
    fd_names_set_current(NULL);
    fd_names_free(names);
}

typedef struct BadUri {
    const char *uri;
    EndpointDirection direction;
    const char *why;
} BadUri;

static const BadUri bad_uris[] = {
    { "bogus:x", ENDPOINT_OUTGOING, "Parameter 'uri' expects a valid migration protocol" },
    { "tcp:x", ENDPOINT_OUTGOING, "error parsing address 'x'" },
    { "tcp:[::1:5", ENDPOINT_OUTGOING, "error parsing address '[::1:5'" },
    { "tcp:h:1,to=x", ENDPOINT_OUTGOING, "error parsing address 'h:1,to=x'" },
    { "unix:", ENDPOINT_OUTGOING, "invalid Unix socket address" },
    { "file:x,offset=-1", ENDPOINT_OUTGOING, "file URI has bad offset '-1'" },
    { "file:x,offset=9223372036854775808", ENDPOINT_INCOMING,
      "file URI has bad offset '9223372036854775808'" },
    { "fd:zz", ENDPOINT_OUTGOING, "File descriptor named 'zz' has not been found" },
    { "fd:1", ENDPOINT_OUTGOING, "File descriptor named '1' has not been found" },
    { "fd:99999", ENDPOINT_INCOMING, "File descriptor named '99999' has not been found" },
    { "file:/nonexistent/x", ENDPOINT_INCOMING,
      "Failed to open '/nonexistent/x': No such file or directory" },
    { "tcp:127.0.0.1:x", ENDPOINT_INCOMING, "address resolution failed for 127.0.0.1:x: " },
    { "unix:/nonexistent/x", ENDPOINT_INCOMING,
      "Failed to bind socket to /nonexistent/x: No such file or directory" },
};

static void test_bad_uris(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad_uris); i++) {
        g_autoptr(Error) err = NULL;
        MigrationAddress *address = migration_address_parse(bad_uris[i].uri, &err);
        Endpoint *e = address ? endpoint_new(address, bad_uris[i].direction, &err) : NULL;

        g_assert_null(e);
        g_assert_true(g_str_has_prefix(error_text(err), bad_uris[i].why));
        migration_address_free(address);
    }
}

static void test_nobody_listens(void)
{
    g_autofree char *uri = g_strdup_printf("unix:%s/nobody", folder);
    g_autofree char *why = g_strdup_printf("Failed to connect to '%s/nobody': "
                                           "No such file or directory", folder);
    Endpoint *e = open_uri(uri, ENDPOINT_OUTGOING);
    g_autoptr(Error) err = NULL;

    g_assert_false(endpoint_connect(e, &err));
    g_assert_cmpstr(error_text(err), ==, why);
    endpoint_free(e);
}

static gpointer connector(gpointer opaque)
{
    Error *err = NULL;

    endpoint_connect(opaque, &err);
    return err;
}

/* Nobody ever connects: the wait ends when it is cancelled. */
static void test_cancel_accept(void)
{
    Endpoint *e = open_uri("tcp:127.0.0.1:0", ENDPOINT_INCOMING);
    GThread *thread = g_thread_new("accept", connector, e);
    Error *err;

    migration_stream_cancel(endpoint_stream(e));
    err = g_thread_join(thread);
    g_assert_nonnull(strstr(error_text(err), "cancelled"));
    error_free(err);
    endpoint_free(e);
}

/* A command that never ends does not outlive its endpoint. */
static void test_hanging_command(void)
{
    Endpoint *e = open_uri("exec:exec sleep 1000", ENDPOINT_INCOMING);
    int64_t start_us = g_get_monotonic_time();

    endpoint_free(e);
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 500 * G_USEC_PER_SEC);
}

static void test_channels(void)
{
    g_autoptr(MigrationAddress) address = migration_address_parse("tcp:[::1]:5,ipv4=off", NULL);
    MigrationChannel channel = { MIGRATION_CHANNEL_TYPE_MAIN, address };
    MigrationChannel *items[] = { &channel, &channel };
    MigrationChannelArray one = { items, 1 }, two = { items, 2 };
    g_autoptr(MigrationAddress) same = migration_address_from(NULL, &one, NULL);
    g_autoptr(Error) both = NULL, none = NULL, many = NULL;

    g_assert_cmpstr(same->u.socket.u.inet.host, ==, "::1");
    g_assert_cmpstr(same->u.socket.u.inet.port, ==, "5");
    g_assert_false(same->u.socket.u.inet.ipv4);
    g_assert_null(migration_address_from("tcp:a:1", &one, &both));
    g_assert_null(migration_address_from(NULL, NULL, &none));
    g_assert_cmpstr(error_text(none), ==, "Parameter 'uri' is missing");
    g_assert_null(migration_address_from(NULL, &two, &many));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    test_machine_set_target();
    folder = g_dir_make_tmp("tandem-endpoint-XXXXXX", NULL);
    g_test_add_func("/migration/endpoint/file", test_file);
    g_test_add_func("/migration/endpoint/exec", test_exec);
    g_test_add_func("/migration/endpoint/exec-fails", test_exec_fails);
    g_test_add_func("/migration/endpoint/unix", test_unix);
    g_test_add_func("/migration/endpoint/tcp", test_tcp);
    g_test_add_func("/migration/endpoint/fd", test_fd);
    g_test_add_func("/migration/endpoint/bad-uris", test_bad_uris);
    g_test_add_func("/migration/endpoint/nobody-listens", test_nobody_listens);
    g_test_add_func("/migration/endpoint/cancel-accept", test_cancel_accept);
    g_test_add_func("/migration/endpoint/hanging-command", test_hanging_command);
    g_test_add_func("/migration/endpoint/channels", test_channels);
    status = g_test_run();
    {
        g_autofree char *file = g_build_filename(folder, "file", NULL);
        g_autofree char *exec = g_build_filename(folder, "exec", NULL);

        g_unlink(file);
        g_unlink(exec);
        g_rmdir(folder);
        g_free(folder);
    }
    return status;
}
