// The edge diff: which rows of a source differ from the live rows of a merge table. Both sides arrive as chunks in any
// order and any interleaving; whichever side of a key comes second settles the pair. One table of 32-byte entries
// (128-bit seeded key hash, half of the row hash, locator) holds the keys that wait for their partner, so that its size
// is that of the disorder between both sides; source rows that wait are copied.
//
//     diff_live(d, chunk) ...  diff_source(d, chunk) ...  diff_live_end(d) ...  diff_finish(d)
//
// or, while there is a chunk of each side, diff_both(d, live chunk, source chunk).
//
// A key that comes once more after its pair was settled looks like a new one: a row that the merge table's unique index
// will refuse, or a deletion that finds two rows. The merge notices, and names the key.
//
// Multisets (shape without a key): identity is (row hash, copy number); live chunks must all come first, with the copy
// number as the locator. Copies that aren't numbered from 1 without gaps (somebody wrote to the table), and with rehash
// those of which one is damaged, are all replaced: deleted and inserted anew.
//
// Memory is bounded: a table that may grow no more settles the keys that it has, and the rows of all others wait on
// disk (yellow/diff/spill.h). diff_finish brings them back, one range of their key's hash after the other, each a diff
// of its own. So each side is given once, however large it is. Thread rule: one thread.
#pragma once
#include "schema/fingerprint.h"

typedef struct ds_diff ds_diff;

typedef enum ds_op { OP_INSERT = 'I', OP_UPDATE = 'U', OP_DELETE = 'D', OP_SAME = 'S' } ds_op;
// What a mirror stages besides: a version of its primary to insert, and one that was live and has been closed.
enum { OP_VERSION = 'V', OP_CLOSE = 'C' };

// What was found, told as it is found. Any failure stops the diff.
typedef struct ds_diff_sink {
    void *context;
    // A source row to insert or to update (or, when wanted, an unchanged one). copy: its number from 1 in a multiset.
    ds_rc (*row)(void *context, ds_op op, ds_str row, ds_hash hash, int64_t copy, ds_error *err);
    // A live row that the source no longer has: the hash of its key, and its locator.
    ds_rc (*gone)(void *context, ds_hash key, int64_t locator, ds_error *err);
    // A multiset: of the live copies of the row with this hash only `keep` stay.
    ds_rc (*gone_copies)(void *context, ds_hash hash, int64_t keep, int64_t live, ds_error *err);
    // Asked between two chunks that come back from disk, where no caller can stop the work. May be NULL.
    ds_rc (*go_on)(void *context, ds_error *err);
} ds_diff_sink;

typedef struct ds_diff_options {
    const ds_shape *shape; // of the source rows
    int64_t expected_rows; // a guess of the number of live rows
    size_t memory_bytes;   // of the table, waiting rows and the buffers of files; 0: DIFF_MEMORY_DEFAULT
    const char *directory; // of files, borrowed; NULL: $TMPDIR, or /tmp
    bool want_same;        // tell unchanged rows too
    bool rehash;           // live chunks are whole rows: their hashes are recomputed, damaged rows count as changed
    ds_diff_sink sink;
} ds_diff_options;

enum { DIFF_MEMORY_DEFAULT = 400 << 20 }; // some ten million rows

typedef struct ds_diff_totals {
    ds_fingerprint source, live; // over all rows seen
    int64_t inserted, updated, deleted;
    // Low halves of live + inserted + updated(new - old) - deleted - source: 0 at the end when all went right.
    uint64_t check;
} ds_diff_totals;

ds_diff *diff_new(const ds_diff_options *options);
void diff_free(ds_diff *diff); // takes NULL
void diff_freep(ds_diff **diff);

// Live rows: keys (or whole rows with rehash), row_hash as stored, locator (a multiset: the copy number). From row
// `from` on, behind what diff_both has taken.
ds_rc diff_live(ds_diff *diff, const ds_rows *chunk, size_t from, ds_error *err);
ds_rc diff_live_end(ds_diff *diff, ds_error *err); // inserts the waiting source rows
// Source rows, from row `from` on. DS_FINDING: duplicate of a key that waits or is new.
ds_rc diff_source(ds_diff *diff, const ds_rows *chunk, size_t from, ds_error *err);
// Rows of both sides, from *live_at and *source_at on, until one of the chunks is used up; pairs that come in about the
// same order need no table. Not for multisets, nor after the live end.
ds_rc diff_both(ds_diff *diff, const ds_rows *live, size_t *live_at, const ds_rows *source, size_t *source_at,
                ds_error *err);
// Should source rows come now? Not before the live end while too many of them wait; the live side never has to wait.
bool diff_wants_source(const ds_diff *diff);
// After both ends: tells the live rows that were never seen, and settles what waits on disk.
ds_rc diff_finish(ds_diff *diff, ds_error *err);

const ds_diff_totals *diff_totals(const ds_diff *diff);
