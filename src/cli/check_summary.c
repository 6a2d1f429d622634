#include "base/map.h"
#include "cli/check_report.h"
#include "cli/output.h"
#include "cli/units.h"
#include "gate/impact.h"

// Each table may take what the ones before it have left, up to here; what comes behind is small.
enum { CHANGES_UP_TO = 25000, AFFECTED_UP_TO = 38000, FINDINGS_UP_TO = 59000, CELL_COLUMNS = 400, CELL_MAX = 16384 };

// --- text that somebody else wrote

// One line without anything that HTML or Markdown would act on.
static void put_code(ds_buf *out, const char *text)
{
    static const struct {
        char c;
        const char *entity;
    } ENTITIES[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    CLEANUP(buf_release) ds_buf shown = BUF_INIT(CELL_MAX);
    put_printable(&shown, text, CELL_COLUMNS);
    buf_puts(out, "<code>");
    for (const char *p = buf_text(&shown); *p; p++) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof ENTITIES / sizeof ENTITIES[0]; i++)
            entity = ENTITIES[i].c == *p ? ENTITIES[i].entity : entity;
        buf_put(out, entity ? entity : p, entity ? strlen(entity) : 1);
    }
    buf_puts(out, "</code>");
}

// --- tables

// A table in HTML, which Markdown leaves alone up to the next empty line: there is none within.
typedef struct table {
    ds_buf *out;
    size_t limit; // of out, for rows
    ds_buf row;
    size_t shown, more;
} table;

static void table_begin(table *t, ds_buf *out, size_t limit, const char *title, const char *headings)
{
    *t = (table){.out = out, .limit = limit, .row = BUF_INIT(1 << 20)};
    buf_printf(out, "\n#### %s\n<table>\n<tr>%s</tr>\n", title, headings);
}

static void cell_code(table *t, const char *text)
{
    buf_puts(&t->row, "<td>");
    put_code(&t->row, text);
    buf_puts(&t->row, "</td>");
}

static void cell(table *t, const char *ours)
{
    buf_printf(&t->row, "<td>%s</td>", ours);
}

static void row_end(table *t)
{
    if (t->more == 0 && t->out->n + t->row.n + sizeof "<tr></tr>\n" <= t->limit) {
        buf_printf(t->out, "<tr>%s</tr>\n", buf_text(&t->row));
        t->shown++;
    } else
        t->more++;
    buf_clear(&t->row);
}

static void table_end(table *t)
{
    buf_puts(t->out, "</table>\n");
    if (t->more)
        buf_printf(t->out, "\n… and %zu more\n", t->more);
    buf_release(&t->row);
}

// --- sections

static void put_change(table *t, const gate_change *change)
{
    const ds_change *c = change->what;
    cell(t, diff_action_name(c->action));
    buf_puts(&t->row, "<td>");
    put_code(&t->row, c->object);
    if (c->field[0]) {
        buf_putc(&t->row, ' ');
        put_code(&t->row, c->field);
    }
    buf_puts(&t->row, c->old_text || c->new_text ? ": " : "");
    if (c->old_text)
        put_code(&t->row, c->old_text);
    buf_puts(&t->row, c->old_text && c->new_text ? " → " : "");
    if (c->new_text)
        put_code(&t->row, c->new_text);
    buf_puts(&t->row, change->breaking ? " <b>breaking</b></td>" : "</td>");
    cell_code(t, change->owner);
    cell(t, change->allowed ? "yes" : "<b>no</b>");
    row_end(t);
}

static size_t affected_once(const gate_verdict *verdict, ds_arena *arena, const gate_affected *const **out)
{
    ds_map *by_name = map_new(arena);
    for (size_t i = 0; i < verdict->n; i++) {
        for (size_t k = 0; k < verdict->changes[i].affects_n; k++) {
            const gate_affected *a = &verdict->changes[i].affects[k];
            const char *key = arena_printf(arena, "%s %s", gate_thing_name(a->kind), a->name);
            const gate_affected *other = map_get(by_name, key);
            if (!other || a->effect > other->effect)
                map_set(by_name, key, (void *)(uintptr_t)a);
        }
    }
    size_t n = map_count(by_name);
    const gate_affected **all = ARENA_ARRAY(arena, const gate_affected *, n);
    for (size_t i = 0; i < n; i++)
        all[i] = map_value(by_name, i);
    *out = all;
    return n;
}

