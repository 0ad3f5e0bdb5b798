// Lets the token of a client 4.0.0 run out between two calls, and counts how often it asks for one.
const http = require("node:http");
const { orkesConductorClient, HumanExecutor } = require("@io-orkes/conductor-javascript");

const [base, key, secret] = process.argv.slice(2);
let tokens = 0;

// a go-between, so that what the client sends is seen
const between = http.createServer((request, reply) => {
  if (request.url === "/api/token") tokens += 1;
  const there = http.request(base + request.url, { method: request.method, headers: { ...request.headers, host: new URL(base).host } }, (answer) => {
    reply.writeHead(answer.statusCode, answer.headers);
    answer.pipe(reply);
  });
  request.pipe(there);
});

between.listen(0, "127.0.0.1", async () => {
  const client = await orkesConductorClient({ serverUrl: `http://127.0.0.1:${between.address().port}`, keyId: key, keySecret: secret });
  const human = new HumanExecutor(client);
  await human.search({});
  console.log("ready");
  process.stdin.once("data", async () => {
    const before = tokens;
    const found = await human.search({});
    console.log("@@" + JSON.stringify({ found: found.length, before, after: tokens }));
    process.exit(0);
  });
});
