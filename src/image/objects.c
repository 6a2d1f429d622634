// The rows that say what documents say.
#include "image/image_int.h"

typedef struct filler {
    ds_image_writer *w;
    const ds_model *model;
    ds_buf text; // of a list
    ds_error *err;
    ds_rc rc; // the first failure
} filler;

static void begin(filler *f, image_table_id table)
{
    image_row_begin(f->w, table);
}

static void text(filler *f, const char *s)
{
    image_cell_text(f->w, s);
}

static void number(filler *f, int64_t v)
{
    image_cell_int(f->w, v);
}

// The cells of FILE_LINE end every row.
static void end(filler *f, ds_pos pos)
{
    number(f, pos.file);
    number(f, pos.line);
    if (f->rc.code == DS_OK)
        f->rc = image_row_end(f->w, f->err);
}

static void list(filler *f, const ds_texts *texts)
{
    buf_clear(&f->text);
    for (size_t i = 0; i < texts->n; i++)
        buf_printf(&f->text, "%s%s", i ? " " : "", texts->v[i].s);
    text(f, buf_text(&f->text));
}

static void deprecated(filler *f, const ds_deprecation *d)
{
    text(f, d->v ? d->reason ? d->reason : "" : NULL);
}

// --- the centre

static void put_zone(filler *f, const ds_declaration *declared)
{
    const ds_zone *zone = declared->name.s ? model_zone(f->model, declared->name.s) : NULL;
    begin(f, IMAGE_ZONES);
    text(f, declared->name.s);
    text(f, declared->repository.s);
    text(f, zone && zone->description.s ? zone->description.s : declared->description.s);
    number(f, zone != NULL);
    end(f, zone ? zone->pos : declared->pos);
}

static void put_service(filler *f, const ds_declaration *declared)
{
    const ds_platform_service *service = declared->name.s ? model_service(f->model, declared->name.s) : NULL;
    begin(f, IMAGE_SERVICES);
    text(f, declared->name.s);
    text(f, declared->repository.s);
    text(f, service && service->description.s ? service->description.s : declared->description.s);
    number(f, service != NULL);
    text(f, service ? service->merge_container.s : NULL);
    text(f, service ? service->merge_credential.s : NULL);
    number(f, service && service->auto_assign.v);
    end(f, service ? service->pos : declared->pos);
}

static void put_locations(filler *f, const ds_vendor *vendor)
{
    for (size_t i = 0; i < vendor->locations.n; i++) {
        begin(f, IMAGE_LOCATIONS);
        text(f, vendor->name.s);
        text(f, vendor->locations.v[i].s);
        end(f, vendor->locations.v[i].pos);
    }
}

static void put_ecosystem(filler *f, const ds_ecosystem *e)
{
    begin(f, IMAGE_ECOSYSTEM);
    text(f, e->name.s);
    text(f, e->repository.s);
    text(f, e->live.s);
    text(f, e->description.s);
    end(f, e->pos);
    for (size_t i = 0; i < e->vendors.n; i++) {
        const ds_vendor *vendor = &e->vendors.v[i];
        begin(f, IMAGE_VENDORS);
        text(f, vendor->name.s);
        text(f, vendor->cloud.s);
        list(f, &vendor->locations);
        text(f, vendor->description.s);
        end(f, vendor->pos);
        put_locations(f, vendor);
    }
    for (size_t i = 0; i < e->zones.n; i++)
        put_zone(f, &e->zones.v[i]);
    for (size_t i = 0; i < e->platform_services.n; i++)
        put_service(f, &e->platform_services.v[i]);
}

static void put_teams(filler *f, const ds_zone *zone)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(4096);
    for (size_t i = 0; i < zone->teams.n; i++) {
        const ds_declaration *team = &zone->teams.v[i];
        buf_clear(&path);
        buf_printf(&path, "%s/%s", zone->name.s ? zone->name.s : "", team->name.s ? team->name.s : "");
        begin(f, IMAGE_TEAMS);
        text(f, buf_text(&path));
        text(f, zone->name.s);
        text(f, team->repository.s);
        text(f, team->description.s);
        end(f, team->pos);
    }
}

static void put_container(filler *f, const ds_container *c, const char *service)
{
    begin(f, IMAGE_CONTAINERS);
    const char *const texts[] = {c->name.s, c->team.s, service, c->type_text.s, c->path.s, c->host.s};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        text(f, texts[i]);
    if (c->port.set)
        number(f, c->port.v);
    else
        text(f, NULL);
    text(f, c->database.s);
    text(f, c->schema.s);
    list(f, &c->locations);
    end(f, c->pos);
}

// --- who produces and uses

static void put_store(filler *f, const ds_datastore *s)
{
    begin(f, IMAGE_STORES);
    text(f, s->name.s);
    text(f, s->team.s);
    text(f, s->description.s);
    number(f, s->production.v);
    deprecated(f, &s->deprecated);
    text(f, s->producer ? s->producer->name.s : NULL);
    text(f, s->producer ? "transformer" : s->capture.type_text.s);
    text(f, s->capture.container.s);
    text(f, s->capture.credential.s);
    text(f, s->capture.trigger.cron.s);
    text(f, s->capture.consistency_text.s);
    number(f, (int64_t)datastore_dataset_count(s));
    end(f, s->pos);
}

