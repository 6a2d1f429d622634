// Documents as compact bytes, and back: how the compiled image (image/image.h) keeps them. Both ways read the tables of
// fields.h, so a new field is packed without a word here; pack_format() changes with the tables.
//
// A packed document has three parts:
//   words    the names, types and other texts of a small vocabulary, each once; the other parts refer to them
//   head     everything but its datasets
//   entries  its datasets (those of a Datastore, or of a transformer's output), each by itself
// Numbers are LEB128 (DWARF 5, 7.6). A struct is its position, a bitmap of the fields that differ from their default,
// and their values. Lines are differences to the line before. Free text stands where it is used.
//
// What has been unpacked equals what was packed in every field of the tables and every position. Texts are not copied:
// they point into the bytes, which have to live as long. Whatever the bytes, the result is a sound struct or an error.
#pragma once
#include "model/model.h"

// Changes whenever bytes written before can't be read any more.
uint64_t pack_format(void);

typedef struct ds_packed_entry {
    const ds_dataset *dataset;
    ds_str bytes;
} ds_packed_entry;
typedef struct ds_packed {
    ds_str words, head;
    const ds_packed_entry *entries;
    size_t n;
} ds_packed;

// Memory that packing uses again and again. One thread at a time.
typedef struct ds_packer ds_packer;
ds_packer *packer_new(void);
void packer_freep(ds_packer **packer);
// kind: an index of MODEL_KINDS; object: a document of that kind whose containers no Environment has replaced. What is
// returned lives until the next call.
ds_packed pack_document(ds_packer *packer, size_t kind, const void *object);

// Where unpacked documents go, with the types that they share. Documents of one arena may share one; one thread.
typedef struct ds_unpacker ds_unpacker;
ds_unpacker *unpacker_new(ds_arena *arena); // lives in the arena

typedef struct ds_words ds_words; // of one document
// Each is looked at when something is unpacked that refers to it: damage may show only there.
ds_rc unpack_words(ds_unpacker *u, ds_str bytes, ds_words **out, ds_error *err);

typedef struct ds_unpacked {
    void *object;        // of the kind
    ds_datastore *store; // whose datasets are entries: the document or its transformer's output; NULL: neither
    size_t datasets;     // how many; store->datasets has none yet
} ds_unpacked;
// file: what positions will say. DS_INTERNAL when the bytes are damaged, as in all that follows.
ds_rc unpack_document(ds_unpacker *u, ds_words *words, size_t kind, ds_str head, uint32_t file, ds_unpacked *out,
                      ds_error *err);
// arena: where the columns go, which may be another.
ds_rc unpack_dataset(ds_unpacker *u, ds_words *words, ds_str bytes, uint32_t file, ds_arena *arena, ds_dataset *out,
                     ds_error *err);
