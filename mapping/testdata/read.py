"""Reads iCalendar objects with two libraries and prints, for each, what they understood.

The input is a JSON list of objects, the output a list of {"uid", "summaries", "starts"}: starts are the instants of all
occurrences within three years, expanded by dateutil with the zones that stand in the object.
"""
import datetime
import json
import sys

import icalendar
import vobject

YEARS, MOST = 3, 1200
UTC = datetime.timezone.utc


def instant(value):
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value.astimezone(UTC)


def expand(text):
    events = vobject.readOne(text).vevent_list
    changed = {instant(e.recurrence_id.value): e for e in events if hasattr(e, "recurrence_id")}
    starts = {instant(e.dtstart.value) for e in changed.values()}
    for e in events:
        if hasattr(e, "recurrence_id"):
            continue
        first = instant(e.dtstart.value)
        limit = first + datetime.timedelta(days=365 * YEARS)
        series = e.getrruleset(addRDate=True)
        if series is None:
            starts.add(first)
            continue
        for n, value in enumerate(series):
            at = instant(value)
            if at >= limit or n >= MOST:
                break
            if at not in changed:
                starts.add(at)
    return sorted(s.strftime("%Y-%m-%dT%H:%M:%SZ") for s in starts)


def read(text):
    calendar = icalendar.Calendar.from_ical(text)
    events = calendar.walk("VEVENT")
    for e in events:
        assert not e.errors, e.errors
    return {
        "uid": str(events[0]["UID"]),
        "summaries": [str(e.get("SUMMARY", "")) for e in events],
        "starts": expand(text),
    }


json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
