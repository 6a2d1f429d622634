// Values that a flow map has cut at a comma: {balance: decimal(12,2)} is two keys for YAML.
#include "model/decode_int.h"

static int open_parentheses(ds_str text)
{
    int open = 0;
    for (size_t i = 0; i < text.n; i++)
        open += (text.p[i] == '(') - (text.p[i] == ')');
    return open;
}

// How many of the pairs from i on belong to the value of pair i; 1 when nothing was cut.
static size_t pieces_of(const yaml_node *map, size_t i)
{
    const yaml_node *value = &map->items[i + 1];
    int open = value->kind == NODE_SCALAR && value->plain ? open_parentheses(value->text) : 0;
    size_t pieces = 1;
    for (size_t k = i + 2; open > 0 && k < map->n; k += 2, pieces++) {
        const yaml_node *key = &map->items[k], *rest = &map->items[k + 1];
        if (key->kind != NODE_SCALAR || !key->plain || rest->kind != NODE_SCALAR || !rest->plain || rest->text.n)
            return 1;
        open += open_parentheses(key->text);
    }
    return open == 0 ? pieces : 1;
}

// "," or ", " before piece k, as it was written.
static const char *comma(const yaml_node *map, size_t i, size_t k)
{
    const yaml_node *piece = &map->items[i + 2 * k], *before = k == 1 ? &map->items[i + 1] : piece - 2;
    uint32_t end = before->pos.column + (uint32_t)str_utf8_length(before->text);
    return piece->pos.line == before->pos.line && piece->pos.column == end + 1 ? "," : ", ";
}

static yaml_node join_pieces(decoder *d, const yaml_node *map, size_t i, size_t pieces)
{
    CLEANUP(buf_release) ds_buf whole = BUF_INIT(MODEL_FILE_MAX);
    buf_put_str(&whole, map->items[i + 1].text);
    for (size_t k = 1; k < pieces; k++)
        buf_printf(&whole, "%s%s", comma(map, i, k), map->items[i + 2 * k].text.p);
    yaml_node joined = map->items[i + 1];
    joined.text = (ds_str){arena_str(d->scratch, buf_str(&whole)), whole.n};
    const yaml_node *key = &map->items[i];
    const char *name = key->kind == NODE_SCALAR ? decode_show(d, key->text) : "";
    decode_find(d, RULE_CUT_OFF, map->items[i + 1].pos, "the value of \"%s\" is cut off at a comma: \"%s\"", name,
                decode_show(d, map->items[i + 1].text));
    diag_hint(d->diags, "put quotes around it: %s: \"%s\"", name, decode_show(d, joined.text));
    return joined;
}

const yaml_node *decode_mend(decoder *d, const yaml_node *map)
{
    if (!map->flow)
        return map;
    yaml_node *mended = NULL;
    for (size_t i = 0; i < map->n;) {
        size_t pieces = pieces_of(map, i);
        if (pieces > 1 && !mended) {
            mended = ARENA_NEW(d->scratch, yaml_node);
            *mended = *map;
            mended->items = ARENA_ARRAY(d->scratch, yaml_node, map->n);
            memcpy(mended->items, map->items, i * sizeof *map->items);
            mended->n = i;
        }
        if (mended) {
            mended->items[mended->n++] = map->items[i];
            mended->items[mended->n++] = pieces > 1 ? join_pieces(d, map, i, pieces) : map->items[i + 1];
        }
        i += 2 * pieces;
    }
    return mended ? mended : map;
}
