/*
 * qcow2: what is written is read, now and after the image was closed, whatever the format's
 * options; beside a plain array that has the same done to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>

#include "block/create.h"
#include "block/loop.h"
#include "block/qcow2.h"
#include "block/uring.h"
#include "util/thread_pool.h"

#define IMAGE_BYTES (3 * MiB + 512)
#define STEPS       150

static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void make_file(const char *path)
{
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

static json_object *parse(const char *fmt, va_list ap)
{
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    json_object *json = NULL;

    g_assert_true(json_parse(text, strlen(text), &json, NULL));
    return json;
}

static BlockNode *open_text(Error **errp, const char *fmt, ...) PRINTF(2, 3);
static BlockNode *open_text(Error **errp, const char *fmt, ...)
{
    g_autoptr(BlockdevOptions) options = NULL;
    g_autoptr(JsonObject) json = NULL;
    va_list ap;

    va_start(ap, fmt);
    json = parse(fmt, ap);
    va_end(ap);
    options = blockdev_options_from_json(json, QAPI_TYPED, errp);
    g_assert_nonnull(options);
    return block_open(options, errp);
}

static bool create(Error **errp, const char *path, uint64_t bytes, const char *rest)
{
    g_autoptr(BlockdevCreateOptions) options = NULL;
    g_autofree char *text = g_strdup_printf("{'driver':'qcow2','size':%" PRIu64 ",'file':{"
                                            "'driver':'file','filename':'%s'}%s}", bytes, path,
                                            rest);
    g_autoptr(JsonObject) json = NULL;

    g_assert_true(json_parse(text, strlen(text), &json, NULL));
    options = blockdev_create_options_from_json(json, QAPI_TYPED, errp);
    g_assert_nonnull(options);
    return block_create(options, errp);
}

static BlockNode *open_image(const char *path, const char *rest)
{
    g_autoptr(Error) err = NULL;
    BlockNode *node = open_text(&err, "{'driver':'qcow2','discard':'unmap',"
                                "'cache':{'no-flush':true},'file':{'driver':'file','filename':"
                                "'%s'}%s}", path, rest);

    if (!node) {
        g_error("%s", error_text(err));
    }
    return node;
}

static char *new_image(const char *name, uint64_t bytes, const char *rest)
{
    char *path = path_of(name);
    g_autoptr(Error) err = NULL;

    make_file(path);
    if (!create(&err, path, bytes, rest)) {
        g_error("%s", error_text(err));
    }
    return path;
}

static void check_error(Error *err, const char *words)
{
    g_assert_nonnull(err);
    if (!strstr(error_text(err), words)) {
        g_error("'%s' does not say '%s'", error_text(err), words);
    }
    error_free(err);
}

/* Nothing is wrong, not even a leak. */
static void check_image(const char *path)
{
    g_autoptr(Error) err = NULL;
    BlockNode *node = open_text(&err, "{'driver':'qcow2','read-only':true,'file':{'driver':'file',"
                                "'filename':'%s'}}", path);
    BlockCheck result;

    g_assert_null(err);
    g_assert_cmpint(block_image_check(node, 0, &result), ==, 0);
    g_assert_cmpuint(result.corruptions, ==, 0);
    g_assert_cmpuint(result.leaks, ==, 0);
    g_assert_cmpuint(result.errors, ==, 0);
    block_node_unref(node);
}

/* --- beside a shadow --- */

typedef struct Shadow {
    BlockNode *node;
    uint8_t *bytes;
    uint64_t size;
} Shadow;

static void check_all(const Shadow *shadow)
{
    g_autofree uint8_t *got = g_malloc(shadow->size);

    g_assert_cmpint(block_read(shadow->node, 0, got, shadow->size), ==, 0);
    g_assert_cmpmem(got, shadow->size, shadow->bytes, shadow->size);
}

/* As it is on the disk; and the end of it. */
static void check_reopened(Shadow *shadow, const char *path)
{
    block_node_unref(shadow->node);
    shadow->node = open_image(path, "");
    check_all(shadow);
    block_node_unref(shadow->node);
    g_free(shadow->bytes);
}

