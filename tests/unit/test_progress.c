// cli/progress.h and cli/units.h: events and times in, lines of text out.
#include "cli/progress.h"
#include "cli/units.h"
#include "support/check.h"

static void same_text(const ds_buf *text, const char *expected)
{
    if (strcmp(buf_text(text), expected) != 0)
        fail_msg("got:\n%s\nexpected:\n%s", buf_text(text), expected);
}

// --- units

static void counts(void **state)
{
    (void)state;
    static const struct {
        double n;
        const char *text;
    } CASES[] = {{0, "0"},           {0.4, "0"},         {999999, "999999"}, {999999.4, "999999"}, {999999.6, "1.00M"},
                 {9994999, "9.99M"}, {9995000, "10.0M"}, {99.96e6, "100M"},  {999.4e6, "999M"},    {999.6e6, "1.00G"},
                 {12.3e9, "12.3G"},  {9e18, "9.00E"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(64);
        put_count(&text, CASES[i].n);
        same_text(&text, CASES[i].text);
    }
}

static void bytes(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        const char *text;
    } CASES[] = {{0, "0 B"},         {999, "999 B"},        {1000, "1.0 kB"},     {999949, "999.9 kB"},
                 {999950, "1.0 MB"}, {34500000, "34.5 MB"}, {INT64_MAX, "9.2 EB"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(64);
        put_bytes(&text, CASES[i].n);
        same_text(&text, CASES[i].text);
    }
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        double s;
        const char *text;
    } CASES[] = {{0, "0:00"},
                 {0.1, "0:01"},
                 {59.5, "1:00"},
                 {754, "12:34"},
                 {3600, "1:00:00"},
                 {360061, "100:01:01"},
                 {1e300, "277777777777:46:40"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(64);
        put_duration(&text, CASES[i].s);
        same_text(&text, CASES[i].text);
    }
}

static void rates(void **state)
{
    (void)state;
    static const struct {
        int64_t rows;
        double s;
        const char *text;
    } CASES[] = {{100, 2, "50"}, {0, 2, ""}, {100, 0, ""}, {100, 0.009, ""}, {3000000, 2, "1.50M"}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(64);
        put_rate(&text, CASES[i].rows, CASES[i].s);
        same_text(&text, CASES[i].text);
    }
}

static void printable(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t max;
        const char *shown;
        size_t columns;
    } CASES[] = {
        {"customers", 9, "customers", 9},
        {"customers", 8, "custome…", 8},
        {"customers", 1, "…", 1},
        {"customers", 0, "", 0},
        {"", 5, "", 0},
        {"Größe", 5, "Größe", 5},
        {"a\033[2Jb", 20, "a\\x1B[2Jb", 9},
        {"a\r\n\tb\x7F", 30, "a\\x0D\\x0A\\x09b\\x7F", 18},
        {"a\xC2\x9B"
         "31m",
         30, "a\\u009B31m", 10}, // a control sequence of the C1 set
        {"a\xE2\x80\xAE"
         "b",
         30, "a\\u202Eb", 8}, // right to left from here
        {"a\xF3\xA0\x80\x81", 30, "a\\U000E0001", 11},
        {"a\xFF\xC3(", 30, "a\\xFF\\xC3(", 10}, // no UTF-8
        {"a\xE2\x82", 30, "a\\xE2\\x82", 9},    // a character that is cut off
        {"表", 2, "表", 2},
        {"表表", 3, "表…", 3},
        {"a\033", 4, "a…", 2}, // an escape is not cut in two
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(256);
        assert_int_equal(put_printable(&text, CASES[i].text, CASES[i].max), CASES[i].columns);
        same_text(&text, CASES[i].shown);
    }
}

// --- the board

typedef struct step {
    double at_s;
    ds_progress_event event;
} step;

#define BEGIN(n, all)                                                                                                  \
    {                                                                                                                  \
        .stream = "P/S", .datasets = (n), .total = (all)                                                               \
    }
#define READ(name, r, b, t)                                                                                            \
    {                                                                                                                  \
        .stream = "P/S", .dataset = (name), .rows = (r), .bytes = (b), .total = (t)                                    \
    }
