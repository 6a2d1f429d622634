// secret/secret.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/file.h"
#include "secret/secret.h"

// A directory <dir>/<credential> to put parts into.
typedef struct ds_place {
    ds_arena *arena;
    char dir[64];
} ds_place;

static int place_open(void **state)
{
    ds_place *place = calloc(1, sizeof *place);
    place->arena = arena_new();
    snprintf(place->dir, sizeof place->dir, "/tmp/ds-secret-XXXXXX");
    if (!mkdtemp(place->dir))
        return 1;
    *state = place;
    return 0;
}

static int place_close(void **state)
{
    ds_place *place = *state;
    char command[128];
    int n = snprintf(command, sizeof command, "rm -rf %s", place->dir);
    int rc = n > 0 ? system(command) : 1;
    arena_free(place->arena);
    free(place);
    return rc;
}

static const char *path_of(ds_place *place, const char *credential, const char *part)
{
    return arena_printf(place->arena, "%s/%s/%s", place->dir, credential, part);
}

static void write_part(ds_place *place, const char *credential, const char *part, ds_str text)
{
    ds_error err;
    const char *dir = arena_printf(place->arena, "%s/%s", place->dir, credential);
    assert_int_equal(file_make_dirs(dir, &err).code, DS_OK);
    assert_int_equal(file_write_atomic(path_of(place, credential, part), text, false, &err).code, DS_OK);
}

static void env_names(void **state)
{
    (void)state;
    char name[64];
    secret_env_name("customer-db.1", name, sizeof name);
    assert_string_equal(name, "DATASURFACE_CUSTOMER_DB_1");
    secret_env_name("\xc3\xa9", name, sizeof name);
    assert_string_equal(name, "DATASURFACE___");
}

static void environment_before_files(void **state)
{
    ds_place *place = *state;
    ds_error err;
    ds_secret secret = {0};
    write_part(place, "both_db", "USER", STR("from file\n"));
    write_part(place, "both_db", "PASSWORD", STR("two\n\n"));
    write_part(place, "both_db", "TOKEN", STR(""));
    setenv("DATASURFACE_BOTH_DB_USER", "from environment", 1);
    assert_int_equal(secret_find(place->dir, "both_db", &secret, &err).code, DS_OK);
    assert_string_equal(secret.parts[SECRET_USER], "from environment");
    assert_string_equal(secret.parts[SECRET_PASSWORD], "two\n"); // one newline is dropped
    assert_string_equal(secret.parts[SECRET_TOKEN], "");
    assert_null(secret.parts[SECRET_KEY]);
    assert_null(secret.parts[SECRET_SECRET]);
    secret_release(&secret);
    assert_null(secret.parts[SECRET_USER]);
    assert_int_equal(secret_find(NULL, "both_db", &secret, &err).code, DS_OK);
    assert_string_equal(secret.parts[SECRET_USER], "from environment");
    assert_null(secret.parts[SECRET_PASSWORD]);
    secret_release(&secret);
    unsetenv("DATASURFACE_BOTH_DB_USER");
}

static void absent(void **state)
{
    ds_place *place = *state;
    ds_error err;
    ds_secret secret = {0};
    assert_int_equal(secret_find(place->dir, "nobody", &secret, &err).code, DS_OK);
    assert_int_equal(secret_find("/nonexistent", "nobody", &secret, &err).code, DS_OK);
    for (int i = 0; i < SECRET_PARTS; i++)
        assert_null(secret.parts[i]);
}

static void refusals(void **state)
{
    ds_place *place = *state;
    ds_error err;
    ds_secret secret = {0};
    const char *path = path_of(place, "odd", "KEY");
    write_part(place, "odd", "USER", STR("hush-hush"));
    assert_int_equal(file_make_dirs(path, &err).code, DS_OK);
    assert_int_equal(secret_find(place->dir, "odd", &secret, &err).code, DS_ENV);
    assert_string_equal(err.text,
                        arena_printf(place->arena, "credential \"odd\": %s is a directory, not a file", path));
    assert_int_equal(rmdir(path), 0);
    write_part(place, "odd", "KEY", STR("hush\0hush"));
    assert_int_equal(secret_find(place->dir, "odd", &secret, &err).code, DS_ENV);
    assert_string_equal(err.text, arena_printf(place->arena, "credential \"odd\": %s contains a NUL byte", path));
    assert_null(strstr(err.text, "hush"));
    assert_null(secret.parts[SECRET_USER]); // nothing is handed out
    // A file where the directory should be.
    ds_error ignored;
    const char *file = arena_printf(place->arena, "%s/plain", place->dir);
    assert_int_equal(file_write_atomic(file, STR("x"), false, &ignored).code, DS_OK);
    assert_int_equal(secret_find(place->dir, "plain", &secret, &err).code, DS_ENV);
    if (geteuid() != 0) { // root may read anything
        write_part(place, "odd", "KEY", STR("hush"));
        assert_int_equal(chmod(path, 0), 0);
        assert_int_equal(secret_find(place->dir, "odd", &secret, &err).code, DS_ENV);
        assert_non_null(strstr(err.text, path));
    }
}

static void size_limit(void **state)
{
    ds_place *place = *state;
    ds_error err;
    ds_secret secret = {0};
    char *big = calloc(1, SECRET_MAX + 1);
    memset(big, 'x', SECRET_MAX + 1);
    write_part(place, "big", "TOKEN", (ds_str){big, SECRET_MAX});
    assert_int_equal(secret_find(place->dir, "big", &secret, &err).code, DS_OK);
    assert_int_equal(strlen(secret.parts[SECRET_TOKEN]), SECRET_MAX);
    secret_release(&secret);
    write_part(place, "big", "TOKEN", (ds_str){big, SECRET_MAX + 1});
    assert_int_equal(secret_find(place->dir, "big", &secret, &err).code, DS_ENV);
    assert_non_null(strstr(err.text, "is larger than the limit of 65536 bytes"));
    free(big);
}

static void names_stay_in_the_directory(void **state)
{
    ds_place *place = *state;
    ds_error err;
    ds_secret secret = {0};
    char longer[300];
    memset(longer, 'x', sizeof longer);
    longer[299] = '\0';
    const char *const BAD[] = {"", "..", ".hidden", "a/b", "/etc", longer};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(secret_find(place->dir, BAD[i], &secret, &err).code, DS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(env_names),
        cmocka_unit_test_setup_teardown(environment_before_files, place_open, place_close),
        cmocka_unit_test_setup_teardown(absent, place_open, place_close),
        cmocka_unit_test_setup_teardown(refusals, place_open, place_close),
        cmocka_unit_test_setup_teardown(size_limit, place_open, place_close),
        cmocka_unit_test_setup_teardown(names_stay_in_the_directory, place_open, place_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
