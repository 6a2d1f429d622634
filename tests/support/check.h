// cmocka with what it wants before it, and checks of ds_rc that show the error's text. Each needs an `ds_error err`.
#pragma once
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#include "base/error.h"

#define OK(expr)                                                                                                       \
    do {                                                                                                               \
        ds_rc rc_ = (expr);                                                                                            \
        if (rc_.code != DS_OK)                                                                                         \
            fail_msg("%s: code %d: %s", #expr, (int)rc_.code, err.text);                                               \
    } while (0)

// The code, and a part of the message.
#define FAILS(expr, expected, part)                                                                                    \
    do {                                                                                                               \
        ds_rc rc_ = (expr);                                                                                            \
        if (rc_.code == DS_OK)                                                                                         \
            fail_msg("%s: went well, expected \"%s\"", #expr, part);                                                   \
        if (rc_.code != (expected) || err.code != (expected) || !strstr(err.text, part))                               \
            fail_msg("%s: code %d: %s; expected %d: %s", #expr, (int)rc_.code, err.text, (int)(expected), part);       \
    } while (0)

// A part of the hint of the failure before.
#define HINTS(part)                                                                                                    \
    do {                                                                                                               \
        if (!strstr(err.hint, part))                                                                                   \
            fail_msg("hint \"%s\", expected \"%s\"", err.hint, part);                                                  \
    } while (0)
