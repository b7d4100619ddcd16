/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <sys/mman.h>
#include "migration/load.h"
#include "migration/migration_test_machine.h"
#include "migration/save.h"
#include "system/target.h"

static bool has_extra(void *opaque)
{
    return ((TestMachine *)opaque)->has_extra;
}

static bool extra_loaded(void *opaque, int version, Error **errp)
{
    ((TestMachine *)opaque)->has_extra = true;
    return true;
}

static bool before_save(void *opaque, Error **errp)
{
    return !((TestMachine *)opaque)->fails_to_save || error_set(errp, "the device is on fire");
}

static const VMField extra_rows[] = { VM_U16(TestMachine, extra) };
static const VMState extra_vm = VMSTATE_INIT(extra_rows, .name = "alarm/extra", .version = 1,
                                             .needed = has_extra, .post_load = extra_loaded);
static const VMField rows[] = {
    VM_U32(TestMachine, delay), VM_ARRAY(TestMachine, counts), VM_STRING(TestMachine, label, 32),
};
static const VMState alarm_vm = VMSTATE_INIT(rows, .version = 3, .pre_save = before_save,
                                             .subsections = VM_SUBSECTIONS(&extra_vm));

/* --- live state: bytes with their offset, sent half while iterating, half at the end --- */

static bool send(TestMachine *m, VMWriter *w, size_t until, bool *is_done)
{
    size_t part = MIN(until - m->live_sent, 700);

    vm_put(w, m->live_sent, 4);
    vm_put_bytes(w, m->live + m->live_sent, part);
    m->live_sent += part;
    *is_done = m->live_sent == until;
    return true;
}

static bool live_setup(void *opaque, VMWriter *w, Error **errp)
{
    ((TestMachine *)opaque)->live_sent = 0;
    vm_put(w, TEST_LIVE_BYTES, 4);
    return true;
}

static bool live_iterate(void *opaque, VMWriter *w, size_t room, bool *is_done, Error **errp)
{
    return send(opaque, w, TEST_LIVE_BYTES / 2, is_done);
}

static bool live_complete(void *opaque, VMWriter *w, size_t room, bool *is_done, Error **errp)
{
    return send(opaque, w, TEST_LIVE_BYTES, is_done);
}

static void live_cleanup(void *opaque)
{
    ((TestMachine *)opaque)->cleanups++;
}

static bool live_load_setup(void *opaque, VMReader *r, Error **errp)
{
    uint64_t bytes;

    return vm_get(r, &bytes, 4, errp) &&
           (bytes == TEST_LIVE_BYTES || error_set(errp, "%" PRIu64 " bytes", bytes));
}

static bool live_load(void *opaque, VMReader *r, Error **errp)
{
    TestMachine *m = opaque;
    uint64_t at;
    size_t size;

    if (!vm_get(r, &at, 4, errp)) {
        return false;
    }
    size = vm_left(r);
    if (at > TEST_LIVE_BYTES || size > TEST_LIVE_BYTES - at) {
        return error_set(errp, "bytes at %" PRIu64, at);
    }
    if (size) {
        memcpy(m->live + at, vm_get_bytes(r, size, NULL), size);
    }
    return true;
}

static const LiveState memory_live = {
    .version = 1, .is_before_devices = true, .setup = live_setup, .iterate = live_iterate,
    .complete = live_complete, .cleanup = live_cleanup, .load_setup = live_load_setup,
    .load = live_load,
};

/* --- the machine --- */

void test_machine_set_target(void)
{
    static const TargetInfo target = { .name = "x86_64", .page_bits = 12 };

    target_set(&target);
}

void test_machine_init(TestMachine *m)
{
    *m = (TestMachine){ 0 };
}

void test_machine_plug(TestMachine *m)
{
    m->alarm = migratable_register("/machine/alarm", 0, "alarm", &alarm_vm, m, NULL);
    m->memory = migratable_register_live("memory", &memory_live, m, NULL);
    assert(m->alarm && m->memory);
}

void test_machine_unplug(TestMachine *m)
{
    migratable_unregister(m->alarm);
    migratable_unregister(m->memory);
}

void test_machine_fill(TestMachine *m)
{
    m->delay = 0x12345678;
    for (size_t i = 0; i < ARRAY_SIZE(m->counts); i++) {
        m->counts[i] = UINT64_C(0x0102030405060708) * i;
    }
    m->label = g_strdup("a bell");
    m->has_extra = true;
    m->extra = 0xabcd;
    for (size_t i = 0; i < sizeof(m->live); i++) {
        m->live[i] = i * 7;
    }
}

bool test_machine_is_same(const TestMachine *a, const TestMachine *b)
{
    return a->delay == b->delay && !memcmp(a->counts, b->counts, sizeof(a->counts)) &&
           !g_strcmp0(a->label, b->label) && a->has_extra == b->has_extra &&
           a->extra == b->extra && !memcmp(a->live, b->live, sizeof(a->live));
}

void test_machine_clear(TestMachine *m)
{
    g_free(m->label);
}

GByteArray *test_save(void (*before_end)(void *opaque), void *opaque)
{
    g_autoptr(MigrationStream) stream = migration_stream_new("memory");
    g_autoptr(SaveSession) session = save_session_new(stream);
    GByteArray *bytes = g_byte_array_new();
    int fd = memfd_create("stream", MFD_CLOEXEC), again = dup(fd);
    bool is_done = false;

    assert(fd >= 0 && again >= 0);
    migration_stream_attach(stream, fd);
    assert(save_session_begin(session, NULL));
    while (!is_done) {
        assert(save_session_iterate(session, &is_done, NULL));
    }
    if (before_end) {
        before_end(opaque);
    }
    assert(save_session_complete(session, NULL) && migration_stream_finish(stream, NULL));
    g_byte_array_set_size(bytes, lseek(again, 0, SEEK_END));
    assert(pread(again, bytes->data, bytes->len, 0) == bytes->len);
    close(again);
    return bytes;
}

char *test_load(const uint8_t *data, size_t size)
{
    g_autoptr(MigrationStream) stream = migration_stream_new("memory");
    int fd = memfd_create("stream", MFD_CLOEXEC);
    g_autoptr(Error) err = NULL;
    bool is_ok;

    assert(fd >= 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    migration_stream_attach(stream, fd);
    is_ok = load_machine(stream, &err);
    assert(is_ok == !err);
    return err ? g_strdup(error_text(err)) : NULL;
}

GByteArray *test_machine_save(TestMachine *m)
{
    GByteArray *bytes;

    test_machine_plug(m);
    bytes = test_save(NULL, NULL);
    test_machine_unplug(m);
    return bytes;
}

char *test_machine_load(TestMachine *m, const uint8_t *data, size_t size)
{
    char *why;

    test_machine_plug(m);
    why = test_load(data, size);
    test_machine_unplug(m);
    return why;
}
