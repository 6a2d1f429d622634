"""More chapters, for turns that have minutes; or one at a time, with --chapter."""
import threading

from ecosystem import document
from oracle import Watermark, Wrong
from patience import wait_until
from story import after, again, assign, audit, column, group, replica, sink, visits


def versions(world):
    """{stream: version of its definition} of those that the model has, by the control tables."""
    return {
        name: version
        for merge in world.merges.values()
        for name, version in merge.ask(f"SELECT name, version FROM {merge.control('stream')} WHERE removed = 0")
    }


def loaded(world, names):
    wait_until(f"{', '.join(names)} to be loaded",
               lambda: world.look(views=False) and all(world.streams[name].is_loaded() for name in names))


@again
@after(audit)
def guests(world):
    """Two platforms serve guests for a while, and are removed; what the guests asked to be kept stays"""

    def come(model):
        kept = group(["Crm/customers", "Sales/lines"], "full")
        kept["requires"]["retention"] = "7y"
        model["Workspace", "Guests"] = document("Workspace", "Guests", team="Port/analytics",
                                                dataset_groups={"now": group(["Crm/customers"]), "all": kept})

    def served(model):
        model["PlatformService", "Quay"]["platforms"] |= {
            "Spare": {"type": "yellow", "milestoning": "scd1"}, "Museum": {"type": "yellow", "milestoning": "scd2"}
        }
        assign(model, "Quay", "Guests/now", ("Spare", "provisioned"))
        assign(model, "Quay", "Guests/all", ("Museum", "provisioned"))

    def removed(model):
        assign(model, "Quay", "Guests/now")
        assign(model, "Quay", "Guests/all")
        del model["PlatformService", "Quay"]["platforms"]["Spare"]
        del model["PlatformService", "Quay"]["platforms"]["Museum"]

    def gone(model):
        del model["Workspace", "Guests"]

    world.ecosystem.pull("analytics", "guests come", come)
    world.ecosystem.pull("infra", "Spare and Museum serve them", served)
    world.apply(killed=0.5)
    spare, museum = ([
        name for name, stream in world.streams.items() if stream.platform == platform and name not in world.resting()
    ] for platform in ("Spare", "Museum"))
    loaded(world, spare + museum)
    world.look()
    before = versions(world)
    world.ecosystem.pull("infra", "Spare and Museum are removed", removed, refused="C018")
    world.ecosystem.pull("infra", "the same, approved", removed, approve=True)
    world.ecosystem.pull("analytics", "the guests go", gone)
    world.apply(killed=0.5)
    world.look()
    nothing_else(world, before)
    merge = world.merges["Quay"]
    for name in museum:
        world.look_at_kept(merge, name)
    if world.rng.random() < 0.3:
        world.tell("        their tables are kept")
        return
    world.apply("--prune", killed=0.5)
    nothing_else(world, before)
    tables = {name for name, in merge.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'ds_spare'")}
    if tables or any(name.startswith("Spare/") for name in world.streams) or not world.streams.keys() >= set(museum):
        raise Wrong(f"after --prune there are {tables} of Spare, and streams {sorted(world.streams)}")
    for name in museum:
        world.look_at_kept(merge, name)
    world.tell("        the tables of Spare are dropped; those of Museum are kept, for seven years")


def nothing_else(world, before):
    """That two platforms go is nobody else's affair."""
    now = versions(world)
    changed = {
        name: (version, now.get(name))
        for name, version in before.items() if not name.startswith(("Spare/", "Museum/")) and now.get(name) != version
    }
    if changed:
        raise Wrong(f"Spare and Museum were removed, and other streams changed: {changed}")


@again
@after(replica)
def outage(world):
    """The branch office can't be reached for a while: all others go on, and it catches up"""
    copies = [name for name in world.streams if name.endswith("@OfficeDB") and name not in world.resting()]
    originals = {name: world.streams[name.split("@")[0]] for name in copies}
    busy = {stream: stream.last for store in ("Sales", "Crm") for stream in world.streams_of(store, "Full").values()}
    link = world.links["office"]
    link.cut()
    try:
        if world.rng.random() < 0.5:
            world.run_anew()
        wait_until("others to go on without the office",
                   lambda: world.look(views=False) and all(stream.last >= was + 3 for stream, was in busy.items()))
        world.look()
    except BaseException:
        link.mend()
        raise
    missed = {name: original.last for name, original in originals.items()}
    behind = sum(last - world.streams[name].last for name, last in missed.items())
    threading.Timer(world.rng.uniform(0.5, 4), link.mend).start()

    def lines(model):
        wanted = model["Workspace", "Office"]["dataset_groups"]["now"]["sinks"]
        if "Sales/lines" in wanted:
            wanted.remove("Sales/lines")
        else:
            sink(model, "Office", "now", "Sales/lines")

    world.ecosystem.pull("analytics", "Office wants lines live, or no longer", lines)
    world.apply(killed=0.5)
    wait_until("the office to catch up", lambda: world.look(views=False) and all(
        world.streams[name].last >= last for name, last in missed.items()))
    world.tell(f"        {len(copies)} copies were {behind} batches behind together, and have caught up")


@again
@after(replica)
def homecoming(world):
    """The branch office gives up its database, and sees its data where they come from; then it has one again"""
    place = {name: world.ecosystem["Workspace Office"][name] for name in ("container", "credential")}
    copies = {name for name in world.streams if name.endswith("@OfficeDB")}

    def given_up(model):
        for name in place:
            del model["Workspace", "Office"][name]

    world.ecosystem.pull("analytics", "Office gives up its database", given_up)
    world.apply(killed=0.5)
    world.look()
    office, prune = world.merges["Office"], world.rng.random() < 0.5
    if prune:
        world.apply("--prune", killed=0.5)
        tables = office.ask("SELECT schemaname, tablename FROM pg_tables WHERE schemaname LIKE 'ds\\_%'")
        if tables or not world.streams.keys().isdisjoint(copies):
            raise Wrong(f"after --prune the office still has {tables}, and streams {sorted(world.streams)}")
        world.look()
    world.tell(f"        its copies are {'dropped' if prune else 'kept'}")
    world.ecosystem.pull("analytics", "Office has a database again",
                         lambda model: model["Workspace", "Office"].update(place))
    world.apply(killed=0.5)
    world.run_anew()
    loaded(world, [name for name in world.streams if name.endswith("@OfficeDB") and name not in world.resting()])


@again
@after(visits)
def late(world):
    """Visits of long ago come late: nobody sees them, until a batch reads all"""
    ways = {name: stream.definitions[max(stream.definitions)][0] for name, stream in world.streams_of("Visits").items()}
    before = {name: world.streams[name].last for name, way in ways.items() if isinstance(way, Watermark)}
    world.sources["Visits"].load_old(world.rng.choice([25, 200]))
    wait_until("batches that don't see them", lambda: world.look(views=False) and all(
        world.streams[name].last > last + 1 for name, last in before.items()))
    world.look()
    swept = {name: ways[name].swept for name in before}

    def sweeps(every):

        def change(model):
            model["Datastore", "Visits"]["capture"]["watermark"]["sweep"] = every

        return change

    world.ecosystem.pull("sales", "all visits are read every three seconds", sweeps("3s"))
    world.apply(killed=0.5)
    wait_until("batches that read all", lambda: world.look(views=False) and all(
        ways[name].swept != was for name, was in swept.items()))
    world.look()
    world.ecosystem.pull("sales", "and once a day again", sweeps("1d"))
    world.apply(killed=0.2)


@again
@after(column)
def channel(world):
    """Orders lose their channel: refused, and then approved; it comes back with what it was"""
    kind = world.ecosystem["Datastore Sales"]["datasets"]["orders"]["columns"]["channel"]

    def lost(model):
        del model["Datastore", "Sales"]["datasets"]["orders"]["columns"]["channel"]

    def back(model):
        model["Datastore", "Sales"]["datasets"]["orders"]["columns"]["channel"] = kind

    world.ecosystem.pull("sales", "orders lose their channel", lost, refused="C001")
    world.ecosystem.pull("sales", "the same, approved", lost, approve=True)
    world.apply(killed=0.5)
    if world.rng.random() < 0.7:
        loaded(world, [name for name in world.streams if "/Sales" in name and name not in world.resting()])
        world.look()
    world.ecosystem.pull("sales", "orders have a channel again", back)
    world.apply(killed=0.5)


LATER = [guests, late, channel, outage, homecoming]
