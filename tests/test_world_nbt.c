/* test_world_nbt.c - the reader of Named Binary Tags on sound, cut and hostile data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world_files.h"
#include "tools/worlds/nbt.h"

/* Walks a compound with everything below it. Returns the number of tags, or -EBADMSG. */
static int walk(struct adit_nbt compound)
{
    struct adit_nbt_tag tag;
    int got, tags = 0;
    while ((got = adit_nbt_next(&compound, &tag)) > 0) {
        int below = tag.type == ADIT_NBT_COMPOUND ? walk(tag.body) : 0;
        if (below < 0)
            return below;
        tags += 1 + below;
    }
    return got < 0 ? got : tags;
}

static int walk_root(const uint8_t *data, size_t size)
{
    /* A copy of the exact size lets ASan see a read beyond it. */
    uint8_t *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    struct adit_nbt_tag root;
    int result = adit_nbt_root(copy, size, &root);
    if (!result)
        result = walk(root.body);
    free(copy);
    return result;
}

static void write_one_of_each(struct bytes *nbt)
{
    nbt_tag(nbt, 10, "root");
    nbt_byte(nbt, "byte", -7);
    nbt_tag(nbt, 2, "short");
    bytes_add_big(nbt, 0xfffe, 2);
    nbt_int(nbt, "int", -70000);
    nbt_tag(nbt, 4, "long");
    bytes_add_big(nbt, 1ull << 40, 8);
    nbt_tag(nbt, 5, "float");
    bytes_add_big(nbt, 0, 4);
    nbt_tag(nbt, 6, "double");
    bytes_add_big(nbt, 0, 8);
    nbt_byte_array(nbt, "bytes", (const uint8_t *)"abc", 3);
    nbt_string(nbt, "string", "stone");
    nbt_list(nbt, "list", 10, 2);
    nbt_byte(nbt, "x", 1);
    nbt_end(nbt);
    nbt_end(nbt);
    nbt_tag(nbt, 10, "inner");
    nbt_int(nbt, "deep", 3);
    nbt_end(nbt);
    nbt_tag(nbt, 11, "ints");
    bytes_add_big(nbt, 2, 4);
    bytes_add_big(nbt, 0, 8);
    nbt_tag(nbt, 12, "longs");
    bytes_add_big(nbt, 1, 4);
    bytes_add_big(nbt, 5, 8);
    nbt_end(nbt);
}

static void every_type_of_tag_is_read(void **state)
{
    (void)state;
    struct bytes nbt = {0};
    write_one_of_each(&nbt);
    struct adit_nbt_tag root, tag;
    assert_int_equal(adit_nbt_root(nbt.data, nbt.size, &root), 0);
    assert_true(adit_nbt_is(&root, "root"));
    assert_int_equal(walk(root.body), 13);
    int64_t value;
    size_t count;
    while (adit_nbt_next(&root.body, &tag) > 0) {
        if (adit_nbt_is(&tag, "byte"))
            assert_true(adit_nbt_integer(&tag, &value) && value == -7);
        if (adit_nbt_is(&tag, "short"))
            assert_true(adit_nbt_integer(&tag, &value) && value == -2);
        if (adit_nbt_is(&tag, "int"))
            assert_true(adit_nbt_integer(&tag, &value) && value == -70000);
        if (adit_nbt_is(&tag, "long"))
            assert_true(adit_nbt_integer(&tag, &value) && value == 1ll << 40);
        if (adit_nbt_is(&tag, "float"))
            assert_false(adit_nbt_integer(&tag, &value));
        if (adit_nbt_is(&tag, "bytes")) {
            assert_null(adit_nbt_array(&tag, ADIT_NBT_LONGS, &count));
            assert_memory_equal(adit_nbt_array(&tag, ADIT_NBT_BYTES, &count), "abc", 3);
            assert_int_equal(count, 3);
        }
        if (adit_nbt_is(&tag, "string")) {
            assert_memory_equal(adit_nbt_array(&tag, ADIT_NBT_STRING, &count), "stone", 5);
            assert_int_equal(count, 5);
        }
        if (adit_nbt_is(&tag, "list")) {
            uint8_t type;
            uint32_t elements;
            struct adit_nbt list;
            struct adit_nbt_tag element;
            assert_int_equal(adit_nbt_list(&tag, &type, &elements, &list), 0);
            assert_int_equal(type, ADIT_NBT_COMPOUND);
            assert_int_equal(elements, 2);
            assert_int_equal(adit_nbt_element(&list, type, &element), 0);
            assert_int_equal(walk(element.body), 1);
            assert_int_equal(adit_nbt_element(&list, type, &element), 0);
            assert_int_equal(walk(element.body), 0);
            assert_int_equal(adit_nbt_element(&list, type, &element), -EBADMSG);
        }
    }
    bytes_free(&nbt);
}

