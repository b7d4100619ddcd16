/*
 * chardev-ringbuf: keeps the latest output for ringbuf-read; ringbuf-write puts into it as well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "chardev/backend.h"
#include "chardev/kinds.h"
#include "qapi/qapi-commands-char.h"

#define DEFAULT_SIZE_BYTES 65536

typedef struct CharRingbuf {
    Chardev parent;
    uint8_t *ring;              /* under write_lock, all of it */
    size_t size;                /* a power of two */
    size_t produced, consumed;  /* bytes so far */
} CharRingbuf;
DECLARE_CAST(CharRingbuf, CHAR_RINGBUF)

static ssize_t ringbuf_write(Chardev *chr, const uint8_t *bytes, size_t size)
{
    CharRingbuf *s = CHAR_RINGBUF(chr);

    for (size_t i = 0; i < size; i++) {
        s->ring[s->produced++ & (s->size - 1)] = bytes[i];
    }
    if (s->produced - s->consumed > s->size) {
        s->consumed = s->produced - s->size;
    }
    return size;
}

/* Takes at most `max` of the oldest bytes. */
static GByteArray *take(CharRingbuf *s, size_t max)
{
    GByteArray *bytes = g_byte_array_new();

    g_mutex_lock(&s->parent.write_lock);
    max = MIN(max, s->produced - s->consumed);
    for (size_t i = 0; i < max; i++) {
        g_byte_array_append(bytes, &s->ring[s->consumed++ & (s->size - 1)], 1);
    }
    g_mutex_unlock(&s->parent.write_lock);
    return bytes;
}

static bool ringbuf_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    const ChardevRingbuf *options = backend->u.ringbuf.data;
    CharRingbuf *s = CHAR_RINGBUF(chr);
    int64_t size = options->has_size ? options->size : DEFAULT_SIZE_BYTES;

    if (size <= 0 || (size & (size - 1))) {
        return error_set(errp, "size of ringbuf chardev must be power of two");
    }
    s->ring = g_try_malloc(size);
    if (!s->ring) {
        return error_set(errp, "Cannot allocate a ringbuf of %" PRId64 " bytes", size);
    }
    s->size = size;
    chardev_set_open(chr, true);
    return true;
}

static void ringbuf_finalize(Object *obj)
{
    g_free(CHAR_RINGBUF(obj)->ring);
}

const ChardevType chardev_ringbuf_type = {
    .name = TYPE_CHARDEV_RINGBUF,
    .doc = "A buffer that keeps the latest output",
    .parent = TYPE_CHARDEV,
    .size = sizeof(CharRingbuf),
    .finalize = ringbuf_finalize,
    .open = ringbuf_open,
    .write = ringbuf_write,
};
OBJECT_TYPE(chardev_ringbuf_type)

/* --- QMP --- */

static Chardev *find_ringbuf(const char *device, Error **errp)
{
    Chardev *chr = chardev_find(device);

    if (!chr) {
        error_set(errp, "Device '%s' not found", device);
        return NULL;
    }
    if (!object_is_a(chr, TYPE_CHARDEV_RINGBUF)) {
        error_set(errp, "%s is not a ringbuf device", device);
        return NULL;
    }
    return chr;
}

static bool is_base64(const char *text)
{
    size_t length = strlen(text);
    size_t digits = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789+/");

    return length % 4 == 0 && length - digits <= 2 && strspn(text + digits, "=") == length - digits;
}

bool qmp_ringbuf_write(const char *device, const char *data, bool has_format, DataFormat format,
                       Error **errp)
{
    Chardev *chr = find_ringbuf(device, errp);
    g_autofree uint8_t *bytes = NULL;
    gsize size;

    if (!chr) {
        return false;
    }
    if (!has_format || format != DATA_FORMAT_BASE64) {
        chardev_write_all(chr, (const uint8_t *)data, strlen(data));
        return true;
    }
    if (!is_base64(data)) {
        return error_set(errp, "Base64 data contains invalid characters");
    }
    bytes = g_base64_decode(data, &size);
    chardev_write_all(chr, bytes, size);
    return true;
}

char *qmp_ringbuf_read(const char *device, int64_t size, bool has_format, DataFormat format,
                       Error **errp)
{
    Chardev *chr = find_ringbuf(device, errp);
    g_autoptr(GByteArray) bytes = NULL;

    if (!chr) {
        return NULL;
    }
    if (size <= 0) {
        error_set(errp, "size must be greater than zero");
        return NULL;
    }
    bytes = take(CHAR_RINGBUF(chr), size);
    if (has_format && format == DATA_FORMAT_BASE64) {
        return g_base64_encode(bytes->data, bytes->len);
    }
    /* What is not UTF-8, NUL among it, becomes U+FFFD. */
    return g_utf8_make_valid(bytes->len ? (const char *)bytes->data : "", bytes->len);
}
