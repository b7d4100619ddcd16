/*
 * qcow2 inside: images that grow, after the published format "Qcow2 Image File Format", versions 2
 * and 3.
 *
 * What is written, and when. Tables are kept in memory and written by qcow2_sync(), in an order
 * that makes every state between a good image, but for leaked clusters: reference counts that grow,
 * the table that leads to them, L2 tables, the L1 table. Reference counts that shrink wait (as
 * "frees") until the tables that let go are on the disk, and until the requests are gone that may
 * still read there. Data is written before a table leads to it.
 *
 * Threads: requests come from any, many at once. `lock` is over all of the tables, and held while
 * one is read. Who makes clusters for a range of the guest keeps others off it (Qcow2Claim) while
 * the lock is free. Some acts want to be alone: see qcow2_enter_alone(). Order of locks:
 * sync_lock, lock.
 *
 * Left out: encryption, growing an image past the tables' limits that the format's common
 * implementations share (32 MiB of L1, 8 MiB of reference table).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_QCOW2_H
#define BLOCK_QCOW2_H

#include "block/driver.h"

#define QCOW2_MAGIC            UINT32_C(0x514649fb) /* "QFI\xfb" */
#define QCOW2_MIN_CLUSTER_BITS 9
#define QCOW2_MAX_CLUSTER_BITS 21
#define QCOW2_MIN_SUB_BITS     14 /* of the cluster, with extended L2 entries */
#define QCOW2_MAX_L1_BYTES     (32 * MiB)
#define QCOW2_MAX_REFTABLE_BYTES (8 * MiB)
#define QCOW2_MAX_SNAPSHOTS    65536
#define QCOW2_BACKING_BYTES    1023
#define QCOW2_SUBS             32 /* subclusters of a cluster, with extended L2 entries */

enum {
    QCOW2_INCOMPAT_DIRTY       = BIT(0),
    QCOW2_INCOMPAT_CORRUPT     = BIT(1),
    QCOW2_INCOMPAT_DATA_FILE   = BIT(2),
    QCOW2_INCOMPAT_COMPRESSION = BIT(3),
    QCOW2_INCOMPAT_EXTENDED_L2 = BIT(4),
    QCOW2_INCOMPAT_KNOWN       = BIT(5) - 1,
    QCOW2_COMPAT_LAZY          = BIT(0),
    QCOW2_AUTOCLEAR_BITMAPS    = BIT(0),
    QCOW2_AUTOCLEAR_RAW_DATA   = BIT(1),
};

/* Entries of L1, L2 and the reference table. */
#define QCOW2_OFFSET_MASK     UINT64_C(0x00fffffffffffe00)
#define QCOW2_REFTABLE_MASK   UINT64_C(0xfffffffffffffe00)
#define QCOW2_ENTRY_COPIED     BIT64(63)
#define QCOW2_ENTRY_COMPRESSED BIT64(62)
#define QCOW2_ENTRY_ZERO       BIT64(0)

/* --- the header --- */

typedef struct Qcow2Extension {
    uint32_t type, bytes;
    uint8_t *data;
} Qcow2Extension;

typedef struct Qcow2Header {
    uint32_t version, cluster_bits, crypt_method, l1_entries, reftable_clusters, snapshots;
    uint64_t bytes, l1_offset, reftable_offset, snapshots_offset;
    uint64_t incompatible, compatible, autoclear;
    uint32_t refcount_order, header_bytes;
    uint8_t compression;
    char *backing, *backing_format, *data_file; /* NULL: none */
    uint64_t backing_offset; /* as it was read; written anew with the header */
    /* The "bitmaps" extension, kept up while nothing makes it stale. */
    uint32_t bitmaps;
    uint64_t bitmaps_bytes, bitmaps_offset;
    GArray *unknown;  /* Qcow2Extension: kept as they are */
    uint8_t *rest;    /* header fields that are not known, `rest_bytes` */
    uint32_t rest_bytes;
} Qcow2Header;

