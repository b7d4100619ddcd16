/*
 * qemu-img compare.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#define CHUNK_BYTES (2 * MiB)

/* Exit statuses of the command, which scripts know. */
enum { COMPARE_SAME, COMPARE_DIFFERENT, COMPARE_OPEN_FAILED, COMPARE_STATUS_FAILED,
       COMPARE_READ_FAILED };

typedef struct Compare {
    ImgImage images[2];
    uint64_t bytes[2], at;
    bool is_strict, is_quiet;
    uint8_t *bufs[2];
} Compare;

static int differ(const Compare *job, const char *fmt, uint64_t offset)
{
    if (!job->is_quiet) {
        printf(fmt, offset);
    }
    return COMPARE_DIFFERENT;
}

static int read_both(Compare *job, uint64_t bytes)
{
    for (unsigned i = 0; i < 2; i++) {
        int err = block_read(job->images[i].node, job->at, job->bufs[i], bytes);

        if (err) {
            error_report("Error while reading offset %" PRIu64 ": %s", job->at, g_strerror(-err));
            return COMPARE_READ_FAILED;
        }
    }
    return COMPARE_SAME;
}

static uint64_t first_difference(const uint8_t *a, const uint8_t *b, uint64_t bytes)
{
    uint64_t at = 0;

    while (at < bytes && a[at] == b[at]) {
        at++;
    }
    return at;
}

static int compare_data(Compare *job, uint64_t bytes)
{
    int status = read_both(job, bytes);

    if (!status && memcmp(job->bufs[0], job->bufs[1], bytes)) {
        uint64_t at = first_difference(job->bufs[0], job->bufs[1], bytes);

        return differ(job, "Content mismatch at offset %" PRIu64 "!\n", job->at + at);
    }
    return status;
}

/* Of one image, which has to be zero. */
static int compare_with_zero(Compare *job, unsigned which, uint64_t bytes)
{
    int err = block_read(job->images[which].node, job->at, job->bufs[which], bytes);

    if (err) {
        error_report("Error while reading offset %" PRIu64 ": %s", job->at, g_strerror(-err));
        return COMPARE_READ_FAILED;
    }
    for (uint64_t i = 0; i < bytes; i++) {
        if (job->bufs[which][i]) {
            return differ(job, "Content mismatch at offset %" PRIu64 "!\n", job->at + i);
        }
    }
    return COMPARE_SAME;
}

static int find_extents(Compare *job, BlockExtent *extents)
{
    for (unsigned i = 0; i < 2; i++) {
        int err = block_extent_of_chain(job->images[i].node, job->at, job->bytes[i] - job->at,
                                        &extents[i], NULL);

        if (err) {
            error_report("Sector allocation test failed for image %u: %s", i + 1,
                         g_strerror(-err));
            return COMPARE_STATUS_FAILED;
        }
    }
    return COMPARE_SAME;
}

/* *bytes: how much of it was looked at. */
static int compare_some(Compare *job, uint64_t *bytes)
{
    unsigned strict = BLOCK_EXTENT_DATA | BLOCK_EXTENT_ZERO | BLOCK_EXTENT_ALLOCATED;
    BlockExtent extents[2];
    bool zero[2];
    int status = find_extents(job, extents);

    if (status) {
        return status;
    }
    *bytes = MIN(extents[0].bytes, extents[1].bytes);
    if (job->is_strict && (extents[0].flags ^ extents[1].flags) & strict) {
        return differ(job, "Strict mode: Offset %" PRIu64 " block status mismatch!\n", job->at);
    }
    zero[0] = extents[0].flags & BLOCK_EXTENT_ZERO;
    zero[1] = extents[1].flags & BLOCK_EXTENT_ZERO;
    if (zero[0] && zero[1]) {
        return COMPARE_SAME;
    }
    *bytes = MIN(*bytes, CHUNK_BYTES);
    return zero[0] || zero[1] ? compare_with_zero(job, zero[0], *bytes) :
                                compare_data(job, *bytes);
}

/* What the longer one has more. */
static int compare_tail(Compare *job)
{
    unsigned longer = job->bytes[1] > job->bytes[0];
    int status = COMPARE_SAME;
    uint64_t bytes = 0;

    for (; job->at < job->bytes[longer] && !status; job->at += bytes) {
        BlockExtent extent;

        if (block_extent_of_chain(job->images[longer].node, job->at,
                                  job->bytes[longer] - job->at, &extent, NULL)) {
            return COMPARE_STATUS_FAILED;
        }
        bytes = extent.bytes;
        if (!(extent.flags & BLOCK_EXTENT_ZERO)) {
            bytes = MIN(bytes, CHUNK_BYTES);
            status = compare_with_zero(job, longer, bytes);
        }
    }
    return status;
}

static int compare(Compare *job)
{
    uint64_t end = MIN(job->bytes[0], job->bytes[1]), bytes = 0;
    bool is_mismatch = job->bytes[0] != job->bytes[1];
    int status = COMPARE_SAME;

    if (is_mismatch && job->is_strict) {
        return differ(job, "Strict mode: Image size mismatch!\n", 0);
    }
    for (; job->at < end && !status; job->at += bytes) {
        status = compare_some(job, &bytes);
        img_progress(job->at, MAX(job->bytes[0], job->bytes[1]));
    }
    if (!status && is_mismatch) {
        if (!job->is_quiet) {
            printf("Warning: Image size mismatch!\n");
        }
        status = compare_tail(job);
    }
    img_progress(1, 1);
    if (!status && !job->is_quiet) {
        printf("Images are identical.\n");
    }
    return status;
}

static int run(Compare *job, ImgSource *sources, bool is_progress)
{
    int status = COMPARE_OPEN_FAILED;

    if (img_open(&job->images[0], &sources[0]) && img_open(&job->images[1], &sources[1])) {
        for (unsigned i = 0; i < 2; i++) {
            job->bytes[i] = block_node_bytes(job->images[i].node);
            job->bufs[i] = g_malloc(CHUNK_BYTES);
        }
        img_progress_begin(is_progress);
        status = compare(job);
        img_progress_end();
    }
    for (unsigned i = 0; i < 2; i++) {
        img_close(&job->images[i]);
        g_free(job->bufs[i]);
    }
    return status;
}

int img_compare(int argc, char **argv)
{
    ImgSource sources[2] = { { 0 }, { 0 } };
    Compare job = { 0 };
    const char *cache = NULL;
    bool is_progress = false, is_options = false, is_shared = false;
    const ImgOption options[] = {
        { 'f', NULL, IMG_TEXT, &sources[0].format }, { 'F', NULL, IMG_TEXT, &sources[1].format },
        { 'T', NULL, IMG_TEXT, &cache }, { 'p', NULL, IMG_FLAG, &is_progress },
        { 'q', NULL, IMG_FLAG, &job.is_quiet }, { 's', NULL, IMG_FLAG, &job.is_strict },
        { 'U', "force-share", IMG_FLAG, &is_shared },
        { 0, "image-opts", IMG_FLAG, &is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first)) {
        return COMPARE_OPEN_FAILED;
    }
    if (first != argc - 2) {
        return img_usage("Expecting two image file names");
    }
    for (unsigned i = 0; i < 2; i++) {
        sources[i].name = argv[first + i];
        sources[i].cache = cache;
        sources[i].has_source_cache = true;
        sources[i].is_options = is_options;
        sources[i].is_shared = is_shared;
    }
    return run(&job, sources, is_progress && !job.is_quiet);
}
