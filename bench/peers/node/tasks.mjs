// What the workers of the Node peers run.

import { readFileSync } from 'node:fs';

export const square = value => value * value;

export const echo = data => data;

export const ownPid = () => process.pid;

/** The death of a process; of a thread there is only its exit, see piscina.mjs. */
export const die = () => process.kill(process.pid, 'SIGKILL');

/** Uses that much CPU time of this thread, however long it takes by the clock. */
export function burn(milliseconds) {
    const end = threadCpu() + milliseconds;
    while (threadCpu() < end) {
        // Between two looks, some work: reading the time is a system call.
        for (let i = 0, x = 1; i < 10_000; i++) {
            x = (x * 31 + i) | 0;
        }
    }

    return milliseconds;
}

/** Node 20 tells the CPU time of the process only, and piscina's workers are threads of one. */
function threadCpu() {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;
}
