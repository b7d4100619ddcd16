/*
 * TPM back ends: one on an emulator that a thread of this test plays, which speaks the control
 * channel's protocol as swtpm_ioctls(3) has it; one on a file that is no TPM.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sys/socket.h>

#include "backends/tpm.h"
#include "chardev/chardev.h"
#include "qapi/qapi-commands-tpm.h"
#include "util/byte_order.h"
#include "util/event_loop.h"

enum { CAPABILITY = 1, INIT, SHUTDOWN, ESTABLISHED, SET_LOCALITY, CANCEL = 9, RESET_ESTABLISHED = 11,
       GET_BLOB, SET_BLOB, STOP, SET_DATAFD = 16, SET_BUFFERSIZE, LOCK_STORAGE = 19 };

#define BLOB_BYTES 10000
#define PIECE      4096

/* The emulator: its thread's, read by the test when it is idle. */
static struct {
    int control, data;
    GThread *thread, *worker;
    GMutex lock;
    GCond changed;
    GString *seen;           /* commands */
    uint64_t capabilities;
    bool is_slow, is_cancelled;
    uint32_t longest_blob;
    uint8_t blob[BLOB_BYTES];
} swtpm;

static bool get(int fd, void *bytes, size_t count)
{
    return !count || recv(fd, bytes, count, MSG_WAITALL) == count;
}

static void put_words(const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t word[4];

        store_be32(word, words[i]);
        g_assert_cmpint(write(swtpm.control, word, 4), ==, 4);
    }
}
#define PUT(...) put_words((const uint32_t[]){ __VA_ARGS__ },                                      \
                           sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static uint32_t get_word(void)
{
    uint8_t word[4];

    g_assert_true(get(swtpm.control, word, 4));
    return load_be32(word);
}

static void note(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_mutex_lock(&swtpm.lock);
    g_string_append_vprintf(swtpm.seen, fmt, ap);
    g_mutex_unlock(&swtpm.lock);
    va_end(ap);
}

/* The TPM itself: a command's bytes come back, with the tag of TPM 2.0. */
static void *serve_data(void *opaque)
{
    uint8_t bytes[4096];

    while (get(swtpm.data, bytes, TPM_HEADER_BYTES)) {
        uint32_t size = tpm_message_bytes(bytes);

        g_assert_true(get(swtpm.data, bytes + TPM_HEADER_BYTES, size - TPM_HEADER_BYTES));
        g_mutex_lock(&swtpm.lock);
        while (swtpm.is_slow && !swtpm.is_cancelled) {
            g_cond_wait(&swtpm.changed, &swtpm.lock);
        }
        g_mutex_unlock(&swtpm.lock);
        store_be16(bytes, 0x8001);
        /* In two pieces. */
        g_assert_cmpint(write(swtpm.data, bytes, 3), ==, 3);
        g_assert_cmpint(write(swtpm.data, bytes + 3, size - 3), ==, size - 3);
    }
    return NULL;
}

static void take_data_fd(int fd)
{
    swtpm.data = fd;
    swtpm.worker = g_thread_new("swtpm-data", serve_data, NULL);
    PUT(0);
}

static void cancel(void)
{
    g_mutex_lock(&swtpm.lock);
    swtpm.is_cancelled = true;
    g_cond_signal(&swtpm.changed);
    g_mutex_unlock(&swtpm.lock);
    note("cancel ");
    PUT(0);
}

static void get_blob(void)
{
    uint32_t flags = get_word(), part = get_word(), offset = get_word();
    uint32_t total = part == 3 ? 0 : swtpm.longest_blob;
    uint32_t size = MIN(MIN(total - MIN(offset, total), PIECE), BLOB_BYTES);

    g_assert_cmpuint(flags, ==, 1);
    PUT(part == 3 ? 0x800 : 0, 0, total, size);
    g_assert_cmpint(write(swtpm.control, swtpm.blob + offset % BLOB_BYTES, size), ==, size);
}

