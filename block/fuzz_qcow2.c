/*
 * Fuzzes qcow2 images: a good one is damaged here and there, or the input is the image; then it
 * is read, written, checked, repaired. It may fail, and say so.
 *
 * The input: a byte that says which image (0xff: the rest is one), patches (how many; each two
 * bytes of offset in 8-byte words, eight bytes), then requests (kind, two bytes of offset, one of
 * length).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sys/mman.h>

#include "block/create.h"
#include "block/qcow2.h"
#include "util/byte_order.h"

#define IMAGE_BYTES  (2 * MiB)
#define MOST_BYTES   (256 * KiB) /* of a request */
#define MOST_STEPS   24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const variants[] = {
    "'cluster-size':4096", "'cluster-size':512,'version':'v2'",
    "'cluster-size':16384,'extended-l2':true", "'cluster-size':1024,'refcount-bits':64",
    "'cluster-size':4096,'lazy-refcounts':true,'compression-type':'zstd'",
};

static GBytes *images[ARRAY_SIZE(variants)];
static int fd = -1;
static char *path;

static void ignore(void *opaque, const char *line)
{
}

static json_object *parse(const char *fmt, ...) PRINTF(1, 2);
static json_object *parse(const char *fmt, ...)
{
    g_autofree char *text = NULL;
    json_object *json = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    return json_parse(text, strlen(text), &json, NULL) ? json : NULL;
}

static BlockNode *open_image(bool is_read_only, bool is_check)
{
    g_autoptr(JsonObject) json = parse("{'driver':'qcow2','read-only':%s,'discard':'unmap',"
                                       "'cache':{'no-flush':true},'backing':null,"
                                       "'file':{'driver':'file','filename':'%s'}}",
                                       is_read_only ? "true" : "false", path);
    g_autoptr(BlockdevOptions) options = blockdev_options_from_json(json, QAPI_TYPED, NULL);
    BlockNode *node;

    block_open_as_check(is_check);
    node = block_open(options, NULL);
    block_open_as_check(false);
    return node;
}

static void request(BlockNode *node, BlockOp op, unsigned flags, uint64_t offset, uint64_t bytes)
{
    uint64_t end = block_node_bytes(node);
    g_autofree uint8_t *buf = NULL;
    struct iovec iov;
    BlockIo io = { op, flags, offset, bytes, &iov, 1 };

    if (op != BLOCK_FLUSH && (offset >= end || !bytes)) {
        return;
    }
    io.bytes = MIN(bytes, end - offset);
    buf = g_malloc(io.bytes + 1);
    memset(buf, offset >> 9, io.bytes);
    iov = (struct iovec){ buf, io.bytes };
    block_io(node, &io);
}

/* Data, a compressed cluster, a snapshot and data over it. */
static void fill(BlockNode *node)
{
    request(node, BLOCK_WRITE, 0, 3000, 70000);
    request(node, BLOCK_WRITE, BLOCK_COMPRESSED, 256 * KiB, 16 * KiB);
    block_image_snapshot(node, BLOCK_SNAPSHOT_CREATE, NULL, "kept");
    request(node, BLOCK_WRITE, 0, 40000, 5000);
    request(node, BLOCK_ZERO, 0, 512 * KiB, 64 * KiB);
}

static GBytes *make(const char *variant)
{
    g_autoptr(JsonObject) json = parse("{'driver':'qcow2','size':%" PRIu64 ",%s,'file':{'driver':"
                                       "'file','filename':'%s'}}", IMAGE_BYTES, variant, path);
    g_autoptr(BlockdevCreateOptions) options = blockdev_create_options_from_json(json, QAPI_TYPED,
                                                                                 NULL);
    BlockNode *node;
    off_t bytes;
    char *data;

    assert(!ftruncate(fd, 0) && block_create(options, NULL));
    node = open_image(false, false);
    fill(node);
    block_node_unref(node);
    bytes = lseek(fd, 0, SEEK_END);
    data = g_malloc(bytes);
    assert(pread(fd, data, bytes, 0) == bytes);
    return g_bytes_new_take(data, bytes);
}

static void prepare(void)
{
    fd = memfd_create("image", MFD_CLOEXEC);
    assert(fd >= 0);
    path = g_strdup_printf("/proc/self/fd/%d", fd);
    error_redirect(ignore, NULL);
    stderr = fopen("/dev/null", "w"); /* what a check tells; the fuzzer has its own */
    assert(stderr);
    for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
        images[i] = make(variants[i]);
    }
}

typedef struct Input {
    const uint8_t *at, *end;
} Input;

static uint64_t take(Input *in, size_t bytes)
{
    uint64_t value = 0;

    if (in->end - in->at < bytes) {
        in->at = in->end;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | *in->at++;
    }
    return value;
}

static bool write_all(const void *data, size_t bytes)
{
    return !ftruncate(fd, 0) && pwrite(fd, data, bytes, 0) == bytes;
}

static bool place_image(Input *in)
{
    unsigned which = take(in, 1);
    const void *data;
    gsize bytes;

    if (which == 0xff) {
        bool is_placed = write_all(in->at, in->end - in->at);

        in->at += (in->end - in->at) / 2; /* the other half asks */
        return is_placed;
    }
    data = g_bytes_get_data(images[which % ARRAY_SIZE(images)], &bytes);
    if (!write_all(data, bytes)) {
        return false;
    }
    for (unsigned count = take(in, 1) % 16; count; count--) {
        uint64_t offset = take(in, 2) * 8 % bytes, value = GUINT64_TO_BE(take(in, 8));

        if (pwrite(fd, &value, sizeof(value), offset) < 0) {
            return false;
        }
    }
    return true;
}

static void steps(BlockNode *node, Input *in)
{
    for (unsigned i = 0; i < MOST_STEPS && in->at < in->end; i++) {
        unsigned kind = take(in, 1) % 10;
        uint64_t offset = take(in, 2) * 512, bytes = (take(in, 1) + 1) * 1024;
        BlockExtent extent;

        bytes = MIN(bytes, MOST_BYTES);
        if (kind < BLOCK_OPS) {
            request(node, kind, 0, offset, bytes);
        } else if (kind == 5) {
            request(node, BLOCK_WRITE, BLOCK_COMPRESSED, ROUND_DOWN(offset, 16384), 16384);
        } else if (kind == 6) {
            block_extent_of_chain(node, offset, bytes, &extent, NULL);
        } else if (kind == 7) {
            request(node, BLOCK_ZERO, BLOCK_MAY_UNMAP, offset, bytes);
        } else {
            block_image_snapshot(node, offset / 512 % 4, "1", "kept");
        }
    }
}

static void try_image(Input in, bool is_read_only)
{
    g_autoptr(BlockNode) node = open_image(is_read_only, false);

    if (node) {
        image_info_free(block_image_info(node, true));
        steps(node, &in);
    }
}

static void try_check(unsigned fixes)
{
    g_autoptr(BlockNode) node = open_image(!fixes, true);
    BlockCheck result;

    if (node) {
        block_image_check(node, fixes, &result);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input in = { data, data + size };

    if (fd < 0) {
        prepare();
    }
    if (size < 8 || !place_image(&in)) {
        return 0;
    }
    try_check(0);
    try_image(in, true);
    try_image(in, false);
    try_check(BLOCK_FIX_ERRORS | BLOCK_FIX_LEAKS);
    try_image(in, false);
    while (event_loop_run_once(event_loop_main(), false)) {
    }
    return 0;
}
