// base/: text, buffers, maps, findings.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/vec.h"

static void int64_limits(void **state)
{
    (void)state;
    int64_t v = 0;
    assert_true(str_int64(STR("9223372036854775807"), &v) && v == INT64_MAX);
    assert_true(str_int64(STR("-9223372036854775808"), &v) && v == INT64_MIN);
    const char *const BAD[] = {"", "-", "+1", "9223372036854775808", "-9223372036854775809", "1 ", "0x1"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(str_int64(str_of(BAD[i]), &v));
}

static void utf8_validity(void **state)
{
    (void)state;
    const struct {
        ds_str text;
        int64_t points;
    } CASES[] = {
        {STR(""), 0},
        {STR("plain text of ascii"), 19},
        {STR("\xC3\xA9t\xC3\xA9"), 3},
        {STR("\xF0\x9F\x98\x80"), 1},
        {STR("\xC0\x80"), -1},
        {STR("\xED\xA0\x80"), -1},
        {STR("\xF4\x90\x80\x80"), -1},
        {STR("abcdefgh\x80"), -1},
        {STR("a\0b"), -1},
        {STR("12345678\0"), -1},
        {STR("\xE2\x82"), -1},
        {STR("\xE0\x9F\xBF"), -1},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_int_equal(str_utf8_length(CASES[i].text), CASES[i].points);
}

static void nearest_name(void **state)
{
    (void)state;
    const char *const NAMES[] = {"columns", "classification", "description"};
    assert_string_equal(str_nearest("colums", NAMES, 3), "columns");
    assert_string_equal(str_nearest("clasification", NAMES, 3), "classification");
    assert_null(str_nearest("xyz", NAMES, 3));
    assert_int_equal(str_distance(STR("ab"), STR("ba"), 3), 1);
}

static void glob(void **state)
{
    (void)state;
    assert_true(str_glob("*", "") && str_glob("a*c", "abbc") && str_glob("?x*", "ax") && str_glob("*/b", "a/b"));
    assert_false(str_glob("a*c", "abb") || str_glob("?", "") || str_glob("a", "ab"));
}

static void buffer_maximum(void **state)
{
    (void)state;
    ds_buf b = BUF_INIT(10);
    buf_puts(&b, "12345");
    buf_printf(&b, "%d", 678);
    assert_true(buf_ok(&b));
    assert_string_equal(buf_text(&b), "12345678");
    buf_puts(&b, "abc");
    assert_false(buf_ok(&b));
    assert_string_equal(buf_text(&b), "12345678");
    buf_release(&b);
}

static void bytes_one_by_one(void **state)
{
    (void)state;
    for (size_t max = 1; max < 200; max++) {
        CLEANUP(buf_release) ds_buf b = BUF_INIT(max);
        for (size_t i = 0; i < max; i++) {
            buf_putc(&b, 'a');
            assert_int_equal(strlen(buf_text(&b)), i + 1);
        }
        assert_true(buf_ok(&b));
        buf_putc(&b, 'b');
        assert_false(buf_ok(&b));
        assert_int_equal(b.n, max);
        assert_null(strchr(buf_text(&b), 'b'));
    }
}

static void printed_at_any_length(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(buf_release) ds_buf b = BUF_INIT(10000);
    for (int n = 0; n < 600; n++) {
        const char *text = arena_printf(arena, "%0*d.", n, 7);
        buf_clear(&b);
        buf_printf(&b, "%0*d.", n, 7);
        assert_string_equal(text, buf_text(&b));
        assert_int_equal(strlen(text), n > 1 ? n + 1 : 2);
        assert_int_equal(strspn(text, "0"), n > 1 ? n - 1 : 0);
    }
}

static void clear_at_all_sizes(ds_arena *arena)
{
    for (size_t bytes = 1; bytes < 8 << 20; bytes *= 3) { // blocks of every size, and objects larger than any
        char *p = arena_alloc(arena, bytes);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(p[i], 0);
        memset(p, 'x', bytes);
        assert_string_equal(arena_str(arena, STR("ab")), "ab");
        arena_clear(arena);
        assert_int_equal(arena_used(arena), 0);
    }
}

static void cleared_arena_is_zeroed(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *usual = arena_new();
    CLEANUP(arena_freep) ds_arena *tight = arena_new_tight();
    clear_at_all_sizes(usual);
    clear_at_all_sizes(tight);
}

static void map_first_wins(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_map *map = map_new(arena);
    for (int i = 0; i < 1000; i++)
        assert_null(map_add(map, arena_printf(arena, "name%d", i), arena_printf(arena, "%d", i)));
    char again[] = "again";
    assert_string_equal(map_add(map, "name7", again), "7");
    assert_int_equal(map_count(map), 1000);
    assert_string_equal(map_get(map, "name999"), "999");
    assert_null(map_get(map, "name1000"));
    assert_string_equal(map_key(map, 3), "name3");
}

static void findings_sorted_and_shown(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_files *files = files_new(arena);
    uint32_t b = files_add(files, "b.yaml", STR("name: x\n  colums: {}\n"));
    uint32_t a = files_add(files, "a.yaml", STR("kind: Nope\n"));
    CLEANUP(diags_freep) ds_diags *diags = diags_new(files);
    diag_add(diags, DIAG_ERROR, "M002", (ds_pos){b, 2, 3}, "", "unknown key \"%s\"", "colums");
    diag_hint(diags, "did you mean \"%s\"?", "columns");
    diag_add(diags, DIAG_WARNING, "M001", (ds_pos){a, 1, 7}, "", "unknown kind");
    diag_add(diags, DIAG_WARNING, "M001", (ds_pos){a, 1, 7}, "", "unknown kind");
    diags_sort(diags);
    assert_int_equal(diags_count(diags), 2);
    assert_int_equal(diags_severity_count(diags, DIAG_WARNING), 1);
    assert_int_equal(diags_at(diags, 0)->pos.file, a);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    diag_print(out, diags, diags_at(diags, 1), false);
    fclose(out);
    assert_string_equal(text, "b.yaml:2:3: error: unknown key \"colums\" [M002]\n"
                              "     2 |   colums: {}\n"
                              "       |   ^~~~~~\n"
                              "  hint: did you mean \"columns\"?\n");
    free(text);
}

static void error_texts(void **state)
{
    (void)state;
    ds_error err;
    ds_rc rc = ds_context(ds_fail(&err, DS_BUSY, "locked by %d", 7), &err, "stream %s", "A/B");
    assert_int_equal(rc.code, DS_BUSY);
    assert_string_equal(err.text, "stream A/B: locked by 7");
    assert_int_equal(error_worse(DS_FINDING, DS_ENV), DS_ENV);
    char iso[CLOCK_TEXT];
    clock_format_iso(-1, iso);
    assert_string_equal(iso, "1969-12-31T23:59:59.999999Z");
}

static void vectors_grow(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    VEC(int) v = {0};
    for (int i = 0; i < 100; i++)
        *VEC_PUSH(arena, &v) = i;
    assert_int_equal(v.n, 100);
    assert_int_equal(v.v[57], 57);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int64_limits),          cmocka_unit_test(utf8_validity),
        cmocka_unit_test(nearest_name),          cmocka_unit_test(glob),
        cmocka_unit_test(buffer_maximum),        cmocka_unit_test(bytes_one_by_one),
        cmocka_unit_test(printed_at_any_length), cmocka_unit_test(cleared_arena_is_zeroed),
        cmocka_unit_test(map_first_wins),        cmocka_unit_test(findings_sorted_and_shown),
        cmocka_unit_test(error_texts),           cmocka_unit_test(vectors_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
