#include "sim/ledger.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "schema/value.h"

enum { LEDGER_VALUE_MAX = 64 << 20 };

// The last line of the file, for its tx. Lines can be long: look at ever more of the end.
static int64_t last_tx(FILE *file)
{
    int64_t tx = 0;
    char *line = NULL;
    size_t cap = 0;
    for (long back = 64 << 10;; back *= 16) {
        bool whole = fseek(file, -back, SEEK_END) != 0;
        if (whole)
            rewind(file);
        while (getline(&line, &cap, file) > 0) {
            json_t *json = json_loads(line, 0, NULL);
            if (json)
                tx = json_integer_value(json_object_get(json, "tx"));
            json_decref(json);
        }
        if (tx || whole)
            break;
    }
    free(line);
    return tx;
}

ds_rc ledger_open(const char *path, ds_ledger *out, ds_error *err)
{
    *out = (ds_ledger){.path = path};
    if (!path)
        return DS_DONE;
    out->file = fopen(path, "a+e");
    if (!out->file)
        return ds_fail_errno(err, errno, "can't open ledger", path);
    out->tx = last_tx(out->file);
    return DS_DONE;
}

void ledger_close(ds_ledger *ledger)
{
    if (ledger->file)
        fclose(ledger->file);
    ledger->file = NULL;
}

static json_t *value_json(const ds_type *type, ds_cell cell)
{
    if (!cell.p)
        return json_null();
    if (type_class(type) == VALUE_BOOL)
        return json_boolean(cell.p[0]);
    if (type_class(type) == VALUE_INT && type->kind != TYPE_UBIGINT)
        return json_integer(cell_i64(cell));
    CLEANUP(buf_release) ds_buf text = BUF_INIT(LEDGER_VALUE_MAX);
    value_print(type, cell, &text);
    return json_stringn(buf_text(&text), text.n);
}

json_t *ledger_change(const char *dataset, const char *op, const ds_shape *shape, const ds_cell *cells, bool key_only)
{
    json_t *key = shape->key_count ? json_object() : json_null();
    for (size_t i = 0; i < shape->key_count; i++)
        json_object_set_new(key, shape->columns[shape->key[i]].name,
                            value_json(shape->columns[shape->key[i]].type, cells[shape->key[i]]));
    json_t *row = key_only && shape->key_count ? json_null() : json_object();
    for (size_t i = 0; json_is_object(row) && i < shape->n; i++)
        json_object_set_new(row, shape->columns[i].name, value_json(shape->columns[i].type, cells[i]));
    return json_pack("{s:s, s:s, s:o, s:o}", "dataset", dataset, "op", op, "key", key, "row", row);
}

ds_rc ledger_write(ds_ledger *ledger, int64_t at_us, const json_t *changes, ds_error *err)
{
    char at[CLOCK_TEXT];
    clock_format_iso(at_us, at);
    ledger->tx++;
    for (size_t i = 0; ledger->file && i < json_array_size(changes); i++) {
        json_t *line = json_pack("{s:I, s:s}", "tx", (json_int_t)ledger->tx, "at", at);
        json_object_update(line, json_array_get(changes, i));
        json_dumpf(line, ledger->file, JSON_COMPACT);
        fputc('\n', ledger->file);
        json_decref(line);
    }
    if (ledger->file && (fflush(ledger->file) != 0 || ferror(ledger->file)))
        return ds_fail_errno(err, errno ? errno : EIO, "can't write ledger", ledger->path);
    return DS_DONE;
}
