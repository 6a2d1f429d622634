#include "yellow/diff/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#ifdef DS_STRESS
enum { BLOCK_MIN = 64, BLOCK_MAX = 128 }; // hardly a row, or not even one
#else
enum { BLOCK_MIN = 4 << 10, BLOCK_MAX = 256 << 10 };
#endif

// A block's place in the file; no bytes: there is none.
typedef struct extent {
    uint64_t at, bytes;
} extent;

// The blocks of a run are a chain, each knows the one before: a run takes no memory however long it is.
typedef struct block_head {
    uint64_t checksum; // of the bytes behind it, seeded by the place
    extent before;
} block_head;

typedef struct row_head {
    ds_hash row_hash, key_hash;
    int64_t locator;
    uint64_t bytes;
} row_head;

typedef struct run {
    ds_buf block; // not yet written: room for its head, then rows
    extent last;  // the block written last; while reading, the one to be read next
    ds_fingerprint rows;
} run;

struct ds_spill {
    char *directory;
    int fd;
    uint64_t end; // of the file
    size_t block_bytes;
    run runs[SPILL_SIDES][SPILL_RANGES];
    ds_buf block; // being read
};

enum { BLOCK_BYTES_LIMIT = ROWS_BYTES_MAX + sizeof(block_head) + sizeof(row_head) };

// --- the file

static ds_rc failed(const ds_spill *spill, ds_rc rc, ds_error *err)
{
    return ds_hint(rc, err,
                   "a comparison wants room there: make some in %s, set TMPDIR to another directory, or raise `memory` "
                   "in the stream's hints",
                   spill->directory);
}

static ds_rc failed_errno(const ds_spill *spill, int error_number, const char *what, ds_error *err)
{
    return failed(spill, ds_fail_errno(err, error_number, what, spill->directory), err);
}

