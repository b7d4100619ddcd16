/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/timer.h"
#include "system/vmstate_kind.h"

typedef enum Mode { MODE_A, MODE_B, MODE_C, MODE_COUNT } Mode;

typedef struct Part {
    uint16_t index;
    int8_t delta;
} Part;

/* One field of every kind and shape. */
typedef struct Whole {
    bool is_on;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    Mode mode;
    uint32_t model; /* both sides set it up */
    uint32_t words[3];
    uint8_t grid[2][3];
    uint16_t queue[4];
    uint32_t queue_used;
    uint64_t *held;
    size_t held_count;
    int32_t *made;
    uint8_t made_count;
    Part part;
    Part parts[2];
    Part *one;
    Part *maybe[3];
    Part *list;
    uint32_t list_count;
    Part *heap;
    uint16_t heap_count;
    uint8_t raw[5];
    char label[8];
    char *text;
    char *nothing;
    uint8_t *bytes;
    uint32_t bytes_size;
    uint8_t *flash;
    size_t flash_size;
    unsigned long *map;
    uint32_t map_bits;
    uint32_t newer;
    uint32_t extra;
    bool has_extra;
    unsigned loads;
} Whole;

static const VMField part_rows[] = { VM_U16(Part, index), VM_I8(Part, delta) };
static const VMState part_vm = VMSTATE_INIT(part_rows, .version = 1);

static bool whole_has_extra(void *opaque)
{
    return ((Whole *)opaque)->has_extra;
}

static bool whole_extra_loaded(void *opaque, int version, Error **errp)
{
    ((Whole *)opaque)->has_extra = true;
    return true;
}

static const VMField extra_rows[] = { VM_U32(Whole, extra) };
static const VMState extra_vm = VMSTATE_INIT(extra_rows, .name = "whole/extra", .version = 1,
                                             .needed = whole_has_extra,
                                             .post_load = whole_extra_loaded);

static bool whole_is_on(void *opaque, int version)
{
    return ((Whole *)opaque)->is_on;
}

static bool whole_queue_fits(void *opaque, int version)
{
    return ((Whole *)opaque)->u8 != 0xee;
}

static bool whole_loaded(void *opaque, int version, Error **errp)
{
    ((Whole *)opaque)->loads++;
    return true;
}

static const VMField whole_rows[] = {
    VM_BOOL(Whole, is_on), VM_U8(Whole, u8), VM_U16(Whole, u16), VM_U32(Whole, u32),
    VM_U64(Whole, u64), VM_I8(Whole, i8), VM_I16(Whole, i16), VM_I32(Whole, i32),
    VM_I64(Whole, i64, .test = whole_is_on), VM_ENUM(Whole, mode, MODE_COUNT),
    VM_EQUAL(Whole, model), VM_ARRAY(Whole, words), VM_ARRAY_2D(Whole, grid),
    VM_ARRAY_PART(Whole, queue, queue_used), VM_ARRAY_HELD(Whole, held, held_count),
    VM_ARRAY_ALLOCATED(Whole, made, made_count, 100), VM_STRUCT(Whole, part, part_vm),
    VM_STRUCT_ARRAY(Whole, parts, part_vm), VM_STRUCT_POINTER(Whole, one, part_vm),
    VM_STRUCT_POINTERS(Whole, maybe, part_vm), VM_STRUCT_HELD(Whole, list, list_count, part_vm),
    VM_STRUCT_ALLOCATED(Whole, heap, heap_count, 50, part_vm), VM_BUFFER(Whole, raw),
    VM_CHARS(Whole, label), VM_STRING(Whole, text, 20), VM_STRING(Whole, nothing, 20),
    VM_BYTES(Whole, bytes, bytes_size, 64), VM_BYTES_HELD(Whole, flash, flash_size),
    VM_BITMAP(Whole, map, map_bits), VM_UNUSED(3), VM_U32(Whole, newer, .since = 2),
    VM_VALIDATE("u8 is not 0xee", whole_queue_fits),
};
static const VMState whole_vm = VMSTATE_INIT(whole_rows, .version = 2, .minimum_version = 1,
                                             .post_load = whole_loaded,
                                             .subsections = VM_SUBSECTIONS(&extra_vm));