static void set_blob(void)
{
    uint32_t flags = get_word(), part = get_word(), size = get_word();
    g_autofree uint8_t *bytes = g_malloc(size);

    g_assert_true(get(swtpm.control, bytes, size));
    note("set-blob %u %u %u %s ", flags, part, size,
         memcmp(bytes, swtpm.blob, size) ? "other" : "same");
    PUT(0);
}

static void serve_command(uint32_t command, int fd)
{
    uint8_t word[4];

    switch (command) {
    case CAPABILITY:
        PUT(swtpm.capabilities >> 32, swtpm.capabilities);
        break;
    case INIT:
        note("init %u ", get_word());
        PUT(0);
        break;
    case SHUTDOWN:
        note("shutdown ");
        PUT(0);
        break;
    case ESTABLISHED:
        PUT(0, 0x01000000);
        break;
    case SET_LOCALITY: case RESET_ESTABLISHED:
        g_assert_true(get(swtpm.control, word, 4));
        note("%s %u ", command == SET_LOCALITY ? "locality" : "reset-established", word[0]);
        PUT(0);
        break;
    case CANCEL:
        cancel();
        break;
    case GET_BLOB:
        get_blob();
        break;
    case SET_BLOB:
        set_blob();
        break;
    case STOP:
        note("stop ");
        PUT(0);
        break;
    case SET_DATAFD:
        take_data_fd(fd);
        break;
    case SET_BUFFERSIZE:
        note("size %u ", get_word());
        PUT(0, 2048, 100, 4096);
        break;
    case LOCK_STORAGE:
        note("lock %u ", get_word());
        PUT(0);
        break;
    default:
        g_assert_not_reached();
    }
}

/* A command's four bytes, and the descriptor that may come along. */
static bool receive_command(uint32_t *command, int *fd)
{
    uint8_t bytes[4];
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = { bytes, 1 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *head;

    if (recvmsg(swtpm.control, &message, 0) != 1 || !get(swtpm.control, bytes + 1, 3)) {
        return false;
    }
    head = CMSG_FIRSTHDR(&message);
    *fd = head ? *(int *)CMSG_DATA(head) : -1;
    *command = load_be32(bytes);
    return true;
}

static void *serve_control(void *opaque)
{
    uint32_t command;
    int fd;

    while (receive_command(&command, &fd)) {
        serve_command(command, fd);
    }
    return NULL;
}

/* --- the test's side --- */

static void expect_seen(const char *text)
{
    g_mutex_lock(&swtpm.lock);
    g_assert_cmpstr(swtpm.seen->str, ==, text);
    g_string_truncate(swtpm.seen, 0);
    g_mutex_unlock(&swtpm.lock);
}

static void start_emulator(uint64_t capabilities)
{
    g_autoptr(JsonObject) options = json_object_new_object();
    g_autofree char *number = NULL;
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
    swtpm.control = ends[1];
    swtpm.capabilities = capabilities;
    swtpm.is_slow = swtpm.is_cancelled = false;
    swtpm.longest_blob = BLOB_BYTES;
    swtpm.thread = g_thread_new("swtpm", serve_control, NULL);
    number = g_strdup_printf("%d", ends[0]);
    json_set(options, "id", json_string("control"));
    json_set(options, "backend", json_string("socket"));
    json_set(options, "fd", json_string(number));
    g_assert_nonnull(chardev_add_from_options(options, NULL));
}

static void end_emulator(void)
{
    /* What was settled early is completed now. */
    while (g_main_context_iteration(NULL, false)) {
    }
    tpm_backend_cleanup();
    g_assert_true(chardev_remove("control", NULL));
    g_thread_join(swtpm.thread);
    if (swtpm.worker) {
        g_thread_join(g_steal_pointer(&swtpm.worker));
        close(swtpm.data);
    }
    close(swtpm.control);
    g_string_truncate(swtpm.seen, 0);
}

static bool add(const char *type, const char *key, const char *value, Error **errp)
{
    g_autoptr(JsonObject) options = json_object_new_object();

    json_set(options, "type", json_string(type));
    json_set(options, "id", json_string("tpm0"));
    json_set(options, key, json_string(value));
    return tpm_backend_add(options, errp);
}

static void expect_failure(const char *type, const char *key, const char *value, const char *text)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(add(type, key, value, &err));
    g_assert_cmpstr(error_text(err), ==, text);
    g_assert_null(tpm_backend_find("tpm0"));
}

