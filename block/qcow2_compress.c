/*
 * Compressed clusters of a qcow2 image: raw deflate with a window of 4 KiB, or a zstd frame.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#include "config-host.h"

#include <zlib.h>
#ifdef CONFIG_ZSTD
#include <zstd.h>
#endif

#define WINDOW_BITS (-12) /* negative: no header */
#define MEMORY_LEVEL 9

static int inflate_all(const void *packed, uint32_t packed_bytes, void *data, uint64_t bytes)
{
    z_stream stream = { .next_in = (void *)packed, .avail_in = packed_bytes,
                        .next_out = data, .avail_out = bytes };
    int result;

    if (inflateInit2(&stream, WINDOW_BITS) != Z_OK) {
        return -ENOMEM;
    }
    result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    /* What follows in the last sector is not ours. */
    return (result == Z_STREAM_END || result == Z_BUF_ERROR) && !stream.avail_out ? 0 : -EIO;
}

static ssize_t deflate_all(const void *data, uint64_t bytes, void *packed)
{
    z_stream stream = { .next_in = (void *)data, .avail_in = bytes,
                        .next_out = packed, .avail_out = bytes };
    int result;

    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return -ENOMEM;
    }
    result = deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return result == Z_STREAM_END ? bytes - stream.avail_out : 0;
}

#ifdef CONFIG_ZSTD
static int unpack_zstd(const void *packed, uint32_t packed_bytes, void *data, uint64_t bytes)
{
    ZSTD_inBuffer in = { packed, packed_bytes, 0 };
    ZSTD_outBuffer out = { data, bytes, 0 };
    ZSTD_DCtx *context = ZSTD_createDCtx();
    int err = context ? 0 : -ENOMEM;

    while (!err && out.pos < out.size) {
        size_t in_before = in.pos, out_before = out.pos;
        size_t result = ZSTD_decompressStream(context, &out, &in);

        if (ZSTD_isError(result) || (in.pos == in_before && out.pos == out_before)) {
            err = -EIO;
        }
    }
    ZSTD_freeDCtx(context);
    return err;
}

static ssize_t pack_zstd(const void *data, uint64_t bytes, void *packed)
{
    size_t result = ZSTD_compress(packed, bytes, data, bytes, ZSTD_CLEVEL_DEFAULT);

    return ZSTD_isError(result) ? 0 : result;
}
#else
static int unpack_zstd(const void *packed, uint32_t packed_bytes, void *data, uint64_t bytes)
{
    return -ENOTSUP;
}

static ssize_t pack_zstd(const void *data, uint64_t bytes, void *packed)
{
    return -ENOTSUP;
}
#endif

int qcow2_unpack(BlockQcow2 *image, const void *packed, uint32_t packed_bytes, void *data)
{
    return image->header.compression ? unpack_zstd(packed, packed_bytes, data, image->cluster) :
                                       inflate_all(packed, packed_bytes, data, image->cluster);
}

ssize_t qcow2_pack(BlockQcow2 *image, const void *data, void *packed)
{
    ssize_t bytes = image->header.compression ? pack_zstd(data, image->cluster, packed) :
                                                deflate_all(data, image->cluster, packed);

    return bytes >= (ssize_t)image->cluster ? 0 : bytes;
}
