import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import sharp from 'sharp';
import { LIMITS, makeServer } from './server.js';

// Time enough for a machine that is busy with other things.
const PATIENT = { ...LIMITS, timeout: 60_000 };

const picture = (width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: '#369' } })
    .png()
    .toBuffer();
const post = (app: FastifyInstance, payload: Buffer | string, type = 'image/png') =>
  app.inject({ method: 'POST', url: '/features', payload, headers: { 'content-type': type } });

let app: FastifyInstance;
before(() => {
  app = makeServer({ ...PATIENT, pixels: 1e6, bodyBytes: 1e5 });
});
after(() => app.close());

async function stillServes(): Promise<void> {
  const { statusCode, body } = await post(app, await picture(64, 48));
  assert.equal(statusCode, 200);
  assert.deepEqual(JSON.parse(body).shape, [1, 48, 64, 3]);
  assert.equal(JSON.parse(body).features.length, 64);
}

test('an image gets its features, the same each time', async () => {
  const image = await picture(65, 49);
  const [a, b] = await Promise.all([post(app, image), post(app, image)]);
  assert.deepEqual(a.json(), b.json());
  assert.ok(a.json().features.some((f: number) => f > 0));
});

test('what is wrong with an upload is said, and the next one is served', async () => {
  const image = await picture(64, 64);
  const cases: [string, Promise<{ statusCode: number; body: string }>, number][] = [
    ['nothing', post(app, ''), 400],
    ['text', post(app, 'hello', 'text/plain'), 415],
    ['no image', post(app, Buffer.from('hello')), 422],
    ['half an image', post(app, image.subarray(0, image.length / 2)), 422],
    ['too many bytes', post(app, Buffer.alloc(2e5)), 413],
    ['too many pixels', post(app, await picture(2000, 2000)), 422],
  ];
  for (const [what, response, status] of cases) {
    const { statusCode, body } = await response;
    assert.equal(statusCode, status, what);
    assert.equal(typeof JSON.parse(body).error, 'string', what);
    await stillServes();
  }
});

test('more than the slots hold are told to come again', async () => {
  const small = makeServer({ ...PATIENT, concurrency: 2 });
  const image = await picture(1200, 1200);
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(small, image)));
  const statuses = answers.map(({ statusCode }) => statusCode);
  assert.deepEqual([...new Set(statuses)].sort(), [200, 503]);
  assert.equal(answers.find(({ statusCode }) => statusCode === 503)?.headers['retry-after'], '1');
  assert.equal((await post(small, image)).statusCode, 200);
  await small.close();
});

test('work that takes too long is aborted', async () => {
  const hasty = makeServer({ ...LIMITS, timeout: 1 });
  assert.equal((await post(hasty, await picture(2000, 2000))).statusCode, 504);
  await hasty.close();
});

test('a client that goes away frees its slot', async () => {
  const single = makeServer({ ...PATIENT, concurrency: 1 });
  const url = new URL(await single.listen({ port: 0, host: '127.0.0.1' }));
  const image = await picture(3000, 3000);
  const socket = connect(Number(url.port), url.hostname);
  socket.write(
    `POST /features HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: ${image.length}\r\n\r\n`,
  );
  socket.write(image);
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  const deadline = Date.now() + 60_000;
  let status = 0;
  while (status !== 200 && Date.now() < deadline) {
    ({ statusCode: status } = await post(single, await picture(32, 32)));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(status, 200);
  await single.close();
});

test('an upload that stops half way frees its slot', async () => {
  const single = makeServer({ ...PATIENT, concurrency: 1 });
  const url = new URL(await single.listen({ port: 0, host: '127.0.0.1' }));
  const inWork = async () => /requests_in_work (\d+)/.exec((await single.inject('/metrics')).body)?.[1];
  for (const half of ['', 'half of it']) {
    const socket = connect(Number(url.port), url.hostname);
    socket.write('POST /features HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ncontent-length: 1000\r\n\r\n');
    socket.write(half);
    while ((await inWork()) !== '1') await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal((await post(single, await picture(32, 32))).statusCode, 503);
    socket.destroy();
    while ((await inWork()) !== '0') await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal((await post(single, await picture(32, 32))).statusCode, 200);
  }
  await single.close();
});

test('what is no HTTP gets 400, and the next request is served', async () => {
  const server = makeServer(PATIENT);
  const url = new URL(await server.listen({ port: 0, host: '127.0.0.1' }));
  for (const request of ['POST /features HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n', 'hello\r\n\r\n']) {
    const socket = connect(Number(url.port), url.hostname);
    socket.write(request);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 400 /);
    socket.destroy();
    assert.equal((await post(server, await picture(32, 32))).statusCode, 200);
  }
  await server.close();
});

test('metrics count requests by status', async () => {
  const { body } = await app.inject('/metrics');
  assert.match(body, /requests_total\{status="200"\} \d+/);
  assert.match(body, /features_seconds_count \d+/);
  assert.match(body, /requests_in_work 0/);
});

test('SIGTERM ends the process after the request in work', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'main.ts'], {
    cwd: import.meta.dirname,
    env: { ...process.env, PORT: '0' },
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const body = await picture(600, 600);
  const url = line.toString().trim();
  const response = fetch(`${url}/features`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': 'image/png' },
  });
  const isInWork = async () => /requests_in_work 1/.test(await (await fetch(`${url}/metrics`)).text());
  let isAnswered = false;
  response.finally(() => {
    isAnswered = true;
  });
  while (!isAnswered && !(await isInWork())) await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill('SIGTERM');
  assert.equal((await response).status, 200);
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
});
