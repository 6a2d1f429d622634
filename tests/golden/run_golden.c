// run_golden AREA DIR: every directory below DIR is a case. Speaks TAP. With UPDATE_GOLDEN=1 in the environment it
// writes expected.txt instead of comparing.
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "golden.h"

static const struct {
    const char *name;
    golden_case *run;
} AREAS[] = {
    {"ddl", golden_ddl},
    {"lint", golden_lint},
    {"model", golden_model},
};

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
}

static char *run_case(golden_case *run, const char *dir)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        BUG("out of memory");
    run(dir, out);
    fclose(out);
    return text;
}

// Shows the first line that differs.
static void show_difference(ds_str expected, ds_str actual)
{
    for (int line = 1; expected.n || actual.n; line++) {
        ds_str want = str_split(&expected, '\n'), got = str_split(&actual, '\n');
        if (str_eq(want, got))
            continue;
        printf("# line %d, expected: %.*s\n# line %d, got:      %.*s\n", line, STR_ARGS(want), line, STR_ARGS(got));
        return;
    }
}

static bool compare(const char *path, const char *actual)
{
    CLEANUP(buf_release) ds_buf expected = BUF_INIT(4 << 20);
    ds_error err;
    if (file_read(path, &expected, &err).code != DS_OK) {
        printf("# %s\n# it would be:\n# %s\n", err.text, actual);
        return false;
    }
    if (strcmp(buf_text(&expected), actual) == 0)
        return true;
    show_difference(buf_str(&expected), str_of(actual));
    return false;
}

static bool check_case(golden_case *run, const char *dir, const char *name)
{
    CLEANUP(buf_release) ds_buf inside = BUF_INIT(FILE_PATH_MAX), path = BUF_INIT(FILE_PATH_MAX);
    file_join(&inside, dir, name);
    file_join(&path, buf_text(&inside), "expected.txt");
    char *actual = run_case(run, buf_text(&inside));
    bool good = true;
    const char *update = getenv("UPDATE_GOLDEN");
    if (update && strcmp(update, "1") == 0) {
        ds_error err;
        good = file_write_atomic(buf_text(&path), str_of(actual), false, &err).code == DS_OK;
        if (!good)
            printf("# %s\n", err.text);
    } else {
        good = compare(buf_text(&path), actual);
    }
    free(actual);
    return good;
}

static golden_case *find_area(const char *name)
{
    for (size_t i = 0; i < sizeof AREAS / sizeof AREAS[0]; i++)
        if (strcmp(AREAS[i].name, name) == 0)
            return AREAS[i].run;
    return NULL;
}

int main(int argc, char **argv)
{
    golden_case *run = argc == 3 ? find_area(argv[1]) : NULL;
    if (!run) {
        fprintf(stderr, "usage: run_golden AREA DIR\n");
        return 2;
    }
    struct dirent **cases = NULL;
    int n = scandir(argv[2], &cases, is_case, alphasort), failed = 0;
    if (n <= 0) {
        fprintf(stderr, "no cases in %s\n", argv[2]);
        return 2;
    }
    printf("1..%d\n", n);
    for (int i = 0; i < n; i++) {
        bool good = check_case(run, argv[2], cases[i]->d_name);
        printf("%sok %d - %s/%s\n", good ? "" : "not ", i + 1, argv[1], cases[i]->d_name);
        failed += !good;
        free(cases[i]);
    }
    free(cases);
    return failed > 0;
}
