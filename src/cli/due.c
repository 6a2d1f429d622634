#include "cli/due.h"

#include "base/cron.h"

static const int64_t MINUTE_US = 60 * INT64_C(1000000);

static bool read_cron(const ds_stream_info *stream, ds_cron *out)
{
    ds_error ignored;
    return stream->cron[0] && cron_parse(str_of(stream->cron), out, &ignored).code == DS_OK;
}

int64_t due_after(const ds_stream_info *stream, int64_t instant_us)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_zone *zone;
    ds_cron cron;
    ds_error ignored;
    if (!read_cron(stream, &cron) || zone_load(stream->timezone, arena, &zone, &ignored).code != DS_OK)
        return 0;
    return cron_next(&cron, zone, instant_us);
}

bool due_late(const ds_stream_info *stream, int64_t committed_us, int64_t now_us)
{
    ds_cron cron;
    return read_cron(stream, &cron) && now_us - committed_us > 2 * cron_longest_gap_minutes(&cron) * MINUTE_US;
}
