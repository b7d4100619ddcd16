/*
 * qemu-img bench: how fast an image is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "tools/img.h"

#include "util/event_loop.h"

#define BUFFER_ALIGN 4096

typedef struct Bench {
    ImgSource source;
    uint64_t count, depth, bytes, step, at, end, flush_interval, pattern;
    bool is_write, no_drain, is_native, is_quiet, has_step;
} Bench;

typedef struct Run {
    const Bench *job;
    BlockNode *node;
    uint64_t to_start, under_way, at, since_flush;
    struct Request *ready; /* may be started */
    unsigned flushes;      /* under way */
    bool is_starting;
    int err;
} Run;

typedef struct Request {
    BlockRequest request;
    struct iovec iov;
    Run *run;
    struct Request *next;
} Request;

static void start_some(Run *run);

static void fail(Run *run, int err)
{
    if (err && !run->err) {
        run->err = err;
        error_report("Failed request: %s", g_strerror(-err));
    }
}

static void flushed(BlockRequest *request, int err)
{
    Request *own = container_of(request, Request, request);
    Run *run = own->run;

    g_free(own);
    run->flushes--;
    run->under_way--;
    fail(run, err);
    start_some(run);
}

static void begin_flush(Run *run)
{
    Request *own = g_new0(Request, 1);

    run->since_flush = 0;
    run->flushes++;
    run->under_way++;
    own->run = run;
    own->request.io = (BlockIo){ BLOCK_FLUSH, 0, 0, 0, NULL, 0 };
    own->request.done = flushed;
    block_submit(run->node, &own->request);
}

static void ended(BlockRequest *request, int err)
{
    Request *own = container_of(request, Request, request);
    Run *run = own->run;

    run->under_way--;
    fail(run, err);
    own->next = run->ready;
    run->ready = own;
    start_some(run);
}

/* Before a flush all ends that is under way, and nothing new begins before it has ended, unless
 * the user wants otherwise. */
static bool may_start(Run *run)
{
    const Bench *job = run->job;
    bool is_due = job->flush_interval && run->since_flush >= job->flush_interval;

    if (!run->to_start || run->err) {
        return false;
    }
    if (is_due && (job->no_drain || !run->under_way)) {
        begin_flush(run);
        is_due = false;
    }
    return job->no_drain || (!is_due && !run->flushes);
}

static void start(Request *request)
{
    Run *run = request->run;
    const Bench *job = run->job;

    run->to_start--;
    run->since_flush++;
    request->request.io = (BlockIo){ job->is_write ? BLOCK_WRITE : BLOCK_READ, 0, run->at,
                                     job->bytes, &request->iov, 1 };
    request->request.done = ended;
    run->at += job->step;
    if (run->at > job->end - job->bytes) {
        run->at = job->at;
    }
    run->under_way++;
    block_submit(run->node, &request->request);
}

/* What ends at once would nest: it waits for the one that starts it. */
static void start_some(Run *run)
{
    if (run->is_starting) {
        return;
    }
    run->is_starting = true;
    while (run->ready && may_start(run)) {
        Request *request = run->ready;

        run->ready = request->next;
        start(request);
    }
    run->is_starting = false;
}

static bool is_over(void *opaque)
{
    return !((Run *)opaque)->under_way;
}

static double run_all(Run *run, Request *requests)
{
    int64_t since = g_get_monotonic_time();

    for (uint64_t i = 0; i < run->job->depth; i++) {
        requests[i].next = run->ready;
        run->ready = &requests[i];
    }
    start_some(run);
    event_loop_run_until(event_loop_main(), is_over, run);
    return (g_get_monotonic_time() - since) / 1e6;
}

static void print_plan(const Bench *job)
{
    printf("Sending %" PRIu64 " %s requests, %" PRIu64 " bytes each, %" PRIu64 " in parallel "
           "(starting at offset %" PRIu64 ", step size %" PRIu64 ")\n", job->count,
           job->is_write ? "write" : "read", job->bytes, job->depth, job->at, job->step);
    if (job->flush_interval) {
        printf("Sending flush every %" PRIu64 " requests\n", job->flush_interval);
    }
}

