/*
 * The named x86 CPU models and their versions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MODELS_H
#define TARGET_I386_MODELS_H

#include "target/i386/features.h"

/* What a version has other than the one before it; zero and NULL: nothing. */
typedef struct X86ModelVersion {
    unsigned number;       /* from 1; 0 ends the list */
    const char *alias;     /* another name for this version */
    const char *note;      /* for -cpu help */
    const char *model_id;
    const char *changes;   /* as for x86_features_change() */
    uint8_t model, stepping;
    uint32_t xlevel;
} X86ModelVersion;

typedef struct X86Model {
    const char *name;
    const char *vendor;
    const char *model_id;
    const char *features;  /* "@Other" in front: what that model's first version has, changed */
    uint8_t family, model, stepping;
    bool has_own_caches;   /* the processor's, not the ones all models once had */
    uint32_t level, xlevel;
    const X86ModelVersion *versions; /* NULL: there is one, as here */
} X86Model;

/* A version of a model, resolved. */
typedef struct X86ModelState {
    const char *vendor, *model_id;
    uint8_t family, model, stepping;
    bool has_own_caches;
    uint32_t level, xlevel;
    X86FeatureSet features;
} X86ModelState;

const X86Model *x86_models(size_t *count);
const X86Model *x86_model_find(const char *name);
/* 1 and up, without gaps. */
unsigned x86_model_version_count(const X86Model *model);
/* What sets the version apart; NULL for a model that has only one. */
const X86ModelVersion *x86_model_version(const X86Model *model, unsigned version);
void x86_model_resolve(const X86Model *model, unsigned version, X86ModelState *out);
/* Caller frees: "Intel Xeon Processor (Icelake) [no TSX]". */
char *x86_model_describe(const X86Model *model, unsigned version);

#endif
