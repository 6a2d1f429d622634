// What the language of models is: one table row per field. The decoder, the JSON Schema, "did you mean" and structural
// comparison all read these tables; nothing else knows the fields. Plain const data, any thread.
//
// Adding a field: a member in model.h, a row in the table of its shape (fields_*.c), and a line in the golden test
// tests/golden/model/everything. Adding a kind of document: its struct and list in model.h, its shape, and a row in
// MODEL_KINDS.
#pragma once
#include "model/model.h"
#include "model/pattern.h"

typedef enum field_kind {
    FIELD_TEXT,        // ds_text; with `words` one of them, whose value goes to value_offset (an int) when given
    FIELD_STRING,      // const char *: a text whose position nobody needs
    FIELD_INT,         // ds_int
    FIELD_FLAG,        // ds_flag: true or false
    FIELD_RATIO,       // ds_ratio: 0 to 1
    FIELD_TEXTS,       // ds_texts: a list
    FIELD_ONE_OR_MANY, // ds_texts: a text or a list
    FIELD_CLASSES,     // a text or a list, held as const ds_text * and, at value_offset, uint16_t how many
    FIELD_STRUCT,      // a map with fields of its own, decoded in place (offset is added to the rows' own)
    FIELD_POINTER,     // the same, behind a pointer
    FIELD_LIST,        // LIST_OF(struct): a list of maps
    FIELD_MAP,         // LIST_OF(struct): a map by name, order kept
    FIELD_COLUMN_TYPE, // TYPE [primary key] [not null|null] [partition], into the ds_column that contains it
    FIELD_SINK,        // STORE/DATASET, into the ds_sink that contains it
    FIELD_DEPRECATED,  // false | true | REASON: ds_deprecation
    FIELD_BATCHES,     // a number or `all`: ds_text, and int64_t at value_offset
} field_kind;
enum { FIELD_KIND_COUNT = FIELD_BATCHES + 1 };

typedef struct model_word {
    const char *word;
    int value;
    const char *about; // NULL: speaks for itself
} model_word;
typedef struct model_words {
    const model_word *v;
    size_t n;
} model_words;

typedef struct model_shape model_shape;

// Where a struct keeps the fields that are seldom given: behind a pointer, which leads to `none` until one is. Nobody
// writes to `none`: it has the fields' defaults, for all.
typedef struct model_rest {
    uint16_t offset; // of the pointer
    uint16_t size;
    const void *none;
} model_rest;

typedef struct model_field {
    const char *key; // NULL: the row of a short form that has no long one
    field_kind kind;
    uint16_t offset, value_offset;   // of the value in field_home()
    const model_rest *rest;          // NULL: it is in the shape's struct itself
    bool required;                   // lists and maps: at least one entry
    bool choice;                     // exactly one of the shape's choices must be given
    bool tag;                        // its word decides which of the other fields apply
    bool ordered;                    // lists and maps: their order says something
    bool given_counts;               // to give it, empty, is not the same as to leave it out
    bool apart;                      // entries are packed one by one (pack.h), so that one can be read alone
    uint32_t only_for, required_for; // bits (1 << value) of the tag's words; 0: all, none
    model_pattern pattern;
    const model_words *words;
    const model_shape *shape;
    const char *fallback; // what an absent field means; NULL: nothing
    int64_t min, max;     // FIELD_INT, FIELD_BATCHES
    const char *about;    // one line
    const char *example;  // a value as YAML
} model_field;

struct model_shape {
    const char *name; // "capture", "column": for messages and the schema
    const char *about;
    const model_field *fields;
    size_t n;
    const model_shape *also;       // its fields belong to this shape, too
    const model_field *short_form; // how a plain text is read instead of a map; NULL: it isn't
    uint16_t size;
    uint16_t pos_offset;      // ds_pos: of the map's key, or of the entry
    uint16_t body_pos_offset; // 0, or a second ds_pos
    // Entries of maps, and of lists when named: where the name is, and what it must look like.
    bool named;
    bool name_is_string; // const char *, else ds_text
    bool part;           // the name is part of the object's path in findings
    uint16_t name_offset;
    bool known_by_name; // list items without names: the text at name_offset tells them apart, and may repeat
    model_pattern name_pattern;
    const char *name_of; // what the name names, where that is not the entry itself
};

// What the offsets of a field count from: base, the struct of its shape, or that struct's rest.
static inline const void *field_home(const model_field *f, const void *base)
{
    return f->rest ? *(const void *const *)(const void *)((const char *)base + f->rest->offset) : base;
}
// The same, to write to: a rest of its own is made in arena where there is none.
void *field_own_home(const model_field *f, void *base, ds_arena *arena);

// Where the struct stands.
static inline ds_pos struct_pos(const model_shape *shape, const void *base)
{
    ds_pos pos;
    memcpy(&pos, (const char *)base + shape->pos_offset, sizeof pos);
    return pos;
}

// Fields of a shape with those of `also`, in order.
static inline size_t shape_field_count(const model_shape *shape)
{
    return shape->n + (shape->also ? shape->also->n : 0);
}
static inline const model_field *shape_field(const model_shape *shape, size_t i)
{
    return i < shape->n ? &shape->fields[i] : &shape->also->fields[i - shape->n];
}
// The tag among them, or NULL.
const model_field *shape_tag(const model_shape *shape);

typedef struct model_kind {
    const char *name;
    const model_shape *shape;
    uint16_t list_offset; // of the LIST_OF(T *) in ds_model
    bool single;          // a model has one, whatever its name is
} model_kind;
extern const model_kind MODEL_KINDS[];
extern const size_t MODEL_KIND_COUNT;

extern const model_shape SHAPE_ECOSYSTEM;
extern const model_shape SHAPE_VENDOR;
extern const model_shape SHAPE_ZONE_DECLARATION;
extern const model_shape SHAPE_SERVICE_DECLARATION;
extern const model_shape SHAPE_ZONE;
extern const model_shape SHAPE_TEAM;
extern const model_shape SHAPE_CAPTURE;
extern const model_shape SHAPE_CONTAINER;
extern const model_shape SHAPE_DATASTORE;
extern const model_shape SHAPE_OUTPUT; // of a transformer
extern const model_shape SHAPE_DATASET;
extern const model_shape SHAPE_COLUMN;
extern const model_shape SHAPE_DATA_CONTAINER;
extern const model_shape SHAPE_WORKSPACE;
extern const model_shape SHAPE_GROUP;
extern const model_shape SHAPE_SINK;
extern const model_shape SHAPE_PLATFORM_SERVICE;
extern const model_shape SHAPE_PLATFORM;
extern const model_shape SHAPE_ENVIRONMENT;
extern const model_shape SHAPE_TRIGGER;
extern const model_words WORDS_CLASSIFICATION;