static int bench(const Bench *job, BlockNode *node)
{
    Run run = { .job = job, .node = node, .to_start = job->count, .at = job->at };
    Request *requests = g_new0(Request, job->depth);
    void *buf = NULL;
    double seconds;

    if (posix_memalign(&buf, BUFFER_ALIGN, job->bytes * job->depth)) {
        g_free(requests);
        error_report("No memory for the buffers");
        return 1;
    }
    memset(buf, job->pattern, job->bytes * job->depth);
    for (uint64_t i = 0; i < job->depth; i++) {
        requests[i].iov = (struct iovec){ (char *)buf + i * job->bytes, job->bytes };
        requests[i].run = &run;
    }
    print_plan(job);
    seconds = run_all(&run, requests);
    if (!run.err) {
        printf("Run completed in %3.3f seconds.\n", seconds);
    }
    free(buf);
    g_free(requests);
    return run.err ? 1 : 0;
}

static int check(Bench *job, uint64_t image_bytes)
{
    job->step = job->has_step && job->step ? job->step : job->bytes;
    job->end = image_bytes;
    if (!job->count || !job->depth || !job->bytes || job->depth > 65536 ||
        job->bytes > INT_MAX / 2) {
        error_report("Invalid number of requests, depth, or buffer size");
        return 1;
    }
    if (job->flush_interval && !job->is_write) {
        error_report("--flush-interval is only available in write tests");
        return 1;
    }
    if (job->flush_interval && job->flush_interval < job->depth) {
        error_report("Flush interval can't be smaller than depth");
        return 1;
    }
    if (job->bytes > image_bytes || job->at > image_bytes - job->bytes) {
        error_report("The image is too small");
        return 1;
    }
    return 0;
}

int img_bench(int argc, char **argv)
{
    Bench job = { .count = 75000, .depth = 64, .bytes = 4096 };
    const ImgOption options[] = {
        { 'c', NULL, IMG_NUMBER, &job.count, "request count" },
        { 'd', NULL, IMG_NUMBER, &job.depth, "queue depth" },
        { 'f', NULL, IMG_TEXT, &job.source.format }, { 'i', "aio", IMG_TEXT, &job.source.aio },
        { 'n', NULL, IMG_FLAG, &job.is_native }, { 'o', NULL, IMG_SIZE, &job.at, "offset" },
        { 'q', NULL, IMG_FLAG, &job.is_quiet }, { 's', NULL, IMG_SIZE, &job.bytes, "buffer size" },
        { 'S', NULL, IMG_SIZE, &job.step, "step_size" }, { 't', NULL, IMG_TEXT, &job.source.cache },
        { 'w', NULL, IMG_FLAG, &job.is_write },
        { 'U', "force-share", IMG_FLAG, &job.source.is_shared },
        { 0, "flush-interval", IMG_NUMBER, &job.flush_interval },
        { 0, "no-drain", IMG_FLAG, &job.no_drain },
        { 0, "pattern", IMG_NUMBER, &job.pattern },
        { 0, "image-opts", IMG_FLAG, &job.source.is_options }, { 0, "object", IMG_OBJECT, NULL },
    };
    g_auto(ImgImage) image = { 0 };
    int first;

    if (!img_options(argc, argv, options, ARRAY_SIZE(options), &first)) {
        return 1;
    }
    if (first != argc - 1) {
        return img_usage("Expecting one image file name");
    }
    if (job.is_native) {
        job.source.aio = "native";
    }
    job.has_step = job.step;
    job.source.name = argv[first];
    job.source.is_writable = job.is_write;
    if (job.pattern > UINT8_MAX) {
        error_report("Invalid pattern byte specified");
        return 1;
    }
    if (!img_cache_is_known(job.source.cache)) {
        error_report("Invalid cache mode");
        return 1;
    }
    if (!img_open(&image, &job.source) || check(&job, block_node_bytes(image.node))) {
        return 1;
    }
    return bench(&job, image.node);
}
