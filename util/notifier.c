/*
 * Notifier lists: see util/notifier.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/notifier.h"

/* A telling under way: whom it still has to tell. Removal takes entries out of it. */
typedef struct NotifierCursor {
    GPtrArray *left;
    struct NotifierCursor *outer;
} NotifierCursor;

void notifier_add(NotifierList *list, Notifier *notifier)
{
    Notifier **at = &list->first;

    assert(!notifier->list);
    while (*at && (*at)->priority >= notifier->priority) {
        at = &(*at)->next;
    }
    notifier->list = list;
    notifier->next = *at;
    *at = notifier;
}

void notifier_remove(Notifier *notifier)
{
    NotifierList *list = notifier->list;
    Notifier **at;

    if (!list) {
        return;
    }
    for (at = &list->first; *at != notifier; at = &(*at)->next) {
        assert(*at);
    }
    *at = notifier->next;
    for (NotifierCursor *c = list->cursor; c; c = c->outer) {
        g_ptr_array_remove(c->left, notifier);
    }
    notifier->list = NULL;
    notifier->next = NULL;
}

static void tell(NotifierList *list, void *data, bool is_reverse)
{
    NotifierCursor cursor = { g_ptr_array_new(), list->cursor };

    for (Notifier *n = list->first; n; n = n->next) {
        g_ptr_array_insert(cursor.left, is_reverse ? -1 : 0, n);
    }
    list->cursor = &cursor;
    while (cursor.left->len > 0) {
        Notifier *n = g_ptr_array_steal_index(cursor.left, cursor.left->len - 1);

        n->fn(n, data);
    }
    list->cursor = cursor.outer;
    g_ptr_array_unref(cursor.left);
}

void notifier_tell(NotifierList *list, void *data)
{
    tell(list, data, false);
}

void notifier_tell_reverse(NotifierList *list, void *data)
{
    tell(list, data, true);
}
