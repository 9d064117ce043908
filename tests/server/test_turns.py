"""Threads that answer take turns, but none waits long for another."""

from threading import Event, Thread

from eventreg.server.turns import PATIENCE, Turns


def test_a_thread_waits_while_another_answers() -> None:
    turns, answered = Turns(), list[str]()
    inside, go_on = Event(), Event()

    def first() -> None:
        with turns():
            inside.set()
            go_on.wait(PATIENCE / 2)
            answered.append("first")

    thread = Thread(target=first)
    thread.start()
    inside.wait(10)
    with turns():
        answered.append("second")
    thread.join()
    assert answered == ["first", "second"]


def test_a_request_that_takes_long_holds_up_nobody() -> None:
    turns, inside, go_on = Turns(), Event(), Event()

    def long_request() -> None:
        with turns():
            inside.set()
            go_on.wait(10)

    thread = Thread(target=long_request)
    thread.start()
    inside.wait(10)
    for _ in range(3):  # those that did not wait for it keep nobody's turn
        with turns():
            assert not go_on.is_set()
    go_on.set()
    thread.join()
    assert turns._turn.acquire(timeout=0)


def test_the_turn_passes_on_after_an_error() -> None:
    turns = Turns()
    for _ in range(2):
        try:
            with turns():
                raise RuntimeError
        except RuntimeError:
            pass
    assert turns._turn.acquire(timeout=0)
