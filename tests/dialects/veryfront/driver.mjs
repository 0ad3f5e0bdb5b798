// Drives the npm package `veryfront` by orders: a JSON line in, a JSON line out. Ends with its standard input.

import { createInterface } from "node:readline";
import { createConversationRunEventQueueController, createExternalAgentWorkerClient } from "veryfront/agent";
import { createRunsClient } from "veryfront/runs";

const { url, token } = JSON.parse(process.argv[2]);
const clients = {
  worker: createExternalAgentWorkerClient({ apiUrl: url, authToken: token }),
  runs: createRunsClient({ apiUrl: url.replace(/\/$/, ""), authToken: token, retry: { maxRetries: 0 } }),
  queue: {
    async flush({ events, ...input }) {
      const controller = createConversationRunEventQueueController({
        apiUrl: url.replace(/\/$/, ""), authToken: token, maxEventsPerBatch: 50, maxCursorResyncsPerFlush: 3, ...input,
      });
      controller.enqueue(events);
      return await controller.flush();
    },
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { client, call, with: input } = JSON.parse(line);
  let told;
  try {
    told = { value: (await clients[client][call](...input)) ?? null };
  } catch (error) {
    told = { error: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
