/*
 * Whole streams of a small machine: round trips, damage at every byte, wrong targets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <fcntl.h>
#include <signal.h>
#include "migration/configuration.h"
#include "migration/migration_test_machine.h"
#include "migration/record.h"
#include "migration/save.h"
#include "qapi/qapi-commands-migration.h"
#include "system/identity.h"

static GByteArray *full_stream(void)
{
    GByteArray *stream;
    TestMachine from;

    test_machine_init(&from);
    test_machine_fill(&from);
    stream = test_machine_save(&from);
    g_assert_cmpuint(from.cleanups, ==, 1);
    test_machine_clear(&from);
    return stream;
}

static void assert_loads(const GByteArray *stream, const char *why)
{
    g_autofree char *failure = NULL;
    TestMachine from, to;

    test_machine_init(&from);
    test_machine_init(&to);
    test_machine_fill(&from);
    failure = test_machine_load(&to, stream->data, stream->len);
    g_assert_cmpstr(failure, ==, why);
    g_assert_true(why || test_machine_is_same(&from, &to));
    test_machine_clear(&from);
    test_machine_clear(&to);
}

static void test_round_trip(void)
{
    g_autoptr(GByteArray) stream = full_stream(), again = full_stream();

    assert_loads(stream, NULL);
    g_assert_cmpmem(stream->data, stream->len, again->data, again->len);
    /* What comes behind the end is not ours. */
    g_byte_array_append(stream, (const uint8_t *)"tail", 4);
    assert_loads(stream, NULL);
}

static void test_truncated(void)
{
    g_autoptr(GByteArray) stream = full_stream();

    for (guint size = 0; size < stream->len; size++) {
        g_autofree char *why = NULL;
        TestMachine to;

        test_machine_init(&to);
        why = test_machine_load(&to, stream->data, size);
        g_assert_nonnull(strstr(why, "ended early"));
        test_machine_clear(&to);
    }
}

static void test_damaged(void)
{
    g_autoptr(GByteArray) stream = full_stream();

    for (guint at = 0; at < stream->len; at++) {
        for (int bit = at % 3; bit < 8; bit += 3) {
            g_autofree char *why = NULL;
            TestMachine to;

            test_machine_init(&to);
            stream->data[at] ^= 1 << bit;
            why = test_machine_load(&to, stream->data, stream->len);
            g_assert_nonnull(why);
            stream->data[at] ^= 1 << bit;
            test_machine_clear(&to);
        }
    }
    assert_loads(stream, NULL);
}

/* A record that was cut out leaves all checksums of records right. */
static void test_lost_record(void)
{
    g_autoptr(GByteArray) stream = full_stream();
    size_t start = strlen(STREAM_MAGIC) + 4, size;

    size = 16 + GUINT32_FROM_BE(*(uint32_t *)(stream->data + start + 8)) + 4;
    g_byte_array_remove_range(stream, start, size);
    assert_loads(stream, "Record 0: has number 1");
}

static void test_not_a_stream(void)
{
    g_autoptr(GByteArray) text = g_byte_array_new(), newer = full_stream();

    g_byte_array_append(text, (const uint8_t *)"hello, this is no stream at all", 31);
    assert_loads(text, "Not a migration stream");
    newer->data[strlen(STREAM_MAGIC) + 3] = 9;
    assert_loads(newer, "Unsupported migration stream version 9");
}

static void test_configuration(void)
{
    static const char uuid[] = "6b15f1c5-1b0e-4a57-8d5c-2b5e3c1f0a01";
    static const char other[] = "6b15f1c5-1b0e-4a57-8d5c-2b5e3c1f0a02";
    MigrationCapabilityStatus on = { MIGRATION_CAPABILITY_VALIDATE_UUID, true };
    MigrationCapabilityStatus *items[] = { &on };
    MigrationCapabilityStatusArray list = { items, 1 };
    g_autoptr(GByteArray) stream = NULL;

    g_assert_true(qmp_migrate_set_capabilities(&list, NULL));
    g_assert_true(identity_set_uuid(uuid, NULL));
    configuration_set_machine("pc-q35-9.0");
    stream = full_stream();
    assert_loads(stream, NULL);
    configuration_set_machine("pc-q35-8.2");
    assert_loads(stream, "Machine type is 'pc-q35-9.0' in the stream, 'pc-q35-8.2' here");
    configuration_set_machine("pc-q35-9.0");
    g_assert_true(identity_set_uuid(other, NULL));
    assert_loads(stream, "The machine's UUID differs from the one in the stream");
    /* That is for who sends it to say. */
    on.state = false;
    g_assert_true(qmp_migrate_set_capabilities(&list, NULL));
    assert_loads(stream, "The machine's UUID differs from the one in the stream");
    g_byte_array_unref(stream);
    stream = full_stream();
    g_assert_true(identity_set_uuid(uuid, NULL));
    assert_loads(stream, NULL);
    configuration_set_machine(NULL);
}

static const VMField other_rows[] = { VM_U32(TestMachine, delay) };
static const VMState other_vm = VMSTATE_INIT(other_rows, .version = 1);

static void ring_bell(void *m)
{
    g_assert_nonnull(migratable_register("/machine/bell", 0, "bell", &other_vm, m, NULL));
}

static void silence_bell(void *m)
{
    migratable_unregister(migratable_find("/machine/bell", 0));
}

