// Ids as git makes them: SHA-1 over "TYPE SIZE\0" and the bytes.
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>

#include "base/file.h"
#include "model/tree_int.h"

// OpenSSL's own context, under a name of ours.
static EVP_MD_CTX *context_of(object_hash *hash)
{
    return (EVP_MD_CTX *)hash;
}

// Looked up once: EVP_sha1() would be looked up for each hash.
static EVP_MD *sha1;

static void fetch_sha1(void)
{
    sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
}

object_hash *object_hash_begin(const char *type, uint64_t size_bytes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, fetch_sha1);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, sha1, NULL) != 1)
        BUG("the cryptographic library has no SHA-1");
    char header[40];
    int n = snprintf(header, sizeof header, "%s %llu", type, (unsigned long long)size_bytes);
    ds_assert(n > 0 && (size_t)n < sizeof header);
    object_hash *hash = (object_hash *)context;
    object_hash_add(hash, header, (size_t)n + 1);
    return hash;
}

void object_hash_add(object_hash *hash, const void *bytes, size_t n)
{
    if (n && EVP_DigestUpdate(context_of(hash), bytes, n) != 1)
        BUG("SHA-1 failed");
}

ds_blob_id object_hash_end(object_hash *hash)
{
    ds_blob_id id;
    if (EVP_DigestFinal_ex(context_of(hash), id.bytes, NULL) != 1)
        BUG("SHA-1 failed");
    EVP_MD_CTX_free(context_of(hash));
    return id;
}

static ds_blob_id hash_of(const char *type, ds_str text)
{
    object_hash *hash = object_hash_begin(type, text.n);
    object_hash_add(hash, text.p, text.n);
    return object_hash_end(hash);
}

ds_blob_id blob_id_of(ds_str text)
{
    return hash_of("blob", text);
}

void blob_id_text(const ds_blob_id *id, char out[TREE_ID_TEXT])
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < TREE_ID_BYTES; i++) {
        out[2 * i] = DIGITS[id->bytes[i] >> 4];
        out[2 * i + 1] = DIGITS[id->bytes[i] & 15];
    }
    out[TREE_ID_TEXT - 1] = '\0';
}

static void put_entry(ds_buf *out, const char *mode, ds_str name, const ds_blob_id *id)
{
    buf_puts(out, mode);
    buf_putc(out, ' ');
    buf_put_str(out, name);
    buf_putc(out, '\0');
    buf_put(out, id->bytes, sizeof id->bytes);
}

// The directory that entry *i is in, whose path is its first `prefix` bytes. Leaves *i behind its last entry. Byte
// order of whole paths is git's order of a directory's entries, in which a directory counts as "name/".
static ds_blob_id hash_directory(const ds_tree *tree, size_t *i, size_t prefix)
{
    CLEANUP(buf_release) ds_buf entries = BUF_INIT((size_t)MODEL_FILES_MAX * (FILE_PATH_MAX + TREE_ID_BYTES + 10));
    const char *directory = *i < tree->files.n ? tree->files.v[*i].path : "";
    while (*i < tree->files.n && strncmp(tree->files.v[*i].path, directory, prefix) == 0) {
        const ds_tree_file *file = &tree->files.v[*i];
        ds_str name = str_of(file->path + prefix);
        const char *slash = strchr(name.p, '/');
        if (slash) {
            ds_blob_id below = hash_directory(tree, i, (size_t)(slash + 1 - file->path));
            put_entry(&entries, "40000", (ds_str){name.p, (size_t)(slash - name.p)}, &below);
        } else {
            put_entry(&entries, file->is_link ? "120000" : "100644", name, &file->id);
            ++*i;
        }
    }
    ds_assert(buf_ok(&entries));
    return hash_of("tree", buf_str(&entries));
}

ds_rc tree_id(ds_tree *tree, char out[TREE_ID_TEXT], ds_error *err)
{
    for (size_t i = 0; i < tree->files.n; i++)
        TRY(tree_hash(tree, i, err));
    if (!tree->id[0]) {
        size_t first = 0;
        ds_blob_id id = hash_directory(tree, &first, 0);
        blob_id_text(&id, tree->id);
    }
    memcpy(out, tree->id, sizeof tree->id);
    return DS_DONE;
}
