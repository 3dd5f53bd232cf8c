// process.exit with calls queued and running.
import { heavy, sleep } from './support/harness.mjs';

const { layer, input } = heavy(1);
for (let i = 0; i < 20; i++) layer.run(input);
await sleep(20);
console.log('survived');
process.exit(3);
