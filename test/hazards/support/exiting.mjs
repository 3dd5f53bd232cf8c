// A process, or a worker of it, that ends in one of many ways with calls in flight; see exits.mjs.
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const { Conv2d, DepthwiseConv2d, setThreads } = await import(process.env.DEPTHWISE_UNDER_TEST);
const [way, delay] = isMainThread ? [process.argv[2], Number(process.argv[3])] : workerData;
const CODE = 5;
const exit = () => process.exit(CODE);
const later = (then) => setTimeout(then, delay);

const large = new Conv2d({ data: new Float32Array(9 * 64 * 64), shape: [3, 3, 64, 64] });
const small = new DepthwiseConv2d({ data: new Float32Array(9 * 8), shape: [3, 3, 8, 1] });
const input = { data: new Float32Array(64 * 64 * 64), shape: [1, 64, 64, 64] };
const tiny = { data: new Float32Array(6 * 6 * 8), shape: [1, 6, 6, 8] };
const controller = new AbortController();
const { signal } = controller;
function flood() {
  for (let i = 0; i < 20; i++) {
    large.run(input, i % 4 ? {} : { signal }).catch(() => {});
    for (let j = 0; j < 20; j++) small.run(tiny);
  }
}

const ways = {
  'at once': exit,
  later: () => later(exit),
  'in a callback': () => later(() => small.run(tiny).then(exit)),
  'in a microtask of a callback': () => later(() => small.run(tiny).then(() => queueMicrotask(exit))),
  'in an abort': () => {
    signal.addEventListener('abort', exit);
    later(() => controller.abort());
  },
  'after an abort': () =>
    later(() => {
      controller.abort();
      exit();
    }),
  'in a getter': () =>
    later(() =>
      large.run({
        get data() {
          return exit();
        },
        shape: [1],
      }),
    ),
  'with new calls in the exit handler': () => {
    process.on('exit', () => {
      flood();
      large.runSync(input);
      large[Symbol.dispose]();
    });
    later(exit);
  },
  'by an exception': () =>
    later(() => {
      throw new Error('on purpose');
    }),
  'by a signal': () => later(() => process.kill(process.pid, 'SIGTERM')),
  'by itself': () => {
    process.on('exit', () => {
      process.exitCode = CODE;
    });
  },
  'while workers compute': () => {
    for (const how of ['asynchronously', 'synchronously']) {
      new Worker(new URL(import.meta.url), { workerData: [how, delay] });
    }
    setTimeout(exit, 50 + delay);
  },
  // The workers' ways.
  asynchronously: () => setInterval(flood, 1),
  synchronously: () => {
    for (;;) large.runSync(input);
  },
};
if (isMainThread) setThreads(1 + (delay % 3));
flood();
ways[way]();
