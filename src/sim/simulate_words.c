// Texts that look like business: names, places, mail addresses, chosen by what a column is called.
#include <stdio.h>

#include "base/buf.h"
#include "sim/simulate_int.h"

#define COUNT(list) (sizeof list / sizeof list[0])
#define PICK(rng, list) list[rng_below(rng, COUNT(list))]

static const char *const FIRST[] = {"Ada",   "Ben",   "Clara", "David",  "Emma",  "Frank", "Grace", "Henry", "Iris",
                                    "Jack",  "Karen", "Liam",  "Mia",    "Noah",  "Olga",  "Peter", "Quinn", "Rosa",
                                    "Simon", "Tara",  "Uma",   "Victor", "Wendy", "Xenia", "Yusuf", "Zoë",   "José"};
static const char *const LAST[] = {"Adams",    "Brown",  "Clark",   "Davis",    "Evans",   "Fischer", "Garcia",
                                   "Hughes",   "Ito",    "Jones",   "Kowalski", "Lopez",   "Miller",  "Nguyen",
                                   "O'Connor", "Patel",  "Quigley", "Rossi",    "Smith",   "Taylor",  "Ueda",
                                   "Vasquez",  "Wilson", "Xu",      "Young",    "Ziegler", "Müller"};
static const char *const STREETS[] = {"Main St",     "Oak Ave",  "Maple Dr", "Cedar Ln",  "Pine St",   "Elm St",
                                      "Lake Rd",     "Hill St",  "Park Ave", "River Rd",  "Church St", "Mill Ln",
                                      "Sunset Blvd", "Broadway", "2nd Ave",  "Spring St", "King St",   "Bridge Rd"};
static const struct {
    const char *city, *state, *zip;
} PLACES[] = {
    {"New York", "NY", "100"}, {"Los Angeles", "CA", "900"},  {"Chicago", "IL", "606"},     {"Houston", "TX", "770"},
    {"Phoenix", "AZ", "850"},  {"Philadelphia", "PA", "191"}, {"San Antonio", "TX", "782"}, {"San Diego", "CA", "921"},
    {"Dallas", "TX", "752"},   {"Austin", "TX", "787"},       {"Boston", "MA", "021"},      {"Seattle", "WA", "981"},
    {"Denver", "CO", "802"},   {"Portland", "OR", "972"},     {"Atlanta", "GA", "303"},     {"Miami", "FL", "331"},
    {"Detroit", "MI", "482"},  {"Nashville", "TN", "372"},    {"Baltimore", "MD", "212"},   {"Albany", "NY", "122"},
};
static const char *const MAIL[] = {"example.com",  "example.org",  "example.net",  "mail.example", "post.example",
                                   "work.example", "home.example", "shop.example", "web.example"};
static const char *const COMPANIES[] = {"Acme",  "Globex",   "Initech", "Umbrella",  "Stark",   "Wayne",
                                        "Hooli", "Vandelay", "Wonka",   "Cyberdyne", "Soylent", "Tyrell"};
static const char *const COMPANY_FORMS[] = {"Ltd", "Inc", "& Sons", "Group", "GmbH", "Traders"};
static const char *const COUNTRIES[] = {"USA", "UK", "Germany", "France", "Japan", "Brazil", "Canada", "Spain"};
static const char *const TITLES[] = {"Owner", "Sales Manager", "Buyer", "Accountant", "Assistant", "Director"};
static const char *const STATUS[] = {"new", "open", "active", "on hold", "closed", "cancelled"};
static const char *const ADJECTIVES[] = {"blue",  "old",   "fast",     "quiet", "fresh",
                                         "heavy", "small", "northern", "golden"};
static const char *const NOUNS[] = {"lamp", "tea", "chair", "bicycle", "cheese", "paper", "engine", "garden", "coffee"};

static const char *const COLOURS[] = {"red", "green", "blue", "black", "white", "yellow", "steel", "beige"};

sim_person sim_person_new(ds_rng *rng)
{
    sim_person person = {.first = PICK(rng, FIRST)};
    person.last = PICK(rng, LAST);
    person.place = rng_below(rng, COUNT(PLACES));
    return person;
}

static void first(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)rng;
    buf_puts(out, p->first);
}

static void last(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)rng;
    buf_puts(out, p->last);
}

