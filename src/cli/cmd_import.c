#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/import_place.h"
#include "cli/output.h"
#include "cli/session.h"
#include "gate/import.h"
#include "model/pattern.h"

static const ds_option OPTIONS[] = {
    {"datastore", 0, OPTION_TEXT, "NAME", .help = "the datastore's name (default: made from the file's or database's)"},
    {"team", 0, OPTION_TEXT, "ZONE/TEAM", .help = "who owns it (default: the only team of the model)"},
    {"tables", 0, OPTION_TEXT, "GLOB", .help = "only tables whose names match"},
    {"schema", 0, OPTION_TEXT, "GLOB", .help = "only schemas whose names match (default: all that users made)"},
    {"views", 0, OPTION_FLAG, .help = "views, materialized views and foreign tables as well"},
    {"credential", 0, OPTION_TEXT, "NAME", .help = "what the model calls user and password; looked up for this, too"},
    {"container", 0, OPTION_TEXT, "NAME", .help = "of a data contract: the model's container where its data is"},
    {"output", 'o', OPTION_TEXT, "FILE", .help = "where to (default: NAME.yaml in the model's directory; -: print it)"},
    {"force", 0, OPTION_FLAG, .help = "overwrite the file"},
    {0},
};

// --- where the source is

// The text before "://" or ":" when it is a scheme and no file name.
static ds_str scheme_of(const char *url)
{
    ds_str rest = str_of(url);
    ds_str scheme = str_split(&rest, ':');
    bool is_scheme = scheme.n > 1 && scheme.n < strlen(url) && !memchr(scheme.p, '/', scheme.n);
    return is_scheme ? scheme : (ds_str){url, 0};
}

// Where the tables are; what may be secret is released by the caller.
typedef struct import_source {
    bool is_server;
    ds_target target; // as it is reached from here
    ds_secret secret;
    const ds_catalog_table *tables; // of a file
    size_t n;
    postgres_survey survey; // of a server
} import_source;

static void source_release(import_source *source)
{
    secret_release(&source->secret);
}

static ds_rc find_file(const ds_cli *cli, const char *path, import_source *out, ds_error *err)
{
    static const char *const OF_SERVERS[] = {"schema", "credential", "views"};
    for (size_t i = 0; i < sizeof OF_SERVERS / sizeof OF_SERVERS[0]; i++)
        if (args_given(&cli->args, OF_SERVERS[i]))
            return ds_fail(err, DS_USAGE, "--%s is for PostgreSQL", OF_SERVERS[i]);
    if (!path[0])
        return ds_fail(err, DS_USAGE, "\"%s\" names no file", args_word(&cli->args, 0));
    out->target = (ds_target){.type = "sqlite", .path = path};
    return DS_DONE;
}

// What the URL doesn't say of user and password, the credential does; what neither does, libpq finds.
static ds_rc add_credential(const ds_session *session, ds_secret *secret, ds_error *err)
{
    const char *credential = args_text(&session->cli->args, "credential");
    if (!credential)
        return DS_DONE;
    if (!MODEL_PATTERNS[PATTERN_LABEL].matches(str_of(credential)))
        return ds_hint(ds_fail(err, DS_USAGE, "\"%s\" is not the name of a credential", credential), err, "%s",
                       MODEL_PATTERNS[PATTERN_LABEL].form);
    CLEANUP(secret_release) ds_secret found = {0};
    TRY(secret_find(session->runtime.secrets_dir, credential, &found, err));
    static const ds_secret_part LOGIN[] = {SECRET_USER, SECRET_PASSWORD};
    for (size_t i = 0; i < sizeof LOGIN / sizeof LOGIN[0]; i++) {
        ds_secret_part part = LOGIN[i];
        if (secret->parts[part])
            continue;
        secret->parts[part] = found.parts[part];
        found.parts[part] = NULL;
    }
    return DS_DONE;
}

static ds_rc find_source(const ds_session *session, import_source *out, ds_error *err)
{
    const ds_cli *cli = session->cli;
    const char *url = args_word(&cli->args, 0);
    ds_str scheme = scheme_of(url);
    if (str_eq(scheme, STR("sqlite")))
        return find_file(cli, url + scheme.n + 1, out, err);
    if (!scheme.n)
        return find_file(cli, url, out, err);
    if (!str_eq(scheme, STR("postgres")) && !str_eq(scheme, STR("postgresql")))
        return ds_hint(ds_fail(err, DS_USAGE, "can't import from \"%.*s:\"", STR_ARGS(scheme)), err,
                       "write postgres://…, sqlite:PATH, or a file's name");
    out->is_server = true;
    ds_rc rc = postgres_url_parse(cli->arena, url, &out->target, &out->secret, err);
    postgres_url_hide((char *)(uintptr_t)url); // of our own argv, which others can see
    TRY(rc);
    return add_credential(session, &out->secret, err);
}

