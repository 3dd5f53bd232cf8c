import { fromImage } from 'depthwise/io';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import sharp from 'sharp';
import { Slots } from './slots.js';
import { features, makeStack } from './stack.js';

export interface Limits {
  /** Bytes of an upload; more gets 413. */
  bodyBytes: number;
  /** Pixels of an image, against small files that decode to huge pictures; more gets 422. */
  pixels: number;
  /** Requests being uploaded or in work at once; one more gets 503 with Retry-After. */
  concurrency: number;
  /** Milliseconds for an upload; a slower one gets 408. */
  uploadTimeout: number;
  /** Milliseconds until a request's work is aborted; it gets 504. */
  timeout: number;
}

export const LIMITS: Limits = {
  bodyBytes: 8 * 2 ** 20,
  pixels: 16e6,
  concurrency: 16,
  uploadTimeout: 30_000,
  timeout: 5000,
};

/** The server, not yet listening: POST an image to /features, GET /metrics and /health. */
export function makeServer(limits: Limits = LIMITS): FastifyInstance {
  const app = Fastify({ bodyLimit: limits.bodyBytes, requestTimeout: limits.uploadTimeout });
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

  // A slot is taken before the body is read: what many clients upload at once is bounded, too. The handler takes the
  // slot over; a request that never gets there gives it back as its connection closes.
  const waiting = new WeakMap<FastifyRequest, () => void>();
  const takeSlot = async (request: FastifyRequest, reply: FastifyReply) => {
    const release = slots.take();
    if (!release) return reply.code(503).header('retry-after', 1).send({ error: 'busy: try again in a second' });
    waiting.set(request, release);
    reply.raw.once('close', () => waiting.get(request)?.());
  };

  app.post<{ Body: Buffer | undefined }>('/features', { onRequest: takeSlot }, async (request, reply) => {
    const release = waiting.get(request)!;
    waiting.delete(request);
    const stop = seconds.startTimer();
    const work = new AbortController();
    const deadline = setTimeout(() => work.abort(new DOMException('too slow', 'TimeoutError')), limits.timeout);
    // A client that has gone away has no use for the rest of the work.
    reply.raw.once('close', () => work.abort());
    try {
      if (!request.body?.length) return reply.code(400).send({ error: 'send a PNG, JPEG or WebP image as the body' });
      const image = await decode(request.body, limits.pixels);
      return { shape: image.shape, features: await features(stack, image, work.signal) };
    } finally {
      clearTimeout(deadline);
      stop();
      release();
    }
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
