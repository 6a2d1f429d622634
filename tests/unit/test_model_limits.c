// model/load.h: limits at their edge, order of files, identity, memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "model/load.h"
#include "model/lookup.h"

typedef struct loaded {
    ds_model *model;
    ds_diags *diags;
} loaded;

static void loaded_release(loaded *l)
{
    diags_free(l->diags);
    model_free(l->model);
}

static loaded load_texts(const char *const *paths, const ds_str *texts, size_t n)
{
    loaded l = {0};
    ds_error err;
    if (model_load_texts(paths, texts, n, NULL, &l.model, &l.diags, &err).code != DS_OK)
        fail_msg("%s", err.text);
    return l;
}

static loaded load_text(ds_str text)
{
    const char *const PATHS[] = {"model.yaml"};
    return load_texts(PATHS, &text, 1);
}

// The message of the only finding, or "" when there is none.
static void finding_is(ds_str text, const char *rule, const char *message)
{
    CLEANUP(loaded_release) loaded l = load_text(text);
    size_t n = diags_count(l.diags);
    assert_int_equal(n, message ? 1 : 0);
    if (n) {
        assert_string_equal(diags_at(l.diags, 0)->rule, rule);
        assert_string_equal(diags_at(l.diags, 0)->message, message);
    }
}

// n bytes of the pattern, again and again. In one go: in a stress build buffers grow byte by byte.
static void put_many(ds_buf *out, const char *pattern, size_t n)
{
    size_t period = strlen(pattern);
    char *room = buf_extend(out, n);
    assert_non_null(room);
    for (size_t i = 0; i < n; i++)
        room[i] = pattern[i % period];
}

#define HEAD "kind: Workspace\nteam: USA/a\nname: W\n"
#define GROUPS "dataset_groups: {live: {sinks: [A/b]}}\n"

static void file_size(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(MODEL_FILE_MAX + 10);
    buf_puts(&text, HEAD GROUPS);
    put_many(&text, "###############################\n", MODEL_FILE_MAX - text.n - 1);
    buf_puts(&text, "#");
    assert_int_equal(text.n, MODEL_FILE_MAX);
    finding_is(buf_str(&text), NULL, NULL);
    buf_puts(&text, "#");
    finding_is(buf_str(&text), "M016", "the file is larger than 16777216 bytes");
}

static void scalar_size(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(MODEL_FILE_MAX);
    for (int over = 0; over < 2; over++) {
        buf_clear(&text);
        buf_puts(&text, HEAD GROUPS "description: ");
        put_many(&text, "x", (size_t)MODEL_SCALAR_MAX + (size_t)over);
        buf_puts(&text, "\n");
        finding_is(buf_str(&text), "M016", over ? "a text of more than 1048576 bytes" : NULL);
    }
}

static void alias_nodes(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
        buf_puts(&text, HEAD "dataset_groups:\n  a: {sinks: &s [");
        for (int i = 0; i < 99; i++)
            buf_puts(&text, i ? ", A/b" : "A/b");
        buf_puts(&text, "]}\n"); // the list is 100 nodes
        for (int i = 0; i < MODEL_ALIAS_NODES_MAX / 100 + over; i++)
            buf_printf(&text, "  g%d: {sinks: *s}\n", i);
        finding_is(buf_str(&text), "M016", over ? "aliases of this file expand to more than 10000 values" : NULL);
    }
}

static void depth(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
        buf_puts(&text, HEAD GROUPS "description: ");
        for (int i = 0; i < MODEL_DEPTH_MAX - 1 + over; i++) // the document is a map, too
            buf_putc(&text, '[');
        for (int i = 0; i < MODEL_DEPTH_MAX - 1 + over; i++)
            buf_putc(&text, ']');
        finding_is(buf_str(&text), over ? "M016" : "M006",
                   over ? "lists and maps are nested more than 32 deep" : "\"description\" is text, not a list");
    }
}

static void anchors(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
        buf_puts(&text, HEAD "dataset_groups: {live: {sinks: [");
        for (int i = 0; i < 1000 + over; i++)
            buf_printf(&text, "&a%d A/b%d, ", i, i);
        buf_puts(&text, "A/c]}}\n");
        finding_is(buf_str(&text), "M016", over ? "the document has more than 1000 anchors" : NULL);
    }
}

