import { defineConfig } from 'vitest/config';
import { availableIsas } from './lib/index.js';

export default defineConfig({
  test: {
    testTimeout: 60_000,
    // A process for each file: the instruction set and the pool are chosen once in a process.
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'depthwise',
          include: ['test/**/*.test.ts'],
          exclude: ['test/every_isa/**'],
          typecheck: { enabled: true, include: ['test/**/*.test-d.ts'] },
        },
      },
      ...availableIsas.map((isa) => ({
        extends: true as const,
        test: { name: isa, include: ['test/every_isa/**/*.test.ts'], env: { DEPTHWISE_ISA: isa } },
      })),
    ],
  },
});
