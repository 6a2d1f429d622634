#include "sim/templates.h"

#include <string.h>

#include "sim/templates.inc.h"

#define FILES(list) list, sizeof list / sizeof list[0]

// To add one: a directory below templates/, its files in meson.build, a row here, a choice of init's --template.
static const ds_template TEMPLATES[] = {
    {"starter", "customers and addresses: live, with history, and masked", "Store1", FILES(TEMPLATE_STARTER)},
    {"northwind", "14 tables of a trading company: live, with history, and masked", "NW_Data",
     FILES(TEMPLATE_NORTHWIND)},
    {"wwi", "31 tables of an importer, with places on the map: live, with history, and masked", "WWI_Data",
     FILES(TEMPLATE_WWI)},
};

const ds_template *template_find(const char *name)
{
    for (size_t i = 0; i < sizeof TEMPLATES / sizeof TEMPLATES[0]; i++)
        if (strcmp(TEMPLATES[i].name, name) == 0)
            return &TEMPLATES[i];
    return NULL;
}
