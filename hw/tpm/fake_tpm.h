/*
 * A TPM back end for tests of TPM devices: it answers each command with its own bytes and the tag of
 * an answer, in a worker, when it is let. Included by test programs only, once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_TPM_FAKE_TPM_H
#define HW_TPM_FAKE_TPM_H

#include "backends/tpm.h"
#include "util/byte_order.h"
#include "util/event_loop.h"

static struct {
    GMutex lock;
    GCond changed;
    bool is_held, is_cancelled, is_established;
    uint8_t locality;
    unsigned starts, resumes, commands;
    uint32_t code; /* of the answers */
} fake;

static bool fake_open(TpmBackend *tpm, Error **errp)
{
    tpm->version = TPM_VERSION_2_0;
    return true;
}

static bool fake_start(TpmBackend *tpm, bool is_resumed, Error **errp)
{
    fake.starts += !is_resumed;
    fake.resumes += is_resumed;
    return true;
}

static bool fake_carry_out(TpmBackend *tpm, TpmRequest *request)
{
    g_mutex_lock(&fake.lock);
    while (fake.is_held && !fake.is_cancelled) {
        g_cond_wait(&fake.changed, &fake.lock);
    }
    fake.is_cancelled = false;
    g_mutex_unlock(&fake.lock);
    fake.locality = request->locality;
    fake.commands++;
    store_be16(request->buffer, 0x8001);
    store_be32(request->buffer + 6, fake.code);
    request->answer_bytes = request->command_bytes;
    return true;
}

static void fake_cancel(TpmBackend *tpm)
{
    g_mutex_lock(&fake.lock);
    fake.is_cancelled = true;
    g_cond_signal(&fake.changed);
    g_mutex_unlock(&fake.lock);
}

static bool fake_get_established(TpmBackend *tpm)
{
    return fake.is_established;
}

static bool fake_reset_established(TpmBackend *tpm, uint8_t locality)
{
    fake.is_established = false;
    return true;
}

static bool fake_save(TpmBackend *tpm, TpmStatePart parts[TPM_STATE_PARTS], Error **errp)
{
    tpm_state_clear(parts);
    parts[TPM_STATE_VOLATILE] = (TpmStatePart){ (uint8_t *)g_strdup("state"), 6, 1 };
    return true;
}

static bool fake_load(TpmBackend *tpm, const TpmStatePart parts[TPM_STATE_PARTS], Error **errp)
{
    return (parts[TPM_STATE_VOLATILE].size == 6 && !parts[TPM_STATE_PERMANENT].size &&
            !strcmp((char *)parts[TPM_STATE_VOLATILE].bytes, "state")) ||
           error_set(errp, "not the state");
}

static const TpmBackendType fake_type = {
    .name = "tpm-fake",
    .doc = "A TPM of a test",
    .parent = TYPE_TPM_BACKEND,
    .open = fake_open,
    .start = fake_start,
    .carry_out = fake_carry_out,
    .cancel = fake_cancel,
    .get_established = fake_get_established,
    .reset_established = fake_reset_established,
    .save = fake_save,
    .load = fake_load,
};
OBJECT_TYPE(fake_type)

/* Makes "tpm0". */
static inline void fake_tpm_add(void)
{
    g_autoptr(JsonObject) options = json_object_new_object();

    json_set(options, "type", json_string("fake"));
    json_set(options, "id", json_string("tpm0"));
    g_assert_true(tpm_backend_add(options, NULL));
}

static inline bool fake_tpm_is_idle(void *opaque)
{
    return !tpm_backend_is_busy(tpm_backend_find("tpm0"));
}

static inline void fake_tpm_wait(void)
{
    event_loop_run_until(event_loop_main(), fake_tpm_is_idle, NULL);
}

#endif
