// What a database driver offers. One const table of functions per engine; every function documents what it promises,
// and the contract suite (tests/contract) runs unchanged on every driver. Callers use the store_* wrappers of store.h.
//
// Failures: DS_BUSY locked by somebody else · DS_ENV connection, file, permission, disk full, read-only ·
// DS_FINDING the statement or the data is refused (constraint, missing table or column, bad value) ·
// DS_CANCELLED after cancel() · DS_INTERNAL what should not happen.
#pragma once
#include <stdint.h>

#include "base/clock.h"
#include "schema/rows.h"
#include "secret/secret.h"
#include "store/dialect.h"
#include "store/sql.h"

typedef struct ds_driver ds_driver;

// Where a database is. Texts are borrowed for the call of open; NULL and "" are the same.
typedef struct ds_target {
    const char *type; // "sqlite", "postgres"
    const char *name; // the container's name, for messages
    const char *path; // sqlite: absolute, or relative to the working directory
    const char *host; // a name, an address, or the directory of a unix socket
    const char *database, *schema;
    int port;                                           // 0: the engine's usual one
    const char *tls_mode, *tls_ca, *tls_cert, *tls_key; // as the engine's client library names them; files
} ds_target;

typedef struct ds_open_options {
    bool read_only; // a source, or a reader of the merge database
    // The first use is a while from now: a server may be connected to meanwhile, and then it's that use which waits,
    // and says what went wrong.
    bool later;
    // Closing waits until the server has ended its side, ten seconds at most (one after a failure): for who counts
    // connections there.
    bool wait_closed;
    bool kept;           // it may be given to others later (keeper.h): what it is for is said by each transaction
    bool create;         // a file that is missing is made (merge databases at apply, simulators)
    int busy_timeout_ms; // how long a lock held by another is waited for
    // How long a server may be silent where it should answer before the connection is given up; 0: the driver's choice.
    int stall_timeout_ms;
    const char *purpose;           // shown by servers that list their connections: "job Live/Store1"; may be NULL
    const volatile int *cancelled; // may be NULL; once set, whatever runs or waits on the connection is interrupted
    // The database's clock where the engine has none of its own; NULL: the system's. Outlives the connection.
    const ds_clock *clock;
    const ds_secret *secret;
} ds_open_options;

// A connection; drivers embed it as their first member.
typedef struct ds_kept ds_kept;
typedef struct ds_db {
    const ds_driver *driver;
    const ds_dialect *dialect;
    ds_kept *kept; // a keeper's (keeper.h), not ours to close; NULL: nobody's
} ds_db;

typedef enum ds_begin {
    BEGIN_READ, // a consistent snapshot, fixed before begin returns
    // Takes the write lock where there is one; waits at most busy_timeout_ms. Where there is none, the server may hear
    // of it together with the first statement, which then fails with what is wrong with the beginning.
    BEGIN_WRITE,
    // The same for what means nothing after a crash of the server: its commit doesn't wait for the disk.
    BEGIN_WRITE_FLEETING,
} ds_begin;

// A read transaction over tables that are known beforehand.
typedef struct ds_snapshot {
    // Held against TRUNCATE, ALTER and DROP before the snapshot is fixed, waiting at most busy_timeout_ms: what commits
    // between a snapshot and its first look at a table would otherwise read as empty, without an error.
    const ds_relation *tables;
    size_t n;
    const char *shared; // another connection's snapshot (snapshot_share); NULL: one of its own
} ds_snapshot;

// A small result, whole in memory: control tables, catalogue.
typedef struct ds_result {
    size_t rows, columns;
    char **cells; // rows * columns texts, NULL for null; blobs as lower-case hex
} ds_result;