static unsigned answers;

static void answered(void *opaque, TpmRequest *request)
{
    answers++;
}

static const TpmUser user = { "tpm-tis", 2048, answered, NULL };

static bool has_answer(void *opaque)
{
    return answers;
}

static void write_command(TpmRequest *request, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        request->buffer[i] = i;
    }
    store_be32(request->buffer + 2, bytes);
    request->command_bytes = bytes;
}

static void test_emulator(void)
{
    uint8_t buffer[2048], expected[2048];
    TpmRequest request = { .locality = 3, .buffer = buffer, .buffer_bytes = sizeof(buffer) };
    TpmBackend *tpm;
    g_autoptr(TPMInfoArray) infos = NULL;

    start_emulator(0x17fff);
    g_assert_true(add("emulator", "chardev", "control", NULL));
    tpm = tpm_backend_find("tpm0");
    g_assert_cmpint(tpm->version, ==, TPM_VERSION_2_0);
    g_assert_true(tpm_backend_attach(tpm, &user, NULL));
    g_assert_false(tpm_backend_attach(tpm, &user, NULL));
    g_assert_true(tpm_backend_start(tpm, false, NULL));
    expect_seen("stop size 2048 init 0 ");
    write_command(&request, 2000);
    memcpy(expected, buffer, 2000);
    store_be16(expected, 0x8001);
    tpm_backend_hand_over(tpm, &request);
    g_assert_true(tpm_backend_is_busy(tpm));
    answers = 0;
    event_loop_run_until(event_loop_main(), has_answer, NULL);
    g_assert_false(tpm_backend_is_busy(tpm));
    g_assert_cmpuint(request.answer_bytes, ==, 2000);
    g_assert_cmpint(memcmp(buffer, expected, 2000), ==, 0);
    expect_seen("locality 3 ");
    write_command(&request, 12);
    tpm_backend_hand_over(tpm, &request);
    tpm_backend_finish(tpm);
    g_assert_cmpuint(answers, ==, 2);
    expect_seen("");
    g_assert_true(tpm_backend_ops(tpm)->get_established(tpm));
    g_assert_true(tpm_backend_ops(tpm)->reset_established(tpm, 4));
    expect_seen("reset-established 4 ");
    infos = qmp_query_tpm(NULL);
    g_assert_cmpuint(infos->count, ==, 1);
    g_assert_cmpstr(infos->items[0]->id, ==, "tpm0");
    g_assert_cmpstr(infos->items[0]->options->u.emulator.data->chardev, ==, "control");
    tpm_backend_detach(tpm);
    tpm_backend_cleanup();
    expect_seen("shutdown ");
    end_emulator();
}

static void test_cancel(void)
{
    uint8_t buffer[2048];
    TpmRequest request = { .buffer = buffer, .buffer_bytes = sizeof(buffer) };
    TpmBackend *tpm;

    start_emulator(0x17fff);
    g_assert_true(add("emulator", "chardev", "control", NULL));
    tpm = tpm_backend_find("tpm0");
    g_assert_true(tpm_backend_attach(tpm, &user, NULL));
    swtpm.is_slow = true;
    answers = 0;
    write_command(&request, 10);
    tpm_backend_hand_over(tpm, &request);
    tpm_backend_abandon(tpm);
    g_assert_false(tpm_backend_is_busy(tpm));
    g_assert_cmpuint(answers, ==, 0);
    /* The next one is not disturbed by what is left of it. */
    write_command(&request, 10);
    tpm_backend_hand_over(tpm, &request);
    event_loop_run_until(event_loop_main(), has_answer, NULL);
    g_assert_cmpuint(answers, ==, 1);
    tpm_backend_detach(tpm);
    end_emulator();
}

