#include "cli/commands.h"
#include "model/fields_markdown.h"
#include "model/schema_json.h"

static const ds_option OPTIONS[] = {
    {"markdown", 0, OPTION_FLAG, .help = "docs/fields.md, the reference of all fields, instead"},
    {0},
};

static void print_reference(FILE *out)
{
    enum { PAGE_MAX = 1 << 20 };
    CLEANUP(buf_release) ds_buf page = BUF_INIT(PAGE_MAX);
    model_fields_markdown(&page);
    ds_assert(buf_ok(&page));
    fputs(buf_text(&page), out);
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    (void)err;
    if (args_flag(&cli->args, "markdown")) {
        cli->json = false;
        print_reference(cli->out);
        return DS_DONE;
    }
    json_t *schema = model_json_schema();
    if (cli->json) {
        cli->result = schema;
        return DS_DONE;
    }
    json_dumpf(schema, cli->out, JSON_INDENT(2));
    fputc('\n', cli->out);
    json_decref(schema);
    return DS_DONE;
}

const ds_cli_command COMMAND_SCHEMA = {
    .name = "schema",
    .summary = "the JSON Schema of the model, for editors",
    .group = "The model",
    .options = OPTIONS,
    .help =
        "Prints the JSON Schema of every kind of document. An editor with a YAML language server completes and checks "
        "while you type when a file begins with\n\n"
        "  # yaml-language-server: $schema=datasurface.schema.json\n\n"
        "`datasurface init` writes that file and these comments.",
    .examples = {"datasurface schema > datasurface.schema.json"},
    .run = run,
};