static void full(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)rng;
    buf_printf(out, "%s %s", p->first, p->last);
}

// Letters only: O'Connor's mail is oconnor@.
static void email(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    for (const char *c = p->first; *c; c++)
        if ((unsigned char)*c < 0x80)
            buf_putc(out, str_lower_char(*c));
    buf_putc(out, '.');
    for (const char *c = p->last; *c; c++)
        if ((unsigned char)*c < 0x80 && *c != '\'')
            buf_putc(out, str_lower_char(*c));
    const char *host = PICK(rng, MAIL);
    buf_printf(out, "%d@%s", (int)rng_below(rng, 100), host);
}

static void phone(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)p;
    int line = (int)rng_below(rng, 10000);
    buf_printf(out, "+1 %03d 555 %04d", (int)rng_range(rng, 201, 989), line);
}

static void street(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)p;
    const char *street = PICK(rng, STREETS);
    buf_printf(out, "%d %s", (int)rng_range(rng, 1, 999), street);
}

static void city(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)rng;
    buf_puts(out, PLACES[p->place].city);
}

static void state(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)rng;
    buf_puts(out, PLACES[p->place].state);
}

static void zip(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    buf_printf(out, "%s%02d", PLACES[p->place].zip, (int)rng_below(rng, 100));
}

static void country(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)p;
    buf_puts(out, PICK(rng, COUNTRIES));
}

static void company(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)p;
    buf_printf(out, "%s %s", PICK(rng, COMPANIES), PICK(rng, COMPANY_FORMS));
}

static void title(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)p;
    buf_puts(out, PICK(rng, TITLES));
}

static void status(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)p;
    buf_puts(out, PICK(rng, STATUS));
}

static void url(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)p;
    int page = (int)rng_below(rng, 10000);
    buf_printf(out, "https://%s/%d", PICK(rng, MAIL), page);
}

static void colour(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)p;
    buf_puts(out, PICK(rng, COLOURS));
}

// The number of a document, a plate, an account.
static void number(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)p;
    char letter = (char)('A' + rng_below(rng, 26));
    buf_printf(out, "%c-%05d", letter, (int)rng_below(rng, 100000));
}

static void thing(ds_rng *rng, const sim_person *p, ds_buf *out)
{
    (void)p;
    buf_printf(out, "%s %s", PICK(rng, ADJECTIVES), PICK(rng, NOUNS));
}

// The first row whose word occurs in the column's name (lower case, without '_') decides. Columns of one family
// change together.
static const struct {
    const char *word, *family;
    void (*make)(ds_rng *rng, const sim_person *person, ds_buf *out);
} KINDS[] = {
    {"firstname", "first", first},
    {"givenname", "first", first},
    {"preferredname", "first", first},
    {"lastname", "last", last},
    {"surname", "last", last},
    {"logonname", "email", email},
    {"email", "email", email},
    {"mail", "email", email},
    {"phone", "phone", phone},
    {"fax", "phone", phone},
    {"street", "street", street},
    {"address", "street", street},
    {"city", "place", city},
    {"town", "place", city},
    {"state", "place", state},
    {"zip", "place", zip},
    {"postal", "place", zip},
    {"country", "country", country},
    {"company", "company", company},
    {"suppliername", "company", company},
    {"contactname", "name", full},
    {"fullname", "name", full},
    {"customername", "name", full},
    {"title", "title", title},
    {"status", "status", status},
    {"url", "url", url},
    {"homepage", "url", url},
    {"path", "url", url},
    {"number", NULL, number},
    {"registration", NULL, number},
    {"barcode", NULL, number},
    {"color", NULL, colour},
    {"", NULL, thing},
};

static size_t kind_of(const char *column)
{
    char name[128];
    size_t n = 0;
    for (; *column && n + 1 < sizeof name; column++)
        if (*column != '_' && *column != ' ')
            name[n++] = str_lower_char(*column);
    name[n] = '\0';
    size_t k = 0;
    while (!strstr(name, KINDS[k].word))
        k++;
    return k;
}

const char *sim_column_family(const char *column)
{
    return KINDS[kind_of(column)].family;
}

void sim_words(ds_rng *rng, const char *column, const sim_person *person, ds_buf *out)
{
    KINDS[kind_of(column)].make(rng, person, out);
}
