"""A bare Flask page in our server, with which our pages are compared.

``python -m benchmarks.hello PORT PROCESSES THREADS`` serves it.
"""

import signal
import sys

from flask import Flask

from eventreg.server import listener
from eventreg.server.processes import ChildJob, Family
from eventreg.settings.proxies import Proxies

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """A page of nine bytes."""
    return "hello you"


def main(port: int, workers: int, threads: int) -> None:
    """Serve the page with this many processes and threads."""
    listening = listener.listen("127.0.0.1", port)

    def answer(lifeline: int) -> None:
        server = listener.Listener(app, listening, threads, Proxies(0, ()))
        server.watch(lifeline)
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        server.run()

    jobs = [ChildJob("bare page", answer) for _ in range(workers)]
    Family(jobs, on_stop=listening.close).run()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
