#include "image/tables.h"

// A statement, and what it is good for.
static const struct {
    const char *about, *sql;
} EXAMPLES[] = {
    {"Which datasets hold customers' personal information, and who uses them?",
     "SELECT DISTINCT c.store, c.dataset, s.workspace\n"
     "FROM columns c LEFT JOIN sinks s ON s.store = c.store AND s.dataset = c.dataset\n"
     "WHERE ' ' || c.classification || ' ' LIKE '% cpi %'"},
    {"What does a team own?", "SELECT name, 'store' AS kind FROM stores WHERE team = 'USA/customer_data'\n"
                              "UNION ALL SELECT name, 'workspace' FROM workspaces WHERE team = 'USA/customer_data'"},
    {"Everything that hangs on a store, through transformers too:",
     "WITH RECURSIVE reached(store) AS (\n"
     "  VALUES ('Store1')\n"
     "  UNION SELECT t.store FROM reached r JOIN sinks s ON s.store = r.store\n"
     "    JOIN transformers t ON t.workspace = s.workspace)\n"
     "SELECT DISTINCT s.workspace, w.team FROM reached r JOIN sinks s ON s.store = r.store\n"
     "  JOIN workspaces w ON w.name = s.workspace ORDER BY 1"},
    {"What becomes of a column, and who gets it?",
     "WITH RECURSIVE reached(store, dataset, name) AS (\n"
     "  VALUES ('Store1', 'customers', 'firstname')\n"
     "  UNION SELECT l.store, l.dataset, l.\"column\" FROM reached r JOIN column_lineage l\n"
     "    ON l.from_store = r.store AND l.from_dataset = r.dataset AND l.from_column = r.name)\n"
     "SELECT r.*, s.workspace FROM reached r LEFT JOIN sinks s ON s.store = r.store AND s.dataset = r.dataset"},
    {"Stores that nobody uses:", "SELECT name, team FROM stores WHERE name NOT IN (SELECT store FROM sinks)"},
    {"How is each type written at how many columns?",
     "SELECT type, count(*) AS columns FROM columns GROUP BY type ORDER BY columns DESC"},
    {"Where do findings stand?",
     "SELECT d.severity, d.rule, f.path, d.line, d.message FROM diagnostics d LEFT JOIN files f ON f.id = d.file"},
};

void image_tables_markdown(ds_buf *out)
{
    buf_puts(out,
             "# Asking the model in SQL\n\n"
             "`datasurface query SQL` runs one SELECT of SQLite's dialect over the whole model, its compiled image. "
             "Nothing can be changed. Conditions on `store` and `dataset` make `datasets` and `columns` quick. "
             "`dataset_lineage` and `column_lineage` are found out anew by each query that reads them. "
             "This page is printed from the table in `src/image/tables.c`; a test runs its examples.\n\n");
    for (size_t i = 0; i < sizeof EXAMPLES / sizeof EXAMPLES[0]; i++)
        buf_printf(out, "%s\n```sql\n%s\n```\n\n", EXAMPLES[i].about, EXAMPLES[i].sql);
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++) {
        const image_table *t = &IMAGE_TABLES[i];
        buf_printf(out, "## %s\nWhat it has: %s.\n\n| column | type | what |\n|---|---|---|\n", t->name, t->about);
        for (size_t k = 0; k < image_table_width(t); k++)
            buf_printf(out, "| %s | %s | %s |\n", t->columns[k].name, t->columns[k].type, t->columns[k].about);
        if (i + 1 < IMAGE_TABLE_COUNT)
            buf_putc(out, '\n');
    }
}
