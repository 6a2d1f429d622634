#include "cli/demo_views.h"

#include "cli/output.h"
#include "cli/view_list.h"

enum { CUSTOMERS_SHOWN = 5 };

typedef struct stage {
    ds_session session;
    ds_db *db;
    ds_relation live, masked, history;
} stage;

static void stage_close(stage *s)
{
    store_close(s->db);
    session_release(&s->session);
}

static ds_relation find_view(const view_list *views, const char *group, const char *store, const char *kind)
{
    for (size_t i = 0; i < views->n; i++) {
        const ds_artifact *is = &views->v[i].is;
        if (strcmp(is->kind, kind) == 0 && strcmp(is->group, group) == 0 && strcmp(is->store, store) == 0 &&
            strcmp(is->dataset, "customers") == 0)
            return is->relation;
    }
    return (ds_relation){0};
}

static ds_rc stage_open(stage *s, ds_cli *cli, const char *dir, ds_error *err)
{
    session_init(&s->session, cli);
    s->session.dir = s->session.runtime.base_dir = dir;
    view_list views;
    TRY(view_list_read(&s->session, NULL, &views, err));
    s->live = find_view(&views, "live", "Store1", "live");
    s->masked = find_view(&views, "live", "MaskedCustomers", "live");
    s->history = find_view(&views, "audit", "Store1", "history");
    if (!s->live.name || !s->masked.name || !s->history.name)
        return ds_fail(err, DS_FINDING, "the demo's model has changed: its views are not there");
    return runtime_open(&s->session.runtime, &s->session.merges[0], (ds_access){.read_only = true}, &s->db, err);
}

static void print_result(ds_cli *cli, const char *const *headings, const ds_result *result)
{
    ds_table table = table_new(cli->arena, headings);
    for (size_t r = 0; r < result->rows; r++) {
        table_row(&table);
        for (size_t c = 0; c < result->columns; c++) {
            const char *text = result_text(result, r, c);
            table_cell(&table, c, "%s", text ? text : "");
        }
    }
    table_print(cli, &table, "  ");
}

ds_rc demo_show_customers(ds_cli *cli, const char *dir, ds_error *err)
{
    static const char *const HEADINGS[] = {"id",       "live: firstname",    "lastname", "email", "masked: firstname",
                                           "lastname", ">history: versions", NULL};
    CLEANUP(stage_close) stage s = {0};
    TRY(stage_open(&s, cli, dir, err));
    CLEANUP(sql_release) ds_sql q = sql_new(s.db->dialect);
    SQL(&q, "SELECT l.id, l.firstname, l.lastname, l.email, m.firstname, m.lastname, (SELECT COUNT(*) FROM ");
    sql_relation(&q, s.history);
    SQL(&q, " h WHERE h.id = l.id) AS versions FROM ");
    sql_relation(&q, s.live);
    SQL(&q, " l LEFT JOIN ");
    sql_relation(&q, s.masked);
    SQL(&q, " m ON m.id = l.id ORDER BY versions DESC, l.id LIMIT ");
    sql_int(&q, CUSTOMERS_SHOWN);
    ds_result result;
    TRY(store_query(s.db, &q, cli->arena, &result, err));
    print_result(cli, HEADINGS, &result);
    return DS_DONE;
}

// The customer with the most to tell: many versions, and differences that one can see.
static void pick_customer(ds_sql *q, ds_relation history)
{
    SQL(q, "SELECT id FROM ");
    sql_relation(q, history);
    SQL(q, " GROUP BY id ORDER BY COUNT(*) DESC, COUNT(DISTINCT email) + COUNT(DISTINCT phone) DESC, id LIMIT 1");
}

ds_rc demo_show_versions(ds_cli *cli, const char *dir, ds_error *err)
{
    static const char *const HEADINGS[] = {"id",       ">batches", "valid from", "to",    "firstname",
                                           "lastname", "dob",      "email",      "phone", NULL};
    CLEANUP(stage_close) stage s = {0};
    TRY(stage_open(&s, cli, dir, err));
    CLEANUP(sql_release) ds_sql q = sql_new(s.db->dialect);
    SQL(&q, "SELECT id, ds_batch_in || ' to ' || CASE WHEN ds_valid_to IS NULL THEN 'now' ELSE ds_batch_out END, "
            "substr(ds_valid_from, 12, 12), coalesce(substr(ds_valid_to, 12, 12), ''), firstname, lastname, "
            "dob, email, phone FROM ");
    sql_relation(&q, s.history);
    SQL(&q, " WHERE id = (");
    pick_customer(&q, s.history);
    SQL(&q, ") ORDER BY ds_batch_in");
    ds_result result;
    TRY(store_query(s.db, &q, cli->arena, &result, err));
    print_result(cli, HEADINGS, &result);
    return DS_DONE;
}
