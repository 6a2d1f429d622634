// conformance_engine [--one] DATABASES DIRECTORY: plays every case file of the directory on every strategy that it
// names, or on one of them in turn, and reports as TAP. README.md has the format.
//
// conformance_engine types FILE: the rows of types.yaml.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/engine/play.h"
#include "conformance/engine/types.h"

enum { FILES_MAX = 1000, PATH_LONGEST = 1024 };

static const char *const STRATEGIES[] = {
    [MILESTONING_SCD1] = "scd1", [MILESTONING_SCD2] = "scd2", [MILESTONING_SCD4] = "scd4"};
enum { STRATEGY_COUNT = sizeof STRATEGIES / sizeof STRATEGIES[0] };

typedef struct suite {
    test_pair pair;
    const char *directory;
    bool one; // strategy of each file
    int files, tests, failures;
} suite;

static ds_milestoning strategy_named(node name)
{
    for (int i = 0; i < STRATEGY_COUNT; i++)
        if (STRATEGIES[i] && strcmp(STRATEGIES[i], node_text(name)) == 0)
            return (ds_milestoning)i;
    node_fail(name, "unknown strategy \"%s\"", node_text(name));
}

// In a process of its own: a failure, even an abort, is that of one case.
static bool holds(const suite *s, node root, ds_milestoning milestoning)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        play_case(root, &s->pair, milestoning);
        exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        node_fail(root, "can't fork: %s", strerror(errno));
    if (WIFSIGNALED(status))
        printf("# %s: died of signal %d\n", root.document->path, WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void play_strategy(suite *s, node root, node strategy)
{
    node skip = node_get(root, "skip"), known = node_get(root, "known");
    const char *id = node_text(node_get(root, "id")), *title = node_text(node_get(root, "title"));
    ds_milestoning milestoning = strategy_named(strategy);
    bool good = skip.yaml || holds(s, root, milestoning);
    s->failures += !good && !known.yaml;
    printf("%s %d - %s %s: %s", good ? "ok" : "not ok", ++s->tests, id, node_text(strategy), title);
    if (skip.yaml)
        printf(" # SKIP %s", node_text(skip));
    else if (known.yaml)
        printf(" # TODO %s", node_text(known));
    printf("\n");
}

static void play_file(suite *s, const char *name)
{
    static const char *const NAMES[] = {"id",    "title", "strategy", "datasets", "options",
                                        "steps", "skip",  "known",    NULL};
    char path[PATH_LONGEST];
    if (snprintf(path, sizeof path, "%s/%s", s->directory, name) >= (int)sizeof path)
        abort();
    document d;
    document_open(&d, path);
    node root = document_root(&d), id = node_get(root, "id"), strategies = node_get(root, "strategy");
    node_allow(root, NAMES);
    if (strncmp(name, node_text(id), strlen(node_text(id))) != 0)
        node_fail(id, "the file's name doesn't begin with the case's id");
    size_t n = node_count(strategies), first = s->one && n ? (size_t)s->files % n : 0;
    if (n == 0)
        node_fail(root, "the case names no strategy");
    for (size_t i = first; i < (s->one ? first + 1 : n); i++)
        play_strategy(s, root, node_at(strategies, i));
    s->files++;
    document_close(&d);
}

static int is_case(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".yaml") == 0;
}

static int play_all(suite *s)
{
    struct dirent **files;
    int n = scandir(s->directory, &files, is_case, alphasort);
    if (n <= 0) {
        printf("Bail out! %s: %s\n", s->directory, n < 0 ? strerror(errno) : "no cases");
        return 1;
    }
    for (int i = 0; i < n; i++) {
        play_file(s, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    printf("1..%d\n", s->tests);
    return s->failures != 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "types") == 0)
        return types_play(argv[2]);
    suite s = {.one = argc > 1 && strcmp(argv[1], "--one") == 0};
    argc -= s.one;
    argv += s.one;
    if (argc != 3 || !pair_open(&s.pair, argv[1])) {
        fprintf(stderr, "usage: conformance_engine [--one] DATABASES DIRECTORY, or: conformance_engine types FILE\n");
        return 2;
    }
    s.directory = argv[2];
    int failed = play_all(&s);
    pair_close(&s.pair);
    return failed;
}
