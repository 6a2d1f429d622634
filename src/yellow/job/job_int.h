// What the files of a job share: the job itself and the work on each of its datasets. One thread.
#pragma once
#include "base/log.h"
#include "yellow/control/lock.h"
#include "yellow/diff/diff.h"
#include "yellow/job/job.h"
#include "yellow/job/pump.h"
#include "yellow/job/watermark.h"

// States of a batch. docs/architecture.md shows the diagram; batch.c holds the transitions and what is true in each.
typedef enum ds_batch_status {
    BATCH_NONE, // the stream has no open batch
    BATCH_STARTED,
    BATCH_INGESTING,
    BATCH_MERGING,
    BATCH_COMMITTED,
} ds_batch_status;

// Deltas of one dataset that wait in memory to be staged.
typedef struct ds_delta {
    size_t end; // of the row in bytes
    ds_hash hash;
    int64_t copy;
    char op;
} ds_delta;
typedef struct ds_gone_copies {
    ds_hash hash;
    int64_t keep, live;
} ds_gone_copies;
typedef struct ds_deltas {
    ds_buf bytes;
    ds_delta *rows;
    size_t n, cap;
    int64_t *gone; // live rows to delete: see ds_gone_by
    size_t gone_n, gone_cap;
    ds_gone_copies *copies;
    size_t copies_n, copies_cap;
} ds_deltas;

// How a live row is named from the diff until it is staged as gone.
typedef enum ds_gone_by {
    GONE_BY_PLACE,  // its locator
    GONE_BY_NUMBER, // its key
    GONE_BY_HASH,   // its key's hash; a second look at the live rows finds their places
} ds_gone_by;

// What a mirror's primary has recorded of a dataset, in the source's snapshot.
typedef struct ds_primary_state {
    ds_dataset_state now;  // after its last batch; none: it has not loaded the dataset yet
    ds_dataset_state then; // after `since`
    int64_t since;         // the last batch that we have of it
    bool loaded_since;     // its rows were put in place without a trace of what was there before
    bool key_changed_since;
} ds_primary_state;

// A stream whose source is another platform's merge tables.
typedef struct ds_mirror {
    const ds_stream_def *def;  // for which the primary was looked at; NULL: it was not
    int64_t last;              // our last committed batch; 0: none
    const char *position;      // which of the primary's it was, as mirror_position says it
    int64_t at;                // the primary's last committed batch
    bool gone;                 // the primary has not been applied, or its datasets are in other streams now
    ds_primary_state *primary; // by dataset of the definition
    bool anew;                 // the primary was rebuilt, and all that we have is given up for it
    bool distrust;             // what changed at the primary is found by comparing all rows
    bool differs;              // what it says has changed doesn't lead to the rows that it has recorded
} ds_mirror;

// One dataset in this batch.
typedef struct ds_work {
    const ds_dataset_def *def;
    ds_dataset_state state; // after the last committed batch
    ds_counts counts;
    ds_fingerprint after; // of the dataset once this batch is committed
    bool loaded_now;      // by this process: every row was counted by the database as it came
    bool first_load;      // goes straight into the merge table, or through staging when inputs are kept
    bool check_all;       // its live rows have not passed the checks of its definition yet
    bool rekey;           // the key in force differs from the definition's
    bool changed;         // has a dataset_batch row in this batch
    bool staging_exists;
    bool mostly_closed; // closed versions outnumber live ones: the latter's index is the shorter way to them
    ds_gone_by gone_by;
    int64_t closed_by_rekey; // live rows whose new key is null or shared
    int64_t staged_rows;     // rows of this batch in staging
    ds_hash staged_sum;      // sum of the row hashes of the staged rows that have content (I, U, S)
    ds_deltas pending;
    double seconds;
    bool joins;                       // was loaded outside any batch, and is compared for the first time
    const struct ds_key_range *range; // of the source's rows; NULL: all of them
    const ds_shape_column *watermark; // NULL: always all of them
    bool window;                      // reads those from `low` on
    int64_t low;
    ds_position delivered;    // so far
    const char *waiting;      // the newest watermark as a point, whose rows wait; NULL: none do
    ds_fingerprint again;     // what the window holds when nothing has happened
    ds_fingerprint unmarked;  // rows without a watermark that this batch has read
    ds_position position;     // as this batch leaves it, but for the above
    const ds_shape *versions; // a mirror reads versions, and stages them as this shape; NULL: rows
    int64_t since;            // and those only that came or were closed after this batch
} ds_work;