/* The same device, one release earlier: without the row of version 2. */
static const VMState whole_vm_1 = VMSTATE_INIT(whole_rows, .version = 1);

/* What both sides' set-up gives. */
static void whole_init(Whole *w)
{
    *w = (Whole){ .model = 7, .held_count = 3, .list_count = 2, .flash_size = 6, .map_bits = 70 };
    w->held = g_new0(uint64_t, w->held_count);
    w->list = g_new0(Part, w->list_count);
    w->flash = g_malloc0(w->flash_size);
    w->map = g_new0(unsigned long, 2);
    w->one = g_new0(Part, 1);
    w->maybe[1] = g_new0(Part, 1);
    w->nothing = g_strdup("left over");
}

static void whole_clear(Whole *w)
{
    g_free(w->held);
    g_free(w->made);
    g_free(w->list);
    g_free(w->heap);
    g_free(w->flash);
    g_free(w->bytes);
    g_free(w->map);
    g_free(w->one);
    g_free(w->maybe[1]);
    g_free(w->text);
    g_free(w->nothing);
}

static void whole_fill(Whole *w)
{
    w->is_on = true;
    w->u8 = 0x12;
    w->u16 = 0x1234;
    w->u32 = 0x12345678;
    w->u64 = UINT64_C(0x123456789abcdef0);
    w->i8 = -1;
    w->i16 = -300;
    w->i32 = -70000;
    w->i64 = INT64_MIN;
    w->mode = MODE_C;
    memcpy(w->words, (uint32_t[]){ 1, 2, 0xffffffff }, sizeof(w->words));
    memcpy(w->grid, (uint8_t[]){ 1, 2, 3, 4, 5, 6 }, sizeof(w->grid));
    memcpy(w->queue, (uint16_t[]){ 10, 11, 12, 13 }, sizeof(w->queue));
    w->queue_used = 3;
    memcpy(w->held, (uint64_t[]){ 5, 6, 7 }, 3 * sizeof(uint64_t));
    w->made_count = 2;
    w->made = g_memdup2((int32_t[]){ -5, 5 }, 2 * sizeof(int32_t));
    w->part = (Part){ 1, -1 };
    w->parts[1] = (Part){ 2, -2 };
    *w->one = (Part){ 3, -3 };
    *w->maybe[1] = (Part){ 4, -4 };
    w->list[1] = (Part){ 5, -5 };
    w->heap_count = 3;
    w->heap = g_new0(Part, 3);
    w->heap[2] = (Part){ 6, -6 };
    memcpy(w->raw, "\1\2\3\4\5", 5);
    strcpy(w->label, "serial");
    w->text = g_strdup("a text");
    g_clear_pointer(&w->nothing, g_free);
    w->bytes_size = 4;
    w->bytes = g_memdup2("\0\1\2\3", 4);
    memcpy(w->flash, "flashy", 6);
    w->map[0] = 0x8000000000000001;
    w->map[1] = 0x21;
    w->newer = 99;
}

static GByteArray *save(const VMState *vm, Whole *w)
{
    VMWriter out = { .out = g_byte_array_new() };
    g_autoptr(Error) err = NULL;
    bool is_ok = vmstate_save(vm, w, &out, &err);

    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    g_assert_true(is_ok);
    return out.out;
}

/* NULL, or why not. Free it. */
static char *load(const VMState *vm, Whole *w, const uint8_t *data, size_t size)
{
    VMReader in = { .data = data, .size = size };
    g_autoptr(Error) err = NULL;

    if (vmstate_load(vm, w, &in, &err)) {
        g_assert_null(err);
        return vm_left(&in) ? g_strdup("bytes are left") : NULL;
    }
    g_assert_nonnull(err);
    return g_strdup(error_text(err));
}

