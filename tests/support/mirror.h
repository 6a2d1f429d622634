// A world whose stream Q/S (or P/S@R) mirrors another world's P/S: its merge tables are its source.
//
//     world p, q;
//     world_open_on(&p, &pair, MILESTONING_SCD2); ...; world_apply(&p);
//     mirror_open(&q, &p, MILESTONING_SCD1, MIRROR_SAME);
//     world_apply(&q);
//     world_job(&q, &result, &err);      // ... closed with the primary's world
#pragma once
#include "support/world.h"

typedef enum mirror_place {
    MIRROR_SAME,    // in the primary's merge database
    MIRROR_OTHER,   // in the database that is the primary's source: on mixed pairs another engine
    MIRROR_REPLICA, // there, as P/S@R with the names that the primary has, where that is another database
} mirror_place;

// The primary's datasets as they are now. The mirror borrows the primary's directory, store and arena.
void mirror_open(world *mirror, const world *primary, ds_milestoning milestoning, mirror_place place);
// All versions of a dataset with their batches, in the form of world_rows; live rows alone when live is true.
const char *mirror_versions(const world *w, size_t dataset, bool live);
