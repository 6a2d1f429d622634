// A flag that a signal handler sets and any thread reads: `volatile int`, since handlers may write nothing else that
// the language names, with loads and stores that are whole for other threads, too.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// NULL is a flag that nobody sets.
static inline int flag_value(const volatile int *flag)
{
    return flag ? __atomic_load_n(flag, __ATOMIC_RELAXED) : 0;
}
static inline bool flag_is_set(const volatile int *flag)
{
    return flag_value(flag) != 0;
}
static inline void flag_set(volatile int *flag, int value)
{
    __atomic_store_n(flag, value, __ATOMIC_RELAXED);
}