static void put_changes(const check_report *report, ds_buf *out)
{
    table t;
    if (report->verdict->n == 0)
        return;
    table_begin(&t, out, CHANGES_UP_TO, "What changes",
                "<th></th><th>what</th><th>whose it is</th><th>may be changed here</th>");
    for (size_t i = 0; i < report->verdict->n; i++)
        put_change(&t, &report->verdict->changes[i]);
    table_end(&t);
}

// Whom all changes together reach: each thing once, with the strongest of its effects.
static void put_affected(const check_report *report, ds_buf *out)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const gate_affected *const *all;
    size_t n = affected_once(report->verdict, arena, &all);
    table t;
    if (n == 0)
        return;
    table_begin(&t, out, AFFECTED_UP_TO, "Whom it reaches",
                "<th></th><th></th><th>whose it is</th><th>what <code>apply</code> does</th>");
    for (size_t i = 0; i < n; i++) {
        cell(&t, gate_thing_name(all[i]->kind));
        cell_code(&t, all[i]->name);
        cell_code(&t, all[i]->owner);
        cell(&t, gate_effect_about(all[i]->effect));
        row_end(&t);
    }
    table_end(&t);
}

static void put_place(table *t, const ds_findings *f, const ds_diag *diag)
{
    CLEANUP(buf_release) ds_buf place = BUF_INIT(CELL_MAX);
    buf_puts(&place, files_path(diags_files(f->diags), diag->pos.file));
    if (diag->pos.line)
        buf_printf(&place, ":%u", (unsigned)diag->pos.line);
    cell_code(t, buf_text(&place));
}

static void put_finding(table *t, const ds_findings *f, const ds_diag *diag)
{
    cell(t, diag->severity == DIAG_ERROR ? "<b>error</b>" : severity_name(diag->severity));
    put_place(t, f, diag);
    buf_puts(&t->row, "<td>");
    put_code(&t->row, diag->message);
    if (diag->hint[0]) {
        buf_puts(&t->row, "<br>hint: ");
        put_code(&t->row, diag->hint);
    }
    buf_puts(&t->row, "</td>");
    cell_code(t, diag->rule);
    row_end(t);
}

// The worst first: there may not be room for all.
static void put_findings(const ds_findings *f, ds_buf *out)
{
    table t;
    if (f->n == 0)
        return;
    table_begin(&t, out, FINDINGS_UP_TO, "Findings", "<th></th><th>where</th><th>what</th><th>rule</th>");
    for (int severity = DIAG_ERROR; severity >= DIAG_INFO; severity--)
        for (size_t i = 0; i < f->n; i++)
            if ((int)f->shown[i]->severity == severity)
                put_finding(&t, f, f->shown[i]);
    table_end(&t);
}

static void put_commits(const check_report *report, ds_buf *out)
{
    CLEANUP(buf_release) ds_buf commits = BUF_INIT(CELL_MAX);
    check_put_commits(report, &commits);
    if (!commits.n)
        return;
    buf_puts(out, ": ");
    put_code(out, buf_text(&commits));
}

void check_summary(const check_report *report, ds_buf *out)
{
    const gate_verdict *v = report->verdict;
    CLEANUP(buf_release) ds_buf counts = BUF_INIT(200);
    findings_put_counts(&counts, report->findings.counts);
    if (counts.n)
        counts.n -= sizeof ", " - 1;
    buf_printf(out, "### datasurface: %s\n<p>%zu change%s%s%.*s, from ", v->accepted ? "accepted" : "refused", v->n,
               plural((int64_t)v->n), counts.n ? ", " : "", (int)counts.n, buf_text(&counts));
    put_code(out, report->repository);
    put_commits(report, out);
    buf_puts(out, "</p>\n");
    put_changes(report, out);
    put_affected(report, out);
    put_findings(&report->findings, out);
}

void check_summary_failure(const ds_error *failure, ds_buf *out)
{
    buf_puts(out, "### datasurface: not checked\n<p>");
    put_code(out, failure->text);
    if (failure->hint[0]) {
        buf_puts(out, "<br>hint: ");
        put_code(out, failure->hint);
    }
    buf_puts(out, "</p>\n");
}
