/*
 * -cpu: from a model and its features to a type and its global values.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/cpu_models.h"
#include "qom/error.h"

CpuDefinitionInfo *cpu_definition_add(CpuDefinitionInfoArray *list, const char *name,
                                      const char *type_name)
{
    CpuDefinitionInfo *info = g_new0(CpuDefinitionInfo, 1);

    info->name = g_strdup(name);
    info->typename = g_strdup(type_name);
    cpu_definition_info_array_add(list, info);
    return info;
}

/* What a "-cpu" line says about one feature. */
typedef struct FeatureText {
    const char *name;  /* points into the line */
    const char *value; /* likewise, or "on", "off" */
    bool is_sign;      /* +f or -f: wins over f=value */
} FeatureText;

static bool parse_feature(char *text, FeatureText *out, Error **errp)
{
    char *equals = strchr(text, '=');
    bool has_sign = cpu_models()->has_feature_signs;

    if (has_sign && (*text == '+' || *text == '-') && text[1]) {
        *out = (FeatureText){ text + 1, *text == '+' ? "on" : "off", true };
        return true;
    }
    if (!equals && !has_sign) {
        return error_set(errp, "Expected key=value format, found %s.", text);
    }
    if (equals == text || !*text) {
        return error_set(errp, "-cpu: a feature without a name");
    }
    if (equals) {
        *equals = '\0';
    }
    *out = (FeatureText){ text, equals ? equals + 1 : "on", false };
    return true;
}

static void warn_ambiguous(GArray *features)
{
    for (guint i = 0; i < features->len; i++) {
        const FeatureText *sign = &g_array_index(features, FeatureText, i);

        for (guint j = 0; sign->is_sign && j < features->len; j++) {
            const FeatureText *pair = &g_array_index(features, FeatureText, j);

            if (!pair->is_sign && !strcmp(pair->name, sign->name)) {
                warn_report("Ambiguous CPU model string. Don't mix both \"%c%s\" and \"%s=%s\"",
                            !strcmp(sign->value, "on") ? '+' : '-', sign->name, pair->name,
                            pair->value);
            }
        }
    }
}

/* f=value in their order, then every +f, then every -f. */
static void add_globals(const char *type_name, GArray *features)
{
    for (int pass = 0; pass < 3; pass++) {
        for (guint i = 0; i < features->len; i++) {
            const FeatureText *f = &g_array_index(features, FeatureText, i);
            int group = !f->is_sign ? 0 : !strcmp(f->value, "on") ? 1 : 2;

            if (group == pass) {
                device_add_global(type_name, f->name, f->value, true);
            }
        }
    }
}

const char *cpu_parse_option(const char *text, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    g_autoptr(GArray) features = g_array_new(false, false, sizeof(FeatureText));
    const char *type_name;

    if (!parts[0] || !*parts[0]) {
        error_set(errp, "-cpu option cannot be empty");
        return NULL;
    }
    type_name = cpu_models()->find(parts[0]);
    if (!type_name) {
        error_set(errp, "unable to find CPU model '%s'", parts[0]);
        return NULL;
    }
    for (char **part = parts + 1; *part; part++) {
        FeatureText feature;

        if (!parse_feature(*part, &feature, errp)) {
            return NULL;
        }
        g_array_append_val(features, feature);
    }
    warn_ambiguous(features);
    add_globals(type_name, features);
    return type_name;
}

void cpu_print_models(GString *out)
{
    cpu_models()->print(out);
}
