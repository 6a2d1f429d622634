// model/diff.h: every field of every shape makes exactly its own change, and nothing else makes one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/vec.h"
#include "model/diff.h"
#include "model/load.h"

enum { TEXT_MAX = 4 << 20 };

typedef struct pair {
    ds_model *base, *head;
    ds_diags *base_diags, *head_diags;
    ds_arena *arena;
    ds_diff diff;
} pair;

static ds_model *load(const char *text, ds_diags **diags)
{
    const char *path = "m.yaml";
    ds_str whole = str_of(text);
    ds_model *model = NULL;
    ds_error err;
    assert_int_equal(model_load_texts(&path, &whole, 1, NULL, &model, diags, &err).code, DS_OK);
    return model;
}

static void pair_diff(pair *p)
{
    p->diff = model_diff(model_documents(p->base, p->arena), model_documents(p->head, p->arena), p->arena);
}

static pair pair_new(const char *base, const char *head)
{
    pair p = {.arena = arena_new()};
    p.base = load(base, &p.base_diags);
    p.head = load(head, &p.head_diags);
    pair_diff(&p);
    return p;
}

static void pair_free(pair *p)
{
    diags_free(p->base_diags);
    diags_free(p->head_diags);
    model_free(p->base);
    model_free(p->head);
    arena_free(p->arena);
}

static void print_changes(const ds_diff *diff, ds_buf *out)
{
    for (size_t i = 0; i < diff->n; i++) {
        const ds_change *c = &diff->v[i];
        buf_printf(out, "%s | %s | %s | %s | %s\n", c->object, c->field, diff_action_name(c->action),
                   str_of(c->old_text).p, str_of(c->new_text).p);
    }
}

static void expect(const char *base, const char *head, const char *changes)
{
    CLEANUP(buf_release) ds_buf found = BUF_INIT(TEXT_MAX);
    pair p = pair_new(base, head);
    print_changes(&p.diff, &found);
    assert_string_equal(buf_text(&found), changes);
    for (size_t i = 0; i < p.diff.n; i++) {
        const ds_change *c = &p.diff.v[i];
        assert_int_equal(c->pos.file != 0, c->after.object != NULL);
        assert_int_equal(c->old_pos.file != 0, c->before.object != NULL);
    }
    pair_free(&p);
}

// --- every field of the tables

// What stood where something was written.
typedef struct undo {
    void *at;
    size_t n;
    char bytes[64];
} undo;
// A value of the head: where, and of what.
typedef struct slot {
    const model_shape *shape;
    const model_field *field;
    void *base;
} slot;

// A model in which every field is given, and a second copy of it in which values change.
typedef struct mutation {
    pair p;
    ds_arena *arena;
    VEC(undo) undo;
    VEC(slot) slots; // every single value
    size_t done;
} mutation;

static void everything(ds_buf *out)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    ds_error err;
    file_join(&path, getenv("DATASURFACE_ROOT"), "tests/golden/model/everything/model.yaml");
    assert_int_equal(file_read(buf_text(&path), out, &err).code, DS_OK);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0 && (n == m || text[n - m - 1] == '.');
}

// The head differs in one place now: one change says so, of that field.
static void expect_one(mutation *m, const model_shape *shape, const char *key, int action)
{
    CLEANUP(buf_release) ds_buf found = BUF_INIT(TEXT_MAX);
    pair_diff(&m->p);
    print_changes(&m->p.diff, &found);
    if (m->p.diff.n != 1 || !ends_with(m->p.diff.v[0].field, key) || (int)m->p.diff.v[0].action != action)
        fail_msg("%s.%s:\n%s", shape->name, key, buf_text(&found));
    m->done++;
    arena_clear(m->p.arena);
}

static void expect_none(mutation *m, const model_field *f)
{
    CLEANUP(buf_release) ds_buf found = BUF_INIT(TEXT_MAX);
    pair_diff(&m->p);
    print_changes(&m->p.diff, &found);
    if (found.n)
        fail_msg("%s:\n%s", f->key, buf_text(&found));
    arena_clear(m->p.arena);
}