// A file that nobody else can read, and that goes away with its descriptor.
static int open_unnamed(const char *directory)
{
    char path[FILENAME_MAX];
    int n = snprintf(path, sizeof path, "%s/datasurface.XXXXXX", directory);
    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static ds_rc write_all(const ds_spill *spill, const char *p, size_t n, ds_error *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t wrote = pwrite(spill->fd, p + done, n - done, (off_t)(spill->end + done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return failed_errno(spill, errno, "can't write a temporary file in", err);
        done += (size_t)wrote;
    }
    return DS_DONE;
}

static ds_rc read_all(const ds_spill *spill, extent from, char *out, ds_error *err)
{
    for (size_t done = 0; done < from.bytes;) {
        ssize_t got = pread(spill->fd, out + done, from.bytes - done, (off_t)(from.at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return failed_errno(spill, got < 0 ? errno : EIO, "can't read a temporary file in", err);
        done += (size_t)got;
    }
    return DS_DONE;
}

static uint64_t checksum(const char *block, extent place)
{
    size_t skip = sizeof(uint64_t);
    return XXH3_64bits_withSeed(block + skip, place.bytes - skip, place.at);
}

// --- opening

static size_t block_size(size_t buffer_bytes)
{
    size_t share = buffer_bytes / (SPILL_SIDES * SPILL_RANGES), size = BLOCK_MIN;
    while (size < BLOCK_MAX && size * 2 <= share)
        size *= 2;
    return size;
}

ds_rc spill_open(const char *directory, size_t buffer_bytes, ds_spill **out, ds_error *err)
{
    if (!directory)
        directory = getenv("TMPDIR");
    if (!directory || !*directory)
        directory = "/tmp";
    ds_spill *spill = calloc(1, sizeof *spill);
    if (!spill)
        BUG("out of memory");
    spill->directory = strdup(directory);
    if (!spill->directory)
        BUG("out of memory");
    spill->block_bytes = block_size(buffer_bytes);
    spill->block = BUF_INIT(BLOCK_BYTES_LIMIT);
    for (int side = 0; side < SPILL_SIDES; side++)
        for (int range = 0; range < SPILL_RANGES; range++)
            spill->runs[side][range].block = BUF_INIT(BLOCK_BYTES_LIMIT);
    spill->fd = open_unnamed(directory);
    if (spill->fd < 0) {
        ds_rc rc = failed_errno(spill, errno, "can't make a temporary file in", err);
        spill_close(spill);
        return rc;
    }
    *out = spill;
    return DS_DONE;
}

static void release_buffers(ds_spill *spill)
{
    for (int side = 0; side < SPILL_SIDES; side++)
        for (int range = 0; range < SPILL_RANGES; range++)
            buf_release(&spill->runs[side][range].block);
}

void spill_close(ds_spill *spill)
{
    if (!spill)
        return;
    release_buffers(spill);
    buf_release(&spill->block);
    if (spill->fd >= 0)
        close(spill->fd);
    free(spill->directory);
    free(spill);
}

// --- writing

static ds_rc write_block(ds_spill *spill, run *r, ds_error *err)
{
    extent place = {spill->end, r->block.n};
    block_head head = {.before = r->last};
    memcpy(r->block.p, &head, sizeof head);
    head.checksum = checksum(r->block.p, place);
    memcpy(r->block.p, &head, sizeof head);
    TRY(write_all(spill, r->block.p, r->block.n, err));
    spill->end += place.bytes;
    r->last = place;
    if (r->block.cap > spill->block_bytes) // of a row larger than a block
        buf_release(&r->block);
    else
        buf_clear(&r->block);
    return DS_DONE;
}

// An empty block: all its memory at once, and room for its head.
static void begin_block(const ds_spill *spill, run *r)
{
    buf_extend(&r->block, spill->block_bytes - 1);
    buf_clear(&r->block);
    buf_extend(&r->block, sizeof(block_head));
}

ds_rc spill_add(ds_spill *spill, ds_spill_side side, uint32_t range, const ds_rows *chunk, size_t i, ds_error *err)
{
    run *r = &spill->runs[side][range];
    ds_str row = rows_row(chunk, i);
    row_head head = {chunk->row_hash[i], chunk->key_hash[i], chunk->locator[i], row.n};
    if (r->block.n && r->block.n + sizeof head + row.n >= spill->block_bytes)
        TRY(write_block(spill, r, err));
    if (!r->block.n)
        begin_block(spill, r);
    buf_put(&r->block, &head, sizeof head);
    buf_put_str(&r->block, row);
    ds_assert(buf_ok(&r->block));
    fingerprint_add(&r->rows, head.row_hash);
    return DS_DONE;
}

ds_rc spill_end(ds_spill *spill, ds_error *err)
{
    for (int side = 0; side < SPILL_SIDES; side++)
        for (int range = 0; range < SPILL_RANGES; range++)
            if (spill->runs[side][range].block.n)
                TRY(write_block(spill, &spill->runs[side][range], err));
    release_buffers(spill);
    return DS_DONE;
}

// --- reading

ds_fingerprint spill_rows(const ds_spill *spill, ds_spill_side side, uint32_t range)
{
    return spill->runs[side][range].rows;
}

static void take_rows(const ds_buf *block, ds_rows *out)
{
    for (size_t at = sizeof(block_head); at < block->n;) {
        row_head head;
        ds_assert(block->n - at >= sizeof head);
        memcpy(&head, block->p + at, sizeof head);
        at += sizeof head;
        ds_assert(block->n - at >= head.bytes);
        rows_append(out, (ds_str){block->p + at, head.bytes}, head.row_hash, head.key_hash, head.locator);
        at += head.bytes;
    }
}

ds_rc spill_read(ds_spill *spill, ds_spill_side side, uint32_t range, ds_rows *out, ds_error *err)
{
    run *r = &spill->runs[side][range];
    rows_clear(out);
    if (r->last.bytes == 0)
        return DS_DONE;
    buf_clear(&spill->block);
    char *bytes = buf_extend(&spill->block, r->last.bytes);
    ds_assert(bytes);
    TRY(read_all(spill, r->last, bytes, err));
    block_head head;
    memcpy(&head, bytes, sizeof head);
    if (head.checksum != checksum(bytes, r->last))
        return failed(spill,
                      ds_fail(err, DS_ENV, "a temporary file in %s doesn't give back what was written: its disk is bad",
                              spill->directory),
                      err);
    r->last = head.before;
    if (r->last.bytes) // may be read while the rows of this one are worked on
        (void)posix_fadvise(spill->fd, (off_t)r->last.at, (off_t)r->last.bytes, POSIX_FADV_WILLNEED);
    take_rows(&spill->block, out);
    return DS_DONE;
}