static void random_range(const Shadow *shadow, uint64_t *offset, uint64_t *bytes)
{
    uint64_t most = g_random_boolean() ? 8192 : 300 * KiB;

    *offset = g_random_int_range(0, shadow->size);
    *bytes = g_random_int_range(1, most);
    *bytes = MIN(*bytes, shadow->size - *offset);
    if (g_random_boolean()) {
        *offset = ROUND_DOWN(*offset, 65536);
        *bytes = MIN(ROUND_UP(*bytes, 65536), shadow->size - *offset);
    }
}

static void do_write(Shadow *shadow, uint64_t offset, uint64_t bytes)
{
    memset(shadow->bytes + offset, g_random_int_range(1, 256), bytes);
    g_assert_cmpint(block_write(shadow->node, offset, shadow->bytes + offset, bytes), ==, 0);
}

static void do_zero(Shadow *shadow, uint64_t offset, uint64_t bytes)
{
    BlockIo io = { BLOCK_ZERO, g_random_boolean() ? BLOCK_MAY_UNMAP : 0, offset, bytes, NULL, 0 };

    memset(shadow->bytes + offset, 0, bytes);
    g_assert_cmpint(block_io(shadow->node, &io), ==, 0);
}

/* What is read then is anybody's guess, but stays. */
static void do_discard(Shadow *shadow, uint64_t offset, uint64_t bytes)
{
    BlockIo io = { BLOCK_DISCARD, 0, offset, bytes, NULL, 0 };

    g_assert_cmpint(block_io(shadow->node, &io), ==, 0);
    g_assert_cmpint(block_read(shadow->node, offset, shadow->bytes + offset, bytes), ==, 0);
}

static void do_pack(Shadow *shadow, uint64_t offset, uint64_t bytes)
{
    uint64_t cluster = block_image_compressed_bytes(block_node_skip_filters(shadow->node));
    struct iovec iov;
    BlockIo io;

    if (!cluster) {
        return;
    }
    offset = ROUND_DOWN(offset, cluster);
    bytes = MIN(ROUND_UP(bytes, cluster), shadow->size - offset);
    memset(shadow->bytes + offset, g_random_int_range(1, 256), bytes);
    iov = (struct iovec){ shadow->bytes + offset, bytes };
    io = (BlockIo){ BLOCK_WRITE, BLOCK_COMPRESSED, offset, bytes, &iov, 1 };
    g_assert_cmpint(block_io(shadow->node, &io), ==, 0);
}

static void do_read(Shadow *shadow, uint64_t offset, uint64_t bytes)
{
    g_autofree uint8_t *got = g_malloc(bytes);

    g_assert_cmpint(block_read(shadow->node, offset, got, bytes), ==, 0);
    g_assert_cmpmem(got, bytes, shadow->bytes + offset, bytes);
}

static void do_flush(Shadow *shadow, uint64_t offset, uint64_t bytes)
{
    g_assert_cmpint(block_flush(shadow->node), ==, 0);
}

static void random_steps(Shadow *shadow, unsigned steps)
{
    static void (*const acts[])(Shadow *, uint64_t, uint64_t) = {
        do_write, do_write, do_write, do_read, do_read, do_zero, do_discard, do_pack, do_flush,
    };

    while (steps--) {
        uint64_t offset, bytes;

        random_range(shadow, &offset, &bytes);
        acts[g_random_int_range(0, ARRAY_SIZE(acts))](shadow, offset, bytes);
    }
}

static const char *const variants[] = {
    "", ",'version':'v2'", ",'cluster-size':512", ",'cluster-size':4096,'refcount-bits':1",
    ",'cluster-size':2097152", ",'refcount-bits':64", ",'refcount-bits':8,'cluster-size':1024",
    ",'extended-l2':true", ",'extended-l2':true,'cluster-size':16384", ",'lazy-refcounts':true",
    ",'compression-type':'zstd'", ",'preallocation':'metadata'", ",'preallocation':'falloc'",
    ",'preallocation':'full'",
};

