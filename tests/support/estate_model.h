// The model of an estate, put together from a few choices.
#pragma once
#include "support/estate.h"

typedef struct estate_model {
    const char *people; // columns of Store1/people as a flow map, "id: integer primary key, name: text"; NULL: none
    const char *orders; // the same for Store1/orders
    const char *people_more; // further fields of the dataset, "key: none"
    const char *consistency; // multi_dataset by default
    const char *milestoning; // of platform P; scd1 by default
    const char *live, *full; // sinks of Consumer/live and Consumer/full, "Store1/people, Store1/orders"; NULL: no group
    const char *retention;   // of Consumer/full; NULL: none
    const char *live_on;     // platform that serves Consumer/live; P by default. Q is scd2
    const char *live_status; // provisioned by default
    const char *live_next;   // platform that loads Consumer/live beside it, provisioning; NULL: none
    const char *sql;         // of a transformer that writes Masked/people from {input.Store1.people}; NULL: none
    const char *timeout;     // of its SELECT; NULL: none
    const char *command;     // of one that does so by a program instead: "{exec: [./mask]}"
    const char *masked;      // columns of Masked/people
    const char *service;     // its name; Svc by default
    const char *primary;     // platform that alone reads Store1's source; NULL: all do
} estate_model;

// In e->arena.
const char *estate_yaml(estate *e, const estate_model *m);
// Compiles it, which must work.
void estate_use(estate *e, const estate_model *m);
