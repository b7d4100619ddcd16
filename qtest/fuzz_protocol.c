/*
 * Fuzzes the qtest protocol over a socket, as a test program would speak it, with some RAM, ports
 * and time behind it. Each line that is not blank gets one reply.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sys/socket.h>

#include "chardev/chardev.h"
#include "qom/user_creatable.h"
#include "qtest.h"
#include "system/address_space.h"
#include "system/clock.h"
#include "system/machine_lock.h"
#include "system/target.h"
#include "util/event_loop.h"

#define MAX_BYTES (32 * KiB) /* fits into a socket that nobody reads yet */
#define RAM_BYTES (64 * KiB)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const TargetInfo sample_target = { .name = "x86_64", .page_bits = 12 };
static MemoryRegion ram;
static int our_end;
static gint replies;    /* read by the thread; wraps */
static guint expected;

static void *count_replies(void *opaque)
{
    char bytes[4096];
    ssize_t got;

    while ((got = read(our_end, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] == '\n') {
                g_atomic_int_inc(&replies);
            }
        }
        event_loop_wake(event_loop_main());
    }
    return NULL;
}

static void start_server(int fd)
{
    g_autofree char *number = g_strdup_printf("%d", fd);
    g_autoptr(JsonObject) line = json_object_new_object();
    g_autoptr(JsonObject) server = json_object_new_object();
    Error *err = NULL;

    json_set(line, "backend", json_string("socket"));
    json_set(line, "id", json_string("line"));
    json_set(line, "fd", json_string(number));
    json_set(server, "qom-type", json_string(TYPE_QTEST));
    json_set(server, "id", json_string("server"));
    json_set(server, "chardev", json_string("line"));
    if (!chardev_add_from_options(line, &err) ||
        !user_creatable_add(server, PROPERTY_TYPED, &err)) {
        g_error("%s", error_text(err));
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    int pair[2];

    target_set(&sample_target);
    event_loop_main();
    machine_lock_init_main();
    clock_qtest_enable();
    if (!memory_region_init_ram(&ram, NULL, "ram", RAM_BYTES, NULL) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        abort();
    }
    memory_region_add(memory_region_system(), 0, &ram);
    our_end = pair[0];
    start_server(pair[1]);
    g_thread_unref(g_thread_new("replies", count_replies, NULL));
    return 0;
}

/* How many lines the server must answer: a line ends at its first NUL. */
static unsigned count_lines(const char *bytes, size_t size)
{
    const char *end = bytes + size, *newline;
    unsigned count = 0;

    for (; bytes < end; bytes = newline + 1) {
        newline = memchr(bytes, '\n', end - bytes);
        bytes += strspn(bytes, " \t\r");
        count += *bytes && *bytes != '\n';
    }
    return count;
}

static bool is_answered(void *opaque)
{
    return (guint)g_atomic_int_get(&replies) >= expected;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The last line of ours ends the wait. */
    static const char last[] = "\nendianness\n";
    g_autoptr(GString) input = NULL;

    if (size > MAX_BYTES) {
        return -1;
    }
    input = g_string_new_len((const char *)data, size);
    g_string_append(input, last);
    expected += count_lines(input->str, input->len);
    if (send(our_end, input->str, input->len, 0) != (ssize_t)input->len) {
        abort();
    }
    event_loop_run_until(event_loop_main(), is_answered, NULL);
    assert((guint)g_atomic_int_get(&replies) == expected);
    return 0;
}
