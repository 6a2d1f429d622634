#include "cli/check_report.h"
#include "cli/output.h"
#include "cli/units.h"
#include "gate/impact.h"

enum {
    CHANGES_SHOWN = 1000,
    THINGS_SHOWN = 10,
    VALUE_COLUMNS = 60,
    NAME_COLUMNS = 300,
    COMMIT_DIGITS = 10,
    LINE_MAX_BYTES = 32768
};

static void put_line(const ds_cli *cli, ds_buf *line)
{
    fprintf(cli->out, "%s\n", buf_text(line));
    buf_clear(line);
}

// "changed  Workspace Consumer1 priority: medium -> high"
static void print_change(const ds_cli *cli, const gate_change *change)
{
    static const ds_style STYLES[] = {STYLE_GREEN, STYLE_RED, STYLE_YELLOW, STYLE_YELLOW};
    const ds_change *c = change->what;
    CLEANUP(buf_release) ds_buf line = BUF_INIT(LINE_MAX_BYTES);
    buf_printf(&line, "%s%-8s%s ", style(cli, STYLES[c->action]), diff_action_name(c->action), style_end(cli));
    put_printable(&line, c->object, NAME_COLUMNS);
    if (c->field[0])
        buf_putc(&line, ' ');
    put_printable(&line, c->field, NAME_COLUMNS);
    const char *texts[] = {c->old_text, c->new_text};
    for (size_t i = 0; i < 2; i++) {
        if (texts[i])
            buf_puts(&line, i && texts[0] ? " -> " : ": ");
        put_printable(&line, texts[i] ? texts[i] : "", VALUE_COLUMNS);
    }
    if (change->breaking)
        buf_printf(&line, "  %sbreaking%s", style(cli, STYLE_RED), style_end(cli));
    put_line(cli, &line);
}

static void print_owner(const ds_cli *cli, const gate_change *change, const char *repository)
{
    CLEANUP(buf_release) ds_buf line = BUF_INIT(LINE_MAX_BYTES);
    buf_puts(&line, "  owner    ");
    put_printable(&line, change->owner[0] ? change->owner : "nobody", NAME_COLUMNS);
    if (!change->allowed) {
        buf_printf(&line, ", %snot%s ", style(cli, STYLE_RED), style_end(cli));
        put_printable(&line, repository, NAME_COLUMNS);
    }
    put_line(cli, &line);
}

static bool is_alike(const gate_affected *a, const gate_affected *b)
{
    return a->effect == b->effect && strcmp(a->owner, b->owner) == 0;
}

static bool told_before(const gate_change *change, size_t i)
{
    bool told = false;
    for (size_t k = 0; k < i && !told; k++)
        told = is_alike(&change->affects[k], &change->affects[i]);
    return told;
}

// "  affects  stream YellowLive/Store1, stream YellowForensic/Store1 of acme/model@infra: is scheduled by …": all that
// is alike on one line.
static void print_affected(const ds_cli *cli, const gate_change *change, size_t first)
{
    const gate_affected *a = &change->affects[first];
    CLEANUP(buf_release) ds_buf line = BUF_INIT(LINE_MAX_BYTES);
    size_t n = 0;
    for (size_t i = first; i < change->affects_n; i++) {
        const gate_affected *other = &change->affects[i];
        if (!is_alike(a, other) || ++n > THINGS_SHOWN)
            continue;
        buf_printf(&line, "%s%s ", i == first ? "  affects  " : ", ", gate_thing_name(other->kind));
        put_printable(&line, other->name, NAME_COLUMNS);
    }
    if (n > THINGS_SHOWN)
        buf_printf(&line, " and %zu more", n - THINGS_SHOWN);
    buf_puts(&line, " of ");
    put_printable(&line, a->owner, NAME_COLUMNS);
    buf_printf(&line, ": %s", gate_effect_about(a->effect));
    put_line(cli, &line);
}

static bool affects_the_same(const gate_change *a, const gate_change *b)
{
    bool same = a->affects_n == b->affects_n && a->affects_n > 0;
    for (size_t i = 0; same && i < a->affects_n; i++)
        same = a->affects[i].kind == b->affects[i].kind && strcmp(a->affects[i].name, b->affects[i].name) == 0 &&
               a->affects[i].effect == b->affects[i].effect;
    return same;
}

static void print_all_affected(const ds_cli *cli, const gate_change *change)
{
    for (size_t i = 0; i < change->affects_n; i++)
        if (!told_before(change, i))
            print_affected(cli, change, i);
}

void check_print_changes(const ds_cli *cli, const check_report *report)
{
    const gate_verdict *v = report->verdict;
    size_t n = v->n > CHANGES_SHOWN ? CHANGES_SHOWN : v->n;
    for (size_t i = 0; i < n; i++) {
        print_change(cli, &v->changes[i]);
        print_owner(cli, &v->changes[i], report->repository);
        if (i && affects_the_same(&v->changes[i], &v->changes[i - 1]))
            fputs("  affects  the same\n", cli->out);
        else
            print_all_affected(cli, &v->changes[i]);
    }
    if (n < v->n)
        fprintf(cli->out, "and %zu more; --format json has them all\n", v->n - n);
    if (n)
        fputc('\n', cli->out);
}

void check_put_commits(const check_report *report, ds_buf *out)
{
    if (!report->base.commit[0] || !report->head.commit[0])
        return;
    const check_side *sides[] = {&report->head, &report->base};
    for (size_t i = 0; i < 2; i++) {
        buf_puts(out, i ? " into " : "");
        put_printable(out, sides[i]->ref, NAME_COLUMNS);
        buf_printf(out, " %.*s", COMMIT_DIGITS, sides[i]->commit);
    }
}

void check_print_last_line(const ds_cli *cli, const check_report *report)
{
    const gate_verdict *v = report->verdict;
    CLEANUP(buf_release) ds_buf counts = BUF_INIT(LINE_MAX_BYTES);
    findings_put_counts(&counts, report->findings.counts);
    check_put_commits(report, &counts);
    if (report->head.commit[0])
        buf_puts(&counts, ", ");
    fprintf(cli->out, "%s%s%s: %zu change%s, %s%.0f ms\n", style(cli, v->accepted ? STYLE_GREEN : STYLE_RED),
            v->accepted ? "accepted" : "refused", style_end(cli), v->n, plural((int64_t)v->n), buf_text(&counts),
            report->findings.seconds * 1000);
}