// A dataset that is being loaded outside any batch.
typedef struct ds_long_load {
    ds_work work;
    ds_restart restart;
} ds_long_load;

typedef struct ds_source ds_source;

typedef struct ds_job {
    const ds_runtime *runtime;
    const ds_job_options *options;
    ds_control *control;
    ds_lock *lock;   // from lease_take to lease_release
    ds_arena *arena; // of the result
    const ds_stream_row *row;
    const ds_stream_def *def;
    int64_t fence;
    int64_t batch;
    ds_batch_status status;
    ds_batch_status status_before; // when the transaction began
    int64_t started_at;
    bool guarded;
    bool merge_busy; // another process kept the merge database's write lock for as long as we wait
    bool duplicate;  // a key is there twice: reading everything again would find it again
    bool resnapshot;
    const char *inputs; // JSON: the input batches that a transformer read; "" else
    uint64_t key_seed;
    struct ds_exchange *exchange; // with the program that makes the outputs; until the work is released
    ds_source *source;            // while ingesting
    ds_mirror mirror;
    const char *note; // why there is no batch; NULL: nothing to say
    ds_db *live;      // a second connection to the merge database, opened when a diff needs it
    bool live_held;   // in a transaction that keeps others from moving its rows
    ds_work *work;    // datasets that take part in a batch
    size_t work_count;
    ds_long_load *loads; // the others
    size_t load_count;
    bool staging_known;   // staging_exists of all of them was looked up
    size_t pending_bytes; // of all datasets
    ds_control_names names;
} ds_job;

// Rows that a dataset's diff has found to be gone.
typedef struct ds_gone {
    ds_job *job;
    ds_work *work;
    ds_hash *keys; // GONE_BY_HASH: whose places are still to be found
    size_t n, cap;
} ds_gone;

// --- job.c
// Reads what is known of every dataset into job->work and job->loads. Behind the fence: what another holder committed
// is in it.
ds_rc job_prepare_work(ds_job *job, ds_error *err);

// --- lease.c
// Takes the stream's lease. DS_BUSY with the holder after wait_ms.
ds_rc lease_take(ds_job *job, int wait_ms, ds_error *err);
// Gives it back. rc is how the work ended, and is passed on; a failure because the lease was lost becomes that.
ds_rc lease_release(ds_job *job, ds_rc rc, ds_error *err);
// Marks the open read transaction of another connection to the merge database as the stream's: it ends with the lease,
// so that a reader that stands still keeps no table from the next holder.
ds_rc lease_mark(const ds_job *job, ds_db *db, ds_error *err);
// Between two chunks of long work: DS_CANCELLED when interrupted, DS_BUSY when the lease is known to be lost.
ds_rc lease_check(ds_job *job, ds_error *err);
// --- lane.c: around a transaction that builds indexes of a table with so many rows. Waits for as long as it takes;
// DS_CANCELLED when interrupted.
ds_rc lane_enter(ds_job *job, int64_t rows, ds_error *err);
void lane_leave(ds_job *job, int64_t rows);
// Where the lock is the kernel's a row of `lease` tells others who holds it; removed inside the caller's transaction.
ds_rc lease_forget(ds_job *job, ds_error *err);
// Inside a write transaction: raises the fence, and writes that row. What was read of the stream before there was a
// lease is read again when an apply has changed it since: job->row and job->def are in force from here on.
ds_rc lease_fence(ds_job *job, ds_error *err);
// Begins a write transaction, waiting while another process holds the write lock. DS_BUSY when the lease is lost.
ds_rc lease_begin_write(ds_job *job, double wait_s, ds_error *err);
// The same, and stops with DS_BUSY when the fence is no longer ours. Every transaction that writes
// for the stream begins here.
ds_rc lease_begin(ds_job *job, ds_error *err);
// For a transaction of any length: the fence is read at its end, so that the stream's row isn't held meanwhile.
ds_rc lease_begin_long(ds_job *job, ds_error *err);
ds_rc lease_end_long(ds_job *job, ds_rc rc, ds_error *err);
// Ends it: commits when rc is good, else rolls back; without a commit the job's status is again what it was.
ds_rc lease_end(ds_job *job, ds_rc rc, ds_error *err);