/* Reads and checks what can be checked without the tables. */
bool qcow2_header_read(Qcow2Header *header, BlockNode *file, bool is_check, Error **errp);
/* The first cluster, with extensions and names. A negative errno. */
int qcow2_header_write(const Qcow2Header *header, BlockNode *file);
/* Only the first 104 bytes: an update that cannot be torn. */
int qcow2_header_update(const Qcow2Header *header, BlockNode *file);
void qcow2_header_clear(Qcow2Header *header);

/* --- caches of tables --- */

typedef struct Qcow2Block {
    GList in_lru; /* .data: itself */
    uint64_t offset;
    uint32_t dirty_from, dirty_to; /* bytes; equal: clean */
    bool is_writing; /* a copy is on its way to the disk */
    bool was_used;   /* since the cache was cleaned */
    uint8_t data[];
} Qcow2Block;

typedef struct Qcow2Cache {
    GHashTable *blocks; /* offset -> Qcow2Block */
    GQueue lru;         /* latest first */
    uint32_t entry_bytes;
    unsigned max, dirty;
} Qcow2Cache;

/* --- the image --- */

/* A range of the guest, whole clusters, whose tables are about to change. */
typedef struct Qcow2Claim {
    uint64_t from, to;
    struct Qcow2Claim *next;
} Qcow2Claim;

typedef enum Qcow2FreeKind {
    QCOW2_FREE_OTHER, QCOW2_FREE_SNAPSHOT, QCOW2_FREE_REQUEST, QCOW2_FREE_KINDS
} Qcow2FreeKind;

/* Clusters whose reference count is one too high. */
typedef struct Qcow2Free {
    uint64_t offset, bytes;
    uint64_t epoch;      /* when they were let go */
    uint64_t generation; /* the sync that has to be over */
    Qcow2FreeKind kind;
} Qcow2Free;

/* What users choose. */
typedef struct Qcow2Options {
    bool has_lazy, discards[QCOW2_FREE_KINDS], checks_overlap, keeps_discarded;
    int64_t clean_us;        /* how often the caches are cleaned; 0: never */
    uint64_t slice, l2_bytes, refblocks_bytes; /* of the caches; slice: an entry of the first */
} Qcow2Options;

typedef struct Qcow2Bitmap Qcow2Bitmap;

typedef struct BlockQcow2 {
    BlockNode parent;
    Qcow2Header header;
    BlockNode *data; /* "data-file", or "file" */
    uint32_t cluster_bits, sub_bits, subs, entry_bytes, l2_bits; /* l2_bits: of entries in a table */
    uint64_t cluster;        /* bytes of one */
    uint32_t refblock_bits;  /* of counts in a block */
    uint64_t refcount_max;
    bool has_data_file, is_raw_data;
    bool has_overlap;        /* tables stand on each other */
    bool is_failed, has_told; /* damaged, and clients know */
    bool has_other_backing;   /* than the one that stands behind it */
    Qcow2Options options, next_options; /* next: while it is opened anew */

    GMutex lock, sync_lock;
    bool is_in_loop;         /* who has the lock must not wait: see qcow2_lock_in_loop() */
    GCond changed;           /* claims, `inside`, `is_alone` */
    unsigned change_waiting; /* who waits for that */
    unsigned inside[2];      /* requests, by the epoch's last bit */
    uint64_t epoch;
    bool is_alone;
    unsigned alone_waiting;
    Qcow2Claim *claims;

    uint64_t *l1;            /* host byte order */
    uint32_t l1_dirty_from, l1_dirty_to; /* entries */
    uint64_t *reftable;
    uint64_t reftable_entries;
    uint32_t reftable_dirty_from, reftable_dirty_to;
    bool is_reftable_moved;  /* it stands elsewhere than the header on the disk says */
    Qcow2Cache l2, refblocks;
    int64_t cleaned_us;      /* when the caches were */
    GHashTable *metadata;    /* cluster -> itself: L2 tables and blocks of counts */
    uint64_t snapshots_bytes;
    struct Qcow2Snapshot *snapshots;
    GArray *bitmaps;         /* Qcow2Bitmap, as they are on the disk */
    GMutex mark_lock;
    bool needs_mark;         /* atomic: they are not marked as in use yet; mark_lock changes it */
    uint64_t free_hint;      /* no cluster before is free */
    uint64_t packed_at;      /* where the next compressed cluster may go; 0: nowhere */
    GArray *frees;           /* Qcow2Free */
    uint64_t generation;     /* of syncs: they begin, */
    uint64_t synced;         /* and are over */
    int is_sparse;           /* the file has fewer bytes than it seems; -1: not known */
    bool needs_barrier;      /* data was copied that must be durable before a table leads there */
} BlockQcow2;

