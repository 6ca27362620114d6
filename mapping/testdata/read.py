"""Reads iCalendar objects with libraries of Debian and prints, for each, what they understood.

The input is a JSON list of objects, the output a list of {"uid", "summaries", "starts"}: starts are the instants of all
occurrences within three years. icalendar and vobject read the object, dateutil expands the rules as wall clocks and turns
these into instants by nothing but the VTIMEZONE that stands in the object.
"""
import datetime
import io
import json
import sys

import icalendar
import vobject
from dateutil import rrule, tz

YEARS, MOST = 3, 1200
UTC = datetime.timezone.utc


class Zones:
    """The time zones of one object."""

    def __init__(self, calendar):
        self.known = {}
        for z in calendar.walk("VTIMEZONE"):
            name = str(z["TZID"])
            self.known[name] = tz.tzical(io.StringIO(z.to_ical().decode())).get(name)

    def instant(self, wall, name):
        """Of a wall clock that the clocks show twice this is the first; one that they leave out is read by the offset before.

        dateutil finds the offset of a wall clock; the way back, which resolve_imaginary goes, it takes by a day's summer time, and
        errs for hours where a zone changed its standard time.
        """
        if name is None:
            return wall.replace(tzinfo=UTC)

        def offset(at):
            return at.replace(tzinfo=self.known[name]).utcoffset()

        now, before = offset(wall), offset(wall - datetime.timedelta(days=1))
        if now > before and offset(wall - (now - before)) == before:
            now = before
        return (wall - now).replace(tzinfo=UTC)


def wall(text):
    """Reads a date or a time, without its zone."""
    form = "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d"
    return datetime.datetime.strptime(text.rstrip("Z"), form)


def values(component, name):
    """Yields the values of a property with their TZID, however many lines they stand on."""
    lines = component.get(name, [])
    for p in lines if isinstance(lines, list) else [lines]:
        for text in p.to_ical().decode().split(","):
            yield text, p.params.get("TZID")


def series(master, zones):
    """Yields the wall clocks of a master that are not taken away."""
    (text, zone), = values(master, "DTSTART")
    start = wall(text)
    limit = start + datetime.timedelta(days=366 * YEARS)
    ends = zones.instant(start, zone) + datetime.timedelta(days=365 * YEARS)
    walls = {start}
    for text, name in values(master, "RDATE"):
        assert name == zone
        walls.add(wall(text))
    for name, keep in (("RRULE", walls.add), ("EXRULE", walls.discard)):
        rules = master.get(name, [])
        for rule in rules if isinstance(rules, list) else [rules]:
            rule = dict(rule)
            last = None
            if "UNTIL" in rule:
                last = wall(icalendar.vRecur(UNTIL=rule.pop("UNTIL")).to_ical().decode().removeprefix("UNTIL="))
            text = icalendar.vRecur(rule).to_ical().decode()
            for n, at in enumerate(rrule.rrulestr(text, dtstart=start)):
                if at > limit or n >= MOST or last is not None and zones.instant(at, zone) > last.replace(tzinfo=UTC):
                    break
                keep(at)
    out = {zones.instant(wall(text), name) for text, name in values(master, "EXDATE")}
    return {at for at in (zones.instant(w, zone) for w in walls) if at < ends and at not in out}


def expand(calendar, components):
    zones = Zones(calendar)
    starts, changed, masters = set(), set(), []
    for e in components:
        if "RECURRENCE-ID" not in e:
            masters.append(e)
            continue
        for name, into in (("RECURRENCE-ID", changed), ("DTSTART", starts)):
            (text, zone), = values(e, name)
            into.add(zones.instant(wall(text), zone))
    for master in masters:
        if "DTSTART" in master:  # a to-do may have none
            starts |= series(master, zones) - changed
    return sorted(s.strftime("%Y-%m-%dT%H:%M:%SZ") for s in starts)


def read(text):
    calendar = icalendar.Calendar.from_ical(text)
    kind = "VEVENT" if calendar.walk("VEVENT") else "VTODO"
    components = calendar.walk(kind)
    for c in components + calendar.walk("VALARM"):
        assert not c.errors, c.errors
    other = [c.summary.value if hasattr(c, "summary") else "" for c in vobject.readOne(text).contents[kind.lower()]]
    summaries = [str(c.get("SUMMARY", "")) for c in components]
    assert summaries == other, (summaries, other)
    return {"uid": str(components[0]["UID"]), "summaries": summaries, "starts": expand(calendar, components)}


json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
