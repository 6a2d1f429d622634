#include "support/chance.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "support/check.h"

ds_rng chance_begin(void)
{
    const char *given = getenv("DS_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) << 20 | (uint64_t)getpid();
    print_message("DS_SEED=%" PRIu64 "\n", seed);
    return (ds_rng){seed};
}
