// Drives a deck with the client 4.0.0: its answers, call by call, as one JSON document.
const { orkesConductorClient, HumanExecutor } = require("@io-orkes/conductor-javascript");

const [base, key, secret, ids] = process.argv.slice(2);
const [worked, outside, strange, skipped, refused] = ids.split(",");
const said = {};

async function failing(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return error.message;
  }
}

(async () => {
  const credentials = key ? { keyId: key, keySecret: secret } : {};
  const client = await orkesConductorClient({ serverUrl: base, ...credentials });
  const human = new HumanExecutor(client);
  const found = await human.search({ states: ["ASSIGNED"], size: 100 });
  said.found = found.map((task) => task.taskId).sort();
  said.plain = (await human.search({})).length;
  const claimed = await human.claimTaskAsConductorUser(worked, { withTemplate: true });
  said.claimed = { state: claimed.state, claimant: claimed.claimant, template: claimed.humanTaskDef.fullTemplate.name };
  said.again = await failing(() => human.claimTaskAsConductorUser(worked));
  said.voids = [await human.releaseTask(worked)];
  await human.claimTaskAsConductorUser(worked, { overrideAssignment: true });
  said.voids.push(await human.updateTaskOutput(worked, { comments: "so far" }));
  said.voids.push(await human.completeTask(worked, { approve: "Yes", comments: "fine" }));
  const done = await human.getTaskById(worked);
  said.done = { state: done.state, output: done.output };
  said.outside = (await human.claimTaskAsExternalUser(outside, "jane doe+x@acme.com")).claimant;
  said.strange = (await human.claimTaskAsExternalUser(strange, "a/b", { overrideAssignment: true })).claimant;
  said.template = (await human.getTemplateByNameVersion("LoanApproval", 1)).version;
  const calls = client.humanTask;
  const both = [{ assignee: { userType: "CONDUCTOR_USER", user: "x@acme.com" }, slaMinutes: 0 }];
  said.voids.push(await calls.reassignTask(skipped, both));
  said.voids.push(await calls.skipTask(skipped, "P0 prio"));
  said.skipped = (await human.getTaskById(skipped)).input.__humanTaskProcessContext.skippedAssigneeIndexes;
  said.refused = await failing(() => human.claimTaskAsConductorUser(refused));
  client.stopBackgroundRefresh?.();
  said.voids = said.voids.map((answer) => answer === undefined);
  console.log("\n@@" + JSON.stringify(said));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