/* Machines that are not alike. */
static void test_other_devices(void)
{
    g_autoptr(GByteArray) stream = full_stream(), more = NULL;
    g_autofree char *missing = NULL, *unknown = NULL;
    TestMachine to, from;
    Migratable *extra;

    test_machine_init(&to);
    extra = migratable_register("/machine/bell", 0, "bell", &other_vm, &to, NULL);
    missing = test_machine_load(&to, stream->data, stream->len);
    g_assert_cmpstr(missing, ==, "section '/machine/bell': is missing in the stream");

    test_machine_init(&from);
    more = test_machine_save(&from);
    migratable_unregister(extra);
    unknown = test_machine_load(&to, more->data, more->len);
    g_assert_cmpstr(unknown, ==, "Unknown section '/machine/bell' (0): this machine has no such "
                                 "'bell'");
    test_machine_clear(&to);
    test_machine_clear(&from);
}

/* What comes or goes while memory is sent is in the stream, or is not, as it is at the end. */
static void test_changes(void)
{
    g_autoptr(GByteArray) with = NULL, without = NULL;
    TestMachine m;

    test_machine_init(&m);
    test_machine_plug(&m);
    with = test_save(ring_bell, &m);
    g_assert_nonnull(memmem(with->data, with->len, "/machine/bell", 13));
    without = test_save(silence_bell, &m);
    g_assert_null(memmem(without->data, without->len, "/machine/bell", 13));
    test_machine_unplug(&m);
    test_machine_clear(&m);
}

/* A save that fails names the device, and live state is told that it is over. */
static void test_failed_save(void)
{
    g_autoptr(MigrationStream) stream = migration_stream_new("null");
    SaveSession *session = save_session_new(stream);
    g_autoptr(Error) err = NULL;
    TestMachine m;

    migration_stream_attach(stream, open("/dev/null", O_WRONLY | O_CLOEXEC));
    test_machine_init(&m);
    m.fails_to_save = true;
    test_machine_plug(&m);
    g_assert_true(save_session_begin(session, NULL));
    g_assert_false(save_session_complete(session, &err));
    g_assert_cmpstr(error_text(err), ==, "section '/machine/alarm': the device is on fire");
    save_session_free(session);
    g_assert_cmpuint(m.cleanups, ==, 1);
    test_machine_unplug(&m);
}

/* --- the stream itself --- */

static void test_sticky_error(void)
{
    g_autoptr(MigrationStream) stream = migration_stream_new("a pipe");
    g_autoptr(Error) first = NULL, second = NULL;
    g_autofree uint8_t *bytes = g_malloc0(1 * MiB);
    int fds[2];

    g_assert_cmpint(pipe(fds), ==, 0);
    close(fds[0]);
    migration_stream_attach(stream, fds[1]);
    g_assert_false(migration_stream_write(stream, bytes, 1 * MiB, &first));
    g_assert_cmpstr(error_text(first), ==, "a pipe: write: Broken pipe");
    g_assert_false(migration_stream_flush(stream, &second));
    g_assert_cmpstr(error_text(second), ==, error_text(first));
}

static gpointer cancel_later(gpointer opaque)
{
    g_usleep(20000);
    migration_stream_cancel(opaque);
    return NULL;
}

/* Nobody reads, nobody writes, a limit that would take for ever: cancelling ends all waits. */
static void test_cancel(void)
{
    g_autofree uint8_t *bytes = g_malloc0(16 * MiB);

    for (int i = 0; i < 3; i++) {
        g_autoptr(MigrationStream) stream = migration_stream_new("s");
        g_autoptr(Error) err = NULL;
        GThread *thread;
        int fds[2];

        g_assert_cmpint(pipe(fds), ==, 0);
        migration_stream_attach(stream, fds[i == 1 ? 0 : 1]);
        if (i == 2) {
            migration_stream_set_limit(stream, 1);
            g_assert_true(migration_stream_write(stream, bytes, 1000, NULL) &&
                          migration_stream_flush(stream, NULL));
        }
        thread = g_thread_new("cancel", cancel_later, stream);
        g_assert_false(i == 0 ? migration_stream_write(stream, bytes, 16 * MiB, &err) :
                       i == 1 ? migration_stream_read(stream, bytes, 1, &err) :
                                migration_stream_pace(stream, &err));
        g_assert_cmpstr(error_text(err), ==, "s: cancelled");
        g_assert_true(migration_stream_is_cancelled(stream));
        g_thread_join(thread);
        close(fds[i == 1 ? 1 : 0]);
    }
}

/* 100 kB at 1 MB/s take a tenth of a second at least, in however many steps. */
static void test_pace(void)
{
    g_autoptr(MigrationStream) stream = migration_stream_new("s");
    int64_t start_us = g_get_monotonic_time();
    uint8_t bytes[10000] = { 0 };

    migration_stream_attach(stream, open("/dev/null", O_WRONLY | O_CLOEXEC));
    migration_stream_set_limit(stream, 1000000);
    for (int i = 0; i < 10; i++) {
        g_assert_true(migration_stream_write(stream, bytes, sizeof(bytes), NULL) &&
                      migration_stream_flush(stream, NULL) && migration_stream_pace(stream, NULL));
    }
    g_assert_cmpint(g_get_monotonic_time() - start_us, >=, 99000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    test_machine_set_target();
    g_test_add_func("/migration/stream/round-trip", test_round_trip);
    g_test_add_func("/migration/stream/truncated", test_truncated);
    g_test_add_func("/migration/stream/damaged", test_damaged);
    g_test_add_func("/migration/stream/lost-record", test_lost_record);
    g_test_add_func("/migration/stream/not-a-stream", test_not_a_stream);
    g_test_add_func("/migration/stream/configuration", test_configuration);
    g_test_add_func("/migration/stream/other-devices", test_other_devices);
    g_test_add_func("/migration/stream/changes", test_changes);
    g_test_add_func("/migration/stream/failed-save", test_failed_save);
    g_test_add_func("/migration/stream/sticky-error", test_sticky_error);
    g_test_add_func("/migration/stream/cancel", test_cancel);
    g_test_add_func("/migration/stream/pace", test_pace);
    return g_test_run();
}