static void put_sink(filler *f, const ds_workspace *w, const ds_group *group, const ds_sink *sink)
{
    begin(f, IMAGE_SINKS);
    text(f, w->name.s);
    text(f, group->name);
    text(f, sink->store);
    text(f, sink->dataset);
    number(f, sink->allow_deprecated.v);
    end(f, sink->pos);
}

static void put_group(filler *f, const ds_workspace *w, const ds_group *group)
{
    const ds_requires *r = &group->requires_;
    begin(f, IMAGE_GROUPS);
    const char *const texts[] = {w->name.s,    group->name,    r->history_text.s,
                                 r->latency.s, r->retention.s, r->regulator.s};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        text(f, texts[i]);
    end(f, group->pos);
    for (size_t i = 0; i < group->sinks.n; i++)
        put_sink(f, w, group, &group->sinks.v[i]);
}

static void put_workspace(filler *f, const ds_workspace *w)
{
    const ds_transformer *t = &w->transformer;
    begin(f, IMAGE_WORKSPACES);
    text(f, w->name.s);
    text(f, w->team.s);
    text(f, w->description.s);
    number(f, w->production.v);
    deprecated(f, &w->deprecated);
    text(f, w->priority_text.s);
    text(f, w->container.s);
    end(f, w->pos);
    for (size_t i = 0; i < w->groups.n; i++)
        put_group(f, w, &w->groups.v[i]);
    if (!t->pos.file)
        return;
    begin(f, IMAGE_TRANSFORMERS);
    text(f, w->name.s);
    text(f, t->name.s);
    text(f, t->output ? t->output->name.s : NULL);
    text(f, t->trigger.cron.s);
    text(f, t->command.pos.file ? "command" : "sql");
    end(f, t->pos);
}

// --- who moves

static void put_assignment(filler *f, const ds_platform_service *service, const ds_assignment *a)
{
    CLEANUP(buf_release) ds_buf workspace = BUF_INIT(4096);
    ds_str rest = str_of(a->group.s);
    buf_put_str(&workspace, str_split(&rest, '/'));
    for (size_t i = 0; i < a->platforms.n; i++) {
        begin(f, IMAGE_ASSIGNMENTS);
        text(f, service->name.s);
        text(f, buf_text(&workspace));
        text(f, rest.n ? rest.p : "");
        text(f, a->platforms.v[i].platform.s);
        text(f, a->platforms.v[i].status_text.s);
        end(f, a->platforms.v[i].pos);
    }
}

static void put_platforms(filler *f, const ds_platform_service *service)
{
    for (size_t i = 0; i < service->containers.n; i++)
        put_container(f, &service->containers.v[i], service->name.s);
    for (size_t i = 0; i < service->platforms.n; i++) {
        const ds_platform *p = &service->platforms.v[i];
        begin(f, IMAGE_PLATFORMS);
        text(f, p->name);
        text(f, service->name.s);
        text(f, p->type.s);
        text(f, p->milestoning_text.s);
        number(f, p->staging_batches);
        end(f, p->pos);
    }
    for (size_t i = 0; i < service->assignments.n; i++)
        put_assignment(f, service, &service->assignments.v[i]);
    for (size_t i = 0; i < service->primary_ingestion.n; i++) {
        const ds_primary *primary = &service->primary_ingestion.v[i];
        begin(f, IMAGE_PRIMARIES);
        text(f, service->name.s);
        text(f, primary->store);
        text(f, primary->platform.s);
        end(f, primary->pos);
    }
}

ds_rc image_put_objects(ds_image_writer *w, const ds_model *model, ds_error *err)
{
    filler f = {.w = w, .model = model, .text = BUF_INIT(1 << 20), .err = err, .rc = DS_DONE};
    for (size_t i = 0; i < model->ecosystems.n; i++)
        put_ecosystem(&f, model->ecosystems.v[i]);
    for (size_t i = 0; i < model->zones.n; i++)
        put_teams(&f, model->zones.v[i]);
    for (size_t i = 0; i < model->containers.n; i++)
        put_container(&f, model->containers.v[i], NULL);
    for (size_t i = 0; i < model->datastores.n; i++)
        put_store(&f, model->datastores.v[i]);
    for (size_t i = 0; i < model->workspaces.n; i++)
        put_workspace(&f, model->workspaces.v[i]);
    for (size_t i = 0; i < model->services.n; i++)
        put_platforms(&f, model->services.v[i]);
    buf_release(&f.text);
    return f.rc;
}

ds_rc image_put_findings(ds_image_writer *w, const ds_diags *diags, ds_error *err)
{
    filler f = {.w = w, .err = err, .rc = DS_DONE};
    for (size_t i = 0; i < diags_count(diags); i++) {
        const ds_diag *d = diags_at(diags, i);
        begin(&f, IMAGE_DIAGNOSTICS);
        const char *const texts[] = {severity_name(d->severity), d->rule, d->message, d->hint, d->object};
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            text(&f, texts[k]);
        number(&f, d->pos.file);
        number(&f, d->pos.line);
        number(&f, d->pos.column);
        TRY(image_row_end(w, err));
    }
    return DS_DONE;
}
