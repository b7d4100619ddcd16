/*
 * The graph, its permissions, requests of both forms, files and their locks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>

#include "block/backend.h"
#include "block/block_drive.h"
#include "qapi/qapi-commands-block-core.h"

#define IMAGE_BYTES (4 * MiB)

static char *folder;

static char *new_file(const char *name, uint64_t bytes)
{
    char *path = g_build_filename(folder, name, NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, bytes), ==, 0);
    close(fd);
    return path;
}

static BlockdevOptions *parse(const char *text)
{
    g_autoptr(JsonObject) json = NULL;
    g_autoptr(Error) err = NULL;
    BlockdevOptions *options;

    g_assert_true(json_parse(text, strlen(text), &json, NULL));
    options = blockdev_options_from_json(json, QAPI_TYPED, &err);
    g_assert_null(err);
    return options;
}

static BlockNode *open_text(Error **errp, const char *fmt, ...) PRINTF(2, 3);
static BlockNode *open_text(Error **errp, const char *fmt, ...)
{
    g_autoptr(BlockdevOptions) options = NULL;
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    options = parse(text);
    return block_open(options, errp);
}

static BlockNode *open_file(const char *path, const char *rest)
{
    g_autoptr(Error) err = NULL;
    BlockNode *node = open_text(&err, "{'driver':'raw','node-name':'top'%s,'file':"
                                "{'driver':'file','filename':'%s'}}", rest, path);

    g_assert_null(err);
    return node;
}

static void check_error(Error *err, const char *words)
{
    g_assert_nonnull(err);
    if (!strstr(error_text(err), words)) {
        g_error("'%s' does not say '%s'", error_text(err), words);
    }
    error_free(err);
}

/* --- */

static void test_file_keeps_what_is_written(void)
{
    g_autofree char *path = new_file("a", IMAGE_BYTES + 100);
    g_autoptr(BlockNode) node = open_file(path, "");
    uint8_t buf[4096], got[4096];

    g_assert_cmpuint(block_node_bytes(node), ==, IMAGE_BYTES + 512); /* whole sectors */
    memset(buf, 0xa5, sizeof(buf));
    g_assert_cmpint(block_write(node, 12345, buf, sizeof(buf)), ==, 0);
    g_assert_cmpint(block_flush(node), ==, 0);
    g_assert_cmpint(block_read(node, 12345, got, sizeof(got)), ==, 0);
    g_assert_cmpmem(buf, sizeof(buf), got, sizeof(got));
    /* Behind the end of the file there are zeroes. */
    memset(got, 1, sizeof(got));
    g_assert_cmpint(block_read(node, IMAGE_BYTES, got, 512), ==, 0);
    g_assert_true(block_is_zero(got, 512));
}

static void test_zeroes_and_extents(void)
{
    g_autofree char *path = new_file("b", IMAGE_BYTES);
    g_autoptr(BlockNode) node = open_file(path, ",'discard':'unmap'");
    g_autofree uint8_t *buf = g_malloc(MiB);
    BlockIo zero = { BLOCK_ZERO, BLOCK_MAY_UNMAP, 64 * KiB, 128 * KiB, NULL, 0 };
    BlockExtent extent;

    memset(buf, 0x5a, MiB);
    g_assert_cmpint(block_write(node, 0, buf, MiB), ==, 0);
    g_assert_cmpint(block_io(node, &zero), ==, 0);
    g_assert_cmpint(block_read(node, 0, buf, MiB), ==, 0);
    g_assert_true(block_is_zero(buf + 64 * KiB, 128 * KiB));
    g_assert_cmpint(buf[64 * KiB - 1], ==, 0x5a);
    g_assert_cmpint(buf[192 * KiB], ==, 0x5a);
    g_assert_cmpint(block_extent(node, 2 * MiB, MiB, &extent), ==, 0);
    g_assert_true(extent.flags & BLOCK_EXTENT_ZERO);
    g_assert_cmpint(block_extent(node, 0, 4096, &extent), ==, 0);
    g_assert_true(extent.flags & BLOCK_EXTENT_DATA);
    g_assert_cmpint(block_extent(node, IMAGE_BYTES - 512, 4096, &extent), ==, 0);
    g_assert_true(extent.flags & BLOCK_EXTENT_END);
}

