// Drives a deck with the client 2.1.4: its answers, call by call, as one JSON document.
const { orkesConductorClient, HumanExecutor } = require("@io-orkes/conductor-javascript");

const [base, , , ids] = process.argv.slice(2);
const [worked, outside] = ids.split(",");
const said = {};

(async () => {
  const client = await orkesConductorClient({ serverUrl: base });
  const human = new HumanExecutor(client);
  said.found = (await human.search({ states: ["ASSIGNED"], size: 100 })).length;
  said.claimed = (await human.claimTaskAsConductorUser(worked)).state;
  await human.updateTaskOutput(worked, { comments: "so far" });
  await human.completeTask(worked, { approve: "Yes", comments: "fine" });
  const done = await human.getTaskById(worked);
  said.done = { state: done.state, output: done.output };
  said.outside = (await human.claimTaskAsExternalUser(outside, "a/b")).claimant;
  await human.releaseTask(outside);
  try {
    await human.releaseTask(outside);
  } catch (error) {
    said.refused = error.message;
  }
  console.log("\n@@" + JSON.stringify(said));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
