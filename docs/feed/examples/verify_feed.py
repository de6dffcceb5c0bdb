#!/usr/bin/env python3
"""Proves from a feed of EdgeGateway that no record is missing without explanation.

    verify_feed.py FILE...                 files: one message a line, as `edgegateway verify-feed --record` or `mosquitto_sub -F %j` write them
    verify_feed.py mqtt://host:1883 [SECONDS]     listens (needs paho-mqtt), by default for a minute

Prints one JSON document. Exit code 0: proven, 1: not proven. A starting point for a central platform: take it, keep `Feed`, put its sets in your database.
"""
import bisect
import gzip
import json
import sys
import time
from urllib.parse import urlparse

STREAMS = {"birth", "summary", "emission", "anomaly", "state", "health", "sample", "range", "cems"}
LOST = {"evicted", "thinned", "quarantined", "unreadable"}  # states of records that will not come; skip words that you do not know


class Intervals:
    """Whole numbers as sorted, disjoint runs: small as long as there are few gaps."""

    def __init__(self):
        self.runs = []

    def add(self, first, last):
        """Adds first to last, inclusive; returns how many were new."""
        i = bisect.bisect_left(self.runs, first - 1, key=lambda run: run[1])
        j, known, low, high = i, 0, first, last
        while j < len(self.runs) and self.runs[j][0] <= last + 1:
            a, b = self.runs[j]
            known += max(0, min(b, last) - max(a, first) + 1)
            low, high, j = min(low, a), max(high, b), j + 1
        self.runs[i:j] = [(low, high)]
        return last - first + 1 - known

    def gaps(self, first, last):
        for a, b in self.runs[bisect.bisect_left(self.runs, first, key=lambda run: run[1]):]:
            if a > last:
                break
            if a > first:
                yield first, a - 1
            first = b + 1
        if first <= last:
            yield first, last


class Row:
    """One stream of one gateway in one epoch."""

    def __init__(self):
        self.seen, self.lost = Intervals(), Intervals()
        self.issued = self.redelivered = 0
        self.beginning = self.after_issued = None


class Feed:
    def __init__(self, from_first):
        self.from_first, self.rows, self.unreadable, self.skipped = from_first, {}, 0, 0

    def row(self, *key):
        return self.rows.setdefault(key, Row())

    def take(self, topic, payload, retained):
        if topic and topic.endswith("/status"):
            self.skipped += 1
            return
        try:
            if payload[:2] == b"\x1f\x8b":
                payload = gzip.decompress(payload)
            m = json.loads(payload)
            if m["v"] == 1 and (m.get("stream") not in STREAMS or m.get("lane") not in ("live", "history") or "seq" not in m):
                self.skipped += 1  # not numbered, or added by a later version
                return
            site, gateway, stream, records = m["site"], m["gateway"], m["stream"], m["records"]
            if m["v"] != 1 or not records or m["count"] != len(records) or m["seq"] < 1 or m["epoch"] < 1:
                raise ValueError("not a message of version 1")
            tail = f"/{site}/{gateway}/{stream}"
            if topic and not (topic.endswith(tail) or topic.rpartition("/")[0].endswith(tail)):
                raise ValueError("it is of another topic")
        except (ValueError, KeyError, TypeError, OSError, EOFError):
            self.unreadable += 1
            return
        row = self.row(site, gateway, stream, m["epoch"])
        row.redelivered += len(records) - row.seen.add(m["seq"], m["seq"] + len(records) - 1)  # again: harmless, the insert is idempotent
        if not retained and (row.beginning is None or m["lane"] == "history"):
            row.beginning = min(row.beginning or m["seq"], m["seq"])
        for r in records if stream == "range" else ():
            self.statement(site, gateway, r, live=m["lane"] == "live" and not retained)

    def statement(self, site, gateway, r, live):
        try:
            if r["stream"] not in STREAMS or not 1 <= r["first"] <= r["last"]:
                return  # never-acquired has no numbers
            about = self.row(site, gateway, r["stream"], r["epoch"])
            if r["state"] == "issued":
                about.issued = max(about.issued, r["last"])
                if live and about.after_issued is None:
                    about.after_issued = r["last"] + 1
            elif r["state"] in LOST:
                about.lost.add(r["first"], r["last"])
        except (KeyError, TypeError):
            return  # not understood: it explains nothing, so its records stay missing

    def verdict(self):
        streams, received, missing = [], 0, 0
        for (site, gateway, stream, epoch), row in sorted(self.rows.items()):
            count = sum(b - a + 1 for a, b in row.seen.runs)
            last = max(row.seen.runs[-1][1] if row.seen.runs else 0, row.issued)
            first = 1 if self.from_first else row.beginning or row.after_issued
            gaps = list(row.seen.gaps(first, last)) if first else []
            unexplained = [run for a, b in gaps for run in row.lost.gaps(a, b)]
            absent, open_ = (sum(b - a + 1 for a, b in runs) for runs in (gaps, unexplained))
            received, missing = received + count, missing + open_
            streams.append({"site": site, "gateway": gateway, "stream": stream, "epoch": epoch, "received": count, "redelivered": row.redelivered,
                            "explained": absent - open_, "missing": open_, "missingRanges": unexplained})
        return {"proven": received > 0 and missing == 0 and self.unreadable == 0, "received": received, "missing": missing,
                "unreadable": self.unreadable, "skipped": self.skipped, "streams": streams}


def read(feed, path):
    with gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb") as lines:
        for line in filter(None, (line.strip() for line in lines)):
            try:
                m = json.loads(line) if line.startswith(b"{") else None
            except ValueError:
                m = {"payload": ""}  # a line that is cut off
            if m is None:
                topic, _, payload = line.partition(b" ")
                feed.take(topic.decode("utf-8", "replace"), payload, False)
            elif "payload" in m:
                payload = m["payload"] if isinstance(m["payload"], str) else json.dumps(m["payload"])
                feed.take(m.get("topic"), payload.encode(), bool(m.get("retain")))
            else:
                feed.take(None, line, False)


def listen(feed, url, seconds):
    import paho.mqtt.client as mqtt  # a session that the broker keeps, QoS 1: what comes while we are away comes later
    arguments = {"client_id": "verify-feed-example", "protocol": mqtt.MQTTv311, "clean_session": False}
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, **arguments) if hasattr(mqtt, "CallbackAPIVersion") else mqtt.Client(**arguments)
    client.on_connect = lambda c, *_: c.subscribe("edgegateway/v1/#", qos=1)
    client.on_message = lambda c, u, m: feed.take(m.topic, m.payload, m.retain)
    client.connect(url.hostname, url.port or 1883)
    client.loop_start()
    time.sleep(seconds)
    client.loop_stop()
    client.disconnect()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    broker = urlparse(sys.argv[1]) if "://" in sys.argv[1] else None
    feed = Feed(from_first=broker is None)
    if broker:
        listen(feed, broker, float(sys.argv[2]) if len(sys.argv) > 2 else 60)
    else:
        for name in sys.argv[1:]:
            read(feed, name)
    result = feed.verdict()
    print(json.dumps(result, indent=2))
    sys.exit(0 if result["proven"] else 1)