/* O_DIRECT wants whole blocks; users of a node do not. */
static void test_direct(void)
{
    g_autofree char *path = new_file("c", IMAGE_BYTES);
    g_autoptr(Error) err = NULL;
    g_autoptr(BlockNode) node =
        open_text(&err, "{'driver':'file','filename':'%s','cache':{'direct':true}}", path);
    uint8_t buf[1000], got[1000];

    if (err && strstr(error_text(err), "O_DIRECT")) {
        g_test_skip("the file system has no O_DIRECT");
        return;
    }
    g_assert_null(err);
    memset(buf, 7, sizeof(buf));
    g_assert_cmpint(block_write(node, 4000, buf, sizeof(buf)), ==, 0);
    g_assert_cmpint(block_read(node, 4000, got, sizeof(got)), ==, 0);
    g_assert_cmpmem(buf, sizeof(buf), got, sizeof(got));
    g_assert_cmpint(block_read(node, 3000, got, sizeof(got)), ==, 0);
    g_assert_true(block_is_zero(got, sizeof(got)));
    /* The file ends where it is asked to. */
    g_assert_cmpint(block_write(node, IMAGE_BYTES - 500, buf, sizeof(buf)), ==, 0);
    g_assert_cmpuint(block_node_bytes(node), ==, IMAGE_BYTES + 500);
}

/* --- many at once --- */

#define AT_ONCE   4
#define SECTORS   64 /* few: their blocks are the same */
#define ROUNDS    2000
#define FAR_STEPS 10000

typedef struct Worker {
    BlockNode *node;
    unsigned n;
    pthread_barrier_t *together;
} Worker;

static void let_work(BlockNode *node, GThreadFunc work)
{
    GThread *threads[AT_ONCE];
    Worker workers[AT_ONCE];
    pthread_barrier_t together;

    g_assert_cmpint(pthread_barrier_init(&together, NULL, AT_ONCE), ==, 0);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        workers[i] = (Worker){ node, i, &together };
        threads[i] = g_thread_new("worker", work, &workers[i]);
    }
    for (unsigned i = 0; i < AT_ONCE; i++) {
        g_thread_join(threads[i]);
    }
    pthread_barrier_destroy(&together);
}

/* Each has every AT_ONCE-th sector, and finds there what it left. */
static gpointer use_own_sectors(gpointer opaque)
{
    Worker *worker = opaque;
    g_autoptr(GRand) rand = g_rand_new_with_seed(worker->n);
    uint8_t buf[512], now[SECTORS] = { 0 };

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned sector = ROUND_DOWN(g_rand_int_range(rand, 0, SECTORS), AT_ONCE) + worker->n;
        uint64_t offset = sector * sizeof(buf);
        BlockIo zero = { BLOCK_ZERO, i & 1 ? BLOCK_MAY_UNMAP : 0, offset, sizeof(buf), NULL, 0 };

        g_assert_cmpint(block_read(worker->node, offset, buf, sizeof(buf)), ==, 0);
        g_assert_cmpint(buf[0], ==, now[sector]);
        now[sector] = g_rand_boolean(rand) ? 0 : g_rand_int_range(rand, 1, 256);
        memset(buf, now[sector], sizeof(buf));
        g_assert_cmpint(now[sector] ? block_write(worker->node, offset, buf, sizeof(buf)) :
                                      block_io(worker->node, &zero), ==, 0);
    }
    return NULL;
}

static void test_direct_at_once(void)
{
    g_autofree char *path = new_file("j", SECTORS * 512);
    g_autoptr(Error) err = NULL;
    g_autoptr(BlockNode) node =
        open_text(&err, "{'driver':'file','filename':'%s','cache':{'direct':true}}", path);

    if (err && strstr(error_text(err), "O_DIRECT")) {
        g_test_skip("the file system has no O_DIRECT");
        return;
    }
    g_assert_null(err);
    let_work(node, use_own_sectors);
}

