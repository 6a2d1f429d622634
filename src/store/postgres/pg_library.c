#include "store/postgres/pg_library_int.h"

#include <dlfcn.h>
#include <pthread.h>

#define LIBRARY "libpq.so.5"

pg_functions pg_library;
static const char *missing; // what could not be found; written once

// In the order of the members.
static const char *const NAMES[] = {
#define ROW(name) #name,
    PG_LIBRARY_FUNCTIONS(ROW)
#undef ROW
};
_Static_assert(sizeof NAMES == sizeof(pg_functions), "a name for each");

static void load(void)
{
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    missing = handle ? NULL : LIBRARY;
    for (size_t i = 0; !missing && i < sizeof NAMES / sizeof NAMES[0]; i++) {
        ((void **)&pg_library)[i] = dlsym(handle, NAMES[i]);
        missing = ((void **)&pg_library)[i] ? NULL : NAMES[i];
    }
}

ds_rc pg_library_load(ds_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, load);
    if (!missing)
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_ENV, "there is no %s: PostgreSQL's client library is missing or too old", missing),
                   err, "install the package libpq5");
}
