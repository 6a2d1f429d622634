#include "base/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// glibc's heap grows by the padding in one piece, and the kernel is asked for large pages there: page by page takes a
// fifth of the time of a command that reads a model. What is smaller than OWN has no mapping of its own, but lies
// there, and what is free stays, to be used again.
void memory_expect(size_t size_bytes)
{
    enum { OWN = 2 << 20, LARGE_PAGE = 2 << 20 };
    static atomic_flag done = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&done))
        return;
    (void)mallopt(M_MMAP_THRESHOLD, OWN);
    (void)mallopt(M_TRIM_THRESHOLD, (int)size_bytes * 4);
    (void)mallopt(M_TOP_PAD, (int)size_bytes);
    void *volatile grown = malloc(OWN / 2); // a compiler would leave both out
    free(grown);
    const uintptr_t end = (uintptr_t)sbrk(0) & ~(uintptr_t)(LARGE_PAGE - 1);
    (void)madvise((void *)(end - size_bytes), size_bytes, MADV_HUGEPAGE); // without it, it is only slower
}

void memory_give_back(void)
{
    (void)malloc_trim(0);
}
