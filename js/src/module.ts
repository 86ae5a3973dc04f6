/** Compiles the engine's bytes, once. */

const compiled = new WeakMap<object, Promise<WebAssembly.Module>>();

/** The module of `engine`: itself, or compiled from its bytes. A module of another realm is a module, too. */
export async function moduleOf(engine: WebAssembly.Module | BufferSource): Promise<WebAssembly.Module> {
  if (!ArrayBuffer.isView(engine) && Object.prototype.toString.call(engine) !== '[object ArrayBuffer]') return engine as WebAssembly.Module;
  let module = compiled.get(engine);
  if (!module) compiled.set(engine, (module = WebAssembly.compile(engine as BufferSource)));
  return module;
}