static void overwrite(mutation *m, void *at, const void *bytes, size_t n)
{
    undo *u = VEC_PUSH(m->arena, &m->undo);
    assert_true(n <= sizeof u->bytes);
    u->at = at;
    u->n = n;
    memcpy(u->bytes, at, n);
    memcpy(at, bytes, n);
}

static void undo_all(mutation *m)
{
    while (m->undo.n) {
        const undo *u = &m->undo.v[--m->undo.n];
        memcpy(u->at, u->bytes, u->n);
    }
}

// Structs get a rest of their own before it is written to.
static ds_arena *homes;

static void *at(const model_field *f, void *base)
{
    return (char *)field_own_home(f, base, homes) + f->offset;
}

static void *second_at(const model_field *f, void *base)
{
    return (char *)field_own_home(f, base, homes) + f->value_offset;
}

static bool other_texts(mutation *m, ds_texts *list)
{
    ds_text *more = ARENA_ARRAY(m->arena, ds_text, list->n + 1);
    more[0] = (ds_text){"another", {1, 1, 1}};
    if (list->n)
        memcpy(more + 1, list->v, list->n * sizeof *more);
    bool given = list->pos.file || list->n;
    overwrite(m, list, &(ds_texts){more, list->n + 1, list->pos}, sizeof *list);
    return given;
}

static bool other_classes(mutation *m, const model_field *f, void *base)
{
    static const ds_text OTHER[] = {{"csi", {1, 1, 1}}};
    const ds_text *changed = OTHER;
    uint16_t n, one = 1;
    memcpy(&n, second_at(f, base), sizeof n);
    overwrite(m, at(f, base), &changed, sizeof changed);
    overwrite(m, second_at(f, base), &one, sizeof one);
    return n > 0;
}

static bool other_type(mutation *m, ds_column *column)
{
    static const ds_type LONG = {.kind = TYPE_VARCHAR, .size = 4000};
    const ds_type *type = &LONG;
    overwrite(m, &column->type, &type, sizeof type);
    return true;
}

static bool other_text(mutation *m, ds_text *text)
{
    bool given = text->s != NULL;
    const char *other = arena_printf(m->arena, "another%zu", m->undo.n); // two outputs must not get one name
    overwrite(m, text, &(ds_text){other, text->pos}, sizeof *text);
    return given;
}

static bool other_string(mutation *m, void *string)
{
    const char *was, *other = "another";
    memcpy(&was, string, sizeof was);
    overwrite(m, string, &other, sizeof other);
    return was != NULL;
}

static bool other_number(mutation *m, const model_field *f, void *base)
{
    const ds_int *number = at(f, base);
    bool given = true;
    int64_t batches;
    if (f->kind == FIELD_BATCHES) {
        memcpy(&batches, second_at(f, base), sizeof batches);
        batches += 7;
        overwrite(m, second_at(f, base), &batches, sizeof batches);
    } else if (f->kind == FIELD_RATIO) {
        const ds_ratio *ratio = at(f, base);
        overwrite(m, at(f, base), &(ds_ratio){ratio->v / 2 + .1, true, ratio->pos}, sizeof *ratio);
    } else {
        given = number->set;
        overwrite(m, at(f, base), &(ds_int){number->v + 7, number->pos, true}, sizeof *number);
    }
    return given;
}

static bool other_flag(mutation *m, const model_field *f, ds_flag *flag)
{
    bool given = flag->set || f->fallback;
    overwrite(m, flag, &(ds_flag){!flag->v, true, flag->pos}, sizeof *flag);
    return given;
}