// --- batch.c
const char *batch_status_name(ds_batch_status status);
bool batch_status_parse(const char *text, ds_batch_status *out);
// One transition, inside the transaction of the work that it stands for.
ds_rc batch_move(ds_job *job, ds_batch_status to, ds_error *err);
// The same in one statement with what else is written on the batch: between the two stands ", column = value".
void batch_move_start(const ds_job *job, ds_batch_status to, ds_sql *q);
ds_rc batch_move_end(ds_job *job, ds_batch_status to, ds_sql *q, ds_error *err);
// From `started` on: the transaction does the first work of the batch. Does nothing later.
ds_rc batch_enter_ingesting(ds_job *job, ds_error *err);
// Finds the open batch or begins the next one, in one transaction with the fence. No batch (job->batch is 0) when no
// dataset would take part in it.
ds_rc batch_begin(ds_job *job, ds_error *err);
// The open batch has never been, since no dataset takes part in it. Inside the caller's transaction, of a batch in
// started.
ds_rc batch_withdraw(ds_job *job, ds_error *err);
// Sends an open batch back to the start and writes an event that says why, in a transaction of its own.
ds_rc batch_restart(ds_job *job, const char *why, ds_error *err);
// Forgets the failures of an open batch, in a transaction of its own.
ds_rc batch_clear_failure(ds_job *job, ds_error *err);
// Records a failure on the batch; best effort.
void batch_fail(ds_job *job, const ds_error *failure);
// The transition diagram as text, one line per transition.
void batch_print_transitions(ds_buf *out);

// --- gone.c
void gone_choose(ds_job *job, ds_work *work); // sets work->gone_by
// One of them, as the diff tells it; gone_end when the diff has told all, and no pump reads from job->live.
ds_rc gone_add(ds_gone *gone, ds_hash key, int64_t locator, ds_error *err);
ds_rc gone_end(ds_gone *gone, ds_error *err);
void gone_release(ds_gone *gone);

// --- staging.c
ds_rc staging_add_row(ds_job *job, ds_work *work, ds_op op, ds_str row, ds_hash hash, int64_t copy, ds_error *err);
ds_rc staging_add_gone(ds_job *job, ds_work *work, int64_t gone, ds_error *err);
ds_rc staging_add_gone_copies(ds_job *job, ds_work *work, ds_hash hash, int64_t keep, int64_t live, ds_error *err);
// Writes what is pending of all datasets, inside the caller's transaction.
ds_rc staging_flush(ds_job *job, ds_error *err);
// Drops the batch's staging rows of every dataset, inside the caller's transaction; *rows counts them.
ds_rc staging_drop_batch(ds_job *job, int64_t *rows, ds_error *err);
// Drops all staging rows of every dataset, inside the caller's transaction.
ds_rc staging_give_up(ds_job *job, ds_error *err);
// Retention: deletes the staging rows of batches that are too old, inside the caller's transaction.
ds_rc staging_prune(ds_job *job, ds_error *err);
// Are the staged rows of the batch those that were recorded?
ds_rc staging_check(ds_job *job, const ds_work *work, bool *same, ds_error *err);
void deltas_release(ds_deltas *deltas);

// --- source.c: what a batch reads
// Begins to connect, while other work is done. What goes wrong is source_open's to say.
void source_expect(ds_job *job);
// Connects, fixes the snapshot and checks that the tables are what apply recorded. source_close also after a failure.
ds_rc source_open(ds_job *job, ds_error *err);
void source_close(ds_job *job); // no source: does nothing
// After everything was read: were the tables all the time those that they were at first? DS_BUSY when not.
ds_rc source_check(ds_job *job, ds_error *err);
// The dataset to be read at that place; each but the last is released before the next one is begun.
size_t source_order(const ds_job *job, size_t place);
// A pump over the dataset's rows. All its pumps are closed before it is released.
ds_rc source_pump(ds_job *job, const ds_work *work, ds_pump **out, ds_error *err);
void source_release(ds_job *job, const ds_work *work);
// The connection that holds the snapshot, for a look at something else in it.
ds_db *source_leader(const ds_job *job);

// --- ingest.c
// Reads every dataset in one snapshot of the source and stages what changed (or loads it).
ds_rc ingest_all(ds_job *job, ds_error *err);
// The live rows of the merge table: keys, or whole rows. locator: in a multiset the copy number stands for it.
void ingest_live_select(const ds_job *job, const ds_work *work, const ds_shape *columns, bool hash, bool locator,
                        ds_sql *out);
ds_rc ingest_open_live(ds_job *job, ds_error *err);
// The same in a transaction that keeps the places of live rows as they are, until the connection is closed.
ds_rc ingest_hold_live(ds_job *job, ds_error *err);
void ingest_close_live(ds_job *job);
// A key change: counts the live rows that the new key can't tell apart, which the merge closes.
ds_rc ingest_count_closed_by_rekey(ds_job *job, ds_work *work, ds_error *err);