static void assert_same(Whole *a, Whole *b)
{
    g_assert_true(a->is_on == b->is_on && a->i8 == b->i8 && a->i16 == b->i16);
    g_assert_true(a->i32 == b->i32 && a->i64 == b->i64 && a->mode == b->mode);
    g_assert_cmpuint(a->u64, ==, b->u64);
    g_assert_cmpmem(a->words, sizeof(a->words), b->words, sizeof(b->words));
    g_assert_cmpmem(a->grid, sizeof(a->grid), b->grid, sizeof(b->grid));
    g_assert_cmpmem(a->queue, a->queue_used * 2, b->queue, b->queue_used * 2);
    g_assert_cmpmem(a->held, 24, b->held, 24);
    g_assert_cmpmem(a->made, a->made_count * 4, b->made, b->made_count * 4);
    g_assert_cmpint(a->part.delta, ==, b->part.delta);
    g_assert_cmpint(a->parts[1].delta, ==, b->parts[1].delta);
    g_assert_cmpint(a->one->index, ==, b->one->index);
    g_assert_cmpint(a->maybe[1]->index, ==, b->maybe[1]->index);
    g_assert_cmpint(a->list[1].index, ==, b->list[1].index);
    g_assert_cmpuint(a->heap_count, ==, b->heap_count);
    g_assert_cmpint(a->heap[2].index, ==, b->heap[2].index);
    g_assert_cmpmem(a->raw, 5, b->raw, 5);
    g_assert_cmpstr(a->label, ==, b->label);
    g_assert_cmpstr(a->text, ==, b->text);
    g_assert_cmpstr(a->nothing, ==, b->nothing);
    g_assert_cmpmem(a->bytes, a->bytes_size, b->bytes, b->bytes_size);
    g_assert_cmpmem(a->flash, 6, b->flash, 6);
    g_assert_cmpmem(a->map, 16, b->map, 16);
    g_assert_cmpuint(a->newer, ==, b->newer);
}

static void test_round_trip(void)
{
    Whole from, to;
    g_autoptr(GByteArray) first = NULL, second = NULL;

    whole_init(&from);
    whole_init(&to);
    whole_fill(&from);
    first = save(&whole_vm, &from);
    g_assert_cmpstr(load(&whole_vm, &to, first->data, first->len), ==, NULL);
    assert_same(&from, &to);
    g_assert_cmpuint(to.loads, ==, 1);
    second = save(&whole_vm, &to);
    g_assert_cmpmem(first->data, first->len, second->data, second->len);
    whole_clear(&from);
    whole_clear(&to);
}

/* The format is a contract: these bytes may never change. */
static void test_golden(void)
{
    static const uint8_t golden[] = { 0, 1, 0x12, 0x34, 0xff, 0 };
    Part part = { 0x1234, -1 };
    VMWriter w = { .out = g_byte_array_new() };

    g_assert_true(vmstate_save(&part_vm, &part, &w, NULL));
    g_assert_cmpmem(w.out->data, w.out->len, golden, sizeof(golden));
    g_byte_array_unref(w.out);
}

static void test_truncated(void)
{
    Whole from;
    g_autoptr(GByteArray) stream = NULL;

    whole_init(&from);
    whole_fill(&from);
    from.has_extra = true;
    stream = save(&whole_vm, &from);
    for (guint size = 0; size < stream->len; size++) {
        g_autofree uint8_t *cut = g_memdup2(stream->data, size); /* ASan sees a byte too many */
        g_autofree char *why = NULL;
        Whole to;

        whole_init(&to);
        why = load(&whole_vm, &to, cut, size);
        g_assert_nonnull(why);
        whole_clear(&to);
    }
    whole_clear(&from);
}

