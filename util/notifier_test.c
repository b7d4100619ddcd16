/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/notifier.h"

typedef struct Ear {
    Notifier notifier;
    char name;
    struct Ear *removes;
} Ear;

static void hear(Notifier *notifier, void *data)
{
    Ear *ear = container_of(notifier, Ear, notifier);

    g_string_append_c(data, ear->name);
    if (ear->removes) {
        notifier_remove(&ear->removes->notifier);
    }
}

static void expect(NotifierList *list, void (*tell)(NotifierList *, void *), const char *names)
{
    g_autoptr(GString) heard = g_string_new(NULL);

    tell(list, heard);
    g_assert_cmpstr(heard->str, ==, names);
}

static void test_order_and_removal(void)
{
    NotifierList list = { 0 };
    Ear a = { { hear }, 'a' }, b = { { hear, 5 }, 'b' }, c = { { hear }, 'c' };

    notifier_add(&list, &a.notifier);
    notifier_add(&list, &b.notifier);
    notifier_add(&list, &c.notifier);
    expect(&list, notifier_tell, "bac");
    expect(&list, notifier_tell_reverse, "cab");
    b.removes = &a;
    expect(&list, notifier_tell, "bc");
    c.removes = &c;
    expect(&list, notifier_tell_reverse, "cb");
    notifier_remove(&b.notifier);
    notifier_remove(&b.notifier);
    expect(&list, notifier_tell, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/notifier/order-and-removal", test_order_and_removal);
    return g_test_run();
}
