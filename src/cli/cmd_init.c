#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/init.h"
#include "cli/output.h"
#include "model/schema_json.h"

static const ds_option OPTIONS[] = {
    {"template", 0, OPTION_CHOICE, "NAME", .choices = "starter|northwind|wwi", .fallback = "starter",
     .help = "what the model is about"},
    {0},
};

// Where editors find the schema that the first line of every YAML file names.
static const char SCHEMA_FILE[] = "datasurface.schema.json";

static const char *in_dir(const ds_cli *cli, const char *dir, const char *path)
{
    CLEANUP(buf_release) ds_buf joined = BUF_INIT(FILE_PATH_MAX);
    file_join(&joined, dir, path);
    return arena_strdup(cli->arena, buf_text(&joined));
}

static ds_rc see_yaml(const char *path, void *context, ds_error *err)
{
    const char *dot = strrchr(path, '.');
    if (!dot || (strcmp(dot, ".yaml") != 0 && strcmp(dot, ".yml") != 0))
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_USAGE, "there is a model in \"%s\" already: %s", (const char *)context, path), err,
                   "choose another directory");
}

// Nothing is written before all is known to be free.
static ds_rc check_free(ds_cli *cli, const char *dir, const ds_template *template, ds_error *err)
{
    if (!file_exists(dir))
        return DS_DONE;
    if (!file_is_dir(dir))
        return ds_fail(err, DS_USAGE, "\"%s\" is a file, not a directory", dir);
    for (size_t i = 0; i < template->n; i++)
        if (file_exists(in_dir(cli, dir, template->files[i].path)))
            return ds_hint(ds_fail(err, DS_USAGE, "%s exists already", in_dir(cli, dir, template->files[i].path)), err,
                           "choose another directory");
    return file_walk(dir, see_yaml, (void *)(uintptr_t)dir, err);
}

ds_rc init_write_schema(ds_cli *cli, const char *dir, ds_error *err)
{
    json_t *schema = model_json_schema();
    char *text = json_dumps(schema, JSON_INDENT(2));
    json_decref(schema);
    if (!text)
        BUG("the schema can't be printed");
    ds_rc rc = file_write_atomic(in_dir(cli, dir, SCHEMA_FILE), str_of(text), false, err);
    free(text);
    return rc;
}

static void print_next(const ds_cli *cli, const char *dir, const ds_template *template)
{
    FILE *out = cli->out;
    fprintf(out, "\n%snext:%s\n", style(cli, STYLE_BOLD), style_end(cli));
    if (strcmp(dir, ".") != 0)
        fprintf(out, "  cd %s\n", dir);
    fprintf(out, "  datasurface simulate %s     makes source data, and changes it\n", template->store);
    fprintf(out, "  datasurface apply%*s     makes the merge database and the views\n",
            (int)strlen(template->store) + 4, "");
    fprintf(out, "  datasurface run --once%*s     brings the data over\n", (int)strlen(template->store) - 1, "");
}

static ds_rc write_files(ds_cli *cli, const char *dir, const ds_template *template, size_t *written, ds_error *err)
{
    for (*written = 0; *written < template->n; (*written)++)
        TRY(file_write_atomic(in_dir(cli, dir, template->files[*written].path), str_of(template->files[*written].text),
                              true, err));
    return init_write_schema(cli, dir, err);
}

// Half a model would be in the way of the next try. The directory goes when it is ours, that is empty and new.
static void take_back(ds_cli *cli, const char *dir, const ds_template *template, size_t written, bool made)
{
    for (size_t i = 0; i < written; i++)
        unlink(in_dir(cli, dir, template->files[i].path));
    if (made)
        rmdir(dir);
}

ds_rc init_write(ds_cli *cli, const char *dir, const ds_template *template, ds_error *err)
{
    TRY(check_free(cli, dir, template, err));
    bool made = !file_exists(dir);
    TRY(file_make_dirs(dir, err));
    size_t written;
    ds_rc rc = write_files(cli, dir, template, &written, err);
    if (rc.code != DS_OK)
        take_back(cli, dir, template, written, made);
    TRY(rc);
    for (size_t i = 0; i < template->n; i++)
        if (!cli->json && template->files[i].path[0] != '.')
            fprintf(cli->out, "wrote %s\n", in_dir(cli, dir, template->files[i].path));
    return DS_DONE;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    const char *dir = in_dir(cli, args_text(&cli->args, "dir"), args_word(&cli->args, 0));
    const ds_template *template = template_find(args_text(&cli->args, "template"));
    ds_assert(template);
    TRY(init_write(cli, dir, template, err));
    json_t *files = json_array();
    for (size_t i = 0; i < template->n; i++)
        json_array_append_new(files, json_text(template->files[i].path));
    cli->result = json_pack("{s:s, s:s, s:o}", "dir", dir, "template", template->name, "files", files);
    if (!cli->json)
        print_next(cli, dir, template);
    return DS_DONE;
}

const ds_cli_command COMMAND_INIT = {
    .name = "init",
    .summary = "write a model that lints and runs",
    .group = "A start",
    .arguments = {{.name = "DIR", .help = "where to; it may exist, but hold no model", .optional = false}},
    .options = OPTIONS,
    .help = "Writes a small model to begin with, on SQLite, so that it runs at once. `starter` has customers and their "
            "addresses, served live, with history, and masked; `northwind` has the 14 tables of a trading company; "
            "`wwi` has the 31 tables of an importer, with decimals, instants and geography. Nothing is ever "
            "overwritten.",
    .examples = {"datasurface init shop", "datasurface init --template northwind nw"},
    .run = run,
};
