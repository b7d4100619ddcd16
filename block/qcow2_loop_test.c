/*
 * qcow2 in a loop: many requests at once, some that workers do, some that begin and end where they
 * are; none waits for ever, and what is written is read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "block/loop.h"
#include "block/qcow2.h"
#include "block/qcow2_test_image.h"
#include "block/uring.h"
#include "util/thread_pool.h"

#define AT_ONCE 48

typedef struct Submitted {
    BlockRequest request;
    struct iovec iov;
    unsigned *left;
    uint8_t bytes[64 * KiB];
} Submitted;

static void submitted_ended(BlockRequest *request, int error)
{
    g_assert_cmpint(error, ==, 0);
    (*((Submitted *)request)->left)--;
}

static bool is_none_left(void *opaque)
{
    return !*(unsigned *)opaque;
}

static void submit(BlockNode *node, Submitted *s, BlockOp op, uint64_t offset, uint64_t bytes, unsigned *left)
{
    s->iov = (struct iovec){ s->bytes, bytes };
    s->request = (BlockRequest){ .io = { op, 0, offset, bytes, &s->iov, 1 }, .done = submitted_ended,
                                 .loop = event_loop_main() };
    s->left = left;
    ++*left;
    block_submit(node, &s->request);
}

static void wait_for_all(unsigned *left)
{
    block_loop_wait(block_loop_of(event_loop_main()), is_none_left, left);
}

/* Whole clusters and parts of others, side by side; a flush between, and then all is read. */
static void test_submitted(gconstpointer rest)
{
    enum { PLACES = 96 };
    uint64_t size = PLACES * 64 * KiB;
    g_autofree char *path = image_new("a.qcow2", size, rest);
    g_autofree Submitted *many = g_new(Submitted, AT_ONCE);
    Shadow shadow = { image_open(path, ""), g_malloc0(size), size };

    for (unsigned round = 0; round < 12; round++) {
        unsigned left = 0, places[PLACES];

        for (unsigned i = 0; i < PLACES; i++) {
            unsigned other = g_random_int_range(0, i + 1);

            places[i] = places[other];
            places[other] = i;
        }
        for (unsigned i = 0; i < AT_ONCE; i++) {
            bool is_part = g_random_int_range(0, 3) == 0;
            uint64_t bytes = is_part ? 4 * KiB : 64 * KiB;
            uint64_t at = places[i] * 64 * KiB + (is_part ? g_random_int_range(0, 16) * 4 * KiB : 0);

            memset(many[i].bytes, 1 + (round * AT_ONCE + i) % 255, bytes);
            memcpy(shadow.bytes + at, many[i].bytes, bytes);
            submit(shadow.node, &many[i], BLOCK_WRITE, at, bytes, &left);
        }
        wait_for_all(&left);
        submit(shadow.node, &many[0], BLOCK_READ, places[0] * 64 * KiB, 64 * KiB, &left);
        wait_for_all(&left);
        g_assert_cmpmem(many[0].bytes, 64 * KiB, shadow.bytes + places[0] * 64 * KiB, 64 * KiB);
        g_assert_cmpint(round % 3 ? 0 : block_flush(shadow.node), ==, 0);
        shadow_check(&shadow);
    }
    shadow_check_reopened(&shadow, path);
    image_check(path);
}

/*
 * Each write is of another table, few of which are cached: workers read and write tables and hold the image's
 * lock for it, while writes of whole clusters begin and end in the loop. Nobody may wait in a ring.
 */
typedef struct Crowd {
    BlockNode *node;
    unsigned begun, left, end; /* end: of what is begun before a flush */
} Crowd;

typedef struct OfCrowd {
    BlockRequest request;
    Crowd *crowd;
    struct iovec iov;
    uint8_t *bytes;
} OfCrowd;

enum { CROWD = 64, CROWD_WRITES = 4000, CROWD_FLUSH = 80, CROWD_STEP = MiB + 4 * KiB };
#define CROWD_BYTES (4 * GiB)

static uint64_t crowd_place(unsigned n)
{
    return (uint64_t)n * CROWD_STEP % CROWD_BYTES;
}

static void submit_next(OfCrowd *one);

static void one_ended(BlockRequest *request, int error)
{
    OfCrowd *one = (OfCrowd *)request;

    g_assert_cmpint(error, ==, 0);
    one->crowd->left--;
    submit_next(one);
}