// As the model says it: relative to the model's directory where the file lies below it.
static const char *model_path(ds_arena *arena, const char *dir, const char *path)
{
    if (strcmp(dir, ".") == 0)
        return path;
    char *real_dir = realpath(dir, NULL), *real_path = realpath(path, NULL);
    const char *out = path;
    size_t n = real_dir ? strlen(real_dir) : 0;
    if (real_path)
        out = arena_strdup(arena, n && strncmp(real_path, real_dir, n) == 0 && real_path[n] == '/' ? real_path + n + 1
                                                                                                   : real_path);
    free(real_dir);
    free(real_path);
    return out;
}

static const char *model_file(ds_arena *arena, const char *dir, const char *path)
{
    return path && path[0] ? model_path(arena, dir, path) : NULL;
}

static ds_target model_target(ds_arena *arena, const char *dir, const ds_target *source)
{
    ds_target target = *source;
    target.path = model_file(arena, dir, source->path);
    target.tls_ca = model_file(arena, dir, source->tls_ca);
    target.tls_cert = model_file(arena, dir, source->tls_cert);
    target.tls_key = model_file(arena, dir, source->tls_key);
    return target;
}

// "data/chinook.sqlite" -> "chinook"
static const char *name_from_path(ds_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    ds_str stem = {base, dot && dot > base ? (size_t)(dot - base) : strlen(base)};
    return import_legal_name(arena, arena_str(arena, stem), "imported");
}

static const char *default_name(ds_arena *arena, const import_source *source)
{
    return source->is_server ? import_legal_name(arena, source->target.database, "imported")
                             : name_from_path(arena, source->target.path);
}

// --- reading and writing

static ds_rc read_tables(ds_db *db, ds_arena *arena, import_source *source, ds_error *err)
{
    if (!source->is_server)
        return db->driver->list(db, arena, &source->tables, &source->n, err);
    TRY(postgres_survey_read(db, arena, &source->survey, err));
    postgres_where(db, arena, &source->target);
    return DS_DONE;
}

static ds_rc read_catalog(const ds_session *session, import_source *source, ds_error *err)
{
    ds_open_options options = {.read_only = true,
                               .busy_timeout_ms = 5000,
                               .purpose = "datasurface import",
                               .cancelled = session->runtime.cancelled,
                               .clock = session->runtime.clock,
                               .secret = &source->secret};
    ds_db *db;
    TRY(store_open(session->runtime.store, &source->target, &options, &db, err));
    ds_rc rc = read_tables(db, session->cli->arena, source, err);
    store_close(db);
    return rc;
}

static ds_rc make_text(const import_source *source, const ds_import_options *options, ds_arena *arena, ds_buf *out,
                       ds_import_summary *summary, ds_error *err)
{
    if (source->is_server)
        return import_postgres(options, &source->survey, arena, out, summary, err);
    return import_catalog(options, source->tables, source->n, arena, out, summary, err);
}

static bool is_server(const ds_import_options *options)
{
    return options->target->host != NULL;
}

static void print_summary(ds_cli *cli, const char *path, const ds_import_options *options, const ds_import_summary *s)
{
    cli->result =
        json_pack("{s:s, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "datastore", options->datastore, "file",
                  json_text(path), "whole_model", options->whole_model, "tables", (json_int_t)s->tables, "views",
                  (json_int_t)s->views, "keyless", (json_int_t)s->keyless, "renamed", (json_int_t)s->renamed, "guessed",
                  (json_int_t)s->guessed, "left_out", (json_int_t)s->left_out);
    if (cli->json)
        return;
    FILE *out = cli->out;
    fprintf(out, "wrote %s: %s with %zu dataset%s%s\n", path, options->datastore, s->tables, plural((int64_t)s->tables),
            options->whole_model ? ", and a model around it" : "");
    if (s->views && !is_server(options)) // of a server print_notes tells
        fprintf(out, "  %zu view%s left out\n", s->views, plural((int64_t)s->views));
    if (s->keyless)
        fprintf(out, "  %zu without a primary key: live rows only, no history\n", s->keyless);
    if (s->renamed)
        fprintf(out, "  %zu name%s made legal; the source's stand beside them\n", s->renamed,
                plural((int64_t)s->renamed));
    if (s->skipped)
        fprintf(out, "  %zu column%s without a name left out\n", s->skipped, plural((int64_t)s->skipped));
    if (s->guessed)
        fprintf(out, "  %zu column%s of an unknown type: look at the descriptions\n", s->guessed,
                plural((int64_t)s->guessed));
    fprintf(out, "\nnext: classify the data, then datasurface lint%s\n",
            options->whole_model ? ", apply and run --once" : "");
}

