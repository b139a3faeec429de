"""The procedures of the scenarios, once for every Python system; `../js/driver.ts` mirrors them.

A system has: start(address, bounded), collect(fn, inputs) -> list, stream(fn, inputs) -> iterator in order of
completion, cancel(), kill_worker(pid), address() where it can be shared, stop().
"""

import itertools
import json
import os
import signal
import statistics
import sys
import time

import functions

HARNESS_FD = 3
PROGRESS_EVERY = 10_000
# A slow system is not asked again once its repeats have taken this long.
REPEAT_UNTIL_S = 20


def send(**record):
    """Sends one record to the harness."""
    os.write(HARNESS_FD, (json.dumps(record) + "\n").encode())


def report(metric, value, unit):
    """Sends one figure."""
    send(metric=metric, value=value, unit=unit)


def event(name, **more):
    """Sends that something happened now, on the clock that all processes of a machine share."""
    send(event=name, atNs=time.monotonic_ns(), **more)


def seeded_random(seed):
    """A small seeded generator (mulberry32), the same as in JavaScript."""
    state = seed & 0xFFFFFFFF

    def imul(a, b):
        return (a * b) & 0xFFFFFFFF

    def following():
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = imul(state ^ (state >> 15), 1 | state)
        t = ((t + imul(t ^ (t >> 7), 61 | t)) & 0xFFFFFFFF) ^ t
        return (t ^ (t >> 14)) / 4_294_967_296

    return following


def go():
    """Waits until the harness says that the measured part may begin."""
    sys.stdin.readline()


def spin_inputs(params, ms_of):
    return [(i, round(ms_of(i) * params["stepsPerMs"])) for i in range(params["calls"])]


def repeats(params):
    """Yields once per repeat."""
    begin = time.perf_counter()
    for repeat in range(params["repeats"]):
        if repeat > 0 and time.perf_counter() - begin > REPEAT_UNTIL_S:
            return
        yield repeat


def warm(system, params, bounded=False):
    """Starts the system, lets every worker do something, and waits for the harness."""
    system.start(params.get("address"), bounded)
    steps = round(5 * params["stepsPerMs"])
    for _ in system.stream(functions.spin, [(i, steps) for i in range(40)]):
        pass
    event("ready")
    go()


def noop(system, params):
    warm(system, params)
    calls = params["calls"]
    pause_s = params["pauseMs"] / 1000
    listed, streamed, at_once = [], [], []

    def collect():
        start = time.perf_counter()
        results = system.collect(functions.noop, range(calls))
        seconds = time.perf_counter() - start
        assert len(results) == calls and results[-1] == calls - 1, "wrong results"
        return seconds

    for _ in repeats(params):
        time.sleep(pause_s)
        listed.append(collect())
        at_once.append(collect())
        time.sleep(pause_s)
        start = time.perf_counter()
        seen = sum(1 for _ in system.stream(functions.noop, range(calls)))
        streamed.append(time.perf_counter() - start)
        assert seen == calls, f"{seen} results"
    report("calls_per_second", calls / statistics.median(listed), "1/s")
    report("calls_per_second_streamed", calls / statistics.median(streamed), "1/s")
    report("calls_per_second_back_to_back", calls / statistics.median(at_once), "1/s")


def spin(system, params):
    warm(system, params)
    random = seeded_random(params["seed"])
    low, high = params["minMs"], params["maxMs"]
    ms = [low + random() * (high - low) for _ in range(params["calls"])]
    if params["stragglerMs"] > 0:
        ms[int(random() * len(ms))] = params["stragglerMs"]
    inputs = spin_inputs(params, lambda i: ms[i])
    start = time.perf_counter()
    results = system.collect(functions.spin, inputs)
    report("wall", time.perf_counter() - start, "s")
    assert len(results) == len(inputs), f"{len(results)} results"
    report("nominal_cpu", sum(ms) / 1000, "s")


