// What a column without AS is called: FigureColnameInternal of PostgreSQL's parse_target.c (15).
#include "graph/lineage_int.h"

// A name of the text's own wins over one that is made up.
typedef enum strength { UNNAMED, MADE_UP, NAMED } strength;

static strength figure(const json_t *node, const char **name);

static strength named(const char *text, const char **name)
{
    *name = text ? text : *name;
    return text ? NAMED : UNNAMED;
}

static const char *last_string(const json_t *list)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (lineage_string(json_array_get(list, i)))
            return lineage_string(json_array_get(list, i));
    return NULL;
}

static strength column_ref(const json_t *node, const char **name)
{
    return named(last_string(json_object_get(node, "fields")), name);
}

static strength func_call(const json_t *node, const char **name)
{
    return named(last_string(json_object_get(node, "funcname")), name);
}

static strength indirection(const json_t *node, const char **name)
{
    const char *last = last_string(json_object_get(node, "indirection"));
    return last ? named(last, name) : figure(json_object_get(node, "arg"), name);
}

static strength collation(const json_t *node, const char **name)
{
    return figure(json_object_get(node, "arg"), name);
}

static strength type_cast(const json_t *node, const char **name)
{
    strength found = figure(json_object_get(node, "arg"), name);
    const char *type = last_string(json_object_get(json_object_get(node, "typeName"), "names"));
    if (found == NAMED || !type)
        return found;
    *name = type;
    return MADE_UP;
}

static strength case_expr(const json_t *node, const char **name)
{
    if (figure(json_object_get(node, "defresult"), name) == NAMED)
        return NAMED;
    *name = "case";
    return MADE_UP;
}

static strength expression(const json_t *node, const char **name)
{
    const char *kind = json_string_value(json_object_get(node, "kind"));
    return named(kind && strcmp(kind, "AEXPR_NULLIF") == 0 ? "nullif" : NULL, name);
}

// The only column of a query as a value.
static strength first_column(const json_t *select, const char **name)
{
    while (json_object_get(select, "larg"))
        select = json_object_get(select, "larg");
    if (json_array_size(json_object_get(select, "valuesLists")))
        return named("column1", name);
    const json_t *target = json_object_get(json_array_get(json_object_get(select, "targetList"), 0), "ResTarget");
    const char *own = json_string_value(json_object_get(target, "name"));
    return own ? named(own, name) : figure(json_object_get(target, "val"), name);
}

static strength sub_link(const json_t *node, const char **name)
{
    const char *kind = json_string_value(json_object_get(node, "subLinkType"));
    const json_t *select = json_object_get(json_object_get(node, "subselect"), "SelectStmt");
    if (!kind)
        return UNNAMED;
    if (strcmp(kind, "EXPR_SUBLINK") == 0)
        return first_column(select, name) == UNNAMED ? UNNAMED : NAMED;
    return named(strcmp(kind, "EXISTS_SUBLINK") == 0  ? "exists"
                 : strcmp(kind, "ARRAY_SUBLINK") == 0 ? "array"
                                                      : NULL,
                 name);
}

static strength by_operation(const json_t *node, const char **name)
{
    static const struct {
        const char *op, *name;
    } NAMES[] = {
        {"IS_GREATEST", "greatest"},
        {"IS_LEAST", "least"},
        {"IS_XMLCONCAT", "xmlconcat"},
        {"IS_XMLELEMENT", "xmlelement"},
        {"IS_XMLFOREST", "xmlforest"},
        {"IS_XMLPARSE", "xmlparse"},
        {"IS_XMLPI", "xmlpi"},
        {"IS_XMLROOT", "xmlroot"},
        {"SVFOP_CURRENT_DATE", "current_date"},
        {"SVFOP_CURRENT_TIME", "current_time"},
        {"SVFOP_CURRENT_TIME_N", "current_time"},
        {"SVFOP_CURRENT_TIMESTAMP", "current_timestamp"},
        {"SVFOP_CURRENT_TIMESTAMP_N", "current_timestamp"},
        {"SVFOP_LOCALTIME", "localtime"},
        {"SVFOP_LOCALTIME_N", "localtime"},
        {"SVFOP_LOCALTIMESTAMP", "localtimestamp"},
        {"SVFOP_LOCALTIMESTAMP_N", "localtimestamp"},
        {"SVFOP_CURRENT_ROLE", "current_role"},
        {"SVFOP_CURRENT_USER", "current_user"},
        {"SVFOP_USER", "user"},
        {"SVFOP_SESSION_USER", "session_user"},
        {"SVFOP_CURRENT_CATALOG", "current_catalog"},
        {"SVFOP_CURRENT_SCHEMA", "current_schema"},
    };
    const char *op = json_string_value(json_object_get(node, "op"));
    for (size_t i = 0; op && i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(NAMES[i].op, op) == 0)
            return named(NAMES[i].name, name);
    return UNNAMED;
}

static strength figure(const json_t *node, const char **name)
{
    static const struct {
        const char *kind, *name; // always this, or what figure says
        strength (*figure)(const json_t *node, const char **name);
    } KINDS[] = {
        {"ColumnRef", NULL, column_ref},      {"FuncCall", NULL, func_call},
        {"A_Indirection", NULL, indirection}, {"TypeCast", NULL, type_cast},
        {"CollateClause", NULL, collation},   {"CaseExpr", NULL, case_expr},
        {"A_Expr", NULL, expression},         {"SubLink", NULL, sub_link},
        {"MinMaxExpr", NULL, by_operation},   {"SQLValueFunction", NULL, by_operation},
        {"XmlExpr", NULL, by_operation},      {"XmlSerialize", "xmlserialize", NULL},
        {"CoalesceExpr", "coalesce", NULL},   {"GroupingFunc", "grouping", NULL},
        {"A_ArrayExpr", "array", NULL},       {"RowExpr", "row", NULL},
    };
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        const json_t *found = json_object_get(node, KINDS[i].kind);
        if (found)
            return KINDS[i].figure ? KINDS[i].figure(found, name) : named(KINDS[i].name, name);
    }
    return UNNAMED;
}

const char *lineage_expr_name(const json_t *node)
{
    const char *name = NULL;
    return figure(node, &name) == UNNAMED ? "?column?" : name;
}
