// naming/naming.h
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/map.h"
#include "naming/naming.h"

static const ds_name_rules WITH_SCHEMAS = {.limit = 63, .has_schemas = true}, WITHOUT = {.limit = 200};

static void check(ds_relation got, const char *schema, const char *name)
{
    assert_string_equal(got.schema, schema);
    assert_string_equal(got.name, name);
}

static void plain_names(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *a = arena_new();
    const ds_name_rules s = WITH_SCHEMAS, n = WITHOUT;
    check(naming_table(a, s, "Live", "Store1", "Customers", TABLE_MERGE), "ds_live", "store1__customers");
    check(naming_table(a, s, "Live", "Store1", "Customers", TABLE_STAGING), "ds_live", "store1__customers__s");
    check(naming_table(a, s, "Live", "Store1", "Customers", TABLE_HISTORY), "ds_live", "store1__customers__h");
    check(naming_table(a, s, "Live", "Store1", "Customers", TABLE_REJECTS), "ds_live", "store1__customers__r");
    check(naming_table(a, n, "Live", "Store1", "Customers", TABLE_STAGING), "", "ds_live__store1__customers__s");
    check(naming_view(a, n, "Consumer1", "live", "Store1", "customers", false), "",
          "ws_consumer1__live__store1__customers");
    check(naming_view(a, s, "Consumer1", "live", "Store1", "customers", true), "ws_consumer1",
          "live__store1__customers__history");
    check(naming_control(a, s, "batch"), "datasurface", "batch");
    check(naming_control(a, n, "dataset_batch"), "", "datasurface__dataset_batch");
    assert_string_equal(naming_index(a, s, (ds_relation){"ds_live", "store1__customers"}, "k"), "store1__customers__k");
}

// "head___", 8 hexadecimal digits, then tail.
static void check_hashed(const char *name, const char *head, const char *tail, size_t limit)
{
    size_t n = strlen(head);
    if (strncmp(name, head, n) != 0 || strncmp(name + n, "___", 3) != 0)
        fail_msg("%s does not begin with %s___", name, head);
    for (int i = 0; i < 8; i++)
        assert_true(isxdigit((unsigned char)name[n + 3 + (size_t)i]));
    assert_string_equal(name + n + 11, tail);
    assert_true(strlen(name) <= limit);
}

static void hashed_names(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *a = arena_new();
    const ds_name_rules s = WITH_SCHEMAS;
    check_hashed(naming_table(a, s, "live", "a__b", "c", TABLE_STAGING).name, "a__b__c", "__s", 63);
    check_hashed(naming_table(a, s, "live", "a", "c_", TABLE_MERGE).name, "a__c", "", 63);
    check_hashed(naming_table(a, s, "live_", "a", "c", TABLE_MERGE).schema, "ds_live", "", 63);
    const char *longer = "the_customers_of_all_our_subsidiaries_in_the_northern_hemisphere";
    ds_relation table = naming_table(a, s, "live", "Store1", longer, TABLE_HISTORY);
    check_hashed(table.name, "store1__the_customers_of", "_the_northern_hemisphere__h", 63);
    assert_int_equal(strlen(table.name), 62); // a "_" fell at the cut
    assert_int_equal(strlen(naming_table(a, WITHOUT, longer, longer, longer, TABLE_HISTORY).name), 200);
    check_hashed(naming_index(a, s, table, "k"), "store1__the_customers_of", "_e_northern_hemisphere__h__k", 63);
    // What fits exactly is left alone.
    char part[64];
    memset(part, 'x', sizeof part);
    part[60] = '\0';
    assert_int_equal(strlen(naming_table(a, s, "p", "s", part, TABLE_MERGE).name), 63);
    assert_null(strstr(naming_table(a, s, "p", "s", part, TABLE_MERGE).name, "___"));
    part[60] = 'x';
    part[61] = '\0';
    assert_non_null(strstr(naming_table(a, s, "p", "s", part, TABLE_MERGE).name, "___"));
    assert_int_equal(strlen(naming_table(a, s, "p", "s", part, TABLE_MERGE).name), 63);
}

