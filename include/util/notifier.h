/*
 * Notifiers: who wants to be told of something, in order of priority. An entry may remove itself
 * or any other while the list is told. Not locked: the list's owner says which lock guards it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_NOTIFIER_H
#define UTIL_NOTIFIER_H

/* Embed it; `fn` gets the notifier (use container_of) and what the list's owner sends. */
typedef struct Notifier {
    void (*fn)(struct Notifier *notifier, void *data);
    int priority; /* higher is told earlier; equal ones in the order they were added */
    struct NotifierList *list;
    struct Notifier *next;
} Notifier;

typedef struct NotifierList {
    Notifier *first;
    struct NotifierCursor *cursor; /* tellings under way */
} NotifierList;

void notifier_add(NotifierList *list, Notifier *notifier);
void notifier_remove(Notifier *notifier); /* one that is in no list is fine */
void notifier_tell(NotifierList *list, void *data);
/* The last one first: for taking down what was set up. */
void notifier_tell_reverse(NotifierList *list, void *data);

#endif
