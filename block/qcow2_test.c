/*
 * qcow2: what is written is read, now and after the image was closed, whatever the format's
 * options; beside a plain array that has the same done to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "block/qcow2.h"
#include "block/qcow2_test_image.h"

#define IMAGE_BYTES (3 * MiB + 512)
#define STEPS       150

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
    g_autofree char *path = image_new("a.qcow2", IMAGE_BYTES, rest);
    Shadow shadow = { NULL, g_malloc0(IMAGE_BYTES), IMAGE_BYTES };

    for (unsigned round = 0; round < 3; round++) {
        shadow.node = image_open(path, "");
        g_assert_cmpuint(block_node_bytes(shadow.node), ==, IMAGE_BYTES);
        shadow_check(&shadow);
        random_steps(&shadow, STEPS);
        shadow_check(&shadow);
        block_node_unref(shadow.node);
        image_check(path);
    }
    g_free(shadow.bytes);
}

static void test_backing(void)
{
    g_autofree char *below = image_new("below.qcow2", 2 * MiB, "");
    g_autofree char *path = image_new("above.qcow2", IMAGE_BYTES,
                                      ",'backing-file':'below.qcow2','backing-fmt':'qcow2'");
    Shadow shadow = { image_open(below, ""), g_malloc0(IMAGE_BYTES), 2 * MiB };

    random_steps(&shadow, STEPS);
    block_node_unref(shadow.node);
    shadow.node = image_open(path, "");
    shadow.size = IMAGE_BYTES;
    shadow_check(&shadow);
    random_steps(&shadow, STEPS);
    shadow_check(&shadow);
    shadow_check_reopened(&shadow, path);
}

static void test_data_file(gconstpointer is_raw)
{
    g_autofree char *data = image_path("data.raw");
    g_autofree char *rest = g_strdup_printf(",'data-file':{'driver':'file','filename':'%s'},"
                                            "'data-file-raw':%s", data,
                                            is_raw ? "true" : "false");
    g_autofree char *path = NULL, *content = NULL;
    Shadow shadow = { NULL, g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
    gsize length;

    image_make_file(data);
    path = image_new("a.qcow2", IMAGE_BYTES, rest);
    for (unsigned round = 0; round < 2; round++) {
        shadow.node = image_open(path, "");
        shadow_check(&shadow);
        random_steps(&shadow, STEPS);
        shadow_check(&shadow);
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
    g_autofree char *path = image_new("a.qcow2", THREADS * THREAD_BYTES, rest);
    BlockNode *node = image_open(path, "");

    let_threads_write(node, NULL, write_pieces);
    block_node_unref(node);
    image_check(path);
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
    g_autofree char *path = image_new("a.qcow2", shadow.size, rest);

    shadow.node = image_open(path, "");
    shadow.bytes = g_malloc(shadow.size);
    for (uint32_t n = 0; n < PACKED_EACH * THREADS; n++) {
        fill_packed(n, shadow.bytes + n * PACKED_BYTES);
    }
    let_threads_write(shadow.node, shadow.bytes, write_packed);
    shadow_check_reopened(&shadow, path);
    image_check(path);
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
    g_autofree char *path = image_new("a.qcow2", IMAGE_BYTES, rest);
    Shadow shadow = { image_open(path, ""), g_malloc0(16 * MiB), IMAGE_BYTES };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        random_steps(&shadow, 50);
        resize(shadow.node, sizes[i]);
        if (sizes[i] < shadow.size) {
            memset(shadow.bytes + sizes[i], 0, shadow.size - sizes[i]);
        }
        shadow.size = sizes[i];
        shadow_check(&shadow);
    }
    block_node_unref(shadow.node);
    image_check(path);
    shadow.node = image_open(path, "");
    shadow_check(&shadow);
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
    g_autofree char *path = image_new("a.qcow2", IMAGE_BYTES, rest);
    Shadow shadow = { image_open(path, ""), g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
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
        image_check(path);
        shadow.node = image_open(path, "");
        shadow_check(&shadow);
        snapshot(&shadow, BLOCK_SNAPSHOT_APPLY, n);
        memcpy(shadow.bytes, kept[n], IMAGE_BYTES);
        shadow_check(&shadow);
        snapshot(&shadow, BLOCK_SNAPSHOT_DELETE, n);
        shadow_check(&shadow);
        g_free(kept[n]);
    }
    block_node_unref(shadow.node);
    image_check(path);
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
    g_autofree char *path = image_new("a.qcow2", IMAGE_BYTES, "");
    Shadow shadow = { image_open(path, ""), g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
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
    image_check(path);
    shadow.node = image_open(path, "");
    shadow_check(&shadow);
    random_steps(&shadow, 50);
    block_node_unref(shadow.node);
    image_check(path);
    g_free(shadow.bytes);
}

/* --- what stands before an image --- */

