#include "fault/pg_rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/postgres/postgres.h"

enum { KEYS = 40, FIRST_ROWS = 12, BULK_ROWS = 7, BULK_TIMES = 370000, LEVELS = 3 };

static const char *const LEVEL_TYPES[LEVELS] = {"smallint", "integer", "bigint"};

int rig_below(rig *r, int n)
{
    return (int)rng_below(&r->chance, (uint64_t)n);
}

// --- the source's session

static void ignore_notice(void *context, const char *message)
{
    (void)context, (void)message;
}

static bool connect_writer(rig *r)
{
    const char *const names[] = {"host", "dbname", "user", "password", "application_name", "options", NULL};
    const char *const values[] = {
        r->source.host, r->source.name, r->source.role, PG_PASSWORD, "producer", "-c statement_timeout=60s", NULL};
    PQfinish(r->writer);
    r->writer = PQconnectdbParams(names, values, 0);
    if (PQstatus(r->writer) == CONNECTION_OK) {
        PQsetNoticeProcessor(r->writer, ignore_notice, NULL);
        return true;
    }
    PQfinish(r->writer);
    r->writer = NULL;
    return false;
}

// NULL when the connection is lost.
static PGresult *ask(rig *r, const char *statements)
{
    if (!r->writer)
        return NULL;
    PGresult *result = PQexec(r->writer, statements);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return result;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state && strncmp(state, "57P", 3) != 0) // what libpq finds by itself has no state
        BUG("%s: %s", statements, PQerrorMessage(r->writer));
    PQclear(result);
    PQfinish(r->writer);
    r->writer = NULL;
    return NULL;
}

static const char *lines_of(ds_arena *arena, const PGresult *result, int columns)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 20);
    for (int row = 0; row < PQntuples(result); row++) {
        for (int column = 0; column < PQnfields(result); column++) {
            bool null = column >= columns || PQgetisnull(result, row, column);
            buf_printf(&out, "%s%s", column ? "|" : "", null ? "~" : PQgetvalue(result, row, column));
        }
        buf_putc(&out, '\n');
    }
    return arena_strdup(arena, buf_text(&out));
}

// What the source holds after change `count`. False when the server is gone.
static bool remember(rig *r, int64_t count)
{
    if (count >= RIG_STATES_MAX)
        BUG("too many changes");
    PGresult *people = ask(r, r->there.note ? "SELECT id, name, amount, level, note FROM people ORDER BY id"
                                            : "SELECT id, name, amount, level, NULL FROM people ORDER BY id");
    PGresult *words = ask(r, "SELECT kind, word FROM words ORDER BY 1, 2");
    PGresult *bulk = ask(r, "SELECT id, left(pad, 4) || octet_length(pad) FROM bulk ORDER BY 1, 2");
    bool told = people && words && bulk;
    if (told)
        r->states[count] = (rig_state){.people = {lines_of(r->kept, people, 4), lines_of(r->kept, people, 5)},
                                       .words = lines_of(r->kept, words, 2),
                                       .bulk = lines_of(r->kept, bulk, 2)};
    PQclear(people);
    PQclear(words);
    PQclear(bulk);
    if (!told)
        return false;
    r->count = count;
    r->unsure = false;
    return true;
}

// --- changes

static void put_person(rig *r, int id, ds_buf *sql)
{
    buf_printf(sql, "INSERT INTO people (id, name, amount, level) VALUES (%d, 'n%d', %d.25, %d);", id, rig_below(r, 4),
               rig_below(r, 3), rig_below(r, 5));
    if (r->there.note && rig_below(r, 2))
        buf_printf(sql, "UPDATE people SET note = 'about %d' WHERE id = %d;", rig_below(r, 4), id);
}

static void put_word(rig *r, ds_buf *sql)
{
    if (rig_below(r, 5) < 3)
        buf_printf(sql, "INSERT INTO words VALUES (%d, 'w%d');", rig_below(r, 3), rig_below(r, 3));
    else
        buf_printf(sql, "DELETE FROM words WHERE ctid = (SELECT ctid FROM words WHERE kind = %d LIMIT 1);",
                   rig_below(r, 3));
}

static void put_changes(rig *r, ds_buf *sql)
{
    for (int i = rig_below(r, 8); i > 0; i--) {
        int id = rig_below(r, KEYS);
        buf_printf(sql, "DELETE FROM people WHERE id = %d;", id);
        if (rig_below(r, 5))
            put_person(r, id, sql);
    }
    for (int i = rig_below(r, 4); i > 0; i--)
        put_word(r, sql);
    if (rig_below(r, 8) == 0)
        buf_printf(sql, "UPDATE bulk SET pad = repeat('%c%d', %d) WHERE id <> %d;", 'a' + rig_below(r, 26),
                   rig_below(r, 10), BULK_TIMES, rig_below(r, BULK_ROWS));
    if (rig_below(r, 40) == 0)
        buf_puts(sql, "DELETE FROM people;");
    if (rig_below(r, 40) == 0)
        buf_puts(sql, "TRUNCATE words;");
}

