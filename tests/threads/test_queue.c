// The bounded queue: nothing is lost or doubled among many producers and consumers, and closing wakes everybody.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/queue.h"
#include "support/check.h"

enum { THREADS = 4, ITEMS = 5000, CAPACITY = 3 };

typedef struct shared {
    ds_queue *queue;
    atomic_int seen[THREADS * ITEMS];
    atomic_int pushed, popped;
    bool try;
} shared;

typedef struct worker {
    pthread_t thread;
    shared *s;
    int first;
} worker;

static void *produce(void *argument)
{
    worker *w = argument;
    for (int i = 0; i < ITEMS; i++) {
        atomic_int *item = &w->s->seen[w->first + i];
        while (w->s->try && !queue_try_push(w->s->queue, item) && !queue_is_closed(w->s->queue))
            sched_yield();
        if (!w->s->try && !queue_push(w->s->queue, item))
            break;
        atomic_fetch_add(&w->s->pushed, 1);
    }
    return NULL;
}

static void *consume(void *argument)
{
    worker *w = argument;
    for (;;) {
        atomic_int *item = queue_pop(w->s->queue);
        if (!item)
            return NULL;
        atomic_fetch_add(item, 1);
        atomic_fetch_add(&w->s->popped, 1);
    }
}

static void start(worker *workers, shared *s, void *(*run)(void *))
{
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.s = s, .first = i * ITEMS};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
    }
}

static void join(worker *workers)
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
}

static void each_item_once(bool try)
{
    shared *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->queue = queue_new(CAPACITY);
    s->try = try;
    worker producers[THREADS], consumers[THREADS];
    start(consumers, s, consume);
    start(producers, s, produce);
    join(producers);
    queue_close(s->queue);
    join(consumers);
    for (int i = 0; i < THREADS * ITEMS; i++)
        assert_int_equal(atomic_load(&s->seen[i]), 1);
    queue_free(s->queue);
    free(s);
}

static void many_producers_and_consumers(void **state)
{
    (void)state;
    each_item_once(false);
}

static void producers_that_do_not_wait(void **state)
{
    (void)state;
    each_item_once(true);
}

static void closing_wakes_producers(void **state)
{
    (void)state;
    shared *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->queue = queue_new(CAPACITY);
    worker producers[THREADS];
    start(producers, s, produce);
    assert_non_null(queue_pop(s->queue)); // they are at work
    queue_close(s->queue);
    join(producers);
    int left = 0;
    while (queue_pop(s->queue))
        left++;
    assert_int_equal(left + 1, atomic_load(&s->pushed));
    assert_false(queue_push(s->queue, s));
    assert_false(queue_try_push(s->queue, s));
    queue_free(s->queue);
    free(s);
}

static void closing_wakes_consumers(void **state)
{
    (void)state;
    shared *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->queue = queue_new(CAPACITY);
    worker consumers[THREADS];
    start(consumers, s, consume);
    queue_close(s->queue);
    join(consumers);
    assert_int_equal(atomic_load(&s->popped), 0);
    queue_free(s->queue);
    free(s);
}

static void in_order_up_to_the_capacity(void **state)
{
    (void)state;
    int items[CAPACITY + 1];
    size_t room = 0;
    ds_queue *q = queue_new(CAPACITY);
    assert_null(queue_try_pop(q));
    while (room <= CAPACITY && queue_try_push(q, &items[room]))
        room++;
    assert_true(room == CAPACITY || room == 1); // 1 under stress
    assert_false(queue_is_closed(q));
    for (size_t i = 0; i < room; i++)
        assert_ptr_equal(queue_try_pop(q), &items[i]);
    assert_null(queue_try_pop(q));
    assert_true(queue_try_push(q, &items[0]));
    queue_close(q);
    queue_close(q);
    assert_true(queue_is_closed(q));
    assert_ptr_equal(queue_pop(q), &items[0]);
    assert_null(queue_pop(q));
    queue_free(q);
    queue_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_producers_and_consumers), cmocka_unit_test(producers_that_do_not_wait),
        cmocka_unit_test(closing_wakes_producers),      cmocka_unit_test(closing_wakes_consumers),
        cmocka_unit_test(in_order_up_to_the_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