static void test_random_requests(gconstpointer rest)
{
    g_autofree char *path = new_image("a.qcow2", IMAGE_BYTES, rest);
    Shadow shadow = { NULL, g_malloc0(IMAGE_BYTES), IMAGE_BYTES };

    for (unsigned round = 0; round < 3; round++) {
        shadow.node = open_image(path, "");
        g_assert_cmpuint(block_node_bytes(shadow.node), ==, IMAGE_BYTES);
        check_all(&shadow);
        random_steps(&shadow, STEPS);
        check_all(&shadow);
        block_node_unref(shadow.node);
        check_image(path);
    }
    g_free(shadow.bytes);
}

static void test_backing(void)
{
    g_autofree char *below = new_image("below.qcow2", 2 * MiB, "");
    g_autofree char *path = new_image("above.qcow2", IMAGE_BYTES,
                                      ",'backing-file':'below.qcow2','backing-fmt':'qcow2'");
    Shadow shadow = { open_image(below, ""), g_malloc0(IMAGE_BYTES), 2 * MiB };

    random_steps(&shadow, STEPS);
    block_node_unref(shadow.node);
    shadow.node = open_image(path, "");
    shadow.size = IMAGE_BYTES;
    check_all(&shadow);
    random_steps(&shadow, STEPS);
    check_all(&shadow);
    check_reopened(&shadow, path);
}

