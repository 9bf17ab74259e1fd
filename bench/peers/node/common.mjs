// What the Node peers share: how a case is measured and printed.
// A peer gives run() its cases; one run measures one case and prints one line of JSON.

import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { burn } from './tasks.mjs';

export const WORKERS = 2;
const WARM_UP = 2_000;
const WARM_MILLISECONDS = 2_000;
const MIB = 1024 * 1024;
const CRASH_TIMEOUT = 10_000;

// How a case is measured. `call(name, argument)` makes one call and returns the promise of its result.

export async function roundtrip(call, count) {
    const warm = performance.now() + WARM_MILLISECONDS;
    for (let value = 0; value < WARM_UP || performance.now() < warm; value++) {
        await call('square', value);
    }

    const times = new Float64Array(count);
    for (let value = 0; value < count; value++) {
        const start = performance.now();
        await call('square', value);
        times[value] = performance.now() - start;
    }

    times.sort();
    return { p50_us: microseconds(times, 50), p99_us: microseconds(times, 99) };
}

function microseconds(sortedTimes, percent) {
    return round(sortedTimes[Math.floor((sortedTimes.length - 1) * percent / 100)] * 1000, 1);
}

/** The first round is the cold one; then the median of up to three more, as many as begin within three seconds. */
export async function singles(call, count) {
    await call('square', 0);
    const cold = await rate(call, count);
    const begin = performance.now();
    const warm = [];
    while (warm.length === 0 || (warm.length < 3 && performance.now() - begin < 3_000)) {
        warm.push(await rate(call, count));
    }

    return { calls_per_s: Math.round(median(warm)), cold_calls_per_s: Math.round(cold) };
}

async function rate(call, count) {
    const start = performance.now();
    const calls = new Array(count);
    for (let value = 0; value < count; value++) {
        calls[value] = call('square', value);
    }

    const results = await Promise.all(calls);
    const seconds = (performance.now() - start) / 1000;
    if (results.some((result, value) => result !== value * value)) {
        throw new Error('a result is wrong');
    }

    return count / seconds;
}

/** MiB/s of an echo, both ways counted; `count` echoes of 1 MiB, a tenth as many (at least three) of 64 MiB. */
export async function bytes(echo, count) {
    return { mib_1: await echoRate(echo, 1, count), mib_64: await echoRate(echo, 64, Math.max(3, Math.floor(count / 10))) };
}

async function echoRate(echo, mib, count) {
    const data = randomFillSync(new Uint8Array(mib * MIB));
    if (Buffer.compare(data, await echo(data)) !== 0) {
        throw new Error('the echo differs');
    }

    const times = [];
    for (let i = 0; i < count; i++) {
        const start = performance.now();
        const result = await echo(data);
        times.push(performance.now() - start);
        if (result.byteLength !== data.byteLength) {
            throw new Error('the echo is shorter');
        }
    }

    return Math.round(2 * mib * 1000 / median(times));
}

/** From the creation of the pool to its first result. */
export async function start(create) {
    const begin = performance.now();
    const call = create(WORKERS);
    await call('square', 3);
    return { create_ms: round(performance.now() - begin, 2) };
}

/** From the call that ends the lone worker to the next result. */
export async function crash(create, note) {
    const call = create(1);
    for (let value = 0; value < 100; value++) {
        await call('square', value);
    }

    const begin = performance.now();
    const next = call('die').then(() => { throw new Error('the worker lives'); }, () => call('square', 3));
    if (await Promise.race([next, delay(CRASH_TIMEOUT, null)]) === null) {
        return { next_result_ms: null, note: `no next result within ${CRASH_TIMEOUT / 1000} s` };
    }

    return { next_result_ms: round(performance.now() - begin, 2), note };
}

export async function warmUp(call) {
    await Promise.all(Array.from({ length: WARM_UP }, (_, value) => call('square', value)));
}

export async function cpu(call, count) {
    const milliseconds = 20;
    await Promise.all(Array.from({ length: WORKERS }, () => call('burn', milliseconds)));
    let begin = performance.now();
    for (let i = 0; i < count; i++) {
        burn(milliseconds);
    }

    const alone = performance.now() - begin;
    begin = performance.now();
    await Promise.all(Array.from({ length: count }, () => call('burn', milliseconds)));
    return { speedup: round(alone / (performance.now() - begin), 2) };
}

/** The proportional set size of a process. */
export function pssMib(pid) {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))[1]) / 1024;
}

export function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function round(value, digits) {
    return Number(value.toFixed(digits));
}

/** One run: PROGRAM CASE [COUNT]. A case that the peer lacks is printed as skipped, a peer that is not installed as missing. */
export async function run(packageName, load) {
    const [name, number] = process.argv.slice(2);
    if (name === undefined) {
        console.error('usage: node PROGRAM CASE [COUNT]');
        process.exit(2);
    }

    const report = figures => new Promise(done => process.stdout.write(`${JSON.stringify({ case: name, ...figures })}\n`, done));
    let peer;
    let version;
    try {
        version = JSON.parse(readFileSync(new URL(`node_modules/${packageName}/package.json`, import.meta.url))).version;
        peer = await import(packageName);
    } catch (error) {
        if (error.code !== 'ENOENT') {
            throw error;
        }

        await report({ missing: `${packageName} is not installed (npm ci)` });
        return;
    }

    const cases = load(peer);
    if (!Object.hasOwn(cases, name)) {
        await report({ skipped: 'this peer has no such case' });
        return;
    }

    const counts = { roundtrip: 2_000, singles: 50_000, bytes: 30, cpu: 200 };
    const figures = await cases[name](number === undefined ? counts[name] : Number(number));
    await report({ version: `${packageName} ${version}, Node ${process.versions.node}`, ...figures });
    await Promise.race([cases.close(), delay(1_000)]);
    process.exit(0);
}
