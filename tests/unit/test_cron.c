// base/cron.h: cron lines and time zones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cron.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void accepts(void **state)
{
    (void)state;
    const struct {
        const char *line;
        int64_t gap_minutes;
    } CASES[] = {
        {"*/5 * * * *", 5},
        {"* * * * *", 1},
        {"0 0 * * *", 24 * 60},
        {"1-5 * * * *", 56},
        {"1,2,3 * * * *", 58},
        {"* * * * 7", (int64_t)6 * 24 * 60 + 1},
        {"0/5 * * * *", 5},
        {"1-5/2 * * * *", 56},
        {"0 0 1 JAN *", 366 * 24 * 60},
        {"0 9-17 * * mon-fri", (int64_t)3 * 24 * 60 - 8 * 60},
        {"0 0 * * fri-sun", (int64_t)5 * 24 * 60},
        {"  0\t*/2  * * * ", 120},
        {"0 0 29 2 *", (int64_t)4 * 365 * 24 * 60 + 24 * 60},
        {"0 0 1 * 1", (int64_t)7 * 24 * 60},
        {"0 0 */2 * 1", (int64_t)21 * 24 * 60},
        {"59 23 31 12 *", 366 * 24 * 60},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        ds_cron cron;
        ds_error err = {0};
        if (cron_parse(str_of(CASES[i].line), &cron, &err).code != DS_OK)
            fail_msg("%s: %s", CASES[i].line, err.text);
        int64_t gap = cron_longest_gap_minutes(&cron);
        if (gap != CASES[i].gap_minutes)
            fail_msg("%s: %ld", CASES[i].line, (long)gap);
    }
}

static void rejects(void **state)
{
    (void)state;
    const struct {
        const char *line, *message;
    } CASES[] = {
        {"60 * * * *", "minute \"60\" is not between 0 and 59"},
        {"* 24 * * *", "hour \"24\" is not between 0 and 23"},
        {"* * 0 * *", "day \"0\" is not between 1 and 31"},
        {"* * * 13 *", "month \"13\" is not between 1 and 12"},
        {"* * * * 8", "weekday \"8\" is not between 0 and 7"},
        {"5-1 * * * *", "minute \"5-1\" runs backwards"},
        {"@daily", "\"@daily\" has fewer than five fields"},
        {"* * * *", "\"* * * *\" has fewer than five fields"},
        {"", "\"\" has fewer than five fields"},
        {"* * * * * *", "\"* * * * * *\" has more than five fields"},
        {"*/0 * * * *", "minute \"*/0\" has no step between 1 and 59"},
        {"*/ * * * *", "minute \"*/\" has no step between 1 and 59"},
        {"*/-5 * * * *", "minute \"*/-5\" has no step between 1 and 59"},
        {"1,,2 * * * *", "minute has an empty part"},
        {"1, * * * *", "minute has an empty part"},
        {"-1 * * * *", "minute \"\" is not a number"},
        {"x * * * *", "minute \"x\" is not a number"},
        {"* * * janu *", "month \"janu\" is not a number or a name"},
        {"0 0 30 2 *", "\"0 0 30 2 *\" never fires: no month has that day"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        ds_cron cron;
        ds_error err = {0};
        assert_int_equal(cron_parse(str_of(CASES[i].line), &cron, &err).code, DS_FINDING);
        assert_string_equal(err.text, CASES[i].message);
    }
}

static void days(void **state)
{
    (void)state;
    ds_cron cron;
    ds_error err;
    assert_int_equal(cron_parse(STR("0 0 13 * fri"), &cron, &err).code, DS_OK); // either, as crontab(5) says
    assert_true(cron_day_matches(&cron, 5, 13, 1) && cron_day_matches(&cron, 5, 14, 5));
    assert_false(cron_day_matches(&cron, 5, 14, 6));
    assert_int_equal(cron_parse(STR("0 0 */13 1-3 fri"), &cron, &err).code, DS_OK); // both: a field begins with *
    assert_true(cron_day_matches(&cron, 2, 14, 5));
    assert_false(cron_day_matches(&cron, 2, 14, 6) || cron_day_matches(&cron, 2, 13, 5) ||
                 cron_day_matches(&cron, 4, 14, 5));
}

static void timezones(void **state)
{
    (void)state;
    assert_true(timezone_known("UTC") && timezone_known("Europe/Berlin"));
    const char *const BAD[] = {"", "/etc/passwd", "../../../etc/passwd", "Europe/", "Europe Berlin"};
    for (size_t i = 0; i < COUNT(BAD); i++)
        assert_false(timezone_known(BAD[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(accepts), cmocka_unit_test(rejects), cmocka_unit_test(days),
                                       cmocka_unit_test(timezones)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
