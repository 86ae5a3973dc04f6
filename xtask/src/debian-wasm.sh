#!/usr/bin/env bash
# Makes a sysroot with the standard library for wasm targets from Debian's packages alone: for machines that
# cannot reach rustup's server. Called by toolchain.rs:  debian-wasm.sh SYSROOT TARGET...
#
# Debian ships a current rustc (rustc-web) with the source of its standard library (rust-web-src). That source is
# compiled once a target, here; afterwards SYSROOT/bin/rustc builds for the targets without any nightly flag.
# Nothing is written outside SYSROOT but the Debian packages; a rustup tool chain is left as it is.
set -euo pipefail

sysroot=$1; shift
rustc=/usr/bin/rustc
say() { printf '%s\n' "$*" >&2; }

# An lld of the same major version as the compiler's LLVM or near it: rustup's own, else Debian's.
lld=$(ls -d "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/lib/rustlib/*/bin/rust-lld 2>/dev/null | tail -1 || true)
read -ra packages <<<"$PACKAGES"
[ -n "$lld" ] || { packages+=(lld-19); lld=/usr/lib/llvm-19/bin/lld; }

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  root=()
  if [ "$(id -u)" != 0 ]; then
    root=(sudo -n)
    "${root[@]}" true 2>/dev/null || { say "run as root: apt-get install ${missing[*]}"; exit 1; }
  fi
  say "installing ${missing[*]}"
  "${root[@]}" apt-get update -q
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}"
fi
[ -x "$lld" ] || { say "no lld at $lld"; exit 1; }

host=$("$rustc" -vV | sed -n 's/^host: //p')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
new=$sysroot.new
rm -rf "$new" "$sysroot"
mkdir -p "$new/bin" "$new/lib/rustlib/$host/bin" "$work/empty/src"
ln -s "$("$rustc" --print target-libdir)" "$new/lib/rustlib/$host/lib"
ln -s "$lld" "$new/lib/rustlib/$host/bin/rust-lld"
for tool in rustc rustdoc; do
  printf '#!/bin/sh\nexec /usr/bin/%s --sysroot %q "$@"\n' "$tool" "$sysroot" >"$new/bin/$tool"
  chmod +x "$new/bin/$tool"
done

printf '[package]\nname = "empty"\nedition = "2021"\n[workspace]\n' >"$work/empty/Cargo.toml"
echo '#![no_std]' >"$work/empty/src/lib.rs"
for target in "$@"; do
  say "compiling the standard library for $target"
  lib=$new/lib/rustlib/$target/lib
  mkdir -p "$lib"
  # The unstable flag is needed only here, once; bitcode lets link-time optimisation reach into the library.
  (cd "$work/empty" && env -u CARGO_ENCODED_RUSTFLAGS -u RUSTC_WRAPPER -u RUSTC_WORKSPACE_WRAPPER -u CARGO_BUILD_TARGET \
    RUSTC_BOOTSTRAP=1 RUSTC="$rustc" RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR="$work/target" \
    "$CARGO" build --release -Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test --target "$target")
  find "$work/target/$target/release" -name '*.rlib' ! -name 'libempty*' -exec cp -n {} "$lib/" \;
  if [ "$target" = wasm32-wasip1 ]; then
    mkdir "$lib/self-contained"
    cp /usr/lib/wasm32-wasi/{crt1-command.o,crt1-reactor.o,libc.a} "$lib/self-contained/"
    # This libc lacks two thread functions that the standard library names; 58 is ENOTSUP, as elsewhere without threads.
    cat >"$work/threads.rs" <<'RUST'
#![no_std]
#[no_mangle] pub extern "C" fn pthread_join(_: usize, _: *mut *mut u8) -> i32 { 58 }
#[no_mangle] pub extern "C" fn pthread_detach(_: usize) -> i32 { 58 }
RUST
    "$rustc" --sysroot "$new" --edition 2021 --crate-type lib --emit obj -O -C panic=abort --target "$target" \
      "$work/threads.rs" -o "$work/threads.o"
    ar q "$lib/self-contained/libc.a" "$work/threads.o"
  fi
done
printf '%s lld=%s' "$("$rustc" -vV | tr '\n' ';')" "$lld" >"$new/.stamp"
mv "$new" "$sysroot"
