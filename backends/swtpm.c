/*
 * The control channel of a TPM emulator: see backends/swtpm.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "backends/swtpm.h"
#include "chardev/chardev.h"
#include "util/byte_order.h"

#define ANSWER_MS_MAX 30000
#define WORDS_MAX     4
#define BLOB_DECRYPTED 1
#define NO_SUCH_STATE 0x800 /* TPM_RETRY: the TPM never saved this part */

/* --- input --- */

static size_t can_read(void *opaque)
{
    Swtpm *s = opaque;

    return s->wanted - MIN(s->wanted, s->input->len);
}

static void take_input(void *opaque, const uint8_t *bytes, size_t size)
{
    g_byte_array_append(((Swtpm *)opaque)->input, bytes, size);
}

static void take_event(void *opaque, CharEvent event)
{
    Swtpm *s = opaque;

    if (event == CHAR_EVENT_OPENED || event == CHAR_EVENT_CLOSED) {
        s->is_open = event == CHAR_EVENT_OPENED;
    }
}

static gboolean be_late(void *opaque)
{
    ((Swtpm *)opaque)->is_late = true;
    return G_SOURCE_REMOVE;
}

static bool receive(Swtpm *s, SwtpmBytes answer, Error **errp)
{
    GSource *timeout = g_timeout_source_new(ANSWER_MS_MAX);

    g_byte_array_set_size(s->input, 0);
    s->wanted = answer.count;
    s->is_late = false;
    g_source_set_callback(timeout, be_late, s, NULL);
    g_source_attach(timeout, s->context);
    char_frontend_accept_input(&s->chr);
    while (s->is_open && !s->is_late && s->input->len < s->wanted) {
        g_main_context_iteration(s->context, true);
    }
    g_source_destroy(timeout);
    g_source_unref(timeout);
    s->wanted = 0;
    if (s->input->len < answer.count) {
        return error_set(errp, s->is_late ? "the TPM emulator does not answer"
                                          : "the TPM emulator has gone");
    }
    memcpy(answer.bytes, s->input->data, answer.count);
    return true;
}

/* --- calls --- */

static void bytes_append(uint8_t *to, const SwtpmBytes *piece)
{
    if (piece->count) {
        memcpy(to, piece->bytes, piece->count);
    }
}

/* In one piece: swtpm takes what has come for the whole of a command. */
static bool send_command(Swtpm *s, SwtpmCommand command, const SwtpmBytes args[2], Error **errp)
{
    size_t size = 4 + args[0].count + args[1].count;
    g_autofree uint8_t *message = g_malloc(size);

    store_be32(message, command);
    bytes_append(message + 4, &args[0]);
    bytes_append(message + 4 + args[0].count, &args[1]);
    return (s->is_open && char_frontend_write_all(&s->chr, message, size)) ||
           error_set(errp, "the TPM emulator has gone");
}

bool swtpm_call(Swtpm *s, SwtpmCommand command, const SwtpmBytes args[2], SwtpmBytes answer,
                Error **errp)
{
    static const SwtpmBytes none[2];
    bool is_ok;

    g_mutex_lock(&s->lock);
    is_ok = send_command(s, command, args ? args : none, errp) && receive(s, answer, errp);
    g_mutex_unlock(&s->lock);
    return is_ok;
}

static bool check_result(SwtpmCommand command, uint32_t result, Error **errp)
{
    return !result || error_set(errp, "command %d: the TPM emulator reports error 0x%" PRIx32,
                                command, result);
}

bool swtpm_call_words(Swtpm *s, SwtpmCommand command, const uint32_t *args, size_t arg_count,
                      uint32_t *answer, size_t answer_count, Error **errp)
{
    uint8_t out[4 * WORDS_MAX], in[4 * WORDS_MAX];
    SwtpmBytes pieces[2] = { { out, 4 * arg_count } };

    assert(arg_count <= WORDS_MAX && answer_count >= 1 && answer_count <= WORDS_MAX);
    for (size_t i = 0; i < arg_count; i++) {
        store_be32(out + 4 * i, args[i]);
    }
    if (!swtpm_call(s, command, pieces, (SwtpmBytes){ in, 4 * answer_count }, errp)) {
        return false;
    }
    for (size_t i = 0; i < answer_count; i++) {
        answer[i] = load_be32(in + 4 * i);
    }
    return check_result(command, answer[0], errp);
}

bool swtpm_call_plain(Swtpm *s, SwtpmCommand command, Error **errp)
{
    uint32_t result;

    return swtpm_call_words(s, command, NULL, 0, &result, 1, errp);
}

