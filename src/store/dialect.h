// What differs between databases, as data and small functions. Drivers own one const ds_dialect each.
#pragma once
#include "base/buf.h"
#include "naming/naming.h"
#include "schema/type.h"

struct ds_sql;

typedef struct ds_dialect {
    const char *name; // "sqlite", "postgres": also the key of per-dialect SQL in a transformer
    ds_name_rules names;
    bool numbered_params;                                // $1, $2 instead of ?
    const char *locator;                                 // expression for a row's physical place: _rowid_, ctid
    void (*locator_value)(int64_t locator, ds_buf *out); // appends such a place as a literal
    int64_t (*page_locator)(int64_t page);               // the place before a page's first row; NULL: no pages
    // A value of any column as text, exactly (sql_point_column; null is null), and such a text as the value again, so
    // that it compares with the column as the value itself would.
    const char *point_begin, *point_end;
    void (*point_value)(const char *point, struct ds_sql *out);
    const char *serial;        // type of an integer key column that numbers its rows by itself
    const char *key_collation; // after the type of a text column in a key: equality by bytes; "" where it always is
    const char *number_order;  // after a number that is held as text: compared as numbers are; NULL: none is
    const char *include;       // " INCLUDE (": columns that an index has besides its key; NULL: it can't
    const char *delete_join;   // "USING": DELETE can join another table; NULL: it can't
    // Statements that, until the transaction ends, make joins look rows up one by one, and let the engine choose again;
    // NULL where it needs no such advice.
    const char *join_by_lookup, *join_as_you_like;
    const char *spare_room; // after CREATE TABLE (…): room in each page for rows that are updated; "" where unknown
    bool has_truncate; // emptying a table is cheap, and filling it in the same transaction is cheaper than in several
    bool looks_up_not_in; // NOT IN (SELECT …) looks each value up; elsewhere only a join is sure to
    bool times_are_text;  // a source may hold times in any of the forms that value.h reads, in any zone; as text they
                          // sort
    bool has_lateral;     // JOIN LATERAL (SELECT …): a look-up for each row, whatever else may look better
    bool has_analyze;     // plans depend on statistics that ANALYZE makes
    bool has_alter_type;  // ALTER TABLE … ALTER COLUMN … TYPE
    bool has_roles;       // that log in and are granted rights
    bool views_hold;      // what a view stands on can't be dropped, nor change its columns, while it is there
    bool locks_rows;      // SELECT … FOR SHARE; else a write transaction is alone anyway
    // Appends the type as a column of a merge or staging table is declared.
    void (*column_type)(const ds_type *type, ds_buf *out);
    // False when values of the type can't be held without loss; *how is "canonical text" or so when they are held in
    // another form, NULL when native.
    bool (*supports)(const ds_type *type, const char **how);
} ds_dialect;
