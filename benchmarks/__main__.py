"""`make bench`: measure all parts or the named ones, and print the table."""

import sys

from benchmarks import (
    desk,
    door,
    door_queue,
    flow,
    growth,
    report,
    request_log,
    rush,
    starting,
    storm,
)

PARTS = {
    "flow": flow.whole_flow,
    "pages": rush.pages_and_registrations,
    "postgresql": rush.on_postgresql,
    "disk": rush.price_of_the_disk,
    "storm": storm.storms,
    "growth": growth.growth,
    "desk": desk.desk,
    "check-ins": growth.check_ins,
    "door": door.doors,
    "seat": growth.seat_transaction,
    "queue": door_queue.queues,
    "log": request_log.price_of_the_log,
    "start": starting.starting,
}


def main(wanted: list[str]) -> None:
    """Measure the named parts, or all. The figures are saved only if all are measured."""
    if unknown := set(wanted) - PARTS.keys():
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    figures: list[report.Figure] = []
    for name in wanted or PARTS:
        print(f"measuring {name} ...", flush=True)
        figures += PARTS[name]()
    print(report.table(figures))
    if not wanted:
        print(f"kept in {report.keep(figures, 'all').relative_to(report.RESULTS.parent.parent)}")


if __name__ == "__main__":
    main(sys.argv[1:])