#define DONE(name, r, b)                                                                                               \
    {                                                                                                                  \
        .stream = "P/S", .dataset = (name), .rows = (r), .bytes = (b), .done = true                                    \
    }

static void shows(const step *steps, size_t n, double now_s, size_t columns, size_t lines, const char *expected)
{
    progress_board board;
    progress_init(&board, 0);
    for (size_t i = 0; i < n; i++)
        progress_event(&board, &steps[i].event, steps[i].at_s);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 16);
    progress_render(&board, now_s, columns, lines, &text);
    same_text(&text, expected);
    progress_release(&board);
}
#define SHOWS(steps, ...) shows(steps, sizeof steps / sizeof steps[0], __VA_ARGS__)

static void nothing_yet(void **state)
{
    (void)state;
    shows(NULL, 0, 1, 80, 24, "");
}

static void known_counts(void **state)
{
    (void)state;
    const step STEPS[] = {
        {0, BEGIN(3, 4000)},
        {0, READ("small", 0, 0, 1000)},
        {1, DONE("small", 1000, 5000)},
        {1, READ("large", 0, 0, 2000)},
        {4, READ("large", 600, 9000, 2000)},
    };
    SHOWS(STEPS, 4, 80, 24,
          "P/S 1/3                        1600 rows     400 rows/s       40%     0:06 left\n"
          "  large                         600 rows     200 rows/s       30%     0:07 left\n");
}

static void unknown_counts(void **state)
{
    (void)state;
    // The second has more rows than at the last count.
    const step STEPS[] = {
        {0, BEGIN(2, 0)},
        {0, READ("new", 0, 0, 0)},
        {0, READ("grown", 0, 0, 100)},
        {2, READ("new", 5000000, 123456789, 0)},
        {2, READ("grown", 101, 2000, 100)},
    };
    SHOWS(STEPS, 2, 80, 24,
          "P/S 0/2                     5000101 rows   2.50M rows/s  123.5 MB\n"
          "  new                       5000000 rows   2.50M rows/s  123.5 MB\n"
          "  grown                         101 rows      50 rows/s    2.0 kB\n");
}

static void read_once_more(void **state)
{
    (void)state;
    const step STEPS[] = {
        {0, BEGIN(1, 100)},        {0, READ("t", 0, 0, 100)},    {5, READ("t", 100, 1000, 100)},
        {6, READ("t", 0, 0, 100)}, {7, READ("t", 50, 500, 100)},
    };
    SHOWS(STEPS, 7, 80, 24,
          "P/S 0/1                          50 rows       7 rows/s       50%     0:07 left\n"
          "  t                              50 rows      50 rows/s       50%     0:01 left\n");
}

// A batch that starts over in the same run.
static void begun_anew(void **state)
{
    (void)state;
    const step STEPS[] = {
        {0, BEGIN(2, 100)},        {0, READ("a", 0, 0, 50)}, {1, DONE("a", 50, 10)},
        {1, READ("b", 7, 10, 50)}, {2, BEGIN(2, 100)},       {3, READ("a", 10, 2, 50)},
    };
    SHOWS(STEPS, 3, 80, 24,
          "P/S 0/2                          10 rows      10 rows/s       10%     0:09 left\n"
          "  a                              10 rows                      20%\n");
}

static void all_read(void **state)
{
    (void)state;
    const step STEPS[] = {{0, BEGIN(1, 50)}, {0, READ("a", 0, 0, 50)}, {2, DONE("a", 50, 10)}};
    SHOWS(STEPS, 2, 80, 24, "P/S 1/1                          50 rows      25 rows/s      100%\n");
}