static inline BlockQcow2 *qcow2_of(BlockNode *node)
{
    return (BlockQcow2 *)node;
}

/* --- qcow2.c --- */

/* What follows from the header. */
void qcow2_set_geometry(BlockQcow2 *image);
/* With the lock. The image is damaged: says so to clients and in the header; fails for good unless
 * it is read-only. Returns -EIO. */
int qcow2_corrupt(BlockQcow2 *image, uint64_t offset, uint64_t bytes, const char *fmt, ...)
    PRINTF(4, 5);
/* Before the first change. A negative errno. */
int qcow2_mark_dirty(BlockQcow2 *image);

/* --- qcow2_cache.c: with the lock --- */

void qcow2_cache_init(Qcow2Cache *cache, uint32_t entry_bytes, uint64_t bytes);
void qcow2_cache_clear(Qcow2Cache *cache);
/* Valid until the second next call; NULL: *err says why. */
Qcow2Block *qcow2_cache_get(BlockQcow2 *image, Qcow2Cache *cache, uint64_t offset, int *err);
/* NULL: it is not here. */
Qcow2Block *qcow2_cache_peek(Qcow2Cache *cache, uint64_t offset);
/* Zeroes, dirty; whatever is on the disk. */
Qcow2Block *qcow2_cache_new(Qcow2Cache *cache, uint64_t offset);
void qcow2_cache_dirty(Qcow2Cache *cache, Qcow2Block *block, uint32_t from, uint32_t bytes);
/* Lets go of what was not used since this was last done. */
void qcow2_cache_clean(Qcow2Cache *cache);
/* All of it, without writing; no sync is under way. */
void qcow2_cache_empty(Qcow2Cache *cache);
/* What stands there is no longer a table. */
void qcow2_cache_drop(Qcow2Cache *cache, uint64_t offset, uint64_t bytes);

/* --- qcow2_sync.c: without the lock --- */

/* Tables are on the disk, in order, and durable, with all that was written before. */
int qcow2_sync(BlockQcow2 *image);
/* Much waits to be written; with the lock. */
bool qcow2_wants_sync(const BlockQcow2 *image);
/* If much waits; with the lock, which is dropped meanwhile. */
int qcow2_sync_some(BlockQcow2 *image);
/* Makes the disk do what was asked for, unless the user does not want that. */
int qcow2_barrier(BlockQcow2 *image);

/* --- qcow2_refcount.c: with the lock --- */

int qcow2_refcount_get(BlockQcow2 *image, uint64_t cluster, uint64_t *count);
/* The first from `cluster` on whose count is written anywhere; UINT64_MAX: none is. */
uint64_t qcow2_refcount_next(const BlockQcow2 *image, uint64_t cluster);
/* `clusters` in a row, each with a count of one; nothing is written there. */
int qcow2_alloc(BlockQcow2 *image, uint64_t clusters, uint64_t *offset);
/* The same, but *clusters may shrink, to one at least. */
int qcow2_alloc_some(BlockQcow2 *image, uint64_t *clusters, uint64_t *offset);
/* The next place will be found without a read or write. */
bool qcow2_can_alloc_cached(BlockQcow2 *image);
/* Bytes inside one cluster, or at the joint of two. */
int qcow2_alloc_bytes(BlockQcow2 *image, uint32_t bytes, uint64_t *offset);
/* Later: see above. */
void qcow2_free(BlockQcow2 *image, uint64_t offset, uint64_t bytes, Qcow2FreeKind kind);
/* Of one cluster that has a block of counts. */
int qcow2_refcount_set(BlockQcow2 *image, uint64_t cluster, uint64_t count);
/* One more (or fewer) for each cluster that the bytes touch, now. */
int qcow2_refcount_add(BlockQcow2 *image, uint64_t offset, uint64_t bytes, int by);
/* Frees that may be done now; drops the lock for discards. */
int qcow2_do_frees(BlockQcow2 *image);
uint64_t qcow2_count_of(const uint8_t *block, unsigned order, uint64_t index);
void qcow2_set_count(uint8_t *block, unsigned order, uint64_t index, uint64_t count);
/* Do these bytes of the file hold tables? */
bool qcow2_is_metadata(BlockQcow2 *image, uint64_t offset, uint64_t bytes);