/* Every other sector is zeroes, which may be what makes the file longer. */
static gpointer go_beyond_end(gpointer opaque)
{
    Worker *worker = opaque;
    uint8_t buf[512];

    memset(buf, 0x33, sizeof(buf));
    for (unsigned i = 0; i < FAR_STEPS; i++) {
        uint64_t offset = (i * AT_ONCE + worker->n) * sizeof(buf);
        BlockIo zero = { BLOCK_ZERO, 0, offset, sizeof(buf), NULL, 0 };

        pthread_barrier_wait(worker->together);
        g_assert_cmpint(worker->n & 1 ? block_io(worker->node, &zero) :
                                        block_write(worker->node, offset, buf, sizeof(buf)), ==, 0);
    }
    return NULL;
}

static void test_longer_at_once(void)
{
    g_autofree char *path = new_file("k", 0);
    g_autoptr(Error) err = NULL;
    g_autoptr(BlockNode) node = open_text(&err, "{'driver':'file','filename':'%s'}", path);
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_null(err);
    let_work(node, go_beyond_end);
    g_assert_cmpuint(block_node_bytes(node), ==, FAR_STEPS * AT_ONCE * 512);
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    g_assert_cmpuint(size, ==, FAR_STEPS * AT_ONCE * 512);
    for (gsize at = 0; at < size; at += 512) {
        g_assert_cmpint(bytes[at], ==, at / 512 & 1 ? 0 : 0x33);
    }
}

static void test_part_of_a_file(void)
{
    g_autofree char *path = new_file("d", IMAGE_BYTES);
    g_autoptr(BlockNode) node = open_file(path, ",'offset':4096,'size':8192");
    Error *err = NULL;
    uint8_t byte = 0x77, got[4097];

    g_assert_cmpuint(block_node_bytes(node), ==, 8192);
    g_assert_cmpint(block_write(node, 0, &byte, 1), ==, 0);
    g_assert_false(block_node_resize(node, 4096, BLOCK_PREALLOC_OFF, &err));
    check_error(err, "fixed-size");
    g_clear_pointer(&node, block_node_unref);
    node = open_file(path, "");
    g_assert_cmpint(block_read(node, 0, got, sizeof(got)), ==, 0);
    g_assert_true(block_is_zero(got, 4096));
    g_assert_cmpint(got[4096], ==, 0x77);
    err = NULL;
    g_assert_null(open_text(&err, "{'driver':'raw','offset':512,'size':%u,'file':{'driver':'file',"
                            "'filename':'%s'}}", (unsigned)IMAGE_BYTES, path));
    check_error(err, "smaller or equal");
}

static void test_names(void)
{
    g_autoptr(BlockdevOptions) options = parse("{'driver':'null-co','node-name':'n0','size':4096}");
    g_autoptr(BlockdevOptions) wrong = parse("{'driver':'null-co','node-name':'0n'}");
    g_autoptr(BlockdevOptions) on_top = parse("{'driver':'raw','node-name':'r0','file':'n0'}");
    g_autoptr(BlockdevOptions) none = parse("{'driver':'raw','node-name':'r1','file':'n9'}");
    Error *err = NULL;

    g_assert_true(block_node_add(options, NULL));
    g_assert_false(block_node_add(options, &err));
    check_error(err, "Duplicate nodes with node-name='n0'");
    err = NULL;
    g_assert_false(block_node_add(wrong, &err));
    check_error(err, "Invalid node-name");
    err = NULL;
    g_assert_false(block_node_add(none, &err));
    check_error(err, "Cannot find device='' nor node-name='n9'");
    g_assert_true(block_node_add(on_top, NULL));
    err = NULL;
    g_assert_false(block_node_delete("n0", &err));
    check_error(err, "busy");
    g_assert_true(block_node_delete("r0", NULL));
    g_assert_true(block_node_delete("n0", NULL));
    err = NULL;
    g_assert_false(block_node_delete("n0", &err));
    check_error(err, "Failed to find node");
    g_assert_null(block_node_find("r1"));
}