/* Any single wrong bit: an error, or a state that saves again as the same bytes. */
static void test_bit_flips(void)
{
    Whole from;
    g_autoptr(GByteArray) stream = NULL;

    whole_init(&from);
    whole_fill(&from);
    from.has_extra = true;
    stream = save(&whole_vm, &from);
    for (guint bit = 0; bit < stream->len * 8; bit++) {
        g_autofree char *why = NULL;
        Whole to;

        whole_init(&to);
        stream->data[bit / 8] ^= 1 << bit % 8;
        why = load(&whole_vm, &to, stream->data, stream->len);
        if (!why && stream->data[0] == 0 && stream->data[1] == 2) {
            g_autoptr(GByteArray) again = save(&whole_vm, &to);

            g_assert_cmpuint(again->len, ==, stream->len);
        }
        stream->data[bit / 8] ^= 1 << bit % 8;
        whole_clear(&to);
    }
    whole_clear(&from);
}

static void test_versions(void)
{
    Whole from, to;
    g_autoptr(GByteArray) old = NULL, current = NULL;
    g_autofree char *why = NULL;

    whole_init(&from);
    whole_init(&to);
    whole_fill(&from);
    old = save(&whole_vm_1, &from);
    to.newer = 1234;
    g_assert_cmpstr(load(&whole_vm, &to, old->data, old->len), ==, NULL);
    g_assert_cmpuint(to.newer, ==, 1234);
    g_assert_cmpuint(to.u32, ==, from.u32);

    current = save(&whole_vm, &from);
    why = load(&whole_vm_1, &to, current->data, current->len);
    g_assert_cmpstr(why, ==, "version 2 is not from 1 to 1");
    whole_clear(&from);
    whole_clear(&to);
}

static void test_subsections(void)
{
    static const VMState without = VMSTATE_INIT(whole_rows, .version = 2);
    Whole from, to;
    g_autoptr(GByteArray) lean = NULL, full = NULL;
    g_autofree char *why = NULL;

    whole_init(&from);
    whole_init(&to);
    whole_fill(&from);
    lean = save(&whole_vm, &from);
    g_assert_cmpstr(load(&whole_vm, &to, lean->data, lean->len), ==, NULL);
    g_assert_false(to.has_extra);

    from.has_extra = true;
    from.extra = 77;
    full = save(&whole_vm, &from);
    g_assert_cmpuint(full->len, ==, lean->len + 1 + strlen("whole/extra") + 4 + 2 + 4 + 1);
    g_assert_cmpstr(load(&whole_vm, &to, full->data, full->len), ==, NULL);
    g_assert_true(to.has_extra);
    g_assert_cmpuint(to.extra, ==, 77);

    /* A target that never heard of it takes the lean stream and refuses the full one. */
    g_assert_cmpstr(load(&without, &to, lean->data, lean->len), ==, NULL);
    why = load(&without, &to, full->data, full->len);
    g_assert_cmpstr(why, ==, "unknown subsection 'whole/extra'");
    whole_clear(&from);
    whole_clear(&to);
}

typedef struct BadCase {
    const char *why;
    void (*change)(Whole *from, Whole *to);
} BadCase;

static void other_model(Whole *from, Whole *to)
{
    from->model = 8;
}
static void other_count(Whole *from, Whole *to)
{
    to->held_count = 2;
}
static void other_pointer(Whole *from, Whole *to)
{
    g_clear_pointer(&to->maybe[1], g_free);
}
static void other_flash(Whole *from, Whole *to)
{
    to->flash_size = 5;
}
static void other_bits(Whole *from, Whole *to)
{
    to->map_bits = 71;
}
static void not_valid(Whole *from, Whole *to)
{
    from->u8 = 0xee;
}

static const BadCase bad_cases[] = {
    { "model: the stream has 8, this machine 7", other_model },
    { "held: the stream has 3 elements, this machine 2", other_count },
    { "maybe[1]: the stream has one, this machine none", other_pointer },
    { "flash: the stream has 6 bytes, this machine 5", other_flash },
    { "map: the stream has 70 bits, this machine 71", other_bits },
    { "u8 is not 0xee: does not hold", not_valid },
};

