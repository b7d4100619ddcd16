/*
 * One SMBIOS structure after another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/smbios_writer.h"

GByteArray *smbios_begin(SmbiosWriter *w, uint8_t type, uint16_t handle)
{
    w->start = w->out->len;
    g_ptr_array_set_size(w->strings, 0);
    bytes_pack(w->out, "112", type, 0 /* length */, handle);
    return w->out;
}

void smbios_put_string(SmbiosWriter *w, const char *text)
{
    bool is_there = text && text[0] && w->strings->len < UINT8_MAX;

    if (is_there) {
        g_ptr_array_add(w->strings, (char *)text);
    }
    bytes_put_le(w->out, is_there ? w->strings->len : 0, 1);
}

void smbios_end(SmbiosWriter *w, unsigned length)
{
    assert(w->out->len - w->start == length);
    bytes_set_le(w->out, w->start + 1, length, 1);
    for (guint i = 0; i < w->strings->len; i++) {
        const char *text = w->strings->pdata[i];

        g_byte_array_append(w->out, (const uint8_t *)text, strlen(text) + 1);
    }
    bytes_put_zero(w->out, w->strings->len ? 1 : 2);
    w->count++;
    w->largest = MAX(w->largest, w->out->len - w->start);
}
