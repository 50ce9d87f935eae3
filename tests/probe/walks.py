"""What every test of routes does: somebody walks the whole URL map."""

from probe import actors, doors, recording, walk
from probe.rows import Untouched
from probe.visiting import report
from probe.world import World


def check(world: World, name: str) -> None:
    """Whoever it is sees and changes nothing of others', and gets into all that is their own."""
    recording.record_names(world.app)
    actor = actors.actors(world)[name]
    done = walk.Walk(world, actor)
    with Untouched(world, world.foreign(actor.home.owner), done.findings, name):
        done.run()
    print(name, dict(done.counts))
    assert not done.findings, report(done.findings)
    ajar = doors.ajar(done)
    assert not ajar, f"a PIN opens {', '.join(ajar)}"
    if name.startswith(("owner of", "till of", "PIN at")):
        shut = doors.shut(done)
        assert not shut, f"{', '.join(shut)}: {doors.TEACH}"