static void test_errors_name_the_row(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad_cases); i++) {
        g_autoptr(GByteArray) stream = NULL;
        g_autofree char *why = NULL;
        Whole from, to;

        whole_init(&from);
        whole_init(&to);
        whole_fill(&from);
        bad_cases[i].change(&from, &to);
        stream = save(&whole_vm, &from);
        why = load(&whole_vm, &to, stream->data, stream->len);
        g_assert_cmpstr(why, ==, bad_cases[i].why);
        whole_clear(&from);
        whole_clear(&to);
    }
}

static void expect_save_error(Whole *w, const char *why)
{
    VMWriter out = { .out = g_byte_array_new() };
    g_autoptr(Error) err = NULL;

    g_assert_false(vmstate_save(&whole_vm, w, &out, &err));
    g_assert_cmpstr(error_text(err), ==, why);
    g_byte_array_unref(out.out);
}

/* What the other side would not take is not sent. */
static void test_save_errors(void)
{
    Whole w;

    whole_init(&w);
    whole_fill(&w);
    w.queue_used = 5;
    expect_save_error(&w, "queue: 5 elements are more than 4");
    w.queue_used = 0;
    w.mode = MODE_COUNT;
    expect_save_error(&w, "mode: 3 is not from 0 to 2");
    w.mode = MODE_A;
    memset(w.label, 'x', sizeof(w.label));
    expect_save_error(&w, "label: text has no end");
    whole_clear(&w);
}

/* A counter that promises more than the stream can hold allocates nothing. */
static void test_hostile_counter(void)
{
    static const VMField rows[] = { VM_ARRAY_ALLOCATED(Whole, made, made_count, SIZE_MAX) };
    static const VMState vm = VMSTATE_INIT(rows, .version = 1);
    static const uint8_t stream[] = { 0, 1, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4 };
    Whole w = { 0 };
    g_autofree char *why = load(&vm, &w, stream, sizeof(stream));

    g_assert_cmpstr(why, ==, "made: 4294967295 elements in 4 bytes");
    g_assert_null(w.made);
}

static void test_expand(void)
{
    static const VMField marked[] = { VM_U8(Whole, u8), VM_REGISTERS, VM_U16(Whole, u16) };
    static const VMState vm = VMSTATE_INIT(marked, .version = 4);
    static const VMField unmarked[] = { VM_U8(Whole, u8) };
    static const VMState plain = VMSTATE_INIT(unmarked, .version = 1);
    const VMField rows[] = {
        vmstate_uint_row("U32", offsetof(Whole, u32), 4, 1),
        vmstate_uint_row("WORDS", offsetof(Whole, words), 4, 3),
    };
    static const VMState *made, *made_behind, *made_alone; /* they live as long as the process */

    made = vmstate_expand(&vm, rows, 2);
    g_assert_cmpuint(made->count, ==, 4);
    g_assert_cmpint(made->version, ==, 4);
    g_assert_cmpstr(made->fields[0].name, ==, "u8");
    g_assert_cmpstr(made->fields[1].name, ==, "U32");
    g_assert_cmpstr(made->fields[2].name, ==, "WORDS");
    g_assert_cmpstr(made->fields[3].name, ==, "u16");
    vmstate_check(made);
    made_behind = vmstate_expand(&plain, rows, 2);
    g_assert_cmpuint(made_behind->count, ==, 3);
    g_assert_cmpstr(made_behind->fields[2].name, ==, "WORDS");
    made_alone = vmstate_expand(NULL, rows, 1);
    g_assert_cmpuint(made_alone->count, ==, 1);
    vmstate_check(made_alone);
    vmstate_check(&whole_vm);
}

static uint64_t sum_sizes(json_object *fields)
{
    uint64_t sum = 0, size;

    for (size_t i = 0; i < json_object_array_length(fields); i++) {
        g_assert_true(json_get_uint64(
            json_member(json_object_array_get_idx(fields, i), "size"), &size));
        sum += size;
    }
    return sum;
}

