// The bytes of an encoded row, for rows.c and row_read.c.
#pragma once
#include <endian.h>

#include "schema/rows.h"

// A cell: 8 bytes hash of the name, 4 bytes length, value.
enum { CELL_NAME = 8, CELL_LENGTH = 4, CELL_HEAD = CELL_NAME + CELL_LENGTH };

static inline void store_u64(unsigned char *p, uint64_t value)
{
    value = htobe64(value);
    memcpy(p, &value, sizeof value);
}

static inline uint64_t load_u64(const unsigned char *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return be64toh(value);
}

static inline void store_u32(unsigned char *p, uint32_t value)
{
    value = htobe32(value);
    memcpy(p, &value, sizeof value);
}

static inline uint32_t load_u32(const unsigned char *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return be32toh(value);
}
