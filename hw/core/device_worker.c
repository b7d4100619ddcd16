/*
 * See hw/core/device_worker.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device_worker.h"

#include "system/machine_lock.h"
#include "system/run_state.h"

struct DeviceWorker {
    IoThread *thread;
    EventLoop *loop;
    Notifier run_state;
    GPtrArray *works;    /* DeviceWork, borrowed */
    GQueue to_submit;    /* BlockRequest; machine lock */
    DeviceWork *bring_back;
    GMutex lock;         /* of `ended` */
    GQueue ended;        /* BlockRequest, with its result */
};

struct DeviceWork {
    DeviceWorker *worker;
    EventFn *fn;
    void *opaque;
    Deferred *deferred;
    bool is_any_time;    /* whether or not the VM runs */
    bool is_ending;      /* atomic: it is tried no more */
};

/* --- in the thread --- */

/* Without the machine lock. */
static void submit_all(GQueue *requests)
{
    BlockRequest *request;

    while ((request = g_queue_pop_head(requests))) {
        block_backend_submit(request->backend, request);
    }
}

static GQueue take_all(DeviceWorker *worker)
{
    GQueue requests = worker->to_submit;

    g_queue_init(&worker->to_submit);
    return requests;
}

static void run(void *opaque)
{
    DeviceWork *work = opaque;
    GQueue requests;

    if (__atomic_load_n(&work->is_ending, __ATOMIC_ACQUIRE)) {
        return;
    }
    if (!machine_trylock()) {
        g_thread_yield(); /* to who has it */
        deferred_schedule(work->deferred);
        return;
    }
    if (work->is_any_time || vm_is_running()) { /* else: when it starts */
        work->fn(work->opaque);
    }
    requests = take_all(work->worker);
    machine_unlock();
    submit_all(&requests);
}

/* --- waiting for it --- */

typedef struct Barrier {
    GMutex lock;
    GCond passed;
    bool is_passed;
} Barrier;

static void pass(void *opaque)
{
    Barrier *barrier = opaque;

    g_mutex_lock(&barrier->lock);
    barrier->is_passed = true;
    g_cond_signal(&barrier->passed);
    g_mutex_unlock(&barrier->lock);
}

/* Whatever ran in the thread has ended. */
static void wait_for_thread(DeviceWorker *worker)
{
    Barrier barrier = { .is_passed = false };

    assert(!event_loop_is_current(worker->loop));
    g_mutex_init(&barrier.lock);
    g_cond_init(&barrier.passed);
    event_loop_defer(worker->loop, pass, &barrier);
    g_mutex_lock(&barrier.lock);
    while (!barrier.is_passed) {
        g_cond_wait(&barrier.passed, &barrier.lock);
    }
    g_mutex_unlock(&barrier.lock);
    g_cond_clear(&barrier.passed);
    g_mutex_clear(&barrier.lock);
}

/* --- work --- */

static DeviceWork *new_work(DeviceWorker *worker, EventFn *fn, void *opaque)
{
    DeviceWork *work = g_new0(DeviceWork, 1);

    *work = (DeviceWork){ .worker = worker, .fn = fn, .opaque = opaque };
    work->deferred = deferred_new(worker->loop, run, work);
    return work;
}

DeviceWork *device_work_new(DeviceWorker *worker, EventFn *fn, void *opaque)
{
    DeviceWork *work = new_work(worker, fn, opaque);

    g_ptr_array_add(worker->works, work);
    return work;
}

void device_work_schedule(DeviceWork *work)
{
    deferred_schedule(work->deferred);
}

void device_work_free(DeviceWork *work)
{
    if (work) {
        __atomic_store_n(&work->is_ending, true, __ATOMIC_RELEASE);
        wait_for_thread(work->worker);
        deferred_free(work->deferred);
        g_ptr_array_remove_fast(work->worker->works, work);
        g_free(work);
    }
}

/* --- requests --- */

static BlockRequest *next_ended(DeviceWorker *worker)
{
    BlockRequest *request;

    g_mutex_lock(&worker->lock);
    request = g_queue_pop_head(&worker->ended);
    g_mutex_unlock(&worker->lock);
    return request;
}

static void bring_back(void *opaque)
{
    BlockRequest *request;

    while ((request = next_ended(opaque))) {
        request->returns(request, request->result);
    }
}

static void request_ended(BlockRequest *request, int error)
{
    DeviceWorker *worker = request->worker;

    if (machine_lock_is_held()) { /* it was given up */
        request->returns(request, error);
        return;
    }
    request->result = error;
    g_mutex_lock(&worker->lock);
    g_queue_push_tail(&worker->ended, request);
    g_mutex_unlock(&worker->lock);
    deferred_schedule(worker->bring_back->deferred);
}

void device_worker_submit(DeviceWorker *worker, BlockBackend *drive, BlockRequest *request)
{
    if (!worker) {
        block_backend_submit(drive, request);
        return;
    }
    request->loop = worker->loop;
    request->worker = worker;
    request->returns = request->done;
    request->done = request_ended;
    request->backend = drive;
    g_queue_push_tail(&worker->to_submit, request);
    if (!event_loop_is_current(worker->loop)) {
        deferred_schedule(worker->bring_back->deferred);
    }
}

static void submit_list(void *opaque)
{
    submit_all(opaque);
    g_queue_free(opaque);
}

void device_worker_settle(DeviceWorker *worker)
{
    GQueue *requests;

    if (worker) {
        requests = g_queue_new();
        *requests = take_all(worker);
        event_loop_defer(worker->loop, submit_list, requests);
        wait_for_thread(worker);
        bring_back(worker);
    }
}

/* --- life --- */

/* A VM that stopped changes no more; what was to be done meanwhile is done when it goes on. */
static void run_state_changed(Notifier *notifier, void *data)
{
    DeviceWorker *worker = container_of(notifier, DeviceWorker, run_state);

    if (!((const RunStateChange *)data)->is_running) {
        device_worker_settle(worker);
        block_drain_all();
        device_worker_settle(worker);
        return;
    }
    for (guint i = 0; i < worker->works->len; i++) {
        device_work_schedule(worker->works->pdata[i]);
    }
}

DeviceWorker *device_worker_new(IoThread *thread)
{
    DeviceWorker *worker;

    if (!thread) {
        return NULL;
    }
    worker = g_new0(DeviceWorker, 1);
    worker->thread = thread;
    object_ref(thread);
    worker->loop = iothread_loop(thread);
    worker->works = g_ptr_array_new();
    worker->bring_back = new_work(worker, bring_back, worker);
    worker->bring_back->is_any_time = true;
    g_mutex_init(&worker->lock);
    worker->run_state.fn = run_state_changed;
    vm_add_state_notifier(&worker->run_state);
    return worker;
}

void device_worker_free(DeviceWorker *worker)
{
    if (worker) {
        assert(!worker->works->len);
        notifier_remove(&worker->run_state);
        device_work_free(worker->bring_back);
        g_ptr_array_unref(worker->works);
        g_mutex_clear(&worker->lock);
        object_unref(worker->thread);
        g_free(worker);
    }
}