static void more_than_fit(void **state)
{
    (void)state;
    const step STEPS[] = {
        {0, BEGIN(400, 0)},       {0, READ("a", 1, 10, 0)}, {0, READ("b", 2, 20, 0)},
        {0, READ("c", 3, 30, 0)}, {0, READ("d", 4, 40, 0)}, {1, DONE("b", 5, 50)},
    };
    SHOWS(STEPS, 1, 80, 4,
          "P/S 1/400                        13 rows      13 rows/s     130 B\n"
          "  a                               1 rows       1 rows/s      10 B\n"
          "  c                               3 rows       3 rows/s      30 B\n"
          "  d                               4 rows       4 rows/s      40 B\n");
    SHOWS(STEPS, 1, 80, 3,
          "P/S 1/400                        13 rows      13 rows/s     130 B\n"
          "  a                               1 rows       1 rows/s      10 B\n"
          "  and 2 more\n");
    SHOWS(STEPS, 1, 80, 2,
          "P/S 1/400                        13 rows      13 rows/s     130 B\n"
          "  and 3 more\n");
    SHOWS(STEPS, 1, 80, 1, "P/S 1/400                        13 rows      13 rows/s     130 B\n");
    SHOWS(STEPS, 1, 80, 0, "");
}

static void narrow_and_wide(void **state)
{
    (void)state;
    const step STEPS[] = {
        {0, BEGIN(1, 0)},
        {0, READ("a name of a table that is longer than any column for it could ever be", 1000, 10, 2000)},
    };
    SHOWS(STEPS, 1, 20, 24,
          "P/S 0/1          1…\n"
          "  a nam…         …\n");
    SHOWS(STEPS, 1, 60, 24,
          "P/S 0/1          1000 rows    1000 rows/s      10 B\n"
          "  a nam…         1000 rows    1000 rows/s       50%     0…\n");
    SHOWS(
        STEPS, 1, 300, 24,
        "P/S 0/1                                                  1000 rows    1000 rows/s      10 B\n"
        "  a name of a table that is longer than any col…         1000 rows    1000 rows/s       50%     0:01 left\n");
    SHOWS(STEPS, 1, 1, 24,
          "\n"
          "\n");
}

static void hostile_names(void **state)
{
    (void)state;
    const step STEPS[] = {
        {0, {.stream = "P/\033[2J", .datasets = 1}},
        {0, READ("a\nb\xFF", 10, 10, 20)},
        {0, READ("表", 10, 10, 20)},
    };
    SHOWS(STEPS, 1, 80, 24,
          "P/\\x1B[2J 0/1                    20 rows      20 rows/s      20 B\n"
          "  a\\x0Ab\\xFF                     10 rows      10 rows/s       50%     0:01 left\n"
          "  表                             10 rows      10 rows/s       50%     0:01 left\n");
}

static void every_tenth_of_a_second(void **state)
{
    (void)state;
    progress_board board;
    progress_init(&board, 100);
    assert_false(progress_is_due(&board, 200)); // nothing has begun
    progress_event(&board, &(ds_progress_event)BEGIN(2, 0), 100);
    assert_false(progress_is_due(&board, 100.4));
    assert_true(progress_is_due(&board, 100.6));
    assert_false(progress_is_due(&board, 100.65));
    assert_true(progress_is_due(&board, 100.71));
    progress_event(&board, &(ds_progress_event)DONE("a", 1, 1), 100.72);
    assert_false(progress_is_due(&board, 100.72));
    progress_event(&board, &(ds_progress_event)DONE("b", 1, 1), 100.73);
    assert_true(progress_is_due(&board, 100.73)); // nothing more may come for a long time
    progress_release(&board);
}

// What is done in a moment is never shown.
static void not_for_a_moment(void **state)
{
    (void)state;
    progress_board board;
    progress_init(&board, 0);
    progress_event(&board, &(ds_progress_event)BEGIN(1, 0), 0);
    progress_event(&board, &(ds_progress_event)DONE("a", 1, 1), 0.3);
    assert_false(progress_is_due(&board, 0.3));
    progress_release(&board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(bytes),
        cmocka_unit_test(durations),
        cmocka_unit_test(rates),
        cmocka_unit_test(printable),
        cmocka_unit_test(nothing_yet),
        cmocka_unit_test(known_counts),
        cmocka_unit_test(unknown_counts),
        cmocka_unit_test(read_once_more),
        cmocka_unit_test(begun_anew),
        cmocka_unit_test(all_read),
        cmocka_unit_test(more_than_fit),
        cmocka_unit_test(narrow_and_wide),
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(every_tenth_of_a_second),
        cmocka_unit_test(not_for_a_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
