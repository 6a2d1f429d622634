"""The chapters, in order. The first line of each is its title; those that may come again say so."""
from collections import Counter
from decimal import Decimal

import sources
from ecosystem import document
from oracle import Wrong
from patience import wait_until
from world import Merge, sqlite

EXTERNAL = {"external": True}


def again(chapter):
    """It may come more than once."""
    chapter.again = True
    return chapter


def after(*chapters):
    """It goes on from what these have begun."""

    def mark(chapter):
        chapter.after = chapters
        return chapter

    return mark


def store(container, datasets, kind="sql_snapshot", credential=None, **capture):
    return {
        "capture": {
            "type": kind, "container": container,
            **({"credential": credential} if credential else {}), "trigger": EXTERNAL, **capture
        }, "datasets": datasets
    }


def dataset(**columns):
    return {"classification": "pub", "columns": columns}


def assign(model, service, group, *places):
    """places: (platform, status)"""
    assignments = model["PlatformService", service].setdefault("assignments", [])
    assignments[:] = [entry for entry in assignments if entry["group"] != group]
    if places:
        assignments.append({"group": group, "platforms": [{"platform": p, "status": s} for p, s in places]})


def sink(model, workspace, group, *sinks):
    model["Workspace", workspace]["dataset_groups"][group]["sinks"] += sinks


def group(sinks, history="live"):
    return {"requires": {"history": history}, "sinks": list(sinks)}


def transformer(name, inputs, run, output, datasets):
    return document(
        "Workspace", name, team="Port/analytics", dataset_groups={"input": {"sinks": inputs}}, transformer={
            "name": name.lower(), "run": run,
            "output": {"datastore": output, "max_delete_ratio": 1, "datasets": datasets}
        })


CUSTOMERS = {
    "id": "varchar(20) primary key", "firstname": "varchar(100) not null", "lastname": "varchar(100) not null",
    "dob": "date not null", "email": "varchar(100)", "phone": "varchar(100)"
}
ADDRESSES = {
    "id": "varchar(20) primary key", "customer_id": "varchar(20) not null", "street": "varchar(100) not null",
    "city": "varchar(100) not null", "state": "varchar(100) not null", "zip": "varchar(30) not null"
}


def begin(world):
    """An ecosystem with one store, and one consumer who sees it live"""

    def first(model):
        for text in (document("Ecosystem", "Harbour", repository="harbour/model@central", live="harbour/model@main",
                              zones=[{"name": "Port", "repository": "harbour/model@zone"}],
                              platform_services=[{"name": "Quay", "repository": "harbour/model@infra"}]),
                     document(
                         "GovernanceZone", "Port",
                         teams=[{"name": "crm", "repository": "harbour/model@crm"},
                                {"name": "analytics", "repository": "harbour/model@analytics"}]),
                     document("DataContainer", "CrmDB", team="Port/crm", type="sqlite", path=str(world.dir / "crm.db")),
                     document(
                         "Datastore", "Crm", team="Port/crm",
                         **store("CrmDB", {"customers": dataset(**CUSTOMERS), "addresses": dataset(**ADDRESSES)},
                                 max_delete_ratio=1)),
                     document("Workspace", "Desk", team="Port/analytics",
                              dataset_groups={"live": group(["Crm/customers", "Crm/addresses"])}),
                     document(
                         "PlatformService", "Quay", merge={"container": "QuayDB", "credential": "merge_rw"},
                         containers={
                             "QuayDB": {
                                 "type": "postgres", "host": "127.0.0.1", "port": world.links["merge"].port,
                                 "database": "merge"
                             }
                         }, platforms={
                             "Live": {"type": "yellow", "milestoning": "scd1"},
                             "Full": {"type": "yellow", "milestoning": "scd2"}
                         }, assignments=[{
                             "group": "Desk/live", "platforms": [{"platform": "Live", "status": "provisioned"}]
                         }])):
            model[text["kind"], text["name"]] = text

    world.ecosystem.pull("central", "a beginning: one store, one consumer", first)
    world.sources["Crm"] = crm = sources.Simulated("Crm", world.seed, 0.4, world.program, str(world.dir / "crm.jsonl"),
                                                   lambda: str(world.ecosystem.model))
    crm.step(0)
    crm.start()
    world.merges["Quay"] = Merge("Quay", lambda: world.sites["merge"].connect("merge"), True)
    world.apply()
    world.run()
    world.run()


