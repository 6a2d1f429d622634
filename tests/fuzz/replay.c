// A main for fuzzers without libFuzzer: runs every file of the given directories (and below) through the fuzzer.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct replay {
    const char *dir;
    size_t inputs;
} replay;

static ds_rc run(const char *path, void *context, ds_error *err)
{
    replay *r = context;
    CLEANUP(buf_release) ds_buf full = BUF_INIT(FILE_PATH_MAX), input = BUF_INIT(64 << 20);
    file_join(&full, r->dir, path);
    TRY(file_read(buf_text(&full), &input, err));
    // Without slack behind it, so that a sanitizer sees a read past the end.
    uint8_t *exact = malloc(input.n ? input.n : 1);
    if (!exact)
        BUG("out of memory");
    if (input.n)
        memcpy(exact, input.p, input.n);
    printf("%s\n", buf_text(&full));
    fflush(stdout); // the last line names the input that broke something
    (void)LLVMFuzzerTestOneInput(exact, input.n);
    free(exact);
    r->inputs++;
    return DS_DONE;
}

int main(int argc, char **argv)
{
    size_t inputs = 0;
    for (int i = 1; i < argc; i++) {
        replay r = {.dir = argv[i]};
        ds_error err;
        if (file_walk(argv[i], run, &r, &err).code != DS_OK) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        inputs += r.inputs;
    }
    printf("%zu inputs\n", inputs);
    return inputs == 0;
}
