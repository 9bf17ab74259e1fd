"""concurrent.futures.ProcessPoolExecutor. The workers start by the platform's default, or as START_METHOD says."""

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import common

CONTEXT = multiprocessing.get_context(os.environ.get("START_METHOD"))


def create(workers=common.WORKERS):
    return ProcessPoolExecutor(workers, mp_context=CONTEXT)


def caller(pool):
    return lambda function, argument: pool.submit(function, argument).result()


def roundtrip(count):
    with create() as pool:
        return common.roundtrip(caller(pool), count)


def singles(count):
    def submit_all(number):
        futures = [pool.submit(common.square, value) for value in range(number)]
        return [future.result() for future in futures]

    with create() as pool:
        pool.submit(common.square, 0).result()
        return common.singles(submit_all, count)


def bulk(count):
    with create() as pool:
        return common.bulk(lambda number: list(pool.map(common.square, range(number), chunksize=64)), count)


def throughput(count):
    with create() as pool:
        return common.throughput(caller(pool), count)


def start(_):
    begin = time.perf_counter()
    with create() as pool:
        pool.submit(common.square, 3).result()
        return {"create_ms": common.milliseconds_since(begin), "start_method": CONTEXT.get_start_method()}


def crash(_):
    return common.crash(next_result)


def next_result():
    """A dead worker breaks the pool: all calls fail, and a new pool is made."""
    pool = create(1)
    for value in range(100):
        pool.submit(common.square, value).result()
    begin = time.perf_counter()
    try:
        pool.submit(common.die).result()
    except BrokenProcessPool:
        pass
    with create(1) as pool:
        pool.submit(common.square, 3).result()
        return {"next_result_ms": common.milliseconds_since(begin), "note": "the pool is broken and made anew"}


def memory(_):
    with create() as pool:
        list(pool.map(common.square, range(common.WARM_UP)))
        return common.memory(list(pool._processes))


def cpu(count):
    with create() as pool:
        return common.cpu(lambda seconds, number: list(pool.map(common.burn, [seconds] * number)), count)


if __name__ == "__main__":
    common.main(
        f"ProcessPoolExecutor ({CONTEXT.get_start_method()})",
        {
            "roundtrip": roundtrip,
            "singles": singles,
            "bulk": bulk,
            "bytes": throughput,
            "start": start,
            "crash": crash,
            "memory": memory,
            "cpu": cpu,
        },
        common.COUNTS | {"bulk": 1_000_000},
    )