// The value becomes another one. Was there one before?
static bool other_value(mutation *m, const model_field *f, void *base)
{
    switch (f->kind) {
    case FIELD_TEXTS:
    case FIELD_ONE_OR_MANY:
        return other_texts(m, at(f, base));
    case FIELD_CLASSES:
        return other_classes(m, f, base);
    case FIELD_STRING:
        return other_string(m, at(f, base));
    case FIELD_COLUMN_TYPE:
        return other_type(m, base);
    case FIELD_TEXT:
        return other_text(m, at(f, base));
    case FIELD_BATCHES:
    case FIELD_RATIO:
    case FIELD_INT:
        return other_number(m, f, base);
    case FIELD_FLAG:
        return other_flag(m, f, at(f, base));
    case FIELD_DEPRECATED:
        overwrite(m, at(f, base), &(ds_deprecation){{1, 1, 1}, true, "another"}, sizeof(ds_deprecation));
        return true;
    default:
        fail_msg("a kind of field that this test doesn't know: %s", f->key);
        return false;
    }
}

// Lists of texts the other way round: a change only where the order says something.
static void turn_texts(mutation *m, const model_shape *shape, const model_field *f, ds_texts *list)
{
    ds_text *turned = ARENA_ARRAY(m->arena, ds_text, list->n);
    for (size_t i = 0; i < list->n; i++)
        turned[i] = list->v[list->n - 1 - i];
    overwrite(m, list, &(ds_texts){turned, list->n, list->pos}, sizeof *list);
    if (f->ordered && list->n > 1)
        expect_one(m, shape, f->key, DIFF_CHANGED);
    else
        expect_none(m, f);
    undo_all(m);
}

static void turn_flags(mutation *m, const model_shape *shape, const model_field *f, ds_column *column)
{
    bool *flags[] = {&column->primary_key, &column->not_null, &column->partition};
    for (size_t i = 0; i < 3; i++) {
        *flags[i] ^= true;
        expect_one(m, shape, f->key, DIFF_CHANGED);
        *flags[i] ^= true;
    }
    column->null_given ^= true; // says nothing new
    expect_none(m, f);
    column->null_given ^= true;
}

static void change_leaf(mutation *m, const model_shape *shape, const model_field *f, void *base)
{
    *VEC_PUSH(m->arena, &m->slots) = (slot){shape, f, base};
    bool given = other_value(m, f, base);
    expect_one(m, shape, f->key, given ? DIFF_CHANGED : DIFF_ADDED);
    undo_all(m);
    if (f->kind == FIELD_TEXTS || f->kind == FIELD_ONE_OR_MANY)
        turn_texts(m, shape, f, at(f, base));
    if (f->kind == FIELD_COLUMN_TYPE)
        turn_flags(m, shape, f, base);
}

typedef LIST_OF(char) any_list;

static void change_struct(mutation *m, const model_shape *shape, void *base);

// An entry less is one change, and so is each change within one.
static void change_list(mutation *m, const model_shape *shape, const model_field *f, any_list *list)
{
    const bool named = f->shape->named || f->shape->known_by_name;
    for (size_t i = 0; i < list->n; i++)
        change_struct(m, f->shape, list->v + i * f->shape->size);
    if (list->n == 0)
        return;
    list->n--;
    pair_diff(&m->p);
    if (m->p.diff.n != 1 || m->p.diff.v[0].action != DIFF_REMOVED)
        fail_msg("%s.%s: one entry less gives %zu changes", shape->name, f->key, m->p.diff.n);
    list->n++;
    m->done++;
    arena_clear(m->p.arena);
    if (list->n < 2)
        return;
    // The first entry goes to the end.
    char *turned = ARENA_ARRAY(m->arena, char, list->n * f->shape->size);
    size_t rest = (list->n - 1) * f->shape->size;
    memcpy(turned, list->v + f->shape->size, rest);
    memcpy(turned + rest, list->v, f->shape->size);
    overwrite(m, &list->v, &turned, sizeof turned);
    if (f->ordered)
        expect_one(m, shape, f->key, DIFF_MOVED);
    else if (named)
        expect_none(m, f);
    undo_all(m);
}

