#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"

struct ds_queue {
    pthread_mutex_t lock; // guards everything below
    pthread_cond_t not_full, not_empty;
    size_t capacity, head, n;
    bool closed;
    void *items[];
};

ds_queue *queue_new(size_t capacity)
{
#ifdef DS_STRESS
    capacity = 1;
#endif
    ds_assert(capacity > 0);
    ds_queue *q = calloc(1, sizeof *q + capacity * sizeof(void *));
    if (!q)
        BUG("out of memory");
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_full, NULL);
    pthread_cond_init(&q->not_empty, NULL);
    q->capacity = capacity;
    return q;
}

void queue_free(ds_queue *q)
{
    if (!q)
        return;
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->not_full);
    pthread_cond_destroy(&q->not_empty);
    free(q);
}

// The lock is held; there is room.
static void put(ds_queue *q, void *item)
{
    q->items[(q->head + q->n) % q->capacity] = item;
    q->n++;
    pthread_cond_signal(&q->not_empty);
}

bool queue_push(ds_queue *q, void *item)
{
    pthread_mutex_lock(&q->lock);
    while (q->n == q->capacity && !q->closed)
        pthread_cond_wait(&q->not_full, &q->lock);
    bool open = !q->closed;
    if (open)
        put(q, item);
    pthread_mutex_unlock(&q->lock);
    return open;
}

bool queue_try_push(ds_queue *q, void *item)
{
    pthread_mutex_lock(&q->lock);
    bool room = !q->closed && q->n < q->capacity;
    if (room)
        put(q, item);
    pthread_mutex_unlock(&q->lock);
    return room;
}

bool queue_is_closed(ds_queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool closed = q->closed;
    pthread_mutex_unlock(&q->lock);
    return closed;
}

// The lock is held.
static void *take(ds_queue *q)
{
    void *item = q->items[q->head];
    q->head = (q->head + 1) % q->capacity;
    q->n--;
    pthread_cond_signal(&q->not_full);
    return item;
}

void *queue_pop(ds_queue *q)
{
    pthread_mutex_lock(&q->lock);
    while (q->n == 0 && !q->closed)
        pthread_cond_wait(&q->not_empty, &q->lock);
    void *item = q->n ? take(q) : NULL;
    pthread_mutex_unlock(&q->lock);
    return item;
}

void *queue_try_pop(ds_queue *q)
{
    pthread_mutex_lock(&q->lock);
    void *item = q->n ? take(q) : NULL;
    pthread_mutex_unlock(&q->lock);
    return item;
}

void queue_close(ds_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->not_full);
    pthread_cond_broadcast(&q->not_empty);
    pthread_mutex_unlock(&q->lock);
}