static void test_users_agree(void)
{
    g_autoptr(BlockNode) node = open_text(NULL, "{'driver':'null-co','node-name':'n'}");
    g_autoptr(BlockNode) read_only = open_text(NULL, "{'driver':'null-co','read-only':true}");
    Error *err = NULL;
    BlockLink *first = block_link_new(block_node_ref(node), "device 'a'",
                                      BLOCK_PERM_READ | BLOCK_PERM_WRITE,
                                      BLOCK_PERM_ALL & ~BLOCK_PERM_WRITE, NULL);
    BlockLink *second;

    g_assert_null(block_link_new(block_node_ref(node), "device 'b'", BLOCK_PERM_WRITE,
                                 BLOCK_PERM_ALL, &err));
    check_error(err, "permissions 'write' are both required by device 'b'");
    second = block_link_new(block_node_ref(node), "device 'b'", BLOCK_PERM_READ, BLOCK_PERM_ALL,
                            NULL);
    g_assert_nonnull(second);
    g_assert_false(block_link_set_perms(second, BLOCK_PERM_READ | BLOCK_PERM_WRITE,
                                        BLOCK_PERM_ALL, NULL));
    block_link_free(first);
    g_assert_true(block_link_set_perms(second, BLOCK_PERM_READ | BLOCK_PERM_WRITE, BLOCK_PERM_ALL,
                                       NULL));
    block_link_free(second);
    err = NULL;
    g_assert_null(block_link_new(block_node_ref(read_only), "b", BLOCK_PERM_WRITE, BLOCK_PERM_ALL,
                                 &err));
    check_error(err, "read-only");
}

/* Two opens are two processes as far as the locks are concerned. */
static void test_locks(void)
{
    g_autofree char *path = new_file("e", IMAGE_BYTES);
    g_autoptr(BlockNode) one = open_file(path, "");
    g_autoptr(BlockNode) other =
        open_text(NULL, "{'driver':'file','filename':'%s'}", path);
    unsigned without_write = BLOCK_PERM_ALL & ~BLOCK_PERM_WRITE;
    Error *err = NULL;
    BlockLink *writer = block_link_new(block_node_ref(one), "a", BLOCK_PERM_WRITE, without_write,
                                       NULL), *late;

    g_assert_null(block_link_new(block_node_ref(other), "b", BLOCK_PERM_WRITE, BLOCK_PERM_ALL,
                                 &err));
    check_error(err, "Failed to get \"write\" lock");
    err = NULL;
    g_assert_null(block_link_new(block_node_ref(other), "b", BLOCK_PERM_READ, without_write,
                                 &err));
    check_error(err, "Failed to get shared \"write\" lock");
    late = block_link_new(block_node_ref(other), "b", BLOCK_PERM_READ, BLOCK_PERM_ALL, NULL);
    g_assert_nonnull(late);
    block_link_free(writer);
    g_assert_true(block_link_set_perms(late, BLOCK_PERM_WRITE, without_write, NULL));
    block_link_free(late);
}

static void test_auto_read_only(void)
{
    g_autofree char *path = new_file("f", IMAGE_BYTES);
    g_autoptr(BlockNode) node = open_text(
        NULL, "{'driver':'file','filename':'%s','auto-read-only':true,'read-only':false}", path);
    uint8_t byte = 1;
    BlockLink *link;

    g_assert_cmpint(block_write(node, 0, &byte, 1), ==, -EBADF);
    link = block_link_new(block_node_ref(node), "a", BLOCK_PERM_WRITE, BLOCK_PERM_ALL, NULL);
    g_assert_nonnull(link);
    g_assert_cmpint(block_write(node, 0, &byte, 1), ==, 0);
    block_link_free(link);
}

