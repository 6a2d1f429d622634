#include "store/keeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

enum { RESTING = 64, REST_MS = 90000, AGE_MS = 300000 };

// A connection that was opened here, given out or at rest.
struct ds_kept {
    ds_keeper *keeper;
    ds_kept *next; // of those at rest
    ds_db *db;
    ds_hash place; // to what, and as who
    int64_t born_us, rests_us;
};

struct ds_keeper {
    ds_keeper_limits limits;
    const ds_clock *clock;
    uint64_t seed;
    pthread_mutex_t mutex; // guards what follows
    ds_kept *resting;      // the latest first: who is not needed gets old
    size_t n;
};

static int64_t now_us(const ds_keeper *keeper)
{
    return keeper->clock ? clock_now_us(keeper->clock) : (int64_t)(clock_elapsed_s() * 1e6);
}

ds_keeper *keeper_new(const ds_keeper_limits *limits, const ds_clock *clock)
{
    ds_keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        BUG("out of memory");
    ds_keeper_limits wanted = limits ? *limits : (ds_keeper_limits){0};
    keeper->limits = (ds_keeper_limits){
        .resting = wanted.resting ? wanted.resting : RESTING,
        .rest_ms = wanted.rest_ms ? wanted.rest_ms : REST_MS,
        .age_ms = wanted.age_ms ? wanted.age_ms : AGE_MS,
    };
    keeper->clock = clock;
    if (getrandom(&keeper->seed, sizeof keeper->seed, 0) != (ssize_t)sizeof keeper->seed)
        BUG("getrandom gave too little");
    pthread_mutex_init(&keeper->mutex, NULL);
    return keeper;
}

static void end(ds_kept *kept)
{
    kept->db->kept = NULL;
    store_close(kept->db);
    free(kept);
}

static void end_all(ds_kept *list)
{
    while (list) {
        ds_kept *next = list->next;
        end(list);
        list = next;
    }
}

void keeper_freep(ds_keeper **at)
{
    ds_keeper *keeper = *at;
    if (!keeper)
        return;
    end_all(keeper->resting);
    pthread_mutex_destroy(&keeper->mutex);
    free(keeper);
    *at = NULL;
}

// --- places

static void add_text(XXH3_state_t *state, const char *text)
{
    XXH3_128bits_update(state, text ? text : "", text ? strlen(text) + 1 : 1); // with its end: ab c is not a bc
}

// Of the secret no more than this is remembered here. The seed is the keeper's own.
static ds_hash place_of(const ds_keeper *keeper, const ds_target *target, const ds_secret *secret)
{
    const char *const TEXTS[] = {target->type,   target->name,     target->path,   target->host,     target->database,
                                 target->schema, target->tls_mode, target->tls_ca, target->tls_cert, target->tls_key};
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        BUG("out of memory");
    XXH3_128bits_reset_withSeed(state, keeper->seed);
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        add_text(state, TEXTS[i]);
    for (size_t i = 0; secret && i < SECRET_PARTS; i++)
        add_text(state, secret->parts[i]);
    XXH3_128bits_update(state, &target->port, sizeof target->port);
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    return (ds_hash){.high = hash.high64, .low = hash.low64};
}

// --- giving out

static bool is_too_old(const ds_keeper *keeper, const ds_kept *kept, int64_t now)
{
    return now - kept->rests_us >= keeper->limits.rest_ms * INT64_C(1000) ||
           now - kept->born_us >= keeper->limits.age_ms * INT64_C(1000);
}

// The latest one at rest; NULL when there is none.
static ds_kept *take(ds_keeper *keeper, ds_hash place)
{
    pthread_mutex_lock(&keeper->mutex);
    ds_kept **at = &keeper->resting;
    while (*at && !hash_eq((*at)->place, place))
        at = &(*at)->next;
    ds_kept *kept = *at;
    if (kept) {
        *at = kept->next;
        keeper->n--;
    }
    pthread_mutex_unlock(&keeper->mutex);
    return kept;
}

static ds_rc open_new(ds_keeper *keeper, const ds_store *store, const ds_target *target, const ds_open_options *options,
                      ds_db **out, ds_error *err)
{
    ds_open_options kept_options = *options;
    kept_options.kept = true;
    TRY(store_open(store, target, &kept_options, out, err));
    ds_kept *kept = calloc(1, sizeof *kept);
    if (!kept)
        BUG("out of memory");
    *kept = (ds_kept){.keeper = keeper,
                      .db = *out,
                      .place = place_of(keeper, target, options->secret),
                      .born_us = now_us(keeper)};
    (*out)->kept = kept;
    return DS_DONE;
}

ds_rc keeper_open(ds_keeper *keeper, const ds_store *store, const ds_target *target, const ds_open_options *options,
                  ds_db **out, ds_error *err)
{
    const ds_driver *driver = store_driver(store, target->type);
    if (!keeper || !driver || !driver->rest || options->create || options->wait_closed)
        return store_open(store, target, options, out, err);
    keeper_sweep(keeper);
    ds_hash place = place_of(keeper, target, options->secret);
    for (ds_kept *kept; (kept = take(keeper, place));) {
        if (driver->wake(kept->db, options)) {
            *out = kept->db;
            return DS_DONE;
        }
        end(kept); // it was lost meanwhile
    }
    return open_new(keeper, store, target, options, out, err);
}

// --- taking back

// The one that has rested for the longest, when there are too many.
static ds_kept *take_surplus(ds_keeper *keeper)
{
    if (keeper->n <= keeper->limits.resting)
        return NULL;
    ds_kept **at = &keeper->resting;
    while ((*at)->next)
        at = &(*at)->next;
    ds_kept *last = *at;
    *at = NULL;
    keeper->n--;
    return last;
}

void keeper_give_back(ds_db *db)
{
    ds_kept *kept = db->kept;
    ds_keeper *keeper = kept->keeper;
    bool good = db->driver->rest(db);
    kept->rests_us = now_us(keeper);
    if (!good || is_too_old(keeper, kept, kept->rests_us)) {
        end(kept);
        return;
    }
    pthread_mutex_lock(&keeper->mutex);
    kept->next = keeper->resting;
    keeper->resting = kept;
    keeper->n++;
    ds_kept *surplus = take_surplus(keeper);
    pthread_mutex_unlock(&keeper->mutex);
    end_all(surplus);
}

void keeper_sweep(ds_keeper *keeper)
{
    if (!keeper)
        return;
    ds_kept *old = NULL;
    int64_t now = now_us(keeper);
    pthread_mutex_lock(&keeper->mutex);
    for (ds_kept **at = &keeper->resting; *at;) {
        ds_kept *kept = *at;
        if (!is_too_old(keeper, kept, now)) {
            at = &kept->next;
            continue;
        }
        *at = kept->next;
        kept->next = old;
        old = kept;
        keeper->n--;
    }
    pthread_mutex_unlock(&keeper->mutex);
    end_all(old);
}

size_t keeper_resting(ds_keeper *keeper)
{
    pthread_mutex_lock(&keeper->mutex);
    size_t n = keeper->n;
    pthread_mutex_unlock(&keeper->mutex);
    return n;
}
