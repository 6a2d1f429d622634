#include "cli/findings.h"

#include "cli/output.h"
#include "gate/lint.h"

ds_findings findings_all(const ds_diags *diags, ds_arena *arena)
{
    ds_findings f = {.diags = diags, .n = diags_count(diags), .place = "", .home = ""};
    f.shown = ARENA_ARRAY(arena, const ds_diag *, f.n);
    for (size_t i = 0; i < f.n; i++)
        f.shown[i] = diags_at(diags, i);
    for (int s = DIAG_INFO; s <= DIAG_ERROR; s++)
        f.counts[s] = diags_severity_count(diags, (ds_severity)s);
    return f;
}

void findings_put_counts(ds_buf *out, const size_t counts[DIAG_ERROR + 1])
{
    for (int s = DIAG_ERROR; s >= DIAG_INFO; s--)
        if (counts[s])
            buf_printf(out, "%zu %s%s, ", counts[s], severity_name((ds_severity)s),
                       s == DIAG_INFO ? "" : plural((int64_t)counts[s]));
}

static void print_text(ds_cli *cli, const ds_findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        diag_print(cli->out, f->diags, f->shown[i], cli->colour);
    if (f->n)
        fputc('\n', cli->out);
}

static void print_json(ds_cli *cli, const ds_findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        json_array_append_new(cli->diagnostics, diag_json(f->diags, f->shown[i]));
}

// --- places, as code scanning wants them

typedef struct place {
    const char *path; // "": none
    unsigned line, column;
} place;

static const char *path_from_root(const ds_findings *f, const char *path, ds_arena *scratch)
{
    return path[0] && f->place[0] ? arena_path(scratch, f->place, path, NULL) : path;
}

static place place_of(const ds_findings *f, const ds_diag *diag, ds_arena *scratch)
{
    const char *path = files_path(diags_files(f->diags), diag->pos.file);
    return (place){path_from_root(f, path, scratch), diag->pos.line, diag->pos.column};
}

// --- SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html

// A relative reference of RFC 3986.
static const char *uri_of(const char *path, ds_arena *scratch)
{
    static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    CLEANUP(buf_release) ds_buf uri = BUF_INIT(SIZE_MAX / 2);
    for (const char *p = path; *p; p++)
        buf_printf(&uri, strchr(PLAIN, *p) ? "%c" : "%%%02X", (unsigned char)*p);
    return arena_strdup(scratch, buf_text(&uri));
}

static json_t *sarif_location(place at, ds_arena *scratch)
{
    json_t *physical = json_pack("{s:{s:s}}", "artifactLocation", "uri", uri_of(at.path, scratch));
    if (at.line)
        json_object_set_new(physical, "region",
                            json_pack("{s:i, s:i}", "startLine", (int)at.line, "startColumn",
                                      at.column ? (int)at.column : 1));
    return json_pack("[{s:o}]", "physicalLocation", physical);
}

static json_t *sarif_result(const ds_findings *f, const ds_diag *diag, ds_arena *scratch)
{
    static const char *const LEVELS[] = {"note", "warning", "error"};
    json_t *result = json_pack("{s:s, s:{s:o}}", "level", LEVELS[diag->severity], "message", "text",
                               json_sprintf("%s%s%s", diag->message, diag->hint[0] ? "; hint: " : "", diag->hint));
    place at = place_of(f, diag, scratch);
    if (diag->rule[0])
        json_object_set_new(result, "ruleId", json_string(diag->rule));
    if (!at.path[0])
        at.path = path_from_root(f, f->home, scratch);
    if (at.path[0])
        json_object_set_new(result, "locations", sarif_location(at, scratch));
    return result;
}

static json_t *sarif_rules(ds_arena *scratch)
{
    json_t *rules = json_array();
    size_t n;
    const ds_rule *table = lint_rules(scratch, &n);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rules, json_pack("{s:s, s:{s:s}, s:{s:s}}", "id", table[i].id, "shortDescription", "text",
                                               table[i].title, "fullDescription", "text", table[i].meaning));
    return rules;
}

// {"base": {"ref": …, "commit": …}, …}; a set of properties, since SARIF's own place for commits wants a URL of the
// repository, which we are not told.
static json_t *sarif_judged(const ds_findings *f)
{
    json_t *properties = json_object();
    for (size_t i = 0; i < JUDGED_MAX && f->judged[i].name; i++) {
        const ds_judged *j = &f->judged[i];
        json_object_set_new(properties, j->name,
                            json_pack("{s:s, s:s*}", "ref", j->ref, "commit", j->commit[0] ? j->commit : NULL));
    }
    return properties;
}

static void print_sarif(ds_cli *cli, const ds_findings *f)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    json_t *results = json_array();
    for (size_t i = 0; i < f->n; i++)
        json_array_append_new(results, sarif_result(f, f->shown[i], scratch));
    json_t *sarif = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:s, s:o}]}", "$schema",
                              "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", "tool",
                              "driver", "name", "datasurface", "version", DS_VERSION, "rules", sarif_rules(scratch),
                              "columnKind", "unicodeCodePoints", "results", results);
    json_t *properties = sarif_judged(f);
    if (json_object_size(properties))
        json_object_set(json_array_get(json_object_get(sarif, "runs"), 0), "properties", properties);
    json_decref(properties);
    json_dumpf(sarif, cli->out, JSON_INDENT(2));
    fputc('\n', cli->out);
    json_decref(sarif);
}

