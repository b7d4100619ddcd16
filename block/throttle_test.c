/*
 * Limits: how much passes in how long, who comes when, and what ends a wait early. Time is told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "block/block_clock.h"
#include "block/driver.h"
#include "block/throttle.h"
#include "block/throttle_group.h"
#include "qom/user_creatable.h"

/* --- a clock that is told the time --- */

struct BlockTimer {
    void (*fn)(void *opaque);
    void *opaque;
    int64_t deadline_ns; /* INT64_MAX: not armed */
};

static int64_t now_ns;
static GPtrArray *timers;

static int64_t told_now_ns(void)
{
    return __atomic_load_n(&now_ns, __ATOMIC_RELAXED);
}

static BlockTimer *told_timer_new(void (*fn)(void *opaque), void *opaque)
{
    BlockTimer *timer = g_new0(BlockTimer, 1);

    *timer = (BlockTimer){ fn, opaque, INT64_MAX };
    g_ptr_array_add(timers, timer);
    return timer;
}

static void told_timer_free(BlockTimer *timer)
{
    g_ptr_array_remove(timers, timer);
    g_free(timer);
}

static void told_timer_arm(BlockTimer *timer, int64_t delay_ns)
{
    timer->deadline_ns = now_ns + delay_ns;
}

static bool fire_first(int64_t until_ns)
{
    BlockTimer *first = NULL;

    for (guint i = 0; i < timers->len; i++) {
        BlockTimer *timer = timers->pdata[i];

        first = first && first->deadline_ns <= timer->deadline_ns ? first : timer;
    }
    if (!first || first->deadline_ns > until_ns) {
        return false;
    }
    now_ns = first->deadline_ns;
    first->deadline_ns = INT64_MAX;
    first->fn(first->opaque);
    return true;
}

static void pass_ms(int64_t ms)
{
    int64_t until_ns = now_ns + ms * NS_PER_MS;

    while (fire_first(until_ns)) {
    }
    now_ns = until_ns;
    while (event_loop_run_once(event_loop_main(), false)) {
    }
}

/* --- buckets --- */

/* How many requests of `bytes` pass from now on in so many milliseconds. */
static unsigned count(Throttle *throttle, bool is_write, uint64_t bytes, int64_t ms)
{
    int64_t at_ns = throttle->now_ns, end_ns = at_ns + ms * NS_PER_MS;
    unsigned passed = 0;

    for (;; passed++) {
        at_ns += throttle_wait_ns(throttle, is_write, at_ns);
        if (at_ns > end_ns) {
            return passed;
        }
        throttle_pour(throttle, is_write, bytes);
    }
}

static Throttle with(const char *text)
{
    g_autoptr(JsonObject) json = NULL;
    g_autoptr(Error) err = NULL;
    Throttle throttle;
    IoLimits limits;

    g_assert_true(json_parse(text, strlen(text), &json, NULL));
    io_limits_init(&limits);
    io_limits_take(&limits, json, false);
    io_limits_check(&limits, &err);
    g_assert_null(err);
    throttle_set(&throttle, &limits, 5);
    return throttle;
}

