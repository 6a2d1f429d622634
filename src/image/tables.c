#include "image/tables.h"

// Rows of tables are written by hand.
// clang-format off
#define FILE_LINE {"file", "INTEGER", "where it stands: files.id"}, {"line", "INTEGER", "and its line"}

const image_table IMAGE_TABLES[IMAGE_TABLE_COUNT] = {
    [IMAGE_FILES] = {.name = "files", .about = "the files of the model, in order of their paths", .columns = {
        {"id", "INTEGER", "from 1"},
        {"path", "TEXT", "relative to the model's directory"},
        {"blob", "TEXT", "what git calls its content, hexadecimal"},
    }},
    [IMAGE_ECOSYSTEM] = {.name = "ecosystem", .about = "the enterprise, one row", .key = 1, .columns = {
        {"name", "TEXT", ""},
        {"repository", "TEXT", "who may change it"},
        {"live", "TEXT", "what the platforms follow"},
        {"description", "TEXT", ""},
        FILE_LINE,
    }},
    [IMAGE_VENDORS] = {.name = "vendors", .about = "who runs machines", .key = 1, .columns = {
        {"name", "TEXT", ""},
        {"cloud", "TEXT", "whose machines these are"},
        {"locations", "TEXT", "its places, separated by blanks"},
        {"description", "TEXT", ""},
        FILE_LINE,
    }},
    [IMAGE_LOCATIONS] = {.name = "locations", .about = "the vendors' places", .key = 2, .columns = {
        {"vendor", "TEXT", ""},
        {"name", "TEXT", ""},
        FILE_LINE,
    }},
    [IMAGE_ZONES] = {.name = "zones", .about = "governance zones, as the Ecosystem declares them", .key = 1, .columns = {
        {"name", "TEXT", ""},
        {"repository", "TEXT", "who may define it"},
        {"description", "TEXT", "of its definition, or else of its declaration"},
        {"defined", "INTEGER", "1: its GovernanceZone is in the model"},
        FILE_LINE,
    }},
    [IMAGE_TEAMS] = {.name = "teams", .about = "teams, as their zones declare them", .key = 1, .columns = {
        {"name", "TEXT", "ZONE/TEAM"},
        {"zone", "TEXT", ""},
        {"repository", "TEXT", "who may define what is its own"},
        {"description", "TEXT", ""},
        FILE_LINE,
    }},
    [IMAGE_CONTAINERS] = {.name = "containers", .about = "places that hold data, of teams and of platform services", .columns = {
        {"name", "TEXT", ""},
        {"team", "TEXT", "of a DataContainer"},
        {"service", "TEXT", "the PlatformService that it belongs to, or null"},
        {"type", "TEXT", ""},
        {"path", "TEXT", ""},
        {"host", "TEXT", ""},
        {"port", "INTEGER", ""},
        {"database", "TEXT", ""},
        {"schema", "TEXT", ""},
        {"locations", "TEXT", "separated by blanks"},
        FILE_LINE,
    }},
    [IMAGE_STORES] = {.name = "stores", .about = "datastores, and the outputs of transformers", .key = 1, .columns = {
        {"name", "TEXT", ""},
        {"team", "TEXT", "its owner"},
        {"description", "TEXT", ""},
        {"production", "INTEGER", "1 or 0"},
        {"deprecated", "TEXT", "the reason, \"\" without one, null when it is not"},
        {"producer", "TEXT", "the workspace whose transformer writes it, or null"},
        {"capture", "TEXT", "how rows come from the source"},
        {"container", "TEXT", "where from"},
        {"credential", "TEXT", ""},
        {"cron", "TEXT", "when a batch is due"},
        {"consistency", "TEXT", "whether the datasets move together"},
        {"datasets", "INTEGER", "how many"},
        FILE_LINE,
    }},
    [IMAGE_DATASETS] = {.name = "datasets", .about = "the tables of stores", .key = 2, .columns = {
        {"store", "TEXT", ""},
        {"name", "TEXT", ""},
        {"place", "INTEGER", "in its store, from 1"},
        {"description", "TEXT", ""},
        {"classification", "TEXT", "of the whole; separated by blanks"},
        {"deprecated", "TEXT", "as in stores"},
        {"key", "TEXT", "its key columns in order, separated by blanks; null: none"},
        {"source_schema", "TEXT", "where the source calls it otherwise"},
        {"source_table", "TEXT", ""},
        {"columns", "INTEGER", "how many"},
        FILE_LINE,
    }, .packed = true},
    [IMAGE_COLUMNS] = {.name = "columns", .about = "the columns of datasets", .key = 3, .columns = {
        {"store", "TEXT", ""},
        {"dataset", "TEXT", ""},
        {"name", "TEXT", ""},
        {"place", "INTEGER", "in its dataset, from 1"},
        {"type", "TEXT", "in its canonical form; null: it could not be read"},
        {"key", "INTEGER", "its place in the primary key, or null"},
        {"not_null", "INTEGER", "1 or 0"},
        {"partition", "INTEGER", "1 or 0"},
        {"classification", "TEXT", "its own, or else that of its dataset"},
        {"description", "TEXT", ""},
        {"source", "TEXT", "where the source calls it otherwise"},
        FILE_LINE,
    }, .packed = true},
    [IMAGE_WORKSPACES] = {.name = "workspaces", .about = "those who use data", .key = 1, .columns = {
        {"name", "TEXT", ""},
        {"team", "TEXT", "its owner"},
        {"description", "TEXT", ""},
        {"production", "INTEGER", "1 or 0"},
        {"deprecated", "TEXT", "as in stores"},
        {"priority", "TEXT", ""},
        {"container", "TEXT", "a replica of its own, or null"},
        FILE_LINE,
    }},
    [IMAGE_GROUPS] = {.name = "groups", .about = "dataset groups of workspaces", .key = 2, .columns = {
        {"workspace", "TEXT", ""},
        {"name", "TEXT", ""},
        {"history", "TEXT", "live or full"},
        {"latency", "TEXT", ""},
        {"retention", "TEXT", ""},
        {"regulator", "TEXT", ""},
        FILE_LINE,
    }},
    [IMAGE_SINKS] = {.name = "sinks", .about = "who uses which dataset", .key = 4, .columns = {
        {"workspace", "TEXT", ""},
        {"dataset_group", "TEXT", ""},
        {"store", "TEXT", ""},
        {"dataset", "TEXT", ""},
        {"allow_deprecated", "INTEGER", "1 or 0"},
        FILE_LINE,
    }},
    [IMAGE_TRANSFORMERS] = {.name = "transformers", .about = "what makes stores of other stores", .key = 1, .columns = {
        {"workspace", "TEXT", "whose sinks are its inputs"},
        {"name", "TEXT", ""},
        {"store", "TEXT", "its output"},
        {"cron", "TEXT", "null: after its inputs, or when something outside says so"},
        {"kind", "TEXT", "sql or command"},
        FILE_LINE,
    }},
    [IMAGE_SERVICES] = {.name = "services", .about = "platform services, as the Ecosystem declares them", .key = 1, .columns = {
        {"name", "TEXT", ""},
        {"repository", "TEXT", "who may define it"},
        {"description", "TEXT", "of its definition, or else of its declaration"},
        {"defined", "INTEGER", "1: its PlatformService is in the model"},
        {"container", "TEXT", "its merge database"},
        {"credential", "TEXT", "for that"},
        {"auto_assign", "INTEGER", "1 or 0"},
        FILE_LINE,
    }},
    [IMAGE_PLATFORMS] = {.name = "platforms", .about = "ways to keep tables", .key = 2, .columns = {
        {"name", "TEXT", ""},
        {"service", "TEXT", ""},
        {"type", "TEXT", ""},
        {"milestoning", "TEXT", "scd1, scd2 or scd4"},
        {"staging_batches", "INTEGER", "how many are kept; -1: all"},
        FILE_LINE,
    }},
    [IMAGE_ASSIGNMENTS] = {.name = "assignments", .about = "which platform serves which group, as written", .key = 4, .columns = {
        {"service", "TEXT", ""},
        {"workspace", "TEXT", ""},
        {"dataset_group", "TEXT", ""},
        {"platform", "TEXT", ""},
        {"status", "TEXT", "from provisioning to decommissioned"},
        FILE_LINE,
    }},
    [IMAGE_PRIMARIES] = {.name = "primaries", .about = "which platforms alone read a store's source", .key = 3, .columns = {
        {"service", "TEXT", ""},
        {"store", "TEXT", ""},
        {"platform", "TEXT", ""},
        FILE_LINE,
    }},
    [IMAGE_STREAMS] = {.name = "streams", .about = "what runs, as the assignments say", .key = 1, .columns = {
        {"name", "TEXT", "PLATFORM/STORE or PLATFORM/STORE/DATASET, of a replica with @CONTAINER"},
        {"service", "TEXT", ""},
        {"platform", "TEXT", ""},
        {"store", "TEXT", ""},
        {"dataset", "TEXT", "of a store whose datasets move one by one, else null"},
        {"datasets", "INTEGER", "how many it moves"},
        {"priority", "TEXT", "the highest of all that it feeds"},
    }},
    [IMAGE_EDGES] = {.name = "edges", .about = "the pipelines: what feeds what", .key = 3, .columns = {
        {"platform", "TEXT", ""},
        {"source", "TEXT", "a node: Ingest/…, Replica/…, Export/…, Trigger/… or Transformer/…"},
        {"target", "TEXT", "the node to its right"},
    }},
    [IMAGE_DATASET_LINEAGE] = {.name = "dataset_lineage", .about = "what the outputs of transformers are made of", .columns = {
        {"workspace", "TEXT", "whose transformer it is"},
        {"store", "TEXT", "its output"},
        {"dataset", "TEXT", ""},
        {"from_store", "TEXT", "an input"},
        {"from_dataset", "TEXT", ""},
        {"note", "TEXT", "why column_lineage has nothing of it; null: it has everything"},
    }, .late = true},
    [IMAGE_COLUMN_LINEAGE] = {.name = "column_lineage", .about = "what the columns of outputs are made of, as PostgreSQL parses the SQL", .columns = {
        {"workspace", "TEXT", "whose transformer it is"},
        {"store", "TEXT", "its output"},
        {"dataset", "TEXT", ""},
        {"column", "TEXT", "null: which rows there are"},
        {"from_store", "TEXT", "an input"},
        {"from_dataset", "TEXT", ""},
        {"from_column", "TEXT", ""},
        {"influence", "TEXT", "value, or indirect: it decides about values or rows"},
    }, .late = true},
    [IMAGE_DIAGNOSTICS] = {.name = "diagnostics", .about = "what lint says", .columns = {
        {"severity", "TEXT", "error, warning or info"},
        {"rule", "TEXT", "datasurface explain RULE tells more"},
        {"message", "TEXT", ""},
        {"hint", "TEXT", ""},
        {"object", "TEXT", "what it is about"},
        FILE_LINE,
        {"column", "INTEGER", "and its column"},
    }},
};
// clang-format on

size_t image_table_width(const image_table *table)
{
    size_t n = 0;
    while (n < IMAGE_COLUMNS_MAX && table->columns[n].name)
        n++;
    return n;
}

void image_table_shape(const image_table *table, ds_buf *out)
{
    buf_puts(out, table->name);
    for (size_t i = 0; i < image_table_width(table); i++)
        buf_printf(out, "%s\"%s\" %s", i ? ", " : " (", table->columns[i].name, table->columns[i].type);
    buf_putc(out, ')');
}

void image_table_insert(const image_table *table, ds_buf *out)
{
    buf_puts(out, "INSERT INTO \"");
    buf_puts(out, table->name);
    for (size_t i = 0; i < image_table_width(table); i++)
        buf_printf(out, "%s?%zu", i ? ", " : "\" VALUES(", i + 1);
    buf_putc(out, ')');
}