// Names that tell entries apart are no fields of them.
static bool is_name(const model_shape *shape, const model_field *f)
{
    bool document = false;
    for (size_t i = 0; i < MODEL_KIND_COUNT; i++)
        document |= MODEL_KINDS[i].shape == shape && !MODEL_KINDS[i].single;
    if (document)
        return strcmp(f->key, "name") == 0;
    return f->kind == FIELD_SINK ||
           ((shape->named || shape->known_by_name) && f->offset == shape->name_offset && f->kind == FIELD_TEXT);
}

static bool given(const model_shape *shape, const void *base)
{
    ds_pos pos;
    memcpy(&pos, (const char *)base + shape->pos_offset, sizeof pos);
    return pos.file != 0;
}

static void change_struct(mutation *m, const model_shape *shape, void *base)
{
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_field *f = shape_field(shape, i);
        void *inner = at(f, base);
        if (f->kind == FIELD_POINTER)
            memcpy(&inner, at(f, base), sizeof inner);
        if (f->kind == FIELD_LIST || f->kind == FIELD_MAP)
            change_list(m, shape, f, inner);
        else if (f->shape && inner && given(f->shape, inner))
            change_struct(m, f->shape, inner);
        else if (!f->shape && !is_name(shape, f))
            change_leaf(m, shape, f, base);
    }
}

static mutation mutation_new(void)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
    everything(&text);
    mutation m = {.p = pair_new(buf_text(&text), buf_text(&text)), .arena = arena_new()};
    homes = m.arena;
    assert_int_equal(m.p.diff.n, 0);
    ds_documents documents = model_documents(m.p.head, m.p.head->arena);
    assert_true(documents.n >= 10);
    for (size_t i = 0; i < documents.n; i++)
        change_struct(&m, documents.v[i].kind->shape, (void *)(uintptr_t)documents.v[i].object);
    return m;
}

static void mutation_free(mutation *m)
{
    pair_free(&m->p);
    arena_free(m->arena);
}

static void every_field(void **state)
{
    (void)state;
    mutation m = mutation_new();
    assert_true(m.done > 300);
    pair_diff(&m.p);
    assert_int_equal(m.p.diff.n, 0);
    mutation_free(&m);
}

static uint64_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

// Any set of values that differ: as many changes, each of a field of its own.
static void random_sets(void **state)
{
    (void)state;
    mutation m = mutation_new();
    uint64_t random = 20240229;
    for (size_t round = 0; round < 400; round++) {
        size_t share = 1 + random_next(&random) % 200, changed = 0;
        for (size_t i = 0; i < m.slots.n; i++) {
            if (random_next(&random) % share)
                continue;
            (void)other_value(&m, m.slots.v[i].field, m.slots.v[i].base);
            changed++;
        }
        pair_diff(&m.p);
        if (m.p.diff.n != changed)
            fail_msg("round %zu: %zu values changed, %zu changes", round, changed, m.p.diff.n);
        ds_map *seen = map_new(m.p.arena);
        for (size_t i = 0; i < m.p.diff.n; i++) {
            const ds_change *c = &m.p.diff.v[i];
            assert_null(map_add(seen, arena_printf(m.p.arena, "%s %s", c->object, c->field), seen));
        }
        arena_clear(m.p.arena);
        undo_all(&m);
    }
    mutation_free(&m);
}

// Short forms whose member is no field.
static void short_forms(void **state)
{
    (void)state;
#define MAKER(sql)                                                                                                     \
    "kind: Workspace\nteam: A/b\nname: W\ndataset_groups: {in: {sinks: [S/d]}}\ntransformer:\n  name: t\n"             \
    "  run: {sql: {d: " sql "}}\n  output: {datastore: O, datasets: {d: {columns: {id: integer primary key}}}}\n"
    expect(MAKER("SELECT 1"), MAKER("SELECT 2"),
           "Workspace W | transformer.run.sql.d | changed | SELECT 1 | SELECT 2\n");
    expect(MAKER("SELECT 1"), MAKER("{sqlite: SELECT 1}"),
           "Workspace W | transformer.run.sql.d | removed | SELECT 1 | \n"
           "Workspace W | transformer.run.sql.d.sqlite | added |  | SELECT 1\n");
#define SERVICE(primary)                                                                                               \
    "kind: PlatformService\nname: P\nmerge: {container: M}\nplatforms: {L: {type: yellow, milestoning: scd1}}\n"       \
    "primary_ingestion: {S: " primary "}\n"
    expect(SERVICE("L"), SERVICE("K"), "PlatformService P | primary_ingestion.S | changed | L | K\n");
}

