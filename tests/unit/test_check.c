// gate/check.h: the whole verdict: its JSON, files and order that say nothing, models that are half broken.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "gate/check.h"
#include "model/load.h"
#include "support/change.h"
#include "support/documents.h"
#include "yellow/platform.h"

enum { TEXT_MAX = 4 << 20 };

static void everything(ds_buf *out)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    ds_error err;
    file_join(&path, getenv("DATASURFACE_ROOT"), "tests/golden/model/everything/model.yaml");
    assert_int_equal(file_read(buf_text(&path), out, &err).code, DS_OK);
}

typedef struct side {
    ds_model *model;
    ds_diags *diags;
} side;

static side side_new(const char *const *paths, const ds_str *texts, size_t n)
{
    side s;
    ds_error err;
    assert_int_equal(model_load_texts(paths, texts, n, NULL, &s.model, &s.diags, &err).code, DS_OK);
    return s;
}

static side side_of(ds_str text)
{
    const char *path = "m.yaml";
    return side_new(&path, &text, 1);
}

static void side_free(side *s)
{
    diags_free(s->diags);
    model_free(s->model);
}

static gate_verdict *check(const side *base, const side *head, const char *branch, ds_arena *arena)
{
    const ds_platform_type *const types[] = {yellow_platform_type()};
    gate_options options = {.repository = "acme/model", .branch = branch, .types = {types, 1}};
    return gate_check(base->model, head->model, &options, head->diags, arena);
}

static void json(void **state)
{
    (void)state;
    static const char BASE[] = "kind: Workspace\nteam: USA/analytics\nname: Consumer1\n"
                               "dataset_groups:\n  live: {sinks: [Store1/customers]}\n";
    static const char HEAD[] = "kind: Workspace\nteam: USA/analytics\nname: Consumer1\npriority: high\n"
                               "dataset_groups:\n  live: {sinks: [Store1/customers]}\n";
    change_run run =
        change_check(&(change_case){.base = BASE, .head = HEAD, .repository = "acme/model@analytics", .lint = true});
    json_t *result = verdict_json(run.verdict);
    char *text = json_dumps(result, JSON_COMPACT);
    assert_string_equal(
        text,
        "{\"verdict\":\"accepted\",\"changes\":[{\"object\":\"Workspace Consumer1\",\"action\":\"changed\","
        "\"field\":\"priority\",\"old\":\"medium\",\"new\":\"high\",\"owner\":\"acme/model@analytics\","
        "\"allowed\":true,\"breaking\":false,\"affects\":["
        "{\"kind\":\"platform\",\"name\":\"YellowLive\",\"owner\":\"acme/model@infra\",\"effect\":\"nothing\",\"about\":\"its data comes through here; nothing is changed\"},"
        "{\"kind\":\"stream\",\"name\":\"YellowLive/Store1\",\"owner\":\"acme/model@infra\",\"effect\":\"priority\",\"about\":\"is scheduled by the new priority\"},"
        "{\"kind\":\"group\",\"name\":\"Consumer1/live\",\"owner\":\"acme/model@analytics\","
        "\"effect\":\"priority\",\"about\":\"is scheduled by the new priority\"}]}]}");
    free(text);
    json_decref(result);
    change_free(&run);
}

static char *dump(const gate_verdict *verdict)
{
    json_t *result = verdict_json(verdict);
    char *text = json_dumps(result, JSON_COMPACT);
    json_decref(result);
    assert_non_null(text);
    return text;
}

// Documents in other files, in another order, are the same documents, changed or not.
static void layout(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    everything(&text);
    side base = side_of(buf_str(&text));
    ds_str documents[DOCUMENTS_MAX], rotated[DOCUMENTS_MAX];
    size_t n = documents_split(buf_str(&text), documents);
    char paths[DOCUMENTS_MAX][16];
    const char *names[DOCUMENTS_MAX];
    for (size_t i = 0; i < n; i++) {
        snprintf(paths[i], sizeof paths[i], "f%02zu.yaml", i);
        names[i] = paths[i];
    }
    char *expected = NULL;
    for (size_t left_out = n; left_out-- > 3;) { // the Ecosystem and zones stay, or nobody owns anything
        for (size_t shift = 0; shift < n; shift++) {
            for (size_t i = 0; i < n; i++)
                rotated[i] = documents[(i * (shift % 2 ? n - 1 : 1) + shift) % n];
            for (size_t i = 0; i < n; i++)
                rotated[i] = rotated[i].p == documents[left_out].p ? STR("") : rotated[i];
            side head = side_new(names, rotated, n);
            gate_verdict *verdict = check(&base, &head, "customer_data", arena);
            assert_int_equal(verdict->n, 1);
            char *found = dump(verdict);
            if (shift)
                assert_string_equal(found, expected);
            free(expected);
            expected = found;
            side_free(&head);
            arena_clear(arena);
        }
    }
    free(expected);
    side head = side_new(names, documents, n);
    assert_int_equal(check(&base, &head, "customer_data", arena)->n, 0);
    side_free(&head);
    side_free(&base);
}