static bool commit(rig *r, ds_buf *sql)
{
    buf_puts(sql, "UPDATE version SET n = n + 1");
    r->unsure = true;
    PGresult *done = ask(r, buf_text(sql)); // several statements at once are one transaction
    PQclear(done);
    return done && remember(r, r->count + 1);
}

bool rig_change(rig *r)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 16);
    put_changes(r, &sql);
    return commit(r, &sql);
}

void rig_change_for(rig *r, int changes, int pause_us)
{
    for (int i = 0; i < changes && rig_change(r); i++)
        if (pause_us)
            usleep((useconds_t)rig_below(r, pause_us));
}

void rig_recover(rig *r)
{
    if (!connect_writer(r)) {
        pgserver_start(r->server);
        if (!connect_writer(r))
            BUG("the server is up and takes no connection");
    }
    PGresult *result = ask(r, "SELECT n FROM version");
    int64_t n = result ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : -1;
    PQclear(result);
    if (n != r->count && !(r->unsure && n == r->count + 1))
        fail_msg("the source is at change %" PRId64 ", the ledger at %" PRId64, n, r->count);
    if (!remember(r, n))
        BUG("the server is gone again");
}

void rig_alter_source(rig *r)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 12);
    const rig_shape *to = &r->model;
    if (to->note != r->there.note)
        buf_puts(&sql, to->note ? "ALTER TABLE people ADD COLUMN note varchar(30);"
                                  "UPDATE people SET note = 'new' WHERE id % 2 = 0;"
                                : "ALTER TABLE people DROP COLUMN note;");
    buf_printf(&sql,
               "ALTER TABLE people ALTER name TYPE varchar(%d), ALTER amount TYPE numeric(%d, 2), ALTER level TYPE %s;",
               to->name_length, to->digits, LEVEL_TYPES[to->level]);
    r->there = *to;
    if (!commit(r, &sql))
        BUG("the server is gone");
}

// --- the model

static void put_columns(const rig_shape *s, ds_buf *out)
{
    buf_printf(
        out,
        "datasets:\n"
        "  people: {columns: {id: integer primary key, name: varchar(%d), amount: \"decimal(%d,2)\", level: %s%s}}\n"
        "  bulk: {columns: {id: integer primary key, pad: text}}\n"
        "  words: {key: none, columns: {kind: integer, word: varchar(10)}}\n"
        "  version: {columns: {id: integer primary key, n: bigint}}\n",
        s->name_length, s->digits, LEVEL_TYPES[s->level], s->note ? ", note: varchar(30)" : "");
}

static void put_model(const rig *r, ds_buf *out)
{
    buf_printf(out,
               "kind: DataContainer\nteam: Z/T\nname: Source\ntype: postgres\nhost: %s\ndatabase: %s\n"
               "---\nkind: Datastore\nteam: Z/T\nname: S\n"
               "capture: {type: sql_snapshot, container: Source, credential: Source, trigger: {cron: \"* * * * *\"},"
               " consistency: multi_dataset, max_delete_ratio: 1}\n",
               r->source.host, r->source.name);
    put_columns(&r->model, out);
    buf_puts(out, "---\nkind: Workspace\nteam: Z/T\nname: W\ndataset_groups:\n"
                  "  live: {requires: {history: live}, sinks: [S/people, S/words, S/version, S/bulk]}\n"
                  "  two: {requires: {history: full}, sinks: [S/people, S/version, S/bulk]}\n"
                  "  four: {requires: {history: full}, sinks: [S/people, S/version, S/bulk]}\n");
    buf_printf(out,
               "---\nkind: PlatformService\nname: Svc\nmerge: {container: Merge, credential: Merge}\ncontainers:\n"
               "  Merge: {type: postgres, host: %s, database: %s}\n"
               "hints: {streams: {S: {chunk_rows: 5, workers: 2}}}\nplatforms:\n"
               "  One: {type: yellow, milestoning: scd1, staging_batches: all}\n"
               "  Two: {type: yellow, milestoning: scd2, staging_batches: 3}\n"
               "  Four: {type: yellow, milestoning: scd4}\nassignments:\n"
               "  - {group: W/live, platforms: [{platform: One, status: provisioned}]}\n"
               "  - {group: W/two, platforms: [{platform: Two, status: provisioned}]}\n"
               "  - {group: W/four, platforms: [{platform: Four, status: provisioned}]}\n",
               r->merge.host, r->merge.name);
}

static const ds_stream_def *stream_of(const rig *r, ds_milestoning milestoning)
{
    const ds_deployment *d = r->e.deployment;
    for (size_t i = 0; i < d->n; i++)
        if (d->streams[i]->milestoning == milestoning)
            return d->streams[i];
    BUG("a stream is missing");
}