// A stream of typed rows. The select's columns are those of the shape in hash order (sql_columns_to_read), then, as
// the flags say, the stored row hash, then the locator. The shape is borrowed until the reader is closed, the rest for
// the call.
typedef struct ds_read {
    const ds_sql *select;
    const ds_shape *shape;
    bool has_hash;    // next column: ds_row_hash, goes to rows.row_hash instead of a computed one
    bool has_locator; // next column: the locator
    // The types of the shape's columns in hash order, as the catalogue told them in the same transaction; NULL: the
    // driver finds them out, which may cost a round trip.
    const uint32_t *type_ids;
    // The select is of nothing but those columns, by their names at the source, of all rows of this table, and the
    // catalogue told in the same transaction that it is_plain: there may be a shorter way to the same. NULL: it isn't.
    const ds_relation *plain;
    // Rows of our own tables, which somebody may have damaged: a value that can't be read is left out and a stored
    // hash that is none is zero, so that the row differs from every source row. A key must be good all the same.
    bool salvage;
    uint64_t key_seed;
    bool untrusted; // the select is a user's text: nothing but reading is allowed while it runs
    // with untrusted: the relations that may be read (physical names); others are refused
    const ds_relation *allowed;
    size_t allowed_count;
    // From read_open to its last row, whoever keeps it waiting; then it fails with DS_ENV, and on a server the
    // connection is good for nothing else. 0: no limit.
    int64_t timeout_ms;
    bool only_checked; // it may be opened, and is closed without a look at any row: a server need not begin with them
    const char *role;  // with untrusted, on servers with roles: as which it runs; NULL: as who we are
} ds_read;
typedef struct ds_reader ds_reader; // drivers embed nothing: opaque

// Rows going into a table: system columns first (ds_*), then the shape's columns.
typedef enum ds_system_kind { SYSTEM_INT, SYSTEM_TEXT, SYSTEM_HASH } ds_system_kind;
typedef struct ds_system_column {
    const char *name;
    ds_system_kind kind;
} ds_system_column;
typedef struct ds_system_value {
    int64_t i;
    const char *text;
    ds_hash hash;
} ds_system_value;
enum { SYSTEM_COLUMNS_MAX = 6 };
typedef struct ds_write {
    ds_relation table;
    const ds_system_column *system;
    size_t system_count;
    const ds_shape *shape;
    // The table was emptied in the same transaction: its rows may be stored as if they had always been there.
    bool fresh;
} ds_write;
typedef struct ds_writer ds_writer;

// The catalogue's view of a table.
typedef struct ds_catalog_column {
    const char *name;
    const char *declared; // the type as declared, "" when none
    bool not_null;
    int key;          // place in the primary key from 1, 0 when not part of it
    uint32_t type_id; // the engine's number of the type, for ds_read.type_ids; 0: none
} ds_catalog_column;
typedef struct ds_catalog_table {
    ds_relation relation;
    bool is_view;
    bool is_split; // no physical places of its own to split a read by: a view, partitioned, foreign
    bool can_lock; // begin_snapshot can hold it
    bool is_plain; // for ds_read.plain: each row is here and shown to all, each value stored as it is
    const ds_catalog_column *columns;
    size_t n;
} ds_catalog_table;

struct ds_driver {
    const char *name; // the container type that it serves
    const ds_dialect *dialect;

    // self is the table itself, so that a decorator finds what it decorates.
    ds_rc (*open)(const ds_driver *self, const ds_target *target, const ds_open_options *options, ds_db **out,
                  ds_error *err);
    void (*close)(ds_db *db); // rolls back what is open; takes NULL

    // For keeper.h; both NULL: a connection is not for several users. rest ends what is open; false: it is not as good
    // as a new one, because something failed on it, a user's text ran on it, or it was used for much. wake gives it to
    // its next user, with other options for the same target; false: it was lost meanwhile.
    bool (*rest)(ds_db *db);
    bool (*wake)(ds_db *db, const ds_open_options *options);

    ds_rc (*begin)(ds_db *db, ds_begin kind, ds_error *err);
    // BEGIN_READ over these tables. Where the engine locks them, a missing one is DS_FINDING and one that somebody
    // holds for too long is DS_BUSY.
    ds_rc (*begin_snapshot)(ds_db *db, const ds_snapshot *snapshot, ds_error *err);
    // Names the transaction's snapshot for other connections' begin_snapshot, while this transaction lives. NULL: the
    // engine can't.
    ds_rc (*snapshot_share)(ds_db *db, ds_arena *arena, const char **out, ds_error *err);
    // After reading: DS_BUSY when the tables' names have come to mean others since the snapshot, or they have got parts
    // that it didn't know; what no lock can forbid. NULL: can't happen.
    ds_rc (*snapshot_check)(ds_db *db, const ds_snapshot *snapshot, ds_error *err);
    ds_rc (*commit)(ds_db *db, ds_error *err); // on failure the transaction is rolled back
    void (*rollback)(ds_db *db);               // no transaction: does nothing

