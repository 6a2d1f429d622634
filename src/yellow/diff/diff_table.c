// The diff's table: how much memory it takes. Keys that have met their partner leave it: two sides that come in about
// the same order keep it small enough for the processor's caches, whatever the number of rows; only disorder makes it
// grow.
#include <sys/mman.h>

#include "yellow/diff/diff_int.h"

#ifdef DS_STRESS
enum { FIRST_SLOTS = 4 };
#else
enum { FIRST_SLOTS = 16 * 1024 };
#endif
enum {
    SLOTS_MIN = 2,          // one key: each level settles some
    WAITING_MAX = 48 << 20, // bytes of source rows that may wait for their live partner
    BUFFERS_MAX = 8 << 20,  // of the file
    MEMORY_PARTS = 8,       // each of these two takes no larger part of a small budget
};

static size_t slots_for(int64_t rows)
{
    enum { SMALLEST = 64 };
    size_t wanted = rows > 0 ? (size_t)rows : 0;
    return wanted + wanted / 6 + SMALLEST; // load factor below 0.86
}

// Zeroed, by huge pages where there are some: the table is read and written at random, and misses of the page table
// were the larger part of its cost.
static ds_diff_entry *entries_new(size_t slots)
{
    size_t bytes = slots * sizeof(ds_diff_entry);
    void *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        BUG("out of memory: a diff of %zu entries", slots);
    (void)madvise(table, bytes, MADV_HUGEPAGE);
    return table;
}

static size_t at_most(size_t n, size_t max)
{
    return n < max ? n : max;
}

static void share_memory(ds_diff *diff)
{
    size_t all = diff->options.memory_bytes ? diff->options.memory_bytes : DIFF_MEMORY_DEFAULT;
    diff->waiting_max = at_most(all / MEMORY_PARTS, WAITING_MAX);
    diff->buffer_bytes = at_most(all / MEMORY_PARTS, BUFFERS_MAX);
    size_t slots = (all - diff->waiting_max - diff->buffer_bytes) / sizeof(ds_diff_entry);
    diff->slots_max = diff->level == DIFF_LEVELS ? SIZE_MAX : slots < SLOTS_MIN ? SLOTS_MIN : slots;
}

void diff_table_init(ds_diff *diff)
{
    share_memory(diff);
    diff->expected_slots = at_most(slots_for(diff->options.expected_rows), diff->slots_max);
    // What comes back from disk comes one side after the other: all live rows will be in the table.
    diff->slots = diff->level ? diff->expected_slots : at_most(diff->expected_slots, FIRST_SLOTS);
    diff->table = entries_new(diff->slots);
}

void diff_table_release(ds_diff *diff)
{
    if (diff->table)
        munmap(diff->table, diff->slots * sizeof(ds_diff_entry));
    diff->table = NULL;
}

// Moves the entries into a larger table. Their order is that of their hashes, in both tables, so the old one's memory
// can be given back piece by piece: there is never more of it than the new table takes.
static void move_entries(ds_diff *diff, ds_diff_entry *old, size_t n)
{
    enum { PIECE = (2 << 20) / sizeof(ds_diff_entry) };
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && i % PIECE == 0)
            (void)madvise(&old[i - PIECE], PIECE * sizeof(ds_diff_entry), MADV_DONTNEED);
        if (old[i].place & PLACE_USED)
            *diff_slot_of(diff, old[i].key) = old[i];
    }
    munmap(old, n * sizeof(ds_diff_entry));
}

// Doubled, but not beyond what all live rows need before that is reached.
bool diff_table_grow(ds_diff *diff)
{
    ds_diff_entry *old = diff->table;
    size_t n = diff->slots;
    size_t wanted = n * 2 > diff->expected_slots && n < diff->expected_slots ? diff->expected_slots : n * 2;
    diff->slots = at_most(wanted, diff->slots_max);
    if (diff->slots == n)
        return false;
    diff->table = entries_new(diff->slots);
    move_entries(diff, old, n);
    return true;
}
