/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/migratable.h"
#include "system/migration_blocker.h"

typedef struct Thing {
    uint32_t value;
} Thing;

static const VMField rows[] = { VM_U32(Thing, value) };
static const VMState plain = VMSTATE_INIT(rows, .version = 1);
static const VMState first = VMSTATE_INIT(rows, .version = 1, .priority = 10);
static const VMState early = VMSTATE_INIT(rows, .version = 1, .is_early = true);
static const VMState stuck = VMSTATE_INIT(rows, .version = 1, .is_unmigratable = true);
static const LiveState memory = { .version = 1, .is_before_devices = true };
static const LiveState passed_through = { .version = 1 };

static void test_order(void)
{
    static const char *const ids[] = { "early", "ram", "first", "a", "b", "vfio" };
    Thing thing;
    g_autoptr(GPtrArray) list = NULL;

    migratable_register("a", 0, "thing", &plain, &thing, NULL);
    migratable_register_live("vfio", &passed_through, &thing, NULL);
    migratable_register("first", 0, "thing", &first, &thing, NULL);
    migratable_register_live("ram", &memory, &thing, NULL);
    migratable_register("b", 0, "thing", &plain, &thing, NULL);
    migratable_register("early", 0, "thing", &early, &thing, NULL);
    list = migratable_list();
    g_assert_cmpuint(list->len, ==, ARRAY_SIZE(ids));
    for (guint i = 0; i < list->len; i++) {
        Migratable *m = list->pdata[i];

        g_assert_cmpstr(m->id, ==, ids[i]);
        migratable_unregister(m);
    }
}

static void test_ids(void)
{
    g_autofree char *too_long = g_strnfill(MIGRATABLE_MAX_ID + 1, 'x');
    g_autoptr(Error) taken = NULL, length = NULL;
    Thing thing;
    Migratable *a = migratable_register("x", MIGRATABLE_NEXT, "thing", &plain, &thing, NULL);
    Migratable *b = migratable_register("x", MIGRATABLE_NEXT, "thing", &plain, &thing, NULL);

    g_assert_cmpuint(a->instance, ==, 0);
    g_assert_cmpuint(b->instance, ==, 1);
    g_assert_null(migratable_register("x", 1, "thing", &plain, &thing, &taken));
    g_assert_cmpstr(error_text(taken), ==, "Migration id 'x' is in use already");
    g_assert_null(migratable_register(too_long, 0, "thing", &plain, &thing, &length));
    g_assert_nonnull(length);
    migratable_unregister(a);
    g_assert_true(migratable_find("x", 1) == b);
    g_assert_null(migratable_find("x", 0));
    migratable_unregister(b);
}

static void count_reason(void *opaque, const char *reason)
{
    ++*(int *)opaque;
}

static void test_blockers(void)
{
    g_autoptr(Error) why = NULL, busy = NULL, only = NULL, device = NULL;
    Thing thing;
    int count = 0;
    MigrationBlocker *own = migration_blocker_add("the disk is elsewhere", NULL);
    Migratable *m = migratable_register("/dev/x", 0, "thing", &stuck, &thing, NULL);

    migration_blocker_each(count_reason, &count);
    g_assert_cmpint(count, ==, 2);
    g_assert_false(migration_blocker_check(&why));
    g_assert_cmpstr(error_text(why), ==, "the disk is elsewhere");
    migration_blocker_remove(own);
    g_clear_pointer(&why, error_free);
    g_assert_false(migration_blocker_check(&why));
    g_assert_cmpstr(error_text(why), ==, "State blocked by non-migratable device '/dev/x'");
    migratable_unregister(m);
    g_assert_true(migration_blocker_check(NULL));

    migration_set_active(true);
    g_assert_null(migration_blocker_add("late", &busy));
    g_assert_cmpstr(error_text(busy), ==,
                    "disallowing migration blocker (migration in progress) for: late");
    migration_set_active(false);
    migration_set_only_migratable(true);
    g_assert_null(migration_blocker_add("never", &only));
    g_assert_null(migratable_register("/dev/x", 0, "thing", &stuck, &thing, &device));
    g_assert_cmpstr(error_text(device), ==,
                    "Device /dev/x is not migratable, but --only-migratable was specified");
    migration_set_only_migratable(false);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migratable/order", test_order);
    g_test_add_func("/migratable/ids", test_ids);
    g_test_add_func("/migratable/blockers", test_blockers);
    return g_test_run();
}