/* --- qcow2_map.c: with the lock --- */

typedef enum Qcow2Kind { QCOW2_HOLE, QCOW2_ZERO, QCOW2_DATA, QCOW2_COMPRESSED } Qcow2Kind;

/* Subclusters of one kind, in a row in the guest and, if they have a place, in the file. */
typedef struct Qcow2Run {
    Qcow2Kind kind;
    uint64_t bytes;
    uint64_t host;      /* of the first byte; COMPRESSED: of the data */
    bool has_host;      /* there is a place, with data or not; not COMPRESSED */
    uint32_t packed;    /* COMPRESSED: bytes at most */
    bool is_own;        /* it may be changed in place */
} Qcow2Run;

typedef struct Qcow2Entry {
    uint64_t l2;
    uint64_t bitmap;    /* extended entries only */
} Qcow2Entry;

/* Never more than one L2 table's worth. */
int qcow2_find(BlockQcow2 *image, uint64_t offset, uint64_t bytes, Qcow2Run *run);
int qcow2_entry_get(BlockQcow2 *image, uint64_t offset, Qcow2Entry *entry);
/* There is an L2 table of its own for `offset`, whatever it takes. */
int qcow2_table_ensure(BlockQcow2 *image, uint64_t offset);
/* Such a table is there. */
bool qcow2_has_own_table(const BlockQcow2 *image, uint64_t offset);
/* After qcow2_table_ensure(). */
int qcow2_entry_set(BlockQcow2 *image, uint64_t offset, Qcow2Entry entry);
/* What an entry leads to, for one subcluster. */
Qcow2Kind qcow2_entry_kind(const BlockQcow2 *image, Qcow2Entry entry, unsigned sub);
/* Of COMPRESSED. */
void qcow2_entry_packed(const BlockQcow2 *image, uint64_t l2, uint64_t *host, uint32_t *bytes);
/* Lets go of the clusters an entry leads to. */
void qcow2_entry_free(BlockQcow2 *image, Qcow2Entry entry, Qcow2FreeKind kind);
static inline uint64_t qcow2_entry_host(Qcow2Entry entry)
{
    return entry.l2 & QCOW2_ENTRY_COMPRESSED ? 0 : entry.l2 & QCOW2_OFFSET_MASK;
}

/* --- qcow2_io.c --- */

/*
 * Who has the lock may wait for the disk, and so for requests that end in a loop: there it is only
 * taken if it is free, and what would wait for the disk returns QCOW2_WOULD_WAIT. A worker does it then.
 */
#define QCOW2_WOULD_WAIT (-EDEADLK)
bool qcow2_lock_in_loop(BlockQcow2 *image);
void qcow2_unlock_in_loop(BlockQcow2 *image);
int qcow2_io(BlockNode *node, const BlockIo *io);
bool qcow2_submit(BlockNode *node, BlockRequest *request);
int qcow2_extent(BlockNode *node, uint64_t offset, uint64_t bytes, BlockExtent *extent);
/* Without the lock: no request is inside, and none comes in. */
void qcow2_enter_alone(BlockQcow2 *image);
void qcow2_leave_alone(BlockQcow2 *image);
/* With the lock: a request begins, and ends with what it was given. */
unsigned qcow2_enter(BlockQcow2 *image);
void qcow2_leave(BlockQcow2 *image, unsigned parity);
/* With the lock. */
bool qcow2_is_claimed(const BlockQcow2 *image, uint64_t from, uint64_t to);
/* With the lock; it may be dropped meanwhile. */
void qcow2_claim(BlockQcow2 *image, Qcow2Claim *claim, uint64_t from, uint64_t to);
void qcow2_unclaim(BlockQcow2 *image, Qcow2Claim *claim);
/* With the lock: to all who wait for `changed`. */
void qcow2_tell_change(BlockQcow2 *image);
/* Without the lock: what the guest reads there. */
int qcow2_read_run(BlockQcow2 *image, const Qcow2Run *run, uint64_t offset, const BlockIo *io,
                   uint64_t skip, uint64_t bytes);

