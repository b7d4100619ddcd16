/*
 * Fuzzes rules of blkdebug: the input is a file of them, and after its first zero byte requests: a
 * byte that says what, one that says where. They may fail, and say so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <sys/mman.h>

#include "block/block_node.h"
#include "qapi/qapi-types-block-core.h"
#include "util/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int fd = -1;
static char *path;

static BlockNode *open_node(void)
{
    g_autofree char *text = g_strdup_printf("{'driver':'blkdebug','config':'%s','image':"
                                            "{'driver':'null-co','size':65536,"
                                            "'read-zeroes':true}}", path);
    g_autoptr(JsonObject) json = NULL;
    g_autoptr(BlockdevOptions) options = NULL;
    json_object *value;

    g_assert_true(json_parse(text, strlen(text), &value, NULL));
    json = value;
    options = blockdev_options_from_json(json, QAPI_TYPED, NULL);
    g_assert_nonnull(options);
    return block_open(options, NULL);
}

static void write_rules(const uint8_t *data, size_t size)
{
    if (fd < 0) {
        fd = memfd_create("rules", MFD_CLOEXEC);
        path = g_strdup_printf("/proc/self/fd/%d", fd);
    }
    g_assert_true(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char buf[4096];
    const uint8_t *end = memchr(data, 0, size);
    size_t rules = end ? (size_t)(end - data) : size;
    BlockNode *node;

    write_rules(data, rules);
    node = open_node();
    for (size_t at = rules + 1; node && at + 1 < size; at += 2) {
        struct iovec iov = { buf, sizeof(buf) };
        BlockIo io = { data[at] % BLOCK_OPS, 0, (data[at + 1] & 15) * sizeof(buf), sizeof(buf),
                       &iov, 1 };

        if (io.op == BLOCK_FLUSH) {
            block_flush(node);
        } else {
            block_io(node, &io);
        }
    }
    block_node_unref(node);
    return 0;
}
