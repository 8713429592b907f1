// graphile-worker, as its own performance test sets it up: jobs are fetched and completed in batches.
//   node graphile.mjs drain1|latency N
import graphile from 'graphile-worker';
import { count, counter, latencies, makeAnew, meter, mode, noMode, print, session, sleep, untilTrue } from './measured.mjs';

const database = 'peer_graphile';
const connectionString = await makeAnew(database);
const logger = new graphile.Logger(() => () => {});
const preset = {
  worker: {
    connectionString,
    concurrentJobs: 24,
    maxPoolSize: 25,
    pollInterval: 2000,
    localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
};
const run = (task) => graphile.run({ preset, taskList: { task }, noHandleSignals: true, logger });

const setUp = await graphile.makeWorkerUtils({ connectionString, logger });
await setUp.migrate();
await setUp.release();

async function drained() {
  await session(database, (client) => client.query(
    `select count(*) from graphile_worker.add_jobs(array(
       select json_populate_record(null::graphile_worker.job_spec,
                                   json_build_object('identifier', 'task', 'payload', json_build_object('n', 1)))
       from generate_series(1, ${count})))`));
  const done = counter(count);
  const figures = await meter(database);
  await run(() => { done.hit(); });
  await done.reached;
  await untilTrue(database, 'select not exists (select from graphile_worker._private_jobs)');
  return figures(count);
}

async function latency() {
  const timed = latencies(2);
  await run(() => timed.began());
  await sleep(700);
  return session(database, (client) => timed.measure(
    (n) => client.query(`select graphile_worker.add_job('task', json_build_object('n', $1::int))`, [n])));
}

if (mode === 'drain1') print('graphile-worker', await drained());
else if (mode === 'latency') print('graphile-worker', await latency());
else noMode();
