// Prints the JSON Schema of models, for check_schema.py.
#include <stdio.h>

#include "model/schema_json.h"

int main(void)
{
    json_t *schema = model_json_schema();
    int failed = json_dumpf(schema, stdout, JSON_INDENT(2)) != 0;
    json_decref(schema);
    return failed;
}