static void test_descriptions(void)
{
    VMWriter out = { .out = g_byte_array_new(), .fields = json_object_new_array() };
    g_autoptr(JsonObject) shown = vmstate_describe(&whole_vm, "whole");
    Whole w;

    whole_init(&w);
    whole_fill(&w);
    g_assert_true(vmstate_save(&whole_vm, &w, &out, NULL));
    /* Version and number of subsections are the only bytes outside the rows. */
    g_assert_cmpuint(sum_sizes(out.fields), ==, out.out->len - 3);
    json_unref(out.fields);
    g_byte_array_unref(out.out);
    whole_clear(&w);

    g_assert_cmpstr(json_object_get_string(json_member(shown, "name")), ==, "whole");
    g_assert_cmpint(json_object_get_int(json_member(shown, "minimum_version_id")), ==, 1);
    g_assert_cmpuint(json_object_array_length(json_member(shown, "Fields")), ==,
                     ARRAY_SIZE(whole_rows));
    g_assert_cmpuint(json_object_array_length(json_member(shown, "Subsections")), ==, 1);
}

typedef struct Alarm {
    struct Timer timer, timers[2];
} Alarm;

static void nothing(void *opaque)
{
}

static void alarm_init(Alarm *a)
{
    timer_init(&a->timer, CLOCK_VIRTUAL, nothing, NULL);
    timer_init(&a->timers[0], CLOCK_REAL, nothing, NULL);
    timer_init(&a->timers[1], CLOCK_VIRTUAL, nothing, NULL);
}

static void alarm_clear(Alarm *a)
{
    timer_clear(&a->timer);
    timer_clear(&a->timers[0]);
    timer_clear(&a->timers[1]);
}

static void test_timers(void)
{
    static const VMField rows[] = { VM_TIMER(Alarm, timer), VM_TIMER_ARRAY(Alarm, timers) };
    static const VMState vm = VMSTATE_INIT(rows, .version = 1);
    VMWriter w = { .out = g_byte_array_new() };
    g_autoptr(Error) err = NULL;
    Alarm from, to;
    VMReader r;

    alarm_init(&from);
    alarm_init(&to);
    timer_arm_at_ns(&from.timer, 1234567890123);
    timer_arm_at_ns(&from.timers[1], 5);
    timer_arm_at_ns(&to.timers[0], 99); /* cancelled by the load */
    g_assert_true(vmstate_save(&vm, &from, &w, NULL));
    r = (VMReader){ .data = w.out->data, .size = w.out->len };
    g_assert_true(vmstate_load(&vm, &to, &r, NULL));
    g_assert_cmpint(timer_deadline_ns(&to.timer), ==, 1234567890123);
    g_assert_false(timer_is_armed(&to.timers[0]));
    g_assert_cmpint(timer_deadline_ns(&to.timers[1]), ==, 5);

    w.out->data[2] = 0x80; /* the first deadline */
    r = (VMReader){ .data = w.out->data, .size = w.out->len };
    g_assert_false(vmstate_load(&vm, &to, &r, &err));
    g_assert_nonnull(strstr(error_text(err), "timer: -9223370802286885685 ns is before"));
    alarm_clear(&from);
    alarm_clear(&to);
    g_byte_array_unref(w.out);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmstate/round-trip", test_round_trip);
    g_test_add_func("/vmstate/golden", test_golden);
    g_test_add_func("/vmstate/truncated", test_truncated);
    g_test_add_func("/vmstate/bit-flips", test_bit_flips);
    g_test_add_func("/vmstate/versions", test_versions);
    g_test_add_func("/vmstate/subsections", test_subsections);
    g_test_add_func("/vmstate/errors", test_errors_name_the_row);
    g_test_add_func("/vmstate/save-errors", test_save_errors);
    g_test_add_func("/vmstate/hostile-counter", test_hostile_counter);
    g_test_add_func("/vmstate/timers", test_timers);
    g_test_add_func("/vmstate/expand", test_expand);
    g_test_add_func("/vmstate/descriptions", test_descriptions);
    return g_test_run();
}
