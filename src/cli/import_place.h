// Where an import's text goes, and whom it belongs to; shared by the imports.
#pragma once
#include "cli/session.h"

typedef struct import_place {
    const char *output;       // where the text goes; "-": standard output
    uint32_t replaced;        // that file's number in the model; 0: not in it
    bool has_ecosystem;       // besides what is replaced
    const char *lost;         // a document that replacing the file would lose; NULL: none
    const ds_datastore *same; // the datastore of that name
    const char *team;         // --team or the only one of the model; NULL: nobody says
} import_place;

// Loads the model, as far as there is one (session->model stays NULL otherwise). team NULL: nobody chose one. DS_USAGE
// when something would be lost or said twice, or the team is not in the model, or it has several.
ds_rc import_place_find(ds_session *session, const char *datastore, const char *team, import_place *out, ds_error *err);
// Writes the text, which is not for standard output, and the schema beside it.
ds_rc import_place_write(const ds_session *session, const import_place *place, ds_str yaml, ds_error *err);
// The rest of `import odcs FILE`.
ds_rc import_odcs_run(ds_cli *cli, const char *path, ds_error *err);