// --- GitHub Actions

// A workflow command of GitHub Actions: percent, line ends and, in properties, colons and commas are escaped.
static void github_text(FILE *out, const char *text, bool property)
{
    for (const char *p = text; *p; p++) {
        if (*p == '%' || *p == '\n' || *p == '\r' || (property && (*p == ':' || *p == ',')))
            fprintf(out, "%%%02X", (unsigned)(unsigned char)*p);
        else
            fputc(*p, out);
    }
}

static void github_properties(FILE *out, const ds_diag *diag, place at)
{
    const char *separator = "";
    if (at.path[0]) {
        fputs("file=", out);
        github_text(out, at.path, true);
        separator = ",";
    }
    if (at.line)
        fprintf(out, "%sline=%u,col=%u", separator, at.line, at.column ? at.column : 1);
    if (diag->rule[0])
        fprintf(out, "%stitle=%s", separator, diag->rule);
}

static void print_github(ds_cli *cli, const ds_findings *f)
{
    static const char *const COMMANDS_OF[] = {"notice", "warning", "error"};
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    FILE *out = cli->out;
    for (size_t i = 0; i < f->n; i++) {
        const ds_diag *diag = f->shown[i];
        fprintf(out, "::%s ", COMMANDS_OF[diag->severity]);
        github_properties(out, diag, place_of(f, diag, scratch));
        fputs("::", out);
        github_text(out, diag->message, false);
        if (diag->hint[0])
            fputs("; hint: ", out);
        github_text(out, diag->hint, false);
        fputc('\n', out);
    }
}

// --- JUnit

static void xml(FILE *out, const char *text)
{
    static const struct {
        char c;
        const char *entity;
    } ENTITIES[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\n', "&#10;"}};
    for (const char *p = text; *p; p++) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof ENTITIES / sizeof ENTITIES[0]; i++)
            entity = ENTITIES[i].c == *p ? ENTITIES[i].entity : entity;
        if (entity)
            fputs(entity, out);
        else if ((unsigned char)*p >= ' ')
            fputc(*p, out);
    }
}

static void junit_failure(FILE *out, const ds_diag *diag, place at)
{
    fputs("  <testcase classname=\"", out);
    xml(out, at.path[0] ? at.path : "model");
    fprintf(out, "\" name=\"%s line %u\"><failure message=\"", diag->rule, at.line);
    xml(out, diag->message);
    fputs("\">", out);
    xml(out, diag->hint);
    fputs("</failure></testcase>\n", out);
}

static void junit_properties(FILE *out, const ds_findings *f)
{
    if (!f->judged[0].name)
        return;
    fputs("  <properties>\n", out);
    for (size_t i = 0; i < JUDGED_MAX && f->judged[i].name; i++) {
        const char *values[][2] = {{"ref", f->judged[i].ref}, {"commit", f->judged[i].commit}};
        for (size_t k = 0; k < 2; k++) {
            if (!values[k][1][0])
                continue;
            fprintf(out, "    <property name=\"%s.%s\" value=\"", f->judged[i].name, values[k][0]);
            xml(out, values[k][1]);
            fputs("\"/>\n", out);
        }
    }
    fputs("  </properties>\n", out);
}

// One test case per error; a model without errors is one case that passes.
static void print_junit(ds_cli *cli, const ds_findings *f)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    FILE *out = cli->out;
    const char *command = cli->command->name;
    size_t errors = 0;
    for (size_t i = 0; i < f->n; i++)
        errors += f->shown[i]->severity == DIAG_ERROR;
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"datasurface %s\" tests=\"%zu\" "
            "failures=\"%zu\" time=\"%.3f\">\n",
            command, errors ? errors : 1, errors, f->seconds);
    junit_properties(out, f);
    if (!errors)
        fprintf(out, "  <testcase classname=\"model\" name=\"%s\"/>\n", command);
    for (size_t i = 0; i < f->n; i++)
        if (f->shown[i]->severity == DIAG_ERROR)
            junit_failure(out, f->shown[i], place_of(f, f->shown[i], scratch));
    fputs("</testsuite>\n", out);
}

static const struct {
    const char *name;
    void (*print)(ds_cli *cli, const ds_findings *f);
    bool want_last_line;
} FORMATS[] = {{"text", print_text, true},
               {"json", print_json, false},
               {"sarif", print_sarif, false},
               {"github", print_github, true},
               {"junit", print_junit, false}};

void findings_print(ds_cli *cli, const ds_findings *f, const char *format)
{
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++)
        if (strcmp(FORMATS[i].name, format) == 0)
            FORMATS[i].print(cli, f);
}

bool findings_want_last_line(const char *format)
{
    bool want = false;
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++)
        want |= FORMATS[i].want_last_line && strcmp(FORMATS[i].name, format) == 0;
    return want;
}
