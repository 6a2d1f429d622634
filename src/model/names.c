#include "model/decode_int.h"

#include <stdlib.h>
#include <strings.h>

// Case ignored, then as they are, then in order of place: equal names stand together, the first one first.
static int compare(const void *x, const void *y)
{
    const scoped_name *a = *(scoped_name *const *)x, *b = *(scoped_name *const *)y;
    int order = strcasecmp(a->name, b->name);
    if (order == 0)
        order = strcmp(a->name, b->name);
    return order ? order : (a > b) - (a < b);
}

static void report_same(const name_scope *s, const scoped_name *first, scoped_name *again)
{
    again->duplicate = true;
    const ds_files *files = diags_files(s->diags);
    if (s->duplicate_rule == RULE_DUPLICATE_KEY)
        MODEL_FIND(s->diags, RULE_DUPLICATE_KEY, again->pos, s->object, "%s \"%s\" stands here twice", s->what,
                   again->name);
    else
        MODEL_FIND(s->diags, RULE_DUPLICATE, again->pos, s->object, "%s \"%s\" is declared twice", s->what,
                   again->name);
    diag_hint(s->diags, "the first one is at %s:%u:%u", files_path(files, first->pos.file), (unsigned)first->pos.line,
              (unsigned)first->pos.column);
}

static void report_case(const name_scope *s, const scoped_name *a, const scoped_name *b)
{
    const scoped_name *first = a < b ? a : b, *later = a < b ? b : a;
    MODEL_FIND(s->diags, RULE_CASE, later->pos, s->object, "%s \"%s\" differs from \"%s\" only by case", s->what,
               later->name, first->name);
    diag_hint(s->diags, "the other one is at %s:%u:%u", files_path(diags_files(s->diags), first->pos.file),
              (unsigned)first->pos.line, (unsigned)first->pos.column);
}

// The same for names that differ by case; eight letters at a time. Never 0.
static uint64_t hash_of(const char *name)
{
    const uint64_t lower = 0x2020202020202020u, odd = 0x9E3779B97F4A7C15u; // 2^64 / golden ratio, as Knuth's
    size_t n = strlen(name);
    uint64_t hash = n, word;
    for (; n >= sizeof word; n -= sizeof word, name += sizeof word) {
        memcpy(&word, name, sizeof word);
        hash = (hash ^ (word | lower)) * odd;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, name, n);
    hash = (hash ^ (word | lower)) * odd;
    return (hash ^ hash >> 32) | 1;
}

bool names_may_clash(const scoped_name *names, size_t n, ds_arena *scratch)
{
    enum { TRIES = 32 }; // so that nobody can craft names that take long
    size_t slots = 8;
    while (slots < 2 * n)
        slots *= 2;
    uint64_t *seen = ARENA_ARRAY(scratch, uint64_t, slots);
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = hash_of(names[i].name);
        size_t at = hash >> 1 & (slots - 1), tries = 0;
        for (; seen[at]; at = (at + 1) & (slots - 1))
            if (seen[at] == hash || ++tries == TRIES)
                return true;
        seen[at] = hash;
    }
    return false;
}

void names_check(const name_scope *scope, scoped_name *names, size_t n)
{
    if (n < 2)
        return;
    scoped_name **sorted = ARENA_ARRAY(scope->scratch, scoped_name *, n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &names[i];
    qsort(sorted, n, sizeof *sorted, compare);
    scoped_name *first = sorted[0];
    for (size_t i = 1; i < n; i++) {
        if (strcmp(first->name, sorted[i]->name) == 0) {
            report_same(scope, first, sorted[i]);
            continue;
        }
        if (strcasecmp(first->name, sorted[i]->name) == 0)
            report_case(scope, first, sorted[i]);
        first = sorted[i];
    }
}
