/*
 * QMP commands about chardevs, and the text of "info chardev".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "chardev/backend.h"
#include "chardev/kinds.h"
#include "qapi/qapi-commands-char.h"

static void collect(void *opaque, Object *child)
{
    g_ptr_array_add(opaque, child);
}

/* Borrowed chardevs in the order of the tree; unref the array. */
static GPtrArray *all_chardevs(void)
{
    GPtrArray *all = g_ptr_array_new();

    object_each_child(object_container("/chardevs"), collect, all);
    return all;
}

ChardevInfoArray *qmp_query_chardev(Error **errp)
{
    g_autoptr(GPtrArray) all = all_chardevs();
    ChardevInfoArray *list = g_new0(ChardevInfoArray, 1);

    list->items = g_new0(ChardevInfo *, all->len);
    for (guint i = 0; i < all->len; i++) {
        Chardev *chr = all->pdata[i];
        ChardevInfo *info = g_new0(ChardevInfo, 1);

        info->label = g_strdup(chr->label);
        info->filename = chardev_filename(chr);
        info->frontend_open = chr->frontend && chr->frontend->is_open;
        list->items[list->count++] = info;
    }
    return list;
}

ChardevBackendInfoArray *qmp_query_chardev_backends(Error **errp)
{
    ChardevBackendInfoArray *list = g_new0(ChardevBackendInfoArray, 1);
    size_t count = 0;

    while (chardev_kinds[count].name) {
        count++;
    }
    list->items = g_new0(ChardevBackendInfo *, count);
    for (const ChardevKind *kind = chardev_kinds; kind->name; kind++) {
        if (!kind->deprecated_for) {
            ChardevBackendInfo *info = g_new0(ChardevBackendInfo, 1);

            info->name = g_strdup(kind->name);
            list->items[list->count++] = info;
        }
    }
    return list;
}

/* What adding or changing gave; `chr` NULL: it failed. */
static ChardevReturn *result_of(Chardev *chr)
{
    ChardevReturn *ret;

    if (!chr) {
        return NULL;
    }
    ret = g_new0(ChardevReturn, 1);
    ret->pty = g_strdup(chardev_pty_path(chr));
    return ret;
}

ChardevReturn *qmp_chardev_add(const char *id, const ChardevBackend *backend, Error **errp)
{
    return result_of(chardev_add(id, backend, errp));
}

ChardevReturn *qmp_chardev_change(const char *id, const ChardevBackend *backend, Error **errp)
{
    return result_of(chardev_change(id, backend, errp));
}

bool qmp_chardev_remove(const char *id, Error **errp)
{
    return chardev_remove(id, errp);
}

bool qmp_chardev_send_break(const char *id, Error **errp)
{
    Chardev *chr = chardev_get(id, errp);

    if (!chr) {
        return false;
    }
    chardev_send_break(chr);
    return true;
}

char *chardev_info(void)
{
    g_autoptr(GPtrArray) all = all_chardevs();
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < all->len; i++) {
        g_autofree char *filename = chardev_filename(all->pdata[i]);

        g_string_append_printf(text, "%s: filename=%s\n", CHARDEV(all->pdata[i])->label, filename);
    }
    return g_string_free(text, FALSE);
}