static void test_rates(void)
{
    const struct {
        const char *limits;
        bool is_write;
        uint64_t bytes;
        unsigned least, most; /* in ten seconds */
    } cases[] = {
        { "{'iops-total':100}", false, 4096, 1009, 1012 },
        { "{'iops-read':100}", false, 4096, 1009, 1012 },
        { "{'iops-total':50,'iops-size':4096}", true, 4 * 4096, 125, 128 },
        { "{'iops-total':50,'iops-size':4096}", true, 512, 504, 507 },
        { "{'bps-total':409600}", true, 4096, 1009, 1012 },
        { "{'bps-write':409600,'iops-write':10}", true, 4096, 100, 103 },
        { "{'bps-write':409600,'iops-read':10}", true, 4096, 1009, 1012 },
        /* A burst fills the bucket at once; one of five seconds at its own rate. */
        { "{'iops-total':100,'iops-total-max':400}", false, 512, 1399, 1402 },
        { "{'iops-total':100,'iops-total-max':400,'iops-total-max-length':5}", false, 512, 2990,
          3005 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Throttle throttle = with(cases[i].limits);
        unsigned passed = count(&throttle, cases[i].is_write, cases[i].bytes, 10000);

        g_assert_cmpuint(passed, >=, cases[i].least);
        g_assert_cmpuint(passed, <=, cases[i].most);
    }
}

static void test_other_direction(void)
{
    Throttle throttle = with("{'iops-write':1,'bps-write':1}");

    throttle_pour(&throttle, true, 1 * MiB);
    g_assert_cmpint(throttle_wait_ns(&throttle, true, throttle.now_ns), >, NS_PER_SEC);
    g_assert_cmpint(throttle_wait_ns(&throttle, false, throttle.now_ns), ==, 0);
}

static void test_burst_of_seconds(void)
{
    Throttle throttle =
        with("{'iops-total':100,'iops-total-max':400,'iops-total-max-length':5}");

    /* Not all at once: as fast as a burst may be. */
    g_assert_cmpuint(count(&throttle, false, 512, 1000), <, 450);
}

/* --- groups --- */

typedef struct Sent {
    BlockRequest request;
    struct iovec iov;
    char *order;  /* takes its letter when it ends */
    char letter;
} Sent;

static void sent_ended(BlockRequest *request, int error)
{
    Sent *sent = container_of(request, Sent, request);

    g_assert_cmpint(error, ==, 0);
    sent->order[strlen(sent->order)] = sent->letter;
}

static void send(BlockNode *node, Sent *sent, char letter, char *order)
{
    static char buf[512];

    *sent = (Sent){ .iov = { buf, sizeof(buf) }, .order = order, .letter = letter };
    sent->request.io = (BlockIo){ BLOCK_READ, 0, 0, sizeof(buf), &sent->iov, 1 };
    sent->request.done = sent_ended;
    block_submit(node, &sent->request);
}

static void add_group(const char *limits)
{
    g_autofree char *text = g_strdup_printf("{'qom-type':'throttle-group','id':'g','limits':%s}",
                                            limits);
    g_autoptr(JsonObject) json = NULL;

    g_assert_true(json_parse(text, strlen(text), &json, NULL));
    g_assert_nonnull(user_creatable_add(json, PROPERTY_TYPED, NULL));
}

static BlockNode *open_node(void)
{
    const char *text = "{'driver':'throttle','throttle-group':'g','file':{'driver':'null-co'}}";
    g_autoptr(BlockdevOptions) options = NULL;
    g_autoptr(JsonObject) json = NULL;
    BlockNode *node;

    g_assert_true(json_parse(text, strlen(text), &json, NULL));
    options = blockdev_options_from_json(json, QAPI_TYPED, NULL);
    node = block_open(options, NULL);
    g_assert_nonnull(node);
    return node;
}

static void test_turns(void)
{
    char order[20] = "";
    Sent sent[12];
    BlockNode *a, *b;

    add_group("{'iops-read':10}");
    a = open_node();
    b = open_node();
    for (unsigned i = 0; i < 8; i++) {
        send(a, &sent[i], 'a', order);
    }
    for (unsigned i = 8; i < 10; i++) {
        send(b, &sent[i], 'b', order);
    }
    g_assert_cmpstr(order, ==, "aa");
    pass_ms(101);
    g_assert_cmpstr(order, ==, "aaa");
    pass_ms(400);
    g_assert_cmpstr(order, ==, "aaababa");
    pass_ms(300);
    g_assert_cmpstr(order, ==, "aaababaaaa");
    block_node_unref(a);
    block_node_unref(b);
    g_assert_true(user_creatable_del("g", NULL));
}

static void test_hurry_and_set(void)
{
    g_autoptr(Error) err = NULL;
    char order[20] = "";
    Sent sent[6];
    IoLimits limits;
    BlockNode *node;

    add_group("{'iops-total':1}");
    node = open_node();
    for (unsigned i = 0; i < 4; i++) {
        send(node, &sent[i], 'r', order);
    }
    pass_ms(0);
    g_assert_cmpstr(order, ==, "r");
    node->driver->hurry(node, true);
    pass_ms(0);
    g_assert_cmpstr(order, ==, "rrrr");
    node->driver->hurry(node, false);
    send(node, &sent[4], 's', order);
    pass_ms(1000);
    g_assert_cmpstr(order, ==, "rrrr");
    io_limits_init(&limits);
    throttle_group_set(throttle_group_find("g"), &limits);
    pass_ms(0);
    g_assert_cmpstr(order, ==, "rrrrs");
    g_assert_false(user_creatable_del("g", &err));
    block_node_unref(node);
    g_assert_true(user_creatable_del("g", NULL));
}

static bool has_read;

/* How long it took. */
static gpointer read_three(gpointer opaque)
{
    int64_t since_ns = told_now_ns();
    char buf[512];

    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpint(block_read(opaque, 0, buf, sizeof(buf)), ==, 0);
    }
    since_ns = told_now_ns() - since_ns;
    __atomic_store_n(&has_read, true, __ATOMIC_RELEASE);
    return GSIZE_TO_POINTER(since_ns);
}

/* A thread that blocks goes on when its time has come, though no loop runs timers. */
static void test_blocking(void)
{
    BlockNode *node;
    GThread *thread;

    add_group("{'iops-total':10}");
    node = open_node();
    thread = g_thread_new("reads", read_three, node);
    while (!__atomic_load_n(&has_read, __ATOMIC_ACQUIRE)) {
        __atomic_add_fetch(&now_ns, NS_PER_MS, __ATOMIC_RELAXED);
        g_thread_yield();
    }
    g_assert_cmpuint(GPOINTER_TO_SIZE(g_thread_join(thread)), >=, 100 * NS_PER_MS);
    block_node_unref(node);
    g_assert_true(user_creatable_del("g", NULL));
}

int main(int argc, char **argv)
{
    static const BlockClock clock = { false, told_now_ns, told_timer_new, told_timer_free,
                                      told_timer_arm };

    g_test_init(&argc, &argv, NULL);
    event_loop_main();
    timers = g_ptr_array_new();
    block_set_clock(&clock);
    g_test_add_func("/throttle/rates", test_rates);
    g_test_add_func("/throttle/other-direction", test_other_direction);
    g_test_add_func("/throttle/burst-of-seconds", test_burst_of_seconds);
    g_test_add_func("/throttle/turns", test_turns);
    g_test_add_func("/throttle/hurry", test_hurry_and_set);
    g_test_add_func("/throttle/blocking", test_blocking);
    return g_test_run();
}
