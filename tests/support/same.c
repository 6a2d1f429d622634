#include "same.h"

typedef LIST_OF(const char) list_of_any;

static bool same_pos(const void *a, const void *b)
{
    ds_pos x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return !x.file == !y.file && (!x.file || (x.line == y.line && x.column == y.column));
}

static bool same_string(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_text(const ds_text *a, const ds_text *b)
{
    return same_string(a->s, b->s) && same_pos(&a->pos, &b->pos);
}

static bool same_items(const ds_text *a, const ds_text *b, size_t n)
{
    bool same = true;
    for (size_t i = 0; i < n; i++)
        same &= same_text(&a[i], &b[i]);
    return same;
}

static bool same_texts(const ds_texts *a, const ds_texts *b)
{
    return same_pos(&a->pos, &b->pos) && a->n == b->n && same_items(a->v, b->v, a->n);
}

static bool same_type(const ds_column *a, const ds_column *b)
{
    return !a->type == !b->type && (!a->type || type_equal(a->type, b->type)) && a->primary_key == b->primary_key &&
           a->not_null == b->not_null && a->partition == b->partition && a->null_given == b->null_given;
}

static bool same_sink(const ds_sink *a, const ds_sink *b)
{
    return same_text(&a->text, &b->text) && same_string(a->store, b->store) && same_string(a->dataset, b->dataset);
}

static bool same_classes(const model_field *f, const char *a, const char *b)
{
    uint16_t n, m;
    memcpy(&n, a + f->value_offset, sizeof n);
    memcpy(&m, b + f->value_offset, sizeof m);
    return n == m && same_items(*(const ds_text *const *)(const void *)(a + f->offset),
                                *(const ds_text *const *)(const void *)(b + f->offset), n);
}

static bool same_value(const model_field *f, const char *a, const char *b)
{
    const void *x = a + f->offset, *y = b + f->offset;
    const ds_int *i = x, *j = y;
    const ds_flag *v = x, *w = y;
    const ds_ratio *r = x, *q = y;
    const ds_deprecation *d = x, *e = y;
    bool number = !f->value_offset || memcmp(a + f->value_offset, b + f->value_offset, sizeof(int)) == 0;
    switch (f->kind) {
    case FIELD_TEXT:
        return same_text(x, y) && number;
    case FIELD_BATCHES:
        return same_text(x, y) && memcmp(a + f->value_offset, b + f->value_offset, sizeof(int64_t)) == 0;
    case FIELD_STRING:
        return same_string(*(const char *const *)x, *(const char *const *)y);
    case FIELD_INT:
        return i->v == j->v && i->set == j->set && same_pos(&i->pos, &j->pos);
    case FIELD_FLAG:
        return v->v == w->v && v->set == w->set && same_pos(&v->pos, &w->pos);
    case FIELD_RATIO:
        return memcmp(&r->v, &q->v, sizeof r->v) == 0 && r->set == q->set && same_pos(&r->pos, &q->pos);
    case FIELD_TEXTS:
    case FIELD_ONE_OR_MANY:
        return same_texts(x, y);
    case FIELD_CLASSES:
        return same_classes(f, a, b);
    case FIELD_COLUMN_TYPE:
        return same_type((const ds_column *)(const void *)a, (const ds_column *)(const void *)b);
    case FIELD_SINK:
        return same_sink((const ds_sink *)(const void *)a, (const ds_sink *)(const void *)b);
    case FIELD_DEPRECATED:
        return d->v == e->v && same_string(d->reason, e->reason) && same_pos(&d->pos, &e->pos);
    default:
        BUG("kind %d is nobody's", (int)f->kind);
    }
}

static void same_field(const model_field *f, const char *a, const char *b, ds_buf *where);

static bool same_name(const model_shape *shape, const char *a, const char *b)
{
    const void *x = a + shape->name_offset, *y = b + shape->name_offset;
    return shape->name_is_string ? same_string(*(const char *const *)x, *(const char *const *)y) : same_text(x, y);
}

static void same_list(const model_field *f, const void *a, const void *b, ds_buf *where)
{
    const list_of_any *x = a, *y = b;
    if (x->n != y->n || !same_pos(&x->pos, &y->pos)) {
        buf_printf(where, "%s", f->key);
        return;
    }
    for (size_t i = 0; i < x->n && where->n == 0; i++) {
        const char *p = x->v + i * f->shape->size, *q = y->v + i * f->shape->size;
        CLEANUP(buf_release) ds_buf inner = BUF_INIT(1000);
        if (f->shape->named && !same_name(f->shape, p, q))
            buf_puts(&inner, "(name)");
        same_struct(f->shape, p, q, &inner);
        if (inner.n)
            buf_printf(where, "%s[%zu].%s", f->key, i, buf_text(&inner));
    }
}

static void same_inner(const model_field *f, const void *a, const void *b, ds_buf *where)
{
    CLEANUP(buf_release) ds_buf inner = BUF_INIT(1000);
    same_struct(f->shape, a, b, &inner);
    if (inner.n)
        buf_printf(where, "%s.%s", f->key, buf_text(&inner));
}

static void same_field(const model_field *f, const char *a, const char *b, ds_buf *where)
{
    a = field_home(f, a);
    b = field_home(f, b);
    const void *x = a + f->offset, *y = b + f->offset;
    if (f->kind == FIELD_LIST || f->kind == FIELD_MAP) {
        same_list(f, x, y, where);
    } else if (f->kind == FIELD_STRUCT) {
        same_inner(f, x, y, where);
    } else if (f->kind == FIELD_POINTER) {
        const void *p = *(const void *const *)x, *q = *(const void *const *)y;
        if (p && q)
            same_inner(f, p, q, where);
        else if (p != q)
            buf_puts(where, f->key);
    } else if (!same_value(f, a, b)) {
        buf_puts(where, f->key ? f->key : "(short form)");
    }
}

void same_struct(const model_shape *shape, const void *a, const void *b, ds_buf *where)
{
    const char *x = a, *y = b;
    if (!same_pos(x + shape->pos_offset, y + shape->pos_offset) ||
        (shape->body_pos_offset && !same_pos(x + shape->body_pos_offset, y + shape->body_pos_offset)))
        buf_puts(where, "(position)");
    if (shape->short_form && where->n == 0)
        same_field(shape->short_form, x, y, where);
    for (size_t i = 0; i < shape_field_count(shape) && where->n == 0; i++)
        same_field(shape_field(shape, i), x, y, where);
}
