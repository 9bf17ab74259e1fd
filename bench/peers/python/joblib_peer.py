"""joblib and the executor below it, loky: single calls go to loky, bulk to joblib with its automatic batching."""

import time

import common

try:
    import joblib

    try:
        from joblib.externals import loky
    except ImportError:
        import loky  # a distribution may ship it as a package of its own
except ImportError as error:
    joblib = None
    reason = str(error)


def create(workers=common.WORKERS):
    return loky.get_reusable_executor(max_workers=workers, timeout=None)


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
    with joblib.Parallel(n_jobs=common.WORKERS, batch_size="auto") as parallel:
        return common.bulk(
            lambda number: parallel(joblib.delayed(common.square)(value) for value in range(number)), count
        )


def throughput(count):
    with create() as pool:
        return common.throughput(caller(pool), count)


def start(_):
    begin = time.perf_counter()
    with create() as pool:
        pool.submit(common.square, 3).result()
        return {"create_ms": common.milliseconds_since(begin)}


def crash(_):
    return common.crash(next_result)


def next_result():
    """A dead worker breaks the executor: all calls fail, and get_reusable_executor makes a new one."""
    pool = create(1)
    for value in range(100):
        pool.submit(common.square, value).result()
    begin = time.perf_counter()
    try:
        pool.submit(common.die).result()
    except loky.process_executor.BrokenProcessPool:
        pass
    with create(1) as pool:
        pool.submit(common.square, 3).result()
        return {"next_result_ms": common.milliseconds_since(begin), "note": "the executor is broken and made anew"}


def memory(_):
    with create() as pool:
        list(pool.map(common.square, range(common.WARM_UP)))
        return common.memory(list(pool._processes))


def cpu(count):
    with create() as pool:
        return common.cpu(lambda seconds, number: list(pool.map(common.burn, [seconds] * number)), count)


if __name__ == "__main__":
    if joblib is None:
        common.missing(reason)
    else:
        common.main(
            f"joblib {joblib.__version__}",
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
            common.COUNTS | {"bulk": 500_000},
        )
