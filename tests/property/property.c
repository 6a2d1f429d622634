#include "property/property.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/chance.h"

static ds_rng chance;

int below(int n)
{
    return (int)rng_below(&chance, (uint64_t)n);
}

int property_rounds(const test_pair *pair, int usual)
{
    const char *wanted = getenv("DS_ROUNDS");
    if (wanted)
        return (int)strtol(wanted, NULL, 10);
    return strcmp(pair->name, "sqlite") == 0 ? usual : 1;
}

int property_main(int argc, char **argv, CMUnitTestFunction test)
{
    static test_pair pair;
    if (argc != 2 || !pair_open(&pair, argv[1])) {
        fprintf(stderr, "usage: %s DATABASES\n", argv[0]);
        return 2;
    }
    chance = chance_begin();
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(test, &pair)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pair_close(&pair);
    return failed;
}
