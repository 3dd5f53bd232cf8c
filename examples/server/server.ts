import { fromImage } from 'depthwise/io';
import Fastify, { type FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import sharp from 'sharp';
import { Slots } from './slots.js';
import { features, makeStack } from './stack.js';

export interface Limits {
  /** Bytes of an upload; more gets 413. */
  bodyBytes: number;
  /** Pixels of an image, against small files that decode to huge pictures; more gets 422. */
  pixels: number;
  /** Requests in work at once; one more gets 503 with Retry-After. */
  concurrency: number;
  /** Milliseconds until a request's work is aborted; it gets 504. */
  timeout: number;
}

export const LIMITS: Limits = { bodyBytes: 8 * 2 ** 20, pixels: 16e6, concurrency: 16, timeout: 5000 };

/** The server, not yet listening: POST an image to /features, GET /metrics and /health. */
export function makeServer(limits: Limits = LIMITS): FastifyInstance {
  const app = Fastify({ bodyLimit: limits.bodyBytes });
  const stack = makeStack();
  const slots = new Slots(limits.concurrency);

  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: 'requests_total',
    help: 'Requests by status',
    labelNames: ['status'],
    registers,
  });
  const seconds = new Histogram({ name: 'features_seconds', help: 'Decoding and convolving an image', registers });
  new Gauge({
    name: 'requests_in_work',
    help: 'Slots in use',
    registers,
    collect() {
      this.set(slots.used);
    },
  });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser(['image/png', 'image/jpeg', 'image/webp'], { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  // A kept-alive connection would hold up the end of the process after its last answer.
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (_request, reply) => {
    requests.inc({ status: reply.statusCode });
  });

  app.get('/health', async () => ({ ok: true }));
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));

  app.post<{ Body: Buffer | undefined }>('/features', async (request, reply) => {
    if (!request.body?.length) return reply.code(400).send({ error: 'send a PNG, JPEG or WebP image as the body' });
    const body = request.body;
    // A client that has gone away has no use for the rest of the work.
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(limits.timeout)]);

    const answer = await slots.run(async () => {
      const stop = seconds.startTimer();
      try {
        const image = await decode(body, limits.pixels);
        return { shape: image.shape, features: await features(stack, image, signal) };
      } finally {
        stop();
      }
    });
    if (!answer) return reply.code(503).header('retry-after', 1).send({ error: 'busy: try again in a second' });
    return answer;
  });

  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof BadImage) return reply.code(422).send({ error: error.message });
    if (error.name === 'TimeoutError') return reply.code(504).send({ error: `not done within ${limits.timeout} ms` });
    const status = error.statusCode ?? 500;
    return reply.code(status).send({ error: status < 500 ? error.message : 'internal error' });
  });
  return app;
}

class BadImage extends Error {}

async function decode(body: Buffer, limitInputPixels: number): ReturnType<typeof toTensor> {
  try {
    return await toTensor(body, limitInputPixels);
  } catch (error) {
    throw new BadImage(`not a readable image: ${(error as Error).message.split('\n')[0]}`);
  }
}

async function toTensor(body: Buffer, limitInputPixels: number) {
  const image = sharp(body, { limitInputPixels, failOn: 'error' }).removeAlpha().toColourspace('srgb');
  return fromImage(await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }));
}