static void test_state(void)
{
    TpmStatePart parts[TPM_STATE_PARTS] = { 0 };
    TpmBackend *tpm;
    g_autoptr(Error) err = NULL;

    start_emulator(0x17fff);
    g_assert_true(add("emulator", "chardev", "control", NULL));
    tpm = tpm_backend_find("tpm0");
    g_assert_true(tpm_backend_attach(tpm, &user, NULL));
    g_assert_true(tpm_backend_save(tpm, parts, NULL));
    g_assert_cmpuint(parts[TPM_STATE_PERMANENT].size, ==, BLOB_BYTES);
    g_assert_cmpuint(parts[TPM_STATE_SAVE].size, ==, 0);
    g_assert_cmpint(memcmp(parts[TPM_STATE_VOLATILE].bytes, swtpm.blob, PIECE), ==, 0);
    expect_seen("");
    memcpy(parts[0].bytes, swtpm.blob, BLOB_BYTES);
    g_assert_true(tpm_backend_load(tpm, parts, NULL));
    g_assert_true(tpm_backend_start(tpm, true, NULL));
    expect_seen("stop set-blob 0 1 10000 same set-blob 0 2 10000 same size 2048 init 1 ");
    tpm_backend_ops(tpm)->take_back(tpm);
    expect_seen("lock 10 ");
    swtpm.longest_blob = TPM_STATE_BYTES_MAX + 1;
    g_assert_false(tpm_backend_save(tpm, parts, &err));
    g_assert_nonnull(strstr(error_text(err), "bytes of state (at most"));
    tpm_state_clear(parts);
    tpm_backend_detach(tpm);
    end_emulator();
}

/* It goes while a command is under way, and is not there for the next. */
static void test_gone(void)
{
    uint8_t buffer[2048];
    TpmRequest request = { .buffer = buffer, .buffer_bytes = sizeof(buffer) };
    TpmBackend *tpm;

    start_emulator(0x17fff);
    g_assert_true(add("emulator", "chardev", "control", NULL));
    tpm = tpm_backend_find("tpm0");
    g_assert_true(tpm_backend_attach(tpm, &user, NULL));
    shutdown(swtpm.control, SHUT_RDWR);
    shutdown(swtpm.data, SHUT_RDWR);
    write_command(&request, 10);
    tpm_backend_hand_over(tpm, &request);
    tpm_backend_finish(tpm);
    g_assert_cmpuint(request.answer_bytes, ==, TPM_HEADER_BYTES);
    g_assert_cmphex(load_be32(buffer + 6), ==, 0x101);
    g_assert_false(tpm_backend_start(tpm, false, NULL));
    g_assert_false(tpm_backend_ops(tpm)->get_established(tpm));
    tpm_backend_detach(tpm);
    end_emulator();
}

static void test_mistakes(void)
{
    expect_failure("emulator", "chardev", "none",
                   "tpm-emulator: tpm chardev 'none' not found");
    expect_failure("emulator", "path", "x", "Invalid parameter 'path'");
    expect_failure("nothing", "path", "x", "Parameter 'type' expects a TPM backend type");
    expect_failure("passthrough", "path", "/nonexistent",
                   "Cannot access TPM device using '/nonexistent': No such file or directory");
    expect_failure("passthrough", "path", "/dev/null", "'/dev/null' is not a TPM device");
    g_assert_nonnull(chardev_add_from_spec("null", "null", NULL, NULL));
    g_assert_false(add("emulator", "chardev", "null", NULL));
    start_emulator(0x0fff);
    expect_failure("emulator", "chardev", "control",
                   "tpm-emulator: the TPM emulator lacks abilities 0x3000");
    end_emulator();
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    swtpm.seen = g_string_new(NULL);
    for (unsigned i = 0; i < BLOB_BYTES; i++) {
        swtpm.blob[i] = i * 7;
    }
    g_test_add_func("/tpm/emulator", test_emulator);
    g_test_add_func("/tpm/cancel", test_cancel);
    g_test_add_func("/tpm/state", test_state);
    g_test_add_func("/tpm/gone", test_gone);
    g_test_add_func("/tpm/mistakes", test_mistakes);
    status = g_test_run();
    g_string_free(swtpm.seen, TRUE);
    return status;
}
