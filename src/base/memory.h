// How the process gets its memory from the kernel.
#pragma once
#include <stddef.h>

// About so many bytes, a multiple of 2 MiB, will be needed soon: they come at once, in large pages where the kernel
// has them. Before much is allocated: only the first call does anything. Any thread.
void memory_expect(size_t size_bytes);
// Something large is gone, and nothing like it will come: what is free goes back to the kernel. Any thread.
void memory_give_back(void);
