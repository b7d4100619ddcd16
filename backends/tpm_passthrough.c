/*
 * tpm-passthrough: the host's TPM, by its device. It is shared with the host, which has turned it on
 * long before; a guest sees it as it is. What runs is cancelled through a file in sysfs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>

#include "backends/tpm.h"

#define DEVICE_DEFAULT "/dev/tpm0"

typedef struct TpmPassthrough {
    TpmBackend parent;
    char *path, *cancel_path;
    int fd, cancel_fd;
} TpmPassthrough;
DECLARE_CAST(TpmPassthrough, TPM_PASSTHROUGH)

static int open_cancel(const TpmPassthrough *s, const char *path)
{
    static const char *const classes[] = { "tpm", "misc" };
    g_autofree char *name = g_path_get_basename(path);

    if (s->cancel_path) {
        return open(s->cancel_path, O_WRONLY | O_CLOEXEC);
    }
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        g_autofree char *file = g_strdup_printf("/sys/class/%s/%s/device/cancel", classes[i], name);
        int fd = open(file, O_WRONLY | O_CLOEXEC);

        if (fd >= 0) {
            return fd;
        }
    }
    return -1;
}

static void passthrough_close(TpmPassthrough *s)
{
    if (s->fd >= 0) {
        close(s->fd);
    }
    if (s->cancel_fd >= 0) {
        close(s->cancel_fd);
    }
    s->fd = s->cancel_fd = -1;
}

static bool passthrough_open(TpmBackend *tpm, Error **errp)
{
    TpmPassthrough *s = TPM_PASSTHROUGH(tpm);
    const char *path = s->path ? s->path : DEVICE_DEFAULT;

    s->fd = open(path, O_RDWR | O_CLOEXEC);
    if (s->fd < 0) {
        return error_set_errno(errp, errno, "Cannot access TPM device using '%s'", path);
    }
    tpm->version = tpm_probe_version(s->fd);
    if (tpm->version == TPM_VERSION_NONE) {
        passthrough_close(s);
        return error_set(errp, "'%s' is not a TPM device", path);
    }
    s->cancel_fd = open_cancel(s, path);
    if (s->cancel_fd < 0) {
        passthrough_close(s);
        return error_set(errp, "no file to cancel commands of '%s' is found: name one with "
                         "'cancel-path', or /dev/null", path);
    }
    return true;
}

static bool passthrough_start(TpmBackend *tpm, bool is_resumed, Error **errp)
{
    return true;
}

static bool passthrough_carry_out(TpmBackend *tpm, TpmRequest *request)
{
    return tpm_exchange(TPM_PASSTHROUGH(tpm)->fd, tpm->version, request);
}

static void passthrough_cancel(TpmBackend *tpm)
{
    if (write(TPM_PASSTHROUGH(tpm)->cancel_fd, "-", 1) != 1) {
        warn_report("tpm-passthrough: cannot cancel a command: %s", g_strerror(errno));
    }
}

/* The host's to say, and it does not say. */
static bool passthrough_get_established(TpmBackend *tpm)
{
    return false;
}

static bool passthrough_reset_established(TpmBackend *tpm, uint8_t locality)
{
    return false;
}

static TpmTypeOptions *passthrough_options(TpmBackend *tpm)
{
    TpmTypeOptions *options = g_new0(TpmTypeOptions, 1);
    TPMPassthroughOptions *data = g_new0(TPMPassthroughOptions, 1);

    options->type = TPM_TYPE_PASSTHROUGH;
    options->u.passthrough.data = data;
    data->path = g_strdup(TPM_PASSTHROUGH(tpm)->path);
    data->cancel_path = g_strdup(TPM_PASSTHROUGH(tpm)->cancel_path);
    return options;
}

static void passthrough_init(Object *obj)
{
    TPM_PASSTHROUGH(obj)->fd = TPM_PASSTHROUGH(obj)->cancel_fd = -1;
}

static void passthrough_finalize(Object *obj)
{
    passthrough_close(TPM_PASSTHROUGH(obj));
}

static const Property passthrough_props[] = {
    PROP_STR("path", TpmPassthrough, path, .doc = "The host's device [" DEVICE_DEFAULT "]"),
    PROP_STR("cancel-path", TpmPassthrough, cancel_path, .doc = "The file that cancels a command"),
};

static const TpmBackendType passthrough_type = {
    .name = "tpm-passthrough",
    .doc = "Passthrough TPM backend driver",
    .parent = TYPE_TPM_BACKEND,
    .size = sizeof(TpmPassthrough),
    .properties = PROPERTIES(passthrough_props),
    .init = passthrough_init,
    .finalize = passthrough_finalize,
    .kind = TPM_TYPE_PASSTHROUGH,
    .open = passthrough_open,
    .start = passthrough_start,
    .carry_out = passthrough_carry_out,
    .cancel = passthrough_cancel,
    .get_established = passthrough_get_established,
    .reset_established = passthrough_reset_established,
    .options = passthrough_options,
};
OBJECT_TYPE(passthrough_type)