// --- property: paths that differ give names that differ

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; // splitmix64
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// [a-z][a-z0-9_]*, with a taste for "_", for our own suffixes and for lengths near the limits.
static const char *nasty_part(ds_arena *arena, uint64_t *random)
{
    static const char *const PIECES[] = {"_", "_", "__", "a",   "b",   "s",    "h",           "history",     "r",
                                         "k", "0", "_s", "__h", "ds_", "ws_a", "___00000000", "customers_of"};
    char part[128];
    size_t n = 0, most = next(random) % 8 ? 1 + next(random) % 12 : 20 + next(random) % 60;
    part[n++] = "abdsw"[next(random) % 5];
    while (n < most) {
        const char *piece = PIECES[next(random) % (sizeof PIECES / sizeof PIECES[0])];
        memcpy(part + n, piece, strlen(piece));
        n += strlen(piece);
    }
    part[n] = '\0';
    return arena_strdup(arena, part);
}

// A random table, view or control table, or one of its indexes; *logical says which.
static ds_relation nasty_relation(ds_arena *a, ds_name_rules rules, uint64_t *random, const char **logical)
{
    const char *p[4];
    for (int i = 0; i < 4; i++)
        p[i] = nasty_part(a, random);
    ds_relation relation;
    ds_table_kind kind = (ds_table_kind)(next(random) % 4);
    bool history = next(random) % 2;
    switch (next(random) % 8) {
    case 0:
        *logical = arena_printf(a, "control/%s", p[0]);
        relation = naming_control(a, rules, p[0]);
        break;
    case 1:
    case 2:
        *logical = arena_printf(a, "view%d/%s/%s/%s/%s", history, p[0], p[1], p[2], p[3]);
        relation = naming_view(a, rules, p[0], p[1], p[2], p[3], history);
        break;
    default:
        *logical = arena_printf(a, "table%d/%s/%s/%s", (int)kind, p[0], p[1], p[2]);
        relation = naming_table(a, rules, p[0], p[1], p[2], kind);
    }
    if (next(random) % 4 == 0) {
        const char *suffix = next(random) % 2 ? "k" : "v";
        *logical = arena_printf(a, "%s index %s", *logical, suffix);
        relation.name = naming_index(a, rules, relation, suffix);
    }
    return relation;
}

static void names_never_collide(void **state)
{
    (void)state;
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
    const ds_name_rules RULES[] = {WITH_SCHEMAS, WITHOUT};
    for (size_t r = 0; r < 2; r++) {
        CLEANUP(arena_freep) ds_arena *a = arena_new();
        ds_map *logical_of = map_new(a);
        uint64_t random = seed;
        size_t hashes = 0;
        for (int i = 0; i < 100000; i++) {
            const char *logical;
            ds_relation relation = nasty_relation(a, RULES[r], &random, &logical);
            assert_true(strlen(relation.name) <= RULES[r].limit && strlen(relation.schema) <= RULES[r].limit);
            assert_int_equal(relation.schema[0] != '\0', RULES[r].has_schemas);
            hashes += strstr(relation.name, "___") != NULL;
            const char *physical = arena_printf(a, "%s.%s", relation.schema, relation.name);
            const char *other = map_add(logical_of, physical, (void *)(uintptr_t)logical);
            if (other && strcmp(other, logical) != 0)
                fail_msg("seed %llu: %s and %s are both %s", (unsigned long long)seed, logical, other, physical);
        }
        assert_in_range(hashes, 50000, 95000); // of both sorts enough
    }
}

static void exchanges_and_roles(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *a = arena_new();
    ds_relation one = naming_exchange(a, WITHOUT, "Live", "Masker", "in", "Store1", "people");
    assert_string_equal(one.schema, "dt_live__masker"); // also where there are no schemas
    assert_string_equal(one.name, "in__store1__people");
    ds_relation other = naming_exchange(a, WITH_SCHEMAS, "Live__M", "asker", "in", "Store1", "people");
    assert_string_not_equal(one.schema, other.schema);
    const char *parts[] = {"ws_Consumer1", "merge"}, *more[] = {"ws_Consumer1__merge", ""};
    assert_string_equal(naming_role(a, WITH_SCHEMAS, parts, 2), "ws_consumer1__merge");
    assert_string_not_equal(naming_role(a, WITH_SCHEMAS, more, 2), "ws_consumer1__merge");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_names),
        cmocka_unit_test(hashed_names),
        cmocka_unit_test(names_never_collide),
        cmocka_unit_test(exchanges_and_roles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