static void values_of_a_document(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(MODEL_FILE_MAX);
    buf_puts(&text, HEAD "dataset_groups: {live: {sinks: [");
    put_many(&text, "a,", (4 << 20) + 20);
    buf_puts(&text, "a]}}\n---\nkind: Workspace\nteam: USA/a\nname: V\n" GROUPS);
    CLEANUP(loaded_release) loaded l = load_text(buf_str(&text));
    assert_int_equal(diags_count(l.diags), 1);
    assert_string_equal(diags_at(l.diags, 0)->message, "the document has more than 2097152 values");
    assert_non_null(model_workspace(l.model, "V")); // the next document is read
}

static void broken_documents(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
        for (int i = 0; i < 99 + over; i++)
            buf_puts(&text, "---\nkind: [\n");
        buf_puts(&text, "---\n" HEAD GROUPS);
        CLEANUP(loaded_release) loaded l = load_text(buf_str(&text));
        assert_int_equal(diags_count(l.diags), over ? 101 : 99);
        const ds_diag *last = diags_at(l.diags, diags_count(l.diags) - 1);
        assert_string_equal(last->rule, over ? "M016" : "M001");
        assert_int_equal(model_workspace(l.model, "W") == NULL, over);
    }
}

// A syntax error costs its document, not the file, wherever it is.
static void other_documents_are_read(void **state)
{
    (void)state;
    CLEANUP(loaded_release)
    loaded l = load_text(STR("kind: [\n"
                             "---\n" HEAD GROUPS "---\nkind: {\n---\n"
                             "kind: Workspace\nteam: USA/a\nname: V\n" GROUPS));
    assert_int_equal(diags_count(l.diags), 2);
    assert_non_null(model_workspace(l.model, "W"));
    const ds_workspace *v = model_workspace(l.model, "V");
    assert_non_null(v);
    assert_int_equal(v->name.pos.line, 12);
    assert_int_equal(v->name.pos.column, 7);
}

static void far_places_stay_at_the_maximum(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(MODEL_FILE_MAX);
    put_many(&text, "\n", (1 << 20) + 5);
    buf_puts(&text, "kind: Workspace\nteam: USA/a\nname: ");
    put_many(&text, " ", 5000);
    buf_puts(&text, "W\n" GROUPS);
    CLEANUP(loaded_release) loaded l = load_text(buf_str(&text));
    const ds_workspace *w = model_workspace(l.model, "W");
    assert_int_equal(w->name.pos.line, (1 << 20) - 1);
    assert_int_equal(w->name.pos.column, (1 << 12) - 1);
}

static char *findings_text(const ds_diags *diags)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    for (size_t i = 0; i < diags_count(diags); i++)
        diag_print(out, diags, diags_at(diags, i), false);
    fclose(out);
    return text;
}

static void order_of_files_never_shows(void **state)
{
    (void)state;
    const char *const PATHS[] = {"a.yaml", "b.yaml", "c/d.yml", "c.yaml"};
    const ds_str texts[] = {
        STR(HEAD GROUPS),
        STR("kind: Workspace\nteam: USA/a\nname: W\npriority: high\n" GROUPS),
        STR("kind: Workspace\nteam: USA/a\nname: w\n" GROUPS),
        STR("kind: [\n"),
    };
    static const size_t ORDERS[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}};
    char id[65] = "";
    char *findings = NULL;
    for (size_t i = 0; i < 4; i++) {
        const char *paths[4];
        ds_str shuffled[4];
        for (size_t k = 0; k < 4; k++) {
            paths[k] = PATHS[ORDERS[i][k]];
            shuffled[k] = texts[ORDERS[i][k]];
        }
        CLEANUP(loaded_release) loaded l = load_texts(paths, shuffled, 4);
        assert_int_equal(l.model->workspaces.n, 3);
        assert_int_equal(model_workspace(l.model, "W")->priority, PRIORITY_MEDIUM); // a.yaml comes first
        char *text = findings_text(l.diags);
        if (findings) {
            assert_string_equal(text, findings);
            assert_string_equal(l.model->tree_id, id);
        }
        memcpy(id, l.model->tree_id, sizeof id);
        free(findings);
        findings = text;
    }
    assert_int_equal(strlen(id), 40);
    free(findings);
}

