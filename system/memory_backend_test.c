/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_backend.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "qom/user_creatable.h"
#include "system/ram_block.h"

static char *directory;

static MemoryBackend *add(const char *json, Error **errp)
{
    json_object *options;
    Object *obj;

    g_assert_true(json_parse(json, strlen(json), &options, NULL));
    obj = user_creatable_add(options, PROPERTY_TYPED, errp);
    json_unref(options);
    return obj ? MEMORY_BACKEND(obj) : NULL;
}

static MemoryBackend *must_add(const char *json)
{
    Error *err = NULL;
    MemoryBackend *backend = add(json, &err);

    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    return backend;
}

static void refuse(const char *json, const char *text)
{
    g_autoptr(Error) err = NULL;

    g_assert_null(add(json, &err));
    g_assert_nonnull(strstr(error_text(err), text));
    g_assert_null(object_child(object_container("/objects"), "m"));
}

static void del(const char *id)
{
    Error *err = NULL;

    user_creatable_del(id, &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
}

static size_t resident_pages(const void *host, size_t bytes)
{
    g_autofree unsigned char *pages = g_malloc0(bytes / host_page_bytes());
    size_t count = 0;

    g_assert_cmpint(mincore((void *)host, bytes, pages), ==, 0);
    for (size_t i = 0; i < bytes / host_page_bytes(); i++) {
        count += pages[i] & 1;
    }
    return count;
}

static void test_ram(void)
{
    MemoryBackend *b = must_add("{'qom-type': 'memory-backend-ram', 'id': 'm', 'size': 4194304}");
    uint8_t *host;

    g_assert_nonnull(b);
    host = memory_region_host(memory_backend_region(b));
    g_assert_true(IS_ALIGNED((uintptr_t)host, 2 * MiB));
    g_assert_cmpuint(resident_pages(host, 4 * MiB), ==, 0);
    host[4 * MiB - 1] = 1;
    /* Live: faulting it in later. */
    g_assert_true(object_set_bool(b, "prealloc", true, NULL));
    g_assert_cmpuint(resident_pages(host, 4 * MiB), ==, 4 * MiB / host_page_bytes());
    g_assert_true(memory_backend_claim(b, NULL));
    g_assert_false(memory_backend_claim(b, NULL));
    g_assert_false(user_creatable_del("m", NULL));
    memory_backend_release(b);
    del("m");
}

static void test_prealloc_context(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    MemoryBackend *b;

    must_add("{'qom-type': 'thread-context', 'id': 'tc', 'cpu-affinity': [0]}");
    b = must_add("{'qom-type': 'memory-backend-ram', 'id': 'm', 'size': 8388608, 'prealloc': true,"
            " 'prealloc-threads': 3, 'prealloc-context': 'tc', 'merge': false}");
    g_assert_nonnull(b);
    g_assert_cmpuint(resident_pages(memory_region_host(&b->region), 8 * MiB), ==,
                     8 * MiB / host_page_bytes());
    g_assert_cmpint(object_get_int(b->prealloc_context, "thread-id"), >, 0);
    g_assert_false(user_creatable_del("tc", NULL));
    memory_backend_print_all(text);
    g_assert_cmpstr(text->str, ==,
                    "memory backend: m\n  size:  8388608\n  merge: false\n  dump: true\n"
                    "  prealloc: true\n  share: false\n  reserve: true\n  policy: default\n"
                    "  host nodes: \n\n");
    del("m");
    del("tc");
}

static void test_refused(void)
{
#define RAM "'qom-type': 'memory-backend-ram', 'id': 'm'"
    refuse("{" RAM "}", "'size' is missing");
    refuse("{" RAM ", 'size': 0}", "property 'size' of memory-backend-ram doesn't take value '0'");
    refuse("{" RAM ", 'size': 18446744073709551615}", "invalid size");
    refuse("{" RAM ", 'size': 4096, 'policy': 'bind'}", "host-nodes must be set for policy bind");
    refuse("{" RAM ", 'size': 4096, 'host-nodes': [0]}", "host-nodes must be empty");
    refuse("{" RAM ", 'size': 4096, 'host-nodes': [128], 'policy': 'bind'}",
           "Invalid host-nodes value: 128");
    refuse("{" RAM ", 'size': 4096, 'host-nodes': [77], 'policy': 'bind'}",
           "cannot bind memory to host NUMA nodes");
    refuse("{" RAM ", 'size': 4096, 'prealloc': true, 'reserve': false}", "incompatible");
    refuse("{" RAM ", 'size': 4096, 'prealloc-threads': 0}", "prealloc-threads");
    refuse("{'qom-type': 'thread-context', 'id': 'm', 'cpu-affinity': [0], 'node-affinity': [0]}",
           "Mixing CPU and node affinity not supported");
    refuse("{'qom-type': 'thread-context', 'id': 'm', 'node-affinity': [99]}",
           "The nodes select no CPUs");
    refuse("{'qom-type': 'memory-backend-memfd', 'id': 'm', 'size': 4096, 'hugetlb': true,"
           " 'hugetlbsize': 3145728}", "power of 2");
}

static MemoryBackend *add_file(const char *name, const char *more, Error **errp)
{
    g_autofree char *json = g_strdup_printf("{'qom-type': 'memory-backend-file', 'id': 'm', "
                                            "'mem-path': '%s/%s'%s}", directory, name, more);

    return add(json, errp);
}

static void refuse_file(const char *name, const char *more, const char *text)
{
    g_autoptr(Error) err = NULL;

    g_assert_null(add_file(name, more, &err));
    g_assert_nonnull(strstr(error_text(err), text));
}

static void test_file(void)
{
    g_autofree char *path = g_build_filename(directory, "f", NULL);
    MemoryBackend *b = add_file("f", ", 'size': 8192, 'share': true", NULL);
    g_autofree char *contents = NULL;
    gsize length;

    g_assert_nonnull(b);
    strcpy(memory_region_host(&b->region), "written");
    del("m");
    g_assert_true(g_file_get_contents(path, &contents, &length, NULL));
    g_assert_cmpuint(length, ==, 8192);
    g_assert_cmpstr(contents, ==, "written");

    refuse_file("f", ", 'size': 16384", "backing store size 0x2000 does not match");
    refuse_file("f", ", 'size': 8192, 'align': 12288", "must be a power of two");
    refuse_file("f", ", 'size': 8192, 'align': 1024", "must be multiples of page size 0x1000");
    refuse_file("f", ", 'size': 4096, 'offset': 512", "offset 0x200 must be multiples");
    refuse_file("f", ", 'size': 4096, 'offset': 9223372036854771712", "too large");
    refuse_file("no/f", ", 'size': 4096", "can't open backing store");
    refuse_file("new", ", 'size': 4096, 'readonly': true", "can't open backing store");
    refuse_file("new", ", 'size': 4096, 'align': 1024", "must be multiples");
    refuse_file("f", ", 'size': 4096, 'rom': 'on'", "'rom' = 'on'");
    /* What was made for an object that was refused is gone. */
    g_free(path);
    path = g_build_filename(directory, "new", NULL);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void test_file_reading(void)
{
    MemoryBackend *b = add_file("f", ", 'size': 4096, 'offset': 4096, 'readonly': true", NULL);

    g_assert_nonnull(b);
    g_assert_true(b->region.is_read_only);
    del("m");
    /* Private writes over a file opened for reading. */
    b = add_file("f", ", 'size': 4096, 'readonly': true, 'rom': 'off'", NULL);
    g_assert_nonnull(b);
    g_assert_false(b->region.is_read_only);
    strcpy(memory_region_host(&b->region), "other");
    del("m");
    b = add_file("f", ", 'size': 4096, 'readonly': true", NULL);
    g_assert_cmpstr(memory_region_host(&b->region), ==, "written");
    del("m");
    /* A directory: a file without a name. */
    b = add_file("", ", 'size': 4096, 'share': true, 'discard-data': true", NULL);
    g_assert_nonnull(b);
    del("m");
}

static void test_memfd(void)
{
    MemoryBackend *b = must_add("{'qom-type': 'memory-backend-memfd', 'id': 'm', 'size': 8192}");
    RamBlock *ram;
    void *other;

    g_assert_nonnull(b);
    g_assert_true(object_get_bool(b, "share"));
    ram = b->region.ram;
    g_assert_cmpint(ftruncate(ram->fd, 4096), <, 0);
    other = mmap(NULL, 8192, PROT_READ, MAP_SHARED, ram->fd, 0);
    g_assert_true(other != MAP_FAILED);
    strcpy(memory_region_host(&b->region), "seen");
    g_assert_cmpstr(other, ==, "seen");
    g_assert_true(ram_block_discard(ram, 0, 4096, NULL));
    g_assert_cmpstr(other, ==, "");
    munmap(other, 8192);
    del("m");
}

int main(int argc, char **argv)
{
    int result;

    g_test_init(&argc, &argv, NULL);
    directory = g_dir_make_tmp("memory-XXXXXX", NULL);
    g_test_add_func("/memory-backend/ram", test_ram);
    g_test_add_func("/memory-backend/prealloc-context", test_prealloc_context);
    g_test_add_func("/memory-backend/refused", test_refused);
    g_test_add_func("/memory-backend/file", test_file);
    g_test_add_func("/memory-backend/file-reading", test_file_reading);
    g_test_add_func("/memory-backend/memfd", test_memfd);
    result = g_test_run();
    {
        g_autofree char *path = g_build_filename(directory, "f", NULL);

        g_unlink(path);
        g_rmdir(directory);
    }
    g_free(directory);
    return result;
}