bool swtpm_send_data_fd(Swtpm *s, int fd, Error **errp)
{
    return char_frontend_send_fds(&s->chr, &fd, 1)
               ? swtpm_call_plain(s, SWTPM_SET_DATAFD, errp)
               : error_set(errp, "its chardev cannot carry descriptors: a Unix socket is needed");
}

bool swtpm_get_capabilities(Swtpm *s, uint64_t *capabilities, Error **errp)
{
    uint8_t answer[8];

    if (!swtpm_call(s, SWTPM_GET_CAPABILITY, NULL, (SwtpmBytes){ answer, 8 }, errp)) {
        return false;
    }
    *capabilities = load_be64(answer);
    return true;
}

/* --- state --- */

/* The next bytes, and how many there are in all. */
static bool get_piece(Swtpm *s, uint32_t part, GByteArray *blob, uint32_t *flags, uint32_t *total,
                      Error **errp)
{
    uint8_t out[12], in[16] = { 0 };
    SwtpmBytes args[2] = { { out, sizeof(out) } };
    uint32_t size, had = blob->len;
    bool is_ok;

    store_be32(out, BLOB_DECRYPTED);
    store_be32(out + 4, part);
    store_be32(out + 8, had);
    g_mutex_lock(&s->lock);
    is_ok = send_command(s, SWTPM_GET_STATEBLOB, args, errp) &&
            receive(s, (SwtpmBytes){ in, sizeof(in) }, errp);
    if (is_ok && load_be32(in) == NO_SUCH_STATE) {
        memset(in, 0, sizeof(in));
    }
    is_ok = is_ok && check_result(SWTPM_GET_STATEBLOB, load_be32(in), errp);
    *flags = load_be32(in + 4);
    size = is_ok ? load_be32(in + 12) : 0;
    *total = had ? *total : load_be32(in + 8);
    if (is_ok && (*total < had || size > *total - had || (!size && had < *total))) {
        is_ok = error_set(errp, "the TPM emulator gives %" PRIu32 " bytes of state where %" PRIu32
                          " are left", size, *total - had);
    } else if (is_ok && size) {
        g_byte_array_set_size(blob, had + size);
        is_ok = receive(s, (SwtpmBytes){ blob->data + had, size }, errp);
    }
    g_mutex_unlock(&s->lock);
    return is_ok;
}

bool swtpm_get_blob(Swtpm *s, uint32_t part, uint32_t *flags, uint8_t **bytes, uint32_t *size,
                    uint32_t longest, Error **errp)
{
    g_autoptr(GByteArray) blob = g_byte_array_new();
    uint32_t total = 0;

    do {
        if (!get_piece(s, part, blob, flags, &total, errp)) {
            return false;
        }
        if (total > longest) {
            return error_set(errp, "the TPM has %" PRIu32 " bytes of state (at most %" PRIu32
                             " are migrated)", total, longest);
        }
    } while (blob->len < total);
    *size = total;
    *bytes = g_byte_array_steal(blob, NULL);
    return true;
}

bool swtpm_set_blob(Swtpm *s, uint32_t part, uint32_t flags, const uint8_t *bytes, uint32_t size,
                    Error **errp)
{
    uint8_t head[12], result[4];
    SwtpmBytes args[2] = { { head, sizeof(head) }, { (uint8_t *)bytes, size } };

    store_be32(head, flags);
    store_be32(head + 4, part);
    store_be32(head + 8, size);
    return swtpm_call(s, SWTPM_SET_STATEBLOB, args, (SwtpmBytes){ result, 4 }, errp) &&
           check_result(SWTPM_SET_STATEBLOB, load_be32(result), errp);
}

/* --- life --- */

bool swtpm_open(Swtpm *s, Chardev *chr, Error **errp)
{
    static const CharHandlers handlers = {
        .can_read = can_read, .read = take_input, .event = take_event,
    };

    if (!chardev_has_own_context(chr)) {
        return error_set(errp, "chardev '%s' cannot be waited for alone: it is multiplexed",
                         chardev_label(chr));
    }
    if (!char_frontend_attach(&s->chr, chr, errp)) {
        return false;
    }
    g_mutex_init(&s->lock);
    s->context = g_main_context_new();
    s->input = g_byte_array_new();
    char_frontend_set_handlers(&s->chr, &handlers, s, s->context);
    return true;
}

void swtpm_close(Swtpm *s)
{
    if (s->context) {
        char_frontend_set_handlers(&s->chr, NULL, NULL, NULL);
        char_frontend_detach(&s->chr);
        g_main_context_unref(s->context);
        g_byte_array_unref(s->input);
        g_mutex_clear(&s->lock);
        s->context = NULL;
    }
}
