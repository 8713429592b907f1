// pg-boss: two loops that fetch and complete batches of 1,000; for latencies its own worker, which is notified.
//   node pgboss.mjs drain1|latency N
import { PgBoss } from 'pg-boss';
import { count, latencies, makeAnew, meter, mode, noMode, print, sleep } from './measured.mjs';

const database = 'peer_pgboss';
const queue = 'task';
const batch = 1000;
const loops = 2;
const boss = new PgBoss({
  connectionString: await makeAnew(database), max: loops + 4, supervise: false, schedule: false, useListenNotify: true,
});
boss.on('error', (error) => { throw error; });
await boss.start();
await boss.createQueue(queue, mode === 'latency' ? { notify: true } : {});

async function drained() {
  for (let n = 0; n < count; n += 5000)
    await boss.insert(queue, Array.from({ length: Math.min(5000, count - n) }, () => ({ data: { n: 1 } })));
  const figures = await meter(database);
  let completed = 0;
  await Promise.all(Array.from({ length: loops }, async () => {
    for (;;) {
      const jobs = await boss.fetch(queue, { batchSize: batch });
      if (jobs.length === 0) return;
      await boss.complete(queue, jobs.map((job) => job.id));
      completed += jobs.length;
    }
  }));
  if (completed !== count) throw new Error(`${completed} of ${count} jobs were completed`);
  return figures(count);
}

async function latency() {
  const timed = latencies(20);
  await boss.work(queue, { pollingIntervalSeconds: 0.5 }, async () => timed.began());
  await sleep(1500);
  return timed.measure((n) => boss.send(queue, { n }));
}

if (mode === 'drain1') print('pg-boss', await drained());
else if (mode === 'latency') print('pg-boss', await latency());
else noMode();