static void test_data_file(gconstpointer is_raw)
{
    g_autofree char *data = path_of("data.raw");
    g_autofree char *rest = g_strdup_printf(",'data-file':{'driver':'file','filename':'%s'},"
                                            "'data-file-raw':%s", data,
                                            is_raw ? "true" : "false");
    g_autofree char *path = NULL, *content = NULL;
    Shadow shadow = { NULL, g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
    gsize length;

    make_file(data);
    path = new_image("a.qcow2", IMAGE_BYTES, rest);
    for (unsigned round = 0; round < 2; round++) {
        shadow.node = open_image(path, "");
        check_all(&shadow);
        random_steps(&shadow, STEPS);
        check_all(&shadow);
        block_node_unref(shadow.node);
    }
    if (is_raw) {
        g_assert_true(g_file_get_contents(data, &content, &length, NULL));
        g_assert_cmpmem(content, length, shadow.bytes, IMAGE_BYTES);
    }
    g_free(shadow.bytes);
}

/* --- many at once --- */

#define THREADS      4
#define THREAD_BYTES (1 * MiB)

typedef struct Writer {
    BlockNode *node;
    const uint8_t *bytes; /* of the disk; NULL: it makes them */
    uint64_t offset;
    uint32_t seed;
} Writer;

/* Each has every THREADS-th piece: their clusters are the same. */
static gpointer write_pieces(gpointer opaque)
{
    Writer *writer = opaque;
    g_autoptr(GRand) rand = g_rand_new_with_seed(writer->seed);
    uint8_t buf[1024];

    for (unsigned i = 0; i < THREAD_BYTES / sizeof(buf); i++) {
        unsigned at = g_rand_int_range(rand, 0, THREAD_BYTES / sizeof(buf));
        uint64_t offset = (at * THREADS + writer->offset) * sizeof(buf);

        memset(buf, 1 + at % 250, sizeof(buf));
        g_assert_cmpint(block_write(writer->node, offset, buf, sizeof(buf)), ==, 0);
        if (i % 64 == 0) {
            g_assert_cmpint(block_flush(writer->node), ==, 0);
        }
        g_assert_cmpint(block_read(writer->node, offset, buf, sizeof(buf)), ==, 0);
        g_assert_cmpuint(buf[100], ==, 1 + at % 250);
    }
    return NULL;
}

static void let_threads_write(BlockNode *node, const uint8_t *bytes, GThreadFunc write_all)
{
    Writer writers[THREADS];
    GThread *threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        writers[i] = (Writer){ node, bytes, i, i };
        threads[i] = g_thread_new("writer", write_all, &writers[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
    }
}

static void test_threads(gconstpointer rest)
{
    g_autofree char *path = new_image("a.qcow2", THREADS * THREAD_BYTES, rest);
    BlockNode *node = open_image(path, "");

    let_threads_write(node, NULL, write_pieces);
    block_node_unref(node);
    check_image(path);
}

/* --- compressed ones at once: they lie beside each other, and across the ends of clusters --- */

#define PACKED_BYTES 4096
#define PACKED_EACH  2048 /* clusters of a thread */

/* What deflate cannot make much shorter, and the same again. */
static void fill_packed(uint32_t n, uint8_t *buf)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(n);
    unsigned noise = g_rand_int_range(rand, 1, PACKED_BYTES * 3 / 4);

    memset(buf, n, PACKED_BYTES);
    for (unsigned i = 0; i < noise; i++) {
        buf[i] = g_rand_int(rand);
    }
}

static gpointer write_packed(gpointer opaque)
{
    const Writer *writer = opaque;

    for (uint32_t n = writer->seed; n < PACKED_EACH * THREADS; n += THREADS) {
        uint64_t offset = n * PACKED_BYTES;
        struct iovec iov = { (void *)(writer->bytes + offset), PACKED_BYTES };
        BlockIo io = { BLOCK_WRITE, BLOCK_COMPRESSED, offset, PACKED_BYTES, &iov, 1 };

        g_assert_cmpint(block_io(writer->node, &io), ==, 0);
    }
    return NULL;
}

static void test_packed_at_once(gconstpointer rest)
{
    Shadow shadow = { .size = PACKED_EACH * THREADS * PACKED_BYTES };
    g_autofree char *path = new_image("a.qcow2", shadow.size, rest);

    shadow.node = open_image(path, "");
    shadow.bytes = g_malloc(shadow.size);
    for (uint32_t n = 0; n < PACKED_EACH * THREADS; n++) {
        fill_packed(n, shadow.bytes + n * PACKED_BYTES);
    }
    let_threads_write(shadow.node, shadow.bytes, write_packed);
    check_reopened(&shadow, path);
    check_image(path);
}

/* --- many at once, in a loop --- */

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
    g_autofree char *path = new_image("a.qcow2", size, rest);
    g_autofree Submitted *many = g_new(Submitted, AT_ONCE);
    Shadow shadow = { open_image(path, ""), g_malloc0(size), size };

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
        check_all(&shadow);
    }
    check_reopened(&shadow, path);
    check_image(path);
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
    g_autofree char *path = new_image("a.qcow2", CROWD_BYTES, ",'cluster-size':4096");
    g_autoptr(Error) err = NULL;
    Crowd crowd = { 0 };
    OfCrowd many[CROWD];

    if (!block_uring_check(&err)) {
        g_test_skip(error_text(err));
        return;
    }
    crowd.node = open_text(&err, "{'driver':'qcow2','cache':{'direct':true},'l2-cache-size':32768,'cache-size':65536,"
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
    crowd.node = open_image(path, "");
    check_crowd(crowd.node);
    block_node_unref(crowd.node);
    check_image(path);
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
    g_autofree char *path = new_image("a.qcow2", MiB, "");
    g_autofree Submitted *two = g_new0(Submitted, 2);
    ThreadPool *pool = thread_pool_of(event_loop_main());
    BlockNode *node = open_image(path, "");
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
    check_image(path);
}

/* --- sizes --- */

static void resize(BlockNode *node, uint64_t bytes)
{
    BlockLink *link = block_link_new(block_node_ref(node), "test",
                                     BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE, BLOCK_PERM_ALL, NULL);

    g_assert_true(block_node_resize(node, bytes, BLOCK_PREALLOC_OFF, NULL));
    g_assert_cmpuint(block_node_bytes(node), ==, bytes);
    block_link_free(link);
}

static void test_resize(gconstpointer rest)
{
    static const uint64_t sizes[] = { 5 * MiB, 1 * MiB + 512, 9 * MiB, 512, 3 * MiB };
    g_autofree char *path = new_image("a.qcow2", IMAGE_BYTES, rest);
    Shadow shadow = { open_image(path, ""), g_malloc0(16 * MiB), IMAGE_BYTES };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        random_steps(&shadow, 50);
        resize(shadow.node, sizes[i]);
        if (sizes[i] < shadow.size) {
            memset(shadow.bytes + sizes[i], 0, shadow.size - sizes[i]);
        }
        shadow.size = sizes[i];
        check_all(&shadow);
    }
    block_node_unref(shadow.node);
    check_image(path);
    shadow.node = open_image(path, "");
    check_all(&shadow);
    block_node_unref(shadow.node);
    g_free(shadow.bytes);
}

