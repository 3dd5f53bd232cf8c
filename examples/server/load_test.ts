// Loads the server on loopback with autocannon for a bounded time, at half and at four times its concurrency limit, and
// prints what came back. Exit code 1 where an answer was lost or was neither 200 nor 503.
import autocannon from 'autocannon';
import sharp from 'sharp';
import { LIMITS, makeServer } from './server.js';

const SECONDS = 8;
const app = makeServer();
const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/features`;
const noise = Buffer.from(Uint8Array.from({ length: 224 * 224 * 3 }, (_, i) => (i * 7919) % 251));
const body = await sharp(noise, { raw: { width: 224, height: 224, channels: 3 } })
  .jpeg()
  .toBuffer();

let lost = 0;
for (const connections of [LIMITS.concurrency / 2, LIMITS.concurrency * 4]) {
  const result = await autocannon({
    url,
    method: 'POST',
    headers: { 'content-type': 'image/jpeg' },
    body,
    connections,
    duration: SECONDS,
    timeout: 20,
  });
  const { '2xx': ok, non2xx, errors, timeouts, latency } = result;
  const refused = result.statusCodeStats?.['503']?.count ?? 0;
  lost += errors + timeouts + (non2xx - Number(refused));
  console.log(
    `${connections} connections: ${(ok / SECONDS).toFixed(0)} images/s, latency p50 ${latency.p50} ms, p99 ${latency.p99} ms, ` +
      `${ok} answered, ${refused} refused with 503, ${errors} errors, ${timeouts} timeouts`,
  );
}
await app.close();
console.log(lost === 0 ? 'nothing lost' : `${lost} lost`);
process.exit(lost === 0 ? 0 : 1);