// Every input is kept in staging.
bool ingest_keeps_inputs(const ds_job *job);

// --- command.c: the program that makes a transformer's outputs
// Runs it; job->inputs is what it was given. The outputs are read as any source, from command_container.
ds_rc command_run(ds_job *job, ds_error *err);
const ds_container_def *command_container(const ds_job *job);
// Whatever was made for it goes.
void command_release(ds_job *job);

// --- compare.c: a dataset through the edge diff; *source holds its source rows and is closed when they are read
ds_rc compare_dataset(ds_job *job, ds_work *work, ds_pump **source, ds_error *err);

// --- watermark.c: which rows of a dataset that has a watermark are read
// For each dataset of a batch, before its source is opened: a window, or all rows?
ds_rc watermark_choose(ds_job *job, ds_error *err);
// In the source's snapshot, before its rows are read, where the newest ones may have to wait.
ds_rc watermark_find_waiting(ds_db *db, ds_work *work, ds_arena *arena, ds_error *err);
// Appends " AND …" to read what is wanted, and maybe some rows before a window. never_null: the source's column can't
// be.
void watermark_where(const ds_work *work, bool never_null, ds_sql *out);
// Is the row in the window? True when there is none.
bool watermark_wants(const ds_work *work, ds_str row);
// Rows that the batch reads, each once.
void watermark_see(ds_work *work, const ds_rows *chunk);
void watermark_forget(ds_work *work); // they are read again
// For dataset_batch; NULL for a dataset without a watermark.
const char *watermark_position(const ds_job *job, const ds_work *work);

// --- window.c: the rows of a window against the live rows of their keys
ds_rc window_dataset(ds_job *job, ds_work *work, ds_pump *pump, ds_error *err);
// --- mirror.c: a stream that reads what another platform has merged (its primary)
// Before a batch: opens the source and looks how far the primary is. *due is false when there is nothing to do, and
// job->note says why. DS_FINDING when the primary has gone back behind us.
ds_rc mirror_look(ds_job *job, bool *due, ds_error *err);
// A mirror's failure before it has a batch to record it on becomes an event; best effort.
void mirror_fail(ds_job *job, const ds_error *failure);
// Inside the transaction that begins a batch. mirror_begin: is what was looked at still so? Gives up what we have when
// the primary was rebuilt and the user wants it. mirror_renumber: an open batch becomes that of the primary's last one.
ds_rc mirror_begin(ds_job *job, ds_error *err);
ds_rc mirror_renumber(ds_job *job, ds_error *err);
// For a second attempt at a batch: opens the source again, and takes the primary's batch of now.
ds_rc mirror_reopen(ds_job *job, ds_error *err);
// Reads a dataset in the cheapest way that is sure.
ds_rc mirror_dataset(ds_job *job, ds_work *work, ds_error *err);
// The batches of the primary that the batch has read, as JSON.
const char *mirror_position(const ds_job *job);

// --- mirror_primary.c: opens the source, and reads what the primary has recorded. It goes by job->mirror.last and
// position, and fills the rest.
ds_rc mirror_open_primary(ds_job *job, ds_error *err);

// --- mirror_changes.c: what has changed at the primary, from its versions
// Stages every version that came or was closed after batch `since` of the primary; since 0: all versions.
ds_rc mirror_changes(ds_job *job, ds_work *work, int64_t since, ds_error *err);
// The read of the dataset's live rows, or of its versions when there is a shape for them.
ds_read mirror_read(const ds_job *job, const ds_work *work, ds_sql *select);
// What was read is not what the primary says it has.
ds_rc mirror_refuse_rows(const ds_job *job, ds_error *err);

// --- mirror_merge.c: inside the merge's transaction
// Does staging hold versions of the primary's, not differences found by comparing?
ds_rc mirror_has_versions(ds_job *job, const ds_work *work, bool *out, ds_error *err);
ds_rc mirror_merge(ds_job *job, const ds_work *work, ds_error *err);

// --- load.c: the first load of a dataset; pump holds its source rows
ds_rc load_dataset(ds_job *job, ds_work *work, ds_pump *pump, ds_error *err);
// What an earlier attempt left is removed; the tables are empty afterwards.
ds_rc load_clear(ds_job *job, ds_work *work, ds_error *err);
// Empties a dataset's merge table and drops its indexes, inside the caller's transaction.
ds_rc load_empty(ds_job *job, const ds_work *work, ds_error *err);
// Writes live rows with that ds_batch_in, and adds them to work->after. Inside the caller's transaction.
ds_rc load_write(ds_job *job, ds_work *work, int64_t batch_in, ds_rows *const *chunks, size_t n, ds_error *err);

