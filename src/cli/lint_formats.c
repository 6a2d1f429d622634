#include "cli/lint_formats.h"

#include "cli/output.h"
#include "gate/lint.h"

static const char *path_of(const lint_report *report, const ds_diag *diag)
{
    return files_path(diags_files(report->diags), diag->pos.file);
}

static void print_count(FILE *out, size_t n, const char *what, bool *first)
{
    if (n == 0)
        return;
    fprintf(out, "%s%zu %s%s", *first ? "" : ", ", n, what, strcmp(what, "info") == 0 ? "" : plural((int64_t)n));
    *first = false;
}

// "ok: 12 datasets, 3 workspaces, 4 ms", with the findings counted in front.
static void print_summary(const ds_cli *cli, const lint_report *report)
{
    FILE *out = cli->out;
    bool first = true;
    size_t errors = report->counts[DIAG_ERROR];
    fprintf(out, "%s%s%s: ", style(cli, errors ? STYLE_RED : STYLE_GREEN), errors ? "failed" : "ok", style_end(cli));
    print_count(out, errors, "error", &first);
    print_count(out, report->counts[DIAG_WARNING], "warning", &first);
    print_count(out, report->counts[DIAG_INFO], "info", &first);
    fprintf(out, "%s%zu dataset%s, %zu workspace%s, %.0f ms\n", first ? "" : ", ", report->datasets,
            plural((int64_t)report->datasets), report->workspaces, plural((int64_t)report->workspaces),
            report->seconds * 1000);
}

static void print_text(ds_cli *cli, const lint_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        diag_print(cli->out, report->diags, report->shown[i], cli->colour);
    if (report->n)
        fputc('\n', cli->out);
    print_summary(cli, report);
}

static void print_json(ds_cli *cli, const lint_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        json_array_append_new(cli->diagnostics, diag_json(report->diags, report->shown[i]));
    cli->result =
        json_pack("{s:{s:I, s:I, s:I, s:I, s:I}}", "counts", "errors", (json_int_t)report->counts[DIAG_ERROR],
                  "warnings", (json_int_t)report->counts[DIAG_WARNING], "infos", (json_int_t)report->counts[DIAG_INFO],
                  "datasets", (json_int_t)report->datasets, "workspaces", (json_int_t)report->workspaces);
}

static json_t *sarif_result(const lint_report *report, const ds_diag *diag)
{
    static const char *const LEVELS[] = {"note", "warning", "error"};
    json_t *result =
        json_pack("{s:s, s:s, s:{s:o}}", "ruleId", diag->rule, "level", LEVELS[diag->severity], "message", "text",
                  json_sprintf("%s%s%s", diag->message, diag->hint[0] ? "; hint: " : "", diag->hint));
    if (!diag->pos.file)
        return result;
    json_t *place = json_pack("{s:{s:{s:s}}}", "physicalLocation", "artifactLocation", "uri", path_of(report, diag));
    if (diag->pos.line)
        json_object_set_new(json_object_get(place, "physicalLocation"), "region",
                            json_pack("{s:i, s:i}", "startLine", (int)diag->pos.line, "startColumn",
                                      diag->pos.column ? (int)diag->pos.column : 1));
    json_object_set_new(result, "locations", json_pack("[o]", place));
    return result;
}

static void print_sarif(ds_cli *cli, const lint_report *report)
{
    json_t *results = json_array(), *rules = json_array();
    size_t n;
    const ds_rule *table = lint_rules(cli->arena, &n);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rules, json_pack("{s:s, s:{s:s}, s:{s:s}}", "id", table[i].id, "shortDescription", "text",
                                               table[i].title, "fullDescription", "text", table[i].meaning));
    for (size_t i = 0; i < report->n; i++)
        json_array_append_new(results, sarif_result(report, report->shown[i]));
    json_t *sarif =
        json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:o}]}", "$schema",
                  "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", "tool", "driver", "name",
                  "datasurface", "version", DS_VERSION, "rules", rules, "results", results);
    json_dumpf(sarif, cli->out, JSON_INDENT(2));
    fputc('\n', cli->out);
    json_decref(sarif);
}

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

static void print_github(ds_cli *cli, const lint_report *report)
{
    static const char *const COMMANDS_OF[] = {"notice", "warning", "error"};
    FILE *out = cli->out;
    for (size_t i = 0; i < report->n; i++) {
        const ds_diag *diag = report->shown[i];
        fprintf(out, "::%s file=", COMMANDS_OF[diag->severity]);
        github_text(out, path_of(report, diag), true);
        fprintf(out, ",line=%u,col=%u,title=", (unsigned)diag->pos.line, (unsigned)diag->pos.column);
        github_text(out, diag->rule, true);
        fputs("::", out);
        github_text(out, diag->message, false);
        if (diag->hint[0])
            fputs("; hint: ", out);
        github_text(out, diag->hint, false);
        fputc('\n', out);
    }
    print_summary(cli, report);
}

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

// One test case per error; a model without errors is one case that passes.
static void print_junit(ds_cli *cli, const lint_report *report)
{
    FILE *out = cli->out;
    size_t errors = report->counts[DIAG_ERROR];
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"datasurface lint\" tests=\"%zu\" "
            "failures=\"%zu\" time=\"%.3f\">\n",
            errors ? errors : 1, errors, report->seconds);
    if (!errors)
        fputs("  <testcase classname=\"model\" name=\"lint\"/>\n", out);
    for (size_t i = 0; i < report->n; i++) {
        const ds_diag *diag = report->shown[i];
        if (diag->severity != DIAG_ERROR)
            continue;
        fputs("  <testcase classname=\"", out);
        xml(out, path_of(report, diag));
        fprintf(out, "\" name=\"%s line %u\"><failure message=\"", diag->rule, (unsigned)diag->pos.line);
        xml(out, diag->message);
        fputs("\">", out);
        xml(out, diag->hint);
        fputs("</failure></testcase>\n", out);
    }
    fputs("</testsuite>\n", out);
}

void lint_print(ds_cli *cli, const lint_report *report, const char *format)
{
    static const struct {
        const char *name;
        void (*print)(ds_cli *cli, const lint_report *report);
    } FORMATS[] = {{"text", print_text},
                   {"json", print_json},
                   {"sarif", print_sarif},
                   {"github", print_github},
                   {"junit", print_junit}};
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++)
        if (strcmp(FORMATS[i].name, format) == 0)
            FORMATS[i].print(cli, report);
}
