/*
 * Tables of Power and PowerPC models.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_PPC_MODELS_H
#define TARGET_PPC_MODELS_H

#include <stddef.h>
#include <stdint.h>

typedef struct PpcModel {
    const char *name;
    uint32_t pvr;
    const char *family;
} PpcModel;

typedef struct PpcAlias {
    const char *name;
    const char *model;
} PpcAlias;

extern const PpcModel ppc_models[];
extern const size_t ppc_model_count;
extern const PpcAlias ppc_aliases[];
extern const size_t ppc_alias_count;
extern const char *const ppc_families[];
extern const size_t ppc_family_count;

/* By name, alias (in any case) or eight hexadecimal digits of PVR; NULL: there is none. */
const PpcModel *ppc_model_find(const char *name);

#endif