static ds_document document_called(const ds_model *model, const char *name, ds_arena *arena)
{
    ds_documents all = model_documents(model, arena);
    for (size_t i = 0; i < all.n; i++)
        if (strcmp(document_text(all.v[i], "name"), name) == 0)
            return all.v[i];
    fail_msg("no document %s", name);
    return (ds_document){0};
}

// Compared are the documents that the caller names; what they mean is looked up in the whole models.
static void some_documents(void **state)
{
    (void)state;
    static const char BASE[] = "kind: Workspace\nteam: USA/analytics\nname: Consumer1\n"
                               "dataset_groups:\n  live: {sinks: [Store1/customers]}\n";
    static const char HEAD[] = "kind: Workspace\nteam: USA/analytics\nname: Consumer1\npriority: high\n"
                               "dataset_groups:\n  live: {sinks: [Store1/customers]}\n"
                               "---\nkind: GovernanceZone\nname: USA\n";
    change_run run = change_check(&(change_case){.base = BASE, .head = HEAD});
    assert_true(run.verdict->n > 1);
    const ds_platform_type *const types[] = {yellow_platform_type()};
    const ds_document base = document_called(run.base, "Consumer1", run.arena);
    const ds_document head = document_called(run.head, "Consumer1", run.arena);
    gate_options options = {.repository = "acme/model",
                            .branch = "analytics",
                            .types = {types, 1},
                            .base_documents = &(ds_documents){&base, 1},
                            .head_documents = &(ds_documents){&head, 1}};
    ds_diags *diags = diags_new(run.head->files);
    gate_verdict *verdict = gate_check(run.base, run.head, &options, diags, run.arena);
    assert_true(verdict->accepted);
    assert_int_equal(verdict->n, 1);
    assert_string_equal(verdict->changes[0].what->field, "priority");
    assert_int_equal(verdict->changes[0].affects_n, 3);
    diags_free(diags);
    change_free(&run);
}

// Any prefix may be all there is, on either side, and any line may be missing: a verdict, never a crash.
static void half_broken_models(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
    everything(&text);
    side whole = side_of(buf_str(&text));
    for (size_t n = 0; n < text.n; n += 29) {
        CLEANUP(arena_freep) ds_arena *arena = arena_new();
        side part = side_of((ds_str){text.p, n});
        gate_verdict *verdict = check(&whole, &part, "customer_data", arena);
        assert_false(verdict->accepted);
        free(dump(verdict));
        side_free(&part);
        part = side_of((ds_str){text.p, n});
        side again = side_of(buf_str(&text));
        free(dump(check(&part, &again, "customer_data", arena)));
        side_free(&again);
        side_free(&part);
    }
    for (ds_str rest = buf_str(&text); rest.n;) {
        CLEANUP(arena_freep) ds_arena *arena = arena_new();
        CLEANUP(buf_release) ds_buf without = BUF_INIT(TEXT_MAX);
        ds_str line = str_split(&rest, '\n');
        buf_put(&without, text.p, (size_t)(line.p - text.p));
        buf_put_str(&without, rest);
        side part = side_of(buf_str(&without));
        free(dump(check(&whole, &part, "customer_data", arena)));
        free(dump(check(&part, &whole, "usa", arena)));
        side_free(&part);
    }
    side_free(&whole);
}

// Each word of the head in turn is another one.
static void swapped_words(void **state)
{
    (void)state;
    static const char *const WORDS[] = {"x", "Store1", "[]", "{}", "Store1/customers", "0"};
    static const char DELIMITERS[] = " \n,:[]{}\"";
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
    everything(&text);
    side whole = side_of(buf_str(&text));
    for (size_t at = 0, turn = 0; at < text.n; turn++) {
        size_t n = strcspn(text.p + at, DELIMITERS);
        CLEANUP(arena_freep) ds_arena *arena = arena_new();
        CLEANUP(buf_release) ds_buf other = BUF_INIT(TEXT_MAX);
        buf_put(&other, text.p, at);
        buf_puts(&other, WORDS[turn % (sizeof WORDS / sizeof WORDS[0])]);
        buf_puts(&other, text.p + at + n);
        if (n > 0) {
            side part = side_of(buf_str(&other));
            free(dump(check(&whole, &part, "central", arena)));
            side_free(&part);
        }
        at += n;
        at += strspn(text.p + at, DELIMITERS);
    }
    side_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(json), cmocka_unit_test(layout),
                                       cmocka_unit_test(some_documents), cmocka_unit_test(half_broken_models),
                                       cmocka_unit_test(swapped_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