static void data_cut_anywhere_are_refused(void **state)
{
    (void)state;
    struct bytes nbt = {0};
    write_one_of_each(&nbt);
    assert_int_equal(walk_root(nbt.data, nbt.size), 13);
    for (size_t size = 0; size < nbt.size; size++)
        assert_int_equal(walk_root(nbt.data, size), -EBADMSG);
    bytes_free(&nbt);
}

static void a_byte_changed_anywhere_is_survived(void **state)
{
    (void)state;
    struct bytes nbt = {0};
    write_one_of_each(&nbt);
    for (size_t at = 0; at < nbt.size; at++)
        for (uint32_t value = 0; value < 256; value++) {
            uint8_t old = nbt.data[at];
            nbt.data[at] = (uint8_t)value;
            walk_root(nbt.data, nbt.size);
            nbt.data[at] = old;
        }
    bytes_free(&nbt);
}

/* A root with one tag that holds depth nested lists or compounds. */
static int walk_nested(uint32_t depth, bool lists)
{
    struct bytes nbt = {0};
    nbt_tag(&nbt, 10, "");
    if (lists) {
        nbt_tag(&nbt, 9, "l");
        for (uint32_t i = 1; i < depth; i++) {
            bytes_add_big(&nbt, 9, 1);
            bytes_add_big(&nbt, 1, 4);
        }
        bytes_add_big(&nbt, 0, 1);
        bytes_add_big(&nbt, 0, 4);
    } else {
        for (uint32_t i = 0; i < depth; i++)
            nbt_tag(&nbt, 10, "c");
        for (uint32_t i = 0; i < depth; i++)
            nbt_end(&nbt);
    }
    nbt_end(&nbt);
    struct adit_nbt_tag root, tag;
    int result = adit_nbt_root(nbt.data, nbt.size, &root);
    if (!result)
        result = adit_nbt_next(&root.body, &tag);
    bytes_free(&nbt);
    return result;
}

static void nesting_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    for (int lists = 0; lists < 2; lists++) {
        assert_int_equal(walk_nested(ADIT_NBT_DEPTH_MAX, lists), 1);
        assert_int_equal(walk_nested(ADIT_NBT_DEPTH_MAX + 1, lists), -EBADMSG);
        assert_int_equal(walk_nested(200000, lists), -EBADMSG);
    }
}

static void lengths_that_lie_are_refused(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {2, 0x7fffffff, 0x80000000, 0xffffffff, 0x20000000, 0x1fffffff};
    static const uint8_t types[] = {7, 11, 12};
    for (size_t t = 0; t < sizeof(types); t++)
        for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
            struct bytes nbt = {0};
            nbt_tag(&nbt, 10, "");
            nbt_tag(&nbt, types[t], "a");
            bytes_add_big(&nbt, lengths[i], 4);
            nbt_end(&nbt);
            assert_int_equal(walk_root(nbt.data, nbt.size), -EBADMSG);
            bytes_free(&nbt);
        }
    for (uint8_t type = 0; type <= 13; type++) { /* lists: of nothing, of each type, of an unknown one */
        struct bytes nbt = {0};
        nbt_tag(&nbt, 10, "");
        nbt_list(&nbt, "l", type, 0x7fffffff);
        nbt_end(&nbt);
        assert_int_equal(walk_root(nbt.data, nbt.size), -EBADMSG);
        bytes_free(&nbt);
    }
    struct bytes nbt = {0};
    nbt_tag(&nbt, 10, "");
    nbt_list(&nbt, "empty", 10, 0xffffffff); /* negative: the game takes it for empty */
    nbt_end(&nbt);
    assert_int_equal(walk_root(nbt.data, nbt.size), 1);
    bytes_free(&nbt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_tag_is_read),           cmocka_unit_test(data_cut_anywhere_are_refused),
        cmocka_unit_test(a_byte_changed_anywhere_is_survived), cmocka_unit_test(nesting_beyond_the_limit_is_refused),
        cmocka_unit_test(lengths_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
