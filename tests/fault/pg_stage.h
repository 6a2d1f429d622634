// What tests of networks and servers that fail share: a stream of two tables whose source and merge database are
// behind a proxy each, a watchdog, and the checks after a failure.
//
//     stage s;
//     stage_open(&s, NULL);
//     stage_open_world(&s);              // the tables are filled, and loaded once
//     stage_prepare(&s, CHANGES);
//     netproxy_set(s.proxies[PAIR_MERGE], ...);
//     stage_begin_case("...");
//     stage_check_outcome(stage_job(&s, &err), &err);
//     stage_heal(&s);
//     stage_finish(&s);                  // one run; everything is there, and counted once
//
// Helpers fail the test when something is wrong. Main thread only.
#pragma once
#include "fault/pg_tap.h"
#include "support/netproxy.h"
#include "support/world.h"

enum { STAGE_STALL_MS = 300, STAGE_SHORT_MS = 800, STAGE_POLL_MS = 2, STAGE_DEADLINE_MS = 20000 };

typedef struct stage {
    test_pair pair;
    pg_tap tap;
    world w;
    netproxy *proxies[PAIR_SIDES];
    int stall_ms;              // of the jobs that meet a fault
    int64_t inserted, updated; // what must have been committed in the end
} stage;
extern const char *const STAGE_SIDES[PAIR_SIDES]; // the containers' names

// What a job is doing when something breaks.
typedef enum scenario { FIRST_LOAD, CHANGES, MERGE, IDLE } scenario;
extern const char *const SCENARIOS[];

// host: of the server; NULL: the shared one.
void stage_open(stage *s, const char *host);
void stage_close(stage *s);
void stage_open_world(stage *s);
void stage_close_world(stage *s);
void stage_heal(stage *s);
void stage_change(stage *s);
// The source as the scenario wants it; FIRST_LOAD: as if nothing had been loaded yet.
void stage_prepare(stage *s, scenario what);
// A container around its proxy.
ds_container_def stage_direct(const stage *s, int side);

// What the watchdog and failures say; the case must end within a minute.
void stage_begin_case(const char *label);
void stage_end_case(void);
const char *stage_case(void);
ds_rc stage_job(stage *s, ds_error *err);
// Good, or worth a retry, with a text and a hint, and without the password.
void stage_check_outcome(ds_rc rc, const ds_error *err);
void stage_check_equal(stage *s);
void stage_finish(stage *s);
int64_t stage_committed(stage *s);

// From now on the merge database's statements take longer than the silence that ends a connection; "BEFORE UPDATE" is
// every merge, "BEFORE INSERT" a load of the row with id 1.
void stage_make_slow(stage *s, const char *when);
void stage_make_fast(stage *s);
