// What the drivers share: a database of their own on the server of $BENCH_URL, and figures with the names that
// bench_floor prints as well.
import { readFileSync, readdirSync } from 'node:fs';
import pg from 'pg';

export const now = () => performance.now();
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const [mode, count] = [process.argv[2], Number(process.argv[3])];
export { mode, count };

/** The URL of a database of the server. With a host name, which some want to see; the socket is what counts. */
export function urlOf(database) {
  const given = new URL(process.env.BENCH_URL.replace(/^postgresql:\/\/\//, 'postgresql://localhost/'));
  const user = given.searchParams.get('user') ?? 'postgres';
  const socket = encodeURIComponent(given.searchParams.get('host'));
  return `postgresql://${user}@localhost:${given.searchParams.get('port') ?? 5432}/${database}?host=${socket}`;
}

export async function session(database, body) {
  const client = new pg.Client({ connectionString: urlOf(database) });
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}

export async function makeAnew(database) {
  await session('postgres', async (client) => {
    await client.query(`drop database if exists ${database} with (force)`);
    await client.query(`create database ${database}`);
  });
  return urlOf(database);
}

/** Waits until `query` returns a row whose first column is true. */
export async function untilTrue(database, query, pause = 3) {
  await session(database, async (client) => {
    while (!Object.values((await client.query(query)).rows[0])[0]) await sleep(pause);
  });
}

const ticks = 100; // a second

function fieldsOf(process) {
  const stat = readFileSync(`/proc/${process}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number); // from the state on
}

/** Processor seconds of all processes of a server, ended ones included. */
function serverSeconds(server) {
  let sum = 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = fieldsOf(name);
      const [parent, own, children] = [fields[1], fields[11] + fields[12], fields[13] + fields[14]];
      if (Number(name) === server) sum += own + children;
      else if (parent === server) sum += own;
    } catch {
      // it has ended meanwhile
    }
  }
  return sum / ticks;
}

function machineSeconds() {
  const [user, nice, system, , , irq, softIrq, stolen] =
    readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softIrq + stolen) / ticks;
}

function ownSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Vacuums the database, writes a checkpoint and begins to measure. What it returns gives the figures for so many
 * tasks since then: commits are of transactions that wrote.
 */
export async function meter(database) {
  await session(database, async (client) => {
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  });
  const client = new pg.Client({ connectionString: urlOf(database) });
  await client.connect();
  const server = fieldsOf((await client.query('select pg_backend_pid() as pid')).rows[0].pid)[1];
  const counts = async () => {
    const { rows } = await client.query(
      `select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as bytes,
              pg_snapshot_xmax(pg_current_snapshot())::text::float8 as transactions`);
    return { ...rows[0], server: serverSeconds(server), own: ownSeconds(), machine: machineSeconds(), at: now() };
  };
  const before = await counts();
  return async (tasks) => {
    const after = await counts();
    await client.end();
    const since = (name) => after[name] - before[name];
    const seconds = since('at') / 1000;
    return {
      per_s: tasks / seconds,
      pg_cpu_us: (since('server') / tasks) * 1e6,
      client_cpu_us: (since('own') / tasks) * 1e6,
      wal_b: since('bytes') / tasks,
      commits: since('transactions') / tasks,
      noise_cores: Math.max(0, since('machine') - since('server') - since('own')) / seconds,
    };
  };
}

/** What has been counted `total` times: `reached` is a promise for that. */
export function counter(total) {
  let counted = 0;
  let resolve;
  const reached = new Promise((done) => (resolve = done));
  return { hit: () => ++counted === total && resolve(), reached };
}

/**
 * Calls `start(i)` one by one, with a pause after each, and measures until `began(i)` is called, which the handler does
 * first. The first ones are not counted.
 */
export function latencies(pause) {
  let started = 0;
  let begun = null;
  return {
    began: () => begun?.(now()),
    async measure(start) {
      const unmeasured = 10;
      const milliseconds = [];
      for (let i = 0; i < count + unmeasured; ++i) {
        const handled = new Promise((resolve) => (begun = resolve));
        const started = now();
        const call = start(i);
        const at = await handled;
        await call;
        if (i >= unmeasured) milliseconds.push(at - started);
        await sleep(typeof pause === 'function' ? pause() : pause);
      }
      milliseconds.sort((a, b) => a - b);
      const quantile = (part) => milliseconds[Math.max(0, Math.ceil(part * milliseconds.length) - 1)];
      return { p50_ms: quantile(0.5), p99_ms: quantile(0.99), p999_ms: quantile(0.999) };
    },
  };
}

/** The last line that a driver prints; ends it. */
export function print(peer, figures) {
  console.log(JSON.stringify({ peer, work: mode, n: count, ...figures }));
  process.exit(0);
}

export function noMode() {
  console.error(`there is no mode "${mode}"`);
  process.exit(2);
}
