// The driver for PostgreSQL, 15 and later, over libpq; and what import wants beyond a driver's table: connection URLs,
// and a survey of a database with the types that its columns have.
#pragma once
#include "store/driver.h"

extern const ds_driver POSTGRES_DRIVER;

// --- connection URLs

// A URL as libpq reads it, taken apart; https://www.postgresql.org/docs/15/libpq-connect.html, "Connection URIs".
// Texts live in the arena, but for the secret's parts, which the caller releases (secret_release); target->type is
// "postgres". DS_USAGE when it can't be read, or says what a model has no place for. No message quotes the URL: it may
// hold a password.
ds_rc postgres_url_parse(ds_arena *arena, const char *url, ds_target *target, ds_secret *secret, ds_error *err);
// Overwrites all of it but the scheme: what is left of an argument that others may see.
void postgres_url_hide(char *url);
// Fills what the target left to the environment (PGHOST and so on) or to libpq's defaults. db is open, by
// POSTGRES_DRIVER itself.
void postgres_where(const ds_db *db, ds_arena *arena, ds_target *target);

// --- a survey

// A type that a column has, or what such a type is made of.
typedef enum postgres_type_kind { POSTGRES_PLAIN, POSTGRES_DOMAIN, POSTGRES_ENUM, POSTGRES_ARRAY } postgres_type_kind;
typedef struct postgres_type {
    uint32_t oid;
    postgres_type_kind kind;
    const char *name;      // pg_type.typname: "int4"
    const char *shown;     // as SQL writes it: "integer", "shop.mood"
    bool builtin;          // of the system's schema
    const char *extension; // that owns it; NULL: none
    uint32_t of;           // what the domain stands for, the array's elements; 0
    const char *declared;  // of a domain: that type as declared, "numeric(10,2)"
    const char *about;     // of a domain its constraints, of an enum its labels; NULL: none
} postgres_type;

typedef struct postgres_column {
    const char *name;
    const char *declared; // as format_type shows it
    const char *comment;  // NULL: none
    uint32_t type;
    bool not_null;
    int key; // place in the key from 1, 0 when not part of it
} postgres_column;

// pg_class.relkind
typedef enum postgres_table_kind {
    POSTGRES_TABLE = 'r',
    POSTGRES_PARTITIONED = 'p',
    POSTGRES_VIEW = 'v',
    POSTGRES_MATERIALIZED_VIEW = 'm',
    POSTGRES_FOREIGN_TABLE = 'f',
} postgres_table_kind;

typedef struct postgres_table {
    ds_relation relation;
    postgres_table_kind kind;
    const char *comment;      // NULL: none
    bool may_use, may_select; // the role: its schema, the table as a whole
    bool hides_rows;          // from the role, by a policy
    bool has_heirs;           // tables that inherit from it, whose rows it shows as well; not for partitioned ones
    const char *unique_index; // the key is that of a unique index over columns that are never null; NULL: the primary
    const postgres_column *columns;
    size_t n;
} postgres_table;

typedef struct postgres_survey {
    const char *role;             // who looked
    const postgres_table *tables; // all that users made, by schema and name, as list has them
    size_t n;
    const postgres_type *types; // all that the columns need, by oid
    size_t type_count;
} postgres_survey;

// Lives in arena. The catalogue tells it to everybody; no right on a table is needed.
ds_rc postgres_survey_read(ds_db *db, ds_arena *arena, postgres_survey *out, ds_error *err);
