#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output.h"
#include "gate/lint.h"

static ds_rc unknown_rule(ds_arena *arena, const char *id, ds_error *err)
{
    size_t n;
    const ds_rule *rules = lint_rules(arena, &n);
    const char **names = ARENA_ARRAY(arena, const char *, n);
    for (size_t i = 0; i < n; i++)
        names[i] = rules[i].id;
    const char *nearest = str_nearest(id, names, n);
    ds_rc rc = ds_fail(err, DS_USAGE, "no rule \"%s\"", id);
    if (nearest)
        return ds_hint(rc, err, "did you mean \"%s\"?", nearest);
    return ds_hint(rc, err, "datasurface explain lists all rules");
}

static json_t *rule_json(const ds_rule *rule)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "rule", rule->id, "severity", severity_name(rule->severity),
                     "title", rule->title, "meaning", rule->meaning, "failing", rule->failing, "passing",
                     rule->passing);
}

static ds_rc list_rules(ds_cli *cli)
{
    static const char *const HEADINGS[] = {"rule", "severity", "what", NULL};
    size_t n;
    const ds_rule *rules = lint_rules(cli->arena, &n);
    ds_table table = table_new(cli->arena, HEADINGS);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        table_row(&table);
        table_cell(&table, 0, "%s", rules[i].id);
        table_cell(&table, 1, "%s", severity_name(rules[i].severity));
        table_cell(&table, 2, "%s", rules[i].title);
        json_array_append_new(list, rule_json(&rules[i]));
    }
    cli->result = json_pack("{s:o}", "rules", list);
    if (!cli->json)
        table_print(cli, &table, "");
    return DS_DONE;
}

static void print_example(const ds_cli *cli, const char *title, ds_style colour, const char *yaml)
{
    if (!yaml || !yaml[0])
        return;
    fprintf(cli->out, "\n%s%s%s\n", style(cli, colour), title, style_end(cli));
    ds_str rest = str_of(yaml);
    while (rest.n) {
        ds_str line = str_split(&rest, '\n');
        fprintf(cli->out, "%s%.*s\n", line.n ? "    " : "", STR_ARGS(line));
    }
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    const char *id = args_word(&cli->args, 0);
    if (!id)
        return list_rules(cli);
    const ds_rule *rule = lint_rule(id);
    if (!rule)
        return unknown_rule(cli->arena, id, err);
    cli->result = rule_json(rule);
    if (cli->json)
        return DS_DONE;
    fprintf(cli->out, "%s%s%s  %s: %s\n\n", style(cli, STYLE_BOLD), rule->id, style_end(cli),
            severity_name(rule->severity), rule->title);
    help_wrap(cli->out, rule->meaning, 0);
    print_example(cli, "This fails:", STYLE_RED, rule->failing);
    print_example(cli, "This passes:", STYLE_GREEN, rule->passing);
    return DS_DONE;
}

const ds_cli_command COMMAND_EXPLAIN = {
    .name = "explain",
    .summary = "what a lint rule means, with examples",
    .group = "The model",
    .arguments = {{.name = "RULE",
                   .help = "the id that lint shows in brackets; all rules when left out",
                   .optional = true}},
    .help = "Tells what a rule wants and why, with an example that fails and one that passes.",
    .examples = {"datasurface explain", "datasurface explain M002"},
    .run = run,
};
