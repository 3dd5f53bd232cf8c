// Listens until SIGTERM or SIGINT, then takes no more connections, finishes what is in work, and ends.
import closeWithGrace from 'close-with-grace';
import { makeServer } from './server.js';

const app = makeServer();
closeWithGrace({ delay: 10_000 }, async ({ err }) => {
  if (err) console.error(err);
  await app.close();
});
console.log(await app.listen({ port: Number(process.env.PORT ?? 3000), host: process.env.HOST ?? '127.0.0.1' }));
