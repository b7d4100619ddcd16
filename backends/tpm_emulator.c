/*
 * tpm-emulator: a TPM that a process emulates, such as swtpm: commands on a socket of their own, all
 * else on its control channel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sys/socket.h>

#include "backends/swtpm.h"
#include "backends/tpm.h"
#include "chardev/chardev.h"

#define INIT_DELETE_VOLATILE BIT(0)
#define STORAGE_RETRIES      10
#define NEEDED_1_2                                                                                 \
    (SWTPM_CAN_INIT | SWTPM_CAN_SHUTDOWN | SWTPM_CAN_GET_ESTABLISHED | SWTPM_CAN_SET_LOCALITY |    \
     SWTPM_CAN_SET_DATAFD | SWTPM_CAN_STOP | SWTPM_CAN_SET_BUFFERSIZE)
#define NEEDED_2_0 (NEEDED_1_2 | SWTPM_CAN_RESET_ESTABLISHED)

typedef struct TpmEmulator {
    TpmBackend parent;
    char *chardev;
    Swtpm control;
    int data_fd;           /* -1: none */
    uint64_t capabilities;
    int locality;          /* that it was told; -1: none. The worker's, or nobody's */
} TpmEmulator;
DECLARE_CAST(TpmEmulator, TPM_EMULATOR)

/* --- opening --- */

static bool open_data(TpmEmulator *s, Error **errp)
{
    int ends[2];
    bool is_ok;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        return error_set_errno(errp, errno, "cannot make a socket");
    }
    is_ok = swtpm_send_data_fd(&s->control, ends[1], errp);
    close(ends[1]);
    s->data_fd = ends[0];
    return is_ok;
}

static bool check_abilities(TpmEmulator *s, Error **errp)
{
    uint64_t needed;

    s->parent.version = tpm_probe_version(s->data_fd);
    if (s->parent.version == TPM_VERSION_NONE) {
        return error_set(errp, "the emulator's answers are no TPM's");
    }
    needed = s->parent.version == TPM_VERSION_2_0 ? NEEDED_2_0 : NEEDED_1_2;
    return !(needed & ~s->capabilities) ||
           error_set(errp, "the TPM emulator lacks abilities 0x%" PRIx64,
                     needed & ~s->capabilities);
}

static void emulator_close(TpmEmulator *s)
{
    swtpm_close(&s->control);
    if (s->data_fd >= 0) {
        close(s->data_fd);
        s->data_fd = -1;
    }
}

static bool emulator_open(TpmBackend *tpm, Error **errp)
{
    TpmEmulator *s = TPM_EMULATOR(tpm);
    Chardev *chr;

    if (!s->chardev) {
        return error_set(errp, "tpm-emulator: parameter 'chardev' is missing");
    }
    chr = chardev_find(s->chardev);
    if (!chr) {
        return error_set(errp, "tpm-emulator: tpm chardev '%s' not found", s->chardev);
    }
    if (!swtpm_open(&s->control, chr, errp) || !open_data(s, errp) ||
        !swtpm_get_capabilities(&s->control, &s->capabilities, errp) ||
        !check_abilities(s, errp)) {
        emulator_close(s);
        error_prefix(errp, "tpm-emulator: ");
        return false;
    }
    return true;
}

/* --- commands --- */

static bool can(const TpmEmulator *s, uint64_t ability)
{
    return s->capabilities & ability;
}

static bool set_buffer_size(TpmEmulator *s, Error **errp)
{
    uint32_t wanted = s->parent.user->buffer_bytes, answer[4];

    if (!swtpm_call_words(&s->control, SWTPM_SET_BUFFERSIZE, &wanted, 1, answer, 4, errp)) {
        return false;
    }
    return answer[1] <= wanted ||
           error_set(errp, "the TPM emulator needs buffers of %" PRIu32 " bytes, its device has %"
                     PRIu32, answer[1], wanted);
}

static bool emulator_start(TpmBackend *tpm, bool is_resumed, Error **errp)
{
    TpmEmulator *s = TPM_EMULATOR(tpm);
    uint32_t flags = is_resumed ? INIT_DELETE_VOLATILE : 0, result;

    s->locality = -1;
    return (is_resumed || swtpm_call_plain(&s->control, SWTPM_STOP, errp)) &&
           set_buffer_size(s, errp) &&
           swtpm_call_words(&s->control, SWTPM_INIT, &flags, 1, &result, 1, errp);
}

static bool set_locality(TpmEmulator *s, uint8_t locality)
{
    uint32_t argument = (uint32_t)locality << 24, result;

    if (s->locality != locality &&
        swtpm_call_words(&s->control, SWTPM_SET_LOCALITY, &argument, 1, &result, 1, NULL)) {
        s->locality = locality;
    }
    return s->locality == locality;
}

static bool emulator_carry_out(TpmBackend *tpm, TpmRequest *request)
{
    TpmEmulator *s = TPM_EMULATOR(tpm);

    if (set_locality(s, request->locality)) {
        return tpm_exchange(s->data_fd, tpm->version, request);
    }
    tpm_write_failure(tpm->version, request->buffer, &request->answer_bytes);
    return false;
}