// Definitions of the model before are not looked at any more.
void rig_compile(rig *r)
{
    static const ds_milestoning KINDS[RIG_STREAMS] = {MILESTONING_SCD1, MILESTONING_SCD2, MILESTONING_SCD4};
    CLEANUP(buf_release) ds_buf yaml = BUF_INIT(1 << 16);
    ds_error err;
    put_model(r, &yaml);
    OK(estate_compile(&r->e, buf_text(&yaml), &err));
    if (r->e.model_count > 1) {
        model_free(r->e.models[0]);
        r->e.models[0] = r->e.models[1];
        r->e.model_count = 1;
    }
    for (int i = 0; i < RIG_STREAMS; i++)
        r->streams[i].def = stream_of(r, KINDS[i]);
}

ds_rc rig_apply(rig *r, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_plan *plan;
    TRY(plan_make(&r->e.runtime, r->e.deployment, false, arena, &plan, err));
    TRY(plan_apply(&r->e.runtime, plan, NULL, err));
    TRY(plan_make(&r->e.runtime, r->e.deployment, false, arena, &plan, err));
    if (plan->n)
        return ds_fail(err, DS_INTERNAL, "the plan after apply is not empty: %s %s", plan->changes[0].action,
                       plan->changes[0].object);
    return DS_DONE;
}

ds_rc rig_job(rig *r, int stream, const ds_job_options *options, ds_job_result *out, ds_error *err)
{
    return job_run(&r->e.runtime, &r->e.deployment->merge, r->streams[stream].def->name, options, r->scratch, out, err);
}

void rig_note_versions(rig *r)
{
    if (strcmp(pg_query_text(&r->merge, "SELECT to_regclass('datasurface.stream')", r->scratch), "~\n") == 0)
        return;
    for (int i = 0; i < RIG_STREAMS; i++) {
        rig_stream *s = &r->streams[i];
        CLEANUP(buf_release) ds_buf q = BUF_INIT(1000);
        buf_printf(&q, "SELECT COALESCE(max(version), 0) FROM datasurface.stream WHERE name = '%s'", s->def->name);
        int64_t version = strtoll(pg_query_text(&r->merge, buf_text(&q), r->scratch), NULL, 10);
        ds_assert(version < RIG_VERSIONS_MAX);
        for (; s->version < version; s->version++)
            s->has_note[s->version + 1] = r->model.note;
    }
}

// --- the whole

static void write_secret(const rig *r, const char *credential, const char *part, const char *text)
{
    char path[2 * WORKDIR_PATH];
    snprintf(path, sizeof path, "%s/%s", r->e.dir.path, credential);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s/%s", r->e.dir.path, credential, part);
    FILE *out = fopen(path, "w");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0)
        BUG("can't write %s", path);
}

static void open_estate(rig *r)
{
    estate_open_on(&r->e, &(test_pair){.name = "postgres", .drivers = {&POSTGRES_DRIVER, &POSTGRES_DRIVER}});
    r->e.runtime.clock = clock_system();
    write_secret(r, "Source", "USER", r->source.role);
    write_secret(r, "Source", "PASSWORD", PG_PASSWORD);
    write_secret(r, "Merge", "USER", r->merge.role);
    write_secret(r, "Merge", "PASSWORD", PG_PASSWORD);
}

static void fill_source(rig *r)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 16);
    buf_puts(&sql, "CREATE TABLE people (id integer PRIMARY KEY, name varchar(20), amount numeric(7, 2),"
                   " level smallint, note varchar(30));"
                   "CREATE TABLE words (kind integer, word varchar(10));"
                   "CREATE TABLE bulk (id integer PRIMARY KEY, pad text);"
                   "CREATE TABLE version (id integer PRIMARY KEY, n bigint); INSERT INTO version VALUES (1, -1);");
    for (int i = 0; i < FIRST_ROWS; i++) {
        put_person(r, i, &sql);
        buf_printf(&sql, "INSERT INTO words VALUES (%d, 'w%d');", i % 3, i % 2);
    }
    buf_printf(&sql, "INSERT INTO bulk SELECT i, repeat('x', %d) FROM generate_series(0, %d) AS i;", 2 * BULK_TIMES,
               BULK_ROWS - 1);
    r->count = -1;
    if (!connect_writer(r) || !commit(r, &sql))
        BUG("the new server doesn't answer");
}

void rig_open(rig *r, ds_rng chance)
{
    *r = (rig){.chance = chance,
               .kept = arena_new(),
               .scratch = arena_new(),
               .server = pgserver_private_new(),
               .model = {.note = true, .name_length = 20, .digits = 7}};
    r->there = r->model;
    r->states = calloc(RIG_STATES_MAX, sizeof *r->states);
    ds_assert(r->states);
    for (int i = 0; i < RIG_STREAMS; i++)
        r->streams[i].has_note = ARENA_ARRAY(r->kept, bool, RIG_VERSIONS_MAX);
    pg_database_new(pgserver_host(r->server), &r->source);
    pg_database_new(pgserver_host(r->server), &r->merge);
    open_estate(r);
    fill_source(r);
    rig_compile(r);
}

void rig_close(rig *r)
{
    PQfinish(r->writer);
    estate_close(&r->e);
    pgserver_free(r->server);
    free(r->states);
    arena_free(r->kept);
    arena_free(r->scratch);
}
