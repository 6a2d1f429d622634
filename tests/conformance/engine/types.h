// Rows of old type, new type and verdict, reported as TAP.
#pragma once
#include "conformance/engine/node.h"

// The exit code.
int types_play(const char *path);
