// model/fields.h, model/pattern.h, model/rules.h: the tables are complete and tell the truth.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/vec.h"
#include "model/fields.h"
#include "model/load.h"
#include "model/rules.h"

typedef struct shapes {
    ds_arena *arena;
    VEC(const model_shape *) seen;
} shapes;

static void collect(shapes *s, const model_shape *shape)
{
    for (size_t i = 0; i < s->seen.n; i++)
        if (s->seen.v[i] == shape)
            return;
    *VEC_PUSH(s->arena, &s->seen) = shape;
    for (size_t i = 0; i < shape_field_count(shape); i++)
        if (shape_field(shape, i)->shape)
            collect(s, shape_field(shape, i)->shape);
}

static shapes all_shapes(void)
{
    shapes s = {.arena = arena_new()};
    for (size_t i = 0; i < MODEL_KIND_COUNT; i++)
        collect(&s, MODEL_KINDS[i].shape);
    assert_true(s.seen.n > 30);
    return s;
}

static bool is_key(const char *key)
{
    for (const char *p = key; *p; p++)
        if (!(*p >= 'a' && *p <= 'z') && *p != '_')
            return false;
    return key[0] != '\0';
}

static void check_field(const model_shape *shape, const model_field *f)
{
    if (!is_key(f->key) || !f->about || !f->example || !f->about[0] || !f->example[0])
        fail_msg("%s: field \"%s\" lacks a key, a description or an example", shape->name, f->key);
    uint16_t size = f->rest ? f->rest->size : shape->size;
    if (f->offset >= size || f->value_offset >= size || (f->rest && f->rest->offset >= shape->size))
        fail_msg("%s.%s lies outside of its struct", shape->name, f->key);
    bool nested = f->kind == FIELD_STRUCT || f->kind == FIELD_POINTER || f->kind == FIELD_LIST || f->kind == FIELD_MAP;
    if (nested != (f->shape != NULL))
        fail_msg("%s.%s: a shape, and no place for it", shape->name, f->key);
    if (f->kind == FIELD_MAP && !f->shape->named)
        fail_msg("%s.%s: the entries have no name", shape->name, f->key);
    if ((f->kind == FIELD_INT || f->kind == FIELD_BATCHES) && f->min >= f->max)
        fail_msg("%s.%s: no number fits", shape->name, f->key);
    if ((f->only_for || f->required_for) && (!shape_tag(shape) || (f->only_for && (f->required_for & ~f->only_for))))
        fail_msg("%s.%s: wanted where it is not allowed", shape->name, f->key);
}

static void fields_are_complete(void **state)
{
    (void)state;
    shapes s = all_shapes();
    for (size_t i = 0; i < s.seen.n; i++) {
        const model_shape *shape = s.seen.v[i];
        assert_non_null(shape->about);
        assert_true(shape->n > 0 || shape->short_form);
        for (size_t k = 0; k < shape_field_count(shape); k++) {
            check_field(shape, shape_field(shape, k));
            for (size_t m = 0; m < k; m++)
                assert_string_not_equal(shape_field(shape, k)->key, shape_field(shape, m)->key);
        }
        for (size_t k = 0; k < i; k++) // they are keys in the JSON Schema
            if (strcmp(shape->name, s.seen.v[k]->name) == 0)
                fail_msg("two shapes are called \"%s\"", shape->name);
    }
    arena_free(s.arena);
}

// What all share that have nothing of a rest: each field's default, and zeros.
static void check_rest(const model_field *f)
{
    const char *at = (const char *)f->rest->none + f->offset;
    if (f->kind == FIELD_TEXT && f->fallback)
        assert_string_equal(((const ds_text *)(const void *)at)->s, f->fallback);
    else if (f->kind == FIELD_TEXT || f->kind == FIELD_STRING)
        assert_null(*(const char *const *)(const void *)at);
    else if (f->kind == FIELD_LIST || f->kind == FIELD_TEXTS)
        assert_int_equal(((const ds_texts *)(const void *)at)->n, 0);
}

static void rests_have_the_defaults(void **state)
{
    (void)state;
    shapes s = all_shapes();
    size_t seen = 0;
    for (size_t i = 0; i < s.seen.n; i++) {
        for (size_t k = 0; k < s.seen.v[i]->n; k++) {
            const model_field *f = &s.seen.v[i]->fields[k];
            if (f->rest)
                check_rest(f);
            seen += f->rest != NULL;
        }
    }
    assert_int_equal(seen, 8);
    arena_free(s.arena);
}