/* --- snapshots --- */

#define SNAPSHOTS 4

static void snapshot(Shadow *shadow, BlockSnapshotAct act, unsigned n)
{
    g_autofree char *name = g_strdup_printf("s%u", n);

    g_assert_cmpint(block_image_snapshot(shadow->node, act, NULL, name), ==, 0);
}

static void test_snapshots(gconstpointer rest)
{
    g_autofree char *path = new_image("a.qcow2", IMAGE_BYTES, rest);
    Shadow shadow = { open_image(path, ""), g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
    uint8_t *kept[SNAPSHOTS];

    for (unsigned i = 0; i < SNAPSHOTS; i++) {
        random_steps(&shadow, 40);
        snapshot(&shadow, BLOCK_SNAPSHOT_CREATE, i);
        kept[i] = g_memdup2(shadow.bytes, IMAGE_BYTES);
    }
    for (unsigned i = 0; i < SNAPSHOTS; i++) {
        unsigned n = (i * 3 + 1) % SNAPSHOTS;

        random_steps(&shadow, 40);
        block_node_unref(shadow.node);
        check_image(path);
        shadow.node = open_image(path, "");
        check_all(&shadow);
        snapshot(&shadow, BLOCK_SNAPSHOT_APPLY, n);
        memcpy(shadow.bytes, kept[n], IMAGE_BYTES);
        check_all(&shadow);
        snapshot(&shadow, BLOCK_SNAPSHOT_DELETE, n);
        check_all(&shadow);
        g_free(kept[n]);
    }
    block_node_unref(shadow.node);
    check_image(path);
    g_free(shadow.bytes);
}

/* --- repair --- */

static void repair(const char *path, BlockCheck *result)
{
    BlockOpenFile file = { .filename = path, .format = "qcow2", .is_check = true };
    g_autoptr(BlockNode) node = block_open_file(&file, NULL);

    g_assert_nonnull(node);
    g_assert_cmpint(block_image_check(node, BLOCK_FIX_ERRORS | BLOCK_FIX_LEAKS, result), ==, 0);
}

static void patch(const char *path, uint64_t offset, uint64_t value)
{
    int fd = open(path, O_RDWR);

    value = GUINT64_TO_BE(value);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pwrite(fd, &value, sizeof(value), offset), ==, sizeof(value));
    close(fd);
}

/* The offset is of the file: 64 KiB has the reference table, 128 KiB the counts. */
static void test_repair(gconstpointer opaque)
{
    static const struct {
        uint64_t offset, value;
    } rows[] = {
        { 128 * KiB, 0 },                                 /* counts too low */
        { 128 * KiB, UINT64_C(0x0001000100020001) },      /* and too high */
        { 64 * KiB, 0 },                                  /* no block of counts */
        { 64 * KiB, 128 * KiB + 512 },                    /* not aligned */
        { 64 * KiB, 1 * GiB },                            /* outside of the file */
        { 72, QCOW2_INCOMPAT_CORRUPT },
        { 72, QCOW2_INCOMPAT_DIRTY },
    };
    unsigned row = GPOINTER_TO_UINT(opaque);
    g_autofree char *path = new_image("a.qcow2", IMAGE_BYTES, "");
    Shadow shadow = { open_image(path, ""), g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
    BlockCheck result;

    random_steps(&shadow, 50);
    block_node_unref(shadow.node);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (i == row) {
            patch(path, rows[i].offset, rows[i].value);
        }
    }
    repair(path, &result);
    g_assert_cmpuint(result.corruptions, ==, 0);
    check_image(path);
    shadow.node = open_image(path, "");
    check_all(&shadow);
    random_steps(&shadow, 50);
    block_node_unref(shadow.node);
    check_image(path);
    g_free(shadow.bytes);
}

