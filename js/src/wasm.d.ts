// The engine as an import: bytes or a compiled module, as the build has it.
declare module '*.wasm' {
  const engine: Uint8Array<ArrayBuffer> | WebAssembly.Module;
  export default engine;
}
