/**
 * What the library needs of Node's own modules, without importing them: an ES import reads everything that such a module
 * exports, and some of that loads streams or abort controllers, which took more time than the rest of this package.
 */
export const { types } = process.getBuiltinModule('node:util');
export const { closeSync, existsSync, openSync, readFileSync, readSync } = process.getBuiltinModule('node:fs');
export const {
  Buffer,
  constants: { MAX_LENGTH },
} = process.getBuiltinModule('node:buffer');
export const { toNamespacedPath } = process.getBuiltinModule('node:path');