// What people should know of an import from a server, wherever the text went.
static void print_notes(const ds_cli *cli, const ds_import_options *options, const ds_import_summary *s)
{
    if (s->left_out)
        note(cli, "not imported: %zu table%s; comments in the text say why", s->left_out, plural((int64_t)s->left_out));
    if (s->views)
        note(cli, "not imported: %zu view%s or foreign table%s; --views imports them", s->views,
             plural((int64_t)s->views), plural((int64_t)s->views));
    if (!options->credential)
        note(cli,
             "the model names no credential: --credential NAME writes one, whose user and password the program then "
             "finds in DATASURFACE_NAME_USER and DATASURFACE_NAME_PASSWORD");
}

// The text to its file or to standard output, and what there is to say about it.
static ds_rc deliver(ds_session *session, const import_place *place, const ds_import_options *options,
                     const ds_buf *yaml, const ds_import_summary *summary, ds_error *err)
{
    ds_cli *cli = session->cli;
    if (strcmp(place->output, "-") == 0) {
        fwrite(yaml->p, 1, yaml->n, cli->out);
        cli->json = false;
        return DS_DONE;
    }
    TRY(import_place_write(session, place, buf_str(yaml), err));
    print_summary(cli, place->output, options, summary);
    return DS_DONE;
}

static ds_rc import_database(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    CLEANUP(source_release) import_source source = {0};
    TRY(find_source(&session, &source, err));
    TRY(read_catalog(&session, &source, err));
    const char *datastore = args_text(&cli->args, "datastore");
    if (!datastore)
        datastore = default_name(cli->arena, &source);
    import_place there;
    TRY(import_place_find(&session, datastore, args_text(&cli->args, "team"), &there, err));
    ds_target target = model_target(cli->arena, session.dir, &source.target);
    ds_import_options options = {
        .datastore = datastore,
        .team = there.team,
        .target = &target,
        .credential = args_text(&cli->args, "credential"),
        .tables = args_text(&cli->args, "tables"),
        .schemas = args_text(&cli->args, "schema"),
        .views = args_flag(&cli->args, "views"),
        .whole_model = !there.has_ecosystem,
    };
    CLEANUP(buf_release) ds_buf yaml = BUF_INIT(IMPORT_TEXT_MAX);
    ds_import_summary summary;
    TRY(make_text(&source, &options, cli->arena, &yaml, &summary, err));
    TRY(deliver(&session, &there, &options, &yaml, &summary, err));
    if (is_server(&options))
        print_notes(cli, &options, &summary);
    return DS_DONE;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    const char *file = args_word(&cli->args, 1);
    if (file && strcmp(args_word(&cli->args, 0), "odcs") == 0)
        return import_odcs_run(cli, file, err);
    if (file)
        return ds_hint(ds_fail(err, DS_USAGE, "import takes one URL, and \"%s\" is too much", file), err,
                       "import odcs FILE imports a data contract");
    if (args_given(&cli->args, "container"))
        return ds_fail(err, DS_USAGE, "--container is for data contracts");
    return import_database(cli, err);
}

const ds_cli_command COMMAND_IMPORT = {
    .name = "import",
    .summary = "a datastore from a database's catalogue, or from a data contract",
    .group = "A start",
    .arguments =
        {{.name = "URL",
          .help =
              "postgres://[user[:password]@]host[:port]/database[?sslmode=…], sqlite:PATH, or a file's name; or odcs"},
         {.name = "FILE", .help = "after odcs: a data contract in YAML or JSON", .optional = true}},
    .options = OPTIONS,
    .help =
        "Reads tables, columns and keys from a database and writes its DataContainer and Datastore as a file of the "
        "model. Where there is no Ecosystem yet it writes a complete model of one team around them, with a live and a "
        "history group; --force over such a file writes all of it again. Names that the model can't have get legal ones, with the source's beside them. Classification is "
        "never guessed: lint warns until you say it.\n\n"
        "A PostgreSQL URL is read as psql reads it; what it leaves out comes from PGHOST, PGPASSWORD, ~/.pgpass and so "
        "on. User and password are used for this import only and never written: the model says --credential. The key is the primary key, else a unique index "
        "over columns that are never null, else none. A partitioned table is one dataset. What can't be imported "
        "stands in the file as a comment with the reason.\n\n"
        "`import odcs FILE` reads a contract of the Open Data Contract Standard, version 3: its objects become datasets, "
        "its first known server the DataContainer, unless the model has one of that name or --container names one. What "
        "a model has no place for stands in the file as a comment. `datasurface export odcs` writes contracts that come "
        "back as the same datastore.",
    .examples = {"datasurface import chinook.sqlite",
                 "datasurface import sqlite:/data/crm.db --datastore CRM --team EU/sales",
                 "datasurface import odcs orders.odcs.yaml --team EU/sales",
                 "datasurface import postgres://reader@db.internal/shop --schema 'sales*' --credential shop_ro"},
    .run = run,
};
