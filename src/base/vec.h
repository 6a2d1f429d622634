// Growable arrays in an arena: VEC(T) is {T *v; size_t n, cap;}. Appending may move v; old memory stays in the arena.
//
//     VEC(int) numbers = {0};
//     *VEC_PUSH(arena, &numbers) = 7;
#pragma once
#include "base/arena.h"

#define VEC(T)                                                                                                         \
    struct {                                                                                                           \
        T *v;                                                                                                          \
        size_t n, cap;                                                                                                 \
    }

// A pointer to a new zeroed last element.
#define VEC_PUSH(arena, vec)                                                                                           \
    ((vec)->n == (vec)->cap ? (void)((vec)->v = arena_grow((arena), (vec)->v, (vec)->n * sizeof *(vec)->v,             \
                                                           ((vec)->cap ? (vec)->cap * 2 : 4) * sizeof *(vec)->v),      \
                                     (vec)->cap = (vec)->cap ? (vec)->cap * 2 : 4)                                     \
                            : (void)0,                                                                                 \
     &(vec)->v[(vec)->n++])
