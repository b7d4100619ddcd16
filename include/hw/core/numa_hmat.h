/*
 * Memory attributes between NUMA nodes (ACPI 6.4, 5.2.27 HMAT) as given with -numa hmat-lb and
 * hmat-cache: what a builder of firmware tables needs. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_NUMA_HMAT_H
#define HW_CORE_NUMA_HMAT_H

typedef struct NumaState NumaState;

#define NUMA_HMAT_HIERARCHIES 4 /* HmatLBMemoryHierarchy */
#define NUMA_HMAT_DATA_TYPES  6 /* HmatLBDataType */
#define NUMA_CACHE_LEVELS     3
#define NUMA_HMAT_MAX_VALUE   65534 /* a table's entry has 16 bits; 65535 means unreachable */

typedef struct NumaHmatEntry {
    uint16_t initiator, target; /* nodes */
    uint64_t value;             /* nanoseconds, or bytes per second; 0: no information */
} NumaHmatEntry;

/* All that was said of one hierarchy and data type. */
typedef struct NumaHmatTable {
    uint64_t base;   /* every value is a multiple of it, at most NUMA_HMAT_MAX_VALUE times */
    GArray *entries; /* NumaHmatEntry, as they were given */
} NumaHmatTable;

typedef struct NumaCache {
    uint64_t size_bytes; /* 0: there is none */
    uint8_t associativity; /* HmatCacheAssociativity */
    uint8_t policy;        /* HmatCacheWritePolicy */
    uint16_t line_bytes;
} NumaCache;

/* NULL: nothing was said. */
const NumaHmatTable *numa_hmat_table(const NumaState *numa, unsigned hierarchy,
                                     unsigned data_type);
/* In units of the table's base; 0: no information. */
uint16_t numa_hmat_value(const NumaHmatTable *table, unsigned initiator, unsigned target);
/* `level` from 1; NULL: the node's memory has no such cache. */
const NumaCache *numa_hmat_cache(const NumaState *numa, unsigned node, unsigned level);
/* The node whose CPUs are closest to the memory of `node`; -1: not known. */
int numa_initiator(const NumaState *numa, unsigned node);

#endif
