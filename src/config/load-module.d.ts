/**
 * Loads a module, TypeScript or not, and gives its default export (or all exports, where it has none).
 * What it imports as `eventward` is the instance that runs: one set of classes, whatever is installed beside it.
 */
export declare function loadModule(path: string): Promise<unknown>;