// --- what makes a change, and how it is told

#define STORE(rest)                                                                                                    \
    "kind: Datastore\nteam: A/b\nname: S\ncapture: {type: sql_snapshot, container: C, trigger: {external: true}}\n"    \
    "datasets:\n  d:\n    columns: {id: integer primary key, a: text, b: text}\n" rest

static void told(void **state)
{
    (void)state;
    static const struct {
        const char *base, *head, *changes;
    } CASES[] = {
        {STORE(""), "", "Datastore S |  | removed |  | \n"},
        {"", STORE(""), "Datastore S |  | added |  | \n"},
        {STORE(""), STORE("  e: {columns: {id: integer primary key}}\n"), "Datastore S/e |  | added |  | \n"},
        {STORE(""), STORE("deprecated: use T\n"), "Datastore S | deprecated | changed | false | use T\n"},
        {STORE(""), STORE("consumers: []\n"), "Datastore S | consumers | added |  | []\n"},
        {STORE("consumers: [W/g, W/h]\n"), STORE("consumers: [W/h, W/g]\n"), ""},
        {"kind: Ecosystem\nname: A\nrepository: a/b@c\nlive: a/b@d\nzones: [{name: Z, repository: a/b@z}]\n",
         "kind: Ecosystem\nname: B\nrepository: a/b@c\nlive: a/b@d\nzones: [{name: Y, repository: a/b@y}]\n",
         "Ecosystem B | name | changed | A | B\n"
         "Ecosystem B | zones.Y | added |  | {name: Y, repository: a/b@y}\n"
         "Ecosystem B | zones.Z | removed | {name: Z, repository: a/b@z} | \n"},
        {"kind: DataContainer\nteam: A/b\nname: C\ntype: sqlite\npath: a\n",
         "kind: DataContainer\nteam: A/b\nname: C\ntype: sqlite\npath: b\nlimits: {}\n",
         "DataContainer C | limits | added |  | {}\nDataContainer C | path | changed | a | b\n"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        expect(CASES[i].base, CASES[i].head, CASES[i].changes);
}

static void columns(void **state)
{
    (void)state;
#define COLUMNS(list)                                                                                                  \
    "kind: Datastore\nteam: A/b\nname: S\ncapture: {type: sql_snapshot, container: C, trigger: {external: true}}\n"    \
    "datasets: {d: {columns: {" list "}}}\n"
    static const struct {
        const char *base, *head, *changes;
    } CASES[] = {
        {COLUMNS("a: int4, b: text"), COLUMNS("a: integer null, b: {type: text}"), ""},
        {COLUMNS("a: int, b: text"), COLUMNS("a: bigint not null, b: text"),
         "Datastore S/d.a | type | changed | integer | bigint not null\n"},
        {COLUMNS("a: int, b: text"), COLUMNS("b: text, a: int"), "Datastore S/d | columns | moved | a, b | b, a\n"},
        {COLUMNS("a: int, b: text"), COLUMNS("c: text, a: int, b: text"),
         "Datastore S/d.c |  | added |  | {type: text}\n"},
        {COLUMNS("a: int, b: text, c: text"), COLUMNS("c: text, a: int"),
         "Datastore S/d.b |  | removed | {type: text} | \nDatastore S/d | columns | moved | a, b, c | c, a\n"},
        {COLUMNS("a: {type: int, classification: [pub, ip]}"), COLUMNS("a: {type: int, classification: [ip, pub]}"),
         ""},
        {COLUMNS("a: {type: int, source: \"a b\"}"), COLUMNS("a: int"),
         "Datastore S/d.a | source | removed | a b | \n"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        expect(CASES[i].base, CASES[i].head, CASES[i].changes);
}

// Items without a name keep their neighbours.
static void items(void **state)
{
    (void)state;
    expect(STORE("    checks: [{sql: a}, {sql: b}, {sql: c}]\n"), STORE("    checks: [{sql: a}, {sql: c}]\n"),
           "Datastore S/d | checks.2 | removed | {sql: b} | \n");
    expect(STORE("    checks: [{sql: a}, {sql: c}]\n"), STORE("    checks: [{sql: x}, {sql: a}, {sql: c}]\n"),
           "Datastore S/d | checks.1 | added |  | {sql: x}\n");
    expect(STORE("    checks: [{range: {column: a, min: 0}}]\n"), STORE("    checks: [{range: {column: a, min: 1}}]\n"),
           "Datastore S/d | checks.1.range.min | changed | 0 | 1\n");
}

// Of items that share a name the first belongs to the first.
static void repeated_names(void **state)
{
    (void)state;
#define SINKS(list) "kind: Workspace\nteam: A/b\nname: W\ndataset_groups: {g: {sinks: [" list "]}}\n"
    expect(SINKS("S/a, S/b, S/a"), SINKS("S/b, S/a"), "Workspace W/g | sinks.S/a | removed | {dataset: S/a} | \n");
    expect(SINKS("S/a, S/a"), SINKS("S/a, {dataset: S/a, allow_deprecated: true}"),
           "Workspace W/g | sinks.S/a.allow_deprecated | changed | false | true\n");
}

// Files, comments, quotes, aliases, short forms and defaults written out are no changes.
static void ways_of_writing(void **state)
{
    (void)state;
    expect("kind: Workspace\nteam: A/b\nname: W\ndataset_groups: {g: {requires: {retention: 7y}, sinks: [S/a, S/b]}}\n",
           "# a comment\nname: \"W\"\nkind: 'Workspace'\nteam: A/b\npriority: medium\nproduction: false\n"
           "deprecated: false\ndataset_groups:\n  g:\n    sinks:\n      - {dataset: S/b, allow_deprecated: false}\n"
           "      - S/a\n    requires: {retention: 7y, history: live, latency: minutes}\n",
           "");
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
    CLEANUP(buf_release) ds_buf turned = BUF_INIT(TEXT_MAX);
    everything(&text);
    const char *middle = strstr(buf_text(&text), "---\nkind: Workspace\n");
    assert_non_null(middle);
    buf_puts(&turned, middle + sizeof "---\n" - 1);
    buf_printf(&turned, "---\n%.*s", (int)(middle - buf_text(&text)), buf_text(&text));
    expect(buf_text(&text), buf_text(&turned), "");
}

// A long text is cut between two characters.
static void long_texts(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
        buf_puts(&text, STORE("description: \""));
        for (size_t i = 0; i < shift; i++)
            buf_putc(&text, 'a');
        for (size_t i = 0; i < 2000; i++)
            buf_puts(&text, "\xE2\x82\xAC");
        buf_puts(&text, "\"\n");
        pair p = pair_new(STORE(""), buf_text(&text));
        assert_int_equal(p.diff.n, 1);
        assert_true(str_utf8_length(str_of(p.diff.v[0].new_text)) > 600);
        assert_true(strlen(p.diff.v[0].new_text) <= DIFF_TEXT_MAX + 3);
        pair_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field),    cmocka_unit_test(random_sets), cmocka_unit_test(short_forms),
        cmocka_unit_test(told),           cmocka_unit_test(columns),     cmocka_unit_test(items),
        cmocka_unit_test(repeated_names), cmocka_unit_test(long_texts),  cmocka_unit_test(ways_of_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
