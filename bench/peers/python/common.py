"""What the Python peers share: the functions that their workers run, and how a case is measured and printed.

A peer names its cases in a dictionary and calls main(); one run measures one case and prints one line of JSON.
"""

import json
import multiprocessing
import os
import platform
import signal
import statistics
import sys
import time

WORKERS = 2
WARM_UP = 2_000
WARM_SECONDS = 2
SINGLES = 50_000
MIB = 1024 * 1024
CRASH_TIMEOUT = 10


# What the workers run. They lie in a module, so that every way of starting a worker finds them.


def square(value):
    return value * value


def echo(data):
    return data


def own_pid(_=None):
    return os.getpid()


def die(_=None):
    os.kill(os.getpid(), signal.SIGKILL)


def burn(seconds):
    """Uses that much CPU time of this process, however long it takes by the clock."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return seconds


# How a case is measured. `call(function, argument)` makes one call and waits for its result.


def roundtrip(call, count):
    warm = time.perf_counter() + WARM_SECONDS
    value = 0
    while value < WARM_UP or time.perf_counter() < warm:
        call(square, value)
        value += 1
    times = []
    for value in range(count):
        start = time.perf_counter_ns()
        call(square, value)
        times.append(time.perf_counter_ns() - start)
    times.sort()
    return {"p50_us": microseconds(times, 50), "p99_us": microseconds(times, 99)}


def microseconds(sorted_times, percent):
    return round(sorted_times[(len(sorted_times) - 1) * percent // 100] / 1000, 1)


def singles(submit_all, count):
    """`submit_all(count)` submits that many calls at once and returns the list of their results.

    The first round is the cold one; then the median of up to three more, as many as begin within three seconds.
    """
    cold = rate(submit_all, count)
    warm = rates(submit_all, count)
    return {"calls_per_s": round(statistics.median(warm)), "cold_calls_per_s": round(cold)}


def bulk(map_all, count):
    """`map_all(count)` returns the list of that many squares, by whatever the peer has for many calls."""
    map_all(count // 10)
    return {"calls_per_s": round(statistics.median(rates(map_all, count)))}


def rates(run, count):
    begin = time.perf_counter()
    measured = []
    while not measured or (len(measured) < 3 and time.perf_counter() - begin < 3):
        measured.append(rate(run, count))
    return measured


def rate(run, count):
    start = time.perf_counter()
    results = run(count)
    seconds = time.perf_counter() - start
    total = sum(results)
    if total != (count - 1) * count * (2 * count - 1) // 6:
        raise RuntimeError(f"the squares of 0 to {count - 1} do not add up to {total}")
    return count / seconds


def throughput(call, count):
    """MiB/s of an echo, both ways counted; `count` echoes of 1 MiB, a tenth as many (at least three) of 64 MiB."""
    return {"mib_1": echo_rate(call, 1, count), "mib_64": echo_rate(call, 64, max(3, count // 10))}


def echo_rate(call, mib, count):
    data = os.urandom(MIB) * mib
    if call(echo, data) != data:
        raise RuntimeError("the echo differs")
    times = []
    for _ in range(count):
        start = time.perf_counter()
        result = call(echo, data)
        times.append(time.perf_counter() - start)
        if len(result) != len(data):
            raise RuntimeError("the echo is shorter")
        del result
    return round(2 * mib / statistics.median(times))


def cpu(run_all, count):
    """`run_all(seconds, count)` has the workers burn that much CPU time `count` times."""
    seconds = 0.02
    run_all(seconds, WORKERS)
    start = time.perf_counter()
    for _ in range(count):
        burn(seconds)
    alone = time.perf_counter() - start
    start = time.perf_counter()
    run_all(seconds, count)
    return {"speedup": round(alone / (time.perf_counter() - start), 2)}


def crash(measure):
    """What `measure()` says within ten seconds; else there is no next result, and what may never return is left."""

    def expire(_signal, _frame):
        report("crash", next_result_ms=None, note=f"no next result within {CRASH_TIMEOUT} s")
        for process in multiprocessing.active_children():
            os.kill(process.pid, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGALRM, expire)
    signal.alarm(CRASH_TIMEOUT)
    figures = measure()
    signal.alarm(0)
    return figures


def memory(pids):
    """The mean proportional set size of the processes."""
    time.sleep(0.5)
    return {"pss_mib": round(statistics.mean(pss_kib(pid) for pid in pids) / 1024, 1)}


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))


def milliseconds_since(start):
    return round((time.perf_counter() - start) * 1000, 2)


# One run: PROGRAM CASE [COUNT].


def main(version, cases, counts):
    """Runs the case that is named on the command line; a case that the peer lacks is printed as skipped."""
    names = list(cases)
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: {sys.argv[0]} CASE [COUNT]; cases: {', '.join(names)}")
    case = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) == 3 else counts.get(case, 0)
    if case not in cases:
        report(case, skipped="this peer has no such case")
        return
    figures = cases[case](count)
    report(case, version=f"{version}, Python {platform.python_version()}", **figures)


def missing(reason):
    report(sys.argv[1] if len(sys.argv) > 1 else None, missing=reason)


def report(case, **figures):
    print(json.dumps({"case": case, **figures}), flush=True)


COUNTS = {"roundtrip": 2_000, "singles": SINGLES, "bytes": 30, "cpu": 200}
