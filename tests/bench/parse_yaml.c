// What YAML alone costs: every event of every *.yaml file below DIR, read and parsed by libyaml on one thread, and
// nothing made of them. No model that is read from text can be loaded in less, unless on several processors.
//
//   parse_yaml DIR
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"

enum { TEXT_MAX = 16 << 20 };

typedef struct parsing {
    const char *dir;
    ds_buf text; // of one file
    size_t files, bytes, events;
} parsing;

static bool is_yaml(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static bool parse_events(parsing *p)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        BUG("out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)p->text.p, p->text.n);
    bool ended = false, good = true;
    while (!ended && good) {
        yaml_event_t event;
        good = yaml_parser_parse(&parser, &event);
        if (!good)
            break;
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        p->events++;
    }
    yaml_parser_delete(&parser);
    return good;
}

static ds_rc parse_file(const char *path, void *context, ds_error *err)
{
    parsing *p = context;
    CLEANUP(buf_release) ds_buf full = BUF_INIT(FILE_PATH_MAX);
    if (!is_yaml(path))
        return DS_DONE;
    file_join(&full, p->dir, path);
    buf_clear(&p->text);
    TRY(file_read(buf_text(&full), &p->text, err));
    p->files++;
    p->bytes += p->text.n;
    return parse_events(p) ? DS_DONE : ds_fail(err, DS_FINDING, "%s is no YAML", path);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: parse_yaml DIR\n", stderr);
        return 2;
    }
    parsing p = {.dir = argv[1], .text = BUF_INIT(TEXT_MAX)};
    ds_error err;
    ds_rc rc = file_walk(argv[1], parse_file, &p, &err);
    buf_release(&p.text);
    if (rc.code != DS_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("%zu files, %zu bytes, %zu events\n", p.files, p.bytes, p.events);
    return 0;
}
