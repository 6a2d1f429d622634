#include <sys/stat.h>
#include <xxhash.h>

#include "image/image_int.h"
#include "model/pack.h"

enum { IMAGE_VERSION = 1 };

uint64_t image_format(void)
{
    static uint64_t known; // the same whoever computes it
    if (known)
        return known;
    struct stat program = {0};
    (void)stat("/proc/self/exe", &program); // rules may be others in a program that was built anew
    CLEANUP(buf_release) ds_buf facts = BUF_INIT(64 << 10);
    buf_printf(&facts, "%lld %lld %ld ", (long long)program.st_size, (long long)program.st_mtim.tv_sec,
               program.st_mtim.tv_nsec);
    uint64_t packing = pack_format();
    buf_put(&facts, &packing, sizeof packing);
    buf_puts(&facts, DS_VERSION " " IMAGE_INNER_TABLES);
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++)
        image_table_shape(&IMAGE_TABLES[i], &facts);
    known = XXH3_64bits_withSeed(facts.p, facts.n, IMAGE_VERSION);
    return known;
}

ds_rc image_fail(sqlite3 *db, const char *what, ds_error *err)
{
    int code = db ? sqlite3_errcode(db) & 0xFF : SQLITE_NOMEM;
    bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR || code == SQLITE_MISMATCH;
    return ds_fail(err, damaged ? DS_INTERNAL : DS_ENV, "can't %s the model's image: %s", what,
                   db ? sqlite3_errmsg(db) : "out of memory");
}

ds_rc image_damaged(ds_error *err)
{
    return ds_fail(err, DS_INTERNAL, "the model's image is damaged");
}

ds_rc image_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, ds_error *err)
{
    return sqlite3_prepare_v2(db, sql, -1, out, NULL) == SQLITE_OK ? DS_DONE : image_fail(db, "read", err);
}

void image_finalizep(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
    *statement = NULL;
}

// 31 bits, which SQLite keeps in four bytes.
int64_t image_sum(int64_t a, int64_t b, ds_str bytes)
{
    return (int64_t)(XXH3_64bits_withSeed(bytes.p, bytes.n, (uint64_t)a << 32 ^ (uint64_t)b) & INT32_MAX);
}

int64_t image_document_sum(int64_t id, int64_t file, int64_t kind, ds_str words, ds_str head)
{
    return image_sum(image_sum(id, file, words), kind, head);
}

ds_str image_blob(sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    int n = sqlite3_column_bytes(statement, column);
    return (ds_str){bytes ? bytes : "", bytes && n > 0 ? (size_t)n : 0};
}

const char *image_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text ? (const char *)text : "";
}
