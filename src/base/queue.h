// A bounded queue of pointers between one or more producers and consumers. A full queue blocks its producers, an empty
// one its consumers. Closing wakes everybody: producers get false, consumers get what is left and then NULL.
// Ownership of an item passes with it; items left over at queue_free are the caller's to fetch first.
// Thread rule: any thread, except that queue_free needs all others to be done.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct ds_queue ds_queue;

ds_queue *queue_new(size_t capacity); // capacity 1 under -Dstress
void queue_free(ds_queue *queue);
bool queue_push(ds_queue *queue, void *item);     // false when closed: the item stays the caller's
bool queue_try_push(ds_queue *queue, void *item); // false when closed or full now
void *queue_pop(ds_queue *queue);                 // NULL when closed and empty
void *queue_try_pop(ds_queue *queue);             // NULL when empty now
void queue_close(ds_queue *queue);
bool queue_is_closed(ds_queue *queue);
