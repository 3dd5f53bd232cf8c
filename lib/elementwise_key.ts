/**
 * Where `Conv2d` carries `elementwise` for `depthwise/tfjs`: that is bundled apart from the module that finds the addon, and
 * sees of it the public names alone.
 */
export const ELEMENTWISE: unique symbol = Symbol.for('depthwise.elementwise');
