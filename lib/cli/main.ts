#!/usr/bin/env node
// The command. What fails while it is loaded is said without a stack, too: no addon for this machine, or a bad DEPTHWISE_ISA
// or DEPTHWISE_THREADS, which counts as a wrong command line.
try {
  await import('./program.js');
} catch (error) {
  const { code = '', message } = error as NodeJS.ErrnoException;
  process.stderr.write(`depthwise: ${message}\n`);
  process.exitCode = code.startsWith('ERR_ADDON') || code === 'ERR_DLOPEN_FAILED' ? 1 : 2;
}

export {};