/* --- drives --- */

typedef struct Ended {
    BlockRequest request;
    struct iovec iov;
    uint8_t bytes[512];
    bool is_done;
    int error;
} Ended;

static void ended(BlockRequest *request, int error)
{
    Ended *e = (Ended *)request;

    e->is_done = true;
    e->error = error;
}

static void submit(BlockBackend *drive, Ended *e, BlockOp op, uint64_t offset)
{
    *e = (Ended){ .request = { .io = { op, 0, offset, sizeof(e->bytes), &e->iov, 1 },
                               .done = ended } };
    e->iov = (struct iovec){ e->bytes, sizeof(e->bytes) };
    memset(e->bytes, 0x11, sizeof(e->bytes));
    block_backend_submit(drive, &e->request);
}

static void test_requests(void)
{
    static const char *const aio[] = { "threads", "io_uring" };
    g_autofree char *path = new_file("g", IMAGE_BYTES);

    for (size_t i = 0; i < ARRAY_SIZE(aio); i++) {
        g_autoptr(BlockBackend) drive = block_backend_new("d0", NULL);
        g_autoptr(Error) err = NULL;
        g_autoptr(BlockNode) node =
            open_text(&err, "{'driver':'raw','file':{'driver':'file','filename':'%s','aio':'%s'}}",
                      path, aio[i]);
        Ended many[32], beyond;

        if (err) {
            g_test_message("%s", error_text(err)); /* the host forbids it */
            continue;
        }
        g_assert_true(block_backend_insert(drive, node, NULL));
        for (size_t k = 0; k < ARRAY_SIZE(many); k++) {
            submit(drive, &many[k], BLOCK_WRITE, k * 512);
        }
        block_backend_drain(drive, false);
        for (size_t k = 0; k < ARRAY_SIZE(many); k++) {
            g_assert_true(many[k].is_done && !many[k].error);
            submit(drive, &many[k], BLOCK_READ, k * 512);
        }
        block_backend_drain(drive, false);
        g_assert_cmpint(many[31].bytes[511], ==, 0x11);
        submit(drive, &beyond, BLOCK_READ, IMAGE_BYTES);
        g_assert_true(beyond.is_done);
        g_assert_cmpint(beyond.error, ==, -EIO);
        /* In a quiet time nothing begins. */
        block_backend_begin_quiet(drive);
        submit(drive, &beyond, BLOCK_READ, 0);
        g_assert_false(beyond.is_done);
        block_backend_end_quiet(drive);
        block_backend_drain(drive, false);
        g_assert_true(beyond.is_done);
        g_assert_cmpuint(drive->counts[BLOCK_WRITE].operations, ==, 32);
        g_assert_cmpuint(drive->counts[BLOCK_READ].bytes, ==, 33 * 512);
    }
}

static unsigned stops;

static void stop(void)
{
    stops++;
}

/* With werror=stop a request waits until the machine runs again. */
static void test_policy(void)
{
    static const BlockMachineOps machine = { stop };
    g_autofree char *path = new_file("h", IMAGE_BYTES);
    g_autoptr(BlockBackend) drive = block_backend_new("d0", NULL);
    g_autoptr(BlockNode) node = open_text(
        NULL, "{'driver':'file','filename':'%s','auto-read-only':true,'read-only':false}", path);
    BlockLink *link;
    Ended e;

    block_set_machine_ops(&machine);
    g_assert_true(block_backend_insert(drive, node, NULL));
    block_backend_set_policy(drive, BLOCK_ERROR_REPORT, BLOCK_ERROR_STOP);
    submit(drive, &e, BLOCK_WRITE, 0); /* the file is not open for writing */
    block_backend_drain(drive, false);
    g_assert_false(e.is_done);
    while (event_loop_run_once(event_loop_main(), false)) {
    }
    g_assert_cmpuint(stops, ==, 1);
    link = block_link_new(block_node_ref(node), "a", BLOCK_PERM_WRITE, BLOCK_PERM_ALL, NULL);
    block_vm_runs();
    block_backend_drain(drive, false);
    g_assert_true(e.is_done);
    g_assert_cmpint(e.error, ==, 0);
    block_link_free(link);
}

