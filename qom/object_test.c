/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qom/object.h"

typedef struct Animal {
    Object parent;
    uint32_t legs;
    bool is_tame;
    char *call;
    int size;
    uint64_t weight;
    int32_t mood;
    struct Object *friend;
    uint32_t flags;
} Animal;
DECLARE_CAST(Animal, ANIMAL)

typedef struct AnimalType {
    struct ObjectType;
    const char *(*speak)(Animal *a);
} AnimalType;

static const char *const size_names[] = { "small", "big" };
static const EnumTable size_table = { "AnimalSize", size_names, 2 };
static int alive, changes;

static bool check_legs(Object *obj, const Property *p, Error **errp)
{
    return ANIMAL(obj)->legs % 2 == 0 || error_set(errp, "odd");
}

static void count_change(Object *obj, const Property *p)
{
    changes++;
}

static const Property animal_props[] = {
    PROP_U32("legs", Animal, legs, .initial = 4, .max = 100, .check = check_legs,
             .changed = count_change),
    PROP_BOOL("tame", Animal, is_tame, .initial = true, .is_live = true),
    PROP_STR("call", Animal, call),
    PROP_ENUM("size", Animal, size, size_table, .initial = 1),
    PROP_SIZE("weight", Animal, weight),
    PROP_I32("mood", Animal, mood, .initial = -1),
    PROP_LINK("friend", Animal, friend, "animal"),
    PROP_BIT32("barks", Animal, flags, 3),
};

static void animal_init(Object *obj)
{
    alive++;
}

static void animal_finalize(Object *obj)
{
    alive--;
}

static const char *animal_speak(Animal *a)
{
    return "...";
}

static const AnimalType animal_type = {
    .name = "animal", .size = sizeof(Animal), .is_abstract = true,
    .properties = PROPERTIES(animal_props), .init = animal_init, .finalize = animal_finalize,
    .speak = animal_speak,
};
OBJECT_TYPE(animal_type)

static const int pet_ops = 42;
static const ObjectType pet_type = { .name = "pet", .is_interface = true };
OBJECT_TYPE(pet_type)

static const char *dog_speak(Animal *a)
{
    return "wuff";
}

static const Property dog_props[] = {
    PROP_BOOL("tame", Animal, is_tame, .initial = false),
};
static const AnimalType dog_type = {
    .name = "dog", .parent = "animal", .speak = dog_speak, .properties = PROPERTIES(dog_props),
    .interfaces = (const InterfaceImpl[]){ { "pet", &pet_ops }, { 0 } },
};
OBJECT_TYPE(dog_type)

static const AnimalType puppy_type = { .name = "puppy", .parent = "dog" };
OBJECT_TYPE(puppy_type)

static const AnimalType fish_type = { .name = "fish", .parent = "animal" };
OBJECT_TYPE(fish_type)

static void expect_set(void *obj, const char *name, const char *json, PropertyForm form,
                       const char *why)
{
    g_autoptr(Error) err = NULL;
    json_object *value;
    char *bad;

    g_assert_true(json_parse(json, strlen(json), &value, &bad));
    g_assert_cmpint(object_set(obj, name, value, form, &err), ==, !why);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, why);
    json_unref(value);
}

static void expect_get(void *obj, const char *name, const char *json)
{
    json_object *value = object_get(obj, name, NULL);
    g_autofree char *text = json_to_string(value);

    g_assert_cmpstr(text, ==, json);
    json_unref(value);
}

static void test_types(void)
{
    const Type *puppy = type_find("puppy");
    g_autoptr(GPtrArray) pets = type_list("pet", false);

    g_assert_null(type_find("cat"));
    g_assert_true(type_is_a(puppy, "animal"));
    g_assert_true(type_is_a(puppy, "pet"));
    g_assert_true(type_is_a(puppy, "object"));
    g_assert_false(type_is_a(puppy, "fish"));
    g_assert_false(type_is_a(type_find("fish"), "pet"));
    g_assert_true(type_interface(puppy, "pet") == &pet_ops);
    g_assert_cmpint(pets->len, ==, 2);
    g_assert_cmpstr(((const AnimalType *)type_ops(puppy))->speak(NULL), ==, "wuff");
    g_assert_cmpstr(((const AnimalType *)type_ops(type_find("fish")))->speak(NULL), ==, "...");
}

