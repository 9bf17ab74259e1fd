"""multiprocessing.Pool. The workers start by the platform's default, or as START_METHOD says."""

import multiprocessing
import os
import time

import common

CONTEXT = multiprocessing.get_context(os.environ.get("START_METHOD"))


def create(workers=common.WORKERS):
    return CONTEXT.Pool(workers)


def caller(pool):
    return lambda function, argument: pool.apply(function, (argument,))


def roundtrip(count):
    with create() as pool:
        return common.roundtrip(caller(pool), count)


def singles(count):
    """imap_unordered is the quickest way to many single calls: one message for each, and no object to wait on."""
    with create() as pool:
        pool.apply(common.square, (0,))
        return common.singles(lambda number: list(pool.imap_unordered(common.square, range(number))), count)


def bulk(count):
    with create() as pool:
        return common.bulk(lambda number: pool.map(common.square, range(number)), count)


def throughput(count):
    with create() as pool:
        return common.throughput(caller(pool), count)


def start(_):
    begin = time.perf_counter()
    with create() as pool:
        pool.apply(common.square, (3,))
        return {"create_ms": common.milliseconds_since(begin), "start_method": CONTEXT.get_start_method()}


def crash(_):
    return common.crash(next_result)


def next_result():
    """The pool starts another worker, but the call that killed the first one never settles."""
    with create(1) as pool:
        for value in range(100):
            pool.apply(common.square, (value,))
        begin = time.perf_counter()
        killing = pool.apply_async(common.die)
        pool.apply(common.square, (3,))
        next_result_ms = common.milliseconds_since(begin)
        killing.wait(0.5)
        return {
            "next_result_ms": next_result_ms,
            "note": "the call that killed the worker " + ("failed" if killing.ready() else "never settles"),
        }


def memory(_):
    with create() as pool:
        pool.map(common.square, range(common.WARM_UP), chunksize=1)
        return common.memory([worker.pid for worker in pool._pool])


def cpu(count):
    with create() as pool:
        return common.cpu(lambda seconds, number: pool.map(common.burn, [seconds] * number, chunksize=1), count)


if __name__ == "__main__":
    common.main(
        f"multiprocessing.Pool ({CONTEXT.get_start_method()})",
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
        common.COUNTS | {"bulk": 2_000_000},
    )
