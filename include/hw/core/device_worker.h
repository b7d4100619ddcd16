/*
 * DeviceWorker: an iothread that serves a device. What the device has to do, and requests of its
 * drives that ended, come to it in that thread with the machine lock; drives are asked, and
 * answer, without it.
 *
 * The thread never waits for the lock, it tries again when its loop comes round: who has the lock
 * may wait for the thread.
 *
 * Machine lock, where nothing else is said.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DEVICE_WORKER_H
#define HW_CORE_DEVICE_WORKER_H

#include "block/block_backend.h"
#include "system/iothread.h"

typedef struct DeviceWorker DeviceWorker;
typedef struct DeviceWork DeviceWork;

/* With a reference to the thread. NULL for NULL: all is the main loop's. */
DeviceWorker *device_worker_new(IoThread *thread);
/* Its work was freed, its requests are back. NULL is fine. */
void device_worker_free(DeviceWorker *worker);

/* `fn` runs in the thread with the machine lock, while the VM runs; again whenever it starts. */
DeviceWork *device_work_new(DeviceWorker *worker, EventFn *fn, void *opaque);
void device_work_schedule(DeviceWork *work); /* any thread */
/* It is not running and will not. NULL is fine. */
void device_work_free(DeviceWork *work);

/* As block_backend_submit(); done() has the machine lock. Without a worker it is just that. */
void device_worker_submit(DeviceWorker *worker, BlockBackend *drive, BlockRequest *request);
/*
 * What was submitted is with its drive, what ended has come back; not in the thread. To wait for
 * all: until none is out, drain the drive and settle. NULL: nothing is to be done.
 */
void device_worker_settle(DeviceWorker *worker);

#endif