static void patterns_match(void **state)
{
    (void)state;
    char longest[PATTERN_NAME_MAX + 1], too_long[PATTERN_NAME_MAX + 2];
    memset(longest, 'x', sizeof longest - 1);
    memset(too_long, 'x', sizeof too_long - 1);
    longest[sizeof longest - 1] = too_long[sizeof too_long - 1] = '\0';
    const struct {
        model_pattern pattern;
        const char *text;
        bool matches;
    } CASES[] = {
        {PATTERN_NAME, "a", true},
        {PATTERN_NAME, "A_1", true},
        {PATTERN_NAME, longest, true},
        {PATTERN_NAME, too_long, false},
        {PATTERN_NAME, "", false},
        {PATTERN_NAME, "1a", false},
        {PATTERN_NAME, "_a", false},
        {PATTERN_NAME, "a-b", false},
        {PATTERN_NAME, "a b", false},
        {PATTERN_NAME, "\xC3\xA9", false},
        {PATTERN_LABEL, "1", true},
        {PATTERN_LABEL, "eu-west.1_a", true},
        {PATTERN_LABEL, ".a", false},
        {PATTERN_LABEL, "a:b", false},
        {PATTERN_LABEL, "a/b", false},
        {PATTERN_REPOSITORY, "a/b@c", true},
        {PATTERN_REPOSITORY, "github.com/acme/x-y.z@feature/one", true},
        {PATTERN_REPOSITORY, "a/b@c@d", true},
        {PATTERN_REPOSITORY, "a/b@release-1.0", true},
        {PATTERN_REPOSITORY, "a@b", false},
        {PATTERN_REPOSITORY, "a/b", false},
        {PATTERN_REPOSITORY, "a/b@", false},
        {PATTERN_REPOSITORY, "a/b@@", false},
        {PATTERN_REPOSITORY, "/b@c", false},
        {PATTERN_REPOSITORY, "a/b@/c", false},
        {PATTERN_REPOSITORY, "a/b@c/", false},
        {PATTERN_REPOSITORY, "a/b@c//d", false},
        {PATTERN_REPOSITORY, "a/b@.c", false},
        {PATTERN_REPOSITORY, "a/b@c.", false},
        {PATTERN_REPOSITORY, "a/b@c/.d", false},
        {PATTERN_REPOSITORY, "a/b@c.lock", false},
        {PATTERN_REPOSITORY, "a/b@c.lock/d", false},
        {PATTERN_REPOSITORY, "a/b@c..d", false},
        {PATTERN_REPOSITORY, "a/b@c@{d", false},
        {PATTERN_REPOSITORY, "a/b@-c", false},
        {PATTERN_REPOSITORY, "a/b@c d", false},
        {PATTERN_REPOSITORY, "a/b@c~1", false},
        {PATTERN_REPOSITORY, "a/b@c^", false},
        {PATTERN_REPOSITORY, "a/b@c:d", false},
        {PATTERN_REPOSITORY, "a/b@c*", false},
        {PATTERN_REPOSITORY, "a/b@c\\d", false},
        {PATTERN_REPOSITORY, "a/b@c\x7F", false},
        {PATTERN_TEAM, "USA/customer-data", true},
        {PATTERN_TEAM, "USA", false},
        {PATTERN_TEAM, "a/b/c", false},
        {PATTERN_LOCATION, "MyCorp:USA", true},
        {PATTERN_LOCATION, "MyCorp:USA/NY_1/2", true},
        {PATTERN_LOCATION, "MyCorp", false},
        {PATTERN_LOCATION, "MyCorp:", false},
        {PATTERN_LOCATION, ":USA", false},
        {PATTERN_LOCATION, "a:b:c", false},
        {PATTERN_PLACE, "USA/NY_1", true},
        {PATTERN_PLACE, "USA/", false},
        {PATTERN_PLACE, "", false},
        {PATTERN_PAIR, "a/b", true},
        {PATTERN_PAIR, "a", false},
        {PATTERN_PAIR, "a/b/c", false},
        {PATTERN_CONSUMER, "a/b", true},
        {PATTERN_CONSUMER, "a/b/c", true},
        {PATTERN_CONSUMER, "a", false},
        {PATTERN_STREAM, "a", true},
        {PATTERN_STREAM, "a/b", true},
        {PATTERN_STREAM, "a/b/c", false},
        {PATTERN_RETENTION, "1d", true},
        {PATTERN_RETENTION, "18mo", true},
        {PATTERN_RETENTION, "7y", true},
        {PATTERN_RETENTION, "999999999w", true},
        {PATTERN_RETENTION, "1000000000w", false},
        {PATTERN_RETENTION, "0d", false},
        {PATTERN_RETENTION, "7", false},
        {PATTERN_RETENTION, "y", false},
        {PATTERN_RETENTION, "7h", false},
        {PATTERN_SPAN, "10m", true},
        {PATTERN_SPAN, "10mo", false},
        {PATTERN_SPAN, "10", false},
        {PATTERN_OVERLAP, "10m", true},
        {PATTERN_OVERLAP, "1000", true},
        {PATTERN_OVERLAP, "0", false},
        {PATTERN_OVERLAP, "1.5", false},
        {PATTERN_OVERLAP, "10 m", false},
        {PATTERN_MEMORY, "64Mi", true},
        {PATTERN_MEMORY, "64M", false},
        {PATTERN_DNS_LABEL, "yellow-ny", true},
        {PATTERN_DNS_LABEL, "9", true},
        {PATTERN_DNS_LABEL, "Yellow", false},
        {PATTERN_DNS_LABEL, "a_b", false},
        {PATTERN_DNS_LABEL, "a.b", false},
        {PATTERN_DNS_LABEL, "-a", false},
        {PATTERN_DNS_LABEL, "a-", false},
        {PATTERN_DNS_LABEL, longest, false}, // 63 at most
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        if (MODEL_PATTERNS[CASES[i].pattern].matches(str_of(CASES[i].text)) != CASES[i].matches)
            fail_msg("\"%s\" is %s", CASES[i].text, MODEL_PATTERNS[CASES[i].pattern].what);
    for (int i = PATTERN_NONE + 1; i < PATTERN_COUNT; i++) {
        assert_non_null(MODEL_PATTERNS[i].form);
        assert_int_equal(MODEL_PATTERNS[i].regex[0], '^');
    }
}

static size_t count_rule(const char *text, const char *rule)
{
    const char *const PATHS[] = {"model.yaml"};
    ds_str texts[] = {str_of(text)};
    ds_model *model = NULL;
    ds_diags *diags = NULL;
    ds_error err;
    size_t n = 0;
    assert_int_equal(model_load_texts(PATHS, texts, 1, NULL, &model, &diags, &err).code, DS_OK);
    for (size_t i = 0; i < diags_count(diags); i++)
        n += !rule || strcmp(diags_at(diags, i)->rule, rule) == 0;
    diags_free(diags);
    model_free(model);
    return n;
}

static void rules_have_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODEL_RULE_COUNT; i++) {
        const ds_rule *rule = &MODEL_RULES[i];
        char id[8];
        snprintf(id, sizeof id, "M%03zu", i + 1);
        assert_string_equal(rule->id, id);
        assert_true(rule->title[0] && rule->meaning[0]);
        if (i == RULE_LINK || i == RULE_INNER) { // no texts: see test_tree.c
            assert_string_equal(rule->failing, "");
            continue;
        }
        if (count_rule(rule->failing, rule->id) == 0)
            fail_msg("%s: the failing example passes", rule->id);
        if (count_rule(rule->passing, NULL) != 0)
            fail_msg("%s: the passing example has findings", rule->id);
    }
}

static void enum_names(void **state)
{
    (void)state;
    assert_string_equal(container_type_name(CONTAINER_POSTGRES), "postgres");
    assert_string_equal(container_type_name(CONTAINER_KAFKA), "kafka");
    assert_string_equal(container_type_name(CONTAINER_NONE), "");
    assert_string_equal(priority_name(PRIORITY_CRITICAL), "critical");
    assert_string_equal(priority_name(PRIORITY_LOW), "low");
    assert_string_equal(milestoning_name(MILESTONING_SCD4), "scd4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_complete), cmocka_unit_test(rests_have_the_defaults),
        cmocka_unit_test(patterns_match),      cmocka_unit_test(rules_have_examples),
        cmocka_unit_test(enum_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
