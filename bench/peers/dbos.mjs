// DBOS Transact: workflows are started by the program that runs them, so many at a time; without a queue, which is its
// faster way.
//   node dbos.mjs drain1|drain3|latency N
import { DBOS } from '@dbos-inc/dbos-sdk';
import { count, latencies, makeAnew, meter, mode, noMode, print, sleep, untilTrue } from './measured.mjs';

const database = 'peer_dbos';
const atATime = 50;
const steps = mode === 'drain3' ? 3 : 1;
DBOS.setConfig({
  name: 'bench', systemDatabaseUrl: await makeAnew(database), systemDatabasePoolSize: 20, logLevel: 'error',
  runAdminServer: false, applicationVersion: '1', executorID: 'worker',
});

let begins = () => {};
const workflow = DBOS.registerWorkflow(async () => {
  begins();
  for (let i = 0; i < steps; ++i) await DBOS.runStep(async () => ({ ok: true }), { name: `s${i}` });
  return { ok: true };
}, { name: 'task' });
await DBOS.launch();

async function runAll(runs) {
  let next = 0;
  await Promise.all(Array.from({ length: atATime }, async () => {
    while (next++ < runs) await workflow({ n: 1 });
  }));
}

async function drained() {
  await runAll(150); // until the code is compiled
  const figures = await meter(database);
  await runAll(count);
  await untilTrue(database, `select not exists (select from dbos.workflow_status where status <> 'SUCCESS')`);
  return figures(count * steps);
}

async function latency() {
  const timed = latencies(10);
  begins = () => timed.began();
  await sleep(1000);
  return timed.measure((n) => DBOS.startWorkflow(workflow)({ n }));
}

if (mode === 'drain1' || mode === 'drain3') print('dbos', await drained());
else if (mode === 'latency') print('dbos', await latency());
else noMode();