// --- long_load.c: first loads outside any batch
// Of the datasets of a batch that has just begun: those that are too large for it leave it. Withdraws the batch when
// none is left.
ds_rc long_load_choose(ds_job *job, ds_error *err);
// After the batch: ranges and indexes, as far as the cycle's budget goes.
ds_rc long_load_cycle(ds_job *job, ds_job_result *out, ds_error *err);

// --- checks.c: what the datasets' checks have to say of the rows that the batch would show
// Is there anything to look at?
bool checks_wanted(const ds_job *job);
// When all is staged, inside the transaction that enters merging, so that a batch in merging has passed: DS_FINDING
// names each check that failed and the first rows that break it.
ds_rc checks_run(ds_job *job, ds_error *err);

// --- merge.c
// Records the datasets' counts and moves to merging, staging what is pending and running the checks: one transaction.
ds_rc merge_enter(ds_job *job, ds_error *err);
// Applies what is staged and commits the batch: one transaction. *again: it failed because the staged rows are not
// those recorded, or don't fit the merge tables: only reading the source anew helps.
ds_rc merge_commit(ds_job *job, bool *again, ds_error *err);
// A batch without any change: one transaction with the batch's own record.
ds_rc merge_commit_unchanged(ds_job *job, ds_error *err);
// Reads back what merge_enter recorded, for a batch that another process left in merging.
ds_rc merge_resume(ds_job *job, ds_error *err);

// --- duplicate.c
// The unique index could not be made over what was loaded: names the key that is there twice. Passes rc on when none
// is.
ds_rc duplicate_loaded(ds_job *job, const ds_work *work, ds_rc rc, ds_error *err);
// What was staged could not be merged: true when that is because of a key that is there twice, in the source or in the
// merge table; *err then names it.
bool duplicate_staged(ds_job *job, ds_error *err);

// --- merge_apply.c: inside the merge's transaction
// Runs a statement; DS_INTERNAL when it affects another number of rows than is expected (less than 0: any).
ds_rc merge_run(ds_job *job, const ds_work *work, const ds_sql *q, int64_t expected, const char *what, ds_error *err);
// s.ds_batch_id = the batch's AND s.ds_op = op
void merge_staged(const ds_job *job, const char *op, ds_sql *q);
// Live rows whose keys are staged with that op are deleted.
ds_rc merge_delete(ds_job *job, const ds_work *work, const char *op, int64_t expected, ds_error *err);
// ", a, b": the data columns that merge and history table really have; alias may be NULL.
ds_rc merge_kept_columns(ds_job *job, const ds_work *work, const char *alias, ds_sql *q, ds_error *err);
// What the engine knows of a staging table is as of batches before: nothing of many rows that came just now. Where few
// rows are looked up anyway it need not know.
ds_rc merge_refresh_statistics(ds_job *job, const ds_work *work, bool few, ds_error *err);
ds_rc merge_apply(ds_job *job, const ds_work *work, ds_error *err);
// A key change: live rows that the new key can't tell apart are closed, and the indexes become those of the new key, so
// that the deltas find their rows by it.
ds_rc merge_swap_key(ds_job *job, ds_work *work, ds_error *err);

// --- verify.c
ds_rc verify_datasets(ds_job *job, ds_job_result *result, ds_error *err);

static inline void job_tell(const ds_job *job, const ds_progress_event *event)
{
    const ds_progress *progress = job->runtime->progress;
    if (progress && progress->read)
        progress->read(progress->context, event);
}

// rows of the dataset have been read so far; done: and these are all.
static inline void job_report(const ds_job *job, const ds_work *work, int64_t rows, bool done)
{
    job_tell(job, &(ds_progress_event){.stream = job->def->name,
                                       .dataset = work->def->name,
                                       .rows = rows,
                                       .bytes = work->counts.bytes,
                                       .total = work->window ? 0 : work->state.fingerprint.rows,
                                       .done = done});
}

static inline void job_checkpoint(const ds_job *job, const char *point)
{
    log_debug("stream %s, batch %lld: %s", job->def->name, (long long)job->batch, point);
    if (job->runtime->checkpoint)
        job->runtime->checkpoint(job->runtime->checkpoint_context, point);
}
