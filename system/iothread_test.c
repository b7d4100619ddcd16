/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/iothread.h"

#include "qapi/qapi-commands-misc.h"
#include "qom/user_creatable.h"
#include "system/machine_lock.h"
#include "util/thread.h"

static Object *add(const char *text, Error **errp)
{
    json_object *options;
    char *why;
    Object *obj;

    g_assert_true(json_parse(text, strlen(text), &options, &why));
    obj = user_creatable_add(options, PROPERTY_TYPED, errp);
    json_unref(options);
    return obj;
}

static void note_thread(void *opaque)
{
    __atomic_store_n((int *)opaque, thread_id(), __ATOMIC_RELEASE);
}

static void test_object(void)
{
    Object *obj = add("{'qom-type': 'iothread', 'id': 'io1', 'poll-max-ns': 100}", NULL);
    g_autoptr(IOThreadInfoArray) infos = NULL;
    int id = 0;
    IoThread *t;

    g_assert_nonnull(obj);
    t = iothread_find("io1");
    g_assert_true((Object *)t == obj);
    g_assert_null(iothread_find("io2"));
    event_loop_defer(iothread_loop(t), note_thread, &id);
    while (__atomic_load_n(&id, __ATOMIC_ACQUIRE) == 0) {
        g_thread_yield();
    }
    g_assert_cmpint(id, ==, iothread_thread_id(t));
    g_assert_true(object_set_int(obj, "poll-max-ns", 0, NULL));
    g_assert_true(object_set_int(obj, "aio-max-batch", 7, NULL));
    infos = qmp_query_iothreads(NULL);
    g_assert_cmpuint(infos->count, ==, 1);
    g_assert_cmpstr(infos->items[0]->id, ==, "io1");
    g_assert_cmpint(infos->items[0]->thread_id, ==, id);
    g_assert_cmpint(infos->items[0]->poll_max_ns, ==, 0);
    g_assert_cmpint(infos->items[0]->aio_max_batch, ==, 7);
    g_assert_true(user_creatable_del("io1", NULL));
    g_assert_null(iothread_find("io1"));
}

static void test_limits(void)
{
    g_autoptr(Error) err = NULL;
    Object *obj;

    g_assert_null(add("{'qom-type': 'iothread', 'id': 'x', 'thread-pool-min': 65}", &err));
    g_assert_nonnull(strstr(error_text(err), "65 is more than 64"));
    g_assert_null(add("{'qom-type': 'iothread', 'id': 'x', 'poll-grow': -1}", NULL));
    g_assert_null(add("{'qom-type': 'iothread', 'id': 'x', 'thread-pool-max': 0}", NULL));
    obj = add("{'qom-type': 'iothread', 'id': 'x', 'thread-pool-min': 80, "
              "'thread-pool-max': 90}", NULL);
    g_assert_nonnull(obj);
    g_assert_false(object_set_int(obj, "thread-pool-max", 5, NULL));
    g_assert_cmpint(object_get_int(obj, "thread-pool-max"), ==, 90);
    g_assert_true(object_set_int(obj, "thread-pool-min", 0, NULL));
    g_assert_true(object_set_int(obj, "thread-pool-max", 5, NULL));
    g_assert_true(user_creatable_del("x", NULL));
}

static int sleep_a_little(void *opaque)
{
    g_usleep(2000);
    return 7;
}

static void note_done(void *opaque, int result)
{
    /* The end of an iothread does not wait for us with the machine lock. */
    MACHINE_LOCK_SCOPE();

    *(int *)opaque += result;
}

/* An iothread that goes has its jobs done and told before. */
static void test_end_with_jobs(void)
{
    IoThread *t = iothread_new("mon", NULL);
    int sum = 0;

    g_assert_nonnull(t);
    for (int i = 0; i < 10; i++) {
        thread_pool_submit(iothread_pool(t), sleep_a_little, note_done, &sum);
    }
    object_unref(t);
    g_assert_cmpint(sum, ==, 70);
}

static void test_main_loop(void)
{
    Object *obj = add("{'qom-type': 'main-loop', 'id': 'main', 'thread-pool-max': 2}", NULL);

    g_assert_nonnull(obj);
    g_assert_null(add("{'qom-type': 'main-loop', 'id': 'again'}", NULL));
    g_assert_false(user_creatable_del("main", NULL));
    user_creatable_cleanup();
    thread_pool_drop_of(event_loop_main());
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock_init_main();
    g_test_add_func("/iothread/object", test_object);
    g_test_add_func("/iothread/limits", test_limits);
    g_test_add_func("/iothread/end-with-jobs", test_end_with_jobs);
    g_test_add_func("/iothread/main-loop", test_main_loop);
    status = g_test_run();
    machine_unlock();
    return status;
}