static void id_follows_the_text(void **state)
{
    (void)state;
    const char *const A[] = {"a.yaml"}, *const B[] = {"b.yaml"};
    const ds_str one = STR(HEAD GROUPS), other = STR(HEAD GROUPS "\n");
    CLEANUP(loaded_release)
    loaded x = load_texts(A, &one, 1), y = load_texts(A, &one, 1), z = load_texts(B, &one, 1),
           w = load_texts(A, &other, 1), none = load_texts(A, &one, 0);
    assert_string_equal(x.model->tree_id, y.model->tree_id);
    assert_string_not_equal(x.model->tree_id, z.model->tree_id);
    assert_string_not_equal(x.model->tree_id, w.model->tree_id);
    assert_string_not_equal(x.model->tree_id, none.model->tree_id);
    assert_int_equal(diags_count(none.diags), 0);
}

// 100 datasets of 120 columns: what one column costs, names and types being few.
static void columns_are_compact(void **state)
{
    (void)state;
    enum { DATASETS = 100, COLUMNS = 120 };
    CLEANUP(buf_release) ds_buf text = BUF_INIT(MODEL_FILE_MAX);
    buf_puts(&text, "kind: Datastore\nteam: USA/a\nname: S\n"
                    "capture: {type: sql_snapshot, container: C, trigger: {external: true}}\ndatasets:\n");
    for (int i = 0; i < DATASETS; i++) {
        buf_printf(&text, "  dataset_%d:\n    columns:\n", i);
        for (int k = 0; k < COLUMNS; k++)
            buf_printf(&text, "      column_%d: %s\n", k, k ? "varchar(100) not null" : "bigint primary key");
    }
    CLEANUP(loaded_release) loaded l = load_text(buf_str(&text));
    assert_int_equal(diags_count(l.diags), 0);
    size_t bytes = arena_used(l.model->arena);
    assert_true(bytes / (DATASETS * COLUMNS) <= 48);
}

static void write_file(const char *dir, const char *name, const char *text)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    ds_error err;
    file_join(&path, dir, name);
    if (file_write_atomic(buf_text(&path), str_of(text), false, &err).code != DS_OK)
        fail_msg("%s", err.text);
}

static void directories(void **state)
{
    (void)state;
    char dir[] = "/tmp/ds-model-XXXXXX";
    assert_non_null(mkdtemp(dir));
    CLEANUP(buf_release) ds_buf below = BUF_INIT(FILE_PATH_MAX);
    file_join(&below, dir, "below/odd.yaml"); // a directory with that name is no file
    ds_error err;
    assert_int_equal(file_make_dirs(buf_text(&below), &err).code, DS_OK);
    write_file(dir, "a.yaml", HEAD GROUPS);
    write_file(dir, "b.txt", "kind: [\n");
    write_file(dir, ".c.yaml", "kind: [\n");
    write_file(dir, "below/odd.yaml/e.yml", "kind: Workspace\nteam: USA/a\nname: E\n" GROUPS);
    CLEANUP(loaded_release) loaded l = {0};
    ds_load_options options = {dir, NULL};
    assert_int_equal(model_load(&options, &l.model, &l.diags, &err).code, DS_OK);
    assert_int_equal(diags_count(l.diags), 0);
    assert_int_equal(l.model->workspaces.n, 2);
    assert_string_equal(l.model->dir, dir);
    assert_string_equal(files_path(l.model->files, model_workspace(l.model, "E")->pos.file), "below/odd.yaml/e.yml");

    ds_model *model = NULL;
    ds_diags *diags = NULL;
    ds_load_options nowhere = {"/nowhere/at/all", NULL};
    assert_int_equal(model_load(&nowhere, &model, &diags, &err).code, DS_ENV);
    assert_string_equal(err.text, "/nowhere/at/all is not a directory");
    ds_load_options unknown = {dir, "moon"};
    assert_int_equal(model_load(&unknown, &model, &diags, &err).code, DS_USAGE);
    assert_string_equal(err.text, "no environment \"moon\" in this model");
    CLEANUP(buf_release) ds_buf dangling = BUF_INIT(FILE_PATH_MAX);
    file_join(&dangling, dir, "gone.yaml");
    assert_int_equal(symlink("/nowhere/x.yaml", buf_text(&dangling)), 0);
    CLEANUP(loaded_release) loaded linked = {0};
    assert_int_equal(model_load(&options, &linked.model, &linked.diags, &err).code, DS_OK);
    assert_int_equal(diags_count(linked.diags), 1); // unreadable is not empty
    assert_string_equal(diags_at(linked.diags, 0)->rule, "M023");
    assert_int_equal(unlink(buf_text(&dangling)), 0);
    assert_null(model);
    assert_null(diags);

    static const char *const ALL[] = {"a.yaml", "b.txt", ".c.yaml", "below/odd.yaml/e.yml"};
    for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++) {
        CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
        file_join(&path, dir, ALL[i]);
        assert_int_equal(unlink(buf_text(&path)), 0);
    }
    assert_int_equal(rmdir(buf_text(&below)), 0);
    buf_clear(&below);
    file_join(&below, dir, "below");
    assert_int_equal(rmdir(buf_text(&below)), 0);
    assert_int_equal(rmdir(dir), 0);
}