def echo(system, params):
    warm(system, params)
    calls, size = params["calls"], params["bytes"]
    seconds = []
    for _ in repeats(params):
        noise = os.urandom(size)
        inputs = [bytes([i % 256]) + noise[1:] for i in range(calls)]
        start = time.perf_counter()
        results = system.collect(functions.echo, inputs)
        seconds.append(time.perf_counter() - start)
        assert len(results) == calls and all(len(r) == size for r in results), "wrong results"
    report("throughput_each_way", calls * size / 1e6 / statistics.median(seconds), "MB/s")


def print_lines(system, params):
    warm(system, params)
    event("working")
    start = time.perf_counter()
    system.collect(functions.print_lines, range(params["calls"]))
    report("results_after", time.perf_counter() - start, "s")


def kill(system, params):
    warm(system, params)
    calls = params["calls"]
    times = [0] * calls
    inputs = spin_inputs(params, lambda _: params["callMs"])
    start = time.perf_counter()
    try:
        for received, (index, pid) in enumerate(system.stream(functions.spin, inputs), start=1):
            times[index] += 1
            if received == calls // 2:
                system.kill_worker(pid)
    except Exception as error:  # whatever the system makes of a lost worker is the finding
        event("error", message=f"{type(error).__name__}: {error}".split("\n")[0])
    report("wall", time.perf_counter() - start, "s")
    report("lost", sum(1 for n in times if n == 0), "results")
    report("doubled", sum(1 for n in times if n > 1), "results")


class Stop(Exception):
    """Ends the wait for results, as Ctrl+C would."""


def cancel(system, params):
    warm(system, params)
    rung = False

    def ring(_signal, _frame):
        nonlocal rung
        rung = True
        raise Stop

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, params["cancelAfterMs"] / 1000)
    inputs = spin_inputs(params, lambda _: params["callMs"])
    results = system.stream(functions.spin, inputs)
    try:
        for _ in itertools.islice(results, params["cancelAfterResults"]):
            pass
    except Exception:  # native code may turn the interruption into an error of its own
        if not rung:
            raise
    signal.setitimer(signal.ITIMER_REAL, 0)
    event("cancelled")
    results.close()
    system.cancel()


def generator(system, params):
    warm(system, params, bounded=True)
    calls = params["calls"]
    start = time.perf_counter()
    received = 0
    for received, _ in enumerate(system.stream(functions.noop, (i for i in range(calls))), start=1):
        if received % PROGRESS_EVERY == 0:
            event("progress", done=received)
    report("wall", time.perf_counter() - start, "s")
    assert received == calls, f"{received} results"


def first_result_ms(system, calls, start):
    """Milliseconds until the first of a few results is there; returns when all are."""
    results = system.stream(functions.noop, range(calls))
    next(results)
    first = (time.perf_counter() - start) * 1000
    for _ in results:
        pass
    return first


def first_result(system, params):
    event("ready")
    go()
    start = time.perf_counter()
    system.start(params.get("address"), False)
    report("first_result", first_result_ms(system, params["calls"], start), "ms")
    if params["sameProcessCalls"] == 0:
        return
    report("first_result_after_pause", later_calls_ms(system, params, params["pauseMs"]), "ms")
    report("first_result_back_to_back", later_calls_ms(system, params, 0), "ms")


def later_calls_ms(system, params, pause_ms):
    """The median of several later calls, each `pause_ms` after the end of the one before."""
    times = []
    for _ in range(params["sameProcessCalls"]):
        time.sleep(pause_ms / 1000)
        times.append(first_result_ms(system, params["calls"], time.perf_counter()))
    return statistics.median(times)


def serve(system, _params):
    """Keeps the system up for other processes until the harness ends it."""
    system.start(None, False)
    system.collect(functions.noop, range(40))
    event("ready", address=system.address())
    go()


PROCEDURES = {
    "noop": noop,
    "spin": spin,
    "echo": echo,
    "print": print_lines,
    "kill": kill,
    "cancel": cancel,
    "generator": generator,
    "first-result": first_result,
    "serve": serve,
}


def drive(system):
    """Runs the procedure named on the command line; call it once, last, in a runner."""
    name, params = sys.argv[1], json.loads(sys.argv[2])
    try:
        PROCEDURES[name](system, params)
    except Exception as error:
        send(event="failed", message=f"{type(error).__name__}: {error}")
    event("done")
    sys.stdin.read()
    system.stop()