static void submit_next(OfCrowd *one)
{
    Crowd *crowd = one->crowd;
    unsigned n = crowd->begun;

    if (n == crowd->end) {
        return;
    }
    crowd->begun++;
    crowd->left++;
    memset(one->bytes, 1 + n % 255, 4 * KiB);
    one->iov = (struct iovec){ one->bytes, 4 * KiB };
    one->request = (BlockRequest){ .done = one_ended, .loop = event_loop_main(),
                                   .io = { BLOCK_WRITE, 0, crowd_place(n), 4 * KiB, &one->iov, 1 } };
    block_submit(crowd->node, &one->request);
}

static void check_crowd(BlockNode *node)
{
    uint8_t bytes[4 * KiB];

    for (unsigned n = 0; n < CROWD_WRITES; n++) {
        g_assert_cmpint(block_read(node, crowd_place(n), bytes, sizeof(bytes)), ==, 0);
        g_assert_cmpint(bytes[0], ==, 1 + n % 255);
        g_assert_cmpint(memcmp(bytes, bytes + 1, sizeof(bytes) - 1), ==, 0);
    }
}

static void test_crowd(gconstpointer rest)
{
    g_autofree char *path = image_new("a.qcow2", CROWD_BYTES, ",'cluster-size':4096");
    g_autoptr(Error) err = NULL;
    Crowd crowd = { 0 };
    OfCrowd many[CROWD];

    if (!block_uring_check(&err)) {
        g_test_skip(error_text(err));
        return;
    }
    crowd.node = image_open_text(&err, "{'driver':'qcow2','cache':{'direct':true},'l2-cache-size':32768,'cache-size':65536,"
                           "'file':{'driver':'file','filename':'%s','aio':'%s'}}", path,
                           (const char *)rest);
    if (!crowd.node) {
        g_test_skip(error_text(err));
        return;
    }
    for (unsigned i = 0; i < CROWD; i++) {
        many[i].crowd = &crowd;
        g_assert_cmpint(posix_memalign((void **)&many[i].bytes, 4 * KiB, 4 * KiB), ==, 0);
    }
    while (crowd.end < CROWD_WRITES) {
        crowd.end += CROWD_FLUSH;
        for (unsigned i = 0; i < CROWD; i++) {
            submit_next(&many[i]);
        }
        event_loop_run_until(event_loop_main(), is_none_left, &crowd.left);
        g_assert_cmpuint(crowd.begun, ==, crowd.end);
        many[0].request = (BlockRequest){ .io = { .op = BLOCK_FLUSH }, .done = one_ended, .loop = event_loop_main() };
        crowd.left++;
        block_submit(crowd.node, &many[0].request);
        event_loop_run_until(event_loop_main(), is_none_left, &crowd.left);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        free(many[i].bytes);
    }
    check_crowd(crowd.node);
    block_node_unref(crowd.node);
    crowd.node = image_open(path, "");
    check_crowd(crowd.node);
    block_node_unref(crowd.node);
    image_check(path);
}

static int wait_for_gate(void *gate)
{
    g_mutex_lock(gate);
    g_mutex_unlock(gate);
    return 0;
}

/* A request stands in the queue before the one whose cluster it then waits for; there is one worker. */
static void test_queued_before(void)
{
    g_autofree char *path = image_new("a.qcow2", MiB, "");
    g_autofree Submitted *two = g_new0(Submitted, 2);
    ThreadPool *pool = thread_pool_of(event_loop_main());
    BlockNode *node = image_open(path, "");
    unsigned left = 0;
    GMutex gate;

    g_assert_cmpint(block_write(node, 64 * KiB, two[0].bytes, 64 * KiB), ==, 0); /* tables are there */
    g_mutex_init(&gate);
    g_mutex_lock(&gate);
    thread_pool_set_limits(pool, 0, 1);
    thread_pool_submit(pool, wait_for_gate, NULL, &gate);
    submit(node, &two[0], BLOCK_WRITE, 4 * KiB, 4 * KiB, &left);
    submit(node, &two[1], BLOCK_WRITE, 0, 64 * KiB, &left);
    g_mutex_unlock(&gate);
    wait_for_all(&left);
    thread_pool_set_limits(pool, 0, THREAD_POOL_MAX_DEFAULT);
    block_node_unref(node);
    g_mutex_clear(&gate);
    image_check(path);
}

int main(int argc, char **argv)
{
    image_tests_begin(&argc, &argv);
    image_test_add("submitted", "", test_submitted);
    image_test_add("submitted", ",'extended-l2':true", test_submitted);
    image_test_add("submitted", ",'lazy-refcounts':true", test_submitted);
    image_test_add("submitted", ",'cluster-size':4096", test_submitted);
    g_test_add_data_func("/qcow2/crowd/io_uring", "io_uring", test_crowd);
    g_test_add_data_func("/qcow2/crowd/native", "native", test_crowd);
    g_test_add_func("/qcow2/queued-before", test_queued_before);
    return image_tests_run();
}