// A control character anywhere in a line, however the text is read: byte by byte or in larger pieces.
static void control_characters_everywhere(void **state)
{
    (void)state;
    enum { LENGTH = 24 };
    for (int c = 1; c < 0x80; c++) {
        bool legal = c == '\t' || c == '\n' || c == '\r' || (c >= ' ' && c < 0x7F); // \r: before a line feed
        for (size_t at = 1; at < LENGTH; at++) {
            char text[LENGTH + 3] = "#......................\n\n";
            text[at] = (char)c;
            if (c == '\r')
                text[at + 1] = '\n';
            CLEANUP(loaded_release) loaded l = load_text((ds_str){text, LENGTH + 1});
            size_t found = 0;
            for (size_t i = 0; i < diags_count(l.diags); i++)
                if (strcmp(diags_at(l.diags, i)->rule, "M017") == 0 && diags_at(l.diags, i)->pos.column == at + 1)
                    found++;
            if (found != !legal)
                fail_msg("U+%04X at byte %zu: %zu findings", (unsigned)c, at, found);
        }
    }
}

// Of two columns with names of n letters, the second with one letter in another case, or none.
static void check_names_of(size_t n, size_t other)
{
    char one[64] = {0}, two[64] = {0};
    memset(one, 'x', n);
    memset(two, 'x', n);
    if (other < n)
        two[other] = 'X';
    CLEANUP(buf_release) ds_buf text = BUF_INIT(4096);
    buf_printf(&text, "kind: Datastore\nname: S\ndatasets:\n  d:\n    columns: {a_%s: date, b_%s: date, %s: date}\n",
               one, two, one);
    buf_printf(&text, "  e:\n    columns: {c: date, %s: date, d: date, %s: date}\n", one, two);
    CLEANUP(loaded_release) loaded l = load_text(buf_str(&text));
    const char *rule = other < n ? "M010" : "M004";
    size_t found = 0;
    for (size_t i = 0; i < diags_count(l.diags); i++) {
        const ds_diag *d = diags_at(l.diags, i);
        if (strcmp(d->rule, "M010") == 0 || strcmp(d->rule, "M004") == 0)
            found += strcmp(d->rule, rule) == 0 && d->pos.line == 7 ? 1 : 100;
    }
    if (found != 1)
        fail_msg("%zu letters, another case at %zu: %zu", n, other, found);
}

static void names_that_differ_by_case(void **state)
{
    (void)state;
    for (size_t n = 1; n < 30; n++)
        for (size_t other = 0; other <= n; other++)
            check_names_of(n, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_size),
        cmocka_unit_test(scalar_size),
        cmocka_unit_test(alias_nodes),
        cmocka_unit_test(depth),
        cmocka_unit_test(anchors),
        cmocka_unit_test(values_of_a_document),
        cmocka_unit_test(broken_documents),
        cmocka_unit_test(other_documents_are_read),
        cmocka_unit_test(far_places_stay_at_the_maximum),
        cmocka_unit_test(order_of_files_never_shows),
        cmocka_unit_test(id_follows_the_text),
        cmocka_unit_test(columns_are_compact),
        cmocka_unit_test(directories),
        cmocka_unit_test(control_characters_everywhere),
        cmocka_unit_test(names_that_differ_by_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