/* --- what stands before an image --- */

/* What was there stays; the users see what is written. */
static void test_external_snapshot(void)
{
    g_autofree char *path = new_image("a.qcow2", IMAGE_BYTES, "");
    g_autofree char *over = new_image("b.qcow2", IMAGE_BYTES, "");
    g_autoptr(BlockNode) overlay = open_image(over, ",'backing':null");
    Shadow shadow = { open_image(path, ""), g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
    g_autofree uint8_t *before = NULL;
    BlockLink *user = block_link_new(shadow.node, "test", BLOCK_PERM_READ | BLOCK_PERM_WRITE,
                                     BLOCK_PERM_READ, NULL);
    g_autoptr(Error) err = NULL;

    random_steps(&shadow, 50);
    before = g_memdup2(shadow.bytes, IMAGE_BYTES);
    g_assert_true(block_snapshot(shadow.node, overlay, &err));
    g_assert_true(block_link_node(user) == overlay);
    g_assert_true(block_node_child(overlay, "backing") == shadow.node);
    g_assert_true(block_node_is_read_only(shadow.node));
    g_assert_false(block_snapshot(shadow.node, overlay, &err));
    check_error(g_steal_pointer(&err), "The overlay is already in use");
    shadow.node = overlay;
    check_all(&shadow);
    random_steps(&shadow, 50);
    check_all(&shadow);
    memcpy(shadow.bytes, before, IMAGE_BYTES);
    shadow.node = block_node_child(overlay, "backing");
    check_all(&shadow);
    block_link_free(user);
    g_clear_pointer(&overlay, block_node_unref);
    check_image(path);
    check_image(over);
    g_free(shadow.bytes);
}

static void test_temporary_snapshot(void)
{
    g_autofree char *path = new_image("a.qcow2", IMAGE_BYTES, "");
    g_autoptr(BlockNode) base = NULL, top = NULL;
    Shadow shadow = { open_image(path, ""), g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
    g_autofree uint8_t *before = NULL;

    random_steps(&shadow, 50);
    block_node_unref(shadow.node);
    before = g_memdup2(shadow.bytes, IMAGE_BYTES);
    base = open_image(path, ",'read-only':true");
    top = shadow.node = block_snapshot_temporary(base, NULL);
    g_assert_nonnull(top);
    check_all(&shadow);
    random_steps(&shadow, 50);
    check_all(&shadow);
    memcpy(shadow.bytes, before, IMAGE_BYTES);
    shadow.node = base;
    check_all(&shadow);
    g_free(shadow.bytes);
}

static void test_copy_on_read(void)
{
    g_autofree char *below = new_image("below.qcow2", IMAGE_BYTES, "");
    g_autofree char *path = new_image("above.qcow2", IMAGE_BYTES,
                                      ",'backing-file':'below.qcow2','backing-fmt':'qcow2'");
    Shadow shadow = { open_image(below, ""), g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
    BlockExtent extent;

    do_write(&shadow, 100 * KiB, 300 * KiB);
    block_node_unref(shadow.node);
    shadow.node = open_text(NULL, "{'driver':'copy-on-read','file':{'driver':'qcow2','file':"
                            "{'driver':'file','filename':'%s'}}}", path);
    do_read(&shadow, 200 * KiB, 5000);
    do_read(&shadow, 600 * KiB, 5000);
    g_assert_cmpint(block_extent(shadow.node, 200 * KiB, 5000, &extent), ==, 0);
    g_assert_cmpuint(extent.flags & BLOCK_EXTENT_ALLOCATED, !=, 0);
    g_assert_cmpint(block_extent(shadow.node, 330 * KiB, 5000, &extent), ==, 0);
    g_assert_cmpuint(extent.flags & BLOCK_EXTENT_ALLOCATED, ==, 0);
    /* Where nothing is there is nothing to copy. */
    g_assert_cmpint(block_extent(shadow.node, 600 * KiB, 5000, &extent), ==, 0);
    g_assert_cmpuint(extent.flags & BLOCK_EXTENT_ALLOCATED, ==, 0);
    random_steps(&shadow, 60);
    check_all(&shadow);
    block_node_unref(shadow.node);
    check_image(path);
    g_free(shadow.bytes);
}

/* --- killed --- */

#define PIECE       2560 /* no cluster, and not at one's beginning */
#define PIECES      600
#define FLUSH_EVERY 7
#define KILLS       4

static unsigned piece_of(unsigned n)
{
    return (n * 7919u + n / 13) % PIECES;
}

/* Write `n` fills its piece with this; never zero. */
static void fill_piece(uint8_t *buf, unsigned n)
{
    for (unsigned i = 0; i < PIECE / 4; i++) {
        memcpy(buf + i * 4, &(uint32_t){ n + 1 }, 4);
    }
}

/* Tells how many writes a flush has made durable, until it is killed. */
static G_NORETURN void write_for_ever(const char *path, int to)
{
    BlockNode *node = open_text(NULL, "{'driver':'qcow2','discard':'unmap','file':{'driver':'file',"
                                "'filename':'%s'}}", path);
    uint8_t buf[PIECE];

    for (unsigned n = 0;; n++) {
        fill_piece(buf, n);
        if (block_write(node, piece_of(n) * (uint64_t)PIECE, buf, PIECE)) {
            _exit(1);
        }
        if (n % FLUSH_EVERY == FLUSH_EVERY - 1) {
            if (block_flush(node) || write(to, &n, sizeof(n)) != sizeof(n)) {
                _exit(1);
            }
        }
    }
}

/* The last write that is durable; the writer is gone. */
static unsigned let_write(const char *path, unsigned flushes)
{
    unsigned durable = 0;
    int fds[2];
    pid_t child;

    g_assert_cmpint(pipe(fds), ==, 0);
    child = fork();
    g_assert_cmpint(child, >=, 0);
    if (!child) {
        write_for_ever(path, fds[1]);
    }
    close(fds[1]);
    while (flushes--) {
        g_assert_cmpint(read(fds[0], &durable, sizeof(durable)), ==, sizeof(durable));
    }
    kill(child, SIGKILL);
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    while (read(fds[0], &durable, sizeof(durable)) == sizeof(durable)) {
    }
    close(fds[0]);
    return durable;
}

/*
 * Each word of a piece is what a durable write left there, or a later one: the one that was under
 * way when the writer was killed may have come to some of its clusters alone.
 */
static void check_piece(const uint8_t *got, unsigned piece, uint32_t least)
{
    for (unsigned i = 0; i < PIECE / 4; i++) {
        uint32_t n;

        memcpy(&n, got + i * 4, sizeof(n));
        g_assert_cmpuint(n, >=, least);
        g_assert_true(!n || piece_of(n - 1) == piece);
    }
}

static void check_durable(const char *path, unsigned durable)
{
    BlockNode *node = open_image(path, "");
    g_autofree unsigned *last = g_new0(unsigned, PIECES);
    uint8_t got[PIECE];

    for (unsigned n = 0; n <= durable; n++) {
        last[piece_of(n)] = n + 1;
    }
    for (unsigned i = 0; i < PIECES; i++) {
        g_assert_cmpint(block_read(node, i * (uint64_t)PIECE, got, PIECE), ==, 0);
        check_piece(got, i, last[i]);
    }
    block_node_unref(node);
}

static void test_killed(gconstpointer rest)
{
    for (unsigned i = 0; i < KILLS; i++) {
        g_autofree char *path = new_image("a.qcow2", PIECE * PIECES, rest);
        unsigned durable = let_write(path, 1 + i * i * 7);
        BlockCheck result;

        if (!strstr(rest, "lazy")) {
            BlockNode *node = open_text(NULL, "{'driver':'qcow2','read-only':true,'file':{'driver':"
                                        "'file','filename':'%s'}}", path);

            g_assert_cmpint(block_image_check(node, 0, &result), ==, 0);
            g_assert_cmpuint(result.corruptions + result.errors, ==, 0);
            block_node_unref(node);
        }
        check_durable(path, durable);
        repair(path, &result);
        check_image(path);
    }
}

/* --- what is refused --- */

static void test_bad_options(void)
{
    static const struct {
        const char *rest, *words;
    } rows[] = {
        { ",'cluster-size':1000", "power of two" },
        { ",'cluster-size':4194304", "power of two" },
        { ",'refcount-bits':3", "Refcount width" },
        { ",'extended-l2':true,'cluster-size':8192", "Extended L2" },
        { ",'version':'v2','lazy-refcounts':true", "Lazy refcounts" },
        { ",'version':'v2','compression-type':'zstd'", "Non-zlib" },
        { ",'backing-fmt':'raw'", "Backing format" },
    };
    g_autofree char *path = path_of("bad.qcow2");

    make_file(path);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Error *err = NULL;

        g_assert_false(create(&err, path, MiB, rows[i].rest));
        check_error(err, rows[i].words);
    }
}

static void test_unknown_features(void)
{
    g_autofree char *path = new_image("a.qcow2", MiB, "");
    Error *err = NULL;

    patch(path, 72, BIT64(20));
    g_assert_null(open_text(&err, "{'driver':'qcow2','file':{'driver':'file','filename':'%s'}}",
                            path));
    check_error(err, "Unsupported qcow2 feature(s): Unknown incompatible feature: 100000");
}

static void add(const char *name, const char *rest, void (*fn)(gconstpointer))
{
    g_autofree char *path = g_strdup_printf("/qcow2/%s%s%s", name, *rest ? ":" : "", rest);

    for (char *at = path; *at; at++) {
        *at = strchr("'{},", *at) ? '.' : *at;
    }
    g_test_add_data_func(path, rest, fn);
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("qcow2-test-XXXXXX", NULL);
    for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
        add("random-requests", variants[i], test_random_requests);
    }
    g_test_add_func("/qcow2/backing", test_backing);
    g_test_add_data_func("/qcow2/data-file", NULL, test_data_file);
    g_test_add_data_func("/qcow2/data-file-raw", "raw", test_data_file);
    add("threads", "", test_threads);
    add("threads", ",'extended-l2':true", test_threads);
    add("packed-at-once", ",'cluster-size':4096", test_packed_at_once);
    add("submitted", "", test_submitted);
    add("submitted", ",'extended-l2':true", test_submitted);
    add("submitted", ",'lazy-refcounts':true", test_submitted);
    add("submitted", ",'cluster-size':4096", test_submitted);
    g_test_add_data_func("/qcow2/crowd/io_uring", "io_uring", test_crowd);
    g_test_add_data_func("/qcow2/crowd/native", "native", test_crowd);
    g_test_add_func("/qcow2/queued-before", test_queued_before);
    add("resize", "", test_resize);
    add("resize", ",'cluster-size':512", test_resize);
    add("snapshots", "", test_snapshots);
    add("snapshots", ",'version':'v2'", test_snapshots);
    add("snapshots", ",'cluster-size':512,'refcount-bits':64", test_snapshots);
    add("snapshots", ",'extended-l2':true,'lazy-refcounts':true", test_snapshots);
    for (unsigned i = 0; i < 7; i++) {
        g_autofree char *name = g_strdup_printf("/qcow2/repair/%u", i);

        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_repair);
    }
    g_test_add_func("/qcow2/external-snapshot", test_external_snapshot);
    g_test_add_func("/qcow2/temporary-snapshot", test_temporary_snapshot);
    g_test_add_func("/qcow2/copy-on-read", test_copy_on_read);
    add("killed", "", test_killed);
    add("killed", ",'cluster-size':512", test_killed);
    add("killed", ",'extended-l2':true", test_killed);
    add("killed", ",'lazy-refcounts':true", test_killed);
    g_test_add_func("/qcow2/bad-options", test_bad_options);
    g_test_add_func("/qcow2/unknown-features", test_unknown_features);
    result = g_test_run();
    if (!result) {
        g_autofree char *command = g_strdup_printf("rm -rf '%s'", folder);

        g_assert_cmpint(system(command), ==, 0);
    }
    g_free(folder);
    return result;
}