/* --- qcow2_write.c --- */

int qcow2_write(BlockQcow2 *image, const BlockIo *io);
/* With the lock: a write of one new cluster whose tables are all in memory. */
bool qcow2_can_fill(BlockQcow2 *image, const BlockRequest *request, const Qcow2Run *run);
/* With the lock, which is dropped. False: it failed early, and is as it was. */
bool qcow2_fill(BlockQcow2 *image, BlockRequest *request);
/* With the lock, which is dropped while data are written. */
int qcow2_write_plain(BlockQcow2 *image, const BlockIo *io);

/* --- qcow2_resize.c --- */

bool qcow2_resize(BlockNode *node, uint64_t bytes, BlockPrealloc prealloc, Error **errp);
/* The table gets room for what is behind the disk. Alone. */
int qcow2_grow_l1(BlockQcow2 *image, uint64_t entries);

/* --- qcow2_prealloc.c --- */

/* Clusters that read as zeroes for what has none from `from` on. With the machine lock. */
bool qcow2_preallocate(BlockQcow2 *image, uint64_t from, BlockPrealloc prealloc, Error **errp);

/* --- qcow2_zero.c --- */

int qcow2_zero(BlockQcow2 *image, const BlockIo *io);
int qcow2_discard(BlockQcow2 *image, const BlockIo *io);
/* Whole clusters turn into holes. */
int qcow2_drop(BlockQcow2 *image, uint64_t from, uint64_t to);

/* --- qcow2_amend.c --- */

bool qcow2_set_backing(BlockNode *node, const char *name, const char *format, Error **errp);
bool qcow2_amend(BlockNode *node, const BlockAmend *amend, Error **errp);
int qcow2_empty(BlockNode *node);

/* --- qcow2_bitmap.c --- */

void qcow2_bitmaps_init(BlockQcow2 *image);
void qcow2_bitmaps_clear(BlockQcow2 *image);
/* None is known, until they are loaded anew. */
void qcow2_bitmaps_forget(BlockQcow2 *image);
/* The node gets those that the image keeps. */
bool qcow2_bitmaps_load(BlockQcow2 *image, Error **errp);
/* Those that the node has are kept. Without the lock; alone, or nothing is under way. */
int qcow2_bitmaps_store(BlockQcow2 *image);
/* The image keeps none of them any more. */
int qcow2_bitmaps_drop(BlockQcow2 *image);
/* Without the lock, before the guest changes anything. */
int qcow2_bitmaps_mark(BlockQcow2 *image);
/* Can they follow when the image changes its size? */
bool qcow2_bitmaps_check(BlockQcow2 *image, Error **errp);
bool qcow2_bitmap_can_be_kept(BlockNode *node, const char *name, uint64_t granularity,
                              Error **errp);
Qcow2BitmapInfoArray *qcow2_bitmaps_info(const BlockQcow2 *image);

/* --- qcow2_check.c --- */

int qcow2_check(BlockNode *node, unsigned fixes, BlockCheck *result);
/* Nobody else is inside, and all tables are on the disk. */
int qcow2_check_alone(BlockQcow2 *image, unsigned fixes, BlockCheck *result);
/* Counts get another width, and another place. Alone. */
bool qcow2_recount(BlockQcow2 *image, unsigned refcount_order, Error **errp);

/* --- qcow2_create.c --- */

bool qcow2_create(const BlockdevCreateOptions *options, Error **errp);

/* --- qcow2_compress.c --- */

/* A cluster. A negative errno: it is damaged. */
int qcow2_unpack(BlockQcow2 *image, const void *packed, uint32_t packed_bytes, void *data);
/* Bytes it takes, 0: it does not get smaller, or a negative errno. */
ssize_t qcow2_pack(BlockQcow2 *image, const void *data, void *packed);

#endif