/* What was there stays; the users see what is written. */
static void test_external_snapshot(void)
{
    g_autofree char *path = image_new("a.qcow2", IMAGE_BYTES, "");
    g_autofree char *over = image_new("b.qcow2", IMAGE_BYTES, "");
    g_autoptr(BlockNode) overlay = image_open(over, ",'backing':null");
    Shadow shadow = { image_open(path, ""), g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
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
    shadow_check(&shadow);
    random_steps(&shadow, 50);
    shadow_check(&shadow);
    memcpy(shadow.bytes, before, IMAGE_BYTES);
    shadow.node = block_node_child(overlay, "backing");
    shadow_check(&shadow);
    block_link_free(user);
    g_clear_pointer(&overlay, block_node_unref);
    image_check(path);
    image_check(over);
    g_free(shadow.bytes);
}

static void test_temporary_snapshot(void)
{
    g_autofree char *path = image_new("a.qcow2", IMAGE_BYTES, "");
    g_autoptr(BlockNode) base = NULL, top = NULL;
    Shadow shadow = { image_open(path, ""), g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
    g_autofree uint8_t *before = NULL;

    random_steps(&shadow, 50);
    block_node_unref(shadow.node);
    before = g_memdup2(shadow.bytes, IMAGE_BYTES);
    base = image_open(path, ",'read-only':true");
    top = shadow.node = block_snapshot_temporary(base, NULL);
    g_assert_nonnull(top);
    shadow_check(&shadow);
    random_steps(&shadow, 50);
    shadow_check(&shadow);
    memcpy(shadow.bytes, before, IMAGE_BYTES);
    shadow.node = base;
    shadow_check(&shadow);
    g_free(shadow.bytes);
}

static void test_copy_on_read(void)
{
    g_autofree char *below = image_new("below.qcow2", IMAGE_BYTES, "");
    g_autofree char *path = image_new("above.qcow2", IMAGE_BYTES,
                                      ",'backing-file':'below.qcow2','backing-fmt':'qcow2'");
    Shadow shadow = { image_open(below, ""), g_malloc0(IMAGE_BYTES), IMAGE_BYTES };
    BlockExtent extent;

    do_write(&shadow, 100 * KiB, 300 * KiB);
    block_node_unref(shadow.node);
    shadow.node = image_open_text(NULL, "{'driver':'copy-on-read','file':{'driver':'qcow2','file':"
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
    shadow_check(&shadow);
    block_node_unref(shadow.node);
    image_check(path);
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
    BlockNode *node = image_open_text(NULL, "{'driver':'qcow2','discard':'unmap','file':{'driver':'file',"
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
    BlockNode *node = image_open(path, "");
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
        g_autofree char *path = image_new("a.qcow2", PIECE * PIECES, rest);
        unsigned durable = let_write(path, 1 + i * i * 7);
        BlockCheck result;

        if (!strstr(rest, "lazy")) {
            BlockNode *node = image_open_text(NULL, "{'driver':'qcow2','read-only':true,'file':{'driver':"
                                        "'file','filename':'%s'}}", path);

            g_assert_cmpint(block_image_check(node, 0, &result), ==, 0);
            g_assert_cmpuint(result.corruptions + result.errors, ==, 0);
            block_node_unref(node);
        }
        check_durable(path, durable);
        repair(path, &result);
        image_check(path);
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
    g_autofree char *path = image_path("bad.qcow2");

    image_make_file(path);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Error *err = NULL;

        g_assert_false(image_create(&err, path, MiB, rows[i].rest));
        check_error(err, rows[i].words);
    }
}

static void test_unknown_features(void)
{
    g_autofree char *path = image_new("a.qcow2", MiB, "");
    Error *err = NULL;

    patch(path, 72, BIT64(20));
    g_assert_null(image_open_text(&err, "{'driver':'qcow2','file':{'driver':'file','filename':'%s'}}",
                            path));
    check_error(err, "Unsupported qcow2 feature(s): Unknown incompatible feature: 100000");
}

int main(int argc, char **argv)
{
    image_tests_begin(&argc, &argv);
    for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
        image_test_add("random-requests", variants[i], test_random_requests);
    }
    g_test_add_func("/qcow2/backing", test_backing);
    g_test_add_data_func("/qcow2/data-file", NULL, test_data_file);
    g_test_add_data_func("/qcow2/data-file-raw", "raw", test_data_file);
    image_test_add("threads", "", test_threads);
    image_test_add("threads", ",'extended-l2':true", test_threads);
    image_test_add("packed-at-once", ",'cluster-size':4096", test_packed_at_once);
    image_test_add("resize", "", test_resize);
    image_test_add("resize", ",'cluster-size':512", test_resize);
    image_test_add("snapshots", "", test_snapshots);
    image_test_add("snapshots", ",'version':'v2'", test_snapshots);
    image_test_add("snapshots", ",'cluster-size':512,'refcount-bits':64", test_snapshots);
    image_test_add("snapshots", ",'extended-l2':true,'lazy-refcounts':true", test_snapshots);
    for (unsigned i = 0; i < 7; i++) {
        g_autofree char *name = g_strdup_printf("/qcow2/repair/%u", i);

        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_repair);
    }
    g_test_add_func("/qcow2/external-snapshot", test_external_snapshot);
    g_test_add_func("/qcow2/temporary-snapshot", test_temporary_snapshot);
    g_test_add_func("/qcow2/copy-on-read", test_copy_on_read);
    image_test_add("killed", "", test_killed);
    image_test_add("killed", ",'cluster-size':512", test_killed);
    image_test_add("killed", ",'extended-l2':true", test_killed);
    image_test_add("killed", ",'lazy-refcounts':true", test_killed);
    g_test_add_func("/qcow2/bad-options", test_bad_options);
    g_test_add_func("/qcow2/unknown-features", test_unknown_features);
    return image_tests_run();
}
