// piscina: worker threads of this process, with Atomics (its default), so that an idle worker is woken without its event loop.

import { setTimeout as delay } from 'node:timers/promises';
import { bytes, cpu, crash, pssMib, round, roundtrip, run, singles, start, warmUp, WORKERS } from './common.mjs';

const filename = new URL('piscina-worker.mjs', import.meta.url).href;

await run('piscina', ({ Piscina, FixedQueue }) => {
    let pool;
    const create = workers => {
        pool = new Piscina({
            filename,
            minThreads: workers,
            maxThreads: workers,
            atomics: 'sync',
            taskQueue: new FixedQueue(), // its quicker queue for many calls
        });
        return (name, argument) => pool.run(argument, { name });
    };

    return {
        roundtrip: count => roundtrip(create(WORKERS), count),
        singles: count => singles(create(WORKERS), count),

        // Cloned each way; the transfer figures are of a copy that is moved there and back, since the caller keeps its array.
        bytes: async count => {
            const call = create(WORKERS);
            const cloned = await bytes(data => call('echo', data), count);
            const moved = await bytes(data => {
                const copy = data.slice();
                return pool.run(copy, { name: 'echoMoved', transferList: [copy.buffer] });
            }, count);
            return { ...cloned, mib_1_transfer: moved.mib_1, mib_64_transfer: moved.mib_64 };
        },

        start: () => start(create),

        crash: () => crash(create, 'the worker is a thread and exits; a SIGKILL would end the host as well'),

        memory: async () => {
            const before = pssMib(process.pid);
            await warmUp(create(WORKERS));
            await delay(500);
            return {
                pss_mib: round((pssMib(process.pid) - before) / WORKERS, 1),
                note: 'a worker is a thread: the growth of the process, halved',
            };
        },

        cpu: count => cpu(create(WORKERS), count),

        close: () => pool.destroy(),
    };
});
