// workerpool with child processes.

import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { bytes, cpu, crash, median, pssMib, round, roundtrip, run, singles, start, warmUp, WORKERS } from './common.mjs';

const script = fileURLToPath(new URL('workerpool-worker.mjs', import.meta.url));

await run('workerpool', ({ default: workerpool }) => {
    let pool;
    const create = workers => {
        pool = workerpool.pool(script, {
            workerType: 'process',
            minWorkers: workers,
            maxWorkers: workers,
            forkOpts: { serialization: 'advanced' }, // byte arrays as such, not as JSON
        });
        return (name, argument) => pool.exec(name, [argument]);
    };

    return {
        roundtrip: count => roundtrip(create(WORKERS), count),
        singles: count => singles(create(WORKERS), count),

        bytes: count => {
            const call = create(WORKERS);
            return bytes(data => call('echo', data), count);
        },

        start: () => start(create),

        crash: () => crash(create, 'the pool replaces the worker'),

        memory: async () => {
            const call = create(WORKERS);
            await warmUp(call);
            const pids = new Set(await Promise.all(Array.from({ length: 20 }, () => call('ownPid'))));
            await delay(500);
            return { pss_mib: round(median([...pids].map(pssMib)), 1) };
        },

        cpu: count => cpu(create(WORKERS), count),

        close: () => pool.terminate(true),
    };
});