    // One statement without rows. affected may be NULL.
    ds_rc (*exec)(ds_db *db, const ds_sql *sql, int64_t *affected, ds_error *err);
    // One statement with a small result, which lives in arena. Outside of a transaction it only reads.
    ds_rc (*query)(ds_db *db, const ds_sql *sql, ds_arena *arena, ds_result *out, ds_error *err);

    // In a transaction: these will be the next reads, in this order, and small, so that a server may be asked for all
    // of them at once. Any other call on the connection ends that: then each is asked for when it is opened. NULL: a
    // request costs nothing.
    ds_rc (*read_expect)(ds_db *db, const ds_read *reads, size_t n, ds_error *err);
    ds_rc (*read_open)(ds_db *db, const ds_read *read, ds_reader **out, ds_error *err);
    // Appends up to max_rows rows or about max_bytes to rows (2 rows under stress); *more is false at the end.
    // A value that the column's type can't hold is DS_FINDING and names column, value and the row's key; the rows
    // before it are in rows, and the next call goes on after it. After any other failure the reader can only be closed.
    ds_rc (*read_next)(ds_reader *reader, ds_rows *rows, size_t max_rows, size_t max_bytes, bool *more, ds_error *err);
    void (*read_close)(ds_reader *reader); // takes NULL

    ds_rc (*write_open)(ds_db *db, const ds_write *write, ds_writer **out, ds_error *err);
    // system has one value per system column; row is the canonical row.
    ds_rc (*write_row)(ds_writer *writer, const ds_system_value *system, ds_str row, ds_error *err);
    ds_rc (*write_close)(ds_writer *writer, int64_t *rows_written, ds_error *err); // flushes; frees in any case
    void (*write_abort)(ds_writer *writer);                                        // frees; takes NULL

    // The n relations at once; out[i] is NULL when there is no such table or view. Lives in arena.
    ds_rc (*describe)(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n, const ds_catalog_table **out,
                      ds_error *err);
    // All user tables (and views), by schema and name; a partitioned table is one, what an extension owns is left out.
    ds_rc (*list)(ds_db *db, ds_arena *arena, const ds_catalog_table **out, size_t *n, ds_error *err);
    // Names and order of a select's result columns, without running it.
    ds_rc (*prepare)(ds_db *db, const ds_sql *select, ds_arena *arena, const char *const **names, size_t *n,
                     ds_error *err);

    // Makes the schema when it is missing. NULL: the engine has none.
    ds_rc (*schema_put)(ds_db *db, const char *name, ds_error *err);
    // Makes the view, or gives it another select; what was granted on it stays. A view that others stand on and that
    // can't be changed in place is DS_FINDING with their names.
    ds_rc (*view_put)(ds_db *db, ds_relation view, const ds_sql *select, ds_error *err);
    // Pages of a table on disk, by which a read can be split (sql_locator_range). NULL: the engine can't.
    ds_rc (*pages)(ds_db *db, ds_relation table, int64_t *out, ds_error *err);
    // About how many rows a table has, without reading them; it may be wrong by any factor. 0 for a view, and when
    // there is no such table. NULL: the engine can't tell.
    ds_rc (*rows_estimate)(ds_db *db, ds_relation table, int64_t *out, ds_error *err);

    // The database's clock, microseconds.
    ds_rc (*now)(ds_db *db, int64_t *now_us, ds_error *err);
    // Interrupts what runs on the connection, or waits for a lock; from any thread. What starts a moment later is not
    // affected: callers keep a flag of their own, and call again until the work is over.
    void (*cancel)(ds_db *db);

    // Ownership of names, in one of two ways.
    //
    // lock_try: an exclusive lock on a name, freed when the connection closes or the process dies; transactions don't
    // touch it. *held is false when another connection has it, be it of this process; true again when ours has it
    // already. lock_release frees it early, and does nothing when it isn't ours. NULL: a connection may not be ours
    // alone (a pooler gives it to others between two transactions), names are owned by rows with a time of expiry.
    //
    // claim marks the open transaction as working on a name, at the latest with its next statement and before that is
    // run; claim_break ends all other transactions that do, on the server, and waits until they are gone: for when
    // their owner is dead, or has lost the name without noticing. NULL where lock_try is there.
    ds_rc (*claim)(ds_db *db, const char *name, ds_error *err);
    ds_rc (*claim_break)(ds_db *db, const char *name, ds_error *err);
    ds_rc (*lock_try)(ds_db *db, const char *name, bool *held, ds_error *err);
    void (*lock_release)(ds_db *db, const char *name);
};