static void emulator_cancel(TpmBackend *tpm)
{
    TpmEmulator *s = TPM_EMULATOR(tpm);
    g_autoptr(Error) err = NULL;

    if (can(s, SWTPM_CAN_CANCEL) && !swtpm_call_plain(&s->control, SWTPM_CANCEL, &err)) {
        warn_report("tpm-emulator: %s", error_text(err));
        /* No answer will come: whoever waits is told so. */
        shutdown(s->data_fd, SHUT_RDWR);
    }
}

static bool emulator_get_established(TpmBackend *tpm)
{
    uint8_t answer[8];
    Swtpm *control = &TPM_EMULATOR(tpm)->control;

    /* The result, then the bit. */
    return swtpm_call(control, SWTPM_GET_ESTABLISHED, NULL, (SwtpmBytes){ answer, 8 }, NULL) &&
           !answer[0] && !answer[1] && !answer[2] && !answer[3] && answer[4];
}

static bool emulator_reset_established(TpmBackend *tpm, uint8_t locality)
{
    uint32_t argument = (uint32_t)locality << 24, result;

    return can(TPM_EMULATOR(tpm), SWTPM_CAN_RESET_ESTABLISHED) &&
           swtpm_call_words(&TPM_EMULATOR(tpm)->control, SWTPM_RESET_ESTABLISHED, &argument, 1,
                            &result, 1, NULL);
}

/* --- migration --- */

static bool emulator_save(TpmBackend *tpm, TpmStatePart parts[TPM_STATE_PARTS], Error **errp)
{
    TpmEmulator *s = TPM_EMULATOR(tpm);

    if (!can(s, SWTPM_CAN_GET_STATEBLOB) || !can(s, SWTPM_CAN_SET_STATEBLOB)) {
        return error_set(errp, "the TPM emulator cannot be migrated");
    }
    for (uint32_t i = 0; i < TPM_STATE_PARTS; i++) {
        g_clear_pointer(&parts[i].bytes, g_free);
        if (!swtpm_get_blob(&s->control, i + 1, &parts[i].flags, &parts[i].bytes, &parts[i].size,
                            TPM_STATE_BYTES_MAX, errp)) {
            return false;
        }
    }
    return true;
}

static bool emulator_load(TpmBackend *tpm, const TpmStatePart parts[TPM_STATE_PARTS],
                          Error **errp)
{
    TpmEmulator *s = TPM_EMULATOR(tpm);

    if (!swtpm_call_plain(&s->control, SWTPM_STOP, errp)) {
        return false;
    }
    for (uint32_t i = 0; i < TPM_STATE_PARTS; i++) {
        if (parts[i].size && !swtpm_set_blob(&s->control, i + 1, parts[i].flags, parts[i].bytes,
                                             parts[i].size, errp)) {
            return false;
        }
    }
    return true;
}

static void emulator_take_back(TpmBackend *tpm)
{
    TpmEmulator *s = TPM_EMULATOR(tpm);
    uint32_t retries = STORAGE_RETRIES, result;
    g_autoptr(Error) err = NULL;

    if (can(s, SWTPM_CAN_LOCK_STORAGE) &&
        !swtpm_call_words(&s->control, SWTPM_LOCK_STORAGE, &retries, 1, &result, 1, &err)) {
        warn_report("tpm-emulator: %s", error_text(err));
    }
}

static TpmTypeOptions *emulator_options(TpmBackend *tpm)
{
    TpmTypeOptions *options = g_new0(TpmTypeOptions, 1);

    options->type = TPM_TYPE_EMULATOR;
    options->u.emulator.data = g_new0(TPMEmulatorOptions, 1);
    options->u.emulator.data->chardev = g_strdup(TPM_EMULATOR(tpm)->chardev);
    return options;
}

/* --- life --- */

static void emulator_init(Object *obj)
{
    TPM_EMULATOR(obj)->data_fd = -1;
}

static void emulator_finalize(Object *obj)
{
    TpmEmulator *s = TPM_EMULATOR(obj);

    if (s->data_fd >= 0) {
        swtpm_call_plain(&s->control, SWTPM_SHUTDOWN, NULL);
    }
    emulator_close(s);
}

static const Property emulator_props[] = {
    PROP_STR("chardev", TpmEmulator, chardev, .doc = "The control channel: a Unix socket"),
};

static const TpmBackendType emulator_type = {
    .name = "tpm-emulator",
    .doc = "TPM emulator backend driver",
    .parent = TYPE_TPM_BACKEND,
    .size = sizeof(TpmEmulator),
    .properties = PROPERTIES(emulator_props),
    .init = emulator_init,
    .finalize = emulator_finalize,
    .kind = TPM_TYPE_EMULATOR,
    .open = emulator_open,
    .start = emulator_start,
    .carry_out = emulator_carry_out,
    .cancel = emulator_cancel,
    .get_established = emulator_get_established,
    .reset_established = emulator_reset_established,
    .save = emulator_save,
    .load = emulator_load,
    .take_back = emulator_take_back,
    .options = emulator_options,
};
OBJECT_TYPE(emulator_type)
