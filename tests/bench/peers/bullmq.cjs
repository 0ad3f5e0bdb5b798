"use strict";
// Takes orders as lines of JSON on its standard input, answers each with one line; ends with its input.
const readline = require("node:readline");
const { performance } = require("node:perf_hooks");
const { Job, Queue, Worker } = require("bullmq");
const NAME = "bench";
const AT_ONCE = 500;
let queue, connection, body, result;

const orders = {
  async open(order) {
    connection = { host: "127.0.0.1", ...order.redis };
    [body, result] = [JSON.parse(order.body), order.result];
    queue = new Queue(NAME, { connection });
    queue.on("error", () => {});
    await queue.waitUntilReady();
    return { bullmq: require("bullmq/package.json").version };
  },

  async load({ count }) {
    for (let left = count; left > 0; left -= AT_ONCE) {
      await queue.addBulk(Array.from({ length: Math.min(left, AT_ONCE) }, () => ({ name: "task", data: body })));
    }
    return {};
  },

  async play({ connections, seconds }) {
    const workers = Array.from({ length: connections }, () => new Worker(NAME, null, { connection, autorun: false }));
    try {
      for (const worker of workers) worker.on("error", () => {});
      await Promise.all(workers.map((worker) => worker.waitUntilReady()));
      const samples = [];
      const cpu = process.cpuUsage();
      const begun = performance.now();
      await Promise.all(workers.map((worker, number) => loop(worker, `bench-${number}`, begun + seconds * 1000, samples)));
      const took = (performance.now() - begun) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      return { samples, seconds: took, cpu_seconds: (user + system) / 1e6 };
    } finally {
      await Promise.all(workers.map((worker) => worker.close(true)));
    }
  },
};

// As a worker does: completing a job and taking the next is one round trip.
async function loop(worker, token, until, samples) {
  let begun = performance.now();
  let job = await worker.getNextJob(token, { block: false });
  while (job) {
    const more = begun < until;
    const next = await job.moveToCompleted(result, token, more);
    const now = performance.now();
    samples.push((now - begun) / 1000);
    begun = now;
    job = more && next && next[0] ? Job.fromJSON(worker, next[0], next[1]) : undefined;
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    let answer;
    try {
      answer = await orders[order.do](order);
    } catch (error) {
      answer = { error: String(error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
  process.exit(0);
})();
process.stdin.on("end", () => process.exit(0));