static void test_properties(void)
{
    Object *dog = object_new("puppy");

    expect_get(dog, "legs", "4");
    expect_get(dog, "tame", "false");
    expect_get(dog, "size", "\"big\"");
    expect_get(dog, "mood", "-1");
    expect_get(dog, "type", "\"puppy\"");
    expect_set(dog, "legs", "'0x10'", PROPERTY_TEXT, NULL);
    expect_set(dog, "legs", "'6'", PROPERTY_TYPED,
               "Invalid parameter type for 'legs', expected: integer");
    expect_set(dog, "legs", "7", PROPERTY_TYPED, "odd");
    expect_set(dog, "legs", "101", PROPERTY_ANY,
               "Property 'puppy.legs' doesn't take value '101' (minimum: 0, maximum: 100)");
    expect_get(dog, "legs", "16");
    g_assert_cmpint(changes, ==, 1);
    expect_set(dog, "weight", "'1.5G'", PROPERTY_TEXT, NULL);
    expect_get(dog, "weight", "1610612736");
    expect_set(dog, "size", "'tiny'", PROPERTY_TYPED,
               "Parameter 'size' does not accept value 'tiny'");
    expect_set(dog, "barks", "'on'", PROPERTY_ANY, NULL);
    g_assert_cmphex(ANIMAL(dog)->flags, ==, 8);
    expect_set(dog, "type", "'x'", PROPERTY_ANY, "Property 'puppy.type' is not writable");
    expect_set(dog, "tail", "1", PROPERTY_ANY, "Property 'puppy.tail' not found");
    object_seal(dog);
    expect_set(dog, "mood", "1", PROPERTY_ANY,
               "Attempt to set property 'mood' on object 'anonymous' (type 'puppy') after it was "
               "realized");
    object_unref(dog);
    g_assert_cmpint(alive, ==, 0);
}

static void test_tree(void)
{
    Object *zoo = object_container("/zoo/cages");
    Object *a = object_new("dog"), *b = object_new("dog");
    g_autofree char *path = NULL;
    bool is_ambiguous;

    g_assert_true(object_add_child(zoo, "dog[*]", a, NULL));
    g_assert_true(object_add_child(zoo, "dog[*]", b, NULL));
    object_unref(a);
    object_unref(b);
    path = object_path(b);
    g_assert_cmpstr(path, ==, "/zoo/cages/dog[1]");
    g_assert_true(object_resolve("/zoo/cages/dog[1]", NULL, NULL) == b);
    g_assert_true(object_resolve("dog[0]", "animal", &is_ambiguous) == a);
    g_assert_null(object_resolve("dog[0]", "fish", &is_ambiguous));
    expect_set(a, "friend", "'dog[1]'", PROPERTY_TYPED, NULL);
    expect_get(a, "friend", "\"/zoo/cages/dog[1]\"");
    g_assert_true(object_resolve("/zoo/cages/dog[0]/friend", NULL, NULL) == b);
    expect_set(a, "friend", "'nobody'", PROPERTY_TYPED, "Device 'nobody' not found");
    expect_set(a, "friend", "'cages'", PROPERTY_TYPED,
               "Invalid parameter type for 'friend', expected: animal");
    object_unparent(b);
    g_assert_cmpint(alive, ==, 2);
    object_unparent(object_container("/zoo"));
    g_assert_cmpint(alive, ==, 0);
}

static void test_alias(void)
{
    Object *a = object_new("dog"), *b = object_new("fish");

    object_add_alias(a, "fish-legs", b, "legs");
    expect_set(a, "fish-legs", "2", PROPERTY_TYPED, NULL);
    expect_get(b, "legs", "2");
    object_unref(a);
    object_unref(b);
}

/* An object that shows a property of its part. */
static Object *first_of(Object *obj)
{
    return object_child(obj, "first");
}

static void herd_init(Object *obj)
{
    Object *dog = object_new("dog");

    object_add_child(obj, "first", dog, NULL);
    object_unref(dog);
}

static const Property herd_props[] = {
    PROP_U32("legs", Animal, legs, .initial = 4, .max = 100, .check = check_legs,
             .holder = first_of),
    PROP_STR("call", Animal, call, .holder = first_of),
};
static const ObjectType herd_type = {
    .name = "herd", .init = herd_init, .size = sizeof(Object),
    .properties = PROPERTIES(herd_props),
};
OBJECT_TYPE(herd_type)

static void test_holder(void)
{
    Object *herd = object_new("herd"), *dog = first_of(herd);
    g_autoptr(Error) err = NULL;

    expect_get(herd, "legs", "4");
    expect_set(herd, "legs", "2", PROPERTY_TYPED, NULL);
    expect_get(dog, "legs", "2");
    expect_set(herd, "legs", "3", PROPERTY_TYPED, "odd");
    g_assert_true(object_set_text(herd, "call", "wuff", NULL));
    expect_get(dog, "call", "\"wuff\"");
    object_unparent(dog);
    g_assert_null(object_get(herd, "legs", &err));
    g_assert_cmpstr(error_text(err), ==, "Property 'herd.legs' is not there any more");
    g_assert_false(object_set_int(herd, "legs", 2, NULL));
    object_unref(herd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/object/types", test_types);
    g_test_add_func("/object/properties", test_properties);
    g_test_add_func("/object/tree", test_tree);
    g_test_add_func("/object/alias", test_alias);
    g_test_add_func("/object/holder", test_holder);
    return g_test_run();
}