/* --- -drive --- */

static BlockDrive *add_drive(const char *text, Error **errp)
{
    g_autoptr(JsonObject) keys = NULL;

    g_assert_true(json_parse(text, strlen(text), &keys, NULL));
    return block_drive_add(keys, BLOCK_IF_IDE, errp);
}

static void test_drive_places(void)
{
    Error *err = NULL;
    BlockDrive *drive = add_drive("{}", NULL);

    g_assert_cmpstr(block_backend_name(drive->backend), ==, "ide0-hd0");
    drive = add_drive("{'media':'cdrom','index':'2'}", NULL);
    g_assert_cmpstr(block_backend_name(drive->backend), ==, "ide1-cd0");
    drive = add_drive("{'if':'floppy'}", NULL);
    g_assert_cmpstr(block_backend_name(drive->backend), ==, "floppy0");
    drive = add_drive("{'driver':'null-co','size':'1M','if':'none','id':'x','werror':'stop'}", NULL);
    g_assert_cmpuint(block_backend_bytes(drive->backend), ==, MiB);
    g_assert_cmpint(block_backend_policy(drive->backend, false), ==, BLOCK_ERROR_STOP);
    drive = add_drive("{'file.driver':'null-co','format':'raw','cache':'none'}", NULL);
    g_assert_cmpuint(drive->bus, ==, 0);
    g_assert_cmpuint(drive->unit, ==, 1);
    g_assert_null(add_drive("{'index':'1'}", &err));
    check_error(err, "drive with bus=0, unit=1 (index=1) exists");
    err = NULL;
    g_assert_null(add_drive("{'file':'/nonexistent/x'}", &err));
    check_error(err, "Could not open '/nonexistent/x'");
    err = NULL;
    g_assert_null(add_drive("{'if':'none','id':'y','cache':'maybe'}", &err));
    check_error(err, "invalid cache option");
    err = NULL;
    g_assert_null(add_drive("{'if':'none','id':'y','driver':'null-co','sizzle':'1'}", &err));
    check_error(err, "sizzle");
    err = NULL;
    g_assert_false(block_drives_check(&err));
    check_error(err, "machine type does not support if=ide,bus=0,unit=0");
    block_drives_cleanup();
}

/* A guest cannot make a raw image look like another format when nobody said that it is raw. */
static void test_probed(void)
{
    g_autofree char *path = new_file("i", IMAGE_BYTES);
    BlockOpenFile file = { .filename = path };
    g_autoptr(BlockNode) node = block_open_file(&file, NULL);

    g_assert_cmpstr(block_node_driver(node), ==, "raw");
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    event_loop_main();
    folder = g_dir_make_tmp("block-XXXXXX", NULL);
    g_test_add_func("/block/file/keeps", test_file_keeps_what_is_written);
    g_test_add_func("/block/file/zeroes", test_zeroes_and_extents);
    g_test_add_func("/block/file/direct", test_direct);
    g_test_add_func("/block/file/direct-at-once", test_direct_at_once);
    g_test_add_func("/block/file/longer-at-once", test_longer_at_once);
    g_test_add_func("/block/raw/part", test_part_of_a_file);
    g_test_add_func("/block/graph/names", test_names);
    g_test_add_func("/block/graph/users", test_users_agree);
    g_test_add_func("/block/file/locks", test_locks);
    g_test_add_func("/block/file/auto-read-only", test_auto_read_only);
    g_test_add_func("/block/drive/requests", test_requests);
    g_test_add_func("/block/drive/policy", test_policy);
    g_test_add_func("/block/drive/places", test_drive_places);
    g_test_add_func("/block/open/probed", test_probed);
    status = g_test_run();
    for (char name[] = "a"; name[0] <= 'k'; name[0]++) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
    return status;
}