@after(begin)
def stranger(world):
    """A stranger's repository wants to change a store, and so does the wrong team"""

    def more_urgent(model):
        model["Workspace", "Desk"]["priority"] = "critical"

    world.ecosystem.pull("patch-1", "a fork wants its desk first", more_urgent, refused="A001",
                         fork="stranger/model@main")
    world.ecosystem.pull("crm", "team crm wants the same", more_urgent, refused="A002")


@after(begin)
def sales(world):
    """A second team brings orders from PostgreSQL"""

    def declared(model):
        model["GovernanceZone", "Port"]["teams"].append({"name": "sales", "repository": "harbour/model@sales"})

    def defined(model):
        model["DataContainer",
              "SalesDB"] = document("DataContainer", "SalesDB", team="Port/sales", type="postgres", host="127.0.0.1",
                                    port=world.links["sources"].port, database="sales")
        model["Datastore", "Sales"] = document(
            "Datastore", "Sales", team="Port/sales",
            **store(
                "SalesDB", {
                    "orders": dataset(id="integer primary key", number="varchar(12) not null", customer="varchar(20)",
                                      placed="date", total="decimal(12,2)", note="text"), "lines": dataset(
                                          order_id="integer primary key", line="integer primary key",
                                          item="varchar(40)", quantity="smallint", price="decimal(10,2)")
                }, credential="src_read", max_delete_ratio=0.9))

    world.sources["Sales"] = source = sources.Sales(world.seed, 0.08, lambda: world.sites["sources"].connect("sales"))
    world.sites["sources"].run("sales", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC")
    source.start()
    world.ecosystem.pull("sales", "team sales, that nobody declared", defined, refused="A001")
    world.ecosystem.pull("zone", "zone Port declares team sales", declared)
    world.ecosystem.pull("sales", "store Sales: orders and lines", defined)
    world.ecosystem.pull("analytics", "Desk uses it",
                         lambda model: sink(model, "Desk", "live", "Sales/orders", "Sales/lines"))
    world.apply(killed=0.5)


@after(sales)
def audit(world):
    """A consumer who wants every version that a row ever had"""

    def wanted(model):
        model["Workspace", "Audit"] = document(
            "Workspace", "Audit", team="Port/analytics",
            dataset_groups={"all": group(["Crm/customers", "Crm/addresses", "Sales/orders", "Sales/lines"], "full")})

    world.ecosystem.pull("analytics", "Audit wants history", wanted)
    world.ecosystem.pull("analytics", "and helps itself to a platform",
                         lambda model: assign(model, "Quay", "Audit/all", ("Full", "provisioned")), refused="A002")
    world.ecosystem.pull("infra", "Audit/all is served by Full",
                         lambda model: assign(model, "Quay", "Audit/all", ("Full", "provisioned")))
    world.apply(killed=0.5)


@after(sales)
def column(world):
    """Orders get a column: refused when it must have a value, fine when it may be null"""

    def added(kind):

        def change(model):
            model["Datastore", "Sales"]["datasets"]["orders"]["columns"]["channel"] = kind

        return change

    world.sources["Sales"].add_column("orders", "channel", "varchar(20)", sources.maybe(sources.word))
    world.ecosystem.pull("sales", "orders get a channel, always", added("varchar(20) not null"), refused="C002")
    world.ecosystem.pull("sales", "orders get a channel, or none", added("varchar(20)"))
    world.apply(killed=0.5)


def masked(inputs):
    return {
        "customers": [{"id": row["id"], "name": row["firstname"][:1] + "*** " + row["lastname"][-2:], "dob": row["dob"]}
                      for row in inputs["Crm/customers"]]
    }


def letters(inputs):
    count = Counter(row["name"][0] for row in inputs["Masked/customers"])
    return {"letters": [{"letter": letter, "customers": number} for letter, number in count.items()]}


@after(audit)
def masking(world):
    """A masked copy for everybody, and a count of it: two transformers in SQL, one behind the other"""

    def wanted(model):
        for text in (transformer(
                "Masker", ["Crm/customers"],
            {
                "sql": {
                    "customers": "SELECT id, substr(firstname, 1, 1) || '*** ' || substr(lastname, "
                    "length(lastname) - 1) AS name, dob "
                    "FROM {input.Crm.customers}"
                }
            }, "Masked", {"customers": dataset(id="varchar(20) primary key", name="varchar(20)", dob="date")}),
                     transformer(
                         "Counter", ["Masked/customers"], {
                             "sql": {
                                 "letters": "SELECT substr(name, 1, 1) AS letter, count(*) AS customers "
                                 "FROM {input.Masked.customers} "
                                 "GROUP BY substr(name, 1, 1)"
                             }
                         }, "Letters", {"letters": dataset(letter="varchar(1) primary key", customers="bigint")})):
            model[text["kind"], text["name"]] = text
        sink(model, "Audit", "all", "Masked/customers", "Letters/letters")

    world.makers |= {"Masked": masked, "Letters": letters}
    world.inputs |= {"Masked": ["Crm"], "Letters": ["Masked"]}
    world.ecosystem.pull("analytics", "Masker and Counter, for Audit", wanted)
    world.apply(killed=0.5)


def turnover(inputs):
    items = {}
    for row in inputs["Sales/lines"]:
        if row["item"] is not None:
            of_item = items.setdefault(row["item"], {"item": row["item"], "lines": 0, "amount": None})
            of_item["lines"] += 1
            if row["price"] is not None and row["quantity"] is not None:
                of_item["amount"] = (of_item["amount"] or Decimal(0)) + row["quantity"] * row["price"]
    return {"items": list(items.values())}


def labels(inputs):
    """A program."""
    return {"labels": [{"id": row["id"], "label": row["number"][::-1]} for row in inputs["Sales/orders"]]}


PROGRAM = """#!/usr/bin/env python3
# A transformer that is a program: psql finds its way by PGHOST and the like.
import json, os, subprocess
context = json.load(open(os.environ["DATASURFACE_CONTEXT"]))
source, target = context["inputs"][0]["table"]["sql"], context["outputs"][0]["table"]["sql"]
subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c",
                f"INSERT INTO {target} SELECT id, reverse(number) FROM {source}"], check=True)
"""


@after(sales)
def program(world):
    """A transformer that is a program, beside one that sums up"""
    path = world.dir / "labels.py"
    path.write_text(PROGRAM, encoding="ascii")
    path.chmod(0o755)

    def wanted(model):
        for text in (
                transformer("Printer", ["Sales/orders"], {"command": {"exec": [str(path)], "timeout": "60s"}}, "Labels",
                            {"labels": dataset(id="integer primary key", label="varchar(12)")}),
                transformer(
                    "Summer", ["Sales/lines"], {
                        "sql": {
                            "items": "SELECT item, count(*) AS lines, sum(quantity * price) AS amount "
                            "FROM {input.Sales.lines} "
                            "WHERE item IS NOT NULL GROUP BY item"
                        }
                    }, "Turnover",
                    {"items": dataset(item="varchar(40) primary key", lines="bigint", amount="decimal(20,2)")})):
            model[text["kind"], text["name"]] = text
        sink(model, "Desk", "live", "Labels/labels", "Turnover/items")

    world.makers |= {"Labels": labels, "Turnover": turnover}
    world.inputs |= {"Labels": ["Sales"], "Turnover": ["Sales"]}
    world.ecosystem.pull("analytics", "labels by a program, and turnover", wanted)
    world.apply(killed=0.5)


@again
@after(begin)
def priority(world):
    """The desk becomes more urgent, or less"""
    now = world.ecosystem["Workspace Desk"].get("priority", "medium")
    new = {"medium": "critical", "critical": "low", "low": "medium"}[now]

    def change(model):
        model["Workspace", "Desk"]["priority"] = new

    world.ecosystem.pull("analytics", f"Desk is {new}", change)
    world.apply(killed=0.2)


@after(audit)
def visits(world):
    """A store by watermark: deleted rows stay until a batch reads all"""

    def declared(model):
        model["DataContainer",
              "VisitsDB"] = document("DataContainer", "VisitsDB", team="Port/sales", type="postgres", host="127.0.0.1",
                                     port=world.links["sources"].port, database="visits")
        model["Datastore", "Visits"] = document(
            "Datastore", "Visits", team="Port/sales",
            **store(
                "VisitsDB",
                {"visits": dataset(id="bigint primary key", page="text", seconds="integer", seen="bigint not null")},
                kind="sql_watermark", credential="src_read", watermark={"column": "seen", "overlap": 20,
                                                                        "sweep": "1d"}, max_delete_ratio=1))

    world.sources["Visits"] = source = sources.Visits(world.seed, 0.05,
                                                      lambda: world.sites["sources"].connect("visits"))
    world.sites["sources"].run("visits", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC")
    source.start()
    world.ecosystem.pull("sales", "store Visits, by watermark", declared)

    def used(model):
        sink(model, "Desk", "live", "Visits/visits")
        sink(model, "Audit", "all", "Visits/visits")

    world.ecosystem.pull("analytics", "Desk and Audit use it", used)
    world.apply(killed=0.5)


@again
@after(visits)
def sweep(world):
    """Somebody has all visits read again"""
    names = list(world.streams_of("Visits"))
    for name in names:
        world.result("resnapshot", name)
    world.tell(f"        resnapshot of {' and '.join(names)}")


@after(audit)
def primary(world):
    """Sales is read once, and mirrored from there; an archive on SQLite is the second to mirror it"""

    def main_platform(model):
        model["PlatformService", "Quay"]["primary_ingestion"] = {"Sales": "Full"}

    world.ecosystem.pull("infra", "only Full reads Sales", main_platform)
    with world.quiet():
        world.apply(killed=0.5)
        begin_anew(world, "Live/Sales", "Full/Sales")

    def declared(model):
        model["Ecosystem",
              "Harbour"]["platform_services"].append({"name": "Archive", "repository": "harbour/model@archive"})

    def wanted(model):
        model["Workspace", "Vault"] = document(
            "Workspace", "Vault", team="Port/analytics", dataset_groups={
                "all": group(["Sales/orders", "Sales/lines", "Crm/customers"], "full"),
                "now": group(["Sales/orders", "Crm/addresses"])
            })

    def defined(model):
        model["PlatformService", "Archive"] = document(
            "PlatformService", "Archive", merge={"container": "ArchiveDB"},
            containers={"ArchiveDB": {"type": "sqlite", "path": str(world.dir / "archive.db")}}, platforms={
                "Cellar": {"type": "yellow", "milestoning": "scd2"}, "Shelf": {"type": "yellow", "milestoning": "scd1"}
            }, assignments=[{"group": "Vault/all", "platforms": [{"platform": "Cellar", "status": "provisioned"}]},
                            {"group": "Vault/now", "platforms": [{"platform": "Shelf", "status": "provisioned"}]}],
            primary_ingestion={"Sales": "Full"})

    world.ecosystem.pull("central", "a second service: Archive", declared)
    world.ecosystem.pull("analytics", "Vault wants history, too", wanted)
    world.ecosystem.pull("archive", "Archive keeps it in SQLite", defined)
    world.merges["Archive"] = Merge("Archive", lambda: sqlite(world.dir / "archive.db"), False)
    world.apply()
    world.run_anew()


@after(visits, masking, program)
def replica(world):
    """A branch office has its data in a database of its own"""

    def wanted(model):
        model["DataContainer",
              "OfficeDB"] = document("DataContainer", "OfficeDB", team="Port/analytics", type="postgres",
                                     host="127.0.0.1", port=world.links["office"].port, database="office")
        model["Workspace", "Office"] = document(
            "Workspace", "Office", team="Port/analytics", container="OfficeDB", credential="merge_rw", dataset_groups={
                "now": group(["Sales/orders", "Crm/customers", "Visits/visits", "Labels/labels"]),
                "all": group(["Sales/orders", "Sales/lines", "Letters/letters"], "full")
            })

    def served(model):
        assign(model, "Quay", "Office/now", ("Live", "provisioned"))
        assign(model, "Quay", "Office/all", ("Full", "provisioned"))

    world.ecosystem.pull("analytics", "Office wants copies", wanted)
    world.ecosystem.pull("infra", "Office is served by Live and Full", served)
    world.merges["Office"] = Merge("Office", lambda: world.sites["sources"].connect("office"), True,
                                   container="OfficeDB")
    world.apply(killed=0.5)
    world.run_anew()


def stores_that(world, apart):
    return [
        name for kind, name in world.ecosystem.documents
        if kind == "Datastore" and world.ecosystem.is_apart(name) == apart
    ]


def regroup(world, store, consistency):

    def change(model):
        model["Datastore", store]["capture"]["consistency"] = consistency

    team = world.ecosystem["Datastore " + store]["team"].split("/")[1]
    what = "each dataset goes its own way" if consistency == "single_dataset" else "all datasets are one stream again"
    world.ecosystem.pull(team, f"{store}: {what}", change, refused="C014")
    world.ecosystem.pull(team, "the same, approved", change, approve=True)


def moved(world, stores):
    """Nothing is lost on the way: a look as soon as they have moved, and one when all have read again."""
    world.apply(killed=0.5)
    world.look()
    names = [name for name, stream in world.streams.items() if stream.store in stores and name not in world.resting()]
    wait_until(f"{', '.join(names)} to go on",
               lambda: world.look(views=False) and all(world.streams[name].is_loaded() for name in names))
    world.tell(f"        {' and '.join(stores)}: {len(names)} streams go on")


@again
@after(primary, replica)
def apart(world):
    """The datasets of a store get streams of their own, under mirrors, copies and transformers"""
    stores = stores_that(world, apart=False)
    if stores:
        store = "Sales" if "Sales" in stores else world.rng.choice(stores)
        regroup(world, store, "single_dataset")
        moved(world, [store])


@again
@after(apart)
def together(world):
    """And are one stream again"""
    stores = stores_that(world, apart=True)
    for store in stores:
        regroup(world, store, "multi_dataset")
    moved(world, stores)


@after(begin)
def follow(world):
    """From now on those who run follow the branch main, and apply what is merged there"""
    world.follows = True
    world.run_anew()
    wait_until("run --follow to find main applied", world.followed)


@again
@after(follow)
def forced(world):
    """Somebody sets main back by force: nobody follows, until it is where it was"""
    back = world.rng.randint(1, 3)
    now, before = (world.ecosystem.git("rev-parse", name).strip() for name in ("main", f"main~{back}"))
    applied = world.last_applied()
    world.ecosystem.git("checkout", "-q", "--detach")
    world.ecosystem.git("branch", "-f", "main", before)
    wait_until("run --follow to refuse", lambda: world.followed("refused"))
    world.look()
    if world.last_applied() != applied:
        raise Wrong(f"main was set back by force, and was applied: {applied}, {world.last_applied()}")
    world.ecosystem.git("branch", "-f", "main", now)
    world.ecosystem.git("checkout", "-q", "main")
    wait_until("run --follow to be content again", world.followed)
    world.tell(f"        main was {back} back: refused; it is where it was: applied")


def begin_anew(world, mirror, source):
    """A mirror that has been further than its new primary waits for it, unless it is told to begin anew."""
    merge = world.merges["Quay"]
    last = {
        name: int(number)
        for name, number in merge.ask(f"SELECT stream, max(batch_id) FROM {merge.control('batch')} "
                                      "WHERE status = 'committed' GROUP BY stream")
    }
    if last[source] >= last[mirror]:
        return
    world.result("resnapshot", mirror)
    world.tell(f"        {mirror} was at {last[mirror]}, {source} is at {last[source]}: resnapshot, to begin anew")


@again
@after(sales)
def key(world):
    """The key of orders becomes another one: refused, and then approved"""
    now = world.ecosystem["Datastore Sales"]["datasets"]["orders"]["columns"]
    old, new = ("number", "id") if "primary key" in now["number"] else ("id", "number")

    def change(model):
        columns = model["Datastore", "Sales"]["datasets"]["orders"]["columns"]
        columns[old] = now[old].replace("primary key", "not null")
        columns[new] = now[new].replace("not null", "primary key")

    world.ecosystem.pull("sales", f"orders have their {new} as key", change, refused="C007")
    world.ecosystem.pull("sales", "the same, approved", change, approve=True)
    world.apply(killed=0.5)


@after(audit)
def deprecation(world):
    """Addresses are deprecated, when everybody who uses them agrees"""

    def deprecated(model):
        model["Datastore", "Crm"]["datasets"]["addresses"]["deprecated"] = "ask the post office"

    def agreed(model):
        for (kind, _), text in model.items():
            for wanted in text.get("dataset_groups", {}).values() if kind == "Workspace" else ():
                wanted["sinks"] = [{"dataset": s, "allow_deprecated": True} if s == "Crm/addresses" else s
                                   for s in wanted["sinks"]]

    world.ecosystem.pull("crm", "addresses are deprecated", deprecated, refused="C013")
    world.ecosystem.pull("analytics", "Desk, Audit and Vault agree", agreed)
    world.ecosystem.pull("crm", "addresses are deprecated, again", deprecated)
    world.apply(killed=0.2)


@again
@after(begin)
def migration(world):
    """The desk moves to another platform, without a moment without views"""
    entry = next(a for a in world.ecosystem["PlatformService Quay"]["assignments"] if a["group"] == "Desk/live")
    old = next(p["platform"] for p in entry["platforms"] if p["status"] == "provisioned")
    new = "Four" if old == "Live" else "Live"

    def places(*statuses):

        def change(model):
            model["PlatformService", "Quay"]["platforms"]["Four"] = {"type": "yellow", "milestoning": "scd4"}
            assign(model, "Quay", "Desk/live", *statuses)

        return change

    world.ecosystem.pull("infra", f"Desk moves from {old} to {new} at once", places((new, "provisioned")),
                         refused="C020")
    world.ecosystem.pull("infra", f"{new} begins to load", places((old, "provisioned"), (new, "provisioning")))
    world.apply(killed=0.5)
    names = [name for name in world.streams if name.startswith(new + "/") and name not in world.resting()]
    wait_until(f"{new} to have everything",
               lambda: world.look(views=False) and all(world.streams[name].is_loaded() for name in names))
    world.ecosystem.pull("infra", f"Desk is on {new}, {old} stands by",
                         places((new, "provisioned"), (old, "decommissioning")))
    world.apply(killed=0.5)
    world.look()
    world.ecosystem.pull("infra", f"{old} is decommissioned", places((new, "provisioned"), (old, "decommissioned")))
    world.apply(killed=0.5)


STOCK = {
    "items": dataset(sku="varchar(12) primary key", name="text", level="integer", counted="timestamp"),
    "places": dataset(place="integer primary key", sku="varchar(12)", shelf="varchar(20)")
}


def add_stock(world):

    def defined(model):
        model["DataContainer", "StockDB"] = document("DataContainer", "StockDB", team="Port/crm", type="sqlite",
                                                     path=str(world.dir / "stock.db"))
        model["Datastore", "Stock"] = document("Datastore", "Stock", team="Port/crm", **store("StockDB", STOCK))

    def used(model):
        sink(model, "Desk", "live", "Stock/items", "Stock/places")
        sink(model, "Audit", "all", "Stock/items", "Stock/places")

    world.ecosystem.pull("crm", "store Stock", defined)
    world.ecosystem.pull("analytics", "Desk and Audit use it", used)
    world.apply(killed=0.5)


@after(audit)
def stock(world):
    """A store on SQLite with items and places"""
    world.sources["Stock"] = source = sources.Stock(world.seed, 0.15, lambda: sqlite(world.dir / "stock.db"))
    source.start()
    add_stock(world)


@again
@after(stock)
def guard(world):
    """Somebody deletes most of the items: the batch stops and asks"""
    source, merge = world.sources["Stock"], world.merges["Quay"]
    source.still.acquire()
    try:
        names = [name for name, stream in world.streams_of("Stock").items() if stream.alone in ([], ["items"])]
        source.grow("items", 40)  # of fewer than 20 the guard counts only the last
        wait_until("all items to be seen",
                   lambda: world.look(views=False) and all(world.streams[name].is_at_end() for name in names))
        rows = dict(source.rows["items"])
        lost = list(rows)[5:]
        source.commit([("items", identity, None) for identity in lost])
        guarded = (f"SELECT stream FROM {merge.control('batch')} WHERE guarded = 1 AND status <> 'committed' "
                   "AND stream LIKE '%/Stock%'")
        wait_until("the guard", lambda: {name for name, in merge.ask(guarded)} == set(names))
        if world.rng.random() < 0.5:
            source.commit([("items", identity, rows[identity]) for identity in lost])
            world.tell(
                f"        {len(lost)} of {len(rows)} items were gone; {' and '.join(names)} waited; the items are back")
        else:
            for name in names:
                world.result("job", name, "--accept-deletes")
            world.tell(
                f"        {len(lost)} of {len(rows)} items are gone; {' and '.join(names)} waited, and were told that "
                "it is right"
            )
    finally:
        source.still.release()


@again
@after(stock)
def retired(world):
    """Stock is retired, and comes back, sometimes after its tables were dropped"""

    def removed(model):
        del model["Datastore", "Stock"], model["DataContainer", "StockDB"]

    def unused(model):
        for workspace, name in (("Desk", "live"), ("Audit", "all")):
            wanted = model["Workspace", workspace]["dataset_groups"][name]
            wanted["sinks"] = [s for s in wanted["sinks"] if not (isinstance(s, str) and s.startswith("Stock/"))]

    world.ecosystem.pull("crm", "Stock is retired", removed, refused="C012")
    world.ecosystem.pull("analytics", "nobody uses Stock any more", unused)
    world.ecosystem.pull("crm", "Stock is retired, again", removed)
    prune = world.rng.random() < 0.5
    world.apply(*(["--prune"] if prune else []), killed=0.5)
    world.tell(f"        its tables {'are dropped' if prune else 'are kept'}")
    world.look()
    add_stock(world)


@after(stock)
def wider(world):
    """Items may be counted in billions"""

    def change(model):
        model["Datastore",
              "Stock"]["datasets"]["items"]["columns"]["level"] = STOCK["items"]["columns"]["level"] = "bigint"

    world.ecosystem.pull("crm", "level of items becomes a bigint", change)
    world.apply(killed=0.5)
    with world.sources["Stock"].still:
        world.sources["Stock"].tables["items"].columns["level"] = ("bigint", sources.number(-5, 10**12))


CHAPTERS = [
    begin, stranger, sales, audit, column, masking, program, priority, visits, sweep, stock, primary, replica, apart,
    guard, follow, key, deprecation, wider, together, forced, migration, retired
]
