/*
 * New files. See block/create.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "block/create.h"

/* Hints: a file system that does not know them loses nothing. */
static void set_hints(int fd, const BlockdevCreateOptionsFile *own)
{
    if (own->nocow) {
        int flags;

        if (!ioctl(fd, FS_IOC_GETFLAGS, &flags)) {
            flags |= FS_NOCOW_FL;
            ioctl(fd, FS_IOC_SETFLAGS, &flags);
        }
    }
    if (own->has_extent_size_hint && own->extent_size_hint) {
        struct fsxattr attr = { .fsx_xflags = FS_XFLAG_EXTSIZE,
                                .fsx_extsize = own->extent_size_hint };

        ioctl(fd, FS_IOC_FSSETXATTR, &attr);
    }
}

static bool make_file(const BlockdevCreateOptionsFile *own, Error **errp)
{
    int fd = open(own->filename, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0) {
        return error_set_errno(errp, errno, "Could not create '%s'", own->filename);
    }
    set_hints(fd, own);
    close(fd);
    return true;
}

/* Through a node: another process may use it. */
static BlockNode *open_file(const char *filename, Error **errp)
{
    g_autoptr(BlockdevOptions) options = g_new0(BlockdevOptions, 1);

    options->driver = BLOCKDEV_DRIVER_FILE;
    options->u.file.filename = g_strdup(filename);
    return block_open(options, errp);
}

bool block_file_create(const BlockdevCreateOptions *options, Error **errp)
{
    const BlockdevCreateOptionsFile *own = &options->u.file;
    g_autoptr(BlockNode) node = NULL;
    BlockLink *link;
    bool is_done;

    if (own->size > BLOCK_MAX_BYTES) {
        return error_set(errp, "Image size is too large");
    }
    if (!make_file(own, errp) || !(node = open_file(own->filename, errp))) {
        return false;
    }
    link = block_link_new(block_node_ref(node), "image creation",
                          BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE, BLOCK_PERM_READ, errp);
    is_done = link && block_node_resize(node, 0, BLOCK_PREALLOC_OFF, errp) &&
              block_node_resize(node, own->size, (BlockPrealloc)own->preallocation, errp);
    block_link_free(link);
    return is_done;
}
